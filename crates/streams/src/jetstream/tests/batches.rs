//! Batches and schedules as their publishers meet them, over a log on a disk that fails.

use serde_json::{Value, json};

use super::world_on_disk::World;
use crate::time::{SECOND, format_rfc3339};

fn world(fields: Value) -> World {
    seeded(1, fields)
}

fn seeded(seed: u64, fields: Value) -> World {
    let mut world = World::new(seed);
    let mut config = json!({"name": "S", "subjects": ["s.>"], "allow_atomic": true,
        "allow_batched": true, "allow_msg_schedules": true});
    if let (Some(config), Value::Object(fields)) = (config.as_object_mut(), fields) {
        config.extend(fields);
    }
    world.create(&config);
    world.take("");
    world
}

fn member(world: &mut World, id: &str, place: u64, more: &[&str], payload: &str) {
    let (id, place) = (
        format!("Nats-Batch-Id: {id}"),
        format!("Nats-Batch-Sequence: {place}"),
    );
    let headers = [&[id.as_str(), place.as_str()], more].concat();
    world.publish("s.a", &headers, payload);
}

const COMMIT: &str = "Nats-Batch-Commit: 1";

fn count(world: &mut World) -> u64 {
    world.info("S")["state"]["messages"]
        .as_u64()
        .expect("a number")
}

#[test]
fn members_are_there_together_once_the_batch_is_committed() {
    for storage in ["file", "memory"] {
        let mut world = world(json!({"storage": storage}));
        member(&mut world, "b", 1, &[], "1");
        member(&mut world, "b", 2, &[], "2");
        assert!(world.take("ack").iter().all(|ack| ack.payload.is_empty()));
        assert_eq!(count(&mut world), 0);
        member(&mut world, "b", 3, &[COMMIT], "3");
        world.commit();
        assert_eq!(
            world.told("ack"),
            json!({"stream": "S", "seq": 3, "batch": "b", "count": 3})
        );
        assert_eq!(count(&mut world), 3);
    }
}

#[test]
fn a_commit_is_acknowledged_when_it_is_durable_and_not_before() {
    let mut world = world(json!({}));
    member(&mut world, "b", 1, &[COMMIT], "1");
    assert_eq!(world.take("ack"), []);
    world.commit();
    assert_eq!(world.told("ack")["count"], 1);
}

#[test]
fn a_crash_leaves_all_of_a_batch_or_none() {
    let mut seen = [false; 2];
    for seed in 0..60 {
        let mut world = seeded(seed, json!({}));
        for place in 1..20 {
            member(&mut world, "b", place, &[], &"x".repeat(700));
        }
        member(&mut world, "b", 20, &[COMMIT], "last");
        let mut world = world.crash_while_writing();
        match count(&mut world) {
            0 => seen[0] = true,
            20 => seen[1] = true,
            some => panic!("{some} of 20 with seed {seed}"),
        }
    }
    assert!(seen[0], "no crash took a batch: the test proves nothing");
}

#[test]
fn one_refused_member_refuses_all() {
    let mut world = world(json!({}));
    member(&mut world, "b", 1, &["Nats-Msg-Id: 1"], "1");
    member(&mut world, "b", 2, &[COMMIT, "Nats-Msg-Id: 1"], "2");
    assert_eq!(world.told("ack")["error"]["err_code"], 10201);
    member(&mut world, "c", 1, &["Nats-Expected-Last-Sequence: 0"], "1");
    member(
        &mut world,
        "c",
        2,
        &[COMMIT, "Nats-Expected-Last-Sequence: 1"],
        "2",
    );
    assert_eq!(world.told("ack")["error"]["err_code"], 10164);
    assert_eq!(count(&mut world), 0);
    // Neither id nor batch is remembered.
    member(&mut world, "b", 1, &[COMMIT, "Nats-Msg-Id: 1"], "1");
    world.commit();
    assert_eq!(world.told("ack")["count"], 1);
}

#[test]
fn counters_add_up_within_a_batch() {
    let fields = json!({"allow_msg_counter": true, "allow_msg_schedules": false});
    let mut world = world(fields);
    member(&mut world, "b", 1, &["Nats-Incr: 5"], "");
    member(&mut world, "b", 2, &[COMMIT, "Nats-Incr: -2"], "");
    world.commit();
    assert_eq!(world.told("ack")["seq"], 2);
    let last = world.api("STREAM.MSG.GET.S", &json!({"seq": 2}));
    // {"val":"3"}
    assert_eq!(last["message"]["data"], "eyJ2YWwiOiIzIn0=");
}

#[test]
fn a_batch_that_nobody_ends_is_given_up_and_told_of() {
    let mut world = world(json!({}));
    member(&mut world, "b", 1, &[], "1");
    world.pass(9 * SECOND);
    let advisory = "$JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.S";
    assert_eq!(world.told(advisory), Value::Null);
    world.pass(SECOND);
    assert_eq!(world.told(advisory)["reason"], "timeout");
    member(&mut world, "b", 2, &[COMMIT], "2");
    assert_eq!(world.told("ack")["error"]["err_code"], 10176);
}

