//! What a consumer delivers: where it starts, what it filters, how it counts.

use serde_json::{Value, json};

use crate::js::{Js, delivery, header, texts};

/// A stream S with six messages m1 to m6 on s.1, s.2, s.0, s.1, s.2, s.0.
fn start() -> Js {
    let mut js = Js::start();
    js.stream("S", json!({}));
    for number in 1..=6 {
        js.publish(&format!("s.{}", number % 3), &format!("m{number}"));
    }
    js
}

/// All that a consumer with this configuration delivers.
fn all(js: &mut Js, config: Value) -> Vec<String> {
    let name = format!("c{}", js.ok("CONSUMER.NAMES.S", Value::Null)["total"]);
    js.consumer("S", &name, config);
    texts(&js.fetch("S", &name, 10))
}

// E121
#[test]
fn each_deliver_policy_starts_where_it_says() {
    let mut js = start();
    let every = ["m1", "m2", "m3", "m4", "m5", "m6"];
    assert_eq!(all(&mut js, json!({})), every);
    assert_eq!(all(&mut js, json!({ "deliver_policy": "last" })), ["m6"]);
    let last = json!({ "deliver_policy": "last", "filter_subject": "s.1" });
    assert_eq!(all(&mut js, last), ["m4"]);
    assert!(all(&mut js, json!({ "deliver_policy": "new" })).is_empty());
    let from = json!({ "deliver_policy": "by_start_sequence", "opt_start_seq": 5 });
    assert_eq!(all(&mut js, from), ["m5", "m6"]);
    let each = json!({ "deliver_policy": "last_per_subject", "filter_subject": "s.*" });
    assert_eq!(all(&mut js, each), ["m4", "m5", "m6"]);
    let time = js.ok("STREAM.MSG.GET.S", json!({ "seq": 3 }))["message"]["time"].clone();
    let since = json!({ "deliver_policy": "by_start_time", "opt_start_time": time });
    assert_eq!(all(&mut js, since), every[2..]);
}

// E121
#[test]
fn a_consumer_of_what_is_new_gets_what_comes() {
    let mut js = start();
    js.consumer("S", "n", json!({ "deliver_policy": "new" }));
    js.publish("s.0", "m7");
    let got = js.take("S", "n", 1);
    assert_eq!(
        (texts(&got), delivery(&got[0]).consumer_seq),
        (vec!["m7".to_owned()], 1)
    );
}

// E124, E142
#[test]
fn filters_choose_and_count_what_is_left() {
    let mut js = start();
    assert_eq!(
        all(&mut js, json!({ "filter_subject": "s.1" })),
        ["m1", "m4"]
    );
    assert_eq!(
        all(&mut js, json!({ "filter_subjects": ["s.1", "s.2"] })),
        ["m1", "m2", "m4", "m5"]
    );
    js.consumer("S", "f", json!({ "filter_subjects": ["s.0", "s.2"] }));
    assert_eq!(js.consumer_info("S", "f")["num_pending"], 4);
    let got = js.fetch("S", "f", 10);
    let places: Vec<_> = got
        .iter()
        .map(delivery)
        .map(|place| (place.stream_seq, place.consumer_seq, place.pending))
        .collect();
    assert_eq!(places, [(2, 1, 3), (3, 2, 2), (5, 3, 1), (6, 4, 0)]);
}

// E142
#[test]
fn pending_counts_what_matches_and_is_still_there() {
    let mut js = start();
    js.consumer("S", "p", json!({ "filter_subject": "s.1" }));
    let pending = |js: &mut Js| js.consumer_info("S", "p")["num_pending"].clone();
    assert_eq!(pending(&mut js), 2);
    js.publish("s.1", "m7");
    js.publish("s.2", "m8");
    assert_eq!(pending(&mut js), 3);
    js.ok("STREAM.MSG.DELETE.S", json!({ "seq": 4 }));
    assert_eq!(pending(&mut js), 2);
    let got = js.fetch("S", "p", 1);
    assert_eq!(
        (texts(&got), delivery(&got[0]).pending),
        (vec!["m1".to_owned()], 1)
    );
    js.ok("STREAM.PURGE.S", Value::Null);
    assert_eq!(pending(&mut js), 0);
}

// E130
#[test]
fn headers_only_leaves_the_body_and_tells_its_size() {
    let mut js = start();
    js.publish_with("s.h", &[("A", "b")], "12345");
    js.consumer(
        "S",
        "h",
        json!({ "headers_only": true, "filter_subject": "s.h" }),
    );
    let got = js.fetch("S", "h", 1);
    assert!(got[0].payload.is_empty());
    assert_eq!(header(&got[0], "Nats-Msg-Size").as_deref(), Some("5"));
    assert_eq!(header(&got[0], "A").as_deref(), Some("b"));
}

// E129
#[test]
fn the_original_pace_is_kept() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    js.publish("s.a", "m1");
    let pause = std::time::Instant::now();
    while pause.elapsed().as_millis() < 300 {
        js.settle();
    }
    js.publish("s.a", "m2");
    js.consumer("S", "o", json!({ "replay_policy": "original" }));
    let before = std::time::Instant::now();
    let inbox = js.pull("S", "o", r#"{"batch":2,"expires":20000000000}"#);
    assert_eq!(texts(&js.next_many(&inbox, 2)), ["m1", "m2"]);
    assert!(
        before.elapsed().as_millis() >= 290,
        "{:?}",
        before.elapsed()
    );
}

// E138
#[test]
fn info_tells_what_was_delivered_and_who_waits() {
    let mut js = start();
    js.consumer("S", "c", json!({}));
    js.fetch("S", "c", 2);
    let _waits = js.pull("S", "c", r#"{"batch":9,"expires":20000000000}"#);
    while js.consumer_info("S", "c")["num_waiting"] != 1 {}
    let info = js.consumer_info("S", "c");
    assert_eq!(info["delivered"]["consumer_seq"], 6);
    assert_eq!(info["delivered"]["stream_seq"], 6);
    assert!(info["delivered"]["last_active"].is_string());
    assert_eq!(
        (&info["num_ack_pending"], &info["num_pending"]),
        (&json!(6), &json!(0))
    );
}

// E69
#[test]
fn a_stream_bounds_its_consumers() {
    let mut js = Js::start();
    js.stream("S", json!({ "max_consumers": 1 }));
    js.consumer("S", "a", json!({}));
    let request = crate::js::consumer_request("S", "b", json!({}));
    let refused = js.error("CONSUMER.CREATE.S.b", request);
    assert_eq!(
        refused,
        (400, 10026, "maximum consumers limit reached".to_owned())
    );
    js.stream("T", json!({ "consumer_limits": { "max_ack_pending": 7, "inactive_threshold": 60_000_000_000_u64 } }));
    let config = js.consumer("T", "a", json!({}))["config"].clone();
    assert_eq!(
        (&config["max_ack_pending"], &config["inactive_threshold"]),
        (&json!(7), &json!(60_000_000_000_u64))
    );
}
