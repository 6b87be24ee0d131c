//! What a full disk and a crash leave: batches that the log takes back, records that must come back.

use serde_json::{Value, json};

use super::world::{World, stream};
use crate::consumer::Leaving;
use crate::jetstream::Incoming;

fn world(fields: Value) -> World {
    let mut world = World::new();
    world.create(&stream("S", fields));
    world.run();
    world
}

fn pulling(world: &mut World, stream: &str, name: &str) {
    let config =
        json!({"stream_name": stream, "config": {"durable_name": name, "ack_policy": "explicit"}});
    let answer = world.api(&format!("CONSUMER.CREATE.{stream}.{name}"), &config);
    assert!(answer["error"].is_null(), "{answer}");
}

#[test]
fn what_a_failed_batch_changed_is_as_it_was() {
    let mut world = world(json!({"subjects": ["s"]}));
    world.create(&stream("D", json!({"subjects": ["d"]})));
    pulling(&mut world, "S", "kept");
    for (subject, payload) in [("s", "1"), ("s", "2"), ("d", "3")] {
        world.publish(subject, "", payload);
    }
    world.run();
    let before = (world.info("S"), world.info("D"));
    let update = stream("S", json!({"subjects": ["s", "t"], "max_msgs": 1}));
    let config = json!({"stream_name": "S", "config": {"durable_name": "new"}});
    for (call, body) in [
        ("STREAM.UPDATE.S", &update),
        ("STREAM.CREATE.N", &stream("N", json!({"subjects": ["n"]}))),
        ("CONSUMER.CREATE.S.new", &config),
        ("CONSUMER.DELETE.S.kept", &Value::Null),
        ("STREAM.DELETE.D", &Value::Null),
        ("STREAM.MSG.DELETE.S", &json!({"seq": 1})),
        ("STREAM.PURGE.S", &Value::Null),
    ] {
        world.api_and_fail(call, body);
        let now = (world.info("S"), world.info("D"));
        for (before, now) in [(&before.0, &now.0), (&before.1, &now.1)] {
            assert_eq!(before["config"], now["config"], "{call}");
            assert_eq!(before["state"], now["state"], "{call}");
        }
        assert!(!world.has("N"), "{call}");
    }
    world.publish("s", "", "4");
    world.publish("d", "", "5");
    world.run();
    let records = world.journal.len();
    for later in [
        &mut world.restarted_with(records),
        &mut world.restarted_compacted(),
        &mut world,
    ] {
        assert_eq!(later.payloads("S"), ["1", "2", "4"]);
        assert_eq!(later.payloads("D"), ["3", "5"]);
        assert_eq!(later.info("S")["state"]["consumer_count"], 1);
    }
}

#[test]
fn streams_and_consumers_in_memory_outlast_a_failed_batch() {
    let mut world = world(json!({"subjects": ["s"]}));
    world.create(&stream(
        "M",
        json!({"subjects": ["m"], "storage": "memory"}),
    ));
    let config = json!({"stream_name": "S", "config": {"name": "c", "mem_storage": true, "ack_policy": "explicit"}});
    world.api("CONSUMER.CREATE.S.c", &config);
    world.publish("s", "", "1");
    world.publish("m", "", "2");
    world.run();
    world.publish("m", "", "3");
    world.publish("s", "", "void");
    world.fail_batch();
    world.publish("m", "", "4");
    world.publish("s", "", "5");
    world.run();
    assert_eq!(world.payloads("M"), ["2", "3", "4"]);
    assert_eq!(world.payloads("S"), ["1", "5"]);
    let info = world.api("CONSUMER.INFO.S.c", &Value::Null);
    assert_eq!(info["num_pending"], 2, "{info}");
}

#[test]
fn nobody_is_told_of_what_the_log_did_not_take() {
    let mut world = world(json!({"subjects": ["s"]}));
    world.publish("s", "", "1");
    // Where the stream begins now is to be written with this batch.
    world.act(|jetstream, _, _| {
        let stream = jetstream.streams.get_mut(&1).expect("the stream");
        stream.take_out(1, Leaving::Alone);
        stream.note_skipped();
        jetstream.unsaved.insert(1);
    });
    world.journal.is_full = true;
    let may_be_told = |world: &mut World| {
        world.act(|jetstream, context, journal| {
            jetstream.complete_batch(context, journal);
            jetstream.has_waiting()
        })
    };
    assert!(
        !may_be_told(&mut world),
        "its sequence would be given again"
    );
    world.journal.is_full = false;
    assert!(may_be_told(&mut world));
}

