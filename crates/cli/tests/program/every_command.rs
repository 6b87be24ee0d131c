//! What holds for every command, also for one that is added later: a server that is not there yet is
//! waited for when that is asked for, a deadline ends the wait, and Ctrl-C ends it at any moment.

use std::io::Read;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use recado_conformance::PATIENCE;

use crate::harness::{Recado, Running, recado};

/// A command that talks to a server, with what it needs to get that far.
const TALKING: [&[&str]; 22] = [
    &["pub", "a", "x"],
    &["pub", "a", "--lines"],
    &["sub", "a"],
    &["request", "a", "x"],
    &["reply", "a", "--echo"],
    &["service", "ls"],
    &["stream", "ls"],
    &["stream", "watch"],
    &["consumer", "ls", "ORDERS"],
    &["kv", "ls"],
    &["object", "ls"],
    &["ping"],
    &["explain", "a"],
    &["trace", "a", "x"],
    &["ping", "--connect"],
    &["latency", "a"],
    &["wait"],
    &["wait", "--responder", "a"],
    &["bench", "pub"],
    &["bench", "request"],
    &["chat", "room", "--name", "ana"],
    &["bench", "sub"],
];

/// Commands that wait for no server, and why.
const OTHERS: [(&str, &str); 11] = [
    ("help", "shows a text"),
    ("errors", "shows a text"),
    ("doctor", "tells what is wrong now; waiting would hide it"),
    ("tour", "starts a server of its own"),
    ("context", "reads and writes files"),
    ("login", "writes a file"),
    ("completions", "writes a text"),
    ("man", "writes a text"),
    ("logout", "removes a file"),
    ("top", "watches a monitoring port over HTTP"),
    ("demo", "starts a server of its own"),
];

/// The commands that the help lists.
fn commands() -> Vec<String> {
    let help = recado("", ["--help"]).succeed();
    let from = help.find("Commands:\n").expect("a list of commands") + "Commands:\n".len();
    let list = help[from..].lines();
    list.take_while(|line| !line.trim().is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// The command lines to try: of commands that exist.
fn talking() -> Vec<&'static [&'static str]> {
    let commands = commands();
    TALKING
        .into_iter()
        .filter(|line| commands.iter().any(|command| command == line[0]))
        .collect()
}

/// An address where nothing listens.
fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// With standard input that stays open, as on a terminal.
fn start(server: &str, line: &[&str], more: &[&str]) -> Running {
    let command: Recado = recado(server, line.iter().chain(more));
    command.spawn_with_input()
}

/// Waits until a process takes SIGINT itself; before that it would simply die of it.
fn takes_interrupts(running: &Running) {
    const BIT: u64 = 1 << (2 - 1);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
        if caught & BIT != 0 {
            return;
        }
        assert!(Instant::now() < deadline, "it never takes SIGINT");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn interrupted(running: Running, line: &[&str]) {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        // Who runs the tests in the background may have SIGINT ignored; then the other one counts.
        running.signal(signal);
    }
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{line:?}: {}", ended.stderr);
    assert!(
        ended.stderr.contains("error: interrupted") || ended.stderr.is_empty(),
        "{line:?}: {}",
        ended.stderr
    );
}

#[test]
fn every_command_is_known_here() {
    for command in commands() {
        let known = TALKING.iter().any(|line| line[0] == command)
            || OTHERS.iter().any(|(other, _)| *other == command);
        assert!(known, "say in this file how `recado {command}` waits");
    }
}

#[test]
fn every_command_has_both_options_for_waiting() {
    for command in commands() {
        let help = recado("", ["help", &command]).succeed();
        for option in ["--retry", "--deadline"] {
            assert!(help.contains(option), "{command} has no {option}");
        }
    }
}

#[test]
fn every_command_waits_with_retry_and_ctrl_c_ends_the_wait() {
    let nowhere = closed_port();
    let waiting: Vec<_> = talking()
        .into_iter()
        .map(|line| (line, start(&nowhere, line, &["--retry"])))
        .collect();
    for (line, running) in waiting {
        let told = running.told("Waiting: ");
        assert!(
            told.contains("nothing is listening on "),
            "{line:?}: {told}"
        );
        running.signal(Signal::SIGTERM);
        let ended = running.end();
        assert_eq!(ended.code, Some(130), "{line:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("interrupted"), "{}", ended.stderr);
    }
}

#[test]
fn a_deadline_ends_every_commands_wait_with_the_status_of_the_cause() {
    let nowhere = closed_port();
    let waiting: Vec<_> = talking()
        .into_iter()
        .map(|line| (line, start(&nowhere, line, &["--deadline", "300ms"])))
        .collect();
    for (line, running) in waiting {
        let ended = running.end();
        assert_eq!(ended.code, Some(5), "{line:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains("Gave up after 300 ms"),
            "{line:?}: {}",
            ended.stderr
        );
    }
}

#[test]
fn ctrl_c_ends_every_command_while_it_connects() {
    for line in talking() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap().to_string();
        let running = start(&address, line, &[]);
        let (mut connection, _) = silent.accept().unwrap();
        running.signal(Signal::SIGTERM);
        let ended = running.end();
        assert_eq!(ended.code, Some(130), "{line:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("interrupted"), "{}", ended.stderr);
        let mut rest = Vec::new();
        connection.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty(), "{line:?} said something before INFO");
    }
}

#[test]
fn ctrl_c_ends_a_command_that_reads_its_input() {
    for line in [&["pub", "a"][..], &["request", "a"]] {
        let running = start(&closed_port(), line, &[]);
        takes_interrupts(&running);
        interrupted(running, line);
    }
}
