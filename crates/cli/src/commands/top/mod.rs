//! `recado top`: what a server does right now, live.
//!
//! Two sources: a connection of our own (who the server is, how far away), which works with every
//! server; and its monitoring port, for all the rest. Without the second the first is still shown,
//! with the reason why the rest is missing.

mod draw;
mod figures;
mod live;
mod monitor;
mod sampler;

use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::sync::mpsc;

use crate::connect;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::line::Info;
use crate::settings::Settings;
use crate::shown;
use crate::span;
use crate::table::Table;
use crate::terminal::{Out, harmless};
use crate::text::{help as text_help, top as text};
use figures::{Sort, brief, brief_bytes};
use monitor::Monitor;
use sampler::{Sample, Sampler};

/// The shortest interval: to look costs the server something too.
const EVERY_MIN: Duration = Duration::from_millis(100);

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long, value_name = "URL", value_parser = monitor::url, help = text::monitor())]
    monitor: Option<String>,
    #[arg(short, long, value_name = text_help::value_span(), default_value = "1s",
        value_parser = span::parse, help = text::interval())]
    interval: Duration,
    #[arg(long, value_enum, value_name = "msgs|bytes|pending|subs|cid|name",
        default_value = "msgs", help = text::sort())]
    sort: Sort,
    #[arg(long, help = text::once())]
    once: bool,
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    let line = connect::line(settings).await?;
    let mut interrupt = Interrupt::new()?;
    let monitor = Monitor::new(arguments.monitor.as_deref(), &line.address);
    let heading = Heading {
        address: line.address.clone(),
        monitor: monitor.url().to_owned(),
    };
    let every = arguments.interval.max(EVERY_MIN);
    let sampler = Sampler::new(settings, line, monitor, every);
    let (sender, samples) = mpsc::channel(1);
    tokio::spawn(sampler.run(sender));
    let on_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if on_terminal && !arguments.once && !as_json {
        return live::run(&heading, samples, arguments.sort, &mut interrupt).await;
    }
    let printing = Printing {
        heading,
        sort: arguments.sort,
        // Without a terminal nobody could end a view that goes on; JSON is for programs, which can.
        once: arguments.once || !as_json,
        is_asked_for: arguments.monitor.is_some(),
        as_json,
    };
    tokio::select! {
        biased;
        () = interrupt.asked() => Ok(()),
        result = printing.all(samples) => result,
    }
}

/// What does not change while it runs.
struct Heading {
    /// The server's `host:port`.
    address: String,
    /// The monitoring port's URL.
    monitor: String,
}

/// The program and its version, as the server names itself.
fn program(info: &Info) -> String {
    let named = match info.server.is_empty() {
        true => format!("NATS {}", info.version),
        false => format!(
            "{} {} (NATS {})",
            info.server, info.server_version, info.version
        ),
    };
    harmless(&named).into_owned()
}

/// Without a screen: lines of text, or JSON.
struct Printing {
    heading: Heading,
    sort: Sort,
    once: bool,
    /// Whether the monitoring port was named, so that its absence is a failure.
    is_asked_for: bool,
    as_json: bool,
}

impl Printing {
    async fn all(&self, mut samples: mpsc::Receiver<Sample>) -> Result<(), Failure> {
        let mut out = Out::new();
        while let Some(mut sample) = samples.recv().await {
            if let Err(failure) = &sample.round_trip
                && self.once
            {
                return Err(failure.clone());
            }
            // The first look has no rates: a second one follows at once.
            if self.once && sample.figures.is_ok() && !sample.has_rates {
                continue;
            }
            if let Ok(figures) = &mut sample.figures {
                figures.sort(self.sort);
            }
            match self.as_json {
                true => out.json(&self.json(&sample))?,
                false => self.text(&mut out, &sample)?,
            }
            out.flush()?;
            if self.once {
                return self.verdict(&sample);
            }
        }
        Ok(())
    }

    fn verdict(&self, sample: &Sample) -> Result<(), Failure> {
        match &sample.figures {
            Err(detail) if self.is_asked_for => Err(Failure::Unreachable {
                address: self.heading.monitor.clone(),
                detail: detail.clone(),
            }),
            _ => Ok(()),
        }
    }

    fn json(&self, sample: &Sample) -> serde_json::Value {
        let round_trip = match &sample.round_trip {
            Ok(round_trip) => {
                let [min, p50, _, p99, max] = round_trip.figures;
                json!({
                    "last_ms": span::millis_number(round_trip.last),
                    "min_ms": min, "p50_ms": p50, "p99_ms": p99, "max_ms": max,
                })
            }
            Err(failure) => json!({ "error": failure.what() }),
        };
        let monitor = match &sample.figures {
            Ok(figures) => figures.json(),
            Err(why) => json!({ "error": why }),
        };
        json!({
            "time": shown::timestamp(), "address": self.heading.address,
            "server": sample.info.server_name, "version": sample.info.version,
            "program": sample.info.server, "program_version": sample.info.server_version,
            "round_trip": round_trip, "monitor_url": self.heading.monitor, "monitor": monitor,
        })
    }

    fn text(&self, out: &mut Out, sample: &Sample) -> Result<(), Failure> {
        out.line(&format!(
            "{} · {}",
            out.bold(&self.heading.address),
            program(&sample.info)
        ))?;
        for line in summary(sample) {
            out.line(&line)?;
        }
        match &sample.figures {
            Err(why) => out.line(&missing(&self.heading.monitor, why)),
            Ok(figures) => {
                let headings = draw::COLUMNS.map(|column| column.heading());
                let mut table = Table::new(&headings);
                for row in &figures.rows {
                    table.row(draw::COLUMNS.map(|column| column.cell(row)));
                }
                table.show(out)
            }
        }
    }
}

/// The figures of the whole server, in a few lines.
fn summary(sample: &Sample) -> Vec<String> {
    let mut lines = vec![match &sample.round_trip {
        Ok(round_trip) => {
            let [_, p50, _, p99, max] = round_trip.figures.map(|ms| format!("{ms:.3}"));
            text::round_trip(&span::millis(round_trip.last), &p50, &p99, &max)
        }
        Err(failure) => failure.what(),
    }];
    if let Ok(figures) = &sample.figures {
        let varz = &figures.varz;
        let load = text::load(
            &format!("{:.1}", varz.cpu),
            varz.cores,
            &brief_bytes(varz.mem as f64),
            &harmless(&varz.uptime),
        );
        let counts = text::counts(
            varz.connections,
            varz.total_connections,
            varz.subscriptions,
            varz.slow_consumers,
        );
        let rates = match sample.has_rates {
            true => text::rates(
                &brief(figures.rates.in_msgs),
                &brief_bytes(figures.rates.in_bytes),
                &brief(figures.rates.out_msgs),
                &brief_bytes(figures.rates.out_bytes),
            ),
            false => text::rates_to_come().to_owned(),
        };
        lines.extend([load, counts, rates]);
        let listed = figures.rows.len() as u64;
        if listed < figures.total {
            lines.push(text::cut(listed, figures.total));
        }
    }
    lines
}

/// Why there is no more to see, and what to do about it.
fn missing(url: &str, why: &str) -> String {
    format!(
        "{}\n{}",
        text::no_monitor(url, &harmless(why)),
        text::no_monitor_next()
    )
}
