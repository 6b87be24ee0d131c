//! Bounds of what a connection may send, keep and hold.

use std::io::Read;

use recado_conformance::{Peer, ServerBuilder, ServerProcess};

// A60, A90
#[test]
fn a_payload_over_the_maximum_closes_with_an_error_before_it_is_sent() {
    let server = ServerProcess::nats();
    let said = Peer::plain(&server).until_closed("PUB a 1048577\r\n");
    assert_eq!(said, "-ERR 'Maximum Payload Violation'\r\n");
    let said = Peer::plain(&server).until_closed("HPUB a 12 1048577\r\n");
    assert_eq!(said, "-ERR 'Maximum Payload Violation'\r\n");
}

// A60
#[test]
fn the_maximum_payload_itself_passes() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let payload = "x".repeat(1_048_576);
    let said = peer.until_pong(format!("SUB a 1\r\nPUB a 1048576\r\n{payload}\r\n"));
    assert_eq!(said.len(), "MSG a 1 1048576\r\n\r\n".len() + payload.len());
}

// A60, A90
#[test]
fn max_payload_is_configured_shown_and_counts_headers() {
    let server = ServerBuilder::nats().config("max_payload: 20").start();
    let mut peer = Peer::plain(&server);
    assert_eq!(peer.info()["max_payload"], 20);
    let hpub = |payload: &str| {
        format!(
            "HPUB a 12 {}\r\nNATS/1.0\r\n\r\n{payload}\r\n",
            12 + payload.len()
        )
    };
    assert_eq!(peer.until_pong(hpub("12345678")), "");
    assert_eq!(
        peer.until_closed(hpub("123456789")),
        "-ERR 'Maximum Payload Violation'\r\n"
    );
}

// A61, A91
#[test]
fn a_line_over_the_maximum_closes_with_an_error() {
    let server = ServerProcess::nats();
    let long = "x".repeat(5_000);
    for line in [
        format!("PUB {long} 2\r\nhi\r\n"),
        format!("HPUB {long} 12 12\r\nNATS/1.0\r\n\r\n\r\n"),
        format!("SUB {long} 1\r\n"),
        format!("UNSUB {long}\r\n"),
        format!("CONNECT {{\"name\":\"{long}\"}}\r\n"),
        format!("PUB {long}"),
    ] {
        let said = Peer::plain(&server).until_closed(&line);
        assert_eq!(
            said,
            "-ERR 'maximum control line exceeded'\r\n",
            "{}",
            &line[..10]
        );
    }
}

// A61
#[test]
fn the_maximum_line_is_counted_over_the_arguments() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let longest = "a".repeat(4_094);
    assert_eq!(peer.until_pong(format!("PUB {longest} 0\r\n\r\n")), "");
    let said = peer.until_closed(format!("PUB {longest}a 0\r\n\r\n"));
    assert_eq!(said, "-ERR 'maximum control line exceeded'\r\n");
}

// A61, A91
#[test]
fn max_control_line_is_configured() {
    let server = ServerBuilder::nats()
        .config("max_control_line: 512")
        .start();
    let mut peer = Peer::plain(&server);
    assert_eq!(
        peer.until_pong(format!("SUB {} 1\r\n", "a".repeat(500))),
        ""
    );
    let said = peer.until_closed(format!("SUB {} 1\r\n", "a".repeat(600)));
    assert_eq!(said, "-ERR 'maximum control line exceeded'\r\n");
}

// A64, A92
#[test]
fn a_connection_too_many_gets_info_and_an_error() {
    let server = ServerBuilder::nats().config("max_connections: 2").start();
    let held = [Peer::plain(&server), Peer::plain(&server)];
    let said = Peer::connect(&server).until_closed("");
    assert_eq!(said, "-ERR 'maximum connections exceeded'\r\n");
    drop(held);
    // The server notices the ends of connections in its own time.
    let deadline = std::time::Instant::now() + recado_conformance::PATIENCE;
    loop {
        let mut peer = Peer::connect(&server);
        let _ = peer.try_send("PING\r\n");
        let mut answer = [0; 6];
        if peer.socket().read_exact(&mut answer).is_ok() && &answer == b"PONG\r\n" {
            break;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "room is not given back"
        );
    }
}

