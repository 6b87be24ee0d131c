//! The way to a server, step by step: name, TCP, greeting, TLS, authentication; each timed, each
//! with its own failure.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use async_nats::ServerAddr;
use bytes::BytesMut;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::{Direction, Frame, Info, Line, Stream, Tap, frame, tls};
use crate::credentials::Proof;
use crate::failure::{Failure, Found};
use crate::settings::{Settings, host_port};
use crate::terminal;
use crate::trust::Trust;

/// How long a stranger on the port is given to answer when it is poked to learn what it is.
const POKE_LIMIT: Duration = Duration::from_millis(500);

/// How long each step took; `tls` is zero without TLS.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Steps {
    /// From a name to addresses.
    pub(crate) resolve: Duration,
    /// The TCP handshake.
    pub(crate) connect: Duration,
    /// From the TCP handshake to the server's `INFO`.
    pub(crate) greeting: Duration,
    /// The TLS handshake.
    pub(crate) tls: Duration,
    /// From `CONNECT` and `PING` to `PONG`.
    pub(crate) authentication: Duration,
}

impl Steps {
    /// The whole way.
    pub(crate) fn total(&self) -> Duration {
        self.resolve + self.connect + self.greeting + self.tls + self.authentication
    }
}

/// Opens a connection to the first of the servers that lets us in.
///
/// If none does, the last failure is told: with one server, which is the usual case, it is the
/// only one.
pub(crate) async fn open(settings: &Settings) -> Result<Line, Failure> {
    let mut last = None;
    for server in &settings.servers {
        match open_one(settings, server).await {
            Ok(line) => return Ok(line),
            Err(failure) => last = Some(failure),
        }
    }
    Err(last.unwrap_or(Failure::Interrupted))
}

async fn open_one(settings: &Settings, server: &ServerAddr) -> Result<Line, Failure> {
    let address = host_port(server);
    let limit = settings.connect_limit();
    let mut steps = Steps::default();

    let start = Instant::now();
    let candidates = resolve(server, &address, limit).await?;
    steps.resolve = start.elapsed();

    let start = Instant::now();
    let socket = connect(&candidates, &address, limit).await?;
    steps.connect = start.elapsed();

    let (trust, tap) = (&settings.trust, settings.tap.as_ref());
    let mut input = BytesMut::with_capacity(4096);
    let host = server.host();
    let (stream, info): (Box<dyn Stream>, Info) = if trust.first {
        let mut stream = secure(&mut steps, socket, trust, host, &address, limit).await?;
        let info = greet(&mut steps, &mut stream, &mut input, &address, limit, tap).await?;
        (Box::new(stream), info)
    } else {
        let mut socket = socket;
        let info = greet(&mut steps, &mut socket, &mut input, &address, limit, tap).await?;
        if info.tls_required || server.tls_required() || trust.demands_tls() {
            let stream = secure(&mut steps, socket, trust, host, &address, limit).await?;
            (Box::new(stream), info)
        } else {
            (Box::new(socket), info)
        }
    };
    let is_secure = !steps.tls.is_zero();
    let proof = settings.credentials.identity.proof(info.nonce.as_bytes());

    let mut line = Line {
        stream,
        input,
        output: connect_frame(&proof, &settings.name, is_secure),
        written: 0,
        unanswered: 0,
        address,
        source: settings.credentials.source.clone(),
        tap: settings.tap.clone(),
        info,
        steps,
    };
    let start = Instant::now();
    line.confirm(limit).await?;
    line.steps.authentication = start.elapsed();
    Ok(line)
}

/// The TLS handshake, timed.
async fn secure(
    steps: &mut Steps,
    socket: TcpStream,
    trust: &Trust,
    host: &str,
    address: &str,
    limit: Duration,
) -> Result<TlsStream<TcpStream>, Failure> {
    let start = Instant::now();
    let stream = tls::handshake(socket, trust, host, address, limit).await?;
    // A clock that did not move must not look as if there was no TLS.
    steps.tls = start.elapsed().max(Duration::from_nanos(1));
    Ok(stream)
}

/// The server's greeting, timed.
async fn greet(
    steps: &mut Steps,
    stream: &mut (impl Stream + ?Sized),
    input: &mut BytesMut,
    address: &str,
    limit: Duration,
    tap: Option<&Tap>,
) -> Result<Info, Failure> {
    let start = Instant::now();
    let info = greeting(stream, input, address, limit, tap).await?;
    steps.greeting = start.elapsed();
    Ok(info)
}

async fn resolve(
    server: &ServerAddr,
    address: &str,
    limit: Duration,
) -> Result<Vec<SocketAddr>, Failure> {
    let host = server.host();
    match timeout(limit, tokio::net::lookup_host((host, server.port()))).await {
        Ok(Ok(found)) => Ok(found.collect()),
        Ok(Err(error)) => {
            // "failed to lookup address information: Name or service not known": the second half
            // is the system's own reason.
            let detail = error.to_string();
            let detail = detail.rsplit(": ").next().unwrap_or(&detail).to_owned();
            Err(Failure::UnknownHost {
                host: host.to_owned(),
                detail,
            })
        }
        Err(_) => Err(Failure::NoAnswer {
            address: address.to_owned(),
            limit,
        }),
    }
}

