//! `recado latency`.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use recado_conformance::{Peer, ServerProcess};
use serde_json::Value;

use crate::harness::{Ended, recado};

/// The one object of a run with `--json`.
fn report(ended: &Ended) -> Value {
    let stdout = String::from_utf8_lossy(&ended.stdout);
    let value: Value = serde_json::from_str(stdout.trim()).expect("one object of JSON");
    value["latency"].clone()
}

#[test]
fn with_a_responder_of_its_own_it_needs_nobody_else() {
    let server = ServerProcess::nats();
    let args = [
        "latency",
        "--rate",
        "500",
        "-d",
        "400ms",
        "--warm-up",
        "100ms",
    ];
    let stdout = recado(&server.url(), args).succeed();
    for words in [
        "Request/reply latency at 127.0.0.1:",
        "500 requests/s for 400 ms, 128 bytes, own responder",
        "200 requests, 200 answered, 0 lost (0 %)",
        "50 %",
        "99 %",
        "max",
        "█",
    ] {
        assert!(stdout.contains(words), "{words:?} is not in:\n{stdout}");
    }
    assert!(
        !stdout.contains('\u{1b}'),
        "no colours in a pipe:\n{stdout}"
    );
    let widest = stdout.lines().map(|line| line.chars().count()).max();
    let bars = stdout.lines().filter(|line| line.contains('█'));
    assert!(bars.count() > 1 && widest <= Some(140), "{stdout}");
}

#[test]
fn the_figures_for_machines_add_up() {
    let server = ServerProcess::nats();
    let args = [
        "latency",
        "--rate",
        "1k",
        "-d",
        "300ms",
        "--warm-up",
        "0s",
        "--size",
        "1KiB",
        "--json",
    ];
    let ended = recado(&server.url(), args).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report = report(&ended);
    assert_eq!(
        (&report["requests"], &report["answered"]),
        (&300.into(), &300.into())
    );
    assert_eq!(
        (&report["lost"], &report["bytes"]),
        (&0.into(), &1024.into())
    );
    let buckets = report["distribution"].as_array().unwrap();
    let counted: u64 = buckets
        .iter()
        .map(|bucket| bucket["requests"].as_u64().unwrap())
        .sum();
    assert_eq!(counted, 300);
    let percentiles = report["percentiles_ms"].as_object().unwrap();
    let at = |name: &str| percentiles[name].as_f64().unwrap();
    assert!(at("0") <= at("50") && at("50") <= at("99") && at("99") <= at("100"));
}

#[test]
fn somebody_else_may_answer_and_nobody_is_an_error_of_its_own() {
    let server = ServerProcess::nats();
    let args = [
        "latency",
        "greet",
        "--rate",
        "200",
        "-d",
        "200ms",
        "--warm-up",
        "0s",
    ];
    let ended = recado(&server.url(), args).run();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("nobody answers on \"greet\""),
        "{}",
        ended.stderr
    );

    let responder = recado(&server.url(), ["reply", "greet", "--text", "hello"]).spawn();
    responder.told("Answering on greet");
    let stdout = recado(&server.url(), args).succeed();
    assert!(
        stdout.contains("Latency of greet at ") && stdout.contains("40 answered"),
        "{stdout}"
    );
}

#[test]
fn a_stall_of_the_server_shows_in_every_request_that_was_due_meanwhile() {
    let server = ServerProcess::nats();
    let rate = 400;
    let args = [
        "latency",
        "stall",
        "--responder",
        "--rate",
        "400",
        "-d",
        "3s",
        "--warm-up",
        "0s",
        "--timeout",
        "30s",
        "--json",
    ];
    let mut onlooker = Peer::plain(&server);
    onlooker.until_pong("SUB stall 1\r\n");
    let measuring = recado(&server.url(), args).spawn();
    onlooker.message();
    let start = Instant::now();
    server.signal(Signal::SIGSTOP);
    // The stall itself; nothing is waited for here.
    std::thread::sleep(Duration::from_millis(1500));
    let stall = start.elapsed().min(Duration::from_secs(2));
    server.signal(Signal::SIGCONT);
    drop(onlooker);
    let ended = measuring.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report = report(&ended);
    assert_eq!(
        (&report["requests"], &report["answered"]),
        (&1200.into(), &1200.into())
    );
    // A request that was due after half of the stall waited for the other half. A closed loop would have
    // one slow request, whatever the rate.
    let half_ms = 500.0;
    let slow: u64 = report["distribution"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|bucket| bucket["from_ms"].as_f64().unwrap() >= half_ms)
        .map(|bucket| bucket["requests"].as_u64().unwrap())
        .sum();
    let due_meanwhile = (stall.as_secs_f64() - half_ms / 1e3) * f64::from(rate);
    assert!(
        slow as f64 >= due_meanwhile * 0.8,
        "{slow} of {due_meanwhile}: {report}"
    );
    let percentile = |name: &str| report["percentiles_ms"][name].as_f64().unwrap();
    assert!(
        percentile("100") >= 1400.0 && percentile("95") >= half_ms,
        "{report}"
    );
}

