//! Step 4: many requests, one after the other, and how long each took.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::cast::Actor;
use super::super::narrator::Narrator;
use super::Stage;
use crate::bars;
use crate::buckets::{self, Bucket, show_round};
use crate::exit::Status;
use crate::failure::Failure;
use crate::summary::Times;
use crate::text::{talk, tour as text};

/// How many requests are measured.
const REQUESTS: usize = 1000;

/// The histogram's size, in lines and characters.
const BARS_MAX: usize = 12;
const BAR_WIDTH: usize = 48;

/// Measures, and draws what was measured.
pub(in super::super) async fn measured(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let (narrator, cast) = stage;
    narrator.step(text::title_latency()).await?;
    let count = REQUESTS.to_string();
    let ask = ["request", text::subject(), text::hello()];
    let ask = [&ask[..], &["--count", &count, "--json"]].concat();
    let mut asking = cast.client(narrator, &ask)?;
    let lines = asking.ends_quietly(narrator, Status::Done).await?;
    let latencies = latencies(narrator, &asking, &lines)?;
    let mut times = Times::new();
    for latency in &latencies {
        times.record(*latency);
    }
    narrator.check(&talk::replies_total(times.len(), &times.show()))?;
    let (lines, buckets) = drawn(&times);
    let figures = json!({ "latency": times.json(), "distribution": buckets });
    narrator.picture("latency", &lines, figures)?;
    narrator.explain(text::why_latency())
}

/// How many fell between which limits: as bars, and for `--json`.
fn drawn(times: &Times) -> (Vec<String>, Vec<Value>) {
    let buckets = buckets::buckets(times.histogram(), BARS_MAX);
    let most = buckets.iter().map(|bucket| bucket.count).max().unwrap_or(0);
    let line = |bucket: &Bucket| {
        let limits = format!("{} – {}", show_round(bucket.low), show_round(bucket.high));
        let bar = bars::bar(bucket.count as f64, most as f64, BAR_WIDTH);
        format!("{limits:>19} {:>5} {bar}", bucket.count)
            .trim_end()
            .to_owned()
    };
    let figures = |bucket: &Bucket| json!({ "from_ms": bucket.low / 1e6, "to_ms": bucket.high / 1e6, "count": bucket.count });
    (
        buckets.iter().map(line).collect(),
        buckets.iter().map(figures).collect(),
    )
}

/// The latency of each reply, each of which must be the responder's.
fn latencies(
    narrator: &Narrator,
    asking: &Actor,
    lines: &[String],
) -> Result<Vec<Duration>, Failure> {
    let latencies: Vec<Duration> = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|reply| reply["payload"] == text::hello_to_you())
        .filter_map(|reply| reply["latency_ms"].as_f64())
        .filter_map(|millis| Duration::try_from_secs_f64(millis / 1e3).ok())
        .collect();
    if latencies.len() == REQUESTS {
        return Ok(latencies);
    }
    let expected = text::expected_replies(REQUESTS, latencies.len());
    Err(asking.broken(narrator, &expected))
}
