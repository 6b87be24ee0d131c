//! A client made of a blocking socket: what it sends and sees is what is on the wire.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use recado_wire::{ServerFrame, ServerParsed, parse_server_frame};

/// Ample for a slow machine; met only by a failing test.
const DEADLINE: Duration = Duration::from_secs(30);

/// One received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) subject: String,
    pub(crate) sid: String,
    #[allow(dead_code, reason = "not every test that shares this file asks")]
    pub(crate) reply: String,
    pub(crate) headers: String,
    pub(crate) payload: Vec<u8>,
}

pub(crate) struct Peer {
    pub(crate) socket: TcpStream,
    input: Vec<u8>,
}

impl Peer {
    /// Connects and says nothing.
    pub(crate) fn bare(addr: SocketAddr) -> Self {
        let socket = TcpStream::connect(addr).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.set_write_timeout(Some(DEADLINE)).unwrap();
        Self {
            socket,
            input: Vec::new(),
        }
    }

    /// Connects and says CONNECT with these options; quiet, without pedantry.
    pub(crate) fn connect(addr: SocketAddr, options: &str) -> Self {
        let mut peer = Self::bare(addr);
        let comma = if options.is_empty() { "" } else { "," };
        peer.send(&format!(
            "CONNECT {{\"verbose\":false,\"pedantic\":false{comma}{options}}}\r\n"
        ));
        peer.settle();
        peer
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).unwrap();
    }

    /// Returns when the server has handled everything sent so far; what came meanwhile.
    pub(crate) fn settle(&mut self) -> Vec<Received> {
        self.send("PING\r\n");
        let mut received = Vec::new();
        loop {
            match self.next() {
                Some(Frame::Message(message)) => received.push(message),
                Some(Frame::Pong) => return received,
                Some(_) => {}
                None => panic!(
                    "the server closed the connection; {} came before",
                    received.len()
                ),
            }
        }
    }

    /// Waits for the end of the connection: what it was told last.
    #[allow(dead_code, reason = "not every test that shares this file asks")]
    pub(crate) fn last_words(&mut self) -> Option<String> {
        let frames = std::iter::from_fn(|| self.next());
        let errors = frames.filter_map(|frame| match frame {
            Frame::Error(text) => Some(text),
            _ => None,
        });
        errors.last()
    }

    /// The next frame; `None` at the end of the connection.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        loop {
            let frame = match parse_server_frame(&self.input) {
                ServerParsed::Complete(frame, length) => Some((own(frame), length)),
                ServerParsed::Incomplete => None,
                ServerParsed::Malformed => panic!("no frame: {}", self.input.escape_ascii()),
            };
            if let Some((frame, length)) = frame {
                self.input.drain(..length);
                return Some(frame);
            }
            let mut chunk = [0; 65_536];
            match self.socket.read(&mut chunk) {
                Ok(0) => return None,
                Ok(count) => self.input.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// A frame that owns what it holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Message(Received),
    Pong,
    Error(String),
    Other,
}

fn own(frame: ServerFrame<'_>) -> Frame {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match frame {
        ServerFrame::Message {
            subject,
            sid,
            reply,
            headers,
            payload,
        } => Frame::Message(Received {
            subject: text(subject),
            sid: text(sid),
            reply: text(reply),
            headers: text(headers),
            payload: payload.to_vec(),
        }),
        ServerFrame::Pong => Frame::Pong,
        ServerFrame::Err(error) => Frame::Error(text(error)),
        _ => Frame::Other,
    }
}
