//! What key-value buckets and object stores are built from, as their clients build them.

use serde_json::{Value, json};

use crate::js::{Js, delivery, error, error_of, header, status, text};

/// A bucket as a client makes it: one value a key is kept.
fn bucket(js: &mut Js, history: u64) {
    let config = json!({ "name": "KV_b", "subjects": ["$KV.b.>"], "max_msgs_per_subject": history,
                         "discard": "new", "allow_rollup_hdrs": true, "deny_delete": true,
                         "allow_direct": true, "max_age": 0 });
    js.ok("STREAM.CREATE.KV_b", config);
}

// E195, E196, E197
#[test]
fn an_old_value_makes_room_although_new_is_discarded() {
    let mut js = Js::start();
    bucket(&mut js, 1);
    assert_eq!(js.publish("$KV.b.k", "1"), 1);
    assert_eq!(js.publish("$KV.b.k", "2"), 2);
    let got = js.ask("$JS.API.DIRECT.GET.KV_b.$KV.b.k", &[], b"");
    assert_eq!(
        (text(&got).as_str(), header(&got, "Nats-Sequence")),
        ("2", Some("2".into()))
    );
    assert_eq!(js.stream_info("KV_b")["state"]["messages"], 1);
}

// E88, E196
#[test]
fn a_key_is_created_once_and_updated_from_what_is_known() {
    let mut js = Js::start();
    bucket(&mut js, 1);
    let put = |js: &mut Js, revision: &str| {
        js.publish_with(
            "$KV.b.k",
            &[("Nats-Expected-Last-Subject-Sequence", revision)],
            "x",
        )
    };
    assert_eq!(put(&mut js, "0")["seq"], 1);
    assert_eq!(
        error_of(&put(&mut js, "0")),
        error(400, 10071, "wrong last sequence: 1")
    );
    assert_eq!(put(&mut js, "1")["seq"], 2);
    assert_eq!(
        error_of(&put(&mut js, "1")),
        error(400, 10071, "wrong last sequence: 2")
    );
}

// E91, E196
#[test]
fn a_purged_key_keeps_only_the_marker() {
    let mut js = Js::start();
    bucket(&mut js, 5);
    for value in ["1", "2", "3"] {
        js.publish("$KV.b.k", value);
    }
    js.publish_with("$KV.b.k", &[("KV-Operation", "DEL")], "");
    assert_eq!(js.stream_info("KV_b")["state"]["messages"], 4);
    js.publish_with(
        "$KV.b.k",
        &[("KV-Operation", "PURGE"), ("Nats-Rollup", "sub")],
        "",
    );
    assert_eq!(js.stream_info("KV_b")["state"]["messages"], 1);
    let got = js.ask("$JS.API.DIRECT.GET.KV_b.$KV.b.k", &[], b"");
    assert_eq!(header(&got, "KV-Operation").as_deref(), Some("PURGE"));
    assert_eq!(status(&got), None);
}

// E142, E196
#[test]
fn a_watcher_sees_the_last_of_each_key_and_knows_when_that_was_all() {
    let mut js = Js::start();
    bucket(&mut js, 5);
    for (key, value) in [("a", "1"), ("b", "1"), ("a", "2"), ("c", "1")] {
        js.publish(&format!("$KV.b.{key}"), value);
    }
    let here = js.subscribe("to.me", "");
    let config = json!({ "deliver_subject": "to.me", "deliver_policy": "last_per_subject",
                         "filter_subject": "$KV.b.>", "ack_policy": "none", "max_deliver": 1,
                         "idle_heartbeat": 5_000_000_000_u64, "flow_control": true,
                         "mem_storage": true, "num_replicas": 1 });
    let request = json!({ "stream_name": "KV_b", "config": config });
    assert_eq!(js.ok("CONSUMER.CREATE.KV_b", request)["num_pending"], 3);
    let got = js.next_many(&here, 3);
    let seen: Vec<_> = got
        .iter()
        .map(|message| {
            (
                message.subject.as_str(),
                text(message),
                delivery(message).pending,
            )
        })
        .collect();
    let expected = [
        ("$KV.b.b", "1", 2),
        ("$KV.b.a", "2", 1),
        ("$KV.b.c", "1", 0),
    ];
    assert_eq!(
        seen,
        expected.map(|(key, value, left)| (key, value.to_owned(), left))
    );
    js.publish("$KV.b.d", "new");
    assert_eq!(text(&js.next(&here)), "new");
}

// E198, E84
#[test]
fn a_key_that_ends_leaves_a_marker_when_asked() {
    let mut js = Js::start();
    let config = json!({ "name": "KV_t", "subjects": ["$KV.t.>"], "max_msgs_per_subject": 1,
                         "discard": "new", "allow_rollup_hdrs": true, "deny_delete": true,
                         "allow_direct": true, "allow_msg_ttl": true,
                         "subject_delete_marker_ttl": 60_000_000_000_u64, "max_age": 1_000_000_000 });
    js.ok("STREAM.CREATE.KV_t", config);
    let events = js.subscribe("to.me", "");
    let config =
        json!({ "deliver_subject": "to.me", "ack_policy": "none", "filter_subject": "$KV.t.>" });
    js.ok(
        "CONSUMER.CREATE.KV_t",
        json!({ "stream_name": "KV_t", "config": config }),
    );
    js.publish("$KV.t.k", "x");
    assert_eq!(text(&js.next(&events)), "x");
    let marker = js.next(&events);
    assert_eq!(
        header(&marker, "Nats-Marker-Reason").as_deref(),
        Some("MaxAge")
    );
    assert_eq!(header(&marker, "Nats-TTL").as_deref(), Some("1m0s"));
    assert_eq!(
        (marker.subject.as_str(), marker.payload.len()),
        ("$KV.t.k", 0)
    );
}

// E200
#[test]
fn an_object_is_chunks_and_one_description() {
    let mut js = Js::start();
    let config = json!({ "name": "OBJ_o", "subjects": ["$O.o.C.>", "$O.o.M.>"], "discard": "new",
                         "allow_rollup_hdrs": true, "allow_direct": true });
    js.ok("STREAM.CREATE.OBJ_o", config);
    for _ in 0..3 {
        js.publish("$O.o.C.one", &"x".repeat(131_072));
    }
    for _ in 0..2 {
        js.publish_with("$O.o.M.name", &[("Nats-Rollup", "sub")], "{}");
    }
    assert_eq!(js.stream_info("OBJ_o")["state"]["messages"], 4);
    let purged = js.ok("STREAM.PURGE.OBJ_o", json!({ "filter": "$O.o.C.one" }));
    assert_eq!(purged["purged"], 3);
    let mut sealed = js.stream_info("OBJ_o")["config"].clone();
    sealed["sealed"] = json!(true);
    js.ok("STREAM.UPDATE.OBJ_o", sealed);
    let refused = js.publish_with("$O.o.C.two", &[], "x");
    assert_eq!(
        error_of(&refused),
        error(400, 10109, "invalid operation on sealed stream")
    );
    assert_eq!(js.ok("STREAM.DELETE.OBJ_o", Value::Null)["success"], true);
}
