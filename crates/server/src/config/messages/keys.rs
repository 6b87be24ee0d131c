//! What can be wrong with the keys of a configuration and with their values.

use std::time::Duration;

use super::transport::TransportProblem;
use crate::config::locale::Lang;

/// What nats-server has and this version of the server does not have yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names are below")]
pub enum Feature {
    CertificateStores,
    Accounts,
    Tpm,
    Cluster,
    Gateways,
    Leafnodes,
    ProxyProtocol,
    Reload,
}

impl Feature {
    /// What it is called.
    pub fn name(self, lang: Lang) -> &'static str {
        let (english, spanish) = match self {
            Self::CertificateStores => (
                "certificates from the system's store (name files instead: cert_file and key_file)",
                "certificados del almacén del sistema (indica archivos: cert_file y key_file)",
            ),
            Self::Accounts => ("accounts", "cuentas"),
            Self::Tpm => (
                "keys out of a TPM (give the key itself: key: $VARIABLE)",
                "claves sacadas de un TPM (indica la propia clave: key: $VARIABLE)",
            ),
            Self::Cluster => ("clusters", "clústeres"),
            Self::Gateways => ("gateways", "pasarelas (gateways)"),
            Self::Leafnodes => ("leaf nodes", "nodos hoja (leaf nodes)"),
            Self::ProxyProtocol => ("the PROXY protocol", "el protocolo PROXY"),
            Self::Reload => ("reloading its configuration", "recarga de la configuración"),
        };
        match lang {
            Lang::En => english,
            Lang::Es => spanish,
        }
    }
}

/// What kind of value a key takes or was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names are below")]
pub enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    Datetime,
    List,
    Map,
    Duration,
    Listen,
    Plain,
    Size,
    Streams,
    Destination,
    Percent,
    Responses,
    SwitchOrMap,
}

impl Kind {
    fn name(self, lang: Lang) -> &'static str {
        let (english, spanish) = match self {
            Self::Text => ("text", "un texto"),
            Self::Integer => ("an integer", "un número entero"),
            Self::Number => ("a number", "un número"),
            Self::Boolean => ("true or false", "true o false"),
            Self::Datetime => ("a time", "una hora"),
            Self::List => ("a list", "una lista"),
            Self::Map => ("a block { … }", "un bloque { … }"),
            Self::Duration => (
                "a duration such as \"10s\" or \"1m30s\"",
                "una duración como \"10s\" o \"1m30s\"",
            ),
            Self::Listen => ("a port or \"HOST:PORT\"", "un puerto o \"HOST:PUERTO\""),
            Self::Plain => (
                "a port, \"PORT:SUBJECT\", { port: PORT, subject: SUBJECT } or a list of those",
                "un puerto, \"PUERTO:ASUNTO\", { port: PUERTO, subject: ASUNTO } o una lista de ellos",
            ),
            Self::Size => (
                "a number of bytes such as 64MiB or 10GB",
                "un número de bytes como 64MiB o 10GB",
            ),
            Self::Destination => ("a subject or a block { … }", "un asunto o un bloque { … }"),
            Self::Percent => (
                "a percentage such as 20 or \"20%\"",
                "un porcentaje como 20 o \"20%\"",
            ),
            Self::SwitchOrMap => (
                "true, false or a block { … }",
                "true, false o un bloque { … }",
            ),
            Self::Responses => (
                "true, false or a block { max, expires }",
                "true, false o un bloque { max, expires }",
            ),
            Self::Streams => (
                "true, false, \"enabled\", \"disabled\" or a block { … }",
                "true, false, \"enabled\", \"disabled\" o un bloque { … }",
            ),
        };
        match lang {
            Lang::En => english,
            Lang::Es => spanish,
        }
    }
}

