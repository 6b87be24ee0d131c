//! Reading a stream without a consumer: each message asked for by its place (E28). That is for work queues,
//! whose messages go to whoever acknowledges them: a consumer that only looks is refused there (error 10084),
//! and one that acknowledged would take the work away.
//!
//! It never takes anything from the stream; what workers finish between two looks is not seen.

use std::time::Duration;

use async_nats::connection::State;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::about::About;
use super::api;
use super::fields;
use super::reader::Start;
use super::stored::Stored;
use super::units;
use crate::connect::Session;
use crate::failure::Failure;

/// How long after a look at nothing, or one that failed, comes the next.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often a look may fail on a new connection: a server that has just started may need a while.
const ATTEMPTS_MAX: usize = 40;
/// There is no such message.
const NO_MESSAGE: u64 = 10037;

/// A place in a stream that moves on.
pub(crate) struct Walk {
    stream: String,
    filter: String,
    /// The sequence to look from.
    next: u64,
    /// The last one that there was when it began.
    last: u64,
    /// How many there were then.
    pending: u64,
    /// What is older is passed over: not every server knows `start_time`.
    since: Timestamp,
    /// How often the connection had been made at the last look that succeeded.
    connects: u64,
}

/// Whether a stream is to be read like this, by its configuration and state.
pub(super) fn is_for(info: &Value, start: Start) -> bool {
    let is_work_queue = fields::words(info, "/config/retention") == "workqueue";
    is_work_queue && start != Start::LastPerSubject
}

impl Walk {
    /// Finds the place to begin at.
    pub(super) async fn open(
        session: &mut Session,
        stream: &str,
        filter: Option<&str>,
        start: Start,
        info: &Value,
    ) -> Result<Self, Failure> {
        let last = fields::number(info, "/state/last_seq");
        let mut walk = Self {
            stream: stream.to_owned(),
            filter: filter.unwrap_or(">").to_owned(),
            next: 1,
            last,
            pending: fields::number(info, "/state/messages"),
            since: Timestamp::MIN,
            connects: session.connects(),
        };
        let place = match start {
            Start::All | Start::LastPerSubject => return Ok(walk),
            Start::Sequence(sequence) => {
                walk.next = sequence.max(1);
                return Ok(walk);
            }
            Start::New => None,
            Start::Last => {
                let body = json!({ "last_by_subj": walk.filter });
                walk.get(session, &body).await?
            }
            Start::Since(span) => {
                let since = units::before_now(span);
                walk.since = since.parse().unwrap_or(Timestamp::MIN);
                let body = json!({ "next_by_subj": walk.filter, "start_time": since });
                walk.get(session, &body).await?
            }
        };
        walk.next = place.map_or(last + 1, |stored| stored.sequence);
        Ok(walk)
    }

    /// How many messages there were when it began, whatever was to be read of them.
    pub(super) fn pending(&self) -> u64 {
        self.pending
    }

    /// The next message that is there now. Dropping the future loses nothing.
    async fn step(&mut self, session: &mut Session) -> Result<Option<Stored>, Failure> {
        loop {
            let body = json!({ "seq": self.next, "next_by_subj": self.filter });
            let Some(stored) = self.get(session, &body).await? else {
                return Ok(None);
            };
            self.next = stored.sequence + 1;
            if stored.time >= self.since {
                return Ok(Some(stored));
            }
        }
    }

    async fn get(&self, session: &mut Session, body: &Value) -> Result<Option<Stored>, Failure> {
        let about = About::Stream(self.stream.clone());
        match api::message(session, &self.stream, body, &about).await {
            Ok(stored) => Ok(Some(stored)),
            Err(failure) if failure.err_code() == Some(NO_MESSAGE) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The next message, waited for as long as it takes. Dropping the future loses nothing.
    pub(super) async fn next(&mut self, session: &mut Session) -> Result<Stored, Failure> {
        let mut failed = 0;
        loop {
            match self.step(session).await {
                Ok(found) => {
                    self.connects = session.connects();
                    failed = 0;
                    if let Some(stored) = found {
                        return Ok(stored);
                    }
                }
                Err(_) if session.client.connection_state() != State::Connected => {}
                Err(_) if session.connects() != self.connects && failed < ATTEMPTS_MAX => {
                    failed += 1;
                }
                Err(failure) => return Err(failure),
            }
            tokio::select! {
                biased;
                () = tokio::time::sleep(LOOK_EVERY) => {}
                trouble = session.trouble() => return Err(trouble),
            }
        }
    }

    /// Calls `each` for all that was there when it began; it returns whether to go on.
    pub(super) async fn drain(
        &mut self,
        session: &mut Session,
        mut each: impl FnMut(Stored) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        while self.next <= self.last {
            match self.step(session).await? {
                Some(stored) if stored.sequence <= self.last => {
                    if !each(stored)? {
                        break;
                    }
                }
                _ => break,
            }
        }
        Ok(())
    }
}
