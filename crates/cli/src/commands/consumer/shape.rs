//! The options that say how a consumer is set up. What none of them says is left as it is, or to the server.

use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::jetstream::reader::Start;
use crate::jetstream::verbatim::Verbatim;
use crate::jetstream::{fields, units};
use crate::span;
use crate::subject;
use crate::text::{consumer as text, help, jetstream as common};

/// The options.
#[derive(Debug, Args)]
pub(super) struct Shape {
    #[arg(long, value_delimiter = ',', value_name = common::value_filter(),
        value_parser = subject::filter, help = text::filter())]
    filter: Vec<String>,
    #[arg(long, value_name = help::value_text(), help = common::description())]
    description: Option<String>,
    #[arg(long, value_name = "all|new|last|N|1h", value_parser = start, help = text::deliver())]
    deliver: Option<Start>,
    #[arg(long, value_name = "explicit|all|none", value_parser = ["explicit", "all", "none"],
        help = text::ack())]
    ack: Option<String>,
    #[arg(long, value_name = help::value_span(), value_parser = span::parse,
        help = text::ack_wait())]
    ack_wait: Option<Duration>,
    #[arg(long, value_name = "N", allow_negative_numbers = true, help = text::max_deliver())]
    max_deliver: Option<i64>,
    #[arg(long, value_name = "N", allow_negative_numbers = true, help = text::max_pending())]
    max_pending: Option<i64>,
    #[arg(long, value_name = "N", value_parser = crate::commands::positive,
        help = text::max_waiting())]
    max_waiting: Option<u64>,
    #[arg(long, value_delimiter = ',', value_name = help::value_span(),
        value_parser = span::parse, help = text::backoff())]
    backoff: Vec<Duration>,
    #[arg(long, value_name = "instant|original", value_parser = ["instant", "original"],
        help = text::replay())]
    replay: Option<String>,
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", help = text::headers_only())]
    headers_only: Option<bool>,
    #[arg(long, value_name = help::value_span(), value_parser = span::parse,
        help = text::inactive())]
    inactive_threshold: Option<Duration>,
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", help = text::memory())]
    memory: Option<bool>,
    #[arg(long, value_name = help::value_subject(), value_parser = subject::literal,
        help = text::push_to())]
    push_to: Option<String>,
    #[arg(long, value_name = help::value_group(), value_parser = subject::queue,
        requires = "push_to", help = text::push_group())]
    push_group: Option<String>,
    #[arg(long, value_name = help::value_span(), value_parser = span::parse,
        help = text::heartbeat())]
    heartbeat: Option<Duration>,
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", help = text::flow_control())]
    flow_control: Option<bool>,
    #[arg(long, value_name = "N", value_parser = crate::commands::positive,
        help = common::replicas())]
    replicas: Option<u64>,
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
        match self.filter.as_slice() {
            [] => {}
            [one] => {
                config.remove("filter_subjects");
                config.insert("filter_subject".into(), one.as_str().into());
            }
            several => {
                config.remove("filter_subject");
                config.insert("filter_subjects".into(), json!(several));
            }
        }
        if let Some(Value::Object(start)) = self.deliver.map(Start::json) {
            config.extend(start);
        }
        let mut put = |field, value| fields::put(config, field, value);
        let words = |value: &Option<String>| value.as_deref().map(Value::from);
        let flag = |value: Option<bool>| value.map(Value::from);
        let span = |value: Option<Duration>| value.map(units::as_nanos);
        put("description", words(&self.description));
        put("ack_policy", words(&self.ack));
        put("replay_policy", words(&self.replay));
        put("deliver_subject", words(&self.push_to));
        put("deliver_group", words(&self.push_group));
        put("ack_wait", span(self.ack_wait));
        put("inactive_threshold", span(self.inactive_threshold));
        put("idle_heartbeat", span(self.heartbeat));
        put("max_deliver", self.max_deliver.map(Value::from));
        put("max_ack_pending", self.max_pending.map(Value::from));
        put("max_waiting", self.max_waiting.map(Value::from));
        put("num_replicas", self.replicas.map(Value::from));
        put("headers_only", flag(self.headers_only));
        put("mem_storage", flag(self.memory));
        put("flow_control", flag(self.flow_control));
        if !self.backoff.is_empty() {
            let spans = self.backoff.iter().copied();
            let spans: Vec<Value> = spans.map(units::as_nanos).collect();
            put("backoff", Some(spans.into()));
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

/// Where a consumer begins: a word, a sequence, or a time ago.
pub(super) fn start(written: &str) -> Result<Start, String> {
    match written {
        "all" => Ok(Start::All),
        "new" => Ok(Start::New),
        "last" => Ok(Start::Last),
        "last-per-subject" | "last_per_subject" => Ok(Start::LastPerSubject),
        other => match (other.parse(), span::parse(other)) {
            (Ok(sequence), _) => Ok(Start::Sequence(sequence)),
            (Err(_), Ok(span)) => Ok(Start::Since(span)),
            _ => Err(text::bad_deliver(written)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_is_a_sequence_and_one_with_a_unit_a_time() {
        assert_eq!(start("17"), Ok(Start::Sequence(17)));
        assert_eq!(start("1h"), Ok(Start::Since(Duration::from_secs(3600))));
        assert_eq!(start("last-per-subject"), Ok(Start::LastPerSubject));
        assert!(start("soon").is_err());
    }
}
