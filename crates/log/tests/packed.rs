//! Records that ask to be compressed: what is stored, what is read, and who may open the store.

use recado_log::{
    Committer, Disk, Finding, Journal, Location, Log, Progress, Record, Replayed, Settings,
    SimDisk, salvage, verify, verify_records,
};

const SUBJECT: &[u8] = b"orders.new";
const HEADERS: &[u8] = b"NATS/1.0\r\nTrace: 0000000000000000\r\n\r\n";

fn settings() -> Settings {
    Settings {
        segment_bytes: 16 * 1024,
        reserve_bytes: 0,
        recent_bytes_max: 0,
        salt: 5,
        ..Settings::default()
    }
}

fn payload(sequence: u64) -> Vec<u8> {
    let item = format!(r#"{{"id":{sequence},"state":"new","total":{sequence}}},"#);
    item.repeat(12).into_bytes()
}

fn record(sequence: u64, payload: &[u8], compress: bool) -> Record<'_> {
    Record {
        kind: 1,
        stream: 3,
        sequence,
        time_ns: sequence as i64,
        subject: SUBJECT,
        headers: HEADERS,
        payload,
        compress,
        ..Record::default()
    }
}

struct Store {
    log: Log<SimDisk>,
    committer: Committer<SimDisk>,
    /// Location and payload length of each record, as the opening told.
    found: Vec<(u64, Location, u32, u32)>,
}

impl Store {
    fn open(disk: &SimDisk) -> Self {
        let mut found = Vec::new();
        let opened = Log::open(disk.clone(), settings(), &mut |replayed| match replayed {
            Replayed::Record { entry, .. } => {
                found.push((
                    entry.sequence,
                    entry.at,
                    entry.headers_len,
                    entry.payload_len,
                ));
            }
            Replayed::Lost(lost) => panic!("{lost}"),
        });
        let (log, committer, _) = opened.expect("opens");
        Self {
            log,
            committer,
            found,
        }
    }

    fn append(&mut self, sequence: u64, compress: bool) -> Location {
        let payload = payload(sequence);
        let at = self.log.append(&record(sequence, &payload, compress));
        at.expect("room")
    }

    fn commit(&mut self) -> Option<Progress> {
        let batch = self.log.take_batch()?;
        let progress = self.log.committed(self.committer.commit(batch));
        self.committer.tidy();
        Some(progress)
    }

    fn assert_reads(&mut self, sequence: u64, at: Location) {
        let payload = payload(sequence);
        let expected = record(sequence, &payload, false);
        assert_eq!(self.log.read(at).expect("readable"), expected);
    }

    fn close(mut self) {
        self.log.close(&mut self.committer).expect("closes");
    }

    /// The version that each segment's header tells.
    fn versions(disk: &SimDisk) -> Vec<u8> {
        let names = disk.list().expect("names");
        let mut names: Vec<_> = names
            .into_iter()
            .filter(|name| name.starts_with("segment"))
            .collect();
        names.sort();
        let version = |name: &String| disk.bytes(name).expect("a segment")[8];
        names.iter().map(version).collect()
    }
}

fn is_packed(at: Location, sequence: u64) -> bool {
    (at.length as usize) < 48 + SUBJECT.len() + HEADERS.len() + payload(sequence).len()
}

#[test]
fn what_asks_for_it_takes_less_room_and_reads_the_same_before_and_after_it_is_written() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk);
    let plain = store.append(1, false);
    let packed = store.append(2, true);
    assert!(!is_packed(plain, 1));
    assert!(packed.length * 3 < plain.length, "{packed:?} {plain:?}");
    for _ in 0..2 {
        store.assert_reads(1, plain);
        store.assert_reads(2, packed);
        assert!(matches!(store.commit(), Some(Progress::Durable(_)) | None));
    }
    let used = u64::from(plain.length + packed.length);
    assert_eq!(store.log.usage().bytes, used, "stored bytes are counted");
    store.close();
    let mut store = Store::open(&disk);
    let headers = HEADERS.len() as u32;
    let lengths = [1, 2].map(|sequence| payload(sequence).len() as u32);
    let expected = [
        (1, plain, headers, lengths[0]),
        (2, packed, headers, lengths[1]),
    ];
    assert_eq!(store.found, expected, "lengths as published");
    store.assert_reads(1, plain);
    store.assert_reads(2, packed);
}

