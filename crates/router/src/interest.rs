//! The subscriptions that stand at one place of an index: plain ones, and queue groups.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::subscription::Subscription;

/// Above so many a set is kept as a map, so that removal stays cheap.
const LIST_MAX: usize = 16;

/// A set of subscriptions. One, the usual case, takes a pointer.
#[derive(Debug)]
pub enum SubSet<S> {
    /// Nobody.
    Empty,
    /// One.
    One(Arc<S>),
    /// A few.
    List(Vec<Arc<S>>),
    /// Many, by [`Subscription::id`]. Boxed, so that the many small sets stay small.
    Map(Box<HashMap<u64, Arc<S>, foldhash::fast::RandomState>>),
}

impl<S: Subscription> SubSet<S> {
    /// Adds one that is not in the set yet.
    pub fn insert(&mut self, sub: Arc<S>) {
        *self = match std::mem::replace(self, Self::Empty) {
            Self::Empty => Self::One(sub),
            Self::One(first) => Self::List(vec![first, sub]),
            Self::List(mut list) if list.len() < LIST_MAX => {
                list.push(sub);
                Self::List(list)
            }
            Self::List(list) => {
                let all = list.into_iter().chain([sub]);
                Self::Map(Box::new(all.map(|sub| (sub.id(), sub)).collect()))
            }
            Self::Map(mut map) => {
                map.insert(sub.id(), sub);
                Self::Map(map)
            }
        };
    }

    /// Removes the one with this id; whether it was there.
    pub fn remove(&mut self, id: u64) -> bool {
        match self {
            Self::Empty => false,
            Self::One(sub) if sub.id() == id => {
                *self = Self::Empty;
                true
            }
            Self::One(_) => false,
            Self::List(list) => {
                let before = list.len();
                list.retain(|sub| sub.id() != id);
                let removed = list.len() < before;
                if list.is_empty() {
                    *self = Self::Empty;
                }
                removed
            }
            Self::Map(map) => {
                let removed = map.remove(&id).is_some();
                if map.is_empty() {
                    *self = Self::Empty;
                }
                removed
            }
        }
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The first that is `wanted`.
    pub fn find(&self, wanted: &mut impl FnMut(&S) -> bool) -> Option<Arc<S>> {
        match self {
            Self::Empty => None,
            Self::One(sub) => wanted(sub).then(|| Arc::clone(sub)),
            Self::List(list) => list.iter().find(|sub| wanted(sub)).cloned(),
            Self::Map(map) => map.values().find(|sub| wanted(sub)).cloned(),
        }
    }

    /// Appends everybody to `out`.
    pub fn collect_into(&self, out: &mut Vec<Arc<S>>) {
        match self {
            Self::Empty => {}
            Self::One(sub) => out.push(Arc::clone(sub)),
            Self::List(list) => out.extend(list.iter().cloned()),
            Self::Map(map) => out.extend(map.values().cloned()),
        }
    }
}

/// Queue groups: their members by name.
type Queues<S> = HashMap<Box<[u8]>, SubSet<S>, foldhash::fast::RandomState>;

/// Who stands at one literal subject, or at the end of one filter.
#[derive(Debug)]
pub struct Interest<S> {
    /// Everybody here gets a copy.
    pub plain: SubSet<S>,
    /// One member of each group gets a copy. Boxed: most places have none.
    queues: Option<Box<Queues<S>>>,
}

impl<S: Subscription> Interest<S> {
    pub(crate) fn new() -> Self {
        Self {
            plain: SubSet::Empty,
            queues: None,
        }
    }

    pub(crate) fn insert(&mut self, sub: Arc<S>) {
        let Some(name) = sub.queue() else {
            return self.plain.insert(sub);
        };
        let queues = self.queues.get_or_insert_default();
        match queues.get_mut(name) {
            Some(members) => members.insert(sub),
            None => {
                let name = name.into();
                queues.insert(name, SubSet::One(sub));
            }
        }
    }

    pub(crate) fn remove(&mut self, sub: &S) -> bool {
        let Some(name) = sub.queue() else {
            return self.plain.remove(sub.id());
        };
        let Some(queues) = self.queues.as_mut() else {
            return false;
        };
        let Some(members) = queues.get_mut(name) else {
            return false;
        };
        let removed = members.remove(sub.id());
        if members.is_empty() {
            queues.remove(name);
        }
        if queues.is_empty() {
            self.queues = None;
        }
        removed
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.queues.is_none()
    }

    /// The queue groups here, by name.
    pub fn queues(&self) -> impl Iterator<Item = (&[u8], &SubSet<S>)> {
        self.queues
            .iter()
            .flat_map(|queues| queues.iter())
            .map(|(name, set)| (&**name, set))
    }
}
