//! What damage costs: one record, never more, and never in silence.

use std::collections::BTreeMap;

use recado_log::{
    Cipher, Disk, Encryption, Finding, Journal, Location, Log, OpenReport, Position, Progress,
    Record, Replayed, Secret, Settings, SimDisk, Verified, Why, salvage, verify,
};

const STREAM: u32 = 9;
const LAST: &str = "segment-0000000002.log";
const FIRST: &str = "segment-0000000001.log";
/// How far the log was.
const WATERMARK: &str = "durable";

fn settings(bodies: Bodies) -> Settings {
    let cipher = match bodies {
        Bodies::Plain | Bodies::Packed => None,
        Bodies::ChaCha20 => Some(Cipher::ChaCha20),
        Bodies::Aes256 => Some(Cipher::Aes256),
    };
    let encryption = cipher.map(|cipher| Encryption {
        cipher,
        key: key(),
        previous: None,
        chance: Secret::new(vec![7; 32]),
    });
    Settings {
        segment_bytes: 2600,
        reserve_bytes: 0,
        salt: 5,
        encryption,
        ..Settings::default()
    }
}

fn key() -> Secret {
    Secret::new(b"a key".to_vec())
}

/// How headers and payload are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bodies {
    Plain,
    Packed,
    ChaCha20,
    /// Packed too.
    Aes256,
}

const ALL: [Bodies; 4] = [
    Bodies::Plain,
    Bodies::Packed,
    Bodies::ChaCha20,
    Bodies::Aes256,
];

impl Bodies {
    fn are_packed(self) -> bool {
        matches!(self, Self::Packed | Self::Aes256)
    }
}

fn payload(sequence: u64, bodies: Bodies) -> Vec<u8> {
    if bodies.are_packed() {
        let item = format!(r#"{{"id":{sequence},"state":"new"}},"#);
        let length = 100 + sequence as usize * 7 % 60;
        return item.into_bytes().into_iter().cycle().take(length).collect();
    }
    let length = 10 + sequence as usize * 7 % 60;
    (0..length)
        .map(|at| (at as u8) ^ (sequence as u8))
        .collect()
}

fn record(sequence: u64, bodies: Bodies, payload: &[u8]) -> Record<'_> {
    Record {
        kind: if sequence.is_multiple_of(4) { 20 } else { 2 },
        flags: 1,
        stream: STREAM,
        sequence,
        time_ns: sequence as i64 * 10,
        subject: b"a.subject",
        headers: b"H",
        payload,
        compress: bodies.are_packed(),
    }
}

/// A record as it is read, whoever stored it.
fn assert_is(read: &Record<'_>, sequence: u64, bodies: Bodies) {
    let payload = payload(sequence, bodies);
    let expected = Record {
        compress: false,
        ..record(sequence, bodies, &payload)
    };
    assert_eq!(*read, expected);
}

/// A store of two segments, written in batches of one record, or of one group of three.
fn store(records: u64, clean: bool, bodies: Bodies) -> (SimDisk, BTreeMap<u64, Location>) {
    let disk = SimDisk::new(1);
    let (mut log, mut committer, _) =
        Log::open(disk.clone(), settings(bodies), &mut |_| ()).expect("opens");
    let mut places = BTreeMap::new();
    let mut sequence = 1;
    while sequence <= records {
        let count = if sequence % 5 == 2 { 3 } else { 1 };
        let sequences = sequence..sequence + count;
        let payloads: Vec<_> = sequences.clone().map(|at| payload(at, bodies)).collect();
        let group = payloads.iter().zip(sequences.clone());
        let group: Vec<Record<'_>> = group
            .map(|(payload, sequence)| record(sequence, bodies, payload))
            .collect();
        let locations = log.append_group(&group).expect("room");
        for (at, record) in locations.iter().zip(&group) {
            let plain = 48 + "a.subject".len() + record.headers.len() + record.payload.len();
            let is_packed = (at.length as usize) < plain;
            assert_eq!(is_packed, bodies.are_packed());
        }
        places.extend(sequences.zip(locations));
        sequence += count;
        let batch = log.take_batch().expect("a batch");
        let progress = log.committed(committer.commit(batch));
        assert!(matches!(progress, Progress::Durable(_)));
    }
    if clean {
        log.close(&mut committer).expect("closes");
        disk.crash();
    } else {
        drop(log);
        disk.kill();
    }
    (disk, places)
}

