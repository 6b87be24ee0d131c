//! Logins with signed claims: the chain from operator to user, and what breaks it.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::{KeyPair, KeyPairType};
use recado_wire::Connect;
use serde_json::{Value, json};

use super::*;
use crate::jwt::sign;

const NOW_S: u64 = 1_800_000_000;
const NONCE: &[u8] = b"a-nonce";

fn pair(kind: KeyPairType, seed: u8) -> KeyPair {
    KeyPair::new_from_raw(kind, [seed; 32]).unwrap()
}

fn operator_key() -> KeyPair {
    pair(KeyPairType::Operator, 1)
}

fn account_key() -> KeyPair {
    pair(KeyPairType::Account, 2)
}

fn role_key() -> KeyPair {
    pair(KeyPairType::Account, 3)
}

fn user_key() -> KeyPair {
    pair(KeyPairType::User, 4)
}

/// A token of this kind about `subject`, with changes of what every token says.
fn token(kind: &str, subject: &KeyPair, by: &KeyPair, mut nats: Value, outer: Value) -> String {
    nats["type"] = kind.into();
    nats["version"] = 2.into();
    let mut claims: Claims<Value> = Claims {
        subject: subject.public_key(),
        name: "ana".into(),
        nats,
        ..Claims::default()
    };
    let number = |key: &str| outer[key].as_i64().unwrap_or_default();
    (claims.expires_s, claims.not_before_s) = (number("exp"), number("nbf"));
    let issued = outer["iat"].as_u64().unwrap_or(NOW_S);
    sign(&mut claims, by, issued).unwrap()
}

fn unlimited() -> Value {
    json!({"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
        "wildcards": true, "conn": -1, "leaf": -1})
}

fn account(nats: &Value) -> String {
    let mut nats = nats.clone();
    if nats["limits"].is_null() {
        nats["limits"] = unlimited();
    }
    token("account", &account_key(), &operator_key(), nats, json!({}))
}

fn user(nats: Value) -> String {
    user_with(nats, json!({}))
}

fn user_with(mut nats: Value, outer: Value) -> String {
    if nats["subs"].is_null() {
        nats["subs"] = (-1).into();
        nats["data"] = (-1).into();
        nats["payload"] = (-1).into();
    }
    token("user", &user_key(), &account_key(), nats, outer)
}

/// A user that the role's key signed, without terms of its own.
fn user_of_role(nats: Value) -> String {
    let mut nats = nats;
    nats["issuer_account"] = account_key().public_key().into();
    token("user", &user_key(), &role_key(), nats, json!({}))
}

fn options() -> OperatorOptions {
    OperatorOptions {
        operators: Vec::new(),
        trusted_keys: vec![operator_key().public_key()],
        pinned_accounts: None,
        system_account: None,
        default_sentinel: None,
        trusted_proxies: TrustedProxies::default(),
        utc_offset: |zone, _| match zone {
            None => Some(0),
            Some("Europe/Madrid") => Some(3600),
            Some(_) => None,
        },
    }
}

fn operator(account_claims: &Value) -> Operator {
    let operator = Operator::new(options()).unwrap();
    operator
        .add_account(&account(account_claims), NOW_S)
        .unwrap();
    operator
}

fn connect(jwt: &str) -> Connect {
    Connect {
        jwt: Some(jwt.into()),
        sig: Some(BASE64_URL_SAFE_NO_PAD.encode(user_key().sign(NONCE).unwrap())),
        ..Connect::default()
    }
}

fn login(connect: &Connect) -> Login<'_> {
    Login {
        connect,
        nonce: NONCE,
        transport: ConnectionType::Standard,
        peer: Some("10.1.2.3".parse().unwrap()),
        certificate: None,
        now_s: NOW_S,
    }
}

fn decide(operator: &Operator, jwt: &str) -> Result<Identity, Reason> {
    let decided = operator.decide(&login(&connect(jwt)));
    decided.map_err(|denied| denied.reason)
}

