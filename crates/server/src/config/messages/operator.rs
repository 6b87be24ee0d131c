//! What can be wrong with operators, and with the accounts that they sign.

use recado_auth::jwt::{InvalidToken, TOKEN_BYTES_MAX};

use crate::config::locale::Lang;

/// What is wrong with operator mode.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the words of each are below")]
pub enum OperatorProblem {
    /// The token of an operator, an account or a user.
    BadToken {
        whose: Whose,
        why: InvalidToken,
    },
    Unreadable {
        path: String,
        error: String,
    },
    OtherAccount(String),
    /// The key that goes with operators only.
    WithoutOperator(String),
    /// What operators exclude.
    NotWithOperator(&'static str),
    OperatorAndKeys,
    NoResolver,
    BadResolver,
    /// What should be a URL of accounts is none.
    BadUrl,
    /// Warning: what a resolver by URL has no use for.
    NothingForResolver(String),
    /// A resolver that is asked keeps nothing.
    PreloadWithUrl,
    OnlyForKind {
        key: String,
        kind: &'static str,
    },
    DeleteFirst,
    SentinelSigns,
    OtherSystemAccount(String),
    NewerServer {
        wanted: String,
        version: &'static str,
    },
}

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names are below")]
pub enum Whose {
    Operator,
    Account,
    User,
}

impl Whose {
    fn name(self, lang: Lang) -> &'static str {
        match (lang, self) {
            (Lang::En, Self::Operator) => "an operator",
            (Lang::En, Self::Account) => "an account",
            (Lang::En, Self::User) => "a user",
            (Lang::Es, Self::Operator) => "un operador",
            (Lang::Es, Self::Account) => "una cuenta",
            (Lang::Es, Self::User) => "un usuario",
        }
    }
}

