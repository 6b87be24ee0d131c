//! What can be wrong with the keys of TLS and of other ways to connect.

use crate::config::locale::Lang;

/// What is wrong with a key of `tls { … }` or of a listener.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the words of each are below")]
pub enum TransportProblem {
    /// `cert_file` without `key_file`, or neither.
    CertificateIncomplete {
        block: &'static str,
    },
    NotPin(String),
    PinsWithoutVerify,
    NotHandshakeFirst(String),
    NotCipherSuite {
        name: String,
        nearest: Option<String>,
    },
    NotCurve(String),
    NotInClients(String),
    NotHeader(String),
    NotResponder(String),
    RevocationsWithoutVerify,
    WebsocketWithoutTls,
    WebsocketPortTaken(u16),
    /// Warning.
    WebsocketWithoutPort,
    MqttWithoutStreams,
    MqttWithoutHeaders,
    MqttPortTaken(u16),
    /// Warning.
    MqttWithoutPort,
    /// Warning.
    ChangesNothing(String),
    /// Warning.
    TlsOff,
    /// Warning.
    LongHandshake(std::time::Duration),
}

impl TransportProblem {
    pub(super) fn text(&self, lang: Lang) -> String {
        let (english, spanish) = self.pair();
        match lang {
            Lang::En => english,
            Lang::Es => spanish,
        }
    }

