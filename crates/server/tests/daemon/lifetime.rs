//! Signals, and how the program ends.

use nix::sys::signal::Signal;

use crate::program::{Client, Running};

#[test]
fn term_and_interrupt_end_it_with_success() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (server, address) = Running::start(&[]);
        let mut client = Client::connect(address);
        assert!(client.is_answered());
        server.signal(signal);
        assert!(client.is_closed());
        let (code, lines) = server.ended();
        assert_eq!(code, Some(0), "{lines:#?}");
        assert!(lines.last().unwrap().ends_with("stopped"), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains(signal.as_str())));
    }
}

#[test]
fn what_waits_for_a_reader_is_sent_before_it_ends() {
    let (server, address) = Running::start(&[]);
    let mut reader = Client::connect(address);
    reader.send("CONNECT {}\r\nSUB news 1\r\n");
    assert!(reader.is_answered());
    let mut writer = Client::connect(address);
    let message = format!("PUB news 65536\r\n{}\r\n", "x".repeat(65536));
    for _ in 0..64 {
        writer.send(&message);
    }
    assert!(writer.is_answered());
    server.signal(Signal::SIGTERM);
    let mut received = 0;
    loop {
        match reader.line().as_str() {
            "" => break,
            line if line.starts_with("MSG ") => received += 1,
            _ => {}
        }
    }
    assert_eq!(received, 64);
    assert_eq!(server.ended().0, Some(0));
}

#[test]
fn the_second_interrupt_hurries() {
    let (mut server, address) = Running::start(&[]);
    let mut stalled = Client::connect(address);
    stalled.send("CONNECT {}\r\nSUB news 1\r\n");
    assert!(stalled.is_answered());
    // More than both ends' sockets hold, so that the server has something left to finish.
    let mut writer = Client::connect(address);
    let message = format!("PUB news 1000000\r\n{}\r\n", "x".repeat(1_000_000));
    for _ in 0..40 {
        writer.send(&message);
    }
    assert!(writer.is_answered());
    server.signal(Signal::SIGINT);
    server.line("stopping");
    server.signal(Signal::SIGINT);
    let (code, lines) = server.ended();
    assert_eq!(code, Some(1), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("asked again")));
    assert!(!lines.iter().any(|line| line.ends_with(" stopped")));
}

#[test]
fn a_lame_duck_ignores_term_and_obeys_an_interrupt() {
    let (mut server, address) = Running::start(&[]);
    let mut client = Client::connect(address);
    assert!(client.is_answered());
    server.signal(Signal::SIGUSR2);
    server.line("lame duck");
    server.signal(Signal::SIGTERM);
    server.line("SIGTERM changes nothing");
    assert!(client.is_answered());
    assert!(server.is_running());
    server.signal(Signal::SIGINT);
    assert_eq!(server.ended().0, Some(0));
}

#[test]
fn a_lame_duck_without_clients_ends_by_itself() {
    let (server, _) = Running::start(&[]);
    server.signal(Signal::SIGUSR2);
    let (code, lines) = server.ended();
    assert_eq!(code, Some(0), "{lines:#?}");
    assert!(lines.last().unwrap().ends_with("stopped"));
}

#[test]
fn a_hangup_and_a_pointless_reopen_are_explained_and_harmless() {
    let (mut server, address) = Running::start(&[]);
    server.signal(Signal::SIGHUP);
    server.line("read again");
    server.signal(Signal::SIGUSR1);
    server.line("--log FILE");
    assert!(Client::connect(address).is_answered());
    server.signal(Signal::SIGTERM);
    assert_eq!(server.ended().0, Some(0));
}
