//! What each verb takes, what it answers, and what it is refused with.

use recado_conformance::{Peer, ServerProcess};

/// Sends this on a connection of its own and returns what the server said before it closed it.
fn closes_with(server: &ServerProcess, input: &str) -> String {
    Peer::plain(server).until_closed(input)
}

const UNKNOWN: &str = "-ERR 'Unknown Protocol Operation'\r\n";

// A20, A25
#[test]
fn pub_reaches_a_subscriber_with_and_without_reply() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let said = peer.until_pong("SUB foo 1\r\nPUB foo 5\r\nhello\r\nPUB foo bar 0\r\n\r\n");
    assert_eq!(said, "MSG foo 1 5\r\nhello\r\nMSG foo 1 bar 0\r\n\r\n");
}

// A20, A103
#[test]
fn malformed_pub_closes_in_silence() {
    let server = ServerProcess::nats();
    for line in [
        "PUB a",
        "PUB a b c 2",
        "PUB a -1",
        "PUB a x",
        "PUB a +2",
        "PUB a 2x",
    ] {
        assert_eq!(
            closes_with(&server, &format!("{line}\r\nhi\r\n")),
            "",
            "{line}"
        );
    }
    assert_eq!(closes_with(&server, "PUB a 99999999999999999999\r\n"), "");
}

// A20
#[test]
fn a_size_has_nine_digits_at_the_most() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let said = peer.until_pong("SUB foo 1\r\nPUB bar 000000002\r\nhi\r\nPUB foo 0\r\n\r\n");
    assert_eq!(said, "MSG foo 1 0\r\n\r\n");
    for line in ["PUB a 0000000002", "PUB a 9999999999", "PUB a r 0000000002"] {
        let said = closes_with(&server, &format!("{line}\r\nhi\r\n"));
        assert_eq!(said, "", "{line}");
    }
    // What is no count ends the subscription at once.
    let said = peer.until_pong("UNSUB 1 0000000009\r\nPUB foo 0\r\n\r\n");
    assert_eq!(said, "");
}

// A80
#[test]
fn a_verb_without_arguments_is_unknown() {
    let server = ServerProcess::nats();
    for verb in ["PUB", "HPUB", "SUB", "UNSUB"] {
        assert_eq!(
            closes_with(&server, &format!("{verb}\r\n")),
            UNKNOWN,
            "{verb}"
        );
    }
}

// A20
#[test]
fn a_payload_may_hold_any_byte() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let payload: Vec<u8> = (0..=255).chain(*b"\r\nPUB x 1\r\n\r\n").collect();
    peer.send(format!("SUB foo 1\r\nPUB foo {}\r\n", payload.len()));
    peer.send(&payload);
    peer.send("\r\n");
    assert_eq!(peer.message().payload, payload);
}

// A20
#[test]
fn a_size_may_have_leading_zeros() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    peer.send("SUB foo 1\r\nPUB foo 002\r\nhi\r\n");
    assert_eq!(peer.message().payload, b"hi");
}

// A21, A26
#[test]
fn hpub_carries_headers_reply_and_payload() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let said = peer.until_pong(concat!(
        "SUB foo 1\r\n",
        "HPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
        "HPUB foo bar 18 18\r\nNATS/1.0\r\nA: b\r\n\r\n\r\n",
    ));
    assert_eq!(
        said,
        concat!(
            "HMSG foo 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
            "HMSG foo 1 bar 18 18\r\nNATS/1.0\r\nA: b\r\n\r\n\r\n",
        )
    );
}

// A21, A51
#[test]
fn a_header_block_passes_byte_for_byte_whatever_is_in_it() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let block = "NATS/1.0\r\nA: b\r\na:c\r\nA:  b \r\n\r\n";
    let publish = format!("SUB foo 1\r\nHPUB foo {0} {0}\r\n{block}\r\n", block.len());
    assert_eq!(
        peer.until_pong(publish),
        format!("HMSG foo 1 {0} {0}\r\n{block}\r\n", block.len())
    );
    assert_eq!(
        peer.until_pong("HPUB foo 3 6\r\nxyzabc\r\n"),
        "HMSG foo 1 3 6\r\nxyzabc\r\n"
    );
}

// A21
#[test]
fn hpub_with_no_header_bytes_is_a_plain_message() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    assert_eq!(
        peer.until_pong("SUB foo 1\r\nHPUB foo 0 3\r\nabc\r\n"),
        "MSG foo 1 3\r\nabc\r\n"
    );
}

// A21, A103
#[test]
fn malformed_hpub_closes_in_silence() {
    let server = ServerProcess::nats();
    for line in [
        "HPUB a 13 12",
        "HPUB a 12",
        "HPUB a b c 12 12",
        "HPUB a x 12",
        "HPUB a -1 12",
    ] {
        let said = closes_with(&server, &format!("{line}\r\nNATS/1.0\r\n\r\n\r\n"));
        assert_eq!(said, "", "{line}");
    }
}

