//! The internal client that asks on behalf of bare peers and receives what is written to them.
//!
//! Peers outlive its connection to the engine: should that be cut off, a new one begins with their
//! subscriptions, and with what was not written yet. Requests whose answer was under way time out.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use recado_wire::{Headers, push_publish};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};

use crate::engine::Engine;
use crate::internal_client::{self, CONNECTION_LOST, FrameReader, Message, Restarts};
use crate::phase::Phase;

/// Frames that may wait for the internal connection.
const FRAMES_MAX: usize = 256;
/// Messages that may wait for one peer before the next is dropped, ...
const PEER_MESSAGES_MAX: usize = 256;
/// ... and their bytes.
const PEER_BYTES_MAX: usize = 1024 * 1024;
/// Time that a responder has to answer a peer.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(5);

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The responder's payload.
    Payload(Vec<u8>),
    /// Nobody is subscribed to the subject.
    NobodyListens,
    /// Somebody is, and did not answer in time.
    TimedOut,
    /// It was not asked: a request may have so many bytes.
    TooLarge(usize),
}

/// Asks and receives for all peers of one listener.
#[derive(Clone)]
pub(crate) struct Gateway {
    shared: Arc<Shared>,
}

struct Shared {
    subject: String,
    /// `_INBOX.<random>`: answers come to subjects below it.
    inbox: String,
    frames: mpsc::Sender<Vec<u8>>,
    next_peer: AtomicU64,
    next_request: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    peers: Mutex<HashMap<u64, PeerQueue>>,
    /// Who waits for a PONG, in order.
    pings: tokio::sync::Mutex<VecDeque<oneshot::Sender<()>>>,
    /// Longest request, in bytes.
    payload_max: usize,
}

/// Where messages for one peer go.
struct PeerQueue {
    messages: mpsc::Sender<Vec<u8>>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// What is written to one peer, in order.
pub(crate) struct PeerInbox {
    messages: mpsc::Receiver<Vec<u8>>,
    waiting_bytes: Arc<AtomicUsize>,
}

impl PeerInbox {
    /// The next message.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        let message = self.messages.recv().await?;
        self.waiting_bytes
            .fetch_sub(message.len(), Ordering::AcqRel);
        Some(message)
    }
}

impl Gateway {
    /// Connects to the engine, again where it must, until the server stops.
    pub(crate) fn start(
        engine: &Arc<Engine>,
        subject: String,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        let (frames, to_write) = mpsc::channel::<Vec<u8>>(FRAMES_MAX);
        let inbox = format!("_INBOX.{}", nkeys::KeyPair::new_server().public_key());
        let payload_max = engine.manner().session.parse.max_payload;
        let shared = Arc::new(Shared {
            payload_max,
            subject,
            inbox,
            frames,
            next_peer: AtomicU64::new(1),
            next_request: AtomicU64::new(1),
            waiting: Mutex::default(),
            peers: Mutex::default(),
            pings: tokio::sync::Mutex::default(),
        });
        let carrying = Arc::clone(&shared).carry(Arc::clone(engine), to_write, phase);
        tokio::spawn(carrying);
        Self { shared }
    }

    /// The subject that peers ask on.
    pub(crate) fn subject(&self) -> &str {
        &self.shared.subject
    }

    /// The subject that one peer is written to on.
    pub(crate) fn peer_subject(&self, number: u64) -> String {
        self.shared.peer_subject(number)
    }

