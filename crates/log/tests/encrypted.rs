//! An encrypted store: who can read it, who can not, and how one becomes the other.

use std::collections::BTreeMap;

use recado_log::{
    Cipher, Committer, Disk, Encryption, Finding, Journal, Location, Log, OpenError, OpenReport,
    Progress, Record, Replayed, SalvageError, Secret, Settings, SimDisk, Verified, salvage, verify,
    verify_records,
};

const SUBJECT: &[u8] = b"subject.of.secrets";
const HEADERS: &[u8] = b"NATS/1.0\r\nHeader-Of: secrets\r\n\r\n";
const WORDS: &[u8] = b"payload of secrets, and once more payload of secrets";

fn key(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

/// Settings of one opening; `opening` is its chance.
fn encrypted(cipher: Cipher, opening: u8, (now, before): (&str, Option<&str>)) -> Settings {
    let encryption = Encryption {
        cipher,
        key: key(now),
        previous: before.map(key),
        chance: Secret::new(vec![opening; 32]),
    };
    Settings {
        encryption: Some(encryption),
        ..plain()
    }
}

fn plain() -> Settings {
    Settings {
        segment_bytes: 4096,
        reserve_bytes: 0,
        // So that reading asks the disk.
        recent_bytes_max: 0,
        cache_bytes_max: 0,
        salt: 5,
        ..Settings::default()
    }
}

fn record(sequence: u64) -> Record<'static> {
    Record {
        kind: if sequence.is_multiple_of(4) { 20 } else { 2 },
        stream: 9,
        sequence,
        subject: SUBJECT,
        headers: HEADERS,
        payload: WORDS,
        compress: sequence.is_multiple_of(3),
        ..Record::default()
    }
}

struct Store {
    log: Log<SimDisk>,
    committer: Committer<SimDisk>,
    places: BTreeMap<u64, Location>,
    report: OpenReport,
}

impl Store {
    fn open(disk: &SimDisk, settings: Settings) -> Result<Self, OpenError> {
        let mut places = BTreeMap::new();
        let opened = Log::open(disk.clone(), settings, &mut |replayed| match replayed {
            Replayed::Record {
                entry,
                headers,
                payload,
            } => {
                assert_eq!(entry.subject, SUBJECT);
                if entry.kind >= 16 {
                    assert_eq!((headers, payload), (HEADERS, WORDS));
                }
                places.insert(entry.sequence, entry.at);
            }
            Replayed::Lost(lost) => panic!("{lost}"),
        });
        opened.map(|(log, committer, report)| Self {
            log,
            committer,
            places,
            report,
        })
    }

    fn append(&mut self, sequences: std::ops::Range<u64>) {
        for sequence in sequences {
            let at = self.log.append(&record(sequence)).expect("room");
            self.places.insert(sequence, at);
            self.commit();
        }
    }

    fn commit(&mut self) {
        while let Some(batch) = self.log.take_batch() {
            let progress = self.log.committed(self.committer.commit(batch));
            assert!(matches!(progress, Progress::Durable(_)));
        }
    }

    fn compact(&mut self) -> bool {
        let places = std::cell::RefCell::new(&mut self.places);
        let step = self.log.compact(
            1 << 20,
            &mut |entry| places.borrow().get(&entry.sequence) == Some(&entry.at),
            &mut |entry, to| {
                places.borrow_mut().insert(entry.sequence, to);
            },
        );
        self.commit();
        while self.committer.tidy() {}
        step.more
    }

    fn assert_reads(&mut self, sequences: std::ops::Range<u64>) {
        assert!(self.places.keys().copied().eq(sequences));
        for (sequence, at) in &self.places {
            let expected = Record {
                compress: false,
                ..record(*sequence)
            };
            assert_eq!(self.log.read(*at).expect("readable"), expected);
        }
    }

    fn close(mut self) {
        self.log.close(&mut self.committer).expect("closes");
    }
}

fn files(disk: &SimDisk) -> BTreeMap<String, Vec<u8>> {
    let names = disk.list().expect("names");
    let file = |name: String| (name.clone(), disk.bytes(&name).expect("a file"));
    names.into_iter().map(file).collect()
}

/// Files in which something stands that is nobody's to read.
fn telling(disk: &SimDisk) -> Vec<String> {
    let words = [SUBJECT, b"Header-Of", b"payload of", b"once more"];
    let tells = |bytes: &[u8]| {
        words
            .iter()
            .any(|word| bytes.windows(word.len()).any(|found| found == *word))
    };
    let files = files(disk).into_iter();
    let files = files.filter(|(_, bytes)| tells(bytes));
    files.map(|(name, _)| name).collect()
}

fn told(disk: &SimDisk, settings: Settings) -> String {
    let error = Store::open(disk, settings).map(|_| ());
    error.expect_err("not to be opened").to_string()
}

