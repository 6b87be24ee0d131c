//! What a run found: for the terminal, as JSON with all samples, and as a page.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::Plan;
use super::monitor::Sample;
use super::tally::Tally;
use super::verdict::{Allowance, Judgement, judge};

const MIB: f64 = (1 << 20) as f64;

/// A series, how it is told, and how much it may grow.
struct Series {
    name: &'static str,
    unit: Unit,
    value: fn(&Sample) -> f64,
    allowance: Allowance,
}

#[derive(Clone, Copy)]
enum Unit {
    Count,
    Bytes,
}

/// The store is bounded by its streams' limits and by what compaction leaves of dead segments of 64 MiB.
const SERIES: [Series; 9] = [
    Series {
        name: "resident memory",
        unit: Unit::Bytes,
        value: |sample| sample.rss_bytes as f64,
        allowance: allowance(0.04, 4.0 * MIB),
    },
    Series {
        name: "open descriptors",
        unit: Unit::Count,
        value: |sample| sample.descriptors as f64,
        allowance: allowance(0.0, 6.0),
    },
    Series {
        name: "threads",
        unit: Unit::Count,
        value: |sample| sample.threads as f64,
        allowance: allowance(0.0, 2.0),
    },
    Series {
        name: "connections",
        unit: Unit::Count,
        value: |sample| sample.connections as f64,
        allowance: allowance(0.0, 4.0),
    },
    Series {
        name: "subscriptions",
        unit: Unit::Count,
        value: |sample| sample.subscriptions as f64,
        allowance: allowance(0.0, 12.0),
    },
    Series {
        name: "store on disk",
        unit: Unit::Bytes,
        value: |sample| sample.store_bytes as f64,
        allowance: allowance(0.25, 128.0 * MIB),
    },
    Series {
        name: "MQTT sessions",
        unit: Unit::Count,
        value: |sample| sample.mqtt.sessions as f64,
        allowance: allowance(0.0, 2.0),
    },
    Series {
        name: "MQTT consumers",
        unit: Unit::Count,
        value: |sample| sample.mqtt.consumers as f64,
        allowance: allowance(0.0, 4.0),
    },
    Series {
        name: "MQTT messages stored",
        unit: Unit::Count,
        value: |sample| sample.mqtt.messages as f64,
        allowance: allowance(0.5, 200.0),
    },
];

/// Segments may be open that were not before.
const DESCRIPTORS_MORE_AT_REST: u64 = 6;
/// Threads that the runtime keeps for blocking work some seconds longer.
const THREADS_MORE_AT_REST: u64 = 2;

const fn allowance(share: f64, least: f64) -> Allowance {
    Allowance { share, least }
}

/// What became of the server.
#[derive(Debug, Serialize)]
pub struct Report {
    seed: u64,
    duration_s: f64,
    warm_up_s: f64,
    storm_connections: u64,
    before: Sample,
    after: Sample,
    /// By the name of the series; `None` when there were too few samples.
    series: Vec<(&'static str, Option<Judgement>)>,
    done: BTreeMap<&'static str, u64>,
    wrong: BTreeMap<&'static str, u64>,
    told: Vec<String>,
    samples: Vec<Sample>,
    growth: Vec<String>,
    failures: Vec<String>,
}

impl Report {
    pub(super) fn of(
        plan: &Plan,
        tally: &Tally,
        before: Sample,
        samples: Vec<Sample>,
        after: Sample,
    ) -> Self {
        let warm_up_s = plan.warm_up.as_secs_f64();
        let judged = |series: &Series| {
            let values: Vec<_> = samples
                .iter()
                .map(|sample| (sample.at_s, (series.value)(sample)))
                .collect();
            (series.name, judge(&values, warm_up_s, series.allowance))
        };
        let mut report = Self {
            seed: plan.seed,
            duration_s: plan.duration.as_secs_f64(),
            warm_up_s,
            storm_connections: plan.storm,
            before,
            after,
            series: SERIES.iter().map(judged).collect(),
            done: tally.done(),
            wrong: tally.all_wrong(),
            told: tally.told(),
            samples,
            growth: Vec::new(),
            failures: Vec::new(),
        };
        report.growth = report.find_growth();
        report.failures = report.find_failures();
        report
    }

    /// Nothing grew, nothing was kept, nothing went wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.growth.is_empty() && self.failures.is_empty()
    }

