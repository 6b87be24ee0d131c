//! Many measured times in one line: lowest, percentiles, highest.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::text::talk as text;

/// The longest time that is told apart from longer ones: an hour, in nanoseconds.
const HIGHEST_NS: u64 = 3_600_000_000_000;

/// Measured times.
pub(crate) struct Times(Histogram<u64>);

impl Times {
    /// None yet.
    pub(crate) fn new() -> Self {
        // The bounds are constants that the constructor accepts; three digits are 0.1 %.
        Self(Histogram::new_with_bounds(1, HIGHEST_NS, 3).expect("constant bounds"))
    }

    /// Adds one.
    pub(crate) fn record(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(HIGHEST_NS);
        self.0.saturating_record(nanos.max(1));
    }

    /// Adds all of another's.
    pub(crate) fn merge(&mut self, other: &Self) {
        // Both have the same constant bounds, so that nothing can be out of them.
        self.0.add(&other.0).expect("the same bounds");
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.0.len()
    }

    /// All of them, in nanoseconds.
    pub(crate) fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }

    /// For people.
    pub(crate) fn show(&self) -> String {
        let [min, p50, p90, p99, max] = self.figures().map(|ms| format!("{ms:.3}"));
        text::percentiles(&min, &p50, &p90, &p99, &max)
    }

    /// Mean and standard deviation, in milliseconds.
    pub(crate) fn spread(&self) -> (f64, f64) {
        let millis = |nanos: f64| (nanos / 1e3).round() / 1e3;
        (millis(self.0.mean()), millis(self.0.stdev()))
    }

    /// For machines, in milliseconds.
    pub(crate) fn json(&self) -> Value {
        let [min, p50, p90, p99, max] = self.figures();
        json!({ "min_ms": min, "p50_ms": p50, "p90_ms": p90, "p99_ms": p99, "max_ms": max })
    }

    /// Lowest, three percentiles, highest, in milliseconds.
    pub(crate) fn figures(&self) -> [f64; 5] {
        let nanos = [
            self.0.min(),
            self.0.value_at_quantile(0.5),
            self.0.value_at_quantile(0.9),
            self.0.value_at_quantile(0.99),
            self.0.max(),
        ];
        nanos.map(|nanos| (nanos as f64 / 1e3).round() / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_times_recorded() {
        let mut times = Times::new();
        for millis in 1..=100 {
            times.record(Duration::from_millis(millis));
        }
        let [min, p50, p90, p99, max] = times.figures();
        for (figure, expected) in [
            (min, 1.0),
            (p50, 50.0),
            (p90, 90.0),
            (p99, 99.0),
            (max, 100.0),
        ] {
            assert!(
                (figure - expected).abs() <= expected * 0.002,
                "{figure} is not {expected}"
            );
        }
        assert_eq!(times.len(), 100);
    }
}
