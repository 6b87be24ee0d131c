//! Asking all services at once: who answers, what, and after how long.
//!
//! Nobody knows how many there are. The end comes when nobody has answered for a while, at once
//! when the server says that there is nobody, or with the one that was asked for by its id.

use std::time::{Duration, Instant};

use async_nats::StatusCode;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::timeout_at;

use crate::connect::Session;
use crate::failure::Failure;
use crate::service_api::Verb;
use crate::terminal;
use crate::text::service as text;

/// How long the first answer may take, when `--timeout` says nothing.
const FIRST: Duration = Duration::from_secs(2);

/// How long after an answer another one is waited for.
const ANOTHER: Duration = Duration::from_millis(500);

/// How many answers are taken: a limit to memory, far above what a screen can show.
const ANSWERS_MAX: usize = 100_000;

/// What is asked, and of whom.
pub(crate) struct Asked<'a> {
    pub(crate) verb: Verb,
    pub(crate) name: Option<&'a str>,
    pub(crate) id: Option<&'a str>,
    /// How long it may take in all.
    pub(crate) limit: Option<Duration>,
}

/// A service's answer.
pub(crate) struct Found {
    pub(crate) answer: Value,
    pub(crate) took: Duration,
}

impl Found {
    /// A text of the answer; empty if it has none of that name.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.answer[key].as_str().unwrap_or_default()
    }

    /// The endpoints, none if it says nothing about them.
    pub(crate) fn endpoints(&self) -> &[Value] {
        self.answer["endpoints"]
            .as_array()
            .map_or(&[], Vec::as_slice)
    }
}

/// Asks, and gathers the answers, sorted by name and id.
pub(crate) async fn take(session: &mut Session, asked: &Asked<'_>) -> Result<Vec<Found>, Failure> {
    let inbox = session.client.new_inbox();
    let answers = session.client.subscribe(inbox.clone()).await;
    let mut answers = answers.map_err(|_| session.closed())?;
    let subject = asked.verb.subject(asked.name, asked.id);
    let start = Instant::now();
    let sent = session
        .client
        .publish_with_reply(subject, inbox, "".into())
        .await;
    sent.map_err(|_| session.closed())?;
    let mut found = Vec::new();
    let last = tokio::time::Instant::now() + asked.limit.unwrap_or(FIRST);
    let mut end = last;
    while found.len() < ANSWERS_MAX {
        let answer = tokio::select! {
            biased;
            answer = timeout_at(end, answers.next()) => answer,
            trouble = session.trouble() => return Err(trouble),
        };
        let message = match answer {
            Err(_) => break,
            Ok(None) => return Err(session.closed()),
            Ok(Some(message)) => message,
        };
        let took = start.elapsed();
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            break;
        }
        match serde_json::from_slice(&message.payload) {
            Ok(answer @ Value::Object(_)) => found.push(Found { answer, took }),
            _ => terminal::notice(text::not_understood()),
        }
        if asked.id.is_some() {
            break;
        }
        let another = tokio::time::Instant::now() + ANOTHER;
        end = if asked.limit.is_some() {
            another.min(last)
        } else {
            another
        };
    }
    found.sort_by(|a, b| (a.text("name"), a.text("id")).cmp(&(b.text("name"), b.text("id"))));
    Ok(found)
}
