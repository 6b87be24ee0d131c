//! Some hundred ascending sequences in one piece of memory.

/// Most sequences of a chunk: with its base it fills 2 KB.
pub(super) const CHUNK_MAX: usize = CHUNK_WORDS_MAX - BASE_WORDS;
const CHUNK_WORDS_MAX: usize = 512;
/// Words of the first chunk of a subject.
const CHUNK_WORDS_MIN: usize = 8;
/// Words that hold the base.
const BASE_WORDS: usize = 2;

/// Sequences as distances of 32 bits from a base, which is not always among them. Never empty in a list.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Places before the first that is used.
    pub(super) head: u16,
    /// Sequences.
    pub(super) len: u16,
    /// The base, lower half first, and the distances.
    pub(super) words: Box<[u32]>,
}

/// The sequences of a chunk.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    base: u64,
    pub(super) distances: &'a [u32],
}

impl<'a> View<'a> {
    #[inline]
    pub(super) fn new(head: u16, len: u16, words: &'a [u32]) -> Self {
        let (base, distances) = match words {
            [low, high, distances @ ..] => (u64::from(*high) << 32 | u64::from(*low), distances),
            _ => (0, words),
        };
        let (from, len) = (usize::from(head), usize::from(len));
        Self {
            base,
            distances: distances.get(from..from + len).unwrap_or_default(),
        }
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<u64> {
        let distance = *self.distances.get(index)?;
        Some(self.base + u64::from(distance))
    }

    pub(super) fn last(&self) -> Option<u64> {
        self.get(self.distances.len().checked_sub(1)?)
    }

    /// How many are below.
    pub(super) fn before(&self, sequence: u64) -> usize {
        let Some(distance) = sequence.checked_sub(self.base) else {
            return 0;
        };
        self.distances
            .partition_point(|&at| u64::from(at) < distance)
    }

    /// How many are not above.
    pub(super) fn upto(&self, sequence: u64) -> usize {
        let end = sequence.checked_add(1);
        end.map_or(self.distances.len(), |end| self.before(end))
    }
}

impl Chunk {
    pub(super) fn alone(sequence: u64) -> Self {
        let mut words = vec![0; CHUNK_WORDS_MIN];
        set_base(&mut words, sequence);
        Self {
            head: 0,
            len: 1,
            words: words.into(),
        }
    }

    /// Of its parts, the memory taken from there.
    #[inline]
    pub(super) fn of(head: &u16, len: &u16, words: &mut Box<[u32]>) -> Self {
        Self {
            head: *head,
            len: *len,
            words: std::mem::take(words),
        }
    }

    #[inline]
    pub(super) fn view(&self) -> View<'_> {
        View::new(self.head, self.len, &self.words)
    }

    #[inline]
    pub(super) fn base(&self) -> u64 {
        View::new(0, 0, &self.words).base
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Where the distance with this index is.
    fn word(&self, index: usize) -> usize {
        BASE_WORDS + usize::from(self.head) + index
    }

    /// Adds a sequence above all others. False if there is no room for it, or it is too far away.
    #[inline]
    pub(super) fn push(&mut self, sequence: u64) -> bool {
        let Ok(distance) = u32::try_from(sequence.wrapping_sub(self.base())) else {
            return false;
        };
        let end = self.word(self.len());
        if let Some(word) = self.words.get_mut(end) {
            *word = distance;
            self.len += 1;
            return true;
        }
        self.insert(sequence)
    }

    /// False if there is no room for it, or it is too far away.
    pub(super) fn insert(&mut self, sequence: u64) -> bool {
        let view = self.view();
        let (base, index, last) = (view.base, view.before(sequence), view.last());
        if view.get(index) == Some(sequence) {
            return true;
        }
        if self.len() >= CHUNK_MAX {
            return false;
        }
        if sequence < base {
            // The others come to be further away.
            let last = last.unwrap_or(base);
            if u32::try_from(last - sequence).is_err() {
                return false;
            }
            let from = self.word(0);
            let end = self.word(self.len());
            for distance in self.words.get_mut(from..end).unwrap_or_default() {
                *distance += (base - sequence) as u32;
            }
            set_base(&mut self.words, sequence);
        }
        let Ok(distance) = u32::try_from(sequence - self.base()) else {
            return false;
        };
        if self.word(self.len()) >= self.words.len() {
            // Where old ones go as new ones come, the rest must not be moved each time.
            let room = (self.len() + self.len() / 4 + 1 + BASE_WORDS).next_power_of_two();
            if room > CHUNK_WORDS_MAX && index == self.len() {
                return false;
            }
            self.resize(room.clamp(CHUNK_WORDS_MIN, CHUNK_WORDS_MAX));
        }
        let (at, end) = (self.word(index), self.word(self.len()));
        self.words.copy_within(at..end, at + 1);
        if let Some(word) = self.words.get_mut(at) {
            *word = distance;
        }
        self.len += 1;
        true
    }

    pub(super) fn remove(&mut self, sequence: u64) -> bool {
        let view = self.view();
        // The oldest, mostly.
        let index = match view.get(0) {
            Some(first) if first == sequence => 0,
            _ => view.before(sequence),
        };
        if view.get(index) != Some(sequence) {
            return false;
        }
        if index == 0 {
            self.head += 1;
        } else {
            let (at, end) = (self.word(index), self.word(self.len()));
            self.words.copy_within(at + 1..end, at);
        }
        self.len -= 1;
        if self.words.len() > CHUNK_WORDS_MIN && self.len() * 4 < self.words.len() {
            let room = (self.len() + BASE_WORDS).next_power_of_two();
            self.resize(room.max(CHUNK_WORDS_MIN));
        }
        true
    }

    /// Takes the sequences of the chunk behind it, if they fit.
    pub(super) fn append(&mut self, other: &Self) -> bool {
        let (base, other) = (self.base(), other.view());
        let fits = |last: u64| u32::try_from(last - base).is_ok();
        let len = self.len() + other.distances.len();
        if !other.last().is_none_or(fits) || len > CHUNK_MAX {
            return false;
        }
        self.resize((len + BASE_WORDS).next_power_of_two());
        let sequences = (0..other.distances.len()).filter_map(|index| other.get(index));
        for sequence in sequences {
            self.push(sequence);
        }
        true
    }

    /// Moves the upper half of the sequences to a chunk of their own.
    pub(super) fn split(&mut self) -> Self {
        let half = self.len() / 2;
        let mut back = Self::default();
        let view = self.view();
        for sequence in (half..self.len()).filter_map(|index| view.get(index)) {
            if back.len == 0 {
                back = Self::alone(sequence);
            } else {
                back.push(sequence);
            }
        }
        self.len = half as u16;
        back
    }

    /// Moves to another piece of memory with so many words, which are enough; no place before the first
    /// is left unused.
    fn resize(&mut self, words: usize) {
        let mut moved = vec![0; words];
        let base = self.words.iter().take(BASE_WORDS);
        let distances = self.view().distances.iter();
        for (to, &from) in moved.iter_mut().zip(base.chain(distances)) {
            *to = from;
        }
        self.words = moved.into();
        self.head = 0;
    }
}

fn set_base(words: &mut [u32], base: u64) {
    if let [low, high, ..] = words {
        (*low, *high) = (base as u32, (base >> 32) as u32);
    }
}
