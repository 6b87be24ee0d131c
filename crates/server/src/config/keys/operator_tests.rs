//! Operator mode, with the mistakes that can be made.

use nkeys::{KeyPair, KeyPairType};
use recado_auth::jwt::{Claims, sign};
use serde_json::{Value, json};

use super::tests::{options, read, read_as, refuses, said, warns};
use crate::config::operator::{AccountsUrl, DirectoryKind, DirectoryOptions, ResolverOptions};
use crate::config::options::Personality;
use crate::config::surroundings::Imagined;

fn pair(kind: KeyPairType, seed: u8) -> KeyPair {
    KeyPair::new_from_raw(kind, [seed; 32]).unwrap()
}

fn root() -> KeyPair {
    pair(KeyPairType::Operator, 1)
}

fn account() -> KeyPair {
    pair(KeyPairType::Account, 2)
}

fn token(kind: &str, about: &KeyPair, by: &KeyPair, mut nats: Value) -> String {
    nats["type"] = kind.into();
    nats["version"] = 2.into();
    let mut claims: Claims<Value> = Claims {
        subject: about.public_key(),
        nats,
        ..Claims::default()
    };
    sign(&mut claims, by, 1_800_000_000).unwrap()
}

fn operator() -> String {
    let claims = json!({"system_account": account().public_key()});
    token("operator", &root(), &root(), claims)
}

fn account_token() -> String {
    token("account", &account(), &root(), json!({}))
}

#[test]
fn operator_mode_is_read() {
    let text = format!(
        "operator: {}, resolver: memory, resolver_preload {{ {}: {} }}
         resolver_pinned_accounts: [{}]",
        operator(),
        account().public_key(),
        account_token(),
        account().public_key(),
    );
    let options = options(&text);
    let read = options.operator.as_ref().unwrap();
    assert_eq!(read.operators, [operator()]);
    assert_eq!(read.resolver, ResolverOptions::Memory);
    assert_eq!(read.preload, [(account().public_key(), account_token())]);
    assert_eq!(read.pinned_accounts, Some(vec![account().public_key()]));
    assert_eq!(options.system_account, Some(account().public_key()));
    assert!(options.asks_for_credential());
    assert!(!format!("{options:?}").contains("eyJ"));
}

#[test]
fn an_operators_token_may_be_in_a_file_beside_the_configuration() {
    let decorated = format!(
        "-----BEGIN NATS OPERATOR JWT-----\n{}\n------END NATS OPERATOR JWT------\n",
        operator()
    );
    let machine = Imagined::default().file("etc/op.jwt", &decorated);
    let text = "operator: 'op.jwt', resolver: MEM";
    let (options, findings) = read_as(Personality::Recado, text, &machine).unwrap();
    assert_eq!(findings.errors, []);
    assert_eq!(options.operator.unwrap().operators, [operator()]);
    refuses(
        "operator: 'no.jwt', resolver: MEM",
        "1:11",
        "can't read the JWT",
    );
}

#[test]
fn a_directory_of_accounts_is_read() {
    let resolver = |text: &str| {
        let key = root().public_key();
        let text = format!("trusted_keys: {key}, resolver {{ {text} }}");
        options(&text).operator.unwrap().resolver
    };
    assert_eq!(
        resolver("type: full, dir: '/jwt', allow_delete: true, limit: 7"),
        ResolverOptions::Directory(DirectoryOptions {
            path: "/jwt".into(),
            allow_delete: true,
            limit: Some(7),
            ..DirectoryOptions::default()
        })
    );
    assert_eq!(resolver("type: MEM"), ResolverOptions::Memory);
    let key = root().public_key();
    let refused = |text: &str, part: &str| {
        let text = format!("trusted_keys: {key}, resolver {{ {text} }}");
        let errors = said(&read(&text).1.errors);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(part), "{errors:?}");
    };
    refused("type: full", "\"dir\" is empty");
    refused("type: other, dir: x", "a resolver is MEMORY, URL");
    refused("type: cache, dir: x, allow_delete: true", "of type FULL");
    refused("type: full, dir: x, ttl: \"1h\"", "of type CACHE");
    refused(
        "type: full, dir: x, hard_delete: true",
        "without allow_delete",
    );
    assert_eq!(
        resolver("type: cache, dir: '/jwt', ttl: \"1h\""),
        ResolverOptions::Directory(DirectoryOptions {
            path: "/jwt".into(),
            kind: DirectoryKind::Cache,
            ttl: Some(std::time::Duration::from_secs(3600)),
            ..DirectoryOptions::default()
        })
    );
    warns(
        &format!("trusted_keys: {key}, resolver {{ type: full, dir: x, interval: \"2m\" }}"),
        "alone",
    );
    let patience = |text: &str| match resolver(text) {
        ResolverOptions::Directory(directory) => directory.lookup_timeout,
        other => panic!("{other:?}"),
    };
    let seconds = |number| Some(std::time::Duration::from_secs(number));
    assert_eq!(patience("type: full, dir: x, timeout: \"3s\""), seconds(3));
    assert_eq!(
        patience("type: cache, dir: x, timeout: \"2m\""),
        seconds(60)
    );
    assert_eq!(patience("type: full, dir: x"), None);
}

