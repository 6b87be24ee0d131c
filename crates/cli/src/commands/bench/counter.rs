//! Counts the messages in a subscriber's input, cut wherever the socket cut it.
//!
//! Most messages of a benchmark begin as the one before did: the same line, so the same length. Then the
//! whole frame is one comparison; every other line is read as the protocol says.

use crate::text::bench as text;

/// The longest line that a server may send; `INFO` of a large cluster is the longest of them.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Follows one subscriber's input.
#[derive(Default)]
pub(super) struct Counter {
    /// Messages that have come whole.
    pub(super) messages: u64,
    /// Bytes of their payloads, headers included.
    pub(super) bytes: u64,
    /// `PONG`s so far.
    pub(super) pongs: u64,
    /// `PING`s that were not answered yet.
    pub(super) pings: u64,
    /// The body of the message that has begun: its size, and what is still to come with its line end.
    body: usize,
    left: usize,
    /// The part of a line that has come so far.
    line: Vec<u8>,
    /// The last message's line, and the size that it told.
    last: Vec<u8>,
    last_body: usize,
}

impl Counter {
    /// Looks at what was read. An error is what the server said, or what it should not have.
    pub(super) fn feed(&mut self, mut chunk: &[u8]) -> Result<(), String> {
        while !chunk.is_empty() {
            if self.left > 0 {
                let taken = self.left.min(chunk.len());
                self.left -= taken;
                chunk = &chunk[taken..];
                if self.left == 0 {
                    self.messages += 1;
                    self.bytes += self.body as u64;
                }
            } else if self.line.is_empty() {
                chunk = self.alike(chunk);
                chunk = self.line(chunk)?;
            } else {
                chunk = self.rest_of_line(chunk)?;
            }
        }
        Ok(())
    }

    /// Takes whole messages off the front that begin as the last one did.
    fn alike<'a>(&mut self, mut chunk: &'a [u8]) -> &'a [u8] {
        if self.last.is_empty() {
            return chunk;
        }
        let whole = self.last.len() + self.last_body + 2;
        let before = chunk.len();
        while chunk.len() >= whole && chunk.starts_with(&self.last) {
            chunk = &chunk[whole..];
        }
        let messages = ((before - chunk.len()) / whole) as u64;
        self.messages += messages;
        self.bytes += messages * self.last_body as u64;
        chunk
    }

    /// Reads the line at the start of the chunk, or keeps what there is of it.
    fn line<'a>(&mut self, chunk: &'a [u8]) -> Result<&'a [u8], String> {
        match memchr::memchr(b'\n', chunk) {
            Some(end) => {
                self.read(&chunk[..=end])?;
                Ok(&chunk[end + 1..])
            }
            None => {
                self.line.extend_from_slice(chunk);
                Ok(&[])
            }
        }
    }

    fn rest_of_line<'a>(&mut self, chunk: &'a [u8]) -> Result<&'a [u8], String> {
        let end = memchr::memchr(b'\n', chunk).map_or(chunk.len(), |end| end + 1);
        self.line.extend_from_slice(&chunk[..end]);
        if self.line.ends_with(b"\n") {
            let line = std::mem::take(&mut self.line);
            self.read(&line)?;
        } else if self.line.len() > LINE_BYTES_MAX {
            return Err(text::not_the_protocol().to_owned());
        }
        Ok(&chunk[end..])
    }

    /// Reads a whole line.
    fn read(&mut self, line: &[u8]) -> Result<(), String> {
        if line.starts_with(b"MSG ") || line.starts_with(b"HMSG ") {
            let size = line.trim_ascii_end();
            let start = size.iter().rposition(|byte| *byte == b' ').unwrap_or(0) + 1;
            let size = std::str::from_utf8(&size[start..]).ok();
            let size = size.and_then(|size| size.parse::<usize>().ok());
            self.body = size.ok_or_else(|| text::not_the_protocol().to_owned())?;
            self.left = self.body + 2;
            self.last.clear();
            self.last.extend_from_slice(line);
            self.last_body = self.body;
            return Ok(());
        }
        let line = line.trim_ascii_end();
        if line.eq_ignore_ascii_case(b"PING") {
            self.pings += 1;
        } else if line.eq_ignore_ascii_case(b"PONG") {
            self.pongs += 1;
        } else if let Some(said) = line.strip_prefix(b"-ERR ") {
            let said = String::from_utf8_lossy(said);
            return Err(said.trim().trim_matches('\'').to_owned());
        } else if !line.starts_with(b"INFO ") && line != b"+OK" {
            return Err(text::not_the_protocol().to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_however_the_stream_is_cut_and_interrupted() {
        let mut stream = Vec::new();
        for number in 0..50 {
            stream.extend_from_slice(b"MSG a.b 1 16\r\nMSG a.b 1 16\r\n..\r\n");
            stream.extend_from_slice(b"MSG c 2 r.1 0\r\n\r\n");
            stream.extend_from_slice(b"HMSG c 2 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
            if number == 20 {
                stream.extend_from_slice(b"PING\r\nINFO {\"a\":1}\r\n+OK\r\nPONG\r\n");
            }
        }
        for piece in [1, 2, 7, 33, 64, stream.len()] {
            let mut counter = Counter::default();
            for chunk in stream.chunks(piece) {
                counter.feed(chunk).unwrap();
            }
            let seen = (
                counter.messages,
                counter.bytes,
                counter.pings,
                counter.pongs,
            );
            assert_eq!(seen, (150, 50 * 30, 1, 1), "cut by {piece}");
        }
    }

    #[test]
    fn what_the_server_complains_of_and_what_it_must_not_say_are_errors() {
        let mut counter = Counter::default();
        assert_eq!(
            counter.feed(b"-ERR 'Slow Consumer'\r\n"),
            Err("Slow Consumer".to_owned())
        );
        for stream in [
            &b"HTTP/1.1 200 OK\r\n"[..],
            b"MSG a 1 x\r\n",
            b"MSG a 1 -1\r\n",
        ] {
            assert!(Counter::default().feed(stream).is_err());
        }
        let endless = vec![b'x'; LINE_BYTES_MAX + 2];
        let mut counter = Counter::default();
        let fed: Result<(), String> = endless
            .chunks(4096)
            .try_for_each(|chunk| counter.feed(chunk));
        assert!(fed.is_err());
    }
}
