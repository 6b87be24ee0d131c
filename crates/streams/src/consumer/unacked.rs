//! What is delivered and not acknowledged, and what of it is to be delivered again: by sequence, by time and
//! in turn. Knows neither the stream nor its clients.
//!
//! Messages are first delivered in ascending order, so the table is a queue ordered by both sequences: in at
//! the end, mostly out at the front, and found through the consumer sequence without a search. What leaves
//! from the middle is only marked and is swept once it is more than what is left.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// A message that is delivered and not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unacked {
    /// Sequence in the stream.
    pub(super) stream_seq: u64,
    /// Sequence of its first delivery.
    pub(super) consumer_seq: u64,
    /// When it is delivered again; `i64::MAX` for never by time.
    pub(super) due_ns: i64,
    /// How often it was delivered.
    pub(super) deliveries: u32,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    unacked: Unacked,
    /// The time in the alarm that counts; others for the same message do not. `NO_ALARM` if there is none.
    alarm_ns: i64,
    gone: bool,
    /// Its ticket, while it waits in the queue for its next delivery; else `NO_TICKET`.
    ticket: u64,
    /// Changed since it was last told as progress.
    changed: bool,
}

impl Slot {
    fn is_queued(&self) -> bool {
        self.ticket != NO_TICKET
    }
}

const NO_ALARM: i64 = i64::MAX;
const NO_TICKET: u64 = 0;
/// Below it, sweeping is not worth its while.
const SWEEP_MIN: usize = 64;

/// The messages that are delivered and not acknowledged.
#[derive(Debug, Default)]
pub(super) struct UnackedTable {
    slots: VecDeque<Slot>,
    live: usize,
    redelivered: usize,
    alarms: VecDeque<(i64, u64)>,
    /// Alarms that did not come in the order of time.
    odd_alarms: BinaryHeap<Reverse<(i64, u64)>>,
    /// In turn: ticket and stream sequence. Counts only while the message has that very ticket, so whoever left the queue
    /// and comes back stands at its end.
    queue: VecDeque<(u64, u64)>,
    queued: usize,
    last_ticket: u64,
    /// First deliveries up to this consumer sequence were told as progress.
    told_upto: u64,
    /// Of those, what changed since.
    changed: Vec<u64>,
    /// Of those, what was taken out since.
    taken: Vec<u64>,
}

/// What changed since it was last told.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Sequences that were told and are out.
    pub(super) taken: Vec<u64>,
    /// Those that are new or other than they were, ascending.
    pub(super) changed: Vec<Unacked>,
}

impl UnackedTable {
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// Those that were delivered more than once.
    pub(super) fn redelivered(&self) -> usize {
        self.redelivered
    }

