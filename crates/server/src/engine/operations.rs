//! What a client may say besides publishing: CONNECT, SUB, UNSUB, PING. And what it is told.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use recado_session::{Goodbye, Step};
use recado_wire::{Connect, OK, PONG, ProtocolError, push_err};

use super::client::Client;
use super::reader::{After, Reader};
use super::shared::Engine;
use super::subscription::Subscription;
use super::worker::{Worker, with_worker};

impl Reader {
    /// Everything but publishing. Some: the batch ends with it.
    pub(super) fn control(
        &mut self,
        worker: &mut Worker,
        step: Step<'_>,
        now: Instant,
    ) -> Option<After> {
        match step {
            Step::Say(bytes) => self.say(worker, bytes),
            Step::PongAndInfo => {
                self.say(worker, PONG);
                let info = self
                    .engine
                    .info_line(self.connection.id, self.connection.peer, true);
                self.say(worker, &info);
                let takes = self.session.takes_async_info();
                self.connection
                    .takes_async_info
                    .store(takes, Ordering::Relaxed);
            }
            Step::Nothing => self.note_round_trip(),
            Step::Subscribe { filter, queue, sid } => self.subscribe(worker, filter, queue, sid),
            Step::Unsubscribe { sid, max } => {
                worker.count(self.not_to());
                self.unsubscribe(sid, max);
                if self.session.verbose() {
                    self.say(worker, OK);
                }
            }
            // A second CONNECT drops what may be very many subscriptions.
            Step::Authenticate(connect)
                if self.engine.authenticator.is_costly() || self.session.connected() =>
            {
                return Some(After::Authenticate(connect));
            }
            Step::Authenticate(connect) => {
                let decision = self.engine.authenticator.decide(&connect);
                match self.admit(&connect, decision, now) {
                    Ok(()) if self.session.verbose() => self.say(worker, OK),
                    Ok(()) => {}
                    Err(goodbye) => return Some(After::Close(goodbye)),
                }
            }
            Step::Close(goodbye) => return Some(After::Close(goodbye)),
            Step::Publish(_) | Step::More(_) => {}
        }
        None
    }

    pub(super) fn say(&self, worker: &mut Worker, bytes: &[u8]) {
        if let Some(appender) = worker.stage.buffer_of(&self.connection) {
            appender.control(bytes);
        }
    }

    pub(super) fn say_error(&self, worker: &mut Worker, error: &ProtocolError) {
        let mut bytes = Vec::new();
        push_err(&mut bytes, error);
        self.say(worker, &bytes);
    }

    fn note_round_trip(&self) {
        if let Some(round_trip) = self.session.round_trip() {
            let micros = u32::try_from(round_trip.as_micros())
                .unwrap_or(u32::MAX)
                .max(1);
            self.connection
                .round_trip_us
                .store(micros, Ordering::Relaxed);
        }
    }

    fn subscribe(&mut self, worker: &mut Worker, filter: &[u8], queue: Option<&[u8]>, sid: &[u8]) {
        let connection = &self.connection;
        let mut held = connection.subscriptions.lock();
        // The same sid again while it is live is ignored: the first one stays (A22).
        if held.get(sid).is_none() {
            if let Err(error) = self.session.check_subscription(filter, held.len()) {
                drop(held);
                tracing::debug!(cid = connection.id, error = %error.text(), "subscription refused");
                return self.say_error(worker, &error);
            }
            let headers = self.session.headers();
            let sub = Arc::new(Subscription::new(connection, headers, filter, queue, sid));
            held.insert(Arc::clone(&sub));
            drop(held);
            self.engine.router.insert(sub);
            self.engine.newcomers.announce();
        } else {
            drop(held);
        }
        if self.session.verbose() {
            self.say(worker, OK);
        }
    }

    /// `max` counts from the creation of the subscription (A23).
    fn unsubscribe(&mut self, sid: &[u8], max: u64) {
        let mut held = self.connection.subscriptions.lock();
        let Some(sub) = held.get(sid).cloned() else {
            return;
        };
        if max > sub.delivered.load(Ordering::Acquire) {
            drop(held);
            sub.max.store(max, Ordering::Release);
            // Routes resolved before took it for unlimited.
            self.engine.router.outdate(&sub);
            if sub.delivered.load(Ordering::Acquire) >= max {
                self.engine.end_subscription(&sub);
            }
            return;
        }
        held.remove(sid);
        drop(held);
        self.engine.router.remove(&sub);
    }

    /// Takes over a decision on a credential.
    fn admit(
        &mut self,
        connect: &Connect,
        decision: Result<recado_auth::Identity, recado_auth::Denied>,
        now: Instant,
    ) -> Result<(), Goodbye> {
        // Known before it is decided on, so that a refusal is logged with the name; a second CONNECT
        // keeps the first one's, which are for logs only.
        let user = decision.as_ref().ok().and_then(|who| who.user.as_deref());
        let client = Client::new(connect, user);
        let _ = self.connection.client.set(Box::new(client));
        let identity =
            decision.map_err(|_| Goodbye::unauthorized("wrong or missing credential"))?;
        self.session.admit(connect, now)?;
        // Subscriptions from before the first CONNECT follow what it says.
        for sub in self.connection.subscriptions.lock().iter() {
            sub.headers.store(self.session.headers(), Ordering::Release);
            self.engine.router.outdate(sub);
        }
        tracing::debug!(
            cid = self.connection.id,
            name = connect.name.as_deref(),
            lang = connect.lang.as_deref(),
            version = connect.version.as_deref(),
            user = identity.user.as_deref(),
            "client connected"
        );
        Ok(())
    }

    /// Decides where blocking is allowed, then goes on with what came behind the CONNECT.
    pub(super) async fn authenticate_elsewhere(
        &mut self,
        connect: Box<Connect>,
    ) -> Result<(), Goodbye> {
        let mut connect = connect;
        loop {
            let (connect_again, decision) = decide_elsewhere(&self.engine, connect).await?;
            // A second CONNECT begins anew: what was subscribed before it is dropped (A11).
            if self.session.connected() {
                self.drop_subscriptions().await;
            }
            self.admit(&connect_again, decision, Instant::now())?;
            if self.session.verbose() {
                self.connection.deliver_bytes(OK);
            }
            let rest = std::mem::take(&mut self.partial);
            if rest.is_empty() {
                return Ok(());
            }
            match with_worker(|worker| self.handle(worker, &rest, Instant::now())) {
                After::Close(goodbye) => return Err(goodbye),
                After::Authenticate(next) => connect = next,
                _ => return Ok(()),
            }
        }
    }
}

/// Decides on a credential where blocking is allowed, a few at a time.
async fn decide_elsewhere(engine: &Arc<Engine>, connect: Box<Connect>) -> Result<Decided, Goodbye> {
    let failed = || Goodbye::unauthorized("the credential could not be checked");
    if !engine.authenticator.is_costly() {
        let decision = engine.authenticator.decide(&connect);
        return Ok((connect, decision));
    }
    let _permit = engine.deciding.acquire().await.map_err(|_| failed())?;
    let engine = Arc::clone(engine);
    let decided = tokio::task::spawn_blocking(move || {
        let decision = engine.authenticator.decide(&connect);
        (connect, decision)
    });
    decided.await.map_err(|_| failed())
}

/// A CONNECT and what was decided on it.
type Decided = (
    Box<Connect>,
    Result<recado_auth::Identity, recado_auth::Denied>,
);
