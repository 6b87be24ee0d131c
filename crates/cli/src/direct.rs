//! A connection driven by one thread that never blocks in it: whatever measures sends large blocks,
//! reads whatever is there, and waits for the socket or for a point in time, whichever is first.
//!
//! It is opened step by step like every other connection ([`crate::line`]), so that TLS, credentials
//! and failures are the same. It must never open another connection by itself, and never keep more than
//! what its user staged and one frame of input.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use async_nats::rustls::ClientConnection;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use recado_wire::{PING, PONG, ServerFrame, ServerParsed, parse_server_frame};

use crate::connect;
use crate::failure::Failure;
use crate::line::{Info, Parts};
use crate::settings::Settings;
use crate::span;
use crate::terminal;
use crate::text::failures as text;

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

/// The longest frame that is taken: no server sends larger messages by default than 64 MiB.
const FRAME_BYTES_MAX: usize = 80 * 1024 * 1024;

/// A connection without blocking.
pub(crate) struct Direct {
    socket: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// What was read; from `start` on it has not been looked at.
    input: Vec<u8>,
    start: usize,
    /// The last read took all that there was.
    drained: bool,
    /// Where the socket's bytes go first; empty until it is needed.
    scratch: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    /// `host:port` as given.
    pub(crate) address: String,
    source: Option<String>,
    /// The server's greeting.
    pub(crate) info: Info,
}

/// What the server says, but for what [`Direct`] deals with itself.
pub(crate) enum Heard<'a> {
    /// A message.
    Message {
        /// The subject it was published on.
        subject: &'a [u8],
        /// Where an answer goes; empty if none is wanted.
        reply: &'a [u8],
        /// The header block; empty without headers.
        headers: &'a [u8],
        /// What follows the headers.
        payload: &'a [u8],
    },
    /// The server has processed all that was sent before our PING.
    Pong,
}

