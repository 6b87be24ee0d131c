//! What a connection passes between being accepted and its first operation, where its door asks for
//! more than nothing: see [`super::door`]. Everything here is bounded in time and bytes, for nobody is known yet.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use recado_session::{Goodbye, Session};
use recado_wire::ProtocolError;
use tokio::time::{Instant as TokioInstant, timeout, timeout_at};

use super::door::{Door, Rules, Way};
use super::ending::{CloseReason, TLS_HANDSHAKE, WEBSOCKET_HANDSHAKE};
use super::events::Event;
use super::layers::Layers;
use super::login::rights_of;
use super::proxy_header::{self, Start};
use super::reader::Reader;
use super::tls::{Stage, TlsSession, Wire};
use super::websocket;
use crate::config::{HandshakeFirst, WebsocketOptions};
use crate::tls::{Material, NotValid, Turn};

/// Bytes that are read at once while nobody is known.
const READ_BYTES: usize = 4 * 1024;
/// Time that a proxy's header may take from its first byte to its last.
const PROXY_TIME_MAX: Duration = Duration::from_secs(5);
/// How often is looked whether somebody is still asked about a client's certificate.
const ASKING_LOOK: Duration = Duration::from_millis(50);
/// The first byte of a TLS handshake.
const HANDSHAKE_RECORD: u8 = 0x16;

/// What a connection speaks that came in.
pub(super) enum Opened {
    /// The engine's own protocol: its session has begun.
    Nats,
    /// MQTT: what was read of it already.
    Mqtt(Vec<u8>),
}

/// Why a connection did not come in.
pub(super) enum Refused {
    /// It went away.
    Gone,
    /// Something was wrong, which is logged already; the client may be told.
    Told(Option<ProtocolError>, &'static str),
}

/// What came in, and what was read of it already, plain.
struct Passed {
    read: Vec<u8>,
    mqtt: bool,
}

impl From<io::Error> for Refused {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl Reader {
    /// Passes what the door asks for, then begins the session. What was read beyond it is handled first.
    pub(super) async fn open(&mut self, way: Way, rules: &Rules) -> Result<Opened, CloseReason> {
        let engine = Arc::clone(&self.engine);
        let door = engine.door(way);
        match self.pass(door, rules).await {
            Ok(Passed { read, mqtt: true }) => Ok(Opened::Mqtt(read)),
            Ok(Passed { read, mqtt: false }) => {
                let now = Instant::now();
                let manner = engine.manner();
                self.session = Session::new(Arc::clone(manner.session_for(way)), now);
                self.session
                    .set_rights(rights_of(&self.connection.standing()));
                self.begin_with(read);
                Ok(Opened::Nats)
            }
            Err(Refused::Gone) => Err(CloseReason::ClientClosed),
            Err(Refused::Told(told, reason)) => {
                // Who speaks MQTT would not understand it.
                let told = told.filter(|_| !rules.mqtt);
                Err(self.say_goodbye(Goodbye { told, reason }).await)
            }
        }
    }

    /// What was read already, plain.
    async fn pass(&mut self, door: &Door, rules: &Rules) -> Result<Passed, Refused> {
        let mut early = Vec::new();
        if rules.proxy_protocol {
            self.hear_proxy(&mut early).await?;
        }
        if let Some(options) = &rules.websocket {
            return self.pass_websocket(door, rules, options, early).await;
        }
        if rules.mqtt {
            let read = self.pass_mqtt(door, rules, early).await?;
            return Ok(Passed { read, mqtt: true });
        }
        let read = self.pass_tls(door, rules, early).await?;
        Ok(Passed { read, mqtt: false })
    }

