//! What lies between a connection's bytes and its socket, where that is more than nothing: TLS.
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

use parking_lot::Mutex;
use rustix::buffer::spare_capacity;

use super::link::Socket;
use super::tls::{Stage, TlsFacts, TlsSession, Wire};

/// Plain bytes that are encoded at once.
const ENCODE_BYTES: usize = 64 * 1024;
/// Bytes that are read off the wire at once.
const READ_BYTES: usize = 128 * 1024;

/// The layers of one connection.
pub(crate) struct Layers {
    inner: Mutex<Inner>,
    /// There is something to be written that no plain bytes stand for.
    unsent: AtomicBool,
    /// What is known of its TLS; none without.
    #[expect(
        dead_code,
        reason = "monitoring and decisions on credentials will read it"
    )]
    pub(crate) tls: Option<TlsFacts>,
}

struct Inner {
    tls: Option<TlsSession>,
    /// What is to be sent because of what was read, encoded already: it goes before what is encoded next.
    answers: Vec<u8>,
    ending: Ending,
    waiting: Waiting,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    No,
    /// The layers' last words are to be said, behind all that was written.
    Asked,
    Said,
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
    static INCOMING: RefCell<Vec<u8>> = RefCell::default();
}

/// A thread's buffers for what it writes.
#[derive(Default)]
struct Outgoing {
    wire: Wire,
    gathered: Vec<u8>,
}

impl Layers {
    pub(crate) fn tls(session: TlsSession, facts: TlsFacts) -> Self {
        Self {
            inner: Mutex::new(Inner {
                tls: Some(session),
                answers: Vec::new(),
                ending: Ending::No,
                waiting: Waiting::default(),
            }),
            unsent: AtomicBool::new(false),
            tls: Some(facts),
        }
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
    pub(super) fn end(&self) {
        let mut inner = self.inner.lock();
        if inner.ending == Ending::No {
            inner.ending = Ending::Asked;
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
            incoming.clear();
            incoming.reserve(READ_BYTES.max(kept * 2));
            incoming.resize(kept, 0);
            let room = incoming.capacity() - kept;
            let count = rustix::io::read(socket, spare_capacity(incoming))?;
            *full = count == room;
            if count == 0 {
                return Ok(Decoded::End);
            }
            let mut inner = self.inner.lock();
            let told = inner.decode(incoming, buffer);
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
        let Outgoing { wire, gathered } = outgoing;
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
        if let Some(tls) = &mut self.tls {
            if !plain.is_empty() {
                tls.seal(plain, wire).map_err(broken)?;
            }
            if self.ending == Ending::Asked && plain.is_empty() {
                self.ending = Ending::Said;
                tls.close(wire).map_err(broken)?;
            }
        }
        Ok(plain.len())
    }

    /// Bytes of the wire that were read and not decoded yet.
    fn kept(&self) -> usize {
        self.tls.as_ref().map_or(0, |tls| tls.incomplete().len())
    }

    /// Decodes what was read behind room for what was kept.
    fn decode(&mut self, incoming: &mut [u8], buffer: &mut Vec<u8>) -> io::Result<Decoded> {
        let Some(tls) = &mut self.tls else {
            return Ok(Decoded::Plain);
        };
        let kept = tls.incomplete().len();
        incoming[..kept].copy_from_slice(tls.incomplete());
        let mut answer = Wire::default();
        let stage = tls.receive(incoming, buffer, &mut answer);
        self.answers.extend_from_slice(answer.filled());
        Ok(match stage.map_err(broken)? {
            Stage::Handshake | Stage::Open => Decoded::Plain,
            Stage::Closed => Decoded::End,
        })
    }

    fn has_something_to_say(&self) -> bool {
        !self.answers.is_empty() || self.ending == Ending::Asked
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
