//! Work queues and streams that keep what somebody is interested in.

use recado_conformance::PATIENCE;
use serde_json::{Value, json};

use crate::js::{Js, consumer_request, error, texts};

fn messages(js: &mut Js, name: &str) -> u64 {
    js.stream_info(name)["state"]["messages"]
        .as_u64()
        .expect("a number")
}

/// Removal may follow the ack's answer.
fn until_left(js: &mut Js, name: &str, count: u64) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while messages(js, name) != count {
        assert!(
            std::time::Instant::now() < deadline,
            "{name} never has {count} messages"
        );
    }
}

// E56, E81
#[test]
fn a_work_queue_drops_what_is_acked_or_terminated() {
    let mut js = Js::start();
    js.stream("W", json!({ "retention": "workqueue" }));
    for number in 0..4 {
        js.publish("w.a", &format!("m{number}"));
    }
    js.consumer("W", "c", json!({}));
    let got = js.fetch("W", "c", 3);
    assert_eq!(messages(&mut js, "W"), 4);
    js.ack(&got[1], "");
    until_left(&mut js, "W", 3);
    js.ack(&got[2], "+TERM");
    until_left(&mut js, "W", 2);
    js.ack(&got[0], "-NAK");
    assert_eq!(texts(&js.fetch("W", "c", 5)), ["m0", "m3"]);
    assert_eq!(messages(&mut js, "W"), 2);
}

// E81
#[test]
fn a_work_queue_has_one_consumer_for_each_message() {
    let mut js = Js::start();
    js.stream("W", json!({ "retention": "workqueue" }));
    let mut refused = |config: Value, err_code: u64, words: &str| {
        let got = js.error("CONSUMER.CREATE.W.x", consumer_request("W", "x", config));
        assert_eq!(got, error(400, err_code, words));
    };
    let words = "consumer in pull mode requires explicit ack policy on workqueue stream";
    refused(json!({ "ack_policy": "none" }), 10084, words);
    let words = "consumer must be deliver all on workqueue stream";
    refused(json!({ "deliver_policy": "new" }), 10101, words);
    js.consumer("W", "one", json!({ "filter_subject": "w.1" }));
    js.consumer("W", "two", json!({ "filter_subject": "w.2" }));
    let request = consumer_request("W", "x", json!({ "filter_subject": "w.1" }));
    let words = "filtered consumer not unique on workqueue stream";
    assert_eq!(
        js.error("CONSUMER.CREATE.W.x", request),
        error(400, 10100, words)
    );
    let request = consumer_request("W", "x", json!({}));
    let words = "multiple non-filtered consumers not allowed on workqueue stream";
    assert_eq!(
        js.error("CONSUMER.CREATE.W.x", request),
        error(400, 10099, words)
    );
    js.ok("CONSUMER.DELETE.W.one", Value::Null);
    js.consumer("W", "x", json!({ "filter_subject": "w.1" }));
}

// E56, E82
#[test]
fn without_interest_nothing_is_kept_and_a_sequence_is_given() {
    let mut js = Js::start();
    js.stream("I", json!({ "retention": "interest" }));
    assert_eq!(js.publish("i.a", "x"), 1);
    let state = js.stream_info("I")["state"].clone();
    assert_eq!(
        (&state["messages"], &state["last_seq"]),
        (&json!(0), &json!(1))
    );
    js.consumer("I", "c", json!({ "filter_subject": "i.b" }));
    assert_eq!(js.publish("i.a", "x"), 2);
    assert_eq!(js.publish("i.b", "x"), 3);
    until_left(&mut js, "I", 1);
}

// E82
#[test]
fn what_all_who_are_interested_have_acked_goes() {
    let mut js = Js::start();
    js.stream("I", json!({ "retention": "interest" }));
    js.consumer("I", "a", json!({}));
    js.consumer("I", "b", json!({}));
    js.publish("i.a", "x");
    js.publish("i.a", "y");
    let first = js.take("I", "a", 2);
    js.ack(&first[0], "");
    js.ack(&first[1], "");
    assert_eq!(messages(&mut js, "I"), 2);
    let second = js.take("I", "b", 1);
    js.ack(&second[0], "");
    until_left(&mut js, "I", 1);
    js.ok("CONSUMER.DELETE.I.b", Value::Null);
    until_left(&mut js, "I", 0);
}
