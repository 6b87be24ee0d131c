//! `recado bench`: how much goes through a server, and what it costs.
//!
//! The clients are sockets driven without blocking by a few threads ([`worker`]), which write frames made
//! ready beforehand ([`traffic`]) and count what arrives ([`counter`]): the server has to be the bottleneck.
//! What is told is what was delivered, never what was merely sent.

mod counter;
mod machine;
mod measured;
mod plan;
mod publisher;
mod requester;
mod run;
mod shared;
mod shown;
mod subscriber;
mod traffic;
mod versus;
mod worker;

use std::time::Duration;

use clap::Args;

use crate::amount;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::settings::Settings;
use crate::shown as shown_parts;
use crate::span;
use crate::subject;
use crate::terminal::{self, Out};
use crate::text::{bench as text, help as text_help};
use measured::Measured;
use plan::{Kind, Plan};

/// How often each server is measured when two are compared.
const ROUNDS_VERSUS: u64 = 3;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_enum, value_name = text::value_kind(), help = text::kind())]
    kind: Kind,
    #[arg(value_name = text_help::value_subject(), value_parser = subject::filter,
        help = text::subject())]
    subjects: Vec<String>,
    #[arg(short, long, value_name = "N", default_value = "1", value_parser = super::positive,
        help = text::clients())]
    clients: u64,
    #[arg(long, value_name = "N", value_parser = super::positive, help = text::subscribers())]
    subscribers: Option<u64>,
    #[arg(long, value_name = "N", value_parser = super::count, help = text::responders())]
    responders: Option<u64>,
    #[arg(short, long, value_name = "N", value_parser = amount::parse, help = text::msgs())]
    msgs: Option<u64>,
    #[arg(long, value_name = crate::text::latency::value_size(), default_value = "128",
        value_parser = amount::parse_size, help = text::size())]
    size: usize,
    #[arg(short, long, value_name = text_help::value_span(), value_parser = span::parse,
        help = text::duration())]
    duration: Option<Duration>,
    #[arg(long = "subjects", value_name = "N", value_parser = super::positive,
        help = text::each())]
    each: Option<u64>,
    #[arg(short, long, value_name = text_help::value_group(), value_parser = subject::queue,
        help = text::queue())]
    queue: Option<String>,
    /// Another server; `main` makes settings of it, with the credentials of this run.
    #[arg(long = "vs", value_name = "URL", help = text::versus())]
    pub(crate) versus: Option<String>,
    #[arg(long, value_name = "N", value_parser = super::positive, help = text::rounds())]
    rounds: Option<u64>,
    #[arg(long, conflicts_with = "json", help = text::csv())]
    csv: bool,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Human,
    Json,
    Csv,
}

/// Runs the command; `versus` is the server to compare with.
pub(crate) async fn run(
    settings: &Settings,
    versus: Option<&Settings>,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    let plan = Plan::new(arguments, settings)?;
    let style = match (as_json, arguments.csv) {
        (true, _) => Style::Json,
        (_, true) => Style::Csv,
        _ => Style::Human,
    };
    let rounds = arguments
        .rounds
        .unwrap_or(versus.map_or(1, |_| ROUNDS_VERSUS));
    let mut bench = Bench {
        plan,
        style,
        out: Out::new(),
        rounds,
        one: Vec::new(),
        other: Vec::new(),
    };
    let mut interrupt = Interrupt::new()?;
    if style == Style::Csv {
        machine::csv_head(&mut bench.out)?;
    }
    let result = bench.all(settings, versus, &mut interrupt).await;
    if rounds > 1 && !bench.one.is_empty() && style != Style::Csv {
        let as_json = style == Style::Json;
        versus::show(&mut bench.out, &bench.one, &bench.other, as_json)?;
    }
    bench.out.flush()?;
    result?;
    bench.verdict()
}

struct Bench {
    plan: Plan,
    style: Style,
    out: Out,
    rounds: u64,
    one: Vec<Measured>,
    other: Vec<Measured>,
}

impl Bench {
    async fn all(
        &mut self,
        settings: &Settings,
        versus: Option<&Settings>,
        interrupt: &mut Interrupt,
    ) -> Result<(), Failure> {
        for round in 1..=self.rounds {
            if self.rounds > 1 && self.style == Style::Human {
                terminal::notice(&text::round(round, self.rounds));
            }
            self.turn(settings, round, interrupt, false).await?;
            if let Some(versus) = versus {
                self.turn(versus, round, interrupt, true).await?;
            }
        }
        Ok(())
    }

    /// Measures one server once, and shows it.
    async fn turn(
        &mut self,
        settings: &Settings,
        round: u64,
        interrupt: &mut Interrupt,
        is_other: bool,
    ) -> Result<(), Failure> {
        let quiet = self.style != Style::Human;
        let ready = || {
            if !quiet {
                terminal::notice(&announcement(&self.plan, settings));
            }
        };
        let ran = run::once(settings, &self.plan, interrupt, quiet, ready).await?;
        match self.style {
            Style::Human => shown::show(&mut self.out, &ran.measured)?,
            Style::Csv => machine::csv(&mut self.out, round, &ran.measured)?,
            Style::Json => self.out.json(&machine::json_of(round, &ran.measured))?,
        }
        self.out.flush()?;
        match is_other {
            false => self.one.push(ran.measured),
            true => self.other.push(ran.measured),
        }
        ran.outcome
    }

    /// A failure if anything was lost in any round.
    fn verdict(&self) -> Result<(), Failure> {
        let lost: u64 = self.one.iter().chain(&self.other).map(Measured::lost).sum();
        if lost == 0 {
            return Ok(());
        }
        Err(Failure::Deadline {
            what: text::lost_some(&amount::show(lost)),
            next: text::lost_some_next().to_owned(),
        })
    }
}

/// What is about to be measured.
fn announcement(plan: &Plan, settings: &Settings) -> String {
    let length = match (plan.messages, plan.duration) {
        (Some(messages), _) => text::length_messages(&amount::show(messages)),
        (None, Some(length)) => span::show(length),
        (None, None) => text::length_none().to_owned(),
    };
    let (title, subjects) = (shown::title(plan.kind), plan.shown_subjects());
    let label = settings.label();
    match plan.kind {
        Kind::Sub | Kind::Reply => text::begins_listening(title, &subjects, &label, &length),
        _ => {
            let size = shown_parts::size(plan.size as u64);
            text::begins(title, &subjects, &size, &label, &length)
        }
    }
}