/// What is wrong with a key, with its value, or with the settings taken together.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the words of each are below")]
pub enum KeyProblem {
    UnknownKey {
        key: String,
        nearest: Option<String>,
    },
    NotYet {
        key: String,
        feature: Feature,
    },
    /// Warning: the flag.
    UnknownFlag {
        flag: String,
        nearest: Option<String>,
    },
    WrongKind {
        key: String,
        expected: Kind,
        found: Kind,
    },
    OutOfRange {
        key: String,
        min: i64,
        max: i64,
    },
    OneOf {
        key: String,
        choices: &'static [&'static str],
        found: String,
    },
    BadAddress(String),
    BadPort(String),
    BadDuration {
        key: String,
        value: String,
    },
    BadPlain(String),
    BadPlainSubject(String),
    PlainPortTwice(u16),
    PlainPortIsClients(u16),
    MonitoringPortTaken(u16),
    ProfilePortTaken(u16),
    BadBasePath(String),
    MonitorTokenTwice,
    HttpAndHttps,
    HttpsWithoutTls,
    ServerNameSpaces,
    Empty(String),
    LameDuckTooShort(Duration),
    GraceNotBelowDuration {
        grace: Duration,
        duration: Duration,
    },
    PayloadAbovePending {
        payload: usize,
        pending: usize,
    },
    TokenAndUser,
    TokenTwice,
    PasswordWithoutUser,
    UserWithoutPassword,
    OpenToAll(String),
    TokenFileUnreadable {
        path: String,
        error: String,
    },
    TokenFileEmpty(String),
    TokenFileNotOneWord(String),
    TokenFileOpen {
        path: String,
        mode: u32,
    },
    Transport(TransportProblem),
    BadSize {
        key: String,
        value: String,
    },
    BadDomain(String),
    /// `cipher` or `prev_key` without `key`.
    CipherWithoutKey,
    StoreDirTwice,
    NoStoreDir,
    MoreMistakes,
    /// Warning.
    TokenFileGroup {
        path: String,
        mode: u32,
    },
    /// Warning.
    BareDuration {
        key: String,
        seconds: i64,
    },
    /// Warning.
    LargePayload(usize),
    /// Warning.
    LongTimeout(Duration),
    /// Warning.
    NobodyAdmitted,
    /// Warning.
    NothingInFile,
    /// Warning.
    SyncedAnyway(String),
    /// Warning.
    ForSeveralServers(String),
    /// Warning: as it was written.
    NoBlockProfiles(String),
    /// Warning: the directory.
    StoreIsTemporary(String),
}

impl KeyProblem {
    pub(super) fn text(&self, lang: Lang) -> String {
        match lang {
            Lang::En => self.english(),
            Lang::Es => self.spanish(),
        }
    }

