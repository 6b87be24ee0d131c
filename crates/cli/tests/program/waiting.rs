//! What happens while the server, or a responder, is not there.

use nix::sys::signal::Signal;
use recado_conformance::ServerProcess;

use crate::harness::recado;

#[test]
fn with_retry_every_command_waits_for_the_server() {
    let mut server = ServerProcess::nats();
    let url = server.url();
    server.kill();
    let publisher = recado(&url, ["pub", "a", "x", "--retry"]).spawn();
    let listener = recado(&url, ["sub", "a", "--retry"]).spawn();
    for waiting in [&publisher, &listener] {
        let told = waiting.told("Waiting: ");
        assert!(told.contains("nothing is listening on "), "{told}");
    }
    server.restart();
    publisher.told("Connected after ");
    listener.told("Listening on a");
    assert_eq!(publisher.end().code, Some(0));
}

#[test]
fn the_deadline_ends_the_waiting_with_the_causes_own_status() {
    let mut server = ServerProcess::nats();
    let url = server.url();
    server.kill();
    let ended = recado(&url, ["ping", "--deadline", "200ms"]).run();
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("Gave up after 200 ms"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_wrong_token_is_not_tried_again() {
    let server = recado_conformance::ServerBuilder::nats()
        .args(["--auth", "right"])
        .start();
    let ended = recado(&server.url(), ["sub", "a", "--token", "wrong", "--retry"]).run();
    assert_eq!(ended.code, Some(9), "{}", ended.stderr);
}

#[test]
fn a_request_waits_for_a_responder_when_told_so() {
    let server = ServerProcess::nats();
    let url = server.url();
    let asking = recado(&url, ["request", "late", "are you there?", "--wait"]).spawn();
    asking.told("Nobody answers on late yet");
    let responder = recado(&url, ["reply", "late", "--text", "now I am"]).spawn();
    responder.told("Answering on late");
    let ended = asking.end();
    assert_eq!(
        (ended.code, ended.stdout.as_slice()),
        (Some(0), b"now I am\n".as_slice())
    );

    responder.signal(Signal::SIGINT);
    assert_eq!(responder.end().code, Some(0));
    let ended = recado(
        &url,
        ["request", "late", "x", "--wait", "--deadline", "300ms"],
    )
    .run();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
}

#[test]
fn a_server_that_dies_and_comes_back_is_told_and_listening_goes_on() {
    let mut server = ServerProcess::nats();
    let url = server.url();
    let listener = recado(&url, ["sub", "a", "--count", "2", "--raw"]).spawn();
    listener.told("Listening on a");
    let responder = recado(&url, ["reply", "b", "--echo"]).spawn();
    responder.told("Answering on b");
    recado(&url, ["pub", "a", "before"]).succeed();
    listener.shows("before");
    server.kill();
    for waiting in [&listener, &responder] {
        waiting.told("broke; trying to get it back");
    }
    server.restart();
    for waiting in [&listener, &responder] {
        waiting.told("again; it was gone for ");
    }
    // The subscription is there again a moment after the connection: asking waits for it.
    let reply = recado(&url, ["request", "b", "still here?", "--wait", "--raw"]).succeed();
    assert_eq!(reply, "still here?");
    recado(
        &url,
        ["request", "a", "after", "--wait", "--timeout", "50ms"],
    )
    .run();
    let ended = listener.end();
    assert_eq!(
        (ended.code, ended.stdout.as_slice()),
        (Some(0), b"before\nafter\n".as_slice())
    );
}

#[test]
fn what_the_gap_cost_is_said_in_both_languages() {
    let said = [
        (
            "en",
            "Answering on",
            "trying to get it back",
            "how much it was can't be known",
            "of ours that waited here meanwhile: 1.",
        ),
        (
            "es",
            "Respond",
            "se intenta recuperarla",
            "no se puede saber cuánto fue",
            "nuestros que esperaron aquí mientras tanto: 1.",
        ),
    ];
    for (language, ready, broken, missed, held) in said {
        let mut server = ServerProcess::nats();
        let url = server.url();
        let folder = tempfile::tempdir().unwrap();
        let gate = folder.path().join("gate");
        nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::S_IRWXU).unwrap();
        // The answer is ready when the test says so, by the pipe.
        let program = format!("echo begun >&2; read x <{}; echo late", gate.display());
        let responder = recado(
            &url,
            [
                "reply", "b", "--lang", language, "--exec", "sh", "-c", &program,
            ],
        )
        .spawn();
        responder.told(ready);
        let asking = recado(&url, ["request", "b", "x", "--wait", "--timeout", "1h"]).spawn();
        responder.told("begun");
        server.kill();
        responder.told(broken);
        std::fs::write(&gate, "go\n").unwrap();
        server.restart();
        responder.told(missed);
        responder.told(held);
        drop(asking);
    }
}

#[test]
fn ctrl_c_ends_whatever_is_waiting() {
    let server = ServerProcess::nats();
    let url = server.url();
    let silent = recado(&url, ["sub", "mute"]).spawn();
    silent.told("Listening");
    let asking = recado(&url, ["request", "mute", "x", "--timeout", "1h"]).spawn();
    silent.shows("mute");
    asking.signal(Signal::SIGINT);
    assert_eq!(asking.end().code, Some(130));
}
