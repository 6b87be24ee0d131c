//! The task of one connection: reads a batch, handles it, writes what came of it, and yields.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arc_swap::Guard;
use recado_session::{Goodbye, Session, Step, Tick, publish_violation};
use recado_wire::{Connect, OK, PING, ProtocolError, Publish, announced};
use tokio::time::Sleep;

use super::account::Account;
use super::clock;
use super::closed::Held;
use super::connection::{Connection, shown};
use super::counters::bump;
use super::deliver::Publisher;
use super::door::{Rules, Way};
use super::drops::Loss;
use super::ending::CloseReason;
use super::farewell::refuse;
use super::layers::Arrived;
use super::link::{Link, ReadLink};
use super::load::Share;
use super::login::{new_nonce, rights_of};
use super::opening::Opened;
use super::registry::Limit;
use super::shared::Engine;
use super::standing::Standing;
use super::trace;
use super::worker::{CONGESTED_BYTES, Congestion, READ_BYTES, Worker, with_worker};

/// Longest that a publisher waits for slow subscribers behind one batch. Bounded, or two clients
/// that publish to each other would wait forever.
const STALL_MAX: Duration = Duration::from_millis(10);
/// A congested subscriber that read nothing for so long has stopped: nobody waits for it any more.
/// Until then a publisher that feeds nobody else waits, or a subscriber that the machine kept from
/// running for some milliseconds would be cut off by the flood meanwhile.
const STOPPED_AFTER: Duration = Duration::from_millis(500);
/// The same for a publisher that feeds others too: it waits only for one that is reading right now.
const PAUSE_MAX: Duration = Duration::from_millis(20);
/// Refused publishes and subscriptions of one connection that are told in the log.
const REFUSALS_TOLD: u32 = 10;
/// What SUB, UNSUB and the like cost, in frames staged.
const CONTROL_WORK: usize = 8;
/// Partial frames up to this size are joined with new input in the thread's read buffer.
const JOIN_MAX: usize = 64 * 1024;
/// A read buffer that grew beyond this, for what a compressed message became, is not kept.
const KEPT_BYTES_MAX: usize = 2 * READ_BYTES;
/// First size of a large frame's own buffer, unless the frame is smaller.
const LARGE_BYTES: usize = 256 * 1024;

