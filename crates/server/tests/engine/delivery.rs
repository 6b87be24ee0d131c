//! Who gets what, in which order: held against a plain model.

use proptest::prelude::*;
use recado_server::Server;
use recado_wire::filter_matches;

use crate::peer::{Frame, Peer};

/// What one subscriber connection subscribes to: filter, sid, and a limit.
#[derive(Clone, Debug)]
struct Sub {
    filter: &'static str,
    sid: u8,
    max: Option<usize>,
}

const SUBJECTS: [&str; 4] = ["a", "b", "c.x", "c.y"];
const FILTERS: [&str; 6] = ["a", "b", "c.*", "c.x", ">", "*"];

fn sub() -> impl Strategy<Value = Sub> {
    (
        0..FILTERS.len(),
        0u8..4,
        proptest::option::weighted(0.15, 1usize..30),
    )
        .prop_map(|(at, sid, max)| Sub {
            filter: FILTERS[at],
            sid,
            max,
        })
}

/// Per connection: its subscriptions by sid (the first of a sid wins), and whether it has headers.
fn connections() -> impl Strategy<Value = Vec<(Vec<Sub>, bool)>> {
    let one = (
        proptest::collection::vec(sub(), 1..4),
        proptest::bool::weighted(0.8),
    );
    proptest::collection::vec(one, 1..8).prop_map(|mut connections| {
        for (subs, _) in &mut connections {
            let mut seen = Vec::new();
            subs.retain(|sub| {
                !seen.contains(&sub.sid) && {
                    seen.push(sub.sid);
                    true
                }
            });
        }
        connections
    })
}

/// Messages: subject, size of the payload, with headers.
fn messages() -> impl Strategy<Value = Vec<(usize, usize, bool)>> {
    let size = prop_oneof![8 => 0usize..40, 1 => 8_000usize..20_000];
    proptest::collection::vec(
        (0..SUBJECTS.len(), size, proptest::bool::weighted(0.2)),
        1..120,
    )
}

const HEADERS: &str = "NATS/1.0\r\nA: b\r\n\r\n";

