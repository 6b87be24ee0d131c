//! The options that say how a stream is set up. What none of them says is left as it is, or to the server.

use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::amount;
use crate::failure::Failure;
use crate::jetstream::verbatim::Verbatim;
use crate::jetstream::{fields, names, units};
use crate::span;
use crate::subject;
use crate::text::{help, jetstream as common, stream as text};

/// The key of a stream's metadata that names the stream for its dead letters.
pub(super) const DEAD_LETTER: &str = "recado.dead_letter";

/// The options.
#[derive(Debug, Args)]
pub(super) struct Shape {
    #[arg(long, value_delimiter = ',', value_name = common::value_filter(),
        value_parser = subject::filter, help = text::subjects())]
    subjects: Vec<String>,
    #[arg(long, value_name = help::value_text(), help = common::description())]
    description: Option<String>,
    #[arg(long, value_name = "file|memory", value_parser = ["file", "memory"],
        help = common::storage())]
    storage: Option<String>,
    #[arg(long, value_name = "limits|interest|workqueue",
        value_parser = ["limits", "interest", "workqueue"], help = text::retention())]
    retention: Option<String>,
    #[arg(long, value_name = "old|new", value_parser = ["old", "new"], help = text::discard())]
    discard: Option<String>,
    #[arg(long, value_name = "N", value_parser = limit, allow_negative_numbers = true,
        help = text::max_msgs())]
    max_msgs: Option<i64>,
    #[arg(long, value_name = common::value_size(), value_parser = limit_bytes,
        allow_negative_numbers = true, help = text::max_bytes())]
    max_bytes: Option<i64>,
    #[arg(long, value_name = help::value_span(), value_parser = span::parse,
        help = text::max_age())]
    max_age: Option<Duration>,
    #[arg(long, value_name = "N", value_parser = limit, allow_negative_numbers = true,
        help = text::max_msgs_per_subject())]
    max_msgs_per_subject: Option<i64>,
    #[arg(long, value_name = common::value_size(), value_parser = limit_bytes,
        allow_negative_numbers = true, help = text::max_msg_size())]
    max_msg_size: Option<i64>,
    #[arg(long, value_name = "N", value_parser = limit, allow_negative_numbers = true,
        help = text::max_consumers())]
    max_consumers: Option<i64>,
    #[arg(long, value_name = help::value_span(), value_parser = span::parse,
        help = text::dupe_window())]
    dupe_window: Option<Duration>,
    #[arg(long, value_name = "none|s2", value_parser = ["none", "s2"], help = text::compression())]
    compression: Option<String>,
    #[arg(long, value_name = "N", value_parser = crate::commands::positive,
        help = common::replicas())]
    replicas: Option<u64>,
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", help = text::allow_direct())]
    allow_direct: Option<bool>,
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", help = text::allow_rollup())]
    allow_rollup: Option<bool>,
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", help = text::allow_msg_ttl())]
    allow_msg_ttl: Option<bool>,
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", help = text::deny_delete())]
    deny_delete: Option<bool>,
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", help = text::deny_purge())]
    deny_purge: Option<bool>,
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", help = text::no_ack())]
    no_ack: Option<bool>,
    #[arg(long, value_name = common::value_stream(), value_parser = names::name,
        conflicts_with_all = ["subjects", "source"], help = text::mirror())]
    mirror: Option<String>,
    #[arg(long, value_name = common::value_stream(), value_parser = names::name,
        help = text::source())]
    source: Vec<String>,
    #[arg(long, value_name = common::value_stream(), value_parser = names::name,
        help = text::dead_letter())]
    dead_letter: Option<String>,
    #[command(flatten)]
    verbatim: Verbatim,
}

impl Shape {
    /// What `--config` says, for the two below.
    pub(super) fn file(&self) -> Result<Map<String, Value>, Failure> {
        self.verbatim.read()
    }

    /// Puts what the options say into a configuration; `file` first, `--set` last.
    pub(super) fn apply(&self, file: &Map<String, Value>, config: &mut Map<String, Value>) {
        config.extend(file.clone());
        let mut put = |field, value| fields::put(config, field, value);
        let words = |value: &Option<String>| value.as_deref().map(Value::from);
        let limit = |value: Option<i64>| value.map(Value::from);
        let flag = |value: Option<bool>| value.map(Value::from);
        let subjects = (!self.subjects.is_empty()).then(|| json!(self.subjects));
        put("subjects", subjects);
        put("description", words(&self.description));
        put("storage", words(&self.storage));
        put("retention", words(&self.retention));
        put("discard", words(&self.discard));
        put("compression", words(&self.compression));
        put("max_msgs", limit(self.max_msgs));
        put("max_bytes", limit(self.max_bytes));
        put("max_msgs_per_subject", limit(self.max_msgs_per_subject));
        put("max_msg_size", limit(self.max_msg_size));
        put("max_consumers", limit(self.max_consumers));
        put("max_age", self.max_age.map(units::as_nanos));
        put("duplicate_window", self.dupe_window.map(units::as_nanos));
        put("num_replicas", self.replicas.map(Value::from));
        put("allow_direct", flag(self.allow_direct));
        put("allow_rollup_hdrs", flag(self.allow_rollup));
        put("allow_msg_ttl", flag(self.allow_msg_ttl));
        put("deny_delete", flag(self.deny_delete));
        put("deny_purge", flag(self.deny_purge));
        put("no_ack", flag(self.no_ack));
        let mirror = self.mirror.as_deref();
        put("mirror", mirror.map(|name| json!({ "name": name })));
        let sources: Vec<Value> = self
            .source
            .iter()
            .map(|name| json!({ "name": name }))
            .collect();
        put("sources", (!sources.is_empty()).then(|| sources.into()));
        if let Some(name) = &self.dead_letter {
            fields::add_metadata(config, &[(DEAD_LETTER.to_owned(), name.clone())]);
        }
        self.verbatim.apply(config);
    }

    /// Whether no option says anything.
    pub(super) fn is_silent(&self, file: &Map<String, Value>) -> bool {
        let mut said = Map::new();
        self.apply(file, &mut said);
        said.is_empty()
    }
}

/// A limit on a number of things; -1 and 0 are none.
fn limit(written: &str) -> Result<i64, String> {
    limited(written, amount::parse(written).ok())
}

/// A limit in bytes.
fn limit_bytes(written: &str) -> Result<i64, String> {
    let size = amount::parse_size(written).ok();
    limited(written, size.and_then(|size| u64::try_from(size).ok()))
}

fn limited(written: &str, number: Option<u64>) -> Result<i64, String> {
    match (
        written.trim(),
        number.and_then(|number| i64::try_from(number).ok()),
    ) {
        ("-1" | "0", _) => Ok(-1),
        (_, Some(number)) => Ok(number),
        (_, None) => Err(text::bad_limit(written)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_may_be_none() {
        assert_eq!(limit("-1"), Ok(-1));
        assert_eq!(limit("0"), Ok(-1));
        assert_eq!(limit("10k"), Ok(10_000));
        assert_eq!(limit_bytes("1GiB"), Ok(1 << 30));
        assert!(limit("-2").is_err() && limit_bytes("much").is_err());
    }
}
