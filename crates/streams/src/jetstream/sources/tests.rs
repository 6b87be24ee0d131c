//! Mirrors and sources, from the API down to the log.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::jetstream::world::{World, stream};
use crate::time::SECOND;

fn origin_with(world: &mut World, count: usize) {
    world.create(&stream(
        "O",
        json!({"subjects": ["o.>"], "allow_direct": true}),
    ));
    for at in 0..count {
        world.publish(&format!("o.{}", at % 2), "", &at.to_string());
    }
    world.run();
}

#[test]
fn a_mirror_has_the_same_sequences_times_and_gaps() {
    let mut world = World::new();
    origin_with(&mut world, 5);
    world.api("STREAM.MSG.DELETE.O", &json!({"seq": 2}));
    world.create(&stream("M", json!({"mirror": {"name": "O"}})));
    world.run();
    assert_eq!(world.messages("M"), world.messages("O"));
    world.publish(
        "o.0",
        "NATS/1.0\r\nNats-Expected-Last-Sequence: 5\r\nX: 1\r\n\r\n",
        "new",
    );
    world.run();
    let last = world.messages("M").pop().expect("a message");
    assert_eq!((last.sequence, last.payload.as_str()), (6, "new"));
    assert_eq!(last.headers, "NATS/1.0\r\nX: 1\r\n\r\n");
    let info = world.info("M");
    assert_eq!(info["state"]["num_deleted"], 1);
    assert_eq!(info["mirror"]["name"], "O");
    assert_eq!(info["mirror"]["lag"], 0);
    assert!(info["mirror"]["active"].as_i64().is_some_and(|ns| ns >= 0));
    assert_eq!(info["config"]["mirror_direct"], true);
    let info = world.info("O");
    assert_eq!(
        info["alternates"],
        Value::Null,
        "on one server there are none"
    );
}

#[test]
fn a_mirror_begins_where_its_origin_does_or_where_it_is_told_to() {
    let mut world = World::new();
    origin_with(&mut world, 6);
    world.api("STREAM.PURGE.O", &json!({"seq": 3}));
    world.create(&stream("M", json!({"mirror": {"name": "O"}})));
    world.create(&stream(
        "L",
        json!({"mirror": {"name": "O", "opt_start_seq": 5}}),
    ));
    let filter =
        json!({"mirror": {"name": "O", "subject_transforms": [{"src": "o.1", "dest": "t.1"}]}});
    world.create(&stream("F", filter));
    world.run();
    assert_eq!(world.info("M")["state"]["first_seq"], 3);
    assert_eq!(world.info("L")["state"]["first_seq"], 5);
    let filtered = world.messages("F");
    let found: Vec<_> = filtered
        .iter()
        .map(|one| (one.sequence, &*one.subject))
        .collect();
    assert_eq!(found, [(4, "t.1"), (6, "t.1")]);
    let told = &world.info("F")["mirror"];
    assert_eq!(told["filter_subject"], Value::Null, "only sources tell it");
    let restarted = world.restarted_with(world.journal.len());
    let mut world = restarted;
    assert_eq!(world.info("L")["state"]["first_seq"], 5);
    assert_eq!(world.messages("F"), filtered);
}

#[test]
fn copies_say_where_they_come_from_in_nats_servers_words() {
    let mut world = World::new();
    origin_with(&mut world, 4);
    world.create(&stream(
        "S",
        json!({"sources": [
            {"name": "O", "filter_subject": "o.1"},
            {"name": "O", "subject_transforms": [{"src": "o.0", "dest": "t.0"}]},
        ]}),
    ));
    world.run();
    let created = world.info("O")["created"]
        .as_str()
        .map(str::to_owned)
        .expect("a time");
    let created = crate::time::parse_rfc3339(&created).expect("a time");
    let identity = super::header::identity(created);
    let messages = world.messages("S");
    let found: Vec<_> = messages
        .iter()
        .map(|one| (&*one.subject, one.headers.clone()))
        .collect();
    let header =
        |text: String| format!("NATS/1.0\r\nNats-Stream-Source: {text} {identity}\r\n\r\n");
    assert_eq!(
        found,
        [
            ("o.1", header("O 2 o.1 > o.1".to_owned())),
            ("o.1", header("O 4 o.1 > o.1".to_owned())),
            ("t.0", header("O 1 o.0 t.0 o.0".to_owned())),
            ("t.0", header("O 3 o.0 t.0 o.0".to_owned())),
        ]
    );
    let sources = &world.info("S")["sources"];
    assert_eq!(
        (&sources[0]["seq"], &sources[1]["seq"]),
        (&json!(4), &json!(3))
    );
    assert_eq!(sources[0]["filter_subject"], "o.1");
    assert_eq!(sources[1]["subject_transforms"][0]["dest"], "t.0");
}