struct Opened {
    log: Log<SimDisk>,
    found: BTreeMap<u64, Location>,
    lost: Vec<recado_log::Lost>,
    report: OpenReport,
}

fn open(disk: &SimDisk, bodies: Bodies) -> Opened {
    let mut found = BTreeMap::new();
    let mut lost = Vec::new();
    let opened = Log::open(
        disk.clone(),
        settings(bodies),
        &mut |replayed| match replayed {
            Replayed::Record {
                entry,
                headers,
                payload,
            } => {
                let expected = self::payload(entry.sequence, bodies);
                let expected = record(entry.sequence, bodies, &expected);
                assert_eq!(entry.kind, expected.kind);
                assert_eq!(entry.headers_len as usize, expected.headers.len());
                assert_eq!(entry.payload_len as usize, expected.payload.len());
                if expected.kind >= 16 {
                    assert_eq!((headers, payload), (expected.headers, expected.payload));
                }
                assert_eq!(found.insert(entry.sequence, entry.at), None, "once");
            }
            Replayed::Lost(one) => lost.push(one),
        },
    );
    let (log, _committer, report) = opened.expect("opens");
    Opened {
        log,
        found,
        lost,
        report,
    }
}

/// Sequences that can be read as they were written.
fn readable(opened: &mut Opened, bodies: Bodies) -> Vec<u64> {
    let found = opened.found.clone();
    let readable = |(sequence, at): (u64, Location)| {
        let read = opened.log.read(at).ok()?;
        assert_is(&read, sequence, bodies);
        Some(sequence)
    };
    found.into_iter().filter_map(readable).collect()
}

fn findings(disk: &SimDisk) -> (Vec<Finding>, Verified) {
    let mut findings = Vec::new();
    let verified =
        verify(disk, Some(&key()), &mut |finding| findings.push(finding)).expect("readable");
    (findings, verified)
}

/// The record that holds a byte of a segment.
fn hit(places: &BTreeMap<u64, Location>, segment: u32, byte: usize) -> Option<u64> {
    let inside = |at: &Location| {
        let from = at.offset as usize;
        at.segment == segment && (from..from + at.length as usize).contains(&byte)
    };
    let hit = places.iter().find(|(_, at)| inside(at));
    hit.map(|(sequence, _)| *sequence)
}

fn without(places: &BTreeMap<u64, Location>, gone: Option<u64>) -> Vec<u64> {
    let kept = places.keys().copied();
    kept.filter(|sequence| Some(*sequence) != gone).collect()
}

#[test]
fn every_flipped_byte_of_a_closed_store_is_found_and_costs_its_record_alone() {
    for bodies in ALL {
        let (store, places) = store(28, true, bodies);
        assert!(findings(&store).0.is_empty());
        for (segment, name) in [(1, FIRST), (2, LAST)] {
            let bytes = store.bytes(name).expect("a segment");
            for at in 0..bytes.len() {
                let disk = store.copy();
                assert!(disk.flip(name, at, 1 << (at % 8)));
                let hit = hit(&places, segment, at);
                let (found, verified) = findings(&disk);
                assert_eq!(found.len(), 1, "byte {at} of {name}: {found:?}");
                assert_eq!(verified.lost, u64::from(hit.is_some()), "byte {at}");
                if let Some(hit) = hit {
                    let Finding::Lost(lost) = found[0] else {
                        panic!("{found:?}");
                    };
                    assert_eq!(lost.stream, Some(STREAM));
                    assert_eq!(lost.sequence, Some(hit));
                    assert_eq!((lost.segment, lost.offset), (segment, places[&hit].offset));
                }
                let mut opened = open(&disk, bodies);
                assert_eq!(
                    readable(&mut opened, bodies),
                    without(&places, hit),
                    "byte {at}"
                );
                let mut expected = bytes.clone();
                expected[at] ^= 1 << (at % 8);
                // A damaged footer may be made anew.
                let end = places.values().filter(|at| at.segment == segment);
                let end = end.map(|at| at.offset + at.length).max().expect("records") as usize;
                let after = disk.bytes(name).expect("still there");
                assert!(after[..end] == expected[..end], "nothing is written over");
            }
        }
    }
}

