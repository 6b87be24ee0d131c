//! The messages of one stream by sequence and by subject: where each lies, and what queries need of it.
//!
//! No payloads, no I/O, no notion of limits or consumers: those are the owner's. Some 15 bytes a message and
//! 100 a subject are kept, and what was removed gives its memory back.
//!
//! `blocks` holds the messages in order of sequence, each field in a `column`. `subjects` holds each subject
//! that has messages, its bytes in `texts` and its sequences in `postings`, many of them as `chunk`s. `filters` remembers which subjects a
//! reader wants; `query` brings the two together.

mod block;
mod blocks;
mod chunk;
mod column;
mod filters;
#[cfg(test)]
mod model_tests;
mod postings;
mod query;
mod subjects;
#[cfg(test)]
mod tests;
mod texts;

use recado_log::Location;

use block::Entry;
use blocks::Blocks;
pub use filters::Filters;
pub use query::Scan;
use subjects::Subjects;

/// Number of a subject that has messages. Once it has none, another subject may get the number with the
/// next message that is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SubjectId(u32);

/// What is known of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Unix time, cut to whole microseconds.
    pub time_ns: i64,
    /// Bytes that count for the stream's limits.
    pub size: u32,
    /// Where it lies in the log.
    pub place: Location,
    /// The owner's.
    pub flags: u8,
    /// Its subject.
    pub subject: SubjectId,
}

/// What came of adding a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Its subject.
    pub subject: SubjectId,
    /// Messages of that subject, this one included.
    pub subject_count: u64,
}

/// A message that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Its sequence.
    pub sequence: u64,
    /// What was known of it. Nothing can be asked of its subject if that has no messages left.
    pub meta: Meta,
}

/// The index of one stream's messages.
#[derive(Debug)]
pub struct Index {
    blocks: Blocks,
    subjects: Subjects,
    /// Of the first message; one above `last` if there is none.
    first: u64,
    last: u64,
    bytes: u64,
    last_time_us: Option<i64>,
}

impl Index {
    /// Of a stream whose first message will have this sequence, 1 at least.
    pub fn new(first_sequence: u64) -> Self {
        let first = first_sequence.max(1);
        Self {
            blocks: Blocks::default(),
            subjects: Subjects::default(),
            first,
            last: first - 1,
            bytes: 0,
            last_time_us: None,
        }
    }

    /// Adds the newest message. Its sequence is above [`Index::last_sequence`] (else it is inserted); those
    /// between are gaps. The subject is one that can be published to.
    #[inline]
    pub fn push(
        &mut self,
        sequence: u64,
        subject: &[u8],
        time_ns: i64,
        size: u32,
        place: Location,
        flags: u8,
    ) -> Pushed {
        if sequence <= self.last {
            self.insert(sequence, subject, time_ns, size, place, flags);
            let subject = SubjectId(self.subjects.find(subject).unwrap_or(u32::MAX));
            let subject_count = self.count_in(subject);
            return Pushed {
                subject,
                subject_count,
            };
        }
        let id = self.subjects.find_or_add(subject);
        let entry = Entry {
            sequence,
            time_us: micros(time_ns),
            size,
            place,
            flags,
            subject: id,
        };
        let subject_count = self.subjects.change(id, |postings| postings.push(sequence));
        if self.is_empty() {
            self.first = sequence;
        }
        self.last = sequence;
        self.last_time_us = Some(entry.time_us);
        self.bytes += u64::from(size);
        self.blocks.push(&entry);
        Pushed {
            subject: SubjectId(id),
            subject_count,
        }
    }

    /// Adds a message with any sequence, as they come while a log is replayed. One that has the sequence is
    /// replaced; returns where it lay.
    pub fn insert(
        &mut self,
        sequence: u64,
        subject: &[u8],
        time_ns: i64,
        size: u32,
        place: Location,
        flags: u8,
    ) -> Option<Location> {
        if sequence > self.last {
            self.push(sequence, subject, time_ns, size, place, flags);
            return None;
        }
        let id = self.subjects.find_or_add(subject);
        self.subjects
            .change(id, |postings| postings.insert(sequence));
        let entry = Entry {
            sequence,
            time_us: micros(time_ns),
            size,
            place,
            flags,
            subject: id,
        };
        if self.is_empty() || sequence < self.first {
            self.first = sequence;
        }
        if sequence == self.last {
            self.last_time_us = Some(entry.time_us);
        }
        self.bytes += u64::from(size);
        let old = self.blocks.insert(&entry)?;
        self.bytes -= u64::from(old.size);
        if old.subject != id {
            self.subjects
                .change(old.subject, |postings| postings.remove(sequence));
        }
        Some(old.place)
    }

