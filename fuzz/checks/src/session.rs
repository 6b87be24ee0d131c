//! One connection's state, driven with bytes and a clock of the check's own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::connect::login_with;
use recado_auth::{Authenticator, Secret};
use recado_session::{Goodbye, Session, Settings, Step, Tick};
use recado_wire::{
    PONG, ParseLimits, ProtocolError, Publish, ServerFrame, ServerParsed, parse_server_frame,
    push_err, validate_filter,
};

/// The credential of a server that asks for one.
const TOKEN: &str = "s3cr3t";

/// The first byte chooses the settings (see [`Choice`]); the rest is what the client sends, but
/// for a byte of 255 and what follows it:
///
/// - `m` and a byte: the input so far arrives, and so many milliseconds pass,
/// - `s` and a byte: so many seconds,
/// - `d`: time passes up to the session's deadline,
/// - 255: a byte of 255 is sent,
/// - anything else is sent, in a packet of its own from here on.
///
/// Nothing but CONNECT is accepted before a credential that was asked for; however the input is
/// cut, the steps are the same; deadlines move as they should; what is told is one line.
pub fn session(input: &[u8]) {
    let Some((&first, script)) = input.split_first() else {
        return;
    };
    let choice = Choice::from(first);
    let events = events(script);
    let mut played = Connection::new(&choice);
    for event in &events {
        played.handle(event);
    }

    let packets = events.iter().filter_map(|event| match event {
        Event::Input(bytes) => Some(&bytes[..]),
        Event::Pass(_) | Event::ToDeadline => None,
    });
    let (mut cut, mut whole) = (Connection::new(&choice), Connection::new(&choice));
    packets.clone().for_each(|packet| cut.receive(packet));
    whole.receive(&packets.collect::<Vec<_>>().concat());
    assert_eq!(cut.steps, whole.steps);
}

/// Which server it is: the bits of the first byte, so that `@` is a plain one and `A` asks for a
/// credential.
struct Choice {
    settings: Arc<Settings>,
    /// A part of the server itself.
    trusted: bool,
}

impl From<u8> for Choice {
    fn from(bits: u8) -> Self {
        let has = |bit: u8| bits & bit != 0;
        let tight = has(4);
        let settings = Settings {
            parse: ParseLimits {
                max_control_line: if tight { 40 } else { 4096 },
                max_payload: if tight { 16 } else { 1 << 20 },
            },
            payload_room: 0,
            auth_required: has(1),
            auth_timeout: Duration::from_secs(2),
            ping_interval: Duration::from_secs(if tight { 1 } else { 120 }),
            first_ping: Duration::from_secs(2),
            ping_max: if has(8) { 0 } else { 2 },
            headers: !has(2),
            max_subscriptions: if tight { 2 } else { 0 },
            max_sub_tokens: if tight { 3 } else { 0 },
        };
        Self {
            settings: Arc::new(settings),
            trusted: has(16),
        }
    }
}

enum Event {
    Input(Vec<u8>),
    Pass(Duration),
    ToDeadline,
}

fn events(script: &[u8]) -> Vec<Event> {
    let (mut events, mut packet) = (Vec::new(), Vec::new());
    let mut bytes = script.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != 0xff {
            packet.push(byte);
            continue;
        }
        let next = bytes.next();
        if next == Some(0xff) {
            packet.push(0xff);
            continue;
        }
        events.push(Event::Input(std::mem::take(&mut packet)));
        let mut number = || u64::from(bytes.next().unwrap_or_default());
        match next {
            Some(b'm') => events.push(Event::Pass(Duration::from_millis(number()))),
            Some(b's') => events.push(Event::Pass(Duration::from_secs(number()))),
            Some(b'd') => events.push(Event::ToDeadline),
            other => packet.extend(other),
        }
    }
    events.push(Event::Input(packet));
    events
}

