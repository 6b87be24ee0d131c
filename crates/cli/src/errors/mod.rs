//! The errors that a server can send: found by number, by code or by any part of their text, and shown with cause and
//! remedy. What is said of each stands in [`crate::text::explained`].
//!
//! Nothing here asks a server: an explanation must be had when none answers.

mod page;
mod pattern;
mod search;

pub(crate) use page::markdown;
pub(crate) use search::search;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::lang::{self, Lang};
use crate::prose::for_shell;
use crate::text::errors as text;
use crate::text::explained::{ELSEWHERE, Explained, FAMILIES, Kind, Words};

/// All of them, in the order of the page.
pub(crate) fn all() -> impl Iterator<Item = &'static Explained> {
    FAMILIES.iter().flat_map(|family| family.rows)
}

/// The command that explains what a server said, if it is one of them.
pub(crate) fn explained_by(said: &str) -> Option<String> {
    let known = !search(said).hits.is_empty();
    known.then(|| text::explains(&for_shell(said)))
}

/// Nothing fits; perhaps one of the nearest is meant.
pub(crate) fn unknown(asked: &str, nearest: &[&Explained]) -> Failure {
    let near = nearest.iter().map(|one| {
        let lookup = match one.kind {
            Kind::Api { number, .. } => number.to_string(),
            _ => for_shell(one.title()),
        };
        text::unknown_near(&one.key(), one.title(), &lookup)
    });
    let mut next: Vec<String> = near.collect();
    next.push(text::unknown_next().to_owned());
    Failure::NotExplained {
        asked: asked.to_owned(),
        next: next.join("\n"),
    }
}

impl Explained {
    /// The explanation in the language of this run.
    pub(crate) fn words(&self) -> Words {
        match lang::current() {
            Lang::En => self.en,
            Lang::Es => self.es,
        }
    }

    /// What it is called by: its number, its status or `-ERR`.
    pub(crate) fn key(&self) -> String {
        match self.kind {
            Kind::Api { number, .. } => number.to_string(),
            Kind::Status { code } => code.to_string(),
            Kind::Protocol { .. } => "-ERR".to_owned(),
        }
    }