    /// Gives a peer a number and a subject of its own, and receives what is written to it. The
    /// subject reaches the peer when this returns.
    pub(crate) async fn join(&self) -> (u64, PeerInbox) {
        let number = self.shared.next_peer.fetch_add(1, Ordering::Relaxed);
        let (messages, inbox) = mpsc::channel(PEER_MESSAGES_MAX);
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let inbox = PeerInbox {
            messages: inbox,
            waiting_bytes: Arc::clone(&waiting_bytes),
        };
        self.shared.peers.lock().insert(
            number,
            PeerQueue {
                messages,
                waiting_bytes,
            },
        );
        let (tell, told) = oneshot::channel();
        let subscribe = format!("{}PING\r\n", self.shared.subscribe_line(number));
        {
            // PONGs come in the order of their PINGs: nobody may come between the two lines.
            let mut pings = self.shared.pings.lock().await;
            pings.push_back(tell);
            self.send(subscribe.into_bytes()).await;
        }
        // It is only dropped unanswered when the server ends.
        let _ = told.await;
        (number, inbox)
    }

    /// The peer is gone.
    pub(crate) async fn leave(&self, number: u64) {
        self.shared.peers.lock().remove(&number);
        self.send(format!("UNSUB {number}\r\n").into_bytes()).await;
    }

    /// Asks on the listener's subject, and waits for the answer.
    pub(crate) async fn request(&self, payload: &[u8]) -> Answer {
        if payload.len() > self.shared.payload_max {
            return Answer::TooLarge(self.shared.payload_max);
        }
        self.ask(self.shared.subject.as_bytes(), payload).await
    }

    async fn ask(&self, subject: &[u8], payload: &[u8]) -> Answer {
        let number = self.shared.next_request.fetch_add(1, Ordering::Relaxed);
        let reply = format!("{}.{number}", self.shared.inbox);
        let (tell, told) = oneshot::channel();
        self.shared.waiting.lock().insert(number, tell);
        let mut frame = Vec::with_capacity(payload.len() + reply.len() + 64);
        push_publish(&mut frame, subject, reply.as_bytes(), None, payload);
        let answered = async {
            self.send(frame).await;
            told.await
        };
        let answer = tokio::time::timeout(ANSWER_MAX, answered).await;
        self.shared.waiting.lock().remove(&number);
        // The sender is only dropped unused when the server ends.
        answer.ok().and_then(Result::ok).unwrap_or(Answer::TimedOut)
    }

    async fn send(&self, frame: Vec<u8>) {
        // It fails only when the server ends, and this peer with it.
        let _ = self.shared.frames.send(frame).await;
    }
}

impl PeerQueue {
    /// Whether there was room for it.
    fn offer(&self, payload: &[u8]) -> bool {
        let before = self
            .waiting_bytes
            .fetch_add(payload.len(), Ordering::AcqRel);
        // One message always has room, however large.
        let fits = before == 0 || before + payload.len() <= PEER_BYTES_MAX;
        if fits && self.messages.try_send(payload.to_vec()).is_ok() {
            return true;
        }
        self.waiting_bytes
            .fetch_sub(payload.len(), Ordering::AcqRel);
        false
    }
}

impl Shared {
    /// Has a connection to the engine for as long as the server runs.
    async fn carry(
        self: Arc<Self>,
        engine: Arc<Engine>,
        mut to_write: mpsc::Receiver<Vec<u8>>,
        phase: watch::Receiver<Phase>,
    ) {
        let mut restarts = Restarts::new("plain listener", phase);
        loop {
            let why = match internal_client::connect(&engine, false) {
                Ok(stream) => {
                    self.converse(stream, &mut to_write).await;
                    CONNECTION_LOST.to_owned()
                }
                Err(error) => error.to_string(),
            };
            if !restarts.again(&why).await {
                return;
            }
        }
    }

    /// Writes and reads until the connection ends.
    async fn converse(&self, stream: UnixStream, to_write: &mut mpsc::Receiver<Vec<u8>>) {
        let (read, mut write) = stream.into_split();
        let mut next = Some(self.first_lines(to_write).await);
        let writing = async {
            while let Some(bytes) = next {
                if write.write_all(&bytes).await.is_err() {
                    return;
                }
                next = to_write.recv().await;
            }
        };
        tokio::select! {
            () = writing => {}
            () = self.receive(FrameReader::new(read)) => {}
        }
    }

