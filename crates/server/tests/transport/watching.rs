//! Monitoring over TLS, and what it tells of TLS.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use recado_server::Server;
use recado_server::config::Options;
use rustls::ClientConfig;
use serde_json::Value;

use crate::certificates::Authority;
use crate::client::{dial, over, secure};

fn watched(authority: &Authority) -> (Server, SocketAddr) {
    let server = Server::builder()
        .configure(|options| {
            options.tls = Some(authority.server_options());
            options.monitoring.https_port = Some(0);
        })
        .start()
        .unwrap();
    let (_, addr) = server.monitoring_addr().unwrap();
    (server, addr)
}

/// Head and body of what is at a path.
pub(crate) fn get(
    addr: SocketAddr,
    config: &Arc<ClientConfig>,
    path: &str,
) -> std::io::Result<String> {
    let mut client = over(dial(addr), config);
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    client.stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    // Whether it says goodbye as TLS has it or just closes is its own affair.
    match client.stream.read_to_string(&mut text) {
        Err(error) if text.is_empty() => Err(error),
        _ => Ok(text),
    }
}

#[test]
fn monitoring_is_served_over_tls_and_its_certificate_can_be_replaced() {
    let (old, new) = (Authority::new(), Authority::new());
    let (server, addr) = watched(&old);
    assert_eq!(server.monitoring_scheme(), "https");
    let answer = get(addr, &old.client(None), "/varz").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let varz: Value = serde_json::from_str(body).unwrap();
    assert_eq!(varz["https_port"], addr.port());
    assert_eq!(varz["http_port"], 0);
    assert_eq!(varz["tls_required"], true);
    assert_eq!(
        varz.get("tls_verify"),
        None,
        "nobody is asked for a certificate"
    );
    assert!(get(addr, &new.client(None), "/varz").is_err());

    let mut options = Options {
        tls: Some(new.server_options()),
        ..Options::default()
    };
    options.monitoring.https_port = Some(addr.port());
    server.handle().replace_tls(&options).unwrap();
    assert!(get(addr, &new.client(None), "/healthz").is_ok());
    assert!(get(addr, &old.client(None), "/healthz").is_err());
}

#[test]
fn who_speaks_no_tls_gets_nothing_from_monitoring_over_tls() {
    let authority = Authority::new();
    let (_server, addr) = watched(&authority);
    let mut socket = dial(addr);
    socket.write_all(b"GET /varz HTTP/1.1\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    // A reset is as good as an end.
    let _ = socket.read_to_end(&mut bytes);
    assert!(!bytes.starts_with(b"HTTP"), "{}", bytes.escape_ascii());
}

#[test]
fn connz_tells_what_tls_a_client_speaks() {
    let authority = Authority::new();
    let (server, addr) = watched(&authority);
    let config = authority.client(None);
    let (mut client, _) = secure(&server, &config);
    client.connect();
    client.echo("here");
    let answer = get(addr, &config, "/connz?auth=1").unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let connz: Value = serde_json::from_str(body).unwrap();
    let one = &connz["connections"][0];
    assert_eq!(one["tls_version"], "1.3");
    let suite = one["tls_cipher_suite"].as_str().unwrap();
    assert!(
        suite.starts_with("TLS_") && suite.contains("SHA"),
        "{suite}"
    );
    assert_eq!(one.get("tls_first"), None);
}
