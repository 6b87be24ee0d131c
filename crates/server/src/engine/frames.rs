//! Frames staged for one destination, or for several that get the very same bytes.
//!
//! Small payloads are copied in. Large ones stay in the read buffer of the batch and are only
//! referred to, to be written straight from there: below [`REFER_MIN`] that costs more than it saves.

use std::io::IoSlice;

use recado_wire::{Publish, push_decimal};

/// Bodies of at least so many bytes are referred to instead of copied.
const REFER_MIN: usize = 8 * 1024;

/// Bytes, with parts of the input spliced in.
#[derive(Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    splices: Vec<Splice>,
    spliced_bytes: usize,
}

/// `input[start..start + len]` belongs at `at` of the bytes.
#[derive(Clone, Copy)]
struct Splice {
    at: usize,
    start: usize,
    len: usize,
}

impl Frames {
    /// Bytes staged, spliced ones included.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + self.spliced_bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Empties it and keeps the room for the next batch, unless that is more than `keep_max`.
    pub(crate) fn reset(&mut self, keep_max: usize) {
        self.bytes.clear();
        if self.bytes.capacity() > keep_max {
            self.bytes = Vec::new();
        }
        self.splices.clear();
        self.spliced_bytes = 0;
    }

    /// Appends bytes as they are.
    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The buffer, for writers of other frames.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Appends MSG or HMSG. `prefix` is `HMSG subject sid `, whose `H` is left out for MSG.
    #[inline]
    pub(crate) fn push_message(&mut self, prefix: &[u8], message: &Publish<'_>, input: &[u8]) {
        let prefix = if message.with_headers {
            prefix
        } else {
            &prefix[1..]
        };
        self.bytes.extend_from_slice(prefix);
        self.push_rest(message, input);
    }

    /// The same without a ready prefix.
    #[inline]
    pub(crate) fn push_message_to(&mut self, sid: &[u8], message: &Publish<'_>, input: &[u8]) {
        let word: &[u8] = match message.with_headers {
            true => b"HMSG ",
            false => b"MSG ",
        };
        for part in [word, message.subject, b" ", sid, b" "] {
            self.bytes.extend_from_slice(part);
        }
        self.push_rest(message, input);
    }

    /// What follows the prefix.
    #[inline]
    fn push_rest(&mut self, message: &Publish<'_>, input: &[u8]) {
        if message.body.len() < REFER_MIN && !message.tail.is_empty() {
            self.bytes.extend_from_slice(message.tail);
        } else {
            self.push_tail(message, input);
        }
    }

