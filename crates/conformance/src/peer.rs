//! A client made of a bare socket. It sends exactly the bytes it is told to and shows exactly the
//! bytes it got; the one thing it does by itself is to answer the server's PING.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::{PATIENCE, ServerProcess};

/// One connection to a server, after its INFO.
#[derive(Debug)]
pub struct Peer {
    input: BufReader<TcpStream>,
    output: TcpStream,
    info: Value,
    answers_pings: bool,
}

/// A MSG or HMSG taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The subject it was published to.
    pub subject: String,
    /// The subscription it came for.
    pub sid: String,
    /// The reply subject.
    pub reply: Option<String>,
    /// The header block of an HMSG, with its status line and closing blank line.
    pub headers: Option<String>,
    /// What follows the headers.
    pub payload: Vec<u8>,
}

impl Peer {
    /// Connects and reads INFO; sends nothing.
    ///
    /// # Panics
    /// When there is no server, or what it says first is not INFO.
    pub fn connect(server: &ServerProcess) -> Self {
        Self::try_connect(server.addr()).expect("the server accepts and says INFO")
    }

    /// Connects and reads INFO; sends nothing.
    ///
    /// # Errors
    /// When there is no server, or what it says first is not INFO.
    pub fn try_connect(addr: SocketAddr) -> io::Result<Self> {
        let output = TcpStream::connect_timeout(&addr, PATIENCE)?;
        output.set_nodelay(true)?;
        output.set_read_timeout(Some(PATIENCE))?;
        output.set_write_timeout(Some(PATIENCE))?;
        let input = BufReader::new(output.try_clone()?);
        let mut peer = Self {
            input,
            output,
            info: Value::Null,
            answers_pings: true,
        };
        let frame = peer.read_frame()?.ok_or(ErrorKind::UnexpectedEof)?;
        let text = String::from_utf8_lossy(&frame).into_owned();
        let json = text.strip_prefix("INFO ").ok_or(ErrorKind::InvalidData)?;
        peer.info = serde_json::from_str(json)?;
        Ok(peer)
    }

    /// Connects as a plain client does: not verbose, not pedantic, with headers and no responders,
    /// and of protocol 0, so that the server has nothing to say beyond what it is asked for.
    ///
    /// # Panics
    /// When the server does not welcome it.
    pub fn plain(server: &ServerProcess) -> Self {
        let connect = r#"{"verbose":false,"pedantic":false,"headers":true,"no_responders":true}"#;
        Self::with(server, connect)
    }

    /// Connects and sends CONNECT with this JSON.
    ///
    /// # Panics
    /// When the server does not welcome it.
    pub fn with(server: &ServerProcess, connect: &str) -> Self {
        let mut peer = Self::connect(server);
        let said = peer.until_pong(format!("CONNECT {connect}\r\n"));
        assert!(
            said.is_empty() || said == "+OK\r\n",
            "CONNECT {connect} got {said:?}"
        );
        peer
    }

    /// The INFO that the server opened with.
    pub fn info(&self) -> &Value {
        &self.info
    }

    /// From here on the server's PINGs are shown, and not answered.
    pub fn ignore_pings(&mut self) {
        self.answers_pings = false;
    }

    /// Lets reads wait this long instead of [`PATIENCE`].
    pub fn set_patience(&mut self, patience: Duration) {
        self.output
            .set_read_timeout(Some(patience))
            .expect("a positive timeout");
    }

    /// The socket, for what a well-behaved client would not do.
    pub fn socket(&self) -> &TcpStream {
        &self.output
    }

