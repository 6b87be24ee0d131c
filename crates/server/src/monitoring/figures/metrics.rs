//! `/metrics`: what Prometheus and its like collect, this server's own names. Streams and consumers have samples of
//! their own up to a bound; how many were left out is a sample, too.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use recado_streams::accounts::AccountSummary;
use recado_streams::api::ConsumerInfo;
use recado_streams::jetstream::StreamDetail;

use super::accounts;
use super::exposition::{Exposition, Format, Kind};
use super::jsz::{Bounds, Stats, gather, summaries};
use super::moments::Moment;
use crate::monitoring::observed::{Facts, Observed};
use crate::monitoring::process;
use crate::phase::Phase;
use crate::streams::{Inquiries, Opened, StoreFigures};
use crate::version::{NATS_VERSION, VERSION};

/// Streams that have samples of their own.
const STREAMS_MAX: usize = 1000;
/// Consumers that do.
const CONSUMERS_MAX: usize = 2000;

/// Writes the metrics.
pub(in crate::monitoring) async fn metrics(observed: &Observed, format: Format) -> String {
    let facts = observed.facts();
    let mut out = Exposition::new(format);
    write_server(&mut out, observed, &facts);
    write_traffic(&mut out, observed);
    if let Some(inquiries) = &observed.inquiries() {
        let seen = see(inquiries).await;
        out.one(
            "recado_streams_answered",
            Kind::Gauge,
            "1: the streams told what is below; 0: they did not answer in time, and it is not there.",
            seen.is_some(),
        );
        if let Some(seen) = seen {
            write_streams(&mut out, &seen);
            write_store(&mut out, &seen, observed.store().as_ref());
        }
        write_durability(&mut out, inquiries);
    }
    out.finish()
}

fn write_server(out: &mut Exposition, observed: &Observed, facts: &Facts) {
    out.family("recado_build", Kind::Info, "What runs.").sample(
        &[
            ("version", VERSION),
            ("nats_version", NATS_VERSION),
            ("server_name", &facts.info.server_name),
        ],
        1_u64,
    );
    let usage = observed.process.lock().sample(std::time::Instant::now());
    let seconds = |moment: Moment| moment.0 as f64 / 1e9;
    let started = seconds(Moment::of_engine(observed.started_us));
    for (name, help, value) in [
        (
            "process_start_time_seconds",
            "When the server started, in Unix time.",
            started,
        ),
        (
            "recado_config_load_time_seconds",
            "When the configuration was read, in Unix time.",
            seconds(Moment(facts.loaded_ns)),
        ),
        (
            "process_resident_memory_bytes",
            "Memory that the process takes.",
            usage.memory_bytes as f64,
        ),
    ] {
        out.one(name, Kind::Gauge, help, value);
    }
    out.one(
        "process_cpu_seconds",
        Kind::Counter,
        "CPU time that the process has had.",
        process::cpu_time().as_secs_f64(),
    );
    out.one(
        "recado_lame_duck",
        Kind::Gauge,
        "1: the server takes no new clients and will end.",
        *observed.phase.borrow() > Phase::Running,
    );
    out.family(
        "recado_http_requests",
        Kind::Counter,
        "Requests to monitoring.",
    );
    for (path, count) in observed.request_counts() {
        out.sample(&[("path", path)], count);
    }
}

fn write_traffic(out: &mut Exposition, observed: &Observed) {
    let engine = &observed.engine;
    let census = engine.connections.census();
    let (traffic, counters) = (census.traffic, &engine.counters);
    let clients = census.connections.iter().filter(|one| one.peer.is_some());
    out.one(
        "recado_connections",
        Kind::Gauge,
        "Clients that are connected.",
        clients.count(),
    );
    let (mut inserts, mut removes) = (0, 0);
    for account in accounts::all(engine, &census) {
        inserts += account.changes.inserts;
        removes += account.changes.removes;
    }
    let (gauge, counter) = (Kind::Gauge, Kind::Counter);
    for (name, kind, help, value) in [
        (
            "recado_connections_opened",
            counter,
            "Clients that were let in.",
            census.clients_so_far,
        ),
        (
            "recado_received_messages",
            counter,
            "Messages that clients published.",
            traffic.in_messages,
        ),
        (
            "recado_received_bytes",
            counter,
            "Bytes of them, headers and payloads.",
            traffic.in_bytes,
        ),
        (
            "recado_sent_messages",
            counter,
            "Messages that clients were sent.",
            traffic.out_messages,
        ),
        (
            "recado_sent_bytes",
            counter,
            "Bytes of them, headers and payloads.",
            traffic.out_bytes,
        ),
        (
            "recado_slow_consumers",
            counter,
            "Clients that were cut off because they read too slowly.",
            engine.slow_consumers(),
        ),
        (
            "recado_stale_connections",
            counter,
            "Clients that were cut off because they did not answer PINGs.",
            counters.stale.load(Ordering::Relaxed),
        ),
        (
            "recado_publisher_stalls",
            counter,
            "Times that a publisher waited for slow subscribers.",
            counters.stalls.load(Ordering::Relaxed),
        ),
        (
            "recado_subscriptions",
            gauge,
            "Subscriptions, the server's own among them.",
            engine.subscriptions() as u64,
        ),
        (
            "recado_subscriptions_added",
            counter,
            "Subscriptions that were added.",
            inserts,
        ),
        (
            "recado_subscriptions_removed",
            counter,
            "Subscriptions that were removed.",
            removes,
        ),
        (
            "recado_routes_cached",
            gauge,
            "Subjects whose receivers the threads remember.",
            counters.routes.cached.load(Ordering::Relaxed),
        ),
        (
            "recado_routes_resolved",
            counter,
            "Subjects that had to be looked up because no thread remembered them.",
            counters.routes.resolved.load(Ordering::Relaxed),
        ),
    ] {
        out.one(name, kind, help, value);
    }
    out.histogram(
        "recado_delivery_seconds",
        "From reading a message to having written it, or queued it for who reads slowly; measured by the batch, each of its messages counts.",
        &counters.delivery.read(),
    );
}

