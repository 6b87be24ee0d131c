//! The log file: opened for appending, renamed away when it is large enough, reopened on demand.
//!
//! It never removes a file whose name is not exactly that of a backup of this log.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::clock::Clock;

pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// Bytes in the file.
    size: u64,
    /// Rotate before the file would become larger than this; 0: never.
    size_limit: u64,
    /// A failed rotation is tried again only when the file has grown by another limit.
    rotate_at: u64,
    /// Backups that are kept; 0: all.
    kept_max: usize,
}

impl LogFile {
    pub(super) fn open(path: &Path, size_limit: u64, kept_max: usize) -> io::Result<Self> {
        // Kept absolute: the backup must land beside the log whatever happens to the directory.
        let path = std::path::absolute(path)?;
        let (file, size) = open_for_appending(&path)?;
        Ok(Self {
            path,
            file,
            size,
            size_limit,
            rotate_at: size_limit,
            kept_max,
        })
    }

    /// Whether the file stays within its limit with these bytes.
    pub(super) fn has_room_for(&self, bytes: &[u8]) -> bool {
        self.size_limit == 0 || self.size + bytes.len() as u64 <= self.rotate_at
    }

    /// Whether this line belongs into a new file. An empty file takes any line, or one line longer
    /// than the limit would rotate for ever.
    pub(super) fn must_rotate_before(&self, line: &[u8]) -> bool {
        self.size > 0 && !self.has_room_for(line)
    }

    /// Moves the file away, starts a new one and removes the oldest backups. Returns the name of
    /// the backup.
    pub(super) fn rotate(&mut self, clock: &Clock) -> io::Result<PathBuf> {
        self.rotate_at = self.size + self.size_limit;
        let backup = self.unused_backup_name(clock);
        fs::rename(&self.path, &backup)?;
        self.reopen()?;
        self.rotate_at = self.size_limit;
        self.remove_old_backups()?;
        Ok(backup)
    }

    /// Opens the path again, whatever has become of the file that was there.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        (self.file, self.size) = open_for_appending(&self.path)?;
        self.rotate_at = self.size_limit;
        Ok(())
    }

    fn unused_backup_name(&self, clock: &Clock) -> PathBuf {
        loop {
            let mut suffix = String::from(".");
            clock.now().push_file_suffix(&mut suffix);
            let mut name = self.path.clone().into_os_string();
            name.push(suffix);
            let name = PathBuf::from(name);
            // Nanoseconds: the next turn has another name.
            if !name.exists() {
                return name;
            }
        }
    }

    fn remove_old_backups(&self) -> io::Result<()> {
        let (Some(directory), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Ok(());
        };
        if self.kept_max == 0 {
            return Ok(());
        }
        let mut backups = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?.file_name();
            let suffix = (entry.as_encoded_bytes())
                .strip_prefix(name.as_encoded_bytes())
                .and_then(|rest| rest.strip_prefix(b"."));
            if suffix.is_some_and(is_backup_suffix) {
                backups.push(entry);
            }
        }
        backups.sort();
        let surplus = backups.len().saturating_sub(self.kept_max);
        for old in backups.into_iter().take(surplus) {
            fs::remove_file(directory.join(old))?;
        }
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// `YYYY.MM.DD.HH.MM.SS.nnnnnnnnn`
fn is_backup_suffix(suffix: &[u8]) -> bool {
    let widths = [4, 2, 2, 2, 2, 2, 9];
    let mut parts = suffix.split(|byte| *byte == b'.');
    widths.iter().all(|width| {
        parts
            .next()
            .is_some_and(|part| part.len() == *width && part.iter().all(u8::is_ascii_digit))
    }) && parts.next().is_none()
}

fn open_for_appending(path: &Path) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Names and subjects of clients are nobody else's business.
        options.mode(0o640);
    }
    let file = options.open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}
