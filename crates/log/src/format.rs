//! The bytes of a record and of a segment's header. Pure; numbers here never change, a test pins them.
//!
//! A record is `head(48) subject headers payload`, without padding. Two checksums: one over the head and
//! the subject, which says what it was and where the next one begins even when the payload is damaged; one
//! over headers and payload. The first is seeded with the store's salt, the segment and the offset, so that
//! bytes which look like a record inside a payload, or at another place, are none.

use crate::{Entry, Location, Record};

/// Version of everything in this file and in `footer`. A store of another version is not opened.
pub(crate) const FORMAT_VERSION: u32 = 1;
/// A segment's header: two copies of one block, so that damage in one costs nothing.
pub(crate) const SEGMENT_HEADER_BYTES: u32 = 2 * BLOCK_BYTES as u32;
const BLOCK_BYTES: usize = 512;
/// First bytes of a segment. Never change.
const SEGMENT_MAGIC: [u8; 8] = *b"RECADOSG";
/// In every record's head, to find the next whole record after damage. Never change.
pub(crate) const RECORD_MAGIC: [u8; 3] = *b"RCD";
/// A record's head.
pub(crate) const HEAD_BYTES: usize = 48;
/// No segment is larger, so no record or group either.
pub(crate) const SEGMENT_BYTES_MAX: u32 = 1 << 30;

/// How a record stands to its neighbours. Numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Frame {
    /// For itself.
    Single = 1,
    /// First of a group.
    First = 2,
    /// Neither first nor last of a group.
    Middle = 3,
    /// Last of a group.
    Last = 4,
}

impl Frame {
    fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Single),
            2 => Some(Self::First),
            3 => Some(Self::Middle),
            4 => Some(Self::Last),
            _ => None,
        }
    }
}

/// A record's head, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) frame: Frame,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) sequence: u64,
    pub(crate) time_ns: i64,
    /// Which batch it was written with. A later batch is begun only when this one is on disk.
    pub(crate) batch: u32,
    /// Of the whole record.
    pub(crate) length: u32,
    pub(crate) subject_len: u16,
    pub(crate) headers_len: u32,
    pub(crate) body_crc: u32,
}

/// Turns a store's salt and a segment's number into what seeds the checksums of its records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seeds(u64);

impl Seeds {
    pub(crate) fn new(salt: u64, segment: u32) -> Self {
        Self(mix(
            salt ^ u64::from(segment).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ))
    }

