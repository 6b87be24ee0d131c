//! What clients answer to deliveries (E140): acks, refusals, pleas for time, terminations.

use super::ack_subject::Delivery;
use super::settings::Acks;
use super::source::Source;
use super::unacked::Unacked;
use super::{Consumer, Event, Place};
use crate::context::Context;
use crate::time::parse_duration;

const UNACKED_WAS_DELETED: &str = "Unacknowledged message was deleted";

/// Whether an ack's sender is owed an answer, if it gave a reply subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a double ack is answered"]
pub enum Confirmation {
    /// An empty message, as soon as the progress of now is durable.
    Owed,
    /// Nothing.
    None,
    /// Nothing, for this consumer listens for no acks.
    Untaken,
}

/// How a message leaves its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// It was deleted, or a limit took it.
    Alone,
    /// A purge or a rollup took it and others: they are not told of one by one, as in nats-server.
    WithOthers,
}

impl Leaving {
    /// Of so many messages.
    pub(crate) fn of(count: usize) -> Self {
        match count {
            0 | 1 => Self::Alone,
            _ => Self::WithOthers,
        }
    }
}

impl Consumer {
    /// A client acknowledged (or refused, or terminated, …) a delivery. Call [`Self::deliver_ready`] after it.
    pub fn ack(
        &mut self,
        ctx: &mut Context<'_>,
        source: &mut dyn Source,
        delivery: Delivery,
        payload: &[u8],
        reply: &[u8],
    ) -> Confirmation {
        if !self.config.ack_policy.takes_acks() {
            return Confirmation::Untaken;
        }
        self.activity.used_ns = ctx.now_ns;
        if delivery.stream_seq == 0 {
            return Confirmation::None;
        }
        match payload {
            b"" | b"+ACK" | b"+OK" => self.settle(ctx, source, delivery, true),
            b"+WPI" => {
                self.progress_made(ctx, delivery);
                Confirmation::Owed
            }
            _ => {
                if let Some(request) = payload.strip_prefix(b"+NXT") {
                    let _: Confirmation = self.settle(ctx, source, delivery, true);
                    self.request(ctx, source, reply, request);
                    return Confirmation::None;
                }
                if let Some(argument) = payload.strip_prefix(b"-NAK") {
                    self.refuse(ctx, delivery, argument);
                    return Confirmation::Owed;
                }
                match payload.strip_prefix(b"+TERM") {
                    Some(reason) => self.terminate(ctx, source, delivery, reason),
                    None => Confirmation::Owed,
                }
            }
        }
    }

    /// How often a message was delivered that is not settled.
    pub(crate) fn deliveries_of(&self, stream_seq: u64) -> Option<u64> {
        let unacked = self.unacked.get(stream_seq)?;
        Some(unacked.deliveries.into())
    }

    fn settle(
        &mut self,
        ctx: &mut Context<'_>,
        source: &mut dyn Source,
        delivery: Delivery,
        sample: bool,
    ) -> Confirmation {
        if delivery.stream_seq >= self.position.next() {
            return Confirmation::None;
        }
        match self.settings.acks {
            Acks::None => Confirmation::None,
            Acks::UpTo => self.settle_upto(ctx, source, delivery.stream_seq, delivery.consumer_seq),
            Acks::Each => {
                self.settle_one(ctx, source, delivery, sample);
                Confirmation::Owed
            }
        }
    }

    fn settle_one(
        &mut self,
        ctx: &mut Context<'_>,
        source: &mut dyn Source,
        delivery: Delivery,
        sample: bool,
    ) {
        // Also where there was nothing to settle, as in nats-server.
        self.activity.acked_ns = Some(ctx.now_ns);
        let removed = self
            .unacked
            .remove(delivery.stream_seq, delivery.consumer_seq);
        match removed {
            Some(unacked) => {
                if sample {
                    self.sample(ctx, delivery, &unacked);
                }
                self.raise_floor();
            }
            None if self.exhausted.remove(&delivery.stream_seq).is_some() => {
                self.exhausted_taken.push(delivery.stream_seq);
            }
            None => return,
        }
        self.dirty = true;
        source.settled(delivery.stream_seq);
    }

    /// Settles everything that was delivered up to a message.
    pub(super) fn settle_upto(
        &mut self,
        ctx: &mut Context<'_>,
        source: &mut dyn Source,
        stream_seq: u64,
        consumer_seq: u64,
    ) -> Confirmation {
        if stream_seq >= self.position.next() {
            return Confirmation::None;
        }
        let consumer_seq = consumer_seq.min(self.delivered.consumer_seq);
        // Whatever its consumer sequence: after a redelivery that of an earlier delivery is below the floor, and what is
        // confirmed must be settled. (nats-server confirms it and delivers the message again.)
        if stream_seq <= self.floor.stream_seq {
            return Confirmation::Owed;
        }
        while let Some(unacked) = self.unacked.remove_first_upto(stream_seq) {
            source.settled(unacked.stream_seq);
        }
        while let Some(first) = self.exhausted.first_entry()
            && *first.key() <= stream_seq
        {
            let (settled, _) = first.remove_entry();
            self.exhausted_taken.push(settled);
            source.settled(settled);
        }
        self.floor = Place {
            consumer_seq: consumer_seq.max(self.floor.consumer_seq),
            stream_seq,
        };
        self.activity.acked_ns = Some(ctx.now_ns);
        self.dirty = true;
        Confirmation::Owed
    }

