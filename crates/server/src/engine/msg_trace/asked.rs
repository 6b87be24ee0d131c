//! Who asks for a trace, by which headers, and of what.

use std::collections::BTreeMap;

use memchr::memchr;
use recado_wire::Headers;

use crate::encoding::{ACCEPT, Encoding};

/// Subject that the trace goes to.
const DESTINATION: &str = "Nats-Trace-Dest";
/// The same as a line begins.
const DESTINATION_LINE: &[u8] = b"Nats-Trace-Dest:";
/// No valid subject: a message that bears it was traced, and is not to be again.
const DISABLED: &str = "trace disabled";
/// The message is to reach nobody.
const ONLY: &str = "Nats-Trace-Only";
/// What older servers made of it; no trace comes of one that has it.
const ORIGIN_ACCOUNT: &str = "Nats-Trace-Origin-Account";
/// W3C Trace Context; in any case.
const PARENT: &str = "traceparent";

/// What somebody wants to know.
pub(super) struct Wish {
    /// Subject that the trace goes to; empty: the account's.
    pub(super) destination: String,
    pub(super) only: bool,
    /// Headers of older servers forbid it.
    pub(super) is_forbidden: bool,
    /// How the trace is to be written.
    pub(super) encoding: Encoding,
    /// All headers of the message.
    pub(super) headers: BTreeMap<String, Vec<String>>,
}

/// Whether headers may ask for a trace; `parents`: those of other systems count, too. Asked of each message with headers,
/// so it looks at the starts of lines only.
#[inline]
pub(crate) fn may_ask(headers: &[u8], parents: bool) -> bool {
    let mut rest = headers;
    while let Some(end) = memchr(b'\n', rest) {
        rest = rest.get(end + 1..).unwrap_or_default();
        match rest.first() {
            Some(b'N') if rest.starts_with(DESTINATION_LINE) => return true,
            Some(b't' | b'T') if parents && is_parent(rest) => return true,
            _ => {}
        }
    }
    false
}

fn is_parent(line: &[u8]) -> bool {
    let name = line.get(..PARENT.len());
    name.is_some_and(|name| name.eq_ignore_ascii_case(PARENT.as_bytes()))
        && line.get(PARENT.len()) == Some(&b':')
}

impl Wish {
    /// Bytes of what it keeps of the message.
    pub(super) fn bytes(&self) -> usize {
        let values = self.headers.values().flatten().map(String::len);
        let names = self.headers.keys().map(String::len);
        let each = self.headers.len() * size_of::<(String, Vec<String>)>();
        let texts = self.headers.values().map(Vec::len).sum::<usize>() * size_of::<String>();
        self.destination.len() + names.sum::<usize>() + values.sum::<usize>() + each + texts
    }

    /// `None`: nothing is asked.
    pub(super) fn read(block: &[u8]) -> Option<Self> {
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut sampled = false;
        for (name, value) in Headers::new(block).iter() {
            let value = value.trim();
            if name.is_empty() || value.is_empty() {
                continue;
            }
            sampled |= name.eq_ignore_ascii_case(PARENT) && is_sampled(value);
            headers.entry(name.into()).or_default().push(value.into());
        }
        let first = |name: &str| {
            let values = headers.get(name)?;
            values.first().map(String::as_str)
        };
        let destination = first(DESTINATION);
        if destination == Some(DISABLED) || (destination.is_none() && !sampled) {
            return None;
        }
        let encoding = Encoding::of(first(ACCEPT));
        Some(Self {
            destination: destination.unwrap_or_default().to_owned(),
            only: destination.is_some()
                && first(ONLY).is_some_and(|value| {
                    let value = value.to_ascii_lowercase();
                    matches!(value.as_str(), "1" | "true" | "on")
                }),
            is_forbidden: first(ORIGIN_ACCOUNT).is_some(),
            encoding,
            headers,
        })
    }
}

