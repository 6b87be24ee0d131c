//! What a client's bytes cross where it is more than a socket: TLS, or WebSocket.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

use crate::client::{CONNECT, IO_TIMEOUT};
use crate::error::{Doing, Error, Result};
use crate::incoming::{Event, Incoming};

/// What clients speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speech {
    /// TLS after the greeting, with a certificate of P-256.
    Tls,
    /// WebSocket in clear, without compression.
    Websocket,
}

/// Files that have a server speak so, and what its clients need.
pub(crate) struct Surroundings {
    speech: Speech,
    folder: TempDir,
    config: Arc<ClientConfig>,
    /// Where WebSocket clients connect.
    websocket_port: u16,
}

/// A connection after its handshake.
pub(crate) struct Channel {
    stream: Stream,
    /// What was read beyond the last answer that was waited for.
    pub(crate) rest: Vec<u8>,
}

enum Stream {
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    Websocket(Websocket),
}

impl Surroundings {
    /// Makes a certificate and a configuration that both servers understand. Clients in clear are
    /// served as well, for the first of them asks whether the server is there.
    pub(crate) fn new(speech: Speech, websocket_port: u16) -> Result<Self> {
        let folder = tempfile::tempdir().doing("a folder for certificates")?;
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
        let made = made.map_err(|error| Error::Server(format!("no certificate: {error}")))?;
        let write = |name: &str, text: String| -> Result<PathBuf> {
            let path = folder.path().join(name);
            std::fs::write(&path, text).doing(format!("writing {}", path.display()))?;
            Ok(path)
        };
        let cert = write("cert.pem", made.cert.pem())?;
        let key = write("key.pem", made.signing_key.serialize_pem())?;
        let text = match speech {
            Speech::Tls => {
                format!("tls {{ cert_file: {cert:?}, key_file: {key:?} }}\nallow_non_tls: true\n")
            }
            Speech::Websocket => format!(
                "websocket {{ host: \"127.0.0.1\", port: {websocket_port}, no_tls: true }}\n"
            ),
        };
        write("server.conf", text)?;
        let config = trusting(made.cert.der().clone())?;
        Ok(Self {
            speech,
            folder,
            config,
            websocket_port,
        })
    }

    /// The configuration that the server is to be started with.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("server.conf")
    }

    /// Connects, sends `CONNECT`, `say` and `PING`, and waits for the `PONG`.
    pub(crate) fn connect(&self, server: SocketAddr, say: &[u8]) -> Result<Channel> {
        let address = match self.speech {
            Speech::Tls => server,
            Speech::Websocket => (server.ip(), self.websocket_port).into(),
        };
        let socket = TcpStream::connect(address).doing("connecting")?;
        socket.set_nodelay(true).doing("setting TCP_NODELAY")?;
        for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
            set(&socket, Some(IO_TIMEOUT)).doing("setting a timeout")?;
        }
        let stream = match self.speech {
            Speech::Tls => {
                read_until(&socket, b"\r\n")?;
                let name = "localhost".try_into();
                let name = name.map_err(|_| Error::Server("a name for TLS".into()))?;
                let session = ClientConnection::new(Arc::clone(&self.config), name);
                let session = session.map_err(|error| Error::Server(error.to_string()))?;
                Stream::Tls(Box::new(StreamOwned::new(session, socket)))
            }
            Speech::Websocket => Stream::Websocket(Websocket::upgrade(socket, "/")?),
        };
        let mut channel = Channel {
            stream,
            rest: Vec::new(),
        };
        channel.send(&[CONNECT.as_bytes(), say, b"PING\r\n"].concat())?;
        channel.wait_for_pong()?;
        Ok(channel)
    }
}

