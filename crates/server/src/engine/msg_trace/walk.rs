//! The way of a traced message: to the same receivers as [`Worker::publish`], one by one, and each is noted.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use recado_router::{Matches, Subscription as _};
use recado_streams::accounts::Accounts as Streams;
use recado_wire::{Publish, push_message};

use super::asked::disabled;
use super::event::Event;
use super::{Ticket, Trace};
use crate::engine::account::Account;
use crate::engine::connection::Connection;
use crate::engine::crossing::{CROSSINGS_MAX, RESPONSE_PREFIX, ServiceImport};
use crate::engine::deliver::{
    Passage, Publisher, in_turn, relieve, say_nobody_there, stage_target,
};
use crate::engine::route::Route;
use crate::engine::shared::Engine;
use crate::engine::subscription::Subscription;
use crate::engine::worker::Worker;

/// Each receiver is as much work as building a route.
const WORK: usize = 8;

// As nats-server says it.
const NO_ECHO: &str = "Not delivered because of no echo";
const SUB_DENIED: &str = "Not delivered because subscription denies this subject";
const CLIENT_CLOSED: &str = "Not delivered because client is closed";
const EXCEEDED: &str = "Not delivered because auto-unsubscribe exceeded";

impl Worker {
    /// Routes a traced message, and notes where it goes.
    pub(super) fn publish_traced(
        &mut self,
        engine: &Engine,
        account: &Arc<Account>,
        publisher: Publisher<'_>,
        message: &Publish<'_>,
        input: &[u8],
        trace: &mut Trace,
    ) {
        let passage = Passage {
            engine,
            account,
            crossings: 0,
            publisher,
            message,
            input,
        };
        let reached = self.spread_traced(&passage, trace);
        if !reached && !message.reply.is_empty() && publisher.no_responders {
            say_nobody_there(&mut self.stage, &passage);
        }
    }

    fn spread_traced(&mut self, passage: &Passage<'_>, trace: &mut Trace) -> bool {
        let (account, subject) = (passage.account, passage.message.subject);
        if subject.starts_with(RESPONSE_PREFIX)
            && let Some(reached) = self.answer_traced(passage, trace)
        {
            return reached;
        }
        let router = &account.router;
        let (matches, _) = router.resolve(subject, router.hash(subject));
        let mut reached = false;
        for sub in &matches.plain {
            let service = sub.special().and_then(|special| special.service.as_ref());
            reached |= match service {
                Some(service) => self.cross_traced(service, passage, trace),
                None => self.give(sub, passage, trace),
            };
        }
        for group in &matches.queues {
            let random = self.random.next();
            reached |= in_turn(&group.members, random).any(|sub| self.give(sub, passage, trace));
        }
        reached
    }

    /// A traced answer to a request that crossed: it is followed back to the requester's account, and no further.
    fn answer_traced(&mut self, passage: &Passage<'_>, trace: &mut Trace) -> Option<bool> {
        let message = passage.message;
        let (to, reply) = passage.account.responses.peek(message.subject)?;
        trace.add(Event::service_import(&to.name, message.subject, &reply));
        if trace.is_only() {
            return Some(true);
        }
        let quiet = Untraced::of(message);
        self.answer(&Passage {
            message: &quiet.message(message),
            ..*passage
        })
    }

    /// A traced request that goes on to another account, which may or may not let it be followed.
    fn cross_traced(
        &mut self,
        service: &Arc<ServiceImport>,
        passage: &Passage<'_>,
        trace: &mut Trace,
    ) -> bool {
        let message = passage.message;
        if passage.crossings >= CROSSINGS_MAX {
            return false;
        }
        let outward = &service.renaming.outward;
        let Some(to) = outward.apply(message.subject, self.random.next() as u32) else {
            return false;
        };
        let exporter = &service.exporter;
        trace.add(Event::service_import(&exporter.name, message.subject, &to));
        if !service.allow_trace {
            // That nobody hears of it there is not for the requester to know.
            if trace.is_only() {
                return true;
            }
            let quiet = Untraced::of(message);
            return self.cross(
                service,
                &Passage {
                    message: &quiet.message(message),
                    ..*passage
                },
            );
        }
        let only = trace.is_only();
        self.cross_with(service, passage, only, |worker, passage| {
            worker.spread_traced(passage, trace)
        })
    }

