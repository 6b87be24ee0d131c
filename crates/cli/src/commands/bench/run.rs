//! One run: connect everybody, let them go, and gather what each did.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::measured::{Measured, Outcome, Role};
use super::plan::{Kind, Plan};
use super::publisher::Publisher;
use super::requester::{Asking, Requester};
use super::shared::Shared;
use super::subscriber::{Ending, Subscriber};
use super::traffic::Block;
use super::worker::{Client, drive};
use crate::amount;
use crate::direct::Direct;
use crate::echo::{self, Served};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::local_server::{Hidden, LocalServer, own_cpu};
use crate::progress;
use crate::settings::Settings;
use crate::text::{bench as text, failures};
use crate::unique;

/// How often the progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Everybody's connections, before the start.
struct Connected {
    publishers: Vec<Direct>,
    subscribers: Vec<Direct>,
    requesters: Vec<Direct>,
    responders: Vec<Direct>,
    /// What the requesters' inboxes begin with.
    inboxes: String,
}

/// What came of a run: what was measured, and the failure that ended it, if one did.
pub(super) struct Ran {
    pub(super) measured: Measured,
    pub(super) outcome: Result<(), Failure>,
}

/// Runs the plan once. `ready` is called when everybody is connected and listens.
pub(super) async fn once(
    settings: &Settings,
    plan: &Plan,
    interrupt: &mut Interrupt,
    quiet: bool,
    ready: impl Fn(),
) -> Result<Ran, Failure> {
    let connected = tokio::select! {
        () = interrupt.asked() => return Err(Failure::Interrupted),
        connected = Connected::open(settings, plan) => connected?,
    };
    // Looking through the machine's processes takes a while: before the clock runs.
    let process = match connected.anybody() {
        Some(direct) => LocalServer::behind(direct.socket()),
        None => Err(Hidden::Elsewhere),
    };
    let block = Arc::new(match plan.publishers {
        0 => Block::new(&plan.subjects[..1], 0),
        _ => Block::new(&plan.subjects, plan.size),
    });
    ready();
    let shared = Arc::new(plan.shared());
    let bars = Bars::new(plan, quiet);
    let mut running = {
        let (plan, shared) = (plan.clone(), Arc::clone(&shared));
        tokio::task::spawn_blocking(move || connected.run(&plan, &shared, process, block))
    };
    let mut interrupted = false;
    let ran = loop {
        tokio::select! {
            ran = &mut running => break ran,
            () = interrupt.asked(), if !interrupted => {
                interrupted = true;
                shared.stop();
            }
            () = tokio::time::sleep(LOOK_EVERY) => bars.show(plan, &shared),
        }
    };
    bars.clear();
    let mut ran = ran.map_err(|error| Failure::Local {
        what: failures::machine_failed(&error.to_string()),
        next: failures::machine_failed_next().to_owned(),
    })?;
    // Who listens or answers without an end is ended by the person, and is done then.
    if interrupted && !plan.is_endless() {
        ran.outcome = Err(Failure::Interrupted);
    }
    Ok(ran)
}

impl Plan {
    fn shared(&self) -> Shared {
        let due = match self.kind {
            Kind::Sub => self.messages,
            _ => None,
        };
        // Who waits for others counts the time from the first message on.
        let duration = self.duration.filter(|_| self.kind != Kind::Sub);
        Shared::new(duration, due)
    }

    fn is_endless(&self) -> bool {
        matches!(self.kind, Kind::Sub | Kind::Reply)
            && self.messages.is_none()
            && self.duration.is_none()
    }
}

