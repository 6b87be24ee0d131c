//! What a publisher is told, and the headers with which it asks for more than storing.

use serde_json::{Value, json};

use crate::js::{Js, error, error_of, status};

// E83
#[test]
fn an_ack_names_the_stream_and_the_sequence_and_nothing_else() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    for seq in 1..=3 {
        let ack = js.publish_with("s.a", &[], "x");
        assert_eq!(ack, json!({ "stream": "S", "seq": seq }));
    }
}

// E83
#[test]
fn a_refused_publish_names_the_stream_too() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    let ack = js.publish_with("s.a", &[("Nats-Expected-Stream", "T")], "x");
    assert_eq!(
        ack,
        json!({ "error": { "code": 400, "err_code": 10060,
                           "description": "expected stream does not match" },
                "stream": "S", "seq": 0 })
    );
    assert_eq!(js.stream_info("S")["state"]["messages"], 0);
}

// E63
#[test]
fn a_stream_without_acks_says_nothing() {
    let mut js = Js::start();
    js.stream("S", json!({ "no_ack": true }));
    let inbox = js.inbox();
    js.send("s.a", &inbox.subject, &[], b"x");
    while js.stream_info("S")["state"]["messages"] != 1 {}
    assert_eq!(js.waiting(&inbox), 0);
}

// E99
#[test]
fn a_subject_of_no_stream_has_no_responders() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    let reply = js.ask("t.a", &[], b"x");
    assert_eq!(status(&reply).as_deref(), Some("503"));
}

// E83
#[test]
fn a_publish_without_a_reply_subject_is_stored() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    js.send("s.a", "", &[], b"one");
    assert_eq!(js.publish("s.a", "two"), 2);
}

// E85
#[test]
fn a_message_id_is_stored_once() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    js.stream("T", json!({}));
    let id = [("Nats-Msg-Id", "one")];
    assert_eq!(
        js.publish_with("s.a", &id, "x"),
        json!({ "stream": "S", "seq": 1 })
    );
    let again = js.publish_with("s.b", &id, "y");
    assert_eq!(again, json!({ "stream": "S", "seq": 1, "duplicate": true }));
    assert_eq!(
        js.publish_with("t.a", &id, "x")["seq"],
        1,
        "another stream does not know it"
    );
    assert_eq!(js.publish("s.a", "z"), 2);
}

// E85
#[test]
fn a_message_id_is_forgotten_after_the_window() {
    let mut js = Js::start();
    js.stream("S", json!({ "duplicate_window": 100_000_000 }));
    let id = [("Nats-Msg-Id", "one")];
    assert_eq!(js.publish_with("s.a", &id, "x")["seq"], 1);
    let deadline = std::time::Instant::now() + recado_conformance::PATIENCE;
    while js.publish_with("s.a", &id, "x")["seq"] == 1 {
        assert!(
            std::time::Instant::now() < deadline,
            "it is never forgotten"
        );
    }
}

// E85, G27
#[test]
fn a_message_id_is_known_after_a_restart() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    let id = [("Nats-Msg-Id", "one")];
    assert_eq!(js.publish_with("s.a", &id, "x")["seq"], 1);
    js.restart();
    assert_eq!(js.publish_with("s.a", &id, "x")["duplicate"], true);
}

// E87
#[test]
fn the_expected_last_sequence_is_that_of_the_stream() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    let expect = |js: &mut Js, seq: &str| {
        js.publish_with("s.a", &[("Nats-Expected-Last-Sequence", seq)], "x")
    };
    assert_eq!(expect(&mut js, "0")["seq"], 1);
    assert_eq!(
        error_of(&expect(&mut js, "9")),
        error(400, 10071, "wrong last sequence: 1")
    );
    assert_eq!(
        error_of(&expect(&mut js, "0")),
        error(400, 10071, "wrong last sequence: 1")
    );
    assert_eq!(
        error_of(&expect(&mut js, "x")),
        error(400, 10071, "wrong last sequence: 1")
    );
    assert_eq!(expect(&mut js, "1")["seq"], 2);
}

// E88
#[test]
fn the_expected_last_sequence_of_a_subject_is_its_own() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    let expect = |js: &mut Js, subject: &str, seq: &str| {
        js.publish_with(
            subject,
            &[("Nats-Expected-Last-Subject-Sequence", seq)],
            "x",
        )
    };
    assert_eq!(expect(&mut js, "s.a", "0")["seq"], 1);
    assert_eq!(expect(&mut js, "s.b", "0")["seq"], 2);
    assert_eq!(
        error_of(&expect(&mut js, "s.a", "0")),
        error(400, 10071, "wrong last sequence: 1")
    );
    assert_eq!(
        error_of(&expect(&mut js, "s.a", "2")),
        error(400, 10071, "wrong last sequence: 1")
    );
    assert_eq!(expect(&mut js, "s.a", "1")["seq"], 3);
    assert_eq!(
        error_of(&expect(&mut js, "s.c", "3")),
        error(400, 10071, "wrong last sequence: 0")
    );
}

// E89
#[test]
fn the_expected_last_sequence_may_be_of_another_subject() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    js.publish("s.a", "1");
    js.publish("s.b", "2");
    let (seq, of) = (
        "Nats-Expected-Last-Subject-Sequence",
        "Nats-Expected-Last-Subject-Sequence-Subject",
    );
    assert_eq!(
        js.publish_with("s.c", &[(seq, "1"), (of, "s.a")], "x")["seq"],
        3
    );
    let refused = js.publish_with("s.c", &[(seq, "2"), (of, "s.*")], "x");
    assert_eq!(
        error_of(&refused),
        error(400, 10071, "wrong last sequence: 3")
    );
    assert_eq!(
        js.publish_with("s.c", &[(seq, "3"), (of, "s.*")], "x")["seq"],
        4
    );
    let refused = js.publish_with("s.c", &[(of, "s.*")], "x");
    let words = "missing sequence for expected last sequence per subject";
    assert_eq!(error_of(&refused), error(400, 10193, words));
}