/// Whether a `traceparent` says that it is sampled: the last bit of its flags.
pub(crate) fn is_sampled(parent: &str) -> bool {
    let mut parts = parent.split('-');
    let flags = parts.nth(3);
    parts.next().is_none()
        && flags.is_some_and(|flags| {
            flags.len() == 2
                && u8::from_str_radix(flags, 16).is_ok_and(|flags| flags < 0x80 && flags & 1 == 1)
        })
}

/// The same headers, such that nobody traces the message again.
pub(super) fn disabled(block: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(block.len() + DESTINATION.len() + DISABLED.len() + 4);
    let mut done = false;
    for line in block.split_inclusive(|byte| *byte == b'\n') {
        let last = matches!(line, b"\r\n");
        if (line.starts_with(DESTINATION_LINE) || last) && !done {
            out.extend_from_slice(format!("{DESTINATION}: {DISABLED}\r\n").as_bytes());
            done = true;
        }
        if !line.starts_with(DESTINATION_LINE) {
            out.extend_from_slice(line);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT_LINE: &str =
        "TraceParent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn block(lines: &[&str]) -> Vec<u8> {
        format!("NATS/1.0\r\n{}\r\n\r\n", lines.join("\r\n")).into_bytes()
    }

    #[test]
    fn only_the_names_that_ask_are_taken_for_asking() {
        for (line, parents, asks) in [
            ("Nats-Trace-Dest: t", false, true),
            ("Nats-Trace-Destination: t", false, false),
            ("nats-trace-dest: t", false, false),
            ("Nats-Trace-Only: true", false, false),
            ("X: Nats-Trace-Dest: t", false, false),
            (PARENT_LINE, true, true),
            (PARENT_LINE, false, false),
            ("tracestate: a=b", true, false),
        ] {
            assert_eq!(may_ask(&block(&["A: b", line]), parents), asks, "{line}");
        }
        assert!(!may_ask(b"", true));
        assert!(
            !may_ask(b"Nats-Trace-Dest: t\r\n\r\n", true),
            "no line before it"
        );
    }

    #[test]
    fn a_wish_is_read_as_nats_server_reads_it() {
        let read = |lines: &[&str]| Wish::read(&block(lines));
        let wish = read(&[
            "Nats-Trace-Dest:  t.a ",
            "Nats-Trace-Only: ON",
            "A: 1",
            "A: 2",
        ])
        .unwrap();
        assert_eq!((wish.destination.as_str(), wish.only), ("t.a", true));
        assert_eq!(wish.headers["A"], ["1", "2"]);
        assert!(
            !read(&["Nats-Trace-Dest: t", "Nats-Trace-Only: yes"])
                .unwrap()
                .only
        );
        assert!(read(&["Nats-Trace-Dest: trace disabled", PARENT_LINE]).is_none());
        assert!(read(&["Nats-Trace-Dest:"]).is_none());
        assert!(read(&["Nats-Trace-Only: true"]).is_none());
        let external = read(&[PARENT_LINE, "Nats-Trace-Only: true"]).unwrap();
        assert_eq!((external.destination.as_str(), external.only), ("", false));
    }

    #[test]
    fn a_parent_is_sampled_by_the_last_bit_of_its_flags() {
        for (flags, sampled) in [
            ("01", true),
            ("00", false),
            ("03", true),
            ("1", false),
            ("ff", false),
            ("zz", false),
        ] {
            assert_eq!(is_sampled(&format!("00-a-b-{flags}")), sampled, "{flags}");
        }
        assert!(!is_sampled("00-a-01"));
        assert!(!is_sampled("00-a-b-01-more"));
    }

    #[test]
    fn what_was_traced_is_not_traced_again() {
        for lines in [
            &["A: 1", "Nats-Trace-Dest: t", "B: 2"][..],
            &[PARENT_LINE][..],
        ] {
            let quiet = disabled(&block(lines));
            assert!(
                Wish::read(&quiet).is_none(),
                "{}",
                String::from_utf8_lossy(&quiet)
            );
            assert!(quiet.ends_with(b"\r\n\r\n"));
            let left = Headers::new(&quiet);
            assert_eq!(
                left.iter().count(),
                lines.len() + usize::from(lines.len() == 1)
            );
        }
    }
}
