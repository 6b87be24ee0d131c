//! Streams with `compression: s2` (E67, G44): fewer bytes on the disk, and nothing else that a client sees.

use base64::Engine;
use serde_json::{Value, json};

use super::world_on_disk::{Sent, World};

const COUNT: u64 = 200;

fn payload(number: u64) -> String {
    let line = format!(r#"{{"order":{number},"state":"accepted","price":"1{number}.00"}},"#);
    line.repeat(10)
}

/// A stream S with these fields, and messages in it.
fn world(fields: &Value) -> World {
    let mut world = World::new(1);
    let mut config = json!({"name": "S", "subjects": ["s.>"]});
    if let (Some(config), Some(fields)) = (config.as_object_mut(), fields.as_object()) {
        config.extend(fields.clone());
    }
    world.create(&config);
    publish(&mut world, 1..=COUNT);
    world
}

fn publish(world: &mut World, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        let header = format!("Number: {number}");
        world.publish(&format!("s.{}", number % 3), &[&header], &payload(number));
    }
    world.commit();
    world.take("ack");
}

/// Whether a message is, byte for byte, what was published.
fn assert_is_there(world: &mut World, sequence: u64) {
    let request = json!({"seq": sequence});
    let answer = world.api("STREAM.MSG.GET.S", &request);
    let message = &answer["message"];
    let decoded = |field: &str| {
        let text = message[field].as_str().unwrap_or_default();
        let bytes = base64::engine::general_purpose::STANDARD.decode(text);
        String::from_utf8(bytes.expect("base64")).expect("text")
    };
    assert_eq!(
        message["subject"],
        format!("s.{}", sequence % 3),
        "{answer}"
    );
    assert_eq!(decoded("data"), payload(sequence));
    assert_eq!(
        decoded("hdrs"),
        format!("NATS/1.0\r\nNumber: {sequence}\r\n\r\n")
    );
}

fn assert_are_there(world: &mut World, which: impl IntoIterator<Item = u64>) {
    for sequence in which {
        assert_is_there(world, sequence);
    }
}

#[test]
fn it_stores_fewer_bytes_and_counts_as_many() {
    let mut plain = world(&json!({}));
    let mut packed = world(&json!({"compression": "s2"}));
    let raw: u64 = (1..=COUNT).map(|number| payload(number).len() as u64).sum();
    assert!(plain.stored_bytes() > raw);
    assert!(packed.stored_bytes() * 3 < raw, "{}", packed.stored_bytes());
    for world in [&mut plain, &mut packed] {
        assert_are_there(world, 1..=COUNT);
    }
    let state = |world: &mut World| {
        let state = &world.info("S")["state"];
        (state["messages"].clone(), state["bytes"].clone())
    };
    assert_eq!(state(&mut packed), state(&mut plain));
    // From the disk, and counted anew.
    let (mut plain, mut packed) = (plain.crash(), packed.crash());
    assert_eq!(state(&mut packed), state(&mut plain));
    assert_are_there(&mut packed, 1..=COUNT);
}

#[test]
fn limits_in_bytes_are_about_what_was_published() {
    for compression in ["none", "s2"] {
        let mut world = world(&json!({"compression": compression, "max_bytes": 10_000}));
        let state = &world.info("S")["state"];
        let size = 34 + "s.1".len() + "NATS/1.0\r\nNumber: 200\r\n\r\n".len() + payload(200).len();
        assert_eq!(state["messages"], 10_000 / size, "{compression}");
    }
    let mut world = world(&json!({"compression": "s2"}));
    let mut config = world.info("S")["config"].take();
    config["max_msg_size"] = json!(300);
    world.api("STREAM.UPDATE.S", &config);
    world.publish("s.1", &[], &payload(1));
    world.commit();
    assert_eq!(world.told("ack")["error"]["err_code"], 10054);
}

#[test]
fn an_update_holds_for_new_messages_only() {
    let mut world = world(&json!({}));
    let added = |world: &mut World, numbers: std::ops::RangeInclusive<u64>| {
        let before = world.stored_bytes();
        publish(world, numbers);
        world.stored_bytes() - before
    };
    let plain = world.stored_bytes();
    let mut config = world.info("S")["config"].take();
    for (compression, numbers) in [("s2", 201..=400), ("none", 401..=600)] {
        config["compression"] = json!(compression);
        let answer = world.api("STREAM.UPDATE.S", &config);
        assert_eq!(answer["config"]["compression"], compression);
        let bytes = added(&mut world, numbers);
        assert_eq!(bytes * 2 < plain, compression == "s2", "{bytes} of {plain}");
    }
    let mut world = world.crash();
    assert_are_there(&mut world, 1..=600);
    // What it is told last is what counts after a restart, too.
    assert!(added(&mut world, 601..=800) * 2 > plain);
}

#[test]
fn a_stream_in_memory_takes_it_and_is_none_the_worse() {
    let mut world = world(&json!({"storage": "memory", "compression": "s2"}));
    assert_eq!(world.info("S")["config"]["compression"], "s2");
    assert_are_there(&mut world, 1..=COUNT);
}

#[test]
fn a_batch_that_is_committed_as_a_whole_is_compressed_too() {
    let stored = |compression: &str| {
        let mut world = World::new(1);
        world.create(
            &json!({"name": "S", "subjects": ["s.>"], "allow_atomic": true,
            "compression": compression}),
        );
        for place in 1..=20 {
            let place_line = format!("Nats-Batch-Sequence: {place}");
            let mut headers = vec!["Nats-Batch-Id: b", &place_line];
            if place == 20 {
                headers.push("Nats-Batch-Commit: 1");
            }
            world.publish("s.a", &headers, &payload(place));
        }
        world.commit();
        let acks = world.take("ack");
        assert_eq!(acks.last().map(Sent::json).expect("an ack")["count"], 20);
        let bytes = world.stored_bytes();
        let mut world = world.crash();
        assert_eq!(world.info("S")["state"]["messages"], 20);
        bytes
    };
    assert!(stored("s2") * 2 < stored("none"));
}

#[test]
fn messages_come_through_compaction_as_they_were_and_stay_as_small() {
    let last = 12_000;
    let mut world = world(&json!({"compression": "s2"}));
    // Enough for several segments, of which little stays.
    publish(&mut world, COUNT + 1..=last);
    let before = world.stored_bytes();
    let kept = |sequence: &u64| sequence % 3 == 2;
    for subject in ["s.0", "s.1"] {
        world.api("STREAM.PURGE.S", &json!({"filter": subject}));
    }
    world.compact();
    let after = world.stored_bytes();
    assert!(after * 2 < before, "{after} of {before}");
    assert_are_there(&mut world, (1..=last).filter(kept));
    let mut world = world.crash();
    assert_eq!(world.info("S")["state"]["messages"], last / 3);
    assert_are_there(&mut world, (1..=last).filter(kept));
}
