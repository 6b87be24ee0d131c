//! How a server goes away: lame duck mode, and the signals that end it at once.

use std::net::TcpStream;

use nix::sys::signal::Signal;
use recado_conformance::{Peer, ServerBuilder, ServerProcess};
use serde_json::Value;

// A10, A70
#[test]
fn a_lame_duck_tells_clients_of_protocol_1_once_and_accepts_no_more() {
    let server = ServerProcess::nats();
    let mut old = Peer::plain(&server);
    let mut peer = Peer::with(&server, r#"{"verbose":false,"protocol":1}"#);
    assert!(peer.frame().contains("\"connect_info\":true"));
    let mut mute = Peer::connect(&server);
    mute.send("CONNECT {\"verbose\":false,\"protocol\":1}\r\n");
    server.signal(Signal::SIGUSR2);

    let info = peer.frame();
    let info: Value =
        serde_json::from_str(info.strip_prefix("INFO ").expect("INFO")).expect("JSON");
    assert_eq!(info["ldm"], true);
    assert_eq!(info["client_id"], peer.info()["client_id"]);
    assert!(
        TcpStream::connect(server.addr()).is_err(),
        "the listener is closed"
    );

    assert_eq!(
        peer.until_pong("SUB a 1\r\nPUB a 0\r\n\r\n"),
        "MSG a 1 0\r\n\r\n",
        "it serves on"
    );
    assert_eq!(
        old.until_pong(""),
        "",
        "a client of protocol 0 is told nothing"
    );
}

// A70
#[test]
fn a_lame_duck_disconnects_its_clients_and_ends() {
    let config = "lame_duck_grace_period: \"1s\", lame_duck_duration: \"30s\"";
    let mut server = ServerBuilder::nats().config(config).start();
    let mut peer = Peer::plain(&server);
    server.signal(Signal::SIGUSR2);
    assert_eq!(peer.until_closed(""), "");
    assert_eq!(server.wait_for_exit().code(), Some(0));
}

// D64
#[test]
fn interrupt_and_terminate_end_the_server_with_success() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut server = ServerProcess::nats();
        let mut peer = Peer::plain(&server);
        server.signal(signal);
        assert_eq!(peer.until_closed(""), "", "there is no farewell");
        assert_eq!(server.wait_for_exit().code(), Some(0), "{signal}");
    }
}

// A53, D64
#[test]
fn what_was_published_before_terminate_is_still_delivered() {
    let server = ServerProcess::nats();
    let mut subscriber = Peer::plain(&server);
    assert_eq!(subscriber.until_pong("SUB a 1\r\n"), "");
    let mut publisher = Peer::plain(&server);
    assert_eq!(publisher.until_pong("PUB a 2\r\nhi\r\n".repeat(100)), "");
    server.signal(Signal::SIGTERM);
    assert_eq!(
        subscriber.until_closed(""),
        "MSG a 1 2\r\nhi\r\n".repeat(100)
    );
}
