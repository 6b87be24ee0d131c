//! The footer of a closed segment: all that is known of its records without their payloads.
//!
//! It is a hint: a segment without one, or with a damaged one, is read whole instead. Layout:
//! `head(24) subjects rows trailer(32)`; the trailer is the file's end. Each subject stands once; a row
//! says what differs from the row before. The rows cover all bytes from the segment's header to the
//! footer, damaged ones included, so offsets need not be stored. Numbers never change, a test pins them.
//!
//! Of a segment whose records are covered, so are subjects and rows: `head(24) veil(52) covered trailer(32)`, version
//! 3. The veil's head says how the segment's records are covered, and the code that the footer's own key comes from.

use std::collections::HashMap;

use crate::crypt::{CODE_BYTES, DataKey, Sealed};
use crate::disk::{DiskFile, read_up_to};
use crate::format::{
    FORMAT_VERSION, FORMAT_VERSION_MAX, HEAD_BYTES, Head, PACKED_HEAD_BYTES, SEALED_BYTES,
    SEGMENT_BYTES_MAX, SEGMENT_HEADER_BYTES, VEILED_VERSION, decode_sealed, encode_sealed,
    format_version,
};
use crate::pieces::Pieces;
use crate::replay::{Lost, Why};
use crate::{Entry, Location};

pub(crate) const FOOTER_MAGIC: [u8; 8] = *b"RECADOFT";
const TRAILER_MAGIC: [u8; 8] = *b"RECADOTR";
const FOOTER_HEAD_BYTES: usize = 24;
const TRAILER_BYTES: usize = 32;
/// Cipher and opening, three bytes that are zero, and the code.
const VEIL_BYTES: usize = SEALED_BYTES + 3 + CODE_BYTES;

/// In a row's first byte: kind, flags and stream are those of the row before.
const SAME_KIND: u8 = 1;
/// The sequence is the one after that of the row before.
const NEXT_SEQUENCE: u8 = 2;
/// The subject is the same.
const SAME_SUBJECT: u8 = 4;
/// The header block is as long.
const SAME_HEADERS: u8 = 8;
/// The payload is as long.
const SAME_PAYLOAD: u8 = 16;
/// The record is packed: the row ends with how many bytes headers and payload take. Version 2 only.
const PACKED: u8 = 32;
/// The row stands for lost bytes.
const LOST: u8 = 128;

/// What a row refers to.
#[derive(Clone, Copy, Default)]
struct Previous {
    kind: u8,
    flags: u8,
    stream: u32,
    sequence: u64,
    time_ns: i64,
    subject: u32,
    headers_len: u32,
    payload_len: u32,
}

/// Gathers a footer.
#[derive(Debug, Default)]
pub(crate) struct FooterBuilder {
    ids: HashMap<Box<[u8]>, u32>,
    subjects: Pieces,
    rows: Pieces,
    count: u32,
    previous: Previous,
    previous_subject: Vec<u8>,
    /// Some record is packed.
    packed: bool,
}

/// Bytes of a number at the most.
const NUMBER_BYTES_MAX: usize = 10;
/// Bytes of a row at the most: tag, kind, flags, and seven numbers.
const ROW_BYTES_MAX: usize = 3 + 7 * NUMBER_BYTES_MAX;

/// About what a subject takes besides its bytes, which are there twice.
const SUBJECT_BYTES: usize = 64;

impl std::fmt::Debug for Previous {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Previous").finish_non_exhaustive()
    }
}

