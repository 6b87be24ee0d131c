//! What the program says when it has started.

use super::{Pair, choose};
use crate::config::Lang;

/// Something to tell at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpeningText {
    /// First line: what this is, where it listens, what to type in the second terminal.
    Greeting {
        /// Version of the program.
        version: &'static str,
        /// Listening address.
        address: String,
        /// Command for the second terminal.
        command: String,
    },
    /// The same without a command, for a log that nobody types beside.
    Listening {
        /// Version of the program.
        version: &'static str,
        /// Listening address.
        address: String,
    },
    /// It listens on loopback because nobody would be asked for a credential.
    LoopbackOnly {
        /// How the server is started here.
        server: &'static str,
    },
    /// Everybody who reaches the address is let in.
    OpenToAll {
        /// Listening address.
        address: String,
    },
    /// Bare TCP peers are served here.
    PlainListening {
        /// Listening address.
        address: String,
        /// Subject of their requests.
        subject: String,
    },
    /// WebSocket clients are served here.
    WebsocketAt {
        /// URL for them.
        url: String,
    },
    /// MQTT clients are served here.
    MqttAt {
        /// URL for them.
        url: String,
    },
    /// WebSocket clients are served without TLS where others can listen in.
    WebsocketInClear {
        /// Listening address.
        address: String,
    },
    /// Monitoring is served here.
    MonitoringAt {
        /// URL of its first page.
        url: String,
    },
    /// Monitoring is open to whoever reaches it.
    MonitoringOpen {
        /// Listening address.
        address: String,
    },
    /// Profiles are served here.
    ProfilesAt {
        /// URL of their first page.
        url: String,
    },
    /// Profiles are open to whoever reaches them.
    ProfilesOpen {
        /// Listening address.
        address: String,
    },
    /// Streams are stored here.
    Stored {
        /// The directory.
        directory: String,
        /// How many streams are in it.
        streams: usize,
        /// How many messages are in them.
        messages: u64,
    },
}

impl OpeningText {
    /// The text, in one line.
    pub fn text(&self, lang: Lang) -> String {
        choose(lang, self.pair())
    }

    fn pair(&self) -> Pair {
        match self {
            Self::Greeting {
                version,
                address,
                command,
            } => (
                format!(
                    "recado-server {version} is listening on {address}. \
                     In a second terminal: {command}"
                ),
                format!(
                    "recado-server {version} escucha en {address}. \
                     En una segunda terminal: {command}"
                ),
            ),
            Self::Listening { version, address } => (
                format!("recado-server {version} is listening on {address}"),
                format!("recado-server {version} escucha en {address}"),
            ),
            Self::LoopbackOnly { server } => (
                format!(
                    "no credential is configured, so only programs on this machine can connect. \
                     To open it: {server} token new recado.token, \
                     then {server} --token-file recado.token \
                     (or --allow-anonymous, if everybody may come in)"
                ),
                format!(
                    "no hay ninguna credencial configurada, así que solo pueden conectarse los \
                     programas de esta máquina. Para abrirlo: {server} token new recado.token \
                     y después {server} --token-file recado.token \
                     (o --allow-anonymous, si puede entrar cualquiera)"
                ),
            ),
            Self::OpenToAll { address } => (
                format!(
                    "no credential is asked for: whoever reaches {address} can read and send \
                     everything"
                ),
                format!(
                    "no se pide ninguna credencial: quien llegue a {address} puede leerlo y \
                     enviarlo todo"
                ),
            ),
            Self::PlainListening { address, subject } => (
                format!("listening for plain sockets on {address}, subject {subject}"),
                format!("a la escucha de sockets sin protocolo en {address}, asunto {subject}"),
            ),
            Self::WebsocketAt { url } => (
                format!("WebSocket clients are served at {url}"),
                format!("los clientes WebSocket se atienden en {url}"),
            ),
            Self::MqttAt { url } => (
                format!("MQTT clients are served at {url}"),
                format!("los clientes MQTT se atienden en {url}"),
            ),
            Self::WebsocketInClear { address } => (
                format!(
                    "WebSocket clients on {address} are not secured by TLS: whoever is between can read \
                     along. Give websocket a certificate, or a proxy before it that has one"
                ),
                format!(
                    "los clientes WebSocket de {address} no van protegidos por TLS: quien esté en medio \
                     puede leerlo todo. Ponle un certificado a websocket, o un proxy delante que lo tenga"
                ),
            ),
            Self::MonitoringAt { url } => (
                format!("monitoring is served at {url}"),
                format!("la supervisión se sirve en {url}"),
            ),
            Self::MonitoringOpen { address } => (
                format!(
                    "monitoring asks for no token: whoever reaches {address} can see clients, \
                     subjects and streams; monitor_token_file asks for one"
                ),
                format!(
                    "la supervisión no pide ningún token: quien llegue a {address} puede ver \
                     clientes, asuntos y flujos; con monitor_token_file se pide uno"
                ),
            ),
            Self::ProfilesAt { url } => (
                format!("profiles are served at {url}"),
                format!("los perfiles de rendimiento se sirven en {url}"),
            ),
            Self::ProfilesOpen { address } => (
                format!(
                    "profiles ask for no token: whoever reaches {address} can have the server \
                     sampled; monitor_token_file asks for one"
                ),
                format!(
                    "los perfiles no piden ningún token: quien llegue a {address} puede hacer que se \
                     tomen muestras del servidor; con monitor_token_file se pide uno"
                ),
            ),
            Self::Stored {
                directory,
                streams: 0,
                ..
            } => (
                format!("streams are stored in {directory}; there are none yet"),
                format!("los flujos se guardan en {directory}; todavía no hay ninguno"),
            ),
            Self::Stored {
                directory,
                streams,
                messages,
            } => (
                format!(
                    "streams are stored in {directory}: {streams}, messages in them: {messages}"
                ),
                format!("los flujos se guardan en {directory}: {streams}, con {messages} mensajes"),
            ),
        }
    }
}
