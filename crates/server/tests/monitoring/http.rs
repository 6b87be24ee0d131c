//! A client of HTTP made of a blocking socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::DEADLINE;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

pub(crate) fn connect(addr: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(addr).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.set_write_timeout(Some(DEADLINE)).unwrap();
    socket
}

/// Sends bytes and reads all that comes until the server closes.
pub(crate) fn exchange(addr: SocketAddr, request: &str) -> Answer {
    let mut socket = connect(addr);
    // The server may have answered and closed before all of it is sent.
    let _ = socket.write_all(request.as_bytes());
    read_answer(&mut socket)
}

/// Reads until the server closes.
pub(crate) fn read_answer(socket: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    // A reset after the answer is no loss.
    let _ = socket.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Answer {
        status: status.unwrap_or(0),
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

/// A request with these lines more in its head.
pub(crate) fn request(addr: SocketAddr, method: &str, path: &str, lines: &str) -> Answer {
    exchange(
        addr,
        &format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n"),
    )
}

pub(crate) fn get(addr: SocketAddr, path: &str) -> Answer {
    request(addr, "GET", path, "")
}

/// The document at a path, which must be there.
pub(crate) fn document(addr: SocketAddr, path: &str) -> Value {
    let answer = get(addr, path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    assert!(
        answer.head.contains("content-type: application/json"),
        "{}",
        answer.head
    );
    answer.json()
}
