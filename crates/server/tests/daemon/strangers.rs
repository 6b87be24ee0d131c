//! Who does not know the password: how often that one is heard, and what it costs the others. Addresses are what a proxy's
//! header says, for failures from this machine do not count.

use std::net::SocketAddr;

use nix::sys::signal::Signal;

use crate::program::{Client, Running};

const RIGHT: &str = "the right word of many letters";
const WRONG: &str = "a wrong word of many letters";
const REFUSED: &str = "-ERR 'Authorization Violation'";
/// Failures after which an address is not listened to (`FAILURES_MAX`).
const FAILURES_MAX: usize = 10;

/// A server behind a proxy, with the user ana.
fn start(password: &str, more: &str) -> (Running, SocketAddr, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("server.conf");
    let text = format!(
        "host: \"127.0.0.1\", jetstream: false, proxy_protocol: true
         authorization {{ users: [{{user: ana, password: {password:?}}}], {more} }}"
    );
    std::fs::write(&file, text).unwrap();
    let (server, address) = Running::start(&["-c", file.to_str().unwrap()]);
    (server, address, directory)
}

/// Connects from this address, or from this machine, and logs in; what it is told comes next.
fn log_in(server: SocketAddr, from: Option<&str>, password: &str) -> Client {
    let mut client = Client::connect(server);
    let header = from.map_or(String::new(), |from| {
        let (kind, to) = match from.contains(':') {
            true => ("TCP6", "::1"),
            false => ("TCP4", "127.0.0.1"),
        };
        format!("PROXY {kind} {from} {to} 4711 4222\r\n")
    });
    client.send(&format!(
        "{header}CONNECT {{\"verbose\":false,\"user\":\"ana\",\"pass\":\"{password}\"}}\r\nPING\r\n"
    ));
    client
}

fn answer(server: SocketAddr, from: Option<&str>, password: &str) -> String {
    log_in(server, from, password).line()
}

/// As many as decide at the same time.
fn deciders() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
}

fn hash(cost: u32) -> String {
    bcrypt::hash(RIGHT, cost).unwrap()
}

#[test]
fn an_address_that_keeps_failing_is_not_heard_for_a_while_and_all_others_are() {
    let (mut server, address, _directory) = start(RIGHT, "");
    for _ in 0..FAILURES_MAX {
        assert_eq!(answer(address, Some("203.0.113.7"), WRONG), REFUSED);
    }
    let said = server.line("not listened to for a while");
    assert!(said.contains("203.0.113.7"), "{said}");
    assert_eq!(answer(address, Some("203.0.113.7"), RIGHT), REFUSED);
    assert_eq!(answer(address, Some("203.0.113.8"), RIGHT), "PONG");
    // Whoever has one address of a network of IPv6 has all of them.
    for host in 1..=FAILURES_MAX {
        let from = format!("2001:db8:0:1::{host}");
        assert_eq!(answer(address, Some(&from), WRONG), REFUSED);
    }
    assert_eq!(answer(address, Some("2001:db8:0:1::ffff"), RIGHT), REFUSED);
    assert_eq!(answer(address, Some("2001:db8:0:2::1"), RIGHT), "PONG");
    // Whoever is on this machine is not a stranger.
    for _ in 0..=FAILURES_MAX {
        assert_eq!(answer(address, None, WRONG), REFUSED);
    }
    assert_eq!(answer(address, None, RIGHT), "PONG");
}

#[test]
fn a_slip_is_forgiven_with_the_right_password() {
    let (_server, address, _directory) = start(RIGHT, "");
    for _ in 0..3 {
        for _ in 0..FAILURES_MAX - 1 {
            assert_eq!(answer(address, Some("203.0.113.7"), WRONG), REFUSED);
        }
        assert_eq!(answer(address, Some("203.0.113.7"), RIGHT), "PONG");
    }
}

#[test]
fn a_flood_of_bcrypt_logins_leaves_others_their_turn_and_is_soon_not_decided_on_any_more() {
    let (server, address, _directory) = start(&hash(8), "timeout: \"1m\"");
    let mut ana = log_in(address, None, RIGHT);
    assert_eq!(ana.line(), "PONG");
    let count = FAILURES_MAX + 4 * deciders() + 60;
    let flood: Vec<_> = (0..count)
        .map(|_| log_in(address, Some("203.0.113.7"), WRONG))
        .collect();
    assert!(ana.is_answered(), "she is served beside it");
    for mut stranger in flood {
        assert_eq!(stranger.line(), REFUSED);
    }
    assert!(ana.is_answered());
    server.signal(Signal::SIGTERM);
    let (_, lines) = server.ended();
    let told = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    // Those that are decided on at the same time may all be over the limit, and as many again that came in
    // before these were counted.
    let decided = told("login denied");
    let most = FAILURES_MAX + 2 * deciders();
    assert!(
        (FAILURES_MAX..=most).contains(&decided),
        "{decided} of {count}: {lines:#?}"
    );
    let unheard = told("reason=\"too many failed logins from its address");
    assert_eq!(decided + unheard, count, "{lines:#?}");
}

#[test]
fn a_login_whose_turn_does_not_come_in_time_is_sent_away_and_those_inside_are_served() {
    let (mut server, address, _directory) = start(&hash(12), "timeout: \"2s\"");
    let mut ana = log_in(address, None, RIGHT);
    assert_eq!(ana.line(), "PONG");
    // From everywhere, so that no address is paused.
    let flood: Vec<_> = (1..=24 * deciders())
        .map(|host| {
            let from = format!("198.51.{}.{}", host / 250, host % 250 + 1);
            log_in(address, Some(&from), WRONG)
        })
        .collect();
    assert!(ana.is_answered(), "she is served beside it");
    let mut late = 0;
    for mut stranger in flood {
        match stranger.line().as_str() {
            REFUSED => {}
            "-ERR 'Authentication Timeout'" => late += 1,
            other => panic!("{other:?}"),
        }
        assert!(stranger.is_closed());
    }
    assert!(late > 0, "all were decided on");
    server.line("its turn did not come in time");
    assert!(ana.is_answered());
}
