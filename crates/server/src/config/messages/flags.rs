//! What can be wrong with a command line.

use super::Feature;
use crate::config::locale::Lang;

/// What is wrong with the command line.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the words of each are below")]
pub enum FlagProblem {
    UnknownFlag {
        flag: String,
        nearest: Option<String>,
    },
    UnknownCommand {
        word: String,
        nearest: Option<String>,
    },
    NotText(String),
    NotYet {
        flag: String,
        feature: Feature,
    },
    NeedsValue(String),
    NotBoolean {
        flag: String,
        value: String,
    },
    NotInteger {
        flag: String,
        value: String,
    },
    NotSize {
        flag: String,
        value: String,
    },
    CheckWithoutConfig,
    UnknownSignal(String),
    CommandWithFlags(String),
    TokenSubcommand,
    /// `completions` without one of these shells behind it.
    CompletionsShell(String),
    /// `init` with more than one directory.
    InitWords,
    /// A name of a user or host that can't be one.
    BadName {
        flag: String,
        name: String,
    },
    /// More names than are taken.
    TooManyNames {
        flag: String,
        most: usize,
    },
    /// `explain-config` with more than one file.
    ExplainWords,
    /// `man` with something other than one directory.
    ManualDirectory,
    TokenFileCount,
    /// `verify` without a directory, or with more than one.
    VerifyDirectory,
    /// `verify --salvage` into the store itself.
    SalvageInPlace(String),
    TokenFileExists(String),
    FileFailed {
        path: String,
        error: String,
    },
    /// Warning.
    SecretOnCommandLine(String),
}

