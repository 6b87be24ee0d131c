//! `recado consumer find`: consumers by what they are like.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::Value;

use super::show;
use crate::completion;
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::fields::{flag, number, words};
use crate::jetstream::names;
use crate::span;
use crate::terminal::{self, Out, harmless};
use crate::text::{consumer as text, help, jetstream as common};

/// `recado consumer find`.
#[derive(Debug, Args)]
pub(super) struct Find {
    #[arg(value_name = common::value_stream(), value_parser = names::name,
        add = completion::streams(), help = text::find_stream())]
    stream: Option<String>,
    #[command(flatten)]
    wanted: Wanted,
    #[arg(long, help = text::find_invert())]
    invert: bool,
    #[arg(short, long, help = text::find_names())]
    names: bool,
}

/// What must hold of a consumer, all of it.
#[derive(Debug, Args)]
struct Wanted {
    #[arg(long, conflicts_with = "push", help = text::find_pull())]
    pull: bool,
    #[arg(long, help = text::find_push())]
    push: bool,
    #[arg(long, help = text::find_bound())]
    bound: bool,
    #[arg(long, help = text::find_pinned())]
    pinned: bool,
    #[arg(long, value_name = "N", help = text::find_waiting())]
    waiting: Option<u64>,
    #[arg(long, value_name = "N", help = text::find_ack_pending())]
    ack_pending: Option<u64>,
    #[arg(long, value_name = "N", help = text::find_pending())]
    pending: Option<u64>,
    #[arg(long, value_name = help::value_span(), value_parser = span::parse,
        help = text::find_idle())]
    idle: Option<Duration>,
    #[arg(long, value_name = help::value_span(), value_parser = span::parse,
        help = text::find_created())]
    created: Option<Duration>,
}

impl Find {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let mut found = show::consumers_of(session, self.stream.as_deref()).await?;
        let now = Timestamp::now();
        found.retain(|consumer| self.wanted.holds(consumer, now) != self.invert);
        if found.is_empty() {
            if !as_json {
                terminal::notice(text::find_none());
            }
            return Ok(());
        }
        let mut out = Out::new();
        match self.names && !as_json {
            true => self.show_names(&mut out, &found)?,
            false => show::table(&mut out, &found, as_json)?,
        }
        out.flush()
    }

    /// Where several streams were looked through, a name alone says nothing.
    fn show_names(&self, out: &mut Out, found: &[Value]) -> Result<(), Failure> {
        for consumer in found {
            let (stream, name) = (words(consumer, "/stream_name"), words(consumer, "/name"));
            let line = match &self.stream {
                Some(_) => name.to_owned(),
                None => format!("{stream} {name}"),
            };
            out.line(&harmless(&line))?;
        }
        Ok(())
    }
}

impl Wanted {
    fn holds(&self, consumer: &Value, now: Timestamp) -> bool {
        let is_push = !words(consumer, "/config/deliver_subject").is_empty();
        let is_bound = match is_push {
            true => flag(consumer, "/push_bound"),
            false => number(consumer, "/num_waiting") > 0,
        };
        let fewer = |most: Option<u64>, pointer: &str| {
            most.is_none_or(|most| number(consumer, pointer) < most)
        };
        // What has delivered nothing yet is idle since it was made.
        let last = match words(consumer, "/delivered/last_active") {
            "" => words(consumer, "/created"),
            last => last,
        };
        let longer = |least: Option<Duration>, since: &str| {
            least.is_none_or(|least| passed(since, now) >= least)
        };
        (!self.pull || !is_push)
            && (!self.push || is_push)
            && (!self.bound || is_bound)
            && (!self.pinned || is_pinned(consumer))
            && fewer(self.waiting, "/num_waiting")
            && fewer(self.ack_pending, "/num_ack_pending")
            && fewer(self.pending, "/num_pending")
            && longer(self.idle, last)
            && longer(self.created, words(consumer, "/created"))
    }
}

/// How long ago a moment was that the server wrote; for ever, if it wrote none.
fn passed(since: &str, now: Timestamp) -> Duration {
    let since = since.parse::<Timestamp>().unwrap_or(Timestamp::UNIX_EPOCH);
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

/// Whether each of its priority groups has a client that it is pinned to.
fn is_pinned(consumer: &Value) -> bool {
    let groups = consumer.pointer("/priority_groups");
    let groups = groups
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let pinned = |group: &Value| !words(group, "/pinned_client_id").is_empty();
    !groups.is_empty() && groups.iter().all(pinned)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        find: Find,
    }

    fn holds(arguments: &str, consumer: &Value) -> bool {
        let words = std::iter::once("find").chain(arguments.split_whitespace());
        let now = "2026-01-02T00:00:00Z".parse().unwrap();
        let line = Line::try_parse_from(words).unwrap();
        line.find.wanted.holds(consumer, now)
    }

    #[test]
    fn all_that_is_asked_for_must_hold() {
        let pull = json!({
            "created": "2026-01-01T00:00:00Z", "num_waiting": 1, "num_ack_pending": 5, "num_pending": 9,
        });
        for (arguments, expected) in [
            ("", true),
            ("--pull", true),
            ("--push", false),
            ("--bound", true),
            ("--waiting 1", false),
            ("--waiting 2", true),
            ("--ack-pending 5", false),
            ("--ack-pending 6 --pending 10", true),
            ("--ack-pending 6 --pending 9", false),
            ("--created 24h", true),
            ("--created 25h", false),
            // It has not delivered anything yet.
            ("--idle 24h", true),
            ("--idle 25h", false),
            ("--pinned", false),
        ] {
            assert_eq!(holds(arguments, &pull), expected, "{arguments}");
        }
    }

    #[test]
    fn a_push_consumer_is_bound_when_somebody_listens() {
        let mut push = json!({ "config": { "deliver_subject": "here" }, "num_waiting": 1 });
        assert!(holds("--push", &push) && !holds("--bound", &push));
        push["push_bound"] = true.into();
        assert!(holds("--bound", &push) && !holds("--pull", &push));
        push["delivered"] = json!({ "last_active": "2026-01-01T23:59:00Z" });
        push["created"] = json!("2026-01-01T00:00:00Z");
        assert!(holds("--idle 60s", &push) && !holds("--idle 61s", &push));
    }

    #[test]
    fn one_group_without_a_client_is_enough_to_be_not_pinned() {
        let mut consumer =
            json!({ "priority_groups": [{ "group": "a", "pinned_client_id": "x" }] });
        assert!(holds("--pinned", &consumer));
        consumer["priority_groups"] =
            json!([{ "group": "a", "pinned_client_id": "x" }, { "group": "b" }]);
        assert!(!holds("--pinned", &consumer));
    }
}
