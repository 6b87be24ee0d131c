//! Opens a store: what is in it, what is lost, and where the log goes on.
//!
//! Must never delete a record nor write over damaged bytes that whole records follow. A new segment is
//! begun after every opening, so that what was found stays as it is.

use std::collections::{BTreeMap, HashMap};
use std::io;

use crate::batch::{place, position};
use crate::committer::Committer;
use crate::crypt::{DataKey, Sealed, Veil};
use crate::disk::{Disk, DiskFile, is_full, read_up_to};
use crate::erasing;
use crate::footer::{FOOTER_MAGIC, Footer, FooterBuilder, FooterRead, Row};
use crate::format::{
    self, BadHeader, Head, SEGMENT_BYTES_MAX, SEGMENT_HEADER_BYTES, Seeds, SegmentHeader,
    segment_name, segment_number,
};
use crate::keyfile;
use crate::log::{Base, Log, Settings};
use crate::marks::{DeadHere, Marks};
use crate::pack::Unpacked;
use crate::preparing;
use crate::replay::{Cut, Lost, OpenError, OpenReport, Replayed, Why};
use crate::scan::{Found, Scanner, Survey, Window, survey};
use crate::sealing::write_footer;
use crate::space::{Segment, Space};
use crate::veil::{Part, Veils, lift};
use crate::watermark;
use crate::{CONTROL_KIND_MIN, Entry, Journal, Location, Position};

/// How much is read at once where only control records are wanted.
const CONTROL_READ_BYTES: usize = 32 * 1024;
/// How much is gathered to be written again.
const REWRITE_BYTES: usize = 1024 * 1024;

