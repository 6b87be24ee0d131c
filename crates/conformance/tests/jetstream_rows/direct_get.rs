//! Direct get: single messages, batches, the last of many subjects.

use serde_json::{Value, json};

use crate::js::{Inbox, Js, header, status, stream_config, text};

/// A stream S with five messages m1 to m5 on s.1 and s.0, the fourth with a header.
fn start() -> Js {
    let mut js = Js::start();
    js.stream("S", json!({ "allow_direct": true }));
    for number in 1..=5 {
        let headers: &[(&str, &str)] = if number == 4 { &[("A", "b")] } else { &[] };
        js.publish_with(&format!("s.{}", number % 2), headers, &format!("m{number}"));
    }
    js
}

fn get(js: &mut Js, request: Value) -> recado_conformance::Message {
    js.ask("$JS.API.DIRECT.GET.S", &[], request.to_string().as_bytes())
}

fn batch(js: &mut Js, request: Value) -> Inbox {
    let inbox = js.inbox();
    js.send(
        "$JS.API.DIRECT.GET.S",
        &inbox.subject,
        &[],
        request.to_string().as_bytes(),
    );
    inbox
}

/// What a batch gives: text, pending and last sequence of each, and the same of its end.
fn read(js: &mut Js, inbox: &Inbox) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    loop {
        let message = js.next(inbox);
        let named = |name| header(&message, name).expect("a batch counts");
        let end = status(&message);
        let what = end.clone().unwrap_or_else(|| text(&message));
        all.push((what, named("Nats-Num-Pending"), named("Nats-Last-Sequence")));
        if end.is_some() {
            return all;
        }
    }
}

fn rows(rows: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    let own = |(a, b, c): &(&str, &str, &str)| (a.to_string(), b.to_string(), c.to_string());
    rows.iter().map(own).collect()
}

// E42, E150
#[test]
fn a_message_comes_with_where_it_was() {
    let mut js = start();
    let got = get(&mut js, json!({ "seq": 4 }));
    assert_eq!(text(&got), "m4");
    let headers = got.headers.clone().expect("headers");
    let expected = "NATS/1.0\r\nA: b\r\nNats-Stream: S\r\nNats-Subject: s.0\r\nNats-Sequence: 4\r\nNats-Time-Stamp: ";
    assert!(headers.starts_with(expected), "{headers}");
    let time = header(&got, "Nats-Time-Stamp").expect("a time");
    let stored = js.ok("STREAM.MSG.GET.S", json!({ "seq": 4 }))["message"]["time"].clone();
    assert_eq!(stored, time);
}

// E42, E43, E150
#[test]
fn a_message_is_found_by_sequence_subject_and_time() {
    let mut js = start();
    for (request, expected) in [
        (json!({ "seq": 1 }), "m1"),
        (json!({ "last_by_subj": "s.1" }), "m5"),
        (json!({ "next_by_subj": "s.0", "seq": 3 }), "m4"),
        (json!({ "next_by_subj": "s.0" }), "m2"),
        (json!({ "start_time": "2020-01-01T00:00:00Z" }), "m1"),
    ] {
        assert_eq!(text(&get(&mut js, request.clone())), expected, "{request}");
    }
    let got = js.ask("$JS.API.DIRECT.GET.S.s.0", &[], b"");
    assert_eq!(
        (text(&got).as_str(), header(&got, "Nats-Sequence")),
        ("m4", Some("4".into()))
    );
}

