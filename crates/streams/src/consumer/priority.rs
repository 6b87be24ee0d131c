//! Priority groups (ADR-42): overflow, pinned clients, priorities. Decides whether the request at the front
//! may have the next message.

use super::requests::Group;
use super::status;
use super::{Consumer, Event};
use crate::config::PriorityPolicy;
use crate::context::Context;

/// A client that has its group for itself.
#[derive(Debug)]
pub(super) struct Pin {
    pub(super) id: String,
    pub(super) group: String,
    pub(super) since_ns: i64,
    /// When it is lost, unless the client asks again before.
    pub(super) until_ns: i64,
}

/// What becomes of the request at the front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may have the message; it gets the pin with it, if `claims`.
    Serve { claims: bool },
    /// Not now.
    Pass,
    /// It names a pin that it does not have.
    End,
}

const PIN_ID_LEN: usize = 22;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl Consumer {
    pub(super) fn check_group(
        &mut self,
        ctx: &mut Context<'_>,
        group: Option<&Group>,
    ) -> Result<(), String> {
        let Some(group) = group else { return Ok(()) };
        let policy = self.settings.priority;
        let bad = |why: &str| Err(format!("400 Bad Request - {why}"));
        let has_limits = group.min_pending != 0 || group.min_ack_pending != 0;
        if has_limits && policy != PriorityPolicy::Overflow {
            return bad("Not a Overflow Priority consumer");
        }
        if !group.pin_id.is_empty() && policy != PriorityPolicy::PinnedClient {
            return bad("Not a Pinned Client Priority consumer");
        }
        if !(0..=9).contains(&group.priority) {
            return bad("Priority must be between 0 and 9");
        }
        if policy == PriorityPolicy::None {
            return Ok(());
        }
        if group.name.is_empty() {
            return bad("Priority Group missing");
        }
        if !self.settings.groups.contains(&group.name) {
            return bad("Invalid Priority Group");
        }
        match &mut self.pin {
            Some(pin) if pin.id == group.pin_id => {
                pin.until_ns = ctx.now_ns.saturating_add(self.settings.pin_timeout_ns);
                Ok(())
            }
            Some(_) if !group.pin_id.is_empty() => Err(status::PIN_MISMATCH.to_owned()),
            _ => Ok(()),
        }
    }

    /// What the policy says of the request at the front.
    pub(super) fn priority_verdict(&mut self, _ctx: &Context<'_>) -> Verdict {
        let policy = self.settings.priority;
        let serve = Verdict::Serve { claims: false };
        if policy == PriorityPolicy::None || policy == PriorityPolicy::Prioritized {
            return serve;
        }
        let ahead = i64::try_from(self.position.ahead()).unwrap_or(i64::MAX);
        let ack_pending = i64::try_from(self.unacked.len()).unwrap_or(i64::MAX);
        let Some(front) = self.waiting.front_mut() else {
            return Verdict::Pass;
        };
        let Some(group) = &front.group else {
            return match (policy, &self.pin) {
                (PriorityPolicy::PinnedClient, Some(_)) => Verdict::Pass,
                _ => serve,
            };
        };
        if policy == PriorityPolicy::Overflow {
            let reached = |min: i64, have: i64| min > 0 && min <= have;
            let open = (group.min_pending <= 0 && group.min_ack_pending <= 0)
                || reached(group.min_pending, ahead)
                || reached(group.min_ack_pending, ack_pending);
            return if open { serve } else { Verdict::Pass };
        }
        match &self.pin {
            None if group.pin_id.is_empty() => Verdict::Serve { claims: true },
            None => Verdict::End,
            Some(pin) if pin.id == group.pin_id => serve,
            Some(_) if group.pin_id.is_empty() => Verdict::Pass,
            Some(_) => Verdict::End,
        }
    }

    /// The request at the front gets the pin.
    pub(super) fn pin_front(&mut self, ctx: &mut Context<'_>) {
        let id = pin_id(ctx);
        let group = self
            .waiting
            .front_mut()
            .and_then(|front| front.group.as_mut());
        let Some(group) = group.filter(|group| !group.name.is_empty()) else {
            return;
        };
        group.pin_id.clone_from(&id);
        let pin = Pin {
            id: id.clone(),
            group: group.name.clone(),
            since_ns: ctx.now_ns,
            until_ns: ctx.now_ns.saturating_add(self.settings.pin_timeout_ns),
        };
        self.events.push(Event::Pinned {
            group: pin.group.clone(),
            pin_id: id,
        });
        self.pin = Some(pin);
    }

    /// Takes the pin from its client (E40), and tells of it also where nobody had it. Whether `group` is one of its groups.
    pub fn unpin(&mut self, group: &str) -> bool {
        if !self.settings.groups.iter().any(|known| known == group) {
            return false;
        }
        self.pin = None;
        self.events.push(Event::Unpinned {
            group: group.to_owned(),
            reason: "admin",
        });
        true
    }

    /// The pin's client has not asked again in time.
    pub(super) fn let_pin_expire(&mut self) {
        if let Some(pin) = self.pin.take() {
            self.events.push(Event::Unpinned {
                group: pin.group,
                reason: "timeout",
            });
        }
    }
}

fn pin_id(ctx: &mut Context<'_>) -> String {
    let mut id = String::with_capacity(PIN_ID_LEN);
    for _ in 0..PIN_ID_LEN {
        let digit = ((ctx.random)() % DIGITS.len() as u64) as usize;
        id.extend(DIGITS.get(digit).map(|digit| char::from(*digit)));
    }
    id
}