#[test]
fn what_a_fast_batch_hears_of_stored_messages_waits_for_the_disk() {
    let mut world = world(json!({}));
    for place in 1..=4 {
        let operation = u64::from(place > 1);
        let reply = format!("i.b.2.fail.{place}.{operation}.$FI");
        world.publish_with(&reply, "s.a", &[], "x");
    }
    assert_eq!(world.take("i.b.2.fail.2.1.$FI"), []);
    world.commit();
    let flow = json!({"type": "ack", "seq": 2, "msgs": 2});
    assert_eq!(world.told("i.b.2.fail.2.1.$FI"), flow);
    world.publish_with("i.b.2.fail.5.3.$FI", "s.a", &[], "");
    world.commit();
    let ack = json!({"stream": "S", "seq": 4, "batch": "b", "count": 4});
    assert_eq!(world.told("i.b.2.fail.5.3.$FI"), ack);
}

#[test]
fn a_gap_ends_a_fast_batch_that_wants_none() {
    let mut world = world(json!({}));
    world.publish_with("i.b.9.fail.1.0.$FI", "s.a", &[], "x");
    world.publish_with("i.b.9.fail.3.1.$FI", "s.a", &[], "x");
    world.commit();
    let told = world.take("i.b.9.fail.3.1.$FI");
    assert_eq!(
        told[0].json(),
        json!({"type": "gap", "last_seq": 2, "seq": 3})
    );
    assert_eq!(told[1].json()["count"], 1);
    world.publish_with("i.b.9.fail.4.1.$FI", "s.a", &[], "x");
    world.commit();
    assert_eq!(world.told("i.b.9.fail.4.1.$FI")["error"]["err_code"], 10208);
}

#[test]
fn a_schedule_fires_once_at_its_time_and_is_gone() {
    let mut world = world(json!({}));
    let at = format!(
        "Nats-Schedule: @at {}",
        format_rfc3339(world.now_ns + 5 * SECOND)
    );
    world.publish("s.job", &[&at, "Nats-Schedule-Target: s.done"], "work");
    world.pass(4 * SECOND);
    assert_eq!(world.subjects("S"), json!({"s.job": 1}));
    world.pass(SECOND);
    assert_eq!(world.subjects("S"), json!({"s.done": 1}));
    world.pass(100 * SECOND);
    assert_eq!(world.subjects("S"), json!({"s.done": 1}));
}

#[test]
fn what_a_repeating_schedule_missed_is_made_up_for_once() {
    let mut world = world(json!({}));
    let every = ["Nats-Schedule: @every 10s", "Nats-Schedule-Target: s.tick"];
    world.publish("s.job", &every, "");
    world.pass(10 * SECOND);
    world.pass(10 * SECOND);
    assert_eq!(world.subjects("S"), json!({"s.job": 1, "s.tick": 2}));
    let mut world = world.crash();
    world.pass(35 * SECOND);
    assert_eq!(world.subjects("S"), json!({"s.job": 1, "s.tick": 3}));
    world.pass(9 * SECOND);
    assert_eq!(world.subjects("S"), json!({"s.job": 1, "s.tick": 3}));
    world.pass(SECOND);
    assert_eq!(world.subjects("S"), json!({"s.job": 1, "s.tick": 4}));
}

#[test]
fn a_schedule_whose_firing_did_not_reach_the_disk_fires_again() {
    let mut world = world(json!({}));
    let at = format!(
        "Nats-Schedule: @at {}",
        format_rfc3339(world.now_ns + SECOND)
    );
    world.publish("s.job", &[&at, "Nats-Schedule-Target: s.done"], "work");
    world.commit();
    world.now_ns += SECOND;
    world.act(|jetstream, context, log| jetstream.tick(context, log));
    world.commit_without_room();
    assert_eq!(world.subjects("S"), json!({"s.job": 1}));
    world.pass(SECOND);
    assert_eq!(world.subjects("S"), json!({"s.done": 1}));
}

#[test]
fn another_message_on_its_subject_ends_a_schedule() {
    let mut world = world(json!({"max_msgs_per_subject": 1}));
    let every = ["Nats-Schedule: @every 10s", "Nats-Schedule-Target: s.tick"];
    world.publish("s.job", &every, "");
    world.publish("s.job", &[], "no more");
    world.pass(20 * SECOND);
    assert_eq!(world.subjects("S"), json!({"s.job": 1}));
}

#[test]
fn a_message_that_ends_a_schedule_does_so_together_with_being_stored() {
    for batched in [false, true] {
        let mut world = world(json!({"allow_rollup_hdrs": true}));
        let every = ["Nats-Schedule: @every 10s", "Nats-Schedule-Target: s.tick"];
        world.publish("s.job", &every, "work");
        world.pass(0);
        let end = ["Nats-Scheduler: s.job", "Nats-Schedule-Next: purge"];
        if batched {
            member(
                &mut world,
                "b",
                1,
                &[&end[..], &[COMMIT]].concat(),
                "enough",
            );
        } else {
            world.publish("s.a", &end, "enough");
        }
        world.commit_without_room();
        assert_eq!(world.told("ack")["error"]["err_code"], 10077);
        assert_eq!(world.subjects("S"), json!({"s.job": 1}));
        world.publish("s.a", &end, "enough");
        world.commit();
        assert_eq!(world.told("ack")["seq"], 2);
        let mut world = world.crash();
        world.pass(100 * SECOND);
        assert_eq!(world.subjects("S"), json!({"s.a": 1}), "batched: {batched}");
    }
}
