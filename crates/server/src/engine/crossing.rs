//! What crosses from one account to another: streams of messages and services that one exports and the other
//! imports (C42, C43). Nothing else does.
//!
//! **A stream.** Whoever subscribes in the importing account to subjects that an import brings has, for each such
//! import, a shadow of the subscription in the exporter's index. A message is routed to the shadow like to
//! any other, and bears the importer's name of its subject.
//!
//! **A service.** In the importer's index stands a subscription without a connection. A message that it is reached by
//! is published again in the exporter's account, with a reply subject of the server's own; whoever answers
//! there never sees the requester's. What is published on that subject goes back to the requester.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use parking_lot::Mutex;
use recado_wire::{Transform, TransformError, tokens};

use super::account::Account;
use super::drops::{Drops, Loss};
use super::latency::LatencyPlan;

/// Reply subjects that the server makes for requests that cross begin with this; clients can't use them as replies (A49).
pub(crate) const RESPONSE_PREFIX: &[u8] = b"_R_.";
/// Answers that an account may owe at once; the oldest are forgotten beyond it.
const OWED_MAX: usize = 262_144;
/// How long an answer is waited for where the export does not say (C43).
pub(crate) const RESPONSE_THRESHOLD: Duration = Duration::from_secs(120);
/// Messages may cross so often on their way: an import of an import of …
pub(super) const CROSSINGS_MAX: usize = 16;

/// How the subjects of an import are called on both sides.
#[derive(Debug, PartialEq)]
pub(crate) struct Renaming {
    /// Filter in the importer's account.
    pub(crate) ours: Box<[u8]>,
    /// Exporter's subject to importer's.
    pub(crate) inward: Transform,
    /// Importer's subject to exporter's.
    pub(crate) outward: Transform,
}

impl Renaming {
    /// `theirs` is the exporter's filter; `to` what it is called here, if not the same, with `*` or `$1` for
    /// its wildcards.
    ///
    /// # Errors
    /// When the two do not fit each other: every wildcard must be used, and once.
    pub(crate) fn new(theirs: &str, to: &str) -> Result<Self, TransformError> {
        let to = if to.is_empty() { theirs } else { to };
        let placed = numbered(to);
        let inward = Transform::parse(theirs, &placed)?;
        let (ours, back) = reversed(theirs, &placed);
        let outward = Transform::parse(&ours, &back)?;
        Ok(Self {
            ours: ours.into_bytes().into(),
            inward,
            outward,
        })
    }
}

/// What the subjects of an import are called in the importer's account, as a filter.
///
/// # Errors
/// As [`Renaming::new`].
pub(crate) fn imported_filter(theirs: &str, to: &str) -> Result<String, TransformError> {
    let renaming = Renaming::new(theirs, to)?;
    Ok(String::from_utf8_lossy(&renaming.ours).into_owned())
}

/// `a.*.*` as `a.$1.$2`.
fn numbered(to: &str) -> String {
    let mut count = 0;
    let tokens = to.split('.').map(|token| match token {
        "*" => {
            count += 1;
            format!("${count}")
        }
        other => other.to_owned(),
    });
    tokens.collect::<Vec<_>>().join(".")
}

/// The filter of what a renaming makes, and the renaming back.
fn reversed(theirs: &str, placed: &str) -> (String, String) {
    let mut order = Vec::new();
    let ours = placed.split('.').map(|token| match wildcard(token) {
        Some(number) => {
            order.push(number);
            "*"
        }
        None => token,
    });
    let ours = ours.collect::<Vec<_>>().join(".");
    let mut seen = 0;
    let back = theirs.split('.').map(|token| match token {
        "*" => {
            seen += 1;
            // A wildcard that is not used has no place: the parser says so.
            let at = order.iter().position(|number| *number == seen);
            format!("${}", at.map_or(usize::MAX >> 1, |at| at + 1))
        }
        other => other.to_owned(),
    });
    (ours, back.collect::<Vec<_>>().join("."))
}

/// The number of `$1` or `{{wildcard(1)}}`.
fn wildcard(token: &str) -> Option<usize> {
    let bare = token.strip_prefix('$').or_else(|| {
        let inside = token.strip_prefix("{{")?.strip_suffix("}}")?.trim();
        let name = inside
            .strip_prefix("wildcard")
            .or(inside.strip_prefix("Wildcard"))?;
        Some(name.trim().strip_prefix('(')?.strip_suffix(')')?.trim())
    })?;
    bare.parse().ok()
}

/// A stream that an account imports.
pub(crate) struct StreamImport {
    pub(crate) exporter: Arc<Account>,
    pub(crate) importer: Arc<Account>,
    pub(crate) renaming: Renaming,
    /// Traces of messages go on in the importer's account.
    pub(crate) allow_trace: bool,
}