#[test]
fn requests_without_an_answer_are_lost_and_slower_than_all_others() {
    let server = ServerProcess::nats();
    let mut deaf = Peer::plain(&server);
    deaf.until_pong("SUB deaf 1\r\n");
    let args = [
        "latency",
        "deaf",
        "--rate",
        "100",
        "-d",
        "500ms",
        "--warm-up",
        "0s",
        "--timeout",
        "200ms",
        "--outstanding",
        "10",
        "--json",
    ];
    let ended = recado(&server.url(), args).run();
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("without an answer within 200 ms: 50 of 50"),
        "{}",
        ended.stderr
    );
    let report = report(&ended);
    assert_eq!(
        (&report["lost"], &report["answered"]),
        (&50.into(), &0.into())
    );
    assert!(report["unsent"].as_u64() >= Some(1), "{report}");
    assert!(report["percentiles_ms"]["50"].is_null(), "{report}");
}

/// A measurement that does not end by itself while a test runs.
const LONG: [&str; 9] = [
    "latency",
    "long",
    "--responder",
    "--rate",
    "200",
    "-d",
    "1h",
    "--warm-up",
    "0s",
];

#[test]
fn ctrl_c_in_the_middle_shows_what_was_measured_so_far() {
    let server = ServerProcess::nats();
    let mut onlooker = Peer::plain(&server);
    onlooker.until_pong("SUB long 1\r\n");
    let measuring = recado(&server.url(), LONG).spawn();
    for _ in 0..20 {
        onlooker.message();
    }
    measuring.signal(Signal::SIGINT);
    let ended = measuring.end();
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert!(
        stdout.contains(" answered, ") && stdout.contains("50 %"),
        "{stdout}"
    );
}

#[test]
fn a_server_that_dies_in_the_middle_is_told_after_what_was_measured() {
    let mut server = ServerProcess::nats();
    let mut onlooker = Peer::plain(&server);
    onlooker.until_pong("SUB long 1\r\n");
    let measuring = recado(&server.url(), LONG.into_iter().chain(["--json"])).spawn();
    for _ in 0..20 {
        onlooker.message();
    }
    server.kill();
    let ended = measuring.end();
    assert_eq!(ended.code, Some(12), "{}", ended.stderr);
    assert!(report(&ended)["answered"].as_u64() >= Some(1));
}

#[test]
fn what_is_saved_stands_alone_and_its_ending_says_what_it_is() {
    let server = ServerProcess::nats();
    let path = |ending: &str| server.dir().join(format!("chart.{ending}"));
    let mut args: Vec<String> = ["latency", "--rate", "500", "-d", "200ms", "--warm-up", "0s"]
        .map(str::to_owned)
        .to_vec();
    for ending in ["svg", "html", "json", "hgrm"] {
        args.extend(["--save".to_owned(), path(ending).display().to_string()]);
    }
    recado(&server.url(), &args).succeed();
    let read = |ending: &str| std::fs::read_to_string(path(ending)).expect("it was saved");
    let (svg, html) = (read("svg"), read("html"));
    assert!(svg.starts_with("<svg xmlns=") && svg.trim_end().ends_with("</svg>"));
    assert!(html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"));
    for picture in [&svg, &html] {
        assert!(picture.contains("polyline") && picture.contains("99 %"));
        assert!(picture.contains("prefers-color-scheme:dark"));
        // Nothing is fetched from elsewhere.
        assert!(
            !picture.contains("src=") && !picture.contains("href=") && !picture.contains("<script")
        );
        assert!(!picture.contains("NaN") && !picture.contains("inf"));
    }
    assert_eq!(svg.matches("<g ").count(), 3);
    let json: Value = serde_json::from_str(&read("json")).unwrap();
    assert_eq!(json["latency"]["answered"], 100);
    let table = read("hgrm");
    assert!(
        table.contains("1/(1-Percentile)") && table.contains("#[Max     ="),
        "{table}"
    );

    let ended = recado(&server.url(), ["latency", "--save", "chart.png"]).run();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains(".svg, .html, .json or .hgrm"),
        "{}",
        ended.stderr
    );
    let nowhere = [
        "latency",
        "-d",
        "10ms",
        "--warm-up",
        "0s",
        "--save",
        "/no/such/dir/a.svg",
    ];
    let ended = recado(&server.url(), nowhere).run();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
}

#[test]
fn impossible_wishes_are_refused_before_anything_is_sent() {
    let server = ServerProcess::nats();
    for (args, words) in [
        (["--rate", "0"], "is no rate"),
        (["--rate", "2M"], "is no rate"),
        (["--duration", "10us"], "not a single request"),
        (["--duration", "10000000s"], "too many for one measurement"),
        (["--size", "much"], "is no size"),
    ] {
        let ended = recado(&server.url(), ["latency"].iter().chain(&args)).run();
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{args:?}: {}", ended.stderr);
    }
    let ended = recado(&server.url(), ["latency", "--size", "100MB"]).run();
    assert_eq!(ended.code, Some(11), "{}", ended.stderr);
}
