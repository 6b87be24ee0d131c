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
