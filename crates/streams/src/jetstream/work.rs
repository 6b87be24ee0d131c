//! What goes on by itself: deliveries, timers. Bounded at each turn, so that what comes in is heard in between.

use recado_log::Journal;

use super::consumers::StreamSource;
use super::{JetStream, Room};
use crate::config::Retention;
use crate::context::Context;
use crate::stream::{Env, Stream};

/// Messages that one consumer gets in a turn.
const DELIVER_MAX: usize = 512;
/// Streams that are looked after in a turn. As many messages as one consumer gets count as one more.
pub(crate) const STREAMS_MAX: usize = 64;
/// A consumer whose subscriber is congested is looked at again after so long.
const CONGESTED_NS: i64 = 2_000_000;

impl JetStream {
    /// Whether streams wait for their turn.
    pub fn has_work(&self) -> bool {
        !self.active.is_empty()
    }

    /// Delivers what may be delivered. Whether there is more to do at once.
    pub fn work(&mut self, context: &mut Context<'_>, journal: &mut dyn Journal) -> bool {
        self.work_some(context, journal, &mut { STREAMS_MAX })
    }

    /// The same with what is left of a turn's streams.
    pub(crate) fn work_some(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        left: &mut usize,
    ) -> bool {
        for _ in 0..self.active.len() {
            if *left == 0 {
                break;
            }
            *left -= 1;
            let Some(id) = self.active.pop_front() else {
                break;
            };
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.is_active = false;
                stream.republish_visible(context, journal);
            }
            let more = self.deliver(context, journal, id, left);
            if self.feed(context, journal, id) || more {
                self.activate(id);
            }
            if self.streams.get(&id).is_some_and(|one| one.must_be_saved()) {
                self.unsaved.insert(id);
            }
            self.schedule(id);
        }
        let transfers = self.carry_transfers(context, journal);
        transfers || !self.active.is_empty()
    }

    /// Lets all consumers of a stream deliver, as far as the turn's work goes. Whether one of them has more.
    fn deliver(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        left: &mut usize,
    ) -> bool {
        let Some(stream) = self.streams.get_mut(&id) else {
            return false;
        };
        stream.count_without_damage(journal);
        let (mut settled, mut events, mut more, mut unsaved) =
            (Vec::new(), Vec::new(), false, false);
        let Stream {
            consumers,
            messages,
            congested_until_ns,
            deliver_next,
            ..
        } = &mut **stream;
        // Those that the last turn did not get to come first, and wrap around.
        let begin = std::mem::take(deliver_next);
        let (head, tail): (Vec<_>, Vec<_>) =
            consumers.iter_mut().partition(|(name, _)| **name < begin);
        let mut delivered = 0;
        for (name, slot) in tail.into_iter().chain(head) {
            if *left == 0 && delivered > 0 {
                deliver_next.clone_from(name);
                more = true;
                break;
            }
            let mut source = StreamSource {
                messages,
                journal,
                settled: &mut settled,
            };
            if slot.consumer.is_ready(context, &source) {
                let pushes_to = &slot.consumer.config().deliver_subject;
                if !pushes_to.is_empty() && context.out.is_congested(pushes_to.as_bytes()) {
                    *congested_until_ns = Some(context.now_ns + CONGESTED_NS);
                } else {
                    let before = slot.consumer.deliveries();
                    more |= slot
                        .consumer
                        .deliver_ready(context, &mut source, DELIVER_MAX);
                    let parts = delivered / DELIVER_MAX;
                    delivered += (slot.consumer.deliveries() - before) as usize;
                    *left = left.saturating_sub(delivered / DELIVER_MAX - parts);
                    unsaved |= slot.is_unsaved();
                }
            }
            // Also of those that deliver nothing: they are told of what left the stream.
            let told = slot.consumer.take_events();
            if !told.is_empty() {
                events.push((name.clone(), told));
            }
            if messages.has_found_damage() {
                // The others count without it first.
                more = true;
                break;
            }
        }
        if unsaved {
            self.unsaved.insert(id);
        }
        for (name, told) in events {
            self.tell_events(context, journal, id, &name, told);
        }
        if !settled.is_empty() {
            self.settle(id, &settled);
        }
        more
    }

    /// Whether it matters that somebody subscribes.
    pub fn waits_for_subscribers(&self) -> bool {
        !self.unheard.is_empty()
    }

    /// Somebody did: push consumers may begin.
    pub fn somebody_subscribed(&mut self, context: &mut Context<'_>) {
        let ids: Vec<u32> = self.unheard.iter().copied().collect();
        for id in ids {
            let Some(stream) = self.streams.get_mut(&id) else {
                continue;
            };
            let mut found = false;
            for slot in stream.consumers.values_mut() {
                if slot.consumer.is_unheard() {
                    slot.consumer.interest_changed(context);
                    found |= slot.consumer.is_push_bound();
                }
            }
            if found {
                self.activate(id);
                self.schedule(id);
            }
        }
    }

    /// Brings the list of streams up to date whose consumers wait for a subscriber.
    pub(super) fn note_unheard(&mut self, id: u32) {
        let stream = self.streams.get(&id);
        let waits = stream.is_some_and(|stream| {
            let mut all = stream.consumers.values();
            all.any(|slot| slot.consumer.is_unheard())
        });
        if waits {
            self.unheard.insert(id);
        } else {
            self.unheard.remove(&id);
        }
    }

    /// Does what is due.
    pub fn tick(&mut self, context: &mut Context<'_>, journal: &mut dyn Journal) {
        self.tick_some(context, journal, &mut { STREAMS_MAX });
    }

    /// The same with what is left of a turn's streams.
    pub(crate) fn tick_some(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        left: &mut usize,
    ) {
        while *left > 0 {
            let Some(&(at, id)) = self.deadlines.first() else {
                return;
            };
            if at > context.now_ns {
                return;
            }
            *left -= 1;
            self.tick_one(context, journal, id);
            self.schedule(id);
        }
    }

    fn tick_one(&mut self, context: &mut Context<'_>, journal: &mut dyn Journal, id: u32) {
        self.expire_batches(context, id);
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        stream.congested_until_ns = None;
        stream.feeding.end_pauses(context.now_ns);
        let mut env = Env {
            now_ns: context.now_ns,
            journal,
            room: Room::ANY,
            chance: (context.random)() as u32,
        };
        stream.expire(&mut env);
        stream.fire_schedules(&mut env);
        let last = stream.last_sequence();
        let due: Vec<String> = stream
            .consumers
            .iter()
            .filter(|(_, slot)| {
                slot.consumer
                    .next_deadline()
                    .is_some_and(|at| at <= context.now_ns)
            })
            .map(|(name, _)| name.clone())
            .collect();
        self.replies.grown(id, last);
        for name in due {
            self.act_on(context, journal, id, &name, |consumer, context, _| {
                consumer.tick(context);
                None
            });
        }
        self.activate(id);
    }

    /// The server stops: whoever waits is told, and everything is written down.
    pub fn stopping(&mut self, context: &mut Context<'_>, journal: &mut dyn Journal) {
        for stream in self.streams.values_mut() {
            for slot in stream.consumers.values_mut() {
                slot.consumer.end_shutdown(context);
            }
        }
        self.save_all(context, journal);
    }
}

