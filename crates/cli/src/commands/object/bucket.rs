//! Buckets of objects themselves: made, changed, sealed and removed.

use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use super::Bucket;
use super::{meta, show};
use crate::amount;
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::consent::Consent;
use crate::jetstream::editing::{self, Editing};
use crate::jetstream::{api, fields, report, units};
use crate::span;
use crate::terminal;
use crate::text::{help, jetstream as common, object as text};

/// How a bucket is set up. What none of the options says is left as it is, or to the server.
#[derive(Debug, Args)]
struct Shape {
    #[arg(long, value_name = help::value_span(), value_parser = span::parse, help = text::ttl())]
    ttl: Option<Duration>,
    #[arg(long, value_name = common::value_size(), value_parser = amount::parse_size,
        help = text::max_bytes())]
    max_bytes: Option<usize>,
    #[arg(long, value_name = help::value_text(), help = common::description())]
    description: Option<String>,
    #[arg(long, value_name = "N", value_parser = crate::commands::positive,
        help = common::replicas())]
    replicas: Option<u64>,
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", help = text::compress())]
    compress: Option<bool>,
    #[arg(long, value_name = common::value_pair(), value_parser = fields::pair,
        help = common::metadata())]
    metadata: Vec<(String, String)>,
}

impl Shape {
    fn apply(&self, config: &mut Map<String, Value>) {
        let mut put = |field, value| fields::put(config, field, value);
        let compression = |compress| if compress { "s2" } else { "none" };
        let none_or = |size: usize| match size {
            0 => Value::from(-1),
            size => Value::from(size),
        };
        put("max_age", self.ttl.map(units::as_nanos));
        put("max_bytes", self.max_bytes.map(none_or));
        put("description", self.description.as_deref().map(Value::from));
        put("num_replicas", self.replicas.map(Value::from));
        put(
            "compression",
            self.compress.map(compression).map(Value::from),
        );
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
        let about = About::Store(bucket.clone());
        let name = meta::stream(bucket);
        let mut config = Map::new();
        for (field, value) in [
            ("name", json!(name)),
            (
                "subjects",
                json!([meta::pieces(bucket, ">"), meta::all(bucket)]),
            ),
            ("discard", json!("new")),
            ("allow_rollup_hdrs", json!(true)),
            ("allow_direct", json!(true)),
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
        show::bucket(bucket, &info, as_json)
    }
}

/// A bucket's stream.
pub(super) async fn stream_of(session: &mut Session, bucket: &str) -> Result<Value, Failure> {
    let about = About::Store(bucket.to_owned());
    api::stream_about(session, &meta::stream(bucket), &about).await
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
        let bucket = &self.of.bucket;
        let about = About::Store(bucket.clone());
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
        let verb = format!("STREAM.UPDATE.{}", meta::stream(bucket));
        let info = api::ask(session, &verb, &after.into(), &about).await?;
        match as_json {
            true => show::bucket(bucket, &info, true),
            false => editing::tell_done(&about),
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
        let bucket = &self.of.bucket;
        let about = About::Store(bucket.clone());
        let info = stream_of(session, bucket).await?;
        self.consent.ask(&text::seal_question(bucket)).await?;
        let mut config = fields::own(&info["config"]);
        config.insert("sealed".into(), true.into());
        let verb = format!("STREAM.UPDATE.{}", meta::stream(bucket));
        api::ask(session, &verb, &config.into(), &about).await?;
        report::tell(&text::sealed(bucket), &json!({ "sealed": bucket }), as_json)
    }

    pub(super) async fn remove(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let bucket = &self.of.bucket;
        let about = About::Store(bucket.clone());
        let info = stream_of(session, bucket).await?;
        let size = amount::show_size(fields::number(&info, "/state/bytes"));
        self.consent.ask(&text::rm_question(bucket, &size)).await?;
        let verb = format!("STREAM.DELETE.{}", meta::stream(bucket));
        api::ask(session, &verb, &Value::Null, &about).await?;
        let object = json!({ "removed": bucket });
        report::tell(&common::removed(&about.words()), &object, as_json)
    }
}
