//! Purging (E25): all, up to a sequence, on a filter, all but the newest few.

use recado_log::{Journal, Refused};

use super::Stream;
use crate::consumer::Leaving;
use crate::index::{Filters, Scan};

impl Stream {
    /// Removes messages: those that `filter` matches (empty: all), those before `sequence` (0: all), but
    /// for the newest `keep`. How many went.
    ///
    /// # Errors
    /// When the log does not take the record of it.
    pub(crate) fn purge(
        &mut self,
        journal: &mut dyn Journal,
        filter: &str,
        sequence: u64,
        keep: u64,
    ) -> Result<u64, Refused> {
        let purged = self.purge_messages(journal, filter, sequence, keep)?;
        self.tell_each_consumer(journal, |consumer, source| {
            consumer.subjects_purged(source, filter);
        });
        Ok(purged)
    }

    fn purge_messages(
        &mut self,
        journal: &mut dyn Journal,
        filter: &str,
        sequence: u64,
        keep: u64,
    ) -> Result<u64, Refused> {
        let last = self.last_sequence();
        let unfiltered = filter.is_empty() || filter == ">";
        if unfiltered && keep == 0 {
            let upto = if sequence > 0 { sequence } else { last + 1 };
            let purged = self.purge_before(journal, upto)?;
            self.is_fresh &= sequence == 1;
            return Ok(purged);
        }
        let upto = if sequence > 0 { sequence - 1 } else { last };
        let filters: Vec<&str> = if unfiltered { Vec::new() } else { vec![filter] };
        let mut filters = Filters::new(filters);
        let mut found = Vec::new();
        let mut at = 0;
        loop {
            let mut budget = usize::MAX;
            let index = &self.messages.index;
            match index.next_matching(at, upto, &mut filters, &mut budget) {
                Scan::Found(sequence) => {
                    found.push(sequence);
                    at = sequence + 1;
                }
                Scan::OutOfBudget(resume) => at = resume,
                Scan::None => break,
            }
        }
        let gone = found
            .len()
            .saturating_sub(usize::try_from(keep).unwrap_or(usize::MAX));
        found.truncate(gone);
        self.remove_for_good(journal, &found)
    }

    /// Removes all messages before `sequence`, which may be one that was not given yet: then the next message gets it.
    /// How many went.
    ///
    /// # Errors
    /// When the log does not take the record of it.
    pub(crate) fn purge_before(
        &mut self,
        journal: &mut dyn Journal,
        sequence: u64,
    ) -> Result<u64, Refused> {
        self.write_first_from(journal, sequence)?;
        let mut count = 0;
        while !self.messages.index.is_empty() {
            let first = self.messages.index.first_sequence();
            if first >= sequence {
                break;
            }
            count += u64::from(self.discard(journal, first, Leaving::WithOthers));
        }
        let skipped = sequence.saturating_sub(1);
        if skipped > self.last_sequence() {
            self.messages.index.skip_to(skipped);
            // Nothing is there that could wait for the disk.
            self.messages.show_up_to(skipped);
        }
        Ok(count)
    }

    /// Writes that nothing is left before `sequence`: first, so that nothing went if the log does not take it.
    fn write_first_from(
        &mut self,
        journal: &mut dyn Journal,
        sequence: u64,
    ) -> Result<(), Refused> {
        let last = self.last_sequence().max(sequence.saturating_sub(1));
        let first = self.messages.index.next(sequence);
        self.write_state(journal, (first.unwrap_or(last + 1), last))
    }
}
