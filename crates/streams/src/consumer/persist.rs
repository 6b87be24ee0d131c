//! A consumer's progress: what its owner writes into the log, and how it is taken up again.

use super::Consumer;
use super::progress::{Progress, Written};
use super::source::Source;
use super::unacked::Unacked;

impl Consumer {
    /// Whether something happened that [`Self::progress`] has not told yet.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// What happened since the last call, or everything if `full`. To be appended to the log behind what was told
    /// before; a whole record (see [`Self::is_next_whole`]) stands for itself.
    pub fn progress(&mut self, full: bool) -> Vec<u8> {
        let whole = full || self.must_tell_all;
        let changes = self.unacked.take_changes(self.delivered.consumer_seq);
        let mut untold = std::mem::take(&mut self.exhausted_untold);
        let given_up = std::mem::take(&mut self.exhausted_taken);
        let mut taken = changes.taken;
        let (unacked, exhausted) = if whole {
            taken.clear();
            let exhausted = self.exhausted.iter().map(|(seq, count)| (*seq, *count));
            (self.unacked.iter().copied().collect(), exhausted.collect())
        } else {
            let floor = self.floor.stream_seq;
            taken.retain(|stream_seq| *stream_seq > floor);
            taken.extend(given_up);
            taken.sort_unstable();
            taken.dedup();
            untold.sort_unstable();
            untold.dedup();
            let count = |seq: u64| self.exhausted.get(&seq).map(|count| (seq, *count));
            (
                changes.changed,
                untold.into_iter().filter_map(count).collect(),
            )
        };
        self.dirty = false;
        self.must_tell_all = false;
        let written = Written {
            whole,
            next: self.position.next(),
            delivered: self.delivered,
            floor: self.floor,
            picked_upto: self.position.picked_upto(),
            taken,
            unacked,
            exhausted,
        };
        written.to_bytes()
    }

    /// Everything as one record that stands for itself, without telling it as progress.
    pub fn progress_copy(&self) -> Vec<u8> {
        let exhausted = self.exhausted.iter().map(|(seq, count)| (*seq, *count));
        let written = Written {
            whole: true,
            next: self.position.next(),
            delivered: self.delivered,
            floor: self.floor,
            picked_upto: self.position.picked_upto(),
            taken: Vec::new(),
            unacked: self.unacked.iter().copied().collect(),
            exhausted: exhausted.collect(),
        };
        written.to_bytes()
    }

    /// What [`Self::progress`] told last was not written: the next one tells everything again.
    pub fn progress_refused(&mut self) {
        self.dirty = true;
        self.must_tell_all = true;
    }

    /// Whether the next [`Self::progress`] is whole even if it was not asked to be.
    pub fn is_next_whole(&self) -> bool {
        self.must_tell_all
    }

    /// Goes on where it was told to have come. What is no longer in the stream is left out.
    pub(super) fn take_progress(
        &mut self,
        progress: Progress,
        source: &mut dyn Source,
        now_ns: i64,
    ) {
        self.delivered = progress.delivered;
        self.floor = progress.floor;
        for unacked in progress.unacked.into_values() {
            let known = unacked.stream_seq < self.position.next();
            if !known || !source.exists(unacked.stream_seq) {
                continue;
            }
            // A clock that was set back must not put a delivery off for longer than it was meant to be.
            let latest_ns = self.settings.due_ns(now_ns, unacked.deliveries);
            let due_ns = unacked.due_ns.min(latest_ns);
            self.unacked.push(Unacked { due_ns, ..unacked });
        }
        let mut exhausted = progress.exhausted;
        exhausted.retain(|stream_seq, _| source.exists(*stream_seq));
        self.exhausted = exhausted;
        self.raise_floor();
    }
}
