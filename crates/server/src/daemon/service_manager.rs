//! What the service manager is told (`sd_notify(3)`), if one started us: ready, reloading, stopping, and, if it
//! wants to know, that the server is alive (`WatchdogSec=`).
//!
//! "Alive" is sent when all threads of the server answered, and only then: a process whose threads are
//! stuck looks fine to a timer.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use sd_notify::NotifyState;

use super::messages::ResourceText;
use super::voice::Voice;
use crate::ServerHandle;

/// Tells it something.
pub(super) fn notify(voice: &Voice, states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        voice.resources(&ResourceText::NotifyFailed {
            error: error.to_string(),
        });
    }
}

/// Does what a reload asks for, and tells the manager when that begins and ends: `Type=notify-reload` waits
/// for both, whatever came of it.
pub(super) fn during_reload<T>(voice: &Voice, reload: impl FnOnce() -> T) -> T {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        notify(voice, &[NotifyState::Reloading, now]);
    }
    let done = reload();
    notify(voice, &[NotifyState::Ready]);
    done
}

/// Tells the manager again and again that the server is alive, until it is dropped.
pub(super) struct Watchdog {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Starts, if the manager wants to be told.
    ///
    /// # Errors
    /// When the machine has no threads left.
    pub(super) fn start(handle: &ServerHandle, voice: &Voice) -> io::Result<Option<Self>> {
        let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()) else {
            return Ok(None);
        };
        let (mut pulse, voice) = (handle.pulse(), voice.clone());
        let (stop, stopped) = mpsc::channel::<()>();
        let body = move || {
            let mut silence = Silence::default();
            let pace = Pace::of(limit);
            loop {
                match stopped.recv_timeout(pace.rest) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => return,
                }
                let silent = pulse.silent(pace.patience);
                if silent.is_empty() {
                    notify(&voice, &[NotifyState::Watchdog]);
                }
                if let Some(text) = silence.told(silent) {
                    voice.resources(&text);
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(body)?;
        Ok(Some(Self {
            stop: Some(stop),
            thread: Some(thread),
        }))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported by its hook.
            let _ = thread.join();
        }
    }
}

/// How the time that the manager allows is spent: half of it is left for a machine that is slow.
#[derive(Debug, PartialEq, Eq)]
struct Pace {
    rest: Duration,
    patience: Duration,
}

impl Pace {
    fn of(limit: Duration) -> Self {
        Self {
            rest: limit / 4,
            patience: limit / 4,
        }
    }
}

/// Who was silent when it was last looked: a silence is told of when it begins and when it ends.
#[derive(Default)]
struct Silence(Vec<String>);

impl Silence {
    fn told(&mut self, silent: Vec<String>) -> Option<ResourceText> {
        if silent == self.0 {
            return None;
        }
        self.0 = silent;
        Some(match self.0.is_empty() {
            true => ResourceText::ThreadsAnswerAgain,
            false => ResourceText::ThreadsSilent {
                threads: self.0.join(", "),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_signs_of_life_passes_half_of_what_is_allowed_at_the_most() {
        let pace = Pace::of(Duration::from_secs(60));
        assert_eq!(pace.rest + pace.patience, Duration::from_secs(30));
    }

    #[test]
    fn a_silence_is_told_of_once_and_so_is_its_end() {
        let mut silence = Silence::default();
        let stuck = || vec!["recado-0".to_owned(), "recado-streams".to_owned()];
        assert_eq!(silence.told(Vec::new()), None);
        let Some(ResourceText::ThreadsSilent { threads }) = silence.told(stuck()) else {
            panic!("not told");
        };
        assert_eq!(threads, "recado-0, recado-streams");
        assert_eq!(silence.told(stuck()), None);
        assert_eq!(
            silence.told(Vec::new()),
            Some(ResourceText::ThreadsAnswerAgain)
        );
    }
}