/// Who may connect how.
pub(crate) enum Admission {
    /// From outside: INFO first, then a credential if one is asked for.
    Outside(SocketAddr, Way),
    /// A part of the server itself; `wants_origin`: messages to it say who published them.
    Internal {
        wants_origin: bool,
        /// Who it is.
        standing: Arc<Standing>,
    },
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
pub(super) enum After {
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

/// Starts the task that serves one connection until it ends. `None`: there was no room for it.
pub(crate) fn serve(
    engine: Arc<Engine>,
    link: Link,
    read: ReadLink,
    admission: Admission,
) -> Option<Arc<Connection>> {
    let (peer, way, wants_origin, insider) = match admission {
        Admission::Outside(peer, way) => (Some(peer), way, false, None),
        Admission::Internal {
            wants_origin,
            standing,
        } => (None, Way::Clients, wants_origin, Some(standing)),
    };
    let is_fronted = link.front().is_some();
    // Who has a front passed the door already.
    let rules = peer
        .filter(|_| !is_fronted)
        .map(|_| engine.door(way).rules());
    let greets = rules.as_ref().is_none_or(|rules| rules.greets_first());
    let manner = Guard::into_inner(engine.manner());
    let write = Arc::clone(&engine.write);
    let limit = match peer {
        Some(_) => Limit::Clients(manner.max_connections),
        None => Limit::Internal,
    };
    let mut link = Some(link);
    let made = engine.connections.add(limit, |id, slot| {
        let link = link.take().expect("called once");
        let standing = match &insider {
            Some(standing) => Arc::clone(standing),
            None => Arc::clone(manner.anonymous(way).unwrap_or_else(|| engine.nobody())),
        };
        Connection::new(id, slot, peer, wants_origin, link, write, standing)
    });
    let Some(connection) = made else {
        if let Some(link) = link {
            refuse(&engine, &link, peer, greets);
        }
        return None;
    };
    let now = Instant::now();
    let mut session = match &insider {
        None if is_fronted => Session::new(Arc::clone(manner.session_for(way)), now),
        None => Session::new(Arc::clone(&manner.session), now),
        Some(_) => Session::trusted(Arc::clone(&manner.internal), now),
    };
    let nonce = manner.needs_nonce().then(new_nonce);
    if let Some(nonce) = &nonce {
        connection.set_nonce(nonce.clone());
    }
    if greets {
        // Of a proxy's client the address is not known yet.
        let known = peer.filter(|_| rules.as_ref().is_some_and(|rules| !rules.proxy_protocol));
        connection.deliver_bytes(&engine.info_line(connection.id, known, None, nonce.as_deref()));
    }
    tracing::debug!(cid = connection.id, peer = %connection.peer_text(), "client connection created");
    let standing = connection.standing();
    // Parts of the server are not held to what an account allows its clients.
    if insider.is_none() {
        session.set_rights(rights_of(&standing));
    }
    let made = Arc::clone(&connection);
    let reader = Reader {
        engine,
        account: Arc::clone(&standing.account),
        in_account: false,
        connection,
        session,
        read,
        partial: Vec::new(),
        wanted: 0,
        unread: false,
        cleaned_up: false,
        refused: 0,
        batches: 0,
        share: Share::default(),
        destination: None,
    };
    let reader = Box::new(reader);
    match rules.filter(|rules| !rules.is_open()) {
        None => tokio::spawn(until_end(reader)),
        // What it was greeted by holds to the end of it, whatever is reloaded meanwhile.
        Some(rules) => tokio::spawn(open_then_serve(reader, way, rules)),
    };
    Some(made)
}

/// Serves a connection once it has passed what its door asks for.
async fn open_then_serve(mut reader: Box<Reader>, way: Way, rules: Arc<Rules>) {
    match Box::pin(reader.open(way, &rules)).await {
        // A task of its own: the one of the opening is many times as large.
        Ok(Opened::Nats) => drop(tokio::spawn(until_end(reader))),
        Ok(Opened::Mqtt(early)) => Box::pin(reader.hear_mqtt(early)).await,
        Err(reason) => reader.clean_up(reason).await,
    }
}

/// Serves a connection until it ends or moves to another thread.
async fn until_end(reader: Box<Reader>) {
    if let Some((reader, thread)) = reader.run().await {
        go_on_at(thread, reader);
    }
}

/// Goes on with a connection on another thread, or on this one where that can't be.
fn go_on_at(thread: usize, mut reader: Box<Reader>) {
    let engine = Arc::clone(&reader.engine);
    let there = engine.threads.runtime(thread);
    let watched = {
        let _there = there.enter();
        reader.connection.rewatch(&mut reader.read)
    };
    match watched {
        Ok(()) => {
            tracing::debug!(cid = reader.connection.id, thread, "connection moved");
            there.spawn(until_end(reader));
        }
        Err(_) => {
            tokio::spawn(until_end(reader));
        }
    }
}

/// The state that only the connection's own task sees.
pub(super) struct Reader {
    pub(super) engine: Arc<Engine>,
    /// Whose subjects it speaks of.
    pub(super) account: Arc<Account>,
    /// It is one of the account's clients.
    pub(super) in_account: bool,
    pub(super) connection: Arc<Connection>,
    pub(super) session: Session,
    pub(super) read: ReadLink,
    /// The start of a frame whose rest has not come yet.
    pub(super) partial: Vec<u8>,
    /// Bytes of that frame in all, where its line says so already; else 0.
    wanted: usize,
    /// `partial` begins with whole operations: the turn was over before they were handled.
    unread: bool,
    /// The connection was taken out of everything that knows it.
    pub(super) cleaned_up: bool,
    /// Publishes and subscriptions refused so far.
    pub(super) refused: u32,
    batches: u32,
    /// Its part of its thread's time.
    share: Share,
    /// The thread that it should move to.
    destination: Option<usize>,
}

impl Reader {
    /// Serves the connection until it ends, or should go on at another thread.
    ///
    /// Boxed, as its timer is: a task's own state is kept twice over by the compiler, and there are
    /// many idle tasks.
    async fn run(mut self: Box<Self>) -> Option<(Box<Self>, usize)> {
        let mut sleep = Box::pin(tokio::time::sleep_until(self.session.deadline().into()));
        let reason = loop {
            let turn = std::future::poll_fn(|cx| self.turn(cx, sleep.as_mut())).await;
            match turn {
                Turn::Ended(reason) => break reason,
                Turn::Deadline => match self.tick() {
                    None => {}
                    Some(goodbye) => break Box::pin(self.say_goodbye(goodbye)).await,
                },
                Turn::Handled(After::Wait) => {}
                Turn::Handled(After::Again) => tokio::task::yield_now().await,
                Turn::Handled(After::Stall(congestion)) => {
                    bump(&self.engine.counters.stalls);
                    Box::pin(stall(congestion)).await;
                }
                Turn::Handled(After::Authenticate(connect)) => {
                    if let Err(goodbye) = Box::pin(self.authenticate_elsewhere(connect)).await {
                        break Box::pin(self.say_goodbye(goodbye)).await;
                    }
                }
                Turn::Handled(After::Close(goodbye)) => {
                    break Box::pin(self.say_goodbye(goodbye)).await;
                }
            }
            if let Some(thread) = self.destination.take() {
                return Some((self, thread));
            }
            if sleep.deadline().into_std() != self.session.deadline() {
                sleep.as_mut().reset(self.session.deadline().into());
            }
        };
        Box::pin(self.clean_up(reason)).await;
        None
    }

