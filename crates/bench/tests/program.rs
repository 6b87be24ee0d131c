//! The program as it is used: against the floor, and against a server that loses everything.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;

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
