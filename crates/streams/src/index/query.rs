//! Questions about the messages whose subjects a reader wants.
//!
//! Two ways lead to such messages: looking through all of them, a few nanoseconds each, or asking each of the
//! matching subjects for its own. The first is tried for a short way, the second where matching subjects are
//! few.

use std::ops::ControlFlow;

use super::blocks::Cursor;
use super::filters::{Filters, Matching};
use super::{Index, SubjectId};

/// Messages that are looked through before subjects are asked, and how many more for each subject that
/// would be.
const NEAR: usize = 32;
const NEAR_PER_SUBJECT: usize = 16;

/// What a search for the next message came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// Its sequence.
    Found(u64),
    /// There is none.
    None,
    /// The work allowed is done; none is below this sequence, where it goes on.
    OutOfBudget(u64),
}

impl Index {
    /// The first message with a sequence from `from` to `upto` that the filters let through. `budget` is how many
    /// messages or subjects may be looked at; what is left of it stays there.
    pub fn next_matching(
        &self,
        from: u64,
        upto: u64,
        filters: &mut Filters,
        budget: &mut usize,
    ) -> Scan {
        let Some(start) = self.blocks.at_or_after(from) else {
            return Scan::None;
        };
        if *budget == 0 {
            return Scan::OutOfBudget(from);
        }
        if filters.is_everything() {
            *budget -= 1;
            let found = self.blocks.sequence(start).filter(|&found| found <= upto);
            return found.map_or(Scan::None, Scan::Found);
        }
        filters.catch_up(&self.subjects);
        let near = NEAR + NEAR_PER_SUBJECT * filters.followed();
        let mut window = near.min(*budget);
        *budget -= window;
        let scan = self.look_through(start, upto, filters, &mut window);
        *budget += window;
        let Scan::OutOfBudget(at) = scan else {
            return scan;
        };
        // Knowing the subjects must not cost more than looking through what is left.
        if filters.unfollowed(&self.subjects) <= upto.min(self.last).saturating_sub(at) {
            match filters.matching(&self.subjects, budget) {
                Matching::Few(ids) => {
                    *budget = budget.saturating_sub(ids.len());
                    return self.next_of(ids, at, upto);
                }
                Matching::Unfinished => return Scan::OutOfBudget(at),
                Matching::TooMany => {}
            }
        }
        match self.blocks.at_or_after(at) {
            Some(start) => self.look_through(start, upto, filters, budget),
            None => Scan::None,
        }
    }

    /// The last message with a sequence up to `upto` that the filters let through.
    pub fn last_matching(&self, upto: u64, filters: &mut Filters) -> Option<u64> {
        if filters.is_everything() {
            return self.previous(upto);
        }
        filters.catch_up(&self.subjects);
        let mut at = self.blocks.at_or_before(upto);
        for _ in 0..NEAR {
            let found = at?;
            if self.is_wanted(found, filters) {
                return self.blocks.sequence(found);
            }
            at = self.blocks.before(found);
        }
        let last = |id: u32| self.subjects.postings(id)?.at_or_before(upto);
        if let Matching::Few(ids) = filters.matching(&self.subjects, &mut { usize::MAX }) {
            return ids.iter().filter_map(|&id| last(id)).max();
        }
        // Many subjects match, so it is near, mostly; if not, all of them are asked.
        for _ in 0..self.subjects.len() {
            let found = at?;
            if self.is_wanted(found, filters) {
                return self.blocks.sequence(found);
            }
            at = self.blocks.before(found);
        }
        let ids = 0..self.subjects.bound();
        let wanted = ids.filter_map(|id| last(id).filter(|_| filters.verdict(id, &self.subjects)));
        wanted.max()
    }

    /// How many messages with sequences from `from` to `upto` the filters let through.
    pub fn count_matching(&self, from: u64, upto: u64, filters: &mut Filters) -> u64 {
        let within = self.count_between(from, upto);
        if filters.is_everything() || within == 0 {
            return within;
        }
        filters.catch_up(&self.subjects);
        let count = |id: u32| {
            let postings = self.subjects.postings(id);
            postings.map_or(0, |postings| postings.count_between(from, upto))
        };
        if filters.unfollowed(&self.subjects) <= within
            && let Matching::Few(ids) = filters.matching(&self.subjects, &mut { usize::MAX })
        {
            return ids.iter().map(|&id| count(id)).sum();
        }
        let subjects = self.subjects.len() as u64;
        if within == self.len() || subjects.saturating_mul(4) < within {
            let ids = 0..self.subjects.bound();
            return ids
                .filter(|&id| {
                    self.subjects.postings(id).is_some() && filters.verdict(id, &self.subjects)
                })
                .map(count)
                .sum();
        }
        self.count_by_looking(from, upto, filters)
    }

    /// The last message of each subject that the filters let through, of those with sequences up to `upto`,
    /// ascending.
    pub fn last_per_subject(&self, filters: &mut Filters, upto: u64) -> Vec<u64> {
        let mut found = Vec::new();
        if filters.is_everything() && self.len() == self.subjects.len() as u64 {
            // Each is the last of its subject, as in a bucket without history.
            found.extend(
                self.blocks
                    .sequences()
                    .take_while(|&sequence| sequence <= upto),
            );
            return found;
        }
        self.each_wanted(filters, |id| {
            let postings = self.subjects.postings(id);
            found.extend(postings.and_then(|postings| postings.at_or_before(upto)));
            ControlFlow::Continue(())
        });
        found.sort_unstable();
        found
    }