#[test]
fn a_user_is_let_in_by_the_chain_of_signatures() {
    let operator = operator(&json!({}));
    let who = decide(
        &operator,
        &user(json!({"payload": 512, "subs": 3, "tags": ["a:b"]})),
    )
    .unwrap();
    assert_eq!(*who.account, *account_key().public_key());
    assert_eq!(who.user, Some(user_key().public_key()));
    assert_eq!(who.issuer_key, Some(account_key().public_key()));
    assert_eq!(who.name_tag.as_deref(), Some("ana"));
    assert_eq!(who.method, Method::Jwt);
    assert_eq!(who.limits.max_payload, Some(512));
    assert_eq!(who.limits.max_subscriptions, Some(3));
    assert!(who.permissions.is_none() && who.expires_s.is_none());
}

#[test]
fn an_account_that_is_not_known_is_asked_for() {
    let operator = Operator::new(options()).unwrap();
    let connect = connect(&user(json!({})));
    let denied = operator.decide(&login(&connect)).unwrap_err();
    let needed = denied.account_needed().unwrap();
    assert_eq!(**needed, *account_key().public_key());
    operator.add_account(&account(&json!({})), NOW_S).unwrap();
    assert!(operator.decide(&login(&connect)).is_ok());
}

#[test]
fn only_trusted_operators_sign_accounts() {
    let operator = Operator::new(options()).unwrap();
    let stranger = pair(KeyPairType::Operator, 9);
    for by in [&stranger, &account_key()] {
        let claims = json!({"limits": unlimited()});
        let forged = token("account", &account_key(), by, claims, json!({}));
        let refused = operator.add_account(&forged, NOW_S).unwrap_err();
        assert_eq!(refused, InvalidToken::NotTrusted);
    }
}

#[test]
fn a_signature_of_another_nonce_or_key_is_none() {
    let operator = operator(&json!({}));
    let jwt = user(json!({}));
    let sig =
        |key: &KeyPair, nonce: &[u8]| Some(BASE64_URL_SAFE_NO_PAD.encode(key.sign(nonce).unwrap()));
    for sig in [
        None,
        Some(String::new()),
        sig(&user_key(), b"replayed"),
        sig(&account_key(), NONCE),
    ] {
        let connect = Connect {
            sig,
            ..connect(&jwt)
        };
        let denied = operator.decide(&login(&connect)).unwrap_err();
        assert_eq!(denied.reason, Reason::WrongSignature);
    }
}

#[test]
fn claims_that_were_changed_are_refused() {
    let operator = operator(&json!({}));
    let jwt = user(json!({}));
    let parts: Vec<_> = jwt.split('.').collect();
    let other = user(json!({"payload": 1, "subs": 1}));
    let others: Vec<_> = other.split('.').collect();
    let swapped = format!("{}.{}.{}", parts[0], others[1], parts[2]);
    assert_eq!(
        decide(&operator, &swapped).unwrap_err(),
        Reason::InvalidJwt(InvalidToken::Signature)
    );
    let none = BASE64_URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"none"}"#);
    assert_eq!(
        decide(&operator, &format!("{none}.{}.", parts[1])).unwrap_err(),
        Reason::InvalidJwt(InvalidToken::Algorithm)
    );
    let account = account(&json!({}));
    assert_eq!(
        decide(&operator, &account).unwrap_err(),
        Reason::InvalidJwt(InvalidToken::Kind("account".into()))
    );
    for text in ["x", "a.b.c", "..", "...."] {
        let refused = decide(&operator, text).unwrap_err();
        assert_eq!(
            refused,
            Reason::InvalidJwt(InvalidToken::Malformed),
            "{text}"
        );
    }
    assert_eq!(decide(&operator, "").unwrap_err(), Reason::NothingPresented);
}

#[test]
fn a_user_of_a_strangers_key_is_refused() {
    let operator = operator(&json!({}));
    let stranger = pair(KeyPairType::Account, 9);
    let claims = json!({"issuer_account": account_key().public_key()});
    let jwt = token("user", &user_key(), &stranger, claims, json!({}));
    assert_eq!(decide(&operator, &jwt).unwrap_err(), Reason::UnknownSigner);
}

