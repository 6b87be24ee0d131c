//! A traced message from its publisher: judged like any other, and what is said of it is noted.

use std::time::Instant;

use recado_session::publish_violation;
use recado_wire::{Publish, has_wildcard, is_publish_subject};

use super::asked::Wish;
use super::event::Event;
use super::{Trace, may_ask};
use crate::engine::connection::shown;
use crate::engine::deliver::Publisher;
use crate::engine::reader::Reader;
use crate::engine::worker::Worker;

/// What comes of a wish.
enum Begun {
    /// The message goes on, untraced.
    Untraced,
    /// Nobody gets it.
    Dropped,
    Traced(Box<Trace>),
}

impl Reader {
    /// Whether a message with headers may ask to be traced.
    #[inline]
    pub(in crate::engine) fn may_be_traced(&self, message: &Publish<'_>) -> bool {
        let headers = message.body.get(..message.header_len);
        headers.is_some_and(|headers| may_ask(headers, self.account.traces()))
    }

    /// Publishes a message that asks to be traced, and traces it. False: it does not ask after all.
    #[cold]
    pub(in crate::engine) fn publish_traced(
        &mut self,
        worker: &mut Worker,
        message: &Publish<'_>,
        input: &[u8],
    ) -> bool {
        let headers = message.body.get(..message.header_len).unwrap_or_default();
        let Some(wish) = Wish::read(headers) else {
            return false;
        };
        let mut trace = match self.begin(worker, wish, message) {
            Begun::Untraced => return false,
            Begun::Dropped => return true,
            Begun::Traced(trace) => *trace,
        };
        let renamed = self.renamed(worker, message.subject);
        if let Some(subject) = &renamed {
            trace.add(Event::mapping(subject));
        }
        let message = Publish {
            subject: renamed.as_deref().unwrap_or(message.subject),
            tail: b"",
            ..*message
        };
        match self.judge(worker, &message) {
            Ok(()) => {
                self.confirm(worker);
                let publisher = Publisher {
                    connection: &self.connection,
                    echo: self.session.echo(),
                    no_responders: self.session.no_responders(),
                };
                let account = &self.account;
                worker.publish_traced(
                    &self.engine,
                    account,
                    publisher,
                    &message,
                    input,
                    &mut trace,
                );
            }
            Err(why) => trace.refused(why.text().into_owned()),
        }
        if let Some(trace) = self.engine.traces.keep(trace, Instant::now()) {
            self.tell(worker, trace, input);
        }
        true
    }

    /// Decides whether it is traced, and where that is told.
    fn begin(&mut self, worker: &mut Worker, mut wish: Wish, message: &Publish<'_>) -> Begun {
        let named_by_client = !wish.destination.is_empty();
        if !named_by_client {
            let terms = self.account.terms();
            let Some(plan) = &terms.trace else {
                return Begun::Untraced;
            };
            if !plan.takes(worker.random.next()) {
                return Begun::Untraced;
            }
            wish.destination.clone_from(&plan.destination);
        }
        let destination = wish.destination.as_bytes();
        let is_valid = is_publish_subject(destination)
            && !has_wildcard(destination)
            && !destination.contains(&b' ');
        if wish.is_forbidden || !is_valid {
            let (cid, destination) = (self.connection.id, shown(destination));
            tracing::debug!(cid, %destination, "a message can't be traced");
            if !wish.only {
                return Begun::Untraced;
            }
            self.confirm(worker);
            return Begun::Dropped;
        }
        let reserved = destination.starts_with(b"_GR_.") || destination.starts_with(b"$NRG.");
        // Where the account has its traces told is not for the client to be allowed.
        let may = !named_by_client || self.session.may_publish(destination);
        if reserved || !may {
            self.say_error(worker, &publish_violation(destination));
            self.note_denied(destination);
            self.note_refusal(destination);
            return Begun::Dropped;
        }
        let size = message.body.len();
        Begun::Traced(Box::new(Trace::new(
            &self.account,
            &self.connection,
            message.subject,
            wish,
            size,
        )))
    }

    /// Tells whoever asked, as if the publisher did: it may publish there.
    fn tell(&self, worker: &mut Worker, trace: Trace, input: &[u8]) {
        let told = trace.told(self.engine.speaker());
        let body = [&told.headers[..], &told.body].concat();
        let message = Publish {
            subject: told.destination.as_bytes(),
            reply: b"",
            header_len: told.headers.len(),
            body: &body,
            tail: b"",
            with_headers: !told.headers.is_empty(),
        };
        let publisher = Publisher {
            connection: &self.connection,
            echo: true,
            no_responders: false,
        };
        worker.publish(&self.engine, &told.account, publisher, &message, input);
    }
}
