//! The index of one account's subscriptions.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use hashbrown::HashMap;
use parking_lot::RwLock;
use recado_wire::{has_wildcard, is_publish_subject, tokens};

use crate::interest::{Interest, SubSet};
use crate::subscription::Subscription;
use crate::trie::{Node, shrink};

/// Shards of each index. More shards make a change invalidate fewer cached routes.
const SHARDS: usize = 256;

/// One shard: its content, and a number that grows with every change of it.
struct Shard<T> {
    generation: AtomicU64,
    /// Of literals: how many subjects it has. While it has none, nobody looks.
    subjects: AtomicUsize,
    content: RwLock<T>,
}

impl<T: Default> Default for Shard<T> {
    fn default() -> Self {
        Self {
            generation: AtomicU64::new(0),
            subjects: AtomicUsize::new(0),
            content: RwLock::default(),
        }
    }
}

type Literals<S> = HashMap<Box<[u8]>, Interest<S>, foldhash::fast::RandomState>;

/// The subscriptions of one account.
pub struct Router<S> {
    hasher: foldhash::fast::RandomState,
    /// Filters without wildcards, by the hash of the whole subject.
    literals: Box<[Shard<Literals<S>>]>,
    /// Filters with a wildcard behind a literal first token, by the hash of that token.
    filters: Box<[Shard<Node<S>>]>,
    /// Filters that begin with a wildcard: they concern every subject.
    broad: RwLock<Node<S>>,
    /// Subscriptions in `filters` and `broad`: while there are none, nobody looks.
    wildcards: AtomicUsize,
    count: AtomicUsize,
    removes: AtomicU64,
}

/// How often an index was changed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Subscriptions that were added.
    pub inserts: u64,
    /// Subscriptions that were removed.
    pub removes: u64,
}

/// Whom a subject reaches.
#[derive(Debug)]
pub struct Matches<S> {
    /// Everybody here gets a copy.
    pub plain: Vec<Arc<S>>,
    /// One member of each gets a copy; the same group name under several filters is one group (A44).
    pub queues: Vec<Group<S>>,
    /// Whether each subject that differs from this one in its last token alone reaches the same, unless somebody
    /// subscribed to it by name: so it is with the inboxes of one requester.
    pub is_of_siblings: bool,
}

/// A queue group that a subject reaches.
#[derive(Debug)]
pub struct Group<S> {
    /// Name of the group.
    pub name: Box<[u8]>,
    /// Its members, under whatever filters.
    pub members: Vec<Arc<S>>,
}

/// The state of the index that a subject was resolved at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    literal: u64,
    filter: u64,
    filter_shard: u16,
}

impl<S> Default for Router<S> {
    fn default() -> Self {
        Self {
            hasher: foldhash::fast::RandomState::default(),
            literals: std::iter::repeat_with(Shard::default)
                .take(SHARDS)
                .collect(),
            filters: std::iter::repeat_with(Shard::default)
                .take(SHARDS)
                .collect(),
            broad: RwLock::default(),
            wildcards: AtomicUsize::new(0),
            count: AtomicUsize::new(0),
            removes: AtomicU64::new(0),
        }
    }
}

/// Where a filter is kept.
enum Place {
    Literal(usize),
    Filter(usize),
    Broad,
}

impl<S: Subscription> Router<S> {
    /// The hash that subjects are looked up by, here and in the caches.
    #[inline]
    pub fn hash(&self, subject: &[u8]) -> u64 {
        self.hasher.hash_one(subject)
    }

    /// Subscriptions in the index.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How often it was changed so far.
    pub fn figures(&self) -> Figures {
        let removes = self.removes.load(Ordering::Relaxed);
        Figures {
            inserts: removes + self.len() as u64,
            removes,
        }
    }

    /// Whether nobody is subscribed to anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a subscription. When this returns, a route resolved before is no longer current.
    pub fn insert(&self, sub: Arc<S>) {
        self.count.fetch_add(1, Ordering::Relaxed);
        match self.place(sub.filter()) {
            Place::Literal(at) => {
                let shard = &self.literals[at];
                let mut content = shard.content.write();
                let interest = content
                    .entry(sub.filter().into())
                    .or_insert_with(Interest::new);
                interest.insert(sub);
                shard.subjects.store(content.len(), Ordering::Release);
                shard.generation.fetch_add(1, Ordering::Release);
            }
            Place::Filter(at) => {
                let shard = &self.filters[at];
                let mut content = shard.content.write();
                content.insert(sub);
                self.wildcards.fetch_add(1, Ordering::Release);
                shard.generation.fetch_add(1, Ordering::Release);
            }
            Place::Broad => {
                let mut content = self.broad.write();
                content.insert(sub);
                self.wildcards.fetch_add(1, Ordering::Release);
                self.outdate_filters();
            }
        }
    }