    /// Those that wait for their next delivery.
    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    pub(super) fn first(&self) -> Option<Unacked> {
        self.slots.front().map(|slot| slot.unacked)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Unacked> {
        self.slots
            .iter()
            .filter(|slot| !slot.gone)
            .map(|slot| &slot.unacked)
    }

    /// Takes a message after its first delivery. Sequences ascend; one that does not is not taken.
    pub(super) fn push(&mut self, unacked: Unacked) {
        if self
            .slots
            .back()
            .is_some_and(|last| last.unacked.stream_seq >= unacked.stream_seq)
        {
            debug_assert!(false, "first deliveries ascend");
            return;
        }
        self.slots.push_back(Slot {
            unacked,
            alarm_ns: NO_ALARM,
            gone: false,
            ticket: NO_TICKET,
            changed: false,
        });
        self.live += 1;
        self.redelivered += usize::from(unacked.deliveries > 1);
        let at = self.slots.len() - 1;
        self.set_alarm(at);
    }

    /// Where a message's slot is. `consumer_seq` is where to look first.
    fn find(&self, stream_seq: u64, consumer_seq: u64) -> Option<usize> {
        let first = self.slots.front()?.unacked.consumer_seq;
        let guess = usize::try_from(consumer_seq.wrapping_sub(first)).unwrap_or(usize::MAX);
        let guessed = self
            .slots
            .get(guess)
            .filter(|slot| slot.unacked.stream_seq == stream_seq);
        let at = match guessed {
            Some(_) => guess,
            None => self
                .slots
                .binary_search_by_key(&stream_seq, |slot| slot.unacked.stream_seq)
                .ok()?,
        };
        self.slots.get(at).filter(|slot| !slot.gone).map(|_| at)
    }

    fn live_slot(&mut self, stream_seq: u64, consumer_seq: u64) -> Option<&mut Slot> {
        let at = self.find(stream_seq, consumer_seq)?;
        self.slots.get_mut(at)
    }

    pub(super) fn get(&self, stream_seq: u64) -> Option<Unacked> {
        let at = self.find(stream_seq, 0)?;
        self.slots.get(at).map(|slot| slot.unacked)
    }

    /// Takes a message out. `consumer_seq` is a guess at the sequence of its first delivery.
    pub(super) fn remove(&mut self, stream_seq: u64, consumer_seq: u64) -> Option<Unacked> {
        let slot = self.live_slot(stream_seq, consumer_seq)?;
        slot.gone = true;
        let (unacked, queued) = (slot.unacked, slot.is_queued());
        if unacked.consumer_seq <= self.told_upto {
            self.taken.push(stream_seq);
        }
        self.live -= 1;
        self.redelivered -= usize::from(unacked.deliveries > 1);
        self.queued -= usize::from(queued);
        self.sweep();
        Some(unacked)
    }

    /// Takes out the first message, if its sequence is not above `stream_seq`.
    pub(super) fn remove_first_upto(&mut self, stream_seq: u64) -> Option<Unacked> {
        let first = self
            .first()
            .filter(|first| first.stream_seq <= stream_seq)?;
        self.remove(first.stream_seq, first.consumer_seq)
    }

    /// Puts off (or brings forward) a message's next delivery; out of the queue, if it was in it.
    pub(super) fn put_off(&mut self, stream_seq: u64, consumer_seq: u64, due_ns: i64) -> bool {
        let Some(at) = self.find(stream_seq, consumer_seq) else {
            return false;
        };
        self.put_off_at(at, due_ns);
        true
    }

    fn put_off_at(&mut self, at: usize, due_ns: i64) {
        if let Some(slot) = self.slots.get_mut(at) {
            slot.unacked.due_ns = due_ns;
            self.queued -= usize::from(slot.is_queued());
            slot.ticket = NO_TICKET;
            self.set_changed(at);
            self.set_alarm(at);
        }
    }

    fn set_changed(&mut self, at: usize) {
        let told_upto = self.told_upto;
        let told = self
            .slots
            .get_mut(at)
            .filter(|slot| slot.unacked.consumer_seq <= told_upto);
        if let Some(slot) = told
            && !std::mem::replace(&mut slot.changed, true)
        {
            self.changed.push(slot.unacked.stream_seq);
        }
    }

    /// Sets anew when each message that is not in the queue is due.
    pub(super) fn put_off_all(&mut self, due_ns: impl Fn(&Unacked) -> i64) {
        self.alarms.clear();
        self.odd_alarms.clear();
        for at in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(at) else {
                break;
            };
            slot.alarm_ns = NO_ALARM;
            if !slot.gone && !slot.is_queued() {
                slot.unacked.due_ns = due_ns(&slot.unacked);
                self.set_changed(at);
                self.set_alarm(at);
            }
        }
    }

    /// Counts one delivery more, of a message that was taken from the queue.
    pub(super) fn redeliver(&mut self, stream_seq: u64, due_ns: i64) {
        let Some(at) = self.find(stream_seq, 0) else {
            return;
        };
        if let Some(slot) = self.slots.get_mut(at) {
            self.redelivered += usize::from(slot.unacked.deliveries == 1);
            slot.unacked.deliveries = slot.unacked.deliveries.saturating_add(1);
        }
        self.put_off_at(at, due_ns);
    }

    /// Queues a message for its next delivery.
    pub(super) fn queue(&mut self, stream_seq: u64) {
        let ticket = self.last_ticket + 1;
        let slot = self.live_slot(stream_seq, 0);
        let Some(slot) = slot.filter(|slot| !slot.is_queued()) else {
            return;
        };
        slot.ticket = ticket;
        self.last_ticket = ticket;
        self.queued += 1;
        self.queue.push_back((ticket, stream_seq));
        self.sweep_queue();
    }

    /// Whether a message waits for its next delivery.
    pub(super) fn is_queued(&self, stream_seq: u64) -> bool {
        let slot = self.find(stream_seq, 0).and_then(|at| self.slots.get(at));
        slot.is_some_and(Slot::is_queued)
    }

    /// The message that is to be delivered again next; it stays in the queue.
    pub(super) fn next_queued(&mut self) -> Option<Unacked> {
        while let Some(&place) = self.queue.front() {
            if let Some(unacked) = self.waiting_at(place) {
                return Some(unacked);
            }
            self.queue.pop_front();
        }
        None
    }