#[test]
fn claims_hold_for_their_time() {
    let operator = operator(&json!({}));
    let now = i64::try_from(NOW_S).unwrap();
    let with = |outer| decide(&operator, &user_with(json!({}), outer));
    let who = with(json!({"exp": now + 60})).unwrap();
    assert_eq!(who.expires_s, Some(NOW_S + 60));
    assert_eq!(
        with(json!({"exp": now - 1})).unwrap_err(),
        Reason::InvalidJwt(InvalidToken::Expired)
    );
    assert_eq!(
        with(json!({"nbf": now + 1})).unwrap_err(),
        Reason::InvalidJwt(InvalidToken::NotYet)
    );
    let expiring = token(
        "account",
        &account_key(),
        &operator_key(),
        json!({"limits": unlimited()}),
        json!({"exp": now + 10}),
    );
    operator.add_account(&expiring, NOW_S).unwrap();
    let who = decide(&operator, &user(json!({}))).unwrap();
    assert_eq!(who.account_expires_s, Some(NOW_S + 10));
    let connect = connect(&user(json!({})));
    let later = Login {
        now_s: NOW_S + 11,
        ..login(&connect)
    };
    let denied = operator.decide(&later).unwrap_err();
    let name = account_key().public_key();
    assert_eq!(
        denied.reason,
        Reason::InvalidAccount(name.as_str().into(), InvalidToken::Expired)
    );
    assert_eq!(denied.account_needed().map(|name| &**name), Some(&*name));
}

#[test]
fn what_was_issued_before_a_revocation_is_let_in_no_more() {
    for key in [user_key().public_key(), "*".to_owned()] {
        let operator = operator(&json!({"revocations": {key: NOW_S}}));
        let issued = |at: u64| decide(&operator, &user_with(json!({}), json!({"iat": at})));
        assert_eq!(issued(NOW_S).unwrap_err(), Reason::Revoked);
        assert_eq!(issued(NOW_S - 5).unwrap_err(), Reason::Revoked);
        assert!(issued(NOW_S + 1).is_ok());
    }
}

#[test]
fn a_bearer_token_needs_no_signature_unless_the_account_forbids_it() {
    let bearer = user(json!({"bearer_token": true}));
    let unsigned = Connect {
        sig: None,
        ..connect(&bearer)
    };
    let who = operator(&json!({})).decide(&login(&unsigned)).unwrap();
    assert_eq!(who.method, Method::BearerJwt);
    let mut limits = unlimited();
    limits["disallow_bearer"] = true.into();
    let denied = operator(&json!({"limits": limits}))
        .decide(&login(&unsigned))
        .unwrap_err();
    assert_eq!(denied.reason, Reason::BearerNotAllowed);
}

#[test]
fn users_are_bound_to_places_times_and_ways_to_connect() {
    let operator = operator(&json!({}));
    let with = |claims| decide(&operator, &user(claims));
    assert!(with(json!({"src": ["10.0.0.0/8"]})).is_ok());
    assert!(with(json!({"src": "192.168.0.0/16, 10.1.0.0/16"})).is_ok());
    assert_eq!(
        with(json!({"src": ["192.168.0.0/16"]})).unwrap_err(),
        Reason::Source
    );
    // NOW_S is 08:00:00 in UTC.
    let day = |zone: &str, start: &str, end: &str| {
        with(json!({"times": [{"start": start, "end": end}], "times_location": zone}))
    };
    let who = day("", "07:00:00", "09:00:00").unwrap();
    assert_eq!(who.expires_s, Some(NOW_S + 3600));
    assert_eq!(
        day("", "08:30:00", "09:30:00").unwrap_err(),
        Reason::TimeOfDay
    );
    assert!(day("Europe/Madrid", "08:30:00", "09:30:00").is_ok());
    assert_eq!(
        day("No/Where", "00:00:00", "23:00:00").unwrap_err(),
        Reason::TimeOfDay
    );
    let by = |types: &[&str]| with(json!({"allowed_connection_types": types}));
    assert!(by(&["STANDARD", "PIGEON"]).is_ok());
    for types in [&["PIGEON"][..], &["WEBSOCKET"]] {
        assert_eq!(by(types).unwrap_err(), Reason::ConnectionType("STANDARD"));
    }
    assert_eq!(
        with(json!({"proxy_required": true})).unwrap_err(),
        Reason::ProxyRequired
    );
}

