//! Buckets and objects as they are shown: one, all, and every change.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::Bucket;
use super::meta::{self, Meta};
use crate::amount;
use crate::completion;
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::bucket::with_prefix;
use crate::jetstream::fields::{flag, number, words};
use crate::jetstream::reader::{Reader, Start};
use crate::jetstream::stored::Stored;
use crate::jetstream::{names, report, units};
use crate::span;
use crate::table::Table;
use crate::terminal::{self, Out, harmless};
use crate::text::{jetstream as common, object as text, stream as stream_text};

/// `recado object info`.
#[derive(Debug, Args)]
pub(super) struct Info {
    #[command(flatten)]
    of: Bucket,
    #[arg(value_name = common::value_object(), value_parser = meta::name, help = common::object())]
    name: Option<String>,
}

impl Info {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let Some(name) = &self.name else {
            let info = meta::bucket(&self.of.bucket).info(session).await?;
            return bucket(&self.of.bucket, &info, as_json);
        };
        let found = meta::find(session, &self.of.bucket, name).await?;
        let mut out = Out::new();
        if as_json {
            out.json(&found.0)?;
            return out.flush();
        }
        let modified = found.modified();
        let facts = [
            (
                stream_text::fact_description(),
                words(&found.0, "/description").to_owned(),
            ),
            (text::fact_size(), amount::show_size(found.size())),
            (text::fact_chunks(), found.chunks().to_string()),
            (
                text::fact_modified(),
                format!("{} ({})", units::moment(modified), units::ago(modified)),
            ),
            (text::fact_digest(), words(&found.0, "/digest").to_owned()),
        ];
        report::facts(&mut out, found.name(), &facts)?;
        out.flush()
    }
}

fn bucket_json(name: &str, info: &Value) -> Value {
    json!({
        "bucket": name, "bytes": number(info, "/state/bytes"),
        "sealed": flag(info, "/config/sealed"), "stream": info,
    })
}

/// A bucket, from the answer that describes its stream.
pub(super) fn bucket(name: &str, info: &Value, as_json: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    if as_json {
        out.json(&bucket_json(name, info))?;
        return out.flush();
    }
    let sealed = match flag(info, "/config/sealed") {
        true => common::yes_word().to_owned(),
        false => String::new(),
    };
    let at = |pointer: &str| words(info, pointer).to_owned();
    let facts = [
        (stream_text::fact_description(), at("/config/description")),
        (stream_text::fact_created(), units::moment(&at("/created"))),
        (stream_text::fact_storage(), at("/config/storage")),
        (
            text::fact_ttl(),
            units::nanos(info, "/config/max_age", common::unlimited()),
        ),
        (
            text::fact_limit(),
            units::limit_bytes(info, "/config/max_bytes"),
        ),
        (
            text::fact_size(),
            amount::show_size(number(info, "/state/bytes")),
        ),
        (text::fact_sealed(), sealed),
    ];
    report::facts(&mut out, name, &facts)?;
    out.flush()
}

/// `recado object ls`.
#[derive(Debug, Args)]
pub(super) struct Ls {
    #[arg(value_name = common::value_bucket(), value_parser = names::bucket,
        add = completion::stores(), help = common::bucket())]
    bucket: Option<String>,
}

impl Ls {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        match &self.bucket {
            Some(bucket) => objects(session, bucket, as_json).await,
            None => buckets(session, as_json).await,
        }
    }
}

async fn buckets(session: &mut Session, as_json: bool) -> Result<(), Failure> {
    let buckets = with_prefix(session, meta::PREFIX).await?;
    let mut out = Out::new();
    if as_json {
        for (name, stream) in &buckets {
            out.json(&bucket_json(name, stream))?;
        }
        return out.flush();
    }
    if buckets.is_empty() {
        terminal::notice(text::none_yet());
        return Ok(());
    }
    let mut table = Table::new(&[
        common::column_name(),
        common::column_size(),
        common::column_sealed(),
        common::column_last(),
        common::column_description(),
    ]);
    for (name, stream) in &buckets {
        let sealed = match flag(stream, "/config/sealed") {
            true => common::yes_word(),
            false => common::no_word(),
        };
        table.row([
            name.clone(),
            amount::show_size(number(stream, "/state/bytes")),
            sealed.to_owned(),
            units::ago(words(stream, "/state/last_ts")),
            words(stream, "/config/description").to_owned(),
        ]);
    }
    table.show(&mut out)?;
    out.flush()
}

async fn objects(session: &mut Session, bucket: &str, as_json: bool) -> Result<(), Failure> {
    let about = About::Store(bucket.to_owned());
    let (stream, filter) = (meta::stream(bucket), meta::all(bucket));
    let start = Start::LastPerSubject;
    let mut reader = Reader::open(session, &stream, Some(&filter), start, false, &about).await?;
    let mut found = Vec::new();
    reader
        .drain(session, |stored| {
            found.extend(Meta::of(&stored).filter(|meta| !meta.is_deleted()));
            Ok(true)
        })
        .await?;
    found.sort_by(|a, b| a.name().cmp(b.name()));
    let mut out = Out::new();
    if as_json {
        for meta in &found {
            out.json(&meta.0)?;
        }
        return out.flush();
    }
    if found.is_empty() {
        terminal::notice(text::empty());
        return Ok(());
    }
    let mut table = Table::new(&[
        common::column_name(),
        common::column_size(),
        common::column_time(),
        common::column_description(),
    ]);
    for meta in &found {
        table.row([
            meta.name().to_owned(),
            amount::show_size(meta.size()),
            units::moment(meta.modified()),
            words(&meta.0, "/description").to_owned(),
        ]);
    }
    table.show(&mut out)?;
    out.flush()
}

/// `recado object watch`.
#[derive(Debug, Args)]
pub(super) struct Watch {
    #[command(flatten)]
    of: Bucket,
    #[arg(long, help = common::only_new())]
    new: bool,
    #[arg(short, long, value_name = "N", value_parser = crate::commands::positive,
        help = common::only_count())]
    count: Option<u64>,
}

impl Watch {
    pub(super) async fn run(
        &self,
        session: &mut Session,
        silence: Option<Duration>,
        as_json: bool,
    ) -> Result<(), Failure> {
        let bucket = meta::bucket(&self.of.bucket);
        let start = match self.new {
            true => Start::New,
            false => Start::LastPerSubject,
        };
        let each = |out: &mut Out, stored: &Stored| {
            let meta = Meta::of(stored);
            if let Some(meta) = &meta {
                show(out, meta, as_json)?;
            }
            Ok(meta.is_some())
        };
        let filter = meta::all(&bucket.name);
        let ended = bucket.watch(session, &filter, start, self.count, silence, each);
        match ended.await? {
            Some(limit) => Err(Failure::Deadline {
                what: common::no_change(&bucket.name, &span::show(limit)),
                next: text::silence_next().to_owned(),
            }),
            None => Ok(()),
        }
    }
}

fn show(out: &mut Out, meta: &Meta, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return out.json(&meta.0);
    }
    let what = match meta.is_deleted() {
        true => text::gone().to_owned(),
        false => amount::show_size(meta.size()),
    };
    let time = out.dim(&units::moment(meta.modified()));
    let name = out.bold(&harmless(meta.name()));
    out.line(&format!("{time} {name}: {what}"))
}
