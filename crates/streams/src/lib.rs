//! Streams and consumers, the JetStream API, key-value and object rules, as state machines without I/O:
//! messages, the time and a journal go in; messages come out.
#![forbid(unsafe_code)]

pub mod accounts;
pub mod api;
pub mod config;
pub mod consumer;
pub mod context;
pub mod error;
pub mod index;
pub mod jetstream;
mod stream;
pub mod time;

/// The stream's name in the record of its configuration, if this is one; `account > name` where it belongs to an
/// account of its own.
pub fn stream_name_of(record: &recado_log::Record<'_>) -> Option<String> {
    use stream::kinds::{STREAM_CONFIG, STREAM_CONFIG_OF_ACCOUNT};
    if !matches!(record.kind, STREAM_CONFIG | STREAM_CONFIG_OF_ACCOUNT) {
        return None;
    }
    let (account, name) = match stream::StoredStream::from_bytes(record.payload) {
        Ok(stored) => (stored.account, stored.config.name),
        Err(unsupported) if unsupported.name.is_empty() => return None,
        Err(unsupported) => (unsupported.account, unsupported.name),
    };
    Some(match account {
        Some(account) => format!("{account} > {name}"),
        None => name,
    })
}