impl JetStream {
    /// A consumer is gone: what only it still needed goes, too.
    pub(super) fn settle_orphans(&mut self, id: u32) {
        self.settle_up_to(id, u64::MAX);
    }

    /// A stream keeps for consumers only from now on: what they are done with goes, or all where there is none. What lies
    /// before them stays, as in nats-server, though none may want it.
    pub(super) fn settle_what_is_done(&mut self, id: u32) {
        let stream = self.streams.get(&id);
        let consumers = stream
            .into_iter()
            .flat_map(|stream| stream.consumers.values());
        let floors = consumers.map(|slot| slot.consumer.ack_floor());
        self.settle_up_to(id, floors.max().unwrap_or(u64::MAX));
    }

    /// Messages that no consumer needs go, where they are kept for consumers only.
    fn settle_up_to(&mut self, id: u32, upto: u64) {
        let Some(stream) = self.streams.get(&id) else {
            return;
        };
        if stream.config.retention != Retention::Interest {
            return;
        }
        let mut all = Vec::new();
        let mut at = stream.messages.index.next(0);
        while let Some(sequence) = at.filter(|sequence| *sequence <= upto) {
            all.push(sequence);
            at = stream.messages.index.next(sequence + 1);
        }
        self.settle(id, &all);
    }
}

impl Stream {
    /// Which of these messages no consumer needs any more, ascending. None where messages stay anyway.
    pub(crate) fn nobody_needs(&self, settled: &[u64]) -> Vec<u64> {
        if self.config.retention == Retention::Limits {
            return Vec::new();
        }
        let mut gone: Vec<u64> = settled
            .iter()
            .copied()
            .filter(|&sequence| {
                let Some(meta) = self.messages.index.get(sequence) else {
                    return false;
                };
                let subject = self.messages.index.subject(meta.subject);
                let mut all = self.consumers.values();
                !all.any(|slot| {
                    slot.consumer.matches_subject(subject) && slot.consumer.needs(sequence)
                })
            })
            .collect();
        gone.sort_unstable();
        gone.dedup();
        gone
    }
}
