//! Where the records lie that say which streams and consumers are gone, for as long as they are needed: until no segment
//! is left that may hold anything of them.
//!
//! While an old segment lives none of them can be let go. So many of them are made one record of a kind, which names them
//! in runs: numbers are given in order, so it holds no more runs than there are streams and consumers alive.

use std::collections::BTreeMap;

use recado_log::{Journal, Location, Record, Refused};

use crate::stream::kinds;

/// So many graves are made one.
const GATHER_AT: usize = 32;
/// A grave takes as many bytes as so many runs in a gathered one, or more.
const RUNS_A_GRAVE: usize = 8;
/// Runs that one record holds.
const RECORD_RUNS_MAX: usize = 100_000;

/// A stream or a consumer that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) stream: u32,
    /// Its number; none if the whole stream is gone.
    pub(super) consumer: Option<u64>,
}

impl Gone {
    pub(super) fn record(&self) -> Record<'static> {
        Record {
            kind: match self.consumer {
                Some(_) => kinds::CONSUMER_DELETED,
                None => kinds::STREAM_DELETED,
            },
            stream: self.stream,
            sequence: self.consumer.unwrap_or(0),
            ..Record::default()
        }
    }
}

/// A record that says of one stream or consumer that it is gone.
#[derive(Clone, Copy, Debug)]
struct Grave {
    what: Gone,
    /// Segments up to this one may hold records of what is gone.
    youngest: u32,
    at: Location,
}

/// Records that say that something is gone.
#[derive(Debug, Default)]
pub(crate) struct Graves {
    /// Those of one each, by segment and offset.
    single: BTreeMap<(u32, u32), Grave>,
    gathered: Gathered,
    /// The oldest segment that there was at the last look.
    oldest: Option<u32>,
}

/// Records that say it of many.
#[derive(Debug, Default)]
struct Gathered {
    at: Vec<Location>,
    /// Segments up to this one may hold records of what they speak of.
    youngest: u32,
    streams: Runs,
    consumers: Runs,
}

impl Graves {
    /// A record at `at` says that something is gone of which segments up to `youngest` may hold records.
    pub(super) fn add(&mut self, what: Gone, youngest: u32, at: Location) {
        self.single.insert(place(at), Grave { what, youngest, at });
    }

    /// A gathered record was read. The highest number that it names.
    pub(super) fn read(&mut self, kind: u8, payload: &[u8], at: Location) -> Option<u64> {
        let youngest = kinds::youngest_segment(payload)?;
        let gathered = &mut self.gathered;
        gathered.at.push(at);
        gathered.youngest = gathered.youngest.max(youngest);
        let numbers = match kind {
            kinds::STREAMS_DELETED => &mut gathered.streams,
            _ => &mut gathered.consumers,
        };
        let mut highest = None;
        for (first, run) in kinds::removed_runs(payload) {
            if let Some(more) = run.checked_sub(1) {
                let last = first.saturating_add(more);
                numbers.add(first, last);
                highest = Some(last);
            }
        }
        highest
    }

    /// Whether a gathered record names this stream.
    pub(super) fn names_stream(&self, number: u32) -> bool {
        self.gathered.streams.has(number.into())
    }

    /// Whether a gathered record names this consumer.
    pub(super) fn names_consumer(&self, number: u64) -> bool {
        self.gathered.consumers.has(number)
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.single.is_empty() && self.gathered.at.is_empty()
    }

    /// Takes over those of another one.
    pub(super) fn append(&mut self, mut other: Self) {
        self.single.append(&mut other.single);
        let (own, theirs) = (&mut self.gathered, other.gathered);
        own.at.extend(theirs.at);
        own.youngest = own.youngest.max(theirs.youngest);
        own.streams.add_all(&theirs.streams);
        own.consumers.add_all(&theirs.consumers);
    }

    /// Whether a record that is needed lies there.
    pub(super) fn holds(&self, at: Location) -> bool {
        let single = self.single.get(&place(at));
        single.is_some_and(|grave| grave.at == at) || self.gathered.at.contains(&at)
    }

    /// A record lies elsewhere now.
    pub(super) fn moved(&mut self, from: Location, to: Location) {
        if let Some(grave) = self.single.remove(&place(from)) {
            self.single.insert(place(to), Grave { at: to, ..grave });
        }
        for at in self.gathered.at.iter_mut().filter(|at| **at == from) {
            *at = to;
        }
    }

    /// Lets those go that nothing is left of: all segments before `oldest` are gone.
    pub(super) fn drop_before(&mut self, journal: &mut dyn Journal, oldest: u32) {
        if self.oldest.replace(oldest) == Some(oldest) {
            return;
        }
        self.single.retain(|_, grave| {
            let needed = grave.youngest >= oldest;
            if !needed {
                journal.release(grave.at);
            }
            needed
        });
        if self.gathered.youngest < oldest {
            for at in std::mem::take(&mut self.gathered).at {
                journal.release(at);
            }
        }
    }

