//! Reading a stream from its beginning to its end: pushed or pulled, with acks or without.

use std::io::Read;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::durable::fill;
use super::subjects::{DIGITS, Subjects, read_number};
use super::{CpuWatch, Setting};
use crate::client::{Client, IO_TIMEOUT};
use crate::error::{Doing, Error, Result};
use crate::incoming::{Event, Message};
use crate::jetstream::{Api, first_line};
use crate::outcome::{Outcome, Used};
use crate::target::Target;

const STREAM: &str = "BENCH";
const SUBJECT: &str = "bench.consume";
const HALVES: &str = "bench.halves.";
const MESSAGES: u64 = 1_000_000;
const PAYLOAD: usize = 128;
const READ_BYTES: usize = 256 * 1024;
/// How many a pull asks for.
const BATCH: u64 = 500;
const INBOX: &str = "_INBOX.Wd2nRk7TbYq5VfXs9LmPcZ";

/// How a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Pushed without acks, with heartbeats and flow control: what libraries call ordered.
    Ordered,
    /// Pulled batch by batch.
    Fetch(Acks),
    /// Pushed, and each message acknowledged.
    Push,
}

/// Whether each message is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acks {
    None,
    Explicit,
}

/// Reads a stream of a million messages, again and again.
pub(super) fn stream(setting: &Setting, manner: Manner) -> Result<Outcome> {
    let target = setting.start()?;
    let mut api = Api::connect(&target)?;
    let count = setting.part_of(MESSAGES);
    api.create_stream(STREAM, SUBJECT, Value::Null)?;
    fill(&target, Subjects::One(SUBJECT.to_owned()), PAYLOAD, count)?;
    let read = Reading {
        manner,
        filter: None,
        count,
    };
    let passes = read.again_and_again(setting, &target, &mut api)?;
    Ok(passes.outcome(setting))
}

/// Pulls half of the subjects of a stream by a filter, and all of them without, in turn.
pub(super) fn filtered(setting: &Setting) -> Result<Outcome> {
    let target = setting.start()?;
    let mut api = Api::connect(&target)?;
    let count = setting.part_of(MESSAGES) / 2 * 2;
    let prefix = HALVES.to_owned();
    api.create_stream(STREAM, &format!("{HALVES}>"), Value::Null)?;
    fill(&target, Subjects::Halves { prefix }, PAYLOAD, count)?;
    let manner = Manner::Fetch(Acks::None);
    let all = Reading {
        manner,
        filter: None,
        count,
    };
    let half = Reading {
        manner,
        filter: Some(format!("{HALVES}even.*")),
        count: count / 2,
    };
    let all = all.again_and_again(setting, &target, &mut api)?;
    let half = half.again_and_again(setting, &target, &mut api)?;
    let (unfiltered, rate) = (all.rate(), half.rate());
    let unfiltered_cpu = all.outcome(setting).server_cpu_ns;
    let mut outcome = half.outcome(setting);
    if let Some(cpu) = unfiltered_cpu {
        outcome = outcome.figure("unfiltered_cpu_ns", cpu);
    }
    Ok(outcome
        .figure("unfiltered_per_second", unfiltered)
        .figure("filtered_ratio", rate / unfiltered))
}

/// What is read in one pass.
struct Reading {
    manner: Manner,
    filter: Option<String>,
    /// How many messages must come.
    count: u64,
}

struct Passes {
    read: u64,
    elapsed: Duration,
    used: Used,
}

impl Passes {
    fn rate(&self) -> f64 {
        self.read as f64 / self.elapsed.as_secs_f64()
    }

    /// A pass ends only when every message has come, so none is lost.
    fn outcome(&self, setting: &Setting) -> Outcome {
        Outcome::new(
            setting.row,
            "message",
            self.read,
            0,
            self.elapsed,
            self.used,
        )
    }
}

impl Reading {
    /// As many passes as fit into the time, one at least; each with a consumer of its own.
    fn again_and_again(&self, setting: &Setting, target: &Target, api: &mut Api) -> Result<Passes> {
        let watch = CpuWatch::start(target)?;
        let (start, mut read) = (Instant::now(), 0);
        while read == 0 || start.elapsed() < setting.measure {
            Pass::new(self, target)?.run(api)?;
            read += self.count;
        }
        Ok(Passes {
            read,
            elapsed: start.elapsed(),
            used: watch.stop()?,
        })
    }

