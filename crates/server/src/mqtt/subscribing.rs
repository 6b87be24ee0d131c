//! SUBSCRIBE and UNSUBSCRIBE: subscriptions of the engine for what is published now, and consumers for QoS 1 and 2.

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::Arc;

use recado_mqtt::{Filter, Qos, Subjects, filter_to_subjects, push_suback, push_unsuback};

use super::keeper::Trouble;
use super::names;
use super::outgoing;
use super::peer::{End, LINE_ROOM, Peer};
use super::session::{FILTER_BYTES_MAX, SUBSCRIPTIONS_MAX, Subscription};
use super::storage::{self, Consumer, Progress, Wanted};
use super::user::User;

/// Messages that all subscriptions of a client together may leave unacknowledged: there are no more packet identifiers.
const ACK_PENDING_MAX: usize = 65_535;
/// Subjects that consumers deliver to: nobody subscribes to them as a topic.
const DELIVERIES: &str = "$MQTT.sub.";
/// Refused subscriptions of one client that are told in the log.
const REFUSALS_TOLD: u32 = 10;
/// Characters of a topic filter that are told.
const SHOWN_MAX: usize = 256;
/// Topic filters that are handled at once, before others get their turn: one packet may have a hundred thousand.
const FILTERS_A_TURN: usize = 64;
/// Bytes for the engine that are written at once.
const SAID_BYTES_MAX: usize = 64 * 1024;

