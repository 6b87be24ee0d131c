//! Streams made of others, subjects that change on their way, and messages published again.

use std::time::Instant;

use recado_conformance::PATIENCE;
use serde_json::{Value, json};

use crate::js::{Js, error_of, header, text};

fn until_messages(js: &mut Js, name: &str, count: u64) {
    let deadline = Instant::now() + PATIENCE;
    while js.stream_info(name)["state"]["messages"] != count {
        assert!(
            Instant::now() < deadline,
            "{name} never has {count} messages"
        );
    }
}

fn message(js: &mut Js, name: &str, seq: u64) -> Value {
    let got = js.ok(&format!("STREAM.MSG.GET.{name}"), json!({ "seq": seq }));
    got["message"].clone()
}

// E72
#[test]
fn a_subject_is_transformed_before_it_is_stored() {
    let mut js = Js::start();
    js.stream(
        "S",
        json!({ "subject_transform": { "src": "s.*.*", "dest": "s.$2.$1" } }),
    );
    js.publish("s.a.b", "x");
    js.publish("s.a", "x");
    assert_eq!(message(&mut js, "S", 1)["subject"], "s.b.a");
    assert_eq!(
        message(&mut js, "S", 2)["subject"],
        "s.a",
        "what does not match stays"
    );
}

// E73, E160
#[test]
fn what_is_stored_is_published_again() {
    let mut js = Js::start();
    js.stream(
        "S",
        json!({ "republish": { "src": "s.>", "dest": "again.>" } }),
    );
    js.stream(
        "T",
        json!({ "republish": { "src": "t.>", "dest": "heads.>", "headers_only": true } }),
    );
    let here = js.subscribe("again.>", "");
    let heads = js.subscribe("heads.>", "");
    js.publish("s.a", "one");
    js.publish_with("s.a", &[("A", "b")], "two");
    let got = js.next_many(&here, 2);
    assert_eq!(
        (got[1].subject.as_str(), text(&got[1]).as_str()),
        ("again.a", "two")
    );
    let named = |name| header(&got[1], name).expect("it is there");
    assert_eq!(
        (named("A"), named("Nats-Stream"), named("Nats-Subject")),
        ("b".into(), "S".into(), "s.a".into())
    );
    assert_eq!(
        (named("Nats-Sequence"), named("Nats-Last-Sequence")),
        ("2".into(), "1".into())
    );
    assert!(named("Nats-Time-Stamp").ends_with('Z'));
    js.publish("t.a", "12345");
    let head = js.next(&heads);
    assert_eq!(
        (
            head.payload.len(),
            header(&head, "Nats-Msg-Size").as_deref()
        ),
        (0, Some("5"))
    );
}

// E154
#[test]
fn a_mirror_has_the_same_sequences_and_times_and_takes_nothing_else() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    for number in 0..4 {
        js.publish("s.a", &format!("m{number}"));
    }
    js.ok("STREAM.MSG.DELETE.S", json!({ "seq": 2 }));
    js.ok(
        "STREAM.CREATE.M",
        json!({ "name": "M", "mirror": { "name": "S" } }),
    );
    until_messages(&mut js, "M", 3);
    js.publish("s.a", "later");
    until_messages(&mut js, "M", 4);
    assert_eq!(js.sequences("M"), [1, 3, 4, 5]);
    assert_eq!(message(&mut js, "M", 3), message(&mut js, "S", 3));
    let info = js.stream_info("M");
    assert_eq!(
        (&info["mirror"]["name"], &info["mirror"]["lag"]),
        (&json!("S"), &json!(0))
    );
    let subjects = json!({ "name": "X", "mirror": { "name": "S" }, "subjects": ["x"] });
    assert_eq!(js.error("STREAM.CREATE.X", subjects).1, 10034);
}

// E155
#[test]
fn sources_flow_together_and_tell_where_they_come_from() {
    let mut js = Js::start();
    js.stream("A", json!({}));
    js.stream("B", json!({}));
    for number in 0..3 {
        js.publish("a.x", &format!("a{number}"));
        js.publish("b.x", &format!("b{number}"));
        js.publish("b.y", "not this");
    }
    let sources = json!([{ "name": "A" }, { "name": "B", "filter_subject": "b.x" }]);
    js.ok(
        "STREAM.CREATE.C",
        json!({ "name": "C", "sources": sources, "allow_direct": true }),
    );
    until_messages(&mut js, "C", 6);
    let mut of_a = Vec::new();
    for seq in 1..=6 {
        let request = json!({ "seq": seq }).to_string();
        let got = js.ask("$JS.API.DIRECT.GET.C", &[], request.as_bytes());
        let source = header(&got, "Nats-Stream-Source").expect("it came from somewhere");
        let fields: Vec<&str> = source.split(' ').collect();
        let from_b = fields[2..5] == ["b.x", ">", "b.x"] && fields[0] == "B";
        let from_a = fields[2..5] == [">", ">", "a.x"] && fields[0] == "A";
        assert!(from_a != from_b, "{source}");
        if fields[0] == "A" {
            of_a.push((fields[1].to_owned(), text(&got)));
        }
    }
    let expected = [("1", "a0"), ("2", "a1"), ("3", "a2")];
    assert_eq!(
        of_a,
        expected.map(|(seq, words)| (seq.to_owned(), words.to_owned()))
    );
}

// E75, E92
#[test]
fn a_counter_adds_up() {
    let mut js = Js::start();
    js.stream(
        "S",
        json!({ "allow_msg_counter": true, "allow_direct": true }),
    );
    assert_eq!(
        js.publish_with("s.a", &[("Nats-Incr", "+5")], "")["val"],
        "5"
    );
    assert_eq!(
        js.publish_with("s.a", &[("Nats-Incr", "-7")], "")["val"],
        "-2"
    );
    let got = js.ask("$JS.API.DIRECT.GET.S.s.a", &[], b"");
    assert_eq!(text(&got), r#"{"val":"-2"}"#);
    assert_eq!(error_of(&js.publish_with("s.a", &[], "")).1, 10169);
    assert_eq!(
        error_of(&js.publish_with("s.a", &[("Nats-Incr", "+1")], "x")).1,
        10170
    );
}

// E76, E93
#[test]
fn a_batch_is_stored_whole_or_not_at_all() {
    let mut js = Js::start();
    js.stream("S", json!({ "allow_atomic": true }));
    for seq in ["1", "2"] {
        let headers = [("Nats-Batch-Id", "one"), ("Nats-Batch-Sequence", seq)];
        if seq == "1" {
            assert!(js.ask("s.a", &headers, b"x").payload.is_empty());
        } else {
            js.send("s.a", "", &headers, b"x");
        }
    }
    assert_eq!(js.stream_info("S")["state"]["messages"], 0);
    let headers = [
        ("Nats-Batch-Id", "one"),
        ("Nats-Batch-Sequence", "3"),
        ("Nats-Batch-Commit", "1"),
    ];
    let ack = js.publish_with("s.a", &headers, "x");
    assert_eq!(
        ack,
        json!({ "stream": "S", "seq": 3, "batch": "one", "count": 3 })
    );
    let headers = [("Nats-Batch-Id", "two"), ("Nats-Batch-Sequence", "2")];
    let refused = js.publish_with("s.a", &headers, "x");
    assert_eq!(error_of(&refused).1, 10176, "{refused}");
    assert_eq!(js.stream_info("S")["state"]["messages"], 3);
}
