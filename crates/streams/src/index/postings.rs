//! The sequences of one subject's messages, ascending.
//!
//! A key of a key-value bucket has one or two and needs no memory of its own; a subject of millions has
//! chunks of 4 bytes a message. Any of them is found by halving, from both ends at once by looking.

use std::collections::VecDeque;

/// Most sequences of a chunk.
const CHUNK_MAX: usize = 512;

#[derive(Debug)]
pub(super) enum Postings {
    /// The first `len` of the two.
    Few {
        len: u8,
        at: [u64; 2],
    },
    One(Box<Chunk>),
    Many(Box<Chunks>),
}

/// Sequences from `base` on that lie within 32 bits of it, the base not always among them. Never empty.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    base: u64,
    distances: Vec<u32>,
}

/// Chunks in order.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    count: u64,
    list: VecDeque<Chunk>,
}

impl Default for Postings {
    fn default() -> Self {
        Self::Few { len: 0, at: [0; 2] }
    }
}

impl Postings {
    #[inline]
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Few { len, .. } => u64::from(*len),
            Self::One(chunk) => chunk.distances.len() as u64,
            Self::Many(chunks) => chunks.count,
        }
    }

    pub(super) fn first(&self) -> Option<u64> {
        match self {
            Self::Few { .. } => self.few().first().copied(),
            Self::One(chunk) => chunk.get(0),
            Self::Many(chunks) => chunks.list.front()?.get(0),
        }
    }

    pub(super) fn last(&self) -> Option<u64> {
        match self {
            Self::Few { .. } => self.few().last().copied(),
            Self::One(chunk) => chunk.last(),
            Self::Many(chunks) => chunks.list.back()?.last(),
        }
    }

    /// The first that is not below.
    pub(super) fn at_or_after(&self, sequence: u64) -> Option<u64> {
        match self {
            Self::Few { .. } => self.few().iter().copied().find(|&at| at >= sequence),
            Self::One(chunk) => chunk.get(chunk.before(sequence)),
            Self::Many(chunks) => {
                let number = chunks.position(sequence);
                let chunk = chunks.list.get(number)?;
                let here = chunk.get(chunk.before(sequence));
                here.or_else(|| chunks.list.get(number + 1)?.get(0))
            }
        }
    }

    /// The last that is not above.
    pub(super) fn at_or_before(&self, sequence: u64) -> Option<u64> {
        let below = |chunk: &Chunk| {
            let end = sequence
                .checked_add(1)
                .map_or(chunk.distances.len(), |end| chunk.before(end));
            chunk.get(end.checked_sub(1)?)
        };
        match self {
            Self::Few { .. } => self.few().iter().rev().copied().find(|&at| at <= sequence),
            Self::One(chunk) => below(chunk),
            Self::Many(chunks) => {
                let number = chunks.position(sequence);
                let here = below(chunks.list.get(number)?);
                here.or_else(|| chunks.list.get(number.checked_sub(1)?)?.last())
            }
        }
    }

    /// How many lie from `from` to `upto`.
    pub(super) fn count_between(&self, from: u64, upto: u64) -> u64 {
        if from > upto {
            return 0;
        }
        let upto_end = |chunk: &Chunk| {
            upto.checked_add(1)
                .map_or(chunk.distances.len(), |end| chunk.before(end))
        };
        match self {
            Self::Few { .. } => {
                let within = |at: &&u64| (from..=upto).contains(*at);
                self.few().iter().filter(within).count() as u64
            }
            Self::One(chunk) => (upto_end(chunk) - chunk.before(from)) as u64,
            Self::Many(chunks) => {
                let (start, end) = (chunks.position(from), chunks.position(upto));
                let (Some(first), Some(last)) = (chunks.list.get(start), chunks.list.get(end))
                else {
                    return 0;
                };
                // All of the first chunk up to the end of the last, less what lies outside.
                let outside = first.before(from) + last.distances.len() - upto_end(last);
                let len = |chunk: &Chunk| chunk.distances.len() as u64;
                let within = end - start + 1;
                let all = if within > chunks.list.len() / 2 {
                    let before = chunks.list.iter().take(start);
                    let after = chunks.list.iter().skip(end + 1);
                    chunks.count - before.chain(after).map(len).sum::<u64>()
                } else {
                    chunks.list.iter().skip(start).take(within).map(len).sum()
                };
                all - outside as u64
            }
        }
    }

    /// Adds a sequence; one that is there stays.
    pub(super) fn insert(&mut self, sequence: u64) {
        match self {
            Self::Few { len, at } => {
                let count = usize::from(*len).min(2);
                let place = at.iter().take(count).filter(|&&at| at < sequence).count();
                if place < count && at[place] == sequence {
                    return;
                }
                if count < 2 {
                    at[1] = if place == 0 { at[0] } else { sequence };
                    at[0] = if place == 0 { sequence } else { at[0] };
                    *len += 1;
                    return;
                }
                let mut chunks = Chunks::default();
                for sequence in [at[0], at[1], sequence] {
                    chunks.insert(sequence);
                }
                *self = chunks.into_postings();
            }
            Self::One(chunk) => {
                if !chunk.insert(sequence) {
                    let mut chunks = Chunks {
                        count: chunk.distances.len() as u64,
                        list: VecDeque::from([std::mem::take(&mut **chunk)]),
                    };
                    chunks.insert(sequence);
                    *self = Self::Many(Box::new(chunks));
                }
            }
            Self::Many(chunks) => chunks.insert(sequence),
        }
    }

    /// Removes a sequence, if it is there.
    pub(super) fn remove(&mut self, sequence: u64) {
        match self {
            Self::Few { len, at } => match (*len, *at) {
                (1 | 2, [first, second]) if first == sequence => {
                    *at = [second, 0];
                    *len -= 1;
                }
                (2, [_, second]) if second == sequence => *len = 1,
                _ => {}
            },
            Self::One(chunk) => {
                chunk.remove(sequence);
                if chunk.distances.len() <= 1 {
                    *self = Self::alone(chunk.get(0));
                }
            }
            Self::Many(chunks) => {
                chunks.remove(sequence);
                if chunks.list.len() <= 1 {
                    *self = std::mem::take(&mut **chunks).into_postings();
                }
            }
        }
    }

    /// Removes all from `from` to `upto`.
    pub(super) fn remove_range(&mut self, from: u64, upto: u64) {
        if let Self::Many(chunks) = self {
            chunks.remove_whole(from, upto);
        }
        while let Some(next) = self.at_or_after(from).filter(|&next| next <= upto) {
            self.remove(next);
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Few { .. } => 0,
            Self::One(chunk) => size_of::<Chunk>() + chunk.heap_bytes(),
            Self::Many(chunks) => {
                let inside: usize = chunks.list.iter().map(Chunk::heap_bytes).sum();
                size_of::<Chunks>() + chunks.list.capacity() * size_of::<Chunk>() + inside
            }
        }
    }

    fn few(&self) -> &[u64] {
        match self {
            Self::Few { len, at } => at.get(..usize::from(*len)).unwrap_or_default(),
            _ => &[],
        }
    }

    fn alone(sequence: Option<u64>) -> Self {
        Self::Few {
            len: u8::from(sequence.is_some()),
            at: [sequence.unwrap_or(0), 0],
        }
    }
}

