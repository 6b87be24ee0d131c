//! What can be wrong with the text of a configuration file.

use super::Message;
use crate::config::lang::{DEPTH_MAX, INCLUDES_MAX, TEXT_BYTES_MAX, VALUES_MAX};
use crate::config::locale::Lang;

/// What surrounds a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    /// The file itself.
    File,
    /// `{ … }`
    Map,
    /// `[ … ]`
    Array,
    /// The value of an environment variable.
    Variable,
}

/// What is not the configuration language, or probably not what was meant.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the words of each are below")]
pub enum SyntaxProblem {
    NotAKey(char),
    UnclosedKey,
    NoValue(String),
    ValueOnNextLine(String),
    EmptyValue,
    AfterValue {
        found: char,
        inside: Inside,
    },
    Unclosed(char),
    UnclosedString,
    UnclosedBlock,
    SurplusBrace,
    BadEscape(Option<char>),
    BadHex(String),
    EscapesNotUtf8,
    BadNumber(String),
    NumberTooLarge(String),
    FloatNeedsDigit(String),
    BadDatetime(String),
    QuoteInWord,
    VariableUnnamed,
    VariableUnset(String),
    VariableCycle(String),
    VariableValue {
        name: String,
        problem: Box<Message>,
    },
    IncludeWithoutFile,
    IncludeCycle(String),
    TooManyIncludes,
    Unreadable {
        path: String,
        error: String,
    },
    NotUtf8 {
        path: String,
        line: usize,
    },
    Nul,
    TooDeep,
    TooManyValues,
    TooMuchText,
    /// Warning.
    BraceClosesNothing,
    /// Warning.
    BraceNotClosed,
    /// Warning.
    WrittenTwice {
        key: String,
        first_line: u32,
    },
}

impl SyntaxProblem {
    pub(super) fn text(&self, lang: Lang) -> String {
        match lang {
            Lang::En => self.english(),
            Lang::Es => self.spanish(),
        }
    }

    /// Whether the text is wrong: not so for warnings, and for a file that was never read.
    fn is_in_the_text(&self) -> bool {
        !matches!(
            self,
            Self::BraceClosesNothing
                | Self::BraceNotClosed
                | Self::WrittenTwice { .. }
                | Self::Unreadable { .. }
        )
    }

