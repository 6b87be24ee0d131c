//! What the committer does when no batch is waiting: footers of closed segments, the removal of dead ones,
//! room in reserve.
//!
//! Must never let a segment go before all that it tells of others is written down elsewhere, nor go on
//! removing after one thing of it failed.

use std::io;

use crate::committer::{Committer, RESERVE_NAME};
use crate::disk::{Disk, DiskFile, is_full};
use crate::format::segment_name;
use crate::marks::Released;
use crate::sealing::Sealing;

/// Bytes of a closed segment that are looked at in one step.
pub(crate) const TIDY_BYTES: u64 = 1024 * 1024;

/// Something about segments that are to go. Done in order.
#[derive(Debug)]
pub(crate) enum Todo {
    /// Write down what is dead in those that stay.
    Mark(Released),
    /// Remove a segment; the number of the one before it.
    Remove(u32, Option<u32>),
}

impl<D: Disk> Committer<D> {
    /// Does one short step (about a millisecond) of what can wait: footers of closed segments, the removal
    /// of dead ones, room in reserve. Call it when no batch is waiting. Says whether there is more to do.
    pub fn tidy(&mut self) -> bool {
        if self.stopped.is_some() {
            return false;
        }
        self.owed = self.owed.saturating_sub(TIDY_BYTES);
        self.gather();
        if let Some(sealing) = self.closed.front_mut() {
            if !sealing.step(TIDY_BYTES) {
                // It is a hint: if it can't be written, the segment is read whole the next time.
                if let Some(sealing) = self.closed.pop_front() {
                    self.unsynced.insert(sealing.number);
                    let _ = sealing.finish(false);
                }
            }
        } else if let Some(todo) = self.todo.pop_front() {
            if let Some(again) = self.act(todo) {
                self.todo.push_front(again);
                return false;
            }
        } else if self.marks.is_stale() {
            let disk = self.disk.clone();
            // What is there stays good if it fails.
            let _ = self
                .marks
                .renew(&disk, |segment| disk.open(&segment_name(segment)).is_ok());
        } else if self.reserve_missing {
            self.reserve();
        }
        !(self.todo.is_empty() && self.closed.is_empty())
    }

    /// Tidies up, and gives the active segment a footer so that the next start need not read it.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        while self.tidy() {}
        for number in std::mem::take(&mut self.unsynced) {
            self.disk.open(&segment_name(number))?.sync_data()?;
        }
        let Some(active) = self.active.take().filter(|_| self.stopped.is_none()) else {
            return Ok(());
        };
        let veil = self.key.clone().zip(active.sealed);
        let (place, told) = ((active.number, active.end), (active.gathering, veil));
        let mut sealing = Sealing::new(active.file, self.salt, place, told)?;
        while sealing.step(TIDY_BYTES) {}
        sealing.finish(true)
    }

    /// Does one thing; gives it back if it is to be tried again when there is room.
    fn act(&mut self, todo: Todo) -> Option<Todo> {
        if self.keeps_all {
            return None;
        }
        match todo {
            Todo::Remove(number, before) => self.keeps_all = self.remove(number, before).is_err(),
            Todo::Mark(released) => {
                let mut marked = self.marks.append(&self.disk, &released);
                if marked.as_ref().is_err_and(is_full) {
                    // It makes room: the reserve is for that.
                    let _ = self.disk.remove(RESERVE_NAME);
                    self.reserve_missing = true;
                    marked = self.marks.append(&self.disk, &released);
                }
                match marked {
                    Err(error) if is_full(&error) => return Some(Todo::Mark(released)),
                    // What it says now is unknown. Segments stay until the store is opened the next time.
                    Err(_) => self.keeps_all = true,
                    Ok(()) => {}
                }
            }
        }
        None
    }

    fn remove(&mut self, number: u32, before: Option<u32>) -> io::Result<()> {
        self.closed.retain(|sealing| sealing.number != number);
        self.unsynced.remove(&number);
        // Its header tells where the segment before it ends; from now on only that one's footer does.
        if let Some(before) = before {
            self.unsynced.remove(&before);
            match self.disk.open(&segment_name(before)) {
                Ok(file) => file.sync_data()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        match self.disk.remove(&segment_name(number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // The next one goes only when this one is gone for good: an older record must not outlive what
        // made it dead.
        self.disk.sync_dir()?;
        self.removed.push(number);
        Ok(())
    }

    /// Sets room aside, if there is plenty.
    fn reserve(&mut self) {
        let wanted = u64::from(self.reserve_bytes);
        let needed = 2 * wanted + u64::from(self.segment_bytes);
        let there = wanted == 0 || self.disk.open(RESERVE_NAME).is_ok();
        let enough = || self.disk.free_bytes().is_ok_and(|free| free > needed);
        let made = there || (enough() && self.disk.create(RESERVE_NAME, wanted).is_ok());
        self.reserve_missing = !made;
    }
}
