//! `recado top`: with a monitoring port, without one, on a terminal and without one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use recado_conformance::{PATIENCE, ServerProcess};
use serde_json::{Value, json};

use crate::harness::{Recado, recado};
use crate::screen::key;

/// The id in a server's greeting.
fn id_of(server: &ServerProcess) -> String {
    let mut greeting = String::new();
    let socket = TcpStream::connect(server.addr()).unwrap();
    BufReader::new(socket).read_line(&mut greeting).unwrap();
    let info: Value = serde_json::from_str(greeting.strip_prefix("INFO ").unwrap()).unwrap();
    info["server_id"].as_str().unwrap().to_owned()
}

/// A monitoring port as nats-server has it, for a server with this id: two clients, one of them
/// busier with every look. It lives as long as the test program.
fn fake_monitor(id: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut looks = 0u64;
        for mut client in listener.incoming().map_while(Result::ok) {
            let id = id.clone();
            looks += 1;
            let count = looks * 1_000_000;
            // One request a connection: keeping it open is not what is tested here.
            let mut request = BufReader::new(client.try_clone().unwrap());
            let mut path = String::new();
            request.read_line(&mut path).unwrap();
            loop {
                let mut line = String::new();
                if request.read_line(&mut line).unwrap() <= 2 {
                    break;
                }
            }
            let body = if path.contains("/varz") {
                json!({ "server_id": id, "uptime": "1h2m3s", "mem": 13_631_488, "cores": 2,
                    "cpu": 12.5, "connections": 2, "total_connections": 9, "subscriptions": 7,
                    "slow_consumers": 1, "in_msgs": count, "out_msgs": 5, "in_bytes": 0 })
            } else {
                json!({ "total": 2, "connections": [
                    { "cid": 1, "ip": "127.0.0.1", "port": 1, "name": "quiet\u{1b}[2J",
                      "subscriptions": 300, "pending_bytes": 2048, "rtt": "117µs" },
                    { "cid": 2, "ip": "127.0.0.1", "port": 2, "name": "busy", "in_msgs": count,
                      "subscriptions": 1, "lang": "rust", "version": "0.51.0" },
                ] })
            };
            let body = body.to_string();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            // Who asked may have gone.
            let _ = client.write_all(answer.as_bytes());
        }
    });
    url
}

/// An address where nothing listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn top(server: &ServerProcess, monitor: &str, more: &[&str]) -> Recado {
    let args = ["top", "--interval", "100ms", "--monitor", monitor];
    recado(&server.url(), args.iter().chain(more))
}

