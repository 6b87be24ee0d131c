//! Reading a stream in order, from any place in it, without leaving a consumer behind: through an ordered
//! consumer ([`super::ordered`]), or where that is not allowed, in a work queue, message by message
//! ([`super::walk`]).

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use clap::Args;
use futures_util::FutureExt;
use serde_json::{Value, json};

use super::about::About;
use super::api;
use super::fields;
use super::ordered::OrderedReader;
use super::stored::Stored;
use super::units;
use super::walk::{self, Walk};
use crate::connect::Session;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::terminal::Out;

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

    pub(super) fn policy(self) -> DeliverPolicy {
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
pub(crate) enum Reader {
    /// Through a consumer.
    Ordered(Box<OrderedReader>),
    /// One by one, without taking anything from a work queue.
    Walk(Walk),
}

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
        if walk::is_for(&info, start) {
            let walk = Walk::open(session, stream, filter, start, &info).await?;
            return Ok(Self::Walk(walk));
        }
        let opening =
            OrderedReader::open(session, stream, filter, start, headers_only, &info, about);
        Ok(Self::Ordered(Box::new(opening.await?)))
    }

    /// How many there were when it began; those of a work queue may be fewer.
    pub(crate) fn pending(&self) -> u64 {
        match self {
            Self::Ordered(ordered) => ordered.pending,
            Self::Walk(walk) => walk.pending(),
        }
    }

    /// Whether it looks at a work queue, and may miss what is taken from there meanwhile.
    pub(crate) fn only_looks(&self) -> bool {
        matches!(self, Self::Walk(_))
    }

    /// The next message, waited for as long as it takes. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self, session: &mut Session) -> Result<Stored, Failure> {
        match self {
            Self::Ordered(ordered) => ordered.next(session).await,
            Self::Walk(walk) => walk.next(session).await,
        }
    }

    /// Calls `each` for all that was there when it began; it returns whether to go on.
    pub(crate) async fn drain(
        &mut self,
        session: &mut Session,
        each: impl FnMut(Stored) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        match self {
            Self::Ordered(ordered) => ordered.drain(session, each).await,
            Self::Walk(walk) => walk.drain(session, each).await,
        }
    }

    /// What is there already, without waiting; where each one has to be asked for, nothing is.
    fn at_once(&mut self, session: &mut Session) -> Option<Result<Stored, Failure>> {
        match self {
            Self::Ordered(ordered) => ordered.next(session).now_or_never(),
            Self::Walk(_) => None,
        }
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
        if let Self::Ordered(ordered) = self {
            ordered.leave(session).await;
        }
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
            let stored = match self.at_once(session) {
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
