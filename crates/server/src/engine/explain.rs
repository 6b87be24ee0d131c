//! Where a message would go: what its subject is renamed to, whether its publisher may, who gets it, and what it crosses
//! to. It looks at the same things as the way of a real message, and sends none.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use recado_auth::Permissions;
use recado_router::Subscription as _;
use recado_wire::filter_matches;
use serde::Serialize;

use super::account::Account;
use super::connection::Connection;
use super::drops::Dropped;
use super::elsewhere::{Elsewhere, elsewhere};
use super::shared::Engine;
use super::standing::Standing;
use super::subscription::Subscription;

/// Receivers that are told of by name in one list.
pub(crate) const RECEIVERS_MAX: usize = 256;
/// Queue groups that are told of.
const GROUPS_MAX: usize = 256;
/// Destinations of a mapping that are told of.
const OUTCOMES_MAX: usize = 32;
/// Entries of the journal of drops that are told of.
const DROPS_MAX: usize = 64;

/// Who asks, and what that may see.
pub(crate) struct View<'a> {
    /// Who would publish; `None`: somebody without restrictions.
    pub(crate) publisher: Option<&'a Standing>,
    /// Names of other users, and clients of other accounts.
    pub(crate) sees_all: bool,
}

/// What becomes of a message in the engine.
#[derive(Debug, Serialize)]
pub(crate) struct Explained {
    /// The mapping that renames it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mapping: Option<String>,
    /// One, or as many as the mapping has destinations.
    pub(crate) outcomes: Vec<Outcome>,
    #[serde(skip)]
    pub(crate) drops: Vec<Dropped>,
}

/// One subject that the message may get.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) subject: String,
    /// How many of a hundred messages.
    pub(crate) percent: u32,
    pub(crate) publish: PublishVerdict,
    /// Everybody who gets a copy, or would without a rule.
    pub(crate) subscribers: Vec<Receiver>,
    pub(crate) subscriber_count: usize,
    pub(crate) queue_groups: Vec<QueueGroup>,
    /// Services of other accounts that it is a request to.
    pub(crate) services: Vec<Crossing>,
    /// What other accounts have under this subject and does not cross, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) elsewhere: Vec<Elsewhere>,
}

/// Whether the publisher may publish it.
#[derive(Debug, Serialize)]
pub(crate) struct PublishVerdict {
    pub(crate) allowed: bool,
    /// `open`, `allow`, `deny`, or `not_allowed` where no rule of those that allow something names it.
    pub(crate) by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<String>,
    /// It may be sent as the answer to a message that was received.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) as_answer: bool,
}

/// A queue group: one of its members gets the message.
#[derive(Debug, Serialize)]
pub(crate) struct QueueGroup {
    pub(crate) name: String,
    pub(crate) members: Vec<Receiver>,
    pub(crate) member_count: usize,
}

/// One subscription.
#[derive(Debug, Serialize)]
pub(crate) struct Receiver {
    pub(crate) gets: bool,
    /// Rule that keeps the subject from it, within the filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) denied_by: Option<String>,
    /// A part of the server itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) server: bool,
    /// Where it is in another account: that, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    /// ... and the name of the subject there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    /// What follows is not told of clients of other accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cid: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pending_bytes: Option<usize>,
    /// Headers are taken off before it gets a message.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) without_headers: bool,
}

/// Where a request goes on to.
#[derive(Debug, Serialize)]
pub(crate) struct Crossing {
    pub(crate) account: String,
    pub(crate) subject: String,
    /// Subscriptions there.
    pub(crate) responders: usize,
}

/// Explains what becomes of a message on `subject`, which holds no wildcard.
pub(crate) fn explain(
    engine: &Engine,
    account: &Arc<Account>,
    subject: &[u8],
    view: &View<'_>,
) -> Explained {
    let terms = account.terms();
    let mapped = terms.mappings.outcomes(subject);
    let (mapping, ways) = match mapped {
        Some((source, ways)) => (Some(source), ways),
        None => (None, vec![(100, subject.to_vec())]),
    };
    let listed = ways.iter().take(OUTCOMES_MAX);
    let outcomes =
        listed.map(|(percent, renamed)| outcome(engine, account, renamed, *percent, view));
    let outcomes = outcomes.collect();
    for service in &terms.services {
        if let Some(import) = service
            .special()
            .and_then(|special| special.service.as_ref())
        {
            let responses = &import.exporter.responses;
            responses.expire(Instant::now(), engine.drops());
        }
    }
    let mut subjects = vec![subject];
    subjects.extend(ways.iter().map(|(_, renamed)| renamed.as_slice()));
    Explained {
        mapping,
        outcomes,
        drops: engine.drops().about(&account.name, &subjects, DROPS_MAX),
    }
}

