//! The log's youngest bytes, in memory: what waits to be written, what is being written, and what was
//! written lately.
//!
//! What is not durable is never let go of; what is, only as long as it fits in its bound.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::batch::{Chunk, Opening, position};
use crate::{Location, Position};

/// Bytes of a buffer for a chunk, so that buffers have one size and can be used again. Only what is appended at once and is
/// longer has a buffer of its own size.
const CHUNK_BYTES: usize = 256 * 1024;
/// Bytes of which a buffer would hold so many times more are copied into one of their own size.
const FEW: usize = 8;
/// Buffers that are kept for use.
const SPARES_MAX: usize = 16;

#[derive(Debug)]
pub(crate) struct Tail {
    /// Where the open chunk begins, and how its segment is made, if it has yet to be.
    open_at: (u32, u32),
    opens: Option<Opening>,
    pub(crate) open: Vec<u8>,
    /// Chunks of the batch that is being gathered.
    ready: Vec<Chunk>,
    /// Chunks in memory, in order: some durable, then those of the batch on its way, then those of `ready`.
    held: VecDeque<Held>,
    held_bytes: usize,
    held_bytes_max: usize,
    /// Chunks in front that stay as they are: long ones, and short ones that were joined.
    settled: usize,
    /// Durable chunks behind those that are to be joined, and their bytes.
    joining: usize,
    joining_bytes: usize,
    spares: Vec<Vec<u8>>,
    /// Bytes that no batch has taken yet.
    pub(crate) waiting_bytes: u64,
}

#[derive(Debug)]
struct Held {
    start: Position,
    bytes: Arc<Vec<u8>>,
}

impl Held {
    fn end(&self) -> Position {
        Position(self.start.0 + self.bytes.len() as u64)
    }
}

/// Where bytes were found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum InTail {
    Open(usize),
    Held(usize, usize),
}

impl Tail {
    pub(crate) fn new(held_bytes_max: usize) -> Self {
        Self {
            open_at: (0, 0),
            opens: None,
            open: Vec::new(),
            ready: Vec::new(),
            held: VecDeque::new(),
            held_bytes: 0,
            held_bytes_max,
            settled: 0,
            joining: 0,
            joining_bytes: 0,
            spares: Vec::new(),
            waiting_bytes: 0,
        }
    }

    /// What comes next goes to another place.
    pub(crate) fn start_at(&mut self, segment: u32, offset: u32, opens: Option<Opening>) {
        self.finish_chunk();
        self.open_at = (segment, offset);
        self.opens = opens;
    }

    /// So many bytes are about to be appended to `open`; closes the chunk if they do not fit.
    #[inline]
    pub(crate) fn make_room(&mut self, bytes: u64) {
        if self.open.len() as u64 + bytes > CHUNK_BYTES as u64 {
            self.finish_chunk();
        }
    }

    /// Bytes were appended to `open`.
    pub(crate) fn appended(&mut self, bytes: u32) {
        self.waiting_bytes += u64::from(bytes);
    }

    /// Takes what waits.
    pub(crate) fn take(&mut self) -> Vec<Chunk> {
        self.finish_chunk();
        self.waiting_bytes = 0;
        std::mem::take(&mut self.ready)
    }

    fn finish_chunk(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let (length, usual) = (self.open.len(), self.open.capacity().min(CHUNK_BYTES));
        // Few bytes are copied, so that what is kept is not larger than it must be.
        let bytes = if length * FEW < usual {
            let copy = self.open.clone();
            self.open.clear();
            copy
        } else {
            let next = self.buffer(usual);
            std::mem::replace(&mut self.open, next)
        };
        let bytes = Arc::new(bytes);
        let (segment, offset) = self.open_at;
        self.open_at.1 += bytes.len() as u32;
        self.held_bytes += bytes.capacity();
        self.held.push_back(Held {
            start: position(segment, offset),
            bytes: Arc::clone(&bytes),
        });
        self.ready.push(Chunk {
            segment,
            offset,
            bytes,
            opens: self.opens.take(),
        });
    }

