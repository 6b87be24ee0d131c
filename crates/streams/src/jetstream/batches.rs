//! Messages that are published in batches (E93, E94): to their stream, and what their publishers hear of it.

use super::common::Sum;
use super::publish::error_body;
use super::{Incoming, JetStream};
use crate::api::PubAck;
use crate::api::advisory::{BatchAbandoned, StreamBatchAbandoned};
use crate::config::PersistMode;
use crate::context::Context;
use crate::stream::{Atomic, Env, FastAnswer, FastReply, Offered};

/// The batch that a message belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) enum BatchOf<'a> {
    Fast,
    /// The one of this id.
    Atomic(&'a str),
}

impl<'a> BatchOf<'a> {
    /// That of a message, if it belongs to one.
    pub(super) fn message(message: &Incoming<'a>) -> Option<Self> {
        if FastReply::is_one(message.reply) {
            return Some(Self::Fast);
        }
        if message.headers.is_empty() {
            return None;
        }
        let id = recado_wire::Headers::new(message.headers).get("Nats-Batch-Id")?;
        (!id.is_empty()).then_some(Self::Atomic(id))
    }
}

impl JetStream {
    /// Takes a message that belongs to a batch.
    pub(super) fn publish_in_batch(
        &mut self,
        context: &mut Context<'_>,
        env: &mut Env<'_>,
        (id, batch): (u32, BatchOf<'_>),
        message: &Incoming<'_>,
    ) {
        match batch {
            BatchOf::Fast => self.publish_fast(context, env, id, message),
            BatchOf::Atomic(batch) => self.publish_atomic(context, env, id, batch, message),
        }
    }

    /// Open batches of all streams of all accounts: atomic ones, fast ones.
    fn open_batches(&mut self) -> (usize, usize) {
        self.count_batches();
        let all = |sum| usize::try_from(self.share.all(sum)).unwrap_or(usize::MAX);
        (all(Sum::AtomicBatches), all(Sum::FastBatches))
    }

    /// Brings the sums of open batches up to date: other accounts' batches are refused by them.
    pub(super) fn count_batches(&mut self) {
        let streams = &self.streams;
        let count = |id: &u32| streams.get(id).map_or((0, 0), |one| one.batches.count());
        self.batching.retain(|id| count(id) != (0, 0));
        let counts = self.batching.iter().map(count);
        let own = counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        self.share.set(Sum::AtomicBatches, own.0 as u64);
        self.share.set(Sum::FastBatches, own.1 as u64);
    }

    /// A stream took a message of a batch: it has to be asked again when the batch takes too long.
    fn took_in_batch(&mut self, id: u32, (deadline, count): (Option<i64>, (usize, usize))) {
        let Some(stream) = self.streams.get(&id) else {
            return;
        };
        let (on_file, last) = (stream.messages.is_on_file(), stream.last_sequence());
        let is_changed = stream.batches.count() != count;
        if stream.batches.deadline() != deadline {
            self.schedule(id);
        }
        if is_changed {
            self.batching.insert(id);
            self.count_batches();
        }
        if on_file {
            self.replies.grown(id, last);
        }
        self.after_publish(id);
    }

    fn publish_atomic(
        &mut self,
        context: &mut Context<'_>,
        env: &mut Env<'_>,
        id: u32,
        batch: &str,
        message: &Incoming<'_>,
    ) {
        let (open, _) = self.open_batches();
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let before = (stream.batches.deadline(), stream.batches.count());
        let limits = &self.settings.batches;
        let taken = stream.publish_atomic(env, limits, open, batch, offered(message));
        let answers = !stream.config.no_ack && !message.reply.is_empty();
        let name = stream.config.name.clone();
        match taken {
            Atomic::Staged if answers => context.out.publish(message.reply, b"", b"", b""),
            Atomic::Committed(last, count) if answers => {
                self.acknowledge_batch(context, id, message.reply, batch, (last, count, false));
            }
            Atomic::Refused(error, abandoned) => {
                if let Some(reason) = abandoned {
                    self.advise_abandoned(context, &name, batch, reason);
                }
                if answers {
                    let body = error_body(&name, &error);
                    context.out.publish(message.reply, b"", b"", &body);
                }
            }
            Atomic::Staged | Atomic::Committed(..) => {}
        }
        self.took_in_batch(id, before);
    }

    fn publish_fast(
        &mut self,
        context: &mut Context<'_>,
        env: &mut Env<'_>,
        id: u32,
        message: &Incoming<'_>,
    ) {
        let fast = FastReply::parse(message.reply);
        // A batch that is open already needs no room.
        let open = match fast.is_some_and(|fast| fast.is_first()) {
            true => self.open_batches().1,
            false => 0,
        };
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let before = (stream.batches.deadline(), stream.batches.count());
        let limits = &self.settings.batches;
        let answers = stream.publish_fast(env, limits, open, fast, offered(message));
        let name = stream.config.name.clone();
        let batch = fast.map_or("", |fast| fast.id());
        for answer in answers {
            match answer {
                FastAnswer::Flow(flow) => {
                    self.answer_batch(context, id, message.reply, &flow.to_json())
                }
                FastAnswer::Ack(last, count, duplicate) => {
                    let ack = (last, count, duplicate);
                    self.acknowledge_batch(context, id, message.reply, batch, ack);
                }
                FastAnswer::Refused(error) => {
                    let body = error_body(&name, &error);
                    self.answer_batch(context, id, message.reply, &body);
                }
            }
        }
        self.took_in_batch(id, before);
    }

    fn acknowledge_batch(
        &mut self,
        context: &mut Context<'_>,
        id: u32,
        reply: &[u8],
        batch: &str,
        (last, count, duplicate): (u64, u64, bool),
    ) {
        let Some(stream) = self.streams.get(&id) else {
            return;
        };
        let mut body = Vec::new();
        let ack = PubAck {
            stream: &stream.config.name,
            domain: self.settings.domain.as_deref().unwrap_or_default(),
            seq: last,
            duplicate,
            batch: Some((batch, count)),
            ..PubAck::default()
        };
        ack.append_to(&mut body);
        self.answer_batch(context, id, reply, &body);
    }

    /// What promises that something is stored leaves when it is durable, and all else behind it, in order.
    fn answer_batch(&mut self, context: &mut Context<'_>, id: u32, reply: &[u8], body: &[u8]) {
        let waits = self.streams.get(&id).is_some_and(|stream| {
            stream.messages.is_on_file() && stream.config.persist_mode == PersistMode::Default
        });
        if waits {
            self.replies.push(id, reply, body);
        } else {
            context.out.publish(reply, b"", b"", body);
        }
    }

    /// Gives batches of a stream up that took too long.
    pub(super) fn expire_batches(&mut self, context: &mut Context<'_>, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let late = stream.expire_batches(context.now_ns);
        let name = stream.config.name.clone();
        if self.batching.contains(&id) {
            self.count_batches();
        }
        for batch in late {
            self.advise_abandoned(context, &name, &batch, BatchAbandoned::Timeout);
        }
    }

    fn advise_abandoned(
        &self,
        context: &mut Context<'_>,
        stream: &str,
        batch: &str,
        reason: BatchAbandoned,
    ) {
        let advisory = StreamBatchAbandoned {
            stream: stream.to_owned(),
            batch: batch.to_owned(),
            reason,
            domain: self.domain(),
        };
        self.advise(context, &advisory);
    }
}

fn offered<'a>(message: &Incoming<'a>) -> Offered<'a> {
    Offered {
        subject: message.subject,
        headers: message.headers,
        payload: message.payload,
    }
}
