//! `recado completions`: the script by which a shell completes recado's command lines.

use clap::Args;

use crate::completion;
use crate::failure::Failure;
use crate::terminal::Out;
use crate::text::completions as text;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_name = text::value_shell(), help = text::shell())]
    shell: String,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut out = Out::new();
    out.bytes(&completion::script(&arguments.shell)?)?;
    out.flush()
}
