//! What subjects resolved to, kept by one thread.
//!
//! Entries live in a slab, so that a batch can speak of them by number. An entry that was
//! outdated, or that was never worth keeping, stays in the slab until [`RouteCache::end_batch`]:
//! nothing that a batch refers to goes away under it.

use hashbrown::HashTable;

use crate::router::{Matches, Router, Stamp};
use crate::subscription::Subscription;

/// Number of an entry; valid until the end of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RouteId(u32);

/// Subjects that are kept. Above it the cache starts anew.
const ENTRIES_MAX: usize = 32_768;
/// Bytes of everything kept. Above it the cache starts anew.
const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of one route that is kept; a heavier one is built for each batch.
const ROUTE_BYTES_MAX: usize = KEPT_BYTES_MAX / 2;
/// Bytes of routes that only this batch refers to, above which the batch should end.
const RETIRED_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Rows of the doorkeeper, which lets a subject in when it is seen for the second time.
const DOOR_ROWS: usize = 16_384;
/// Subjects that a row remembers: with one, subjects that share a row and take turns would push
/// each other out for ever.
const DOOR_WAYS: usize = 4;

struct Entry<R> {
    subject: Box<[u8]>,
    hash: u64,
    stamp: Stamp,
    weight: usize,
    route: R,
}

/// Routes by subject. `R` is what the owner makes of [`Matches`].
pub struct RouteCache<R> {
    entries: Vec<Option<Entry<R>>>,
    free: Vec<u32>,
    table: HashTable<u32>,
    /// Entries of this batch that nobody finds any more.
    retired: Vec<u32>,
    retired_bytes: usize,
    door: Box<[[u16; DOOR_WAYS]]>,
    weight: usize,
    last: Option<RouteId>,
}

impl<R> Default for RouteCache<R> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            table: HashTable::new(),
            retired: Vec::new(),
            retired_bytes: 0,
            door: Box::default(),
            weight: 0,
            last: None,
        }
    }
}

impl<R> RouteCache<R> {
    /// The route of `subject`, built by `build` where it is not known or no longer true. `build`
    /// also says how heavy the route is, in bytes.
    #[inline]
    pub fn find<S: Subscription>(
        &mut self,
        router: &Router<S>,
        subject: &[u8],
        build: impl FnOnce(Matches<S>) -> (R, usize),
    ) -> RouteId {
        if let Some(id) = self.last
            && let Some(entry) = self.entry(id)
            && *entry.subject == *subject
            && router.is_current(entry.hash, entry.stamp)
        {
            return id;
        }
        let hash = router.hash(subject);
        let known = self
            .table
            .find(hash, |&at| match &self.entries[at as usize] {
                Some(entry) => entry.hash == hash && *entry.subject == *subject,
                None => false,
            });
        if let Some(&at) = known
            && let Some(entry) = &self.entries[at as usize]
            && router.is_current(hash, entry.stamp)
        {
            self.last = Some(RouteId(at));
            return RouteId(at);
        }
        let known = known.copied();
        self.miss(router, subject, hash, known, build)
    }

    /// The route behind a number of this batch.
    #[inline]
    pub fn get(&self, id: RouteId) -> Option<&R> {
        self.entry(id).map(|entry| &entry.route)
    }

    /// The route behind a number of this batch, to be changed.
    #[inline]
    pub fn get_mut(&mut self, id: RouteId) -> Option<&mut R> {
        self.entries
            .get_mut(id.0 as usize)?
            .as_mut()
            .map(|entry| &mut entry.route)
    }

    /// The subject behind a number of this batch.
    pub fn subject(&self, id: RouteId) -> Option<&[u8]> {
        self.entry(id).map(|entry| &*entry.subject)
    }

    /// Bytes of all that is kept.
    #[inline]
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Subjects that are kept.
    pub fn kept(&self) -> usize {
        self.table.len()
    }

    /// Whether so much is referred to by this batch alone that it should end.
    #[inline]
    pub fn is_strained(&self) -> bool {
        self.retired_bytes > RETIRED_BYTES_MAX
    }

    /// Ends the batch: numbers given out so far are no longer valid.
    pub fn end_batch(&mut self) {
        if self.retired.is_empty()
            && self.table.len() <= ENTRIES_MAX
            && self.weight <= KEPT_BYTES_MAX
        {
            return;
        }
        self.last = None;
        for at in self.retired.drain(..) {
            self.entries[at as usize] = None;
            self.free.push(at);
        }
        self.retired_bytes = 0;
        if self.table.len() > ENTRIES_MAX || self.weight > KEPT_BYTES_MAX {
            self.clear();
        }
    }

    /// Forgets everything: only between batches.
    pub fn clear(&mut self) {
        self.entries = Vec::new();
        self.free = Vec::new();
        self.table = HashTable::new();
        self.retired = Vec::new();
        self.retired_bytes = 0;
        self.door = Box::default();
        self.weight = 0;
        self.last = None;
    }

    #[inline]
    fn entry(&self, id: RouteId) -> Option<&Entry<R>> {
        self.entries.get(id.0 as usize)?.as_ref()
    }

