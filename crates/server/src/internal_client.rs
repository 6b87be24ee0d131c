//! A client inside the server's own process, for the services that the server offers itself.
//!
//! It speaks the client protocol over a socket pair, so it is routed, bounded and cut off like
//! any other client; it only needs no credential. One that was cut off is started again
//! ([`Restarts`]).

use std::io;
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use recado_wire::{PONG, ServerFrame, ServerParsed, parse_server_frame};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::watch;

use crate::engine::{Account, Admission, Connection, Engine, Front, Link, Standing, Way, serve};
use crate::phase::Phase;

/// Room for input that is read at once.
const READ_BYTES: usize = 16 * 1024;
/// Time before an internal client that ended is started again; doubled from one time to the next, ...
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// ... but no longer than this.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// One that ran so long ran well: the next pause is short again.
const RAN_WELL: Duration = Duration::from_secs(60);

/// Connects a part of the server to its engine. `wants_origin`: messages tell who published them.
pub(crate) fn connect(engine: &Arc<Engine>, wants_origin: bool) -> io::Result<UnixStream> {
    let (ours, theirs) = pair()?;
    let (link, read) = Link::internal(theirs)?;
    let standing = Arc::clone(engine.insider());
    let admission = Admission::Internal {
        wants_origin,
        standing,
    };
    serve(Arc::clone(engine), link, read, admission);
    UnixStream::from_std(ours)
}

/// Connects a part of the server to the system account, from a runtime that is not the engine's; messages tell who
/// published them.
pub(crate) fn connect_to_system(engine: &Arc<Engine>) -> io::Result<UnixStream> {
    let (ours, theirs) = pair()?;
    {
        let _entered = engine.threads.runtime(0).enter();
        let (link, read) = Link::internal(theirs)?;
        let admission = Admission::Internal {
            wants_origin: true,
            standing: Arc::clone(engine.system_insider()),
        };
        serve(Arc::clone(engine), link, read, admission);
    }
    UnixStream::from_std(ours)
}

/// Connects a part of the server to an account, as one that nothing is asked of.
pub(crate) fn connect_to(engine: &Arc<Engine>, account: &Arc<Account>) -> io::Result<UnixStream> {
    let (ours, theirs) = pair()?;
    let (link, read) = Link::internal(theirs)?;
    let admission = Admission::Internal {
        wants_origin: false,
        standing: Arc::new(Standing::anonymous(account)),
    };
    serve(Arc::clone(engine), link, read, admission);
    UnixStream::from_std(ours)
}

/// Connects a client that something translates for. `None`: there are as many clients as there may be.
pub(crate) fn connect_fronted(
    engine: &Arc<Engine>,
    front: Front,
) -> io::Result<Option<(UnixStream, Arc<Connection>)>> {
    let (ours, theirs) = pair()?;
    let peer = front
        .outside
        .peer
        .unwrap_or((Ipv4Addr::UNSPECIFIED, 0).into());
    let (link, read) = Link::fronted(theirs, front)?;
    let admission = Admission::Outside(peer, Way::Mqtt);
    let Some(connection) = serve(Arc::clone(engine), link, read, admission) else {
        return Ok(None);
    };
    Ok(Some((UnixStream::from_std(ours)?, connection)))
}

fn pair() -> io::Result<(StdUnixStream, StdUnixStream)> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    Ok((ours, theirs))
}

/// Starts one internal client again and again, until the server stops.
pub(crate) struct Restarts {
    /// For the log.
    who: &'static str,
    phase: watch::Receiver<Phase>,
    started: Instant,
    pause: Duration,
}

impl Restarts {
    /// The client is started for the first time.
    pub(crate) fn new(who: &'static str, phase: watch::Receiver<Phase>) -> Self {
        Self {
            who,
            phase,
            started: Instant::now(),
            pause: PAUSE_MIN,
        }
    }

    /// The client ended, for this reason. Says so, waits, and tells whether it is to be started again.
    pub(crate) async fn again(&mut self, why: &str) -> bool {
        if *self.phase.borrow() == Phase::Stopping {
            return false;
        }
        if self.started.elapsed() >= RAN_WELL {
            self.pause = PAUSE_MIN;
        }
        let (part, pause_ms) = (self.who, self.pause.as_millis() as u64);
        tracing::error!(
            part,
            why,
            pause_ms,
            "a part of the server ended and is started again"
        );
        tokio::select! {
            () = tokio::time::sleep(self.pause) => {}
            _ = self.phase.wait_for(|phase| *phase == Phase::Stopping) => return false,
        }
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        self.started = Instant::now();
        true
    }
}

/// Why an internal client that had a connection ended.
pub(crate) const CONNECTION_LOST: &str = "the engine closed its connection";

/// A message for the internal client.
pub(crate) struct Message<'a> {
    pub(crate) subject: &'a [u8],
    pub(crate) sid: &'a [u8],
    pub(crate) reply: &'a [u8],
    pub(crate) headers: &'a [u8],
    pub(crate) payload: &'a [u8],
}

/// Reads frames until the engine closes the connection.
pub(crate) struct FrameReader {
    read: OwnedReadHalf,
    buffer: Vec<u8>,
    pongs: usize,
}

impl FrameReader {
    pub(crate) fn new(read: OwnedReadHalf) -> Self {
        Self {
            read,
            buffer: Vec::new(),
            pongs: 0,
        }
    }

    /// PONGs that came since the last call.
    pub(crate) fn take_pongs(&mut self) -> usize {
        std::mem::take(&mut self.pongs)
    }

