//! Who gets a message: wildcards, queue groups, echo, no responders, reserved subjects, order.

use std::collections::HashMap;

use recado_conformance::{Peer, ServerBuilder, ServerProcess};

/// The sids that got a message published to `subject`, on a connection with these subscriptions.
fn receivers(server: &ServerProcess, filters: &[&str], subject: &str) -> Vec<String> {
    let mut peer = Peer::plain(server);
    for filter in filters {
        assert_eq!(peer.until_pong(format!("SUB {filter} {filter}\r\n")), "");
    }
    let said = peer.until_pong(format!("PUB {subject} 0\r\n\r\n"));
    let lines = said.lines().filter(|line| !line.is_empty());
    let mut sids: Vec<String> = lines
        .map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            assert_eq!((fields[0], fields[1]), ("MSG", subject), "{line}");
            fields[2].to_owned()
        })
        .collect();
    sids.sort();
    sids
}

// A40
#[test]
fn wildcards_stand_for_whole_tokens() {
    let server = ServerProcess::nats();
    let filters = [
        "foo",
        "foo.*",
        "foo.>",
        "*.bar",
        "*.*",
        "*",
        ">",
        "foo.*.baz",
        "*.>",
    ];
    let all = |subject| receivers(&server, &filters, subject);
    assert_eq!(all("foo"), ["*", ">", "foo"]);
    assert_eq!(
        all("foo.bar"),
        ["*.*", "*.>", "*.bar", ">", "foo.*", "foo.>"]
    );
    assert_eq!(all("foo.bar.baz"), ["*.>", ">", "foo.*.baz", "foo.>"]);
    assert_eq!(all("other.bar.baz"), ["*.>", ">"]);
}

// A40
#[test]
fn wildcard_characters_inside_a_token_are_literal() {
    let server = ServerProcess::nats();
    let filters = ["foo*", "f*o", "a.>b", "a.*b"];
    assert_eq!(receivers(&server, &filters, "foo*"), ["foo*"]);
    assert!(receivers(&server, &filters, "foox").is_empty());
    assert_eq!(receivers(&server, &filters, "a.>b"), ["a.>b"]);
    assert!(receivers(&server, &filters, "a.cb").is_empty());
}

// A40
#[test]
fn subjects_are_bytes_and_know_case() {
    let server = ServerProcess::nats();
    assert_eq!(receivers(&server, &["Foo", "foo"], "foo"), ["foo"]);
    assert_eq!(receivers(&server, &["ñandú.*"], "ñandú.más"), ["ñandú.*"]);
}

// A41, A95
#[test]
fn an_invalid_filter_is_refused_and_the_connection_stays() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    for filter in ["a..b", ".a", "a.", ".", "a.>.b", ">.a"] {
        let said = peer.until_pong(format!("SUB {filter} 1\r\n"));
        assert_eq!(said, "-ERR 'Invalid Subject'\r\n", "{filter}");
    }
    let said = peer.until_pong("SUB a 1\r\nPUB a 0\r\n\r\n");
    assert_eq!(said, "MSG a 1 0\r\n\r\n", "the refused sid is free");
}

// A42
#[test]
fn publish_subjects_are_not_checked_unless_pedantic() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    assert_eq!(
        peer.until_pong("SUB a.b 1\r\nSUB a.* 2\r\nPUB a..b 0\r\n\r\n"),
        ""
    );
    let said = peer.until_pong("PUB a.* 0\r\n\r\n");
    assert_eq!(
        said, "MSG a.* 2 0\r\n\r\n",
        "a published wildcard is a literal token"
    );
}

