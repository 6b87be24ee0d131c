//! Streams and consumers, the JetStream API, key-value and object rules, as state machines without I/O:
//! messages, the time and a journal go in; messages come out.
#![forbid(unsafe_code)]

pub mod api;
pub mod config;
pub mod consumer;
pub mod context;
pub mod error;
pub mod index;
pub mod jetstream;
mod stream;
pub mod time;

/// The stream's name in the record of its configuration, if this is one.
pub fn stream_name_of(record: &recado_log::Record<'_>) -> Option<String> {
    if record.kind != stream::kinds::STREAM_CONFIG {
        return None;
    }
    let stored = stream::StoredStream::from_bytes(record.payload).ok()?;
    Some(stored.config.name)
}
