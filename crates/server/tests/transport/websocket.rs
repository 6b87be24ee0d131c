//! Clients over WebSocket, by hand: frames of every cut, and what breaks the rules.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream, UdpSocket};
use std::time::Duration;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use recado_server::Server;
use recado_server::config::{Authorization, Machine, WebsocketOptions, load_file};

use crate::certificates::Authority;
use crate::client::{dial, over};

const FINAL: u8 = 0x80;
const BINARY: u8 = 0x82;
const COMPRESSED: u8 = 0xc2;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

fn options() -> WebsocketOptions {
    WebsocketOptions {
        no_tls: true,
        ..WebsocketOptions::default()
    }
}

fn server(websocket: WebsocketOptions) -> Server {
    let server = Server::builder().configure(|options| options.websocket = Some(websocket));
    server.start().unwrap()
}

fn configured(text: &str) -> Server {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("server.conf");
    std::fs::write(&file, text).unwrap();
    let configured = Server::builder().configure(|options| {
        let loaded = load_file(&file, options, &Machine).unwrap();
        assert_eq!(loaded.findings.errors, []);
    });
    configured.start().unwrap()
}

/// A connection that was upgraded.
struct Peer<S> {
    stream: S,
    /// Bytes of the protocol that came in frames and were not looked at yet.
    said: String,
}

fn request(stream: &mut (impl Read + Write), path: &str, extra: &str) -> String {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream.flush().unwrap();
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        answer.push(byte[0]);
    }
    String::from_utf8(answer).unwrap()
}

impl Peer<TcpStream> {
    fn new(server: &Server, extra: &str) -> Self {
        let mut stream = dial(server.websocket_addr().unwrap());
        let answer = request(&mut stream, "/", extra);
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        let said = String::new();
        Self { stream, said }
    }
}

/// A frame with a mask, as clients send it.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    let mask = [0x9d, 0x01, 0xfe, 0x33];
    frame.extend_from_slice(&mask);
    frame.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 100);
    Compress::new(Compression::fast(), false)
        .compress_vec(payload, &mut out, FlushCompress::Sync)
        .unwrap();
    assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
    out.truncate(out.len() - 4);
    out
}

fn decompressed(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 << 20);
    let whole = [payload, &[0, 0, 0xff, 0xff]].concat();
    Decompress::new(false)
        .decompress_vec(&whole, &mut out, FlushDecompress::Sync)
        .unwrap();
    out
}

impl<S: Read + Write> Peer<S> {
    fn send(&mut self, text: &str) {
        self.send_frame(BINARY, text.as_bytes());
    }

    fn send_frame(&mut self, first: u8, payload: &[u8]) {
        self.stream.write_all(&masked(first, payload)).unwrap();
        self.stream.flush().unwrap();
    }

    /// The next frame of the server: its first byte and its payload.
    fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).unwrap();
        let length = match head[1] {
            length @ 0..126 => usize::from(length),
            126 => {
                let mut length = [0; 2];
                self.stream.read_exact(&mut length).unwrap();
                usize::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                self.stream.read_exact(&mut length).unwrap();
                u64::from_be_bytes(length) as usize
            }
            _ => panic!("a server's frames are not masked"),
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).unwrap();
        (head[0], payload)
    }

    /// The next line of the protocol.
    fn line(&mut self) -> String {
        loop {
            if let Some((line, rest)) = self.said.split_once("\r\n") {
                let line = line.to_owned();
                self.said = rest.to_owned();
                // The server asks by itself once in a while.
                if line != "PING" {
                    return line;
                }
                continue;
            }
            let payload = match self.frame() {
                (BINARY, payload) => payload,
                (COMPRESSED, payload) => decompressed(&payload),
                (other, payload) => panic!("{other:#x} {payload:?}"),
            };
            self.said.push_str(std::str::from_utf8(&payload).unwrap());
        }
    }

    fn connect(&mut self) {
        let info = self.line();
        assert!(info.starts_with("INFO {"), "{info}");
        self.send("CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPING\r\n");
        assert_eq!(self.line(), "PONG");
    }

    fn echo(&mut self, payload: &str) {
        let length = payload.len();
        self.send(&format!(
            "SUB echo 1\r\nPUB echo {length}\r\n{payload}\r\nUNSUB 1\r\n"
        ));
        assert_eq!(self.line(), format!("MSG echo 1 {length}"));
        assert_eq!(self.line(), payload);
    }

    /// The code that the server closes with; what it said before is left in `said`.
    fn close_code(&mut self) -> u16 {
        loop {
            match self.frame() {
                (CLOSE, payload) => return u16::from_be_bytes([payload[0], payload[1]]),
                (BINARY, payload) => self.said.push_str(std::str::from_utf8(&payload).unwrap()),
                (other, _) => panic!("{other:#x}"),
            }
        }
    }
}

