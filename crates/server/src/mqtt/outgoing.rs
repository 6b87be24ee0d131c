//! Messages on their way to the client, and what it says of them.

use recado_mqtt::{Publish, Qos, Source, State, push_publish, push_pubrel, subject_to_topic};
use recado_wire::{Headers, ServerFrame};

use super::incoming::{Answer, Unanswered};
use super::keeper::{Arrived, Trouble};
use super::names;
use super::origin::Origin;
use super::peer::{End, Peer};
use super::session::{Session, Subscription};
use super::storage::Consumer;
use crate::engine::{Connection, Engine};

/// Packet identifiers that there are.
const IDENTIFIERS: usize = 65_535;
/// Bytes of retained messages that wait for the client, above which no more are read.
const RETAINED_BYTES_MAX: usize = 1024 * 1024;

/// Takes a message that the engine delivers, which has QoS 0: what the account keeps for subscriptions with more comes to those
/// from their consumers.
pub(super) fn deliver(
    frame: ServerFrame<'_>,
    session: &Session,
    connection: &Connection,
    engine: &Engine,
    out: &mut Vec<u8>,
) {
    let ServerFrame::Message {
        subject,
        sid,
        headers,
        payload,
        ..
    } = frame
    else {
        return;
    };
    let (Ok(subject), Some(sid)) = (std::str::from_utf8(subject), number_of(sid)) else {
        return;
    };
    // Two subjects a subscription.
    let Some(subscription) = session.subscriptions.get(&(sid / 2)) else {
        return;
    };
    if !subscription.is_for(subject) {
        return;
    }
    let account = connection.account();
    let seal = || engine.mqtt_sessions.seal(&account.name, subject);
    if comes_from_a_consumer(subscription, headers, seal) {
        return;
    }
    let message = Publish {
        topic: &subject_to_topic(subject),
        payload,
        qos: Qos::AtMostOnce,
        dup: false,
        retain: false,
        id: 0,
    };
    if !push_publish(out, &message) {
        tracing::warn!(cid = connection.id, subject = %crate::visible::visible(subject), "a message does not fit in a packet of MQTT: its client did not get it");
    }
}

/// Whether a message comes to a subscription from its consumer, too. One that is still being made counts: what it delivers is
/// what is stored from then on, and what the engine delivers meanwhile may be stored later.
fn comes_from_a_consumer(
    subscription: &Subscription,
    headers: &[u8],
    seal: impl FnOnce() -> String,
) -> bool {
    if subscription.qos == Qos::AtMostOnce || headers.is_empty() {
        return false;
    }
    let kept = Headers::new(headers).get(names::KEPT_HEADER);
    kept.is_some_and(|kept| kept == seal())
}

fn number_of(sid: &[u8]) -> Option<u64> {
    std::str::from_utf8(sid).ok()?.parse().ok()
}

impl Peer {
    /// Something came from the streams: an answer, or a message of a consumer.
    pub(super) fn kept(&mut self, arrived: Arrived) -> Result<(), End> {
        match arrived.number {
            Some(number) => self.answered(number, &arrived),
            None => {
                self.deliver_kept(&arrived);
                Ok(())
            }
        }
    }

    /// A message of a consumer.
    fn deliver_kept(&mut self, arrived: &Arrived) {
        let stored = arrived.subject.strip_prefix(names::MESSAGES_PREFIX);
        let subscription = self.session.subscriptions.get(&arrived.sid);
        let (Some(subject), Some(subscription)) = (stored, subscription) else {
            return;
        };
        let Some(consumer) = subscription.consumer() else {
            return;
        };
        let published = arrived
            .header(names::QOS_HEADER)
            .and_then(|text| text.bytes().next())
            .and_then(|digit| Qos::from_number(digit.wrapping_sub(b'0')));
        let qos = subscription.qos.min(published.unwrap_or(Qos::AtLeastOnce));
        let standing = self.user.connection.standing();
        let permissions = standing.permissions();
        let is_allowed = permissions.is_none_or(|may| may.may_deliver(subject.as_bytes(), None));
        if !subscription.is_for(subject) || !is_allowed || qos == Qos::AtMostOnce {
            return self.keeper.publish(&arrived.reply, b"", b"+ACK");
        }
        let Some((deliveries, source)) = delivery_of(&arrived.reply, consumer) else {
            return;
        };
        if self.session.in_flight.has_arrived(&source) {
            return self.keeper.publish(&arrived.reply, b"", b"+ACK");
        }
        // It arrived already, or there is no identifier left: it comes again, if it has to. Its consumer sees that there are not too
        // many.
        let in_flight = &mut self.session.in_flight;
        let Some(given) = in_flight.give(source, &arrived.reply, IDENTIFIERS) else {
            return;
        };
        let message = Publish {
            topic: &subject_to_topic(subject),
            payload: &arrived.payload,
            qos,
            dup: given.again || deliveries > 1,
            retain: false,
            id: given.id,
        };
        if !push_publish(&mut self.out, &message) {
            // It never will.
            self.session.in_flight.acknowledged(given.id);
            self.keeper.publish(&arrived.reply, b"", b"+TERM");
        }
    }

