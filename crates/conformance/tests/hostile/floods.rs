//! Too many of everything: connections, subscriptions, open descriptors.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use recado_conformance::{PATIENCE, Peer, ServerBuilder, ServerProcess};

use crate::MIB;
use crate::witness::{Witness, descriptors_fall_to};

/// A million subscriptions take no more than this, subjects included.
const MILLION_SUBSCRIPTIONS_MAX: u64 = 512 * MIB;

/// Sends the SUBs for subjects `many.N.x`, and waits until they are all there.
fn subscribe_to_a_million(peer: &mut Peer) {
    for thousand in 0..1_000 {
        let batch = (0..1_000).map(|n| {
            let number = thousand * 1_000 + n;
            match number % 4 {
                0 => format!("SUB many.{number}.* {number}\r\n"),
                1 => format!("SUB many.{number}.x workers {number}\r\n"),
                _ => format!("SUB many.{number}.x {number}\r\n"),
            }
        });
        peer.send(batch.collect::<String>());
    }
    assert_eq!(peer.until_pong(""), "");
}

#[test]
fn a_million_subscriptions_on_one_connection_are_held_and_given_back() {
    // The C library keeps memory that was given back for the threads that share its arena. With
    // one arena for all, what is not used again was not given back.
    let builder = ServerBuilder::nats().variable("MALLOC_ARENA_MAX", "1");
    let mut server = builder.start();
    let witness = Witness::of(&server);
    let before = server.resident_bytes();
    // A leak grows with each round. What one round was still giving back while the next began, does not.
    let mut peak = 0;
    for round in 0..3 {
        let mut peer = Peer::plain(&server);
        let start = Instant::now();
        subscribe_to_a_million(&mut peer);
        println!("round {round}: subscribed within {:?}", start.elapsed());
        let numbers = [0, 1, 2, 3, 499_999, 999_996, 999_997, 999_999];
        let publishes = numbers.map(|number| format!("PUB many.{number}.x 0\r\n\r\n"));
        let said = peer.until_pong(publishes.concat());
        let expected = numbers.map(|number| format!("MSG many.{number}.x {number} 0\r\n\r\n"));
        assert_eq!(said, expected.concat());

        let grown = server.resident_bytes().saturating_sub(before);
        println!(
            "round {round}: a million subscriptions take {} MiB",
            grown / MIB
        );
        assert!(grown < MILLION_SUBSCRIPTIONS_MAX, "{grown} bytes");
        if round < 2 {
            peak = peak.max(grown);
        } else {
            assert!(
                grown < peak + peak / 4 + 16 * MIB,
                "{grown} bytes after {peak}: a leak"
            );
        }
        drop(peer);
        let start = Instant::now();
        wait_until_nobody_listens(&server);
        println!("round {round}: given back within {:?}", start.elapsed());
    }
    witness.was_served();
    assert!(server.is_running());
}

/// The subscriptions of a connection that has ended are gone once requests get 503: a thousand of
/// them all over the million, so that few can be left that were not asked for.
fn wait_until_nobody_listens(server: &ServerProcess) {
    let mut peer = Peer::plain(server);
    assert_eq!(peer.until_pong("SUB reply 1\r\n"), "");
    let requests = (0..1_000).map(|n| format!("PUB many.{}.x reply 0\r\n\r\n", n * 1_000 + n));
    let requests = requests.collect::<String>();
    let deadline = Instant::now() + PATIENCE;
    while peer.until_pong(&requests).matches(" 503\r\n").count() < 1_000 {
        assert!(
            Instant::now() < deadline,
            "subscriptions outlive their connection"
        );
    }
}

#[test]
fn subscriptions_that_come_and_go_leave_nothing_behind() {
    let server = ServerProcess::nats();
    let witness = Witness::of(&server);
    let mut peer = Peer::plain(&server);
    let mut churn = |rounds: std::ops::Range<u32>| {
        for round in rounds {
            let batch = (0..1_000).map(|n| {
                let number = round * 1_000 + n;
                format!("SUB churn.{number}.*.{n} {number}\r\nUNSUB {number}\r\n")
            });
            assert_eq!(peer.until_pong(batch.collect::<String>()), "");
        }
    };
    churn(0..20);
    let before = server.resident_bytes();
    churn(20..200);
    let grown = server.resident_bytes().saturating_sub(before);
    witness.was_served();
    assert!(
        grown < 24 * MIB,
        "180,000 subscriptions that are gone left {grown} bytes"
    );
}