// A21, A103
#[test]
fn hpub_of_a_client_without_headers_closes_in_silence() {
    let server = ServerProcess::nats();
    let hpub = "HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n";
    assert_eq!(Peer::connect(&server).until_closed(hpub), "");
    let mut peer = Peer::with(&server, r#"{"verbose":false,"headers":false}"#);
    assert_eq!(peer.until_closed(hpub), "");
}

// A27
#[test]
fn a_receiver_without_headers_gets_the_payload_alone() {
    let server = ServerProcess::nats();
    let mut bare = Peer::with(&server, r#"{"verbose":false}"#);
    assert_eq!(bare.until_pong("SUB foo 1\r\n"), "");
    let mut peer = Peer::plain(&server);
    let publish =
        "HPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHPUB foo r 12 12\r\nNATS/1.0\r\n\r\n\r\n";
    assert_eq!(peer.until_pong(publish), "");
    assert_eq!(
        bare.until_pong(""),
        "MSG foo 1 2\r\nhi\r\nMSG foo 1 r 0\r\n\r\n"
    );
}

// A22
#[test]
fn a_sid_is_opaque_text() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let said = peer.until_pong("SUB foo sid.x-*>\r\nPUB foo 0\r\n\r\n");
    assert_eq!(said, "MSG foo sid.x-*> 0\r\n\r\n");
}

// A22
#[test]
fn a_sid_in_use_stays_with_its_first_subscription() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let said = peer.until_pong("SUB foo 1\r\nSUB bar 1\r\nPUB bar 0\r\n\r\nPUB foo 0\r\n\r\n");
    assert_eq!(said, "MSG foo 1 0\r\n\r\n");
    let said = peer.until_pong("UNSUB 1\r\nSUB bar 1\r\nPUB bar 0\r\n\r\nPUB foo 0\r\n\r\n");
    assert_eq!(
        said, "MSG bar 1 0\r\n\r\n",
        "once it is free it can be used again"
    );
}

// A22, A103
#[test]
fn malformed_sub_closes_in_silence() {
    let server = ServerProcess::nats();
    for line in ["SUB a", "SUB a b c d"] {
        assert_eq!(closes_with(&server, &format!("{line}\r\n")), "", "{line}");
    }
}

// A23
#[test]
fn unsub_ends_a_subscription_at_once() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let said = peer.until_pong("SUB foo 1\r\nPUB foo 0\r\n\r\nUNSUB 1\r\nPUB foo 0\r\n\r\n");
    assert_eq!(said, "MSG foo 1 0\r\n\r\n");
}

// A23
#[test]
fn unsub_of_an_unknown_sid_does_nothing() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    assert_eq!(peer.until_pong("UNSUB 77\r\nUNSUB 78 5\r\n"), "");
    let said = peer.until_pong("SUB foo 78\r\nPUB foo 0\r\n\r\n");
    assert_eq!(said, "MSG foo 78 0\r\n\r\n");
}

// A23
#[test]
fn unsub_with_a_maximum_that_is_no_positive_number_is_immediate() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    for max in ["0", "-1", "x"] {
        let said = peer.until_pong(format!("SUB foo 1\r\nUNSUB 1 {max}\r\nPUB foo 0\r\n\r\n"));
        assert_eq!(said, "", "UNSUB 1 {max}");
    }
}

// A23, A103
#[test]
fn malformed_unsub_closes_in_silence() {
    let server = ServerProcess::nats();
    assert_eq!(closes_with(&server, "UNSUB 1 2 3\r\n"), "");
}

// A24
#[test]
fn auto_unsubscribe_delivers_as_many_as_asked_for() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let publish = "PUB foo 0\r\n\r\n";
    let said = peer.until_pong(format!("SUB foo 1\r\nUNSUB 1 2\r\n{}", publish.repeat(4)));
    assert_eq!(said, "MSG foo 1 0\r\n\r\n".repeat(2));
}

// A23, A24
#[test]
fn auto_unsubscribe_counts_from_the_subscription_on() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let publish = "PUB foo 0\r\n\r\n";
    let delivered = "MSG foo 1 0\r\n\r\n";
    assert_eq!(
        peer.until_pong(format!("SUB foo 1\r\n{publish}")),
        delivered
    );
    let said = peer.until_pong(format!("UNSUB 1 3\r\n{}", publish.repeat(4)));
    assert_eq!(said, delivered.repeat(2), "one of three had been delivered");
    assert_eq!(
        peer.until_pong(format!("SUB foo 1\r\n{}", publish.repeat(2))),
        delivered.repeat(2)
    );
    assert_eq!(
        peer.until_pong(format!("UNSUB 1 2\r\n{publish}")),
        "",
        "both had been delivered"
    );
}