    fn at(self, offset: u32) -> u32 {
        let seed = (self.0 ^ u64::from(offset)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        (seed >> 32) as u32
    }
}

/// One step of splitmix64.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Bytes that a record takes in a segment.
pub(crate) fn length_of(record: &Record<'_>) -> u64 {
    let body = record.headers.len() as u64 + record.payload.len() as u64;
    HEAD_BYTES as u64 + record.subject.len() as u64 + body
}

/// Appends a record's bytes. The caller has checked that its subject and length fit.
pub(crate) fn encode(
    to: &mut Vec<u8>,
    record: &Record<'_>,
    (frame, batch): (Frame, u32),
    (seeds, offset): (Seeds, u32),
) -> u32 {
    let length = length_of(record) as u32;
    let mut body_crc = crc32c::crc32c(record.headers);
    body_crc = crc32c::crc32c_append(body_crc, record.payload);
    let mut head = [0; HEAD_BYTES];
    head[4..7].copy_from_slice(&RECORD_MAGIC);
    head[7] = frame as u8;
    head[8..12].copy_from_slice(&length.to_le_bytes());
    head[12..16].copy_from_slice(&body_crc.to_le_bytes());
    head[16..24].copy_from_slice(&record.sequence.to_le_bytes());
    head[24..32].copy_from_slice(&record.time_ns.to_le_bytes());
    head[32..36].copy_from_slice(&record.stream.to_le_bytes());
    head[36..40].copy_from_slice(&batch.to_le_bytes());
    head[40..44].copy_from_slice(&(record.headers.len() as u32).to_le_bytes());
    head[44..46].copy_from_slice(&(record.subject.len() as u16).to_le_bytes());
    head[46] = record.kind;
    head[47] = record.flags;
    let crc = crc32c::crc32c_append(seeds.at(offset), &head[4..]);
    let crc = crc32c::crc32c_append(crc, record.subject);
    head[..4].copy_from_slice(&crc.to_le_bytes());
    to.reserve(length as usize);
    to.extend_from_slice(&head);
    to.extend_from_slice(record.subject);
    to.extend_from_slice(record.headers);
    to.extend_from_slice(record.payload);
    length
}

/// What the fields of a head say, unchecked but for being possible.
pub(crate) fn parse_head(head: &[u8; HEAD_BYTES]) -> Option<Head> {
    let h = head;
    if h[4] != RECORD_MAGIC[0] || h[5] != RECORD_MAGIC[1] || h[6] != RECORD_MAGIC[2] {
        return None;
    }
    let parsed = Head {
        frame: Frame::from_number(h[7])?,
        kind: h[46],
        flags: h[47],
        length: u32::from_le_bytes([h[8], h[9], h[10], h[11]]),
        body_crc: u32::from_le_bytes([h[12], h[13], h[14], h[15]]),
        sequence: u64::from_le_bytes([h[16], h[17], h[18], h[19], h[20], h[21], h[22], h[23]]),
        time_ns: i64::from_le_bytes([h[24], h[25], h[26], h[27], h[28], h[29], h[30], h[31]]),
        stream: u32::from_le_bytes([h[32], h[33], h[34], h[35]]),
        batch: u32::from_le_bytes([h[36], h[37], h[38], h[39]]),
        headers_len: u32::from_le_bytes([h[40], h[41], h[42], h[43]]),
        subject_len: u16::from_le_bytes([h[44], h[45]]),
    };
    let least = HEAD_BYTES as u64 + u64::from(parsed.subject_len) + u64::from(parsed.headers_len);
    let possible = u64::from(parsed.length) >= least && parsed.length <= SEGMENT_BYTES_MAX;
    possible.then_some(parsed)
}

/// Checks head and subject; `bytes` begin with the record and may end anywhere behind its subject.
pub(crate) fn check_head(bytes: &[u8], seeds: Seeds, offset: u32) -> Option<Head> {
    let head = bytes.first_chunk::<HEAD_BYTES>()?;
    let parsed = parse_head(head)?;
    let subject = bytes.get(HEAD_BYTES..HEAD_BYTES + usize::from(parsed.subject_len))?;
    let crc = crc32c::crc32c_append(seeds.at(offset), &head[4..]);
    let crc = crc32c::crc32c_append(crc, subject);
    (crc.to_le_bytes() == head[..4]).then_some(parsed)
}

/// Whether headers and payload are what was written; `bytes` are the whole record.
pub(crate) fn body_is_whole(bytes: &[u8], head: &Head) -> bool {
    let from = HEAD_BYTES + usize::from(head.subject_len);
    bytes
        .get(from..head.length as usize)
        .is_some_and(|body| crc32c::crc32c(body) == head.body_crc)
}

impl Head {
    /// The record, out of its bytes.
    pub(crate) fn record<'a>(&self, bytes: &'a [u8]) -> Option<Record<'a>> {
        let rest = bytes.get(HEAD_BYTES..self.length as usize)?;
        let (subject, rest) = rest.split_at_checked(usize::from(self.subject_len))?;
        let (headers, payload) = rest.split_at_checked(self.headers_len as usize)?;
        Some(Record {
            kind: self.kind,
            flags: self.flags,
            stream: self.stream,
            sequence: self.sequence,
            time_ns: self.time_ns,
            subject,
            headers,
            payload,
        })
    }

    /// What is known of it without its payload.
    pub(crate) fn entry<'a>(&self, subject: &'a [u8], at: Location) -> Entry<'a> {
        Entry {
            kind: self.kind,
            flags: self.flags,
            stream: self.stream,
            sequence: self.sequence,
            time_ns: self.time_ns,
            subject,
            headers_len: self.headers_len,
            payload_len: self.payload_len(),
            at,
        }
    }

    fn payload_len(&self) -> u32 {
        self.length - HEAD_BYTES as u32 - u32::from(self.subject_len) - self.headers_len
    }
}