impl Chunk {
    fn alone(sequence: u64) -> Self {
        Self {
            base: sequence,
            distances: vec![0],
        }
    }

    #[inline]
    fn get(&self, index: usize) -> Option<u64> {
        let distance = *self.distances.get(index)?;
        Some(self.base + u64::from(distance))
    }

    fn last(&self) -> Option<u64> {
        self.get(self.distances.len().checked_sub(1)?)
    }

    /// How many are below.
    fn before(&self, sequence: u64) -> usize {
        let Some(distance) = sequence.checked_sub(self.base) else {
            return 0;
        };
        self.distances
            .partition_point(|&at| u64::from(at) < distance)
    }

    /// False if there is no room for it, or it is too far away.
    fn insert(&mut self, sequence: u64) -> bool {
        let index = self.before(sequence);
        if self.get(index) == Some(sequence) {
            return true;
        }
        if self.distances.len() >= CHUNK_MAX {
            return false;
        }
        if sequence < self.base {
            let (lower, last) = (self.base - sequence, self.last().unwrap_or(self.base));
            let fits = u32::try_from(last - sequence).is_ok();
            let Some(lower) = u32::try_from(lower).ok().filter(|_| fits) else {
                return false;
            };
            for distance in &mut self.distances {
                *distance += lower;
            }
            self.base = sequence;
            self.distances.insert(0, 0);
            return true;
        }
        let Ok(distance) = u32::try_from(sequence - self.base) else {
            return false;
        };
        self.distances.insert(index, distance);
        true
    }

