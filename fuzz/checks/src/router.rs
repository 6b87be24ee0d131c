//! The router and its cache, held against the plain rule: try every filter on every subject.

use std::sync::Arc;

use recado_router::{Built, Matches, RouteCache, RouteId, Router, Stamp, Subscription};
use recado_wire::{filter_matches, validate_filter};

/// More subscriptions are not made: the plain rule would take too long.
const SUBSCRIPTIONS_MAX: usize = 300;
/// Answers that are remembered, to see when they stop being current.
const REMEMBERED_MAX: usize = 16;

/// The input is a list of operations, one a line:
///
/// - `+FILTER` or `+FILTER QUEUE` subscribes,
/// - `-X` unsubscribes the X-th subscription, where X is a byte taken modulo their number,
/// - `?SUBJECT` asks whom a subject reaches,
/// - `!X` says that a property of the X-th subscription changed,
/// - `.` ends the batch of the cache.
///
/// Whoever is reached is whom the plain rule reaches; an answer stops being current when somebody
/// it concerns comes or goes; when all are gone nothing is left.
pub fn router(input: &[u8]) {
    let mut state = State::default();
    for line in input.split(|&byte| byte == b'\n') {
        match line.split_first() {
            Some((b'+', rest)) => state.subscribe(rest),
            Some((b'-', rest)) => state.unsubscribe(rest),
            Some((b'?', subject)) => state.ask(subject),
            Some((b'!', rest)) => state.outdate(rest),
            Some((b'.', _)) => state.end_batch(),
            _ => {}
        }
    }
    state.end();
}

#[derive(Debug)]
struct Sub {
    id: u64,
    filter: Vec<u8>,
    queue: Option<Vec<u8>>,
}

impl Subscription for Sub {
    fn id(&self) -> u64 {
        self.id
    }
    fn filter(&self) -> &[u8] {
        &self.filter
    }
    fn queue(&self) -> Option<&[u8]> {
        self.queue.as_deref()
    }
}

/// Plain ids, and per group its name and ids: sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reached {
    plain: Vec<u64>,
    queues: Vec<(Vec<u8>, Vec<u64>)>,
}

impl Reached {
    fn of(matches: &Matches<Sub>) -> Self {
        let ids = |subs: &[Arc<Sub>]| {
            let mut ids: Vec<u64> = subs.iter().map(|sub| sub.id).collect();
            ids.sort_unstable();
            ids
        };
        let groups = matches.queues.iter();
        let mut queues: Vec<_> = groups
            .map(|group| (group.name.to_vec(), ids(&group.members)))
            .collect();
        queues.sort();
        Self {
            plain: ids(&matches.plain),
            queues,
        }
    }
}

/// What an answer was given for, and when.
struct Remembered {
    subject: Vec<u8>,
    hash: u64,
    stamp: Stamp,
}

#[derive(Default)]
struct State {
    router: Router<Sub>,
    cache: RouteCache<Reached>,
    subs: Vec<Arc<Sub>>,
    next_id: u64,
    remembered: Vec<Remembered>,
    batch: Vec<(RouteId, Reached)>,
}

impl State {
    fn subscribe(&mut self, rest: &[u8]) {
        let mut words = rest.split(|&byte| byte == b' ');
        let filter = words.next().unwrap_or_default();
        if validate_filter(filter).is_err() || self.subs.len() >= SUBSCRIPTIONS_MAX {
            return;
        }
        self.next_id += 1;
        let sub = Arc::new(Sub {
            id: self.next_id,
            filter: filter.to_vec(),
            queue: words.next().map(<[u8]>::to_vec),
        });
        self.router.insert(Arc::clone(&sub));
        self.changed(&sub);
        self.subs.push(sub);
        assert_eq!(self.router.len(), self.subs.len());
    }

    fn unsubscribe(&mut self, which: &[u8]) {
        let Some(at) = self.index(which) else { return };
        let sub = self.subs.swap_remove(at);
        assert!(self.router.remove(&sub), "it was there");
        assert!(!self.router.remove(&sub), "it is gone");
        self.changed(&sub);
        assert_eq!(self.router.len(), self.subs.len());
    }

    fn outdate(&mut self, which: &[u8]) {
        let Some(at) = self.index(which) else { return };
        self.router.outdate(&self.subs[at]);
        self.changed(&self.subs[at]);
    }

    /// An answer that the subscription is part of no longer counts as current.
    fn changed(&self, sub: &Sub) {
        for known in &self.remembered {
            if filter_matches(&sub.filter, &known.subject) {
                assert!(!self.router.is_current(known.hash, known.stamp));
            }
        }
    }

    fn ask(&mut self, subject: &[u8]) {
        let expected = self.plain_rule(subject);
        let hash = self.router.hash(subject);
        let (matches, stamp) = self.router.resolve(subject, hash);
        assert_eq!(Reached::of(&matches), expected);
        assert!(
            self.router.is_current(hash, stamp),
            "nothing happened since"
        );

        let wanted = expected.plain.last().copied();
        let found = self
            .router
            .find_plain(subject, |sub| Some(sub.id) == wanted);
        assert_eq!(found.map(|sub| sub.id), wanted);
        let nobody = self.router.find_plain(subject, |_| false);
        assert!(nobody.is_none());

        let id = self.cache.find(&self.router, subject, |matches| {
            let reached = Reached::of(&matches);
            let weight = 1 + reached.plain.len();
            Built {
                route: reached,
                weight,
                for_siblings: matches.is_of_siblings,
            }
        });
        // Siblings share one, which says what they have in common.
        let of = self.cache.subject(id);
        assert!(of.is_some_and(|of| of == subject || filter_matches(of, subject)));
        assert_eq!(self.cache.get(id), Some(&expected));
        self.batch.push((id, expected));

        if self.remembered.len() == REMEMBERED_MAX {
            self.remembered.remove(0);
        }
        self.remembered.push(Remembered {
            subject: subject.to_vec(),
            hash,
            stamp,
        });
    }

    /// What was handed out in a batch stays as it was until the batch ends.
    fn end_batch(&mut self) {
        for (id, reached) in self.batch.drain(..) {
            assert_eq!(self.cache.get(id), Some(&reached));
        }
        self.cache.end_batch();
    }

    fn end(mut self) {
        self.end_batch();
        while !self.subs.is_empty() {
            self.unsubscribe(b"\0");
        }
        assert!(self.router.is_empty());
        for known in std::mem::take(&mut self.remembered) {
            let (matches, _) = self.router.resolve(&known.subject, known.hash);
            assert!(matches.is_empty());
        }
    }

    fn plain_rule(&self, subject: &[u8]) -> Reached {
        let mut reached = Reached::default();
        let subs = self
            .subs
            .iter()
            .filter(|sub| filter_matches(&sub.filter, subject));
        // In the order of their ids, so that the answer is sorted.
        let mut subs: Vec<_> = subs.collect();
        subs.sort_unstable_by_key(|sub| sub.id);
        for sub in subs {
            let Some(name) = &sub.queue else {
                reached.plain.push(sub.id);
                continue;
            };
            match reached.queues.iter_mut().find(|(known, _)| known == name) {
                Some((_, members)) => members.push(sub.id),
                None => reached.queues.push((name.clone(), vec![sub.id])),
            }
        }
        reached.queues.sort();
        reached
    }

    fn index(&self, which: &[u8]) -> Option<usize> {
        let byte = usize::from(*which.first()?);
        byte.checked_rem(self.subs.len())
    }
}
