//! What can be wrong with users, permissions and accounts.

use recado_auth::{InvalidPermissions, KeyKind, RULES_MAX};

use crate::config::access::Kind;
use crate::config::locale::Lang;

/// What is wrong with who may connect, or with what accounts share.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the words of each are below")]
pub enum AccessProblem {
    UserWithoutName,
    NkeyWithPassword,
    /// The account.
    DomainOfSystem(String),
    DomainBesideStreams(String),
    DomainChangesNothing(String),
    UserTwice(String),
    UsersAndSingle,
    UnknownUser {
        name: String,
        nearest: Option<String>,
    },
    BadNkey {
        value: String,
        kind: KeyKind,
    },
    BadPermission(InvalidPermissions),
    ReservedAccount(String),
    AccountTwice(String),
    UnknownAccount {
        name: String,
        nearest: Option<String>,
    },
    BadSubject(String),
    NotLiteral(String),
    /// These keys.
    Missing(&'static str),
    StreamAndService,
    OnlyForServices(String),
    OnlyForStreams(String),
    /// A service that gives several answers is to be measured.
    SeveralAnswersMeasured,
    PrefixAndTo,
    BadPosition {
        position: usize,
        subject: String,
    },
    NotExported {
        exporter: String,
        importer: String,
        kind: Kind,
        subject: String,
    },
    ImportNames {
        subject: String,
        to: String,
        /// The protocol's words.
        why: String,
    },
    ImportTwice(String),
    ImportCycle(Vec<String>),
    TooManyImports(usize),
    BadMapping {
        source: String,
        dest: String,
        /// The protocol's words.
        why: String,
    },
    DestinationTwice(String),
    WeightsAbove100(String),
    BadPercent {
        key: String,
        min: u8,
    },
    /// Warning: the key.
    EmptyAllow(String),
    /// Warning.
    TraceNowhere,
}

impl AccessProblem {
    pub(super) fn text(&self, lang: Lang) -> String {
        match lang {
            Lang::En => self.english(),
            Lang::Es => self.spanish(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::UserWithoutName => {
                "a user needs a name (user) or a public key (nkey); add one of the two".into()
            }
            Self::NkeyWithPassword => {
                "a user with an nkey has no name and no password; remove them, or the nkey".into()
            }
            Self::DomainOfSystem(account) => format!(
                "account \"{account}\" is the system's and can't have a default domain; remove it from default_js_domain"
            ),
            Self::DomainBesideStreams(account) => format!(
                "account \"{account}\" has JetStream itself, and a default domain; remove it from default_js_domain, or its jetstream"
            ),
            Self::DomainChangesNothing(account) => format!(
                "a default domain for account \"{account}\", which has all streams, changes nothing; it is ignored"
            ),
            Self::UserTwice(name) => {
                format!("user \"{name}\" is there twice; rename or remove one of the two")
            }
            Self::UsersAndSingle => {
                "there are users, and also a token or a single user with a password; keep one of the two ways".into()
            }
            Self::UnknownUser { name, nearest } => format!(
                "there is no user \"{name}\"; {}",
                meant(Lang::En, nearest.as_ref())
            ),
            Self::BadNkey { value, kind } => format!(
                "\"{value}\" is not the public key of {}",
                kind_of_key(Lang::En, *kind)
            ),
            Self::BadPermission(why) => why.to_string(),
            Self::ReservedAccount(name) => format!(
                "\"{name}\" is the account of those that belong to no other; give this one another name"
            ),
            Self::AccountTwice(name) => {
                format!("account \"{name}\" is there twice; remove one of the two")
            }
            Self::UnknownAccount { name, nearest } => format!(
                "there is no account \"{name}\"; {}",
                meant(Lang::En, nearest.as_ref())
            ),
            Self::BadSubject(subject) => format!(
                "\"{subject}\" is not a subject; it has no blanks, no empty parts between dots, and \">\" only at the end"
            ),
            Self::NotLiteral(subject) => {
                format!("\"{subject}\" is not a subject without wildcards")
            }
            Self::Missing(keys) => format!("here {keys} is missing; add it"),
            Self::StreamAndService => {
                "it is either a stream or a service; make two entries of it".into()
            }
            Self::OnlyForServices(key) => {
                format!("\"{key}\" is for services; remove it from this stream")
            }
            Self::OnlyForStreams(key) => {
                format!("\"{key}\" is for streams; remove it from this service")
            }
            Self::SeveralAnswersMeasured => {
                "only a service that gives one answer is measured; remove \"latency\" or \"response_type\""
                    .into()
            }
            Self::PrefixAndTo => "there is a prefix and a \"to\"; keep one of the two".into(),
            Self::BadPosition { position, subject } => format!(
                "token {position} of \"{subject}\" must be a \"*\", which stands for the importing account"
            ),
            Self::NotExported {
                exporter,
                importer,
                kind,
                subject,
            } => {
                let kind = match kind {
                    Kind::Stream => "stream",
                    Kind::Service => "service",
                };
                format!(
                    "account \"{exporter}\" does not export the {kind} \"{subject}\" to \"{importer}\"; add it to the exports of \"{exporter}\""
                )
            }
            Self::ImportNames { subject, to, why } => format!(
                "\"{subject}\" can't be called \"{to}\" here ({why}); use every wildcard once, as * or $1"
            ),
            Self::ImportTwice(subject) => {
                format!("\"{subject}\" is imported twice; remove one of the two")
            }
            Self::ImportCycle(accounts) => format!(
                "these imports lead in a circle, {}; rename or remove one of them",
                accounts.join(" → ")
            ),
            Self::TooManyImports(max) => {
                format!("an account has at most {max} imports; use wildcards")
            }
            Self::BadMapping { source, dest, why } => {
                format!("\"{source}\" can't become \"{dest}\": {why}")
            }
            Self::DestinationTwice(dest) => {
                format!("\"{dest}\" is there twice; add up the weights in one entry")
            }
            Self::WeightsAbove100(source) => {
                format!("the weights for \"{source}\" are more than 100 together; lower one")
            }
            Self::BadPercent { key, min } => {
                format!("\"{key}\" must be from {min} to 100, like 20 or \"20%\"")
            }
            Self::EmptyAllow(key) => format!(
                "an empty \"{key}\" allows everything, as in nats-server; to allow nothing write deny: \">\""
            ),
            Self::TraceNowhere => "without a dest nothing is traced; add one".into(),
        }
    }

    fn spanish(&self) -> String {
        match self {
            Self::UserWithoutName => {
                "un usuario necesita un nombre (user) o una clave pública (nkey); añade uno de los dos".into()
            }
            Self::NkeyWithPassword => {
                "un usuario con nkey no lleva nombre ni contraseña; quítalos, o quita la nkey".into()
            }
            Self::DomainOfSystem(account) => format!(
                "la cuenta \"{account}\" es la del sistema y no puede tener un dominio predeterminado; quítala de default_js_domain"
            ),
            Self::DomainBesideStreams(account) => format!(
                "la cuenta \"{account}\" tiene JetStream y también un dominio predeterminado; quítala de default_js_domain o quítale jetstream"
            ),
            Self::DomainChangesNothing(account) => format!(
                "un dominio predeterminado para la cuenta \"{account}\", que tiene todos los flujos, no cambia nada; se pasa por alto"
            ),
            Self::UserTwice(name) => format!(
                "el usuario \"{name}\" está dos veces; cambia el nombre de uno o quítalo"
            ),
            Self::UsersAndSingle => {
                "hay usuarios, y también un token o un usuario único con contraseña; deja una de las dos formas".into()
            }
            Self::UnknownUser { name, nearest } => format!(
                "no hay ningún usuario \"{name}\"; {}",
                meant(Lang::Es, nearest.as_ref())
            ),
            Self::BadNkey { value, kind } => format!(
                "\"{value}\" no es la clave pública de {}",
                kind_of_key(Lang::Es, *kind)
            ),
            Self::BadPermission(why) => permission_in_spanish(why),
            Self::ReservedAccount(name) => format!(
                "\"{name}\" es la cuenta de quienes no están en ninguna otra; ponle otro nombre a esta"
            ),
            Self::AccountTwice(name) => {
                format!("la cuenta \"{name}\" está dos veces; quita una de las dos")
            }
            Self::UnknownAccount { name, nearest } => format!(
                "no hay ninguna cuenta \"{name}\"; {}",
                match nearest {
                    None => "añádela o pon otra".to_owned(),
                    nearest => meant(Lang::Es, nearest.as_ref()),
                }
            ),
            Self::BadSubject(subject) => format!(
                "\"{subject}\" no es un asunto; no lleva blancos ni partes vacías entre puntos, y \">\" solo al final"
            ),
            Self::NotLiteral(subject) => format!("\"{subject}\" no es un asunto sin comodines"),
            Self::Missing(keys) => format!("aquí falta {keys}; añádelo"),
            Self::StreamAndService => {
                "es un flujo (stream) o un servicio (service), no ambos; haz dos entradas".into()
            }
            Self::OnlyForServices(key) => {
                format!("\"{key}\" es para servicios; quítalo de este flujo")
            }
            Self::OnlyForStreams(key) => {
                format!("\"{key}\" es para flujos; quítalo de este servicio")
            }
            Self::SeveralAnswersMeasured => {
                "solo se mide un servicio que da una respuesta; quita \"latency\" o \"response_type\""
                    .into()
            }
            Self::PrefixAndTo => "hay un prefix y un \"to\"; deja uno de los dos".into(),
            Self::BadPosition { position, subject } => format!(
                "la parte {position} de \"{subject}\" debe ser un \"*\", que representa la cuenta que importa"
            ),
            Self::NotExported {
                exporter,
                importer,
                kind,
                subject,
            } => {
                let kind = match kind {
                    Kind::Stream => "el flujo",
                    Kind::Service => "el servicio",
                };
                format!(
                    "la cuenta \"{exporter}\" no exporta {kind} \"{subject}\" a \"{importer}\"; añádelo a los exports de \"{exporter}\""
                )
            }
            Self::ImportNames { subject, to, why } => format!(
                "\"{subject}\" no puede llamarse \"{to}\" aquí ({why}); usa cada comodín una vez, como * o $1"
            ),
            Self::ImportTwice(subject) => {
                format!("\"{subject}\" se importa dos veces; quita una de las dos")
            }
            Self::ImportCycle(accounts) => format!(
                "estas importaciones dan la vuelta, {}; cambia el nombre de una o quítala",
                accounts.join(" → ")
            ),
            Self::TooManyImports(max) => {
                format!("una cuenta tiene como mucho {max} importaciones; usa comodines")
            }
            Self::BadMapping { source, dest, why } => {
                format!("\"{source}\" no puede convertirse en \"{dest}\": {why}")
            }
            Self::DestinationTwice(dest) => {
                format!("\"{dest}\" está dos veces; suma los pesos en una sola entrada")
            }
            Self::WeightsAbove100(source) => {
                format!("los pesos de \"{source}\" suman más de 100; baja alguno")
            }
            Self::BadPercent { key, min } => {
                format!("\"{key}\" debe estar entre {min} y 100, como 20 o \"20%\"")
            }
            Self::EmptyAllow(key) => format!(
                "un \"{key}\" vacío lo permite todo, como en nats-server; para no permitir nada escribe deny: \">\""
            ),
            Self::TraceNowhere => "sin un dest no se sigue ningún mensaje; añade uno".into(),
        }
    }
}

/// What to do about a name that nobody has.
fn meant(lang: Lang, nearest: Option<&String>) -> String {
    match (lang, nearest) {
        (Lang::En, Some(nearest)) => format!("did you mean \"{nearest}\"?"),
        (Lang::En, None) => "add it, or name another".into(),
        (Lang::Es, Some(nearest)) => format!("¿querías decir \"{nearest}\"?"),
        (Lang::Es, None) => "añádelo o pon otro".into(),
    }
}

fn kind_of_key(lang: Lang, kind: KeyKind) -> &'static str {
    let (english, spanish) = match kind {
        KeyKind::Operator => (
            "an operator; it begins with O",
            "un operador; empieza por O",
        ),
        KeyKind::Account => ("an account; it begins with A", "una cuenta; empieza por A"),
        KeyKind::User => ("a user; it begins with U", "un usuario; empieza por U"),
        KeyKind::Server => ("a server; it begins with N", "un servidor; empieza por N"),
        KeyKind::Curve => ("an xkey; it begins with X", "una xkey; empieza por X"),
        KeyKind::Other => ("anybody that signs", "nadie que firme"),
    };
    match lang {
        Lang::En => english,
        Lang::Es => spanish,
    }
}

fn permission_in_spanish(why: &InvalidPermissions) -> String {
    match why {
        InvalidPermissions::Subject(rule) => format!(
            "el permiso \"{rule}\" no es un asunto válido; escribe partes separadas por puntos, como \"pedidos.*\""
        ),
        InvalidPermissions::QueueForPublish(rule) => format!(
            "el permiso \"{rule}\" nombra un grupo de cola, y eso solo lo pueden los permisos de suscripción; deja solo el asunto"
        ),
        InvalidPermissions::TooManyWords(rule) => format!(
            "el permiso \"{rule}\" tiene más que un asunto y un grupo de cola; escribe \"asunto grupo\""
        ),
        InvalidPermissions::TooMany(count) => format!(
            "{count} reglas en una lista de permisos, y como mucho son {RULES_MAX}; usa comodines"
        ),
    }
}
