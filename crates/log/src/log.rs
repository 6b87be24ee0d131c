//! The log's owner's side: appends, reads, and knows what is durable, dead and alive.
//!
//! Must never touch the disk while something is appended, and never call durable what the committer has
//! not confirmed.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::batch::{Batch, Committed, Failure, Opening, Progress, place, position};
use crate::cache::Reader;
use crate::committer::{Committer, RESERVE_NAME};
use crate::compaction::Compactor;
use crate::crypt::{Encryption, Sealed, Veil};
use crate::disk::Disk;
use crate::format::{
    self, Frame, HEAD_BYTES, Head, SEGMENT_BYTES_MAX, SEGMENT_HEADER_BYTES, Seeds, encode,
    encode_copy, length_of,
};
use crate::pack::{Packer, Unpacked};
use crate::space::{Segment, Space};
use crate::tail::Tail;
use crate::veil::Veils;
use crate::{CONTROL_KIND_MIN, Damaged, Journal, Location, Position, Record, Refused};

/// Longest subject.
const SUBJECT_BYTES_MAX: u64 = u16::MAX as u64;

/// So many failures in a row may be chance; after each further one twice as many appends are refused, ...
const SURPRISES_FREE: u32 = 3;
/// ... but not doubled more often than this.
const DOUBLINGS_MAX: u32 = 12;

/// How a log works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Room that is set aside for a segment. A larger record or group gets a segment of its own size, up
    /// to 1 GiB.
    pub segment_bytes: u32,
    /// Durable bytes that are kept in memory for whoever reads what was just written.
    pub recent_bytes_max: usize,
    /// Bytes of older segments that are kept in memory.
    pub cache_bytes_max: usize,
    /// Bytes that may wait to be written; beyond, records are refused.
    pub pending_bytes_max: u64,
    /// Room that is kept for control records on a full disk; 0 for none.
    pub reserve_bytes: u32,
    /// Chance, for a new store: whoever does not know it can't make up bytes that look like a record.
    pub salt: u64,
    /// Encrypt what records say of others' data. A store that is encrypted stays so.
    pub encryption: Option<Encryption>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            recent_bytes_max: 32 << 20,
            cache_bytes_max: 16 << 20,
            pending_bytes_max: 256 << 20,
            reserve_bytes: 4 << 20,
            salt: 0,
            encryption: None,
        }
    }
}

/// The segment that is being appended to.
#[derive(Clone, Copy, Debug)]
struct Active {
    number: u32,
    seeds: Seeds,
    end: u32,
    capacity: u32,
    /// Made of the reserve: for control records, while the disk is full.
    reserve: bool,
}

/// Where the log ended when there was no active segment: what the next one's header tells.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Base {
    pub(crate) number: u32,
    pub(crate) end: u32,
    pub(crate) whole: bool,
}

/// The durable log as its owner has it. See [`Journal`] for appending and reading.
///
/// The owner takes a batch ([`Log::take_batch`]) when none is on its way, has it written
/// ([`Committer::commit`]) wherever it likes, and tells the log what became of it ([`Log::committed`]).
#[derive(Debug)]
pub struct Log<D: Disk> {
    pub(crate) disk: D,
    pub(crate) settings: Settings,
    pub(crate) salt: u64,
    pub(crate) tail: Tail,
    pub(crate) reader: Reader<D>,
    pub(crate) space: Space,
    pub(crate) compactor: Compactor<D>,
    base: Base,
    active: Option<Active>,
    /// No segment of this number or a higher one exists.
    next_number: u32,
    /// Segments from this number on may hold packed records. A store that was never asked to pack any stays one that
    /// older programs read.
    packed_from: u32,
    packer: Packer,
    unpacked: Unpacked,
    /// Of an encrypted store.
    pub(crate) veils: Option<Veils>,
    /// What covers the records of the active segment.
    veil: Option<Veil>,
    /// Which batch is being gathered.
    batch: u32,
    in_flight: bool,
    /// What is to be overwritten once the batch that is being gathered is on disk, ...
    erased: Vec<Location>,
    /// ... and what may be in the middle of that, with the batch that is on its way.
    erasing: Vec<Location>,
    durable: Position,
    /// The disk was full the last time.
    full: bool,
    /// Batches that found no room although there seemed to be some, since the last one that was written.
    surprises: u32,
    /// So many appends are refused before it is tried again, unless more than this many bytes are free.
    refusals: u32,
    free_then: u64,
    /// The disk could not be read.
    read_error: Option<String>,
    stopped: Option<String>,
    _lock: D::Lock,
}