#[test]
fn an_origin_that_is_not_there_is_told_of_and_waited_for() {
    let mut world = World::new();
    world.create(&stream("S", json!({"sources": [{"name": "O"}]})));
    assert_eq!(world.info("S")["sources"][0]["active"], -1);
    world.run();
    assert_eq!(world.info("S")["sources"][0]["error"]["err_code"], 10059);
    origin_with(&mut world, 2);
    assert_eq!(world.payloads("S"), ["0", "1"]);
    assert_eq!(world.info("S")["sources"][0]["error"], Value::Null);
    world.api("STREAM.DELETE.O", &Value::Null);
    world.run();
    assert_eq!(world.info("S")["sources"][0]["error"]["err_code"], 10059);
    // Another stream of that name: all of it is new.
    world.now_ns += SECOND;
    origin_with(&mut world, 1);
    assert_eq!(world.payloads("S"), ["0", "1", "0"]);
}

#[test]
fn purged_copies_do_not_come_back() {
    let mut world = World::new();
    origin_with(&mut world, 5);
    world.create(&stream("S", json!({"sources": [{"name": "O"}]})));
    world.run();
    world.api("STREAM.PURGE.S", &Value::Null);
    world.run();
    let mut again = world.restarted_with(world.journal.len());
    assert_eq!(again.payloads("S"), [""; 0]);
    // After a clean stop not even the records of the copies are needed.
    world.act(|jetstream, context, journal| jetstream.stopping(context, journal));
    world.batch();
    let mut again = world.restarted_compacted();
    assert_eq!(again.payloads("S"), [""; 0]);
    again.publish("o.0", "", "new");
    again.run();
    assert_eq!(again.payloads("S"), ["new"]);
}

#[test]
fn a_source_that_was_taken_away_goes_on_where_it_was() {
    let mut world = World::new();
    origin_with(&mut world, 3);
    let with = stream("S", json!({"subjects": ["s"], "sources": [{"name": "O"}]}));
    world.create(&with);
    world.run();
    world.api("STREAM.UPDATE.S", &stream("S", json!({"subjects": ["s"]})));
    world.publish("o.0", "", "3");
    world.run();
    let mut world = world.restarted_with(world.journal.len());
    assert_eq!(world.payloads("S"), ["0", "1", "2"]);
    world.api("STREAM.UPDATE.S", &with);
    world.run();
    assert_eq!(world.payloads("S"), ["0", "1", "2", "3"]);
}

#[test]
fn a_work_queue_lets_go_what_is_durable_in_its_copy() {
    let mut world = World::new();
    world.create(&stream(
        "W",
        json!({"subjects": ["w.>"], "retention": "workqueue"}),
    ));
    for at in 0..3 {
        world.publish("w.a", "", &at.to_string());
    }
    world.run();
    world.create(&stream("S", json!({"sources": [{"name": "W"}]})));
    world.turn();
    assert_eq!(world.messages("W").len(), 3, "nothing is durable yet");
    world.run();
    assert_eq!(world.payloads("S"), ["0", "1", "2"]);
    assert_eq!(world.messages("W").len(), 0);
    let info = world.info("W");
    assert_eq!(info["state"]["consumer_count"], 1);
    let list = world.api("CONSUMER.LIST.W", &json!({}));
    let consumer = &list["consumers"][0];
    assert_eq!(
        consumer["name"],
        format!(
            "JS_SRC_{}",
            super::header::hash(&super::header::hash("S $G"))
        )
    );
    assert_eq!(consumer["ack_floor"], consumer["delivered"]);
    assert_eq!(consumer["delivered"]["stream_seq"], 3);
    assert_eq!(consumer["config"]["ack_policy"], "flow_control");
    world.api("STREAM.DELETE.S", &Value::Null);
    assert_eq!(world.info("W")["state"]["consumer_count"], 0);
}