    /// What was kept after the load, and what went wrong. Of a short run only this says something, for all of it
    /// is warm-up.
    #[must_use]
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// The same in detail, as far as it is told.
    #[must_use]
    pub fn told(&self) -> &[String] {
        &self.told
    }

    /// What was done, by name.
    #[must_use]
    pub fn done(&self) -> &BTreeMap<&'static str, u64> {
        &self.done
    }

    fn find_growth(&self) -> Vec<String> {
        let mut growth = Vec::new();
        for ((name, judgement), series) in self.series.iter().zip(&SERIES) {
            match judgement {
                None => growth.push(format!("too few samples of {name}")),
                Some(judgement) if judgement.grew => growth.push(format!(
                    "{name} grew: {} → {}, trend {}, allowed {}",
                    series.unit.show(judgement.first),
                    series.unit.show(judgement.last),
                    series.unit.show(judgement.trend),
                    series.unit.show(judgement.allowed),
                )),
                Some(_) => {}
            }
        }
        growth
    }

    fn find_failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        let (before, after) = (&self.before, &self.after);
        for (name, before, after, more) in [
            ("connections", before.connections, after.connections, 0),
            (
                "subscriptions",
                before.subscriptions,
                after.subscriptions,
                0,
            ),
            (
                "open descriptors",
                before.descriptors,
                after.descriptors,
                DESCRIPTORS_MORE_AT_REST,
            ),
            (
                "threads",
                before.threads,
                after.threads,
                THREADS_MORE_AT_REST,
            ),
        ] {
            if after > before + more {
                failures.push(format!("{name} at rest: {before} before, {after} after"));
            }
        }
        for (name, left) in [
            ("MQTT sessions", after.mqtt.sessions),
            ("MQTT consumers", after.mqtt.consumers),
            ("MQTT messages stored", after.mqtt.messages),
        ] {
            if left > 0 {
                failures.push(format!(
                    "{name} at rest, when all have gone for good: {left}"
                ));
            }
        }
        let wrong = self.wrong.iter();
        failures.extend(wrong.map(|(name, count)| format!("{name}: {count}")));
        failures
    }

    /// With all samples.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain data")
    }

    /// Tables, for people and for the page.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        let mut put = |line: String| text.push_str(&(line + "\n"));
        put(format!(
            "{:.1} minutes, the first {:.1} of them to warm up; {} samples; seed {}.\n",
            self.duration_s / 60.0,
            self.warm_up_s / 60.0,
            self.samples.len(),
            self.seed
        ));
        put(
            "| | first third | last third | trend | allowed | most | at rest before | after |"
                .into(),
        );
        put("|---|--:|--:|--:|--:|--:|--:|--:|".into());
        for ((name, judgement), series) in self.series.iter().zip(&SERIES) {
            let show = |value| series.unit.show(value);
            let at_rest = |sample| show((series.value)(sample));
            let middle = match judgement {
                Some(found) => format!(
                    "{} | {} | {} | {} | {}",
                    show(found.first),
                    show(found.last),
                    show(found.trend),
                    show(found.allowed),
                    show(found.peak)
                ),
                None => "– | – | – | – | –".to_owned(),
            };
            let (before, after) = (at_rest(&self.before), at_rest(&self.after));
            put(format!("| {name} | {middle} | {before} | {after} |"));
        }
        let cpu = self
            .samples
            .last()
            .map_or(0.0, |last| (last.cpu_s - self.before.cpu_s) / last.at_s);
        put(format!(
            "\nThe server used {:.0} % of a core.\n",
            cpu * 100.0
        ));
        put("| done | |".into());
        put("|---|--:|".into());
        for (name, count) in &self.done {
            put(format!("| {name} | {} |", grouped(*count)));
        }
        put(String::new());
        if self.is_good() {
            put("Nothing grew, and nothing went wrong.".into());
        } else {
            put("**Failed:**\n".into());
            self.growth
                .iter()
                .chain(&self.failures)
                .for_each(|failure| put(format!("- {failure}")));
            self.told
                .iter()
                .for_each(|what| put(format!("    - {what}")));
        }
        text
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Unit::Count => format!("{value:.0}"),
            Unit::Bytes => format!("{:.1} MiB", value / MIB),
        }
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        let _ = write!(text, "{digit}");
    }
    text
}
