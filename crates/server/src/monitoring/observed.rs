//! What is watched: the engine, and what is known of the server besides.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use recado_wire::Info;
use tokio::sync::watch;

use super::figures::{self, Document, Problem, Request};
use super::process::Sampler;
use crate::config::features;
use crate::config::{Limits, MqttOptions, Options, StreamsOptions, TlsOptions, WebsocketOptions};
use crate::engine::{Engine, clock};
use crate::phase::Phase;
use crate::streams::{Inquiries, Opened, Place};

/// A running server, for whoever watches it.
pub(crate) struct Observed {
    pub(super) engine: Arc<Engine>,
    facts: RwLock<Arc<Facts>>,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) process: Mutex<Sampler>,
    /// On the engine's clock.
    pub(super) started_us: u64,
    /// The streams, if there are any.
    streams: Arc<Place>,
    requests: RequestCounts,
    sequence: AtomicU64,
}

/// Where monitoring listens.
#[derive(Clone, Debug)]
pub(crate) struct Listening {
    /// Host as it was configured.
    pub(crate) host: String,
    pub(crate) addr: SocketAddr,
    /// Over HTTPS.
    pub(crate) https: bool,
}

/// What the configuration says of the server, without any secret of it. Replaced as a whole.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(super) info: Info,
    pub(super) tags: Vec<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) feature_flags: BTreeMap<&'static str, bool>,
    pub(super) limits: Limits,
    pub(super) auth_timeout: Duration,
    pub(super) streams: StreamsOptions,
    pub(super) websocket: Option<WebsocketFacts>,
    pub(super) mqtt: Option<MqttFacts>,
    /// Tokens of the operators that are trusted.
    pub(super) operators: Vec<String>,
    /// Keys of proxies that are believed.
    pub(super) trusted_proxies: Vec<String>,
    pub(super) base_path: String,
    /// Where monitoring listens, if it does.
    pub(super) listening: Option<Listening>,
    pub(super) config_digest: String,
    /// When the configuration was read, in Unix nanoseconds.
    pub(super) loaded_ns: i64,
}

/// What it says of WebSocket clients.
#[derive(Clone, Debug)]
pub(crate) struct WebsocketFacts {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) advertise: String,
    pub(super) no_tls: bool,
    pub(super) same_origin: bool,
    pub(super) allowed_origins: Vec<String>,
    pub(super) compression: bool,
    pub(super) jwt_cookie: String,
    pub(super) handshake_timeout: Duration,
}

impl WebsocketFacts {
    /// `host` and `port` are where they are really listened for.
    fn of(options: &WebsocketOptions, host: &str, port: u16) -> Self {
        Self {
            host: host.to_owned(),
            port,
            advertise: options.advertise.clone().unwrap_or_default(),
            no_tls: options.no_tls,
            same_origin: options.same_origin,
            allowed_origins: options.allowed_origins.clone(),
            compression: options.compression,
            jwt_cookie: options.jwt_cookie.clone().unwrap_or_default(),
            handshake_timeout: options.handshake_timeout,
        }
    }
}

/// What it says of MQTT clients.
#[derive(Clone, Debug)]
pub(crate) struct MqttFacts {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) no_auth_user: String,
    pub(super) auth_timeout: Option<Duration>,
    pub(super) tls: Option<TlsOptions>,
    pub(super) js_domain: String,
    pub(super) ack_wait: Duration,
    pub(super) max_ack_pending: u16,
}

impl MqttFacts {
    fn of(options: &MqttOptions) -> Self {
        Self {
            host: options.host.clone().unwrap_or_default(),
            port: options.port,
            no_auth_user: options.no_auth_user.clone().unwrap_or_default(),
            auth_timeout: options.authorization.timeout,
            tls: options.tls.clone(),
            js_domain: options.js_domain.clone().unwrap_or_default(),
            ack_wait: options.ack_wait,
            max_ack_pending: options.max_ack_pending,
        }
    }
}

