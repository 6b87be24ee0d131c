//! How long acknowledgements waited for the disk: noted once a turn and once a batch, never once a message.

use std::time::Instant;

use super::inquiries::StoreCounters;

/// Turns of one batch that are told apart. The rest of a batch counts as taken with the last of them, which makes
/// it look a little older than it is.
const TURNS_MAX: usize = 64;

/// Who waits since when.
#[derive(Debug)]
pub(super) struct Waits {
    turn_began: Instant,
    /// Acknowledgements that were known when the last turn was noted.
    known: u64,
    open: Vec<Taken>,
    sealed: Vec<Taken>,
}

/// So many acknowledgements came of what one turn took.
#[derive(Clone, Copy, Debug)]
struct Taken {
    at: Instant,
    count: u64,
}

impl Waits {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            turn_began: now,
            known: 0,
            open: Vec::new(),
            sealed: Vec::new(),
        }
    }

    /// Frames were taken.
    pub(super) fn turn_begins(&mut self, now: Instant) {
        self.turn_began = now;
    }

    /// So many acknowledgements are known by now: those that are new came of this turn.
    pub(super) fn note(&mut self, so_far: u64) {
        let count = so_far.saturating_sub(self.known);
        self.known = so_far;
        if count == 0 {
            return;
        }
        let is_full = self.open.len() >= TURNS_MAX;
        match self.open.last_mut() {
            Some(last) if is_full => last.count += count,
            _ => self.open.push(Taken {
                at: self.turn_began,
                count,
            }),
        }
    }

    /// What was noted goes to the disk.
    pub(super) fn seal(&mut self) {
        self.sealed.append(&mut self.open);
    }

    /// What went to the disk is there, and its acknowledgements have left.
    pub(super) fn durable(&mut self, now: Instant, counters: &StoreCounters) {
        for taken in self.sealed.drain(..) {
            let took = now.saturating_duration_since(taken.at);
            counters.durable.add(took, taken.count);
        }
    }

    /// Nobody waits any more: all were refused.
    pub(super) fn forget(&mut self) {
        self.open.clear();
        self.sealed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_turns_acknowledgements_wait_from_when_it_began() {
        let start = Instant::now();
        let at = |us| start + Duration::from_micros(us);
        let counters = StoreCounters::default();
        let mut waits = Waits::new(start);
        waits.turn_begins(at(0));
        waits.note(3);
        waits.turn_begins(at(900));
        waits.note(3);
        waits.note(5);
        waits.seal();
        waits.turn_begins(at(950));
        waits.note(6);
        waits.durable(at(1000), &counters);
        let read = counters.durable.read();
        assert_eq!(read.buckets.iter().sum::<u64>(), 5);
        assert_eq!(read.sum_ns, 3 * 1_000_000 + 2 * 100_000);
        waits.forget();
        waits.durable(at(2000), &counters);
        assert_eq!(counters.durable.read(), read);
    }

    #[test]
    fn turns_that_are_not_told_apart_are_still_counted() {
        let start = Instant::now();
        let counters = StoreCounters::default();
        let mut waits = Waits::new(start);
        for turn in 1..=200 {
            waits.turn_begins(start);
            waits.note(turn);
        }
        assert_eq!(waits.open.len(), TURNS_MAX);
        waits.seal();
        waits.durable(start, &counters);
        assert_eq!(counters.durable.read().buckets.iter().sum::<u64>(), 200);
    }
}