impl<D: Disk> Log<D> {
    /// A log that goes on after what was found on the disk.
    pub(crate) fn after(
        (disk, lock): (D, D::Lock),
        settings: Settings,
        ((salt, next_number), packed): ((u64, u32), bool),
        (base, space): (Base, Space),
        veils: Option<Veils>,
    ) -> Self {
        Self {
            tail: Tail::new(settings.recent_bytes_max),
            reader: Reader::new(disk.clone(), settings.cache_bytes_max),
            disk,
            settings,
            salt,
            space,
            compactor: Compactor::default(),
            base,
            active: None,
            next_number,
            packed_from: if packed { next_number } else { u32::MAX },
            packer: Packer::default(),
            unpacked: Unpacked::default(),
            veils,
            veil: None,
            batch: 0,
            in_flight: false,
            erased: Vec::new(),
            erasing: Vec::new(),
            durable: position(base.number, base.end),
            full: false,
            surprises: 0,
            refusals: 0,
            free_then: 0,
            read_error: None,
            stopped: None,
            _lock: lock,
        }
    }

    /// Goes on after what was found when the store was read again.
    pub(crate) fn begin_after(&mut self, next_number: u32, base: Base, space: Space) {
        self.tail = Tail::new(self.settings.recent_bytes_max);
        self.reader = Reader::new(self.disk.clone(), self.settings.cache_bytes_max);
        self.compactor = Compactor::default();
        self.erased.clear();
        self.space = space;
        self.base = base;
        self.active = None;
        self.veil = None;
        // No number is used twice between two openings: keys of segments come from it.
        self.next_number = self.next_number.max(next_number);
        self.durable = position(base.number, base.end);
    }

    /// Gives back memory that reading the past took and that nobody used since the last call. To be called about once a
    /// minute.
    pub fn age(&mut self) {
        self.reader.age();
    }

    /// Why the disk could not be read the last time that it could not, since the last call.
    pub fn take_read_error(&mut self) -> Option<String> {
        self.read_error.take()
    }

    /// Takes nothing any more.
    pub(crate) fn stop(&mut self, why: &str) {
        self.stopped = Some(why.to_owned());
    }

    /// What was appended since the last batch, and what there is to tidy up. Nothing while a batch is on
    /// its way, or if there is nothing.
    pub fn take_batch(&mut self) -> Option<Batch> {
        let nothing = self.tail.waiting_bytes == 0 && !self.space.has_untold();
        if self.in_flight || nothing || self.stopped.is_some() {
            return None;
        }
        self.in_flight = true;
        self.batch = self.batch.wrapping_add(1);
        let marks = self.space.has_untold();
        let remove = self.space.take_untold();
        for (number, _) in &remove {
            self.reader.forget(*number);
            if let Some(veils) = &mut self.veils {
                veils.of.remove(number);
            }
        }
        let erased = std::mem::take(&mut self.erased);
        self.compactor.erases(&erased);
        self.erasing.clone_from(&erased);
        Some(Batch {
            erased,
            chunks: self.tail.take(),
            end: self.end(),
            remove,
            released: if marks {
                self.space.take_unmarked()
            } else {
                Default::default()
            },
        })
    }

    /// Bytes that were appended and are in no batch yet.
    #[must_use]
    pub fn waiting_bytes(&self) -> u64 {
        self.tail.waiting_bytes
    }

    /// Takes what became of the batch, and says how far the log has come.
    pub fn committed(&mut self, committed: Committed) -> Progress {
        self.in_flight = false;
        self.erasing.clear();
        self.durable = self.durable.max(committed.durable);
        self.space.removed(&committed.removed);
        self.compactor.removed(&committed.removed);
        self.space.durable(self.durable);
        let progress = match committed.failure {
            None => {
                if !self.full {
                    self.surprises = 0;
                }
                self.space.check_closed();
                Progress::Durable(self.durable)
            }
            Some(Failure::Full { why, leave }) => {
                self.roll_back(leave);
                Progress::RolledBack {
                    to: self.durable,
                    why,
                }
            }
            Some(Failure::Stopped { why }) => {
                self.stopped = Some(why.clone());
                Progress::Stopped { why }
            }
        };
        self.tail.trim(self.durable);
        progress
    }

