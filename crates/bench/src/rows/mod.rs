//! The rows of the benchmark: each is one workload against one server.

mod active;
mod churn;
mod compaction;
mod connect;
mod consume;
mod durable;
mod flow;
mod idle;
mod many;
mod request;
mod restart;
mod scale;
mod secure;
mod slow;
mod stopped;
mod streams;
mod subjects;
mod watched;
mod windows;

use std::time::Duration;

pub use stopped::subscriber;

use crate::channel::Speech;
use crate::error::Result;
use crate::meter::Meter;
use crate::outcome::{Outcome, Used};
use crate::target::{Cores, Source, Target};

/// One workload.
pub struct Row {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it is called in the table.
    pub title: &'static str,
    /// What it does and how it is measured.
    pub how: &'static str,
    /// Whether the floor can serve it.
    pub floor: bool,
    /// Whether the server must store streams for it.
    pub streams: Streams,
    work: fn(&Setting) -> Result<Outcome>,
}

/// What a row wants of streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Nothing.
    None,
    /// That there are some.
    Some,
    /// The same, and it says something about a server that syncs each message, too.
    Synced,
}

/// How large a run is.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// How long the measured part of a row with steady traffic lasts.
    pub measure: Duration,
    /// How many connections the rows with many of them open.
    pub connections: usize,
    /// Which part of their messages the rows store that store a fixed number.
    pub volume: f64,
}

/// How a row is to be run.
#[derive(Clone, Debug)]
struct Setting {
    source: Source,
    measure: Duration,
    connections: usize,
    volume: f64,
    row: &'static str,
}

impl Row {
    /// Every row there is, in the table's order.
    pub fn all() -> impl Iterator<Item = &'static Row> {
        ROWS.iter().chain(streams::ROWS)
    }

    /// The row of this name.
    pub fn named(name: &str) -> Option<&'static Row> {
        Row::all().find(|row| row.name == name)
    }

    /// Runs it against a fresh server (or the one that runs).
    pub fn run(&self, source: &Source, extent: Extent) -> Result<Outcome> {
        (self.work)(&Setting {
            source: source.clone(),
            measure: extent.measure,
            connections: extent.connections,
            volume: extent.volume,
            row: self.name,
        })
    }
}

impl Setting {
    fn start(&self) -> Result<Target> {
        self.source.start(Cores::All)
    }

    /// So much of what a whole run stores.
    fn part_of(&self, messages: u64) -> u64 {
        ((messages as f64 * self.volume) as u64).max(1000)
    }

    /// How long a server is warmed up before it is measured.
    fn warm_up(&self) -> Duration {
        self.measure / 5
    }
}

/// Reads both CPU clocks, for the difference at the end.
struct CpuWatch {
    server: Option<(Meter, Duration)>,
    own: Duration,
}

impl CpuWatch {
    fn start(target: &Target) -> Result<CpuWatch> {
        let server = match target.meter {
            Some(meter) => Some((meter, meter.cpu()?)),
            None => None,
        };
        Ok(CpuWatch {
            server,
            own: Meter::own().cpu()?,
        })
    }

    fn stop(self) -> Result<Used> {
        let server = match self.server {
            Some((meter, before)) => Some(meter.cpu()?.saturating_sub(before)),
            None => None,
        };
        Ok(Used {
            server,
            generator: Meter::own().cpu()?.saturating_sub(self.own),
        })
    }
}

const FLOW: &str = "Publishers write blocks of ready-made PUB frames without pause, for the time \
    given, after a warm-up over the same connections; each ends with PING and waits for the \
    PONG. Then each subscriber is sent a PING, and what it has read when the PONG comes is \
    compared with what was published: every byte while it comes, and the count at the end.";

const SECURE: &str = "Both connections over TLS 1.3 with a certificate of P-256, made for the run; the \
    server is started with a configuration that names it. The publisher writes blocks of ready-made PUB \
    frames, and every byte that the subscriber reads is compared. The generator encrypts, too, so its \
    own time is more than elsewhere.";

const REQUEST: &str = "A requester publishes a 16-byte request with a reply subject of its own, as \
    client libraries do, waits for the answer, checks it, and goes on. One connection answers \
    with the same payload. Latency goes into an HDR histogram.";

