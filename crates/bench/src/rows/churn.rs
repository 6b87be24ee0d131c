//! Subscriptions come and go by the thousand: does a flow notice?

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::flow::Flow;
use super::watched::{rate, watched};
use super::{CpuWatch, Setting};
use crate::client::Client;
use crate::error::Result;
use crate::frames::{Numbered, Traffic};
use crate::outcome::{Outcome, Used};

const SUBJECT: &str = "bench.churn";
const PAYLOAD: usize = 16;
const PAIRS: usize = 5;
/// Subscriptions and unsubscriptions a second.
const CHANGES_PER_SECOND: u64 = 10_000;
/// Changes that are sent at once.
const BURST: u64 = 100;
/// Subscriptions that stand at any time.
const STANDING: u64 = 50_000;

/// Alternates windows without and with churn beside a flow.
pub(super) fn beside_a_flow(setting: &Setting) -> Result<Outcome> {
    let target = setting.start()?;
    let traffic = Arc::new(Traffic::one_subject(SUBJECT, PAYLOAD, Numbered::Yes));
    let mut flow = Flow::open(&target, SUBJECT, &traffic, 1, 1)?;
    let mut churner = Churner::start(target.address)?;
    flow.run(setting.warm_up())?;
    let (mut ratios, mut worst) = (Vec::new(), f64::INFINITY);
    let (mut count, mut lost, mut elapsed) = (0, 0, Duration::ZERO);
    let (mut used, mut changes) = (Used::default(), 0);
    for _ in 0..PAIRS {
        let (alone, _) = watched(&mut flow, setting.measure / 2, || false)?;
        let watch = CpuWatch::start(&target)?;
        let stop = AtomicBool::new(false);
        let made = AtomicU64::new(0);
        let (beside, slices) = std::thread::scope(|scope| {
            let churning = scope.spawn(|| churner.churn(&stop, &made));
            let seen = watched(&mut flow, setting.measure / 2, || false);
            stop.store(true, Ordering::Relaxed);
            churning
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            seen
        })?;
        used.add(watch.stop()?);
        changes += made.load(Ordering::Relaxed);
        ratios.push(rate(&beside) / rate(&alone));
        worst = f64::min(worst, slices.slowest / rate(&alone));
        count += beside.delivered;
        lost += beside.lost + alone.lost;
        elapsed += beside.elapsed;
    }
    ratios.sort_by(f64::total_cmp);
    let per_second = changes as f64 / elapsed.as_secs_f64();
    Ok(
        Outcome::new(setting.row, "message", count, lost, elapsed, used)
            .figure("kept_ratio", ratios[PAIRS / 2])
            .figure("worst_100_ms_ratio", worst)
            .figure("changes_per_second", per_second),
    )
}

/// One connection whose subscriptions come and go: literals and filters in turn.
struct Churner {
    client: Client,
    next: u64,
}

impl Churner {
    fn start(server: SocketAddr) -> Result<Self> {
        let mut churner = Self {
            client: Client::connect(server)?,
            next: 0,
        };
        let lines: String = (0..STANDING).map(subscribe).collect();
        churner.client.send(lines.as_bytes())?;
        churner.client.flush()?;
        churner.next = STANDING;
        Ok(churner)
    }

    /// Replaces the oldest subscriptions by new ones until told to stop.
    fn churn(&mut self, stop: &AtomicBool, made: &AtomicU64) -> Result<()> {
        let start = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            let lines: String = (0..BURST / 2)
                .map(|_| {
                    let new = self.next;
                    self.next += 1;
                    format!("UNSUB {}\r\n{}", new - STANDING, subscribe(new))
                })
                .collect();
            self.client.send(lines.as_bytes())?;
            self.client.flush()?;
            let so_far = made.fetch_add(BURST, Ordering::Relaxed) + BURST;
            let due = start + Duration::from_micros(so_far * 1_000_000 / CHANGES_PER_SECOND);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        Ok(())
    }
}

fn subscribe(number: u64) -> String {
    match number % 2 {
        0 => format!("SUB churn.{number} {number}\r\n"),
        _ => format!("SUB churn.{number}.* {number}\r\n"),
    }
}
