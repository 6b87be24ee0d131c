//! A server that comes back with millions of messages: when is it ready, and how large is it?

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::durable::fill;
use super::subjects::Subjects;
use super::{CpuWatch, Setting};
use crate::error::{Error, Result};
use crate::jetstream::{Api, State};
use crate::outcome::Outcome;
use crate::target::Target;

const STREAM: &str = "BENCH";
const PREFIX: &str = "bench.restart.";
const SUBJECTS: u64 = 1000;
const MESSAGES: u64 = 10_000_000;
const PAYLOAD: usize = 24;
const BUCKET: &str = "bench";
const KEYS: u64 = 1_000_000;
const VALUE: usize = 128;
/// So long may the stream say something else than before.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ten million small messages on a thousand subjects.
pub(super) fn messages(setting: &Setting) -> Result<Outcome> {
    let target = setting.start()?;
    Api::connect(&target)?.create_stream(STREAM, &format!("{PREFIX}>"), Value::Null)?;
    let subjects = Subjects::Keys {
        prefix: PREFIX.to_owned(),
        keys: SUBJECTS,
    };
    let count = setting.part_of(MESSAGES);
    filled_and_restarted(setting, target, STREAM, subjects, PAYLOAD, count)
}

/// A million keys of a bucket, each put once.
pub(super) fn keys(setting: &Setting) -> Result<Outcome> {
    let target = setting.start()?;
    Api::connect(&target)?.create_bucket(BUCKET)?;
    let keys = setting.part_of(KEYS);
    let subjects = Subjects::Keys {
        prefix: format!("$KV.{BUCKET}."),
        keys,
    };
    let stream = format!("KV_{BUCKET}");
    filled_and_restarted(setting, target, &stream, subjects, VALUE, keys)
}

fn filled_and_restarted(
    setting: &Setting,
    mut target: Target,
    stream: &str,
    subjects: Subjects,
    payload: usize,
    count: u64,
) -> Result<Outcome> {
    let watch = CpuWatch::start(&target)?;
    let start = Instant::now();
    fill(&target, subjects, payload, count)?;
    let (elapsed, used) = (start.elapsed(), watch.stop()?);
    let filled = Api::connect(&target)?.state(stream)?;
    let lost = count.saturating_sub(filled.messages);
    // The kill comes first: then all that was written is still to be made sense of.
    let killed = ready_after(&mut target, Signal::SIGKILL, stream, filled)?;
    let clean = ready_after(&mut target, Signal::SIGTERM, stream, filled)?;
    let mut outcome = Outcome::new(setting.row, "message", count, lost, elapsed, used)
        .figure("ready_after_kill_s", killed.as_secs_f64())
        .figure("ready_after_stop_s", clean.as_secs_f64());
    if let Some(meter) = target.meter {
        let rss = meter.settled_memory()?.rss as f64;
        outcome = outcome.figure("rss_mb", rss / f64::from(1 << 20));
    }
    Ok(outcome)
}

/// From the start of the program until it answers a client and its stream says what it said before.
fn ready_after(
    target: &mut Target,
    signal: Signal,
    stream: &str,
    before: State,
) -> Result<Duration> {
    let started = target.restart(signal)?;
    let serving = Instant::now();
    loop {
        let now = Api::connect(target).and_then(|mut api| api.state(stream));
        if now.as_ref().is_ok_and(|now| *now == before) {
            return Ok(started.elapsed());
        }
        if serving.elapsed() > PATIENCE {
            return Err(Error::Differs(format!(
                "after {signal} the stream has {now:?}, and had {before:?}"
            )));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
