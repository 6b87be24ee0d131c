//! What lies between a connection's bytes and its socket, where that is more than nothing: TLS, WebSocket,
//! or the one inside the other.
//!
//! Writing. Whoever holds `Outbox::writing` gives plain bytes, which are encoded into the thread's buffer
//! and written at once. What the socket did not take waits here, encoded: it is in the order of the
//! wire and can't be made again. Meanwhile the outbox keeps the plain bytes that it stands for, as if
//! nothing of them had been written, so that they count as pending and a writer task waits for them;
//! they are given again, and taken as written once what waited is out.
//!
//! What the layers have to say by themselves is no plain bytes: [`Layers::has_unsent`] tells of it, and
//! [`Layers::flush`] writes it.
//!
//! Reading. The connection's task reads the socket into the thread's buffer and has it decoded.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rustix::buffer::spare_capacity;
use rustls::pki_types::CertificateDer;

use super::link::Socket;
use super::tls::{Stage, TlsFacts, TlsSession, Wire};
use super::websocket::{CloseCode, Cookies, Receiver, push_close, push_data, push_pong};

/// Plain bytes that are encoded at once.
const ENCODE_BYTES: usize = 64 * 1024;
/// Bytes that are read off the wire at once.
const READ_BYTES: usize = 128 * 1024;

/// Bytes that a compressed message may become: as many as clients keep while they are not connected and
/// send at once afterwards, ...
const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// ... or as long as nobody knows whose they are.
const MESSAGE_BYTES_MAX_UNKNOWN: usize = 64 * 1024;

/// The layers of one connection.
pub(crate) struct Layers {
    inner: Mutex<Inner>,
    /// There is something to be written that no plain bytes stand for.
    unsent: AtomicBool,
    /// The client proved who it is: more may be decompressed for it.
    known: AtomicBool,
    websocket: OnceLock<Option<Box<Cookies>>>,
    /// What is known of its TLS; none without.
    pub(crate) tls: Option<Arc<TlsFacts>>,
}

struct Inner {
    tls: Option<TlsSession>,
    frames: Option<Box<Frames>>,
    /// What is to be sent because of what was read, encoded already: it goes before what is encoded next.
    answers: Vec<u8>,
    ending: Ending,
    waiting: Waiting,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    No,
    /// The layers' last words are to be said, behind all that was written.
    Asked(CloseCode, &'static str),
    Said,
}

/// A connection's WebSocket.
struct Frames {
    receiver: Receiver,
    compression: bool,
    /// Payload of a ping that was not answered yet.
    ping: Option<Vec<u8>>,
    /// Bytes that a compressed message of a known client may become.
    message_bytes_max: usize,
}

/// Bytes of the wire that the socket did not take.
#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    written: usize,
    /// Plain bytes that they stand for.
    plain: usize,
}

/// What was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived {
    /// Plain bytes; 0 only at the end of input.
    pub(crate) bytes: usize,
    /// More is likely waiting.
    pub(crate) more: bool,
}

/// What came of one read of the wire.
pub(super) enum Decoded {
    /// Plain bytes were appended, none perhaps.
    Plain,
    /// The other side says no more.
    End,
}

thread_local! {
    static OUTGOING: RefCell<Outgoing> = RefCell::default();
    static INCOMING: RefCell<Incoming> = RefCell::default();
}

/// A thread's buffers for what it writes.
#[derive(Default)]
struct Outgoing {
    wire: Wire,
    gathered: Vec<u8>,
    framed: Vec<u8>,
}

/// A thread's buffers for what it reads.
#[derive(Default)]
struct Incoming {
    wire: Vec<u8>,
    /// Frames that came out of TLS.
    framed: Vec<u8>,
}

impl Layers {
    pub(crate) fn new(tls: Option<(TlsSession, TlsFacts)>) -> Self {
        let (session, facts) = tls.unzip();
        Self {
            inner: Mutex::new(Inner {
                tls: session,
                frames: None,
                answers: Vec::new(),
                ending: Ending::No,
                waiting: Waiting::default(),
            }),
            unsent: AtomicBool::new(false),
            known: AtomicBool::new(false),
            websocket: OnceLock::new(),
            tls: facts.map(Arc::new),
        }
    }

