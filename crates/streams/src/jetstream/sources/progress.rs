//! How far a stream's sources are, kept so that it outlasts the copies. Each copy says in a header where it
//! came from; the copies can be purged, consumed or aged out, so now and then one record tells it for all
//! sources. Opening a store reads that record and the headers of the copies behind it.

use std::collections::BTreeMap;

use recado_log::{Journal, Location, Record, Refused};
use serde_json::{Value, json};

use super::feed::{Feed, Role};
use super::header;
use crate::context::Outlet;
use crate::stream::{LastRecord, kinds};

/// Copies after which the record is written again, so that opening has few headers to read.
const COPIES_UNTOLD_MAX: u64 = 10_000;
/// Copies that opening remembers behind the record: more than that, and one batch more, never are.
const TAIL_MAX: usize = 1 << 18;
/// Sources that are no longer configured whose place is still known.
const FORMER_MAX: usize = 1024;
const VERSION: u64 = 1;

/// How far a source is: sequence in the origin, and the origin's identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) sequence: u64,
    pub(super) identity: String,
}

/// A stream's mirror or sources, and what is kept of them.
#[derive(Default)]
pub(crate) struct Feeding {
    pub(super) feeds: Vec<Feed>,
    /// By index name: those that are not at work.
    pub(super) known: BTreeMap<String, Taken>,
    at: LastRecord,
    /// Counts the records.
    count: u64,
    /// Copies that no record tells of.
    untold: u64,
    /// Something happened that no copy tells of.
    must_tell: bool,
    /// Those that take from this stream know that it is visible up to here.
    shown: u64,
}

impl Feeding {
    /// Whether the stream is visible further than those know that take from it; they do then.
    pub(super) fn is_news(&mut self, visible: u64) -> bool {
        std::mem::replace(&mut self.shown, visible) != visible
    }

    /// Copies were stored.
    pub(super) fn note_copies(&mut self, copies: u64) {
        self.untold += copies;
    }

    /// What was taken left no copy with a header that says so.
    pub(super) fn note_without_copy(&mut self) {
        self.must_tell = true;
    }

    /// Whether there is a mirror or source.
    pub(crate) fn is_some(&self) -> bool {
        !self.feeds.is_empty()
    }

    /// Whether the record should be written with this batch; `all`: whether there is anything to write.
    pub(crate) fn wants_record(&self, all: bool) -> bool {
        self.must_tell || self.untold >= COPIES_UNTOLD_MAX || (all && self.untold > 0)
    }

    /// Writes how far the sources of `stream` are, whose last sequence is `last`.
    pub(crate) fn store(
        &mut self,
        journal: &mut dyn Journal,
        stream: u32,
        last: u64,
    ) -> Result<(), Refused> {
        let at = journal.append(&Record {
            kind: kinds::SOURCES,
            stream,
            sequence: self.count + 1,
            payload: &encode(last, &self.taken()),
            ..Record::default()
        })?;
        self.count += 1;
        self.untold = 0;
        self.must_tell = false;
        self.at.replace(journal, at);
        Ok(())
    }

    /// How far all are, at work or not.
    fn taken(&self) -> BTreeMap<String, Taken> {
        let mut all = self.known.clone();
        let sources = self.feeds.iter().filter(|feed| feed.role == Role::Source);
        for feed in sources.filter(|feed| feed.taken > 0) {
            let taken = Taken {
                sequence: feed.taken,
                identity: feed.identity.clone(),
            };
            all.insert(feed.index_name.clone(), taken);
        }
        all
    }

    /// A source is no longer configured; should it come back, it goes on where it was.
    pub(super) fn retire(&mut self, feed: &Feed) {
        if feed.role == Role::Mirror || feed.durable == 0 {
            return;
        }
        while self.known.len() >= FORMER_MAX {
            self.known.pop_first();
        }
        let taken = Taken {
            sequence: feed.durable,
            identity: feed.identity.clone(),
        };
        self.known.insert(feed.index_name.clone(), taken);
        self.must_tell = true;
    }

    /// What lies in other accounts is listened to again.
    pub(in crate::jetstream) fn subscribe(&self, out: &mut dyn Outlet, prefix: &str) {
        for remote in self.feeds.iter().filter_map(|feed| feed.remote.as_ref()) {
            remote.subscribe(out, prefix);
        }
    }

    /// It is listened to no more, for now.
    pub(in crate::jetstream) fn unsubscribe(&self, out: &mut dyn Outlet, prefix: &str) {
        for remote in self.feeds.iter().filter_map(|feed| feed.remote.as_ref()) {
            remote.unsubscribe(out, prefix);
        }
    }

    /// What lies in other accounts is asked for anew, should it go on at all.
    pub(in crate::jetstream) fn leave_others(&mut self, out: &mut dyn Outlet, prefix: &str) {
        for feed in &mut self.feeds {
            feed.leave(out, prefix);
        }
    }

    /// The streams that it takes from are looked for again.
    pub(crate) fn relink(&mut self) {
        for feed in &mut self.feeds {
            feed.relink();
        }
    }

    /// When one of them tries again.
    pub(crate) fn next_retry(&self) -> Option<i64> {
        self.feeds.iter().filter_map(Feed::next_deadline).min()
    }

