//! One client's connection: in clear, over TLS or over WebSocket, as one of the users.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use socket2::{Domain, Socket, Type};

use super::stream::{Stream, is_timeout};
use crate::channel::read_until;
use crate::client::IO_TIMEOUT;
use crate::error::{Doing, Error, Result};
use crate::incoming::{Event, Incoming};

/// Closed connections keep their port for a minute: they come from so many addresses.
const SOURCES: u64 = 200;
/// What is not read by a client that is meant to be slow should not fit into its socket.
const SMALL_RECEIVE_BYTES: usize = 8 * 1024;

/// What a connection crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Clear,
    Tls,
    Websocket,
}

impl Way {
    pub(super) const ALL: [Way; 3] = [Way::Clear, Way::Tls, Way::Websocket];

    /// Each in its turn.
    pub(super) fn nth(n: u64) -> Way {
        Self::ALL[(n % 3) as usize]
    }
}

/// Where clients connect, and whom they trust.
#[derive(Clone)]
pub(super) struct Doors {
    clear: SocketAddr,
    websocket: SocketAddr,
    mqtt: SocketAddr,
    trust: Arc<ClientConfig>,
}

/// A user, and the password that it gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Login {
    pub(super) user: &'static str,
    pub(super) password: &'static str,
}

/// What the server said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Message(Message),
    Pong,
    /// `-ERR`, with its text.
    Refusal(String),
}

/// A message that is ours.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) subject: String,
    pub(super) reply: Option<String>,
    pub(super) headers: Vec<u8>,
    pub(super) payload: Vec<u8>,
}

/// One connection.
pub(super) struct Line {
    stream: Stream,
    incoming: Incoming,
    heard: VecDeque<Heard>,
    buffer: Vec<u8>,
}

impl Doors {
    pub(super) fn new(
        port: u16,
        websocket_port: u16,
        mqtt_port: u16,
        certificates: &[CertificateDer<'static>],
    ) -> Result<Self> {
        let failed = |error: rustls::Error| Error::Server(error.to_string());
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots.add(certificate.clone()).map_err(failed)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trust = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            clear: (Ipv4Addr::LOCALHOST, port).into(),
            websocket: (Ipv4Addr::LOCALHOST, websocket_port).into(),
            mqtt: (Ipv4Addr::LOCALHOST, mqtt_port).into(),
            trust: Arc::new(trust),
        })
    }

    /// A socket that is connected and has said nothing. `number` spreads the addresses that it comes from.
    pub(super) fn knock(&self, way: Way, number: u64, small: bool) -> Result<TcpStream> {
        let server = if way == Way::Websocket {
            self.websocket
        } else {
            self.clear
        };
        connect(server, number, small)
    }

    /// The same where MQTT is spoken.
    pub(super) fn knock_for_mqtt(&self, number: u64) -> Result<TcpStream> {
        connect(self.mqtt, number, false)
    }

    /// Connects as this user, says `say`, and returns when the server has taken all of it.
    pub(super) fn open(&self, way: Way, number: u64, login: Login, say: &str) -> Result<Line> {
        self.greet(way, self.knock(way, number, false)?, login, say)
    }

    /// The same for a client that will read little.
    pub(super) fn open_small(&self, way: Way, login: Login, say: &str) -> Result<Line> {
        self.greet(way, self.knock(way, 0, true)?, login, say)
    }

    fn greet(&self, way: Way, socket: TcpStream, login: Login, say: &str) -> Result<Line> {
        let stream = match way {
            Way::Clear => {
                read_until(&socket, b"\r\n")?;
                Stream::clear(socket)
            }
            Way::Tls => {
                read_until(&socket, b"\r\n")?;
                Stream::tls(socket, &self.trust)?
            }
            Way::Websocket => Stream::websocket(socket, "/")?,
        };
        let mut line = Line {
            stream,
            incoming: Incoming::default(),
            heard: VecDeque::new(),
            buffer: vec![0; 16 * 1024],
        };
        let Login { user, password } = login;
        let connect = serde_json::json!({
            "verbose": false, "pedantic": false, "name": "soak", "lang": "rust", "version": "0.1.0",
            "protocol": 1, "echo": true, "headers": true, "no_responders": true,
            "user": user, "pass": password,
        });
        line.send(format!("CONNECT {connect}\r\n{say}PING\r\n").as_bytes())?;
        line.pong()?;
        Ok(line)
    }
}

