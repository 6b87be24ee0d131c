//! Requests over one bare connection: a fixed number of them on their way at any time.
//!
//! It speaks just enough of the protocol to ask and to recognise answers, so that next to nothing
//! of what is measured is its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::Failure;

/// Longest wait for an answer; only ever reached when something is broken.
const PATIENCE: Duration = Duration::from_secs(10);

const PAYLOAD: &str = "hello, what is the cost of an answer to this?";

/// A connection that asks.
pub(super) struct Load {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    subject: String,
    next: usize,
    /// When each request was sent, by its number.
    sent: Vec<Instant>,
}

/// What came of a number of requests.
pub(super) struct Outcome {
    /// Sorted.
    latencies: Vec<Duration>,
    took: Duration,
}

impl Outcome {
    pub(super) fn requests(&self) -> usize {
        self.latencies.len()
    }

    pub(super) fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// The latency that this share of all answers did not exceed.
    pub(super) fn quantile(&self, share: f64) -> Duration {
        let rank = (self.latencies.len() as f64 * share).ceil() as usize;
        let index = rank.clamp(1, self.latencies.len().max(1)) - 1;
        self.latencies.get(index).copied().unwrap_or_default()
    }
}

impl Load {
    pub(super) fn connect(address: &str, subject: &str) -> Result<Self, Failure> {
        let open = || -> std::io::Result<Self> {
            let writer = TcpStream::connect(address)?;
            writer.set_nodelay(true)?;
            writer.set_read_timeout(Some(PATIENCE))?;
            let mut load = Self {
                reader: BufReader::new(writer.try_clone()?),
                writer,
                subject: subject.to_owned(),
                next: 0,
                sent: Vec::new(),
            };
            let mut line = String::new();
            load.reader.read_line(&mut line)?;
            let hello = "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n\
                         SUB serving.* 1\r\n";
            load.writer.write_all(hello.as_bytes())?;
            Ok(load)
        };
        open().map_err(|error| format!("connecting to {address}: {error}"))
    }

    /// Asks for so long, with so many requests on their way.
    pub(super) fn run(&mut self, in_flight: usize, time: Duration) -> Result<Outcome, Failure> {
        let run = self.try_run(in_flight, time);
        run.map_err(|error| format!("asking {}: {error}", self.subject))
    }

    fn try_run(&mut self, in_flight: usize, time: Duration) -> std::io::Result<Outcome> {
        let mut outcome = Outcome {
            latencies: Vec::new(),
            took: Duration::ZERO,
        };
        let mut open = 0;
        let start = Instant::now();
        while open < in_flight {
            self.ask()?;
            open += 1;
        }
        while open > 0 {
            let Some(number) = self.answer()? else {
                continue;
            };
            let now = Instant::now();
            outcome.latencies.push(now - self.sent[number]);
            if now - start < time {
                self.ask()?;
            } else {
                open -= 1;
            }
        }
        outcome.took = start.elapsed();
        outcome.latencies.sort_unstable();
        Ok(outcome)
    }

    fn ask(&mut self) -> std::io::Result<()> {
        let (subject, number, size) = (&self.subject, self.next, PAYLOAD.len());
        let frame = format!("PUB {subject} serving.{number} {size}\r\n{PAYLOAD}\r\n");
        self.next += 1;
        self.sent.push(Instant::now());
        self.writer.write_all(frame.as_bytes())
    }

    /// Reads a frame; the number of the request if it is an answer.
    fn answer(&mut self) -> std::io::Result<Option<usize>> {
        let other = |what: &str| std::io::Error::other(what.to_owned());
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(other("the connection ended"));
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["MSG", subject, _, size] => {
                let number = subject.rsplit('.').next().and_then(|n| n.parse().ok());
                let size: usize = size.parse().map_err(|_| other("a size that is none"))?;
                let mut payload = vec![0; size + 2];
                self.reader.read_exact(&mut payload)?;
                Ok(number)
            }
            ["PING"] => self.writer.write_all(b"PONG\r\n").map(|()| None),
            ["PONG" | "+OK"] | ["INFO", ..] => Ok(None),
            ["HMSG", ..] => Err(other("an error was answered, or nobody answers")),
            _ => Err(other(&line)),
        }
    }
}
