//! `recado latency`: request and reply at a fixed rate, in an open loop.
//!
//! The requester ([`generator`]) and the responder ([`crate::echo`]) each have a connection and a thread
//! of their own; here they are started, watched and ended, and what they measured is shown and saved.

mod chart;
mod generator;
mod results;
mod save;
mod shown;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use tokio::task::JoinHandle;

use crate::amount;
use crate::direct::Direct;
use crate::echo::{self, Served};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress;
use crate::settings::Settings;
use crate::span;
use crate::subject;
use crate::terminal::{self, Out};
use crate::text::{failures, help as text_help, latency as text};
use crate::unique;
use generator::{Plan, Progress};
use results::Results;

/// The highest rate: what one thread can send and receive, one by one, is below it.
const RATE_MAX: u64 = 1_000_000;

/// The most requests of a run, warm-up included: eleven days at a thousand a second.
const REQUESTS_MAX: u64 = 1_000_000_000;

/// How often the progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_name = text_help::value_subject(), value_parser = subject::literal,
        help = text::subject())]
    subject: Option<String>,
    #[arg(long, requires = "subject", help = text::responder())]
    responder: bool,
    #[arg(long, value_name = text::value_rate(), default_value = "1000", value_parser = rate,
        help = text::rate())]
    rate: u64,
    #[arg(short, long, value_name = text_help::value_span(), default_value = "10s",
        value_parser = span::parse, help = text::duration())]
    duration: Duration,
    #[arg(long, value_name = text_help::value_span(), default_value = "1s",
        value_parser = span::parse, help = text::warm_up())]
    warm_up: Duration,
    #[arg(long, value_name = text::value_size(), default_value = "128",
        value_parser = amount::parse_size, help = text::size())]
    size: usize,
    #[arg(long, value_name = "N", default_value = "65536", value_parser = super::positive,
        help = text::outstanding())]
    outstanding: u64,
    #[arg(long, value_name = text_help::value_file(), value_parser = save::target,
        help = text::save())]
    save: Vec<PathBuf>,
}

fn rate(written: &str) -> Result<u64, String> {
    match amount::parse(written) {
        Ok(rate) if rate <= RATE_MAX => Ok(rate),
        _ => Err(text::bad_rate(written, &amount::show(RATE_MAX))),
    }
}

/// What was measured, under which conditions.
struct Report {
    results: Results,
    subject: String,
    server: String,
    program: String,
    own_subject: bool,
    own_responder: bool,
    rate: u64,
    duration: Duration,
    size: usize,
    outstanding_max: u64,
    limit: Duration,
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    let (warm_up, requests) = arguments.requests()?;
    let token = unique::token();
    let subject = match &arguments.subject {
        Some(subject) => subject.clone(),
        None => format!("recado.latency.{token}"),
    };
    let plan = Plan {
        inbox: settings.inbox(&token),
        subject: subject.clone(),
        rate: arguments.rate,
        warm_up,
        requests,
        size: arguments.size,
        outstanding_max: usize::try_from(arguments.outstanding).unwrap_or(usize::MAX),
        limit: settings.reply_limit(),
    };
    let mut interrupt = Interrupt::new()?;
    let connecting = connect(settings, arguments, &subject);
    let (requester, responder) = tokio::select! {
        () = interrupt.asked() => return Err(Failure::Interrupted),
        connected = connecting => connected?,
    };
    let server = requester.address.clone();
    let program = requester.program();
    if !as_json {
        let (rate, length) = (amount::show(arguments.rate), span::show(arguments.duration));
        terminal::notice(&text::begins(&subject, &server, &rate, &length));
    }
    let (results, outcome) = measure(requester, responder, plan, &mut interrupt, as_json).await?;
    let report = Report {
        results,
        subject,
        server,
        program,
        own_subject: arguments.subject.is_none(),
        own_responder: arguments.own_responder(),
        rate: arguments.rate,
        duration: arguments.duration,
        size: arguments.size,
        outstanding_max: arguments.outstanding,
        limit: settings.reply_limit(),
    };
    let mut out = Out::new();
    shown::show(&mut out, &report, as_json)?;
    for path in &arguments.save {
        save::save(path, &report)?;
        terminal::notice(&text::saved(&path.display().to_string()));
    }
    outcome?;
    report.verdict()
}

