//! Streams made, changed and removed.

use clap::Args;
use serde_json::{Map, Value, json};

use super::Named;
use super::shape::{DEAD_LETTER, Shape};
use super::show;
use crate::amount;
use crate::completion;
use crate::connect::Session;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::jetstream::about::About;
use crate::jetstream::consent::Consent;
use crate::jetstream::editing::{self, Editing};
use crate::jetstream::{api, fields, names, report, trouble, units};
use crate::prompt;
use crate::subject;
use crate::terminal;
use crate::text::{jetstream as common, stream as text};

/// `recado stream add`.
#[derive(Debug, Args)]
pub(super) struct Add {
    #[arg(value_name = common::value_stream(), value_parser = names::name,
        help = common::stream())]
    name: String,
    #[command(flatten)]
    shape: Shape,
}

impl Add {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let mut config = Map::new();
        config.insert("allow_direct".into(), true.into());
        let file = self.shape.file()?;
        if self.shape.is_silent(&file) && prompt::possible() && !as_json {
            interview(&self.name, &mut config).await?;
        }
        self.shape.apply(&file, &mut config);
        config.insert("name".into(), self.name.as_str().into());
        create(session, &self.name, config, as_json).await
    }
}

/// Makes a stream and shows it.
async fn create(
    session: &mut Session,
    name: &str,
    config: Map<String, Value>,
    as_json: bool,
) -> Result<(), Failure> {
    let about = About::Stream(name.to_owned());
    let verb = format!("STREAM.CREATE.{name}");
    provide_for_dead_letters(session, name, &config).await?;
    let info = api::ask(session, &verb, &config.into(), &about).await?;
    if !as_json {
        terminal::notice(&common::made(&about.words()));
    }
    show::one(&info, as_json)
}

/// Asks a person for what matters most; Enter takes what stands in brackets.
async fn interview(name: &str, config: &mut Map<String, Value>) -> Result<(), Failure> {
    let mut interrupt = Interrupt::new()?;
    let usage = |what: String| Failure::Usage {
        what,
        next: crate::text::usage::see_help_of("stream add"),
    };
    let subjects = prompt::open(&text::ask_subjects(name), &mut interrupt).await?;
    if !subjects.trim().is_empty() {
        let parts = subjects.split(',').map(|part| subject::filter(part.trim()));
        let subjects: Result<Vec<String>, String> = parts.collect();
        config.insert("subjects".into(), json!(subjects.map_err(usage)?));
    }
    for (field, question) in [
        ("storage", text::ask_storage()),
        ("retention", text::ask_retention()),
    ] {
        let answer = prompt::open(question, &mut interrupt).await?;
        if !answer.trim().is_empty() {
            config.insert(field.into(), answer.trim().into());
        }
    }
    let age = prompt::open(text::ask_max_age(), &mut interrupt).await?;
    if !age.trim().is_empty() {
        let age = crate::span::parse(&age).map_err(usage)?;
        config.insert("max_age".into(), units::as_nanos(age));
    }
    let bytes = prompt::open(text::ask_max_bytes(), &mut interrupt).await?;
    if !bytes.trim().is_empty() {
        let bytes = amount::parse_size(&bytes).map_err(usage)?;
        config.insert("max_bytes".into(), bytes.into());
    }
    Ok(())
}

/// Sees to it that the stream for dead letters is there, if one is named, and takes those of this one.
async fn provide_for_dead_letters(
    session: &mut Session,
    name: &str,
    config: &Map<String, Value>,
) -> Result<(), Failure> {
    let metadata = config.get("metadata");
    let dead = metadata.and_then(|metadata| metadata.get(DEAD_LETTER)?.as_str());
    let Some(dead) = dead else {
        return Ok(());
    };
    // Whatever came with --config or --metadata has not been checked yet.
    names::name(dead).map_err(|what| Failure::Usage {
        what,
        next: crate::text::usage::see_help_of("stream add"),
    })?;
    let about = About::Stream(dead.to_owned());
    let wanted = format!("DLQ.{name}.>");
    let found = api::stream(session, dead).await;
    if matches!(&found, Err(failure) if failure.status() == crate::exit::Status::NotFound) {
        let config = json!({ "name": dead, "subjects": [wanted], "allow_direct": true });
        api::ask(session, &format!("STREAM.CREATE.{dead}"), &config, &about).await?;
        terminal::notice(&text::made_dead_letter(dead));
        return Ok(());
    }
    let found = found?;
    let subjects = fields::list(&found, "/config/subjects");
    if subjects.iter().any(|held| subject::covers(held, &wanted)) {
        return Ok(());
    }
    let subjects: Vec<&str> = subjects.into_iter().chain([wanted.as_str()]).collect();
    let mut config = fields::own(&found["config"]);
    config.insert("subjects".into(), json!(subjects));
    let verb = format!("STREAM.UPDATE.{dead}");
    api::ask(session, &verb, &config.into(), &about).await?;
    Ok(())
}

