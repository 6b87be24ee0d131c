//! Headers and payload of a record in fewer bytes: one LZ4 block for each record, so that damage costs one.
//!
//! Must never make more room than the packed bytes can be worth, nor hand out what is not exactly as long as
//! the record says.

use std::fmt;
use std::ops::Range;

use lz4_flex::block::{self, CompressTable};

use crate::Record;

/// Shorter headers and payload hold too little that repeats.
const RAW_BYTES_MIN: usize = 64;
/// Longer ones would keep whoever appends busy for tens of milliseconds.
const RAW_BYTES_MAX: usize = 8 << 20;
/// So much of the bytes must be saved: an eighth.
const SAVED_MIN: usize = 8;
/// Nothing longer is unpacked: more than is ever packed, so that the bound above can rise.
const UNPACKED_BYTES_MAX: u64 = 64 << 20;
/// What one byte of an LZ4 block can stand for at the most.
const EXPANSION_MAX: u64 = 255;
/// Buffers that grew larger are not kept.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// Packs the records of one append.
#[derive(Default)]
pub(crate) struct Packer {
    /// For input of less than 64 KiB; made when it is needed first.
    table: Option<CompressTable>,
    /// Headers and payload in one piece.
    joined: Vec<u8>,
    packed: Vec<u8>,
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packer").finish_non_exhaustive()
    }
}

impl Packer {
    /// Forgets what was packed, once it was appended.
    pub(crate) fn clear(&mut self) {
        self.packed.clear();
        shrink(&mut self.packed);
        shrink(&mut self.joined);
    }

    /// Packs a record's headers and payload, behind what was packed since the last [`Packer::clear`], and says where
    /// they are. Nothing if that is not worth it.
    pub(crate) fn pack(&mut self, record: &Record<'_>) -> Option<Range<usize>> {
        let raw_bytes = record.headers.len() + record.payload.len();
        if !(RAW_BYTES_MIN..=RAW_BYTES_MAX).contains(&raw_bytes) {
            return None;
        }
        let raw = if record.headers.is_empty() {
            record.payload
        } else {
            self.joined.clear();
            self.joined.extend_from_slice(record.headers);
            self.joined.extend_from_slice(record.payload);
            &self.joined
        };
        let start = self.packed.len();
        let most = start + block::get_maximum_output_size(raw_bytes);
        self.packed.resize(most, 0);
        let room = self.packed.get_mut(start..)?;
        let packed = if raw_bytes < usize::from(u16::MAX) {
            let table = self.table.get_or_insert_with(CompressTable::small);
            block::compress_into_with_table(raw, room, table)
        } else {
            block::compress_into(raw, room)
        };
        let bytes = packed.ok().filter(|bytes| is_worth_it(*bytes, raw_bytes));
        let end = start + bytes.unwrap_or(0);
        self.packed.truncate(end);
        bytes.map(|_| start..end)
    }

    /// What was packed.
    pub(crate) fn bytes(&self, range: Range<usize>) -> Option<&[u8]> {
        self.packed.get(range)
    }
}

fn is_worth_it(packed_bytes: usize, raw_bytes: usize) -> bool {
    packed_bytes + raw_bytes / SAVED_MIN <= raw_bytes
}

/// Room for the headers and payload that were unpacked last.
#[derive(Debug, Default)]
pub(crate) struct Unpacked(Vec<u8>);

impl Unpacked {
    /// Unpacks, if exactly `raw_bytes` come of it.
    #[inline(never)]
    pub(crate) fn unpack(&mut self, packed: &[u8], raw_bytes: u64) -> Option<&[u8]> {
        let possible = (packed.len() as u64).saturating_mul(EXPANSION_MAX);
        if raw_bytes > UNPACKED_BYTES_MAX || raw_bytes > possible {
            return None;
        }
        if raw_bytes as usize <= KEPT_BYTES_MAX {
            shrink(&mut self.0);
        }
        self.0.resize(raw_bytes as usize, 0);
        let unpacked = block::decompress_into(packed, &mut self.0).ok()?;
        (unpacked as u64 == raw_bytes).then_some(&self.0)
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.0.capacity()
    }
}

