//! Packets are read as they are written, whatever they are cut into, and nothing that is read panics.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const MOST: usize = 64 * 1024;

fn parsed(bytes: &[u8]) -> Packet<'_> {
    match parse(bytes, MOST).unwrap() {
        Parsed::Packet(packet, length) => {
            assert_eq!(length, bytes.len());
            packet
        }
        Parsed::Incomplete(_) => panic!("incomplete: {bytes:?}"),
    }
}

fn fault(bytes: &[u8]) -> Fault {
    parse(bytes, MOST).unwrap_err()
}

/// A packet of less than 128 bytes.
fn packet(first: u8, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    [&[first, body.len() as u8], &*body].concat()
}

fn field(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

fn connect(level: u8, flags: u8, fields: &[&[u8]]) -> Vec<u8> {
    let fields: Vec<Vec<u8>> = fields.iter().map(|one| field(one)).collect();
    packet(
        0x10,
        &[&field(b"MQTT"), &[level, flags, 0, 60], &fields.concat()],
    )
}

#[test]
fn connect_says_who_comes_and_what_is_left_behind() {
    let bytes = connect(4, 0xee, &[b"me", b"gone/me", b"bye", b"ana", b"s3cr3t\xff"]);
    let Packet::Connect(connect) = parsed(&bytes) else {
        panic!("no CONNECT")
    };
    assert!(!format!("{connect:?}").contains("s3cr3t"));
    let will = Will {
        topic: "gone/me".to_owned(),
        payload: b"bye".to_vec(),
        qos: Qos::AtLeastOnce,
        retain: true,
    };
    let expected = Connect {
        client_id: "me".to_owned(),
        clean_session: true,
        keep_alive: Duration::from_secs(60),
        will: Some(will),
        user: Some("ana".to_owned()),
        password: Some(b"s3cr3t\xff".to_vec()),
    };
    assert_eq!(*connect, expected);
}

#[test]
fn connections_that_are_refused_are_told_why_where_the_standard_has_a_code() {
    for (bytes, told) in [
        (
            connect(5, 2, &[b"me"]),
            Some(ReturnCode::UnacceptableVersion),
        ),
        (
            connect(3, 2, &[b"me"]),
            Some(ReturnCode::UnacceptableVersion),
        ),
        (connect(4, 0, &[b""]), Some(ReturnCode::IdentifierRejected)),
        (
            connect(4, 2, &[b"a.b"]),
            Some(ReturnCode::IdentifierRejected),
        ),
        (
            connect(4, 2, &[b"\xff"]),
            Some(ReturnCode::IdentifierRejected),
        ),
        (
            connect(4, 0x82, &[b"me", b""]),
            Some(ReturnCode::BadUserOrPassword),
        ),
        (connect(4, 3, &[b"me"]), None),
        (connect(4, 0x42, &[b"me", b"pw"]), None),
        (connect(4, 0x0a, &[b"me"]), None),
        (connect(4, 0x22, &[b"me"]), None),
        (connect(4, 0x1e, &[b"me", b"t", b"m"]), None),
        (connect(4, 0x06, &[b"me", b"", b"m"]), None),
        (connect(4, 2, &[b"me", b"more"]), None),
        (
            packet(0x10, &[&field(b"MQIsdp"), &[3, 2, 0, 0], &field(b"me")]),
            None,
        ),
        (packet(0x10, &[&field(b"HTTP")]), None),
    ] {
        assert_eq!(fault(&bytes).told, told, "{bytes:?}");
    }
}

#[test]
fn subscribe_and_unsubscribe_name_their_filters() {
    let bytes = packet(0x82, &[&[0, 7], &field(b"a/+"), &[2], &field(b"b#"), &[0]]);
    let filters = vec![
        Filter {
            topic: "a/+",
            qos: Qos::ExactlyOnce,
        },
        Filter {
            topic: "b#",
            qos: Qos::AtMostOnce,
        },
    ];
    assert_eq!(parsed(&bytes), Packet::Subscribe { id: 7, filters });
    let bytes = packet(0xa2, &[&[0, 8], &field(b"a/+")]);
    let filters = vec!["a/+"];
    assert_eq!(parsed(&bytes), Packet::Unsubscribe { id: 8, filters });
}

#[test]
fn what_breaks_the_protocol_is_a_fault_and_says_what_it_is() {
    for (bytes, why) in [
        (vec![0x20, 2, 0, 0], "type 2"),
        (vec![0x00], "type 0"),
        (vec![0xf0], "type 15"),
        (vec![0x41, 2, 0, 1], "flags 0x1"),
        (vec![0x60, 2, 0, 1], "flags 0x0"),
        (vec![0x40, 3, 0, 1, 0], "3 bytes instead of 2"),
        (vec![0xc0, 1, 0], "1 bytes instead of 0"),
        (vec![0x40, 2, 0, 0], "identifier is 0"),
        (vec![0x36, 3, 0, 1, b'a'], "QoS of a message is 3"),
        (vec![0x32, 3, 0, 1, b'a'], "ends in its packet identifier"),
        (vec![0x30, 2, 0, 0], "topic is empty"),
        (vec![0x30, 3, 0, 1, 0], "NUL"),
        (vec![0x30, 3, 0, 1, 0xff], "UTF-8"),
        (vec![0x82, 2, 0, 1], "names no topic filter"),
        (
            packet(0x82, &[&[0, 1], &field(b"a"), &[3]]),
            "QoS of a subscription is 3",
        ),
        (vec![0xa2, 2, 0, 1], "names no topic filter"),
        (vec![0x30, 0x80, 0x80, 0x80, 0x80], "four bytes"),
        (vec![0x30, 0xff, 0xff, 0xff, 0x7f], "max_payload"),
    ] {
        let fault = fault(&bytes);
        assert!(fault.to_string().contains(why), "{bytes:?}: {fault}");
    }
}

#[test]
fn answers_are_written_as_the_standard_says() {
    let mut out = Vec::new();
    push_connack(&mut out, true, ReturnCode::Accepted);
    push_connack(&mut out, true, ReturnCode::NotAuthorized);
    push_suback(&mut out, 258, &[Some(Qos::ExactlyOnce), None]);
    push_unsuback(&mut out, 1);
    push_pingresp(&mut out);
    push_pubrel(&mut out, 3);
    let expected: &[&[u8]] = &[
        &[0x20, 2, 1, 0],
        &[0x20, 2, 0, 5],
        &[0x90, 4, 1, 2, 2, 0x80],
        &[0xb0, 2, 0, 1],
        &[0xd0, 0],
        &[0x62, 2, 0, 3],
    ];
    assert_eq!(out, expected.concat());
    let topic = "t".repeat(70_000);
    let message = Publish {
        topic: &topic,
        ..message("", b"", Qos::AtMostOnce)
    };
    assert!(!push_publish(&mut out, &message));
    assert_eq!(out, expected.concat());
}

fn message<'a>(topic: &'a str, payload: &'a [u8], qos: Qos) -> Publish<'a> {
    Publish {
        topic,
        payload,
        qos,
        dup: false,
        retain: false,
        id: 0,
    }
}

prop_compose! {
    fn some_message()(
        topic in "[a-z/é]{1,20}",
        payload in prop::collection::vec(any::<u8>(), 0..300),
        qos in 0u8..3, dup in any::<bool>(), retain in any::<bool>(), id in 1u16..,
    ) -> (String, Vec<u8>, Qos, bool, bool, u16) {
        let qos = Qos::from_number(qos).unwrap();
        (topic, payload, qos, dup, retain, if qos == Qos::AtMostOnce { 0 } else { id })
    }
}

proptest! {
    #[test]
    fn messages_are_read_as_they_were_written_wherever_they_are_cut(
        messages in prop::collection::vec(some_message(), 1..5), cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = Vec::new();
        for (topic, payload, qos, dup, retain, id) in &messages {
            let (dup, retain, id) = (*dup, *retain, *id);
            let message = Publish { dup, retain, id, ..message(topic, payload, *qos) };
            prop_assert!(push_publish(&mut bytes, &message));
        }
        let cut = cut.index(bytes.len() + 1);
        let mut at = 0;
        for (topic, payload, qos, dup, retain, id) in &messages {
            let (dup, retain, id) = (*dup, *retain, *id);
            let expected = Publish { dup, retain, id, ..message(topic, payload, *qos) };
            let Parsed::Packet(read, length) = parse(&bytes[at..], MOST).unwrap() else {
                panic!("incomplete")
            };
            prop_assert_eq!(read, Packet::Publish(expected));
            if at <= cut && cut < at + length {
                let start = parse(&bytes[at..cut], MOST).unwrap();
                let Parsed::Incomplete(wanted) = start else { panic!("{start:?}") };
                prop_assert!(wanted == 0 || wanted == length);
            }
            at += length;
        }
        prop_assert_eq!(at, bytes.len());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(Parsed::Packet(_, length)) = parse(&bytes, MOST) {
            prop_assert!(length <= bytes.len());
        }
    }

    #[test]
    fn any_body_of_a_packet_is_read_or_refused(
        first in prop::sample::select(vec![0x10u8, 0x30, 0x32, 0x34, 0x82, 0xa2]),
        body in prop::collection::vec(any::<u8>(), 0..120),
        named in any::<bool>(),
    ) {
        let name: &[u8] = if named { b"\0\x04MQTT\x04" } else { b"" };
        let bytes = packet(first, &[name, &body[..body.len().min(110)]]);
        if let Ok(parsed) = parse(&bytes, MOST) {
            prop_assert!(matches!(parsed, Parsed::Packet(_, length) if length == bytes.len()));
        }
    }
}
