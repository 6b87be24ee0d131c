//! Frames that a client sends, taken apart as they come.

use super::deflate::{self, Damage};
use super::frame::{
    BINARY, CLOSE, COMPRESSED, CONTINUATION, CONTROL_BYTES_MAX, CloseCode, FIN, MASKED, PING, PONG,
    RESERVED, TEXT,
};

/// Longest head of a frame.
const HEAD_BYTES_MAX: usize = 14;

/// What a client broke, and what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("WebSocket: {reason}")]
pub(crate) struct Violation {
    pub(crate) code: CloseCode,
    pub(crate) reason: &'static str,
}

/// What was heard besides data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Payload of the last ping: older ones need no answer of their own.
    pub(crate) ping: Option<Vec<u8>>,
    /// The client closes.
    pub(crate) close: bool,
}

/// One connection's input.
#[derive(Default)]
pub(crate) struct Receiver {
    /// Frames need not be masked (`Nats-No-Masking`).
    unmasked: bool,
    /// Messages may be compressed.
    compression: bool,
    /// The start of a frame's head.
    head: Vec<u8>,
    frame: Option<Frame>,
    /// A message whose last frame has not come: whether it is compressed.
    message: Option<bool>,
    /// What came of a compressed message, or of a frame that is no data.
    gathered: Vec<u8>,
    control: Vec<u8>,
    closed: bool,
}

/// A frame whose head is known.
#[derive(Clone, Copy)]
struct Frame {
    what: u8,
    last: bool,
    mask: Option<[u8; 4]>,
    /// Bytes of the payload that came, and that will.
    taken: u64,
    length: u64,
}

const fn broken(reason: &'static str) -> Violation {
    Violation {
        code: CloseCode::Protocol,
        reason,
    }
}

impl Receiver {
    pub(crate) fn new(unmasked: bool, compression: bool) -> Self {
        Self {
            unmasked,
            compression,
            ..Self::default()
        }
    }

    /// Takes what came, however it is cut. Data is appended to `out`; a compressed message may become
    /// `most` bytes.
    pub(crate) fn receive(
        &mut self,
        mut input: &mut [u8],
        out: &mut Vec<u8>,
        most: usize,
    ) -> Result<Heard, Violation> {
        let mut heard = Heard::default();
        // An empty frame is whole as soon as its head is.
        while !self.closed && (!input.is_empty() || self.frame.is_some_and(Frame::is_whole)) {
            let Some(mut frame) = self.frame else {
                let taken = self.take_head(input)?;
                input = &mut input[taken..];
                continue;
            };
            let here = usize::try_from(frame.length - frame.taken)
                .unwrap_or(usize::MAX)
                .min(input.len());
            let (payload, rest) = input.split_at_mut(here);
            frame.unmask(payload);
            self.take_payload(frame, payload, out, most)?;
            frame.taken += here as u64;
            input = rest;
            self.frame = Some(frame);
            if frame.is_whole() {
                self.frame = None;
                self.end_frame(frame, out, most, &mut heard)?;
            }
        }
        Ok(heard)
    }

    /// Takes bytes of a head; how many.
    fn take_head(&mut self, input: &[u8]) -> Result<usize, Violation> {
        let mut taken = 0;
        while let Some(&byte) = input.get(taken) {
            self.head.push(byte);
            taken += 1;
            if self.head.len() >= head_length(&self.head) {
                let frame = self.read_head()?;
                self.head.clear();
                self.frame = Some(frame);
                break;
            }
        }
        debug_assert!(self.head.len() < HEAD_BYTES_MAX);
        Ok(taken)
    }

