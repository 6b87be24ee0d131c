//! What all connections of one server share.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;
use recado_auth::{AccountName, Authenticator, ConnectionType, FailureLimits, Failures};
use recado_session::Settings;
use recado_streams::api::header::REQUEST_INFO;
use recado_wire::{ClientInfo, Info, ParseLimits, PreparedInfo};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::account::{Account, Accounts};
use super::callout::Inquiries;
use super::client::request_info;
use super::closed::ClosedRing;
use super::connection::{Connection, WriteLimits};
use super::counters::Counters;
use super::door::{Door, Way};
use super::drops::Drops;
use super::events::{Event, Events};
use super::login;
use super::msg_trace::Pending;
use super::newcomers::Newcomers;
use super::registry::Registry;
use super::standing::Standing;
use super::subscription::Subscription;
use super::threads::Threads;
use super::trace::Tracing;
use crate::access::Access;
use crate::config::{MqttOptions, Options};
use crate::mqtt::Sessions;

/// Longest line and largest payload that the parts of the server itself may use at least, in bytes. A session of MQTT is one
/// message, with all its topic filters and what is under way.
const INTERNAL_LINE_BYTES: usize = 4096;
const INTERNAL_PAYLOAD_BYTES: usize = 16 * 1024 * 1024;
/// What MQTT puts into the headers of a client's message beside its subject, in bytes.
const MQTT_HEADER_BYTES: usize = 1024;
/// The line that an MQTT client logs in with: its user name, and its password three times, may have 64 KiB each, and six times
/// that in JSON. What it said was bounded before.
const MQTT_LINE_BYTES: usize = 4 * 6 * 64 * 1024 + 4096;

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

/// What WebSocket clients are told: whether their connection is secure is decided before they hear it.
fn websocket_info(info: &Info, options: &Options, own: Option<&Authenticator>) -> Info {
    let advertise = options
        .websocket
        .as_ref()
        .and_then(|websocket| websocket.advertise.clone());
    Info {
        tls_required: false,
        tls_available: false,
        tls_verify: false,
        connect_urls: advertise.into_iter().collect(),
        auth_required: own.map_or(info.auth_required, Authenticator::is_required),
        ..info.clone()
    }
}

fn mqtt_domain(options: &Options) -> String {
    let own = options
        .mqtt
        .as_ref()
        .and_then(|mqtt| mqtt.js_domain.as_ref());
    let domain = own.or(options.streams.domain.as_ref());
    domain.map_or_else(String::new, |domain| format!("{domain}."))
}

/// What the parts of the server itself are held to, whatever clients are. What keeps messages of MQTT clients adds headers.
fn internal_session(session: &Settings) -> Settings {
    let parse = session.parse;
    let max_payload = parse
        .max_payload
        .saturating_add(mqtt_room(parse.max_control_line));
    let max_payload = max_payload.max(INTERNAL_PAYLOAD_BYTES);
    Settings {
        parse: ParseLimits {
            max_control_line: parse.max_control_line.max(INTERNAL_LINE_BYTES),
            max_payload,
        },
        auth_required: false,
        headers: true,
        max_subscriptions: 0,
        max_sub_tokens: 0,
        ..session.clone()
    }
}

/// What headers of MQTT may need, where a subject may be so long.
fn mqtt_room(max_control_line: usize) -> usize {
    max_control_line.saturating_add(MQTT_HEADER_BYTES)
}

/// What MQTT clients are held to. What translates for them bounds their messages, and then adds headers.
fn mqtt_session(session: &Settings, options: &Options, auth_required: bool) -> Settings {
    let own = options.mqtt.as_ref();
    let room = mqtt_room(session.parse.max_control_line);
    Settings {
        parse: ParseLimits {
            max_control_line: session.parse.max_control_line.max(MQTT_LINE_BYTES),
            max_payload: session.parse.max_payload.saturating_add(room),
        },
        payload_room: room,
        auth_required,
        auth_timeout: own
            .and_then(|mqtt| mqtt.authorization.timeout)
            .unwrap_or(session.auth_timeout),
        // What translates for them needs them, whatever clients may do with headers of their own.
        headers: true,
        ..session.clone()
    }
}

