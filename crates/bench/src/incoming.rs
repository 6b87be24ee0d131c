//! Reads the server's frames one by one, for the places where messages are few or differ.
//!
//! Where messages are many and known beforehand, `frames::Verifier` does the same for less.

use crate::error::{Error, Result};

/// One thing the server said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// `MSG subject sid [reply] size`, and its payload.
    Message {
        /// Where an answer goes, if one is wanted.
        reply: Option<&'a [u8]>,
        /// The bytes of the message.
        payload: &'a [u8],
        /// True for `HMSG`: the payload begins with headers.
        headers: bool,
    },
    /// `INFO {…}`: the JSON text.
    Info(&'a [u8]),
    /// The server wants a `PONG`.
    Ping,
    /// The answer to our `PING`.
    Pong,
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
            let rest = &self.bytes[self.start..];
            let Some(end) = memchr::memchr(b'\n', rest) else {
                return Ok(None);
            };
            let line_at = self.start;
            let line_end = line_at + end + 1;
            let line = trim(&self.bytes[line_at..line_end]);
            if line == b"+OK" {
                self.start = line_end;
                continue;
            }
            let size = match message_size(line)? {
                Some(size) => size,
                None => {
                    self.start = line_end;
                    return control(trim(&self.bytes[line_at..line_end])).map(Some);
                }
            };
            if self.bytes.len() < line_end + size + 2 {
                return Ok(None);
            }
            self.start = line_end + size + 2;
            let line = trim(&self.bytes[line_at..line_end]);
            let headers = line.starts_with(b"HMSG");
            let words = line.split(|&b| b == b' ').count();
            let with_reply = if headers { 6 } else { 5 };
            let reply = (words == with_reply)
                .then(|| line.split(|&b| b == b' ').nth(3))
                .flatten();
            let payload = &self.bytes[line_end..line_end + size];
            return Ok(Some(Event::Message {
                reply,
                payload,
                headers,
            }));
        }
    }
}

fn trim(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

/// The size of the message that a `MSG` or `HMSG` line announces; `None` for other lines.
fn message_size(line: &[u8]) -> Result<Option<usize>> {
    if !line.starts_with(b"MSG ") && !line.starts_with(b"HMSG ") {
        return Ok(None);
    }
    line.rsplit(|&b| b == b' ')
        .next()
        .and_then(|word| std::str::from_utf8(word).ok()?.parse().ok())
        .map(Some)
        .ok_or_else(|| Error::Differs(String::from_utf8_lossy(line).into_owned()))
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
            let reply = Event::Message {
                reply: Some(b"reply.to"),
                payload: b"hello",
                headers: false,
            };
            assert_eq!(seen[1], format!("{reply:?}"));
        }
    }

    #[test]
    fn a_protocol_error_is_an_error_with_its_text() {
        let mut incoming = Incoming::default();
        incoming.push(b"-ERR 'Slow Consumer'\r\n");
        let error = incoming.next().expect_err("-ERR");
        assert!(error.to_string().contains("'Slow Consumer'"));
    }
}