    /// The oldest segment that may still be found after a crash, whatever was released. (What makes a record
    /// dead need not wait for it: see [`Journal::release`].)
    #[must_use]
    pub fn oldest_segment(&self) -> Option<u32> {
        self.space.oldest()
    }

    /// Room on the disk, segments that are set aside not counted.
    ///
    /// # Errors
    /// When the disk does not know.
    pub fn free_bytes(&self) -> std::io::Result<u64> {
        self.disk.free_bytes()
    }

    /// Whether the disk was full when room was last looked for.
    #[must_use]
    pub fn was_full(&self) -> bool {
        self.full
    }

    /// Bytes of records on the disk, and how many of them are alive.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for (number, segment) in self.space.iter() {
            let mut segment = *segment;
            if let Some(active) = self.active.filter(|active| active.number == number) {
                segment.end = active.end;
            }
            usage.segments += 1;
            usage.bytes += u64::from(segment.total());
            usage.live_bytes += u64::from(segment.live());
            usage.plain_segments += u32::from(segment.plain);
        }
        usage
    }

    /// Why nothing is taken any more, if so.
    #[must_use]
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// Writes what waits and closes the log so that the next start has little to read.
    ///
    /// # Errors
    /// When not all of what was appended could be made durable, or the last segment got no footer.
    pub fn close(mut self, committer: &mut Committer<D>) -> Result<(), Refused> {
        while let Some(batch) = self.take_batch() {
            match self.committed(committer.commit(batch)) {
                Progress::Durable(_) => {}
                Progress::RolledBack { why, .. } => return Err(Refused::Full(why)),
                Progress::Stopped { why } => return Err(Refused::Stopped(why)),
            }
        }
        committer
            .close()
            .map_err(|error| Refused::Stopped(error.to_string()))
    }

    /// Whether a record may be read in the middle of being overwritten.
    pub(crate) fn is_being_erased(&self, at: Location) -> bool {
        self.erasing.contains(&at)
    }

    /// Offsets of such records in a segment.
    pub(crate) fn erased_in(&self, segment: u32) -> BTreeSet<u32> {
        let here = self.erasing.iter().filter(|at| at.segment == segment);
        here.map(|at| at.offset).collect()
    }

    /// Where a segment's bytes stop being settled.
    pub(crate) fn settled_limit(&self, segment: u32) -> u32 {
        let (number, offset) = place(self.durable);
        if segment == number { offset } else { u32::MAX }
    }

    /// Appends a copy of a whole record, packed if it was. With `control` it may use the reserve.
    pub(crate) fn append_copy(
        &mut self,
        (head, bytes): (&Head, &[u8]),
        control: bool,
    ) -> Result<Location, Refused> {
        self.make_room(head.length.into(), control, head.packed)?;
        let batch = self.batch;
        Ok(append_bytes(&mut self.active, &mut self.tail, |to, at| {
            let frame = (Frame::Single, batch);
            encode_copy(to, (head, bytes), frame, at, self.veil.as_mut()).unwrap_or_default()
        }))
    }

    /// Appends a record whose owner wants it packed.
    fn append_smaller(&mut self, record: &Record<'_>) -> Result<Location, Refused> {
        let packed = self.packer.pack(record);
        let bytes = length_of(record, packed.as_ref().map(Range::len));
        let control = record.kind >= CONTROL_KIND_MIN;
        let room = self.make_room(bytes, control, packed.is_some());
        let appended = room.map(|()| self.append_framed(record, packed, Frame::Single));
        self.packer.clear();
        appended
    }

    /// Appends a record for which there is room, packed if it says where it is in the packer.
    fn append_framed(
        &mut self,
        record: &Record<'_>,
        packed: Option<Range<usize>>,
        frame: Frame,
    ) -> Location {
        let frame = (frame, self.batch);
        let packed = packed.and_then(|range| self.packer.bytes(range));
        append_bytes(&mut self.active, &mut self.tail, |to, at| {
            encode(to, (record, packed), frame, at, self.veil.as_mut())
        })
    }

    /// Sees to it that `bytes` fit in the active segment, and that it may hold packed records if some are `packed`.
    #[inline]
    fn make_room(&mut self, bytes: u64, control: bool, packed: bool) -> Result<(), Refused> {
        if let Some(why) = &self.stopped {
            return Err(Refused::Stopped(why.clone()));
        }
        if self.tail.waiting_bytes + bytes > self.settings.pending_bytes_max
            && self.tail.waiting_bytes > 0
        {
            let waiting = self.tail.waiting_bytes;
            return Err(Refused::Full(format!("{waiting} bytes wait to be written")));
        }
        match self.active {
            Some(active)
                if u64::from(active.end) + bytes <= u64::from(active.capacity)
                    && (!packed || active.number >= self.packed_from) =>
            {
                if active.reserve && !control && self.is_full(self.settings.segment_bytes) {
                    return Err(Refused::Full("the disk is full".to_owned()));
                }
                self.tail.make_room(bytes);
                Ok(())
            }
            _ => {
                if packed {
                    self.packed_from = self.packed_from.min(self.next_number);
                }
                self.next_segment(bytes, control)
            }
        }
    }

    /// Whether the disk is as full as it was found to be.
    fn is_full(&mut self, capacity: u32) -> bool {
        if !self.full {
            return false;
        }
        let free = self.disk.free_bytes().unwrap_or(u64::MAX);
        if self.refusals > 0 && free <= self.free_then {
            self.refusals -= 1;
            return true;
        }
        let wanted = u64::from(capacity) + 2 * u64::from(self.settings.reserve_bytes);
        self.full = free < wanted;
        self.full
    }

    /// Whether room is left that was kept for control records.
    fn has_reserve(&self) -> bool {
        let bytes = u64::from(self.settings.reserve_bytes);
        // What seems to be free may be of no use.
        let seems_free =
            self.refusals == 0 && self.disk.free_bytes().is_ok_and(|free| free >= 2 * bytes);
        self.disk.open(RESERVE_NAME).is_ok() || seems_free
    }

    #[cold]
    fn next_segment(&mut self, bytes: u64, control: bool) -> Result<(), Refused> {
        let max = u64::from(SEGMENT_BYTES_MAX - SEGMENT_HEADER_BYTES);
        if bytes > max {
            return Err(Refused::TooLarge { bytes, max });
        }
        let needed = SEGMENT_HEADER_BYTES + bytes as u32;
        let mut capacity = needed.max(self.settings.segment_bytes);
        let mut from_reserve = false;
        if self.is_full(capacity) {
            if !control || needed > self.settings.reserve_bytes {
                return Err(Refused::Full("the disk is full".to_owned()));
            }
            if !self.has_reserve() {
                return Err(Refused::Full(
                    "the disk is full, and so is what was kept in reserve".to_owned(),
                ));
            }
            capacity = self.settings.reserve_bytes;
            from_reserve = true;
        }
        let previous = self.active.map_or(self.base, |active| Base {
            number: active.number,
            end: active.end,
            whole: true,
        });
        let number = self.next_number;
        let Some(after) = number.checked_add(1) else {
            return Err(Refused::Full("all segment numbers are used".to_owned()));
        };
        self.next_number = after;
        self.space.close(previous.number, previous.end);
        let (sealed, previous_sealed) = self.begin_veil(number, previous.number);
        let opening = Opening {
            sealed,
            previous_sealed,
            previous: previous.number,
            previous_end: previous.end,
            previous_whole: previous.whole,
            capacity,
            packed: number >= self.packed_from,
            from_reserve,
        };
        self.tail
            .start_at(number, SEGMENT_HEADER_BYTES, Some(opening));
        self.space
            .insert(number, Segment::new(SEGMENT_HEADER_BYTES, capacity));
        self.active = Some(Active {
            number,
            seeds: Seeds::new(self.salt, number),
            end: SEGMENT_HEADER_BYTES,
            capacity,
            reserve: from_reserve,
        });
        Ok(())
    }

    /// Makes what covers the records of a new segment; how, and how those of the one before are covered.
    fn begin_veil(&mut self, number: u32, previous: u32) -> (Option<Sealed>, Option<Sealed>) {
        let Some(veils) = &mut self.veils else {
            return (None, None);
        };
        veils.of.insert(number, veils.sealed);
        self.veil = veils.veil(number);
        (Some(veils.sealed), veils.of.get(&previous).copied())
    }

    /// Forgets everything that is not durable.
    fn roll_back(&mut self, leave: bool) {
        let (number, end) = place(self.durable);
        // A quota, or others who write: the disk does not say when there is room.
        self.surprises += 1;
        let doubled = self.surprises.saturating_sub(SURPRISES_FREE);
        self.refusals = (1 << doubled.min(DOUBLINGS_MAX)) - 1;
        self.free_then = self.disk.free_bytes().unwrap_or(u64::MAX);
        self.full = true;
        self.compactor.roll_back(self.durable);
        self.tail.roll_back(self.durable);
        self.erased.clear();
        self.space.roll_back((number, end));
        let segment = self.space.get_mut(number).copied();
        let goes_on = number != self.base.number && !leave;
        self.active = segment.filter(|_| goes_on).map(|segment| Active {
            number,
            seeds: Seeds::new(self.salt, number),
            end,
            capacity: segment.capacity,
            reserve: segment.capacity < self.settings.segment_bytes,
        });
        if self.active.is_some() {
            self.veil = self.veils.as_ref().and_then(|veils| veils.veil(number));
            self.tail.start_at(number, end, None);
        } else if number != self.base.number {
            self.base = Base {
                number,
                end,
                whole: true,
            };
        }
    }

    /// A record as it is stored but uncovered, checked, wherever it is.
    pub(crate) fn fetch(&mut self, at: Location) -> Result<(Head, &[u8]), Unfetched> {
        let limit = self.settled_limit(at.segment);
        let from = (&self.tail, &mut self.reader);
        fetch(from, (self.salt, limit), at, self.veils.as_mut())
    }
}

