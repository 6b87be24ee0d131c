//! What stays in a stream and what goes: limits, rollups, purges, interest. And that the log brings back just that.

use serde_json::{Value, json};

use super::world::{World, stream};
use crate::stream::kinds;
use crate::time::SECOND;

const STORAGES: [&str; 2] = ["file", "memory"];

/// A world with the stream `T`.
fn world(storage: &str, fields: Value) -> World {
    let mut world = World::new();
    world.create(&config(storage, fields));
    world
}

fn config(storage: &str, fields: Value) -> Value {
    let mut config = stream("T", json!({"subjects": ["t.>"], "storage": storage}));
    if let (Some(config), Value::Object(fields)) = (config.as_object_mut(), fields) {
        config.extend(fields);
    }
    config
}

fn publish_all(world: &mut World, subjects: &[&str]) {
    for subject in subjects {
        world.ack_of(subject, "", "");
    }
}

/// What `T` has, now and after the server died, whether compaction was there before or not.
fn assert_kept(world: &mut World, storage: &str, sequences: &[u64]) {
    assert_eq!(world.sequences("T"), sequences, "{storage}");
    if storage == "file" {
        let mut again = world.restarted_with(world.journal.len());
        assert_eq!(again.sequences("T"), sequences, "after a restart");
        let mut compacted = world.restarted_compacted();
        assert_eq!(compacted.sequences("T"), sequences, "after compaction");
    }
}

#[test]
fn a_stream_that_refuses_new_messages_keeps_what_it_has_when_its_limits_become_lower() {
    for storage in STORAGES {
        for limits in [json!({"max_msgs": 3}), json!({"max_bytes": 100})] {
            let mut world = world(storage, json!({}));
            publish_all(&mut world, &["t.1", "t.2", "t.3", "t.4", "t.5", "t.6"]);
            let mut lower = config(storage, limits);
            lower["discard"] = json!("new");
            let answer = world.api("STREAM.UPDATE.T", &lower);
            assert_eq!(answer["error"], Value::Null);
            assert_eq!(world.ack_of("t.7", "", "")["error"]["err_code"], 10077);
            assert_kept(&mut world, storage, &[1, 2, 3, 4, 5, 6]);
        }
    }
}

#[test]
fn a_rollup_into_a_full_stream_pushes_the_oldest_out_before_it_makes_room() {
    for storage in STORAGES {
        let full = json!({"allow_rollup_hdrs": true, "max_msgs": 3});
        let mut world = world(storage, full);
        publish_all(&mut world, &["t.a", "t.b", "t.c"]);
        world.ack_of("t.c", "NATS/1.0\r\nNats-Rollup: sub\r\n\r\n", "");
        assert_kept(&mut world, storage, &[2, 4]);
    }
}

#[test]
fn members_of_a_batch_push_messages_out_one_after_the_other() {
    for storage in STORAGES {
        let limits = json!({"allow_atomic": true, "max_msgs": 4, "max_msgs_per_subject": 1});
        let mut world = world(storage, limits);
        publish_all(&mut world, &["t.a", "t.b", "t.c", "t.d"]);
        commit(&mut world, &[("t.e", ""), ("t.d", "")]);
        assert_kept(&mut world, storage, &[2, 3, 5, 6]);
    }
}

#[test]
fn a_rollup_in_a_batch_meets_what_the_members_before_it_left() {
    for storage in STORAGES {
        let full = json!({"allow_atomic": true, "allow_rollup_hdrs": true, "max_msgs": 4});
        let mut world = world(storage, full);
        publish_all(&mut world, &["t.a", "t.b", "t.c", "t.d"]);
        commit(&mut world, &[("t.e", ""), ("t.c", "Nats-Rollup: sub\r\n")]);
        assert_kept(&mut world, storage, &[4, 5, 6]);
    }
}

#[test]
fn a_purge_up_to_a_sequence_that_was_not_given_yet_makes_it_the_next_one() {
    for storage in STORAGES {
        let mut world = world(storage, json!({}));
        publish_all(&mut world, &["t.a"]);
        world.api("STREAM.PURGE.T", &json!({"seq": 10}));
        assert_eq!(ends(&mut world), (10, 9));
        if storage == "file" {
            let mut again = world.restarted_with(world.journal.len());
            assert_eq!(ends(&mut again), (10, 9));
        }
        assert_eq!(world.ack_of("t.a", "", "")["seq"], 10);
        world.api("STREAM.PURGE.T", &json!({"seq": 3}));
        assert_kept(&mut world, storage, &[10]);
    }
}

