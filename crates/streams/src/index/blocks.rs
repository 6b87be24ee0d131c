//! All messages by sequence: blocks in order, found by their first sequence.
//!
//! Blocks cover as many sequences as their messages do, so that few messages among many removed ones
//! end up together in few blocks.

use std::collections::VecDeque;

use super::block::{Block, ENTRIES_MAX, Entry};

/// Neighbours that have no more messages together become one block when one of them is written anew.
const MERGED_MAX: usize = ENTRIES_MAX / 2;

#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// First sequence of each, and the block; never empty ones.
    list: VecDeque<(u64, Box<Block>)>,
    live: u64,
    /// Some message's time is before that of one with a lower sequence.
    disordered: bool,
}

/// The place of a message: block, and index in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) block: usize,
    pub(super) index: usize,
}

impl Blocks {
    /// Messages.
    pub(super) fn live(&self) -> u64 {
        self.live
    }

    pub(super) fn block(&self, number: usize) -> Option<&Block> {
        self.list.get(number).map(|(_, block)| &**block)
    }

    /// Adds a message with a sequence above all others.
    pub(super) fn push(&mut self, entry: &Entry) {
        self.live += 1;
        if let Some((_, block)) = self.list.back_mut() {
            self.disordered |= entry.time_us < block.time_us_max();
            if !block.is_full() {
                block.push(entry);
                return;
            }
        } else {
            self.disordered = false;
        }
        let mut block = Block::default();
        block.push(entry);
        self.list.push_back((entry.sequence, Box::new(block)));
    }

    /// Puts a message where its sequence belongs; returns the one that was there.
    pub(super) fn insert(&mut self, entry: &Entry) -> Option<Entry> {
        let at = match self.position(entry.sequence) {
            Some(at) => at,
            None if self.list.is_empty() => {
                self.push(entry);
                return None;
            }
            // Before all others.
            None => 0,
        };
        let (base, block) = self.list.get_mut(at)?;
        // Exact order is looked at only where a message was missing: neighbours of a replaced one stay.
        if let Some(index) = block.find_live(entry.sequence) {
            let old = block.entry(index);
            block.write(index, entry);
            self.disordered |= old.time_us != entry.time_us;
            return Some(old);
        }
        if block.is_full() && block.find(entry.sequence).is_err() {
            let (first, last) = (block.base(), block.last());
            if entry.sequence > last || entry.sequence < first {
                let mut alone = Block::default();
                alone.push(entry);
                let at = if entry.sequence > last { at + 1 } else { at };
                self.list.insert(at, (entry.sequence, Box::new(alone)));
                self.inserted(entry);
                return None;
            }
            let back = block.split();
            self.list.insert(at + 1, (back.base(), Box::new(back)));
            return self.insert(entry);
        }
        block.insert(entry);
        *base = block.base();
        self.inserted(entry);
        None
    }

    /// Where the message with this sequence is.
    #[inline]
    pub(super) fn find(&self, sequence: u64) -> Option<Cursor> {
        let block = self.position(sequence)?;
        let index = self.block(block)?.find_live(sequence)?;
        Some(Cursor { block, index })
    }

    pub(super) fn entry(&self, at: Cursor) -> Option<Entry> {
        self.block(at.block).map(|block| block.entry(at.index))
    }

    /// Overwrites all but the sequence of a message.
    pub(super) fn write(&mut self, at: Cursor, entry: &Entry) {
        if let Some((_, block)) = self.list.get_mut(at.block) {
            block.write(at.index, entry);
        }
    }

    /// Removes a message. Cursors are void from here on.
    pub(super) fn remove(&mut self, at: Cursor) {
        let Some((_, block)) = self.list.get_mut(at.block) else {
            return;
        };
        let before = block.live();
        block.kill(at.index);
        self.live -= (before - block.live()) as u64;
        self.tidy(at.block);
    }

