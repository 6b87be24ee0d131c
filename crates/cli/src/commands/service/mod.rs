//! `recado service`: finds the services that answer (ADR-32) and asks them what they are and what
//! they have done. Services written with any NATS library are found alike.

mod census;
mod shown;

use clap::{Args, ValueEnum};

use crate::connect;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::service_api::{self, Verb};
use crate::settings::Settings;
use crate::terminal::Out;
use crate::text::{help, service as text, serving};

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_enum, value_name = "ls|info|stats|ping", hide_possible_values = true,
        display_order = 1, help = text::question())]
    question: Question,
    #[arg(value_name = help::value_name(), value_parser = name, display_order = 2,
        help = text::name())]
    name: Option<String>,
    #[arg(value_name = "ID", value_parser = id, display_order = 3, help = text::id())]
    id: Option<String>,
}

/// What is wanted of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Question {
    /// A table of them.
    #[value(alias = "list")]
    Ls,
    /// What each is.
    Info,
    /// What each has done.
    Stats,
    /// Whether they are there.
    Ping,
}

impl Question {
    fn verb(self) -> Verb {
        match self {
            Self::Ls | Self::Info => Verb::Info,
            Self::Stats => Verb::Stats,
            Self::Ping => Verb::Ping,
        }
    }
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    let mut session = connect::session(settings).await?;
    let mut interrupt = Interrupt::new()?;
    let asked = census::Asked {
        verb: arguments.question.verb(),
        name: arguments.name.as_deref(),
        id: arguments.id.as_deref(),
        limit: settings.timeout,
    };
    let found = tokio::select! {
        () = interrupt.asked() => return Err(Failure::Interrupted),
        found = census::take(&mut session, &asked) => found?,
    };
    if found.is_empty() {
        return Err(Failure::NoService {
            name: arguments.name.clone(),
        });
    }
    let mut out = Out::new();
    match arguments.question {
        _ if as_json => shown::json(&mut out, &found)?,
        Question::Ls => shown::list(&mut out, &found)?,
        Question::Info => shown::info(&mut out, &found)?,
        Question::Stats => shown::stats(&mut out, &found)?,
        Question::Ping => shown::ping(&mut out, &found)?,
    }
    out.flush()
}

fn name(written: &str) -> Result<String, String> {
    match service_api::is_name(written) {
        true => Ok(written.to_owned()),
        false => Err(serving::bad_service_name(written)),
    }
}

/// Any token of a subject.
fn id(written: &str) -> Result<String, String> {
    let token = crate::subject::literal(written)?;
    match token.contains('.') {
        true => Err(text::bad_id(written)),
        false => Ok(token),
    }
}
