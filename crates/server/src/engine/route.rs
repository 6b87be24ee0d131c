//! What a subject resolves to, prepared for delivery: for each destination the ready-made start of
//! its frame, and which destinations get the very same bytes.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use recado_router::{Built, Matches};
use recado_wire::Publish;

use super::connection::Connection;
use super::crossing::ServiceImport;
use super::drops::Loss;
use super::subscription::Subscription;

/// Subscribers that are told of, of those that may not get a message.
const WITHHELD_MAX: usize = 8;

/// Fewer destinations than this are not worth a shared buffer.
const SHARE_MIN: usize = 2;

/// What one destination takes in a cached route, in bytes.
const TARGET_BYTES: usize = size_of::<Target>();

/// Sizes, blanks and line ends of a frame, in bytes.
const FRAME_BYTES: usize = 32;

/// One destination of a subject.
pub(crate) struct Target {
    pub(crate) sub: Arc<Subscription>,
    pub(crate) connection_id: u64,
    pub(crate) slot: u32,
    /// The subscription is in another account, which imports the subject.
    pub(crate) elsewhere: bool,
    /// Deliveries are counted one by one: the subscription ends after so many.
    pub(crate) limited: bool,
    /// Its receiver may publish to the reply subjects of what it is sent.
    pub(crate) grants_replies: bool,
    /// Where `HMSG subject sid ` lies in [`Route::prefixes`].
    prefix: Range<usize>,
}

/// Destinations whose frames are the same to the last byte.
pub(crate) struct ShareGroup {
    /// Which of [`Route::plain`].
    pub(crate) members: Range<usize>,
    /// How it is staged, as decided in ...
    pub(crate) staged: Sharing,
    /// ... this round of the stage (see [`super::stage::Stage::round`]).
    pub(crate) round: u64,
}

/// Whether a group shares a buffer in the round that is being staged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Its members share this buffer.
    Buffer(u32),
    /// Its members are staged one by one: they also get something else.
    Apart,
}

/// A subscriber that may not get a subject within its filter (C32).
pub(crate) struct Withheld {
    connection: Weak<Connection>,
    /// What the subject is called in its account.
    subject: Box<[u8]>,
}

/// Everything about one subject, or about siblings ([`Matches::is_of_siblings`]).
#[derive(Default)]
pub(crate) struct Route {
    prefixes: Box<[u8]>,
    /// Bytes of the prefixes of all of `plain`.
    plain_prefixes: usize,
    /// Everybody who gets a copy: first those on their own, then the groups.
    pub(crate) plain: Box<[Target]>,
    /// So many of `plain` are on their own.
    pub(crate) apart: usize,
    pub(crate) groups: Box<[ShareGroup]>,
    /// One of each gets a copy.
    pub(crate) queues: Box<[Box<[Target]>]>,
    /// From whom permissions keep it.
    pub(crate) withheld: Box<[Withheld]>,
    /// Where it goes on to, in other accounts.
    pub(crate) services: Box<[Arc<ServiceImport>]>,
    /// Messages of this batch that went to every unlimited plain destination.
    pub(crate) batch_messages: u64,
}

impl Route {
    /// Prepares the route.
    pub(crate) fn new(subject: &[u8], mut matches: Matches<Subscription>) -> Built<Self> {
        if matches.queues.is_empty() {
            match &matches.plain[..] {
                [] => return Self::to_nobody(matches.is_of_siblings),
                [only] if only.special().is_none() => {
                    if let Some(only) = matches.plain.pop() {
                        return Self::to_one(subject, only, matches.is_of_siblings);
                    }
                }
                _ => {}
            }
        }
        let mut prefixes = Vec::new();
        let services = take_services(&mut matches.plain);
        let mut withheld = Vec::new();
        let mut of = |sub| Candidate::of(sub, subject, &mut withheld);
        let mut plain: Vec<Candidate> = { matches.plain.into_iter() }.filter_map(&mut of).collect();
        // Alone first: limited, without headers, or asking for the origin. Then by sid.
        plain.sort_by(|a, b| {
            a.shareable
                .cmp(&b.shareable)
                .then_with(|| a.sub.sid().cmp(b.sub.sid()))
        });
        let apart = plain.partition_point(|candidate| !candidate.shareable);
        let groups = group_by_sid(&plain, apart);
        let (alone, groups, plain) = alone_first(plain, apart, groups);
        let mut target = |candidate| Target::new(candidate, subject, &mut prefixes);
        let plain: Box<[Target]> = plain.into_iter().map(&mut target).collect();
        let queues: Box<[Box<[Target]>]> = matches
            .queues
            .into_iter()
            .map(|group| {
                let members = group.members.into_iter().filter_map(&mut of);
                members.map(&mut target).collect()
            })
            .collect();
        let targets = plain.len() + queues.iter().map(|queue| queue.len()).sum::<usize>();
        let weight = size_of::<Self>() + subject.len() + prefixes.len() + targets * TARGET_BYTES;
        let route = Self {
            prefixes: prefixes.into(),
            plain_prefixes: plain.iter().map(|target| target.prefix.len()).sum(),
            plain,
            apart: alone,
            groups,
            queues,
            withheld: withheld.into(),
            services,
            batch_messages: 0,
        };
        Built {
            route,
            weight,
            for_siblings: false,
        }
    }

