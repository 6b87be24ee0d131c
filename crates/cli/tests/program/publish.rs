//! `recado pub`: what was said to be sent has arrived.

use nix::sys::signal::Signal;
use recado_conformance::ServerProcess;

use crate::harness::recado;

#[test]
fn programs_that_publish_one_after_the_other_are_heard_in_that_order() {
    let server = ServerProcess::nats();
    let listener = recado(&server.url(), ["sub", "run", "--count", "50", "--raw"]).spawn();
    listener.told("Listening on run");
    for number in 0..50 {
        recado(&server.url(), ["pub", "run"])
            .input(format!("{number}"))
            .succeed();
    }
    let expected: String = (0..50).map(|number| format!("{number}\n")).collect();
    assert_eq!(String::from_utf8_lossy(&listener.end().stdout), expected);
}

#[test]
fn text_a_file_a_pipe_and_nothing_arrive_byte_for_byte() {
    let server = ServerProcess::nats();
    let url = server.url();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"\x00\xff in a file\r\n").unwrap();
    let listener = recado(&url, ["sub", "in", "--count", "5", "--json"]).spawn();
    listener.told("Listening on in");
    recado(&url, ["pub", "in", "¡hola, qué tal!"]).succeed();
    recado(&url, ["pub", "in", "--file", file.path().to_str().unwrap()]).succeed();
    recado(&url, ["pub", "in"]).input("from a pipe\n").succeed();
    recado(&url, ["pub", "in", "-"])
        .input("from a dash")
        .succeed();
    // Standard input is /dev/null here: an empty message, and no waiting.
    recado(&url, ["pub", "in"]).succeed();
    let stdout = String::from_utf8(listener.end().stdout).unwrap();
    let payloads: Vec<&str> = stdout
        .lines()
        .map(|line| line.split_once("\"payload").expect("each has a payload").1)
        .map(|line| line.split(",\"").next().unwrap())
        .collect();
    assert_eq!(
        payloads,
        [
            "\":\"¡hola, qué tal!\"",
            "_base64\":\"AP8gaW4gYSBmaWxlDQo=\"",
            "\":\"from a pipe\\n\"",
            "\":\"from a dash\"",
            "\":\"\"",
        ]
    );
}

#[test]
fn each_line_is_sent_when_it_is_there_not_when_the_input_ends() {
    let server = ServerProcess::nats();
    let url = server.url();
    let listener = recado(&url, ["sub", "lines", "--count", "3", "--raw"]).spawn();
    listener.told("Listening on lines");
    let mut publisher = recado(&url, ["pub", "lines", "--lines"]).spawn_with_input();
    publisher.types("first\r\n");
    listener.shows("first");
    publisher.types("second\nlast without an end");
    listener.shows("second");
    publisher.closes_input();
    let ended = publisher.end();
    assert_eq!(ended.code, Some(0));
    let report = String::from_utf8(ended.stdout).unwrap();
    assert!(
        report.starts_with("sent to lines: 3 messages, 30 bytes"),
        "{report}"
    );
    assert_eq!(
        listener.end().stdout,
        b"first\nsecond\nlast without an end\n"
    );
}

#[test]
fn headers_a_reply_subject_and_a_count_go_along() {
    let server = ServerProcess::nats();
    let url = server.url();
    let listener = recado(&url, ["sub", "orders.*", "--count", "3", "--json"]).spawn();
    listener.told("Listening on orders.*");
    let args = [
        "pub",
        "orders.new",
        "a book",
        "-H",
        "kind:book",
        "-H",
        "kind: paper",
    ];
    let more = ["--reply", "answers.here", "--count", "3", "--json"];
    let report = recado(&url, args.into_iter().chain(more)).succeed();
    assert!(
        report.contains("\"messages\":3") && report.contains("\"bytes\":18"),
        "{report}"
    );
    let stdout = String::from_utf8(listener.end().stdout).unwrap();
    assert_eq!(stdout.lines().count(), 3);
    for line in stdout.lines() {
        assert!(
            line.contains("\"headers\":{\"kind\":[\"book\",\"paper\"]}"),
            "{line}"
        );
        assert!(line.contains("\"reply\":\"answers.here\""), "{line}");
        assert!(line.contains("\"subject\":\"orders.new\""), "{line}");
    }
}

#[test]
fn a_hundred_thousand_lines_arrive_whole_and_in_order() {
    let server = ServerProcess::nats();
    let url = server.url();
    let lines: String = (0..100_000).map(|number| format!("{number}\n")).collect();
    let listener = recado(&url, ["sub", "flow", "--count", "100000", "--raw"]).spawn();
    listener.told("Listening on flow");
    recado(&url, ["pub", "flow", "--lines"])
        .input(lines.clone())
        .succeed();
    let ended = listener.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stdout == lines.as_bytes(),
        "{} bytes",
        ended.stdout.len()
    );
}

#[test]
fn ctrl_c_while_lines_are_awaited_confirms_what_was_sent() {
    let server = ServerProcess::nats();
    let url = server.url();
    let listener = recado(&url, ["sub", "lines"]).spawn();
    listener.told("Listening on lines");
    let mut publisher = recado(&url, ["pub", "lines", "--lines"]).spawn_with_input();
    publisher.types("only one\n");
    listener.shows("only one");
    publisher.signal(Signal::SIGINT);
    let ended = publisher.end();
    assert_eq!(ended.code, Some(130));
    let report = String::from_utf8(ended.stdout).unwrap();
    assert!(
        report.starts_with("sent to lines: 8 bytes, confirmed"),
        "{report}"
    );
}