// E42, E43, E150
#[test]
fn without_headers_only_the_body_comes() {
    let mut js = start();
    let got = get(&mut js, json!({ "seq": 4, "no_hdr": true }));
    assert_eq!((text(&got).as_str(), got.headers), ("m4", None));
    let got = js.ask("$JS.API.DIRECT.GET.S.s.0", &[], br#"{"no_hdr":true}"#);
    assert_eq!((text(&got).as_str(), got.headers), ("m4", None));
}

// E42, E43, E150
#[test]
fn what_cannot_be_answered_is_a_status() {
    let mut js = start();
    let mut ask = |subject: &str, body: &str| {
        let got = js.ask(
            &format!("$JS.API.DIRECT.GET.{subject}"),
            &[],
            body.as_bytes(),
        );
        status(&got).expect("a status")
    };
    assert_eq!(ask("S", r#"{"seq":99}"#), "404 Message Not Found");
    assert_eq!(ask("S.s.none", ""), "404 Message Not Found");
    assert_eq!(ask("S", ""), "408 Empty Request");
    assert_eq!(ask("S", "{}"), "408 Empty Request");
    assert_eq!(ask("S", "xx"), "408 Malformed Request");
    assert_eq!(ask("S.s.0", "xx"), "408 Malformed Request");
    assert_eq!(
        ask("S", r#"{"seq":1,"last_by_subj":"s.0"}"#),
        "408 Bad Request"
    );
    assert_eq!(ask("S.s.0", r#"{"seq":1}"#), "408 Bad Request");
    assert_eq!(ask("S", r#"{"batch":2}"#), "408 Empty Request");
}

// E64
#[test]
fn direct_get_goes_and_comes_with_its_switch() {
    let mut js = start();
    js.ok(
        "STREAM.UPDATE.S",
        json!({ "name": "S", "subjects": ["s.>"] }),
    );
    assert_eq!(
        status(&get(&mut js, json!({ "seq": 1 }))).as_deref(),
        Some("503")
    );
    let on = json!({ "name": "S", "subjects": ["s.>"], "allow_direct": true });
    js.ok("STREAM.UPDATE.S", on);
    assert_eq!(text(&get(&mut js, json!({ "seq": 1 }))), "m1");
}

// E151
#[test]
fn a_batch_counts_down_and_ends_with_204() {
    let mut js = start();
    let inbox = batch(&mut js, json!({ "seq": 1, "batch": 3 }));
    assert_eq!(
        read(&mut js, &inbox),
        rows(&[
            ("m1", "4", "0"),
            ("m2", "3", "1"),
            ("m3", "2", "2"),
            ("204 EOB", "2", "3")
        ])
    );
    let inbox = batch(&mut js, json!({ "seq": 4, "batch": 100 }));
    assert_eq!(
        read(&mut js, &inbox),
        rows(&[("m4", "1", "0"), ("m5", "0", "4"), ("204 EOB", "0", "5")])
    );
    let inbox = batch(
        &mut js,
        json!({ "start_time": "2020-01-01T00:00:00Z", "batch": 1 }),
    );
    assert_eq!(
        read(&mut js, &inbox),
        rows(&[("m1", "4", "0"), ("204 EOB", "4", "1")])
    );
}

// E151
#[test]
fn a_batch_may_be_of_one_subject() {
    let mut js = start();
    let inbox = batch(
        &mut js,
        json!({ "seq": 1, "batch": 3, "next_by_subj": "s.0" }),
    );
    assert_eq!(
        read(&mut js, &inbox),
        rows(&[("m2", "1", "0"), ("m4", "0", "2"), ("204 EOB", "0", "4")])
    );
}

// E151
#[test]
fn a_batch_ends_at_its_bytes() {
    let mut js = start();
    let inbox = batch(&mut js, json!({ "seq": 1, "batch": 100, "max_bytes": 1 }));
    let got = read(&mut js, &inbox);
    assert_eq!(got, rows(&[("m1", "4", "0"), ("204 EOB", "4", "1")]));
    let got = get(&mut js, json!({ "seq": 500, "batch": 100 }));
    assert_eq!(status(&got).as_deref(), Some("404 Message Not Found"));
}

// E152
#[test]
fn the_last_of_many_subjects_come_in_order() {
    let mut js = start();
    let inbox = batch(&mut js, json!({ "multi_last": ["s.0", "s.1"] }));
    let got = js.next_many(&inbox, 3);
    assert_eq!(
        (text(&got[0]).as_str(), text(&got[1]).as_str()),
        ("m4", "m5")
    );
    assert_eq!(status(&got[2]).as_deref(), Some("204 EOB"));
    assert_eq!(header(&got[2], "Nats-UpTo-Sequence").as_deref(), Some("5"));
    assert_eq!(header(&got[2], "Nats-Num-Pending").as_deref(), Some("0"));
    assert_eq!(header(&got[2], "Nats-Last-Sequence").as_deref(), Some("5"));
}

// E152
#[test]
fn the_last_of_many_subjects_may_be_of_an_earlier_time() {
    let mut js = start();
    let inbox = batch(&mut js, json!({ "multi_last": ["s.>"], "up_to_seq": 3 }));
    assert_eq!(
        read(&mut js, &inbox),
        rows(&[("m2", "1", "0"), ("m3", "0", "2"), ("204 EOB", "0", "3")])
    );
    let inbox = batch(&mut js, json!({ "multi_last": ["s.>"], "batch": 1 }));
    assert_eq!(
        read(&mut js, &inbox),
        rows(&[("m4", "1", "0"), ("204 EOB", "1", "4")])
    );
    let got = get(&mut js, json!({ "multi_last": ["zz"] }));
    assert_eq!(status(&got).as_deref(), Some("404 No Results"));
}

// E152
#[test]
fn the_last_of_too_many_subjects_are_refused() {
    let mut js = Js::start();
    js.stream("S", json!({ "allow_direct": true, "storage": "memory" }));
    for number in 0..1_024 {
        js.send(&format!("s.{number}"), "", &[], b"x");
    }
    js.publish("s.last", "x");
    let got = get(&mut js, json!({ "multi_last": ["s.>"] }));
    assert_eq!(status(&got).as_deref(), Some("413 Too Many Results"));
}

// E64, E153
#[test]
fn a_mirror_answers_for_its_origin_too_also_when_that_does_not_or_is_gone() {
    let mut js = Js::start();
    let direct = json!({ "allow_direct": true });
    js.stream("S", direct);
    js.publish("s.a", "first");
    let mirror = json!({ "name": "M", "mirror": { "name": "S" } });
    let made = js.ok("STREAM.CREATE.M", mirror);
    // It follows its origin, whatever was asked for.
    assert_eq!(made["config"]["mirror_direct"], true);
    while js.stream_info("M")["state"]["messages"] != 1 {}
    // Which of the two answers is chance there; here it is the origin.
    let reply = js.ask("$JS.API.DIRECT.GET.S.s.a", &[], b"");
    let by = header(&reply, "Nats-Stream").expect("a stream");
    assert!(by == "S" || by == "M", "{by}");
    js.ok(
        "STREAM.UPDATE.S",
        stream_config("S", json!({ "allow_direct": false })),
    );
    answers_for(&mut js, "M");
    js.ok("STREAM.DELETE.S", Value::Null);
    answers_for(&mut js, "M");
    js.ok("STREAM.DELETE.M", Value::Null);
    let reply = js.ask("$JS.API.DIRECT.GET.S.s.a", &[], b"");
    assert_eq!(status(&reply).as_deref(), Some("503"));
}

/// Direct gets on the name S are answered by this stream.
fn answers_for(js: &mut Js, by: &str) {
    for (subject, body) in [("S.s.a", ""), ("S", r#"{"seq":1}"#)] {
        let reply = js.ask(
            &format!("$JS.API.DIRECT.GET.{subject}"),
            &[],
            body.as_bytes(),
        );
        assert_eq!(text(&reply), "first", "{reply:?}");
        assert_eq!(header(&reply, "Nats-Stream").as_deref(), Some(by));
    }
}

// E64
#[test]
fn a_mirror_of_what_allows_no_direct_gets_answers_for_it_neither() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    js.publish("s.a", "first");
    let asked = json!({ "name": "M", "mirror": { "name": "S" }, "mirror_direct": true });
    let made = js.ok("STREAM.CREATE.M", asked);
    assert_eq!(made["config"]["mirror_direct"], false);
    while js.stream_info("M")["state"]["messages"] != 1 {}
    let reply = js.ask("$JS.API.DIRECT.GET.S.s.a", &[], b"");
    assert_eq!(status(&reply).as_deref(), Some("503"));
}