    fn to_nobody(for_siblings: bool) -> Built<Self> {
        Built {
            route: Self::default(),
            weight: size_of::<Self>(),
            for_siblings,
        }
    }

    /// The route of an inbox, most often: as good for all inboxes of one requester, or built for one message and thrown
    /// away, so it is made of as few pieces as can be.
    fn to_one(subject: &[u8], only: Arc<Subscription>, for_siblings: bool) -> Built<Self> {
        let prefix = prefix_length(subject, &only);
        let candidate = Candidate::new(only);
        let mut prefixes = Vec::new();
        let target = match for_siblings {
            true => Target::without_prefix(candidate),
            false => {
                prefixes.reserve_exact(prefix);
                Target::new(candidate, subject, &mut prefixes)
            }
        };
        let weight = size_of::<Self>() + subject.len() + prefixes.len() + TARGET_BYTES;
        let route = Self {
            plain_prefixes: prefix,
            prefixes: prefixes.into(),
            plain: Box::new([target]),
            apart: 1,
            groups: Box::default(),
            queues: Box::default(),
            withheld: Box::default(),
            services: Box::default(),
            batch_messages: 0,
        };
        Built {
            route,
            weight,
            for_siblings,
        }
    }

    /// `HMSG subject sid ` of one of its targets; empty in a route for siblings, which have that in common but for their
    /// subject.
    #[inline]
    pub(crate) fn prefix(&self, target: &Target) -> &[u8] {
        &self.prefixes[target.prefix.clone()]
    }

    /// Bytes of all copies of a message, about.
    #[inline]
    pub(crate) fn bytes_of_copies(&self, message: &Publish<'_>) -> usize {
        let rest = message.body.len() + message.reply.len() + FRAME_BYTES;
        self.plain_prefixes + self.plain.len() * rest
    }

    /// Counts what was staged in this batch so far: before any of it can have been received.
    pub(crate) fn count(&mut self, not_to: Option<u64>) {
        let messages = std::mem::take(&mut self.batch_messages);
        if messages == 0 {
            return;
        }
        for withheld in &self.withheld {
            withheld.note(messages);
        }
        for target in self.plain.iter().filter(|target| !target.limited) {
            if not_to != Some(target.connection_id) {
                target.sub.delivered.fetch_add(messages, Ordering::AcqRel);
            }
        }
    }
}

/// A subscription, and what of it may change at any time, read once: everything that follows from
/// it has to agree.
#[derive(Clone)]
struct Candidate {
    sub: Arc<Subscription>,
    /// The receiver knows the subject by another name.
    subject: Option<Box<[u8]>>,
    limited: bool,
    shareable: bool,
}

impl Candidate {
    /// Who is to get what is published on `subject`: the subscription itself, or the one whose shadow it is. `None`
    /// if it may not, which `withheld` then tells.
    fn of(sub: Arc<Subscription>, subject: &[u8], withheld: &mut Vec<Withheld>) -> Option<Self> {
        let Some(special) = sub.special() else {
            return Some(Self::new(sub));
        };
        let Some(shadow) = &special.shadow else {
            if !sub.may_get(subject) {
                Withheld::add(&sub, subject, withheld);
                return None;
            }
            return Some(Self::new(sub));
        };
        let here = shadow.import.renaming.inward.apply(subject, 0)?;
        let main = Arc::clone(&shadow.main);
        if !main.may_get(&here) {
            Withheld::add(&main, &here, withheld);
            return None;
        }
        Some(Self {
            subject: Some(here.into()),
            shareable: false,
            ..Self::new(main)
        })
    }