    /// Gives a message to one subscription; whether that takes it, or would.
    fn give(&mut self, sub: &Arc<Subscription>, passage: &Passage<'_>, trace: &mut Trace) -> bool {
        self.stage.add_work(WORK);
        let subject = passage.message.subject;
        let Some(connection) = sub.connection.upgrade() else {
            return false;
        };
        let shadow = sub.special().and_then(|special| special.shadow.as_ref());
        let here = match shadow {
            Some(shadow) => match shadow.import.renaming.inward.apply(subject, 0) {
                Some(here) => here,
                None => return false,
            },
            None => subject.to_vec(),
        };
        let main = shadow.map_or(sub, |shadow| &shadow.main);
        let importer = shadow.map_or(passage.account, |shadow| &shadow.import.importer);
        let mut followed = true;
        if let Some(shadow) = shadow {
            trace.add(Event::stream_export(&importer.name, &here));
            followed = shadow.import.allow_trace;
            if !followed && trace.is_only() {
                return true;
            }
        }
        if connection.is_intake() {
            return self.give_to_streams((sub, main), &here, passage, trace, followed);
        }
        let error = self.try_give(sub, (main, &here), &connection, passage, trace, followed);
        if self.stage.is_overfull() {
            // What is written before the batch ends must be counted by then.
            self.count(passage.publisher.not_to());
            relieve(&mut self.stage, passage, &mut self.relieved);
        }
        if followed {
            let other = (importer.number != trace.account.number).then_some(&**importer);
            let receiver = (main.filter(), main.queue());
            trace.add(Event::egress(&connection, receiver, other, error));
        }
        error.is_none()
    }

    /// Why it is not delivered, if it is not.
    fn try_give(
        &mut self,
        sub: &Arc<Subscription>,
        (main, here): (&Arc<Subscription>, &[u8]),
        connection: &Connection,
        passage: &Passage<'_>,
        trace: &Trace,
        followed: bool,
    ) -> Option<&'static str> {
        if connection.id == passage.publisher.connection.id && !passage.publisher.echo {
            return Some(NO_ECHO);
        }
        if !main.may_get(here) {
            return Some(SUB_DENIED);
        }
        if connection.close_reason().is_some() {
            return Some(CLIENT_CLOSED);
        }
        if trace.is_only() {
            return None;
        }
        let quiet;
        let untraced;
        let passage = match followed {
            true => *passage,
            false => {
                untraced = Untraced::of(passage.message);
                quiet = untraced.message(passage.message);
                Passage {
                    message: &quiet,
                    ..*passage
                }
            }
        };
        match self.stage_one(sub, &passage) {
            true => None,
            false if main.max.load(Ordering::Acquire) > 0 => Some(EXCEEDED),
            false => Some(CLIENT_CLOSED),
        }
    }

    /// Stages a message for one subscription, by a route that knows no other.
    fn stage_one(&mut self, sub: &Arc<Subscription>, passage: &Passage<'_>) -> bool {
        let alone = Matches {
            plain: vec![Arc::clone(sub)],
            queues: Vec::new(),
            is_of_siblings: false,
        };
        let route = Route::new(passage.message.subject, alone).route;
        let Some(target) = route.plain.first() else {
            return false;
        };
        let taken = stage_target(&mut self.stage, route.prefix(target), target, passage);
        if taken && !target.limited {
            target.sub.delivered.fetch_add(1, Ordering::AcqRel);
        }
        taken
    }

    /// Gives it to the streams: to a stream with a ticket that it answers by, to their other services as it is.
    fn give_to_streams(
        &mut self,
        (sub, main): (&Arc<Subscription>, &Arc<Subscription>),
        here: &[u8],
        passage: &Passage<'_>,
        trace: &mut Trace,
        followed: bool,
    ) -> bool {
        if !Streams::is_for_stream(main.sid()) {
            return trace.is_only() || self.stage_one(sub, passage);
        }
        let ticket = followed.then(|| trace.ask_stream()).flatten();
        if ticket.is_none() && trace.is_only() {
            return true;
        }
        let message = passage.message;
        let quiet = Untraced::of(message);
        let headers = match ticket.map(|ticket: Ticket| ticket.put_on(&quiet.headers)) {
            Some(headers) => headers,
            None => quiet.headers,
        };
        let payload = message.body.get(message.header_len..).unwrap_or_default();
        let buffer = self.stage.buffer_for(main.slot, main.connection_id, main);
        let Some(appender) = buffer else {
            return false;
        };
        appender.message(|frames| {
            let (sid, reply) = (main.sid(), message.reply);
            push_message(frames.buffer(), here, sid, reply, Some(&headers), payload);
            headers.len() + payload.len()
        });
        main.delivered.fetch_add(1, Ordering::AcqRel);
        true
    }
}

