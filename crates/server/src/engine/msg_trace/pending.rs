//! Traces that wait for what a stream makes of their message.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use parking_lot::Mutex;
use recado_streams::jetstream::Traced;

use super::{Ticket, Trace};

/// Traces that wait at once; further ones are told without what streams make of them.
const WAITING_MAX: usize = 1024;
/// Events of all traces that wait, some hundred bytes each.
const WAITING_EVENTS_MAX: usize = 100_000;
/// A stream that has said nothing for so long was taken away, or the streams are stuck.
const PATIENCE: Duration = Duration::from_secs(10);

/// The traces that wait, by number.
#[derive(Default)]
pub(crate) struct Pending {
    room: Mutex<Room>,
    count: AtomicUsize,
}

#[derive(Default)]
struct Room {
    waiting: HashMap<u128, Waiting>,
    /// Of all of them.
    events: usize,
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
        let mut room = self.room.lock();
        let events = room.events + trace.events.len();
        if room.waiting.len() >= WAITING_MAX || events > WAITING_EVENTS_MAX {
            return Some(trace);
        }
        room.events = events;
        let one = Waiting {
            left: trace.asked,
            since: now,
            trace,
        };
        room.waiting.insert(one.trace.number, one);
        self.count.store(room.waiting.len(), Ordering::Relaxed);
        None
    }

    /// Whether the ticket is of a trace that waits: else a client made it up, or it took too long.
    pub(crate) fn knows(&self, ticket: &Ticket) -> bool {
        self.room.lock().waiting.contains_key(&ticket.number)
    }

    /// A stream has answered; the trace, if it was the last. `None`: it was for none after all.
    pub(crate) fn answer(&self, ticket: &Ticket, traced: Option<Traced>) -> Option<Trace> {
        let mut room = self.room.lock();
        let one = room.waiting.get_mut(&ticket.number)?;
        let event = one.trace.events.get_mut(ticket.event as usize)?;
        if let Some(traced) = traced {
            event.answered(traced);
        }
        one.left = one.left.saturating_sub(1);
        if one.left > 0 {
            return None;
        }
        let done = room.waiting.remove(&ticket.number)?;
        self.left(&mut room, &done);
        Some(done.trace)
    }

    /// Those that waited too long.
    pub(crate) fn overdue(&self, now: Instant) -> Vec<Trace> {
        let mut room = self.room.lock();
        let late = |one: &Waiting| now.duration_since(one.since) > PATIENCE;
        let late = room.waiting.extract_if(|_, one| late(one));
        let late: Vec<Waiting> = late.map(|(_, one)| one).collect();
        for one in &late {
            self.left(&mut room, one);
        }
        late.into_iter().map(|one| one.trace).collect()
    }

    fn left(&self, room: &mut Room, gone: &Waiting) {
        room.events = room.events.saturating_sub(gone.trace.events.len());
        self.count.store(room.waiting.len(), Ordering::Relaxed);
    }
}
