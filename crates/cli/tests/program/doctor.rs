//! `recado doctor`: the way to a server, step by step.

use std::io::{Read, Write};
use std::net::TcpListener;

use recado_conformance::{ServerBuilder, ServerProcess};
use serde_json::Value;

use crate::harness::recado;

const STEPS: [&str; 7] = [
    "name",
    "tcp",
    "greeting",
    "tls",
    "authentication",
    "round_trip",
    "clock",
];

/// Each step with its result, as `--json` tells it; and the exit status.
fn examined(server: &str, args: &[&str]) -> (Value, Option<i32>) {
    let line = ["doctor", "--json", "--timeout", "500ms"];
    let ended = recado(server, line.iter().chain(args)).run();
    let stdout = String::from_utf8(ended.stdout).unwrap();
    let first = stdout.lines().next().unwrap_or_default();
    let report = serde_json::from_str(first).unwrap_or_else(|_| panic!("{stdout}{}", ended.stderr));
    (report, ended.code)
}

fn result<'a>(report: &'a Value, step: &str) -> &'a str {
    let steps = report["steps"].as_array().unwrap();
    let found = steps.iter().rfind(|found| found["step"] == step).unwrap();
    found["result"].as_str().unwrap()
}

/// The step before is fine, this one fails, and those after it are not come to.
fn breaks_at(report: &Value, broken: &str, status: i64) {
    let at = STEPS.iter().position(|step| *step == broken).unwrap();
    for (number, step) in STEPS.iter().enumerate() {
        let found = result(report, step);
        let expected: &[&str] = match number {
            _ if number < at => &["ok", "note"],
            _ if number == at => &["failed"],
            _ => &["skipped"],
        };
        assert!(expected.contains(&found), "{step} is {found}: {report}");
    }
    assert_eq!(report["ok"], false);
    assert_eq!(report["error"]["step"], broken, "{report}");
    assert_eq!(report["error"]["status"], status, "{report}");
    assert!(!report["error"]["next"].as_str().unwrap().is_empty());
}

#[test]
fn a_way_without_obstacles_is_shown_with_the_time_of_each_step() {
    let server = ServerProcess::nats();
    let (report, status) = examined(&server.url(), &[]);
    assert_eq!((status, &report["ok"]), (Some(0), &Value::Bool(true)));
    for step in STEPS {
        assert!(["ok", "note"].contains(&result(&report, step)), "{report}");
    }
    for step in report["steps"].as_array().unwrap() {
        let timed = step["took_ms"].as_f64().is_some();
        assert!(timed || step["result"] == "note", "{step}");
    }
    let shown = recado(&server.url(), ["doctor"]).succeed();
    assert!(shown.contains("Nothing is wrong"), "{shown}");
    let shown = recado(&server.url(), ["doctor", "--lang", "es"]).succeed();
    assert!(shown.contains("todo está bien"), "{shown}");
}

#[test]
fn a_server_that_tells_the_time_has_its_clock_compared() {
    let server = ServerBuilder::recado().start();
    let stdout = recado(&server.url(), ["doctor", "--json"]).succeed();
    let report: Value = serde_json::from_str(&stdout).unwrap();
    let clock = report["steps"].as_array().unwrap().last().unwrap();
    if server_is_ours(&report) {
        // Both are on this machine; the bound is the round trip, with much patience.
        let offset = clock["offset_ms"].as_f64().expect("an offset");
        assert!(offset.abs() < 5_000.0, "{clock}");
    } else {
        let told = clock["detail"].as_str().unwrap();
        assert!(told.contains("not told"), "{told}");
    }
}

fn server_is_ours(report: &Value) -> bool {
    let steps = report["steps"].as_array().unwrap();
    let greeting = steps.iter().find(|step| step["step"] == "greeting");
    greeting.unwrap()["detail"]
        .as_str()
        .unwrap()
        .contains("recado")
}

#[test]
fn it_says_at_which_step_the_way_breaks() {
    let (report, status) = examined("nats://no-such-host.invalid:4222", &[]);
    breaks_at(&report, "name", 6);
    assert_eq!(status, Some(6));

    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap().to_string();
    drop(closed);
    let (report, status) = examined(&address, &[]);
    breaks_at(&report, "tcp", 5);
    assert_eq!(status, Some(5));

    let http = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = http.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in http.incoming().flatten() {
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let (report, status) = examined(&address, &[]);
    breaks_at(&report, "greeting", 8);
    assert_eq!(status, Some(8));

    let server = ServerProcess::nats();
    let (report, status) = examined(&server.url().replace("nats:", "tls:"), &[]);
    breaks_at(&report, "tls", 13);
    assert_eq!(status, Some(13));

    let server = ServerBuilder::nats().args(["--auth", "right"]).start();
    let (report, status) = examined(&server.url(), &["--token", "wrong"]);
    breaks_at(&report, "authentication", 9);
    assert_eq!(status, Some(9));
    assert!(!report.to_string().contains("wrong\""), "{report}");
}

#[test]
fn several_servers_are_looked_at_one_after_the_other() {
    let server = ServerProcess::nats();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap().to_string();
    drop(closed);
    let ended = recado("", ["doctor", &address, &server.url()]).run();
    assert_eq!(ended.code, Some(5), "the first that has a failure counts");
    let shown = String::from_utf8(ended.stdout).unwrap();
    let broken = shown.find("The way breaks at: TCP").expect("what is wrong");
    let fine = shown.find("Nothing is wrong").expect("and what is not");
    assert!(broken < fine, "{shown}");
    assert_eq!(ended.stderr, "", "the report has said it all");
}

#[test]
fn every_address_of_a_name_is_tried() {
    // A listener on one of the two loopbacks: whatever else the name means is shown beside it.
    let server = ServerProcess::nats();
    let url = format!("nats://localhost:{}", server.addr().port());
    let stdout = recado(&url, ["doctor", "--json"]).succeed();
    let report: Value = serde_json::from_str(&stdout).unwrap();
    let steps = report["steps"].as_array().unwrap();
    let name = steps[0]["detail"].as_str().unwrap();
    let (_, addresses) = name.split_once(" is ").unwrap();
    let tried: Vec<_> = steps.iter().filter(|step| step["step"] == "tcp").collect();
    assert_eq!(tried.len(), addresses.split(", ").count(), "{report}");
    assert!(tried.iter().any(|step| step["result"] == "ok"), "{report}");
}