impl StreamImport {
    /// The filter in the exporter's account that brings what a subscriber to `filter` here is to get of this import;
    /// `None` if nothing of it. Where `filter` is wider than the import, that is all of it.
    pub(crate) fn shadow_filter(&self, filter: &[u8]) -> Option<Vec<u8>> {
        let narrowed = intersection(filter, &self.renaming.ours)?;
        self.renaming.outward.apply_to_filter(&narrowed)
    }
}

/// The filter of subjects that two filters have in common; `None` if they have none.
fn intersection(one: &[u8], other: &[u8]) -> Option<Vec<u8>> {
    let (mut one, mut other) = (tokens(one).peekable(), tokens(other).peekable());
    let mut both: Vec<&[u8]> = Vec::new();
    loop {
        match (one.next(), other.next()) {
            (None, None) => return Some(both.join(&b'.')),
            (Some(b">"), Some(token)) => {
                both.push(token);
                both.extend(other);
                return Some(both.join(&b'.'));
            }
            (Some(token), Some(b">")) => {
                both.push(token);
                both.extend(one);
                return Some(both.join(&b'.'));
            }
            (Some(b"*"), Some(token)) | (Some(token), Some(b"*")) => both.push(token),
            (Some(token), Some(same)) if token == same => both.push(token),
            _ => return None,
        }
    }
}

/// How many answers a service gives (C43).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ResponseType {
    /// One.
    #[default]
    Singleton,
    /// Any number, as long as they come in time.
    Streamed,
}

/// A service that an account imports.
pub(crate) struct ServiceImport {
    pub(crate) exporter: Arc<Account>,
    pub(crate) importer: Arc<Account>,
    pub(crate) renaming: Renaming,
    /// Requests say who made them (C44).
    pub(crate) share: bool,
    pub(crate) response_type: ResponseType,
    /// How long an answer is waited for.
    pub(crate) threshold: Duration,
    /// Traces of requests go on in the exporter's account.
    pub(crate) allow_trace: bool,
    /// Whether requests are measured.
    pub(crate) latency: Option<LatencyPlan>,
}

/// Where an answer goes.
struct Owed {
    /// What the request came by: the answer goes to its importer.
    import: Arc<ServiceImport>,
    /// The requester's own reply subject.
    reply: Box<[u8]>,
    until: Instant,
}

/// The answers that are owed in one account, by the reply subject that was made for them.
#[derive(Default)]
pub(crate) struct Responses {
    owed: Mutex<Ledger>,
    count: AtomicUsize,
}

#[derive(Default)]
struct Ledger {
    by_reply: HashMap<Box<[u8]>, Owed, foldhash::fast::RandomState>,
    /// In the order they were made, to be looked at again when their time may be over.
    order: VecDeque<(Instant, Box<[u8]>)>,
}

impl Responses {
    /// Forgets the answers whose time is over; those that never came are noted.
    pub(crate) fn expire(&self, now: Instant, drops: &Drops) {
        let mut ledger = self.owed.lock();
        ledger.expire(now, drops);
        self.count.store(ledger.by_reply.len(), Ordering::Relaxed);
    }

    /// Makes a reply subject for a request that crosses. [`Self::expire`] before it keeps them few.
    pub(crate) fn owe(
        &self,
        import: &Arc<ServiceImport>,
        reply: &[u8],
        chance: u128,
        now: Instant,
    ) -> Box<[u8]> {
        let made = [RESPONSE_PREFIX, format!("{chance:032x}").as_bytes()].concat();
        let made = made.into_boxed_slice();
        let until = now + import.threshold;
        let owed = Owed {
            import: Arc::clone(import),
            reply: reply.into(),
            until,
        };
        let mut ledger = self.owed.lock();
        ledger.by_reply.insert(made.clone(), owed);
        ledger.order.push_back((until, made.clone()));
        self.count.store(ledger.by_reply.len(), Ordering::Relaxed);
        made
    }

    /// Whom what is published on `subject` would be an answer for.
    pub(crate) fn peek(&self, subject: &[u8]) -> Option<(Arc<Account>, Box<[u8]>)> {
        let ledger = self.owed.lock();
        let owed = ledger.by_reply.get(subject)?;
        Some((Arc::clone(&owed.import.importer), owed.reply.clone()))
    }

    /// Nobody was there to answer.
    pub(crate) fn forget(&self, subject: &[u8]) {
        let mut ledger = self.owed.lock();
        ledger.by_reply.remove(subject);
        self.count.store(ledger.by_reply.len(), Ordering::Relaxed);
    }

