//! A client inside the server's own process, for the services that the server offers itself.
//!
//! It speaks the client protocol over a socket pair, so it is routed, bounded and cut off like
//! any other client; it only needs no credential.

use std::io;
use std::sync::Arc;

use recado_wire::{PONG, ServerFrame, ServerParsed, parse_server_frame};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;

use crate::engine::{Admission, Engine, Link, serve};

/// Room for input that is read at once.
const READ_BYTES: usize = 16 * 1024;

/// Connects a part of the server to its engine. `wants_origin`: messages tell who published them.
pub(crate) fn connect(engine: &Arc<Engine>, wants_origin: bool) -> io::Result<UnixStream> {
    let (ours, theirs) = UnixStream::pair()?;
    let (link, read) = Link::internal(theirs);
    serve(
        Arc::clone(engine),
        link,
        read,
        Admission::Internal { wants_origin },
    );
    Ok(ours)
}

/// A message for the internal client.
pub(crate) struct Message<'a> {
    pub(crate) subject: &'a [u8],
    pub(crate) sid: &'a [u8],
    pub(crate) reply: &'a [u8],
    pub(crate) headers: &'a [u8],
    pub(crate) payload: &'a [u8],
}

/// Reads frames until the engine closes the connection.
pub(crate) struct FrameReader {
    read: OwnedReadHalf,
    buffer: Vec<u8>,
    pongs: usize,
}

impl FrameReader {
    pub(crate) fn new(read: OwnedReadHalf) -> Self {
        Self {
            read,
            buffer: Vec::new(),
            pongs: 0,
        }
    }

    /// PONGs that came since the last call.
    pub(crate) fn take_pongs(&mut self) -> usize {
        std::mem::take(&mut self.pongs)
    }

    /// Waits for input and hands every whole message in it to `handle`, with the buffer for what
    /// is to be sent. `None`: the connection ended.
    pub(crate) async fn batch(
        &mut self,
        out: &mut Vec<u8>,
        mut handle: impl FnMut(&Message<'_>, &mut Vec<u8>),
    ) -> Option<()> {
        self.buffer.reserve(READ_BYTES);
        let count = self.read.read_buf(&mut self.buffer).await.ok()?;
        if count == 0 {
            return None;
        }
        let mut at = 0;
        loop {
            match parse_server_frame(&self.buffer[at..]) {
                ServerParsed::Complete(frame, length) => {
                    self.pongs += usize::from(frame == ServerFrame::Pong);
                    answer(frame, out, &mut handle);
                    at += length;
                }
                ServerParsed::Incomplete => break,
                ServerParsed::Malformed => return None,
            }
        }
        self.buffer.drain(..at);
        if self.buffer.is_empty() && self.buffer.capacity() > READ_BYTES {
            self.buffer = Vec::new();
        }
        Some(())
    }
}

fn answer(
    frame: ServerFrame<'_>,
    out: &mut Vec<u8>,
    handle: &mut impl FnMut(&Message<'_>, &mut Vec<u8>),
) {
    match frame {
        ServerFrame::Message {
            subject,
            sid,
            reply,
            headers,
            payload,
        } => {
            handle(
                &Message {
                    subject,
                    sid,
                    reply,
                    headers,
                    payload,
                },
                out,
            );
        }
        ServerFrame::Ping => out.extend_from_slice(PONG),
        ServerFrame::Info(_) | ServerFrame::Pong | ServerFrame::Ok => {}
        ServerFrame::Err(text) => {
            tracing::error!(text = %text.escape_ascii(), "the engine refused an internal client");
        }
    }
}
