//! Logins that a service decides on (auth callout): the service is a client like others, the test itself.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::{KeyPair, KeyPairType, XKey};
use recado_auth::jwt::{Claims, sign};
use recado_auth::{CALLOUT_AUDIENCE, CALLOUT_SUBJECT, CALLOUT_XKEY_HEADER};
use recado_server::Server;
use recado_server::config::{Machine, Options, load_file};
use serde_json::{Value, json};

use crate::operator::{is_refused, pair, root, user};
use crate::peer::{Frame, Peer, Received};

fn issuer() -> KeyPair {
    pair(KeyPairType::Account, 30)
}

fn curve() -> XKey {
    XKey::new_from_raw([31; 32])
}

fn read(options: &mut Options, text: &str) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("server.conf");
    std::fs::write(&file, format!("port: -1, jetstream: false\n{text}")).unwrap();
    let loaded = load_file(&file, options, &Machine).unwrap();
    assert_eq!(loaded.findings.errors, []);
}

fn server(text: &str) -> Server {
    let configured = Server::builder().configure(|options| read(options, text));
    configured.start().unwrap()
}

/// Users of the service and of nobody else; `more` goes into `auth_callout`.
fn configured(timeout_s: f64, more: &str) -> String {
    format!(
        "accounts {{ AUTH {{ users: [{{user: service, password: s}}, {{user: other, password: o}}] }}, APP {{}} }}
         authorization {{ timeout: {timeout_s}
           auth_callout {{ issuer: {}, account: AUTH, auth_users: [service], {more} }} }}",
        issuer().public_key(),
    )
}

/// The service, connected and listening.
fn service(server: &Server) -> Peer {
    let mut service = Peer::connect(
        server.client_addr(),
        r#""user":"service","pass":"s","headers":true"#,
    );
    service.send(&format!("SUB {CALLOUT_SUBJECT} 1\r\n"));
    service.settle();
    service
}

/// Says CONNECT; the service has to say what comes of it.
fn asks(server: &Server, connect: Value) -> Peer {
    let mut peer = Peer::bare(server.client_addr());
    peer.send(&format!("CONNECT {connect}\r\nPING\r\n"));
    peer
}

fn question(service: &mut Peer) -> Received {
    loop {
        match service.next().expect("still connected") {
            Frame::Message(message) => return message,
            Frame::Error(text) => panic!("{text}"),
            _ => {}
        }
    }
}

fn claims_of(token: &[u8]) -> Value {
    let token = std::str::from_utf8(token).unwrap();
    let body = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}

fn signed(by: &KeyPair, subject: &Value, audience: &Value, nats: Value) -> String {
    let mut claims: Claims<Value> = Claims {
        subject: subject.as_str().unwrap().to_owned(),
        audience: audience.as_str().unwrap().to_owned(),
        name: "ana".into(),
        nats,
        ..Claims::default()
    };
    sign(&mut claims, by, 1_700_000_000).unwrap()
}

/// The user that is asked about, in an account, as `by` would have it.
fn of_user(claims: &Value, by: &KeyPair, account: &str, mut nats: Value) -> String {
    nats["type"] = "user".into();
    nats["version"] = 2.into();
    signed(by, &claims["nats"]["user_nkey"], &account.into(), nats)
}

/// What the service says: that user, or why not.
fn answer(claims: &Value, by: &KeyPair, mut nats: Value) -> String {
    nats["type"] = "authorization_response".into();
    nats["version"] = 2.into();
    let about = &claims["nats"];
    signed(by, &about["user_nkey"], &about["server_id"]["id"], nats)
}

fn says(service: &mut Peer, question: &Received, payload: &[u8]) {
    use std::io::Write as _;
    let head = format!("PUB {} {}\r\n", question.reply, payload.len());
    let frame = [head.as_bytes(), payload, b"\r\n"].concat();
    service.socket.write_all(&frame).unwrap();
}

/// Lets the next one in, into `account` with these claims.
fn lets_in(service: &mut Peer, account: &str, nats: Value) -> Value {
    let asked = question(service);
    let claims = claims_of(&asked.payload);
    let jwt = of_user(&claims, &issuer(), account, nats);
    let text = answer(&claims, &issuer(), json!({ "jwt": jwt }));
    says(service, &asked, text.as_bytes());
    claims
}

/// Waits until it is let in.
fn is_let_in(peer: &mut Peer) {
    loop {
        match peer.next().expect("let in") {
            Frame::Pong => return,
            Frame::Error(text) => panic!("{text}"),
            _ => {}
        }
    }
}

