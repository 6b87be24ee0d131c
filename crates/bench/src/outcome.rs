//! What one run of one row found, for people and for programs.

use std::fmt::Write;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The result of one row against one server. Written as JSON by `recado-bench run --json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// The row's name.
    pub row: String,
    /// What is counted: `message`, `delivery`, `request`, `connection` or `ack`.
    pub unit: String,
    /// How many of them were seen to arrive.
    pub count: u64,
    /// How many should have arrived and did not.
    pub lost: u64,
    /// From the first byte sent to the last one received, in seconds.
    pub seconds: f64,
    /// Units per second.
    pub per_second: f64,
    /// The server's CPU time for each, in nanoseconds; absent when its process is not known.
    pub server_cpu_ns: Option<f64>,
    /// The generator's own CPU time for each, in nanoseconds.
    pub generator_cpu_ns: f64,
    /// Latency in microseconds, for requests and acks.
    pub latency_us: Option<Latency>,
    /// The server's memory, in bytes.
    pub memory: Option<MemoryUse>,
    /// Figures that only this row has, by name.
    pub figures: Vec<Figure>,
    /// What happened that a reader of the figures should know.
    pub notes: Vec<String>,
}

/// Latency percentiles in microseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// Half were faster.
    pub p50: f64,
    /// Nine of ten were faster.
    pub p90: f64,
    /// 99 of 100 were faster.
    pub p99: f64,
    /// 999 of 1,000 were faster.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

/// The server's memory in bytes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct MemoryUse {
    /// Resident before the load.
    pub before_rss: u64,
    /// Resident under it, or after it where nothing stays.
    pub after_rss: u64,
    /// Growth per connection, by proportional set size.
    pub per_connection: Option<f64>,
    /// The most that was ever resident.
    pub peak_rss: u64,
}

/// One more figure of a row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// What it is, in a word or three with `_` between.
    pub name: String,
    /// How much.
    pub value: f64,
}

impl Outcome {
    /// A result with its rates worked out.
    pub(crate) fn new(
        row: &str,
        unit: &str,
        count: u64,
        lost: u64,
        elapsed: Duration,
        used: Used,
    ) -> Outcome {
        let each = |cpu: Duration| cpu.as_nanos() as f64 / count.max(1) as f64;
        Outcome {
            row: row.to_owned(),
            unit: unit.to_owned(),
            count,
            lost,
            seconds: elapsed.as_secs_f64(),
            per_second: count as f64 / elapsed.as_secs_f64().max(1e-9),
            server_cpu_ns: used.server.map(each),
            generator_cpu_ns: each(used.generator),
            ..Outcome::default()
        }
    }

    /// Adds a figure that only this row has.
    pub(crate) fn figure(mut self, name: &str, value: f64) -> Outcome {
        self.figures.push(Figure {
            name: name.to_owned(),
            value,
        });
        self
    }

    /// One line or a few for people.
    pub fn to_text(&self) -> String {
        let mut text = format!("{:<14}", self.row);
        let _ = write!(text, " {:>13} {}/s", grouped(self.per_second), self.unit);
        match self.server_cpu_ns {
            Some(ns) => _ = write!(text, "  server {} CPU each", nanoseconds(ns)),
            None => text.push_str("  server CPU unknown (no pid)"),
        }
        let _ = write!(text, "  generator {}", nanoseconds(self.generator_cpu_ns));
        let _ = write!(
            text,
            "  ({} in {:.2} s",
            grouped(self.count as f64),
            self.seconds
        );
        let _ = write!(text, ", {} lost)", self.lost);
        if let Some(l) = self.latency_us {
            let _ = write!(text, "\n{:14} latency p50 {:.1} µs", "", l.p50);
            let _ = write!(
                text,
                "  p90 {:.1}  p99 {:.1}  p99.9 {:.1}",
                l.p90, l.p99, l.p999
            );
            let _ = write!(text, "  max {:.1}", l.max);
        }
        if let Some(m) = self.memory {
            let mb = |bytes: u64| bytes as f64 / 1048576.0;
            let _ = write!(
                text,
                "\n{:14} memory {:.1} MB → {:.1} MB",
                "",
                mb(m.before_rss),
                mb(m.after_rss)
            );
            let _ = write!(text, ", peak {:.1} MB", mb(m.peak_rss));
            if let Some(each) = m.per_connection {
                let _ = write!(text, ", {:.2} KB per connection", each / 1024.0);
            }
        }
        for figure in &self.figures {
            let _ = write!(text, "\n{:14} {} {:.3}", "", figure.name, figure.value);
        }
        for note in &self.notes {
            let _ = write!(text, "\n{:14} {note}", "");
        }
        text
    }
}

/// CPU time used while a row ran.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// By the server, when its process is known.
    pub(crate) server: Option<Duration>,
    /// By the generator.
    pub(crate) generator: Duration,
}

impl Used {
    /// Adds what another stretch of time used.
    pub(crate) fn add(&mut self, more: Used) {
        self.generator += more.generator;
        self.server = more.server.map(|cpu| cpu + self.server.unwrap_or_default());
    }
}

impl From<&Histogram<u64>> for Latency {
    /// The histogram is in nanoseconds.
    fn from(histogram: &Histogram<u64>) -> Latency {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        Latency {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max() as f64 / 1000.0,
        }
    }
}

/// `1234567.8` as `1,234,568`.
pub fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.max(0.0));
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration with three digits or so and a unit that fits.
pub fn nanoseconds(ns: f64) -> String {
    match ns {
        _ if ns < 100.0 => format!("{ns:.1} ns"),
        _ if ns < 10_000.0 => format!("{} ns", grouped(ns)),
        _ if ns < 10_000_000.0 => format!("{:.1} µs", ns / 1e3),
        _ => format!("{:.1} ms", ns / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_for_people() {
        assert_eq!(grouped(1_234_567.8), "1,234,568");
        assert_eq!(grouped(999.0), "999");
        assert_eq!(nanoseconds(33.25), "33.2 ns");
        assert_eq!(nanoseconds(1_080.0), "1,080 ns");
        assert_eq!(nanoseconds(29_000.0), "29.0 µs");
    }
}