// A24
#[test]
fn the_maximum_of_auto_unsubscribe_can_be_changed() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let publish = "PUB foo 0\r\n\r\n".repeat(8);
    let said = peer.until_pong(format!("SUB foo 1\r\nUNSUB 1 2\r\nUNSUB 1 5\r\n{publish}"));
    assert_eq!(said, "MSG foo 1 0\r\n\r\n".repeat(5));
    let said = peer.until_pong(format!("SUB foo 1\r\nUNSUB 1 5\r\nUNSUB 1\r\n{publish}"));
    assert_eq!(said, "");
}

// A24
#[test]
fn after_auto_unsubscribe_the_sid_is_free() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let said = peer.until_pong(concat!(
        "SUB foo 1\r\nUNSUB 1 1\r\nPUB foo 0\r\n\r\nPUB foo 0\r\n\r\n",
        "SUB bar 1\r\nPUB bar 0\r\n\r\nPUB bar 0\r\n\r\n",
    ));
    assert_eq!(
        said,
        "MSG foo 1 0\r\n\r\nMSG bar 1 0\r\n\r\nMSG bar 1 0\r\n\r\n"
    );
}

// A28
#[test]
fn ping_gets_pong_at_any_time_whatever_follows_on_the_line() {
    let server = ServerProcess::nats();
    let mut peer = Peer::connect(&server);
    for ping in ["PING\r\n", "PING and more\r\n", "PINGX\r\n"] {
        peer.send(ping);
        assert_eq!(peer.frame(), "PONG\r\n", "{ping:?}");
    }
}

// A28
#[test]
fn the_line_of_a_ping_may_have_any_length() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    for verb in ["PING ", "PING", "PONG ", "+OK "] {
        let line = format!("{verb}{}\r\n", "x".repeat(100_000));
        let pong = if verb.starts_with("PING") { 1 } else { 0 };
        peer.send(line);
        for _ in 0..pong {
            assert_eq!(peer.frame(), "PONG\r\n", "{verb}");
        }
        assert_eq!(peer.until_pong(""), "", "{verb}");
    }
}

// A28
#[test]
fn pong_that_nobody_asked_for_is_ignored() {
    let server = ServerProcess::nats();
    assert_eq!(
        Peer::plain(&server).until_pong("PONG\r\nPONG\r\nPONG\r\n"),
        ""
    );
}

// A29
#[test]
fn a_verbose_client_gets_ok_for_each_verb_but_ping_and_pong() {
    let server = ServerProcess::nats();
    let mut peer = Peer::with(
        &server,
        r#"{"verbose":true,"pedantic":false,"headers":true}"#,
    );
    for verb in [
        "SUB foo 1\r\n",
        "SUB foo 1\r\n",
        "PUB bar 2\r\nhi\r\n",
        "HPUB bar 12 12\r\nNATS/1.0\r\n\r\n\r\n",
        "UNSUB 1\r\n",
        "UNSUB 99\r\n",
        "CONNECT {\"verbose\":true}\r\n",
    ] {
        assert_eq!(peer.until_pong(verb), "+OK\r\n", "{verb:?}");
    }
    assert_eq!(peer.until_pong("PONG\r\n"), "");
}

// A29
#[test]
fn a_verbose_client_gets_no_ok_for_what_is_refused() {
    let server = ServerProcess::nats();
    let mut peer = Peer::with(&server, r#"{"verbose":true,"pedantic":false}"#);
    assert_eq!(
        peer.until_pong("SUB a..b 1\r\n"),
        "-ERR 'Invalid Subject'\r\n"
    );
    let said = peer.until_pong("PUB _GR_.x 0\r\n\r\n");
    assert_eq!(
        said,
        "-ERR 'Permissions Violation for Publish to \"_GR_.x\"'\r\n"
    );
}

// A31
#[test]
fn what_only_servers_say_is_ignored_or_ends_the_connection() {
    let server = ServerProcess::nats();
    assert_eq!(Peer::plain(&server).until_pong("+OK\r\nINFO {}\r\n"), "");
    assert_eq!(closes_with(&server, "-ERR 'foo'\r\n"), "");
    for verb in ["RS+ a", "LS+ a", "A+ a", "MSG a 1 0"] {
        assert_eq!(
            closes_with(&server, &format!("{verb}\r\n")),
            UNKNOWN,
            "{verb}"
        );
    }
}

// A30, A80
#[test]
fn what_is_no_verb_is_answered_with_an_error_and_closed() {
    let server = ServerProcess::nats();
    let others = [
        "FOO\r\n",
        "PIN\r\n",
        "SUBx a 1\r\n",
        "\r\n",
        " PING\r\n",
        "\0\0\r\n",
    ];
    for input in others
        .into_iter()
        .chain(["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\x16\x03\x01"])
    {
        assert_eq!(closes_with(&server, input), UNKNOWN, "{input:?}");
        assert_eq!(
            Peer::connect(&server).until_closed(input),
            UNKNOWN,
            "{input:?} first"
        );
    }
}