type Replay<'r> = &'r mut dyn FnMut(Replayed<'_>);

impl<D: Disk> Log<D> {
    /// Opens a store, or begins a new one in an empty directory. Hands every record to `replay`, in the
    /// order of the log, and everything that is lost.
    ///
    /// # Errors
    /// When somebody else has the store, it is of another version, or the disk can't do what is needed.
    pub fn open(
        disk: D,
        mut settings: Settings,
        replay: Replay<'_>,
    ) -> Result<(Self, Committer<D>, OpenReport), OpenError> {
        check(&settings)?;
        let lock = disk.lock()?;
        let keys = keyfile::open(&disk, settings.encryption.take().as_ref())?;
        let key = keys.as_ref().map(|(key, _)| key);
        let found = recover(&disk, (&settings, key), None, replay)?;
        let committer = found.committer(&disk, &settings, key.cloned());
        let next = (found.salt, found.next_number);
        let veils = keys.map(|(key, sealed)| Veils::new(key, sealed, found.sealed));
        let log = Self::after(
            (disk, lock),
            settings,
            (next, found.packed),
            (found.base, found.space),
            veils,
        );
        Ok((log, committer, found.report))
    }

    /// Reads the store again after [`crate::Progress::RolledBack`], as if it were opened: for an owner that would rather
    /// begin anew with what is durable than take back each thing that is not. No batch may be on its way, and every
    /// location that is not replayed is void, copies that compaction made too.
    ///
    /// # Errors
    /// When the disk can't do what is needed: nothing is taken any more then.
    pub fn recover(
        &mut self,
        committer: &mut Committer<D>,
        replay: Replay<'_>,
    ) -> Result<OpenReport, OpenError> {
        let durable = self.durable();
        let key = self.veils.as_ref().map(|veils| veils.key.clone());
        let settings = (&self.settings, key.as_ref());
        let found = recover(&self.disk, settings, Some(durable), replay);
        let found = found.inspect_err(|error| self.stop(&error.to_string()))?;
        *committer = found.committer(&self.disk, &self.settings, key);
        if let Some(veils) = &mut self.veils {
            *veils = Veils::new(veils.key.clone(), veils.sealed, found.sealed);
        }
        self.begin_after(found.next_number, found.base, found.space);
        Ok(found.report)
    }
}

/// A store that was read.
struct Recovered {
    salt: u64,
    /// No segment of this number or a higher one was ever begun, as far as is known.
    next_number: u32,
    base: Base,
    space: Space,
    marks: Marks,
    /// A segment says that it may hold packed records.
    packed: bool,
    /// How the records of segments are covered.
    sealed: HashMap<u32, Sealed>,
    report: OpenReport,
}

impl Recovered {
    fn committer<D: Disk>(
        &self,
        disk: &D,
        settings: &Settings,
        key: Option<DataKey>,
    ) -> Committer<D> {
        let sizes = (settings.segment_bytes, settings.reserve_bytes);
        let seals = (self.salt, key);
        Committer::new(disk.clone(), seals, sizes, self.report.end, &self.marks)
    }
}

/// Reads a store. `end` is where it ends, if that is known: nothing behind it counts.
fn recover<D: Disk>(
    disk: &D,
    (settings, key): (&Settings, Option<&DataKey>),
    end: Option<Position>,
    replay: Replay<'_>,
) -> Result<Recovered, OpenError> {
    let mut store = Store::look(disk, settings.salt, end)?;
    if key.is_none() && !store.sealed.is_empty() {
        return Err(keyfile::missing());
    }
    preparing::clear(disk);
    erasing::finish(disk).map_err(OpenError::io("overwrite deleted messages"))?;
    let marks = Marks::settle(disk).map_err(OpenError::io("read what is released"))?;
    let mut report = OpenReport {
        segments: store.segments.len() as u32,
        damaged_released: marks.damaged,
        ..OpenReport::default()
    };
    for number in &store.void {
        // Rolled back before the segment after it was begun: nobody was told of what it holds.
        let _ = disk.remove(&segment_name(*number));
    }
    for (number, written) in &store.unborn {
        // No header and no record is whole: all of it is a torn tail.
        let _ = disk.remove(&segment_name(*number));
        if *written > 0 {
            report.cut = Some(Cut {
                segment: *number,
                offset: SEGMENT_HEADER_BYTES,
                bytes: *written,
            });
        }
    }
    // Those that the committer took back must not be found the next time either.
    if end.is_some() || !(store.void.is_empty() && store.unborn.is_empty()) {
        let synced = disk.sync_dir();
        synced.map_err(OpenError::io("sync the store's directory"))?;
    }
    let mut space = Space::default();
    let mut base = Base::default();
    let mut all_sealed = std::mem::take(&mut store.sealed);
    for number in store.segments.keys().copied() {
        let mut reading = Reading {
            key,
            sealed: all_sealed.get(&number).copied(),
            veil: None,
            room: Vec::new(),
            unread: false,
            store: &store,
            disk,
            number,
            seeds: Seeds::new(store.salt, number),
            is_last: store.is_last(number),
            report: &mut report,
            damaged: false,
            dead: DeadHere::new(&marks, number),
            dead_bytes: 0,
            rewrite: Vec::new(),
        };
        base = reading.all(replay)?;
        let mut segment = Segment::new(base.end, base.end);
        segment.damaged = reading.damaged;
        segment.dead = reading.dead_bytes;
        segment.closed = !reading.is_last;
        segment.plain = key.is_some() && reading.sealed.is_none();
        all_sealed.extend(reading.sealed.map(|sealed| (number, sealed)));
        space.insert(number, segment);
    }
    if let Some(lost) = store.missing() {
        report.lost += 1;
        replay(Replayed::Lost(lost));
    }
    report.clean = report.scanned == 0;
    report.end = position(base.number, base.end);
    let highest = store.highest.max(marks.highest);
    let headers = store.segments.values().flatten();
    let packed = headers.into_iter().any(|header| header.packed);
    Ok(Recovered {
        salt: store.salt,
        next_number: highest.saturating_add(1),
        base,
        space,
        marks,
        packed,
        sealed: all_sealed,
        report,
    })
}

fn check(settings: &Settings) -> Result<(), OpenError> {
    let wrong = |name, why: &str| {
        let why = why.to_owned();
        Err(OpenError::Setting { name, why })
    };
    let least = 2 * SEGMENT_HEADER_BYTES;
    if !(least..=SEGMENT_BYTES_MAX).contains(&settings.segment_bytes) {
        return wrong("segment_bytes", "must be between 2 KiB and 1 GiB");
    }
    if settings.reserve_bytes != 0
        && !(least..=settings.segment_bytes).contains(&settings.reserve_bytes)
    {
        return wrong(
            "reserve_bytes",
            "must be 0, or between 2 KiB and segment_bytes",
        );
    }
    Ok(())
}

/// What the directory holds.
pub(crate) struct Store {
    /// Segments that count, and their headers if whole.
    pub(crate) segments: BTreeMap<u32, Option<SegmentHeader>>,
    /// Of whose header one copy or both are damaged.
    pub(crate) damaged_headers: Vec<u32>,
    /// Segments that were rolled back.
    void: Vec<u32>,
    /// Segments that were not begun, and how many bytes of them were written nevertheless.
    unborn: Vec<(u32, u32)>,
    /// What the segment that was written next tells of one: where it ends, and whether it was whole.
    ends: HashMap<u32, (u32, bool)>,
    /// The segment that is known to end earlier than it seems.
    cut: Option<u32>,
    /// How the records of segments are covered, as headers tell.
    pub(crate) sealed: HashMap<u32, Sealed>,
    pub(crate) salt: u64,
    highest: u32,
    /// What lies before it was on disk.
    known: Position,
}

impl Store {
    /// Looks around. `end` is where the log ends, if that is known.
    pub(crate) fn look<D: Disk>(
        disk: &D,
        salt_if_new: u64,
        end: Option<Position>,
    ) -> Result<Self, OpenError> {
        let names = disk.list().map_err(OpenError::io("list the store"))?;
        let mut segments = BTreeMap::new();
        let mut damaged_headers = Vec::new();
        for name in &names {
            let Some(number) = segment_number(name) else {
                continue;
            };
            let file = disk.open(name);
            let file = file.map_err(OpenError::io(format!("open {name}")))?;
            let mut bytes = Vec::new();
            // What can't be read is damaged.
            let _ = read_up_to(&file, &mut bytes, 0, SEGMENT_HEADER_BYTES as usize);
            let header = match SegmentHeader::decode(&bytes) {
                Ok((header, both)) if header.number == number => {
                    if !both {
                        damaged_headers.push(number);
                    }
                    Some(header)
                }
                Err(BadHeader::Version(found)) => {
                    let file = name.clone();
                    return Err(OpenError::Version { file, found });
                }
                _ => {
                    damaged_headers.push(number);
                    None
                }
            };
            segments.insert(number, header);
        }
        damaged_headers.sort_unstable();
        let highest = segments.keys().next_back().copied().unwrap_or(0);
        let salt = segments.values().flatten().map(|header| header.salt).next();
        let mut store = Self {
            segments,
            damaged_headers,
            void: Vec::new(),
            unborn: Vec::new(),
            ends: HashMap::new(),
            cut: None,
            sealed: HashMap::new(),
            salt: salt.unwrap_or(salt_if_new),
            highest,
            known: watermark::read(disk).map_err(OpenError::io("read how far the log was"))?,
        };
        store.follow_headers();
        if let Some(end) = end {
            store.end_at(end);
        }
        let left = store.leave_unborn(disk);
        left.map_err(OpenError::io("look at the last segment"))?;
        Ok(store)
    }

    /// Learns from each header where the segment before it ends, and which ones in between are void.
    fn follow_headers(&mut self) {
        let headers: Vec<_> = self.segments.values().flatten().copied().collect();
        for header in headers {
            let end = (header.previous_end, header.previous_whole);
            self.ends.insert(header.previous, end);
            if let Some(sealed) = header.previous_sealed {
                self.sealed.insert(header.previous, sealed);
            }
            if let Some(sealed) = header.sealed {
                self.sealed.insert(header.number, sealed);
            }
            let between = self
                .segments
                .range(header.previous + 1..header.number.max(header.previous + 1));
            let between: Vec<u32> = between.map(|(number, _)| *number).collect();
            for number in between {
                self.segments.remove(&number);
                self.void.push(number);
            }
        }
    }

    /// What lies behind `end` is void.
    fn end_at(&mut self, end: Position) {
        let (number, offset) = place(end);
        self.ends.insert(number, (offset, true));
        self.cut = Some(number);
        let behind = self.segments.split_off(&number.saturating_add(1));
        self.void.extend(behind.into_keys());
    }

    pub(crate) fn is_last(&self, number: u32) -> bool {
        self.segments.keys().next_back() == Some(&number)
    }

    /// Where a segment without footer ends, and what of it does not count.
    pub(crate) fn survey<F: DiskFile>(
        &self,
        file: F,
        number: u32,
        bad_footer: bool,
    ) -> io::Result<(Survey, Scanner<F>)> {
        let told = self.ends.get(&number).copied();
        // A segment is begun when all before it is on disk; but only its header proves that it was begun.
        let mut after = self.segments.range(number + 1..);
        let whole = told.map_or_else(
            || after.next().is_some_and(|(_, header)| header.is_some()),
            |(_, whole)| whole,
        );
        let limit = told.map(|(end, _)| end);
        let mut scanner = Scanner::new(file, Seeds::new(self.salt, number), limit)?;
        let mut survey = survey(&mut scanner, whole, self.known_in(number));
        scanner.seek(SEGMENT_HEADER_BYTES);
        if let Some((end, _)) = told {
            survey.end = end.max(SEGMENT_HEADER_BYTES);
            survey.cut = 0;
        }
        let mut behind = Vec::new();
        let _ = read_up_to(
            scanner.file(),
            &mut behind,
            survey.end.into(),
            FOOTER_MAGIC.len(),
        );
        survey.bad_footer = bad_footer || behind == FOOTER_MAGIC;
        if survey.bad_footer {
            // What is behind the end is that footer.
            survey.cut = 0;
        }
        Ok((survey, scanner))
    }

    /// Up to where a segment was on disk once, as far as is known without what other segments say.
    fn known_in(&self, number: u32) -> u32 {
        let (segment, offset) = place(self.known);
        if segment == number { offset } else { 0 }
    }

    /// What was on disk in a segment that is not there any more although none that was written later is.
    pub(crate) fn missing(&self) -> Option<Lost> {
        let (number, offset) = place(self.known);
        let bytes = offset.saturating_sub(SEGMENT_HEADER_BYTES);
        let gone = number > self.highest && bytes > 0;
        gone.then(|| unknown(number, SEGMENT_HEADER_BYTES, bytes))
    }

    /// Leaves out segments at the log's end that were not begun yet when the power failed: the header is
    /// not there, and no record either.
    fn leave_unborn<D: Disk>(&mut self, disk: &D) -> io::Result<()> {
        while let Some((&number, None)) = self.segments.last_key_value() {
            let file = disk.open(&segment_name(number))?;
            let (survey, _) = self.survey(file, number, false)?;
            if survey.end > SEGMENT_HEADER_BYTES {
                break;
            }
            self.segments.remove(&number);
            self.damaged_headers.retain(|damaged| *damaged != number);
            self.unborn.push((number, survey.cut));
        }
        Ok(())
    }
}

/// One segment that is being read.
struct Reading<'a, D: Disk> {
    store: &'a Store,
    disk: &'a D,
    number: u32,
    seeds: Seeds,
    is_last: bool,
    report: &'a mut OpenReport,
    damaged: bool,
    /// Records that were released.
    dead: DeadHere<'a>,
    dead_bytes: u32,
    /// Whole records that are to be written again, and where.
    rewrite: Vec<u8>,
    /// Of an encrypted store.
    key: Option<&'a DataKey>,
    /// How its records are covered, if they are, what uncovers them, and room for one.
    sealed: Option<Sealed>,
    veil: Option<Veil>,
    room: Vec<u8>,
    /// Whole records are covered, and nothing says how.
    unread: bool,
}