impl Connected {
    async fn open(settings: &Settings, plan: &Plan) -> Result<Self, Failure> {
        let mut connected = Self {
            publishers: several(settings, plan.publishers).await?,
            subscribers: several(settings, plan.subscribers).await?,
            requesters: several(settings, plan.requesters).await?,
            responders: several(settings, plan.responders).await?,
            inboxes: settings.inbox(&unique::token()),
        };
        if let Some(sender) = connected
            .publishers
            .first()
            .or(connected.requesters.first())
            && plan.size > sender.info.max_payload
        {
            return Err(Failure::TooLarge {
                what: failures::too_large(&sender.address, plan.size, sender.info.max_payload),
            });
        }
        let queue = plan.queue.as_deref();
        for subscriber in &mut connected.subscribers {
            echo::listen(subscriber, &plan.subjects, queue, plan.limit)?;
        }
        for (number, requester) in connected.requesters.iter_mut().enumerate() {
            let answers = format!("{}.*", inbox(&connected.inboxes, number));
            echo::listen(requester, &[answers], None, plan.limit)?;
        }
        // Several responders without a group would all answer each request.
        let group = queue.or((plan.responders > 1).then_some("recado"));
        for responder in &mut connected.responders {
            echo::listen(responder, &plan.subjects, group, plan.limit)?;
        }
        Ok(connected)
    }

    fn anybody(&self) -> Option<&Direct> {
        let mut all = [
            &self.publishers,
            &self.subscribers,
            &self.requesters,
            &self.responders,
        ]
        .into_iter();
        all.find_map(|clients| clients.first())
    }

    /// Lets all of them go and gathers what they did.
    fn run(
        self,
        plan: &Plan,
        shared: &Arc<Shared>,
        process: Result<LocalServer, Hidden>,
        block: Arc<Block>,
    ) -> Ran {
        let (server, program) = self
            .anybody()
            .map(|direct| (direct.address.clone(), direct.program()))
            .unwrap_or_default();
        let server_cpu = || process.as_ref().ok().and_then(LocalServer::cpu);
        let (server_before, own_before) = (server_cpu(), own_cpu());
        let gathered = match plan.kind {
            Kind::Pub | Kind::Sub | Kind::Pubsub => self.flow(plan, shared, &block),
            Kind::Request | Kind::Reply => self.requests(plan, shared),
        };
        let used = |now: Option<Duration>, before: Option<Duration>| now?.checked_sub(before?);
        let measured = Measured {
            kind: plan.kind,
            server,
            program,
            server_cpu: used(server_cpu(), server_before),
            own_cpu: used(own_cpu(), own_before),
            process: process.map(|process| (process.pid, process.name)),
            outcomes: gathered.outcomes,
            lost_by_group: gathered.lost_by_group,
        };
        Ran {
            measured,
            outcome: gathered.outcome,
        }
    }

    /// Publishers and subscribers.
    fn flow(self, plan: &Plan, shared: &Arc<Shared>, block: &Arc<Block>) -> Gathered {
        let ending = Ending {
            shared_out: plan.shared_out(),
            published_here: plan.publishers > 0,
            silence: Some(plan.limit),
            duration: plan.duration,
        };
        let count = self.publishers.len();
        let mut publishers: Vec<Publisher> = self
            .publishers
            .into_iter()
            .enumerate()
            .map(|(number, direct)| {
                let share = plan.share(number, count);
                let (block, shared) = (Arc::clone(block), Arc::clone(shared));
                Publisher::new(direct, block, shared, share, plan.limit)
            })
            .collect();
        let mut subscribers: Vec<Subscriber> = self
            .subscribers
            .into_iter()
            .map(|direct| Subscriber::new(direct, Arc::clone(shared), ending))
            .collect();
        let mut outcome = Ok(());
        std::thread::scope(|scope| {
            let receiving = scope.spawn(|| drive_all(&mut subscribers, shared));
            let published = drive_all(&mut publishers, shared);
            let due: u64 = publishers.iter().map(Publisher::messages).sum();
            if !publishers.is_empty() {
                shared.set_due(due);
            }
            outcome = published.and(joined(receiving.join()));
        });
        gather_flow(plan, shared, &publishers, &subscribers, outcome)
    }