    /// Whom what is published on `subject` is an answer for; an answer that may be the only one is owed no more.
    pub(crate) fn settle(&self, subject: &[u8], now: Instant) -> Option<(Arc<Account>, Box<[u8]>)> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut ledger = self.owed.lock();
        let owed = ledger.by_reply.get_mut(subject)?;
        if owed.until < now {
            // It stays until the next look at what is overdue, which notes that no answer came in time.
            return None;
        }
        let whom = (Arc::clone(&owed.import.importer), owed.reply.clone());
        match owed.import.response_type {
            ResponseType::Singleton => drop(ledger.by_reply.remove(subject)),
            ResponseType::Streamed => owed.until = now + owed.import.threshold,
        }
        self.count.store(ledger.by_reply.len(), Ordering::Relaxed);
        Some(whom)
    }
}

impl Ledger {
    /// Forgets whose time is over, and the oldest where there are too many.
    fn expire(&mut self, now: Instant, drops: &Drops) {
        while let Some((until, _)) = self.order.front() {
            let too_many = self.order.len() >= OWED_MAX;
            if *until >= now && !too_many {
                return;
            }
            let Some((_, reply)) = self.order.pop_front() else {
                return;
            };
            let Some(owed) = self.by_reply.get(&reply) else {
                continue;
            };
            if owed.until >= now && !too_many {
                // It was answered meanwhile and may be again.
                self.order.push_back((owed.until, reply));
            } else {
                if owed.import.response_type == ResponseType::Singleton {
                    let import = &owed.import;
                    let (importer, subject) = (&import.importer.name, &import.renaming.ours);
                    drops.note(importer, subject, 0, Loss::Unanswered);
                }
                self.by_reply.remove(&reply);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::account::Accounts;

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn an_import_is_named_on_both_sides() {
        for (theirs, to, ours, sent, here) in [
            ("a.>", "", "a.>", "a.b.c", "a.b.c"),
            ("a.>", "in.a.>", "in.a.>", "a.b", "in.a.b"),
            ("a.*.*", "b.$2.$1", "b.*.*", "a.x.y", "b.y.x"),
            ("a.*.c", "z.*", "z.*", "a.q.c", "z.q"),
            ("a", "b.c", "b.c", "a", "b.c"),
        ] {
            let renaming = Renaming::new(theirs, to).unwrap();
            assert_eq!(text(&renaming.ours), ours);
            let inward = renaming.inward.apply(sent.as_bytes(), 0).unwrap();
            assert_eq!(text(&inward), here);
            let outward = renaming.outward.apply(here.as_bytes(), 0).unwrap();
            assert_eq!(text(&outward), sent);
        }
        assert!(Renaming::new("a.*.*", "b.$1").is_err(), "one is not used");
    }

    #[test]
    fn answers_that_are_owed_are_bounded_and_the_oldest_are_forgotten() {
        let accounts = Accounts::new("$SYS");
        let import = Arc::new(ServiceImport {
            exporter: accounts.get_or_add("SERVICE"),
            importer: accounts.get_or_add("REQUESTERS"),
            renaming: Renaming::new("ask", "").unwrap(),
            share: false,
            response_type: ResponseType::Streamed,
            threshold: RESPONSE_THRESHOLD,
            allow_trace: false,
            latency: None,
        });
        let (responses, drops, now) = (Responses::default(), Drops::default(), Instant::now());
        let owe = |chance: usize| {
            responses.expire(now, &drops);
            responses.owe(&import, b"inbox", chance as u128, now)
        };
        let more = 1_000;
        let made: Vec<_> = (0..OWED_MAX + more).map(owe).collect();
        let is_owed = |reply: &[u8]| responses.peek(reply).is_some();
        assert!(!made[..more].iter().any(|reply| is_owed(reply)));
        assert!(made[more..].iter().all(|reply| is_owed(reply)));
        let ledger = responses.owed.lock();
        assert_eq!(ledger.by_reply.len(), OWED_MAX);
        assert_eq!(ledger.order.len(), OWED_MAX);
    }

    #[test]
    fn two_filters_have_in_common_what_both_match() {
        for (one, other, both) in [
            ("a.*", "*.b", Some("a.b")),
            ("a.>", "*.b.*", Some("a.b.*")),
            (">", "x.*", Some("x.*")),
            ("x.y.z", "x.>", Some("x.y.z")),
            ("a", "a.>", None),
            ("a.b", "a.c", None),
            ("a.*", "a", None),
        ] {
            let found = intersection(one.as_bytes(), other.as_bytes());
            assert_eq!(found.as_deref().map(text), both, "{one} {other}");
        }
    }
}
