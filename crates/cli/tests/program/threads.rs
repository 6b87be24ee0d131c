//! `recado reply --threads`: built-in answers on threads of the operating system; and what else
//! is built in.

use std::collections::BTreeSet;

use recado_conformance::ServerProcess;

use crate::harness::recado;
use crate::processes::responder;

#[test]
fn the_answers_come_from_threads_that_the_kernel_knows() {
    let server = ServerProcess::nats();
    let url = server.url();
    let responder = responder(&url, &["t", "--threads", "3", "--echo", "--json"]);
    for _ in 0..3 {
        assert_eq!(
            recado(&url, ["request", "t", "hola", "--raw"]).succeed(),
            "hola"
        );
    }
    let tasks = std::fs::read_dir(format!("/proc/{}/task", responder.pid())).unwrap();
    let mut theirs = BTreeSet::new();
    for task in tasks {
        let path = task.unwrap().path();
        let name = std::fs::read_to_string(path.join("comm")).unwrap();
        if name.starts_with("answer-") {
            theirs.insert(
                path.file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .parse::<u64>()
                    .unwrap(),
            );
        }
    }
    assert_eq!(theirs.len(), 3);
    responder.signal(nix::sys::signal::Signal::SIGINT);
    let shown = String::from_utf8(responder.end().stdout).unwrap();
    let by: BTreeSet<u64> = shown
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["thread"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(by, theirs, "each answered one of three requests in turn");
}

#[test]
fn an_answer_may_be_a_file_or_standard_input_and_carry_headers() {
    let server = ServerProcess::nats();
    let url = server.url();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"from a file").unwrap();
    let path = file.path().to_str().unwrap();
    let _file = responder(&url, &["file", "--file", path, "-H", "Kind: page"]);
    let answer = recado(&url, ["request", "file", "x"]).succeed();
    assert_eq!(answer, "from a file\n    Kind: page\n");
    let mut piped = recado(&url, ["reply", "piped", "--file", "-", "--raw"]).spawn_with_input();
    piped.types("from a pipe");
    piped.closes_input();
    piped.told("Answering on piped");
    assert_eq!(
        recado(&url, ["request", "piped", "asked", "--raw"]).succeed(),
        "from a pipe"
    );
    assert_eq!(piped.shows("asked"), "asked");
}

#[test]
fn each_line_of_standard_input_can_be_a_request() {
    let server = ServerProcess::nats();
    let url = server.url();
    let _responder = responder(&url, &["lines", "--threads", "2", "--text", "{{count}}"]);
    let mut asking = recado(&url, ["request", "lines", "--lines", "--json"]).spawn_with_input();
    asking.types("one\n");
    // Answered before more is typed.
    asking.shows("\"payload\":\"1\"");
    asking.types("two\nthree");
    asking.closes_input();
    let ended = asking.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let shown = String::from_utf8(ended.stdout).unwrap();
    assert!(
        shown.contains("\"payload\":\"3\"") && shown.contains("\"replies\":3"),
        "{shown}"
    );
}

#[test]
fn flags_that_make_no_sense_together_are_refused() {
    for args in [
        &["--echo", "--time"][..],
        &["--pool", "2", "--echo"],
        &["--threads", "2", "--exec", "cat"],
        &["--threads", "0", "--echo"],
        &["--pool", "2", "--concurrency", "2", "--exec", "cat"],
        &["--answer-deadline", "1s", "--echo"],
        &["--waiting", "1", "--echo"],
        &["--service", "a b", "--echo"],
        &[],
    ] {
        let ended = recado("nats://127.0.0.1:1", ["reply", "x"].iter().chain(args)).run();
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
    }
}
