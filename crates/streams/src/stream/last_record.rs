//! Where the newest of records lies that replace each other, and those that it replaced but that count again
//! should it not reach the disk.
//!
//! Must never name a place that a failed batch took back: the log gives it to another record, which would
//! be released in its stead.

use recado_log::{Journal, Location, Position};

/// The place of a record that is written again and again.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastRecord {
    at: Option<Location>,
    /// What was replaced since the last durable one, that one first. Means nothing once `at` is durable.
    before: Vec<Location>,
}

impl LastRecord {
    /// One that was found in the log.
    pub(crate) fn found(at: Option<Location>) -> Self {
        Self {
            at,
            before: Vec::new(),
        }
    }

    /// Where it lies.
    pub(crate) fn place(&self) -> Option<Location> {
        self.at
    }

    /// A newer one was just appended: the one before may be forgotten.
    pub(crate) fn replace(&mut self, journal: &mut dyn Journal, at: Location) {
        let Some(old) = self.at.replace(at) else {
            return;
        };
        if is_before(old, journal.durable()) {
            self.before.clear();
        }
        self.before.push(old);
        journal.release(old);
    }

    /// It lies elsewhere now.
    pub(crate) fn moved(&mut self, from: Location, to: Location) {
        if self.at == Some(from) {
            self.at = Some(to);
        }
    }

    /// What comes after `to` is void, and so is that the record before was released. Whether that concerns it.
    pub(crate) fn roll_back(&mut self, to: Position) -> bool {
        if self.at.is_none_or(|at| is_before(at, to)) {
            return false;
        }
        self.before.retain(|at| is_before(*at, to));
        self.at = self.before.pop();
        self.before.clear();
        true
    }
}

/// Whether a record lies wholly before a position.
pub(crate) fn is_before(at: Location, position: Position) -> bool {
    let end = u64::from(at.offset) + u64::from(at.length);
    (u64::from(at.segment) << 32) + end <= position.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jetstream::MemoryJournal;
    use recado_log::Record;

    fn written(record: &mut LastRecord, journal: &mut MemoryJournal) -> Location {
        let at = journal.append(&Record::default()).unwrap();
        record.replace(journal, at);
        at
    }

    #[test]
    fn the_last_one_on_disk_counts_again_when_its_successors_are_void() {
        let (mut record, mut journal) = (LastRecord::default(), MemoryJournal::default());
        let first = written(&mut record, &mut journal);
        journal.commit();
        let second = written(&mut record, &mut journal);
        let between = journal.end();
        written(&mut record, &mut journal);
        let mut partly = record.clone();
        assert!(record.roll_back(journal.durable()));
        assert_eq!(record.place(), Some(first));
        assert!(partly.roll_back(between));
        assert_eq!(partly.place(), Some(second));
        assert!(!partly.roll_back(between));
    }

    #[test]
    fn one_that_never_was_on_disk_is_nowhere() {
        let (mut record, mut journal) = (LastRecord::default(), MemoryJournal::default());
        written(&mut record, &mut journal);
        written(&mut record, &mut journal);
        assert!(record.roll_back(journal.durable()));
        assert_eq!(record.place(), None);
    }
}