#[test]
fn a_group_may_hold_both_and_stays_in_one_segment() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk);
    store.append(1, false);
    let payloads: Vec<_> = (2..6).map(payload).collect();
    let group: Vec<_> = (2..6)
        .zip(&payloads)
        .map(|(at, payload)| record(at, payload, at % 2 == 0))
        .collect();
    let places = store.log.append_group(&group).expect("room");
    for (sequence, at) in (2..6).zip(&places) {
        assert_eq!(at.segment, places[0].segment);
        assert_eq!(is_packed(*at, sequence), sequence % 2 == 0);
        store.assert_reads(sequence, *at);
    }
    store.commit();
    disk.crash();
    drop(store);
    assert_eq!(Store::open(&disk).found.len(), 5);
}

#[test]
fn only_a_store_that_was_asked_to_compress_is_one_that_older_programs_refuse() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk);
    for sequence in 1..40 {
        store.append(sequence, false);
        store.commit();
    }
    store.close();
    assert_eq!(Store::versions(&disk), [1, 1]);
    // The first that is packed begins a segment of its own; what follows stays there.
    let mut store = Store::open(&disk);
    store.append(40, false);
    let first = store.append(41, true);
    let second = store.append(42, true);
    assert_eq!(store.append(43, false).segment, first.segment);
    assert_eq!(second.segment, first.segment);
    store.commit();
    store.close();
    assert_eq!(Store::versions(&disk), [1, 1, 1, 2]);
    // And from then on every new one may hold some.
    let mut store = Store::open(&disk);
    store.append(44, false);
    assert_eq!(store.append(45, true).segment, first.segment + 1);
    store.commit();
    store.close();
    assert_eq!(Store::versions(&disk), [1, 1, 1, 2, 2]);
    assert_eq!(Store::open(&disk).found.len(), 45);
}

#[test]
fn a_packed_segment_that_there_is_no_room_for_leaves_the_store_as_it_was() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk);
    let plain = store.append(1, false);
    store.commit();
    disk.set_limit_bytes(disk.used_bytes() + 100);
    store.append(2, true);
    assert!(matches!(store.commit(), Some(Progress::RolledBack { .. })));
    disk.set_limit_bytes(u64::MAX);
    let again = store.append(2, true);
    assert!(matches!(store.commit(), Some(Progress::Durable(_))));
    store.assert_reads(1, plain);
    store.assert_reads(2, again);
    disk.crash();
    drop(store);
    let found = Store::open(&disk).found;
    let places: Vec<_> = found
        .iter()
        .map(|(sequence, at, ..)| (*sequence, *at))
        .collect();
    assert_eq!(places, [(1, plain), (2, again)]);
}

#[test]
fn compaction_and_salvage_carry_records_over_as_they_are_stored() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk);
    let mut places: Vec<_> = (1..=100)
        .map(|at| (at, store.append(at, at % 4 != 0)))
        .collect();
    store.commit();
    let live = |sequence: u64| sequence % 5 == 1;
    for (_, at) in places.iter().filter(|(sequence, _)| !live(*sequence)) {
        store.log.release(*at);
    }
    places.retain(|(sequence, _)| live(*sequence));
    let before = places.clone();
    loop {
        let mut moves = Vec::new();
        let known = places.clone();
        let step = store.log.compact(
            4096,
            &mut |entry| known.contains(&(entry.sequence, entry.at)),
            &mut |entry, to| {
                assert_eq!(entry.payload_len as usize, payload(entry.sequence).len());
                moves.push((entry.sequence, to));
            },
        );
        for (sequence, to) in moves {
            let place = places.iter_mut().find(|(at, _)| *at == sequence);
            place.expect("a live one").1 = to;
        }
        store.commit();
        if !step.more {
            break;
        }
    }
    let moved = before.iter().zip(&places);
    let moved = moved.filter(|((_, from), (_, to))| from.segment != to.segment);
    assert!(moved.clone().count() > 10);
    for ((_, from), (sequence, to)) in moved {
        assert_eq!(from.length, to.length, "neither packed again nor unpacked");
        store.assert_reads(*sequence, *to);
    }
    store.close();
    let new = SimDisk::new(2);
    let salvaged = salvage((&disk, None), new.clone(), settings(), &mut |one| {
        panic!("{one:?}")
    });
    assert_eq!(salvaged.expect("room").lost, 0);
    let mut store = Store::open(&new);
    let found = store.found.clone();
    for (sequence, place) in &places {
        let mut same = found.iter().filter(|(at, ..)| at == sequence);
        let (_, at, ..) = same.next_back().expect("salvaged");
        assert_eq!(at.length, place.length);
        store.assert_reads(*sequence, *at);
    }
}