/// Has a record's bytes put behind what waits to be written.
#[inline]
fn append_bytes(
    to: &mut Option<Active>,
    tail: &mut Tail,
    encode: impl FnOnce(&mut Vec<u8>, (Seeds, u32)) -> u32,
) -> Location {
    // `make_room` was called before.
    let mut active = to.unwrap_or(Active {
        number: 0,
        seeds: Seeds::new(0, 0),
        end: 0,
        capacity: 0,
        reserve: false,
    });
    let offset = active.end;
    let length = encode(&mut tail.open, (active.seeds, offset));
    tail.appended(length);
    active.end += length;
    *to = Some(active);
    Location {
        segment: active.number,
        offset,
        length,
    }
}

/// A record's head and bytes, out of memory or from the disk, uncovered.
#[inline]
fn fetch<'a, D: Disk>(
    from: (&'a Tail, &'a mut Reader<D>),
    place: (u64, u32),
    at: Location,
    veils: Option<&'a mut Veils>,
) -> Result<(Head, &'a [u8]), Unfetched> {
    let (head, bytes) = fetch_stored(from, place, at)?;
    if !head.veiled {
        return Ok((head, bytes));
    }
    let lifted = veils.and_then(|veils| veils.lift((at.segment, at.offset), (&head, bytes)));
    let bytes = lifted.ok_or("encrypted, and the segment does not say how")?;
    Ok((head, bytes))
}

