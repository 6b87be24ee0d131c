//! The bytes of a record and of a segment's header. Pure; numbers here never change, a test pins them.
//!
//! A record is `head(48) subject headers payload`, without padding. Two checksums: one over the head and
//! the subject, which says what it was and where the next one begins even when the payload is damaged; one
//! over headers and payload. The first is seeded with the store's salt, the segment and the offset, so that
//! bytes which look like a record inside a payload, or at another place, are none.
//!
//! A packed record (see `pack`) is `head(52) subject packed`: a bit says so, and the head goes on with the
//! length that the payload has when it is unpacked. The second checksum is over the packed bytes. Only a
//! segment of version 2 or later holds such records, so a program that knows none of them refuses the store.
//!
//! A covered record (see `veil`) differs in what stands behind the head, and in a bit that says so; the checksums are
//! over what is on the disk. Only a segment of version 3 holds such records.

use crate::crypt::{Cipher, OPENING_BYTES, Sealed, Veil};
use crate::pack::Unpacked;
use crate::veil::cover;
use crate::{Entry, Location, Record};

/// Version of everything in this file and in `footer`. A store of a version above [`FORMAT_VERSION_MAX`] is not
/// opened.
pub(crate) const FORMAT_VERSION: u32 = 1;
/// Version of a segment that may hold packed records, and of a footer that tells of some.
pub(crate) const PACKED_VERSION: u32 = 2;
/// Version of a segment whose records are covered, and of its footer. Both say themselves whether some are packed.
pub(crate) const VEILED_VERSION: u32 = 3;
/// The newest version that can be read.
pub(crate) const FORMAT_VERSION_MAX: u32 = VEILED_VERSION;
/// A segment's header: two copies of one block, so that damage in one costs nothing.
pub(crate) const SEGMENT_HEADER_BYTES: u32 = 2 * BLOCK_BYTES as u32;
const BLOCK_BYTES: usize = 512;
/// First bytes of a segment. Never change.
const SEGMENT_MAGIC: [u8; 8] = *b"RECADOSG";
/// In every record's head, to find the next whole record after damage. Never change.
pub(crate) const RECORD_MAGIC: [u8; 3] = *b"RCD";
/// A record's head.
pub(crate) const HEAD_BYTES: usize = 48;
/// A packed record's head.
pub(crate) const PACKED_HEAD_BYTES: usize = HEAD_BYTES + 4;
/// Beside the frame's number: the record is packed. Never change.
const PACKED: u8 = 0x10;
/// Beside the frame's number: what stands behind the head is covered. Never change.
const VEILED: u8 = 0x20;
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
    /// Of the headers, unpacked.
    pub(crate) headers_len: u32,
    /// Of the payload, unpacked.
    pub(crate) payload_len: u32,
    /// Headers and payload are packed.
    pub(crate) packed: bool,
    /// Subject, headers and payload are covered.
    pub(crate) veiled: bool,
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

/// Bytes that a record takes in a segment; `packed` is what its headers and payload are packed to, if they are.
pub(crate) fn length_of(record: &Record<'_>, packed: Option<usize>) -> u64 {
    let rest = match packed {
        Some(packed) => PACKED_HEAD_BYTES + packed,
        None => HEAD_BYTES + record.headers.len() + record.payload.len(),
    };
    (rest + record.subject.len()) as u64
}

