//! Commands as they are met on a terminal: seen in its colours, ended from its keyboard.

use recado_conformance::{ServerBuilder, ServerProcess};

use crate::harness::recado;
use crate::screen::key;

#[test]
fn ctrl_c_on_the_keyboard_ends_listening_well() {
    let server = ServerProcess::nats();
    let listener = recado(&server.url(), ["sub", "greet"]).on_screen(24, 80);
    listener.shows("Listening on greet");
    recado(&server.url(), ["pub", "greet", "hello"]).succeed();
    listener.shows("greet: hello");
    listener.types(key::CTRL_C);
    let left = listener.end();
    assert_eq!(left.code, 0, "{left:?}");
    assert!(left.screen.contains("received 1 message"), "{left:?}");
    assert!(left.restored, "{left:?}");
}

#[test]
fn a_terminal_gets_colours_unless_it_asks_for_none() {
    let server = ServerProcess::nats();
    let ping = || recado(&server.url(), ["ping", "-c", "1"]);
    let left = ping().on_screen(24, 80).end();
    assert!(left.written.contains("\x1b[2m"), "{left:?}");
    let left = ping().env("NO_COLOR", "1").on_screen(24, 80).end();
    assert!(!left.written.contains('\x1b'), "{left:?}");
}

#[test]
fn a_message_is_typed_on_the_terminal_and_sent_with_ctrl_d() {
    let server = ServerProcess::nats();
    let listener = recado(&server.url(), ["sub", "notes", "--count", "1", "--raw"]).spawn();
    listener.told("Listening on notes");
    let writer = recado(&server.url(), ["pub", "notes"]).on_screen(24, 80);
    writer.shows("Ctrl-D sends it");
    assert!(writer.echoes(), "what is typed is no secret");
    writer.types("typed by hand");
    writer.types(key::ENTER);
    writer.types(key::CTRL_D);
    assert_eq!(writer.end().code, 0);
    assert_eq!(listener.end().stdout, b"typed by hand\n\n");
}

#[test]
fn a_consumer_is_made_by_answering_questions() {
    let server = ServerBuilder::nats().jetstream().start();
    let url = server.url();
    recado(&url, ["stream", "add", "JOBS", "--subjects", "jobs.>"]).succeed();
    let add = || recado(&url, ["consumer", "add", "JOBS"]).on_screen(24, 100);
    let asked = add();
    for (question, answer) in [
        ("Name, or nothing", "worker"),
        ("Only messages on this subject", "jobs.eu.>"),
        ("Where to begin", "new"),
        ("Acknowledging", ""),
        ("Deliveries before", "3"),
    ] {
        asked.shows(question);
        asked.types(answer);
        asked.types(key::ENTER);
    }
    let left = asked.end();
    assert_eq!(left.code, 0, "{left:?}");
    let info = recado(&url, ["consumer", "info", "JOBS", "worker", "--json"]).succeed();
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    let config = &info["config"];
    for (field, value) in [
        ("durable_name", serde_json::json!("worker")),
        ("filter_subject", serde_json::json!("jobs.eu.>")),
        ("deliver_policy", serde_json::json!("new")),
        ("ack_policy", serde_json::json!("explicit")),
        ("max_deliver", serde_json::json!(3)),
    ] {
        assert_eq!(config[field], value, "{field}: {config}");
    }
    let asked = add();
    asked.shows("Name, or nothing");
    asked.types("no good");
    asked.types(key::ENTER);
    let left = asked.end();
    assert_eq!(left.code, 2, "{left:?}");
    assert!(left.screen.contains("no good"), "{left:?}");
}
