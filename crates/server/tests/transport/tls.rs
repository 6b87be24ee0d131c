//! Clients over TLS, with certificates right and wrong.

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use recado_server::config::{
    CipherSuite, ClientCertificates, Curve, HandshakeFirst, TlsOptions, TlsVersion,
    WebsocketOptions,
};
use recado_server::{Server, StartError, TlsProblem};
use rustls::{AlertDescription, ClientConfig, Error};

use crate::certificates::{Authority, Identity, expired};
use crate::client::{Client, dial, over, plain, secure};

fn server(tls: TlsOptions) -> Server {
    let server = Server::builder().configure(|options| options.tls = Some(tls));
    server.start().unwrap()
}

/// How a handshake ends that should fail, as the client sees it.
fn refusal(server: &Server, config: &Arc<ClientConfig>) -> Error {
    let (mut client, _) = secure(server, config);
    // With TLS 1.3 the client learns only after its own handshake that its certificate is refused.
    let error = loop {
        let mut byte = [0];
        client.stream.flush().err();
        match client.stream.read(&mut byte) {
            Ok(0) => panic!("it was closed without a word"),
            Ok(_) => panic!("it was let in"),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => break error,
        }
    };
    let inner = error.into_inner().expect("an error of TLS");
    *inner.downcast::<Error>().expect("an error of TLS")
}

#[test]
fn the_greeting_comes_in_clear_and_all_else_is_secure() {
    let authority = Authority::new();
    let server = server(authority.server_options());
    let (mut client, greeting) = secure(&server, &authority.client(None));
    assert!(greeting.contains("\"tls_required\":true"), "{greeting}");
    assert!(!greeting.contains("tls_verify"), "{greeting}");
    client.connect();
    client.echo("hello");
    client.echo(&"x".repeat(300_000));
}

#[test]
fn a_slow_reader_gets_everything_in_order() {
    let authority = Authority::new();
    let server = server(authority.server_options());
    let config = authority.client(None);
    let (mut reader, _) = secure(&server, &config);
    reader.connect();
    reader.send("SUB flood 1\r\nPING\r\n");
    assert_eq!(reader.line().unwrap(), "PONG");
    let (mut publisher, _) = secure(&server, &config);
    publisher.connect();
    // More than sockets hold: most of it waits, encrypted in part.
    let (count, size) = (3000, 10_000);
    let writing = std::thread::spawn(move || {
        for number in 0..count {
            publisher.send(&format!("PUB flood {size}\r\n{number:0size$}\r\n"));
        }
        publisher.send("PING\r\n");
        assert_eq!(publisher.line().unwrap(), "PONG");
    });
    writing.join().unwrap();
    let mut buffered = Client {
        stream: std::io::BufReader::new(reader.stream),
    };
    for number in 0..count {
        assert_eq!(buffered.read_line(), format!("MSG flood 1 {size}"));
        assert_eq!(buffered.read_line(), format!("{number:0size$}"));
    }
}

impl<R: Read> Client<std::io::BufReader<R>> {
    fn read_line(&mut self) -> String {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut self.stream, &mut line).unwrap();
        match line.trim_end() {
            // The server asks by itself once in a while.
            "PING" => self.read_line(),
            line => line.to_owned(),
        }
    }
}

#[test]
fn both_versions_are_spoken_unless_the_older_is_ruled_out() {
    let authority = Authority::new();
    let old = {
        let mut config = (*authority.client(None)).clone();
        config.enable_sni = true;
        let provider = Arc::clone(config.crypto_provider());
        let mut roots = rustls::RootCertStore::empty();
        let pem = std::fs::read(authority.ca_file()).unwrap();
        let ca = rustls::pki_types::pem::PemObject::from_pem_slice(&pem).unwrap();
        roots.add(ca).unwrap();
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS12])
            .unwrap();
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    };
    let either = server(authority.server_options());
    let (mut client, _) = secure(&either, &old);
    client.connect();
    client.echo(&"y".repeat(100_000));
    assert_eq!(
        client.stream.conn.protocol_version(),
        Some(rustls::ProtocolVersion::TLSv1_2)
    );
    let new_only = server(TlsOptions {
        min_version: TlsVersion::V1_3,
        ..authority.server_options()
    });
    let refused = refusal(&new_only, &old);
    assert_eq!(
        refused,
        Error::AlertReceived(AlertDescription::ProtocolVersion)
    );
}

