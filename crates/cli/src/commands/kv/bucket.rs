//! Buckets themselves: made, shown, changed, tidied up and removed.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Named;
use super::entry::{self, Entry};
use crate::amount;
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::bucket::Keeping;
use crate::jetstream::consent::Consent;
use crate::jetstream::editing::Editing;
use crate::jetstream::fields::{number, words};
use crate::jetstream::reader::{Reader, Start};
use crate::jetstream::{api, fields, report, units};
use crate::progress;
use crate::span;
use crate::terminal::Out;
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
    #[command(flatten)]
    keeping: Keeping,
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
        put("max_msgs_per_subject", self.history.map(Value::from));
        put("max_age", self.ttl.map(units::as_nanos));
        put("max_bytes", self.max_bytes.map(units::as_limit));
        put("max_msg_size", self.max_value_size.map(units::as_limit));
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
        self.keeping.apply(config);
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
    named: Named,
    #[arg(long, value_name = "file|memory", value_parser = ["file", "memory"],
        help = common::storage())]
    storage: Option<String>,
    #[command(flatten)]
    shape: Shape,
}

impl Add {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let bucket = &self.named.bucket;
        let mut config = fields::object([
            ("subjects", json!([entry::subject(bucket, ">")])),
            ("max_msgs_per_subject", 1.into()),
            ("discard", "new".into()),
            ("allow_rollup_hdrs", true.into()),
            ("deny_delete", true.into()),
            ("allow_direct", true.into()),
            ("duplicate_window", units::as_nanos(WINDOW)),
        ]);
        let storage = self.storage.as_deref();
        fields::put(&mut config, "storage", storage.map(Value::from));
        self.shape.apply(&mut config);
        let info = entry::bucket(bucket).add(session, config, as_json).await?;
        show(bucket, &info, as_json)
    }
}

/// `recado kv info`.
pub(super) async fn info(
    session: &mut Session,
    bucket: &str,
    as_json: bool,
) -> Result<(), Failure> {
    let info = entry::bucket(bucket).info(session).await?;
    show(bucket, &info, as_json)
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
    named: Named,
    #[command(flatten)]
    shape: Shape,
    #[command(flatten)]
    editing: Editing,
}

impl Edit {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let bucket = entry::bucket(&self.named.bucket);
        let apply = |config: &mut Map<String, Value>| self.shape.apply(config);
        let edited = bucket.edit(session, &self.editing, apply, as_json);
        match edited.await? {
            Some(info) => show(&bucket.name, &info, as_json),
            None => Ok(()),
        }
    }
}

/// `recado kv compact`.
#[derive(Debug, Args)]
pub(super) struct Compact {
    #[command(flatten)]
    named: Named,
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
        let gone = self.traces(session, &about, as_json).await?;
        if !gone.is_empty() {
            let question = text::compact_question(gone.len(), bucket);
            self.consent.ask(&question).await?;
        }
        let bar = progress::bar(Some(gone.len() as u64), text::bar_compact(), as_json);
        for entry in &gone {
            // Up to the trace itself: who has given the key a value meanwhile keeps it.
            let body = json!({
                "filter": entry::subject(bucket, &entry.key), "seq": entry.revision + 1,
            });
            api::ask(session, &format!("STREAM.PURGE.{stream}"), &body, &about).await?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        let keys: Vec<&str> = gone.iter().map(|entry| entry.key.as_str()).collect();
        let object = json!({ "bucket": bucket, "compacted": keys });
        report::tell(&text::compacted(gone.len(), bucket), &object, as_json)
    }

    /// What deleted keys have left, if they were deleted long enough ago.
    async fn traces(
        &self,
        session: &mut Session,
        about: &About,
        quiet: bool,
    ) -> Result<Vec<Entry>, Failure> {
        let bucket = &self.named.bucket;
        let stream = entry::stream(bucket);
        let start = Start::LastPerSubject;
        let filter = entry::subject(bucket, ">");
        let mut reader = Reader::open(session, &stream, Some(&filter), start, true, about).await?;
        let before = Timestamp::now()
            .checked_sub(self.older)
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let bar = progress::bar(Some(0), text::bar_compact_read(), quiet);
        let mut gone = Vec::new();
        reader
            .drain(session, |stored| {
                bar.set_length(bar.position() + 1 + stored.pending);
                bar.inc(1);
                let entry = Entry::of(bucket, &stored);
                gone.extend(entry.filter(|entry| !entry.is_value() && entry.time <= before));
                Ok(true)
            })
            .await?;
        bar.finish_and_clear();
        Ok(gone)
    }
}

/// `recado kv rm`.
#[derive(Debug, Args)]
pub(super) struct Remove {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    consent: Consent,
}

impl Remove {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let bucket = entry::bucket(&self.named.bucket);
        let info = bucket.info(session).await?;
        let values = amount::show(number(&info, "/state/messages"));
        let question = text::rm_question(&bucket.name, &values);
        bucket
            .remove(session, &self.consent, &question, as_json)
            .await
    }
}
