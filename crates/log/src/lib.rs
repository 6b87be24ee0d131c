//! The durable log: everything that must outlive the process, in one sequence of records.
//!
//! Its owner appends records to a batch; a committer writes and syncs whole batches and tells how far the
//! log is durable. Nothing here knows what a record means, and nothing runs by itself: threads, clocks and
//! chance belong to whoever uses it.
#![forbid(unsafe_code)]

mod journal;

pub use journal::{CONTROL_KIND_MIN, Damaged, Entry, Journal, Location, Position, Record, Refused};
