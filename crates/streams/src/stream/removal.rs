//! Messages that go for good: acknowledged, deleted, purged. What limits take away needs no record: the same
//! limits take it away again when the log is opened.

use recado_log::{Journal, Location, Record, Refused};

use super::rollup::Rolling;
use super::{Stream, kinds};
use crate::consumer::Leaving;

/// Sequences, or ranges of them, of one `REMOVED` record.
pub(super) const RECORD_SEQUENCES_MAX: usize = 100_000;
/// `REMOVED` records of a stream that are made one.
const GATHER_AT: usize = 32;
/// A record that says what is gone takes as many bytes as so many gaps in a gathered one, or more.
const GAPS_A_RECORD: usize = 8;
/// Evicted messages that are remembered until something is removed.
const EVICTED_MAX: usize = 100_000;

impl Stream {
    /// Removes these messages (ascending) and writes that down.
    ///
    /// # Errors
    /// When the log does not take it; messages of later records are still there then.
    pub(crate) fn remove_for_good(
        &mut self,
        journal: &mut dyn Journal,
        sequences: &[u64],
    ) -> Result<u64, Refused> {
        let mut count = 0;
        let leaving = Leaving::of(sequences.len());
        for part in sequences.chunks(RECORD_SEQUENCES_MAX) {
            if self.messages.is_on_file() {
                self.write_removed(journal, part)?;
            }
            for &sequence in part {
                count += u64::from(self.discard(journal, sequence, leaving));
            }
        }
        Ok(count)
    }

    fn write_removed(
        &mut self,
        journal: &mut dyn Journal,
        sequences: &[u64],
    ) -> Result<(), Refused> {
        self.gather_tombstones(journal)?;
        self.write_evicted(journal)?;
        self.write_tombstone(journal, kinds::REMOVED, sequences)
    }

    /// Makes one record of many that say what is gone: as long as any old segment lives, none of them could be let go.
    /// Call it only where the index lacks all that they speak of.
    ///
    /// # Errors
    /// When the log does not take it; they stay then.
    fn gather_tombstones(&mut self, journal: &mut dyn Journal) -> Result<(), Refused> {
        let count = self.tombstones.removed_count();
        if count < self.gather_at.max(GATHER_AT) {
            return Ok(());
        }
        let gaps: Vec<(u64, u64)> = self.messages.index.deleted_ranges().collect();
        self.gather_at = gaps.len() / GAPS_A_RECORD;
        if count < self.gather_at {
            return Ok(());
        }
        // What lies before the first message is in the state.
        self.store_state(journal)?;
        let old: Vec<Location> = self.tombstones.removed().collect();
        self.write_gaps(journal, &gaps)?;
        self.evicted.clear();
        for at in old {
            self.tombstones.forget(at);
            journal.release(at);
        }
        Ok(())
    }

    /// What limits took away would come back if what took its place there is removed: so that is written first.
    pub(super) fn write_evicted(&mut self, journal: &mut dyn Journal) -> Result<(), Refused> {
        if self.config.max_msgs > 0 || self.config.max_bytes > 0 {
            self.store_state(journal)?;
        }
        let messages = &self.messages;
        self.evicted
            .retain(|&sequence| messages.place(sequence).is_none());
        if self.evicted.is_empty() {
            return Ok(());
        }
        let evicted: Vec<u64> = self.evicted.iter().copied().collect();
        self.write_tombstone(journal, kinds::REMOVED, &evicted)?;
        self.evicted.clear();
        Ok(())
    }

    /// A limit on subjects took a message away. Should another one of its subject be removed, the limit would
    /// not take it away again when the log is read: so it is written down with the next removal. With a limit
    /// of one the last message of a subject is all that may be there, whatever was removed.
    pub(super) fn note_evicted(&mut self, sequence: u64) {
        if self.messages.is_on_file() && self.config.max_msgs_per_subject > 1 {
            self.evicted.insert(sequence);
            if self.evicted.len() > EVICTED_MAX {
                self.evicted.pop_first();
            }
        }
    }

