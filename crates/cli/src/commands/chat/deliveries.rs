//! What became of our own messages: the server's echo, and each listener's confirmation.
//!
//! All times are round trips on our own clock, from handing the message over until the answer was
//! there: two machines' clocks are never compared.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// How long a confirmation is waited for.
pub(super) const CONFIRMATION_LIMIT: Duration = Duration::from_secs(2);

/// So many messages may be unconfirmed; further ones wait.
pub(super) const UNCONFIRMED_MAX: usize = 64;

/// In a room with more others than this nobody confirms: each message would become hundreds.
pub(super) const CONFIRMING_MAX: usize = 50;

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivery {
    /// Which one, counted from 1.
    pub(super) number: u64,
    /// How long it took until it came back from the server.
    pub(super) echo: Option<Duration>,
    /// Who confirmed it, and the round trip to them.
    pub(super) confirmed: Vec<(String, Duration)>,
    /// Who was there and did not confirm it in time.
    pub(super) missing: Vec<String>,
}

struct Waiting {
    number: u64,
    sent: Instant,
    echo: Option<Duration>,
    /// Names by id.
    awaited: BTreeMap<String, String>,
    confirmed: Vec<(String, Duration)>,
}

/// The messages that are not confirmed by everybody yet.
#[derive(Default)]
pub(super) struct Deliveries {
    waiting: VecDeque<Waiting>,
    sent: u64,
}

impl Deliveries {
    /// The number that the next message will have.
    pub(super) fn next_number(&self) -> u64 {
        self.sent + 1
    }

    /// Whether another message may be sent now.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < UNCONFIRMED_MAX
    }

    /// Whether nothing is waited for.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Notes a message that is handed over now.
    pub(super) fn sent(&mut self, awaited: BTreeMap<String, String>, now: Instant) {
        self.sent += 1;
        self.waiting.push_back(Waiting {
            number: self.sent,
            sent: now,
            echo: None,
            awaited,
            confirmed: Vec::new(),
        });
    }

    /// It came back from the server.
    pub(super) fn echoed(&mut self, number: u64, now: Instant) -> Option<Delivery> {
        let waiting = self.find(number)?;
        let took = now.duration_since(waiting.sent);
        waiting.echo.get_or_insert(took);
        self.finish(number)
    }

    /// Somebody has it: the round trip, and the delivery if nothing is missing any more.
    pub(super) fn confirmed(
        &mut self,
        number: u64,
        id: &str,
        name: String,
        now: Instant,
    ) -> Option<(Duration, Option<Delivery>)> {
        let waiting = self.find(number)?;
        let took = now.duration_since(waiting.sent);
        // Somebody may have come since it was sent, and got it all the same; once is enough.
        let was_awaited = waiting.awaited.remove(id).is_some();
        let is_new = !waiting.confirmed.iter().any(|(who, _)| *who == name);
        if was_awaited || (is_new && waiting.confirmed.len() < CONFIRMING_MAX) {
            waiting.confirmed.push((name, took));
        }
        Some((took, self.finish(number)))
    }

    /// Somebody has gone: nothing is expected of them any more.
    pub(super) fn forget(&mut self, present: impl Fn(&str) -> bool) -> Vec<Delivery> {
        for waiting in &mut self.waiting {
            waiting.awaited.retain(|id, _| present(id));
        }
        let numbers: Vec<u64> = self.waiting.iter().map(|waiting| waiting.number).collect();
        numbers
            .into_iter()
            .filter_map(|number| self.finish(number))
            .collect()
    }

    /// Those that have waited for too long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Delivery> {
        let mut overdue = Vec::new();
        while let Some(first) = self.waiting.front()
            && now.duration_since(first.sent) >= CONFIRMATION_LIMIT
        {
            overdue.extend(self.waiting.pop_front().map(Delivery::from));
        }
        overdue
    }

    fn find(&mut self, number: u64) -> Option<&mut Waiting> {
        self.waiting
            .iter_mut()
            .find(|waiting| waiting.number == number)
    }

    fn finish(&mut self, number: u64) -> Option<Delivery> {
        let place = self.waiting.iter().position(|waiting| {
            waiting.number == number && waiting.awaited.is_empty() && waiting.echo.is_some()
        })?;
        self.waiting.remove(place).map(Delivery::from)
    }
}

impl From<Waiting> for Delivery {
    fn from(waiting: Waiting) -> Self {
        Self {
            number: waiting.number,
            echo: waiting.echo,
            confirmed: waiting.confirmed,
            missing: waiting.awaited.into_values().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(1);

    fn awaiting(names: &[&str]) -> BTreeMap<String, String> {
        let pair = |name: &&str| (format!("id-{name}"), (*name).to_owned());
        names.iter().map(pair).collect()
    }

    #[test]
    fn a_message_is_delivered_when_the_server_and_everybody_there_have_it() {
        let start = Instant::now();
        let mut deliveries = Deliveries::default();
        deliveries.sent(awaiting(&["ana", "eva"]), start);
        assert_eq!(deliveries.echoed(1, start + TICK), None);
        let (took, delivery) = deliveries
            .confirmed(1, "id-ana", "ana".into(), start + 2 * TICK)
            .unwrap();
        assert_eq!((took, delivery), (2 * TICK, None));
        let (_, delivery) = deliveries
            .confirmed(1, "id-eva", "eva".into(), start + 3 * TICK)
            .unwrap();
        let delivery = delivery.unwrap();
        assert_eq!(delivery.echo, Some(TICK));
        assert_eq!(
            delivery.confirmed,
            [("ana".into(), 2 * TICK), ("eva".into(), 3 * TICK)]
        );
        assert!(deliveries.is_empty());
        assert_eq!(deliveries.confirmed(1, "id-eva", "eva".into(), start), None);
    }

    #[test]
    fn who_does_not_confirm_in_time_is_named_and_who_has_gone_is_not() {
        let start = Instant::now();
        let mut deliveries = Deliveries::default();
        deliveries.sent(awaiting(&["ana", "eva"]), start);
        deliveries.echoed(1, start + TICK);
        assert_eq!(deliveries.forget(|id| id == "id-eva"), []);
        assert_eq!(deliveries.expire(start + CONFIRMATION_LIMIT - TICK), []);
        let overdue = deliveries.expire(start + CONFIRMATION_LIMIT);
        assert_eq!(overdue[0].missing, ["eva"]);

        deliveries.sent(awaiting(&["ana"]), start);
        deliveries.echoed(2, start + TICK);
        assert_eq!(deliveries.forget(|_| false).len(), 1);
    }
}
