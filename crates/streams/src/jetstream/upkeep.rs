//! What keeps the log small and the next opening short: progress and state are written with the batches,
//! records that nobody needs are let go, and compaction is told what still lives.

use recado_log::{Entry, Journal, Location, Refused};

use super::JetStream;
use super::graves::Gone;
use crate::context::Context;
use crate::stream::kinds;

impl JetStream {
    /// Adds to the batch what belongs to it: progress that somebody wants confirmed, sequences that were
    /// skipped.
    pub fn complete_batch(&mut self, context: &mut Context<'_>, journal: &mut dyn Journal) {
        if self.stopped.is_none() {
            self.write_what_is_due(context, journal);
        }
    }

    fn write_what_is_due(&mut self, context: &mut Context<'_>, journal: &mut dyn Journal) {
        // With the batch that begins a segment: once that is durable the ones before may go, and with them what
        // they alone told.
        let newest = journal.end().segment();
        if newest != self.checkpoint_segment {
            self.checkpoint_segment = newest;
            self.checkpoint(context, journal);
        }
        let ids: Vec<u32> = self.unsaved.iter().copied().collect();
        self.is_behind = false;
        for id in ids {
            // What there is no room for is no reason to leave out what there is room for.
            match self.save_progress(id, context.now_ns, journal, false) {
                Ok(true) => {
                    self.unsaved.remove(&id);
                }
                Ok(false) => {}
                Err(_) => {
                    let stream = self.streams.get(&id);
                    self.is_behind |= stream.is_some_and(|stream| stream.has_skipped());
                }
            }
        }
    }

    /// Writes where a stream begins and ends, if sequences were skipped: else they would be given again.
    fn store_skipped(&mut self, id: u32, journal: &mut dyn Journal) -> Result<(), Refused> {
        let Some(stream) = self.streams.get_mut(&id) else {
            return Ok(());
        };
        if stream.has_skipped() {
            stream.store_state(journal)?;
            stream.take_skipped();
            if stream.messages.has_removals() {
                // They waited for that.
                self.replies.grown(id, stream.last_sequence());
            }
        }
        Ok(())
    }

    /// Writes which messages went without a record of their own until now. What is written after it may rest on that.
    pub(super) fn write_gone(&mut self, id: u32, journal: &mut dyn Journal) -> Result<(), Refused> {
        self.store_skipped(id, journal)?;
        let stream = self.streams.get_mut(&id);
        stream.map_or(Ok(()), |stream| stream.write_settled(journal))
    }

    /// Whether there is progress that is not in the log, and could be.
    pub fn has_unsaved(&self) -> bool {
        !self.unsaved.is_empty() && self.stopped.is_none()
    }

    /// Writes a stream's state and its consumers' progress, as far as it is due. Whether nothing is left.
    fn save_progress(
        &mut self,
        id: u32,
        now_ns: i64,
        journal: &mut dyn Journal,
        all: bool,
    ) -> Result<bool, Refused> {
        self.write_gone(id, journal)?;
        let Some(stream) = self.streams.get_mut(&id) else {
            return Ok(true);
        };
        stream.write_damaged(journal)?;
        if stream.messages.is_on_file() && stream.feeding.wants_record(all) {
            let last = stream.last_sequence();
            stream.feeding.store(journal, id, last)?;
        }
        let mut complete = true;
        for slot in stream.consumers.values_mut() {
            if !slot.is_unsaved() {
                continue;
            }
            if !all && !slot.is_due(now_ns) {
                complete = false;
                continue;
            }
            slot.save(id, now_ns, journal)?;
            for reply in slot.take_owed() {
                self.replies.push(0, &reply, b"");
            }
        }
        Ok(complete)
    }

    /// Regular work that no message asks for. `oldest_segment` may still be found after a crash.
    pub fn upkeep(&mut self, journal: &mut dyn Journal, oldest_segment: u32) {
        for stream in self.streams.values_mut() {
            stream.drop_tombstones(journal, oldest_segment);
        }
        self.graves.drop_before(journal, oldest_segment);
        self.gather_graves(journal);
    }

