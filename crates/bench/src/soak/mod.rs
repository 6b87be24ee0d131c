//! The soak: a long mixed load on one server, to see whether it keeps what it should give back.
//!
//! The rate is moderate on purpose: what is looked at is memory, descriptors and what goes wrong, not speed.
//! The server is started for the run, on loopback, in a folder of its own, and stopped by its process id.

mod chance;
mod kept;
mod line;
mod monitor;
mod mqtt;
mod place;
mod report;
mod slow;
mod steady;
mod storms;
mod stream;
mod tally;
mod upheaval;
pub mod verdict;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use line::Way;
use monitor::Sample;
use place::Place;
pub use report::Report;
use storms::Storms;
use tally::Shared;

use crate::error::{Error, Result};

/// The longest run.
pub const MINUTES_MAX: f64 = 24.0 * 60.0;
/// No run takes more samples.
const SAMPLES_MAX: u32 = 1_000;
const SAMPLE_EVERY_MAX: Duration = Duration::from_secs(5);
const SAMPLE_EVERY_MIN: Duration = Duration::from_millis(250);
/// How long the server may take to be as it was before the load.
const REST: Duration = Duration::from_secs(20);
/// MQTT's storms are so much smaller: each client costs the server five descriptors, and some calls of the streams' API.
const MQTT_GUESTS_SHARE: u64 = 10;

/// What a run is like.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program that is put under load.
    pub server: PathBuf,
    /// Where its folder is made.
    pub folder: PathBuf,
    /// How long the load lasts.
    pub duration: Duration,
    /// How much of that does not count.
    pub warm_up: Duration,
    /// Where all chance comes from.
    pub seed: u64,
    /// Connections of a storm.
    pub storm: u64,
    /// Set when the run is to be broken off.
    pub stop: Arc<AtomicBool>,
}

/// How often what happens from time to time happens.
#[derive(Clone, Copy)]
struct Pauses {
    storms: Duration,
    reloads: Duration,
    slow: Duration,
}

impl Plan {
    fn sample_every(&self) -> Duration {
        (self.duration / 100)
            .clamp(SAMPLE_EVERY_MIN, SAMPLE_EVERY_MAX)
            .max(self.duration / SAMPLES_MAX)
    }

    /// A short run has all of it, too.
    fn pauses(&self) -> Pauses {
        let part = |of: u32, most| (self.duration / of).clamp(Duration::from_millis(500), most);
        Pauses {
            storms: part(10, Duration::from_secs(15)),
            reloads: part(12, Duration::from_secs(10)),
            slow: part(8, Duration::from_secs(20)),
        }
    }
}

/// Puts the load on, and tells what became of the server.
pub fn run(plan: &Plan) -> Result<Report> {
    let mut place = Place::start(&plan.server, &plan.folder)?;
    let shared = Shared::new(place.doors()?, place.monitor(), plan.seed);
    let outcome = under_load(plan, &mut place, &shared);
    let log_end = place.log_end();
    let errors = place.errors_in_log();
    for line in &errors {
        shared.tally.wrong("errors in the log", line.clone());
    }
    let outcome =
        outcome.map_err(|error| Error::Server(format!("{error}; the log ends:\n{log_end}")));
    let (before, samples, after) = outcome?;
    if let Err(error) = place.stop() {
        shared.tally.wrong("the end", error.to_string());
    }
    Ok(Report::of(plan, &shared.tally, before, samples, after))
}

/// How the server was at rest before, all the time, and at rest afterwards.
fn under_load(
    plan: &Plan,
    place: &mut Place,
    shared: &Shared,
) -> Result<(Sample, Vec<Sample>, Sample)> {
    kept::prepare(&shared.doors)?;
    mqtt::prepare(&shared.doors)?;
    let store = place.store();
    let look = |at_s| shared.monitor.sample(place.pid(), &store, at_s);
    std::thread::sleep(Duration::from_secs(1));
    let before = look(0.0)?;
    let samples = std::thread::scope(|scope| {
        begin(scope, shared, plan.pauses(), plan.storm, place);
        let samples = watch(plan, shared, look);
        shared.end();
        samples
    });
    let pid_ended = place.has_ended();
    if pid_ended {
        shared
            .tally
            .wrong("the server", "it ended by itself".into());
    }
    let samples = samples?;
    let look = |at_s| shared.monitor.sample(place.pid(), &store, at_s);
    let after = settle(before, || look(plan.duration.as_secs_f64()))?;
    if plan.stop.load(Ordering::Relaxed) {
        shared.tally.wrong("the run", "it was broken off".into());
    }
    Ok((before, samples, after))
}