    fn remove(&mut self, sequence: u64) -> bool {
        let index = self.before(sequence);
        if self.get(index) != Some(sequence) {
            return false;
        }
        self.distances.remove(index);
        if self.distances.len() * 4 < self.distances.capacity() && self.distances.capacity() > 8 {
            self.distances.shrink_to(self.distances.len() * 2);
        }
        true
    }

    /// Takes the sequences of the chunk behind it, if they fit.
    fn append(&mut self, other: &Self) -> bool {
        let fits = |last: u64| u32::try_from(last - self.base).is_ok();
        if !other.last().is_none_or(fits) {
            return false;
        }
        for &distance in &other.distances {
            let sequence = other.base + u64::from(distance);
            self.distances.push((sequence - self.base) as u32);
        }
        true
    }

    fn heap_bytes(&self) -> usize {
        self.distances.capacity() * size_of::<u32>()
    }
}

impl Chunks {
    /// The last chunk that begins at the sequence or before it, or else the first.
    fn position(&self, sequence: u64) -> usize {
        match self.list.back() {
            Some(last) if sequence >= last.base => self.list.len() - 1,
            _ => self
                .list
                .partition_point(|chunk| chunk.base <= sequence)
                .saturating_sub(1),
        }
    }

    /// The smallest form for as many.
    fn into_postings(mut self) -> Postings {
        match self.list.pop_front() {
            None => Postings::default(),
            Some(chunk) if !self.list.is_empty() => {
                self.list.push_front(chunk);
                Postings::Many(Box::new(self))
            }
            Some(chunk) if chunk.distances.len() <= 1 => Postings::alone(chunk.get(0)),
            Some(chunk) => Postings::One(Box::new(chunk)),
        }
    }

    fn insert(&mut self, sequence: u64) {
        let at = self.position(sequence);
        let Some(chunk) = self.list.get_mut(at) else {
            self.count += 1;
            self.list.push_back(Chunk::alone(sequence));
            return;
        };
        let before = chunk.distances.len() as u64;
        if chunk.insert(sequence) {
            self.count += chunk.distances.len() as u64 - before;
            return;
        }
        self.count += 1;
        if chunk.last().is_some_and(|last| last < sequence) {
            return self.list.insert(at + 1, Chunk::alone(sequence));
        }
        if sequence < chunk.base {
            return self.list.insert(at, Chunk::alone(sequence));
        }
        let back = chunk.distances.split_off(chunk.distances.len() / 2);
        let skipped = back.first().copied().unwrap_or(0);
        let mut back = Chunk {
            base: chunk.base + u64::from(skipped),
            distances: back.into_iter().map(|at| at - skipped).collect(),
        };
        let half = if sequence < back.base {
            chunk
        } else {
            &mut back
        };
        half.insert(sequence);
        self.list.insert(at + 1, back);
    }

    fn remove(&mut self, sequence: u64) {
        let at = self.position(sequence);
        let Some(chunk) = self.list.get_mut(at) else {
            return;
        };
        if !chunk.remove(sequence) {
            return;
        }
        self.count -= 1;
        if chunk.distances.is_empty() {
            self.list.remove(at);
        } else if chunk.distances.len() <= CHUNK_MAX / 4 {
            self.merge(at);
        }
        self.shrink_list();
    }

    /// Drops chunks that lie in the range as a whole, as long as one is left.
    fn remove_whole(&mut self, from: u64, upto: u64) {
        let start = self.list.partition_point(|chunk| chunk.base < from);
        let within = |chunk: &Chunk| chunk.last().is_some_and(|last| last <= upto);
        let end = self.list.partition_point(within);
        let end = end.min(self.list.len().saturating_sub(usize::from(start == 0)));
        if start < end {
            let dropped = self.list.drain(start..end);
            self.count -= dropped
                .map(|chunk| chunk.distances.len() as u64)
                .sum::<u64>();
            self.shrink_list();
        }
    }

