//! The router held against the plain rule: try every filter on every subject.

use super::*;
use proptest::prelude::*;
use recado_wire::filter_matches;

#[derive(Debug)]
pub(crate) struct TestSub {
    id: u64,
    filter: String,
    queue: Option<String>,
}

impl Subscription for TestSub {
    fn id(&self) -> u64 {
        self.id
    }
    fn filter(&self) -> &[u8] {
        self.filter.as_bytes()
    }
    fn queue(&self) -> Option<&[u8]> {
        self.queue.as_deref().map(str::as_bytes)
    }
}

pub(crate) fn plain(id: u64, filter: &str) -> Arc<TestSub> {
    Arc::new(TestSub {
        id,
        filter: filter.into(),
        queue: None,
    })
}

/// Plain ids, and per group its name and ids: sorted.
type Reached = (Vec<u64>, Vec<(Vec<u8>, Vec<u64>)>);

fn sorted(matches: &Matches<TestSub>) -> Reached {
    let ids = |subs: &[Arc<TestSub>]| {
        let mut ids: Vec<u64> = subs.iter().map(|sub| sub.id).collect();
        ids.sort_unstable();
        ids
    };
    let mut queues: Vec<_> = matches
        .queues
        .iter()
        .map(|group| (group.name.to_vec(), ids(&group.members)))
        .collect();
    queues.sort();
    (ids(&matches.plain), queues)
}

fn naive(subs: &[Arc<TestSub>], subject: &str) -> Reached {
    let mut matches = Matches {
        plain: Vec::new(),
        queues: Vec::new(),
        is_of_siblings: false,
    };
    for sub in subs
        .iter()
        .filter(|sub| filter_matches(sub.filter(), subject.as_bytes()))
    {
        match sub.queue() {
            None => matches.plain.push(Arc::clone(sub)),
            Some(name) => match matches.queues.iter_mut().find(|group| *group.name == *name) {
                Some(group) => group.members.push(Arc::clone(sub)),
                None => matches.queues.push(Group {
                    name: name.into(),
                    members: vec![Arc::clone(sub)],
                }),
            },
        }
    }
    sorted(&matches)
}

fn filter() -> impl Strategy<Value = String> {
    let token = prop_oneof![4 => "[ab]", 1 => Just("*".to_string()), 1 => Just("a*".to_string())];
    (
        proptest::collection::vec(token, 1..5),
        proptest::bool::weighted(0.2),
    )
        .prop_map(|(mut tokens, tail)| {
            if tail {
                tokens.push(">".to_string());
            }
            tokens.join(".")
        })
}

fn subject() -> impl Strategy<Value = String> {
    let token = prop_oneof![6 => "[ab]", 1 => Just("*".to_string()), 1 => Just(String::new())];
    proptest::collection::vec(token, 1..5).prop_map(|tokens| tokens.join("."))
}

proptest! {
    #[test]
    fn it_reaches_whom_the_plain_rule_reaches(
        entries in proptest::collection::vec((filter(), proptest::option::weighted(0.4, "[qr]")), 0..60),
        removed in proptest::collection::vec(any::<proptest::sample::Index>(), 0..40),
        subjects in proptest::collection::vec(subject(), 1..20),
    ) {
        let router = Router::default();
        let mut subs: Vec<Arc<TestSub>> = Vec::new();
        for (id, (filter, queue)) in entries.into_iter().enumerate() {
            let sub = Arc::new(TestSub { id: id as u64, filter, queue });
            router.insert(Arc::clone(&sub));
            subs.push(sub);
        }
        for index in removed {
            if !subs.is_empty() {
                let sub = subs.swap_remove(index.index(subs.len()));
                prop_assert!(router.remove(&sub));
                prop_assert!(!router.remove(&sub));
            }
        }
        prop_assert_eq!(router.len(), subs.len());
        for subject in subjects {
            let (matches, _) = router.resolve(subject.as_bytes(), router.hash(subject.as_bytes()));
            let reached = naive(&subs, &subject);
            for sub in &subs {
                let found = router.find_plain(subject.as_bytes(), |one| one.id == sub.id);
                prop_assert_eq!(found.is_some(), reached.0.contains(&sub.id));
            }
            prop_assert_eq!(sorted(&matches), reached, "subject {}", subject);
        }
        for sub in &subs {
            router.remove(sub);
        }
        prop_assert!(router.is_empty());
        prop_assert!(router.broad.read().is_empty());
        prop_assert!(router.filters.iter().all(|shard| shard.content.read().is_empty()));
        prop_assert!(router.literals.iter().all(|shard| shard.content.read().is_empty()));
    }

    #[test]
    fn a_stamp_outdates_whenever_a_matching_subscription_changes(
        filter in filter(), subject in subject(),
    ) {
        let router = Router::default();
        let hash = router.hash(subject.as_bytes());
        let (_, before) = router.resolve(subject.as_bytes(), hash);
        let sub = plain(1, &filter);
        router.insert(Arc::clone(&sub));
        if filter_matches(filter.as_bytes(), subject.as_bytes()) {
            prop_assert!(!router.is_current(hash, before));
        }
        let (_, between) = router.resolve(subject.as_bytes(), hash);
        prop_assert!(router.is_current(hash, between));
        router.remove(&sub);
        if filter_matches(filter.as_bytes(), subject.as_bytes()) {
            prop_assert!(!router.is_current(hash, between));
        }
    }
}

#[test]
fn a_change_elsewhere_leaves_routes_current() {
    let router = Router::default();
    let hash = router.hash(b"orders.new");
    let (_, stamp) = router.resolve(b"orders.new", hash);
    for number in 0..50 {
        router.insert(plain(number, &format!("_INBOX.{number}.*")));
    }
    // The inboxes share one shard of filters, and with luck (255 of 256) not that of orders.
    let same_shard = router.filter_shard(b"_INBOX") == router.filter_shard(b"orders");
    assert_eq!(router.is_current(hash, stamp), !same_shard);
}

#[test]
fn the_deepest_filter_is_indexed_and_dropped() {
    let router = Router::default();
    let deep = vec!["*"; recado_wire::FILTER_TOKENS_MAX].join(".");
    router.insert(plain(1, &deep));
    let subject = vec!["a"; recado_wire::FILTER_TOKENS_MAX].join(".");
    let (matches, _) = router.resolve(subject.as_bytes(), router.hash(subject.as_bytes()));
    assert_eq!(matches.plain.len(), 1);
    assert!(router.remove(&*plain(1, &deep)));
}

#[test]
fn many_subscriptions_on_one_subject_come_and_go() {
    let router = Router::default();
    let subs: Vec<_> = (0..20_000).map(|id| plain(id, "same")).collect();
    subs.iter().for_each(|sub| router.insert(Arc::clone(sub)));
    let (matches, _) = router.resolve(b"same", router.hash(b"same"));
    assert_eq!(matches.plain.len(), 20_000);
    assert!(subs.iter().all(|sub| router.remove(sub)));
    assert!(router.is_empty());
}
