//! What subjects resolved to, kept by one thread.
//!
//! Entries live in a slab, so that a batch can speak of them by number. An entry that was
//! outdated, or that was never worth keeping, stays in the slab until [`RouteCache::end_batch`]:
//! nothing that a batch refers to goes away under it.
//!
//! Subjects that are used once, like the inboxes of a requester, mostly reach whom their siblings reach: they share
//! one entry, and nothing is built for them.

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
    /// Of siblings: what they have in common, up to the last dot, and `*`.
    subject: Box<[u8]>,
    hash: u64,
    stamp: Stamp,
    weight: usize,
    /// Looked for since the cache aged the last time.
    used: bool,
    route: R,
}

/// A route that was built.
pub struct Built<R> {
    /// It.
    pub route: R,
    /// Bytes that it takes.
    pub weight: usize,
    /// Whether it is as good for each sibling of its subject. Only where [`Matches::is_of_siblings`] said so.
    pub for_siblings: bool,
}

/// Routes by subject. `R` is what the owner makes of [`Matches`].
pub struct RouteCache<R> {
    entries: Vec<Option<Entry<R>>>,
    free: Vec<u32>,
    table: HashTable<u32>,
    /// Entries of siblings, by the hash of what they have in common.
    siblings: HashTable<u32>,
    /// Entries of this batch that nobody finds any more.
    retired: Vec<u32>,
    retired_bytes: usize,
    door: Box<[[u16; DOOR_WAYS]]>,
    weight: usize,
    last: Option<RouteId>,
    last_siblings: Option<RouteId>,
}

impl<R> Default for RouteCache<R> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            table: HashTable::new(),
            siblings: HashTable::new(),
            retired: Vec::new(),
            retired_bytes: 0,
            door: Box::default(),
            weight: 0,
            last: None,
            last_siblings: None,
        }
    }
}

impl<R> RouteCache<R> {
    /// The route of `subject`, built by `build` where it is not known or no longer true.
    #[inline]
    pub fn find<S: Subscription>(
        &mut self,
        router: &Router<S>,
        subject: &[u8],
        build: impl FnOnce(Matches<S>) -> Built<R>,
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
            && let Some(entry) = &mut self.entries[at as usize]
            && router.is_current(hash, entry.stamp)
        {
            entry.used = true;
            self.last = Some(RouteId(at));
            return RouteId(at);
        }
        match known.copied() {
            Some(outdated) => self.miss(router, subject, hash, Some(outdated), None, build),
            None => self.find_unknown(router, subject, hash, build),
        }
    }

    /// A subject that has no route of its own: mostly it will not come again, and goes where its siblings go.
    #[inline]
    fn find_unknown<S: Subscription>(
        &mut self,
        router: &Router<S>,
        subject: &[u8],
        hash: u64,
        build: impl FnOnce(Matches<S>) -> Built<R>,
    ) -> RouteId {
        let dot = memchr::memrchr(b'.', subject);
        let Some(dot) = dot.filter(|dot| dot + 1 < subject.len()) else {
            return self.miss(router, subject, hash, None, None, build);
        };
        let family = self.family(router, &subject[..=dot]);
        let current = family.known.filter(|&at| {
            let entry = self.entries[at as usize].as_ref();
            entry.is_some_and(|entry| router.is_current_for_sibling(subject, hash, entry.stamp))
        });
        if let Some(at) = current
            && !self.seen_before(hash)
        {
            if let Some(entry) = &mut self.entries[at as usize] {
                entry.used = true;
            }
            self.last_siblings = Some(RouteId(at));
            return RouteId(at);
        }
        let family = current.is_none().then_some(family);
        self.miss(router, subject, hash, None, family, build)
    }

