//! Push consumers: delivery to a subject, to a queue group, with heartbeats and flow control.

use serde_json::{Value, json};

use crate::js::{Js, delivery, header, status, text, texts};

/// A stream S with three messages m0 to m2.
fn start() -> Js {
    let mut js = Js::start();
    js.stream("S", json!({}));
    for number in 0..3 {
        js.publish("s.a", &format!("m{number}"));
    }
    js
}

// E128
#[test]
fn a_push_consumer_delivers_to_its_subject_while_somebody_listens() {
    let mut js = start();
    js.consumer("S", "p", json!({ "deliver_subject": "to.me" }));
    assert_eq!(js.consumer_info("S", "p")["push_bound"], json!(null));
    let here = js.subscribe("to.me", "");
    let got = js.next_many(&here, 3);
    assert_eq!(texts(&got), ["m0", "m1", "m2"]);
    assert!(got.iter().all(|message| message.subject == "s.a"));
    assert_eq!(delivery(&got[2]).consumer_seq, 3);
    assert_eq!(js.consumer_info("S", "p")["push_bound"], true);
    js.unsubscribe(&here);
    js.publish("s.a", "later");
    assert_eq!(js.consumer_info("S", "p")["delivered"]["consumer_seq"], 3);
    let again = js.subscribe("to.me", "");
    assert_eq!(text(&js.next(&again)), "later");
}

// E128
#[test]
fn a_deliver_group_shares_the_messages() {
    let mut js = start();
    js.consumer(
        "S",
        "p",
        json!({ "deliver_subject": "to.us", "deliver_group": "g" }),
    );
    let plain = js.subscribe("to.us", "");
    js.settle();
    assert_eq!(
        js.consumer_info("S", "p")["delivered"]["consumer_seq"],
        0,
        "a group is awaited"
    );
    let member = js.subscribe("to.us", "g");
    let other = js.subscribe("to.us", "g");
    for _ in 0..40 {
        js.publish("s.a", "more");
    }
    while js.consumer_info("S", "p")["delivered"]["consumer_seq"] != 43 {}
    let (first, second) = (js.waiting(&member), js.waiting(&other));
    assert_eq!(first + second, 43);
    assert!(first > 0 && second > 0, "{first} and {second}");
    // A plain subscriber hears what is published to the subject as well.
    js.unsubscribe(&plain);
}

// E113, E128
#[test]
fn an_idle_push_consumer_says_where_it_is() {
    let mut js = start();
    let here = js.subscribe("to.me", "");
    js.consumer(
        "S",
        "p",
        json!({ "deliver_subject": "to.me", "idle_heartbeat": 200_000_000 }),
    );
    js.next_many(&here, 3);
    for _ in 0..2 {
        let beat = js.next(&here);
        assert_eq!(status(&beat).as_deref(), Some("100 Idle Heartbeat"));
        assert_eq!((beat.subject.as_str(), &beat.reply), ("to.me", &None));
        assert_eq!(header(&beat, "Nats-Last-Consumer").as_deref(), Some("3"));
        assert_eq!(header(&beat, "Nats-Last-Stream").as_deref(), Some("3"));
    }
}

// E114, E128
#[test]
fn flow_control_waits_for_the_subscriber() {
    let mut js = start();
    let big = "x".repeat(60_000);
    for _ in 0..20 {
        js.publish("s.a", &big);
    }
    let here = js.subscribe("to.me", "");
    let config = json!({ "deliver_subject": "to.me", "idle_heartbeat": 5_000_000_000_u64,
                         "flow_control": true, "ack_policy": "none" });
    js.consumer("S", "p", config);
    let (mut messages, mut requests) = (0, 0);
    while messages < 23 {
        let got = js.next(&here);
        match status(&got).as_deref() {
            None => messages += 1,
            Some("100 FlowControl Request") => {
                requests += 1;
                let reply = got.reply.expect("a flow control request is answered");
                assert!(reply.starts_with("$JS.FC.S.p."), "{reply}");
                js.send(&reply, "", &[], b"");
            }
            Some(other) => panic!("{other}"),
        }
    }
    assert!(requests > 0, "1.2 MB went out without a question");
}

// E137
#[test]
fn a_bound_consumer_keeps_its_subject_and_an_unbound_one_moves() {
    let mut js = start();
    js.consumer("S", "p", json!({ "deliver_subject": "to.me" }));
    js.consumer("S", "p", json!({ "deliver_subject": "to.you" }));
    let here = js.subscribe("to.you", "");
    js.next_many(&here, 3);
    let request = crate::js::consumer_request("S", "p", json!({ "deliver_subject": "to.him" }));
    let refused = js.error("CONSUMER.CREATE.S.p", request);
    assert_eq!(
        refused,
        (400, 10013, "consumer name already in use".to_owned())
    );
}