// A42, A96
#[test]
fn a_pedantic_client_is_told_of_invalid_publish_subjects_which_still_are_delivered() {
    let server = ServerProcess::nats();
    let mut peer = Peer::with(&server, r#"{"verbose":false,"pedantic":true}"#);
    assert_eq!(peer.until_pong("SUB a.* 1\r\n"), "");
    let said = peer.until_pong("PUB a.* 0\r\n\r\n");
    assert_eq!(
        said,
        "-ERR 'Invalid Publish Subject'\r\nMSG a.* 1 0\r\n\r\n"
    );
    assert_eq!(
        peer.until_pong("PUB a..b 0\r\n\r\n"),
        "-ERR 'Invalid Publish Subject'\r\n"
    );
    assert_eq!(peer.until_pong("PUB a.b 0\r\n\r\n"), "MSG a.b 1 0\r\n\r\n");
}

// A43
#[test]
fn every_matching_subscription_gets_a_copy() {
    let server = ServerProcess::nats();
    let mut first = Peer::plain(&server);
    let mut second = Peer::plain(&server);
    assert_eq!(first.until_pong("SUB a 1\r\nSUB a 2\r\nSUB * 3\r\n"), "");
    assert_eq!(second.until_pong("SUB a 1\r\n"), "");
    let said = first.until_pong("PUB a 2\r\nhi\r\n");
    let mut frames: Vec<&str> = said.split_inclusive("\r\nhi\r\n").collect();
    frames.sort_unstable();
    assert_eq!(
        frames,
        [
            "MSG a 1 2\r\nhi\r\n",
            "MSG a 2 2\r\nhi\r\n",
            "MSG a 3 2\r\nhi\r\n"
        ]
    );
    assert_eq!(second.until_pong(""), "MSG a 1 2\r\nhi\r\n");
}

// A44
#[test]
fn one_member_of_each_queue_group_gets_a_message_and_plain_subscribers_get_it_too() {
    let server = ServerProcess::nats();
    let mut members: Vec<Peer> = (0..3).map(|_| Peer::plain(&server)).collect();
    for member in &mut members {
        let subscribe = "SUB jobs.* workers w\r\nSUB jobs.> workers v\r\nSUB jobs.a others o\r\n";
        assert_eq!(member.until_pong(subscribe), "");
    }
    let mut witness = Peer::plain(&server);
    assert_eq!(witness.until_pong("SUB jobs.a 1\r\n"), "");
    let count = 300;
    let mut publisher = Peer::plain(&server);
    assert_eq!(
        publisher.until_pong("PUB jobs.a 0\r\n\r\n".repeat(count)),
        ""
    );

    assert_eq!(witness.until_pong("").matches("MSG").count(), count);
    let mut sums: HashMap<&str, usize> = HashMap::new();
    for (number, member) in members.iter_mut().enumerate() {
        let said = member.until_pong("");
        for (group, sids) in [("workers", ["w", "v"]), ("others", ["o", "o"])] {
            let got = |sid: &str| said.matches(&format!("MSG jobs.a {sid} ")).count();
            let got = if group == "workers" {
                got(sids[0]) + got(sids[1])
            } else {
                got("o")
            };
            assert!(
                got > count / 10,
                "member {number} of {group} got {got} of {count}"
            );
            *sums.entry(group).or_default() += got;
        }
    }
    assert_eq!(sums["others"], count);
    assert_eq!(
        sums["workers"], count,
        "a group is one over all its filters"
    );
}

// A44
#[test]
fn a_queue_group_goes_on_with_the_members_that_are_left() {
    let server = ServerProcess::nats();
    let mut first = Peer::plain(&server);
    let mut second = Peer::plain(&server);
    assert_eq!(first.until_pong("SUB a q 1\r\n"), "");
    assert_eq!(second.until_pong("SUB a q 1\r\nUNSUB 1 2\r\n"), "");
    let mut publisher = Peer::plain(&server);
    assert_eq!(publisher.until_pong("PUB a 0\r\n\r\n".repeat(100)), "");
    assert_eq!(second.until_pong("").matches("MSG").count(), 2, "its limit");
    assert_eq!(first.until_pong("").matches("MSG").count(), 98);
}

// A46
#[test]
fn a_client_without_echo_does_not_hear_itself_but_others() {
    let server = ServerProcess::nats();
    let mut mute = Peer::with(&server, r#"{"verbose":false,"echo":false}"#);
    let mut other = Peer::plain(&server);
    assert_eq!(other.until_pong("SUB a 1\r\n"), "");
    assert_eq!(
        mute.until_pong("SUB a 1\r\nSUB a q 2\r\nPUB a 0\r\n\r\n"),
        ""
    );
    assert_eq!(
        other.until_pong("PUB a 2\r\nhi\r\n"),
        "MSG a 1 0\r\n\r\nMSG a 1 2\r\nhi\r\n"
    );
    assert_eq!(mute.until_pong("").matches("MSG a").count(), 2);
}

// A47, H17
#[test]
fn a_request_that_nobody_hears_is_answered_with_503() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let said = peer.until_pong("SUB re.ply 7\r\nPUB no.body re.ply 5\r\nhello\r\n");
    let headers = "NATS/1.0 503\r\nNats-Subject: no.body\r\n\r\n";
    assert_eq!(
        said,
        format!("HMSG re.ply 7 {0} {0}\r\n{headers}\r\n", headers.len())
    );
    let said = peer.until_pong("HPUB no.body re.ply 12 12\r\nNATS/1.0\r\n\r\n\r\n");
    assert_eq!(
        said,
        format!("HMSG re.ply 7 {0} {0}\r\n{headers}\r\n", headers.len())
    );
}

// A47
#[test]
fn the_503_goes_to_one_plain_subscription_of_the_publisher_alone() {
    let server = ServerProcess::nats();
    let mut other = Peer::plain(&server);
    assert_eq!(other.until_pong("SUB r 1\r\nSUB > 2\r\nUNSUB 2\r\n"), "");
    let mut peer = Peer::plain(&server);
    assert_eq!(
        peer.until_pong("SUB r q 1\r\nPUB no.body r 0\r\n\r\n"),
        "",
        "not to a queue"
    );
    let said = peer.until_pong("SUB r 2\r\nSUB r 3\r\nSUB * 4\r\nPUB no.body r 0\r\n\r\n");
    assert_eq!(said.matches("HMSG r ").count(), 1, "{said}");
    assert!(!said.starts_with("HMSG r 1 "), "{said}");
    assert_eq!(other.until_pong(""), "");
}

// A47
#[test]
fn there_is_no_503_for_who_did_not_ask_or_where_somebody_listens() {
    let server = ServerProcess::nats();
    let mut old = Peer::with(&server, r#"{"verbose":false,"headers":true}"#);
    assert_eq!(old.until_pong("SUB r 1\r\nPUB no.body r 0\r\n\r\n"), "");
    let mut responder = Peer::plain(&server);
    assert_eq!(responder.until_pong("SUB some.body 1\r\n"), "");
    let mut peer = Peer::plain(&server);
    assert_eq!(
        peer.until_pong("SUB r 1\r\nPUB some.body r 0\r\n\r\nPUB no.body 0\r\n\r\n"),
        ""
    );
}

// A46, A47
#[test]
fn a_request_that_only_its_sender_could_hear_without_echo_gets_503() {
    let server = ServerProcess::nats();
    let connect = r#"{"verbose":false,"headers":true,"no_responders":true,"echo":false}"#;
    let mut peer = Peer::with(&server, connect);
    let said = peer.until_pong("SUB r 1\r\nSUB x 2\r\nPUB x r 0\r\n\r\n");
    assert!(
        said.starts_with("HMSG r 1 ") && said.contains("NATS/1.0 503\r\n"),
        "{said:?}"
    );
}

// A48
#[test]
fn messages_of_one_publisher_arrive_in_order() {
    let server = ServerProcess::nats();
    let mut subscriber = Peer::plain(&server);
    assert_eq!(subscriber.until_pong("SUB n.> 1\r\n"), "");
    let mut publisher = Peer::plain(&server);
    for hundred in 0..100 {
        let batch = (0..100).map(|n| {
            let text = (hundred * 100 + n).to_string();
            format!("PUB n.{} {}\r\n{text}\r\n", n % 7, text.len())
        });
        publisher.send(batch.collect::<String>());
    }
    for expected in 0..10_000 {
        let message = subscriber.message();
        assert_eq!(
            String::from_utf8_lossy(&message.payload),
            expected.to_string()
        );
    }
}

// A53
#[test]
fn what_was_published_before_a_pong_comes_before_any_later_pong_of_others() {
    let server = ServerProcess::nats();
    let mut publisher = Peer::plain(&server);
    let mut subscriber = Peer::plain(&server);
    // The publisher hears itself, so that it is one of several to be written to.
    assert_eq!(publisher.until_pong("SUB a 1\r\n"), "");
    assert_eq!(subscriber.until_pong("SUB a 1\r\n"), "");
    for number in 0..3_000 {
        let publish = format!("PUB a 4\r\n{number:04}\r\n");
        let message = format!("MSG a 1 4\r\n{number:04}\r\n");
        assert_eq!(publisher.until_pong(publish), message);
        assert_eq!(subscriber.until_pong(""), message, "message {number}");
    }
}

// A49, A86
#[test]
fn reserved_subjects_cannot_be_published_to() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    for subject in ["_GR_.x", "$NRG.x"] {
        let said = peer.until_pong(format!("SUB {subject} 1\r\nPUB {subject} 2\r\nhi\r\n"));
        let expected = format!("-ERR 'Permissions Violation for Publish to \"{subject}\"'\r\n");
        assert_eq!(said, expected);
    }
}

// A49, A89
#[test]
fn reserved_replies_cannot_be_asked_for() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    assert_eq!(peer.until_pong("SUB a 1\r\n"), "");
    for reply in ["_R_.x", "$JS.ACK.x", "_GR_.x"] {
        let said = peer.until_pong(format!("PUB a {reply} 2\r\nhi\r\n"));
        let text = "Permissions Violation for Publish with Reply of";
        assert_eq!(said, format!("-ERR '{text} \"{reply}\"'\r\n"));
    }
    let said = peer.until_pong("PUB a _R_ 0\r\n\r\nPUB a _GR_x 0\r\n\r\n");
    assert_eq!(said, "MSG a 1 _R_ 0\r\n\r\nMSG a 1 _GR_x 0\r\n\r\n");
}

