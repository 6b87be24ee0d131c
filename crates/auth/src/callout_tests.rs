//! Questions to a service, and its answers: good ones, wrong ones and forged ones.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use recado_wire::Connect;
use serde_json::{Value, json};

use super::*;
use crate::operator::OperatorOptions;
use crate::proxies::TrustedProxies;

const NOW_S: u64 = 1_800_000_000;

fn pair(kind: KeyPairType, seed: u8) -> KeyPair {
    KeyPair::new_from_raw(kind, [seed; 32]).unwrap()
}

fn issuer() -> KeyPair {
    pair(KeyPairType::Account, 1)
}

fn server() -> KeyPair {
    pair(KeyPairType::Server, 2)
}

fn curve() -> XKey {
    XKey::new_from_raw([3; 32])
}

fn service_curve() -> XKey {
    XKey::new_from_raw([4; 32])
}

fn no_zones(_: Option<&str>, _: u64) -> Option<i32> {
    None
}

fn court<'a>(curve_key: &'a XKey, operator: Option<&'a Operator>) -> Court<'a> {
    Court {
        curve_key,
        operator,
        proxied: false,
        utc_offset: no_zones,
        now_s: NOW_S,
    }
}

fn callout(xkey: Option<String>) -> Callout {
    Callout::configured(CalloutOptions {
        issuer: issuer().public_key(),
        account: "AUTH".into(),
        auth_users: vec!["service".into()],
        xkey,
        allowed_accounts: vec!["APP".into()],
        accounts: ["$G", "APP", "AUTH"].map(str::to_owned).into(),
    })
}

fn connect() -> Connect {
    Connect {
        user: Some("ana".into()),
        pass: Some("clave".into()),
        ..Connect::default()
    }
}

fn login(connect: &Connect) -> Login<'_> {
    Login {
        connect,
        nonce: b"a-nonce",
        transport: ConnectionType::Standard,
        peer: None,
        certificate: None,
        now_s: NOW_S,
    }
}

fn ask(callout: &Callout, seed: u8) -> Asked {
    let connect = connect();
    let (key, curve_key) = (server(), curve());
    let asked = callout.ask(Question {
        login: &login(&connect),
        server: ServerInfo {
            id: key.public_key(),
            ..ServerInfo::default()
        },
        client: ClientInfo::default(),
        tls: None,
        key: &key,
        curve_key: &curve_key,
        timeout_s: 2,
        user_seed: [seed; 32],
        nonce: [5; 24],
    });
    asked.unwrap()
}

