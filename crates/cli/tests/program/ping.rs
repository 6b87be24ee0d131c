//! `recado ping`.

use nix::sys::signal::Signal;
use recado_conformance::ServerProcess;

use crate::harness::recado;

#[test]
fn each_round_trip_has_a_line_and_the_end_has_percentiles() {
    let server = ServerProcess::nats();
    let stdout = recado(&server.url(), ["ping", "--count", "3", "--interval", "1ms"]).succeed();
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 6, "{stdout}");
    assert!(
        lines[0].starts_with(&format!("connected to {} in ", server.addr())),
        "{stdout}"
    );
    let program = format!(": recado {} (NATS 2.", env!("CARGO_PKG_VERSION"));
    assert!(lines[0].contains(&program), "{stdout}");
    for step in ["name ", "TCP ", "greeting ", "authentication "] {
        assert!(lines[1].contains(step), "{stdout}");
    }
    assert!(lines[2].starts_with("pong 1 from ") && lines[4].starts_with("pong 3 from "));
    assert!(
        lines[5].starts_with("round trips: 3; min ") && lines[5].contains("p99"),
        "{stdout}"
    );
}

#[test]
fn it_goes_on_until_ctrl_c_when_told_so_and_then_sums_up() {
    let server = ServerProcess::nats();
    let pinging = recado(&server.url(), ["ping", "--count", "0", "--interval", "1ms"]).spawn();
    pinging.shows("pong 7 from ");
    pinging.signal(Signal::SIGINT);
    let ended = pinging.end();
    assert_eq!(ended.code, Some(0));
    assert!(
        String::from_utf8(ended.stdout)
            .unwrap()
            .contains("round trips: ")
    );
}

#[test]
fn a_server_that_stops_answering_is_noticed_and_what_was_measured_is_kept() {
    let server = ServerProcess::nats();
    let args = [
        "ping",
        "--count",
        "0",
        "--interval",
        "1ms",
        "--timeout",
        "300ms",
        "--json",
    ];
    let pinging = recado(&server.url(), args).spawn();
    pinging.shows("\"round_trip\":3");
    server.signal(Signal::SIGSTOP);
    let ended = pinging.end();
    server.signal(Signal::SIGCONT);
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("\"name\":\"deadline\""),
        "{}",
        ended.stderr
    );
    assert!(
        String::from_utf8(ended.stdout)
            .unwrap()
            .contains("\"summary\"")
    );
}

#[test]
fn a_server_that_dies_between_two_pings_is_noticed_at_once() {
    let mut server = ServerProcess::nats();
    let pinging = recado(&server.url(), ["ping", "--count", "0", "--interval", "1h"]).spawn();
    pinging.shows("pong 1 from ");
    server.kill();
    let ended = pinging.end();
    assert_eq!(ended.code, Some(12), "{}", ended.stderr);
}
