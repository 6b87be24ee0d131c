//! What is kept of a client: its subscriptions, and which messages are under way to it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use recado_mqtt::{InFlight, Qos, Source, Subjects, begins_with_wildcard, filter_to_subjects};
use serde::{Deserialize, Serialize};

use super::keeper::{Keeper, Trouble};
use super::names;
use super::origin::{Origin, is_ack};
use super::storage::{self, Consumer};

/// Subscriptions of one client, and bytes of their topic filters together: its record holds them all.
pub(super) const SUBSCRIPTIONS_MAX: usize = 10_000;
pub(super) const FILTER_BYTES_MAX: usize = 512 * 1024;

/// One subscription.
pub(super) struct Subscription {
    pub(super) filter: String,
    pub(super) subjects: Subjects,
    pub(super) qos: Qos,
    /// Delivers messages of QoS 1 and 2, if it is for such. The session counts them.
    consumer: Option<Consumer>,
    /// It is not for topics that begin with `$`.
    pub(super) is_reserved: bool,
}

impl Subscription {
    /// One that is not served yet.
    pub(super) fn new(filter: &str, subjects: Subjects, qos: Qos) -> Self {
        Self {
            filter: filter.to_owned(),
            subjects,
            qos,
            consumer: None,
            is_reserved: begins_with_wildcard(filter),
        }
    }

    /// What delivers messages of QoS 1 and 2 for it.
    pub(super) fn consumer(&self) -> Option<&Consumer> {
        self.consumer.as_ref()
    }

    /// Whether a message on this subject is for it.
    pub(super) fn is_for(&self, subject: &str) -> bool {
        !(self.is_reserved && subject.starts_with('$'))
    }
}

/// The session of one client.
pub(super) struct Session {
    pub(super) client_id: String,
    pub(super) hash: String,
    /// Nothing outlives the connection.
    pub(super) is_clean: bool,
    /// Where its record is.
    subject: String,
    /// There is something in the streams that has to be deleted with a clean session.
    pub(super) is_stored: bool,
    /// Its record does not have its subscriptions and consumers as they are now.
    pub(super) is_unsaved: bool,
    pub(super) subscriptions: HashMap<u64, Subscription>,
    by_filter: HashMap<String, u64>,
    /// Bytes of all topic filters.
    filter_bytes: usize,
    /// Subscriptions that consumers deliver for.
    consumers: usize,
    last_sid: u64,
    pub(super) in_flight: InFlight,
}

/// What is stored. Never change the meaning of a field.
#[derive(Default, Serialize, Deserialize)]
struct Record {
    id: String,
    #[serde(default)]
    subs: BTreeMap<String, u8>,
    #[serde(default)]
    cons: BTreeMap<String, Consumer>,
    /// What was sent and not acknowledged when the client left: packet identifier, consumer, sequence, and where the stream
    /// would have heard of it. Empty while the client is there.
    #[serde(default)]
    pending: Vec<(u16, String, u64, String)>,
}

impl Session {
    /// Takes up the session of a client, or begins one; whether there was one. A clean one begins anew.
    pub(super) async fn begin(
        keeper: &mut Keeper,
        client_id: &str,
        domain: &str,
        is_clean: bool,
    ) -> Result<(Self, bool), Trouble> {
        let hash = names::hash(client_id);
        let subject = names::session(domain, &hash);
        let stored = keeper
            .last_on(names::SESSIONS, &subject, "a session")
            .await?;
        let mut session = Self {
            client_id: client_id.to_owned(),
            hash,
            is_clean,
            subject,
            is_stored: stored.is_some(),
            is_unsaved: false,
            subscriptions: HashMap::new(),
            by_filter: HashMap::new(),
            filter_bytes: 0,
            consumers: 0,
            last_sid: 0,
            in_flight: InFlight::default(),
        };
        let Some(stored) = stored else {
            session.purge_leftovers(keeper).await?;
            return Ok((session, false));
        };
        let unusable = |why: &str| Trouble::Unusable(format!("the stored session {why}"));
        let record: Record =
            serde_json::from_slice(&stored.payload).map_err(|_| unusable("can't be read"))?;
        if record.id != client_id {
            return Err(unusable(
                "belongs to another client identifier of the same hash",
            ));
        }
        session.take_up(record);
        session.is_unsaved = false;
        if is_clean {
            session.clear(keeper).await?;
            return Ok((session, false));
        }
        session.find_released(keeper).await?;
        Ok((session, true))
    }

    /// Messages of QoS 2 half way belong to a session that has no record if the server was killed while a clean one was there.
    /// Under their packet identifiers they would be taken for those of the new one.
    async fn purge_leftovers(&self, keeper: &mut Keeper) -> Result<(), Trouble> {
        for (stream, filter) in self.half_way() {
            let what = "messages of QoS 2 half way";
            if keeper.holds_any(stream, &filter, what).await? {
                storage::purge(keeper, stream, &filter).await?;
            }
        }
        Ok(())
    }