/// Appends a record's bytes, covered if there is a veil. The caller has checked that its subject and length fit.
pub(crate) fn encode(
    to: &mut Vec<u8>,
    record: (&Record<'_>, Option<&[u8]>),
    frame: (Frame, u32),
    at: (Seeds, u32),
    veil: Option<&mut Veil>,
) -> u32 {
    let start = to.len();
    let length = encode_plain(to, record, frame, at);
    if let Some(veil) = veil {
        cover(to.get_mut(start..).unwrap_or_default(), at, veil);
    }
    length
}

fn encode_plain(
    to: &mut Vec<u8>,
    (record, packed): (&Record<'_>, Option<&[u8]>),
    (frame, batch): (Frame, u32),
    (seeds, offset): (Seeds, u32),
) -> u32 {
    let length = length_of(record, packed.map(<[u8]>::len)) as u32;
    let body_crc = match packed {
        Some(packed) => crc32c::crc32c(packed),
        None if record.headers.is_empty() => crc32c::crc32c(record.payload),
        None => crc32c::crc32c_append(crc32c::crc32c(record.headers), record.payload),
    };
    let mut head = [0; HEAD_BYTES];
    head[4..7].copy_from_slice(&RECORD_MAGIC);
    head[7] = frame as u8 | if packed.is_some() { PACKED } else { 0 };
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
    to.reserve(length as usize);
    let start = to.len();
    to.extend_from_slice(&head);
    if packed.is_some() {
        let payload_len = record.payload.len() as u32;
        to.extend_from_slice(&payload_len.to_le_bytes());
    }
    to.extend_from_slice(record.subject);
    // One call for all that it covers: each has its price.
    if let Some((place, checked)) = to
        .get_mut(start..)
        .and_then(|head| head.split_first_chunk_mut())
    {
        *place = crc32c::crc32c_append(seeds.at(offset), checked).to_le_bytes();
    }
    match packed {
        Some(packed) => to.extend_from_slice(packed),
        None => {
            to.extend_from_slice(record.headers);
            to.extend_from_slice(record.payload);
        }
    }
    length
}

/// Appends a whole record's bytes once more, for another place: what its body is stays as it is. If it was covered,
/// the bytes are uncovered ones; if there is a veil, the copy is covered.
pub(crate) fn encode_copy(
    to: &mut Vec<u8>,
    (head, bytes): (&Head, &[u8]),
    (frame, batch): (Frame, u32),
    (seeds, offset): (Seeds, u32),
    veil: Option<&mut Veil>,
) -> Option<u32> {
    let bytes = bytes.get(..head.length as usize)?;
    let (mut start, rest) = bytes
        .split_first_chunk::<HEAD_BYTES>()
        .map(|(start, rest)| (*start, rest))?;
    start[7] = frame as u8 | start[7] & PACKED;
    start[36..40].copy_from_slice(&batch.to_le_bytes());
    if head.veiled {
        // What it said was of the covered bytes.
        let body_crc = crc32c::crc32c(head.body(bytes)?);
        start[12..16].copy_from_slice(&body_crc.to_le_bytes());
    }
    let crc = crc32c::crc32c_append(seeds.at(offset), &start[4..]);
    let crc = crc32c::crc32c_append(crc, bytes.get(HEAD_BYTES..head.body_at())?);
    start[..4].copy_from_slice(&crc.to_le_bytes());
    to.reserve(bytes.len());
    let at = to.len();
    to.extend_from_slice(&start);
    to.extend_from_slice(rest);
    if let Some(veil) = veil {
        cover(to.get_mut(at..)?, (seeds, offset), veil);
    }
    Some(head.length)
}

/// Marks a record as covered and makes its checksums those of what it is now.
pub(crate) fn check_covered(record: &mut [u8], head: &Head, (seeds, offset): (Seeds, u32)) {
    let body_crc = crc32c::crc32c(head.body(record).unwrap_or_default());
    let Some(start) = record.first_chunk_mut::<HEAD_BYTES>() else {
        return;
    };
    start[7] |= VEILED;
    start[12..16].copy_from_slice(&body_crc.to_le_bytes());
    let checked = record.get(4..head.body_at()).unwrap_or_default();
    let crc = crc32c::crc32c_append(seeds.at(offset), checked).to_le_bytes();
    if let Some(start) = record.first_chunk_mut() {
        *start = crc;
    }
}

/// Whether a head is a packed record's.
pub(crate) fn is_packed(head: &[u8; HEAD_BYTES]) -> bool {
    head[7] & PACKED != 0
}

/// What a record's head is once its headers and payload, as they are stored, are `body`; `bytes` are head and subject.
pub(crate) fn head_with_body(
    bytes: &[u8],
    head: &Head,
    body: &[u8],
    (seeds, offset): (Seeds, u32),
) -> Option<[u8; HEAD_BYTES]> {
    let mut now = *bytes.first_chunk::<HEAD_BYTES>()?;
    now[12..16].copy_from_slice(&crc32c::crc32c(body).to_le_bytes());
    let crc = crc32c::crc32c_append(seeds.at(offset), &now[4..]);
    let crc = crc32c::crc32c_append(crc, bytes.get(HEAD_BYTES..head.body_at())?);
    now[..4].copy_from_slice(&crc.to_le_bytes());
    Some(now)
}

/// What the fields of a head say, unchecked but for being possible. `bytes` may end behind the head.
#[inline]
pub(crate) fn parse_head(bytes: &[u8]) -> Option<Head> {
    let h = bytes.first_chunk::<HEAD_BYTES>()?;
    if h[4] != RECORD_MAGIC[0] || h[5] != RECORD_MAGIC[1] || h[6] != RECORD_MAGIC[2] {
        return None;
    }
    let packed = h[7] & PACKED != 0;
    let mut parsed = Head {
        frame: Frame::from_number(h[7] & !(PACKED | VEILED))?,
        kind: h[46],
        flags: h[47],
        length: u32::from_le_bytes([h[8], h[9], h[10], h[11]]),
        body_crc: u32::from_le_bytes([h[12], h[13], h[14], h[15]]),
        sequence: u64::from_le_bytes([h[16], h[17], h[18], h[19], h[20], h[21], h[22], h[23]]),
        time_ns: i64::from_le_bytes([h[24], h[25], h[26], h[27], h[28], h[29], h[30], h[31]]),
        stream: u32::from_le_bytes([h[32], h[33], h[34], h[35]]),
        batch: u32::from_le_bytes([h[36], h[37], h[38], h[39]]),
        headers_len: u32::from_le_bytes([h[40], h[41], h[42], h[43]]),
        payload_len: 0,
        packed,
        veiled: h[7] & VEILED != 0,
        subject_len: u16::from_le_bytes([h[44], h[45]]),
    };
    if parsed.length > SEGMENT_BYTES_MAX {
        return None;
    }
    let body = parsed.length.checked_sub(parsed.body_at() as u32)?;
    parsed.payload_len = if packed {
        u32::from_le_bytes(*bytes.get(HEAD_BYTES..)?.first_chunk()?)
    } else {
        body.checked_sub(parsed.headers_len)?
    };
    Some(parsed)
}

/// Checks head and subject; `bytes` begin with the record and may end anywhere behind its subject.
pub(crate) fn check_head(bytes: &[u8], seeds: Seeds, offset: u32) -> Option<Head> {
    let parsed = parse_head(bytes)?;
    let (crc, checked) = bytes.get(..parsed.body_at())?.split_first_chunk()?;
    let expected = crc32c::crc32c_append(seeds.at(offset), checked);
    (expected.to_le_bytes() == *crc).then_some(parsed)
}

/// Whether headers and payload are what was written; `bytes` are the whole record.
pub(crate) fn body_is_whole(bytes: &[u8], head: &Head) -> bool {
    head.body(bytes)
        .is_some_and(|body| crc32c::crc32c(body) == head.body_crc)
}

impl Head {
    /// Where headers and payload, or what they are packed to, begin in the record.
    pub(crate) fn body_at(&self) -> usize {
        self.subject_at() + usize::from(self.subject_len)
    }

    /// Where the subject begins, and what may be covered.
    pub(crate) fn subject_at(&self) -> usize {
        if self.packed {
            PACKED_HEAD_BYTES
        } else {
            HEAD_BYTES
        }
    }

    /// The subject, out of the record's bytes.
    pub(crate) fn subject<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        bytes.get(self.subject_at()..self.body_at())
    }

    /// Headers and payload as they are stored, out of the record's bytes.
    pub(crate) fn body<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        bytes.get(self.body_at()..self.length as usize)
    }

    /// Bytes of headers and payload as they are stored.
    pub(crate) fn body_len(&self) -> u32 {
        self.length - self.body_at() as u32
    }

    /// The record, out of its bytes. What is packed is unpacked into `room`; nothing if it can't be.
    #[inline]
    pub(crate) fn record<'a>(&self, bytes: &'a [u8], room: &'a mut Unpacked) -> Option<Record<'a>> {
        let subject = self.subject(bytes)?;
        let mut body = self.body(bytes)?;
        if self.packed {
            let raw_bytes = u64::from(self.headers_len) + u64::from(self.payload_len);
            body = room.unpack(body, raw_bytes)?;
        }
        let (headers, payload) = body.split_at_checked(self.headers_len as usize)?;
        Some(Record {
            kind: self.kind,
            flags: self.flags,
            stream: self.stream,
            sequence: self.sequence,
            time_ns: self.time_ns,
            subject,
            headers,
            payload,
            compress: false,
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
            payload_len: self.payload_len,
            at,
        }
    }
}

/// The version of what may hold, or tell of, packed records, or covered ones; or of what does not.
pub(crate) fn format_version(packed: bool, veiled: bool) -> u32 {
    match (packed, veiled) {
        (_, true) => VEILED_VERSION,
        (true, false) => PACKED_VERSION,
        (false, false) => FORMAT_VERSION,
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
    /// It may hold packed records.
    pub(crate) packed: bool,
    /// How its records are covered, if they are.
    pub(crate) sealed: Option<Sealed>,
    /// The same of the previous one, should its header be damaged. Only where this one's are covered.
    pub(crate) previous_sealed: Option<Sealed>,
}

/// Where a header says whether its segment may hold packed records, from version 3 on.
const PACKED_AT: usize = 33;
/// Where it says how its records are covered, and those of the previous one.
const SEALED_AT: [usize; 2] = [34, 34 + SEALED_BYTES];
/// Cipher (0 for none) and opening.
pub(crate) const SEALED_BYTES: usize = 1 + OPENING_BYTES;

/// Cipher and opening, as they are stored.
pub(crate) fn encode_sealed(sealed: Option<Sealed>) -> [u8; SEALED_BYTES] {
    let mut bytes = [0; SEALED_BYTES];
    if let Some(sealed) = sealed {
        bytes[0] = sealed.cipher as u8;
        bytes[1..].copy_from_slice(&sealed.opening);
    }
    bytes
}

/// What [`encode_sealed`] made, if it tells of any.
pub(crate) fn decode_sealed(bytes: &[u8]) -> Option<Sealed> {
    let (cipher, rest) = bytes.split_first()?;
    Some(Sealed {
        cipher: Cipher::from_number(*cipher)?,
        opening: *rest.first_chunk()?,
    })
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
        let version = format_version(self.packed, self.sealed.is_some());
        let mut block = [0; BLOCK_BYTES];
        block[..8].copy_from_slice(&SEGMENT_MAGIC);
        block[8..12].copy_from_slice(&version.to_le_bytes());
        block[12..16].copy_from_slice(&self.number.to_le_bytes());
        block[16..24].copy_from_slice(&self.salt.to_le_bytes());
        block[24..28].copy_from_slice(&self.previous.to_le_bytes());
        block[28..32].copy_from_slice(&self.previous_end.to_le_bytes());
        block[32] = u8::from(self.previous_whole);
        if self.sealed.is_some() {
            block[PACKED_AT] = u8::from(self.packed);
            for (at, sealed) in SEALED_AT
                .into_iter()
                .zip([self.sealed, self.previous_sealed])
            {
                let to = block.get_mut(at..).and_then(<[u8]>::first_chunk_mut);
                if let Some(to) = to {
                    *to = encode_sealed(sealed);
                }
            }
        }
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
        if !(FORMAT_VERSION..=FORMAT_VERSION_MAX).contains(&version) {
            return Err(BadHeader::Version(version));
        }
        let veiled = version >= VEILED_VERSION;
        let [sealed, previous_sealed] =
            SEALED_AT.map(|at| decode_sealed(b.get(at..).filter(|_| veiled)?));
        if veiled && sealed.is_none() {
            // A cipher that a later program has brought.
            return Err(BadHeader::Version(version));
        }
        Ok(Self {
            packed: if veiled {
                b[PACKED_AT] == 1
            } else {
                version == PACKED_VERSION
            },
            sealed,
            previous_sealed,
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
mod tests;