    /// Pauses that are over end.
    pub(crate) fn end_pauses(&mut self, now_ns: i64) {
        for feed in &mut self.feeds {
            feed.end_pause(now_ns);
        }
    }

    /// Where its record lies.
    pub(crate) fn place(&self) -> Option<Location> {
        self.at.place()
    }

    /// Its record lies elsewhere now.
    pub(crate) fn moved(&mut self, from: Location, to: Location) {
        self.at.moved(from, to);
    }
}

/// What the log holds of a stream's sources, while it is read.
#[derive(Default)]
pub(crate) struct FoundSources {
    record: Option<(u64, Location)>,
    upto: u64,
    taken: BTreeMap<String, Taken>,
    /// Copies behind the record: sequence and place.
    tail: BTreeMap<u64, Location>,
}

impl FoundSources {
    /// A record of it. What is dead now.
    pub(crate) fn record(&mut self, count: u64, at: Location, payload: &[u8]) -> Option<Location> {
        // A moved one may come late.
        if self.record.is_some_and(|(known, _)| known > count) {
            return Some(at);
        }
        let (upto, taken) = decode(payload)?;
        self.upto = upto;
        self.taken = taken;
        self.tail = self.tail.split_off(&(upto + 1));
        self.record.replace((count, at)).map(|(_, old)| old)
    }

    /// A copy.
    pub(crate) fn copy(&mut self, sequence: u64, at: Location) {
        if sequence <= self.upto {
            return;
        }
        self.tail.insert(sequence, at);
        if self.tail.len() > TAIL_MAX {
            self.tail.pop_first();
        }
    }

    /// All was read. To be called before anything is released: a copy that is gone still tells where it came from.
    pub(crate) fn finish(self, journal: &mut dyn Journal, stream: u32, sources: usize) -> Feeding {
        let mut feeding = Feeding {
            known: self.taken,
            at: LastRecord::found(self.record.map(|(_, at)| at)),
            count: self.record.map_or(0, |(count, _)| count),
            untold: self.tail.len() as u64,
            ..Feeding::default()
        };
        let mut told = BTreeMap::new();
        for (&sequence, &at) in self.tail.iter().rev() {
            if told.len() >= sources {
                break;
            }
            let Ok(record) = journal.read(at) else {
                continue;
            };
            if record.stream != stream || record.sequence != sequence {
                continue;
            }
            let value = recado_wire::Headers::new(record.headers).get(header::SOURCE_HEADER);
            if let Some((name, sequence, identity)) = value.and_then(header::parse) {
                let taken = Taken { sequence, identity };
                told.entry(name).or_insert(taken);
            }
        }
        feeding.known.extend(told);
        feeding
    }
}

/// `SOURCES`: JSON, `{"version":1,"upto":…,"sources":{"<index name>":[sequence,"identity"]}}`.
fn encode(upto: u64, taken: &BTreeMap<String, Taken>) -> Vec<u8> {
    let sources: serde_json::Map<String, Value> = taken
        .iter()
        .map(|(name, taken)| (name.clone(), json!([taken.sequence, taken.identity])))
        .collect();
    json!({"version": VERSION, "upto": upto, "sources": sources})
        .to_string()
        .into_bytes()
}

fn decode(payload: &[u8]) -> Option<(u64, BTreeMap<String, Taken>)> {
    let value: Value = serde_json::from_slice(payload).ok()?;
    if value["version"].as_u64() != Some(VERSION) {
        return None;
    }
    let sources = value["sources"].as_object()?.iter();
    let taken = sources.filter_map(|(name, place)| {
        let taken = Taken {
            sequence: place[0].as_u64()?,
            identity: place[1].as_str()?.to_owned(),
        };
        Some((name.clone(), taken))
    });
    Some((value["upto"].as_u64()?, taken.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u32) -> Location {
        Location {
            offset,
            ..Location::default()
        }
    }

    fn taken(sequence: u64) -> BTreeMap<String, Taken> {
        let taken = Taken {
            sequence,
            identity: "i".to_owned(),
        };
        BTreeMap::from([("O > >".to_owned(), taken)])
    }

    #[test]
    fn what_is_on_disk_stays_as_it_is() {
        let text = r#"{"sources":{"O > >":[7,"i"]},"upto":9,"version":1}"#;
        assert_eq!(String::from_utf8(encode(9, &taken(7))).expect("text"), text);
        assert_eq!(decode(text.as_bytes()), Some((9, taken(7))));
        assert_eq!(decode(b"{}"), None);
    }

    #[test]
    fn the_newest_record_counts_wherever_it_lies_and_copies_before_it_do_not() {
        let mut found = FoundSources::default();
        found.copy(3, at(1));
        assert_eq!(found.record(2, at(2), &encode(5, &taken(50))), None);
        found.copy(4, at(3));
        found.copy(6, at(4));
        assert_eq!(found.record(1, at(5), &encode(2, &taken(20))), Some(at(5)));
        assert_eq!((found.upto, found.tail.len()), (5, 1));
        assert_eq!(found.record(3, at(6), &encode(6, &taken(60))), Some(at(2)));
        assert!(found.tail.is_empty());
        assert_eq!(found.taken, taken(60));
    }
}
