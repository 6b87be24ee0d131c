//! What is stored: a bounded stream that is read with acknowledgements, a bucket that is written and
//! watched, streams that come and go.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::chance::Chance;
use super::line::{Doors, Line, Message, Way};
use super::place::STEADY;
use super::tally::{DRAIN, Shared};
use crate::error::{Error, Result};

const TURN: Duration = Duration::from_millis(50);
const PUBLISHED_A_TURN: u64 = 20;
const KEPT_SUBJECTS: u64 = 200;
/// More than the consumer is ever behind.
const KEPT_MESSAGES_MAX: u64 = 20_000;
const KEPT_BYTES: u64 = 1_500;
/// Every so manieth message is published once more under its id.
const REPEAT_EVERY: u64 = 50;
/// Every so manieth delivery is refused once.
const REFUSE_EVERY: u64 = 97;
const BATCH: u64 = 100;
const KEYS: u64 = 2_000;
const KEYS_A_TURN: u64 = 10;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Makes the streams that stay.
pub(super) fn prepare(doors: &Doors) -> Result<()> {
    let mut api = Api::open(doors, "prepare")?;
    api.create_stream(json!({
        "name": "SOAK", "subjects": ["soak.kept.>"], "max_msgs": KEPT_MESSAGES_MAX,
        "max_bytes": 40 << 20, "duplicate_window": 10_000_000_000_u64,
    }))?;
    api.create_stream(json!({
        "name": "KV_soak", "subjects": ["$KV.soak.>"], "max_msgs_per_subject": 1,
        "allow_rollup_hdrs": true, "allow_direct": true,
    }))?;
    let config = json!({
        "durable_name": "work", "ack_policy": "explicit", "ack_wait": 60_000_000_000_u64,
        "deliver_policy": "all", "max_ack_pending": 1_000,
    });
    let body = json!({ "stream_name": "SOAK", "config": config });
    api.ask("CONSUMER.CREATE.SOAK.work", &body).map(drop)
}

/// A connection that asks the API of streams.
struct Api {
    line: Line,
    inbox: String,
    asked: u64,
}

impl Api {
    fn open(doors: &Doors, name: &str) -> Result<Self> {
        let inbox = format!("_INBOX.{name}");
        let line = doors.open(Way::Clear, 6, STEADY, &format!("SUB {inbox}.> 1\r\n"))?;
        Ok(Self {
            line,
            inbox,
            asked: 0,
        })
    }

    fn inbox(&mut self) -> String {
        self.asked += 1;
        format!("{}.{}", self.inbox, self.asked)
    }

    fn ask(&mut self, subject: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let inbox = self.inbox();
        let answer = self
            .line
            .ask(&format!("$JS.API.{subject}"), &inbox, &body)?;
        let value = json_of(&answer)?;
        match value.get("error") {
            Some(error) => Err(Error::Refused(format!("{error} to {subject}"))),
            None => Ok(value),
        }
    }

    fn create_stream(&mut self, config: Value) -> Result<()> {
        let name = config["name"].as_str().unwrap_or_default().to_owned();
        self.ask(&format!("STREAM.CREATE.{name}"), &config)
            .map(drop)
    }

    /// Publishes, and waits for the acknowledgement.
    fn publish(&mut self, subject: &str, payload: &str) -> Result<Value> {
        let inbox = self.inbox();
        let answer = self.line.ask(subject, &inbox, payload)?;
        let value = json_of(&answer)?;
        match value.get("error") {
            Some(error) => Err(Error::Refused(format!("{error} to {subject}"))),
            None => Ok(value),
        }
    }
}

fn json_of(message: &Message) -> Result<Value> {
    serde_json::from_slice(&message.payload).map_err(|_| {
        let headers = String::from_utf8_lossy(&message.headers).into_owned();
        Error::Refused(format!("{headers:?} on {}", message.subject))
    })
}

/// Publishes into the stream: all of a turn at once, then their acknowledgements, each held against
/// the one before.
pub(super) fn publish(shared: &Shared) -> Result<()> {
    let mut api = Api::open(&shared.doors, "keep")?;
    let mut chance = Chance::new(shared.seed);
    let (mut number, mut last) = (0, 0);
    // Ids of another attempt of this run must not be taken for ours.
    let run = std::time::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
        .as_nanos();
    let mut due = Instant::now();
    while shared.rest(due.saturating_duration_since(Instant::now())) {
        due = Instant::now() + TURN;
        let mut batch = String::new();
        for ahead in 1..=PUBLISHED_A_TURN {
            let n = number + ahead;
            let size = chance.below(KEPT_BYTES) as usize;
            batch += &publication(&api.inbox, run, n, size);
            if n.is_multiple_of(REPEAT_EVERY) {
                batch += &publication(&api.inbox, run, n, size);
            }
        }
        api.line.send(batch.as_bytes())?;
        for ahead in 1..=PUBLISHED_A_TURN {
            let n = number + ahead;
            let sequence = acknowledged(shared, &mut api, n, false)?;
            if sequence <= last {
                let what = format!("{sequence} after {last}");
                shared.tally.wrong("acknowledgements out of order", what);
            }
            last = sequence;
            if n.is_multiple_of(REPEAT_EVERY)
                && acknowledged(shared, &mut api, n, true)? != sequence
            {
                let what = format!("message {n} was stored twice");
                shared.tally.wrong("stored messages doubled", what);
            }
        }
        number += PUBLISHED_A_TURN;
        shared
            .tally
            .add("messages stored and acknowledged", PUBLISHED_A_TURN);
    }
    shared.kept.tell(last);
    Ok(())
}