    /// One that was used before, or a new one.
    fn buffer(&mut self, bytes: usize) -> Vec<u8> {
        let spare = self.spares.pop();
        spare.unwrap_or_else(|| Vec::with_capacity(bytes))
    }

    /// Lets go of durable bytes that are too many.
    pub(crate) fn trim(&mut self, durable: Position) {
        self.join(durable);
        while self.held_bytes > self.held_bytes_max {
            if self.held.front().is_none_or(|held| held.end() > durable) {
                return;
            }
            let Some(held) = self.held.pop_front() else {
                return;
            };
            self.held_bytes -= held.bytes.capacity();
            if self.settled > 0 {
                self.settled -= 1;
            } else if self.joining > 0 {
                self.joining -= 1;
                self.joining_bytes -= held.bytes.len();
            }
            self.recycle(held.bytes);
        }
    }

    /// Keeps a buffer for use: what is as large as this is asked for again soon, and by then its place may be in pieces.
    fn recycle(&mut self, bytes: Arc<Vec<u8>>) {
        let Some(mut spare) = Arc::try_unwrap(bytes).ok() else {
            return;
        };
        // One that held large records would be held for little.
        let fits = spare.capacity() == CHUNK_BYTES;
        if self.spares.len() < SPARES_MAX && fits {
            spare.clear();
            self.spares.push(spare);
        }
    }

    /// Joins short chunks that are durable and follow each other; one that fills half of a buffer is left as it is. A
    /// batch may be as short as one message: a hundred thousand of them, let go of one by one, leave memory in pieces
    /// that are good for nothing else.
    fn join(&mut self, durable: Position) {
        let joined_bytes = CHUNK_BYTES.min(self.held_bytes_max / 8);
        while let Some(next) = self.held.get(self.settled + self.joining) {
            if next.end() > durable {
                return;
            }
            let before = self.joining.checked_sub(1);
            let before = before.and_then(|last| self.held.get(self.settled + last));
            let follows = before.is_none_or(|before| before.end() == next.start);
            let (length, bytes) = (next.bytes.len(), self.joining_bytes + next.bytes.len());
            let is_short = length < joined_bytes / 2;
            if self.joining > 0 && !(is_short && follows && bytes <= joined_bytes) {
                self.settle(joined_bytes);
                continue;
            }
            (self.joining, self.joining_bytes) = (self.joining + 1, bytes);
            if !is_short {
                self.settle(joined_bytes);
            }
        }
    }

    /// Makes one chunk of those that are to be joined.
    fn settle(&mut self, joined_bytes: usize) {
        let (from, to) = (self.settled, self.settled + self.joining);
        if self.joining > 1 {
            let mut joined = self.buffer(joined_bytes);
            let mut given_up = 0;
            for held in self.held.range(from..to) {
                joined.extend_from_slice(&held.bytes);
                given_up += held.bytes.capacity();
            }
            self.held_bytes = self.held_bytes - given_up + joined.capacity();
            let start = self.held.get(from).map_or(Position(0), |held| held.start);
            let bytes = Arc::new(joined);
            let parts: Vec<Held> = self.held.drain(from..to).collect();
            self.held.insert(from, Held { start, bytes });
            for part in parts {
                self.recycle(part.bytes);
            }
        }
        self.settled += 1;
        (self.joining, self.joining_bytes) = (0, 0);
    }

    /// Forgets everything at or after a place.
    pub(crate) fn roll_back(&mut self, to: Position) {
        self.open.clear();
        self.ready.clear();
        self.opens = None;
        self.waiting_bytes = 0;
        let kept = self.held.partition_point(|held| held.start < to);
        for held in self.held.drain(kept..) {
            self.held_bytes -= held.bytes.capacity();
        }
        self.settled = self.settled.min(kept);
        self.joining = self.joining.min(kept - self.settled);
        let joining = self.held.range(self.settled..self.settled + self.joining);
        self.joining_bytes = joining.map(|held| held.bytes.len()).sum();
    }

