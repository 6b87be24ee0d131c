//! What the server tells in the system account by itself (A117): clients that come and go, and how it fares.

use recado_wire::push_publish;
use serde_json::{Value, json};

use super::Sources;
use super::answer::server;
use crate::engine::{Closed, Event, client_json, clock, count_subjects, gone_json};
use crate::monitoring::{Document, Request};

/// Tells an event.
pub(super) fn tell(sources: &Sources, event: &Event, out: &mut Vec<u8>) {
    let lost = sources.engine.events.take_lost();
    if lost > 0 {
        tracing::warn!(
            lost,
            "events of the system account were lost: too many at once"
        );
    }
    let body = match event {
        Event::Connected(connection) => {
            advisory(sources, "client_connect", client_json(connection))
        }
        Event::Disconnected(closed) => disconnect(sources, closed),
        Event::LameDuck => server(sources),
    };
    for subject in event.subjects(&sources.observed.server_id()) {
        publish(out, &subject, &body);
    }
    if let Some(account) = event.counted() {
        count(sources, &account, out);
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

fn advisory(sources: &Sources, kind: &str, client: Value) -> Value {
    json!({
        "type": format!("io.nats.server.advisory.v1.{kind}"),
        "id": unique(),
        "timestamp": jiff::Timestamp::now().to_string(),
        "server": server(sources),
        "client": client,
    })
}

/// How many connections an account has now, whenever that changed.
fn count(sources: &Sources, name: &str, out: &mut Vec<u8>) {
    let Some(account) = sources.engine.accounts.get(name) else {
        return;
    };
    let clients = account.clients.load(std::sync::atomic::Ordering::Relaxed);
    let body = json!({
        "type": "io.nats.server.advisory.v1.account_connections",
        "id": unique(),
        "timestamp": jiff::Timestamp::now().to_string(),
        "server": server(sources),
        "acc": name,
        "name": name,
        "conns": clients,
        "leafnodes": 0,
        "total_conns": clients,
        "num_subscriptions": account.router.len(),
    });
    for subject in count_subjects(name) {
        publish(out, &subject, &body);
    }
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
        "received": carried("in_msgs", "in_bytes"),
        "slow_consumers": varz["slow_consumers"],
        "active_servers": 1,
    });
    if varz["jetstream"]["config"].is_object() {
        statistics["jetstream"] = varz["jetstream"].clone();
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
