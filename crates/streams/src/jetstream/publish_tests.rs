//! What publishers are told, and in which order a message is judged.

use serde_json::{Value, json};

use super::world::{World, stream};

/// A world with the stream `T`.
fn world(fields: Value) -> World {
    let mut config = stream("T", json!({"subjects": ["t.>"]}));
    if let (Some(config), Value::Object(fields)) = (config.as_object_mut(), fields) {
        config.extend(fields);
    }
    let mut world = World::new();
    world.create(&config);
    world
}

fn headers(lines: &[(&str, &str)]) -> String {
    let lines = lines.iter();
    let lines = lines.map(|(name, value)| format!("{name}: {value}\r\n"));
    format!("NATS/1.0\r\n{}\r\n", lines.collect::<String>())
}

/// The error that a message meets; 0 if it is stored.
fn error_of(world: &mut World, lines: &[(&str, &str)], payload: &str) -> u64 {
    let ack = world.ack_of("t.a", &headers(lines), payload);
    ack["error"]["err_code"].as_u64().unwrap_or(0)
}

#[test]
fn that_a_message_is_too_large_is_told_before_anything_else_that_is_wrong() {
    let mut world = world(json!({"max_msg_size": 60}));
    assert_eq!(error_of(&mut world, &[("Nats-Msg-Id", "1")], ""), 0);
    let large = "x".repeat(60);
    for line in [
        ("Nats-Expected-Stream", "S"),
        ("Nats-Expected-Last-Sequence", "9"),
        ("Nats-Expected-Last-Msg-Id", "9"),
        ("Nats-Msg-Id", "1"),
        ("Nats-Incr", "x"),
        ("Nats-Schedule", "x"),
        ("Nats-Rollup", "x"),
        ("Nats-Stream-Source", "x"),
    ] {
        assert_ne!(error_of(&mut world, &[line], ""), 10054, "{line:?}");
        assert_eq!(error_of(&mut world, &[line], &large), 10054, "{line:?}");
    }
}

#[test]
fn headers_that_are_too_long_are_told_before_what_they_say() {
    let mut world = world(json!({}));
    let long = "y".repeat(70_000);
    let lines = [("X", long.as_str()), ("Nats-Incr", "x")];
    assert_eq!(error_of(&mut world, &lines, ""), 10097);
}

#[test]
fn lifetimes_are_taken_as_nats_server_takes_them() {
    let mut world = world(json!({"allow_msg_ttl": true, "allow_msg_schedules": true}));
    for (ttl, expected) in [
        ("0", 10165),
        ("+5", 10165),
        ("10000000000", 0),
        ("99999999999999999999", 0),
    ] {
        assert_eq!(error_of(&mut world, &[("Nats-TTL", ttl)], ""), expected);
    }
    let schedule = [
        ("Nats-Schedule", "@every 100s"),
        ("Nats-Schedule-Target", "t.b"),
        ("Nats-Schedule-TTL", "0"),
    ];
    assert_eq!(error_of(&mut world, &schedule, ""), 10191);
    world.now_ns += 1_000_000_000_000;
    world.run();
    assert_eq!(world.sequences("T"), [1, 2], "they live long");
}

/// What the message at this place of a fast batch is answered, in a batch that goes on without what is refused.
fn fast(world: &mut World, place: u64, line: (&str, &str)) -> Vec<Value> {
    let operation = if place == 1 { 0 } else { 1 };
    let reply = format!("inbox.id.1.ok.{place}.{operation}.$FI");
    world.publish_for("t.a", &headers(&[line]), "", &reply);
    world.batch();
    let answers = world.seen(&reply).into_iter();
    answers
        .map(|(_, body)| serde_json::from_str(&body).expect("JSON"))
        .collect()
}

#[test]
fn in_a_fast_batch_that_a_message_is_refused_is_all_that_is_told_of_it() {
    let mut world = world(json!({"allow_batched": true}));
    let answers = fast(&mut world, 1, ("Nats-Expected-Stream", "S"));
    let types: Vec<_> = answers.iter().map(|one| one["type"].clone()).collect();
    assert_eq!(types, ["ack", "err"]);
    assert_eq!(answers[1]["seq"], 1);
    let answers = fast(&mut world, 2, ("X", "1"));
    assert_eq!(answers.len(), 1);
    assert_eq!(
        (&answers[0]["type"], &answers[0]["seq"]),
        (&json!("ack"), &json!(2))
    );
}

#[test]
fn in_a_fast_batch_a_wrong_last_message_id_is_told_as_to_a_message_that_comes_alone() {
    let mut world = world(json!({"allow_batched": true}));
    fast(&mut world, 1, ("X", "1"));
    let answers = fast(&mut world, 2, ("Nats-Expected-Last-Msg-Id", "9"));
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0]["type"], Value::Null);
    assert_eq!(answers[0]["error"]["err_code"], 10070);
}

#[test]
fn an_advisory_of_a_batch_that_was_given_up_names_no_account() {
    let mut world = world(json!({"allow_atomic": true}));
    for place in ["1", "3"] {
        let lines = [("Nats-Batch-Id", "b"), ("Nats-Batch-Sequence", place)];
        world.publish("t.a", &headers(&lines), "");
    }
    let told = world.seen("$JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.T");
    let (_, body) = told.first().expect("an advisory");
    let told: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(
        (&told["batch"], &told["account"]),
        (&json!("b"), &Value::Null)
    );
}

#[test]
fn a_message_that_nobody_wants_was_the_last_one_nevertheless() {
    let mut world = world(json!({"retention": "interest"}));
    world.ack_of("t.a", "", "");
    let state = world.info("T")["state"].take();
    assert_eq!(
        (&state["messages"], &state["last_seq"]),
        (&json!(0), &json!(1))
    );
    let came = crate::time::format_rfc3339(world.now_ns);
    assert_eq!(state["last_ts"], came);
}
