//! Covers what a record says of others' data, and uncovers it.
//!
//! A covered record is as long as a plain one. Its head stays readable (lengths, times, numbers), and both checksums
//! are over what is on the disk: damage is found without the key. Subject, headers and payload are under the stream
//! of the segment, each byte at its own offset.

use std::collections::HashMap;

use crate::crypt::{DataKey, Sealed, Veil};
use crate::format::{self, Head, Seeds};

/// Of an encrypted store: what uncovers its records, and covers new ones.
#[derive(Debug)]
pub(crate) struct Veils {
    pub(crate) key: DataKey,
    /// What segments say that are begun now.
    pub(crate) sealed: Sealed,
    /// What those say that are there.
    pub(crate) of: HashMap<u32, Sealed>,
    latest: Option<(u32, Veil)>,
    room: Vec<u8>,
}

impl Veils {
    pub(crate) fn new(key: DataKey, sealed: Sealed, of: HashMap<u32, Sealed>) -> Self {
        Self {
            key,
            sealed,
            of,
            latest: None,
            room: Vec::new(),
        }
    }

    /// What covers a segment's records, if anything does.
    pub(crate) fn veil(&self, segment: u32) -> Option<Veil> {
        let sealed = self.of.get(&segment)?;
        Some(self.key.veil(*sealed, segment))
    }

    /// The bytes of a covered record, readable.
    pub(crate) fn lift<'a>(
        &'a mut self,
        (segment, offset): (u32, u32),
        (head, bytes): (&Head, &'a [u8]),
    ) -> Option<&'a [u8]> {
        if self.latest.as_ref().is_none_or(|(of, _)| *of != segment) {
            self.latest = Some((segment, self.veil(segment)?));
        }
        let veil = self.latest.as_mut().map(|(_, veil)| veil);
        lift((head, bytes), offset, veil, Part::Whole, &mut self.room)
    }
}

/// How much of a record is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All up to the end of the subject.
    Subject,
    /// All of it.
    Whole,
}

/// A record's bytes, readable: as they are, or uncovered into `room`. Nothing if they are covered and `veil` is not
/// there. What comes out keeps the head of what was covered, checksums included.
pub(crate) fn lift<'a>(
    (head, bytes): (&Head, &'a [u8]),
    offset: u32,
    veil: Option<&mut Veil>,
    part: Part,
    room: &'a mut Vec<u8>,
) -> Option<&'a [u8]> {
    if !head.veiled {
        return Some(bytes);
    }
    let to = match part {
        Part::Subject => head.body_at(),
        Part::Whole => head.length as usize,
    };
    let from = head.subject_at();
    room.clear();
    room.extend_from_slice(bytes.get(..to)?);
    veil?.apply(room.get_mut(from..)?, offset + from as u32);
    Some(room)
}

/// Covers a record where it is about to lie.
pub(crate) fn cover(record: &mut [u8], (seeds, offset): (Seeds, u32), veil: &mut Veil) {
    let Some(head) = format::parse_head(record) else {
        debug_assert!(false, "it was encoded a moment ago");
        return;
    };
    let from = head.subject_at();
    if let Some(rest) = record.get_mut(from..) {
        veil.apply(rest, offset + from as u32);
    }
    format::check_covered(record, &head, (seeds, offset));
}
