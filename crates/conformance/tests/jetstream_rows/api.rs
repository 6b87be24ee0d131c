//! What all API requests have in common: types, strictness, empty requests, levels, the account.

use recado_conformance::{Peer, ServerBuilder, ServerProcess};
use serde_json::{Value, json};

use crate::js::{Js, error, error_of, status};

// E01
#[test]
fn a_reply_names_its_type_and_tells_times_in_utc() {
    let mut js = Js::start();
    let created = js.stream("S", json!({ "max_age": 3_600_000_000_000_u64 }));
    assert_eq!(
        created["type"],
        "io.nats.jetstream.api.v1.stream_create_response"
    );
    assert_eq!(created["config"]["max_age"], 3_600_000_000_000_u64);
    let time = created["created"].as_str().expect("a time");
    assert!(time.contains('T') && time.ends_with('Z'), "{time}");
    for (subject, kind) in [
        ("STREAM.INFO.none", "stream_info_response"),
        ("STREAM.DELETE.none", "stream_delete_response"),
        ("CONSUMER.INFO.none.c", "consumer_info_response"),
    ] {
        let reply = js.reply(subject, Value::Null);
        assert_eq!(reply["type"], format!("io.nats.jetstream.api.v1.{kind}"));
    }
}

// E02
#[test]
fn without_streams_nobody_answers_and_info_does_not_say_jetstream() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    assert_ne!(peer.info()["jetstream"], true);
    let said = peer.until_pong("SUB r 1\r\nPUB $JS.API.INFO r 0\r\n\r\n");
    assert!(
        said.starts_with("HMSG r 1 ") && said.contains("NATS/1.0 503\r\n"),
        "{said:?}"
    );
}

// E02
#[test]
fn with_streams_info_says_jetstream() {
    let server = ServerBuilder::nats().jetstream().start();
    assert_eq!(Peer::plain(&server).info()["jetstream"], true);
}

// E03, E117
#[test]
fn a_missing_consumer_or_direct_get_target_has_no_responders() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    js.publish("s.a", "x");
    for subject in [
        "$JS.API.CONSUMER.MSG.NEXT.S.none",
        "$JS.API.DIRECT.GET.S",
        "$JS.API.DIRECT.GET.S.s.a",
    ] {
        let reply = js.ask(subject, &[], b"");
        assert_eq!(status(&reply).as_deref(), Some("503"), "{subject}");
    }
}

// E04
#[test]
fn an_unknown_field_is_refused() {
    let mut js = Js::start();
    let refused = error(400, 10025, "invalid JSON: json: unknown field \"foo\"");
    let got = js.error("STREAM.CREATE.S", json!({ "name": "S", "foo": 1 }));
    assert_eq!(got, refused);
    js.stream("S", json!({}));
    for subject in [
        "STREAM.INFO.S",
        "STREAM.PURGE.S",
        "STREAM.NAMES",
        "CONSUMER.NAMES.S",
    ] {
        assert_eq!(js.error(subject, json!({ "foo": 1 })), refused, "{subject}");
    }
    let nested = json!({ "stream_name": "S", "config": { "foo": 1 } });
    assert_eq!(js.error("CONSUMER.CREATE.S.c", nested), refused);
}

// E04
#[test]
fn what_is_no_json_is_refused_where_it_is_needed() {
    let mut js = Js::start();
    let (code, err_code, words) = error_of(&js.api_raw("STREAM.CREATE.S", &[], "xx"));
    assert_eq!((code, err_code), (400, 10025));
    assert!(words.starts_with("invalid JSON: "), "{words}");
    for (field, value) in [("retention", "foo"), ("storage", "foo"), ("discard", "foo")] {
        let got = js.error("STREAM.CREATE.S", json!({ "name": "S", field: value }));
        assert_eq!((got.0, got.1), (400, 10025), "{field}");
    }
}

// E05
#[test]
fn an_empty_request_and_empty_braces_are_one() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    for body in ["", "{}"] {
        assert_eq!(
            js.api_raw("STREAM.INFO.S", &[], body)["config"]["name"],
            "S"
        );
        assert_eq!(js.api_raw("STREAM.NAMES", &[], body)["total"], 1);
        assert_eq!(js.api_raw("STREAM.PURGE.S", &[], body)["success"], true);
    }
    assert_eq!(js.api_raw("STREAM.DELETE.S", &[], "{}")["success"], true);
}

// E05
#[test]
fn a_request_that_takes_no_input_refuses_some() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    js.consumer("S", "c", json!({}));
    let refused = error(400, 10038, "expected an empty request payload");
    for subject in [
        "STREAM.DELETE.S",
        "CONSUMER.INFO.S.c",
        "CONSUMER.DELETE.S.c",
    ] {
        assert_eq!(
            error_of(&js.api_raw(subject, &[], "x")),
            refused,
            "{subject}"
        );
    }
}