/// The connections' rows on a screen, by their names, from top to bottom.
fn order(screen: &str) -> Vec<&str> {
    let names = ["quiet", "busy"];
    let mut found: Vec<(usize, &str)> = names
        .iter()
        .filter_map(|name| Some((screen.find(name)?, *name)))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn a_terminal_shows_the_figures_and_its_keys_sort_them() {
    let server = ServerProcess::nats();
    let monitor = fake_monitor(id_of(&server));
    let screen = top(&server, &monitor, &[]).on_screen(24, 150);
    let shown = screen.shows("in 1");
    for words in [
        "round trip ",
        "CPU 12.5 % (2 cores) · memory 13.0 MiB · up 1h2m3s",
        "2 connections (9 since the start) · 7 subscriptions · 1 slow consumers",
        "q quit",
        "quiet\\u{1b}[2J",
        "rust 0.51.0",
        "117µs",
    ] {
        assert!(shown.contains(words), "{words} is not in:\n{shown}");
    }
    screen.until("the busiest first", |screen| {
        order(screen) == ["busy", "quiet"]
    });
    screen.types("p");
    screen.until("the most pending first", |screen| {
        order(screen) == ["quiet", "busy"]
    });
    screen.types("m");
    screen.until("the busiest first", |screen| {
        order(screen) == ["busy", "quiet"]
    });
    screen.types("s");
    screen.until("the most subscriptions first", |screen| {
        order(screen) == ["quiet", "busy"]
    });
    screen.types(" ");
    screen.shows("paused");
    screen.types("q");
    let left = screen.end();
    assert_eq!((left.code, left.restored), (0, true), "{left:?}");
}

#[test]
fn ctrl_c_and_sigterm_give_the_terminal_back() {
    let server = ServerProcess::nats();
    let monitor = fake_monitor(id_of(&server));
    let screen = top(&server, &monitor, &[]).on_screen(24, 100);
    screen.shows("q quit");
    screen.types(key::CTRL_C);
    let left = screen.end();
    assert_eq!((left.code, left.restored), (0, true), "{left:?}");

    let screen = top(&server, &monitor, &[]).on_screen(24, 100);
    screen.shows("busy");
    screen.signal(Signal::SIGTERM);
    let left = screen.end();
    assert_eq!((left.code, left.restored), (0, true), "{left:?}");
}

#[test]
fn every_size_shows_what_fits() {
    let server = ServerProcess::nats();
    let monitor = fake_monitor(id_of(&server));
    let screen = top(&server, &monitor, &[]).on_screen(24, 150);
    screen.shows("rust 0.51.0");
    screen.resize(12, 50);
    screen.until("fewer columns", |screen| {
        screen.contains("busy") && !screen.contains("rust 0.51.0") && screen.contains("q quit")
    });
    screen.resize(1, 1);
    screen.resize(3, 10);
    screen.resize(24, 150);
    screen.shows("rust 0.51.0");
    // A key that comes together with a new size is seen.
    screen.resize(23, 149);
    screen.types("q");
    assert_eq!(screen.end().code, 0);
}

#[test]
fn without_a_monitoring_port_it_shows_the_round_trip_and_why_the_rest_is_missing() {
    let server = ServerProcess::nats();
    let monitor = nowhere();
    let screen = top(&server, &monitor, &[]).on_screen(24, 100);
    screen.shows("No monitoring port at");
    let shown = screen.shows("round trip ");
    assert!(
        shown.contains("nats-server has one when started with -m 8222"),
        "{shown}"
    );
    screen.types("q");
    assert_eq!(screen.end().code, 0);

    // In a script that named the port its absence is a failure, after what can be seen.
    let ended = top(&server, &monitor, &["--once"]).run();
    assert_eq!(ended.code, Some(7), "{ended:?}");
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert!(
        stdout.contains("round trip ") && stdout.contains("No monitoring port"),
        "{stdout}"
    );
}

#[test]
fn another_servers_monitoring_port_is_not_taken_for_this_ones() {
    let server = ServerProcess::nats();
    let monitor = fake_monitor("NSOMEBODYELSE".to_owned());
    let ended = top(&server, &monitor, &["--once", "--json"]).run();
    let shown: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let why = shown["monitor"]["error"].as_str().unwrap();
    assert!(
        why.contains("another server answers there (NSOMEBODYELSE)"),
        "{why}"
    );
    assert!(shown["round_trip"]["last_ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn what_is_no_monitoring_port_is_told() {
    let server = ServerProcess::nats();
    // A NATS server's own port speaks no HTTP.
    let wrong = format!("http://{}", server.addr());
    let ended = top(&server, &wrong, &["--once"]).run();
    assert_eq!(ended.code, Some(7), "{ended:?}");
    for bad in ["https://127.0.0.1:1", "a b"] {
        let ended = top(&server, bad, &[]).run();
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.stderr.contains("is no monitoring address"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn in_a_pipe_it_prints_the_figures_once_and_json_goes_on() {
    let server = ServerProcess::nats();
    let monitor = fake_monitor(id_of(&server));
    let text = top(&server, &monitor, &[]).succeed();
    assert!(!text.contains('\x1b'), "{text:?}");
    assert_eq!(order(&text), ["busy", "quiet"], "{text}");
    assert!(text.contains("in/s") && text.contains("msgs/s"), "{text}");

    let once = top(&server, &monitor, &["--once", "--json", "--sort", "subs"]).succeed();
    let shown: Value = serde_json::from_str(&once).unwrap();
    assert_eq!(shown["monitor"]["mem_bytes"], 13_631_488);
    assert!(
        shown["monitor"]["rates"]["in_msgs"].as_f64().unwrap() > 0.0,
        "{once}"
    );
    assert_eq!(
        shown["monitor"]["connections_listed"][0]["subscriptions"],
        300
    );

    let running = top(&server, &monitor, &["--json"]).spawn();
    running.shows(r#""cpu_percent":12.5"#);
    running.signal(Signal::SIGINT);
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn a_server_that_dies_is_told_and_found_again() {
    let mut server = ServerProcess::nats();
    let screen = top(&server, &nowhere(), &[]).on_screen(24, 100);
    screen.shows("round trip ");
    server.kill();
    screen.clears("round trip ");
    server.restart();
    screen.shows("round trip ");
    screen.types("q");
    assert_eq!(screen.end().code, 0);
}

/// A real nats-server with a monitoring port; ended when dropped.
struct NatsServer {
    child: Child,
    url: String,
    monitor: String,
    _dir: tempfile::TempDir,
}

impl NatsServer {
    /// None where no nats-server is at hand.
    fn start() -> Option<Self> {
        let program = ["RECADO_NATS_SERVER_BIN", "RECADO_SERVER_BIN"]
            .into_iter()
            .filter_map(std::env::var_os)
            .find(|path| path.to_string_lossy().ends_with("nats-server"))?;
        let dir = tempfile::tempdir().unwrap();
        let child = Command::new(program)
            .args([
                "-a",
                "127.0.0.1",
                "-p",
                "-1",
                "-m",
                "-1",
                "--ports_file_dir",
            ])
            .arg(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server starts");
        let file = dir.path().join(format!("nats-server_{}.ports", child.id()));
        let deadline = Instant::now() + PATIENCE;
        let ports: Value = loop {
            let mut text = String::new();
            let read = std::fs::File::open(&file).map(|mut file| file.read_to_string(&mut text));
            if read.is_ok()
                && let Ok(ports) = serde_json::from_str(&text)
            {
                break ports;
            }
            assert!(Instant::now() < deadline, "nats-server does not come up");
            std::thread::sleep(Duration::from_millis(10));
        };
        let first = |of: &str| ports[of][0].as_str().unwrap().to_owned();
        Some(Self {
            child,
            url: first("nats"),
            monitor: first("monitoring"),
            _dir: dir,
        })
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        // Both fail only when it has ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_real_nats_server_is_shown_with_its_connections() {
    let Some(server) = NatsServer::start() else {
        eprintln!("skipped: RECADO_NATS_SERVER_BIN names no nats-server");
        return;
    };
    let listener = recado(&server.url, ["sub", "a.>", "--name", "the-listener"]).spawn();
    listener.told("Listening on a.>");
    let args = ["top", "--monitor", &server.monitor];
    let screen = recado(&server.url, args).on_screen(24, 150);
    screen.shows("the-listener");
    recado(&server.url, ["pub", "a.b", "hello", "--count", "1000"]).succeed();
    let once = recado(&server.url, args.iter().chain(&["--once", "--json"])).succeed();
    let shown: Value = serde_json::from_str(&once).unwrap();
    let listed = shown["monitor"]["connections_listed"].as_array().unwrap();
    assert!(
        listed.iter().any(|one| one["name"] == "the-listener"),
        "{once}"
    );
    screen.types("q");
    assert_eq!(screen.end().code, 0);
}
