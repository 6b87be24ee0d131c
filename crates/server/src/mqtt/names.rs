//! What the streams, subjects and consumers are called that messages and sessions are kept in: nats-server's names, so that
//! its users find what they know. Never change: they are stored.

use sha2::{Digest, Sha256};

/// Sessions, a record each.
pub(super) const SESSIONS: &str = "$MQTT_sess";
/// Messages of QoS 1 and 2 on their way to subscriptions.
pub(super) const MESSAGES: &str = "$MQTT_msgs";
/// Retained messages, one a subject.
pub(super) const RETAINED: &str = "$MQTT_rmsgs";
/// Messages of QoS 2 whose publisher has not released them.
pub(super) const INCOMING: &str = "$MQTT_qos2in";
/// Messages of QoS 2 that arrived and are to be completed.
pub(super) const OUTGOING: &str = "$MQTT_out";

/// Subjects begin with this, and then with what follows.
pub(super) const MESSAGES_PREFIX: &str = "$MQTT.msgs.";
pub(super) const RETAINED_PREFIX: &str = "$MQTT.rmsgs.";
pub(super) const INCOMING_PREFIX: &str = "$MQTT.qos2.in.";
pub(super) const OUTGOING_PREFIX: &str = "$MQTT.out.";
pub(super) const SESSIONS_PREFIX: &str = "$MQTT.sess.";
const RELEASED_PREFIX: &str = "$MQTT.out.pubrel.";
const DELIVERY_PREFIX: &str = "$MQTT.sub.";
const REPLIES_PREFIX: &str = "$MQTT.JSA.";

/// Headers of stored messages: the QoS, and what else is to be known of them.
pub(super) const QOS_HEADER: &str = "Nmqtt-Pub";
pub(super) const SUBJECT_HEADER: &str = "Nmqtt-Subject";
pub(super) const RETAINED_TOPIC_HEADER: &str = "Nmqtt-RTopic";
pub(super) const RETAINED_FLAGS_HEADER: &str = "Nmqtt-RFlags";
pub(super) const RETAINED_SOURCE_HEADER: &str = "Nmqtt-RSource";
/// Says that the account keeps the message for its subscriptions with QoS 1 and 2. Our own.
pub(super) const KEPT_HEADER: &str = "Nmqtt-Kept";

/// Letters of a hash.
const HASH_LETTERS: usize = 8;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A client identifier as a token.
pub(super) fn hash(client_id: &str) -> String {
    let digest = Sha256::digest(client_id.as_bytes());
    letters(digest.iter().take(HASH_LETTERS).copied())
}

/// A token that nobody else makes up.
pub(super) fn unique() -> String {
    let random: [u8; 22] = rand::random();
    letters(random.into_iter())
}

fn letters(bytes: impl Iterator<Item = u8>) -> String {
    bytes
        .map(|byte| char::from(DIGITS[usize::from(byte) % DIGITS.len()]))
        .collect()
}

/// Where a session's record is. `domain` ends with a dot if there is one.
pub(super) fn session(domain: &str, hash: &str) -> String {
    format!("{SESSIONS_PREFIX}{domain}{hash}")
}

/// Where messages of a client's QoS 2 wait.
pub(super) fn incoming(hash: &str, id: u16) -> String {
    format!("{INCOMING_PREFIX}{hash}.{id}")
}

/// All of one client.
pub(super) fn all_incoming(hash: &str) -> String {
    format!("{INCOMING_PREFIX}{hash}.>")
}

/// Where it is kept that a message of QoS 2 arrived at a client.
pub(super) fn released(hash: &str, id: u16) -> String {
    format!("{RELEASED_PREFIX}{hash}.{id}")
}

/// All of one client.
pub(super) fn all_released(hash: &str) -> String {
    format!("{RELEASED_PREFIX}{hash}.>")
}

/// Where a consumer delivers to.
pub(super) fn delivery(token: &str) -> String {
    format!("{DELIVERY_PREFIX}{token}")
}

/// Where answers of the streams' API go; a number follows.
pub(super) fn replies(token: &str) -> String {
    format!("{REPLIES_PREFIX}{token}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_stored_stay_as_they_are() {
        assert_eq!(hash("me"), "d6INCtp3");
        assert_eq!(session("", "abc"), "$MQTT.sess.abc");
        assert_eq!(session("hub.", "abc"), "$MQTT.sess.hub.abc");
        assert_eq!(incoming("abc", 7), "$MQTT.qos2.in.abc.7");
        assert_eq!(released("abc", 7), "$MQTT.out.pubrel.abc.7");
        assert_eq!(delivery("x"), "$MQTT.sub.x");
        assert_eq!(unique().len(), 22);
    }
}
