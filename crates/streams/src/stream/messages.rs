//! A stream's messages: where each lies, which are durable, and what was removed and might have to come
//! back. The one place that appends messages to the log and reads them from it.

use std::collections::BTreeMap;

use recado_log::{Journal, Location, Record, Refused};

use super::kinds::{self, HAS_MESSAGE_ID, HAS_TTL};
use crate::config::{Compression, Storage, StreamConfig};
use crate::consumer::{Read, Stored};
use crate::index::{Filters, Index, Scan};

/// Fixed bytes of a message on file, as nats-server counts them (G45).
const FILE_MESSAGE_BYTES: usize = 30;
/// More of them for one with headers.
const FILE_HEADERS_BYTES: usize = 4;
/// Fixed bytes of a message in memory.
const MEMORY_MESSAGE_BYTES: usize = 16;
/// Damaged sequences that are told one by one.
const LOST_TOLD_MAX: usize = 1024;
/// Messages that one search looks at before it gives the thread back.
const SCAN_MAX: usize = 1 << 20;

/// Nanoseconds of what the index knows times to.
const MICROSECOND: i64 = 1_000;

/// A message to be stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewMessage<'a> {
    pub sequence: u64,
    pub time_ns: i64,
    pub flags: u8,
    pub subject: &'a [u8],
    pub headers: &'a [u8],
    pub payload: &'a [u8],
}

/// A message that was removed: kept until the removal is durable.
#[derive(Clone, Debug)]
struct Removal {
    sequence: u64,
    time_ns: i64,
    size: u32,
    flags: u8,
    place: Location,
    subject: Box<[u8]>,
}

/// Messages that were damaged on disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lost {
    /// How many.
    pub messages: u64,
    /// Bytes of them, as far as known.
    pub bytes: u64,
    /// Which, at most a thousand of them.
    pub sequences: Vec<u64>,
}

/// The messages of one stream.
#[derive(Debug)]
pub(crate) struct Messages {
    stream: u32,
    storage: Storage,
    /// Those to come are stored compressed.
    compress: bool,
    pub index: Index,
    /// Those of a stream in memory.
    held: BTreeMap<u64, Held>,
    /// Last sequence that consumers may see.
    visible: u64,
    /// Removed since the last durable batch.
    removals: Vec<Removal>,
    /// So many of them were removed before the batch that is on its way was sealed.
    sealed_removals: usize,
    /// Bytes of messages that are not durable yet, and those of them that are on their way.
    backlog_bytes: u64,
    sealed_bytes: u64,
    pub lost: Lost,
    /// Damage was found since somebody asked: consumers count messages that are not there.
    found_damage: bool,
    /// Damaged messages that are not written down yet.
    damaged: Vec<u64>,
}

/// A message in memory: subject in the index, the rest here.
#[derive(Debug)]
struct Held {
    time_ns: i64,
    headers_len: u32,
    subject_len: u32,
    /// Subject, headers, payload.
    bytes: Box<[u8]>,
}

impl Messages {
    /// Those of a stream that is like this and begins at `first_sequence`.
    pub(crate) fn new(stream: u32, config: &StreamConfig, first_sequence: u64) -> Self {
        Self {
            stream,
            storage: config.storage,
            compress: config.compression == Compression::S2,
            index: Index::new(first_sequence),
            held: BTreeMap::new(),
            visible: first_sequence.saturating_sub(1),
            removals: Vec::new(),
            sealed_removals: 0,
            backlog_bytes: 0,
            sealed_bytes: 0,
            lost: Lost::default(),
            found_damage: false,
            damaged: Vec::new(),
        }
    }

    /// Takes over how those to come are stored; those that are there stay as they are (G44).
    pub(crate) fn set_compression(&mut self, compression: Compression) {
        self.compress = compression == Compression::S2;
    }

    /// Whether they are in the log.
    pub(crate) fn is_on_file(&self) -> bool {
        self.storage == Storage::File
    }

    /// Bytes that a message counts for.
    pub(crate) fn size_of(&self, subject: usize, headers: usize, payload: usize) -> u64 {
        let fixed = match (self.storage, headers) {
            (Storage::Memory, _) => MEMORY_MESSAGE_BYTES,
            (Storage::File, 0) => FILE_MESSAGE_BYTES,
            (Storage::File, _) => FILE_MESSAGE_BYTES + FILE_HEADERS_BYTES,
        };
        (fixed + subject + headers + payload) as u64
    }