/// What the streams told.
struct Seen {
    accounts: Vec<AccountSummary>,
    store: StoreFigures,
    /// Streams with their accounts.
    streams: Vec<(Arc<str>, StreamDetail)>,
}

async fn see(inquiries: &Inquiries) -> Option<Seen> {
    let store = inquiries.ask(|glimpse| glimpse.store()).await.ok()?;
    let accounts = summaries(inquiries).await.ok()?;
    let mut streams: Vec<(Arc<str>, StreamDetail)> = Vec::new();
    let mut bounds = Bounds {
        streams: STREAMS_MAX,
        consumers: CONSUMERS_MAX,
    };
    for account in &accounts {
        if account.summary.account.usage.streams == 0 || bounds.streams == 0 {
            continue;
        }
        let gathered = gather(inquiries, &account.name, true, bounds).await.ok()?;
        bounds.streams -= gathered.streams.len();
        bounds.consumers -= gathered.consumers();
        let named = gathered.streams.into_iter();
        streams.extend(named.map(|stream| (Arc::clone(&account.name), stream)));
    }
    Some(Seen {
        accounts,
        store,
        streams,
    })
}

fn write_streams(out: &mut Exposition, seen: &Seen) {
    let sum = |figure: fn(&AccountSummary) -> u64| seen.accounts.iter().map(figure).sum::<u64>();
    let all_streams = sum(|one| one.summary.account.usage.streams);
    let all_consumers = sum(|one| one.summary.account.usage.consumers);
    for (name, help, value) in [
        ("recado_streams", "Streams.", all_streams),
        ("recado_consumers", "Consumers.", all_consumers),
    ] {
        out.one(name, Kind::Gauge, help, value);
    }
    let told: usize = seen
        .streams
        .iter()
        .map(|(_, one)| one.consumers.len())
        .sum();
    let left_out = |all: u64, told: usize| all.saturating_sub(told as u64);
    out.family(
        "recado_series_left_out",
        Kind::Gauge,
        "Streams and consumers that have no samples here because there are too many.",
    )
    .sample(
        &[("kind", "stream")],
        left_out(all_streams, seen.streams.len()),
    )
    .sample(&[("kind", "consumer")], left_out(all_consumers, told));
    for (name, help, value) in [
        (
            "recado_jetstream_api_requests",
            "Requests to the streams' API.",
            sum(|one| one.summary.account.api.total),
        ),
        (
            "recado_jetstream_api_errors",
            "Of them, refused.",
            sum(|one| one.summary.account.api.errors),
        ),
    ] {
        out.one(name, Kind::Counter, help, value);
    }
    for (name, help, figure) in STREAM_FIGURES {
        out.family(name, Kind::Gauge, help);
        for (account, stream) in &seen.streams {
            let labels = [("account", &**account), ("stream", stream.name.as_str())];
            out.sample(&labels, figure(stream));
        }
    }
    for (name, help, figure) in CONSUMER_FIGURES {
        out.family(name, Kind::Gauge, help);
        for (account, stream) in &seen.streams {
            for consumer in &stream.consumers {
                let labels = [
                    ("account", &**account),
                    ("stream", stream.name.as_str()),
                    ("consumer", consumer.name.as_str()),
                ];
                out.sample(&labels, figure(consumer));
            }
        }
    }
}

