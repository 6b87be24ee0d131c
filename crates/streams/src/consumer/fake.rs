//! A stream in memory over a real index, an outlet that remembers, and a small world around one consumer: for
//! tests only.

use std::collections::{BTreeMap, BTreeSet};

use recado_log::Location;

use super::{
    AckSubject, Confirmation, Consumer, Delivery, Event, Leaving, Progress, Read, Source, Stored,
};
use crate::config::{AckPolicy, ConsumerConfig};
use crate::context::{Context, Outlet};
use crate::index::{Filters, Index, Scan};

pub(super) const SECOND: i64 = 1_000_000_000;
pub(super) const START: i64 = 1_700_000_000 * SECOND;

#[derive(Clone, Debug)]
struct Message {
    subject: String,
    headers: Vec<u8>,
    payload: Vec<u8>,
    time_ns: i64,
}

/// A stream in memory.
#[derive(Debug)]
pub(super) struct FakeStream {
    messages: BTreeMap<u64, Message>,
    index: Index,
    /// Up to here messages are durable.
    visible: u64,
    pub(super) lost: BTreeSet<u64>,
    /// So many searches end because the work allowed is done.
    pub(super) tired: u32,
    pub(super) settled: Vec<u64>,
}

impl Default for FakeStream {
    fn default() -> Self {
        Self {
            messages: BTreeMap::new(),
            index: Index::new(1),
            visible: 0,
            lost: BTreeSet::new(),
            tired: 0,
            settled: Vec::new(),
        }
    }
}

impl FakeStream {
    pub(super) fn publish(&mut self, subject: &str, payload: &[u8], time_ns: i64) -> u64 {
        self.visible = self.append(subject, payload, time_ns);
        self.visible
    }

    /// Takes a message that is not durable yet.
    pub(super) fn append(&mut self, subject: &str, payload: &[u8], time_ns: i64) -> u64 {
        let sequence = self.index.last_sequence() + 1;
        let message = Message {
            subject: subject.to_owned(),
            headers: Vec::new(),
            payload: payload.to_owned(),
            time_ns,
        };
        self.messages.insert(sequence, message);
        let place = Location::default();
        self.index
            .push(sequence, subject.as_bytes(), time_ns, 1, place, 0);
        sequence
    }

    pub(super) fn remove(&mut self, sequence: u64) -> Option<String> {
        self.index.remove(sequence);
        self.messages
            .remove(&sequence)
            .map(|message| message.subject)
    }

    pub(super) fn is_visible(&self, sequence: u64) -> bool {
        sequence <= self.visible
    }

    /// The messages that are durable.
    pub(super) fn sequences(&self) -> Vec<u64> {
        let visible = self.messages.range(..=self.visible);
        visible.map(|(sequence, _)| *sequence).collect()
    }

    /// All messages.
    pub(super) fn appended(&self) -> Vec<u64> {
        self.messages.keys().copied().collect()
    }

    pub(super) fn is_match(&self, sequence: u64, filters: &Filters) -> bool {
        let message = self.messages.get(&sequence);
        message.is_some_and(|message| filters.matches(message.subject.as_bytes()))
    }
}

impl Source for FakeStream {
    fn first_sequence(&self) -> u64 {
        self.index.first_sequence()
    }

    fn last_sequence(&self) -> u64 {
        self.visible
    }

    fn next_matching(&mut self, from: u64, filters: &mut Filters, budget: &mut usize) -> Scan {
        if self.tired > 0 {
            self.tired -= 1;
            return Scan::OutOfBudget(from);
        }
        self.index
            .next_matching(from, self.visible, filters, budget)
    }

    fn last_matching(&mut self, filters: &mut Filters) -> Option<u64> {
        self.index.last_matching(self.visible, filters)
    }

    fn count_matching(&mut self, from: u64, filters: &mut Filters) -> u64 {
        self.index.count_matching(from, self.visible, filters)
    }

    fn last_per_subject(&mut self, filters: &mut Filters) -> Vec<u64> {
        self.index.last_per_subject(filters, self.visible)
    }

    fn first_at_or_after(&mut self, time_ns: i64) -> Option<u64> {
        let found = self.index.first_at_or_after(time_ns);
        found.filter(|sequence| self.is_visible(*sequence))
    }

    fn exists(&self, sequence: u64) -> bool {
        self.is_visible(sequence) && self.index.get(sequence).is_some()
    }

    fn matches(&mut self, sequence: u64, filters: &mut Filters) -> bool {
        self.is_visible(sequence) && self.is_match(sequence, filters)
    }

