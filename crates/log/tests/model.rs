//! The log against a simple model, on a disk that crashes, fills up and fails.
//!
//! Each run follows from its seed, which is printed. `RECADO_SEED=n` runs one, `RECADO_SEEDS=n` so many.

mod witness;

use std::collections::{BTreeMap, BTreeSet};

use recado_log::{
    Cipher, Committer, Encryption, Faults, Journal, Location, Log, OpenError, Position, Progress,
    Record, Refused, Replayed, Secret, Settings, SimDisk,
};

use witness::Witness;

const STREAM: u32 = 9;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

/// Whether a record of a given number asks to be packed: not the first ones, so that there are segments of both
/// versions.
fn compress(id: u64) -> bool {
    id > 60 && id.is_multiple_of(3)
}

/// What a record of a given number holds; one in eight is a control record.
fn payload(id: u64) -> Vec<u8> {
    let mut random = Random(id);
    let length = match random.below(20) {
        0 => random.below(3000),
        _ => random.below(200),
    };
    // Of those that ask, most can be packed.
    let values = if compress(id) && !id.is_multiple_of(9) {
        2
    } else {
        256
    };
    (0..length).map(|_| random.below(values) as u8).collect()
}

fn kind(id: u64) -> u8 {
    if id.is_multiple_of(8) { 16 } else { 1 }
}

fn subject(id: u64) -> String {
    format!("s.{}", id % 7)
}

