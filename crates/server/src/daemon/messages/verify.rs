//! What `verify` says about a store.

use std::path::PathBuf;

use super::{Pair, choose};
use crate::config::Lang;

/// Something to tell about a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyText {
    /// This version has no means to check it.
    NotPossible {
        /// Directory of the store.
        directory: PathBuf,
    },
}

impl VerifyText {
    /// The text, in one line.
    pub fn text(&self, lang: Lang) -> String {
        choose(lang, self.pair())
    }

    fn pair(&self) -> Pair {
        match self {
            Self::NotPossible { directory } => (
                format!(
                    "can't check {}: this version of recado-server can't verify a store yet",
                    directory.display()
                ),
                format!(
                    "no se puede comprobar {}: esta versión de recado-server aún no sabe comprobar \
                     lo guardado",
                    directory.display()
                ),
            ),
        }
    }
}
