//! `recado sub`: what it shows, and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use recado_conformance::{PATIENCE, ServerProcess};

use crate::harness::recado;

#[test]
fn messages_are_shown_with_their_time_subject_and_headers() {
    let server = ServerProcess::nats();
    let url = server.url();
    let listener = recado(&url, ["sub", "greet.>", "--headers"]).spawn();
    listener.told("Listening on greet.>");
    recado(&url, ["pub", "greet.ana.now", "hola", "-H", "mood:good"]).succeed();
    let line = listener.shows("hola");
    let (time, rest) = line.split_once(' ').unwrap();
    assert_eq!(rest, "greet.ana.now: hola");
    assert_eq!(time.len(), "12:34:56.789".len(), "{time}");
    listener.shows("    mood: good");
}

#[test]
fn who_listens_to_everything_is_shown_only_what_people_sent() {
    let server = ServerProcess::nats();
    let url = server.url();
    let witness = recado(&url, ["sub", ">", "--count", "2", "--raw"]).spawn();
    witness.told("Listening on >");
    // Each start of a listener or a responder asks the server whether it is heard.
    let one = recado(&url, ["sub", ">", "--count", "1"]).spawn();
    one.told("Listening on >");
    let member = recado(&url, ["sub", ">", "--queue", "q", "--count", "1", "--raw"]).spawn();
    member.told("Listening on >");
    let responder = recado(&url, ["reply", "greet", "--echo", "--count", "1"]).spawn();
    responder.told("Answering on greet");
    recado(&url, ["pub", "news", "first"]).succeed();
    let shown = String::from_utf8(one.end().stdout).unwrap();
    assert!(shown.ends_with(" news: first\n"), "{shown}");
    assert_eq!(member.end().stdout, b"first\n");
    recado(&url, ["pub", "news", "second"]).succeed();
    assert_eq!(witness.end().stdout, b"first\nsecond\n");
}

#[test]
fn what_came_over_the_network_can_not_control_the_terminal() {
    let server = ServerProcess::nats();
    let url = server.url();
    let listener = recado(&url, ["sub", "evil", "--count", "2"]).spawn();
    listener.told("Listening on evil");
    recado(&url, ["pub", "evil", "\x1b[2J gone"]).succeed();
    recado(&url, ["pub", "evil"])
        .input(b"\xff\x1b[2J".as_slice())
        .succeed();
    let stdout = String::from_utf8(listener.end().stdout).unwrap();
    assert!(!stdout.contains('\x1b'), "{stdout:?}");
    assert!(
        stdout.contains("\\u{1b}[2J gone") && stdout.contains("/xtbMko="),
        "{stdout}"
    );
}

#[test]
fn ctrl_c_ends_it_with_a_closing_line_and_status_zero() {
    let server = ServerProcess::nats();
    let url = server.url();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let listener = recado(&url, ["sub", "x"]).spawn();
        listener.told("Listening on x");
        recado(&url, ["pub", "x", "hello"]).succeed();
        listener.shows("hello");
        listener.signal(signal);
        let ended = listener.end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("received 1 message (5 bytes) in "),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn a_queue_group_shares_the_messages() {
    let server = ServerProcess::nats();
    let url = server.url();
    let start = || {
        let member = recado(&url, ["sub", "jobs", "--queue", "workers", "--count", "5"]).spawn();
        member.told("Listening on jobs");
        member
    };
    let (one, other) = (start(), start());
    // Ten messages are enough for five each only if no message goes to both, and if who has its
    // five takes no more.
    recado(&url, ["pub", "jobs", "work", "--count", "10"]).succeed();
    assert_eq!((one.end().code, other.end().code), (Some(0), Some(0)));
}

#[test]
fn silence_longer_than_the_timeout_ends_it() {
    let server = ServerProcess::nats();
    let url = server.url();
    let nothing = recado(&url, ["sub", "quiet", "--timeout", "100ms"]).run();
    assert_eq!(nothing.code, Some(4));
    assert!(
        nothing
            .stderr
            .contains("no message on \"quiet\" for 100 ms"),
        "{}",
        nothing.stderr
    );

    let too_few = recado(&url, ["sub", "quiet", "--timeout", "1s", "--count", "2"]).spawn();
    too_few.told("Listening on quiet");
    recado(&url, ["pub", "quiet", "one"]).succeed();
    let too_few = too_few.end();
    assert_eq!(too_few.code, Some(4));
    assert!(
        too_few.stderr.contains("1 of 2 received"),
        "{}",
        too_few.stderr
    );

    let some = recado(&url, ["sub", "quiet", "--timeout", "1s"]).spawn();
    some.told("Listening on quiet");
    recado(&url, ["pub", "quiet", "one"]).succeed();
    assert_eq!(some.end().code, Some(0));
}

/// One that listens, with pipes that nobody reads yet but for what it tells at first.
fn listener(url: &str, subject: &str) -> (Child, BufReader<ChildStderr>) {
    let mut listener = Command::new(env!("CARGO_BIN_EXE_recado"))
        .args(["sub", subject, "--raw", "--server", url])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(listener.stderr.take().unwrap());
    let mut told = String::new();
    stderr.read_line(&mut told).unwrap();
    assert!(told.contains(&format!("Listening on {subject}")), "{told}");
    (listener, stderr)
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let server = ServerProcess::nats();
    let url = server.url();
    let (mut listener, mut stderr) = listener(&url, "many");
    // The reader of its output leaves before anything has come.
    drop(listener.stdout.take());
    recado(&url, ["pub", "many", "x"]).succeed();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(listener.wait().unwrap().code(), Some(0), "{rest}");
    assert_eq!(rest, "", "nothing more is said");
}

#[test]
fn a_second_ctrl_c_ends_it_even_when_nobody_reads_its_output() {
    let server = ServerProcess::nats();
    let url = server.url();
    let (mut listener, _stderr) = listener(&url, "flood");
    // Far more than a pipe holds.
    recado(&url, ["pub", "flood", "--count", "64"])
        .input(vec![b'x'; 64 * 1024])
        .succeed();
    let written = || {
        let path = format!("/proc/{}/io", listener.id());
        let counters = std::fs::read_to_string(path).unwrap();
        let line = counters
            .lines()
            .find(|line| line.starts_with("wchar:"))
            .unwrap();
        line["wchar: ".len()..].trim().parse::<u64>().unwrap()
    };
    let deadline = Instant::now() + PATIENCE;
    while written() < 32 * 1024 {
        assert!(Instant::now() < deadline, "it writes nothing");
        std::thread::sleep(Duration::from_millis(1));
    }
    let pid = nix::unistd::Pid::from_raw(i32::try_from(listener.id()).unwrap());
    let start = Instant::now();
    let status = loop {
        if let Some(status) = listener.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < PATIENCE, "it does not end");
        // Fails only when it has just ended.
        let _ = nix::sys::signal::kill(pid, Signal::SIGINT);
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(130));
}