    /// What the client showed when TLS began; nothing where none was asked for. The session keeps it anyway.
    pub(super) fn certificates(&self) -> Vec<CertificateDer<'static>> {
        let inner = self.inner.lock();
        let session = inner.tls.as_ref();
        session.map_or_else(Vec::new, |session| session.certificates().to_vec())
    }

    /// From now on the connection speaks WebSocket. `early` was read already, and is decoded.
    pub(super) fn speak_websocket(
        &self,
        receiver: Receiver,
        compression: bool,
        max_payload: usize,
        cookies: Option<Box<Cookies>>,
        early: &mut [u8],
    ) -> io::Result<Vec<u8>> {
        let mut inner = self.inner.lock();
        inner.frames = Some(Box::new(Frames {
            receiver,
            compression,
            ping: None,
            message_bytes_max: MESSAGE_BYTES_MAX.max(max_payload.saturating_mul(2)),
        }));
        // Done once for each connection.
        let _ = self.websocket.set(cookies);
        let mut plain = Vec::new();
        inner.unframe(early, &mut plain, MESSAGE_BYTES_MAX_UNKNOWN)?;
        if inner.has_something_to_say() {
            self.unsent.store(true, Ordering::Release);
        }
        Ok(plain)
    }

    /// Whether the connection speaks WebSocket.
    pub(super) fn is_websocket(&self) -> bool {
        self.websocket.get().is_some()
    }

    /// Credentials that a browser sent along.
    pub(super) fn cookies(&self) -> Option<&Cookies> {
        self.websocket.get()?.as_deref()
    }

    /// The client proved who it is.
    pub(super) fn set_known(&self) {
        self.known.store(true, Ordering::Relaxed);
    }

    /// Whether there is something to be written that no plain bytes stand for.
    pub(super) fn has_unsent(&self) -> bool {
        self.unsent.load(Ordering::Acquire)
    }

    /// Encodes and writes plain bytes; how many are out. By whoever holds `Outbox::writing`.
    pub(super) fn write(&self, socket: &Socket, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let given: usize = parts.iter().map(|part| part.len()).sum();
        let out = self.write_waiting(socket)?;
        if out > 0 {
            return Ok(out.min(given));
        }
        OUTGOING.with_borrow_mut(|outgoing| {
            let plain = {
                let mut inner = self.inner.lock();
                let plain = inner.encode(parts, outgoing)?;
                self.unsent
                    .store(inner.has_something_to_say(), Ordering::Release);
                plain
            };
            self.write_wire(socket, outgoing.wire.filled(), plain)
        })
    }

    /// Writes what the layers have to say by themselves.
    pub(super) fn flush(&self, socket: &Socket) -> io::Result<()> {
        self.write(socket, &[]).map(drop)
    }

    /// Writes what an earlier call could not; how many plain bytes are out with it.
    fn write_waiting(&self, socket: &Socket) -> io::Result<usize> {
        let mut waiting = {
            let mut inner = self.inner.lock();
            if inner.waiting.bytes.is_empty() {
                return Ok(0);
            }
            std::mem::take(&mut inner.waiting)
        };
        let outcome = write_all(socket, &waiting.bytes, &mut waiting.written);
        let plain = waiting.plain;
        if outcome.is_err() {
            self.inner.lock().waiting = waiting;
        }
        outcome.map(|()| plain)
    }

    /// Writes bytes of the wire, and keeps what the socket does not take.
    fn write_wire(&self, socket: &Socket, wire: &[u8], plain: usize) -> io::Result<usize> {
        let mut written = 0;
        let outcome = write_all(socket, wire, &mut written);
        if outcome.is_err() {
            self.inner.lock().waiting = Waiting {
                bytes: wire[written..].to_vec(),
                written: 0,
                plain,
            };
            if plain == 0 {
                self.unsent.store(true, Ordering::Release);
            }
        }
        outcome.map(|()| plain)
    }

    /// Has the layers say their last words, behind all that was written: see [`Layers::has_unsent`].
    pub(super) fn end(&self, code: CloseCode, reason: &'static str) {
        let mut inner = self.inner.lock();
        if inner.ending == Ending::No {
            inner.ending = Ending::Asked(code, reason);
            self.unsent.store(true, Ordering::Release);
        }
    }

    /// Reads once, and decodes what came into `buffer`. Plain bytes may be none although something
    /// came. `WouldBlock` when nothing did; `full` is told whether the socket may hold more.
    pub(super) fn read(
        &self,
        socket: &Socket,
        buffer: &mut Vec<u8>,
        full: &mut bool,
    ) -> io::Result<Decoded> {
        INCOMING.with_borrow_mut(|incoming| {
            let kept = self.inner.lock().kept();
            let wire = &mut incoming.wire;
            wire.clear();
            wire.reserve(READ_BYTES.max(kept * 2));
            wire.resize(kept, 0);
            let room = wire.capacity() - kept;
            let count = rustix::io::read(socket, spare_capacity(wire))?;
            *full = count == room;
            if count == 0 {
                return Ok(Decoded::End);
            }
            let mut inner = self.inner.lock();
            let most = match self.known.load(Ordering::Relaxed) {
                true => usize::MAX,
                false => MESSAGE_BYTES_MAX_UNKNOWN,
            };
            let told = inner.decode(incoming, buffer, most);
            // Also on an error: the other side is told what was wrong.
            if inner.has_something_to_say() {
                self.unsent.store(true, Ordering::Release);
            }
            told
        })
    }
}

