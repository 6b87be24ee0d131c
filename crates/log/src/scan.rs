//! Walks a segment record by record, and finds the next whole one after damage.
//!
//! Must never take bytes for a record that are none, and never stop before the segment's end.

use std::io;

use memchr::memmem;

use crate::disk::DiskFile;
use crate::format::{self, Head, PACKED_HEAD_BYTES, RECORD_MAGIC, SEGMENT_HEADER_BYTES, Seeds};
use crate::recovery::unknown;
use crate::replay::Lost;

/// How much is read at once.
const READ_BYTES: usize = 256 * 1024;
/// What a disk writes as a whole or not at all.
const SECTOR_BYTES: u32 = 512;
/// So many zeros before the end of a sector, where something else should be, count as never written: a bit that flips
/// leaves no such thing, unless it does so among zeros that somebody stored.
const UNWRITTEN_BYTES: u32 = 16;
/// What is given up as unreadable at once, should the disk refuse a read.
const UNREADABLE_BYTES: usize = 4096;

/// One step of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// A whole record; `bytes` are all of it.
    Record {
        offset: u32,
        head: Head,
        bytes: &'a [u8],
    },
    /// A record of which head and subject are whole, and the rest is not.
    Damaged {
        offset: u32,
        head: Head,
        subject: &'a [u8],
    },
    /// Bytes in which no record begins.
    Gap {
        offset: u32,
        bytes: u32,
        /// Bytes up to the last one that is not zero: none if nothing was ever written here.
        written: u32,
    },
    /// Nothing more.
    End,
}

/// A walk through a segment's records.
#[derive(Debug)]
pub(crate) struct Scanner<F> {
    window: Window<F>,
    seeds: Seeds,
    offset: u32,
}

impl<F: DiskFile> Scanner<F> {
    /// Walks from the segment's first record to `limit` or the file's end, whichever comes first.
    pub(crate) fn new(file: F, seeds: Seeds, limit: Option<u32>) -> io::Result<Self> {
        let length = u32::try_from(file.length()?).unwrap_or(u32::MAX);
        let window = Window::new(file, READ_BYTES, limit.unwrap_or(u32::MAX).min(length));
        Ok(Self {
            window,
            seeds,
            offset: SEGMENT_HEADER_BYTES,
        })
    }

    /// Goes on from another place.
    pub(crate) fn seek(&mut self, offset: u32) {
        self.offset = offset;
    }

    /// Where the next step begins.
    pub(crate) fn offset(&self) -> u32 {
        self.offset
    }

    /// The file.
    pub(crate) fn file(&self) -> &F {
        &self.window.file
    }

    /// Gives the file back.
    pub(crate) fn into_file(self) -> F {
        self.window.file
    }

    /// The next step.
    pub(crate) fn next(&mut self) -> Found<'_> {
        self.step(true)
    }

    /// The next step, without looking at what headers and payloads are: a record may be damaged there.
    pub(crate) fn next_head(&mut self) -> Found<'_> {
        self.step(false)
    }

    #[inline]
    fn step(&mut self, checks_body: bool) -> Found<'_> {
        let offset = self.offset;
        if offset >= self.window.limit {
            return Found::End;
        }
        let Some(head) = self.head_at(offset) else {
            return self.gap(offset);
        };
        self.offset = offset + head.length;
        let bytes = self.window.get(offset, head.length as usize);
        if !checks_body || format::body_is_whole(bytes, &head) {
            return Found::Record {
                offset,
                head,
                bytes,
            };
        }
        Found::Damaged {
            offset,
            head,
            subject: head.subject(bytes).unwrap_or_default(),
        }
    }

    /// The head of the record that begins at an offset and ends within the limit.
    fn head_at(&mut self, offset: u32) -> Option<Head> {
        let parsed = format::parse_head(self.window.get(offset, PACKED_HEAD_BYTES))?;
        if parsed.length > self.window.limit - offset {
            return None;
        }
        let bytes = self.window.get(offset, parsed.body_at());
        format::check_head(bytes, self.seeds, offset)
    }

    /// Whether bytes that are no record hold the end of a sector that was never written.
    fn is_torn(&mut self, from: u32, to: u32) -> bool {
        let first = (from / SECTOR_BYTES + 1) * SECTOR_BYTES;
        let mut ends = (first..=to).step_by(SECTOR_BYTES as usize);
        ends.any(|end| {
            let zeros = end.saturating_sub(UNWRITTEN_BYTES);
            let bytes = self.window.get(zeros, UNWRITTEN_BYTES as usize);
            zeros >= from && bytes.iter().all(|byte| *byte == 0)
        })
    }

    fn gap(&mut self, offset: u32) -> Found<'static> {
        let mut written = 0;
        let mut from = offset;
        let next = loop {
            let bytes = self.window.get(from, READ_BYTES);
            if bytes.len() <= RECORD_MAGIC.len() {
                note_written(bytes, from - offset, &mut written);
                break self.window.limit;
            }
            // A head's magic comes 4 bytes after its begin, and the one here at `offset` is none.
            let skip = if from == offset { 5 } else { 4 };
            let found = bytes
                .get(skip..)
                .and_then(|rest| memmem::find(rest, &RECORD_MAGIC))
                .map(|found| found + skip - 4);
            let seen = found.unwrap_or(bytes.len() - RECORD_MAGIC.len() + 1);
            let seen = seen.max(1);
            note_written(
                bytes.get(..seen).unwrap_or_default(),
                from - offset,
                &mut written,
            );
            from += seen as u32;
            if found.is_some() && self.head_at(from).is_some() {
                break from;
            }
        };
        self.offset = next;
        Found::Gap {
            offset,
            bytes: next - offset,
            written,
        }
    }
}

