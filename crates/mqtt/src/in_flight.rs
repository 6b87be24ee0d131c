//! Messages that were sent to a client and that it has not acknowledged, by packet identifier.
//!
//! An identifier is one message's until that is done with. A message that is sent again keeps its identifier, so that a
//! client knows it again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// Where a message comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// The consumer that delivers it.
    pub consumer: Arc<str>,
    /// Its sequence in the stream.
    pub sequence: u64,
}

/// How far one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It was sent. Of a retained message there is no source.
    Sent {
        /// Where it comes from.
        source: Option<Source>,
        /// Where the stream hears that it arrived; of a retained message there is none.
        ack: Option<Box<str>>,
    },
    /// It arrived (QoS 2), which is being stored.
    Receiving {
        /// Where it comes from.
        source: Option<Source>,
        /// Where the stream hears that it arrived.
        ack: Option<Box<str>>,
    },
    /// That it arrived is stored under this sequence, and the client is told so.
    Released(u64),
    /// It is done with, and what was stored of it is being deleted.
    Completing,
}

/// The identifier that a message is sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// The identifier.
    pub id: u16,
    /// It was sent with it before.
    pub again: bool,
}

/// What a client has not acknowledged.
#[derive(Clone, Debug, Default)]
pub struct InFlight {
    by_id: HashMap<u16, State>,
    by_source: HashMap<Source, u16>,
    /// Messages that are known to have arrived, and that their streams may not know of.
    arrived: HashSet<Source>,
    /// Those of them that arrived since the session was taken up, the oldest first.
    lately: VecDeque<Source>,
    last: u16,
}

impl InFlight {
    /// Messages that are not done with.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// A message of a stream is to be sent, if no more than `most` are under way then. One that is under way keeps its
    /// identifier; one that arrived is not sent again.
    pub fn give(&mut self, source: Source, ack: &str, most: usize) -> Option<Given> {
        if let Some(&id) = self.by_source.get(&source) {
            return match self.by_id.get_mut(&id) {
                Some(State::Sent { ack: known, .. }) => {
                    *known = Some(ack.into());
                    Some(Given { id, again: true })
                }
                _ => None,
            };
        }
        let id = self.next(most)?;
        self.by_source.insert(source.clone(), id);
        let state = State::Sent {
            source: Some(source),
            ack: Some(ack.into()),
        };
        self.by_id.insert(id, state);
        Some(Given { id, again: false })
    }

    /// A retained message is to be sent.
    pub fn give_retained(&mut self, most: usize) -> Option<u16> {
        let id = self.next(most)?;
        let state = State::Sent {
            source: None,
            ack: None,
        };
        self.by_id.insert(id, state);
        Some(id)
    }

    /// PUBACK: the message is done with. Where its stream is to hear of it.
    pub fn acknowledged(&mut self, id: u16) -> Option<Box<str>> {
        match self.by_id.get(&id)? {
            State::Sent { .. } => {}
            _ => return None,
        }
        let State::Sent { source, ack } = self.by_id.remove(&id)? else {
            return None;
        };
        if let Some(source) = source {
            self.by_source.remove(&source);
        }
        ack
    }

    /// PUBREC: whether that the message arrived has to be stored now.
    pub fn received(&mut self, id: u16) -> bool {
        let Some(state) = self.by_id.get_mut(&id) else {
            return false;
        };
        let State::Sent { source, ack } = state else {
            return false;
        };
        let (source, ack) = (source.take(), ack.take());
        *state = State::Receiving { source, ack };
        true
    }

    /// That it arrived is stored under this sequence. Where the message's stream is to hear of it. It may be on its way once more
    /// already, so the last `most` are known again.
    pub fn released(&mut self, id: u16, sequence: u64, most: usize) -> Option<Box<str>> {
        let state = self.by_id.get_mut(&id)?;
        match std::mem::replace(state, State::Released(sequence)) {
            State::Receiving { source, ack } => {
                if let Some(source) = source {
                    self.by_source.remove(&source);
                    self.note_arrived(source, most);
                }
                ack
            }
            before => {
                *state = before;
                None
            }
        }
    }

    fn note_arrived(&mut self, source: Source, most: usize) {
        if self.arrived.insert(source.clone()) {
            self.lately.push_back(source);
        }
        while self.lately.len() > most
            && let Some(oldest) = self.lately.pop_front()
        {
            self.arrived.remove(&oldest);
        }
    }

    /// How far a message is; `None`: there is none with this identifier.
    pub fn state(&self, id: u16) -> Option<&State> {
        self.by_id.get(&id)
    }

    /// PUBCOMP: the sequence of what was stored and is to be deleted. The identifier is not given again until
    /// [`InFlight::forget`].
    pub fn completed(&mut self, id: u16) -> Option<u64> {
        let state = self.by_id.get_mut(&id)?;
        let State::Released(sequence) = *state else {
            return None;
        };
        *state = State::Completing;
        Some(sequence)
    }

