//! Connections through a proxy that says whose they are.

use std::io::Write;

use recado_server::Server;

use crate::certificates::Authority;
use crate::client::{over, plain};

fn behind_proxy() -> Server {
    let server = Server::builder().configure(|options| options.proxy_protocol = true);
    server.start().unwrap()
}

#[test]
fn the_client_is_who_the_proxy_says_it_is() {
    let server = behind_proxy();
    for header in [
        &b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 4222\r\n"[..],
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\x12\x67\x10\x7e",
    ] {
        let mut client = plain(&server);
        let greeting = client.line().unwrap();
        assert!(!greeting.contains("client_ip"), "not known yet: {greeting}");
        for byte in header {
            client.stream.write_all(&[*byte]).unwrap();
        }
        client.send("CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\n");
        assert_eq!(client.line().unwrap(), "PONG");
        let second = client.line().unwrap();
        assert!(second.contains("\"client_ip\":\"192.0.2.7\""), "{second}");
    }
}

#[test]
fn who_comes_without_a_proxy_is_served_too() {
    let server = behind_proxy();
    let mut client = plain(&server);
    client.line().unwrap();
    client.connect();
    client.echo("hello");
}

#[test]
fn a_header_that_is_none_ends_the_connection() {
    let server = behind_proxy();
    let mut client = plain(&server);
    client.line().unwrap();
    client.send("PROXY nonsense\r\nCONNECT {}\r\nPING\r\n");
    assert_eq!(client.rest(), "");
}

#[test]
fn the_header_comes_before_tls() {
    let authority = Authority::new();
    let server = Server::builder().configure(|options| {
        options.proxy_protocol = true;
        options.tls = Some(authority.server_options());
    });
    let server = server.start().unwrap();
    let mut client = plain(&server);
    client.line().unwrap();
    client.send("PROXY TCP6 2001:db8::7 ::1 4711 4222\r\n");
    let mut client = over(client.stream, &authority.client(None));
    client.send("CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\n");
    assert_eq!(client.line().unwrap(), "PONG");
    let second = client.line().unwrap();
    assert!(second.contains("\"client_ip\":\"2001:db8::7\""), "{second}");
}
