//! Load generators that cost far less than the servers they measure.
//!
//! A row of the benchmark is one workload against one server: it says how many messages went in,
//! how many came out, what the server paid for them in CPU time and memory, and what the
//! generator itself paid. Publishers write blocks that were rendered beforehand; subscribers
//! compare what they read with what they must read, byte for byte, instead of parsing it, so
//! that every message is counted and none can be lost, doubled, damaged or out of order unseen.
//!
//! Nothing here is part of the server or the client, and neither may use it. It speaks to
//! loopback only unless it is told an address, and every run is bounded in time.
#![forbid(unsafe_code)]

mod channel;
mod client;
mod disk;
mod error;
pub mod floor;
mod frames;
mod incoming;
mod jetstream;
mod meter;
pub mod outcome;
pub mod rows;
pub mod soak;
pub mod target;

pub use error::{Error, Result};
