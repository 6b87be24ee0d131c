//! Dead letters: what is copied, when, and how often.

use serde_json::{Value, json};

use super::world_on_disk::{Sent, World};
use crate::time::SECOND;

const LONG: i64 = 600 * SECOND;

/// A work queue `S` whose dead letters go to `DEAD`, with the consumer `C`.
fn world(fields: Value) -> World {
    let mut world = World::new(1);
    world.create(&json!({"name": "DEAD"}));
    make_queue(&mut world, fields);
    world
}

fn make_queue(world: &mut World, fields: Value) {
    world.create(&json!({
        "name": "S", "subjects": ["s.>"], "retention": "workqueue", "metadata": {"recado.dead_letter": "DEAD"}
    }));
    let mut config = json!({"durable_name": "C", "ack_policy": "explicit", "ack_wait": SECOND});
    if let (Some(config), Value::Object(fields)) = (config.as_object_mut(), fields) {
        config.extend(fields);
    }
    let body = json!({"stream_name": "S", "config": config});
    let answer = world.api("CONSUMER.CREATE.S.C", &body);
    assert!(answer["error"].is_null(), "{answer}");
}

fn pulled(world: &mut World) -> Vec<Sent> {
    world.pull("S", "C", r#"{"batch": 9, "no_wait": true}"#);
    let mut sent = world.take("inbox");
    sent.retain(|sent| sent.reply.starts_with("$JS.ACK."));
    sent
}

/// All letters, in order.
fn letters(world: &mut World) -> Vec<Sent> {
    let config = json!({"name": "R", "ack_policy": "none", "mem_storage": true});
    world.api(
        "CONSUMER.CREATE.DEAD.R",
        &json!({"stream_name": "DEAD", "config": config}),
    );
    world.pull("DEAD", "R", r#"{"batch": 99, "no_wait": true}"#);
    world.api("CONSUMER.DELETE.DEAD.R", &Value::Null);
    let mut sent = world.take("inbox");
    sent.retain(|sent| sent.reply.starts_with("$JS.ACK."));
    sent
}

fn left(world: &mut World) -> Value {
    world.info("S")["state"]["messages"].take()
}

#[test]
fn a_terminated_message_is_copied_with_what_is_known_of_it_and_without_what_was_meant_for_its_stream()
 {
    let mut world = world(json!({}));
    world.publish("s.a", &["Nats-Msg-Id: one"], "first");
    let headers = [
        "Nats-Msg-Id: two",
        "Nats-Expected-Last-Msg-Id: one",
        "Nats-Expected-Stream: S",
        "Color: green",
        "Recado-Dead-Subject: forged",
    ];
    world.publish("s.b", &headers, "second");
    world.pass(0);
    let deliveries = pulled(&mut world);
    world.ack(&deliveries[1], "+TERM no\r\n good ");
    world.pass(0);
    let found = letters(&mut world);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].payload, b"second");
    let id = found[0]
        .headers
        .lines()
        .find(|line| line.starts_with("Nats-Msg-Id: "));
    let expected = [
        "NATS/1.0",
        "Color: green",
        "Recado-Dead-Reason: terminated",
        "Recado-Dead-Detail: no   good",
        "Recado-Dead-Stream: S",
        "Recado-Dead-Consumer: C",
        "Recado-Dead-Subject: s.b",
        "Recado-Dead-Sequence: 2",
        "Recado-Dead-Deliveries: 1",
        id.expect("an id of its own"),
        "",
    ];
    let lines: Vec<&str> = found[0].headers.lines().collect();
    assert_eq!(lines, expected);
    assert_eq!(world.subjects("DEAD"), json!({"DLQ.S.C": 1}));
    assert_eq!(left(&mut world), 1);
    world.ack(&deliveries[1], "+TERM again");
    world.pass(LONG);
    assert_eq!(letters(&mut world).len(), 1);
}

#[test]
fn a_message_that_was_given_up_is_copied_and_stays() {
    let mut world = world(json!({"max_deliver": 2}));
    world.publish("s.a", &[], "hard");
    world.pass(0);
    for _ in 0..2 {
        assert_eq!(pulled(&mut world).len(), 1);
        world.pass(2 * SECOND);
    }
    let found = letters(&mut world);
    assert_eq!(found.len(), 1);
    assert!(
        found[0]
            .headers
            .contains("Recado-Dead-Reason: max_deliver\r\n")
    );
    assert!(found[0].headers.contains("Recado-Dead-Deliveries: 2\r\n"));
    assert_eq!(left(&mut world), 1);
}

#[test]
fn there_is_one_letter_whatever_a_crash_comes_between() {
    for answer in ["-NAK", "+TERM"] {
        let mut world = world(json!({"max_deliver": 1}));
        world.publish("s.a", &[], "hard");
        world.pass(0);
        let deliveries = pulled(&mut world);
        world.commit();
        // So soon after it that its progress is not due for itself.
        world.ack(&deliveries[0], answer);
        world.commit();
        let mut world = world.crash();
        assert_eq!(letters(&mut world).len(), 1, "{answer}");
        // Longer than ids are remembered.
        for _ in 0..3 {
            world.pass(LONG);
            assert_eq!(pulled(&mut world), []);
        }
        assert_eq!(letters(&mut world).len(), 1, "{answer}");
        assert_eq!(left(&mut world), i32::from(answer == "-NAK"), "{answer}");
    }
}

#[test]
fn a_message_is_terminated_only_when_its_copy_is_kept() {
    let mut world = world(json!({}));
    world.api("STREAM.DELETE.DEAD", &Value::Null);
    world.publish("s.a", &[], "dear");
    world.pass(0);
    let again = |world: &mut World, why: &str| {
        let deliveries = pulled(world);
        assert_eq!(deliveries.len(), 1, "{why}");
        world.ack(&deliveries[0], "+TERM");
        world.pass(2 * SECOND);
        let told = world.jetstream.take_uncopied();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].why.contains(why), "{told:?}");
        assert_eq!(left(world), 1);
    };
    again(&mut world, "no stream of that name");
    world.create(&json!({"name": "DEAD", "subjects": ["d"], "max_msgs": 1, "discard": "new"}));
    world.publish("d", &[], "full");
    world.pass(0);
    again(&mut world, "maximum messages exceeded");
    world.api("STREAM.PURGE.DEAD", &Value::Null);
    let deliveries = pulled(&mut world);
    world.ack(&deliveries[0], "+TERM");
    world.pass(2 * SECOND);
    assert_eq!((letters(&mut world).len(), left(&mut world)), (1, json!(0)));
    assert_eq!(world.jetstream.take_uncopied(), []);
}

#[test]
fn streams_and_consumers_of_the_same_names_have_letters_of_their_own() {
    let mut world = world(json!({}));
    for round in 1..=3 {
        world.publish("s.a", &[], "hard");
        world.pass(0);
        let deliveries = pulled(&mut world);
        world.ack(&deliveries[0], "+TERM");
        world.pass(SECOND);
        assert_eq!(letters(&mut world).len(), round);
        world.api("STREAM.DELETE.S", &Value::Null);
        make_queue(&mut world, json!({}));
    }
}
