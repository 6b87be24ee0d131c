//! Latencies sorted into ranges with round limits, and latencies in words.

use hdrhistogram::Histogram;

/// The first digits of the limits within a decade, from fine to coarse.
const SERIES: [&[f64]; 4] = [
    &[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0],
    &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
    &[1.0, 2.0, 5.0],
    &[1.0],
];

/// The latencies from `low` up to, but not with, `high`, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) count: u64,
}

/// All latencies in at most `most` buckets, without a gap, none empty at either end.
pub(crate) fn buckets(latencies: &Histogram<u64>, most: usize) -> Vec<Bucket> {
    if latencies.is_empty() {
        return Vec::new();
    }
    let (low, high) = (latencies.min().max(1) as f64, latencies.max() as f64);
    let mut limits = Vec::new();
    for series in SERIES {
        limits = limits_around(low, high, series);
        if limits.len() <= most + 1 {
            break;
        }
    }
    let mut buckets: Vec<Bucket> = limits
        .windows(2)
        .map(|pair| Bucket {
            low: pair[0],
            high: pair[1],
            count: 0,
        })
        .collect();
    for step in latencies.iter_recorded() {
        let value = (step.value_iterated_to() as f64).min(high);
        let place = buckets.partition_point(|bucket| bucket.high <= value);
        let place = place.min(buckets.len() - 1);
        buckets[place].count += step.count_since_last_iteration();
    }
    // The histogram keeps three digits: its lowest value may lie just below a limit, with nothing there.
    let filled = |bucket: &Bucket| bucket.count > 0;
    let first = buckets.iter().position(filled).unwrap_or(0);
    let last = buckets.iter().rposition(filled).unwrap_or(0);
    buckets[first..=last].to_vec()
}

/// The limits of a series from the last at or below `low` to the first above `high`.
fn limits_around(low: f64, high: f64, series: &[f64]) -> Vec<f64> {
    let mut limits = Vec::new();
    let mut decade = 10f64.powi(low.log10().floor() as i32);
    loop {
        for digit in series {
            // Rounded, or 1.2 × 1000 is not 1200.
            let limit = (digit * decade * 10.0).round() / 10.0;
            if limit <= low {
                limits.clear();
            }
            limits.push(limit);
            if limit > high {
                return limits;
            }
        }
        decade *= 10.0;
    }
}

/// Nanoseconds as people read them, with three digits: `950 ns`, `61.4 µs`, `4.21 ms`, `1.20 s`.
pub(crate) fn show_nanos(nanos: f64) -> String {
    let (value, unit) = scaled(nanos);
    let digits = match value {
        _ if unit == "ns" => 0,
        value if value >= 99.95 => 0,
        value if value >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}

/// The same for a round number: `2.5 ms`, `100 µs`.
pub(crate) fn show_round(nanos: f64) -> String {
    let (value, unit) = scaled(nanos);
    let fixed = format!("{value:.2}");
    let fixed = fixed.trim_end_matches('0').trim_end_matches('.');
    format!("{fixed} {unit}")
}

fn scaled(nanos: f64) -> (f64, &'static str) {
    match nanos {
        nanos if nanos < 999.5 => (nanos, "ns"),
        nanos if nanos < 999_500.0 => (nanos / 1e3, "µs"),
        nanos if nanos < 999_500_000.0 => (nanos / 1e6, "ms"),
        nanos => (nanos / 1e9, "s"),
    }
}

/// A quantile as people name it: `50 %`, `99.9 %`.
pub(crate) fn show_quantile(quantile: f64) -> String {
    let percent = format!("{:.4}", quantile * 100.0);
    let percent = percent.trim_end_matches('0').trim_end_matches('.');
    format!("{percent} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(nanos: &[u64]) -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        for value in nanos {
            histogram.record(*value).unwrap();
        }
        histogram
    }

    #[test]
    fn every_latency_lies_in_exactly_one_bucket() {
        let nanos: Vec<u64> = (0..2000).map(|n| 50_000 + n * n * 37).collect();
        for most in [6, 8, 20, 40] {
            let buckets = buckets(&histogram(&nanos), most);
            assert!(buckets.len() <= most, "{} of {most}", buckets.len());
            assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<u64>(), 2000);
            assert!(buckets.windows(2).all(|pair| pair[0].high == pair[1].low));
            assert!(buckets[0].count > 0 && buckets[buckets.len() - 1].count > 0);
        }
    }

    #[test]
    fn one_latency_alone_has_a_bucket_and_none_has_none() {
        let one = buckets(&histogram(&[1_000_000]), 20);
        assert_eq!(one.len(), 1, "{one:?}");
        assert!(one[0].low <= 1e6 && one[0].high > 1e6);
        assert!(buckets(&histogram(&[]), 20).is_empty());
    }

    #[test]
    fn latencies_are_shown_with_three_digits() {
        for (nanos, shown) in [
            (950.0, "950 ns"),
            (61_400.0, "61.4 µs"),
            (999_600.0, "1.00 ms"),
            (4_213_000.0, "4.21 ms"),
            (123_400_000.0, "123 ms"),
            (1.2e9, "1.20 s"),
        ] {
            assert_eq!(show_nanos(nanos), shown);
        }
        assert_eq!(show_round(2_500_000.0), "2.5 ms");
        assert_eq!(show_round(100_000.0), "100 µs");
        assert_eq!(show_quantile(0.999), "99.9 %");
        assert_eq!(show_quantile(0.99999), "99.999 %");
        assert_eq!(show_quantile(0.5), "50 %");
    }
}