/// Tries the addresses of a name in turn: `localhost` is often `::1` first and `127.0.0.1` next.
async fn connect(
    candidates: &[SocketAddr],
    address: &str,
    limit: Duration,
) -> Result<TcpStream, Failure> {
    let mut last = Failure::UnknownHost {
        host: address.to_owned(),
        detail: "-".to_owned(),
    };
    for candidate in candidates {
        last = match timeout(limit, TcpStream::connect(candidate)).await {
            Ok(Ok(socket)) => {
                // Best effort: without it a small message may wait for an earlier one's ACK.
                let _ = socket.set_nodelay(true);
                return Ok(socket);
            }
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Failure::Refused {
                address: address.to_owned(),
            },
            Ok(Err(error)) => Failure::Unreachable {
                address: address.to_owned(),
                detail: error.to_string(),
            },
            Err(_) => Failure::NoAnswer {
                address: address.to_owned(),
                limit,
            },
        };
    }
    Err(last)
}

/// Reads the server's `INFO`, which it sends before we say anything (A02).
async fn greeting(
    socket: &mut (impl Stream + ?Sized),
    input: &mut BytesMut,
    address: &str,
    limit: Duration,
    tap: Option<&Tap>,
) -> Result<Info, Failure> {
    let reading = async {
        loop {
            match frame::parse(input) {
                Ok(Some((Frame::Info(json), used))) => {
                    let _ = input.split_to(used);
                    let parsed = serde_json::from_slice(&json);
                    return parsed.map_err(|_| not_nats(address, &json));
                }
                Ok(Some((Frame::Error(said), _))) => {
                    return Err(Failure::from_server(address, None, &said));
                }
                Ok(None) if input.len() <= super::LINE_BYTES_MAX => {}
                _ => return Err(not_nats(address, input)),
            }
            match socket.read_buf(input).await {
                Ok(count @ 1..) => {
                    if let Some(tap) = tap {
                        tap.passed(Direction::FromServer, &input[input.len() - count..]);
                    }
                }
                Ok(0) if input.is_empty() => return Err(stranger(address, Found::Closed)),
                Ok(0) => return Err(not_nats(address, input)),
                Err(error) => {
                    let detail = error.to_string();
                    return Err(Failure::Lost {
                        address: address.to_owned(),
                        detail,
                    });
                }
            }
        }
    };
    match timeout(limit, reading).await {
        Ok(result) => result,
        Err(_) => Err(stranger(address, poke(socket, input, limit).await)),
    }
}

/// Learns what a silent stranger is: an HTTP server speaks only when spoken to, and complains.
async fn poke(
    socket: &mut (impl Stream + ?Sized),
    input: &mut BytesMut,
    waited: Duration,
) -> Found {
    let answer = async {
        socket.write_all(b"PING\r\n\r\n").await?;
        socket.read_buf(input).await
    };
    match timeout(POKE_LIMIT, answer).await {
        Ok(Ok(1..)) => recognise(input),
        _ => Found::Silence(waited),
    }
}

fn stranger(address: &str, found: Found) -> Failure {
    Failure::NotNats {
        address: address.to_owned(),
        found,
    }
}

/// The failure for bytes that are not the protocol's.
pub(super) fn not_nats(address: &str, bytes: &[u8]) -> Failure {
    stranger(address, recognise(bytes))
}

fn recognise(bytes: &[u8]) -> Found {
    let first_line = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let shown: String = String::from_utf8_lossy(first_line)
        .trim_end()
        .chars()
        .take(60)
        .collect();
    let shown = terminal::harmless(&shown).into_owned();
    if bytes.starts_with(b"HTTP/") || bytes.starts_with(b"<") {
        Found::Http
    } else if bytes.starts_with(b"SSH-") {
        Found::Ssh(shown)
    } else {
        Found::Other(shown)
    }
}

/// `CONNECT` with what the server needs to know (A06), without a line for each accepted verb.
fn connect_frame(proof: &Proof, name: &str, tls: bool) -> Vec<u8> {
    let mut options = json!({
        "verbose": false,
        "pedantic": false,
        "tls_required": tls,
        "name": name,
        "lang": "rust",
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": 1,
        "echo": true,
        "headers": true,
        "no_responders": true,
    });
    let signature = proof.encoded_signature();
    for (key, value) in [
        ("auth_token", &proof.token),
        ("user", &proof.user),
        ("pass", &proof.password),
        ("nkey", &proof.nkey),
        ("jwt", &proof.jwt),
        ("sig", &signature),
    ] {
        if let Some(value) = value {
            options[key] = json!(value);
        }
    }
    format!("CONNECT {options}\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Identity;

    #[test]
    fn strangers_are_recognised_by_their_first_bytes() {
        assert_eq!(recognise(b"HTTP/1.1 400 Bad Request\r\n"), Found::Http);
        assert_eq!(
            recognise(b"SSH-2.0-OpenSSH_9\r\n"),
            Found::Ssh("SSH-2.0-OpenSSH_9".into())
        );
        assert_eq!(
            recognise(b"220 mail\r\nmore"),
            Found::Other("220 mail".into())
        );
        let Found::Other(shown) = recognise(b"\x1b[2J\x07") else {
            panic!()
        };
        assert!(!shown.contains('\x1b'), "{shown:?}");
    }

    #[test]
    fn the_connect_frame_is_one_line_of_json_and_secrets_are_escaped() {
        let identity = Identity::Token("a\"b\r\nPUB x 0".into());
        let frame = connect_frame(&identity.proof(b""), "me", false);
        assert_eq!(frame.iter().filter(|&&byte| byte == b'\n').count(), 1);
        assert!(frame.ends_with(b"}\r\n"));
    }
}