impl FlagProblem {
    pub(super) fn text(&self, lang: Lang) -> String {
        match lang {
            Lang::En => self.english(),
            Lang::Es => self.spanish(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::UnknownFlag {
                flag,
                nearest: Some(nearest),
            } => format!("there is no flag {flag}; did you mean {nearest}?"),
            Self::UnknownFlag {
                flag,
                nearest: None,
            } => format!("there is no flag {flag}; --help shows those there are"),
            Self::UnknownCommand {
                word,
                nearest: Some(nearest),
            } => format!("unrecognized command: \"{word}\"; did you mean \"{nearest}\"?"),
            Self::UnknownCommand {
                word,
                nearest: None,
            } => format!("unrecognized command: \"{word}\"; --help shows those there are"),
            Self::NotText(flag) => format!("the value of {flag} is not UTF-8 text"),
            Self::NotYet { flag, feature } => format!(
                "{flag}: this version of recado-server does not have {} yet; leave the flag out to start without",
                feature.name(Lang::En)
            ),
            Self::NeedsValue(flag) => format!("{flag} needs a value"),
            Self::NotBoolean { flag, value } => format!("{flag} is true or false, not \"{value}\""),
            Self::NotInteger { flag, value } => format!("{flag} takes an integer, not \"{value}\""),
            Self::NotSize { flag, value } => format!(
                "{flag} takes a number of bytes such as 1000000, 10MB or 1GiB, not \"{value}\""
            ),
            Self::CheckWithoutConfig => {
                "-t checks a configuration file; name it with -c FILE".into()
            }
            Self::UnknownSignal(word) => {
                format!("there is no signal \"{word}\"; it is one of ldm, stop, quit, term, reopen")
            }
            Self::CommandWithFlags(word) => {
                format!("\"{word}\" does not go with the flags before it; leave them out")
            }
            Self::TokenSubcommand => "write: token new [FILE] [--force] [--print]".into(),
            Self::CompletionsShell(shells) => format!("write: completions {shells}"),
            Self::ManualDirectory => "write: man [DIR]".into(),
            Self::ExplainWords => "write: [FLAGS] explain-config [FILE] [--json]".into(),
            Self::InitWords => {
                "write: init [DIR] [--users NAME,NAME…] [--host NAME,NAME…] [--no-tls]".into()
            }
            Self::BadName { flag, name } => format!("{flag}: \"{name}\" can't be a name"),
            Self::TooManyNames { flag, most } => format!("{flag} takes {most} names at the most"),
            Self::TokenFileCount => "\"token new\" takes one file".into(),
            Self::VerifyDirectory => {
                "write: verify DIR [--salvage NEW] [--key-file FILE] [--json]".into()
            }
            Self::SalvageInPlace(path) => format!(
                "--salvage copies what is whole out of {path}; name another directory, which is not there yet"
            ),
            Self::TokenFileExists(path) => format!(
                "{path} is there already; name another file, or take its place with --force"
            ),
            Self::FileFailed { path, error } => format!("can't write {path}: {error}"),
            Self::SecretOnCommandLine(flag) => format!(
                "other users of this machine can read the value of {flag} in the list of processes; --token-file FILE keeps it to yourself"
            ),
        }
    }

    fn spanish(&self) -> String {
        match self {
            Self::UnknownFlag {
                flag,
                nearest: Some(nearest),
            } => format!("no existe la opción {flag}; ¿querías decir {nearest}?"),
            Self::UnknownFlag {
                flag,
                nearest: None,
            } => format!("no existe la opción {flag}; --help muestra las que hay"),
            Self::UnknownCommand {
                word,
                nearest: Some(nearest),
            } => format!("orden desconocida: \"{word}\"; ¿querías decir \"{nearest}\"?"),
            Self::UnknownCommand {
                word,
                nearest: None,
            } => format!("orden desconocida: \"{word}\"; --help muestra las que hay"),
            Self::NotText(flag) => format!("el valor de {flag} no es texto UTF-8"),
            Self::NotYet { flag, feature } => format!(
                "{flag}: esta versión de recado-server aún no tiene {}; quita la opción para arrancar sin ello",
                feature.name(Lang::Es)
            ),
            Self::NeedsValue(flag) => format!("{flag} necesita un valor"),
            Self::NotBoolean { flag, value } => format!("{flag} es true o false, no \"{value}\""),
            Self::NotInteger { flag, value } => {
                format!("{flag} lleva un número entero, no \"{value}\"")
            }
            Self::NotSize { flag, value } => {
                format!("{flag} lleva un número de bytes como 1000000, 10MB o 1GiB, no \"{value}\"")
            }
            Self::CheckWithoutConfig => {
                "-t comprueba un archivo de configuración; indícalo con -c ARCHIVO".into()
            }
            Self::UnknownSignal(word) => {
                format!("no existe la señal \"{word}\"; puede ser ldm, stop, quit, term o reopen")
            }
            Self::CommandWithFlags(word) => {
                format!("\"{word}\" no va con las opciones que lo preceden; quítalas")
            }
            Self::TokenSubcommand => "escribe: token new [ARCHIVO] [--force] [--print]".into(),
            Self::CompletionsShell(shells) => format!("escribe: completions {shells}"),
            Self::ManualDirectory => "escribe: man [DIR]".into(),
            Self::ExplainWords => "escribe: [OPCIONES] explain-config [ARCHIVO] [--json]".into(),
            Self::InitWords => {
                "escribe: init [DIR] [--users NOMBRE,NOMBRE…] [--host NOMBRE,NOMBRE…] [--no-tls]"
                    .into()
            }
            Self::BadName { flag, name } => format!("{flag}: \"{name}\" no puede ser un nombre"),
            Self::TooManyNames { flag, most } => format!("{flag} lleva {most} nombres como mucho"),
            Self::TokenFileCount => "\"token new\" lleva un solo archivo".into(),
            Self::VerifyDirectory => {
                "escribe: verify DIR [--salvage NUEVO] [--key-file ARCHIVO] [--json]".into()
            }
            Self::SalvageInPlace(path) => format!(
                "--salvage copia fuera de {path} lo que está entero; indica otro directorio, que aún no exista"
            ),
            Self::TokenFileExists(path) => {
                format!("{path} ya existe; indica otro archivo o sustitúyelo con --force")
            }
            Self::FileFailed { path, error } => {
                format!("no se puede escribir {path}: {error}")
            }
            Self::SecretOnCommandLine(flag) => format!(
                "otros usuarios de esta máquina pueden ver el valor de {flag} en la lista de procesos; con --token-file ARCHIVO queda solo para ti"
            ),
        }
    }
}
