//! Mirrors and sources of streams that lie in another account, over bare sockets and what the accounts export and import
//! (E156). Each test is true of nats-server 2.15, too.

#![forbid(unsafe_code)]

use std::time::Instant;

use recado_conformance::{PATIENCE, Peer, ServerBuilder, ServerProcess};
use serde_json::{Value, json};

const ACCOUNTS: &str = r#"
accounts {
  A { jetstream: enabled, users: [{user: a, password: pw}]
      exports: [
        {service: "$JS.API.CONSUMER.CREATE.>"}, {service: "$JS.FC.>"}, {stream: "sync.>"}
      ] }
  B { jetstream: enabled, users: [{user: b, password: pw}]
      imports: [
        {service: {account: A, subject: "$JS.API.CONSUMER.CREATE.>"}, to: "fromA.API.CONSUMER.CREATE.>"}
        {service: {account: A, subject: "$JS.FC.>"}}
        {stream: {account: A, subject: "sync.>"}}
      ] }
}
"#;

struct User(Peer);

impl User {
    fn of(server: &ServerProcess, user: &str) -> Self {
        let connect = json!({"user": user, "pass": "pw", "headers": true, "no_responders": true, "verbose": false});
        let mut peer = Peer::with(server, &connect.to_string());
        peer.send("SUB answer 1\r\n");
        Self(peer)
    }

    fn ask(&mut self, subject: &str, body: &str) -> Value {
        let length = body.len();
        self.0
            .send(format!("PUB {subject} answer {length}\r\n{body}\r\n"));
        serde_json::from_slice(&self.0.message().payload).expect("JSON")
    }

    fn api(&mut self, call: &str, body: &Value) -> Value {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let answer = self.ask(&format!("$JS.API.{call}"), &body);
        assert!(answer["error"].is_null(), "{call}: {answer}");
        answer
    }

    fn publish(&mut self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            let ack = self.ask(&format!("o.{}", number % 2), &number.to_string());
            assert!(ack["seq"].is_number(), "{ack}");
        }
    }

    fn info(&mut self, stream: &str) -> Value {
        self.api(&format!("STREAM.INFO.{stream}"), &Value::Null)
    }

    /// Looks until it is so.
    fn until(&mut self, stream: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let info = self.info(stream);
            if is_so(&info) {
                return info;
            }
            assert!(Instant::now() < deadline, "{stream} never {what}: {info}");
        }
    }

    fn until_messages(&mut self, stream: &str, count: u64) -> Value {
        self.until(stream, &format!("has {count} messages"), |info| {
            info["state"]["messages"] == count
        })
    }

    fn message(&mut self, stream: &str, seq: u64) -> Value {
        let got = self.api(&format!("STREAM.MSG.GET.{stream}"), &json!({"seq": seq}));
        got["message"].clone()
    }
}

fn origin() -> Value {
    json!({"name": "O", "external": {"api": "fromA.API", "deliver": "sync.b"}})
}

// E71, E79, E154, E155, E156
#[test]
fn what_another_account_exports_is_mirrored_and_sourced() {
    let mut server = ServerBuilder::nats().config(ACCOUNTS).jetstream().start();
    let [mut a, mut b] = ["a", "b"].map(|user| User::of(&server, user));
    a.api(
        "STREAM.CREATE.O",
        &json!({"name": "O", "subjects": ["o.>"]}),
    );
    a.publish(0..3);
    b.api("STREAM.CREATE.M", &json!({"name": "M", "mirror": origin()}));
    let mut filtered = origin();
    filtered["subject_transforms"] = json!([{"src": "o.0", "dest": "even"}]);
    b.api(
        "STREAM.CREATE.S",
        &json!({"name": "S", "sources": [filtered]}),
    );
    b.until_messages("M", 3);
    b.until_messages("S", 2);
    a.publish(3..7);
    b.until_messages("M", 7);
    let info = b.until("S", "is told of all", |info| info["sources"][0]["seq"] == 7);
    assert_eq!(info["sources"][0]["lag"], 0);
    assert_eq!(info["sources"][0]["external"], origin()["external"]);
    let (here, there) = (b.message("M", 5), a.message("O", 5));
    for field in ["subject", "seq", "data", "time"] {
        assert_eq!(here[field], there[field], "{field}");
    }
    assert_eq!(b.message("S", 1)["subject"], "even");
    // Who only takes from a stream is no consumer of it.
    assert_eq!(a.info("O")["state"]["consumer_count"], 0);
    assert_eq!(a.api("CONSUMER.NAMES.O", &json!({}))["total"], 0);

    server.restart();
    let [mut a, mut b] = ["a", "b"].map(|user| User::of(&server, user));
    a.publish(7..9);
    b.until_messages("M", 9);
    let info = b.until_messages("S", 5);
    assert_eq!(info["state"]["last_seq"], 5, "nothing came twice");
}

// E156, E157
#[test]
fn a_work_queue_of_another_account_is_emptied_into_a_stream_here() {
    let server = ServerBuilder::nats().config(ACCOUNTS).jetstream().start();
    let [mut a, mut b] = ["a", "b"].map(|user| User::of(&server, user));
    let queue = json!({"name": "O", "subjects": ["o.>"], "retention": "workqueue"});
    a.api("STREAM.CREATE.O", &queue);
    a.publish(0..5);
    b.api(
        "STREAM.CREATE.S",
        &json!({"name": "S", "sources": [origin()]}),
    );
    b.until_messages("S", 5);
    a.until_messages("O", 0);
    a.publish(5..6);
    b.until_messages("S", 6);
    a.until_messages("O", 0);
}

// C42, E128
#[test]
fn a_push_consumer_hears_of_who_imports_what_it_delivers_by_another_name() {
    let renamed = ACCOUNTS.replace(
        r#"{stream: {account: A, subject: "sync.>"}}"#,
        r#"{stream: {account: A, subject: "sync.>"}, prefix: "in"}"#,
    );
    let server = ServerBuilder::nats().config(renamed).jetstream().start();
    let [mut a, mut b] = ["a", "b"].map(|user| User::of(&server, user));
    a.api(
        "STREAM.CREATE.O",
        &json!({"name": "O", "subjects": ["o.>"]}),
    );
    a.publish(0..1);
    let config = json!({"durable_name": "c", "deliver_subject": "sync.x", "ack_policy": "none"});
    let body = json!({"stream_name": "O", "config": config});
    let made = a.api("CONSUMER.DURABLE.CREATE.O.c", &body);
    assert!(made["push_bound"].is_null(), "{made}");
    b.0.send("SUB in.sync.x 2\r\n");
    let message = b.0.message();
    assert_eq!((message.sid.as_str(), &*message.payload), ("2", &b"0"[..]));
}
