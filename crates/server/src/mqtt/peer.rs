//! The task of one client: what comes from it, from the engine and from the streams, in turns.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use recado_mqtt::{Fault, Packet, Parsed, Will, parse, push_pingresp, push_pubrel};
use recado_wire::ServerFrame;
use tokio::sync::watch;

use super::Outside;
use super::incoming::Unanswered;
use super::keeper::{Keeper, Trouble};
use super::session::Session;
use super::user::{Lost, User};
use crate::config::MqttOptions;
use crate::engine::{CloseReason, Connection, Delivered, Engine, ReadLink};

/// Bytes that are read at once.
const READ_BYTES: usize = 16 * 1024;
/// What a packet may have beyond the payload: topics, mostly.
const PACKET_ROOM: usize = 128 * 1024;
/// What a line may have beyond the subject: prefixes of the streams' subjects, a reply subject, sizes.
pub(super) const LINE_ROOM: usize = 256;
/// Bytes that wait for the client, above which nothing more is taken for it from the engine: there they count against
/// `max_pending`.
const CONGESTED_BYTES: usize = 256 * 1024;
/// Messages of the client that wait for the disk, above which no more are read.
const UNANSWERED_MAX: usize = 1024;
const UNANSWERED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What is published when the client is lost.
pub(super) struct LastWords {
    pub(super) subject: String,
    pub(super) will: Will,
}

/// Why it ends.
#[derive(Debug)]
pub(super) enum End {
    /// It said DISCONNECT.
    Left,
    /// It closed the connection, or that broke.
    Gone(CloseReason),
    /// The engine closed its connection: it says why.
    Engine,
    /// It broke the protocol, or asked for too much.
    Fault(CloseReason, Fault),
    /// What it needs of the streams can't be had.
    Trouble(Trouble),
    /// It said nothing for too long.
    Silent,
    /// The server stops.
    Stopping,
}

impl From<Trouble> for End {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<Lost> for End {
    fn from(_: Lost) -> Self {
        Self::Engine
    }
}

impl End {
    pub(super) fn fault(why: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        let fault = Fault {
            told: None,
            why: why.into(),
        };
        Self::Fault(CloseReason::ProtocolViolation, fault)
    }
}

/// One client.
pub(super) struct Peer {
    pub(super) engine: Arc<Engine>,
    pub(super) options: Arc<MqttOptions>,
    pub(super) outside: Arc<Connection>,
    read: ReadLink,
    input: Vec<u8>,
    /// Packets for the client.
    pub(super) out: Vec<u8>,
    pub(super) user: User,
    pub(super) keeper: Keeper,
    pub(super) session: Session,
    pub(super) will: Option<LastWords>,
    /// The client says something within this time.
    pub(super) silence_max: Option<Duration>,
    pub(super) heard_at: Instant,
    /// Packets that are answered once what they ask for is stored, in their order.
    pub(super) unanswered: VecDeque<Unanswered>,
    pub(super) unanswered_bytes: usize,
    /// Subscriptions that were refused so far.
    pub(super) refused: u32,
    stopping: watch::Receiver<bool>,
}

/// What a turn waited for.
enum Turn {
    Input(Option<usize>),
    Frames(bool),
    Kept(Result<(), Trouble>),
    Relieved,
    Silent,
    Late,
    Stopping,
}

impl Peer {
    pub(super) fn new(
        engine: &Arc<Engine>,
        options: Arc<MqttOptions>,
        outside: Outside,
        user: User,
        keeper: Keeper,
        session: Session,
    ) -> Self {
        Self {
            engine: Arc::clone(engine),
            options,
            outside: outside.connection,
            read: outside.read,
            input: outside.input,
            out: Vec::new(),
            user,
            keeper,
            session,
            will: None,
            silence_max: None,
            heard_at: Instant::now(),
            unanswered: VecDeque::new(),
            unanswered_bytes: 0,
            refused: 0,
            stopping: engine.mqtt_sessions.stopping(),
        }
    }

    /// Serves the client until it ends.
    pub(super) async fn serve(mut self) {
        let Err(end) = Box::pin(self.go_on()).await;
        Box::pin(self.finish(end)).await;
    }