fn outcome(
    engine: &Engine,
    account: &Arc<Account>,
    subject: &[u8],
    percent: u32,
    view: &View<'_>,
) -> Outcome {
    let (matches, _) = account
        .router
        .resolve(subject, account.router.hash(subject));
    let (mut subscribers, mut services) = (Vec::new(), Vec::new());
    let mut subscriber_count = 0;
    for sub in &matches.plain {
        match sub.special().and_then(|special| special.service.as_ref()) {
            Some(import) => {
                if let Some(there) = import.renaming.outward.apply(subject, 0) {
                    services.push(crossing(&import.exporter, &there));
                }
            }
            None => {
                subscriber_count += 1;
                if subscribers.len() < RECEIVERS_MAX {
                    subscribers.extend(Receiver::of(sub, subject, view));
                }
            }
        }
    }
    let groups = matches.queues.iter().take(GROUPS_MAX);
    let queue_groups = groups.map(|group| QueueGroup {
        name: text(&group.name),
        member_count: group.members.len(),
        members: group
            .members
            .iter()
            .take(RECEIVERS_MAX)
            .filter_map(|sub| Receiver::of(sub, subject, view))
            .collect(),
    });
    Outcome {
        subject: text(subject),
        percent,
        publish: may_publish(view.publisher.and_then(|who| who.permissions()), subject),
        subscribers,
        subscriber_count,
        queue_groups: queue_groups.collect(),
        services,
        elsewhere: elsewhere(engine, account, subject, view.sees_all),
    }
}

fn crossing(exporter: &Arc<Account>, subject: &[u8]) -> Crossing {
    let router = &exporter.router;
    let (matches, _) = router.resolve(subject, router.hash(subject));
    let queues = matches.queues.iter().map(|group| group.members.len());
    Crossing {
        account: exporter.name.as_ref().to_owned(),
        subject: text(subject),
        responders: matches.plain.len() + queues.sum::<usize>(),
    }
}

impl Receiver {
    /// A subscription; `None`: its connection is gone.
    fn of(sub: &Arc<Subscription>, subject: &[u8], view: &View<'_>) -> Option<Self> {
        let connection = sub.connection.upgrade()?;
        let shadow = sub.special().and_then(|special| special.shadow.as_ref());
        let (main, named) = match shadow {
            Some(shadow) => (
                &shadow.main,
                shadow.import.renaming.inward.apply(subject, 0)?,
            ),
            None => (sub, subject.to_vec()),
        };
        let gets = main.may_get(&named);
        let mut receiver = Self {
            gets,
            denied_by: None,
            server: connection.peer.is_none(),
            account: shadow.map(|_| connection.account().name.as_ref().to_owned()),
            subject: shadow.map(|_| text(&named)),
            cid: None,
            name: None,
            user: None,
            filter: None,
            sid: None,
            pending_bytes: None,
            without_headers: !main.headers.load(Ordering::Relaxed),
        };
        if shadow.is_none() || view.sees_all {
            receiver.tell_of(&connection, main, view);
            if !gets {
                receiver.denied_by = deny_rule(&connection.standing(), &named, main.queue());
            }
        }
        Some(receiver)
    }

    /// Who it is.
    fn tell_of(&mut self, connection: &Connection, main: &Subscription, view: &View<'_>) {
        let name = connection.name();
        self.cid = Some(connection.id);
        self.name = (!name.is_empty()).then(|| name.to_owned());
        self.user = connection
            .standing()
            .identity
            .user
            .clone()
            .filter(|_| view.sees_all);
        self.filter = Some(text(main.filter()));
        self.sid = Some(text(main.sid()));
        self.pending_bytes = Some(connection.waiting_bytes());
    }
}

/// Whether a user with these permissions may publish, and which rule says so.
fn may_publish(permissions: Option<&Arc<Permissions>>, subject: &[u8]) -> PublishVerdict {
    let Some(permissions) = permissions else {
        return PublishVerdict {
            allowed: true,
            by: "open",
            rule: None,
            as_answer: false,
        };
    };
    let allowed = permissions.may_publish(subject);
    let rules = &permissions.spec().publish;
    let naming = |list: &[String]| {
        let mut list = list.iter();
        list.find(|rule| filter_matches(rule.trim().as_bytes(), subject))
            .cloned()
    };
    let denied = naming(&rules.deny).filter(|_| !allowed);
    let (by, rule) = match (denied, &rules.allow) {
        (Some(rule), _) => ("deny", Some(rule)),
        (None, Some(list)) if allowed => ("allow", naming(list)),
        (None, None) if allowed => ("open", None),
        (None, _) => ("not_allowed", None),
    };
    PublishVerdict {
        allowed,
        by,
        rule,
        as_answer: !allowed && permissions.responses().is_some(),
    }
}

/// The rule that keeps a subject from a subscription in `queue`.
fn deny_rule(standing: &Standing, subject: &[u8], queue: Option<&[u8]>) -> Option<String> {
    let rules = &standing.permissions()?.spec().subscribe.deny;
    let denies = |rule: &&String| {
        let mut words = rule.split_whitespace();
        let filter = words.next().unwrap_or_default();
        filter_matches(filter.as_bytes(), subject)
            && words.next().is_none_or(|group| {
                queue.is_some_and(|queue| filter_matches(group.as_bytes(), queue))
            })
    };
    rules.iter().find(denies).cloned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Engine {
    /// Who is connected as this user in an account.
    pub(crate) fn standing_of(&self, account: &str, user: &str) -> Option<Arc<Standing>> {
        let all = self.connections.all().into_iter();
        let mut standings = all.map(|connection| connection.standing());
        standings.find(|standing| {
            *standing.account.name == *account && standing.identity.user.as_deref() == Some(user)
        })
    }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