#[test]
fn the_chosen_suites_and_curves_are_the_only_ones() {
    let authority = Authority::new();
    let server = server(TlsOptions {
        cipher_suites: vec![CipherSuite::TLS_CHACHA20_POLY1305_SHA256],
        curves: vec![Curve::P384],
        ..authority.server_options()
    });
    let (mut client, _) = secure(&server, &authority.client(None));
    client.connect();
    let session = &client.stream.conn;
    let suite = session.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(suite, rustls::CipherSuite::TLS13_CHACHA20_POLY1305_SHA256);
    let group = session.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, rustls::NamedGroup::secp384r1);
}

#[test]
fn a_client_certificate_is_asked_for_and_must_be_good() {
    let (authority, strangers) = (Authority::new(), Authority::new());
    let server = server(TlsOptions {
        client_certificates: ClientCertificates::Verified,
        ca_file: Some(authority.ca_file()),
        ..authority.server_options()
    });
    let ana = authority.sign_client("ana");
    let (mut client, greeting) = secure(&server, &authority.client(Some(&ana)));
    assert!(greeting.contains("\"tls_verify\":true"), "{greeting}");
    client.connect();
    client.echo("hello");

    let told = |identity| match refusal(&server, &authority.client(identity)) {
        Error::AlertReceived(alert) => alert,
        other => panic!("{other}"),
    };
    assert_eq!(told(None), AlertDescription::CertificateRequired);
    let eve = strangers.sign_client("eve");
    assert_eq!(told(Some(&eve)), AlertDescription::UnknownCA);
    let old = authority.sign(&[], expired);
    assert_eq!(told(Some(&old)), AlertDescription::CertificateExpired);
    // And the server serves on.
    secure(&server, &authority.client(Some(&ana))).0.connect();
}

#[test]
fn only_pinned_keys_are_let_in() {
    use sha2::{Digest, Sha256};
    let authority = Authority::new();
    let (ana, eva) = (authority.sign_client("ana"), authority.sign_client("eva"));
    let pinned = |whose: &Identity| TlsOptions {
        client_certificates: ClientCertificates::Verified,
        ca_file: Some(authority.ca_file()),
        pinned_certs: vec![Sha256::digest(&whose.public).into()],
        ..authority.server_options()
    };
    let server = server(pinned(&ana));
    let (mut first, _) = secure(&server, &authority.client(Some(&ana)));
    first.connect();
    let refused = refusal(&server, &authority.client(Some(&eva)));
    assert!(matches!(refused, Error::AlertReceived(_)), "{refused}");
    // Who is connected with a key that is pinned no more has to go.
    let mut told = None;
    let _ = Server::builder().configure(|options| {
        options.tls = Some(pinned(&eva));
        told = Some(options.clone());
    });
    assert_eq!(server.reload(told.unwrap()).unwrap().dismissed, 1);
    assert_eq!(
        first.line().unwrap().trim_end(),
        "-ERR 'Authorization Violation'"
    );
    secure(&server, &authority.client(Some(&eva))).0.connect();
}

#[test]
fn a_client_that_does_not_trust_the_server_stays_away_and_others_come() {
    let (authority, strangers) = (Authority::new(), Authority::new());
    let server = server(authority.server_options());
    let refused = refusal(&server, &strangers.client(None));
    assert!(matches!(refused, Error::InvalidCertificate(_)), "{refused}");
    secure(&server, &authority.client(None)).0.connect();
}

#[test]
fn the_client_may_have_to_begin() {
    let authority = Authority::new();
    let server = server(TlsOptions {
        handshake_first: HandshakeFirst::Yes,
        ..authority.server_options()
    });
    let mut client = over(dial(server.client_addr()), &authority.client(None));
    let greeting = client.line().unwrap();
    assert!(greeting.starts_with("INFO {"), "{greeting}");
    client.connect();
    client.echo("hello");
}

