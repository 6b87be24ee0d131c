//! What the engine counts besides what each connection does: bumped once a batch or an event, never once a message.

use std::sync::atomic::{AtomicU64, Ordering};

use super::histogram::Histogram;

/// Counters of one engine, all of them since it started.
#[derive(Default)]
pub(crate) struct Counters {
    /// Connections that did not answer PINGs.
    pub(crate) stale: AtomicU64,
    /// Times that a publisher waited for slow subscribers.
    pub(crate) stalls: AtomicU64,
    /// From reading a batch of messages to having written it to those who get it, weighted by its messages.
    pub(crate) delivery: Histogram,
    /// Subjects that were resolved because no thread's cache knew them.
    pub(crate) resolved: AtomicU64,
}

/// One more.
pub(crate) fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