    /// TLS if there is to be any, and INFO before or behind it.
    async fn pass_tls(
        &mut self,
        door: &Door,
        rules: &Rules,
        mut early: Vec<u8>,
    ) -> Result<Vec<u8>, Refused> {
        let mut greeted = rules.greets_first();
        let Some(material) = &rules.tls else {
            return Ok(early);
        };
        if let HandshakeFirst::After(delay) = material.handshake_first {
            if early.is_empty() {
                self.read_within(delay, &mut early).await?;
            }
            if early.first() != Some(&HANDSHAKE_RECORD) {
                self.greet();
                greeted = true;
            }
        }
        if rules.allow_non_tls {
            if early.is_empty() {
                self.read_within(material.timeout, &mut early).await?;
            }
            if early.first() != Some(&HANDSHAKE_RECORD) {
                if !greeted {
                    self.greet();
                }
                return Ok(early);
            }
        }
        let read = self.secure(door, material, early, !greeted).await?;
        if !greeted {
            self.greet();
        }
        Ok(read)
    }

    /// TLS if there is to be any: who speaks MQTT speaks first.
    async fn pass_mqtt(
        &mut self,
        door: &Door,
        rules: &Rules,
        mut early: Vec<u8>,
    ) -> Result<Vec<u8>, Refused> {
        let Some(material) = &rules.tls else {
            return Ok(early);
        };
        if rules.allow_non_tls {
            if early.is_empty() {
                self.read_within(material.timeout, &mut early).await?;
            }
            if early.first() != Some(&HANDSHAKE_RECORD) {
                return Ok(early);
            }
        }
        self.secure(door, material, early, true).await
    }

    /// TLS if there is to be any, then the upgrade, then INFO. What was read behind it.
    async fn pass_websocket(
        &mut self,
        door: &Door,
        rules: &Rules,
        options: &WebsocketOptions,
        early: Vec<u8>,
    ) -> Result<Passed, Refused> {
        let early = match &rules.tls {
            Some(material) => self.secure(door, material, early, true).await?,
            None => early,
        };
        let secure = rules.tls.is_some();
        let time = options.handshake_timeout;
        let Ok(upgraded) = timeout(time, self.upgrade(options, secure, early)).await else {
            let (cid, peer) = (self.connection.id, self.connection.peer_text());
            let timeout_ms = time.as_millis() as u64;
            tracing::error!(cid, %peer, timeout_ms, "websocket handshake timeout: the client did not ask for the upgrade in time (handshake_timeout)");
            return Err(Refused::Told(None, "websocket handshake timeout"));
        };
        let passed = upgraded?;
        if !passed.mqtt {
            self.greet();
        }
        Ok(passed)
    }

    /// Hears the request and answers it; what was read behind it, decoded.
    async fn upgrade(
        &mut self,
        options: &WebsocketOptions,
        secure: bool,
        early: Vec<u8>,
    ) -> Result<Passed, Refused> {
        let mqtt = self.engine.manner().mqtt.is_some();
        let mut request = early;
        let upgrade = loop {
            match websocket::parse(&request, options, secure, mqtt) {
                Ok(Some(upgrade)) => break upgrade,
                Ok(None) if request.len() < websocket::REQUEST_BYTES_MAX => {
                    self.read_some(&mut request).await?;
                }
                Ok(None) => return Err(self.refuse_upgrade(&websocket::Refusal::too_long()).await),
                Err(refusal) => return Err(self.refuse_upgrade(&refusal).await),
            }
        };
        self.connection.write_raw(&upgrade.answer(options)).await?;
        if let Some(ip) = upgrade.forwarded_for {
            self.connection.set_forwarded_for(ip);
        }
        let receiver = websocket::Receiver::new(upgrade.unmasked, upgrade.compression);
        if self.connection.layers().is_none() {
            self.connection.put_in(&mut self.read, Layers::new(None));
        }
        let max_payload = self.engine.manner().session.parse.max_payload;
        let layers = self.connection.layers().ok_or(Refused::Gone)?;
        let rest = &mut request[upgrade.length..];
        let (compression, cookies) = (upgrade.compression, upgrade.cookies.boxed());
        let read = layers.speak_websocket(receiver, compression, max_payload, cookies, rest)?;
        let mqtt = upgrade.mqtt.is_some();
        Ok(Passed { read, mqtt })
    }

