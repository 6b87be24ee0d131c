//! The program as it is used: against the floor, a server that loses everything, and one that
//! pretends to have streams.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use recado_bench::outcome::Outcome;

fn run(args: &[&str]) -> Vec<Outcome> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_recado-bench"));
    program
        .args(["run", "--json", "--seconds", "0.1"])
        .args(args);
    let output = program.output().expect("the program runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a result"))
        .collect()
}

#[test]
fn every_message_that_passes_through_the_floor_is_counted() {
    let rows = ["one-16", "one-32k", "four-to-one", "fan-10", "request-1"];
    let found = run(&[&rows[..], &["--floor"]].concat());
    assert_eq!(found.len(), rows.len());
    for outcome in found {
        let row = &outcome.row;
        assert!(outcome.count > 0 && outcome.lost == 0, "{row}: {outcome:?}");
        assert!(
            outcome.server_cpu_ns.is_some_and(|ns| ns > 0.0),
            "{row}: {outcome:?}"
        );
        assert!(outcome.generator_cpu_ns > 0.0, "{row}: {outcome:?}");
    }
}

#[test]
fn a_server_that_delivers_nothing_is_found_out() {
    let server = serve_and_deliver_nothing();
    for row in ["one-16", "fan-10"] {
        let found = run(&[row, "--connect", &server.to_string()]);
        assert_eq!(found[0].count, 0, "{row}");
        assert!(found[0].lost > 0, "{row}: {:?}", found[0]);
    }
}

#[test]
fn every_ack_of_a_stream_is_matched_with_its_message() {
    let server = serve_streams(|stored| format!(r#"{{"stream":"S","seq":{stored}}}"#));
    for (row, unit) in [("durable-128-1x64", "ack"), ("kv-put-1", "put")] {
        let found = run(&[row, "--connect", &server.to_string()]);
        assert_eq!(found[0].unit, unit);
        assert!(found[0].count > 0 && found[0].lost == 0, "{:?}", found[0]);
        assert!(found[0].latency_us.is_some(), "{:?}", found[0]);
    }
}

#[test]
fn a_publish_that_is_refused_ends_the_row_with_the_reason() {
    let full = r#"{"error":{"code":503,"err_code":10077},"stream":"S","seq":0}"#;
    let server = serve_streams(move |stored| match stored {
        0..100 => format!(r#"{{"stream":"S","seq":{stored}}}"#),
        _ => full.to_owned(),
    });
    let mut program = Command::new(env!("CARGO_BIN_EXE_recado-bench"));
    program.args(["run", "durable-128-1x1", "--connect", &server.to_string()]);
    let output = program.output().expect("the program runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(error.contains("10077"), "{error}");
}

#[test]
fn a_server_that_does_not_start_is_reported_with_what_it_said() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_recado-bench"));
    program.args([
        "run",
        "one-16",
        "--server",
        env!("CARGO_BIN_EXE_recado-bench"),
    ]);
    let output = program.output().expect("the program runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(error.contains("unexpected argument '-p'"), "{error}");
}

/// Greets, answers each PING, and swallows the rest. Its threads end with the test.
fn serve_and_deliver_nothing() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.expect("a client");
            // A client that goes away ends its thread with an error, as it should.
            std::thread::spawn(move || swallow(&client));
        }
    });
    address
}

fn swallow(mut client: &TcpStream) -> std::io::Result<()> {
    client.write_all(b"INFO {\"max_payload\":1048576}\r\n")?;
    for line in BufReader::with_capacity(1 << 16, client).split(b'\n') {
        if line? == b"PING\r" {
            client.write_all(b"PONG\r\n")?;
        }
    }
    Ok(())
}

/// Answers what is published as a server with one stream would, each publish with what `ack` says.
/// Its threads end with the test.
fn serve_streams(ack: impl Fn(u64) -> String + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    let stored = Arc::new(AtomicU64::new(0));
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.expect("a client");
            let (ack, stored) = (ack.clone(), Arc::clone(&stored));
            // A client that goes away ends its thread with an error, as it should.
            std::thread::spawn(move || answer_publishes(&client, &ack, &stored));
        }
    });
    address
}

fn answer_publishes(
    mut client: &TcpStream,
    ack: &impl Fn(u64) -> String,
    stored: &AtomicU64,
) -> std::io::Result<()> {
    client.write_all(b"INFO {\"max_payload\":1048576}\r\n")?;
    let mut lines = BufReader::new(client).lines();
    while let Some(line) = lines.next().transpose()? {
        if line == "PING" {
            client.write_all(b"PONG\r\n")?;
        }
        let words: Vec<&str> = line.split(' ').collect();
        let &["PUB", subject, reply, _] = words.as_slice() else {
            continue;
        };
        // No payload of these rows has a line of its own within it.
        lines.next().transpose()?;
        let answer = match subject.strip_prefix("$JS.API.STREAM.") {
            Some(request) if request.starts_with("INFO") => {
                // Each bucket or stream is asked about once, when all is said.
                let all = stored.swap(0, Ordering::Relaxed);
                format!(r#"{{"state":{{"messages":{all},"last_seq":{all}}}}}"#)
            }
            Some(_) => "{}".to_owned(),
            None => ack(stored.fetch_add(1, Ordering::Relaxed) + 1),
        };
        let size = answer.len();
        client.write_all(format!("MSG {reply} 1 {size}\r\n{answer}\r\n").as_bytes())?;
    }
    Ok(())
}