/// What the server was told, as far as it can be told anew while it runs: it changes as a whole.
pub(crate) struct Manner {
    pub(crate) session: Arc<Settings>,
    /// For the parts of the server itself: what clients are held to must not silence them.
    pub(crate) internal: Arc<Settings>,
    pub(crate) max_connections: Option<usize>,
    pub(crate) stall_publishers: bool,
    /// Connections that ended of which something is kept.
    pub(crate) max_closed: usize,
    /// Words that the server is found by.
    pub(crate) tags: Vec<String>,
    /// Write every operation to the log.
    pub(crate) trace: Option<Tracing>,
    pub(crate) authenticator: Authenticator,
    /// What WebSocket and MQTT clients are asked for, where that is something else (C18).
    websocket_authenticator: Option<Authenticator>,
    mqtt_authenticator: Option<Authenticator>,
    /// Who clients are that have said nothing; they may do nothing where that is not enough.
    anonymous: Option<Arc<Standing>>,
    websocket_anonymous: Option<Arc<Standing>>,
    mqtt_anonymous: Option<Arc<Standing>>,
    info: PreparedInfo,
    /// What WebSocket clients are told.
    websocket_info: PreparedInfo,
    /// What they are held to.
    pub(crate) websocket_session: Arc<Settings>,
    /// What MQTT clients are held to.
    mqtt_session: Arc<Settings>,
    /// How they are served, if they are.
    pub(crate) mqtt: Option<Arc<MqttOptions>>,
    /// What subjects of their sessions have in front: the streams' domain and a dot, if there is one.
    pub(crate) mqtt_domain: String,
}

/// Looks for an account that a login needs; whether it is known now.
pub(crate) type Finder =
    Box<dyn Fn(AccountName) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// The engine of one server.
pub(crate) struct Engine {
    pub(crate) accounts: Accounts,
    /// Who the parts of the server itself are.
    insider: Arc<Standing>,
    /// Who clients are that have to say who they are, and have not.
    nobody: Arc<Standing>,
    /// Who those are that speak in the system account.
    system_insider: Arc<Standing>,
    /// Addresses that keep failing to log in.
    pub(crate) failures: Mutex<Failures>,
    /// What the system account is told of clients.
    pub(crate) events: Events,
    pub(crate) connections: Registry,
    /// Those that ended last.
    pub(crate) closed: ClosedRing,
    pub(crate) counters: Counters,
    pub(crate) threads: Arc<Threads>,
    /// Bounds of what waits for a connection.
    pub(crate) write: Arc<WriteLimits>,
    /// Threads remember where messages go.
    pub(super) keeps_routes: bool,
    manner: ArcSwap<Manner>,
    /// Where accounts are looked for that nobody knows yet.
    finder: OnceLock<Finder>,
    /// What clients pass before their first operation.
    pub(crate) clients: Door,
    pub(crate) lame_duck: AtomicBool,
    /// Where credentials that take long are checked: so many at once.
    pub(crate) deciding: Semaphore,
    /// Logins that a service decides on.
    pub(crate) inquiries: Inquiries,
    /// Steps of TLS handshakes: so many at once, or a storm of them would keep everybody else waiting.
    pub(crate) handshakes: Arc<Semaphore>,
    /// What those pass that speak WebSocket.
    pub(crate) websocket: Door,
    /// What those pass that speak MQTT.
    pub(crate) mqtt: Door,
    /// Who speaks MQTT.
    pub(crate) mqtt_sessions: Sessions,
    /// Tells streams who subscribes.
    pub(crate) newcomers: Newcomers,
    /// Traces that wait for streams.
    pub(crate) traces: Pending,
    /// Says who speaks, in front of what the server tells.
    speaker: OnceLock<Speaker>,
}

