//! What a client said of itself in CONNECT, kept for logs and services, and how it is told to parts of the server.

use std::sync::atomic::Ordering;

use recado_auth::ConnectionType;
use recado_streams::time::format_rfc3339;
use recado_wire::Connect;
use serde::Serialize;
use serde_json::Value;

use super::clock;
use super::closed::Closed;
use super::connection::Connection;

/// One client. Boxed on its connection: idle connections are many.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// Name it gave itself.
    pub(crate) name: Option<Box<str>>,
    /// Language of its library.
    pub(crate) lang: Option<Box<str>>,
    /// Version of its library.
    pub(crate) version: Option<Box<str>>,
    /// When it introduced itself, in Unix nanoseconds.
    since_ns: i64,
}

impl Client {
    /// As CONNECT has it.
    pub(crate) fn new(connect: &Connect) -> Self {
        Self {
            name: connect.name.as_deref().map(Box::from),
            lang: connect.lang.as_deref().map(Box::from),
            version: connect.version.as_deref().map(Box::from),
            since_ns: clock::unix_ns(),
        }
    }
}

/// A connection as events tell of it (ADR-1, `client_info_v1`).
pub(crate) fn client_json(connection: &Connection) -> Value {
    serde_json::to_value(RequestInfo {
        port: None,
        ..RequestInfo::of(connection)
    })
    .unwrap_or_default()
}

/// One that ended, likewise.
pub(crate) fn gone_json(closed: &Closed) -> Value {
    let client = closed.client.as_deref();
    serde_json::to_value(RequestInfo {
        server: None,
        id: closed.id,
        acc: closed.account.as_ref().to_owned(),
        name: client
            .and_then(|client| client.name.as_deref())
            .unwrap_or_default(),
        rtt: u64::from(closed.round_trip_us) * 1000,
        host: Some(closed.peer.ip().to_canonical().to_string()),
        port: None,
        start: client.map(|client| format_rfc3339(client.since_ns)),
        stop: Some(format_rfc3339(clock::unix_ns_of(closed.closed_us))),
        user: closed.user.clone(),
        lang: client.and_then(|client| client.lang.as_deref()),
        ver: client.and_then(|client| client.version.as_deref()),
        issuer_key: closed.vouched.issuer_key.clone(),
        tags: closed.vouched.tags.clone(),
        kind: Some("Client"),
        client_type: Some(client_type(closed.how)),
        client_id: closed.mqtt_client.as_deref(),
    })
    .unwrap_or_default()
}

/// Whoever publishes on `server`, as `Nats-Request-Info` tells of it (C44).
pub(crate) fn request_info(publisher: &Connection, server: &str) -> Vec<u8> {
    // It has no map with other keys than text, so it can't fail; nor does JSON end a header's line.
    serde_json::to_vec(&RequestInfo {
        server: Some(server),
        ..RequestInfo::of(publisher)
    })
    .unwrap_or_default()
}

/// What speaks, as nats-server calls it.
pub(crate) fn client_type(how: ConnectionType) -> &'static str {
    match how {
        ConnectionType::Websocket => "websocket",
        ConnectionType::Mqtt | ConnectionType::MqttWs => "mqtt",
        _ => "nats",
    }
}

/// Who published a message, under nats-server's names; `port` is our own.
#[derive(Debug, Default, Serialize)]
struct RequestInfo<'a> {
    id: u64,
    acc: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    /// Round trip in nanoseconds; 0: not known.
    #[serde(skip_serializing_if = "is_zero")]
    rtt: u64,
    /// The name of the server that it is connected to.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    /// When it introduced itself, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    /// When it ended, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lang: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ver: Option<&'a str>,
    /// Of a user that an operator's accounts signed: the key that did, and tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer_key: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_type: Option<&'static str>,
    /// Of a client that speaks MQTT.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl<'a> RequestInfo<'a> {
    /// What is known of a connection. Parts of the server itself have no address, and are no clients.
    fn of(connection: &'a Connection) -> Self {
        let round_trip_us = connection.round_trip_us.load(Ordering::Relaxed);
        let client = connection.client.get();
        let is_client = connection.peer.is_some();
        let standing = connection.standing();
        Self {
            id: connection.id,
            acc: standing.account.name.as_ref().to_owned(),
            name: connection.name(),
            rtt: u64::from(round_trip_us) * 1000,
            server: None,
            host: connection
                .address()
                .map(|peer| peer.ip().to_canonical().to_string()),
            port: connection.address().map(|peer| peer.port()),
            start: client.map(|client| format_rfc3339(client.since_ns)),
            stop: None,
            user: standing.identity.user.clone(),
            lang: client.and_then(|client| client.lang.as_deref()),
            ver: client.and_then(|client| client.version.as_deref()),
            issuer_key: standing.identity.issuer_key.clone(),
            tags: standing.identity.tags.clone(),
            kind: is_client.then_some("Client"),
            client_type: is_client.then(|| client_type(connection.connection_type())),
            client_id: connection.mqtt_client(),
        }
    }
}