#[test]
fn no_file_tells_a_subject_a_header_or_a_payload() {
    for cipher in [Cipher::ChaCha20, Cipher::Aes256] {
        let disk = SimDisk::new(1);
        let mut store = Store::open(&disk, encrypted(cipher, 1, ("k", None))).expect("opens");
        store.append(1..80);
        store.assert_reads(1..80);
        // Torn off, so that the next opening writes the end again and makes a footer.
        drop(store);
        let mut store = Store::open(&disk, encrypted(cipher, 2, ("k", None))).expect("opens");
        assert!(!store.report.clean);
        store.append(80..160);
        store.close();
        assert_eq!(telling(&disk), Vec::<String>::new());
        disk.crash();
        let mut store = Store::open(&disk, encrypted(cipher, 3, ("k", None))).expect("opens");
        assert!(store.report.clean, "footers are read, not segments");
        store.assert_reads(1..160);
        // And the test would see it.
        let open = SimDisk::new(1);
        let mut store = Store::open(&open, plain()).expect("opens");
        store.append(1..80);
        store.close();
        assert!(telling(&open).len() > 1);
    }
}

#[test]
fn without_the_key_or_with_another_nothing_is_opened_and_nothing_is_written() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk, encrypted(Cipher::ChaCha20, 1, ("k", None))).expect("opens");
    store.append(1..80);
    drop(store);
    let before = files(&disk);
    let text = told(&disk, plain());
    assert!(text.contains("no key was given"), "{text}");
    for previous in [None, Some("other")] {
        let text = told(&disk, encrypted(Cipher::ChaCha20, 2, ("wrong", previous)));
        assert!(text.contains("the key is not the one"), "{text}");
        assert!(text.contains("the file key"), "{text}");
    }
    let text = verify(&disk, Some(&key("wrong")), &mut |_| ()).expect_err("another key");
    assert!(matches!(text, OpenError::WrongKey { .. }));
    assert!(before == files(&disk));
    let mut store = Store::open(&disk, encrypted(Cipher::ChaCha20, 3, ("k", None))).expect("opens");
    store.assert_reads(1..80);
}

#[test]
fn with_the_previous_key_the_store_is_sealed_anew_at_once() {
    let disk = SimDisk::new(1);
    let mut store =
        Store::open(&disk, encrypted(Cipher::ChaCha20, 1, ("old", None))).expect("opens");
    store.append(1..40);
    store.close();
    let both = encrypted(Cipher::Aes256, 2, ("new", Some("old")));
    let mut store = Store::open(&disk, both).expect("opens");
    store.append(40..80);
    store.close();
    disk.crash();
    let text = told(&disk, encrypted(Cipher::Aes256, 3, ("old", None)));
    assert!(text.contains("the key is not the one"), "{text}");
    // What the other cipher wrote stays readable, also with a previous key that is none any more.
    let later = encrypted(Cipher::Aes256, 4, ("new", Some("old")));
    let mut store = Store::open(&disk, later).expect("opens");
    store.assert_reads(1..80);
    assert_eq!(telling(&disk), Vec::<String>::new());
}

#[test]
fn a_plain_store_becomes_encrypted_segment_by_segment() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk, plain()).expect("opens");
    store.append(1..80);
    store.close();
    let mut store = Store::open(&disk, encrypted(Cipher::ChaCha20, 1, ("k", None))).expect("opens");
    let plain_before = store.log.usage().plain_segments;
    assert!(plain_before > 2);
    store.assert_reads(1..80);
    let mut steps = 0;
    while store.log.usage().plain_segments > 0 {
        store.compact();
        steps += 1;
        assert!(steps < 1000, "{:?}", store.log.usage());
    }
    store.append(80..100);
    store.assert_reads(1..100);
    assert_eq!(telling(&disk), Vec::<String>::new());
    store.close();
    disk.crash();
    let mut store = Store::open(&disk, encrypted(Cipher::ChaCha20, 2, ("k", None))).expect("opens");
    store.assert_reads(1..100);
    assert_eq!(store.log.usage().plain_segments, 0);
    assert!(!store.compact(), "nothing is left to do");
}