    fn read(&mut self, sequence: u64) -> Read<'_> {
        if self.lost.contains(&sequence) {
            return Read::Lost;
        }
        match self.messages.get(&sequence) {
            None => Read::Gone,
            Some(message) => Read::Message(Stored {
                sequence,
                time_ns: message.time_ns,
                subject: message.subject.as_bytes(),
                headers: &message.headers,
                payload: &message.payload,
            }),
        }
    }

    fn settled(&mut self, sequence: u64) {
        self.settled.push(sequence);
    }
}

/// What went out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) inbox: String,
    pub(super) subject: String,
    pub(super) reply: String,
    pub(super) headers: String,
    pub(super) payload: String,
}

impl Sent {
    /// Which delivery it is; `None` for a status.
    pub(super) fn delivery(&self) -> Option<Delivery> {
        AckSubject::parse(self.reply.as_bytes()).map(|subject| subject.delivery)
    }

    /// The last token of its ack subject.
    pub(super) fn pending(&self) -> u64 {
        self.reply
            .rsplit('.')
            .next()
            .and_then(|text| text.parse().ok())
            .expect("a number")
    }

    /// The first line of its headers without the version: a status, if there is one.
    pub(super) fn status(&self) -> &str {
        let line = self.headers.lines().next().unwrap_or_default();
        line.strip_prefix("NATS/1.0").unwrap_or_default().trim()
    }
}

/// Remembers what went out; nobody listens on what is in `deaf`.
#[derive(Debug, Default)]
pub(super) struct FakeOut {
    pub(super) sent: Vec<Sent>,
    pub(super) deaf: BTreeSet<String>,
    /// Nobody keeps up on these.
    pub(super) slow: BTreeSet<String>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Outlet for FakeOut {
    fn publish(&mut self, subject: &[u8], reply: &[u8], headers: &[u8], payload: &[u8]) {
        self.deliver(subject, subject, reply, headers, payload);
    }

    fn deliver(
        &mut self,
        inbox: &[u8],
        subject: &[u8],
        reply: &[u8],
        headers: &[u8],
        payload: &[u8],
    ) -> bool {
        if !self.has_interest(inbox, None) {
            return false;
        }
        self.sent.push(Sent {
            inbox: text(inbox),
            subject: text(subject),
            reply: text(reply),
            headers: text(headers),
            payload: text(payload),
        });
        true
    }

    fn has_interest(&self, subject: &[u8], _queue: Option<&[u8]>) -> bool {
        !self.deaf.contains(&text(subject))
    }

    fn is_congested(&self, subject: &[u8]) -> bool {
        self.slow.contains(&text(subject))
    }

    fn subscribe(&mut self, _filter: &[u8], _sid: &[u8]) {}

    fn unsubscribe(&mut self, _sid: &[u8]) {}
}

/// A consumer and all that is around it.
#[derive(Debug)]
pub(super) struct World {
    pub(super) stream: FakeStream,
    pub(super) out: FakeOut,
    pub(super) now: i64,
    pub(super) consumer: Consumer,
    pub(super) log: Progress,
    pub(super) dice: u64,
}

/// Calls the consumer in its surroundings.
macro_rules! in_world {
    ($world:expr, |$consumer:ident, $ctx:ident, $source:ident| $body:expr) => {{
        let World {
            stream: $source,
            out,
            now,
            consumer: $consumer,
            dice,
            ..
        } = &mut *$world;
        let mut random = || {
            *dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *dice >> 33
        };
        let mut ctx = Context {
            now_ns: *now,
            random: &mut random,
            out,
        };
        let $ctx = &mut ctx;
        $body
    }};
}
pub(super) use in_world;

/// An explicit pull consumer.
pub(super) fn pull_config() -> ConsumerConfig {
    ConsumerConfig {
        name: "C".to_owned(),
        durable_name: "C".to_owned(),
        ack_policy: AckPolicy::Explicit,
        ack_wait: 30 * SECOND,
        max_deliver: -1,
        max_ack_pending: 1000,
        max_waiting: 512,
        ..ConsumerConfig::default()
    }
}

/// A push consumer without acks.
pub(super) fn push_config() -> ConsumerConfig {
    ConsumerConfig {
        name: "C".to_owned(),
        deliver_subject: "in".to_owned(),
        max_deliver: -1,
        ..ConsumerConfig::default()
    }
}

impl World {
    /// A consumer of a stream with a message on each of the subjects.
    pub(super) fn new(config: ConsumerConfig, subjects: &[&str]) -> Self {
        let mut stream = FakeStream::default();
        for subject in subjects {
            stream.publish(subject, b"payload", START);
        }
        let consumer = Consumer::new("S", "C", config, START, &mut stream, START);
        let mut world = Self {
            stream,
            out: FakeOut::default(),
            now: START,
            consumer,
            log: Progress::default(),
            dice: 1,
        };
        world.tick();
        world
    }