    /// What a new connection begins with: everybody's subscription, a PING for each who waits for a
    /// PONG, and the requests that were not written yet.
    async fn first_lines(&self, to_write: &mut mpsc::Receiver<Vec<u8>>) -> Vec<u8> {
        let mut requests = Vec::new();
        let mut take_requests = || {
            while let Ok(frame) = to_write.try_recv() {
                if frame.starts_with(b"PUB ") {
                    requests.extend_from_slice(&frame);
                }
            }
        };
        // Who joins holds the lock while its lines wait for room.
        let pings = loop {
            take_requests();
            match self.pings.try_lock() {
                Ok(pings) => break pings,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        take_requests();
        let mut lines = format!("SUB {}.* inbox\r\n", self.inbox);
        for number in self.peers.lock().keys() {
            lines.push_str(&self.subscribe_line(*number));
        }
        lines.push_str(&"PING\r\n".repeat(pings.len()));
        [lines.as_bytes(), &requests].concat()
    }

    async fn receive(&self, mut frames: FrameReader) {
        let mut out = Vec::new();
        let handle = |message: &Message<'_>, _: &mut Vec<u8>| self.received(message);
        while frames.batch(&mut out, handle).await.is_some() {
            for _ in 0..frames.take_pongs() {
                if let Some(tell) = self.pings.lock().await.pop_front() {
                    // Who waited may have gone meanwhile.
                    let _ = tell.send(());
                }
            }
            if !out.is_empty() && self.frames.send(std::mem::take(&mut out)).await.is_err() {
                return;
            }
        }
    }

    fn peer_subject(&self, number: u64) -> String {
        format!("{}.peer.{number}", self.subject)
    }

    fn subscribe_line(&self, number: u64) -> String {
        format!("SUB {} {number}\r\n", self.peer_subject(number))
    }

    fn received(&self, message: &Message<'_>) {
        if message.sid == b"inbox" {
            return self.answered(message);
        }
        let number = std::str::from_utf8(message.sid)
            .ok()
            .and_then(|sid| sid.parse().ok());
        let Some(number) = number else { return };
        if let Some(peer) = self.peers.lock().get(&number)
            && !peer.offer(message.payload)
        {
            tracing::warn!(
                number,
                "a message to a plain peer was dropped: it reads too slowly"
            );
        }
    }

    fn answered(&self, message: &Message<'_>) {
        let token = message
            .subject
            .rsplit(|&byte| byte == b'.')
            .next()
            .unwrap_or_default();
        let number = std::str::from_utf8(token)
            .ok()
            .and_then(|token| token.parse().ok());
        let Some(tell) = number.and_then(|number| self.waiting.lock().remove(&number)) else {
            return;
        };
        let status = Headers::new(message.headers).status();
        let answer = match status {
            Some((503, _)) => Answer::NobodyListens,
            _ => Answer::Payload(message.payload.to_vec()),
        };
        // Who asked may have gone meanwhile.
        let _ = tell.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::CloseReason;
    use crate::internal_client::tests::{TestClient, engine, run};

    #[test]
    fn peers_ask_and_are_written_to_after_the_connection_was_cut_off() {
        run(async {
            let engine = engine();
            let (running, phase) = watch::channel(Phase::Running);
            let gateway = Gateway::start(&engine, "plain".to_owned(), phase);
            let (number, mut inbox) = gateway.join().await;
            for connection in engine.connections.all() {
                connection.close(CloseReason::SlowConsumerPending);
            }
            // Who joins now waits until there is a connection again.
            let (other, _) = gateway.join().await;
            assert_ne!(number, other);
            let answer = gateway.request(b"anybody?").await;
            assert!(matches!(answer, Answer::NobodyListens), "{answer:?}");
            let mut client = TestClient::new(&engine);
            let subject = gateway.peer_subject(number);
            client.publish(&subject, "for you").await;
            assert_eq!(inbox.next().await.as_deref(), Some(&b"for you"[..]));
            drop(running);
        });
    }
}
