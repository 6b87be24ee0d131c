//! One plain connection to a server, without reconnecting or tasks of its own: what was written
//! and what came back stay in order, and each step of the way there is timed.
//!
//! `async-nats` carries the commands that listen. It has no PING/PONG of its own, and its flush
//! ends at the socket; what must know that the server has *processed* everything, or how long
//! each step took, uses this. It must never hide a broken connection by opening another.

mod frame;
mod steps;
mod strangers;
mod tap;
mod tls;

use std::time::Duration;

use async_nats::rustls::ClientConnection;
use bytes::{Buf, BytesMut};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::failure::Failure;
use crate::text::failures as text;
pub(crate) use frame::{Frame, Malformed};
pub(crate) use steps::{Stage, Steps, enter, open, reach, resolve};
pub(crate) use tap::{Direction, Tap};

/// The longest line that a server may send; `INFO` of a large cluster is the longest of them.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Either a socket or TLS over one.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {
    /// The socket, and what keeps its bytes secret.
    fn take_apart(self: Box<Self>) -> (TcpStream, Option<ClientConnection>);
}

impl Stream for TcpStream {
    fn take_apart(self: Box<Self>) -> (TcpStream, Option<ClientConnection>) {
        (*self, None)
    }
}

impl Stream for TlsStream<TcpStream> {
    fn take_apart(self: Box<Self>) -> (TcpStream, Option<ClientConnection>) {
        let (socket, tls) = self.into_inner();
        (socket, Some(tls))
    }
}

/// What a [`Line`] is made of, for those who drive the socket themselves.
pub(crate) struct Parts {
    /// The socket, still without blocking.
    pub(crate) socket: std::net::TcpStream,
    /// TLS, if the server asked for it.
    pub(crate) tls: Option<ClientConnection>,
    /// What was read and not looked at yet.
    pub(crate) input: Vec<u8>,
    /// `host:port` as given.
    pub(crate) address: String,
    /// Where the credentials came from.
    pub(crate) source: Option<String>,
    /// The server's greeting.
    pub(crate) info: Info,
}

/// What of the server's `INFO` is of use here. Absent keys mean false or empty (A04).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Info {
    /// Its id, the same as on its monitoring port; a new one at each start.
    pub(crate) server_id: String,
    /// The name that its operator gave it.
    pub(crate) server_name: String,
    /// The version of the protocol's reference server that it keeps to.
    pub(crate) version: String,
    /// The program, where it says so apart from that version; recado-server does.
    pub(crate) server: String,
    /// The program's own version.
    pub(crate) server_version: String,
    /// The most bytes that a message may have, headers included.
    pub(crate) max_payload: usize,
    /// Whether the handshake goes on over TLS.
    pub(crate) tls_required: bool,
    /// What a key has to sign.
    pub(crate) nonce: String,
    /// Whether it may, if we want it.
    pub(crate) tls_available: bool,
    /// Whether the server is about to go away (lame duck mode, A70).
    pub(crate) ldm: bool,
}

impl Info {
    /// What runs there: by its own name where it has one beside the version that it keeps to.
    pub(crate) fn program(&self) -> String {
        let (version, server) = (&self.version, &self.server);
        match server.is_empty() {
            true => format!("NATS {version}"),
            false => format!("{server} {} (NATS {version})", self.server_version),
        }
    }
}

/// An open connection, authenticated.
pub(crate) struct Line {
    stream: Box<dyn Stream>,
    input: BytesMut,
    output: Vec<u8>,
    /// How much of `output` is written already, when a write was broken off.
    written: usize,
    /// PINGs of ours that have no PONG yet.
    unanswered: u32,
    /// `host:port` as given.
    pub(crate) address: String,
    /// Where the credentials came from.
    source: Option<String>,
    /// Is shown what passes.
    tap: Option<Tap>,
    /// The server's greeting.
    pub(crate) info: Info,
    /// How long each step of connecting took.
    pub(crate) steps: Steps,
}

/// A message on its way out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    /// The subject, already checked.
    pub(crate) subject: &'a str,
    /// Where answers are wanted.
    pub(crate) reply: Option<&'a str>,
    /// The header block up to and including its blank line; empty without headers.
    pub(crate) headers: &'a [u8],
    /// The payload.
    pub(crate) payload: &'a [u8],
}

impl Line {
    /// Stages a message; [`send`](Self::send) writes what is staged.
    ///
    /// Fails when it is larger than the server takes: the server would close the connection.
    pub(crate) fn publish(&mut self, message: Outgoing<'_>) -> Result<(), Failure> {
        let size = message.headers.len() + message.payload.len();
        if size > self.info.max_payload {
            return Err(Failure::TooLarge {
                what: text::too_large(&self.address, size, self.info.max_payload),
            });
        }
        frame::write_publish(&mut self.output, message);
        Ok(())
    }

    /// Stages a subscription, which ends by itself after `max` messages if that is given.
    pub(crate) fn subscribe(
        &mut self,
        filter: &str,
        queue: Option<&str>,
        sid: u64,
        max: Option<u64>,
    ) {
        let queue = queue.map(|queue| format!("{queue} ")).unwrap_or_default();
        let line = format!("SUB {filter} {queue}{sid}\r\n");
        self.output.extend_from_slice(line.as_bytes());
        if let Some(max) = max {
            let line = format!("UNSUB {sid} {max}\r\n");
            self.output.extend_from_slice(line.as_bytes());
        }
    }

    /// Gives up the socket. Nothing may be staged.
    pub(crate) fn take_apart(self) -> Result<Parts, Failure> {
        debug_assert_eq!(self.staged(), 0);
        let (socket, tls) = self.stream.take_apart();
        let socket = socket.into_std().map_err(|error| Failure::Lost {
            address: self.address.clone(),
            detail: error.to_string(),
        })?;
        Ok(Parts {
            socket,
            tls,
            input: self.input.to_vec(),
            address: self.address,
            source: self.source,
            info: self.info,
        })
    }

