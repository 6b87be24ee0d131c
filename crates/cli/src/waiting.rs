//! What is being waited for, and how long already: on a terminal a line that renews itself, elsewhere a
//! line whenever the cause changes.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::time::interval;

use crate::span;
use crate::terminal;
use crate::text::waiting as text;

/// How often the line on the terminal is renewed.
const RENEW_EVERY: Duration = Duration::from_millis(250);

/// From this length on, an attempt that has not failed yet is shown as a wait.
const UNTOLD_MAX: Duration = Duration::from_secs(1);

/// A wait for something.
pub(crate) struct Waiting {
    start: Instant,
    /// What was waited for when nothing more is known.
    what: String,
    cause: Option<String>,
}

impl Waiting {
    /// Nothing is told before a cause is known, or the wait gets long.
    pub(crate) fn for_what(what: String) -> Self {
        Self {
            start: Instant::now(),
            what,
            cause: None,
        }
    }

    /// How long it has taken.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Why it goes on.
    pub(crate) fn because(&mut self, cause: String) {
        let said = text::waiting(&cause);
        self.because_saying(cause, &said);
    }

    /// The same, with a line of its own for where nothing renews itself.
    pub(crate) fn because_saying(&mut self, cause: String, said: &str) {
        if self.cause.as_ref() == Some(&cause) {
            return;
        }
        if !terminal::renews() {
            terminal::notice(said);
        }
        self.cause = Some(cause);
        self.renew();
    }

    /// Does `work`, while the line on the terminal renews itself.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let mut ticks = interval(RENEW_EVERY);
        loop {
            tokio::select! {
                biased;
                result = &mut work => return result,
                _ = ticks.tick() => self.renew(),
            }
        }
    }

    /// It has come to an end; true if the person was told of it.
    pub(crate) fn end(&self) -> bool {
        terminal::erase();
        self.cause.is_some()
    }

    fn renew(&self) {
        let cause = match &self.cause {
            Some(cause) => cause,
            None if self.elapsed() >= UNTOLD_MAX => &self.what,
            None => return,
        };
        let since = match self.elapsed().as_secs() {
            seconds @ ..60 => format!("{seconds} s"),
            seconds => span::show(Duration::from_secs(seconds)),
        };
        terminal::renew(&text::waiting_since(cause, &since));
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        terminal::erase();
    }
}
