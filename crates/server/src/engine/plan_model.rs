//! The plain rules of what crosses, in a few lines each and without any index: what the property in `plan_tests` holds the
//! engine against. It knows filters, imports, queue groups, mappings and answers only as their documentation tells them.

use super::Kind;
use crate::engine::crossing::{CROSSINGS_MAX, ResponseType};

/// Accounts of a world; the numbers below are places in it.
pub(super) const NAMES: [&str; 3] = ["A", "B", "C"];

/// What a random world holds.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) exports: Vec<Export>,
    pub(super) imports: Vec<Import>,
    pub(super) mappings: Vec<(usize, Mapping)>,
    pub(super) subs: Vec<Sub>,
    pub(super) publishes: Vec<Publishing>,
}

#[derive(Clone, Debug)]
pub(super) struct Export {
    pub(super) account: usize,
    pub(super) kind: Kind,
    pub(super) subject: &'static str,
    pub(super) only: Option<usize>,
    pub(super) response_type: ResponseType,
}

#[derive(Clone, Debug)]
pub(super) struct Import {
    pub(super) account: usize,
    pub(super) kind: Kind,
    pub(super) from: usize,
    pub(super) subject: &'static str,
    pub(super) to: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct Sub {
    pub(super) account: usize,
    pub(super) filter: &'static str,
    pub(super) queue: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(super) struct Publishing {
    pub(super) account: usize,
    pub(super) subject: &'static str,
    pub(super) asks: bool,
    /// Decides between the destinations of a mapping.
    pub(super) chance: u64,
    /// Which of those that received it answer.
    pub(super) answerer: usize,
}

/// A mapping as it is configured, and as the model applies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mapping {
    /// All of it, by its wildcard.
    Whole,
    /// By weights: 30 here, 30 there, what is left keeps its subject.
    Shared,
    /// By the hash of its token.
    Partitioned,
    /// One subject alone, half of it.
    Literal,
}

impl Mapping {
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::Whole | Self::Shared => "m.*",
            Self::Partitioned => "p.*",
            Self::Literal => "b.c",
        }
    }

    pub(super) fn destinations(self) -> &'static [(&'static str, u32)] {
        match self {
            Self::Whole => &[("a.$1", 100)],
            Self::Shared => &[("a.$1", 30), ("x.{{wildcard(1)}}", 30)],
            Self::Partitioned => &[("a.{{partition(3,1)}}", 100)],
            Self::Literal => &[("a.b", 50)],
        }
    }

    fn apply(self, subject: &str, percent: u64) -> String {
        let last = subject.rsplit('.').next().unwrap();
        match self {
            Self::Whole => format!("a.{last}"),
            Self::Shared if percent < 30 => format!("a.{last}"),
            Self::Shared if percent < 60 => format!("x.{last}"),
            Self::Partitioned => {
                let hash = last.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
                    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
                });
                format!("a.{}", hash % 3)
            }
            Self::Literal if percent < 50 => "a.b".to_owned(),
            Self::Shared | Self::Literal => subject.to_owned(),
        }
    }
}

/// One message that somebody gets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Delivery {
    pub(super) sub: usize,
    pub(super) subject: String,
    pub(super) reply: Reply,
    /// The imports of services that it came by, the requester's first.
    pub(super) way: Vec<usize>,
}

/// Its reply subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reply {
    None,
    /// The requester's own.
    Own,
    /// One that the server made.
    Made,
}

/// What is to arrive: all of `each`, and one of each group.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    pub(super) each: Vec<Delivery>,
    pub(super) groups: Vec<Vec<Delivery>>,
}

/// Whether a filter matches, and what its wildcards stand for.
fn bound<'a>(filter: &str, subject: &'a str) -> Option<Vec<Vec<&'a str>>> {
    let subject: Vec<&str> = subject.split('.').collect();
    let filter: Vec<&str> = filter.split('.').collect();
    let mut found = Vec::new();
    for (at, token) in filter.iter().enumerate() {
        match *token {
            ">" if subject.len() > at => {
                found.push(subject[at..].to_vec());
                return Some(found);
            }
            "*" => found.push(vec![*subject.get(at)?]),
            literal => {
                if subject.get(at) != Some(&literal) {
                    return None;
                }
            }
        }
    }
    (filter.len() == subject.len()).then_some(found)
}

/// What a subject within `from` is called within `to`.
fn renamed(from: &str, to: &str, subject: &str) -> Option<String> {
    let mut found = bound(from, subject)?.into_iter();
    if to.is_empty() {
        return Some(subject.to_owned());
    }
    if to == "y.$2.$1" {
        let parts: Vec<_> = found.collect();
        return Some(format!("y.{}.{}", parts[1][0], parts[0][0]));
    }
    let tokens: Vec<String> = to
        .split('.')
        .map(|token| match token {
            "*" | ">" => found.next().unwrap().join("."),
            literal => literal.to_owned(),
        })
        .collect();
    Some(tokens.join("."))
}

/// The name on the other side, from the importer's.
fn renamed_back(from: &str, to: &str, subject: &str) -> Option<String> {
    if to == "y.$2.$1" {
        let parts = bound("y.*.*", subject)?;
        return Some(format!("{}.{}", parts[1][0], parts[0][0]));
    }
    renamed(if to.is_empty() { from } else { to }, from, subject)
}

impl World {
    /// The export that an import rests on.
    pub(super) fn export_for(&self, import: &Import) -> Option<&Export> {
        self.exports.iter().find(|export| {
            export.account == import.from
                && export.kind == import.kind
                && super::is_subset(import.subject, export.subject)
                && export.only.is_none_or(|only| only == import.account)
        })
    }