fn trusting(certificate: CertificateDer<'static>) -> Result<Arc<ClientConfig>> {
    let failed = |error: rustls::Error| Error::Server(error.to_string());
    let mut roots = RootCertStore::empty();
    roots.add(certificate).map_err(failed)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl Channel {
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let sent = match &mut self.stream {
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Stream::Websocket(stream) => stream.send(bytes),
        };
        sent.doing("writing to the server")
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Tls(stream) => stream.read(buffer),
            Stream::Websocket(stream) => stream.read(buffer),
        }
    }

    /// How long a read waits at most.
    pub(crate) fn set_patience(&self, patience: Duration) -> Result<()> {
        let socket = match &self.stream {
            Stream::Tls(stream) => &stream.sock,
            Stream::Websocket(stream) => &stream.socket,
        };
        socket
            .set_read_timeout(Some(patience))
            .doing("setting a read timeout")
    }

    /// Returns when the server has processed all that was sent before.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.send(b"PING\r\n")?;
        self.wait_for_pong()
    }

    fn wait_for_pong(&mut self) -> Result<()> {
        let mut incoming = Incoming::default();
        incoming.push(&std::mem::take(&mut self.rest));
        let mut buffer = [0; 4096];
        loop {
            let mut answer = false;
            while let Some(event) = incoming.next()? {
                if matches!(event, Event::Pong) {
                    self.rest = incoming.take_rest();
                    return Ok(());
                }
                answer |= event == Event::Ping;
            }
            if answer {
                self.send(b"PONG\r\n")?;
            }
            let n = self.read(&mut buffer).doing("waiting for PONG")?;
            if n == 0 {
                return Err(Error::Closed("waiting for PONG"));
            }
            incoming.push(&buffer[..n]);
        }
    }
}

/// The least of a WebSocket client: each write is one message, and what comes is taken out of its frames.
pub(crate) struct Websocket {
    pub(crate) socket: TcpStream,
    framed: Vec<u8>,
    head: Vec<u8>,
    /// Bytes of the current frame that have not come.
    due: usize,
}

impl Websocket {
    /// A path that ends with `/mqtt` is for MQTT, which its subprotocol says, too.
    pub(crate) fn upgrade(mut socket: TcpStream, path: &str) -> Result<Self> {
        let named = match path.ends_with("/mqtt") {
            true => "Sec-WebSocket-Protocol: mqtt\r\n",
            false => "",
        };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{named}\r\n"
        );
        socket
            .write_all(request.as_bytes())
            .doing("asking for the upgrade")?;
        read_until(&socket, b"\r\n\r\n")?;
        Ok(Self {
            socket,
            framed: Vec::new(),
            head: Vec::new(),
            due: 0,
        })
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        // A mask of zeros is as good as any other here, and costs the generator nothing.
        self.framed.clear();
        self.framed.extend_from_slice(&[0x82, 0xff]);
        self.framed
            .extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.framed.extend_from_slice(&[0; 4]);
        self.framed.extend_from_slice(bytes);
        self.socket.write_all(&self.framed)
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.due == 0 {
            let mut byte = [0];
            if self.socket.read(&mut byte)? == 0 {
                return Ok(0);
            }
            self.head.push(byte[0]);
            let length = match self.head.get(1) {
                Some(126) => self.head.get(2..4),
                Some(127) => self.head.get(2..10),
                Some(_) => self.head.get(1..2),
                None => None,
            };
            if let Some(length) = length {
                self.due = length
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                self.head.clear();
            }
        }
        let room = buffer.len().min(self.due);
        let count = self.socket.read(&mut buffer[..room])?;
        self.due -= count;
        Ok(count)
    }
}

/// Reads byte by byte, so that nothing is taken of what follows.
pub(crate) fn read_until(mut socket: &TcpStream, end: &[u8]) -> Result<()> {
    let (mut read, mut byte) = (Vec::new(), [0]);
    while !read.ends_with(end) {
        match socket.read(&mut byte).doing("waiting for the greeting")? {
            0 => return Err(Error::Closed("waiting for the greeting")),
            _ => read.push(byte[0]),
        }
    }
    Ok(())
}

/// Whether a file can be named in the arguments of a server.
pub(crate) fn argument(path: &Path) -> String {
    path.display().to_string()
}
