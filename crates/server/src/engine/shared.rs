//! What all connections of one server share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use recado_auth::Authenticator;
use recado_router::Router;
use recado_session::Settings;
use recado_wire::{Info, ParseLimits};

use super::connection::{Connection, WriteLimits};
use super::registry::Registry;
use super::subscription::Subscription;
use super::trace::Tracing;
use crate::config::Options;

/// Account that everybody is in; the name nats-server gives it.
pub(crate) const GLOBAL_ACCOUNT: &str = "$G";

/// What does not change while the server runs.
pub(crate) struct EngineSettings {
    pub(crate) session: Arc<Settings>,
    pub(crate) write: WriteLimits,
    pub(crate) max_connections: Option<usize>,
    pub(crate) stall_publishers: bool,
    /// Write every operation to the log.
    pub(crate) trace: Option<Tracing>,
}

/// The engine of one server.
pub(crate) struct Engine {
    pub(crate) router: Router<Subscription>,
    pub(crate) connections: Registry,
    pub(crate) authenticator: Authenticator,
    pub(crate) settings: EngineSettings,
    info: Info,
    pub(crate) lame_duck: AtomicBool,
    pub(crate) slow_consumers: AtomicU64,
    pub(crate) total_connections: AtomicU64,
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
                .unwrap_or(Duration::from_secs(2)),
            ping_interval: limits.ping_interval,
            first_ping: Duration::from_secs(2),
            ping_max: limits.ping_max,
            headers: !limits.no_header_support,
            max_subscriptions: limits.max_subscriptions,
            max_sub_tokens: limits.max_sub_tokens,
        };
        Self {
            session: Arc::new(session),
            write: WriteLimits {
                max_pending: limits.max_pending,
                write_deadline: limits.write_deadline,
            },
            max_connections: limits.max_connections,
            stall_publishers: !limits.no_fast_producer_stall,
            trace: options.log.trace.then_some(Tracing {
                shown_max: options.log.max_traced_msg_len,
                headers_only: options.log.trace_headers,
            }),
        }
    }
}

impl Engine {
    pub(crate) fn new(settings: EngineSettings, authenticator: Authenticator, info: Info) -> Self {
        Self {
            router: Router::default(),
            connections: Registry::default(),
            authenticator,
            settings,
            info,
            lame_duck: AtomicBool::new(false),
            slow_consumers: AtomicU64::new(0),
            total_connections: AtomicU64::new(0),
        }
    }

    /// The INFO line of one connection.
    pub(crate) fn info_line(&self, id: u64, peer: Option<SocketAddr>, second: bool) -> Vec<u8> {
        let mut info = self.info.clone();
        info.client_id = id;
        info.client_ip = peer
            .map(|peer| peer.ip().to_canonical().to_string())
            .unwrap_or_default();
        info.lame_duck = self.lame_duck.load(Ordering::Relaxed);
        if second {
            info.connect_info = true;
            info.remote_account = GLOBAL_ACCOUNT.to_owned();
        }
        info.line()
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

    /// Names a subscriber that was cut off.
    pub(crate) fn report_slow_consumer(
        &self,
        connection: &Connection,
        subject: &[u8],
        pending_bytes: usize,
    ) {
        self.slow_consumers.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            cid = connection.id,
            peer = %connection.peer_text(),
            name = %connection.name(),
            subject = %subject.escape_ascii(),
            pending_bytes,
            max_pending = self.settings.write.max_pending,
            "slow consumer cut off: more bytes wait for it than max_pending allows"
        );
    }

    /// `headers` with a line that says who published: `Nats-Request-Info`, as nats-server has it
    /// for shared service imports (C44), with the round trip in nanoseconds.
    pub(crate) fn origin_headers(&self, publisher: &Connection, headers: &[u8]) -> Vec<u8> {
        let round_trip_us = publisher.round_trip_us.load(Ordering::Relaxed);
        let info = serde_json::json!({
            "id": publisher.id,
            "acc": GLOBAL_ACCOUNT,
            "host": publisher.peer.map(|peer| peer.to_string()),
            "name": publisher.name(),
            "rtt": u64::from(round_trip_us) * 1000,
        });
        let block = if headers.is_empty() {
            b"NATS/1.0\r\n\r\n"
        } else {
            headers
        };
        let head = block.strip_suffix(b"\r\n").unwrap_or(block);
        [
            head,
            b"Nats-Request-Info: ",
            info.to_string().as_bytes(),
            b"\r\n\r\n",
        ]
        .concat()
    }
}
