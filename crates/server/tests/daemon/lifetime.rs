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

#[test]
fn whoever_asks_for_a_reload_is_told_what_came_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("server.conf");
    let write = |more: &str| {
        let accounts = "accounts { SYS { users: [{user: root, password: r}] } }";
        let text = format!("port: -1, jetstream: false, system_account: SYS, {accounts}\n{more}");
        std::fs::write(&file, text).unwrap();
    };
    write("");
    let (mut server, address) = Running::start(&["-c", file.to_str().unwrap()]);
    let mut root = Client::connect(address);
    root.send("CONNECT {\"verbose\":false,\"user\":\"root\",\"pass\":\"r\"}\r\nSUB r 1\r\n");
    let id = root.info["server_id"].as_str().unwrap().to_owned();
    let mut asked = || {
        root.send(&format!("PUB $SYS.REQ.SERVER.{id}.RELOAD r 0\r\n\r\n"));
        while !root.line().starts_with("MSG r ") {}
        let told: serde_json::Value = serde_json::from_str(&root.line()).unwrap();
        told["error"]["description"].as_str().map(str::to_owned)
    };
    write("max_connections: 7");
    assert_eq!(asked(), None);
    write("max_connections: many");
    let why = asked().expect("it can't be read");
    assert!(why.contains("max_connections"), "{why}");
    write("max_pending: 2000000");
    let why = asked().expect("it would take a restart");
    assert!(why.contains("max_pending"), "{why}");
    // Whoever changes the server that way is named.
    let by = format!("SYS/root cid {} 127.0.0.1:", root.info["client_id"]);
    let told = server.line("a client asks for a reload");
    assert!(told.contains(&by), "{told}");
    assert!(
        told.contains(&format!("over $SYS.REQ.SERVER.{id}.RELOAD")),
        "{told}"
    );
    let mut other = Client::connect(address);
    let body = format!("{{\"cid\":{}}}", other.info["client_id"]);
    let size = body.len();
    root.send(&format!(
        "PUB $SYS.REQ.SERVER.{id}.KICK r {size}\r\n{body}\r\n"
    ));
    assert!(other.is_closed());
    let told = server.line("a client asks to close another");
    assert!(told.contains(&by), "{told}");
    assert!(
        told.contains(&format!("about_cid={}", other.info["client_id"])),
        "{told}"
    );
    server.signal(Signal::SIGTERM);
    assert_eq!(server.ended().0, Some(0));
}
