//! Keys that sign, and claims as an operator and its accounts sign them (JWTs).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

use super::Credentials;

pub(super) fn write(to: &Credentials) {
    write_bare_keys(to);

    let (operator, system, app) = (
        KeyPair::new_operator(),
        KeyPair::new_account(),
        KeyPair::new_account(),
    );
    let revoked = KeyPair::new_user();
    let revocations = json!({ revoked.public_key(): now() + 1 });
    write_configuration(to, &operator, &system, (&app, revocations));
    to.keep("account.seed", &seed(&app));

    let everything = || unlimited(json!({"pub": {}, "sub": {}}));
    write_user(to, "user", &KeyPair::new_user(), &app, everything(), None);
    let open = json!({"allow": ["open.>", "_INBOX.>"]});
    let limited = unlimited(json!({"pub": open, "sub": open}));
    write_user(to, "limited", &KeyPair::new_user(), &app, limited, None);
    let an_hour_ago = Some(now() - 3600);
    let user = KeyPair::new_user();
    write_user(to, "expired", &user, &app, everything(), an_hour_ago);
    write_user(to, "revoked", &revoked, &app, everything(), None);
    let unknown = KeyPair::new_account();
    let user = KeyPair::new_user();
    write_user(to, "stranger", &user, &unknown, everything(), None);

    let mut bearer = everything();
    bearer["bearer_token"] = true.into();
    let user = KeyPair::new_user().public_key();
    to.keep("bearer.jwt", &token("user", &user, bearer, None, &app));
}

fn write_bare_keys(to: &Credentials) {
    let user = KeyPair::new_user();
    to.keep("nkey.seed", &seed(&user));
    to.keep("nkey.pub", &user.public_key());
    to.keep("other.seed", &seed(&KeyPair::new_user()));
}

/// The account comes with what it has revoked.
fn write_configuration(
    to: &Credentials,
    operator: &KeyPair,
    system: &KeyPair,
    (app, revocations): (&KeyPair, Value),
) {
    let limits = json!({"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
        "wildcards": true, "conn": -1, "leaf": -1, "mem_storage": -1, "disk_storage": -1,
        "streams": -1, "consumer": -1});
    let account = |account: &KeyPair, claims: Value| {
        let mut claims = claims;
        claims["limits"] = limits.clone();
        token("account", &account.public_key(), claims, None, operator)
    };
    let itself = json!({"system_account": system.public_key()});
    let text = format!(
        "operator: {}\nsystem_account: {system_key}\nresolver: MEMORY\nresolver_preload {{\n  \
         {system_key}: {}\n  {}: {}\n}}\n",
        token("operator", &operator.public_key(), itself, None, operator),
        account(system, json!({})),
        app.public_key(),
        account(app, json!({"revocations": revocations})),
        system_key = system.public_key(),
    );
    to.keep("operator.conf", &text);
}

fn write_user(
    to: &Credentials,
    name: &str,
    user: &KeyPair,
    account: &KeyPair,
    claims: Value,
    expires_s: Option<u64>,
) {
    let jwt = token("user", &user.public_key(), claims, expires_s, account);
    let text = format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        seed(user)
    );
    to.keep(&format!("{name}.creds"), &text);
}

/// A user's claims that bound nothing but what they say.
fn unlimited(mut claims: Value) -> Value {
    for limit in ["subs", "data", "payload"] {
        claims[limit] = (-1).into();
    }
    claims
}

fn token(
    kind: &str,
    subject: &str,
    mut claims: Value,
    expires_s: Option<u64>,
    by: &KeyPair,
) -> String {
    claims["type"] = kind.into();
    claims["version"] = 2.into();
    let issued_s = now();
    let mut body = json!({"jti": format!("{kind}-{issued_s}"), "iat": issued_s,
        "iss": by.public_key(), "name": kind, "sub": subject, "nats": claims});
    if let Some(expires_s) = expires_s {
        body["exp"] = expires_s.into();
    }
    let header = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let [header, body] = [header, body].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = format!("{header}.{body}");
    let signature = by.sign(signed.as_bytes()).expect("it holds a seed");
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn seed(pair: &KeyPair) -> String {
    pair.seed().expect("it holds a seed")
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("it is later than 1970").as_secs()
}
