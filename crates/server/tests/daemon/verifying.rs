//! `verify` on a store in which a byte changed: what it says, what it leaves alone, what it saves.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::program::{PROGRAM, Running, ask, command, outcome};

const PAYLOADS: [&str; 3] = [
    "the first of three",
    "the second of three",
    "the third of three",
];

fn start(store: &Path) -> (Running, SocketAddr) {
    Running::start(&["--store-dir", store.to_str().unwrap()])
}

fn stop(server: Running) {
    server.signal(Signal::SIGTERM);
    server.ended();
}

fn stored(address: SocketAddr, sequence: u64) -> Value {
    let request = format!("{{\"seq\":{sequence}}}");
    let answer = ask(address, "$JS.API.STREAM.MSG.GET.JOBS", &request);
    serde_json::from_str(&answer).unwrap()
}

/// A server with a store that has the stream JOBS with three messages, all of them acknowledged.
fn filled(store: &Path) -> Running {
    let (server, address) = start(store);
    let stream = r#"{"name":"JOBS","subjects":["jobs.>"],"storage":"file"}"#;
    let made = ask(address, "$JS.API.STREAM.CREATE.JOBS", stream);
    assert!(made.contains("JOBS"), "{made}");
    for payload in PAYLOADS {
        ask(address, "jobs.new", payload);
    }
    server
}

/// A store with the stream JOBS, of whose three messages the second is damaged: and where.
fn damaged(store: &Path) -> (PathBuf, u64) {
    stop(filled(store));
    damage(store, PAYLOADS[1])
}

/// Flips a bit of what is stored: in which file, and where.
fn damage(store: &Path, payload: &str) -> (PathBuf, u64) {
    for entry in fs::read_dir(store).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let mut all = bytes.windows(payload.len());
        if let Some(at) = all.position(|found| found == payload.as_bytes()) {
            bytes[at] ^= 1;
            fs::write(&path, bytes).unwrap();
            return (path, at as u64);
        }
    }
    panic!("it is nowhere");
}

/// All files with what they hold, but for the one that says who has the store.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| !path.ends_with("lock"));
    paths
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

fn verify(store: &Path, arguments: &[&str]) -> (i32, String) {
    let (code, out, said) = outcome(command(PROGRAM).arg("verify").arg(store).args(arguments));
    (code, out + &said)
}

#[test]
fn a_damaged_record_is_named_and_nothing_is_changed() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    let (file, at) = damaged(&store);
    let before = files(&store);
    let file = file.file_name().unwrap().to_str().unwrap();
    for (lang, sequence) in [("en", "sequence 2"), ("es", "secuencia 2")] {
        let (code, said) = verify(&store, &["--lang", lang]);
        assert_eq!(code, 1, "{said}");
        let line = said.lines().next().unwrap();
        for told in ["JOBS", sequence, file] {
            assert!(line.contains(told), "{told}: {said}");
        }
    }
    let (code, said) = verify(&store, &["--json"]);
    assert_eq!(code, 1, "{said}");
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["lost"], 1, "{report}");
    let [finding] = report["findings"].as_array().unwrap().as_slice() else {
        panic!("one finding: {report}");
    };
    assert_eq!(finding["finding"], "lost");
    assert_eq!(
        (&finding["stream"], &finding["sequence"]),
        (&"JOBS".into(), &2.into())
    );
    assert_eq!(finding["file"], file);
    let (offset, bytes) = (
        finding["offset"].as_u64().unwrap(),
        finding["bytes"].as_u64().unwrap(),
    );
    assert!((offset..offset + bytes).contains(&at), "{at}: {finding}");
    assert!(files(&store) == before, "it only looks");
}

#[test]
fn what_is_whole_is_saved_into_a_new_store_and_the_damaged_one_is_served_with_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    damaged(&store);
    let before = files(&store);
    let saved = directory.path().join("saved");
    let (code, said) = verify(&store, &["--salvage", saved.to_str().unwrap()]);
    assert_eq!(code, 1, "what was found is still damage: {said}");
    assert!(said.contains("saved"), "{said}");
    assert!(files(&store) == before, "it only reads");
    let (code, said) = verify(&saved, &[]);
    assert_eq!(code, 0, "{said}");
    for store in [&saved, &store] {
        let (server, address) = start(store);
        assert_eq!(stored(address, 1)["message"]["subject"], "jobs.new");
        assert_eq!(stored(address, 2)["error"]["err_code"], 10037);
        assert_eq!(stored(address, 3)["message"]["subject"], "jobs.new");
        let more = ask(address, "jobs.new", "one more");
        assert!(more.contains("\"seq\":4"), "{more}");
        stop(server);
    }
}

#[test]
fn the_last_message_of_a_server_that_was_killed_is_lost_when_it_is_damaged_and_no_torn_end() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    let server = filled(&store);
    server.signal(Signal::SIGKILL);
    server.ended();
    damage(&store, PAYLOADS[2]);
    let (code, said) = verify(&store, &["--json"]);
    assert_eq!(code, 1, "{said}");
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["findings"][0]["finding"], "lost", "{report}");
    assert_eq!(report["findings"][0]["sequence"], 3, "{report}");
    let (server, address) = start(&store);
    let info = ask(address, "$JS.API.STREAM.INFO.JOBS", "");
    let info: Value = serde_json::from_str(&info).unwrap();
    let state = &info["state"];
    assert_eq!(
        (&state["last_seq"], &state["messages"]),
        (&3.into(), &2.into())
    );
    assert_eq!(state["lost"]["msgs"], Value::from([3]), "{state}");
    stop(server);
}

/// What `verify` writes to a terminal, and how it ended.
fn verify_on_terminal(store: &Path, arguments: &[&str]) -> (i32, String) {
    let (mut terminal, inside) = pty_process::blocking::open().unwrap();
    terminal.resize(pty_process::Size::new(24, 100)).unwrap();
    let mut command = command(PROGRAM);
    command.env("TERM", "xterm").arg("verify").arg(store);
    command.args(arguments);
    let mut child = pty_process::blocking::Command::from(command)
        .spawn(inside)
        .unwrap();
    let mut written = Vec::new();
    // The kernel's way to say that the other side is closed is an error.
    let _ = terminal.read_to_end(&mut written);
    let code = child.wait().unwrap().code().unwrap();
    (code, String::from_utf8(written).unwrap())
}

#[test]
fn a_terminal_shows_how_far_it_is_and_nothing_else_does() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    damaged(&store);
    let saved = directory.path().join("saved");
    let (code, written) = verify_on_terminal(&store, &["--salvage", saved.to_str().unwrap()]);
    assert_eq!(code, 1, "{written:?}");
    for drawn in ["checking", "copying", " % ", "KiB"] {
        assert!(written.contains(drawn), "{drawn}: {written:?}");
    }
    // The bars are taken away before anything is said.
    let (_, said) = written.rsplit_once("\x1b[2K").unwrap();
    assert!(
        said.starts_with("segment-") && !said.contains('%'),
        "{written:?}"
    );
    let (_, written) = verify_on_terminal(&store, &["--lang", "es"]);
    assert!(written.contains("comprobando"), "{written:?}");
    let (code, written) = verify_on_terminal(&store, &["--json"]);
    assert_eq!(code, 1, "{written:?}");
    assert!(
        !written.contains('%') && !written.contains('\x1b'),
        "{written:?}"
    );
    let (_, out, error) = outcome(command(PROGRAM).arg("verify").arg(&store));
    assert!(error.is_empty() && !out.contains('%'), "{out:?} {error:?}");
}
