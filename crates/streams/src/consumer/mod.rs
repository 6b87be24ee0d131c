//! Consumers: who has got which message of a stream, and what is still to be confirmed.
//!
//! A [`Consumer`] is a state machine of one owner. Requests, acks, the time and the news that messages are
//! durable go in; messages go out through the context's outlet, and what else happened as [`Event`]s. It sees
//! only durable messages, reads no clock, and keeps nothing on disk itself: its owner writes
//! [`Consumer::progress`] into the log and releases double acks once that is durable.

mod ack_subject;
mod acks;
mod control;
mod deliver;
mod event;
mod info;
mod persist;
mod position;
mod priority;
mod progress;
mod pull;
mod push;
mod requests;
mod server_side;
mod settings;
mod source;
mod status;
mod timers;
mod unacked;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use ack_subject::{AckSubject, Delivery};
pub use acks::{Confirmation, Leaving};
pub use control::ResetError;
pub use event::Event;
pub use progress::{Progress, ProgressError};
pub use source::{Read, Source, Stored};

use ack_subject::AckWriter;
use position::Position;
use priority::Pin;
use push::Push;
use requests::WaitingQueue;
use settings::Settings;
use unacked::UnackedTable;

use crate::config::{ConsumerConfig, ReplayPolicy};
use crate::index::Filters;

/// A place in both counts: of the consumer's deliveries and of the stream's messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) consumer_seq: u64,
    pub(crate) stream_seq: u64,
}

/// A consumer of a stream.
#[derive(Debug)]
pub struct Consumer {
    stream: Box<str>,
    name: Box<str>,
    created_ns: i64,
    config: ConsumerConfig,
    settings: Settings,
    filters: Filters,
    position: Position,
    /// The last delivery.
    delivered: Place,
    /// Everything up to it is settled.
    floor: Place,
    unacked: UnackedTable,
    /// Messages that had all their deliveries, with their number. They stay until they leave the stream.
    exhausted: BTreeMap<u64, u32>,
    /// Of them, what came since it was last told as progress.
    exhausted_untold: Vec<u64>,
    /// And what a late ack settled since.
    exhausted_taken: Vec<u64>,
    waiting: WaitingQueue,
    pin: Option<Pin>,
    push: Option<Push>,
    replay: Option<Replay>,
    activity: Activity,
    ack_writer: AckWriter,
    /// For headers and statuses, kept for the next one.
    scratch: Vec<u8>,
    /// For headers with a pin, which are made of those.
    pin_scratch: Vec<u8>,
    events: Vec<Event>,
    dirty: bool,
    /// The next progress must be whole: it took back what was told.
    must_tell_all: bool,
}

/// When it was last used, and for what.
#[derive(Debug)]
struct Activity {
    delivered_ns: Option<i64>,
    acked_ns: Option<i64>,
    /// An unacknowledged message left the stream, which counts as an ack; nobody said yet when.
    lost_unacked: bool,
    /// Requests, acks and deliveries: what `inactive_threshold` is counted from.
    used_ns: i64,
    /// Requests' inboxes were looked at for interest.
    swept_ns: i64,
    /// Nobody who waits keeps up, or the disk could not be read; when to try again.
    congested_until_ns: Option<i64>,
    paused: bool,
    /// Its owner was told that nobody uses it.
    over: bool,
}

/// Old messages are delivered as slowly as they came.
#[derive(Debug)]
struct Replay {
    /// Those behind it are new.
    upto: u64,
    /// The message before: when it was stored, when it was delivered.
    previous: Option<(i64, i64)>,
    /// When the next one is due.
    due_ns: Option<i64>,
}

impl Consumer {
    /// A new consumer, which begins where its deliver policy says. `config` is valid and complete, and so are
    /// its filters.
    pub fn new(
        stream: &str,
        name: &str,
        config: ConsumerConfig,
        created_ns: i64,
        source: &mut dyn Source,
        now_ns: i64,
    ) -> Self {
        let mut filters = Filters::new(config.filters());
        let position = Position::begin(&config, &mut filters, source);
        let mut made = Self::at(
            stream,
            name,
            config,
            created_ns,
            (filters, position),
            now_ns,
        );
        let before = made.position.next().saturating_sub(1);
        made.delivered.stream_seq = before;
        made.floor.stream_seq = before;
        made.replay_from(source.last_sequence());
        made
    }