#[test]
fn a_stream_that_never_had_a_message_begins_where_a_purge_says() {
    for storage in STORAGES {
        let mut world = world(storage, json!({}));
        for (body, expected) in [
            (json!({"filter": "t.a"}), (0, 0)),
            (json!({"seq": 1}), (0, 0)),
            (json!({"filter": ">"}), (1, 0)),
            (json!({"seq": 7}), (7, 6)),
        ] {
            world.api("STREAM.PURGE.T", &body);
            assert_eq!(ends(&mut world), expected, "{storage} {body}");
        }
        assert_eq!(world.ack_of("t.a", "", "")["seq"], 7);
    }
}

#[test]
fn a_stream_that_keeps_for_consumers_only_from_now_on_lets_go_of_what_none_needs() {
    for storage in STORAGES {
        let interest = config(storage, json!({"retention": "interest"}));
        let six = ["t.1", "t.2", "t.3", "t.4", "t.5", "t.6"];
        let mut world = world(storage, json!({}));
        publish_all(&mut world, &six);
        world.api("STREAM.UPDATE.T", &interest);
        world.run();
        assert_eq!(ends(&mut world), (7, 6));
        assert_kept(&mut world, storage, &[]);
    }
}

#[test]
fn what_lies_before_a_consumer_stays_when_a_stream_keeps_for_consumers_only() {
    let begins = |at: u64, filter: &str| {
        json!({"durable_name": "C", "ack_policy": "explicit", "filter_subject": filter,
            "deliver_policy": "by_start_sequence", "opt_start_seq": at})
    };
    for storage in STORAGES {
        for (consumer, kept) in [
            (begins(1, "t.2"), &[1, 2, 3][..]),
            (begins(3, "t.>"), &[3]),
            (begins(3, "t.2"), &[3]),
        ] {
            let mut world = world(storage, json!({}));
            publish_all(&mut world, &["t.1", "t.2", "t.3"]);
            let filter = consumer["filter_subject"].as_str().unwrap_or_default();
            let call = format!("CONSUMER.CREATE.T.C.{filter}");
            let body = json!({"stream_name": "T", "config": consumer});
            let created = world.api(&call, &body);
            assert_eq!(created["error"], Value::Null);
            let interest = config(storage, json!({"retention": "interest"}));
            world.api("STREAM.UPDATE.T", &interest);
            world.run();
            assert_kept(&mut world, storage, kept);
        }
    }
}

/// First and last sequence, as they are told.
fn ends(world: &mut World) -> (u64, u64) {
    let state = world.info("T")["state"].take();
    let number = |name: &str| state[name].as_u64().expect("a number");
    (number("first_seq"), number("last_seq"))
}

/// Publishes these in one batch.
fn commit(world: &mut World, members: &[(&str, &str)]) {
    for (at, (subject, headers)) in members.iter().enumerate() {
        let commit = match at + 1 == members.len() {
            true => "Nats-Batch-Commit: 1\r\n",
            false => "",
        };
        let place = at + 1;
        let headers = format!(
            "NATS/1.0\r\nNats-Batch-Id: b\r\nNats-Batch-Sequence: {place}\r\n{commit}{headers}\r\n"
        );
        world.publish(subject, &headers, "");
    }
    world.batch();
}

/// Where no record can be let go, for an old segment lives.
#[test]
fn what_was_removed_one_by_one_is_told_by_few_records() {
    let mut world = world("file", json!({}));
    let messages = 600;
    for _ in 0..messages {
        world.publish("t.a", "", "payload");
    }
    world.batch();
    let mut left: Vec<u64> = (1..=messages).collect();
    let mut most = 0;
    // In an order that leaves gaps everywhere, the first and the last among them.
    let order = (0..messages).map(|n| n * 7 % messages + 1);
    for (done, sequence) in order.enumerate().take(570) {
        let answer = world.api("STREAM.MSG.DELETE.T", &json!({"seq": sequence}));
        assert_eq!(answer["success"], json!(true), "{answer}");
        left.retain(|one| *one != sequence);
        most = most.max(world.live(kinds::REMOVED).1);
        if done % 190 == 189 {
            assert_kept(&mut world, "file", &left);
        }
    }
    assert!((20..=64).contains(&most), "{most}");
    world.api("STREAM.PURGE.T", &Value::Null);
    let mut later = world.restarted_compacted();
    assert_eq!(later.info("T")["state"]["last_seq"], json!(messages));
    assert!(later.sequences("T").is_empty());
}