    /// What follows the prefix, written anew or referred to.
    #[cold]
    fn push_tail(&mut self, message: &Publish<'_>, input: &[u8]) {
        if !message.tail.is_empty() {
            return self.refer(message.tail, input);
        }
        if !message.reply.is_empty() {
            self.bytes.extend_from_slice(message.reply);
            self.bytes.push(b' ');
        }
        if message.with_headers {
            push_decimal(&mut self.bytes, message.header_len as u64);
            self.bytes.push(b' ');
        }
        push_decimal(&mut self.bytes, message.body.len() as u64);
        self.bytes.extend_from_slice(b"\r\n");
        if message.body.len() < REFER_MIN {
            self.bytes.extend_from_slice(message.body);
        } else {
            self.refer(message.body, input);
        }
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Splices in a part of the input; `part` is copied if it lies elsewhere.
    fn refer(&mut self, part: &[u8], input: &[u8]) {
        let start = (part.as_ptr() as usize).wrapping_sub(input.as_ptr() as usize);
        if input
            .get(start..start.saturating_add(part.len()))
            .map(<[u8]>::as_ptr)
            != Some(part.as_ptr())
        {
            return self.bytes.extend_from_slice(part);
        }
        self.splices.push(Splice {
            at: self.bytes.len(),
            start,
            len: part.len(),
        });
        self.spliced_bytes += part.len();
    }

    /// Appends what `other` holds, spliced parts included. Both speak of the same input.
    pub(crate) fn append(&mut self, other: &Self) {
        let base = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.splices.extend(other.splices.iter().map(|s| Splice {
            at: base + s.at,
            ..*s
        }));
        self.spliced_bytes += other.spliced_bytes;
    }

    /// The bytes in one piece, when nothing is spliced in.
    #[inline]
    pub(crate) fn contiguous(&self) -> Option<&[u8]> {
        self.splices.is_empty().then_some(&self.bytes[..])
    }

    /// The pieces from byte `skip` on, at most `most` of them.
    pub(crate) fn pieces<'a>(
        &'a self,
        input: &'a [u8],
        skip: usize,
        most: usize,
    ) -> Vec<IoSlice<'a>> {
        let mut pieces = Vec::with_capacity(most.min(self.splices.len() * 2 + 1));
        let mut skip = skip;
        self.each_piece(input, |piece| {
            let rest = piece.get(skip..).unwrap_or_default();
            skip = skip.saturating_sub(piece.len());
            if !rest.is_empty() {
                pieces.push(IoSlice::new(rest));
            }
            pieces.len() < most
        });
        pieces
    }

    /// Copies everything from byte `skip` on to the end of `out`.
    pub(crate) fn copy_rest(&self, input: &[u8], skip: usize, out: &mut Vec<u8>) {
        let mut skip = skip;
        self.each_piece(input, |piece| {
            out.extend_from_slice(piece.get(skip..).unwrap_or_default());
            skip = skip.saturating_sub(piece.len());
            true
        });
    }

    fn each_piece<'a>(&'a self, input: &'a [u8], mut visit: impl FnMut(&'a [u8]) -> bool) {
        let mut from = 0;
        for splice in &self.splices {
            let own = &self.bytes[from..splice.at];
            let spliced = &input[splice.start..splice.start + splice.len];
            from = splice.at;
            if !visit(own) || !visit(spliced) {
                return;
            }
        }
        visit(&self.bytes[from..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use recado_wire::{Op, ParseLimits, Parsed, parse};

    const LIMITS: ParseLimits = ParseLimits {
        max_control_line: 4096,
        max_payload: 1 << 20,
    };

    proptest! {
        #[test]
        fn splicing_changes_no_byte(
            sizes in proptest::collection::vec(prop_oneof![0usize..50, 8000usize..9000], 1..6),
            skip in 0usize..30_000,
            canonical in any::<bool>(),
        ) {
            let gap = if canonical { " " } else { "  " };
            let mut input = Vec::new();
            for size in &sizes {
                input.extend_from_slice(format!("PUB{gap}a{gap}{size}\r\n").as_bytes());
                input.extend(std::iter::repeat_n(b'x', *size));
                input.extend_from_slice(b"\r\n");
            }
            let (mut frames, mut at, mut expected) = (Frames::default(), 0, Vec::new());
            while let Ok(Parsed::Complete(Op::Publish(message), length)) = parse(&input[at..], &LIMITS) {
                frames.push_message(b"HMSG a 1 ", &message, &input);
                recado_wire::push_message(&mut expected, b"a", b"1", b"", None, message.body);
                at += length;
            }
            let mut twice = Frames::default();
            twice.append(&frames);
            twice.append(&frames);
            prop_assert_eq!(frames.len(), expected.len());
            let skip = skip.min(expected.len());
            let mut rest = Vec::new();
            frames.copy_rest(&input, skip, &mut rest);
            prop_assert_eq!(&rest[..], &expected[skip..]);
            let pieces: Vec<u8> =
                frames.pieces(&input, skip, 1000).iter().flat_map(|piece| piece.to_vec()).collect();
            prop_assert_eq!(&pieces[..], &expected[skip..]);
            let mut both = Vec::new();
            twice.copy_rest(&input, 0, &mut both);
            prop_assert_eq!(both, expected.repeat(2));
        }
    }
}
