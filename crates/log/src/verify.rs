//! Reads all of a store that nobody uses, reports what is damaged, and copies what is whole.
//!
//! Must never change the store that it reads.

use std::collections::BTreeSet;

use crate::batch::Progress;
use crate::crypt::{DataKey, Sealed, Secret, Veil};
use crate::disk::Disk;
use crate::erasing;
use crate::footer::{Footer, FooterRead, Row};
use crate::format::{self, Head, SEGMENT_HEADER_BYTES, Seeds, segment_name};
use crate::keyfile;
use crate::log::{Log, Settings};
use crate::marks::{DeadHere, Marks};
use crate::pack::Unpacked;
use crate::recovery::{Store, known, told, unknown};
use crate::replay::{Cut, Lost, OpenError, Why};
use crate::scan::{Found, Scanner, Survey, Window};
use crate::veil::{Part, lift};
use crate::{CONTROL_KIND_MIN, Record, Refused};

/// How much is read at once.
const READ_BYTES: usize = 1024 * 1024;
/// Bytes that are copied between two commits.
const COMMIT_BYTES: u64 = 4 * 1024 * 1024;

/// One thing that is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A record that is lost, or bytes that held records.
    Lost(Lost),
    /// One copy of a segment's header, or both, is damaged. No record is lost with it.
    Header {
        /// The segment.
        segment: u32,
    },
    /// A segment's footer is damaged, or does not say what the segment holds. No record is lost with it.
    Footer {
        /// The segment.
        segment: u32,
    },
    /// What is written down of released records is damaged. No record is lost with it, but some that were
    /// released may be found again.
    Released,
    /// What was being written when the last process ended. No record that was acknowledged is lost with it,
    /// unless damage hit the very end.
    Cut(Cut),
}

/// What was found in a whole store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Segments.
    pub segments: u32,
    /// Whole records, of whatever kind, dead ones included.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Damaged records and places.
    pub lost: u64,
    /// All findings, harmless ones included.
    pub findings: u64,
    /// Segments whose records are encrypted.
    pub encrypted: u32,
    /// Encrypted records whose checksums are right, but which nobody could read without the key. Counted in `records`.
    pub unread: u64,
}

/// Why what is whole could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum SalvageError {
    /// One of the stores can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new store has something in it already.
    #[error("the new store is not empty")]
    NotEmpty,
    /// The new store can't take it.
    #[error("can't write to the new store: {0}")]
    Refused(#[from] Refused),
}

/// Reads all of a store and reports everything that is wrong with it. Of an encrypted one, without its key, only what
/// checksums tell.
///
/// # Errors
/// When the store is in use, of another version, can't be read at all, or has another key.
pub fn verify<D: Disk>(
    disk: &D,
    key: Option<&Secret>,
    finding: &mut dyn FnMut(Finding),
) -> Result<Verified, OpenError> {
    verify_records(disk, key, finding, &mut |_| ())
}

