//! What an operator or the API does to a running consumer: pause, reset, update, purge of its stream.

use thiserror::Error;

use super::position::SEQUENCE_MAX;
use super::settings::Settings;
use super::source::Source;
use super::{Consumer, Event, Place};
use crate::config::{ConsumerConfig, DeliverPolicy, is_subset};
use crate::context::Context;
use crate::index::Filters;

/// Why a consumer can't be reset there; the text goes behind `invalid reset: `.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ResetError {
    /// Below the sequence that it was created with.
    #[error("below start seq")]
    BelowStartSequence,
    /// Before the time that it was created with.
    #[error("below start time")]
    BelowStartTime,
    /// Its deliver policy knows no sequences.
    #[error("not allowed")]
    NotAllowed,
}

impl Consumer {
    /// Pauses delivery until a time, or lets it go on (E39). The configuration keeps it: the owner stores that.
    pub fn pause(&mut self, ctx: &mut Context<'_>, until_ns: Option<i64>) {
        if self.config.pause_until == until_ns {
            return;
        }
        self.config.pause_until = until_ns;
        self.activity.paused = self.is_paused(ctx.now_ns);
        self.events.push(Event::Paused {
            until_ns,
            paused: self.activity.paused,
        });
    }

    /// Begins anew at a sequence, or behind its ack floor (E41). What was delivered is forgotten, and the
    /// consumer sequence begins anew too. Where it begins now.
    ///
    /// # Errors
    /// When its deliver policy does not allow it.
    pub fn reset(
        &mut self,
        source: &mut dyn Source,
        sequence: Option<u64>,
    ) -> Result<u64, ResetError> {
        let sequence = match sequence.filter(|sequence| *sequence > 0) {
            None => self.floor.stream_seq + 1,
            Some(sequence) => self.check_reset(source, sequence.min(SEQUENCE_MAX))?,
        };
        self.unacked.clear();
        self.exhausted.clear();
        self.exhausted_untold.clear();
        self.exhausted_taken.clear();
        self.position.go_to(sequence, &mut self.filters, source);
        self.delivered = Place {
            consumer_seq: 0,
            stream_seq: sequence - 1,
        };
        self.floor = self.delivered;
        self.activity.delivered_ns = None;
        self.activity.acked_ns = None;
        self.activity.lost_unacked = false;
        self.dirty = true;
        self.must_tell_all = true;
        Ok(sequence)
    }

    fn check_reset(&self, source: &mut dyn Source, sequence: u64) -> Result<u64, ResetError> {
        match self.config.deliver_policy {
            DeliverPolicy::All => Ok(sequence),
            DeliverPolicy::ByStartSequence
                if sequence < self.config.opt_start_seq.min(SEQUENCE_MAX) =>
            {
                Err(ResetError::BelowStartSequence)
            }
            DeliverPolicy::ByStartSequence => Ok(sequence),
            DeliverPolicy::ByStartTime => {
                let time_ns = self.config.opt_start_time.unwrap_or(i64::MIN);
                let first = source.first_at_or_after(time_ns);
                if sequence < first.unwrap_or(source.last_sequence() + 1) {
                    return Err(ResetError::BelowStartTime);
                }
                Ok(sequence)
            }
            _ => Err(ResetError::NotAllowed),
        }
    }

