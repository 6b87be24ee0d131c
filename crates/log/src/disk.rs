//! The seam between the log and a disk: files in one directory, and what it takes to make them last.
//!
//! Nothing here means anything to the log's owner. [`crate::RealDisk`] is the real one,
//! [`crate::SimDisk`] one that misbehaves on request.

use std::fmt::Debug;
use std::io;

use thiserror::Error;

/// One directory that holds a store.
///
/// What a crash may leave: of a file, any part of what was written since its last
/// [`DiskFile::sync_data`]; of the directory, any of the names created, renamed or removed since the last
/// [`Disk::sync_dir`].
pub trait Disk: Clone + Send + Debug {
    /// An open file.
    type File: DiskFile + Debug;
    /// Held while the store is in use; given back when dropped.
    type Lock: Send + Debug;

    /// Names of all files.
    ///
    /// # Errors
    /// When the directory can't be read.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Creates a file of `bytes` zeros, with room for all of them.
    ///
    /// # Errors
    /// When it exists, or there is no room for it ([`is_full`]); then there is no such file.
    fn create(&self, name: &str, bytes: u64) -> io::Result<Self::File>;
    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// When it does not exist or can't be opened.
    fn open(&self, name: &str) -> io::Result<Self::File>;
    /// Removes a file.
    ///
    /// # Errors
    /// When it does not exist or can't be removed.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Renames a file, over another one if there is one of that name.
    ///
    /// # Errors
    /// When it can't be done.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Makes the names last.
    ///
    /// # Errors
    /// When it failed; then what lasts is unknown.
    fn sync_dir(&self) -> io::Result<()>;
    /// Room that is left.
    ///
    /// # Errors
    /// When it is not known.
    fn free_bytes(&self) -> io::Result<u64>;
    /// Takes the store for oneself.
    ///
    /// # Errors
    /// When another one has it.
    fn lock(&self) -> Result<Self::Lock, LockError>;
}

/// An open file of a [`Disk`].
pub trait DiskFile: Send {
    /// Reads at most `to.len()` bytes, fewer only at the file's end.
    ///
    /// # Errors
    /// When the disk can't read them.
    fn read_at(&self, to: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// When it failed; then any part may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Writes all of `bytes`, behind which so many zeros lie or more. A disk may write those again, so that the file
    /// system gets whole blocks and need not read what else is in one.
    ///
    /// # Errors
    /// As [`DiskFile::write_at`].
    fn write_before_zeros(&self, bytes: &[u8], offset: u64, zeros: usize) -> io::Result<()> {
        let _ = zeros;
        self.write_at(bytes, offset)
    }
    /// Fills so many bytes with zeros that nobody will read, past the system's cache where that can be.
    ///
    /// # Errors
    /// As [`DiskFile::write_at`].
    fn write_zeros(&self, offset: u64, bytes: u64) -> io::Result<()> {
        zeros_in_pieces(offset, bytes, |zeros, at| self.write_at(zeros, at))
    }
    /// Makes what was written last, the file's length included.
    ///
    /// # Errors
    /// When it failed; then what was written may be lost even if a later call succeeds.
    fn sync_data(&self) -> io::Result<()>;
    /// Bytes in the file.
    ///
    /// # Errors
    /// When they are not known.
    fn length(&self) -> io::Result<u64>;
    /// Cuts the file, or lengthens it with zeros.
    ///
    /// # Errors
    /// When it can't be done.
    fn set_length(&self, bytes: u64) -> io::Result<()>;
}

/// Why a store could not be taken.
#[derive(Debug, Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("the store in {place} is in use by {}", holder(*.pid))]
    Held {
        /// The directory.
        place: String,
        /// Process that has it, if it said so.
        pid: Option<u32>,
    },
    /// It can't be told.
    #[error("can't lock the store in {place}: {source}")]
    Io {
        /// The directory.
        place: String,
        /// What happened.
        source: io::Error,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or("another process".to_owned(), |pid| format!("process {pid}"))
}

/// Whether an error says that there is no room (or no quota) left.
#[must_use]
pub fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// What file systems keep in their cache as one piece, or a multiple of it.
pub(crate) const BLOCK_BYTES: u32 = 4096;

/// Zeros that are written in one go: few enough that others' writes do not wait long behind them.
const ZEROS_BYTES: usize = 256 * 1024;

/// They lie where a write past the cache wants them.
#[repr(align(4096))]
struct Zeros([u8; ZEROS_BYTES]);

pub(crate) static ZEROS: &[u8] = {
    static ALIGNED: Zeros = Zeros([0; ZEROS_BYTES]);
    &ALIGNED.0
};

/// Lets `write` write so many zeros, a piece at a time.
pub(crate) fn zeros_in_pieces(
    offset: u64,
    bytes: u64,
    mut write: impl FnMut(&[u8], u64) -> io::Result<()>,
) -> io::Result<()> {
    let (mut at, end) = (offset, offset + bytes);
    while at < end {
        let piece = ZEROS.get(..(end - at) as usize).unwrap_or(ZEROS);
        write(piece, at)?;
        at += piece.len() as u64;
    }
    Ok(())
}

/// Reads up to `bytes` from `offset` into `to`, which then holds just those.
pub(crate) fn read_up_to(
    file: &impl DiskFile,
    to: &mut Vec<u8>,
    offset: u64,
    bytes: usize,
) -> io::Result<()> {
    to.resize(bytes, 0);
    let read = file.read_at(to, offset)?;
    to.truncate(read);
    Ok(())
}
