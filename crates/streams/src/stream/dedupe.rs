//! The window in which a message id is accepted once (E85, G27).

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;

/// Message ids that were stored lately.
#[derive(Debug, Default)]
pub(crate) struct DedupeWindow {
    known: HashMap<Arc<str>, u64, foldhash::fast::RandomState>,
    /// In the order they came.
    order: VecDeque<(i64, Arc<str>, u64)>,
}

impl DedupeWindow {
    /// The sequence that an id was stored as, if it was within the window.
    pub(crate) fn find(&self, id: &str) -> Option<u64> {
        self.known.get(id).copied()
    }

    /// Remembers an id.
    pub(crate) fn remember(&mut self, id: &str, sequence: u64, time_ns: i64) {
        let id: Arc<str> = id.into();
        self.known.insert(Arc::clone(&id), sequence);
        self.order.push_back((time_ns, id, sequence));
    }

    /// When the window of all that it knows is over.
    pub(crate) fn end(&self, window_ns: i64) -> Option<i64> {
        let (last_ns, ..) = self.order.back()?;
        Some(last_ns.saturating_add(window_ns))
    }

    /// Forgets what is older than the window.
    pub(crate) fn expire(&mut self, now_ns: i64, window_ns: i64) {
        while let Some((time_ns, _, _)) = self.order.front() {
            if now_ns.saturating_sub(*time_ns) < window_ns {
                break;
            }
            if let Some((_, id, sequence)) = self.order.pop_front()
                && self.known.get(&id) == Some(&sequence)
            {
                self.known.remove(&id);
            }
        }
        if self.order.is_empty() && self.order.capacity() > 0 {
            // What a burst took is not kept for the next one.
            *self = Self::default();
        }
    }

    /// Forgets all that came after `sequence`.
    pub(crate) fn forget_after(&mut self, sequence: u64) {
        self.order.retain(|(_, _, at)| *at <= sequence);
        self.known.retain(|_, at| *at <= sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_until_its_window_is_over() {
        let mut window = DedupeWindow::default();
        window.remember("a", 1, 100);
        window.remember("b", 2, 150);
        window.expire(199, 100);
        assert_eq!(window.find("a"), Some(1));
        window.expire(200, 100);
        assert_eq!((window.find("a"), window.find("b")), (None, Some(2)));
        assert_eq!(window.end(100), Some(250));
        window.expire(250, 100);
        assert_eq!((window.find("b"), window.end(100)), (None, None));
    }

    #[test]
    fn an_id_that_was_stored_again_lives_as_long_as_its_last_one() {
        let mut window = DedupeWindow::default();
        window.remember("a", 1, 100);
        window.remember("a", 7, 190);
        window.expire(210, 100);
        assert_eq!(window.find("a"), Some(7));
    }
}