    fn new(sub: Arc<Subscription>) -> Self {
        let limited = sub.max.load(Ordering::Acquire) > 0;
        let headers = sub.headers.load(Ordering::Acquire);
        let shareable = headers && sub.never_tells_origin() && !limited && !sub.grants_replies();
        Self {
            sub,
            subject: None,
            limited,
            shareable,
        }
    }
}

impl Withheld {
    /// Adds whose subscription it is.
    fn add(sub: &Subscription, subject: &[u8], to: &mut Vec<Self>) {
        if to.len() < WITHHELD_MAX {
            to.push(Self {
                connection: Weak::clone(&sub.connection),
                subject: subject.into(),
            });
        }
    }

    /// So many messages were kept from it, if it is still connected.
    #[cold]
    fn note(&self, messages: u64) {
        if let Some(connection) = self.connection.upgrade() {
            connection.note_drops(&self.subject, Loss::DeliveryDenied, messages);
        }
    }
}

impl Target {
    /// Of a route for siblings.
    fn without_prefix(candidate: Candidate) -> Self {
        let elsewhere = candidate.subject.is_some();
        let Candidate { sub, limited, .. } = candidate;
        Self {
            connection_id: sub.connection_id,
            slot: sub.slot,
            elsewhere,
            limited,
            grants_replies: sub.grants_replies(),
            prefix: 0..0,
            sub,
        }
    }

    fn new(candidate: Candidate, subject: &[u8], prefixes: &mut Vec<u8>) -> Self {
        let Candidate { sub, limited, .. } = candidate;
        let elsewhere = candidate.subject.is_some();
        let subject = candidate.subject.as_deref().unwrap_or(subject);
        let length = prefix_length(subject, &sub);
        // Those with the same sid lie side by side and share one prefix.
        let known = prefixes.len().checked_sub(length).filter(|&start| {
            let last = &prefixes[start..];
            last.starts_with(b"HMSG ")
                && last[5..].starts_with(subject)
                && last[subject.len() + 5] == b' '
                && last[subject.len() + 6..length - 1] == *sub.sid()
        });
        let start = known.unwrap_or_else(|| {
            let start = prefixes.len();
            for part in [&b"HMSG "[..], subject, b" ", sub.sid(), b" "] {
                prefixes.extend_from_slice(part);
            }
            start
        });
        Self {
            connection_id: sub.connection_id,
            slot: sub.slot,
            elsewhere,
            limited,
            grants_replies: sub.grants_replies(),
            prefix: start..start + length,
            sub,
        }
    }
}

/// Takes out those that stand for services of other accounts.
fn take_services(plain: &mut Vec<Arc<Subscription>>) -> Box<[Arc<ServiceImport>]> {
    let mut services = Vec::new();
    plain.retain(|sub| {
        let service = sub.special().and_then(|special| special.service.as_ref());
        services.extend(service.map(Arc::clone));
        service.is_none()
    });
    services.into()
}

/// Bytes of `HMSG subject sid `.
fn prefix_length(subject: &[u8], sub: &Subscription) -> usize {
    subject.len() + sub.sid().len() + 7
}

/// Runs of the same sid behind `from`.
fn group_by_sid(plain: &[Candidate], from: usize) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut start = from;
    for at in from..plain.len() {
        if at + 1 == plain.len() || plain[at + 1].sub.sid() != plain[at].sub.sid() {
            groups.push(start..at + 1);
            start = at + 1;
        }
    }
    groups
}

/// Moves runs that are too short to share to the others that are alone.
fn alone_first(
    plain: Vec<Candidate>,
    apart: usize,
    runs: Vec<Range<usize>>,
) -> (usize, Box<[ShareGroup]>, Vec<Candidate>) {
    let mut ordered: Vec<Candidate> = plain[..apart].to_vec();
    let (shared, alone): (Vec<_>, Vec<_>) =
        runs.into_iter().partition(|run| run.len() >= SHARE_MIN);
    ordered.extend(alone.into_iter().flat_map(|run| plain[run].to_vec()));
    let alone = ordered.len();
    let mut groups = Vec::with_capacity(shared.len());
    for run in shared {
        let start = ordered.len();
        ordered.extend_from_slice(&plain[run]);
        groups.push(ShareGroup {
            members: start..ordered.len(),
            staged: Sharing::Apart,
            round: 0,
        });
    }
    (alone, groups.into(), ordered)
}
