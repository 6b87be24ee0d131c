//! Requests and their answers: how long each takes, and what the server pays for it.

use std::io::Read;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::flow::Flow;
use super::many::{Readers, read_some};
use super::{CpuWatch, Setting};
use crate::client::{Client, IO_TIMEOUT};
use crate::error::{Doing, Error, Result};
use crate::frames::{Numbered, Traffic};
use crate::incoming::{Event, Message};
use crate::outcome::{Latency, Outcome};
use crate::target::Target;

const SERVICE: &str = "bench.service";
const FLOOD: &str = "bench.flood";
const BUFFER_BYTES: usize = 64 * 1024;
/// The request that the responder answers last; sixteen digits, as all have.
const LAST_REQUEST: u64 = 9_999_999_999_999_999;

/// `requesters` connections, each with one request under way.
pub(super) fn concurrent(setting: &Setting, requesters: usize) -> Result<Outcome> {
    let target = setting.start()?;
    let mut asking = Asking::open(&target, requesters)?;
    asking.run(setting.warm_up())?;
    let watch = CpuWatch::start(&target)?;
    let done = asking.run(setting.measure)?;
    let used = watch.stop()?;
    let mut outcome = Outcome::new(
        setting.row,
        "request",
        done.latency.len(),
        0,
        done.elapsed,
        used,
    );
    outcome.latency_us = Some(Latency::from(&done.latency));
    Ok(outcome)
}

/// One requester while another pair of connections is as busy as the server lets it be.
pub(super) fn beside_a_flood(setting: &Setting) -> Result<Outcome> {
    let target = setting.start()?;
    let traffic = Arc::new(Traffic::one_subject(FLOOD, 16, Numbered::Yes));
    let mut flood = Flow::open(&target, FLOOD, &traffic, 1, 1)?;
    let mut asking = Asking::open(&target, 1)?;
    asking.run(setting.warm_up())?;
    flood.run(setting.warm_up())?;
    let watch = CpuWatch::start(&target)?;
    let (flooded, done) = std::thread::scope(|scope| {
        let flooding = scope.spawn(|| flood.run(setting.measure));
        let done = asking.run(setting.measure);
        (
            flooding
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            done,
        )
    });
    let (flooded, done) = (flooded?, done?);
    let used = watch.stop()?;
    let mut outcome = Outcome::new(
        setting.row,
        "request",
        done.latency.len(),
        flooded.lost,
        done.elapsed,
        used,
    );
    outcome.latency_us = Some(Latency::from(&done.latency));
    // The flood's share of the CPU can't be told from the requests'.
    outcome.server_cpu_ns = None;
    let rate = flooded.delivered as f64 / flooded.elapsed.as_secs_f64();
    Ok(outcome.figure("flood_per_second", rate))
}

/// Requesters and the responder that serves them.
struct Asking {
    requesters: Vec<Requester>,
    responder: Client,
}

struct Answers {
    latency: Histogram<u64>,
    elapsed: Duration,
}

impl Asking {
    fn open(target: &Target, requesters: usize) -> Result<Asking> {
        let mut responder = Client::connect(target.address)?;
        responder.send(format!("SUB {SERVICE} 1\r\n").as_bytes())?;
        responder.flush()?;
        let requesters = (0..requesters)
            .map(|number| Requester::open(target, number))
            .collect::<Result<Vec<_>>>()?;
        Ok(Asking {
            requesters,
            responder,
        })
    }

    fn run(&mut self, duration: Duration) -> Result<Answers> {
        let wake = self
            .responder
            .stream
            .try_clone()
            .doing("sharing a socket")?;
        let start = Instant::now();
        let Asking {
            requesters,
            responder,
        } = self;
        let latency = std::thread::scope(|scope| -> Result<Histogram<u64>> {
            let responding = scope.spawn(|| respond(responder));
            let asked = match requesters.as_mut_slice() {
                [one] => one.ask_until(start + duration),
                many => ask_all_until(many, start + duration),
            };
            let asked = asked.and_then(|latency| requesters[0].ask_last().map(|()| latency));
            if asked.is_err() {
                let _ = wake.shutdown(Shutdown::Both);
            }
            let responded = responding
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let latency = asked?;
            responded.map(|()| latency)
        })?;
        Ok(Answers {
            latency,
            elapsed: start.elapsed(),
        })
    }
}

