//! Accounts that are found in a configuration and in a directory.

use std::fs;

use nkeys::{KeyPair, KeyPairType};
use recado_auth::jwt::sign;
use serde_json::{Value, json};

use super::*;
use crate::config::operator::{DirectoryOptions, OperatorOptions, ResolverOptions};

fn pair(kind: KeyPairType, seed: u8) -> KeyPair {
    KeyPair::new_from_raw(kind, [seed; 32]).unwrap()
}

fn account(seed: u8) -> KeyPair {
    pair(KeyPairType::Account, seed)
}

fn token(about: &KeyPair, by: &KeyPair, mut nats: Value) -> String {
    nats["type"] = "account".into();
    nats["version"] = 2.into();
    if nats["limits"].is_null() {
        nats["limits"] =
            json!({"imports": -1, "exports": -1, "conn": 7, "subs": -1, "wildcards": true});
    }
    let mut claims: Claims<Value> = Claims {
        subject: about.public_key(),
        nats,
        ..Claims::default()
    };
    sign(&mut claims, by, now_s()).unwrap()
}

fn options(preload: Vec<(String, String)>, resolver: ResolverOptions) -> Options {
    Options {
        operator: Some(OperatorOptions {
            trusted_keys: vec![pair(KeyPairType::Operator, 1).public_key()],
            preload,
            resolver,
            ..OperatorOptions::default()
        }),
        ..Options::default()
    }
}

fn preloaded(accounts: &[(&KeyPair, Value)]) -> Vec<AccountOptions> {
    let root = pair(KeyPairType::Operator, 1);
    let preload = accounts
        .iter()
        .map(|(key, nats)| (key.public_key(), token(key, &root, nats.clone())));
    let options = options(preload.collect(), ResolverOptions::Memory);
    read(&options, &Resolver::default(), None)
        .unwrap()
        .unwrap()
        .accounts
}

#[test]
fn an_account_is_as_its_claims_say() {
    let limits = json!({"conn": 7, "subs": -1, "payload": 100, "disk_storage": -1, "streams": 3,
        "imports": -1, "exports": -1, "wildcards": true});
    let found = preloaded(&[(
        &account(2),
        json!({
            "limits": limits,
            "mappings": {"a.*": [{"subject": "b.$1"}], "bad.*": [{"subject": "b.$2"}]},
            "exports": [{"subject": "q", "type": "service", "response_type": "Stream"}],
        }),
    )]);
    let [one] = &found[..] else {
        panic!("one account: {found:?}");
    };
    assert_eq!(one.name, account(2).public_key());
    assert_eq!(one.limits.max_connections, Some(7));
    assert_eq!(one.limits.max_subscriptions, None);
    assert_eq!(one.limits.max_payload, Some(100));
    let streams = one.streams.as_ref().unwrap();
    assert_eq!(
        (streams.max_store_bytes, streams.max_streams),
        (None, Some(3))
    );
    assert_eq!(streams.max_memory_bytes, Some(0));
    assert_eq!(one.exports[0].response_type, ResponseType::Stream);
    // What does not fit is left out, so that the others are served.
    assert_eq!(one.mappings.len(), 1);
    assert_eq!(one.mappings[0].destinations[0].weight_percent, 100);
}

#[test]
fn imports_are_those_that_the_exporter_lets() {
    let (exporter, importer) = (account(2), account(3));
    let of = |subject: &str, kind: &str, more: Value| {
        let mut import =
            json!({"account": exporter.public_key(), "subject": subject, "type": kind});
        for (key, value) in more.as_object().into_iter().flatten() {
            import[key] = value.clone();
        }
        import
    };
    let found = preloaded(&[
        (
            &exporter,
            json!({"exports": [
                {"subject": "s.>", "type": "stream"},
                {"subject": "q", "type": "service"},
                {"subject": "private", "type": "stream", "token_req": true},
            ]}),
        ),
        (
            &importer,
            json!({"imports": [
                of("s.>", "stream", json!({"to": "in"})),
                of("ask", "service", json!({"to": "q"})),
                of("q", "service", json!({"local_subject": "ask.too"})),
                of("private", "stream", json!({})),
                of("unknown", "stream", json!({})),
            ]}),
        ),
    ]);
    let importer = found
        .iter()
        .find(|one| one.name == importer.public_key())
        .unwrap();
    let imports: Vec<_> = importer
        .imports
        .iter()
        .map(|one| (one.subject.clone(), one.local()))
        .collect();
    let pair = |theirs: &str, ours: &str| (theirs.to_owned(), ours.to_owned());
    assert_eq!(
        imports,
        [
            pair("s.>", "in.s.>"),
            pair("q", "ask"),
            pair("q", "ask.too")
        ]
    );
    let idle = importer.idle_imports.iter();
    let idle: Vec<_> = idle
        .map(|(one, why)| (one.subject.as_str(), *why))
        .collect();
    assert_eq!(
        idle,
        [
            ("private", NotImported::NoActivation),
            ("unknown", NotImported::NotExported)
        ]
    );
}

