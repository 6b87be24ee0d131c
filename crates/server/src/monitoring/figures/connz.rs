//! `/connz`: connections, those that are there and those that ended last.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use recado_auth::ConnectionType;
use recado_router::Subscription as _;
use recado_streams::config::subjects_overlap;
use serde::Serialize;

use super::accounts;
use super::moments::{Moment, round_trip, uptime};
use super::problem::Problem;
use super::request::{ConnState, ConnzOptions};
use crate::engine::{
    Client, Closed, Connection, Engine, Subscription, SubscriptionNote, TlsFacts, Totals, Vouched,
    client_type, clock,
};
use crate::monitoring::observed::Observed;

/// Connections of one document, unless more are asked for.
const CONNECTIONS_DEFAULT: usize = 1024;
/// Subscriptions that are listed of one connection.
const LISTED_MAX: usize = 65_536;

/// The document.
#[derive(Serialize)]
pub(crate) struct Connz {
    server_id: String,
    now: Moment,
    num_connections: usize,
    total: usize,
    offset: usize,
    limit: usize,
    connections: Vec<ConnInfo>,
}

/// One connection.
#[derive(Serialize)]
pub(super) struct ConnInfo {
    cid: u64,
    kind: &'static str,
    #[serde(rename = "type")]
    of_type: &'static str,
    ip: String,
    port: u16,
    start: Moment,
    last_activity: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    rtt: String,
    uptime: String,
    idle: String,
    pending_bytes: usize,
    in_msgs: u64,
    out_msgs: u64,
    in_bytes: u64,
    out_bytes: u64,
    subscriptions: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lang: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_cipher_suite: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tls_peer_certs: Vec<PeerCertificate>,
    #[serde(skip_serializing_if = "is_false")]
    tls_first: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorized_user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_tag: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<Proxy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mqtt_client: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subscriptions_list: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subscriptions_list_detail: Vec<SubDetail>,
}

/// A trusted proxy that a client came through (ADR-55).
#[derive(Clone, Debug, Serialize)]
pub(super) struct Proxy {
    pub(super) key: String,
}

/// The certificate that a client showed.
#[derive(Clone, Debug, Serialize)]
struct PeerCertificate {
    subject: String,
    spki_sha256: String,
    cert_sha256: String,
}

