//! What responders said of clients' certificates: one answer is enough for all handshakes while it holds.
//!
//! The file has the form of nats-server's, which can read it; what that one wrote is compressed otherwise, and asked for again.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use parking_lot::Mutex;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::response::Status;
use crate::config::{OcspCacheKept, OcspCacheOptions};

/// Certificates that are remembered. Each was made by an authority that clients' must come from.
const CERTIFICATES_MAX: usize = 10_000;
/// Bytes of a file that is read.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes of an answer in it, when it is decompressed.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
const FILE: &str = "cache.json";

/// What is remembered, and how often that was of use.
pub(crate) struct Cache {
    options: OcspCacheOptions,
    inner: Arc<Inner>,
    /// A thread writes now and then until this is dropped.
    _saver: Option<mpsc::Sender<()>>,
}

#[derive(Default)]
struct Inner {
    known: Mutex<Known>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Default)]
struct Known {
    answers: HashMap<String, Remembered>,
    /// There is something new that was not written yet.
    dirty: bool,
}

/// An answer.
#[derive(Clone)]
pub(super) struct Remembered {
    pub(super) subject: String,
    pub(super) status: Status,
    pub(super) since: SystemTime,
    pub(super) until: Option<SystemTime>,
    pub(super) bytes: Vec<u8>,
}

/// Figures of a cache, as `/varz` tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CacheFigures {
    pub(crate) responses: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) revoked: u64,
    pub(crate) good: u64,
    pub(crate) unknown: u64,
}

/// By which a certificate is known.
pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    BASE64_STANDARD.encode(Sha256::digest(certificate))
}

impl Cache {
    /// With what its file remembers, if it has one.
    pub(super) fn open(options: &OcspCacheOptions) -> Self {
        let inner = Arc::new(Inner::default());
        let mut saver = None;
        if let OcspCacheKept::InDirectory {
            directory,
            save_interval,
        } = &options.kept
        {
            inner.known.lock().answers = load(&directory.join(FILE));
            saver = start_saver(Arc::clone(&inner), directory.clone(), *save_interval);
        }
        Self {
            options: options.clone(),
            inner,
            _saver: saver,
        }
    }

    /// Writes what is remembered, where it is to be and is not yet.
    pub(super) fn save(&self) {
        if let OcspCacheKept::InDirectory { directory, .. } = &self.options.kept {
            self.inner.save(directory);
        }
    }

    pub(super) fn options(&self) -> &OcspCacheOptions {
        &self.options
    }

    /// Whether anything is remembered at all.
    pub(crate) fn is_on(&self) -> bool {
        self.options.kept != OcspCacheKept::Nowhere
    }

    pub(crate) fn figures(&self) -> CacheFigures {
        let known = self.inner.known.lock();
        let mut figures = CacheFigures {
            responses: known.answers.len() as u64,
            hits: self.inner.hits.load(Ordering::Relaxed),
            misses: self.inner.misses.load(Ordering::Relaxed),
            ..CacheFigures::default()
        };
        for answer in known.answers.values() {
            match answer.status {
                Status::Good => figures.good += 1,
                Status::Revoked => figures.revoked += 1,
                Status::Unknown => figures.unknown += 1,
            }
        }
        figures
    }

    /// What is remembered of a certificate, in force or not.
    pub(super) fn find(&self, fingerprint: &str) -> Option<Remembered> {
        self.inner.known.lock().answers.get(fingerprint).cloned()
    }