    /// Those that have this in common: mostly the ones that were looked for last.
    #[inline]
    fn family<'a, S: Subscription>(&self, router: &Router<S>, common: &'a [u8]) -> Family<'a> {
        if let Some(id) = self.last_siblings
            && let Some(entry) = self.entry(id)
            && entry.is_of(common)
        {
            return Family {
                common,
                hash: entry.hash,
                known: Some(id.0),
            };
        }
        let hash = router.hash(common);
        let known = self
            .siblings
            .find(hash, |&at| match &self.entries[at as usize] {
                Some(entry) => entry.hash == hash && entry.is_of(common),
                None => false,
            });
        Family {
            common,
            hash,
            known: known.copied(),
        }
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

    /// The subject behind a number of this batch; of siblings a filter that they all match.
    pub fn subject(&self, id: RouteId) -> Option<&[u8]> {
        self.entry(id).map(|entry| &*entry.subject)
    }

    /// Bytes of all that is kept.
    #[inline]
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Subjects that are kept; siblings count as one.
    pub fn kept(&self) -> usize {
        self.table.len() + self.siblings.len()
    }

    /// Whether so much is referred to by this batch alone that it should end.
    #[inline]
    pub fn is_strained(&self) -> bool {
        self.retired_bytes > RETIRED_BYTES_MAX
    }

    /// Ends the batch: numbers given out so far are no longer valid.
    pub fn end_batch(&mut self) {
        let subjects = self.table.len() + self.siblings.len();
        if self.retired.is_empty() && subjects <= ENTRIES_MAX && self.weight <= KEPT_BYTES_MAX {
            return;
        }
        self.last = None;
        self.last_siblings = None;
        for at in self.retired.drain(..) {
            self.entries[at as usize] = None;
            self.free.push(at);
        }
        self.retired_bytes = 0;
        if subjects > ENTRIES_MAX || self.weight > KEPT_BYTES_MAX {
            self.clear();
        }
    }

    /// Forgets what nobody looked for since it aged the last time: only between batches.
    pub fn age(&mut self) {
        self.end_batch();
        self.last = None;
        self.last_siblings = None;
        let Self {
            entries,
            free,
            weight,
            ..
        } = self;
        for numbers in [&mut self.table, &mut self.siblings] {
            numbers.retain(|&mut at| {
                let slot = &mut entries[at as usize];
                let used = slot
                    .as_mut()
                    .is_some_and(|entry| std::mem::take(&mut entry.used));
                if !used {
                    *weight -= slot.take().map_or(0, |entry| entry.weight);
                    free.push(at);
                }
                used
            });
        }
    }

    /// Forgets everything: only between batches.
    pub fn clear(&mut self) {
        self.entries = Vec::new();
        self.free = Vec::new();
        self.table = HashTable::new();
        self.siblings = HashTable::new();
        self.retired = Vec::new();
        self.retired_bytes = 0;
        self.door = Box::default();
        self.weight = 0;
        self.last = None;
        self.last_siblings = None;
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
        family: Option<Family<'_>>,
        build: impl FnOnce(Matches<S>) -> Built<R>,
    ) -> RouteId {
        let (mut matches, stamp) = router.resolve(subject, hash);
        let again = outdated.is_some() || self.seen_before(hash);
        // A family is kept like a subject: when it is seen for the second time.
        let family = family.filter(|family| {
            matches.is_of_siblings
                && !again
                && (family.known.is_some() || self.seen_before(family.hash))
        });
        matches.is_of_siblings = family.is_some();
        let built = build(matches);
        match family.filter(|_| built.for_siblings) {
            Some(family) => self.keep_family(&family, stamp, built),
            None => self.keep_subject(subject, hash, stamp, outdated, again, built),
        }
    }

    fn keep_family(&mut self, family: &Family<'_>, stamp: Stamp, built: Built<R>) -> RouteId {
        let (hash, weight) = (family.hash, built.weight);
        let at = self.add([family.common, b"*"].concat().into(), hash, stamp, built);
        match family.known {
            Some(old) => {
                if let Some(slot) = self.siblings.find_mut(hash, |&at| at == old) {
                    *slot = at;
                }
                self.replaced(old, weight);
            }
            None => {
                self.weight += weight;
                let entries = &self.entries;
                self.siblings
                    .insert_unique(hash, at, |&at| hash_of(entries, at));
            }
        }
        self.last_siblings = Some(RouteId(at));
        RouteId(at)
    }

    fn keep_subject(
        &mut self,
        subject: &[u8],
        hash: u64,
        stamp: Stamp,
        outdated: Option<u32>,
        again: bool,
        built: Built<R>,
    ) -> RouteId {
        let weight = built.weight;
        let at = self.add(subject.into(), hash, stamp, built);
        if weight > ROUTE_BYTES_MAX {
            self.retire(at);
        } else if let Some(old) = outdated {
            if let Some(slot) = self.table.find_mut(hash, |&at| at == old) {
                *slot = at;
            }
            self.replaced(old, weight);
        } else if again {
            self.weight += weight;
            let entries = &self.entries;
            self.table
                .insert_unique(hash, at, |&at| hash_of(entries, at));
        } else {
            self.retire(at);
        }
        self.last = Some(RouteId(at));
        RouteId(at)
    }

    fn add(&mut self, subject: Box<[u8]>, hash: u64, stamp: Stamp, built: Built<R>) -> u32 {
        let entry = Entry {
            subject,
            hash,
            stamp,
            weight: built.weight,
            used: true,
            route: built.route,
        };
        match self.free.pop() {
            Some(at) => {
                self.entries[at as usize] = Some(entry);
                at
            }
            None => {
                self.entries.push(Some(entry));
                (self.entries.len() - 1) as u32
            }
        }
    }

    /// Another entry, of this weight, took the place of `old`.
    fn replaced(&mut self, old: u32, weight: usize) {
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

/// Subjects with all but the last token in common.
struct Family<'a> {
    /// Up to the last dot.
    common: &'a [u8],
    hash: u64,
    /// Its entry; no longer true where another is built.
    known: Option<u32>,
}

