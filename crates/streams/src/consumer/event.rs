//! What a consumer has to tell its owner: advisories, dead letters, its own end. Values only; who publishes
//! them, and how, is the owner's.

/// Something that happened, in the order in which it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message has had its last delivery (advisory `max_deliver`, E212). It stays in the stream.
    MaxDeliveries {
        /// Sequence in the stream.
        stream_seq: u64,
        /// How often it was delivered.
        deliveries: u64,
    },
    /// A message was refused by a client (advisory `nak`, E213).
    Naked {
        /// Sequence in the stream.
        stream_seq: u64,
        /// Sequence of the delivery that was refused.
        consumer_seq: u64,
        /// How often it was delivered.
        deliveries: u64,
    },
    /// A message will not be delivered any more (advisory `terminated`, E213). Told each time that a client says so.
    Terminated {
        /// Sequence in the stream.
        stream_seq: u64,
        /// Sequence of the delivery.
        consumer_seq: u64,
        /// How often it was delivered.
        deliveries: u64,
        /// Whose decision it was.
        reason: String,
    },
    /// A message was given up: an opted-in stream keeps it as a dead letter. Told once a message.
    DeadLetter {
        /// Sequence in the stream.
        stream_seq: u64,
        /// How often it was delivered.
        deliveries: u64,
    },
    /// An ack that was chosen to be reported (metric `consumer_ack`, E221).
    AckSampled {
        /// Sequence in the stream.
        stream_seq: u64,
        /// Sequence of the delivery.
        consumer_seq: u64,
        /// How often it was delivered.
        deliveries: u64,
        /// From the delivery to the ack.
        delay_ns: i64,
    },
    /// A message is damaged: it was passed over.
    Lost {
        /// Sequence in the stream.
        stream_seq: u64,
    },
    /// Delivery was paused, or goes on (advisory `consumer_pause`, E214).
    Paused {
        /// Until when.
        until_ns: Option<i64>,
        /// Whether it is paused now.
        paused: bool,
    },
    /// A client has the group for itself (advisory `consumer_group_pinned`, E214).
    Pinned {
        /// The group.
        group: String,
        /// The pin's id.
        pin_id: String,
    },
    /// It has it no longer (advisory `consumer_group_unpinned`, E214).
    Unpinned {
        /// The group.
        group: String,
        /// `timeout` or `admin`.
        reason: &'static str,
    },
    /// Nobody has used the consumer for `inactive_threshold`: its owner deletes it.
    Inactive,
}
