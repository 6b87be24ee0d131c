//! What the API's calls on streams and messages answer.

use serde_json::{Value, json};

use super::world::{World, stream};

/// A world with the stream `T`.
fn world(fields: Value) -> World {
    let subjects = json!({"subjects": ["t.>"], "allow_direct": true});
    let mut config = stream("T", subjects);
    if let (Some(config), Value::Object(fields)) = (config.as_object_mut(), fields) {
        config.extend(fields);
    }
    let mut world = World::new();
    world.create(&config);
    world
}

/// The headers of what a direct get answers.
fn direct_get(world: &mut World, body: &Value) -> Vec<String> {
    world.ask("DIRECT.GET.T", body);
    let answers = world.seen("answer").into_iter();
    answers.map(|(headers, _)| headers).collect()
}

#[test]
fn a_message_may_be_asked_for_without_its_headers() {
    let mut world = world(json!({}));
    world.ack_of("t.a", "NATS/1.0\r\nX: 1\r\n\r\n", "");
    let mut headers = |body: Value| world.api("STREAM.MSG.GET.T", &body)["message"]["hdrs"].take();
    assert!(headers(json!({"seq": 1})).is_string());
    assert_eq!(headers(json!({"seq": 1, "no_hdr": true})), Value::Null);
}

#[test]
fn a_batch_of_less_than_none_is_told_only_how_many_there_are() {
    let mut world = world(json!({}));
    for _ in 0..3 {
        world.ack_of("t.a", "", "");
    }
    let answers = direct_get(&mut world, &json!({"seq": 2, "batch": -1}));
    assert_eq!(
        answers,
        ["NATS/1.0 204 EOB\r\nNats-Num-Pending: 2\r\nNats-Last-Sequence: 0\r\n\r\n"]
    );
}

#[test]
fn an_update_is_told_its_own_mistakes_first_and_that_there_is_no_such_stream_last() {
    let mut world = world(json!({}));
    let mut error = |name: &str, body: Value| {
        let answer = world.api(&format!("STREAM.UPDATE.{name}"), &body);
        answer["error"]["err_code"].as_u64()
    };
    for name in ["T", "N"] {
        for body in [
            Value::Null,
            json!({}),
            json!({"name": ""}),
            json!({"name": "a b"}),
        ] {
            assert_eq!(error(name, body.clone()), Some(10052), "{name} {body}");
        }
        let negative = json!({"name": name, "max_age": -5});
        assert_eq!(error(name, negative), Some(10052), "{name}");
        assert_eq!(error(name, json!({"name": "Q"})), Some(10056), "{name}");
    }
    assert_eq!(error("N", json!({"name": "N"})), Some(10059));
}

#[test]
fn deleting_beyond_the_ends_of_a_stream_on_file_says_so() {
    let error = |storage: &str, sequence: u64| {
        let mut world = world(json!({"storage": storage}));
        for _ in 0..4 {
            world.ack_of("t.a", "", "");
        }
        for gone in [1, 3] {
            world.api("STREAM.MSG.DELETE.T", &json!({"seq": gone}));
        }
        let answer = world.api("STREAM.MSG.DELETE.T", &json!({"seq": sequence}));
        let error = &answer["error"];
        let text = error["description"].as_str().unwrap_or_default();
        (error["err_code"].as_u64().unwrap_or(0), text.to_owned())
    };
    assert_eq!(error("file", 0), (10057, "no message found".to_owned()));
    assert_eq!(error("file", 1), (10057, "no message found".to_owned()));
    assert_eq!(error("file", 3), (10043, "sequence 3 not found".to_owned()));
    assert_eq!(error("file", 5), (10057, "stream store EOF".to_owned()));
    for sequence in [0, 1, 3, 5] {
        assert_eq!(error("memory", sequence).0, 10043);
    }
}

#[test]
fn a_deleted_message_is_overwritten_unless_its_bytes_may_stay() {
    let mut world = world(json!({}));
    for payload in ["one", "two", "three"] {
        world.ack_of("t.a", "", payload);
    }
    world.api("STREAM.MSG.DELETE.T", &json!({"seq": 1, "no_erase": true}));
    world.api("STREAM.MSG.DELETE.T", &json!({"seq": 2}));
    assert_eq!(world.journal.payloads(), ["one", "???", "three"]);
    assert_eq!(world.payloads("T"), ["three"]);
    let mut later = world.restarted_with(world.journal.len());
    assert_eq!(later.payloads("T"), ["three"]);
}

#[test]
fn a_required_level_of_nothing_is_none() {
    let mut world = world(json!({}));
    let mut is_refused = |call: &str, level: &str| {
        let headers = format!("NATS/1.0\r\nNats-Required-Api-Level: {level}\r\n\r\n");
        world.ask_with(call, &headers, &json!({"seq": 1}));
        let answers = world.seen("answer");
        let (headers, body) = answers.first().expect("an answer");
        headers.starts_with("NATS/1.0 412") || body.contains("10185")
    };
    for call in ["DIRECT.GET.T", "STREAM.MSG.GET.T"] {
        assert!(is_refused(call, "99"));
        assert!(!is_refused(call, ""));
    }
}

#[test]
fn a_snapshot_that_asks_for_nothing_is_a_bad_request_whatever_there_is() {
    let mut world = world(json!({}));
    for name in ["T", "N"] {
        let answer = world.api(&format!("STREAM.SNAPSHOT.{name}"), &json!({}));
        assert_eq!(answer["error"]["err_code"], 10003, "{name}");
    }
}

#[test]
fn times_count_to_the_nanosecond() {
    for storage in ["file", "memory"] {
        let mut world = world(json!({"storage": storage}));
        // Two in one microsecond, one in the next.
        world.now_ns += 300;
        let first = world.now_ns + 1_000;
        world.ack_of("t.a", "", "");
        world.now_ns -= 1_000 - 500;
        world.ack_of("t.b", "", "");
        world.ack_of("t.c", "", "");
        let mut from = |offset: i64| {
            let time = crate::time::format_rfc3339(first + offset);
            let body = json!({"start_time": time});
            world.api("STREAM.MSG.GET.T", &body)["message"]["seq"].take()
        };
        assert_eq!((from(0), from(1)), (json!(1), json!(2)), "{storage}");
        assert_eq!((from(500), from(501)), (json!(2), json!(3)), "{storage}");
        let time = crate::time::format_rfc3339(first + 1);
        let upto = json!({"multi_last": ["t.>"], "up_to_time": time});
        assert_eq!(
            direct_get(&mut world, &upto).len(),
            2,
            "{storage}: one and the end"
        );
    }
}

#[test]
fn subjects_are_told_in_the_order_of_their_bytes() {
    let mut world = world(json!({}));
    for at in 0..11 {
        world.ack_of(&format!("t.{at}"), "", "");
    }
    let mut subjects = |filter: &str, offset: u64| {
        let body = json!({"subjects_filter": filter, "offset": offset});
        let answer = world.api("STREAM.INFO.T", &body);
        (answer["state"]["subjects"].clone(), answer["limit"].clone())
    };
    let last = json!({"t.8": 1, "t.9": 1});
    assert_eq!(subjects("t.>", 9), (last, json!(100_000)));
    assert_eq!(subjects("t.>", 11).0, Value::Null);
    assert_eq!(subjects("u.>", 0), (Value::Null, json!(0)));
}