    /// Says no in HTTP.
    async fn refuse_upgrade(&self, refusal: &websocket::Refusal) -> Refused {
        let (cid, peer) = (self.connection.id, self.connection.peer_text());
        tracing::error!(cid, %peer, "websocket handshake error: {}", refusal.reason);
        // Should it be gone already, nobody is there to hear it.
        let _ = self.connection.write_raw(&refusal.answer()).await;
        Refused::Told(None, WEBSOCKET_HANDSHAKE)
    }

    /// Listens to what a proxy says of the client, if it says anything; what is read behind it stays in
    /// `early`. Who says nothing for as long as it may is no proxy.
    async fn hear_proxy(&mut self, early: &mut Vec<u8>) -> Result<(), Refused> {
        let silence = self
            .session
            .deadline()
            .saturating_duration_since(Instant::now());
        self.read_within(silence, early).await?;
        let deadline = TokioInstant::now() + PROXY_TIME_MAX;
        loop {
            match proxy_header::parse(early) {
                Start::Absent => return Ok(()),
                Start::Incomplete if early.is_empty() => return Ok(()),
                Start::Incomplete => {
                    let read = timeout_at(deadline, self.read_some(early)).await;
                    read.map_err(|_| self.refuse_proxy("it did not come whole in time"))??;
                }
                Start::Header(length, source) => {
                    early.drain(..length);
                    if let Some(source) = source {
                        self.connection.set_behind(source);
                    }
                    return Ok(());
                }
                Start::Malformed(why) => return Err(self.refuse_proxy(why)),
            }
        }
    }

    fn refuse_proxy(&self, why: &'static str) -> Refused {
        let (cid, peer) = (self.connection.id, self.connection.peer_text());
        tracing::error!(cid, %peer, "the proxy's header (PROXY protocol) can't be used: {why}");
        Refused::Told(None, "PROXY protocol error")
    }

    /// Says INFO.
    fn greet(&self) {
        let info = self
            .engine
            .info_for(&self.connection, None, self.connection.nonce().as_deref());
        self.connection.deliver_bytes(&info);
    }

    /// The handshake; what was read behind it.
    async fn secure(
        &mut self,
        door: &Door,
        material: &Material,
        early: Vec<u8>,
        first: bool,
    ) -> Result<Vec<u8>, Refused> {
        if !door.admits_handshake(material.rate_limit, Instant::now()) {
            let told = Some(ProtocolError::ConnectionThrottled);
            return Err(Refused::Told(
                told,
                "more TLS handshakes within a second than connection_rate_limit allows",
            ));
        }
        let asking = Asking::default();
        let shaking = self.shake_hands(material, early, &asking);
        let done = asking.within(material.timeout, shaking).await;
        let Some(done) = done else {
            let (cid, peer) = (self.connection.id, self.connection.peer_text());
            let timeout_ms = material.timeout.as_millis() as u64;
            tracing::error!(cid, %peer, timeout_ms, "TLS handshake timeout: the client did not finish it in time; it may not speak TLS at all, or its network is slow (then raise the timeout of tls)");
            let told = Some(ProtocolError::TlsRequired);
            return Err(Refused::Told(told, "TLS handshake timeout"));
        };
        let (session, read) = done?;
        let mut facts = session.facts();
        facts.first = first;
        let (cid, version, cipher) = (self.connection.id, facts.version, &facts.cipher_suite);
        tracing::debug!(cid, version, %cipher, "TLS handshake complete");
        self.connection
            .put_in(&mut self.read, Layers::new(Some((session, facts))));
        Ok(read)
    }