// E05
#[test]
fn a_request_that_needs_input_refuses_none() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    for subject in ["STREAM.MSG.GET.S", "STREAM.MSG.DELETE.S"] {
        let refused = error(400, 10003, "bad request");
        assert_eq!(js.error(subject, Value::Null), refused, "{subject}");
        assert_eq!(js.error(subject, json!({})), refused, "{subject}");
    }
    let mismatch = error(400, 10056, "stream name in subject does not match request");
    assert_eq!(js.error("STREAM.CREATE.T", Value::Null), mismatch);
    assert_eq!(js.error("CONSUMER.CREATE.S.c", Value::Null), mismatch);
}

// E08
#[test]
fn a_required_level_above_the_servers_is_refused() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    let refused = error(412, 10185, "JetStream minimum api level required");
    for level in ["99", "x"] {
        let reply = js.api_raw("STREAM.INFO.S", &[("Nats-Required-Api-Level", level)], "");
        assert_eq!(error_of(&reply), refused);
    }
    let reply = js.api_raw("STREAM.INFO.S", &[("Nats-Required-Api-Level", "1")], "");
    assert_eq!(reply["config"]["name"], "S");
}

// E10
#[test]
fn metadata_shows_versions_and_does_not_count_in_comparisons() {
    let mut js = Js::start();
    let made = js.stream("S", json!({ "metadata": { "a": "b" } }));
    let metadata = made["config"]["metadata"].clone();
    assert_eq!(metadata["a"], "b");
    assert!(metadata["_nats.level"].is_string() && metadata["_nats.ver"].is_string());
    let again = js.stream("S", json!({ "metadata": { "a": "b" } }));
    assert_eq!(again["created"], made["created"]);
    js.stream("S", json!({ "metadata": metadata }));
}

// E14
#[test]
fn account_info_counts_streams_consumers_bytes_and_requests() {
    let mut js = Js::start();
    let fresh = js.ok("INFO", Value::Null);
    assert_eq!(
        fresh["type"],
        "io.nats.jetstream.api.v1.account_info_response"
    );
    for name in [
        "memory",
        "storage",
        "reserved_memory",
        "reserved_storage",
        "streams",
    ] {
        assert_eq!(fresh[name], 0, "{name}");
    }
    for name in [
        "max_memory",
        "max_storage",
        "max_streams",
        "max_consumers",
        "max_ack_pending",
    ] {
        assert_eq!(fresh["limits"][name], -1, "{name}");
    }
    assert!(fresh["api"]["level"].as_u64().expect("a level") >= 1);
    js.stream("S", json!({}));
    js.stream("M", json!({ "storage": "memory" }));
    js.consumer("S", "c", json!({}));
    js.publish("s.a", "0123456789");
    js.publish("m.a", "0123456789");
    js.error("STREAM.INFO.none", Value::Null);
    let info = js.ok("INFO", Value::Null);
    assert_eq!(
        (&info["streams"], &info["consumers"]),
        (&json!(2), &json!(1))
    );
    let bytes = |js: &mut Js, name| js.stream_info(name)["state"]["bytes"].clone();
    assert_eq!(info["storage"], bytes(&mut js, "S"));
    assert_eq!(info["memory"], bytes(&mut js, "M"));
    assert_eq!(info["api"]["errors"], 1);
}

// E44
#[test]
fn stepping_down_needs_a_cluster() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    js.consumer("S", "c", json!({}));
    let refused = error(503, 10010, "JetStream clustering support required");
    for subject in ["STREAM.LEADER.STEPDOWN.S", "CONSUMER.LEADER.STEPDOWN.S.c"] {
        assert_eq!(js.error(subject, Value::Null), refused, "{subject}");
    }
    assert_eq!(
        js.error("STREAM.PEER.REMOVE.S", json!({ "peer": "x" })),
        refused
    );
}

// E02, E47 to E51
#[test]
fn what_is_no_call_or_the_system_accounts_is_met_with_silence_and_not_counted() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    let before = js.ok("INFO", Value::Null)["api"]["total"].clone();
    let inbox = js.inbox();
    for subject in [
        "FOO",
        "STREAM.FOO.S",
        "STREAM.INFO.S.more",
        "STREAM.TEMPLATE.CREATE.S",
        "CONSUMER.INFO.S",
        "CONSUMER.MSG.NEXT",
        "DIRECT.FOO",
        "META.LEADER.STEPDOWN",
        "META.RESCUE",
        "SERVER.REMOVE",
        "SERVER.EVACUATE",
        "ACCOUNT.PURGE.A",
        "ACCOUNT.STREAM.MOVE.A.S",
        "ACCOUNT.STREAM.CANCEL_MOVE.A.S",
    ] {
        let newer = [("Nats-Required-Api-Level", "99")];
        js.send(&format!("$JS.API.{subject}"), &inbox.subject, &[], b"{}");
        js.send(&format!("$JS.API.{subject}"), &inbox.subject, &newer, b"{}");
    }
    assert_eq!(js.waiting(&inbox), 0);
    // `waiting` asked, and the first question was counted after it was answered.
    let after = js.ok("INFO", Value::Null)["api"]["total"].clone();
    assert_eq!(after.as_u64(), before.as_u64().map(|total| total + 2));
}

