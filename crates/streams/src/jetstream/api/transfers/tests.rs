//! Streams that leave and come back, over a log on a disk that fails.

use base64::Engine;
use serde_json::{Value, json};

use crate::jetstream::tests::world_on_disk::{Sent, World};
use crate::time::SECOND;

fn world() -> World {
    let mut world = World::new(1);
    world.create(&json!({"name": "S", "subjects": ["s.>"]}));
    for number in 0..40 {
        let id = format!("Nats-Msg-Id: {number}");
        world.publish(&format!("s.{}", number % 3), &[&id], &"x".repeat(100));
    }
    world.api("STREAM.MSG.DELETE.S", &json!({"seq": 7}));
    let consumer =
        json!({"stream_name": "S", "config": {"durable_name": "D", "ack_policy": "explicit"}});
    world.api("CONSUMER.CREATE.S.D", &consumer);
    world.heard.sent.clear();
    world
}

fn ask(world: &mut World, window: u64) -> Value {
    let request = json!({"deliver_subject": "d", "chunk_size": 1024, "window_size": window});
    world.api("STREAM.SNAPSHOT.S", &request)
}

/// The chunks of a snapshot, without the end.
fn snapshot(world: &mut World) -> Vec<Vec<u8>> {
    ask(world, 8192);
    let mut chunks = Vec::new();
    loop {
        world.pass(0);
        for Sent {
            reply,
            headers,
            payload,
            ..
        } in world.take("d")
        {
            if headers == "NATS/1.0 204\r\n\r\n" {
                return chunks;
            }
            assert_eq!(headers, "");
            chunks.push(payload);
            if !reply.is_empty() {
                world.transfer(&reply, "", b"");
            }
        }
    }
}

/// Where a restore wants its chunks.
fn begin(world: &mut World) -> String {
    begin_as(world, &json!({"name": "S", "subjects": ["s.>"]}))
}

/// The same of a stream with this configuration.
fn begin_as(world: &mut World, config: &Value) -> String {
    let config = json!({"config": config, "state": {}});
    let answer = world.api("STREAM.RESTORE.S", &config);
    answer["deliver_subject"]
        .as_str()
        .expect("a subject")
        .to_owned()
}

/// What a chunk is answered.
fn send(world: &mut World, to: &str, chunk: &[u8]) -> Vec<u8> {
    world.transfer(to, "r", chunk);
    world.commit();
    world.take("r").pop().expect("an answer").payload
}

fn json_of(answer: &[u8]) -> Value {
    serde_json::from_slice(answer).expect("JSON")
}

#[test]
fn a_stream_comes_back_as_it_was() {
    let mut world = world();
    let before = world.info("S");
    let consumer = world.api("CONSUMER.INFO.S.D", &Value::Null);
    let chunks = snapshot(&mut world);
    assert!(chunks.len() > 5);
    world.api("STREAM.DELETE.S", &Value::Null);
    let to = begin(&mut world);
    for chunk in &chunks {
        assert_eq!(send(&mut world, &to, chunk), b"");
    }
    let end = json_of(&send(&mut world, &to, b""));
    assert_eq!(
        (&end["did_create"], &end["state"]),
        (&json!(true), &before["state"])
    );
    for _ in 0..2 {
        assert_eq!(world.info("S"), before);
        let again = world.api("CONSUMER.INFO.S.D", &Value::Null);
        assert_eq!(again["num_pending"], consumer["num_pending"]);
        world.publish("s.0", &["Nats-Msg-Id: 5"], "");
        world.commit();
        assert_eq!(world.told("ack")["duplicate"], true);
        // It is as durable as it was told to be.
        world = world.crash();
    }
}

#[test]
fn a_compressed_stream_comes_back_as_it_was_and_as_small() {
    let payload = |number: u64| format!("{{\"number\":{number}}}").repeat(40);
    let config = json!({"name": "S", "subjects": ["s.>"], "compression": "s2"});
    let mut world = World::new(1);
    world.create(&config);
    for number in 1..=100 {
        world.publish("s.a", &["Of: me"], &payload(number));
    }
    world.commit();
    let (before, bytes) = (world.info("S"), world.stored_bytes());
    let chunks = snapshot(&mut world);
    world.api("STREAM.DELETE.S", &Value::Null);
    let gone = world.stored_bytes();
    let to = begin_as(&mut world, &config);
    for chunk in &chunks {
        assert_eq!(send(&mut world, &to, chunk), b"");
    }
    let end = json_of(&send(&mut world, &to, b""));
    assert_eq!(end["state"], before["state"]);
    let raw: u64 = (1..=100).map(|number| payload(number).len() as u64).sum();
    let restored = world.stored_bytes() - gone;
    assert!(
        bytes * 2 < raw && restored * 2 < raw,
        "{bytes} {restored} {raw}"
    );
    let mut world = world.crash();
    for number in 1..=100 {
        let answer = world.api("STREAM.MSG.GET.S", &json!({"seq": number}));
        let data = answer["message"]["data"].as_str().expect("data");
        let expected = base64::engine::general_purpose::STANDARD.encode(payload(number));
        assert_eq!(data, expected);
    }
}