    fn english(&self) -> String {
        let lang = Lang::En;
        match self {
            Self::UnknownKey {
                key,
                nearest: Some(nearest),
            } => {
                format!("unknown field \"{key}\"; did you mean \"{nearest}\"?")
            }
            Self::UnknownKey { key, nearest: None } => {
                format!("unknown field \"{key}\"; remove it")
            }
            Self::NotYet { key, feature } => format!(
                "\"{key}\": this version of recado-server does not have {} yet; remove the key to start without",
                feature.name(lang)
            ),
            Self::WrongKind {
                key,
                expected,
                found,
            } => {
                let hint = match (expected, found) {
                    (Kind::Text, Kind::Integer | Kind::Number | Kind::Boolean | Kind::Datetime) => {
                        "; put it in quotes"
                    }
                    (Kind::Integer | Kind::Number | Kind::Boolean, Kind::Text) => {
                        "; write it without quotes"
                    }
                    _ => "",
                };
                format!(
                    "\"{key}\" takes {}, not {}{hint}",
                    expected.name(lang),
                    found.name(lang)
                )
            }
            Self::OutOfRange { key, min, max } => {
                format!("\"{key}\" must be between {min} and {max}")
            }
            Self::OneOf {
                key,
                choices,
                found,
            } => {
                format!(
                    "\"{key}\" can't be \"{found}\"; it is one of {}",
                    choices.join(", ")
                )
            }
            Self::BadAddress(value) => format!(
                "\"{value}\" is not an address; write HOST:PORT, with brackets around an IPv6 address"
            ),
            Self::BadPort(value) => {
                format!("\"{value}\" is not a port; ports go from 1 to 65535, -1 takes a free one")
            }
            Self::BadDuration { key, value } => format!(
                "\"{key}\": \"{value}\" is not a duration; write for example \"10s\", \"1m30s\" or \"500ms\""
            ),
            Self::BadPlain(value) => format!("\"{value}\" is not PORT or PORT:SUBJECT"),
            Self::BadPlainSubject(subject) => format!(
                "\"{subject}\" is not a subject to send to; it has no blanks, no wildcards and no empty parts between dots"
            ),
            Self::PlainPortTwice(port) => format!(
                "port {port} is given to two plain listeners; give one of them another (-1 takes a free one)"
            ),
            Self::PlainPortIsClients(port) => format!(
                "port {port} is both the clients' and a plain listener's; give one of them another (-1 takes a free one)"
            ),
            Self::MonitoringPortTaken(port) => format!(
                "port {port} is monitoring's and another listener's; give one of them another (-1 takes a free one)"
            ),
            Self::ProfilePortTaken(port) => format!(
                "port {port} is for profiles and another listener's; give one of them another (-1 takes a free one)"
            ),
            Self::BadBasePath(path) => format!(
                "http_base_path: {path:?} is no path; write it like \"/nats\", of letters, digits and -._~"
            ),
            Self::HttpAndHttps => {
                "monitoring has a port for HTTP and one for HTTPS; keep one of the two".into()
            }
            Self::HttpsWithoutTls => {
                "monitoring over HTTPS needs certificates: give tls { cert_file, key_file }, or serve it with http_port".into()
            }
            Self::MonitorTokenTwice => {
                "there is a monitor_token and a monitor_token_file; keep one of the two".into()
            }
            Self::ServerNameSpaces => "the server name must not contain spaces".into(),
            Self::Empty(key) => format!("\"{key}\" is empty; give it a value or remove it"),
            Self::LameDuckTooShort(found) => {
                format!("a lame_duck_duration of {found:?} is too short; the minimum is 30s")
            }
            Self::GraceNotBelowDuration { grace, duration } => format!(
                "lame_duck_grace_period ({grace:?}) must be shorter than lame_duck_duration ({duration:?})"
            ),
            Self::PayloadAbovePending { payload, pending } => {
                format!("max_payload ({payload}) must not be larger than max_pending ({pending})")
            }
            Self::TokenAndUser => {
                "there is a token and a user with a password; keep one of the two".into()
            }
            Self::TokenTwice => "there is a token and a token_file; keep one of the two".into(),
            Self::PasswordWithoutUser => "there is a password without a user; add the user".into(),
            Self::OpenToAll(host) => format!(
                "{host} can be reached from other machines, and nobody would be asked for a credential; give one (--token-file FILE, made by `recado-server token new`), or say --allow-anonymous if you mean it"
            ),
            Self::TokenFileUnreadable { path, error } => {
                format!("can't read the token file {path}: {error}")
            }
            Self::TokenFileEmpty(path) => format!(
                "the token file {path} is empty; `recado-server token new` makes a good one"
            ),
            Self::TokenFileNotOneWord(path) => {
                format!("the token file {path} must hold one line without blanks")
            }
            Self::TokenFileOpen { path, mode } => format!(
                "everybody on this machine can read or change the token file {path} (mode {mode:03o}); run: chmod 600 {path}"
            ),
            Self::TokenFileGroup { path, mode } => format!(
                "the group of the token file {path} can read or change it (mode {mode:03o}); if that is not meant, run: chmod 600 {path}"
            ),
            Self::BareDuration { key, seconds } => {
                format!("\"{key}\": {seconds} is taken as seconds; write \"{seconds}s\"")
            }
            Self::LargePayload(payload) => format!(
                "a max_payload of {payload} is a lot; above 8 MiB every slow subscriber costs much memory"
            ),
            Self::LongTimeout(found) => format!(
                "an authorization timeout of {} s is a lot (a number means seconds); keep it below 60 s",
                found.as_secs_f64()
            ),
            Self::NobodyAdmitted => "with these max_connections no client is admitted".into(),
            Self::UserWithoutPassword => {
                "there is a user without a password; add the password".into()
            }
            Self::MoreMistakes => {
                "from here on there may be more mistakes; mend these first".into()
            }
            Self::NothingInFile => "the configuration file says nothing".into(),
            Self::Transport(problem) => problem.text(lang),
            Self::BadSize { key, value } => format!(
                "\"{key}\": \"{value}\" is not a size; in quotes it ends in K, M, G or T, without quotes write for example 64MiB"
            ),
            Self::BadDomain(domain) => format!(
                "\"{domain}\" is not a domain; it has no dots, no wildcards and no blanks"
            ),
            Self::CipherWithoutKey => {
                "jetstream has a cipher or prev_key, but no key: nothing would be encrypted; add key, or remove the other".into()
            }
            Self::StoreDirTwice => {
                "there are two store_dir for the same streams; keep one of the two".into()
            }
            Self::NoStoreDir => "there is no place for streams, for neither HOME nor XDG_STATE_HOME says where this user's state belongs; name a directory (--store-dir DIR), or do without streams (--no-streams)".into(),
            Self::SyncedAnyway(key) => format!(
                "\"{key}\" changes nothing: what is acknowledged is always synced to disk before; remove it, or say \"always\""
            ),
            Self::UnknownFlag { flag, nearest } => match nearest {
                Some(nearest) => format!(
                    "feature flag \"{flag}\" is not known and is ignored; did you mean \"{nearest}\"?"
                ),
                None => format!("feature flag \"{flag}\" is not known and is ignored; remove it"),
            },
            Self::ForSeveralServers(key) => {
                format!("\"{key}\" changes nothing on a server that stands alone; it is ignored")
            }
            Self::NoBlockProfiles(key) => {
                format!("{key} is ignored: it is of Go's scheduler, which this server does not have; prof_port serves a CPU profile")
            }
            Self::StoreIsTemporary(directory) => format!(
                "streams are stored in the temporary directory {directory}, which may be emptied when the machine restarts; name another with store_dir"
            ),
        }
    }

