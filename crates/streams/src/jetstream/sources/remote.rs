//! A mirror or source whose stream lies in another account (E156): reached through subjects that this account imports,
//! by what any client would do. A consumer is asked for that delivers here; what it sends is taken in its order.
//!
//! Nothing is believed but what comes: a gap in the deliveries, a silence or no answer, and it is asked for anew behind
//! the last message that was taken. The other side is told of nothing that is not durable here.

use std::collections::BTreeMap;

use recado_log::Journal;
use recado_wire::{Headers, has_wildcard, is_publish_subject};
use serde_json::{Value, json};

use super::feed::{Feed, Role};
use super::pull::{self, Taken, Turn};
use crate::config::{AckPolicy, ConsumerConfig, DeliverPolicy, External};
use crate::consumer::AckSubject;
use crate::context::{Context, Outlet};
use crate::error::{self, ApiError};
use crate::jetstream::events::unique_id;
use crate::jetstream::{Incoming, JetStream};
use crate::stream::{Env, SEQUENCE_MAX};
use crate::time::SECOND;

/// The other side is asked no oftener than this, whatever it answers and sends.
const AGAIN_NS: i64 = SECOND;
/// How long an answer is waited for.
const ANSWER_NS: i64 = 10 * SECOND;
/// How often the consumer gives a sign of life, and after how long without one it is taken for gone; it takes us for gone
/// after as long.
const HEARTBEAT_NS: i64 = SECOND;
const SILENCE_NS: i64 = 10 * SECOND;
/// What nats-server asks for: nothing is delivered twice.
const ACK_WAIT_NS: i64 = 22 * 3600 * SECOND;
/// Letters of chance in a subject.
const LETTERS: usize = 8;
/// Letters of what an answer says went wrong.
const REASON_LETTERS_MAX: usize = 1024;

/// The other side of a feed.
#[derive(Default)]
pub(super) struct Remote {
    /// What is listened to: the answer, then what is delivered.
    ear: Option<Ear>,
    state: State,
    /// When it was asked last.
    asked_ns: i64,
    /// When it was asked, or last heard of.
    since_ns: i64,
    until_ns: Option<i64>,
    /// That moment has passed.
    is_late: bool,
    pub(super) lag: u64,
    owed: Option<Owed>,
}

/// A subject and the sid that it is listened to with. Each request has others, so that nothing of the last is taken for its.
struct Ear {
    subject: String,
    sid: Vec<u8>,
}

impl Ear {
    fn subscribe(&self, out: &mut dyn Outlet, prefix: &str) {
        let sid = [prefix.as_bytes(), &self.sid].concat();
        out.subscribe(self.subject.as_bytes(), &sid);
    }

    fn unsubscribe(&self, out: &mut dyn Outlet, prefix: &str) {
        out.unsubscribe(&[prefix.as_bytes(), &self.sid].concat());
    }
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    /// For a consumer that delivers there. It is listened to only then: what would come before the answer could not be
    /// judged, and a consumer waits for its listener.
    Asking { deliveries: Ear },
    /// Its name, and how many deliveries came.
    Taking { consumer: String, delivered: u64 },
}

/// It waits to be told that it may go on.
struct Owed {
    reply: Vec<u8>,
    /// What came before, which must be durable first: deliveries, and the last sequence of the origin.
    delivered: u64,
    upto: u64,
}

impl Remote {
    /// When it is late.
    pub(super) fn until(&self) -> Option<i64> {
        self.until_ns
    }

    /// Time has passed. Whether there is something to do about it.
    pub(super) fn notice_time(&mut self, now_ns: i64) -> bool {
        if self.until_ns.is_none_or(|until_ns| until_ns > now_ns) {
            return false;
        }
        let limit_ns = match self.state {
            State::Idle => 0,
            State::Asking { .. } => ANSWER_NS,
            State::Taking { .. } => SILENCE_NS,
        };
        let until_ns = self.since_ns.saturating_add(limit_ns);
        self.is_late = until_ns <= now_ns;
        self.until_ns = (!self.is_late).then_some(until_ns);
        self.is_late
    }

    pub(super) fn subscribe(&self, out: &mut dyn Outlet, prefix: &str) {
        if let Some(ear) = &self.ear {
            ear.subscribe(out, prefix);
        }
    }