fn claims_of(token: &[u8]) -> Value {
    let text = std::str::from_utf8(token).unwrap();
    let claims = text.split('.').nth(1).unwrap();
    let json = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// A token about `subject` for `audience`.
fn token(by: &KeyPair, subject: &str, audience: &str, nats: Value) -> String {
    let mut nats = nats;
    nats["version"] = 2.into();
    let mut claims: Claims<Value> = Claims {
        subject: subject.into(),
        audience: audience.into(),
        name: "ana".into(),
        nats,
        ..Claims::default()
    };
    sign(&mut claims, by, NOW_S).unwrap()
}

fn user_token(asked: &Asked, by: &KeyPair, account: &str, mut nats: Value) -> String {
    nats["type"] = "user".into();
    token(by, &asked.user_key, account, nats)
}

fn answer(asked: &Asked, by: &KeyPair, user: &str) -> Vec<u8> {
    let nats = json!({"type": "authorization_response", "jwt": user});
    token(by, &asked.user_key, &server().public_key(), nats).into_bytes()
}

fn judge(callout: &Callout, asked: &Asked, answer: &[u8]) -> Result<Identity, Reason> {
    let (connect, curve_key) = (connect(), curve());
    let judged = callout.judge(asked, answer, &login(&connect), &court(&curve_key, None));
    judged.map_err(|denied| denied.reason)
}

#[test]
fn a_question_says_what_the_client_said() {
    let claims = claims_of(&ask(&callout(None), 9).payload);
    assert_eq!(claims["aud"], CALLOUT_AUDIENCE);
    assert_eq!(claims["sub"], issuer().public_key());
    assert_eq!(claims["iss"], server().public_key());
    assert_eq!(claims["exp"], NOW_S + 2);
    assert_eq!(claims["nats"]["connect_opts"]["pass"], "clave");
    assert_eq!(claims["nats"]["server_id"]["id"], server().public_key());
    let user = pair(KeyPairType::User, 9).public_key();
    assert_eq!(claims["nats"]["user_nkey"], user);
    assert_eq!(claims["nats"]["type"], "authorization_request");
}

#[test]
fn the_service_says_who_it_is_and_what_it_may_do() {
    let callout = callout(None);
    let asked = ask(&callout, 9);
    let user = user_token(&asked, &issuer(), "APP", json!({"pub": {"allow": ["a"]}}));
    let who = judge(&callout, &asked, &answer(&asked, &issuer(), &user)).unwrap();
    assert_eq!((&*who.account, who.method), ("APP", Method::Callout));
    assert_eq!(who.user.as_deref(), Some("ana"));
    let permissions = who.permissions.unwrap();
    assert!(permissions.may_publish(b"a") && !permissions.may_publish(b"b"));
}

#[test]
fn an_answer_is_good_for_one_login_at_one_server() {
    let callout = callout(None);
    let (asked, other) = (ask(&callout, 9), ask(&callout, 10));
    let user = user_token(&other, &issuer(), "APP", json!({}));
    for replayed in [
        answer(&other, &issuer(), &user),
        answer(&asked, &issuer(), &user),
    ] {
        assert!(judge(&callout, &asked, &replayed).is_err());
    }
    let user = user_token(&asked, &issuer(), "APP", json!({}));
    let nats = json!({"type": "authorization_response", "jwt": user});
    let elsewhere = pair(KeyPairType::Server, 7).public_key();
    let elsewhere = token(&issuer(), &asked.user_key, &elsewhere, nats);
    assert!(judge(&callout, &asked, elsewhere.as_bytes()).is_err());
}

#[test]
fn only_the_issuer_makes_users() {
    let callout = callout(None);
    let asked = ask(&callout, 9);
    let stranger = pair(KeyPairType::Account, 8);
    let forged = user_token(&asked, &stranger, "APP", json!({}));
    assert!(judge(&callout, &asked, &answer(&asked, &stranger, &forged)).is_err());
    let own = json!({"issuer_account": issuer().public_key()});
    let switched = user_token(&asked, &stranger, "APP", own);
    assert!(judge(&callout, &asked, &answer(&asked, &issuer(), &switched)).is_err());
    let nowhere = user_token(&asked, &issuer(), "", json!({}));
    assert!(judge(&callout, &asked, &answer(&asked, &issuer(), &nowhere)).is_err());
}

#[test]
fn a_refusal_is_told_in_the_log() {
    let callout = callout(None);
    let asked = ask(&callout, 9);
    let nats = json!({"type": "authorization_response", "error": "no such user"});
    let refusal = token(&issuer(), &asked.user_key, &server().public_key(), nats);
    assert_eq!(
        judge(&callout, &asked, refusal.as_bytes()).unwrap_err(),
        Reason::Callout("the service says: no such user".into())
    );
    for text in [&b""[..], b"x", b"\xff"] {
        assert!(matches!(
            judge(&callout, &asked, text),
            Err(Reason::Callout(_))
        ));
    }
}

#[test]
fn both_ways_may_be_encrypted() {
    let callout = callout(Some(service_curve().public_key()));
    let asked = ask(&callout, 9);
    assert_eq!(asked.xkey, Some(curve().public_key()));
    let opened = service_curve().open(&asked.payload, &curve()).unwrap();
    assert_eq!(
        claims_of(&opened)["nats"]["server_id"]["xkey"],
        curve().public_key()
    );
    let user = user_token(&asked, &issuer(), "APP", json!({}));
    let plain = answer(&asked, &issuer(), &user);
    let nonce = [6; 24];
    let sealed = service_curve()
        .seal_with_nonce(&plain, &curve(), nonce.into())
        .unwrap();
    assert!(judge(&callout, &asked, &sealed).is_ok());
    assert!(judge(&callout, &asked, &plain).is_ok());
    let stranger = XKey::new_from_raw([9; 32]);
    let sealed = stranger
        .seal_with_nonce(&plain, &curve(), nonce.into())
        .unwrap();
    assert!(judge(&callout, &asked, &sealed).is_err());
}

#[test]
fn users_of_the_service_and_of_other_accounts_are_not_asked_about() {
    let callout = callout(None);
    let connect = connect();
    let login = login(&connect);
    let who = |user: &str, account: &str| {
        Ok(Identity {
            user: Some(user.into()),
            ..Identity::new(Method::Password, account.into())
        })
    };
    assert!(!callout.concerns(&login, &who("service", "AUTH")));
    assert!(callout.concerns(&login, &who("ana", "APP")));
    assert!(callout.concerns(&login, &who("ana", DEFAULT_ACCOUNT)));
    assert!(!callout.concerns(&login, &who("ana", "OTHER")));
    let denied = |reason| Err(Denied::of(reason));
    assert!(callout.concerns(&login, &denied(Reason::WrongUserOrPassword)));
    assert!(!callout.concerns(&login, &denied(Reason::ProxyRequired)));
    let service = Connect {
        user: Some("service".into()),
        ..connect.clone()
    };
    let login = Login {
        connect: &service,
        ..login
    };
    assert!(!callout.concerns(&login, &denied(Reason::WrongUserOrPassword)));
}

#[test]
fn nobody_but_the_server_asks_the_service() {
    let callout = callout(None);
    let guarded = |account: &str| {
        let who = Identity::new(Method::Password, account.into());
        callout.guard(who).unwrap().permissions
    };
    let member = guarded("AUTH").unwrap();
    assert!(!member.may_publish(CALLOUT_SUBJECT.as_bytes()));
    assert!(member.may_publish(b"other"));
    assert!(guarded("APP").is_none());
}

#[test]
fn in_operator_mode_the_accounts_key_makes_users() {
    let (root, auth, app) = (
        pair(KeyPairType::Operator, 20),
        issuer(),
        pair(KeyPairType::Account, 21),
    );
    let operator = Operator::new(OperatorOptions {
        operators: Vec::new(),
        trusted_keys: vec![root.public_key()],
        pinned_accounts: None,
        system_account: None,
        default_sentinel: None,
        trusted_proxies: TrustedProxies::default(),
        utc_offset: no_zones,
    })
    .unwrap();
    let add = |account: &KeyPair, nats: Value| {
        let mut nats = nats;
        nats["type"] = "account".into();
        let text = token(&root, &account.public_key(), "", nats);
        operator.add_account(&text, NOW_S).unwrap()
    };
    let service = pair(KeyPairType::User, 22).public_key();
    let claims = json!({"authorization": {
        "auth_users": [service], "allowed_accounts": [app.public_key()],
    }});
    let auth_claims = add(&auth, claims);
    let callout = Callout::of_account(&auth_claims).unwrap();
    let asked = ask(&callout, 9);
    let judge = |answer: &[u8]| {
        let (connect, curve_key) = (connect(), curve());
        let court = court(&curve_key, Some(&operator));
        let judged = callout.judge(&asked, answer, &login(&connect), &court);
        judged.map_err(|denied| denied.reason)
    };
    let own = user_token(&asked, &auth, "", json!({}));
    let who = judge(&answer(&asked, &auth, &own)).unwrap();
    assert_eq!(*who.account, *auth.public_key());
    let placed = user_token(&asked, &app, "", json!({}));
    let placed = answer(&asked, &auth, &placed);
    assert!(matches!(judge(&placed), Err(Reason::UnknownAccount(_))));
    let app_claims = add(&app, json!({}));
    assert_eq!(*judge(&placed).unwrap().account, *app.public_key());
    assert!(Callout::of_account(&app_claims).is_none());
    let stranger = pair(KeyPairType::Account, 23);
    let forged = user_token(&asked, &stranger, "", json!({}));
    assert_eq!(
        judge(&answer(&asked, &auth, &forged)).unwrap_err(),
        Reason::AccountNotServed
    );
    assert_eq!(
        judge(&answer(&asked, &stranger, &own)).unwrap_err(),
        Reason::UnknownSigner
    );
}