/// First block of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) number: u32,
    /// Seeds the checksums of its records.
    pub(crate) salt: u64,
    /// The segment that was written before it, 0 if none. Whatever lies between the two is void.
    pub(crate) previous: u32,
    /// Where the previous one's records end: what follows there is void.
    pub(crate) previous_end: u32,
    /// Whether all of the previous one was on disk when this one was begun. If not, its last batch may be
    /// there in part.
    pub(crate) previous_whole: bool,
}

/// Why a segment's header can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadHeader {
    /// Neither copy is whole.
    Damaged,
    /// Written by another version.
    Version(u32),
}

impl SegmentHeader {
    /// Both copies.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut block = [0; BLOCK_BYTES];
        block[..8].copy_from_slice(&SEGMENT_MAGIC);
        block[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        block[12..16].copy_from_slice(&self.number.to_le_bytes());
        block[16..24].copy_from_slice(&self.salt.to_le_bytes());
        block[24..28].copy_from_slice(&self.previous.to_le_bytes());
        block[28..32].copy_from_slice(&self.previous_end.to_le_bytes());
        block[32] = u8::from(self.previous_whole);
        let crc = crc32c::crc32c(&block[..BLOCK_BYTES - 4]);
        block[BLOCK_BYTES - 4..].copy_from_slice(&crc.to_le_bytes());
        [block, block].concat()
    }

    /// Reads whichever copy is whole; also says whether both are.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(Self, bool), BadHeader> {
        let copies = [0, BLOCK_BYTES].map(|at| {
            let block = bytes.get(at..).and_then(|rest| rest.first_chunk());
            block.map_or(Err(BadHeader::Damaged), Self::decode_block)
        });
        match copies {
            [Ok(header), Ok(second)] if header == second => Ok((header, true)),
            [Ok(header), _] | [_, Ok(header)] => Ok((header, false)),
            [Err(BadHeader::Version(version)), _] | [_, Err(BadHeader::Version(version))] => {
                Err(BadHeader::Version(version))
            }
            _ => Err(BadHeader::Damaged),
        }
    }

    fn decode_block(b: &[u8; BLOCK_BYTES]) -> Result<Self, BadHeader> {
        let crc = crc32c::crc32c(&b[..BLOCK_BYTES - 4]).to_le_bytes();
        if b[..8] != SEGMENT_MAGIC || b[BLOCK_BYTES - 4..] != crc {
            return Err(BadHeader::Damaged);
        }
        let version = u32::from_le_bytes([b[8], b[9], b[10], b[11]]);
        if version != FORMAT_VERSION {
            return Err(BadHeader::Version(version));
        }
        Ok(Self {
            number: u32::from_le_bytes([b[12], b[13], b[14], b[15]]),
            salt: u64::from_le_bytes([b[16], b[17], b[18], b[19], b[20], b[21], b[22], b[23]]),
            previous: u32::from_le_bytes([b[24], b[25], b[26], b[27]]),
            previous_end: u32::from_le_bytes([b[28], b[29], b[30], b[31]]),
            previous_whole: b[32] == 1,
        })
    }
}

/// A segment's file name.
pub fn segment_name(number: u32) -> String {
    format!("segment-{number:010}.log")
}