    #[cold]
    fn miss<S: Subscription>(
        &mut self,
        router: &Router<S>,
        subject: &[u8],
        hash: u64,
        outdated: Option<u32>,
        build: impl FnOnce(Matches<S>) -> (R, usize),
    ) -> RouteId {
        let (matches, stamp) = router.resolve(subject, hash);
        let (route, weight) = build(matches);
        let entry = Entry {
            subject: subject.into(),
            hash,
            stamp,
            weight,
            route,
        };
        let at = match self.free.pop() {
            Some(at) => {
                self.entries[at as usize] = Some(entry);
                at
            }
            None => {
                self.entries.push(Some(entry));
                (self.entries.len() - 1) as u32
            }
        };
        if weight > ROUTE_BYTES_MAX {
            self.retire(at);
        } else if let Some(old) = outdated {
            self.replace(hash, old, at, weight);
        } else if self.seen_before(hash) {
            self.weight += weight;
            let entries = &self.entries;
            self.table.insert_unique(hash, at, |&at| {
                entries[at as usize].as_ref().map_or(0, |entry| entry.hash)
            });
        } else {
            self.retire(at);
        }
        self.last = Some(RouteId(at));
        RouteId(at)
    }

    fn replace(&mut self, hash: u64, old: u32, new: u32, weight: usize) {
        if let Some(slot) = self.table.find_mut(hash, |&at| at == old) {
            *slot = new;
        }
        let old_weight = self.entries[old as usize]
            .as_ref()
            .map_or(0, |entry| entry.weight);
        self.weight = self.weight + weight - old_weight;
        self.retire(old);
    }

    /// Nobody finds this entry any more; it goes with the batch.
    fn retire(&mut self, at: u32) {
        self.retired.push(at);
        self.retired_bytes += self.entries[at as usize]
            .as_ref()
            .map_or(0, |entry| entry.weight);
    }

    /// Remembers the subject's hash; whether it was remembered already. Subjects that are used
    /// once (reply inboxes) so never push others out.
    fn seen_before(&mut self, hash: u64) -> bool {
        if self.door.is_empty() {
            self.door = vec![[0; DOOR_WAYS]; DOOR_ROWS].into();
        }
        let row = &mut self.door[hash as usize % DOOR_ROWS];
        let tag = (hash >> 32) as u16 | 1;
        if row.contains(&tag) {
            return true;
        }
        row.rotate_right(1);
        row[0] = tag;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::tests::{TestSub, plain};

    fn ids(matches: Matches<TestSub>) -> (Vec<u64>, usize) {
        let mut ids: Vec<u64> = matches.plain.iter().map(|sub| sub.id()).collect();
        ids.sort_unstable();
        (ids, 1)
    }

    #[test]
    fn a_route_is_built_anew_when_a_matching_subscription_comes_or_goes() {
        let router = Router::default();
        let mut cache: RouteCache<Vec<u64>> = RouteCache::default();
        let find = |cache: &mut RouteCache<Vec<u64>>, router: &Router<TestSub>| {
            let id = cache.find(router, b"a.b", ids);
            let found = cache.get(id).cloned();
            cache.end_batch();
            found
        };
        for (id, filter) in [(1, "a.b"), (2, "a.*"), (3, ">")] {
            let expected: Vec<u64> = (1..id).collect();
            for _ in 0..3 {
                assert_eq!(find(&mut cache, &router), Some(expected.clone()));
            }
            router.insert(plain(id, filter));
        }
        assert_eq!(find(&mut cache, &router), Some(vec![1, 2, 3]));
        router.remove(&*plain(2, "a.*"));
        assert_eq!(find(&mut cache, &router), Some(vec![1, 3]));
    }

    #[test]
    fn an_outdated_route_stays_readable_until_the_batch_ends() {
        let router = Router::default();
        let mut cache: RouteCache<Vec<u64>> = RouteCache::default();
        for _ in 0..2 {
            cache.find(&router, b"a", ids);
            cache.end_batch();
        }
        let before = cache.find(&router, b"a", ids);
        router.insert(plain(1, "a"));
        let after = cache.find(&router, b"a", ids);
        assert_eq!(cache.get(before), Some(&vec![]));
        assert_eq!(cache.get(after), Some(&vec![1]));
    }

    #[test]
    fn subjects_seen_once_are_not_kept() {
        let router: Router<TestSub> = Router::default();
        let mut cache: RouteCache<Vec<u64>> = RouteCache::default();
        for number in 0..1000 {
            cache.find(&router, format!("inbox.{number}").as_bytes(), ids);
            cache.end_batch();
        }
        assert!(cache.table.len() < 20, "{} kept", cache.table.len());
        assert!(cache.entries.len() < 40, "{} slots", cache.entries.len());
    }

    #[test]
    fn subjects_that_take_turns_are_kept() {
        let router: Router<TestSub> = Router::default();
        let mut cache: RouteCache<Vec<u64>> = RouteCache::default();
        for number in (0..3).flat_map(|_| 0..10_000) {
            cache.find(&router, format!("s.{number}").as_bytes(), ids);
            cache.end_batch();
        }
        assert!(cache.table.len() > 9_900, "{} kept", cache.table.len());
    }

    #[test]
    fn the_cache_is_bounded() {
        let router: Router<TestSub> = Router::default();
        let mut cache: RouteCache<Vec<u64>> = RouteCache::default();
        for number in 0..ENTRIES_MAX + 100 {
            for _ in 0..2 {
                cache.find(&router, format!("s.{number}").as_bytes(), ids);
                cache.end_batch();
            }
        }
        assert!(cache.table.len() <= ENTRIES_MAX);
    }
}
