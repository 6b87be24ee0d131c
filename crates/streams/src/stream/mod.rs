//! One stream: its messages, its rules, its consumers. Nothing here knows other streams.

mod age;
mod batch;
mod conditions;
mod counter;
mod dedupe;
mod direct_get;
mod ingest;
pub(crate) mod kinds;
mod last_record;
mod messages;
mod publish_headers;
mod purge;
mod removal;
mod republish;
mod rollup;
mod schedule;
mod state;
mod stored;
mod tombstones;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use recado_log::{Journal, Location};

use self::tombstones::Tombstones;
use crate::config::{StreamConfig, Transform};

pub use batch::BatchLimits;
pub(crate) use batch::{Atomic, Batches, FastAnswer, FastReply, Offered};
pub(crate) use dedupe::DedupeWindow;
pub(crate) use ingest::{Accepted, Foretold, Origin, SEQUENCE_MAX, store_failed};
pub(crate) use last_record::LastRecord;
pub(crate) use messages::{Messages, NewMessage};
pub(crate) use publish_headers::{PublishHeaders, with as with_header};
pub(crate) use stored::{StoredConsumer, StoredStream, Unsupported};

/// What a stream is given while it acts on its messages.
pub(crate) struct Env<'a> {
    /// Unix time in nanoseconds.
    pub now_ns: i64,
    /// Where what must last is written.
    pub journal: &'a mut dyn Journal,
    /// What server and account have left for this kind of storage.
    pub room: crate::jetstream::Room,
    /// A random number.
    pub chance: u32,
}

/// One stream.
pub(crate) struct Stream {
    /// Its number in the log: never used again.
    pub(crate) id: u32,
    /// Its account; none for `$G`.
    pub(crate) account: Option<Arc<str>>,
    pub(crate) config: StreamConfig,
    pub(crate) created_ns: i64,
    pub(crate) messages: Messages,
    /// By name.
    pub(crate) consumers: BTreeMap<String, Box<crate::jetstream::ConsumerSlot>>,
    dedupe: DedupeWindow,
    /// Message id of the newest message; empty where it had none.
    last_message_id: Box<str>,
    input_transform: Option<Transform>,
    republish: Option<Transform>,
    /// Messages that are published again when they are durable.
    republished: VecDeque<republish::Republished>,
    /// Where its configuration lies.
    config_at: LastRecord,
    /// Where its last `STATE` lies, ...
    state_at: LastRecord,
    /// ... and what it says.
    state: Option<(u64, u64)>,
    /// Records that say what is gone, and are still needed.
    tombstones: Tombstones,
    /// So many of them that say what was removed are gathered into one.
    gather_at: usize,
    /// Where the look for messages that are too old goes on.
    age_from: u64,
    /// Messages with a lifetime of their own, by when it ends.
    expiries: BTreeSet<(i64, u64)>,
    /// It was never purged: before its first message the first sequence is shown as 0.
    pub(crate) is_fresh: bool,
    /// Sequences were given to messages that are gone already: the state must be written.
    skipped: bool,
    /// Messages that consumers are done with, and where they lie: not written down yet.
    settled: Vec<(u64, Location)>,
    /// Bytes of them.
    settled_bytes: u64,
    /// What a limit on subjects took away since it was last written which messages are gone.
    evicted: BTreeSet<u64>,
    /// Bytes that it has in the account's sum.
    pub(crate) accounted_bytes: u64,
    schedules: schedule::Schedules,
    /// Batches that are being published.
    pub(crate) batches: Batches,
    /// A consumer waits for its subscriber to read.
    pub(crate) congested_until_ns: Option<i64>,
    /// The consumer that comes first in the next turn; empty: that of the first name.
    pub(crate) deliver_next: String,
    /// Its mirror or sources.
    pub(crate) feeding: crate::jetstream::Feeding,
    /// It is in the list of streams that have something to do.
    pub(crate) is_active: bool,
}

impl Stream {
    /// A stream without messages.
    pub(crate) fn new(id: u32, config: StreamConfig, created_ns: i64) -> Self {
        let first = config.first_seq.max(1);
        let mut stream = Self {
            id,
            account: None,
            messages: Messages::new(id, &config, first),
            created_ns,
            consumers: BTreeMap::new(),
            dedupe: DedupeWindow::default(),
            last_message_id: Box::default(),
            input_transform: None,
            republish: None,
            republished: VecDeque::new(),
            config_at: LastRecord::default(),
            state_at: LastRecord::default(),
            state: None,
            tombstones: Tombstones::default(),
            gather_at: 0,
            age_from: first,
            expiries: BTreeSet::new(),
            is_fresh: true,
            skipped: false,
            schedules: schedule::Schedules::default(),
            batches: Batches::default(),
            settled: Vec::new(),
            settled_bytes: 0,
            evicted: BTreeSet::new(),
            accounted_bytes: 0,
            congested_until_ns: None,
            deliver_next: String::new(),
            feeding: crate::jetstream::Feeding::default(),
            is_active: false,
            config: StreamConfig::default(),
        };
        stream.apply(config);
        stream
    }

    /// Takes over a configuration that was checked.
    pub(crate) fn apply(&mut self, config: StreamConfig) {
        let transform = |src: &str, dest: &str| {
            let src = if src.is_empty() { ">" } else { src };
            Transform::parse(src, dest).ok()
        };
        self.input_transform = config
            .subject_transform
            .as_ref()
            .and_then(|one| transform(&one.src, &one.dest));
        self.republish = config
            .republish
            .as_ref()
            .and_then(|one| transform(&one.src, &one.dest));
        self.schedules.stale |= config.allow_msg_schedules && !self.config.allow_msg_schedules;
        if !config.allow_msg_schedules {
            self.schedules.clear();
        }
        self.messages.set_compression(config.compression);
        self.config = config;
        self.drop_forbidden_batches();
    }

    /// The last sequence that was given out.
    pub(crate) fn last_sequence(&self) -> u64 {
        self.messages.index.last_sequence()
    }
}
