//! Traces that wait for what a stream makes of their message.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use parking_lot::Mutex;
use recado_streams::jetstream::Traced;

use super::{Ticket, Trace};

/// Traces that wait at once; further ones are told without what streams make of them.
const WAITING_MAX: usize = 1024;
/// Bytes of all traces that wait: each keeps all headers of its message, and what its events name.
const WAITING_BYTES_MAX: usize = 32 * 1024 * 1024;
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
    bytes: usize,
}

struct Waiting {
    trace: Trace,
    /// That it takes.
    bytes: usize,
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
        let bytes = trace.bytes();
        let mut room = self.room.lock();
        if room.waiting.len() >= WAITING_MAX || room.bytes + bytes > WAITING_BYTES_MAX {
            return Some(trace);
        }
        room.bytes += bytes;
        let one = Waiting {
            bytes,
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
        let mut held = self.room.lock();
        let room = &mut *held;
        let one = room.waiting.get_mut(&ticket.number)?;
        let event = one.trace.events.get_mut(ticket.event as usize)?;
        if let Some(traced) = traced {
            let before = event.bytes();
            event.answered(traced);
            let more = event.bytes().saturating_sub(before);
            one.bytes += more;
            room.bytes += more;
        }
        one.left = one.left.saturating_sub(1);
        if one.left > 0 {
            return None;
        }
        let done = room.waiting.remove(&ticket.number)?;
        self.left(room, &done);
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
        room.bytes = room.bytes.saturating_sub(gone.bytes);
        self.count.store(room.waiting.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::account::Account;
    use crate::engine::msg_trace::asked::Wish;
    use crate::engine::msg_trace::event::Event;
    use crate::internal_client::tests::{engine, run};

    const HEADER_BYTES: usize = 1024 * 1024;

    /// A trace of a message with one long header, which a stream was asked about.
    fn long(account: &Arc<Account>, number: u128) -> Trace {
        let header = "x".repeat(HEADER_BYTES);
        let block = format!("NATS/1.0\r\nNats-Trace-Dest: t\r\nA: {header}\r\n\r\n");
        Trace {
            account: Arc::clone(account),
            wish: Wish::read(block.as_bytes()).unwrap(),
            size: block.len(),
            events: vec![Event::stream()],
            number,
            asked: 1,
        }
    }

    #[test]
    fn traces_wait_as_long_as_there_is_room_for_what_they_keep() {
        run(async {
            let engine = engine();
            let account = engine.accounts.global();
            let (pending, now) = (Pending::default(), Instant::now());
            let mut number = 0;
            while pending.keep(long(account, number), now).is_none() {
                number += 1;
            }
            let room = (WAITING_BYTES_MAX / HEADER_BYTES) as u128;
            assert_eq!(number, room - 1, "of so many, with what else they keep");
            // What was answered makes room, however long the answer.
            let ticket = |number| Ticket {
                number,
                event: 0,
                only: false,
            };
            let traced = Traced {
                stream: "S".repeat(HEADER_BYTES),
                subject: b"s".to_vec(),
                no_interest: false,
                error: None,
            };
            assert!(pending.answer(&ticket(0), Some(traced)).is_some());
            assert!(pending.keep(long(account, number), now).is_none());
            assert!(pending.keep(long(account, number + 1), now).is_some());
            let late = pending.overdue(now + 2 * PATIENCE);
            assert_eq!(late.len() as u128, room - 1);
            assert!(!pending.is_any());
            assert_eq!(pending.room.lock().bytes, 0);
        });
    }
}