    /// The next message will have a sequence above this one.
    pub fn skip_to(&mut self, sequence: u64) {
        self.last = self.last.max(sequence);
        if self.is_empty() {
            self.first = self.last.saturating_add(1);
        }
    }

    /// A message came at that time under this sequence, and is gone already.
    pub fn pass(&mut self, sequence: u64, time_ns: i64) {
        self.skip_to(sequence);
        self.last_time_us = Some(micros(time_ns));
    }

    /// The log moved a message. Returns where it lay before; `None` if there is no such message.
    pub fn set_place(&mut self, sequence: u64, place: Location) -> Option<Location> {
        let at = self.blocks.find(sequence)?;
        let mut entry = self.blocks.entry(at)?;
        let old = std::mem::replace(&mut entry.place, place);
        self.blocks.write(at, &entry);
        Some(old)
    }

    /// Removes a message.
    pub fn remove(&mut self, sequence: u64) -> Option<Removed> {
        let at = self.blocks.find(sequence)?;
        let entry = self.blocks.entry(at)?;
        self.blocks.remove(at);
        self.bytes -= u64::from(entry.size);
        self.subjects
            .change(entry.subject, |postings| postings.remove(sequence));
        if sequence == self.first {
            self.find_first();
        }
        Some(removed(&entry))
    }

    /// Removes all messages below a sequence; each is shown, oldest first.
    pub fn remove_before(&mut self, sequence: u64, each: impl FnMut(&Removed)) {
        if let Some(upto) = sequence.checked_sub(1) {
            self.remove_range(0, upto, each);
        }
    }

    /// Removes all messages from sequence `from` to `upto`; each is shown, oldest first.
    pub fn remove_range(&mut self, from: u64, upto: u64, mut each: impl FnMut(&Removed)) {
        let count = self.count_between(from, upto);
        let all = count == self.len();
        // Subject by subject if there are fewer of them than messages.
        let one_by_one = !all && count < self.subjects.len() as u64;
        let (subjects, bytes) = (&mut self.subjects, &mut self.bytes);
        self.blocks.remove_range(from, upto, |entry| {
            *bytes -= u64::from(entry.size);
            if one_by_one {
                subjects.change(entry.subject, |postings| postings.remove(entry.sequence));
            }
            each(&removed(entry));
        });
        if all {
            self.subjects.clear();
        } else if !one_by_one {
            for id in 0..self.subjects.bound() {
                self.subjects
                    .change(id, |postings| postings.remove_range(from, upto));
            }
        }
        self.find_first();
    }

    /// Takes back what came last: messages above a sequence go, and the next one may have the sequence after it.
    pub fn truncate_to(&mut self, last: u64) {
        if last >= self.last {
            return;
        }
        self.remove_range(last + 1, self.last, |_| {});
        self.blocks.forget_after(last);
        self.last = last;
        let newest = self.previous(last).and_then(|sequence| self.get(sequence));
        self.last_time_us = newest.map(|meta| micros(meta.time_ns));
        if self.is_empty() {
            self.first = last + 1;
        }
    }

    /// Removes all messages and shows none. The last sequence stays.
    pub fn clear(&mut self) {
        self.blocks = Blocks::default();
        self.subjects.clear();
        self.bytes = 0;
        self.find_first();
    }

    /// Sequence of the first message; one above the last if there is none.
    pub fn first_sequence(&self) -> u64 {
        self.first
    }

    /// The highest sequence that a message had or that was skipped to.
    pub fn last_sequence(&self) -> u64 {
        self.last
    }

    /// Messages.
    pub fn len(&self) -> u64 {
        self.blocks.live()
    }

    /// No messages.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sum of all messages' sizes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Subjects that have messages.
    pub fn subject_count(&self) -> usize {
        self.subjects.len()
    }

    /// Time of the first message that is there, cut to microseconds.
    pub fn first_time_ns(&self) -> Option<i64> {
        Some(self.get(self.first)?.time_ns)
    }

    /// Time of the message that was the newest one, be it removed since; cut to microseconds.
    pub fn last_time_ns(&self) -> Option<i64> {
        self.last_time_us.map(nanos)
    }

    /// Sequences from first to last that have no message.
    pub fn deleted_count(&self) -> u64 {
        // One above the last is the first one's place when nothing is left.
        self.last.saturating_add(1).saturating_sub(self.first) - self.len()
    }

