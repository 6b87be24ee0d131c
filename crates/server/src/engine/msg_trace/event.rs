//! What a trace tells, under nats-server's names (ADR-41).

use recado_streams::jetstream::Traced;
use serde::Serialize;
use serde_json::{Value, json};

use super::Trace;
use crate::engine::account::Account;
use crate::engine::connection::Connection;

/// Connections of clients, as nats-server numbers them.
const CLIENT: u8 = 0;
/// Parts of the server itself.
const SYSTEM: u8 = 3;

/// One thing that happened to a message.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Event {
    r#type: &'static str,
    ts: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cid: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subj: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    nointerest: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

impl Event {
    fn new(r#type: &'static str) -> Self {
        Self {
            r#type,
            ts: jiff::Timestamp::now().to_string(),
            ..Self::default()
        }
    }

    fn of(r#type: &'static str, connection: &Connection) -> Self {
        let name = connection.name();
        Self {
            kind: Some(match connection.peer {
                Some(_) => CLIENT,
                None => SYSTEM,
            }),
            cid: Some(connection.id),
            name: (!name.is_empty()).then(|| name.to_owned()),
            ..Self::new(r#type)
        }
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let Self {
            r#type: _,
            ts,
            kind: _,
            cid: _,
            name,
            acc,
            subj,
            from,
            to,
            sub,
            queue,
            stream,
            subject,
            nointerest: _,
            error,
        } = self;
        let texts = [
            name, acc, subj, from, to, sub, queue, stream, subject, error,
        ];
        let texts = texts.into_iter().flatten().map(String::len);
        size_of::<Self>() + ts.len() + texts.sum::<usize>()
    }

    /// It came in.
    pub(super) fn ingress(publisher: &Connection, account: &str, subject: &[u8]) -> Self {
        Self {
            acc: Some(account.to_owned()),
            subj: Some(text(subject)),
            ..Self::of("in", publisher)
        }
    }

    /// Its subject was renamed.
    pub(super) fn mapping(to: &[u8]) -> Self {
        Self {
            to: Some(text(to)),
            ..Self::new("sm")
        }
    }

    /// It goes to another account that imports it, under a name there.
    pub(super) fn stream_export(account: &str, to: &[u8]) -> Self {
        Self {
            acc: Some(account.to_owned()),
            to: Some(text(to)),
            ..Self::new("se")
        }
    }

    /// It goes to another account that offers a service, or back from there.
    pub(super) fn service_import(account: &str, from: &[u8], to: &[u8]) -> Self {
        Self {
            acc: Some(account.to_owned()),
            from: Some(text(from)),
            to: Some(text(to)),
            ..Self::new("si")
        }
    }

    /// It went to a stream; which, is known when that answers.
    pub(super) fn stream() -> Self {
        Self {
            stream: Some(String::new()),
            ..Self::new("js")
        }
    }

    /// What the stream said.
    pub(super) fn answered(&mut self, traced: Traced) {
        *self = Self {
            stream: Some(traced.stream),
            subject: (!traced.subject.is_empty()).then(|| text(&traced.subject)),
            nointerest: traced.no_interest,
            error: traced.error,
            ..Self::new("js")
        };
    }

    /// It went out to somebody, or why not. `other`: in another account than the publisher's.
    pub(super) fn egress(
        to: &Connection,
        (filter, queue): (&[u8], Option<&[u8]>),
        other: Option<&Account>,
        error: Option<&str>,
    ) -> Self {
        Self {
            sub: Some(text(filter)),
            queue: queue.map(text),
            acc: other.map(|account| account.name.as_ref().to_owned()),
            error: error.map(str::to_owned),
            ..Self::of("eg", to)
        }
    }
}

/// A message for whoever asked.
pub(crate) struct Told {
    pub(crate) account: std::sync::Arc<Account>,
    pub(crate) destination: String,
    /// A whole block, or empty.
    pub(crate) headers: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Told {
    pub(super) fn new(trace: Trace, server: Value) -> Self {
        let plain = json!({
            "server": server,
            "request": {"header": trace.wish.headers, "msgsize": trace.size},
            "events": trace.events,
        })
        .to_string()
        .into_bytes();
        let (headers, body) = trace.wish.encoding.apply(&plain);
        let headers = headers.unwrap_or_default();
        let body = body.into_owned();
        Self {
            account: trace.account,
            destination: trace.wish.destination,
            headers,
            body,
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
