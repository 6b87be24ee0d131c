//! Connections that keep a window of requests open: publishes that want an ack, or gets.
//!
//! One thread drives them all, without blocking. Each answer is matched with its request by the last
//! token of the reply subject, once, and looked at: an answer that is an error ends the run.

use std::collections::VecDeque;
use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use memchr::memmem;

use super::many::{Readers, read_some};
use super::request::histogram;
use super::subjects::{DIGITS, Subjects, read_number, write_number};
use crate::client::{Client, IO_TIMEOUT};
use crate::error::{Doing, Error, Result};
use crate::incoming::{Event, Message};
use crate::jetstream::first_line;
use crate::outcome::{Latency, Outcome};
use crate::target::Target;

const READ_BYTES: usize = 128 * 1024;
/// Reply subjects are numbered with so many digits.
const REPLY_DIGITS: usize = 9;

/// What a connection asks for, again and again.
#[derive(Clone, Debug)]
pub(super) struct Work {
    /// Of its messages.
    pub(super) subjects: Subjects,
    /// Of their payload, in bytes.
    pub(super) payload: usize,
    /// What is done with them.
    pub(super) verb: Verb,
}

/// What is done with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// It is published, and must be acknowledged.
    Publish,
    /// The last one of its subject is read, by `DIRECT.GET` from this stream.
    Get(String),
}

/// When to stop asking.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    /// After so long.
    Time(Duration),
    /// After so many requests.
    Count(u64),
}

/// What came of it.
pub(super) struct Answers {
    /// From the request to its answer, in nanoseconds.
    pub(super) latency: Histogram<u64>,
    /// From the first request to the last answer.
    pub(super) elapsed: Duration,
}

/// The connections.
pub(super) struct Windows {
    members: Vec<Member>,
    readers: Readers,
}

impl Answers {
    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.latency.len()
    }

    /// Puts the percentiles into a result.
    pub(super) fn describe(&self, mut outcome: Outcome) -> Outcome {
        outcome.latency_us = Some(Latency::from(&self.latency));
        outcome
    }
}

impl Windows {
    /// One connection for each work, each with so many requests open.
    pub(super) fn open(
        target: &Target,
        works: impl IntoIterator<Item = Work>,
        window: usize,
    ) -> Result<Windows> {
        let members = works
            .into_iter()
            .enumerate()
            .map(|(number, work)| Member::open(target, number, work, window))
            .collect::<Result<Vec<_>>>()?;
        let readers = Readers::watch_both(members.iter().map(|m| &m.client.stream))?;
        Ok(Windows { members, readers })
    }

    /// Asks, and returns when the last request is answered.
    pub(super) fn run(&mut self, until: Until) -> Result<Answers> {
        let start = Instant::now();
        let mut gate = Gate::new(until, start);
        let (mut latency, mut buffer) = (histogram(), vec![0; READ_BYTES]);
        for member in &mut self.members {
            member.ask(&mut gate)?;
        }
        while gate.open > 0 {
            let ready = self.readers.wait(IO_TIMEOUT)?;
            if ready.is_empty() {
                return Err(Error::Server(format!(
                    "{} requests without an answer for {} s",
                    gate.open,
                    IO_TIMEOUT.as_secs()
                )));
            }
            for place in ready {
                let member = &mut self.members[place];
                while let Some(n) = read_some(&member.client.stream, &mut buffer)? {
                    member.take(&buffer[..n], &mut gate, &mut latency)?;
                    // A short read has emptied the socket: what comes later is told anew.
                    if n < buffer.len() {
                        break;
                    }
                }
                member.ask(&mut gate)?;
            }
        }
        Ok(Answers {
            latency,
            elapsed: start.elapsed(),
        })
    }
}

/// Whether more may be asked, over all connections.
struct Gate {
    until: Option<Instant>,
    left: u64,
    open: u64,
}

