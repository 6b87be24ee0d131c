//! Which of the numbered messages came. Pure: they may come in any order, and more than once.

use std::collections::BTreeSet;

/// Messages that may be ahead of one that is missing, before that counts as lost.
const AHEAD_MAX: usize = 100_000;

/// What came so far.
#[derive(Default)]
pub(super) struct Ledger {
    /// Everything before came, or is lost. `None`: the first says where we came in.
    next: Option<u64>,
    ahead: BTreeSet<u64>,
    lost: u64,
}

impl Ledger {
    /// From this number on, all must come.
    pub(super) fn from(number: u64) -> Self {
        Self {
            next: Some(number),
            ..Self::default()
        }
    }

    /// Notes a number; whether it is new.
    pub(super) fn note(&mut self, number: u64) -> bool {
        let next = self.next.get_or_insert(number);
        if number < *next || !self.ahead.insert(number) {
            return false;
        }
        if self.ahead.len() > AHEAD_MAX
            && let Some(&first) = self.ahead.first()
        {
            self.lost += first.saturating_sub(*next);
            *next = first;
        }
        while self.ahead.remove(next) {
            *next += 1;
        }
        true
    }

    /// The first that did not come.
    pub(super) fn first_missing(&self) -> u64 {
        self.next.unwrap_or(1)
    }

    /// How many did not come of all up to this one.
    pub(super) fn missing(&self, last: u64) -> u64 {
        let next = self.next.unwrap_or(1);
        let due = (last + 1).saturating_sub(next);
        self.lost + due.saturating_sub(self.ahead.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_once_in_any_order() {
        let mut ledger = Ledger::from(1);
        assert!(ledger.note(2) && ledger.note(1) && ledger.note(4));
        assert!(!ledger.note(1) && !ledger.note(4));
        assert_eq!((ledger.missing(4), ledger.missing(6)), (1, 3));
        assert_eq!(ledger.first_missing(), 3);
        assert!(ledger.note(3) && ledger.ahead.is_empty());
        assert_eq!(ledger.missing(4), 0);
    }

    #[test]
    fn what_came_before_the_first_is_not_missed() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.missing(5), 5);
        assert!(ledger.note(3));
        assert_eq!(ledger.missing(5), 2);
    }

    #[test]
    fn what_many_overtook_is_lost() {
        let mut ledger = Ledger::from(1);
        let last = AHEAD_MAX as u64 + 3;
        assert!((3..=last).all(|number| ledger.note(number)));
        assert_eq!(ledger.missing(last), 2);
        assert!(ledger.ahead.is_empty());
    }
}
