//! Operator mode: two accounts that share a stream and a service, and those who are not let in.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::{KeyPair, KeyPairType};
use recado_auth::jwt::{Claims, sign};
use recado_server::Server;
use recado_server::config::{Machine, load_file};
use serde_json::{Value, json};

use crate::peer::{Frame, Peer};

pub(crate) fn pair(kind: KeyPairType, seed: u8) -> KeyPair {
    KeyPair::new_from_raw(kind, [seed; 32]).unwrap()
}

pub(crate) fn root() -> KeyPair {
    pair(KeyPairType::Operator, 1)
}

pub(crate) fn sales() -> KeyPair {
    pair(KeyPairType::Account, 2)
}

pub(crate) fn stock() -> KeyPair {
    pair(KeyPairType::Account, 3)
}

/// It takes what it may not.
fn lender() -> KeyPair {
    pair(KeyPairType::Account, 5)
}

pub(crate) fn user() -> KeyPair {
    pair(KeyPairType::User, 4)
}

/// Whom the server believes that a client came through it.
fn proxy() -> KeyPair {
    pair(KeyPairType::User, 7)
}

pub(crate) fn token(kind: &str, about: &KeyPair, by: &KeyPair, mut nats: Value) -> String {
    nats["type"] = kind.into();
    nats["version"] = 2.into();
    let mut claims: Claims<Value> = Claims {
        subject: about.public_key(),
        name: "ana".into(),
        nats,
        ..Claims::default()
    };
    sign(&mut claims, by, 1_700_000_000).unwrap()
}

fn account(key: &KeyPair, mut nats: Value) -> String {
    nats["limits"] = json!({"subs": -1, "payload": -1, "conn": 2, "imports": -1,
        "exports": -1, "wildcards": true});
    token("account", key, &root(), nats)
}

pub(crate) fn of_user(account: &KeyPair, mut nats: Value) -> String {
    nats["subs"] = (-1).into();
    nats["payload"] = (-1).into();
    token("user", &user(), account, nats)
}

/// A server that trusts `root`, and knows both accounts.
fn server() -> Server {
    let stock_claims = json!({"exports": [
        {"subject": "moved.>", "type": "stream"},
        {"subject": "count", "type": "service"},
        {"subject": "kept", "type": "stream", "token_req": true, "revocations": {"*": 1_700_000_000}},
    ]});
    let lender_claims = json!({
        "imports": [{"account": stock().public_key(), "subject": "kept", "type": "stream"}],
    });
    let operator = token("operator", &root(), &root(), json!({}));
    let sales_claims = json!({
        "imports": [
            {"account": stock().public_key(), "subject": "moved.>", "type": "stream", "to": "stock"},
            {"account": stock().public_key(), "subject": "ask", "to": "count", "type": "service"},
        ],
        "revocations": {pair(KeyPairType::User, 9).public_key(): 1_800_000_000},
        "mappings": {"old": [{"subject": "new"}]},
    });
    let text = format!(
        "operator: {operator}\nresolver: MEMORY\nresolver_preload {{ {}: {}, {}: {}, {}: {} }}
         port: -1, jetstream: false, http: '127.0.0.1:-1', proxies {{ trusted: [{{key: {}}}] }}",
        lender().public_key(),
        account(&lender(), lender_claims),
        sales().public_key(),
        account(&sales(), sales_claims),
        stock().public_key(),
        account(&stock(), stock_claims),
        proxy().public_key(),
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("server.conf");
    std::fs::write(&file, text).unwrap();
    let started = Server::builder().configure(|options| {
        let loaded = load_file(&file, options, &Machine).unwrap();
        assert_eq!(loaded.findings.errors, []);
    });
    started.start().unwrap()
}

/// What INFO asks to be signed. Nothing was read of the connection before.
pub(crate) fn nonce(peer: &mut Peer) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\r\n") {
        peer.socket.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
    let json = line.strip_prefix(b"INFO ").unwrap();
    let info: Value = serde_json::from_slice(json).unwrap();
    info["nonce"].as_str().unwrap().to_owned()
}

#[test]
fn what_comes_with_the_login_is_renamed_too() {
    let server = server();
    // Nobody waits for the login to be done.
    let mut peer = connect(&server, &of_user(&sales(), json!({})), &user());
    peer.send("SUB new 1\r\nPUB old 1\r\nx\r\n");
    let mut frames = std::iter::from_fn(|| peer.next()).take(5);
    let heard = frames.find_map(|frame| match frame {
        Frame::Message(message) => Some(message.subject),
        _ => None,
    });
    assert_eq!(heard.as_deref(), Some("new"));
}

/// Connects with a user's token, the nonce signed by `by`.
pub(crate) fn connect(server: &Server, jwt: &str, by: &KeyPair) -> Peer {
    connect_with(server, jwt, by, "")
}