    /// What was delivered for the client and was not sent to it is kept as if it had been: the stream hears of it when the client
    /// comes back.
    pub(super) async fn note_undelivered(&mut self) -> Result<(), Trouble> {
        let all = self.session.subscriptions.iter();
        let served = all.filter_map(|(sid, subscription)| {
            Some((*sid, subscription.consumer()?.durable.clone()))
        });
        for (sid, reply) in self.keeper.end_deliveries(served).await? {
            let subscription = self.session.subscriptions.get(&sid);
            let consumer = subscription.and_then(Subscription::consumer);
            let source = consumer.and_then(|consumer| delivery_of(&reply, consumer));
            let in_flight = &mut self.session.in_flight;
            if let Some((_, source)) = source
                && !in_flight.has_arrived(&source)
            {
                // Without an identifier it comes when `ack_wait` is over.
                let _ = in_flight.give(source, &reply, IDENTIFIERS);
            }
        }
        Ok(())
    }

    /// Messages that all consumers of the client together leave unacknowledged.
    fn in_flight_max(&self) -> usize {
        self.session.consumers() * usize::from(self.options.max_ack_pending)
    }

    /// PUBACK.
    pub(super) fn acknowledged(&mut self, id: u16) {
        if let Some(reply) = self.session.in_flight.acknowledged(id) {
            self.keeper.publish(&reply, b"", b"+ACK");
        }
    }

    /// PUBREC: that the message arrived is stored before the client may forget it, with what its consumer is to be told: the
    /// client may be gone before that happens.
    pub(super) fn received(&mut self, id: u16) {
        if self.session.in_flight.received(id) {
            self.session.is_stored = true;
            let subject = names::released(&self.session.hash, id);
            let from = match self.session.in_flight.state(id) {
                Some(State::Receiving { source, ack }) => {
                    Origin::of(source.as_ref(), ack.as_deref())
                }
                _ => Origin::default(),
            };
            let number = self.keeper.ask(&subject, b"", from.to_text().as_bytes());
            let answer = Answer::Release(id);
            return self
                .unanswered
                .push_back(Unanswered::new(answer, [number], 0));
        }
        match self.session.in_flight.state(id) {
            // The answer follows when it is stored.
            Some(State::Receiving { .. }) => {}
            _ => push_pubrel(&mut self.out, id),
        }
    }

    /// That the message arrived is stored under this sequence.
    pub(super) fn released(&mut self, id: u16, sequence: u64) {
        let most = self.in_flight_max();
        let in_flight = &mut self.session.in_flight;
        if let Some(reply) = in_flight.released(id, sequence, most) {
            self.keeper.publish(&reply, b"", b"+ACK");
        }
        push_pubrel(&mut self.out, id);
    }

