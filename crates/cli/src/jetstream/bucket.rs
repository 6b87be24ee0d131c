//! Buckets, whether of keys or of objects: each is a stream of a certain form. What can be done with any of
//! them is here; the form, and what lies in them, is up to the commands.

use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use super::about::About;
use super::consent::Consent;
use super::editing::{self, Editing};
use super::reader::{Ended, Reader, Start};
use super::stored::Stored;
use super::{api, fields, report};
use crate::connect::Session;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::terminal::{self, Out};
use crate::text::{help, jetstream as text};

/// A bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// The stream that it is.
    pub(crate) stream: String,
    /// What it is called when something goes wrong.
    pub(crate) about: About,
}

impl Bucket {
    /// How it is set up, and what it holds.
    pub(crate) async fn info(&self, session: &mut Session) -> Result<Value, Failure> {
        api::stream_about(session, &self.stream, &self.about).await
    }

    /// Makes it.
    pub(crate) async fn add(
        &self,
        session: &mut Session,
        mut config: Map<String, Value>,
        as_json: bool,
    ) -> Result<Value, Failure> {
        config.insert("name".into(), self.stream.as_str().into());
        let verb = format!("STREAM.CREATE.{}", self.stream);
        let info = api::ask(session, &verb, &config.into(), &self.about).await?;
        if !as_json {
            terminal::notice(&text::made(&self.about.words()));
        }
        Ok(info)
    }

    /// Changes it as `apply` changes its configuration, if that is agreed to; how it is then, if that is
    /// still to be shown.
    pub(crate) async fn edit(
        &self,
        session: &mut Session,
        editing: &Editing,
        apply: impl Fn(&mut Map<String, Value>),
        as_json: bool,
    ) -> Result<Option<Value>, Failure> {
        let mut said = Map::new();
        apply(&mut said);
        if said.is_empty() {
            return Err(editing::nothing_said());
        }
        let info = self.info(session).await?;
        let agreed = editing.agreed(&self.about, &info, apply, as_json).await?;
        let Some(after) = agreed else {
            return Ok(None);
        };
        let info = self.update(session, after).await?;
        if as_json {
            return Ok(Some(info));
        }
        editing::tell_done(&self.about)?;
        Ok(None)
    }

    /// Gives it another configuration.
    pub(crate) async fn update(
        &self,
        session: &mut Session,
        config: Map<String, Value>,
    ) -> Result<Value, Failure> {
        let verb = format!("STREAM.UPDATE.{}", self.stream);
        api::ask(session, &verb, &config.into(), &self.about).await
    }

    /// Removes it, if that is agreed to.
    pub(crate) async fn remove(
        &self,
        session: &mut Session,
        consent: &Consent,
        question: &str,
        as_json: bool,
    ) -> Result<(), Failure> {
        consent.ask(question).await?;
        let verb = format!("STREAM.DELETE.{}", self.stream);
        api::ask(session, &verb, &Value::Null, &self.about).await?;
        let object = json!({ "removed": self.name });
        report::tell(&text::removed(&self.about.words()), &object, as_json)
    }

    /// Shows what is stored in it as it comes, until so many were shown, nothing came for as long as
    /// `silence`, or the person has seen enough; the silence, if that was too early. `show` writes one, and
    /// returns whether it counts.
    pub(crate) async fn watch(
        &self,
        session: &mut Session,
        filter: &str,
        start: Start,
        count: Option<u64>,
        silence: Option<Duration>,
        mut show: impl FnMut(&mut Out, &Stored) -> Result<bool, Failure>,
    ) -> Result<Option<Duration>, Failure> {
        let (stream, about) = (&self.stream, &self.about);
        let mut reader = Reader::open(session, stream, Some(filter), start, false, about).await?;
        let mut interrupt = Interrupt::new()?;
        terminal::notice(&text::watching(&self.name));
        let mut out = Out::new();
        let mut shown = 0;
        let ended = reader.follow(session, &mut interrupt, &mut out, silence, |out, stored| {
            shown += u64::from(show(out, &stored)?);
            Ok(count.is_none_or(|count| shown < count))
        });
        match ended.await? {
            Ended::Silence(limit) if count.is_some() || shown == 0 => Ok(Some(limit)),
            Ended::Enough | Ended::Asked | Ended::Silence(_) => Ok(None),
        }
    }
}

/// The buckets whose streams' names begin with `prefix`, by name, each with the answer that describes its stream.
pub(crate) async fn with_prefix(
    session: &mut Session,
    prefix: &str,
) -> Result<Vec<(String, Value)>, Failure> {
    let streams = api::streams(session, None).await?;
    let streams = streams.told_of(|name| name.starts_with(prefix));
    let named = streams.into_iter().filter_map(|stream| {
        let name = fields::words(&stream, "/config/name").strip_prefix(prefix)?;
        Some((name.to_owned(), stream))
    });
    Ok(named.collect())
}

/// The options of both that mean the same in both.
#[derive(Debug, Args)]
pub(crate) struct Keeping {
    #[arg(long, value_name = help::value_text(), help = text::description())]
    description: Option<String>,
    #[arg(long, value_name = "N", value_parser = crate::commands::positive,
        help = text::replicas())]
    replicas: Option<u64>,
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", help = text::compress())]
    compress: Option<bool>,
}

impl Keeping {
    /// Puts what they say into a configuration.
    pub(crate) fn apply(&self, config: &mut Map<String, Value>) {
        let mut put = |field, value| fields::put(config, field, value);
        let compression = |compress| if compress { "s2" } else { "none" };
        let compression = self.compress.map(compression);
        put("description", self.description.as_deref().map(Value::from));
        put("num_replicas", self.replicas.map(Value::from));
        put("compression", compression.map(Value::from));
    }
}