#[test]
fn what_a_void_rollup_took_away_is_there_again_and_stays() {
    for rollup in ["sub", "all"] {
        let mut world = world(json!({"subjects": ["s"], "allow_rollup_hdrs": true}));
        world.publish("s", "", "1");
        world.run();
        let headers = format!("NATS/1.0\r\nNats-Rollup: {rollup}\r\n\r\n");
        world.publish("s", &headers, "void");
        world.fail_batch();
        assert_eq!(world.payloads("S"), ["1"], "{rollup}");
        world.run();
        let mut later = world.restarted_with(world.journal.len());
        assert_eq!(later.payloads("S"), ["1"], "{rollup}");
    }
}

#[test]
fn what_a_work_queue_gave_up_for_void_messages_is_delivered() {
    let mut world = world(json!({"subjects": ["s"], "retention": "workqueue", "max_msgs": 2}));
    pulling(&mut world, "S", "c");
    world.publish("s", "", "1");
    world.publish("s", "", "2");
    world.run();
    world.publish("s", "", "void");
    world.publish("s", "", "void");
    assert_eq!(world.payloads("S"), ["void", "void"]);
    world.fail_batch();
    assert_eq!(world.payloads("S"), ["1", "2"]);
    let info = world.api("CONSUMER.INFO.S.c", &Value::Null);
    assert_eq!(info["num_pending"], 2, "{info}");
}

#[test]
fn a_void_lifetime_does_not_end_the_message_that_comes_in_its_place() {
    let mut world = world(json!({"subjects": ["s"], "allow_msg_ttl": true}));
    world.publish("s", "NATS/1.0\r\nNats-TTL: 1\r\n\r\n", "void");
    world.fail_batch();
    world.publish("s", "", "stays");
    world.run();
    world.now_ns += 5_000_000_000;
    world.run();
    assert_eq!(world.payloads("S"), ["stays"]);
}

#[test]
fn a_skipped_sequence_shows_nothing_that_is_not_durable_and_is_not_given_again() {
    let mut world = world(json!({"subjects": ["s.>"], "retention": "interest"}));
    let config =
        json!({"stream_name": "S", "config": {"durable_name": "c", "filter_subject": "s.a"}});
    world.api("CONSUMER.CREATE.S.c", &config);
    world.publish("s.a", "", "1");
    world.publish("s.b", "", "nobody wants it");
    world.fail_batch();
    assert!(world.payloads("S").is_empty());
    world.publish("s.b", "", "nobody wants it");
    world.run();
    let mut later = world.restarted_with(world.journal.len());
    assert_eq!(later.info("S")["state"]["last_seq"], 1);
}

#[test]
fn a_stream_without_configuration_keeps_its_records() {
    let mut world = world(json!({"subjects": ["s"]}));
    world.publish("s", "", "1");
    world.run();
    assert!(world.is_every_message_live_without_configurations());
}

#[test]
fn the_last_sequence_is_spent_and_no_more_is_taken() {
    let mut world = world(json!({"subjects": ["s"], "first_seq": u64::MAX - 1}));
    world.publish("s", "", "1");
    world.publish("s", "", "2");
    world.run();
    assert_eq!(world.payloads("S"), ["1"]);
    world.api("STREAM.PURGE.S", &Value::Null);
    assert!(world.payloads("S").is_empty());
}

/// What was told of missing storage since the last request.
fn told_out_of_storage(world: &World) -> Vec<Value> {
    let told = world.seen("$JS.EVENT.ADVISORY.SERVER.OUT_OF_STORAGE");
    let bodies = told.iter().map(|(_, body)| serde_json::from_str(body));
    bodies
        .collect::<Result<_, _>>()
        .expect("advisories in JSON")
}

#[test]
fn a_full_disk_is_told_once_until_a_message_was_stored_again() {
    let mut world = world(json!({"subjects": ["s"]}));
    pulling(&mut world, "S", "c");
    world.publish("s", "", "1");
    world.run();
    world.info("S");
    for _ in 0..2 {
        world.publish("s", "", "no room");
        world.fail_batch();
    }
    let told = told_out_of_storage(&world);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        told[0]["type"],
        "io.nats.jetstream.advisory.v1.server_out_of_space"
    );
    assert_eq!(
        (&told[0]["server"], &told[0]["server_id"]),
        (&json!("recado"), &json!("recado"))
    );
    // Records of other kinds have room set aside, so they say nothing.
    pulling(&mut world, "S", "d");
    world.publish("s", "", "no room");
    world.fail_batch();
    assert_eq!(told_out_of_storage(&world).len(), 0);
    world.publish("s", "", "2");
    world.run();
    world.publish("s", "", "no room");
    world.fail_batch();
    assert_eq!(told_out_of_storage(&world).len(), 1);
}