    pub(super) fn unsubscribe(&self, out: &mut dyn Outlet, prefix: &str) {
        if let Some(ear) = &self.ear {
            ear.unsubscribe(out, prefix);
        }
    }

    /// Listens to something else from now on.
    fn listen(&mut self, ear: Ear, out: &mut dyn Outlet, prefix: &str) {
        self.unsubscribe(out, prefix);
        ear.subscribe(out, prefix);
        self.ear = Some(ear);
    }

    /// Listens no more; the consumer goes when nobody does.
    pub(super) fn leave(&mut self, out: &mut dyn Outlet, prefix: &str) {
        self.unsubscribe(out, prefix);
        *self = Self {
            asked_ns: self.asked_ns,
            lag: self.lag,
            ..Self::default()
        };
    }
}

/// Whether a source with this prefix lies in this very account.
pub(super) fn is_here(external: &External, domain: Option<&str>) -> bool {
    domain.is_some_and(|domain| external.api == format!("$JS.{domain}.API"))
}

impl JetStream {
    /// Does what is due for a feed from elsewhere.
    pub(super) fn drive(&mut self, context: &mut Context<'_>, id: u32, feed: &mut Feed) {
        let is_held = feed.next_retry().is_some();
        let Some(remote) = &mut feed.remote else {
            return;
        };
        pay(context.out, remote, feed.durable);
        if !std::mem::take(&mut feed.is_due) {
            return;
        }
        let is_late = std::mem::take(&mut remote.is_late);
        match remote.state {
            State::Asking { .. } if is_late => {
                let error = setup_failed(feed, &no_answer(feed));
                self.fail(context, feed, error);
            }
            State::Taking { .. } if is_late => self.ask(context, id, feed),
            State::Idle if !is_held => self.ask(context, id, feed),
            _ => {}
        }
    }

    /// Asks for a consumer that delivers what comes behind the last message that was taken.
    fn ask(&mut self, context: &mut Context<'_>, id: u32, feed: &mut Feed) {
        let Some(target) = self.streams.get(&id) else {
            return;
        };
        let Some(external) = feed.config.external.clone() else {
            return;
        };
        if feed.config.consumer.is_some() {
            let text = "a consumer of another account can't be named: leave `consumer` out";
            let error = setup_failed(feed, text);
            return self.fail(context, feed, error);
        }
        if let Some(remote) = &mut feed.remote {
            let again_ns = remote.asked_ns.saturating_add(AGAIN_NS);
            if context.now_ns < again_ns {
                remote.leave(context.out, &self.sid_prefix);
                remote.since_ns = again_ns;
                remote.until_ns = Some(again_ns);
                return;
            }
        }
        let last = target.last_sequence();
        if feed.role == Role::Mirror && feed.taken != last {
            feed.begin_behind(last);
        }
        let mut config = self.consumer_for(context, id, feed);
        config.deliver_subject = deliver_subject(&external, feed.role, context);
        let subject = request_subject(&external, feed, &config);
        let number = self.next_sid;
        self.next_sid += 1;
        let ear = |kind: &str, subject: &str| Ear {
            subject: subject.to_owned(),
            sid: format!("x{id}.{number}.{kind}").into_bytes(),
        };
        let answers = format!("$JSC.R.{}", letters(context));
        let deliveries = ear("d", &config.deliver_subject);
        let prefix = self.sid_prefix.clone();
        let identity = feed.identity.clone();
        let name = feed.config.name.clone();
        let Some(remote) = &mut feed.remote else {
            return;
        };
        remote.leave(context.out, &prefix);
        remote.state = State::Asking { deliveries };
        remote.asked_ns = context.now_ns;
        remote.since_ns = context.now_ns;
        remote.until_ns = Some(context.now_ns.saturating_add(ANSWER_NS));
        remote.listen(ear("a", &answers), context.out, &prefix);
        let headers = format!(
            "NATS/1.0\r\nNats-Required-Api-Level: 5\r\nNats-Stream-Identity: {identity}\r\n\r\n"
        );
        let body = json!({"stream_name": name, "config": config, "action": ""}).to_string();
        context.out.publish(
            subject.as_bytes(),
            answers.as_bytes(),
            headers.as_bytes(),
            body.as_bytes(),
        );
    }