    async fn go_on(&mut self) -> Result<std::convert::Infallible, End> {
        self.resume().await?;
        self.packets().await?;
        loop {
            self.heed_refusals().await?;
            self.flush().await?;
            match self.turn().await {
                Turn::Input(None) => return Err(End::Gone(CloseReason::ClientClosed)),
                Turn::Input(Some(_)) => self.packets().await?,
                Turn::Frames(true) | Turn::Relieved => {}
                Turn::Frames(false) => return Err(End::Engine),
                Turn::Kept(heard) => heard?,
                Turn::Silent => return Err(End::Silent),
                Turn::Late => return Err(self.late()),
                Turn::Stopping => return Err(End::Stopping),
            }
            while let Some(arrived) = self.keeper.take(self.takes_more()) {
                self.kept(arrived)?;
            }
        }
    }

    /// What a session that is taken up begins with: its subscriptions, and what is to be completed.
    async fn resume(&mut self) -> Result<(), End> {
        let sids: Vec<u64> = self.session.subscriptions.keys().copied().collect();
        for id in self.session.in_flight.to_be_completed() {
            push_pubrel(&mut self.out, id);
        }
        let sent = self.session.in_flight.sent();
        let is_any = !sent.is_empty();
        // Asked for before anybody listens, so that each comes once.
        for ack in sent.into_iter().filter_map(|(_, _, ack)| ack) {
            self.keeper.publish(ack, b"", b"-NAK");
        }
        self.serve_subscriptions(&sids).await?;
        if is_any || (self.session.is_unsaved && !self.session.is_clean) {
            self.session.save(&mut self.keeper).await?;
        }
        Ok(())
    }

    /// Writes what is to be said, to everybody.
    pub(super) async fn flush(&mut self) -> Result<(), End> {
        self.keeper.flush().await?;
        self.user.flush().await?;
        if !self.out.is_empty() {
            if let Delivered::CutOff(pending) = self.outside.deliver_bytes(&self.out) {
                let why = "more bytes wait for it than max_pending allows";
                self.outside.report_slow(b"", pending, why);
            }
            self.out.clear();
            if self.out.capacity() > CONGESTED_BYTES {
                self.out = Vec::new();
            }
        }
        match self.outside.close_reason() {
            Some(reason) => Err(End::Gone(reason)),
            None => Ok(()),
        }
    }

    /// Waits until the client has read so much that at most `bytes` wait for it.
    pub(super) async fn client_drained_to(&mut self, bytes: usize) -> Result<(), End> {
        tokio::select! {
            () = self.outside.drained_to(bytes) => Ok(()),
            () = self.user.connection.ended() => Err(End::Engine),
            _ = self.stopping.wait_for(|stopping| *stopping) => Err(End::Stopping),
        }
    }

    /// Whether the client reads what is sent to it.
    fn takes_more(&self) -> bool {
        self.outside.waiting_bytes() + self.out.len() <= CONGESTED_BYTES
    }

    /// Whether more is read of the client: not while too much of it waits for the disk.
    fn may_read(&self) -> bool {
        self.unanswered.len() < UNANSWERED_MAX && self.unanswered_bytes < UNANSWERED_BYTES_MAX
    }

    async fn turn(&mut self) -> Turn {
        let now = Instant::now();
        let may_read = self.may_read();
        // Who is not read from is not silent.
        let silence_max = self.silence_max.filter(|_| may_read);
        let silent = silence_max.map(|most| self.heard_at + most);
        let oldest = self.unanswered.front();
        let late = oldest.map(|one| one.since + self.options.js_api_timeout);
        let is_over = |until: Option<Instant>| until.is_some_and(|until| until <= now);
        if is_over(late) {
            return self.answer_or_late().await;
        }
        if is_over(silent) {
            return self.input_or_silence().await;
        }
        let far = now + Duration::from_secs(24 * 3600);
        let until = silent.into_iter().chain(late).fold(far, Instant::min);
        self.next_event(may_read, until).await
    }

    /// The time for an answer of the streams is over. One that is there counts, where the server was too busy to look.
    async fn answer_or_late(&mut self) -> Turn {
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            heard = self.keeper.hear() => Turn::Kept(heard),
            () = std::future::ready(()) => Turn::Late,
        }
    }

