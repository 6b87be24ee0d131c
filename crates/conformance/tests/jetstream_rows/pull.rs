//! Pull requests: what they may say, what comes of them, and the status lines that end them.

use serde_json::json;

use crate::js::{Js, delivery, header, status, text, texts};

/// A stream S with five messages m0 to m4 on s.0 and s.1, and a consumer c.
fn start() -> Js {
    let mut js = Js::start();
    js.stream("S", json!({}));
    for number in 0..5 {
        js.publish(&format!("s.{}", number % 2), &format!("m{number}"));
    }
    js.consumer("S", "c", json!({}));
    js
}

// E38, E100, E139
#[test]
fn a_delivery_keeps_its_subject_and_tells_its_place_in_the_reply() {
    let mut js = start();
    let inbox = js.pull("S", "c", "");
    let message = js.next(&inbox);
    assert_eq!(
        (message.subject.as_str(), text(&message).as_str()),
        ("s.0", "m0")
    );
    let reply = message.reply.clone().expect("an ack subject");
    assert!(
        reply.starts_with("$JS.ACK.S.c.1.1.1.") && reply.ends_with(".4"),
        "{reply}"
    );
    assert_eq!(js.waiting(&inbox), 0, "an empty request is for one");
}

// E100
#[test]
fn a_number_is_a_batch() {
    let mut js = start();
    let inbox = js.pull("S", "c", "3");
    let got = js.next_many(&inbox, 3);
    assert_eq!(texts(&got), ["m0", "m1", "m2"]);
    assert_eq!(js.waiting(&inbox), 0);
    let pending: Vec<u64> = got
        .iter()
        .map(|message| delivery(message).pending)
        .collect();
    assert_eq!(pending, [4, 3, 2]);
}

