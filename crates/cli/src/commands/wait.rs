//! `recado wait`: waits until a server answers, and responders are there; then becomes another program,
//! if one is named. It makes the order in which things are started stop mattering.
//!
//! A responder is looked for without making it work: by asking all services what they answer on
//! (ADR-32). The protocol has no question "is anybody listening there?" but a message itself, so
//! whoever is not a service shows only with `--probe`, which does send one.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::time::Duration;

use async_nats::{HeaderMap, StatusCode, Subscriber};
use clap::Args;
use futures_util::{FutureExt, StreamExt};
use serde_json::{Value, json};
use tokio::time::{Instant as Moment, sleep, timeout_at};

use crate::connect::{self, Session};
use crate::failure::Failure;
use crate::service_api::Verb;
use crate::settings::Settings;
use crate::span;
use crate::subject;
use crate::terminal::{self, Out};
use crate::text::{help as help_text, waiting as text};
use crate::waiting::Waiting;

/// How often it is looked whether a responder has appeared.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long a service may take to say what it answers on, before the next look.
const ANSWER_LIMIT: Duration = Duration::from_millis(500);

/// Marks the request of `--probe`, for responders that want to leave it aside.
const PROBE_HEADER: &str = "Recado-Probe";

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long, help = text::help_server_ready())]
    server_ready: bool,
    #[arg(long, value_name = help_text::value_subject(), value_parser = subject::literal,
        help = text::help_responder())]
    responder: Vec<String>,
    #[arg(long, requires = "responder", help = text::help_probe())]
    probe: bool,
    #[arg(short, long, help = text::help_quiet())]
    quiet: bool,
    #[arg(last = true, value_name = help_text::value_command(), help = text::help_command())]
    command: Vec<OsString>,
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    let start = Moment::now();
    let limit = settings.deadline.or(settings.timeout);
    let mut settings = settings.clone();
    (settings.retry, settings.deadline) = (true, limit);
    if arguments.responder.is_empty() {
        connect::line(&settings).await?;
    } else {
        let session = connect::session(&settings).await?;
        let looking = Looking {
            session,
            probe: arguments.probe,
            give_up: limit.map(|limit| (start + limit, limit)),
        };
        looking.all(&arguments.responder).await?;
    }
    report(&settings, arguments, start.elapsed(), as_json)?;
    become_command(&arguments.command)
}

/// The look for responders over a connection.
struct Looking {
    session: Session,
    probe: bool,
    /// When it ends without success, and after how long that is.
    give_up: Option<(Moment, Duration)>,
}

impl Looking {
    async fn all(mut self, subjects: &[String]) -> Result<(), Failure> {
        let mut waiting = Waiting::for_what(String::new());
        for subject in subjects {
            self.one(subject, &mut waiting).await?;
        }
        Ok(())
    }

    async fn one(&mut self, subject: &str, waiting: &mut Waiting) -> Result<(), Failure> {
        loop {
            let look = async {
                match self.probe {
                    true => self.listens(subject).await,
                    false => self.is_served(subject).await,
                }
            };
            if waiting.during(look).await? {
                return Ok(());
            }
            waiting.because(match self.probe {
                true => text::responder_missing(subject),
                false => text::service_missing(subject),
            });
            if let Some((moment, limit)) = self.give_up
                && Moment::now() + LOOK_EVERY > moment
            {
                terminal::notice(&text::gave_up(&span::show(limit)));
                return Err(Failure::NoResponders {
                    subject: subject.to_owned(),
                    server: self.session.label().to_owned(),
                });
            }
            waiting.during(sleep(LOOK_EVERY)).await;
        }
    }

    /// Whether a service says that it answers on the subject. Nobody has to work for that.
    async fn is_served(&mut self, subject: &str) -> Result<bool, Failure> {
        let subject_of_all = Verb::Info.subject(None, None);
        let mut answers = self.ask(subject_of_all, HeaderMap::new()).await?;
        let end = Moment::now() + ANSWER_LIMIT;
        loop {
            let answer = tokio::select! {
                biased;
                answer = timeout_at(end, answers.next()) => answer,
                trouble = self.session.trouble() => return Err(trouble),
            };
            match answer {
                Err(_) => return Ok(false),
                Ok(None) => return Err(self.session.closed()),
                Ok(Some(answer)) if answer.status == Some(StatusCode::NO_RESPONDERS) => {
                    return Ok(false);
                }
                Ok(Some(answer)) if serves(&answer.payload, subject) => return Ok(true),
                Ok(Some(_)) => {}
            }
        }
    }

    /// Whether anybody listens on the subject: they get an empty request.
    async fn listens(&mut self, subject: &str) -> Result<bool, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(PROBE_HEADER, "1");
        let mut answers = self.ask(subject.to_owned(), headers).await?;
        // The server works in order: "nobody" would have come before it has settled.
        self.session.settle().await?;
        let first = answers.next().now_or_never().flatten();
        Ok(first.is_none_or(|answer| answer.status != Some(StatusCode::NO_RESPONDERS)))
    }

    async fn ask(&self, subject: String, headers: HeaderMap) -> Result<Subscriber, Failure> {
        let client = &self.session.client;
        let inbox = client.new_inbox();
        let closed = || self.session.closed();
        let answers = client.subscribe(inbox.clone()).await;
        let answers = answers.map_err(|_| closed())?;
        let sent = match headers.is_empty() {
            true => client.publish_with_reply(subject, inbox, "".into()).await,
            false => {
                client
                    .publish_with_reply_and_headers(subject, inbox, headers, "".into())
                    .await
            }
        };
        sent.map_err(|_| closed())?;
        Ok(answers)
    }
}

/// Whether a service's description has an endpoint for the subject.
fn serves(description: &[u8], subject: &str) -> bool {
    let Ok(description) = serde_json::from_slice::<Value>(description) else {
        return false;
    };
    let endpoints = description["endpoints"].as_array();
    endpoints.is_some_and(|endpoints| {
        let subjects = endpoints
            .iter()
            .filter_map(|endpoint| endpoint["subject"].as_str());
        subjects
            .into_iter()
            .any(|filter| subject::covers(filter, subject))
    })
}

fn report(
    settings: &Settings,
    arguments: &Arguments,
    took: Duration,
    as_json: bool,
) -> Result<(), Failure> {
    if as_json {
        let mut out = Out::new();
        out.json(&json!({
            "server": settings.label(),
            "responders": arguments.responder,
            "waited_ms": span::millis_number(took),
        }))?;
        return out.flush();
    }
    if arguments.quiet {
        return Ok(());
    }
    let (label, took) = (settings.label(), span::show(took));
    terminal::notice(&match arguments.responder.is_empty() {
        true => text::server_ready(&label, &took),
        false => text::responder_ready(&arguments.responder.join(", "), &label, &took),
    });
    Ok(())
}

/// Becomes the command: the same process, so that signals reach it and its status is ours.
fn become_command(command: &[OsString]) -> Result<(), Failure> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(());
    };
    // It returns only if it failed.
    let error = std::process::Command::new(program).args(arguments).exec();
    Err(Failure::Local {
        what: text::command_failed(&program.to_string_lossy(), &error.to_string()),
        next: text::command_failed_next().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_the_subjects_of_its_endpoints() {
        let description = br#"{"name":"x","endpoints":[{"name":"e","subject":"orders.*"}]}"#;
        assert!(serves(description, "orders.new"));
        assert!(!serves(description, "orders"));
        assert!(!serves(b"{}", "orders.new"));
        assert!(!serves(b"no JSON", "orders.new"));
    }
}
