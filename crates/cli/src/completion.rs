//! Completion of command lines by the shell: its script asks this program, which knows all commands
//! and options, and the contexts there are just now.

use std::ffi::OsStr;
use std::time::Duration;

use clap::{Command, CommandFactory, Parser};
use clap_complete::env::{CompleteEnv, Shells};
use clap_complete::{ArgValueCompleter, CompletionCandidate};

use crate::args::Cli;
use crate::connect;
use crate::contexts::Folder;
use crate::errors;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::api;
use crate::settings::Settings;
use crate::text::explained::Kind;
use crate::text::{completions as text, failures};

/// The variable by which the script says that it asks.
const VARIABLE: &str = "RECADO_COMPLETE";

/// How long a person who pressed the key waits for names that a server knows.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

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

/// Completes the name of a stream.
pub(crate) fn streams() -> ArgValueCompleter {
    named_with("")
}

/// Completes the name of a bucket of keys.
pub(crate) fn buckets() -> ArgValueCompleter {
    named_with("KV_")
}

/// Completes the name of a bucket of objects.
pub(crate) fn stores() -> ArgValueCompleter {
    named_with("OBJ_")
}

/// Completes the number of an error, or the first words of one that has none.
pub(crate) fn errors() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let typed = typed.to_string_lossy().to_lowercase();
        let offered = errors::all().map(|one| match one.kind {
            Kind::Api { .. } => (one.key(), one.title()),
            _ => (one.title().to_owned(), one.title()),
        });
        offered
            .filter(|(value, _)| value.to_lowercase().starts_with(&typed))
            .map(|(value, help)| CompletionCandidate::new(value).help(Some(help.into())))
            .collect()
    })
}

/// Completes what is left of the names of the streams that begin like this.
fn named_with(prefix: &'static str) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_string_lossy();
        let names = stream_names().unwrap_or_default().into_iter();
        names
            .filter_map(|name| name.strip_prefix(prefix).map(str::to_owned))
            .filter(|name| name.starts_with(&*typed))
            .map(CompletionCandidate::new)
            .collect()
    })
}

/// The streams of the server that is used without options, if it answers soon.
fn stream_names() -> Option<Vec<String>> {
    let cli = Cli::try_parse_from(["recado", "--timeout", "500ms", "help"]).ok()?;
    let settings = Settings::new(&cli.global).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    runtime.block_on(async {
        let names = async {
            let mut session = connect::session(&settings).await.ok()?;
            let about = About::Streams;
            let body = serde_json::json!({});
            let found = api::all(&mut session, "STREAM.NAMES", body, "streams", &about).await;
            found.ok().map(|found| found.entries)
        };
        let names = tokio::time::timeout(ANSWER_WITHIN, names).await.ok()??;
        let name = |name: serde_json::Value| name.as_str().map(str::to_owned);
        Some(names.into_iter().filter_map(name).collect())
    })
}

fn command() -> Command {
    Cli::command()
}