impl Direct {
    /// Connects, patiently if the settings say so.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Failure> {
        let parts = connect::line(settings).await?.take_apart()?;
        let Parts {
            socket,
            tls,
            input,
            address,
            source,
            info,
        } = parts;
        Ok(Self {
            socket,
            tls: tls.map(Box::new),
            input,
            start: 0,
            drained: false,
            scratch: Vec::new(),
            output: Vec::new(),
            written: 0,
            address,
            source,
            info,
        })
    }

    /// What runs there: by its own name where it has one, and its version.
    pub(crate) fn program(&self) -> String {
        let program = match self.info.server.as_str() {
            "" => format!("NATS {}", self.info.version),
            server => format!("{server} {}", self.info.server_version),
        };
        terminal::harmless(&program).into_owned()
    }

    /// The socket.
    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Adds to what is to be sent; [`flush`](Self::flush) sends it.
    pub(crate) fn stage(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Sends what is staged as far as it goes; true when all of it went.
    pub(crate) fn flush(&mut self) -> Result<bool, Failure> {
        while self.written < self.output.len() {
            let output = std::mem::take(&mut self.output);
            let sent = self.send_some(&output[self.written..]);
            self.output = output;
            match sent? {
                0 => return Ok(false),
                sent => self.written += sent,
            }
        }
        self.output.clear();
        self.written = 0;
        self.push_tls()
    }

    /// Sends a part of `bytes`, past what is staged, and says how much; 0: nothing for now.
    pub(crate) fn send_some(&mut self, bytes: &[u8]) -> Result<usize, Failure> {
        if self.tls.is_none() {
            return match self.socket.write(bytes) {
                Ok(sent) => Ok(sent),
                Err(error) if is_for_later(&error) => Ok(0),
                Err(error) => Err(self.last_words(&error)),
            };
        }
        if !self.push_tls()? {
            return Ok(0);
        }
        let taken = match &mut self.tls {
            Some(tls) => tls.writer().write(bytes),
            None => Ok(0),
        };
        let taken = taken.map_err(|error| self.lost(&error))?;
        self.push_tls()?;
        Ok(taken)
    }

    /// Sends what TLS has ready; true when all of it went.
    fn push_tls(&mut self) -> Result<bool, Failure> {
        let Some(tls) = &mut self.tls else {
            return Ok(true);
        };
        while tls.wants_write() {
            match tls.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if is_for_later(&error) => return Ok(false),
                Err(error) => return Err(self.lost(&error)),
            }
        }
        Ok(true)
    }

    /// Reads what is there into `buffer`: how much, or `None` when there is nothing now.
    ///
    /// Call it until it says `None`: TLS may hold more than the socket shows.
    pub(crate) fn read_some(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Failure> {
        if self.start < self.input.len() {
            let count = (self.input.len() - self.start).min(buffer.len());
            buffer[..count].copy_from_slice(&self.input[self.start..self.start + count]);
            self.start += count;
            return Ok(Some(count));
        }
        self.receive(buffer)
    }

    /// Reads from the socket: how much, or `None` when there is nothing now.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Failure> {
        if self.tls.is_some() {
            return self.receive_tls(buffer);
        }
        if std::mem::take(&mut self.drained) {
            return Ok(None);
        }
        match self.socket.read(buffer) {
            Ok(0) => Err(self.closed()),
            Ok(count) => {
                self.drained = count < buffer.len();
                Ok(Some(count))
            }
            Err(error) if is_for_later(&error) => Ok(None),
            Err(error) => Err(self.lost(&error)),
        }
    }

    fn receive_tls(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Failure> {
        loop {
            let Some(tls) = &mut self.tls else {
                return Ok(None);
            };
            match tls.reader().read(buffer) {
                Ok(0) => return Err(self.closed()),
                Ok(count) => return Ok(Some(count)),
                Err(error) if is_for_later(&error) => {}
                Err(error) => return Err(self.lost(&error)),
            }
            match tls.read_tls(&mut self.socket) {
                Ok(0) => return Err(self.closed()),
                Ok(_) => {}
                Err(error) if is_for_later(&error) => return Ok(None),
                Err(error) => return Err(self.lost(&error)),
            }
            if let Err(error) = tls.process_new_packets() {
                return Err(self.lost(&io::Error::other(error)));
            }
            self.push_tls()?;
        }
    }

    /// Reads all that is there and hands over each frame in turn. The server's PINGs are answered with
    /// the next flush; its errors are failures.
    pub(crate) fn hear(
        &mut self,
        mut visit: impl FnMut(Heard<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        loop {
            self.look(&mut visit)?;
            self.input.drain(..self.start);
            self.start = 0;
            if self.input.len() > FRAME_BYTES_MAX {
                return Err(self.refused("a frame without an end"));
            }
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// Adds what is there to the input; false when nothing is.
    fn fill(&mut self) -> Result<bool, Failure> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.resize(READ_BYTES, 0);
        let read = self.receive(&mut scratch);
        if let Ok(Some(count)) = read {
            self.input.extend_from_slice(&scratch[..count]);
        }
        self.scratch = scratch;
        Ok(read?.is_some())
    }

    /// Hands over the whole frames of the input.
    fn look(
        &mut self,
        visit: &mut impl FnMut(Heard<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut said = None;
        while let Some(rest) = self.input.get(self.start..) {
            let (frame, used) = match parse_server_frame(rest) {
                ServerParsed::Complete(frame, used) => (frame, used),
                ServerParsed::Incomplete => break,
                ServerParsed::Malformed => {
                    said = Some("a frame that is not the protocol's".to_owned());
                    break;
                }
            };
            self.start += used;
            match frame {
                ServerFrame::Message {
                    subject,
                    reply,
                    headers,
                    payload,
                    ..
                } => visit(Heard::Message {
                    subject,
                    reply,
                    headers,
                    payload,
                })?,
                ServerFrame::Pong => visit(Heard::Pong)?,
                ServerFrame::Ping => self.output.extend_from_slice(PONG),
                ServerFrame::Err(words) => {
                    said = Some(String::from_utf8_lossy(words).into_owned());
                    break;
                }
                ServerFrame::Info(_) | ServerFrame::Ok => {}
            }
        }
        said.map_or(Ok(()), |said| Err(self.refused(&said)))
    }

    /// The server may have said why before it closed the connection: its words are worth more than
    /// "broken pipe".
    fn last_words(&mut self, error: &io::Error) -> Failure {
        // Bounded: a closed connection has only so much left to read.
        while let Ok(true) = self.fill() {
            if let Err(said) = self.look(&mut |_| Ok(())) {
                return said;
            }
        }
        self.lost(error)
    }

    /// Waits until there is something to read, or, if `to_send`, until something can be sent, or until
    /// the time has come.
    pub(crate) fn wait(&self, to_send: bool, until: Instant) -> Result<(), Failure> {
        let mut interest = PollFlags::POLLIN;
        if to_send || self.tls.as_ref().is_some_and(|tls| tls.wants_write()) {
            interest |= PollFlags::POLLOUT;
        }
        let left = until.saturating_duration_since(Instant::now());
        let mut sockets = [PollFd::new(self.socket.as_fd(), interest)];
        match ppoll(&mut sockets, Some(left.into()), None) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(self.lost(&error.into())),
        }
    }

    /// Sends what is staged and waits until the server has processed it.
    pub(crate) fn settle(&mut self, limit: Duration) -> Result<(), Failure> {
        self.output.extend_from_slice(PING);
        let until = Instant::now() + limit;
        let mut settled = false;
        while !settled {
            let flushed = self.flush()?;
            self.hear(|heard| {
                settled |= matches!(heard, Heard::Pong);
                Ok(())
            })?;
            if !settled && Instant::now() >= until {
                return Err(self.silent(limit));
            }
            if !settled {
                self.wait(!flushed, until)?;
            }
        }
        Ok(())
    }

    /// The failure for a server that does not react.
    pub(crate) fn silent(&self, limit: Duration) -> Failure {
        Failure::Deadline {
            what: text::deadline_pong(&self.address, &span::show(limit)),
            next: text::deadline_pong_next().to_owned(),
        }
    }

    /// The failure for what the server said in `-ERR`.
    pub(crate) fn refused(&self, said: &str) -> Failure {
        Failure::from_server(&self.address, self.source.as_deref(), said)
    }

    fn closed(&self) -> Failure {
        Failure::Lost {
            address: self.address.clone(),
            detail: text::lost_closed().to_owned(),
        }
    }

    fn lost(&self, error: &io::Error) -> Failure {
        Failure::broken(&self.address, error)
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