impl Gate {
    fn new(until: Until, now: Instant) -> Gate {
        let (until, left) = match until {
            Until::Time(duration) => (Some(now + duration), u64::MAX),
            Until::Count(count) => (None, count),
        };
        let open = 0;
        Gate { until, left, open }
    }

    fn is_shut(&self, now: Instant) -> bool {
        self.left == 0 || self.until.is_some_and(|until| now >= until)
    }
}

struct Member {
    client: Client,
    work: Work,
    window: usize,
    /// `PUB`, or `PUB` and the API subject of a get.
    head: Vec<u8>,
    /// The reply subject up to its number.
    inbox: Vec<u8>,
    next: u64,
    /// When the requests from `oldest` on were sent; `None` for the answered ones among them.
    sent: VecDeque<Option<Instant>>,
    oldest: u64,
    /// Those in `sent` that are not answered.
    open: usize,
    unsent: Vec<u8>,
    unsent_from: usize,
}

impl Member {
    fn open(target: &Target, number: usize, work: Work, window: usize) -> Result<Member> {
        let inbox = format!("_INBOX.Zk3vQ1mPd8sYbT6wXr{number:04}.");
        let subscribe = format!("SUB {inbox}* 1\r\n");
        let client = Client::connect_and(target.address, subscribe.as_bytes())?;
        let head = match &work.verb {
            Verb::Publish => "PUB ".to_owned(),
            Verb::Get(stream) => format!("PUB $JS.API.DIRECT.GET.{stream}."),
        };
        Ok(Member {
            client,
            work,
            window,
            head: head.into_bytes(),
            inbox: inbox.into_bytes(),
            next: 0,
            sent: VecDeque::new(),
            oldest: 0,
            open: 0,
            unsent: Vec::new(),
            unsent_from: 0,
        })
    }

    /// Fills the window, as far as the gate is open, and writes what the socket takes.
    fn ask(&mut self, gate: &mut Gate) -> Result<()> {
        let now = Instant::now();
        while self.open < self.window && !gate.is_shut(now) {
            self.render();
            self.sent.push_back(Some(now));
            self.next += 1;
            self.open += 1;
            gate.open += 1;
            gate.left -= 1;
        }
        self.write()
    }