    pub(super) fn publish(&mut self, subject: &str) -> u64 {
        let sequence = self.stream.publish(subject, b"payload", self.now);
        self.deliver();
        sequence
    }

    /// As its owner does.
    pub(super) fn deliver(&mut self) {
        while in_world!(self, |consumer, ctx, source| consumer.is_ready(ctx, source)
            && consumer.deliver_ready(ctx, source, 7))
        {}
    }

    /// A request to `inbox`, and what comes of it.
    pub(super) fn pull(&mut self, inbox: &str, body: &str) {
        in_world!(self, |consumer, ctx, source| consumer.request(
            ctx,
            source,
            inbox.as_bytes(),
            body.as_bytes()
        ));
        self.deliver();
    }

    pub(super) fn ack(&mut self, delivery: Delivery, payload: &str) -> Confirmation {
        self.ack_to(delivery, payload, "")
    }

    pub(super) fn ack_to(
        &mut self,
        delivery: Delivery,
        payload: &str,
        reply: &str,
    ) -> Confirmation {
        let payload = payload.as_bytes();
        let owed = in_world!(self, |consumer, ctx, source| consumer.ack(
            ctx,
            source,
            delivery,
            payload,
            reply.as_bytes()
        ));
        self.deliver();
        owed
    }

    /// Acknowledges the last delivery of a message.
    pub(super) fn answer(&mut self, stream_seq: u64, payload: &str) -> Confirmation {
        let mut deliveries = self.out.sent.iter().rev().filter_map(Sent::delivery);
        let delivery = deliveries
            .find(|one| one.stream_seq == stream_seq)
            .expect("delivered");
        self.ack(delivery, payload)
    }

    pub(super) fn tick(&mut self) {
        in_world!(self, |consumer, ctx, _source| consumer.tick(ctx));
        self.deliver();
    }

    /// Lets time pass, ticking when the consumer asked for it.
    pub(super) fn pass(&mut self, ns: i64) {
        let end = self.now + ns;
        for _ in 0..10_000 {
            match self
                .consumer
                .next_deadline()
                .filter(|deadline| *deadline <= end)
            {
                Some(deadline) => self.now = self.now.max(deadline),
                None => break,
            }
            self.tick();
        }
        self.now = end;
        self.tick();
    }

    /// Deletes a message; the consumer hears of it only if it was durable.
    pub(super) fn remove(&mut self, sequence: u64) {
        if let Some(subject) = self.stream.remove(sequence)
            && self.stream.is_visible(sequence)
        {
            let matches = self.consumer.matches_subject(subject.as_bytes());
            self.consumer
                .message_removed(sequence, matches, Leaving::Alone);
        }
    }

    /// What went out since the last call.
    pub(super) fn sent(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.out.sent)
    }

    /// The stream sequences of messages that went out since the last call.
    pub(super) fn delivered(&mut self) -> Vec<u64> {
        self.sent()
            .iter()
            .filter_map(Sent::delivery)
            .map(|one| one.stream_seq)
            .collect()
    }

    /// The statuses that went out since the last call.
    pub(super) fn statuses(&mut self) -> Vec<String> {
        let sent = self.sent();
        let statuses = sent.iter().filter(|sent| sent.delivery().is_none());
        statuses.map(|sent| sent.status().to_owned()).collect()
    }

    pub(super) fn events(&mut self) -> Vec<Event> {
        self.consumer.take_events()
    }

    pub(super) fn info(&mut self) -> crate::api::ConsumerInfo {
        in_world!(self, |consumer, ctx, source| consumer.info(ctx, source))
    }

    /// Writes the progress, as its owner does.
    pub(super) fn save(&mut self, full: bool) -> usize {
        let record = self.consumer.progress(full);
        self.log
            .apply("S", "C", &record)
            .expect("a record that was just written");
        record.len()
    }

    /// The server is gone and comes back: what was not saved is forgotten.
    pub(super) fn restart(&mut self) {
        let config = self.consumer.config().clone();
        let (log, stream) = (self.log.clone(), &mut self.stream);
        self.consumer = Consumer::restored("S", "C", config, START, log, stream, self.now);
    }
}
