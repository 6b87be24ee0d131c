//! What a user may publish, subscribe to and receive: reference rows C30 to C34, A86 to A89.
//!
//! [`Permissions`] are compiled once, when a user is known, and asked for every message: nothing here
//! allocates after that. The rules are nats-server's, with one exception that is narrower:
//! an allowed `foo.*` does not allow a subscription to `foo.>`, which reaches deeper.

mod spec;
mod subjects;
#[cfg(test)]
mod tests;

use recado_wire::{filter_matches, has_wildcard, tokens, validate_filter};

use self::subjects::Subjects;
pub use spec::{
    PermissionsSpec, RESPONSES_EXPIRES_DEFAULT, RESPONSES_MAX_DEFAULT, Responses, Rules,
};

/// Most rules in one list (allow or deny, publish or subscribe).
pub const RULES_MAX: usize = 16_384;

/// What a user may do, ready to be asked.
#[derive(Debug)]
pub struct Permissions {
    spec: PermissionsSpec,
    publish: Publish,
    subscribe: Subscribe,
}

/// Whether a subscription may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscribing {
    /// Refused: "Permissions Violation for Subscription to …".
    Denied,
    /// Made, and whatever it matches may be delivered.
    Allowed,
    /// Made, but denied subjects lie inside: each delivery is asked for with
    /// [`Permissions::may_deliver`].
    Filtered,
}

/// Why a rule can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPermissions {
    /// Not a subject.
    #[error(
        "permission {0:?} is not a valid subject; write tokens separated by dots, like \"orders.*\""
    )]
    Subject(String),
    /// A queue group where none can be meant.
    #[error(
        "permission {0:?} names a queue group, which only subscribe permissions can; keep the subject alone"
    )]
    QueueForPublish(String),
    /// More than a subject and a queue group.
    #[error("permission {0:?} has more than a subject and a queue group; write \"subject group\"")]
    TooManyWords(String),
    /// More than [`RULES_MAX`] rules.
    #[error("{0} rules in one list of permissions, the most is {RULES_MAX}; use wildcards")]
    TooMany(usize),
}

impl Permissions {
    /// Compiles what was configured. Where responses are allowed and no list says what may be published, nothing
    /// else may (as nats-server).
    pub fn new(mut spec: PermissionsSpec) -> Result<Self, InvalidPermissions> {
        spec.complete();
        let publish = Publish {
            allow: match &spec.publish.allow {
                Some(rules) => Some(publish_set(rules)?),
                None => None,
            },
            deny: publish_set(&spec.publish.deny)?,
        };
        let subscribe = Subscribe {
            // As nats-server: an empty list of what may be subscribed to allows all.
            allow: match spec.subscribe.allow.as_deref() {
                None | Some([]) => None,
                Some(rules) => Some(QueueRules::new(rules)?),
            },
            deny: QueueRules::new(&spec.subscribe.deny)?,
        };
        Ok(Self {
            spec,
            publish,
            subscribe,
        })
    }

    /// What they were made of, with defaults filled in: for `$SYS.REQ.USER.INFO` and the like.
    pub fn spec(&self) -> &PermissionsSpec {
        &self.spec
    }

    /// Whether the lists allow a publish to `subject`. A denied one may still be allowed as a
    /// response ([`Self::responses`]); the caller knows which replies it delivered.
    pub fn may_publish(&self, subject: &[u8]) -> bool {
        let Publish { allow, deny } = &self.publish;
        allow.as_ref().is_none_or(|allow| allow.matches(subject)) && !deny.matches(subject)
    }

    /// Whether, and how often, reply subjects of delivered messages may be published to.
    pub fn responses(&self) -> Option<&Responses> {
        self.spec.responses.as_ref()
    }

    /// Whether a subscription to `filter`, in `queue`, may be made. An empty queue is none.
    pub fn subscription(&self, filter: &[u8], queue: Option<&[u8]>) -> Subscribing {
        let queue = queue.filter(|queue| !queue.is_empty());
        let Subscribe { allow, deny } = &self.subscribe;
        let allowed = allow
            .as_ref()
            .is_none_or(|allow| allow.allow(filter, queue));
        if !allowed || deny.deny(filter, queue) {
            Subscribing::Denied
        } else if has_wildcard(filter) && deny.may_meet(filter, queue) {
            Subscribing::Filtered
        } else {
            Subscribing::Allowed
        }
    }

    /// Whether a message on `subject` may be delivered to a [`Subscribing::Filtered`] subscription in
    /// `queue`. An empty queue is none.
    pub fn may_deliver(&self, subject: &[u8], queue: Option<&[u8]>) -> bool {
        let queue = queue.filter(|queue| !queue.is_empty());
        !self.subscribe.deny.deny(subject, queue)
    }
}

#[derive(Debug)]
struct Publish {
    /// `None`: all.
    allow: Option<Subjects>,
    deny: Subjects,
}

#[derive(Debug)]
struct Subscribe {
    /// `None`: all.
    allow: Option<QueueRules>,
    deny: QueueRules,
}

/// Rules for subscriptions: plain ones, and those for certain queue groups.
#[derive(Debug)]
struct QueueRules {
    plain: Subjects,
    plain_filters: Vec<Box<[u8]>>,
    queued: Vec<QueueRule>,
}

/// "subject group".
#[derive(Debug)]
struct QueueRule {
    filter: Box<[u8]>,
    queue: Box<[u8]>,
}

