//! Who is in the room, as heard from them: without I/O, with time as an argument.
//!
//! Who was killed or cut off says nothing any more, and nobody says it for them: somebody is there
//! as long as they are heard of, and [`SILENCE_MAX`] at the most after that.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::protocol::{Here, State, as_name};

/// How often everybody says that they are there.
pub(super) const BEAT: Duration = Duration::from_secs(2);

/// After so long a silence somebody counts as gone: three beats were missed.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(7);

/// How many others are known at the most; further ones can talk, but are not listed.
const OTHERS_MAX: usize = 1000;

/// Two who came within this time came at once: then their ids decide who gives way.
const AT_ONCE_MS: u64 = 1000;

/// Somebody else.
#[derive(Debug, Clone)]
pub(super) struct Other {
    /// The name, fit to be shown.
    pub(super) name: String,
    /// The last measured round trip to them.
    pub(super) round_trip: Option<Duration>,
    heard: Instant,
}

/// What a word about somebody's presence changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Somebody came.
    Joined(String),
    /// Somebody was there already, unknown until now.
    Found(String),
    /// Somebody went.
    Left(String),
    /// Somebody has not been heard of for too long.
    Vanished(String),
    /// Somebody changed their name.
    Renamed(String, String),
    /// Somebody who was there before us, or has the lower id, has our name.
    Clash,
}

/// Everybody else, by id.
pub(super) struct Presence {
    me: String,
    others: BTreeMap<String, Other>,
}

impl Presence {
    /// Nobody known yet.
    pub(super) fn new(me: &str) -> Self {
        Self {
            me: me.to_owned(),
            others: BTreeMap::new(),
        }
    }

    /// The others, by id.
    pub(super) fn others(&self) -> impl Iterator<Item = (&String, &Other)> {
        self.others.iter()
    }

    /// How many others there are.
    pub(super) fn count(&self) -> usize {
        self.others.len()
    }

    /// Whether one of the others is called so.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.others.values().any(|other| other.name == name)
    }

    /// Notes how long the way to somebody and back took.
    pub(super) fn measured(&mut self, id: &str, round_trip: Duration, now: Instant) {
        if let Some(other) = self.others.get_mut(id) {
            other.round_trip = Some(round_trip);
            other.heard = now;
        }
    }

    /// Takes what somebody says about themselves; `name` and `for_ms` are our own.
    pub(super) fn told(
        &mut self,
        here: &Here,
        name: &str,
        for_ms: u64,
        now: Instant,
    ) -> Option<Change> {
        let theirs = as_name(&here.from)?;
        if here.id == self.me {
            return None;
        }
        if here.state == State::Leave {
            return self
                .others
                .remove(&here.id)
                .map(|other| Change::Left(other.name));
        }
        let clash = theirs == name && self.gives_way(here, for_ms);
        let is_full = self.others.len() >= OTHERS_MAX;
        let change = match self.others.get_mut(&here.id) {
            Some(other) => {
                other.heard = now;
                let before = std::mem::replace(&mut other.name, theirs.clone());
                (before != theirs).then_some(Change::Renamed(before, theirs))
            }
            None if is_full => None,
            None => {
                self.others.insert(
                    here.id.clone(),
                    Other {
                        name: theirs.clone(),
                        round_trip: None,
                        heard: now,
                    },
                );
                Some(match here.state {
                    State::Join => Change::Joined(theirs),
                    State::Here | State::Leave => Change::Found(theirs),
                })
            }
        };
        if clash { Some(Change::Clash) } else { change }
    }

    /// Removes those who have been silent for too long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Change> {
        let gone = |other: &Other| now.duration_since(other.heard) > SILENCE_MAX;
        let ids: Vec<String> = self
            .others
            .iter()
            .filter(|(_, other)| gone(other))
            .map(|(id, _)| id.clone())
            .collect();
        ids.iter()
            .filter_map(|id| self.others.remove(id))
            .map(|other| Change::Vanished(other.name))
            .collect()
    }

    /// While we heard nothing ourselves, nobody's silence means anything.
    pub(super) fn excuse(&mut self, now: Instant) {
        for other in self.others.values_mut() {
            other.heard = now;
        }
    }

    /// Of two with the same name, the one who came later gives way.
    fn gives_way(&self, here: &Here, for_ms: u64) -> bool {
        if here.for_ms.abs_diff(for_ms) < AT_ONCE_MS {
            self.me > here.id
        } else {
            for_ms < here.for_ms
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(from: &str, id: &str, state: State, for_ms: u64) -> Here {
        Here {
            from: from.into(),
            id: id.into(),
            state,
            for_ms,
        }
    }

    #[test]
    fn coming_being_there_renaming_and_going_are_told_once() {
        let now = Instant::now();
        let mut room = Presence::new("me");
        let mut told = |from, id, state| room.told(&here(from, id, state, 0), "ana", 5000, now);
        assert_eq!(
            told("beto", "b", State::Join),
            Some(Change::Joined("beto".into()))
        );
        assert_eq!(told("beto", "b", State::Here), None);
        assert_eq!(
            told("eva", "e", State::Here),
            Some(Change::Found("eva".into()))
        );
        assert_eq!(
            told("evita", "e", State::Here),
            Some(Change::Renamed("eva".into(), "evita".into()))
        );
        assert_eq!(
            told("beto", "b", State::Leave),
            Some(Change::Left("beto".into()))
        );
        assert_eq!(told("beto", "b", State::Leave), None);
        assert_eq!(told("ana", "me", State::Join), None);
        assert_eq!(told("\x1b", "x", State::Join), None);
    }

    #[test]
    fn who_is_silent_for_too_long_is_gone_unless_we_were_cut_off_ourselves() {
        let start = Instant::now();
        let mut room = Presence::new("me");
        room.told(&here("beto", "b", State::Join, 0), "ana", 0, start);
        assert_eq!(room.expire(start + SILENCE_MAX), []);
        let late = start + SILENCE_MAX + Duration::from_millis(1);
        room.excuse(late);
        assert_eq!(room.expire(late), []);
        let later = late + SILENCE_MAX + Duration::from_millis(1);
        assert_eq!(room.expire(later), [Change::Vanished("beto".into())]);
        assert_eq!(room.count(), 0);
    }

    #[test]
    fn of_two_with_one_name_exactly_one_gives_way() {
        let now = Instant::now();
        for (mine, theirs) in [(0, 60_000), (60_000, 0), (500, 0), (0, 0)] {
            let mut one = Presence::new("1");
            let mut two = Presence::new("2");
            let seen_by_one = one.told(&here("ana", "2", State::Here, theirs), "ana", mine, now);
            let seen_by_two = two.told(&here("ana", "1", State::Here, mine), "ana", theirs, now);
            let gave_way = [seen_by_one, seen_by_two].map(|change| change == Some(Change::Clash));
            assert_ne!(gave_way[0], gave_way[1], "{mine} {theirs}");
        }
    }

    #[test]
    fn a_crowd_is_bounded() {
        let now = Instant::now();
        let mut room = Presence::new("me");
        for number in 0..OTHERS_MAX + 5 {
            let id = format!("id{number}");
            room.told(&here("x", &id, State::Join, 0), "ana", 0, now);
        }
        assert_eq!(room.count(), OTHERS_MAX);
    }
}
