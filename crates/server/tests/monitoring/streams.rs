//! What is told of streams, and whether the server is well.

use serde_json::{Value, json};

use crate::http::{document, get};
use crate::peer::{Frame, Peer};
use crate::{builder, eventually, server};

/// A request to the streams' API.
fn ask(peer: &mut Peer, call: &str, body: &Value) -> Value {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    peer.send(&format!(
        "PUB $JS.API.{call} answer {}\r\n{body}\r\n",
        body.len()
    ));
    answer(peer)
}

fn answer(peer: &mut Peer) -> Value {
    loop {
        match peer.next() {
            Some(Frame::Message(message)) => {
                let value: Value = serde_json::from_slice(&message.payload).unwrap();
                assert!(value["error"].is_null(), "{value}");
                return value;
            }
            Some(_) => {}
            None => panic!("the connection ended"),
        }
    }
}

fn create(peer: &mut Peer, stream: &str, consumers: usize) {
    let config = json!({"name": stream, "subjects": [format!("{stream}.>")]});
    ask(peer, &format!("STREAM.CREATE.{stream}"), &config);
    for number in 0..consumers {
        let name = format!("c{number:03}");
        let config = json!({"name": name, "durable_name": name, "ack_policy": "explicit"});
        let request = json!({"stream_name": stream, "config": config});
        ask(peer, &format!("CONSUMER.CREATE.{stream}.{name}"), &request);
    }
}

#[test]
fn jsz_tells_of_the_server_and_of_more_when_asked() {
    let directory = tempfile::tempdir().unwrap();
    let server = builder(|_| {}).store_dir(directory.path()).start().unwrap();
    let (_, watch) = server.monitoring_addr().unwrap();
    let mut peer = Peer::connect(server.client_addr(), "");
    peer.send("SUB answer 1\r\n");
    create(&mut peer, "B", 2);
    create(&mut peer, "A", 0);
    peer.send("PUB B.x answer 3\r\nabc\r\n");
    answer(&mut peer);

    let plain = document(watch, "/jsz");
    for (key, value) in [
        ("streams", json!(2)),
        ("consumers", json!(2)),
        ("messages", json!(1)),
        ("total", json!(1)),
        ("accounts", json!(1)),
    ] {
        assert_eq!(plain[key], value, "{key}");
    }
    assert!(plain["storage"].as_u64() > Some(0));
    assert_eq!(plain["api"]["level"], 5);
    assert_eq!(plain["api"]["total"], 4);
    let stored = plain["config"]["store_dir"].as_str().unwrap();
    assert_eq!(stored, directory.path().display().to_string());
    assert_eq!(plain.get("account_details"), None);
    assert_eq!(plain.get("disabled"), None);

    let accounts = document(watch, "/jsz?accounts=1");
    let account = &accounts["account_details"][0];
    assert_eq!(
        (&account["name"], &account["id"]),
        (&json!("$G"), &json!("$G"))
    );
    assert_eq!(account.get("stream_detail"), None);

    let streams = document(watch, "/jsz?streams=1");
    let details = &streams["account_details"][0]["stream_detail"];
    assert_eq!(
        (&details[0]["name"], &details[1]["name"]),
        (&json!("A"), &json!("B"))
    );
    assert_eq!(details[1]["state"]["messages"], 1);
    assert_eq!(details[1].get("consumer_detail"), None);
    assert_eq!(details[1].get("config"), None);

    let all = document(watch, "/jsz?consumers=1&config=1&raft=1");
    assert_eq!(
        (&all["streams_leader"], &all["consumers_leader"]),
        (&json!(2), &json!(2))
    );
    let detail = &all["account_details"][0]["stream_detail"][1];
    assert_eq!(detail["config"]["subjects"], json!(["B.>"]));
    let consumers = detail["consumer_detail"].as_array().unwrap();
    assert_eq!(consumers.len(), 2);
    assert_eq!(consumers[0]["name"], "c000");
    assert_eq!(consumers[0]["num_pending"], 1);
    assert_eq!(consumers[0]["config"]["ack_policy"], "explicit");
    let bare = document(watch, "/jsz?consumers=1");
    let consumer = &bare["account_details"][0]["stream_detail"][1]["consumer_detail"][0];
    assert_eq!(consumer.get("config"), None);
    for query in ["acc=none&streams=1", "streams=1&offset=1"] {
        let none = document(watch, &format!("/jsz?{query}"));
        assert_eq!(none.get("account_details"), None, "{query}");
    }
    let varz = document(watch, "/varz");
    assert_eq!(varz["jetstream"]["stats"]["api"]["level"], 5);
}

#[test]
fn many_consumers_are_told_whole_although_each_question_has_little_time() {
    let directory = tempfile::tempdir().unwrap();
    let server = builder(|_| {}).store_dir(directory.path()).start().unwrap();
    let (_, watch) = server.monitoring_addr().unwrap();
    let mut peer = Peer::connect(server.client_addr(), "");
    peer.send("SUB answer 1\r\n");
    for stream in ["A", "B", "C"] {
        create(&mut peer, stream, 100);
    }
    let jsz = document(watch, "/jsz?consumers=1");
    let details = jsz["account_details"][0]["stream_detail"]
        .as_array()
        .unwrap();
    assert_eq!(details.len(), 3);
    for detail in details {
        let consumers = detail["consumer_detail"].as_array().unwrap();
        let names: Vec<&str> = consumers
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        let expected: Vec<String> = (0..100).map(|number| format!("c{number:03}")).collect();
        assert_eq!(names, expected);
    }
}

