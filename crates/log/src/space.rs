//! What each segment holds: how much of it is dead, and which may go.
//!
//! Must never let a segment go while a byte of it may be needed: a release counts only once everything
//! appended before it is durable, for that may be what made the record dead.

use std::collections::{BTreeMap, VecDeque};

use crate::format::SEGMENT_HEADER_BYTES;
use crate::marks::Released;
use crate::{Location, Position};

/// Releases that are kept in memory before they are written down.
const UNMARKED_MAX: usize = 64 * 1024;

/// A segment that exists or is about to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// Where its records end.
    pub(crate) end: u32,
    /// How far it may grow.
    pub(crate) capacity: u32,
    /// Bytes of records that were released.
    pub(crate) dead: u32,
    /// Another one was begun after it.
    pub(crate) closed: bool,
    /// Holds bytes that can't be read: never removed.
    pub(crate) damaged: bool,
    /// Emptied by compaction: all that was alive has a durable copy.
    pub(crate) drained: bool,
    /// Its records are not covered, in a store where they are to be.
    pub(crate) plain: bool,
}

impl Segment {
    pub(crate) fn new(end: u32, capacity: u32) -> Self {
        Self {
            end,
            capacity,
            dead: 0,
            closed: false,
            damaged: false,
            drained: false,
            plain: false,
        }
    }

    /// Bytes of records.
    pub(crate) fn total(&self) -> u32 {
        self.end - SEGMENT_HEADER_BYTES
    }

    /// Bytes of records that are needed.
    pub(crate) fn live(&self) -> u32 {
        self.total().saturating_sub(self.dead)
    }

    fn may_go(&self) -> bool {
        self.closed && !self.damaged && (self.live() == 0 || self.drained)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Space {
    segments: BTreeMap<u32, Segment>,
    /// Closed since the last batch was durable.
    closing: Vec<u32>,
    /// Releases that wait for what was appended before them.
    waiting: VecDeque<(Position, Location)>,
    /// Segments that are no longer needed and not known to be gone.
    leaving: Vec<u32>,
    /// Offsets of records that were released and are not written down yet.
    unmarked: Released,
    unmarked_count: usize,
    /// Those of `leaving` that the committer has not been told of.
    untold: Vec<u32>,
}

impl Space {
    pub(crate) fn insert(&mut self, number: u32, segment: Segment) {
        if segment.closed {
            self.closing.push(number);
        }
        self.segments.insert(number, segment);
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut Segment> {
        self.segments.get_mut(&number)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Segment)> {
        self.segments
            .iter()
            .map(|(number, segment)| (*number, segment))
    }

    /// The oldest segment that may still be found after a crash.
    pub(crate) fn oldest(&self) -> Option<u32> {
        let leaving = self.leaving.iter().min().copied();
        let kept = self.segments.keys().next().copied();
        leaving.into_iter().chain(kept).min()
    }

    pub(crate) fn release(&mut self, at: Location, now: Position, durable: Position) {
        if now <= durable {
            self.kill(at);
        } else {
            self.waiting.push_back((now, at));
        }
    }

    /// A record is dead for good.
    pub(crate) fn kill(&mut self, at: Location) {
        let Some(segment) = self.segments.get_mut(&at.segment) else {
            return;
        };
        segment.dead = segment.dead.saturating_add(at.length);
        self.unmarked_count += 1;
        let unmarked = self.unmarked.entry(at.segment).or_default();
        unmarked.push(at.offset);
        // While its successor is not durable, the number of the last segment must not be forgotten.
        if segment.may_go() && !self.closing.contains(&at.segment) {
            self.let_go(at.segment);
        }
    }

    /// Counts what has become durable; segments that nobody needs begin to leave.
    pub(crate) fn durable(&mut self, durable: Position) {
        while let Some((needs, at)) = self.waiting.front().copied() {
            if needs > durable {
                return;
            }
            self.waiting.pop_front();
            self.kill(at);
        }
    }

    /// Another segment is begun after this one.
    pub(crate) fn close(&mut self, number: u32, end: u32) {
        if let Some(segment) = self.segments.get_mut(&number) {
            segment.end = end;
            segment.closed = true;
            self.closing.push(number);
        }
    }

    /// What was begun after the segments closed lately is durable: those that nobody needs go.
    pub(crate) fn check_closed(&mut self) {
        for number in std::mem::take(&mut self.closing) {
            if self.segments.get(&number).is_some_and(Segment::may_go) {
                self.let_go(number);
            }
        }
    }

    /// The closed segment of which the least is alive, if that is less than half; if there is none, the oldest one that
    /// is still to be encrypted.
    pub(crate) fn emptiest(&self) -> Option<u32> {
        let share = |segment: &Segment| {
            u64::from(segment.live()) * 1_000_000 / u64::from(segment.total().max(1))
        };
        let may = |segment: &Segment| !segment.damaged && !segment.drained;
        let candidates = self.segments.iter().filter(|(_, segment)| may(segment));
        let emptiest = candidates
            .clone()
            .filter(|(_, segment)| segment.closed)
            .map(|(number, segment)| (share(segment), *number))
            .filter(|(share, _)| *share < 500_000)
            .min()
            .map(|(_, number)| number);
        // Nothing more is appended to one of those: the last one is closed by its first copy.
        let mut plain = candidates.filter(|(_, segment)| segment.plain);
        emptiest.or_else(|| plain.next().map(|(number, _)| *number))
    }

    /// All live records of a segment have durable copies; says whether it goes.
    pub(crate) fn drained(&mut self, number: u32) -> bool {
        let Some(segment) = self.segments.get_mut(&number) else {
            return true;
        };
        segment.drained = true;
        let goes = segment.may_go();
        if goes {
            self.let_go(number);
        }
        goes
    }

    /// A segment holds damaged bytes: it stays.
    pub(crate) fn keep(&mut self, number: u32) {
        if let Some(segment) = self.segments.get_mut(&number) {
            segment.damaged = true;
        }
    }

    fn let_go(&mut self, number: u32) {
        self.segments.remove(&number);
        self.leaving.push(number);
        self.untold.push(number);
    }

    /// Segments to be removed, and the one before each.
    pub(crate) fn take_untold(&mut self) -> Vec<(u32, Option<u32>)> {
        let before = |number: u32| {
            let kept = self.segments.range(..number).next_back();
            let leaving = self.leaving.iter().filter(|leaving| **leaving < number);
            kept.map(|(kept, _)| *kept).max(leaving.max().copied())
        };
        // Oldest first: what is dead in one of them lies before what made it so.
        self.untold.sort_unstable();
        let untold = self.untold.iter();
        let untold = untold.map(|number| (*number, before(*number))).collect();
        self.untold.clear();
        untold
    }

    /// What is to be written down before segments are removed.
    pub(crate) fn take_unmarked(&mut self) -> Released {
        self.unmarked_count = 0;
        std::mem::take(&mut self.unmarked)
    }

    /// Whether there is something to tell the committer.
    pub(crate) fn has_untold(&self) -> bool {
        !self.untold.is_empty() || self.unmarked_count > UNMARKED_MAX
    }

    /// Segments that are gone.
    pub(crate) fn removed(&mut self, gone: &[u32]) {
        self.leaving.retain(|number| !gone.contains(number));
    }

    /// Everything at or after a place is void.
    pub(crate) fn roll_back(&mut self, (segment, offset): (u32, u32)) {
        self.waiting.clear();
        self.closing.retain(|number| *number < segment);
        self.segments.retain(|number, _| *number <= segment);
        if let Some(last) = self.segments.get_mut(&segment) {
            last.end = offset;
            last.closed = false;
        }
    }
}
