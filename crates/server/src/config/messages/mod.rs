//! Every text of configuration and command line that people read, in every language there is.
//!
//! A message is a value with its particulars; its words are chosen when it is shown. Each language
//! is one `match` without a catch-all, so a message without words does not compile.

mod access;
mod explain;
mod flags;
mod help;
mod keys;
mod manual;
mod operator;
mod syntax;
mod transport;

pub use access::AccessProblem;
pub(super) use explain::{shown_text, source_text};
pub use flags::FlagProblem;
pub use help::{Notice, help, help_tls};
pub use keys::{Feature, KeyProblem, Kind};
pub(super) use manual::{Headings, file_page, headings, program_page};
pub use operator::{OperatorProblem, Whose};
pub use syntax::{Inside, SyntaxProblem};
pub use transport::TransportProblem;

use super::locale::Lang;

/// Something to tell about configuration: what is wrong and what to do about it.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// The file is not in the configuration language.
    Syntax(SyntaxProblem),
    /// A key or its value.
    Key(KeyProblem),
    /// Users, permissions and accounts.
    Access(AccessProblem),
    /// Operators and what they sign.
    Operator(OperatorProblem),
    /// The command line.
    Flag(FlagProblem),
}

impl Message {
    /// The words, in a language.
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Syntax(problem) => problem.text(lang),
            Self::Key(problem) => problem.text(lang),
            Self::Access(problem) => problem.text(lang),
            Self::Operator(problem) => problem.text(lang),
            Self::Flag(problem) => problem.text(lang),
        }
    }
}

impl From<SyntaxProblem> for Message {
    fn from(problem: SyntaxProblem) -> Self {
        Self::Syntax(problem)
    }
}

impl From<KeyProblem> for Message {
    fn from(problem: KeyProblem) -> Self {
        Self::Key(problem)
    }
}

impl From<AccessProblem> for Message {
    fn from(problem: AccessProblem) -> Self {
        Self::Access(problem)
    }
}

impl From<OperatorProblem> for Message {
    fn from(problem: OperatorProblem) -> Self {
        Self::Operator(problem)
    }
}

impl From<FlagProblem> for Message {
    fn from(problem: FlagProblem) -> Self {
        Self::Flag(problem)
    }
}
