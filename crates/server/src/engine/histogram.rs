//! How long things take, in buckets that many threads add to.
//!
//! Threads add to different copies of the buckets, so that they do not fight for one cache line; whoever
//! reads adds the copies up.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets in microseconds; above the last there is one more.
pub(crate) const BOUNDS_US: [u64; 18] = [
    10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000,
    500_000, 1_000_000, 2_500_000, 10_000_000,
];
/// Copies. A power of two.
const SHARDS: usize = 8;

/// A histogram of durations, each with a weight.
#[derive(Default)]
pub(crate) struct Histogram {
    shards: [Shard; SHARDS],
}

/// One copy, on cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Shard {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    /// Weighted, in nanoseconds.
    sum_ns: AtomicU64,
}

/// What a histogram held at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Distribution {
    /// Weights by bucket, not added up.
    pub(crate) buckets: [u64; BOUNDS_US.len() + 1],
    /// Weighted, in nanoseconds.
    pub(crate) sum_ns: u64,
}

impl Histogram {
    /// Adds `weight` things that took so long.
    pub(crate) fn add(&self, took: Duration, weight: u64) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let at = BOUNDS_US.partition_point(|bound| *bound < micros);
        let shard = &self.shards[own_shard()];
        if let Some(bucket) = shard.buckets.get(at) {
            bucket.fetch_add(weight, Ordering::Relaxed);
        }
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        shard
            .sum_ns
            .fetch_add(nanos.saturating_mul(weight), Ordering::Relaxed);
    }

    /// What it holds now.
    pub(crate) fn read(&self) -> Distribution {
        let mut all = Distribution::default();
        for shard in &self.shards {
            for (sum, bucket) in all.buckets.iter_mut().zip(&shard.buckets) {
                *sum = sum.wrapping_add(bucket.load(Ordering::Relaxed));
            }
            let sum_ns = shard.sum_ns.load(Ordering::Relaxed);
            all.sum_ns = all.sum_ns.wrapping_add(sum_ns);
        }
        all
    }
}

/// The copy that the calling thread adds to.
fn own_shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<Option<usize>> = const { Cell::new(None) };
    }
    OWN.with(|own| {
        own.get().unwrap_or_else(|| {
            let taken = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
            own.set(Some(taken));
            taken
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_it_does_not_exceed() {
        let histogram = Histogram::default();
        for (us, weight) in [(0, 1), (10, 2), (11, 4), (10_000_000, 8), (10_000_001, 16)] {
            histogram.add(Duration::from_micros(us), weight);
        }
        let read = histogram.read();
        assert_eq!(read.buckets[0], 3);
        assert_eq!(read.buckets[1], 4);
        assert_eq!(read.buckets[BOUNDS_US.len() - 1], 8);
        assert_eq!(read.buckets[BOUNDS_US.len()], 16);
    }

    #[test]
    fn what_several_threads_add_is_added_up() {
        let histogram = Histogram::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * SHARDS {
                scope.spawn(|| histogram.add(Duration::from_micros(20), 3));
            }
        });
        let read = histogram.read();
        assert_eq!(read.buckets[1], 6 * SHARDS as u64);
        assert_eq!(read.sum_ns, 20_000 * 6 * SHARDS as u64);
    }
}
