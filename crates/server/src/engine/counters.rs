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
    pub(crate) routes: RouteCounters,
}

/// How subjects find whom they reach.
#[derive(Default)]
pub(crate) struct RouteCounters {
    /// Subjects that were resolved because the thread's cache did not know them.
    pub(crate) resolved: AtomicU64,
    /// Subscriptions and queue groups that those reach, together.
    pub(crate) fanout: AtomicU64,
    /// The most that one of them reaches.
    pub(crate) fanout_max: AtomicU64,
    /// Routes that the threads' caches hold now.
    pub(crate) cached: AtomicU64,
}

/// The same of one thread, until its batch ends.
#[derive(Default)]
pub(crate) struct Resolved {
    count: u64,
    fanout: u64,
    fanout_max: u64,
    /// Routes that the thread's cache held when this was last told.
    cached: usize,
}

impl Resolved {
    /// A subject was resolved, and reaches so many.
    pub(crate) fn note(&mut self, fanout: usize) {
        let fanout = fanout as u64;
        self.count += 1;
        self.fanout += fanout;
        self.fanout_max = self.fanout_max.max(fanout);
    }

    /// Tells what was noted since the last time, if anything was.
    pub(crate) fn tell(&mut self, routes: &RouteCounters, cached: usize) {
        if self.count == 0 {
            return;
        }
        routes.resolved.fetch_add(self.count, Ordering::Relaxed);
        routes.fanout.fetch_add(self.fanout, Ordering::Relaxed);
        routes
            .fanout_max
            .fetch_max(self.fanout_max, Ordering::Relaxed);
        // Wraps around where there are fewer than before.
        let grown = (cached as u64).wrapping_sub(self.cached as u64);
        routes.cached.fetch_add(grown, Ordering::Relaxed);
        *self = Self {
            cached,
            ..Self::default()
        };
    }
}

/// One more.
pub(crate) fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
