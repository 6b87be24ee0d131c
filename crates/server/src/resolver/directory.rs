//! A directory with a file `KEY.jwt` for each account (C52), which only this server writes.
//!
//! What is written is on disk under its name before anybody hears of it: it is written beside, synced and renamed. No link
//! is followed, and names are made of keys that were checked, so nothing outside is read or written.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use recado_auth::jwt::{Claims, TOKEN_BYTES_MAX};
use recado_auth::{ACCOUNTS_MAX, KeyKind};
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

use crate::config::operator::{DirectoryKind, DirectoryOptions};

/// How the file of an account ends.
const ENDING: &str = ".jwt";
/// What is put behind the name of a deleted account's file where it is kept, as nats-server does.
const DELETED: &str = ".deleted";
/// How a file ends that is being written.
const UNFINISHED: &str = ".unfinished";
/// Most accounts in a cache, unless it is told otherwise.
const CACHED_DEFAULT_MAX: usize = 1_000;

/// Why an account could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSaved {
    /// There are as many as there may be.
    #[error("jwt store is full")]
    Full,
    /// The disk refused.
    #[error("the directory can't be written: {0}")]
    Disk(#[from] io::Error),
}

/// One file.
struct Entry {
    hash: [u8; 32],
    /// When its claims end.
    expires_s: Option<u64>,
    /// When it was read or written last.
    used_s: u64,
}

/// The directory.
pub(crate) struct AccountDirectory {
    options: DirectoryOptions,
    /// Most accounts in it.
    limit: usize,
    entries: Mutex<BTreeMap<String, Entry>>,
}

impl AccountDirectory {
    /// Makes the directory unless it is there, and removes what was not finished when a server ended.
    pub(crate) fn open(options: &DirectoryOptions) -> Self {
        let path = &options.path;
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        if let Err(error) = made {
            tracing::warn!(directory = %path.display(), %error, "the directory of accounts can't be made");
        }
        let default = match options.kind {
            DirectoryKind::Full => ACCOUNTS_MAX,
            DirectoryKind::Cache => CACHED_DEFAULT_MAX,
        };
        let directory = Self {
            options: options.clone(),
            limit: options.limit.unwrap_or(default).min(ACCOUNTS_MAX),
            entries: Mutex::default(),
        };
        directory.remove_unfinished();
        directory
    }

    pub(crate) fn options(&self) -> &DirectoryOptions {
        &self.options
    }

    /// Whether it keeps only some accounts.
    pub(crate) fn is_cache(&self) -> bool {
        self.options.kind == DirectoryKind::Cache
    }