    /// A message that is due; its alarm is used up.
    pub(super) fn next_due(&mut self, now_ns: i64) -> Option<Unacked> {
        while self
            .next_alarm_ns()
            .is_some_and(|alarm_ns| alarm_ns <= now_ns)
        {
            let (alarm_ns, stream_seq) = self.pop_alarm()?;
            let Some(at) = self.find(stream_seq, 0) else {
                continue;
            };
            let Some(slot) = self.slots.get_mut(at) else {
                continue;
            };
            if slot.alarm_ns != alarm_ns {
                continue;
            }
            slot.alarm_ns = NO_ALARM;
            if slot.is_queued() {
                continue;
            }
            if slot.unacked.due_ns <= now_ns {
                return Some(slot.unacked);
            }
            self.set_alarm(at);
        }
        None
    }

    /// When to call [`Self::next_due`]; it may find nothing then.
    pub(super) fn next_alarm_ns(&self) -> Option<i64> {
        let odd = self.odd_alarms.peek().map(|Reverse(alarm)| alarm.0);
        let even = self.alarms.front().map(|alarm| alarm.0);
        odd.into_iter().chain(even).min()
    }

    fn pop_alarm(&mut self) -> Option<(i64, u64)> {
        let odd = self.odd_alarms.peek().map(|Reverse(alarm)| *alarm);
        match (odd, self.alarms.front()) {
            (Some(odd), Some(&even)) if odd < even => {
                self.odd_alarms.pop().map(|Reverse(alarm)| alarm)
            }
            (_, Some(_)) => self.alarms.pop_front(),
            (_, None) => self.odd_alarms.pop().map(|Reverse(alarm)| alarm),
        }
    }

    /// One alarm for a message is enough, if it is not late: it is set again when it finds the message put off.
    fn set_alarm(&mut self, at: usize) {
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        let (due_ns, stream_seq) = (slot.unacked.due_ns, slot.unacked.stream_seq);
        if slot.alarm_ns <= due_ns {
            return;
        }
        slot.alarm_ns = due_ns;
        if self.alarms.back().is_none_or(|last| last.0 <= due_ns) {
            self.alarms.push_back((due_ns, stream_seq));
        } else {
            self.odd_alarms.push(Reverse((due_ns, stream_seq)));
        }
        self.sweep_alarms();
    }

    /// Keeps what is gone below what is there, wherever it lies; each step is paid for by a removal.
    fn sweep(&mut self) {
        while self.slots.front().is_some_and(|slot| slot.gone) {
            self.slots.pop_front();
        }
        if self.slots.len() > 2 * self.live + SWEEP_MIN {
            self.slots.retain(|slot| !slot.gone);
        }
        let first = self
            .slots
            .front()
            .map_or(u64::MAX, |slot| slot.unacked.stream_seq);
        while self.alarms.front().is_some_and(|alarm| alarm.1 < first) {
            self.alarms.pop_front();
        }
        self.sweep_alarms();
        self.sweep_queue();
    }

    fn sweep_queue(&mut self) {
        if self.queue.len() > 2 * self.queued + SWEEP_MIN {
            let mut queue = std::mem::take(&mut self.queue);
            queue.retain(|&place| self.waiting_at(place).is_some());
            self.queue = queue;
        }
    }

    fn sweep_alarms(&mut self) {
        let bound = 2 * self.live + SWEEP_MIN;
        if self.alarms.len() > bound {
            let mut alarms = std::mem::take(&mut self.alarms);
            alarms.retain(|alarm| self.counts(*alarm));
            self.alarms = alarms;
        }
        if self.odd_alarms.len() > bound {
            let mut alarms = std::mem::take(&mut self.odd_alarms);
            alarms.retain(|Reverse(alarm)| self.counts(*alarm));
            self.odd_alarms = alarms;
        }
    }

    fn counts(&self, alarm: (i64, u64)) -> bool {
        let slot = self.find(alarm.1, 0).and_then(|at| self.slots.get(at));
        slot.is_some_and(|slot| slot.alarm_ns == alarm.0)
    }