    /// Counts whether what was found was of use.
    pub(super) fn count(&self, hit: bool) {
        let counter = match hit {
            true => &self.inner.hits,
            false => &self.inner.misses,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Remembers an answer.
    pub(super) fn remember(&self, fingerprint: String, answer: Remembered) {
        if !self.is_on() {
            return;
        }
        let mut known = self.inner.known.lock();
        if known.answers.len() >= CERTIFICATES_MAX && !known.answers.contains_key(&fingerprint) {
            let oldest = known.answers.iter().min_by_key(|(_, answer)| answer.since);
            let oldest = oldest.map(|(fingerprint, _)| fingerprint.clone());
            oldest.map(|fingerprint| known.answers.remove(&fingerprint));
        }
        known.answers.insert(fingerprint, answer);
        known.dirty = true;
    }

    /// Forgets an answer that does not hold any more, unless it says what is not to be forgotten.
    pub(super) fn forget(&self, fingerprint: &str) {
        let mut known = self.inner.known.lock();
        let kept = known.answers.get(fingerprint).is_some_and(|answer| {
            self.options.preserve_revoked && answer.status == Status::Revoked
        });
        if !kept && known.answers.remove(fingerprint).is_some() {
            known.dirty = true;
        }
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn save(&self, directory: &Path) {
        let answers = {
            let mut known = self.known.lock();
            std::mem::take(&mut known.dirty).then(|| known.answers.clone())
        };
        if let Some(Err(error)) = answers.map(|answers| save(directory, &answers)) {
            self.known.lock().dirty = true;
            tracing::warn!(
                directory = %directory.display(),
                "what is known of clients' certificates (ocsp_cache) could not be written: {error}"
            );
        }
    }
}

/// Writes now and then.
fn start_saver(
    inner: Arc<Inner>,
    directory: PathBuf,
    interval: Duration,
) -> Option<mpsc::Sender<()>> {
    let (stop, stopped) = mpsc::channel();
    let run = move || {
        while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
            inner.save(&directory);
        }
    };
    let thread = std::thread::Builder::new()
        .name("ocsp-cache".to_owned())
        .spawn(run);
    if let Err(error) = thread {
        tracing::warn!("ocsp_cache is written at the end only, there is no thread for it: {error}");
        return None;
    }
    Some(stop)
}

/// An entry of the file.
#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(default)]
    subject: String,
    cached_at: String,
    resp_status: String,
    /// Year 1 where the answer does not say until when it holds.
    resp_expires: String,
    resp: String,
}

/// How Go writes a time that is none.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

fn load(path: &Path) -> HashMap<String, Remembered> {
    let read = std::fs::File::open(path).and_then(|file| {
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
        Ok(text)
    });
    let text = match read {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return HashMap::new(),
        Err(error) => {
            tracing::warn!("{} can't be read, and is not used: {error}", path.display());
            return HashMap::new();
        }
    };
    let entries: HashMap<String, Entry> = serde_json::from_str(&text).unwrap_or_else(|error| {
        tracing::warn!("{} can't be read, and is not used: {error}", path.display());
        HashMap::new()
    });
    let count = entries.len();
    let entries = entries.into_iter().take(CERTIFICATES_MAX);
    let answers: HashMap<_, _> = entries
        .filter_map(|(fingerprint, entry)| Some((fingerprint, remembered(entry)?)))
        .collect();
    let unreadable = count - answers.len();
    if unreadable > 0 {
        tracing::warn!(
            unreadable,
            "{} has answers that can't be read; they will be asked for again",
            path.display()
        );
    }
    answers
}

fn remembered(entry: Entry) -> Option<Remembered> {
    let packed = BASE64_STANDARD.decode(&entry.resp).ok()?;
    let mut bytes = Vec::new();
    snap::read::FrameDecoder::new(packed.as_slice())
        .take(ANSWER_BYTES_MAX)
        .read_to_end(&mut bytes)
        .ok()?;
    let until = match entry.resp_expires.as_str() {
        NO_TIME => None,
        time => Some(SystemTime::from(time.parse::<jiff::Timestamp>().ok()?)),
    };
    Some(Remembered {
        subject: entry.subject,
        status: Status::from_word(&entry.resp_status)?,
        since: entry.cached_at.parse::<jiff::Timestamp>().ok()?.into(),
        until,
        bytes,
    })
}

fn save(directory: &Path, answers: &HashMap<String, Remembered>) -> std::io::Result<()> {
    let mut entries = HashMap::new();
    for (fingerprint, answer) in answers {
        let mut packed = snap::write::FrameEncoder::new(Vec::new());
        packed.write_all(&answer.bytes)?;
        let packed = packed
            .into_inner()
            .map_err(|error| std::io::Error::other(error.to_string()))?;
        let until = answer
            .until
            .and_then(|until| jiff::Timestamp::try_from(until).ok());
        let entry = Entry {
            subject: answer.subject.clone(),
            cached_at: jiff::Timestamp::try_from(answer.since)
                .unwrap_or_default()
                .to_string(),
            resp_status: answer.status.word().to_owned(),
            resp_expires: until.map_or_else(|| NO_TIME.to_owned(), |until| until.to_string()),
            resp: BASE64_STANDARD.encode(packed),
        };
        entries.insert(fingerprint, entry);
    }
    crate::store_dir::prepare(directory)
        .map_err(|error| std::io::Error::other(error.to_string()))?;
    let text = serde_json::to_vec_pretty(&entries)?;
    replace_file(&directory.join(FILE), &text)
}

/// Puts a file where none or an older one is: whoever reads it sees one or the other, whole.
pub(super) fn replace_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{:016x}.tmp", rand::random::<u64>()));
    let new = PathBuf::from(new);
    let written = std::fs::File::create_new(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_data()?;
        std::fs::rename(&new, path)
    });
    if written.is_err() {
        // What is left of it is of no use. Should it not go, nothing is harmed.
        let _ = std::fs::remove_file(&new);
    }
    written
}