/// The engine's part: keeps what is not whole yet, decides on credentials, ends the session.
struct Connection {
    settings: Arc<Settings>,
    authenticator: Authenticator,
    session: Session,
    started: Instant,
    now: Instant,
    partial: Vec<u8>,
    subscriptions: usize,
    /// PINGs since the last PONG.
    unanswered: u32,
    /// Times that the second INFO was asked for.
    second_infos: u32,
    closed: bool,
    /// What the session said to every operation, and how it ended.
    steps: Vec<String>,
}

impl Connection {
    fn new(choice: &Choice) -> Self {
        let settings = Arc::clone(&choice.settings);
        // The only clock there is gives the start; what matters is the time since.
        let started = Instant::now();
        let session = if choice.trusted {
            Session::trusted(Arc::clone(&settings), started)
        } else {
            Session::new(Arc::clone(&settings), started)
        };
        assert_eq!(
            session.admitted(),
            choice.trusted || !settings.auth_required
        );
        assert!(session.deadline() > started);
        let authenticator = if settings.auth_required {
            Authenticator::Token(Secret::new(TOKEN))
        } else {
            Authenticator::Open
        };
        Self {
            settings,
            authenticator,
            session,
            started,
            now: started,
            partial: Vec::new(),
            subscriptions: 0,
            unanswered: 0,
            second_infos: 0,
            closed: false,
            steps: Vec::new(),
        }
    }

    fn handle(&mut self, event: &Event) {
        match event {
            Event::Input(bytes) => self.receive(bytes),
            Event::Pass(time) => {
                self.now += *time;
                self.tick();
            }
            Event::ToDeadline => {
                self.now = self.now.max(self.session.deadline());
                self.tick();
            }
        }
    }

    fn receive(&mut self, packet: &[u8]) {
        if self.closed || packet.is_empty() {
            return;
        }
        self.session.heard(self.now);
        self.partial.extend_from_slice(packet);
        let input = std::mem::take(&mut self.partial);
        let mut at = 0;
        while !self.closed && at < input.len() {
            match self.step(&input[at..]) {
                Some(length) => at += length,
                None => break,
            }
        }
        self.partial = input[at..].to_vec();
    }

    /// Takes one operation; its length, or `None` when more input is needed.
    fn step(&mut self, input: &[u8]) -> Option<usize> {
        let (admitted, deadline) = (self.session.admitted(), self.session.deadline());
        self.hot_path_agrees(input);
        let (step, length) = self.session.step(input, self.now);
        assert_eq!(self.session.admitted(), admitted, "only `admit` admits");
        assert_eq!(self.session.deadline(), deadline);
        assert!(length <= input.len());
        if let Step::More(wanted) = step {
            assert_eq!(length, 0);
            assert!(wanted == 0 || wanted > input.len());
            return None;
        }
        assert!(length > 0 || matches!(step, Step::Close(_)), "no progress");
        if !admitted {
            assert!(
                matches!(step, Step::Authenticate(_) | Step::Close(_)),
                "before a credential: {step:?}"
            );
        }
        if let Step::Nothing = step {
            // A PONG is among what asks for nothing; so is a part of a long line, of which there are
            // as many as the input is cut into.
            self.unanswered = 0;
        } else {
            self.steps.push(format!("{step:?}"));
        }
        self.act(step);
        Some(length)
    }

    /// What the hot path takes is what the other would, and needs no second look.
    fn hot_path_agrees(&mut self, input: &[u8]) {
        let Some((hot, hot_length)) = self.session.publish(input) else {
            return;
        };
        assert!(self.session.admitted());
        assert_eq!(self.session.check_publish(&hot), Ok(()));
        match self.session.step(input, self.now) {
            (Step::Publish(publish), length) => {
                assert_eq!(length, hot_length);
                let tail = publish.tail;
                assert_eq!(publish, Publish { tail, ..hot });
            }
            other => panic!("the hot path took a publish, the other {other:?}"),
        }
    }

