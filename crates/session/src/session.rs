//! The state machine itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use recado_auth::Permissions;
use recado_wire::{
    Bare, Connect, InvalidFilter, Op, PONG, ParseLimits, Parsed, ProtocolError, Publish, Violation,
    is_publish_subject, parse, parse_publish, validate_filter,
};

use crate::keep_alive::{Beat, KeepAlive};
use crate::rights::{Held, Rights};

/// What all sessions of a server share.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bounds of one operation.
    pub parse: ParseLimits,
    /// Bytes that a message may have beyond what a credential allows: headers that the server itself adds. `parse` has them in
    /// it.
    pub payload_room: usize,
    /// A credential is asked for.
    pub auth_required: bool,
    /// Time from accept to CONNECT, when a credential is asked for.
    pub auth_timeout: Duration,
    /// Time between keep-alive PINGs.
    pub ping_interval: Duration,
    /// Time from CONNECT to the first PING.
    pub first_ping: Duration,
    /// Unanswered PINGs that are borne.
    pub ping_max: u32,
    /// Headers are served.
    pub headers: bool,
    /// Subscriptions of one connection; 0: unlimited.
    pub max_subscriptions: usize,
    /// Tokens of one subscription's subject; 0: unlimited.
    pub max_sub_tokens: usize,
}

/// What the engine is to do next.
#[derive(Debug)]
pub enum Step<'a> {
    /// Nothing more in this input; so many bytes are needed in all, where known (else 0).
    More(usize),
    /// Nothing to do for this operation.
    Nothing,
    /// Send these bytes to the client itself, in order with what was routed to it.
    Say(&'static [u8]),
    /// Send PONG, and behind it the second INFO (A09).
    PongAndInfo,
    /// Decide on the credential in this CONNECT, then call [`Session::admit`] or close.
    Authenticate(Box<Connect>),
    /// Route a message.
    Publish(Publish<'a>),
    /// Create a subscription; [`Session::check_subscription`] judges it.
    Subscribe {
        /// Subject filter, not checked yet.
        filter: &'a [u8],
        /// Queue group.
        queue: Option<&'a [u8]>,
        /// The client's name of the subscription.
        sid: &'a [u8],
    },
    /// End a subscription, at once (0) or after so many deliveries since its creation.
    Unsubscribe {
        /// Which.
        sid: &'a [u8],
        /// When.
        max: u64,
    },
    /// The connection ends.
    Close(Goodbye),
}

/// Why a session ends, and what the client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goodbye {
    /// Told as `-ERR`; `None`: closed without a word (A103).
    pub told: Option<ProtocolError>,
    /// For the log.
    pub reason: &'static str,
}

/// What a deadline asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Tick {
    /// Nothing: wait for the next deadline.
    Wait,
    /// Send a PING.
    Ping,
    /// The connection ends.
    Close(Goodbye),
}

/// What CONNECT asked for, as bits.
#[derive(Clone, Copy, Debug)]
struct Flags {
    verbose: bool,
    pedantic: bool,
    echo: bool,
    headers: bool,
    no_responders: bool,
    async_info: bool,
}

/// One client connection.
#[derive(Debug)]
pub struct Session {
    settings: Arc<Settings>,
    keep_alive: KeepAlive,
    deadline: Instant,
    /// No credential was asked for, or the right one was given.
    admitted: bool,
    /// A CONNECT came.
    connected: bool,
    first_pong_sent: bool,
    /// The verb of a long line whose end has not come: what comes before it is passed over.
    unended: Option<Bare>,
    flags: Flags,
    /// What its credential allows, where it says anything.
    rights: Option<Box<Held>>,
}

impl Session {
    /// A connection that was accepted `now`.
    pub fn new(settings: Arc<Settings>, now: Instant) -> Self {
        let wait = if settings.auth_required {
            settings.auth_timeout
        } else {
            settings.ping_interval
        };
        Self {
            keep_alive: KeepAlive::new(now),
            deadline: now + wait,
            admitted: !settings.auth_required,
            connected: false,
            first_pong_sent: false,
            unended: None,
            // Until CONNECT says otherwise: what an empty CONNECT means (A07, A08).
            flags: Flags {
                verbose: true,
                pedantic: true,
                echo: true,
                headers: false,
                no_responders: false,
                async_info: false,
            },
            rights: None,
            settings,
        }
    }