#[test]
fn thousands_of_connections_that_come_and_go_leave_nothing_behind() {
    let mut server = ServerProcess::nats();
    let witness = Witness::of(&server);
    let descriptors = server.descriptors();
    let before = server.resident_bytes();
    let addr = server.addr();
    std::thread::scope(|scope| {
        for kind in 0..4 {
            scope.spawn(move || {
                for _ in 0..1_000 {
                    let mut stream = TcpStream::connect(addr).expect("the server accepts");
                    match kind {
                        // Gone before INFO.
                        0 => {}
                        1 => stream
                            .write_all(b"CONNECT {}\r\nSUB a 1\r\n")
                            .expect("it reads"),
                        2 => stream.write_all(b"PUB a 100\r\nhalf").expect("it reads"),
                        _ => drop(Peer::try_connect(addr).expect("INFO")),
                    }
                }
            });
        }
    });
    witness.was_served();
    descriptors_fall_to(&server, descriptors);
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(
        grown < 48 * MIB,
        "5,000 connections that are gone left {grown} bytes"
    );
    assert!(server.is_running());
}

#[test]
fn a_flood_of_strangers_is_sent_away_unheard_and_keeps_nobody_out_who_has_the_password() {
    let config = "authorization { user: ana, password: \"a word of many letters\", timeout: 2 }";
    let mut server = ServerBuilder::nats().config(config).start();
    let known = r#"{"verbose":false,"user":"ana","pass":"a word of many letters","name":"known"}"#;
    let mut ana = Peer::with(&server, known);
    assert_eq!(ana.until_pong("SUB > 1\r\n"), "");
    let descriptors = server.descriptors();
    let mut crowd: Vec<Peer> = (0..600)
        .map(|number| {
            let mut stranger = Peer::connect(&server);
            // Each may have been sent away before it has said all.
            let _ = stranger.try_send(match number % 6 {
                0 => "",
                1 => "PUB secret 2\r\nhi\r\nSUB > 1\r\n",
                2 => "CONNECT {\"verbose\":false}\r\nSUB > 1\r\nPUB secret 2\r\nhi\r\n",
                3 => "CONNECT {\"user\":\"ana\",\"pass\":\"wrong\"}\r\nPUB secret 2\r\nhi\r\n",
                4 => "CONNECT {\"user\":\"ana\",\"pa",
                _ => "PING\r\nPING\r\nPING\r\n",
            });
            stranger
        })
        .collect();
    let mut late = Peer::with(&server, known);
    assert_eq!(late.until_pong("PUB open 2\r\nhi\r\n"), "");
    for stranger in &mut crowd {
        let said = stranger.until_closed("");
        let refused = said.ends_with("-ERR 'Authorization Violation'\r\n")
            || said.ends_with("-ERR 'Authentication Timeout'\r\n");
        // Whoever had written more than was read may hear nothing.
        assert!(refused || said.is_empty(), "{said}");
        assert!(!said.contains("MSG "), "{said}");
    }
    drop((crowd, late));
    assert_eq!(
        ana.until_pong(""),
        "MSG open 1 2\r\nhi\r\n",
        "and nothing else"
    );
    descriptors_fall_to(&server, descriptors);
    assert!(server.is_running());
}

#[test]
fn out_of_descriptors_it_serves_those_it_has_and_recovers() {
    let server = ServerBuilder::nats().descriptors_max(64).start();
    let witness = Witness::of(&server);
    // The kernel accepts them all; the server cannot take most of them.
    let crowd: Vec<TcpStream> = (0..100)
        .map(|_| TcpStream::connect(server.addr()).expect("there is room to wait"))
        .collect();
    // The crowd stays, so there is something to complain about all the time.
    server.wait_for_log("too many open files");
    let start = Instant::now();
    server.wait_for_log_lines("too many open files", 3);
    let between = start.elapsed();
    assert!(
        between > Duration::from_millis(1_500),
        "two more complaints within {between:?}"
    );
    drop(crowd);
    let mut peer = Peer::connect(&server);
    assert_eq!(peer.until_pong("").replace("+OK\r\n", ""), "");
    witness.was_served();
}
