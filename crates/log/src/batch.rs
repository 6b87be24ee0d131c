//! What goes from the log's owner to its committer and back.

use std::sync::Arc;

use crate::crypt::Sealed;
use crate::marks::Released;
use crate::{Location, Position};

/// What was appended since the batch before, ready to be written. It owns its bytes (or shares them with
/// what the owner keeps for reading).
#[derive(Debug)]
pub struct Batch {
    pub(crate) chunks: Vec<Chunk>,
    /// How far the log reaches with it.
    pub(crate) end: Position,
    /// Segments that nobody needs any more, and the one before each.
    pub(crate) remove: Vec<(u32, Option<u32>)>,
    /// What is dead in the others and was not written down yet; before those go.
    pub(crate) released: Released,
    /// What is to be overwritten once all of it is on disk.
    pub(crate) erased: Vec<Location>,
}

impl Batch {
    /// Whether segments are to be removed with it, which takes [`crate::Committer::tidy`] some milliseconds
    /// after the commit, or records are to be overwritten: better not done where something else waits.
    #[must_use]
    pub fn has_chores(&self) -> bool {
        !(self.remove.is_empty() && self.released.is_empty() && self.erased.is_empty())
    }

    /// Bytes that it will write.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.chunks
            .iter()
            .map(|chunk| chunk.bytes.len() as u64)
            .sum()
    }
}

/// Bytes of one segment.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) segment: u32,
    pub(crate) offset: u32,
    pub(crate) bytes: Arc<Vec<u8>>,
    /// Says that the segment has yet to be made.
    pub(crate) opens: Option<Opening>,
}

/// How a segment is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) previous: u32,
    pub(crate) previous_end: u32,
    pub(crate) previous_whole: bool,
    pub(crate) capacity: u32,
    /// It may hold packed records.
    pub(crate) packed: bool,
    /// How its records are covered, if they are, and those of the previous one.
    pub(crate) sealed: Option<Sealed>,
    pub(crate) previous_sealed: Option<Sealed>,
    /// Give up the reserve for it.
    pub(crate) from_reserve: bool,
}

/// What became of a batch. Goes to [`crate::Log::committed`], before the next batch is taken.
#[derive(Debug)]
#[must_use = "the log's owner must be told"]
pub struct Committed {
    /// Everything before it is on disk.
    pub(crate) durable: Position,
    pub(crate) failure: Option<Failure>,
    /// Segments that are gone for good since the last time.
    pub(crate) removed: Vec<u32>,
}

/// Why a batch is not durable.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// No room; what is not durable is void.
    Full {
        why: String,
        /// Part of it may have been written behind `durable`: go on in another segment.
        leave: bool,
    },
    /// It is not known what is on disk.
    Stopped { why: String },
}

/// How far the log has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "after a rollback the owner must forget what it appended"]
pub enum Progress {
    /// Everything before it is on disk.
    Durable(Position),
    /// There was no room. Everything appended at or after `to` is void, and so is every
    /// [`crate::Journal::release`] since: the owner forgets it and refuses whoever waits for it. What comes
    /// before is durable. More can be appended when there is room again.
    RolledBack {
        /// Where the log ends now.
        to: Position,
        /// What the disk said.
        why: String,
    },
    /// A write or a sync failed: nothing more is taken until the log is opened again, and whatever was not
    /// durable before may or may not be there then.
    Stopped {
        /// What the disk said.
        why: String,
    },
}

/// The place of an offset in the log.
pub(crate) fn position(segment: u32, offset: u32) -> Position {
    Position(u64::from(segment) << 32 | u64::from(offset))
}

/// The segment and the offset of a place.
pub(crate) fn place(position: Position) -> (u32, u32) {
    ((position.0 >> 32) as u32, position.0 as u32)
}