    fn write_tombstone(
        &mut self,
        journal: &mut dyn Journal,
        kind: u8,
        sequences: &[u64],
    ) -> Result<(), Refused> {
        // Where the log ends: nothing lies behind that, not even a copy that compaction has not told of yet.
        let youngest = journal.end().segment();
        let says = kinds::encode_removed(youngest, sequences);
        self.append_tombstone(journal, kind, youngest, &says)
    }

    /// Writes down which messages were found to be damaged: counted again, they would make limits take others.
    ///
    /// # Errors
    /// When the log does not take it; it is tried again with the next batch then.
    pub(crate) fn write_damaged(&mut self, journal: &mut dyn Journal) -> Result<(), Refused> {
        if !self.messages.has_unwritten_damage() {
            return Ok(());
        }
        let damaged = self.messages.unwritten_damage().to_vec();
        self.write_tombstone(journal, kinds::DAMAGED, &damaged)?;
        self.messages.damage_is_written();
        Ok(())
    }

    fn append_tombstone(
        &mut self,
        journal: &mut dyn Journal,
        kind: u8,
        youngest: u32,
        says: &[u8],
    ) -> Result<(), Refused> {
        let at = journal.append(&Record {
            kind,
            stream: self.id,
            payload: says,
            ..Record::default()
        })?;
        self.tombstones.add(kind, youngest, at);
        Ok(())
    }

    /// Takes one message out of what is there, and tells the consumers. Should the batch fail, it comes back.
    pub(crate) fn take_out(&mut self, sequence: u64, leaving: Leaving) -> Option<u64> {
        if sequence == self.last_sequence() && self.messages.is_on_file() {
            // Nothing that stays would tell that it was given.
            self.note_skipped();
        }
        self.tell_consumers(sequence, leaving);
        self.tell_schedules(sequence);
        self.messages.remove(sequence)
    }

    /// The same without a way back. Whether it was there.
    pub(crate) fn discard(
        &mut self,
        journal: &mut dyn Journal,
        sequence: u64,
        leaving: Leaving,
    ) -> bool {
        self.tell_consumers(sequence, leaving);
        self.tell_schedules(sequence);
        self.messages.discard(journal, sequence)
    }

    fn tell_consumers(&mut self, sequence: u64, leaving: Leaving) {
        let Self {
            messages,
            consumers,
            ..
        } = self;
        if consumers.is_empty() || sequence > messages.visible() {
            return;
        }
        if let Some(meta) = messages.index.get(sequence) {
            let subject = messages.index.subject(meta.subject);
            for slot in consumers.values_mut() {
                let matches = slot.consumer.matches_subject(subject);
                slot.consumer.message_removed(sequence, matches, leaving);
            }
        }
    }

    fn tell_schedules(&mut self, sequence: u64) {
        if self.schedules.is_empty() {
            return;
        }
        if let Some(meta) = self.messages.index.get(sequence)
            && meta.flags & kinds::IS_SCHEDULE != 0
        {
            let subject = self.messages.index.subject(meta.subject);
            self.schedules.message_removed(subject, sequence);
        }
    }

    /// Removes messages that every consumer is done with, or that go without fail. They are written down together,
    /// with the next batch ([`Stream::write_settled`]): a record for each ack would be most of the log.
    pub(crate) fn remove_settled(&mut self, sequences: &[u64]) {
        for &sequence in sequences {
            self.tell_consumers(sequence, Leaving::Alone);
            self.tell_schedules(sequence);
            let forgotten = self.messages.forget(sequence);
            if let Some((place, bytes)) = forgotten
                && self.messages.is_on_file()
            {
                self.settled_bytes += bytes;
                // Released when that is written, and not before: else nothing might tell that the sequence was given.
                self.settled.push((sequence, place));
            }
        }
    }