#[test]
fn a_store_that_stopped_is_told_also_after_a_full_disk_and_never_again() {
    let mut world = world(json!({"subjects": ["s"]}));
    world.info("S");
    world.publish("s", "", "no room");
    world.fail_batch();
    for _ in 0..2 {
        world.act(|jetstream, context, journal| jetstream.stopped(context, journal, "no disk"));
    }
    assert_eq!(told_out_of_storage(&world).len(), 2);
}

#[test]
fn what_ended_by_itself_makes_limits_take_nothing_after_a_restart() {
    let limits = [json!({"max_msgs": 3}), json!({"max_bytes": 150})];
    for limit in limits {
        let mut fields = json!({"subjects": ["s"], "allow_msg_ttl": true});
        if let (Some(fields), Value::Object(limit)) = (fields.as_object_mut(), limit) {
            fields.extend(limit);
        }
        let mut world = world(fields);
        world.publish("s", "", "1");
        world.publish("s", "NATS/1.0\r\nNats-TTL: 1\r\n\r\n", "ends");
        world.publish("s", "", "3");
        world.run();
        world.now_ns += 2_000_000_000;
        world.run();
        world.publish("s", "", "4");
        world.run();
        assert_eq!(world.payloads("S"), ["1", "3", "4"]);
        let mut later = world.restarted_with(world.journal.len());
        assert_eq!(later.payloads("S"), ["1", "3", "4"]);
    }
}

#[test]
fn the_last_sequence_outlasts_its_message() {
    let mut world = world(json!({"subjects": ["s"], "max_age": 1_000_000_000}));
    world.publish("s", "", "1");
    world.publish("s", "", "2");
    world.run();
    world.now_ns += 2_000_000_000;
    world.run();
    assert!(world.payloads("S").is_empty());
    let mut later = world.restarted_compacted();
    assert_eq!(later.info("S")["state"]["last_seq"], 2);
}

#[test]
fn what_the_disk_does_not_give_is_not_lost() {
    let mut world = world(json!({"subjects": ["s"], "allow_direct": true}));
    world.publish("s", "", "1");
    world.run();
    let status = |world: &mut World| {
        world.ask("DIRECT.GET.S", &json!({"seq": 1}));
        world.seen("answer").remove(0)
    };
    world.journal.is_unreadable = true;
    let (headers, _) = status(&mut world);
    assert!(headers.starts_with("NATS/1.0 500"), "{headers}");
    world.run();
    assert_eq!(world.info("S")["state"]["messages"], 1);
    world.journal.is_unreadable = false;
    assert_eq!(status(&mut world).1, "1");
    let mut later = world.restarted_with(world.journal.len());
    assert_eq!(later.payloads("S"), ["1"]);
}

#[test]
fn a_store_that_stopped_owes_no_confirmation_and_says_nothing_for_streams_without_acks() {
    let mut world = world(json!({"subjects": ["s"]}));
    world.create(&stream("Q", json!({"subjects": ["q"], "no_ack": true})));
    pulling(&mut world, "S", "c");
    world.publish("s", "", "1");
    world.run();
    let confirm = |world: &mut World| {
        world.act(|jetstream, context, journal| {
            let message = Incoming {
                sid: b"k",
                subject: b"$JS.ACK.S.c.1.1.1.1.0",
                reply: b"confirmed",
                headers: b"",
                payload: b"+WPI",
            };
            jetstream.handle(context, journal, &message);
            jetstream.has_unsaved()
        })
    };
    assert!(confirm(&mut world));
    world.act(|jetstream, context, journal| jetstream.stopped(context, journal, "no disk"));
    for _ in 0..3 {
        assert!(!confirm(&mut world), "nothing will be saved");
    }
    world.batch();
    assert_eq!(world.seen("confirmed"), []);
    world.publish_for("s", "", "2", "told");
    world.publish_for("q", "", "3", "told");
    let told = world.seen("told");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].1.contains("\"err_code\":10077"), "{told:?}");
}
