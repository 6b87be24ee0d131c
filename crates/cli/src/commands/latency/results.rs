//! What was measured: each answered request's latency, and how many were never answered.
//!
//! A lost request is slower than every answered one. Percentiles count it as such: with two lost of a
//! hundred, the 99th percentile is no number but "lost".

use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest latency that is told apart from longer ones: an hour, in nanoseconds.
const HIGHEST_NS: u64 = 3_600_000_000_000;

/// Into how many parts of equal length the run is cut, to see it over time.
pub(super) const SLICES: usize = 100;

/// The percentiles that are shown, as far as there are enough requests for them.
pub(super) const QUANTILES: [f64; 10] =
    [0.0, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999, 1.0];

/// What was measured.
pub(super) struct Results {
    /// Latencies of the answered ones, in nanoseconds, each from when it was due.
    pub(super) answered: Histogram<u64>,
    /// The same, for each part of the run.
    pub(super) slices: Vec<Histogram<u32>>,
    /// How late the requests left this program, in nanoseconds.
    pub(super) late: Histogram<u64>,
    /// Sent, and not answered within the limit.
    pub(super) lost: u64,
    /// Not even sent: too many were without an answer.
    pub(super) unsent: u64,
    /// Those of the lost that the server answered itself: nobody listens there.
    pub(super) nobody: u64,
}

impl Results {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        // All bounds are constants that the constructor accepts.
        let fine = || Histogram::new_with_bounds(1, HIGHEST_NS, 3).expect("constant bounds");
        let coarse = || Histogram::new_with_bounds(1000, HIGHEST_NS, 2).expect("constant bounds");
        Self {
            answered: fine(),
            slices: (0..SLICES).map(|_| coarse()).collect(),
            late: fine(),
            lost: 0,
            unsent: 0,
            nobody: 0,
        }
    }

    /// Adds an answered one of the `slice`th part of the run.
    pub(super) fn record(&mut self, latency: Duration, slice: usize) {
        let nanos = nanos(latency);
        self.answered.saturating_record(nanos);
        if let Some(slice) = self.slices.get_mut(slice) {
            slice.saturating_record(nanos);
        }
    }

    /// Notes how late a request left.
    pub(super) fn record_late(&mut self, late: Duration) {
        self.late.saturating_record(nanos(late));
    }

    /// All requests that were due.
    pub(super) fn due(&self) -> u64 {
        self.answered.len() + self.missing()
    }

    /// Those without an answer.
    pub(super) fn missing(&self) -> u64 {
        self.lost + self.unsent
    }

    /// The latency that this part of all requests did not exceed, in nanoseconds; `None` if only a lost one
    /// stands there.
    pub(super) fn at(&self, quantile: f64) -> Option<u64> {
        let answered = self.answered.len();
        let rank = (quantile * self.due() as f64).ceil().max(1.0) as u64;
        if rank > answered {
            return None;
        }
        if rank == 1 {
            return Some(self.answered.min());
        }
        // In the middle of the step that belongs to this rank, so that rounding can't leave it.
        let inside = (rank as f64 - 0.5) / answered as f64;
        Some(self.answered.value_at_quantile(inside))
    }

    /// The percentiles worth showing: further out than one request in all there is nothing to see.
    pub(super) fn shown_quantiles(&self) -> Vec<f64> {
        let due = self.due() as f64;
        QUANTILES
            .into_iter()
            .filter(|&quantile| quantile == 1.0 || (1.0 - quantile) * due >= 1.0)
            .collect()
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(HIGHEST_NS).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(answered: u64, lost: u64) -> Results {
        let mut results = Results::new();
        for millis in 1..=answered {
            results.record(Duration::from_millis(millis), 0);
        }
        results.lost = lost;
        results
    }

    fn millis(nanos: u64) -> f64 {
        (nanos as f64 / 1e6).round()
    }

    #[test]
    fn percentiles_are_those_of_the_latencies() {
        let results = results(100, 0);
        for (quantile, expected) in [
            (0.0, 1.0),
            (0.5, 50.0),
            (0.9, 90.0),
            (0.99, 99.0),
            (1.0, 100.0),
        ] {
            assert_eq!(
                results.at(quantile).map(millis),
                Some(expected),
                "{quantile}"
            );
        }
    }

    #[test]
    fn lost_ones_are_slower_than_all_answered_ones() {
        let results = results(98, 2);
        assert_eq!(results.at(0.98).map(millis), Some(98.0));
        assert_eq!(results.at(0.99), None);
        assert_eq!(results.at(1.0), None);
        assert_eq!(results.at(0.5).map(millis), Some(50.0));
    }

    #[test]
    fn percentiles_finer_than_the_number_of_requests_are_left_out() {
        assert_eq!(
            results(100, 0).shown_quantiles(),
            [0.0, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0]
        );
        assert!(!results(999, 0).shown_quantiles().contains(&0.999));
        assert!(results(1000, 1).shown_quantiles().contains(&0.999));
    }
}
