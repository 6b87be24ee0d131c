//! What opening and verifying a store tell: entries, losses, and why a store can't be opened.

use std::fmt;
use std::io;

use thiserror::Error;

use crate::disk::LockError;
use crate::{Entry, Position};

/// One thing that was found when a log was opened, in the order of the log.
#[derive(Clone, Copy, Debug)]
pub enum Replayed<'a> {
    /// A record. After compaction and a crash there may be two of the same stream and sequence: the later
    /// one counts, the earlier one's location may be released.
    Record {
        /// All but its contents.
        entry: Entry<'a>,
        /// Headers and payload, of control records only (of messages both are empty here).
        headers: &'a [u8],
        /// See `headers`.
        payload: &'a [u8],
    },
    /// Bytes that can't be read as they were written. They stay where they are. A record that was replayed
    /// before is not lost with it: the copy of it that compaction was writing is.
    Lost(Lost),
}

/// Damage: a record, or bytes that held records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The record's kind, if that is still known.
    pub kind: Option<u8>,
    /// The record's stream, if that is still known.
    pub stream: Option<u32>,
    /// The record's sequence, if that is still known.
    pub sequence: Option<u64>,
    /// Segment that holds the bytes.
    pub segment: u32,
    /// First of the bytes.
    pub offset: u32,
    /// How many.
    pub bytes: u32,
    /// What is wrong with them.
    pub why: Why,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "segment {} offset {} ({} bytes): {}",
            self.segment, self.offset, self.bytes, self.why
        )?;
        if let (Some(stream), Some(sequence)) = (self.stream, self.sequence) {
            write!(f, ", stream {stream} sequence {sequence}")?;
        }
        Ok(())
    }
}

/// What is wrong with lost bytes. Numbers are stored: never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Why {
    /// The record's head is not what was written: how many records the bytes held is unknown.
    Head = 1,
    /// Headers or payload are not what was written.
    Payload = 2,
    /// The record is whole, but belongs to a group that was written last before a crash and is not there
    /// as a whole.
    Group = 3,
}

impl Why {
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::Head),
            2 => Some(Self::Payload),
            3 => Some(Self::Group),
            _ => None,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head => "not a whole record",
            Self::Payload => "headers or payload damaged",
            Self::Group => "part of a group that is not there as a whole",
        })
    }
}

/// How opening went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Segments in the store.
    pub segments: u32,
    /// Records that were replayed.
    pub records: u64,
    /// Records that were not replayed because they had been released.
    pub released: u64,
    /// [`Replayed::Lost`] that were replayed.
    pub lost: u64,
    /// Segments that had to be read whole because they have no (whole) footer.
    pub scanned: u32,
    /// Whether the log was closed properly the last time: nothing had to be read whole.
    pub clean: bool,
    /// What was cut off the end of the log: written, but never acknowledged, unless damage hit the very end.
    pub cut: Option<Cut>,
    /// Segments of whose header one copy (or, with no record lost, both) is damaged.
    pub damaged_headers: Vec<u32>,
    /// Segments whose footer is damaged; it costs only the time to read the segment.
    pub damaged_footers: Vec<u32>,
    /// What is written down of released records is damaged: some of them may have been replayed.
    pub damaged_released: bool,
    /// How far the log reaches; all of it is durable.
    pub end: Position,
}

/// A torn tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Segment in which it was.
    pub segment: u32,
    /// Where the last whole record ends.
    pub offset: u32,
    /// Bytes up to the last one that was written.
    pub bytes: u32,
}

/// Why a store can't be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Somebody else has it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Written by a newer version of the format.
    #[error(
        "{file} has format version {found}, this program reads up to {}",
        crate::format::FORMAT_VERSION_MAX
    )]
    Version {
        /// The file.
        file: String,
        /// Its version.
        found: u32,
    },
    /// The store is encrypted, and no key was given.
    #[error(
        "the store is encrypted, and no key was given: its own key is sealed in the file {file}"
    )]
    KeyNeeded {
        /// The file that holds the store's key.
        file: &'static str,
    },
    /// The store is encrypted with another key.
    #[error("the key is not the one that the store's own key in the file {file} is sealed with")]
    WrongKey {
        /// The file that holds the store's key.
        file: &'static str,
    },
    /// The file with the store's key can't be used.
    #[error("the file {file} with the store's own key {}: put a copy of it back", key_file(*.missing))]
    KeyFile {
        /// The file that holds the store's key.
        file: &'static str,
        /// It is not there, but segments are encrypted; else it is damaged in both of its copies.
        missing: bool,
    },
    /// Settings that can't work.
    #[error("log setting {name}: {why}")]
    Setting {
        /// Which.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The disk can't do it.
    #[error("can't {doing}: {source}")]
    Io {
        /// What was tried.
        doing: String,
        /// What happened.
        source: io::Error,
    },
}

fn key_file(missing: bool) -> &'static str {
    match missing {
        true => "is not there, but segments are encrypted",
        false => "is damaged in both of its copies",
    }
}

impl OpenError {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        |source| Self::Io { doing, source }
    }
}
