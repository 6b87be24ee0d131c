//! What a directory of accounts keeps, and what it refuses.

use std::os::unix::fs::symlink;

use nkeys::{KeyPair, KeyPairType};
use recado_auth::jwt::sign;
use serde_json::{Value, json};

use super::*;

const NOW_S: u64 = 1_800_000_000;

fn key(seed: u8) -> String {
    let pair = KeyPair::new_from_raw(KeyPairType::Account, [seed; 32]).unwrap();
    pair.public_key()
}

fn token(seed: u8, expires_s: i64, name: &str) -> String {
    let operator = KeyPair::new_from_raw(KeyPairType::Operator, [1; 32]).unwrap();
    let mut claims: Claims<Value> = Claims {
        subject: key(seed),
        name: name.into(),
        expires_s,
        nats: json!({"type": "account", "version": 2}),
        ..Claims::default()
    };
    sign(&mut claims, &operator, NOW_S).unwrap()
}

fn open(place: &tempfile::TempDir, options: DirectoryOptions) -> AccountDirectory {
    AccountDirectory::open(&DirectoryOptions {
        path: place.path().join("accounts"),
        ..options
    })
}

fn names(directory: &AccountDirectory) -> Vec<String> {
    let files = fs::read_dir(&directory.options.path).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_kept_is_there_when_the_server_starts_again() {
    let place = tempfile::tempdir().unwrap();
    let directory = open(&place, DirectoryOptions::default());
    let (one, other) = (token(2, 0, "one"), token(2, 0, "other"));
    directory.save(&key(2), &one, NOW_S).unwrap();
    directory.save(&key(2), &other, NOW_S).unwrap();
    directory.save(&key(3), &token(3, 0, "x"), NOW_S).unwrap();
    assert_eq!(directory.load(&key(2), NOW_S).unwrap(), Some(other.clone()));
    let unfinished = format!(".{}{ENDING}{UNFINISHED}", key(4));
    fs::write(directory.options.path.join(unfinished), "half").unwrap();
    let again = open(&place, DirectoryOptions::default());
    let mut read = Vec::new();
    again.read_all(NOW_S, |key, token| {
        read.push((key.to_owned(), token.to_owned()));
        None
    });
    read.sort();
    let mut wanted = [(key(2), other), (key(3), token(3, 0, "x"))];
    wanted.sort();
    assert_eq!(read, wanted);
    assert_eq!(again.hash(), directory.hash());
    assert_ne!(again.hash(), [0; 32]);
    assert_eq!(names(&again).len(), 2, "{:?}", names(&again));
}

#[test]
fn links_lead_nowhere() {
    let place = tempfile::tempdir().unwrap();
    let directory = open(&place, DirectoryOptions::default());
    let outside = place.path().join("outside");
    fs::write(&outside, "secret").unwrap();
    symlink(&outside, directory.file_of(&key(2))).unwrap();
    directory.load(&key(2), NOW_S).unwrap_err();
    let unfinished = format!(".{}{ENDING}{UNFINISHED}", key(2));
    symlink(&outside, directory.options.path.join(unfinished)).unwrap();
    directory.save(&key(2), &token(2, 0, "x"), NOW_S).unwrap();
    assert_eq!(fs::read_to_string(&outside).unwrap(), "secret");
    assert!(directory.load(&key(2), NOW_S).unwrap().is_some());
    for bad in ["../outside", "", "A", "/etc/passwd"] {
        assert_eq!(directory.load(bad, NOW_S).unwrap(), None);
        directory.save(bad, "x", NOW_S).unwrap_err();
    }
}

#[test]
fn no_more_accounts_are_kept_than_may_be() {
    let place = tempfile::tempdir().unwrap();
    let limited = DirectoryOptions {
        limit: Some(2),
        ..DirectoryOptions::default()
    };
    let directory = open(&place, limited.clone());
    for seed in [2, 3] {
        directory
            .save(&key(seed), &token(seed, 0, "x"), NOW_S)
            .unwrap();
    }
    let refused = directory.save(&key(4), &token(4, 0, "x"), NOW_S);
    assert_eq!(refused.unwrap_err().to_string(), "jwt store is full");
    // What is there may change.
    directory.save(&key(3), &token(3, 0, "y"), NOW_S).unwrap();
    // From a cache the one goes that was not needed for longest.
    let place = tempfile::tempdir().unwrap();
    let cache = open(
        &place,
        DirectoryOptions {
            kind: DirectoryKind::Cache,
            ..limited
        },
    );
    for (seed, at_s) in [(2, 0), (3, 1)] {
        cache
            .save(&key(seed), &token(seed, 0, "x"), NOW_S + at_s)
            .unwrap();
    }
    cache.load(&key(2), NOW_S + 2).unwrap();
    cache.save(&key(4), &token(4, 0, "x"), NOW_S + 3).unwrap();
    let mut kept = [key(2), key(4)];
    kept.sort();
    assert_eq!(cache.keys(NOW_S), kept);
}

#[test]
fn what_is_deleted_is_renamed_or_gone() {
    for hard_delete in [false, true] {
        let place = tempfile::tempdir().unwrap();
        let options = DirectoryOptions {
            allow_delete: true,
            hard_delete,
            ..DirectoryOptions::default()
        };
        let directory = open(&place, options);
        directory.save(&key(2), &token(2, 0, "x"), NOW_S).unwrap();
        assert!(directory.delete(&key(2)).unwrap());
        assert!(!directory.delete(&key(2)).unwrap());
        assert_eq!(directory.load(&key(2), NOW_S).unwrap(), None);
        let kept = format!("{}.jwt.deleted", key(2));
        let wanted: &[String] = if hard_delete { &[] } else { &[kept] };
        assert_eq!(names(&directory), wanted);
        assert_eq!(directory.hash(), [0; 32]);
    }
}

#[test]
fn what_is_over_goes() {
    let place = tempfile::tempdir().unwrap();
    let directory = open(&place, DirectoryOptions::default());
    directory.save(&key(2), &token(2, 0, "x"), NOW_S).unwrap();
    let until = i64::try_from(NOW_S).unwrap() + 10;
    directory
        .save(&key(3), &token(3, until, "x"), NOW_S)
        .unwrap();
    directory.tidy(NOW_S + 10);
    assert_eq!(directory.keys(NOW_S).len(), 2);
    assert_eq!(directory.keys(NOW_S + 11), [key(2)]);
    directory.tidy(NOW_S + 11);
    assert_eq!(names(&directory), [format!("{}.jwt", key(2))]);
    let cache = DirectoryOptions {
        kind: DirectoryKind::Cache,
        ttl: Some(std::time::Duration::from_secs(60)),
        ..DirectoryOptions::default()
    };
    let place = tempfile::tempdir().unwrap();
    let cache = open(&place, cache);
    cache.save(&key(2), &token(2, 0, "x"), NOW_S).unwrap();
    cache.load(&key(2), NOW_S + 30).unwrap();
    cache.tidy(NOW_S + 89);
    assert_eq!(cache.keys(NOW_S).len(), 1);
    cache.tidy(NOW_S + 90);
    assert!(names(&cache).is_empty());
}