/// Who the server is, as it says so itself.
type Speaker = Box<dyn Fn() -> Value + Send + Sync>;

impl Manner {
    pub(crate) fn new(options: &Options, access: Access, info: &Info, accounts: &Accounts) -> Self {
        let limits = &options.limits;
        let Access {
            clients: authenticator,
            websocket: websocket_authenticator,
            mqtt: mqtt_authenticator,
        } = access;
        let anonymous =
            login::without_credential(&authenticator, accounts, ConnectionType::Standard);
        let of_websocket = websocket_authenticator.as_ref().unwrap_or(&authenticator);
        let websocket_anonymous =
            login::without_credential(of_websocket, accounts, ConnectionType::Websocket);
        let of_mqtt = mqtt_authenticator.as_ref().unwrap_or(&authenticator);
        let mqtt_anonymous = login::without_credential(of_mqtt, accounts, ConnectionType::Mqtt);
        let session = Settings {
            parse: ParseLimits {
                max_control_line: limits.max_control_line,
                max_payload: limits.max_payload,
            },
            payload_room: 0,
            auth_required: anonymous.is_none(),
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
            internal: Arc::new(internal_session(&session)),
            websocket_session: Arc::new(Settings {
                auth_required: websocket_anonymous.is_none(),
                auth_timeout: options
                    .websocket
                    .as_ref()
                    .and_then(|websocket| websocket.authorization.timeout)
                    .unwrap_or(session.auth_timeout),
                ping_interval: options
                    .websocket
                    .as_ref()
                    .and_then(|websocket| websocket.ping_interval)
                    .unwrap_or(session.ping_interval),
                ..session.clone()
            }),
            mqtt_session: Arc::new(mqtt_session(&session, options, mqtt_anonymous.is_none())),
            mqtt: options.mqtt.clone().map(Arc::new),
            mqtt_domain: mqtt_domain(options),
            session: Arc::new(session),
            max_connections: limits.max_connections,
            stall_publishers: !limits.no_fast_producer_stall,
            max_closed: options.monitoring.max_closed_clients,
            tags: options.server_tags.clone(),
            trace: options.log.trace.then_some(Tracing {
                shown_max: options.log.max_traced_msg_len,
                headers_only: options.log.trace_headers,
            }),
            anonymous,
            websocket_anonymous,
            mqtt_anonymous,
            info: info.prepare(),
            websocket_info: websocket_info(info, options, websocket_authenticator.as_ref())
                .prepare(),
            authenticator,
            websocket_authenticator,
            mqtt_authenticator,
        }
    }
}

impl Manner {
    /// What a client is asked for that came this way.
    pub(crate) fn authenticator_for(&self, way: Way) -> &Authenticator {
        let own = match way {
            Way::Clients => None,
            Way::Websocket => self.websocket_authenticator.as_ref(),
            Way::Mqtt => self.mqtt_authenticator.as_ref(),
        };
        own.unwrap_or(&self.authenticator)
    }

    /// How the session of such a client goes.
    pub(crate) fn session_for(&self, way: Way) -> &Arc<Settings> {
        match way {
            Way::Clients => &self.session,
            Way::Websocket => &self.websocket_session,
            Way::Mqtt => &self.mqtt_session,
        }
    }

    /// What such a client is told. Those that speak MQTT do not hear it.
    fn info_for(&self, way: Way) -> &PreparedInfo {
        match way {
            Way::Websocket => &self.websocket_info,
            Way::Clients | Way::Mqtt => &self.info,
        }
    }

    /// Whether INFO must bring a nonce to be signed.
    pub(crate) fn needs_nonce(&self) -> bool {
        let own = self.websocket_authenticator.as_ref();
        self.authenticator.needs_nonce() || own.is_some_and(Authenticator::needs_nonce)
    }

