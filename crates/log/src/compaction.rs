//! Copies the live records of a mostly dead segment to the log's end, in slices.
//!
//! Must never tell the owner of a copy that is not durable, nor let the old segment go before that.

use std::collections::{BTreeSet, VecDeque};

use crate::batch::position;
use crate::crypt::Veil;
use crate::disk::Disk;
use crate::format::{Seeds, segment_name};
use crate::log::Log;
use crate::scan::{Found, Scanner};
use crate::veil::{Part, lift};
use crate::{Entry, Journal, Location, Position, Refused};

/// Bytes that are read for each byte of the budget, which counts what is copied.
const READ_PER_BUDGET: u64 = 4;

/// What one step of compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Bytes of live records that were copied.
    pub copied_bytes: u64,
    /// Bytes that were looked at.
    pub read_bytes: u64,
    /// The segment that was emptied with this step: it is about to go.
    pub emptied: Option<u32>,
    /// Whether another step would do something, now or after the next commit.
    pub more: bool,
}

#[derive(Debug)]
pub(crate) struct Compactor<D: Disk> {
    work: Option<Work<D::File>>,
    /// Segments that were emptied and may still be there, and where what they held lies now.
    emptied: Vec<(u32, Told)>,
}

/// Where copies lie that the owner was told of, ascending, and the offset of each one's original: that is there until
/// the segment goes.
type Told = Vec<(Position, u32)>;

#[derive(Debug)]
struct Work<F> {
    segment: u32,
    scanner: Scanner<F>,
    /// What uncovers its records, and room for one.
    veil: Option<Veil>,
    room: Vec<u8>,
    /// Copies that the owner has not been told of, in the order of the segment.
    copies: VecDeque<Copied>,
    told: Told,
    /// Offsets of records that are overwritten since, and may have been read in the middle of that. They are dead.
    erased: BTreeSet<u32>,
    /// Slices that may have to be done again: how far the log reached, and where the slice began. What the
    /// owner called dead may be dead only because of what is not durable yet.
    slices: VecDeque<(Position, u32)>,
}

/// Where the copy of a record is among copies, or would be.
fn place_of(copies: &VecDeque<Copied>, offset: u32) -> Result<usize, usize> {
    copies.binary_search_by_key(&offset, |copied| copied.from.offset)
}

#[derive(Clone, Copy, Debug)]
struct Copied {
    from: Location,
    to: Location,
    /// How far the log reached when the owner said that it has died meanwhile.
    dead_at: Option<Position>,
}

impl Copied {
    fn end(&self) -> Position {
        position(self.to.segment, self.to.offset + self.to.length)
    }
}

impl<D: Disk> Default for Compactor<D> {
    fn default() -> Self {
        Self {
            work: None,
            emptied: Vec::new(),
        }
    }
}

impl<D: Disk> Compactor<D> {
    /// What comes at or after a place is void, and so is what the owner said since: it is done again.
    pub(crate) fn roll_back(&mut self, to: Position) {
        let Some(work) = &mut self.work else {
            return;
        };
        if let Some((_, offset)) = work.slices.iter().find(|(at, _)| *at > to) {
            work.scanner.seek(*offset);
        }
        work.slices.retain(|(at, _)| *at <= to);
        work.copies.retain(|copied| copied.end() <= to);
        for copied in &mut work.copies {
            copied.dead_at = copied.dead_at.filter(|at| *at <= to);
        }
    }
}

impl<D: Disk> Compactor<D> {
    /// The copy of a record that its owner does not know of yet. It dies with the original.
    pub(crate) fn copy_of(&self, at: Location) -> Option<Location> {
        let work = self.work.as_ref()?;
        if work.segment != at.segment {
            return None;
        }
        let index = place_of(&work.copies, at.offset).ok()?;
        work.copies.get(index).map(|copied| copied.to)
    }
}

impl<D: Disk> Compactor<D> {
    /// Where a record lay before it was moved, if that is still there.
    pub(crate) fn original_of(&self, at: Location) -> Option<Location> {
        let place = position(at.segment, at.offset);
        let work = self.work.as_ref().map(|work| (work.segment, &work.told));
        let emptied = self.emptied.iter().map(|(segment, told)| (*segment, told));
        work.into_iter().chain(emptied).find_map(|(segment, told)| {
            let index = told.binary_search_by_key(&place, |(to, _)| *to).ok()?;
            told.get(index).map(|(_, offset)| Location {
                segment,
                offset: *offset,
                length: at.length,
            })
        })
    }

    /// These segments are gone for good.
    pub(crate) fn removed(&mut self, segments: &[u32]) {
        self.emptied
            .retain(|(segment, _)| !segments.contains(segment));
    }

    /// These records are about to be overwritten.
    pub(crate) fn erases(&mut self, places: &[Location]) {
        if let Some(work) = &mut self.work {
            let here = places.iter().filter(|at| at.segment == work.segment);
            work.erased.extend(here.map(|at| at.offset));
        }
    }
}

