//! Acks of every form, redelivery, and what is told about them.

use serde_json::{Value, json};

use crate::js::{Js, delivery, text, texts};

/// A stream S with five messages m0 to m4, and a consumer c with this configuration.
fn start(config: Value) -> Js {
    let mut js = Js::start();
    js.stream("S", json!({}));
    for number in 0..5 {
        js.publish("s.a", &format!("m{number}"));
    }
    js.consumer("S", "c", config);
    js
}

/// The consumer's ack floor in the stream, and how much waits for acks.
fn acked(js: &mut Js) -> (u64, u64) {
    let info = js.consumer_info("S", "c");
    let number = |value: &Value| value.as_u64().expect("a number");
    (
        number(&info["ack_floor"]["stream_seq"]),
        number(&info["num_ack_pending"]),
    )
}

/// The next message, as soon as there is one.
fn wait(js: &mut Js) -> recado_conformance::Message {
    let inbox = js.pull("S", "c", r#"{"batch":1,"expires":20000000000}"#);
    js.next(&inbox)
}

// E122, E138, E140
#[test]
fn explicit_acks_move_the_floor_past_what_is_whole() {
    let mut js = start(json!({}));
    let got = js.fetch("S", "c", 4);
    assert_eq!(acked(&mut js), (0, 4));
    js.ack(&got[1], "");
    assert_eq!(acked(&mut js), (0, 3));
    js.ack(&got[0], "+ACK");
    assert_eq!(acked(&mut js), (2, 2));
    js.ack(&got[2], "+OK");
    assert_eq!(acked(&mut js), (3, 1));
    js.ack(&got[2], "+ACK");
    assert_eq!(
        acked(&mut js),
        (3, 1),
        "a second ack of the same changes nothing"
    );
}

// E122
#[test]
fn an_ack_of_all_takes_what_was_delivered_before() {
    let mut js = start(json!({ "ack_policy": "all" }));
    let got = js.fetch("S", "c", 4);
    js.ack(&got[2], "");
    assert_eq!(acked(&mut js), (3, 1));
}

// E122
#[test]
fn without_acks_delivery_is_all() {
    let mut js = start(json!({ "ack_policy": "none" }));
    js.fetch("S", "c", 3);
    assert_eq!(acked(&mut js), (3, 0));
}

// E140, E141
#[test]
fn a_nak_brings_the_message_back_at_once_before_others() {
    let mut js = start(json!({}));
    let got = js.fetch("S", "c", 2);
    js.ack(&got[0], "-NAK");
    let again = js.fetch("S", "c", 2);
    assert_eq!(texts(&again), ["m0", "m2"]);
    let place = delivery(&again[0]);
    assert_eq!(
        (place.stream_seq, place.delivered, place.consumer_seq),
        (1, 2, 3)
    );
    assert_eq!(js.consumer_info("S", "c")["num_redelivered"], 1);
}

// E140
#[test]
fn a_nak_with_a_delay_brings_it_back_later() {
    for form in ["-NAK {\"delay\":200000000}", "-NAK 200ms"] {
        let mut js = start(json!({}));
        let got = js.fetch("S", "c", 5);
        let before = std::time::Instant::now();
        js.ack(&got[3], form);
        assert!(
            js.fetch("S", "c", 5).is_empty(),
            "{form}: it is not there at once"
        );
        let again = wait(&mut js);
        assert!(before.elapsed().as_millis() >= 200, "{form}");
        assert_eq!(
            (text(&again).as_str(), delivery(&again).delivered),
            ("m3", 2)
        );
    }
}

// E140
#[test]
fn a_termination_ends_redelivery_and_is_told_with_its_reason() {
    let mut js = start(json!({ "ack_wait": 200_000_000 }));
    let events = js.subscribe("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.S.c", "");
    let got = js.fetch("S", "c", 1);
    js.ack(&got[0], "+TERM it is poison");
    let event = js.next(&events);
    let event: Value = serde_json::from_slice(&event.payload).expect("JSON");
    assert_eq!(event["type"], "io.nats.jetstream.advisory.v1.terminated");
    assert_eq!(
        (&event["stream"], &event["consumer"]),
        (&json!("S"), &json!("c"))
    );
    assert_eq!(
        (&event["stream_seq"], &event["deliveries"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(event["reason"], "it is poison");
    assert_eq!(acked(&mut js), (1, 0));
    assert_eq!(texts(&js.fetch("S", "c", 5)), ["m1", "m2", "m3", "m4"]);
}

// E140, E141
#[test]
fn progress_puts_redelivery_off() {
    let mut js = start(json!({ "ack_wait": 400_000_000, "max_ack_pending": 1 }));
    let got = js.fetch("S", "c", 1);
    let inbox = js.pull("S", "c", r#"{"batch":1,"expires":20000000000}"#);
    let before = std::time::Instant::now();
    while before.elapsed().as_millis() < 700 {
        js.ack(&got[0], "+WPI");
    }
    assert_eq!(js.waiting(&inbox), 0, "the wait would have been over");
    assert_eq!(delivery(&js.next(&inbox)).delivered, 2);
}

// E140
#[test]
fn next_acks_and_asks_for_more() {
    let mut js = start(json!({}));
    let got = js.fetch("S", "c", 1);
    let reply = got[0].reply.clone().expect("an ack subject");
    let inbox = js.inbox();
    js.send(&reply, &inbox.subject, &[], b"+NXT");
    let next = js.next(&inbox);
    assert_eq!((text(&next).as_str(), acked(&mut js)), ("m1", (1, 1)));
    let reply = next.reply.expect("an ack subject");
    js.send(
        &reply,
        &inbox.subject,
        &[],
        br#"+NXT {"batch":2,"no_wait":true}"#,
    );
    assert_eq!(texts(&js.next_many(&inbox, 2)), ["m2", "m3"]);
}

// E123, E141
#[test]
fn what_is_not_acked_in_time_comes_again() {
    let mut js = start(json!({ "ack_wait": 200_000_000 }));
    js.fetch("S", "c", 5);
    let again = wait(&mut js);
    assert_eq!(
        (text(&again).as_str(), delivery(&again).delivered),
        ("m0", 2)
    );
}

// E123
#[test]
fn a_backoff_says_how_long_each_time() {
    let backoff =
        json!({ "backoff": [100_000_000, 400_000_000], "max_deliver": 3, "max_ack_pending": 1 });
    let mut js = start(backoff);
    assert_eq!(
        js.consumer_info("S", "c")["config"]["ack_wait"],
        100_000_000
    );
    js.fetch("S", "c", 1);
    let first = std::time::Instant::now();
    assert_eq!(delivery(&wait(&mut js)).delivered, 2);
    assert!(first.elapsed().as_millis() >= 95, "{:?}", first.elapsed());
    let second = std::time::Instant::now();
    assert_eq!(delivery(&wait(&mut js)).delivered, 3);
    assert!(
        second.elapsed().as_millis() >= 390,
        "{:?}",
        second.elapsed()
    );
}

// E123, E141
#[test]
fn after_max_deliver_it_is_told_and_stays_in_the_stream() {
    let mut js = start(json!({ "ack_wait": 100_000_000, "max_deliver": 2, "max_ack_pending": 1 }));
    let events = js.subscribe("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.S.c", "");
    js.fetch("S", "c", 1);
    assert_eq!(delivery(&wait(&mut js)).delivered, 2);
    assert_eq!(text(&wait(&mut js)), "m1", "the next has its turn");
    let event = js.next(&events);
    let event: Value = serde_json::from_slice(&event.payload).expect("JSON");
    assert_eq!(event["type"], "io.nats.jetstream.advisory.v1.max_deliver");
    assert_eq!(
        (&event["stream_seq"], &event["deliveries"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(js.stream_info("S")["state"]["messages"], 5);
}

// E125
#[test]
fn delivery_stalls_at_max_ack_pending() {
    let mut js = start(json!({ "max_ack_pending": 2 }));
    let inbox = js.pull("S", "c", r#"{"batch":5,"expires":20000000000}"#);
    let got = js.next_many(&inbox, 2);
    assert_eq!(js.waiting(&inbox), 0);
    js.ack(&got[0], "");
    assert_eq!(text(&js.next(&inbox)), "m2");
    assert_eq!(js.waiting(&inbox), 0);
}

// E138, E140
#[test]
fn progress_that_was_confirmed_survives_a_kill() {
    // nats-server writes it down some tenths of a second later.
    if recado_conformance::is_genuine() {
        return;
    }
    let mut js = start(json!({ "ack_wait": 60_000_000_000_u64 }));
    let got = js.fetch("S", "c", 3);
    js.ack(&got[0], "");
    js.ack(&got[1], "");
    js.restart();
    // What is known of the third, which was not acked, may be lost; the first two may not.
    let (floor, _) = acked(&mut js);
    assert_eq!(floor, 2);
    assert_eq!(js.consumer_info("S", "c")["config"]["durable_name"], "c");
}

// E133
#[test]
fn sampled_acks_are_measured() {
    let mut js = start(json!({ "sample_freq": "100" }));
    let metrics = js.subscribe("$JS.EVENT.METRIC.CONSUMER.ACK.S.c", "");
    let got = js.fetch("S", "c", 1);
    js.ack(&got[0], "");
    let metric = js.next(&metrics);
    let metric: Value = serde_json::from_slice(&metric.payload).expect("JSON");
    assert_eq!(metric["type"], "io.nats.jetstream.metric.v1.consumer_ack");
    assert_eq!(
        (&metric["stream_seq"], &metric["deliveries"]),
        (&json!(1), &json!(1))
    );
}

// E139
#[test]
fn an_ack_to_the_longer_form_counts_too() {
    let mut js = start(json!({}));
    let got = js.fetch("S", "c", 1);
    let short = got[0].reply.clone().expect("an ack subject");
    // Without a domain, and the global account's name as servers hash it.
    let long = short.replace("$JS.ACK.", "$JS.ACK._.szMpdrwD.");
    js.ask(&long, &[], b"");
    assert_eq!(acked(&mut js), (1, 0));
}
