//! A blocking connection to the server under test: handshake, flush, and nothing clever.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::error::{Doing, Error, Result};
use crate::incoming::{Event, Incoming};

/// No read or write of a benchmark waits longer: a server that hangs fails the row.
pub(crate) const IO_TIMEOUT: Duration = Duration::from_secs(30);

/// What a client says of itself: the options that the usual client libraries send.
pub(crate) const CONNECT: &str = concat!(
    r#"CONNECT {"verbose":false,"pedantic":false,"tls_required":false,"name":"recado-bench","#,
    r#""lang":"rust","version":"0.1.0","protocol":1,"echo":true,"headers":true,"#,
    r#""no_responders":true}"#,
    "\r\n"
);

/// One connection after its handshake.
pub(crate) struct Client {
    /// The socket; blocking unless its user made it otherwise.
    pub(crate) stream: TcpStream,
    /// What was read beyond the last answer that was waited for.
    pub(crate) incoming: Incoming,
}

impl Client {
    /// Connects, and returns when the server has answered the first `PING`.
    pub(crate) fn connect(server: SocketAddr) -> Result<Client> {
        Self::connect_and(server, b"")
    }

    /// Connects, sends `CONNECT`, `say` and `PING` in one write, and waits for the `PONG`.
    pub(crate) fn connect_and(server: SocketAddr, say: &[u8]) -> Result<Client> {
        let stream = TcpStream::connect(server).doing("connecting")?;
        stream.set_nodelay(true).doing("setting TCP_NODELAY")?;
        stream
            .set_read_timeout(Some(IO_TIMEOUT))
            .doing("setting a read timeout")?;
        stream
            .set_write_timeout(Some(IO_TIMEOUT))
            .doing("setting a write timeout")?;
        let mut client = Client {
            stream,
            incoming: Incoming::default(),
        };
        client.wait_for("waiting for INFO", |event| matches!(event, Event::Info(_)))?;
        client.send(&[CONNECT.as_bytes(), say, b"PING\r\n"].concat())?;
        client.wait_for_pong()?;
        Ok(client)
    }

    /// Writes everything.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).doing("writing to the server")
    }

    /// Returns when the server has processed all that was sent before.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.send(b"PING\r\n")?;
        self.wait_for_pong()
    }

    fn wait_for_pong(&mut self) -> Result<()> {
        self.wait_for("waiting for PONG", |event| matches!(event, Event::Pong))
    }

    fn wait_for(&mut self, why: &'static str, wanted: impl Fn(&Event<'_>) -> bool) -> Result<()> {
        self.wait(why, |event| wanted(event).then_some(()))
    }

    /// Reads, answering each `PING`, until an event is what was wanted; what that made of it.
    pub(crate) fn wait<T>(
        &mut self,
        why: &'static str,
        mut wanted: impl FnMut(&Event<'_>) -> Option<T>,
    ) -> Result<T> {
        let mut buffer = [0; 4096];
        loop {
            let mut answer = false;
            while let Some(event) = self.incoming.next()? {
                if let Some(found) = wanted(&event) {
                    return Ok(found);
                }
                answer |= event == Event::Ping;
            }
            if answer {
                self.send(b"PONG\r\n")?;
            }
            let n = self.stream.read(&mut buffer).doing(why)?;
            if n == 0 {
                return Err(Error::Closed(why));
            }
            self.incoming.push(&buffer[..n]);
        }
    }
}
