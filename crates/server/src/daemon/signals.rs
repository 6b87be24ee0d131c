//! What a signal means, given what has happened before. Pure: whoever calls does what is said.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};

/// The signals that the server listens to. SIGPIPE is ignored by Rust's start-up already.
pub(super) const LISTENED: [i32; 5] = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2];

/// What to do about a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Finish, flush, close; then exit with success.
    Stop,
    /// Exit at once: somebody has asked twice.
    Hurry,
    /// Stop taking clients and send those that are there away one by one.
    EnterLameDuck,
    /// Close the log file and open it by its name.
    ReopenLog,
    /// Read the configuration anew.
    Reload,
    /// Nothing: it is under way already.
    Ignore,
}

/// What has been asked of the server so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stance {
    lame_duck: bool,
    stopping: bool,
}

impl Stance {
    /// Takes notice of a signal.
    pub(super) fn on(&mut self, signal: i32) -> Action {
        match signal {
            SIGINT if self.stopping => Action::Hurry,
            SIGINT => self.stop(),
            // A service manager sends it while we go: going as gently as asked before comes first.
            SIGTERM if self.stopping || self.lame_duck => Action::Ignore,
            SIGTERM => self.stop(),
            SIGUSR2 if self.stopping || self.lame_duck => Action::Ignore,
            SIGUSR2 => {
                self.lame_duck = true;
                Action::EnterLameDuck
            }
            SIGUSR1 => Action::ReopenLog,
            SIGHUP if self.stopping || self.lame_duck => Action::Ignore,
            SIGHUP => Action::Reload,
            _ => Action::Ignore,
        }
    }

    /// Whether it is stopping, not only in lame duck mode.
    pub(super) fn is_stopping(self) -> bool {
        self.stopping
    }

    /// Whether the server has a reason to end.
    pub(super) fn was_told_to_go(self) -> bool {
        self.stopping || self.lame_duck
    }

    fn stop(&mut self) -> Action {
        self.stopping = true;
        Action::Stop
    }
}

/// The name that the shell knows a signal by.
pub(super) fn name(signal: i32) -> &'static str {
    signal_hook::low_level::signal_name(signal).unwrap_or("signal")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(signals: &[i32]) -> Vec<Action> {
        let mut stance = Stance::default();
        signals.iter().map(|signal| stance.on(*signal)).collect()
    }

    #[test]
    fn the_second_interrupt_hurries() {
        assert_eq!(actions(&[SIGINT, SIGINT]), [Action::Stop, Action::Hurry]);
        assert_eq!(actions(&[SIGTERM, SIGINT]), [Action::Stop, Action::Hurry]);
        assert_eq!(actions(&[SIGTERM, SIGTERM]), [Action::Stop, Action::Ignore]);
    }

    #[test]
    fn a_lame_duck_ignores_term_and_obeys_an_interrupt() {
        use Action::{EnterLameDuck, Ignore, Stop};
        assert_eq!(actions(&[SIGUSR2, SIGTERM]), [EnterLameDuck, Ignore]);
        assert_eq!(actions(&[SIGUSR2, SIGUSR2]), [EnterLameDuck, Ignore]);
        assert_eq!(actions(&[SIGUSR2, SIGINT]), [EnterLameDuck, Stop]);
        assert_eq!(actions(&[SIGTERM, SIGUSR2]), [Stop, Ignore]);
    }

    #[test]
    fn the_others_change_nothing() {
        use Action::{Reload, ReopenLog, Stop};
        assert_eq!(
            actions(&[SIGUSR1, SIGHUP, SIGUSR1, SIGTERM]),
            [ReopenLog, Reload, ReopenLog, Stop]
        );
    }
}
