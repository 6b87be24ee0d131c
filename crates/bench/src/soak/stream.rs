//! What a client's bytes cross: a socket, TLS, or WebSocket.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use socket2::Socket;

use crate::channel::Websocket;
use crate::client::IO_TIMEOUT;
use crate::error::{Doing, Error, Result};

/// One connection, which waits no longer than it is told to.
pub(super) struct Stream {
    layers: Layers,
    patience: Duration,
}

enum Layers {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    Websocket(Websocket),
}

impl Stream {
    pub(super) fn clear(socket: TcpStream) -> Self {
        Self::of(Layers::Clear(socket))
    }

    /// Shakes hands with the first bytes.
    pub(super) fn tls(socket: TcpStream, trust: &Arc<ClientConfig>) -> Result<Self> {
        let name = ServerName::try_from("localhost")
            .map_err(|_| Error::Server("a name for TLS".into()))?;
        let session = ClientConnection::new(Arc::clone(trust), name)
            .map_err(|error| Error::Server(error.to_string()))?;
        let stream = StreamOwned::new(session, socket);
        Ok(Self::of(Layers::Tls(Box::new(stream))))
    }

    pub(super) fn websocket(socket: TcpStream, path: &str) -> Result<Self> {
        let stream = Websocket::upgrade(socket, path)?;
        Ok(Self::of(Layers::Websocket(stream)))
    }

    /// The socket waits as long as `Doors` made it.
    fn of(layers: Layers) -> Self {
        Self {
            layers,
            patience: IO_TIMEOUT,
        }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let sent = match &mut self.layers {
            Layers::Clear(stream) => stream.write_all(bytes),
            Layers::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Layers::Websocket(stream) => stream.send(bytes),
        };
        sent.doing("writing to the server")
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.layers {
            Layers::Clear(stream) => stream.read(buffer),
            Layers::Tls(stream) => stream.read(buffer),
            Layers::Websocket(stream) => stream.read(buffer),
        }
    }

    /// Reads and passes over, until the server ends the connection or the time is over: whether it ended.
    pub(super) fn read_to_the_end(&mut self, patience: Duration) -> Result<bool> {
        let (mut buffer, until) = ([0; 16 * 1024], Instant::now() + patience);
        while Instant::now() < until {
            self.set_patience(Duration::from_millis(100))?;
            match self.read(&mut buffer) {
                Ok(0) => return Ok(true),
                Ok(_) => {}
                Err(error) if is_timeout(&error) => {}
                // Reset, or TLS that ended without a farewell.
                Err(_) => return Ok(true),
            }
        }
        Ok(false)
    }

    /// The certificate that the server showed, over TLS.
    pub(super) fn certificate(&self) -> Option<&CertificateDer<'static>> {
        match &self.layers {
            Layers::Tls(stream) => stream.conn.peer_certificates()?.first(),
            _ => None,
        }
    }

    /// Ends it without a word, so that the other side gets a reset.
    pub(super) fn reset(self) -> Result<()> {
        let socket = match self.layers {
            Layers::Clear(socket) => socket,
            Layers::Tls(stream) => stream.into_parts().1,
            Layers::Websocket(stream) => stream.socket,
        };
        Socket::from(socket)
            .set_linger(Some(Duration::ZERO))
            .doing("setting SO_LINGER")
    }

    /// How long a read may wait.
    pub(super) fn set_patience(&mut self, patience: Duration) -> Result<()> {
        // Each costs a system call, and within some milliseconds nobody cares.
        if self.patience.abs_diff(patience) < Duration::from_millis(5) {
            return Ok(());
        }
        self.patience = patience;
        let socket = match &self.layers {
            Layers::Clear(socket) => socket,
            Layers::Tls(stream) => &stream.sock,
            Layers::Websocket(stream) => &stream.socket,
        };
        socket
            .set_read_timeout(Some(patience))
            .doing("setting a read timeout")
    }
}

/// Whether nothing came in time.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}
