//! The task of one connection: reads a batch, handles it, writes what came of it, and yields.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use recado_session::{Goodbye, Session, Step, Tick};
use recado_wire::{Connect, OK, PING, PONG, ProtocolError, Publish, push_err};
use tokio::time::Sleep;

use super::client::Client;
use super::connection::{CloseReason, Connection};
use super::deliver::Publisher;
use super::link::{Link, ReadLink};
use super::shared::Engine;
use super::subscription::Subscription;
use super::trace;
use super::worker::{CONGESTED_BYTES, Congestion, READ_BYTES, Worker, with_worker};

/// Longest that a publisher waits for slow subscribers behind one batch. Bounded, or two clients
/// that publish to each other would wait forever.
const STALL_MAX: Duration = Duration::from_millis(10);
/// A congested subscriber that read nothing for so long has stopped: nobody waits for it any more.
/// Until then a publisher that feeds nobody else waits, or a subscriber that the machine kept from
/// running for some milliseconds would be cut off by the flood meanwhile.
const STOPPED_AFTER: Duration = Duration::from_millis(500);
/// A last `-ERR` is given so long to reach the client before the socket closes.
const LINGER_MAX: Duration = Duration::from_millis(500);
/// Partial frames up to this size are joined with new input in the thread's read buffer.
const JOIN_MAX: usize = READ_BYTES / 2;
/// Subscriptions removed in one go when a connection ends, before others get their turn.
const REMOVE_CHUNK: usize = 4096;

/// Who may connect how.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// From outside: INFO first, then a credential if one is asked for.
    Outside(SocketAddr),
    /// A part of the server itself; `wants_origin`: messages to it say who published them.
    Internal { wants_origin: bool },
}

/// What a turn of the task ended with.
enum Turn {
    /// The input ended or failed.
    Ended(CloseReason),
    /// The deadline passed.
    Deadline,
    /// A batch was handled.
    Handled(After),
}

/// What follows a batch.
enum After {
    /// Go on; more input is likely waiting.
    Again,
    /// Go on; the socket was read empty.
    Wait,
    /// Some destinations are congested.
    Stall(Congestion),
    /// Decide on a credential where that takes long.
    Authenticate(Box<Connect>),
    /// End the connection.
    Close(Goodbye),
}

/// Starts the task that serves one connection until it ends.
pub(crate) fn serve(engine: Arc<Engine>, link: Link, read: ReadLink, admission: Admission) {
    let (peer, wants_origin) = match admission {
        Admission::Outside(peer) => (Some(peer), false),
        Admission::Internal { wants_origin } => (None, wants_origin),
    };
    engine.total_connections.fetch_add(1, Ordering::Relaxed);
    let write = engine.settings.write;
    // The parts of the server itself are always admitted.
    let max = engine.settings.max_connections.filter(|_| peer.is_some());
    let mut link = Some(link);
    let made = engine.connections.add(max, |id, slot| {
        let link = link.take().expect("called once");
        Connection::new(id, slot, peer, wants_origin, link, write)
    });
    let Some(connection) = made else {
        if let Some(link) = link {
            tokio::spawn(async move { refuse(&engine, &link, peer).await });
        }
        return;
    };
    let settings = Arc::clone(&engine.settings.session);
    let session = match admission {
        Admission::Outside(_) => Session::new(settings, Instant::now()),
        Admission::Internal { .. } => Session::trusted(settings, Instant::now()),
    };
    connection.deliver_bytes(&engine.info_line(connection.id, peer, false));
    tracing::debug!(cid = connection.id, peer = %connection.peer_text(), "client connection created");
    let reader = Reader {
        engine,
        connection,
        session,
        read,
        partial: Vec::new(),
        batches: 0,
    };
    tokio::spawn(Box::new(reader).run());
}

/// No room: says so behind the INFO, as clients expect (A64).
async fn refuse(engine: &Engine, link: &Link, peer: Option<SocketAddr>) {
    let id = engine.connections.spare_id();
    let mut bytes = engine.info_line(id, peer, false);
    push_err(&mut bytes, &ProtocolError::MaxConnections);
    // A fresh socket takes a few hundred bytes at once, or its other side is gone.
    let _ = link.writable().await;
    let _ = link.try_write(&bytes);
    link.shutdown(std::net::Shutdown::Write);
    let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
    tracing::error!(%peer, "maximum connections exceeded");
}

/// The state that only the connection's own task sees.
struct Reader {
    engine: Arc<Engine>,
    connection: Arc<Connection>,
    session: Session,
    read: ReadLink,
    /// The start of a frame whose rest has not come yet.
    partial: Vec<u8>,
    batches: u32,
}