    /// Sends these bytes as they are.
    ///
    /// # Panics
    /// When the connection is gone.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.output
            .write_all(bytes.as_ref())
            .expect("the server reads");
    }

    /// Sends these bytes as they are, as far as the server takes them.
    ///
    /// # Errors
    /// When the connection is gone or the server stops reading.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.output.write_all(bytes.as_ref())
    }

    /// Says that nothing more will be sent; what the server says can still be read.
    pub fn finish_sending(&mut self) {
        self.output
            .shutdown(Shutdown::Write)
            .expect("an open socket");
    }

    /// The next thing that the server says: a line, with its payload if it is a message.
    ///
    /// # Panics
    /// When the connection ends or nothing comes.
    pub fn frame(&mut self) -> String {
        match self.read_frame() {
            Ok(Some(frame)) => String::from_utf8_lossy(&frame).into_owned(),
            Ok(None) => panic!("the server closed the connection"),
            Err(error) => panic!("nothing came: {error}"),
        }
    }

    /// The next thing that the server says, which has to be a message.
    ///
    /// # Panics
    /// When it is not a message.
    pub fn message(&mut self) -> Message {
        match self.read_frame() {
            Ok(Some(frame)) => Message::parse(&frame),
            other => panic!("no message came: {other:?}"),
        }
    }

    /// Sends these bytes and a PING, and returns all that the server says before its PONG: what
    /// the bytes led to, neither more nor less.
    ///
    /// # Panics
    /// When the connection ends before.
    pub fn until_pong(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.send(bytes);
        self.send("PING\r\n");
        let mut said = String::new();
        loop {
            match self.read_frame() {
                Ok(Some(frame)) if frame == b"PONG\r\n" => return said,
                Ok(Some(frame)) => said.push_str(&String::from_utf8_lossy(&frame)),
                Ok(None) => panic!("the server closed the connection after {said:?}"),
                Err(error) => panic!("no PONG ({error}) after {said:?}"),
            }
        }
    }

    /// Sends these bytes and returns all that the server says before it closes the connection.
    ///
    /// # Panics
    /// When it does not close it.
    pub fn until_closed(&mut self, bytes: impl AsRef<[u8]>) -> String {
        // The server may have closed the connection before it got everything, as it should.
        let _ = self.try_send(bytes);
        let mut said = Vec::new();
        loop {
            match self.read_frame() {
                Ok(Some(frame)) => said.extend_from_slice(&frame),
                Ok(None) => return String::from_utf8_lossy(&said).into_owned(),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    return String::from_utf8_lossy(&said).into_owned();
                }
                Err(error) => {
                    let said = String::from_utf8_lossy(&said);
                    panic!("the connection stays open ({error}) after {said:?}");
                }
            }
        }
    }

    /// Reads a frame as it is; `None` at the end of the connection.
    fn read_frame(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let mut frame = Vec::new();
            if self.input.read_until(b'\n', &mut frame)? == 0 {
                return Ok(None);
            }
            if frame == b"PING\r\n" && self.answers_pings {
                // A peer that has gone away shows at the next read.
                let _ = self.output.write_all(b"PONG\r\n");
                continue;
            }
            if let Some(size) = payload_size(&frame) {
                let line = frame.len();
                frame.resize(line + size + 2, 0);
                self.input.read_exact(&mut frame[line..])?;
            }
            return Ok(Some(frame));
        }
    }
}

impl Message {
    fn parse(frame: &[u8]) -> Self {
        let end = frame
            .iter()
            .position(|byte| *byte == b'\n')
            .expect("a frame has a line");
        let line = String::from_utf8_lossy(&frame[..end]).into_owned();
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let body = &frame[end + 1..frame.len() - 2];
        let sizes = match fields[0] {
            "MSG" => 1,
            "HMSG" => 2,
            _ => panic!("not a message: {line:?}"),
        };
        let sizes_at = fields.len() - sizes;
        let header_len = if sizes == 2 {
            fields[sizes_at].parse().expect("a size")
        } else {
            0
        };
        Self {
            subject: fields[1].to_owned(),
            sid: fields[2].to_owned(),
            reply: (sizes_at == 4).then(|| fields[3].to_owned()),
            headers: (sizes == 2).then(|| String::from_utf8_lossy(&body[..header_len]).into()),
            payload: body[header_len..].to_vec(),
        }
    }
}

/// The bytes that follow a message's line, without the closing CR LF.
fn payload_size(line: &[u8]) -> Option<usize> {
    if !line.starts_with(b"MSG ") && !line.starts_with(b"HMSG ") {
        return None;
    }
    let line = std::str::from_utf8(line)
        .expect("the last field is a number")
        .trim_end();
    Some(
        line.rsplit(' ')
            .next()
            .and_then(|size| size.parse().ok())
            .expect("a size"),
    )
}