/// A family: its name, what it tells, and how it is read.
type Figure<T> = (&'static str, &'static str, fn(&T) -> u64);

/// What is told of each stream.
const STREAM_FIGURES: [Figure<StreamDetail>; 7] = [
    ("recado_stream_messages", "Messages in a stream.", |one| {
        one.state.messages
    }),
    ("recado_stream_bytes", "Their bytes.", |one| one.state.bytes),
    (
        "recado_stream_first_sequence",
        "Sequence of a stream's first message.",
        |one| one.state.first_seq,
    ),
    (
        "recado_stream_last_sequence",
        "The last sequence that a stream gave.",
        |one| one.state.last_seq,
    ),
    (
        "recado_stream_subjects",
        "Different subjects in a stream.",
        |one| one.state.num_subjects,
    ),
    ("recado_stream_consumers", "Consumers of a stream.", |one| {
        one.state.consumer_count
    }),
    (
        "recado_stream_lost_messages",
        "Messages of a stream that were found damaged.",
        |one| one.lost,
    ),
];

/// What is told of each consumer.
const CONSUMER_FIGURES: [Figure<ConsumerInfo>; 6] = [
    (
        "recado_consumer_pending_messages",
        "Messages that a consumer has still to deliver.",
        |one| one.num_pending,
    ),
    (
        "recado_consumer_ack_pending_messages",
        "Messages that were delivered and not acknowledged.",
        |one| one.num_ack_pending,
    ),
    (
        "recado_consumer_redelivered_messages",
        "Of them, delivered more than once.",
        |one| one.num_redelivered,
    ),
    (
        "recado_consumer_waiting_pulls",
        "Pull requests that wait for messages.",
        |one| one.num_waiting,
    ),
    (
        "recado_consumer_delivered_sequence",
        "Stream sequence of the last delivery.",
        |one| one.delivered.stream_seq,
    ),
    (
        "recado_consumer_ack_floor_sequence",
        "Stream sequence up to which all is acknowledged.",
        |one| one.ack_floor.stream_seq,
    ),
];

fn write_store(out: &mut Exposition, seen: &Seen, opened: Option<&Opened>) {
    let Seen {
        accounts, store, ..
    } = seen;
    let used = Stats::of(accounts);
    out.family(
        "recado_storage_used_bytes",
        Kind::Gauge,
        "Bytes of messages, as streams count them.",
    )
    .sample(&[("storage", "file")], used.storage)
    .sample(&[("storage", "memory")], used.memory);
    out.family(
        "recado_storage_limit_bytes",
        Kind::Gauge,
        "How many there may be; missing where there is no limit.",
    );
    let limits = [
        ("file", opened.and_then(|store| store.file_bytes_max)),
        ("memory", opened.and_then(|store| store.memory_bytes_max)),
    ];
    for (storage, limit) in limits {
        if let Some(limit) = limit {
            out.sample(&[("storage", storage)], limit);
        }
    }
    for (name, help, value) in [
        (
            "recado_store_segments",
            "Files of the store that hold records.",
            store.segments,
        ),
        (
            "recado_store_bytes",
            "Bytes of records in them.",
            store.bytes,
        ),
        (
            "recado_store_live_bytes",
            "Of them, bytes of records that are still needed.",
            store.live_bytes,
        ),
        (
            "recado_store_plain_segments",
            "Of an encrypted store, files that hold records from before and are not encrypted yet.",
            store.plain_segments,
        ),
        (
            "recado_store_stopped",
            "1: a write or sync failed, and nothing more is stored until the server is started again.",
            u64::from(store.stopped.is_some()),
        ),
    ] {
        out.one(name, Kind::Gauge, help, value);
    }
    if let Some(free) = opened.and_then(|store| free_bytes(&store.directory)) {
        out.one(
            "recado_store_free_bytes",
            Kind::Gauge,
            "Bytes that are free on the store's disk.",
            free,
        );
    }
}

fn write_durability(out: &mut Exposition, inquiries: &Inquiries) {
    let counters = &inquiries.counters;
    out.one(
        "recado_store_syncs",
        Kind::Counter,
        "Batches that were written and synced, for all streams together.",
        counters.batches.load(Ordering::Relaxed),
    );
    out.histogram(
        "recado_durable_seconds",
        "From taking what is to be stored to letting its acknowledgement go; measured by the turn, each acknowledgement counts.",
        &counters.durable.read(),
    );
}

/// What is free on the disk of a directory.
fn free_bytes(directory: &Path) -> Option<u64> {
    let disk = nix::sys::statvfs::statvfs(directory).ok()?;
    // Their types differ between systems.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
    Some((disk.blocks_available() as u64).saturating_mul(disk.fragment_size() as u64))
}