fn publish(number: usize, subject: &str, size: usize, headers: bool) -> String {
    let payload = format!("{number:>width$}", width = size.max(6));
    if headers {
        let total = HEADERS.len() + payload.len();
        format!(
            "HPUB {subject} {} {total}\r\n{HEADERS}{payload}\r\n",
            HEADERS.len()
        )
    } else {
        format!("PUB {subject} {}\r\n{payload}\r\n", payload.len())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Shared buffers, split-up buffers, limits, stripped headers and large payloads, all at once:
    /// each subscription sees just its messages, whole, in the order they were sent.
    #[test]
    fn everybody_gets_just_their_messages_in_order(
        connections in connections(), messages in messages(), publisher_subscribes in any::<bool>(),
    ) {
        let server = Server::builder().start().unwrap();
        let mut peers = Vec::new();
        for (subs, headers) in &connections {
            let mut peer = Peer::connect(server.client_addr(), &format!("\"headers\":{headers}"));
            for sub in subs {
                peer.send(&format!("SUB {} {}\r\n", sub.filter, sub.sid));
                if let Some(max) = sub.max {
                    peer.send(&format!("UNSUB {} {max}\r\n", sub.sid));
                }
            }
            peer.settle();
            peers.push(peer);
        }
        let mut publisher = Peer::connect(server.client_addr(), "\"headers\":true");
        if publisher_subscribes {
            publisher.send("SUB > 1\r\n");
        }
        let mut batch = String::new();
        for (number, &(subject, size, headers)) in messages.iter().enumerate() {
            batch.push_str(&publish(number, SUBJECTS[subject], size, headers));
        }
        publisher.send(&batch);
        let own = publisher.settle();
        prop_assert_eq!(own.len(), if publisher_subscribes { messages.len() } else { 0 });

        for ((subs, headers), peer) in connections.iter().zip(&mut peers) {
            let received = peer.settle();
            let numbers: Vec<usize> = received.iter().map(|m| number_of(&m.payload)).collect();
            prop_assert!(numbers.is_sorted(), "out of order: {:?}", numbers);
            for sub in subs {
                let expected: Vec<usize> = (0..messages.len())
                    .filter(|&n| filter_matches(sub.filter.as_bytes(), SUBJECTS[messages[n].0].as_bytes()))
                    .take(sub.max.unwrap_or(usize::MAX))
                    .collect();
                let got: Vec<_> =
                    received.iter().filter(|m| m.sid == sub.sid.to_string()).collect();
                let numbers: Vec<usize> = got.iter().map(|m| number_of(&m.payload)).collect();
                prop_assert_eq!(&numbers, &expected, "{:?}", sub);
                for (message, &number) in got.iter().zip(&numbers) {
                    let (subject, size, with_headers) = messages[number];
                    prop_assert_eq!(&message.subject, SUBJECTS[subject]);
                    prop_assert_eq!(message.payload.len(), size.max(6));
                    let wanted = if with_headers && *headers { HEADERS } else { "" };
                    prop_assert_eq!(&message.headers, wanted);
                }
            }
        }
    }
}

fn number_of(payload: &[u8]) -> usize {
    std::str::from_utf8(payload)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

#[test]
fn one_member_of_a_queue_group_gets_each_message_and_all_members_get_some() {
    let server = Server::builder().start().unwrap();
    let mut members: Vec<Peer> = (0..4)
        .map(|_| {
            let mut peer = Peer::connect(server.client_addr(), "");
            peer.send("SUB work.* crew 1\r\n");
            peer.settle();
            peer
        })
        .collect();
    let mut publisher = Peer::connect(server.client_addr(), "");
    publisher.send(&"PUB work.x 1\r\n.\r\n".repeat(4000));
    publisher.settle();
    let counts: Vec<usize> = members
        .iter_mut()
        .map(|member| member.settle().len())
        .collect();
    assert_eq!(counts.iter().sum::<usize>(), 4000);
    // 1000 each on average: a start that is not random would leave somebody far below.
    assert!(counts.iter().all(|&count| count > 800), "{counts:?}");
}

#[test]
fn a_member_that_left_is_passed_over() {
    let server = Server::builder().start().unwrap();
    let mut stays = Peer::connect(server.client_addr(), "");
    stays.send("SUB work crew 1\r\n");
    stays.settle();
    let mut leaves = Peer::connect(server.client_addr(), "");
    leaves.send("SUB work crew 1\r\nUNSUB 1 10\r\n");
    leaves.settle();
    let mut publisher = Peer::connect(server.client_addr(), "");
    publisher.send(&"PUB work 1\r\n.\r\n".repeat(500));
    publisher.settle();
    let (stayed, left) = (stays.settle().len(), leaves.settle().len());
    assert_eq!((stayed + left, left), (500, 10));
}

#[test]
fn without_echo_one_does_not_hear_oneself_and_a_request_finds_nobody() {
    let server = Server::builder().start().unwrap();
    let options = "\"echo\":false,\"headers\":true,\"no_responders\":true";
    let mut peer = Peer::connect(server.client_addr(), options);
    peer.send("SUB s 1\r\nSUB in 2\r\nPUB s in 2\r\nhi\r\n");
    let received = peer.settle();
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(
        received[0].headers,
        "NATS/1.0 503\r\nNats-Subject: s\r\n\r\n"
    );
}

#[test]
fn a_batch_of_very_much_work_is_handled_in_several_turns_and_loses_nothing() {
    let server = Server::builder().start().unwrap();
    let mut subscriber = Peer::connect(server.client_addr(), "");
    let lines: String = (0..2000).map(|sid| format!("SUB s {sid}\r\n")).collect();
    subscriber.send(&lines);
    subscriber.settle();
    let mut publisher = Peer::connect(server.client_addr(), "");
    // 300 messages for 2000 subscriptions each, in 5 KB of input.
    let batch: String = (0..300)
        .map(|number| format!("PUB s 3\r\n{number:3}\r\n"))
        .collect();
    publisher.send(&batch);
    publisher.settle();
    let received = subscriber.settle();
    assert_eq!(received.len(), 600_000);
    let numbers: Vec<usize> = received.iter().map(|m| number_of(&m.payload)).collect();
    assert!(numbers.is_sorted());
}

#[test]
fn subscriptions_from_before_connect_follow_what_it_says_of_headers() {
    let server = Server::builder().start().unwrap();
    let mut peer = Peer::bare(server.client_addr());
    peer.send("SUB s 1\r\nCONNECT {\"verbose\":false,\"headers\":true}\r\n");
    peer.send(&format!(
        "HPUB s {} {}\r\n{HEADERS}hi\r\n",
        HEADERS.len(),
        HEADERS.len() + 2
    ));
    let received = peer.settle();
    assert_eq!(received[0].headers, HEADERS);
}

#[test]
fn a_large_message_arrives_whole_however_it_is_cut() {
    let server = Server::builder().start().unwrap();
    let mut subscriber = Peer::connect(server.client_addr(), "");
    subscriber.send("SUB s 1\r\n");
    subscriber.settle();
    let mut publisher = Peer::connect(server.client_addr(), "");
    let payload: String = (0..1_000_000)
        .map(|n| char::from(b'a' + (n % 23) as u8))
        .collect();
    let frames = format!("PUB s {}\r\n{payload}\r\nPUB s 2\r\nhi\r\n", payload.len()).repeat(3);
    // Pieces that never fall together with the frames' ends.
    for piece in frames.as_bytes().chunks(77_777) {
        publisher.send(std::str::from_utf8(piece).unwrap());
    }
    publisher.settle();
    let received = subscriber.settle();
    assert_eq!(received.len(), 6);
    for pair in received.chunks(2) {
        assert!(
            pair[0].payload == payload.as_bytes(),
            "the large one is whole"
        );
        assert_eq!(pair[1].payload, b"hi");
    }
}

#[test]
fn a_server_that_stops_writes_what_waits_and_frees_its_port() {
    let server = Server::builder().start().unwrap();
    let addr = server.client_addr();
    let mut subscriber = Peer::connect(addr, "");
    subscriber.send("SUB s 1\r\n");
    subscriber.settle();
    let mut publisher = Peer::connect(addr, "");
    publisher.send(&format!("PUB s 1000\r\n{}\r\n", "x".repeat(1000)).repeat(5000));
    publisher.settle();
    let reading = std::thread::spawn(move || {
        let mut count = 0;
        while let Some(frame) = subscriber.next() {
            count += usize::from(matches!(frame, Frame::Message(_)));
        }
        count
    });
    drop(server);
    assert_eq!(reading.join().unwrap(), 5000);
    assert!(
        std::net::TcpListener::bind(addr).is_ok(),
        "the port is free again"
    );
}