    /// Requesters and responders.
    fn requests(self, plan: &Plan, shared: &Arc<Shared>) -> Gathered {
        let count = self.requesters.len();
        let subjects: Arc<[String]> = plan.subjects.clone().into();
        let mut requesters: Vec<Requester> = self
            .requesters
            .into_iter()
            .enumerate()
            .map(|(number, direct)| {
                let asking = Asking {
                    subjects: Arc::clone(&subjects),
                    inbox: inbox(&self.inboxes, number),
                    size: plan.size,
                    share: plan.share(number, count),
                    limit: plan.limit,
                };
                Requester::new(direct, Arc::clone(shared), asking)
            })
            .collect();
        let responders = self.responders;
        let stop = AtomicBool::new(false);
        let alone = requesters.is_empty();
        let served: Vec<Served> = responders.iter().map(|_| Served::default()).collect();
        let mut outcome = Ok(());
        std::thread::scope(|scope| {
            let count = responders.len();
            let serving: Vec<_> = responders
                .into_iter()
                .zip(&served)
                .enumerate()
                .map(|(number, (mut direct, served))| {
                    let share = plan.share(number, count).filter(|_| alone);
                    let stop = &stop;
                    scope.spawn(move || {
                        let ended = echo::serve(&mut direct, served, share, stop);
                        if ended.is_err() {
                            shared.stop();
                        }
                        ended
                    })
                })
                .collect();
            if alone {
                wait_for(plan, shared, &served, || {
                    serving.iter().all(|one| one.is_finished())
                });
            } else {
                outcome = drive_all(&mut requesters, shared);
            }
            stop.store(true, Ordering::Relaxed);
            for one in serving {
                let ended = joined(one.join());
                outcome = std::mem::replace(&mut outcome, Ok(())).and(ended);
            }
        });
        gather_requests(shared, &requesters, &served, alone, outcome)
    }
}

/// What everybody did.
struct Gathered {
    outcomes: Vec<Outcome>,
    lost_by_group: u64,
    outcome: Result<(), Failure>,
}

fn gather_flow(
    plan: &Plan,
    shared: &Shared,
    publishers: &[Publisher],
    subscribers: &[Subscriber],
    outcome: Result<(), Failure>,
) -> Gathered {
    let now = Instant::now();
    let mut outcomes: Vec<Outcome> = publishers
        .iter()
        .map(|publisher| Outcome {
            role: Role::Publisher,
            messages: publisher.messages(),
            bytes: publisher.messages() * plan.size as u64,
            elapsed: publisher
                .finished
                .unwrap_or(now)
                .saturating_duration_since(shared.start),
            lost: 0,
            surplus: 0,
            times: None,
        })
        .collect();
    // Who listens to others' messages counts from the first one on.
    let start = match plan.publishers {
        0 => shared.first().unwrap_or(shared.start),
        _ => shared.start,
    };
    // A run that was cut short is due only what came.
    let due = shared
        .due()
        .filter(|_| plan.publishers > 0 || !shared.is_stopped());
    let each = due.filter(|_| !plan.shared_out());
    outcomes.extend(subscribers.iter().map(|subscriber| {
        let messages = subscriber.messages();
        Outcome {
            role: Role::Subscriber,
            messages,
            bytes: subscriber.bytes(),
            elapsed: subscriber
                .last
                .map_or(Duration::ZERO, |last| last.saturating_duration_since(start)),
            lost: each.map_or(0, |due| due.saturating_sub(messages)),
            surplus: each.map_or(0, |due| messages.saturating_sub(due)),
            times: None,
        }
    }));
    let received: u64 = subscribers.iter().map(Subscriber::messages).sum();
    let by_group = due.filter(|_| plan.shared_out() && !subscribers.is_empty());
    Gathered {
        outcomes,
        lost_by_group: by_group.map_or(0, |due| due.saturating_sub(received)),
        outcome,
    }
}

