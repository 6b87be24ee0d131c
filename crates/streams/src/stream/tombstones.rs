//! Where the records lie that say which messages are gone, for as long as they are needed: until no segment is left that
//! may hold such a message.

use std::collections::BTreeMap;

use recado_log::Location;

use super::kinds;

/// Records of one stream that say what is gone.
#[derive(Debug, Default)]
pub(super) struct Tombstones {
    /// By segment and offset.
    all: BTreeMap<(u32, u32), Tombstone>,
    /// Those of `all` that are `REMOVED` records.
    removed: usize,
    /// The oldest segment that there was at the last look.
    oldest: u32,
}

#[derive(Clone, Copy, Debug)]
struct Tombstone {
    kind: u8,
    /// Of the segments that may hold what it speaks of.
    youngest: u32,
    at: Location,
}

impl Tombstone {
    fn is_removed(&self) -> bool {
        self.kind == kinds::REMOVED
    }
}

impl Tombstones {
    /// A record of `kind` speaks of messages in segments up to `youngest`.
    pub(super) fn add(&mut self, kind: u8, youngest: u32, at: Location) {
        let new = Tombstone { kind, youngest, at };
        self.removed += usize::from(new.is_removed());
        self.all.insert(place(at), new);
    }

    /// `REMOVED` records.
    pub(super) fn removed_count(&self) -> usize {
        self.removed
    }

    /// Whether a record that is needed lies there.
    pub(super) fn holds(&self, at: Location) -> bool {
        self.all.get(&place(at)).is_some_and(|one| one.at == at)
    }

    /// A record lies elsewhere now.
    pub(super) fn moved(&mut self, from: Location, to: Location) {
        if let Some(one) = self.all.remove(&place(from)) {
            self.all.insert(place(to), Tombstone { at: to, ..one });
        }
    }

    /// All of them.
    pub(super) fn places(&self) -> impl Iterator<Item = Location> {
        self.all.values().map(|one| one.at)
    }

    /// Takes those out of which no message is left: all segments before `oldest` are gone.
    pub(super) fn take_before(&mut self, oldest: u32) -> Vec<Location> {
        if oldest <= self.oldest {
            return Vec::new();
        }
        self.oldest = oldest;
        let gone = self.all.values().filter(|one| one.youngest < oldest);
        let gone: Vec<Location> = gone.map(|one| one.at).collect();
        for at in &gone {
            self.forget(*at);
        }
        gone
    }

    /// Where the `REMOVED` records lie.
    pub(super) fn removed(&self) -> impl Iterator<Item = Location> {
        let removed = self.all.values().filter(|one| one.is_removed());
        removed.map(|one| one.at)
    }

    /// A record is not needed any more.
    pub(super) fn forget(&mut self, at: Location) {
        if let Some(one) = self.all.remove(&place(at)) {
            self.removed -= usize::from(one.is_removed());
        }
    }
}

fn place(at: Location) -> (u32, u32) {
    (at.segment, at.offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(segment: u32, offset: u32) -> Location {
        Location {
            segment,
            offset,
            length: 48,
        }
    }

    #[test]
    fn a_tombstone_is_held_wherever_it_is_moved_until_its_segments_are_gone() {
        let mut tombstones = Tombstones::default();
        tombstones.add(kinds::REMOVED, 2, at(2, 100));
        tombstones.add(kinds::DAMAGED, 2, at(2, 200));
        tombstones.add(kinds::REMOVED, 3, at(3, 100));
        tombstones.moved(at(2, 100), at(4, 0));
        tombstones.moved(at(9, 9), at(9, 10));
        assert!(!tombstones.holds(at(2, 100)) && tombstones.holds(at(4, 0)));
        assert_eq!(tombstones.take_before(2), []);
        assert_eq!(tombstones.take_before(3), [at(2, 200), at(4, 0)]);
        assert_eq!(tombstones.removed_count(), 1);
        assert_eq!(tombstones.places().collect::<Vec<_>>(), [at(3, 100)]);
        assert_eq!(tombstones.removed().collect::<Vec<_>>(), [at(3, 100)]);
        tombstones.forget(at(3, 100));
        assert_eq!(
            (tombstones.removed_count(), tombstones.places().count()),
            (0, 0)
        );
    }
}
