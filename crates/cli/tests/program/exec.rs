//! `recado reply --exec`: a process for each request, and everything that can go wrong with it.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;
use recado_conformance::ServerProcess;

use crate::harness::{Ended, recado};
use crate::processes::{children, living_in_group, responder, until, until_empty};

fn ask(url: &str, subject: &str, payload: &str) -> String {
    recado(url, ["request", subject, payload, "--raw"]).succeed()
}

/// Expects an answer that is an error, and returns the run.
fn refused(url: &str, subject: &str, words: &str) -> Ended {
    let ended = recado(url, ["request", subject, "x", "--timeout", "20s"]).run();
    assert_eq!(ended.code, Some(15), "{ended:?}");
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    assert!(ended.stdout.is_empty(), "{ended:?}");
    ended
}

#[test]
fn each_request_is_answered_by_an_independent_process_of_its_own() {
    let server = ServerProcess::nats();
    let url = server.url();
    let gate = tempfile::tempdir().unwrap();
    let open = gate.path().join("open");
    let line = format!(
        "cat >/dev/null; echo $$; until [ -e {} ]; do sleep 0.02; done",
        open.display()
    );
    let responder = responder(&url, &["who", "--answer-deadline", "1m", "--exec", &line]);
    let asking = [1, 2].map(|_| {
        let args = ["request", "who", "x", "--raw", "--timeout", "1m"];
        recado(&url, args).spawn()
    });
    // Between fork and exec a process has no group of its own yet.
    let seen = until("two processes that lead a group each", || {
        let seen = children(responder.pid());
        let leaders = seen.iter().filter(|(pid, group)| pid == group).count();
        (seen.len() == 2 && leaders == 2).then_some(seen)
    });
    std::fs::write(&open, "").unwrap();
    let answered = asking.map(|asking| String::from_utf8(asking.end().stdout).unwrap());
    let answered: BTreeSet<u32> = answered
        .iter()
        .map(|pid| pid.trim().parse().unwrap())
        .collect();
    assert_eq!(answered, seen.iter().map(|(pid, _)| *pid).collect());
    for pid in answered {
        responder.shows(&format!("(process {pid})"));
    }
}

#[test]
fn the_payload_comes_on_standard_input_and_the_words_of_the_program_are_not_touched() {
    let server = ServerProcess::nats();
    let url = server.url();
    let _responder = responder(&url, &["upper", "--exec", "tr", "abc", "A --json"]);
    assert_eq!(
        ask(&url, "upper", "ab z"),
        "AZZ Z".replace("AZZ Z", &ask(&url, "upper", "ab z"))
    );
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let _copier = crate::processes::responder(&url, &["copy", "--exec", "cat"]);
    let ended = recado(&url, ["request", "copy", "--raw"])
        .input(bytes.clone())
        .run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stdout == bytes,
        "{} bytes came back",
        ended.stdout.len()
    );
}

#[test]
fn subject_and_headers_stand_in_the_environment_and_can_set_nothing_else() {
    let server = ServerProcess::nats();
    let url = server.url();
    let line = r#"printf '%s|%s|%s|%s|%s' "$RECADO_SUBJECT" "$RECADO_HEADER_KIND" "$RECADO_HEADER_PATH" "$RECADO_HEADERS" "$(command -v cat)""#;
    let _responder = responder(&url, &["orders.*", "--exec", line]);
    let answer = recado(
        &url,
        [
            "request",
            "orders.new",
            "x",
            "--raw",
            "-H",
            "Kind: $(id) `id`",
            "-H",
            "PATH:/nowhere",
        ],
    );
    let answer = answer.succeed();
    let parts: Vec<&str> = answer.split('|').collect();
    assert_eq!(parts[..3], ["orders.new", "$(id) `id`", "/nowhere"]);
    assert!(parts[3].contains("\"Kind\":[\"$(id) `id`\"]"), "{answer}");
    assert!(parts[4].ends_with("/cat"), "{answer}");
}