    /// A part of the server itself: no credential, no keep-alive to wait for, headers understood.
    pub fn trusted(settings: Arc<Settings>, now: Instant) -> Self {
        let mut session = Self::new(settings, now);
        session.admitted = true;
        session.deadline = now + session.settings.ping_interval;
        session.flags = Flags {
            verbose: false,
            pedantic: false,
            echo: true,
            headers: true,
            no_responders: true,
            async_info: false,
        };
        session
    }

    /// Input arrived: the other side is alive.
    #[inline]
    pub fn heard(&mut self, now: Instant) {
        self.keep_alive.heard(now);
    }

    /// The hot path of [`Session::step`]: a plain publish that needs no second look. `None` is no
    /// verdict: ask [`Session::step`].
    #[inline(always)]
    pub fn publish<'a>(&mut self, input: &'a [u8]) -> Option<(Publish<'a>, usize)> {
        if !self.admitted || self.flags.pedantic || self.unended.is_some() {
            return None;
        }
        let (publish, length) = parse_publish(input, self.limits())?;
        if let Some(held) = &mut self.rights
            && !held.may_publish(publish.subject)
        {
            return None;
        }
        // Reserved subjects begin with one of these; so do inboxes, as replies.
        let reserved = |subject: &[u8]| matches!(subject.first(), Some(b'_' | b'$'));
        if (reserved(publish.subject) || reserved(publish.reply))
            && self.check_publish(&publish).is_err()
        {
            return None;
        }
        Some((publish, length))
    }

    /// Takes the operation at the start of `input` and says how many bytes it was.
    pub fn step<'a>(&mut self, input: &'a [u8], now: Instant) -> (Step<'a>, usize) {
        if !self.admitted {
            return self.step_before_admission(input);
        }
        if let Some(bare) = self.unended {
            return self.pass_over(bare, input, now);
        }
        match parse(input, self.limits()) {
            Ok(Parsed::Complete(Op::Publish(publish), length)) => {
                if !publish.with_headers {
                    return (Step::Publish(publish), length);
                }
                if !self.flags.headers {
                    return (close(Violation::HeadersNotEnabled), length);
                }
                (Step::Publish(without_empty_headers(publish)), length)
            }
            Ok(Parsed::Complete(op, length)) => (self.other(op, now), length),
            Ok(Parsed::Incomplete(wanted)) => (Step::More(wanted), 0),
            Ok(Parsed::Unended(bare)) => self.pass_over(bare, input, now),
            Err(violation) => (close(violation), 0),
        }
    }

    /// Passes over a long line to its end, and then does what its verb says.
    #[cold]
    fn pass_over<'a>(&mut self, bare: Bare, input: &'a [u8], now: Instant) -> (Step<'a>, usize) {
        let Some(end) = input.iter().position(|&byte| byte == b'\n') else {
            self.unended = Some(bare);
            return (Step::Nothing, input.len());
        };
        self.unended = None;
        (self.other(bare.into(), now), end + 1)
    }

    /// The first verb must be CONNECT (A08).
    #[cold]
    fn step_before_admission<'a>(&mut self, input: &'a [u8]) -> (Step<'a>, usize) {
        if input
            .first()
            .is_some_and(|byte| !byte.eq_ignore_ascii_case(&b'C'))
        {
            return (unauthorized("a verb before CONNECT"), 0);
        }
        match parse(input, &self.settings.parse) {
            Ok(Parsed::Complete(Op::Connect(json), length)) => (self.connect(json), length),
            Ok(Parsed::Complete(..) | Parsed::Unended(_)) => {
                (unauthorized("a verb before CONNECT"), 0)
            }
            Ok(Parsed::Incomplete(wanted)) => (Step::More(wanted), 0),
            Err(violation) => (close(violation), 0),
        }
    }

    #[cold]
    fn other<'a>(&mut self, op: Op<'a>, now: Instant) -> Step<'a> {
        match op {
            Op::Publish(publish) => Step::Publish(publish),
            Op::Subscribe { filter, queue, sid } => Step::Subscribe { filter, queue, sid },
            Op::Unsubscribe { sid, max } => Step::Unsubscribe { sid, max },
            Op::Connect(json) => self.connect(json),
            Op::Ping if self.connected && !self.first_pong_sent => {
                self.first_pong_sent = true;
                if self.flags.async_info {
                    Step::PongAndInfo
                } else {
                    Step::Say(PONG)
                }
            }
            Op::Ping => Step::Say(PONG),
            Op::Pong => {
                self.keep_alive.pong(now);
                Step::Nothing
            }
            Op::Ignored => Step::Nothing,
        }
    }

    fn connect<'a>(&mut self, json: &[u8]) -> Step<'a> {
        match Connect::parse(json) {
            Ok(connect) => Step::Authenticate(Box::new(connect)),
            Err(_) => close(Violation::Connect),
        }
    }

    /// The credential was right, or none was asked for: takes over what CONNECT asked for.
    pub fn admit(&mut self, connect: &Connect, now: Instant) -> Result<(), Goodbye> {
        if connect
            .account
            .as_deref()
            .is_some_and(|name| !name.is_empty())
            || connect.new_account
        {
            return Err(Goodbye::unauthorized("asked for an account in CONNECT"));
        }
        if !(0..=1).contains(&connect.protocol) {
            return Err(told(
                ProtocolError::InvalidClientProtocol,
                "client protocol not 0 or 1",
            ));
        }
        let headers = connect.headers && self.settings.headers;
        if connect.no_responders && !headers {
            let error = ProtocolError::NoRespondersNeedsHeaders;
            return Err(told(error, "no_responders without headers"));
        }
        self.flags = Flags {
            verbose: connect.verbose,
            pedantic: connect.pedantic,
            echo: connect.echo,
            headers,
            no_responders: connect.no_responders,
            async_info: connect.protocol >= 1,
        };
        self.admitted = true;
        self.connected = true;
        let first_ping = now + self.settings.first_ping.min(self.settings.ping_interval);
        self.deadline = self.until_expiry(first_ping);
        Ok(())
    }

    /// Bounds of one operation.
    #[inline(always)]
    fn limits(&self) -> &ParseLimits {
        match &self.rights {
            Some(held) => &held.parse,
            None => &self.settings.parse,
        }
    }

    /// What all sessions share from now on.
    pub fn set_settings(&mut self, settings: Arc<Settings>) {
        self.settings = settings;
    }

    /// What the credential allows, from now on.
    pub fn set_rights(&mut self, rights: Rights) {
        self.rights = Held::new(rights, self.settings.parse, self.settings.payload_room);
        self.deadline = self.until_expiry(self.deadline);
    }

    /// `deadline`, or the end of the credential if that comes first.
    fn until_expiry(&self, deadline: Instant) -> Instant {
        let ends = self.rights.as_ref().and_then(|held| held.ends());
        ends.map_or(deadline, |(at, _)| at.min(deadline))
    }

    /// What the client may publish and subscribe to; `None`: everything.
    pub fn permissions(&self) -> Option<&Arc<Permissions>> {
        self.rights.as_ref()?.rights.permissions.as_ref()
    }

    /// Whether the client may publish to `subject` (C30).
    pub fn may_publish(&mut self, subject: &[u8]) -> bool {
        self.rights
            .as_mut()
            .is_none_or(|held| held.may_publish(subject))
    }

    /// Whether a subscription may be created, when the connection has `held` already.
    pub fn check_subscription(&self, filter: &[u8], held: usize) -> Result<(), ProtocolError> {
        let too_many = |filter: &[u8]| ProtocolError::SubscriptionViolation {
            subject: printable(filter),
            detail: ", too many tokens".into(),
        };
        let tokens = match validate_filter(filter) {
            Ok(tokens) => tokens,
            Err(InvalidFilter::Malformed) => return Err(ProtocolError::InvalidSubject),
            Err(InvalidFilter::TooManyTokens) => return Err(too_many(filter)),
        };
        let settings = &self.settings;
        if settings.max_sub_tokens > 0 && tokens > settings.max_sub_tokens {
            return Err(too_many(filter));
        }
        match self.max_subscriptions().is_some_and(|most| held >= most) {
            true => Err(ProtocolError::MaxSubscriptions),
            false => Ok(()),
        }
    }

    /// Subscriptions that it may hold at once; `None`: any number.
    pub fn max_subscriptions(&self) -> Option<usize> {
        let held = self.rights.as_ref();
        let own = held.and_then(|held| held.rights.max_subscriptions);
        let of_server = Some(self.settings.max_subscriptions).filter(|most| *most > 0);
        own.into_iter().chain(of_server).min()
    }

    /// What a publish is told about its subject before it is routed all the same (A42), and what
    /// keeps it from being routed (A49).
    #[inline(never)]
    pub fn check_publish(&self, publish: &Publish<'_>) -> Result<(), (ProtocolError, bool)> {
        let subject = publish.subject;
        if subject.starts_with(b"_GR_.") || subject.starts_with(b"$NRG.") {
            return Err((ProtocolError::PublishViolation(printable(subject)), false));
        }
        let reply = publish.reply;
        if reply.starts_with(b"_R_.")
            || reply.starts_with(b"$JS.ACK.")
            || reply.starts_with(b"_GR_.")
        {
            return Err((ProtocolError::ReplyViolation(printable(reply)), false));
        }
        if self.flags.pedantic && !is_literal_subject(subject) {
            return Err((ProtocolError::InvalidPublishSubject, true));
        }
        Ok(())
    }

    /// Most bytes of headers and payload that a message may have.
    pub fn max_payload(&self) -> usize {
        self.limits().max_payload
    }

    /// When [`Session::tick`] is to be called.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The deadline passed.
    pub fn tick(&mut self, now: Instant) -> Tick {
        if now < self.deadline {
            return Tick::Wait;
        }
        if !self.admitted {
            return Tick::Close(told(
                ProtocolError::AuthenticationTimeout,
                "no CONNECT in time",
            ));
        }
        let ends = self.rights.as_ref().and_then(|held| held.ends());
        if let Some((_, error)) = ends.filter(|(at, _)| *at <= now) {
            return Tick::Close(told(error, "its credential is no longer good"));
        }
        let interval = self.settings.ping_interval;
        self.deadline = self.until_expiry(now + interval);
        match self.keep_alive.beat(now, interval, self.settings.ping_max) {
            Beat::Wait => Tick::Wait,
            Beat::Ping => Tick::Ping,
            Beat::Stale => Tick::Close(told(
                ProtocolError::StaleConnection,
                "PINGs went unanswered",
            )),
        }
    }

    /// Wants +OK for what was accepted (A29).
    #[inline]
    pub fn verbose(&self) -> bool {
        self.flags.verbose
    }

    /// Wants its own messages back (A46).
    #[inline]
    pub fn echo(&self) -> bool {
        self.flags.echo
    }

    /// Understands HMSG (A27).
    #[inline]
    pub fn headers(&self) -> bool {
        self.flags.headers
    }

    /// Wants a 503 where nobody listens (A47).
    #[inline]
    pub fn no_responders(&self) -> bool {
        self.flags.no_responders
    }

    /// May be sent an INFO at any time: it understands them and had its first PONG (A10).
    pub fn takes_async_info(&self) -> bool {
        self.flags.async_info && self.first_pong_sent
    }

    /// A CONNECT was accepted before.
    pub fn connected(&self) -> bool {
        self.connected
    }

    /// The credential was accepted, or none was asked for.
    pub fn admitted(&self) -> bool {
        self.admitted
    }

    /// The last round trip as the server's own PING measured it.
    pub fn round_trip(&self) -> Option<Duration> {
        self.keep_alive.round_trip()
    }
}