    /// What is asked for, but for the subject that it delivers to: as nats-server does.
    fn consumer_for(&self, context: &mut Context<'_>, id: u32, feed: &Feed) -> ConsumerConfig {
        let Some(target) = self.streams.get(&id) else {
            return ConsumerConfig::default();
        };
        let (name, target) = (&target.config.name, &target.config);
        let consumer = self.consumer_name(name, &target.sources, feed);
        let mut config = self.consumer_config(context, &consumer, name, feed);
        config.durable_name.clear();
        config.ack_policy = AckPolicy::None;
        config.ack_wait = ACK_WAIT_NS;
        config.max_deliver = 1;
        config.max_ack_pending = 0;
        config.idle_heartbeat = HEARTBEAT_NS;
        config.inactive_threshold = SILENCE_NS;
        config.direct = true;
        config.metadata = own_metadata(std::mem::take(&mut config.metadata));
        (config.opt_start_seq, config.opt_start_time) = (0, None);
        config.deliver_policy = match (feed.taken, &feed.config) {
            (0, wanted) if wanted.opt_start_seq > 0 => {
                config.opt_start_seq = wanted.opt_start_seq;
                DeliverPolicy::ByStartSequence
            }
            (0, wanted) if wanted.opt_start_time.is_some() => {
                config.opt_start_time = wanted.opt_start_time;
                DeliverPolicy::ByStartTime
            }
            (0, _) => DeliverPolicy::All,
            (taken, _) => {
                config.opt_start_seq = taken + 1;
                DeliverPolicy::ByStartSequence
            }
        };
        config
    }

    /// It goes on later, and says why.
    fn fail(&mut self, context: &mut Context<'_>, feed: &mut Feed, error: ApiError) {
        if let Some(remote) = &mut feed.remote {
            remote.leave(context.out, &self.sid_prefix);
        }
        feed.hold(error, context.now_ns);
    }