/// A record's head and bytes as they are stored.
#[inline]
fn fetch_stored<'a, D: Disk>(
    (tail, reader): (&'a Tail, &'a mut Reader<D>),
    (salt, limit): (u64, u32),
    at: Location,
) -> Result<(Head, &'a [u8]), Unfetched> {
    if (at.length as usize) < HEAD_BYTES {
        return Err("no record is that short".into());
    }
    if let Some(found) = tail.find(at) {
        // These never left memory: only the location can be wrong.
        let bytes = tail.bytes(found, at.length);
        let bytes = bytes.ok_or("no record begins there")?;
        let head = format::parse_head(bytes)
            .filter(|head| head.length == at.length)
            .ok_or("no record begins there")?;
        return Ok((head, bytes));
    }
    let found = reader.load(at, limit).map_err(|error| Unfetched {
        why: error.to_string(),
        unread: true,
    })?;
    let bytes = reader.bytes(found, at.length);
    let seeds = Seeds::new(salt, at.segment);
    let head = format::check_head(bytes, seeds, at.offset)
        .filter(|head| head.length == at.length)
        .ok_or("not a whole record")?;
    if !format::body_is_whole(bytes, &head) {
        return Err("headers or payload damaged".into());
    }
    Ok((head, bytes))
}

/// Why there is no record.
pub(crate) struct Unfetched {
    why: String,
    unread: bool,
}

