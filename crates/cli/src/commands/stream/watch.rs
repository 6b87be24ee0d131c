//! `recado stream watch`: what streams and their consumers hold, how fast, and how far behind each consumer is.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use crate::amount;
use crate::completion;
use crate::connect::Session;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::jetstream::fields::{number, words};
use crate::jetstream::{api, names, units};
use crate::shown;
use crate::span;
use crate::table::Table;
use crate::terminal::Out;
use crate::text::{help, jetstream as common, stream as text};

/// The shortest interval: to look costs the server something too.
const EVERY_MIN: Duration = Duration::from_millis(100);

/// Of how many streams the consumers are looked at, when none is named.
const STREAMS_MAX: usize = 200;

/// The rows of a terminal that does not say how many it has.
const ROWS: usize = 24;

/// `recado stream watch`.
#[derive(Debug, Args)]
pub(super) struct Watch {
    #[arg(value_name = common::value_stream(), value_parser = names::name,
        add = completion::streams(), help = text::watch_streams())]
    names: Vec<String>,
    #[arg(short, long, value_name = help::value_span(), default_value = "1s",
        value_parser = span::parse, help = common::interval())]
    interval: Duration,
    #[arg(long, help = common::once())]
    once: bool,
}

/// A stream and its consumers at one moment.
struct Sample {
    stream: Value,
    consumers: Vec<Value>,
}

/// What was counted at the last look, by name; and when.
struct Before {
    counts: HashMap<String, u64>,
    at: Instant,
}

impl Watch {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let every = self.interval.max(EVERY_MIN);
        let mut out = Out::new();
        let is_live = std::io::stdout().is_terminal() && !self.once && !as_json;
        // Without a terminal nobody could end a view that goes on; JSON is for programs, which can.
        let is_once = !is_live && (self.once || !as_json);
        let mut before = count(&self.look(session).await?);
        let mut interrupt = Interrupt::new()?;
        let mut drawn = 0;
        loop {
            tokio::select! {
                biased;
                () = interrupt.asked() => return Ok(()),
                () = tokio::time::sleep(every) => {}
                trouble = session.trouble() => return Err(trouble),
            }
            let samples = self.look(session).await?;
            let rows = rates(&samples, &before);
            before = count(&samples);
            if as_json {
                for object in rows.iter().map(StreamRow::json) {
                    out.json(&object)?;
                }
                out.flush()?;
            } else {
                let lines = lines(&rows);
                drawn = match is_live {
                    true => redraw(&mut out, session.label(), &lines, drawn)?,
                    false => {
                        for line in &lines {
                            out.line(line)?;
                        }
                        0
                    }
                };
                out.flush()?;
            }
            if is_once {
                return Ok(());
            }
        }
    }

    async fn look(&self, session: &mut Session) -> Result<Vec<Sample>, Failure> {
        let mut streams = Vec::new();
        for name in &self.names {
            streams.push(api::stream(session, name).await?);
        }
        if self.names.is_empty() {
            streams = api::streams(session, None).await?.entries;
        }
        let mut samples = Vec::new();
        for stream in streams {
            let name = words(&stream, "/config/name").to_owned();
            let has_consumers = number(&stream, "/state/consumer_count") > 0;
            let consumers = match has_consumers && samples.len() < STREAMS_MAX {
                true => api::consumers(session, &name).await?.entries,
                false => Vec::new(),
            };
            samples.push(Sample { stream, consumers });
        }
        Ok(samples)
    }
}

/// The counters by which rates are measured.
fn count(samples: &[Sample]) -> Before {
    let mut counts = HashMap::new();
    for sample in samples {
        let name = words(&sample.stream, "/config/name");
        counts.insert(name.to_owned(), number(&sample.stream, "/state/last_seq"));
        for consumer in &sample.consumers {
            let key = format!("{name}.{}", words(consumer, "/name"));
            counts.insert(key, number(consumer, "/delivered/consumer_seq"));
        }
    }
    Before {
        counts,
        at: Instant::now(),
    }
}

/// A stream with its rate.
struct StreamRow<'a> {
    stream: &'a Value,
    rate: f64,
    consumers: Vec<(&'a Value, f64)>,
}