impl Peer {
    /// SUBSCRIBE.
    pub(super) async fn subscribe(&mut self, id: u16, filters: &[Filter<'_>]) -> Result<(), End> {
        self.refresh_options();
        let mut asked = Vec::with_capacity(filters.len());
        for (done, filter) in filters.iter().enumerate() {
            let_others(done).await;
            asked.push(self.note(filter).await?);
        }
        // One that is named again and again is served once.
        let mut named = HashSet::new();
        let sids: Vec<u64> = asked.iter().flatten().copied().collect();
        let sids: Vec<u64> = sids.into_iter().filter(|sid| named.insert(*sid)).collect();
        self.serve_subscriptions(&sids).await?;
        if !self.session.is_clean {
            self.session.save(&mut self.keeper).await?;
        }
        let granted: Vec<Option<Qos>> = asked
            .iter()
            .map(|sid| Some(self.session.subscriptions.get(&(*sid)?)?.qos))
            .collect();
        push_suback(&mut self.out, id, &granted);
        for sid in sids {
            self.send_retained(sid).await?;
        }
        Ok(())
    }

    /// A subscription is refused. A few are told in the log; who goes on is known by then.
    fn note_refused(&mut self, why: impl Display) {
        self.refused = self.refused.saturating_add(1);
        if self.refused <= REFUSALS_TOLD {
            let cid = self.user.connection.id;
            tracing::error!(cid, "MQTT subscription refused: {why}");
        }
    }

    /// Notes a subscription, new or changed; its sid. `None`: there can be none.
    async fn note(&mut self, filter: &Filter<'_>) -> Result<Option<u64>, End> {
        let subjects = match filter_to_subjects(filter.topic) {
            Ok(subjects) => subjects,
            Err(why) => {
                let shown: String = filter.topic.chars().take(SHOWN_MAX).collect();
                let filter = crate::visible::visible(&shown);
                self.note_refused(format_args!("{why} (topic filter {filter})"));
                return Ok(None);
            }
        };
        let most = self.engine.manner().session.parse.max_control_line;
        if subjects.filter.len() + LINE_ROOM > most || subjects.filter.starts_with(DELIVERIES) {
            self.note_refused(
                "its topic filter is longer than max_control_line allows, or for the server alone",
            );
            return Ok(None);
        }
        let qos = match filter.qos {
            Qos::ExactlyOnce if self.options.downgrade_qos2_subscribe => Qos::AtLeastOnce,
            qos => qos,
        };
        let Some(sid) = self.session.sid_of(filter.topic) else {
            if !self.session.has_room_for(filter.topic) {
                self.note_refused(format_args!("a client may have {SUBSCRIPTIONS_MAX} subscriptions, and {FILTER_BYTES_MAX} bytes of topic filters; have it subscribe to fewer, with wildcards"));
                return Ok(None);
            }
            let subscription = Subscription::new(filter.topic, subjects, qos);
            return Ok(Some(self.session.insert(subscription)));
        };
        if qos == Qos::AtMostOnce {
            self.end_consumer(sid).await?;
        }
        if let Some(subscription) = self.session.subscriptions.get_mut(&sid) {
            subscription.qos = qos;
        }
        Ok(Some(sid))
    }

    /// Has the engine and the streams serve these subscriptions. Those that are not allowed are gone then.
    pub(super) async fn serve_subscriptions(&mut self, sids: &[u64]) -> Result<(), End> {
        for (done, sid) in sids.iter().enumerate() {
            let_others(done).await;
            let Some(subscription) = self.session.subscriptions.get(sid) else {
                continue;
            };
            let subjects = &subscription.subjects;
            self.user
                .say(&format!("SUB {} {}\r\n", subjects.filter, sid * 2));
            if let Some(parent) = &subjects.parent {
                self.user.say(&format!("SUB {parent} {}\r\n", sid * 2 + 1));
            }
            if self.user.out.len() > SAID_BYTES_MAX {
                self.user.flush().await?;
            }
        }
        self.settle().await?;
        self.drop_refused(sids).await?;
        for sid in sids {
            self.serve_consumer(*sid).await?;
        }
        Ok(())
    }

    /// Waits until the engine did what was said.
    pub(super) async fn settle(&mut self) -> Result<(), End> {
        self.flush().await?;
        self.user.say("PING\r\n");
        let Self {
            user,
            session,
            engine,
            out,
            ..
        } = self;
        let connection = Arc::clone(&user.connection);
        let settled = User::settle(user, |frame| {
            outgoing::deliver(frame, session, &connection, engine, out);
        });
        settled.await?;
        Ok(())
    }

    /// Whether the engine holds all that a subscription needs.
    fn is_held(&self, sid: u64, subscription: &Subscription) -> bool {
        let held = self.user.connection.subscriptions.lock();
        let holds = |sid: u64| held.get(sid.to_string().as_bytes()).is_some();
        holds(sid * 2) && (subscription.subjects.parent.is_none() || holds(sid * 2 + 1))
    }

    /// Forgets those of these that the engine does not hold: it refused them, or took them back.
    async fn drop_refused(&mut self, sids: &[u64]) -> Result<bool, End> {
        self.user.heard.errors.clear();
        let mut any = false;
        for (done, sid) in sids.iter().enumerate() {
            let_others(done).await;
            let subscription = self.session.subscriptions.get(sid);
            if subscription.is_some_and(|one| !self.is_held(*sid, one)) {
                self.end_subscription(*sid).await?;
                any = true;
            }
        }
        Ok(any)
    }

    /// The engine refused something. A subscription that it took back after a reload ends here, too.
    pub(super) async fn heed_refusals(&mut self) -> Result<(), End> {
        let errors = &self.user.heard.errors;
        let is_about_subscriptions = errors.iter().any(|error| error.contains("Subscription"));
        if !is_about_subscriptions {
            self.user.heard.errors.clear();
            return Ok(());
        }
        let sids: Vec<u64> = self.session.subscriptions.keys().copied().collect();
        if self.drop_refused(&sids).await? && !self.session.is_clean {
            self.session.save(&mut self.keeper).await?;
        }
        Ok(())
    }

    /// Has a consumer deliver for a subscription with QoS 1 or 2. Where there can be none, the subscription ends.
    async fn serve_consumer(&mut self, sid: u64) -> Result<(), End> {
        let Some(subscription) = self.session.subscriptions.get(&sid) else {
            return Ok(());
        };
        if subscription.qos == Qos::AtMostOnce {
            return Ok(());
        }
        let known = subscription.consumer().cloned();
        let many = self.session.consumers() + usize::from(known.is_none());
        if many * usize::from(self.options.max_ack_pending) > ACK_PENDING_MAX {
            let most = self.options.max_ack_pending;
            self.note_refused(format_args!("all subscriptions with QoS 1 and 2 of a client may leave {ACK_PENDING_MAX} messages unacknowledged, each of them {most}; lower max_ack_pending, or have the client subscribe to fewer topic filters"));
            return self.end_subscription(sid).await;
        }
        let subjects = subscription.subjects.clone();
        let Some(known) = known else {
            if let Err(trouble) = self.make_consumer(sid, &subjects).await? {
                self.note_refused(&trouble);
                self.end_subscription(sid).await?;
            }
            return Ok(());
        };
        if !self.take_up_consumer(sid, &known, &subjects).await? {
            // The client was told that it is subscribed: without a consumer it can't be served.
            self.make_consumer(sid, &subjects).await??;
        }
        Ok(())
    }

    /// Has the consumer deliver that a subscription has; whether it is still there.
    async fn take_up_consumer(
        &mut self,
        sid: u64,
        consumer: &Consumer,
        subjects: &Subjects,
    ) -> Result<bool, End> {
        self.keeper.subscribe(&consumer.delivery, sid);
        let wanted = Wanted {
            subjects,
            options: &self.options,
            keeps_session: !self.session.is_clean,
        };
        let found = storage::take_up_consumer(&mut self.keeper, consumer, &wanted).await?;
        let Consumer { durable, .. } = consumer;
        let Some(Progress { floor, waits_for }) = found else {
            let cid = self.user.connection.id;
            tracing::warn!(cid, %durable, "a consumer of an MQTT session is gone, with what it kept for its client: another one is made");
            self.keeper.unsubscribe(sid);
            self.session.take_consumer(sid);
            self.session.in_flight.forget_consumer(durable);
            return Ok(false);
        };
        let in_flight = &mut self.session.in_flight;
        in_flight.reconcile(durable, floor, waits_for);
        Ok(true)
    }

    /// Makes a consumer for a subscription that has none. Its name is new: what one before it delivered is not confused with
    /// what this one does. The inner error: the streams refuse it.
    async fn make_consumer(
        &mut self,
        sid: u64,
        subjects: &Subjects,
    ) -> Result<Result<(), Trouble>, End> {
        let token = names::unique();
        let consumer = Consumer {
            durable: format!("{}_{token}", self.session.hash),
            delivery: names::delivery(&token),
        };
        let options = Arc::clone(&self.options);
        let wanted = Wanted {
            subjects,
            options: &options,
            keeps_session: !self.session.is_clean,
        };
        self.session.is_stored = true;
        // Before it is made, or its first message would find nobody.
        self.keeper.subscribe(&consumer.delivery, sid);
        let mut made = storage::make_consumer(&mut self.keeper, &consumer, &wanted).await;
        if made.as_ref().is_err_and(storage::is_without_stream) {
            self.make_streams().await?;
            made = storage::make_consumer(&mut self.keeper, &consumer, &wanted).await;
        }
        match made {
            Ok(()) => self.session.set_consumer(sid, consumer),
            Err(trouble) if trouble.err_code().is_some() => {
                self.keeper.unsubscribe(sid);
                return Ok(Err(trouble));
            }
            Err(trouble) => return Err(trouble.into()),
        }
        Ok(Ok(()))
    }

    /// Makes the streams again: somebody deleted one.
    async fn make_streams(&mut self) -> Result<(), End> {
        let account = Arc::clone(&self.user.connection.account().name);
        self.engine.mqtt_sessions.set_ready(&account, false);
        let domain = self.engine.manner().mqtt_domain.clone();
        storage::ensure_streams(&mut self.keeper, &domain).await?;
        self.engine.mqtt_sessions.set_ready(&account, true);
        Ok(())
    }

    /// UNSUBSCRIBE.
    pub(super) async fn unsubscribe(&mut self, id: u16, filters: &[&str]) -> Result<(), End> {
        for (done, filter) in filters.iter().enumerate() {
            let_others(done).await;
            if let Some(sid) = self.session.sid_of(filter) {
                self.end_subscription(sid).await?;
            }
        }
        if !self.session.is_clean {
            self.session.save(&mut self.keeper).await?;
        }
        push_unsuback(&mut self.out, id);
        Ok(())
    }

    async fn end_subscription(&mut self, sid: u64) -> Result<(), End> {
        self.end_consumer(sid).await?;
        if self.session.remove(sid).is_some() {
            let lines = format!("UNSUB {}\r\nUNSUB {}\r\n", sid * 2, sid * 2 + 1);
            self.user.say(&lines);
        }
        Ok(())
    }

    /// Deletes the consumer of a subscription, if it has one.
    async fn end_consumer(&mut self, sid: u64) -> Result<(), End> {
        let Some(consumer) = self.session.take_consumer(sid) else {
            return Ok(());
        };
        self.keeper.unsubscribe(sid);
        self.session.in_flight.forget_consumer(&consumer.durable);
        storage::delete_consumer(&mut self.keeper, &consumer).await?;
        Ok(())
    }
}

/// Lets others have their turn, after some of many.
async fn let_others(done: usize) {
    if done > 0 && done.is_multiple_of(FILTERS_A_TURN) {
        tokio::task::yield_now().await;
    }
}