impl FooterBuilder {
    /// Adds the next record.
    pub(crate) fn record(&mut self, head: &Head, subject: &[u8]) {
        let before = self.previous;
        let now = Previous {
            kind: head.kind,
            flags: head.flags,
            stream: head.stream,
            sequence: head.sequence,
            time_ns: head.time_ns,
            subject: self.subject_id(subject),
            headers_len: head.headers_len,
            payload_len: head.payload_len,
        };
        let same_kind =
            (now.kind, now.flags, now.stream) == (before.kind, before.flags, before.stream);
        let next_sequence = now.sequence == before.sequence.wrapping_add(1);
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let tag = bit(same_kind, SAME_KIND)
            | bit(next_sequence, NEXT_SEQUENCE)
            | bit(now.subject == before.subject, SAME_SUBJECT)
            | bit(now.headers_len == before.headers_len, SAME_HEADERS)
            | bit(now.payload_len == before.payload_len, SAME_PAYLOAD)
            | bit(head.packed, PACKED);
        let rows = self.rows.room(ROW_BYTES_MAX);
        rows.push(tag);
        if !same_kind {
            rows.extend([now.kind, now.flags]);
            put(rows, now.stream.into());
        }
        if !next_sequence {
            put(
                rows,
                zigzag(now.sequence.wrapping_sub(before.sequence) as i64),
            );
        }
        put(rows, zigzag(now.time_ns.wrapping_sub(before.time_ns)));
        if tag & SAME_SUBJECT == 0 {
            put(rows, now.subject.into());
        }
        if tag & SAME_HEADERS == 0 {
            put(rows, now.headers_len.into());
        }
        if tag & SAME_PAYLOAD == 0 {
            put(rows, now.payload_len.into());
        }
        if head.packed {
            put(rows, head.body_len().into());
            self.packed = true;
        }
        self.previous = now;
        self.count += 1;
    }

    /// Adds bytes that are lost.
    pub(crate) fn lost(&mut self, lost: &Lost) {
        let rows = self.rows.room(ROW_BYTES_MAX);
        let known = u8::from(lost.stream.is_some());
        rows.extend([LOST, lost.why as u8, known, lost.kind.unwrap_or_default()]);
        put(rows, lost.bytes.into());
        put(rows, lost.stream.unwrap_or_default().into());
        put(rows, lost.sequence.unwrap_or_default());
        self.count += 1;
    }

    /// About how many bytes it takes in memory.
    pub(crate) fn held_bytes(&self) -> usize {
        self.rows.len() + 2 * self.subjects.len() + SUBJECT_BYTES * self.ids.len()
    }

    fn subject_id(&mut self, subject: &[u8]) -> u32 {
        if !self.ids.is_empty() && *self.previous_subject == *subject {
            return self.previous.subject;
        }
        self.previous_subject.clear();
        self.previous_subject.extend_from_slice(subject);
        if let Some(id) = self.ids.get(subject) {
            return *id;
        }
        let id = self.ids.len() as u32;
        let subjects = self.subjects.room(NUMBER_BYTES_MAX + subject.len());
        put(subjects, subject.len() as u64);
        subjects.extend_from_slice(subject);
        self.ids.insert(subject.into(), id);
        id
    }

    /// The footer of the segment whose records end at `end`, covered if they are.
    pub(crate) fn finish(self, segment: u32, end: u32, veil: Option<(&DataKey, Sealed)>) -> Pieces {
        let mut inside = self.subjects;
        inside.append(self.rows);
        let mut head = [0; FOOTER_HEAD_BYTES];
        head[..8].copy_from_slice(&FOOTER_MAGIC);
        let version = format_version(self.packed, veil.is_some());
        let numbers = [version, segment, self.ids.len() as u32, self.count];
        for (to, number) in head[8..].chunks_exact_mut(4).zip(numbers) {
            to.copy_from_slice(&number.to_le_bytes());
        }
        let mut first = head.to_vec();
        if let Some((key, sealed)) = veil {
            first.extend(cover(&head, &mut inside, end, key, sealed));
        }
        let mut bytes = Pieces::default();
        bytes.push(first);
        bytes.append(inside);
        let crc = bytes.iter().fold(0, crc32c::crc32c_append);
        let mut trailer = Vec::with_capacity(TRAILER_BYTES);
        trailer.extend(TRAILER_MAGIC);
        trailer.extend(end.to_le_bytes());
        trailer.extend((bytes.len() as u32).to_le_bytes());
        trailer.extend(crc.to_le_bytes());
        trailer.extend(segment.to_le_bytes());
        trailer.extend([0; 4]);
        trailer.extend(crc32c::crc32c(&trailer).to_le_bytes());
        bytes.push(trailer);
        bytes
    }
}

