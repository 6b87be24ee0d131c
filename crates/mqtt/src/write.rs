//! Packets that the server sends.

use crate::Qos;
use crate::fault::ReturnCode;
use crate::packet::Publish;

/// First bytes of packets: type and flags.
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;
const PUBREL: u8 = 0x62;
const PUBCOMP: u8 = 0x70;
const SUBACK: u8 = 0x90;
const UNSUBACK: u8 = 0xb0;
const PINGRESP: u8 = 0xd0;

/// In SUBACK: this filter was refused.
const REFUSED: u8 = 0x80;
/// Longest that may be behind the fixed header.
const REMAINING_MAX: usize = 0x0fff_ffff;

/// Answers CONNECT. A session is only present where it was accepted.
pub fn push_connack(out: &mut Vec<u8>, session_present: bool, code: ReturnCode) {
    let present = session_present && code == ReturnCode::Accepted;
    out.extend_from_slice(&[CONNACK, 2, u8::from(present), code as u8]);
}

/// Appends a message; whether it fits in a packet. Nothing is appended if not.
#[must_use]
pub fn push_publish(out: &mut Vec<u8>, message: &Publish<'_>) -> bool {
    let Publish { topic, payload, .. } = message;
    let Ok(topic_length) = u16::try_from(topic.len()) else {
        return false;
    };
    let has_id = message.qos != Qos::AtMostOnce;
    let length = 2 + topic.len() + 2 * usize::from(has_id) + payload.len();
    if length > REMAINING_MAX {
        return false;
    }
    let flags = u8::from(message.dup) << 3 | message.qos.number() << 1 | u8::from(message.retain);
    out.reserve(5 + length);
    out.push(PUBLISH | flags);
    push_length(out, length);
    out.extend_from_slice(&topic_length.to_be_bytes());
    out.extend_from_slice(topic.as_bytes());
    if has_id {
        out.extend_from_slice(&message.id.to_be_bytes());
    }
    out.extend_from_slice(payload);
    true
}

/// A message of QoS 1 is stored.
pub fn push_puback(out: &mut Vec<u8>, id: u16) {
    push_id(out, PUBACK, id);
}

/// A message of QoS 2 is stored.
pub fn push_pubrec(out: &mut Vec<u8>, id: u16) {
    push_id(out, PUBREC, id);
}

/// It is known that a message of QoS 2 arrived.
pub fn push_pubrel(out: &mut Vec<u8>, id: u16) {
    push_id(out, PUBREL, id);
}

/// A message of QoS 2 is done with.
pub fn push_pubcomp(out: &mut Vec<u8>, id: u16) {
    push_id(out, PUBCOMP, id);
}

/// Answers SUBSCRIBE: how surely each filter is served; `None`: it is refused.
pub fn push_suback(out: &mut Vec<u8>, id: u16, granted: &[Option<Qos>]) {
    out.push(SUBACK);
    push_length(out, 2 + granted.len());
    out.extend_from_slice(&id.to_be_bytes());
    out.extend(granted.iter().map(|qos| qos.map_or(REFUSED, Qos::number)));
}

/// Answers UNSUBSCRIBE.
pub fn push_unsuback(out: &mut Vec<u8>, id: u16) {
    push_id(out, UNSUBACK, id);
}

/// Answers PINGREQ.
pub fn push_pingresp(out: &mut Vec<u8>) {
    out.extend_from_slice(&[PINGRESP, 0]);
}

fn push_id(out: &mut Vec<u8>, first: u8, id: u16) {
    let [high, low] = id.to_be_bytes();
    out.extend_from_slice(&[first, 2, high, low]);
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn push_length(out: &mut Vec<u8>, length: usize) {
    let mut rest = length;
    loop {
        let digit = (rest & 0x7f) as u8;
        rest >>= 7;
        if rest == 0 {
            return out.push(digit);
        }
        out.push(digit | 0x80);
    }
}
