//! Messages that are traced (ADR-41): whoever publishes one with `Nats-Trace-Dest`, or with a sampled `traceparent` in an
//! account that has `msg_trace`, is told on that subject where it went and why not further.
//!
//! A traced message goes a way of its own ([`walk`]), slower than that of others, past the same indexes and rules;
//! the others pay a look at the names of their headers, and nothing if they have none ([`asked`]). What a
//! stream makes of it comes later, from the streams' thread: until then the trace waits ([`pending`]).

mod asked;
mod event;
mod pending;
mod publish;
mod ticket;
mod walk;

pub(crate) use asked::{is_sampled, may_ask};
pub(crate) use event::{Event, Told};
pub(crate) use pending::Pending;
pub(crate) use ticket::Ticket;

use std::sync::Arc;

use serde_json::Value;

use self::asked::Wish;
use super::account::Account;
use super::connection::Connection;

/// Events of one trace; a message that reaches more is not told of all.
const EVENTS_MAX: usize = 10_000;

/// What is known of a traced message.
pub(crate) struct Trace {
    /// Where its publisher is, and whoever is told.
    account: Arc<Account>,
    wish: Wish,
    /// Bytes of headers and payload.
    size: usize,
    events: Vec<Event>,
    /// Which of many it is, for the streams' thread; not to be guessed.
    number: u128,
    /// Streams that were asked.
    asked: usize,
}

impl Trace {
    fn new(
        account: &Arc<Account>,
        publisher: &Connection,
        subject: &[u8],
        wish: Wish,
        size: usize,
    ) -> Self {
        Self {
            account: Arc::clone(account),
            events: vec![Event::ingress(publisher, &account.name, subject)],
            wish,
            size,
            number: rand::random(),
            asked: 0,
        }
    }

    /// It is to reach nobody.
    fn is_only(&self) -> bool {
        self.wish.only
    }

    fn add(&mut self, event: Event) {
        if self.events.len() < EVENTS_MAX {
            self.events.push(event);
        }
    }

    /// Bytes that it takes.
    fn bytes(&self) -> usize {
        let events = self.events.iter().map(Event::bytes);
        size_of::<Self>() + self.wish.bytes() + events.sum::<usize>()
    }

    /// Its publisher was refused.
    fn refused(&mut self, why: String) {
        if let Some(ingress) = self.events.first_mut() {
            ingress.error = Some(why);
        }
    }

    /// A stream is asked; what to send along with the message, unless there are too many events already.
    fn ask_stream(&mut self) -> Option<Ticket> {
        let event = self.events.len();
        if event >= EVENTS_MAX {
            return None;
        }
        self.events.push(Event::stream());
        self.asked += 1;
        Some(Ticket {
            number: self.number,
            event: u32::try_from(event).ok()?,
            only: self.wish.only,
        })
    }

    /// A message for whoever asked. `server` says who speaks.
    pub(crate) fn told(self, server: Value) -> Told {
        Told::new(self, server)
    }
}