/// A message whose headers ask for nothing any more.
struct Untraced {
    headers: Vec<u8>,
    body: Vec<u8>,
}

impl Untraced {
    fn of(message: &Publish<'_>) -> Self {
        let (headers, payload) = message.body.split_at(message.header_len);
        let headers = disabled(headers);
        let body = [&headers, payload].concat();
        Self { headers, body }
    }

    fn message<'a>(&'a self, as_was: &Publish<'a>) -> Publish<'a> {
        Publish {
            header_len: self.headers.len(),
            body: &self.body,
            tail: b"",
            with_headers: true,
            ..*as_was
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::deliver::tests::Unread;
    use crate::engine::msg_trace::asked::Wish;
    use crate::engine::worker::{Congestion, with_worker};
    use crate::internal_client::tests::{engine, run};

    const BYTES: usize = 1 << 20;
    /// Copies that stay below what makes a worker write in the middle of a batch, ...
    const BEFORE: u8 = 11;
    /// ... and so many more that do not.
    const TRACED: u8 = 8;

    #[test]
    fn what_a_traced_message_makes_the_worker_write_was_counted_before() {
        run(async {
            let engine = engine();
            let mut connections = Unread::new(&engine);
            let (publisher, reader) = (connections.add(), connections.add());
            let account = engine.accounts.global();
            let subscribe = |filter: &'static [u8], count: u8| -> Vec<Arc<Subscription>> {
                let subs = (0..count).map(|at| {
                    let sid = [filter, &[b'a' + at]].concat();
                    Arc::new(Subscription::new(&reader, true, filter, None, &sid))
                });
                subs.inspect(|sub| account.enter(Arc::clone(sub))).collect()
            };
            let (before, traced) = (subscribe(b"before", BEFORE), subscribe(b"traced", TRACED));
            let headers = b"NATS/1.0\r\nNats-Trace-Dest: t\r\n\r\n";
            let body = [&headers[..], &vec![b'x'; BYTES]].concat();
            let message = |subject| Publish {
                subject,
                reply: b"",
                header_len: headers.len(),
                body: &body,
                tail: b"",
                with_headers: true,
            };
            let speaker = Publisher {
                connection: &publisher,
                echo: true,
                no_responders: false,
            };
            let wish = Wish::read(headers).unwrap();
            let mut trace = Trace::new(account, &publisher, b"traced", wish, body.len());
            with_worker(|worker| {
                worker.publish(&engine, account, speaker, &message(b"before"), b"");
                let delivered = |subs: &[Arc<Subscription>]| {
                    let each = subs.iter().map(|sub| sub.delivered.load(Ordering::Acquire));
                    each.collect::<Vec<_>>()
                };
                assert_eq!(
                    delivered(&before),
                    [0; BEFORE as usize],
                    "at the batch's end"
                );
                let message = message(b"traced");
                worker.publish_traced(&engine, account, speaker, &message, b"", &mut trace);
                assert!(reader.waiting_bytes() > 0, "some of it is out");
                assert_eq!(delivered(&before), [1; BEFORE as usize]);
                assert_eq!(delivered(&traced), [1; TRACED as usize]);
                worker.flush(b"", 0, None, &mut Congestion::default());
                assert_eq!(delivered(&before), [1; BEFORE as usize], "once");
            });
        });
    }
}
