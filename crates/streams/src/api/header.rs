//! Names of the headers that publishers, streams and consumers speak with (E83–E99, E113, E150–E160). Compared
//! byte for byte, as nats-server does.

macro_rules! headers {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $text;)*
    };
}

headers! {
    /// Id of a message: the second with the same is a duplicate.
    MSG_ID = "Nats-Msg-Id";
    /// Stream that is expected to store it.
    EXPECTED_STREAM = "Nats-Expected-Stream";
    /// Last sequence of the stream that is expected.
    EXPECTED_LAST_SEQ = "Nats-Expected-Last-Sequence";
    /// Last sequence of the subject that is expected.
    EXPECTED_LAST_SUBJECT_SEQ = "Nats-Expected-Last-Subject-Sequence";
    /// Another subject for that check.
    EXPECTED_LAST_SUBJECT_SEQ_SUBJECT = "Nats-Expected-Last-Subject-Sequence-Subject";
    /// Last id that is expected.
    EXPECTED_LAST_MSG_ID = "Nats-Expected-Last-Msg-Id";
    /// Who asked, as JSON.
    REQUEST_INFO = "Nats-Request-Info";
    /// Where a sourced message comes from.
    STREAM_SOURCE = "Nats-Stream-Source";
    /// Last delivery, in heartbeats.
    LAST_CONSUMER = "Nats-Last-Consumer";
    /// Last sequence delivered, in heartbeats.
    LAST_STREAM = "Nats-Last-Stream";
    /// Subject that a stalled push consumer waits for.
    CONSUMER_STALLED = "Nats-Consumer-Stalled";
    /// Purge what was before: `sub` or `all`.
    ROLLUP = "Nats-Rollup";
    /// Bytes of a payload that was left out.
    MSG_SIZE = "Nats-Msg-Size";
    /// How long it lives.
    TTL = "Nats-TTL";
    /// Why a marker stands for messages that are gone.
    MARKER_REASON = "Nats-Marker-Reason";
    /// What to add to a counter.
    INCR = "Nats-Incr";
    /// What the counters of sources have added.
    COUNTER_SOURCES = "Nats-Counter-Sources";
    /// Id of a batch.
    BATCH_ID = "Nats-Batch-Id";
    /// Place in a batch.
    BATCH_SEQ = "Nats-Batch-Sequence";
    /// End of a batch: `1` or `eob`.
    BATCH_COMMIT = "Nats-Batch-Commit";
    /// When a scheduled message is published.
    SCHEDULE = "Nats-Schedule";
    /// In which time zone.
    SCHEDULE_TIME_ZONE = "Nats-Schedule-Time-Zone";
    /// How long what it publishes lives.
    SCHEDULE_TTL = "Nats-Schedule-TTL";
    /// Whether what it publishes purges what was before.
    SCHEDULE_ROLLUP = "Nats-Schedule-Rollup";
    /// Where it publishes.
    SCHEDULE_TARGET = "Nats-Schedule-Target";
    /// Subject whose last message it publishes.
    SCHEDULE_SOURCE = "Nats-Schedule-Source";
    /// Subject of the schedule that published it.
    SCHEDULER = "Nats-Scheduler";
    /// When the schedule publishes next, or `purge`.
    SCHEDULE_NEXT = "Nats-Schedule-Next";
    /// Stream that a message was stored in.
    STREAM = "Nats-Stream";
    /// Its subject.
    SUBJECT = "Nats-Subject";
    /// Its sequence.
    SEQUENCE = "Nats-Sequence";
    /// When it came.
    TIME_STAMP = "Nats-Time-Stamp";
    /// The sequence before it.
    LAST_SEQUENCE = "Nats-Last-Sequence";
    /// How many follow.
    NUM_PENDING = "Nats-Num-Pending";
    /// Up to where was looked.
    UP_TO_SEQUENCE = "Nats-UpTo-Sequence";
    /// Messages that a pull request still wanted.
    PENDING_MESSAGES = "Nats-Pending-Messages";
    /// Bytes that a pull request still had room for.
    PENDING_BYTES = "Nats-Pending-Bytes";
    /// The pin that a client has.
    PIN_ID = "Nats-Pin-Id";
    /// API level that a request needs.
    REQUIRED_API_LEVEL = "Nats-Required-Api-Level";
    /// What was done to a key of a bucket: `DEL` or `PURGE`.
    KV_OPERATION = "KV-Operation";
}

/// Value of [`ROLLUP`]: what has the same subject goes.
pub const ROLLUP_SUBJECT: &str = "sub";
/// Value of [`ROLLUP`]: everything goes.
pub const ROLLUP_ALL: &str = "all";
/// Value of [`MARKER_REASON`]: they were too old.
pub const MARKER_MAX_AGE: &str = "MaxAge";
/// Value of [`SCHEDULE_NEXT`]: the schedule has done its work.
pub const SCHEDULE_NEXT_PURGE: &str = "purge";