    /// Removes all messages from sequence `from` to `upto`, oldest first, each shown to `removed`.
    pub(super) fn remove_range(&mut self, from: u64, upto: u64, mut removed: impl FnMut(&Entry)) {
        let mut next = Some(from);
        while let Some(start) = next.and_then(|next| self.at_or_after(next)) {
            let Some((_, block)) = self.list.get_mut(start.block) else {
                return;
            };
            let mut index = Some(start.index);
            while let Some(at) = index.filter(|&at| block.sequence(at) <= upto) {
                removed(&block.entry(at));
                block.kill(at);
                self.live -= 1;
                index = block.next_live(at + 1);
            }
            next = block.last().checked_add(1).filter(|&next| next <= upto);
            self.tidy(start.block);
        }
    }

    /// Forgets that there were messages above a sequence, which are removed: others may get their sequences.
    pub(super) fn forget_after(&mut self, last: u64) {
        if let Some((base, block)) = self.list.back_mut()
            && block.last() > last
        {
            block.compact();
            *base = block.base();
        }
    }

    /// The first message whose sequence is not below.
    #[inline]
    pub(super) fn at_or_after(&self, sequence: u64) -> Option<Cursor> {
        let block = self.position(sequence).unwrap_or(0);
        let index = self.block(block)?.at_or_after(sequence);
        self.settle(Cursor { block, index })
    }

    /// The last message whose sequence is not above.
    pub(super) fn at_or_before(&self, sequence: u64) -> Option<Cursor> {
        let block = self.position(sequence)?;
        let index = match self.block(block)?.find(sequence) {
            Ok(index) => index + 1,
            Err(index) => index,
        };
        self.before(Cursor { block, index })
    }

    /// The last message before the cursor.
    pub(super) fn before(&self, at: Cursor) -> Option<Cursor> {
        let (mut block, mut end) = (at.block, at.index);
        loop {
            if let Some(index) = self.block(block)?.previous_live(end) {
                return Some(Cursor { block, index });
            }
            block = block.checked_sub(1)?;
            end = ENTRIES_MAX;
        }
    }

    /// The message at the cursor, or the first one behind it.
    #[inline]
    pub(super) fn settle(&self, mut at: Cursor) -> Option<Cursor> {
        loop {
            let block = self.block(at.block)?;
            if let Some(index) = block.next_live(at.index) {
                at.index = index;
                return Some(at);
            }
            at = Cursor {
                block: at.block + 1,
                index: 0,
            };
        }
    }

    pub(super) fn sequence(&self, at: Cursor) -> Option<u64> {
        self.block(at.block).map(|block| block.sequence(at.index))
    }

    /// All messages' sequences.
    pub(super) fn sequences(&self) -> impl Iterator<Item = u64> {
        self.list.iter().flat_map(|(_, block)| {
            let first = block.next_live(0);
            std::iter::successors(first, |&index| block.next_live(index + 1))
                .map(|index| block.sequence(index))
        })
    }

    /// How many messages have sequences from `from` to `upto`.
    pub(super) fn count(&self, from: u64, upto: u64) -> u64 {
        if from > upto {
            return 0;
        }
        let start = self.position(from).unwrap_or(0);
        let Some(end) = self.position(upto) else {
            return 0;
        };
        let before = |block: &Block, sequence: u64| match block.find(sequence) {
            Ok(index) => (index, index + 1),
            Err(index) => (index, index),
        };
        let (Some(first), Some(last)) = (self.block(start), self.block(end)) else {
            return 0;
        };
        let (from_index, upto_index) = (before(first, from).0, before(last, upto).1);
        if start >= end {
            return first.live_between(from_index, upto_index) as u64;
        }
        let ends = first.live_between(from_index, first.len()) + last.live_between(0, upto_index);
        let inner = end - start - 1;
        let live = |(_, block): &(u64, Box<Block>)| block.live() as u64;
        // Fewer blocks are outside than inside: what is not there is inside.
        if inner > self.list.len() / 2 {
            let outside = self
                .list
                .iter()
                .take(start + 1)
                .chain(self.list.iter().skip(end));
            return self.live - outside.map(live).sum::<u64>() + ends as u64;
        }
        let inside = self.list.iter().skip(start + 1).take(inner);
        ends as u64 + inside.map(live).sum::<u64>()
    }

