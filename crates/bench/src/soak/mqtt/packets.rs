//! MQTT as a client speaks it: the packets that `recado-mqtt`, which is made for servers, does not write or read.

use recado_mqtt::{Packet, Parsed, Qos, parse};

use crate::error::{Error, Result};

/// First bytes of packets: type and flags.
const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;
const UNSUBSCRIBE: u8 = 0xa2;
const UNSUBACK: u8 = 0xb0;
const PINGREQ: u8 = 0xc0;
const PINGRESP: u8 = 0xd0;
const DISCONNECT: u8 = 0xe0;

/// Flags of CONNECT.
const CLEAN_SESSION: u8 = 0x02;
const WILL: u8 = 0x04;
const PASSWORD: u8 = 0x40;
const USER: u8 = 0x80;

/// Nothing larger is sent to us.
const PACKET_BYTES_MAX: usize = 64 * 1024;

/// What a client says of itself.
pub(super) struct Greeting<'a> {
    pub(super) client_id: &'a str,
    pub(super) user: &'a str,
    pub(super) password: &'a str,
    pub(super) clean_session: bool,
    pub(super) keep_alive_s: u16,
    /// Topic, payload and QoS.
    pub(super) will: Option<(&'a str, &'a [u8], Qos)>,
}

/// What the server says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Connack {
        session_present: bool,
        code: u8,
    },
    /// One byte a topic filter.
    Suback {
        id: u16,
        granted: Vec<u8>,
    },
    Unsuback(u16),
    Pong,
    Message {
        id: u16,
        message: Message,
    },
    Puback(u16),
    Pubrec(u16),
    Pubrel(u16),
    Pubcomp(u16),
}

/// A message, from whoever published it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) qos: Qos,
    pub(super) dup: bool,
    pub(super) retain: bool,
}

/// CONNECT.
pub(super) fn push_connect(out: &mut Vec<u8>, greeting: &Greeting<'_>) {
    let mut flags = USER | PASSWORD;
    if greeting.clean_session {
        flags |= CLEAN_SESSION;
    }
    if let Some((_, _, qos)) = greeting.will {
        flags |= WILL | qos.number() << 3;
    }
    let mut body = b"\x00\x04MQTT\x04".to_vec();
    body.push(flags);
    body.extend_from_slice(&greeting.keep_alive_s.to_be_bytes());
    push_bytes(&mut body, greeting.client_id.as_bytes());
    if let Some((topic, payload, _)) = greeting.will {
        push_bytes(&mut body, topic.as_bytes());
        push_bytes(&mut body, payload);
    }
    push_bytes(&mut body, greeting.user.as_bytes());
    push_bytes(&mut body, greeting.password.as_bytes());
    push_packet(out, CONNECT, &body);
}

/// SUBSCRIBE.
pub(super) fn push_subscribe(out: &mut Vec<u8>, id: u16, filters: &[(&str, Qos)]) {
    let mut body = id.to_be_bytes().to_vec();
    for (filter, qos) in filters {
        push_bytes(&mut body, filter.as_bytes());
        body.push(qos.number());
    }
    push_packet(out, SUBSCRIBE, &body);
}

/// UNSUBSCRIBE.
pub(super) fn push_unsubscribe(out: &mut Vec<u8>, id: u16, filter: &str) {
    let mut body = id.to_be_bytes().to_vec();
    push_bytes(&mut body, filter.as_bytes());
    push_packet(out, UNSUBSCRIBE, &body);
}

/// PINGREQ.
pub(super) fn push_ping(out: &mut Vec<u8>) {
    out.extend_from_slice(&[PINGREQ, 0]);
}

/// DISCONNECT.
pub(super) fn push_disconnect(out: &mut Vec<u8>) {
    out.extend_from_slice(&[DISCONNECT, 0]);
}

