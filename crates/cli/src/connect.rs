//! Getting connected: once and with a clear failure, or patiently with `--retry`; and afterwards
//! what the connection goes through, told to the person.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_nats::connection::State;
use async_nats::{Auth, Client, ConnectOptions, Event, ServerError};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};

use crate::failure::Failure;
use crate::interrupt;
use crate::line::{self, Line};
use crate::settings::Settings;
use crate::span;
use crate::terminal;
use crate::text::{failures, talk as text, waiting as text_waiting};
use crate::waiting::Waiting;

/// The first pause between two attempts; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// How many messages may wait here to be printed before new ones are dropped (and said so).
const WAITING_MESSAGES_MAX: usize = 512 * 1024;

/// Opens a plain connection: see [`crate::line`].
pub(crate) async fn line(settings: &Settings) -> Result<Line, Failure> {
    until_asked(patiently(settings, || line::open(settings))).await
}

/// Opens a connection that comes back by itself when it breaks.
pub(crate) async fn session(settings: &Settings) -> Result<Session, Failure> {
    until_asked(patiently(settings, || Session::open(settings))).await
}

/// Ctrl-C ends the wait for a server, whatever the command would make of it afterwards.
async fn until_asked<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        biased;
        () = interrupt::asked() => Err(Failure::Interrupted),
        result = work => result,
    }
}