    fn remove_unfinished(&self) {
        let entries = fs::read_dir(&self.options.path).into_iter().flatten();
        for file in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            let name = file.file_name().and_then(|name| name.to_str());
            let ours = name.and_then(|name| name.strip_prefix('.')?.strip_suffix(UNFINISHED));
            if ours.and_then(|name| key_in(name)).is_some()
                && let Err(error) = fs::remove_file(&file)
            {
                tracing::warn!(file = %file.display(), %error, "what was not finished can't be removed");
            }
        }
    }

    /// Hands each account to `take`, which says when its claims end.
    pub(crate) fn read_all(&self, now_s: u64, mut take: impl FnMut(&str, &str) -> Option<u64>) {
        let path = &self.options.path;
        let files = match fs::read_dir(path) {
            Ok(files) => files,
            Err(error) => {
                tracing::warn!(
                    directory = %path.display(),
                    %error,
                    "the directory of accounts can't be read: only preloaded accounts are served"
                );
                return;
            }
        };
        let mut found = BTreeMap::new();
        for file in files.filter_map(Result::ok) {
            let name = file.file_name();
            let Some(key) = name.to_str().and_then(key_in) else {
                continue;
            };
            if found.len() == self.limit {
                tracing::warn!(
                    most = self.limit,
                    "there are more accounts in the directory than may be: the rest is left out"
                );
                break;
            }
            match read_token(&file.path()) {
                Ok(token) => {
                    let entry = Entry {
                        hash: Sha256::digest(token.as_bytes()).into(),
                        expires_s: take(key, token.trim()),
                        used_s: now_s,
                    };
                    found.insert(key.to_owned(), entry);
                }
                Err(error) => {
                    let file = file.path();
                    tracing::warn!(file = %file.display(), %error, "an account's JWT can't be read");
                }
            }
        }
        *self.entries.lock() = found;
    }

    /// The token of an account; `None` if there is none.
    ///
    /// # Errors
    /// When its file can't be read, or is no regular file.
    pub(crate) fn load(&self, key: &str, now_s: u64) -> io::Result<Option<String>> {
        if KeyKind::of(key) != Some(KeyKind::Account) {
            return Ok(None);
        }
        let token = match read_token(&self.file_of(key)) {
            Ok(token) => token,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut entries = self.entries.lock();
        let there_is_room = entries.len() < self.limit;
        match entries.get_mut(key) {
            Some(entry) => entry.used_s = now_s,
            // Somebody put the file there.
            None if there_is_room => {
                entries.insert(key.to_owned(), entry_of(&token, now_s));
            }
            None => {}
        }
        Ok(Some(token))
    }

    /// Writes an account's token for good.
    ///
    /// # Errors
    /// When there is no room; the file is then as it was.
    pub(crate) fn save(&self, key: &str, token: &str, now_s: u64) -> Result<(), NotSaved> {
        if KeyKind::of(key) != Some(KeyKind::Account) {
            return Err(NotSaved::Disk(io::ErrorKind::InvalidInput.into()));
        }
        let mut entries = self.entries.lock();
        let entry = entry_of(token, now_s);
        match entries.get(key) {
            Some(known) if known.hash == entry.hash && is_regular(&self.file_of(key)) => {
                return Ok(());
            }
            None if entries.len() >= self.limit => {
                let longest_unused = entries.iter().min_by_key(|(_, entry)| entry.used_s);
                let oldest = longest_unused.map(|(key, _)| key.clone());
                let oldest = oldest.filter(|_| self.is_cache()).ok_or(NotSaved::Full)?;
                remove_if_there(&self.file_of(&oldest))?;
                entries.remove(&oldest);
            }
            _ => {}
        }
        self.write(key, token)?;
        entries.insert(key.to_owned(), entry);
        Ok(())
    }

    fn write(&self, key: &str, token: &str) -> io::Result<()> {
        let directory = &self.options.path;
        let unfinished = directory.join(format!(".{key}{ENDING}{UNFINISHED}"));
        remove_if_there(&unfinished)?;
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)
            .and_then(|mut file| {
                file.write_all(token.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&unfinished, self.file_of(key)));
        if let Err(error) = written {
            // What matters is the first error.
            let _ = fs::remove_file(&unfinished);
            return Err(error);
        }
        File::open(directory)?.sync_all()
    }

    /// Takes an account away: its file goes, or gets another name. Whether there was one.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn delete(&self, key: &str) -> io::Result<bool> {
        let mut entries = self.entries.lock();
        let file = self.file_of(key);
        let gone = match self.options.hard_delete || self.is_cache() {
            true => fs::remove_file(&file),
            false => {
                let mut kept = file.clone().into_os_string();
                kept.push(DELETED);
                fs::rename(&file, kept)
            }
        };
        let there = match gone {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        entries.remove(key);
        if there {
            File::open(&self.options.path)?.sync_all()?;
        }
        Ok(there)
    }

    /// Keys of the accounts whose claims hold, in order.
    pub(crate) fn keys(&self, now_s: u64) -> Vec<String> {
        let entries = self.entries.lock();
        let holding = entries.iter().filter(|(_, entry)| !entry.is_over(now_s));
        holding.map(|(key, _)| key.clone()).collect()
    }

    /// A digest of all that is in it, which is the same on every server that has the same.
    pub(crate) fn hash(&self) -> [u8; 32] {
        let mut all = [0; 32];
        for entry in self.entries.lock().values() {
            for (sum, byte) in all.iter_mut().zip(entry.hash) {
                *sum ^= byte;
            }
        }
        all
    }

    /// Removes what is over: claims that ended and, from a cache with a time to live, what nobody asked for so long.
    /// As nats-server does.
    pub(crate) fn tidy(&self, now_s: u64) {
        let ttl_s = self.options.ttl.map(|ttl| ttl.as_secs());
        let mut entries = self.entries.lock();
        entries.retain(|key, entry| {
            let over = match ttl_s {
                Some(ttl_s) => entry.used_s.saturating_add(ttl_s) <= now_s,
                None => entry.is_over(now_s),
            };
            if !over {
                return true;
            }
            let file = self.file_of(key);
            match remove_if_there(&file) {
                Ok(()) => {
                    tracing::info!(account = key, "the account's JWT is over: its file was removed");
                    false
                }
                Err(error) => {
                    tracing::warn!(file = %file.display(), %error, "an account's JWT can't be removed");
                    true
                }
            }
        });
    }

    fn file_of(&self, key: &str) -> PathBuf {
        self.options.path.join(format!("{key}{ENDING}"))
    }
}

impl Entry {
    fn is_over(&self, now_s: u64) -> bool {
        self.expires_s.is_some_and(|at| at < now_s)
    }
}

fn entry_of(token: &str, now_s: u64) -> Entry {
    let claims = Claims::decode_account(token.trim());
    Entry {
        hash: Sha256::digest(token.as_bytes()).into(),
        expires_s: claims.ok().and_then(|claims| claims.expiry_s()),
        used_s: now_s,
    }
}

/// The account's key in the name of its file.
fn key_in(name: &str) -> Option<&str> {
    let key = name.strip_suffix(ENDING)?;
    (KeyKind::of(key) == Some(KeyKind::Account)).then_some(key)
}

fn is_regular(file: &Path) -> bool {
    fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_file())
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A file of at most as many bytes as a token may have. What is no regular file (a link, a pipe) is refused.
fn read_token(path: &Path) -> io::Result<String> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let most = u64::try_from(TOKEN_BYTES_MAX).unwrap_or(u64::MAX);
    let mut text = String::new();
    file.take(most + 1).read_to_string(&mut text)?;
    match text.len() > TOKEN_BYTES_MAX {
        true => Err(io::ErrorKind::FileTooLarge.into()),
        false => Ok(text),
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
