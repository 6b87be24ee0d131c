//! `recado ping --connect`: the way in, again and again, each step with its own percentiles.

use std::time::{Duration, Instant};

use serde_json::{Map, json};

use super::{Arguments, named, steps_json, steps_shown};
use crate::connect;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::line::Steps;
use crate::settings::Settings;
use crate::span;
use crate::summary::Times;
use crate::terminal::Out;
use crate::text::ping as text;

/// Runs the command.
pub(super) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    let mut interrupt = Interrupt::new()?;
    let mut connects = Connects {
        arguments,
        out: Out::new(),
        as_json,
        start: Instant::now(),
        total: Times::new(),
        steps: Vec::new(),
    };
    let result = tokio::select! {
        biased;
        () = interrupt.asked() => match connects.total.len() {
            0 => Err(Failure::Interrupted),
            _ => Ok(()),
        },
        result = connects.all(settings) => result,
    };
    connects.sum_up()?;
    result
}

struct Connects<'a> {
    arguments: &'a Arguments,
    out: Out,
    as_json: bool,
    start: Instant,
    total: Times,
    /// Each step by its name, in the order in which they are taken.
    steps: Vec<(&'static str, Times)>,
}

impl Connects<'_> {
    async fn all(&mut self, settings: &Settings) -> Result<(), Failure> {
        let mut next = Instant::now();
        loop {
            let line = connect::line(settings).await?;
            self.note(&line.address, line.steps)?;
            drop(line);
            let over = |length: Duration| next + self.arguments.interval > self.start + length;
            if self.arguments.count() == Some(self.total.len())
                || self.arguments.duration.is_some_and(over)
            {
                return Ok(());
            }
            next = (next + self.arguments.interval).max(Instant::now());
            tokio::time::sleep_until(next.into()).await;
        }
    }

    fn note(&mut self, address: &str, steps: Steps) -> Result<(), Failure> {
        self.total.record(steps.total());
        for (place, (name, took)) in named(steps).into_iter().enumerate() {
            let known = self.steps.iter().position(|(known, _)| *known == name);
            let at = known.unwrap_or_else(|| {
                let place = place.min(self.steps.len());
                self.steps.insert(place, (name, Times::new()));
                place
            });
            self.steps[at].1.record(took);
        }
        if self.arguments.quiet {
            return Ok(());
        }
        let number = self.total.len();
        if self.as_json {
            self.out
                .json(&json!({ "connection": number, "connect": steps_json(steps) }))?;
        } else {
            let (took, steps) = (span::millis(steps.total()), steps_shown(steps));
            self.out
                .line(&text::connection(number, address, &took, &steps))?;
        }
        self.out.flush()
    }

    fn sum_up(&mut self) -> Result<(), Failure> {
        if self.total.len() == 0 {
            return Ok(());
        }
        if self.as_json {
            let mut steps = Map::new();
            // The names are for people; machines get those of each connection's object.
            let keys = [
                (text::step_resolve(), "resolve"),
                (text::step_tcp(), "tcp"),
                (text::step_greeting(), "greeting"),
                (text::step_tls(), "tls"),
                (text::step_authentication(), "authentication"),
            ];
            for (name, times) in &self.steps {
                if let Some((_, key)) = keys.iter().find(|(known, _)| known == name) {
                    steps.insert((*key).to_owned(), times.json());
                }
            }
            self.out.json(&json!({ "summary": {
                "connections": self.total.len(), "total": self.total.json(), "steps": steps,
            }}))?;
            return self.out.flush();
        }
        self.out.line(&text::connections(self.total.len()))?;
        let heads = [text::column_min(), "p50", "p90", "p99", text::column_max()];
        let heads = heads.map(|head| format!("{head:>9}")).concat();
        let rest = [text::column_mean(), text::column_deviation()];
        let rest = rest.map(|head| format!("{head:>9}")).concat();
        self.out
            .line(&self.out.dim(&format!("  {:<15}{heads}{rest}", "")))?;
        let steps = self.steps.iter().map(|(name, times)| (*name, times));
        let rows: Vec<String> = steps
            .chain([(text::step_total(), &self.total)])
            .map(|(name, times)| {
                let (mean, deviation) = times.spread();
                let figures = times.figures().into_iter().chain([mean, deviation]);
                let figures: String = figures.map(|ms| format!("{ms:>9.3}")).collect();
                format!("  {name:<15}{figures}")
            })
            .collect();
        for row in rows {
            self.out.line(&row)?;
        }
        self.out.flush()
    }
}
