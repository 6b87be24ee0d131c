//! What all clients of one run look at: when to end, how much is due, how far they are.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Not known yet.
const UNKNOWN: u64 = u64::MAX;

/// One run's common state. The counters are for those who look on; each client has its own exact ones.
pub(super) struct Shared {
    /// When the clients began.
    pub(super) start: Instant,
    /// When they are to end, whatever is left.
    until: Option<Instant>,
    /// Somebody has ended it, or a client has failed.
    stopped: AtomicBool,
    /// How many messages each subscriber (or the queue group) is due.
    due: AtomicU64,
    /// When that became known, in nanoseconds from the start.
    due_since: AtomicU64,
    /// Messages published, or requests sent.
    pub(super) sent: AtomicU64,
    /// Messages delivered, or requests answered.
    pub(super) received: AtomicU64,
    /// When the first and the last message came, in nanoseconds from the start.
    first: AtomicU64,
    last: AtomicU64,
}

impl Shared {
    /// The start is now.
    pub(super) fn new(duration: Option<Duration>, due: Option<u64>) -> Self {
        let start = Instant::now();
        Self {
            start,
            until: duration.map(|length| start + length),
            stopped: AtomicBool::new(false),
            due: AtomicU64::new(due.unwrap_or(UNKNOWN)),
            due_since: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            first: AtomicU64::new(UNKNOWN),
            last: AtomicU64::new(0),
        }
    }

    /// Whether it is time to end.
    pub(super) fn is_over(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
            || self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Whether somebody has ended it before its time.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Ends it.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// How many are due, once that is known.
    pub(super) fn due(&self) -> Option<u64> {
        match self.due.load(Ordering::Acquire) {
            UNKNOWN => None,
            due => Some(due),
        }
    }

    /// All publishers are done. From now on, silence means that nothing more comes.
    pub(super) fn set_due(&self, due: u64) {
        let now = self.nanos(Instant::now());
        self.due_since.store(now, Ordering::Relaxed);
        self.due.store(due, Ordering::Release);
    }

    /// Notes messages that came at this time.
    pub(super) fn came(&self, messages: u64, at: Instant) {
        let nanos = self.nanos(at);
        self.received.fetch_add(messages, Ordering::Relaxed);
        self.first.fetch_min(nanos, Ordering::Relaxed);
        self.last.fetch_max(nanos, Ordering::Relaxed);
    }

    /// When the first message came.
    pub(super) fn first(&self) -> Option<Instant> {
        match self.first.load(Ordering::Relaxed) {
            UNKNOWN => None,
            nanos => Some(self.start + Duration::from_nanos(nanos)),
        }
    }

    /// For how long nothing has come to anybody, and nothing was published either.
    pub(super) fn silence(&self) -> Duration {
        let last = self.last.load(Ordering::Relaxed);
        let last = last.max(self.due_since.load(Ordering::Relaxed));
        self.start
            .elapsed()
            .saturating_sub(Duration::from_nanos(last))
    }

    fn nanos(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.start).as_nanos();
        u64::try_from(since).unwrap_or(UNKNOWN - 1)
    }
}