impl PeerCertificate {
    fn of(tls: &TlsFacts) -> Option<Self> {
        let digests = tls.digests.as_ref()?;
        let names = tls.names.as_ref();
        Some(Self {
            subject: names.map_or_else(String::new, |names| names.subject.text()),
            spki_sha256: digests.key.clone(),
            cert_sha256: digests.certificate.clone(),
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !value
}

/// One subscription, with all there is to tell of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SubDetail {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account_tag: Option<String>,
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    qgroup: Option<String>,
    sid: String,
    msgs: u64,
    #[serde(skip_serializing_if = "is_zero")]
    max: u64,
    cid: u64,
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl SubDetail {
    pub(super) fn of(sub: &Subscription) -> Self {
        Self::new(sub.connection_id, SubscriptionNote::of(sub))
    }

    fn new(cid: u64, note: SubscriptionNote) -> Self {
        Self {
            account: None,
            account_tag: None,
            subject: note.filter,
            qgroup: note.queue,
            sid: note.sid,
            msgs: note.delivered,
            max: note.max,
            cid,
        }
    }
}

/// A connection, wherever it is known from.
enum Known {
    Open(Arc<Connection>, SocketAddr),
    Closed(Arc<Closed>),
}

/// What connections can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Cid,
    Subs,
    Pending,
    OutMessages,
    InMessages,
    OutBytes,
    InBytes,
    Last,
    Idle,
    Uptime,
    Stop,
    Reason,
    RoundTrip,
}

impl Sort {
    fn of_word(word: &str) -> Result<Self, Problem> {
        Ok(match word {
            "" | "cid" | "start" => Self::Cid,
            "subs" => Self::Subs,
            "pending" => Self::Pending,
            "msgs_to" => Self::OutMessages,
            "msgs_from" => Self::InMessages,
            "bytes_to" => Self::OutBytes,
            "bytes_from" => Self::InBytes,
            "last" => Self::Last,
            "idle" => Self::Idle,
            "uptime" => Self::Uptime,
            "stop" => Self::Stop,
            "reason" => Self::Reason,
            "rtt" => Self::RoundTrip,
            other => {
                let shown: String = other.chars().take(64).collect();
                let text = format!("invalid sorting option: {shown}");
                return Err(Problem::bad_request(text));
            }
        })
    }

    fn check(self, state: ConnState) -> Result<Self, Problem> {
        let word = match self {
            Self::Stop => "stop",
            Self::Reason => "reason",
            _ => return Ok(self),
        };
        match state {
            ConnState::Closed => Ok(self),
            _ => Err(Problem::bad_request(format!(
                "sort by {word} only valid on closed connections"
            ))),
        }
    }
}

/// Makes the document.
pub(super) fn connz(observed: &Observed, options: &ConnzOptions) -> Result<Connz, Problem> {
    let sort = Sort::of_word(&options.sort)?.check(options.state)?;
    let filter = subject_filter(options)?;
    let now_us = clock::now_us();
    let mut known = gather(observed, options.state);
    known.retain(|one| one.is_wanted(options, filter));
    sort_by(&mut known, sort, now_us);
    let limit = match options.limit {
        _ if options.cid > 0 => 1,
        0 => CONNECTIONS_DEFAULT,
        given => given,
    };
    let total = known.len();
    let page = known.iter().skip(options.offset).take(limit);
    let connections: Vec<ConnInfo> = page
        .map(|one| one.info(&observed.engine, options, now_us))
        .collect();
    Ok(Connz {
        server_id: observed.facts().info.server_id.clone(),
        now: Moment::now(),
        num_connections: connections.len(),
        total,
        offset: options.offset,
        limit,
        connections,
    })
}

/// The filter that subscriptions must have subjects in common with, if one is asked for.
fn subject_filter(options: &ConnzOptions) -> Result<Option<&str>, Problem> {
    let filter = options.filter_subject.as_str();
    if filter.is_empty() || filter == ">" {
        return Ok(None);
    }
    if options.account.is_empty() {
        return Err(Problem::bad_request(
            "filter by subject only valid with account filtering",
        ));
    }
    Ok(Some(filter))
}

/// All clients in this state. Who ends right now is known from one side only.
fn gather(observed: &Observed, state: ConnState) -> Vec<Known> {
    let engine = &observed.engine;
    let mut known = Vec::new();
    if state != ConnState::Closed {
        let all = engine.connections.all().into_iter();
        known.extend(all.filter_map(|one| one.address().map(|peer| Known::Open(one, peer))));
    }
    if state != ConnState::Open {
        let closed = engine.closed.all();
        let ids: HashSet<u64> = closed.iter().map(|one| one.id).collect();
        known.retain(|one| !ids.contains(&one.id()));
        known.extend(closed.into_iter().map(Known::Closed));
    }
    known
}

fn sort_by(known: &mut [Known], sort: Sort, now_us: u64) {
    match sort {
        Sort::Cid => known.sort_by_key(Known::id),
        Sort::Reason => known.sort_by_key(|one| (one.reason(), one.id())),
        _ => known.sort_by_cached_key(|one| (Reverse(one.figure(sort, now_us)), one.id())),
    }
}

impl Known {
    fn id(&self) -> u64 {
        match self {
            Self::Open(one, _) => one.id,
            Self::Closed(one) => one.id,
        }
    }

    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Open(..) => None,
            Self::Closed(one) => Some(one.reason.text()),
        }
    }

    fn account(&self) -> Arc<str> {
        match self {
            Self::Open(one, _) => accounts::of(one),
            Self::Closed(one) => Arc::clone(&one.account),
        }
    }