    fn english(&self) -> String {
        let what = match self {
            Self::NotAKey(found) => format!(
                "expected a key, found '{}'; remove it, or put the key in quotes",
                found
            ),
            Self::UnclosedKey => "the quotes around this key are never closed".into(),
            Self::NoValue(key) => format!("\"{key}\" has no value; write \"{key}: VALUE\""),
            Self::ValueOnNextLine(key) => {
                format!("\"{key}\" has no value; its value must start on the same line")
            }
            Self::EmptyValue => "a value is missing here; write \"\" for an empty one".into(),
            Self::AfterValue { found, inside } => {
                match inside {
                    Inside::File => format!("found '{found}' after a value; end the value with a new line, \",\" or \";\", or put all of it in quotes"),
                    Inside::Map => format!("found '{found}' after a value; end the value with a new line, \",\", \";\" or \"}}\", or put all of it in quotes"),
                    Inside::Array => format!("found '{found}' after a value of a list; separate values with \",\" or a new line and end the list with \"]\""),
                    Inside::Variable => format!("found '{found}' after the value; quote the whole value inside the variable"),
                }
            }
            Self::Unclosed(open) => format!("this '{open}' is never closed; add the '{}'", closing(*open)),
            Self::UnclosedString => "the quotes that open here are never closed".into(),
            Self::UnclosedBlock => "this '(' is never closed; put a ')' alone at the start of a line".into(),
            Self::SurplusBrace => "this '}' closes nothing; remove it, add the '{' that is missing above, or put the value that it belongs to in quotes".into(),
            Self::BadEscape(found) => format!(
                "'\\{}' is no escape; those are \\xHH \\t \\n \\r \\\" \\\\ (between single quotes a '\\' means itself)",
                found.map(String::from).unwrap_or_default()
            ),
            Self::BadHex(found) => format!("expected two hexadecimal digits after \\x, found \"{}\"", found),
            Self::EscapesNotUtf8 => "the \\x escapes in this value do not make UTF-8 text".into(),
            Self::BadNumber(word) => format!("\"{word}\" is not a number; put text that starts with '-' in quotes"),
            Self::NumberTooLarge(word) => format!("{word} is too large; numbers have 64 bits"),
            Self::FloatNeedsDigit(word) => format!("numbers start with a digit; write 0{word}"),
            Self::BadDatetime(word) => format!("\"{word}\" is not a time like 2026-01-31T12:00:00Z; put other text in quotes"),
            Self::QuoteInWord => "there is a ' in a word without quotes; put all of it in double quotes".into(),
            Self::VariableUnnamed => "a variable is written $NAME, without braces; put other text that starts with '$' in quotes".into(),
            Self::VariableUnset(name) => format!("the variable ${name} is neither a key above nor set in the environment; define it before it is used, or put text that starts with '$' in quotes"),
            Self::VariableCycle(name) => format!("the environment variable {name} refers to itself"),
            Self::VariableValue { name, problem } => format!("in the environment variable {name}: {}", inner(problem, Lang::En)),
            Self::IncludeWithoutFile => "\"include\" needs the name of a file".into(),
            Self::IncludeCycle(path) => format!("{path} includes itself; remove one of the includes"),
            Self::TooManyIncludes => format!("more than {INCLUDES_MAX} files are included"),
            Self::Unreadable { path, error } => format!("can't read {path}: {error}"),
            Self::NotUtf8 { path, line } => format!("{path} is not UTF-8 text (line {line})"),
            Self::Nul => "there is a NUL byte in the file; save it as plain text".into(),
            Self::TooDeep => format!("blocks, lists, includes and variables are nested more than {DEPTH_MAX} deep"),
            Self::TooManyValues => format!("with all variables written out there are more than {VALUES_MAX} values; look for variables that refer to each other"),
            Self::TooMuchText => format!("with all variables written out there are more than {} MiB of text; look for variables that refer to each other", TEXT_BYTES_MAX >> 20),
            Self::BraceClosesNothing => "this '}' closes nothing".into(),
            Self::BraceNotClosed => "this '{' around the whole file is never closed".into(),
            Self::WrittenTwice { key, first_line } => format!("\"{key}\" was already given on line {first_line}; this value takes its place"),
        };
        if self.is_in_the_text() {
            format!("Parse error: {what}")
        } else {
            what
        }
    }