impl Reader {
    /// Boxed, as its timer is: a task's own state is kept twice over by the compiler, and there are
    /// many idle tasks.
    async fn run(mut self: Box<Self>) {
        let mut sleep = Box::pin(tokio::time::sleep_until(self.session.deadline().into()));
        let reason = loop {
            let turn = std::future::poll_fn(|cx| self.turn(cx, sleep.as_mut())).await;
            match turn {
                Turn::Ended(reason) => break reason,
                Turn::Deadline => match self.tick() {
                    None => {}
                    Some(goodbye) => {
                        Box::pin(self.say_goodbye(goodbye)).await;
                        break CloseReason::Protocol;
                    }
                },
                Turn::Handled(After::Wait) => {}
                Turn::Handled(After::Again) => tokio::task::yield_now().await,
                Turn::Handled(After::Stall(congestion)) => Box::pin(stall(congestion)).await,
                Turn::Handled(After::Authenticate(connect)) => {
                    if let Err(goodbye) = Box::pin(self.authenticate_elsewhere(connect)).await {
                        Box::pin(self.say_goodbye(goodbye)).await;
                        break CloseReason::Protocol;
                    }
                }
                Turn::Handled(After::Close(goodbye)) => {
                    Box::pin(self.say_goodbye(goodbye)).await;
                    break CloseReason::Protocol;
                }
            }
            if sleep.deadline().into_std() != self.session.deadline() {
                sleep.as_mut().reset(self.session.deadline().into());
            }
        };
        Box::pin(self.clean_up(reason)).await;
    }

    /// One turn: a batch if there is input, else the deadline if it has passed.
    fn turn(&mut self, cx: &mut Context<'_>, sleep: Pin<&mut Sleep>) -> Poll<Turn> {
        // A flood must not keep the deadline from being seen.
        self.batches = self.batches.wrapping_add(1);
        if self.batches.is_multiple_of(64) && Instant::now() >= self.session.deadline() {
            return Poll::Ready(Turn::Deadline);
        }
        match self.read.poll_readable(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Poll::Ready(Turn::Ended(CloseReason::Io)),
            Poll::Pending => return sleep.poll(cx).map(|()| Turn::Deadline),
        }
        let read = with_worker(|worker| self.read_batch(cx, worker));
        match read {
            Poll::Pending => sleep.poll(cx).map(|()| Turn::Deadline),
            ready => ready,
        }
    }

    /// Reads once and handles what came.
    fn read_batch(&mut self, cx: &mut Context<'_>, worker: &mut Worker) -> Poll<Turn> {
        // A large frame goes on in its own buffer; everything else is joined in the thread's.
        let large = self.partial.len() > JOIN_MAX || self.partial.capacity() > READ_BYTES;
        let mut buffer = if large {
            std::mem::take(&mut self.partial)
        } else {
            let mut buffer = std::mem::take(&mut worker.read_buffer);
            buffer.clear();
            buffer.reserve(READ_BYTES);
            buffer.extend_from_slice(&self.partial);
            buffer
        };
        let room = buffer.capacity() - buffer.len();
        let outcome = self.read.poll_read(cx, &mut buffer);
        let turn = match outcome {
            Poll::Pending if large => {
                self.partial = buffer;
                return Poll::Pending;
            }
            Poll::Pending => {
                worker.read_buffer = buffer;
                return Poll::Pending;
            }
            Poll::Ready(Err(_)) => Turn::Ended(CloseReason::Io),
            Poll::Ready(Ok(0)) => Turn::Ended(CloseReason::ClientClosed),
            Poll::Ready(Ok(count)) => {
                let after = self.handle(worker, &buffer);
                let again = count == room && matches!(after, After::Wait);
                Turn::Handled(if again { After::Again } else { after })
            }
        };
        if !large {
            worker.read_buffer = buffer;
        }
        Poll::Ready(turn)
    }

    /// Handles the operations in `input`, writes what came of them, keeps the rest.
    fn handle(&mut self, worker: &mut Worker, input: &[u8]) -> After {
        let now = Instant::now();
        self.session.heard(now);
        let mut batch = Batch {
            congestion: Congestion::default(),
            messages: 0,
            bytes: 0,
        };
        let mut at = 0;
        let (mut wanted, mut after) = (0, After::Wait);
        while at < input.len() {
            if let Some((message, length)) = self.session.publish(&input[at..])
                && self.engine.settings.trace.is_none()
            {
                batch.messages += 1;
                batch.bytes += message.body.len() as u64;
                self.route(worker, &message, input);
                at += length;
                if worker.is_full() {
                    self.flush(worker, input, &mut batch.congestion);
                }
                continue;
            }
            let (step, length) = self.session.step(&input[at..], now);
            if let Some(tracing) = self.engine.settings.trace {
                trace::incoming(&self.connection, &step, tracing);
            }
            match step {
                Step::Publish(message) => {
                    batch.messages += 1;
                    batch.bytes += message.body.len() as u64;
                    self.publish(worker, &message, input);
                    if worker.is_full() {
                        self.flush(worker, input, &mut batch.congestion);
                    }
                }
                Step::More(total) => {
                    wanted = total;
                    break;
                }
                other => {
                    if let Some(end) = self.control(worker, other, now) {
                        after = end;
                        at += length;
                        break;
                    }
                }
            }
            at += length;
        }
        self.keep(&input[at..], wanted);
        self.flush(worker, input, &mut batch.congestion);
        self.count_in(&batch);
        self.after(after, batch.congestion)
    }

