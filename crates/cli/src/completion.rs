//! Completion of command lines by the shell: its script asks this program, which knows all commands
//! and options, and the contexts there are just now.

use std::ffi::OsStr;

use clap::{Command, CommandFactory};
use clap_complete::env::{CompleteEnv, Shells};
use clap_complete::{ArgValueCompleter, CompletionCandidate};

use crate::args::Cli;
use crate::contexts::Folder;
use crate::failure::Failure;
use crate::text::{completions as text, failures};

/// The variable by which the script says that it asks.
const VARIABLE: &str = "RECADO_COMPLETE";

/// Answers and ends, if it is the shell's script that asks.
pub(crate) fn answer() {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// The script for a shell.
pub(crate) fn script(shell: &str) -> Result<Vec<u8>, Failure> {
    let shells = Shells::builtins();
    let Some(shell) = shells.completer(shell) else {
        return Err(Failure::Usage {
            what: text::unknown_shell(shell),
            next: text::unknown_shell_next(&names()),
        });
    };
    let mut script = Vec::new();
    let written = shell.write_registration(VARIABLE, "recado", "recado", "recado", &mut script);
    written.map_err(|error| Failure::Local {
        what: failures::output_failed(&error.to_string()),
        next: failures::output_failed_next().to_owned(),
    })?;
    Ok(script)
}

/// The shells there is a script for.
pub(crate) fn names() -> String {
    Shells::builtins().names().collect::<Vec<_>>().join(", ")
}

/// Completes the name of a context.
pub(crate) fn contexts() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let typed = typed.to_string_lossy();
        let names = Folder::find().and_then(|folder| folder.names().ok());
        let names = names.unwrap_or_default().into_iter();
        names
            .filter(|name| name.starts_with(&*typed))
            .map(CompletionCandidate::new)
            .collect()
    })
}

fn command() -> Command {
    Cli::command()
}
