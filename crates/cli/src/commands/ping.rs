//! `recado ping`: how long the way to the server takes, step by step and there and back.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use crate::connect;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::line::{Info, Line, Steps};
use crate::settings::Settings;
use crate::span;
use crate::summary::Times;
use crate::terminal::{Out, harmless};
use crate::text::{help as text, talk};

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(short, long, value_name = "N", default_value = "5", value_parser = super::count,
        help = text::ping_count())]
    count: u64,
    #[arg(short, long, value_name = text::value_span(), default_value = "1s",
        value_parser = span::parse, help = text::ping_interval())]
    interval: Duration,
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    let mut line = connect::line(settings).await?;
    let mut out = Out::new();
    greet(&mut out, &line, as_json)?;
    let mut times = Times::new();
    let mut interrupt = Interrupt::new()?;
    let result = tokio::select! {
        () = interrupt.asked() => Ok(()),
        result = rounds(&mut out, &mut line, &mut times, settings, arguments, as_json) => result,
    };
    if times.len() > 0 {
        if as_json {
            out.json(&json!({ "summary": { "round_trips": times.len(), "rtt": times.json() } }))?;
        } else {
            out.line(&talk::ping_total(times.len(), &times.show()))?;
        }
    }
    out.flush()?;
    result
}

async fn rounds(
    out: &mut Out,
    line: &mut Line,
    times: &mut Times,
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    let mut number = 0;
    loop {
        number += 1;
        let start = Instant::now();
        line.confirm(settings.reply_limit()).await?;
        let took = start.elapsed();
        times.record(took);
        if as_json {
            out.json(&json!({ "round_trip": number, "rtt_ms": span::millis_number(took) }))?;
        } else {
            out.line(&talk::pong(number, &line.address, &span::millis(took)))?;
        }
        out.flush()?;
        if number == arguments.count {
            return Ok(());
        }
        pause(line, arguments.interval.saturating_sub(took)).await?;
    }
}

/// Waits, but answers the server meanwhile and notices at once when it goes away.
async fn pause(line: &mut Line, length: Duration) -> Result<(), Failure> {
    let listening = async {
        loop {
            line.next().await?;
        }
    };
    tokio::time::timeout(length, listening)
        .await
        .unwrap_or(Ok(()))
}

/// What runs there: by its own name where it has one beside the version that it keeps to.
fn program(info: &Info) -> String {
    let Info {
        version,
        server,
        server_version,
        ..
    } = info;
    match server.is_empty() {
        true => format!("NATS {version}"),
        false => format!("{server} {server_version} (NATS {version})"),
    }
}

fn greet(out: &mut Out, line: &Line, as_json: bool) -> Result<(), Failure> {
    let Steps {
        resolve,
        connect,
        greeting,
        tls,
        authentication,
    } = line.steps;
    let total = line.steps.total();
    if as_json {
        let mut steps = json!({
            "total_ms": span::millis_number(total),
            "resolve_ms": span::millis_number(resolve),
            "tcp_ms": span::millis_number(connect),
            "greeting_ms": span::millis_number(greeting),
            "authentication_ms": span::millis_number(authentication),
        });
        if !tls.is_zero() {
            steps["tls_ms"] = json!(span::millis_number(tls));
        }
        return out.json(&json!({
            "server": line.info.server_name,
            "version": line.info.version,
            "program": line.info.server,
            "program_version": line.info.server_version,
            "address": line.address,
            "connect": steps,
        }));
    }
    out.line(&talk::connected(
        &line.address,
        &harmless(&program(&line.info)),
        &harmless(&line.info.server_name),
        &span::millis(total),
    ))?;
    let mut steps = vec![
        (talk::step_resolve(), resolve),
        (talk::step_tcp(), connect),
        (talk::step_greeting(), greeting),
    ];
    if !tls.is_zero() {
        steps.push((talk::step_tls(), tls));
    }
    steps.push((talk::step_authentication(), authentication));
    let steps: Vec<String> = steps
        .into_iter()
        .map(|(step, took)| format!("{step} {}", span::millis(took)))
        .collect();
    let steps = out.dim(&format!("  {}", steps.join(" · ")));
    out.line(&steps)
}
