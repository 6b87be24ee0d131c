//! Secure connections: a server that asks for TLS in its greeting, with good and bad certificates.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;

use async_nats::rustls::{ServerConnection, StreamOwned};
use rcgen::{CertificateParams, date_time_ymd};
use recado_conformance::ServerProcess;
use tempfile::NamedTempFile;

use crate::harness::recado;
use crate::relay::self_signed;

/// The least of a server over TLS: it answers PING, and lives as long as the tests.
struct Secure {
    port: u16,
    /// What a client must trust to get in.
    authority: NamedTempFile,
}

fn secure(names: &[&str], adjust: impl Fn(&mut CertificateParams)) -> Secure {
    let (config, authority) = self_signed(names, adjust);
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let greeting = r#"INFO {"server_name":"safe","version":"2.15.0","max_payload":1024,"tls_required":true}"#;
            let _ = socket.write_all(format!("{greeting}\r\n").as_bytes());
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(session, socket));
            let mut line = String::new();
            // Any error is the client's, which is what the tests look at.
            while stream.read_line(&mut line).is_ok_and(|read| read > 0) {
                if line.trim_end() == "PING" && stream.get_mut().write_all(b"PONG\r\n").is_err() {
                    break;
                }
                line.clear();
            }
        }
    });
    Secure { port, authority }
}

/// Pings it under a name, trusting its certificate alone.
fn ping(server: &Secure, host: &str) -> crate::harness::Ended {
    recado(
        &format!("nats://{host}:{}", server.port),
        ["ping", "-c", "1"],
    )
    .env("SSL_CERT_FILE", server.authority.path().to_str().unwrap())
    .run()
}

#[test]
fn a_server_that_asks_for_tls_gets_it_and_the_handshake_is_timed() {
    let server = secure(&["localhost"], |_| {});
    let ended = ping(&server, "localhost");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert!(
        stdout.contains("connected to localhost:") && stdout.contains("TLS "),
        "{stdout}"
    );
    let sent = recado(
        &format!("nats://localhost:{}", server.port),
        ["pub", "a", "hush"],
    )
    .env("SSL_CERT_FILE", server.authority.path().to_str().unwrap())
    .succeed();
    assert!(sent.contains("confirmed by the server"), "{sent}");
}

#[test]
fn a_certificate_that_must_not_be_trusted_is_refused_and_the_reason_told() {
    let good = secure(&["localhost"], |_| {});
    let other = secure(&["localhost"], |params| {
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "somebody else");
    });
    let stranger = Secure {
        port: good.port,
        authority: other.authority,
    };
    let expired = secure(&["localhost"], |params| {
        params.not_after = date_time_ymd(2020, 1, 1)
    });
    let future = secure(&["localhost"], |params| {
        params.not_before = date_time_ymd(2999, 1, 1)
    });
    let elsewhere = secure(&["example.org"], |_| {});
    for (server, words) in [
        (&stranger, "nobody whom this machine trusts"),
        (&expired, "has expired"),
        (&future, "is not valid yet"),
        (&elsewhere, "is not for the name localhost"),
    ] {
        let ended = ping(server, "localhost");
        assert_eq!(ended.code, Some(13), "{}", ended.stderr);
        assert!(
            ended.stderr.contains(words),
            "{words:?} is not in: {}",
            ended.stderr
        );
    }
    // The commands on the other kind of connection say the same.
    let url = format!("nats://localhost:{}", stranger.port);
    let ended = recado(&url, ["sub", "a"])
        .env("SSL_CERT_FILE", stranger.authority.path().to_str().unwrap())
        .run();
    assert_eq!(ended.code, Some(13), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("nobody whom this machine trusts"),
        "{}",
        ended.stderr
    );
}

#[test]
fn tls_that_was_asked_for_is_never_left_out() {
    let server = ServerProcess::nats();
    let url = server.url().replace("nats://", "tls://");
    for command in [&["ping"][..], &["sub", "a"]] {
        let ended = recado(&url, command).run();
        assert_eq!(ended.code, Some(13), "{}", ended.stderr);
    }
}