// E101
#[test]
fn no_wait_ends_with_404_when_it_runs_dry_and_when_there_is_nothing() {
    let mut js = start();
    let inbox = js.pull("S", "c", r#"{"batch":9,"no_wait":true}"#);
    assert_eq!(
        texts(&js.next_many(&inbox, 5)),
        ["m0", "m1", "m2", "m3", "m4"]
    );
    let end = js.next(&inbox);
    assert_eq!(status(&end).as_deref(), Some("404 No Messages"));
    assert_eq!(
        (end.subject.as_str(), &end.reply),
        (inbox.subject.as_str(), &None)
    );
    assert_eq!(
        end.headers.as_deref(),
        Some("NATS/1.0 404 No Messages\r\n\r\n")
    );
    let request = r#"{"batch":9,"no_wait":true}"#;
    assert_eq!(js.pull_status("S", "c", request), "404 No Messages");
}

// E100, E118
#[test]
fn requests_wait_and_are_served_in_turn() {
    let mut js = start();
    js.fetch("S", "c", 5);
    let first = js.pull("S", "c", r#"{"batch":2,"expires":20000000000}"#);
    let second = js.pull("S", "c", r#"{"batch":2,"expires":20000000000}"#);
    js.settle();
    for number in 0..4 {
        js.publish("s.0", &format!("n{number}"));
    }
    assert_eq!(texts(&js.next_many(&first, 2)), ["n0", "n2"]);
    assert_eq!(texts(&js.next_many(&second, 2)), ["n1", "n3"]);
}

// E118
#[test]
fn a_request_whose_asker_has_gone_is_passed_over() {
    let mut js = start();
    js.fetch("S", "c", 5);
    let gone = js.pull("S", "c", r#"{"batch":1,"expires":20000000000}"#);
    js.unsubscribe(&gone);
    let stays = js.pull("S", "c", r#"{"batch":1,"expires":20000000000}"#);
    js.publish("s.0", "new");
    assert_eq!(text(&js.next(&stays)), "new");
}

// E102
#[test]
fn a_request_that_expires_says_what_it_did_not_get() {
    let mut js = start();
    let inbox = js.pull("S", "c", r#"{"batch":7,"expires":100000000}"#);
    js.next_many(&inbox, 5);
    let end = js.next(&inbox);
    assert_eq!(status(&end).as_deref(), Some("408 Request Timeout"));
    assert_eq!(header(&end, "Nats-Pending-Messages").as_deref(), Some("2"));
    assert_eq!(header(&end, "Nats-Pending-Bytes").as_deref(), Some("0"));
}

// E105
#[test]
fn who_waits_is_told_that_the_consumer_is_deleted() {
    let mut js = start();
    js.fetch("S", "c", 5);
    let inbox = js.pull("S", "c", r#"{"batch":1,"expires":20000000000}"#);
    js.settle();
    js.ok("CONSUMER.DELETE.S.c", serde_json::Value::Null);
    assert_eq!(
        status(&js.next(&inbox)).as_deref(),
        Some("409 Consumer Deleted")
    );
}

// E107
#[test]
fn one_request_too_many_is_refused_and_with_a_heartbeat_dropped() {
    let mut js = start();
    js.consumer(
        "S",
        "w",
        json!({ "filter_subject": "s.none", "max_waiting": 1 }),
    );
    let held = js.pull("S", "w", r#"{"batch":1,"expires":20000000000}"#);
    while js.consumer_info("S", "w")["num_waiting"] != 1 {}
    assert_eq!(js.pull_status("S", "w", ""), "409 Exceeded MaxWaiting");
    let beating = js.pull(
        "S",
        "w",
        r#"{"batch":1,"expires":9000000000,"idle_heartbeat":4000000000}"#,
    );
    js.settle();
    assert_eq!((js.waiting(&beating), js.waiting(&held)), (0, 0));
}

// E108, E127
#[test]
fn a_consumer_bounds_what_a_request_may_ask() {
    let mut js = start();
    let bounds = json!({ "max_batch": 2, "max_expires": 1_000_000_000, "max_bytes": 100 });
    js.consumer("S", "b", bounds);
    let cases = [
        (r#"{"batch":3}"#, "409 Exceeded MaxRequestBatch of 2"),
        (
            r#"{"batch":1,"expires":2000000000}"#,
            "409 Exceeded MaxRequestExpires of 1s",
        ),
        (
            r#"{"batch":1,"max_bytes":200}"#,
            "409 Exceeded MaxRequestMaxBytes of 100",
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(js.pull_status("S", "b", request), expected);
    }
    let inbox = js.pull("S", "b", r#"{"batch":1}"#);
    assert_eq!(text(&js.next(&inbox)), "m0");
}

// E109
#[test]
fn a_message_that_is_larger_than_the_bytes_asked_for_ends_the_request() {
    let mut js = start();
    let inbox = js.pull("S", "c", r#"{"batch":5,"max_bytes":1}"#);
    let end = js.next(&inbox);
    assert_eq!(
        status(&end).as_deref(),
        Some("409 Message Size Exceeds MaxBytes")
    );
    assert_eq!(header(&end, "Nats-Pending-Messages").as_deref(), Some("5"));
    assert_eq!(header(&end, "Nats-Pending-Bytes").as_deref(), Some("1"));
    assert_eq!(texts(&js.fetch("S", "c", 1)), ["m0"], "it is not lost");
}

// E110
#[test]
fn a_batch_that_is_full_before_its_bytes_are_says_so() {
    let mut js = start();
    let inbox = js.pull("S", "c", r#"{"batch":2,"max_bytes":2000}"#);
    js.next_many(&inbox, 2);
    let end = js.next(&inbox);
    assert_eq!(status(&end).as_deref(), Some("409 Batch Completed"));
    assert_eq!(header(&end, "Nats-Pending-Messages").as_deref(), Some("0"));
    let left = header(&end, "Nats-Pending-Bytes").expect("it is there");
    assert!(left.parse::<u32>().is_ok_and(|left| left < 2_000), "{left}");
}

// E111
#[test]
fn a_push_consumer_cannot_be_pulled_from() {
    let mut js = start();
    js.consumer("S", "p", json!({ "deliver_subject": "d" }));
    assert_eq!(js.pull_status("S", "p", ""), "409 Consumer is push based");
}

// E112
#[test]
fn a_bad_request_says_what_is_bad() {
    let mut js = start();
    let status = js.pull_status("S", "c", "{bad");
    assert!(status.starts_with("400 Bad Request - "), "{status}");
    let request = r#"{"batch":1,"expires":200000000,"idle_heartbeat":200000000}"#;
    let status = js.pull_status("S", "c", request);
    assert_eq!(status, "400 Bad Request - heartbeat value too large");
    js.consumer(
        "S",
        "o",
        json!({ "priority_groups": ["A"], "priority_policy": "overflow" }),
    );
    for (request, words) in [
        (r#"{"batch":1,"group":"B"}"#, "Invalid Priority Group"),
        (
            r#"{"batch":1,"group":"A","id":"x"}"#,
            "Not a Pinned Client Priority consumer",
        ),
        (
            r#"{"batch":1,"group":"A","priority":12}"#,
            "Priority must be between 0 and 9",
        ),
    ] {
        let status = js.pull_status("S", "o", request);
        assert_eq!(status, format!("400 Bad Request - {words}"));
    }
}

// E113
#[test]
fn a_request_that_waits_is_told_that_the_server_lives() {
    let mut js = start();
    js.fetch("S", "c", 5);
    let request = r#"{"batch":1,"expires":600000000,"idle_heartbeat":200000000}"#;
    let inbox = js.pull("S", "c", request);
    for _ in 0..2 {
        let beat = js.next(&inbox);
        assert_eq!(status(&beat).as_deref(), Some("100 Idle Heartbeat"));
        assert_eq!(header(&beat, "Nats-Last-Consumer").as_deref(), Some("5"));
        assert_eq!(header(&beat, "Nats-Last-Stream").as_deref(), Some("5"));
        assert_eq!(beat.reply, None);
    }
    assert_eq!(
        status(&js.next(&inbox)).as_deref(),
        Some("408 Request Timeout")
    );
}

// E116
#[test]
fn a_required_level_above_the_servers_is_a_status() {
    let mut js = start();
    let inbox = js.inbox();
    let headers = [("Nats-Required-Api-Level", "99")];
    js.send(
        "$JS.API.CONSUMER.MSG.NEXT.S.c",
        &inbox.subject,
        &headers,
        b"1",
    );
    assert_eq!(
        status(&js.next(&inbox)).as_deref(),
        Some("412 Required Api Level")
    );
}

// E101
#[test]
fn no_wait_takes_nothing_from_those_who_wait() {
    let mut js = start();
    js.fetch("S", "c", 5);
    let waits = js.pull("S", "c", r#"{"batch":1,"expires":20000000000}"#);
    while js.consumer_info("S", "c")["num_waiting"] != 1 {}
    let request = r#"{"batch":1,"no_wait":true}"#;
    assert_eq!(js.pull_status("S", "c", request), "404 No Messages");
    js.publish("s.0", "new");
    assert_eq!(text(&js.next(&waits)), "new");
}

// E115, E134
#[test]
fn a_pinned_consumer_serves_one_client() {
    let mut js = start();
    let config = json!({ "priority_groups": ["A"], "priority_policy": "pinned_client" });
    js.consumer("S", "p", config);
    let first = js.pull("S", "p", r#"{"batch":1,"group":"A","expires":20000000000}"#);
    let pin = header(&js.next(&first), "Nats-Pin-Id").expect("a pin");
    let wrong = r#"{"batch":1,"group":"A","id":"other","expires":20000000000}"#;
    let status = js.pull_status("S", "p", wrong);
    assert!(status.starts_with("423 "), "{status}");
    let request = json!({ "batch": 1, "group": "A", "id": pin, "expires": 20_000_000_000_u64 });
    let second = js.pull("S", "p", &request.to_string());
    let message = js.next(&second);
    assert_eq!(
        (text(&message).as_str(), header(&message, "Nats-Pin-Id")),
        ("m1", Some(pin))
    );
}

// E134
#[test]
fn an_overflow_request_is_served_only_past_its_mark() {
    let mut js = start();
    js.consumer(
        "S",
        "o",
        json!({ "priority_groups": ["A"], "priority_policy": "overflow" }),
    );
    let overflow = r#"{"batch":1,"group":"A","min_pending":5,"expires":20000000000}"#;
    let served = js.pull("S", "o", overflow);
    assert_eq!(text(&js.next(&served)), "m0");
    let not_served = js.pull("S", "o", overflow);
    let plain = js.pull("S", "o", r#"{"batch":1,"group":"A","expires":20000000000}"#);
    assert_eq!(text(&js.next(&plain)), "m1");
    assert_eq!(js.waiting(&not_served), 0);
}

// E106
#[test]
fn who_waits_is_told_that_the_server_stops() {
    let mut js = start();
    js.fetch("S", "c", 5);
    let inbox = js.pull("S", "c", r#"{"batch":2,"expires":20000000000}"#);
    while js.consumer_info("S", "c")["num_waiting"] != 1 {}
    js.stop_server();
    let end = js.next(&inbox);
    assert_eq!(status(&end).as_deref(), Some("409 Server Shutdown"));
    assert_eq!(header(&end, "Nats-Pending-Messages").as_deref(), Some("2"));
}

// E103
#[test]
fn no_wait_is_told_when_others_wait_for_what_there_is() {
    let mut js = start();
    js.consumer("S", "m", json!({ "max_ack_pending": 1 }));
    js.fetch("S", "m", 1);
    let first = js.pull("S", "m", r#"{"batch":9,"expires":20000000000}"#);
    while js.consumer_info("S", "m")["num_waiting"] != 1 {}
    let request = r#"{"batch":1,"no_wait":true}"#;
    assert_eq!(js.pull_status("S", "m", request), "408 Requests Pending");
    assert_eq!(js.waiting(&first), 0);
}