    fn pair(&self) -> (String, String) {
        match self {
            Self::CertificateIncomplete { block } => (
                format!(
                    "{block} needs a certificate and its private key: name both, cert_file and key_file"
                ),
                format!(
                    "{block} necesita un certificado y su clave privada: indica los dos, cert_file y key_file"
                ),
            ),
            Self::NotPin(found) => (
                format!(
                    "\"{found}\" is not the SHA-256 of a public key; it has 64 hexadecimal digits: openssl x509 -noout -pubkey -in CERT | openssl pkey -pubin -outform DER | openssl dgst -sha256"
                ),
                format!(
                    "\"{found}\" no es el SHA-256 de una clave pública; tiene 64 cifras hexadecimales: openssl x509 -noout -pubkey -in CERT | openssl pkey -pubin -outform DER | openssl dgst -sha256"
                ),
            ),
            Self::PinsWithoutVerify => (
                "pinned_certs lets nobody in who is not asked for a certificate; add verify: true".into(),
                "pinned_certs no deja entrar a nadie a quien no se pida un certificado; añade verify: true".into(),
            ),
            Self::NotHandshakeFirst(found) => (
                format!(
                    "handshake_first cannot be \"{found}\"; it can be true, false, auto or a time such as \"100ms\" after which INFO is sent in clear"
                ),
                format!(
                    "handshake_first no puede ser \"{found}\"; puede ser true, false, auto o un tiempo como \"100ms\" tras el que INFO se envía sin cifrar"
                ),
            ),
            Self::NotCipherSuite { name, nearest: Some(nearest) } => (
                format!("this server does not speak the cipher suite {name}; did you mean {nearest}?"),
                format!("este servidor no habla el cifrado {name}; ¿querías decir {nearest}?"),
            ),
            Self::NotCipherSuite { name, nearest: None } => (
                format!(
                    "this server does not speak the cipher suite {name}: it has the nine of TLS 1.2 and 1.3 with ECDHE and AES-GCM or ChaCha20; remove it"
                ),
                format!(
                    "este servidor no habla el cifrado {name}: tiene los nueve de TLS 1.2 y 1.3 con ECDHE y AES-GCM o ChaCha20; quítalo"
                ),
            ),
            Self::NotCurve(name) => (
                format!(
                    "this server does not speak the curve {name}; it has X25519, CurveP256 and CurveP384"
                ),
                format!(
                    "este servidor no habla la curva {name}; tiene X25519, CurveP256 y CurveP384"
                ),
            ),
            Self::NotInClients(key) => (
                format!("\"{key}\" is for links between servers, not for clients; remove it"),
                format!("\"{key}\" es para enlaces entre servidores, no para clientes; quítalo"),
            ),
            Self::NotHeader(name) => (
                format!("\"{name}\" can't be a header of HTTP with this value; both must be one line of plain text"),
                format!("\"{name}\" no puede ser una cabecera de HTTP con este valor; ambos deben ser una línea de texto simple"),
            ),
            Self::NotResponder(text) => (
                format!("\"{text}\" is no place to ask for the status of a certificate; write http://HOST:PORT/PATH"),
                format!("\"{text}\" no es un lugar donde preguntar por el estado de un certificado; escribe http://HOST:PUERTO/RUTA"),
            ),
            Self::RevocationsWithoutVerify => (
                "ocsp_peer asks whether clients' certificates were revoked, and clients are asked for none; add verify: true".into(),
                "ocsp_peer pregunta si los certificados de los clientes fueron revocados, y a los clientes no se les pide ninguno; añade verify: true".into(),
            ),
            Self::WebsocketWithoutTls => (
                "websocket needs a certificate and its private key (tls { cert_file, key_file }); no_tls: true serves it in clear, behind a proxy that does TLS for example".into(),
                "websocket necesita un certificado y su clave privada (tls { cert_file, key_file }); con no_tls: true se sirve sin cifrar, por ejemplo detrás de un proxy que pone el TLS".into(),
            ),
            Self::WebsocketPortTaken(port) => (
                format!("port {port} is websocket's and that of another listener; change one of the two (-1 takes a free one)"),
                format!("el puerto {port} es a la vez el de websocket y el de otra entrada; pon otro en una de las dos (-1 toma uno libre)"),
            ),
            Self::WebsocketWithoutPort => (
                "websocket names no port, so nothing listens for WebSocket clients; add port: 8080 for example".into(),
                "websocket no indica ningún puerto, así que nada escucha a clientes WebSocket; añade por ejemplo port: 8080".into(),
            ),
            Self::MqttWithoutStreams => (
                "mqtt keeps its sessions and messages in streams: turn them on with jetstream: true, or remove mqtt".into(),
                "mqtt guarda sus sesiones y mensajes en flujos: actívalos con jetstream: true, o quita mqtt".into(),
            ),
            Self::MqttWithoutHeaders => (
                "mqtt needs headers for what it stores; remove no_header_support, or mqtt".into(),
                "mqtt necesita cabeceras para lo que guarda; quita no_header_support, o mqtt".into(),
            ),
            Self::MqttPortTaken(port) => (
                format!("port {port} is mqtt's and that of another listener; change one of the two (-1 takes a free one)"),
                format!("el puerto {port} es a la vez el de mqtt y el de otra entrada; pon otro en una de las dos (-1 toma uno libre)"),
            ),
            Self::MqttWithoutPort => (
                "mqtt names no port, so nothing listens for MQTT clients; add port: 1883 for example".into(),
                "mqtt no indica ningún puerto, así que nada escucha a clientes MQTT; añade por ejemplo port: 1883".into(),
            ),
            Self::ChangesNothing(key) => (
                format!("\"{key}\" changes nothing for a listener; it is ignored"),
                format!("\"{key}\" no cambia nada en un puerto de escucha; se pasa por alto"),
            ),
            Self::TlsOff => (
                "there are files for TLS and it is turned off (--tls=false): clients come in clear".into(),
                "hay archivos para TLS y está apagado (--tls=false): los clientes entran sin cifrar".into(),
            ),
            Self::LongHandshake(found) => (
                format!(
                    "a timeout of {} s for TLS handshakes is long (a bare number is seconds)",
                    found.as_secs_f64()
                ),
                format!(
                    "un plazo de {} s para el saludo de TLS es mucho (un número solo son segundos)",
                    found.as_secs_f64()
                ),
            ),
        }
    }
}