#[test]
fn the_protocol_is_spoken_in_frames() {
    let server = server(options());
    let mut peer = Peer::new(&server, "");
    peer.connect();
    peer.echo("hello");
    peer.echo(&"x".repeat(300_000));
    // Whoever comes over TCP hears it, too.
    let mut other = crate::client::plain(&server);
    other.line().unwrap();
    other.connect();
    other.send("SUB both 7\r\nPING\r\n");
    assert_eq!(other.line().unwrap(), "PONG");
    peer.send("PUB both 2\r\nhi\r\n");
    assert_eq!(other.line().unwrap(), "MSG both 7 2");
}

#[test]
fn only_the_bytes_count_however_frames_are_cut() {
    let server = server(options());
    let mut peer = Peer::new(&server, "");
    peer.connect();
    let said = b"SUB echo 1\r\nPUB echo 5\r\nhello\r\nUNSUB 1\r\n";
    // A frame a byte, as fragments of one message with pings between.
    for (at, byte) in said.iter().enumerate() {
        let last = if at + 1 == said.len() { 0x80 } else { 0 };
        let what = if at == 0 { 2 } else { 0 };
        peer.send_frame(last | what, &[*byte]);
        peer.send_frame(PING, b"");
    }
    let mut heard = String::new();
    while !heard.ends_with("hello\r\n") {
        match peer.frame() {
            (PONG, _) => {}
            (_, payload) => heard.push_str(std::str::from_utf8(&payload).unwrap()),
        }
    }
    assert_eq!(heard, "MSG echo 1 5\r\nhello\r\n");
    // A frame whose bytes come one by one, and is text for once.
    for byte in masked(0x81, b"PING\r\n") {
        peer.stream.write_all(&[byte]).unwrap();
    }
    loop {
        match peer.frame() {
            (PONG, _) => {}
            (first, payload) => {
                break assert_eq!((first, &payload[..]), (BINARY, &b"PONG\r\n"[..]));
            }
        }
    }
}

#[test]
fn a_ping_is_answered_with_its_own_payload() {
    let server = server(options());
    let mut peer = Peer::new(&server, "");
    peer.connect();
    peer.send_frame(PING, b"are you there");
    assert_eq!(peer.frame(), (PONG, b"are you there".to_vec()));
}