    fn render(&mut self) {
        let out = &mut self.unsent;
        out.extend_from_slice(&self.head);
        self.work.subjects.write(self.next, out);
        out.push(b' ');
        out.extend_from_slice(&self.inbox);
        write_number(self.next, REPLY_DIGITS, out);
        match self.work.verb {
            Verb::Get(_) => out.extend_from_slice(b" 0\r\n\r\n"),
            Verb::Publish => {
                let _ = write!(out, " {}\r\n", self.work.payload);
                write_number(self.work.subjects.place(self.next), DIGITS, out);
                let end = out.len() + self.work.payload - DIGITS;
                out.resize(end, b'.');
                out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// What the socket does not take now is told by an event later.
    fn write(&mut self) -> Result<()> {
        while self.unsent_from < self.unsent.len() {
            match (&self.client.stream).write(&self.unsent[self.unsent_from..]) {
                Ok(n) => self.unsent_from += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).doing("writing requests"),
            }
        }
        self.unsent.clear();
        self.unsent_from = 0;
        Ok(())
    }

    fn take(&mut self, bytes: &[u8], gate: &mut Gate, latency: &mut Histogram<u64>) -> Result<()> {
        let now = Instant::now();
        self.client.incoming.push(bytes);
        while let Some(event) = self.client.incoming.next()? {
            match event {
                Event::Message(answer) => {
                    let number = number_of(&answer)?;
                    let twice = || differs("an answer to nothing that is open", &answer);
                    let place = number.checked_sub(self.oldest).ok_or_else(twice)?;
                    let slot = self.sent.get_mut(place as usize).ok_or_else(twice)?;
                    let sent = slot.take().ok_or_else(twice)?;
                    self.work.check(number, &answer)?;
                    latency.saturating_record(now.duration_since(sent).as_nanos() as u64);
                    self.open -= 1;
                    gate.open -= 1;
                }
                Event::Ping => self.unsent.extend_from_slice(b"PONG\r\n"),
                _ => {}
            }
        }
        while self.sent.front().is_some_and(Option::is_none) {
            self.sent.pop_front();
            self.oldest += 1;
        }
        Ok(())
    }
}

impl Work {
    /// Whether the answer to the n-th request is what it must be.
    fn check(&self, n: u64, answer: &Message<'_>) -> Result<()> {
        if let Some(status) = first_line(answer.headers) {
            return Err(Error::Refused(status));
        }
        let payload = answer.payload;
        match self.verb {
            Verb::Publish => {
                let stored = memmem::find(payload, br#""seq":"#).is_some()
                    && memmem::find(payload, br#""error""#).is_none();
                if !stored {
                    let text = String::from_utf8_lossy(payload).into_owned();
                    return Err(Error::Refused(text));
                }
            }
            Verb::Get(_) => {
                let number = payload.get(..DIGITS).and_then(read_number);
                if payload.len() != self.payload || number != Some(self.subjects.place(n)) {
                    return Err(differs("another value", answer));
                }
            }
        }
        Ok(())
    }
}

fn number_of(answer: &Message<'_>) -> Result<u64> {
    let from = answer.subject.len().saturating_sub(REPLY_DIGITS);
    read_number(&answer.subject[from..]).ok_or_else(|| differs("an unknown subject", answer))
}

fn differs(what: &str, answer: &Message<'_>) -> Error {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (subject, payload) = (text(answer.subject), text(answer.payload));
    Error::Differs(format!("{what}: {subject}: {payload}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer<'a>(headers: &'a [u8], payload: &'a [u8]) -> Message<'a> {
        Message {
            subject: b"_INBOX.x.000000007",
            reply: None,
            headers,
            payload,
        }
    }

    #[test]
    fn an_ack_that_is_an_error_is_no_ack() {
        let work = Work {
            subjects: Subjects::One("a".into()),
            payload: 16,
            verb: Verb::Publish,
        };
        let good = answer(b"", br#"{"stream":"S","seq":12}"#);
        assert!(work.check(7, &good).is_ok());
        assert_eq!(number_of(&good).ok(), Some(7));
        let full = br#"{"error":{"code":503,"err_code":10077},"stream":"S","seq":0}"#;
        assert!(work.check(7, &answer(b"", full)).is_err());
        let nobody = answer(b"NATS/1.0 503\r\n\r\n", b"");
        let error = work.check(7, &nobody).expect_err("no responders");
        assert!(error.to_string().contains("503"), "{error}");
    }

    #[test]
    fn a_value_must_be_that_of_its_key() {
        let prefix = "$KV.b.".to_owned();
        let work = Work {
            subjects: Subjects::Keys { prefix, keys: 100 },
            payload: 18,
            verb: Verb::Get("KV_b".into()),
        };
        let place = work.subjects.place(7);
        let value = |place: u64| format!("{place:016}..");
        let headers = b"NATS/1.0\r\nNats-Sequence: 9\r\n\r\n";
        assert!(
            work.check(7, &answer(headers, value(place).as_bytes()))
                .is_ok()
        );
        assert!(
            work.check(7, &answer(headers, value(place + 1).as_bytes()))
                .is_err()
        );
        assert!(work.check(7, &answer(headers, b"")).is_err());
    }

    #[test]
    fn the_gate_counts_or_looks_at_the_time() {
        let now = Instant::now();
        let counted = Gate::new(Until::Count(1), now);
        assert!(!counted.is_shut(now + Duration::from_secs(100)));
        assert!(Gate::new(Until::Count(0), now).is_shut(now));
        let timed = Gate::new(Until::Time(Duration::from_secs(1)), now);
        assert!(!timed.is_shut(now));
        assert!(timed.is_shut(now + Duration::from_secs(1)));
    }
}