    /// Where messages of QoS 2 wait, in and out.
    fn half_way(&self) -> [(&'static str, String); 2] {
        [
            (names::INCOMING, names::all_incoming(&self.hash)),
            (names::OUTGOING, names::all_released(&self.hash)),
        ]
    }

    fn take_up(&mut self, record: Record) {
        let Record {
            subs,
            mut cons,
            pending,
            ..
        } = record;
        for (filter, number) in subs {
            let (Ok(subjects), Some(qos)) = (filter_to_subjects(&filter), Qos::from_number(number))
            else {
                continue;
            };
            let mut subscription = Subscription::new(&filter, subjects, qos);
            subscription.consumer = cons.remove(&filter);
            self.insert(subscription);
        }
        let pending = pending.into_iter().filter(|(.., ack)| is_ack(ack));
        for (id, consumer, sequence, ack) in pending {
            let consumer = Arc::from(consumer);
            let source = Source { consumer, sequence };
            self.in_flight.restore_sent(id, source, &ack);
        }
    }

    /// Messages of QoS 2 that arrived and were not completed when the client left.
    async fn find_released(&mut self, keeper: &mut Keeper) -> Result<(), Trouble> {
        let filter = names::all_released(&self.hash);
        let mut from = 1;
        loop {
            let what = "messages to be completed";
            let (found, more) = keeper.batch(names::OUTGOING, &filter, from, what).await?;
            for message in &found {
                let sequence = message.header("Nats-Sequence");
                let sequence: Option<u64> = sequence.and_then(|text| text.parse().ok());
                let subject = message.header("Nats-Subject").unwrap_or_default();
                let id = subject.rsplit('.').next().and_then(|id| id.parse().ok());
                if let (Some(id), Some(sequence)) = (id, sequence) {
                    let Origin { source, ack } = Origin::read(&message.payload);
                    self.in_flight.restore_released(id, sequence, source);
                    // Its consumer may not have been told. Once it is completed nobody knows it again.
                    if let Some(ack) = ack {
                        keeper.publish(&ack, b"", b"+ACK");
                    }
                    from = sequence + 1;
                }
            }
            if !more || found.is_empty() {
                return Ok(());
            }
        }
    }

    /// Stores its record.
    pub(super) async fn save(&mut self, keeper: &mut Keeper) -> Result<(), Trouble> {
        self.store(keeper, Vec::new()).await
    }

    /// Stores its record with what is under way to the client, which leaves.
    pub(super) async fn save_for_return(&mut self, keeper: &mut Keeper) -> Result<(), Trouble> {
        let sent = self.in_flight.sent().into_iter();
        let pending = sent.map(|(id, source, ack)| {
            let ack = ack.unwrap_or_default().to_owned();
            (id, source.consumer.to_string(), source.sequence, ack)
        });
        let pending = pending.collect();
        self.store(keeper, pending).await
    }

    async fn store(
        &mut self,
        keeper: &mut Keeper,
        pending: Vec<(u16, String, u64, String)>,
    ) -> Result<(), Trouble> {
        let subs = self.subscriptions.values();
        let with_consumers = subs.clone().filter_map(|one| {
            let consumer = one.consumer.clone()?;
            Some((one.filter.clone(), consumer))
        });
        let record = Record {
            id: self.client_id.clone(),
            cons: with_consumers.collect(),
            subs: subs
                .map(|one| (one.filter.clone(), one.qos.number()))
                .collect(),
            pending,
        };
        let payload = serde_json::to_vec(&record)
            .map_err(|_| Trouble::Unusable("the session can't be written".to_owned()))?;
        self.is_stored = true;
        let stored = keeper.store(&self.subject, b"", &payload, "a session");
        stored.await?;
        self.is_unsaved = false;
        Ok(())
    }

    /// Deletes all that is stored of it, and forgets its subscriptions. Its record goes last: whatever stays before is found by it.
    pub(super) async fn clear(&mut self, keeper: &mut Keeper) -> Result<(), Trouble> {
        if !self.is_stored {
            return Ok(());
        }
        self.in_flight = InFlight::default();
        for (stream, filter) in self.half_way() {
            storage::purge(keeper, stream, &filter).await?;
        }
        let mut deleted = Ok(());
        self.by_filter.clear();
        (self.filter_bytes, self.consumers) = (0, 0);
        for (_, subscription) in self.subscriptions.drain() {
            if let Some(consumer) = &subscription.consumer {
                match storage::delete_consumer(keeper, consumer).await {
                    // One that is refused keeps no other one.
                    Err(trouble) if trouble.err_code().is_some() => deleted = Err(trouble),
                    other => other?,
                }
            }
        }
        deleted?;
        storage::purge(keeper, names::SESSIONS, &self.subject).await?;
        self.is_stored = false;
        Ok(())
    }

    /// Whether there may be one more subscription, to this filter.
    pub(super) fn has_room_for(&self, filter: &str) -> bool {
        self.subscriptions.len() < SUBSCRIPTIONS_MAX
            && self.filter_bytes + filter.len() <= FILTER_BYTES_MAX
    }

    /// Adds a subscription to a filter that has none; its sid.
    pub(super) fn insert(&mut self, subscription: Subscription) -> u64 {
        self.is_unsaved = true;
        self.last_sid += 1;
        self.filter_bytes += subscription.filter.len();
        self.consumers += usize::from(subscription.consumer.is_some());
        self.by_filter
            .insert(subscription.filter.clone(), self.last_sid);
        self.subscriptions.insert(self.last_sid, subscription);
        self.last_sid
    }

    /// The sid of the subscription to this very filter.
    pub(super) fn sid_of(&self, filter: &str) -> Option<u64> {
        self.by_filter.get(filter).copied()
    }

    /// Takes a subscription out.
    pub(super) fn remove(&mut self, sid: u64) -> Option<Subscription> {
        let subscription = self.subscriptions.remove(&sid)?;
        self.is_unsaved = true;
        self.by_filter.remove(&subscription.filter);
        self.filter_bytes -= subscription.filter.len();
        self.consumers -= usize::from(subscription.consumer.is_some());
        Some(subscription)
    }

    /// This one delivers for a subscription from now on.
    pub(super) fn set_consumer(&mut self, sid: u64, consumer: Consumer) {
        if let Some(subscription) = self.subscriptions.get_mut(&sid) {
            self.is_unsaved = true;
            let before = subscription.consumer.replace(consumer);
            self.consumers += usize::from(before.is_none());
        }
    }

    /// Takes from a subscription what delivers for it.
    pub(super) fn take_consumer(&mut self, sid: u64) -> Option<Consumer> {
        let taken = self.subscriptions.get_mut(&sid)?.consumer.take()?;
        self.consumers -= 1;
        self.is_unsaved = true;
        Some(taken)
    }

    /// Subscriptions that consumers deliver for.
    pub(super) fn consumers(&self) -> usize {
        self.consumers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session {
            client_id: "me".to_owned(),
            hash: names::hash("me"),
            is_clean: true,
            subject: names::session("", "me"),
            is_stored: false,
            is_unsaved: false,
            subscriptions: HashMap::new(),
            by_filter: HashMap::new(),
            filter_bytes: 0,
            consumers: 0,
            last_sid: 0,
            in_flight: InFlight::default(),
        }
    }

    fn subscription(filter: &str) -> Subscription {
        let subjects = filter_to_subjects(filter).unwrap();
        Subscription::new(filter, subjects, Qos::AtLeastOnce)
    }

    fn consumer(name: &str) -> Consumer {
        Consumer {
            durable: name.to_owned(),
            delivery: names::delivery(name),
        }
    }

    #[test]
    fn subscriptions_are_bounded_by_count_and_by_bytes() {
        let mut many = session();
        for number in 0..SUBSCRIPTIONS_MAX {
            assert!(many.has_room_for("a"));
            many.insert(subscription(&number.to_string()));
        }
        assert!(!many.has_room_for("a"));
        assert!(many.remove(1).is_some());
        assert!(many.has_room_for("a"));
        let mut large = session();
        let filter = "a".repeat(FILTER_BYTES_MAX - 1);
        large.insert(subscription(&filter));
        assert!(large.has_room_for("b") && !large.has_room_for("bb"));
    }

    #[test]
    fn consumers_are_counted_however_they_come_and_go() {
        let mut session = session();
        let one = session.insert(subscription("a"));
        session.set_consumer(one, consumer("1"));
        session.set_consumer(one, consumer("2"));
        let mut kept = subscription("b");
        kept.consumer = Some(consumer("3"));
        let two = session.insert(kept);
        session.set_consumer(99, consumer("4"));
        assert_eq!(session.consumers(), 2);
        assert_eq!(session.take_consumer(one), Some(consumer("2")));
        assert_eq!(session.take_consumer(one), None);
        session.remove(two);
        session.remove(one);
        assert_eq!(session.consumers(), 0);
    }

    #[test]
    fn records_are_stored_as_they_always_were() {
        let record = Record {
            id: "me".to_owned(),
            subs: [("a/#".to_owned(), 2)].into(),
            cons: [(
                "a/#".to_owned(),
                Consumer {
                    durable: "h_t".to_owned(),
                    delivery: "$MQTT.sub.t".to_owned(),
                },
            )]
            .into(),
            pending: vec![(5, "h_t".to_owned(), 7, "ack".to_owned())],
        };
        let text = r##"{"id":"me","subs":{"a/#":2},"cons":{"a/#":{"durable_name":"h_t","deliver_subject":"$MQTT.sub.t"}},"pending":[[5,"h_t",7,"ack"]]}"##;
        assert_eq!(serde_json::to_string(&record).unwrap(), text);
        let least: Record = serde_json::from_str(r#"{"id":"me"}"#).unwrap();
        assert!(least.subs.is_empty() && least.cons.is_empty() && least.pending.is_empty());
    }
}
