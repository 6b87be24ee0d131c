//! The steady load: a flow that many receive, and requests, within an account and across two.

use std::time::{Duration, Instant};

use super::line::{Heard, Line, Message, Way};
use super::place::{NEIGHBOUR, STEADY, WATCHER};
use super::tally::{DRAIN, Shared};
use crate::error::{Error, Result};

/// How often the publisher of the flow has its turn, and what it publishes then.
const TURN: Duration = Duration::from_millis(20);
const MESSAGES_A_TURN: u64 = 30;
const FLOW_SUBJECTS: u64 = 50;
const FLOW_BYTES: usize = 128;
/// Pause of a requester between an answer and the next request.
const BETWEEN_REQUESTS: Duration = Duration::from_millis(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Publishes numbered messages.
pub(super) fn publish_flow(shared: &Shared) -> Result<()> {
    let mut line = shared.doors.open(Way::Clear, 1, STEADY, "")?;
    let (mut number, mut due) = (0, Instant::now());
    let filling = "x".repeat(FLOW_BYTES - 16);
    while shared.rest(due.saturating_duration_since(Instant::now())) {
        // What a busy machine made late is not caught up with.
        due = Instant::now() + TURN;
        let mut batch = String::with_capacity(MESSAGES_A_TURN as usize * 200);
        for _ in 0..MESSAGES_A_TURN {
            number += 1;
            let token = number % FLOW_SUBJECTS;
            batch += &format!("PUB soak.flow.{token} {FLOW_BYTES}\r\n{number:016}{filling}\r\n");
        }
        line.send(batch.as_bytes())?;
        shared.tally.add("messages published", MESSAGES_A_TURN);
    }
    line.flush()?;
    shared.flow.tell(number);
    Ok(())
}

/// Receives the flow, and misses nothing of it.
pub(super) fn receive_flow(shared: &Shared, way: Way, from_afar: bool) -> Result<()> {
    let login = if from_afar { NEIGHBOUR } else { STEADY };
    let subscribe = "SUB soak.flow.* 1\r\n";
    let mut line = shared.doors.open(way, 2, login, subscribe)?;
    let (mut last, mut count, mut quiet_since) = (None, 0, None::<Instant>);
    loop {
        if let Some(message) = line.message(LOOK_EVERY)? {
            let number = number(&message)?;
            check_order(shared, last, number);
            last = Some(number);
            count += 1;
            if count % 1000 == 0 {
                shared.tally.add("messages delivered", 1000);
            }
            continue;
        }
        let Some(all) = shared.flow.known() else {
            continue;
        };
        if last == Some(all) {
            shared.tally.add("messages delivered", count % 1000);
            return Ok(());
        }
        if quiet_since.get_or_insert_with(Instant::now).elapsed() > DRAIN {
            let missing = all - last.unwrap_or_default();
            let what = format!("{missing} at the end over {way:?}");
            shared.tally.wrong_times("messages lost", missing, what);
            return Ok(());
        }
    }
}

fn check_order(shared: &Shared, last: Option<u64>, number: u64) {
    // The first says where we came in.
    let Some(last) = last else { return };
    if number > last + 1 {
        let what = format!("{} to {}", last + 1, number - 1);
        shared
            .tally
            .wrong_times("messages lost", number - last - 1, what);
    } else if number <= last {
        let what = format!("{number} after {last}");
        shared.tally.wrong("messages doubled or out of order", what);
    }
}

fn number(message: &Message) -> Result<u64> {
    let digits = message.payload.get(..16);
    let number = digits
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| Error::Differs(format!("no number in a message on {}", message.subject)))
}

