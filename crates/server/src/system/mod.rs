//! The server's own services and events in the system account (A110 to A117): who asks what it is, how it fares and who
//! is connected is answered, and whoever listens hears clients come and go.
//!
//! A client inside the server like the built-in service, on a thread of its own: its documents are those of
//! monitoring, and may be large. Other accounts reach a few of its subjects through imports that every account has
//! ([`OFFERED`]); what they get is about themselves.

mod answer;
mod asker;
mod claims;
mod event;
mod subscribers;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use recado_wire::{PING, push_publish};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::watch;

use crate::engine::{Engine, Insider, Intake};
use crate::internal_client::{self, CONNECTION_LOST, FrameReader, Message, Restarts};
use crate::monitoring::Observed;
use crate::phase::Phase;
use crate::reload::Reloader;
use crate::resolver::FILTERS;

use self::answer::{Asked, answer};
pub(crate) use self::asker::Asker;

/// Between two reports of how the server fares (`STATSZ`).
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// Time for the last event to leave.
const FAREWELL_MAX: Duration = Duration::from_millis(500);
/// Between two looks at what was waited for in vain: measured requests, traces.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Events that are told before others get their turn.
const EVENTS_A_TURN: usize = 256;
/// Requests that are answered before others get their turn.
const REQUESTS_A_TURN: usize = 64;

/// Where everybody asks after messages of their own account; ours, nats-server has nothing like it.
pub(crate) const EXPLAIN: &str = "$SYS.REQ.ACCOUNT.PING.EXPLAIN";

/// Subjects that every account reaches (A111, A115).
pub(crate) const OFFERED: [&str; 5] = [
    "$SYS.REQ.USER.INFO",
    "$SYS.REQ.ACCOUNT.PING.CONNZ",
    "$SYS.REQ.ACCOUNT.PING.STATZ",
    "$SYS.REQ.SERVER.PING.CONNZ",
    EXPLAIN,
];

/// What is to be done when somebody asks for a reload.
pub(crate) type ReloadHook = Arc<parking_lot::Mutex<Option<Box<dyn Fn(ReloadRequest) + Send>>>>;

/// Somebody in the system account waits for the outcome of a reload. Dropped without one, it says that there was none.
#[derive(Debug)]
pub struct ReloadRequest(tokio::sync::oneshot::Sender<Result<(), String>>);

impl ReloadRequest {
    fn new() -> (Self, tokio::sync::oneshot::Receiver<Result<(), String>>) {
        let (sender, outcome) = tokio::sync::oneshot::channel();
        (Self(sender), outcome)
    }

    /// Tells what came of it: nothing more, or why everything is as it was.
    pub fn answer(self, outcome: Result<(), String>) {
        // Whoever asked may have given up.
        let _ = self.0.send(outcome);
    }
}

/// What the answers are made of.
pub(crate) struct Sources {
    pub(crate) engine: Arc<Engine>,
    pub(crate) observed: Arc<Observed>,
    pub(crate) reload: ReloadHook,
    /// Who takes claims that are pushed.
    pub(crate) reloader: Arc<Reloader>,
}

/// The running part.
pub(crate) struct System {
    thread: Option<JoinHandle<()>>,
}

impl System {
    /// Starts it; it ends with the server. Says when it can be reached, which takes the engine's threads.
    ///
    /// # Errors
    /// When the machine has no threads or descriptors left.
    pub(crate) fn start(
        sources: Sources,
        phase: watch::Receiver<Phase>,
    ) -> io::Result<(Self, Receiver<()>)> {
        let (reachable, ready) = std::sync::mpsc::channel();
        // Not kept alive by the engine that it speaks for.
        let observed = Arc::downgrade(&sources.observed);
        sources.engine.set_speaker(move || {
            let observed = observed.upgrade();
            observed.map_or_else(Value::default, |observed| answer::server_of(&observed))
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("recado-system".to_owned())
            .spawn(move || {
                runtime.block_on(serve_until_the_end(sources, phase, reachable));
                runtime.shutdown_background();
            })?;
        let system = Self {
            thread: Some(thread),
        };
        Ok((system, ready))
    }
}

impl Drop for System {
    /// The server has stopped: its thread has noticed or does now.
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported by its hook.
            let _ = thread.join();
        }
    }
}

async fn serve_until_the_end(
    sources: Sources,
    mut phase: watch::Receiver<Phase>,
    reachable: Sender<()>,
) {
    let mut restarts = Restarts::new("system services", phase.clone());
    loop {
        let why = match internal_client::connect_to_system(&sources.engine) {
            Ok(stream) => {
                serve(&sources, stream, &reachable, &mut phase).await;
                CONNECTION_LOST.to_owned()
            }
            Err(error) => error.to_string(),
        };
        if !restarts.again(&why).await {
            return;
        }
    }
}

