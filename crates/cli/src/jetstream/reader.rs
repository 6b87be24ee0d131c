//! Reading a stream in order, from any place in it, without leaving a consumer behind: the library's ordered
//! consumer, which the server drops when nobody asks it any more.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use clap::Args;
use futures_util::{FutureExt, StreamExt};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::about::About;
use super::api;
use super::fields;
use super::stored::Stored;
use super::trouble;
use super::units;
use crate::connect::Session;
use crate::exit::Status;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::terminal::Out;
use crate::unique;

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// With the first message that the stream has.
    All,
    /// With the last one.
    Last,
    /// With what is stored from now on.
    New,
    /// With the last message of each subject.
    LastPerSubject,
    /// With this sequence, or the first one behind it.
    Sequence(u64),
    /// With what was stored so long ago.
    Since(Duration),
}

impl Start {
    /// As a consumer's configuration has it.
    pub(crate) fn json(self) -> Value {
        match self {
            Self::All => json!({ "deliver_policy": "all" }),
            Self::Last => json!({ "deliver_policy": "last" }),
            Self::New => json!({ "deliver_policy": "new" }),
            Self::LastPerSubject => json!({ "deliver_policy": "last_per_subject" }),
            Self::Sequence(sequence) => json!({
                "deliver_policy": "by_start_sequence", "opt_start_seq": sequence.max(1),
            }),
            Self::Since(span) => json!({
                "deliver_policy": "by_start_time", "opt_start_time": units::before_now(span),
            }),
        }
    }

    /// The option that says it.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::All => "--all",
            Self::Last => "--last",
            Self::New => "--new",
            Self::LastPerSubject => "--last-per-subject",
            Self::Sequence(_) => "--from-seq",
            Self::Since(_) => "--since",
        }
    }

    fn policy(self) -> DeliverPolicy {
        // Through JSON: the library's type of a time is that of another crate.
        serde_json::from_value(self.json()).unwrap_or_default()
    }
}

/// The options that say where reading begins.
#[derive(Debug, Clone, Args)]
pub(crate) struct Beginning {
    #[arg(long, conflicts_with_all = ["last", "since", "from_seq"],
        help = crate::text::jetstream::from_all())]
    all: bool,
    #[arg(long, conflicts_with_all = ["since", "from_seq"],
        help = crate::text::jetstream::from_last())]
    last: bool,
    #[arg(long, value_name = crate::text::help::value_span(), value_parser = crate::span::parse,
        conflicts_with = "from_seq", help = crate::text::jetstream::from_since())]
    since: Option<Duration>,
    #[arg(long, value_name = "N", value_parser = crate::commands::positive,
        help = crate::text::jetstream::from_sequence())]
    from_seq: Option<u64>,
}

impl Beginning {
    /// What they say, if they say something.
    pub(crate) fn start(&self) -> Option<Start> {
        let given = [
            self.all.then_some(Start::All),
            self.last.then_some(Start::Last),
            self.since.map(Start::Since),
            self.from_seq.map(Start::Sequence),
        ];
        given.into_iter().flatten().next()
    }
}

/// Messages of a stream, in order.
pub(crate) struct Reader {
    what: What,
    messages: Ordered,
    about: About,
    /// The consumer's name, as long as it was not made again after a gap.
    name: String,
    /// How often the connection had been made when it began: another one may be to a server that knows
    /// nothing of our consumer.
    connects: u64,
    /// How many there were when it began.
    pub(crate) pending: u64,
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

impl Reader {
    /// Begins to read. `filter` keeps those on subjects that it covers.
    pub(crate) async fn open(
        session: &mut Session,
        stream: &str,
        filter: Option<&str>,
        start: Start,
        headers_only: bool,
        about: &About,
    ) -> Result<Self, Failure> {
        // First by ourselves: the failures are clearer.
        let info = api::stream_about(session, stream, &about.holder()).await?;
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
            what.start = Start::Sequence(fields::number(&info, "/state/last_seq") + 1);
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
    pub(crate) async fn next(&mut self, session: &mut Session) -> Result<Stored, Failure> {
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
    pub(crate) async fn drain(
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
    async fn leave(&self, session: &mut Session) {
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

/// Why following came to its end.
pub(crate) enum Ended {
    /// As many came as were wanted.
    Enough,
    /// The person asked for it.
    Asked,
    /// Nothing came for this long.
    Silence(Duration),
}

impl Reader {
    /// Shows messages as they come: `each` writes one, and returns whether more are wanted.
    pub(crate) async fn follow(
        &mut self,
        session: &mut Session,
        interrupt: &mut Interrupt,
        out: &mut Out,
        silence: Option<Duration>,
        each: impl FnMut(&mut Out, Stored) -> Result<bool, Failure>,
    ) -> Result<Ended, Failure> {
        session.can_catch_up();
        let ended = self
            .until_end(session, interrupt, out, silence, each)
            .await?;
        self.leave(session).await;
        Ok(ended)
    }

    async fn until_end(
        &mut self,
        session: &mut Session,
        interrupt: &mut Interrupt,
        out: &mut Out,
        silence: Option<Duration>,
        mut each: impl FnMut(&mut Out, Stored) -> Result<bool, Failure>,
    ) -> Result<Ended, Failure> {
        let limit = silence.unwrap_or(Duration::MAX);
        loop {
            // While more is there already, it goes out in one write.
            let stored = match self.next(session).now_or_never() {
                Some(stored) => stored?,
                None => {
                    out.flush()?;
                    tokio::select! {
                        biased;
                        () = interrupt.asked() => return Ok(Ended::Asked),
                        stored = tokio::time::timeout(limit, self.next(session)) => match stored {
                            Ok(stored) => stored?,
                            Err(_) => return Ok(Ended::Silence(limit)),
                        },
                    }
                }
            };
            if !each(out, stored)? {
                out.flush()?;
                return Ok(Ended::Enough);
            }
            if interrupt.is_asked() {
                out.flush()?;
                return Ok(Ended::Asked);
            }
        }
    }
}

/// The newest messages, at most so many, the oldest of them first.
pub(crate) async fn newest(
    session: &mut Session,
    stream: &str,
    filter: Option<&str>,
    most: usize,
    about: &About,
) -> Result<Vec<Stored>, Failure> {
    let mut kept: VecDeque<Stored> = VecDeque::new();
    let start = match filter {
        Some(_) => Start::All,
        // Those that are gone may make it fewer, never more.
        None => {
            let info = api::stream_about(session, stream, &about.holder()).await?;
            let last = fields::number(&info, "/state/last_seq");
            Start::Sequence((last + 1).saturating_sub(most as u64).max(1))
        }
    };
    let mut reader = Reader::open(session, stream, filter, start, false, about).await?;
    reader
        .drain(session, |stored| {
            if kept.len() == most {
                kept.pop_front();
            }
            kept.push_back(stored);
            Ok(true)
        })
        .await?;
    Ok(kept.into())
}