impl From<&str> for Unfetched {
    fn from(why: &str) -> Self {
        Self {
            why: why.to_owned(),
            unread: false,
        }
    }
}

impl<D: Disk> Journal for Log<D> {
    fn append(&mut self, record: &Record<'_>) -> Result<Location, Refused> {
        check_subject(record)?;
        if record.compress {
            return self.append_smaller(record);
        }
        let control = record.kind >= CONTROL_KIND_MIN;
        self.make_room(length_of(record, None), control, false)?;
        Ok(self.append_framed(record, None, Frame::Single))
    }

    fn append_group(&mut self, records: &[Record<'_>]) -> Result<Vec<Location>, Refused> {
        if let [record] = records {
            return Ok(vec![self.append(record)?]);
        }
        let Some(last) = records.len().checked_sub(1) else {
            return Ok(Vec::new());
        };
        for record in records {
            check_subject(record)?;
        }
        let control = records.iter().all(|record| record.kind >= CONTROL_KIND_MIN);
        let mut packed = Vec::new();
        if records.iter().any(|record| record.compress) {
            let pack = |record: &Record<'_>| record.compress.then(|| self.packer.pack(record))?;
            packed.extend(records.iter().map(pack));
        }
        let packed_at = |index: usize| packed.get(index).cloned().flatten();
        let any_packed = packed.iter().any(Option::is_some);
        let length = |(index, record)| length_of(record, packed_at(index).map(|at| at.len()));
        let bytes = records.iter().enumerate().map(length).sum();
        // All in one segment and one batch: that is what recovery relies on.
        let room = self.make_room(bytes, control, any_packed);
        let frame = |index| match index {
            0 => Frame::First,
            index if index == last => Frame::Last,
            _ => Frame::Middle,
        };
        let records = records.iter().enumerate();
        let append = |(index, record)| self.append_framed(record, packed_at(index), frame(index));
        let appended = room.map(|()| records.map(append).collect());
        self.packer.clear();
        appended
    }

    fn read(&mut self, at: Location) -> Result<Record<'_>, Damaged> {
        let limit = self.settled_limit(at.segment);
        let from = (&self.tail, &mut self.reader);
        fetch(from, (self.salt, limit), at, self.veils.as_mut())
            .and_then(|(head, bytes)| {
                let record = head.record(bytes, &mut self.unpacked);
                record.ok_or_else(|| "headers or payload damaged".into())
            })
            .map_err(|Unfetched { why, unread }| {
                if unread {
                    self.read_error = Some(why.clone());
                }
                Damaged { at, why, unread }
            })
    }

    fn release(&mut self, at: Location) {
        let (end, durable) = (self.end(), self.durable);
        self.space.release(at, end, durable);
        if let Some(copy) = self.compactor.copy_of(at) {
            self.space.release(copy, end, durable);
        }
    }

    fn erase(&mut self, at: Location) {
        self.erased.push(at);
        self.erased.extend(self.compactor.copy_of(at));
        self.erased.extend(self.compactor.original_of(at));
    }

    fn end(&self) -> Position {
        let active = self
            .active
            .map(|active| position(active.number, active.end));
        active.unwrap_or(position(self.base.number, self.base.end))
    }

    fn durable(&self) -> Position {
        self.durable
    }
}

/// What the records take on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Segments.
    pub segments: u32,
    /// Bytes of records.
    pub bytes: u64,
    /// Bytes of records that were not released.
    pub live_bytes: u64,
    /// Of an encrypted store: segments of before that are not encrypted yet.
    pub plain_segments: u32,
}

fn check_subject(record: &Record<'_>) -> Result<(), Refused> {
    let bytes = record.subject.len() as u64;
    if bytes > SUBJECT_BYTES_MAX {
        return Err(Refused::TooLarge {
            bytes,
            max: SUBJECT_BYTES_MAX,
        });
    }
    Ok(())
}
