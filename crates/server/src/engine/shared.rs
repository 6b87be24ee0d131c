//! What all connections of one server share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use recado_auth::Authenticator;
use recado_router::Router;
use recado_session::Settings;
use recado_streams::api::header::REQUEST_INFO;
use recado_wire::{ClientInfo, Info, ParseLimits, PreparedInfo};
use tokio::sync::Semaphore;

use super::client::RequestInfo;
use super::connection::{Connection, WriteLimits};
use super::door::Door;
use super::newcomers::Newcomers;
use super::registry::Registry;
use super::subscription::Subscription;
use super::threads::Threads;
use super::trace::Tracing;
use crate::config::Options;

/// Account that everybody is in; the name nats-server gives it.
pub(crate) const GLOBAL_ACCOUNT: &str = "$G";

/// Longest line and largest payload that the parts of the server itself may use at least, in bytes.
const INTERNAL_LINE_BYTES: usize = 4096;
const INTERNAL_PAYLOAD_BYTES: usize = 1024 * 1024;

/// Credentials that are checked at once where that takes long: half the cores, or clients with
/// wrong ones would keep everybody else from running.
fn deciders() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
}

/// Time to authenticate where none was configured (A67).
fn default_auth_timeout(options: &Options) -> Duration {
    match &options.tls {
        Some(tls) => tls.timeout + Duration::from_secs(1),
        None => Duration::from_secs(2),
    }
}

/// What does not change while the server runs.
pub(crate) struct EngineSettings {
    pub(crate) session: Arc<Settings>,
    /// For the parts of the server itself: what clients are held to must not silence them.
    pub(crate) internal: Arc<Settings>,
    pub(crate) write: Arc<WriteLimits>,
    pub(crate) max_connections: Option<usize>,
    pub(crate) stall_publishers: bool,
    /// Write every operation to the log.
    pub(crate) trace: Option<Tracing>,
    /// What clients pass before their first operation.
    pub(crate) clients: Door,
}

/// The engine of one server.
pub(crate) struct Engine {
    pub(crate) router: Router<Subscription>,
    pub(crate) connections: Registry,
    pub(crate) threads: Arc<Threads>,
    pub(crate) authenticator: Authenticator,
    pub(crate) settings: EngineSettings,
    info: PreparedInfo,
    pub(crate) lame_duck: AtomicBool,
    /// Where credentials that take long are checked: so many at once.
    pub(crate) deciding: Semaphore,
    /// Steps of TLS handshakes: so many at once, or a storm of them would keep everybody else waiting.
    pub(crate) handshakes: Semaphore,
    /// Tells streams who subscribes.
    pub(crate) newcomers: Newcomers,
}

impl EngineSettings {
    pub(crate) fn new(options: &Options, auth_required: bool) -> Self {
        let limits = &options.limits;
        let session = Settings {
            parse: ParseLimits {
                max_control_line: limits.max_control_line,
                max_payload: limits.max_payload,
            },
            auth_required,
            auth_timeout: options
                .authorization
                .timeout
                .unwrap_or_else(|| default_auth_timeout(options)),
            ping_interval: limits.ping_interval,
            first_ping: Duration::from_secs(2),
            ping_max: limits.ping_max,
            headers: !limits.no_header_support,
            max_subscriptions: limits.max_subscriptions,
            max_sub_tokens: limits.max_sub_tokens,
        };
        Self {
            internal: Arc::new(Settings {
                parse: ParseLimits {
                    max_control_line: limits.max_control_line.max(INTERNAL_LINE_BYTES),
                    max_payload: limits.max_payload.max(INTERNAL_PAYLOAD_BYTES),
                },
                auth_required: false,
                headers: true,
                max_subscriptions: 0,
                max_sub_tokens: 0,
                ..session.clone()
            }),
            session: Arc::new(session),
            write: Arc::new(WriteLimits {
                max_pending: limits.max_pending,
                write_deadline: limits.write_deadline,
                slow_consumers: AtomicU64::new(0),
            }),
            max_connections: limits.max_connections,
            stall_publishers: !limits.no_fast_producer_stall,
            trace: options.log.trace.then_some(Tracing {
                shown_max: options.log.max_traced_msg_len,
                headers_only: options.log.trace_headers,
            }),
            clients: Door::default(),
        }
    }
}

impl Engine {
    pub(crate) fn new(
        settings: EngineSettings,
        authenticator: Authenticator,
        info: &Info,
        threads: Arc<Threads>,
    ) -> Self {
        Self {
            router: Router::default(),
            connections: Registry::default(),
            threads,
            authenticator,
            settings,
            info: info.prepare(),
            lame_duck: AtomicBool::new(false),
            deciding: Semaphore::new(deciders()),
            handshakes: Semaphore::new(deciders()),
            newcomers: Newcomers::default(),
        }
    }

    /// The INFO line of one connection.
    pub(crate) fn info_line(&self, id: u64, peer: Option<SocketAddr>, second: bool) -> Vec<u8> {
        self.info.line(&ClientInfo {
            client_id: id,
            client_ip: peer
                .map(|peer| peer.ip().to_canonical().to_string())
                .unwrap_or_default(),
            lame_duck: self.lame_duck.load(Ordering::Relaxed),
            connect_info: second,
            remote_account: if second { GLOBAL_ACCOUNT } else { "" }.to_owned(),
        })
    }

    /// Ends a subscription that had its last delivery, from whichever thread delivered it.
    pub(crate) fn end_subscription(&self, sub: &Arc<Subscription>) {
        self.router.remove(sub);
        let Some(connection) = sub.connection.upgrade() else {
            return;
        };
        let mut held = connection.subscriptions.lock();
        // The sid may stand for a newer subscription by now.
        if held
            .get(sub.sid())
            .is_some_and(|found| Arc::ptr_eq(found, sub))
        {
            held.remove(sub.sid());
        }
    }

    /// Subscribers cut off so far.
    pub(crate) fn slow_consumers(&self) -> u64 {
        self.settings.write.slow_consumers.load(Ordering::Relaxed)
    }

    /// `headers` with a line that says who published: `Nats-Request-Info`, as nats-server has it
    /// for shared service imports (C44), with the round trip in nanoseconds.
    pub(crate) fn origin_headers(&self, publisher: &Connection, headers: &[u8]) -> Vec<u8> {
        let info = RequestInfo::of(publisher).to_json();
        let block = if headers.is_empty() {
            b"NATS/1.0\r\n\r\n"
        } else {
            headers
        };
        let head = block.strip_suffix(b"\r\n").unwrap_or(block);
        [head, REQUEST_INFO.as_bytes(), b": ", &info, b"\r\n\r\n"].concat()
    }
}