    /// Makes one record of many of those of one each.
    ///
    /// # Errors
    /// When the log does not take it; they stay then.
    pub(super) fn gather(&mut self, journal: &mut dyn Journal) -> Result<(), Refused> {
        let runs = self.gathered.streams.count() + self.gathered.consumers.count();
        if self.single.len() < (runs / RUNS_A_GRAVE).max(GATHER_AT) {
            return Ok(());
        }
        for grave in self.single.values() {
            // That they are named already while a record for each of them is still there does no harm.
            match grave.what.consumer {
                Some(number) => self.gathered.consumers.add(number, number),
                None => {
                    let number = grave.what.stream.into();
                    self.gathered.streams.add(number, number);
                }
            }
        }
        let youngest = journal.end().segment();
        let new = self.gathered.write(journal, youngest)?;
        let old = std::mem::replace(&mut self.gathered.at, new);
        self.gathered.youngest = youngest;
        let single = std::mem::take(&mut self.single);
        for at in old
            .into_iter()
            .chain(single.into_values().map(|grave| grave.at))
        {
            journal.release(at);
        }
        Ok(())
    }
}

impl Gathered {
    /// Writes all that is named: where.
    fn write(&self, journal: &mut dyn Journal, youngest: u32) -> Result<Vec<Location>, Refused> {
        let mut written = Vec::new();
        for (kind, numbers) in [
            (kinds::STREAMS_DELETED, &self.streams),
            (kinds::CONSUMERS_DELETED, &self.consumers),
        ] {
            let runs: Vec<(u64, u64)> = numbers.runs().collect();
            for part in runs.chunks(RECORD_RUNS_MAX) {
                let says = kinds::encode_removed_runs(youngest, part.iter().copied());
                let record = Record {
                    kind,
                    payload: &says,
                    ..Record::default()
                };
                match journal.append(&record) {
                    Ok(at) => written.push(at),
                    Err(refused) => {
                        written.into_iter().for_each(|at| journal.release(at));
                        return Err(refused);
                    }
                }
            }
        }
        Ok(written)
    }
}

fn place(at: Location) -> (u32, u32) {
    (at.segment, at.offset)
}

/// Numbers, of which many follow one another: first and last of each run.
#[derive(Debug, Default)]
struct Runs(BTreeMap<u64, u64>);

impl Runs {
    fn add(&mut self, mut first: u64, mut last: u64) {
        // Those that it touches become one with it.
        while let Some((&from, &to)) = self.0.range(..=last.saturating_add(1)).next_back()
            && to.saturating_add(1) >= first
        {
            self.0.remove(&from);
            (first, last) = (first.min(from), last.max(to));
        }
        self.0.insert(first, last);
    }

    fn add_all(&mut self, other: &Self) {
        for (&first, &last) in &other.0 {
            self.add(first, last);
        }
    }

    fn has(&self, number: u64) -> bool {
        let before = self.0.range(..=number).next_back();
        before.is_some_and(|(_, &last)| last >= number)
    }

    fn count(&self) -> usize {
        self.0.len()
    }