    /// A message for a feed of this stream.
    pub(in crate::jetstream) fn hear(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        message: &Incoming<'_>,
    ) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let mut feeds = std::mem::take(&mut stream.feeding.feeds);
        for feed in &mut feeds {
            let Some(remote) = &feed.remote else {
                continue;
            };
            if remote.ear.as_ref().is_none_or(|ear| ear.sid != message.sid) {
                continue;
            }
            match remote.state {
                State::Idle => {}
                State::Asking { .. } => self.answered(context, id, feed, message),
                State::Taking { .. } => self.delivered(context, journal, id, feed, message),
            }
        }
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.feeding.feeds = feeds;
        }
        self.schedule(id);
    }

    /// What became of the request.
    fn answered(
        &mut self,
        context: &mut Context<'_>,
        id: u32,
        feed: &mut Feed,
        message: &Incoming<'_>,
    ) {
        let answer: Value = serde_json::from_slice(message.payload).unwrap_or_default();
        let error = &answer["error"];
        if error["err_code"] == json!(error::CONSUMER_STREAM_IDENTITY_MISMATCH.err_code) {
            return self.begin_with_another(context, id, feed, "");
        }
        if error.is_object() {
            let error = told(error);
            return self.fail(context, feed, error);
        }
        let Some(consumer) = answer["name"].as_str() else {
            let error = setup_failed(feed, "the answer to the request is none");
            return self.fail(context, feed, error);
        };
        let identity = header(message, "Nats-Stream-Identity").unwrap_or_default();
        let is_known = !feed.identity.is_empty() && !identity.is_empty();
        if feed.role == Role::Source && is_known && feed.identity != identity {
            return self.begin_with_another(context, id, feed, identity);
        }
        feed.identity = identity.to_owned();
        // Pauses begin anew only when something was taken: one that can't store would ask every second else.
        feed.error = None;
        feed.heard_ns = Some(context.now_ns);
        let taking = State::Taking {
            consumer: consumer.to_owned(),
            delivered: 0,
        };
        if let Some(remote) = &mut feed.remote {
            if let State::Asking { deliveries } = std::mem::replace(&mut remote.state, taking) {
                remote.listen(deliveries, context.out, &self.sid_prefix);
            }
            remote.since_ns = context.now_ns;
            remote.until_ns = Some(context.now_ns.saturating_add(SILENCE_NS));
            remote.lag = answer["num_pending"].as_u64().unwrap_or_default();
        }
    }

    /// Another stream has the name of the one that was taken from: all of it is new.
    fn begin_with_another(
        &mut self,
        context: &mut Context<'_>,
        id: u32,
        feed: &mut Feed,
        identity: &str,
    ) {
        feed.identity = identity.to_owned();
        if feed.role == Role::Source {
            feed.begin_behind(0);
        }
        self.ask(context, id, feed);
    }

    /// Something that the consumer sent.
    fn delivered(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        feed: &mut Feed,
        message: &Incoming<'_>,
    ) {
        let (taken, durable) = (feed.taken, feed.durable);
        let Some(remote) = &mut feed.remote else {
            return;
        };
        let State::Taking {
            consumer,
            delivered,
        } = &mut remote.state
        else {
            return;
        };
        if message.headers.starts_with(b"NATS/1.0 100") {
            remote.since_ns = context.now_ns;
            feed.heard_ns = Some(context.now_ns);
            let is_whole = is_whole(message, *delivered);
            let stalled = header(message, "Nats-Consumer-Stalled").map(str::as_bytes);
            let asks = (!message.reply.is_empty()).then_some(message.reply);
            let origin = (feed.config.name.as_bytes(), consumer.as_bytes());
            if let Some(reply) = asks.or(stalled).filter(|reply| is_flow(reply, origin)) {
                remote.owed = Some(Owed {
                    reply: reply.to_owned(),
                    delivered: *delivered,
                    upto: taken,
                });
                pay(context.out, remote, durable);
            }
            if !is_whole {
                self.ask(context, id, feed);
            }
            return;
        }
        let Some(place) = Place::of(message.reply, consumer) else {
            return;
        };
        if place.consumer_seq != delivered.saturating_add(1) {
            // What came already says nothing new.
            if place.consumer_seq > *delivered {
                self.ask(context, id, feed);
            }
            return;
        }
        *delivered = place.consumer_seq;
        remote.lag = place.pending;
        remote.since_ns = context.now_ns;
        feed.heard_ns = Some(context.now_ns);
        if place.stream_seq > taken {
            self.take_one(context, journal, (id, feed), message, place);
        }
    }

    /// Stores one.
    fn take_one(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        (id, feed): (u32, &mut Feed),
        message: &Incoming<'_>,
        place: Place,
    ) {
        let Some(storage) = self.streams.get(&id).map(|stream| stream.config.storage) else {
            return;
        };
        let mut env = Env {
            now_ns: context.now_ns,
            room: self.room(storage),
            chance: (context.random)() as u32,
            journal,
        };
        let Some(target) = self.streams.get_mut(&id) else {
            return;
        };
        let taken = Taken {
            sequence: place.stream_seq,
            time_ns: place.time_ns,
            subject: message.subject.to_vec(),
            headers: message.headers.to_vec(),
            payload: message.payload.to_vec(),
        };
        match pull::store(&mut env, target, feed, &taken) {
            Ok(has_copy) => {
                feed.taken = place.stream_seq;
                feed.goes_on(context.now_ns);
                let turn = Turn {
                    copies: u64::from(has_copy),
                    is_without_copy: !has_copy,
                    ..Turn::default()
                };
                self.note_turn(id, feed, &turn);
            }
            Err(error) => self.fail(context, feed, error),
        }
    }
}

/// Tells the other side that it may go on, if all before that is durable.
fn pay(out: &mut dyn Outlet, remote: &mut Remote, durable: u64) {
    let Some(owed) = remote.owed.take_if(|owed| owed.upto <= durable) else {
        return;
    };
    let headers = format!(
        "NATS/1.0\r\nNats-Last-Consumer: {}\r\nNats-Last-Stream: {}\r\n\r\n",
        owed.delivered, owed.upto
    );
    out.publish(&owed.reply, b"", headers.as_bytes(), b"");
}

/// Whether this is where the consumer of an origin waits for flow control (E114). Who sends from another account must not
/// choose what is published in this one.
fn is_flow(subject: &[u8], (stream, consumer): (&[u8], &[u8])) -> bool {
    let mut tokens = subject.split(|byte| *byte == b'.');
    let is_it = tokens.next() == Some(b"$JS") && tokens.next() == Some(b"FC");
    let rest: Vec<&[u8]> = tokens.collect();
    let names = match *rest.as_slice() {
        [stream, consumer, _] => Some((stream, consumer)),
        // The long form has a domain and an account in front (H20).
        [_, _, stream, consumer, _, ..] => Some((stream, consumer)),
        _ => None,
    };
    let is_clean = |byte: &u8| byte.is_ascii_graphic() || *byte > 0x7F;
    is_it
        && names == Some((stream, consumer))
        && is_publish_subject(subject)
        && !has_wildcard(subject)
        && subject.iter().all(is_clean)
}

