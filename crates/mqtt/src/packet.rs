//! Packets that clients send.

use crate::Qos;
use crate::connect::Connect;
use crate::cursor::Cursor;
use crate::fault::Fault;

/// Types of packets: the upper half of the first byte.
const CONNECT: u8 = 1;
const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;
const PUBREC: u8 = 5;
const PUBREL: u8 = 6;
const PUBCOMP: u8 = 7;
const SUBSCRIBE: u8 = 8;
const UNSUBSCRIBE: u8 = 10;
const PINGREQ: u8 = 12;
const DISCONNECT: u8 = 14;

/// Flags of PUBLISH.
const RETAIN: u8 = 0x01;
const DUP: u8 = 0x08;

/// What the input begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A whole packet, and how many bytes it has.
    Packet(Packet<'a>, usize),
    /// The start of one. So many bytes in all, where that is known; else 0.
    Incomplete(usize),
}

/// One packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// The first one.
    Connect(Box<Connect>),
    /// A message.
    Publish(Publish<'a>),
    /// A message of QoS 1 arrived.
    Puback(u16),
    /// A message of QoS 2 arrived.
    Pubrec(u16),
    /// It is known that a message of QoS 2 arrived.
    Pubrel(u16),
    /// A message of QoS 2 is done with.
    Pubcomp(u16),
    /// Asks for messages.
    Subscribe {
        /// To be named in the answer.
        id: u16,
        /// At least one.
        filters: Vec<Filter<'a>>,
    },
    /// Asks for no more of them.
    Unsubscribe {
        /// To be named in the answer.
        id: u16,
        /// At least one.
        filters: Vec<&'a str>,
    },
    /// Asks for an answer.
    Pingreq,
    /// Leaves as it should.
    Disconnect,
}

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish<'a> {
    /// Where.
    pub topic: &'a str,
    /// What.
    pub payload: &'a [u8],
    /// How surely.
    pub qos: Qos,
    /// It may have been sent before.
    pub dup: bool,
    /// It is kept for those who subscribe later.
    pub retain: bool,
    /// 0 with QoS 0, which has none.
    pub id: u16,
}

/// A topic filter that is subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter<'a> {
    /// As the client wrote it: it may be no filter at all.
    pub topic: &'a str,
    /// No message is sent more surely than this.
    pub qos: Qos,
}

/// Reads the packet that `input` begins with. One with more than `max_bytes` behind its fixed header is a fault as soon as
/// that says so.
///
/// # Errors
/// When it breaks the protocol. The connection can't go on then.
pub fn parse(input: &[u8], max_bytes: usize) -> Result<Parsed<'_>, Fault> {
    let Some((&first, rest)) = input.split_first() else {
        return Ok(Parsed::Incomplete(0));
    };
    let (kind, flags) = (first >> 4, first & 0x0f);
    check_fixed_header(kind, flags)?;
    let Some((length, digits)) = remaining_length(rest)? else {
        return Ok(Parsed::Incomplete(0));
    };
    if length > max_bytes {
        let why =
            format!("a packet of {length} bytes is larger than {max_bytes} bytes (max_payload)");
        return Err(Fault::new(why));
    }
    check_length(kind, length)?;
    let total = 1 + digits + length;
    let Some(body) = input.get(1 + digits..total) else {
        return Ok(Parsed::Incomplete(total));
    };
    Ok(Parsed::Packet(packet(kind, flags, body)?, total))
}

/// Whether there is such a packet from clients, with these flags.
fn check_fixed_header(kind: u8, flags: u8) -> Result<(), Fault> {
    let expected = match kind {
        PUBLISH => return Ok(()),
        CONNECT | PUBACK | PUBREC | PUBCOMP | PINGREQ | DISCONNECT => 0,
        PUBREL | SUBSCRIBE | UNSUBSCRIBE => 2,
        _ => {
            return Err(Fault::new(format!(
                "packets of type {kind} are not for servers"
            )));
        }
    };
    match flags == expected {
        true => Ok(()),
        false => Err(Fault::new(format!(
            "a packet of type {kind} has the flags {flags:#x} instead of {expected:#x}"
        ))),
    }
}

