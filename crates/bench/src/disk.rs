//! What happens on the disk below a server's store, seen from outside.
//!
//! The kernel counts the flushes of each disk (`/sys/dev/block/…/stat`, the 16th number): reading it
//! costs the server nothing, where tracing its system calls would slow down what is measured. The
//! count is that of the whole disk, so nothing else should sync meanwhile.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::stat::{major, minor};

use crate::error::{Doing, Result};

/// The place of the flush counter among the numbers of a disk.
const FLUSHES: usize = 15;

/// The counter of one disk.
pub(crate) struct Flushes {
    stat: PathBuf,
}

/// A file of a store: where it is, and its inode, for a name may be used again.
pub(crate) type StoredFile = (PathBuf, u64);

impl Flushes {
    /// The disk on which this folder is; `None` where the kernel knows of none, or counts no
    /// flushes: in memory, on a network, on several disks.
    pub(crate) fn below(folder: &Path) -> Option<Flushes> {
        let device = std::fs::metadata(folder).ok()?.dev();
        let block = format!("/sys/dev/block/{}:{}", major(device), minor(device));
        let block = std::fs::canonicalize(block).ok()?;
        // Flushes are counted for the disk, not for its partitions.
        let disk = if block.join("partition").exists() {
            block.parent()?
        } else {
            &block
        };
        let cached = std::fs::read_to_string(disk.join("queue/write_cache")).ok()?;
        let flushes = Flushes {
            stat: disk.join("stat"),
        };
        // A disk without a cache of its own needs no flush, and is sent none.
        (cached.trim() == "write back" && flushes.count().is_some()).then_some(flushes)
    }

    /// How many there were since the machine started.
    pub(crate) fn count(&self) -> Option<u64> {
        let stat = std::fs::read_to_string(&self.stat).ok()?;
        stat.split_ascii_whitespace().nth(FLUSHES)?.parse().ok()
    }
}

/// All files below a folder.
pub(crate) fn files(folder: &Path) -> Result<HashSet<StoredFile>> {
    let mut found = HashSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let doing = || format!("listing {}", folder.display());
        for entry in std::fs::read_dir(&folder).doing(doing())? {
            let entry = entry.doing(doing())?;
            // What has been removed meanwhile is what this is for.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                found.insert((entry.path(), metadata.ino()));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_replaced_under_its_name_is_another_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let (inner, name) = (folder.path().join("a/b"), "1.blk");
        std::fs::create_dir_all(&inner).expect("folders");
        std::fs::write(inner.join(name), "old").expect("a file");
        let before = files(folder.path()).expect("files");
        std::fs::write(inner.join("new"), "new").expect("a file");
        std::fs::rename(inner.join("new"), inner.join(name)).expect("renamed");
        let after = files(folder.path()).expect("files");
        assert_eq!((before.len(), after.len()), (1, 1));
        assert_eq!(before.difference(&after).count(), 1);
    }

    #[test]
    fn what_is_no_disk_has_no_flushes() {
        assert!(Flushes::below(Path::new("/proc")).is_none());
        assert!(Flushes::below(Path::new("/nowhere/at/all")).is_none());
    }
}
