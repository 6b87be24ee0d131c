//! Consumers as the API and those who hear advisories meet them.

use serde_json::{Value, json};

use super::world_on_disk::World;
use crate::time::SECOND;

/// A stream `S` with so many messages on `s.a`.
fn world(messages: usize, fields: Value) -> World {
    let mut world = World::new(1);
    let mut config = json!({"name": "S", "subjects": ["s.>"]});
    if let (Some(config), Value::Object(fields)) = (config.as_object_mut(), fields) {
        config.extend(fields);
    }
    world.create(&config);
    for _ in 0..messages {
        world.publish("s.a", &[], "payload");
    }
    world.pass(0);
    world
}

/// Creates or updates the consumer `C`, which is durable.
fn consumer(world: &mut World, fields: Value) -> Value {
    let mut config = json!({"durable_name": "C", "ack_policy": "explicit"});
    if let (Some(config), Value::Object(fields)) = (config.as_object_mut(), fields) {
        config.extend(fields);
    }
    let body = json!({"stream_name": "S", "config": config});
    let answer = world.api("CONSUMER.CREATE.S.C", &body);
    assert!(answer["error"].is_null(), "{answer}");
    answer
}

/// The subjects of advisories about consumers and streams since the last call, behind `$JS.EVENT.ADVISORY.`.
fn advisories(world: &mut World) -> Vec<String> {
    let sent = std::mem::take(&mut world.heard.sent);
    let subjects = sent.into_iter().map(|sent| sent.subject);
    let told = subjects.filter_map(|subject| {
        let what = subject.strip_prefix("$JS.EVENT.ADVISORY.")?;
        (!what.starts_with("API")).then(|| what.to_owned())
    });
    told.collect()
}

#[test]
fn what_is_deleted_while_nobody_asks_for_messages_is_told_of_at_once() {
    let mut world = world(2, json!({}));
    consumer(&mut world, json!({}));
    world.pull("S", "C", "2");
    assert_eq!(world.take("inbox").len(), 2);
    advisories(&mut world);
    world.api("STREAM.MSG.DELETE.S", &json!({"seq": 1}));
    world.pass(0);
    assert_eq!(advisories(&mut world), ["CONSUMER.MSG_TERMINATED.S.C"]);
}

#[test]
fn what_is_purged_is_not_told_of_one_by_one() {
    for (purge, told) in [
        (json!({"keep": 0}), 0),
        (json!({"keep": 1}), 0),
        (json!({"keep": 2}), 1),
    ] {
        let mut world = world(3, json!({}));
        consumer(&mut world, json!({}));
        world.pull("S", "C", "2");
        advisories(&mut world);
        world.api("STREAM.PURGE.S", &purge);
        world.pass(0);
        assert_eq!(advisories(&mut world).len(), told, "{purge}");
        let info = world.api("CONSUMER.INFO.S.C", &Value::Null);
        assert_eq!(info["num_ack_pending"], json!(told), "{info}");
    }
}

#[test]
fn who_has_nothing_left_after_a_purge_has_come_to_the_end() {
    for (filter, purge, place) in [
        ("", json!({}), 8),
        ("s.a", json!({}), 8),
        ("s.a", json!({"filter": "s.a"}), 8),
        ("s.a", json!({"filter": "s.*"}), 8),
        ("", json!({"keep": 2}), 6),
        // Of these it has messages left, or it has lost none.
        ("", json!({"filter": "s.a"}), 6),
        ("s.>", json!({"filter": "s.a"}), 6),
        ("s.a", json!({"filter": "s.b"}), 4),
        ("s.a", json!({"filter": "s.a", "keep": 1}), 5),
    ] {
        let mut world = world(6, json!({}));
        for _ in 0..2 {
            world.publish("s.b", &[], "payload");
        }
        world.pass(0);
        consumer(&mut world, json!({"filter_subject": filter}));
        world.pull("S", "C", "4");
        world.api("STREAM.PURGE.S", &purge);
        let info = world.api("CONSUMER.INFO.S.C", &Value::Null);
        let places = (
            &info["delivered"]["stream_seq"],
            &info["ack_floor"]["stream_seq"],
        );
        let floor = if place == 4 { 0 } else { place };
        assert_eq!(places, (&json!(place), &json!(floor)), "{filter} {purge}");
        world.publish("s.a", &[], "new");
        world.pass(0);
        world.pull("S", "C", "9");
        let delivered = world.take("inbox").len() as u64 - 4;
        assert_eq!(
            json!(delivered),
            json!(info["num_pending"].as_u64().map(|more| more + 1))
        );
    }
}

