//! What a server and an account allow their streams and consumers.

use serde::Serialize;

use super::stream::{Storage, StreamConfig};
use crate::error::{
    ApiError, MAXIMUM_CONSUMERS_LIMIT, MAXIMUM_STREAMS_LIMIT, MEMORY_RESOURCES_EXCEEDED,
    STORAGE_RESOURCES_EXCEEDED,
};

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

/// What the server's configuration says for all accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Bytes that all streams in memory may reserve; -1 for any.
    pub max_memory: i64,
    /// Bytes that all streams in the log may reserve; -1 for any.
    pub max_storage: i64,
    /// Messages of one pull request; 0 for any.
    pub max_request_batch: i64,
    /// Unacknowledged messages of one consumer; 0 for any.
    pub max_ack_pending: i64,
    /// Consumers of a stream where neither it nor its account has a limit; 0 for any.
    pub default_max_consumers: i64,
    /// Nanoseconds for which message ids are remembered; 0 for any.
    pub max_duplicate_window: i64,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            max_memory: -1,
            max_storage: -1,
            max_request_batch: 0,
            max_ack_pending: 0,
            default_max_consumers: 0,
            max_duplicate_window: 0,
        }
    }
}

/// What other streams of the same storage take, and how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The `max_bytes` of the account's other streams, where they have one.
    pub by_account: i64,
    /// The same of all accounts, the stream itself included if it is there already.
    pub by_all: i64,
    /// The account's other streams, whatever their storage.
    pub streams: i64,
}

/// Both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The account's.
    pub account: AccountLimits,
    /// The server's.
    pub server: ServerLimits,
}

impl Limits {
    /// Whether there is room for a stream beside the others (E230, E231). `config` is normalised;
    /// `previous` is what it replaces in an update.
    ///
    /// # Errors
    /// 10026, 10027, 10028, 10047.
    pub fn check_room(
        &self,
        config: &StreamConfig,
        previous: Option<&StreamConfig>,
        taken: &Taken,
    ) -> Result<(), ApiError> {
        let account = &self.account;
        let refuse_if = |wrong, kind| {
            if wrong {
                Err(ApiError::new(kind))
            } else {
                Ok(())
            }
        };
        let many = account.max_streams > 0 && taken.streams >= account.max_streams;
        refuse_if(many && previous.is_none(), &MAXIMUM_STREAMS_LIMIT)?;
        let consumers = config.max_consumers;
        let many = account.max_consumers > 0 && consumers > account.max_consumers;
        refuse_if(many, &MAXIMUM_CONSUMERS_LIMIT)?;
        let (of_account, of_server, kind) = match config.storage {
            Storage::Memory => (
                account.max_memory,
                self.server.max_memory,
                &MEMORY_RESOURCES_EXCEEDED,
            ),
            Storage::File => (
                account.max_storage,
                self.server.max_storage,
                &STORAGE_RESOURCES_EXCEEDED,
            ),
        };
        // A stream without a bound needs room for at least one byte.
        let whole = if config.max_bytes < 0 {
            1
        } else {
            config.max_bytes
        };
        let added = match previous {
            Some(previous) => (config.max_bytes.max(0) - previous.max_bytes.max(0)).max(0),
            None => whole,
        };
        let in_all = if previous.is_some() {
            config.max_bytes.max(0)
        } else {
            whole
        };
        let exceeds =
            |max: i64, taken: i64, more: i64| max >= 0 && taken.saturating_add(more) > max;
        refuse_if(exceeds(of_account, taken.by_account, in_all), kind)?;
        refuse_if(exceeds(of_server, taken.by_all, added), kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(max_bytes: i64) -> StreamConfig {
        StreamConfig {
            max_bytes,
            max_consumers: -1,
            ..StreamConfig::default()
        }
    }

    fn limits() -> Limits {
        let mut limits = Limits::default();
        limits.account.max_storage = 100;
        limits.account.max_streams = 2;
        limits.account.max_consumers = 5;
        limits
    }

    fn code(config: &StreamConfig, previous: Option<&StreamConfig>, taken: Taken) -> u16 {
        let result = limits().check_room(config, previous, &taken);
        result.map_or_else(|error| error.err_code, |()| 0)
    }

    #[test]
    fn what_is_reserved_stays_within_the_account() {
        let taken = Taken {
            by_account: 60,
            by_all: 60,
            streams: 1,
        };
        assert_eq!(code(&stream(40), None, taken), 0);
        assert_eq!(code(&stream(41), None, taken), 10047);
        assert_eq!(code(&stream(41), Some(&stream(10)), taken), 10047);
        assert_eq!(code(&stream(-1), None, taken), 0);
        let full = Taken {
            by_account: 100,
            ..taken
        };
        assert_eq!(code(&stream(-1), None, full), 10047);
        assert_eq!(code(&stream(-1), Some(&stream(-1)), full), 0);
    }

    #[test]
    fn the_server_counts_what_an_update_adds_only() {
        let mut limits = Limits::default();
        limits.server.max_storage = 100;
        let taken = Taken {
            by_account: 0,
            by_all: 90,
            streams: 0,
        };
        let larger = stream(60);
        assert_eq!(
            limits.check_room(&larger, Some(&stream(50)), &taken),
            Ok(())
        );
        assert!(
            limits
                .check_room(&larger, Some(&stream(40)), &taken)
                .is_err()
        );
    }

    #[test]
    fn streams_and_consumers_are_counted() {
        let taken = Taken {
            streams: 2,
            ..Taken::default()
        };
        assert_eq!(code(&stream(1), None, taken), 10027);
        assert_eq!(code(&stream(1), Some(&stream(1)), taken), 0);
        let mut many = stream(1);
        many.max_consumers = 6;
        assert_eq!(code(&many, None, Taken::default()), 10026);
    }
}