    /// Its text, or what stands for one that says nothing by itself.
    pub(crate) fn title(&self) -> &'static str {
        match self.kind {
            Kind::Api { constant, .. } if self.text == "{err}" => constant,
            _ if self.text.is_empty() => self.says.first().copied().unwrap_or_default(),
            _ => self.text,
        }
    }

    /// Whether recado-server sends it, too.
    pub(crate) fn is_sent_by_recado(&self) -> bool {
        match self.kind {
            Kind::Api { number, .. } => !ELSEWHERE.contains(&number),
            Kind::Status { .. } => self.text != "Leadership Change",
            Kind::Protocol { .. } => !self.text.starts_with("attempted to connect"),
        }
    }

    /// The whole of it for programs; the fields' names never change.
    pub(crate) fn object(&self) -> Value {
        let words = self.words();
        let mut object = json!({
            "text": self.text, "cause": words.cause, "next": words.remedy,
            "recado_server": self.is_sent_by_recado(),
        });
        match self.kind {
            Kind::Api {
                number,
                code,
                constant,
            } => {
                object["kind"] = "jetstream".into();
                object["err_code"] = number.into();
                object["code"] = code.into();
                object["name"] = constant.into();
            }
            Kind::Status { code } => {
                object["kind"] = "status".into();
                object["code"] = code.into();
            }
            Kind::Protocol { closes } => {
                object["kind"] = "connection".into();
                object["closes"] = closes.into();
            }
        }
        if !self.says.is_empty() {
            object["says"] = self.says.into();
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn numbers() -> Vec<u16> {
        let number = |one: &Explained| match one.kind {
            Kind::Api { number, .. } => Some(number),
            _ => None,
        };
        all().filter_map(number).collect()
    }

    #[test]
    fn every_number_of_the_api_is_explained_once() {
        let mut numbers = numbers();
        numbers.sort_unstable();
        let known: Vec<u16> = (10_002..=10_227).collect();
        assert_eq!(numbers, known);
    }

    #[test]
    fn what_only_others_send_are_numbers_that_there_are() {
        let numbers: BTreeSet<u16> = numbers().into_iter().collect();
        for number in ELSEWHERE {
            assert!(numbers.contains(number), "{number}");
        }
        assert!(ELSEWHERE.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn what_ends_a_connection_is_what_the_protocol_says() {
        use recado_wire::ProtocolError::*;
        let subject = || "a".to_owned();
        for error in [
            UnknownOperation,
            AuthorizationViolation,
            AuthenticationTimeout,
            UserExpired,
            AccountExpired,
            UserRevoked,
            MaxPayload,
            MaxControlLine,
            MaxConnections,
            MaxAccountConnections,
            TlsRequired,
            MaxSubscriptions,
            InvalidSubject,
            InvalidPublishSubject,
            StaleConnection,
            InvalidClientProtocol,
            NoRespondersNeedsHeaders,
            PublishViolation(subject()),
            ReplyViolation(subject()),
        ] {
            let explained = search(&error.text()).hits[0].kind;
            let closes = error.closes();
            assert_eq!(explained, Kind::Protocol { closes }, "{}", error.text());
        }
    }

    /// A word without what is written around it.
    fn bare(word: &str) -> &str {
        word.trim_matches(|c: char| "()[]{},.;:'\"«»".contains(c))
    }

    fn options(command: &clap::Command, into: &mut BTreeSet<String>) {
        let long = |one: &clap::Arg| one.get_long().map(str::to_owned);
        into.extend(command.get_arguments().filter_map(long));
        for below in command.get_subcommands() {
            options(below, into);
        }
    }

    #[test]
    fn the_commands_and_options_that_are_named_are_there() {
        // Of the server, and of nsc.
        const OTHERS: [&str; 5] = ["signal", "no-streams", "js-enable", "js-tier", "conns"];
        let root = crate::usage::command();
        let mut known: BTreeSet<String> = OTHERS.map(str::to_owned).into();
        options(&root, &mut known);
        for one in all() {
            for text in [one.en.cause, one.en.remedy, one.es.cause, one.es.remedy] {
                let words: Vec<&str> = text.split_whitespace().collect();
                for option in words
                    .iter()
                    .filter_map(|word| bare(word).strip_prefix("--"))
                {
                    let name = option.split('=').next().unwrap_or_default();
                    assert!(known.contains(name), "{}: --{name}", one.key());
                }
                let named = words.windows(3).filter(|words| bare(words[0]) == "recado");
                for words in named {
                    let (name, below) = (bare(words[1]), bare(words[2]));
                    let Some(command) = root.find_subcommand(name) else {
                        panic!("{}: recado {name}", one.key());
                    };
                    let ends = name != words[1] || ["y", "and", "o", "or"].contains(&below);
                    let is_word = below.bytes().all(|byte| byte.is_ascii_lowercase());
                    if command.has_subcommands() && is_word && !ends {
                        let is_there = command.find_subcommand(below).is_some();
                        assert!(is_there, "{}: recado {name} {below}", one.key());
                    }
                }
            }
        }
    }

    #[test]
    fn no_text_stands_twice_but_those_that_say_nothing_by_themselves() {
        let mut seen = BTreeSet::new();
        for one in all().filter(|one| one.text != "{err}") {
            let code = match one.kind {
                Kind::Status { code } => code,
                _ => 0,
            };
            assert!(seen.insert((code, one.text)), "{}", one.text);
        }
    }

    #[test]
    fn every_explanation_is_there_in_both_languages_and_each_is_its_own() {
        let mut causes = BTreeSet::new();
        for one in all() {
            for words in [one.en, one.es] {
                for text in [words.cause, words.remedy] {
                    assert!(
                        text.len() > 10 && text.ends_with('.'),
                        "{}: {text}",
                        one.key()
                    );
                    assert!(!text.contains("  "), "{}: {text}", one.key());
                }
                assert!(causes.insert(words.cause), "twice: {}", words.cause);
            }
            assert_ne!(one.en.cause, one.es.cause);
            assert_ne!(one.en.remedy, one.es.remedy);
        }
    }
}
