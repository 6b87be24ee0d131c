//! Reading a stream through the library's ordered consumer, which the server drops when nobody asks it any more.
//! A connection that broke is no end: it goes on behind the last message that came.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::timeout;

use super::about::About;
use super::api;
use super::fields;
use super::reader::Start;
use super::stored::Stored;
use super::trouble;
use crate::connect::Session;
use crate::exit::Status;
use crate::failure::Failure;
use crate::unique;

/// Messages of a stream, as its server sends them.
pub(crate) struct OrderedReader {
    what: What,
    messages: Ordered,
    about: About,
    /// The consumer's name, as long as it was not made again after a gap.
    name: String,
    /// How often the connection had been made when it began: another one may be to a server that knows
    /// nothing of our consumer.
    connects: u64,
    /// How many there were when it began.
    pub(super) pending: u64,
}

/// What is read.
struct What {
    stream: String,
    filter: String,
    start: Start,
    headers_only: bool,
}

/// How often it is looked at whether the connection is another one.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// After so many looks at nothing the stream is asked for.
const LOOKS_TO_ASK: u32 = 10;

/// How long after a failed attempt reading is begun again on a new connection.
const AGAIN_AFTER: Duration = Duration::from_millis(250);
/// How often that is tried: a stream that is gone for good is a failure then.
const ATTEMPTS_MAX: usize = 40;

impl OrderedReader {
    /// Begins to read. `filter` keeps those on subjects that it covers.
    pub(super) async fn open(
        session: &mut Session,
        stream: &str,
        filter: Option<&str>,
        start: Start,
        headers_only: bool,
        info: &Value,
        about: &About,
    ) -> Result<Self, Failure> {
        let mut what = What {
            stream: stream.to_owned(),
            filter: filter.unwrap_or_default().to_owned(),
            start,
            headers_only,
        };
        let connects = session.connects();
        let (messages, name, pending) = begin(session, &what, about).await?;
        if start == Start::New {
            // Should it have to begin again, what was stored meanwhile is new too.
            what.start = Start::Sequence(fields::number(info, "/state/last_seq") + 1);
        }
        Ok(Self {
            what,
            messages,
            about: about.clone(),
            name,
            connects,
            pending,
        })
    }

    /// The next message, waited for as long as it takes. Dropping the future loses nothing.
    pub(super) async fn next(&mut self, session: &mut Session) -> Result<Stored, Failure> {
        let mut looks = 0_u32;
        loop {
            if session.connects() != self.connects {
                self.begin_again(session).await?;
            }
            let message = tokio::select! {
                biased;
                message = timeout(LOOK_EVERY, self.messages.next()) => message,
                trouble = session.trouble() => return Err(trouble),
            };
            match message {
                Err(_) => {
                    looks += 1;
                    // A stream that was removed is silent too, and would be for ever.
                    if looks.is_multiple_of(LOOKS_TO_ASK) {
                        let about = self.about.holder();
                        api::stream_about(session, &self.what.stream, &about).await?;
                    }
                }
                Ok(None) => return Err(session.closed()),
                Ok(Some(Err(error))) => return Err(trouble::from_library(&self.about, &error)),
                Ok(Some(Ok(message))) => {
                    if let Some(stored) = Stored::delivered(message.message) {
                        self.what.start = Start::Sequence(stored.sequence + 1);
                        return Ok(stored);
                    }
                }
            }
        }
    }

    /// On another connection: behind the last message that came. A server that has just started may need a while.
    async fn begin_again(&mut self, session: &mut Session) -> Result<(), Failure> {
        let mut attempts = 0;
        loop {
            let connects = session.connects();
            match begin(session, &self.what, &self.about).await {
                Ok((messages, name, _)) => {
                    self.messages = messages;
                    self.name = name;
                    self.connects = connects;
                    return Ok(());
                }
                Err(failure) => {
                    attempts += 1;
                    if attempts == ATTEMPTS_MAX {
                        return Err(failure);
                    }
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
        }
    }

    /// Calls `each` for all that was there when it began; it returns whether to go on.
    pub(super) async fn drain(
        &mut self,
        session: &mut Session,
        mut each: impl FnMut(Stored) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        // Counted too: a stream that is being written to would have no end.
        for _ in 0..self.pending {
            let limit = session.limit();
            let stored = match timeout(limit, self.next(session)).await {
                Ok(stored) => stored?,
                // What was still to come may have been removed meanwhile.
                Err(_) if self.is_dry(session).await? => break,
                Err(_) => continue,
            };
            let is_last = stored.pending == 0;
            if !each(stored)? || is_last {
                break;
            }
        }
        self.leave(session).await;
        Ok(())
    }

    /// Whether nothing more comes.
    async fn is_dry(&self, session: &mut Session) -> Result<bool, Failure> {
        match api::consumer(session, &self.what.stream, &self.name).await {
            Ok(info) => Ok(fields::number(&info, "/num_pending") == 0),
            // Made again under another name, which goes on.
            Err(failure) if failure.status() == Status::NotFound => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Takes its consumer away. Should that fail, the server does it some time later: nobody need know.
    pub(super) async fn leave(&self, session: &mut Session) {
        let verb = format!("CONSUMER.DELETE.{}.{}", self.what.stream, self.name);
        let _ = api::ask(session, &verb, &Value::Null, &self.about).await;
    }
}

/// Makes a consumer: its messages, its name, and how many there are.
async fn begin(
    session: &mut Session,
    what: &What,
    about: &About,
) -> Result<(Ordered, String, u64), Failure> {
    let name = format!("recado-{}", unique::token());
    let config = OrderedConfig {
        name: Some(name.clone()),
        deliver_policy: what.start.policy(),
        filter_subject: what.filter.clone(),
        headers_only: what.headers_only,
        ..OrderedConfig::default()
    };
    let context = jetstream::new(session.client.clone());
    let opening = Box::pin(async {
        let found = context.get_stream_no_info(&what.stream).await;
        let found = found.map_err(|error| trouble::from_library(about, &error))?;
        let consumer = found.create_consumer(config).await;
        let consumer = consumer.map_err(|error| trouble::from_consumer(about, &error))?;
        let pending = consumer.cached_info().num_pending;
        let messages = consumer.messages().await;
        let messages = messages.map_err(|error| trouble::from_library(about, &error))?;
        Ok((messages, name, pending))
    });
    tokio::select! {
        biased;
        opened = opening => opened,
        trouble = session.trouble() => Err(trouble),
    }
}