    /// The message that waits at a place of the queue, if it has not left it.
    fn waiting_at(&self, (ticket, stream_seq): (u64, u64)) -> Option<Unacked> {
        let slot = self.find(stream_seq, 0).and_then(|at| self.slots.get(at));
        let slot = slot.filter(|slot| slot.ticket == ticket)?;
        Some(slot.unacked)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What changed since the last call; deliveries up to `delivered` are told then.
    pub(super) fn take_changes(&mut self, delivered: u64) -> Changes {
        let told_upto = std::mem::replace(&mut self.told_upto, delivered);
        let mut sequences = std::mem::take(&mut self.changed);
        sequences.sort_unstable();
        let mut changed = Vec::with_capacity(sequences.len());
        for stream_seq in sequences {
            if let Some(slot) = self.live_slot(stream_seq, 0) {
                slot.changed = false;
                changed.push(slot.unacked);
            }
        }
        let known = self
            .slots
            .partition_point(|slot| slot.unacked.consumer_seq <= told_upto);
        let new = self.slots.range(known..).filter(|slot| !slot.gone);
        changed.extend(new.map(|slot| slot.unacked));
        Changes {
            taken: std::mem::take(&mut self.taken),
            changed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn unacked(stream_seq: u64, consumer_seq: u64, due_ns: i64) -> Unacked {
        Unacked {
            stream_seq,
            consumer_seq,
            due_ns,
            deliveries: 1,
        }
    }

    #[test]
    fn one_message_that_is_never_acknowledged_does_not_keep_the_room_of_all_others() {
        let mut table = UnackedTable::default();
        for seq in 1..=100_000 {
            table.push(unacked(seq, seq, 1_000_000 + seq as i64));
            if seq > 1 {
                table.remove(seq, seq);
            }
        }
        assert_eq!(table.len(), 1);
        assert!(
            table.slots.len() < 200 && table.alarms.len() < 200,
            "{} {}",
            table.slots.len(),
            table.alarms.len()
        );
    }

    #[test]
    fn a_message_that_is_put_off_for_ever_has_one_alarm() {
        let mut table = UnackedTable::default();
        table.push(unacked(1, 1, 100));
        for now in 1..10_000 {
            table.put_off(1, 1, now + 100);
            assert_eq!(table.next_due(now), None);
        }
        assert!(table.alarms.len() + table.odd_alarms.len() <= 2);
        assert_eq!(table.next_due(20_000).map(|due| due.stream_seq), Some(1));
    }

    #[test]
    fn refusing_again_and_again_without_a_delivery_fills_nothing() {
        let mut table = UnackedTable::default();
        table.push(unacked(1, 1, 100));
        table.push(unacked(2, 2, 100));
        for now in 0..10_000 {
            table.queue(1);
            table.put_off(1, 1, 1_000_000 - now);
            table.push(unacked(now as u64 + 3, now as u64 + 3, 100));
            table.remove(now as u64 + 3, 0);
        }
        assert!(table.queue.len() < 200 && table.odd_alarms.len() < 200);
    }

    proptest! {
        #[test]
        fn alarms_ring_for_exactly_what_is_due(
            steps in prop::collection::vec((0u8..6, 0u64..40, 0i64..50), 1..300),
        ) {
            let mut table = UnackedTable::default();
            let mut model: BTreeMap<u64, i64> = BTreeMap::new();
            let (mut now, mut last) = (0i64, 0u64);
            for (what, which, by) in steps {
                let chosen = model.keys().nth(which as usize % model.len().max(1)).copied();
                match (what, chosen) {
                    (0 | 1, _) => {
                        last += 1 + which % 3;
                        table.push(unacked(last, last, now + by));
                        model.insert(last, now + by);
                    }
                    (2, Some(seq)) => {
                        prop_assert!(table.remove(seq, which).is_some());
                        model.remove(&seq);
                    }
                    (3, Some(seq)) => {
                        prop_assert!(table.put_off(seq, which, now + by));
                        model.insert(seq, now + by);
                    }
                    _ => now += by,
                }
                let mut due = Vec::new();
                while let Some(found) = table.next_due(now) {
                    due.push(found.stream_seq);
                }
                due.sort_unstable();
                let expected: Vec<u64> = model.iter().filter(|(_, due)| **due <= now).map(|(seq, _)| *seq).collect();
                prop_assert_eq!(&due, &expected);
                for seq in due {
                    table.put_off(seq, 0, now + 7);
                    model.insert(seq, now + 7);
                }
                let next = model.values().min().copied();
                prop_assert!(table.next_alarm_ns() <= next || next.is_none());
                prop_assert_eq!(table.iter().map(|one| one.stream_seq).collect::<Vec<_>>(),
                    model.keys().copied().collect::<Vec<_>>());
            }
        }
    }
}
