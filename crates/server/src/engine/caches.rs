//! The cached routes of one thread: a cache for each account that it routes for.

use std::time::{Duration, Instant};

use recado_router::{RouteCache, RouteId};

use super::account::Account;
use super::route::Route;

/// Bytes of all routes that one thread keeps. Above it they are built anew.
const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What nobody looked for in so long goes, at the latest after twice as long: inboxes that answered a few times and never
/// again.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// Batches between two looks at the time.
const BATCHES_A_LOOK: u32 = 64;

/// A route of this batch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RouteRef {
    account: u32,
    id: RouteId,
}

/// Caches by number of the account.
#[derive(Default)]
pub(crate) struct Caches {
    by_account: Vec<RouteCache<Route>>,
    /// Those that this batch used: one, unless something crossed.
    used: Vec<u32>,
    /// Of the caches that this batch does not use, as the next.
    kept_bytes: usize,
    kept_routes: usize,
    batches: u32,
    /// When they aged the last time.
    aged: Option<Instant>,
}

impl Caches {
    /// The cache of an account, to find a route in.
    #[inline]
    pub(crate) fn of(&mut self, account: &Account) -> &mut RouteCache<Route> {
        let number = account.number;
        if self.used.last() != Some(&number) {
            self.begin(number);
        }
        &mut self.by_account[number as usize]
    }

    #[cold]
    fn begin(&mut self, number: u32) {
        let at = number as usize;
        if self.by_account.len() <= at {
            self.by_account.resize_with(at + 1, RouteCache::default);
        }
        // Moved to the end if it is there: the next look is for the same account most often.
        match self.used.iter().position(|used| *used == number) {
            Some(at) => {
                let last = self.used.len() - 1;
                self.used.swap(at, last);
            }
            None => {
                self.kept_bytes -= self.by_account[at].weight();
                self.kept_routes -= self.by_account[at].kept();
                self.used.push(number);
            }
        }
    }

    #[inline]
    pub(crate) fn route_mut(&mut self, route: RouteRef) -> Option<&mut Route> {
        self.by_account
            .get_mut(route.account as usize)?
            .get_mut(route.id)
    }

    pub(crate) fn route(&self, route: RouteRef) -> Option<&Route> {
        self.by_account.get(route.account as usize)?.get(route.id)
    }

    /// The subject that a route of this batch is for.
    pub(crate) fn subject(&self, route: RouteRef) -> Option<&[u8]> {
        self.by_account
            .get(route.account as usize)?
            .subject(route.id)
    }

    /// Subjects that are kept.
    pub(crate) fn kept(&self) -> usize {
        let used = self.used.iter();
        let of = |number: &u32| self.by_account[*number as usize].kept();
        self.kept_routes + used.map(of).sum::<usize>()
    }

    /// Whether so much is referred to by this batch alone that it should end.
    #[inline]
    pub(crate) fn is_strained(&self) -> bool {
        self.used
            .iter()
            .any(|used| self.by_account[*used as usize].is_strained())
    }

    /// Ends the batch: routes spoken of so far are no longer valid.
    pub(crate) fn end_batch(&mut self) {
        for number in self.used.drain(..) {
            let cache = &mut self.by_account[number as usize];
            cache.end_batch();
            self.kept_bytes += cache.weight();
            self.kept_routes += cache.kept();
        }
        if self.kept_bytes > KEPT_BYTES_MAX {
            self.forget();
        }
        self.batches = self.batches.wrapping_add(1);
        if self.batches.is_multiple_of(BATCHES_A_LOOK) {
            self.age(Instant::now());
        }
    }

    /// Forgets all routes; between batches.
    #[cold]
    pub(crate) fn forget(&mut self) {
        self.by_account = Vec::new();
        self.used.clear();
        self.kept_bytes = 0;
        self.kept_routes = 0;
    }

    /// Forgets what was not used lately, when it is time for that.
    #[cold]
    fn age(&mut self, now: Instant) {
        let aged = *self.aged.get_or_insert(now);
        if now.duration_since(aged) < KEPT_FOR {
            return;
        }
        self.aged = Some(now);
        self.kept_bytes = 0;
        self.kept_routes = 0;
        for cache in &mut self.by_account {
            cache.age();
            self.kept_bytes += cache.weight();
            self.kept_routes += cache.kept();
        }
    }
}

impl RouteRef {
    pub(crate) fn new(account: &Account, id: RouteId) -> Self {
        Self {
            account: account.number,
            id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::internal_client::tests::{engine, run};

    /// A batch in which a message is routed on each of the subjects.
    fn batch(caches: &mut Caches, account: &Account, subjects: &[&str]) {
        for subject in subjects {
            caches
                .of(account)
                .find(&account.router, subject.as_bytes(), |matches| {
                    Route::new(subject.as_bytes(), matches)
                });
        }
        caches.end_batch();
    }

    #[test]
    fn routes_that_nobody_looked_for_in_a_while_go() {
        run(async {
            let engine = engine();
            let account = engine.accounts.global();
            let mut caches = Caches::default();
            for _ in 0..3 {
                batch(&mut caches, account, &["a", "b"]);
            }
            assert_eq!(caches.kept(), 2);
            let start = Instant::now();
            caches.age(start);
            caches.age(start + KEPT_FOR / 2);
            assert_eq!(caches.kept(), 2, "it was not time yet");
            caches.age(start + KEPT_FOR);
            assert_eq!(caches.kept(), 2, "both were looked for");
            batch(&mut caches, account, &["a"]);
            caches.age(start + 2 * KEPT_FOR);
            assert_eq!(caches.kept(), 1);
            caches.forget();
            assert_eq!(caches.kept(), 0);
        });
    }
}
