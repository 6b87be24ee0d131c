//! Streams in tables: all of them, those that are like this or that, and the subjects of one.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Named;
use super::show;
use crate::amount;
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::fields::{list, number, words};
use crate::jetstream::{api, units};
use crate::span;
use crate::subject;
use crate::table::Table;
use crate::terminal::{self, Out, harmless};
use crate::text::{help, jetstream as common, stream as text};

/// What the names of streams begin with that belong to buckets, or to other things than streams of people.
const OTHERS: [&str; 3] = ["KV_", "OBJ_", "$MQTT_"];

/// `recado stream ls`.
#[derive(Debug, Args)]
pub(super) struct Ls {
    #[arg(long, value_name = help::value_subject(), value_parser = subject::filter,
        help = text::ls_subject())]
    subject: Option<String>,
    #[arg(short, long, help = text::ls_all())]
    all: bool,
    #[arg(short, long, help = text::names())]
    names: bool,
}

impl Ls {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let listed = api::streams(session, self.subject.as_deref()).await?;
        let is_empty = listed.is_empty();
        let mut streams = listed.told();
        let found = streams.len();
        if !self.all {
            let name = |stream: &Value| words(stream, "/config/name").to_owned();
            streams.retain(|stream| !OTHERS.iter().any(|other| name(stream).starts_with(other)));
        }
        let hidden = found - streams.len();
        if is_empty && !as_json {
            terminal::notice(text::none_yet());
        }
        show_all(&streams, self.names, as_json)?;
        if hidden > 0 && !as_json {
            terminal::notice(&text::some_hidden(hidden));
        }
        Ok(())
    }
}

fn show_all(streams: &[Value], only_names: bool, as_json: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    if as_json || only_names {
        for stream in streams {
            match as_json {
                true => out.json(stream)?,
                false => out.line(&harmless(words(stream, "/config/name")))?,
            }
        }
        return out.flush();
    }
    if streams.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&[
        common::column_name(),
        common::column_subjects(),
        common::column_messages(),
        common::column_size(),
        common::column_consumers(),
        common::column_last(),
    ]);
    for stream in streams {
        table.row([
            words(stream, "/config/name").to_owned(),
            list(stream, "/config/subjects").join(", "),
            amount::show(number(stream, "/state/messages")),
            amount::show_size(number(stream, "/state/bytes")),
            number(stream, "/state/consumer_count").to_string(),
            units::ago(words(stream, "/state/last_ts")),
        ]);
    }
    table.show(&mut out)?;
    out.flush()
}

/// `recado stream report`.
pub(super) async fn report(session: &mut Session, as_json: bool) -> Result<(), Failure> {
    let streams = api::streams(session, None).await?.told();
    let mut out = Out::new();
    if as_json {
        for stream in &streams {
            out.json(stream)?;
        }
        return out.flush();
    }
    let mut table = Table::new(&[
        common::column_name(),
        common::column_storage(),
        common::column_messages(),
        common::column_size(),
        common::column_subjects(),
        common::column_consumers(),
        common::column_deleted(),
        common::column_lost(),
        common::column_last(),
    ]);
    for stream in &streams {
        table.row([
            words(stream, "/config/name").to_owned(),
            words(stream, "/config/storage").to_owned(),
            amount::show(number(stream, "/state/messages")),
            amount::show_size(number(stream, "/state/bytes")),
            amount::show(number(stream, "/state/num_subjects")),
            number(stream, "/state/consumer_count").to_string(),
            amount::show(number(stream, "/state/num_deleted")),
            amount::show(show::number_of_lost(stream)),
            units::ago(words(stream, "/state/last_ts")),
        ]);
    }
    table.show(&mut out)?;
    copies(&mut out, &streams)?;
    out.flush()
}

/// Who copies whom, and how far behind each is.
fn copies(out: &mut Out, streams: &[Value]) -> Result<(), Failure> {
    let mut table = Table::new(&[
        common::column_stream(),
        common::column_origin(),
        common::column_lag(),
        common::column_last(),
    ]);
    let mut any = false;
    for stream in streams {
        let mirror = stream.get("mirror").into_iter();
        let sources = stream.get("sources").and_then(Value::as_array);
        for origin in mirror.chain(sources.into_iter().flatten()) {
            any = true;
            let active = match origin["active"].as_i64() {
                Some(nanos @ 0..) => span::show(Duration::from_nanos(nanos.unsigned_abs())),
                _ => "–".to_owned(),
            };
            table.row([
                words(stream, "/config/name").to_owned(),
                words(origin, "/name").to_owned(),
                amount::show(number(origin, "/lag")),
                active,
            ]);
        }
    }
    if any {
        out.line("")?;
        table.show(out)?;
    }
    Ok(())
}