    /// Puts a subscription in the place of another with the same filter and queue group: whoever is routed meanwhile
    /// reaches one of them, not both.
    pub fn replace(&self, old: &S, new: Arc<S>) {
        debug_assert!(old.filter() == new.filter() && old.queue() == new.queue());
        match self.place(old.filter()) {
            Place::Literal(at) => {
                let shard = &self.literals[at];
                let mut content = shard.content.write();
                if let Some(interest) = content.get_mut(old.filter()) {
                    interest.remove(old);
                    interest.insert(new);
                }
                shard.generation.fetch_add(1, Ordering::Release);
            }
            Place::Filter(at) => {
                let shard = &self.filters[at];
                let mut content = shard.content.write();
                content.remove(old);
                content.insert(new);
                shard.generation.fetch_add(1, Ordering::Release);
            }
            Place::Broad => {
                let mut content = self.broad.write();
                content.remove(old);
                content.insert(new);
                self.outdate_filters();
            }
        }
    }

    /// Removes a subscription; whether it was there.
    pub fn remove(&self, sub: &S) -> bool {
        let removed = match self.place(sub.filter()) {
            Place::Literal(at) => {
                let shard = &self.literals[at];
                let mut content = shard.content.write();
                let Some(interest) = content.get_mut(sub.filter()) else {
                    return false;
                };
                let removed = interest.remove(sub);
                if interest.is_empty() {
                    content.remove(sub.filter());
                    shrink(&mut content);
                }
                shard.subjects.store(content.len(), Ordering::Release);
                shard.generation.fetch_add(1, Ordering::Release);
                removed
            }
            Place::Filter(at) => {
                let shard = &self.filters[at];
                let mut content = shard.content.write();
                let removed = content.remove(sub);
                self.wildcards
                    .fetch_sub(usize::from(removed), Ordering::Release);
                shard.generation.fetch_add(1, Ordering::Release);
                removed
            }
            Place::Broad => {
                let mut content = self.broad.write();
                let removed = content.remove(sub);
                self.wildcards
                    .fetch_sub(usize::from(removed), Ordering::Release);
                self.outdate_filters();
                removed
            }
        };
        self.removes
            .fetch_add(u64::from(removed), Ordering::Relaxed);
        self.count
            .fetch_sub(usize::from(removed), Ordering::Relaxed);
        removed
    }

    /// Outdates the routes that a subscription is part of, without changing the index: for
    /// properties of a subscription that a cached route may have taken over.
    pub fn outdate(&self, sub: &S) {
        match self.place(sub.filter()) {
            Place::Literal(at) => self.literals[at].generation.fetch_add(1, Ordering::Release),
            Place::Filter(at) => self.filters[at].generation.fetch_add(1, Ordering::Release),
            Place::Broad => {
                self.outdate_filters();
                0
            }
        };
    }

    /// Whom `subject` (whose hash is `hash`) reaches, and the stamp to keep with the answer.
    pub fn resolve(&self, subject: &[u8], hash: u64) -> (Matches<S>, Stamp) {
        // The stamp is read first: a change that comes after it outdates the answer.
        let stamp = self.stamp(subject, hash);
        let mut matches = Matches {
            plain: Vec::new(),
            queues: Vec::new(),
            is_of_siblings: false,
        };
        if !is_publish_subject(subject) {
            return (matches, stamp);
        }
        let mut last_matters = !subject.contains(&b'.');
        if let Some(interest) = self.literals[literal_shard(hash)]
            .content
            .read()
            .get(subject)
        {
            matches.add(interest);
            last_matters = true;
        }
        if self.wildcards.load(Ordering::Acquire) > 0 {
            let shard = &self.filters[usize::from(stamp.filter_shard)];
            let content = shard.content.read();
            last_matters |= content.matches(subject, |interest| matches.add(interest));
            drop(content);
            let broad = self.broad.read();
            last_matters |= broad.matches(subject, |interest| matches.add(interest));
        }
        matches.is_of_siblings = !last_matters;
        (matches, stamp)
    }

