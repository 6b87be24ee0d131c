//! Records whose contents are to be overwritten: what the disk holds then, and whatever a crash does meanwhile.

use recado_log::{
    Cipher, Committer, Disk, Encryption, Finding, Journal, Location, Log, Progress, Record,
    Replayed, Secret, Settings, SimDisk, verify,
};

const SUBJECT: &[u8] = b"people.42";
const TOMBSTONE: u8 = 20;

fn settings(encrypted: bool) -> Settings {
    let encryption = encrypted.then(|| Encryption {
        cipher: Cipher::ChaCha20,
        key: Secret::new(b"key".to_vec()),
        previous: None,
        chance: Secret::new(vec![3; 32]),
    });
    Settings {
        segment_bytes: 16 * 1024,
        reserve_bytes: 0,
        recent_bytes_max: 0,
        cache_bytes_max: 0,
        salt: 5,
        encryption,
        ..Settings::default()
    }
}

fn payload(sequence: u64) -> Vec<u8> {
    format!("secret number {sequence:04}; ")
        .repeat(30)
        .into_bytes()
}

struct Store {
    log: Log<SimDisk>,
    committer: Committer<SimDisk>,
    /// Kind, sequence and place of all that was found.
    found: Vec<(u8, u64, Location)>,
}

impl Store {
    fn open(disk: &SimDisk, encrypted: bool) -> Self {
        let mut found = Vec::new();
        let opened = Log::open(
            disk.clone(),
            settings(encrypted),
            &mut |replayed| match replayed {
                Replayed::Record { entry, .. } => {
                    found.push((entry.kind, entry.sequence, entry.at));
                }
                Replayed::Lost(lost) => panic!("{lost}"),
            },
        );
        let (log, committer, _) = opened.expect("opens");
        Self {
            log,
            committer,
            found,
        }
    }

    fn append(&mut self, sequence: u64, compress: bool) -> Location {
        let payload = payload(sequence);
        let record = Record {
            kind: 1,
            stream: 3,
            sequence,
            subject: SUBJECT,
            headers: b"NATS/1.0\r\nName: secret\r\n\r\n",
            payload: &payload,
            compress,
            ..Record::default()
        };
        self.log.append(&record).expect("room")
    }

    /// Says that a record is gone, and has it overwritten.
    fn erase(&mut self, sequence: u64, at: Location) {
        let tombstone = Record {
            kind: TOMBSTONE,
            stream: 3,
            sequence,
            ..Record::default()
        };
        self.log.append(&tombstone).expect("room");
        self.log.erase(at);
    }

    fn commit(&mut self) -> Progress {
        let batch = self.log.take_batch().expect("a batch");
        self.log.committed(self.committer.commit(batch))
    }

    fn must_commit(&mut self) {
        let progress = self.commit();
        assert!(matches!(progress, Progress::Durable(_)), "{progress:?}");
    }

    /// Forty records in several segments; of the first segment, only three are alive.
    fn mostly_dead(&mut self) -> (Vec<Location>, u32) {
        let at: Vec<Location> = (1..=40).map(|of| self.append(of, false)).collect();
        self.must_commit();
        while self.committer.tidy() {}
        let first = at[0].segment;
        for place in at.iter().skip(3).filter(|place| place.segment == first) {
            self.log.release(*place);
        }
        (at, first)
    }

    fn reads(&mut self, sequence: u64, at: Location) -> bool {
        let expected = payload(sequence);
        self.log
            .read(at)
            .is_ok_and(|record| record.payload == expected)
    }
}

fn holds(disk: &SimDisk, what: &[u8]) -> bool {
    let names = disk.list().expect("a directory");
    names.iter().any(|name| {
        let bytes = disk.bytes(name).unwrap_or_default();
        bytes.windows(what.len()).any(|window| window == what)
    })
}

/// What is wrong with the store; a torn tail is not.
fn findings(disk: &SimDisk, encrypted: bool) -> Vec<Finding> {
    let key = encrypted.then(|| Secret::new(b"key".to_vec()));
    let mut found = Vec::new();
    verify(disk, key.as_ref(), &mut |one| found.push(one)).expect("readable");
    found.retain(|one| !matches!(one, Finding::Cut(_)));
    found
}