fn with_record<T>(id: u64, act: impl FnOnce(&Record<'_>) -> T) -> T {
    let (subject, payload) = (subject(id), payload(id));
    act(&Record {
        kind: kind(id),
        flags: (id % 3) as u8,
        stream: STREAM,
        sequence: id,
        time_ns: 1_000_000 + id as i64,
        subject: subject.as_bytes(),
        headers: if id.is_multiple_of(5) {
            b"H: 1\r\n"
        } else {
            b""
        },
        payload: &payload,
        compress: compress(id),
    })
}

/// One run in three is encrypted, and one more becomes so.
fn settings(seed: u64, opening: u64) -> Settings {
    let encrypted = match seed % 3 {
        0 => false,
        1 => true,
        _ => opening > 2,
    };
    let chance = [seed.to_le_bytes(), opening.to_le_bytes()].concat();
    let encryption = encrypted.then(|| Encryption {
        // What is there already keeps its own.
        cipher: if (seed / 3 + opening / 4).is_multiple_of(2) {
            Cipher::ChaCha20
        } else {
            Cipher::Aes256
        },
        key: Secret::new(vec![b'k', (opening / 3) as u8]),
        previous: Some(Secret::new(vec![
            b'k',
            (opening.saturating_sub(1) / 3) as u8,
        ])),
        chance: Secret::new(chance.repeat(2)),
    });
    Settings {
        encryption,
        segment_bytes: 8 * 1024,
        recent_bytes_max: 4096,
        cache_bytes_max: 0,
        pending_bytes_max: 1 << 20,
        reserve_bytes: 2048,
        salt: 77,
    }
}

/// What must be, may be and must not be in the log.
#[derive(Default)]
struct Model {
    next: u64,
    /// Durable and needed.
    live: BTreeMap<u64, Location>,
    /// Released: may be found again after a crash.
    released: BTreeSet<u64>,
    /// The same in the order of their release.
    order: Vec<u64>,
    /// Released and not found again: never again.
    gone: BTreeSet<u64>,
    /// Appended and not durable, in groups.
    pending: Vec<Vec<(u64, Location)>>,
    /// Releases that a rollback takes back, unless it reaches not so far.
    undecided: Vec<(u64, Location, Position)>,
    /// Rolled back, and nothing durable since: may still be found after a crash.
    void: Vec<Vec<u64>>,
}

/// One run in four is on a disk that fails by chance.
fn faults(seed: u64) -> Faults {
    let failing = if seed % 4 == 3 { 5_000 } else { 0 };
    Faults {
        failing_syncs_per_million: failing,
        failing_writes_per_million: failing,
    }
}

struct Run {
    seed: u64,
    openings: u64,
    faults: Faults,
    random: Random,
    disk: SimDisk,
    /// The same disk, with somebody who watches.
    witness: Witness,
    log: Log<Witness>,
    committer: Committer<Witness>,
    model: Model,
    /// Whether copies change the order.
    compacts: bool,
    /// A process was killed, or a write failed: footers may be missing.
    unsealed: bool,
    /// The disk may be full.
    limited: bool,
}

impl Run {
    fn new(seed: u64, compacts: bool) -> Self {
        let disk = SimDisk::new(seed);
        let witness = Witness::new(disk.clone());
        let (log, committer, _) = Log::open(witness.clone(), settings(seed, 0), &mut |_| {
            panic!("not empty")
        })
        .expect("opens");
        disk.set_faults(faults(seed));
        Self {
            seed,
            openings: 1,
            faults: faults(seed),
            random: Random(seed),
            disk,
            witness,
            log,
            committer,
            model: Model::default(),
            compacts,
            unsealed: faults(seed) != Faults::default(),
            limited: false,
        }
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..40 => self.append(),
            40..50 => self.append_group(),
            50..70 => self.commit(),
            70..78 => self.release(),
            78..84 => self.read_any(),
            84..88 => {
                self.committer.tidy();
            }
            88..92 if self.compacts => self.compact(),
            92 => {
                let room = self.random.below(20_000);
                self.disk.set_limit_bytes(self.disk.used_bytes() + room);
                self.limited = true;
                self.unsealed = true;
            }
            93 => {
                self.disk.set_limit_bytes(u64::MAX);
                self.limited = false;
            }
            94 => {
                self.disk.fill_writes(1);
                self.unsealed = true;
            }
            95 => match self.random.below(3) {
                0 => self.disk.fail_syncs(1),
                1 => {
                    self.disk.fail_writes(1);
                    self.unsealed = true;
                }
                _ => {}
            },
            96 => {
                self.disk.crash();
                self.reopen();
                self.unsealed = self.limited || self.faults != Faults::default();
            }
            97 => {
                self.disk.kill();
                self.unsealed = true;
                self.reopen();
            }
            98 if self.random.below(4) == 0 => self.close(),
            _ => {}
        }
    }

    fn append(&mut self) {
        let id = self.model.next;
        self.model.next += 1;
        match with_record(id, |record| self.log.append(record)) {
            Ok(at) => self.model.pending.push(vec![(id, at)]),
            Err(Refused::Full(_) | Refused::Stopped(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn append_group(&mut self) {
        let count = 2 + self.random.below(5);
        let ids: Vec<u64> = (self.model.next..self.model.next + count).collect();
        self.model.next += count;
        let texts: Vec<_> = ids.iter().map(|id| (subject(*id), payload(*id))).collect();
        let records: Vec<Record<'_>> = ids
            .iter()
            .zip(&texts)
            .map(|(id, (subject, payload))| Record {
                kind: kind(*id),
                flags: (id % 3) as u8,
                stream: STREAM,
                sequence: *id,
                time_ns: 1_000_000 + *id as i64,
                subject: subject.as_bytes(),
                headers: if id.is_multiple_of(5) {
                    b"H: 1\r\n"
                } else {
                    b""
                },
                payload,
                compress: compress(*id),
            })
            .collect();
        match self.log.append_group(&records) {
            Ok(at) => self.model.pending.push(ids.into_iter().zip(at).collect()),
            Err(Refused::Full(_) | Refused::Stopped(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn commit(&mut self) {
        let Some(batch) = self.log.take_batch() else {
            return;
        };
        let end = self.log.end();
        // What is appended now belongs to the next batch.
        let later = self.model.pending.len();
        if self.random.below(3) == 0 {
            self.append();
        }
        let committed = self.committer.commit(batch);
        match self.log.committed(committed) {
            Progress::Durable(to) => {
                assert_eq!(to, end);
                let rest = self.model.pending.split_off(later);
                let durable = std::mem::replace(&mut self.model.pending, rest);
                if !durable.is_empty() {
                    self.model.void.clear();
                }
                self.model.live.extend(durable.into_iter().flatten());
                for (id, ..) in std::mem::take(&mut self.model.undecided) {
                    self.model.order.push(id);
                    self.model.released.insert(id);
                }
            }
            Progress::RolledBack { to, .. } => {
                assert_eq!(self.log.end(), to);
                assert_eq!(self.log.durable(), to);
                let place = |at: &Location| u64::from(at.segment) << 32 | u64::from(at.offset);
                for group in std::mem::take(&mut self.model.pending) {
                    if group.iter().all(|(_, at)| place(at) < to.0) {
                        self.model.void.clear();
                        self.model.live.extend(group);
                    } else {
                        assert!(group.iter().all(|(_, at)| place(at) >= to.0));
                        self.model
                            .void
                            .push(group.iter().map(|(id, _)| *id).collect());
                    }
                }
                for (id, at, end) in self.model.undecided.drain(..) {
                    if end <= to {
                        self.model.order.push(id);
                        self.model.released.insert(id);
                    } else {
                        self.model.live.insert(id, at);
                    }
                }
                if self.random.below(2) == 0 {
                    self.recover();
                }
            }
            Progress::Stopped { .. } => {
                with_record(0, |record| {
                    assert!(matches!(self.log.append(record), Err(Refused::Stopped(_))));
                });
                if self.random.below(2) == 0 {
                    self.disk.crash();
                } else {
                    self.disk.kill();
                    self.unsealed = true;
                }
                self.reopen();
            }
        }
    }

    fn release(&mut self) {
        for _ in 0..1 + self.random.below(20) {
            let skip = self.random.below(self.model.live.len().max(1) as u64) as usize;
            let Some((id, at)) = self.model.live.iter().nth(skip).map(|(id, at)| (*id, *at)) else {
                return;
            };
            self.model.live.remove(&id);
            self.log.release(at);
            if self.log.end() == self.log.durable() {
                self.model.order.push(id);
                self.model.released.insert(id);
            } else {
                self.model.undecided.push((id, at, self.log.end()));
            }
        }
    }

    fn read_any(&mut self) {
        let pending = self.model.pending.iter().flatten().copied();
        let live = self.model.live.iter().map(|(id, at)| (*id, *at));
        let all: Vec<_> = live.chain(pending).collect();
        for _ in 0..5 {
            if !all.is_empty() {
                let (id, at) = all[self.random.below(all.len() as u64) as usize];
                self.check_read(id, at);
            }
        }
    }

    fn check_read(&mut self, id: u64, at: Location) {
        let read = self
            .log
            .read(at)
            .unwrap_or_else(|error| panic!("{id}: {error}"));
        with_record(id, |record| {
            let expected = Record {
                compress: false,
                ..*record
            };
            assert_eq!(read, expected);
        });
    }

    fn compact(&mut self) {
        let budget = 1 + self.random.below(4000);
        let live = std::cell::RefCell::new(&mut self.model.live);
        self.log.compact(
            budget,
            &mut |entry| live.borrow().get(&entry.sequence) == Some(&entry.at),
            &mut |entry, to| {
                let before = live.borrow_mut().insert(entry.sequence, to);
                assert_eq!(before, Some(entry.at));
            },
        );
    }

    fn close(&mut self) {
        self.disk.set_faults(Faults::default());
        self.disk.set_limit_bytes(u64::MAX);
        self.limited = false;
        self.disk.fail_syncs(0);
        self.disk.fail_writes(0);
        self.disk.fill_writes(0);
        self.commit();
        self.commit();
        let fresh = Witness::new(SimDisk::new(0));
        let (log, committer, _) = Log::open(fresh, settings(0, 0), &mut |_| ()).expect("opens");
        let log = std::mem::replace(&mut self.log, log);
        let mut committer = std::mem::replace(&mut self.committer, committer);
        log.close(&mut committer).expect("closes");
        self.model.undecided.drain(..).for_each(drop);
        if self.random.below(2) == 0 {
            self.disk.crash();
        }
        let report = self.reopen();
        assert!(report.clean || self.unsealed, "{report:?}");
        assert_eq!(report.cut, None);
    }

    fn reopen(&mut self) -> recado_log::OpenReport {
        self.disk.set_faults(Faults::default());
        self.disk.fail_syncs(0);
        self.disk.fail_writes(0);
        self.disk.fill_writes(0);
        // The old one holds the lock no more; it must go before the new one to free it twice.
        let disk = self.witness.clone();
        let settings = settings(self.seed, self.openings);
        self.openings += 1;
        self.take_in(|run, replay| {
            let mut opened = Log::open(disk.clone(), settings.clone(), replay);
            if let Err(OpenError::Io { doing, .. }) = &opened
                && doing == "write key"
            {
                // A key that is to be sealed anew needs a little room.
                run.disk.set_limit_bytes(u64::MAX);
                run.limited = false;
                opened = Log::open(disk, settings, replay);
            }
            let (log, committer, report) = opened.expect("opens");
            (run.log, run.committer) = (log, committer);
            report
        })
    }

    /// Reads the store again after a rollback: nothing that is void may be found, then or ever.
    fn recover(&mut self) {
        self.disk.set_faults(Faults::default());
        self.disk.fail_syncs(0);
        self.disk.fail_writes(0);
        self.model.void.clear();
        let durable = self.log.durable();
        self.take_in(|run, replay| {
            let Run { log, committer, .. } = run;
            log.recover(committer, replay).expect("recovers")
        });
        assert!(self.log.durable() <= durable);
    }

    fn take_in(
        &mut self,
        read: impl FnOnce(&mut Self, &mut dyn FnMut(Replayed<'_>)) -> recado_log::OpenReport,
    ) -> recado_log::OpenReport {
        let mut found: Vec<(u64, Location)> = Vec::new();
        let mut lost = Vec::new();
        let report = read(self, &mut |replayed| match replayed {
            Replayed::Record {
                entry,
                headers,
                payload: body,
            } => {
                let id = entry.sequence;
                with_record(id, |record| {
                    assert_eq!((entry.kind, entry.flags), (record.kind, record.flags));
                    assert_eq!((entry.stream, entry.time_ns), (STREAM, record.time_ns));
                    assert_eq!(entry.subject, record.subject);
                    assert_eq!(entry.payload_len as usize, record.payload.len());
                    assert_eq!(entry.headers_len as usize, record.headers.len());
                    if record.kind >= 16 {
                        assert_eq!((headers, body), (record.headers, record.payload));
                    }
                });
                found.push((id, entry.at));
            }
            Replayed::Lost(one) => lost.push(one),
        });
        self.disk.set_faults(self.faults);
        assert_eq!(self.log.end(), self.log.durable());
        self.compare(&found, &lost);
        let now: BTreeMap<u64, Location> = found.iter().copied().collect();
        for (id, at) in &found {
            if now[id] != *at || self.model.released.contains(id) {
                self.log.release(*at);
            }
            if now[id] == *at && self.model.released.contains(id) {
                self.model.order.push(*id);
            }
        }
        let released = &self.model.released;
        self.model.live = now
            .into_iter()
            .filter(|(id, _)| !released.contains(id))
            .collect();
        let live = self.model.live.clone();
        for (id, at) in live {
            self.check_read(id, at);
        }
        report
    }

    fn compare(&mut self, found: &[(u64, Location)], lost: &[recado_log::Lost]) {
        let model = &mut self.model;
        let ids: BTreeSet<u64> = found.iter().map(|(id, _)| *id).collect();
        let undecided: BTreeSet<u64> = model.undecided.drain(..).map(|(id, ..)| id).collect();
        for id in model.live.keys() {
            assert!(ids.contains(id), "{id} was durable and is gone");
        }
        let pending = model.pending.drain(..);
        let pending: Vec<Vec<u64>> = pending
            .map(|group| group.into_iter().map(|(id, _)| id).collect())
            .chain(model.void.drain(..))
            .collect();
        for group in &pending {
            let there = group.iter().filter(|id| ids.contains(id)).count();
            assert!(
                there == 0 || there == group.len(),
                "part of group {group:?}"
            );
        }
        let maybe: BTreeSet<u64> = pending.iter().flatten().copied().collect();
        for id in &ids {
            let known = model.live.contains_key(id)
                || model.released.contains(id)
                || undecided.contains(id)
                || maybe.contains(id);
            assert!(known, "{id} must not be there");
        }
        // What was never durable is all that may be reported: torn, with something whole behind it. It may be
        // the copy of a record that is there.
        for lost in lost {
            let known = |id| maybe.contains(&id) || !model.live.contains_key(&id);
            let never = lost
                .sequence
                .is_none_or(|id| known(id) || ids.contains(&id));
            assert!(never, "{lost}");
        }
        let order = std::mem::take(&mut model.order);
        let mut again = order.iter().skip_while(|id| !ids.contains(id));
        let vanished = again.find(|id| !ids.contains(id));
        assert_eq!(vanished, None, "released later, and gone before");
        assert_eq!(model.gone.intersection(&ids).next(), None, "back again");
        let gone = model.released.iter().filter(|id| !ids.contains(id));
        model.gone.extend(gone);
        if !self.compacts {
            let order: Vec<u64> = found.iter().map(|(id, _)| *id).collect();
            assert!(
                order.is_sorted_by(|a, b| a < b),
                "in order, once: {order:?}"
            );
        }
        model
            .released
            .extend(undecided.iter().filter(|id| ids.contains(id)));
    }
}

fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    match number("RECADO_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("RECADO_SEEDS").unwrap_or(default),
    }
}

fn run(compacts: bool) {
    for seed in seeds(60) {
        eprintln!("seed {seed}, compaction {compacts}");
        let mut run = Run::new(seed, compacts);
        for _ in 0..600 {
            run.step();
        }
        run.disk.set_limit_bytes(u64::MAX);
        run.commit();
        run.commit();
        run.disk.crash();
        run.reopen();
    }
}

#[test]
fn what_was_durable_is_there_in_order_and_once_whatever_happens() {
    run(false);
}

#[test]
fn compaction_keeps_what_is_alive_whatever_happens() {
    run(true);
}

#[test]
fn no_byte_of_a_key_stream_covers_two_different_bytes() {
    // The other runs are watched, too: this one sees to it that there is something to see.
    for seed in [1, 2, 5, 7] {
        let mut run = Run::new(seed, true);
        for _ in 0..1_500 {
            run.step();
        }
        assert!(run.witness.covered() > 10_000, "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |seed| {
        let mut run = Run::new(seed, true);
        for _ in 0..600 {
            run.step();
        }
        use recado_log::Disk;
        let names = run.disk.list().expect("names");
        let files = names.into_iter().map(|name| (run.disk.bytes(&name), name));
        files.collect::<Vec<_>>()
    };
    for seed in 0..5 {
        assert!(bytes(seed) == bytes(seed), "seed {seed}");
    }
}