impl QueueRules {
    fn new(rules: &[String]) -> Result<Self, InvalidPermissions> {
        within_bound(rules)?;
        let mut read = Self {
            plain: Subjects::default(),
            plain_filters: Vec::new(),
            queued: Vec::new(),
        };
        for rule in rules {
            match split(rule)? {
                (filter, None) => {
                    read.plain.insert(filter.as_bytes());
                    read.plain_filters.push(filter.as_bytes().into());
                }
                (filter, Some(queue)) => read.queued.push(QueueRule {
                    filter: filter.as_bytes().into(),
                    queue: queue.as_bytes().into(),
                }),
            }
        }
        Ok(read)
    }

    /// As a list of what is allowed. If there are rules with a queue group for what a queue subscription
    /// asks, they alone decide; and they never allow a plain subscription.
    fn allow(&self, filter: &[u8], queue: Option<&[u8]>) -> bool {
        let deep = tokens(filter).last() == Some(b">");
        // A rule that does not end in `>` allows nothing that does.
        let reaches = |rule: &[u8]| !deep || tokens(rule).last() == Some(b">");
        if let Some(queue) = queue {
            let mut named = false;
            for rule in &self.queued {
                if filter_matches(&rule.filter, filter) && reaches(&rule.filter) {
                    named = true;
                    if queue_matches(queue, &rule.queue) {
                        return true;
                    }
                }
            }
            if named {
                return false;
            }
        }
        if deep {
            let mut rules = self.plain_filters.iter();
            return rules.any(|rule| reaches(rule) && filter_matches(rule, filter));
        }
        self.plain.matches(filter)
    }

    /// As a list of what is denied: whether it concerns all of `filter`.
    fn deny(&self, filter: &[u8], queue: Option<&[u8]>) -> bool {
        self.plain.matches(filter)
            || queue.is_some_and(|queue| {
                self.queued.iter().any(|rule| {
                    queue_matches(queue, &rule.queue) && filter_matches(&rule.filter, filter)
                })
            })
    }

    /// As a list of what is denied: whether it concerns any subject that `filter` matches.
    fn may_meet(&self, filter: &[u8], queue: Option<&[u8]>) -> bool {
        let plain = self.plain_filters.iter();
        let queued = self
            .queued
            .iter()
            .filter(|rule| queue.is_some_and(|queue| queue_matches(queue, &rule.queue)));
        plain
            .chain(queued.map(|rule| &rule.filter))
            .any(|rule| filters_meet(rule, filter))
    }
}

/// Whether a rule can be understood, on its own. Only those of subscriptions may name a queue group.
pub fn check_rule(rule: &str, may_name_queue: bool) -> Result<(), InvalidPermissions> {
    match split(rule)? {
        (_, Some(_)) if !may_name_queue => {
            Err(InvalidPermissions::QueueForPublish(rule.to_owned()))
        }
        _ => Ok(()),
    }
}

fn publish_set(rules: &[String]) -> Result<Subjects, InvalidPermissions> {
    within_bound(rules)?;
    let mut set = Subjects::default();
    for rule in rules {
        check_rule(rule, false)?;
        set.insert(split(rule)?.0.as_bytes());
    }
    Ok(set)
}

fn within_bound(rules: &[String]) -> Result<(), InvalidPermissions> {
    match rules.len() {
        count if count > RULES_MAX => Err(InvalidPermissions::TooMany(count)),
        _ => Ok(()),
    }
}

/// A rule's subject and its queue group.
fn split(rule: &str) -> Result<(&str, Option<&str>), InvalidPermissions> {
    let mut words = rule.split_whitespace();
    let (subject, queue) = (words.next().unwrap_or_default(), words.next());
    if words.next().is_some() {
        return Err(InvalidPermissions::TooManyWords(rule.to_owned()));
    }
    let valid = |text: &str| validate_filter(text.as_bytes()).is_ok();
    if valid(subject) && queue.is_none_or(valid) {
        Ok((subject, queue))
    } else {
        Err(InvalidPermissions::Subject(rule.to_owned()))
    }
}

/// Whether a queue group is the one of a rule, which may hold wildcards; a group's name may too.
fn queue_matches(queue: &[u8], rule: &[u8]) -> bool {
    queue == rule || (has_wildcard(rule) && is_within(queue, rule))
}

/// Whether `outer` matches all that `inner`, as a filter, matches.
fn is_within(inner: &[u8], outer: &[u8]) -> bool {
    let mut inner = tokens(inner);
    for wanted in tokens(outer) {
        match (wanted, inner.next()) {
            (_, None | Some(b"")) => return false,
            (b">", Some(_)) => return true,
            (_, Some(b">")) => return false,
            (b"*", Some(_)) => {}
            (wanted, Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
    inner.next().is_none()
}

/// Whether there can be a subject that both filters match.
fn filters_meet(one: &[u8], other: &[u8]) -> bool {
    let (mut one, mut other) = (tokens(one), tokens(other));
    loop {
        match (one.next(), other.next()) {
            (None, None) | (Some(b">"), Some(_)) | (Some(_), Some(b">")) => return true,
            (None, Some(_)) | (Some(_), None) => return false,
            (Some(b"*"), Some(_)) | (Some(_), Some(b"*")) => {}
            (Some(token), Some(other)) if token == other => {}
            _ => return false,
        }
    }
}
