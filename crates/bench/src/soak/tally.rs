//! What was done, and what went wrong.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::line::Doors;
use super::monitor::Monitor;
use super::mqtt::Ends;
use crate::error::Result;

/// What is told of what went wrong, beyond its number.
const TOLD_MAX: usize = 50;
/// Whoever fails begins again so often.
const ATTEMPTS_MAX: usize = 100;
/// How long after the end of publishing something may still come.
pub(super) const DRAIN: Duration = Duration::from_secs(15);
const NOT_YET: u64 = u64::MAX;

/// What all parts of the load share.
pub(super) struct Shared {
    pub(super) doors: Doors,
    pub(super) monitor: Monitor,
    pub(super) seed: u64,
    /// No new work is begun.
    ending: AtomicBool,
    /// Requesters that may still have a request under way.
    asking: AtomicUsize,
    pub(super) flow: Finish,
    pub(super) kept: Finish,
    pub(super) mqtt: Ends,
    pub(super) tally: Tally,
}

/// The number of the last message, once there will be no more.
pub(super) struct Finish(AtomicU64);

/// A requester that is at work.
pub(super) struct Asking<'a>(&'a AtomicUsize);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Default for Finish {
    fn default() -> Self {
        Self(AtomicU64::new(NOT_YET))
    }
}

impl Finish {
    pub(super) fn tell(&self, last: u64) {
        self.0.store(last, Ordering::Release);
    }

    pub(super) fn known(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Acquire)).filter(|&last| last != NOT_YET)
    }
}

/// Counts by name.
#[derive(Default)]
pub(super) struct Tally {
    done: Mutex<BTreeMap<&'static str, u64>>,
    wrong: Mutex<BTreeMap<&'static str, u64>>,
    told: Mutex<Vec<String>>,
}

impl Shared {
    pub(super) fn new(doors: Doors, monitor: Monitor, seed: u64) -> Self {
        Self {
            doors,
            monitor,
            seed,
            ending: AtomicBool::new(false),
            asking: AtomicUsize::new(0),
            flow: Finish::default(),
            kept: Finish::default(),
            mqtt: Ends::default(),
            tally: Tally::default(),
        }
    }

    pub(super) fn end(&self) {
        self.ending.store(true, Ordering::Release);
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Counts a requester until what is handed out is dropped.
    pub(super) fn asking(&self) -> Asking<'_> {
        self.asking.fetch_add(1, Ordering::AcqRel);
        Asking(&self.asking)
    }

    /// Whether there will be no more requests.
    pub(super) fn all_was_asked(&self) -> bool {
        self.is_ending() && self.asking.load(Ordering::Acquire) == 0
    }

    /// Sleeps, but not into the end: whether there is still work to be done.
    pub(super) fn rest(&self, duration: Duration) -> bool {
        let until = Instant::now() + duration;
        while !self.is_ending() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
        false
    }

    /// Does a part of the load; one that fails is told and begun again.
    pub(super) fn keep_going(&self, name: &'static str, part: impl Fn(&Shared) -> Result<()>) {
        for _ in 0..ATTEMPTS_MAX {
            match part(self) {
                Ok(()) => return,
                Err(error) => self.tally.wrong(name, error.to_string()),
            }
            if !self.rest(Duration::from_secs(1)) {
                return;
            }
        }
    }
}

impl Tally {
    pub(super) fn add(&self, name: &'static str, count: u64) {
        *lock(&self.done).entry(name).or_default() += count;
    }

    pub(super) fn wrong(&self, name: &'static str, what: String) {
        self.wrong_times(name, 1, what);
    }

    pub(super) fn wrong_times(&self, name: &'static str, count: u64, what: String) {
        *lock(&self.wrong).entry(name).or_default() += count;
        let mut told = lock(&self.told);
        if told.len() < TOLD_MAX {
            told.push(format!("{name}: {what}"));
        }
    }

    pub(super) fn done(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.done).clone()
    }

    pub(super) fn all_wrong(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.wrong).clone()
    }

    pub(super) fn told(&self) -> Vec<String> {
        lock(&self.told).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
