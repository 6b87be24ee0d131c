//! A consumer against a model of what it must hold, under random publishes, requests, answers, deletions, time
//! and restarts.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::Delivery;
use super::fake::{SECOND, Sent, World, pull_config, push_config};
use crate::config::{AckPolicy, ConsumerConfig, DeliverPolicy};

const SUBJECTS: [&str; 5] = ["a.1", "a.2", "a.3", "b.1", "c"];

#[derive(Clone, Copy, Debug)]
enum Step {
    Publish(u8),
    Append(u8),
    Pull(u8),
    Ack(u8),
    Nak(u8),
    NakLater(u8, u8),
    Extend(u8),
    Terminate(u8),
    Remove(u8),
    Purge(u8),
    Pass(u8),
    Save(bool),
    Restart,
    Deaf(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any::<u8>().prop_map(Step::Publish),
        3 => any::<u8>().prop_map(Step::Append),
        4 => (1u8..8).prop_map(Step::Pull),
        6 => any::<u8>().prop_map(Step::Ack),
        2 => any::<u8>().prop_map(Step::Nak),
        1 => (any::<u8>(), 0u8..9).prop_map(|(which, by)| Step::NakLater(which, by)),
        1 => any::<u8>().prop_map(Step::Extend),
        1 => any::<u8>().prop_map(Step::Terminate),
        1 => any::<u8>().prop_map(Step::Remove),
        1 => (0u8..6).prop_map(Step::Purge),
        2 => (0u8..9).prop_map(Step::Pass),
        1 => any::<bool>().prop_map(Step::Save),
        1 => Just(Step::Restart),
        1 => any::<bool>().prop_map(Step::Deaf),
    ]
}

fn config() -> impl Strategy<Value = ConsumerConfig> {
    let policies = prop_oneof![
        3 => Just(AckPolicy::Explicit),
        1 => Just(AckPolicy::All),
        1 => Just(AckPolicy::None)
    ];
    let starts = prop_oneof![
        Just(DeliverPolicy::All),
        Just(DeliverPolicy::LastPerSubject),
        Just(DeliverPolicy::New),
        Just(DeliverPolicy::Last)
    ];
    let filters = prop_oneof![
        Just(vec![]),
        Just(vec!["a.*"]),
        Just(vec!["a.1", "b.1"]),
        Just(vec!["none"])
    ];
    (policies, starts, filters, any::<bool>(), 0i64..4, 1i64..20).prop_map(
        |(ack_policy, deliver_policy, filters, pushes, max_deliver, max_ack_pending)| {
            let base = if pushes { push_config() } else { pull_config() };
            ConsumerConfig {
                ack_policy,
                deliver_policy,
                filter_subjects: filters.into_iter().map(str::to_owned).collect(),
                ack_wait: 5 * SECOND,
                max_deliver: if max_deliver == 0 { -1 } else { max_deliver },
                max_ack_pending,
                ..base
            }
        },
    )
}

/// What must be true, kept in the simplest way.
#[derive(Clone, Debug, Default)]
struct Model {
    /// Delivered and not settled, with the number of deliveries.
    unacked: BTreeMap<u64, u64>,
    settled: BTreeSet<u64>,
    given_up: BTreeSet<u64>,
    delivered: BTreeSet<u64>,
    consumer_seq: u64,
}

struct Run {
    world: World,
    model: Model,
    saved: Model,
    policy: AckPolicy,
    max_deliver: Option<u64>,
    /// Deliveries that a client could answer.
    seen: Vec<Delivery>,
}

impl Run {
    fn new(config: ConsumerConfig) -> Self {
        let policy = config.ack_policy;
        let max_deliver = u64::try_from(config.max_deliver).ok();
        let subjects = ["a.1", "b.1", "a.2", "a.1", "c"];
        let mut world = World::new(config, &subjects);
        world.save(true);
        let mut run = Self {
            world,
            model: Model::default(),
            saved: Model::default(),
            policy,
            max_deliver,
            seen: Vec::new(),
        };
        run.take_sent();
        // What World::new delivered (a push consumer begins at once) was saved with it.
        run.saved = run.model.clone();
        run
    }