fn publication(inbox: &str, run: u128, n: u64, size: usize) -> String {
    let headers = format!("NATS/1.0\r\nNats-Msg-Id: {run:x}-{n}\r\n\r\n");
    let (subject, filling) = (n % KEPT_SUBJECTS, "k".repeat(size));
    let (head, total) = (headers.len(), headers.len() + 16 + size);
    format!("HPUB soak.kept.{subject} {inbox}.{n} {head} {total}\r\n{headers}{n:016}{filling}\r\n")
}

/// The sequence that the acknowledgement of the n-th message tells.
fn acknowledged(shared: &Shared, api: &mut Api, n: u64, repeated: bool) -> Result<u64> {
    let Some(answer) = api.line.message(ANSWER_TIMEOUT)? else {
        return Err(Error::Server(format!("no acknowledgement of message {n}")));
    };
    let value = json_of(&answer)?;
    if answer.subject != format!("{}.{n}", api.inbox) {
        return Err(Error::Differs(format!(
            "{} acknowledged instead of {n}",
            answer.subject
        )));
    }
    if value["duplicate"].as_bool().unwrap_or(false) != repeated {
        let what = format!("message {n}: {value}");
        shared.tally.wrong("duplicates told wrongly", what);
    }
    let sequence = value["seq"].as_u64();
    sequence.ok_or_else(|| Error::Refused(format!("{value} for message {n}")))
}

/// Reads the stream by a durable consumer: every sequence once, in order, but those that it refused.
pub(super) fn work(shared: &Shared, way: Way) -> Result<()> {
    let inbox = format!("_INBOX.work{way:?}");
    let mut line = shared
        .doors
        .open(way, 7, STEADY, &format!("SUB {inbox} 1\r\n"))?;
    let request = json!({ "batch": BATCH, "expires": 2_000_000_000_u64 }).to_string();
    let (mut ahead, mut refused) = (0u64, BTreeSet::new());
    let (mut last, mut counted, mut ended) = (None::<u64>, 0u64, None::<Instant>);
    loop {
        if ahead == 0 {
            let size = request.len();
            let pull =
                format!("PUB $JS.API.CONSUMER.MSG.NEXT.SOAK.work {inbox} {size}\r\n{request}\r\n");
            line.send(pull.as_bytes())?;
            ahead = BATCH;
        }
        match line.message(ANSWER_TIMEOUT)? {
            // A status: the request is over.
            Some(message) if message.headers.starts_with(b"NATS/1.0 ") => ahead = 0,
            Some(message) => {
                ahead -= 1;
                let reply = message.reply.unwrap_or_default();
                let sequence = stream_sequence(&reply)?;
                let answer = if refused.remove(&sequence) {
                    shared.tally.add("messages delivered again after a NAK", 1);
                    "+ACK"
                } else {
                    check_sequence(shared, &mut last, sequence);
                    counted += 1;
                    if sequence % REFUSE_EVERY == 0 {
                        refused.insert(sequence);
                        "-NAK"
                    } else {
                        "+ACK"
                    }
                };
                let size = answer.len();
                line.send(format!("PUB {reply} {size}\r\n{answer}\r\n").as_bytes())?;
            }
            None => ahead = 0,
        }
        if counted >= 100 {
            shared.tally.add("stored messages consumed", counted);
            counted = 0;
        }
        let Some(all) = shared.kept.known() else {
            continue;
        };
        let late = ended.get_or_insert_with(Instant::now).elapsed() > DRAIN;
        if last >= Some(all) && refused.is_empty() {
            shared.tally.add("stored messages consumed", counted);
            line.flush()?;
            return Ok(());
        }
        if late {
            let missing = all.saturating_sub(last.unwrap_or_default()) + refused.len() as u64;
            let what = format!("{missing} at the end, of {all}");
            shared
                .tally
                .wrong_times("acknowledged messages lost", missing.max(1), what);
            return Ok(());
        }
    }
}

fn check_sequence(shared: &Shared, last: &mut Option<u64>, sequence: u64) {
    if let Some(last) = *last {
        if sequence > last + 1 {
            let what = format!("{} to {}", last + 1, sequence - 1);
            let count = sequence - last - 1;
            shared
                .tally
                .wrong_times("acknowledged messages lost", count, what);
        } else if sequence <= last {
            let what = format!("{sequence} after {last}");
            shared.tally.wrong("stored messages delivered twice", what);
            return;
        }
    }
    *last = Some(sequence);
}