#[test]
fn ends_of_messages_that_others_took_the_place_of_are_forgotten() {
    let fields = json!({"allow_msg_ttl": true, "max_msgs_per_subject": 1});
    for storage in STORAGES {
        let mut world = world(storage, fields.clone());
        for _ in 0..500 {
            world.publish("t.a", "NATS/1.0\r\nNats-TTL: 1000s\r\n\r\n", "");
        }
        world.batch();
        assert!(world.ends_known("T") <= 66, "{storage}");
        world.now_ns += 1_001 * SECOND;
        world.run();
        assert!(world.sequences("T").is_empty(), "{storage}");
    }
}

/// Wherever the log is torn since the last batch, all consumers that are there then see all messages that are there then.
fn assert_seen_wherever_the_log_ends(world: &World, durable: usize) {
    for records in durable..=world.journal.len() {
        let mut torn = world.restarted_with(records);
        let messages = torn.sequences("T");
        let consumers = torn.api("CONSUMER.LIST.T", &Value::Null);
        for consumer in consumers["consumers"].as_array().expect("a list") {
            let at = format!("{records} records, {consumer}");
            assert_eq!(
                consumer["num_pending"],
                messages.len(),
                "{messages:?}, {at}"
            );
        }
    }
}

#[test]
fn no_message_stays_that_nobody_needs_wherever_the_log_ends() {
    let mut world = world("file", json!({"retention": "interest"}));
    let consumer = |name: &str| json!({"stream_name": "T", "config": {"durable_name": name, "ack_policy": "explicit"}});
    world.api("CONSUMER.CREATE.T.one", &consumer("one"));
    publish_all(&mut world, &["t.1", "t.2"]);
    let durable = world.journal.len();
    world.ask("CONSUMER.DELETE.T.one", &Value::Null);
    world.ask("CONSUMER.CREATE.T.two", &consumer("two"));
    world.batch();
    assert_eq!(world.sequences("T"), [0_u64; 0]);
    assert_seen_wherever_the_log_ends(&world, durable);
}

#[test]
fn what_a_rollup_pushed_out_does_not_come_back_behind_a_consumer_wherever_the_log_ends() {
    let limits = json!({"retention": "workqueue", "max_msgs": 3, "allow_rollup_hdrs": true});
    let mut world = world("file", limits);
    publish_all(&mut world, &["t.a", "t.b", "t.c"]);
    let durable = world.journal.len();
    world.publish("t.b", "NATS/1.0\r\nNats-Rollup: sub\r\n\r\n", "");
    let config = json!({"durable_name": "c", "ack_policy": "explicit"});
    world.ask(
        "CONSUMER.CREATE.T.c",
        &json!({"stream_name": "T", "config": config}),
    );
    world.batch();
    assert_eq!(world.sequences("T"), [3, 4]);
    assert_seen_wherever_the_log_ends(&world, durable);
}

#[test]
fn a_consumer_that_is_lost_to_damage_loses_no_message_that_it_alone_needed() {
    let mut world = world("file", json!({"retention": "interest"}));
    let create = |world: &mut World, name: &str, begins: &str| {
        let config =
            json!({"durable_name": name, "ack_policy": "explicit", "deliver_policy": begins});
        let request = json!({"stream_name": "T", "config": config});
        world.api(&format!("CONSUMER.CREATE.T.{name}"), &request)
    };
    create(&mut world, "lost", "all");
    publish_all(&mut world, &["t.1", "t.2", "t.3"]);
    let done = create(&mut world, "done", "new");
    assert_eq!(done["ack_floor"]["stream_seq"], 3);
    let records = world.journal.len();
    let (mut later, lost) = world.restarted_seeing(records, |entry, payload| {
        let text = String::from_utf8_lossy(payload);
        entry.kind != kinds::CONSUMER_CONFIG || !text.contains("\"lost\"")
    });
    assert!(!lost.is_empty());
    assert_eq!(
        later.api("CONSUMER.NAMES.T", &Value::Null)["consumers"],
        json!(["done"])
    );
    assert_eq!(later.sequences("T"), [1, 2, 3]);
}
