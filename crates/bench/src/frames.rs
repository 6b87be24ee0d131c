//! Blocks of publish frames rendered beforehand, and the bytes that must come back for them.
//!
//! A publisher writes one block again and again; so what a subscriber reads is one known block
//! again and again, and comparing it costs a `memcmp`. Every byte is compared for small frames;
//! for large ones the head, a numbered part of the payload and the end of each frame.

use std::sync::Arc;

use crate::error::{Error, Result};

/// Blocks are about this long: few system calls, and still inside a core's cache.
const BLOCK_BYTES: usize = 64 * 1024;
/// Frames up to this length are compared whole.
const COMPARE_WHOLE_BYTES_MAX: usize = 2048;
/// How much of the payload is numbered, where there is room for it.
const NUMBER_BYTES: usize = 16;
/// Subscription ids of traffic over many subjects start here, so that all have one width.
pub(crate) const FIRST_SID_OF_MANY: usize = 10_000;

/// One round of traffic: what is published and what each subscriber must read for it.
pub(crate) struct Traffic {
    /// The frames to publish.
    pub(crate) publish: Vec<u8>,
    /// What a subscriber reads when the server passed on each of them once.
    pub(crate) deliver: Arc<Expected>,
    /// How many messages the block holds.
    pub(crate) messages: u64,
}

/// What a subscriber must read, again and again.
pub(crate) struct Expected {
    bytes: Vec<u8>,
    frame: usize,
    compare_head: usize,
}

/// Whether the messages of a block can be told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbered {
    /// Each message of the block carries its place: a swap is seen. For one publisher.
    Yes,
    /// All are alike, so that several publishers may be mixed. Loss is still counted.
    No,
}

impl Traffic {
    /// One subject, subscribed to with sid 1.
    pub(crate) fn one_subject(subject: &str, payload: usize, numbered: Numbered) -> Traffic {
        let frame = subject.len() + payload + 16;
        let count = (BLOCK_BYTES / frame).clamp(4, 4096);
        Self::render(count, payload, numbered, |_| (subject.to_owned(), 1))
    }

    /// A block of so many numbered messages to one subject, subscribed to with sid 1.
    pub(crate) fn block(subject: &str, payload: usize, count: usize) -> Traffic {
        Self::render(count, payload, Numbered::Yes, |_| (subject.to_owned(), 1))
    }

    /// One message for each of `count` subjects, the n-th with sid `FIRST_SID_OF_MANY + n`.
    pub(crate) fn many_subjects(count: usize, payload: usize) -> Traffic {
        assert!(FIRST_SID_OF_MANY + count <= 100_000, "sids of one width");
        Self::render(count, payload, Numbered::Yes, |n| {
            (subject_of_many(n), FIRST_SID_OF_MANY + n)
        })
    }

    fn render(
        count: usize,
        payload: usize,
        numbered: Numbered,
        address: impl Fn(usize) -> (String, usize),
    ) -> Traffic {
        let (mut publish, mut deliver) = (Vec::new(), Vec::new());
        let (mut frame, mut compare_head) = (0, 0);
        for n in 0..count {
            let body = body(if numbered == Numbered::Yes { n } else { 0 }, payload);
            let (subject, sid) = address(n);
            publish.extend_from_slice(format!("PUB {subject} {payload}\r\n").as_bytes());
            publish.extend_from_slice(&body);
            publish.extend_from_slice(b"\r\n");
            let head = format!("MSG {subject} {sid} {payload}\r\n");
            compare_head = head.len() + NUMBER_BYTES.min(payload);
            frame = head.len() + payload + 2;
            deliver.extend_from_slice(head.as_bytes());
            deliver.extend_from_slice(&body);
            deliver.extend_from_slice(b"\r\n");
        }
        assert_eq!(deliver.len(), frame * count, "frames of one length");
        if frame <= COMPARE_WHOLE_BYTES_MAX {
            compare_head = frame;
        }
        let deliver = Arc::new(Expected {
            bytes: deliver,
            frame,
            compare_head,
        });
        Traffic {
            publish,
            deliver,
            messages: count as u64,
        }
    }
}

