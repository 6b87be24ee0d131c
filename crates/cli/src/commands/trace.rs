//! `recado trace`: the way of one message, as the servers that it passes tell it (ADR-41). Unless it is asked for, the message
//! reaches nobody and is not stored.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::{HeaderMap, Message, Subscriber};
use clap::Args;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::connect::{self, Session};
use crate::document::{heading, is, line, list, number, words};
use crate::exit::Status;
use crate::failure::Failure;
use crate::payload::Content;
use crate::settings::Settings;
use crate::span;
use crate::subject;
use crate::terminal::Out;
use crate::text::{help, trace as text};

/// Subject that the trace is to go to.
const DESTINATION: &str = "Nats-Trace-Dest";
/// The message is to reach nobody.
const ONLY: &str = "Nats-Trace-Only";
/// Servers before it know nothing of traces: they would deliver the message.
const SINCE: (u64, u64) = (2, 11);
/// Traces of one message that are waited for; each server that it passes sends one.
const TRACES_MAX: u64 = 1000;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_name = help::value_subject(), value_parser = subject::literal,
        help = text::help_subject())]
    subject: String,
    #[command(flatten)]
    content: Content,
    #[arg(long, help = text::help_deliver())]
    deliver: bool,
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    let payload = arguments.content.payload()?;
    let mut session = connect::session(settings).await?;
    let version = session.client.server_info().version;
    if !knows_traces(&version) {
        return Err(no_traces(text::too_old(session.label(), &version)));
    }
    let inbox = session.client.new_inbox();
    let traces = session.client.subscribe(inbox.clone()).await;
    let mut traces = traces.map_err(|_| session.closed())?;
    let mut headers = arguments.content.header_map().unwrap_or_default();
    headers.insert(DESTINATION, inbox.as_str());
    if !arguments.deliver {
        headers.insert(ONLY, "true");
    }
    let told = collect(
        &mut session,
        settings,
        arguments,
        headers,
        payload,
        &mut traces,
    )
    .await?;
    let mut out = Out::new();
    if !as_json {
        let title = match arguments.deliver {
            true => text::delivered(&arguments.subject),
            false => text::only(&arguments.subject),
        };
        heading(&mut out, 0, &title)?;
    }
    for trace in &told {
        match as_json {
            true => out.json(trace)?,
            false => show(&mut out, trace, told.len() > 1)?,
        }
    }
    let status = verdict(&told);
    if !as_json && status != Status::Done {
        out.line("")?;
        let end = match status {
            Status::Permission => text::refused(),
            _ => text::nobody(),
        };
        heading(&mut out, 0, end)?;
    }
    out.flush()?;
    match status {
        Status::Done => Ok(()),
        status => Err(Failure::Told(status)),
    }
}

/// Sends the message and waits for the traces of all servers that it passes.
async fn collect(
    session: &mut Session,
    settings: &Settings,
    arguments: &Arguments,
    headers: HeaderMap,
    payload: Vec<u8>,
    traces: &mut Subscriber,
) -> Result<Vec<Value>, Failure> {
    let subject = arguments.subject.clone();
    let client = session.client.clone();
    let sent = client.publish_with_headers(subject, headers, payload.into());
    sent.await.map_err(|_| session.closed())?;
    let limit = settings.reply_limit();
    let until = Instant::now() + limit;
    let (mut told, mut expected) = (Vec::new(), 1);
    while (told.len() as u64) < expected {
        let Some(message) = next(session, traces, until).await? else {
            break;
        };
        let Ok(trace) = serde_json::from_slice::<Value>(&message.payload) else {
            continue;
        };
        expected = (expected + number(&trace["hops"])).min(TRACES_MAX);
        told.push(trace);
    }
    match told.is_empty() {
        true => Err(silent(session.label(), limit)),
        false => Ok(told),
    }
}

/// The next trace; `None`: none came in time.
async fn next(
    session: &mut Session,
    traces: &mut Subscriber,
    until: Instant,
) -> Result<Option<Message>, Failure> {
    let next = tokio::select! {
        biased;
        next = timeout_at(until, traces.next()) => next,
        trouble = session.trouble() => return Err(trouble),
    };
    match next {
        Ok(Some(message)) => Ok(Some(message)),
        Ok(None) => Err(session.trouble().await),
        Err(_) => Ok(None),
    }
}

fn silent(server: &str, limit: Duration) -> Failure {
    Failure::Deadline {
        what: text::silent(server, &span::show(limit)),
        next: text::silent_next().to_owned(),
    }
}

fn no_traces(what: String) -> Failure {
    Failure::Streams {
        status: Status::Server,
        err_code: None,
        what,
        next: text::too_old_next().to_owned(),
    }
}

