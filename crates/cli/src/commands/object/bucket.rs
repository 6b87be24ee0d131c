//! Buckets of objects themselves: made, changed, sealed and removed.

use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use super::Bucket;
use super::{meta, show};
use crate::amount;
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::bucket::Keeping;
use crate::jetstream::consent::Consent;
use crate::jetstream::editing::Editing;
use crate::jetstream::{fields, report, units};
use crate::span;
use crate::text::{help, jetstream as common, object as text};

/// How a bucket is set up. What none of the options says is left as it is, or to the server.
#[derive(Debug, Args)]
struct Shape {
    #[arg(long, value_name = help::value_span(), value_parser = span::parse, help = text::ttl())]
    ttl: Option<Duration>,
    #[arg(long, value_name = common::value_size(), value_parser = amount::parse_size,
        help = text::max_bytes())]
    max_bytes: Option<usize>,
    #[command(flatten)]
    keeping: Keeping,
    #[arg(long, value_name = common::value_pair(), value_parser = fields::pair,
        help = common::metadata())]
    metadata: Vec<(String, String)>,
}

impl Shape {
    fn apply(&self, config: &mut Map<String, Value>) {
        let mut put = |field, value| fields::put(config, field, value);
        put("max_age", self.ttl.map(units::as_nanos));
        put("max_bytes", self.max_bytes.map(units::as_limit));
        self.keeping.apply(config);
        fields::add_metadata(config, &self.metadata);
    }
}

/// `recado object add`.
#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    of: Bucket,
    #[arg(long, value_name = "file|memory", value_parser = ["file", "memory"],
        help = common::storage())]
    storage: Option<String>,
    #[command(flatten)]
    shape: Shape,
}

impl Add {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let bucket = &self.of.bucket;
        let subjects = [meta::pieces(bucket, ">"), meta::all(bucket)];
        let mut config = fields::object([
            ("subjects", json!(subjects)),
            ("discard", "new".into()),
            ("allow_rollup_hdrs", true.into()),
            ("allow_direct", true.into()),
        ]);
        let storage = self.storage.as_deref();
        fields::put(&mut config, "storage", storage.map(Value::from));
        self.shape.apply(&mut config);
        let info = meta::bucket(bucket).add(session, config, as_json).await?;
        show::bucket(bucket, &info, as_json)
    }
}

/// `recado object edit`.
#[derive(Debug, Args)]
pub(super) struct Edit {
    #[command(flatten)]
    of: Bucket,
    #[command(flatten)]
    shape: Shape,
    #[command(flatten)]
    editing: Editing,
}

impl Edit {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let bucket = meta::bucket(&self.of.bucket);
        let apply = |config: &mut Map<String, Value>| self.shape.apply(config);
        let edited = bucket.edit(session, &self.editing, apply, as_json);
        match edited.await? {
            Some(info) => show::bucket(&bucket.name, &info, as_json),
            None => Ok(()),
        }
    }
}

/// `recado object seal` and `recado object rm`.
#[derive(Debug, Args)]
pub(super) struct Change {
    #[command(flatten)]
    of: Bucket,
    #[command(flatten)]
    consent: Consent,
}

impl Change {
    pub(super) async fn seal(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let bucket = meta::bucket(&self.of.bucket);
        let info = bucket.info(session).await?;
        self.consent.ask(&text::seal_question(&bucket.name)).await?;
        let mut config = fields::own(&info["config"]);
        config.insert("sealed".into(), true.into());
        bucket.update(session, config).await?;
        let object = json!({ "sealed": bucket.name });
        report::tell(&text::sealed(&bucket.name), &object, as_json)
    }

    pub(super) async fn remove(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let bucket = meta::bucket(&self.of.bucket);
        let info = bucket.info(session).await?;
        let size = amount::show_size(fields::number(&info, "/state/bytes"));
        let question = text::rm_question(&bucket.name, &size);
        bucket
            .remove(session, &self.consent, &question, as_json)
            .await
    }
}