/// The same with more options.
pub(crate) fn connect_with(server: &Server, jwt: &str, by: &KeyPair, more: &str) -> Peer {
    let mut peer = Peer::bare(server.client_addr());
    let nonce = nonce(&mut peer);
    let sig = BASE64_URL_SAFE_NO_PAD.encode(by.sign(nonce.as_bytes()).unwrap());
    peer.send(&format!(
        "CONNECT {{\"verbose\":false,\"pedantic\":false,\"jwt\":\"{jwt}\",\"sig\":\"{sig}\"{more}}}\r\n"
    ));
    peer
}

pub(crate) fn is_refused(mut peer: Peer) -> bool {
    peer.send("PING\r\n");
    let violation = Frame::Error("Authorization Violation".to_owned());
    std::iter::from_fn(|| peer.next()).any(|frame| frame == violation)
}

/// What monitoring tells.
fn document(server: &Server, path: &str) -> Value {
    let mut socket = TcpStream::connect(server.monitoring_addr().unwrap().1).unwrap();
    write!(socket, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

#[test]
fn connz_tells_who_vouched_for_a_user_to_those_who_ask() {
    let server = server();
    let jwt = of_user(&sales(), json!({"tags": ["night"]}));
    let mut peer = Peer::bare(server.client_addr());
    let nonce = nonce(&mut peer);
    let signed = |by: &KeyPair| BASE64_URL_SAFE_NO_PAD.encode(by.sign(nonce.as_bytes()).unwrap());
    let (sig, proxy_sig) = (signed(&user()), signed(&proxy()));
    peer.send(&format!(
        "CONNECT {{\"verbose\":false,\"jwt\":\"{jwt}\",\"sig\":\"{sig}\",\"proxy_sig\":\"{proxy_sig}\"}}\r\n"
    ));
    peer.settle();
    let (bare, whole) = ("/connz", "/connz?auth=1");
    let told = |path| {
        let connections = &document(&server, path)["connections"];
        connections.get(0).cloned().unwrap_or_default()
    };
    assert_eq!(told(bare).get("issuer_key"), None);
    assert_eq!(told(bare)["proxy"]["key"], proxy().public_key());
    let trusted = json!([{"key": proxy().public_key()}]);
    assert_eq!(document(&server, "/varz")["proxies"]["trusted"], trusted);
    let open = told(whole);
    assert_eq!(open["issuer_key"], sales().public_key());
    assert_eq!(open["tags"], json!(["night"]));
    drop(peer);
    let closed = std::iter::repeat_with(|| told("/connz?auth=1&state=closed"))
        .take(100_000)
        .find(|closed| closed.is_object())
        .unwrap();
    assert_eq!(closed["issuer_key"], sales().public_key());
}

#[test]
fn accountz_tells_what_the_operator_signed_and_what_of_it_has_no_effect() {
    let server = server();
    let told = |key: &KeyPair| {
        let path = format!("/accountz?acc={}", key.public_key());
        document(&server, &path)["account_detail"].clone()
    };
    let one = told(&sales());
    assert_eq!(
        (&one["complete"], &one["expired"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(one["issuer_key"], root().public_key());
    assert!(
        one["jwt"]
            .as_str()
            .is_some_and(|jwt| jwt.starts_with("eyJ")),
        "{one}"
    );
    let decoded = &one["decoded_jwt"];
    assert_eq!(decoded["sub"], sales().public_key());
    assert_eq!(decoded["nats"]["imports"][0]["subject"], "moved.>");
    let other = told(&stock());
    assert_eq!(other["exports"][2]["token_req"], true, "{other}");
    assert_eq!(
        other["exports"][2]["revoked_activations"]["*"],
        "2023-11-14T22:13:20Z"
    );
    let third = told(&lender());
    assert_eq!(third["complete"], false, "{third}");
    assert_eq!(third["imports"][0]["invalid"], true);
    let varz = document(&server, "/varz");
    assert_eq!(
        varz["trusted_operators_claim"][0]["sub"],
        root().public_key()
    );
}

#[test]
fn what_is_signed_is_served_and_shared() {
    let server = server();
    let mut seller = connect(&server, &of_user(&sales(), json!({})), &user());
    seller.settle();
    seller.send("SUB stock.> 1\r\nSUB inbox 2\r\n");
    seller.settle();
    let only = json!({"pub": {"allow": ["moved.>"], "deny": ["moved.secret"]}, "resp": {"max": 1, "ttl": -1}});
    let mut keeper = connect(&server, &of_user(&stock(), only), &user());
    keeper.settle();
    keeper.send(
        "SUB count 1\r\nPUB moved.box 3\r\none\r\nPUB moved.secret 1\r\nx\r\nPUB other 1\r\nx\r\n",
    );
    keeper.send("PING\r\n");
    let mut errors = Vec::new();
    loop {
        match keeper.next().expect("still connected") {
            Frame::Error(text) => errors.push(text),
            Frame::Pong => break,
            _ => {}
        }
    }
    assert_eq!(
        errors,
        [
            "Permissions Violation for Publish to \"moved.secret\"",
            "Permissions Violation for Publish to \"other\"",
        ]
    );
    let received = seller.settle();
    let [message] = &received[..] else {
        panic!("one message: {received:?}");
    };
    assert_eq!(
        (message.subject.as_str(), message.payload.as_slice()),
        ("stock.moved.box", &b"one"[..])
    );
    seller.send("PUB ask inbox 2\r\n??\r\n");
    seller.settle();
    let asked = keeper.settle();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].subject, "count");
}

#[test]
fn what_is_not_signed_is_refused() {
    let server = server();
    let good = of_user(&sales(), json!({}));
    assert!(is_refused(connect(
        &server,
        &good,
        &pair(KeyPairType::User, 5)
    )));
    let stranger = pair(KeyPairType::Account, 6);
    let forged = of_user(&stranger, json!({"issuer_account": sales().public_key()}));
    assert!(is_refused(connect(&server, &forged, &user())));
    assert!(is_refused(connect(
        &server,
        &of_user(&stranger, json!({})),
        &user()
    )));
    let revoked = pair(KeyPairType::User, 9);
    let token = token(
        "user",
        &revoked,
        &sales(),
        json!({"subs": -1, "payload": -1}),
    );
    assert!(is_refused(connect(&server, &token, &revoked)));
    let mut silent = Peer::bare(server.client_addr());
    silent.send("CONNECT {}\r\n");
    assert!(is_refused(silent));
    // A nonce is good for one connection: what was signed for another is nothing here.
    let mut first = Peer::bare(server.client_addr());
    let old = nonce(&mut first);
    let sig = BASE64_URL_SAFE_NO_PAD.encode(user().sign(old.as_bytes()).unwrap());
    let mut second = Peer::bare(server.client_addr());
    second.send(&format!(
        "CONNECT {{\"jwt\":\"{good}\",\"sig\":\"{sig}\"}}\r\n"
    ));
    assert!(is_refused(second));
}

#[test]
fn clients_of_a_signed_account_with_a_default_domain_speak_to_the_streams_of_another() {
    let store = tempfile::tempdir().unwrap();
    let limits = |disk: i64| {
        json!({"subs": -1, "payload": -1, "conn": -1, "imports": -1, "exports": -1, "wildcards": true,
            "disk_storage": disk, "streams": -1, "consumer": -1})
    };
    let keeps = json!({"limits": limits(-1), "exports": [
        {"subject": "$JS.API.>", "type": "service", "response_type": "Stream"},
    ]});
    let asks = json!({"limits": limits(0), "imports": [
        {"account": stock().public_key(), "subject": "$JS.hub.API.>", "to": "$JS.API.>", "type": "service"},
    ]});
    let text = format!(
        "operator: {}\nresolver: MEMORY\nresolver_preload {{ {}: {}, {}: {} }}
         port: -1, jetstream {{ store_dir: \"{}\" }}\ndefault_js_domain {{ {}: hub, {}: hub }}",
        token("operator", &root(), &root(), json!({})),
        sales().public_key(),
        token("account", &sales(), &root(), asks),
        stock().public_key(),
        token("account", &stock(), &root(), keeps),
        store.path().display(),
        sales().public_key(),
        stock().public_key(),
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("server.conf");
    std::fs::write(&file, text).unwrap();
    let started = Server::builder().configure(|options| {
        let loaded = load_file(&file, options, &Machine).unwrap();
        assert_eq!(loaded.findings.errors, []);
    });
    let server = started.start().unwrap();
    let call = |account: &KeyPair, call: &str, body: &str| {
        let mut peer = connect(&server, &of_user(account, json!({})), &user());
        let size = body.len();
        peer.send(&format!(
            "SUB r 1\r\nPUB $JS.API.{call} r {size}\r\n{body}\r\n"
        ));
        loop {
            if let Some(Frame::Message(answer)) = peer.next() {
                return serde_json::from_slice::<Value>(&answer.payload).unwrap();
            }
        }
    };
    let body = "{\"name\":\"S\",\"subjects\":[\"s\"]}";
    let made = call(&sales(), "STREAM.CREATE.S", body);
    assert_eq!(made["config"]["name"], "S", "{made}");
    // Who has streams itself speaks to those, whatever the configuration says.
    let names = call(&stock(), "STREAM.NAMES", "");
    assert_eq!(names["streams"], json!(["S"]), "{names}");
}
