//! Flows and idle connections over TLS and WebSocket.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{CpuWatch, Setting};
use crate::channel::{Channel, Speech, Surroundings, argument};
use crate::error::{Doing, Error, Result};
use crate::frames::{Numbered, Traffic, Verifier};
use crate::outcome::{MemoryUse, Outcome};
use crate::target::{Cores, Source, Target};

const SUBJECT: &str = "bench.flow";
const READ_BYTES: usize = 256 * 1024;
/// How often a subscriber looks whether all has been sent.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Messages that are still missing this long after all were sent are lost.
const LOST_AFTER: Duration = Duration::from_secs(3);
/// Connections of the idle row: each of them costs the generator memory, too.
const IDLE_MAX: usize = 2000;

/// One publisher, one subscriber.
pub(super) fn one_to_one(setting: &Setting, speech: Speech, payload: usize) -> Result<Outcome> {
    let (surroundings, target) = start(setting, speech)?;
    let subscribe = format!("SUB {SUBJECT} 1\r\n");
    let traffic = Traffic::one_subject(SUBJECT, payload, Numbered::Yes);
    let mut pair = Pair {
        publisher: surroundings.connect(target.address, b"")?,
        subscriber: surroundings.connect(target.address, subscribe.as_bytes())?,
        verifier: Verifier::new(&traffic.deliver),
        sent: 0,
    };
    pair.run(&traffic, setting.warm_up())?;
    let watch = CpuWatch::start(&target)?;
    let before = pair.verifier.messages();
    let elapsed = pair.run(&traffic, setting.measure)?;
    let used = watch.stop()?;
    let delivered = pair.verifier.messages() - before;
    let lost = pair.sent.saturating_sub(pair.verifier.messages());
    Ok(Outcome::new(
        setting.row,
        "message",
        delivered,
        lost,
        elapsed,
        used,
    ))
}

/// Opens connections, and divides the server's growth by their number.
pub(super) fn idle(setting: &Setting, speech: Speech) -> Result<Outcome> {
    let (surroundings, target) = start(setting, speech)?;
    let meter = target
        .meter
        .ok_or_else(|| Error::Server("memory needs the server's pid".into()))?;
    let count = setting.connections.min(IDLE_MAX);
    let before = meter.settled_memory()?;
    let watch = CpuWatch::start(&target)?;
    let start = Instant::now();
    let open = (0..count)
        .map(|number| {
            let subscribe = format!("SUB bench.idle.{number} 1\r\n");
            surroundings.connect(target.address, subscribe.as_bytes())
        })
        .collect::<Result<Vec<_>>>()?;
    let elapsed = start.elapsed();
    let used = watch.stop()?;
    let after = meter.settled_memory()?;
    let count = open.len() as u64;
    let mut outcome = Outcome::new(setting.row, "connection", count, 0, elapsed, used);
    outcome.memory = Some(MemoryUse {
        before_rss: before.rss,
        after_rss: after.rss,
        per_connection: Some(after.pss.saturating_sub(before.pss) as f64 / count.max(1) as f64),
        peak_rss: after.peak,
    });
    Ok(outcome)
}

fn start(setting: &Setting, speech: Speech) -> Result<(Surroundings, Target)> {
    let Source::Program { path, args, stores } = &setting.source else {
        return Err(Error::Server(
            "this row starts the server with a configuration of its own".into(),
        ));
    };
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .doing("finding a free port")?
        .port();
    let surroundings = Surroundings::new(speech, port)?;
    let file = argument(&surroundings.file());
    let source = Source::Program {
        path: path.clone(),
        args: [args.as_slice(), &["-c".to_owned(), file]].concat(),
        stores: stores.clone(),
    };
    let target = source.start(Cores::All)?;
    Ok((surroundings, target))
}

struct Pair {
    publisher: Channel,
    subscriber: Channel,
    verifier: Verifier,
    /// Messages published in all.
    sent: u64,
}

impl Pair {
    /// Publishes for so long, and reads until all has come: the time until the last message.
    fn run(&mut self, traffic: &Traffic, duration: Duration) -> Result<Duration> {
        let Self {
            publisher,
            subscriber,
            verifier,
            sent,
        } = self;
        let (total, failed) = (AtomicU64::new(u64::MAX), Arc::new(AtomicBool::new(false)));
        let start = Instant::now();
        let before = *sent;
        let last = std::thread::scope(|scope| {
            let receiving = scope.spawn(|| {
                let received = receive(subscriber, verifier, &total);
                failed.store(received.is_err(), Ordering::Relaxed);
                received
            });
            let published = publish(publisher, traffic, start + duration, &failed);
            let all = published.as_ref().map_or(0, |count| before + count);
            total.store(all, Ordering::Release);
            let last = receiving
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            published?;
            *sent = all;
            Ok::<_, Error>(last)
        })?;
        Ok(last.saturating_duration_since(start))
    }
}

fn publish(
    publisher: &mut Channel,
    traffic: &Traffic,
    until: Instant,
    failed: &AtomicBool,
) -> Result<u64> {
    let mut count = 0;
    while Instant::now() < until && !failed.load(Ordering::Relaxed) {
        publisher.send(&traffic.publish)?;
        count += traffic.messages;
    }
    publisher.flush()?;
    Ok(count)
}

/// Reads until as many messages came as were sent in all; when the last one did.
fn receive(
    subscriber: &mut Channel,
    verifier: &mut Verifier,
    total: &AtomicU64,
) -> Result<Instant> {
    subscriber.set_patience(LOOK_EVERY)?;
    let mut buffer = vec![0; READ_BYTES];
    let rest = std::mem::take(&mut subscriber.rest);
    verifier.feed(&rest)?;
    let mut last = Instant::now();
    loop {
        match subscriber.read(&mut buffer) {
            Ok(0) => return Err(Error::Closed("receiving messages")),
            Ok(count) => {
                verifier.feed(&buffer[..count])?;
                last = Instant::now();
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error).doing("receiving messages"),
        }
        if verifier.take_ping() {
            subscriber.send(b"PONG\r\n")?;
        }
        let all_came = verifier.messages() >= total.load(Ordering::Acquire);
        let all_sent = total.load(Ordering::Acquire) != u64::MAX;
        if all_came || (all_sent && last.elapsed() > LOST_AFTER) {
            return Ok(last);
        }
    }
}