    /// Judges a head that is whole.
    fn read_head(&mut self) -> Result<Frame, Violation> {
        let [first, second, rest @ ..] = self.head.as_slice() else {
            return Err(broken("a frame without a head"));
        };
        let (what, last) = (first & 0x0f, first & FIN != 0);
        let masked = second & MASKED != 0;
        let (extended, mask) = rest.split_at(rest.len() - if masked { 4 } else { 0 });
        let length = match extended {
            [] => u64::from(second & !MASKED),
            bytes => bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        };
        if length > i64::MAX as u64 {
            return Err(broken("a frame longer than any can be"));
        }
        if !masked && !self.unmasked {
            return Err(broken("a client's frame must be masked"));
        }
        let compressed = first & COMPRESSED != 0;
        if first & RESERVED != 0 || (compressed && !self.compression) {
            return Err(broken("a bit is set whose meaning was not agreed on"));
        }
        match what {
            TEXT | BINARY if self.message.is_some() => {
                return Err(broken("a message begins before another has ended"));
            }
            TEXT | BINARY => self.message = Some(compressed),
            CONTINUATION if self.message.is_none() => {
                return Err(broken("a continuation of nothing"));
            }
            CONTINUATION if compressed => {
                return Err(broken(
                    "only a message's first frame says that it is compressed",
                ));
            }
            CONTINUATION => {}
            CLOSE | PING | PONG if !last => {
                return Err(broken("a control frame must not be fragmented"));
            }
            CLOSE | PING | PONG if compressed || length > CONTROL_BYTES_MAX as u64 => {
                return Err(broken("a control frame is too long or compressed"));
            }
            CLOSE | PING | PONG => {}
            _ => return Err(broken("a frame of an unknown kind")),
        }
        Ok(Frame {
            what,
            last,
            mask: mask.first_chunk().copied(),
            taken: 0,
            length,
        })
    }

    fn take_payload(
        &mut self,
        frame: Frame,
        payload: &[u8],
        out: &mut Vec<u8>,
        most: usize,
    ) -> Result<(), Violation> {
        if frame.is_control() {
            self.control.extend_from_slice(payload);
        } else if self.message == Some(true) {
            // What is compressed is hardly ever larger than what it becomes.
            if self.gathered.len() + payload.len() > most + 1024 {
                return Err(TOO_BIG);
            }
            self.gathered.extend_from_slice(payload);
        } else {
            out.extend_from_slice(payload);
        }
        Ok(())
    }

    fn end_frame(
        &mut self,
        frame: Frame,
        out: &mut Vec<u8>,
        most: usize,
        heard: &mut Heard,
    ) -> Result<(), Violation> {
        let control = std::mem::take(&mut self.control);
        match frame.what {
            PING => heard.ping = Some(control),
            PONG => {}
            CLOSE => {
                if control.len() == 1 {
                    return Err(broken("a close frame with half a code"));
                }
                self.closed = true;
                heard.close = true;
            }
            _ if !frame.last => {}
            _ => {
                if self.message.take() == Some(true) {
                    let mut message = std::mem::take(&mut self.gathered);
                    deflate::decompress(&mut message, out, most).map_err(
                        |damage| match damage {
                            Damage::TooBig => TOO_BIG,
                            Damage::Malformed => Violation {
                                code: CloseCode::InvalidData,
                                reason: "a compressed message can't be decompressed",
                            },
                        },
                    )?;
                }
            }
        }
        Ok(())
    }
}

const TOO_BIG: Violation = Violation {
    code: CloseCode::TooBig,
    reason: "a compressed message is larger than it may be",
};

impl Frame {
    fn is_whole(self) -> bool {
        self.taken == self.length
    }

    fn is_control(self) -> bool {
        self.what >= CLOSE
    }

    /// Unmasks a part of the payload, where it is.
    fn unmask(&self, payload: &mut [u8]) {
        let Some(mut mask) = self.mask else { return };
        mask.rotate_left((self.taken % 4) as usize);
        let word = u64::from_ne_bytes([
            mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3],
        ]);
        let (words, rest) = payload.as_chunks_mut::<8>();
        for chunk in words {
            *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
        }
        for (byte, key) in rest.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= key;
        }
    }
}