#[test]
fn what_is_erased_is_not_on_the_disk_any_more_and_all_else_is() {
    for (compress, encrypted) in [(false, false), (true, false), (false, true), (true, true)] {
        let disk = SimDisk::new(1);
        let mut store = Store::open(&disk, encrypted);
        let at: Vec<Location> = (1..=3).map(|of| store.append(of, compress)).collect();
        store.must_commit();
        let before = disk.bytes("segment-0000000001.log").expect("a segment");
        store.erase(2, at[1]);
        store.must_commit();
        let after = disk.bytes("segment-0000000001.log").expect("a segment");
        let (from, to) = (
            at[1].offset as usize,
            (at[1].offset + at[1].length) as usize,
        );
        assert_eq!(before[..from], after[..from]);
        let end = (at[2].offset + at[2].length) as usize;
        assert_eq!(before[to..end], after[to..end]);
        // The head (48 bytes, 52 of a packed one) and the subject stay.
        let body = from + if compress { 52 } else { 48 } + SUBJECT.len();
        let same = before[body..to].iter().zip(&after[body..to]);
        assert!(same.filter(|(before, after)| before == after).count() < 64);
        assert!(!holds(&disk, b"number 0002"));
        assert_eq!(holds(&disk, b"number 0003"), !encrypted);
        assert!(store.reads(1, at[0]) && store.reads(3, at[2]) && !store.reads(2, at[1]));
        disk.crash();
        assert_eq!(findings(&disk, encrypted), []);
        let mut store = Store::open(&disk, encrypted);
        let all: Vec<(u8, u64)> = store
            .found
            .iter()
            .map(|(kind, of, _)| (*kind, *of))
            .collect();
        assert_eq!(all, [(1, 1), (1, 2), (1, 3), (TOMBSTONE, 2)]);
        assert!(store.reads(3, at[2]));
    }
}

#[test]
fn wherever_the_power_fails_a_record_is_whole_or_said_to_be_gone() {
    for changes in 0..40 {
        for seed in 0..40 {
            let disk = SimDisk::new(seed);
            let mut store = Store::open(&disk, false);
            // Heads at any place of a sector.
            let at: Vec<Location> = (1..=9).map(|of| store.append(of, of % 3 == 0)).collect();
            store.must_commit();
            for of in [2, 3, 5] {
                store.erase(of, at[of as usize - 1]);
            }
            disk.fail_power_after(changes);
            let told = matches!(store.commit(), Progress::Durable(_));
            disk.crash();
            let place = format!("seed {seed}, {changes} changes");
            assert_eq!(findings(&disk, false), [], "{place}");
            let mut store = Store::open(&disk, false);
            let gone = |of: u64| {
                store
                    .found
                    .iter()
                    .any(|one| (one.0, one.1) == (TOMBSTONE, of))
            };
            let gone: Vec<u64> = (1..=9).filter(|of| gone(*of)).collect();
            for of in (1..=9).filter(|of| !gone.contains(of)) {
                assert!(store.reads(of, at[of as usize - 1]), "{of}, {place}");
            }
            if told {
                assert_eq!(gone, [2, 3, 5], "{place}");
                assert!(!holds(&disk, b"number 0002") && !holds(&disk, b"number 0005"));
            }
            assert_eq!(findings_of_open(&disk), 0, "{place}");
        }
    }
}

#[test]
fn the_copy_that_compaction_is_making_is_erased_with_the_original() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk, false);
    let (mut at, first) = store.mostly_dead();
    let live = |of: u64, at: Location| at.segment != first || of <= 3;
    let copies = store.log.compact(
        u64::MAX,
        &mut |entry| live(entry.sequence, entry.at),
        &mut |_, _| panic!("nothing is durable yet"),
    );
    assert!(copies.copied_bytes > 0);
    store.erase(2, at[1]);
    store.must_commit();
    assert!(!holds(&disk, b"number 0002"));
    let mut moved = Vec::new();
    for _ in 0..10 {
        store.log.compact(
            u64::MAX,
            &mut |entry| live(entry.sequence, entry.at) && entry.sequence != 2,
            &mut |entry, to| moved.push((entry.sequence, to)),
        );
        if store.log.take_batch().is_some_and(|batch| {
            let progress = store.log.committed(store.committer.commit(batch));
            !matches!(progress, Progress::Durable(_))
        }) {
            panic!("a disk without faults");
        }
        while store.committer.tidy() {}
    }
    for (of, to) in moved {
        at[of as usize - 1] = to;
    }
    assert!(store.reads(1, at[0]) && store.reads(3, at[2]) && store.reads(40, at[39]));
    assert_eq!(findings_of_open(&disk), 0);
}