#[test]
fn every_flipped_byte_of_a_store_that_was_not_closed_is_found_and_costs_its_record_alone() {
    let both = ALL
        .into_iter()
        .flat_map(|bodies| [(bodies, true), (bodies, false)]);
    for (bodies, is_known) in both {
        // The last batch is one record: of a group that was written last it can't be told, unless it is known how far
        // the log was.
        let (store, places) = store(26, false, bodies);
        if !is_known {
            store.remove(WATERMARK).expect("it is there");
        }
        let last = *places.keys().max().expect("records");
        for (segment, name) in [(1, FIRST), (2, LAST)] {
            let mut end = places.values().filter(|at| at.segment == segment);
            let end = end
                .by_ref()
                .map(|at| at.offset + at.length)
                .max()
                .expect("records");
            for at in 1024..end as usize {
                let disk = store.copy();
                assert!(disk.flip(name, at, 1 << (at % 8)));
                let hit = hit(&places, segment, at).expect("a record");
                let before = disk.bytes(name).expect("a segment");
                let mut opened = open(&disk, bodies);
                assert_eq!(
                    readable(&mut opened, bodies),
                    without(&places, Some(hit)),
                    "byte {at}"
                );
                if hit == last && !is_known {
                    // Nothing whole follows: it can't be told from a write that never ended.
                    let cut = opened.report.cut.expect("a torn tail");
                    assert_eq!((cut.segment, cut.offset), (2, places[&last].offset));
                    continue;
                }
                assert_eq!(opened.report.cut, None);
                let [lost] = &opened.lost[..] else {
                    panic!("byte {at}: {:?}", opened.lost);
                };
                assert_eq!((lost.segment, lost.offset), (segment, places[&hit].offset));
                assert_eq!(lost.bytes, places[&hit].length);
                let head = if bodies.are_packed() { 52 } else { 48 } + "a.subject".len();
                let told = lost.why == Why::Payload;
                assert_eq!(told, at >= places[&hit].offset as usize + head);
                assert_eq!(lost.sequence, told.then_some(hit));
                let after = disk.bytes(name).expect("still there");
                assert!(after[..end as usize] == before[..end as usize]);
                // It is told again every time, though the segment has a footer now.
                drop(opened);
                let again = open(&disk, bodies);
                assert_eq!(again.lost.len(), 1);
                assert_eq!(again.report.scanned, 0);
            }
        }
    }
}

#[test]
fn a_torn_tail_is_cut_at_every_length_where_the_last_whole_group_ends() {
    for bodies in ALL {
        let (store, places) = store(28, false, bodies);
        let bytes = store.bytes(LAST).expect("a segment");
        let group_of = |sequence: u64| match sequence % 5 {
            2..=4 => sequence - sequence % 5 + 4,
            _ => sequence,
        };
        let end_of = |sequence: u64| places[&sequence].offset + places[&sequence].length;
        let end = end_of(*places.keys().max().expect("records")) as usize;
        // The batch was never finished.
        store.remove(WATERMARK).expect("it is there");
        for length in 1024..=end {
            let disk = store.copy();
            let mut torn = bytes.clone();
            torn[length..].fill(0);
            disk.put(LAST, torn);
            let mut opened = open(&disk, bodies);
            let whole = |sequence: &u64| {
                places[sequence].segment == 1 || end_of(group_of(*sequence)) as usize <= length
            };
            let expected: Vec<u64> = places.keys().copied().filter(whole).collect();
            assert_eq!(readable(&mut opened, bodies), expected, "cut at {length}");
            assert!(opened.lost.is_empty(), "cut at {length}: {:?}", opened.lost);
            // What comes next is as durable as ever.
            drop(opened);
            let again = open(&disk, bodies);
            assert!(again.report.clean);
            assert_eq!(again.found.len(), expected.len());
        }
    }
}

#[test]
fn what_was_on_disk_once_and_is_there_no_more_is_lost_and_not_cut() {
    for bodies in ALL {
        let (store, places) = store(28, false, bodies);
        let last = places.values().filter(|at| at.segment == 2);
        let end = last.map(|at| at.offset + at.length).max().expect("records");
        for length in (1024..end).step_by(61) {
            let disk = store.copy();
            let mut bytes = store.bytes(LAST).expect("a segment");
            bytes[length as usize..].fill(0);
            disk.put(LAST, bytes);
            let opened = open(&disk, bodies);
            assert_eq!(opened.report.cut, None, "zeros from {length}");
            let lost = opened.lost.last().expect("something is lost");
            assert_eq!(lost.offset + lost.bytes, end, "zeros from {length}");
        }
        let disk = store.copy();
        disk.remove(LAST).expect("it is there");
        let key = key();
        let mut found = Vec::new();
        verify(&disk, Some(&key), &mut |one| found.push(one)).expect("readable");
        let opened = open(&disk, bodies);
        let [lost] = &opened.lost[..] else {
            panic!("{:?}", opened.lost);
        };
        assert_eq!((lost.segment, lost.offset + lost.bytes), (2, end));
        assert_eq!(found, [Finding::Lost(*lost)]);
    }
}

