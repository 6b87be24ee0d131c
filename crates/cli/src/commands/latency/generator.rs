//! The requester: sends at fixed times, whatever became of the requests before (an open loop).
//!
//! Latency counts from the time at which a request was *due*. A requester that waits for the last answer
//! before it asks again would ask nothing while the server stands still, and measure one slow request
//! where its users had a thousand (coordinated omission). It must therefore never block, and never skip
//! a request without counting it as missing.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::sys::prctl;
use recado_wire::push_publish;

use super::results::{Results, SLICES};
use crate::direct::{Direct, Heard};
use crate::failure::Failure;

/// How often it looks whether it is to end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// After a pause of its own, so many due requests are sent before it reads again.
const BURST_MAX: u32 = 1024;

/// What is to be sent.
pub(super) struct Plan {
    /// Where to ask.
    pub(super) subject: String,
    /// Where answers come; without the request's own token.
    pub(super) inbox: String,
    /// Requests a second.
    pub(super) rate: u64,
    /// How many are sent before it counts.
    pub(super) warm_up: u64,
    /// How many count.
    pub(super) requests: u64,
    /// Bytes of each payload.
    pub(super) size: usize,
    /// So many may be without an answer; those that are due beyond that are not sent, and counted.
    pub(super) outstanding_max: usize,
    /// An answer later than this is none.
    pub(super) limit: Duration,
}

impl Plan {
    /// When a request is due, from the start.
    fn due(&self, number: u64) -> Duration {
        let nanos = u128::from(number) * 1_000_000_000 / u128::from(self.rate);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// For those who look on from another thread.
#[derive(Default)]
pub(super) struct Progress {
    /// Requests that were due, warm-up included.
    pub(super) due: AtomicU64,
}

/// Runs the plan. What was measured until then comes back together with a failure.
pub(super) fn run(
    direct: &mut Direct,
    plan: &Plan,
    progress: &Progress,
    stop: &AtomicBool,
) -> (Results, Result<(), Failure>) {
    // The kernel may let a sleeper sleep 50 µs longer, to save power; that would be measured.
    let _ = prctl::set_timerslack(1);
    let mut generator = Generator {
        plan,
        payload: vec![b'.'; plan.size],
        start: Instant::now(),
        next: 0,
        window: Window::default(),
        any_answer: false,
        results: Results::new(),
    };
    let result = generator.all(direct, progress, stop);
    if result.is_err() {
        // The connection is of no use any more: nothing that is under way can come.
        let under_way = generator.window.measured_waiting(plan.warm_up);
        generator.results.lost += under_way;
    }
    (generator.results, result)
}

struct Generator<'a> {
    plan: &'a Plan,
    payload: Vec<u8>,
    start: Instant,
    /// The number of the next request.
    next: u64,
    window: Window,
    any_answer: bool,
    results: Results,
}

impl Generator<'_> {
    fn all(
        &mut self,
        direct: &mut Direct,
        progress: &Progress,
        stop: &AtomicBool,
    ) -> Result<(), Failure> {
        let sub = format!("SUB {}.* 1\r\n", self.plan.inbox);
        direct.stage().extend_from_slice(sub.as_bytes());
        direct.settle(self.plan.limit)?;
        self.start = Instant::now();
        let all = self.plan.warm_up + self.plan.requests;
        while !stop.load(Ordering::Relaxed) {
            self.send_due(direct, all);
            progress.due.store(self.next, Ordering::Relaxed);
            let flushed = direct.flush()?;
            self.give_up();
            if self.next == all && self.window.is_empty() {
                return Ok(());
            }
            direct.wait(!flushed, self.next_event(all))?;
            self.listen(direct)?;
        }
        Ok(())
    }

    fn send_due(&mut self, direct: &mut Direct, all: u64) {
        for _ in 0..BURST_MAX {
            let now = self.start.elapsed();
            let due = self.plan.due(self.next);
            if self.next == all || due > now {
                return;
            }
            let counts = self.next >= self.plan.warm_up;
            if self.window.waiting >= self.plan.outstanding_max {
                self.window.push(false);
                self.results.unsent += u64::from(counts);
            } else {
                self.window.push(true);
                let reply = format!("{}.{}", self.plan.inbox, self.next);
                push_publish(
                    direct.stage(),
                    self.plan.subject.as_bytes(),
                    reply.as_bytes(),
                    None,
                    &self.payload,
                );
                if counts {
                    self.results.record_late(now - due);
                }
            }
            self.next += 1;
        }
    }