/// The n-th of many subjects.
pub(crate) fn subject_of_many(n: usize) -> String {
    format!("bench.many.{n:05}")
}

/// A payload of the wanted length that begins with its number.
fn body(number: usize, length: usize) -> Vec<u8> {
    let mut body = format!("{number:0NUMBER_BYTES$}").into_bytes();
    body.drain(..body.len().saturating_sub(length.max(1)).min(body.len()));
    body.resize(length, b'.');
    body
}

/// Follows one subscriber's input: counts its messages, and notices the first wrong byte.
pub(crate) struct Verifier {
    expected: Arc<Expected>,
    /// Where in the expected block the next byte of a message belongs.
    offset: usize,
    /// Bytes of messages seen so far, protocol lines not counted.
    taken: u64,
    /// The part of a protocol line that has come so far.
    line: Vec<u8>,
    /// `PONG`s that came and were not asked for by `take_pong` yet.
    pongs: u32,
    /// `PING`s that came and were not answered yet.
    pings: u32,
}

impl Verifier {
    /// Starts at the first message of the block.
    pub(crate) fn new(expected: &Arc<Expected>) -> Verifier {
        let expected = Arc::clone(expected);
        Verifier {
            expected,
            offset: 0,
            taken: 0,
            line: Vec::new(),
            pongs: 0,
            pings: 0,
        }
    }

    /// Whole messages seen so far.
    pub(crate) fn messages(&self) -> u64 {
        self.taken / self.expected.frame as u64
    }

    /// True once for each `PONG` that came.
    pub(crate) fn take_pong(&mut self) -> bool {
        let any = self.pongs > 0;
        self.pongs -= u32::from(any);
        any
    }

    /// True once for each `PING` that came: the caller answers it.
    pub(crate) fn take_ping(&mut self) -> bool {
        let any = self.pings > 0;
        self.pings -= u32::from(any);
        any
    }

    /// Looks at what was read.
    pub(crate) fn feed(&mut self, mut chunk: &[u8]) -> Result<()> {
        while let Some(&first) = chunk.first() {
            let between_frames = self.taken.is_multiple_of(self.expected.frame as u64);
            if !self.line.is_empty() || (between_frames && first != b'M') {
                chunk = self.control_line(chunk)?;
                continue;
            }
            let part = &chunk[..chunk.len().min(self.expected.bytes.len() - self.offset)];
            let same = self.first_difference(part).unwrap_or(part.len());
            self.advance(same);
            if same < part.len() && !self.taken.is_multiple_of(self.expected.frame as u64) {
                return Err(self.difference(&part[same..]));
            }
            if same == 0 && part[0] == b'M' {
                return Err(self.difference(part));
            }
            chunk = &chunk[same..];
        }
        Ok(())
    }

    fn advance(&mut self, bytes: usize) {
        self.taken += bytes as u64;
        self.offset += bytes;
        if self.offset == self.expected.bytes.len() {
            self.offset = 0;
        }
    }

    /// Where `part` differs from what is due; it never reaches past the expected block.
    fn first_difference(&self, part: &[u8]) -> Option<usize> {
        let Expected {
            bytes,
            frame,
            compare_head,
        } = &*self.expected;
        let due = &bytes[self.offset..self.offset + part.len()];
        if compare_head == frame {
            return if part == due {
                None
            } else {
                position(part, due, 0)
            };
        }
        let mut at = 0;
        while at < part.len() {
            let in_frame = (self.offset + at) % frame;
            let until = if in_frame < *compare_head {
                at + compare_head - in_frame
            } else if in_frame < frame - 2 {
                at += frame - 2 - in_frame;
                continue;
            } else {
                at + frame - in_frame
            };
            let until = until.min(part.len());
            if part[at..until] != due[at..until] {
                return position(&part[at..until], &due[at..until], at);
            }
            at = until;
        }
        None
    }