#[test]
fn a_key_file_survives_damage_in_one_copy_and_is_never_made_anew() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk, encrypted(Cipher::ChaCha20, 1, ("k", None))).expect("opens");
    store.append(1..40);
    store.close();
    let length = disk.bytes("key").expect("a file").len();
    for at in 0..length {
        let damaged = disk.copy();
        damaged.flip("key", at, 1 << (at % 8));
        let settings = encrypted(Cipher::ChaCha20, 2, ("k", None));
        let mut store = Store::open(&damaged, settings).expect("opens");
        store.assert_reads(1..40);
    }
    disk.flip("key", 100, 1);
    disk.flip("key", 600, 1);
    let before = files(&disk);
    let text = told(&disk, encrypted(Cipher::ChaCha20, 2, ("k", None)));
    assert!(text.contains("is damaged in both of its copies"), "{text}");
    assert!(before == files(&disk));
    disk.remove("key").expect("there");
    for settings in [plain(), encrypted(Cipher::ChaCha20, 2, ("k", None))] {
        let text = told(&disk, settings);
        assert!(text.contains("is not there"), "{text}");
    }
    assert!(disk.bytes("key").is_none());
}

#[test]
fn whole_records_are_counted_without_the_key_and_shown_with_it() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk, encrypted(Cipher::ChaCha20, 1, ("k", None))).expect("opens");
    store.append(1..80);
    let hit = store.places[&7];
    store.close();
    let check = |key: Option<&Secret>| -> (Verified, Vec<Finding>, u64) {
        let (mut findings, mut shown) = (Vec::new(), 0);
        let verified = verify_records(&disk, key, &mut |one| findings.push(one), &mut |record| {
            assert_eq!(record.payload, WORDS);
            shown += 1;
        });
        (verified.expect("readable"), findings, shown)
    };
    let (with, findings, shown) = check(Some(&key("k")));
    assert_eq!((with.records, shown, with.unread), (79, 79, 0));
    assert!(findings.is_empty());
    assert_eq!(with.encrypted, with.segments);
    let (without, findings, shown) = check(None);
    assert_eq!((without.records, shown, without.unread), (79, 0, 79));
    assert!(findings.is_empty(), "{findings:?}");
    disk.flip(
        &recado_log::segment_name(hit.segment),
        hit.offset as usize + 60,
        1,
    );
    for key in [None, Some(&key("k"))] {
        let (verified, findings, _) = check(key);
        assert_eq!((verified.records, verified.lost), (78, 1));
        assert_eq!(findings.len(), 1);
    }
}

#[test]
fn what_is_whole_can_be_salvaged_out_of_an_encrypted_store_and_into_one() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk, encrypted(Cipher::ChaCha20, 1, ("k", None))).expect("opens");
    store.append(1..80);
    store.close();
    let refused = salvage((&disk, None), SimDisk::new(2), plain(), &mut |_| ());
    assert!(matches!(
        refused,
        Err(SalvageError::Open(OpenError::KeyNeeded { .. }))
    ));
    let (open, sealed) = (SimDisk::new(2), SimDisk::new(3));
    let from = (&disk, Some(&key("k")));
    salvage(from, open.clone(), plain(), &mut |_| ()).expect("copies");
    let mut store = Store::open(&open, plain()).expect("opens");
    store.assert_reads(1..80);
    drop(store);
    let settings = encrypted(Cipher::Aes256, 1, ("other", None));
    salvage((&open, None), sealed.clone(), settings, &mut |_| ()).expect("copies");
    assert_eq!(telling(&sealed), Vec::<String>::new());
    let settings = encrypted(Cipher::Aes256, 2, ("other", None));
    let mut store = Store::open(&sealed, settings).expect("opens");
    store.assert_reads(1..80);
}

#[test]
fn a_segment_whose_header_is_gone_is_read_by_its_footer_or_by_the_next_header() {
    let disk = SimDisk::new(1);
    let mut store = Store::open(&disk, encrypted(Cipher::ChaCha20, 1, ("k", None))).expect("opens");
    store.append(1..80);
    store.close();
    let segments: Vec<String> = files(&disk)
        .into_keys()
        .filter(|name| name != "key")
        .collect();
    for name in &segments {
        for footer_too in [false, true] {
            let damaged = disk.copy();
            let mut bytes = damaged.bytes(name).expect("a segment");
            bytes[..1024].fill(0xFF);
            let last = bytes.len() - 1;
            if footer_too && Some(name) != segments.last() {
                bytes[last] ^= 1;
            }
            damaged.put(name, bytes);
            let settings = encrypted(Cipher::ChaCha20, 2, ("k", None));
            let mut store = Store::open(&damaged, settings).expect("opens");
            store.assert_reads(1..80);
        }
    }
}

#[test]
fn keys_are_not_printed() {
    let settings = encrypted(Cipher::ChaCha20, 107, ("swordfish", Some("tuna")));
    let printed = format!("{settings:?}");
    assert!(printed.contains("(secret)"));
    for word in ["swordfish", "tuna", "107", "115, 119"] {
        assert!(!printed.contains(word), "{word} in {printed}");
    }
    let store = Store::open(&SimDisk::new(1), settings).expect("opens");
    let printed = format!("{:?} {:?}", store.log, store.committer);
    assert!(!printed.contains("107, 107"));
}