    /// First number and length of each.
    fn runs(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let all = self.0.iter();
        all.map(|(&first, &last)| (first, (last - first).saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::jetstream::world::{MemoryJournal, World};

    fn consumer(number: u64) -> Gone {
        Gone {
            stream: 1,
            consumer: Some(number),
        }
    }

    /// Buries these, each with a record of its own.
    fn buried(journal: &mut MemoryJournal, numbers: impl Iterator<Item = u64>) -> Graves {
        let mut graves = Graves::default();
        for number in numbers {
            let what = consumer(number);
            let at = journal.append(&what.record()).expect("room");
            graves.add(what, at.segment, at);
        }
        graves
    }

    #[test]
    fn a_grave_is_held_wherever_it_is_moved_until_its_segments_are_gone() {
        let mut journal = MemoryJournal::default();
        let mut graves = buried(&mut journal, 1..=2);
        let from: Vec<Location> = graves.single.values().map(|grave| grave.at).collect();
        let to = journal.append(&consumer(1).record()).expect("room");
        graves.moved(from[0], to);
        assert!(!graves.holds(from[0]) && graves.holds(to) && graves.holds(from[1]));
        graves.drop_before(&mut journal, 1);
        assert!(!graves.is_empty());
        graves.drop_before(&mut journal, 2);
        assert!(graves.is_empty());
    }

    #[test]
    fn many_become_one_that_names_them_and_goes_as_they_would() {
        let mut journal = MemoryJournal::default();
        let mut graves = buried(&mut journal, (1..=31).map(|number| number * 2));
        graves.gather(&mut journal).expect("room");
        assert_eq!(graves.gathered.at.len(), 0, "they are few");
        graves.append(buried(&mut journal, 64..=70));
        graves.append({
            let mut stream = Graves::default();
            let what = Gone {
                stream: 9,
                consumer: None,
            };
            let at = journal.append(&what.record()).expect("room");
            stream.add(what, at.segment, at);
            stream
        });
        journal.is_full = true;
        assert!(graves.gather(&mut journal).is_err());
        assert_eq!(graves.single.len(), 39, "they stay");
        journal.is_full = false;
        graves.gather(&mut journal).expect("room");
        assert_eq!((graves.single.len(), graves.gathered.at.len()), (0, 2));
        assert!(graves.names_consumer(62) && graves.names_consumer(70));
        assert!(!graves.names_consumer(63) && !graves.names_consumer(71));
        assert!(graves.names_stream(9) && !graves.names_stream(1));

        let mut read = Graves::default();
        let mut highest = Vec::new();
        for at in graves.gathered.at.clone() {
            assert!(graves.holds(at));
            let record = journal.read(at).expect("it is there");
            let (kind, payload) = (record.kind, record.payload.to_vec());
            highest.push(read.read(kind, &payload, at));
        }
        assert_eq!(highest, [Some(9), Some(70)]);
        assert!(read.names_consumer(62) && !read.names_consumer(63) && read.names_stream(9));
        graves.drop_before(&mut journal, 2);
        assert!(graves.is_empty() && !graves.names_consumer(62));
    }

    proptest! {
        #[test]
        fn runs_hold_what_was_added(runs in proptest::collection::vec((0u64..100, 0u64..6), 0..40)) {
            let (mut model, mut tested) = (BTreeSet::new(), Runs::default());
            for (first, more) in runs {
                model.extend(first..=first + more);
                tested.add(first, first + more);
            }
            for number in 0..110 {
                prop_assert_eq!(tested.has(number), model.contains(&number), "{}", number);
            }
            let mut before = None;
            for (first, length) in tested.runs() {
                prop_assert!(before.is_none_or(|end| end < first) && length > 0, "apart");
                before = Some(first + length);
            }
        }

        #[test]
        fn whatever_is_read_breaks_nothing(payload in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut graves = Graves::default();
            let _ = graves.read(kinds::CONSUMERS_DELETED, &payload, Location::default());
            let _ = graves.read(kinds::STREAMS_DELETED, &payload, Location::default());
            prop_assert_eq!(graves.single.len(), 0);
        }
    }

    #[test]
    fn the_last_number_of_all_is_a_number() {
        let mut runs = Runs::default();
        runs.add(u64::MAX, u64::MAX);
        runs.add(0, 0);
        assert!(runs.has(u64::MAX) && runs.has(0) && !runs.has(1));
        assert_eq!(runs.count(), 2);
    }

    /// What the server does now and then; no segment has gone.
    fn upkeep(world: &mut World) {
        world.act(|jetstream, _, journal| jetstream.upkeep(journal, 1));
        world.batch();
    }

    fn names(world: &mut World) -> Value {
        world.api("CONSUMER.NAMES.S", &json!({}))["consumers"].take()
    }

    /// Records that compaction would keep, of those that say that something is gone.
    fn kept(world: &World) -> usize {
        let kinds = [
            kinds::STREAM_DELETED,
            kinds::CONSUMER_DELETED,
            kinds::STREAMS_DELETED,
            kinds::CONSUMERS_DELETED,
        ];
        kinds.into_iter().map(|kind| world.live(kind).1).sum()
    }

    #[test]
    fn consumers_and_streams_that_come_and_go_are_told_of_by_few_records_and_do_not_come_back() {
        let mut world = World::new();
        let stream = |name: &str| json!({"name": name, "subjects": [name], "storage": "file"});
        world.create(&stream("S"));
        let mut most = 0;
        for number in 0..300 {
            let (stays, goes) = (format!("stays{number:03}"), format!("goes{number}"));
            for name in [&stays, &goes] {
                if name.starts_with("goes") || number % 50 == 0 {
                    let config = json!({"durable_name": name, "ack_policy": "explicit"});
                    let body = json!({"stream_name": "S", "config": config});
                    let made = world.api(&format!("CONSUMER.CREATE.S.{name}"), &body);
                    assert!(made["error"].is_null(), "{made}");
                }
            }
            world.api(&format!("CONSUMER.DELETE.S.{goes}"), &Value::Null);
            if number % 3 == 0 {
                world.create(&stream(&goes));
                world.api(&format!("STREAM.DELETE.{goes}"), &Value::Null);
            }
            world.batch();
            upkeep(&mut world);
            most = most.max(kept(&world));
        }
        assert!((20..=GATHER_AT + 2).contains(&most), "{most}");
        let left = names(&mut world);
        assert_eq!(left.as_array().map(Vec::len), Some(6), "{left}");

        // With all records that were ever written, and with those alone that are needed.
        for mut again in [
            world.restarted_with(world.journal.len()),
            world.restarted_compacted(),
        ] {
            assert_eq!(names(&mut again), left);
            let streams = again.api("STREAM.NAMES", &json!({}));
            assert_eq!(streams["streams"], json!(["S"]));
            // No number is given twice: what has a new one would be gone with the next start.
            let config = json!({"durable_name": "new", "ack_policy": "explicit"});
            let body = json!({"stream_name": "S", "config": config});
            again.api("CONSUMER.CREATE.S.new", &body);
            again.create(&stream("N"));
            again.batch();
            upkeep(&mut again);
            let mut later = again.restarted_with(again.journal.len());
            assert!(later.has("N"));
            let now = names(&mut later);
            assert_eq!(now.as_array().map(Vec::len), Some(7), "{now}");
        }
    }
}