fn connect(server: SocketAddr, number: u64, small: bool) -> Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).doing("opening a socket")?;
    if small {
        socket
            .set_recv_buffer_size(SMALL_RECEIVE_BYTES)
            .doing("setting SO_RCVBUF")?;
    }
    let host = u32::from(Ipv4Addr::new(127, 0, 0, 2)) + (number % SOURCES) as u32;
    let source = SocketAddr::from((Ipv4Addr::from(host), 0));
    socket
        .bind(&source.into())
        .doing("binding a source address")?;
    socket
        .connect_timeout(&server.into(), IO_TIMEOUT)
        .doing("connecting")?;
    let socket = TcpStream::from(socket);
    socket.set_nodelay(true).doing("setting TCP_NODELAY")?;
    for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
        set(&socket, Some(IO_TIMEOUT)).doing("setting a timeout")?;
    }
    Ok(socket)
}

impl Line {
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.send(bytes)
    }

    /// What comes next, if anything does within this time. Answers `PING`s by itself.
    pub(super) fn hear(&mut self, patience: Duration) -> Result<Option<Heard>> {
        let until = Instant::now() + patience;
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return Ok(Some(heard));
            }
            let left = until.saturating_duration_since(Instant::now());
            // A timeout of nothing would be none at all.
            self.stream
                .set_patience(left.max(Duration::from_millis(1)))?;
            match self.stream.read(&mut self.buffer) {
                Ok(0) => return Err(Error::Closed("listening")),
                Ok(count) => self.take(count)?,
                Err(error) if is_timeout(&error) => {
                    if Instant::now() >= until {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error).doing("listening"),
            }
        }
    }

    /// The next message. A refusal is an error.
    pub(super) fn message(&mut self, patience: Duration) -> Result<Option<Message>> {
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.hear(left)? {
                Some(Heard::Message(message)) => return Ok(Some(message)),
                Some(Heard::Refusal(text)) => return Err(Error::Refused(text)),
                Some(Heard::Pong) => {}
                None => return Ok(None),
            }
        }
    }

    /// Returns when the server has taken all that was sent before; messages that come meanwhile are kept.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.send(b"PING\r\n")?;
        self.pong()
    }

    fn pong(&mut self) -> Result<()> {
        let (mut kept, until) = (VecDeque::new(), Instant::now() + IO_TIMEOUT);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.hear(left)? {
                Some(Heard::Pong) => break,
                Some(Heard::Refusal(text)) => return Err(Error::Refused(text)),
                Some(message) => kept.push_back(message),
                None => return Err(Error::Server("no PONG within 30 s".into())),
            }
        }
        kept.append(&mut self.heard);
        self.heard = kept;
        Ok(())
    }

    /// Asks, and waits for the answer at this inbox, which the connection is subscribed to. What comes before it is kept.
    pub(super) fn ask(&mut self, subject: &str, inbox: &str, body: &str) -> Result<Message> {
        let size = body.len();
        self.send(format!("PUB {subject} {inbox} {size}\r\n{body}\r\n").as_bytes())?;
        let (mut kept, until) = (VecDeque::new(), Instant::now() + IO_TIMEOUT);
        let answer = loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.message(left)? {
                Some(message) if message.subject == inbox => break message,
                Some(message) => kept.push_back(Heard::Message(message)),
                None => return Err(Error::Server(format!("no answer on {subject} within 30 s"))),
            }
        };
        kept.append(&mut self.heard);
        self.heard = kept;
        Ok(answer)
    }

    /// Reads and passes over, until the server ends the connection or the time is over: whether it ended.
    pub(super) fn read_to_the_end(&mut self, patience: Duration) -> Result<bool> {
        self.stream.read_to_the_end(patience)
    }

    /// The certificate that the server showed, over TLS.
    pub(super) fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.stream.certificate()
    }

    /// Ends it without a word, so that the other side gets a reset.
    pub(super) fn reset(self) -> Result<()> {
        self.stream.reset()
    }

    fn take(&mut self, count: usize) -> Result<()> {
        self.incoming.push(&self.buffer[..count]);
        let mut pings = 0;
        loop {
            let heard = match self.incoming.next() {
                Ok(Some(Event::Message(message))) => Heard::Message(Message {
                    subject: text(message.subject),
                    reply: message.reply.map(text),
                    headers: message.headers.to_vec(),
                    payload: message.payload.to_vec(),
                }),
                Ok(Some(Event::Pong)) => Heard::Pong,
                Ok(Some(Event::Ping)) => {
                    pings += 1;
                    continue;
                }
                Ok(Some(Event::Info(_))) => continue,
                Ok(None) => break,
                Err(Error::Refused(text)) => Heard::Refusal(text),
                Err(error) => return Err(error),
            };
            self.heard.push_back(heard);
        }
        if pings > 0 {
            self.send(&b"PONG\r\n".repeat(pings))?;
        }
        Ok(())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