/// Answers requests with what they hold.
pub(super) fn answer(shared: &Shared, way: Way) -> Result<()> {
    let mut line = shared
        .doors
        .open(way, 3, STEADY, "SUB soak.ask crew 1\r\n")?;
    loop {
        if let Some(message) = line.message(LOOK_EVERY)? {
            let Some(reply) = message.reply else { continue };
            let size = message.payload.len();
            let mut answer = format!("PUB {reply} {size}\r\n").into_bytes();
            answer.extend_from_slice(&message.payload);
            answer.extend_from_slice(b"\r\n");
            line.send(&answer)?;
        }
        // The last requests are still to be answered.
        if shared.all_was_asked() {
            return Ok(());
        }
    }
}

/// Asks, one request at a time.
pub(super) fn ask(shared: &Shared, way: Way, from_afar: bool) -> Result<()> {
    let (login, subject) = if from_afar {
        (NEIGHBOUR, "their.ask")
    } else {
        (STEADY, "soak.ask")
    };
    let inbox = format!("_INBOX.ask{way:?}{from_afar}");
    let mut line = shared
        .doors
        .open(way, 4, login, &format!("SUB {inbox}.* 1\r\n"))?;
    let (mut asked, _at_work) = (0u64, shared.asking());
    await_responder(shared, &mut line, subject, &inbox)?;
    while shared.rest(BETWEEN_REQUESTS) {
        asked += 1;
        let reply = format!("{inbox}.{asked}");
        line.send(format!("PUB {subject} {reply} 16\r\n{asked:016}\r\n").as_bytes())?;
        shared.tally.add("requests", 1);
        match line.message(REQUEST_TIMEOUT)? {
            Some(answer) if answer.subject == reply && number(&answer).ok() == Some(asked) => {}
            Some(other) => {
                let status = String::from_utf8_lossy(&other.headers).into_owned();
                let what = format!("{reply} over {way:?}: {} {status:?}", other.subject);
                shared.tally.wrong("requests answered wrongly", what);
            }
            None => {
                let what = format!("{reply} over {way:?}");
                shared.tally.wrong("requests without an answer", what);
            }
        }
    }
    Ok(())
}

/// Asks until somebody answers: all begin at the same time, and it may be heard before those who answer.
fn await_responder(shared: &Shared, line: &mut Line, subject: &str, inbox: &str) -> Result<()> {
    let reply = format!("{inbox}.0");
    let until = Instant::now() + REQUEST_TIMEOUT;
    while Instant::now() < until && shared.rest(BETWEEN_REQUESTS) {
        line.send(format!("PUB {subject} {reply} 16\r\n{:016}\r\n", 0).as_bytes())?;
        if let Some(answer) = line.message(REQUEST_TIMEOUT)?
            && !answer.headers.starts_with(b"NATS/1.0 503")
        {
            return Ok(());
        }
    }
    Ok(())
}

/// Listens to the server's events, and looks at its documents as a dashboard would.
pub(super) fn watch(shared: &Shared) -> Result<()> {
    const DOCUMENTS: [&str; 6] = [
        "/connz?subs=detail&state=all",
        "/subsz?subs=1",
        "/jsz?consumers=1",
        "/accstatz?unused=1",
        "/metrics",
        "/healthz",
    ];
    let say = "SUB $SYS.> 1\r\nSUB _INBOX.watch.* 2\r\n";
    let mut line = shared.doors.open(Way::Clear, 5, WATCHER, say)?;
    let (mut turn, mut next) = (0usize, Instant::now());
    while !shared.is_ending() {
        match line.hear(Duration::from_millis(200))? {
            Some(Heard::Message(message)) if message.subject.contains(".ACCOUNT.") => {
                shared.tally.add("events of the server", 1);
            }
            Some(Heard::Refusal(text)) => return Err(Error::Refused(text)),
            _ => {}
        }
        if Instant::now() >= next {
            next = Instant::now() + Duration::from_secs(2);
            shared.monitor.get(DOCUMENTS[turn % DOCUMENTS.len()])?;
            shared.tally.add("documents of monitoring", 1);
            turn += 1;
            line.send(b"PUB $SYS.REQ.SERVER.PING.VARZ _INBOX.watch.1 0\r\n\r\n")?;
        }
    }
    Ok(())
}