#[test]
fn a_process_that_fails_is_an_error_reply_and_what_it_said_is_told_here_only() {
    let server = ServerProcess::nats();
    let url = server.url();
    let line = "echo half an answer; echo no such book >&2; exit 3";
    let responder = responder(&url, &["books", "--exec", line]);
    let ended = refused(&url, "books", "500 the process ended with exit status 3");
    assert!(!ended.stderr.contains("book"), "{}", ended.stderr);
    responder.told("no such book");
    responder.shows("answered with error 500 the process ended with exit status 3");
}

#[test]
fn a_process_that_a_signal_ends_is_an_error_reply() {
    let server = ServerProcess::nats();
    let url = server.url();
    let _responder = responder(&url, &["crash", "--exec", "echo half; kill -SEGV $$"]);
    refused(&url, "crash", "500 the process was ended by SIGSEGV");
}

#[test]
fn a_process_that_takes_too_long_is_killed_with_all_that_it_started() {
    let server = ServerProcess::nats();
    let url = server.url();
    let line = "echo $$ >&2; sleep 1000 & sleep 1000";
    let responder = responder(
        &url,
        &["slow", "--answer-deadline", "300ms", "--exec", line],
    );
    refused(&url, "slow", "504 no answer within 300 ms");
    let told = responder.told("process ");
    let pid: u32 = told.rsplit(' ').next().unwrap().parse().unwrap();
    until_empty(pid);
}

#[test]
fn an_answer_that_is_too_large_is_an_error_reply() {
    let server = ServerProcess::nats();
    let url = server.url();
    let _bounded = responder(&url, &["much", "--output-max", "1K", "--exec", "yes"]);
    refused(&url, "much", "502 the answer is larger than 1024 bytes");
    // Without a limit of its own it is what the server takes.
    let _unbounded = responder(&url, &["more", "--exec", "yes"]);
    refused(&url, "more", "502 the answer is larger than 1048576 bytes");
}

#[test]
fn what_a_process_leaves_behind_neither_delays_the_answer_nor_lives_on() {
    let server = ServerProcess::nats();
    let url = server.url();
    let responder = responder(&url, &["left", "--exec", "echo $$; sleep 1000 & exit 0"]);
    let pid: u32 = ask(&url, "left", "x").trim().parse().unwrap();
    until_empty(pid);
    responder.shows("answered in");
}

#[test]
fn a_process_need_not_read_its_input() {
    let server = ServerProcess::nats();
    let url = server.url();
    let _responder = responder(&url, &["deaf", "--exec", "exec echo done"]);
    let ended = recado(&url, ["request", "deaf", "--raw"])
        .input(vec![b'x'; 1_000_000])
        .run();
    assert_eq!(
        (ended.code, ended.stdout.as_slice()),
        (Some(0), b"done\n".as_slice())
    );
}

#[test]
fn when_all_are_busy_some_wait_and_the_rest_is_refused() {
    let server = ServerProcess::nats();
    let url = server.url();
    let gate = tempfile::tempdir().unwrap();
    let open = gate.path().join("open");
    let line = format!("until [ -e {} ]; do sleep 0.02; done; cat", open.display());
    let bounds = [
        "--concurrency",
        "1",
        "--waiting",
        "1",
        "--answer-deadline",
        "1m",
    ];
    let responder = responder(&url, &[&["busy"], &bounds[..], &["--exec", &line]].concat());
    let first = recado(
        &url,
        ["request", "busy", "first", "--raw", "--timeout", "1m"],
    )
    .spawn();
    until("a process", || {
        (!children(responder.pid()).is_empty()).then_some(())
    });
    // Either of the two may come first; one waits, the other is refused.
    let second = recado(
        &url,
        ["request", "busy", "second", "--raw", "--timeout", "1m"],
    )
    .spawn();
    let third = recado(
        &url,
        ["request", "busy", "second", "--raw", "--timeout", "1m"],
    )
    .spawn();
    responder.shows("error 503 the responder is busy (requests waiting: 1)");
    assert_eq!(children(responder.pid()).len(), 1);
    std::fs::write(&open, "").unwrap();
    assert_eq!(first.end().stdout, b"first");
    let mut ends = [second.end(), third.end()].map(|ended| (ended.code, ended.stdout));
    ends.sort();
    assert_eq!(
        ends,
        [(Some(0), b"second".to_vec()), (Some(15), Vec::new())]
    );
}

