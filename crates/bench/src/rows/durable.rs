//! Publishing to streams with acks, and reading single keys: how many a second, how late, how dear.

use super::subjects::Subjects;
use super::windows::{Answers, Until, Verb, Windows, Work};
use super::{CpuWatch, Setting};
use crate::disk::Flushes;
use crate::error::{Error, Result};
use crate::jetstream::Api;
use crate::outcome::{Outcome, Used};
use crate::target::Target;

const STREAM: &str = "BENCH";
const SUBJECT: &str = "bench.durable";
const STREAMS: usize = 100;
const BUCKET: &str = "bench";
const KEYS: u64 = 100_000;
const VALUE: usize = 128;
/// What a stream is filled with before it is measured, where the filling does not count.
const FILL_WINDOW: usize = 2048;

/// So many connections publish to one stream, each with a window of messages not acknowledged yet.
pub(super) fn publish(
    setting: &Setting,
    payload: usize,
    connections: usize,
    window: usize,
) -> Result<Outcome> {
    let target = setting.start()?;
    let mut api = Api::connect(&target)?;
    api.create_stream(STREAM, SUBJECT, serde_json::Value::Null)?;
    let work = publishing(Subjects::One(SUBJECT.to_owned()), payload);
    let mut windows = Windows::open(&target, vec![work; connections], window)?;
    let measured = Measured::run(setting, &target, &mut windows)?;
    let stored = api.state(STREAM)?.messages;
    Ok(measured.outcome(setting, "ack", stored))
}

/// A hundred streams, each written to by a connection of its own.
pub(super) fn many_streams(setting: &Setting) -> Result<Outcome> {
    let target = setting.start()?;
    let mut api = Api::connect(&target)?;
    let name = |n: usize| (format!("{STREAM}_{n}"), format!("{SUBJECT}.{n}"));
    let mut works = Vec::new();
    for n in 0..STREAMS {
        let (stream, subject) = name(n);
        api.create_stream(&stream, &subject, serde_json::Value::Null)?;
        works.push(publishing(Subjects::One(subject), 128));
    }
    let mut windows = Windows::open(&target, works, 32)?;
    let measured = Measured::run(setting, &target, &mut windows)?;
    let mut stored = 0;
    for n in 0..STREAMS {
        stored += api.state(&name(n).0)?.messages;
    }
    Ok(measured.outcome(setting, "ack", stored))
}

/// Puts keys of a bucket again and again.
pub(super) fn put(setting: &Setting, window: usize) -> Result<Outcome> {
    let target = setting.start()?;
    let mut api = Api::connect(&target)?;
    api.create_bucket(BUCKET)?;
    let work = publishing(keys(setting), VALUE);
    let mut windows = Windows::open(&target, [work], window)?;
    let measured = Measured::run(setting, &target, &mut windows)?;
    let taken = api.state(&stream())?.last_sequence;
    Ok(measured.outcome(setting, "put", taken))
}

/// Puts every key once, and then reads them one by one.
pub(super) fn get(setting: &Setting, window: usize) -> Result<Outcome> {
    let target = setting.start()?;
    let mut api = Api::connect(&target)?;
    api.create_bucket(BUCKET)?;
    let count = setting.part_of(KEYS);
    fill(&target, keys(setting), VALUE, count)?;
    let held = api.state(&stream())?.messages;
    if held != count {
        let text = format!("the bucket holds {held} keys after {count} were put");
        return Err(Error::Differs(text));
    }
    let work = Work {
        subjects: keys(setting),
        payload: VALUE,
        verb: Verb::Get(stream()),
    };
    let mut windows = Windows::open(&target, [work], window)?;
    windows.run(Until::Time(setting.warm_up()))?;
    let watch = CpuWatch::start(&target)?;
    let answers = windows.run(Until::Time(setting.measure))?;
    let (count, elapsed) = (answers.count(), answers.elapsed);
    let outcome = Outcome::new(setting.row, "get", count, 0, elapsed, watch.stop()?);
    Ok(answers.describe(outcome))
}

/// Publishes so many messages over one connection, in the order of their numbers.
pub(super) fn fill(target: &Target, subjects: Subjects, payload: usize, count: u64) -> Result<()> {
    let work = publishing(subjects, payload);
    let answers = Windows::open(target, [work], FILL_WINDOW)?.run(Until::Count(count))?;
    debug_assert_eq!(answers.count(), count);
    Ok(())
}

/// Publishing messages of this size to these subjects.
pub(super) fn publishing(subjects: Subjects, payload: usize) -> Work {
    Work {
        subjects,
        payload,
        verb: Verb::Publish,
    }
}

fn keys(setting: &Setting) -> Subjects {
    Subjects::Keys {
        prefix: format!("$KV.{BUCKET}."),
        keys: setting.part_of(KEYS),
    }
}

fn stream() -> String {
    format!("KV_{BUCKET}")
}

/// A warm-up and a measured stretch of publishing.
struct Measured {
    warm: u64,
    answers: Answers,
    used: Used,
    /// `None` where the disk below the store does not count.
    flushes: Option<u64>,
}

impl Measured {
    fn run(setting: &Setting, target: &Target, windows: &mut Windows) -> Result<Measured> {
        let disk = target.store().and_then(Flushes::below);
        let flushes = || disk.as_ref().and_then(Flushes::count);
        let warm = windows.run(Until::Time(setting.warm_up()))?.count();
        let (watch, before) = (CpuWatch::start(target)?, flushes());
        let answers = windows.run(Until::Time(setting.measure))?;
        let (used, after) = (watch.stop()?, flushes());
        Ok(Measured {
            warm,
            answers,
            used,
            flushes: after.zip(before).map(|(after, before)| after - before),
        })
    }

    /// What was acknowledged and is not there is lost.
    fn outcome(self, setting: &Setting, unit: &str, stored: u64) -> Outcome {
        let (count, elapsed) = (self.answers.count(), self.answers.elapsed);
        let lost = (self.warm + count).saturating_sub(stored);
        let outcome = Outcome::new(setting.row, unit, count, lost, elapsed, self.used);
        let mut outcome = self.answers.describe(outcome);
        match self.flushes {
            Some(flushes) => {
                let each = flushes as f64 / count.max(1) as f64;
                outcome = outcome.figure("flushes_per_ack", each);
            }
            None => outcome.notes.push(
                "no disk that counts its flushes lies below the store: syncs may cost nothing there"
                    .to_owned(),
            ),
        }
        outcome
    }
}
