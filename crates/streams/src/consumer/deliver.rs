//! Delivery: which message goes out next, and to whom. Redeliveries come first, then what is next in the
//! stream. The hot path: nothing is allocated for a message.

use super::ack_subject::Delivery;
use super::settings::Acks;
use super::source::{Read, Source, Stored};
use super::status;
use super::unacked::Unacked;
use super::{Consumer, Event};
use crate::context::Context;
use crate::index::Scan;

/// Messages that may be looked at for each that may be delivered, where filters leave many out.
const LOOKS_PER_MESSAGE: usize = 64;

/// Why delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// There is nothing more.
    Dry,
    /// More would come, but not yet: too much is unacknowledged, nobody keeps up, or it is replayed as slowly
    /// as it came.
    Stalled,
    /// The work allowed is done.
    OutOfBudget,
    /// Not now: paused, nobody there, too fast. Something else will say when.
    Held,
}

/// A message that was chosen to be next.
#[derive(Clone, Copy)]
enum Next {
    New(u64),
    Again(Unacked),
}

/// Who gets a message.
enum Taker {
    Push,
    Front,
}

/// A message that the disk did not give is asked for again after so long.
const UNREADABLE_NS: i64 = 100_000_000;

impl Consumer {
    /// Delivers what may be delivered, `budget` messages at the most. Whether there could be more at once.
    ///
    /// To be called after every request, ack and tick, and when messages became durable.
    pub fn deliver_ready(
        &mut self,
        ctx: &mut Context<'_>,
        source: &mut dyn Source,
        budget: usize,
    ) -> bool {
        self.time_losses(ctx.now_ns);
        self.position.catch_up(&mut self.filters, source);
        let mut left = budget;
        let mut looks = budget.saturating_mul(LOOKS_PER_MESSAGE);
        let stop = loop {
            if left == 0 {
                break Stop::OutOfBudget;
            }
            left -= 1;
            if let Some(stop) = self.deliver_one(ctx, source, &mut looks) {
                break stop;
            }
        };
        if stop == Stop::OutOfBudget {
            return !self.is_held(ctx);
        }
        if stop != Stop::Stalled && self.waiting.has_no_wait() {
            self.answer_no_wait(ctx);
        }
        false
    }

    /// Whoever tells of messages that left the stream has no clock.
    pub(super) fn time_losses(&mut self, now_ns: i64) {
        if std::mem::take(&mut self.activity.lost_unacked) {
            self.activity.acked_ns = Some(now_ns);
        }
    }

    /// Whether a call of [`Self::deliver_ready`] could do something.
    pub fn is_ready(&self, ctx: &Context<'_>, source: &dyn Source) -> bool {
        if self.activity.lost_unacked {
            return true;
        }
        if self.is_paused(ctx.now_ns) {
            // Who does not wait is told that there is nothing.
            return self.waiting.has_no_wait();
        }
        let more = self.position.ahead() > 0 || source.last_sequence() >= self.position.next();
        (more || self.unacked.queued() > 0 || self.waiting.has_no_wait()) && !self.is_held(ctx)
    }

    fn is_held(&self, ctx: &Context<'_>) -> bool {
        let nobody = match &self.push {
            Some(push) => !push.may_deliver(ctx.now_ns),
            None => self.waiting.is_empty(),
        };
        let congested = self.activity.congested_until_ns;
        nobody || self.is_paused(ctx.now_ns) || congested.is_some_and(|until| ctx.now_ns < until)
    }

    fn held(&self) -> Stop {
        match self.activity.congested_until_ns {
            Some(_) => Stop::Stalled,
            None => Stop::Held,
        }
    }

    /// Delivers one message, or passes one over.
    fn deliver_one(
        &mut self,
        ctx: &mut Context<'_>,
        source: &mut dyn Source,
        looks: &mut usize,
    ) -> Option<Stop> {
        if self.is_held(ctx) {
            return Some(self.held());
        }
        let next = match self.unacked.next_queued() {
            // It was queued before an update allowed fewer deliveries.
            Some(unacked) if self.settings.is_last(unacked.deliveries) => {
                self.give_up(unacked);
                return None;
            }
            Some(unacked) => Next::Again(unacked),
            None if self.unacked.len() >= self.settings.ack_pending_max => {
                return Some(Stop::Stalled);
            }
            None => match self.position.peek(&mut self.filters, source, looks) {
                Scan::Found(sequence) => Next::New(sequence),
                Scan::None => return Some(Stop::Dry),
                Scan::OutOfBudget(_) => return Some(Stop::OutOfBudget),
            },
        };
        match source.read(next.sequence()) {
            Read::Gone => self.pass_over(next),
            Read::Unreadable => {
                let again_ns = ctx.now_ns.saturating_add(UNREADABLE_NS);
                self.activity.congested_until_ns = Some(again_ns);
                return Some(Stop::Stalled);
            }
            Read::Lost => {
                self.events.push(Event::Lost {
                    stream_seq: next.sequence(),
                });
                self.pass_lost(next);
            }
            Read::Message(stored) => {
                if matches!(next, Next::New(_)) && !self.replay_allows(&stored, ctx.now_ns) {
                    return Some(Stop::Stalled);
                }
                let bytes = self.send(ctx, &stored, next);
                let Some(bytes) = bytes else {
                    return Some(self.held());
                };
                let stored_ns = stored.time_ns;
                self.delivered_one(ctx, source, next, stored_ns, bytes);
            }
        }
        None
    }