    /// Waits for input and hands every whole message in it to `handle`, with the buffer for what
    /// is to be sent. `None`: the connection ended.
    pub(crate) async fn batch(
        &mut self,
        out: &mut Vec<u8>,
        mut handle: impl FnMut(&Message<'_>, &mut Vec<u8>),
    ) -> Option<()> {
        let mut pongs = 0;
        let read = self.frames(|frame| {
            pongs += usize::from(frame == ServerFrame::Pong);
            answer(frame, out, &mut handle);
        });
        read.await?;
        self.pongs += pongs;
        Some(())
    }

    /// Waits for input and hands every whole frame in it to `handle`. `None`: the connection ended.
    pub(crate) async fn frames(&mut self, mut handle: impl FnMut(ServerFrame<'_>)) -> Option<()> {
        self.buffer.reserve(READ_BYTES);
        let count = self.read.read_buf(&mut self.buffer).await.ok()?;
        if count == 0 {
            return None;
        }
        let mut at = 0;
        loop {
            match parse_server_frame(&self.buffer[at..]) {
                ServerParsed::Complete(frame, length) => {
                    handle(frame);
                    at += length;
                }
                ServerParsed::Incomplete => break,
                ServerParsed::Malformed => return None,
            }
        }
        self.buffer.drain(..at);
        if self.buffer.is_empty() && self.buffer.capacity() > READ_BYTES {
            self.buffer = Vec::new();
        }
        Some(())
    }
}

fn answer(
    frame: ServerFrame<'_>,
    out: &mut Vec<u8>,
    handle: &mut impl FnMut(&Message<'_>, &mut Vec<u8>),
) {
    match frame {
        ServerFrame::Message {
            subject,
            sid,
            reply,
            headers,
            payload,
        } => {
            handle(
                &Message {
                    subject,
                    sid,
                    reply,
                    headers,
                    payload,
                },
                out,
            );
        }
        ServerFrame::Ping => out.extend_from_slice(PONG),
        ServerFrame::Info(_) | ServerFrame::Pong | ServerFrame::Ok => {}
        ServerFrame::Err(text) => {
            tracing::error!(text = %text.escape_ascii(), "the engine refused an internal client");
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::access::Access;
    use crate::config::Options;
    use crate::engine::{Accounts, Inquiries, Manner, SYSTEM_ACCOUNT, Threads};
    use crate::identity::Identity;
    use recado_wire::{Headers, Info};
    use tokio::io::AsyncWriteExt;
    use tokio::net::unix::OwnedWriteHalf;

    /// An engine without listeners, on the runtime of the test.
    pub(crate) fn engine() -> Arc<Engine> {
        let options = Options::default();
        let accounts = Accounts::new(SYSTEM_ACCOUNT);
        let manner = Manner::new(&options, Access::default(), &Info::default(), &accounts);
        let inquiries = Inquiries::new(Identity::new(&options), String::new());
        let threads = Threads::alone();
        Arc::new(Engine::new(manner, &options, accounts, threads, inquiries))
    }

    /// Runs a test that may wait for events, but not for ever.
    pub(crate) fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let bounded = async { tokio::time::timeout(Duration::from_secs(120), test).await };
        runtime.block_on(bounded).expect("it takes too long");
    }

    /// Asks what other internal clients answer.
    pub(crate) struct TestClient {
        pub(crate) connection: u64,
        frames: FrameReader,
        write: OwnedWriteHalf,
    }

    impl TestClient {
        pub(crate) fn new(engine: &Arc<Engine>) -> Self {
            let (read, write) = connect(engine, false).unwrap().into_split();
            let newest = engine.connections.all().iter().map(|one| one.id).max();
            Self {
                connection: newest.unwrap(),
                frames: FrameReader::new(read),
                write,
            }
        }

        pub(crate) async fn publish(&mut self, subject: &str, payload: &str) {
            let line = format!("PUB {subject} {}\r\n{payload}\r\n", payload.len());
            self.write.write_all(line.as_bytes()).await.unwrap();
        }

        /// Asks again and again until somebody listens.
        pub(crate) async fn ask(&mut self, subject: &str, payload: &str) -> Vec<u8> {
            let request = format!("PUB {subject} answer {}\r\n{payload}\r\n", payload.len());
            let subscribe = "SUB answer 1\r\n";
            self.write.write_all(subscribe.as_bytes()).await.unwrap();
            loop {
                self.write.write_all(request.as_bytes()).await.unwrap();
                let mut answer = None;
                while answer.is_none() {
                    let handle = |message: &Message<'_>, _: &mut Vec<u8>| {
                        let status = Headers::new(message.headers).status();
                        answer = Some((status.is_none(), message.payload.to_vec()));
                    };
                    let open = self.frames.batch(&mut Vec::new(), handle).await;
                    open.expect("the engine goes on");
                }
                if let Some((true, payload)) = answer {
                    return payload;
                }
            }
        }
    }

    #[test]
    fn nothing_is_started_again_once_the_server_stops() {
        run(async {
            let (stopping, phase) = watch::channel(Phase::Running);
            let mut restarts = Restarts::new("test", phase);
            assert!(restarts.again("it was cut off").await);
            assert_eq!(restarts.pause, PAUSE_MIN * 2, "the next pause is longer");
            stopping.send(Phase::Stopping).unwrap();
            assert!(!restarts.again("it was cut off").await);
        });
    }
}
