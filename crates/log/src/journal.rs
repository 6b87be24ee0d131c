//! What the log's owner speaks of: records, where they lie, how far they are durable. No I/O.

use thiserror::Error;

/// Kinds of records below it are messages: opening a log does not read their payloads. Those from it on
/// are control records, handed to the owner whole when the log is opened.
pub const CONTROL_KIND_MIN: u8 = 16;

/// One record, as it is appended or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Record<'a> {
    /// What it is; the meaning is the owner's.
    pub kind: u8,
    /// Bits of the owner's, known when the log is opened without reading the payload.
    pub flags: u8,
    /// The owner's number of the stream that it belongs to.
    pub stream: u32,
    /// Sequence in that stream.
    pub sequence: u64,
    /// Unix time in nanoseconds.
    pub time_ns: i64,
    /// Subject, at most 65,535 bytes.
    pub subject: &'a [u8],
    /// Header block, or empty.
    pub headers: &'a [u8],
    /// The rest.
    pub payload: &'a [u8],
    /// Headers and payload are to take less room on the disk, if that is possible. A wish of whoever appends the
    /// record: one that was read says no, however it is stored.
    pub compress: bool,
}

/// Where a record lies: stays true until the record is moved by compaction, which its owner is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Location {
    /// Number of the segment.
    pub segment: u32,
    /// First byte in the segment.
    pub offset: u32,
    /// Bytes in the segment, framing included: as they are stored.
    pub length: u32,
}

/// A place between records: how far the log has come. Grows with every append; it comes back only if the
/// disk was full, which the owner is told with the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

impl Position {
    /// Number of the segment that it is in.
    #[must_use]
    pub fn segment(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// What is known of a record without reading its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// As in [`Record`].
    pub kind: u8,
    /// As in [`Record`].
    pub flags: u8,
    /// As in [`Record`].
    pub stream: u32,
    /// As in [`Record`].
    pub sequence: u64,
    /// As in [`Record`].
    pub time_ns: i64,
    /// As in [`Record`].
    pub subject: &'a [u8],
    /// Bytes of the header block, however it is stored.
    pub headers_len: u32,
    /// Bytes of the payload, however it is stored.
    pub payload_len: u32,
    /// Where it lies.
    pub at: Location,
}

/// Why a record was not taken. Nothing was appended.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refused {
    /// Larger than a segment takes.
    #[error("a record of {bytes} bytes is larger than the {max} that the log takes")]
    TooLarge {
        /// Of the record.
        bytes: u64,
        /// The most that it may have.
        max: u64,
    },
    /// No room; more may be taken later.
    #[error("no space left for the log: {0}")]
    Full(String),
    /// A write or sync failed: nothing is taken until the log is opened again.
    #[error("the log stopped after a failed write: {0}")]
    Stopped(String),
}

/// A record that could not be read as it was written.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("record at {at:?} can't be read: {why}")]
pub struct Damaged {
    /// Which.
    pub at: Location,
    /// What was found.
    pub why: String,
    /// The disk could not be asked, for lack of files or for a fault of its own: nothing is known of the record.
    pub unread: bool,
}

/// The log as its owner uses it.
pub trait Journal {
    /// Appends a record to the batch that is being gathered. It can be read at once; it is durable when
    /// [`Journal::durable`] has reached the [`Journal::end`] of now.
    ///
    /// # Errors
    /// As [`Refused`] says.
    fn append(&mut self, record: &Record<'_>) -> Result<Location, Refused>;

    /// Appends records of which, whatever happens, either all are there after a crash or none.
    ///
    /// # Errors
    /// As [`Refused`] says; then none was appended.
    fn append_group(&mut self, records: &[Record<'_>]) -> Result<Vec<Location>, Refused>;

    /// Reads a record and checks it.
    ///
    /// # Errors
    /// When it can't be read, or is not what was written.
    fn read(&mut self, at: Location) -> Result<Record<'_>, Damaged>;

    /// Tells that nobody needs this record any more: its segment may go once all of it is dead. Once for a
    /// record, not twice.
    ///
    /// After a crash it may be found again, until its death is written down; but never without all that was
    /// released after it. So whatever makes a record dead (a tombstone, a newer message) may be released
    /// right after the record itself: it is found as long as the record is.
    fn release(&mut self, at: Location);

    /// Has headers and payload of a record overwritten where they lie, as soon as the batch that is being gathered is
    /// on disk: it must say that nobody needs the record any more. All of that is durable when the batch is. What is
    /// known without the payload stays: the sequence, the time, the subject. The record is to be released like any
    /// other.
    fn erase(&mut self, at: Location);

    /// Where the next record comes.
    fn end(&self) -> Position;

    /// Everything before it is on disk.
    fn durable(&self) -> Position;
}
