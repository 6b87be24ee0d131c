//! Consumers as they are shown: one with all that is known about it, several in a table.

use clap::Args;
use serde_json::Value;

use super::Named;
use crate::amount;
use crate::completion;
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::fields::{flag, list, number, words};
use crate::jetstream::{api, names, report, units};
use crate::table::Table;
use crate::terminal::{self, Out, harmless};
use crate::text::{consumer as text, jetstream as common, stream as stream_text};

/// `recado consumer info`.
pub(super) async fn info(
    session: &mut Session,
    named: &Named,
    as_json: bool,
) -> Result<(), Failure> {
    let info = api::consumer(session, &named.stream, &named.name).await?;
    one(&info, as_json)
}

/// A consumer, from an answer that describes it.
pub(super) fn one(info: &Value, as_json: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    if as_json {
        out.json(info)?;
        return out.flush();
    }
    let at = |pointer: &str| words(info, pointer);
    let some = |pointer: &str| match number(info, pointer) {
        0 => String::new(),
        number => amount::show(number),
    };
    let paused = match flag(info, "/paused") {
        true => units::moment(at("/config/pause_until")),
        false => String::new(),
    };
    let delivered = match number(info, "/delivered/consumer_seq") {
        0 => "0".to_owned(),
        deliveries => text::reached(
            deliveries,
            number(info, "/delivered/stream_seq"),
            &units::ago(at("/delivered/last_active")),
        ),
    };
    let most = units::limit(info, "/config/max_deliver");
    let wait = units::nanos(info, "/config/ack_wait", "–");
    let facts = [
        (
            stream_text::fact_description(),
            at("/config/description").to_owned(),
        ),
        (text::fact_kind(), kind(info)),
        (text::fact_filter(), filters(info)),
        (text::fact_created(), units::moment(at("/created"))),
        (text::fact_deliver(), beginning(info)),
        (
            text::fact_ack(),
            text::acked(at("/config/ack_policy"), &wait, &most),
        ),
        (
            text::fact_limits(),
            text::at_most(
                &units::limit(info, "/config/max_ack_pending"),
                &units::limit(info, "/config/max_waiting"),
            ),
        ),
        (
            text::fact_inactive(),
            units::nanos(info, "/config/inactive_threshold", ""),
        ),
        (text::fact_paused(), paused),
        (text::fact_delivered(), delivered),
        (
            text::fact_floor(),
            text::floor(number(info, "/ack_floor/stream_seq")),
        ),
        (
            text::fact_pending(),
            amount::show(number(info, "/num_pending")),
        ),
        (text::fact_unacked(), some("/num_ack_pending")),
        (text::fact_redelivered(), some("/num_redelivered")),
        (text::fact_waiting(), some("/num_waiting")),
    ];
    let title = format!("{}/{}", at("/stream_name"), at("/name"));
    report::facts(&mut out, &title, &facts)?;
    out.flush()
}

fn kind(info: &Value) -> String {
    let subject = words(info, "/config/deliver_subject");
    let lasts = match words(info, "/config/durable_name") {
        "" => text::passing(),
        _ => text::durable(),
    };
    match subject {
        "" => format!("{}, {lasts}", text::pull()),
        subject => format!("{} → {subject}, {lasts}", text::push()),
    }
}

fn filters(info: &Value) -> String {
    match words(info, "/config/filter_subject") {
        "" => list(info, "/config/filter_subjects").join(", "),
        one => one.to_owned(),
    }
}

fn beginning(info: &Value) -> String {
    let policy = words(info, "/config/deliver_policy");
    match policy {
        "by_start_sequence" => format!("#{}", number(info, "/config/opt_start_seq")),
        "by_start_time" => units::moment(words(info, "/config/opt_start_time")),
        _ => policy.to_owned(),
    }
}

/// `recado consumer ls`.
#[derive(Debug, Args)]
pub(super) struct Ls {
    #[arg(value_name = common::value_stream(), value_parser = names::name,
        add = completion::streams(), help = common::stream())]
    stream: String,
    #[arg(short, long, help = stream_text::names())]
    names: bool,
}

impl Ls {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let listed = api::consumers(session, &self.stream).await?;
        if listed.is_empty() && !as_json {
            terminal::notice(&text::none_yet(&self.stream));
            return Ok(());
        }
        let consumers = listed.told();
        if consumers.is_empty() {
            return Ok(());
        }
        let mut out = Out::new();
        if self.names && !as_json {
            for consumer in &consumers {
                out.line(&harmless(words(consumer, "/name")))?;
            }
            return out.flush();
        }
        table(&mut out, &consumers, as_json)?;
        out.flush()
    }
}

/// `recado consumer report`.
#[derive(Debug, Args)]
pub(super) struct Report {
    #[arg(value_name = common::value_stream(), value_parser = names::name,
        add = completion::streams(), help = common::stream())]
    stream: Option<String>,
}

impl Report {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let all = consumers_of(session, self.stream.as_deref()).await?;
        let mut out = Out::new();
        table(&mut out, &all, as_json)?;
        out.flush()
    }
}

/// The consumers of a stream, or of all streams, after the user was told what is not among them.
pub(super) async fn consumers_of(
    session: &mut Session,
    stream: Option<&str>,
) -> Result<Vec<Value>, Failure> {
    let streams = match stream {
        Some(stream) => vec![stream.to_owned()],
        None => {
            let streams = api::streams(session, None).await?.told();
            let name = |stream: &Value| words(stream, "/config/name").to_owned();
            streams.iter().map(name).collect()
        }
    };
    let mut all = Vec::new();
    for stream in streams {
        all.extend(api::consumers(session, &stream).await?.told());
    }
    Ok(all)
}

/// Consumers, a row each; or an object each.
pub(super) fn table(out: &mut Out, consumers: &[Value], as_json: bool) -> Result<(), Failure> {
    if as_json {
        for consumer in consumers {
            out.json(consumer)?;
        }
        return Ok(());
    }
    let mut table = Table::new(&[
        common::column_stream(),
        common::column_consumer(),
        common::column_kind(),
        common::column_policy(),
        common::column_pending(),
        common::column_unacked(),
        common::column_redelivered(),
        common::column_waiting(),
        common::column_last(),
    ]);
    for consumer in consumers {
        table.row([
            words(consumer, "/stream_name").to_owned(),
            words(consumer, "/name").to_owned(),
            kind(consumer),
            words(consumer, "/config/ack_policy").to_owned(),
            amount::show(number(consumer, "/num_pending")),
            amount::show(number(consumer, "/num_ack_pending")),
            amount::show(number(consumer, "/num_redelivered")),
            amount::show(number(consumer, "/num_waiting")),
            units::ago(words(consumer, "/delivered/last_active")),
        ]);
    }
    table.show(out)
}