    fn take_sent(&mut self) {
        for sent in self.world.sent() {
            if let Some(delivery) = sent.delivery() {
                self.take_delivery(&sent, delivery);
            }
        }
        for event in self.world.events() {
            if let super::Event::MaxDeliveries {
                stream_seq,
                deliveries,
            } = event
            {
                assert_eq!(Some(deliveries), self.max_deliver);
                assert_eq!(self.model.unacked.remove(&stream_seq), self.max_deliver);
                assert!(self.model.given_up.insert(stream_seq), "told once");
            }
        }
    }

    fn take_delivery(&mut self, sent: &Sent, delivery: Delivery) {
        let Delivery {
            deliveries,
            stream_seq,
            consumer_seq,
        } = delivery;
        self.model.consumer_seq += 1;
        assert_eq!(
            consumer_seq, self.model.consumer_seq,
            "consumer sequences have no gaps"
        );
        assert!(
            !self.model.settled.contains(&stream_seq),
            "{stream_seq} was settled"
        );
        assert!(
            !self.model.given_up.contains(&stream_seq),
            "{stream_seq} was given up"
        );
        let before = self.model.unacked.get(&stream_seq).copied().unwrap_or(0);
        assert_eq!(deliveries, before + 1, "deliveries of {stream_seq}");
        assert!(self.max_deliver.is_none_or(|max| deliveries <= max));
        if deliveries == 1 {
            let highest = self.model.delivered.last().copied().unwrap_or(0);
            assert!(stream_seq > highest, "first deliveries ascend");
        }
        assert!(sent.payload == "payload");
        self.model.delivered.insert(stream_seq);
        if self.policy == AckPolicy::None {
            self.model.settled.insert(stream_seq);
        } else {
            self.model.unacked.insert(stream_seq, deliveries);
        }
        self.seen.push(delivery);
    }

    fn chosen(&self, which: u8) -> Option<Delivery> {
        let back = usize::from(which) % self.seen.len().max(1);
        self.seen.iter().rev().nth(back).copied()
    }

    /// The delivery is settled, in the model first: what it makes room for is delivered at once.
    fn settle(&mut self, delivery: Delivery) {
        match self.policy {
            AckPolicy::Explicit => {
                // A message that was given up may still be acknowledged.
                let known = self.model.unacked.remove(&delivery.stream_seq).is_some()
                    || self.model.given_up.remove(&delivery.stream_seq);
                if known {
                    self.model.settled.insert(delivery.stream_seq);
                }
            }
            AckPolicy::All => {
                let floor = self.world.info().ack_floor;
                // After a restart there are deliveries that it does not remember.
                let known = delivery.stream_seq < self.world.consumer.position.next();
                if known && delivery.stream_seq > floor.stream_seq {
                    let rest = self.model.unacked.split_off(&(delivery.stream_seq + 1));
                    let settled = std::mem::replace(&mut self.model.unacked, rest);
                    self.model.settled.extend(settled.into_keys());
                    self.model.given_up.retain(|seq| *seq > delivery.stream_seq);
                }
            }
            _ => {}
        }
    }

    fn gone(&mut self, sequence: u64) {
        self.model.unacked.remove(&sequence);
        self.model.given_up.remove(&sequence);
    }

    fn act(&mut self, step: Step) {
        match step {
            Step::Publish(which) => {
                self.world
                    .publish(SUBJECTS[usize::from(which) % SUBJECTS.len()]);
            }
            Step::Append(which) => {
                let subject = SUBJECTS[usize::from(which) % SUBJECTS.len()];
                self.world
                    .stream
                    .append(subject, b"payload", self.world.now);
            }
            Step::Pull(batch) => self.world.pull("inbox", &batch.to_string()),
            Step::Ack(which) => {
                if let Some(delivery) = self.chosen(which) {
                    self.settle(delivery);
                    let _ = self.world.ack(delivery, "+ACK");
                }
            }
            Step::Nak(which) => self.answer(which, "-NAK"),
            Step::NakLater(which, by) => self.answer(which, &format!("-NAK {by}s")),
            Step::Extend(which) => self.answer(which, "+WPI"),
            Step::Terminate(which) => {
                if let Some(delivery) = self.chosen(which) {
                    self.settle(delivery);
                    let _ = self.world.ack(delivery, "+TERM");
                }
            }
            Step::Remove(which) => {
                let sequences = self.world.stream.appended();
                let chosen = sequences
                    .get(usize::from(which) % sequences.len().max(1))
                    .copied();
                if let Some(sequence) = chosen {
                    self.gone(sequence);
                    self.world.remove(sequence);
                }
            }
            Step::Purge(count) => {
                for sequence in self
                    .world
                    .stream
                    .sequences()
                    .into_iter()
                    .take(usize::from(count))
                {
                    self.gone(sequence);
                    self.world.stream.remove(sequence);
                }
                self.world.consumer.stream_purged(&mut self.world.stream);
            }
            Step::Pass(seconds) => self.world.pass(i64::from(seconds) * SECOND),
            Step::Save(full) => {
                self.world.save(full);
                self.saved = self.model.clone();
            }
            Step::Restart => self.restart(),
            Step::Deaf(deaf) => {
                for inbox in ["inbox", "in"] {
                    match deaf {
                        true => self.world.out.deaf.insert(inbox.to_owned()),
                        false => self.world.out.deaf.remove(inbox),
                    };
                }
            }
        }
        self.take_sent();
    }

