//! What the server tells in the system account by itself (A117): clients that come and go, and how it fares.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use recado_wire::push_publish;
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};

use super::Sources;
use super::answer::server;
use crate::engine::{Closed, Event, client_json, clock, count_subjects, gone_json};
use crate::monitoring::{AccstatzOptions, Document, Request, name_tag};
use crate::tls::{NotValid, fingerprint, issuer_text, subject_text};

/// Tells events, and how many connections each account has that has more or fewer with them.
pub(super) async fn tell(sources: &Sources, events: &[Event], out: &mut Vec<u8>) {
    let lost = sources.engine.events.take_lost();
    if lost > 0 {
        tracing::warn!(
            lost,
            "events of the system account were lost: too many at once"
        );
    }
    for event in events {
        let body = match event {
            Event::Connected(connection) => {
                advisory(sources, "client_connect", client_json(connection))
            }
            Event::Disconnected(closed) => disconnect(sources, closed),
            Event::Refused(why) => refused(sources, why),
            Event::LinkInvalid(why) => link_invalid(sources, why),
            Event::LameDuck => server(sources),
        };
        for subject in event.subjects(&sources.observed.server_id()) {
            publish(out, &subject, &body);
        }
    }
    let changed: BTreeSet<Arc<str>> = events.iter().filter_map(Event::counted).collect();
    if changed.is_empty() {
        return;
    }
    for body in counts(sources, &changed).await {
        for subject in count_subjects(body["acc"].as_str().unwrap_or_default()) {
            publish(out, &subject, &body);
        }
    }
}

/// What the server itself is about to do: the server, and no more.
pub(super) fn about_server(sources: &Sources, what: &str, out: &mut Vec<u8>) {
    let id = sources.observed.server_id();
    publish(out, &format!("$SYS.SERVER.{id}.{what}"), &server(sources));
}

fn disconnect(sources: &Sources, closed: &Closed) -> Value {
    let mut body = advisory(sources, "client_disconnect", gone_json(closed));
    let totals = &closed.totals;
    body["sent"] = json!({"msgs": totals.out_messages, "bytes": totals.out_bytes});
    body["received"] = json!({"msgs": totals.in_messages, "bytes": totals.in_bytes});
    body["reason"] = closed.reason.text().into();
    body
}

/// What nats-server gives as the reason, whatever it was.
const NOT_VALID: &str = "client not OCSP valid";

fn refused(sources: &Sources, why: &NotValid) -> Value {
    let mut body = untold(sources, "ocsp_peer_reject");
    body["kind"] = "Client".into();
    body["peer"] = certificate(&why.peer);
    body["reason"] = NOT_VALID.into();
    body
}

fn link_invalid(sources: &Sources, why: &NotValid) -> Value {
    let mut body = untold(sources, "ocsp_peer_link_invalid");
    body["link"] = certificate(&why.link);
    body["peer"] = certificate(&why.peer);
    body["reason"] = why.reason.as_str().into();
    body
}

fn certificate(certificate: &CertificateDer<'_>) -> Value {
    json!({
        "subject": subject_text(certificate),
        "issuer": issuer_text(certificate),
        "fingerprint": fingerprint(certificate),
        "raw": BASE64_STANDARD.encode(certificate),
    })
}

/// An event of this kind without what it tells.
fn untold(sources: &Sources, kind: &str) -> Value {
    json!({
        "type": format!("io.nats.server.advisory.v1.{kind}"),
        "id": unique(),
        "timestamp": jiff::Timestamp::now().to_string(),
        "server": server(sources),
    })
}

fn advisory(sources: &Sources, kind: &str, mut client: Value) -> Value {
    let account = client["acc"].as_str().unwrap_or_default();
    client["name_tag"] = name_tag(&sources.engine, account).into();
    let mut body = untold(sources, kind);
    body["client"] = client;
    body
}

/// How many connections these accounts have now, and what they carried (`account_connections`).
pub(super) async fn counts(sources: &Sources, accounts: &BTreeSet<Arc<str>>) -> Vec<Value> {
    let request = Request::Accstatz(AccstatzOptions {
        accounts: accounts.iter().map(ToString::to_string).collect(),
        include_unused: true,
    });
    let made = sources.observed.document(&request).await;
    let mut statz = made
        .ok()
        .and_then(|document: Document| serde_json::to_value(document).ok())
        .unwrap_or_default();
    let found = statz["account_statz"].take();
    let Value::Array(found) = found else {
        return Vec::new();
    };
    let typed = found.into_iter().map(|mut body| {
        body["type"] = "io.nats.server.advisory.v1.account_connections".into();
        body["id"] = unique().into();
        body["timestamp"] = jiff::Timestamp::now().to_string().into();
        body["server"] = server(sources);
        body
    });
    typed.collect()
}

/// How the server fares.
pub(super) async fn report(sources: &Sources, out: &mut Vec<u8>) {
    let statistics = statistics(sources).await;
    let body = json!({"server": server(sources), "statsz": statistics});
    let id = sources.observed.server_id();
    publish(out, &format!("$SYS.SERVER.{id}.STATSZ"), &body);
}

/// The figures of `STATSZ`, which are some of `/varz`.
pub(super) async fn statistics(sources: &Sources) -> Value {
    let made = sources.observed.document(&Request::Varz).await;
    let varz = made
        .ok()
        .and_then(|document: Document| serde_json::to_value(document).ok());
    let varz = varz.unwrap_or_default();
    let carried =
        |messages: &str, bytes: &str| json!({"msgs": varz[messages], "bytes": varz[bytes]});
    let active = sources.engine.accounts.all();
    let active = active
        .iter()
        .filter(|account| account.clients.load(std::sync::atomic::Ordering::Relaxed) > 0);
    let mut statistics = json!({
        "start": varz["start"],
        "mem": varz["mem"],
        "cores": varz["cores"],
        "cpu": varz["cpu"],
        "connections": varz["connections"],
        "total_connections": varz["total_connections"],
        "active_accounts": active.count(),
        "subscriptions": varz["subscriptions"],
        "sent": carried("out_msgs", "out_bytes"),
        "sent_to_clients": carried("out_client_msgs", "out_client_bytes"),
        "received": carried("in_msgs", "in_bytes"),
        "received_from_clients": carried("in_client_msgs", "in_client_bytes"),
        "slow_consumers": varz["slow_consumers"],
        "active_servers": 1,
        "gomaxprocs": varz["gomaxprocs"],
    });
    for told in ["stale_connections", "stalled_clients"] {
        if varz[told] != 0 {
            statistics[told] = varz[told].clone();
        }
    }
    if varz["jetstream"]["config"].is_object() {
        statistics["jetstream"] = varz["jetstream"].clone();
        // Where it is stored is nobody's business who only hears how the server fares.
        if let Some(config) = statistics["jetstream"]["config"].as_object_mut() {
            config.remove("store_dir");
        }
    }
    statistics
}

fn publish(out: &mut Vec<u8>, subject: &str, body: &Value) {
    let body = body.to_string();
    push_publish(out, subject.as_bytes(), b"", None, body.as_bytes());
}

/// An id that nothing else has.
fn unique() -> String {
    format!(
        "{:016x}{:06x}",
        rand::random::<u64>(),
        clock::now_us() & 0xff_ffff
    )
}
