//! Reads the server's frames one by one, for the places where messages are few or differ.
//!
//! Where messages are many and known beforehand, `frames::Verifier` does the same for less.

use crate::error::{Error, Result};

/// One thing the server said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// A message.
    Message(Message<'a>),
    /// `INFO {…}`: the JSON text.
    Info(&'a [u8]),
    /// The server wants a `PONG`.
    Ping,
    /// The answer to our `PING`.
    Pong,
}

/// `MSG subject sid [reply] size` or `HMSG subject sid [reply] headers size`, and what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    /// Where it was published.
    pub(crate) subject: &'a [u8],
    /// Where an answer goes, if one is wanted.
    pub(crate) reply: Option<&'a [u8]>,
    /// The header block, its version line and its last empty line with it; empty without one.
    pub(crate) headers: &'a [u8],
    /// The bytes of the message.
    pub(crate) payload: &'a [u8],
}

/// Bytes that were read and not looked at yet.
#[derive(Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    start: usize,
}

impl Incoming {
    /// Adds what was read.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Hands out what is left, for a reader of another kind to go on with.
    pub(crate) fn take_rest(&mut self) -> Vec<u8> {
        let rest = self.bytes.split_off(self.start);
        self.bytes = Vec::new();
        self.start = 0;
        rest
    }

    /// The next whole frame, or `None` until more is read. `-ERR` is an error.
    pub(crate) fn next(&mut self) -> Result<Option<Event<'_>>> {
        loop {
            let line_at = self.start;
            let Some(end) = memchr::memchr(b'\n', &self.bytes[line_at..]) else {
                return Ok(None);
            };
            let line_end = line_at + end + 1;
            let line = self.bytes[line_at..line_end].trim_ascii_end();
            if line == b"+OK" {
                self.start = line_end;
                continue;
            }
            let Some(has_headers) = is_message(line) else {
                self.start = line_end;
                return control(self.bytes[line_at..line_end].trim_ascii_end()).map(Some);
            };
            let (headers, size) = sizes(line, has_headers)?;
            let next = line_end + size + 2;
            if self.bytes.len() < next {
                return Ok(None);
            }
            self.start = next;
            let line = self.bytes[line_at..line_end].trim_ascii_end();
            let (subject, reply) = addresses(line, has_headers)?;
            return Ok(Some(Event::Message(Message {
                subject,
                reply,
                headers: &self.bytes[line_end..line_end + headers],
                payload: &self.bytes[line_end + headers..line_end + size],
            })));
        }
    }
}

/// Whether the line announces a message, and if so, one with headers.
fn is_message(line: &[u8]) -> Option<bool> {
    if line.starts_with(b"MSG ") {
        Some(false)
    } else {
        line.starts_with(b"HMSG ").then_some(true)
    }
}

/// The length of the headers and that of everything, from the end of the line.
fn sizes(line: &[u8], has_headers: bool) -> Result<(usize, usize)> {
    let mut words = line.rsplit(|&b| b == b' ');
    let mut number = || {
        let word = words.next()?;
        let digit = |sum: usize, b: &u8| match b {
            b'0'..=b'9' => sum.checked_mul(10)?.checked_add(usize::from(b - b'0')),
            _ => None,
        };
        word.iter().try_fold(0, digit)
    };
    let size = number();
    let headers = if has_headers { number() } else { Some(0) };
    match (headers, size) {
        (Some(headers), Some(size)) if headers <= size => Ok((headers, size)),
        _ => Err(unreadable(line)),
    }
}

/// The subject, and the reply subject if there is one.
fn addresses(line: &[u8], has_headers: bool) -> Result<(&[u8], Option<&[u8]>)> {
    let mut words = line.split(|&b| b == b' ').skip(1);
    let subject = words.next().ok_or_else(|| unreadable(line))?;
    // Behind the sid come the reply, if any, and one number or two.
    let third = words.nth(1);
    let numbers_behind = words.count();
    let reply = third.filter(|_| numbers_behind == 1 + usize::from(has_headers));
    Ok((subject, reply))
}

fn unreadable(line: &[u8]) -> Error {
    Error::Differs(String::from_utf8_lossy(line).into_owned())
}

fn control(line: &[u8]) -> Result<Event<'_>> {
    match line {
        b"PING" => Ok(Event::Ping),
        b"PONG" => Ok(Event::Pong),
        _ if line.starts_with(b"INFO ") => Ok(Event::Info(&line[5..])),
        _ => Err(Error::Refused(String::from_utf8_lossy(line).into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_however_they_were_split() {
        let stream =
            b"INFO {}\r\nMSG a.b 7 reply.to 5\r\nhello\r\nPING\r\n+OK\r\nMSG a 1 0\r\n\r\nPONG\r\n";
        for cut in 0..stream.len() {
            let mut incoming = Incoming::default();
            let mut seen = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                incoming.push(part);
                while let Some(event) = incoming.next().expect("valid frames") {
                    seen.push(format!("{event:?}"));
                }
            }
            assert_eq!(seen.len(), 5, "cut at {cut}: {seen:?}");
            let reply = Event::Message(Message {
                subject: b"a.b",
                reply: Some(b"reply.to"),
                headers: b"",
                payload: b"hello",
            });
            assert_eq!(seen[1], format!("{reply:?}"));
        }
    }

    #[test]
    fn headers_are_told_from_the_payload() {
        let mut incoming = Incoming::default();
        incoming.push(b"HMSG a 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
        incoming.push(b"HMSG a 1 r 12 12\r\nNATS/1.0\r\n\r\n\r\nHMSG a 1 9 8\r\n");
        let mut seen = Vec::new();
        while let Ok(Some(Event::Message(message))) = incoming.next() {
            assert_eq!(message.headers, b"NATS/1.0\r\n\r\n");
            seen.push((message.reply.map(<[u8]>::to_vec), message.payload.to_vec()));
        }
        let with_reply = (Some(b"r".to_vec()), Vec::new());
        assert_eq!(seen, [(None, b"hi".to_vec()), with_reply]);
        assert!(incoming.next().is_err(), "more headers than bytes");
    }

    #[test]
    fn a_protocol_error_is_an_error_with_its_text() {
        let mut incoming = Incoming::default();
        incoming.push(b"-ERR 'Slow Consumer'\r\n");
        let error = incoming.next().expect_err("-ERR");
        assert!(error.to_string().contains("'Slow Consumer'"));
    }
}