#[test]
fn a_consumer_that_stands_for_a_source_is_made_again_and_takes_no_room() {
    let mut world = World::new();
    let queue = json!({"subjects": ["w.>"], "retention": "workqueue", "max_consumers": 1});
    world.create(&stream("W", queue));
    world.create(&stream(
        "S",
        json!({"sources": [{"name": "W", "filter_subject": "w.a"}]}),
    ));
    world.publish("w.a", "", "1");
    world.publish("w.b", "", "other");
    world.run();
    assert_eq!(world.payloads("W"), ["other"]);
    let names = world.api("CONSUMER.NAMES.W", &json!({}));
    let name = names["consumers"][0].as_str().expect("a name").to_owned();
    world.api(&format!("CONSUMER.DELETE.W.{name}"), &Value::Null);
    world.publish("w.a", "", "2");
    world.run();
    assert_eq!(
        (world.payloads("S").len(), world.messages("W").len()),
        (2, 1)
    );
    let own = json!({"durable_name": "own", "ack_policy": "explicit", "filter_subject": "w.b"});
    let request = json!({"stream_name": "W", "config": own});
    let answer = world.api("CONSUMER.CREATE.W.own.w.b", &request);
    assert_eq!(answer["error"], Value::Null);
    assert_eq!(world.info("W")["state"]["consumer_count"], 2);
}

#[test]
fn a_named_consumer_says_which_messages_come_and_learns_what_is_done() {
    let mut world = World::new();
    world.create(&stream(
        "W",
        json!({"subjects": ["w.>"], "retention": "workqueue"}),
    ));
    let named = json!({"name": "c", "deliver_subject": "there"});
    world.create(&stream(
        "S",
        json!({"sources": [{"name": "W", "consumer": named}]}),
    ));
    world.publish("w.a", "", "1");
    world.publish("w.b", "", "2");
    world.run();
    assert_eq!(world.info("S")["sources"][0]["error"]["err_code"], 10014);
    let consumer = json!({"durable_name": "c", "deliver_subject": "there", "filter_subject": "w.b",
        "ack_policy": "flow_control", "flow_control": true, "idle_heartbeat": SECOND, "max_ack_pending": 10});
    let request = json!({"stream_name": "W", "config": consumer});
    let answer = world.api("CONSUMER.CREATE.W.c.w.b", &request);
    assert_eq!(answer["error"], Value::Null, "{answer}");
    world.now_ns += 2 * SECOND;
    world.run();
    assert_eq!(world.payloads("S"), ["2"]);
    assert_eq!(world.payloads("W"), ["1"]);
    let info = world.api("CONSUMER.INFO.W.c", &Value::Null);
    assert_eq!(info["ack_floor"]["stream_seq"], 2);
}

#[test]
fn a_mirror_becomes_a_stream_of_its_own() {
    let mut world = World::new();
    world.create(&stream("A", json!({"subjects": ["a.>"]})));
    world.create(&stream(
        "O",
        json!({"subjects": ["o"], "sources": [{"name": "A"}]}),
    ));
    world.create(&stream("M", json!({"mirror": {"name": "O"}})));
    world.publish("a.1", "NATS/1.0\r\nNats-Msg-Id: x\r\n\r\n", "1");
    world.run();
    world.api("STREAM.DELETE.O", &Value::Null);
    let promoted = stream(
        "M",
        json!({"duplicate_window": 120_000_000_000u64, "subjects": ["o"], "sources": [{"name": "A"}]}),
    );
    let answer = world.api("STREAM.UPDATE.M", &promoted);
    assert_eq!(answer["mirror"], Value::Null, "{answer}");
    world.publish("a.1", "", "2");
    world.publish("o", "NATS/1.0\r\nNats-Msg-Id: x\r\n\r\n", "known");
    world.publish("o", "", "own");
    world.run();
    let mut found = world.payloads("M");
    found.sort();
    assert_eq!(found, ["1", "2", "own"]);
}

