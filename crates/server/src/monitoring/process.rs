//! What the process takes of the machine.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// CPU use is measured over at least so long; who asks more often gets the last figure again.
const WINDOW_MIN: Duration = Duration::from_secs(1);

/// Measures CPU use from one look to the next.
#[derive(Default)]
pub(crate) struct Sampler {
    last: Option<(Instant, Duration)>,
    percent: f64,
}

/// What was seen at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Resident memory.
    pub(crate) memory_bytes: u64,
    /// CPU time, where one core for one second is 100.
    pub(crate) cpu_percent: f64,
    /// Cores that the process may use.
    pub(crate) cores: usize,
}

impl Sampler {
    /// Looks at the process as it is now.
    pub(crate) fn sample(&mut self, now: Instant) -> Usage {
        self.note(now, cpu_time());
        Usage {
            memory_bytes: memory_bytes().unwrap_or(0),
            cpu_percent: self.percent,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    fn note(&mut self, now: Instant, used: Duration) {
        let Some((then, used_then)) = self.last else {
            self.last = Some((now, used));
            return;
        };
        let passed = now.saturating_duration_since(then);
        if passed >= WINDOW_MIN {
            let share = used.saturating_sub(used_then).as_secs_f64() / passed.as_secs_f64();
            self.percent = (share * 1000.0).round() / 10.0;
            self.last = Some((now, used));
        }
    }
}

/// CPU time that the process has had.
pub(crate) fn cpu_time() -> Duration {
    // The clock begins at zero and never runs backwards.
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

fn memory_bytes() -> Option<u64> {
    let memory = procfs::process::Process::myself().ok()?.statm().ok()?;
    memory.resident.checked_mul(procfs::page_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_use_is_what_was_used_between_two_looks_that_lie_far_enough_apart() {
        let start = Instant::now();
        let mut sampler = Sampler::default();
        sampler.note(start, Duration::from_secs(5));
        sampler.note(start + Duration::from_millis(500), Duration::from_secs(50));
        assert_eq!(sampler.percent, 0.0);
        sampler.note(start + Duration::from_secs(2), Duration::from_secs(8));
        assert_eq!(sampler.percent, 150.0);
    }

    #[test]
    fn the_process_takes_some_memory() {
        assert!(memory_bytes().is_some_and(|bytes| bytes > 1 << 20));
    }
}