    fn act(&mut self, step: Step<'_>) {
        match step {
            Step::More(_) | Step::Nothing | Step::Unsubscribe { .. } => {}
            Step::Say(bytes) => assert_eq!(bytes, PONG),
            Step::PongAndInfo => {
                self.second_infos += 1;
                assert_eq!(self.second_infos, 1, "once a connection");
                assert!(self.session.takes_async_info());
            }
            Step::Authenticate(connect) => {
                let decision = self.authenticator.decide(&login_with(&connect));
                let admitted = self.session.admitted();
                if decision.is_err() {
                    return self.close(&Goodbye::unauthorized("wrong credential"));
                }
                match self.session.admit(&connect, self.now) {
                    Ok(()) => self.admitted(),
                    Err(goodbye) => {
                        assert_eq!(self.session.admitted(), admitted);
                        self.close(&goodbye);
                    }
                }
            }
            Step::Publish(publish) => self.publish(&publish),
            Step::Subscribe { filter, .. } => {
                match self.session.check_subscription(filter, self.subscriptions) {
                    Ok(()) => {
                        assert!(validate_filter(filter).is_ok());
                        self.subscriptions += 1;
                        let max = self.settings.max_subscriptions;
                        assert!(max == 0 || self.subscriptions <= max);
                    }
                    Err(error) => self.told(&error),
                }
            }
            Step::Close(goodbye) => self.close(&goodbye),
        }
    }

    fn admitted(&mut self) {
        assert!(self.session.admitted());
        assert!(self.settings.headers || !self.session.headers());
        assert!(self.session.headers() || !self.session.no_responders());
        let wait = self.session.deadline().duration_since(self.now);
        assert!(!wait.is_zero() && wait <= self.settings.first_ping);
    }

    fn publish(&mut self, publish: &Publish<'_>) {
        assert!(self.session.headers() || publish.header_len == 0);
        assert_eq!(publish.with_headers, publish.header_len > 0);
        if let Err((error, goes_on)) = self.session.check_publish(publish) {
            self.told(&error);
            let only_told = error == ProtocolError::InvalidPublishSubject;
            assert_eq!(goes_on, only_told);
            assert!(!error.closes());
        }
    }

    fn tick(&mut self) {
        if self.closed {
            return;
        }
        let before = self.session.deadline();
        let due = self.now >= before;
        let tick = self.session.tick(self.now);
        if !due {
            assert_eq!(tick, Tick::Wait);
            assert_eq!(self.session.deadline(), before);
            return;
        }
        if !self.session.admitted() {
            assert!(matches!(tick, Tick::Close(_)), "no credential in time");
        }
        self.steps.push(format!("{tick:?}"));
        match tick {
            Tick::Wait => {}
            Tick::Ping => {
                self.unanswered += 1;
                assert!(self.unanswered <= self.settings.ping_max);
            }
            Tick::Close(goodbye) => return self.close(&goodbye),
        }
        assert!(self.session.deadline() > self.now, "or it would never rest");
        assert!(self.session.deadline() > before, "deadlines only move on");
        let elapsed = self.now.duration_since(self.started);
        assert!(self.session.round_trip() <= Some(elapsed));
    }

    fn close(&mut self, goodbye: &Goodbye) {
        self.steps.push(format!("{goodbye:?}"));
        self.closed = true;
        if let Some(error) = &goodbye.told {
            assert!(error.closes());
            self.told(error);
        }
    }

    /// Whatever the client sent, what it is told about it is one line.
    fn told(&mut self, error: &ProtocolError) {
        self.steps.push(format!("{error:?}"));
        let mut line = Vec::new();
        push_err(&mut line, error);
        let text = error.text();
        let expected = ServerFrame::Err(text.as_bytes());
        assert_eq!(
            parse_server_frame(&line),
            ServerParsed::Complete(expected, line.len())
        );
        assert!(!text.contains(char::is_control));
    }
}