#[test]
fn a_close_is_answered_and_ends_the_connection() {
    let server = server(options());
    let mut peer = Peer::new(&server, "");
    peer.connect();
    peer.send_frame(CLOSE, &1000_u16.to_be_bytes());
    assert_eq!(peer.close_code(), 1000);
    assert_eq!(peer.stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn what_was_said_with_the_close_is_heard_before_it() {
    let server = server(options());
    let mut peer = Peer::new(&server, "");
    peer.connect();
    let close = masked(CLOSE, &1000_u16.to_be_bytes());
    let last = [masked(BINARY, b"SUB last 1\r\nPUB last 2\r\nhi\r\n"), close].concat();
    peer.stream.write_all(&last).unwrap();
    assert_eq!(peer.close_code(), 1000);
    assert_eq!(peer.said, "MSG last 1 2\r\nhi\r\n");
    assert_eq!(peer.stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn what_breaks_the_rules_is_told_with_its_code() {
    let with = WebsocketOptions {
        compression: true,
        ..options()
    };
    let server = server(with);
    let bomb = compressed(&vec![0; 64 << 20]);
    for (frame, code) in [
        (vec![BINARY, 1, b'x'], 1002),
        (masked(0xf2, b"x"), 1002),
        (masked(0x83, b"x"), 1002),
        (masked(0x80, b"continuation of nothing"), 1002),
        (
            vec![
                BINARY, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4,
            ],
            1002,
        ),
        (masked(PING, &[0; 126]), 1002),
        (masked(COMPRESSED, &[0xff; 50]), 1007),
        (masked(COMPRESSED, &bomb), 1009),
        (masked(BINARY, b"PUB a 99999999\r\n"), 1009),
        (masked(BINARY, b"NONSENSE\r\n"), 1002),
    ] {
        let mut peer = Peer::new(&server, OFFER);
        peer.connect();
        // The server may have closed before it is all written.
        let _ = peer.stream.write_all(&frame);
        assert_eq!(
            peer.close_code(),
            code,
            "{:?}",
            &frame[..frame.len().min(20)]
        );
    }
    Peer::new(&server, OFFER).connect();
}

#[test]
fn a_bomb_is_one_in_fragments_too_and_a_smaller_one_before_anybody_is_known() {
    let server = server(WebsocketOptions {
        compression: true,
        ..options()
    });
    let bomb = compressed(&vec![0; 64 << 20]);
    let mut peer = Peer::new(&server, OFFER);
    peer.connect();
    let pieces: Vec<_> = bomb.chunks(1 + bomb.len() / 500).collect();
    for (at, piece) in pieces.iter().enumerate() {
        let first = match at {
            0 => COMPRESSED & !FINAL,
            _ if at + 1 == pieces.len() => FINAL,
            _ => 0,
        };
        // The server may close before it is all written.
        if peer.stream.write_all(&masked(first, piece)).is_err() {
            break;
        }
    }
    assert_eq!(peer.close_code(), 1009);
    let mut stranger = Peer::new(&server, OFFER);
    assert!(stranger.line().starts_with("INFO "));
    let small = compressed(&vec![b' '; (64 << 10) + 1]);
    stranger
        .stream
        .write_all(&masked(COMPRESSED, &small))
        .unwrap();
    assert_eq!(stranger.close_code(), 1009);
    Peer::new(&server, OFFER).connect();
}

#[test]
fn messages_are_compressed_where_both_want_it() {
    let server = server(WebsocketOptions {
        compression: true,
        ..options()
    });
    let mut stream = dial(server.websocket_addr().unwrap());
    let answer = request(&mut stream, "/", OFFER);
    assert!(
        answer
            .contains("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
    );
    let said = String::new();
    let mut peer = Peer { stream, said };
    peer.connect();
    let payload = "again and ".repeat(5000);
    let length = payload.len();
    let said = format!("SUB echo 1\r\nPUB echo {length}\r\n{payload}\r\n");
    peer.send_frame(COMPRESSED, &compressed(said.as_bytes()));
    let (first, frame) = peer.frame();
    assert_eq!(first, COMPRESSED);
    assert!(frame.len() < length / 10, "{}", frame.len());
    let heard = String::from_utf8(decompressed(&frame)).unwrap();
    assert_eq!(heard, format!("MSG echo 1 {length}\r\n{payload}\r\n"));
    peer.echo("short ones are not worth it");
    // Who does not ask for it gets none.
    let mut plain = Peer::new(&server, "");
    plain.connect();
    plain.echo(&"x".repeat(1000));
}

#[test]
fn it_works_inside_tls() {
    let authority = Authority::new();
    let server = server(WebsocketOptions {
        tls: Some(authority.server_options()),
        compression: true,
        ..WebsocketOptions::default()
    });
    let socket = dial(server.websocket_addr().unwrap());
    let mut stream = over(socket, &authority.client(None)).stream;
    let answer = request(&mut stream, "/", OFFER);
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    let said = String::new();
    let mut peer = Peer { stream, said };
    peer.connect();
    peer.echo(&"y".repeat(200_000));
    peer.send_frame(PING, b"still there");
    assert_eq!(peer.frame(), (PONG, b"still there".to_vec()));
}

#[test]
fn requests_that_are_none_are_turned_down_in_http() {
    let server = server(WebsocketOptions {
        same_origin: true,
        ..options()
    });
    let ask = |path: &str, extra: &str| {
        let mut stream = dial(server.websocket_addr().unwrap());
        request(&mut stream, path, extra)
    };
    for (path, extra, status) in [
        ("/x/leafnode", "", "404"),
        ("/mqtt", "", "404"),
        ("/", "Origin: http://evil.example\r\n", "403"),
        ("/", "Origin: http://localhost\r\n", "101"),
        ("/any/other/path?x=1", "", "101"),
    ] {
        let answer = ask(path, extra);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
    let endless = format!("X-Long: {}\r\n", "x".repeat(20_000));
    assert!(ask("/", &endless).starts_with("HTTP/1.1 431 "));
}

#[test]
fn a_handshake_that_is_not_finished_is_cut_off() {
    let server = server(WebsocketOptions {
        handshake_timeout: Duration::from_millis(200),
        ..options()
    });
    let mut stream = dial(server.websocket_addr().unwrap());
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").unwrap();
    assert_eq!(stream.read(&mut [0; 100]).unwrap(), 0);
}

#[test]
fn a_wrong_credential_is_told_and_a_cookie_can_bring_the_right_one() {
    let server = Server::builder().token("s3cr3t").configure(|all| {
        all.websocket = Some(WebsocketOptions {
            token_cookie: Some("session".to_owned()),
            ..options()
        });
    });
    let server = server.start().unwrap();
    let mut stranger = Peer::new(&server, "Cookie: session=wrong\r\n");
    assert!(stranger.line().contains("\"auth_required\":true"));
    stranger.send("CONNECT {\"verbose\":false}\r\nPING\r\n");
    assert_eq!(stranger.close_code(), 1008);
    assert_eq!(stranger.said, "-ERR 'Authorization Violation'\r\n");
    Peer::new(&server, "Cookie: other=1; session=s3cr3t\r\n").connect();
}

#[test]
fn other_credentials_may_be_asked_for_here_than_elsewhere() {
    let own = |authorization| WebsocketOptions {
        authorization,
        ..options()
    };
    let asking = own(Authorization {
        token: Some("here".to_owned()),
        ..Authorization::default()
    });
    let server = Server::builder().configure(|all| all.websocket = Some(asking.clone()));
    let server = server.start().unwrap();
    // Nothing is asked of others.
    let mut other = crate::client::plain(&server);
    assert!(!other.line().unwrap().contains("auth_required"));
    other.connect();
    let mut stranger = Peer::new(&server, "");
    assert!(stranger.line().contains("\"auth_required\":true"));
    stranger.send("CONNECT {\"verbose\":false,\"auth_token\":\"elsewhere\"}\r\nPING\r\n");
    assert_eq!(stranger.close_code(), 1008);
    let mut known = Peer::new(&server, "");
    known.line();
    known.send("CONNECT {\"verbose\":false,\"auth_token\":\"here\"}\r\nPING\r\n");
    assert_eq!(known.line(), "PONG");
    // What is asked for changes: who was let in by the old token has to go, others are not concerned.
    let mut told = None;
    let _ = Server::builder().configure(|all| {
        all.websocket = Some(own(Authorization {
            token: Some("another".to_owned()),
            ..Authorization::default()
        }));
        told = Some(all.clone());
    });
    let mut told = told.unwrap();
    told.port = 0;
    assert_eq!(server.reload(told).unwrap().dismissed, 1);
    assert_eq!(known.close_code(), 1008);
    other.send("PING\r\n");
    while other.line().unwrap() != "PONG" {}
}

#[test]
fn a_listener_that_others_reach_goes_on_asking_for_a_credential() {
    let asking = |token: Option<&str>| WebsocketOptions {
        host: Some("0.0.0.0".to_owned()),
        authorization: Authorization {
            token: token.map(str::to_owned),
            ..Authorization::default()
        },
        ..options()
    };
    let told = |websocket: WebsocketOptions| {
        let mut told = None;
        let _ = Server::builder().configure(|all| {
            all.websocket = Some(websocket);
            told = Some(all.clone());
        });
        told.unwrap()
    };
    let refused = Server::builder().configure(|all| all.websocket = Some(asking(None)));
    let at_the_start = refused.start().err().unwrap().to_string();
    let server = server(asking(Some("one")));
    let refused = server.reload(told(asking(None))).unwrap_err();
    assert_eq!(refused.to_string(), at_the_start);
    // All is as it was, and may still change otherwise.
    let asked = |server: &Server| {
        let info = Peer::new(server, "").line();
        info.contains("\"auth_required\":true")
    };
    assert!(asked(&server));
    server.reload(told(asking(Some("another")))).unwrap();
    assert!(asked(&server));
}

#[test]
fn the_system_account_is_told_what_a_client_speaks() {
    let server = configured(
        "port: -1, jetstream: false, websocket {port: -1, no_tls: true}, system_account: SYS
         accounts {
             A {users: [{user: page, password: p}]}
             SYS {users: [{user: root, password: r}]} }",
    );
    let mut root = crate::client::plain(&server);
    root.line().unwrap();
    root.send("CONNECT {\"verbose\":false,\"user\":\"root\",\"pass\":\"r\"}\r\nSUB $SYS.ACCOUNT.A.CONNECT 1\r\nPING\r\n");
    assert_eq!(root.line().unwrap(), "PONG");
    let mut page = Peer::new(&server, "");
    page.line();
    page.send("CONNECT {\"verbose\":false,\"user\":\"page\",\"pass\":\"p\"}\r\nPING\r\n");
    assert_eq!(page.line(), "PONG");
    let told = std::iter::repeat_with(|| root.line().unwrap()).find(|line| line.starts_with('{'));
    let told: serde_json::Value = serde_json::from_str(&told.unwrap()).unwrap();
    assert_eq!(told["client"]["client_type"], "websocket");
}

#[test]
fn who_is_sent_elsewhere_is_told_where_its_own_listener_is() {
    let text = "port: -1, jetstream: false, system_account: SYS, client_advertise: \"plain.example:4222\"
        accounts { SYS { users: [{user: root, password: r}] }, WEB { users: [{user: page, password: p}] } }
        websocket { host: \"127.0.0.1\", port: -1, no_tls: true, advertise: \"web.example:443\" }";
    let server = configured(text);
    let mut page = Peer::new(&server, "");
    let greeting = page.line();
    let info: serde_json::Value =
        serde_json::from_str(greeting.strip_prefix("INFO ").unwrap()).unwrap();
    page.send("CONNECT {\"verbose\":false,\"user\":\"page\",\"pass\":\"p\"}\r\nPING\r\n");
    assert_eq!(page.line(), "PONG");
    let mut root = crate::client::plain(&server);
    root.line().unwrap();
    let asked = format!("{{\"cid\":{}}}", info["client_id"]);
    root.send(&format!(
        "CONNECT {{\"verbose\":false,\"user\":\"root\",\"pass\":\"r\"}}\r\nPUB $SYS.REQ.SERVER.{}.LDM answer {}\r\n{asked}\r\n",
        server.info().server_id,
        asked.len(),
    ));
    let sent_away = page.line();
    assert!(sent_away.contains("\"ldm\":true"), "{sent_away}");
    assert!(sent_away.contains("web.example:443"), "{sent_away}");
}

#[test]
fn who_presents_nothing_may_be_somebody_here_and_nobody_elsewhere() {
    let text = "port: -1, jetstream: false, accounts { WEB { users: [{user: page, permissions: {publish: shown}}] }, OWN { users: [{user: ana, password: a}] } }
        websocket { host: \"127.0.0.1\", port: -1, no_tls: true, no_auth_user: page }";
    let server = configured(text);
    let mut page = Peer::new(&server, "");
    page.connect();
    page.send("SUB shown 1\r\nPUB shown 2\r\nhi\r\nPUB hidden 2\r\nhi\r\n");
    assert_eq!(page.line(), "MSG shown 1 2");
    assert_eq!(page.line(), "hi");
    let violation = "-ERR 'Permissions Violation for Publish to \"hidden\"'";
    assert_eq!(page.line(), violation);
    // It is not somebody else before it says CONNECT, or without.
    let mut silent = Peer::new(&server, "");
    silent.line();
    silent.send("SUB shown 1\r\nPUB hidden 2\r\nhi\r\nPUB shown 2\r\nhi\r\n");
    // Until CONNECT says otherwise each operation is confirmed.
    let mut next = || std::iter::repeat_with(|| silent.line()).find(|line| line != "+OK");
    assert_eq!(next().as_deref(), Some(violation));
    assert_eq!(next().as_deref(), Some("MSG shown 1 2"));
    let mut other = crate::client::plain(&server);
    other.line().unwrap();
    other.send("CONNECT {\"verbose\":false}\r\nPING\r\n");
    assert_eq!(other.line().unwrap(), "-ERR 'Authorization Violation'");
}

#[test]
fn the_address_is_the_one_that_proxies_forward() {
    let server = server(options());
    let mut peer = Peer::new(&server, "X-Forwarded-For: 192.0.2.7, 10.0.0.1\r\n");
    let info = peer.line();
    assert!(info.contains("\"client_ip\":\"192.0.2.7\""), "{info}");
}

/// An address of this machine that is no loopback one, if it has any: nothing is sent to find it.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}

#[test]
fn an_address_that_fails_to_log_in_is_not_heard_whoever_it_says_it_is() {
    let Some(own) = own_address() else {
        // Not `eprintln!`, which the test harness keeps to itself.
        let words = "SKIPPED an_address_that_fails_to_log_in_is_not_heard_whoever_it_says_it_is: this machine \
                     has no address but loopback, where failures do not count\n";
        let _ = std::io::stderr().write_all(words.as_bytes());
        return;
    };
    let server = configured(
        "host: \"127.0.0.1\", jetstream: false
         websocket { host: \"0.0.0.0\", port: -1, no_tls: true }
         authorization { user: ana, password: \"the right word of many letters\" }",
    );
    let port = server.websocket_addr().unwrap().port();
    let log_in = |to: IpAddr, claimed: &str, password: &str| {
        let mut stream = dial((to, port).into());
        let answer = request(&mut stream, "/", &format!("X-Forwarded-For: {claimed}\r\n"));
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        let said = String::new();
        let mut peer = Peer { stream, said };
        peer.line();
        peer.send(&format!(
            "CONNECT {{\"verbose\":false,\"user\":\"ana\",\"pass\":\"{password} word of many letters\"}}\r\nPING\r\n"
        ));
        peer.line()
    };
    let refused = "-ERR 'Authorization Violation'";
    for host in 1..=10 {
        let claimed = format!("198.51.100.{host}");
        assert_eq!(log_in(own, &claimed, "a wrong"), refused);
    }
    for claimed in ["198.51.100.99", "127.0.0.1", "203.0.113.8"] {
        assert_eq!(log_in(own, claimed, "the right"), refused);
    }
    // Nor can it have others not heard.
    let here = IpAddr::from([127, 0, 0, 1]);
    assert_eq!(log_in(here, &own.to_string(), "the right"), "PONG");
}

#[test]
fn a_slow_reader_gets_every_frame_in_order() {
    let configured = Server::builder().configure(|all| {
        all.websocket = Some(options());
        // It reads nothing while the publisher speaks, however long a busy machine takes for that.
        all.limits.write_deadline = Duration::from_secs(120);
    });
    let server = configured.start().unwrap();
    let mut reader = Peer::new(&server, "");
    reader.connect();
    reader.send("SUB flood 1\r\nPING\r\n");
    assert_eq!(reader.line(), "PONG");
    let mut publisher = Peer::new(&server, "");
    publisher.connect();
    let (count, size) = (2000, 10_000);
    for number in 0..count {
        publisher.send(&format!("PUB flood {size}\r\n{number:0size$}\r\n"));
    }
    publisher.send("PING\r\n");
    assert_eq!(publisher.line(), "PONG");
    reader.send_frame(PING, b"in between");
    let expected: String = (0..count)
        .map(|number| format!("MSG flood 1 {size}\r\n{number:0size$}\r\n"))
        .collect();
    let last = &expected[expected.len() - size..];
    let (mut heard, mut answered) = (String::new(), false);
    while !heard.ends_with(last) || !answered {
        match reader.frame() {
            (PONG, _) => answered = true,
            (_, payload) => heard.push_str(std::str::from_utf8(&payload).unwrap()),
        }
    }
    // The server asks by itself once in a while.
    assert!(heard.replace("PING\r\n", "") == expected);
}