#[test]
fn counters_are_added_up_from_their_sources() {
    let mut world = World::new();
    let counter = |more: Value| {
        let mut config = json!({"allow_msg_counter": true, "allow_direct": true});
        config
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().cloned().unwrap_or_default());
        config
    };
    let incr = |by: &str| format!("NATS/1.0\r\nNats-Incr: {by}\r\n\r\n");
    world.create(&stream("A", counter(json!({"subjects": ["a"]}))));
    world.create(&stream("B", counter(json!({"subjects": ["b"]}))));
    let to = |name: &str, subject: &str| json!({"name": name, "subject_transforms": [{"src": subject, "dest": "all"}]});
    world.create(&stream(
        "S",
        counter(json!({"sources": [to("A", "a"), to("B", "b")]})),
    ));
    for (subject, by) in [("a", "5"), ("b", "7"), ("a", "-2"), ("b", "1")] {
        world.publish(subject, &incr(by), "");
        world.run();
    }
    let last = world.messages("S").pop().expect("a message");
    assert_eq!(last.payload, r#"{"val":"11"}"#);
    assert!(
        last.headers.contains("Nats-Incr: 1\r\n"),
        "{}",
        last.headers
    );
    let counted = r#"Nats-Counter-Sources: {"A":{"a":"3"},"B":{"b":"8"}}"#;
    assert!(last.headers.contains(counted), "{}", last.headers);
    // A copy that was missed: the difference makes up for it.
    world.api("STREAM.PURGE.A", &Value::Null);
    assert_eq!(world.messages("S").len(), 4);
}

#[test]
fn copies_with_a_known_id_are_passed_over_once_and_for_all() {
    let mut world = World::new();
    world.create(&stream("A", json!({"subjects": ["a"]})));
    world.create(&stream("B", json!({"subjects": ["b"]})));
    world.create(&stream(
        "S",
        json!({"duplicate_window": 120_000_000_000u64, "sources": [{"name": "A"}, {"name": "B"}]}),
    ));
    for subject in ["a", "b"] {
        world.publish(subject, "NATS/1.0\r\nNats-Msg-Id: same\r\n\r\n", subject);
        world.run();
    }
    assert_eq!(world.payloads("S"), ["a"]);
    let mut world = world.restarted_with(world.journal.len());
    world.now_ns += 600 * SECOND;
    world.publish("b", "", "later");
    world.run();
    assert_eq!(world.payloads("S"), ["a", "later"]);
}

#[test]
fn a_full_stream_takes_the_rest_when_there_is_room() {
    let mut world = World::new();
    origin_with(&mut world, 5);
    let full = json!({"sources": [{"name": "O"}], "max_msgs": 2, "discard": "new"});
    world.create(&stream("S", full));
    world.run();
    let info = world.info("S");
    assert_eq!(world.payloads("S"), ["0", "1"]);
    assert_eq!(info["sources"][0]["lag"], 3);
    assert_eq!(info["sources"][0]["error"]["err_code"], 10077);
    world.api("STREAM.PURGE.S", &Value::Null);
    world.run();
    assert_eq!(world.payloads("S"), ["2", "3"]);
    world.api(
        "STREAM.UPDATE.S",
        &stream("S", json!({"sources": [{"name": "O"}], "discard": "new"})),
    );
    world.run();
    assert_eq!(world.payloads("S"), ["2", "3", "4"]);
}

#[test]
fn what_a_failed_batch_held_is_taken_again() {
    let mut world = World::new();
    origin_with(&mut world, 3);
    world.create(&stream("S", json!({"sources": [{"name": "O"}]})));
    world.create(&stream("M", json!({"mirror": {"name": "O"}})));
    world.turn();
    world.fail_batch();
    assert_eq!(world.messages("S").len(), 0);
    world.run();
    assert_eq!(world.payloads("S"), ["0", "1", "2"]);
    assert_eq!(world.messages("M"), world.messages("O"));
}

#[test]
fn streams_that_take_from_each_other_come_to_rest() {
    let mut world = World::new();
    world.create(&stream("A", json!({"subjects": ["a.>"]})));
    world.create(&stream(
        "B",
        json!({"subjects": ["b.>"], "sources": [{"name": "A", "filter_subject": "a.>"}]}),
    ));
    let update = stream(
        "A",
        json!({"subjects": ["a.>"], "sources": [{"name": "B", "filter_subject": "b.>"}]}),
    );
    let answer = world.api("STREAM.UPDATE.A", &update);
    assert_eq!(answer["error"], Value::Null);
    world.publish("a.1", "", "a");
    world.publish("b.1", "", "b");
    world.run();
    assert_eq!(
        (world.payloads("A").len(), world.payloads("B").len()),
        (2, 2)
    );
}