#[test]
fn permissions_are_the_users_or_the_accounts_by_default() {
    let operator = operator(&json!({"default_permissions": {"pub": {"deny": ["secret"]}}}));
    let own = user(json!({"pub": {"allow": ["a"]}, "resp": {"max": -1, "ttl": -1}}));
    let permissions = decide(&operator, &own).unwrap().permissions.unwrap();
    assert!(permissions.may_publish(b"a") && !permissions.may_publish(b"b"));
    let responses = permissions.responses().unwrap();
    assert_eq!((responses.max, responses.expires.is_zero()), (-1, true));
    let permissions = decide(&operator, &user(json!({}))).unwrap().permissions;
    let permissions = permissions.unwrap();
    assert!(permissions.may_publish(b"a") && !permissions.may_publish(b"secret"));
    let nonsense = user(json!({"pub": {"allow": ["a..b"]}}));
    assert!(matches!(
        decide(&operator, &nonsense),
        Err(Reason::InvalidJwt(InvalidToken::Invalid(_)))
    ));
}

fn with_role(template: &Value) -> Operator {
    operator(&json!({
        "tags": ["env:test"],
        "signing_keys": [{
            "kind": "user_scope", "key": role_key().public_key(), "role": "r", "template": template,
        }],
    }))
}

#[test]
fn a_role_says_what_its_users_may_do() {
    let operator = with_role(&json!({
        "pub": {"allow": [
            "u.{{name()}}.{{subject()}}", "{{account-tag(env)}}.{{tag(team)}}.{{tag(room)}}", "plain",
        ]},
        "sub": {"deny": ["no.{{ tag(team) }}"]},
        "payload": 9,
    }));
    let jwt = user_of_role(json!({"tags": ["team:x", "team:y", "room:1", "room:2"]}));
    let who = decide(&operator, &jwt).unwrap();
    let spec = who.permissions.as_deref().unwrap().spec();
    let mut allowed = spec.publish.allow.clone().unwrap();
    allowed.sort();
    let named = format!("u.ana.{}", user_key().public_key());
    assert_eq!(
        allowed,
        [
            "plain", "test.x.1", "test.x.2", "test.y.1", "test.y.2", &named
        ]
    );
    assert_eq!(spec.subscribe.deny, ["no.x", "no.y"]);
    assert_eq!(who.limits.max_payload, Some(9));
    assert_eq!(who.limits.max_subscriptions, None);
}

#[test]
fn templates_without_values_allow_nothing_and_deny_strictly() {
    let blank = user_of_role(json!({}));
    let allow = with_role(&json!({"pub": {"allow": ["a.{{tag(x)}}"]}}));
    let permissions = decide(&allow, &blank).unwrap().permissions.unwrap();
    assert!(!permissions.may_publish(b"a.b") && !permissions.may_publish(b"other"));
    for template in [
        json!({"pub": {"deny": ["a.{{tag(x)}}"]}}),
        json!({"pub": {"allow": ["{{nothing()}}"]}}),
    ] {
        assert!(matches!(
            decide(&with_role(&template), &blank),
            Err(Reason::InvalidJwt(InvalidToken::Invalid(_)))
        ));
    }
    let spaced = user_of_role(json!({"tags": ["x:a b"]}));
    let queue = with_role(&json!({"sub": {"allow": ["a.{{tag(x)}}"]}}));
    let permissions = decide(&queue, &spaced).unwrap().permissions.unwrap();
    assert_eq!(permissions.spec().subscribe.deny, [">"]);
}

#[test]
fn templates_that_multiply_are_stopped() {
    let tags: Vec<_> = (0..20).map(|number| format!("t:{number}")).collect();
    let jwt = user_of_role(json!({"tags": tags}));
    let rule = "{{tag(t)}}.{{ tag(t)}}.{{tag(t) }}.{{ tag(t) }}";
    let operator = with_role(&json!({"pub": {"allow": [rule]}}));
    assert!(matches!(
        decide(&operator, &jwt),
        Err(Reason::InvalidJwt(InvalidToken::Invalid(_)))
    ));
}

#[test]
fn users_of_a_role_have_no_terms_of_their_own() {
    let operator = with_role(&json!({}));
    for own in [
        json!({"bearer_token": true}),
        json!({"pub": {"allow": [">"]}}),
    ] {
        let refused = decide(&operator, &user_of_role(own)).unwrap_err();
        assert_eq!(refused, Reason::RoleAndOwnTerms);
    }
}

