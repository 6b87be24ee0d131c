//! The log's I/O side: writes batches, makes them durable, and tidies up when it has time.
//!
//! Must never say durable of what no sync has confirmed, nor try a failed sync again: after one, what is on
//! disk is unknown until the store is opened anew.

use std::collections::{BTreeSet, VecDeque};
use std::io;

use crate::Position;
use crate::batch::{Batch, Chunk, Committed, Failure, Opening, position};
use crate::disk::{Disk, DiskFile, is_full};
use crate::footer::FooterBuilder;
use crate::format::{Seeds, SegmentHeader, segment_name};
use crate::scan::{Found, Scanner};

/// Name of the file that keeps room for control records on a full disk.
pub(crate) const RESERVE_NAME: &str = "reserve";
/// Bytes of a closed segment that are looked at in one step of tidying.
const TIDY_BYTES: u64 = 1024 * 1024;

/// Writes what the log's owner appends. It can live on another thread.
#[derive(Debug)]
pub struct Committer<D: Disk> {
    disk: D,
    salt: u64,
    reserve_bytes: u32,
    segment_bytes: u32,
    active: Option<Active<D::File>>,
    durable: Position,
    stopped: Option<String>,
    closed: VecDeque<Sealing<D::File>>,
    /// Segments whose footer may not be on disk yet.
    unsynced: BTreeSet<u32>,
    /// Dead segments, and the one before each.
    remove: VecDeque<(u32, Option<u32>)>,
    removed: Vec<u32>,
    reserve_missing: bool,
    /// Bytes written since the last step of tidying.
    owed: u64,
}

#[derive(Debug)]
struct Active<F> {
    number: u32,
    file: F,
    /// Written but not synced.
    dirty: bool,
    /// The directory does not know it for good yet.
    new: bool,
    end: u32,
}

impl<D: Disk> Committer<D> {
    pub(crate) fn new(
        disk: D,
        salt: u64,
        (segment_bytes, reserve_bytes): (u32, u32),
        durable: Position,
    ) -> Self {
        Self {
            disk,
            salt,
            reserve_bytes,
            segment_bytes,
            active: None,
            durable,
            stopped: None,
            closed: VecDeque::new(),
            unsynced: BTreeSet::new(),
            remove: VecDeque::new(),
            removed: Vec::new(),
            reserve_missing: true,
            owed: 0,
        }
    }

    /// Writes a batch and waits until it is on disk: one write a chunk, one sync a segment.
    pub fn commit(&mut self, batch: Batch) -> Committed {
        self.remove.extend(&batch.remove);
        // Whoever never finds time to tidy up does it in proportion to what is written.
        self.owed += batch.bytes();
        if self.owed > 4 * TIDY_BYTES {
            self.tidy();
        }
        let failure = match &self.stopped {
            Some(why) => Some(Failure::Stopped { why: why.clone() }),
            None => self.write(&batch).err(),
        };
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

    /// Does one short step (about a millisecond) of what can wait: footers of closed segments, the removal
    /// of dead ones, room in reserve. Call it when no batch is waiting. Says whether there is more to do.
    pub fn tidy(&mut self) -> bool {
        self.owed = 0;
        if self.stopped.is_some() {
            return false;
        }
        if let Some(sealing) = self.closed.front_mut() {
            if !sealing.step(TIDY_BYTES) {
                // It is a hint: if it can't be written, the segment is read whole the next time.
                if let Some(sealing) = self.closed.pop_front() {
                    self.unsynced.insert(sealing.number);
                    let _ = sealing.finish(false);
                }
            }
        } else if let Some((number, before)) = self.remove.pop_front() {
            self.remove_segment(number, before);
        } else if self.reserve_missing {
            self.reserve();
        }
        !(self.remove.is_empty() && self.closed.is_empty())
    }

    /// Tidies up, and gives the active segment a footer so that the next start need not read it.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        while self.tidy() {}
        for number in std::mem::take(&mut self.unsynced) {
            self.disk.open(&segment_name(number))?.sync_data()?;
        }
        let Some(active) = self.active.take().filter(|_| self.stopped.is_none()) else {
            return Ok(());
        };
        let mut sealing = Sealing::new(active.file, self.salt, active.number, active.end)?;
        while sealing.step(TIDY_BYTES) {}
        sealing.finish(true)
    }

