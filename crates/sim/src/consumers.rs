//! What is known of a consumer: what it delivered, what was acknowledged, what of that was confirmed.

use std::collections::{BTreeMap, BTreeSet};

use recado_streams::consumer::AckSubject;

use crate::model::Window;

/// How a consumer's messages are acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// Each.
    Explicit,
    /// All up to one.
    All,
    /// Not at all.
    None,
}

/// A consumer's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerSpec {
    /// Number of the operation that made it; its description.
    pub given: u64,
    /// The one subject that it wants; empty for all.
    pub filter: String,
    /// How it is acknowledged.
    pub acks: Acks,
    /// When a message is delivered again.
    pub ack_wait_ns: i64,
    /// Most deliveries of a message; 0 for any.
    pub max_deliver: u64,
    /// Most messages on their way.
    pub max_ack_pending: u64,
    /// It delivers without being asked.
    pub push: bool,
    /// Only what comes after it.
    pub new_only: bool,
}

/// A message in a client's hands.
#[derive(Clone, Debug)]
pub struct Hand {
    /// Where to acknowledge it.
    pub ack: String,
    /// Its sequence.
    pub sequence: u64,
    /// In which life of the server it was delivered.
    pub life: u64,
}

/// A consumer, and its client.
#[derive(Clone, Debug)]
pub struct ConsumerModel {
    /// Its configuration, if it is there.
    pub window: Window<Option<ConsumerSpec>>,
    /// What the client has.
    pub hands: Vec<Hand>,
    /// Never to be delivered again.
    pub confirmed: BTreeSet<u64>,
    /// Acknowledged at some time, confirmed or not.
    pub acked_ever: BTreeSet<u64>,
    /// Delivered at some time.
    pub delivered_ever: BTreeSet<u64>,
    /// Where it began, for those that want only what is new.
    pub begins_after: u64,
    /// It was deleted, and is there after a crash: what it did before is not known.
    pub is_unsure: bool,
    /// Acknowledged in this life of the server.
    acked: BTreeSet<u64>,
    counts: BTreeMap<u64, u64>,
    last_new: u64,
    last_delivery: u64,
}

impl Default for ConsumerModel {
    fn default() -> Self {
        Self {
            window: Window::new(None),
            hands: Vec::new(),
            confirmed: BTreeSet::new(),
            acked_ever: BTreeSet::new(),
            delivered_ever: BTreeSet::new(),
            begins_after: 0,
            is_unsure: false,
            acked: BTreeSet::new(),
            counts: BTreeMap::new(),
            last_new: 0,
            last_delivery: 0,
        }
    }
}

impl ConsumerModel {
    /// Another consumer of the same name, or none.
    pub fn reset(&mut self) {
        *self = Self {
            window: self.window.clone(),
            ..Self::default()
        };
    }

    /// The server began another life: what was not confirmed may be forgotten.
    pub fn begin_life(&mut self) {
        self.acked.clear();
        self.counts.clear();
        self.last_new = 0;
        self.last_delivery = 0;
    }

    /// A message came. What is wrong with that, if anything.
    ///
    /// # Errors
    /// What was promised and not kept.
    pub fn delivered(&mut self, ack: &AckSubject<'_>) -> Result<(), String> {
        let Some(spec) = self.window.now().clone() else {
            return Err("a consumer that is not there delivered".to_owned());
        };
        let sequence = ack.delivery.stream_seq;
        if self.confirmed.contains(&sequence) {
            return Err(format!("sequence {sequence} was confirmed and comes again"));
        }
        if self.acked.contains(&sequence) {
            return Err(format!(
                "sequence {sequence} was acknowledged and comes again"
            ));
        }
        let count = self.counts.entry(sequence).or_default();
        *count += 1;
        let said = ack.delivery.deliveries;
        if spec.max_deliver > 0 && (*count > spec.max_deliver || said > spec.max_deliver) {
            return Err(format!(
                "sequence {sequence} came {count} times (it says {said}), {} are allowed",
                spec.max_deliver
            ));
        }
        if said < *count {
            return Err(format!(
                "sequence {sequence} came {count} times, it says {said}"
            ));
        }
        if said == 1 {
            if sequence <= self.last_new {
                return Err(format!("sequence {sequence} comes after {}", self.last_new));
            }
            self.last_new = sequence;
        }
        let number = ack.delivery.consumer_seq;
        if self.last_delivery > 0 && number != self.last_delivery + 1 {
            return Err(format!(
                "delivery {number} comes after {}",
                self.last_delivery
            ));
        }
        self.last_delivery = number;
        self.delivered_ever.insert(sequence);
        Ok(())
    }

    /// An ack was taken in. Which messages it settles for sure.
    pub fn acked(&mut self, sequence: u64, in_this_life: bool) -> Vec<u64> {
        let Some(spec) = self.window.now() else {
            return Vec::new();
        };
        let settled: Vec<u64> = match spec.acks {
            Acks::None => Vec::new(),
            Acks::Explicit => vec![sequence],
            Acks::All => self.delivered_ever.range(..=sequence).copied().collect(),
        };
        self.acked_ever.extend(&settled);
        if in_this_life && spec.acks == Acks::Explicit {
            self.acked.extend(&settled);
        }
        settled
    }
}