/// Remembers the last byte that is not zero.
fn note_written(bytes: &[u8], before: u32, written: &mut u32) {
    if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
        *written = before + last as u32 + 1;
    }
}

/// The part of a file that is in memory.
#[derive(Debug)]
pub(crate) struct Window<F> {
    pub(crate) file: F,
    buffer: Vec<u8>,
    start: u32,
    limit: u32,
    read_bytes: usize,
}

impl<F: DiskFile> Window<F> {
    pub(crate) fn new(file: F, read_bytes: usize, limit: u32) -> Self {
        Self {
            file,
            buffer: Vec::new(),
            start: 0,
            limit,
            read_bytes,
        }
    }

    /// Bytes from an offset, fewer than asked for only at the limit.
    pub(crate) fn get(&mut self, offset: u32, bytes: usize) -> &[u8] {
        let bytes = bytes.min(self.limit.saturating_sub(offset) as usize);
        let inside =
            offset >= self.start && (offset - self.start) as usize + bytes <= self.buffer.len();
        if !inside {
            let most = self.limit.saturating_sub(offset) as usize;
            self.fill(offset, bytes.max(self.read_bytes).min(most));
        }
        let from = (offset - self.start) as usize;
        self.buffer.get(from..from + bytes).unwrap_or_default()
    }

    /// Reads a part of the file. What the disk can't read becomes bytes that are no record and not zero.
    fn fill(&mut self, offset: u32, bytes: usize) {
        self.start = offset;
        self.buffer.resize(bytes, 0);
        let read = self.file.read_at(&mut self.buffer, offset.into());
        let read = read.unwrap_or_else(|_| {
            for (piece, at) in self.buffer.chunks_mut(UNREADABLE_BYTES).zip(0u64..) {
                let at = u64::from(offset) + at * UNREADABLE_BYTES as u64;
                if self.file.read_at(piece, at).is_err() {
                    piece.fill(0xFF);
                }
            }
            bytes
        });
        if let Some(rest) = self.buffer.get_mut(read..) {
            rest.fill(0);
        }
    }
}

/// What is to be taken of a segment that has no footer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// Where its last record ends.
    pub(crate) end: u32,
    /// Bytes after it that are not zero.
    pub(crate) cut: u32,
    /// Offsets before `end` of records that belong to an incomplete group of the last batch.
    pub(crate) dropped: Vec<u32>,
    /// There is a footer that is of no use: torn, or damaged.
    pub(crate) bad_footer: bool,
    /// All of it is known to have been on disk.
    pub(crate) whole: bool,
}

impl Survey {
    /// Bytes after the last whole record, if that is no torn tail: something is lost.
    pub(crate) fn lost_behind(&self, segment: u32) -> Option<Lost> {
        (self.cut > 0 && self.whole).then(|| unknown(segment, self.end, self.cut))
    }
}