    /// The same of one that is to be stored.
    pub(crate) fn size_of_new(&self, message: &NewMessage<'_>) -> u64 {
        let (headers, payload) = (message.headers.len(), message.payload.len());
        self.size_of(message.subject.len(), headers, payload)
    }

    /// A message that lies in memory.
    pub(crate) fn held(&self, sequence: u64) -> Option<Stored<'_>> {
        self.held.get(&sequence).map(|held| held.stored(sequence))
    }

    /// Last sequence that consumers may see.
    pub(crate) fn visible(&self) -> u64 {
        self.visible
    }

    /// Everything up to there is durable.
    pub(crate) fn show_up_to(&mut self, sequence: u64) {
        self.visible = self.visible.max(sequence);
    }

    /// Stores a message behind all others.
    ///
    /// # Errors
    /// When the log does not take it; nothing changed then.
    pub(crate) fn append(
        &mut self,
        journal: &mut dyn Journal,
        message: &NewMessage<'_>,
    ) -> Result<(), Refused> {
        let place = match self.storage {
            Storage::File => journal.append(&self.record(message))?,
            Storage::Memory => self.hold(message),
        };
        self.enter(message, place);
        Ok(())
    }

    /// Stores several, and on file other records behind them: all or nothing. Where the others lie.
    ///
    /// # Errors
    /// When the log does not take them; nothing changed then.
    pub(crate) fn append_group(
        &mut self,
        journal: &mut dyn Journal,
        messages: &[NewMessage<'_>],
        others: &[Record<'_>],
    ) -> Result<Vec<Location>, Refused> {
        let mut places = match self.storage {
            Storage::File => {
                let own = messages.iter().map(|one| self.record(one));
                let records: Vec<Record<'_>> = own.chain(others.iter().copied()).collect();
                journal.append_group(&records)?
            }
            Storage::Memory => messages.iter().map(|one| self.hold(one)).collect(),
        };
        let behind = places.split_off(messages.len().min(places.len()));
        for (message, place) in messages.iter().zip(places) {
            self.enter(message, place);
        }
        Ok(behind)
    }

    fn record<'a>(&self, message: &NewMessage<'a>) -> Record<'a> {
        Record {
            kind: kinds::MESSAGE,
            flags: message.flags,
            stream: self.stream,
            sequence: message.sequence,
            time_ns: message.time_ns,
            subject: message.subject,
            headers: message.headers,
            payload: message.payload,
            compress: self.compress,
        }
    }

    fn enter(&mut self, message: &NewMessage<'_>, place: Location) {
        let size = self.size_of_new(message);
        if self.storage == Storage::File {
            self.backlog_bytes += size;
        }
        self.index.push(
            message.sequence,
            message.subject,
            message.time_ns,
            size as u32,
            place,
            message.flags,
        );
    }

    fn hold(&mut self, message: &NewMessage<'_>) -> Location {
        let bytes = [message.subject, message.headers, message.payload].concat();
        let held = Held {
            time_ns: message.time_ns,
            headers_len: message.headers.len() as u32,
            subject_len: message.subject.len() as u32,
            bytes: bytes.into(),
        };
        self.held.insert(message.sequence, held);
        Location::default()
    }

    /// Removes a message; its size, if it was there. The log may forget it once that is durable.
    pub(crate) fn remove(&mut self, sequence: u64) -> Option<u64> {
        let meta = self.index.get(sequence)?;
        let removal = (self.storage == Storage::File).then(|| Removal {
            sequence,
            time_ns: meta.time_ns,
            size: meta.size,
            flags: meta.flags,
            place: meta.place,
            subject: self.index.subject(meta.subject).into(),
        });
        let removed = self.index.remove(sequence)?;
        self.removals.extend(removal);
        self.held.remove(&sequence);
        Some(u64::from(removed.meta.size))
    }

    /// Removes a message that can't come back; whether it was there.
    pub(crate) fn discard(&mut self, journal: &mut dyn Journal, sequence: u64) -> bool {
        let Some(removed) = self.index.remove(sequence) else {
            return false;
        };
        if self.storage == Storage::File {
            journal.release(removed.meta.place);
        }
        self.held.remove(&sequence);
        true
    }

    /// Whether damage was found since the last call.
    pub(crate) fn take_found_damage(&mut self) -> bool {
        std::mem::take(&mut self.found_damage)
    }

    /// Whether damage was found that is not written down.
    pub(crate) fn has_unwritten_damage(&self) -> bool {
        !self.damaged.is_empty()
    }

    /// Damaged messages that are not written down, ascending.
    pub(crate) fn unwritten_damage(&mut self) -> &[u64] {
        self.damaged.sort_unstable();
        self.damaged.dedup();
        &self.damaged
    }

    /// It is written down.
    pub(crate) fn damage_is_written(&mut self) {
        self.damaged.clear();
    }

    /// Whether there is damage that consumers may have counted.
    pub(crate) fn has_found_damage(&self) -> bool {
        self.found_damage
    }

    /// Removes a message without releasing it; where it lay and its size, if it was there.
    pub(crate) fn forget(&mut self, sequence: u64) -> Option<(Location, u64)> {
        let removed = self.index.remove(sequence)?;
        self.held.remove(&sequence);
        Some((removed.meta.place, u64::from(removed.meta.size)))
    }

    /// Counts damage.
    pub(crate) fn note_lost(&mut self, sequence: Option<u64>, bytes: u64) {
        self.lost.messages += 1;
        self.lost.bytes += bytes;
        if let Some(sequence) = sequence
            && self.lost.sequences.len() < LOST_TOLD_MAX
        {
            self.lost.sequences.push(sequence);
        }
    }

    /// The batch with all that was done so far goes to the disk; `removals`: also all that tells what was removed.
    pub(crate) fn sealed(&mut self, removals: bool) {
        if removals {
            self.sealed_removals = self.removals.len();
        }
        self.sealed_bytes = self.backlog_bytes;
    }

    /// Whether removed messages wait for a batch.
    pub(crate) fn has_removals(&self) -> bool {
        !self.removals.is_empty()
    }

    /// Bytes of messages that are not durable yet.
    pub(crate) fn backlog_bytes(&self) -> u64 {
        self.backlog_bytes
    }

    /// That batch is durable: what it removed may be forgotten.
    pub(crate) fn settle_removals(&mut self, journal: &mut dyn Journal) {
        self.backlog_bytes -= std::mem::take(&mut self.sealed_bytes);
        let count = std::mem::take(&mut self.sealed_removals);
        for removal in self.removals.drain(..count) {
            journal.release(removal.place);
        }
    }

    /// Nothing since the last durable batch holds: messages after it go, what limits took away comes back.
    pub(crate) fn roll_back(&mut self) {
        let visible = self.visible;
        self.index.truncate_to(visible);
        self.backlog_bytes = 0;
        self.sealed_bytes = 0;
        for removal in self.removals.drain(..) {
            if removal.sequence <= visible {
                self.index.insert(
                    removal.sequence,
                    &removal.subject,
                    removal.time_ns,
                    removal.size,
                    removal.place,
                    removal.flags,
                );
            }
        }
        self.sealed_removals = 0;
    }

    /// While the log is read: what limits took away is dead at once.
    pub(crate) fn drain_removals(&mut self, dead: &mut Vec<Location>) {
        dead.extend(self.removals.drain(..).map(|removal| removal.place));
    }

    /// Whether this record of a message is the one that counts. What a batch removed that is not durable does not,
    /// though it may come back: the log keeps it as long, and a copy behind the record of its removal would undo that.
    pub(crate) fn is_at(&self, sequence: u64, at: Location) -> bool {
        self.place(sequence) == Some(at)
    }

    /// A message lies elsewhere now.
    pub(crate) fn moved(&mut self, sequence: u64, from: Location, to: Location) {
        if self.place(sequence) == Some(from) {
            self.index.set_place(sequence, to);
        }
    }

    /// Where a message lies, if it is in the log.
    pub(crate) fn place(&self, sequence: u64) -> Option<Location> {
        self.index.get(sequence).map(|meta| meta.place)
    }

    /// Where each of them lies.
    pub(crate) fn each_place(&self, mut visit: impl FnMut(Location)) {
        let mut at = self.index.next(0);
        while let Some(sequence) = at {
            if let Some(place) = self.place(sequence) {
                visit(place);
            }
            at = self.index.next(sequence + 1);
        }
    }

    /// Reads a message. One that is damaged is counted and gone from then on.
    pub(crate) fn read<'a>(&'a mut self, journal: &'a mut dyn Journal, sequence: u64) -> Read<'a> {
        if self.storage == Storage::Memory {
            return match self.held.get(&sequence) {
                Some(held) => Read::Message(held.stored(sequence)),
                None => Read::Gone,
            };
        }
        let Some(place) = self.place(sequence) else {
            return Read::Gone;
        };
        match journal.read(place) {
            Ok(record) if record.stream == self.stream && record.sequence == sequence => {
                Read::Message(Stored {
                    sequence,
                    time_ns: record.time_ns,
                    subject: record.subject,
                    headers: record.headers,
                    payload: record.payload,
                })
            }
            Err(damaged) if damaged.unread => Read::Unreadable,
            _ => {
                // It stays where it is: whoever has the disk may still make something of it.
                let size = self.index.remove(sequence).map_or(0, |gone| gone.meta.size);
                self.note_lost(Some(sequence), u64::from(size));
                self.found_damage = true;
                self.damaged.push(sequence);
                Read::Lost
            }
        }
    }

    /// First message from `from` to `upto` that the filters match.
    pub(crate) fn next_matching(&self, from: u64, upto: u64, filters: &mut Filters) -> Option<u64> {
        let mut at = from;
        loop {
            let mut budget = SCAN_MAX;
            match self.index.next_matching(at, upto, filters, &mut budget) {
                Scan::Found(sequence) => return Some(sequence),
                Scan::None => return None,
                Scan::OutOfBudget(resume) => at = resume,
            }
        }
    }

    /// First message, by sequence, whose time is not before this one. The index knows times to the microsecond: of the
    /// messages in that of `time_ns`, which came in the order of their times, some are asked for their own.
    pub(crate) fn first_at_or_after(
        &mut self,
        journal: &mut dyn Journal,
        time_ns: i64,
    ) -> Option<u64> {
        let first = self.index.first_at_or_after(time_ns);
        if time_ns.rem_euclid(MICROSECOND) == 0 {
            return first;
        }
        let mut low = first?;
        let after = time_ns.saturating_add(MICROSECOND);
        let after = self.index.first_at_or_after(after);
        let mut high = after.unwrap_or(self.index.last_sequence().saturating_add(1));
        // What is below `low` is before, what is not below `high` is not.
        while low < high {
            let middle = low + (high - low) / 2;
            let next = self.index.next(middle).filter(|next| *next < high);
            let before = next.filter(|next| self.is_before(journal, *next, time_ns));
            match before {
                Some(next) => low = next + 1,
                None => high = middle,
            }
        }
        self.index.next(low)
    }

    /// Whether a message can be read, and was stored before.
    fn is_before(&mut self, journal: &mut dyn Journal, sequence: u64, time_ns: i64) -> bool {
        match self.read(journal, sequence) {
            Read::Message(message) => message.time_ns < time_ns,
            Read::Gone | Read::Lost | Read::Unreadable => false,
        }
    }

    /// Flags that the publisher's headers give a message.
    pub(crate) fn flags_of(headers: &super::publish_headers::PublishHeaders<'_>) -> u8 {
        let mut flags = 0;
        if headers.message_id.is_some() {
            flags |= HAS_MESSAGE_ID;
        }
        if headers.ttl.is_some() {
            flags |= HAS_TTL;
        }
        if headers.schedule.is_some() {
            flags |= kinds::IS_SCHEDULE;
        }
        if headers.scheduler.is_some() {
            flags |= kinds::IS_SCHEDULED;
        }
        if headers.stream_source.is_some() {
            flags |= kinds::IS_SOURCED;
        }
        flags
    }
}

impl Held {
    fn stored(&self, sequence: u64) -> Stored<'_> {
        let (subject, rest) = self.bytes.split_at(self.subject_len as usize);
        let (headers, payload) = rest.split_at(self.headers_len as usize);
        Stored {
            sequence,
            time_ns: self.time_ns,
            subject,
            headers,
            payload,
        }
    }
}
