//! `/varz`: the server as a whole.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use recado_auth::jwt::claims_as_written;
use serde::Serialize;

use super::connz::Proxy;
use super::jsz::{Config, Limits, Stats, summaries};
use super::moments::{Moment, nanos, uptime};
use crate::config::{ClientCertificates, TlsOptions};
use crate::engine::{Way, clock, hexadecimal_of};
use crate::monitoring::observed::{Facts, MqttFacts, Observed, WebsocketFacts};
use crate::tls::{Cache, Material};

/// What nats-server shows where there is no TLS.
const TLS_TIMEOUT_DEFAULT: Duration = Duration::from_secs(2);

/// The document. Keys are nats-server's; what this server does not have is empty or not there, as it would be in
/// a nats-server that was not told of it.
#[derive(Serialize)]
pub(crate) struct Varz {
    server_id: String,
    server_name: String,
    version: String,
    proto: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    git_commit: String,
    go: String,
    /// The program that really answers, and its version; ours.
    server: String,
    server_version: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    feature_flags: BTreeMap<&'static str, bool>,
    host: String,
    port: u16,
    #[serde(skip_serializing_if = "is_false")]
    auth_required: bool,
    #[serde(skip_serializing_if = "is_false")]
    tls_required: bool,
    #[serde(skip_serializing_if = "is_false")]
    tls_verify: bool,
    #[serde(skip_serializing_if = "is_false")]
    tls_ocsp_peer_verify: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    connect_urls: Vec<String>,
    max_connections: usize,
    #[serde(skip_serializing_if = "is_zero")]
    max_subscriptions: usize,
    ping_interval: i64,
    ping_max: u32,
    http_host: String,
    http_port: u16,
    http_base_path: String,
    https_port: u16,
    /// In seconds.
    auth_timeout: f64,
    max_control_line: usize,
    max_payload: usize,
    max_pending: usize,
    cluster: Nothing,
    gateway: Nothing,
    leaf: Nothing,
    mqtt: Mqtt,
    websocket: Websocket,
    jetstream: Streams,
    tls_timeout: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_cert_not_after: Option<Moment>,
    write_deadline: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    write_timeout: Option<&'static str>,
    start: Moment,
    now: Moment,
    uptime: String,
    /// Resident memory in bytes.
    mem: u64,
    cores: usize,
    gomaxprocs: usize,
    /// Percent of one core.
    cpu: f64,
    connections: usize,
    total_connections: u64,
    routes: u32,
    remotes: u32,
    leafnodes: u32,
    in_msgs: u64,
    in_bytes: u64,
    in_client_msgs: u64,
    in_client_bytes: u64,
    out_msgs: u64,
    out_bytes: u64,
    out_client_msgs: u64,
    out_client_bytes: u64,
    slow_consumers: u64,
    stale_connections: u64,
    stalled_clients: u64,
    subscriptions: usize,
    http_req_stats: BTreeMap<&'static str, u64>,
    config_load_time: Moment,
    config_digest: String,
    system_account: String,
    slow_consumer_stats: ByKind,
    stale_connection_stats: ByKind,
    disk_io_wait_stats: DiskWaits,
    #[serde(skip_serializing_if = "Option::is_none")]
    ocsp_peer_cache: Option<OcspPeerCache>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxies: Option<Proxies>,
    /// Whom accounts must be signed by, as tokens and what stands in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trusted_operators_jwt: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trusted_operators_claim: Vec<serde_json::Value>,
}

/// What is remembered of whether clients' certificates were revoked (B10).
#[derive(Serialize)]
struct OcspPeerCache {
    cache_type: &'static str,
    cache_hits: u64,
    cache_misses: u64,
    cached_responses: u64,
    cached_revoked_responses: u64,
    cached_good_responses: u64,
    cached_unknown_responses: u64,
}

impl OcspPeerCache {
    fn of(cache: &Cache) -> Option<Self> {
        let figures = cache.figures();
        cache.is_on().then_some(Self {
            cache_type: "local",
            cache_hits: figures.hits,
            cache_misses: figures.misses,
            cached_responses: figures.responses,
            cached_revoked_responses: figures.revoked,
            cached_good_responses: figures.good,
            cached_unknown_responses: figures.unknown,
        })
    }
}

/// Proxies that are believed (ADR-55).
#[derive(Serialize)]
struct Proxies {
    trusted: Vec<Proxy>,
}

/// What is not there.
#[derive(Serialize)]
struct Nothing {}

/// WebSocket clients, where they are listened for. The name of a cookie is no secret; what is in it is.
#[derive(Default, Serialize)]
struct Websocket {
    #[serde(skip_serializing_if = "String::is_empty")]
    host: String,
    #[serde(skip_serializing_if = "is_no_port")]
    port: u16,
    #[serde(skip_serializing_if = "String::is_empty")]
    advertise: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    jwt_cookie: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake_timeout: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_cert_not_after: Option<Moment>,
    #[serde(skip_serializing_if = "is_false")]
    tls_ocsp_peer_verify: bool,
    #[serde(skip_serializing_if = "is_false")]
    no_tls: bool,
    #[serde(skip_serializing_if = "is_false")]
    same_origin: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_origins: Vec<String>,
    #[serde(skip_serializing_if = "is_false")]
    compression: bool,
}

