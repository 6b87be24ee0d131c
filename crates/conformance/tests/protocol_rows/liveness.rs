//! Keep-alive: the server's PINGs, and the end of connections that do not answer them.

use std::time::{Duration, Instant};

use recado_conformance::{Peer, ServerBuilder, ServerProcess};

// A66
#[test]
fn the_first_ping_of_the_server_comes_soon_after_connect() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    peer.ignore_pings();
    let start = Instant::now();
    assert_eq!(peer.frame(), "PING\r\n");
    let waited = start.elapsed();
    assert!(
        waited > Duration::from_secs(1),
        "it is not the first thing said: {waited:?}"
    );
    assert!(
        waited < Duration::from_secs(10),
        "clients wait for it: {waited:?}"
    );
}

// A66, A97
#[test]
fn a_client_that_answers_no_ping_is_stale() {
    let server = ServerBuilder::nats()
        .config("ping_interval: \"200ms\", ping_max: 2")
        .start();
    let mut peer = Peer::plain(&server);
    peer.ignore_pings();
    let said = peer.until_closed("");
    assert_eq!(said, "PING\r\nPING\r\n-ERR 'Stale Connection'\r\n");
}

// A66
#[test]
fn a_client_that_answers_pings_stays() {
    let server = ServerBuilder::nats()
        .config("ping_interval: \"100ms\", ping_max: 1")
        .start();
    let mut peer = Peer::plain(&server);
    peer.ignore_pings();
    for _ in 0..6 {
        assert_eq!(peer.frame(), "PING\r\n");
        peer.send("PONG\r\n");
    }
    assert_eq!(peer.until_pong("").replace("PING\r\n", ""), "");
}
