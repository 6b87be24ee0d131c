//! One connection as others see it: where to deliver, what it holds, how it ends.
//!
//! Its task ([`super::reader`]) owns the session and the reading half; everything here is shared.
//! The socket closes when the last reference goes: the registry's, the task's and the writer's.
//! Subscriptions and cached routes hold weak references only.

mod whose;

use std::net::{IpAddr, Shutdown, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use recado_session::Goodbye;
use tokio::sync::Notify;

use super::account::Account;
use super::client::Client;
use super::clock;
use super::drops::{Drops, Loss};
use super::ending::CloseReason;
use super::frames::Frames;
use super::layers::Layers;
use super::link::{Full, Link, ReadLink};
use super::outbox::{Chunk, Outbox};
use super::standing::Standing;
use super::subscription::SubscriptionTable;
use super::tardiness::{Pace, Tardiness};
use crate::config::WriteTimeout;

/// Chunks that a delivering thread writes for others before it leaves them to the writer task.
const INLINE_CHUNKS: usize = 8;
/// Pieces of one vectored write.
const PIECES_MAX: usize = 256;

/// What delivering to a connection may cost it, and how many it cost too much.
#[derive(Debug)]
pub(crate) struct WriteLimits {
    /// Unsent bytes after which the connection is cut off.
    pub(crate) max_pending: usize,
    /// Time without progress after which a blocked write ends the connection, in milliseconds: it can be changed.
    write_deadline_ms: AtomicU64,
    /// Who does not read all that waited within it is counted and named (`write_timeout: retry`).
    tells_late: AtomicBool,
    /// Connections cut off so far.
    pub(crate) slow_consumers: AtomicU64,
    /// What did not arrive lately.
    pub(crate) drops: Drops,
}

impl WriteLimits {
    pub(crate) fn new(max_pending: usize, deadline: Duration, timeout: WriteTimeout) -> Self {
        let limits = Self {
            max_pending,
            write_deadline_ms: AtomicU64::new(0),
            tells_late: AtomicBool::new(false),
            slow_consumers: AtomicU64::new(0),
            drops: Drops::default(),
        };
        limits.set(deadline, timeout);
        limits
    }

    /// Writes that begin from now on are given so long.
    pub(crate) fn set(&self, deadline: Duration, timeout: WriteTimeout) {
        let millis = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
        self.write_deadline_ms
            .store(millis.max(1), Ordering::Relaxed);
        self.tells_late
            .store(timeout == WriteTimeout::Retry, Ordering::Relaxed);
    }

    fn write_deadline(&self) -> Duration {
        Duration::from_millis(self.write_deadline_ms.load(Ordering::Relaxed))
    }
}

/// What became of a delivery.
pub(crate) enum Delivered {
    /// The socket took everything.
    Written,
    /// Bytes wait: so many in all.
    Queued(usize),
    /// More than `max_pending` would wait: cut off with so many unsent.
    CutOff(usize),
    /// The connection is gone.
    Gone,
}

/// What is left of an outbox after a part of it was written.
enum Waiting {
    Nothing,
    Something(Full),
}

/// What is to be written next.
enum Next {
    Chunk(Chunk),
    /// What the link has to say by itself.
    OfLink,
    Nothing,
}

/// What few connections have: boxed, for idle ones are many.
#[derive(Default)]
struct Rare {
    /// The client's own address, where a proxy that is configured stands before it.
    behind: Option<SocketAddr>,
    /// For whom a request over WebSocket says that it was forwarded: anybody can say so.
    forwarded_for: Option<IpAddr>,
    /// It has to go, with these words.
    dismissal: Option<Goodbye>,
    /// What INFO asked it to sign.
    nonce: Option<Box<str>>,
    /// Whom it claimed to be when it was refused.
    claimed: Option<Box<str>>,
    /// It came to speak MQTT, and has not said CONNECT.
    awaits_mqtt: bool,
}

/// One connection.
pub(crate) struct Connection {
    /// Never used again.
    pub(crate) id: u64,
    /// Small, and used again once this connection is gone.
    pub(crate) slot: u32,
    /// The other end of the socket; `None` for a part of the server itself. Whose the connection is says
    /// [`Connection::address`].
    pub(crate) peer: Option<SocketAddr>,
    /// Messages to it say who published them.
    pub(crate) wants_origin: bool,
    link: Link,
    limits: Arc<WriteLimits>,
    outbox: Mutex<Outbox>,
    /// Told when waiting bytes became few, or the connection ended.
    drained: Notify,
    pub(crate) subscriptions: Mutex<SubscriptionTable>,
    pub(crate) client: OnceLock<Box<Client>>,
    standing: RwLock<Arc<Standing>>,
    /// Something is to be noticed by the connection's task: see [`Connection::notify`].
    notice: AtomicBool,
    /// What few connections have.
    rare: Mutex<Option<Box<Rare>>>,
    /// The session's [`takes_async_info`](recado_session::Session::takes_async_info).
    pub(crate) takes_async_info: AtomicBool,
    /// Round trip in microseconds as the server's PING measured it; 0: not yet.
    pub(crate) round_trip_us: AtomicU32,
    closed: OnceLock<CloseReason>,
    pub(crate) traffic: Traffic,
    /// When it was accepted, on the engine's [`clock`].
    pub(crate) opened_us: u64,
    /// When it last published, or changed what it subscribes to.
    pub(crate) active_us: AtomicU64,
}

/// Messages and bytes, seen from the server.
#[derive(Default)]
pub(crate) struct Traffic {
    pub(crate) in_messages: AtomicU64,
    pub(crate) in_bytes: AtomicU64,
    pub(crate) out_messages: AtomicU64,
    pub(crate) out_bytes: AtomicU64,
}

impl Connection {
    pub(crate) fn new(
        id: u64,
        slot: u32,
        peer: Option<SocketAddr>,
        wants_origin: bool,
        link: Link,
        limits: Arc<WriteLimits>,
        standing: Arc<Standing>,
    ) -> Self {
        let opened_us = clock::now_us();
        Self {
            id,
            slot,
            peer,
            wants_origin,
            link,
            limits,
            outbox: Mutex::default(),
            drained: Notify::new(),
            subscriptions: Mutex::default(),
            client: OnceLock::new(),
            standing: RwLock::new(standing),
            notice: AtomicBool::new(false),
            rare: Mutex::default(),
            takes_async_info: AtomicBool::new(false),
            round_trip_us: AtomicU32::new(0),
            closed: OnceLock::new(),
            traffic: Traffic::default(),
            opened_us,
            active_us: AtomicU64::new(opened_us),
        }
    }

    /// Has the socket watched by the thread that the connection's task moves to: the one whose
    /// runtime the caller has entered. See [`Link::rewatch`].
    pub(crate) fn rewatch(&self, read: &mut ReadLink) -> std::io::Result<()> {
        self.link.rewatch(read)
    }

    /// Puts layers in between the connection and its socket: see [`Link::put_in`].
    pub(super) fn put_in(&self, read: &mut ReadLink, layers: Layers) {
        self.link.put_in(read, layers);
    }

    /// Layers in between that were put in.
    pub(super) fn layers(&self) -> Option<&Layers> {
        self.link.layers()
    }

    /// It is a part of the server that takes frames in memory: the streams.
    pub(super) fn is_intake(&self) -> bool {
        matches!(self.link, Link::Intake(_))
    }

    /// Writes bytes past the outbox, which must be empty and stay so meanwhile.
    pub(super) async fn write_raw(&self, bytes: &[u8]) -> std::io::Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            match self.link.try_write(&bytes[written..]) {
                Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    // The next try says whether it is true.
                    self.link.when_writable(|| Ok(((), Full(true)))).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Who it was let in as.
    pub(crate) fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.standing.read())
    }

    /// Its account.
    pub(crate) fn account(&self) -> Arc<Account> {
        Arc::clone(&self.standing.read().account)
    }

    /// It is somebody else from now on.
    pub(super) fn set_standing(&self, standing: Arc<Standing>) {
        *self.standing.write() = standing;
    }

    /// What it may do changed: its task takes that over before it reads on.
    pub(super) fn notify(&self) {
        self.notice.store(true, Ordering::Release);
    }

    /// Ends the connection with these words: its task says them.
    pub(crate) fn dismiss(&self, goodbye: Goodbye) {
        // Who was dismissed before hears why then.
        let mut rare = self.rare.lock();
        rare.get_or_insert_default()
            .dismissal
            .get_or_insert(goodbye);
        drop(rare);
        self.notify();
        // The task may wait for input: this wakes it.
        self.link.shutdown(Shutdown::Read);
    }

    /// Whether there is something to notice, and whether that is the end.
    #[inline]
    pub(super) fn take_notice(&self) -> Option<Option<Goodbye>> {
        if !self.notice.load(Ordering::Relaxed) {
            return None;
        }
        self.notice.swap(false, Ordering::Acquire);
        let rare = self.rare.lock();
        Some(rare.as_ref().and_then(|rare| rare.dismissal.clone()))
    }

    /// It was sent a message with this reply subject: it may answer.
    pub(super) fn grant_reply(&self, reply: &[u8], now: Instant) {
        self.standing.read().grant_reply(reply, now);
    }

    /// Why it ended, if it did.
    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        self.closed.get().copied()
    }

    /// Delivers staged frames: writes at once what the socket takes, queues the rest.
    /// `subject` is for the log, should they wait in vain.
    pub(crate) fn deliver(
        self: &Arc<Self>,
        frames: &Frames,
        input: &[u8],
        subject: &[u8],
    ) -> Delivered {
        {
            let mut outbox = self.outbox.lock();
            if outbox.closed {
                return Delivered::Gone;
            }
            if outbox.writing {
                let wanted = outbox.pending_bytes + frames.len();
                if wanted > self.limits.max_pending {
                    drop(outbox);
                    return self.cut_off(wanted);
                }
                outbox.append(frames.len(), |bytes| frames.copy_rest(input, 0, bytes));
                return Delivered::Queued(outbox.pending_bytes);
            }
            outbox.writing = true;
        }
        match self.write_now(frames, input) {
            Ok(written) if written == frames.len() => self.finish_inline(),
            Ok(written) => self.queue_rest(frames, input, written, subject),
            Err(_) => {
                self.close(CloseReason::Write);
                Delivered::Gone
            }
        }
    }

    /// Delivers bytes that belong to no batch: INFO, PING, a last -ERR.
    pub(crate) fn deliver_bytes(self: &Arc<Self>, bytes: &[u8]) -> Delivered {
        let mut frames = Frames::default();
        frames.push(bytes);
        self.deliver(&frames, &[], b"")
    }

    /// Writes until everything is out or the socket takes no more; how much is out.
    fn write_now(&self, frames: &Frames, input: &[u8]) -> std::io::Result<usize> {
        let total = frames.len();
        let mut written = 0;
        while written < total {
            let outcome = match frames.contiguous() {
                Some(bytes) => self.link.try_write(&bytes[written..]),
                None => self
                    .link
                    .try_write_vectored(&frames.pieces(input, written, PIECES_MAX)),
            };
            match outcome {
                Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    /// Our own frames are out. What others queued meanwhile is ours to write, too.
    fn finish_inline(self: &Arc<Self>) -> Delivered {
        {
            let mut outbox = self.outbox.lock();
            if outbox.is_empty() && !self.link.has_unsent() {
                outbox.writing = false;
                drop(outbox);
                // Who waits for the connection to be idle must hear of it here, too.
                self.drained.notify_waiters();
                return Delivered::Written;
            }
        }
        match self.write_waiting(INLINE_CHUNKS, &mut 0) {
            Ok(Waiting::Nothing) => Delivered::Written,
            Ok(Waiting::Something(_)) => {
                self.spawn_writer();
                Delivered::Queued(self.outbox.lock().pending_bytes)
            }
            Err(_) => {
                self.close(CloseReason::Write);
                Delivered::Gone
            }
        }
    }

    fn queue_rest(
        self: &Arc<Self>,
        frames: &Frames,
        input: &[u8],
        written: usize,
        subject: &[u8],
    ) -> Delivered {
        let mut rest = Vec::with_capacity(frames.len() - written);
        frames.copy_rest(input, written, &mut rest);
        let pending = {
            let mut outbox = self.outbox.lock();
            if outbox.closed {
                return Delivered::Gone;
            }
            outbox.push_first(rest, Instant::now());
            outbox.subject = Some(subject.into());
            outbox.pending_bytes
        };
        if pending > self.limits.max_pending {
            return self.cut_off(pending);
        }
        self.spawn_writer();
        Delivered::Queued(pending)
    }

    fn cut_off(&self, pending: usize) -> Delivered {
        if self.close(CloseReason::SlowConsumerPending) {
            Delivered::CutOff(pending)
        } else {
            Delivered::Gone
        }
    }

    /// Writes waiting chunks, at most `most`. If something is left, it is the caller, who holds `writing`,
    /// that sees to it. Counts what was written.
    fn write_waiting(&self, most: usize, written: &mut u64) -> std::io::Result<Waiting> {
        for _ in 0..most {
            let mut chunk = match self.next() {
                Next::Chunk(chunk) => chunk,
                Next::Nothing => return Ok(Waiting::Nothing),
                Next::OfLink => match self.link.flush() {
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                        return Ok(Waiting::Something(Full(true)));
                    }
                    flushed => {
                        flushed?;
                        continue;
                    }
                },
            };
            let before = chunk.written;
            let outcome = self.write_chunk(&mut chunk);
            *written += (chunk.written - before) as u64;
            let mut outbox = self.outbox.lock();
            outbox.drained(chunk.written - before, Instant::now());
            if chunk.written < chunk.bytes.len() && !outbox.closed {
                outbox.put_back(chunk);
            }
            drop(outbox);
            match outcome {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    return Ok(Waiting::Something(Full(true)));
                }
                other => other?,
            }
        }
        Ok(Waiting::Something(Full(false)))
    }

    /// Takes the next chunk, or ends the writing.
    fn next(&self) -> Next {
        let mut outbox = self.outbox.lock();
        if let Some(chunk) = outbox.take() {
            return Next::Chunk(chunk);
        }
        // Whoever gives the link something to say looks at `writing` after it.
        if self.link.has_unsent() && !outbox.closed {
            return Next::OfLink;
        }
        outbox.writing = false;
        drop(outbox);
        self.drained.notify_waiters();
        Next::Nothing
    }

    fn write_chunk(&self, chunk: &mut Chunk) -> std::io::Result<()> {
        while chunk.written < chunk.bytes.len() {
            match self.link.try_write(&chunk.bytes[chunk.written..])? {
                0 => return Err(std::io::ErrorKind::WriteZero.into()),
                count => chunk.written += count,
            }
        }
        Ok(())
    }

    /// Has what the link has to say by itself written, by whoever writes.
    pub(crate) fn flush_link(self: &Arc<Self>) {
        {
            let mut outbox = self.outbox.lock();
            if outbox.closed || outbox.writing {
                return;
            }
            outbox.writing = true;
        }
        self.finish_inline();
    }

    /// Leaves the writing to a task that waits for the socket.
    fn spawn_writer(self: &Arc<Self>) {
        tokio::spawn(Arc::clone(self).write_when_writable());
    }

    async fn write_when_writable(self: Arc<Self>) {
        let mut tardiness = Tardiness::default();
        let mut written = 0;
        loop {
            let writing = self.link.when_writable(|| {
                Ok(match self.write_waiting(INLINE_CHUNKS, &mut written)? {
                    Waiting::Nothing => (true, Full(false)),
                    Waiting::Something(full) => (false, full),
                })
            });
            match tokio::time::timeout(self.limits.write_deadline(), writing).await {
                Ok(Ok(true)) => {
                    if tardiness.end() {
                        self.report_recovered();
                    }
                    return;
                }
                Ok(Ok(false)) => {
                    self.drained.notify_waiters();
                    self.look_at_pace(&mut tardiness, written);
                }
                Ok(Err(_)) => {
                    self.close(CloseReason::Write);
                    return;
                }
                Err(_) => return self.deadline_passed(),
            }
            tokio::task::yield_now().await;
        }
    }

    /// Whether what waited some time ago is written by now, where somebody wants to know.
    fn look_at_pace(&self, tardiness: &mut Tardiness, written: u64) {
        if !self.limits.tells_late.load(Ordering::Relaxed) {
            return;
        }
        let pending = self.waiting_bytes();
        let deadline = self.limits.write_deadline();
        match tardiness.look(written, pending, Instant::now(), deadline) {
            Pace::Fine => {}
            Pace::Late { first } => self.report_late(pending, first),
            Pace::Recovered => self.report_recovered(),
        }
    }

    /// Names a subscriber that reads too slowly and stays, and counts it: nothing is lost.
    fn report_late(&self, pending_bytes: usize, first: bool) {
        self.limits.slow_consumers.fetch_add(1, Ordering::Relaxed);
        let still = if first { "" } else { "still " };
        tracing::warn!(
            cid = self.id,
            peer = %self.peer_text(),
            name = %self.name(),
            pending_bytes,
            write_deadline_ms = self.limits.write_deadline().as_millis() as u64,
            "{still}a slow consumer: it did not read all that waited within the write deadline; it stays as long as it reads"
        );
    }

    fn report_recovered(&self) {
        tracing::info!(
            cid = self.id,
            peer = %self.peer_text(),
            name = %self.name(),
            "slow consumer recovered: what waited is written"
        );
    }

    fn deadline_passed(&self) {
        let (pending_bytes, subject) = {
            let outbox = self.outbox.lock();
            (
                outbox.pending_bytes,
                outbox.subject.clone().unwrap_or_default(),
            )
        };
        if self.close(CloseReason::SlowConsumerDeadline) {
            self.report_slow(
                &subject,
                pending_bytes,
                "it read nothing within the write deadline",
            );
        }
    }

    /// So many messages did not reach it.
    pub(crate) fn note_drops(&self, subject: &[u8], loss: Loss, messages: u64) {
        let drops = &self.limits.drops;
        drops.note_times(&self.account().name, subject, self.id, loss, messages);
    }

    /// Names a subscriber that was cut off, and counts it.
    pub(crate) fn report_slow(&self, subject: &[u8], pending_bytes: usize, why: &str) {
        self.limits.slow_consumers.fetch_add(1, Ordering::Relaxed);
        self.note_drops(subject, Loss::SlowConsumer { pending_bytes }, 1);
        tracing::warn!(
            cid = self.id,
            peer = %self.peer_text(),
            name = %self.name(),
            subject = %shown(subject),
            pending_bytes,
            max_pending = self.limits.max_pending,
            write_deadline_ms = self.limits.write_deadline().as_millis() as u64,
            "slow consumer cut off: {why}"
        );
    }

    /// Bytes that wait to be written.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.outbox.lock().pending_bytes
    }

    /// Whether a publisher should wait for this connection: see [`Outbox::worth_waiting_for`].
    pub(crate) fn worth_waiting_for(&self, bytes: usize, patience: Duration) -> bool {
        self.outbox
            .lock()
            .worth_waiting_for(bytes, patience, Instant::now())
    }

    /// Waits until at most `bytes` wait to be written, or the connection ends.
    pub(crate) async fn drained_to(&self, bytes: usize) {
        loop {
            let told = self.drained.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            {
                let outbox = self.outbox.lock();
                if outbox.closed
                    || (outbox.pending_bytes <= bytes && (bytes > 0 || !outbox.writing))
                {
                    return;
                }
            }
            told.await;
        }
    }

    /// Waits until the connection ends.
    pub(crate) async fn ended(&self) {
        loop {
            let told = self.drained.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            if self.close_reason().is_some() {
                return;
            }
            told.await;
        }
    }

    /// Ends the connection at once; whether this call did it. Its task notices and cleans up.
    pub(crate) fn close(&self, reason: CloseReason) -> bool {
        let first = self.closed.set(reason).is_ok();
        if first {
            let (waited, writing) = {
                let mut outbox = self.outbox.lock();
                (outbox.close(), outbox.writing)
            };
            drop(waited);
            if !writing && let Some(layers) = self.link.layers() {
                layers.end(reason.close_code(), reason.text());
                // The other side learns that it was meant; if it can't be told, it is closed all the same.
                let _ = self.link.flush();
            }
            self.link.shutdown(Shutdown::Both);
            self.drained.notify_waiters();
        }
        first
    }

    /// Says that nothing more will be written, behind all that was; what the other side still sends is
    /// read.
    pub(crate) async fn finish_writing(self: &Arc<Self>, reason: CloseReason) {
        if let Some(layers) = self.link.layers() {
            layers.end(reason.close_code(), reason.text());
            self.flush_link();
        }
        self.drained_to(0).await;
        self.link.shutdown(Shutdown::Write);
    }

    /// Counts messages of a batch.
    pub(crate) fn count_out(&self, messages: u64, bytes: u64) {
        self.traffic
            .out_messages
            .fetch_add(messages, Ordering::Relaxed);
        self.traffic.out_bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A subject for the log: one line, and not a long one.
pub(crate) fn shown(subject: &[u8]) -> String {
    const SHOWN_MAX: usize = 256;
    let rest = if subject.len() > SHOWN_MAX { "..." } else { "" };
    format!(
        "{}{rest}",
        subject[..subject.len().min(SHOWN_MAX)].escape_ascii()
    )
}