/// The number in a segment's file name, if it is one.
pub(crate) fn segment_number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("segment-")?.strip_suffix(".log")?;
    let number = digits.parse().ok().filter(|number| *number > 0)?;
    (segment_name(number) == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: Record<'_> = Record {
        kind: 1,
        flags: 2,
        stream: 3,
        sequence: 4,
        time_ns: 5,
        subject: b"a.b",
        headers: b"H",
        payload: b"payload",
    };

    #[test]
    fn the_bytes_of_a_record_never_change() {
        let mut bytes = Vec::new();
        let length = encode(
            &mut bytes,
            &RECORD,
            (Frame::First, 9),
            (Seeds::new(7, 1), 1024),
        );
        let expected: &[u8] = &[
            &PINNED_CRC.to_le_bytes()[..],
            b"RCD\x02",
            &59u32.to_le_bytes(),
            &crc32c::crc32c(b"Hpayload").to_le_bytes(),
            &4u64.to_le_bytes(),
            &5u64.to_le_bytes(),
            &3u32.to_le_bytes(),
            &9u32.to_le_bytes(),
            &1u32.to_le_bytes(),
            &3u16.to_le_bytes(),
            &[1, 2],
            b"a.bHpayload",
        ]
        .concat();
        assert_eq!(bytes, expected, "{:#x?}", &bytes[..4]);
        assert_eq!(length as usize, bytes.len());
    }
    const PINNED_CRC: u32 = 0x94B8_8A92;

    #[test]
    fn the_bytes_of_a_segment_header_never_change() {
        let header = SegmentHeader {
            number: 2,
            salt: 0x0102_0304_0506_0708,
            previous: 1,
            previous_end: 4096,
            previous_whole: true,
        };
        let bytes = header.encode();
        assert_eq!(bytes.len(), SEGMENT_HEADER_BYTES as usize);
        assert_eq!(
            &bytes[..33],
            b"RECADOSG\x01\0\0\0\x02\0\0\0\x08\x07\x06\x05\x04\x03\x02\x01\x01\0\0\0\0\x10\0\0\x01"
        );
        assert!(bytes[33..508].iter().all(|byte| *byte == 0));
        assert_eq!(SegmentHeader::decode(&bytes), Ok((header, true)));
        assert_eq!(segment_name(12), "segment-0000000012.log");
    }

    #[test]
    fn one_damaged_copy_of_a_segment_header_is_noticed_and_costs_nothing() {
        let header = SegmentHeader {
            number: 2,
            salt: 1,
            previous: 1,
            previous_end: 4096,
            previous_whole: false,
        };
        for at in 0..SEGMENT_HEADER_BYTES as usize {
            let mut bytes = header.encode();
            bytes[at] ^= 1;
            assert_eq!(SegmentHeader::decode(&bytes), Ok((header, false)));
        }
    }

    #[test]
    fn another_version_is_named() {
        let mut block = [0; BLOCK_BYTES];
        block[..8].copy_from_slice(&SEGMENT_MAGIC);
        block[8] = 9;
        let crc = crc32c::crc32c(&block[..508]);
        block[508..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(SegmentHeader::decode(&block), Err(BadHeader::Version(9)));
    }

    #[test]
    fn a_record_is_one_only_at_its_own_place() {
        let mut bytes = Vec::new();
        let seeds = Seeds::new(7, 1);
        encode(&mut bytes, &RECORD, (Frame::Single, 0), (seeds, 1024));
        let head = check_head(&bytes, seeds, 1024).expect("whole");
        assert!(body_is_whole(&bytes, &head));
        assert_eq!(head.record(&bytes), Some(RECORD));
        assert_eq!(check_head(&bytes, seeds, 1025), None);
        assert_eq!(check_head(&bytes, Seeds::new(7, 2), 1024), None);
        assert_eq!(check_head(&bytes, Seeds::new(8, 1), 1024), None);
    }

    #[test]
    fn every_flipped_bit_of_a_record_is_noticed() {
        let mut bytes = Vec::new();
        let seeds = Seeds::new(7, 1);
        encode(&mut bytes, &RECORD, (Frame::Single, 0), (seeds, 1024));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let head = check_head(&flipped, seeds, 1024);
            assert!(!head.is_some_and(|head| body_is_whole(&flipped, &head)));
        }
    }

    #[test]
    fn only_exact_names_are_segments() {
        assert_eq!(segment_number("segment-0000000012.log"), Some(12));
        for other in ["segment-12.log", "segment-0000000000.log", "reserve", ""] {
            assert_eq!(segment_number(other), None);
        }
    }
}