    fn client(&self) -> Option<&Client> {
        match self {
            Self::Open(one, _) => one.client.get().map(|client| &**client),
            Self::Closed(one) => one.client.as_deref(),
        }
    }

    fn user(&self) -> Option<String> {
        match self {
            Self::Open(one, _) => one.standing().identity.user.clone(),
            Self::Closed(one) => one.user.clone(),
        }
    }

    fn vouched(&self) -> Vouched {
        match self {
            Self::Open(one, _) => Vouched::of(&one.standing().identity),
            Self::Closed(one) => one.vouched.clone(),
        }
    }

    fn totals(&self) -> Totals {
        match self {
            Self::Open(one, _) => Totals::of(&one.traffic),
            Self::Closed(one) => one.totals,
        }
    }

    fn subscriptions(&self) -> usize {
        match self {
            Self::Open(one, _) => one.subscriptions.lock().len(),
            Self::Closed(one) => one.held.count,
        }
    }

    fn pending_bytes(&self) -> usize {
        match self {
            Self::Open(one, _) => {
                one.waiting_bytes() + one.front().map_or(0, |front| front.outside.waiting_bytes())
            }
            Self::Closed(_) => 0,
        }
    }

    /// When it began, was last active, and ended, on the engine's clock.
    fn life(&self) -> (u64, u64, Option<u64>) {
        match self {
            Self::Open(one, _) => (one.opened_us, one.active_us.load(Ordering::Relaxed), None),
            Self::Closed(one) => (one.opened_us, one.active_us, Some(one.closed_us)),
        }
    }

    fn round_trip_us(&self) -> u32 {
        match self {
            Self::Open(one, _) => one.round_trip_us.load(Ordering::Relaxed),
            Self::Closed(one) => one.round_trip_us,
        }
    }

    /// What it is sorted by, the largest first.
    fn figure(&self, sort: Sort, now_us: u64) -> u64 {
        let (opened, active, closed) = self.life();
        match sort {
            Sort::Cid | Sort::Reason => self.id(),
            Sort::Subs => self.subscriptions() as u64,
            Sort::Pending => self.pending_bytes() as u64,
            Sort::OutMessages => self.totals().out_messages,
            Sort::InMessages => self.totals().in_messages,
            Sort::OutBytes => self.totals().out_bytes,
            Sort::InBytes => self.totals().in_bytes,
            Sort::Last => active,
            Sort::Idle => now_us.saturating_sub(active),
            Sort::Uptime => closed.unwrap_or(now_us).saturating_sub(opened),
            Sort::Stop => closed.unwrap_or(0),
            Sort::RoundTrip => u64::from(self.round_trip_us()),
        }
    }

    fn is_wanted(&self, options: &ConnzOptions, filter: Option<&str>) -> bool {
        let is = |wanted: &str, found: Option<&str>| wanted.is_empty() || found == Some(wanted);
        (options.cid == 0 || options.cid == self.id())
            && is(&options.account, Some(&*self.account()))
            && is(&options.user, self.user().as_deref())
            && is(&options.mqtt_client, self.mqtt_client())
            && filter.is_none_or(|filter| self.is_interested_in(filter))
    }

    /// Whether it is there, and subscribed to something that has subjects in common with `filter`.
    fn is_interested_in(&self, filter: &str) -> bool {
        match self {
            Self::Open(one, _) => subscriptions_of(one).iter().any(|sub| {
                let held = String::from_utf8_lossy(sub.filter());
                subjects_overlap(filter, &held)
            }),
            Self::Closed(_) => true,
        }
    }