#[test]
fn where_both_may_begin_a_silent_client_gets_its_greeting_in_clear() {
    let authority = Authority::new();
    let server = server(TlsOptions {
        handshake_first: HandshakeFirst::AUTO,
        ..authority.server_options()
    });
    let config = authority.client(None);
    let mut first = over(dial(server.client_addr()), &config);
    // The greeting would be no record of TLS if it were in clear.
    assert!(first.line().unwrap().starts_with("INFO {"));
    first.connect();
    let (mut second, greeting) = secure(&server, &config);
    assert!(greeting.starts_with("INFO {"), "{greeting}");
    second.connect();
}

#[test]
fn clients_in_clear_are_served_where_that_is_allowed() {
    let authority = Authority::new();
    let server = Server::builder().configure(|options| {
        options.tls = Some(authority.server_options());
        options.allow_non_tls = true;
    });
    let server = server.start().unwrap();
    let mut clear = plain(&server);
    let greeting = clear.line().unwrap();
    assert!(greeting.contains("\"tls_available\":true"), "{greeting}");
    assert!(!greeting.contains("tls_required"), "{greeting}");
    clear.connect();
    clear.echo("hello");
    let (mut client, _) = secure(&server, &authority.client(None));
    client.connect();
    client.echo("hello");
}

#[test]
fn a_client_in_clear_is_told_what_is_missing() {
    let authority = Authority::new();
    let server = server(authority.server_options());
    let mut clear = plain(&server);
    clear.line().unwrap();
    clear.send("CONNECT {}\r\nPING\r\n");
    assert_eq!(clear.rest(), "-ERR 'Secure Connection - TLS Required'\r\n");
}

