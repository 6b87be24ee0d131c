//! What was found wrong with a configuration, and where it was written. The words are in
//! [`messages`](super::messages): nothing here knows a language.

use std::fmt;
use std::sync::Arc;

use super::locale::Lang;
use super::messages::Message;
use crate::visible::visible;

/// Where something was written. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// File as it was named, or `$NAME` for a value that came from the environment.
    pub file: Arc<str>,
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One error or warning about the configuration file or the command line.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Where it is; `None` for the command line and for what concerns several places.
    pub place: Option<Place>,
    /// What is wrong and what to do.
    pub message: Message,
    /// The `include`s that led to the file, the nearest first.
    pub included_from: Box<[Place]>,
}

impl Fault {
    /// A fault at a place in a file.
    pub fn at(place: &Place, message: impl Into<Message>) -> Self {
        Self {
            place: Some(place.clone()),
            message: message.into(),
            included_from: Box::default(),
        }
    }

    /// A fault that no line of a file is to blame for.
    pub fn anywhere(message: impl Into<Message>) -> Self {
        Self {
            place: None,
            message: message.into(),
            included_from: Box::default(),
        }
    }

    /// The file that it is in was included there, too.
    pub(super) fn included_in(&mut self, place: Place) {
        let mut places = std::mem::take(&mut self.included_from).into_vec();
        places.push(place);
        self.included_from = places.into();
    }

    /// One line for people: `file:line:column: what is wrong; what to do`. What is quoted from a file
    /// or the command line can't end the line or take hold of a terminal.
    pub fn text(&self, lang: Lang) -> String {
        let mut line = match &self.place {
            Some(place) => format!("{place}: {}", self.message.text(lang)),
            None => self.message.text(lang),
        };
        for place in &self.included_from {
            let from = match lang {
                Lang::En => "included from",
                Lang::Es => "incluido desde",
            };
            line.push_str(&format!(" ({from} {place})"));
        }
        visible(&line)
    }
}

/// The English text, for logs and for errors that a program passes on.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::messages::SyntaxProblem;

    #[test]
    fn what_is_quoted_from_a_file_stays_on_its_line() {
        let place = Place {
            file: "odd\nname".into(),
            line: 1,
            column: 2,
        };
        let key = "a\r\n\u{1b}[2J\u{2028}\u{202e}é".to_owned();
        let mut fault = Fault::at(&place, SyntaxProblem::NoValue(key));
        fault.included_in(place);
        for lang in [Lang::En, Lang::Es] {
            let text = fault.text(lang);
            assert!(!text.contains(char::is_control), "{text:?}");
            assert!(text.starts_with("odd\\nname:1:2: "), "{text}");
            assert!(
                text.contains("\"a\\r\\n\\u{1b}[2J\\u{2028}\\u{202e}é\""),
                "{text}"
            );
            assert!(text.contains(" odd\\nname:1:2)"), "{text}");
        }
    }
}
