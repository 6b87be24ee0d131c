//! Traces that wait for what a stream makes of their message.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use parking_lot::Mutex;
use recado_streams::jetstream::Traced;

use super::{Ticket, Trace};

/// Traces that wait at once; further ones are told without what streams make of them.
const WAITING_MAX: usize = 1024;
/// A stream that has said nothing for so long was taken away, or the streams are stuck.
const PATIENCE: Duration = Duration::from_secs(10);

/// The traces that wait, by number.
#[derive(Default)]
pub(crate) struct Pending {
    waiting: Mutex<HashMap<u128, Waiting>>,
    count: AtomicUsize,
}

struct Waiting {
    trace: Trace,
    /// Streams that have not answered.
    left: usize,
    since: Instant,
}

impl Pending {
    /// Whether any waits.
    pub(crate) fn is_any(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Keeps a trace until streams have answered; `Some`: it has nothing to wait for.
    pub(super) fn keep(&self, trace: Trace, now: Instant) -> Option<Trace> {
        if trace.asked == 0 {
            return Some(trace);
        }
        let mut waiting = self.waiting.lock();
        if waiting.len() >= WAITING_MAX {
            return Some(trace);
        }
        let number = trace.number;
        let left = trace.asked;
        let one = Waiting {
            trace,
            left,
            since: now,
        };
        waiting.insert(number, one);
        self.count.store(waiting.len(), Ordering::Relaxed);
        None
    }

    /// Whether the ticket is of a trace that waits: else a client made it up, or it took too long.
    pub(crate) fn knows(&self, ticket: &Ticket) -> bool {
        self.is_any() && self.waiting.lock().contains_key(&ticket.number)
    }

    /// A stream has answered; the trace, if it was the last. `None`: it was for none after all.
    pub(crate) fn answer(&self, ticket: &Ticket, traced: Option<Traced>) -> Option<Trace> {
        let mut waiting = self.waiting.lock();
        let one = waiting.get_mut(&ticket.number)?;
        let event = one.trace.events.get_mut(ticket.event as usize)?;
        if let Some(traced) = traced {
            event.answered(traced);
        }
        one.left = one.left.saturating_sub(1);
        if one.left > 0 {
            return None;
        }
        let done = waiting.remove(&ticket.number);
        self.count.store(waiting.len(), Ordering::Relaxed);
        done.map(|one| one.trace)
    }

    /// Those that waited too long.
    pub(crate) fn overdue(&self, now: Instant) -> Vec<Trace> {
        let mut waiting = self.waiting.lock();
        let late = waiting.extract_if(|_, one| now.duration_since(one.since) > PATIENCE);
        let late = late.map(|(_, one)| one.trace).collect();
        self.count.store(waiting.len(), Ordering::Relaxed);
        late
    }
}
