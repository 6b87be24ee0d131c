//! `recado wait`: the order in which things are started stops mattering.

use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;
use recado_conformance::{Peer, ServerBuilder, ServerProcess};

use crate::harness::recado;

#[test]
fn it_waits_for_a_server_and_then_becomes_the_command() {
    let mut server = ServerProcess::nats();
    let url = server.url();
    server.kill();
    let script = "echo started as $$; exit 42";
    let waiting = recado(&url, ["wait", "--", "sh", "-c", script]).env("PATH", "/usr/bin:/bin");
    let waiting = waiting.spawn();
    let pid = waiting.pid();
    let told = waiting.told("Waiting: ");
    assert!(told.contains("nothing is listening on "), "{told}");
    server.restart();
    let ended = waiting.end();
    assert_eq!(ended.code, Some(42), "{}", ended.stderr);
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(stdout, format!("started as {pid}\n"), "the same process");
    assert!(
        ended.stderr.contains("is ready, after "),
        "{}",
        ended.stderr
    );
}

#[test]
fn signals_reach_the_command() {
    let server = ServerProcess::nats();
    let script = "trap 'echo told; exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    let running = recado(&server.url(), ["wait", "--quiet", "--", "sh", "-c", script])
        .env("PATH", "/usr/bin:/bin")
        .spawn();
    running.shows("ready");
    running.signal(Signal::SIGTERM);
    running.shows("told");
    let ended = running.end();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(7), ""));
}

#[test]
fn it_waits_for_a_responder_without_making_it_work() {
    let server = ServerProcess::nats();
    let url = server.url();
    let waiting = recado(&url, ["wait", "--responder", "late"]).spawn();
    waiting.told("no service answers on late yet");
    let responder = recado(&url, ["reply", "late", "--echo"]).spawn();
    responder.told("Answering on late");
    let ended = waiting.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("Somebody answers on late"),
        "{}",
        ended.stderr
    );
    responder.signal(Signal::SIGTERM);
    let worked = responder.end();
    assert_eq!(worked.stdout, b"", "no request came: {}", worked.stderr);
}

#[test]
fn a_responder_that_is_no_service_is_found_by_one_empty_request() {
    let server = ServerProcess::nats();
    let waiting = recado(&server.url(), ["wait", "--responder", "plain", "--probe"]).spawn();
    waiting.told("nobody answers on plain yet");
    let mut responder = Peer::plain(&server);
    responder.send("SUB plain 1\r\n");
    let request = responder.message();
    assert_eq!(request.payload, b"");
    let headers = request.headers.expect("the probe says what it is");
    assert!(headers.contains("Recado-Probe: 1"), "{headers}");
    // It need not answer to count.
    assert_eq!(waiting.end().code, Some(0));
    assert_eq!(responder.until_pong(""), "", "it is asked once");
}

#[test]
fn a_wait_that_is_over_ends_with_the_status_of_the_cause() {
    let mut server = ServerProcess::nats();
    let url = server.url();
    for more in [&[][..], &["--probe"]] {
        let line = ["wait", "--responder", "nobody", "--timeout", "300ms"];
        let ended = recado(&url, line.iter().chain(more)).run();
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("Gave up after 300 ms"),
            "{}",
            ended.stderr
        );
    }
    server.kill();
    let ended = recado(&url, ["wait", "--timeout", "300ms", "--", "touch", "/no"]).run();
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
}

#[test]
fn what_no_waiting_mends_ends_it_at_once() {
    let server = ServerBuilder::nats().args(["--auth", "right"]).start();
    let ended = recado(&server.url(), ["wait", "--token", "wrong"]).run();
    assert_eq!(ended.code, Some(9), "{}", ended.stderr);
}

#[test]
fn a_command_that_can_not_be_run_is_named() {
    let server = ServerProcess::nats();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("not-executable");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    for command in ["/no/such/command", path.to_str().unwrap()] {
        let ended = recado(&server.url(), ["wait", "--", command]).run();
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let words = format!("can't run {command}");
        assert!(ended.stderr.contains(&words), "{}", ended.stderr);
    }
}

#[test]
fn with_json_it_says_for_how_long_it_waited() {
    let server = ServerProcess::nats();
    let stdout = recado(&server.url(), ["wait", "--json"]).succeed();
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["server"], server.url());
    assert!(report["waited_ms"].as_f64().unwrap() >= 0.0);
}

#[test]
fn on_a_terminal_one_line_says_what_is_waited_for_and_for_how_long() {
    let mut server = ServerProcess::nats();
    let url = server.url();
    server.kill();
    let waiting = recado(&url, ["wait"]).on_screen(6, 60);
    waiting.shows("Waiting 1 s: nothing is listening on ");
    server.restart();
    let left = waiting.end();
    assert_eq!(left.code, 0, "{left:?}");
    assert!(left.screen.contains("is ready, after "), "{left:?}");
    assert!(
        !left.screen.contains("Waiting"),
        "its line is gone: {left:?}"
    );
}