/// The text of a refused subscription (A87).
pub fn subscription_violation(filter: &[u8], queue: Option<&[u8]>) -> ProtocolError {
    ProtocolError::SubscriptionViolation {
        subject: printable(filter),
        detail: match queue {
            Some(queue) => format!(" using queue \"{}\"", printable(queue)).into(),
            None => "".into(),
        },
    }
}

/// The text of a refused publish (A86).
pub fn publish_violation(subject: &[u8]) -> ProtocolError {
    ProtocolError::PublishViolation(printable(subject))
}

impl Goodbye {
    /// The credential was missing or wrong (A81).
    pub fn unauthorized(reason: &'static str) -> Self {
        told(ProtocolError::AuthorizationViolation, reason)
    }
}

/// HPUB with a header block of no bytes is delivered as MSG.
fn without_empty_headers(publish: Publish<'_>) -> Publish<'_> {
    if publish.header_len > 0 {
        return publish;
    }
    Publish {
        with_headers: false,
        tail: b"",
        ..publish
    }
}

fn told(error: ProtocolError, reason: &'static str) -> Goodbye {
    Goodbye {
        told: Some(error),
        reason,
    }
}

fn unauthorized<'a>(reason: &'static str) -> Step<'a> {
    Step::Close(Goodbye::unauthorized(reason))
}

fn close<'a>(violation: Violation) -> Step<'a> {
    Step::Close(Goodbye {
        told: violation.told(),
        reason: violation.reason(),
    })
}

/// A subject for an error text: one line, whatever it holds.
fn printable(subject: &[u8]) -> String {
    subject.escape_ascii().to_string()
}

/// A subject that a pedantic server accepts for publishing: no empty token, no wildcard.
fn is_literal_subject(subject: &[u8]) -> bool {
    is_publish_subject(subject) && !recado_wire::has_wildcard(subject)
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