    async fn shake_hands(
        &mut self,
        material: &Material,
        early: Vec<u8>,
        asking: &Asking,
    ) -> Result<(TlsSession, Vec<u8>), Refused> {
        // The greeting must be out: from here on the socket is written to past the outbox.
        self.connection.drained_to(0).await;
        let mut session = TlsSession::new(Arc::clone(&material.config))
            .map_err(|error| self.refuse_tls(&error))?;
        let (mut input, mut plain, mut wire) = (early, Vec::new(), Wire::default());
        let mut begun = false;
        loop {
            if input.is_empty()
                && let Err(refused) = self.read_some(&mut input).await
            {
                return Err(if begun { self.left_halfway() } else { refused });
            }
            if !begun && input.first() != Some(&HANDSHAKE_RECORD) {
                let (cid, peer) = (self.connection.id, self.connection.peer_text());
                tracing::error!(cid, %peer, "TLS handshake error: the client does not speak TLS; it should connect to tls://, or allow_non_tls lets it in as it is");
                let told = Some(ProtocolError::TlsRequired);
                return Err(Refused::Told(told, "the client does not speak TLS"));
            }
            begun = true;
            input.splice(0..0, session.incomplete().iter().copied());
            wire.clear();
            let step = Step {
                session,
                input,
                plain,
                wire,
            };
            let (stage, step) = match material.checked.is_some() {
                true => self.check_step(step, asking).await?,
                false => self.take_step(step).await?,
            };
            (session, input, plain, wire) = (step.session, step.input, step.plain, step.wire);
            self.connection.write_raw(wire.filled()).await?;
            match stage {
                Ok(Stage::Open) => return Ok((session, plain)),
                Ok(Stage::Handshake) => input.clear(),
                Ok(Stage::Closed) => return Err(Refused::Gone),
                Err(error) => return Err(self.refuse_tls(&error)),
            }
        }
    }

    async fn take_step(&self, mut step: Step) -> Result<(Outcome, Step), Refused> {
        // It is much work for the processor: so many at once, and others have their turns between.
        let turn = self.engine.handshakes.acquire().await;
        let _turn = turn.map_err(|_| Refused::Gone)?;
        let outcome = step.take();
        tokio::task::yield_now().await;
        Ok((outcome, step))
    }

    /// The same where somebody may have to be asked about the client's certificate first: a thread of its own waits for that.
    async fn check_step(
        &self,
        mut step: Step,
        asking: &Asking,
    ) -> Result<(Outcome, Step), Refused> {
        let turn = Arc::clone(&self.engine.handshakes).acquire_owned().await;
        let turn = turn.map_err(|_| Refused::Gone)?;
        let began = asking.begin();
        let taken = tokio::task::spawn_blocking(move || {
            let outcome = Turn::during(turn, || step.take());
            (outcome, step)
        });
        let taken = taken.await;
        asking.end(began);
        taken.map_err(|_| Refused::Gone)
    }

    /// Logs that the client went away without a word. Some do when they don't believe a certificate.
    fn left_halfway(&self) -> Refused {
        let (cid, peer) = (self.connection.id, self.connection.peer_text());
        tracing::error!(cid, %peer, "TLS handshake error: the client left in the middle of it; it may not trust the server's certificate (its authority, name or dates): the client's own log tells");
        Refused::Gone
    }

    /// Logs what was wrong with a handshake; the client was told by an alert.
    fn refuse_tls(&self, error: &rustls::Error) -> Refused {
        let (cid, peer) = (self.connection.id, self.connection.peer_text());
        let Some(why) = not_valid(error) else {
            tracing::error!(cid, %peer, "TLS handshake error: {error}; {}", advice(error));
            return Refused::Told(None, TLS_HANDSHAKE);
        };
        tracing::error!(cid, %peer, "TLS handshake error: {why}; if that is wrong, look at its responder, or at ocsp_peer");
        let (engine, why) = (&self.engine, Arc::new(why.clone()));
        let system = engine.accounts.system();
        for event in [Event::LinkInvalid, Event::Refused] {
            engine.events.note(&system, || event(Arc::clone(&why)));
        }
        Refused::Told(None, TLS_HANDSHAKE)
    }

    /// Reads at least a byte.
    pub(super) async fn read_some(&mut self, input: &mut Vec<u8>) -> Result<(), Refused> {
        input.reserve(READ_BYTES);
        let arrived = poll_fn(|cx| self.read.poll_read(cx, input)).await?;
        match arrived.bytes {
            0 => Err(Refused::Gone),
            _ => Ok(()),
        }
    }

