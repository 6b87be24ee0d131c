//! What a stream keeps: counts, bytes, ages, per subject, and what it does at the limit.

use std::time::Instant;

use recado_conformance::{PATIENCE, ServerBuilder};
use serde_json::{Value, json};

use crate::js::{Js, error, error_of, header, stream_config, text};

// E57, E80
#[test]
fn the_oldest_go_at_the_maximum_count() {
    let mut js = Js::start();
    js.stream("S", json!({ "max_msgs": 3 }));
    for _ in 0..5 {
        js.publish("s.a", "x");
    }
    let state = js.stream_info("S")["state"].clone();
    assert_eq!(
        (&state["messages"], &state["first_seq"], &state["last_seq"]),
        (&json!(3), &json!(3), &json!(5))
    );
}

// E57, E80, G45
#[test]
fn the_oldest_go_at_the_maximum_bytes() {
    let mut js = Js::start();
    // A message of these takes 22 + 8 + 3 + 50 bytes.
    js.stream("S", json!({ "max_bytes": 170 }));
    for _ in 0..5 {
        js.publish("s.a", &"x".repeat(50));
    }
    let state = js.stream_info("S")["state"].clone();
    assert_eq!(
        (&state["messages"], &state["bytes"]),
        (&json!(2), &json!(166))
    );
}

// E57, E80
#[test]
fn the_oldest_of_a_subject_go_at_its_maximum() {
    let mut js = Js::start();
    js.stream("S", json!({ "max_msgs_per_subject": 2 }));
    for subject in ["s.a", "s.b", "s.a", "s.a", "s.a"] {
        js.publish(subject, "x");
    }
    assert_eq!(js.sequences("S"), [2, 4, 5]);
    let state = js.stream_info("S")["state"].clone();
    assert_eq!(
        (&state["num_deleted"], &state["num_subjects"]),
        (&json!(1), &json!(2))
    );
}

// E58, E80
#[test]
fn messages_go_when_they_are_old() {
    let mut js = Js::start();
    js.stream("S", json!({ "max_age": 300_000_000 }));
    js.publish("s.a", "x");
    let deadline = Instant::now() + PATIENCE;
    while js.stream_info("S")["state"]["messages"] != 0 {
        assert!(Instant::now() < deadline, "it stays");
    }
    assert_eq!(js.publish("s.a", "y"), 2);
}

// E59
#[test]
fn discard_new_refuses_at_each_maximum() {
    let mut js = Js::start();
    let full = |words: &str| error(503, 10077, words);
    js.stream("A", json!({ "discard": "new", "max_msgs": 1 }));
    js.publish("a.a", "x");
    assert_eq!(
        error_of(&js.publish_with("a.a", &[], "x")),
        full("maximum messages exceeded")
    );
    js.stream("B", json!({ "discard": "new", "max_bytes": 100 }));
    js.publish("b.a", &"x".repeat(50));
    let refused = js.publish_with("b.a", &[], &"x".repeat(50));
    assert_eq!(error_of(&refused), full("maximum bytes exceeded"));
    let one =
        json!({ "discard": "new", "discard_new_per_subject": true, "max_msgs_per_subject": 1 });
    js.stream("C", one);
    js.publish("c.a", "x");
    js.publish("c.b", "x");
    let refused = js.publish_with("c.a", &[], "x");
    assert_eq!(
        error_of(&refused),
        full("maximum messages per subject exceeded")
    );
    js.ok("STREAM.PURGE.C", json!({ "filter": "c.a" }));
    assert_eq!(
        js.publish("c.a", "x"),
        3,
        "there is room again, and no sequence was used up"
    );
}

// G45
#[test]
fn bytes_are_counted_as_clients_expect() {
    let mut js = Js::start();
    let bytes = |js: &mut Js, name| js.stream_info(name)["state"]["bytes"].clone();
    js.stream("F", json!({}));
    js.publish("f.a", "hello");
    assert_eq!(bytes(&mut js, "F"), 22 + 8 + 3 + 5);
    js.ok("STREAM.PURGE.F", Value::Null);
    js.publish_with("f.a", &[("A", "b")], "hello");
    // NATS/1.0, A: b and an empty line.
    let headers = 10 + 6 + 2;
    assert_eq!(bytes(&mut js, "F"), 22 + 8 + 4 + 3 + headers + 5);
    js.stream("M", json!({ "storage": "memory" }));
    js.publish("m.a", "hello");
    assert_eq!(bytes(&mut js, "M"), 16 + 3 + 5);
}

