//! What is told of what happened: advisories (E210 to E221).

use std::ops::Bound;

use recado_log::Journal;

use super::consumers::Events;
use super::dead_letters::{Letter, Reason};
use super::{JetStream, Settings};
use crate::api::ApiCall;
use crate::api::advisory::{
    AUDIT_SUBJECT, AckMetric, Action, Advisory, ApiAudit, Client, ConsumerAction,
    ConsumerGroupPinned, ConsumerGroupUnpinned, ConsumerPause, MaxDeliver, MsgNaked, MsgTerminated,
    ServerOutOfSpace, StreamAction,
};
use crate::consumer::Event;
use crate::context::Context;
use crate::jetstream::Incoming;
use crate::stream::Stream;
use crate::time::ZERO_TIME;

/// Why nothing can be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OutOfStorage {
    /// The disk is full, for now.
    Full,
    /// A write or sync failed: until the server is started again.
    Stopped,
}

impl OutOfStorage {
    /// Whether it is still so after the messages of a stream up to `last` reached the disk. What is there already
    /// says nothing, and acks and removals have room on a full disk, too.
    pub(super) fn lasts_after(self, stream: &Stream, last: u64) -> bool {
        self == Self::Stopped || last <= stream.messages.visible()
    }
}

impl Settings {
    /// Nothing can be stored.
    pub(crate) fn out_of_space(&self) -> ServerOutOfSpace {
        ServerOutOfSpace {
            server: self.server_name.clone(),
            server_id: self.server_id.clone(),
            // All streams share one log.
            stream: String::new(),
            cluster: String::new(),
            domain: self.domain.clone().unwrap_or_default(),
        }
    }
}

impl JetStream {
    /// Nothing can be stored: told once, until there was room again (E218).
    pub(super) fn out_of_storage(&mut self, context: &mut Context<'_>, why: OutOfStorage) {
        if !self.note_out_of_storage(why) {
            return;
        }
        let advisory = self.settings.out_of_space();
        self.advise(context, &advisory);
    }

    /// Whether it was not told yet; from now on it was.
    pub(crate) fn note_out_of_storage(&mut self, why: OutOfStorage) -> bool {
        let is_news = self.told_out_of_storage < Some(why);
        if is_news {
            self.told_out_of_storage = Some(why);
        }
        is_news
    }

    /// Publishes an advisory, if anybody listens.
    pub(crate) fn advise(&self, context: &mut Context<'_>, advisory: &impl Advisory) {
        let subject = advisory.subject();
        if !self.is_heard(context, subject.as_bytes()) {
            return;
        }
        let id = unique_id(context);
        let body = advisory.to_json(&id, context.now_ns);
        context.out.publish(subject.as_bytes(), b"", b"", &body);
    }

    /// Whether anybody listens on a subject, or a stream stores what comes there.
    fn is_heard(&self, context: &Context<'_>, subject: &[u8]) -> bool {
        context.out.has_interest(subject, None) || self.takes_in(subject)
    }

    /// Whether a stream stores messages on this subject. Looks at filters only that begin as it does.
    fn takes_in(&self, subject: &[u8]) -> bool {
        let first = subject.split(|byte| *byte == b'.').next();
        let Some(first) = first.and_then(|first| std::str::from_utf8(first).ok()) else {
            return false;
        };
        [first, "*", ">"].into_iter().any(|first| {
            let from_here = self
                .subjects
                .range::<str, _>((Bound::Included(first), Bound::Unbounded));
            let mut filters = from_here
                .map(|(filter, _)| filter)
                .take_while(|filter| filter.starts_with(first));
            filters.any(|filter| recado_wire::filter_matches(filter.as_bytes(), subject))
        })
    }

    pub(super) fn domain(&self) -> String {
        self.settings.domain.clone().unwrap_or_default()
    }

    pub(super) fn advise_stream(&self, context: &mut Context<'_>, name: &str, action: Action) {
        let advisory = StreamAction {
            stream: name.to_owned(),
            action,
            domain: self.domain(),
        };
        self.advise(context, &advisory);
    }

    pub(super) fn advise_consumer(
        &self,
        context: &mut Context<'_>,
        stream: &str,
        consumer: &str,
        action: Action,
    ) {
        let advisory = ConsumerAction {
            stream: stream.to_owned(),
            consumer: consumer.to_owned(),
            action,
            domain: self.domain(),
        };
        self.advise(context, &advisory);
    }