    /// Hands the message to whoever is to get it. Its bytes, or `None` if nobody took it.
    fn send(&mut self, ctx: &mut Context<'_>, stored: &Stored<'_>, next: Next) -> Option<u64> {
        let (deliveries, pending) = match next {
            Next::New(_) => (1, self.position.ahead().saturating_sub(1)),
            Next::Again(unacked) => (u64::from(unacked.deliveries) + 1, self.position.ahead()),
        };
        let delivery = Delivery {
            deliveries,
            stream_seq: stored.sequence,
            consumer_seq: self.delivered.consumer_seq + 1,
        };
        self.ack_writer.write(delivery, stored.time_ns, pending);
        let (mut headers, mut payload) = (stored.headers, stored.payload);
        let mut only_headers = Vec::new();
        if self.settings.headers_only {
            only_headers = std::mem::take(&mut self.scratch);
            status::with_header(&mut only_headers, headers, status::MSG_SIZE, payload.len());
            (headers, payload) = (&only_headers, b"");
        }
        let sent = self.send_to_taker(ctx, stored.subject, headers, payload);
        if self.settings.headers_only {
            self.scratch = only_headers;
        }
        sent
    }

    fn send_to_taker(
        &mut self,
        ctx: &mut Context<'_>,
        subject: &[u8],
        headers: &[u8],
        payload: &[u8],
    ) -> Option<u64> {
        let bytes = subject.len() + self.ack_writer.written().len() + headers.len() + payload.len();
        let bytes = bytes as u64;
        loop {
            let taker = if self.push.is_some() {
                Taker::Push
            } else if self.choose_waiting(ctx, bytes) {
                Taker::Front
            } else {
                return None;
            };
            let taken = match taker {
                Taker::Push => self.push_out(ctx, subject, headers, payload),
                Taker::Front => self.hand_to_front(ctx, subject, headers, payload, bytes),
            };
            match (taken, taker) {
                (true, _) => return Some(bytes),
                (false, Taker::Push) => return None,
                // The request was dropped: another one may be there.
                (false, Taker::Front) => {}
            }
        }
    }

    /// Writes down that a message went out.
    fn delivered_one(
        &mut self,
        ctx: &mut Context<'_>,
        source: &mut dyn Source,
        next: Next,
        stored_ns: i64,
        bytes: u64,
    ) {
        let now_ns = ctx.now_ns;
        self.delivered.consumer_seq += 1;
        let consumer_seq = self.delivered.consumer_seq;
        match next {
            Next::New(stream_seq) => {
                self.position.pass(stream_seq, true);
                self.delivered.stream_seq = self.delivered.stream_seq.max(stream_seq);
                if self.settings.acks == Acks::None {
                    self.floor = self.delivered;
                    source.settled(stream_seq);
                } else {
                    let due_ns = self.settings.due_ns(now_ns, 1);
                    self.unacked.push(Unacked {
                        stream_seq,
                        consumer_seq,
                        due_ns,
                        deliveries: 1,
                    });
                }
            }
            Next::Again(unacked) => {
                let deliveries = unacked.deliveries.saturating_add(1);
                self.unacked
                    .redeliver(unacked.stream_seq, self.settings.due_ns(now_ns, deliveries));
            }
        }
        if let (Some(replay), Next::New(_)) = (&mut self.replay, next) {
            replay.previous = Some((stored_ns, now_ns));
            if next.sequence() >= replay.upto {
                self.replay = None;
            }
        }
        self.activity.delivered_ns = Some(now_ns);
        self.activity.used_ns = now_ns;
        self.dirty = true;
        self.after_push(ctx, bytes);
    }

    /// The message is not there (any more).
    fn pass_over(&mut self, next: Next) {
        match next {
            // If it was picked, its removal was told; else the index had it a moment ago.
            Next::New(sequence) => {
                let counted = self.position.picked_upto().is_none();
                self.position.pass(sequence, counted);
            }
            Next::Again(unacked) => self.drop_unacked(unacked),
        }
        self.dirty = true;
    }

    fn pass_lost(&mut self, next: Next) {
        match next {
            Next::New(sequence) => self.position.pass(sequence, true),
            Next::Again(unacked) => self.drop_unacked(unacked),
        }
        self.dirty = true;
    }

    fn replay_allows(&mut self, stored: &Stored<'_>, now_ns: i64) -> bool {
        const NOT_WORTH_WAITING_NS: i64 = 1_000_000;
        let Some(replay) = &mut self.replay else {
            return true;
        };
        let Some((stored_ns, delivered_ns)) = replay.previous else {
            return true;
        };
        let gap_ns = stored.time_ns.saturating_sub(stored_ns);
        let due_ns = delivered_ns.saturating_add(gap_ns);
        let waits = gap_ns > NOT_WORTH_WAITING_NS && due_ns > now_ns;
        replay.due_ns = waits.then_some(due_ns);
        !waits
    }
}

impl Next {
    fn sequence(self) -> u64 {
        match self {
            Self::New(sequence) => sequence,
            Self::Again(unacked) => unacked.stream_seq,
        }
    }
}