    /// PUBCOMP: the identifier is free when nothing is stored under it any more.
    pub(super) fn completed(&mut self, id: u16) {
        let Some(sequence) = self.session.in_flight.completed(id) else {
            return;
        };
        let request = format!(r#"{{"seq":{sequence},"no_erase":true}}"#);
        let call = format!("STREAM.MSG.DELETE.{}", names::OUTGOING);
        let number = self.keeper.ask_api(&call, request.as_bytes());
        let answer = Answer::Forget(id);
        self.unanswered
            .push_back(Unanswered::new(answer, [number], 0));
    }

    /// Sends the retained messages that a new subscription is for.
    pub(super) async fn send_retained(&mut self, sid: u64) -> Result<(), End> {
        let Some(subscription) = self.session.subscriptions.get(&sid) else {
            return Ok(());
        };
        let subjects = subscription.subjects.clone();
        for filter in subjects.parent.iter().chain([&subjects.filter]) {
            let filter = format!("{}{filter}", names::RETAINED_PREFIX);
            let mut from = 1;
            loop {
                let what = "retained messages";
                let (found, more) = self
                    .keeper
                    .batch(names::RETAINED, &filter, from, what)
                    .await?;
                for message in &found {
                    from = sequence_of(message)? + 1;
                    self.send_one_retained(sid, message);
                }
                self.flush().await?;
                // Not more than the client takes.
                self.client_drained_to(RETAINED_BYTES_MAX).await?;
                if !more || found.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn send_one_retained(&mut self, sid: u64, stored: &Arrived) {
        let subject = stored.header("Nats-Subject").unwrap_or_default();
        let Some(subject) = subject.strip_prefix(names::RETAINED_PREFIX) else {
            return;
        };
        let Some(subscription) = self.session.subscriptions.get(&sid) else {
            return;
        };
        let standing = self.user.connection.standing();
        let permissions = standing.permissions();
        let is_allowed = permissions.is_none_or(|may| may.may_deliver(subject.as_bytes(), None));
        if stored.payload.is_empty() || !subscription.is_for(subject) || !is_allowed {
            return;
        }
        let flags = stored.header(names::RETAINED_FLAGS_HEADER);
        let flags = flags.and_then(|text| u8::from_str_radix(text, 16).ok());
        let published = Qos::from_number((flags.unwrap_or_default() >> 1) & 3);
        let mut qos = subscription.qos.min(published.unwrap_or(Qos::AtMostOnce));
        let mut id = 0;
        if qos != Qos::AtMostOnce {
            let most = usize::from(self.options.max_ack_pending);
            match self.session.in_flight.give_retained(most) {
                Some(given) => id = given,
                // So many are under way already: better once at most than not at all.
                None => qos = Qos::AtMostOnce,
            }
        }
        let message = Publish {
            topic: &subject_to_topic(subject),
            payload: &stored.payload,
            qos,
            dup: false,
            retain: true,
            id,
        };
        if !push_publish(&mut self.out, &message) {
            self.session.in_flight.forget(id);
        }
    }
}

/// How often a message of a consumer was delivered, and where it is from:
/// `$JS.ACK[.DOMAIN.HASH].STREAM.CONSUMER.DELIVERIES.SEQUENCE…`
fn delivery_of(reply: &str, consumer: &Consumer) -> Option<(u64, Source)> {
    let tokens: Vec<&str> = reply.split('.').collect();
    let at = match tokens.len() {
        9 => 4,
        11.. => 6,
        _ => return None,
    };
    let number = |at: usize| tokens.get(at)?.parse().ok();
    let source = Source {
        consumer: consumer.durable.as_str().into(),
        sequence: number(at + 1)?,
    };
    Some((number(at)?, source))
}

/// The sequence of a message as it is stored.
pub(super) fn sequence_of(message: &Arrived) -> Result<u64, Trouble> {
    let sequence = message.header("Nats-Sequence");
    sequence
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Trouble::Unusable("a stored message has no sequence".to_owned()))
}

#[cfg(test)]
mod tests {
    use recado_mqtt::filter_to_subjects;

    use super::*;

    #[test]
    fn what_is_kept_comes_once_also_while_a_consumer_is_being_made() {
        let sealed = b"NATS/1.0\r\nNmqtt-Pub:1\r\nNmqtt-Kept:seal\r\n\r\n";
        let comes_twice = |qos, headers: &[u8], seal: &str| {
            let subjects = filter_to_subjects("a").unwrap();
            let subscription = Subscription::new("a", subjects, qos);
            assert!(subscription.consumer().is_none());
            comes_from_a_consumer(&subscription, headers, || seal.to_owned())
        };
        assert!(comes_twice(Qos::AtLeastOnce, sealed, "seal"));
        assert!(comes_twice(Qos::ExactlyOnce, sealed, "seal"));
        assert!(!comes_twice(Qos::AtMostOnce, sealed, "seal"));
        assert!(!comes_twice(Qos::AtLeastOnce, sealed, "another"));
        assert!(!comes_twice(Qos::AtLeastOnce, b"", "seal"));
    }

    #[test]
    fn where_a_message_is_acknowledged_says_how_often_it_was_delivered() {
        let consumer = Consumer {
            durable: "C".to_owned(),
            delivery: String::new(),
        };
        let found = |reply| {
            let (deliveries, source) = delivery_of(reply, &consumer)?;
            assert_eq!(&*source.consumer, "C");
            Some((deliveries, source.sequence))
        };
        assert_eq!(found("$JS.ACK.S.C.2.7.1.123.0"), Some((2, 7)));
        assert_eq!(found("$JS.ACK.D.H.S.C.2.7.1.123.0"), Some((2, 7)));
        assert_eq!(found("$JS.ACK.D.H.S.C.2.7.1.123.0.x"), Some((2, 7)));
        assert_eq!(found("_INBOX.x"), None);
    }
}