// E143
#[test]
fn an_ordered_consumer_counts_without_gaps_from_where_it_starts() {
    let mut js = start();
    js.ok("STREAM.MSG.DELETE.S", json!({ "seq": 2 }));
    js.publish("s.b", "m3");
    let here = js.subscribe("to.me", "");
    let config = json!({ "deliver_subject": "to.me", "idle_heartbeat": 5_000_000_000_u64,
                         "flow_control": true, "ack_policy": "none", "max_deliver": 1,
                         "mem_storage": true, "num_replicas": 1, "inactive_threshold": 5_000_000_000_u64 });
    let request = json!({ "stream_name": "S", "config": config });
    let made = js.ok("CONSUMER.CREATE.S", request);
    assert_eq!(made["config"]["mem_storage"], true);
    let got = js.next_many(&here, 3);
    let places: Vec<_> = got
        .iter()
        .map(|message| (delivery(message).stream_seq, delivery(message).consumer_seq))
        .collect();
    assert_eq!(places, [(1, 1), (3, 2), (4, 3)]);
}

// E131
#[test]
fn an_ephemeral_consumer_goes_when_nobody_listens_any_more() {
    let mut js = start();
    let here = js.subscribe("to.me", "");
    let config =
        json!({ "name": "e", "deliver_subject": "to.me", "inactive_threshold": 100_000_000 });
    js.ok(
        "CONSUMER.CREATE.S.e",
        json!({ "stream_name": "S", "config": config }),
    );
    js.next_many(&here, 3);
    js.unsubscribe(&here);
    let deadline = std::time::Instant::now() + recado_conformance::PATIENCE;
    while js.reply("CONSUMER.INFO.S.e", json!(null))["error"].is_null() {
        assert!(std::time::Instant::now() < deadline, "it stays");
    }
}

/// A push consumer with this deliver group that was made beside these subscriptions, each a filter and a queue
/// group; whether it is bound, and how much it delivered, after it had time to.
fn bound_beside(subscriptions: &[(&str, &str)], group: &str) -> (bool, Value) {
    let mut js = start();
    for (filter, queue) in subscriptions {
        js.subscribe(filter, queue);
    }
    let mut config = json!({ "deliver_subject": "to.me" });
    if !group.is_empty() {
        config["deliver_group"] = json!(group);
    }
    js.consumer("S", "p", config);
    // One that is heard beyond doubt has its messages first.
    let other = js.subscribe("to.other", "");
    js.consumer("S", "o", json!({ "deliver_subject": "to.other" }));
    js.next_many(&other, 3);
    let info = js.consumer_info("S", "p");
    (
        info["push_bound"] == true,
        info["delivered"]["consumer_seq"].clone(),
    )
}

// E128
#[test]
fn only_a_plain_subscription_to_the_very_subject_binds_a_push_consumer() {
    for subscriptions in [
        &[("to.>", "")][..],
        &[("to.*", "")],
        &[("to.me", "q")],
        &[("to.>", ""), ("to.>", "q")],
    ] {
        let unbound = (false, json!(0));
        assert_eq!(
            bound_beside(subscriptions, ""),
            unbound,
            "{subscriptions:?}"
        );
    }
    let several = [("to.me", "q"), ("to.>", ""), ("to.me", "")];
    assert_eq!(bound_beside(&several, ""), (true, json!(3)));
}

// E128
#[test]
fn only_a_member_of_the_group_at_the_very_subject_binds_its_consumer() {
    for subscriptions in [&[("to.me", "")][..], &[("to.me", "h")], &[("to.>", "g")]] {
        let unbound = (false, json!(0));
        assert_eq!(
            bound_beside(subscriptions, "g"),
            unbound,
            "{subscriptions:?}"
        );
    }
    let several = [("to.me", "h"), ("to.me", "g")];
    assert_eq!(bound_beside(&several, "g"), (true, json!(3)));
}

// E128
#[test]
fn who_listens_by_a_wildcard_gets_what_is_pushed_for_another() {
    let mut js = start();
    let (all, shared) = (js.subscribe("to.>", ""), js.subscribe("to.me", "q"));
    js.consumer("S", "p", json!({ "deliver_subject": "to.me" }));
    js.settle();
    let here = js.subscribe("to.me", "");
    for inbox in [&here, &all, &shared] {
        assert_eq!(texts(&js.next_many(inbox, 3)), ["m0", "m1", "m2"]);
    }
    js.unsubscribe(&here);
    while js.consumer_info("S", "p")["push_bound"] == true {}
}