/// Of `$JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.…`.
fn stream_sequence(reply: &str) -> Result<u64> {
    let odd = || Error::Differs(format!("a delivery with the reply subject {reply:?}"));
    let token = reply.split('.').nth(5).ok_or_else(odd)?;
    token.parse().map_err(|_| odd())
}

/// Writes the keys of the bucket over and over, and reads some back.
pub(super) fn write_keys(shared: &Shared) -> Result<()> {
    let mut api = Api::open(&shared.doors, "keys")?;
    let mut chance = Chance::new(shared.seed ^ 1);
    while shared.rest(TURN) {
        for _ in 0..KEYS_A_TURN {
            let key = chance.below(KEYS);
            let value = chance.any().to_string();
            api.publish(&format!("$KV.soak.key.{key}"), &value)?;
            if chance.below(10) == 0 {
                let inbox = api.inbox();
                let subject = format!("$JS.API.DIRECT.GET.KV_soak.$KV.soak.key.{key}");
                let got = api.line.ask(&subject, &inbox, "")?;
                if got.payload != value.as_bytes() {
                    let what = format!("key {key}");
                    shared.tally.wrong("keys read back wrongly", what);
                }
            }
        }
        shared.tally.add("keys written", KEYS_A_TURN);
    }
    Ok(())
}

/// Watches the bucket from the beginning, again and again: a consumer that comes and goes.
pub(super) fn watch_keys(shared: &Shared) -> Result<()> {
    let mut api = Api::open(&shared.doors, "watch")?;
    let mut round = 0u64;
    while shared.rest(Duration::from_secs(5)) {
        round += 1;
        let (name, to) = (format!("eye{round}"), format!("_INBOX.eye.{round}"));
        // Only a subscription to this very subject counts as somebody who listens.
        let subscribe = format!("SUB {to} 2\r\n");
        api.line.send(subscribe.as_bytes())?;
        let config = json!({
            "name": name, "deliver_subject": to, "deliver_policy": "last_per_subject",
            "filter_subject": "$KV.soak.>", "ack_policy": "none", "flow_control": true, "idle_heartbeat": 5_000_000_000_u64,
            "inactive_threshold": 30_000_000_000_u64, "mem_storage": true,
        });
        let body = json!({ "stream_name": "KV_soak", "config": config });
        let made = api.ask(&format!("CONSUMER.CREATE.KV_soak.{name}"), &body)?;
        let due = made["num_pending"].as_u64().unwrap_or_default();
        let (mut came, until) = (0, Instant::now() + ANSWER_TIMEOUT);
        // A key that is written meanwhile is there in its new place: of each, one comes at least.
        while came < due {
            let left = until.saturating_duration_since(Instant::now());
            let Some(message) = api.line.message(left)? else {
                let what = format!("{came} of {due} keys came");
                shared.tally.wrong("watches that ended early", what);
                break;
            };
            if message.headers.starts_with(b"NATS/1.0 100") {
                if let Some(reply) = message.reply {
                    api.line.send(format!("PUB {reply} 0\r\n\r\n").as_bytes())?;
                }
                // Heartbeats would go on for ever.
                if left.is_zero() {
                    let what = format!("{came} of {due} keys came");
                    shared.tally.wrong("watches that ended early", what);
                    break;
                }
            } else if message.subject.starts_with("$KV.soak.") {
                came += 1;
            }
        }
        api.line.send(b"UNSUB 2\r\n")?;
        // Every third is left to go by itself.
        if !round.is_multiple_of(3) {
            api.ask(&format!("CONSUMER.DELETE.KV_soak.{name}"), &Value::Null)?;
        }
        shared.tally.add("watches of all keys", 1);
    }
    Ok(())
}

/// Makes streams, fills them, purges them, removes them.
pub(super) fn come_and_go(shared: &Shared) -> Result<()> {
    let mut api = Api::open(&shared.doors, "passing")?;
    let mut round = 0u64;
    while shared.rest(Duration::from_secs(7)) {
        round += 1;
        let name = format!("PASSING_{round}");
        let storage = if round.is_multiple_of(2) {
            "memory"
        } else {
            "file"
        };
        api.create_stream(json!({
            "name": name, "subjects": [format!("soak.passing.{round}.>")], "storage": storage,
            "max_age": 5_000_000_000_u64,
        }))?;
        for n in 0..100 {
            api.publish(&format!("soak.passing.{round}.{n}"), &"p".repeat(500))?;
        }
        if round.is_multiple_of(3) {
            api.ask(&format!("STREAM.PURGE.{name}"), &Value::Null)?;
        }
        api.ask(&format!("STREAM.DELETE.{name}"), &Value::Null)?;
        shared.tally.add("streams made and removed", 1);
    }
    Ok(())
}