/// Whether everything came that a sign of life tells of.
fn is_whole(message: &Incoming<'_>, delivered: u64) -> bool {
    let last = header(message, "Nats-Last-Consumer").and_then(|last| last.parse::<u64>().ok());
    last.is_none_or(|last| last <= delivered)
}

fn header<'a>(message: &Incoming<'a>, name: &str) -> Option<&'a str> {
    if message.headers.is_empty() {
        return None;
    }
    Headers::new(message.headers).get(name)
}

/// What a delivery's reply subject says of it.
#[derive(Clone, Copy)]
struct Place {
    stream_seq: u64,
    consumer_seq: u64,
    time_ns: i64,
    pending: u64,
}

impl Place {
    /// None of another consumer, or of what is delivered once more.
    fn of(reply: &[u8], consumer: &str) -> Option<Self> {
        let ack = AckSubject::parse(reply)?;
        if ack.consumer != consumer.as_bytes() || ack.delivery.deliveries > 1 {
            return None;
        }
        let tokens: Vec<&str> = std::str::from_utf8(reply).ok()?.split('.').collect();
        // `$JS.ACK.stream.consumer.deliveries.stream_seq.consumer_seq.time.pending`, or with two more behind `ACK`.
        let behind = if tokens.len() > 9 { 2 } else { 0 };
        // There are others around a sequence, and a time that a limit is added to.
        let stream_seq = Some(ack.delivery.stream_seq).filter(|seq| *seq < SEQUENCE_MAX)?;
        let time_ns: i64 = tokens.get(7 + behind)?.parse().ok()?;
        Some(Self {
            stream_seq,
            consumer_seq: ack.delivery.consumer_seq,
            time_ns: time_ns.clamp(0, i64::MAX / 2),
            pending: tokens.get(8 + behind)?.parse().ok()?,
        })
    }
}

fn letters(context: &mut Context<'_>) -> String {
    unique_id(context).chars().take(LETTERS).collect()
}

fn deliver_subject(external: &External, role: Role, context: &mut Context<'_>) -> String {
    let kind = match role {
        Role::Mirror => "M",
        Role::Source => "S",
    };
    let prefix = match external.deliver.as_str() {
        "" => "$JS",
        prefix => prefix,
    };
    format!("{prefix}.{kind}.{}", letters(context)).replace("..", ".")
}

/// The subject of the request, as this account calls it.
fn request_subject(external: &External, feed: &Feed, config: &ConsumerConfig) -> String {
    let prefix = &external.api;
    let stream = &feed.config.name;
    let subject = match config.filter_subject.as_str() {
        "" => format!("{prefix}.CONSUMER.CREATE.{stream}"),
        filter => format!("{prefix}.CONSUMER.CREATE.{stream}.{}.{filter}", config.name),
    };
    subject.replace("..", ".")
}

/// What the other side adds by itself is not for us to say.
fn own_metadata(mut metadata: BTreeMap<String, String>) -> BTreeMap<String, String> {
    metadata.retain(|key, _| key != crate::config::REQUIRED_LEVEL);
    metadata
}

fn setup_failed(feed: &Feed, why: &str) -> ApiError {
    let kind = match feed.role {
        Role::Mirror => &error::MIRROR_CONSUMER_SETUP_FAILED,
        Role::Source => &error::SOURCE_CONSUMER_SETUP_FAILED,
    };
    ApiError::with(kind, why)
}

fn no_answer(feed: &Feed) -> String {
    let api = feed.config.external.as_ref().map_or("", |one| &one.api);
    format!(
        "nothing answers to {api}.CONSUMER.CREATE.{}: this account must import it from that of the stream, \
         which must export $JS.API.CONSUMER.CREATE.>",
        feed.config.name
    )
}