impl<D: Disk> Log<D> {
    /// Does one step of compaction: picks a closed segment of which less than half is alive (or one that is still to be
    /// encrypted), copies about
    /// `budget_bytes` of live records from it to the log's end, and once they are durable tells the owner
    /// where they are now. When all are, the segment goes.
    ///
    /// `is_live` is asked of every record, control records too; it is to say no if the owner knows the
    /// record at another location than the entry's. `moved` is called with the entry at its old place, and
    /// the new location; the old one counts as released with it. After a crash both may be found: the later
    /// one counts. The copies stand behind whatever was appended before: an owner that judges by order
    /// must judge by sequence instead.
    pub fn compact(
        &mut self,
        budget_bytes: u64,
        is_live: &mut dyn FnMut(&Entry<'_>) -> bool,
        moved: &mut dyn FnMut(&Entry<'_>, Location),
    ) -> Compaction {
        let mut step = Compaction::default();
        if self.stopped().is_some() {
            return step;
        }
        let Some(mut work) = self.compactor.work.take().or_else(|| self.begin()) else {
            return step;
        };
        self.tell(&mut work, is_live, moved);
        work.slices.retain(|(at, _)| *at > self.durable());
        let all_read = self.copy(&mut work, budget_bytes, is_live, &mut step);
        step.more = true;
        if all_read && work.copies.is_empty() && work.slices.is_empty() {
            step.emptied = self.space.drained(work.segment).then_some(work.segment);
            if step.emptied.is_some() {
                self.compactor.emptied.push((work.segment, work.told));
            }
        } else {
            self.compactor.work = Some(work);
        }
        step
    }

    /// Picks the segment that is worth it most.
    fn begin(&mut self) -> Option<Work<D::File>> {
        let segment = self.space.emptiest()?;
        let file = self.disk.open(&segment_name(segment)).ok()?;
        let end = self.space.get_mut(segment)?.end;
        let seeds = Seeds::new(self.salt, segment);
        Some(Work {
            segment,
            scanner: Scanner::new(file, seeds, Some(end)).ok()?,
            veil: self.veils.as_ref().and_then(|veils| veils.veil(segment)),
            room: Vec::new(),
            copies: VecDeque::new(),
            told: Vec::new(),
            erased: self.erased_in(segment),
            slices: VecDeque::new(),
        })
    }

    /// Tells the owner of the copies that have become durable.
    fn tell(
        &mut self,
        work: &mut Work<D::File>,
        is_live: &mut dyn FnMut(&Entry<'_>) -> bool,
        moved: &mut dyn FnMut(&Entry<'_>, Location),
    ) {
        let (durable, end) = (self.durable(), self.end());
        while let Some(copied) = work.copies.front_mut() {
            if copied.end() > durable || copied.dead_at.is_some_and(|at| at > durable) {
                return;
            }
            let Copied { from, to, dead_at } = *copied;
            if self.is_being_erased(to) {
                return;
            }
            let Ok((head, bytes)) = self.fetch(to) else {
                // The copy is damaged already: the original stays, and the owner knows no other.
                self.space.keep(work.segment);
                work.copies.pop_front();
                continue;
            };
            let entry = head.entry(head.subject(bytes).unwrap_or_default(), from);
            if dead_at.is_none() && is_live(&entry) {
                moved(&entry, to);
                self.space.kill(from);
                let place = position(to.segment, to.offset);
                // What was done again lies behind what was not.
                let at = work.told.partition_point(|(before, _)| *before < place);
                work.told.insert(at, (place, from.offset));
            } else if dead_at.is_none() && end > durable {
                // It was released meanwhile, and its copy with it; that counts once it is durable.
                copied.dead_at = Some(end);
                return;
            }
            work.copies.pop_front();
        }
    }

    /// Copies until the budget is spent; says whether all of the segment was read.
    fn copy(
        &mut self,
        work: &mut Work<D::File>,
        budget_bytes: u64,
        is_live: &mut dyn FnMut(&Entry<'_>) -> bool,
        step: &mut Compaction,
    ) -> bool {
        let durable = self.durable();
        let slice = (self.end(), work.scanner.offset());
        let all_read = self.copy_slice(work, budget_bytes, is_live, step);
        if slice.0 > durable || self.end() > durable {
            work.slices.push_back((self.end().max(slice.0), slice.1));
        }
        all_read
    }

    fn copy_slice(
        &mut self,
        work: &mut Work<D::File>,
        budget_bytes: u64,
        is_live: &mut dyn FnMut(&Entry<'_>) -> bool,
        step: &mut Compaction,
    ) -> bool {
        while step.copied_bytes < budget_bytes
            && step.read_bytes < budget_bytes.saturating_mul(READ_PER_BUDGET)
        {
            let before = work.scanner.offset();
            let mut refused: Option<Refused> = None;
            match work.scanner.next() {
                Found::Record {
                    offset,
                    head,
                    bytes,
                } => {
                    let (record, room) = ((&head, bytes), &mut work.room);
                    let subject = lift(record, offset, work.veil.as_mut(), Part::Subject, room);
                    let Some(subject) = subject.and_then(|bytes| head.subject(bytes)) else {
                        self.space.keep(work.segment);
                        continue;
                    };
                    let from = Location {
                        segment: work.segment,
                        offset,
                        length: head.length,
                    };
                    // After a rollback, part of a slice may have its copies already.
                    let place = place_of(&work.copies, offset);
                    if let Err(place) = place
                        && is_live(&head.entry(subject, from))
                        && let Some(bytes) = lift(
                            record,
                            offset,
                            work.veil.as_mut(),
                            Part::Whole,
                            &mut work.room,
                        )
                    {
                        // The reserve is there to make room.
                        match self.append_copy((&head, bytes), true) {
                            Ok(to) => {
                                let dead_at = None;
                                work.copies.insert(place, Copied { from, to, dead_at });
                                step.copied_bytes += u64::from(head.length);
                            }
                            Err(error) => refused = Some(error),
                        }
                    }
                }
                Found::Damaged { offset, .. } | Found::Gap { offset, .. }
                    if work.erased.contains(&offset) => {}
                // The rest is copied, but the damaged bytes stay.
                Found::Damaged { .. } | Found::Gap { .. } => self.space.keep(work.segment),
                Found::End => return true,
            }
            if refused.is_some() {
                work.scanner.seek(before);
                return false;
            }
            step.read_bytes += u64::from(work.scanner.offset() - before);
        }
        false
    }
}