    /// What was stored of it is deleted.
    pub fn forget(&mut self, id: u16) {
        self.by_id.remove(&id);
    }

    /// A session is taken up in which this one arrived. Should its stream not know it, it is delivered once more.
    pub fn restore_released(&mut self, id: u16, sequence: u64, source: Option<Source>) {
        self.arrived.extend(source);
        if let Some(
            State::Sent {
                source: Some(source),
                ..
            }
            | State::Receiving {
                source: Some(source),
                ..
            },
        ) = self.by_id.insert(id, State::Released(sequence))
        {
            self.by_source.remove(&source);
        }
    }

    /// Whether a message arrived already, lately or before the session was taken up: its stream did not hear of it in time.
    pub fn has_arrived(&self, source: &Source) -> bool {
        self.arrived.contains(source)
    }

    /// A session is taken up in which this one was sent.
    pub fn restore_sent(&mut self, id: u16, source: Source, ack: &str) {
        if id == 0 || self.by_id.contains_key(&id) || self.by_source.contains_key(&source) {
            return;
        }
        self.by_source.insert(source.clone(), id);
        let state = State::Sent {
            source: Some(source),
            ack: Some(ack.into()),
        };
        self.by_id.insert(id, state);
    }

    /// A consumer is gone: what it delivered is not delivered again, and is done with.
    pub fn forget_consumer(&mut self, consumer: &str) {
        self.arrived.retain(|source| &*source.consumer != consumer);
        self.lately.retain(|source| &*source.consumer != consumer);
        self.forget_sent(consumer, u64::MAX);
    }

    /// A session is taken up whose consumer waits for so many acknowledgements, all behind the sequence `floor`. What it does not
    /// wait for, since it was purged for instance, never comes again: it is done with. Where that may be any of them, all are:
    /// what does come again gets another identifier.
    pub fn reconcile(&mut self, consumer: &str, floor: u64, waits_for: u64) {
        self.forget_sent(consumer, floor);
        let all = self.by_source.keys();
        let left = all.filter(|source| &*source.consumer == consumer).count();
        if left as u64 > waits_for {
            self.forget_sent(consumer, u64::MAX);
        }
    }

    /// Forgets what a consumer delivered up to this sequence, but for what arrived and is being stored.
    fn forget_sent(&mut self, consumer: &str, up_to: u64) {
        let gone: Vec<Source> = self
            .by_source
            .keys()
            .filter(|source| &*source.consumer == consumer && source.sequence <= up_to)
            .cloned()
            .collect();
        for source in gone {
            if let Some(id) = self.by_source.remove(&source)
                && matches!(self.by_id.get(&id), Some(State::Sent { .. }))
            {
                self.by_id.remove(&id);
            }
        }
    }

    /// Messages of streams that were sent and not acknowledged, in the order of their streams: identifier, source, and
    /// where the stream would hear of it.
    pub fn sent(&self) -> Vec<(u16, &Source, Option<&str>)> {
        let mut sent: Vec<_> = self
            .by_id
            .iter()
            .filter_map(|(id, state)| match state {
                State::Sent {
                    source: Some(source),
                    ack,
                }
                | State::Receiving {
                    source: Some(source),
                    ack,
                } => Some((*id, source, ack.as_deref())),
                _ => None,
            })
            .collect();
        sent.sort_by_key(|(_, source, _)| source.sequence);
        sent
    }

    /// Identifiers of messages whose arrival is stored.
    pub fn to_be_completed(&self) -> Vec<u16> {
        let released = self
            .by_id
            .iter()
            .filter(|(_, state)| matches!(state, State::Released(_)));
        let mut ids: Vec<u16> = released.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }

