//! `recado sub --wire`: every frame that crosses the socket, and no secret.

use recado_conformance::{ServerBuilder, ServerProcess};
use serde_json::Value;

use crate::harness::recado;

#[test]
fn each_frame_is_shown_in_its_order_with_its_direction_and_what_it_means() {
    let server = ServerProcess::nats();
    let url = server.url();
    let listener = recado(&url, ["sub", "greet", "--wire", "--count", "1"]).spawn();
    listener.told("Listening on greet");
    recado(&url, ["pub", "greet", "good\x1b[2J day"]).succeed();
    let ended = listener.end();
    let shown = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.code, Some(0), "{shown}");
    let frames = [
        "← INFO {",
        "→ CONNECT {",
        "→ PING\\r\\n",
        "← PONG\\r\\n",
        "→ SUB greet 1\\r\\n",
        "→ UNSUB 1 1\\r\\n",
        "→ PING\\r\\n",
        "← PONG\\r\\n",
        "← MSG greet 1 12\\r\\n",
    ];
    let mut rest = shown.as_str();
    for frame in frames {
        let at = rest.find(frame);
        let at = at.unwrap_or_else(|| panic!("no {frame} where it belongs in:\n{shown}"));
        rest = &rest[at + frame.len()..];
    }
    assert!(rest.contains("good\\u{1b}[2J day"), "{shown}");
    assert!(!shown.contains('\x1b'), "{shown:?}");
}

#[test]
fn as_json_each_frame_is_an_object_with_its_payload() {
    let server = ServerProcess::nats();
    let url = server.url();
    let listener = recado(&url, ["sub", "greet", "--wire", "--json", "-c", "2"]).spawn();
    listener.told("Listening on greet");
    recado(&url, ["pub", "greet", "hello", "-H", "Kind:book"]).succeed();
    recado(&url, ["pub", "greet"]).input([0xff, 0x00]).succeed();
    let ended = listener.end();
    let shown = String::from_utf8(ended.stdout).unwrap();
    let frames: Vec<Value> = shown
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(frames[0]["verb"], "INFO", "{shown}");
    assert_eq!(frames[1]["direction"], "to_server", "{shown}");
    let messages: Vec<&Value> = frames
        .iter()
        .filter(|frame| {
            frame["verb"]
                .as_str()
                .is_some_and(|verb| verb.ends_with("MSG"))
        })
        .collect();
    assert_eq!(messages[0]["payload"], "hello", "{shown}");
    assert_eq!(
        messages[0]["headers"], "NATS/1.0\r\nKind: book\r\n\r\n",
        "{shown}"
    );
    assert_eq!(messages[1]["payload_base64"], "/wA=", "{shown}");
}

#[test]
fn the_token_is_hidden() {
    let server = ServerBuilder::nats().args(["--auth", "S3CRET"]).start();
    let listener = recado(&server.url(), ["sub", "a", "--wire", "--timeout", "300ms"])
        .env("NATS_TOKEN", "S3CRET")
        .run();
    let shown = String::from_utf8(listener.stdout).unwrap();
    assert_eq!(listener.code, Some(4), "{}", listener.stderr);
    assert!(shown.contains("\"auth_token\":\"(hidden)\""), "{shown}");
    assert!(
        !shown.contains("S3CRET") && !listener.stderr.contains("S3CRET"),
        "{shown}"
    );
}

#[test]
fn with_retry_a_broken_connection_is_opened_again_and_shown_again() {
    let mut server = ServerProcess::nats();
    let url = server.url();
    let listener = recado(&url, ["sub", "a", "--wire", "--count", "1", "--retry"]).spawn();
    listener.told("Listening on a");
    server.kill();
    listener.told("Waiting: ");
    server.restart();
    recado(&url, ["request", "a", "x", "--wait", "--timeout", "50ms"]).run();
    let ended = listener.end();
    let shown = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.code, Some(0), "{shown}\n{}", ended.stderr);
    assert_eq!(shown.matches("→ CONNECT {").count(), 2, "{shown}");
}