    /// What was read before the session began is handled first.
    pub(super) fn begin_with(&mut self, read: Vec<u8>) {
        self.unread = !read.is_empty();
        self.partial = read;
    }

    /// One turn: a batch if there is input, else the deadline if it has passed.
    fn turn(&mut self, cx: &mut Context<'_>, sleep: Pin<&mut Sleep>) -> Poll<Turn> {
        // A flood must not keep the deadline from being seen.
        self.batches = self.batches.wrapping_add(1);
        if self.batches.is_multiple_of(64) && Instant::now() >= self.session.deadline() {
            return Poll::Ready(Turn::Deadline);
        }
        if let Some(goodbye) = self.take_notice() {
            return Poll::Ready(Turn::Handled(After::Close(goodbye)));
        }
        // What was cut off is not heard any more, whatever its socket still holds.
        if let Some(reason) = self.connection.close_reason() {
            return Poll::Ready(Turn::Ended(reason));
        }
        let start = Instant::now();
        if self.unread {
            let rest = std::mem::take(&mut self.partial);
            let after = with_worker(|worker| self.handle(worker, &rest, start));
            self.account(start);
            return Poll::Ready(Turn::Handled(after));
        }
        match self.read.poll_readable(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Poll::Ready(Turn::Ended(CloseReason::Read)),
            Poll::Pending => return sleep.poll(cx).map(|()| Turn::Deadline),
        }
        let read = with_worker(|worker| self.read_batch(cx, worker, start));
        match read {
            Poll::Pending => sleep.poll(cx).map(|()| Turn::Deadline),
            ready => {
                self.account(start);
                ready
            }
        }
    }

    /// A turn that began then is over: its thread's time was spent on it.
    fn account(&mut self, start: Instant) {
        let (cid, now) = (self.connection.id, Instant::now());
        self.destination = self.engine.threads.spend(cid, &mut self.share, start, now);
    }

