//! What a client may say besides publishing: CONNECT, SUB, UNSUB, PING. And what it is told.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use recado_auth::{Denied, Identity, Method, Permissions, Subscribing};
use recado_session::{Goodbye, Step, subscription_violation};
use recado_wire::{Connect, OK, PONG, ProtocolError, push_err};

use super::account::Account;
use super::client::Client;
use super::clock;
use super::events::Event;
use super::login::{Arrival, Presented, Transport, Wait, decide_elsewhere, paused, rights_of};
use super::reader::{After, Reader};
use super::shared::Engine;
use super::standing::Standing;
use super::subscription::{Special, Subscription};
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
                    .info_for(&self.connection, Some(&self.account), None);
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
            Step::Authenticate(mut connect) => {
                self.connection.fill_in(&mut connect);
                if self.is_paused() {
                    return Some(After::Close(paused()));
                }
                // A second CONNECT drops what may be very many subscriptions.
                let manner = self.engine.manner();
                let asked = manner.authenticator_for(self.connection.way());
                if asked.is_costly(&connect) || self.session.connected() {
                    return Some(After::Authenticate(connect));
                }
                let presented = Presented::new(&connect, &self.arrival());
                let decision = presented.decide(&manner);
                let asks = |denied: &Denied| {
                    denied.service_needed().is_some() || denied.account_needed().is_some()
                };
                if decision.as_ref().is_err_and(asks) {
                    return Some(After::Authenticate(connect));
                }
                match self.admit(&connect, presented, decision, now) {
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
            let special = match self.judge_subscription(filter, queue, held.len()) {
                Ok(special) => special,
                Err(error) => {
                    drop(held);
                    // A subject that is none concerns nobody but who wrote it; the client asks so whether all was heard.
                    if error != ProtocolError::InvalidSubject && self.is_refusal_told() {
                        tracing::error!(cid = self.connection.id, error = %error.text(), "subscription refused");
                    }
                    return self.say_error(worker, &error);
                }
            };
            let headers = self.session.headers();
            let sub = Subscription::new(connection, headers, filter, queue, sid);
            let sub = Arc::new(match special {
                Some(special) => sub.with_special(special),
                None => sub,
            });
            held.insert(Arc::clone(&sub));
            drop(held);
            self.account.enter(sub);
            self.engine.newcomers.announce();
        } else {
            drop(held);
        }
        if self.session.verbose() {
            self.say(worker, OK);
        }
    }

    /// Whether a subscription may be made, and what sets it apart.
    fn judge_subscription(
        &self,
        filter: &[u8],
        queue: Option<&[u8]>,
        held: usize,
    ) -> Result<Option<Special>, ProtocolError> {
        let special = judge(self.session.permissions(), filter, queue)
            .ok_or_else(|| subscription_violation(filter, queue))?;
        self.session.check_subscription(filter, held)?;
        Ok(special.is_any().then_some(special))
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
            self.account.outdate(&sub);
            if sub.delivered.load(Ordering::Acquire) >= max {
                self.engine.end_subscription(&sub);
            }
            return;
        }
        held.remove(sid);
        drop(held);
        self.account.leave(&sub);
    }

    /// Takes over a decision on a credential.
    fn admit(
        &mut self,
        connect: &Connect,
        presented: Presented,
        decision: Result<Identity, Denied>,
        now: Instant,
    ) -> Result<(), Goodbye> {
        // Known before it is decided on, so that a refusal is logged with the name; a second CONNECT
        // keeps the first one's, which are for logs only.
        let client = Client::new(connect);
        let _ = self.connection.client.set(Box::new(client));
        let identity = decision.map_err(|denied| self.note_denial(&denied))?;
        if let Some(address) = self.watched_address() {
            self.engine.failures.lock().forgive(address, now_s());
        }
        self.session.admit(connect, now)?;
        self.take_standing(identity, presented)?;
        if let Some(layers) = self.connection.outside_layers() {
            layers.set_known();
        }
        // Subscriptions from before the first CONNECT follow what it says.
        for sub in self.connection.subscriptions.lock().iter() {
            sub.headers.store(self.session.headers(), Ordering::Release);
            self.account.outdate(sub);
        }
        self.note_login(connect);
        if self.connection.peer.is_some() {
            self.engine
                .note_event(|| Event::Connected(Arc::clone(&self.connection)));
        }
        Ok(())
    }

    /// Who showed a credential is told in the log, as all are who were refused; anybody else for who looks closer.
    fn note_login(&self, connect: &Connect) {
        let (cid, peer) = (self.connection.id, self.connection.peer_text());
        let (name, account) = (connect.name.as_deref(), &*self.account.name);
        let identity = &self.connection.standing().identity;
        if matches!(identity.method, Method::Open) {
            let (lang, version) = (connect.lang.as_deref(), connect.version.as_deref());
            tracing::debug!(cid, %peer, name, lang, version, account, "client connected");
        } else {
            let user = identity.user.as_deref();
            tracing::info!(cid, %peer, user, account, name, "login");
        }
    }

    /// Where the client comes from, if failures from there count: whoever is on this machine is not a stranger, and
    /// one proxy here may stand for everybody.
    fn watched_address(&self) -> Option<IpAddr> {
        let address = self.connection.proved_address()?.ip().to_canonical();
        let manner = self.engine.manner();
        let asked = manner
            .authenticator_for(self.connection.way())
            .is_required();
        (asked && !address.is_loopback()).then_some(address)
    }

    /// Whether logins from there failed too often of late: the next are refused unseen.
    fn is_paused(&self) -> bool {
        let address = self.watched_address();
        address.is_some_and(|address| self.engine.is_paused(address))
    }

    /// Why a credential was refused, for the log alone: the client is told nothing of it (C21).
    fn note_denial(&self, denied: &Denied) -> Goodbye {
        let (cid, peer) = (self.connection.id, self.connection.peer_text());
        tracing::warn!(
            cid,
            %peer,
            claimed = denied.claimed.as_deref(),
            reason = %denied.reason,
            "login denied"
        );
        if let Some(claimed) = &denied.claimed {
            self.connection.set_claimed(claimed);
        }
        if let Some(address) = self.watched_address()
            && self.engine.failures.lock().note(address, now_s())
        {
            let pause_s = recado_auth::PAUSE_S;
            tracing::warn!(%address, pause_s, "too many failed logins: the address is not listened to for a while");
        }
        Goodbye::unauthorized("wrong or missing credential")
    }

    /// How this client came.
    fn arrival(&self) -> Arrival {
        Arrival {
            nonce: self.connection.nonce(),
            transport: Transport(self.connection.connection_type()),
            peer: self.connection.proved_address().map(|peer| peer.ip()),
            certificate: self.connection.tls().and_then(|tls| tls.names.clone()),
        }
    }

    /// The connection belongs to this user and account from now on.
    fn take_standing(&mut self, identity: Identity, presented: Presented) -> Result<(), Goodbye> {
        let standing = match identity.method {
            // Nobody in particular: all of them share one.
            Method::Open => {
                let manner = self.engine.manner();
                let anonymous = manner.anonymous(self.connection.way());
                Arc::clone(anonymous.unwrap_or_else(|| self.engine.nobody()))
            }
            _ => {
                let presented = Some(Arc::new(presented));
                Arc::new(Standing::of(identity, &self.engine.accounts, presented))
            }
        };
        self.enter_account(&standing.account)?;
        self.session.set_rights(rights_of(&standing));
        self.connection.set_standing(standing);
        Ok(())
    }

    /// Takes over what changed about the connection since the last turn; some: it ends.
    pub(super) fn take_notice(&mut self) -> Option<Goodbye> {
        if let Some(goodbye) = self.connection.take_notice()? {
            return Some(goodbye);
        }
        // Parts of the server stay as they are.
        self.connection.peer?;
        let manner = self.engine.manner();
        let settings = Arc::clone(manner.session_for(self.connection.way()));
        self.session.set_settings(settings);
        let standing = self.connection.standing();
        self.session.set_rights(rights_of(&standing));
        let held = self.connection.subscriptions.lock().len();
        let most = self.session.max_subscriptions();
        most.is_some_and(|most| held > most).then_some(Goodbye {
            told: Some(ProtocolError::MaxSubscriptions),
            reason: "it has more subscriptions than it may have from now on",
        })
    }

    /// Moves to an account, unless it has as many clients as it may have. What was subscribed to in another one ends.
    fn enter_account(&mut self, account: &Arc<Account>) -> Result<(), Goodbye> {
        if self.in_account && Arc::ptr_eq(account, &self.account) {
            return Ok(());
        }
        self.leave_account();
        if !Arc::ptr_eq(account, &self.account) {
            let subs = self.connection.subscriptions.lock().take_all();
            for sub in subs {
                self.account.leave(&sub);
            }
            self.account = Arc::clone(account);
        }
        let most = account.terms().limits.max_connections;
        let others = account.clients.fetch_add(1, Ordering::AcqRel);
        self.in_account = true;
        if most.is_some_and(|most| others >= most) {
            return Err(Goodbye {
                told: Some(ProtocolError::MaxAccountConnections),
                reason: "its account has as many connections as it may have",
            });
        }
        Ok(())
    }

    /// Its account has one client less.
    pub(super) fn leave_account(&mut self) {
        if std::mem::take(&mut self.in_account) {
            self.account.clients.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Decides where blocking is allowed, then goes on with what came behind the CONNECT.
    pub(super) async fn authenticate_elsewhere(
        &mut self,
        connect: Box<Connect>,
    ) -> Result<(), Goodbye> {
        let mut connect = connect;
        loop {
            let presented = Presented::new(&connect, &self.arrival());
            let wait = Wait {
                until: (!self.session.connected()).then(|| self.session.deadline()),
                address: self.watched_address(),
            };
            let decided =
                decide_elsewhere(&self.engine, &self.connection, &connect, presented, wait);
            let (presented, decision) = decided.await?;
            // A second CONNECT begins anew: what was subscribed before it is dropped (A11).
            if self.session.connected() {
                self.drop_subscriptions().await;
            }
            self.admit(&connect, presented, decision, Instant::now())?;
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

impl Engine {
    /// Whether logins from there failed too often of late.
    pub(super) fn is_paused(&self, address: IpAddr) -> bool {
        self.failures.lock().paused_s(address, now_s()).is_some()
    }
}

/// Seconds on the engine's own clock.
fn now_s() -> u64 {
    clock::now_us() / 1_000_000
}

/// What sets a subscription apart, of a user with these permissions; `None`: it may not be.
pub(super) fn judge(
    permissions: Option<&Arc<Permissions>>,
    filter: &[u8],
    queue: Option<&[u8]>,
) -> Option<Special> {
    let Some(permissions) = permissions else {
        return Some(Special::default());
    };
    let verdict = permissions.subscription(filter, queue);
    (verdict != Subscribing::Denied).then(|| Special {
        filtered: (verdict == Subscribing::Filtered).then(|| Arc::clone(permissions)),
        grants_replies: permissions.responses().is_some(),
        ..Special::default()
    })
}