/// Tries once, or with `--retry` until it works or the deadline is over.
async fn patiently<T, F>(settings: &Settings, attempt: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let label = settings.label();
    let mut waiting = Waiting::for_what(text_waiting::for_server(&label));
    let mut pause = PAUSE_MIN;
    let mut last = None;
    loop {
        let left = settings
            .deadline
            .map(|deadline| deadline.saturating_sub(waiting.elapsed()));
        // On the heap: the way in has many steps, and every command holds this future.
        let attempt = Box::pin(within(left, attempt()));
        let failure = match waiting.during(attempt).await {
            Some(Ok(opened)) => {
                let took = waiting.elapsed();
                if waiting.end() {
                    terminal::notice(&text_waiting::connected(&span::show(took)));
                }
                return Ok(opened);
            }
            Some(Err(failure)) if settings.retry && failure.may_pass() => failure,
            Some(Err(failure)) => return Err(failure),
            None => last.unwrap_or(Failure::NoAnswer {
                address: label.clone(),
                limit: settings.deadline.unwrap_or_default(),
            }),
        };
        if let Some(deadline) = settings.deadline
            && waiting.elapsed() + pause > deadline
        {
            // The cause keeps its own status: a script can tell "refused" from "unknown host".
            terminal::notice(&text_waiting::gave_up(&span::show(deadline)));
            return Err(failure);
        }
        waiting.because(failure.what());
        last = Some(failure);
        waiting.during(sleep(pause)).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// The library's options that say who we are and whom we trust.
fn options(settings: &Settings) -> Result<ConnectOptions, Failure> {
    let identity = settings.credentials.identity.clone();
    let mut options = ConnectOptions::with_auth_callback(move |nonce| {
        let proof = identity.proof(&nonce);
        async move {
            let mut auth = Auth::new();
            auth.token = proof.token;
            auth.username = proof.user;
            auth.password = proof.password;
            auth.nkey = proof.nkey;
            auth.jwt = proof.jwt;
            auth.signature = proof.signature;
            Ok(auth)
        }
    });
    let trust = &settings.trust;
    if trust.demands_tls() {
        options = options.require_tls(true).tls_client_config(trust.config()?);
    }
    if trust.first {
        options = options.tls_first();
    }
    Ok(options)
}

/// The result, unless it takes longer than what is left of a deadline.
async fn within<T>(left: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    match left {
        Some(left) => timeout(left, work).await.ok(),
        None => Some(work.await),
    }
}

/// A connection that listens, and what happens to it.
pub(crate) struct Session {
    /// For publishing and subscribing.
    pub(crate) client: Client,
    /// With the moment of each: they may be looked at much later.
    events: UnboundedReceiver<(Instant, Event)>,
    label: String,
    source: Option<String>,
    limit: Duration,
    /// Since when the server has been gone.
    gone: Option<Instant>,
    /// Whether an attempt to get it back has failed since.
    attempt_failed: bool,
    /// Messages of ours that were handed to the library while the server was gone.
    held: AtomicU64,
    dropped_told: bool,
    /// What [`settle`](Self::settle) asks to listen to, so that the server refuses it.
    probe: Option<String>,
    /// Subjects with this prefix may be refused to us without harm.
    dispensable: Option<&'static str>,
    hidden_told: bool,
    unanswered_told: bool,
    /// Whether what is sent while the connection is broken is kept for us.
    catches_up: bool,
}

impl Session {
    async fn open(settings: &Settings) -> Result<Self, Failure> {
        let (sender, mut events) = unbounded_channel();
        let mut options = options(settings)?
            .name(&settings.name)
            .connection_timeout(settings.connect_limit())
            .request_timeout(Some(settings.reply_limit()))
            .subscription_capacity(WAITING_MESSAGES_MAX)
            .retain_servers_order()
            .reconnect_delay_callback(|attempts| {
                let doublings = u32::try_from(attempts.saturating_sub(1))
                    .unwrap_or(8)
                    .min(8);
                if attempts <= 1 {
                    Duration::ZERO
                } else {
                    (PAUSE_MIN / 4 * 2u32.pow(doublings)).min(PAUSE_MAX)
                }
            })
            .event_callback(move |event| {
                // The receiver is gone only when the program is about to end.
                let _ = sender.send((Instant::now(), event));
                std::future::ready(())
            });
        if let Some(prefix) = &settings.inbox_prefix {
            options = options.custom_inbox_prefix(prefix);
        }
        let client = match options.connect(settings.servers.clone()).await {
            Ok(client) => client,
            Err(error) => {
                // The library's error says little about the cause; walking the same way step by
                // step finds it. If that walk succeeds, the trouble was a passing one.
                return match line::open(settings).await {
                    Err(cause) => Err(cause),
                    Ok(line) => Err(Failure::Lost {
                        address: line.address.clone(),
                        detail: error.to_string(),
                    }),
                };
            }
        };
        // Its first event is the connection that was just made.
        while let Ok((_, event)) = events.try_recv() {
            if event == Event::Connected {
                break;
            }
        }
        Ok(Self {
            client,
            events,
            label: settings.label(),
            source: settings.credentials.source.clone(),
            limit: settings.reply_limit(),
            gone: None,
            attempt_failed: false,
            held: AtomicU64::new(0),
            dropped_told: false,
            probe: None,
            dispensable: None,
            hidden_told: false,
            unanswered_told: false,
            catches_up: false,
        })
    }

    /// The servers as they are shown.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// How long an answer may take.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Waits until something about the connection ends the work; tells the person the rest.
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn trouble(&mut self) -> Failure {
        while let Some((at, event)) = self.events.recv().await {
            if let Err(failure) = self.judge(at, event) {
                return failure;
            }
        }
        Failure::Lost {
            address: self.label.clone(),
            detail: failures::lost_closed().to_owned(),
        }
    }

    /// Waits until the server has processed everything sent so far.
    ///
    /// The library has no PING/PONG, and a message that goes round is seen and counted by whoever
    /// listens to `>`, ourselves included. A subscription that breaks the rules goes to nobody: the
    /// server refuses it in its turn, on a connection that stays open (A41). A user who may not
    /// listen there is refused for that instead, which says the same.
    pub(crate) async fn settle(&mut self) -> Result<(), Failure> {
        let refusable = format!("{}.>.settled", self.client.new_inbox());
        self.probe = Some(refusable.clone());
        // Kept until the end: without it the library would not ask again after a broken connection.
        let _subscription = self
            .client
            .subscribe(refusable)
            .await
            .map_err(|_| self.closed())?;
        let limit = self.limit;
        let refused = async {
            loop {
                match self.events.recv().await {
                    Some((_, event)) if self.is_about_probe(&event) => return Ok(()),
                    Some((at, event)) => self.judge(at, event)?,
                    None => return Err(self.closed()),
                }
            }
        };
        match timeout(limit, refused).await {
            Ok(settled) => settled,
            Err(_) => Err(Failure::Deadline {
                what: failures::deadline_pong(&self.label, &span::show(limit)),
                next: failures::deadline_pong_next().to_owned(),
            }),
        }
    }

    /// From now on, a user who may not listen on subjects with this prefix, or not answer on a subject
    /// that somebody else chose, is told so, and goes on.
    pub(crate) fn can_do_without(&mut self, prefix: &'static str) {
        self.dispensable = Some(prefix);
    }

    /// From now on, a connection that broke costs nothing that we wait for: a stream keeps it.
    pub(crate) fn can_catch_up(&mut self) {
        self.catches_up = true;
    }

    /// How often the connection has been made.
    pub(crate) fn connects(&self) -> u64 {
        self.client.statistics().connects.load(Ordering::Relaxed)
    }

    /// Counts a message of ours that is about to be given to the library, if the server is gone.
    ///
    /// The library keeps it and sends it on the next connection; nobody confirms it.
    pub(crate) fn hands_over(&self) {
        if self.client.connection_state() == State::Disconnected {
            self.held.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The failure for a library call that found the connection's task gone.
    pub(crate) fn closed(&self) -> Failure {
        Failure::Lost {
            address: self.label.clone(),
            detail: failures::lost_closed().to_owned(),
        }
    }

    fn is_about_probe(&self, event: &Event) -> bool {
        match (event, &self.probe) {
            (Event::ServerError(ServerError::Other(said)), Some(probe)) => {
                // All other subjects were checked before they were sent.
                said.eq_ignore_ascii_case("Invalid Subject") || said.contains(probe)
            }
            _ => false,
        }
    }

    /// Whether it is the refusal of something that we can do without; the person is told once.
    fn is_dispensable(&mut self, event: &Event) -> bool {
        let (Event::ServerError(ServerError::Other(said)), Some(prefix)) =
            (event, self.dispensable)
        else {
            return false;
        };
        let hidden = said.contains(&format!("\"{prefix}"));
        let publish = "permissions violation for publish";
        let unanswered = !hidden && said.to_lowercase().starts_with(publish);
        if hidden && !self.hidden_told {
            self.hidden_told = true;
            terminal::notice(&text::not_discoverable(said));
        }
        if unanswered && !self.unanswered_told {
            self.unanswered_told = true;
            terminal::notice(&text::not_answered(said));
        }
        hidden || unanswered
    }

    fn judge(&mut self, at: Instant, event: Event) -> Result<(), Failure> {
        if self.is_about_probe(&event) || self.is_dispensable(&event) {
            return Ok(());
        }
        match event {
            // The very first one may come late; the server was not gone then.
            Event::Connected => {
                if let Some(gone) = self.gone.take() {
                    self.tell_back(at.duration_since(gone));
                }
            }
            Event::Disconnected => {
                if self.gone.is_none() {
                    self.gone = Some(at);
                    self.attempt_failed = false;
                    terminal::notice(&match self.catches_up {
                        true => text::gone_for_now(&self.label),
                        false => text::gone(&self.label),
                    });
                }
            }
            Event::LameDuckMode => terminal::notice(&text::lame_duck(&self.label)),
            Event::SlowConsumer(_) => {
                if !self.dropped_told {
                    self.dropped_told = true;
                    terminal::notice(text::dropped());
                }
            }
            Event::ServerError(ServerError::AuthorizationViolation) => {
                return Err(self.sorted("Authorization Violation"));
            }
            // It is about to close the connection, which is then opened again.
            Event::ServerError(ServerError::Other(said)) if said == "Stale Connection" => {}
            Event::ServerError(ServerError::Other(said)) => return Err(self.sorted(&said)),
            // While the server is gone, each attempt that fails comes by here.
            Event::ClientError(error) if error.to_string().contains("authorization violation") => {
                return Err(self.sorted("Authorization Violation"));
            }
            Event::Closed => return Err(self.closed()),
            Event::ClientError(_) => self.attempt_failed = true,
            Event::ServerError(ServerError::SlowConsumer(_)) | Event::Draining => {}
        }
        Ok(())
    }

    /// Says how long the server was gone, what that cost, and who broke the connection if that shows.
    fn tell_back(&self, gone: Duration) {
        let gone = span::show(gone);
        terminal::notice(&match self.catches_up {
            true => text::back_to_go_on(&self.label, &gone),
            false => text::back(&self.label, &gone),
        });
        // A server that lets us in at the first attempt was not away: it has cut us off.
        if !self.attempt_failed {
            terminal::notice(text::cut_off());
        }
        let held = self.held.swap(0, Ordering::Relaxed);
        if held > 0 {
            terminal::notice(&text::held(held));
        }
    }

    fn sorted(&self, said: &str) -> Failure {
        Failure::from_server(&self.label, self.source.as_deref(), said)
    }
}