/// Whether a server of this version traces messages.
fn knows_traces(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u64>());
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= SINCE,
        _ => false,
    }
}

/// What the exit status says of it.
fn verdict(told: &[Value]) -> Status {
    let events = || told.iter().flat_map(|trace| list(&trace["events"]));
    let of = |event: &Value, kind: &str| words(&event["type"]) == kind;
    if events().any(|event| of(event, "in") && event["error"].is_string()) {
        return Status::Permission;
    }
    let reached = events().any(|event| {
        let arrives = of(event, "eg") || (of(event, "js") && !is(&event["nointerest"]));
        // Where a trace ends at the border of an account, it is not told who gets it behind that.
        let crosses = of(event, "se") || of(event, "si");
        crosses || (arrives && event["error"].is_null())
    });
    match reached {
        true => Status::Done,
        false => Status::NoResponders,
    }
}

fn show(out: &mut Out, trace: &Value, several: bool) -> Result<(), Failure> {
    if several {
        heading(out, 1, &text::server(words(&trace["server"]["name"])))?;
    }
    for event in list(&trace["events"]) {
        let mut facts = facts(event);
        facts.extend(event["error"].as_str().map(text::error));
        let mark = match (words(&event["type"]), event["error"].is_string()) {
            (_, true) => "✗",
            ("eg" | "js", false) => "→",
            _ => "·",
        };
        line(out, 1, &format!("{mark} {}", facts.join(" · ")))?;
    }
    if !several {
        return Ok(());
    }
    out.line("")
}

/// What one event says.
fn facts(event: &Value) -> Vec<String> {
    let account = words(&event["acc"]);
    match words(&event["type"]) {
        "in" => vec![
            text::came_in(&who(event)),
            text::as_subject(account, words(&event["subj"])),
        ],
        "sm" => vec![text::renamed(words(&event["to"]))],
        "se" => vec![text::stream_export(account, words(&event["to"]))],
        "si" => vec![text::service_import(account, words(&event["to"]))],
        "js" => stream(event),
        "eg" => {
            let mut facts = vec![who(event)];
            facts.extend(event["sub"].as_str().map(text::subscribed));
            facts.extend(event["queue"].as_str().map(text::queue));
            facts.extend(event["acc"].as_str().map(text::in_account));
            facts
        }
        other => vec![other.to_owned()],
    }
}

fn stream(event: &Value) -> Vec<String> {
    let name = words(&event["stream"]);
    let mut facts = vec![text::stream(name)];
    match (is(&event["nointerest"]), event["subject"].as_str()) {
        (true, _) => facts.push(text::no_interest().to_owned()),
        (false, Some(subject)) => facts.push(text::stored_as(subject)),
        (false, None) => {}
    }
    facts
}

/// Whose connection it is.
fn who(event: &Value) -> String {
    let cid = number(&event["cid"]);
    let kinds: HashMap<u64, fn(u64) -> String> = HashMap::from([
        (0, text::client as fn(u64) -> String),
        (1, text::route),
        (2, text::gateway),
        (4, text::leaf),
    ]);
    let kind = kinds.get(&number(&event["kind"]));
    let connection = kind.map_or_else(|| text::part(cid), |kind| kind(cid));
    match event["name"].as_str() {
        Some(name) => format!("{connection} {name}"),
        None => connection,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_exit_status_says_whether_it_arrives_and_why_not() {
        let status = |event: Value| verdict(&[json!({"events": [{"type": "in"}, event]})]);
        assert_eq!(status(json!({"type": "eg"})), Status::Done);
        assert_eq!(
            status(json!({"type": "eg", "error": "no"})),
            Status::NoResponders
        );
        assert_eq!(status(json!({"type": "js", "stream": "S"})), Status::Done);
        assert_eq!(
            status(json!({"type": "js", "nointerest": true})),
            Status::NoResponders
        );
        assert_eq!(status(json!({"type": "si"})), Status::Done);
        assert_eq!(status(json!({"type": "sm"})), Status::NoResponders);
        let refused = json!({"events": [{"type": "in", "error": "no"}]});
        assert_eq!(verdict(&[refused]), Status::Permission);
    }

    #[test]
    fn a_server_that_would_deliver_what_is_only_to_be_traced_is_known_by_its_version() {
        for (version, knows) in [
            ("2.15.0", true),
            ("2.11.0-dev", true),
            ("2.10.29", false),
            ("3.0.0", true),
            ("", false),
        ] {
            assert_eq!(knows_traces(version), knows, "{version}");
        }
    }
}
