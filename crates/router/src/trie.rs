//! Filters with wildcards, as a trie of tokens.
//!
//! Matching walks with a stack of its own; insertion and removal go one token at a time. The
//! depth is bounded by `wire::FILTER_TOKENS_MAX`, so that dropping a trie can't exhaust the stack.

use std::sync::Arc;

use hashbrown::HashMap;
use recado_wire::tokens;

use crate::interest::Interest;
use crate::subscription::Subscription;

/// One place in the trie: what ends here, and what goes on.
#[derive(Debug)]
pub(crate) struct Node<S> {
    /// Filters that end with this token.
    here: Option<Box<Interest<S>>>,
    /// Filters that end with `>` behind this token.
    tail: Option<Box<Interest<S>>>,
    /// Filters that go on with `*`.
    star: Option<Box<Node<S>>>,
    /// Filters that go on with a literal token.
    literal: Option<Box<Children<S>>>,
}

type Children<S> = HashMap<Box<[u8]>, Node<S>, foldhash::fast::RandomState>;

impl<S> Default for Node<S> {
    fn default() -> Self {
        Self {
            here: None,
            tail: None,
            star: None,
            literal: None,
        }
    }
}

impl<S: Subscription> Node<S> {
    /// Adds a subscription under its own filter.
    pub(crate) fn insert(&mut self, sub: Arc<S>) {
        let held = Arc::clone(&sub);
        let mut node = self;
        for token in tokens(held.filter()) {
            node = match token {
                b">" => {
                    return node
                        .tail
                        .get_or_insert_with(|| Box::new(Interest::new()))
                        .insert(sub);
                }
                b"*" => node.star.get_or_insert_default(),
                literal => {
                    let children = node.literal.get_or_insert_default();
                    children.entry(literal.into()).or_default()
                }
            };
        }
        node.here
            .get_or_insert_with(|| Box::new(Interest::new()))
            .insert(sub);
    }

    /// Removes a subscription; whether it was there. Places that nobody needs any more go too.
    pub(crate) fn remove(&mut self, sub: &S) -> bool {
        self.remove_at(sub, &mut tokens(sub.filter()))
    }

    fn remove_at<'a>(&mut self, sub: &S, rest: &mut impl Iterator<Item = &'a [u8]>) -> bool {
        match rest.next() {
            None => remove_from(&mut self.here, sub),
            Some(b">") => remove_from(&mut self.tail, sub),
            Some(b"*") => {
                let Some(child) = self.star.as_mut() else {
                    return false;
                };
                let removed = child.remove_at(sub, rest);
                if child.is_empty() {
                    self.star = None;
                }
                removed
            }
            Some(literal) => {
                let Some(children) = self.literal.as_mut() else {
                    return false;
                };
                let Some(child) = children.get_mut(literal) else {
                    return false;
                };
                let removed = child.remove_at(sub, rest);
                if child.is_empty() {
                    children.remove(literal);
                    shrink(children);
                }
                if children.is_empty() {
                    self.literal = None;
                }
                removed
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.here.is_none() && self.tail.is_none() && self.star.is_none() && self.literal.is_none()
    }

    /// Calls `found` with every place whose filter matches. No token of `subject` may be empty. Whether the last token
    /// mattered: another in its place could match others.
    pub(crate) fn matches<'a>(
        &'a self,
        subject: &[u8],
        mut found: impl FnMut(&'a Interest<S>),
    ) -> bool {
        let mut last_matters = false;
        // A place with one way on, the usual case, needs no list of those that are still to be visited.
        let mut later: Vec<(&'a Node<S>, usize)> = Vec::new();
        let mut at: Option<(&'a Node<S>, usize)> = Some((self, 0));
        while let Some((node, from)) = at.take().or_else(|| later.pop()) {
            if from > subject.len() {
                node.here.iter().for_each(|interest| found(interest));
                continue;
            }
            node.tail.iter().for_each(|interest| found(interest));
            let rest = &subject[from..];
            let length = rest
                .iter()
                .position(|&byte| byte == b'.')
                .unwrap_or(rest.len());
            let next = from + length + 1;
            last_matters |= next > subject.len() && node.literal.is_some();
            let star = node.star.as_deref();
            let literal = node
                .literal
                .as_ref()
                .and_then(|children| children.get(&rest[..length]));
            at = literal.or(star).map(|child| (child, next));
            if literal.is_some() {
                later.extend(star.map(|child| (child, next)));
            }
        }
        last_matters
    }
}

fn remove_from<S: Subscription>(place: &mut Option<Box<Interest<S>>>, sub: &S) -> bool {
    let Some(interest) = place.as_mut() else {
        return false;
    };
    let removed = interest.remove(sub);
    if interest.is_empty() {
        *place = None;
    }
    removed
}

/// Gives memory back when a map that was large has become nearly empty.
pub(crate) fn shrink<K: Eq + std::hash::Hash, V>(
    map: &mut HashMap<K, V, foldhash::fast::RandomState>,
) {
    if map.capacity() > 64 && map.len() * 8 < map.capacity() {
        map.shrink_to(map.len() * 2);
    }
}