    /// What the consumer is told, beside its name.
    fn config(&self) -> Value {
        let mut config = match self.manner {
            Manner::Ordered => json!({
                "deliver_subject": INBOX, "ack_policy": "none", "max_deliver": 1,
                "flow_control": true, "idle_heartbeat": 5_000_000_000_u64, "mem_storage": true,
                "ack_wait": 79_200_000_000_000_u64, "num_replicas": 1,
            }),
            Manner::Push => {
                json!({ "deliver_subject": INBOX, "ack_policy": "explicit" })
            }
            Manner::Fetch(Acks::None) => json!({ "ack_policy": "none" }),
            Manner::Fetch(Acks::Explicit) => json!({ "ack_policy": "explicit" }),
        };
        if let Some(filter) = &self.filter {
            config["filter_subject"] = json!(filter);
        }
        config
    }
}

/// One consumer, from the first message to the last one.
struct Pass<'a> {
    reading: &'a Reading,
    client: Client,
    /// What is to be said with the next write: acks, pulls, answers to flow control.
    out: Vec<u8>,
    seen: u64,
    last_stream_sequence: u64,
    /// How many the pull under way has yet to bring.
    pulled: u64,
}

const CONSUMER: &str = "bench-reader";

impl<'a> Pass<'a> {
    fn new(reading: &'a Reading, target: &Target) -> Result<Pass<'a>> {
        // Without a wildcard: nats-server pushes only where the very subject is subscribed to.
        let subscribe = format!("SUB {INBOX} 1\r\n");
        Ok(Pass {
            reading,
            client: Client::connect_and(target.address, subscribe.as_bytes())?,
            out: Vec::new(),
            seen: 0,
            last_stream_sequence: 0,
            pulled: 0,
        })
    }

    fn run(mut self, api: &mut Api) -> Result<()> {
        api.create_consumer(STREAM, CONSUMER, self.reading.config())?;
        let mut buffer = vec![0; READ_BYTES];
        while self.seen < self.reading.count {
            self.pull();
            self.speak()?;
            let n = self.client.stream.read(&mut buffer).doing("consuming")?;
            if n == 0 {
                return Err(Error::Closed("consuming"));
            }
            self.client.incoming.push(&buffer[..n]);
            self.take_all()?;
        }
        self.speak()?;
        if self.acknowledges() {
            // What was acknowledged counts when the server has noted all of it.
            self.client.flush()?;
            let asked = Instant::now();
            while api.waiting_for_acks(STREAM, CONSUMER)? > 0 {
                if asked.elapsed() > IO_TIMEOUT {
                    return Err(Error::Server("acks that the consumer never notes".into()));
                }
            }
        }
        api.delete_consumer(STREAM, CONSUMER)
    }

    fn acknowledges(&self) -> bool {
        matches!(
            self.reading.manner,
            Manner::Push | Manner::Fetch(Acks::Explicit)
        )
    }

    /// Asks for the next batch once the last one is there.
    fn pull(&mut self) {
        if !matches!(self.reading.manner, Manner::Fetch(_)) || self.pulled > 0 {
            return;
        }
        self.pulled = BATCH.min(self.reading.count - self.seen);
        let body = format!(r#"{{"batch":{},"expires":5000000000}}"#, self.pulled);
        let size = body.len();
        let line = format!(
            "PUB $JS.API.CONSUMER.MSG.NEXT.{STREAM}.{CONSUMER} {INBOX} {size}\r\n{body}\r\n"
        );
        self.out.extend_from_slice(line.as_bytes());
    }

    fn speak(&mut self) -> Result<()> {
        if !self.out.is_empty() {
            self.client.send(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }

    fn take_all(&mut self) -> Result<()> {
        let acknowledges = self.acknowledges();
        while let Some(event) = self.client.incoming.next()? {
            let message = match event {
                Event::Message(message) => message,
                Event::Ping => {
                    self.out.extend_from_slice(b"PONG\r\n");
                    continue;
                }
                _ => continue,
            };
            if let Some(status) = first_line(message.headers) {
                answer_control(&status, &message, &mut self.out)?;
                continue;
            }
            let delivery = Delivery::of(&message)?;
            delivery.check(self.seen, self.last_stream_sequence, &message)?;
            self.seen += 1;
            self.last_stream_sequence = delivery.stream_sequence;
            self.pulled = self.pulled.saturating_sub(1);
            if let (true, Some(reply)) = (acknowledges, message.reply) {
                self.out.extend_from_slice(b"PUB ");
                self.out.extend_from_slice(reply);
                self.out.extend_from_slice(b" 4\r\n+ACK\r\n");
            }
        }
        Ok(())
    }
}

/// Heartbeats and flow control are answered as they must be; any other status ends the run.
fn answer_control(status: &str, message: &Message<'_>, out: &mut Vec<u8>) -> Result<()> {
    if !status.starts_with("NATS/1.0 100") {
        return Err(Error::Refused(status.to_owned()));
    }
    let stalled = header(message.headers, b"Nats-Consumer-Stalled");
    if let Some(subject) = message.reply.or(stalled) {
        out.extend_from_slice(b"PUB ");
        out.extend_from_slice(subject);
        out.extend_from_slice(b" 0\r\n\r\n");
    }
    Ok(())
}

fn header<'a>(headers: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    headers
        .split(|&b| b == b'\n')
        .find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(b":")?.trim_ascii()))
}

/// What the reply subject tells of a delivery.
#[derive(Debug, PartialEq, Eq)]
struct Delivery {
    stream_sequence: u64,
    consumer_sequence: u64,
}

impl Delivery {
    /// `$JS.ACK.….delivered.stream_sequence.consumer_sequence.time.pending`
    fn of(message: &Message<'_>) -> Result<Delivery> {
        let reply = message.reply.unwrap_or_default();
        let mut tokens = reply.rsplit(|&b| b == b'.').skip(2);
        let mut number = || tokens.next().and_then(read_number);
        match (number(), number()) {
            (Some(consumer_sequence), Some(stream_sequence)) => Ok(Delivery {
                stream_sequence,
                consumer_sequence,
            }),
            _ => Err(Error::Differs(format!(
                "a delivery with the reply subject {}",
                String::from_utf8_lossy(reply)
            ))),
        }
    }

