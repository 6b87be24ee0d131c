//! Up to 4096 messages with ascending sequences, one column per field.
//!
//! A removed message is only marked; when half are, the block is written anew. A block that never had a
//! gap keeps no sequences at all.

use recado_log::Location;

use super::column::Column;

/// Most messages of a block, removed ones included.
pub(super) const ENTRIES_MAX: usize = 4096;

/// All that is kept of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) sequence: u64,
    pub(super) time_us: i64,
    pub(super) size: u32,
    pub(super) place: Location,
    pub(super) flags: u8,
    pub(super) subject: u32,
}

#[derive(Debug, Default)]
pub(super) struct Block {
    base: u64,
    last: u64,
    len: usize,
    live: usize,
    /// No message's time is later.
    time_us_max: i64,
    /// None while they go up by one.
    sequences: Option<Column>,
    /// A bit for each removed message; none behind its end.
    dead: Vec<u64>,
    times: Column,
    subjects: Column,
    segments: Column,
    offsets: Column,
    lengths: Column,
    /// Less the length, from which they differ by the same amount for most.
    sizes: Column,
    flags: Column,
}

impl Block {
    /// Sequence of the first message that was in it.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Sequence of the last message that was in it.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Places, those of removed messages included.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Messages.
    pub(super) fn live(&self) -> usize {
        self.live
    }

    pub(super) fn time_us_max(&self) -> i64 {
        self.time_us_max
    }

    /// No place can be taken without removing some or splitting it.
    pub(super) fn is_full(&self) -> bool {
        self.len >= ENTRIES_MAX
    }

    /// Adds a message with a sequence above all others.
    pub(super) fn push(&mut self, entry: &Entry) {
        let len = self.len;
        if len == 0 {
            self.base = entry.sequence;
            self.time_us_max = entry.time_us;
        } else if self.sequences.is_none() && entry.sequence != self.base + len as u64 {
            self.keep_sequences();
        }
        if let Some(sequences) = &mut self.sequences {
            sequences.push(len, entry.sequence);
        }
        self.times.push(len, entry.time_us as u64);
        self.subjects.push(len, u64::from(entry.subject));
        self.segments.push(len, u64::from(entry.place.segment));
        self.offsets.push(len, u64::from(entry.place.offset));
        self.lengths.push(len, u64::from(entry.place.length));
        self.sizes.push(len, size_cell(entry));
        self.flags.push(len, u64::from(entry.flags));
        self.last = entry.sequence;
        self.time_us_max = self.time_us_max.max(entry.time_us);
        self.len += 1;
        self.live += 1;
    }

    /// Puts a message where its sequence belongs; none with it is there. The block is not full.
    pub(super) fn insert(&mut self, entry: &Entry) {
        let index = match self.find(entry.sequence) {
            Ok(dead) => {
                self.write(dead, entry);
                if let Some(word) = self.dead.get_mut(dead / 64) {
                    *word &= !(1 << (dead % 64));
                }
                self.live += 1;
                return;
            }
            Err(index) => index,
        };
        if index >= self.len {
            return self.push(entry);
        }
        if !self.dead.is_empty() {
            self.compact();
            return self.insert(entry);
        }
        let len = self.len;
        if index == 0 && self.sequences.is_none() && entry.sequence + 1 == self.base {
            self.base = entry.sequence;
        } else {
            self.keep_sequences();
        }
        if let Some(sequences) = &mut self.sequences {
            sequences.insert(len, index, entry.sequence);
        }
        self.times.insert(len, index, entry.time_us as u64);
        self.subjects.insert(len, index, u64::from(entry.subject));
        let place = entry.place;
        self.segments.insert(len, index, u64::from(place.segment));
        self.offsets.insert(len, index, u64::from(place.offset));
        self.lengths.insert(len, index, u64::from(place.length));
        self.sizes.insert(len, index, size_cell(entry));
        self.flags.insert(len, index, u64::from(entry.flags));
        self.base = self.base.min(entry.sequence);
        self.time_us_max = self.time_us_max.max(entry.time_us);
        self.len += 1;
        self.live += 1;
    }

    /// Overwrites all but the sequence of the message at `index`.
    pub(super) fn write(&mut self, index: usize, entry: &Entry) {
        let len = self.len;
        self.times.set(len, index, entry.time_us as u64);
        self.subjects.set(len, index, u64::from(entry.subject));
        let place = entry.place;
        self.segments.set(len, index, u64::from(place.segment));
        self.offsets.set(len, index, u64::from(place.offset));
        self.lengths.set(len, index, u64::from(place.length));
        self.sizes.set(len, index, size_cell(entry));
        self.flags.set(len, index, u64::from(entry.flags));
        self.time_us_max = self.time_us_max.max(entry.time_us);
    }

    /// Marks the message at `index` as removed.
    pub(super) fn kill(&mut self, index: usize) {
        if index >= self.len || self.is_dead(index) {
            return;
        }
        let word = index / 64;
        if self.dead.len() <= word {
            self.dead.resize(ENTRIES_MAX.min(self.len).div_ceil(64), 0);
        }
        if let Some(bits) = self.dead.get_mut(word) {
            *bits |= 1 << (index % 64);
            self.live -= 1;
        }
    }

    /// Whether it would be half as large without the removed ones.
    pub(super) fn is_sparse(&self) -> bool {
        self.live * 2 < self.len
    }

    /// Writes it anew without the removed ones.
    pub(super) fn compact(&mut self) {
        let mut fresh = Self::default();
        fresh.append(self);
        fresh.shrink();
        *self = fresh;
    }