// A64
#[test]
fn a_negative_maximum_of_connections_refuses_all() {
    let server = ServerBuilder::nats().config("max_connections: -1").start();
    let said = Peer::connect(&server).until_closed("");
    assert_eq!(said, "-ERR 'maximum connections exceeded'\r\n");
}

// A65, A94
#[test]
fn a_subscription_too_many_is_refused_and_the_connection_stays() {
    let server = ServerBuilder::nats().config("max_subscriptions: 2").start();
    let mut peer = Peer::plain(&server);
    let said = peer.until_pong("SUB a 1\r\nSUB b 2\r\nSUB c 3\r\nPUB c 0\r\n\r\n");
    assert_eq!(said, "-ERR 'maximum subscriptions exceeded'\r\n");
    let said = peer.until_pong("UNSUB 1\r\nSUB c 3\r\nPUB c 0\r\n\r\n");
    assert_eq!(said, "MSG c 3 0\r\n\r\n", "room is given back");
}

// A62, A103
#[test]
fn a_subscriber_that_does_not_read_is_cut_off_in_silence_and_named_in_the_log() {
    let config = "max_payload: 256KB, max_pending: 1MB, write_deadline: \"5s\"";
    let server = ServerBuilder::nats().config(config).start();
    let connect = r#"{"verbose":false,"name":"sleeper"}"#;
    let mut sleeper = Peer::with(&server, connect);
    assert_eq!(sleeper.until_pong("SUB a 1\r\n"), "");
    let mut publisher = Peer::plain(&server);
    // More than the sockets' buffers and max_pending together can hold.
    let publish = format!("PUB a 262144\r\n{}\r\n", "x".repeat(262_144));
    for _ in 0..200 {
        assert_eq!(publisher.until_pong(&publish), "");
    }
    server.wait_for_log("slow consumer");
    let mut rest = Vec::new();
    // What was on its way may end in a reset.
    let _ = sleeper.socket().read_to_end(&mut rest);
    assert!(
        rest.len() < 200 * 262_144,
        "it was cut off before it got all"
    );
    let tail = &rest[rest.len().saturating_sub(100)..];
    assert!(
        !String::from_utf8_lossy(tail).contains("-ERR"),
        "there is no farewell"
    );
}

// A63
#[test]
fn a_write_that_makes_no_progress_for_too_long_ends_the_connection() {
    let config = "max_payload: 256KB, max_pending: 64MB, write_deadline: \"300ms\"";
    let server = ServerBuilder::nats().config(config).start();
    let mut sleeper = Peer::plain(&server);
    assert_eq!(sleeper.until_pong("SUB a 1\r\n"), "");
    let mut publisher = Peer::plain(&server);
    // Beyond the sockets' buffers, but far below max_pending.
    let publish = format!("PUB a 262144\r\n{}\r\n", "x".repeat(262_144));
    for _ in 0..60 {
        assert_eq!(publisher.until_pong(&publish), "");
    }
    server.wait_for_log("slow consumer");
    let mut rest = Vec::new();
    let _ = sleeper.socket().read_to_end(&mut rest);
    assert!(
        rest.len() < 60 * 262_144,
        "it was cut off before it got all"
    );
}

// A68
#[test]
fn a_slow_subscriber_does_not_keep_others_from_being_served() {
    let config = "max_payload: 256KB, max_pending: 4MB, write_deadline: \"5s\"";
    let server = ServerBuilder::nats().config(config).start();
    let mut sleeper = Peer::plain(&server);
    assert_eq!(sleeper.until_pong("SUB a 1\r\n"), "");
    let mut healthy = Peer::plain(&server);
    assert_eq!(healthy.until_pong("SUB a 1\r\n"), "");
    let mut publisher = Peer::plain(&server);
    let publish = format!("PUB a 65536\r\n{}\r\n", "x".repeat(65_536));
    for number in 0..400 {
        publisher.send(&publish);
        assert_eq!(healthy.message().payload.len(), 65_536, "message {number}");
    }
}
