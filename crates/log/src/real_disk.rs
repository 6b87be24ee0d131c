//! A directory of the real file system.
//!
//! Must never pretend: an error of the system is handed on as it is, and nothing is retried but what was
//! interrupted by a signal.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FallocateFlags, OFlags};

use crate::disk::{Disk, DiskFile, LockError, ZEROS, zeros_in_pieces};

/// Name of the file that a server holds a lock on while it uses the store.
const LOCK_NAME: &str = "lock";

/// A store's directory.
#[derive(Clone, Debug)]
pub struct RealDisk {
    directory: Arc<Directory>,
}

#[derive(Debug)]
struct Directory {
    path: PathBuf,
    /// Open, to be synced.
    handle: File,
}

impl RealDisk {
    /// Uses a directory, and creates it (readable by its owner only) if it does not exist.
    ///
    /// # Errors
    /// When it can't be created or opened.
    pub fn new(path: &Path) -> io::Result<Self> {
        if !path.exists() {
            let mut builder = fs::DirBuilder::new();
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.recursive(true).create(path)?;
            if let Some(parent) = path.parent().filter(|parent| *parent != Path::new("")) {
                File::open(parent)?.sync_all()?;
            }
        }
        let directory = Directory {
            path: path.to_owned(),
            handle: File::open(path)?,
        };
        Ok(Self {
            directory: Arc::new(directory),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path.join(name)
    }

    fn options() -> OpenOptions {
        let mut options = OpenOptions::new();
        // Whoever may write beside the store must not lead it elsewhere by a link.
        let flags = OFlags::NOFOLLOW.bits().cast_signed();
        options
            .read(true)
            .write(true)
            .mode(0o600)
            .custom_flags(flags);
        options
    }
}

impl Disk for RealDisk {
    type File = File;
    type Lock = RealLock;

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.directory.path)? {
            // A name that is not text is none of ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<File> {
        let path = self.path(name);
        let file = Self::options().create_new(true).open(&path)?;
        let made = if bytes == 0 {
            Ok(())
        } else {
            let allocate = || rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes);
            match rustix::io::retry_on_intr(allocate) {
                // Some file systems can't promise room; then a write says whether there is any.
                Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => file.set_len(bytes),
                result => result.map_err(io::Error::from),
            }
        };
        made.inspect_err(|_| {
            let _ = fs::remove_file(&path);
        })?;
        Ok(file)
    }

    /// A link in the place of a file is refused.
    fn open(&self, name: &str) -> io::Result<File> {
        Self::options().open(self.path(name))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.directory.handle.sync_all()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let space = rustix::fs::fstatvfs(&self.directory.handle)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }

    fn lock(&self) -> Result<RealLock, LockError> {
        let place = self.directory.path.display().to_string();
        let failed = |source| LockError::Io {
            place: place.clone(),
            source,
        };
        let mut file = Self::options()
            .create(true)
            .truncate(false)
            .open(self.path(LOCK_NAME))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut written = String::new();
                let pid = file.take(20).read_to_string(&mut written);
                let pid = pid.ok().and_then(|_| written.trim().parse().ok());
                return Err(LockError::Held { place, pid });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // Who holds it is a courtesy to the next one; a full disk must not keep us from reading.
        let _ = file
            .set_len(0)
            .and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()));
        Ok(RealLock { _file: file })
    }
}

/// Holds a store's lock file until it is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub struct RealLock {
    _file: File,
}

impl DiskFile for File {
    fn read_at(&self, to: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = to.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match FileExt::read_at(self, rest, offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn write_before_zeros(&self, bytes: &[u8], offset: u64, zeros: usize) -> io::Result<()> {
        let zeros = ZEROS.get(..zeros).unwrap_or_default();
        let (mut parts, mut at) = (&mut [IoSlice::new(bytes), IoSlice::new(zeros)][..], offset);
        IoSlice::advance_slices(&mut parts, 0);
        while !parts.is_empty() {
            match rustix::io::pwritev(self, parts, at) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    at += written as u64;
                    IoSlice::advance_slices(&mut parts, written);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The file is nobody else's meanwhile: how it is open changes for all who have it.
    fn write_zeros(&self, offset: u64, bytes: u64) -> io::Result<()> {
        let write = |zeros: &[u8], at| self.write_all_at(zeros, at);
        let flags = rustix::fs::fcntl_getfl(self)?;
        if rustix::fs::fcntl_setfl(self, flags | OFlags::DIRECT).is_ok() {
            let written = zeros_in_pieces(offset, bytes, write);
            rustix::fs::fcntl_setfl(self, flags)?;
            // That is what it says when they do not lie as the disk or its file system wants it.
            if !matches!(&written, Err(error) if error.kind() == ErrorKind::InvalidInput) {
                return written;
            }
        }
        zeros_in_pieces(offset, bytes, write)
    }

    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_length(&self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_of(bytes: usize) -> (tempfile::TempDir, File) {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = RealDisk::new(folder.path()).expect("a disk");
        let file = disk.create("file", bytes as u64).expect("a file");
        DiskFile::write_at(&file, &vec![b'x'; bytes], 0).expect("written");
        (folder, file)
    }

    fn content(file: &File) -> Vec<u8> {
        let mut bytes = vec![0; file.length().expect("a length") as usize];
        DiskFile::read_at(file, &mut bytes, 0).expect("readable");
        bytes
    }

    #[test]
    fn zeros_are_written_wherever_they_lie() {
        let (_folder, file) = file_of(1_000_000);
        for (offset, bytes) in [(0, 4096), (8192, 600_001), (700_123, 100), (999_999, 1)] {
            file.write_zeros(offset as u64, bytes as u64)
                .expect("written");
            let found = content(&file);
            assert!(found[offset..offset + bytes].iter().all(|byte| *byte == 0));
            assert!(found[..offset].ends_with(b"x") || offset == 0);
            assert!(
                found[offset + bytes..]
                    .first()
                    .is_none_or(|byte| *byte == b'x')
            );
        }
        assert_eq!(content(&file).len(), 1_000_000);
        let flags = rustix::fs::fcntl_getfl(&file).expect("flags");
        assert!(!flags.contains(OFlags::DIRECT));
    }

    #[test]
    fn what_is_written_before_zeros_is_followed_by_so_many() {
        let (_folder, file) = file_of(10_000);
        file.write_before_zeros(b"record", 90, 10).expect("written");
        file.write_before_zeros(b"", 9_000, 0).expect("written");
        file.write_before_zeros(b"last", 9_996, 0).expect("written");
        let found = content(&file);
        assert_eq!(&found[88..108], b"xxrecord\0\0\0\0\0\0\0\0\0\0xx");
        assert_eq!(&found[9_990..], b"xxxxxxlast");
    }
}