    /// Who a client is that came this way and has said nothing; `None`: nobody yet.
    pub(crate) fn anonymous(&self, way: Way) -> Option<&Arc<Standing>> {
        match way {
            Way::Clients => self.anonymous.as_ref(),
            Way::Websocket => self.websocket_anonymous.as_ref(),
            Way::Mqtt => self.mqtt_anonymous.as_ref(),
        }
    }
}

impl Engine {
    /// An engine without connections. `options` are what [`Manner`] does not hold: they stay as they are.
    pub(crate) fn new(
        manner: Manner,
        options: &Options,
        accounts: Accounts,
        threads: Arc<Threads>,
        inquiries: Inquiries,
    ) -> Self {
        Self {
            insider: Arc::new(Standing::anonymous(accounts.global())),
            nobody: Arc::new(Standing::anonymous(accounts.global())),
            system_insider: Arc::new(Standing::anonymous(&accounts.system())),
            events: Events::default(),
            failures: Mutex::new(Failures::new(FailureLimits::default())),
            accounts,
            connections: Registry::default(),
            closed: ClosedRing::new(manner.max_closed),
            counters: Counters::default(),
            threads,
            write: Arc::new(WriteLimits::new(
                options.limits.max_pending,
                options.limits.write_deadline,
                options.limits.write_timeout,
            )),
            keeps_routes: !options.limits.disable_sublist_cache,
            manner: ArcSwap::from_pointee(manner),
            finder: OnceLock::new(),
            lame_duck: AtomicBool::new(false),
            deciding: Semaphore::new(deciders()),
            inquiries,
            handshakes: Arc::new(Semaphore::new(deciders())),
            clients: Door::default(),
            websocket: Door::default(),
            mqtt: Door::default(),
            mqtt_sessions: Sessions::default(),
            newcomers: Newcomers::default(),
            traces: Pending::default(),
            speaker: OnceLock::new(),
        }
    }

    /// Bytes that a message of this client may have, where that is less than anybody's.
    pub(crate) fn payload_max_of(&self, connection: &Connection) -> Option<usize> {
        login::rights_of(&connection.standing()).max_payload
    }

    pub(crate) fn door(&self, way: Way) -> &Door {
        match way {
            Way::Clients => &self.clients,
            Way::Websocket => &self.websocket,
            Way::Mqtt => &self.mqtt,
        }
    }

    /// Who speaks, as nats-server writes it in front of what it tells.
    pub(super) fn speaker(&self) -> Value {
        let speaker = self.speaker.get();
        speaker.map_or_else(|| Value::Object(Default::default()), |speaker| speaker())
    }

    /// Says who it is from now on.
    pub(crate) fn set_speaker(&self, speaker: impl Fn() -> Value + Send + Sync + 'static) {
        // There is one server an engine.
        let _ = self.speaker.set(Box::new(speaker));
    }

    /// How it behaves now. Not to be kept: it may be told otherwise.
    #[inline]
    pub(crate) fn manner(&self) -> Guard<Arc<Manner>> {
        self.manner.load()
    }

    /// Behaves like this from now on.
    pub(crate) fn set_manner(&self, manner: Manner) {
        self.manner.store(Arc::new(manner));
    }

    /// Has accounts looked for by `finder` from now on.
    pub(crate) fn set_finder(&self, finder: Finder) {
        // Set once, where the server starts.
        let _ = self.finder.set(finder);
    }

    /// Looks for an account that a login needs; whether it is known now.
    pub(super) async fn find_account(&self, name: &AccountName) -> bool {
        match self.finder.get() {
            Some(find) => find(Arc::clone(name)).await,
            None => false,
        }
    }

    /// Who the parts of the server itself are that speak in the system account.
    pub(crate) fn system_insider(&self) -> &Arc<Standing> {
        &self.system_insider
    }

    /// INFO that sends one client elsewhere.
    pub(crate) fn lame_duck_line(&self, connection: &Connection) -> Vec<u8> {
        let client = self.client_info(connection.id, connection.address(), None, None);
        let manner = self.manner();
        let info = manner.info_for(connection.way());
        info.line(&ClientInfo {
            lame_duck: true,
            ..client
        })
    }