#[test]
fn a_handshake_that_is_not_finished_is_cut_off() {
    let authority = Authority::new();
    let server = server(TlsOptions {
        timeout: Duration::from_millis(300),
        ..authority.server_options()
    });
    let mut silent = plain(&server);
    let mut dripping = plain(&server);
    dripping.line().unwrap();
    // The start of a handshake record that never comes whole.
    dripping
        .stream
        .write_all(b"\x16\x03\x01\x02\x00\x01")
        .unwrap();
    let start = Instant::now();
    assert!(silent.rest().contains("Secure Connection - TLS Required"));
    assert!(dripping.rest().contains("Secure Connection - TLS Required"));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_record_that_claims_too_much_ends_the_connection() {
    let authority = Authority::new();
    let server = server(authority.server_options());
    let mut client = plain(&server);
    client.line().unwrap();
    let record = [&b"\x16\x03\x01\xff\xff"[..], &[1; 70_000]].concat();
    // The server may have closed before it is all written.
    let _ = client.stream.write_all(&record);
    client.rest();
    secure(&server, &authority.client(None)).0.connect();
}

#[test]
fn what_breaks_the_records_ends_the_connection_and_no_other() {
    let authority = Authority::new();
    let server = server(authority.server_options());
    let config = authority.client(None);
    let (mut other, _) = secure(&server, &config);
    other.connect();
    let (mut client, _) = secure(&server, &config);
    client.connect();
    client
        .stream
        .sock
        .write_all(b"\x17\x03\x03\x00\x20")
        .unwrap();
    client.stream.sock.write_all(&[7; 32]).unwrap();
    let mut byte = [0];
    let end = client.stream.read(&mut byte);
    assert!(!matches!(end, Ok(1)), "{end:?}");
    other.echo("still here");
}

#[test]
fn more_handshakes_than_the_rate_allows_are_put_off() {
    let authority = Authority::new();
    let server = server(TlsOptions {
        connection_rate_limit: Some(2),
        ..authority.server_options()
    });
    let config = authority.client(None);
    // Two seconds at most are touched by so few connections: at least one is put off.
    let put_off = (0..5).any(|_| {
        let mut client = plain(&server);
        client.line().unwrap();
        let mut client = over(client.stream, &config);
        // It shakes hands.
        let _ = client.stream.flush();
        if client.stream.conn.is_handshaking() {
            return true;
        }
        client.connect();
        false
    });
    assert!(put_off);
}

#[test]
fn certificates_are_replaced_while_clients_stay() {
    let (before, after) = (Authority::new(), Authority::new());
    let server = server(before.server_options());
    let (mut old, _) = secure(&server, &before.client(None));
    old.connect();
    let mut options = recado_server::config::Options {
        tls: Some(after.server_options()),
        ..Default::default()
    };
    server.handle().replace_tls(&options).unwrap();
    secure(&server, &after.client(None)).0.connect();
    let refused = refusal(&server, &before.client(None));
    assert!(matches!(refused, Error::InvalidCertificate(_)), "{refused}");
    old.echo("still here");
    // What can't be read changes nothing.
    options.tls.as_mut().unwrap().certificates[0].key_file = "/nowhere/key".into();
    assert!(matches!(
        server.handle().replace_tls(&options),
        Err(StartError::Tls(TlsProblem::Unreadable { .. }))
    ));
    secure(&server, &after.client(None)).0.connect();
}

#[test]
fn files_that_do_not_fit_are_named() {
    let (authority, other) = (Authority::new(), Authority::new());
    let start = |tls| {
        let server = Server::builder().configure(|options| options.tls = Some(tls));
        match server.start().err() {
            Some(StartError::Tls(problem)) => problem,
            other => panic!("{other:?}"),
        }
    };
    let mut tls = authority.server_options();
    let key = tls.certificates[0].key_file.clone();
    tls.certificates[0].key_file = other.server_options().certificates[0].key_file.clone();
    assert!(matches!(
        start(tls.clone()),
        TlsProblem::KeyOfAnother { .. }
    ));
    tls.certificates[0].key_file = tls.certificates[0].cert_file.clone();
    assert!(matches!(start(tls.clone()), TlsProblem::NotKey { .. }));
    tls.certificates[0].cert_file = key.clone();
    tls.certificates[0].key_file = key;
    assert!(matches!(start(tls), TlsProblem::NotCertificates { .. }));
}

#[test]
fn each_client_is_shown_the_certificate_of_the_name_it_asks_for() {
    let authority = Authority::new();
    let elsewhere = authority.sign(&["elsewhere.example"], |_| {});
    let here = authority.sign(&["localhost"], |_| {});
    let server = server(TlsOptions {
        certificates: vec![
            authority.files("elsewhere", &elsewhere),
            authority.files("here", &here),
        ],
        ..TlsOptions::default()
    });
    secure(&server, &authority.client(None)).0.connect();
}

#[test]
fn monitoring_tells_how_clients_are_secured() {
    let authority = Authority::new();
    let server = Server::builder().configure(|options| {
        options.tls = Some(TlsOptions {
            client_certificates: ClientCertificates::Verified,
            ca_file: Some(authority.ca_file()),
            ..authority.server_options()
        });
        options.monitoring.port = Some(0);
    });
    let server = server.start().unwrap();
    let ana = authority.sign_client("ana");
    let (mut client, _) = secure(&server, &authority.client(Some(&ana)));
    client.connect();
    let varz = monitored(&server, "/varz").replace(' ', "");
    assert!(varz.contains("\"tls_verify\":true"), "{varz}");
    let told = monitored(&server, "/connz?auth=1");
    for part in [
        "\"tls_version\":\"1.3\"",
        "\"tls_cipher_suite\":\"TLS_AES_256_GCM_SHA384\"",
        "\"subject\":\"OU=tests,CN=ana\"",
        "\"spki_sha256\"",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

/// What monitoring tells, without spaces.
fn monitored(server: &Server, path: &str) -> String {
    let (_, monitoring) = server.monitoring_addr().unwrap();
    let mut http = dial(monitoring);
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    http.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    http.read_to_string(&mut answer).unwrap();
    answer.split_whitespace().collect()
}

#[test]
fn monitoring_tells_when_the_certificate_expires() {
    let authority = Authority::new();
    let old = authority.sign(&[], expired);
    let shown = TlsOptions {
        certificates: vec![authority.files("old", &old)],
        timeout: Duration::from_secs(3),
        ..TlsOptions::default()
    };
    let server = Server::builder().configure(|options| {
        options.tls = Some(shown.clone());
        options.websocket = Some(WebsocketOptions {
            tls: Some(shown.clone()),
            ..WebsocketOptions::default()
        });
        options.monitoring.port = Some(0);
    });
    let told = monitored(&server.start().unwrap(), "/varz");
    let expiry = "\"tls_cert_not_after\":\"2000-01-01T00:00:00Z\"";
    assert_eq!(told.matches(expiry).count(), 2, "{told}");
    assert!(told.contains("\"tls_timeout\":3"), "{told}");
}