    /// Adds the messages of the block behind it.
    pub(super) fn append(&mut self, other: &Self) {
        let mut index = other.next_live(0);
        while let Some(at) = index {
            self.push(&other.entry(at));
            index = other.next_live(at + 1);
        }
    }

    /// Moves the messages from the middle on to a block of their own.
    pub(super) fn split(&mut self) -> Self {
        let (mut front, mut back) = (Self::default(), Self::default());
        for at in (0..self.len).filter(|&at| !self.is_dead(at)) {
            let half = if front.live < self.live / 2 {
                &mut front
            } else {
                &mut back
            };
            half.push(&self.entry(at));
        }
        front.shrink();
        *self = front;
        back
    }

    /// Gives back what growing took in advance.
    pub(super) fn shrink(&mut self) {
        self.dead.shrink_to_fit();
        for column in self.columns_mut() {
            column.shrink();
        }
    }

    /// Where the place of this sequence is, or would be. The message may be removed.
    #[inline]
    pub(super) fn find(&self, sequence: u64) -> Result<usize, usize> {
        let Some(sequences) = &self.sequences else {
            let Some(distance) = sequence.checked_sub(self.base) else {
                return Err(0);
            };
            return match usize::try_from(distance) {
                Ok(index) if index < self.len => Ok(index),
                _ => Err(self.len),
            };
        };
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low.midpoint(high);
            match sequences.get(middle).cmp(&sequence) {
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    /// Where the message with this sequence is.
    #[inline]
    pub(super) fn find_live(&self, sequence: u64) -> Option<usize> {
        self.find(sequence)
            .ok()
            .filter(|&index| !self.is_dead(index))
    }

    /// First place whose sequence is not below.
    #[inline]
    pub(super) fn at_or_after(&self, sequence: u64) -> usize {
        match self.find(sequence) {
            Ok(index) | Err(index) => index,
        }
    }

    #[inline]
    pub(super) fn is_dead(&self, index: usize) -> bool {
        let word = self.dead.get(index / 64).copied().unwrap_or(0);
        word & (1 << (index % 64)) != 0
    }

    /// First message at `index` or after it.
    #[inline]
    pub(super) fn next_live(&self, index: usize) -> Option<usize> {
        let mut at = index;
        while at < self.len {
            let Some(word) = self.dead.get(at / 64) else {
                return Some(at);
            };
            let alive = !word >> (at % 64);
            if alive != 0 {
                let found = at + alive.trailing_zeros() as usize;
                return (found < self.len).then_some(found);
            }
            at = (at / 64 + 1) * 64;
        }
        None
    }

    /// Last message before `end`.
    pub(super) fn previous_live(&self, end: usize) -> Option<usize> {
        (0..end.min(self.len)).rev().find(|&at| !self.is_dead(at))
    }

    /// Messages from place `from` to before place `end`.
    pub(super) fn live_between(&self, from: usize, end: usize) -> usize {
        let end = end.min(self.len);
        if from >= end {
            return 0;
        }
        if self.dead.is_empty() {
            return end - from;
        }
        if from == 0 && end == self.len {
            return self.live;
        }
        (from..end).filter(|&at| !self.is_dead(at)).count()
    }

    /// The place behind the run of messages, one after the other in sequence, that begins at `index`.
    pub(super) fn run_end(&self, index: usize) -> usize {
        if self.sequences.is_none() && self.dead.is_empty() {
            return self.len;
        }
        let first = self.sequence(index);
        let goes_on = |at: &usize| {
            !self.is_dead(*at) && self.sequence(*at).wrapping_sub(first) == (*at - index) as u64
        };
        (index..self.len)
            .find(|at| !goes_on(at))
            .unwrap_or(self.len)
    }

    #[inline]
    pub(super) fn sequence(&self, index: usize) -> u64 {
        match &self.sequences {
            None => self.base + index as u64,
            Some(sequences) => sequences.get(index),
        }
    }

    #[inline]
    pub(super) fn subject(&self, index: usize) -> u32 {
        self.subjects.get(index) as u32
    }

    #[inline]
    pub(super) fn time_us(&self, index: usize) -> i64 {
        self.times.get(index) as i64
    }

    pub(super) fn entry(&self, index: usize) -> Entry {
        let length = self.lengths.get(index);
        Entry {
            sequence: self.sequence(index),
            time_us: self.time_us(index),
            size: length.wrapping_add(self.sizes.get(index)) as u32,
            place: Location {
                segment: self.segments.get(index) as u32,
                offset: self.offsets.get(index) as u32,
                length: length as u32,
            },
            flags: self.flags.get(index) as u8,
            subject: self.subject(index),
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let columns = [
            &self.times,
            &self.subjects,
            &self.segments,
            &self.offsets,
            &self.lengths,
            &self.sizes,
            &self.flags,
        ];
        let columns = columns.into_iter().chain(&self.sequences);
        self.dead.capacity() * 8 + columns.map(Column::heap_bytes).sum::<usize>()
    }

    fn columns_mut(&mut self) -> impl Iterator<Item = &mut Column> {
        let columns = [
            &mut self.times,
            &mut self.subjects,
            &mut self.segments,
            &mut self.offsets,
            &mut self.lengths,
            &mut self.sizes,
            &mut self.flags,
        ];
        columns.into_iter().chain(&mut self.sequences)
    }

    #[cold]
    fn keep_sequences(&mut self) {
        if self.sequences.is_none() {
            let mut sequences = Column::default();
            for index in 0..self.len {
                sequences.push(index, self.base + index as u64);
            }
            self.sequences = Some(sequences);
        }
    }
}

fn size_cell(entry: &Entry) -> u64 {
    u64::from(entry.size).wrapping_sub(u64::from(entry.place.length))
}
