//! The log's I/O side: writes batches, makes them durable, and tidies up when it has time.
//!
//! Must never say durable of what no sync has confirmed, nor try a failed sync again: after one, what is on
//! disk is unknown until the store is opened anew.

use std::collections::{BTreeSet, VecDeque};
use std::io;

use crate::batch::{Batch, Chunk, Committed, Failure, Opening, position};
use crate::crypt::{DataKey, Sealed};
use crate::disk::{BLOCK_BYTES, Disk, DiskFile, is_full};
use crate::erasing;
use crate::format::{SegmentHeader, segment_name};
use crate::gathering::Gathering;
use crate::marks::{Marks, MarksFile};
use crate::sealing::Sealing;
use crate::tidy::{TIDY_BYTES, Todo};
use crate::watermark::Watermark;
use crate::{Location, Position};

/// Name of the file that keeps room for control records on a full disk.
pub(crate) const RESERVE_NAME: &str = "reserve";

/// Writes what the log's owner appends. It can live on another thread.
#[derive(Debug)]
pub struct Committer<D: Disk> {
    pub(crate) disk: D,
    pub(crate) salt: u64,
    /// Of an encrypted store.
    pub(crate) key: Option<DataKey>,
    pub(crate) reserve_bytes: u32,
    pub(crate) segment_bytes: u32,
    pub(crate) active: Option<Active<D::File>>,
    durable: Position,
    watermark: Watermark<D::File>,
    pub(crate) stopped: Option<String>,
    pub(crate) closed: VecDeque<Sealing<D::File>>,
    /// What the last batch wrote: footers have yet to hear of it.
    written: Vec<Chunk>,
    /// The segment in which the next one was wanted.
    pub(crate) wanted_in: Option<u32>,
    /// Segments whose footer may not be on disk yet.
    pub(crate) unsynced: BTreeSet<u32>,
    pub(crate) todo: VecDeque<Todo>,
    pub(crate) marks: MarksFile<D::File>,
    /// Something about removing segments failed: none is removed any more.
    pub(crate) keeps_all: bool,
    pub(crate) removed: Vec<u32>,
    pub(crate) reserve_missing: bool,
    /// Bytes written since the last step of tidying.
    pub(crate) owed: u64,
}

#[derive(Debug)]
pub(crate) struct Active<F> {
    pub(crate) number: u32,
    pub(crate) file: F,
    /// Written but not synced.
    dirty: bool,
    /// The directory does not know it for good yet.
    new: bool,
    pub(crate) end: u32,
    /// Bytes of its file.
    capacity: u32,
    pub(crate) gathering: Gathering,
    /// How its records are covered, if they are.
    pub(crate) sealed: Option<Sealed>,
}

impl<D: Disk> Committer<D> {
    pub(crate) fn new(
        disk: D,
        (salt, key): (u64, Option<DataKey>),
        (segment_bytes, reserve_bytes): (u32, u32),
        durable: Position,
        marks: &Marks,
    ) -> Self {
        Self {
            disk,
            salt,
            key,
            reserve_bytes,
            segment_bytes,
            active: None,
            durable,
            watermark: Watermark::default(),
            stopped: None,
            closed: VecDeque::new(),
            written: Vec::new(),
            wanted_in: None,
            unsynced: BTreeSet::new(),
            todo: VecDeque::new(),
            marks: MarksFile::new(marks),
            keeps_all: false,
            removed: Vec::new(),
            reserve_missing: true,
            owed: 0,
        }
    }