// E67, G44
#[test]
fn compression_is_turned_on_and_off_at_any_time_and_changes_nothing_that_is_told() {
    let mut js = Js::start();
    let body = |number: u64| format!("{{\"number\":{number}}}").repeat(50);
    for (name, compression) in [("S", "s2"), ("P", "none")] {
        js.stream(name, json!({ "compression": compression }));
    }
    for number in 1..=30 {
        if number % 10 == 0 {
            let mut config = js.stream_info("S")["config"].clone();
            let next = if number == 20 { "s2" } else { "none" };
            config["compression"] = json!(next);
            let updated = js.ok("STREAM.UPDATE.S", config);
            assert_eq!(updated["config"]["compression"], next);
        }
        for subject in ["s.a", "p.a"] {
            js.publish_with(subject, &[("A", "b")], &body(number));
        }
    }
    let bytes = |js: &mut Js, name| js.stream_info(name)["state"]["bytes"].clone();
    assert_eq!(bytes(&mut js, "S"), bytes(&mut js, "P"));
    js.restart();
    assert_eq!(bytes(&mut js, "S"), bytes(&mut js, "P"));
    js.consumer("S", "c", json!({}));
    for (message, number) in js.fetch("S", "c", 30).iter().zip(1..) {
        assert_eq!(text(message), body(number));
        assert_eq!(header(message, "A").as_deref(), Some("b"));
    }
    assert_eq!(js.stream_info("S")["state"]["messages"], 30);
}

// E66
#[test]
fn a_stream_may_begin_with_another_sequence() {
    let mut js = Js::start();
    js.stream("S", json!({ "first_seq": 100 }));
    let state = js.stream_info("S")["state"].clone();
    assert_eq!(
        (&state["first_seq"], &state["last_seq"]),
        (&json!(100), &json!(99))
    );
    assert_eq!(js.publish("s.a", "x"), 100);
}

// E61, G30, G31
#[test]
fn what_is_on_disk_survives_a_kill_and_what_is_in_memory_does_not() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    js.stream("M", json!({ "storage": "memory" }));
    for number in 0..5 {
        js.publish("s.a", &format!("m{number}"));
        js.publish("m.a", "x");
    }
    js.ok("STREAM.MSG.DELETE.S", json!({ "seq": 3 }));
    let before = js.stream_info("S");
    js.restart();
    let after = js.stream_info("S");
    for name in ["config", "created", "state"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    assert_eq!(js.sequences("S"), [1, 2, 4, 5]);
    assert_eq!(js.publish("s.a", "next"), 6);
    let memory = js.reply("STREAM.INFO.M", Value::Null);
    assert_eq!(memory["error"]["err_code"], 10059);
}

// E230, G46
#[test]
fn nobody_reserves_more_than_the_machine_has_and_the_account_shows_no_limit_of_its_own() {
    let mut js = Js::start();
    let whole = 1_u64 << 60;
    for (storage, refused) in [
        (
            "file",
            error(500, 10047, "insufficient storage resources available"),
        ),
        (
            "memory",
            error(500, 10028, "insufficient memory resources available"),
        ),
    ] {
        let config = json!({ "subjects": ["x"], "storage": storage, "max_bytes": whole });
        let got = js.error("STREAM.CREATE.X", stream_config("X", config));
        assert_eq!(got, refused);
        let config = json!({ "subjects": ["x"], "storage": storage, "max_bytes": 1 << 20 });
        js.ok("STREAM.CREATE.X", stream_config("X", config));
        let reserved = format!(
            "reserved_{}",
            if storage == "file" {
                "storage"
            } else {
                "memory"
            }
        );
        let info = js.ok("INFO", json!(null));
        assert_eq!(info[&reserved], 1 << 20);
        for name in ["max_memory", "max_storage"] {
            assert_eq!(info["limits"][name], -1, "{name}");
        }
        js.ok("STREAM.DELETE.X", json!(null));
    }
}

// E230, G46
#[test]
fn configured_ceilings_hold_for_reserving_and_for_publishing() {
    let ceilings = "jetstream { max_memory_store: 100K, max_file_store: 100K }";
    let mut js = Js::with(ServerBuilder::nats().config(ceilings).jetstream());
    for (storage, err_code) in [("file", 10047), ("memory", 10028)] {
        let config = json!({ "subjects": ["x"], "storage": storage, "max_bytes": 100 * 1024 + 1 });
        let got = js.error("STREAM.CREATE.X", stream_config("X", config));
        assert_eq!((got.0, got.1), (500, err_code));
        js.ok(
            "STREAM.CREATE.X",
            stream_config("X", json!({ "subjects": ["x"], "storage": storage })),
        );
        let body = vec![b'x'; 60_000];
        js.ask("x", &[], &body);
        js.ask("x", &[], &body);
        let refused: Value =
            serde_json::from_slice(&js.ask("x", &[], &body).payload).expect("JSON");
        assert_eq!(refused["error"]["err_code"], 10023, "{refused}");
        js.ok("STREAM.DELETE.X", json!(null));
    }
}