    /// The next one in line, with the bytes that were published under its number.
    fn check(&self, seen: u64, last: u64, message: &Message<'_>) -> Result<()> {
        let number = message.payload.get(..DIGITS).and_then(read_number);
        let in_line = self.consumer_sequence == seen + 1 && self.stream_sequence > last;
        if in_line
            && message.payload.len() == PAYLOAD
            && number.map(|number| number + 1) == Some(self.stream_sequence)
        {
            return Ok(());
        }
        Err(Error::Differs(format!(
            "{self:?} with {} bytes of message {number:?} after {seen} deliveries up to {last}",
            message.payload.len()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<'a>(reply: Option<&'a [u8]>, headers: &'a [u8], payload: &'a [u8]) -> Message<'a> {
        Message {
            subject: b"s",
            reply,
            headers,
            payload,
        }
    }

    #[test]
    fn a_gap_a_repetition_and_another_message_are_noticed() {
        let payload = |number: u64| format!("{number:016}{:112}", "").into_bytes();
        let reply: &[u8] = b"$JS.ACK.S.C.1.9.5.1700000000000000000.3";
        let good = payload(8);
        let good = message(Some(reply), b"", &good);
        let delivery = Delivery::of(&good).expect("an ack subject");
        let sequences = Delivery {
            stream_sequence: 9,
            consumer_sequence: 5,
        };
        assert_eq!(delivery, sequences);
        assert!(delivery.check(4, 7, &good).is_ok());
        assert!(delivery.check(3, 7, &good).is_err(), "one is missing");
        assert!(delivery.check(4, 9, &good).is_err(), "it came before");
        let other = payload(7);
        let other = message(Some(reply), b"", &other);
        assert!(delivery.check(4, 7, &other).is_err());
    }

    #[test]
    fn flow_control_is_answered_also_when_a_heartbeat_repeats_it() {
        let mut out = Vec::new();
        let asked = message(
            Some(b"$JS.FC.1"),
            b"NATS/1.0 100 FlowControl Request\r\n\r\n",
            b"",
        );
        answer_control("NATS/1.0 100 FlowControl Request", &asked, &mut out).expect("100");
        let headers = b"NATS/1.0 100 Idle Heartbeat\r\nNats-Consumer-Stalled: $JS.FC.2\r\n\r\n";
        let beat = message(None, headers, b"");
        answer_control("NATS/1.0 100 Idle Heartbeat", &beat, &mut out).expect("100");
        assert_eq!(out, b"PUB $JS.FC.1 0\r\n\r\nPUB $JS.FC.2 0\r\n\r\n");
        let gone = message(None, b"", b"");
        assert!(answer_control("NATS/1.0 409 Consumer Deleted", &gone, &mut out).is_err());
    }
}
