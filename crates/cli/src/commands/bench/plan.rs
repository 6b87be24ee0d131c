//! What a benchmark is to do, from the command line: checked, with what was left open filled in.

use std::time::Duration;

use clap::ValueEnum;

use super::Arguments;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::subject;
use crate::text::{bench as text, usage};
use crate::unique;

/// The most clients of one kind: each has a socket, and each thread many of them.
const CLIENTS_MAX: u64 = 1000;

/// The most subjects in all.
const SUBJECTS_MAX: u64 = 100_000;

/// How long it lasts when neither a number nor a time is given.
const DURATION: Duration = Duration::from_secs(3);

/// Where it happens when no subject is given and somebody else takes part.
const SUBJECT: &str = "recado.bench";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// Publishing, up to the server's confirmation.
    #[value(name = "pub", alias = "publish")]
    Pub,
    /// Receiving what others publish.
    #[value(name = "sub", alias = "subscribe")]
    Sub,
    /// Both, and whether everything arrived.
    Pubsub,
    /// Asking and being answered, one request at a time and client.
    Request,
    /// Answering.
    #[value(alias = "serve", alias = "service")]
    Reply,
}

impl Kind {
    /// The name on the command line and in the output for machines.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pub => "pub",
            Self::Sub => "sub",
            Self::Pubsub => "pubsub",
            Self::Request => "request",
            Self::Reply => "reply",
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) subjects: Vec<String>,
    pub(super) queue: Option<String>,
    pub(super) publishers: usize,
    pub(super) subscribers: usize,
    pub(super) requesters: usize,
    pub(super) responders: usize,
    /// Messages to publish, requests to send or to answer; messages due to each subscriber.
    pub(super) messages: Option<u64>,
    pub(super) duration: Option<Duration>,
    pub(super) size: usize,
    /// How long the server, or a responder, may take.
    pub(super) limit: Duration,
}

impl Plan {
    /// Reads the arguments.
    pub(super) fn new(arguments: &Arguments, settings: &Settings) -> Result<Self, Failure> {
        let kind = arguments.kind;
        let clients = bounded("--clients", arguments.clients, CLIENTS_MAX)?;
        let others = |flag: &str, given: Option<u64>, usual: u64| match given {
            Some(given) => bounded(flag, given, CLIENTS_MAX),
            None => Ok(usual as usize),
        };
        only_for(
            kind,
            Kind::Pubsub,
            "--subscribers",
            arguments.subscribers.is_some(),
        )?;
        only_for(
            kind,
            Kind::Request,
            "--responders",
            arguments.responders.is_some(),
        )?;
        let subscribers = others("--subscribers", arguments.subscribers, 1)?;
        let own_responders = u64::from(arguments.subjects.is_empty());
        let responders = others("--responders", arguments.responders, own_responders)?;
        let endless = matches!(kind, Kind::Sub | Kind::Reply);
        let count = |wanted: Kind| if kind == wanted { clients } else { 0 };
        Ok(Self {
            kind,
            subjects: subjects(arguments, responders > 0)?,
            queue: arguments.queue.clone(),
            publishers: count(Kind::Pub) + count(Kind::Pubsub),
            subscribers: count(Kind::Sub) + if kind == Kind::Pubsub { subscribers } else { 0 },
            requesters: count(Kind::Request),
            responders: count(Kind::Reply) + if kind == Kind::Request { responders } else { 0 },
            messages: arguments.msgs,
            duration: match (arguments.duration, arguments.msgs) {
                (None, None) if !endless => Some(DURATION),
                (given, _) => given,
            },
            size: arguments.size,
            limit: settings.reply_limit(),
        })
    }

    /// Whether messages are shared out among the subscribers.
    pub(super) fn shared_out(&self) -> bool {
        self.queue.is_some()
    }

    /// The subjects in a few words.
    pub(super) fn shown_subjects(&self) -> String {
        match self.subjects.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [first, .., last] => text::subjects(first, last, self.subjects.len()),
        }
    }

    /// How many messages the `number`th of `clients` is to deal with.
    pub(super) fn share(&self, number: usize, clients: usize) -> Option<u64> {
        let (number, clients) = (number as u64, clients.max(1) as u64);
        self.messages
            .map(|all| all / clients + u64::from(number < all % clients))
    }
}

/// The subjects: those that were given, or one that suits; each so many times, if that was asked for.
fn subjects(arguments: &Arguments, own_responders: bool) -> Result<Vec<String>, Failure> {
    let kind = arguments.kind;
    let mut given = arguments.subjects.clone();
    if given.is_empty() {
        let alone = kind == Kind::Pubsub || (kind == Kind::Request && own_responders);
        given.push(match alone {
            // Nobody else is to take part by mistake; and short, for it travels with every message.
            true => format!("bench.{}", unique::token()),
            false => SUBJECT.to_owned(),
        });
    }
    if !matches!(kind, Kind::Sub | Kind::Reply) {
        for written in &given {
            subject::literal(written).map_err(wrong)?;
        }
    }
    let each = arguments.each.unwrap_or(1);
    if each.saturating_mul(given.len() as u64) > SUBJECTS_MAX {
        return Err(wrong(text::too_many("--subjects", SUBJECTS_MAX)));
    }
    if arguments.each.is_none() {
        return Ok(given);
    }
    let numbered = |subject: &String| {
        let subject = subject.clone();
        (1..=each).map(move |number| format!("{subject}.{number}"))
    };
    Ok(given.iter().flat_map(numbered).collect())
}

fn bounded(flag: &str, number: u64, most: u64) -> Result<usize, Failure> {
    match number <= most {
        true => Ok(number as usize),
        false => Err(wrong(text::too_many(flag, most))),
    }
}

fn only_for(kind: Kind, wanted: Kind, flag: &str, given: bool) -> Result<(), Failure> {
    match given && kind != wanted {
        true => Err(wrong(text::only_for(flag, wanted.name()))),
        false => Ok(()),
    }
}

fn wrong(what: String) -> Failure {
    Failure::Usage {
        what,
        next: usage::see_help_of("bench"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_shared_out_without_a_rest() {
        let plan = Plan {
            kind: Kind::Pub,
            subjects: Vec::new(),
            queue: None,
            publishers: 3,
            subscribers: 0,
            requesters: 0,
            responders: 0,
            messages: Some(11),
            duration: None,
            size: 0,
            limit: Duration::ZERO,
        };
        let shares: Vec<u64> = (0..3).filter_map(|number| plan.share(number, 3)).collect();
        assert_eq!(shares, [4, 4, 3]);
    }
}
