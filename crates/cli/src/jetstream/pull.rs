//! Messages taken from a consumer on request, and answered: acknowledged, refused or given up.
//!
//! A message is shown before it is acknowledged: what was lost on the way to the person comes again.

use std::time::Duration;

use async_nats::{StatusCode, Subscriber};
use futures_util::StreamExt;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::about::About;
use super::api;
use super::fields::words;
use super::stored::Stored;
use super::trouble;
use super::units;
use crate::connect::Session;
use crate::exit::Status;
use crate::failure::Failure;
use crate::text::{consumer as text, jetstream as common};

/// How many messages a request for whatever comes asks for.
const BATCH: u64 = 100;
/// How long such a request holds.
const EXPIRES: Duration = Duration::from_secs(30);
/// How often the server says that it still holds.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How often it is looked at whether the connection is another one.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A consumer that is asked for messages.
pub(crate) struct Pull {
    stream: String,
    name: String,
    inbox: String,
    messages: Subscriber,
    /// Whether its messages are acknowledged at all.
    acks: bool,
    /// How many are still to come on the requests made so far.
    asked: u64,
    /// How often the connection had been made when it was asked: another one knows nothing of it.
    connects: u64,
    /// When the server should have said something, if it still holds our request.
    alive_until: Instant,
}

/// What came of asking.
pub(crate) enum Pulled {
    /// A message.
    Message(Box<Stored>),
    /// Nothing, within the time.
    Nothing,
}

/// What is said of a message to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Handled.
    Ack,
    /// Not handled: it shall come again.
    Nak,
    /// Never to be handled, and why.
    Term(String),
    /// Nothing: it comes again after its time.
    Silent,
}

impl Verdict {
    fn payload(&self) -> Option<String> {
        match self {
            Self::Ack => Some("+ACK".to_owned()),
            Self::Nak => Some("-NAK".to_owned()),
            Self::Term(reason) if reason.is_empty() => Some("+TERM".to_owned()),
            Self::Term(reason) => Some(format!("+TERM {reason}")),
            Self::Silent => None,
        }
    }
}

impl Pull {
    /// Makes ready to ask a consumer, which must be there and be one that is asked.
    pub(crate) async fn open(
        session: &mut Session,
        stream: &str,
        name: &str,
    ) -> Result<Self, Failure> {
        let info = api::consumer(session, stream, name).await?;
        let about = About::Consumer(stream.to_owned(), name.to_owned());
        let pushed_to = words(&info, "/config/deliver_subject");
        if !pushed_to.is_empty() {
            return Err(Failure::Usage {
                what: text::push_not_pulled(&about.words(), pushed_to),
                next: text::push_not_pulled_next(pushed_to),
            });
        }
        let inbox = session.client.new_inbox();
        let messages = session.client.subscribe(inbox.clone()).await;
        Ok(Self {
            stream: stream.to_owned(),
            name: name.to_owned(),
            messages: messages.map_err(|_| session.closed())?,
            inbox,
            acks: words(&info, "/config/ack_policy") != "none",
            asked: 0,
            connects: session.connects(),
            alive_until: Instant::now(),
        })
    }

    /// Asks for so many messages, within so long.
    pub(crate) async fn ask(
        &mut self,
        session: &Session,
        batch: u64,
        expires: Duration,
        heartbeat: Option<Duration>,
    ) -> Result<(), Failure> {
        let mut body = json!({ "batch": batch, "expires": units::as_nanos(expires) });
        if let Some(heartbeat) = heartbeat {
            body["idle_heartbeat"] = units::as_nanos(heartbeat);
        }
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", self.stream, self.name);
        let payload = body.to_string().into();
        let sent = session
            .client
            .publish_with_reply(subject, self.inbox.clone(), payload)
            .await;
        sent.map_err(|_| session.closed())?;
        self.asked = batch;
        self.connects = session.connects();
        self.alive_until = Instant::now() + heartbeat.unwrap_or(expires) * 2;
        Ok(())
    }