#[test]
fn the_service_says_who_somebody_is_and_what_it_may_do() {
    let server = server(&configured(30.0, ""));
    let mut service = service(&server);
    let mut ana = asks(
        &server,
        json!({"verbose": false, "user": "ana", "pass": "clave", "name": "caja 1", "lang": "rust"}),
    );
    let allowed = json!({"pub": {"allow": ["caja.>"]}});
    let claims = lets_in(&mut service, "APP", allowed);
    is_let_in(&mut ana);
    assert_eq!(claims["aud"], CALLOUT_AUDIENCE);
    assert_eq!(claims["sub"], issuer().public_key());
    let asked = &claims["nats"];
    assert_eq!(asked["connect_opts"]["pass"], "clave");
    assert_eq!(asked["client_info"]["name"], "caja 1");
    assert_eq!(asked["client_info"]["host"], "127.0.0.1");
    assert_eq!(asked["server_id"]["id"], server.info().server_id);
    assert_eq!(claims["iss"], server.info().server_id);
    let other = json!({"verbose": false, "user": "eva", "pass": "clave"});
    let mut eva = asks(&server, other);
    lets_in(&mut service, "APP", json!({}));
    is_let_in(&mut eva);
    eva.send("SUB > 1\r\n");
    eva.settle();
    ana.send("PUB caja.1 2\r\nhi\r\nPUB banco 2\r\nno\r\nPING\r\n");
    let refused = std::iter::from_fn(|| ana.next()).find(|frame| matches!(frame, Frame::Error(_)));
    let violation = "Permissions Violation for Publish to \"banco\"";
    assert_eq!(refused, Some(Frame::Error(violation.to_owned())));
    let heard: Vec<String> = eva.settle().into_iter().map(|one| one.subject).collect();
    assert_eq!(heard, ["caja.1"]);
    // The service's own account is another.
    service.send("PUB caja.2 2\r\nhi\r\n");
    service.settle();
    assert_eq!(eva.settle(), []);
}

#[test]
fn whoever_the_service_does_not_vouch_for_is_refused() {
    let server = server(&configured(30.0, ""));
    let mut service = service(&server);
    let ana = || asks(&server, json!({"user": "ana", "pass": "clave"}));
    let forgeries: [&dyn Fn(&Value) -> String; 6] = [
        &|claims| answer(claims, &issuer(), json!({"error": "unknown"})),
        &|claims| {
            let jwt = of_user(claims, &pair(KeyPairType::Account, 32), "APP", json!({}));
            answer(claims, &issuer(), json!({ "jwt": jwt }))
        },
        &|claims| {
            let jwt = of_user(claims, &issuer(), "NOWHERE", json!({}));
            answer(claims, &issuer(), json!({ "jwt": jwt }))
        },
        &|claims| {
            let mut other = claims.clone();
            other["nats"]["user_nkey"] = user().public_key().into();
            let jwt = of_user(&other, &issuer(), "APP", json!({}));
            answer(claims, &issuer(), json!({ "jwt": jwt }))
        },
        &|_| "eyJ nonsense".to_owned(),
        &|_| String::new(),
    ];
    for forgery in forgeries {
        let peer = ana();
        let asked = question(&mut service);
        let said = forgery(&claims_of(&asked.payload));
        says(&mut service, &asked, said.as_bytes());
        assert!(is_refused(peer), "{said}");
    }
    // The answer to one question is none to another.
    let first = ana();
    let old = question(&mut service);
    let claims = claims_of(&old.payload);
    let jwt = of_user(&claims, &issuer(), "APP", json!({}));
    let text = answer(&claims, &issuer(), json!({ "jwt": jwt }));
    let second = ana();
    let asked = question(&mut service);
    says(&mut service, &asked, text.as_bytes());
    assert!(is_refused(second));
    says(&mut service, &old, b"");
    assert!(is_refused(first));
}

#[test]
fn without_a_service_or_an_answer_nobody_is_let_in() {
    let server = server(&configured(0.3, ""));
    let unheard = asks(&server, json!({"user": "ana", "pass": "clave"}));
    assert!(is_refused(unheard));
    let mut service = service(&server);
    let ignored = asks(&server, json!({"user": "ana", "pass": "clave"}));
    let asked = question(&mut service);
    assert!(is_refused(ignored));
    // Too late, and nobody is harmed.
    says(&mut service, &asked, b"late");
    service.settle();
    // Another user of the service's account is asked about, and can't ask for itself.
    let mut other = asks(
        &server,
        json!({"verbose": false, "user": "other", "pass": "o"}),
    );
    lets_in(&mut service, "AUTH", json!({}));
    is_let_in(&mut other);
    other.send(&format!("PUB {CALLOUT_SUBJECT} 2\r\nhi\r\nPING\r\n"));
    let denied = other.next();
    let violation = format!("Permissions Violation for Publish to \"{CALLOUT_SUBJECT}\"");
    assert_eq!(denied, Some(Frame::Error(violation)));
    assert_eq!(service.settle(), []);
}

#[test]
fn whoever_presents_nothing_is_asked_about_too_and_may_do_nothing_before() {
    let text =
        configured(30.0, "").replace("APP {}", "APP { users: [{user: guest, password: g}] }");
    let server = server(&format!(
        "{text}\nno_auth_user: guest, allow_anonymous: true"
    ));
    let mut service = service(&server);
    let mut silent = Peer::bare(server.client_addr());
    silent.send("SUB > 1\r\n");
    let refused =
        std::iter::from_fn(|| silent.next()).any(|frame| matches!(frame, Frame::Error(_)));
    assert!(
        refused,
        "nobody may subscribe before the service has spoken"
    );
    let mut guest = asks(&server, json!({"verbose": false}));
    lets_in(&mut service, "APP", json!({}));
    is_let_in(&mut guest);
}

