//! What a connection costs while nothing happens on it.

use std::net::TcpStream;
use std::time::Instant;

use super::{CpuWatch, Setting};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::outcome::{MemoryUse, Outcome};

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
        open.push(Client::connect_and(target.address, subscribe.as_bytes())?.stream);
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