/// Tells that the server stops, and waits until that is on its way.
async fn say_goodbye(sources: &Sources, frames: &mut FrameReader, write: &mut OwnedWriteHalf) {
    let mut out = Vec::new();
    event::about_server(sources, "SHUTDOWN", &mut out);
    out.extend_from_slice(PING);
    let told = async {
        if write.write_all(&out).await.is_err() {
            return;
        }
        // Pings from before may be answered first: nothing hangs on it but that it was routed.
        while frames.take_pongs() == 0 {
            if frames.batch(&mut out, |_, _| {}).await.is_none() {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(FAREWELL_MAX, told).await;
}

/// Answers and tells until the connection or the server ends.
async fn serve(
    sources: &Sources,
    stream: UnixStream,
    reachable: &Sender<()>,
    phase: &mut watch::Receiver<Phase>,
) {
    let (read, mut write) = stream.into_split();
    let id = sources.observed.server_id();
    let own = [
        "$SYS.REQ.USER.INFO".to_owned(),
        "$SYS.REQ.SERVER.PING".to_owned(),
        "$SYS.REQ.SERVER.PING.*".to_owned(),
        format!("$SYS.REQ.SERVER.{id}.*"),
        "$SYS.REQ.ACCOUNT.PING.*".to_owned(),
        "$SYS.REQ.ACCOUNT.*.*".to_owned(),
        "$SYS.REQ.ACCOUNT.NSUBS".to_owned(),
        "$SYS.DEBUG.SUBSCRIBERS".to_owned(),
    ];
    let about_claims = FILTERS.into_iter().map(str::to_owned);
    let filters: Vec<String> = own.into_iter().chain(about_claims).collect();
    let mut out = Vec::new();
    for (sid, filter) in filters.iter().enumerate() {
        out.extend_from_slice(format!("SUB {filter} {sid}\r\n").as_bytes());
    }
    out.extend_from_slice(PING);
    let own = filters.len() + sources.engine.accounts.system().terms().services.len();
    sources.engine.events.begin(own, &id);
    let mut frames = FrameReader::new(read);
    let mut reports = tokio::time::interval(REPORT_EVERY);
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut waited = Waited::default();
    loop {
        if !out.is_empty() && write.write_all(&out).await.is_err() {
            return;
        }
        out.clear();
        let mut asked = Vec::new();
        tokio::select! {
            read = frames.batch(&mut out, |message: &Message<'_>, _: &mut Vec<u8>| {
                // The filters overlap: the second look is at the one that has a question of its own.
                if message.sid != b"5" || !message.subject.starts_with(b"$SYS.REQ.ACCOUNT.PING.") {
                    asked.push(Asked::of(message));
                }
            }) => {
                if read.is_none() {
                    return;
                }
                if frames.take_pongs() > 0 {
                    // Whoever waited for it may have gone on already.
                    let _ = reachable.send(());
                }
            }
            _ = phase.wait_for(|phase| *phase == Phase::Stopping) => {
                return say_goodbye(sources, &mut frames, &mut write).await;
            }
            events = sources.engine.events.next(EVENTS_A_TURN) => {
                event::tell(sources, &events, &mut out).await;
            }
            _ = reports.tick() => {
                event::report(sources, &mut out).await;
                sources.reloader.keep_house();
            }
            _ = looks.tick() => {
                waited.tell(&sources.engine);
                sources.reloader.turn_activations();
            }
        }
        for (count, request) in asked.into_iter().enumerate() {
            let about_claims = claims::answer(sources, &request, &mut out, &mut write).await;
            let Ok(about_claims) = about_claims else {
                return;
            };
            if about_claims {
                continue;
            }
            if let Some(answered) = answer(sources, &request).await {
                let (headers, body) = request.encoding().apply(&answered);
                push_publish(&mut out, &request.reply, b"", headers.as_deref(), &body);
            }
            if count % REQUESTS_A_TURN == REQUESTS_A_TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// Who tells what was waited for in vain, in whichever account: connected when there is something to tell of.
#[derive(Default)]
struct Waited(Option<Insider>);

impl Waited {
    fn tell(&mut self, engine: &Arc<Engine>) {
        if !engine.waits_for_answers() {
            return;
        }
        // Whoever does not read at once is written to by a task of the engine.
        let _entered = engine.threads.runtime(0).enter();
        if self.0.as_ref().is_none_or(Insider::is_cut_off) {
            self.0 = Insider::connect(engine, &Arc::new(Intake::default()));
        }
        if let Some(insider) = &self.0 {
            insider.tell_overdue();
        }
    }
}