#[test]
fn questions_and_answers_may_be_encrypted() {
    let xkey = format!("xkey: {}", curve().public_key());
    let server = server(&configured(30.0, &xkey));
    let mut service = service(&server);
    let mut ana = asks(
        &server,
        json!({"verbose": false, "user": "ana", "pass": "clave"}),
    );
    let asked = question(&mut service);
    let theirs = asked
        .headers
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{CALLOUT_XKEY_HEADER}: ")))
        .unwrap();
    let theirs = XKey::from_public_key(theirs.trim()).unwrap();
    assert!(!asked.payload.windows(5).any(|part| part == b"clave"));
    let opened = curve().open(&asked.payload, &theirs).unwrap();
    let claims = claims_of(&opened);
    let jwt = of_user(&claims, &issuer(), "APP", json!({}));
    let text = answer(&claims, &issuer(), json!({ "jwt": jwt }));
    let sealed = curve().seal(text.as_bytes(), &theirs).unwrap();
    says(&mut service, &asked, &sealed);
    is_let_in(&mut ana);
}

#[test]
fn who_was_let_in_stays_until_the_service_is_another_or_the_claims_end() {
    let server = server(&configured(30.0, ""));
    let mut service = service(&server);
    let mut ana = asks(
        &server,
        json!({"verbose": false, "user": "ana", "pass": "clave"}),
    );
    lets_in(&mut service, "APP", json!({}));
    is_let_in(&mut ana);
    let told = |text: &str| {
        let mut told = None;
        let _ = Server::builder().configure(|options| {
            read(options, text);
            told = Some(options.clone());
        });
        told.unwrap()
    };
    let longer = configured(20.0, "");
    assert_eq!(server.reload(told(&longer)).unwrap().dismissed, 0);
    ana.settle();
    let another = pair(KeyPairType::Account, 33).public_key();
    let replaced = longer.replace(&issuer().public_key(), &another);
    assert_eq!(server.reload(told(&replaced)).unwrap().dismissed, 1);
    assert!(std::iter::from_fn(|| ana.next()).any(|frame| matches!(frame, Frame::Error(_))));
}

#[test]
fn in_operator_mode_the_account_names_its_service_and_where_users_may_go() {
    let account = |key: &KeyPair, mut nats: Value| {
        nats["type"] = "account".into();
        nats["version"] = 2.into();
        nats["limits"] = json!({"subs": -1, "payload": -1, "conn": -1, "imports": -1,
            "exports": -1, "wildcards": true});
        signed(&root(), &key.public_key().into(), &"".into(), nats)
    };
    let app = pair(KeyPairType::Account, 34);
    let decider = pair(KeyPairType::User, 35);
    let claims = json!({"authorization": {
        "auth_users": [decider.public_key()], "allowed_accounts": [app.public_key()],
    }});
    let server = server(&format!(
        "trusted_keys: {}\nresolver: MEMORY\nresolver_preload {{ {}: {}, {}: {} }}, authorization {{ timeout: 30 }}",
        root().public_key(),
        issuer().public_key(),
        account(&issuer(), claims),
        app.public_key(),
        account(&app, json!({})),
    ));
    let bearer = |key: &KeyPair| {
        let nats =
            json!({"type": "user", "version": 2, "subs": -1, "payload": -1, "bearer_token": true});
        signed(&issuer(), &key.public_key().into(), &"".into(), nats)
    };
    let jwt = bearer(&decider);
    let mut service = Peer::connect(server.client_addr(), &format!("\"jwt\":\"{jwt}\""));
    service.send(&format!("SUB {CALLOUT_SUBJECT} 1\r\n"));
    service.settle();
    let sentinel = bearer(&user());
    let mut ana = asks(
        &server,
        json!({"verbose": false, "jwt": sentinel, "user": "ana", "pass": "clave"}),
    );
    let asked = question(&mut service);
    let claims = claims_of(&asked.payload);
    assert_eq!(claims["nats"]["connect_opts"]["user"], "ana");
    let placed = of_user(
        &claims,
        &app,
        "",
        json!({"sub": {"allow": ["caja"]}, "subs": -1, "payload": -1}),
    );
    let text = answer(&claims, &issuer(), json!({ "jwt": placed }));
    says(&mut service, &asked, text.as_bytes());
    is_let_in(&mut ana);
    ana.send("SUB caja 1\r\nSUB banco 2\r\nPING\r\n");
    let violation = "Permissions Violation for Subscription to \"banco\"";
    assert_eq!(ana.next(), Some(Frame::Error(violation.to_owned())));
    // The user's own token is good for nothing without the service.
    let peer = asks(&server, json!({"jwt": sentinel}));
    let asked = question(&mut service);
    let refusal = answer(
        &claims_of(&asked.payload),
        &issuer(),
        json!({"error": "no"}),
    );
    says(&mut service, &asked, refusal.as_bytes());
    assert!(is_refused(peer));
}