/// `recado stream edit`.
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
        let about = About::Stream(self.named.name.clone());
        let info = api::stream(session, &self.named.name).await?;
        let apply = |config: &mut Map<String, Value>| {
            self.shape.apply(&file, config);
            // The file may be that of another stream.
            config.insert("name".into(), self.named.name.as_str().into());
        };
        let agreed = self.editing.agreed(&about, &info, apply, as_json).await?;
        let Some(after) = agreed else {
            return Ok(());
        };
        provide_for_dead_letters(session, &self.named.name, &after).await?;
        let verb = format!("STREAM.UPDATE.{}", self.named.name);
        let info = api::ask(session, &verb, &after.into(), &about).await?;
        match as_json {
            true => show::one(&info, true),
            false => editing::tell_done(&about),
        }
    }
}

/// `recado stream copy`.
#[derive(Debug, Args)]
pub(super) struct Copy {
    #[arg(value_name = text::value_source(), value_parser = names::name,
        add = completion::streams(), help = common::stream())]
    original: String,
    #[arg(value_name = common::value_stream(), value_parser = names::name,
        help = common::stream())]
    name: String,
    #[command(flatten)]
    shape: Shape,
}

impl Copy {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let source = api::stream(session, &self.original).await?;
        let mut config = fields::own(&source["config"]);
        // Two streams can't have the same subjects; the copy's are its own, or its name.
        config.remove("subjects");
        config.remove("sealed");
        self.shape.apply(&self.shape.file()?, &mut config);
        config.insert("name".into(), self.name.as_str().into());
        create(session, &self.name, config, as_json).await
    }
}

/// `recado stream rm`.
#[derive(Debug, Args)]
pub(super) struct Remove {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    consent: Consent,
}

impl Remove {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let about = About::Stream(self.named.name.clone());
        let messages = match api::stream(session, &self.named.name).await {
            Ok(info) => Some(fields::number(&info, "/state/messages")),
            Err(failure) if trouble::is_offline(&failure) => None,
            Err(failure) => return Err(failure),
        };
        let question = match messages {
            Some(messages) => text::rm_question(&self.named.name, &amount::show(messages)),
            None => text::rm_offline_question(&self.named.name),
        };
        self.consent.ask(&question).await?;
        let verb = format!("STREAM.DELETE.{}", self.named.name);
        api::ask(session, &verb, &Value::Null, &about).await?;
        let object = json!({ "removed": self.named.name, "messages": messages });
        report::tell(&common::removed(&about.words()), &object, as_json)
    }
}

/// `recado stream purge`.
#[derive(Debug, Args)]
pub(super) struct Purge {
    #[command(flatten)]
    named: Named,
    #[arg(long, value_name = common::value_filter(), value_parser = subject::filter,
        help = text::purge_subject())]
    subject: Option<String>,
    #[arg(long, alias = "seq", value_name = text::value_sequence(), conflicts_with = "keep",
        value_parser = crate::commands::positive, help = text::purge_before())]
    before: Option<u64>,
    #[arg(long, value_name = "N", value_parser = crate::commands::count,
        help = text::purge_keep())]
    keep: Option<u64>,
    #[command(flatten)]
    consent: Consent,
}

impl Purge {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let about = About::Stream(self.named.name.clone());
        api::stream(session, &self.named.name).await?;
        let question = text::purge_question(&self.named.name);
        self.consent.ask(&question).await?;
        let mut body = Map::new();
        if let Some(subject) = &self.subject {
            body.insert("filter".into(), subject.as_str().into());
        }
        for (field, number) in [("seq", self.before), ("keep", self.keep)] {
            if let Some(number) = number {
                body.insert(field.into(), number.into());
            }
        }
        let verb = format!("STREAM.PURGE.{}", self.named.name);
        let answer = api::ask(session, &verb, &body.into(), &about).await?;
        let purged = fields::number(&answer, "/purged");
        let words = text::purged(&self.named.name, &amount::show(purged));
        report::tell(
            &words,
            &json!({ "stream": self.named.name, "purged": purged }),
            as_json,
        )
    }
}

/// `recado stream seal`.
#[derive(Debug, Args)]
pub(super) struct Seal {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    consent: Consent,
}

impl Seal {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let about = About::Stream(self.named.name.clone());
        let info = api::stream(session, &self.named.name).await?;
        let question = text::seal_question(&self.named.name);
        self.consent.ask(&question).await?;
        let mut config = fields::own(&info["config"]);
        config.insert("sealed".into(), true.into());
        let verb = format!("STREAM.UPDATE.{}", self.named.name);
        api::ask(session, &verb, &config.into(), &about).await?;
        let object = json!({ "sealed": self.named.name });
        report::tell(&text::sealed(&self.named.name), &object, as_json)
    }
}
