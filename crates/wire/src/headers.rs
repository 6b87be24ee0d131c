//! Message headers (ADR-4): a block that starts with `NATS/1.0`, one `Name: value` a line, and
//! ends with an empty line. A server passes blocks through byte for byte; this reads and makes them.

use memchr::memmem;

/// First line of every header block, without its CR LF and without an inline status.
pub const HEADER_VERSION: &[u8] = b"NATS/1.0";

/// A header block, read in place. Names are case-sensitive here, as in nats-server (A51).
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a>(&'a [u8]);

impl<'a> Headers<'a> {
    /// `block` from `NATS/1.0` up to and including the empty line; anything else reads as empty.
    pub fn new(block: &'a [u8]) -> Self {
        Self(if block.starts_with(HEADER_VERSION) {
            block
        } else {
            b""
        })
    }

    /// The inline status of the first line: code and description.
    pub fn status(&self) -> Option<(u16, &'a str)> {
        let first = self.lines().next()?;
        let rest = std::str::from_utf8(first.get(HEADER_VERSION.len()..)?)
            .ok()?
            .trim();
        let (code, description) = rest.split_once(' ').unwrap_or((rest, ""));
        Some((code.parse().ok()?, description.trim()))
    }

    /// Names and values in order, repeated names included. Lines without a colon are passed over. Blanks before a value
    /// are none of it; what else stands around it is, as in nats-server.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.lines().skip(1).filter_map(|line| {
            let line = std::str::from_utf8(line).ok()?;
            let (name, value) = line.split_once(':')?;
            Some((name, value.trim_start_matches(' ')))
        })
    }

    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let end = memmem::find(rest, b"\r\n")?;
            let (line, tail) = rest.split_at_checked(end)?;
            rest = tail.get(2..)?;
            (!line.is_empty()).then_some(line)
        })
    }
}

/// The block of a "no responders" status (503) that names the subject nobody answered on
/// (A47; the header is in nats-server since 2.12).
pub fn no_responders_block(subject: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(subject.len() + 36);
    block.extend_from_slice(b"NATS/1.0 503\r\nNats-Subject: ");
    block.extend_from_slice(subject);
    block.extend_from_slice(b"\r\n\r\n");
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_gives_its_status_and_values() {
        let headers = Headers::new(b"NATS/1.0 503 No one\r\nA: 1\r\na:2\r\nA: 3\r\n\r\n");
        assert_eq!(headers.status(), Some((503, "No one")));
        assert_eq!(headers.get("A"), Some("1"));
        assert_eq!(headers.get("a"), Some("2"));
        assert_eq!(headers.iter().count(), 3);
    }

    #[test]
    fn only_blanks_before_a_value_are_none_of_it() {
        let headers = Headers::new(b"NATS/1.0\r\nA:  1 \r\nB:\t2\r\nC:\r\n\r\n");
        let values: Vec<&str> = headers.iter().map(|(_, value)| value).collect();
        assert_eq!(values, ["1 ", "\t2", ""]);
    }

    #[test]
    fn no_responders_names_the_subject() {
        let block = no_responders_block(b"orders.new");
        let headers = Headers::new(&block);
        assert_eq!(headers.status(), Some((503, "")));
        assert_eq!(headers.get("Nats-Subject"), Some("orders.new"));
    }

    #[test]
    fn what_is_no_block_reads_as_empty() {
        for bad in [
            &b""[..],
            b"NATS/1.",
            b"HTTP/1.1 200\r\n\r\n",
            b"NATS/1.0",
            b"NATS/1.0\r",
        ] {
            assert_eq!(Headers::new(bad).iter().count(), 0);
            assert_eq!(Headers::new(bad).status(), None);
        }
    }
}
