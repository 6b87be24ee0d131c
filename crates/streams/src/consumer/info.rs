//! What a consumer tells of itself (E138), and what its monitoring sees.

use super::source::Source;
use super::{Consumer, Place};
use crate::api::{ConsumerInfo, PriorityGroupState, SequenceInfo};
use crate::context::Context;
use crate::time::ZERO_TIME;

impl Consumer {
    /// All about it. `config` is as it is stored: what of it is shown, and the server's name, are the owner's.
    pub fn info(&mut self, ctx: &mut Context<'_>, source: &mut dyn Source) -> ConsumerInfo {
        self.time_losses(ctx.now_ns);
        self.position.catch_up(&mut self.filters, source);
        if self.push.is_none() {
            self.sweep_waiting(ctx);
        }
        let remaining = self
            .config
            .pause_until
            .map_or(0, |until| until.saturating_sub(ctx.now_ns));
        ConsumerInfo {
            stream_name: self.stream.to_string(),
            name: self.name.to_string(),
            created: self.created_ns,
            config: self.config.clone(),
            delivered: sequence_info(self.delivered, self.activity.delivered_ns),
            ack_floor: sequence_info(self.floor, self.activity.acked_ns),
            num_ack_pending: self.unacked.len() as u64,
            num_redelivered: self.redelivered(),
            num_waiting: self.waiting.len() as u64,
            num_pending: self.position.ahead(),
            push_bound: self.is_push_bound(),
            paused: remaining > 0,
            pause_remaining: remaining.max(0),
            ts: ctx.now_ns,
            priority_groups: self.group_states(),
        }
    }

    /// Those that were delivered more than once and are not settled. With one delivery allowed there are none,
    /// whatever is remembered of them.
    fn redelivered(&self) -> u64 {
        if self.settings.max_deliver == Some(1) {
            return 0;
        }
        (self.unacked.redelivered() + self.exhausted.len()) as u64
    }

    fn group_states(&self) -> Vec<PriorityGroupState> {
        let state = |group: &String| {
            let pin = self.pin.as_ref().filter(|pin| pin.group == *group);
            PriorityGroupState {
                group: group.clone(),
                pinned_client_id: pin.map(|pin| pin.id.clone()).unwrap_or_default(),
                pinned_ts: pin.map_or(ZERO_TIME, |pin| pin.since_ns),
            }
        };
        self.settings.groups.iter().map(state).collect()
    }

    /// Messages still to be delivered, exactly.
    pub fn num_pending(&mut self, source: &mut dyn Source) -> u64 {
        self.position.catch_up(&mut self.filters, source);
        self.position.ahead()
    }

    /// Messages that are delivered and not acknowledged.
    pub fn num_ack_pending(&self) -> usize {
        self.unacked.len()
    }

    /// Requests that wait.
    pub fn num_waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What heartbeats say: the last delivery, and how far the stream was looked through.
    pub(super) fn last_seen(&self) -> Place {
        let stream_seq = self.position.next().saturating_sub(1);
        Place {
            consumer_seq: self.delivered.consumer_seq,
            stream_seq,
        }
    }
}

fn sequence_info(place: Place, last_active: Option<i64>) -> SequenceInfo {
    SequenceInfo {
        consumer_seq: place.consumer_seq,
        stream_seq: place.stream_seq,
        last_active,
    }
}
