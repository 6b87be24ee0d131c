//! Claims as strangers forge them and as time and revocations end them, over sockets.

use std::time::UNIX_EPOCH;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use recado_auth::jwt::{Claims, sign};
use recado_server::Server;
use recado_server::config::{Machine, Options, load_file};
use serde_json::{Value, json};

use crate::operator::{connect, is_refused, root, sales, user};

/// How long claims are good that end while the test looks: a slow machine must have logged in by then.
const SOON_S: i64 = 4;

fn now_s() -> i64 {
    UNIX_EPOCH.elapsed().unwrap().as_secs() as i64
}

fn token(kind: &str, about: &KeyPair, by: &KeyPair, expires_s: i64, mut nats: Value) -> String {
    nats["type"] = kind.into();
    nats["version"] = 2.into();
    let mut claims: Claims<Value> = Claims {
        subject: about.public_key(),
        name: "ana".into(),
        expires_s,
        nats,
        ..Claims::default()
    };
    sign(&mut claims, by, now_s() as u64 - 60).unwrap()
}

fn account(expires_s: i64, mut more: Value) -> String {
    more["limits"] = json!({"subs": -1, "payload": -1, "conn": -1, "imports": -1, "exports": -1,
        "wildcards": true});
    token("account", &sales(), &root(), expires_s, more)
}

fn of_user(expires_s: i64) -> String {
    let limits = json!({"subs": -1, "payload": -1});
    token("user", &user(), &sales(), expires_s, limits)
}

fn read(options: &mut Options, account: &str) {
    let text = format!(
        "trusted_keys: {}\nresolver: MEMORY\nresolver_preload {{ {}: {account} }}
         port: -1, jetstream: false",
        root().public_key(),
        sales().public_key(),
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("server.conf");
    std::fs::write(&file, text).unwrap();
    let loaded = load_file(&file, options, &Machine).unwrap();
    assert_eq!(loaded.findings.errors, []);
}

fn server(account: &str) -> Server {
    let configured = Server::builder().configure(|options| read(options, account));
    configured.start().unwrap()
}

/// What the server would be told now; what its builder says stays as it was.
fn told(account: &str) -> Options {
    let mut told = None;
    let _ = Server::builder().configure(|options| {
        read(options, account);
        told = Some(options.clone());
    });
    told.unwrap()
}

#[test]
fn a_connection_ends_when_its_claims_do() {
    let server = server(&account(0, json!({})));
    let mut lasting = connect(&server, &of_user(0), &user());
    let mut passing = connect(&server, &of_user(now_s() + SOON_S), &user());
    lasting.settle();
    passing.settle();
    let last = passing.last_words();
    assert_eq!(last.as_deref(), Some("User Authentication Expired"));
    lasting.settle();
    assert!(is_refused(connect(&server, &of_user(now_s() - 1), &user())));
}

#[test]
fn a_connection_ends_when_its_accounts_claims_do() {
    let server = server(&account(now_s() + SOON_S, json!({})));
    let mut client = connect(&server, &of_user(0), &user());
    client.settle();
    let last = client.last_words();
    assert_eq!(last.as_deref(), Some("Account Authentication Expired"));
    // In the same second claims are still good at a login, and over at once.
    let last = connect(&server, &of_user(0), &user()).last_words();
    assert!(last.is_some(), "served without claims");
}

#[test]
fn a_revocation_ends_the_connection_that_is_there() {
    let server = server(&account(0, json!({})));
    let mut client = connect(&server, &of_user(0), &user());
    client.settle();
    // Claims that were issued before now are good no more; all that follows are.
    let revoked = json!({"revocations": {user().public_key(): now_s()}});
    let reloaded = server.reload(told(&account(0, revoked))).unwrap();
    assert_eq!(reloaded.dismissed, 1);
    let last = client.last_words();
    assert_eq!(last.as_deref(), Some("User Authentication Revoked"));
    assert!(is_refused(connect(&server, &of_user(0), &user())));
}

#[test]
fn a_token_that_was_tampered_with_is_refused() {
    let server = server(&account(0, json!({})));
    let good = of_user(0);
    connect(&server, &good, &user()).settle();
    let parts: Vec<&str> = good.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("three parts: {good}");
    };
    let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    // What the claims say is changed: all may be published, by the same signature.
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    let widened = String::from_utf8(decoded)
        .unwrap()
        .replace("\"subs\":-1", "\"subs\":-1,\"src\":[]");
    assert_ne!(encode(&widened), claims);
    let by_user = encode("the user's own key signs nothing");
    let of_another = of_user(now_s() + 1_000);
    let other_signature = of_another.rsplit('.').next().unwrap();
    for forged in [
        format!("{header}.{}.{signature}", encode(&widened)),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
        format!("{header}.{claims}.{other_signature}"),
        format!("{header}.{claims}.{by_user}"),
        format!("{}.{claims}.", encode(r#"{"typ":"JWT","alg":"none"}"#)),
        format!(
            "{}.{claims}.{signature}",
            encode(r#"{"typ":"JWT","alg":"none"}"#)
        ),
        format!(
            "{}.{claims}.{signature}",
            encode(r#"{"typ":"JWT","alg":"HS256"}"#)
        ),
        format!(
            "{}.{claims}.{signature}",
            encode(r#"{"typ":"JWT","alg":"ed25519"}"#)
        ),
        "..".to_owned(),
    ] {
        assert!(is_refused(connect(&server, &forged, &user())), "{forged}");
    }
    // It is still good for whom it was made.
    connect(&server, &good, &user()).settle();
}