impl OperatorProblem {
    pub(super) fn text(&self, lang: Lang) -> String {
        match lang {
            Lang::En => self.english(),
            Lang::Es => self.spanish(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::BadToken { whose, why } => format!(
                "this is not the JWT of {}: {why}; export it again, with nsc for example",
                whose.name(Lang::En)
            ),
            Self::Unreadable { path, error } => {
                format!("can't read the JWT in {path}: {error}")
            }
            Self::OtherAccount(key) => format!(
                "this is the JWT of another account, {key}; put it under its own key"
            ),
            Self::WithoutOperator(key) => {
                format!("\"{key}\" goes with an operator; name one (operator), or remove the key")
            }
            Self::NotWithOperator(what) => format!(
                "operators sign accounts and users, so there are no {what} in the configuration; remove them, or the operator"
            ),
            Self::OperatorAndKeys => {
                "there is an operator and there are trusted_keys; keep one of the two".into()
            }
            Self::NoResolver => {
                "an operator needs a resolver, which says where accounts are found; write resolver: MEMORY and resolver_preload, or resolver { type: full, dir: … }".into()
            }
            Self::BadResolver => {
                "a resolver is MEMORY, URL(https://…), or a block { type: full, dir: … }".into()
            }
            Self::BadUrl => {
                "the URL of a resolver is http://HOST:PORT/PATH/ or https://…, and an account's key is put behind it".into()
            }
            Self::NothingForResolver(key) => format!(
                "\"{key}\" changes nothing where accounts are asked for: only a resolver by URL (https) uses resolver_tls, and of it cert_file, key_file, ca_file, min_version, cipher_suites and curve_preferences"
            ),
            Self::PreloadWithUrl => {
                "resolver_preload does not go with a resolver by URL, which keeps nothing; remove it, or let the URL have the accounts".into()
            }
            Self::OnlyForKind { key, kind } => {
                format!("\"{key}\" is for resolvers of type {kind}; remove it")
            }
            Self::DeleteFirst => {
                "hard_delete says nothing without allow_delete; add that, or remove it".into()
            }
            Self::SentinelSigns => {
                "the default_sentinel must be a bearer token, for nobody could sign with it".into()
            }
            Self::OtherSystemAccount(key) => {
                format!("the operator's system account is {key}; name that one, or none")
            }
            Self::NewerServer { wanted, version } => format!(
                "the operator asks for a nats-server of version {wanted} or newer, and this server does what {version} does"
            ),
        }
    }

    fn spanish(&self) -> String {
        match self {
            Self::BadToken { whose, why } => format!(
                "esto no es el JWT de {}: {}; expórtalo otra vez, por ejemplo con nsc",
                whose.name(Lang::Es),
                token_in_spanish(why)
            ),
            Self::Unreadable { path, error } => {
                format!("no se puede leer el JWT de {path}: {error}")
            }
            Self::OtherAccount(key) => {
                format!("este es el JWT de otra cuenta, {key}; ponlo bajo su propia clave")
            }
            Self::WithoutOperator(key) => format!(
                "\"{key}\" va con un operador; indica uno (operator) o quita la clave"
            ),
            Self::NotWithOperator(what) => format!(
                "los operadores firman cuentas y usuarios, así que en la configuración no hay {what}; quítalos, o quita el operador"
            ),
            Self::OperatorAndKeys => {
                "hay un operador y hay trusted_keys; deja uno de los dos".into()
            }
            Self::NoResolver => {
                "un operador necesita un resolver, que dice dónde están las cuentas; escribe resolver: MEMORY y resolver_preload, o resolver { type: full, dir: … }".into()
            }
            Self::BadResolver => {
                "un resolver es MEMORY, URL(https://…) o un bloque { type: full, dir: … }".into()
            }
            Self::BadUrl => {
                "la URL de un resolver es http://HOST:PUERTO/RUTA/ o https://…, y detrás se pone la clave de la cuenta".into()
            }
            Self::NothingForResolver(key) => format!(
                "\"{key}\" no cambia nada al preguntar por cuentas: solo un resolver por URL (https) usa resolver_tls, y de él cert_file, key_file, ca_file, min_version, cipher_suites y curve_preferences"
            ),
            Self::PreloadWithUrl => {
                "resolver_preload no va con un resolver por URL, que no guarda nada; quítalo, o pon las cuentas en la URL".into()
            }
            Self::OnlyForKind { key, kind } => {
                format!("\"{key}\" es para resolvers de tipo {kind}; quítalo")
            }
            Self::DeleteFirst => {
                "hard_delete no dice nada sin allow_delete; añádelo, o quita hard_delete".into()
            }
            Self::SentinelSigns => {
                "el default_sentinel debe ser un token al portador (bearer), pues nadie podría firmar con él".into()
            }
            Self::OtherSystemAccount(key) => {
                format!("la cuenta de sistema del operador es {key}; indica esa, o ninguna")
            }
            Self::NewerServer { wanted, version } => format!(
                "el operador pide un nats-server de versión {wanted} o posterior, y este servidor hace lo que hace {version}"
            ),
        }
    }
}

fn token_in_spanish(why: &InvalidToken) -> String {
    match why {
        InvalidToken::Malformed => "no es un JWT".into(),
        InvalidToken::TooLarge(bytes) => {
            format!("tiene {bytes} bytes, y como mucho pueden ser {TOKEN_BYTES_MAX}")
        }
        InvalidToken::Algorithm => "su algoritmo no es ed25519-nkey".into(),
        InvalidToken::Version(version) => {
            format!(
                "es de la versión {version}, no de la 2; fírmalo otra vez con una herramienta actual"
            )
        }
        InvalidToken::Kind(kind) => format!("es de tipo \"{kind}\""),
        InvalidToken::Signature => "su firma no es de la clave que nombra".into(),
        InvalidToken::Subject => "su sujeto no es una clave pública del tipo debido".into(),
        InvalidToken::Expired => "ha caducado".into(),
        InvalidToken::NotYet => "aún no es válido".into(),
        InvalidToken::NotTrusted => "no lo firma un operador de confianza".into(),
        InvalidToken::Older(issued, known) => {
            format!(
                "ya se conocen datos más nuevos de la cuenta: estos son de {issued}, aquellos de {known}"
            )
        }
        // Particulars come in the words of the protocol.
        InvalidToken::Invalid(why) => format!("no es coherente ({why})"),
    }
}
