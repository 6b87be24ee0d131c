//! A disk that watches what is written: no byte of a key's stream may ever cover two different bytes.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use recado_log::{Disk, DiskFile, LockError, SimDisk, SimFile, SimLock};

const HEADER_BYTES: usize = 1024;
/// Where a segment's header says how its records are covered: cipher and opening.
const SEALED: std::ops::Range<usize> = 34..51;
const FOOTER_MAGIC: &[u8] = b"RECADOFT";

/// Of each stream (cipher, opening and segment), what was written at each offset.
type Streams = HashMap<(Vec<u8>, String), Vec<Option<u8>>>;

#[derive(Clone, Debug)]
pub(crate) struct Witness {
    disk: SimDisk,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    /// How each segment says that it is covered.
    sealed: HashMap<String, Vec<u8>>,
    streams: Streams,
    /// Up to where the footer of each segment was written, which comes in pieces.
    footers: HashMap<String, usize>,
}

#[derive(Debug)]
pub(crate) struct Watched {
    name: String,
    file: SimFile,
    seen: Arc<Mutex<Seen>>,
}

impl Witness {
    pub(crate) fn new(disk: SimDisk) -> Self {
        Self {
            disk,
            seen: Arc::default(),
        }
    }

    /// Bytes under a stream that were seen.
    pub(crate) fn covered(&self) -> usize {
        let seen = self.seen.lock().expect("alone");
        let bytes = seen.streams.values().flatten();
        bytes.filter(|byte| byte.is_some()).count()
    }

    fn watch(&self, name: &str, file: SimFile) -> Watched {
        Watched {
            name: name.to_owned(),
            file,
            seen: Arc::clone(&self.seen),
        }
    }
}

impl Seen {
    fn written(&mut self, name: &str, bytes: &[u8], offset: usize) {
        if !name.starts_with("segment-") {
            return;
        }
        if bytes.starts_with(FOOTER_MAGIC) || self.footers.get(name) == Some(&offset) {
            // A footer has a key of its own, that what it says makes.
            self.footers.insert(name.to_owned(), offset + bytes.len());
            return;
        }
        if offset == 0 && bytes.len() == HEADER_BYTES {
            let sealed = bytes[SEALED].to_vec();
            self.sealed.insert(name.to_owned(), sealed);
            return;
        }
        let sealed = self.sealed.get(name).filter(|sealed| sealed[0] != 0);
        let Some(sealed) = sealed else {
            return;
        };
        let stream = (sealed.clone(), name.to_owned());
        let stream = self.streams.entry(stream).or_default();
        let end = offset + bytes.len();
        if stream.len() < end {
            stream.resize(end, None);
        }
        for (at, byte) in (offset..).zip(bytes) {
            let before = stream[at].replace(*byte);
            let same = before.is_none_or(|before| before == *byte);
            assert!(same, "{name} offset {at} was written with other bytes");
        }
    }
}

impl Disk for Witness {
    type File = Watched;
    type Lock = SimLock;

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Watched> {
        let file = self.disk.create(name, bytes)?;
        Ok(self.watch(name, file))
    }

    fn open(&self, name: &str) -> io::Result<Watched> {
        let file = self.disk.open(name)?;
        Ok(self.watch(name, file))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.disk.free_bytes()
    }

    fn lock(&self) -> Result<SimLock, LockError> {
        self.disk.lock()
    }
}

impl DiskFile for Watched {
    fn read_at(&self, to: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(to, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut seen = self.seen.lock().expect("alone");
        seen.written(&self.name, bytes, offset as usize);
        self.file.write_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn set_length(&self, bytes: u64) -> io::Result<()> {
        self.file.set_length(bytes)
    }
}
