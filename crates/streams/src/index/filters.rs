//! What a reader wants to see of a stream: a set of filter subjects, and what is known of each subject.
//!
//! A subject is matched once and its number remembered, two bits each, so that looking through messages
//! compares no texts. The few subjects that a narrow set matches are known by number, so that their messages
//! are found without looking through those of others.

use super::subjects::Subjects;

/// Most subjects that are followed one by one. With more of them there is one among few messages, mostly.
pub(super) const FOLLOWED_MAX: usize = 64;

const UNKNOWN: u64 = 0;
const NO: u64 = 2;
const YES: u64 = 3;

/// A set of filter subjects for use with one [`Index`](super::Index). An empty set lets everything through.
#[derive(Debug)]
pub struct Filters {
    everything: bool,
    /// Those without wildcards, sorted.
    literals: Vec<Box<[u8]>>,
    patterns: Vec<Pattern>,
    /// Two bits for each subject's number.
    known: Vec<u64>,
    /// How many numbers had been given again when `known` was true.
    seen: u64,
    followed: Followed,
}

/// The subjects that match, if they are few.
#[derive(Debug, Default)]
struct Followed {
    ids: Vec<u32>,
    /// Numbers below it have been looked at.
    upto: u32,
    too_many: bool,
}

/// What is known of the subjects that match.
pub(super) enum Matching<'a> {
    /// These, and no other that has messages.
    Few(&'a [u32]),
    TooMany,
    /// Not all were looked at; the work allowed is done.
    Unfinished,
}

impl Default for Filters {
    fn default() -> Self {
        Self {
            everything: true,
            literals: Vec::new(),
            patterns: Vec::new(),
            known: Vec::new(),
            seen: 0,
            followed: Followed::default(),
        }
    }
}

impl Filters {
    /// Of filter subjects, as they are valid in a subscription.
    pub fn new<F: AsRef<[u8]>>(filters: impl IntoIterator<Item = F>) -> Self {
        let mut made = Self::default();
        let mut given = false;
        let mut everything = false;
        for filter in filters {
            let filter = filter.as_ref();
            given = true;
            if filter == b">" {
                everything = true;
            } else if recado_wire::has_wildcard(filter) {
                made.patterns.push(Pattern::new(filter));
            } else {
                made.literals.push(filter.into());
            }
        }
        made.everything = everything || !given;
        made.literals.sort_unstable();
        made.literals.dedup();
        made
    }

    /// Every subject matches.
    pub fn is_everything(&self) -> bool {
        self.everything
    }

    /// Whether a subject matches, be it known or not.
    pub fn matches(&self, subject: &[u8]) -> bool {
        let is_literal = || {
            let found = self.literals.binary_search_by(|text| (**text).cmp(subject));
            found.is_ok()
        };
        self.everything
            || (!self.literals.is_empty() && is_literal())
            || self.patterns.iter().any(|pattern| pattern.matches(subject))
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let literals: usize = self.literals.iter().map(|text| text.len()).sum();
        let patterns: usize = self.patterns.iter().map(Pattern::heap_bytes).sum();
        literals
            + self.literals.capacity() * size_of::<Box<[u8]>>()
            + patterns
            + self.patterns.capacity() * size_of::<Pattern>()
            + self.known.capacity() * size_of::<u64>()
            + self.followed.ids.capacity() * size_of::<u32>()
    }

    /// Forgets what is no longer true. Must come before the other two, each time that the index may have
    /// changed.
    pub(super) fn catch_up(&mut self, subjects: &Subjects) {
        if self.seen == subjects.reassigned() {
            return;
        }
        let Some(reassigned) = subjects.reassigned_since(self.seen) else {
            self.known.clear();
            self.followed = Followed::default();
            self.seen = subjects.reassigned();
            return;
        };
        for id in reassigned {
            if let Some(word) = self.known.get_mut(id as usize / 32) {
                *word &= !(3 << (id % 32 * 2));
            }
            if self.followed.upto > id {
                self.followed.ids.retain(|&followed| followed != id);
                if !self.followed.too_many && self.verdict(id, subjects) {
                    self.follow(id, subjects);
                }
            }
        }
        self.seen = subjects.reassigned();
    }

    /// Whether the subject with this number matches.
    #[inline]
    pub(super) fn verdict(&mut self, id: u32, subjects: &Subjects) -> bool {
        let (word, shift) = (id as usize / 32, id % 32 * 2);
        match self
            .known
            .get(word)
            .map_or(UNKNOWN, |bits| bits >> shift & 3)
        {
            UNKNOWN => self.judge(id, subjects),
            known => known == YES,
        }
    }

