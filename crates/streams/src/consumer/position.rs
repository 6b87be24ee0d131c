//! How far a consumer has come in its stream, and how many messages are still ahead of it. Counting is
//! incremental: each message is counted once, when it is there, and taken off once.

use super::source::Source;
use crate::config::{ConsumerConfig, DeliverPolicy};
use crate::index::{Filters, Scan};

/// The highest sequence that a consumer may be told to begin with: there must be others around it.
pub(super) const SEQUENCE_MAX: u64 = u64::MAX - 2;
/// Below it, new messages are looked at one by one.
const COUNT_SINGLY_MAX: u64 = 16;

/// Place in the stream.
#[derive(Debug)]
pub(super) struct Position {
    /// Every message below it was delivered, passed over or is none of ours.
    next: u64,
    /// Messages from `next` on that are there and match: the exact `num_pending`, as far as counted.
    ahead: u64,
    /// Up to here messages are counted in `ahead`.
    counted_to: u64,
    /// With `last_per_subject`, until these are through.
    picked: Option<Picked>,
}

/// The messages that are delivered before it goes on as usual.
#[derive(Debug)]
struct Picked {
    /// Ascending. Those that are no longer there stay in it; they are not counted.
    sequences: Vec<u64>,
    at: usize,
    /// Goes on behind it.
    resume_after: u64,
}

impl Position {
    /// Where a new consumer begins.
    pub(super) fn begin(
        config: &ConsumerConfig,
        filters: &mut Filters,
        source: &mut dyn Source,
    ) -> Self {
        let (first, last) = (source.first_sequence().max(1), source.last_sequence());
        let mut picked = None;
        let start = match config.deliver_policy {
            DeliverPolicy::All => first,
            DeliverPolicy::New => last + 1,
            // Without a match: other filters may find one in what is there.
            DeliverPolicy::Last => source.last_matching(filters).unwrap_or(first),
            DeliverPolicy::ByStartSequence => config.opt_start_seq.min(SEQUENCE_MAX),
            DeliverPolicy::ByStartTime => config
                .opt_start_time
                .and_then(|time_ns| source.first_at_or_after(time_ns))
                .unwrap_or(last + 1),
            DeliverPolicy::LastPerSubject => {
                picked = Some(last);
                first
            }
        };
        let mut position = Self::at(start.max(first), picked, filters, source);
        if let Some(picked) = &position.picked {
            match picked.sequences.first() {
                Some(first) => position.next = *first,
                None => {
                    position.next = last.max(first);
                    position.picked = None;
                }
            }
        }
        position
    }

    /// At a sequence. `picked_upto` is where the last messages of each subject end that are still to come.
    pub(super) fn at(
        next: u64,
        picked_upto: Option<u64>,
        filters: &mut Filters,
        source: &mut dyn Source,
    ) -> Self {
        let mut position = Self {
            next,
            ahead: 0,
            counted_to: 0,
            picked: None,
        };
        position.count_all(picked_upto, filters, source);
        position
    }

    /// Elsewhere. While picked messages are not through, they are picked from there on.
    pub(super) fn go_to(&mut self, next: u64, filters: &mut Filters, source: &mut dyn Source) {
        *self = Self::at(next, self.picked_upto(), filters, source);
    }

    /// Counts from nothing: after the filters changed, or a purge.
    pub(super) fn recount(&mut self, filters: &mut Filters, source: &mut dyn Source) {
        self.count_all(self.picked_upto(), filters, source);
    }