    /// Messages are about to be stored. If they need the room of settled ones, they must not be found without that
    /// those went: limits would take others for them.
    ///
    /// # Errors
    /// When the log does not take that.
    pub(super) fn write_settled_before(
        &mut self,
        journal: &mut dyn Journal,
        rolling: &[Rolling<'_>],
    ) -> Result<(), Refused> {
        if self.settled.is_empty() {
            return Ok(());
        }
        let size = |(message, _): &Rolling<'_>| {
            let (subject, headers) = (message.subject.len(), message.headers.len());
            self.messages
                .size_of(subject, headers, message.payload.len())
        };
        let (messages, bytes) = (rolling.len() as u64, rolling.iter().map(size).sum::<u64>());
        let (config, index) = (&self.config, &self.messages.index);
        let over = |max: i64, sum: u64| u64::try_from(max).is_ok_and(|max| max > 0 && sum > max);
        let settled = self.settled.len() as u64;
        let crowded = |(message, _): &Rolling<'_>| {
            let count = index.count_of(message.subject);
            over(config.max_msgs_per_subject, count + settled + messages)
        };
        let needs = rolling.iter().any(crowded)
            || over(config.max_msgs, index.len() + settled + messages)
            || over(config.max_bytes, index.bytes() + self.settled_bytes + bytes);
        if needs {
            self.write_settled(journal)
        } else {
            Ok(())
        }
    }

    /// Writes down what was settled since the last time.
    ///
    /// # Errors
    /// When the log does not take it; it is tried again with the next batch then.
    pub(crate) fn write_settled(&mut self, journal: &mut dyn Journal) -> Result<(), Refused> {
        if self.settled.is_empty() {
            return Ok(());
        }
        self.gather_tombstones(journal)?;
        self.write_evicted(journal)?;
        self.settled.sort_unstable_by_key(|(sequence, _)| *sequence);
        while !self.settled.is_empty() {
            let from = self.settled.len().saturating_sub(RECORD_SEQUENCES_MAX);
            let part = self.settled.get(from..).unwrap_or_default();
            let sequences: Vec<u64> = part.iter().map(|(sequence, _)| *sequence).collect();
            self.write_tombstone(journal, kinds::REMOVED, &sequences)?;
            for (_, place) in self.settled.drain(from..) {
                journal.release(place);
            }
        }
        self.settled_bytes = 0;
        Ok(())
    }

    /// Removes one message and writes that down; whether it was there. With `erase`, what it held is overwritten on the
    /// disk before anybody is told (G07).
    ///
    /// # Errors
    /// When the log does not take the record of it.
    pub(crate) fn remove_one(
        &mut self,
        journal: &mut dyn Journal,
        sequence: u64,
        erase: bool,
    ) -> Result<bool, Refused> {
        let Some(message) = self.messages.index.get(sequence) else {
            return Ok(false);
        };
        let removed = self.remove_for_good(journal, &[sequence])? > 0;
        if erase && self.messages.is_on_file() {
            journal.erase(message.place);
        }
        Ok(removed)
    }

    /// Writes that the messages of these ranges are gone, which they are already; any segment may still hold
    /// them.
    pub(super) fn write_gaps(
        &mut self,
        journal: &mut dyn Journal,
        ranges: &[(u64, u64)],
    ) -> Result<(), Refused> {
        for part in ranges.chunks(RECORD_SEQUENCES_MAX) {
            let youngest = journal.end().segment();
            let runs = part.iter().map(|(from, to)| (*from, to - from + 1));
            let says = kinds::encode_removed_runs(youngest, runs);
            self.append_tombstone(journal, kinds::REMOVED, youngest, &says)?;
        }
        Ok(())
    }

    /// Forgets `REMOVED` records whose messages can't come back: all segments up to the youngest that held one are gone.
    pub(crate) fn drop_tombstones(&mut self, journal: &mut dyn Journal, oldest_segment: u32) {
        for at in self.tombstones.take_before(oldest_segment) {
            journal.release(at);
        }
    }
}