/// Findings in a copy of a store that is in use.
fn findings_of_open(disk: &SimDisk) -> usize {
    findings(&disk.copy(), false).len()
}

#[test]
fn what_was_moved_is_erased_where_it_lay_before_too() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk, false);
    let (at, first) = store.mostly_dead();
    // A slice that ends after the second one.
    let budget = u64::from(at[0].length) + 1;
    let mut moved = Vec::new();
    for _ in 0..2 {
        store.log.compact(
            budget,
            &mut |entry| entry.at.segment == first && entry.sequence <= 3,
            &mut |entry, to| moved.push((entry.sequence, to)),
        );
        if store.log.waiting_bytes() > 0 {
            store.must_commit();
        }
    }
    let (of, to) = moved[1];
    assert_eq!(of, 2);
    assert!(store.reads(2, to) && holds(&disk, b"number 0002"));
    store.erase(2, to);
    store.must_commit();
    assert!(!holds(&disk, b"number 0002") && holds(&disk, b"number 0003"));
    assert_eq!(findings_of_open(&disk), 0);
}

#[test]
fn a_segment_that_was_emptied_and_is_still_there_is_no_hiding_place() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk, false);
    let (_, first) = store.mostly_dead();
    let (mut moved, mut emptied) = (Vec::new(), None);
    while emptied.is_none() {
        let step = store.log.compact(
            u64::MAX,
            &mut |entry| entry.at.segment == first && entry.sequence <= 3,
            &mut |entry, to| moved.push((entry.sequence, to)),
        );
        emptied = step.emptied;
        if emptied.is_none() {
            store.must_commit();
        }
    }
    assert_eq!(emptied, Some(first));
    let (of, to) = moved[1];
    store.erase(of, to);
    store.must_commit();
    assert_eq!(of, 2);
    assert!(!holds(&disk, b"number 0002") && holds(&disk, b"number 0003"));
    while store.committer.tidy() {}
    assert_eq!(findings_of_open(&disk), 0);
}

#[test]
fn a_full_disk_does_not_keep_what_is_to_go() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk, false);
    let at = store.append(1, false);
    store.must_commit();
    // No room for the file that says what is about to be overwritten.
    disk.set_limit_bytes(disk.used_bytes() + 100);
    store.erase(1, at);
    store.must_commit();
    assert!(!holds(&disk, b"number 0001"));
    assert_eq!(findings_of_open(&disk), 0);
}

#[test]
fn what_is_void_erases_nothing() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk, false);
    let at = store.append(1, false);
    store.must_commit();
    store.erase(1, at);
    disk.fill_writes(1);
    let progress = store.commit();
    assert!(
        matches!(progress, Progress::RolledBack { .. }),
        "{progress:?}"
    );
    store.append(2, false);
    store.must_commit();
    assert!(store.reads(1, at));
}

#[test]
fn a_damaged_record_is_overwritten_too_and_stays_damaged() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk, false);
    let at: Vec<Location> = (1..=2).map(|of| store.append(of, false)).collect();
    store.must_commit();
    disk.flip("segment-0000000001.log", at[0].offset as usize + 20, 1);
    store.erase(1, at[0]);
    store.must_commit();
    assert!(!holds(&disk, b"number 0001") && holds(&disk, b"number 0002"));
    assert!(store.reads(2, at[1]));
}

#[test]
fn an_erasure_that_the_disk_refuses_stops_the_store() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk, false);
    let at = store.append(1, false);
    store.must_commit();
    store.erase(1, at);
    let batch = store.log.take_batch().expect("a batch");
    disk.fail_writes(2);
    let progress = store.log.committed(store.committer.commit(batch));
    assert!(matches!(progress, Progress::Stopped { .. }), "{progress:?}");
    disk.crash();
    assert_eq!(findings(&disk, false), []);
}