/// The length of what is behind the fixed header, and how many bytes say it; `None`: the rest has not come.
fn remaining_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, Fault> {
    let mut length = 0;
    for (at, &digit) in bytes.iter().take(4).enumerate() {
        length |= usize::from(digit & 0x7f) << (7 * at);
        if digit & 0x80 == 0 {
            return Ok(Some((length, at + 1)));
        }
    }
    match bytes.len() < 4 {
        true => Ok(None),
        false => Err(Fault::new("the packet's length has more than four bytes")),
    }
}

/// Whether a packet of fixed size has that.
fn check_length(kind: u8, length: usize) -> Result<(), Fault> {
    let expected = match kind {
        PUBACK | PUBREC | PUBREL | PUBCOMP => 2,
        PINGREQ | DISCONNECT => 0,
        _ => return Ok(()),
    };
    match length == expected {
        true => Ok(()),
        false => Err(Fault::new(format!(
            "a packet of type {kind} has {length} bytes instead of {expected}"
        ))),
    }
}

fn packet(kind: u8, flags: u8, body: &[u8]) -> Result<Packet<'_>, Fault> {
    let mut cursor = Cursor::new(body);
    Ok(match kind {
        CONNECT => Packet::Connect(Box::new(Connect::parse(body)?)),
        PUBLISH => Packet::Publish(publish(flags, cursor)?),
        PUBACK => Packet::Puback(cursor.packet_id()?),
        PUBREC => Packet::Pubrec(cursor.packet_id()?),
        PUBREL => Packet::Pubrel(cursor.packet_id()?),
        PUBCOMP => Packet::Pubcomp(cursor.packet_id()?),
        SUBSCRIBE => subscribe(cursor)?,
        UNSUBSCRIBE => unsubscribe(cursor)?,
        PINGREQ => Packet::Pingreq,
        _ => Packet::Disconnect,
    })
}

fn publish(flags: u8, mut cursor: Cursor<'_>) -> Result<Publish<'_>, Fault> {
    let qos = Qos::from_number((flags >> 1) & 0x03)
        .ok_or_else(|| Fault::new("the QoS of a message is 3"))?;
    let topic = cursor.text("topic")?;
    if topic.is_empty() {
        return Err(Fault::new("the topic is empty"));
    }
    let id = match qos {
        Qos::AtMostOnce => 0,
        _ => cursor.packet_id()?,
    };
    Ok(Publish {
        topic,
        payload: cursor.rest(),
        qos,
        dup: flags & DUP != 0,
        retain: flags & RETAIN != 0,
        id,
    })
}

fn subscribe(mut cursor: Cursor<'_>) -> Result<Packet<'_>, Fault> {
    let id = cursor.packet_id()?;
    let mut filters = Vec::new();
    while !cursor.is_empty() {
        let topic = filter(&mut cursor)?;
        let number = cursor.byte("QoS")?;
        let qos = Qos::from_number(number)
            .ok_or_else(|| Fault::new(format!("the QoS of a subscription is {number}")))?;
        filters.push(Filter { topic, qos });
    }
    match filters.is_empty() {
        true => Err(Fault::new("SUBSCRIBE names no topic filter")),
        false => Ok(Packet::Subscribe { id, filters }),
    }
}

fn unsubscribe(mut cursor: Cursor<'_>) -> Result<Packet<'_>, Fault> {
    let id = cursor.packet_id()?;
    let mut filters = Vec::new();
    while !cursor.is_empty() {
        filters.push(filter(&mut cursor)?);
    }
    match filters.is_empty() {
        true => Err(Fault::new("UNSUBSCRIBE names no topic filter")),
        false => Ok(Packet::Unsubscribe { id, filters }),
    }
}

fn filter<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Fault> {
    match cursor.text("topic filter")? {
        "" => Err(Fault::new("a topic filter is empty")),
        topic => Ok(topic),
    }
}
