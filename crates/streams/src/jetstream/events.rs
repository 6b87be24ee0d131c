//! What is told of what happened: advisories (E210 to E221), and dead letters for streams that want them.

use std::ops::Bound;

use recado_log::Journal;

use super::consumers::Events;
use super::{JetStream, Room, Settings};
use crate::api::ApiCall;
use crate::api::advisory::{
    AUDIT_SUBJECT, AckMetric, Action, Advisory, ApiAudit, Client, ConsumerAction,
    ConsumerGroupPinned, ConsumerGroupUnpinned, ConsumerPause, MaxDeliver, MsgNaked, MsgTerminated,
    ServerOutOfSpace, StreamAction,
};
use crate::consumer::{DeadReason, Event, Read};
use crate::context::Context;
use crate::jetstream::Incoming;
use crate::stream::{Accepted, Env, Origin, Stream};
use crate::time::ZERO_TIME;

/// Metadata key of a stream: the stream that its dead letters go to.
pub const DEAD_LETTER_KEY: &str = "recado.dead_letter";
/// What the subjects of dead letters begin with; stream and consumer follow.
const DEAD_LETTER_PREFIX: &str = "DLQ.";
/// Dead letters that could not be copied and are told one by one.
const UNCOPIED_MAX: usize = 100;

/// A dead letter that the stream for them did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncopied {
    /// Stream that the message is in.
    pub stream: String,
    /// Its sequence.
    pub sequence: u64,
    /// Stream that was to take it.
    pub target: String,
    /// Why it did not.
    pub why: String,
}

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
        let refused = recado_refusal(answer);
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
                    reason,
                } => self.bring_to_dead_letters(
                    context, journal, id, name, stream_seq, deliveries, &reason,
                ),
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

    /// Keeps a copy of a message that nobody will get any more, if its stream asks for that.
    #[expect(
        clippy::too_many_arguments,
        reason = "all of it goes into the copy's headers"
    )]
    fn bring_to_dead_letters(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        consumer: &str,
        sequence: u64,
        deliveries: u64,
        reason: &DeadReason,
    ) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let Some(target) = stream.config.metadata.get(DEAD_LETTER_KEY).cloned() else {
            return;
        };
        let name = stream.config.name.clone();
        let Read::Message(message) = stream.messages.read(journal, sequence) else {
            return;
        };
        let (reason, detail) = match reason {
            DeadReason::MaxDeliveries => ("max_deliver", ""),
            DeadReason::Terminated(detail) => ("terminated", detail.as_str()),
        };
        let subject = String::from_utf8_lossy(message.subject).into_owned();
        let mut headers = match message.headers.strip_suffix(b"\r\n") {
            Some(head) if !head.is_empty() => head.to_vec(),
            _ => b"NATS/1.0\r\n".to_vec(),
        };
        // What meant something to the stream that it was published to means nothing here.
        for own in [
            "Nats-Msg-Id",
            "Nats-Rollup",
            "Nats-TTL",
            "Nats-Expected-Stream",
        ] {
            headers = crate::stream::without_header(&headers, own);
        }
        if headers.is_empty() {
            headers = b"NATS/1.0\r\n".to_vec();
        }
        let more = [
            ("Recado-Dead-Reason", reason.to_owned()),
            ("Recado-Dead-Detail", one_line(detail)),
            ("Recado-Dead-Stream", name.clone()),
            ("Recado-Dead-Consumer", consumer.to_owned()),
            ("Recado-Dead-Subject", subject),
            ("Recado-Dead-Sequence", sequence.to_string()),
            ("Recado-Dead-Deliveries", deliveries.to_string()),
            // Once each, also when a restart makes a consumer give up on it again.
            ("Nats-Msg-Id", format!("dead:{name}:{consumer}:{sequence}")),
        ];
        for (header, value) in more.iter().filter(|(_, value)| !value.is_empty()) {
            headers.extend_from_slice(format!("{header}: {value}\r\n").as_bytes());
        }
        headers.extend_from_slice(b"\r\n");
        let payload = message.payload.to_vec();
        let subject = format!("{DEAD_LETTER_PREFIX}{name}.{consumer}");
        let stored = self.store_as_server(context, journal, &target, &subject, &headers, &payload);
        if let Err(why) = stored
            && self.uncopied.len() < UNCOPIED_MAX
        {
            self.uncopied.push(Uncopied {
                stream: name,
                sequence,
                target,
                why,
            });
        }
    }

    /// Stores a message of the server's own in a stream, whatever its subjects; why not, if not.
    pub(super) fn store_as_server(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        stream: &str,
        subject: &str,
        headers: &[u8],
        payload: &[u8],
    ) -> Result<(), String> {
        let id = self.names.get(stream).copied();
        let Some((id, target)) = id.and_then(|id| Some((id, self.streams.get_mut(&id)?))) else {
            return Err("there is no stream of that name".to_owned());
        };
        let mut env = Env {
            now_ns: context.now_ns,
            journal,
            room: Room::ANY,
            chance: (context.random)() as u32,
        };
        let stored = target.publish(
            &mut env,
            Origin::Server,
            subject.as_bytes(),
            headers,
            payload,
        );
        if let Ok(Accepted::Stored(_)) = stored {
            let last = target.last_sequence();
            if target.messages.is_on_file() {
                self.replies.grown(id, last);
            }
            self.after_publish(id);
        }
        stored.map(drop).map_err(|error| error.to_string())
    }

    /// Dead letters that were not copied since the last call, for the server's log.
    pub fn take_uncopied(&mut self) -> Vec<Uncopied> {
        std::mem::take(&mut self.uncopied)
    }

    /// Damaged messages that consumers met since the last call: stream and sequence, for the server's log.
    pub fn take_lost(&mut self) -> Vec<(String, u64)> {
        std::mem::take(&mut self.lost)
    }
}

/// Whether an answer is a refusal.
fn recado_refusal(answer: &[u8]) -> bool {
    // `type` comes first, then `error` or what was asked for.
    answer
        .windows(9)
        .take(120)
        .any(|part| part == b",\"error\":")
}

/// Text that a client gave, without what would end a header line.
fn one_line(text: &str) -> String {
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
