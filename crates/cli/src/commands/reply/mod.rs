//! `recado reply`: answers the requests on a subject, with what is built in, with a process for
//! each request, or with a pool of worker processes; and shows each with the time it took.
//!
//! The way of a request: [`answering`] takes it and hands it to the [`crew`], whose seats are
//! processes ([`exec`]), workers ([`pool`], [`frame`]) or [`threads`]; [`answering`] sends what
//! comes back. [`registration`] tells others that this responder exists.

mod answering;
mod built_in;
mod crew;
mod environment;
mod exec;
mod frame;
mod job;
mod pool;
mod program;
mod refusal;
mod registration;
mod threads;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Subscriber;
use clap::{ArgGroup, Args};

use answering::Answering;
use built_in::BuiltIn;
use crew::Crew;
use program::Program;
use registration::{Presented, Registration};

use crate::connect::{self, Session};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::payload::{self, Header};
use crate::service_api;
use crate::settings::Settings;
use crate::shown::Style;
use crate::span;
use crate::subject;
use crate::terminal;
use crate::text::{failures, help, serving as text, talk};

/// The queue group of responders that name none: each request is answered by one of them.
const QUEUE: &str = "recado";

/// The answers that need no process. Where one of them is given, what bounds processes makes no sense.
const BUILT_IN: [&str; 4] = ["echo", "text", "file", "time"];

/// How many processes or threads there may be.
const SEATS_MAX: usize = 1024;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_name = help::value_subject(), value_parser = subject::filter,
        help = help::reply_subject())]
    subject: String,
    #[command(flatten)]
    answer: AnswerArguments,
    #[arg(short = 'H', long = "header", value_name = help::value_header(),
        value_parser = payload::header, help = text::reply_header())]
    headers: Vec<Header>,
    #[arg(short, long, value_name = help::value_group(), default_value = QUEUE,
        value_parser = subject::queue, help = help::reply_queue())]
    queue: String,
    #[arg(long, conflicts_with = "queue", help = help::reply_all())]
    all: bool,
    #[arg(short, long, value_name = "N", value_parser = super::positive,
        help = help::reply_count())]
    count: Option<u64>,
    #[arg(short, long, conflicts_with = "json", help = text::reply_raw())]
    raw: bool,
    // Behind the rest, for what follows them stands under their headings.
    #[command(flatten)]
    work: WorkArguments,
    #[command(flatten)]
    service: ServiceArguments,
}

/// What is answered; exactly one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct AnswerArguments {
    #[arg(short, long, help = help::reply_echo())]
    echo: bool,
    #[arg(long, value_name = help::value_text(), help = help::reply_text())]
    text: Option<String>,
    #[arg(short, long, value_name = help::value_file(), help = text::reply_file())]
    file: Option<PathBuf>,
    #[arg(long, help = help::reply_time())]
    time: bool,
    #[arg(long, value_name = text::value_program(), num_args = 1.., allow_hyphen_values = true,
        help = text::reply_exec())]
    exec: Vec<OsString>,
}

/// How many work at a time, and within which bounds.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("crew").args(["exec", "threads"]).multiple(true))]
#[command(next_help_heading = text::heading_work())]
struct WorkArguments {
    #[arg(long, value_name = "N", value_parser = seats, conflicts_with_all = BUILT_IN,
        conflicts_with_all = ["threads", "concurrency"], help = text::reply_pool())]
    pool: Option<usize>,
    #[arg(long, value_name = "N", value_parser = seats, conflicts_with = "exec",
        help = text::reply_threads())]
    threads: Option<usize>,
    #[arg(long, value_name = "N", value_parser = seats, conflicts_with_all = BUILT_IN,
        default_value = "8", help = text::reply_concurrency())]
    concurrency: usize,
    #[arg(long, value_name = "N", value_parser = waiting, requires = "crew",
        default_value = "128", help = text::reply_waiting())]
    waiting: usize,
    #[arg(long, value_name = help::value_span(), value_parser = span::parse,
        conflicts_with_all = BUILT_IN, default_value = "4s", help = text::reply_deadline())]
    answer_deadline: Duration,
    #[arg(long, value_name = text::value_bytes(), value_parser = bytes_of_answer,
        conflicts_with_all = BUILT_IN, help = text::reply_output_max())]
    output_max: Option<usize>,
}