/// The error of an answer.
fn told(error: &Value) -> ApiError {
    let number = |name: &str| {
        let number = error[name]
            .as_u64()
            .and_then(|number| u16::try_from(number).ok());
        number.unwrap_or_default()
    };
    let description = error["description"].as_str().unwrap_or_default();
    let description: String = description.chars().take(REASON_LETTERS_MAX).collect();
    ApiError {
        code: number("code"),
        err_code: number("err_code"),
        description: description.into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(reply: &str) -> Option<(u64, u64, i64, u64)> {
        let place = Place::of(reply.as_bytes(), "c")?;
        let Place {
            stream_seq,
            consumer_seq,
            time_ns,
            pending,
        } = place;
        Some((stream_seq, consumer_seq, time_ns, pending))
    }

    #[test]
    fn flow_control_is_answered_where_that_consumer_waits_for_it_and_nowhere_else() {
        for (subject, expected) in [
            ("$JS.FC.O.c.x", true),
            ("$JS.FC._.hash.O.c.x", true),
            ("$JS.FC._.hash.O.c.x.token", true),
            ("$JS.FC.O.d.x", false),
            ("$JS.FC.P.c.x", false),
            ("$JS.FC.O.c", false),
            ("$JS.API.STREAM.DELETE.O", false),
            ("$JS.API.O.c.x", false),
            ("$KV.O.c.x", false),
            ("$JS.FC.O.c.*", false),
            ("$JS.FC.O.c.>", false),
            ("$JS.FC.O.c.", false),
            ("$JS.FC.O.c.x y", false),
            ("$JS.FC.O.c.x\r\n", false),
            ("", false),
        ] {
            let is_it = is_flow(subject.as_bytes(), (b"O", b"c"));
            assert_eq!(is_it, expected, "{subject:?}");
        }
    }

    #[test]
    fn a_delivery_says_where_it_stands_in_both_forms() {
        for (reply, expected) in [
            ("$JS.ACK.O.c.1.7.3.99.5", Some((7, 3, 99, 5))),
            ("$JS.ACK._.hash.O.c.1.7.3.99.5", Some((7, 3, 99, 5))),
            ("$JS.ACK._.hash.O.c.1.7.3.99.5.token", Some((7, 3, 99, 5))),
            // Of another consumer, delivered once more, and no ack subject at all.
            ("$JS.ACK.O.d.1.7.3.99.5", None),
            ("$JS.ACK.O.c.2.7.3.99.5", None),
            ("$JS.ACK.O.c.1.7.3.x.5", None),
            // No sequence has one behind it, no time is before the first or at the end.
            ("$JS.ACK.O.c.1.18446744073709551615.3.99.5", None),
            ("$JS.ACK.O.c.1.18446744073709551614.3.99.5", None),
            ("$JS.ACK.O.c.1.7.3.-1.5", Some((7, 3, 0, 5))),
            (
                "$JS.ACK.O.c.1.7.3.9223372036854775807.5",
                Some((7, 3, i64::MAX / 2, 5)),
            ),
            ("_INBOX.1", None),
            ("", None),
        ] {
            assert_eq!(place(reply), expected, "{reply}");
        }
    }

    #[test]
    fn it_is_late_when_nothing_was_heard_for_long() {
        let mut remote = Remote {
            state: State::Taking {
                consumer: "c".to_owned(),
                delivered: 0,
            },
            until_ns: Some(SILENCE_NS),
            ..Remote::default()
        };
        assert!(!remote.notice_time(SILENCE_NS - 1));
        remote.since_ns = 5;
        assert!(!remote.notice_time(SILENCE_NS));
        assert_eq!(remote.until(), Some(SILENCE_NS + 5));
        assert!(remote.notice_time(SILENCE_NS + 5) && remote.until().is_none());
        assert!(!remote.notice_time(i64::MAX), "it was told");
    }

    #[test]
    fn a_subject_has_no_empty_tokens_whatever_its_prefix_ends_with() {
        let external = |deliver: &str| External {
            api: "fromA.API.".to_owned(),
            deliver: deliver.to_owned(),
        };
        let mut random = || 7;
        let mut context = Context {
            now_ns: 0,
            random: &mut random,
            out: &mut crate::context::Nobody,
        };
        for (deliver, expected) in [
            ("d.", "d.S.77777777"),
            ("d", "d.S.77777777"),
            ("", "$JS.S.77777777"),
        ] {
            let subject = deliver_subject(&external(deliver), Role::Source, &mut context);
            assert_eq!(subject, expected);
        }
    }

    proptest! {
        #[test]
        fn no_reply_subject_makes_it_stumble(reply in "(\\$JS\\.ACK\\.)?[a-z0-9.$]{0,60}") {
            let _ = place(&reply);
        }
    }
}