    /// Finds a record.
    pub(crate) fn find(&self, at: Location) -> Option<InTail> {
        if at.segment == self.open_at.0 && at.offset >= self.open_at.1 {
            return Some(InTail::Open((at.offset - self.open_at.1) as usize));
        }
        let wanted = position(at.segment, at.offset);
        if self.held.front().is_none_or(|held| held.start > wanted) {
            return None;
        }
        let index = self.held.partition_point(|held| held.start <= wanted) - 1;
        let held = self.held.get(index)?;
        let inside = wanted.0 - held.start.0;
        (inside < held.bytes.len() as u64).then_some(InTail::Held(index, inside as usize))
    }

    /// The bytes that were found.
    pub(crate) fn bytes(&self, found: InTail, length: u32) -> Option<&[u8]> {
        let (bytes, from) = match found {
            InTail::Open(from) => (&self.open, from),
            InTail::Held(index, from) => (&*self.held.get(index)?.bytes, from),
        };
        bytes.get(from..from + length as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: u32 = 300;

    /// Appends this many batches of one record each, and takes them as durable one by one.
    fn fill(tail: &mut Tail, from: u32, count: u32) {
        for number in from..from + count {
            tail.open
                .extend(std::iter::repeat_n(number as u8, PIECE as usize));
            tail.appended(PIECE);
            assert_eq!(tail.take().len(), 1);
            tail.trim(position(1, (number + 1) * PIECE));
        }
    }

    fn record(tail: &Tail, number: u32) -> Option<u8> {
        let at = Location {
            segment: 1,
            offset: number * PIECE,
            length: PIECE,
        };
        let bytes = tail.bytes(tail.find(at)?, PIECE)?;
        assert!(bytes.iter().all(|byte| *byte == bytes[0]));
        Some(bytes[0])
    }

    #[test]
    fn many_short_batches_are_kept_in_few_pieces_and_within_the_bound() {
        let most = 8 << 20;
        let mut tail = Tail::new(most);
        tail.start_at(1, 0, None);
        let all = 60_000;
        fill(&mut tail, 0, all);
        let bytes: usize = tail.held.iter().map(|held| held.bytes.capacity()).sum();
        assert_eq!(bytes, tail.held_bytes, "what is counted is what there is");
        assert!(bytes <= most + CHUNK_BYTES, "{bytes}");
        let pieces = tail.held.len();
        let short = CHUNK_BYTES / PIECE as usize;
        assert!(pieces <= most / CHUNK_BYTES + short + 1, "{pieces}");
        // What is left is whole, up to the last.
        let oldest = (0..all).find(|number| record(&tail, *number).is_some());
        let oldest = oldest.expect("some are kept");
        assert!((all - oldest) * PIECE > most as u32 * 3 / 4, "{oldest}");
        for number in oldest..all {
            assert_eq!(record(&tail, number), Some(number as u8), "{number}");
        }
    }

    #[test]
    fn what_is_on_its_way_is_never_joined_and_can_be_taken_back() {
        let mut tail = Tail::new(8 << 20);
        tail.start_at(1, 0, None);
        fill(&mut tail, 0, 5_000);
        for number in 5_000..5_010_u32 {
            tail.open
                .extend(std::iter::repeat_n(number as u8, PIECE as usize));
            tail.appended(PIECE);
            tail.take();
        }
        tail.trim(position(1, 5_003 * PIECE));
        assert_eq!(record(&tail, 5_009), Some(5_009_u32 as u8));
        tail.roll_back(position(1, 5_003 * PIECE));
        assert_eq!(record(&tail, 5_003), None);
        for number in 0..5_003 {
            assert_eq!(record(&tail, number), Some(number as u8), "{number}");
        }
        tail.start_at(1, 5_003 * PIECE, None);
        fill(&mut tail, 5_003, 5_000);
        for number in 0..10_003 {
            assert_eq!(record(&tail, number), Some(number as u8), "{number}");
        }
        let bytes: usize = tail.held.iter().map(|held| held.bytes.capacity()).sum();
        assert_eq!(bytes, tail.held_bytes);
    }

    #[test]
    fn pieces_of_two_segments_are_not_joined() {
        let mut tail = Tail::new(1 << 20);
        for segment in 1..4 {
            tail.start_at(segment, 0, None);
            for number in 0..500 {
                tail.open.extend([segment as u8; 300]);
                tail.appended(PIECE);
                tail.take();
                tail.trim(position(segment, (number + 1) * PIECE));
            }
        }
        for segment in 1..4 {
            for number in 0..500 {
                let at = Location {
                    segment,
                    offset: number * PIECE,
                    length: PIECE,
                };
                let found = tail.find(at).expect("kept");
                assert_eq!(tail.bytes(found, PIECE), Some(&[segment as u8; 300][..]));
            }
        }
    }

    /// Appends records of these lengths, with a batch and a sync after each number of them.
    fn append(tail: &mut Tail, end: &mut u32, batches: &[&[usize]]) {
        for batch in batches {
            for &bytes in *batch {
                tail.make_room(bytes as u64);
                // As a record is written: a part at a time.
                for part in vec![7; bytes].chunks(1000) {
                    tail.open.extend_from_slice(part);
                }
                tail.appended(bytes as u32);
                *end += bytes as u32;
            }
            tail.take();
            tail.trim(position(1, *end));
        }
    }

    fn capacities(tail: &Tail) -> Vec<usize> {
        let held = tail.held.iter();
        held.map(|held| held.bytes.capacity()).collect()
    }

    #[test]
    fn only_what_is_longer_than_a_buffer_has_one_of_another_size() {
        let mut tail = Tail::new(64 << 20);
        tail.start_at(1, 0, None);
        let mut end = 0;
        append(&mut tail, &mut end, &[&[600_000], &[150_000], &[200_000]]);
        // As objects are stored: the second does not fit beside the first.
        append(&mut tail, &mut end, &[&[131_300; 4]]);
        append(&mut tail, &mut end, &[&[20_000]]);
        let capacities = capacities(&tail);
        assert!(capacities[0] >= 600_000, "{capacities:?}");
        assert_eq!(capacities[1..7], [CHUNK_BYTES; 6]);
        assert_eq!(capacities[7..], [20_000], "few bytes take no more room");
        assert!(tail.open.capacity() <= CHUNK_BYTES);
    }

    #[test]
    fn long_batches_are_neither_copied_nor_joined() {
        let mut tail = Tail::new(4 << 20);
        tail.start_at(1, 0, None);
        let mut end = 0;
        append(&mut tail, &mut end, &[&[600_000]]);
        let buffer = |tail: &Tail| tail.held.back().map(|held| held.bytes.as_ptr());
        for _ in 0..100 {
            let open = tail.open.as_ptr();
            tail.open.extend_from_slice(&[7; 150_000]);
            tail.appended(150_000);
            end += 150_000;
            tail.take();
            assert_eq!(buffer(&tail), Some(open));
            tail.trim(position(1, end));
            assert_eq!(buffer(&tail), Some(open));
        }
        assert_eq!(capacities(&tail), [CHUNK_BYTES; 16]);
    }

    #[test]
    fn where_nothing_is_to_be_kept_nothing_is() {
        let mut tail = Tail::new(0);
        tail.start_at(1, 0, None);
        fill(&mut tail, 0, 1_000);
        assert_eq!((tail.held.len(), tail.held_bytes), (0, 0));
    }
}
