//! Called `nats-server`, it says what scripts made for nats-server look for.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use nix::sys::signal::Signal;

use crate::program::{Client, Running, command, linked, outcome};

fn start(directory: &Path, arguments: &[&str]) -> (Running, SocketAddr) {
    let program = linked(directory, "nats-server");
    let mut server = Running::spawn(
        command(program)
            .args(["-a", "127.0.0.1", "-p", "-1"])
            .args(arguments),
    );
    let line = server.line("Listening for client connections on ");
    server.line("Server is ready");
    (server, crate::program::address_in(&line))
}

#[test]
fn the_version_is_the_one_that_clients_choose_their_tests_by() {
    let directory = tempfile::tempdir().unwrap();
    let program = linked(directory.path(), "nats-server");
    for flag in ["-v", "--version", "-version"] {
        let (code, said, _) = outcome(command(&program).arg(flag));
        assert_eq!((code, said.as_str()), (0, "nats-server: v2.15.0\n"));
    }
}

#[test]
fn the_lines_of_a_whole_life_are_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let (server, address) = start(directory.path(), &[]);
    assert!(Client::connect(address).is_answered());
    let pid = server.pid();
    server.signal(Signal::SIGTERM);
    let (code, lines) = server.ended();
    assert_eq!(code, Some(0));
    let mut rest = lines.iter();
    for part in [
        "[INF] Starting nats-server",
        "[INF]   Version:  2.15.0",
        "[INF]   Name:     ",
        "[INF]   ID:       N",
        "[INF] Listening for client connections on 127.0.0.1:",
        "[INF] Server is ready",
        "[INF] Initiating Shutdown...",
        "[INF] Server Exiting..",
    ] {
        assert!(rest.any(|line| line.contains(part)), "{part}: {lines:#?}");
    }
    // `[pid] 2026/11/23 10:11:12.131415 [INF] …`
    for line in &lines {
        let parts: Vec<&str> = line.splitn(4, ' ').collect();
        assert_eq!(parts[0], format!("[{pid}]"), "{line}");
        assert_eq!((parts[1].len(), parts[2].len()), (10, 15), "{line}");
    }
}

#[test]
fn times_are_left_out_when_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let (server, _) = start(directory.path(), &["-T=false"]);
    let pid = server.pid();
    server.signal(Signal::SIGTERM);
    let (_, lines) = server.ended();
    let first = format!("[{pid}] [INF] Starting nats-server");
    assert_eq!(lines.first(), Some(&first));
}

#[test]
fn the_lame_duck_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let (mut server, _) = start(directory.path(), &[]);
    server.signal(Signal::SIGUSR2);
    server.line("[INF] Entering lame duck mode, stop accepting new clients");
    assert_eq!(server.ended().0, Some(0));
}

#[test]
fn what_ends_the_start_is_fatal_and_named_as_scripts_expect() {
    let directory = tempfile::tempdir().unwrap();
    let (holder, address) = start(directory.path(), &[]);
    let port = address.port().to_string();
    let program = directory.path().join("nats-server");
    let (code, _, said) = outcome(command(&program).args(["-a", "127.0.0.1", "-p", &port]));
    assert_eq!(code, 1);
    let expected = format!("[FTL] Error listening on port: {address}, ");
    assert!(said.contains(&expected), "{said}");
    assert!(said.contains(&format!("pid {}", holder.pid())), "{said}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "foo: bar\n").unwrap();
    let (code, _, said) = outcome(command(&program).arg("-c").arg(file.path()));
    assert_eq!(code, 1);
    assert!(said.starts_with("nats-server: "), "{said}");
}

#[test]
fn monitoring_is_announced_and_in_the_ports_file() {
    let directory = tempfile::tempdir().unwrap();
    let ports = tempfile::tempdir().unwrap();
    let program = linked(directory.path(), "nats-server");
    let mut server = Running::spawn(
        command(program)
            .args([
                "-a",
                "127.0.0.1",
                "-p",
                "-1",
                "-m",
                "-1",
                "--ports_file_dir",
            ])
            .arg(ports.path()),
    );
    let line = server.line("[INF] Starting http monitor on 127.0.0.1:");
    let address = crate::program::address_in(&line);
    server.line("Server is ready");
    let file = ports
        .path()
        .join(format!("nats-server_{}.ports", server.pid()));
    let text = std::fs::read_to_string(file).unwrap();
    let expected = format!("\"monitoring\":[\"http://{address}\"]");
    assert!(text.contains(&expected), "{text}");
    let mut socket = TcpStream::connect(address).unwrap();
    socket
        .write_all(b"GET /varz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn the_ports_file_bears_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let ports = tempfile::tempdir().unwrap();
    let ports_dir = ports.path().to_str().unwrap();
    let (server, address) = start(directory.path(), &["--ports_file_dir", ports_dir]);
    let file = ports
        .path()
        .join(format!("nats-server_{}.ports", server.pid()));
    assert_eq!(
        std::fs::read_to_string(file).unwrap(),
        format!("{{\"nats\":[\"nats://{address}\"]}}")
    );
}
