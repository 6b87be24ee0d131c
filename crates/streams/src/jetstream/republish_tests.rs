//! Messages that are published again once they are stored (E160).

use serde_json::json;

use super::world::{World, stream};

fn world(storage: &str, headers_only: bool) -> World {
    let mut world = World::new();
    world.create(&stream(
        "KV",
        json!({
            "subjects": ["kv.>"],
            "storage": storage,
            "max_msgs_per_subject": 1,
            "republish": {"src": "kv.>", "dest": "again.>", "headers_only": headers_only},
        }),
    ));
    world
}

#[test]
fn every_message_is_published_again_although_the_next_one_takes_its_place() {
    for storage in ["file", "memory"] {
        let mut world = world(storage, false);
        world.publish("kv.a", "", "1");
        world.publish("kv.b", "", "2");
        world.publish("kv.a", "NATS/1.0\r\nX: 1\r\n\r\n", "3");
        if storage == "file" {
            assert!(world.seen("again.kv.a").is_empty() && world.seen("again.a").is_empty());
        }
        world.run();
        let seen = world.seen("again.a");
        let payloads: Vec<_> = seen.iter().map(|(_, payload)| payload.as_str()).collect();
        assert_eq!(payloads, ["1", "3"], "{storage}");
        let (headers, _) = &seen[1];
        assert!(
            headers.starts_with("NATS/1.0\r\nX: 1\r\nNats-Stream: KV\r\n"),
            "{headers}"
        );
        for line in [
            "Nats-Subject: kv.a\r\n",
            "Nats-Sequence: 3\r\n",
            "Nats-Last-Sequence: 1\r\n",
        ] {
            assert!(headers.contains(line), "{storage}: {line} in {headers}");
        }
        assert_eq!(world.seen("again.b").len(), 1);
    }
}

#[test]
fn without_payloads_the_size_is_told() {
    let mut world = world("file", true);
    world.publish("kv.a", "", "123");
    world.run();
    let seen = world.seen("again.a");
    assert_eq!(seen[0].1, "");
    assert!(seen[0].0.contains("Nats-Msg-Size: 3\r\n"), "{}", seen[0].0);
}

#[test]
fn what_did_not_reach_the_disk_is_not_published_again() {
    let mut world = world("file", false);
    world.publish("kv.a", "", "1");
    world.fail_batch();
    world.run();
    assert!(world.seen("again.a").is_empty());
    world.publish("kv.a", "", "2");
    world.run();
    let payloads: Vec<_> = world
        .seen("again.a")
        .into_iter()
        .map(|seen| seen.1)
        .collect();
    assert_eq!(payloads, ["2"]);
}

#[test]
fn a_mirror_publishes_what_it_takes() {
    let mut world = World::new();
    world.create(&stream("O", json!({"subjects": ["o"]})));
    let republish = json!({"src": ">", "dest": "mirrored.>"});
    world.create(&stream(
        "M",
        json!({"mirror": {"name": "O"}, "republish": republish}),
    ));
    world.publish("o", "", "1");
    world.run();
    let seen = world.seen("mirrored.o");
    assert_eq!(seen.len(), 1);
    assert!(seen[0].0.contains("Nats-Stream: M\r\n"), "{}", seen[0].0);
}