#[test]
fn an_import_holds_as_long_as_its_activation_does() {
    let (exporter, importer) = (account(2), account(3));
    let root = pair(KeyPairType::Operator, 1);
    let issued_s = 1_700_000_000;
    let mut activation: Claims<Value> = Claims {
        subject: importer.public_key(),
        not_before_s: issued_s + 100,
        expires_s: issued_s + 200,
        nats: json!({"subject": "private", "kind": "stream", "type": "activation", "version": 2}),
        ..Claims::default()
    };
    let activation = sign(&mut activation, &exporter, u64::try_from(issued_s).unwrap()).unwrap();
    let import = json!({"account": exporter.public_key(), "subject": "private", "type": "stream",
        "token": activation});
    let export = json!({"subject": "private", "type": "stream", "token_req": true});
    let claims = |key: &KeyPair, nats| {
        Claims::<AccountClaims>::decode_account(&token(key, &root, nats)).unwrap()
    };
    let exporting = Arc::new(claims(&exporter, json!({"exports": [export]})));
    let importing = claims(&importer, json!({"imports": [import]}));
    let find = |name: &str| (name == exporter.public_key()).then(|| Arc::clone(&exporting));
    let at = |later_s: u64| {
        let read = as_options(&importing, &find, 1_700_000_000 + later_s);
        let why = read.idle_imports.first().map(|(_, why)| *why);
        let turn = read.imports_turn_s.map(|at_s| at_s - 1_700_000_000);
        (read.imports.len(), why, turn)
    };
    assert_eq!(at(99), (0, Some(NotImported::ActivationNotYet), Some(100)));
    assert_eq!(at(100), (1, None, Some(201)));
    assert_eq!(at(200), (1, None, Some(201)));
    assert_eq!(at(201), (0, Some(NotImported::ActivationOver), None));
}

#[test]
fn a_directory_is_searched_for_accounts_and_for_nothing_else() {
    let root = pair(KeyPairType::Operator, 1);
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        fs::write(directory.path().join(name), text).unwrap();
    };
    let (good, forged, moved) = (account(2), account(3), account(4));
    let named = |key: &KeyPair| format!("{}.jwt", key.public_key());
    write(&named(&good), &token(&good, &root, json!({})));
    let stranger = pair(KeyPairType::Operator, 9);
    write(&named(&forged), &token(&forged, &stranger, json!({})));
    write(&named(&moved), &token(&account(5), &root, json!({})));
    write("notes.txt", "x");
    write(&format!("{}.delete", named(&account(6))), "x");
    let link = directory.path().join(named(&account(7)));
    std::os::unix::fs::symlink(directory.path().join(named(&good)), link).unwrap();
    let resolver = ResolverOptions::Directory(DirectoryOptions {
        path: directory.path().to_owned(),
        ..DirectoryOptions::default()
    });
    let options = options(Vec::new(), resolver);
    let opened = Resolver::open(&options).unwrap();
    let signed = read(&options, &opened, None).unwrap().unwrap();
    let names: Vec<_> = signed.accounts.iter().map(|one| one.name.clone()).collect();
    assert_eq!(names, [good.public_key()]);
    assert!(signed.operator.account(&account(5).public_key()).is_none());
}

#[test]
fn zones_have_offsets() {
    // 2027-01-15 08:00:00 UTC.
    assert_eq!(utc_offset(Some("Europe/Madrid"), 1_800_000_000), Some(3600));
    assert_eq!(utc_offset(Some("No/Where"), 1_800_000_000), None);
    assert!(utc_offset(None, 1_800_000_000).is_some());
}