#[test]
fn a_url_of_accounts_is_read_and_its_password_never_shown() {
    let resolver = |text: &str| {
        let key = root().public_key();
        let text = format!("trusted_keys: {key}, resolver: {text}");
        options(&text).operator.unwrap().resolver
    };
    let url = |text: &str| ResolverOptions::Url(AccountsUrl(text.to_owned()));
    let wanted = "http://h:9090/jwt/v1/accounts/";
    for text in [
        "\"URL(http://h:9090/jwt/v1/accounts/)\"",
        "URL(http://h:9090/jwt/v1/accounts)",
        "'url( \"http://h:9090/jwt/v1/accounts\" )'",
        "\"http://h:9090/jwt/v1/accounts/\"",
    ] {
        assert_eq!(resolver(text), url(wanted), "{text}");
    }
    let secret = format!("{:?}", resolver("\"URL(https://ana:clave@h/a/)\""));
    assert_eq!(secret, "Url(https://[redacted]@h/a/)");
}

#[test]
fn what_is_for_listeners_means_nothing_where_accounts_are_asked_for() {
    let key = root().public_key();
    let with = |resolver: &str, tls: &str| {
        let text = format!("trusted_keys: {key}, resolver: {resolver}, resolver_tls {{ {tls} }}");
        let (options, findings) = read(&text);
        assert_eq!(findings.errors, []);
        let tls = options.operator.unwrap().resolver_tls.unwrap();
        (tls, said(&findings.warnings))
    };
    let url = "\"URL(https://h/)\"";
    let (tls, warnings) = with(url, "ca_file: '/ca.pem'");
    assert_eq!(tls.ca_file, Some("/ca.pem".into()));
    assert_eq!(warnings, [""; 0]);
    let (_, warnings) = with(url, "ca_file: '/ca.pem', verify: true");
    assert!(
        warnings[0].contains("\"verify\" changes nothing"),
        "{warnings:?}"
    );
    let (_, warnings) = with("MEM", "ca_file: '/ca.pem'");
    assert!(warnings[0].contains("\"resolver_tls\" changes nothing"));
}

#[test]
fn an_operator_may_say_where_its_accounts_are() {
    let claims = json!({"account_server_url": "https://h/jwt/v1"});
    let token = token("operator", &root(), &root(), claims);
    let of = |more: &str| {
        options(&format!("operator: {token} {more}"))
            .operator
            .unwrap()
            .resolver
    };
    let url = AccountsUrl("https://h/jwt/v1/accounts/".to_owned());
    assert_eq!(of(""), ResolverOptions::Url(url));
    assert_eq!(of(", resolver: MEM"), ResolverOptions::Memory);
}

#[test]
fn what_does_not_go_with_operators_is_refused() {
    let with = |text: &str| {
        let text = format!("trusted_keys: {}\n{text}", root().public_key());
        said(&read(&text).1.errors)
    };
    for (text, part) in [
        ("", "needs a resolver"),
        ("resolver: MEM, accounts {A {}}", "there are no accounts"),
        (
            "resolver: MEM, authorization {token: t}",
            "there are no users",
        ),
        ("resolver: \"URL(nats://x)\"", "the URL of a resolver is"),
        ("resolver: \"x\"", "a resolver is MEMORY, URL"),
        (
            "resolver: \"URL(http://x)\", resolver_preload {}",
            "does not go with a resolver by URL",
        ),
    ] {
        let errors = with(text);
        assert!(
            errors.iter().any(|error| error.contains(part)),
            "{errors:?}"
        );
    }
    let both = format!("operator: {}, resolver: MEM", operator());
    assert!(with(&both).concat().contains("keep one of the two"));
    refuses("resolver: MEM", "1:1", "goes with an operator");
    refuses("trusted_keys: X, resolver: MEM", "1:15", "it begins with O");
    let other = pair(KeyPairType::Account, 3).public_key();
    let text = format!("operator: {}, resolver: MEM, system: {other}", operator());
    let errors = said(&read(&text).1.errors);
    assert!(
        errors.concat().contains("the operator's system account is"),
        "{errors:?}"
    );
}

#[test]
fn tokens_that_are_not_what_they_should_be_are_refused() {
    let preload = |key: &str, token: &str| {
        let text = format!(
            "trusted_keys: {}, resolver: MEM, resolver_preload {{ {key}: {token} }}",
            root().public_key()
        );
        said(&read(&text).1.errors).concat()
    };
    let key = account().public_key();
    assert!(preload(&key, &operator()).contains("it is of type \"operator\""));
    assert!(preload(&key, "eyJx.y.z").contains("it is not a JWT"));
    let other = pair(KeyPairType::Account, 3).public_key();
    assert!(preload(&other, &account_token()).contains("of another account"));
    let newer = token(
        "operator",
        &root(),
        &root(),
        json!({"assert_server_version": "99.0.0"}),
    );
    refuses(
        &format!("operator: {newer}, resolver: MEM"),
        "1:11",
        "of version 99.0.0 or newer",
    );
    let user = pair(KeyPairType::User, 4);
    let signs = token("user", &user, &account(), json!({}));
    let text = format!(
        "trusted_keys: {}, resolver: MEM, default_sentinel: {signs}",
        root().public_key()
    );
    assert!(
        said(&read(&text).1.errors)
            .concat()
            .contains("must be a bearer token")
    );
}

#[test]
fn accounts_that_operators_sign_may_have_default_domains() {
    let other = pair(KeyPairType::Account, 77).public_key();
    let with = |account: &str| {
        format!(
            "default_js_domain {{{account}: hub}}\noperator: {}, resolver: memory",
            operator()
        )
    };
    let read = options(&with(&other)).default_js_domain;
    assert_eq!(read, [(other, "hub".to_owned())].into());
    refuses(&with("ANY"), "1:25", "ANY");
    refuses(
        &with(&root().public_key()),
        "1:78",
        "an account; it begins with A",
    );
    refuses(&with(&account().public_key()), "1:78", "system's");
}