// A50
#[test]
fn a_filter_with_too_many_tokens_is_refused() {
    let server = ServerBuilder::nats().config("max_sub_tokens: 3").start();
    let mut peer = Peer::plain(&server);
    assert_eq!(peer.until_pong("SUB a.b.c 1\r\n"), "");
    let expected =
        "-ERR 'Permissions Violation for Subscription to \"a.b.c.d\", too many tokens'\r\n";
    assert_eq!(peer.until_pong("SUB a.b.c.d 2\r\n"), expected);
    assert_eq!(peer.until_pong("SUB a.b.c.d q 3\r\n"), expected);
}

// A53
#[test]
fn what_was_queued_comes_before_the_pong_that_ends_a_drain() {
    let server = ServerProcess::nats();
    let mut subscriber = Peer::plain(&server);
    assert_eq!(subscriber.until_pong("SUB a 1\r\n"), "");
    let mut publisher = Peer::plain(&server);
    assert_eq!(publisher.until_pong("PUB a 2\r\nhi\r\n".repeat(5_000)), "");
    let said = subscriber.until_pong("UNSUB 1\r\n");
    assert_eq!(said.matches("MSG a 1 2\r\nhi\r\n").count(), 5_000);
    assert_eq!(publisher.until_pong("PUB a 2\r\nhi\r\n"), "");
    assert_eq!(subscriber.until_pong(""), "");
}

// A43
#[test]
fn a_connection_that_is_gone_has_no_subscriptions() {
    let server = ServerProcess::nats();
    let mut gone = Peer::plain(&server);
    assert_eq!(gone.until_pong("SUB a 1\r\n"), "");
    assert_eq!(
        gone.until_closed("FOO\r\n"),
        "-ERR 'Unknown Protocol Operation'\r\n"
    );
    let mut peer = Peer::plain(&server);
    assert_eq!(peer.until_pong("SUB r 1\r\n"), "");
    // The server may still be clearing up when the client sees the end.
    let deadline = std::time::Instant::now() + recado_conformance::PATIENCE;
    while !peer
        .until_pong("PUB a r 0\r\n\r\n")
        .contains("NATS/1.0 503")
    {
        assert!(
            std::time::Instant::now() < deadline,
            "its subscription is still there"
        );
    }
}