impl Websocket {
    fn of(facts: &WebsocketFacts) -> Self {
        Self {
            host: facts.host.clone(),
            port: facts.port,
            advertise: facts.advertise.clone(),
            jwt_cookie: facts.jwt_cookie.clone(),
            handshake_timeout: Some(nanos(facts.handshake_timeout)),
            tls_cert_not_after: None,
            tls_ocsp_peer_verify: false,
            no_tls: facts.no_tls,
            same_origin: facts.same_origin,
            allowed_origins: facts.allowed_origins.clone(),
            compression: facts.compression,
        }
    }
}

/// MQTT clients, where they are listened for.
#[derive(Default, Serialize)]
struct Mqtt {
    #[serde(skip_serializing_if = "String::is_empty")]
    host: String,
    #[serde(skip_serializing_if = "is_no_port")]
    port: u16,
    #[serde(skip_serializing_if = "String::is_empty")]
    no_auth_user: String,
    /// In seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_timeout: Option<f64>,
    #[serde(skip_serializing_if = "is_false")]
    tls_map: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_timeout: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tls_pinned_certs: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    js_domain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ack_wait: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_ack_pending: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_cert_not_after: Option<Moment>,
    #[serde(skip_serializing_if = "is_false")]
    tls_ocsp_peer_verify: bool,
}

impl Mqtt {
    fn of(facts: &MqttFacts) -> Self {
        let tls = facts.tls.as_ref();
        let pins = tls.map(|tls| tls.pinned_certs.as_slice());
        let maps = |tls: &TlsOptions| tls.client_certificates == ClientCertificates::Mapped;
        Self {
            host: facts.host.clone(),
            port: facts.port,
            no_auth_user: facts.no_auth_user.clone(),
            auth_timeout: facts.auth_timeout.map(|timeout| timeout.as_secs_f64()),
            tls_map: tls.is_some_and(maps),
            tls_timeout: tls.map(|tls| tls.timeout.as_secs_f64()),
            tls_pinned_certs: pins
                .into_iter()
                .flatten()
                .map(|pin| hexadecimal_of(pin))
                .collect(),
            js_domain: facts.js_domain.clone(),
            ack_wait: Some(nanos(facts.ack_wait)),
            max_ack_pending: Some(facts.max_ack_pending),
            tls_cert_not_after: None,
            tls_ocsp_peer_verify: false,
        }
    }
}

/// Streams, where there are any.
#[derive(Default, Serialize)]
struct Streams {
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Config>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<Stats>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Limits>,
}

/// What is known of the streams. Where they do not answer, their figures are missing: the rest is true all the same.
async fn streams(observed: &Observed, facts: &Facts) -> Streams {
    let Some(inquiries) = &observed.inquiries() else {
        return Streams::default();
    };
    let summaries = summaries(inquiries).await;
    Streams {
        config: Some(Config::of(observed, facts)),
        stats: summaries.ok().map(|all| Stats::of(&all)),
        limits: Some(Limits::of(facts)),
    }
}

/// A number by the kind of connection. There are clients only.
#[derive(Serialize)]
struct ByKind {
    clients: u64,
    routes: u64,
    gateways: u64,
    leafs: u64,
}

impl ByKind {
    fn clients(clients: u64) -> Self {
        Self {
            clients,
            routes: 0,
            gateways: 0,
            leafs: 0,
        }
    }
}

/// Waits for a turn at the disk, of which this server has none: one thread writes for all.
#[derive(Default, Serialize)]
struct DiskWaits {
    waiters: u64,
    waits: u64,
    wait_time: u64,
    max_wait_time: u64,
}

