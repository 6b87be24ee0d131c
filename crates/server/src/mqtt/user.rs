//! The client as the engine knows it: what is said and heard over that connection.

use std::sync::Arc;

use recado_wire::{Connect, PONG, ServerFrame, push_publish};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;

use crate::engine::Connection;
use crate::internal_client::FrameReader;

/// A buffer that grew beyond this is not kept.
const KEPT_BYTES_MAX: usize = 64 * 1024;

/// The engine closed the connection.
#[derive(Debug)]
pub(super) struct Lost;

/// One client's connection to the engine.
pub(super) struct User {
    pub(super) connection: Arc<Connection>,
    pub(super) read: FrameReader,
    write: OwnedWriteHalf,
    pub(super) out: Vec<u8>,
    /// What the engine refused, in its words; and how often it answered PING.
    pub(super) heard: Heard,
}

/// What came that is no message.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) errors: Vec<String>,
    pub(super) pongs: usize,
    pings: usize,
}

impl Heard {
    /// Takes a frame that is no message.
    pub(super) fn take(&mut self, frame: ServerFrame<'_>) {
        const ERRORS_MAX: usize = 1024;
        match frame {
            ServerFrame::Ping => self.pings += 1,
            ServerFrame::Pong => self.pongs += 1,
            ServerFrame::Err(text) if self.errors.len() < ERRORS_MAX => {
                self.errors.push(String::from_utf8_lossy(text).into_owned());
            }
            ServerFrame::Err(_)
            | ServerFrame::Ok
            | ServerFrame::Info(_)
            | ServerFrame::Message { .. } => {}
        }
    }
}

impl User {
    pub(super) fn new(stream: UnixStream, connection: Arc<Connection>) -> Self {
        let (read, write) = stream.into_split();
        Self {
            connection,
            read: FrameReader::new(read),
            write,
            out: Vec::new(),
            heard: Heard::default(),
        }
    }

    /// Logs in, as far as what is said goes.
    pub(super) fn say_connect(&mut self, connect: &Connect) {
        // It has no map with other keys than text, so it can't fail.
        let json = serde_json::to_string(connect).unwrap_or_default();
        let line = format!("CONNECT {json}\r\nPING\r\n");
        self.out.extend_from_slice(line.as_bytes());
    }

    pub(super) fn publish(&mut self, subject: &str, headers: &[u8], payload: &[u8]) {
        let headers = Some(headers);
        push_publish(&mut self.out, subject.as_bytes(), b"", headers, payload);
    }

    pub(super) fn say(&mut self, line: &str) {
        self.out.extend_from_slice(line.as_bytes());
    }

    /// Writes what is to be said.
    pub(super) async fn flush(&mut self) -> Result<(), Lost> {
        for _ in 0..std::mem::take(&mut self.heard.pings) {
            self.out.extend_from_slice(PONG);
        }
        if self.out.is_empty() {
            return Ok(());
        }
        let written = self.write.write_all(&self.out).await;
        self.out.clear();
        if self.out.capacity() > KEPT_BYTES_MAX {
            self.out = Vec::new();
        }
        written.map_err(|_| Lost)
    }

    /// Waits until the engine did all that was said so far. Messages that come meanwhile are handed to `message`.
    pub(super) async fn settle(
        &mut self,
        mut message: impl FnMut(ServerFrame<'_>),
    ) -> Result<(), Lost> {
        self.flush().await?;
        let Self { read, heard, .. } = self;
        while heard.pongs == 0 {
            let frames = read.frames(|frame| match frame {
                ServerFrame::Message { .. } => message(frame),
                other => heard.take(other),
            });
            frames.await.ok_or(Lost)?;
        }
        heard.pongs -= 1;
        Ok(())
    }
}