/// Looks through a segment: where it ends, and which records of its last batch don't count because their
/// group is incomplete. With `whole`, all of it is known to have been on disk: no record is left out. The same holds for
/// what lies before `known`.
///
/// A batch is begun only when the one before is on disk, so only the last one may be there in part; a
/// group in an earlier one was whole once, and what it lacks now is damage. Where the last one has a hole that was never
/// written, nothing behind it counts either: what follows may rest on what is missing, and of a batch that is not on disk
/// as a whole nobody was told.
pub(crate) fn survey<F: DiskFile>(scanner: &mut Scanner<F>, whole: bool, known: u32) -> Survey {
    let mut state = Groups::default();
    let mut written = 0;
    loop {
        match scanner.next() {
            Found::Record { offset, head, .. } => {
                state.record(offset, &head, true);
                written = offset + head.length;
                if whole || written <= known {
                    state.end = written;
                }
            }
            Found::Damaged { offset, head, .. } => {
                state.record(offset, &head, false);
                written = offset + head.length;
                let from = state.hole_from(offset);
                if written <= known {
                    state.end = written;
                } else {
                    // Its head says which batch it belongs to.
                    state.hole(scanner.is_torn(from, written), false);
                }
            }
            Found::Gap {
                offset,
                bytes,
                written: last,
            } => {
                state.broken = true;
                let (from, to) = (state.hole_from(offset).max(known), offset + bytes);
                if offset < known {
                    state.end = to.min(known);
                }
                if to > known {
                    state.hole(scanner.is_torn(from, to), true);
                }
                if last > 0 {
                    written = offset + last;
                }
            }
            Found::End => break,
        }
    }
    state.drop_open();
    let end = state.end.max(SEGMENT_HEADER_BYTES);
    let mut dropped = state.dropped;
    dropped.retain(|offset| !whole && *offset < end && *offset >= known);
    Survey {
        end,
        cut: written.saturating_sub(end),
        dropped,
        bad_footer: false,
        whole,
    }
}

/// Groups of the batch that is being looked at.
#[derive(Default)]
struct Groups {
    end: u32,
    batch: Option<u32>,
    /// Where the last whole record ends, counted or not.
    seen: u32,
    /// Members of the group that is open.
    open: Vec<u32>,
    /// Whether something is missing since the open group began.
    broken: bool,
    /// Something of the batch was never written; nothing behind it counts.
    torn: bool,
    /// Nothing whole came since that was seen: it may belong to the next batch.
    at_hole: bool,
    /// Where the bytes began that are no whole record, if none came since.
    hole_from: Option<u32>,
    dropped: Vec<u32>,
}

impl Groups {
    fn record(&mut self, offset: u32, head: &Head, whole: bool) {
        use format::Frame;
        if self.batch != Some(head.batch) {
            // All before was on disk.
            self.batch = Some(head.batch);
            self.end = self.end.max(self.seen);
            self.dropped.clear();
            self.open.clear();
            self.torn &= self.at_hole;
        }
        self.at_hole &= !whole;
        if whole {
            self.hole_from = None;
        }
        if matches!(head.frame, Frame::Single | Frame::First) {
            self.drop_open();
            self.broken = false;
        }
        let end = offset + head.length;
        if whole {
            self.seen = end;
        }
        if head.frame == Frame::Single {
            if whole && !self.torn {
                self.end = end;
            }
            return;
        }
        self.broken |= !whole || (self.open.is_empty() && head.frame != Frame::First);
        if whole {
            self.open.push(offset);
        }
        if head.frame == Frame::Last {
            if !self.broken && !self.torn {
                self.end = end;
                self.open.clear();
            }
            self.drop_open();
            self.broken = true;
        }
    }

    /// Bytes that are no whole record.
    fn hole(&mut self, torn: bool, of_any_batch: bool) {
        if torn {
            self.torn = true;
            self.at_hole = of_any_batch;
        }
    }

    /// Where the bytes begin that are no whole record, and reach up to `offset` or begin there.
    fn hole_from(&mut self, offset: u32) -> u32 {
        *self.hole_from.get_or_insert(offset)
    }

    fn drop_open(&mut self) {
        self.dropped.append(&mut self.open);
    }
}