    fn answer(&mut self, which: u8, payload: &str) {
        if let Some(delivery) = self.chosen(which) {
            let _ = self.world.ack(delivery, payload);
        }
    }

    /// What was not saved is forgotten; clients still answer what they have seen.
    fn restart(&mut self) {
        let there: BTreeSet<u64> = self.world.stream.sequences().into_iter().collect();
        self.world.restart();
        self.model = self.saved.clone();
        self.model.unacked.retain(|seq, _| there.contains(seq));
        self.model.given_up.retain(|seq| there.contains(seq));
    }

    fn check(&mut self) {
        let info = self.world.info();
        let next = self.world.consumer.position.next();
        let filters = crate::index::Filters::new(self.world.consumer.config().filters());
        let matching: Vec<u64> = self.world.stream.sequences();
        let ahead = matching.iter().filter(|seq| {
            let picked = self.world.consumer.position.wants(**seq);
            **seq >= next && picked && self.world.stream.is_match(**seq, &filters)
        });
        assert_eq!(info.num_pending, ahead.count() as u64, "num_pending");
        assert_eq!(
            info.num_ack_pending,
            self.model.unacked.len() as u64,
            "num_ack_pending"
        );
        let again = self
            .model
            .unacked
            .values()
            .filter(|count| **count > 1)
            .count();
        let redelivered = (again + self.model.given_up.len()) as u64;
        if self.max_deliver != Some(1) {
            assert_eq!(info.num_redelivered, redelivered, "num_redelivered");
        }
        assert_eq!(
            info.delivered.consumer_seq, self.model.consumer_seq,
            "delivered"
        );
        let first = self.model.unacked.keys().next();
        assert!(
            first.is_none_or(|first| *first > info.ack_floor.stream_seq),
            "the floor"
        );
        for seq in matching {
            let kept = self.model.unacked.contains_key(&seq) || self.model.given_up.contains(&seq);
            if kept || self.model.settled.contains(&seq) {
                assert_eq!(
                    self.world.consumer.needs(seq),
                    kept,
                    "whether {seq} is needed"
                );
            }
        }
    }

    /// In the end everything that is not settled comes, as long as somebody takes it.
    fn drain(&mut self) {
        self.act(Step::Deaf(false));
        for _ in 0..400 {
            self.act(Step::Pull(50));
            self.act(Step::Pass(5));
            self.act(Step::Pass(5));
            while let Some((&stream_seq, _)) = self.model.unacked.iter().next() {
                let mut seen = self.seen.iter().rev();
                let delivery = seen.find(|one| one.stream_seq == stream_seq).copied();
                let Some(delivery) = delivery else { break };
                self.settle(delivery);
                let _ = self.world.ack(delivery, "");
                self.take_sent();
                if self.model.unacked.contains_key(&stream_seq) {
                    // An ack of all that is older than another one counts only after the next delivery.
                    break;
                }
            }
            self.check();
            let info = self.world.info();
            if info.num_pending == 0 && info.num_ack_pending == 0 {
                return;
            }
        }
        panic!("something is never delivered: {:?}", self.world.info());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn nothing_settled_comes_again_and_everything_else_does(
        config in config(),
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut run = Run::new(config);
        run.check();
        for step in steps {
            run.act(step);
            run.check();
        }
        run.drain();
    }
}
