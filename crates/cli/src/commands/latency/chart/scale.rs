//! From values to places on a picture, and which values deserve a line and a label.

/// A stretch of a picture that stands for a stretch of values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
    logarithmic: bool,
}

impl Scale {
    /// Equal distances for equal differences.
    pub(super) fn linear(values: (f64, f64), places: (f64, f64)) -> Self {
        Self {
            from: values.0,
            to: values.1,
            start: places.0,
            end: places.1,
            logarithmic: false,
        }
    }

    /// Equal distances for equal ratios. The values are positive.
    pub(super) fn logarithmic(values: (f64, f64), places: (f64, f64)) -> Self {
        Self {
            from: values.0.log10(),
            to: values.1.log10(),
            start: places.0,
            end: places.1,
            logarithmic: true,
        }
    }

    /// Where a value stands.
    pub(super) fn at(&self, value: f64) -> f64 {
        let value = if self.logarithmic {
            value.log10()
        } else {
            value
        };
        let part = (value - self.from) / (self.to - self.from);
        // A tenth of a pixel is as fine as anybody sees, and keeps the files small.
        ((self.start + part * (self.end - self.start)) * 10.0).round() / 10.0
    }
}

/// The round numbers 1, 2 and 5 of each decade that enclose these latencies; never the same twice.
pub(super) fn around(low: f64, high: f64) -> (f64, f64) {
    let steps = steps(low / 10.0, high * 10.0);
    let from = steps.iter().rev().find(|step| **step <= low);
    let to = steps.iter().find(|step| **step > high);
    (
        from.copied().unwrap_or(low / 2.0),
        to.copied().unwrap_or(high * 2.0),
    )
}

/// The values of a logarithmic axis that get a label: 1, 2 and 5 of each decade, or, if these are many, 1.
pub(super) fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    const TICKS_MAX: usize = 9;
    let ticks: Vec<f64> = steps(low, high)
        .into_iter()
        .filter(|step| (low..=high).contains(step))
        .collect();
    if ticks.len() <= TICKS_MAX {
        return ticks;
    }
    let is_decade = |step: &f64| (step.log10() - step.log10().round()).abs() < 1e-9;
    ticks.into_iter().filter(is_decade).collect()
}

/// The values of a linear axis from 0 to `high` that get a label.
pub(super) fn linear_ticks(high: f64) -> Vec<f64> {
    const TICKS: f64 = 6.0;
    let rough = (high / TICKS).max(f64::MIN_POSITIVE);
    let decade = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|digit| digit * decade)
        .find(|step| *step >= rough)
        .unwrap_or(rough);
    let count = (high / step + 1e-9).floor() as usize;
    (0..=count).map(|number| number as f64 * step).collect()
}

fn steps(low: f64, high: f64) -> Vec<f64> {
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    decades
        .flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(decade)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_placed_in_proportion() {
        let linear = Scale::linear((0.0, 10.0), (100.0, 200.0));
        assert_eq!(
            (linear.at(0.0), linear.at(5.0), linear.at(10.0)),
            (100.0, 150.0, 200.0)
        );
        let log = Scale::logarithmic((1.0, 100.0), (200.0, 0.0));
        assert_eq!(
            (log.at(1.0), log.at(10.0), log.at(100.0)),
            (200.0, 100.0, 0.0)
        );
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(around(61_000.0, 4_200_000.0), (50_000.0, 5_000_000.0));
        assert_eq!(around(1000.0, 1000.0), (1000.0, 2000.0));
        assert_eq!(log_ticks(50.0, 1000.0), [50.0, 100.0, 200.0, 500.0, 1000.0]);
        assert!(log_ticks(1.0, 1e9).len() <= 10);
        assert_eq!(linear_ticks(10.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(linear_ticks(0.0), [0.0]);
    }
}