    /// Reads something, or nothing within this time.
    async fn read_within(&mut self, time: Duration, input: &mut Vec<u8>) -> Result<(), Refused> {
        let read = timeout(time, self.read_some(input)).await;
        read.unwrap_or(Ok(()))
    }
}

/// Time that a handshake has waited for the threads that may ask.
#[derive(Default)]
struct Asking {
    under_way: AtomicBool,
    us: AtomicU64,
}

impl Asking {
    fn begin(&self) -> TokioInstant {
        self.under_way.store(true, Ordering::Relaxed);
        TokioInstant::now()
    }

    fn end(&self, began: TokioInstant) {
        let us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.us.fetch_add(us, Ordering::Relaxed);
        self.under_way.store(false, Ordering::Relaxed);
    }

    fn time(&self) -> Duration {
        Duration::from_micros(self.us.load(Ordering::Relaxed))
    }

    /// What comes of a handshake within so much of the client's time: what is asked about its certificate is not its own.
    async fn within<T>(&self, time: Duration, shaking: impl Future<Output = T>) -> Option<T> {
        let mut shaking = pin!(shaking);
        let began = TokioInstant::now();
        loop {
            let deadline = began + time + self.time();
            let look = match self.under_way.load(Ordering::Relaxed) {
                true => deadline.max(TokioInstant::now() + ASKING_LOOK),
                false => deadline,
            };
            match timeout_at(look, shaking.as_mut()).await {
                Ok(done) => return Some(done),
                Err(_) if self.under_way.load(Ordering::Relaxed) => {}
                // It has waited meanwhile.
                Err(_) if deadline < began + time + self.time() => {}
                Err(_) => return None,
            }
        }
    }
}

/// A handshake and what came for it.
struct Step {
    session: TlsSession,
    input: Vec<u8>,
    plain: Vec<u8>,
    wire: Wire,
}

type Outcome = Result<Stage, rustls::Error>;

impl Step {
    fn take(&mut self) -> Outcome {
        let Self {
            session,
            input,
            plain,
            wire,
        } = self;
        session.receive(input, plain, wire)
    }
}

/// Why a client's certificate is not good although its signatures are, if that is what failed.
fn not_valid(error: &rustls::Error) -> Option<&NotValid> {
    match error {
        rustls::Error::InvalidCertificate(rustls::CertificateError::Other(why)) => {
            why.0.downcast_ref()
        }
        _ => None,
    }
}

/// What to do about a failed handshake, as far as one can tell.
fn advice(error: &rustls::Error) -> &'static str {
    use rustls::{AlertDescription as Alert, CertificateError as Bad, Error, PeerIncompatible};
    match error {
        Error::NoCertificatesPresented => {
            "the client showed no certificate and verify asks for one: give it a certificate and its key"
        }
        Error::InvalidCertificate(bad) => match bad {
            Bad::Expired | Bad::ExpiredContext { .. } => {
                "the client's certificate has expired: renew it, or set the clocks of both machines"
            }
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                "the client's certificate is not valid yet: set the clocks of both machines"
            }
            Bad::UnknownIssuer => {
                "the client's certificate comes from an authority that is not in ca_file: add the authority, or give the client a certificate of a known one"
            }
            Bad::ApplicationVerificationFailure => {
                "the key of the client's certificate is not among pinned_certs: add its SHA-256 there"
            }
            _ => "the client's certificate can't be used: give it another one",
        },
        Error::AlertReceived(alert) => match alert {
            Alert::UnknownCA => {
                "the client does not know the authority of this server's certificate: give the client its CA file"
            }
            Alert::CertificateExpired => {
                "the client found this server's certificate expired: renew it and reload"
            }
            Alert::BadCertificate | Alert::CertificateUnknown => {
                "the client refused this server's certificate: look whether it bears the name that the client connects to"
            }
            _ => "the client gave up: its own log says why",
        },
        Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon) => {
            "client and server have no cipher suite in common: look at cipher_suites"
        }
        Error::PeerIncompatible(_) => {
            "client and server have no version or curve in common: look at min_version and curve_preferences"
        }
        _ => "the client may not speak TLS, or not as it should",
    }
}