fn gather_requests(
    shared: &Shared,
    requesters: &[Requester],
    served: &[Served],
    alone: bool,
    outcome: Result<(), Failure>,
) -> Gathered {
    let now = Instant::now();
    let mut outcomes = Vec::new();
    for requester in requesters {
        let finished = requester.finished.unwrap_or(now);
        let mut times = crate::summary::Times::new();
        times.merge(&requester.times);
        outcomes.push(Outcome {
            role: Role::Requester,
            messages: requester.times.len(),
            bytes: requester.times.len() * requester.size() as u64,
            elapsed: finished.saturating_duration_since(shared.start),
            lost: requester.lost,
            surplus: 0,
            times: Some(times),
        });
    }
    // Our own responders are part of the load; they are shown only where nobody asks here.
    for one in served.iter().filter(|_| alone) {
        let until = shared.first().map_or(Duration::ZERO, |first| {
            now.saturating_duration_since(first)
                .saturating_sub(shared.silence())
        });
        outcomes.push(Outcome {
            role: Role::Responder,
            messages: one.requests.load(Ordering::Relaxed),
            bytes: one.bytes.load(Ordering::Relaxed),
            elapsed: until,
            lost: 0,
            surplus: 0,
            times: None,
        });
    }
    Gathered {
        outcomes,
        lost_by_group: 0,
        outcome,
    }
}

/// Waits until the responders are done, or somebody ends it; notes meanwhile when they had something to do.
fn wait_for(plan: &Plan, shared: &Shared, served: &[Served], done: impl Fn() -> bool) {
    let mut before = 0;
    loop {
        let now: u64 = served
            .iter()
            .map(|one| one.requests.load(Ordering::Relaxed))
            .sum();
        if now > before {
            shared.came(now - before, Instant::now());
            before = now;
        }
        let over = |length: Duration| {
            shared
                .first()
                .is_some_and(|first| first.elapsed() >= length)
        };
        if done() || shared.is_stopped() || plan.duration.is_some_and(over) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Drives the clients with as many threads as there are cores.
fn drive_all<C: Client>(clients: &mut [C], shared: &Shared) -> Result<(), Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let each = clients.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let threads: Vec<_> = clients
            .chunks_mut(each)
            .map(|some| {
                scope.spawn(|| {
                    let ended = drive(some);
                    if ended.is_err() {
                        // The others end well, so that what they did is known.
                        shared.stop();
                    }
                    ended
                })
            })
            .collect();
        let ended: Vec<_> = threads.into_iter().map(|one| joined(one.join())).collect();
        ended.into_iter().collect()
    })
}

fn joined<T>(ended: std::thread::Result<T>) -> T {
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Where the answers to the `number`th requester come.
fn inbox(inboxes: &str, number: usize) -> String {
    format!("{inboxes}{number}")
}

async fn several(settings: &Settings, count: usize) -> Result<Vec<Direct>, Failure> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        connections.push(Direct::open(settings).await?);
    }
    Ok(connections)
}

/// How far the run is, on a terminal.
struct Bars {
    bar: ProgressBar,
    /// The bar stands for milliseconds, not for messages.
    by_time: bool,
}

impl Bars {
    fn new(plan: &Plan, quiet: bool) -> Self {
        let by_time = plan.messages.is_none();
        let all = match plan.duration {
            Some(length) if by_time => u64::try_from(length.as_millis()).ok(),
            _ => plan.messages.map(|messages| match plan.kind {
                Kind::Pubsub if !plan.shared_out() => messages * plan.subscribers as u64,
                Kind::Sub if !plan.shared_out() => messages * plan.subscribers as u64,
                _ => messages,
            }),
        };
        Self {
            bar: progress::bar(all, plan.kind.name(), quiet),
            by_time,
        }
    }

    fn show(&self, plan: &Plan, shared: &Shared) {
        let messages = match plan.kind {
            Kind::Pub => shared.sent.load(Ordering::Relaxed),
            _ => shared.received.load(Ordering::Relaxed),
        };
        let start = match plan.kind {
            Kind::Sub | Kind::Reply => shared.first(),
            _ => Some(shared.start),
        };
        let elapsed = start.map_or(Duration::ZERO, |start| start.elapsed());
        self.bar.set_position(match self.by_time {
            true => u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            false => messages,
        });
        let rate = messages as f64 / elapsed.as_secs_f64().max(1e-3);
        self.bar.set_message(text::so_far(
            &amount::show(messages),
            &amount::show(rate as u64),
        ));
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
