//! The log's youngest bytes, in memory: what waits to be written, what is being written, and what was
//! written lately.
//!
//! What is not durable is never let go of; what is, only as long as it fits in its bound.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::batch::{Chunk, Opening, position};
use crate::{Location, Position};

/// A chunk that is this long is closed, so that buffers have one size and can be used again.
const CHUNK_BYTES: usize = 512 * 1024;
/// Buffers that are kept for use.
const SPARES_MAX: usize = 8;

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

    /// Bytes were appended to `open`; closes the chunk if it is long enough.
    pub(crate) fn appended(&mut self, bytes: u32) {
        self.waiting_bytes += u64::from(bytes);
        if self.open.len() >= CHUNK_BYTES {
            self.finish_chunk();
        }
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
        // Few bytes are copied, so that what is kept is not larger than it must be.
        let bytes = if self.open.len() * 2 < self.open.capacity() {
            let exact = self.open.as_slice().to_vec();
            self.open.clear();
            exact
        } else {
            let next = self
                .spares
                .pop()
                .unwrap_or_else(|| Vec::with_capacity(self.open.capacity().min(CHUNK_BYTES)));
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

    /// Lets go of durable bytes that are too many.
    pub(crate) fn trim(&mut self, durable: Position) {
        while self.held_bytes > self.held_bytes_max {
            if self.held.front().is_none_or(|held| held.end() > durable) {
                return;
            }
            let Some(held) = self.held.pop_front() else {
                return;
            };
            self.held_bytes -= held.bytes.capacity();
            let spare = Arc::try_unwrap(held.bytes).ok();
            if let Some(mut spare) = spare
                .filter(|spare| self.spares.len() < SPARES_MAX && spare.capacity() >= CHUNK_BYTES)
            {
                spare.clear();
                self.spares.push(spare);
            }
        }
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
