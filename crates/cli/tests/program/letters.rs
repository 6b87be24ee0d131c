//! Streams saved and restored; dead letters listed and sent once more.

use tempfile::TempDir;

use crate::harness::recado;
use crate::stored::{Store, store};

#[test]
fn a_stream_is_restored_with_its_messages_and_consumers() {
    let store = store!();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("backup");
    let path = path.to_str().unwrap();
    store.run("stream add S --subjects a.> --description kept");
    let lines: String = (0..2000)
        .map(|n| format!("{n}{}\n", "x".repeat(200)))
        .collect();
    recado(&store.url(), ["pub", "a.x", "--lines", "--ack"])
        .input(lines)
        .succeed();
    store.run("consumer add S c");
    store.run("consumer next S c --count 3");
    let saved = &store.json(&format!("stream backup S {path}"))[0];
    assert_eq!(saved["messages"], 2000);
    let kept = std::fs::read(format!("{path}/backup.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(kept["config"]["description"], "kept");
    assert_eq!(kept["state"]["messages"], 2000);
    store.fails(&format!("stream backup S {path}"), 2);
    store.fails(&format!("stream restore {path}"), 20);
    let before = store.run("stream view S 3 --json");
    store.run("stream rm S --yes");
    store.run(&format!("stream restore {path}"));
    assert_eq!(store.run("stream view S 3 --json"), before);
    let info = &store.json("consumer info S c")[0];
    assert_eq!(info["ack_floor"]["stream_seq"], 3);

    let nothing = store.fails("stream restore /no/such/folder", 1);
    assert!(
        nothing.stderr.contains("holds no backup"),
        "{}",
        nothing.stderr
    );
    let none = folder.path().join("none");
    store.fails(&format!("stream backup NOPE {}", none.display()), 19);
    assert_eq!(
        std::fs::read_dir(&none).unwrap().count(),
        0,
        "nothing is left"
    );
}

/// Two letters as recado-server leaves them.
fn with_letters() -> Option<Store> {
    let store = Store::start()?;
    store.run("stream add JOBS --subjects jobs.* --dead-letter FAILED");
    let config = &store.json("stream info JOBS")[0]["config"];
    assert_eq!(config["metadata"]["recado.dead_letter"], "FAILED");
    for number in [1, 2] {
        let headers = format!(
            "-H Recado-Dead-Reason:terminated -H Recado-Dead-Detail:broken -H Recado-Dead-Stream:JOBS \
             -H Recado-Dead-Consumer:c1 -H Recado-Dead-Subject:jobs.a -H Recado-Dead-Sequence:{number} \
             -H Recado-Dead-Deliveries:3 -H kind:book"
        );
        store.run(&format!("pub DLQ.JOBS.c1 job-{number} --ack {headers}"));
    }
    Some(store)
}

#[test]
fn dead_letters_are_listed_with_the_reason() {
    let Some(store) = with_letters() else {
        return;
    };
    let table = store.run("stream dead-letters JOBS");
    assert!(
        table.contains("given up: broken") && table.contains("JOBS/c1"),
        "{table}"
    );
    let letters = store.json("stream dead-letters FAILED");
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[1]["dead"]["sequence"], 2);
    assert_eq!(letters[1]["payload"], "job-2");
    store.run("stream add OTHER --subjects other");
    let none = store.fails("stream dead-letters OTHER", 2);
    assert!(none.stderr.contains("--dead-letter"), "{}", none.stderr);
    // A second stream may leave its letters in the same place.
    store.run("stream edit OTHER --dead-letter FAILED --yes");
    let subjects = &store.json("stream info FAILED")[0]["config"]["subjects"];
    assert_eq!(*subjects, serde_json::json!(["DLQ.JOBS.>", "DLQ.OTHER.>"]));
}

#[test]
fn a_replay_takes_a_letter_off_the_list_when_it_is_stored() {
    let Some(store) = with_letters() else {
        return;
    };
    store.fails("stream replay FAILED", 2);
    store.fails("stream replay FAILED --seq 9", 19);
    // Nobody stores that: it stays.
    store.fails("stream replay FAILED --seq 1 --to nowhere", 3);
    let one = &store.json("stream replay FAILED --seq 1")[0];
    assert_eq!(
        (&one["subject"], &one["stream"]),
        (&"jobs.a".into(), &"JOBS".into())
    );
    assert_eq!(store.json("stream dead-letters FAILED").len(), 1);
    let back = &store.json("stream view JOBS 1")[0];
    assert_eq!(back["payload"], "job-1");
    assert_eq!(back["headers"]["kind"][0], "book");
    assert!(
        back["headers"].get("Recado-Dead-Reason").is_none(),
        "{back}"
    );
    // It has the same id at every attempt, so a second one does not double it.
    assert_eq!(back["headers"]["Nats-Msg-Id"][0], "recado-replay.FAILED.1");

    store.fails("stream replay FAILED --all", 2);
    store.run("stream replay FAILED --all --to jobs.again --yes");
    assert_eq!(store.json("stream dead-letters FAILED").len(), 0);
    assert_eq!(
        store.run("stream get JOBS --last-for jobs.again --raw"),
        "job-2\n"
    );
}