#[test]
fn a_footer_says_the_same_as_the_records() {
    for bodies in ALL {
        let (store, places) = store(28, true, bodies);
        let by_footer = open(&store.copy(), bodies);
        assert!(by_footer.report.clean);
        for name in [FIRST, LAST] {
            let length = store.bytes(name).expect("a segment").len();
            store.flip(name, length - 1, 1);
        }
        let by_scan = open(&store, bodies);
        assert_eq!(by_scan.report.scanned, 2);
        assert_eq!(by_scan.report.damaged_footers, [1, 2]);
        assert_eq!(by_footer.found, by_scan.found);
        assert_eq!(by_footer.found, places);
    }
}

#[test]
fn what_is_whole_can_be_salvaged_into_a_new_store() {
    for bodies in ALL {
        let (store, places) = store(28, true, bodies);
        store.flip(FIRST, places[&3].offset as usize + 20, 4);
        let (new, key) = (SimDisk::new(2), key());
        let mut left = Vec::new();
        let salvaged = salvage(
            (&store, Some(&key)),
            new.clone(),
            settings(bodies),
            &mut |one| left.push(one),
        );
        let salvaged = salvaged.expect("room");
        assert_eq!((salvaged.lost, left.len()), (1, 1));
        assert!(findings(&new).0.is_empty());
        let mut opened = open(&new, bodies);
        assert!(opened.report.clean);
        assert_eq!(readable(&mut opened, bodies), without(&places, Some(3)));
        drop(opened);
        let again = salvage((&store, Some(&key)), new, settings(bodies), &mut |_| ());
        assert_eq!(
            again.expect_err("full").to_string(),
            "the new store is not empty"
        );
    }
}

#[test]
fn a_payload_that_looks_like_records_is_none_after_damage_either() {
    let disk = SimDisk::new(3);
    let (mut log, mut committer, _) =
        Log::open(disk.clone(), settings(Bodies::Plain), &mut |_| ()).expect("opens");
    let plain = |sequence| (sequence, payload(sequence, Bodies::Plain));
    let append = |log: &mut Log<SimDisk>, (sequence, payload): (u64, Vec<u8>)| {
        log.append(&record(sequence, Bodies::Plain, &payload))
            .expect("room")
    };
    let first = append(&mut log, plain(1));
    let batch = log.take_batch().expect("a batch");
    let _ = log.committed(committer.commit(batch));
    let bytes = disk.bytes(FIRST).expect("a segment");
    let (from, to) = (
        first.offset as usize,
        (first.offset + first.length) as usize,
    );
    let forged = Record {
        kind: 2,
        stream: STREAM,
        sequence: 2,
        payload: &bytes[from..to],
        ..Record::default()
    };
    let at = log.append(&forged).expect("room");
    append(&mut log, plain(3));
    let batch = log.take_batch().expect("a batch");
    let _ = log.committed(committer.commit(batch));
    drop(log);
    disk.crash();
    disk.flip(FIRST, at.offset as usize, 1);
    let opened = open(&disk, Bodies::Plain);
    assert_eq!(opened.found.keys().copied().collect::<Vec<_>>(), [1, 3]);
    assert_eq!(opened.lost[0].bytes, at.length);
}

#[test]
fn a_store_of_another_version_is_left_alone() {
    let (store, _) = store(3, true, Bodies::Plain);
    let mut bytes = store.bytes(FIRST).expect("a segment");
    for block in [0, 512] {
        bytes[block + 8] = 4;
        let crc = crc32c::crc32c(&bytes[block..block + 508]).to_le_bytes();
        bytes[block + 508..block + 512].copy_from_slice(&crc);
    }
    store.put(FIRST, bytes.clone());
    let error = Log::open(store.clone(), settings(Bodies::Plain), &mut |_| ()).map(|_| ());
    let text = error.expect_err("another version").to_string();
    assert!(
        text.contains("has format version 4, this program reads up to 3"),
        "{text}"
    );
    assert_eq!(store.bytes(FIRST), Some(bytes));
    assert_eq!(store.list().expect("names"), [WATERMARK, FIRST]);
    assert_eq!(Position(0), Position::default());
}
