//! A client of bare lines, in clear and over TLS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use recado_server::Server;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Longest that anything is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A connection over whatever carries bytes.
pub(crate) struct Client<S> {
    pub(crate) stream: S,
}

/// Over TLS.
pub(crate) type Secure = Client<StreamOwned<ClientConnection, TcpStream>>;

pub(crate) fn dial(addr: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(addr).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

/// In clear.
pub(crate) fn plain(server: &Server) -> Client<TcpStream> {
    Client {
        stream: dial(server.client_addr()),
    }
}

/// Over TLS after the greeting in clear, which is given back, too.
pub(crate) fn secure(server: &Server, config: &Arc<ClientConfig>) -> (Secure, String) {
    let mut first = plain(server);
    let greeting = first.line().unwrap();
    (over(first.stream, config), greeting)
}

/// Over TLS from the first byte on.
pub(crate) fn over(socket: TcpStream, config: &Arc<ClientConfig>) -> Secure {
    let name = "localhost".try_into().unwrap();
    let session = ClientConnection::new(Arc::clone(config), name).unwrap();
    Client {
        stream: StreamOwned::new(session, socket),
    }
}

impl<S: Read + Write> Client<S> {
    /// The next line, without its end.
    pub(crate) fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            match self.stream.read(&mut byte)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ if byte == *b"\n" => break,
                _ => line.extend_from_slice(&byte),
            }
        }
        let line = String::from_utf8(line).unwrap();
        match line.trim_end() {
            // The server asks by itself once in a while.
            "PING" => self.line(),
            line => Ok(line.to_owned()),
        }
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
        self.stream.flush().unwrap();
    }

    /// Introduces itself and waits until that is heard.
    pub(crate) fn connect(&mut self) {
        self.send("CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPING\r\n");
        assert_eq!(self.line().unwrap(), "PONG");
    }

    /// A round of everything: what it publishes comes back.
    pub(crate) fn echo(&mut self, payload: &str) {
        let length = payload.len();
        self.send(&format!("SUB echo 1\r\nPUB echo {length}\r\n{payload}\r\n"));
        assert_eq!(self.line().unwrap(), format!("MSG echo 1 {length}"));
        assert_eq!(self.line().unwrap(), payload);
        self.send("UNSUB 1\r\n");
    }

    /// What it is told until the end of the connection.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let mut buffer = [0; 4096];
        // An end without a word counts as one.
        while let Ok(count @ 1..) = self.stream.read(&mut buffer) {
            rest.extend_from_slice(&buffer[..count]);
        }
        String::from_utf8_lossy(&rest).into_owned()
    }
}
