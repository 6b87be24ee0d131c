//! Making, changing, listing and emptying streams, and reading and deleting their messages.

use serde_json::{Value, json};

use crate::js::{Js, error, error_of, stream_config};

const BAD_REQUEST: (u64, u64, &str) = (400, 10003, "bad request");
const NOT_FOUND: (u64, u64, &str) = (404, 10059, "stream not found");
const NO_MESSAGE: (u64, u64, &str) = (404, 10037, "no message found");

/// A stream S with six messages, m1 to m6, on s.1, s.2, s.0, s.1, s.2, s.0.
fn six(js: &mut Js) {
    js.stream("S", json!({}));
    for number in 1..=6 {
        js.publish(&format!("s.{}", number % 3), &format!("m{number}"));
    }
}

fn is(got: &(u64, u64, String), expected: (u64, u64, &str)) {
    assert_eq!((got.0, got.1, got.2.as_str()), expected);
}

// E21, E55, E57, E58, E79
#[test]
fn a_stream_gets_defaults_and_shows_them() {
    let mut js = Js::start();
    let made = js.ok(
        "STREAM.CREATE.S",
        json!({ "name": "S", "max_msgs": 0, "max_bytes": 0 }),
    );
    let config = &made["config"];
    assert_eq!(config["subjects"], json!(["S"]));
    for limit in [
        "max_consumers",
        "max_msgs",
        "max_bytes",
        "max_msgs_per_subject",
        "max_msg_size",
    ] {
        assert_eq!(config[limit], -1, "{limit}");
    }
    let strings = [
        ("retention", "limits"),
        ("discard", "old"),
        ("storage", "file"),
    ];
    for (name, value) in strings.into_iter().chain([("compression", "none")]) {
        assert_eq!(config[name], value, "{name}");
    }
    assert_eq!(
        (&config["max_age"], &config["num_replicas"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(config["duplicate_window"], 120_000_000_000_u64);
    for name in [
        "sealed",
        "deny_delete",
        "deny_purge",
        "allow_rollup_hdrs",
        "allow_direct",
    ] {
        assert_eq!(config[name], false, "{name}");
    }
    assert_eq!(made["did_create"], true);
}

// E79
#[test]
fn a_new_stream_starts_at_zero_and_an_emptied_one_goes_on() {
    let mut js = Js::start();
    let state = js.stream("S", json!({}))["state"].clone();
    let zero = "0001-01-01T00:00:00Z";
    assert_eq!(
        state,
        json!({ "messages": 0, "bytes": 0, "first_seq": 0, "first_ts": zero, "last_seq": 0,
                "last_ts": zero, "consumer_count": 0 })
    );
    js.publish("s.a", "1");
    js.publish("s.a", "2");
    js.ok("STREAM.PURGE.S", Value::Null);
    let state = js.stream_info("S")["state"].clone();
    assert_eq!(
        (&state["first_seq"], &state["last_seq"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(
        (&state["messages"], &state["bytes"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(js.publish("s.a", "3"), 3);
}

// E21
#[test]
fn the_same_configuration_again_is_a_success_and_another_is_not() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    assert_eq!(js.stream("S", json!({}))["did_create"], true);
    let got = js.error(
        "STREAM.CREATE.S",
        json!({ "name": "S", "subjects": ["t.>"] }),
    );
    let words = "stream name already in use with a different configuration";
    is(&got, (400, 10058, words));
}

// E21
#[test]
fn the_name_in_the_subject_is_that_in_the_request() {
    let mut js = Js::start();
    let words = "stream name in subject does not match request";
    is(
        &js.error("STREAM.CREATE.S", json!({ "name": "T" })),
        (400, 10056, words),
    );
    js.stream("S", json!({}));
    is(
        &js.error("STREAM.UPDATE.S", json!({ "name": "T" })),
        (400, 10056, words),
    );
}

// E55
#[test]
fn subjects_do_not_overlap() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    let create = |subjects: Value| json!({ "name": "T", "subjects": subjects });
    let got = js.error("STREAM.CREATE.T", create(json!(["s.a"])));
    is(
        &got,
        (400, 10065, "subjects overlap with an existing stream"),
    );
    let got = js.error("STREAM.CREATE.T", create(json!(["t.a", "t.*"])));
    is(&got, (500, 10052, "subject \"t.a\" overlaps with \"t.*\""));
    let got = js.error("STREAM.CREATE.T", create(json!(["t..a"])));
    is(&got, (500, 10052, "invalid subject"));
    js.stream("T", json!({}));
    let got = js.error("STREAM.UPDATE.T", create(json!(["t.>", "s.x"])));
    is(
        &got,
        (400, 10065, "subjects overlap with an existing stream"),
    );
}

// E63
#[test]
fn everything_and_the_api_can_be_captured_only_without_acks() {
    let mut js = Js::start();
    let create = |subject: &str| json!({ "name": "T", "subjects": [subject] });
    let got = js.error("STREAM.CREATE.T", create(">"));
    is(
        &got,
        (
            500,
            10052,
            "capturing all subjects requires no-ack to be true",
        ),
    );
    let got = js.error("STREAM.CREATE.T", create("$JS.>"));
    let words = "subjects that overlap with jetstream api require no-ack to be true";
    is(&got, (500, 10052, words));
    js.ok("STREAM.CREATE.T", create("$JS.EVENT.>"));
    let mut request = create("$JS.API.x");
    request["no_ack"] = json!(true);
    request["name"] = json!("U");
    js.ok("STREAM.CREATE.U", request);
}

// E55, E58, E59, E62, E65, E68
#[test]
fn what_contradicts_itself_is_no_stream() {
    let mut js = Js::start();
    let cases = [
        (
            json!({ "num_replicas": 3 }),
            10074,
            "replicas > 1 not supported in non-clustered mode",
        ),
        (json!({ "num_replicas": 6 }), 10052, "maximum replicas is 5"),
        (
            json!({ "max_age": 1000 }),
            10052,
            "max age needs to be >= 100ms",
        ),
        (
            json!({ "duplicate_window": 1000 }),
            10052,
            "duplicates window needs to be >= 100ms",
        ),
        (
            json!({ "max_age": 1_000_000_000, "duplicate_window": 10_000_000_000_u64 }),
            10052,
            "duplicates window can not be larger then max age",
        ),
        (
            json!({ "discard_new_per_subject": true }),
            10052,
            "discard new per subject requires discard new policy to be set",
        ),
        (
            json!({ "discard": "new", "discard_new_per_subject": true }),
            10052,
            "discard new per subject requires max msgs per subject > 0",
        ),
        (
            json!({ "description": "x".repeat(4_097) }),
            10052,
            "stream description is too long, maximum allowed is 4096",
        ),
        (
            json!({ "metadata": { "a": "x".repeat(131_072) } }),
            10052,
            "stream metadata exceeds maximum size of 131072 bytes",
        ),
        (
            json!({ "allow_rollup_hdrs": true, "deny_purge": true }),
            10052,
            "roll-ups require the purge permission",
        ),
    ];
    for (config, err_code, words) in cases {
        let got = js.error("STREAM.CREATE.T", stream_config("T", config));
        is(&got, (500, err_code, words));
    }
    assert_eq!(js.ok("STREAM.NAMES", Value::Null)["total"], 0);
}

// E58
#[test]
fn a_window_without_its_own_length_is_capped_by_the_age() {
    let mut js = Js::start();
    let made = js.stream("S", json!({ "max_age": 1_000_000_000 }));
    assert_eq!(made["config"]["duplicate_window"], 1_000_000_000);
}

// E22
#[test]
fn an_update_changes_what_may_change_and_only_a_stream_that_is_there() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    let update = stream_config("S", json!({ "max_msgs": 10, "description": "new" }));
    let updated = js.ok("STREAM.UPDATE.S", update);
    assert_eq!(
        updated["type"],
        "io.nats.jetstream.api.v1.stream_update_response"
    );
    assert_eq!(updated["config"]["max_msgs"], 10);
    assert_eq!(updated["config"]["description"], "new");
    is(
        &js.error("STREAM.UPDATE.T", json!({ "name": "T" })),
        NOT_FOUND,
    );
}

// E22
#[test]
fn an_update_to_less_drops_what_is_too_much() {
    let mut js = Js::start();
    six(&mut js);
    js.ok(
        "STREAM.UPDATE.S",
        stream_config("S", json!({ "max_msgs": 2 })),
    );
    let state = js.stream_info("S")["state"].clone();
    assert_eq!(
        (&state["messages"], &state["first_seq"]),
        (&json!(2), &json!(5))
    );
}

// E60
#[test]
fn some_things_never_change() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    let prefix = "stream configuration update can not";
    let cases = [
        (json!({ "storage": "memory" }), "change storage type"),
        (
            json!({ "retention": "workqueue" }),
            "change retention policy to/from workqueue",
        ),
    ];
    for (config, words) in cases {
        let got = js.error("STREAM.UPDATE.S", stream_config("S", config));
        is(&got, (500, 10052, &format!("{prefix} {words}")));
    }
    js.stream("D", json!({ "deny_delete": true, "deny_purge": true }));
    let got = js.error(
        "STREAM.UPDATE.D",
        stream_config("D", json!({ "deny_purge": true })),
    );
    is(
        &got,
        (500, 10052, &format!("{prefix} cancel deny message deletes")),
    );
    let got = js.error(
        "STREAM.UPDATE.D",
        stream_config("D", json!({ "deny_delete": true })),
    );
    is(&got, (500, 10052, &format!("{prefix} cancel deny purge")));
    let sealed = js.ok(
        "STREAM.UPDATE.S",
        stream_config("S", json!({ "sealed": true })),
    );
    assert_eq!(sealed["config"]["deny_delete"], true);
    let got = js.error("STREAM.UPDATE.S", stream_config("S", json!({})));
    is(
        &got,
        (500, 10052, &format!("{prefix} unseal a sealed stream")),
    );
}

// E23
#[test]
fn stream_info_is_given_to_who_asks_with_anything() {
    let mut js = Js::start();
    six(&mut js);
    for body in ["", "junk"] {
        let info = js.api_raw("STREAM.INFO.S", &[], body);
        assert_eq!(info["state"]["messages"], 6, "{body:?}");
        assert_eq!(info["state"]["num_subjects"], 3);
        assert!(info["state"]["subjects"].is_null());
    }
    is(&js.error("STREAM.INFO.T", Value::Null), NOT_FOUND);
}

// E23
#[test]
fn stream_info_lists_subjects_with_their_counts() {
    let mut js = Js::start();
    six(&mut js);
    let info = js.ok("STREAM.INFO.S", json!({ "subjects_filter": ">" }));
    assert_eq!(
        (&info["total"], &info["limit"]),
        (&json!(3), &json!(100_000))
    );
    assert_eq!(
        info["state"]["subjects"],
        json!({ "s.0": 2, "s.1": 2, "s.2": 2 })
    );
    let info = js.ok("STREAM.INFO.S", json!({ "subjects_filter": "s.1" }));
    assert_eq!(info["state"]["subjects"], json!({ "s.1": 2 }));
    let info = js.ok(
        "STREAM.INFO.S",
        json!({ "subjects_filter": ">", "offset": 2 }),
    );
    assert_eq!((&info["total"], &info["offset"]), (&json!(3), &json!(2)));
    assert_eq!(
        info["state"]["subjects"].as_object().map(|all| all.len()),
        Some(1)
    );
}

// E23, E80
#[test]
fn stream_info_lists_what_is_deleted_when_asked() {
    let mut js = Js::start();
    six(&mut js);
    js.ok("STREAM.MSG.DELETE.S", json!({ "seq": 2 }));
    js.ok("STREAM.MSG.DELETE.S", json!({ "seq": 3, "no_erase": true }));
    let state = js.stream_info("S")["state"].clone();
    assert_eq!(
        (&state["num_deleted"], &state["deleted"]),
        (&json!(2), &Value::Null)
    );
    let info = js.ok("STREAM.INFO.S", json!({ "deleted_details": true }));
    assert_eq!(info["state"]["deleted"], json!([2, 3]));
    assert_eq!(
        (&info["state"]["messages"], &info["state"]["first_seq"]),
        (&json!(4), &json!(1))
    );
    js.ok("STREAM.MSG.DELETE.S", json!({ "seq": 1 }));
    assert_eq!(
        js.stream_info("S")["state"]["first_seq"],
        4,
        "the gap is skipped"
    );
}

// E24
#[test]
fn a_deleted_stream_is_gone() {
    let mut js = Js::start();
    six(&mut js);
    js.consumer("S", "c", json!({}));
    assert_eq!(js.ok("STREAM.DELETE.S", Value::Null)["success"], true);
    for subject in [
        "STREAM.DELETE.S",
        "STREAM.INFO.S",
        "STREAM.PURGE.S",
        "CONSUMER.INFO.S.c",
    ] {
        is(&js.error(subject, Value::Null), NOT_FOUND);
    }
    is(
        &js.error("STREAM.MSG.GET.S", json!({ "seq": 1 })),
        NOT_FOUND,
    );
    js.stream("S", json!({}));
    assert_eq!(
        js.publish("s.a", "again"),
        1,
        "the next of that name starts anew"
    );
}

// E25
#[test]
fn a_purge_takes_all_a_subject_up_to_a_sequence_or_all_but_some() {
    let mut js = Js::start();
    six(&mut js);
    let purge = |js: &mut Js, body: Value| js.ok("STREAM.PURGE.S", body)["purged"].clone();
    assert_eq!(purge(&mut js, json!({ "filter": "s.0", "keep": 1 })), 1);
    assert_eq!(js.sequences("S"), [1, 2, 4, 5, 6]);
    assert_eq!(
        purge(&mut js, json!({ "seq": 4 })),
        2,
        "the sequence itself stays"
    );
    assert_eq!(js.sequences("S"), [4, 5, 6]);
    assert_eq!(purge(&mut js, json!({ "filter": "s.2" })), 1);
    assert_eq!(js.sequences("S"), [4, 6]);
    assert_eq!(purge(&mut js, json!({ "keep": 1 })), 1);
    assert_eq!(js.sequences("S"), [6]);
    assert_eq!(purge(&mut js, Value::Null), 1);
    let state = js.stream_info("S")["state"].clone();
    assert_eq!(
        (&state["first_seq"], &state["last_seq"]),
        (&json!(7), &json!(6))
    );
}

// E25
#[test]
fn a_purge_up_to_a_sequence_and_of_all_but_some_at_once_is_refused() {
    let mut js = Js::start();
    six(&mut js);
    is(
        &js.error("STREAM.PURGE.S", json!({ "seq": 5, "keep": 2 })),
        BAD_REQUEST,
    );
    assert_eq!(js.stream_info("S")["state"]["messages"], 6);
}

// E06, E26, E27
#[test]
fn names_and_lists_come_in_pages() {
    let mut js = Js::start();
    for number in 0..260 {
        let name = format!("S{number:03}");
        js.stream(&name, json!({ "storage": "memory" }));
    }
    let names = js.ok("STREAM.NAMES", Value::Null);
    assert_eq!(
        [&names["total"], &names["offset"], &names["limit"]],
        [&json!(260), &json!(0), &json!(1024)]
    );
    let all: Vec<&str> = list(&names["streams"])
        .map(|name| name.as_str().expect("a name"))
        .collect();
    assert_eq!(all.len(), 260);
    assert!(all.is_sorted());
    let page = js.ok("STREAM.LIST", Value::Null);
    assert_eq!((&page["total"], &page["limit"]), (&json!(260), &json!(256)));
    assert_eq!(list(&page["streams"]).count(), 256);
    let rest = js.ok("STREAM.LIST", json!({ "offset": 256 }));
    assert_eq!(rest["offset"], 256);
    let rest: Vec<&Value> = list(&rest["streams"])
        .map(|stream| &stream["config"]["name"])
        .collect();
    assert_eq!(rest, ["S256", "S257", "S258", "S259"]);
    let beyond = js.ok("STREAM.NAMES", json!({ "offset": 1_000 }));
    assert_eq!(
        (&beyond["total"], &beyond["offset"]),
        (&json!(260), &json!(260))
    );
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

// E26, E27
#[test]
fn names_and_lists_are_found_by_subject() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    js.stream("T", json!({}));
    let names = js.ok("STREAM.NAMES", json!({ "subject": "s.1" }));
    assert_eq!(
        (&names["total"], &names["streams"]),
        (&json!(1), &json!(["S"]))
    );
    let listed = js.ok("STREAM.LIST", json!({ "subject": "t.>" }));
    let metadata = &listed["streams"][0]["config"]["metadata"];
    assert_eq!(metadata, &json!({ "_nats.req.level": "0" }), "as stored");
    assert_eq!(listed["streams"][0]["config"]["name"], "T");
    let none = js.ok("STREAM.NAMES", json!({ "subject": "u" }));
    assert_eq!(
        (&none["total"], list(&none["streams"]).count()),
        (&json!(0), 0)
    );
}

// E28
#[test]
fn a_message_is_got_by_sequence_with_its_headers() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    js.publish_with("s.h", &[("A", "b")], "body");
    let got = js.ok("STREAM.MSG.GET.S", json!({ "seq": 1 }));
    assert_eq!(
        got["type"],
        "io.nats.jetstream.api.v1.stream_msg_get_response"
    );
    let message = &got["message"];
    assert_eq!(
        (&message["subject"], &message["seq"]),
        (&json!("s.h"), &json!(1))
    );
    assert_eq!(message["data"], "Ym9keQ==");
    assert_eq!(message["hdrs"], "TkFUUy8xLjANCkE6IGINCg0K");
    assert_eq!(js.stream_info("S")["state"]["last_ts"], message["time"]);
}

// E28
#[test]
fn a_message_is_got_by_its_subject_or_time() {
    let mut js = Js::start();
    six(&mut js);
    let cases = [
        (json!({ "last_by_subj": "s.1" }), 4),
        (json!({ "last_by_subj": "s.*" }), 6),
        (json!({ "next_by_subj": "s.0" }), 3),
        (json!({ "next_by_subj": "s.0", "seq": 4 }), 6),
        (json!({ "next_by_subj": "s.*", "seq": 2 }), 2),
        (
            json!({ "start_time": "2020-01-01T00:00:00Z", "next_by_subj": "s.2" }),
            2,
        ),
        (json!({ "start_time": "2020-01-01T00:00:00Z" }), 1),
    ];
    for (request, seq) in cases {
        let got = js.ok("STREAM.MSG.GET.S", request.clone());
        assert_eq!(got["message"]["seq"], seq, "{request}");
    }
}

// E28
#[test]
fn a_message_that_is_not_there_is_not_found_and_a_muddled_request_refused() {
    let mut js = Js::start();
    six(&mut js);
    for request in [
        json!({ "seq": 7 }),
        json!({ "last_by_subj": "zz" }),
        json!({ "start_time": "2120-01-01T00:00:00Z" }),
        json!({ "next_by_subj": "s.1", "seq": 5 }),
    ] {
        is(&js.error("STREAM.MSG.GET.S", request), NO_MESSAGE);
    }
    for request in [
        json!({ "seq": 0 }),
        json!({ "seq": 1, "last_by_subj": "s.1" }),
        json!({ "seq": 1, "batch": 3 }),
    ] {
        is(&js.error("STREAM.MSG.GET.S", request), BAD_REQUEST);
    }
}

// E29
#[test]
fn a_message_is_deleted_once() {
    let mut js = Js::start();
    six(&mut js);
    assert_eq!(
        js.ok("STREAM.MSG.DELETE.S", json!({ "seq": 2 }))["success"],
        true
    );
    is(
        &js.error("STREAM.MSG.DELETE.S", json!({ "seq": 2 })),
        (400, 10043, "sequence 2 not found"),
    );
    is(
        &js.error("STREAM.MSG.GET.S", json!({ "seq": 2 })),
        NO_MESSAGE,
    );
    assert_eq!(js.sequences("S"), [1, 3, 4, 5, 6]);
    js.ok("STREAM.MSG.DELETE.S", json!({ "seq": 6 }));
    assert_eq!(
        js.publish("s.a", "next"),
        7,
        "a sequence is never given twice"
    );
}

// E65
#[test]
fn what_a_stream_denies_is_refused() {
    let mut js = Js::start();
    js.stream("D", json!({ "deny_delete": true, "deny_purge": true }));
    js.publish("d.a", "x");
    let got = js.error("STREAM.MSG.DELETE.D", json!({ "seq": 1 }));
    is(&got, (500, 10057, "message delete not permitted"));
    is(
        &js.error("STREAM.PURGE.D", Value::Null),
        (500, 10110, "stream purge not permitted"),
    );
}

// E65
#[test]
fn a_sealed_stream_takes_and_loses_nothing() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    js.publish("s.a", "x");
    js.ok(
        "STREAM.UPDATE.S",
        stream_config("S", json!({ "sealed": true })),
    );
    let refused = error(400, 10109, "invalid operation on sealed stream");
    assert_eq!(error_of(&js.publish_with("s.a", &[], "y")), refused);
    assert_eq!(
        js.error("STREAM.MSG.DELETE.S", json!({ "seq": 1 })),
        refused
    );
    assert_eq!(js.error("STREAM.PURGE.S", Value::Null), refused);
    assert_eq!(js.stream_info("S")["state"]["messages"], 1);
}