    /// Something happened.
    pub(crate) fn note_event(&self, event: impl FnOnce() -> Event) {
        self.events.note(&self.accounts.system(), event);
    }

    /// Subscriptions of all accounts.
    pub(crate) fn subscriptions(&self) -> usize {
        let all = self.accounts.all();
        all.iter().map(|account| account.router.len()).sum()
    }

    /// Who clients are that have to say who they are, and have not: they may do nothing yet.
    pub(crate) fn nobody(&self) -> &Arc<Standing> {
        &self.nobody
    }

    /// Who the parts of the server itself are.
    pub(crate) fn insider(&self) -> &Arc<Standing> {
        &self.insider
    }

    /// The INFO line of one connection; with its account once that is known (A09).
    pub(crate) fn info_line(
        &self,
        id: u64,
        peer: Option<SocketAddr>,
        account: Option<&Account>,
        nonce: Option<&str>,
    ) -> Vec<u8> {
        let client = self.client_info(id, peer, account, nonce);
        self.manner().info.line(&client)
    }

    fn client_info(
        &self,
        id: u64,
        peer: Option<SocketAddr>,
        account: Option<&Account>,
        nonce: Option<&str>,
    ) -> ClientInfo {
        ClientInfo {
            client_id: id,
            client_ip: peer
                .map(|peer| peer.ip().to_canonical().to_string())
                .unwrap_or_default(),
            lame_duck: self.lame_duck.load(Ordering::Relaxed),
            connect_info: account.is_some(),
            nonce: nonce.unwrap_or_default().to_owned(),
            acc_is_sys: account
                .is_some_and(|account| account.number == self.system_insider.account.number),
            remote_account: account.map_or("", |account| &account.name).to_owned(),
            max_payload: None,
        }
    }

    /// The same for a connection that there is.
    pub(crate) fn info_for(
        &self,
        connection: &Connection,
        account: Option<&Account>,
        nonce: Option<&str>,
    ) -> Vec<u8> {
        let manner = self.manner();
        let info = manner.info_for(connection.way());
        let client = self.client_info(connection.id, connection.address(), account, nonce);
        // Before somebody has said who it is, the server's own bound is told.
        let most = account.and_then(|_| login::rights_of(&connection.standing()).max_payload);
        info.line(&ClientInfo {
            max_payload: most,
            ..client
        })
    }

    /// Ends a subscription that had its last delivery, from whichever thread delivered it.
    pub(crate) fn end_subscription(&self, sub: &Arc<Subscription>) {
        // Of a connection that is gone, everything was taken out.
        let Some(connection) = sub.connection.upgrade() else {
            return;
        };
        connection.account().leave(sub);
        let mut held = connection.subscriptions.lock();
        // The sid may stand for a newer subscription by now.
        if held
            .get(sub.sid())
            .is_some_and(|found| Arc::ptr_eq(found, sub))
        {
            held.remove(sub.sid());
        }
    }

    /// What did not arrive lately.
    pub(crate) fn drops(&self) -> &Drops {
        &self.write.drops
    }

    /// Subscribers cut off so far.
    pub(crate) fn slow_consumers(&self) -> u64 {
        self.write.slow_consumers.load(Ordering::Relaxed)
    }

    /// `headers` with a line that says who published: `Nats-Request-Info`, as nats-server has it
    /// for shared service imports (C44), with the round trip in nanoseconds.
    pub(crate) fn origin_headers(&self, publisher: &Connection, headers: &[u8]) -> Vec<u8> {
        let info = request_info(publisher, self.inquiries.server_name());
        let block = if headers.is_empty() {
            b"NATS/1.0\r\n\r\n"
        } else {
            headers
        };
        let head = block.strip_suffix(b"\r\n").unwrap_or(block);
        [head, REQUEST_INFO.as_bytes(), b": ", &info, b"\r\n\r\n"].concat()
    }
}