impl Arguments {
    fn own_responder(&self) -> bool {
        self.responder || self.subject.is_none()
    }

    /// How many are due during the warm-up, and how many after it.
    fn requests(&self) -> Result<(u64, u64), Failure> {
        let due = |length: Duration| (length.as_secs_f64() * self.rate as f64).round();
        let (warm_up, requests) = (due(self.warm_up), due(self.duration));
        if requests < 1.0 {
            return Err(Failure::Usage {
                what: text::too_short().to_owned(),
                next: text::too_short_next().to_owned(),
            });
        }
        if warm_up + requests > REQUESTS_MAX as f64 {
            let (all, most) = (
                format!("{:.0}", warm_up + requests),
                amount::show(REQUESTS_MAX),
            );
            return Err(Failure::Usage {
                what: text::too_many(&all, &most),
                next: text::too_many_next().to_owned(),
            });
        }
        Ok((warm_up as u64, requests as u64))
    }
}

impl Report {
    /// A failure if requests were lost.
    fn verdict(&self) -> Result<(), Failure> {
        let missing = self.results.missing();
        if missing == 0 {
            return Ok(());
        }
        let (lost, due) = (amount::show(missing), amount::show(self.results.due()));
        Err(Failure::Deadline {
            what: text::lost_some(&lost, &due, &span::show(self.limit)),
            next: text::lost_next().to_owned(),
        })
    }
}

/// Opens the connections: the requester's, and the responder's if it is ours.
async fn connect(
    settings: &Settings,
    arguments: &Arguments,
    subject: &str,
) -> Result<(Direct, Option<Direct>), Failure> {
    let requester = Direct::open(settings).await?;
    let limit = requester.info.max_payload;
    if arguments.size > limit {
        return Err(Failure::TooLarge {
            what: failures::too_large(&requester.address, arguments.size, limit),
        });
    }
    if !arguments.own_responder() {
        return Ok((requester, None));
    }
    let mut responder = Direct::open(settings).await?;
    let subjects = [subject.to_owned()];
    echo::listen(&mut responder, &subjects, None, settings.reply_limit())?;
    Ok((requester, Some(responder)))
}

/// Runs the measurement to its end, or until somebody ends it; then what was measured so far counts.
async fn measure(
    mut requester: Direct,
    responder: Option<Direct>,
    plan: Plan,
    interrupt: &mut Interrupt,
    as_json: bool,
) -> Result<(Results, Result<(), Failure>), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let stop_responder = Arc::new(AtomicBool::new(false));
    let progress = Arc::new(Progress::default());
    let bar = progress::bar(
        Some(plan.warm_up + plan.requests),
        text::progress(),
        as_json,
    );
    let responding: Option<JoinHandle<Result<(), Failure>>> = responder.map(|mut direct| {
        let stop = Arc::clone(&stop_responder);
        tokio::task::spawn_blocking(move || {
            echo::serve(&mut direct, &Served::default(), None, &stop)
        })
    });
    let mut asking = {
        let (stop, progress) = (Arc::clone(&stop), Arc::clone(&progress));
        tokio::task::spawn_blocking(move || generator::run(&mut requester, &plan, &progress, &stop))
    };
    let mut interrupted = false;
    let asked = loop {
        tokio::select! {
            asked = &mut asking => break asked,
            () = interrupt.asked(), if !interrupted => {
                interrupted = true;
                stop.store(true, Ordering::Relaxed);
            }
            () = tokio::time::sleep(LOOK_EVERY) => {
                let due = progress.due.load(Ordering::Relaxed);
                bar.set_position(due);
                bar.set_message(amount::show(due));
                // Without its responder there is nothing left to measure.
                if responding.as_ref().is_some_and(JoinHandle::is_finished) {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
    };
    bar.finish_and_clear();
    stop_responder.store(true, Ordering::Relaxed);
    let (results, mut outcome) = asked.map_err(|error| panicked(&error))?;
    if let Some(responding) = responding {
        let responded = responding.await.map_err(|error| panicked(&error))?;
        outcome = outcome.and(responded);
    }
    if interrupted {
        outcome = Err(Failure::Interrupted);
    }
    Ok((results, outcome))
}

fn panicked(error: &tokio::task::JoinError) -> Failure {
    Failure::Local {
        what: failures::machine_failed(&error.to_string()),
        next: failures::machine_failed_next().to_owned(),
    }
}
