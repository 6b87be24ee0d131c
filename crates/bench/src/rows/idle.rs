//! What a connection costs: to hold while nothing happens, and to open and close.

use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{CpuWatch, Setting};
use crate::client::Client;
use crate::error::{Doing, Error, Result};
use crate::incoming::Event;
use crate::outcome::{MemoryUse, Outcome};

const THREADS: u32 = 4;
const SUBJECT: &str = "bench.connect";

/// What the idle connections are subscribed to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Subjects {
    /// Each to a subject of its own.
    Distinct,
    /// All to one.
    Same,
}

/// Opens connections, and divides the server's growth by their number.
pub(super) fn connections(setting: &Setting, subjects: Subjects) -> Result<Outcome> {
    let target = setting.start()?;
    let meter = target
        .meter
        .ok_or_else(|| Error::Server("memory needs the server's pid".into()))?;
    let before = meter.settled_memory()?;
    let watch = CpuWatch::start(&target)?;
    let start = Instant::now();
    let mut open: Vec<TcpStream> = Vec::with_capacity(setting.connections);
    for number in 0..setting.connections {
        let subscribe = match subjects {
            Subjects::Distinct => format!("SUB bench.idle.{number} 1\r\n"),
            Subjects::Same => "SUB bench.idle 1\r\n".to_owned(),
        };
        open.push(Client::connect_and(target.address, None, subscribe.as_bytes())?.stream);
    }
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

/// Opens, publishes one message, closes; counts what arrives.
pub(super) fn connect_publish_close(setting: &Setting) -> Result<Outcome> {
    let target = setting.start()?;
    let received = AtomicU64::new(0);
    let mut subscriber = Client::connect(target.address)?;
    subscriber.send(format!("SUB {SUBJECT} 1\r\n").as_bytes())?;
    subscriber.flush()?;
    let wake = subscriber.stream.try_clone().doing("sharing a socket")?;
    let visits = |duration| visit_for(target.address, duration);
    std::thread::scope(|scope| {
        let counting = scope.spawn(|| count_messages(&mut subscriber, &received));
        let work = || -> Result<Outcome> {
            let warm = visits(setting.warm_up())?;
            let watch = CpuWatch::start(&target)?;
            let start = Instant::now();
            let count = visits(setting.measure)?;
            let (elapsed, used) = (start.elapsed(), watch.stop()?);
            let missing = wait_for(&received, warm + count);
            Ok(Outcome::new(
                setting.row,
                "connection",
                count,
                missing,
                elapsed,
                used,
            ))
        };
        let outcome = work();
        let _ = wake.shutdown(std::net::Shutdown::Both);
        counting
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        outcome
    })
}

/// Four threads that come and go; how many visits they made.
fn visit_for(server: std::net::SocketAddr, duration: Duration) -> Result<u64> {
    let until = Instant::now() + duration;
    let publish = format!("PUB {SUBJECT} 16\r\n0123456789abcdef\r\n");
    let visitor = |thread: u32| -> Result<u64> {
        let mut count = 0;
        while Instant::now() < until {
            // A closed connection keeps its port for a while: spread them over many addresses.
            let host = (count as u32 / 64 % 250) * THREADS + thread + 2;
            let source = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 0, 0, 0)) + host);
            Client::connect_from(server, source, publish.as_bytes())?;
            count += 1;
        }
        Ok(count)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|n| scope.spawn(move || visitor(n)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .sum()
    })
}

/// Counts until the socket is shut down from our side.
fn count_messages(client: &mut Client, received: &AtomicU64) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let mut pong = false;
        while let Some(event) = client.incoming.next()? {
            match event {
                Event::Message { .. } => _ = received.fetch_add(1, Ordering::Relaxed),
                Event::Ping => pong = true,
                _ => {}
            }
        }
        if pong {
            client.send(b"PONG\r\n")?;
        }
        let n = client
            .stream
            .read(&mut buffer)
            .doing("receiving messages")?;
        if n == 0 {
            return Ok(());
        }
        client.incoming.push(&buffer[..n]);
    }
}

/// Waits until all have arrived, three seconds at most; how many are missing then.
fn wait_for(received: &AtomicU64, due: u64) -> u64 {
    let start = Instant::now();
    loop {
        let missing = due.saturating_sub(received.load(Ordering::Relaxed));
        if missing == 0 || start.elapsed() > Duration::from_secs(3) {
            return missing;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
