//! `recado ping`.

use nix::sys::signal::Signal;
use recado_conformance::ServerProcess;
use serde_json::Value;

use crate::harness::recado;

#[test]
fn each_round_trip_has_a_line_and_the_end_has_percentiles() {
    let server = ServerProcess::nats();
    let stdout = recado(&server.url(), ["ping", "--count", "3", "--interval", "1ms"]).succeed();
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 7, "{stdout}");
    assert!(
        lines[0].starts_with(&format!("connected to {} in ", server.addr())),
        "{stdout}"
    );
    // What only our server says of itself.
    let program = match std::env::var_os("RECADO_SERVER_BIN") {
        None => format!(": recado {} (NATS 2.", env!("CARGO_PKG_VERSION")),
        Some(_) => ": NATS 2.".to_owned(),
    };
    assert!(lines[0].contains(&program), "{stdout}");
    for step in ["name ", "TCP ", "greeting ", "authentication "] {
        assert!(lines[1].contains(step), "{stdout}");
    }
    assert!(lines[2].starts_with("pong 1 from ") && lines[4].starts_with("pong 3 from "));
    let sent = format!("3 sent to {}, 3 answered, 0 % lost, in ", server.addr());
    assert!(lines[5].starts_with(&sent), "{stdout}");
    assert!(
        lines[6].starts_with("round trips: 3; min ")
            && lines[6].contains("p99")
            && lines[6].contains("mdev"),
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
fn a_server_that_stops_is_told_of_while_it_lasts_and_its_late_pongs_count_with_their_true_time() {
    let server = ServerProcess::nats();
    let args = [
        "ping",
        "--count",
        "0",
        "--interval",
        "20ms",
        "--timeout",
        "300ms",
        "--json",
    ];
    let pinging = recado(&server.url(), args).spawn();
    pinging.shows("\"round_trip\":3");
    server.signal(Signal::SIGSTOP);
    pinging.shows("{\"limit_ms\":300.0,\"missed\":");
    server.signal(Signal::SIGCONT);
    let late: Value = serde_json::from_str(&pinging.shows("\"late\":true")).unwrap();
    assert!(late["rtt_ms"].as_f64() >= Some(300.0), "{late}");
    pinging.signal(Signal::SIGINT);
    let ended = pinging.end();
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("\"name\":\"deadline\""),
        "{}",
        ended.stderr
    );
    let stdout = String::from_utf8(ended.stdout).unwrap();
    let summary: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    let summary = &summary["summary"];
    assert!(summary["late"].as_u64() >= Some(1), "{summary}");
    assert!(summary["missed"].as_u64() >= summary["late"].as_u64());
    assert!(summary["rtt"]["max_ms"].as_f64() >= Some(300.0));
}

#[test]
fn a_count_ends_although_the_server_has_stopped_and_the_loss_is_told() {
    let server = ServerProcess::nats();
    let args = ["ping", "-c", "40", "-i", "50ms", "--timeout", "300ms"];
    let pinging = recado(&server.url(), args).spawn();
    pinging.shows("pong 2 from ");
    server.signal(Signal::SIGSTOP);
    let ended = pinging.end();
    server.signal(Signal::SIGCONT);
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert!(
        stdout.contains("no answer to ping 40 within 300 ms"),
        "{stdout}"
    );
    assert!(
        stdout.contains("40 sent to ") && !stdout.contains(", 0 % lost"),
        "{stdout}"
    );
}

#[test]
fn a_flood_shows_only_its_sum_and_ends_with_its_duration() {
    let server = ServerProcess::nats();
    let args = ["ping", "--flood", "--duration", "200ms", "--json"];
    let stdout = recado(&server.url(), args).succeed();
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{stdout}");
    let sum: Value = serde_json::from_str(lines[1]).unwrap();
    let pongs = sum["summary"]["round_trips"].as_u64();
    assert!(pongs > Some(5), "{stdout}");
    assert_eq!(sum["summary"]["sent"].as_u64(), pongs);
    assert_eq!(sum["summary"]["loss_percent"], 0.0);
}

#[test]
fn connecting_again_and_again_gives_each_step_its_own_percentiles() {
    let server = ServerProcess::nats();
    let args = ["ping", "--connect", "-c", "4", "-i", "1ms"];
    let stdout = recado(&server.url(), args).succeed();
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(
        lines[3].starts_with("connection 4 to ") && lines[3].contains("authentication "),
        "{stdout}"
    );
    assert_eq!(lines[4], "connections: 4; each step in ms");
    assert!(lines[5].contains("p99") && lines[5].contains("mdev"));
    let rows: Vec<&str> = lines[6..]
        .iter()
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(
        rows,
        ["name", "TCP", "greeting", "authentication", "connecting"]
    );
    let as_json = recado(&server.url(), args.iter().chain(&["--json"])).succeed();
    let sum: Value = serde_json::from_str(as_json.lines().last().unwrap()).unwrap();
    assert_eq!(sum["summary"]["connections"], 4);
    assert!(sum["summary"]["steps"]["tcp"]["p99_ms"].is_f64());
}

#[test]
fn with_retry_the_pings_go_on_over_a_new_connection() {
    let mut server = ServerProcess::nats();
    let args = ["ping", "-c", "0", "-i", "10ms", "--retry"];
    let pinging = recado(&server.url(), args).spawn();
    pinging.shows("pong 2 from ");
    server.kill();
    pinging.told("; connecting again");
    server.restart();
    pinging.told("Connected again after ");
    // Far more than there can have been before.
    pinging.shows("pong 200 from ");
    pinging.signal(Signal::SIGINT);
    let ended = pinging.end();
    assert!(
        matches!(ended.code, Some(0 | 4)),
        "{:?} {}",
        ended.code,
        ended.stderr
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