    /// The sequences from first to last that have no message, as ranges, both ends included.
    pub fn deleted_ranges(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut next = self.first;
        std::iter::from_fn(move || {
            loop {
                if next > self.last {
                    return None;
                }
                let at = self.blocks.at_or_after(next);
                let found = at.and_then(|at| self.blocks.sequence(at));
                let (Some(at), Some(found)) = (at, found) else {
                    let range = (next, self.last);
                    next = self.last.saturating_add(1);
                    return (range.0 < next).then_some(range);
                };
                if found > next {
                    let range = (next, found - 1);
                    next = found;
                    return Some(range);
                }
                let run = self.blocks.block(at.block)?.run_end(at.index) - at.index;
                next = next.saturating_add(run as u64);
            }
        })
    }

    /// The message with this sequence.
    pub fn get(&self, sequence: u64) -> Option<Meta> {
        let entry = self.blocks.entry(self.blocks.find(sequence)?)?;
        Some(meta(&entry))
    }

    /// The text of a subject that has messages.
    pub fn subject(&self, id: SubjectId) -> &[u8] {
        self.subjects.text(id.0)
    }

    /// The first message whose sequence is not below.
    pub fn next(&self, from: u64) -> Option<u64> {
        self.blocks.sequence(self.blocks.at_or_after(from)?)
    }

    /// The last message whose sequence is not above.
    pub fn previous(&self, upto: u64) -> Option<u64> {
        self.blocks.sequence(self.blocks.at_or_before(upto)?)
    }

    /// The first message, by sequence, whose time is not before this one, both cut to microseconds.
    pub fn first_at_or_after(&self, time_ns: i64) -> Option<u64> {
        let at = self.blocks.at_or_after_time(micros(time_ns))?;
        self.blocks.sequence(at)
    }

    /// Messages from sequence `from` to `upto`.
    pub fn count_between(&self, from: u64, upto: u64) -> u64 {
        let (from, upto) = (from.max(self.first), upto.min(self.last));
        if from > upto {
            return 0;
        }
        if self.deleted_count() == 0 {
            return upto - from + 1;
        }
        self.blocks.count(from, upto)
    }

    /// The number of a subject, if it has messages.
    pub fn subject_id(&self, subject: &[u8]) -> Option<SubjectId> {
        self.subjects.find(subject).map(SubjectId)
    }

    /// Messages of a subject.
    pub fn count_of(&self, subject: &[u8]) -> u64 {
        self.subject_id(subject).map_or(0, |id| self.count_in(id))
    }

    /// First message of a subject.
    pub fn first_of(&self, subject: &[u8]) -> Option<u64> {
        self.first_in(self.subject_id(subject)?)
    }

    /// Last message of a subject.
    pub fn last_of(&self, subject: &[u8]) -> Option<u64> {
        self.last_in(self.subject_id(subject)?)
    }

    /// Messages of a subject.
    pub fn count_in(&self, id: SubjectId) -> u64 {
        self.subjects
            .postings(id.0)
            .map_or(0, |postings| postings.count())
    }

    /// First message of a subject.
    pub fn first_in(&self, id: SubjectId) -> Option<u64> {
        self.subjects.postings(id.0)?.first()
    }

    /// Last message of a subject.
    pub fn last_in(&self, id: SubjectId) -> Option<u64> {
        self.subjects.postings(id.0)?.last()
    }

    /// First message of a subject whose sequence is not below.
    pub fn next_in(&self, id: SubjectId, from: u64) -> Option<u64> {
        self.subjects.postings(id.0)?.at_or_after(from)
    }

    /// Last message of a subject whose sequence is not above.
    pub fn previous_in(&self, id: SubjectId, upto: u64) -> Option<u64> {
        self.subjects.postings(id.0)?.at_or_before(upto)
    }

    /// Bytes on the heap, without what the allocator adds.
    pub fn heap_bytes(&self) -> usize {
        self.blocks.heap_bytes() + self.subjects.heap_bytes()
    }

    fn find_first(&mut self) {
        let next = self.next(self.first);
        self.first = next.unwrap_or(self.last.saturating_add(1));
    }
}

fn removed(entry: &Entry) -> Removed {
    Removed {
        sequence: entry.sequence,
        meta: meta(entry),
    }
}

fn meta(entry: &Entry) -> Meta {
    Meta {
        time_ns: nanos(entry.time_us),
        size: entry.size,
        place: entry.place,
        flags: entry.flags,
        subject: SubjectId(entry.subject),
    }
}

fn micros(time_ns: i64) -> i64 {
    time_ns.div_euclid(1000)
}

fn nanos(time_us: i64) -> i64 {
    time_us.saturating_mul(1000)
}
