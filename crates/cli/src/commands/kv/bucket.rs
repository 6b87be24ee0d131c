//! Buckets themselves: made, shown, changed, tidied up and removed.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Bucket;
use super::entry::{self, Entry};
use crate::amount;
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::consent::Consent;
use crate::jetstream::editing::{self, Editing};
use crate::jetstream::fields::{number, words};
use crate::jetstream::reader::{Reader, Start};
use crate::jetstream::{api, fields, report, units};
use crate::span;
use crate::terminal::{self, Out};
use crate::text::{help, jetstream as common, kv as text, stream as stream_text};

/// How long the id of a message is remembered at the most, if values are not kept for less.
const WINDOW: Duration = Duration::from_secs(120);

/// How a bucket is set up. What none of the options says is left as it is, or to the server.
#[derive(Debug, Args)]
pub(super) struct Shape {
    #[arg(long, value_name = "N", value_parser = history, help = text::history())]
    history: Option<u64>,
    #[arg(long, value_name = help::value_span(), value_parser = span::parse, help = text::ttl())]
    ttl: Option<Duration>,
    #[arg(long, value_name = common::value_size(), value_parser = amount::parse_size,
        help = text::max_bytes())]
    max_bytes: Option<usize>,
    #[arg(long, value_name = common::value_size(), value_parser = amount::parse_size,
        help = text::max_value_size())]
    max_value_size: Option<usize>,
    #[arg(long, value_name = help::value_text(), help = common::description())]
    description: Option<String>,
    #[arg(long, value_name = "N", value_parser = crate::commands::positive,
        help = common::replicas())]
    replicas: Option<u64>,
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", help = text::compress())]
    compress: Option<bool>,
    #[arg(long, value_name = help::value_span(), value_parser = span::parse,
        help = text::marker_ttl())]
    marker_ttl: Option<Duration>,
    #[arg(long, value_name = common::value_pair(), value_parser = fields::pair,
        help = common::metadata())]
    metadata: Vec<(String, String)>,
}

impl Shape {
    fn apply(&self, config: &mut Map<String, Value>) {
        let mut put = |field, value| fields::put(config, field, value);
        let none_or = |size: usize| match size {
            0 => Value::from(-1),
            size => Value::from(size),
        };
        put("max_msgs_per_subject", self.history.map(Value::from));
        put("max_age", self.ttl.map(units::as_nanos));
        put("max_bytes", self.max_bytes.map(none_or));
        put("max_msg_size", self.max_value_size.map(none_or));
        put("description", self.description.as_deref().map(Value::from));
        put("num_replicas", self.replicas.map(Value::from));
        let compression = |compress| if compress { "s2" } else { "none" };
        put(
            "compression",
            self.compress.map(compression).map(Value::from),
        );
        if let Some(ttl) = self.marker_ttl {
            put("allow_msg_ttl", Some(true.into()));
            put("subject_delete_marker_ttl", Some(units::as_nanos(ttl)));
        }
        if let Some(ttl) = self.ttl {
            // The window can't be longer than what it is about.
            let window = if ttl.is_zero() {
                WINDOW
            } else {
                ttl.min(WINDOW)
            };
            put("duplicate_window", Some(units::as_nanos(window)));
        }
        fields::add_metadata(config, &self.metadata);
    }
}

fn history(written: &str) -> Result<u64, String> {
    match written.parse() {
        Ok(number @ 1..=64) => Ok(number),
        _ => Err(text::bad_history(written)),
    }
}

/// `recado kv add`.
#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    named: Bucket,
    #[arg(long, value_name = "file|memory", value_parser = ["file", "memory"],
        help = common::storage())]
    storage: Option<String>,
    #[command(flatten)]
    shape: Shape,
}

impl Add {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let bucket = &self.named.bucket;
        let about = About::Bucket(bucket.clone());
        let name = entry::stream(bucket);
        let mut config = Map::new();
        for (field, value) in [
            ("name", json!(name)),
            ("subjects", json!([entry::subject(bucket, ">")])),
            ("max_msgs_per_subject", json!(1)),
            ("discard", json!("new")),
            ("allow_rollup_hdrs", json!(true)),
            ("deny_delete", json!(true)),
            ("allow_direct", json!(true)),
            ("duplicate_window", units::as_nanos(WINDOW)),
        ] {
            config.insert(field.to_owned(), value);
        }
        if let Some(storage) = &self.storage {
            config.insert("storage".into(), storage.as_str().into());
        }
        self.shape.apply(&mut config);
        let verb = format!("STREAM.CREATE.{name}");
        let info = api::ask(session, &verb, &config.into(), &about).await?;
        if !as_json {
            terminal::notice(&common::made(&about.words()));
        }
        show(bucket, &info, as_json)
    }
}

/// `recado kv info`.
pub(super) async fn info(
    session: &mut Session,
    bucket: &str,
    as_json: bool,
) -> Result<(), Failure> {
    let info = stream_of(session, bucket).await?;
    show(bucket, &info, as_json)
}

async fn stream_of(session: &mut Session, bucket: &str) -> Result<Value, Failure> {
    let about = About::Bucket(bucket.to_owned());
    api::stream_about(session, &entry::stream(bucket), &about).await
}