impl<D: Disk> Reading<'_, D> {
    fn all(&mut self, replay: Replay<'_>) -> Result<Base, OpenError> {
        let name = segment_name(self.number);
        let file = self.disk.open(&name);
        let file = file.map_err(OpenError::io(format!("open {name}")))?;
        let bad_header = self.store.damaged_headers.contains(&self.number);
        let bad_footer = match Footer::read(&file, self.number, self.key) {
            FooterRead::Whole(footer) => {
                self.sealed = self.sealed.or(footer.sealed);
                self.begin_veil();
                if bad_header {
                    self.report.damaged_headers.push(self.number);
                }
                if self.is_last {
                    // Where it ends must not be told otherwise the next time.
                    let synced = file.sync_data().and_then(|()| self.disk.sync_dir());
                    synced.map_err(OpenError::io(format!("sync {name}")))?;
                }
                self.footer(file, &footer, replay);
                return Ok(Base {
                    number: self.number,
                    end: footer.end,
                    whole: true,
                });
            }
            FooterRead::Damaged | FooterRead::Sealed(_) => true,
            FooterRead::Missing => false,
        };
        self.begin_veil();
        // Of the last one, a copy may not have been written yet: it is written again.
        if bad_header && !self.is_last {
            self.report.damaged_headers.push(self.number);
        }
        self.report.scanned += 1;
        let read = self.scan(file, bad_footer, replay);
        read.map_err(OpenError::io(format!("recover {name}")))
    }

    fn begin_veil(&mut self) {
        let key = self.key.zip(self.sealed);
        self.veil = key.map(|(key, sealed)| key.veil(sealed, self.number));
    }

    fn footer(&mut self, file: D::File, footer: &Footer, replay: Replay<'_>) {
        let mut window = Window::new(file, CONTROL_READ_BYTES, footer.end);
        let (mut room, mut lifted) = (Unpacked::default(), Vec::new());
        let mut veil = self.veil.take();
        footer.rows(|row| match row {
            Row::Record(entry) if self.is_dead(entry.at.offset, entry.at.length) => {}
            Row::Record(entry) if entry.kind < CONTROL_KIND_MIN => {
                self.report.records += 1;
                replay(Replayed::Record {
                    entry,
                    headers: &[],
                    payload: &[],
                });
            }
            Row::Record(entry) => {
                let bytes = window.get(entry.at.offset, entry.at.length as usize);
                let head = format::check_head(bytes, self.seeds, entry.at.offset);
                let head = head.filter(|head| format::body_is_whole(bytes, head));
                let record = head.and_then(|head| {
                    let record = (&head, bytes);
                    let at = entry.at.offset;
                    let bytes = lift(record, at, veil.as_mut(), Part::Whole, &mut lifted)?;
                    head.record(bytes, &mut room)
                });
                match record {
                    Some(record) => {
                        self.report.records += 1;
                        replay(Replayed::Record {
                            entry,
                            headers: record.headers,
                            payload: record.payload,
                        });
                    }
                    None => self.lost(told(&entry, Why::Payload), replay),
                }
            }
            Row::Lost(lost) => self.lost(lost, replay),
        });
    }

    /// Whether a record was released and is not to be replayed.
    fn is_dead(&mut self, offset: u32, length: u32) -> bool {
        let dead = self.dead.has(offset);
        if dead {
            self.dead_bytes += length;
            self.report.released += 1;
        }
        dead
    }

    fn lost(&mut self, lost: Lost, replay: Replay<'_>) {
        if lost.sequence.is_some() && self.is_dead(lost.offset, lost.bytes) {
            return;
        }
        self.damaged = true;
        self.report.lost += 1;
        replay(Replayed::Lost(lost));
    }

    /// Reads a segment that has no footer, and gives it one.
    fn scan(&mut self, file: D::File, bad_footer: bool, replay: Replay<'_>) -> io::Result<Base> {
        let (survey, mut scanner) = self.store.survey(file, self.number, bad_footer)?;
        if survey.bad_footer {
            self.report.damaged_footers.push(self.number);
        }
        let mut footer = FooterBuilder::default();
        let mut rewrite_at = SEGMENT_HEADER_BYTES;
        let header = self.store.segments.get(&self.number);
        if let Some(header) = header.copied().flatten().filter(|_| !survey.whole) {
            self.rewrite = header.encode();
            self.write_again(scanner.file(), &mut 0)?;
        }
        while scanner.offset() < survey.end {
            let lost = match scanner.next() {
                Found::Record {
                    offset,
                    head,
                    bytes,
                } => {
                    if survey.dropped.binary_search(&offset).is_ok() {
                        known(&head, self.number, offset, Why::Group)
                    } else {
                        self.record(&head, bytes, offset, &mut footer, replay);
                        if !survey.whole {
                            self.rewrite.extend_from_slice(bytes);
                        }
                        if self.rewrite.len() < REWRITE_BYTES {
                            continue;
                        }
                        self.write_again(scanner.file(), &mut rewrite_at)?;
                        continue;
                    }
                }
                Found::Damaged { offset, head, .. } => {
                    known(&head, self.number, offset, Why::Payload)
                }
                Found::Gap { offset, bytes, .. } => {
                    unknown(self.number, offset, bytes.min(survey.end - offset))
                }
                Found::End => break,
            };
            self.write_again(scanner.file(), &mut rewrite_at)?;
            rewrite_at = lost.offset + lost.bytes;
            footer.lost(&lost);
            self.lost(lost, replay);
        }
        self.write_again(scanner.file(), &mut rewrite_at)?;
        let file = scanner.into_file();
        let veil = self.key.zip(self.sealed);
        if !survey.whole {
            file.sync_data()?;
            self.disk.sync_dir()?;
            self.note_cut(&survey);
        }
        if self.store.cut == Some(self.number) {
            // What was taken back must not be found the next time.
            file.set_length(survey.end.into())?;
            file.sync_data()?;
        }
        if let Some(lost) = survey.lost_behind(self.number) {
            // They stay, so there is no place for a footer.
            self.lost(lost, replay);
        } else if !self.unread {
            // A hint: without it the segment is read whole the next time too.
            let _ = write_footer(&file, (footer, veil), (self.number, survey.end), true);
        }
        Ok(Base {
            number: self.number,
            end: survey.end,
            whole: survey.dropped.is_empty(),
        })
    }

    fn record(
        &mut self,
        head: &Head,
        bytes: &[u8],
        offset: u32,
        footer: &mut FooterBuilder,
        replay: Replay<'_>,
    ) {
        let part = if head.kind >= CONTROL_KIND_MIN {
            Part::Whole
        } else {
            Part::Subject
        };
        let mut lifted = std::mem::take(&mut self.room);
        let bytes = lift((head, bytes), offset, self.veil.as_mut(), part, &mut lifted);
        match bytes {
            Some(bytes) => self.lifted((head, bytes), offset, footer, replay),
            None => {
                // With the header that is damaged, it could be read: no footer is to say that it is lost.
                self.unread = true;
                self.lost(known(head, self.number, offset, Why::Payload), replay);
            }
        }
        self.room = lifted;
    }

    fn lifted(
        &mut self,
        (head, bytes): (&Head, &[u8]),
        offset: u32,
        footer: &mut FooterBuilder,
        replay: Replay<'_>,
    ) {
        let subject = head.subject(bytes).unwrap_or_default();
        footer.record(head, subject);
        if self.is_dead(offset, head.length) {
            return;
        }
        let mut room = Unpacked::default();
        let (headers, payload) = if head.kind >= CONTROL_KIND_MIN {
            let Some(record) = head.record(bytes, &mut room) else {
                return self.lost(known(head, self.number, offset, Why::Payload), replay);
            };
            (record.headers, record.payload)
        } else {
            (&[][..], &[][..])
        };
        self.report.records += 1;
        let at = Location {
            segment: self.number,
            offset,
            length: head.length,
        };
        replay(Replayed::Record {
            entry: head.entry(subject, at),
            headers,
            payload,
        });
    }

    /// Writes whole records again, just as they were read. After a sync that failed, or a process that
    /// died, the system may show bytes that never reached the disk, and think that they did.
    fn write_again(&mut self, file: &D::File, at: &mut u32) -> io::Result<()> {
        if !self.rewrite.is_empty() {
            match file.write_at(&self.rewrite, (*at).into()) {
                Err(error) if !is_full(&error) => return Err(error),
                _ => {}
            }
            *at += self.rewrite.len() as u32;
            self.rewrite.clear();
        }
        Ok(())
    }

    fn note_cut(&mut self, survey: &Survey) {
        if survey.cut > 0 {
            self.report.cut = Some(Cut {
                segment: self.number,
                offset: survey.end,
                bytes: survey.cut,
            });
        }
    }
}

/// Lost bytes of which the head still tells.
pub(crate) fn known(head: &Head, segment: u32, offset: u32, why: Why) -> Lost {
    Lost {
        kind: Some(head.kind),
        stream: Some(head.stream),
        sequence: Some(head.sequence),
        segment,
        offset,
        bytes: head.length,
        why,
    }
}

/// Lost bytes of which nothing is known.
pub(crate) fn unknown(segment: u32, offset: u32, bytes: u32) -> Lost {
    Lost {
        kind: None,
        stream: None,
        sequence: None,
        segment,
        offset,
        bytes,
        why: Why::Head,
    }
}

/// A lost record of which a footer still tells.
pub(crate) fn told(entry: &Entry<'_>, why: Why) -> Lost {
    Lost {
        kind: Some(entry.kind),
        stream: Some(entry.stream),
        sequence: Some(entry.sequence),
        segment: entry.at.segment,
        offset: entry.at.offset,
        bytes: entry.at.length,
        why,
    }
}