    fn write(&mut self, batch: &Batch) -> Result<(), Failure> {
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
        let written = active.file.write_at(&chunk.bytes, chunk.offset.into());
        let why = match written {
            Ok(()) => {
                active.end = chunk.offset + chunk.bytes.len() as u32;
                return Ok(());
            }
            Err(error) if is_full(&error) => error.to_string(),
            Err(error) => return Err(stopped("write", chunk.segment, &error)),
        };
        // What was written of this batch stays behind the end that the next segment will tell.
        let (number, end) = crate::batch::place(self.durable);
        if let Some(active) = self.active.take() {
            if active.number == number {
                self.seal_later(active.file, number, end);
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
        };
        let made = self.disk.create(&name, opening.capacity.into());
        let made = made.and_then(|file| {
            let written = file.write_at(&header.encode(), 0);
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
        if let Some(before) = self.active.take() {
            self.seal_later(before.file, before.number, opening.previous_end);
        }
        self.active = Some(Active {
            number,
            file,
            dirty: true,
            new: true,
            end: chunk.offset,
        });
        Ok(())
    }

    fn seal_later(&mut self, file: D::File, number: u32, end: u32) {
        self.closed
            .extend(Sealing::new(file, self.salt, number, end));
    }

    fn remove_segment(&mut self, number: u32, before: Option<u32>) {
        self.closed.retain(|sealing| sealing.number != number);
        self.unsynced.remove(&number);
        // Its header tells where the segment before it ends; from now on only that one's footer does.
        if let Some(before) = before {
            self.unsynced.remove(&before);
            let file = self.disk.open(&segment_name(before));
            if file.is_ok_and(|file| file.sync_data().is_err()) {
                return;
            }
        }
        // The next one goes only when this one is gone for good: an older record must not outlive what
        // made it dead.
        let gone = self
            .disk
            .remove(&segment_name(number))
            .and_then(|()| self.disk.sync_dir());
        match gone {
            Ok(()) => self.removed.push(number),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.removed.push(number),
            // It stays, and is found again when the store is opened the next time.
            Err(_) => {}
        }
    }

    /// Sets room aside, if there is plenty.
    fn reserve(&mut self) {
        let wanted = u64::from(self.reserve_bytes);
        let needed = 2 * wanted + u64::from(self.segment_bytes);
        let there = wanted == 0 || self.disk.open(RESERVE_NAME).is_ok();
        let enough = || self.disk.free_bytes().is_ok_and(|free| free > needed);
        let made = there || (enough() && self.disk.create(RESERVE_NAME, wanted).is_ok());
        self.reserve_missing = !made;
    }
}

fn stopped(doing: &str, segment: u32, error: &io::Error) -> Failure {
    Failure::Stopped {
        why: format!("can't {doing} segment {segment}: {error}"),
    }
}

/// A closed segment on its way to a footer.
#[derive(Debug)]
struct Sealing<F> {
    number: u32,
    end: u32,
    scanner: Scanner<F>,
    footer: FooterBuilder,
    damaged: bool,
}

impl<F: DiskFile> Sealing<F> {
    fn new(file: F, salt: u64, number: u32, end: u32) -> io::Result<Self> {
        Ok(Self {
            number,
            end,
            scanner: Scanner::new(file, Seeds::new(salt, number), Some(end))?,
            footer: FooterBuilder::default(),
            damaged: false,
        })
    }

    /// Looks at some more of it; says whether there is more.
    fn step(&mut self, bytes: u64) -> bool {
        let until = u64::from(self.scanner.offset()) + bytes;
        while u64::from(self.scanner.offset()) < until {
            match self.scanner.next() {
                Found::Record { head, bytes, .. } => {
                    let subject = head.record(bytes).map_or(&[][..], |record| record.subject);
                    self.footer.record(&head, subject);
                }
                Found::End => return false,
                // Told when the store is opened, which reads the segment whole then.
                Found::Damaged { .. } | Found::Gap { .. } => {
                    self.damaged = true;
                    return false;
                }
            }
        }
        true
    }

    fn finish(self, sync: bool) -> io::Result<()> {
        if self.damaged {
            return Ok(());
        }
        let file = self.scanner.into_file();
        write_footer(&file, self.footer, (self.number, self.end), sync)
    }
}

/// Cuts a segment where its records end and puts the footer there.
pub(crate) fn write_footer(
    file: &impl DiskFile,
    footer: FooterBuilder,
    (number, end): (u32, u32),
    sync: bool,
) -> io::Result<()> {
    file.set_length(end.into())?;
    let written = file.write_at(&footer.finish(number, end), end.into());
    if let Err(error) = written {
        // Half a footer is of no use, least of all on a full disk.
        file.set_length(end.into())?;
        return Err(error);
    }
    if sync { file.sync_data() } else { Ok(()) }
}