    /// The next identifier that is free; `None` when so many are under way.
    fn next(&mut self, most: usize) -> Option<u16> {
        if self.by_id.len() >= most.min(usize::from(u16::MAX)) {
            return None;
        }
        loop {
            self.last = self.last.checked_add(1).unwrap_or(1);
            if !self.by_id.contains_key(&self.last) {
                return Some(self.last);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn source(sequence: u64) -> Source {
        Source {
            consumer: "c".into(),
            sequence,
        }
    }

    #[test]
    fn a_message_that_is_sent_again_keeps_its_identifier() {
        let mut flight = InFlight::default();
        let first = flight.give(source(7), "ack.1", 10).unwrap();
        assert_eq!((first.id, first.again), (1, false));
        let second = flight.give(source(7), "ack.2", 10).unwrap();
        assert_eq!((second.id, second.again), (1, true));
        assert_eq!(flight.acknowledged(1).as_deref(), Some("ack.2"));
        assert_eq!(flight.acknowledged(1), None);
        assert!(flight.is_empty());
    }

    #[test]
    fn exactly_once_goes_through_its_steps() {
        let mut flight = InFlight::default();
        let id = flight.give(source(7), "ack", 10).unwrap().id;
        assert!(flight.received(id));
        let (of, ack) = (Some(source(7)), Some("ack".into()));
        let receiving = State::Receiving { source: of, ack };
        assert_eq!(flight.state(id), Some(&receiving));
        assert!(!flight.received(id), "it is being stored already");
        assert!(!flight.received(99), "there is none");
        assert_eq!(flight.give(source(7), "ack", 10), None, "it arrived");
        assert_eq!(flight.acknowledged(id), None, "PUBACK is not for QoS 2");
        assert_eq!(flight.released(id, 3, 10).as_deref(), Some("ack"));
        assert_eq!(flight.to_be_completed(), [id]);
        assert_eq!(flight.completed(id), Some(3));
        assert_eq!(flight.completed(id), None);
        assert_ne!(flight.give(source(8), "ack", 10).unwrap().id, id);
        flight.forget(id);
        assert_eq!(flight.len(), 1);
    }

    #[test]
    fn what_arrived_lately_is_known_again_when_it_comes_once_more() {
        let mut flight = InFlight::default();
        for sequence in 1..=3 {
            let id = flight.give(source(sequence), "ack", 10).unwrap().id;
            flight.received(id);
            flight.released(id, sequence, 2);
            flight.completed(id);
            flight.forget(id);
        }
        let known = [1, 2, 3].map(|sequence| flight.has_arrived(&source(sequence)));
        assert_eq!(known, [false, true, true], "the last two");
        flight.forget_consumer("c");
        assert!(!flight.has_arrived(&source(3)));
    }

    #[test]
    fn no_more_are_under_way_than_may_be() {
        let mut flight = InFlight::default();
        assert!(flight.give(source(1), "a", 2).is_some());
        assert!(flight.give_retained(2).is_some());
        assert_eq!(flight.give(source(2), "a", 2), None);
        assert!(flight.give(source(1), "a", 2).is_some(), "not a new one");
    }

    #[test]
    fn a_session_that_is_taken_up_knows_what_was_sent() {
        let mut flight = InFlight::default();
        flight.restore_sent(5, source(7), "before");
        assert_eq!(flight.sent(), [(5, &source(7), Some("before"))]);
        flight.restore_released(6, 9, Some(source(8)));
        assert!(flight.has_arrived(&source(8)) && !flight.has_arrived(&source(7)));
        assert_eq!(
            flight.give(source(7), "ack", 10),
            Some(Given { id: 5, again: true })
        );
        assert_eq!(flight.to_be_completed(), [6]);
        flight.forget_consumer("c");
        assert_eq!(flight.len(), 1);
        assert!(!flight.has_arrived(&source(8)));
    }

    #[test]
    fn what_its_consumer_does_not_wait_for_keeps_no_identifier() {
        let mut flight = InFlight::default();
        let of_another = Source {
            consumer: "other".into(),
            sequence: 1,
        };
        flight.restore_sent(9, of_another.clone(), "ack");
        for sequence in 1..=3 {
            flight.restore_sent(sequence as u16, source(sequence), "ack");
        }
        flight.reconcile("c", 0, 5);
        assert_eq!(flight.len(), 4, "it waits for more than these");
        flight.reconcile("c", 1, 2);
        let left: Vec<u16> = flight.sent().iter().map(|(id, ..)| *id).collect();
        assert_eq!(left, [9, 2, 3], "the first one was acknowledged");
        flight.reconcile("c", 1, 1);
        assert_eq!(flight.sent(), [(9, &of_another, Some("ack"))]);
    }

    proptest! {
        #[test]
        fn no_identifier_is_given_twice_at_once(steps in prop::collection::vec((0u8..6, 1u16..40, 0u64..20), 0..200)) {
            let mut flight = InFlight::default();
            for (step, id, sequence) in steps {
                match step {
                    0 => {
                        let before = flight.clone();
                        if let Some(given) = flight.give(source(sequence), "ack", 16) {
                            prop_assert!(given.id != 0);
                            prop_assert_eq!(given.again, before.by_id.contains_key(&given.id));
                        }
                    }
                    1 => drop(flight.acknowledged(id)),
                    2 => {
                        let _: bool = flight.received(id);
                    }
                    3 => drop(flight.released(id, sequence, 4)),
                    4 => drop(flight.completed(id)),
                    _ if flight.state(id) == Some(&State::Completing) => flight.forget(id),
                    _ => flight.restore_released(id, sequence, None),
                }
                prop_assert!(flight.lately.len() <= 4 && flight.arrived.len() <= 4);
                for (source, id) in &flight.by_source {
                    let state = flight.by_id.get(id);
                    let (State::Sent { source: own, .. } | State::Receiving { source: own, .. }) = state.unwrap() else {
                        panic!("{source:?} is done with: {state:?}");
                    };
                    prop_assert_eq!(own.as_ref(), Some(source));
                }
            }
        }
    }
}
