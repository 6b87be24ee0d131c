//! A client that asks, waits for the answer, and asks again: a closed loop, one request under way.
//!
//! It measures how many requests are served. How long each takes under a given load is for
//! `recado latency` to measure: here a slow server is asked less often.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use recado_wire::push_publish;

use super::shared::Shared;
use super::worker::{Client, Turn};
use crate::direct::{Direct, Heard};
use crate::failure::Failure;
use crate::summary::Times;

/// What a requester asks, and how often.
pub(super) struct Asking {
    pub(super) subjects: Arc<[String]>,
    pub(super) inbox: String,
    pub(super) size: usize,
    /// How many requests; until the end of the run if none.
    pub(super) share: Option<u64>,
    /// An answer later than this is none.
    pub(super) limit: Duration,
}

/// One requester.
pub(super) struct Requester {
    direct: Direct,
    shared: Arc<Shared>,
    asking: Asking,
    payload: Vec<u8>,
    /// Requests so far; the last token of each one's reply subject.
    number: u64,
    /// When the one under way was sent.
    sent: Option<Instant>,
    pub(super) times: Times,
    /// Requests without an answer.
    pub(super) lost: u64,
    pub(super) finished: Option<Instant>,
}

impl Requester {
    pub(super) fn new(direct: Direct, shared: Arc<Shared>, asking: Asking) -> Self {
        Self {
            direct,
            shared,
            payload: vec![b'.'; asking.size],
            asking,
            number: 0,
            sent: None,
            times: Times::new(),
            lost: 0,
            finished: None,
        }
    }

    /// Bytes of each request.
    pub(super) fn size(&self) -> usize {
        self.payload.len()
    }

    fn listen(&mut self) -> Result<(), Failure> {
        let prefix = self.asking.inbox.len() + 1;
        let (subject, server) = (self.subject(), self.direct.address.clone());
        let (number, wanted) = (self.number, &mut self.sent);
        let mut answered = None;
        self.direct.hear(|heard| {
            let Heard::Message {
                subject: to,
                headers,
                ..
            } = heard
            else {
                return Ok(());
            };
            let token = std::str::from_utf8(to.get(prefix..).unwrap_or_default());
            if token.ok().and_then(|token| token.parse().ok()) != Some(number) {
                // A late answer to an earlier request, or one more to this.
                return Ok(());
            }
            if headers.starts_with(b"NATS/1.0 503") {
                return Err(Failure::NoResponders {
                    subject: subject.clone(),
                    server: server.clone(),
                });
            }
            if let Some(sent) = wanted.take() {
                answered = Some(sent.elapsed());
            }
            Ok(())
        })?;
        if let Some(took) = answered {
            self.times.record(took);
            self.shared.came(1, Instant::now());
        }
        Ok(())
    }

    fn ask(&mut self) {
        self.number += 1;
        let subject = self.subject();
        let reply = format!("{}.{}", self.asking.inbox, self.number);
        push_publish(
            self.direct.stage(),
            subject.as_bytes(),
            reply.as_bytes(),
            None,
            &self.payload,
        );
        self.shared.sent.fetch_add(1, Ordering::Relaxed);
        self.sent = Some(Instant::now());
    }

    /// Where the current request goes.
    fn subject(&self) -> String {
        let subjects = &self.asking.subjects;
        let turn = self.number % subjects.len().max(1) as u64;
        subjects.get(turn as usize).cloned().unwrap_or_default()
    }
}

impl Client for Requester {
    fn socket(&self) -> BorrowedFd<'_> {
        self.direct.socket().as_fd()
    }

    fn turn(&mut self, _buffer: &mut [u8]) -> Result<Turn, Failure> {
        self.listen()?;
        if let Some(sent) = self.sent
            && sent.elapsed() > self.asking.limit
        {
            self.lost += 1;
            self.sent = None;
        }
        // Who ends it does not wait for the last answer; nor is that one lost.
        if self.sent.is_some() && self.shared.is_stopped() {
            self.finished = Some(Instant::now());
            return Ok(Turn::Done);
        }
        if self.sent.is_none() {
            if self.shared.is_over() || self.asking.share == Some(self.number) {
                self.finished = Some(Instant::now());
                return Ok(Turn::Done);
            }
            self.ask();
        }
        Ok(match self.direct.flush()? {
            true => Turn::Reading,
            false => Turn::Writing,
        })
    }
}