#[test]
fn the_consumers_of_a_deleted_stream_are_told_of_before_it() {
    let mut world = world(0, json!({}));
    consumer(&mut world, json!({}));
    advisories(&mut world);
    world.api("STREAM.DELETE.S", &Value::Null);
    assert_eq!(
        advisories(&mut world),
        ["CONSUMER.DELETED.S.C", "STREAM.DELETED.S"]
    );
}

#[test]
fn who_hears_of_a_new_consumer_hears_that_it_is_paused() {
    let mut world = world(0, json!({}));
    advisories(&mut world);
    consumer(&mut world, json!({"pause_until": "2099-01-01T00:00:00Z"}));
    let told = ["CONSUMER.CREATED.S.C", "CONSUMER.PAUSE.S.C"];
    assert_eq!(advisories(&mut world), told);
    consumer(&mut world, json!({"description": "other"}));
    let pause = world.told("$JS.EVENT.ADVISORY.CONSUMER.PAUSE.S.C");
    assert_eq!(pause["paused"], true, "{pause}");
}

#[test]
fn an_update_without_a_durable_name_does_not_make_a_consumer_end() {
    let mut world = world(0, json!({}));
    consumer(&mut world, json!({}));
    let unnamed = json!({"durable_name": "", "name": "C", "description": "other"});
    let info = consumer(&mut world, unnamed);
    assert_eq!(info["config"]["inactive_threshold"], Value::Null, "{info}");
}

#[test]
fn an_update_of_a_consumer_that_is_not_durable_brings_the_default_threshold_back() {
    let mut world = world(0, json!({}));
    let with =
        |threshold: u64| json!({"durable_name": "", "name": "C", "inactive_threshold": threshold});
    for (threshold, expected) in [(9, 9), (0, 5_000_000_000_u64)] {
        let info = consumer(&mut world, with(threshold));
        assert_eq!(info["config"]["inactive_threshold"], expected, "{info}");
    }
}

#[test]
fn the_level_of_an_update_counts_what_is_kept_and_what_was_asked_for() {
    let mut world = world(0, json!({}));
    let level = |info: Value| info["config"]["metadata"]["_nats.req.level"].clone();
    let info = consumer(&mut world, json!({"priority_timeout": -1}));
    assert_eq!(level(info), "1");
    let info = consumer(&mut world, json!({"description": "none"}));
    assert_eq!(level(info), "0");
    let until = json!({"pause_until": "2099-01-01T00:00:00Z"});
    world.api("CONSUMER.PAUSE.S.C", &until);
    let info = consumer(&mut world, json!({"description": "paused"}));
    assert_eq!(level(info), "1");
}

#[test]
fn however_many_consumers_there_are_a_turn_is_bounded_and_none_of_them_waits_for_ever() {
    let mut world = world(2_000, json!({}));
    let consumers: u64 = 150;
    for n in 0..consumers {
        let config = json!({"name": format!("P{n:03}"), "deliver_subject": format!("to.{n}"), "ack_policy": "none",
            "mem_storage": true});
        let body = json!({"stream_name": "S", "config": config});
        let answer = world.api(&format!("CONSUMER.CREATE.S.P{n:03}"), &body);
        assert!(answer["error"].is_null(), "{answer}");
    }
    let mut got = 0;
    let mut turns = 0;
    while got < consumers * 2_000 {
        world.heard.sent.clear();
        world.act(|jetstream, context, log| jetstream.work(context, log));
        let delivered = world.heard.sent.len() as u64;
        assert!(delivered <= 66 * 512, "{delivered} in one turn");
        got += delivered;
        turns += 1;
        assert!(turns < 100, "{got} of all after {turns} turns");
    }
    assert_eq!(got, consumers * 2_000);
}

#[test]
fn a_clock_that_is_set_back_does_not_keep_progress_from_being_saved() {
    let mut world = world(1, json!({}));
    consumer(&mut world, json!({}));
    world.pull("S", "C", "1");
    let delivered = world.take("inbox");
    world.now_ns -= 3600 * SECOND;
    world.ack(&delivered[0], "+ACK");
    world.commit();
    let mut world = world.crash();
    let info = world.api("CONSUMER.INFO.S.C", &Value::Null);
    assert_eq!(info["ack_floor"]["stream_seq"], 1, "{info}");
}