    fn shrink_list(&mut self) {
        if self.list.len() * 4 < self.list.capacity() && self.list.capacity() > 8 {
            self.list.shrink_to(self.list.len() * 2);
        }
    }

    /// Joins a small chunk with a small neighbour.
    fn merge(&mut self, at: usize) {
        for first in [Some(at), at.checked_sub(1)].into_iter().flatten() {
            let (Some(front), Some(back)) = (self.list.get(first), self.list.get(first + 1)) else {
                continue;
            };
            if front.distances.len() + back.distances.len() > CHUNK_MAX / 2 {
                continue;
            }
            let Some(back) = self.list.remove(first + 1) else {
                continue;
            };
            let joined = self
                .list
                .get_mut(first)
                .is_some_and(|front| front.append(&back));
            if !joined {
                self.list.insert(first + 1, back);
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    /// Inserts or removes every `step`-th of so many from a place on.
    #[derive(Clone, Debug)]
    struct Edit {
        put: bool,
        from: u64,
        len: u64,
        step: u64,
    }

    fn any_edit() -> impl Strategy<Value = Edit> {
        let place = prop_oneof![0u64..4000, (1u64 << 33)..(1 << 33) + 100];
        let len = prop_oneof![1u64..4, 1u64..3000];
        (any::<bool>(), place, len, 1u64..7).prop_map(|(put, from, len, step)| Edit {
            put,
            from,
            len,
            step,
        })
    }

    fn assert_alike(postings: &Postings, model: &BTreeSet<u64>, places: &[u64]) {
        assert_eq!(postings.count(), model.len() as u64);
        assert_eq!(postings.first(), model.first().copied());
        assert_eq!(postings.last(), model.last().copied());
        for &place in places {
            let after = model.range(place..).next().copied();
            assert_eq!(postings.at_or_after(place), after);
            let before = model.range(..=place).next_back().copied();
            assert_eq!(postings.at_or_before(place), before);
            for &upto in places.iter().filter(|&&upto| upto >= place) {
                let count = model.range(place..=upto).count() as u64;
                assert_eq!(postings.count_between(place, upto), count);
            }
        }
    }

    proptest! {
        #[test]
        fn postings_are_a_sorted_set(
            edits in prop::collection::vec(any_edit(), 1..20),
            ranges in prop::collection::vec((0u64..5000, 0u64..2000), 3),
        ) {
            let (mut postings, mut model) = (Postings::default(), BTreeSet::new());
            for edit in &edits {
                for sequence in (edit.from..edit.from + edit.len).step_by(edit.step as usize) {
                    if edit.put {
                        postings.insert(sequence);
                        model.insert(sequence);
                    } else {
                        postings.remove(sequence);
                        model.remove(&sequence);
                    }
                }
                let mut places = vec![edit.from, edit.from + edit.len, 0, u64::MAX];
                places.extend(ranges.iter().map(|&(from, len)| from + len));
                assert_alike(&postings, &model, &places);
            }
            for (from, len) in ranges {
                postings.remove_range(from, from + len);
                model.retain(|at| !(from..=from + len).contains(at));
                assert_alike(&postings, &model, &[from, from + len]);
            }
        }
    }

    #[test]
    fn one_or_two_sequences_take_no_memory_and_it_is_given_back() {
        let mut postings = Postings::default();
        for sequence in 0..10_000 {
            postings.insert(sequence);
        }
        assert!(postings.heap_bytes() < 46_000, "{}", postings.heap_bytes());
        for sequence in 0..9_000 {
            postings.remove(sequence);
        }
        assert!(postings.heap_bytes() < 7_000, "{}", postings.heap_bytes());
        postings.remove_range(0, 9_997);
        assert_eq!((postings.count(), postings.first()), (2, Some(9_998)));
        postings.remove(9_998);
        assert_eq!(postings.heap_bytes(), 0);
    }
}