/// Covers a footer's subjects and rows; the veil's head that stands before them.
fn cover(
    head: &[u8; FOOTER_HEAD_BYTES],
    inside: &mut Pieces,
    end: u32,
    key: &DataKey,
    sealed: Sealed,
) -> [u8; VEIL_BYTES] {
    let mut veil = [0; VEIL_BYTES];
    veil[..SEALED_BYTES].copy_from_slice(&encode_sealed(Some(sealed)));
    let pieces: Vec<&[u8]> = inside.iter().collect();
    let code = footer_code(key, (head, &veil), &pieces, end);
    let (mut cover, mut at) = (key.footer_veil(sealed.cipher, &code), 0);
    for piece in inside.iter_mut() {
        cover.apply(piece, at);
        at += piece.len() as u32;
    }
    veil[VEIL_BYTES - CODE_BYTES..].copy_from_slice(&code);
    veil
}

/// The code over a footer, `end` and all, but for the place where the code stands.
fn footer_code(
    key: &DataKey,
    (head, veil): (&[u8; FOOTER_HEAD_BYTES], &[u8; VEIL_BYTES]),
    inside: &[&[u8]],
    end: u32,
) -> [u8; CODE_BYTES] {
    let mut told = [0; FOOTER_HEAD_BYTES + SEALED_BYTES];
    told[..FOOTER_HEAD_BYTES].copy_from_slice(head);
    told[FOOTER_HEAD_BYTES..].copy_from_slice(&veil[..SEALED_BYTES]);
    key.footer_code(&told, inside, end)
}

/// What becomes of the bytes of a footer when they are uncovered.
enum Uncovered {
    /// They are the plain footer; how the segment's records are covered, if they are.
    Plain(Option<Sealed>),
    /// Only who has the key can read them.
    Sealed,
    Damaged,
}

/// Uncovers a footer and takes its veil's head out of it.
fn uncover(bytes: &mut Vec<u8>, end: u32, key: Option<&DataKey>) -> Uncovered {
    let Some((head, rest)) = bytes.split_first_chunk_mut::<FOOTER_HEAD_BYTES>() else {
        return Uncovered::Damaged;
    };
    let version = u32::from_le_bytes([head[8], head[9], head[10], head[11]]);
    if version != VEILED_VERSION {
        return Uncovered::Plain(None);
    }
    let Some((veil, inside)) = rest.split_first_chunk_mut::<VEIL_BYTES>() else {
        return Uncovered::Damaged;
    };
    let code = veil[VEIL_BYTES - CODE_BYTES..].first_chunk().copied();
    let (Some(sealed), Some(code)) = (decode_sealed(veil), code) else {
        return Uncovered::Damaged;
    };
    let Some(key) = key else {
        return Uncovered::Sealed;
    };
    key.footer_veil(sealed.cipher, &code).apply(inside, 0);
    if footer_code(key, (head, veil), &[inside], end) != code {
        return Uncovered::Damaged;
    }
    bytes.drain(FOOTER_HEAD_BYTES..FOOTER_HEAD_BYTES + VEIL_BYTES);
    Uncovered::Plain(Some(sealed))
}

/// What became of looking for a footer.
#[derive(Debug)]
pub(crate) enum FooterRead {
    /// There is one, and it is whole.
    Whole(Footer),
    /// There is none.
    Missing,
    /// There is one that can't be trusted; the trailer at least looks like one.
    Damaged,
    /// There is one that is whole, as far as can be told without the key; where the segment's records end.
    Sealed(u32),
}

/// A whole footer.
#[derive(Debug)]
pub(crate) struct Footer {
    bytes: Vec<u8>,
    segment: u32,
    /// Where the segment's records end.
    pub(crate) end: u32,
    /// How the segment's records are covered, if they are.
    pub(crate) sealed: Option<Sealed>,
    subjects: Vec<(u32, u32)>,
    rows_at: usize,
    count: u32,
}

/// A row of a footer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row<'a> {
    Record(Entry<'a>),
    Lost(Lost),
}