    /// What comes of the request that was made, before a moment.
    pub(crate) async fn next(
        &mut self,
        session: &mut Session,
        until: Instant,
    ) -> Result<Pulled, Failure> {
        loop {
            let message = tokio::select! {
                biased;
                message = timeout_at(until, self.messages.next()) => message,
                trouble = session.trouble() => return Err(trouble),
            };
            let message = match message {
                Err(_) => return Ok(Pulled::Nothing),
                Ok(None) => return Err(session.closed()),
                Ok(Some(message)) => message,
            };
            self.alive_until = Instant::now() + HEARTBEAT * 2;
            let Some(status) = message.status else {
                self.asked = self.asked.saturating_sub(1);
                if let Some(stored) = Stored::delivered(message) {
                    return Ok(Pulled::Message(Box::new(stored)));
                }
                continue;
            };
            if status == StatusCode::IDLE_HEARTBEAT {
                continue;
            }
            let said = message.description.unwrap_or_default();
            if let Some(failure) = self.fatal(status, &said) {
                return Err(failure);
            }
            self.asked = 0;
            return Ok(Pulled::Nothing);
        }
    }

    /// The next message, however long it takes, or `until` a moment; `left` is how many are wanted at most.
    pub(crate) async fn follow(
        &mut self,
        session: &mut Session,
        left: Option<u64>,
        until: Option<Instant>,
    ) -> Result<Pulled, Failure> {
        session.can_catch_up();
        loop {
            let now = Instant::now();
            if until.is_some_and(|until| now >= until) {
                return Ok(Pulled::Nothing);
            }
            // A request that the server no longer speaks of went with a broken connection.
            let is_new = session.connects() != self.connects;
            if self.asked == 0 || is_new || now >= self.alive_until {
                let batch = left.map_or(BATCH, |left| left.min(BATCH));
                self.ask(session, batch, EXPIRES, Some(HEARTBEAT)).await?;
            }
            let look = self.alive_until.min(now + LOOK_EVERY);
            let look = until.map_or(look, |until| until.min(look));
            if let pulled @ Pulled::Message(_) = self.next(session, look).await? {
                return Ok(pulled);
            }
        }
    }

    /// A status that asking again would not change.
    fn fatal(&self, status: StatusCode, said: &str) -> Option<Failure> {
        let about = About::Consumer(self.stream.clone(), self.name.clone());
        let lower = said.to_lowercase();
        match status.as_u16() {
            503 => Some(trouble::not_found(&about, None)),
            409 if lower.contains("consumer deleted") => Some(trouble::not_found(&about, None)),
            409 if lower.starts_with("exceeded") || lower.contains("push based") => {
                Some(self.refused(status, said))
            }
            400 | 412 | 423 => Some(self.refused(status, said)),
            _ => None,
        }
    }

    fn refused(&self, status: StatusCode, said: &str) -> Failure {
        let words = format!("{} {said}", status.as_u16());
        Failure::Streams {
            status: Status::Server,
            err_code: None,
            what: text::status(&self.name, &words),
            next: common::next_settings().to_owned(),
        }
    }

    /// Says what became of a message; with `confirmed`, waits until the server knows.
    pub(crate) async fn judge(
        &self,
        session: &mut Session,
        stored: &Stored,
        verdict: &Verdict,
        confirmed: bool,
    ) -> Result<(), Failure> {
        let (Some(payload), Some(reply)) = (verdict.payload(), &stored.message.reply) else {
            return Ok(());
        };
        if !self.acks {
            return Ok(());
        }
        if confirmed {
            let subject = reply.to_string();
            let answer = api::request(session, subject, None, payload.into()).await?;
            let about = About::Consumer(self.stream.clone(), self.name.clone());
            return match answer {
                Some(_) => Ok(()),
                None => Err(trouble::not_found(&about, None)),
            };
        }
        let sent = session.client.publish(reply.clone(), payload.into()).await;
        sent.map_err(|_| session.closed())
    }
}