    /// Reads once and handles what came.
    fn read_batch(
        &mut self,
        cx: &mut Context<'_>,
        worker: &mut Worker,
        now: Instant,
    ) -> Poll<Turn> {
        // A large frame goes on in its own buffer; everything else is joined in the thread's.
        let large = self.wanted > JOIN_MAX;
        let mut buffer = if large {
            std::mem::take(&mut self.partial)
        } else {
            let mut buffer = std::mem::take(&mut worker.read_buffer);
            buffer.clear();
            buffer.reserve(READ_BYTES);
            buffer.extend_from_slice(&self.partial);
            buffer
        };
        let outcome = self.read.poll_read(cx, &mut buffer);
        if self.read.has_answer() {
            self.connection.flush_link();
        }
        let turn = match outcome {
            Poll::Pending if large => {
                self.partial = buffer;
                return Poll::Pending;
            }
            Poll::Pending => {
                worker.read_buffer = buffer;
                return Poll::Pending;
            }
            Poll::Ready(Err(error)) => {
                self.note_broken(&error);
                Turn::Ended(CloseReason::Read)
            }
            Poll::Ready(Ok(Arrived { bytes: 0, .. })) => Turn::Ended(CloseReason::ClientClosed),
            Poll::Ready(Ok(_)) if buffer.len() < self.wanted => {
                self.session.heard(now);
                self.go_on_with(buffer);
                return Poll::Ready(Turn::Handled(After::Again));
            }
            Poll::Ready(Ok(Arrived { more, .. })) => {
                let after = self.handle(worker, &buffer, now);
                let again = more && matches!(after, After::Wait);
                Turn::Handled(if again { After::Again } else { after })
            }
        };
        if !large && buffer.capacity() <= KEPT_BYTES_MAX {
            worker.read_buffer = buffer;
        }
        Poll::Ready(turn)
    }

    /// What breaks the rules of TLS is told in the log; that a socket was reset is not worth it.
    #[cold]
    fn note_broken(&self, error: &std::io::Error) {
        if error.kind() == std::io::ErrorKind::InvalidData {
            let (cid, peer) = (self.connection.id, self.connection.peer_text());
            tracing::error!(cid, %peer, %error, "what the client sent can't be read");
        }
    }

    /// Handles the operations in `input`, writes what came of them, keeps the rest.
    pub(super) fn handle(&mut self, worker: &mut Worker, input: &[u8], now: Instant) -> After {
        self.session.heard(now);
        worker.stage.start_batch();
        let mut batch = Batch {
            congestion: Congestion::default(),
            messages: 0,
            bytes: 0,
            interest_changed: false,
        };
        let mut at = 0;
        let (mut wanted, mut after) = (0, After::Wait);
        self.unread = false;
        let tracing = self.engine.manner().trace;
        let mut plain = tracing.is_none() && !self.account.renames();
        while at < input.len() {
            if worker.is_exhausted() {
                self.unread = true;
                after = After::Again;
                break;
            }
            if plain && let Some((message, length)) = self.session.publish(&input[at..]) {
                batch.messages += 1;
                batch.bytes += message.body.len() as u64;
                if message.header_len > 0 && self.may_be_traced(&message) {
                    self.publish(worker, &message, input);
                } else {
                    self.route(worker, &message, input);
                }
                at += length;
                if worker.is_full() {
                    self.flush(worker, input, &mut batch.congestion);
                }
                continue;
            }
            let (step, length) = self.session.step(&input[at..], now);
            if let Some(tracing) = tracing {
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
                Step::Close(goodbye) if goodbye.told == Some(ProtocolError::MaxPayload) => {
                    self.note_too_large(&input[at..]);
                    after = After::Close(goodbye);
                    at += length;
                    break;
                }
                other => {
                    batch.interest_changed |=
                        matches!(other, Step::Subscribe { .. } | Step::Unsubscribe { .. });
                    worker.stage.add_work(CONTROL_WORK);
                    if let Some(end) = self.control(worker, other, now) {
                        after = end;
                        at += length;
                        break;
                    }
                    // With a CONNECT the account is another.
                    plain = tracing.is_none() && !self.account.renames();
                }
            }
            at += length;
        }
        self.keep(&input[at..], wanted);
        self.flush(worker, input, &mut batch.congestion);
        worker.tell(&self.engine);
        self.count_in(&batch, now);
        self.after(after, batch.congestion)
    }