    /// The first message whose time is not before.
    pub(super) fn at_or_after_time(&self, time_us: i64) -> Option<Cursor> {
        let early = |(_, block): &(u64, Box<Block>)| block.time_us_max() < time_us;
        let start = if self.disordered {
            0
        } else {
            self.list.partition_point(early)
        };
        for number in start..self.list.len() {
            let block = self.block(number)?;
            if block.time_us_max() < time_us {
                continue;
            }
            let late = |at: &usize| block.time_us(*at) >= time_us && !block.is_dead(*at);
            if let Some(index) = (0..block.len()).find(late) {
                return Some(Cursor {
                    block: number,
                    index,
                });
            }
        }
        None
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let blocks = self.list.iter();
        let inside: usize = blocks
            .map(|(_, block)| size_of::<Block>() + block.heap_bytes())
            .sum();
        inside + self.list.capacity() * size_of::<(u64, Box<Block>)>()
    }

    /// The last block that begins at the sequence or before it.
    #[inline]
    fn position(&self, sequence: u64) -> Option<usize> {
        let (last_base, _) = self.list.back()?;
        if sequence >= *last_base {
            return Some(self.list.len() - 1);
        }
        let (first_base, _) = self.list.front()?;
        let distance = sequence.checked_sub(*first_base)?;
        // Right where nothing was removed.
        let guess = usize::try_from(distance / ENTRIES_MAX as u64).unwrap_or(usize::MAX);
        if let (Some((base, _)), Some((next, _))) =
            (self.list.get(guess), self.list.get(guess.saturating_add(1)))
            && *base <= sequence
            && sequence < *next
        {
            return Some(guess);
        }
        let behind = self.list.partition_point(|(base, _)| *base <= sequence);
        behind.checked_sub(1)
    }

    /// After an insertion between others: whether times still go up with sequences.
    fn inserted(&mut self, entry: &Entry) {
        self.live += 1;
        if self.disordered {
            return;
        }
        let time = |at: Option<Cursor>| Some(self.entry(at?)?.time_us);
        let before = entry
            .sequence
            .checked_sub(1)
            .map(|to| self.at_or_before(to));
        let after = entry.sequence.checked_add(1).map(|to| self.at_or_after(to));
        let too_early = time(before.flatten()).is_some_and(|time| time > entry.time_us);
        let too_late = time(after.flatten()).is_some_and(|time| time < entry.time_us);
        self.disordered = too_early || too_late;
    }

    /// Drops the block if it is empty, writes it anew if it is sparse.
    fn tidy(&mut self, at: usize) {
        let blocks = self.list.len();
        let Some((base, block)) = self.list.get_mut(at) else {
            return;
        };
        if block.live() == 0 {
            self.list.remove(at);
            if self.list.len() * 4 < self.list.capacity() {
                self.list.shrink_to(self.list.len() * 2);
            }
            return;
        }
        if !block.is_sparse() {
            return;
        }
        block.compact();
        *base = block.base();
        // The last block still grows.
        if at + 2 < blocks {
            self.merge(at);
        }
        if at > 0 && at + 1 < self.list.len() {
            self.merge(at - 1);
        }
    }

    /// Makes one block of this and the next, if both are small.
    fn merge(&mut self, at: usize) {
        let (Some(first), Some(second)) = (self.block(at), self.block(at + 1)) else {
            return;
        };
        if first.live() + second.live() > MERGED_MAX {
            return;
        }
        let Some((_, second)) = self.list.remove(at + 1) else {
            return;
        };
        if let Some((base, first)) = self.list.get_mut(at) {
            first.compact();
            first.append(&second);
            first.shrink();
            *base = first.base();
        }
    }
}
