//! Looks at the server at each interval, on a task of its own: the round trip over a connection of
//! ours, and what the monitoring port reports.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::figures::{Figures, Report};
use super::monitor::Monitor;
use crate::failure::Failure;
use crate::line::{self, Info, Line};
use crate::settings::Settings;
use crate::summary::Times;
use crate::text::top as text;

/// How long a round trip is waited for at the most, so that the rest is shown all the same.
const ROUND_TRIP_LIMIT: Duration = Duration::from_secs(2);

/// The way to the server and back, over our own connection.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RoundTrip {
    /// The newest.
    pub(super) last: Duration,
    /// Lowest, p50, p90, p99, highest of all so far, in milliseconds.
    pub(super) figures: [f64; 5],
}

/// One look.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// What the server says about itself.
    pub(super) info: Info,
    /// The round trip, or why there is none now.
    pub(super) round_trip: Result<RoundTrip, Failure>,
    /// The figures, or why there are none.
    pub(super) figures: Result<Figures, String>,
    /// Whether the figures have rates: those of the first look have not.
    pub(super) has_rates: bool,
}

/// What looks.
pub(super) struct Sampler {
    settings: Settings,
    line: Option<Line>,
    info: Info,
    monitor: Monitor,
    times: Times,
    before: Option<Report>,
    every: Duration,
}

impl Sampler {
    pub(super) fn new(settings: &Settings, line: Line, monitor: Monitor, every: Duration) -> Self {
        Self {
            settings: settings.clone(),
            info: line.info.clone(),
            line: Some(line),
            monitor,
            times: Times::new(),
            before: None,
            every,
        }
    }

    /// Looks again and again, until nobody wants to know any more.
    pub(super) async fn run(mut self, samples: mpsc::Sender<Sample>) {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let sample = self.look().await;
            if samples.send(sample).await.is_err() {
                return;
            }
        }
    }

    async fn look(&mut self) -> Sample {
        let round_trip = self.round_trip().await;
        let monitor = self.monitor.clone();
        let report = tokio::task::spawn_blocking(move || monitor.report()).await;
        let report = report.unwrap_or_else(|error| Err(error.to_string()));
        let mut has_rates = false;
        let figures = report.and_then(|report| {
            let theirs = &report.varz.server_id;
            if !theirs.is_empty()
                && !self.info.server_id.is_empty()
                && *theirs != self.info.server_id
            {
                return Err(text::another_server(theirs));
            }
            has_rates = self
                .before
                .as_ref()
                .is_some_and(|before| before.varz.server_id == *theirs);
            let figures = Figures::between(self.before.as_ref(), &report);
            self.before = Some(report);
            Ok(figures)
        });
        Sample {
            info: self.info.clone(),
            round_trip,
            figures,
            has_rates,
        }
    }

    async fn round_trip(&mut self) -> Result<RoundTrip, Failure> {
        let mut line = match self.line.take() {
            Some(line) => line,
            // It went away; one attempt a look is patient enough, and brings it back soon enough.
            None => line::open(&self.settings).await?,
        };
        let limit = self.settings.reply_limit().min(ROUND_TRIP_LIMIT);
        let start = Instant::now();
        let confirmed = timeout(limit, line.confirm(limit)).await;
        confirmed.unwrap_or_else(|_| {
            Err(Failure::NoAnswer {
                address: line.address.clone(),
                limit,
            })
        })?;
        let last = start.elapsed();
        self.times.record(last);
        self.info = line.info.clone();
        self.line = Some(line);
        Ok(RoundTrip {
            last,
            figures: self.times.figures(),
        })
    }
}