impl Footer {
    /// Reads the footer of an open segment.
    pub(crate) fn read(file: &impl DiskFile, segment: u32, key: Option<&DataKey>) -> FooterRead {
        let Ok(length) = file.length() else {
            return FooterRead::Missing;
        };
        let mut trailer = Vec::new();
        let Some(at) = length.checked_sub(TRAILER_BYTES as u64) else {
            return FooterRead::Missing;
        };
        if read_up_to(file, &mut trailer, at, TRAILER_BYTES).is_err() {
            return FooterRead::Missing;
        }
        let Some(t) = trailer.first_chunk::<TRAILER_BYTES>() else {
            return FooterRead::Missing;
        };
        if t[..8] != TRAILER_MAGIC {
            return FooterRead::Missing;
        }
        let crc = crc32c::crc32c(&t[..TRAILER_BYTES - 4]).to_le_bytes();
        if t[28..] != crc {
            return FooterRead::Damaged;
        }
        let end = u32::from_le_bytes([t[8], t[9], t[10], t[11]]);
        let inside = u32::from_le_bytes([t[12], t[13], t[14], t[15]]);
        let number = u32::from_le_bytes([t[20], t[21], t[22], t[23]]);
        let fits = u64::from(end) + u64::from(inside) + TRAILER_BYTES as u64 == length;
        if number != segment || !fits || !(SEGMENT_HEADER_BYTES..=SEGMENT_BYTES_MAX).contains(&end)
        {
            return FooterRead::Damaged;
        }
        let mut bytes = Vec::new();
        let read = read_up_to(file, &mut bytes, end.into(), inside as usize);
        let crc = crc32c::crc32c(&bytes).to_le_bytes();
        if read.is_err() || crc != t[16..20] {
            return FooterRead::Damaged;
        }
        let sealed = match uncover(&mut bytes, end, key) {
            Uncovered::Plain(sealed) => sealed,
            Uncovered::Sealed => return FooterRead::Sealed(end),
            Uncovered::Damaged => return FooterRead::Damaged,
        };
        Self::parse(bytes, (segment, end), sealed).map_or(FooterRead::Damaged, FooterRead::Whole)
    }

    fn parse(bytes: Vec<u8>, (segment, end): (u32, u32), sealed: Option<Sealed>) -> Option<Self> {
        let head = bytes.first_chunk::<FOOTER_HEAD_BYTES>()?;
        let version = u32::from_le_bytes([head[8], head[9], head[10], head[11]]);
        let known =
            head[..8] == FOOTER_MAGIC && (FORMAT_VERSION..=FORMAT_VERSION_MAX).contains(&version);
        let count = u32::from_le_bytes([head[16], head[17], head[18], head[19]]);
        let rows = u32::from_le_bytes([head[20], head[21], head[22], head[23]]);
        let mut take = Take(bytes.get(FOOTER_HEAD_BYTES..)?);
        let mut subjects = Vec::with_capacity((count as usize).min(bytes.len()));
        for _ in 0..count {
            let length = u32::try_from(take.number()?).ok()?;
            let at = (bytes.len() - take.0.len()) as u32;
            take.0 = take.0.get(length as usize..)?;
            subjects.push((at, length));
        }
        let rows_at = bytes.len() - take.0.len();
        known.then_some(Self {
            bytes,
            segment,
            end,
            sealed,
            subjects,
            rows_at,
            count: rows,
        })
    }

    /// Hands on all rows in order. Returns where it had to stop, should a row make no sense in spite of the
    /// checksum; the segment's end if none.
    pub(crate) fn rows<'a>(&'a self, mut row: impl FnMut(Row<'a>)) -> u32 {
        let mut offset = SEGMENT_HEADER_BYTES;
        let mut take = Take(self.bytes.get(self.rows_at..).unwrap_or_default());
        let mut previous = Previous::default();
        for _ in 0..self.count {
            let Some((found, bytes)) = self.row(&mut take, &mut previous, offset) else {
                return offset;
            };
            row(found);
            offset += bytes;
        }
        offset
    }