// E03
#[test]
fn pull_requests_and_direct_gets_that_name_nothing_have_no_responders() {
    let mut js = Js::start();
    for subject in [
        "CONSUMER.MSG.NEXT.S",
        "CONSUMER.MSG.NEXT.S.c.more",
        "DIRECT.GET",
    ] {
        let reply = js.ask(&format!("$JS.API.{subject}"), &[], b"");
        assert_eq!(status(&reply).as_deref(), Some("503"), "{subject}");
    }
}

/// A server with streams, somebody who hears of calls (sid `told`) and somebody who says more of itself.
fn with_auditor(builder: ServerBuilder, connect: &str) -> (ServerProcess, Peer, Peer) {
    let server = builder.jetstream().start();
    let mut auditor = Peer::with(&server, connect);
    auditor.until_pong("SUB $JS.EVENT.ADVISORY.API told\r\n");
    let asker = Peer::with(&server, connect);
    (server, auditor, asker)
}

fn audit(auditor: &mut Peer) -> Value {
    serde_json::from_slice(&auditor.message().payload).expect("JSON")
}

// E219
#[test]
fn a_call_is_told_with_who_asked() {
    let connect = r#"{"verbose":false,"headers":true,"user":"ana","pass":"s3cret","name":"desk","lang":"rust","version":"1.2.3"}"#;
    let builder = ServerBuilder::nats().args(["--user", "ana", "--pass", "s3cret"]);
    let (_server, mut auditor, mut asker) = with_auditor(builder, connect);
    let id = asker.info()["client_id"].clone();
    let server_name = asker.info()["server_name"].clone();
    let forged =
        "NATS/1.0\r\nNats-Request-Info: {\"id\":1,\"name\":\"root\",\"user\":\"root\"}\r\n\r\n";
    let body = r#"{"name":"S","subjects":["s"]}"#;
    let sizes = format!("{} {}", forged.len(), forged.len() + body.len());
    asker.send(format!(
        "SUB r 1\r\nHPUB $JS.API.STREAM.CREATE.S r {sizes}\r\n{forged}{body}\r\n"
    ));
    let told = audit(&mut auditor);
    assert_eq!(told["type"], "io.nats.jetstream.advisory.v1.api_audit");
    assert_eq!(told["server"], server_name);
    assert_eq!(told["subject"], "$JS.API.STREAM.CREATE.S");
    assert_eq!(told["request"], body);
    let answer = asker.message().payload;
    assert_eq!(told["response"], String::from_utf8_lossy(&answer).as_ref());
    let client = &told["client"];
    for (field, expected) in [
        ("id", id),
        ("server", server_name),
        ("host", json!("127.0.0.1")),
        ("acc", json!("$G")),
        ("user", json!("ana")),
        ("name", json!("desk")),
        ("lang", json!("rust")),
        ("ver", json!("1.2.3")),
        ("kind", json!("Client")),
        ("client_type", json!("nats")),
    ] {
        assert_eq!(client[field], expected, "{field} of {client}");
    }
    let start = client["start"].as_str().expect("a time");
    assert!(start.contains('T') && start.ends_with('Z'), "{start}");
    assert!(!told.to_string().contains("s3cret"), "{told}");
}

// E219
#[test]
fn all_calls_are_told_but_messages_that_were_got() {
    let connect = r#"{"verbose":false}"#;
    let (_server, mut auditor, mut asker) = with_auditor(ServerBuilder::nats(), connect);
    let body = r#"{"name":"S","subjects":["s"],"allow_direct":true}"#;
    let ask =
        |subject: &str, body: &str| format!("PUB $JS.API.{subject} r {}\r\n{body}\r\n", body.len());
    asker.send("SUB r 1\r\n");
    for (subject, body) in [
        ("STREAM.CREATE.S", body),
        ("STREAM.MSG.GET.S", r#"{"seq":1}"#),
        ("STREAM.NAMES", ""),
    ] {
        asker.send(ask(subject, body));
        asker.message();
        // The one that found nothing is told, too.
        assert_eq!(audit(&mut auditor)["subject"], format!("$JS.API.{subject}"));
    }
    asker.send("PUB s r 1\r\nx\r\n");
    asker.message();
    for subject in ["STREAM.MSG.GET.S", "DIRECT.GET.S"] {
        asker.send(ask(subject, r#"{"seq":1}"#));
        asker.message();
    }
    // Nobody waits for this answer, but it is done and told.
    asker.send("PUB $JS.API.STREAM.DELETE.S 0\r\n\r\n");
    let told = audit(&mut auditor);
    assert_eq!(told["subject"], "$JS.API.STREAM.DELETE.S");
    assert!(
        told["response"]
            .as_str()
            .is_some_and(|text| text.contains("\"success\":true")),
        "{told}"
    );
}

// E03
#[test]
fn a_reset_of_no_consumer_is_met_with_silence() {
    let mut js = Js::start();
    js.stream("S", json!({}));
    let inbox = js.inbox();
    for subject in ["S.c", "none.c"] {
        let subject = format!("$JS.API.CONSUMER.RESET.{subject}");
        js.send(&subject, &inbox.subject, &[], b"");
    }
    assert_eq!(js.waiting(&inbox), 0);
}