    /// The subjects that match, as far as `budget` subjects more to look at allow to know.
    pub(super) fn matching(&mut self, subjects: &Subjects, budget: &mut usize) -> Matching<'_> {
        if self.followed.upto == 0 && self.patterns.is_empty() {
            *budget = budget.saturating_sub(self.literals.len());
            for at in 0..self.literals.len() {
                let id = self.literals.get(at).and_then(|text| subjects.find(text));
                if let Some(id) = id {
                    self.follow(id, subjects);
                }
            }
            self.followed.upto = subjects.bound();
        }
        while self.followed.upto < subjects.bound() && !self.followed.too_many {
            if *budget == 0 {
                return Matching::Unfinished;
            }
            *budget -= 1;
            let id = self.followed.upto;
            if subjects.postings(id).is_some() && self.verdict(id, subjects) {
                self.follow(id, subjects);
            }
            self.followed.upto = id + 1;
        }
        if self.followed.too_many {
            return Matching::TooMany;
        }
        Matching::Few(&self.followed.ids)
    }

    /// How many numbers [`Filters::matching`] would have to look at.
    pub(super) fn unfollowed(&self, subjects: &Subjects) -> u64 {
        if self.followed.too_many || (self.followed.upto == 0 && self.patterns.is_empty()) {
            return 0;
        }
        u64::from(subjects.bound() - self.followed.upto.min(subjects.bound()))
    }

    /// How many subjects would be asked, as far as is known.
    pub(super) fn followed(&self) -> usize {
        self.followed.ids.len()
    }

    fn follow(&mut self, id: u32, subjects: &Subjects) {
        let ids = &mut self.followed.ids;
        if ids.len() >= FOLLOWED_MAX {
            // A number without a subject is looked at again when it is given again.
            ids.retain(|&id| subjects.postings(id).is_some());
        }
        if ids.len() >= FOLLOWED_MAX {
            self.followed.too_many = true;
            self.followed.ids = Vec::new();
        } else if !self.followed.too_many {
            ids.push(id);
        }
    }

    #[cold]
    fn judge(&mut self, id: u32, subjects: &Subjects) -> bool {
        let (word, shift) = (id as usize / 32, id % 32 * 2);
        let matches = self.matches(subjects.text(id));
        if self.known.len() <= word {
            let words = (subjects.bound() as usize).div_ceil(32);
            self.known.resize(words.max(word + 1), UNKNOWN);
        }
        if let Some(bits) = self.known.get_mut(word) {
            *bits |= if matches { YES } else { NO } << shift;
        }
        matches
    }
}

/// A filter with wildcards.
#[derive(Debug)]
struct Pattern {
    /// Tokens before the first wildcard, each with its dot.
    prefix: Box<[u8]>,
    /// From the first wildcard on, without `>`. `None` is any token.
    tokens: Vec<Option<Box<[u8]>>>,
    /// One or more tokens may follow.
    tail: bool,
}

impl Pattern {
    fn new(filter: &[u8]) -> Self {
        let tokens: Vec<&[u8]> = recado_wire::tokens(filter).collect();
        let is_wild = |token: &&[u8]| *token == b"*" || *token == b">";
        let literal = tokens.iter().take_while(|token| !is_wild(token)).count();
        let (before, wild) = tokens.split_at(literal);
        let tail = wild.last().is_some_and(|token| *token == b">");
        let wild = wild
            .get(..wild.len() - usize::from(tail))
            .unwrap_or_default();
        let prefix: Vec<u8> = before
            .iter()
            .flat_map(|token| token.iter().chain(b"."))
            .copied()
            .collect();
        let token = |token: &&[u8]| (*token != b"*").then(|| Box::from(*token));
        Self {
            prefix: prefix.into(),
            tokens: wild.iter().map(token).collect(),
            tail,
        }
    }

    fn matches(&self, subject: &[u8]) -> bool {
        let Some(mut rest) = subject.strip_prefix(&*self.prefix) else {
            return false;
        };
        for (at, wanted) in self.tokens.iter().enumerate() {
            if at > 0 {
                // What the last token left begins with its dot.
                let Some(behind) = rest.strip_prefix(b".") else {
                    return false;
                };
                rest = behind;
            }
            let len = rest.iter().position(|&byte| byte == b'.');
            let (token, behind) = rest.split_at(len.unwrap_or(rest.len()));
            if token.is_empty() || wanted.as_ref().is_some_and(|wanted| **wanted != *token) {
                return false;
            }
            rest = behind;
        }
        match (self.tail, self.tokens.is_empty()) {
            (false, _) => rest.is_empty(),
            (true, true) => !rest.is_empty(),
            (true, false) => rest.len() > 1,
        }
    }

    fn heap_bytes(&self) -> usize {
        let tokens = self.tokens.iter().flatten();
        self.prefix.len()
            + self.tokens.capacity() * size_of::<Option<Box<[u8]>>>()
            + tokens.map(|token| token.len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dotted(token: &'static [&'static str], tokens: usize) -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(token), 1..=tokens)
            .prop_map(|tokens| tokens.join("."))
    }

    proptest! {
        #[test]
        fn a_set_matches_what_one_of_its_filters_matches(
            filters in prop::collection::vec(
                (dotted(&["a", "b", "ab", "*"], 4), any::<bool>()), 1..4),
            subject in dotted(&["a", "b", "ab"], 5),
        ) {
            let filters: Vec<String> = filters
                .into_iter()
                .map(|(filter, tail)| if tail { filter + ".>" } else { filter })
                .collect();
            let expected = filters
                .iter()
                .any(|filter| recado_wire::filter_matches(filter.as_bytes(), subject.as_bytes()));
            prop_assert_eq!(Filters::new(&filters).matches(subject.as_bytes()), expected);
        }
    }

    #[test]
    fn no_filter_and_the_filter_of_all_match_everything() {
        assert!(Filters::new::<&str>([]).is_everything());
        assert!(Filters::default().is_everything());
        assert!(Filters::new(["a", ">"]).is_everything());
        assert!(Filters::new(["a", ">"]).matches(b"b.c"));
        assert!(!Filters::new(["*"]).matches(b"b.c"));
    }
}
