//! Streams of several accounts, over bare sockets: nothing crosses, each has its limits, and who has no JetStream is
//! told so.

#![forbid(unsafe_code)]

use recado_conformance::{Peer, ServerBuilder, ServerProcess};
use serde_json::{Value, json};

const ACCOUNTS: &str = "
accounts {
  A { jetstream: enabled, users: [{user: a, password: pw}] }
  B { jetstream: {max_store: 1MB, max_streams: 1}, users: [{user: b, password: pw}] }
  C { users: [{user: c, password: pw}] }
  SYS { users: [{user: s, password: pw}] }
}
system_account: SYS
";

fn connect(server: &ServerProcess, user: &str) -> Peer {
    let connect = json!({"user": user, "pass": "pw", "headers": true, "no_responders": true, "verbose": false});
    let mut peer = Peer::with(server, &connect.to_string());
    peer.send("SUB answer 1\r\n");
    peer
}

/// The answer as JSON; the status line where there is none.
fn ask(peer: &mut Peer, subject: &str, body: &Value) -> Value {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    peer.send(format!("PUB {subject} answer {}\r\n{body}\r\n", body.len()));
    let message = peer.message();
    match message.headers {
        Some(headers) => headers.lines().next().unwrap_or_default().into(),
        None => serde_json::from_slice(&message.payload).expect("JSON"),
    }
}

fn api(peer: &mut Peer, call: &str, body: &Value) -> Value {
    ask(peer, &format!("$JS.API.{call}"), body)
}

fn code(answer: &Value) -> u64 {
    answer["error"]["err_code"].as_u64().unwrap_or(0)
}

// C40, C48, E02, E14, E231
#[test]
fn accounts_have_streams_of_their_own_within_their_limits() {
    let server = ServerBuilder::nats().config(ACCOUNTS).jetstream().start();
    let [mut a, mut b, mut c, mut system] = ["a", "b", "c", "s"].map(|user| connect(&server, user));
    let config = json!({"name": "S", "subjects": ["s"]});
    let mut create = |peer: &mut Peer| code(&api(peer, "STREAM.CREATE.S", &config));
    let created = [&mut a, &mut b, &mut c, &mut system].map(&mut create);
    assert_eq!(created, [0, 0, 10039, 10039]);
    let publish = |peer: &mut Peer| ask(peer, "s", &json!("hello"));
    assert_eq!(publish(&mut a)["seq"], 1);
    assert_eq!(
        [
            publish(&mut b)["seq"].clone(),
            publish(&mut b)["seq"].clone()
        ],
        [1, 2]
    );
    assert_eq!(publish(&mut c), "NATS/1.0 503");
    let messages =
        |peer: &mut Peer| api(peer, "STREAM.INFO.S", &Value::Null)["state"]["messages"].clone();
    assert_eq!([messages(&mut a), messages(&mut b)], [1, 2]);
    let other = json!({"name": "T", "subjects": ["t"]});
    assert_eq!(code(&api(&mut b, "STREAM.CREATE.T", &other)), 10027);
    assert_eq!(code(&api(&mut a, "STREAM.CREATE.T", &other)), 0);
    let info = api(&mut b, "INFO", &Value::Null);
    assert_eq!(info["limits"]["max_storage"], 1_048_576);
    assert_eq!(
        (&info["streams"], &info["limits"]["max_streams"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(api(&mut a, "INFO", &Value::Null)["streams"], 2);
    let large = json!("x".repeat(600_000));
    assert_eq!(code(&ask(&mut b, "s", &large)), 0);
    assert_eq!(code(&ask(&mut b, "s", &large)), 10002);
    assert_eq!(code(&ask(&mut a, "s", &large)), 0);
    assert_eq!(code(&api(&mut c, "INFO", &Value::Null)), 10039);
    let pull = api(&mut c, "CONSUMER.MSG.NEXT.S.c", &Value::Null);
    assert_eq!(pull, "NATS/1.0 503");
    let kind = &api(&mut system, "STREAM.NAMES", &Value::Null)["type"];
    assert_eq!(kind, "io.nats.jetstream.api.v1.system_response");
}
