//! Whether a series of samples grows. Pure: times and values in, a judgement out.
//!
//! A single sample says little: storms come and go, and allocators give back late. So what is compared are
//! medians of the first and the last third after the warm-up, and the median of all slopes between two
//! samples (Theil and Sen's), which no outlier moves. Either of them beyond what is allowed is growth.

use serde::Serialize;

/// Fewer samples after the warm-up say nothing.
pub const SAMPLES_MIN: usize = 12;
/// Of more samples, every second, third … is taken for the slope: its work grows with their square.
const SLOPE_SAMPLES_MAX: usize = 1_000;

/// How much a series may grow from the end of the warm-up to the end of the run.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Allowance {
    /// As a part of what it was after the warm-up.
    pub share: f64,
    /// In its own unit. What allows more counts.
    pub least: f64,
}

/// What a series did after the warm-up.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Judgement {
    /// Samples that were looked at.
    pub samples: usize,
    /// Median of the first third.
    pub first: f64,
    /// Median of the last third.
    pub last: f64,
    /// The most.
    pub peak: f64,
    /// What the median slope comes to over the whole time after the warm-up.
    pub trend: f64,
    /// The same for an hour.
    pub per_hour: f64,
    /// How much growth was allowed.
    pub allowed: f64,
    /// Whether it grew by more.
    pub grew: bool,
}

/// Judges samples (seconds since the start, value), in their order. `None`: too few after the warm-up.
pub fn judge(samples: &[(f64, f64)], warm_up_s: f64, allowance: Allowance) -> Option<Judgement> {
    let from = samples.partition_point(|&(at, _)| at < warm_up_s);
    let samples = samples.get(from..)?;
    if samples.len() < SAMPLES_MIN {
        return None;
    }
    let third = samples.len() / 3;
    let values = |part: &[(f64, f64)]| part.iter().map(|&(_, value)| value).collect();
    let first = median(values(&samples[..third]));
    let last = median(values(&samples[samples.len() - third..]));
    let duration = samples[samples.len() - 1].0 - samples[0].0;
    let slope = slope(samples);
    let trend = slope * duration;
    let allowed = allowance.least.max(allowance.share * first);
    Some(Judgement {
        samples: samples.len(),
        first,
        last,
        peak: samples.iter().map(|&(_, value)| value).fold(0.0, f64::max),
        trend,
        per_hour: slope * 3600.0,
        allowed,
        grew: last - first > allowed || trend > allowed,
    })
}

/// The median of the slopes between any two samples.
fn slope(samples: &[(f64, f64)]) -> f64 {
    let step = samples.len().div_ceil(SLOPE_SAMPLES_MAX);
    let samples: Vec<_> = samples.iter().step_by(step).collect();
    let mut slopes = Vec::with_capacity(samples.len() * samples.len() / 2);
    for (index, earlier) in samples.iter().enumerate() {
        for later in &samples[index + 1..] {
            let apart = later.0 - earlier.0;
            if apart > 0.0 {
                slopes.push((later.1 - earlier.1) / apart);
            }
        }
    }
    median(slopes)
}

/// 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    let (_, value, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    *value
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: Allowance = Allowance {
        share: 0.05,
        least: 4.0,
    };

    /// An hour, sampled every 5 s.
    fn hour(value: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        (0..720)
            .map(|n| f64::from(n) * 5.0)
            .map(|at| (at, value(at)))
            .collect()
    }

    /// Something between 0 and 1 that looks like chance.
    fn noise(at: f64) -> f64 {
        (at * 12.9898).sin().mul_add(43_758.547, 0.0).fract().abs()
    }

    fn grew(value: impl Fn(f64) -> f64) -> bool {
        judge(&hour(value), 600.0, ALLOWANCE).expect("samples").grew
    }

    #[test]
    fn what_stays_stays_however_it_jitters() {
        assert!(!grew(|_| 100.0));
        assert!(!grew(|at| 100.0 + 30.0 * noise(at)));
        assert!(!grew(|at| 100.0 + at % 300.0 / 10.0), "a sawtooth");
        assert!(!grew(|at| 200.0 - at / 100.0), "what shrinks");
    }

    #[test]
    fn a_steady_leak_is_growth_also_under_noise() {
        assert!(grew(|at| 100.0 + at * 10.0 / 3600.0));
        assert!(grew(|at| 100.0 + 30.0 * noise(at) + at * 10.0 / 3600.0));
    }

    #[test]
    fn what_was_left_behind_in_steps_is_growth() {
        assert!(grew(|at| 100.0 + (at / 900.0).floor() * 3.0));
        assert!(grew(|at| if at > 2400.0 { 110.0 } else { 100.0 }));
    }

    #[test]
    fn growth_within_the_warm_up_or_the_allowance_is_none() {
        assert!(!grew(|at| at.min(600.0)));
        assert!(!grew(|at| 100.0 + at * 4.0 / 3600.0));
    }

    #[test]
    fn a_moment_of_much_is_no_growth() {
        let storm = |at: f64| if at % 60.0 < 10.0 { 500.0 } else { 20.0 };
        assert!(!grew(storm));
        let judgement = judge(&hour(storm), 600.0, ALLOWANCE).expect("samples");
        assert!((judgement.peak - 500.0).abs() < 0.1, "{judgement:?}");
        assert!((judgement.last - 20.0).abs() < 0.1, "{judgement:?}");
    }

    #[test]
    fn too_few_samples_are_no_verdict() {
        let few: Vec<_> = (0..11).map(|n| (f64::from(n), 1.0)).collect();
        assert!(judge(&few, 0.0, ALLOWANCE).is_none());
        assert!(judge(&[], 0.0, ALLOWANCE).is_none());
        assert!(judge(&hour(|_| 1.0), 4000.0, ALLOWANCE).is_none());
    }
}