    fn spanish(&self) -> String {
        let what = match self {
            Self::NotAKey(found) => format!(
                "se esperaba una clave y hay '{}'; quítalo o pon la clave entre comillas",
                found
            ),
            Self::UnclosedKey => "las comillas de esta clave no se cierran".into(),
            Self::NoValue(key) => format!("\"{key}\" no tiene valor; escribe \"{key}: VALOR\""),
            Self::ValueOnNextLine(key) => {
                format!("\"{key}\" no tiene valor; el valor debe empezar en la misma línea")
            }
            Self::EmptyValue => "aquí falta un valor; escribe \"\" si debe estar vacío".into(),
            Self::AfterValue { found, inside } => {
                match inside {
                    Inside::File => format!("hay '{found}' después de un valor; termínalo con un salto de línea, \",\" o \";\", o ponlo todo entre comillas"),
                    Inside::Map => format!("hay '{found}' después de un valor; termínalo con un salto de línea, \",\", \";\" o \"}}\", o ponlo todo entre comillas"),
                    Inside::Array => format!("hay '{found}' después de un valor de la lista; separa los valores con \",\" o un salto de línea y cierra la lista con \"]\""),
                    Inside::Variable => format!("hay '{found}' después del valor; pon comillas alrededor de todo el valor dentro de la variable"),
                }
            }
            Self::Unclosed(open) => format!("este '{open}' no se cierra; añade el '{}'", closing(*open)),
            Self::UnclosedString => "las comillas que se abren aquí no se cierran".into(),
            Self::UnclosedBlock => "este '(' no se cierra; pon un ')' solo al principio de una línea".into(),
            Self::SurplusBrace => "este '}' no cierra nada; quítalo, añade el '{' que falta más arriba o pon entre comillas el valor del que forma parte".into(),
            Self::BadEscape(found) => format!(
                "'\\{}' no es una secuencia de escape; las que hay son \\xHH \\t \\n \\r \\\" \\\\ (entre comillas simples, '\\' se toma tal cual)",
                found.map(String::from).unwrap_or_default()
            ),
            Self::BadHex(found) => format!("se esperaban dos cifras hexadecimales después de \\x y hay \"{}\"", found),
            Self::EscapesNotUtf8 => "las secuencias \\x de este valor no forman texto UTF-8".into(),
            Self::BadNumber(word) => format!("\"{word}\" no es un número; un texto que empieza por '-' va entre comillas"),
            Self::NumberTooLarge(word) => format!("{word} es demasiado grande; los números tienen 64 bits"),
            Self::FloatNeedsDigit(word) => format!("los números empiezan por una cifra; escribe 0{word}"),
            Self::BadDatetime(word) => format!("\"{word}\" no es una hora como 2026-01-31T12:00:00Z; otro texto va entre comillas"),
            Self::QuoteInWord => "hay un ' en una palabra sin comillas; ponla entera entre comillas dobles".into(),
            Self::VariableUnnamed => "una variable se escribe $NOMBRE, sin llaves; otro texto que empieza por '$' va entre comillas".into(),
            Self::VariableUnset(name) => format!("la variable ${name} no es una clave anterior ni está en el entorno; defínela antes de usarla, o pon entre comillas un texto que empieza por '$'"),
            Self::VariableCycle(name) => format!("la variable de entorno {name} se refiere a sí misma"),
            Self::VariableValue { name, problem } => format!("en la variable de entorno {name}: {}", inner(problem, Lang::Es)),
            Self::IncludeWithoutFile => "\"include\" necesita el nombre de un archivo".into(),
            Self::IncludeCycle(path) => format!("{path} se incluye a sí mismo; quita uno de los include"),
            Self::TooManyIncludes => format!("se incluyen más de {INCLUDES_MAX} archivos"),
            Self::Unreadable { path, error } => format!("no se puede leer {path}: {error}"),
            Self::NotUtf8 { path, line } => format!("{path} no es texto UTF-8 (línea {line})"),
            Self::Nul => "hay un byte NUL en el archivo; guárdalo como texto sin formato".into(),
            Self::TooDeep => format!("hay más de {DEPTH_MAX} niveles de bloques, listas, include y variables, unos dentro de otros"),
            Self::TooManyValues => format!("con todas las variables desarrolladas hay más de {VALUES_MAX} valores; busca variables que se refieran unas a otras"),
            Self::TooMuchText => format!("con todas las variables desarrolladas hay más de {} MiB de texto; busca variables que se refieran unas a otras", TEXT_BYTES_MAX >> 20),
            Self::BraceClosesNothing => "este '}' no cierra nada".into(),
            Self::BraceNotClosed => "este '{' alrededor de todo el archivo no se cierra".into(),
            Self::WrittenTwice { key, first_line } => format!("\"{key}\" ya estaba en la línea {first_line}; vale este último valor"),
        };
        if self.is_in_the_text() {
            format!("Error de sintaxis: {what}")
        } else {
            what
        }
    }
}

/// A problem inside another: its own "Parse error" would be one too many.
fn inner(problem: &Message, lang: Lang) -> String {
    let text = problem.text(lang);
    let prefix = match lang {
        Lang::En => "Parse error: ",
        Lang::Es => "Error de sintaxis: ",
    };
    text.strip_prefix(prefix).unwrap_or(&text).to_owned()
}

fn closing(open: char) -> char {
    if open == '[' { ']' } else { '}' }
}