    fn row<'a>(
        &'a self,
        take: &mut Take<'a>,
        previous: &mut Previous,
        offset: u32,
    ) -> Option<(Row<'a>, u32)> {
        let tag = take.byte()?;
        if tag == LOST {
            let lost = self.lost_row(take, offset)?;
            return Some((Row::Lost(lost), lost.bytes));
        }
        if tag & SAME_KIND == 0 {
            previous.kind = take.byte()?;
            previous.flags = take.byte()?;
            previous.stream = u32::try_from(take.number()?).ok()?;
        }
        let step = if tag & NEXT_SEQUENCE == 0 {
            unzigzag(take.number()?) as u64
        } else {
            1
        };
        previous.sequence = previous.sequence.wrapping_add(step);
        let passed = unzigzag(take.number()?);
        previous.time_ns = previous.time_ns.wrapping_add(passed);
        if tag & SAME_SUBJECT == 0 {
            previous.subject = u32::try_from(take.number()?).ok()?;
        }
        if tag & SAME_HEADERS == 0 {
            previous.headers_len = u32::try_from(take.number()?).ok()?;
        }
        if tag & SAME_PAYLOAD == 0 {
            previous.payload_len = u32::try_from(take.number()?).ok()?;
        }
        let (at, length) = *self.subjects.get(previous.subject as usize)?;
        let subject = self.bytes.get(at as usize..(at + length) as usize)?;
        let body = if tag & PACKED == 0 {
            HEAD_BYTES as u64 + u64::from(previous.headers_len) + u64::from(previous.payload_len)
        } else {
            (PACKED_HEAD_BYTES as u64).checked_add(take.number()?)?
        };
        let length = body.checked_add(subject.len() as u64)?;
        let length = u32::try_from(length)
            .ok()
            .filter(|length| *length <= self.end - offset)?;
        let entry = Entry {
            kind: previous.kind,
            flags: previous.flags,
            stream: previous.stream,
            sequence: previous.sequence,
            time_ns: previous.time_ns,
            subject,
            headers_len: previous.headers_len,
            payload_len: previous.payload_len,
            at: Location {
                segment: self.segment,
                offset,
                length,
            },
        };
        Some((Row::Record(entry), length))
    }

    fn lost_row(&self, take: &mut Take<'_>, offset: u32) -> Option<Lost> {
        let why = Why::from_number(take.byte()?.into())?;
        let known = take.byte()? == 1;
        let kind = take.byte()?;
        let bytes = u32::try_from(take.number()?).ok()?;
        let stream = u32::try_from(take.number()?).ok()?;
        let sequence = take.number()?;
        (bytes <= self.end - offset).then_some(Lost {
            kind: known.then_some(kind),
            stream: known.then_some(stream),
            sequence: known.then_some(sequence),
            segment: self.segment,
            offset,
            bytes,
            why,
        })
    }
}

/// Takes numbers off the front of bytes.
pub(crate) struct Take<'a>(pub(crate) &'a [u8]);

