//! Connections that go on and on, and those that stop half way.

use std::io::Read;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use recado_conformance::{PATIENCE, Peer, ServerBuilder, ServerProcess};

use crate::MIB;
use crate::witness::{Witness, descriptors_fall_to};

#[test]
fn a_byte_now_and_then_does_not_put_off_the_authentication_timeout() {
    // The witness has no token: it takes no part here.
    let config = "authorization { token: s3cret, timeout: 1 }";
    let server = ServerBuilder::nats().config(config).start();
    let mut peers: Vec<Option<Peer>> = (0..100).map(|_| Some(Peer::connect(&server))).collect();
    let line = b"CONNECT {\"auth_token\":\"s3cret\",\"name\":\"one byte at a time";
    let deadline = Instant::now() + PATIENCE;
    for byte in line.iter().chain(std::iter::repeat(&b'.')) {
        for slot in &mut peers {
            let Some(peer) = slot else { continue };
            peer.set_patience(Duration::from_millis(1));
            let mut start = [0; 1];
            let silent = peer.try_send([*byte]).is_ok()
                && peer.socket().peek(&mut start).is_err_and(|error| {
                    matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    )
                });
            if !silent {
                let mut gone = slot.take().expect("it is there");
                gone.set_patience(PATIENCE);
                let said = gone.until_closed("");
                assert!(
                    said == "-ERR 'Authentication Timeout'\r\n" || said.is_empty(),
                    "{said}"
                );
            }
        }
        if peers.iter().all(Option::is_none) {
            return;
        }
        assert!(Instant::now() < deadline, "some are still connected");
    }
}

#[test]
fn connections_that_send_a_byte_now_and_then_cost_next_to_nothing() {
    const PEERS: u64 = 500;
    let server = ServerProcess::nats();
    let witness = Witness::of(&server);
    let before = server.resident_bytes();
    let mut peers: Vec<Peer> = (0..PEERS).map(|_| Peer::connect(&server)).collect();
    for byte in b"PUB a.subject.that.comes.byte.by.byte some.reply 10\r\nhalf" {
        for peer in &mut peers {
            peer.send([*byte]);
        }
    }
    let grown = server.resident_bytes().saturating_sub(before);
    witness.was_served();
    assert!(
        grown < PEERS * MIB / 16,
        "{PEERS} slow connections took {grown} bytes"
    );
}

#[test]
fn a_client_that_says_no_more_is_answered_and_let_go() {
    let server = ServerProcess::nats();
    let witness = Witness::of(&server);
    let descriptors = server.descriptors();
    for _ in 0..200 {
        let mut peer = Peer::plain(&server);
        peer.send("SUB a 1\r\nPUB a 2\r\nhi\r\nPING\r\n");
        peer.finish_sending();
        assert_eq!(peer.until_closed(""), "MSG a 1 2\r\nhi\r\nPONG\r\n");
    }
    descriptors_fall_to(&server, descriptors);
    witness.was_served();
}

#[test]
fn a_client_that_never_reads_its_answers_is_cut_off() {
    let config = "max_pending: 1MB, max_payload: 64KB, write_deadline: \"2s\"";
    let mut server = ServerBuilder::nats().config(config).start();
    let witness = Witness::of(&server);
    let before = server.resident_bytes();
    for (what, connect) in [
        ("PING\r\n", "{\"verbose\":false}"),
        ("SUB a..b 1\r\n", "{\"verbose\":false}"),
        ("UNSUB 1\r\n", "{\"verbose\":true}"),
        ("SUB own 1\r\nPUB own 0\r\n\r\n", "{\"verbose\":false}"),
    ] {
        let mut peer = Peer::with(&server, connect);
        let batch = what.repeat(20_000);
        let deadline = Instant::now() + PATIENCE;
        while peer.try_send(&batch).is_ok() {
            assert!(Instant::now() < deadline, "{what:?} goes on");
        }
    }
    witness.was_served();
    assert!(server.is_running());
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 64 * MIB, "unread answers left {grown} bytes");
}

#[test]
fn a_client_that_stops_in_the_middle_of_a_frame_keeps_nobody_waiting() {
    let server = ServerProcess::nats();
    let witness = Witness::of(&server);
    let mut held = Vec::new();
    for half in [
        "C",
        "CONNECT {",
        "SUB a",
        "SUB a 1\r",
        "PUB a 5\r\nhe",
        "PUB a 5\r\nhello\r",
        "HPUB a 12 12\r\nNATS",
    ] {
        let mut peer = Peer::connect(&server);
        peer.send("CONNECT {\"verbose\":false,\"headers\":true}\r\n");
        peer.send(half);
        held.push(peer);
    }
    witness.was_served();
    for peer in held {
        peer.socket()
            .shutdown(Shutdown::Write)
            .expect("an open socket");
        let mut said = Vec::new();
        // A frame that was cut off is no reason for anything but the end.
        let ended = peer.socket().read_to_end(&mut said);
        assert!(
            ended.is_ok() && !said.starts_with(b"MSG"),
            "{ended:?} {said:?}"
        );
    }
}
