//! The way to a server, step by step: name, TCP, greeting, TLS, authentication; each timed, each
//! with its own failure.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use async_nats::ServerAddr;
use bytes::BytesMut;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::strangers::{not_nats, question, stranger};
use super::{Direction, Frame, Info, Line, Stream, Tap, frame, tls};
use crate::credentials::Proof;
use crate::failure::{Failure, Found, Insecure};
use crate::settings::{Settings, host_port};
use crate::span;
use crate::text::failures as text;
use crate::trust::Trust;

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
    /// The step that is under way, or failed, once there is a TCP connection.
    pub(crate) stage: Stage,
}

/// What is being done with a TCP connection until it can be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The server's `INFO` is awaited.
    #[default]
    Greeting,
    /// The connection is being made secure.
    Tls,
    /// Our credentials are looked at.
    Authentication,
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
    let candidates = resolve(server, limit).await?;
    steps.resolve = start.elapsed();

    let start = Instant::now();
    let socket = connect(&candidates, &address, limit).await?;
    steps.connect = start.elapsed();
    enter(settings, server, socket, &mut steps).await
}

/// Goes on from the TCP connection: greeting, TLS, authentication. `steps` tells how far it came,
/// also when it fails.
pub(crate) async fn enter(
    settings: &Settings,
    server: &ServerAddr,
    socket: TcpStream,
    steps: &mut Steps,
) -> Result<Line, Failure> {
    let address = host_port(server);
    let limit = settings.connect_limit();
    let (trust, tap) = (&settings.trust, settings.tap.as_ref());
    let host = server.host();
    let mut input = BytesMut::with_capacity(4096);
    let (stream, info): (Box<dyn Stream>, Info) = if trust.first {
        let mut stream = secure(steps, socket, trust, host, &address, limit).await?;
        let info = greet(steps, &mut stream, None, &mut input, &address, limit, tap).await?;
        (Box::new(stream), info)
    } else {
        let mut socket = socket;
        let at = socket.peer_addr().ok();
        let info = greet(steps, &mut socket, at, &mut input, &address, limit, tap).await?;
        let asked_for = server.tls_required() || trust.demands_tls();
        if asked_for && !info.tls_required && !info.tls_available {
            steps.stage = Stage::Tls;
            let trouble = Insecure::NotOffered;
            return Err(Failure::Tls { address, trouble });
        }
        if info.tls_required || asked_for {
            let stream = secure(steps, socket, trust, host, &address, limit).await?;
            (Box::new(stream), info)
        } else {
            (Box::new(socket), info)
        }
    };
    let is_secure = !steps.tls.is_zero();
    let proof = settings.credentials.identity.proof(info.nonce.as_bytes());

    steps.stage = Stage::Authentication;
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
        steps: *steps,
    };
    let start = Instant::now();
    line.confirm(limit).await?;
    line.steps.authentication = start.elapsed();
    *steps = line.steps;
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
    steps.stage = Stage::Tls;
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
    at: Option<SocketAddr>,
    input: &mut BytesMut,
    address: &str,
    limit: Duration,
    tap: Option<&Tap>,
) -> Result<Info, Failure> {
    steps.stage = Stage::Greeting;
    let start = Instant::now();
    let info = greeting(stream, at, input, address, limit, tap).await?;
    steps.greeting = start.elapsed();
    Ok(info)
}

/// The addresses of a server's name, in the order in which they are tried.
pub(crate) async fn resolve(
    server: &ServerAddr,
    limit: Duration,
) -> Result<Vec<SocketAddr>, Failure> {
    let host = server.host();
    let unknown = |detail: String| Failure::UnknownHost {
        host: host.to_owned(),
        detail,
    };
    match timeout(limit, tokio::net::lookup_host((host, server.port()))).await {
        Ok(Ok(found)) => Ok(found.collect()),
        Ok(Err(error)) => Err(unknown(resolver_words(&error.to_string()))),
        Err(_) => Err(unknown(text::name_too_late(&span::show(limit)))),
    }
}

/// "failed to lookup address information: Name or service not known": the second half is the
/// system's own reason, in English and for experts.
fn resolver_words(said: &str) -> String {
    match said.rsplit(": ").next().unwrap_or(said) {
        "Name or service not known" | "Name does not resolve" => text::no_such_name().to_owned(),
        "Temporary failure in name resolution" | "Try again" => text::no_name_server().to_owned(),
        "No address associated with hostname" => text::name_without_address().to_owned(),
        other => other.to_owned(),
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
        detail: text::name_without_address().to_owned(),
    };
    for candidate in candidates {
        match reach(*candidate, address, limit).await {
            Ok(socket) => return Ok(socket),
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

/// Connects to one of the addresses of a name; `address` is what a failure calls it.
pub(crate) async fn reach(
    candidate: SocketAddr,
    address: &str,
    limit: Duration,
) -> Result<TcpStream, Failure> {
    let address = address.to_owned();
    match timeout(limit, TcpStream::connect(candidate)).await {
        Ok(Ok(socket)) => {
            // Best effort: without it a small message may wait for an earlier one's ACK.
            let _ = socket.set_nodelay(true);
            Ok(socket)
        }
        Ok(Err(error)) => Err(match error.kind() {
            ErrorKind::ConnectionRefused => Failure::Refused { address },
            ErrorKind::ConnectionReset => Failure::broken(&address, &error),
            ErrorKind::TimedOut => Failure::NoAnswer { address, limit },
            kind => Failure::Unreachable {
                address,
                detail: match kind {
                    ErrorKind::NetworkUnreachable => text::network_unreachable().to_owned(),
                    ErrorKind::HostUnreachable => text::host_unreachable().to_owned(),
                    _ => error.to_string(),
                },
            },
        }),
        Err(_) => Err(Failure::NoAnswer { address, limit }),
    }
}

/// Reads the server's `INFO`, which it sends before we say anything (A02).
async fn greeting(
    socket: &mut (impl Stream + ?Sized),
    at: Option<SocketAddr>,
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
                Err(error) => return Err(Failure::broken(address, &error)),
            }
        }
    };
    match timeout(limit, reading).await {
        Ok(result) => result,
        Err(_) => Err(stranger(address, question(socket, input, at, limit).await)),
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
    fn the_connect_frame_is_one_line_of_json_and_secrets_are_escaped() {
        let identity = Identity::Token("a\"b\r\nPUB x 0".into());
        let frame = connect_frame(&identity.proof(b""), "me", false);
        assert_eq!(frame.iter().filter(|&&byte| byte == b'\n').count(), 1);
        assert!(frame.ends_with(b"}\r\n"));
    }
}