    /// How many bytes are staged.
    pub(crate) fn staged(&self) -> usize {
        self.output.len() - self.written
    }

    /// Writes what is staged to the socket.
    ///
    /// Dropping the future loses nothing: the next call goes on where this one was.
    pub(crate) async fn send(&mut self) -> Result<(), Failure> {
        match self.write_staged().await {
            Ok(()) => {
                self.output.clear();
                self.written = 0;
                Ok(())
            }
            // The server may have said why before it closed: its words are worth more than
            // "broken pipe".
            Err(error) => Err(self.last_words().await.unwrap_or_else(|| self.lost(&error))),
        }
    }

    async fn write_staged(&mut self) -> std::io::Result<()> {
        while self.written < self.output.len() {
            match self.stream.write(&self.output[self.written..]).await? {
                0 => return Err(std::io::ErrorKind::WriteZero.into()),
                written => {
                    let passed = &self.output[self.written..self.written + written];
                    if let Some(tap) = &self.tap {
                        tap.passed(Direction::ToServer, passed);
                    }
                    self.written += written;
                }
            }
        }
        self.stream.flush().await
    }

    /// Sends what is staged and waits until the server has processed all of it (PING, PONG).
    ///
    /// The server answers in order: an error about anything sent before comes before the PONG,
    /// and ends the wait.
    pub(crate) async fn confirm(&mut self, limit: Duration) -> Result<(), Failure> {
        let pong = async {
            self.ping().await?;
            // An earlier wait may have been broken off: its PONG is not ours.
            while self.unanswered > 0 {
                self.next().await?;
            }
            Ok(())
        };
        match tokio::time::timeout(limit, pong).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Deadline {
                what: text::deadline_pong(&self.address, &crate::span::show(limit)),
                next: text::deadline_pong_next().to_owned(),
            }),
        }
    }

    /// Sends what is staged and a PING; its PONG comes out of [`next`](Self::next).
    pub(crate) async fn ping(&mut self) -> Result<(), Failure> {
        self.output.extend_from_slice(b"PING\r\n");
        self.unanswered += 1;
        self.send().await
    }

    /// The next thing that the server says. Its PINGs are answered and its INFOs noted here; its
    /// errors are failures.
    ///
    /// Dropping the future loses nothing that was read.
    pub(crate) async fn next(&mut self) -> Result<Frame, Failure> {
        loop {
            match frame::parse(&self.input) {
                Ok(Some((frame, used))) => {
                    self.input.advance(used);
                    match frame {
                        Frame::Ping => {
                            self.output.extend_from_slice(b"PONG\r\n");
                            self.send().await?;
                        }
                        Frame::Error(said) => {
                            let source = self.source.as_deref();
                            return Err(Failure::from_server(&self.address, source, &said));
                        }
                        Frame::Info(json) => self.learn(&json),
                        Frame::Pong => {
                            self.unanswered = self.unanswered.saturating_sub(1);
                            return Ok(Frame::Pong);
                        }
                        other => return Ok(other),
                    }
                }
                Ok(None) if self.input.len() > LINE_BYTES_MAX + self.info.max_payload => {
                    return Err(strangers::not_nats(&self.address, &self.input));
                }
                Ok(None) => self.fill().await?,
                Err(Malformed) => return Err(strangers::not_nats(&self.address, &self.input)),
            }
        }
    }

    /// Takes what a later `INFO` says: after authentication the limits may be the account's own.
    fn learn(&mut self, json: &[u8]) {
        if let Ok(info) = serde_json::from_slice(json) {
            self.info = info;
        }
    }

    async fn fill(&mut self) -> Result<(), Failure> {
        match self.read().await {
            Ok(0) => Err(self.closed()),
            Ok(_) => Ok(()),
            Err(error) => Err(self.lost(&error)),
        }
    }

    /// Reads what is there, behind what was read before.
    async fn read(&mut self) -> std::io::Result<usize> {
        let count = self.stream.read_buf(&mut self.input).await?;
        if let Some(tap) = &self.tap {
            let before = self.input.len() - count;
            tap.passed(Direction::FromServer, &self.input[before..]);
        }
        Ok(count)
    }

    /// The server has closed the connection.
    fn closed(&self) -> Failure {
        let (address, detail) = (self.address.clone(), text::lost_closed().to_owned());
        match self.info.ldm {
            true => Failure::GoingAway { address, detail },
            false => Failure::Lost { address, detail },
        }
    }

    /// An error that the server sent before it closed the connection, if there is one.
    async fn last_words(&mut self) -> Option<Failure> {
        let reading = async {
            loop {
                match frame::parse(&self.input) {
                    Ok(Some((Frame::Error(said), _))) => return Some(said),
                    Ok(Some((_, used))) => self.input.advance(used),
                    _ => match self.read().await {
                        Ok(1..) => {}
                        _ => return None,
                    },
                }
            }
        };
        let said = tokio::time::timeout(Duration::from_millis(500), reading)
            .await
            .ok()??;
        Some(Failure::from_server(
            &self.address,
            self.source.as_deref(),
            &said,
        ))
    }

    fn lost(&self, error: &std::io::Error) -> Failure {
        // In TLS 1.3 the server judges our certificate when we believe to be through already.
        if let Some(trouble) = tls::refusal_of_ours(error) {
            let address = self.address.clone();
            return Failure::Tls { address, trouble };
        }
        match Failure::broken(&self.address, error) {
            Failure::Lost { address, detail } if self.info.ldm => {
                Failure::GoingAway { address, detail }
            }
            other => other,
        }
    }
}
