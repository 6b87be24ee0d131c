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
    use proptest::prelude::*;
    use recado_auth::{PermissionsSpec, Responses, Rules};
    use recado_wire::filter_matches;

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

    #[derive(Clone, Debug)]
    enum Step {
        /// A message with this reply subject is delivered.
        Deliver(&'static str),
        Publish(&'static str),
        Wait(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let subject = || prop::sample::select(vec!["a.x", "a.y", "b.x", "r.1", "r.2"]);
        let step = prop_oneof![
            3 => subject().prop_map(Step::Deliver),
            6 => subject().prop_map(Step::Publish),
            1 => (0_u64..8).prop_map(Step::Wait),
        ];
        prop::collection::vec(step, 1..40)
    }

    fn list() -> impl Strategy<Value = Vec<String>> {
        let rule = prop::sample::select(vec!["a.x", "a.*", "b.>", "r.1", ">"]);
        prop::collection::vec(rule.prop_map(str::to_owned), 0..3)
    }

    /// What may be published, told plainly: what the lists say, and else each reply subject that was delivered, as often
    /// and as long as was said since it was last.
    struct Model {
        rules: Rules,
        responses: Option<Responses>,
        /// Reply subjects, when they were delivered last, and answers since.
        delivered: Vec<(&'static str, u64, i64)>,
    }

    impl Model {
        fn lists(&self, subject: &str) -> bool {
            let named = |list: &[String]| {
                let mut all = list.iter();
                all.any(|rule| filter_matches(rule.as_bytes(), subject.as_bytes()))
            };
            let allowed = match self.rules.allow.as_deref() {
                // Whoever may answer may do nothing else unless told.
                None => self.responses.is_none(),
                Some(list) => named(list),
            };
            allowed && !named(&self.rules.deny)
        }

        fn may_publish(&mut self, subject: &str, now: u64) -> bool {
            if self.lists(subject) {
                return true;
            }
            let Some(responses) = &self.responses else {
                return false;
            };
            let known = self
                .delivered
                .iter_mut()
                .find(|(reply, ..)| *reply == subject);
            let Some((_, since, answers)) = known else {
                return false;
            };
            let lifetime = responses.expires.as_secs();
            let in_time = lifetime == 0 || now - *since <= lifetime;
            let more = responses.max < 0 || *answers < responses.max;
            *answers += i64::from(in_time && more);
            in_time && more
        }
    }

    proptest! {
        #[test]
        fn who_may_answer_may_publish_just_that_besides_what_the_lists_say(
            allow in prop::option::of(list()),
            deny in list(),
            responses in prop::option::of((prop::sample::select(vec![-1, 1, 2]), 0_u64..6)),
            steps in steps(),
        ) {
            let rules = Rules { allow, deny };
            let responses = responses.map(|(max, seconds)| Responses {
                max,
                expires: Duration::from_secs(seconds),
            });
            let spec = PermissionsSpec {
                publish: rules.clone(),
                subscribe: Rules::default(),
                responses: responses.clone(),
            };
            let mut identity = Identity::new(Method::Open, "A".into());
            identity.permissions = Some(Arc::new(Permissions::new(spec).expect("valid rules")));
            let standing = Standing::of(identity, &Accounts::new("SYS"), None);
            let mut model = Model { rules, responses, delivered: Vec::new() };
            let (start, mut seconds) = (Instant::now(), 0);
            for step in steps {
                let now = start + Duration::from_secs(seconds);
                match step {
                    Step::Wait(more) => seconds += more,
                    Step::Deliver(reply) => {
                        standing.grant_reply(reply.as_bytes(), now);
                        model.delivered.retain(|(known, ..)| *known != reply);
                        model.delivered.push((reply, seconds, 0));
                    }
                    Step::Publish(subject) => {
                        let permissions = standing.permissions().expect("some");
                        let may = permissions.may_publish(subject.as_bytes())
                            || standing.take_reply_grant(subject.as_bytes(), now);
                        prop_assert_eq!(may, model.may_publish(subject, seconds), "{} after {} s", subject, seconds);
                    }
                }
            }
        }
    }
}
