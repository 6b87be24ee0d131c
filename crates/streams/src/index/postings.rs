//! The sequences of one subject's messages, ascending.
//!
//! A key of a key-value bucket has one or two and needs no memory of its own; one with some more has one piece
//! of memory, a subject of millions a list of them, at 4 bytes a message. Any sequence is found by halving.

use std::collections::VecDeque;

use super::chunk::{CHUNK_MAX, Chunk, View};

#[derive(Debug)]
pub(super) enum Postings {
    /// The first `len` of the two.
    Few {
        len: u8,
        at: [u64; 2],
    },
    /// The parts of a [`Chunk`]: as a whole it would make each subject 8 bytes larger.
    One {
        head: u16,
        len: u16,
        words: Box<[u32]>,
    },
    Many(Box<Chunks>),
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

impl From<Chunk> for Postings {
    fn from(Chunk { head, len, words }: Chunk) -> Self {
        Self::One { head, len, words }
    }
}

impl Postings {
    #[inline]
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Few { len, .. } => u64::from(*len),
            Self::One { len, .. } => u64::from(*len),
            Self::Many(chunks) => chunks.count,
        }
    }

    pub(super) fn first(&self) -> Option<u64> {
        match self {
            Self::Few { .. } => self.few().first().copied(),
            Self::One { head, len, words } => View::new(*head, *len, words).get(0),
            Self::Many(chunks) => chunks.list.front()?.view().get(0),
        }
    }

    pub(super) fn last(&self) -> Option<u64> {
        match self {
            Self::Few { .. } => self.few().last().copied(),
            Self::One { head, len, words } => View::new(*head, *len, words).last(),
            Self::Many(chunks) => chunks.list.back()?.view().last(),
        }
    }

    /// The first that is not below.
    pub(super) fn at_or_after(&self, sequence: u64) -> Option<u64> {
        match self {
            Self::Few { .. } => self.few().iter().copied().find(|&at| at >= sequence),
            Self::One { head, len, words } => {
                let view = View::new(*head, *len, words);
                view.get(view.before(sequence))
            }
            Self::Many(chunks) => {
                let number = chunks.position(sequence);
                let view = chunks.list.get(number)?.view();
                let here = view.get(view.before(sequence));
                here.or_else(|| chunks.list.get(number + 1)?.view().get(0))
            }
        }
    }

    /// The last that is not above.
    pub(super) fn at_or_before(&self, sequence: u64) -> Option<u64> {
        let below = |view: View<'_>| view.get(view.upto(sequence).checked_sub(1)?);
        match self {
            Self::Few { .. } => self.few().iter().rev().copied().find(|&at| at <= sequence),
            Self::One { head, len, words } => below(View::new(*head, *len, words)),
            Self::Many(chunks) => {
                let number = chunks.position(sequence);
                let here = below(chunks.list.get(number)?.view());
                here.or_else(|| chunks.list.get(number.checked_sub(1)?)?.view().last())
            }
        }
    }

    /// How many lie from `from` to `upto`.
    pub(super) fn count_between(&self, from: u64, upto: u64) -> u64 {
        if from > upto {
            return 0;
        }
        match self {
            Self::Few { .. } => {
                let within = |at: &&u64| (from..=upto).contains(*at);
                self.few().iter().filter(within).count() as u64
            }
            Self::One { head, len, words } => {
                let view = View::new(*head, *len, words);
                (view.upto(upto) - view.before(from)) as u64
            }
            Self::Many(chunks) => chunks.count_between(from, upto),
        }
    }

    /// Adds a sequence above all others.
    #[inline]
    pub(super) fn push(&mut self, sequence: u64) {
        match self {
            Self::Few { len: len @ 0, at } => (*len, *at) = (1, [sequence, 0]),
            Self::Few { len: len @ 1, at } => (*len, at[1]) = (2, sequence),
            Self::Few { .. } => self.insert(sequence),
            Self::One { head, len, words } => {
                let mut chunk = Chunk::of(head, len, words);
                let pushed = chunk.push(sequence);
                (*head, *len, *words) = (chunk.head, chunk.len, chunk.words);
                if !pushed {
                    self.insert(sequence);
                }
            }
            Self::Many(chunks) => {
                let last = chunks.list.back_mut();
                if last.is_some_and(|chunk| chunk.push(sequence)) {
                    chunks.count += 1;
                } else {
                    chunks.insert(sequence);
                }
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
            Self::One { head, len, words } => {
                let mut chunk = Chunk::of(head, len, words);
                if chunk.insert(sequence) {
                    *self = chunk.into();
                    return;
                }
                let mut chunks = Chunks {
                    count: u64::from(chunk.len),
                    list: VecDeque::from([chunk]),
                };
                chunks.insert(sequence);
                *self = Self::Many(Box::new(chunks));
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
            Self::One { head, len, words } => {
                let mut chunk = Chunk::of(head, len, words);
                chunk.remove(sequence);
                *self = match chunk.len {
                    0 | 1 => Self::alone(chunk.view().get(0)),
                    _ => chunk.into(),
                };
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
            Self::One { words, .. } => size_of_val::<[u32]>(words),
            Self::Many(chunks) => {
                let words = chunks.list.iter().map(|chunk| chunk.words.len());
                let inside = words.sum::<usize>() * size_of::<u32>();
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

impl Chunks {
    /// The last chunk that begins at the sequence or before it, or else the first.
    fn position(&self, sequence: u64) -> usize {
        match (self.list.back(), self.list.get(1)) {
            (Some(last), _) if sequence >= last.base() => self.list.len() - 1,
            (_, Some(second)) if sequence < second.base() => 0,
            _ => self
                .list
                .partition_point(|chunk| chunk.base() <= sequence)
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
            Some(chunk) if chunk.len <= 1 => Postings::alone(chunk.view().get(0)),
            Some(chunk) => chunk.into(),
        }
    }

    fn count_between(&self, from: u64, upto: u64) -> u64 {
        let (start, end) = (self.position(from), self.position(upto));
        let (Some(first), Some(last)) = (self.list.get(start), self.list.get(end)) else {
            return 0;
        };
        // All of the first chunk up to the end of the last, less what lies outside.
        let outside = first.view().before(from) + last.len() - last.view().upto(upto);
        let len = |chunk: &Chunk| u64::from(chunk.len);
        let within = end - start + 1;
        let all = if within > self.list.len() / 2 {
            let before = self.list.iter().take(start);
            let after = self.list.iter().skip(end + 1);
            self.count - before.chain(after).map(len).sum::<u64>()
        } else {
            self.list.iter().skip(start).take(within).map(len).sum()
        };
        all - outside as u64
    }

    fn insert(&mut self, sequence: u64) {
        let at = self.position(sequence);
        let Some(chunk) = self.list.get_mut(at) else {
            self.count += 1;
            self.list.push_back(Chunk::alone(sequence));
            return;
        };
        let before = chunk.len;
        if chunk.insert(sequence) {
            self.count += u64::from(chunk.len - before);
            return;
        }
        self.count += 1;
        if chunk.view().last().is_some_and(|last| last < sequence) {
            return self.list.insert(at + 1, Chunk::alone(sequence));
        }
        if sequence < chunk.base() {
            return self.list.insert(at, Chunk::alone(sequence));
        }
        let mut back = chunk.split();
        let half = if sequence < back.base() {
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
        if chunk.len == 0 {
            self.list.remove(at);
        } else if chunk.len() <= CHUNK_MAX / 4 {
            self.merge(at);
        }
        self.shrink_list();
    }

    /// Drops chunks that lie in the range as a whole, as long as one is left.
    fn remove_whole(&mut self, from: u64, upto: u64) {
        let start = self.list.partition_point(|chunk| chunk.base() < from);
        let within = |chunk: &Chunk| chunk.view().last().is_some_and(|last| last <= upto);
        let end = self.list.partition_point(within);
        let end = end.min(self.list.len().saturating_sub(usize::from(start == 0)));
        if start < end {
            let dropped = self.list.drain(start..end);
            self.count -= dropped.map(|chunk| u64::from(chunk.len)).sum::<u64>();
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
            if front.len() + back.len() > CHUNK_MAX / 2 {
                continue;
            }
            let Some(back) = self.list.remove(first + 1) else {
                continue;
            };
            let front = self.list.get_mut(first);
            if !front.is_some_and(|front| front.append(&back)) {
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