/// How the responder presents itself to `recado service`.
#[derive(Debug, Args)]
#[command(next_help_heading = text::heading_service())]
struct ServiceArguments {
    #[arg(long, value_name = help::value_name(), value_parser = service_name,
        help = text::reply_service())]
    service: Option<String>,
    #[arg(long, value_name = help::value_text(), help = text::reply_description())]
    description: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    // What can be found out without a server is.
    let answers = Answers::new(&arguments.answer)?;
    let mut session = connect::session(settings).await?;
    let requests = subscribe(&session, arguments).await?;
    session.can_do_without(service_api::PREFIX);
    let presented = arguments.presented(answers.name(arguments.work.pool.is_some()));
    let registration = Registration::new(&session.client, presented).await;
    let registration = registration.map_err(|_| session.closed())?;
    session.settle().await?;
    // Before the person is told that it answers: Ctrl-C must end it well from then on.
    let mut interrupt = Interrupt::new()?;
    let label = settings.label();
    terminal::notice(&match arguments.all {
        true => talk::answering_all(&arguments.subject, &label),
        false => talk::answering(&arguments.subject, &arguments.queue, &label),
    });
    let work = answers.work(&arguments.work, session.client.max_payload())?;
    let answering = Answering::new(
        answering::Manner {
            style: Style::of(as_json, arguments.raw, false),
            wanted: arguments.count,
            headers: payload::header_map(&arguments.headers),
            deadline: arguments.work.answer_deadline,
            // Whoever listens to everything is asked what only a service should answer.
            passes_discovery: arguments.takes_everything(),
        },
        work,
        registration,
    );
    answering.run(&mut session, requests, &mut interrupt).await
}

async fn subscribe(session: &Session, arguments: &Arguments) -> Result<Subscriber, Failure> {
    let subject = arguments.subject.clone();
    let subscribed = if arguments.all {
        session.client.subscribe(subject).await
    } else {
        let queue = arguments.queue.clone();
        session.client.queue_subscribe(subject, queue).await
    };
    let mut requests = subscribed.map_err(|_| session.closed())?;
    // The server stops by itself, so that the rest of the group gets what follows. It counts what
    // we pass over too, so here we count alone.
    if let Some(count) = arguments.count.filter(|_| !arguments.takes_everything()) {
        let stopped = requests.unsubscribe_after(count).await;
        stopped.map_err(|_| session.closed())?;
    }
    Ok(requests)
}

impl Arguments {
    /// Whether the discovery of services comes by here too.
    fn takes_everything(&self) -> bool {
        self.subject.starts_with(['*', '>'])
    }

    fn presented(&self, answers: &'static str) -> Presented {
        let ServiceArguments {
            service,
            description,
        } = &self.service;
        let name = service.clone();
        let description = description.clone();
        Presented {
            name: name.unwrap_or_else(|| registration::name_of(&self.subject)),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: description.unwrap_or_else(|| format!("recado reply, {answers}")),
            subject: self.subject.clone(),
            queue: if self.all {
                String::new()
            } else {
                self.queue.clone()
            },
            answers,
        }
    }
}

/// What answers, ready for use.
enum Answers {
    BuiltIn(BuiltIn),
    Program(Program),
}

impl Answers {
    fn new(arguments: &AnswerArguments) -> Result<Self, Failure> {
        Ok(match arguments {
            AnswerArguments {
                file: Some(path), ..
            } => Self::BuiltIn(BuiltIn::Content(payload::content_of(path)?.into())),
            AnswerArguments {
                text: Some(text), ..
            } => Self::BuiltIn(BuiltIn::Text(text.clone())),
            AnswerArguments { time: true, .. } => Self::BuiltIn(BuiltIn::Time),
            AnswerArguments { echo: true, .. } => Self::BuiltIn(BuiltIn::Echo),
            AnswerArguments { exec, .. } => Self::Program(Program::new(exec)?),
        })
    }