#[test]
fn only_pinned_accounts_are_served() {
    let stranger = pair(KeyPairType::Account, 9).public_key();
    let pinned = |accounts: Vec<String>, system_account| {
        let operator = Operator::new(OperatorOptions {
            pinned_accounts: Some(accounts),
            system_account,
            ..options()
        });
        let operator = operator.unwrap();
        operator.add_account(&account(&json!({})), NOW_S).unwrap();
        decide(&operator, &user(json!({})))
    };
    let own = account_key().public_key();
    assert!(pinned(vec![own.clone()], None).is_ok());
    assert!(pinned(vec![stranger.clone()], Some(own)).is_ok());
    assert_eq!(
        pinned(vec![stranger], None).unwrap_err(),
        Reason::AccountNotServed
    );
}

#[test]
fn the_sentinel_is_for_those_who_bring_no_claims() {
    let sentinel = user(json!({"bearer_token": true}));
    let operator = Operator::new(OperatorOptions {
        default_sentinel: Some(sentinel),
        ..options()
    });
    let operator = operator.unwrap();
    operator.add_account(&account(&json!({})), NOW_S).unwrap();
    let who = operator.decide(&login(&Connect::default())).unwrap();
    assert_eq!(who.method, Method::BearerJwt);
    let signs = Operator::new(OperatorOptions {
        default_sentinel: Some(user(json!({}))),
        ..options()
    });
    assert_eq!(signs.unwrap_err(), InvalidOperator::SentinelSigns);
}

#[test]
fn older_claims_do_not_replace_newer_ones() {
    let operator = operator(&json!({}));
    let older = token(
        "account",
        &account_key(),
        &operator_key(),
        json!({"limits": unlimited(), "tags": ["old"]}),
        json!({"iat": NOW_S - 10}),
    );
    let kept = operator.add_account(&older, NOW_S).unwrap();
    assert!(kept.nats.tags.is_empty());
}

#[test]
fn a_private_export_needs_an_activation_for_this_importer() {
    let importer = pair(KeyPairType::Account, 8);
    let exporter: Claims<AccountClaims> = Claims::decode_account(&account(&json!({
        "exports": [
            {"subject": "private.>", "type": "stream", "token_req": true},
            {"subject": "own.*", "type": "service", "account_token_position": 2},
            {"subject": "open", "type": "service"},
        ],
    })))
    .unwrap();
    let import = |kind: &str, subject: &str, token: String| crate::jwt::ImportClaims {
        subject: subject.into(),
        account: account_key().public_key(),
        r#type: kind.into(),
        token,
        ..crate::jwt::ImportClaims::default()
    };
    let name = importer.public_key();
    let may = |import: &crate::jwt::ImportClaims| exporter.export_for(&name, import, NOW_S).is_ok();
    assert!(may(&import("service", "open", String::new())));
    assert!(!may(&import("stream", "open", String::new())));
    assert!(may(&import(
        "service",
        &format!("own.{name}"),
        String::new()
    )));
    assert!(!may(&import("service", "own.other", String::new())));
    let activation = |subject: &str, by: &KeyPair, about: &KeyPair| {
        let claims = json!({"subject": subject, "kind": "stream"});
        token("activation", about, by, claims, json!({}))
    };
    let with = |token| may(&import("stream", "private.a", token));
    assert!(with(activation("private.>", &account_key(), &importer)));
    assert!(!with(String::new()));
    assert!(!with(activation("private.b", &account_key(), &importer)));
    assert!(!with(activation("private.>", &importer, &importer)));
    assert!(!with(activation(
        "private.>",
        &account_key(),
        &account_key()
    )));
}

#[test]
fn no_letter_of_a_token_can_be_changed() {
    let good = user(json!({"tags": ["a:b"]}));
    assert!(Claims::<UserClaims>::decode_user(&good).is_ok());
    for at in 0..good.len() {
        for other in ["A", "B", ".", "="] {
            let mut changed = good.clone();
            changed.replace_range(at..=at, other);
            let accepted = changed != good && Claims::<UserClaims>::decode_user(&changed).is_ok();
            assert!(!accepted, "letter {at} as {other}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn nonsense_is_refused_and_no_more(text in ".{0,200}", parts in "[A-Za-z0-9_.-]{0,200}") {
        for text in [&text, &parts] {
            proptest::prop_assert!(Claims::<UserClaims>::decode_user(text).is_err());
            proptest::prop_assert!(Claims::<AccountClaims>::decode_account(text).is_err());
            proptest::prop_assert!(Claims::<OperatorClaims>::decode_operator(text).is_err());
        }
    }
}