impl<R> Entry<R> {
    /// Whether it is the entry of the siblings that have this in common. A subject may end so as well, but is not
    /// looked for among siblings.
    #[inline]
    fn is_of(&self, common: &[u8]) -> bool {
        self.subject
            .split_last()
            .is_some_and(|(_, known)| known == common)
    }
}

fn hash_of<R>(entries: &[Option<Entry<R>>], at: u32) -> u64 {
    entries[at as usize].as_ref().map_or(0, |entry| entry.hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::tests::{TestSub, plain};

    fn ids(matches: Matches<TestSub>) -> Built<Vec<u64>> {
        let mut route: Vec<u64> = matches.plain.iter().map(|sub| sub.id()).collect();
        route.sort_unstable();
        Built {
            route,
            weight: 1,
            for_siblings: matches.is_of_siblings,
        }
    }

    /// How many routes it takes to find the way of these subjects, and where they go.
    fn built(router: &Router<TestSub>, subjects: &[&str]) -> (usize, Vec<Vec<u64>>) {
        let mut cache: RouteCache<Vec<u64>> = RouteCache::default();
        let mut count = 0;
        let mut found = Vec::new();
        for subject in subjects {
            let id = cache.find(router, subject.as_bytes(), |matches| {
                count += 1;
                ids(matches)
            });
            found.extend(cache.get(id).cloned());
            cache.end_batch();
        }
        (count, found)
    }

    #[test]
    fn siblings_share_a_route_but_those_that_are_named() {
        let router = Router::default();
        router.insert(plain(1, "in.a.*"));
        let subjects = ["in.a.1", "in.a.2", "in.a.3", "in.a.4", "in.a.5", "in.a.6"];
        let (count, found) = built(&router, &subjects);
        assert_eq!((count, found), (2, vec![vec![1]; 6]));
        // Nobody listens to other requesters: that is shared, too.
        let (count, found) = built(&router, &["in.b.1", "in.b.2", "in.b.3", "in.b.4"]);
        assert_eq!((count, found), (2, vec![vec![]; 4]));
        router.insert(plain(2, "in.a.3"));
        let (_, found) = built(&router, &subjects);
        assert_eq!(found[2], [1, 2]);
        assert_eq!(found[3], [1]);
        router.insert(plain(3, "*.*.5"));
        let (_, found) = built(&router, &subjects);
        assert_eq!(found[4], [1, 3]);
        assert_eq!(found[5], [1]);
    }

    #[test]
    fn families_seen_once_are_not_kept() {
        let router = Router::default();
        router.insert(plain(1, "in.*.*"));
        let mut cache: RouteCache<Vec<u64>> = RouteCache::default();
        for number in 0..1000 {
            cache.find(&router, format!("in.{number}.x").as_bytes(), ids);
            cache.end_batch();
        }
        assert!(cache.kept() < 20, "{} kept", cache.kept());
    }

    #[test]
    fn what_nobody_looked_for_in_a_while_is_forgotten() {
        let router = Router::default();
        router.insert(plain(1, "in.*.*"));
        let mut cache: RouteCache<Vec<u64>> = RouteCache::default();
        let find = |cache: &mut RouteCache<_>, subject: &str| {
            cache.find(&router, subject.as_bytes(), ids);
            cache.end_batch();
        };
        for number in 0..1000 {
            let subject = format!("in.{number}.x");
            find(&mut cache, &subject);
            find(&mut cache, &subject);
        }
        let kept = cache.kept();
        assert!(kept > 900, "{kept} kept");
        cache.age();
        assert_eq!(cache.kept(), kept, "all of them were just used");
        find(&mut cache, "in.7.x");
        cache.age();
        assert_eq!((cache.kept(), cache.weight()), (1, 1));
        let mut built = 0;
        cache.find(&router, b"in.7.x", |matches| {
            built += 1;
            ids(matches)
        });
        assert_eq!(built, 0, "it was used");
        cache.age();
        cache.age();
        assert_eq!((cache.kept(), cache.weight()), (0, 0));
    }

    /// Among few names, so that subjects are siblings, come again, and are named by subscriptions.
    #[derive(Clone, Debug)]
    enum Act {
        Come(String),
        Go(proptest::sample::Index),
        Publish(String),
        EndBatch,
        Age,
    }

    fn act() -> impl proptest::strategy::Strategy<Value = Act> {
        use proptest::prelude::*;
        let filter = "[ab*]\\.[ab*]\\.[1-9*>]|[ab*]\\.>|[ab*]\\.[1-9*]|[ab>*]";
        prop_oneof![
            2 => filter.prop_map(Act::Come),
            1 => any::<proptest::sample::Index>().prop_map(Act::Go),
            12 => "([ab]\\.){0,2}[1-9]?".prop_map(Act::Publish),
            2 => Just(Act::EndBatch),
            1 => Just(Act::Age),
        ]
    }

    proptest::proptest! {
        #[test]
        fn a_cache_says_what_the_index_says(acts in proptest::collection::vec(act(), 1..200)) {
            let router = Router::default();
            let mut cache: RouteCache<Vec<u64>> = RouteCache::default();
            let mut subs = Vec::new();
            for (id, act) in acts.into_iter().enumerate() {
                match act {
                    Act::Come(filter) => {
                        let sub = plain(id as u64, &filter);
                        router.insert(std::sync::Arc::clone(&sub));
                        subs.push(sub);
                    }
                    Act::Go(index) if !subs.is_empty() => {
                        let sub = subs.swap_remove(index.index(subs.len()));
                        router.remove(&sub);
                    }
                    Act::Go(_) => {}
                    Act::Publish(subject) => {
                        let id = cache.find(&router, subject.as_bytes(), ids);
                        let (matches, _) = router.resolve(subject.as_bytes(), router.hash(subject.as_bytes()));
                        proptest::prop_assert_eq!(cache.get(id), Some(&ids(matches).route), "{}", subject);
                    }
                    Act::EndBatch => cache.end_batch(),
                    Act::Age => cache.age(),
                }
            }
        }
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
