//! Consumers made, changed, paused and removed.

use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use super::Named;
use super::shape::{self, Shape};
use super::show;
use crate::completion;
use crate::connect::Session;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::jetstream::about::About;
use crate::jetstream::consent::Consent;
use crate::jetstream::editing::{self, Editing};
use crate::jetstream::fields::words;
use crate::jetstream::{api, fields, names, report, trouble, units};
use crate::prompt;
use crate::span;
use crate::subject;
use crate::terminal;
use crate::text::{consumer as text, help, jetstream as common};
use crate::unique;

/// `recado consumer add`.
#[derive(Debug, Args)]
pub(super) struct Add {
    #[arg(value_name = common::value_stream(), value_parser = names::name,
        add = completion::streams(), help = common::stream())]
    stream: String,
    #[arg(value_name = common::value_consumer(), value_parser = names::name,
        help = common::consumer())]
    name: Option<String>,
    #[arg(long, help = text::ephemeral())]
    ephemeral: bool,
    #[command(flatten)]
    shape: Shape,
}

impl Add {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let mut config = fields::object([
            ("ack_policy", "explicit".into()),
            ("deliver_policy", "all".into()),
            ("replay_policy", "instant".into()),
        ]);
        let file = self.shape.file()?;
        let in_file = file.get("name").or(file.get("durable_name"));
        let mut name = self.name.as_deref().or(in_file.and_then(Value::as_str));
        let mut is_ephemeral = self.ephemeral;
        let told;
        if name.is_none() && !is_ephemeral {
            if !prompt::possible() || as_json {
                return Err(Failure::Usage {
                    what: text::name_needed().to_owned(),
                    next: text::name_needed_next().to_owned(),
                });
            }
            told = ask_name().await?;
            name = told.as_deref();
            is_ephemeral = name.is_none();
            if self.shape.is_silent(&file) {
                interview(&mut config).await?;
            }
        }
        self.shape.apply(&file, &mut config);
        let name = match name {
            Some(name) => name.to_owned(),
            None => format!("recado-{}", unique::token()),
        };
        create(session, &self.stream, &name, config, is_ephemeral, as_json).await
    }
}

/// Asks a person for a name; none for one that is not kept.
async fn ask_name() -> Result<Option<String>, Failure> {
    let mut interrupt = Interrupt::new()?;
    let name = prompt::open(text::ask_name(), &mut interrupt).await?;
    match name.trim() {
        "" => Ok(None),
        name => names::name(name).map(Some).map_err(misunderstood),
    }
}

/// Asks a person for what matters most; Enter takes what stands in brackets.
async fn interview(config: &mut Map<String, Value>) -> Result<(), Failure> {
    let mut interrupt = Interrupt::new()?;
    let filter = prompt::open(text::ask_filter(), &mut interrupt).await?;
    if !filter.trim().is_empty() {
        let filter = subject::filter(filter.trim()).map_err(misunderstood)?;
        config.insert("filter_subject".into(), filter.into());
    }
    let begin = prompt::open(text::ask_deliver(), &mut interrupt).await?;
    if !begin.trim().is_empty() {
        let begin = shape::start(begin.trim()).map_err(misunderstood)?;
        if let Value::Object(begin) = begin.json() {
            config.extend(begin);
        }
    }
    let ack = prompt::open(text::ask_ack(), &mut interrupt).await?;
    if !ack.trim().is_empty() {
        config.insert("ack_policy".into(), ack.trim().into());
    }
    let times = prompt::open(text::ask_max_deliver(), &mut interrupt).await?;
    if !times.trim().is_empty() {
        let number = times.trim().parse::<u32>().ok().filter(|times| *times > 0);
        let number = number.ok_or_else(|| misunderstood(text::bad_max_deliver(times.trim())))?;
        config.insert("max_deliver".into(), number.into());
    }
    Ok(())
}

fn misunderstood(what: String) -> Failure {
    Failure::Usage {
        what,
        next: crate::text::usage::see_help_of("consumer add"),
    }
}

/// Makes a consumer and shows it; one of that name that is set up otherwise is not touched.
async fn create(
    session: &mut Session,
    stream: &str,
    name: &str,
    mut config: Map<String, Value>,
    is_ephemeral: bool,
    as_json: bool,
) -> Result<(), Failure> {
    config.insert("name".into(), name.into());
    match is_ephemeral {
        true => config.remove("durable_name"),
        false => config.insert("durable_name".into(), name.into()),
    };
    let about = About::Consumer(stream.to_owned(), name.to_owned());
    let info = api::put_consumer(session, stream, name, config, "create").await?;
    if !as_json {
        terminal::notice(&common::made(&about.words()));
    }
    show::one(&info, as_json)
}

