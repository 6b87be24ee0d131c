//! What waits to be written to one connection.
//!
//! Exactly one party writes at a time: a delivering thread, or the connection's writer task; it
//! holds [`Outbox::writing`]. The lock guards the queue only and is never held over a system call,
//! so a thread that delivers to a busy connection appends and goes on.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Waiting chunks grow to about this size before a new one begins, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// The queue of one connection. Bounded by `max_pending`: whoever pushes checks.
#[derive(Default)]
pub(crate) struct Outbox {
    chunks: VecDeque<Chunk>,
    /// Bytes in `chunks` and in the hands of whoever is writing.
    pub(crate) pending_bytes: usize,
    /// Somebody is writing, or a writer task waits for the socket.
    pub(crate) writing: bool,
    /// The connection ends: nothing is taken any more.
    pub(crate) closed: bool,
    /// Subject of the batch whose bytes were the first that had to wait, for the log.
    pub(crate) subject: Option<Box<[u8]>>,
    /// When the socket last took bytes that had waited, or bytes began to wait.
    moved: Option<Instant>,
}

/// Bytes, and how many of them are written already.
#[derive(Default)]
pub(crate) struct Chunk {
    pub(crate) bytes: Vec<u8>,
    pub(crate) written: usize,
}

impl Outbox {
    /// Appends what `fill` writes: about `hint` bytes.
    pub(crate) fn append(&mut self, hint: usize, fill: impl FnOnce(&mut Vec<u8>)) {
        let room = self
            .chunks
            .back()
            .is_some_and(|last| last.bytes.len() + hint <= CHUNK_BYTES);
        if !room {
            self.chunks.push_back(Chunk {
                bytes: Vec::with_capacity(hint),
                written: 0,
            });
        }
        if let Some(last) = self.chunks.back_mut() {
            let before = last.bytes.len();
            fill(&mut last.bytes);
            self.pending_bytes += last.bytes.len() - before;
        }
    }

    /// Puts the rest of what was being written back to the front.
    pub(crate) fn put_back(&mut self, chunk: Chunk) {
        self.chunks.push_front(chunk);
    }

    /// Puts bytes that were never in the queue before all that is.
    pub(crate) fn push_first(&mut self, bytes: Vec<u8>, now: Instant) {
        self.moved = Some(now);
        self.pending_bytes += bytes.len();
        self.chunks.push_front(Chunk { bytes, written: 0 });
    }

    /// Takes the first chunk to be written.
    pub(crate) fn take(&mut self) -> Option<Chunk> {
        let chunk = self.chunks.pop_front();
        if chunk.is_none() {
            self.subject = None;
        }
        chunk
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The socket took bytes that had waited.
    pub(crate) fn drained(&mut self, bytes: usize, now: Instant) {
        self.pending_bytes = self.pending_bytes.saturating_sub(bytes);
        if bytes > 0 {
            self.moved = Some(now);
        }
    }

    /// Whether a publisher should wait for this connection: it has more than `bytes` waiting and
    /// read something within `patience`. A connection that stopped reading slows nobody down: it
    /// runs into its own `max_pending`.
    pub(crate) fn worth_waiting_for(
        &mut self,
        bytes: usize,
        patience: Duration,
        now: Instant,
    ) -> bool {
        if self.closed || self.pending_bytes <= bytes {
            return false;
        }
        let moved = *self.moved.get_or_insert(now);
        now.saturating_duration_since(moved) < patience
    }

    /// The connection ends: nothing is taken any more. What waited is given to the caller, to be
    /// freed where no lock is held.
    pub(crate) fn close(&mut self) -> VecDeque<Chunk> {
        self.closed = true;
        self.pending_bytes = 0;
        std::mem::take(&mut self.chunks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_back_comes_first_again() {
        let mut outbox = Outbox::default();
        outbox.append(3, |bytes| bytes.extend_from_slice(b"abc"));
        let mut chunk = outbox.take().unwrap();
        outbox.append(3, |bytes| bytes.extend_from_slice(b"def"));
        chunk.written = 1;
        outbox.drained(1, Instant::now());
        outbox.put_back(chunk);
        assert_eq!(outbox.pending_bytes, 5);
        let chunk = outbox.take().unwrap();
        assert_eq!(&chunk.bytes[chunk.written..], b"bc");
        assert_eq!(outbox.take().unwrap().bytes, b"def");
        assert!(outbox.is_empty());
    }

    #[test]
    fn a_reader_that_moves_is_waited_for_and_one_that_stopped_is_not() {
        let start = Instant::now();
        let later = |ms| start + Duration::from_millis(ms);
        let patience = Duration::from_millis(500);
        let mut outbox = Outbox::default();
        outbox.push_first(vec![0; 1000], start);
        assert!(
            !outbox.worth_waiting_for(1000, patience, start),
            "few bytes wait"
        );
        assert!(outbox.worth_waiting_for(999, patience, later(499)));
        assert!(
            !outbox.worth_waiting_for(999, patience, later(500)),
            "it stopped"
        );
        outbox.drained(10, later(600));
        assert!(
            outbox.worth_waiting_for(900, patience, later(1099)),
            "it moved"
        );
    }

    #[test]
    fn small_pieces_share_a_chunk_and_large_ones_do_not() {
        let mut outbox = Outbox::default();
        for _ in 0..10 {
            outbox.append(10, |bytes| bytes.extend_from_slice(b"0123456789"));
        }
        outbox.append(CHUNK_BYTES, |bytes| {
            bytes.resize(bytes.len() + CHUNK_BYTES, b'x')
        });
        assert_eq!(outbox.chunks.len(), 2);
        assert_eq!(outbox.pending_bytes, 100 + CHUNK_BYTES);
    }
}
