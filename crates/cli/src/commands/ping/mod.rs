//! `recado ping`: how long the way to the server takes, step by step and there and back.
//!
//! Like ping(8), it goes on while the server is silent, and says at the end what was missed.

mod connects;
mod rounds;

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::connect;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::line::{Line, Steps};
use crate::settings::Settings;
use crate::span;
use crate::terminal::{Out, harmless};
use crate::text::{help as text_help, ping as text};

/// How many pings are sent when nothing is said about it.
const COUNT: u64 = 5;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(short, long, value_name = "N", value_parser = super::count, help = text::count())]
    count: Option<u64>,
    #[arg(short, long, value_name = text_help::value_span(), default_value = "1s",
        value_parser = span::parse, help = text::interval())]
    interval: Duration,
    #[arg(short, long, conflicts_with_all = ["interval", "connect"], help = text::flood())]
    flood: bool,
    #[arg(short, long, value_name = text_help::value_span(), value_parser = span::parse,
        help = text::duration())]
    duration: Option<Duration>,
    #[arg(long, help = text::connect())]
    connect: bool,
    #[arg(short, long, help = text::quiet())]
    quiet: bool,
}

impl Arguments {
    /// How many are to be sent; without end if none.
    fn count(&self) -> Option<u64> {
        match self.count {
            Some(0) => None,
            None if self.flood || self.duration.is_some() => None,
            given => Some(given.unwrap_or(COUNT)),
        }
    }
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    if arguments.connect {
        return connects::run(settings, arguments, as_json).await;
    }
    let mut line = connect::line(settings).await?;
    let mut out = Out::new();
    greet(&mut out, &line, as_json)?;
    out.flush()?;
    let mut interrupt = Interrupt::new()?;
    let mut rounds = rounds::Rounds::new(settings, arguments, out, as_json);
    let result = rounds.all(&mut line, &mut interrupt).await;
    rounds.sum_up(&line.address)?;
    result.and_then(|()| rounds.verdict())
}

/// Tells what was connected to, and how long each step took.
fn greet(out: &mut Out, line: &Line, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return out.json(&json!({
            "server": line.info.server_name,
            "version": line.info.version,
            "program": line.info.server,
            "program_version": line.info.server_version,
            "address": line.address,
            "connect": steps_json(line.steps),
        }));
    }
    out.line(&text::connected(
        &line.address,
        &harmless(&line.info.program()),
        &harmless(&line.info.server_name),
        &span::millis(line.steps.total()),
    ))?;
    let steps = out.dim(&format!("  {}", steps_shown(line.steps)));
    out.line(&steps)
}

/// The steps that were taken, each with its name; without TLS there is no such step.
fn named(steps: Steps) -> Vec<(&'static str, Duration)> {
    let mut named = vec![
        (text::step_resolve(), steps.resolve),
        (text::step_tcp(), steps.connect),
        (text::step_greeting(), steps.greeting),
    ];
    if !steps.tls.is_zero() {
        named.push((text::step_tls(), steps.tls));
    }
    named.push((text::step_authentication(), steps.authentication));
    named
}

fn steps_shown(steps: Steps) -> String {
    let steps: Vec<String> = named(steps)
        .into_iter()
        .map(|(step, took)| format!("{step} {}", span::millis(took)))
        .collect();
    steps.join(" · ")
}

fn steps_json(steps: Steps) -> Value {
    let mut object = json!({
        "total_ms": span::millis_number(steps.total()),
        "resolve_ms": span::millis_number(steps.resolve),
        "tcp_ms": span::millis_number(steps.connect),
        "greeting_ms": span::millis_number(steps.greeting),
        "authentication_ms": span::millis_number(steps.authentication),
    });
    if !steps.tls.is_zero() {
        object["tls_ms"] = json!(span::millis_number(steps.tls));
    }
    object
}
