//! What is stored is encrypted: nobody reads it without the key, and no server starts with another.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use crate::program::{PROGRAM, Running, ask, command, outcome};

const WORDS: &str = "words-that-nobody-is-to-read";

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory }
    }

    fn store(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    /// A configuration file with this inside `jetstream { … }`.
    fn config(&self, inside: &str) -> String {
        let path = self.directory.path().join("recado.conf");
        let store = self.store();
        let text = format!("jetstream {{ store_dir: {store:?}, {inside} }}");
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn start(&self, inside: &str) -> (Running, SocketAddr) {
        Running::start(&["-c", &self.config(inside)])
    }

    /// What it says when it is not to start.
    fn refusal(&self, inside: &str, lang: &str) -> String {
        let config = self.config(inside);
        let (code, _, said) =
            outcome(command(PROGRAM).args(["-p", "-1", "--lang", lang, "-c", &config]));
        assert_ne!(code, 0, "{said}");
        said
    }

    fn verify(&self, arguments: &[&str]) -> (i32, String) {
        let mut verify = command(PROGRAM);
        verify.arg("verify").arg(self.store()).args(arguments);
        let (code, out, said) = outcome(&mut verify);
        (code, out + &said)
    }
}

fn store_some(address: SocketAddr) {
    let stream = r#"{"name":"SECRETS","subjects":["hidden.>"],"storage":"file"}"#;
    let made = ask(address, "$JS.API.STREAM.CREATE.SECRETS", stream);
    assert!(made.contains("SECRETS"), "{made}");
    let stored = ask(address, "hidden.subject", WORDS);
    assert!(stored.contains("\"seq\":1"), "{stored}");
}

fn assert_stored(address: SocketAddr) {
    use base64::Engine;
    let found = ask(address, "$JS.API.STREAM.MSG.GET.SECRETS", r#"{"seq":1}"#);
    let data = base64::engine::general_purpose::STANDARD.encode(WORDS);
    assert!(found.contains(&data), "{found}");
}

/// Files below a directory in which these bytes stand.
fn telling(directory: &Path, words: &[&str]) -> Vec<PathBuf> {
    let files = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let tells = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        words.iter().any(|word| {
            bytes
                .windows(word.len())
                .any(|found| found == word.as_bytes())
        })
    };
    files.filter(tells).collect()
}

#[test]
fn what_was_stored_with_a_key_is_there_after_a_kill_and_with_another_key_nothing_starts() {
    let place = Place::new();
    let (server, address) = place.start("key: correct-horse");
    store_some(address);
    server.signal(Signal::SIGKILL);
    server.ended();
    let words = ["hidden.subject", WORDS, "SECRETS", "correct-horse"];
    assert_eq!(telling(&place.store(), &words), [""; 0].map(PathBuf::from));

    let key_file = place.store().join("key");
    let key_file = key_file.to_str().unwrap();
    let said = place.refusal("key: battery-staple", "en");
    assert!(
        said.contains(key_file) && said.contains("prev_key"),
        "{said}"
    );
    let said = place.refusal("key: battery-staple", "es");
    assert!(
        said.contains(key_file) && said.contains("la clave"),
        "{said}"
    );
    assert!(!said.contains("battery"), "{said}");
    let said = place.refusal("strict: true", "en");
    assert!(
        said.contains("is encrypted") && said.contains(key_file),
        "{said}"
    );

    let (server, address) = place.start("key: correct-horse");
    assert_stored(address);
    server.signal(Signal::SIGTERM);
    server.ended();
    let (server, address) = place.start("key: battery-staple, prev_key: correct-horse");
    assert_stored(address);
    server.signal(Signal::SIGTERM);
    server.ended();
    place.refusal("key: correct-horse", "en");
    let (_server, address) = place.start("key: battery-staple, cipher: aes");
    assert_stored(address);
}

#[test]
fn a_plain_store_is_encrypted_while_the_server_runs_and_verify_shows_it() {
    let place = Place::new();
    let (server, address) = place.start("strict: true");
    store_some(address);
    server.signal(Signal::SIGTERM);
    server.ended();
    assert!(!telling(&place.store(), &[WORDS]).is_empty());
    let (mut server, address) = place.start("key: correct-horse");
    server.line("the whole store is encrypted now");
    assert_stored(address);
    server.signal(Signal::SIGTERM);
    server.ended();
    assert!(telling(&place.store(), &[WORDS, "hidden.subject"]).is_empty());

    let (code, said) = place.verify(&[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("not encrypted: 0"), "{said}");
    assert!(said.contains("only the checksums"), "{said}");
    let key = place.directory.path().join("key.txt");
    fs::write(&key, "correct-horse\n").unwrap();
    let key = key.to_str().unwrap();
    let (code, said) = place.verify(&["--key-file", key, "--json"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("\"unread\":0"), "{said}");
    let copy = place.directory.path().join("copy");
    let copy = copy.to_str().unwrap();
    let (code, said) = place.verify(&["--salvage", copy]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("--key-file"), "{said}");
    let (code, said) = place.verify(&["--salvage", copy, "--key-file", key]);
    assert_eq!(code, 0, "{said}");
    assert!(
        !telling(Path::new(copy), &[WORDS]).is_empty(),
        "a plain copy"
    );
    fs::write(key, "battery-staple").unwrap();
    let (code, said) = place.verify(&["--key-file", key]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("the key is not the one"), "{said}");
}

#[test]
fn the_key_is_shown_nowhere() {
    let place = Place::new();
    let config = place.config("key: correct-horse, prev_key: battery-staple");
    let (code, shown, said) = outcome(command(PROGRAM).args(["-c", &config, "explain-config"]));
    assert_eq!(code, 0, "{said}");
    assert!(shown.contains("prev_key"), "{shown}");
    for word in ["horse", "staple"] {
        assert!(!shown.contains(word) && !said.contains(word), "{shown}");
    }
    let (server, address) = Running::start(&["-DV", "-c", &config]);
    store_some(address);
    server.signal(Signal::SIGTERM);
    let (_, lines) = server.ended();
    assert!(lines.len() > 3);
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("horse") || line.contains("staple"))
    );
}
