//! Thousands of connections that all publish and receive at the same time.

use std::io::Write;
use std::time::{Duration, Instant};

use super::many::{Readers, read_some};
use super::{CpuWatch, Setting};
use crate::client::Client;
use crate::error::{Doing, Result};
use crate::frames::{Traffic, Verifier};
use crate::outcome::{MemoryUse, Outcome};
use crate::target::Target;

/// Messages that a connection sends in one write.
const BLOCK_MESSAGES: usize = 10;
/// Without any message for this long, what is missing is lost.
const LOST_AFTER: Duration = Duration::from_secs(3);

/// A ring: each connection publishes to the next one, and sends its next block when it has
/// received one. So as many blocks are under way as there are connections, and none more.
pub(super) fn ring(setting: &Setting) -> Result<Outcome> {
    let target = setting.start()?;
    let before = target.meter.map(|meter| meter.memory()).transpose()?;
    let mut ring = Ring::open(&target, setting.connections)?;
    ring.run(setting.warm_up())?;
    let warm = ring.received();
    let watch = CpuWatch::start(&target)?;
    let elapsed = ring.run(setting.measure)?;
    let used = watch.stop()?;
    let received = ring.received();
    let (count, lost) = (received - warm, ring.sent() - received);
    let mut outcome = Outcome::new(setting.row, "message", count, lost, elapsed, used)
        .figure("connections", ring.members.len() as f64);
    if let (Some(before), Some(meter)) = (before, target.meter) {
        let after = meter.memory()?;
        let grown = after.pss.saturating_sub(before.pss) as f64;
        outcome.memory = Some(MemoryUse {
            before_rss: before.rss,
            after_rss: after.rss,
            per_connection: Some(grown / ring.members.len() as f64),
            peak_rss: after.peak,
        });
    }
    Ok(outcome)
}

struct Ring {
    members: Vec<Member>,
    readers: Readers,
}

struct Member {
    client: Client,
    /// The block for the next member.
    publish: Vec<u8>,
    verifier: Verifier,
    blocks_sent: u64,
    blocks_seen: u64,
}

impl Ring {
    fn open(target: &Target, count: usize) -> Result<Ring> {
        let mut members = Vec::with_capacity(count);
        for number in 0..count {
            let subscribe = format!("SUB {} 1\r\n", subject(number));
            let client = Client::connect_and(target.address, subscribe.as_bytes())?;
            let next = Traffic::block(&subject((number + 1) % count), 16, BLOCK_MESSAGES);
            let own = Traffic::block(&subject(number), 16, BLOCK_MESSAGES);
            let verifier = Verifier::new(&own.deliver);
            let publish = next.publish;
            members.push(Member {
                client,
                publish,
                verifier,
                blocks_sent: 0,
                blocks_seen: 0,
            });
        }
        let readers = Readers::watch(members.iter().map(|member| &member.client.stream))?;
        for member in &mut members {
            member.verifier.feed(&member.client.incoming.take_rest())?;
        }
        Ok(Ring { members, readers })
    }

    fn sent(&self) -> u64 {
        self.members
            .iter()
            .map(|member| member.blocks_sent * BLOCK_MESSAGES as u64)
            .sum()
    }

    fn received(&self) -> u64 {
        self.members
            .iter()
            .map(|member| member.verifier.messages())
            .sum()
    }

    /// Keeps the ring going for this long, and returns when the last block has arrived.
    fn run(&mut self, duration: Duration) -> Result<Duration> {
        let (start, mut last) = (Instant::now(), Instant::now());
        let mut under_way = 0;
        for member in &mut self.members {
            member.send()?;
            under_way += 1;
        }
        let mut buffer = vec![0; 64 * 1024];
        while under_way > 0 {
            let ready = self.readers.wait(LOST_AFTER)?;
            if ready.is_empty() {
                break;
            }
            last = Instant::now();
            for place in ready {
                let member = &mut self.members[place];
                for _ in 0..member.receive(&mut buffer)? {
                    if last.duration_since(start) < duration {
                        member.send()?;
                    } else {
                        under_way -= 1;
                    }
                }
            }
        }
        Ok(last.duration_since(start))
    }
}

impl Member {
    fn send(&mut self) -> Result<()> {
        self.blocks_sent += 1;
        (&self.client.stream)
            .write_all(&self.publish)
            .doing("writing a block of 10 messages")
    }

    /// Reads what there is; how many blocks became whole.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<u64> {
        while let Some(n) = read_some(&self.client.stream, buffer)? {
            self.verifier.feed(&buffer[..n])?;
            if self.verifier.take_ping() {
                (&self.client.stream)
                    .write_all(b"PONG\r\n")
                    .doing("answering a PING")?;
            }
            if n < buffer.len() {
                break;
            }
        }
        let whole = self.verifier.messages() / BLOCK_MESSAGES as u64;
        let new = whole - self.blocks_seen;
        self.blocks_seen = whole;
        Ok(new)
    }
}

fn subject(number: usize) -> String {
    format!("bench.ring.{number:05}")
}
