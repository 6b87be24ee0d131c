//! Publishing into a stream: done when the server says that the message is stored.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::{HeaderMap, StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::about::About;
use super::api;
use super::trouble;
use crate::connect::Session;
use crate::failure::Failure;
use crate::span;
use crate::text::{failures, jetstream as text};

/// The header that makes a publish conditional on the last message of its subject.
pub(crate) const EXPECTED_LAST: &str = "Nats-Expected-Last-Subject-Sequence";
/// The header by which a stream knows a message that it has already.
pub(crate) const MESSAGE_ID: &str = "Nats-Msg-Id";
/// The header that removes older messages.
pub(crate) const ROLLUP: &str = "Nats-Rollup";

/// What the server says about a message that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ack {
    pub(crate) stream: String,
    pub(crate) sequence: u64,
    /// The stream had it already; nothing was stored.
    pub(crate) duplicate: bool,
}

/// Publishes, and waits until it is stored.
pub(crate) async fn stored(
    session: &mut Session,
    subject: &str,
    headers: Option<HeaderMap>,
    payload: Bytes,
    about: &About,
) -> Result<Ack, Failure> {
    let answer = api::request(session, subject.to_owned(), headers, payload).await?;
    let Some(message) = answer else {
        return Err(nobody(session, subject));
    };
    let said = api::answer(session, &message, about)?;
    read(&said).ok_or_else(|| nobody(session, subject))
}

/// Many messages on their way at once, in order, each acknowledged by itself.
pub(crate) struct Window {
    inbox: String,
    acks: Subscriber,
    /// Those that are not acknowledged yet: when each was sent, by its number.
    waiting: HashMap<u64, Instant>,
    sent: u64,
    about: About,
    subject: String,
}

/// An acknowledgement, with the number of its message and the time that it took.
pub(crate) struct Acked {
    pub(crate) number: u64,
    pub(crate) ack: Ack,
    pub(crate) took: Duration,
}

impl Window {
    /// Nothing sent yet.
    pub(crate) async fn open(
        session: &Session,
        subject: &str,
        about: &About,
    ) -> Result<Self, Failure> {
        let inbox = session.client.new_inbox();
        let acks = session.client.subscribe(format!("{inbox}.*")).await;
        Ok(Self {
            acks: acks.map_err(|_| session.closed())?,
            inbox,
            waiting: HashMap::new(),
            sent: 0,
            about: about.clone(),
            subject: subject.to_owned(),
        })
    }

    /// How many have been sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// How many are not acknowledged yet.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Sends one more.
    pub(crate) async fn send(
        &mut self,
        session: &Session,
        headers: Option<HeaderMap>,
        payload: Bytes,
    ) -> Result<(), Failure> {
        let limit = session.client.max_payload();
        if payload.len() > limit {
            return Err(Failure::TooLarge {
                what: text::too_large(&self.subject, limit),
            });
        }
        let reply = format!("{}.{}", self.inbox, self.sent);
        let subject = self.subject.clone();
        let headers = headers.unwrap_or_default();
        let at = Instant::now();
        let sent = session
            .client
            .publish_with_reply_and_headers(subject, reply, headers, payload)
            .await;
        sent.map_err(|_| session.closed())?;
        self.waiting.insert(self.sent, at);
        self.sent += 1;
        Ok(())
    }

    /// The next acknowledgement, of whichever message; `None` if nothing waits for one.
    pub(crate) async fn acked(&mut self, session: &mut Session) -> Result<Option<Acked>, Failure> {
        while !self.waiting.is_empty() {
            let limit = session.limit();
            let answer = tokio::select! {
                biased;
                answer = timeout(limit, self.acks.next()) => answer,
                trouble = session.trouble() => {
                    return Err(trouble.leaving(&failures::unconfirmed(self.waiting.len() as u64)));
                }
            };
            let answer = answer.map_err(|_| Failure::Deadline {
                what: format!(
                    "{}; {}",
                    failures::deadline_reply(&self.subject, &span::show(limit)),
                    failures::unconfirmed(self.waiting.len() as u64)
                ),
                next: text::slow_next().to_owned(),
            })?;
            let answer = answer.ok_or_else(|| session.closed())?;
            let number = answer.subject.rsplit('.').next();
            let number = number.and_then(|number| number.parse().ok());
            let Some((number, at)) =
                number.and_then(|number| Some((number, self.waiting.remove(&number)?)))
            else {
                continue;
            };
            let took = at.elapsed();
            if answer.status == Some(StatusCode::NO_RESPONDERS) {
                return Err(nobody(session, &self.subject));
            }
            let said = api::answer(session, &answer, &self.about)?;
            let ack = read(&said).ok_or_else(|| nobody(session, &self.subject))?;
            return Ok(Some(Acked { number, ack, took }));
        }
        Ok(None)
    }
}

/// Nobody stores the subject: no stream does, or there are no streams.
fn nobody(session: &Session, subject: &str) -> Failure {
    match session.client.server_info().jetstream {
        true => trouble::no_stream(subject, session.label()),
        false => trouble::no_jetstream(session.label(), None),
    }
}

/// The acknowledgement in an answer; `None` if somebody else than a stream gave it.
pub(crate) fn read(answer: &Value) -> Option<Ack> {
    Some(Ack {
        stream: answer["stream"].as_str()?.to_owned(),
        sequence: answer["seq"].as_u64()?,
        duplicate: answer["duplicate"] == true,
    })
}
