//! Keys and values as they are shown: one, all that one had, all that there are, and every change.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::bucket;
use super::entry::{self, Entry};
use super::{Key, Named};
use crate::amount;
use crate::completion;
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::bucket::with_prefix;
use crate::jetstream::fields::{number, words};
use crate::jetstream::reader::{Reader, Start};
use crate::jetstream::stored::Stored;
use crate::jetstream::{names, trouble, units};
use crate::span;
use crate::table::Table;
use crate::terminal::{self, Out, harmless};
use crate::text::{jetstream as common, kv as text};

/// `recado kv get`.
#[derive(Debug, Args)]
pub(super) struct Get {
    #[command(flatten)]
    of: Key,
    #[arg(long, value_name = "N", value_parser = crate::commands::positive,
        help = text::revision())]
    revision: Option<u64>,
    #[arg(short, long, conflicts_with = "json", help = text::exact())]
    raw: bool,
}

impl Get {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let Key { bucket, key } = &self.of;
        let entry = entry::find(session, bucket, key, self.revision).await?;
        if !entry.is_value() {
            let about = About::Key(bucket.clone(), key.clone());
            return Err(trouble::not_found(&about, None));
        }
        let mut out = Out::new();
        match (as_json, self.raw) {
            (true, _) => out.json(&entry.json())?,
            (_, true) => out.bytes(&entry.value)?,
            _ => {
                let ago = units::since(entry.time);
                terminal::notice(&text::got(key, entry.revision, &ago));
                out.line(&entry.words())?;
            }
        }
        out.flush()
    }
}

/// `recado kv history`.
pub(super) async fn history(session: &mut Session, of: &Key, as_json: bool) -> Result<(), Failure> {
    let Key { bucket, key } = of;
    let about = About::Key(bucket.clone(), key.clone());
    let filter = entry::subject(bucket, key);
    let stream = entry::stream(bucket);
    let mut reader =
        Reader::open(session, &stream, Some(&filter), Start::All, false, &about).await?;
    if reader.pending() == 0 {
        return Err(trouble::not_found(&about, None));
    }
    let mut out = Out::new();
    let mut table = Table::new(&[
        common::column_revision(),
        common::column_operation(),
        common::column_time(),
        common::column_value(),
    ]);
    reader
        .drain(session, |stored| {
            match Entry::of(bucket, &stored) {
                Some(entry) if as_json => out.json(&entry.json())?,
                Some(entry) => table.row([
                    entry.revision.to_string(),
                    entry.operation.words().to_owned(),
                    units::local(entry.time),
                    match entry.is_value() {
                        true => entry.words(),
                        false => String::new(),
                    },
                ]),
                None => {}
            }
            Ok(true)
        })
        .await?;
    if !as_json {
        table.show(&mut out)?;
    }
    out.flush()
}

/// `recado kv ls`.
#[derive(Debug, Args)]
pub(super) struct Ls {
    #[arg(value_name = common::value_bucket(), value_parser = names::bucket,
        add = completion::buckets(), help = common::bucket())]
    bucket: Option<String>,
}

impl Ls {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        if let Some(bucket) = &self.bucket {
            return keys(session, bucket, ">", as_json).await;
        }
        let buckets = with_prefix(session, entry::PREFIX).await?;
        let mut out = Out::new();
        if as_json {
            for (name, stream) in &buckets {
                out.json(&bucket::json(name, stream))?;
            }
            return out.flush();
        }
        if buckets.is_empty() {
            terminal::notice(text::none_yet());
            return Ok(());
        }
        let mut table = Table::new(&[
            common::column_name(),
            common::column_keys(),
            common::column_size(),
            common::column_history(),
            common::column_ttl(),
            common::column_last(),
            common::column_description(),
        ]);
        for (name, stream) in &buckets {
            table.row([
                name.clone(),
                amount::show(number(stream, "/state/messages")),
                amount::show_size(number(stream, "/state/bytes")),
                number(stream, "/config/max_msgs_per_subject").to_string(),
                units::nanos(stream, "/config/max_age", common::unlimited()),
                units::ago(words(stream, "/state/last_ts")),
                words(stream, "/config/description").to_owned(),
            ]);
        }
        table.show(&mut out)?;
        out.flush()
    }
}

/// `recado kv keys`.
#[derive(Debug, Args)]
pub(super) struct Keys {
    #[command(flatten)]
    named: Named,
    #[arg(value_name = text::value_keys(), default_value = ">", value_parser = names::keys,
        help = text::filter())]
    filter: String,
}

impl Keys {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        keys(session, &self.named.bucket, &self.filter, as_json).await
    }
}

async fn keys(
    session: &mut Session,
    bucket: &str,
    filter: &str,
    as_json: bool,
) -> Result<(), Failure> {
    let about = About::Bucket(bucket.to_owned());
    let filter = entry::subject(bucket, filter);
    let stream = entry::stream(bucket);
    let start = Start::LastPerSubject;
    let mut reader = Reader::open(session, &stream, Some(&filter), start, true, &about).await?;
    let mut found = Vec::new();
    reader
        .drain(session, |stored| {
            found.extend(Entry::of(bucket, &stored).filter(Entry::is_value));
            Ok(true)
        })
        .await?;
    found.sort_by(|a, b| a.key.cmp(&b.key));
    if found.is_empty() && !as_json {
        terminal::notice(text::no_keys());
    }
    let mut out = Out::new();
    for entry in found {
        match as_json {
            true => out.json(&json!({
                "bucket": bucket, "key": entry.key, "revision": entry.revision,
                "time": entry.time.to_string(),
            }))?,
            false => out.line(&harmless(&entry.key))?,
        }
    }
    out.flush()
}

/// `recado kv watch`.
#[derive(Debug, Args)]
pub(super) struct Watch {
    #[command(flatten)]
    named: Named,
    #[arg(value_name = text::value_keys(), default_value = ">", value_parser = names::keys,
        help = text::filter())]
    filter: String,
    #[arg(long, help = common::only_new())]
    new: bool,
    #[arg(long, conflicts_with = "new", help = text::with_history())]
    history: bool,
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
        let bucket = entry::bucket(&self.named.bucket);
        let filter = entry::subject(&bucket.name, &self.filter);
        let start = match (self.new, self.history) {
            (true, _) => Start::New,
            (_, true) => Start::All,
            _ => Start::LastPerSubject,
        };
        let each = |out: &mut Out, stored: &Stored| {
            let entry = Entry::of(&bucket.name, stored);
            if let Some(entry) = &entry {
                entry.show(out, as_json)?;
            }
            Ok(entry.is_some())
        };
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