    fn terminate(
        &mut self,
        ctx: &mut Context<'_>,
        source: &mut dyn Source,
        delivery: Delivery,
        reason: &[u8],
    ) -> Confirmation {
        let confirmation = self.settle(ctx, source, delivery, false);
        let reason = String::from_utf8_lossy(reason.trim_ascii()).into_owned();
        self.events.push(Event::Terminated {
            stream_seq: delivery.stream_seq,
            consumer_seq: delivery.consumer_seq,
            deliveries: delivery.deliveries,
            reason,
        });
        confirmation
    }

    fn refuse(&mut self, ctx: &mut Context<'_>, delivery: Delivery, argument: &[u8]) {
        let range = self.floor.consumer_seq + 1..=self.delivered.consumer_seq;
        let unacked = self.unacked.get(delivery.stream_seq);
        let Some(unacked) = unacked.filter(|_| range.contains(&delivery.consumer_seq)) else {
            return;
        };
        let Delivery {
            deliveries,
            stream_seq,
            consumer_seq,
        } = delivery;
        self.events.push(Event::Naked {
            stream_seq,
            consumer_seq,
            deliveries,
        });
        self.dirty = true;
        if let Some(delay_ns) = delay_ns(argument.trim_ascii()) {
            let due_ns = ctx.now_ns.saturating_add(delay_ns);
            self.unacked
                .put_off(stream_seq, unacked.consumer_seq, due_ns);
        } else {
            self.redeliver_or_give_up(unacked);
        }
    }

    /// A message is due: it is queued for its next delivery, or has had its last.
    pub(super) fn redeliver_or_give_up(&mut self, unacked: Unacked) {
        if !self.settings.is_last(unacked.deliveries) {
            self.unacked.queue(unacked.stream_seq);
            return;
        }
        self.give_up(unacked);
    }

    /// A message has had all its deliveries.
    pub(super) fn give_up(&mut self, unacked: Unacked) {
        let (stream_seq, deliveries) = (unacked.stream_seq, u64::from(unacked.deliveries));
        self.unacked.remove(stream_seq, unacked.consumer_seq);
        self.exhausted.insert(stream_seq, unacked.deliveries);
        self.exhausted_untold.push(stream_seq);
        self.raise_floor();
        self.dirty = true;
        // As nats-server: there is no advisory where an update allows fewer than there were.
        if self.settings.max_deliver == Some(unacked.deliveries) {
            self.events.push(Event::MaxDeliveries {
                stream_seq,
                deliveries,
            });
        }
        self.events.push(Event::DeadLetter {
            stream_seq,
            deliveries,
        });
    }

    fn progress_made(&mut self, ctx: &mut Context<'_>, delivery: Delivery) {
        let Some(unacked) = self.unacked.get(delivery.stream_seq) else {
            return;
        };
        // Too late: its time was over, or it was refused.
        if self.unacked.is_queued(unacked.stream_seq) {
            return;
        }
        let due_ns = self.settings.due_ns(ctx.now_ns, unacked.deliveries);
        self.unacked
            .put_off(unacked.stream_seq, unacked.consumer_seq, due_ns);
        self.dirty = true;
    }

    fn sample(&mut self, ctx: &mut Context<'_>, delivery: Delivery, unacked: &Unacked) {
        let percent = self.settings.sample_percent;
        if percent == 0 || (percent < 100 && (ctx.random)() % 100 >= percent) {
            return;
        }
        let wait_ns = self.settings.wait_ns(unacked.deliveries).unwrap_or(0);
        let delivered_ns = unacked.due_ns.saturating_sub(wait_ns);
        self.events.push(Event::AckSampled {
            stream_seq: delivery.stream_seq,
            consumer_seq: delivery.consumer_seq,
            deliveries: delivery.deliveries,
            delay_ns: ctx.now_ns.saturating_sub(delivered_ns),
        });
    }

    /// A message left the stream. `matches` says whether this consumer's filters match its subject.
    pub fn message_removed(&mut self, sequence: u64, matches: bool, leaving: Leaving) {
        if matches {
            self.position.removed(sequence);
        }
        if let Some(unacked) = self.unacked.get(sequence) {
            match leaving {
                Leaving::Alone => self.drop_unacked(unacked),
                Leaving::WithOthers => self.forget_unacked(unacked),
            }
        } else if self.exhausted.remove(&sequence).is_some() {
            self.dirty = true;
        }
    }

    fn forget_unacked(&mut self, unacked: Unacked) {
        self.unacked
            .remove(unacked.stream_seq, unacked.consumer_seq);
        self.activity.lost_unacked = true;
        self.raise_floor();
        self.dirty = true;
    }

    /// What was delivered is no longer there, and that is told.
    pub(super) fn drop_unacked(&mut self, unacked: Unacked) {
        self.forget_unacked(unacked);
        self.events.push(Event::Terminated {
            stream_seq: unacked.stream_seq,
            consumer_seq: unacked.consumer_seq,
            deliveries: u64::from(unacked.deliveries),
            reason: UNACKED_WAS_DELETED.to_owned(),
        });
    }
}

/// The delay of a refusal: `{"delay": ns}` or a duration. `None` if there is none, or none that can be read.
fn delay_ns(argument: &[u8]) -> Option<i64> {
    #[derive(serde::Deserialize)]
    struct Options {
        #[serde(default)]
        delay: i64,
    }
    if argument.first() == Some(&b'{') {
        let options: Options = serde_json::from_slice(argument).ok()?;
        return Some(options.delay);
    }
    parse_duration(std::str::from_utf8(argument).ok()?)
}