    /// Takes a protocol line off the front, whole or in part, and returns what follows it.
    fn control_line<'a>(&mut self, chunk: &'a [u8]) -> Result<&'a [u8]> {
        let end = memchr::memchr(b'\n', chunk).map_or(chunk.len(), |at| at + 1);
        self.line.extend_from_slice(&chunk[..end]);
        if self.line.ends_with(b"\n") {
            match self.line.trim_ascii_end() {
                b"PONG" => self.pongs += 1,
                b"PING" => self.pings += 1,
                b"+OK" => {}
                line if line.starts_with(b"INFO ") => {}
                line => return Err(Error::Refused(String::from_utf8_lossy(line).into_owned())),
            }
            self.line.clear();
        }
        Ok(&chunk[end..])
    }

    fn difference(&self, got: &[u8]) -> Error {
        let show = |bytes: &[u8]| {
            String::from_utf8_lossy(&bytes[..bytes.len().min(60)])
                .escape_debug()
                .to_string()
        };
        Error::Differs(format!(
            "in message {} (counted from 0), byte {}: got \"{}\" where \"{}\" was due",
            self.messages(),
            self.taken % self.expected.frame as u64,
            show(got),
            show(&self.expected.bytes[self.offset..]),
        ))
    }
}

fn position(part: &[u8], due: &[u8], base: usize) -> Option<usize> {
    part.iter()
        .zip(due)
        .position(|(a, b)| a != b)
        .map(|at| base + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(traffic: &Traffic, stream: &[u8], piece: usize) -> Result<Verifier> {
        let mut verifier = Verifier::new(&traffic.deliver);
        for chunk in stream.chunks(piece) {
            verifier.feed(chunk)?;
        }
        Ok(verifier)
    }

    #[test]
    fn messages_are_counted_however_the_stream_is_cut_and_interrupted() {
        for payload in [0, 1, 16, 128, 5000] {
            let traffic = Traffic::one_subject("a.b", payload, Numbered::Yes);
            let frame = traffic.deliver.frame;
            let mut stream = traffic.deliver.bytes.clone();
            stream.extend_from_slice(b"INFO {\"x\":1}\r\n");
            stream.extend_from_slice(&traffic.deliver.bytes[..frame * 3]);
            stream.extend_from_slice(b"PING\r\nPONG\r\n");
            stream.extend_from_slice(&traffic.deliver.bytes[frame * 3..frame * 4 - 1]);
            for piece in [1, 7, frame, 4096, stream.len()] {
                let mut seen = verify(&traffic, &stream, piece).expect("a faithful stream");
                assert_eq!(
                    seen.messages(),
                    traffic.messages + 3,
                    "{payload} B, cut by {piece}"
                );
                assert!(seen.take_pong() && seen.take_ping() && !seen.take_pong());
            }
        }
    }

    #[test]
    fn a_lost_a_swapped_and_a_damaged_message_are_noticed() {
        for payload in [16, 5000] {
            let traffic = Traffic::one_subject("a.b", payload, Numbered::Yes);
            let (bytes, frame) = (&traffic.deliver.bytes, traffic.deliver.frame);
            let lost = [&bytes[..frame], &bytes[frame * 2..]].concat();
            assert!(verify(&traffic, &lost, 1000).is_err(), "lost, {payload} B");
            let swapped = [&bytes[frame..frame * 2], &bytes[..frame]].concat();
            assert!(
                verify(&traffic, &swapped, 1000).is_err(),
                "swapped, {payload} B"
            );
            let mut damaged = bytes.clone();
            damaged[frame + 1] ^= 1;
            assert!(
                verify(&traffic, &damaged, 1000).is_err(),
                "damaged, {payload} B"
            );
            let mut cut = bytes.clone();
            cut.remove(frame - 3);
            assert!(
                verify(&traffic, &cut, 1000).is_err(),
                "cut short, {payload} B"
            );
        }
    }

    #[test]
    fn a_protocol_error_in_the_stream_is_reported_with_its_text() {
        let traffic = Traffic::one_subject("a.b", 16, Numbered::No);
        let error = verify(&traffic, b"-ERR 'Slow Consumer'\r\n", 5)
            .err()
            .expect("-ERR");
        assert!(error.to_string().contains("'Slow Consumer'"));
    }

    #[test]
    fn many_subjects_have_frames_of_one_length() {
        let traffic = Traffic::many_subjects(1000, 16);
        assert_eq!(traffic.messages, 1000);
        assert!(traffic.publish.starts_with(b"PUB bench.many.00000 16\r\n"));
    }
}