/// `recado consumer edit`.
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
        let file = self.shape.file()?;
        if self.shape.is_silent(&file) {
            return Err(editing::nothing_said());
        }
        let Named { stream, name } = &self.named;
        let about = About::Consumer(stream.clone(), name.clone());
        let info = api::consumer(session, stream, name).await?;
        let apply = |config: &mut Map<String, Value>| {
            self.shape.apply(&file, config);
            // The file may be that of another consumer.
            for field in ["name", "durable_name"] {
                match info["config"].get(field) {
                    Some(name) => config.insert(field.to_owned(), name.clone()),
                    None => config.remove(field),
                };
            }
        };
        let agreed = self.editing.agreed(&about, &info, apply, as_json).await?;
        let Some(after) = agreed else {
            return Ok(());
        };
        let info = api::put_consumer(session, stream, name, after, "update").await?;
        match as_json {
            true => show::one(&info, true),
            false => editing::tell_done(&about),
        }
    }
}

/// `recado consumer copy`.
#[derive(Debug, Args)]
pub(super) struct Copy {
    #[arg(value_name = common::value_stream(), value_parser = names::name,
        add = completion::streams(), help = common::stream())]
    stream: String,
    #[arg(value_name = text::value_source(), value_parser = names::name,
        help = common::consumer())]
    source: String,
    #[arg(value_name = common::value_consumer(), value_parser = names::name,
        help = common::consumer())]
    name: String,
    #[command(flatten)]
    shape: Shape,
}

impl Copy {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let info = api::consumer(session, &self.stream, &self.source).await?;
        let mut config = fields::own(&info["config"]);
        config.remove("pause_until");
        let is_ephemeral = !config.contains_key("durable_name");
        self.shape.apply(&self.shape.file()?, &mut config);
        create(
            session,
            &self.stream,
            &self.name,
            config,
            is_ephemeral,
            as_json,
        )
        .await
    }
}

/// `recado consumer rm`.
#[derive(Debug, Args)]
pub(super) struct Remove {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    consent: Consent,
}

impl Remove {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let Named { stream, name } = &self.named;
        let about = About::Consumer(stream.clone(), name.clone());
        match api::consumer(session, stream, name).await {
            Err(failure) if !trouble::is_offline(&failure) => return Err(failure),
            Ok(_) | Err(_) => {}
        }
        self.consent.ask(&text::rm_question(stream, name)).await?;
        let verb = format!("CONSUMER.DELETE.{stream}.{name}");
        api::ask(session, &verb, &Value::Null, &about).await?;
        let object = json!({ "stream": stream, "removed": name });
        report::tell(&common::removed(&about.words()), &object, as_json)
    }
}

/// `recado consumer pause`.
#[derive(Debug, Args)]
pub(super) struct Pause {
    #[command(flatten)]
    named: Named,
    #[arg(value_name = help::value_span(), value_parser = span::parse,
        help = text::pause_span())]
    span: Duration,
    #[command(flatten)]
    consent: Consent,
}

impl Pause {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let Named { stream, name } = &self.named;
        api::consumer(session, stream, name).await?;
        let question = text::pause_question(name, &span::show(self.span));
        self.consent.ask(&question).await?;
        let until = units::after_now(self.span);
        let answer = pause(session, &self.named, &json!({ "pause_until": until })).await?;
        let until = units::moment(words(&answer, "/pause_until"));
        report::tell(&text::paused(name, &until), &answer, as_json)
    }
}

/// `recado consumer resume`.
pub(super) async fn resume(
    session: &mut Session,
    named: &Named,
    as_json: bool,
) -> Result<(), Failure> {
    let answer = pause(session, named, &json!({})).await?;
    report::tell(&text::resumed(&named.name), &answer, as_json)
}

async fn pause(session: &mut Session, named: &Named, body: &Value) -> Result<Value, Failure> {
    let Named { stream, name } = named;
    let about = About::Consumer(stream.clone(), name.clone());
    let verb = format!("CONSUMER.PAUSE.{stream}.{name}");
    api::ask(session, &verb, body, &about).await
}