/// Bytes of a head in all, as far as they are known; it grows as they come.
fn head_length(head: &[u8]) -> usize {
    let Some(second) = head.get(1) else { return 2 };
    let extended = match second & !MASKED {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    2 + extended + if second & MASKED != 0 { 4 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MOST: usize = 1 << 20;

    /// A frame as a client sends it.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![first];
        match payload.len() {
            length @ 0..126 => out.push(MASKED | length as u8),
            length @ 126..65_536 => {
                out.push(MASKED | 126);
                out.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                out.push(MASKED | 127);
                out.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        let mask = [0x12, 0xa4, 0x56, 0x78];
        out.extend_from_slice(&mask);
        out.extend(
            payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
        out
    }

    fn refusal(mut input: Vec<u8>) -> Violation {
        let mut receiver = Receiver::new(false, true);
        receiver
            .receive(&mut input, &mut Vec::new(), MOST)
            .unwrap_err()
    }

    proptest! {
        #[test]
        fn only_the_bytes_count_however_they_are_cut(
            pieces in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..300), any::<bool>(), any::<bool>()), 0..20),
            cuts in proptest::collection::vec(1_usize..50, 1..20),
        ) {
            let (mut wire, mut expected) = (Vec::new(), Vec::new());
            let mut open = false;
            for (payload, last, compress) in &pieces {
                let first = if open { CONTINUATION } else { BINARY };
                let alone = !open && *last && *compress;
                if alone {
                    deflate::compress(payload, |bytes| {
                        wire.extend(frame(FIN | COMPRESSED | BINARY, bytes));
                    });
                } else {
                    wire.extend(frame(if *last { FIN } else { 0 } | first, payload));
                }
                wire.extend(frame(FIN | PING, b"are you there"));
                open = !last;
                expected.extend_from_slice(payload);
            }
            let mut receiver = Receiver::new(false, true);
            let (mut out, mut at, mut cut) = (Vec::new(), 0, cuts.iter().cycle());
            while at < wire.len() {
                let end = (at + cut.next().unwrap()).min(wire.len());
                receiver.receive(&mut wire[at..end], &mut out, MOST).unwrap();
                at = end;
            }
            prop_assert_eq!(out, expected);
        }

        #[test]
        fn nonsense_never_panics(mut input in proptest::collection::vec(any::<u8>(), 0..500)) {
            let mut receiver = Receiver::new(true, true);
            let _ = receiver.receive(&mut input, &mut Vec::new(), 1000);
        }
    }

    #[test]
    fn a_close_ends_the_input_and_pings_are_heard_before_it() {
        let mut input = frame(FIN | PING, b"one");
        input.extend(frame(FIN | PING, b"two"));
        input.extend(frame(FIN | CLOSE, &1000_u16.to_be_bytes()));
        input.extend(frame(FIN | BINARY, b"unheard"));
        let mut out = Vec::new();
        let heard = Receiver::new(false, false).receive(&mut input, &mut out, MOST);
        let expected = Heard {
            ping: Some(b"two".to_vec()),
            close: true,
        };
        assert_eq!((heard, out), (Ok(expected), Vec::new()));
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        for input in [
            vec![FIN | BINARY, 1, b'x'],
            frame(FIN | COMPRESSED | PING, b""),
            frame(FIN | 0x20 | BINARY, b"x"),
            frame(FIN | 3, b"x"),
            frame(PING, b"x"),
            frame(FIN | PING, &[0; 126]),
            frame(FIN | CONTINUATION, b"x"),
            frame(FIN | CLOSE, b"x"),
            [frame(BINARY, b"x"), frame(FIN | TEXT, b"y")].concat(),
            [vec![FIN | BINARY, MASKED | 127], vec![0xff; 12]].concat(),
        ] {
            assert_eq!(
                refusal(input.clone()).code,
                CloseCode::Protocol,
                "{input:?}"
            );
        }
        let mut unasked = frame(FIN | COMPRESSED | BINARY, b"x");
        let refused = Receiver::new(false, false).receive(&mut unasked, &mut Vec::new(), MOST);
        assert_eq!(refused.unwrap_err().code, CloseCode::Protocol);
        assert_eq!(
            refusal(frame(FIN | COMPRESSED | BINARY, &[0xff; 20])).code,
            CloseCode::InvalidData
        );
        assert_eq!(
            refusal(frame(FIN | COMPRESSED | BINARY, &vec![0; MOST + 2000])).code,
            CloseCode::TooBig
        );
    }
}
