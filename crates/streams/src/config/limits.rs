//! What a server and an account allow their streams and consumers.

use serde::Serialize;

/// An account's limits as account information shows them; -1 is none, for the last three 0 too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountLimits {
    /// Bytes of streams in memory.
    pub max_memory: i64,
    /// Bytes of streams in the log.
    pub max_storage: i64,
    /// Streams.
    pub max_streams: i64,
    /// Consumers of one stream.
    pub max_consumers: i64,
    /// Unacknowledged messages of one consumer.
    pub max_ack_pending: i64,
    /// Bytes of one stream in memory.
    pub memory_max_stream_bytes: i64,
    /// Bytes of one stream in the log.
    pub storage_max_stream_bytes: i64,
    /// Whether every stream must have `max_bytes`.
    pub max_bytes_required: bool,
}

impl Default for AccountLimits {
    fn default() -> Self {
        Self {
            max_memory: -1,
            max_storage: -1,
            max_streams: -1,
            max_consumers: -1,
            max_ack_pending: -1,
            memory_max_stream_bytes: -1,
            storage_max_stream_bytes: -1,
            max_bytes_required: false,
        }
    }
}

/// What the server's configuration says for all accounts; 0 is no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerLimits {
    /// Messages of one pull request.
    pub max_request_batch: i64,
    /// Unacknowledged messages of one consumer.
    pub max_ack_pending: i64,
    /// Nanoseconds for which message ids are remembered.
    pub max_duplicate_window: i64,
}

/// Both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The account's.
    pub account: AccountLimits,
    /// The server's.
    pub server: ServerLimits,
}