impl Inner {
    /// Encodes as much as is done at once; how many plain bytes that is.
    fn encode(&mut self, parts: &[IoSlice<'_>], outgoing: &mut Outgoing) -> io::Result<usize> {
        let Outgoing {
            wire,
            gathered,
            framed,
        } = outgoing;
        wire.clear();
        wire.push(&std::mem::take(&mut self.answers));
        let plain: &[u8] = match parts {
            [] => &[],
            [only] => &only[..only.len().min(ENCODE_BYTES)],
            many => {
                gather(many, gathered);
                gathered
            }
        };
        let ending = match self.ending {
            Ending::Asked(code, reason) if plain.is_empty() => {
                self.ending = Ending::Said;
                Some((code, reason))
            }
            _ => None,
        };
        let payload = match &mut self.frames {
            None => plain,
            Some(frames) => {
                frames.push(plain, ending, framed);
                framed
            }
        };
        match &mut self.tls {
            None => wire.push(payload),
            Some(tls) => {
                if !payload.is_empty() {
                    tls.seal(payload, wire).map_err(broken)?;
                }
                if ending.is_some() {
                    tls.close(wire).map_err(broken)?;
                }
            }
        }
        Ok(plain.len())
    }

    /// Bytes of the wire that were read and not decoded yet.
    fn kept(&self) -> usize {
        self.tls.as_ref().map_or(0, |tls| tls.incomplete().len())
    }

    /// Decodes what was read behind room for what was kept. A compressed message may become `most` bytes.
    fn decode(
        &mut self,
        incoming: &mut Incoming,
        buffer: &mut Vec<u8>,
        most: usize,
    ) -> io::Result<Decoded> {
        let Incoming { wire, framed } = incoming;
        let Some(tls) = &mut self.tls else {
            return self.unframe(wire, buffer, most);
        };
        let kept = tls.incomplete().len();
        wire[..kept].copy_from_slice(tls.incomplete());
        let mut answer = Wire::default();
        framed.clear();
        let plain = match self.frames {
            Some(_) => &mut *framed,
            None => &mut *buffer,
        };
        let stage = tls.receive(wire, plain, &mut answer);
        self.answers.extend_from_slice(answer.filled());
        let decoded = match stage.map_err(broken)? {
            Stage::Handshake | Stage::Open => Decoded::Plain,
            Stage::Closed => Decoded::End,
        };
        if self.frames.is_some()
            && let Decoded::End = self.unframe(framed, buffer, most)?
        {
            return Ok(Decoded::End);
        }
        Ok(decoded)
    }

    /// Takes frames apart.
    fn unframe(
        &mut self,
        wire: &mut [u8],
        buffer: &mut Vec<u8>,
        most: usize,
    ) -> io::Result<Decoded> {
        let Some(frames) = &mut self.frames else {
            buffer.extend_from_slice(wire);
            return Ok(Decoded::Plain);
        };
        let most = most.min(frames.message_bytes_max);
        match frames.receiver.receive(wire, buffer, most) {
            Ok(heard) => {
                if heard.ping.is_some() {
                    frames.ping = heard.ping;
                }
                match heard.close {
                    true => Ok(Decoded::End),
                    false => Ok(Decoded::Plain),
                }
            }
            Err(violation) => {
                if self.ending == Ending::No {
                    self.ending = Ending::Asked(violation.code, violation.reason);
                }
                Err(broken(violation))
            }
        }
    }

    fn has_something_to_say(&self) -> bool {
        !self.answers.is_empty()
            || matches!(self.ending, Ending::Asked(..))
            || self
                .frames
                .as_ref()
                .is_some_and(|frames| frames.ping.is_some())
    }
}

impl Frames {
    /// Writes what is to be sent as frames: an answer to a ping, data, the last words.
    fn push(
        &mut self,
        plain: &[u8],
        ending: Option<(CloseCode, &'static str)>,
        framed: &mut Vec<u8>,
    ) {
        framed.clear();
        if let Some(ping) = self.ping.take() {
            push_pong(framed, &ping);
        }
        if !plain.is_empty() {
            push_data(framed, plain, self.compression);
        }
        if let Some((code, reason)) = ending {
            push_close(framed, code, reason);
        }
    }
}

/// The first bytes of several parts, as many as are encoded at once.
fn gather(parts: &[IoSlice<'_>], gathered: &mut Vec<u8>) {
    gathered.clear();
    for part in parts {
        let room = ENCODE_BYTES - gathered.len();
        gathered.extend_from_slice(&part[..part.len().min(room)]);
        if gathered.len() == ENCODE_BYTES {
            break;
        }
    }
}

fn write_all(socket: &Socket, bytes: &[u8], written: &mut usize) -> io::Result<()> {
    while *written < bytes.len() {
        match socket.write(&bytes[*written..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => *written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The other side broke the rules of a layer; the text is for the log.
fn broken(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