#[test]
fn no_more_chunks_are_under_way_than_the_window_has_room_for() {
    let mut world = world();
    assert_eq!(ask(&mut world, 2048)["state"]["messages"], 39);
    world.pass(0);
    let first = world.take("d");
    assert_eq!(first.len(), 2);
    assert!(first[0].reply.ends_with(".1024.1"), "{}", first[0].reply);
    world.transfer(&first[1].reply, "", b"");
    world.pass(0);
    assert_eq!(world.take("d").len(), 1);
}

#[test]
fn a_snapshot_ends_when_nobody_acknowledges_or_listens() {
    let mut world = world();
    ask(&mut world, 1024);
    world.pass(0);
    world.take("d");
    world.pass(5 * SECOND);
    assert_eq!(
        world.take("d")[0].headers,
        "NATS/1.0 408 No Flow Response\r\n\r\n"
    );
    world.heard.deaf = true;
    ask(&mut world, 1024);
    world.pass(SECOND);
    assert_eq!(world.take("d"), []);
    world.pass(SECOND);
    assert_eq!(
        world.take("d")[0].headers,
        "NATS/1.0 408 No Interest\r\n\r\n"
    );
}

#[test]
fn a_stream_that_is_deleted_ends_its_snapshot() {
    let mut world = world();
    ask(&mut world, 1024);
    world.api("STREAM.DELETE.S", &Value::Null);
    world.pass(0);
    assert_eq!(
        world.take("d")[0].headers,
        "NATS/1.0 500 stream deleted\r\n\r\n"
    );
}

#[test]
fn half_an_archive_leaves_nothing_behind() {
    let mut world = world();
    let chunks = snapshot(&mut world);
    world.api("STREAM.DELETE.S", &Value::Null);
    for stop in ["end", "damage", "time", "room", "crash"] {
        let to = begin(&mut world);
        for chunk in &chunks[..4] {
            send(&mut world, &to, chunk);
        }
        match stop {
            "end" => {
                let answer = json_of(&send(&mut world, &to, b""));
                assert_eq!(answer["error"]["err_code"], 10062);
            }
            "damage" => {
                let mut damaged = chunks[4].clone();
                damaged[500] ^= 1;
                let answer = json_of(&send(&mut world, &to, &damaged));
                assert_eq!(answer["error"]["err_code"], 10062);
            }
            "time" => world.pass(5 * SECOND),
            "room" => {
                world.transfer(&to, "r", &chunks[4]);
                world.commit_without_room();
                world.pass(0);
            }
            _ => world = world.crash(),
        }
        assert_eq!(world.info("S")["error"]["err_code"], 10059, "{stop}");
        assert_eq!(world.jetstream.streams.len(), 0, "{stop}");
        world = world.crash();
        assert_eq!(world.info("S")["error"]["err_code"], 10059, "{stop}");
        assert_eq!(world.jetstream.streams.len(), 0, "{stop}");
    }
    let to = begin(&mut world);
    for chunk in &chunks {
        send(&mut world, &to, chunk);
    }
    assert_eq!(
        json_of(&send(&mut world, &to, b""))["state"]["messages"],
        39
    );
}

#[test]
fn a_restored_stream_is_not_there_before_it_is_durable() {
    let mut world = world();
    let chunks = snapshot(&mut world);
    world.api("STREAM.DELETE.S", &Value::Null);
    let to = begin(&mut world);
    for chunk in &chunks {
        send(&mut world, &to, chunk);
    }
    world.transfer(&to, "r", b"");
    assert!(world.jetstream.names.is_empty());
    world.commit_without_room();
    world.pass(0);
    assert_eq!(world.told("r")["error"]["err_code"], 10062);
    assert!(world.jetstream.names.is_empty());
    let mut world = world.crash();
    assert_eq!(world.info("S")["error"]["err_code"], 10059);
}

#[test]
fn a_name_can_be_restored_once_at_a_time_and_where_there_is_no_stream() {
    let mut world = world();
    let config = json!({"config": {"name": "S", "subjects": ["s.>"]}, "state": {}});
    let taken = world.api("STREAM.RESTORE.S", &config);
    assert_eq!(taken["error"]["err_code"], 10130);
    world.api("STREAM.DELETE.S", &Value::Null);
    begin(&mut world);
    let again = world.api("STREAM.RESTORE.S", &config);
    assert_eq!(again["error"]["err_code"], 10130);
    let other = world.api(
        "STREAM.CREATE.S",
        &json!({"name": "S", "subjects": ["s.>"]}),
    );
    assert_eq!(other["error"]["err_code"], 10058);
}