    /// The time for the client to say something is over. The same goes for what it said.
    async fn input_or_silence(&mut self) -> Turn {
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            read = read_some(&mut self.read, &mut self.input, &self.outside) => Turn::Input(read),
            () = std::future::ready(()) => Turn::Silent,
        }
    }

    /// Waits until something happens, or a time is over.
    async fn next_event(&mut self, may_read: bool, until: Instant) -> Turn {
        let is_congested = !self.takes_more();
        let Self {
            outside,
            read,
            input,
            out,
            user,
            keeper,
            session,
            engine,
            stopping,
            ..
        } = self;
        let connection = &*user.connection;
        let User {
            read: frames,
            heard,
            ..
        } = user;
        let hear = frames.frames(|frame| match frame {
            ServerFrame::Message { .. } => {
                super::outgoing::deliver(frame, session, connection, engine, out);
            }
            other => heard.take(other),
        });
        tokio::select! {
            read = read_some(read, input, outside), if may_read => Turn::Input(read),
            open = hear, if !is_congested => Turn::Frames(open.is_some()),
            heard = keeper.hear() => Turn::Kept(heard),
            () = outside.drained_to(CONGESTED_BYTES / 2), if is_congested => Turn::Relieved,
            // Nobody reads from the engine then, who would notice.
            () = connection.ended(), if is_congested => Turn::Frames(false),
            () = tokio::time::sleep_until(until.into()) => Turn::Relieved,
            _ = stopping.wait_for(|stopping| *stopping) => Turn::Stopping,
        }
    }

    /// Handles all whole packets that came.
    async fn packets(&mut self) -> Result<(), End> {
        let input = std::mem::take(&mut self.input);
        let most = self.payload_max().saturating_add(PACKET_ROOM);
        let mut at = 0;
        loop {
            match parse(&input[at..], most) {
                Ok(Parsed::Packet(packet, length)) => {
                    self.heard_at = Instant::now();
                    self.packet(packet).await?;
                    at += length;
                }
                Ok(Parsed::Incomplete(_)) => break,
                Err(fault) => return Err(End::Fault(CloseReason::ProtocolViolation, fault)),
            }
        }
        self.input = input;
        self.input.drain(..at);
        if self.input.is_empty() && self.input.capacity() > READ_BYTES * 4 {
            self.input = Vec::new();
        }
        Ok(())
    }

    async fn packet(&mut self, packet: Packet<'_>) -> Result<(), End> {
        match packet {
            Packet::Publish(message) => self.publish(&message).await?,
            Packet::Puback(id) => self.acknowledged(id),
            Packet::Pubrec(id) => self.received(id),
            Packet::Pubrel(id) => self.release(id).await?,
            Packet::Pubcomp(id) => self.completed(id),
            Packet::Subscribe { id, filters } => self.subscribe(id, &filters).await?,
            Packet::Unsubscribe { id, filters } => self.unsubscribe(id, &filters).await?,
            Packet::Pingreq => push_pingresp(&mut self.out),
            Packet::Disconnect => {
                self.flush().await?;
                return Err(End::Left);
            }
            Packet::Connect(_) => return Err(End::fault("a second CONNECT")),
        }
        Ok(())
    }

    /// The disk does not answer in time.
    fn late(&self) -> End {
        End::Trouble(Trouble::Late {
            what: "a message",
            timeout_ms: self.options.js_api_timeout.as_millis() as u64,
        })
    }

    /// Bytes of a message, with headers, that the client may publish.
    pub(super) fn payload_max(&self) -> usize {
        let own = self.engine.payload_max_of(&self.user.connection);
        let all = self.engine.manner().session.parse.max_payload;
        own.map_or(all, |own| own.min(all))
    }

    /// How it is to be served now: a reload may have changed it.
    pub(super) fn refresh_options(&mut self) {
        if let Some(options) = &self.engine.manner().mqtt {
            self.options = Arc::clone(options);
        }
    }
}

/// Reads something; `None`: the client is gone.
async fn read_some(
    read: &mut ReadLink,
    input: &mut Vec<u8>,
    outside: &Arc<Connection>,
) -> Option<usize> {
    input.reserve(READ_BYTES);
    let arrived = poll_fn(|cx| {
        let polled = read.poll_read(cx, input);
        if read.has_answer() {
            outside.flush_link();
        }
        polled
    });
    match arrived.await {
        Ok(arrived) if arrived.bytes > 0 => Some(arrived.bytes),
        _ => None,
    }
}