#[test]
fn a_server_without_streams_says_so_and_is_well() {
    let (_server, watch) = server(|_| {});
    let jsz = document(watch, "/jsz?consumers=1");
    assert_eq!(
        (&jsz["disabled"], &jsz["streams"]),
        (&json!(true), &json!(0))
    );
    assert_eq!(document(watch, "/varz")["jetstream"], json!({}));
    let health = get(watch, "/healthz");
    assert_eq!(
        (health.status, health.body.as_str()),
        (200, r#"{"status":"ok"}"#)
    );
    assert_eq!(get(watch, "/jsz?leader-only=1").status, 400);
}

#[test]
fn health_is_asked_of_the_server_and_of_what_it_holds() {
    let directory = tempfile::tempdir().unwrap();
    let server = builder(|_| {}).store_dir(directory.path()).start().unwrap();
    let (_, watch) = server.monitoring_addr().unwrap();
    let mut peer = Peer::connect(server.client_addr(), "");
    peer.send("SUB answer 1\r\n");
    create(&mut peer, "S", 1);
    for (query, status, error) in [
        ("", 200, ""),
        ("js-enabled=1", 200, ""),
        ("js-enabled-only=true", 200, ""),
        ("js-server-only=1", 200, ""),
        ("account=$G", 200, ""),
        ("account=$G&stream=S", 200, ""),
        ("account=$G&stream=S&consumer=c000", 200, ""),
        (
            "stream=S",
            400,
            "\"account\" must not be empty when checking stream health",
        ),
        (
            "account=$G&consumer=c",
            400,
            "\"stream\" must not be empty when checking consumer health",
        ),
        ("account=A", 404, "JetStream account \"A\" not found"),
        (
            "account=$G&stream=T",
            404,
            "JetStream stream \"T\" not found on account \"$G\"",
        ),
        (
            "account=$G&stream=S&consumer=d",
            404,
            "JetStream consumer \"d\" not found for stream \"S\" on account \"$G\"",
        ),
    ] {
        let health = get(watch, &format!("/healthz?{query}"));
        assert_eq!(health.status, status, "{query}: {}", health.body);
        let value = health.json();
        assert_eq!(value["error"].as_str().unwrap_or(""), error, "{query}");
        let expected = match status {
            200 => "ok",
            400 => "error",
            _ => "unavailable",
        };
        assert_eq!(value["status"], expected, "{query}");
    }
    let health = get(watch, "/healthz?account=$G&stream=T&details=1");
    assert_eq!(health.status, 404);
    assert_eq!(
        health.json(),
        json!({"status": "error", "errors": [{
            "type": "STREAM", "account": "$G", "stream": "T",
            "error": "JetStream stream \"T\" not found on account \"$G\"",
        }]})
    );
}

#[test]
fn a_lame_duck_is_not_well_and_still_answers() {
    let (server, watch) = server(|_| {});
    let mut peer = Peer::connect(server.client_addr(), "");
    peer.settle();
    server.lame_duck();
    let health = eventually("the lame duck", || {
        let health = get(watch, "/healthz");
        (health.status == 500).then_some(health)
    });
    assert!(health.body.contains("lame duck"), "{}", health.body);
    assert_eq!(document(watch, "/varz")["connections"], 1);
}

#[test]
fn explainz_tells_what_was_dropped_lately_and_why() {
    let (server, watch) = server(|options| options.limits.max_payload = 8);
    let mut peer = Peer::connect(server.client_addr(), "");
    peer.send("PUB a $JS.ACK.x 1\r\nx\r\n");
    peer.send("PUB large 9\r\n");
    assert_eq!(
        peer.last_words().as_deref(),
        Some("Maximum Payload Violation")
    );
    let drop = |subject: &str| {
        document(watch, &format!("/explainz?subject={subject}"))["drops"][0].clone()
    };
    assert_eq!(drop("a")["why"], "reserved_subject");
    let large = drop("large");
    assert_eq!(large["why"], "too_large", "{large}");
    assert_eq!(
        (&large["bytes"], &large["max_bytes"]),
        (&json!(9), &json!(8))
    );
}

#[test]
fn explainz_tells_over_http_who_would_get_a_message_and_who_would_store_it() {
    let directory = tempfile::tempdir().unwrap();
    let server = builder(|_| {}).store_dir(directory.path()).start().unwrap();
    let (_, watch) = server.monitoring_addr().unwrap();
    let mut peer = Peer::connect(server.client_addr(), "");
    peer.send("SUB answer 1\r\nSUB S.* 2\r\n");
    create(&mut peer, "S", 1);
    let told = document(watch, "/explainz?subject=S.x");
    assert_eq!(
        (&told["account"], &told["subject"]),
        (&json!("$G"), &json!("S.x"))
    );
    assert_eq!(
        (&told["received"], &told["stored"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(told["streams"][0]["name"], "S", "{told}");
    assert_eq!(told["streams"][0]["consumers"][0]["name"], "c000", "{told}");
    let nobody = document(watch, "/explainz?subject=nobody");
    assert_eq!(
        (&nobody["received"], &nobody["stored"]),
        (&json!(false), &json!(false))
    );
    for (asked, why) in [
        ("", "needs the subject"),
        ("subject=S.*", "without wildcards"),
        ("subject=a&acc=NONE", "Account NONE does not exist"),
        ("subject=a&user=ghost", "ghost"),
    ] {
        let answer = get(watch, &format!("/explainz?{asked}"));
        assert_eq!(answer.status, 400, "{asked}");
        assert!(answer.body.contains(why), "{asked}: {}", answer.body);
    }
}