    /// Writes a batch and waits until it is on disk: one write a chunk, one sync a segment.
    pub fn commit(&mut self, batch: Batch) -> Committed {
        if !batch.released.is_empty() {
            self.todo.push_back(Todo::Mark(batch.released.clone()));
        }
        let remove = batch.remove.iter();
        self.todo
            .extend(remove.map(|(number, before)| Todo::Remove(*number, *before)));
        // Whoever never finds time to tidy up does it in proportion to what is written.
        self.owed += 2 * batch.bytes();
        while self.owed > 4 * TIDY_BYTES && self.tidy() {}
        self.owed = self.owed.min(4 * TIDY_BYTES);
        self.gather();
        let failure = match &self.stopped {
            Some(why) => Some(Failure::Stopped { why: why.clone() }),
            None => self
                .write(&batch)
                .and_then(|()| self.erase(&batch.erased))
                .err(),
        };
        if failure.is_none() {
            self.watermark.note(&self.disk, self.durable);
            self.written = batch.chunks;
        }
        if let Some(Failure::Stopped { why }) = &failure {
            self.stopped = Some(why.clone());
        }
        Committed {
            durable: self.durable,
            failure,
            removed: std::mem::take(&mut self.removed),
        }
    }

    /// How far the log is known to be on disk.
    #[must_use]
    pub fn durable(&self) -> Position {
        self.durable
    }

    /// Tells the footers to be what the last batch wrote. Not right after it: whoever waits for it should not wait for
    /// this.
    pub(crate) fn gather(&mut self) {
        for chunk in self.written.drain(..) {
            let (number, offset) = (chunk.segment, chunk.offset);
            if let Some(active) = self.active.as_mut().filter(|one| one.number == number) {
                active.gathering.note(offset, &chunk.bytes);
            } else if let Some(closed) = self.closed.iter_mut().find(|one| one.number == number) {
                closed.note(offset, &chunk.bytes);
            }
        }
    }

    /// Writes a batch: all of it counts, or nothing.
    fn write(&mut self, batch: &Batch) -> Result<(), Failure> {
        let (before, closed) = (self.durable, self.closed.len());
        let mut written = self.write_chunks(batch);
        if let Err(Failure::Full { leave, .. }) = &mut written
            && self.durable > before
        {
            *leave = true;
            self.take_back(before, closed);
        }
        written
    }

    /// Segments that the failed batch filled are on disk, but nobody is told so: they go, and the one in which it
    /// began ends before it. `closed` is how many waited for their footer then.
    fn take_back(&mut self, to: Position, closed: usize) {
        self.durable = to;
        let (number, end) = crate::batch::place(to);
        let closed = self.closed.split_off(closed.min(self.closed.len()));
        let closed = closed.into_iter().map(Sealing::into_file);
        let active = self
            .active
            .take()
            .map(|active| (active.number, active.file, active.sealed));
        for (of, file, sealed) in closed.chain(active) {
            if of == number {
                self.seal_later(file, (number, end), Gathering::given_up(), sealed);
            } else {
                let _ = self.disk.remove(&segment_name(of));
            }
        }
    }

    /// Overwrites what the batch that is on disk now says nobody needs.
    fn erase(&self, places: &[Location]) -> Result<(), Failure> {
        erasing::erase(&self.disk, self.salt, places).map_err(|error| Failure::Stopped {
            why: format!("can't overwrite deleted messages: {error}"),
        })
    }

    fn write_chunks(&mut self, batch: &Batch) -> Result<(), Failure> {
        for chunk in &batch.chunks {
            if let Some(opening) = &chunk.opens {
                self.open_segment(chunk, opening)?;
            }
            self.write_chunk(chunk)?;
        }
        self.sync()?;
        self.durable = self.durable.max(batch.end);
        Ok(())
    }

    fn write_chunk(&mut self, chunk: &Chunk) -> Result<(), Failure> {
        let active = self
            .active
            .as_mut()
            .filter(|active| active.number == chunk.segment);
        let Some(active) = active else {
            return Err(Failure::Stopped {
                why: format!("segment {} was never opened", chunk.segment),
            });
        };
        active.dirty = true;
        let (offset, capacity) = (chunk.offset, active.capacity);
        let why = match write_up_to_block(&active.file, &chunk.bytes, offset, capacity) {
            Ok(()) => {
                active.end = offset + chunk.bytes.len() as u32;
                return Ok(());
            }
            Err(error) if is_full(&error) => error.to_string(),
            Err(error) => return Err(stopped("write", chunk.segment, &error)),
        };
        // What was written of this batch stays behind the end that the next segment will tell.
        let (number, end) = crate::batch::place(self.durable);
        if let Some(active) = self.active.take() {
            if active.number == number {
                let gathering = Gathering::given_up();
                self.seal_later(active.file, (number, end), gathering, active.sealed);
            } else {
                let _ = self.disk.remove(&segment_name(active.number));
            }
        }
        Err(Failure::Full { why, leave: true })
    }