type Part<'a> = Box<dyn Fn(&Shared) -> Result<()> + Send + 'a>;

fn begin<'scope, 'env: 'scope>(
    scope: &'scope std::thread::Scope<'scope, 'env>,
    shared: &'env Shared,
    pauses: Pauses,
    storm: u64,
    place: &Place,
) {
    let (desk, certificates) = (place.desk(), place.certificates.clone());
    let storms = Storms {
        connections: storm,
        pause: pauses.storms,
    };
    let mut parts: Vec<(&'static str, Part<'scope>)> = Vec::new();
    for way in Way::ALL {
        parts.push((
            "receiving",
            Box::new(move |s| steady::receive_flow(s, way, false)),
        ));
        parts.push(("asking", Box::new(move |s| steady::ask(s, way, false))));
    }
    let reload = move |s: &Shared| upheaval::reload(s, &desk, &certificates, pauses.reloads);
    parts.extend::<[(_, Part<'scope>); 14]>([
        (
            "receiving",
            Box::new(|s| steady::receive_flow(s, Way::Clear, true)),
        ),
        ("answering", Box::new(|s| steady::answer(s, Way::Clear))),
        ("answering", Box::new(|s| steady::answer(s, Way::Tls))),
        ("asking", Box::new(|s| steady::ask(s, Way::Tls, true))),
        ("watching", Box::new(steady::watch)),
        ("consuming", Box::new(|s| kept::work(s, Way::Tls))),
        ("storing", Box::new(kept::publish)),
        ("writing keys", Box::new(kept::write_keys)),
        ("watching keys", Box::new(kept::watch_keys)),
        ("making streams", Box::new(kept::come_and_go)),
        ("publishing", Box::new(steady::publish_flow)),
        ("storms", Box::new(move |s| storms::blow(s, storms))),
        ("reloading", Box::new(reload)),
        (
            "slow consumers",
            Box::new(move |s| slow::dawdle(s, pauses.slow)),
        ),
    ]);
    let rhythm = mqtt::Rhythm {
        storms: pauses.storms,
        guests: (storm / MQTT_GUESTS_SHARE).max(4),
    };
    let mqtt = mqtt::parts(rhythm).into_iter();
    parts.extend(mqtt.map(|(name, part)| (name, part as Part<'scope>)));
    for (name, part) in parts {
        scope.spawn(move || shared.keep_going(name, part));
    }
}

/// Looks at the server from time to time, until the time is over.
fn watch(
    plan: &Plan,
    shared: &Shared,
    look: impl Fn(f64) -> Result<Sample>,
) -> Result<Vec<Sample>> {
    let (start, mut samples, mut failures) = (Instant::now(), Vec::new(), 0);
    while start.elapsed() < plan.duration && !plan.stop.load(Ordering::Relaxed) {
        let next = start + plan.sample_every() * (samples.len() as u32 + failures + 1);
        while Instant::now() < next && !plan.stop.load(Ordering::Relaxed) {
            let left = next.saturating_duration_since(Instant::now());
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
        match look(start.elapsed().as_secs_f64()) {
            Ok(sample) => samples.push(sample),
            Err(error) => {
                failures += 1;
                shared.tally.wrong("looking", error.to_string());
                if failures > 10 {
                    return Err(error);
                }
            }
        }
    }
    Ok(samples)
}

/// Waits until connections and subscriptions are as before, or the patience is over; how it is then.
fn settle(before: Sample, look: impl Fn() -> Result<Sample>) -> Result<Sample> {
    let start = Instant::now();
    loop {
        let now = look()?;
        let at_rest = now.connections <= before.connections
            && now.subscriptions <= before.subscriptions
            && now.descriptors <= before.descriptors
            && now.mqtt == mqtt::NOTHING;
        if at_rest || start.elapsed() > REST {
            return Ok(now);
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}