    fn info(&self, engine: &Engine, options: &ConnzOptions, now_us: u64) -> ConnInfo {
        let (opened, active, closed) = self.life();
        let peer = match self {
            Self::Open(_, peer) => *peer,
            Self::Closed(one) => one.peer,
        };
        let end = closed.unwrap_or(now_us);
        let totals = self.totals();
        let client = self.client();
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        let (listed, detailed) = self.lists(options);
        let tls = self.tls();
        let mut vouched = self.vouched();
        let proxy = vouched.proxy_key.take().map(|key| Proxy { key });
        if !options.auth {
            vouched = Vouched::default();
        }
        ConnInfo {
            cid: self.id(),
            kind: "Client",
            of_type: client_type(self.how()),
            ip: peer.ip().to_canonical().to_string(),
            port: peer.port(),
            start: Moment::of_engine(opened),
            last_activity: Moment::of_engine(active),
            stop: closed.map(Moment::of_engine),
            reason: self.reason(),
            rtt: round_trip(self.round_trip_us()),
            uptime: uptime(opened, end),
            idle: uptime(active, end),
            pending_bytes: self.pending_bytes(),
            in_msgs: totals.in_messages,
            out_msgs: totals.out_messages,
            in_bytes: totals.in_bytes,
            out_bytes: totals.out_bytes,
            subscriptions: self.subscriptions(),
            name: text(client.and_then(|client| client.name.as_deref())),
            lang: text(client.and_then(|client| client.lang.as_deref())),
            version: text(client.and_then(|client| client.version.as_deref())),
            tls_version: tls.map(|tls| tls.version),
            tls_cipher_suite: tls.map(|tls| tls.cipher_suite.clone()),
            // Whose it is is told to those who ask for users.
            tls_peer_certs: tls
                .filter(|_| options.auth)
                .and_then(|tls| PeerCertificate::of(tls))
                .into_iter()
                .collect(),
            tls_first: tls.is_some_and(|tls| tls.first),
            authorized_user: text(self.user().as_deref().filter(|_| options.auth)),
            account: accounts::shown(&self.account()).filter(|_| options.auth),
            name_tag: options
                .auth
                .then(|| accounts::name_tag(engine, &self.account())),
            issuer_key: vouched.issuer_key,
            tags: vouched.tags,
            proxy,
            mqtt_client: text(self.mqtt_client()),
            subscriptions_list: listed,
            subscriptions_list_detail: detailed,
        }
    }

    fn tls(&self) -> Option<&Arc<TlsFacts>> {
        match self {
            Self::Open(one, _) => one.tls(),
            Self::Closed(one) => one.tls.as_ref(),
        }
    }

    fn how(&self) -> ConnectionType {
        match self {
            Self::Open(one, _) => one.connection_type(),
            Self::Closed(one) => one.how,
        }
    }

    fn mqtt_client(&self) -> Option<&str> {
        match self {
            Self::Open(one, _) => one.mqtt_client(),
            Self::Closed(one) => one.mqtt_client.as_deref(),
        }
    }

    /// Its subscriptions, in the form that was asked for.
    fn lists(&self, options: &ConnzOptions) -> (Vec<String>, Vec<SubDetail>) {
        if !options.subscriptions && !options.subscriptions_detail {
            return (Vec::new(), Vec::new());
        }
        let details: Vec<SubDetail> = match self {
            Self::Open(one, _) => subscriptions_of(one)
                .iter()
                .map(|sub| SubDetail::of(sub))
                .collect(),
            Self::Closed(one) => {
                let notes = one.held.listed.iter().cloned();
                notes.map(|note| SubDetail::new(one.id, note)).collect()
            }
        };
        match options.subscriptions_detail {
            true => (Vec::new(), details),
            false => (
                details.into_iter().map(|detail| detail.subject).collect(),
                Vec::new(),
            ),
        }
    }
}

/// What a connection is subscribed to, at most so much as is listed. Texts are made when its lock is free again.
pub(super) fn subscriptions_of(connection: &Connection) -> Vec<Arc<Subscription>> {
    let table = connection.subscriptions.lock();
    let mut subs: Vec<_> = table.iter().take(LISTED_MAX).cloned().collect();
    drop(table);
    // Those of a table have no order; in that of their creation they can be compared.
    subs.sort_by_key(|sub| sub.id());
    subs
}