    /// Shows each subject that the filters let through and how many messages it has, but for the first
    /// `skip` of them, until told to stop. Their order is arbitrary, and stays while no subject comes or goes.
    pub fn each_subject(
        &self,
        filters: &mut Filters,
        skip: usize,
        mut visit: impl FnMut(&[u8], u64) -> ControlFlow<()>,
    ) {
        let mut skip = skip;
        self.each_wanted(filters, |id| {
            if skip > 0 {
                skip -= 1;
                return ControlFlow::Continue(());
            }
            visit(self.subjects.text(id), self.count_in(SubjectId(id)))
        });
    }

    /// Subjects that the filters let through with their counts, in the order of their bytes: `max` of them behind the
    /// first `skip`. Only these are sorted, however many there are around them.
    pub fn subjects_in_order(
        &self,
        filters: &mut Filters,
        skip: usize,
        max: usize,
    ) -> Vec<(&[u8], u64)> {
        let mut ids = Vec::new();
        self.each_wanted(filters, |id| {
            ids.push(id);
            ControlFlow::Continue(())
        });
        let end = skip.saturating_add(max).min(ids.len());
        if skip >= end {
            return Vec::new();
        }
        let order = |a: &u32, b: &u32| self.subjects.text(*a).cmp(self.subjects.text(*b));
        if end < ids.len() {
            ids.select_nth_unstable_by(end, order);
            ids.truncate(end);
        }
        ids.select_nth_unstable_by(skip, order);
        ids.drain(..skip);
        ids.sort_unstable_by(order);
        let told = |id: u32| (self.subjects.text(id), self.count_in(SubjectId(id)));
        ids.into_iter().map(told).collect()
    }

    /// How many subjects the filters let through.
    pub fn matching_subject_count(&self, filters: &mut Filters) -> usize {
        if filters.is_everything() {
            return self.subject_count();
        }
        let mut count = 0;
        self.each_wanted(filters, |_| {
            count += 1;
            ControlFlow::Continue(())
        });
        count
    }

    /// Looks through the messages from a place on, up to a sequence, as many as the budget allows.
    fn look_through(
        &self,
        start: Cursor,
        upto: u64,
        filters: &mut Filters,
        budget: &mut usize,
    ) -> Scan {
        let mut next = Some(start);
        while let Some(at) = next {
            let Some(block) = self.blocks.block(at.block) else {
                break;
            };
            let mut index = block.next_live(at.index);
            while let Some(here) = index {
                let sequence = block.sequence(here);
                if sequence > upto {
                    return Scan::None;
                }
                if *budget == 0 {
                    return Scan::OutOfBudget(sequence);
                }
                *budget -= 1;
                if filters.verdict(block.subject(here), &self.subjects) {
                    return Scan::Found(sequence);
                }
                index = block.next_live(here + 1);
            }
            let behind = Cursor {
                block: at.block + 1,
                index: 0,
            };
            next = self.blocks.settle(behind);
        }
        Scan::None
    }

    fn count_by_looking(&self, from: u64, upto: u64, filters: &mut Filters) -> u64 {
        let mut next = self.blocks.at_or_after(from);
        let mut count = 0;
        while let Some(at) = next {
            let Some(block) = self.blocks.block(at.block) else {
                break;
            };
            let mut index = block.next_live(at.index);
            while let Some(here) = index {
                if block.sequence(here) > upto {
                    return count;
                }
                count += u64::from(filters.verdict(block.subject(here), &self.subjects));
                index = block.next_live(here + 1);
            }
            let behind = Cursor {
                block: at.block + 1,
                index: 0,
            };
            next = self.blocks.settle(behind);
        }
        count
    }

    /// The first message of these subjects from one sequence to another.
    fn next_of(&self, ids: &[u32], from: u64, upto: u64) -> Scan {
        let next = |&id: &u32| self.subjects.postings(id)?.at_or_after(from);
        let first = ids.iter().filter_map(next).min();
        first
            .filter(|&first| first <= upto)
            .map_or(Scan::None, Scan::Found)
    }

    /// Each subject that the filters let through, until told to stop.
    fn each_wanted(&self, filters: &mut Filters, mut visit: impl FnMut(u32) -> ControlFlow<()>) {
        filters.catch_up(&self.subjects);
        if !filters.is_everything()
            && let Matching::Few(ids) = filters.matching(&self.subjects, &mut { usize::MAX })
        {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            for id in ids {
                if self.subjects.postings(id).is_some() && visit(id).is_break() {
                    return;
                }
            }
            return;
        }
        for id in 0..self.subjects.bound() {
            let wanted = self.subjects.postings(id).is_some()
                && (filters.is_everything() || filters.verdict(id, &self.subjects));
            if wanted && visit(id).is_break() {
                return;
            }
        }
    }

    fn is_wanted(&self, at: Cursor, filters: &mut Filters) -> bool {
        let block = self.blocks.block(at.block);
        block.is_some_and(|block| filters.verdict(block.subject(at.index), &self.subjects))
    }
}