#[test]
fn a_record_whose_bytes_are_right_but_can_not_be_unpacked_is_told_as_lost() {
    tampered_is_told_as_lost(|_, body| body.fill(0xF0));
}

#[test]
fn a_length_that_is_a_lie_is_found_out_whatever_it_promises() {
    // Of one byte more or less, of what the bytes could just be worth, of all memory.
    for lie in [u32::MAX, 64 << 20, (64 << 20) + 1, 1 << 31, 0] {
        tampered_is_told_as_lost(|length, _| *length = lie.to_le_bytes());
    }
    for differ in [1_i32, -1] {
        tampered_is_told_as_lost(|length, _| {
            let right = u32::from_le_bytes(*length);
            *length = right.wrapping_add_signed(differ).to_le_bytes();
        });
    }
}

/// Whoever has the disk may write a body that no one packed, or a length that is none, with the right checksums:
/// the record is lost, and those around it are not.
fn tampered_is_told_as_lost(tamper: impl Fn(&mut [u8; 4], &mut [u8])) {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk);
    let places = [1, 2, 3].map(|sequence| store.append(sequence, true));
    store.commit();
    drop(store);
    disk.crash();
    let name = recado_log::segment_name(places[1].segment);
    let mut bytes = disk.bytes(&name).expect("a segment");
    let (from, to) = (places[1].offset as usize, places[2].offset as usize);
    let body = from + 52 + SUBJECT.len();
    let mut length = [0; 4];
    length.copy_from_slice(&bytes[from + 48..from + 52]);
    tamper(&mut length, &mut bytes[body..to]);
    bytes[from + 48..from + 52].copy_from_slice(&length);
    let body_crc = crc32c::crc32c(&bytes[body..to]).to_le_bytes();
    bytes[from + 12..from + 16].copy_from_slice(&body_crc);
    let head_crc = seeded_crc(&disk, places[1], &bytes[from + 4..body]);
    bytes[from..from + 4].copy_from_slice(&head_crc);
    disk.put(&name, bytes);
    let mut findings = Vec::new();
    let mut whole = Vec::new();
    verify_records(&disk, None, &mut |one| findings.push(one), &mut |record| {
        whole.push(record.sequence);
    })
    .expect("readable");
    assert_eq!(whole, [1, 3]);
    let [Finding::Lost(lost)] = findings[..] else {
        panic!("{findings:?}");
    };
    assert_eq!((lost.sequence, lost.bytes), (Some(2), places[1].length));
    let mut store = Store::open(&disk);
    let error = store.log.read(places[1]).expect_err("damaged").to_string();
    assert!(error.contains("headers or payload damaged"), "{error}");
    store.assert_reads(1, places[0]);
    store.assert_reads(3, places[2]);
    store.close();
    // By its footer, too.
    let verified = verify(&disk, None, &mut |_| ()).expect("readable");
    assert_eq!((verified.lost, verified.records), (1, 2));
}

/// The checksum of a head at its place, worked out from what stands there.
fn seeded_crc(disk: &SimDisk, at: Location, head: &[u8]) -> [u8; 4] {
    let name = recado_log::segment_name(at.segment);
    let bytes = disk.bytes(&name).expect("a segment");
    let from = at.offset as usize;
    let old = &bytes[from + 4..from + 4 + head.len()];
    let mut told = [0; 4];
    told.copy_from_slice(&bytes[from..from + 4]);
    // A CRC is linear: what two texts of one length differ by does not depend on the seed.
    let differ = crc32c::crc32c(old) ^ crc32c::crc32c(head);
    (u32::from_le_bytes(told) ^ differ).to_le_bytes()
}
