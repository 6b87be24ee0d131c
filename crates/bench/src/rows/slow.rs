//! A subscriber that reads ten times slower than its publisher writes.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::flow::{Flow, Publisher, Subscriber};
use super::{CpuWatch, Setting};
use crate::error::{Doing, Error, Result};
use crate::frames::{Numbered, Traffic};
use crate::outcome::{MemoryUse, Outcome};

const SUBJECT: &str = "bench.slow";
const PAYLOAD: usize = 1024;
/// How much slower than it could be the subscriber reads.
const SLOWER: f64 = 10.0;
const READ_BYTES: usize = 64 * 1024;

/// Finds out what the pair can do, then lets the subscriber read a tenth of that while the
/// publisher goes on as fast as the server lets it.
pub(super) fn subscriber(setting: &Setting) -> Result<Outcome> {
    let target = setting.start()?;
    let traffic = Arc::new(Traffic::one_subject(SUBJECT, PAYLOAD, Numbered::Yes));
    let mut flow = Flow::open(&target, SUBJECT, &traffic, 1, 1)?;
    let before = target.meter.map(|meter| meter.memory()).transpose()?;
    flow.run(setting.warm_up())?;
    let full = flow.run(setting.warm_up())?;
    let full_rate = full.delivered as f64 / full.elapsed.as_secs_f64();
    let bytes_per_second =
        full_rate * (traffic.publish.len() as f64 / traffic.messages as f64) / SLOWER;

    let watch = CpuWatch::start(&target)?;
    let start = Instant::now();
    let slow = run_slowly(&mut flow, setting.measure, bytes_per_second)?;
    let (elapsed, used) = (start.elapsed(), watch.stop()?);
    let missing = slow.published.saturating_sub(slow.received);
    let lost = if slow.cut_off.is_some() { 0 } else { missing };
    let mut outcome = Outcome::new(setting.row, "message", slow.received, lost, elapsed, used)
        .figure("full_speed_per_second", full_rate)
        .figure(
            "published_per_second",
            slow.published as f64 / setting.measure.as_secs_f64(),
        )
        .figure("cut_off", f64::from(u8::from(slow.cut_off.is_some())))
        .figure("not_delivered", missing as f64);
    if let (Some(before), Some(meter)) = (before, target.meter) {
        let after = meter.memory()?;
        outcome.memory = Some(MemoryUse {
            before_rss: before.rss,
            after_rss: after.rss,
            per_connection: None,
            peak_rss: after.peak,
        });
        let grown = after.peak.saturating_sub(before.rss) as f64 / f64::from(1 << 20);
        outcome = outcome.figure("memory_growth_mb", grown);
    }
    outcome.notes.extend(
        slow.cut_off
            .map(|error| format!("the slow one was cut off: {error}")),
    );
    Ok(outcome)
}

struct Slow {
    published: u64,
    received: u64,
    cut_off: Option<Error>,
}

fn run_slowly(flow: &mut Flow, duration: Duration, bytes_per_second: f64) -> Result<Slow> {
    let Flow {
        publishers,
        subscribers,
    } = flow;
    let (publisher, subscriber): (&mut Publisher, &mut Subscriber) =
        (&mut publishers[0], &mut subscribers[0]);
    let before = subscriber.verifier.messages();
    let (done, failed) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut pinger = subscriber
        .client
        .stream
        .try_clone()
        .doing("sharing a socket")?;
    let (published, cut_off) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| read_slowly(subscriber, bytes_per_second, &done));
        let published = publisher.publish(Instant::now() + duration, &failed);
        done.store(true, Ordering::Release);
        // Where the server has cut it off, the reader finds out and says so.
        let _ = pinger.write_all(b"PING\r\n");
        let read = reading
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (published, read.err())
    });
    if let Some(error @ Error::Differs(_)) = cut_off {
        return Err(error);
    }
    let received = subscriber.verifier.messages() - before;
    Ok(Slow {
        published: published?,
        received,
        cut_off,
    })
}

/// Reads at the given rate until `done`, then as fast as it can up to the PONG.
fn read_slowly(subscriber: &mut Subscriber, per_second: f64, done: &AtomicBool) -> Result<()> {
    let (start, mut taken) = (Instant::now(), 0);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let hurry = done.load(Ordering::Acquire);
        let allowed = (start.elapsed().as_secs_f64() * per_second) as usize;
        let now = if hurry {
            READ_BYTES
        } else {
            allowed.saturating_sub(taken).min(READ_BYTES)
        };
        if now < READ_BYTES {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        let n = subscriber
            .client
            .stream
            .read(&mut buffer[..now])
            .doing("receiving messages")?;
        if n == 0 {
            return Err(Error::Closed("receiving messages"));
        }
        taken += n;
        subscriber.verifier.feed(&buffer[..n])?;
        if subscriber.verifier.take_ping() {
            subscriber.client.send(b"PONG\r\n")?;
        }
        if subscriber.verifier.take_pong() {
            return Ok(());
        }
    }
}
