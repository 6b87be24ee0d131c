//! Publishing in batches (E93, E94, ADR-50): which are open in a stream, and how many there may be. Atomic
//! ones wait in memory until they are committed; fast ones are stored as they come.

mod atomic;
mod checks;
mod fast;

use std::collections::HashMap;

use super::Stream;

pub(crate) use atomic::Atomic;
pub(crate) use fast::{FastAnswer, FastReply};

/// Bytes of a batch's id.
const ID_BYTES_MAX: usize = 64;
/// Bytes of one atomic batch: it goes to the disk in one piece.
const BATCH_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How many batches there may be, and how large and old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Open atomic batches of one stream.
    pub atomic_per_stream: usize,
    /// Open atomic batches of all streams.
    pub atomic_in_all: usize,
    /// Open fast batches of one stream.
    pub fast_per_stream: usize,
    /// Open fast batches of all streams.
    pub fast_in_all: usize,
    /// Messages of one atomic batch.
    pub messages_max: u64,
    /// Bytes of all open atomic batches of one stream.
    pub bytes_per_stream: u64,
    /// Nanoseconds without a message after which a batch is given up.
    pub timeout_ns: i64,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            atomic_per_stream: 50,
            atomic_in_all: 1_000,
            fast_per_stream: 1_000,
            fast_in_all: 50_000,
            messages_max: 1_000,
            bytes_per_stream: 128 * 1024 * 1024,
            timeout_ns: 10_000_000_000,
        }
    }
}

/// A message that somebody publishes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offered<'a> {
    pub(crate) subject: &'a [u8],
    pub(crate) headers: &'a [u8],
    pub(crate) payload: &'a [u8],
}

/// The open batches of one stream, by id.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    atomic: HashMap<Box<str>, atomic::Staged>,
    fast: HashMap<Box<str>, fast::Fast>,
    /// Bytes that wait in the atomic ones.
    bytes: u64,
    /// No batch's time is over before.
    look_ns: Option<i64>,
}

impl Batches {
    /// Open batches: atomic ones, fast ones.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.atomic.len(), self.fast.len())
    }

    /// When a batch's time may be over.
    pub(crate) fn deadline(&self) -> Option<i64> {
        self.look_ns
    }

    /// A batch has its time from now on.
    fn wait_until(&mut self, end_ns: i64) {
        self.look_ns = Some(self.look_ns.map_or(end_ns, |known| known.min(end_ns)));
    }

    fn remove_atomic(&mut self, id: &str) -> Option<atomic::Staged> {
        let batch = self.atomic.remove(id)?;
        self.bytes -= batch.bytes;
        Some(batch)
    }

    /// Gives batches up whose time is over; the ids of the atomic ones, for whoever wants to know.
    fn expire(&mut self, now_ns: i64) -> Vec<String> {
        if self.look_ns.is_none_or(|at| at > now_ns) {
            return Vec::new();
        }
        let late = self.atomic.iter().filter(|(_, one)| one.end_ns <= now_ns);
        let late: Vec<String> = late.map(|(id, _)| id.to_string()).collect();
        for id in &late {
            self.remove_atomic(id);
        }
        self.fast.retain(|_, one| one.end_ns > now_ns);
        let ends = self.atomic.values().map(|one| one.end_ns);
        self.look_ns = ends.chain(self.fast.values().map(|one| one.end_ns)).min();
        late
    }
}

impl Stream {
    /// Gives batches up whose time is over; the ids of the atomic ones.
    pub(crate) fn expire_batches(&mut self, now_ns: i64) -> Vec<String> {
        self.batches.expire(now_ns)
    }

    /// Gives all batches up that the configuration does not allow any more.
    pub(super) fn drop_forbidden_batches(&mut self) {
        if !self.config.allow_atomic {
            self.batches.atomic.clear();
            self.batches.bytes = 0;
        }
        if !self.config.allow_batched {
            self.batches.fast.clear();
        }
    }

    /// What was stored last is not: fast batches can't go on.
    pub(super) fn drop_fast_batches(&mut self) {
        self.batches.fast.clear();
    }
}