    /// Many records that say that something is gone become few.
    pub(crate) fn gather_graves(&mut self, journal: &mut dyn Journal) {
        // Refused: they stay, and the next look does it.
        let _ = self.graves.gather(journal);
    }

    /// Writes everything that would otherwise have to be found in old segments.
    fn checkpoint(&mut self, context: &mut Context<'_>, journal: &mut dyn Journal) {
        let ids: Vec<u32> = self.streams.keys().copied().collect();
        for id in ids {
            // Refused: the next checkpoint does it.
            let _ = self.save_progress(id, context.now_ns, journal, true);
            if let Some(stream) = self.streams.get_mut(&id) {
                let _ = stream.store_state(journal);
            }
        }
    }

    /// The server stops: everything that is only in memory is written.
    pub(super) fn save_all(&mut self, context: &mut Context<'_>, journal: &mut dyn Journal) {
        if self.stopped.is_none() {
            self.checkpoint(context, journal);
        }
    }

    /// Writes that something is gone, and keeps that record for as long as it is needed.
    pub(super) fn bury(&mut self, journal: &mut dyn Journal, what: Gone) -> Result<(), Refused> {
        let at = journal.append(&what.record())?;
        self.graves.add(what, at.segment, at);
        Ok(())
    }

    /// Whether a record is still needed where it lies.
    pub fn is_live(&self, entry: &Entry<'_>) -> bool {
        if self.adrift.contains(&entry.stream) {
            return true;
        }
        let stream = self.streams.get(&entry.stream);
        let slot = || {
            let (id, name) = self.numbers.get(&entry.sequence)?;
            self.streams.get(id)?.consumers.get(name)
        };
        match entry.kind {
            kinds::MESSAGE => {
                stream.is_some_and(|stream| stream.messages.is_at(entry.sequence, entry.at))
            }
            kinds::STREAM_CONFIG
            | kinds::STREAM_CONFIG_OF_ACCOUNT
            | kinds::STATE
            | kinds::REMOVED
            | kinds::DAMAGED
            | kinds::SOURCES => stream.is_some_and(|stream| stream.keeps(entry.kind, entry.at)),
            kinds::STREAM_DELETED
            | kinds::CONSUMER_DELETED
            | kinds::STREAMS_DELETED
            | kinds::CONSUMERS_DELETED => self.graves.holds(entry.at),
            kinds::RESTORING => self.graves.holds(entry.at) || self.transfers.is_mark(entry.at),
            kinds::CONSUMER_CONFIG | kinds::CONSUMER_SNAPSHOT | kinds::CONSUMER_DELTA => {
                slot().is_some_and(|slot| slot.keeps(entry.at))
            }
            // Written by a newer version: not ours to drop.
            _ => true,
        }
    }

    /// A record lies elsewhere now.
    pub fn moved(&mut self, entry: &Entry<'_>, to: Location) {
        let from = entry.at;
        match entry.kind {
            kinds::MESSAGE => {
                if let Some(stream) = self.streams.get_mut(&entry.stream) {
                    stream.messages.moved(entry.sequence, from, to);
                }
            }
            kinds::STREAM_CONFIG
            | kinds::STREAM_CONFIG_OF_ACCOUNT
            | kinds::STATE
            | kinds::REMOVED
            | kinds::DAMAGED
            | kinds::SOURCES => {
                if let Some(stream) = self.streams.get_mut(&entry.stream) {
                    stream.moved(entry.kind, from, to);
                }
            }
            kinds::STREAM_DELETED
            | kinds::CONSUMER_DELETED
            | kinds::STREAMS_DELETED
            | kinds::CONSUMERS_DELETED
            | kinds::RESTORING => {
                self.transfers.mark_moved(from, to);
                self.graves.moved(from, to);
            }
            _ => {
                if let Some((id, name)) = self.numbers.get(&entry.sequence)
                    && let Some(stream) = self.streams.get_mut(id)
                    && let Some(slot) = stream.consumers.get_mut(name)
                {
                    slot.moved(from, to);
                }
            }
        }
    }
}