// E90
#[test]
fn the_expected_last_id_is_that_of_the_last_message() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    js.publish_with("s.a", &[("Nats-Msg-Id", "one")], "x");
    let expect =
        |js: &mut Js, id: &str| js.publish_with("s.a", &[("Nats-Expected-Last-Msg-Id", id)], "x");
    assert_eq!(
        error_of(&expect(&mut js, "two")),
        error(400, 10070, "wrong last msg ID: one")
    );
    assert_eq!(expect(&mut js, "one")["seq"], 2);
    assert_eq!(
        error_of(&expect(&mut js, "one")),
        error(400, 10070, "wrong last msg ID: ")
    );
}

// E91
#[test]
fn a_rollup_takes_what_was_there_before() {
    let mut js = Js::start();
    js.stream("S", json!({ "allow_rollup_hdrs": true }));
    for subject in ["s.a", "s.a", "s.b", "s.a"] {
        js.publish(subject, "x");
    }
    assert_eq!(
        js.publish_with("s.a", &[("Nats-Rollup", "sub")], "sum")["seq"],
        5
    );
    assert_eq!(js.sequences("S"), [3, 5]);
    assert_eq!(
        js.publish_with("s.c", &[("Nats-Rollup", "all")], "sum")["seq"],
        6
    );
    assert_eq!(js.sequences("S"), [6]);
    let refused = js.publish_with("s.a", &[("Nats-Rollup", "foo")], "x");
    assert_eq!(
        error_of(&refused),
        error(500, 10111, "rollup value invalid: \"foo\"")
    );
}

// E91
#[test]
fn a_rollup_that_is_not_allowed_is_refused() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    let refused = js.publish_with("s.a", &[("Nats-Rollup", "sub")], "x");
    assert_eq!(
        error_of(&refused),
        error(500, 10111, "rollup not permitted")
    );
}

// E84
#[test]
fn a_time_to_live_is_seconds_a_duration_or_never() {
    let mut js = Js::start();
    js.stream("S", json!({ "allow_msg_ttl": true }));
    let ttl = |js: &mut Js, value: &str| js.publish_with("s.a", &[("Nats-TTL", value)], "x");
    for value in ["never", "5", "1h"] {
        assert!(ttl(&mut js, value)["error"].is_null(), "{value}");
    }
    for value in ["0.5s", "abc", "500ms"] {
        let refused = error(400, 10165, "invalid per-message TTL");
        assert_eq!(error_of(&ttl(&mut js, value)), refused, "{value}");
    }
    js.stream("T", json!({}));
    let refused = js.publish_with("t.a", &[("Nats-TTL", "5")], "x");
    assert_eq!(
        error_of(&refused),
        error(400, 10166, "per-message TTL is disabled")
    );
}

// E84
#[test]
fn a_message_is_gone_after_its_time_to_live() {
    let mut js = Js::start();
    js.stream("S", json!({ "allow_msg_ttl": true }));
    js.publish_with("s.a", &[("Nats-TTL", "1s")], "x");
    js.publish("s.b", "stays");
    let deadline = std::time::Instant::now() + recado_conformance::PATIENCE;
    while js.stream_info("S")["state"]["messages"] != 1 {
        assert!(std::time::Instant::now() < deadline, "it never goes");
    }
    assert_eq!(js.sequences("S"), [2]);
}

// E96
#[test]
fn a_message_over_the_maximum_counts_its_headers() {
    let mut js = Js::start();
    js.stream("S", json!({ "max_msg_size": 100 }));
    let refused = error(400, 10054, "message size exceeds maximum allowed");
    assert_eq!(
        error_of(&js.publish_with("s.a", &[], &"x".repeat(101))),
        refused
    );
    let long = "y".repeat(100);
    assert_eq!(
        error_of(&js.publish_with("s.a", &[("A", &long)], "x")),
        refused
    );
    assert_eq!(js.publish("s.a", &"x".repeat(100)), 1);
}

// E96
#[test]
fn a_block_of_headers_over_64_kib_is_refused() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    let refused = js.publish_with("s.a", &[("A", &"y".repeat(66_000))], "x");
    assert_eq!(
        error_of(&refused),
        error(400, 10097, "header size exceeds maximum allowed of 64k")
    );
}

// E98
#[test]
fn a_client_does_not_claim_to_be_a_source() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    let refused = js.publish_with("s.a", &[("Nats-Stream-Source", "T 1")], "x");
    let words = "message stream source header is not allowed";
    assert_eq!(error_of(&refused), error(400, 10227, words));
}

// E83, G45
#[test]
fn headers_and_bytes_are_stored_as_they_came() {
    let mut js = Js::start();
    js.stream("S", json!({ "allow_direct": true }));
    js.publish_with(
        "s.a",
        &[("A", "b"), ("A", "c"), ("x-Y", "ñ")],
        "a\r\nPUB \0z",
    );
    let got = js.ask("$JS.API.DIRECT.GET.S", &[], br#"{"seq":1}"#);
    let headers = got.headers.expect("it has some");
    assert!(
        headers.starts_with("NATS/1.0\r\nA: b\r\nA: c\r\nx-Y: ñ\r\nNats-Stream: S\r\n"),
        "{headers}"
    );
    assert_eq!(got.payload, b"a\r\nPUB \0z");
    assert_eq!(js.stream_info("S")["state"]["num_subjects"], Value::from(1));
}
