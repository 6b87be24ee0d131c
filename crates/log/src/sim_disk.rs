//! A disk in memory that does what disks do on a bad day, and the same again from the same seed.
//!
//! Must never make a promise that a real disk does not keep: what was not synced may be lost in any part,
//! names included.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{Disk, DiskFile, LockError};
use crate::format::mix;

/// What is written as one by a disk: of a torn write, usually whole sectors are there or not.
const SECTOR_BYTES: usize = 512;

/// A simulated disk. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

/// What is going to fail, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Of a million syncs so many fail; what they should have made last may be lost for good.
    pub failing_syncs_per_million: u32,
    /// Of a million writes so many fail half way.
    pub failing_writes_per_million: u32,
}

#[derive(Debug)]
struct State {
    random: u64,
    files: BTreeMap<u64, Content>,
    /// What programs see.
    names: BTreeMap<String, u64>,
    /// What is there after a crash.
    durable_names: BTreeMap<String, u64>,
    /// Names that were changed since the directory was synced.
    changed: BTreeSet<String>,
    next_file: u64,
    limit_bytes: u64,
    faults: Faults,
    fail_syncs: u32,
    fail_writes: u32,
    /// Writes that fail for lack of room, however much there is.
    full_writes: u32,
    locked: bool,
    /// After so many changes of the disk the power fails.
    power_for: Option<u32>,
    /// Open files of an earlier life are useless.
    life: u64,
    syncs: u64,
}

#[derive(Debug, Default)]
struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// Not synced yet, in order.
    pending: Vec<Pending>,
}

#[derive(Debug)]
struct Pending {
    change: Change,
    /// A sync failed: no later one will make it last.
    given_up: bool,
}

#[derive(Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

impl SimDisk {
    /// An empty disk without limit or faults.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let state = State {
            random: seed,
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            changed: BTreeSet::new(),
            next_file: 1,
            limit_bytes: u64::MAX,
            faults: Faults::default(),
            fail_syncs: 0,
            fail_writes: 0,
            full_writes: 0,
            locked: false,
            power_for: None,
            life: 1,
            syncs: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The power fails: of everything that was not synced any part is left, chosen by chance. Open files
    /// are closed and the lock is free.
    pub fn crash(&self) {
        self.lock_state().crash();
    }

    /// The power fails in the middle of things: so many more changes of the disk (writes, syncs, names) happen,
    /// none after them. [`SimDisk::crash`] is to be called when whatever uses the disk has noticed.
    pub fn fail_power_after(&self, changes: u32) {
        self.lock_state().power_for = Some(changes);
    }

    /// The process dies, the machine goes on: what was written is seen by the next one, but is no more
    /// durable than before.
    pub fn kill(&self) {
        let mut state = self.lock_state();
        state.life += 1;
        state.locked = false;
    }

    /// Most bytes that all files may have; beyond, the disk is full.
    pub fn set_limit_bytes(&self, bytes: u64) {
        self.lock_state().limit_bytes = bytes;
    }

