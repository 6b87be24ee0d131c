//! Out of file descriptors: said once a second at most, survived, and over as soon as some are free.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::program::{PROGRAM, Running, address_in, command, eventually};

#[test]
fn without_descriptors_the_server_serves_on_says_so_and_recovers() {
    let mut shell = command("sh");
    shell.args(["-c", "ulimit -n 60 && exec \"$0\" -p -1", PROGRAM]);
    let mut server = Running::spawn(&mut shell);
    let address = address_in(&server.line("is listening on"));
    let mut first = BufReader::new(TcpStream::connect(address).unwrap());
    let mut line = String::new();
    first.read_line(&mut line).unwrap();

    // The kernel completes connections that the server can't accept.
    let started = Instant::now();
    let crowd: Vec<TcpStream> = (0..100)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let told = server.line("cannot accept a connection");
    assert!(told.contains("out of file descriptors"), "{told}");
    server.line("cannot accept a connection");
    assert!(
        started.elapsed() >= Duration::from_millis(900),
        "said twice within a second"
    );

    first.get_mut().write_all(b"PING\r\n").unwrap();
    line.clear();
    first.read_line(&mut line).unwrap();
    assert_eq!(line, "PONG\r\n", "who is connected is served on");

    drop(crowd);
    let greeting = eventually("a greeting after the crowd left", || {
        let socket = TcpStream::connect(address).ok()?;
        socket.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let mut line = String::new();
        BufReader::new(socket).read_line(&mut line).ok()?;
        line.starts_with("INFO ").then_some(line)
    });
    assert!(greeting.contains("server_id"));
}

#[test]
fn a_subscriber_that_is_cut_off_is_named_in_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("server.conf");
    std::fs::write(&file, "max_pending: 2MB\nmax_payload: 1MB\n").unwrap();
    let (mut server, address) = Running::start(&["-c", file.to_str().unwrap()]);
    let mut stopped = TcpStream::connect(address).unwrap();
    stopped
        .write_all(b"CONNECT {\"verbose\":false,\"name\":\"sleeper\"}\r\nSUB news.* 1\r\nPING\r\n")
        .unwrap();
    let mut reader = BufReader::new(stopped.try_clone().unwrap());
    let mut line = String::new();
    while line != "PONG\r\n" {
        line.clear();
        reader.read_line(&mut line).unwrap();
    }
    let publishing = std::thread::spawn(move || {
        let mut publisher = TcpStream::connect(address).unwrap();
        publisher
            .write_all(b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\n")
            .unwrap();
        let message = format!("PUB news.today 60000\r\n{}\r\n", "x".repeat(60_000));
        // More than any socket's buffers and max_pending hold.
        (0..500).all(|_| publisher.write_all(message.as_bytes()).is_ok())
    });
    let told = server.line("slow consumer cut off");
    for part in ["cid=", "sleeper", "news.today", "pending_bytes="] {
        assert!(told.contains(part), "{part} missing in {told}");
    }
    assert!(publishing.join().unwrap(), "the publisher goes on");
}