    /// A plain subscription that `subject` reaches and that is `wanted`: the first that is found.
    pub fn find_plain(&self, subject: &[u8], mut wanted: impl FnMut(&S) -> bool) -> Option<Arc<S>> {
        if !is_publish_subject(subject) {
            return None;
        }
        let literals = self.literals[literal_shard(self.hash(subject))]
            .content
            .read();
        let found = literals
            .get(subject)
            .and_then(|interest| interest.plain.find(&mut wanted));
        drop(literals);
        if found.is_some() || self.wildcards.load(Ordering::Acquire) == 0 {
            return found;
        }
        let mut found = None;
        let mut look = |interest: &Interest<S>| {
            if found.is_none() {
                found = interest.plain.find(&mut wanted);
            }
        };
        self.filters[self.filter_shard(subject)]
            .content
            .read()
            .matches(subject, &mut look);
        self.broad.read().matches(subject, &mut look);
        found
    }

    /// Whether what was resolved at `stamp` for the subject with this hash still holds.
    #[inline]
    pub fn is_current(&self, hash: u64, stamp: Stamp) -> bool {
        let literal = &self.literals[literal_shard(hash)].generation;
        let filter = &self.filters[usize::from(stamp.filter_shard) % SHARDS].generation;
        literal.load(Ordering::Acquire) == stamp.literal
            && filter.load(Ordering::Acquire) == stamp.filter
    }

    /// Whether what was resolved at `stamp` for a sibling of `subject` (whose hash is `hash`) holds for `subject`, too.
    #[inline]
    pub(crate) fn is_current_for_sibling(&self, subject: &[u8], hash: u64, stamp: Stamp) -> bool {
        let filter = &self.filters[usize::from(stamp.filter_shard) % SHARDS].generation;
        let literals = &self.literals[literal_shard(hash)];
        filter.load(Ordering::Acquire) == stamp.filter
            && (literals.subjects.load(Ordering::Acquire) == 0
                || !literals.content.read().contains_key(subject))
    }

    fn stamp(&self, subject: &[u8], hash: u64) -> Stamp {
        let filter_shard = self.filter_shard(subject);
        Stamp {
            literal: self.literals[literal_shard(hash)]
                .generation
                .load(Ordering::Acquire),
            filter: self.filters[filter_shard]
                .generation
                .load(Ordering::Acquire),
            filter_shard: filter_shard as u16,
        }
    }

    fn place(&self, filter: &[u8]) -> Place {
        if !has_wildcard(filter) {
            return Place::Literal(literal_shard(self.hash(filter)));
        }
        match tokens(filter).next() {
            Some(b"*" | b">") => Place::Broad,
            _ => Place::Filter(self.filter_shard(filter)),
        }
    }

    fn filter_shard(&self, subject: &[u8]) -> usize {
        let first = tokens(subject).next().unwrap_or_default();
        self.hasher.hash_one(first) as usize % SHARDS
    }

    fn outdate_filters(&self) {
        for shard in &self.filters {
            shard.generation.fetch_add(1, Ordering::Release);
        }
    }
}

#[inline]
fn literal_shard(hash: u64) -> usize {
    // The upper bits: the lower ones choose the place inside the shard's map.
    (hash >> 48) as usize % SHARDS
}

impl<S: Subscription> Matches<S> {
    /// Whether it reaches nobody.
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.queues.is_empty()
    }

    fn add(&mut self, interest: &Interest<S>) {
        interest.plain.collect_into(&mut self.plain);
        // Names are unique within one place: only other places' groups can be the same.
        if self.queues.is_empty() {
            let groups = interest
                .queues()
                .map(|(name, members)| Group::new(name, members));
            return self.queues.extend(groups);
        }
        let known: HashMap<Box<[u8]>, usize, foldhash::fast::RandomState> = self
            .queues
            .iter()
            .enumerate()
            .map(|(at, group)| (group.name.clone(), at))
            .collect();
        for (name, members) in interest.queues() {
            match known.get(name) {
                Some(&at) => members.collect_into(&mut self.queues[at].members),
                None => self.queues.push(Group::new(name, members)),
            }
        }
    }
}

impl<S: Subscription> Group<S> {
    fn new(name: &[u8], members: &SubSet<S>) -> Self {
        let mut group = Self {
            name: name.into(),
            members: Vec::new(),
        };
        members.collect_into(&mut group.members);
        group
    }
}

#[cfg(test)]
#[path = "router_tests.rs"]
pub(crate) mod tests;