fn push_packet(out: &mut Vec<u8>, first: u8, body: &[u8]) {
    out.push(first);
    // Seven bits a byte, the lowest first; the highest bit says that more follow.
    let mut rest = body.len();
    while rest > 0x7f {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out.extend_from_slice(body);
}

fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// What `input` begins with, and how many bytes that takes; `None`: the rest has not come.
pub(super) fn read(input: &[u8]) -> Result<Option<(Said, usize)>> {
    match input.first().map(|first| first & 0xf0) {
        None => Ok(None),
        Some(CONNACK | SUBACK | UNSUBACK | PINGRESP) => read_answer(input),
        Some(_) => read_shared(input),
    }
}

/// Packets that only servers send. All of ours are short.
fn read_answer(input: &[u8]) -> Result<Option<(Said, usize)>> {
    let Some(&length) = input.get(1) else {
        return Ok(None);
    };
    let odd = || Error::Differs(format!("a packet of MQTT that begins {input:.8?}"));
    if length > 0x7f {
        return Err(odd());
    }
    let total = 2 + usize::from(length);
    let Some(body) = input.get(2..total) else {
        return Ok(None);
    };
    let said = match (input[0], body) {
        (CONNACK, &[flags @ 0..=1, code]) => Said::Connack {
            session_present: flags == 1,
            code,
        },
        (SUBACK, &[high, low, ref granted @ ..]) => Said::Suback {
            id: u16::from_be_bytes([high, low]),
            granted: granted.to_vec(),
        },
        (UNSUBACK, &[high, low]) => Said::Unsuback(u16::from_be_bytes([high, low])),
        (PINGRESP, &[]) => Said::Pong,
        _ => return Err(odd()),
    };
    Ok(Some((said, total)))
}

/// Packets that both sides send.
fn read_shared(input: &[u8]) -> Result<Option<(Said, usize)>> {
    let parsed =
        parse(input, PACKET_BYTES_MAX).map_err(|fault| Error::Differs(fault.to_string()))?;
    let Parsed::Packet(packet, total) = parsed else {
        return Ok(None);
    };
    let said = match packet {
        Packet::Publish(message) => Said::Message {
            id: message.id,
            message: Message {
                topic: message.topic.to_owned(),
                payload: message.payload.to_vec(),
                qos: message.qos,
                dup: message.dup,
                retain: message.retain,
            },
        },
        Packet::Puback(id) => Said::Puback(id),
        Packet::Pubrec(id) => Said::Pubrec(id),
        Packet::Pubrel(id) => Said::Pubrel(id),
        Packet::Pubcomp(id) => Said::Pubcomp(id),
        other => return Err(Error::Differs(format!("{other:?} is not for clients"))),
    };
    Ok(Some((said, total)))
}

#[cfg(test)]
mod tests {
    use recado_mqtt::{Filter, ReturnCode, push_connack, push_suback, push_unsuback};

    use super::*;

    fn parsed(bytes: &[u8]) -> Packet<'_> {
        match parse(bytes, 1 << 20) {
            Ok(Parsed::Packet(packet, total)) if total == bytes.len() => packet,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_server_reads_what_a_client_writes() {
        let mut out = Vec::new();
        let password = "p".repeat(200);
        push_connect(
            &mut out,
            &Greeting {
                client_id: "me",
                user: "u",
                password: &password,
                clean_session: true,
                keep_alive_s: 7,
                will: Some(("w/x", b"bye", Qos::ExactlyOnce)),
            },
        );
        let Packet::Connect(connect) = parsed(&out) else {
            panic!("{out:?}")
        };
        assert_eq!(connect.client_id, "me");
        assert_eq!(connect.password.as_deref(), Some(password.as_bytes()));
        assert!(connect.clean_session && connect.keep_alive.as_secs() == 7);
        let will = connect.will.expect("a will");
        assert_eq!((&*will.topic, will.qos), ("w/x", Qos::ExactlyOnce));
        out.clear();
        push_subscribe(&mut out, 3, &[("a/+", Qos::AtLeastOnce)]);
        let filters = vec![Filter {
            topic: "a/+",
            qos: Qos::AtLeastOnce,
        }];
        assert_eq!(parsed(&out), Packet::Subscribe { id: 3, filters });
        out.clear();
        push_unsubscribe(&mut out, 4, "a/+");
        let filters = vec!["a/+"];
        assert_eq!(parsed(&out), Packet::Unsubscribe { id: 4, filters });
    }

    #[test]
    fn a_client_reads_what_a_server_writes_however_it_is_cut() {
        let mut out = Vec::new();
        push_connack(&mut out, true, ReturnCode::Accepted);
        push_suback(&mut out, 9, &[Some(Qos::ExactlyOnce), None]);
        push_unsuback(&mut out, 10);
        recado_mqtt::push_pingresp(&mut out);
        recado_mqtt::push_pubrel(&mut out, 11);
        let mut said = Vec::new();
        let mut input = Vec::new();
        for byte in out {
            input.push(byte);
            if let Some((one, total)) = read(&input).expect("packets") {
                assert_eq!(total, input.len());
                input.clear();
                said.push(one);
            }
        }
        let expected = [
            Said::Connack {
                session_present: true,
                code: 0,
            },
            Said::Suback {
                id: 9,
                granted: vec![2, 0x80],
            },
            Said::Unsuback(10),
            Said::Pong,
            Said::Pubrel(11),
        ];
        assert_eq!(said, expected);
        assert!(read(&[CONNACK, 2, 7, 0]).is_err());
        assert!(read(&[PINGREQ, 0]).is_err());
    }
}