    /// Bytes of all files.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.lock_state().used_bytes()
    }

    /// What fails by chance from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.lock_state().faults = faults;
    }

    /// The next `count` syncs of files fail.
    pub fn fail_syncs(&self, count: u32) {
        self.lock_state().fail_syncs = count;
    }

    /// The next `count` writes fail half way.
    pub fn fail_writes(&self, count: u32) {
        self.lock_state().fail_writes = count;
    }

    /// The next `count` writes fail half way for lack of room.
    pub fn fill_writes(&self, count: u32) {
        self.lock_state().full_writes = count;
    }

    /// Syncs of files so far.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.lock_state().syncs
    }

    /// Bytes of a file as they are seen.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.lock_state();
        let file = state.files.get(state.names.get(name)?)?;
        Some(file.seen.clone())
    }

    /// Another disk that holds the same files, all of them durable, without limit or faults.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::new(0);
        let names = self.lock_state().names.keys().cloned().collect::<Vec<_>>();
        for name in names {
            copy.put(&name, self.bytes(&name).unwrap_or_default());
        }
        copy
    }

    /// Puts a durable file there, in place of one of that name.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut state = self.lock_state();
        let file = state.next_file;
        state.next_file += 1;
        let content = Content {
            seen: bytes.clone(),
            durable: bytes,
            pending: Vec::new(),
        };
        state.files.insert(file, content);
        state.names.insert(name.to_owned(), file);
        state.durable_names.insert(name.to_owned(), file);
    }

    /// Flips bits of one byte, on the disk itself. Says whether there is such a byte.
    pub fn flip(&self, name: &str, offset: usize, bits: u8) -> bool {
        let mut state = self.lock_state();
        let file = state.names.get(name).copied();
        let Some(content) = file.and_then(|file| state.files.get_mut(&file)) else {
            return false;
        };
        for bytes in [&mut content.durable, &mut content.seen] {
            if let Some(byte) = bytes.get_mut(offset) {
                *byte ^= bits;
            }
        }
        offset < content.seen.len()
    }

    /// Flips one bit somewhere in a file whose name begins so. Says where.
    pub fn flip_somewhere(&self, prefix: &str) -> Option<(String, usize)> {
        let (name, offset, bit) = {
            let mut state = self.lock_state();
            let names = state.names.keys().filter(|name| name.starts_with(prefix));
            let names: Vec<String> = names.cloned().collect();
            let pick = state.below(names.len() as u64) as usize;
            let name = names.get(pick)?.clone();
            let bytes = state
                .names
                .get(&name)
                .and_then(|file| state.files.get(file))?;
            let bytes = bytes.seen.len() as u64;
            let offset = state.below(bytes) as usize;
            (name, offset, state.below(8))
        };
        self.flip(&name, offset, 1 << bit).then_some((name, offset))
    }

    fn lock_state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(1);
        mix(self.random)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random() % bound.max(1)
    }

    fn used_bytes(&self) -> u64 {
        let seen = self.names.values().filter_map(|file| self.files.get(file));
        seen.map(|content| content.seen.len() as u64).sum()
    }

    fn happens(&mut self, per_million: u32) -> bool {
        per_million > 0 && self.below(1_000_000) < u64::from(per_million)
    }

    /// Counts a change of the disk.
    fn change(&mut self) -> io::Result<()> {
        match &mut self.power_for {
            Some(0) => Err(closed()),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn crash(&mut self) {
        self.life += 1;
        self.power_for = None;
        self.locked = false;
        for name in std::mem::take(&mut self.changed) {
            if self.below(2) == 0 {
                match self.names.get(&name).copied() {
                    Some(file) => self.durable_names.insert(name, file),
                    None => self.durable_names.remove(&name),
                };
            }
        }
        self.names = self.durable_names.clone();
        let known: BTreeSet<u64> = self.names.values().copied().collect();
        self.files.retain(|file, _| known.contains(file));
        let mut files = std::mem::take(&mut self.files);
        for content in files.values_mut() {
            self.crash_file(content);
        }
        self.files = files;
    }

    /// Keeps some of what was not synced: nothing, a prefix, any sectors, or parts that end anywhere.
    fn crash_file(&mut self, content: &mut Content) {
        let pending = std::mem::take(&mut content.pending);
        let mode = self.below(4);
        let prefix = self.below(pending.len() as u64 + 1) as usize;
        for (index, pending) in pending.iter().enumerate() {
            match &pending.change {
                Change::Length(bytes) => {
                    if mode > 1 || (mode == 1 && index < prefix) {
                        content.durable.resize(*bytes, 0);
                    }
                }
                Change::Write { offset, bytes } => {
                    let kept = match mode {
                        0 => 0,
                        1 if index < prefix => bytes.len(),
                        1 if index > prefix => 0,
                        1 => self.below(bytes.len() as u64 + 1) as usize,
                        _ => bytes.len(),
                    };
                    let bytes = bytes.get(..kept).unwrap_or(bytes);
                    self.keep_parts(content, *offset, bytes, mode);
                }
            }
        }
        content.seen = content.durable.clone();
    }

    fn keep_parts(&mut self, content: &mut Content, offset: usize, bytes: &[u8], mode: u64) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let sector = SECTOR_BYTES - (offset + at) % SECTOR_BYTES;
            let piece = rest.get(..sector).unwrap_or(rest);
            let kept = match mode {
                2 if self.below(2) == 0 => 0,
                3 => self.below(piece.len() as u64 + 1) as usize,
                _ => piece.len(),
            };
            put(
                &mut content.durable,
                offset + at,
                piece.get(..kept).unwrap_or(piece),
            );
            at += piece.len();
        }
    }
}