/// Gives up a buffer that one large record made large.
fn shrink(buffer: &mut Vec<u8>) {
    if buffer.capacity() > KEPT_BYTES_MAX {
        *buffer = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(headers: &[u8], payload: &[u8]) -> Option<Vec<u8>> {
        let mut packer = Packer::default();
        let record = Record {
            headers,
            payload,
            ..Record::default()
        };
        let range = packer.pack(&record)?;
        packer.bytes(range).map(<[u8]>::to_vec)
    }

    /// Bytes of all sorts: by chance, repeated, and pieces of both.
    fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..600),
            prop::collection::vec(0..3u8, 0..600),
            (any::<u8>(), 0..3000usize).prop_map(|(byte, count)| vec![byte; count]),
            "(\\{\"id\":[0-9]{1,4},\"name\":\"[a-c]{3}\"\\}){0,20}".prop_map(String::into_bytes),
        ];
        prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
    }

    #[test]
    fn what_repeats_is_packed_and_what_does_not_or_is_short_is_left_alone() {
        let text =
            br#"{"id":1,"state":"new","items":[{"id":1,"state":"new"},{"id":2,"state":"new"}]}"#;
        assert!(packed(b"", text).expect("worth it").len() < text.len());
        assert_eq!(packed(b"", &[b'x'; RAW_BYTES_MIN - 1]), None);
        assert!(packed(&[b'x'; RAW_BYTES_MIN], b"").is_some());
        let chance: Vec<u8> = (0..4096u64)
            .map(|at| crate::format::mix(at) as u8)
            .collect();
        assert_eq!(packed(b"", &chance), None);
        assert_eq!(packed(b"", &vec![0; RAW_BYTES_MAX + 1]), None);
    }

    #[test]
    fn a_large_payload_goes_both_ways_and_leaves_no_large_buffers() {
        let large: Vec<u8> = (0..3_000_000u32).map(|at| (at / 1000) as u8).collect();
        let small = [b'x'; 100];
        let mut packer = Packer::default();
        let mut room = Unpacked::default();
        for payload in [&large[..], &small] {
            packer.clear();
            let record = Record {
                headers: b"H",
                payload,
                ..Record::default()
            };
            let range = packer.pack(&record).expect("packed");
            let packed = packer.bytes(range).expect("bytes");
            let raw = room.unpack(packed, 1 + payload.len() as u64);
            assert!(raw.expect("unpacked")[1..] == *payload);
        }
        packer.clear();
        assert!(packer.packed.capacity() + packer.joined.capacity() <= 2 * KEPT_BYTES_MAX);
        assert!(room.bytes() <= KEPT_BYTES_MAX);
    }

    #[test]
    fn a_length_that_the_bytes_can_not_be_worth_takes_no_room() {
        let packed = packed(b"", &[7; 4096]).expect("worth it");
        let most = packed.len() as u64 * EXPANSION_MAX;
        for lie in [
            most + 1,
            UNPACKED_BYTES_MAX + 1,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            let mut room = Unpacked::default();
            assert_eq!(room.unpack(&packed, lie), None);
            assert_eq!(room.bytes(), 0, "{lie}");
        }
        let many = vec![0; 2 * UNPACKED_BYTES_MAX as usize / EXPANSION_MAX as usize];
        let mut room = Unpacked::default();
        assert_eq!(room.unpack(&many, UNPACKED_BYTES_MAX + 1), None);
        assert_eq!(room.bytes(), 0, "however many bytes there are");
    }

    proptest! {
        #[test]
        fn any_bytes_come_back_as_they_were(headers in any_bytes(), payload in any_bytes()) {
            let raw = [headers.as_slice(), &payload].concat();
            let mut packer = Packer::default();
            let record = Record { headers: &headers, payload: &payload, ..Record::default() };
            // Whatever was packed before, with the same table.
            let before = Record { payload: &[7; 300], ..Record::default() };
            prop_assert!(packer.pack(&before).is_some());
            if let Some(range) = packer.pack(&record) {
                let packed = packer.bytes(range).expect("bytes");
                prop_assert!(packed.len() < raw.len());
                let mut room = Unpacked::default();
                prop_assert_eq!(room.unpack(packed, raw.len() as u64), Some(raw.as_slice()));
                prop_assert_eq!(room.unpack(packed, raw.len() as u64 + 1), None);
                prop_assert_eq!(room.unpack(packed, raw.len() as u64 - 1), None);
            }
        }

        #[test]
        fn nonsense_is_no_reason_to_panic(
            payload in any_bytes(),
            flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255u8), 0..8),
            noise in prop::collection::vec(any::<u8>(), 0..200),
            raw_bytes in prop_oneof![0..5000u64, any::<u64>()],
        ) {
            let mut bytes = packed(b"", &payload).unwrap_or(noise);
            for (at, bit) in flips {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] ^= bit;
                }
            }
            let mut room = Unpacked::default();
            for raw_bytes in [raw_bytes, payload.len() as u64] {
                let unpacked = room.unpack(&bytes, raw_bytes).map(|raw| raw.len() as u64);
                prop_assert!(unpacked.is_none_or(|bytes| bytes == raw_bytes));
                prop_assert!(room.bytes() as u64 <= 1024 + 255 * bytes.len() as u64 + 2 * payload.len() as u64);
            }
        }
    }
}