    /// Counts refusals, and reports the call with its answer, as nats-server does of all but messages that were got
    /// and consumers that were reset (E219).
    pub(super) fn note_answer(
        &mut self,
        context: &mut Context<'_>,
        message: &Incoming<'_>,
        call: &ApiCall<'_>,
        answer: &[u8],
    ) {
        let refused = is_refusal(answer);
        if refused {
            self.api_errors += 1;
        }
        let is_reported = match call {
            ApiCall::MsgGet(_) => refused,
            ApiCall::ConsumerReset(_) => false,
            _ => true,
        };
        // An answer may be long: it is copied for listeners only.
        if !is_reported || !self.is_heard(context, AUDIT_SUBJECT.as_bytes()) {
            return;
        }
        let audit = ApiAudit {
            server: self.settings.server_name.clone(),
            client: self.client_of(message),
            subject: String::from_utf8_lossy(message.subject).into_owned(),
            request: String::from_utf8_lossy(message.payload).into_owned(),
            response: String::from_utf8_lossy(answer).into_owned(),
            domain: self.domain(),
        };
        self.advise(context, &audit);
    }

    /// Whoever asked, as far as it is known.
    pub(super) fn client_of(&self, message: &Incoming<'_>) -> Client {
        let told = Client::of(message.headers);
        let mut client = told.map_or_else(Client::default, |told| Client {
            server: self.settings.server_name.clone(),
            ..told
        });
        if client.acc.is_empty() {
            client.acc = self.account.to_string();
        }
        client
    }

    /// Tells what happened to a consumer, and does what follows from it.
    pub(super) fn tell_events(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        name: &str,
        events: Events,
    ) {
        if events.is_empty() {
            return;
        }
        let Some(stream) = self
            .streams
            .get(&id)
            .map(|stream| stream.config.name.clone())
        else {
            return;
        };
        for event in events {
            match event {
                Event::Inactive => {
                    self.delete_consumer(context, journal, id, name);
                }
                Event::DeadLetter {
                    stream_seq,
                    deliveries,
                } => {
                    let letter = Letter {
                        sequence: stream_seq,
                        deliveries,
                        reason: &Reason::GivenUp,
                    };
                    // Without a copy it is where it was: one that was given up stays in its stream.
                    self.bring_to_dead_letters(context, journal, (id, name), &letter);
                }
                Event::Lost { stream_seq } => self.lost.push((stream.clone(), stream_seq)),
                other => self.advise_event(context, &stream, name, other),
            }
        }
    }

    fn advise_event(&self, context: &mut Context<'_>, stream: &str, name: &str, event: Event) {
        let (stream, consumer) = (stream.to_owned(), name.to_owned());
        let (domain, account) = (self.domain(), self.account.to_string());
        match event {
            Event::MaxDeliveries {
                stream_seq,
                deliveries,
            } => self.advise(
                context,
                &MaxDeliver {
                    stream,
                    consumer,
                    stream_seq,
                    deliveries,
                    domain,
                },
            ),
            Event::Naked {
                stream_seq,
                consumer_seq,
                deliveries,
            } => self.advise(
                context,
                &MsgNaked {
                    stream,
                    consumer,
                    consumer_seq,
                    stream_seq,
                    deliveries,
                    domain,
                },
            ),
            Event::Terminated {
                stream_seq,
                consumer_seq,
                deliveries,
                reason,
            } => self.advise(
                context,
                &MsgTerminated {
                    stream,
                    consumer,
                    consumer_seq,
                    stream_seq,
                    deliveries,
                    reason,
                    domain,
                },
            ),
            Event::AckSampled {
                stream_seq,
                consumer_seq,
                deliveries,
                delay_ns,
            } => self.advise(
                context,
                &AckMetric {
                    stream,
                    consumer,
                    consumer_seq,
                    stream_seq,
                    ack_time: delay_ns,
                    deliveries,
                    domain,
                },
            ),
            Event::Paused { until_ns, paused } => self.advise(
                context,
                &ConsumerPause {
                    stream,
                    consumer,
                    paused,
                    pause_until: until_ns.unwrap_or(ZERO_TIME),
                    domain,
                },
            ),
            Event::Pinned { group, pin_id } => self.advise(
                context,
                &ConsumerGroupPinned {
                    account,
                    stream,
                    consumer,
                    group,
                    pinned_id: pin_id,
                    domain,
                },
            ),
            Event::Unpinned { group, reason } => self.advise(
                context,
                &ConsumerGroupUnpinned {
                    account,
                    stream,
                    consumer,
                    group,
                    reason: reason.to_owned(),
                    domain,
                },
            ),
            Event::Inactive | Event::DeadLetter { .. } | Event::Lost { .. } => {}
        }
    }

    /// Damaged messages that consumers met since the last call: stream and sequence, for the server's log.
    pub fn take_lost(&mut self) -> Vec<(String, u64)> {
        std::mem::take(&mut self.lost)
    }
}

/// Whether an answer is a refusal.
fn is_refusal(answer: &[u8]) -> bool {
    // `type` comes first, then `error` or what was asked for.
    answer
        .windows(9)
        .take(120)
        .any(|part| part == b",\"error\":")
}

/// Text that a client gave, without what would end a header line.
pub(super) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// 22 letters and digits, as nats-server's ids have.
pub(crate) fn unique_id(context: &mut Context<'_>) -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let letter = |_| char::from(LETTERS[(context.random)() as usize % LETTERS.len()]);
    (0..22).map(letter).collect()
}