    /// As it stands in the service's metadata.
    fn name(&self, pool: bool) -> &'static str {
        match self {
            Self::BuiltIn(BuiltIn::Echo) => "echo",
            Self::BuiltIn(BuiltIn::Text(_)) => "text",
            Self::BuiltIn(BuiltIn::Content(_)) => "file",
            Self::BuiltIn(BuiltIn::Time) => "time",
            Self::Program(_) if pool => "pool",
            Self::Program(_) => "exec",
        }
    }

    /// Those who do it.
    fn work(
        self,
        arguments: &WorkArguments,
        max_payload: usize,
    ) -> Result<answering::Work, Failure> {
        let waiting = arguments.waiting;
        // What the server would not take need not be read.
        let output_bytes_max = arguments.output_max.unwrap_or(max_payload).min(max_payload);
        let crew = match (self, arguments) {
            (Self::BuiltIn(answer), WorkArguments { threads: None, .. }) => {
                return Ok(answering::Work::Here(answer));
            }
            (
                Self::BuiltIn(answer),
                WorkArguments {
                    threads: Some(count),
                    ..
                },
            ) => {
                let mut refused = None;
                let crew = Crew::new(*count, waiting, |seat, tasks| {
                    if let Err(error) = threads::occupy(answer.clone(), seat, tasks) {
                        refused = Some(error);
                    }
                });
                if let Some(error) = refused {
                    return Err(Failure::Local {
                        what: failures::machine_failed(&error.to_string()),
                        next: failures::machine_failed_next().to_owned(),
                    });
                }
                crew
            }
            (
                Self::Program(program),
                WorkArguments {
                    pool: Some(count), ..
                },
            ) => {
                let pool = Arc::new(pool::Pool {
                    program,
                    output_bytes_max,
                });
                Crew::new(*count, waiting, |seat, tasks| {
                    tasks.spawn(pool::occupy(Arc::clone(&pool), seat));
                })
            }
            (Self::Program(program), WorkArguments { concurrency, .. }) => {
                let exec = Arc::new(exec::Exec {
                    program,
                    output_bytes_max,
                });
                Crew::new(*concurrency, waiting, |seat, tasks| {
                    tasks.spawn(exec::occupy(Arc::clone(&exec), seat));
                })
            }
        };
        Ok(answering::Work::Crew(Box::new(crew)))
    }
}

/// A number of processes or threads.
fn seats(written: &str) -> Result<usize, String> {
    match written.parse() {
        Ok(number @ 1..=SEATS_MAX) => Ok(number),
        _ => Err(text::bad_seats(written, SEATS_MAX)),
    }
}

/// A number of requests that may wait, none included.
fn waiting(written: &str) -> Result<usize, String> {
    let number = super::count(written)?;
    usize::try_from(number).map_err(|error| error.to_string())
}

/// A number of bytes, also as `64K` or `2M` (powers of 1024).
fn bytes_of_answer(written: &str) -> Result<usize, String> {
    let bad = || text::bad_bytes(written);
    let digits = written.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: usize = match written[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1024,
        "M" | "MB" | "MIB" => 1024 * 1024,
        _ => return Err(bad()),
    };
    let number: usize = digits.parse().map_err(|_| bad())?;
    number.checked_mul(unit).ok_or_else(bad)
}

/// The name of a service, as discovery allows it.
fn service_name(written: &str) -> Result<String, String> {
    match service_api::is_name(written) {
        true => Ok(written.to_owned()),
        false => Err(text::bad_service_name(written)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_bounded_and_sizes_may_have_a_unit() {
        assert_eq!(seats("1024"), Ok(1024));
        for written in ["0", "1025", "-1", "x"] {
            assert!(seats(written).is_err(), "{written}");
        }
        assert_eq!(bytes_of_answer("10"), Ok(10));
        assert_eq!(bytes_of_answer("64k"), Ok(64 * 1024));
        assert_eq!(bytes_of_answer("2MiB"), Ok(2 * 1024 * 1024));
        for written in ["", "k", "1.5M", "1G", "-1", "99999999999999999999M"] {
            assert!(bytes_of_answer(written).is_err(), "{written}");
        }
    }
}