    /// What a client's message is called after its account's mappings.
    pub(super) fn mapped(&self, account: usize, subject: &str, chance: u64) -> String {
        let own = self.mappings.iter().filter(|(of, _)| *of == account);
        let own = own.map(|(_, mapping)| *mapping);
        let (literal, wild): (Vec<_>, Vec<_>) = own.partition(|one| *one == Mapping::Literal);
        let mut all = literal.into_iter().chain(wild);
        let percent = ((chance >> 32) * 100) >> 32;
        match all.find(|one| bound(one.source(), subject).is_some()) {
            Some(mapping) => mapping.apply(subject, percent),
            None => subject.to_owned(),
        }
    }

    /// Who gets a message that is published in an account, after mappings.
    pub(super) fn expected(&self, account: usize, subject: &str, asks: bool) -> Expected {
        let mut expected = Expected::default();
        let reply = if asks { Reply::Own } else { Reply::None };
        self.spread(account, subject, reply, &[], 0, &mut expected);
        expected
    }

    fn spread(
        &self,
        account: usize,
        subject: &str,
        reply: Reply,
        way: &[usize],
        crossings: usize,
        to: &mut Expected,
    ) {
        let mut queued: Vec<(&str, Delivery)> = Vec::new();
        let mut reach = |of: usize, here: &str| {
            for (at, sub) in self.subs.iter().enumerate() {
                if sub.account == of && bound(sub.filter, here).is_some() {
                    let delivery = Delivery {
                        sub: at,
                        subject: here.to_owned(),
                        reply,
                        way: way.to_vec(),
                    };
                    match sub.queue {
                        Some(queue) => queued.push((queue, delivery)),
                        None => to.each.push(delivery),
                    }
                }
            }
        };
        reach(account, subject);
        for import in &self.imports {
            if import.kind == Kind::Stream
                && import.from == account
                && let Some(here) = renamed(import.subject, import.to, subject)
            {
                reach(import.account, &here);
            }
        }
        while let Some((queue, _)) = queued.first() {
            let queue = *queue;
            let (group, rest) = queued.into_iter().partition(|(of, _)| *of == queue);
            queued = rest;
            let group: Vec<(&str, Delivery)> = group;
            to.groups
                .push(group.into_iter().map(|(_, one)| one).collect());
        }
        if crossings >= CROSSINGS_MAX {
            return;
        }
        for (at, import) in self.imports.iter().enumerate() {
            if import.kind == Kind::Service
                && import.account == account
                && let Some(there) = renamed_back(import.subject, import.to, subject)
            {
                let reply = match reply {
                    Reply::None => Reply::None,
                    Reply::Own | Reply::Made => Reply::Made,
                };
                let way = [way, &[at]].concat();
                self.spread(import.from, &there, reply, &way, crossings + 1, to);
            }
        }
    }

    /// Where an answer on a reply subject that the server made for a request by this way goes, the first time or again:
    /// the account, whether it is back with who asked, and how often it crossed.
    pub(super) fn returned(&self, way: &[usize], again: bool) -> (usize, bool, usize) {
        for (crossings, at) in way.iter().rev().enumerate() {
            let import = &self.imports[*at];
            let once = self.export_for(import).map(|one| one.response_type);
            if again && once == Some(ResponseType::Singleton) {
                // Settled by the first: a subject like any other of the exporter's.
                return (import.from, false, crossings);
            }
        }
        (self.imports[way[0]].account, true, way.len())
    }

    /// Who gets an answer, which is no request itself.
    pub(super) fn answered(&self, account: usize, subject: &str, crossings: usize) -> Expected {
        let mut expected = Expected::default();
        self.spread(account, subject, Reply::None, &[], crossings, &mut expected);
        expected
    }
}

impl Expected {
    /// Whether exactly this arrived, whichever members of queue groups took it. `got` are subscription, subject and reply.
    pub(super) fn fits(&self, got: &[(usize, String, Reply)]) -> bool {
        let mut left = got.to_vec();
        let all = self.each.iter().all(|one| take(&mut left, one));
        all && left.len() == self.groups.len() && chosen(&self.groups, &left)
    }

    /// The one way by which this can have arrived, if there is only one.
    pub(super) fn way_of(&self, got: &(usize, String, Reply)) -> Option<&[usize]> {
        let all = self.each.iter().chain(self.groups.iter().flatten());
        let mut ways = all.filter(|one| one.is(got)).map(|one| &one.way[..]);
        let way = ways.next()?;
        ways.next().is_none().then_some(way)
    }
}

impl Delivery {
    fn is(&self, got: &(usize, String, Reply)) -> bool {
        (self.sub, &self.subject, self.reply) == (got.0, &got.1, got.2)
    }
}

fn take(left: &mut Vec<(usize, String, Reply)>, one: &Delivery) -> bool {
    match left.iter().position(|got| one.is(got)) {
        Some(at) => {
            left.swap_remove(at);
            true
        }
        None => false,
    }
}

/// Whether one of each group makes up what is left.
fn chosen(groups: &[Vec<Delivery>], left: &[(usize, String, Reply)]) -> bool {
    let Some((group, rest)) = groups.split_first() else {
        return left.is_empty();
    };
    group.iter().any(|one| {
        let mut fewer = left.to_vec();
        take(&mut fewer, one) && chosen(rest, &fewer)
    })
}