/// Origins, copies of copies, a work queue, and something that removes copies all the time.
fn busy_world(steps: &[u8]) -> World {
    let mut world = World::new();
    world.create(&stream("O", json!({"subjects": ["o.>"]})));
    world.create(&stream(
        "W",
        json!({"subjects": ["w.>"], "retention": "workqueue"}),
    ));
    world.create(&stream("M", json!({"mirror": {"name": "O"}})));
    world.create(&stream(
        "S",
        json!({"sources": [{"name": "O"}, {"name": "W"}]}),
    ));
    world.create(&stream(
        "T",
        json!({"sources": [{"name": "S", "filter_subject": "o.>"}], "max_msgs": 2}),
    ));
    for (at, step) in steps.iter().enumerate() {
        let payload = at.to_string();
        match step {
            0..=3 => world.publish("o.x", "", &payload),
            4..=6 => world.publish("w.x", "", &payload),
            7 => drop(world.turn()),
            8 => world.batch(),
            _ => world.run(),
        }
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn wherever_the_log_ends_nothing_is_missing_and_nothing_is_there_twice(
        steps in proptest::collection::vec(0u8..10, 1..40),
    ) {
        let mut whole = busy_world(&steps);
        whole.run();
        let published: Vec<(usize, &str)> = steps
            .iter()
            .enumerate()
            .filter_map(|(at, step)| match step {
                0..=3 => Some((at, "o.x")),
                4..=6 => Some((at, "w.x")),
                _ => None,
            })
            .collect();
        for records in 0..=whole.journal.len() {
            let mut world = whole.restarted_with(records);
            if !world.has("T") {
                continue;
            }
            prop_assert_eq!(world.messages("M"), world.messages("O"));
            prop_assert_eq!(world.messages("W").len(), 0);
            let copies = world.messages("S");
            let of = |subject: &str| -> Vec<usize> {
                let own = copies.iter().filter(|one| one.subject == subject);
                own.map(|one| one.payload.parse().expect("a number")).collect()
            };
            let origin: Vec<usize> = world
                .payloads("O")
                .iter()
                .map(|payload| payload.parse().expect("a number"))
                .collect();
            prop_assert_eq!(&of("o.x"), &origin);
            // Those of the work queue are nowhere else any more: a start of what was published, once each.
            let queued: Vec<usize> = published
                .iter()
                .filter(|(_, subject)| *subject == "w.x")
                .map(|(at, _)| *at)
                .collect();
            let found = of("w.x");
            prop_assert!(queued.starts_with(&found), "{:?} of {:?}", found, queued);
            let last = &origin[origin.len().saturating_sub(2)..];
            let kept: Vec<usize> = world.payloads("T").iter().map(|one| one.parse().expect("a number")).collect();
            prop_assert_eq!(kept, last);
        }
    }
}

#[test]
fn a_source_that_has_taken_something_goes_on_whatever_its_start_becomes() {
    let mut world = World::new();
    origin_with(&mut world, 3);
    world.create(&stream("S", json!({"sources": [{"name": "O"}]})));
    world.run();
    let from_second = json!({"sources": [{"name": "O", "opt_start_seq": 2}]});
    let answer = world.api("STREAM.UPDATE.S", &stream("S", from_second));
    assert!(answer["error"].is_null(), "{answer}");
    world.run();
    assert_eq!(world.payloads("S"), ["0", "1", "2"]);
    world.publish("o.0", "", "3");
    world.run();
    assert_eq!(world.payloads("S"), ["0", "1", "2", "3"]);
}

#[test]
fn a_source_that_has_taken_nothing_begins_where_its_start_is_now() {
    let mut world = World::new();
    world.create(&stream("S", json!({"sources": [{"name": "O"}]})));
    world.run();
    let from_second = json!({"sources": [{"name": "O", "opt_start_seq": 2}]});
    world.api("STREAM.UPDATE.S", &stream("S", from_second));
    origin_with(&mut world, 3);
    world.run();
    assert_eq!(world.payloads("S"), ["1", "2"]);
}