    /// Judges a message, then routes it.
    #[cold]
    fn publish(&mut self, worker: &mut Worker, message: &Publish<'_>, input: &[u8]) {
        let asks = message.header_len > 0 && self.may_be_traced(message);
        if asks && self.publish_traced(worker, message, input) {
            return;
        }
        let renamed = self.renamed(worker, message.subject);
        let message = &match &renamed {
            Some(subject) => Publish {
                subject,
                tail: b"",
                ..*message
            },
            None => *message,
        };
        if self.judge(worker, message).is_ok() {
            self.route(worker, message, input);
        }
    }

    /// The subject that a message goes to instead of its own.
    pub(super) fn renamed(&self, worker: &mut Worker, subject: &[u8]) -> Option<Vec<u8>> {
        // What translates for a client did so already, for it stores the message under the same subject; and what parts of the
        // server say is meant as it is.
        let is_outside = self.connection.peer.is_some() && self.connection.front().is_none();
        if !self.account.renames() || !is_outside {
            return None;
        }
        let terms = self.account.terms();
        terms.mappings.rename(subject, worker.random.next())
    }

    /// Whether a message may go on, and says why not. What it is renamed to is what must be allowed (C36).
    pub(super) fn judge(
        &mut self,
        worker: &mut Worker,
        message: &Publish<'_>,
    ) -> Result<(), ProtocolError> {
        if !self.session.may_publish(message.subject)
            && !self
                .connection
                .standing()
                .take_reply_grant(message.subject, Instant::now())
        {
            let error = publish_violation(message.subject);
            self.say_error(worker, &error);
            self.note_denied(message.subject);
            self.note_refusal(message.subject);
            return Err(error);
        }
        if let Err((error, goes_on)) = self.session.check_publish(message) {
            self.say_error(worker, &error);
            if !goes_on {
                self.note_drop(message.subject, Loss::Reserved);
                self.note_refusal(message.subject);
                return Err(error);
            }
        }
        Ok(())
    }

    /// For whoever asks after the message.
    pub(super) fn note_denied(&self, subject: &[u8]) {
        let answers = self
            .session
            .permissions()
            .is_some_and(|permissions| permissions.responses().is_some());
        let loss = match answers {
            true => Loss::AnswerNotGranted,
            false => Loss::PublishDenied,
        };
        self.note_drop(subject, loss);
    }

    fn note_drop(&self, subject: &[u8], loss: Loss) {
        let drops = self.engine.drops();
        drops.note(&self.account.name, subject, self.connection.id, loss);
    }

    /// What is too large is named by its first line, which `input` begins with: nothing more was looked at.
    #[cold]
    fn note_too_large(&self, input: &[u8]) {
        if let Some((subject, bytes)) = announced(input) {
            let max_bytes = self.session.max_payload();
            self.note_drop(subject, Loss::TooLarge { bytes, max_bytes });
        }
    }

    /// A few refusals are told in the log; who goes on is known by then.
    pub(super) fn is_refusal_told(&mut self) -> bool {
        self.refused = self.refused.saturating_add(1);
        self.refused <= REFUSALS_TOLD
    }

    /// A publish was refused.
    pub(super) fn note_refusal(&mut self, subject: &[u8]) {
        if self.is_refusal_told() {
            let (cid, subject) = (self.connection.id, shown(subject));
            tracing::error!(cid, %subject, "publish violation");
        }
    }

    /// Says that a message was taken, to those that want to hear it.
    #[inline(always)]
    pub(super) fn confirm(&self, worker: &mut Worker) {
        if self.session.verbose() {
            self.say(worker, OK);
        }
    }

    #[inline(always)]
    fn route(&mut self, worker: &mut Worker, message: &Publish<'_>, input: &[u8]) {
        self.confirm(worker);
        let publisher = Publisher {
            connection: &self.connection,
            echo: self.session.echo(),
            no_responders: self.session.no_responders(),
        };
        worker.publish(&self.engine, &self.account, publisher, message, input);
    }