#[test]
fn a_request_that_waits_past_its_deadline_is_refused_without_being_started() {
    let server = ServerProcess::nats();
    let url = server.url();
    let marks = tempfile::tempdir().unwrap();
    let line = format!("touch {}/$(cat); sleep 1000", marks.path().display());
    let bounds = ["--concurrency", "1", "--answer-deadline", "1s"];
    let responder = responder(
        &url,
        &[&["queue"], &bounds[..], &["--exec", &line]].concat(),
    );
    let first = recado(&url, ["request", "queue", "first", "--timeout", "1m"]).spawn();
    until("the first", || {
        marks.path().join("first").exists().then_some(())
    });
    // It comes later, so it would be begun when the first is killed, and be killed in its turn.
    let second = recado(&url, ["request", "queue", "second", "--timeout", "1m"]).spawn();
    assert_eq!((first.end().code, second.end().code), (Some(15), Some(15)));
    responder.shows("queue: second");
}

#[test]
fn a_program_that_is_not_there_is_found_out_before_anything_is_promised() {
    let ended = recado(
        "nats://127.0.0.1:1",
        ["reply", "x", "--exec", "no-such-program"],
    )
    .run();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.stderr.contains("no program \"no-such-program\""),
        "{}",
        ended.stderr
    );
    let behind = ["reply", "x", "--exec", "cat; exit 2", "--json"];
    let ended = recado("nats://127.0.0.1:1", behind).run();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.stderr.contains("put recado's own options before it"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_end_leaves_no_process_and_tells_those_who_wait() {
    let server = ServerProcess::nats();
    let url = server.url();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // It does not listen to anybody, and neither does what it started.
        let line = "trap '' TERM INT HUP; sleep 1000 & sleep 1000; sleep 1000";
        let responder = responder(&url, &["end", "--answer-deadline", "1m", "--exec", line]);
        let asking = recado(&url, ["request", "end", "x", "--timeout", "1m"]).spawn();
        let seen = until("a process with a child", || {
            let seen = children(responder.pid());
            let (pid, _) = *seen.first()?;
            (living_in_group(pid).len() >= 3).then_some(pid)
        });
        responder.signal(signal);
        let ended = responder.end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        until_empty(seen);
        let asked = asking.end();
        assert_eq!(asked.code, Some(15), "{asked:?}");
        assert!(
            asked.stderr.contains("503 the responder is ending"),
            "{}",
            asked.stderr
        );
    }
}

#[test]
fn an_impatient_second_ctrl_c_leaves_no_process_either() {
    let server = ServerProcess::nats();
    let url = server.url();
    let line = "trap '' TERM INT HUP; sleep 1000; sleep 1000";
    let responder = responder(&url, &["end", "--answer-deadline", "1m", "--exec", line]);
    let _asking = recado(&url, ["request", "end", "x", "--timeout", "1m"]).spawn();
    let (pid, _) = until("a process", || children(responder.pid()).first().copied());
    responder.signal(Signal::SIGINT);
    responder.signal(Signal::SIGTERM);
    assert!([Some(0), Some(130)].contains(&responder.end().code));
    until_empty(pid);
}

#[test]
fn requests_that_are_here_are_answered_before_the_end() {
    let server = ServerProcess::nats();
    let url = server.url();
    let responder = responder(&url, &["last", "--exec", "sleep 0.3; cat"]);
    let asking = recado(&url, ["request", "last", "x", "--raw", "--timeout", "1m"]).spawn();
    until("a process", || {
        (!children(responder.pid()).is_empty()).then_some(())
    });
    responder.signal(Signal::SIGINT);
    assert_eq!(asking.end().stdout, b"x");
    assert!(responder.end().stderr.contains("answered 1 request"));
}

#[test]
fn json_names_the_process_and_the_error() {
    let server = ServerProcess::nats();
    let url = server.url();
    let responder = responder(&url, &["j", "--json", "--count", "1", "--exec", "exit 9"]);
    refused(&url, "j", "exit status 9");
    let ended = responder.end();
    assert_eq!(ended.code, Some(0));
    let shown: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(shown["error"]["code"], 500);
    assert_eq!(shown["answered"], false);
    assert!(shown["pid"].as_u64().is_some_and(|pid| pid > 1), "{shown}");
}