/// A bucket as an object.
pub(super) fn json(bucket: &str, info: &Value) -> Value {
    json!({
        "bucket": bucket, "values": number(info, "/state/messages"),
        "keys": number(info, "/state/num_subjects"), "bytes": number(info, "/state/bytes"),
        "revision": number(info, "/state/last_seq"),
        "history": number(info, "/config/max_msgs_per_subject"),
        "stream": info,
    })
}

fn show(bucket: &str, info: &Value, as_json: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    if as_json {
        out.json(&json(bucket, info))?;
        return out.flush();
    }
    let at = |pointer: &str| words(info, pointer).to_owned();
    let last = match number(info, "/state/last_seq") {
        0 => String::new(),
        revision => {
            let time = words(info, "/state/last_ts");
            stream_text::place(revision, &units::moment(time), &units::ago(time))
        }
    };
    let facts = [
        (stream_text::fact_description(), at("/config/description")),
        (stream_text::fact_created(), units::moment(&at("/created"))),
        (stream_text::fact_storage(), at("/config/storage")),
        (
            text::fact_history(),
            number(info, "/config/max_msgs_per_subject").to_string(),
        ),
        (
            text::fact_ttl(),
            units::nanos(info, "/config/max_age", common::unlimited()),
        ),
        (
            text::fact_markers(),
            units::nanos(info, "/config/subject_delete_marker_ttl", ""),
        ),
        (
            text::fact_limit(),
            units::limit_bytes(info, "/config/max_bytes"),
        ),
        (
            text::fact_value_limit(),
            units::limit_bytes(info, "/config/max_msg_size"),
        ),
        (
            text::fact_keys(),
            amount::show(number(info, "/state/num_subjects")),
        ),
        (
            text::fact_values(),
            amount::show(number(info, "/state/messages")),
        ),
        (
            text::fact_size(),
            amount::show_size(number(info, "/state/bytes")),
        ),
        (text::fact_last(), last),
    ];
    report::facts(&mut out, bucket, &facts)?;
    out.flush()
}

/// `recado kv edit`.
#[derive(Debug, Args)]
pub(super) struct Edit {
    #[command(flatten)]
    named: Bucket,
    #[command(flatten)]
    shape: Shape,
    #[command(flatten)]
    editing: Editing,
}

impl Edit {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let bucket = &self.named.bucket;
        let about = About::Bucket(bucket.clone());
        let mut said = Map::new();
        self.shape.apply(&mut said);
        if said.is_empty() {
            return Err(editing::nothing_said());
        }
        let info = stream_of(session, bucket).await?;
        let apply = |config: &mut Map<String, Value>| self.shape.apply(config);
        let agreed = self.editing.agreed(&about, &info, apply, as_json).await?;
        let Some(after) = agreed else {
            return Ok(());
        };
        let verb = format!("STREAM.UPDATE.{}", entry::stream(bucket));
        let info = api::ask(session, &verb, &after.into(), &about).await?;
        match as_json {
            true => show(bucket, &info, true),
            false => editing::tell_done(&about),
        }
    }
}

/// `recado kv compact`.
#[derive(Debug, Args)]
pub(super) struct Compact {
    #[command(flatten)]
    named: Bucket,
    #[arg(long, value_name = help::value_span(), value_parser = span::parse,
        default_value = "30m", help = text::older())]
    older: Duration,
    #[command(flatten)]
    consent: Consent,
}

impl Compact {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let bucket = &self.named.bucket;
        let about = About::Bucket(bucket.clone());
        let stream = entry::stream(bucket);
        let start = Start::LastPerSubject;
        let filter = entry::subject(bucket, ">");
        let mut reader = Reader::open(session, &stream, Some(&filter), start, true, &about).await?;
        let before = Timestamp::now()
            .checked_sub(self.older)
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let mut gone = Vec::new();
        reader
            .drain(session, |stored| {
                let entry = Entry::of(bucket, &stored);
                gone.extend(entry.filter(|entry| !entry.is_value() && entry.time <= before));
                Ok(true)
            })
            .await?;
        if !gone.is_empty() {
            let question = text::compact_question(gone.len(), bucket);
            self.consent.ask(&question).await?;
        }
        for entry in &gone {
            // Up to the trace itself: who has given the key a value meanwhile keeps it.
            let body = json!({
                "filter": entry::subject(bucket, &entry.key), "seq": entry.revision + 1,
            });
            api::ask(session, &format!("STREAM.PURGE.{stream}"), &body, &about).await?;
        }
        let keys: Vec<&str> = gone.iter().map(|entry| entry.key.as_str()).collect();
        let object = json!({ "bucket": bucket, "compacted": keys });
        report::tell(&text::compacted(gone.len(), bucket), &object, as_json)
    }
}

/// `recado kv rm`.
#[derive(Debug, Args)]
pub(super) struct Remove {
    #[command(flatten)]
    named: Bucket,
    #[command(flatten)]
    consent: Consent,
}

impl Remove {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let bucket = &self.named.bucket;
        let about = About::Bucket(bucket.clone());
        let info = stream_of(session, bucket).await?;
        let values = amount::show(number(&info, "/state/messages"));
        self.consent
            .ask(&text::rm_question(bucket, &values))
            .await?;
        let verb = format!("STREAM.DELETE.{}", entry::stream(bucket));
        api::ask(session, &verb, &Value::Null, &about).await?;
        let object = json!({ "removed": bucket });
        report::tell(&common::removed(&about.words()), &object, as_json)
    }
}