/// The same, and shows every whole record that can be read.
///
/// # Errors
/// As [`verify`].
pub fn verify_records<D: Disk>(
    disk: &D,
    key: Option<&Secret>,
    finding: &mut dyn FnMut(Finding),
    record: &mut dyn FnMut(&Record<'_>),
) -> Result<Verified, OpenError> {
    let _lock = disk.lock()?;
    let key = keyfile::open_to_read(disk, key)?;
    walk((disk, key.as_ref()), finding, &mut |_, _, whole| {
        record(whole);
        true
    })
}

/// Copies every whole record of a store (with its key, if it is encrypted) that is not known to be dead into a new one, in order, and reports what it had to leave.
///
/// # Errors
/// As [`verify`], and when the new store is not empty or can't take all.
pub fn salvage<D: Disk, E: Disk>(
    (from, key): (&D, Option<&Secret>),
    to: E,
    settings: Settings,
    finding: &mut dyn FnMut(Finding),
) -> Result<Verified, SalvageError> {
    let _lock = from.lock().map_err(OpenError::from)?;
    let key = keyfile::open_to_read(from, key)?;
    if key.is_none() {
        keyfile::refuse_without_key(from)?;
    }
    let (mut log, mut committer, report) = Log::open(to, settings, &mut |_| ())?;
    if report.segments > 0 {
        return Err(SalvageError::NotEmpty);
    }
    let mut failed = None;
    let verified = walk((from, key.as_ref()), finding, &mut |head, bytes, _| {
        let mut copy = || -> Result<(), Refused> {
            log.append_copy((head, bytes), head.kind >= CONTROL_KIND_MIN)?;
            if log.waiting_bytes() < COMMIT_BYTES {
                return Ok(());
            }
            let Some(batch) = log.take_batch() else {
                return Ok(());
            };
            match log.committed(committer.commit(batch)) {
                Progress::Durable(_) => Ok(()),
                Progress::RolledBack { why, .. } => Err(Refused::Full(why)),
                Progress::Stopped { why } => Err(Refused::Stopped(why)),
            }
        };
        failed = copy().err();
        failed.is_none()
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None => {
            log.close(&mut committer)?;
            Ok(verified)
        }
    }
}

/// What is done with a whole record: its head, its bytes as they are stored but uncovered, and what it says. False to stop.
type Visit<'v> = &'v mut dyn FnMut(&Head, &[u8], &Record<'_>) -> bool;

/// Goes through all segments until `record` says stop.
fn walk<D: Disk>(
    (disk, key): (&D, Option<&DataKey>),
    finding: &mut dyn FnMut(Finding),
    record: Visit<'_>,
) -> Result<Verified, OpenError> {
    let marks = Marks::read(disk).map_err(OpenError::io("read what is released"))?;
    let store = Store::look(disk, 0, None)?;
    let unfinished = erasing::unfinished(disk);
    let mut walk = Walk {
        unfinished: unfinished.map_err(OpenError::io("read what is being overwritten"))?,
        dead: DeadHere::new(&marks, 0),
        seen: Verified {
            segments: store.segments.len() as u32,
            ..Verified::default()
        },
        finding,
        record,
        goes_on: true,
        room: Unpacked::default(),
        key,
        veil: None,
        lifted: Vec::new(),
    };
    if marks.damaged {
        walk.find(Finding::Released);
    }
    for segment in store.segments.keys().copied() {
        walk.dead = DeadHere::new(&marks, segment);
        if store.damaged_headers.contains(&segment) {
            walk.find(Finding::Header { segment });
        }
        let name = segment_name(segment);
        let file = disk.open(&name);
        let file = file.map_err(OpenError::io(format!("open {name}")))?;
        let footer = Footer::read(&file, segment, key);
        let mut sealed = store.sealed.get(&segment).copied();
        if let FooterRead::Whole(footer) = &footer {
            sealed = sealed.or(footer.sealed);
        }
        walk.begin(sealed, segment);
        let read = match footer {
            FooterRead::Whole(footer) => {
                walk.by_footer(file, &footer, (store.salt, segment));
                Ok(())
            }
            FooterRead::Sealed(end) => walk.up_to_footer(file, (store.salt, segment), end),
            other => {
                let bad_footer = matches!(other, FooterRead::Damaged);
                walk.by_scan(file, &store, (segment, bad_footer))
            }
        };
        read.map_err(OpenError::io(format!("read {name}")))?;
        if !walk.goes_on {
            break;
        }
    }
    if let Some(lost) = store.missing() {
        walk.find(Finding::Lost(lost));
    }
    Ok(walk.seen)
}

struct Walk<'a> {
    /// Segments and offsets of dead records that were being overwritten when the store was last used.
    unfinished: BTreeSet<(u32, u32)>,
    /// Records of the segment that were released.
    dead: DeadHere<'a>,
    seen: Verified,
    finding: &'a mut dyn FnMut(Finding),
    record: Visit<'a>,
    goes_on: bool,
    room: Unpacked,
    key: Option<&'a DataKey>,
    /// What uncovers the segment's records.
    veil: Option<Veil>,
    lifted: Vec<u8>,
}

impl Walk<'_> {
    fn find(&mut self, found: Finding) {
        if let Finding::Lost(lost) = &found
            && self.unfinished.contains(&(lost.segment, lost.offset))
        {
            return;
        }
        self.seen.findings += 1;
        self.seen.lost += u64::from(matches!(found, Finding::Lost(_)));
        (self.finding)(found);
    }

    /// Begins with a segment.
    fn begin(&mut self, sealed: Option<Sealed>, segment: u32) {
        self.seen.encrypted += u32::from(sealed.is_some());
        let veil = self.key.zip(sealed);
        self.veil = veil.map(|(key, sealed)| key.veil(sealed, segment));
    }

    /// Shows a record whose bytes are as they were written; says no if they are no record all the same.
    fn whole(&mut self, head: &Head, bytes: &[u8], offset: u32) -> bool {
        if head.veiled && self.key.is_none() {
            self.seen.records += 1;
            self.seen.unread += 1;
            self.seen.bytes += u64::from(head.length);
            return true;
        }
        if head.packed && head.body(bytes).is_some_and(erasing::is_erased) {
            self.seen.records += 1;
            self.seen.bytes += u64::from(head.length);
            return true;
        }
        let (record, veil) = ((head, bytes), self.veil.as_mut());
        let Some(bytes) = lift(record, offset, veil, Part::Whole, &mut self.lifted) else {
            return false;
        };
        let Some(record) = head.record(bytes, &mut self.room) else {
            return false;
        };
        self.seen.records += 1;
        self.seen.bytes += u64::from(head.length);
        if !self.dead.has(offset) {
            self.goes_on = self.goes_on && (self.record)(head, bytes, &record);
        }
        true
    }

    /// The footer tells what each record was, even where nothing else does any more.
    fn by_footer<F: crate::DiskFile>(
        &mut self,
        file: F,
        footer: &Footer,
        (salt, segment): (u64, u32),
    ) {
        let seeds = Seeds::new(salt, segment);
        let mut window = Window::new(file, READ_BYTES, footer.end);
        let mut differs = false;
        let reached = footer.rows(|row| {
            let entry = match row {
                Row::Record(entry) => entry,
                Row::Lost(lost) => return self.find(Finding::Lost(lost)),
            };
            if !self.goes_on {
                return;
            }
            let bytes = window.get(entry.at.offset, entry.at.length as usize);
            let Some(head) = format::check_head(bytes, seeds, entry.at.offset) else {
                return self.find(Finding::Lost(told(&entry, Why::Head)));
            };
            if !format::body_is_whole(bytes, &head) || !self.whole(&head, bytes, entry.at.offset) {
                return self.find(Finding::Lost(told(&entry, Why::Payload)));
            }
            let (record, veil) = ((&head, bytes), self.veil.as_mut());
            let bytes = lift(
                record,
                entry.at.offset,
                veil,
                Part::Subject,
                &mut self.lifted,
            );
            let subject = bytes.and_then(|bytes| head.subject(bytes));
            differs |= head.entry(subject.unwrap_or_default(), entry.at) != entry;
        });
        if differs || reached != footer.end {
            self.find(Finding::Footer { segment });
        }
    }

    /// There is a footer that can't be read without the key; but where it begins is known.
    fn up_to_footer<F: crate::DiskFile>(
        &mut self,
        file: F,
        (salt, segment): (u64, u32),
        end: u32,
    ) -> std::io::Result<()> {
        let seeds = Seeds::new(salt, segment);
        let survey = Survey {
            end,
            whole: true,
            ..Survey::default()
        };
        let scanner = Scanner::new(file, seeds, Some(end))?;
        self.scan((survey, scanner), segment);
        Ok(())
    }

    fn by_scan<F: crate::DiskFile>(
        &mut self,
        file: F,
        store: &Store,
        (segment, bad_footer): (u32, bool),
    ) -> std::io::Result<()> {
        let found = store.survey(file, segment, bad_footer)?;
        self.scan(found, segment);
        Ok(())
    }

    fn scan<F: crate::DiskFile>(
        &mut self,
        (survey, mut scanner): (Survey, Scanner<F>),
        segment: u32,
    ) {
        if survey.bad_footer {
            self.find(Finding::Footer { segment });
        }
        while scanner.offset() < survey.end && self.goes_on {
            match scanner.next() {
                Found::Record { offset, head, .. }
                    if survey.dropped.binary_search(&offset).is_ok() =>
                {
                    self.find(Finding::Lost(known(&head, segment, offset, Why::Group)));
                }
                Found::Record {
                    offset,
                    head,
                    bytes,
                } => {
                    if !self.whole(&head, bytes, offset) {
                        self.find(Finding::Lost(known(&head, segment, offset, Why::Payload)));
                    }
                }
                Found::Damaged { offset, head, .. } => {
                    self.find(Finding::Lost(known(&head, segment, offset, Why::Payload)));
                }
                Found::Gap { offset, bytes, .. } => {
                    let bytes = bytes.min(survey.end - offset);
                    self.find(Finding::Lost(unknown(segment, offset, bytes)));
                }
                Found::End => break,
            }
        }
        if let Some(lost) = survey.lost_behind(segment) {
            self.find(Finding::Lost(lost));
        } else if survey.cut > 0 {
            self.find(Finding::Cut(Cut {
                segment,
                offset: survey.end,
                bytes: survey.cut,
            }));
        }
        debug_assert!(survey.end >= SEGMENT_HEADER_BYTES);
    }
}