    /// Judges a message, then routes it.
    #[cold]
    fn publish(&mut self, worker: &mut Worker, message: &Publish<'_>, input: &[u8]) {
        if let Err((error, goes_on)) = self.session.check_publish(message) {
            self.say_error(worker, &error);
            if !goes_on {
                let subject = message.subject.escape_ascii();
                tracing::error!(cid = self.connection.id, %subject, "publish violation");
                return;
            }
        }
        self.route(worker, message, input);
    }

    #[inline(always)]
    fn route(&mut self, worker: &mut Worker, message: &Publish<'_>, input: &[u8]) {
        if self.session.verbose() {
            self.say(worker, OK);
        }
        let publisher = Publisher {
            connection: &self.connection,
            echo: self.session.echo(),
            no_responders: self.session.no_responders(),
        };
        worker.publish(&self.engine, publisher, message, input);
    }

    /// Everything but publishing. Some: the batch ends with it.
    fn control(&mut self, worker: &mut Worker, step: Step<'_>, now: Instant) -> Option<After> {
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
            Step::Authenticate(connect) if self.engine.authenticator.is_costly() => {
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

    /// Keeps the start of a frame for the next batch. A large frame gets a buffer of its own that
    /// grows as the frame comes, never ahead of it by more than doubling.
    fn keep(&mut self, rest: &[u8], wanted: usize) {
        if rest.is_empty() {
            if self.partial.capacity() > 0 {
                self.partial = Vec::new();
            }
            return;
        }
        let mut partial = std::mem::take(&mut self.partial);
        partial.clear();
        if wanted > JOIN_MAX {
            let room = wanted.min((rest.len() * 2).max(2 * READ_BYTES));
            partial.reserve_exact(room.max(rest.len() + 1));
        } else if partial.capacity() > JOIN_MAX {
            partial = Vec::new();
        }
        partial.extend_from_slice(rest);
        self.partial = partial;
    }

    fn flush(&self, worker: &mut Worker, input: &[u8], congestion: &mut Congestion) {
        worker.flush(&self.engine, input, self.not_to(), congestion);
    }

    /// Who does not hear what this connection publishes: itself, without echo.
    fn not_to(&self) -> Option<u64> {
        (!self.session.echo()).then_some(self.connection.id)
    }

    fn count_in(&self, batch: &Batch) {
        if batch.messages > 0 {
            let traffic = &self.connection.traffic;
            traffic
                .in_messages
                .fetch_add(batch.messages, Ordering::Relaxed);
            traffic.in_bytes.fetch_add(batch.bytes, Ordering::Relaxed);
        }
    }

    /// A publisher waits only where that helps: when all that it feeds are congested, or one that
    /// still reads is close to being cut off.
    fn after(&self, after: After, mut congestion: Congestion) -> After {
        if !matches!(after, After::Wait)
            || congestion.congested.is_empty()
            || !self.engine.settings.stall_publishers
        {
            return after;
        }
        let near_limit = self.engine.settings.write.max_pending / 4 * 3;
        let (bytes, patience) = if congestion.some_free {
            (near_limit, None)
        } else {
            (CONGESTED_BYTES, Some(STOPPED_AFTER))
        };
        let own = self.connection.id;
        congestion
            .congested
            .retain(|other| other.id != own && other.worth_waiting_for(bytes, patience));
        if congestion.congested.is_empty() {
            After::Again
        } else {
            After::Stall(congestion)
        }
    }

    fn say(&self, worker: &mut Worker, bytes: &[u8]) {
        if let Some(appender) = worker.stage.buffer_of(&self.connection) {
            appender.control(bytes);
        }
    }

    fn say_error(&self, worker: &mut Worker, error: &ProtocolError) {
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
        let identity =
            decision.map_err(|_| Goodbye::unauthorized("wrong or missing credential"))?;
        // A second CONNECT begins anew: what was subscribed before it is dropped (A11).
        if self.session.connected() {
            let subs = self.connection.subscriptions.lock().take_all();
            for sub in subs {
                self.engine.router.remove(&sub);
            }
        }
        self.session.admit(connect, now)?;
        tracing::debug!(
            cid = self.connection.id,
            name = connect.name.as_deref(),
            lang = connect.lang.as_deref(),
            version = connect.version.as_deref(),
            user = identity.user.as_deref(),
            "client connected"
        );
        // A second CONNECT keeps the first one's names: they are for logs only.
        let _ = self.connection.client.set(Box::new(Client::new(connect)));
        Ok(())
    }

    /// Decides where blocking is allowed, then goes on with what came behind the CONNECT.
    async fn authenticate_elsewhere(&mut self, connect: Box<Connect>) -> Result<(), Goodbye> {
        let mut connect = connect;
        loop {
            let engine = Arc::clone(&self.engine);
            let decided = tokio::task::spawn_blocking(move || {
                let decision = engine.authenticator.decide(&connect);
                (connect, decision)
            });
            let Ok((connect_again, decision)) = decided.await else {
                return Err(Goodbye::unauthorized("the credential could not be checked"));
            };
            self.admit(&connect_again, decision, Instant::now())?;
            if self.session.verbose() {
                self.connection.deliver_bytes(OK);
            }
            let rest = std::mem::take(&mut self.partial);
            if rest.is_empty() {
                return Ok(());
            }
            match with_worker(|worker| self.handle(worker, &rest)) {
                After::Close(goodbye) => return Err(goodbye),
                After::Authenticate(next) => connect = next,
                _ => return Ok(()),
            }
        }
    }

    /// The deadline passed. Some: the connection ends.
    fn tick(&mut self) -> Option<Goodbye> {
        match self.session.tick(Instant::now()) {
            Tick::Wait => None,
            Tick::Ping => {
                if self.engine.settings.trace.is_some() {
                    trace::outgoing(&self.connection, "[PING]");
                }
                self.connection.deliver_bytes(PING);
                None
            }
            Tick::Close(goodbye) => Some(goodbye),
        }
    }

    /// Tells the client why, and sees that it can hear it: a socket closed over unread input
    /// would be reset, and the last words lost.
    async fn say_goodbye(&mut self, goodbye: Goodbye) {
        let Goodbye { told, reason } = goodbye;
        let connection = &self.connection;
        let error = told.as_ref().map(|told| told.text()).unwrap_or_default();
        let (cid, peer, name) = (connection.id, connection.peer_text(), connection.name());
        tracing::error!(cid, %peer, %name, %error, reason, "client connection ended by the server");
        let Some(told) = told else { return };
        let mut bytes = Vec::new();
        push_err(&mut bytes, &told);
        connection.deliver_bytes(&bytes);
        let connection = Arc::clone(connection);
        let lingering = async {
            connection.drained_to(0).await;
            connection.finish_writing();
            self.read_to_end().await;
        };
        // Past the time the socket is closed as it is.
        let _ = tokio::time::timeout(LINGER_MAX, lingering).await;
    }

    /// Reads and forgets until the other side closes.
    async fn read_to_end(&mut self) {
        let mut sink = Vec::with_capacity(16 * 1024);
        loop {
            sink.clear();
            match std::future::poll_fn(|cx| self.read.poll_read(cx, &mut sink)).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    /// Takes the connection out of everything that knows it.
    async fn clean_up(self: Box<Self>, reason: CloseReason) {
        let Self {
            engine,
            connection,
            read,
            ..
        } = *self;
        connection.close(reason);
        let subs = connection.subscriptions.lock().take_all();
        for chunk in subs.chunks(REMOVE_CHUNK) {
            chunk.iter().for_each(|sub| {
                engine.router.remove(sub);
            });
            tokio::task::yield_now().await;
        }
        let reason = connection.close_reason();
        tracing::debug!(cid = connection.id, ?reason, "client connection closed");
        drop(read);
        engine.connections.remove(connection.slot);
    }
}

/// What one batch brought.
struct Batch {
    congestion: Congestion,
    messages: u64,
    bytes: u64,
}

/// Waits for congested destinations, but never long.
async fn stall(congestion: Congestion) {
    let drained = async {
        for connection in &congestion.congested {
            connection.drained_to(CONGESTED_BYTES / 2).await;
        }
    };
    // Past the time publishing goes on, and `max_pending` bounds what waits.
    let _ = tokio::time::timeout(STALL_MAX, drained).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<F: Future>(_: impl FnOnce(Box<Reader>) -> F) -> usize {
        std::mem::size_of::<F>()
    }

    #[test]
    fn what_an_idle_connection_holds_stays_small() {
        // Bytes, as measured; the benchmark's `idle` row says what they add up to.
        assert!(
            size_of_future(Reader::run) <= 224,
            "{}",
            size_of_future(Reader::run)
        );
        assert!(size_of::<Reader>() <= 176, "{}", size_of::<Reader>());
        assert!(
            size_of::<Connection>() <= 344,
            "{}",
            size_of::<Connection>()
        );
        assert!(
            size_of::<Subscription>() <= 80,
            "{}",
            size_of::<Subscription>()
        );
    }
}