static ROWS: &[Row] = &[
    Row {
        name: "one-16",
        title: "1 publisher → 1 subscriber, 16 B",
        how: FLOW,
        floor: true,
        streams: Streams::None,
        work: |s| flow::one_to_one(s, 16),
    },
    Row {
        name: "one-128",
        title: "1 publisher → 1 subscriber, 128 B",
        how: FLOW,
        floor: true,
        streams: Streams::None,
        work: |s| flow::one_to_one(s, 128),
    },
    Row {
        name: "one-1k",
        title: "1 publisher → 1 subscriber, 1 KiB",
        how: FLOW,
        floor: true,
        streams: Streams::None,
        work: |s| flow::one_to_one(s, 1024),
    },
    Row {
        name: "one-32k",
        title: "1 publisher → 1 subscriber, 32 KiB",
        how: FLOW,
        floor: true,
        streams: Streams::None,
        work: |s| flow::one_to_one(s, 32 * 1024),
    },
    Row {
        name: "four-to-one",
        title: "4 publishers → 1 subscriber, 16 B",
        how: FLOW,
        floor: true,
        streams: Streams::None,
        work: flow::four_to_one,
    },
    Row {
        name: "subjects-10k",
        title: "10,000 subjects, 16 B",
        how: "One publisher goes round 10,000 subjects; one connection holds 10,000 literal \
            subscriptions, one for each, with its own sid. Otherwise like the rows above.",
        floor: false,
        streams: Streams::None,
        work: flow::many_subjects,
    },
    Row {
        name: "fan-10",
        title: "fan-out 1 → 10, 16 B",
        how: "One publisher, 10 connections subscribed to its subject with the same sid, all \
            read by one thread. Counted per delivery. Otherwise like the rows above.",
        floor: true,
        streams: Streams::None,
        work: |s| flow::fan_out(s, 10),
    },
    Row {
        name: "fan-100",
        title: "fan-out 1 → 100, 16 B",
        how: "As with 10, with 100.",
        floor: true,
        streams: Streams::None,
        work: |s| flow::fan_out(s, 100),
    },
    Row {
        name: "request-1",
        title: "request/reply, one at a time",
        how: REQUEST,
        floor: true,
        streams: Streams::None,
        work: |s| request::concurrent(s, 1),
    },
    Row {
        name: "request-16",
        title: "request/reply, 16 at a time",
        how: "16 requester connections, each one request at a time, all driven by one thread; \
            one responder.",
        floor: false,
        streams: Streams::None,
        work: |s| request::concurrent(s, 16),
    },
    Row {
        name: "request-flood",
        title: "request/reply beside a flood",
        how: "One requester as above, while one publisher floods one subscriber with 16-byte \
            messages on another subject as fast as the server takes them.",
        floor: false,
        streams: Streams::None,
        work: request::beside_a_flood,
    },
    Row {
        name: "idle",
        title: "idle connection with one subscription",
        how: "Opens the connections one after another, each with one subscription to a subject of \
            its own, and takes the growth of the server's proportional set size once it has \
            settled, divided by their number.",
        floor: false,
        streams: Streams::None,
        work: |s| idle::connections(s, idle::Subjects::Distinct),
    },
    Row {
        name: "idle-same",
        title: "idle connection, all on one subject",
        how: "As above, with all of them subscribed to the same subject.",
        floor: false,
        streams: Streams::None,
        work: |s| idle::connections(s, idle::Subjects::Same),
    },
    Row {
        name: "connect",
        title: "connect + publish + close",
        how: "One thread keeps sixteen visits under way: each connects, reads INFO, sends CONNECT, one \
            16-byte PUB and PING, waits for the PONG and closes; then the next one begins. A \
            subscriber counts the messages.",
        floor: false,
        streams: Streams::None,
        work: connect::publish_close,
    },
    Row {
        name: "scale",
        title: "4 publishers → 4 subscribers on 4 subjects, 16 B",
        how: "Four independent pairs. Once with the server bound to one core, once with all; the \
            generator may use all cores both times, so on a small machine it takes its share \
            of them. The figures are those with all cores.",
        floor: false,
        streams: Streams::None,
        work: scale::over_the_cores,
    },
    Row {
        name: "active",
        title: "10,000 connections, all active",
        how: "A ring: every connection is subscribed to a subject of its own and publishes blocks \
            of ten 16-byte messages to its neighbour's, the next one when it has received one. \
            Every message of every connection is accounted for.",
        floor: false,
        streams: Streams::None,
        work: active::ring,
    },
    Row {
        name: "churn",
        title: "a flow beside 10,000 changes of subscriptions a second, 16 B",
        how: "One pair; windows without and with a third connection that holds 50,000 subscriptions \
            (half of them filters) and replaces them at 10,000 changes a second, confirmed a \
            hundred at a time, alternate five times. The ratio is that of the pair's throughput \
            (median of five).",
        floor: false,
        streams: Streams::None,
        work: churn::beside_a_flow,
    },
    Row {
        name: "stopped",
        title: "4 healthy subscribers beside a stopped one, 128 B",
        how: "Windows without and with a fifth subscriber, a process that has been stopped with \
            SIGSTOP, alternate five times. Measuring begins when 8 MiB have been published past \
            the stopped one, more than its sockets hold. The ratio is that of the healthy ones' \
            throughput (median of five); the worst 100 ms are those of one healthy subscriber, and \
            the stalled part is that of the window in which the server had not cut it off yet.",
        floor: false,
        streams: Streams::None,
        work: stopped::beside_a_stopped_one,
    },
    Row {
        name: "tls-one-128",
        title: "1 publisher → 1 subscriber over TLS, 128 B",
        how: SECURE,
        floor: false,
        streams: Streams::None,
        work: |s| secure::one_to_one(s, Speech::Tls, 128),
    },
    Row {
        name: "tls-one-1k",
        title: "1 publisher → 1 subscriber over TLS, 1 KiB",
        how: SECURE,
        floor: false,
        streams: Streams::None,
        work: |s| secure::one_to_one(s, Speech::Tls, 1024),
    },
    Row {
        name: "tls-idle",
        title: "idle connection over TLS",
        how: "Opens up to 2,000 connections over TLS one after another, each with one subscription, and takes \
            the growth of the server's proportional set size once it has settled, divided by their \
            number.",
        floor: false,
        streams: Streams::None,
        work: |s| secure::idle(s, Speech::Tls),
    },
    Row {
        name: "ws-one-128",
        title: "1 publisher → 1 subscriber over WebSocket, 128 B",
        how: "As over TLS, with WebSocket in clear and without compression: each block is one message.",
        floor: false,
        streams: Streams::None,
        work: |s| secure::one_to_one(s, Speech::Websocket, 128),
    },
    Row {
        name: "slow",
        title: "a subscriber 10 × slower than its publisher, 1 KiB",
        how: "First the pair runs at full speed; then the subscriber reads a tenth of that while the \
            publisher goes on as fast as the server lets it. Then it reads what is left, unless it \
            has been cut off. Memory is the highest resident size against that of the fresh server.",
        floor: false,
        streams: Streams::None,
        work: slow::subscriber,
    },
];