impl Take<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
pub(crate) fn put(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::format::Frame;
    use crate::{Disk, SimDisk};

    fn head(kind: u8, stream: u32, sequence: u64, time_ns: i64) -> Head {
        Head {
            frame: Frame::Single,
            kind,
            flags: 7,
            stream,
            sequence,
            time_ns,
            batch: 0,
            length: HEAD_BYTES as u32 + 3 + 100,
            subject_len: 3,
            headers_len: 0,
            payload_len: 100,
            packed: false,
            veiled: false,
            body_crc: 0,
        }
    }

    fn whole(pieces: &Pieces) -> Vec<u8> {
        pieces.iter().flatten().copied().collect()
    }

    #[test]
    fn a_footer_of_many_pieces_is_read_with_and_without_a_key() {
        const COUNT: u64 = 100_000;
        let key = DataKey::new(zeroize::Zeroizing::new([1; 32]));
        let sealed = Sealed {
            cipher: crate::Cipher::ChaCha20,
            opening: [5; 16],
        };
        for veil in [None, Some((&key, sealed))] {
            let mut footer = FooterBuilder::default();
            for number in 0..COUNT {
                let subject = format!("{:03}", number % 500);
                footer.record(
                    &head(1, 2, number, 1_000_000 * number as i64),
                    subject.as_bytes(),
                );
            }
            let end = SEGMENT_HEADER_BYTES + COUNT as u32 * (HEAD_BYTES as u32 + 3 + 100);
            let pieces = footer.finish(9, end, veil);
            assert!(pieces.iter().count() > 10);
            let disk = SimDisk::new(0);
            let file = disk.create("segment", 0).expect("a file");
            file.write_at(&whole(&pieces), end.into()).expect("room");
            let FooterRead::Whole(footer) = Footer::read(&file, 9, veil.map(|(key, _)| key)) else {
                panic!("no footer");
            };
            let mut sequences = 0..COUNT;
            let stopped = footer.rows(|row| match row {
                Row::Record(entry) => assert_eq!(Some(entry.sequence), sequences.next()),
                Row::Lost(lost) => panic!("{lost:?}"),
            });
            assert_eq!((stopped, sequences.next()), (end, None));
        }
    }

    #[test]
    fn the_bytes_of_a_footer_never_change() {
        let mut footer = FooterBuilder::default();
        footer.record(&head(1, 2, 1, 5), b"a.b");
        footer.record(&head(1, 2, 2, 4), b"a.b");
        footer.lost(&Lost {
            kind: Some(3),
            stream: Some(4),
            sequence: Some(300),
            segment: 9,
            offset: 1326,
            bytes: 10,
            why: Why::Payload,
        });
        let bytes = whole(&footer.finish(9, 1336, None));
        let inside: &[u8] = &[
            b"RECADOFT\x01\0\0\0\x09\0\0\0\x01\0\0\0\x03\0\0\0".as_slice(),
            b"\x03a.b",
            // Next sequence, same subject, same length of headers.
            &[2 | 4 | 8, 1, 7, 2, 10, 100],
            &[1 | 2 | 4 | 8 | 16, 1],
            &[128, 2, 1, 3, 10, 4, 0xAC, 0x02],
        ]
        .concat();
        assert_eq!(&bytes[..inside.len()], inside);
        let trailer = &bytes[inside.len()..];
        let start: &[u8] = &[
            b"RECADOTR".as_slice(),
            &1336u32.to_le_bytes(),
            &(inside.len() as u32).to_le_bytes(),
            &crc32c::crc32c(inside).to_le_bytes(),
            &9u32.to_le_bytes(),
            &[0; 4],
        ]
        .concat();
        assert_eq!(&trailer[..28], start);
        assert_eq!(trailer[28..], crc32c::crc32c(start).to_le_bytes());
    }

    #[test]
    fn the_bytes_of_a_footer_that_tells_of_packed_records_never_change() {
        let mut footer = FooterBuilder::default();
        let packed = Head {
            packed: true,
            length: (PACKED_HEAD_BYTES + 3 + 20) as u32,
            ..head(1, 2, 1, 5)
        };
        footer.record(&packed, b"a.b");
        footer.record(&head(1, 2, 2, 4), b"a.b");
        let bytes = whole(&footer.finish(9, 1250, None));
        let inside: &[u8] = &[
            b"RECADOFT\x02\0\0\0\x09\0\0\0\x01\0\0\0\x02\0\0\0".as_slice(),
            b"\x03a.b",
            &[2 | 4 | 8 | 32, 1, 7, 2, 10, 100, 20],
            &[1 | 2 | 4 | 8 | 16, 1],
        ]
        .concat();
        assert_eq!(&bytes[..inside.len()], inside);
    }

    #[test]
    fn a_covered_footer_tells_nothing_without_the_key_and_the_same_with_it() {
        let key = |byte| DataKey::new(zeroize::Zeroizing::new([byte; 32]));
        let sealed = Sealed {
            cipher: crate::Cipher::Aes256,
            opening: [5; 16],
        };
        let build = || {
            let mut footer = FooterBuilder::default();
            footer.record(&head(1, 2, 1, 5), b"a.b");
            footer.record(&head(1, 2, 2, 4), b"a.b");
            footer
        };
        let end = SEGMENT_HEADER_BYTES + 2 * (HEAD_BYTES as u32 + 3 + 100);
        let bytes = whole(&build().finish(9, end, Some((&key(1), sealed))));
        let open = whole(&build().finish(9, end, None));
        assert_eq!(bytes.len(), open.len() + VEIL_BYTES);
        let start: &[u8] = &[
            b"RECADOFT\x03\0\0\0\x09\0\0\0\x01\0\0\0\x02\0\0\0".as_slice(),
            &[2],
            &[5; 16],
            &[0; 3],
        ]
        .concat();
        assert_eq!(bytes[..start.len()], *start);
        assert!(!bytes.windows(3).any(|found| found == b"a.b"));
        let read = |bytes: &[u8], key: Option<&DataKey>| {
            let disk = SimDisk::new(0);
            let file = disk.create("segment", 0).expect("a file");
            file.write_at(bytes, end.into()).expect("room");
            Footer::read(&file, 9, key)
        };
        let rows = |footer: &Footer| {
            let mut rows = Vec::new();
            footer.rows(|row| rows.push(format!("{row:?}")));
            rows
        };
        let FooterRead::Whole(whole) = read(&bytes, Some(&key(1))) else {
            panic!("no footer");
        };
        let FooterRead::Whole(plain) = read(&open, None) else {
            panic!("no footer");
        };
        assert_eq!(rows(&whole), rows(&plain));
        assert_eq!((whole.sealed, plain.sealed), (Some(sealed), None));
        assert!(matches!(read(&bytes, None), FooterRead::Sealed(at) if at == end));
        assert!(matches!(read(&bytes, Some(&key(2))), FooterRead::Damaged));
        // Somebody changes it, and makes the checksum right again.
        let inside = bytes.len() - TRAILER_BYTES;
        for at in 12..inside {
            let mut forged = bytes.clone();
            forged[at] ^= 1;
            let crc = crc32c::crc32c(&forged[..inside]).to_le_bytes();
            forged[inside + 16..inside + 20].copy_from_slice(&crc);
            let crc = crc32c::crc32c(&forged[inside..inside + 28]).to_le_bytes();
            forged[inside + 28..].copy_from_slice(&crc);
            let zeros = 24 + SEALED_BYTES..24 + SEALED_BYTES + 3;
            let read = read(&forged, Some(&key(1)));
            let damaged = matches!(read, FooterRead::Damaged);
            assert!(damaged || zeros.contains(&at), "byte {at}: {read:?}");
        }
    }

    proptest! {
        #[test]
        fn what_goes_into_a_footer_comes_out_of_it(
            records in prop::collection::vec(
                (any::<(u8, u8, u32, u64, i64)>(), "[a-d.]{0,6}", 0..5000u32, 0..5000u32, any::<(bool, bool)>()),
                0..60,
            ),
        ) {
            let mut footer = FooterBuilder::default();
            let mut expected = Vec::new();
            let mut offset = SEGMENT_HEADER_BYTES;
            for ((kind, flags, stream, sequence, time_ns), subject, headers_len, payload_len, (lost, packed)) in &records {
                let stored = if *packed {
                    PACKED_HEAD_BYTES as u32 + (headers_len + payload_len) / 3
                } else {
                    HEAD_BYTES as u32 + headers_len + payload_len
                };
                let length = stored + subject.len() as u32;
                let at = Location { segment: 3, offset, length };
                let head = Head {
                    frame: Frame::Single,
                    kind: *kind,
                    flags: *flags,
                    stream: *stream,
                    sequence: *sequence,
                    time_ns: *time_ns,
                    batch: 1,
                    length,
                    subject_len: subject.len() as u16,
                    headers_len: *headers_len,
                    payload_len: *payload_len,
                    packed: *packed,
                    veiled: false,
                    body_crc: 0,
                };
                if *lost {
                    let known = kind % 2 == 0;
                    let lost = Lost {
                        kind: known.then_some(*kind),
                        stream: known.then_some(*stream),
                        sequence: known.then_some(*sequence),
                        segment: 3,
                        offset,
                        bytes: length,
                        why: if known { Why::Group } else { Why::Head },
                    };
                    footer.lost(&lost);
                    expected.push(Row::Lost(lost));
                } else {
                    footer.record(&head, subject.as_bytes());
                    expected.push(Row::Record(head.entry(subject.as_bytes(), at)));
                }
                offset += length;
            }
            let disk = SimDisk::new(0);
            let file = disk.create("segment", 0).expect("a file");
            file.write_at(&whole(&footer.finish(3, offset, None)), offset.into()).expect("room");
            let FooterRead::Whole(footer) = Footer::read(&file, 3, None) else {
                panic!("no footer");
            };
            let mut rows = Vec::new();
            prop_assert_eq!(footer.rows(|row| rows.push(row)), offset);
            prop_assert_eq!(rows, expected);
        }
    }
}
