//! Causes of a broken connection that need some staging: each is told apart from the others.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::socket::{setsockopt, sockopt};
use recado_conformance::{ServerBuilder, ServerProcess};

use crate::harness::recado;

const GREETING: &[u8] = b"INFO {\"server_id\":\"A\",\"server_name\":\"a\",\"version\":\"2.15.0\",\"headers\":true,\"max_payload\":1048576,\"proto\":1}\r\n";

/// A server that lets its clients in, and does this with each that sends `PUB` or `SUB`.
fn false_server(behave: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(GREETING);
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while let Some(Ok(line)) = lines.next() {
                if line.starts_with("PING") {
                    let _ = stream.write_all(b"PONG\r\n");
                }
                if line.starts_with("PUB") || line.starts_with("SUB") {
                    behave(stream);
                    break;
                }
            }
        }
    });
    address
}

#[test]
fn a_connection_that_is_thrown_away() {
    let address = false_server(|stream| {
        let at_once = nix::libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        setsockopt(&stream, sockopt::Linger, &at_once).unwrap();
    });
    let ended = recado(&address, ["pub", "a", "x"]).run();
    assert_eq!(ended.code, Some(16), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("was reset by the other side"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("not confirmed: 1"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_server_that_calls_us_a_slow_consumer() {
    for command in [&["pub", "a", "x"][..], &["sub", "a"]] {
        let address = false_server(|mut stream| {
            let _ = stream.write_all(b"-ERR 'Slow Consumer'\r\n");
            // Closed by the client: otherwise what it still sends might turn this into a reset.
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let ended = recado(&address, command).run();
        assert_eq!(ended.code, Some(17), "{command:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("read too slowly"), "{}", ended.stderr);
    }
}

#[test]
fn a_listener_that_was_stopped_says_that_it_may_have_been_too_slow() {
    let server = ServerBuilder::nats()
        .config("max_payload: 256KB, max_pending: 1MB")
        .start();
    let listener = recado(&server.url(), ["sub", "a", "--raw"]).spawn();
    listener.told("Listening on a");
    listener.signal(Signal::SIGSTOP);
    let payload = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(payload.path(), vec![b'x'; 200_000]).unwrap();
    let path = payload.path().to_str().unwrap();
    // More than the sockets' buffers and max_pending together can hold.
    recado(
        &server.url(),
        ["pub", "a", "--file", path, "--count", "200"],
    )
    .succeed();
    // Each server writes the first letters as it likes.
    server.wait_for_log("onsumer");
    listener.signal(Signal::SIGCONT);
    listener.told("slow consumer");
}

#[test]
fn a_server_that_retires() {
    let server = ServerBuilder::nats()
        .config("lame_duck_duration: \"30s\", lame_duck_grace_period: \"1s\"")
        .start();
    let listener = recado(&server.url(), ["sub", "a"]).spawn();
    listener.told("Listening on a");
    server.signal(Signal::SIGUSR2);
    listener.told("is about to go away (lame duck mode)");
    listener.told("broke; trying to get it back");
    // It goes on trying, for servers come back; the person ends it.
    listener.signal(Signal::SIGINT);
    assert_eq!(listener.end().code, Some(0));
}

#[test]
fn a_port_for_other_servers() {
    let Some(server) = ServerBuilder::genuine() else {
        return;
    };
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let server = server
        .config(format!("leafnodes {{ listen: \"{free}\" }}"))
        .start();
    let ended = recado(&free.to_string(), ["pub", "a", "x"]).run();
    assert_eq!(ended.code, Some(8), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("not the one for clients"),
        "{}",
        ended.stderr
    );
    drop::<ServerProcess>(server);
}

#[test]
fn a_server_that_retires_ends_what_does_not_connect_again_with_a_status_of_its_own() {
    let server = ServerBuilder::nats()
        .config("lame_duck_duration: \"30s\", lame_duck_grace_period: \"1s\"")
        .start();
    let args = ["ping", "--count", "0", "--interval", "100ms"];
    let pinging = recado(&server.url(), args).spawn();
    pinging.shows("pong 1");
    server.signal(Signal::SIGUSR2);
    let ended = pinging.end();
    assert_eq!(ended.code, Some(18), "{}", ended.stderr);
    assert!(ended.stderr.contains("lame duck"), "{}", ended.stderr);
}