    /// Counts as lost what has waited for longer than the limit.
    fn give_up(&mut self) {
        let now = self.start.elapsed();
        while let Some((number, waits)) = self.window.front() {
            if waits && self.plan.due(number) + self.plan.limit > now {
                return;
            }
            self.window.pop();
            self.results.lost += u64::from(waits && number >= self.plan.warm_up);
        }
    }

    /// When there is something to do again, if the server says nothing before.
    fn next_event(&self, all: u64) -> Instant {
        let mut next = Instant::now() + LOOK_EVERY;
        if self.next < all {
            next = next.min(self.start + self.plan.due(self.next));
        }
        if let Some((number, true)) = self.window.front() {
            next = next.min(self.start + self.plan.due(number) + self.plan.limit);
        }
        next
    }

    fn listen(&mut self, direct: &mut Direct) -> Result<(), Failure> {
        let prefix = self.plan.inbox.len() + 1;
        let server = direct.address.clone();
        direct.hear(|heard| {
            let Heard::Message {
                subject, headers, ..
            } = heard
            else {
                return Ok(());
            };
            let came = self.start.elapsed();
            let token = subject.get(prefix..).unwrap_or_default();
            let number = std::str::from_utf8(token)
                .ok()
                .and_then(|token| token.parse().ok());
            // A second answer to the same request, or one that was given up, counts no more.
            let Some(number) = number.filter(|number| self.window.answer(*number)) else {
                return Ok(());
            };
            let counts = number >= self.plan.warm_up;
            if headers.starts_with(b"NATS/1.0 503") {
                if !self.any_answer {
                    let subject = self.plan.subject.clone();
                    let server = server.clone();
                    return Err(Failure::NoResponders { subject, server });
                }
                self.results.lost += u64::from(counts);
                self.results.nobody += u64::from(counts);
                return Ok(());
            }
            self.any_answer = true;
            if counts {
                let slice = (number - self.plan.warm_up) * SLICES as u64 / self.plan.requests;
                let latency = came.saturating_sub(self.plan.due(number));
                self.results.record(latency, slice as usize);
            }
            Ok(())
        })
    }
}

/// The requests from the oldest that waits for its answer up to the newest: whether each waits.
///
/// Its length is bounded by the rate and the limit, for whatever is older is given up.
#[derive(Default)]
struct Window {
    first: u64,
    waits: VecDeque<bool>,
    waiting: usize,
}

impl Window {
    fn push(&mut self, waits: bool) {
        self.waits.push_back(waits);
        self.waiting += usize::from(waits);
    }

    fn front(&self) -> Option<(u64, bool)> {
        self.waits.front().map(|waits| (self.first, *waits))
    }

    fn pop(&mut self) {
        if let Some(waits) = self.waits.pop_front() {
            self.waiting -= usize::from(waits);
            self.first += 1;
        }
    }

    /// Notes an answer; true if that request waited for one.
    fn answer(&mut self, number: u64) -> bool {
        let place = number
            .checked_sub(self.first)
            .and_then(|place| usize::try_from(place).ok());
        let waits = match place.and_then(|place| self.waits.get_mut(place)) {
            Some(waits) => std::mem::take(waits),
            None => false,
        };
        self.waiting -= usize::from(waits);
        while self.waits.front() == Some(&false) {
            self.pop();
        }
        waits
    }

    fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// How many wait, from this number on.
    fn measured_waiting(&self, from: u64) -> u64 {
        let skipped = usize::try_from(from.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let waits = self.waits.iter().skip(skipped);
        waits.filter(|waits| **waits).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_counts_once_and_only_while_it_is_waited_for() {
        let mut window = Window::default();
        for waits in [true, true, false, true] {
            window.push(waits);
        }
        assert_eq!(window.waiting, 3);
        assert!(window.answer(1) && !window.answer(1) && !window.answer(2) && !window.answer(9));
        assert_eq!(window.front(), Some((0, true)));
        assert_eq!(window.measured_waiting(1), 1);
        assert!(window.answer(0));
        assert_eq!(window.front(), Some((3, true)));
        window.pop();
        assert!(window.is_empty() && window.waiting == 0 && !window.answer(3));
        window.push(true);
        assert_eq!(window.front(), Some((4, true)));
    }

    #[test]
    fn due_times_do_not_drift() {
        let plan = Plan {
            subject: String::new(),
            inbox: String::new(),
            rate: 3,
            warm_up: 0,
            requests: 0,
            size: 0,
            outstanding_max: 0,
            limit: Duration::ZERO,
        };
        assert_eq!(plan.due(1), Duration::from_nanos(333_333_333));
        assert_eq!(plan.due(3_000_000), Duration::from_secs(1_000_000));
    }
}