/// `recado stream find`.
#[derive(Debug, Args)]
pub(super) struct Find {
    #[arg(long, value_name = help::value_subject(), value_parser = subject::filter,
        help = text::find_subject())]
    subject: Option<String>,
    #[arg(long, help = text::find_empty())]
    empty: bool,
    #[arg(long, value_name = help::value_span(), value_parser = span::parse,
        help = text::find_idle())]
    idle: Option<Duration>,
    #[arg(long, help = text::find_no_consumers())]
    no_consumers: bool,
    #[arg(long, value_name = common::value_size(), value_parser = crate::amount::parse_size,
        help = text::find_larger())]
    larger: Option<usize>,
    #[arg(long, help = text::find_invert())]
    invert: bool,
    #[arg(short, long, help = text::names())]
    names: bool,
}

impl Find {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let mut streams = api::streams(session, None).await?.told();
        let keeping = match &self.subject {
            Some(subject) => Some(api::streams(session, Some(subject)).await?.entries),
            None => None,
        };
        streams.retain(|stream| self.holds(stream, keeping.as_deref()) != self.invert);
        if streams.is_empty() && !as_json {
            terminal::notice(text::find_none());
        }
        show_all(&streams, self.names, as_json)
    }

    fn holds(&self, stream: &Value, keeping: Option<&[Value]>) -> bool {
        let name = words(stream, "/config/name");
        let idle_since = || {
            let last = words(stream, "/state/last_ts").parse::<Timestamp>();
            let last = last.unwrap_or(Timestamp::UNIX_EPOCH);
            Duration::try_from(Timestamp::now().duration_since(last)).unwrap_or_default()
        };
        let keeps = keeping.is_none_or(|keeping| {
            let mut names = keeping.iter().map(|one| words(one, "/config/name"));
            names.any(|one| one == name)
        });
        keeps
            && (!self.empty || number(stream, "/state/messages") == 0)
            && (!self.no_consumers || number(stream, "/state/consumer_count") == 0)
            && self.idle.is_none_or(|least| idle_since() >= least)
            && self
                .larger
                .is_none_or(|least| number(stream, "/state/bytes") > least as u64)
    }
}

/// `recado stream subjects`.
#[derive(Debug, Args)]
pub(super) struct Subjects {
    #[command(flatten)]
    named: Named,
    #[arg(value_name = common::value_filter(), default_value = ">",
        value_parser = subject::filter, help = text::subjects_filter())]
    filter: String,
    #[arg(short, long, help = text::names())]
    names: bool,
}

impl Subjects {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let about = About::Stream(self.named.name.clone());
        let verb = format!("STREAM.INFO.{}", self.named.name);
        let mut found: Vec<(String, u64)> = Vec::new();
        loop {
            let body = json!({ "subjects_filter": self.filter, "offset": found.len() });
            let page = api::ask(session, &verb, &body, &about).await?;
            let subjects = page.pointer("/state/subjects").and_then(Value::as_object);
            let before = found.len();
            for (subject, count) in subjects.into_iter().flatten() {
                found.push((subject.clone(), count.as_u64().unwrap_or_default()));
            }
            let total = number(&page, "/total");
            if found.len() == before || found.len() as u64 >= total {
                break;
            }
        }
        found.sort();
        let mut out = Out::new();
        if as_json || self.names {
            for (subject, messages) in &found {
                match as_json {
                    true => out.json(&json!({ "subject": subject, "messages": messages }))?,
                    false => out.line(&harmless(subject))?,
                }
            }
            return out.flush();
        }
        let mut table = Table::new(&[common::column_subject(), common::column_messages()]);
        for (subject, messages) in found {
            table.row([subject, amount::show(messages)]);
        }
        table.show(&mut out)?;
        out.flush()
    }
}
