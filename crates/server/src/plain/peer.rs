//! One bare peer: reads, asks, writes the answer, and writes what others send to the peer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::gateway::{ANSWER_MAX, Answer, Gateway, PeerInbox};
use super::input::{Input, LINE_MAX, Request};

/// A peer that says and gets nothing for so long is disconnected.
const IDLE_MAX: Duration = Duration::from_secs(600);
/// A peer that takes nothing for so long is disconnected.
const WRITE_MAX: Duration = Duration::from_secs(10);

/// Serves a peer until it leaves.
pub(super) async fn serve(gateway: Gateway, stream: TcpStream, address: SocketAddr) {
    let (number, inbox) = gateway.join().await;
    tracing::info!(
        peer = %address,
        asks_on = gateway.subject(),
        write_to = gateway.peer_subject(number),
        "plain peer connected"
    );
    let mut peer = Peer {
        gateway,
        stream,
        inbox,
        input: Input::default(),
        requests: 0,
        echoes: 0,
    };
    let ended = peer.run().await;
    let Peer {
        gateway,
        requests,
        echoes,
        ..
    } = peer;
    gateway.leave(number).await;
    tracing::debug!(peer = %address, requests, echoes, ended, "plain peer gone");
}

struct Peer {
    gateway: Gateway,
    stream: TcpStream,
    inbox: PeerInbox,
    input: Input,
    requests: u64,
    echoes: u64,
}

/// What a peer waits for.
enum Event {
    Input(usize),
    Message(Vec<u8>),
    NoNewline,
    Idle,
    Failed,
}

impl Peer {
    /// Serves until the end; says why it ended.
    async fn run(&mut self) -> &'static str {
        loop {
            match self.next().await {
                Event::Input(0) => {
                    // A peer that closed its side may still read the answer to its last words.
                    if !self.input.is_empty() {
                        let request = self.input.everything();
                        let _ = self.answer(request).await;
                    }
                    return "it closed the connection";
                }
                Event::Input(_) => {
                    while let Some(request) = self.input.line() {
                        if self.answer(request).await.is_err() {
                            return "it reads nothing";
                        }
                    }
                }
                Event::NoNewline => {
                    let request = self.input.everything();
                    if self.answer(request).await.is_err() {
                        return "it reads nothing";
                    }
                }
                Event::Message(mut payload) => {
                    if !payload.ends_with(b"\n") {
                        payload.push(b'\n');
                    }
                    if self.write(&payload).await.is_err() {
                        return "it reads nothing";
                    }
                }
                Event::Idle => return "idle too long",
                Event::Failed => return "the connection failed",
            }
        }
    }

    async fn next(&mut self) -> Event {
        let now = Instant::now();
        let due = self.input.due(now);
        let Self {
            stream,
            inbox,
            input,
            ..
        } = self;
        let buffer = input.buffer();
        buffer.reserve(1024.min(LINE_MAX - buffer.len().min(LINE_MAX - 1)));
        tokio::select! {
            read = stream.read_buf(buffer) => read.map_or(Event::Failed, Event::Input),
            Some(payload) = inbox.next() => Event::Message(payload),
            () = tokio::time::sleep_until(due.unwrap_or(now + IDLE_MAX).into()) => {
                due.map_or(Event::Idle, |_| Event::NoNewline)
            }
        }
    }

    async fn answer(&mut self, request: Request) -> Result<(), Unwritable> {
        self.requests += 1;
        let mut answer = match self.gateway.request(&request.payload).await {
            Answer::Payload(payload) => payload,
            Answer::NobodyListens => {
                self.echoes += 1;
                request.payload
            }
            Answer::TooLarge(most) => {
                format!("-ERR 'a request may have {most} bytes at the most (max_payload)'").into()
            }
            Answer::TimedOut => {
                let subject = self.gateway.subject();
                format!(
                    "-ERR 'no answer on \"{subject}\" within {} s'",
                    ANSWER_MAX.as_secs()
                )
                .into()
            }
        };
        if !answer.ends_with(request.line_end) {
            answer.extend_from_slice(request.line_end);
        }
        self.write(&answer).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Unwritable> {
        match tokio::time::timeout(WRITE_MAX, self.stream.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Unwritable),
        }
    }
}

/// The peer takes nothing any more.
struct Unwritable;
