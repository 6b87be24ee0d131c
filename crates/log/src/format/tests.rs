//! The bytes of records and headers, pinned and damaged.

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
    compress: false,
};

#[test]
fn the_bytes_of_a_record_never_change() {
    let mut bytes = Vec::new();
    let length = encode(
        &mut bytes,
        (&RECORD, None),
        (Frame::First, 9),
        (Seeds::new(7, 1), 1024),
        None,
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
fn the_bytes_of_a_packed_record_never_change() {
    let mut bytes = Vec::new();
    let at = (Seeds::new(7, 1), 1024);
    let length = encode(
        &mut bytes,
        (&RECORD, Some(b"packed")),
        (Frame::First, 9),
        at,
        None,
    );
    let expected: &[u8] = &[
        &PINNED_PACKED_CRC.to_le_bytes()[..],
        b"RCD\x12",
        &61u32.to_le_bytes(),
        &crc32c::crc32c(b"packed").to_le_bytes(),
        &4u64.to_le_bytes(),
        &5u64.to_le_bytes(),
        &3u32.to_le_bytes(),
        &9u32.to_le_bytes(),
        &1u32.to_le_bytes(),
        &3u16.to_le_bytes(),
        &[1, 2],
        &7u32.to_le_bytes(),
        b"a.bpacked",
    ]
    .concat();
    assert_eq!(bytes, expected, "{:#x?}", &bytes[..4]);
    assert_eq!(length as usize, bytes.len());
}
const PINNED_PACKED_CRC: u32 = 0x701A_0AB4;

#[test]
fn a_record_is_the_same_at_another_place_but_for_its_frame_and_batch() {
    for packed in [None, Some(&b"packed"[..])] {
        let seeds = Seeds::new(7, 1);
        let (mut bytes, mut copied, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        encode(
            &mut bytes,
            (&RECORD, packed),
            (Frame::Last, 9),
            (seeds, 1024),
            None,
        );
        let head = check_head(&bytes, seeds, 1024).expect("whole");
        let (frame, at) = ((Frame::Single, 10), (Seeds::new(7, 2), 2000));
        let length = encode_copy(&mut copied, (&head, &bytes), frame, at, None);
        encode(&mut expected, (&RECORD, packed), frame, at, None);
        assert_eq!(copied, expected);
        assert_eq!(length, Some(expected.len() as u32));
    }
}

#[test]
fn the_bytes_of_a_segment_header_never_change() {
    let header = SegmentHeader {
        number: 2,
        salt: 0x0102_0304_0506_0708,
        previous: 1,
        previous_end: 4096,
        previous_whole: true,
        packed: false,
        sealed: None,
        previous_sealed: None,
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
    // All that a program which knows no packed records sees of one that may hold some.
    let packed = SegmentHeader {
        packed: true,
        ..header
    };
    let bytes = packed.encode();
    assert_eq!(&bytes[..12], b"RECADOSG\x02\0\0\0");
    assert_eq!(SegmentHeader::decode(&bytes), Ok((packed, true)));
}

#[test]
fn the_bytes_of_the_header_of_an_encrypted_segment_never_change() {
    let sealed = |byte| {
        Some(Sealed {
            cipher: Cipher::Aes256,
            opening: [byte; OPENING_BYTES],
        })
    };
    let header = SegmentHeader {
        number: 2,
        salt: 0x0102_0304_0506_0708,
        previous: 1,
        previous_end: 4096,
        previous_whole: true,
        packed: true,
        sealed: sealed(3),
        previous_sealed: sealed(4),
    };
    let bytes = header.encode();
    assert_eq!(
        &bytes[..33],
        b"RECADOSG\x03\0\0\0\x02\0\0\0\x08\x07\x06\x05\x04\x03\x02\x01\x01\0\0\0\0\x10\0\0\x01"
    );
    let covers = [&[1, 2][..], &[3; 16], &[2], &[4; 16]].concat();
    assert_eq!(bytes[33..68], covers);
    assert!(bytes[68..508].iter().all(|byte| *byte == 0));
    assert_eq!(SegmentHeader::decode(&bytes), Ok((header, true)));
    let plain_before = SegmentHeader {
        packed: false,
        previous_sealed: None,
        ..header
    };
    let bytes = plain_before.encode();
    assert_eq!(SegmentHeader::decode(&bytes), Ok((plain_before, true)));
}

#[test]
fn the_bytes_of_a_covered_record_never_change() {
    let key = crate::crypt::DataKey::new(zeroize::Zeroizing::new([1; 32]));
    let sealed = Sealed {
        cipher: Cipher::ChaCha20,
        opening: [5; OPENING_BYTES],
    };
    let at = (Seeds::new(7, 1), 1024);
    for packed in [None, Some(&b"packed"[..])] {
        let (mut plain, mut covered) = (Vec::new(), Vec::new());
        let frame = (Frame::First, 9);
        encode(&mut plain, (&RECORD, packed), frame, at, None);
        let mut veil = key.veil(sealed, 1);
        encode(&mut covered, (&RECORD, packed), frame, at, Some(&mut veil));
        assert_eq!(covered.len(), plain.len());
        let head = check_head(&covered, at.0, 1024).expect("whole");
        assert!(body_is_whole(&covered, &head) && head.veiled);
        let from = head.subject_at();
        // The head says the same but for the bit and the checksums.
        assert_eq!(covered[7], plain[7] | 0x20);
        assert_eq!(covered[4..7], plain[4..7]);
        assert_eq!(covered[8..12], plain[8..12]);
        assert_eq!(covered[16..from], plain[16..from]);
        let body_crc = crc32c::crc32c(&covered[head.body_at()..]);
        assert_eq!(covered[12..16], body_crc.to_le_bytes());
        let mut stream = plain[from..].to_vec();
        veil.apply(&mut stream, 1024 + from as u32);
        assert_eq!(covered[from..], stream);
        for bit in 0..covered.len() * 8 {
            let mut flipped = covered.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let head = check_head(&flipped, at.0, 1024);
            assert!(!head.is_some_and(|head| body_is_whole(&flipped, &head)));
        }
    }
}

#[test]
fn one_damaged_copy_of_a_segment_header_is_noticed_and_costs_nothing() {
    let header = SegmentHeader {
        number: 2,
        salt: 1,
        previous: 1,
        previous_end: 4096,
        previous_whole: false,
        packed: false,
        sealed: None,
        previous_sealed: None,
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
    encode(
        &mut bytes,
        (&RECORD, None),
        (Frame::Single, 0),
        (seeds, 1024),
        None,
    );
    let head = check_head(&bytes, seeds, 1024).expect("whole");
    assert!(body_is_whole(&bytes, &head));
    assert_eq!(head.record(&bytes, &mut Unpacked::default()), Some(RECORD));
    assert_eq!(check_head(&bytes, seeds, 1025), None);
    assert_eq!(check_head(&bytes, Seeds::new(7, 2), 1024), None);
    assert_eq!(check_head(&bytes, Seeds::new(8, 1), 1024), None);
}

#[test]
fn every_flipped_bit_of_a_record_is_noticed() {
    let seeds = Seeds::new(7, 1);
    for packed in [None, Some(&b"packed"[..])] {
        let mut bytes = Vec::new();
        encode(
            &mut bytes,
            (&RECORD, packed),
            (Frame::Single, 0),
            (seeds, 1024),
            None,
        );
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let head = check_head(&flipped, seeds, 1024);
            assert!(!head.is_some_and(|head| body_is_whole(&flipped, &head)));
        }
    }
}

#[test]
fn a_head_that_says_what_can_not_be_is_none() {
    let mut whole = Vec::new();
    let at = (Seeds::new(7, 1), 1024);
    encode(
        &mut whole,
        (&RECORD, Some(b"packed")),
        (Frame::Single, 0),
        at,
        None,
    );
    assert!(parse_head(&whole).is_some());
    for length in [0, 1, 54, SEGMENT_BYTES_MAX + 1, u32::MAX] {
        let mut bytes = whole.clone();
        bytes[8..12].copy_from_slice(&length.to_le_bytes());
        assert_eq!(parse_head(&bytes), None, "{length}");
    }
    for short in 0..PACKED_HEAD_BYTES {
        assert_eq!(parse_head(&whole[..short]), None, "{short}");
    }
}

#[test]
fn a_packed_record_that_lies_about_its_length_is_damaged_and_takes_no_room() {
    let payload = [b'x'; 2000];
    let record = Record {
        headers: b"H",
        payload: &payload,
        ..RECORD
    };
    let mut packer = crate::pack::Packer::default();
    let range = packer.pack(&record).expect("packed");
    let packed = packer.bytes(range).expect("bytes");
    let seeds = Seeds::new(7, 1);
    let mut bytes = Vec::new();
    encode(
        &mut bytes,
        (&record, Some(packed)),
        (Frame::Single, 0),
        (seeds, 0),
        None,
    );
    let read = |headers_len: u32, payload_len: u32| {
        let mut head = check_head(&bytes, seeds, 0).expect("whole");
        (head.headers_len, head.payload_len) = (headers_len, payload_len);
        let mut room = Unpacked::default();
        let found = head.record(&bytes, &mut room).is_some();
        (found, room.bytes() < 1 << 20)
    };
    assert_eq!(read(1, 2000), (true, true));
    let lies = [
        (1, 1999),
        (1, 2001),
        (0, 0),
        (1, u32::MAX),
        (u32::MAX, u32::MAX),
        (1, 1 << 26),
    ];
    for (headers_len, payload_len) in lies {
        assert_eq!(
            read(headers_len, payload_len),
            (false, true),
            "{payload_len}"
        );
    }
}

#[test]
fn only_exact_names_are_segments() {
    assert_eq!(segment_number("segment-0000000012.log"), Some(12));
    for other in ["segment-12.log", "segment-0000000000.log", "reserve", ""] {
        assert_eq!(segment_number(other), None);
    }
}