/// How often each path was asked for.
#[derive(Default)]
struct RequestCounts(BTreeMap<&'static str, AtomicU64>);

impl Facts {
    /// What `options` say, as of now.
    /// `websocket` is where clients of that kind are listened for.
    pub(crate) fn new(
        options: &Options,
        info: &Info,
        listening: Option<Listening>,
        websocket: Option<&(String, SocketAddr)>,
    ) -> Self {
        let auth_timeout = options.authorization.timeout;
        Self {
            info: info.clone(),
            tags: options.server_tags.clone(),
            metadata: options.server_metadata.clone(),
            feature_flags: features::in_force(&options.feature_flags),
            limits: options.limits.clone(),
            auth_timeout: auth_timeout.unwrap_or(Duration::from_secs(2)),
            streams: options.streams.clone(),
            websocket: { options.websocket.as_ref().zip(websocket) }
                .map(|(options, (host, addr))| WebsocketFacts::of(options, host, addr.port())),
            mqtt: options.mqtt.as_ref().map(MqttFacts::of),
            trusted_proxies: options.trusted_proxies.clone(),
            operators: { options.operator.iter() }
                .flat_map(|operator| operator.operators.iter().cloned())
                .collect(),
            base_path: options.monitoring.base_path.clone(),
            listening,
            config_digest: options.config_digest.clone().unwrap_or_default(),
            loaded_ns: clock::unix_ns(),
        }
    }
}

impl Observed {
    pub(crate) fn new(
        engine: &Arc<Engine>,
        streams: Arc<Place>,
        facts: Facts,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        Self {
            engine: Arc::clone(engine),
            facts: RwLock::new(Arc::new(facts)),
            phase,
            process: Mutex::default(),
            started_us: clock::now_us(),
            streams,
            requests: RequestCounts::new(),
            sequence: AtomicU64::new(1),
        }
    }

    /// Words that the server is found by, and what else is to be known of it.
    pub(crate) fn tags_and_metadata(&self) -> (Vec<String>, BTreeMap<String, String>) {
        let facts = self.facts();
        (facts.tags.clone(), facts.metadata.clone())
    }

    /// Flags of features.
    pub(crate) fn feature_flags(&self) -> BTreeMap<&'static str, bool> {
        self.facts().feature_flags.clone()
    }

    /// Where the streams are asked, if there are any now.
    pub(super) fn inquiries(&self) -> Option<Arc<Inquiries>> {
        let running = self.streams.get()?;
        Some(Arc::clone(running.streams.inquiries()))
    }

    /// What was found where they are stored.
    pub(super) fn store(&self) -> Option<Opened> {
        self.streams.get().map(|running| running.opened.clone())
    }

    /// What the server says of itself to clients.
    pub(crate) fn info(&self) -> Info {
        self.facts().info.clone()
    }

    /// Id of this run of the server.
    pub(crate) fn server_id(&self) -> String {
        self.facts().info.server_id.clone()
    }

    /// A number for each answer in the system account.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }

    /// The configuration was read again.
    pub(crate) fn set_facts(&self, facts: Facts) {
        *self.facts.write() = Arc::new(facts);
    }

    /// What the configuration says now.
    pub(super) fn facts(&self) -> Arc<Facts> {
        Arc::clone(&self.facts.read())
    }

    /// Answers a request, from whichever side it came.
    ///
    /// # Errors
    /// When what is asked for can't be had, or makes no sense.
    pub(crate) async fn document(&self, request: &Request) -> Result<Document, Problem> {
        figures::document(self, request).await
    }

    /// Counts a request for a path.
    pub(super) fn count_request(&self, path: &'static str) {
        if let Some(count) = self.requests.0.get(path) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Requests so far by path, those that were asked for.
    pub(super) fn request_counts(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.requests.0.iter();
        counts
            .map(|(path, count)| (*path, count.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

impl RequestCounts {
    fn new() -> Self {
        let paths = figures::PATHS.iter();
        Self(paths.map(|path| (*path, AtomicU64::new(0))).collect())
    }
}
