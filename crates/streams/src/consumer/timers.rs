//! What the time brings, and when: acks that did not come, requests that expire, heartbeats, pauses, pins, the
//! end of a consumer that nobody uses.

use super::{Consumer, Event};
use crate::context::Context;

/// Messages whose time is over, in one call; the rest comes with the next.
const DUE_MAX: usize = 4096;
/// How often inboxes of waiting requests are looked at for interest.
const SWEEP_NS: i64 = 5_000_000_000;

impl Consumer {
    /// When [`Self::tick`] is to be called next, at the latest. It may be in the past.
    pub fn next_deadline(&self) -> Option<i64> {
        let sweep = self.activity.swept_ns.saturating_add(SWEEP_NS);
        let push = self.push.as_ref().and_then(|push| push.next_deadline_ns());
        [
            self.unacked.next_alarm_ns(),
            self.waiting.next_deadline_ns(),
            (!self.waiting.is_empty()).then_some(sweep),
            push,
            self.replay.as_ref().and_then(|replay| replay.due_ns),
            self.pin.as_ref().map(|pin| pin.until_ns),
            self.config.pause_until.filter(|_| self.activity.paused),
            self.activity.congested_until_ns,
            self.inactive_at_ns(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due. Call [`Self::deliver_ready`] after it.
    pub fn tick(&mut self, ctx: &mut Context<'_>) {
        let now_ns = ctx.now_ns;
        self.tick_acks(now_ns);
        let expiries = self.waiting.next_deadline_ns();
        let sweep = self.activity.swept_ns.saturating_add(SWEEP_NS);
        if expiries.is_some_and(|at| at <= now_ns) || (!self.waiting.is_empty() && sweep <= now_ns)
        {
            self.sweep_waiting(ctx);
        }
        self.tick_push(ctx);
        let congested = &mut self.activity.congested_until_ns;
        *congested = congested.filter(|until| *until > now_ns);
        if let Some(replay) = &mut self.replay {
            replay.due_ns = replay.due_ns.filter(|due| *due > now_ns);
        }
        if self.pin.as_ref().is_some_and(|pin| pin.until_ns <= now_ns) {
            self.let_pin_expire();
        }
        if self.activity.paused && !self.is_paused(now_ns) {
            self.activity.paused = false;
            self.events.push(Event::Paused {
                until_ns: self.config.pause_until,
                paused: false,
            });
        }
        self.tick_inactive(ctx);
    }

    fn tick_acks(&mut self, now_ns: i64) {
        let mut due = Vec::new();
        while due.len() < DUE_MAX
            && let Some(unacked) = self.unacked.next_due(now_ns)
        {
            due.push(unacked);
        }
        due.sort_unstable_by_key(|unacked| unacked.stream_seq);
        for unacked in due {
            self.redeliver_or_give_up(unacked);
        }
    }

    fn inactive_at_ns(&self) -> Option<i64> {
        let after = self
            .settings
            .inactive_after_ns
            .filter(|_| !self.activity.over)?;
        if self.is_push_bound() {
            return None;
        }
        Some(self.activity.used_ns.saturating_add(after))
    }

    fn tick_inactive(&mut self, ctx: &mut Context<'_>) {
        if self.inactive_at_ns().is_none_or(|at| ctx.now_ns < at) {
            return;
        }
        // A client that waits uses it, as long as it is there.
        self.sweep_waiting(ctx);
        self.interest_changed(ctx);
        if !self.waiting.is_empty() || self.is_push_bound() {
            self.activity.used_ns = ctx.now_ns;
            return;
        }
        if self.inactive_at_ns().is_some_and(|at| ctx.now_ns < at) {
            return;
        }
        self.activity.over = true;
        self.events.push(Event::Inactive);
    }
}