    /// Keeps the start of a frame for the next batch. A large frame gets a buffer of its own.
    fn keep(&mut self, rest: &[u8], wanted: usize) {
        self.wanted = wanted;
        if rest.is_empty() {
            self.partial = Vec::new();
            return;
        }
        let mut partial = std::mem::take(&mut self.partial);
        partial.clear();
        if wanted > JOIN_MAX {
            partial.reserve_exact(wanted.min((rest.len() * 2).max(LARGE_BYTES)));
        }
        partial.extend_from_slice(rest);
        self.partial = partial;
    }

    /// More of a large frame came, and it is not whole yet: its buffer grows as it comes, never
    /// ahead of it by more than doubling.
    fn go_on_with(&mut self, mut buffer: Vec<u8>) {
        if buffer.len() == buffer.capacity() {
            buffer.reserve_exact(buffer.len().min(self.wanted - buffer.len()));
        }
        self.partial = buffer;
    }

    fn flush(&self, worker: &mut Worker, input: &[u8], congestion: &mut Congestion) {
        worker.flush(input, self.connection.id, self.not_to(), congestion);
    }

    /// Who does not hear what this connection publishes: itself, without echo.
    pub(super) fn not_to(&self) -> Option<u64> {
        (!self.session.echo()).then_some(self.connection.id)
    }

    /// Counts a batch that was read at `start` and is written by now.
    fn count_in(&self, batch: &Batch, start: Instant) {
        if batch.messages > 0 {
            let traffic = &self.connection.traffic;
            traffic
                .in_messages
                .fetch_add(batch.messages, Ordering::Relaxed);
            traffic.in_bytes.fetch_add(batch.bytes, Ordering::Relaxed);
            let took = start.elapsed();
            self.engine.counters.delivery.add(took, batch.messages);
        }
        if batch.messages > 0 || batch.interest_changed {
            let active = &self.connection.active_us;
            active.store(clock::micros(start), Ordering::Relaxed);
        }
    }

    /// A publisher waits only where that helps: when all that it feeds are congested, or one that
    /// still reads is close to being cut off.
    fn after(&self, after: After, mut congestion: Congestion) -> After {
        if !matches!(after, After::Wait | After::Again)
            || congestion.congested.is_empty()
            || !self.engine.manner().stall_publishers
        {
            return after;
        }
        let near_limit = self.engine.write.max_pending / 4 * 3;
        let (bytes, patience) = if congestion.some_free {
            (near_limit, PAUSE_MAX)
        } else {
            (CONGESTED_BYTES, STOPPED_AFTER)
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

    /// The deadline passed. Some: the connection ends.
    fn tick(&mut self) -> Option<Goodbye> {
        match self.session.tick(Instant::now()) {
            Tick::Wait => None,
            Tick::Ping => {
                if self.engine.manner().trace.is_some() {
                    trace::outgoing(&self.connection, "[PING]");
                }
                self.connection.deliver_bytes(PING);
                None
            }
            Tick::Close(goodbye) => Some(goodbye),
        }
    }
}

/// Whatever ends the task, a panic among it: nobody may go on delivering to a connection that nobody
/// serves.
impl Drop for Reader {
    fn drop(&mut self) {
        if !self.cleaned_up {
            self.leave_everything(Held::of(&self.connection));
        }
    }
}

/// What one batch brought.
struct Batch {
    congestion: Congestion,
    messages: u64,
    bytes: u64,
    /// It subscribed or unsubscribed.
    interest_changed: bool,
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
    use crate::engine::subscription::Subscription;

    fn size_of_future<F: Future>(_: impl FnOnce(Box<Reader>) -> F) -> usize {
        std::mem::size_of::<F>()
    }

    #[test]
    fn what_an_idle_connection_holds_stays_small() {
        // Bytes, as measured; the benchmark's `idle` row says what they add up to.
        assert!(
            size_of_future(until_end) <= 248,
            "{}",
            size_of_future(until_end)
        );
        assert!(size_of::<Reader>() <= 240, "{}", size_of::<Reader>());
        assert!(
            size_of::<Connection>() <= 376,
            "{}",
            size_of::<Connection>()
        );
        assert!(
            size_of::<Subscription>() <= 88,
            "{}",
            size_of::<Subscription>()
        );
    }
}
