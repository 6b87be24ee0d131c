//! Makes a segment's file ready before it is needed: zeros that are on disk. Writing over them changes nothing on the
//! disk but those bytes, so a sync is one write; in room that was only set aside the file system has to note each time
//! what was written of it, and to sync that as well.
//!
//! It may run on a thread of its own: the committer knows it only by the name that a file has when it is ready. Must
//! never be the reason that there is no room: it makes nothing unless there is plenty.

use std::io;

use crate::committer::Committer;
use crate::disk::{Disk, DiskFile};

/// Name of a file that is ready to become a segment.
pub(crate) const READY_NAME: &str = "next";
/// Its name until then.
const MAKING_NAME: &str = "next.new";
/// Zeros that are written and synced in one step: few enough that others' syncs do not wait long behind one. Through
/// the system's cache, with four times as many, one ack in a hundred took half as long again.
const STEP_BYTES: u32 = 1024 * 1024;
/// A segment that is filled to such a part wants the next one: who stores little is spared the zeros.
const WANTED_AT: u32 = 16;

/// Makes files ready, one at a time.
#[derive(Debug)]
pub struct Preparer<D: Disk> {
    disk: D,
    bytes: u32,
    /// Room that must be left besides the file's.
    spared: u64,
    making: Option<(D::File, u32)>,
}

impl<D: Disk> Committer<D> {
    /// Makes segments ready for this committer.
    #[must_use]
    pub fn preparer(&self) -> Preparer<D> {
        let segment = u64::from(self.segment_bytes);
        Preparer {
            disk: self.disk.clone(),
            bytes: self.segment_bytes,
            spared: 2 * segment + 2 * u64::from(self.reserve_bytes),
            making: None,
        }
    }

    /// Whether the next segment should be made ready now. Says so once for each segment.
    pub fn wants_next(&mut self) -> bool {
        let filled = self.active.as_ref();
        let filled = filled.filter(|active| active.end > self.segment_bytes / WANTED_AT);
        match filled.map(|active| active.number) {
            Some(number) if self.wanted_in != Some(number) => {
                self.wanted_in = Some(number);
                true
            }
            _ => false,
        }
    }

    /// Takes the file that was made ready, if there is one of this size.
    pub(crate) fn take_ready(&self, name: &str, capacity: u32) -> Option<D::File> {
        if capacity != self.segment_bytes {
            // A disk that is nearly full needs what it takes.
            let _ = self.disk.remove(READY_NAME);
            return None;
        }
        // It would be written over.
        if self.disk.open(name).is_ok() {
            return None;
        }
        self.disk.rename(READY_NAME, name).ok()?;
        let file = self.disk.open(name);
        file.inspect_err(|_| {
            let _ = self.disk.remove(name);
        })
        .ok()
    }
}

impl<D: Disk> Preparer<D> {
    /// One step of making a file ready, some milliseconds at most. Says whether there is more to do: if not, it is
    /// ready, or could not be made, which costs nobody more than time.
    pub fn step(&mut self) -> bool {
        let stepped = self.try_step();
        if stepped.is_err() {
            self.making = None;
            let _ = self.disk.remove(MAKING_NAME);
        }
        stepped.unwrap_or(false)
    }

    fn try_step(&mut self) -> io::Result<bool> {
        let Some((file, written)) = &mut self.making else {
            let wanted = u64::from(self.bytes) + self.spared;
            if self.disk.open(READY_NAME).is_ok() || self.disk.free_bytes()? < wanted {
                return Ok(false);
            }
            let _ = self.disk.remove(MAKING_NAME);
            let file = self.disk.create(MAKING_NAME, self.bytes.into())?;
            self.making = Some((file, 0));
            return Ok(true);
        };
        let end = self.bytes.min(*written + STEP_BYTES);
        file.write_zeros((*written).into(), (end - *written).into())?;
        *written = end;
        file.sync_data()?;
        if *written < self.bytes {
            return Ok(true);
        }
        self.making = None;
        self.disk.rename(MAKING_NAME, READY_NAME)?;
        Ok(false)
    }
}

/// Removes what was made ready by whoever had the store before. A crash may have brought back the name of a file that
/// records were written to since: bytes of a segment that nobody knows of, but of the right number and place.
pub(crate) fn clear<D: Disk>(disk: &D) {
    for name in [READY_NAME, MAKING_NAME] {
        let _ = disk.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Log, Settings, SimDisk};

    const SEGMENT: u32 = 3 * STEP_BYTES + 5000;

    fn opened(disk: &SimDisk) -> (Log<SimDisk>, Committer<SimDisk>) {
        let settings = Settings {
            segment_bytes: SEGMENT,
            reserve_bytes: 0,
            salt: 7,
            ..Settings::default()
        };
        let (log, committer, _) =
            Log::open(disk.clone(), settings, &mut |_| {}).expect("the log opens");
        (log, committer)
    }

    fn bytes_of(disk: &SimDisk, name: &str) -> Option<Vec<u8>> {
        let file = disk.open(name).ok()?;
        let mut bytes = vec![1; file.length().expect("a length") as usize];
        file.read_at(&mut bytes, 0).expect("readable");
        Some(bytes)
    }

    #[test]
    fn a_file_is_ready_when_all_its_zeros_are_on_disk() {
        let disk = SimDisk::new(0);
        let (_log, committer) = opened(&disk);
        let mut preparer = committer.preparer();
        let mut steps = 0;
        while preparer.step() {
            assert!(bytes_of(&disk, READY_NAME).is_none());
            steps += 1;
        }
        assert_eq!(steps, 4);
        assert!(bytes_of(&disk, READY_NAME) == Some(vec![0; SEGMENT as usize]));
        assert!(!preparer.step(), "there is one already");
    }

    #[test]
    fn a_segment_takes_the_file_that_is_ready_and_only_one_of_its_size() {
        let disk = SimDisk::new(0);
        let (_log, committer) = opened(&disk);
        let mut preparer = committer.preparer();
        while preparer.step() {}
        disk.put("taken", vec![1]);
        assert!(committer.take_ready("taken", SEGMENT).is_none());
        assert_eq!(bytes_of(&disk, "taken"), Some(vec![1]));
        assert!(committer.take_ready("one", SEGMENT).is_some());
        assert!(committer.take_ready("two", SEGMENT).is_none(), "it is gone");
        while preparer.step() {}
        assert!(committer.take_ready("three", SEGMENT - 1).is_none());
        assert!(bytes_of(&disk, READY_NAME).is_none());
    }

    #[test]
    fn what_an_earlier_server_made_ready_is_not_taken() {
        let disk = SimDisk::new(0);
        disk.put(READY_NAME, vec![7; SEGMENT as usize]);
        disk.put(MAKING_NAME, vec![7; 100]);
        let (_log, committer) = opened(&disk);
        assert!(committer.take_ready("segment", SEGMENT).is_none());
        assert!(bytes_of(&disk, MAKING_NAME).is_none());
    }

    #[test]
    fn nothing_is_made_ready_where_room_is_scarce() {
        let disk = SimDisk::new(0);
        let (_log, committer) = opened(&disk);
        let mut preparer = committer.preparer();
        let used = disk.used_bytes();
        disk.set_limit_bytes(used + 3 * u64::from(SEGMENT) - 1);
        assert!(!preparer.step());
        disk.set_limit_bytes(used + 3 * u64::from(SEGMENT));
        assert!(preparer.step());
        disk.fill_writes(1);
        while preparer.step() {}
        let names = disk.list().expect("names");
        assert!(!names.iter().any(|name| name == MAKING_NAME), "{names:?}");
    }
}