/// Writes into bytes, which grow as a file would.
fn put(to: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if bytes.is_empty() {
        return;
    }
    if to.len() < end {
        to.resize(end, 0);
    }
    if let Some(place) = to.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

fn no_such_file(name: &str) -> io::Error {
    io::Error::new(ErrorKind::NotFound, format!("no file {name}"))
}

fn full() -> io::Error {
    io::Error::new(ErrorKind::StorageFull, "simulated disk full")
}

fn closed() -> io::Error {
    io::Error::other("the simulated machine has crashed since the file was opened")
}

impl Disk for SimDisk {
    type File = SimFile;
    type Lock = SimLock;

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.lock_state().names.keys().cloned().collect())
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<SimFile> {
        let mut state = self.lock_state();
        state.change()?;
        if state.names.contains_key(name) {
            return Err(io::Error::new(ErrorKind::AlreadyExists, name.to_owned()));
        }
        if state.used_bytes().saturating_add(bytes) > state.limit_bytes {
            return Err(full());
        }
        let file = state.next_file;
        state.next_file += 1;
        let content = Content {
            seen: vec![0; bytes as usize],
            durable: Vec::new(),
            pending: vec![Pending {
                change: Change::Length(bytes as usize),
                given_up: false,
            }],
        };
        state.files.insert(file, content);
        state.names.insert(name.to_owned(), file);
        state.changed.insert(name.to_owned());
        let life = state.life;
        drop(state);
        Ok(SimFile {
            disk: self.clone(),
            file,
            life,
        })
    }

    fn open(&self, name: &str) -> io::Result<SimFile> {
        let state = self.lock_state();
        let file = state.names.get(name).copied();
        Ok(SimFile {
            disk: self.clone(),
            file: file.ok_or_else(|| no_such_file(name))?,
            life: state.life,
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock_state();
        state.change()?;
        state.names.remove(name).ok_or_else(|| no_such_file(name))?;
        state.changed.insert(name.to_owned());
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.lock_state();
        state.change()?;
        let file = state.names.remove(from).ok_or_else(|| no_such_file(from))?;
        state.names.insert(to.to_owned(), file);
        state.changed.extend([from.to_owned(), to.to_owned()]);
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.lock_state();
        state.change()?;
        state.durable_names = state.names.clone();
        state.changed.clear();
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let state = self.lock_state();
        Ok(state.limit_bytes.saturating_sub(state.used_bytes()))
    }

    fn lock(&self) -> Result<SimLock, LockError> {
        let mut state = self.lock_state();
        if state.locked {
            return Err(LockError::Held {
                place: "the simulated disk".to_owned(),
                pid: None,
            });
        }
        state.locked = true;
        let life = state.life;
        drop(state);
        Ok(SimLock {
            disk: self.clone(),
            life,
        })
    }
}

/// Holds the simulated disk until it is dropped, or the machine crashes.
#[derive(Debug)]
pub struct SimLock {
    disk: SimDisk,
    life: u64,
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.disk.lock_state();
        if state.life == self.life {
            state.locked = false;
        }
    }
}

/// An open file of a [`SimDisk`].
#[derive(Debug)]
pub struct SimFile {
    disk: SimDisk,
    file: u64,
    life: u64,
}

impl SimFile {
    /// Does something with the file, unless the machine crashed. A file that was removed can still be used.
    fn with<T>(
        &self,
        act: impl FnOnce(&mut State, &mut Content) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.disk.lock_state();
        if state.life != self.life {
            return Err(closed());
        }
        let mut content = state.files.remove(&self.file).unwrap_or_default();
        let result = act(&mut state, &mut content);
        state.files.insert(self.file, content);
        result
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, to: &mut [u8], offset: u64) -> io::Result<usize> {
        self.with(|_, content| {
            let rest = content.seen.get(offset as usize..).unwrap_or_default();
            let bytes = rest.len().min(to.len());
            for (to, from) in to.iter_mut().zip(rest) {
                *to = *from;
            }
            Ok(bytes)
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let growth = {
            let state = self.disk.lock_state();
            let length = state
                .files
                .get(&self.file)
                .map_or(0, |c| c.seen.len() as u64);
            let growth = (offset + bytes.len() as u64).saturating_sub(length);
            growth > 0 && state.used_bytes().saturating_add(growth) > state.limit_bytes
        };
        self.with(|state, content| {
            state.change()?;
            let per_million = state.faults.failing_writes_per_million;
            let error = if state.fail_writes > 0 || state.happens(per_million) {
                state.fail_writes = state.fail_writes.saturating_sub(1);
                Some(io::Error::other("simulated failure of a write"))
            } else if state.full_writes > 0 || growth {
                state.full_writes = state.full_writes.saturating_sub(1);
                Some(full())
            } else {
                None
            };
            let kept = match &error {
                Some(_) if growth => 0,
                Some(_) => state.below(bytes.len() as u64 + 1) as usize,
                None => bytes.len(),
            };
            let bytes = bytes.get(..kept).unwrap_or(bytes);
            put(&mut content.seen, offset as usize, bytes);
            content.pending.push(Pending {
                change: Change::Write {
                    offset: offset as usize,
                    bytes: bytes.to_vec(),
                },
                given_up: false,
            });
            error.map_or(Ok(()), Err)
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(|state, content| {
            state.change()?;
            state.syncs += 1;
            let per_million = state.faults.failing_syncs_per_million;
            if state.fail_syncs > 0 || state.happens(per_million) {
                state.fail_syncs = state.fail_syncs.saturating_sub(1);
                for pending in &mut content.pending {
                    pending.given_up = true;
                }
                return Err(io::Error::other("simulated failure of a sync"));
            }
            content.sync();
            Ok(())
        })
    }

    fn length(&self) -> io::Result<u64> {
        self.with(|_, content| Ok(content.seen.len() as u64))
    }

    fn set_length(&self, bytes: u64) -> io::Result<()> {
        self.with(|state, content| {
            state.change()?;
            content.seen.resize(bytes as usize, 0);
            content.pending.push(Pending {
                change: Change::Length(bytes as usize),
                given_up: false,
            });
            Ok(())
        })
    }
}

impl Content {
    /// Makes last what no failed sync has given up. What it did give up stays in doubt, unless something
    /// that lasts was written over it since.
    fn sync(&mut self) {
        let mut doubtful = Vec::new();
        for pending in std::mem::take(&mut self.pending) {
            if pending.given_up {
                doubtful.push(pending);
                continue;
            }
            match &pending.change {
                Change::Length(bytes) => {
                    self.durable.resize(*bytes, 0);
                    doubtful.retain(|older| matches!(older.change, Change::Write { .. }));
                }
                Change::Write { offset, bytes } => {
                    put(&mut self.durable, *offset, bytes);
                    doubtful.retain(|older| !older.overlaps(*offset, bytes.len()));
                }
            }
        }
        self.pending = doubtful;
    }
}

impl Pending {
    fn overlaps(&self, offset: usize, length: usize) -> bool {
        match &self.change {
            // A length is known for good with the first write that lasts.
            Change::Length(_) => true,
            Change::Write { offset: at, bytes } => {
                *at < offset + length && offset < *at + bytes.len()
            }
        }
    }
}