    /// Takes a configuration that was checked against this one; what may not change is as it was, and so is
    /// `pause_until` (E137). Call [`Self::deliver_ready`] after it.
    pub fn update(
        &mut self,
        ctx: &mut Context<'_>,
        source: &mut dyn Source,
        config: ConsumerConfig,
    ) {
        let before = std::mem::replace(&mut self.config, config);
        self.config.pause_until = before.pause_until;
        self.settings = Settings::new(&self.config);
        if self.config.filters() != before.filters() {
            self.filters = Filters::new(self.config.filters());
            self.position.recount(&mut self.filters, source);
        }
        if (self.config.ack_wait, &self.config.backoff) != (before.ack_wait, &before.backoff) {
            let (old, new) = (Settings::new(&before), &self.settings);
            self.unacked.put_off_all(|unacked| {
                let delivered_ns = match old.wait_ns(unacked.deliveries) {
                    Some(wait) => unacked.due_ns.saturating_sub(wait),
                    None => ctx.now_ns,
                };
                new.due_ns(delivered_ns, unacked.deliveries)
            });
            self.dirty = true;
        }
        if self.config.priority_policy != before.priority_policy {
            self.pin = None;
        }
        if self.config.deliver_subject != before.deliver_subject {
            self.interest_changed(ctx);
        }
        if self.config.inactive_threshold != before.inactive_threshold {
            self.activity.used_ns = ctx.now_ns;
        }
    }

    /// Many messages left the stream at once: in place of telling of each with [`Self::message_removed`].
    pub fn stream_purged(&mut self, source: &mut dyn Source) {
        let gone: Vec<_> = self
            .unacked
            .iter()
            .filter(|unacked| !source.exists(unacked.stream_seq))
            .copied()
            .collect();
        for unacked in gone {
            self.unacked
                .remove(unacked.stream_seq, unacked.consumer_seq);
        }
        self.exhausted
            .retain(|sequence, _| source.exists(*sequence));
        let first = source.first_sequence().max(1);
        if self.position.next() < first {
            // What was there is settled in its absence.
            self.position.move_to(first);
            self.delivered.stream_seq = self.delivered.stream_seq.max(first - 1);
        }
        self.position.recount(&mut self.filters, source);
        self.raise_floor();
        self.dirty = true;
    }

    /// Messages of a filter were purged, or of all subjects if it is empty; each was told of with
    /// [`Self::message_removed`]. Whoever has none left has come to the end, as in nats-server.
    pub fn subjects_purged(&mut self, source: &mut dyn Source, purged: &str) {
        let mut filters = self.config.filters().iter();
        let is_covered = filters.any(|filter| is_subset(filter, purged));
        let next = if is_covered && source.last_matching(&mut self.filters).is_none() {
            source.last_sequence() + 1
        } else {
            source.first_sequence().max(1)
        };
        if self.position.next() < next {
            self.position.move_to(next);
            self.delivered.stream_seq = self.delivered.stream_seq.max(next - 1);
            self.raise_floor();
            self.dirty = true;
        }
    }

    /// Takes over whoever waits for the consumer that this one was made again of: the log told the rest. With another
    /// configuration nobody does.
    pub(crate) fn take_session(&mut self, ctx: &mut Context<'_>, mut old: Self) {
        if self.config != old.config {
            old.end_shutdown(ctx);
            return self.interest_changed(ctx);
        }
        self.waiting = std::mem::take(&mut old.waiting);
        self.pin = old.pin;
        self.push = old.push;
        self.activity = old.activity;
    }

    /// Its stream holds again what it held earlier: begins behind its ack floor, or with the first message there is
    /// if whatever is there is not done with. Consumer sequences go on.
    pub(crate) fn go_back(&mut self, source: &mut dyn Source, from_first: bool) {
        let next = if from_first {
            source.first_sequence().max(1)
        } else {
            (self.floor.stream_seq + 1).min(source.last_sequence() + 1)
        };
        self.unacked.clear();
        self.exhausted.clear();
        self.exhausted_untold.clear();
        self.exhausted_taken.clear();
        self.position.go_to(next, &mut self.filters, source);
        self.delivered.stream_seq = self.position.next() - 1;
        self.floor = self.delivered;
        self.dirty = true;
        self.must_tell_all = true;
    }

    /// Messages that this consumer has delivered and not seen acknowledged, ascending: what a stream with
    /// interest or work queue retention may let go when the consumer is deleted.
    pub fn unacknowledged(&self) -> impl Iterator<Item = u64> {
        self.unacked.iter().map(|unacked| unacked.stream_seq)
    }
}
