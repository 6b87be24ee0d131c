//! A client that counts what is delivered to it, and knows when nothing more can come.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::counter::Counter;
use super::shared::Shared;
use super::worker::{Client, Turn};
use crate::direct::Direct;
use crate::failure::Failure;

/// So many reads a turn; then others of the same thread have theirs.
const READS_MAX: u32 = 4;

/// Once the person has ended it, nobody waits longer for what is missing.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// What decides that a subscriber has everything, or will not get it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    /// The messages due are shared among all subscribers, not due to each.
    pub(super) shared_out: bool,
    /// Publishers of this run tell what is due; else it is known from the start, or never.
    pub(super) published_here: bool,
    /// From the first message on, nothing may come for so long; then what is missing is lost.
    pub(super) silence: Option<Duration>,
    /// The run ends so long after the first message.
    pub(super) duration: Option<Duration>,
}

/// One subscriber.
pub(super) struct Subscriber {
    direct: Direct,
    shared: Arc<Shared>,
    ending: Ending,
    counter: Counter,
    /// When its last message came.
    pub(super) last: Option<Instant>,
}

impl Subscriber {
    pub(super) fn new(direct: Direct, shared: Arc<Shared>, ending: Ending) -> Self {
        Self {
            direct,
            shared,
            ending,
            counter: Counter::default(),
            last: None,
        }
    }

    /// Messages that came.
    pub(super) fn messages(&self) -> u64 {
        self.counter.messages
    }

    /// Bytes of their payloads.
    pub(super) fn bytes(&self) -> u64 {
        self.counter.bytes
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<(), Failure> {
        let before = self.counter.messages;
        for _ in 0..READS_MAX {
            let Some(count) = self.direct.read_some(buffer)? else {
                break;
            };
            if let Err(said) = self.counter.feed(&buffer[..count]) {
                return Err(self.direct.refused(&said));
            }
        }
        if self.counter.messages > before {
            let now = Instant::now();
            self.last = Some(now);
            self.shared.came(self.counter.messages - before, now);
        }
        while self.counter.pings > 0 {
            self.counter.pings -= 1;
            self.direct.stage().extend_from_slice(recado_wire::PONG);
        }
        Ok(())
    }

    fn has_everything(&self) -> bool {
        let received = match self.ending.shared_out {
            true => self.shared.received.load(Ordering::Relaxed),
            false => self.counter.messages,
        };
        self.shared.due().is_some_and(|due| received >= due)
    }

    /// Whether there is no point in waiting any longer.
    fn is_over(&mut self) -> bool {
        if self.has_everything() {
            return true;
        }
        if !self.ending.published_here {
            let Some(first) = self.shared.first() else {
                return self.shared.is_stopped();
            };
            let past = |length: Option<Duration>, span| length.is_some_and(|length| span > length);
            let silent =
                self.shared.due().is_some() && past(self.ending.silence, self.shared.silence());
            return self.shared.is_stopped()
                || past(self.ending.duration, first.elapsed())
                || silent;
        }
        if self.shared.due().is_none() {
            return false;
        }
        // What the publishers sent is processed; the server may still be delivering it.
        let patience = match self.shared.is_stopped() {
            true => Some(LAST_WAIT),
            false => self.ending.silence,
        };
        patience.is_some_and(|patience| self.shared.silence() > patience)
    }
}

impl Client for Subscriber {
    fn socket(&self) -> BorrowedFd<'_> {
        self.direct.socket().as_fd()
    }

    fn turn(&mut self, buffer: &mut [u8]) -> Result<Turn, Failure> {
        self.read(buffer)?;
        if self.is_over() {
            return Ok(Turn::Done);
        }
        Ok(match self.direct.flush()? {
            true => Turn::Reading,
            false => Turn::Writing,
        })
    }
}
