//! Who a connection was let in as: its account, its user, and what that may do.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use parking_lot::Mutex;
use recado_auth::{Identity, Method, Permissions};

use super::account::{Account, Accounts};
use super::login::Presented;

/// Reply subjects that one connection may be allowed to publish to at once; the oldest are forgotten beyond it.
const GRANTS_MAX: usize = 65_536;

/// Who a connection is. Shared by all that were not asked for a credential.
pub(crate) struct Standing {
    pub(crate) account: Arc<Account>,
    /// User that it proved to be, and what that may do.
    pub(crate) identity: Identity,
    /// What it proved that by, if it was asked.
    pub(crate) presented: Option<Arc<Presented>>,
    /// Reply subjects that it may publish to for a while (C33).
    grants: Option<Grants>,
}

impl Standing {
    /// Nobody in particular.
    pub(crate) fn anonymous(account: &Arc<Account>) -> Self {
        Self {
            account: Arc::clone(account),
            identity: Identity::new(Method::Open, Arc::clone(&account.name)),
            presented: None,
            grants: None,
        }
    }

    /// Whom a decision let in.
    pub(crate) fn of(
        identity: Identity,
        accounts: &Accounts,
        presented: Option<Arc<Presented>>,
    ) -> Self {
        let permissions = identity.permissions.as_deref();
        let responses = permissions.and_then(Permissions::responses);
        let grants = responses.map(|responses| Grants {
            times: responses.max,
            lifetime: responses.expires,
            given: Mutex::default(),
        });
        Self {
            account: accounts.get_or_add(&identity.account),
            identity,
            presented,
            grants,
        }
    }

    /// What the user may do, where that is not everything.
    pub(crate) fn permissions(&self) -> Option<&Arc<Permissions>> {
        self.identity.permissions.as_ref()
    }

    /// It was sent a message with this reply subject.
    pub(crate) fn grant_reply(&self, reply: &[u8], now: Instant) {
        if let Some(grants) = &self.grants {
            grants.give(reply, now);
        }
    }

    /// Whether it may publish to `subject` because it was sent a message with that reply subject. Counts as one answer.
    pub(crate) fn take_reply_grant(&self, subject: &[u8], now: Instant) -> bool {
        self.grants
            .as_ref()
            .is_some_and(|grants| grants.take(subject, now))
    }
}

/// What `allow_responses` gave so far.
struct Grants {
    /// Answers to one message; below 0: any number.
    times: i64,
    /// Zero: for ever.
    lifetime: Duration,
    given: Mutex<Given>,
}

#[derive(Default)]
struct Given {
    by_reply: HashMap<Box<[u8]>, Grant, foldhash::fast::RandomState>,
    /// In the order they were given.
    order: VecDeque<(u64, Box<[u8]>)>,
    count: u64,
}

struct Grant {
    left: i64,
    since: Instant,
    number: u64,
}

impl Grants {
    fn give(&self, reply: &[u8], now: Instant) {
        let mut given = self.given.lock();
        given.forget_old(self.lifetime, now);
        given.count += 1;
        let number = given.count;
        let grant = Grant {
            left: self.times,
            since: now,
            number,
        };
        given.by_reply.insert(reply.into(), grant);
        given.order.push_back((number, reply.into()));
    }

    fn take(&self, subject: &[u8], now: Instant) -> bool {
        let mut given = self.given.lock();
        let Some(grant) = given.by_reply.get_mut(subject) else {
            return false;
        };
        let over = !self.lifetime.is_zero() && now.duration_since(grant.since) > self.lifetime;
        if over || grant.left == 0 {
            given.by_reply.remove(subject);
            return false;
        }
        if grant.left > 0 {
            grant.left -= 1;
        }
        if grant.left == 0 {
            given.by_reply.remove(subject);
        }
        true
    }
}

impl Given {
    fn forget_old(&mut self, lifetime: Duration, now: Instant) {
        while let Some((number, reply)) = self.order.front() {
            let known = self
                .by_reply
                .get(reply)
                .filter(|grant| grant.number == *number);
            let stays = known.is_some_and(|grant| {
                lifetime.is_zero() || now.duration_since(grant.since) <= lifetime
            });
            if stays && self.order.len() < GRANTS_MAX {
                return;
            }
            let current = known.is_some();
            if let Some((_, reply)) = self.order.pop_front()
                && current
            {
                self.by_reply.remove(&reply);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(times: i64, lifetime: Duration) -> Grants {
        Grants {
            times,
            lifetime,
            given: Mutex::default(),
        }
    }

    #[test]
    fn an_answer_is_allowed_as_often_and_as_long_as_was_said() {
        let now = Instant::now();
        let twice = grants(2, Duration::from_secs(10));
        twice.give(b"r", now);
        assert!(!twice.take(b"other", now));
        assert!(twice.take(b"r", now));
        assert!(twice.take(b"r", now + Duration::from_secs(10)));
        assert!(!twice.take(b"r", now + Duration::from_secs(10)));
        twice.give(b"r", now);
        assert!(!twice.take(b"r", now + Duration::from_secs(11)));
        let always = grants(-1, Duration::ZERO);
        always.give(b"r", now);
        for hour in 0..5 {
            assert!(always.take(b"r", now + Duration::from_secs(3600 * hour)));
        }
    }

    #[test]
    fn what_was_given_is_bounded() {
        let now = Instant::now();
        let grants = grants(1, Duration::ZERO);
        for number in 0..GRANTS_MAX + 10 {
            grants.give(format!("r.{number}").as_bytes(), now);
        }
        let given = grants.given.lock();
        assert!(given.by_reply.len() <= GRANTS_MAX);
        assert!(given.order.len() <= GRANTS_MAX);
        assert!(!given.by_reply.contains_key(&b"r.0"[..]));
    }
}
