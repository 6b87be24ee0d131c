//! Acks while a store gets rid of what was deleted: how much later do the latest come?

use std::time::Instant;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::durable::{fill, publishing};
use super::request::histogram;
use super::subjects::{KEPT_EVERY, Subjects};
use super::windows::{Until, Windows};
use super::{CpuWatch, Setting};
use crate::disk::{StoredFile, files};
use crate::error::{Error, Result};
use crate::jetstream::Api;
use crate::outcome::{Latency, Outcome, Used};

pub(super) const HOW: &str = "One stream is filled with ten million messages on 100,000 subjects, with \
    one message on a subject of its own behind every 49 of them. Acks of another stream, 64 messages \
    of 128 B open, are timed in windows: first while nothing else happens; then the ten million are \
    purged by a wildcard, which leaves every segment mostly dead, and windows go on for as long as \
    files of the store vanish. Only windows in which some vanish count.";

const ACKED: &str = "BENCH";
const ACKED_SUBJECT: &str = "bench.acked";
const FILLED: &str = "BENCH_FILLED";
const PREFIX: &str = "bench.filled.";
const DELETED: u64 = 10_000_000;
const HOT_SUBJECTS: u64 = 100_000;
const PAYLOAD: usize = 128;
const WINDOW: usize = 64;
/// So many windows may pass without a file that vanishes: before the first, and after the last.
const IDLE_WINDOWS_MAX: usize = 3;
const WINDOWS_MAX: usize = 60;

/// Times acks before and while the deleted messages of another stream are compacted.
pub(super) fn beside_acks(setting: &Setting) -> Result<Outcome> {
    let target = setting.start()?;
    let needs_files = || Error::Server("compaction is seen by the files of the store".into());
    let store = target.store().ok_or_else(needs_files)?.to_owned();
    let mut api = Api::connect(&target)?;
    api.create_stream(ACKED, ACKED_SUBJECT, Value::Null)?;
    api.create_stream(FILLED, &format!("{PREFIX}>"), Value::Null)?;
    let subjects = Subjects::HotAndKept {
        prefix: PREFIX.to_owned(),
        hot: HOT_SUBJECTS,
    };
    let count = setting.part_of(DELETED) * KEPT_EVERY / (KEPT_EVERY - 1);
    fill(&target, subjects, PAYLOAD, count)?;

    let work = publishing(Subjects::One(ACKED_SUBJECT.to_owned()), PAYLOAD);
    let mut windows = Windows::open(&target, [work], WINDOW)?;
    windows.run(Until::Time(setting.warm_up()))?;
    let quiet = windows.run(Until::Time(setting.measure))?.latency;

    let asked = Instant::now();
    let filter = json!({ "filter": format!("{PREFIX}hot.>") });
    let purged = api.request(&format!("STREAM.PURGE.{FILLED}"), &filter)?;
    let purge = asked.elapsed();
    let mut seen = Seen::default();
    let mut latency = histogram();
    while seen.goes_on() {
        let before = files(&store)?;
        let watch = CpuWatch::start(&target)?;
        let answers = windows.run(Until::Time(setting.measure))?;
        let used = watch.stop()?;
        let after = files(&store)?;
        let vanished = before
            .difference(&after)
            .filter(|file| is_segment(file))
            .count();
        if seen.add(vanished, answers.elapsed, used) {
            latency.add(&answers.latency).expect("the same bounds");
        }
    }
    let figures = Figures {
        deleted: purged["purged"].as_f64().unwrap_or_default(),
        purge_ms: purge.as_secs_f64() * 1000.0,
        quiet,
        latency,
    };
    let lost = (count - api.state(FILLED)?.messages).abs_diff(figures.deleted as u64);
    Ok(seen.outcome(setting, lost, &figures))
}

/// Segments are numbered; what is replaced again and again, an index say, is not.
fn is_segment((path, _): &StoredFile) -> bool {
    let name = path.file_stem().unwrap_or_default();
    name.to_string_lossy()
        .contains(|c: char| c.is_ascii_digit())
}

/// The windows so far.
#[derive(Default)]
struct Seen {
    windows: usize,
    idle: usize,
    vanished: usize,
    elapsed: std::time::Duration,
    used: Used,
}

struct Figures {
    deleted: f64,
    purge_ms: f64,
    quiet: Histogram<u64>,
    latency: Histogram<u64>,
}

impl Seen {
    fn goes_on(&self) -> bool {
        self.windows < WINDOWS_MAX && self.idle < IDLE_WINDOWS_MAX
    }

    /// Whether the window counts.
    fn add(&mut self, vanished: usize, elapsed: std::time::Duration, used: Used) -> bool {
        self.windows += 1;
        if vanished == 0 {
            self.idle += 1;
            return false;
        }
        self.idle = 0;
        self.vanished += vanished;
        self.elapsed += elapsed;
        self.used.add(used);
        true
    }

    fn outcome(self, setting: &Setting, lost: u64, found: &Figures) -> Outcome {
        let count = found.latency.len();
        let used = self.used;
        let outcome = Outcome::new(setting.row, "ack", count, lost, self.elapsed, used);
        let quiet = Latency::from(&found.quiet);
        let mut outcome = outcome
            .figure("deleted", found.deleted)
            .figure("purge_ms", found.purge_ms)
            .figure("quiet_p999_us", quiet.p999)
            .figure("files_vanished", self.vanished as f64);
        if self.vanished == 0 {
            let note = "no file of the store vanished while acks were timed: nothing to compare";
            outcome.notes.push(note.to_owned());
            return outcome;
        }
        let latency = Latency::from(&found.latency);
        outcome.latency_us = Some(latency);
        outcome.figure("p999_ratio", latency.p999 / quiet.p999)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_windows_in_which_files_vanish_count() {
        let second = Duration::from_secs(1);
        let mut seen = Seen::default();
        assert!(!seen.add(0, second, Used::default()));
        assert!(seen.add(2, second, Used::default()));
        assert!(!seen.add(0, second, Used::default()));
        assert!(seen.add(1, second, Used::default()));
        assert_eq!((seen.vanished, seen.elapsed), (3, second * 2));
        for _ in 0..IDLE_WINDOWS_MAX {
            assert!(seen.goes_on());
            seen.add(0, second, Used::default());
        }
        assert!(!seen.goes_on());
    }
}
