//! `recado request` and `recado reply`, two programs that talk.

use nix::sys::signal::Signal;
use recado_conformance::ServerProcess;

use crate::harness::{Running, recado};

fn responder(url: &str, args: &[&str]) -> Running {
    let responder = recado(url, ["reply"].iter().chain(args)).spawn();
    responder.told("Answering");
    responder
}

#[test]
fn a_request_shows_the_reply_and_its_latency_and_the_responder_shows_the_request() {
    let server = ServerProcess::nats();
    let url = server.url();
    let responder = responder(&url, &["greet", "--echo"]);
    let ended = recado(&url, ["request", "greet", "hola"]).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(String::from_utf8(ended.stdout).unwrap(), "hola\n");
    let words: Vec<&str> = ended.stderr.split_whitespace().collect();
    assert_eq!(
        (&words[..2], words[3]),
        (&["reply", "in"][..], "ms"),
        "{}",
        ended.stderr
    );
    assert!(words[2].parse::<f64>().unwrap() > 0.0);
    let shown = responder.shows("greet: hola → _INBOX.");
    assert!(shown.contains(", answered in "), "{shown}");
    responder.signal(Signal::SIGINT);
    let ended = responder.end();
    assert_eq!(ended.code, Some(0));
    assert!(
        ended.stderr.contains("answered 1 request"),
        "{}",
        ended.stderr
    );
}

#[test]
fn nobody_answering_is_an_error_of_its_own_that_says_how_to_answer() {
    let server = ServerProcess::nats();
    let ended = recado(&server.url(), ["request", "nobody.here", "x"]).run();
    assert_eq!(ended.code, Some(3));
    assert!(
        ended.stderr.contains("nobody answers on \"nobody.here\""),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("recado reply nobody.here --echo"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_responder_that_does_not_answer_in_time_is_told_apart_from_none() {
    let server = ServerProcess::nats();
    let url = server.url();
    let listener = recado(&url, ["sub", "mute"]).spawn();
    listener.told("Listening");
    let ended = recado(&url, ["request", "mute", "x", "--timeout", "100ms"]).run();
    assert_eq!(ended.code, Some(4));
    assert!(
        ended
            .stderr
            .contains("no reply from \"mute\" within 100 ms"),
        "{}",
        ended.stderr
    );
}

#[test]
fn several_requests_are_answered_in_turn_and_summed_up() {
    let server = ServerProcess::nats();
    let url = server.url();
    let _responder = responder(&url, &["count", "--text", "number {{count}}"]);
    let ended = recado(&url, ["ask", "count", "x", "--count", "3"]).run();
    assert_eq!(
        String::from_utf8(ended.stdout).unwrap(),
        "number 1\nnumber 2\nnumber 3\n"
    );
    assert!(ended.stderr.contains("3 replies; min "), "{}", ended.stderr);
    let json = recado(&url, ["ask", "count", "x", "--count", "2", "--json"]).succeed();
    let lines: Vec<&str> = json.lines().collect();
    assert!(lines[0].contains("\"payload\":\"number 4\"") && lines[0].contains("\"latency_ms\":"));
    assert!(
        lines[2].contains("\"replies\":2") && lines[2].contains("\"p99_ms\":"),
        "{json}"
    );
}

#[test]
fn responders_share_the_requests_unless_they_are_told_to_answer_all() {
    let server = ServerProcess::nats();
    let url = server.url();
    let _shared = [1, 2].map(|_| responder(&url, &["who", "--text", "one of us"]));
    let all = [
        "ask",
        "who",
        "x",
        "--replies",
        "0",
        "--timeout",
        "500ms",
        "--raw",
    ];
    assert_eq!(recado(&url, all).succeed(), "one of us");
    let _each = [1, 2].map(|_| responder(&url, &["who", "--text", "me too", "--all"]));
    let mut replies = recado(&url, ["ask", "who", "x", "--replies", "3"]).succeed();
    let mut lines: Vec<&str> = replies.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["me too", "me too", "one of us"]);
    replies.clear();
    let ended = recado(
        &url,
        ["ask", "who", "x", "--replies", "4", "--timeout", "500ms"],
    )
    .run();
    assert_eq!(ended.code, Some(4));
    assert!(
        ended.stderr.contains("3 of 4 replies within 500 ms"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_time_is_answered_and_the_responder_ends_after_its_count() {
    let server = ServerProcess::nats();
    let url = server.url();
    let responder = responder(&url, &["time", "--time", "--count", "1"]);
    let time = recado(&url, ["answer", "--help"]).succeed();
    assert!(time.contains("recado reply"));
    let time = recado(&url, ["request", "time", "", "--raw"]).succeed();
    assert!(
        time.starts_with("20") && time.ends_with('Z') && time.contains('T'),
        "{time}"
    );
    assert_eq!(responder.end().code, Some(0));
    assert_eq!(recado(&url, ["request", "time", ""]).run().code, Some(3));
}

#[test]
fn a_message_without_a_reply_subject_is_shown_but_not_answered() {
    let server = ServerProcess::nats();
    let url = server.url();
    let responder = responder(&url, &["greet", "--echo"]);
    recado(&url, ["pub", "greet", "just so"]).succeed();
    responder.shows("greet: just so (no reply subject: nothing to answer)");
}

#[test]
fn a_service_error_is_an_error_of_its_own() {
    let server = ServerProcess::nats();
    let url = server.url();
    let requests = recado(&url, ["sub", "service", "--json", "--count", "1"]).spawn();
    requests.told("Listening");
    let asking = recado(&url, ["request", "service", "x"]).spawn();
    let request = requests.shows("\"reply\":");
    let reply = request
        .split("\"reply\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let headers = [
        "-H",
        "Nats-Service-Error:no such book",
        "-H",
        "Nats-Service-Error-Code:404",
    ];
    recado(&url, ["pub", reply, ""].into_iter().chain(headers)).succeed();
    let ended = asking.end();
    assert_eq!(ended.code, Some(15), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("404 no such book"),
        "{}",
        ended.stderr
    );
}

#[test]
fn many_replies_take_one_line_each() {
    let server = ServerProcess::nats();
    let url = server.url();
    let _responder = responder(&url, &["greet", "--echo"]);
    let many = recado(&url, ["request", "greet", "hola", "--count", "12"]).run();
    let stdout = String::from_utf8(many.stdout).unwrap();
    assert_eq!(stdout.lines().count(), 12, "{stdout}");
    for line in stdout.lines() {
        assert!(
            line.starts_with("hola (") && line.ends_with(" ms)"),
            "{line}"
        );
    }
    assert_eq!(many.stderr.lines().count(), 1, "{}", many.stderr);
    assert!(
        many.stderr.starts_with("12 replies; min "),
        "{}",
        many.stderr
    );

    let long = recado(&url, ["request", "greet", "one\ntwo", "--count", "11"]).run();
    assert!(long.stdout.starts_with(b"one\ntwo\none\n"), "{long:?}");
    assert_eq!(
        long.stderr.matches("reply in ").count(),
        11,
        "{}",
        long.stderr
    );
}