fn rates<'a>(samples: &'a [Sample], before: &Before) -> Vec<StreamRow<'a>> {
    let passed = before.at.elapsed().as_secs_f64().max(1e-3);
    let rate = |key: &str, now: u64| {
        let then = before.counts.get(key).copied().unwrap_or(now);
        now.saturating_sub(then) as f64 / passed
    };
    let row = |sample: &'a Sample| {
        let name = words(&sample.stream, "/config/name");
        let of_consumer = |consumer: &'a Value| {
            let key = format!("{name}.{}", words(consumer, "/name"));
            let delivered = number(consumer, "/delivered/consumer_seq");
            (consumer, rate(&key, delivered))
        };
        StreamRow {
            stream: &sample.stream,
            rate: rate(name, number(&sample.stream, "/state/last_seq")),
            consumers: sample.consumers.iter().map(of_consumer).collect(),
        }
    };
    samples.iter().map(row).collect()
}

impl StreamRow<'_> {
    fn json(&self) -> Value {
        let round = |rate: f64| (rate * 10.0).round() / 10.0;
        let consumers = self.consumers.iter().map(|(consumer, rate)| {
            json!({
                "name": words(consumer, "/name"), "rate": round(*rate),
                "pending": number(consumer, "/num_pending"),
                "unacked": number(consumer, "/num_ack_pending"),
                "redelivered": number(consumer, "/num_redelivered"),
                "waiting": number(consumer, "/num_waiting"),
            })
        });
        json!({
            "time": shown::timestamp(), "stream": words(self.stream, "/config/name"),
            "messages": number(self.stream, "/state/messages"),
            "bytes": number(self.stream, "/state/bytes"), "rate": round(self.rate),
            "consumers": consumers.collect::<Vec<Value>>(),
        })
    }
}

/// The table: each stream, its consumers below it.
fn lines(rows: &[StreamRow<'_>]) -> Vec<String> {
    let mut table = Table::new(&[
        common::column_name(),
        common::column_messages(),
        common::column_size(),
        common::column_rate(),
        common::column_pending(),
        common::column_unacked(),
        common::column_redelivered(),
        common::column_last(),
    ]);
    let rate = |rate: f64| match rate {
        rate if rate < 100.0 => format!("{rate:.1}"),
        rate => amount::show(rate as u64),
    };
    for row in rows {
        table.row([
            words(row.stream, "/config/name").to_owned(),
            amount::show(number(row.stream, "/state/messages")),
            amount::show_size(number(row.stream, "/state/bytes")),
            rate(row.rate),
            String::new(),
            String::new(),
            String::new(),
            units::ago(words(row.stream, "/state/last_ts")),
        ]);
        for (consumer, delivered) in &row.consumers {
            table.row([
                format!("└ {}", words(consumer, "/name")),
                String::new(),
                String::new(),
                rate(*delivered),
                amount::show(number(consumer, "/num_pending")),
                amount::show(number(consumer, "/num_ack_pending")),
                amount::show(number(consumer, "/num_redelivered")),
                units::ago(words(consumer, "/delivered/last_active")),
            ]);
        }
    }
    table.lines()
}

/// Draws over what was drawn before, so many lines of it; how many they are now.
fn redraw(out: &mut Out, server: &str, lines: &[String], drawn: usize) -> Result<usize, Failure> {
    let size = terminal_size::terminal_size_of(std::io::stdout());
    let (columns, rows) = size.map_or((80, ROWS), |(width, height)| {
        (usize::from(width.0), usize::from(height.0))
    });
    let head = text::watch_head(server, &shown::clock());
    let fitting = rows.saturating_sub(3).max(1);
    let mut shown: Vec<String> = std::iter::once(head)
        .chain(lines.iter().take(fitting).cloned())
        .collect();
    if lines.len() > fitting {
        shown.push(text::watch_more(lines.len() - fitting));
    }
    if drawn > 0 {
        out.bytes(format!("\x1b[{drawn}A\x1b[J").as_bytes())?;
    }
    for line in &shown {
        // A line that wraps would make two, and the next picture would not cover it.
        let cut: String = line.chars().take(columns.saturating_sub(1)).collect();
        out.line(&cut)?;
    }
    Ok(shown.len())
}
