//! A flow that is looked at while it runs: how slow was its slowest moment?

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::flow::{Flow, Phase};
use crate::error::Result;

/// How finely progress is looked at.
const SLICE: Duration = Duration::from_millis(100);

/// What was seen by looking on, slice by slice.
pub(super) struct Slices {
    /// The slowest, as a rate over all subscribers.
    pub(super) slowest: f64,
    /// In which part of them the condition held.
    pub(super) held: f64,
}

/// Messages a second of a phase.
pub(super) fn rate(phase: &Phase) -> f64 {
    phase.delivered as f64 / phase.elapsed.as_secs_f64()
}

/// Runs the flow and looks on all the while, at the first subscriber and at a condition.
pub(super) fn watched(
    flow: &mut Flow,
    duration: Duration,
    condition: impl Fn() -> bool,
) -> Result<(Phase, Slices)> {
    let progress = Arc::clone(&flow.subscribers[0].progress);
    let subscribers = flow.subscribers.len() as f64;
    std::thread::scope(|scope| {
        let running = scope.spawn(|| flow.run(duration));
        let (mut slowest, mut slices, mut held) = (f64::INFINITY, 0, 0);
        let (mut at, mut seen) = (Instant::now(), progress.load(Ordering::Relaxed));
        loop {
            std::thread::sleep(SLICE);
            // The slice in which it ended has been cut short.
            if running.is_finished() {
                break;
            }
            let (now, messages) = (Instant::now(), progress.load(Ordering::Relaxed));
            let rate = (messages - seen) as f64 / now.duration_since(at).as_secs_f64();
            slowest = slowest.min(rate * subscribers);
            (at, seen) = (now, messages);
            slices += 1;
            held += u32::from(condition());
        }
        let phase = running
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let held = f64::from(held) / f64::from(slices.max(1));
        Ok((phase, Slices { slowest, held }))
    })
}