    fn spanish(&self) -> String {
        let lang = Lang::Es;
        match self {
            Self::UnknownKey {
                key,
                nearest: Some(nearest),
            } => {
                format!("clave desconocida \"{key}\"; ¿querías decir \"{nearest}\"?")
            }
            Self::UnknownKey { key, nearest: None } => {
                format!("clave desconocida \"{key}\"; quítala")
            }
            Self::NotYet { key, feature } => format!(
                "\"{key}\": esta versión de recado-server aún no tiene {}; quita la clave para arrancar sin ello",
                feature.name(lang)
            ),
            Self::WrongKind {
                key,
                expected,
                found,
            } => {
                let hint = match (expected, found) {
                    (Kind::Text, Kind::Integer | Kind::Number | Kind::Boolean | Kind::Datetime) => {
                        "; ponlo entre comillas"
                    }
                    (Kind::Integer | Kind::Number | Kind::Boolean, Kind::Text) => {
                        "; escríbelo sin comillas"
                    }
                    _ => "",
                };
                format!(
                    "\"{key}\" lleva {}, no {}{hint}",
                    expected.name(lang),
                    found.name(lang)
                )
            }
            Self::OutOfRange { key, min, max } => {
                format!("\"{key}\" debe estar entre {min} y {max}")
            }
            Self::OneOf {
                key,
                choices,
                found,
            } => {
                format!(
                    "\"{key}\" no puede ser \"{found}\"; puede ser {}",
                    choices.join(", ")
                )
            }
            Self::BadAddress(value) => format!(
                "\"{value}\" no es una dirección; escribe HOST:PUERTO, con corchetes alrededor de una dirección IPv6"
            ),
            Self::BadPort(value) => {
                format!("\"{value}\" no es un puerto; van de 1 a 65535, y -1 toma uno libre")
            }
            Self::BadDuration { key, value } => format!(
                "\"{key}\": \"{value}\" no es una duración; escribe por ejemplo \"10s\", \"1m30s\" o \"500ms\""
            ),
            Self::BadPlain(value) => format!("\"{value}\" no es PUERTO ni PUERTO:ASUNTO"),
            Self::BadPlainSubject(subject) => format!(
                "\"{subject}\" no es un asunto al que enviar; no lleva blancos ni comodines ni partes vacías entre puntos"
            ),
            Self::PlainPortTwice(port) => format!(
                "dos entradas «plain» tienen el mismo puerto {port}; pon otro en una de ellas (-1 toma uno libre)"
            ),
            Self::PlainPortIsClients(port) => format!(
                "el puerto {port} es a la vez el de los clientes y el de una entrada «plain»; pon otro en una de las dos (-1 toma uno libre)"
            ),
            Self::MonitoringPortTaken(port) => format!(
                "el puerto {port} es a la vez el de la supervisión y el de otra escucha; pon otro en una de las dos (-1 toma uno libre)"
            ),
            Self::ProfilePortTaken(port) => format!(
                "el puerto {port} es a la vez el de los perfiles y el de otra escucha; pon otro en una de las dos (-1 toma uno libre)"
            ),
            Self::BadBasePath(path) => format!(
                "http_base_path: {path:?} no es una ruta; escríbela como \"/nats\", con letras, dígitos y -._~"
            ),
            Self::HttpAndHttps => {
                "la supervisión tiene un puerto para HTTP y otro para HTTPS; deja uno de los dos".into()
            }
            Self::HttpsWithoutTls => {
                "la supervisión por HTTPS necesita certificados: pon tls { cert_file, key_file }, o sírvela con http_port".into()
            }
            Self::MonitorTokenTwice => {
                "hay un monitor_token y también un monitor_token_file; deja uno de los dos".into()
            }
            Self::ServerNameSpaces => "el nombre del servidor no puede llevar espacios".into(),
            Self::Empty(key) => format!("\"{key}\" está vacío; ponle un valor o quítalo"),
            Self::LameDuckTooShort(found) => {
                format!("un lame_duck_duration de {found:?} es demasiado corto; el mínimo es 30s")
            }
            Self::GraceNotBelowDuration { grace, duration } => format!(
                "lame_duck_grace_period ({grace:?}) debe ser menor que lame_duck_duration ({duration:?})"
            ),
            Self::PayloadAbovePending { payload, pending } => {
                format!("max_payload ({payload}) no puede ser mayor que max_pending ({pending})")
            }
            Self::TokenAndUser => {
                "hay un token y también un usuario con contraseña; deja uno de los dos".into()
            }
            Self::TokenTwice => "hay un token y también un token_file; deja uno de los dos".into(),
            Self::PasswordWithoutUser => "hay una contraseña sin usuario; añade el usuario".into(),
            Self::OpenToAll(host) => format!(
                "a {host} se llega desde otras máquinas y no se pediría ninguna credencial; pon una (--token-file ARCHIVO, que crea `recado-server token new`) o di --allow-anonymous si es lo que quieres"
            ),
            Self::TokenFileUnreadable { path, error } => {
                format!("no se puede leer el archivo del token {path}: {error}")
            }
            Self::TokenFileEmpty(path) => format!(
                "el archivo del token {path} está vacío; `recado-server token new` crea uno bueno"
            ),
            Self::TokenFileNotOneWord(path) => {
                format!("el archivo del token {path} debe tener una sola línea sin blancos")
            }
            Self::TokenFileOpen { path, mode } => format!(
                "cualquiera en esta máquina puede leer o cambiar el archivo del token {path} (modo {mode:03o}); ejecuta: chmod 600 {path}"
            ),
            Self::TokenFileGroup { path, mode } => format!(
                "el grupo del archivo del token {path} puede leerlo o cambiarlo (modo {mode:03o}); si no es lo que quieres, ejecuta: chmod 600 {path}"
            ),
            Self::BareDuration { key, seconds } => {
                format!("\"{key}\": {seconds} se toma como segundos; escribe \"{seconds}s\"")
            }
            Self::LargePayload(payload) => format!(
                "un max_payload de {payload} es mucho; por encima de 8 MiB cada suscriptor lento cuesta mucha memoria"
            ),
            Self::LongTimeout(found) => format!(
                "un plazo de autenticación de {} s es mucho (un número solo son segundos); mantenlo por debajo de 60 s",
                found.as_secs_f64()
            ),
            Self::NobodyAdmitted => "con este max_connections no se admite a ningún cliente".into(),
            Self::UserWithoutPassword => {
                "hay un usuario sin contraseña; añade la contraseña".into()
            }
            Self::MoreMistakes => {
                "a partir de aquí puede haber más errores; corrige antes los anteriores".into()
            }
            Self::NothingInFile => "el archivo de configuración no dice nada".into(),
            Self::Transport(problem) => problem.text(lang),
            Self::BadSize { key, value } => format!(
                "\"{key}\": \"{value}\" no es un tamaño; entre comillas acaba en K, M, G o T, sin comillas escribe por ejemplo 64MiB"
            ),
            Self::BadDomain(domain) => format!(
                "\"{domain}\" no es un dominio; no lleva puntos ni comodines ni blancos"
            ),
            Self::CipherWithoutKey => {
                "jetstream tiene cipher o prev_key, pero no key: no se cifraría nada; añade key o quita lo otro".into()
            }
            Self::StoreDirTwice => {
                "hay dos store_dir para los mismos flujos; deja uno de los dos".into()
            }
            Self::NoStoreDir => "no hay sitio para los flujos, pues ni HOME ni XDG_STATE_HOME dicen dónde guarda este usuario su estado; indica un directorio (--store-dir DIR) o prescinde de los flujos (--no-streams)".into(),
            Self::SyncedAnyway(key) => format!(
                "\"{key}\" no cambia nada: lo que se confirma siempre está antes sincronizado en disco; quítalo o di \"always\""
            ),
            Self::UnknownFlag { flag, nearest } => match nearest {
                Some(nearest) => format!(
                    "la opción \"{flag}\" de feature_flags no se conoce y se pasa por alto; ¿querías decir \"{nearest}\"?"
                ),
                None => format!(
                    "la opción \"{flag}\" de feature_flags no se conoce y se pasa por alto; quítala"
                ),
            },
            Self::ForSeveralServers(key) => {
                format!("\"{key}\" no cambia nada en un servidor que está solo; se pasa por alto")
            }
            Self::NoBlockProfiles(key) => {
                format!("{key} se pasa por alto: es del planificador de Go, que este servidor no tiene; con prof_port se sirve un perfil de la CPU")
            }
            Self::StoreIsTemporary(directory) => format!(
                "los flujos se guardan en el directorio temporal {directory}, que puede vaciarse al reiniciar la máquina; indica otro con store_dir"
            ),
        }
    }
}
