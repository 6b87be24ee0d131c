//! Whether what waits for a connection is written in time (`write_timeout: retry`, D24). Time is an argument.

use std::time::{Duration, Instant};

/// What was found at a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Nothing to tell.
    Fine,
    /// What waited a deadline ago is not all written; whether that is new.
    Late { first: bool },
    /// What waited is written in time again.
    Recovered,
}

/// Held by whoever writes while something waits.
#[derive(Debug, Default)]
pub(super) struct Tardiness {
    goal: Option<Goal>,
    is_late: bool,
}

/// What is to be written until when.
#[derive(Clone, Copy, Debug)]
struct Goal {
    /// Bytes written in all.
    written: u64,
    until: Instant,
}

impl Tardiness {
    /// Looks after a write: so many bytes are written by now, so many wait.
    pub(super) fn look(
        &mut self,
        written: u64,
        pending: usize,
        now: Instant,
        deadline: Duration,
    ) -> Pace {
        let next = Goal {
            written: written + pending as u64,
            until: now + deadline,
        };
        let Some(goal) = self.goal else {
            self.goal = Some(next);
            return Pace::Fine;
        };
        if now < goal.until && written < goal.written {
            return Pace::Fine;
        }
        self.goal = Some(next);
        let (was_late, is_late) = (self.is_late, written < goal.written);
        self.is_late = is_late;
        match (was_late, is_late) {
            (_, true) => Pace::Late { first: !was_late },
            (true, false) => Pace::Recovered,
            (false, false) => Pace::Fine,
        }
    }

    /// Nothing waits any more: whether that is a recovery.
    pub(super) fn end(&mut self) -> bool {
        self.goal = None;
        std::mem::take(&mut self.is_late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    #[test]
    fn who_does_not_read_what_waited_in_time_is_late_until_it_does() {
        let start = Instant::now();
        let mut tardiness = Tardiness::default();
        let mut look = |second, written, pending| {
            let now = start + Duration::from_secs(second);
            tardiness.look(written, pending, now, DEADLINE)
        };
        assert_eq!(look(0, 0, 100), Pace::Fine);
        assert_eq!(look(9, 50, 500), Pace::Fine, "there is time left");
        assert_eq!(look(10, 99, 500), Pace::Late { first: true });
        assert_eq!(look(20, 200, 500), Pace::Late { first: false });
        assert_eq!(look(25, 700, 10), Pace::Recovered, "599 had to be");
        assert_eq!(look(26, 710, 5), Pace::Fine);
    }

    #[test]
    fn more_that_comes_meanwhile_makes_nobody_late() {
        let start = Instant::now();
        let mut tardiness = Tardiness::default();
        for second in 0..100 {
            let now = start + Duration::from_secs(second);
            let pace = tardiness.look(second * 100, 500, now, DEADLINE);
            assert_eq!(pace, Pace::Fine, "after {second} s");
        }
        assert!(!tardiness.end());
    }

    #[test]
    fn who_was_late_and_has_read_all_has_recovered() {
        let start = Instant::now();
        let mut tardiness = Tardiness::default();
        tardiness.look(0, 100, start, DEADLINE);
        tardiness.look(1, 99, start + DEADLINE, DEADLINE);
        assert!(tardiness.end());
        assert!(!tardiness.end(), "told once");
    }
}