    /// A consumer that goes on where its progress says. What was delivered and not acknowledged is delivered
    /// again when its time has come.
    pub fn restored(
        stream: &str,
        name: &str,
        config: ConsumerConfig,
        created_ns: i64,
        progress: Progress,
        source: &mut dyn Source,
        now_ns: i64,
    ) -> Self {
        let mut filters = Filters::new(config.filters());
        // A stream that lost its end (it was written without waiting for the disk) may be shorter.
        let end = source.last_sequence() + 1;
        let progress = if progress.next > end && !progress.waits_for_start(&config) {
            progress.cut_at(end)
        } else {
            progress
        };
        let next = progress.next.max(1);
        let position = Position::at(next, progress.picked_upto, &mut filters, source);
        let mut made = Self::at(
            stream,
            name,
            config,
            created_ns,
            (filters, position),
            now_ns,
        );
        made.take_progress(progress, source, now_ns);
        made.dirty = false;
        made.replay_from(source.last_sequence());
        made
    }

    fn at(
        stream: &str,
        name: &str,
        config: ConsumerConfig,
        created_ns: i64,
        (filters, position): (Filters, Position),
        now_ns: i64,
    ) -> Self {
        let settings = Settings::new(&config);
        Self {
            stream: stream.into(),
            name: name.into(),
            created_ns,
            push: settings.push.as_ref().map(|push| Push::new(push, now_ns)),
            filters,
            position,
            delivered: Place::default(),
            floor: Place::default(),
            unacked: UnackedTable::default(),
            exhausted: BTreeMap::new(),
            exhausted_untold: Vec::new(),
            exhausted_taken: Vec::new(),
            waiting: WaitingQueue::default(),
            pin: None,
            replay: None,
            activity: Activity {
                delivered_ns: None,
                acked_ns: None,
                lost_unacked: false,
                used_ns: now_ns,
                swept_ns: now_ns,
                congested_until_ns: None,
                paused: config.pause_until.is_some_and(|until| now_ns < until),
                over: false,
            },
            ack_writer: AckWriter::new("", stream, name),
            scratch: Vec::new(),
            pin_scratch: Vec::new(),
            events: Vec::new(),
            dirty: true,
            must_tell_all: true,
            settings,
            config,
        }
    }

    /// From now on acks and flow control are asked for on subjects of the long form, with `domain.account.` in front of
    /// the stream (ADR-15). Both forms are understood in any case.
    pub fn lengthen_subjects(&mut self, scope: &str) {
        self.ack_writer = AckWriter::new(scope, &self.stream, &self.name);
    }

    fn replay_from(&mut self, last: u64) {
        let replays = self.config.replay_policy == ReplayPolicy::Original;
        self.replay = (replays && self.position.next() <= last).then_some(Replay {
            upto: last,
            previous: None,
            due_ns: None,
        });
    }

    /// Its stream.
    pub fn stream_name(&self) -> &str {
        &self.stream
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its configuration.
    pub fn config(&self) -> &ConsumerConfig {
        &self.config
    }

    /// Unix time in nanoseconds at which it was created.
    pub fn created_ns(&self) -> i64 {
        self.created_ns
    }

    /// Its filters.
    pub fn filters(&mut self) -> &mut Filters {
        &mut self.filters
    }

    /// Whether messages on this subject are for it.
    pub fn matches_subject(&self, subject: &[u8]) -> bool {
        self.filters.matches(subject)
    }

    /// Takes what happened since the last call. To be called after each other call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Whether this consumer has still to settle a message that its filters match: it is still to be delivered,
    /// or was and is not acknowledged, or had all its deliveries in vain.
    pub fn needs(&self, sequence: u64) -> bool {
        let open = if sequence >= self.position.next() {
            self.position.wants(sequence)
        } else {
            self.unacked.get(sequence).is_some()
        };
        open || self.exhausted.contains_key(&sequence)
    }

    /// How many deliveries it has made.
    pub(crate) fn deliveries(&self) -> u64 {
        self.delivered.consumer_seq
    }

    /// Everything up to this sequence is settled or none of its own.
    pub fn ack_floor(&self) -> u64 {
        self.floor.stream_seq
    }

    /// The floor follows the first message that is not acknowledged.
    fn raise_floor(&mut self) {
        let floor = match self.unacked.first() {
            None => self.delivered,
            Some(first) => Place {
                consumer_seq: first.consumer_seq.saturating_sub(1),
                stream_seq: first.stream_seq.saturating_sub(1),
            },
        };
        self.floor.consumer_seq = self.floor.consumer_seq.max(floor.consumer_seq);
        self.floor.stream_seq = self.floor.stream_seq.max(floor.stream_seq);
    }

    fn is_paused(&self, now_ns: i64) -> bool {
        self.config.pause_until.is_some_and(|until| now_ns < until)
    }
}