    /// Syncs what was written; it is durable then.
    fn sync(&mut self) -> Result<(), Failure> {
        let Some(active) = self.active.as_mut().filter(|active| active.dirty) else {
            return Ok(());
        };
        let number = active.number;
        active
            .file
            .sync_data()
            .map_err(|error| stopped("sync", number, &error))?;
        if active.new {
            self.disk
                .sync_dir()
                .map_err(|error| stopped("sync the directory for", number, &error))?;
            active.new = false;
        }
        active.dirty = false;
        self.durable = self.durable.max(position(number, active.end));
        Ok(())
    }

    /// Begins a segment, once everything before it is on disk.
    fn open_segment(&mut self, chunk: &Chunk, opening: &Opening) -> Result<(), Failure> {
        self.sync()?;
        let number = chunk.segment;
        let name = segment_name(number);
        if opening.from_reserve {
            let _ = self.disk.remove(RESERVE_NAME);
            self.reserve_missing = true;
        }
        let header = SegmentHeader {
            number,
            salt: self.salt,
            previous: opening.previous,
            previous_end: opening.previous_end,
            previous_whole: opening.previous_whole,
            packed: opening.packed,
            sealed: opening.sealed,
            previous_sealed: opening.previous_sealed,
        };
        let made = match self.take_ready(&name, opening.capacity) {
            Some(file) => Ok(file),
            None => self.disk.create(&name, opening.capacity.into()),
        };
        let made = made.and_then(|file| {
            let written = write_up_to_block(&file, &header.encode(), 0, opening.capacity);
            written.map(|()| file).inspect_err(|_| {
                let _ = self.disk.remove(&name);
            })
        });
        let file = made.map_err(|error| {
            if is_full(&error) {
                Failure::Full {
                    why: error.to_string(),
                    leave: false,
                }
            } else {
                stopped("create", number, &error)
            }
        })?;
        if opening.sealed.is_some() {
            // Without its header nobody could read what comes: it must not be there before.
            let synced = file.sync_data().and_then(|()| self.disk.sync_dir());
            synced.map_err(|error| stopped("sync the header of", number, &error))?;
        }
        if let Some(before) = self.active.take() {
            let place = (before.number, opening.previous_end);
            self.seal_later(before.file, place, before.gathering, before.sealed);
        }
        let key = self.key.as_ref().zip(opening.sealed);
        let veil = key.map(|(key, sealed)| key.veil(sealed, number));
        self.active = Some(Active {
            number,
            file,
            dirty: true,
            new: true,
            end: chunk.offset,
            capacity: opening.capacity,
            gathering: Gathering::new(veil),
            sealed: opening.sealed,
        });
        Ok(())
    }

    fn seal_later(
        &mut self,
        file: D::File,
        place: (u32, u32),
        gathering: Gathering,
        sealed: Option<Sealed>,
    ) {
        let veil = self.key.clone().zip(sealed);
        self.closed
            .extend(Sealing::new(file, self.salt, place, (gathering, veil)));
    }
}

/// Writes at the end of what a segment holds: nothing but zeros lies behind. Those up to the end of the block are written,
/// too, for a file that was made ready past the system's cache has no block there.
fn write_up_to_block<F: DiskFile>(
    file: &F,
    bytes: &[u8],
    offset: u32,
    capacity: u32,
) -> io::Result<()> {
    let end = offset + bytes.len() as u32;
    let block = end.next_multiple_of(BLOCK_BYTES).min(capacity);
    file.write_before_zeros(bytes, offset.into(), block.saturating_sub(end) as usize)
}

fn stopped(doing: &str, segment: u32, error: &io::Error) -> Failure {
    Failure::Stopped {
        why: format!("can't {doing} segment {segment}: {error}"),
    }
}