    fn count_all(
        &mut self,
        picked_upto: Option<u64>,
        filters: &mut Filters,
        source: &mut dyn Source,
    ) {
        self.picked = picked_upto
            .filter(|upto| self.next <= *upto)
            .map(|resume_after| {
                let mut sequences = source.last_per_subject(filters);
                sequences.retain(|seq| (self.next..=resume_after).contains(seq));
                Picked {
                    sequences,
                    at: 0,
                    resume_after,
                }
            });
        self.counted_to = source.last_sequence();
        self.ahead = match &self.picked {
            Some(picked) => {
                let behind = picked.resume_after.saturating_add(1);
                picked.sequences.len() as u64 + source.count_matching(behind, filters)
            }
            None => source.count_matching(self.next, filters),
        };
        if let (None, Some(upto)) = (&self.picked, picked_upto) {
            self.next = self.next.max(upto.saturating_add(1));
        }
    }

    /// First sequence that was not delivered or passed over.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Messages that are still to be delivered, as far as counted.
    pub(super) fn ahead(&self) -> u64 {
        self.ahead
    }

    /// Where the picked messages end, while they are not through.
    pub(super) fn picked_upto(&self) -> Option<u64> {
        self.picked.as_ref().map(|picked| picked.resume_after)
    }

    /// Counts what has become durable since.
    pub(super) fn catch_up(&mut self, filters: &mut Filters, source: &mut dyn Source) {
        let last = source.last_sequence();
        if last <= self.counted_to {
            return;
        }
        let behind = self.picked_upto().map_or(0, |upto| upto.saturating_add(1));
        let from = (self.counted_to + 1).max(self.next).max(behind);
        self.counted_to = last;
        if from > last {
            return;
        }
        self.ahead += if last - from < COUNT_SINGLY_MAX {
            (from..=last)
                .filter(|seq| source.matches(*seq, filters))
                .count() as u64
        } else {
            source.count_matching(from, filters)
        };
    }

    /// The message that is next, if there is one. Nothing moves but past what is none of ours.
    pub(super) fn peek(
        &mut self,
        filters: &mut Filters,
        source: &mut dyn Source,
        budget: &mut usize,
    ) -> Scan {
        if let Some(picked) = &self.picked {
            if let Some(&sequence) = picked.sequences.get(picked.at) {
                return Scan::Found(sequence);
            }
            self.end_picked();
        }
        let scan = source.next_matching(self.next, filters, budget);
        match scan {
            Scan::Found(_) => {}
            Scan::OutOfBudget(at) => self.next = self.next.max(at),
            Scan::None => {
                self.next = self.next.max(source.last_sequence() + 1);
                // Nothing is ahead, whatever was counted.
                debug_assert_eq!(self.ahead, 0, "a message is counted that is not there");
                self.ahead = 0;
            }
        }
        scan
    }

    /// The message was delivered, or is passed over: `counted` unless its removal was told already.
    pub(super) fn pass(&mut self, sequence: u64, counted: bool) {
        self.ahead = self.ahead.saturating_sub(u64::from(counted));
        self.next = sequence + 1;
        if let Some(picked) = &mut self.picked {
            picked.at += 1;
            if picked.at >= picked.sequences.len() {
                self.end_picked();
            }
        }
    }

    fn end_picked(&mut self) {
        if let Some(picked) = self.picked.take() {
            self.next = self.next.max(picked.resume_after.saturating_add(1));
        }
    }

    /// A message that matches is no longer there.
    pub(super) fn removed(&mut self, sequence: u64) {
        if sequence < self.next || sequence > self.counted_to {
            return;
        }
        self.ahead = self.ahead.saturating_sub(u64::from(self.wants(sequence)));
    }

    /// Nothing below it is of interest any more.
    pub(super) fn move_to(&mut self, next: u64) {
        self.next = self.next.max(next);
        if self.picked_upto().is_some_and(|upto| upto < self.next) {
            self.picked = None;
        }
    }

    /// Whether a message that lies ahead and matches will be delivered.
    pub(super) fn wants(&self, sequence: u64) -> bool {
        self.picked.as_ref().is_none_or(|picked| {
            let rest = picked.sequences.get(picked.at..).unwrap_or_default();
            sequence > picked.resume_after || rest.binary_search(&sequence).is_ok()
        })
    }
}