/// Answers each request with its own payload, up to the last one.
fn respond(client: &mut Client) -> Result<()> {
    let last = LAST_REQUEST.to_string();
    let (mut buffer, mut answers, mut done) = (vec![0; BUFFER_BYTES], Vec::new(), false);
    while !done {
        let n = client
            .stream
            .read(&mut buffer)
            .doing("waiting for requests")?;
        if n == 0 {
            return Err(Error::Closed("waiting for requests"));
        }
        client.incoming.push(&buffer[..n]);
        while let Some(event) = client.incoming.next()? {
            match event {
                Event::Message(Message {
                    reply: Some(reply),
                    payload,
                    ..
                }) => {
                    answers.extend_from_slice(b"PUB ");
                    answers.extend_from_slice(reply);
                    answers.extend_from_slice(format!(" {}\r\n", payload.len()).as_bytes());
                    answers.extend_from_slice(payload);
                    answers.extend_from_slice(b"\r\n");
                    done |= payload == last.as_bytes();
                }
                Event::Ping => answers.extend_from_slice(b"PONG\r\n"),
                _ => {}
            }
        }
        client.send(&answers)?;
        answers.clear();
    }
    Ok(())
}

struct Requester {
    client: Client,
    inbox: String,
    number: u64,
    request: Vec<u8>,
    sent: Instant,
    buffer: Vec<u8>,
}

impl Requester {
    fn open(target: &Target, number: usize) -> Result<Requester> {
        let mut client = Client::connect(target.address)?;
        let inbox = format!("_INBOX.Zk3vQ1mPd8sYbT6wXr{number:04}");
        client.send(format!("SUB {inbox}.* 1\r\n").as_bytes())?;
        client.flush()?;
        let buffer = vec![0; BUFFER_BYTES];
        Ok(Requester {
            client,
            inbox,
            number: 0,
            request: Vec::new(),
            sent: Instant::now(),
            buffer,
        })
    }

    fn send(&mut self) -> Result<()> {
        use std::io::Write;
        self.number += 1;
        self.request.clear();
        // The subject of the answer is new each time, as it is with the client libraries.
        let (inbox, number) = (&self.inbox, self.number);
        let _ = write!(
            self.request,
            "PUB {SERVICE} {inbox}.{number:08} 16\r\n{number:016}\r\n"
        );
        self.sent = Instant::now();
        self.client.send(&self.request)
    }

    /// Takes in what was read; the latency once the answer is there.
    fn take(&mut self, n: usize) -> Result<Option<Duration>> {
        self.client.incoming.push(&self.buffer[..n]);
        let (mut answer, mut pong) = (None, false);
        while let Some(event) = self.client.incoming.next()? {
            match event {
                Event::Message(Message {
                    payload, headers, ..
                }) => {
                    if !headers.is_empty() || payload != format!("{:016}", self.number).as_bytes() {
                        let got = String::from_utf8_lossy(payload).into_owned();
                        return Err(Error::Differs(format!("answer {:016}: {got}", self.number)));
                    }
                    answer = Some(self.sent.elapsed());
                }
                Event::Ping => pong = true,
                _ => {}
            }
        }
        if pong {
            self.client.send(b"PONG\r\n")?;
        }
        Ok(answer)
    }

    /// The request that ends the responder's turn.
    fn ask_last(&mut self) -> Result<()> {
        self.client
            .stream
            .set_nonblocking(false)
            .doing("making a socket blocking")?;
        let number = std::mem::replace(&mut self.number, LAST_REQUEST - 1);
        self.send()?;
        self.wait()?;
        self.number = number;
        Ok(())
    }

    fn wait(&mut self) -> Result<Duration> {
        loop {
            let n = self
                .client
                .stream
                .read(&mut self.buffer)
                .doing("waiting for an answer")?;
            if n == 0 {
                return Err(Error::Closed("waiting for an answer"));
            }
            if let Some(latency) = self.take(n)? {
                return Ok(latency);
            }
        }
    }

    fn ask_until(&mut self, until: Instant) -> Result<Histogram<u64>> {
        let mut latency = histogram();
        while Instant::now() < until {
            self.send()?;
            latency.saturating_record(self.wait()?.as_nanos() as u64);
        }
        Ok(latency)
    }
}

/// One thread drives them all: sixteen threads on few cores would measure the scheduler.
fn ask_all_until(requesters: &mut [Requester], until: Instant) -> Result<Histogram<u64>> {
    let mut latency = histogram();
    let mut readers = Readers::watch(requesters.iter().map(|r| &r.client.stream))?;
    for requester in requesters.iter_mut() {
        requester.send()?;
    }
    let mut under_way = requesters.len();
    while under_way > 0 {
        let ready = readers.wait(IO_TIMEOUT)?;
        if ready.is_empty() {
            return Err(Error::Server(format!(
                "no answer for {} s",
                IO_TIMEOUT.as_secs()
            )));
        }
        for place in ready {
            let requester = &mut requesters[place];
            while let Some(n) = read_some(&requester.client.stream, &mut requester.buffer)? {
                if let Some(answered) = requester.take(n)? {
                    latency.saturating_record(answered.as_nanos() as u64);
                    if Instant::now() < until {
                        requester.send()?;
                    } else {
                        under_way -= 1;
                    }
                }
                if n < BUFFER_BYTES {
                    break;
                }
            }
        }
    }
    Ok(latency)
}

/// One nanosecond to a minute, three digits.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("constant bounds")
}