/// When the certificate that clients are shown first expires.
fn not_after(tls: &Material) -> Option<Moment> {
    let ns = tls.not_after_s?.checked_mul(1_000_000_000)?;
    Some(Moment(ns))
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_no_port(port: &u16) -> bool {
    *port == 0
}

fn is_zero(value: &usize) -> bool {
    *value == 0
}

/// Makes the document.
pub(super) async fn varz(observed: &Observed) -> Varz {
    let facts = observed.facts();
    let engine = &observed.engine;
    let census = engine.connections.census();
    let usage = observed.process.lock().sample(Instant::now());
    let clients = census.connections.iter().filter(|one| one.peer.is_some());
    let (http_host, http_port, https_port) = listening(&facts);
    let slow_consumers = engine.slow_consumers();
    let stale = engine.counters.stale.load(Ordering::Relaxed);
    let Facts { info, limits, .. } = &*facts;
    let rules = engine.door(Way::Clients).rules();
    let tls = rules.tls.as_ref();
    let tls_of = |way| {
        let rules = engine.door(way).rules();
        let tls = rules.tls.as_ref();
        let checks = tls.is_some_and(|tls| tls.checked.is_some());
        (tls.and_then(not_after), checks)
    };
    // All listeners remember the same.
    let ways = [Way::Clients, Way::Websocket, Way::Mqtt];
    let ocsp_peer_cache = ways.into_iter().find_map(|way| {
        let rules = engine.door(way).rules();
        OcspPeerCache::of(rules.tls.as_ref()?.checked.as_ref()?)
    });
    let traffic = census.traffic;
    Varz {
        server_id: info.server_id.clone(),
        server_name: info.server_name.clone(),
        version: info.version.clone(),
        proto: info.proto,
        git_commit: info.git_commit.clone(),
        go: info.go.clone(),
        server: info.server.clone(),
        server_version: info.server_version.clone(),
        tags: facts.tags.clone(),
        metadata: facts.metadata.clone(),
        feature_flags: facts.feature_flags.clone(),
        host: info.host.clone(),
        port: info.port,
        auth_required: info.auth_required,
        tls_required: info.tls_required,
        tls_verify: info.tls_verify,
        tls_ocsp_peer_verify: tls.is_some_and(|tls| tls.checked.is_some()),
        connect_urls: info.connect_urls.clone(),
        max_connections: limits.max_connections.unwrap_or(0),
        max_subscriptions: limits.max_subscriptions,
        ping_interval: nanos(limits.ping_interval),
        ping_max: limits.ping_max,
        http_host,
        http_port,
        http_base_path: facts.base_path.clone(),
        https_port,
        auth_timeout: facts.auth_timeout.as_secs_f64(),
        max_control_line: limits.max_control_line,
        max_payload: limits.max_payload,
        max_pending: limits.max_pending,
        cluster: Nothing {},
        gateway: Nothing {},
        leaf: Nothing {},
        mqtt: facts
            .mqtt
            .as_ref()
            .map_or_else(Mqtt::default, |facts| Mqtt {
                tls_cert_not_after: tls_of(Way::Mqtt).0,
                tls_ocsp_peer_verify: tls_of(Way::Mqtt).1,
                ..Mqtt::of(facts)
            }),
        websocket: facts
            .websocket
            .as_ref()
            .map_or_else(Websocket::default, |facts| Websocket {
                tls_cert_not_after: tls_of(Way::Websocket).0,
                tls_ocsp_peer_verify: tls_of(Way::Websocket).1,
                ..Websocket::of(facts)
            }),
        jetstream: streams(observed, &facts).await,
        tls_timeout: tls
            .map_or(TLS_TIMEOUT_DEFAULT, |tls| tls.timeout)
            .as_secs_f64(),
        tls_cert_not_after: tls.and_then(not_after),
        write_deadline: nanos(limits.write_deadline),
        write_timeout: Some(limits.write_timeout.word()).filter(|word| *word != "default"),
        start: Moment::of_engine(observed.started_us),
        now: Moment::now(),
        uptime: uptime(observed.started_us, clock::now_us()),
        mem: usage.memory_bytes,
        cores: usage.cores,
        gomaxprocs: usage.cores,
        cpu: usage.cpu_percent,
        connections: clients.count(),
        total_connections: census.clients_so_far,
        routes: 0,
        remotes: 0,
        leafnodes: 0,
        in_msgs: traffic.in_messages,
        in_bytes: traffic.in_bytes,
        in_client_msgs: traffic.in_messages,
        in_client_bytes: traffic.in_bytes,
        out_msgs: traffic.out_messages,
        out_bytes: traffic.out_bytes,
        out_client_msgs: traffic.out_messages,
        out_client_bytes: traffic.out_bytes,
        slow_consumers,
        stale_connections: stale,
        stalled_clients: engine.counters.stalls.load(Ordering::Relaxed),
        subscriptions: engine.subscriptions(),
        http_req_stats: observed.request_counts(),
        config_load_time: Moment(facts.loaded_ns),
        config_digest: facts.config_digest.clone(),
        system_account: engine.accounts.system().name.as_ref().to_owned(),
        slow_consumer_stats: ByKind::clients(slow_consumers),
        stale_connection_stats: ByKind::clients(stale),
        disk_io_wait_stats: DiskWaits::default(),
        ocsp_peer_cache,
        proxies: proxies(&facts.trusted_proxies),
        trusted_operators_jwt: facts.operators.clone(),
        trusted_operators_claim: { facts.operators.iter() }
            .filter_map(|token| claims_as_written(token))
            .collect(),
    }
}

fn proxies(keys: &[String]) -> Option<Proxies> {
    let trusted = keys.iter().cloned().map(|key| Proxy { key });
    (!keys.is_empty()).then(|| Proxies {
        trusted: trusted.collect(),
    })
}

/// Host and ports (HTTP and HTTPS) of monitoring itself; empty where only `$SYS` asks.
fn listening(facts: &Facts) -> (String, u16, u16) {
    match &facts.listening {
        Some(at) if at.https => (at.host.clone(), 0, at.addr.port()),
        Some(at) => (at.host.clone(), at.addr.port(), 0),
        None => Default::default(),
    }
}
