//! What a connection's bytes cross: a TCP socket, or a socket pair to a part of the server itself; or
//! nothing at all, where that part takes them in memory ([`Intake`]).
//!
//! Between the bytes and the socket there may be [`Layers`], which are put in once, before the first
//! operation is read. Writing never blocks and needs no exclusive access; reading belongs to the connection's task. The
//! socket is watched by the thread that the task runs on, and by another one once the task has moved.

use std::io::{self, IoSlice, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;
use rustix::buffer::spare_capacity;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::front::Front;
use super::intake::Intake;
use super::layers::{Arrived, Decoded, Layers};
use crate::watched::watch;

/// Reads in a row that bring no plain bytes, before others have their turn.
const EMPTY_READS_MAX: usize = 16;

const BOTH_WAYS: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// A socket that never blocks.
pub(crate) enum Socket {
    Tcp(TcpStream),
    Internal(UnixStream),
    /// Of a client that speaks another protocol, behind what translates for it.
    Fronted(UnixStream, Box<Front>),
}

/// A socket and the thread that watches it.
type Watched = AsyncFd<Arc<Socket>>;

/// Whether a socket took less than it was given.
pub(crate) struct Full(pub(crate) bool);

/// The writing half, shared by all who deliver to the connection.
pub(crate) enum Link {
    /// Written to the kernel.
    Socket {
        socket: Arc<Socket>,
        /// Replaced when the connection's task moves; a writer that still waits keeps the old one.
        watched: Mutex<Arc<Watched>>,
        /// What lies between; mostly nothing.
        layers: OnceLock<Arc<Layers>>,
    },
    /// Put where a part of the server takes it.
    Intake(Arc<Intake>),
}

/// The reading half, owned by the connection's task.
#[derive(Clone)]
pub(crate) struct ReadLink {
    watched: Arc<Watched>,
    layers: Option<Arc<Layers>>,
    /// A layer heard that no more comes.
    ended: bool,
}

impl Link {
    /// A client's socket, in non-blocking mode, to be watched by the runtime of the calling task.
    pub(crate) fn tcp(stream: TcpStream) -> io::Result<(Self, ReadLink)> {
        Self::new(Socket::Tcp(stream))
    }

    /// The same for one end of a socket pair.
    pub(crate) fn internal(stream: UnixStream) -> io::Result<(Self, ReadLink)> {
        Self::new(Socket::Internal(stream))
    }

    /// The same for the engine's end of a pair whose other end translates for a client.
    pub(crate) fn fronted(stream: UnixStream, front: Front) -> io::Result<(Self, ReadLink)> {
        Self::new(Socket::Fronted(stream, Box::new(front)))
    }

    fn new(socket: Socket) -> io::Result<(Self, ReadLink)> {
        let socket = Arc::new(socket);
        let watched = Arc::new(watch(Arc::clone(&socket), BOTH_WAYS)?);
        let read = ReadLink {
            watched: Arc::clone(&watched),
            layers: None,
            ended: false,
        };
        let link = Self::Socket {
            socket,
            watched: Mutex::new(watched),
            layers: OnceLock::new(),
        };
        Ok((link, read))
    }

    /// Has the socket watched by the runtime that the caller has entered.
    ///
    /// # Errors
    /// When that runtime can't watch it, for instance because a writer has it watched there since
    /// an earlier stay. Everything is as it was then.
    pub(crate) fn rewatch(&self, read: &mut ReadLink) -> io::Result<()> {
        let Self::Socket {
            socket, watched, ..
        } = self
        else {
            return Ok(());
        };
        let anew = Arc::new(watch(Arc::clone(socket), BOTH_WAYS)?);
        read.watched = Arc::clone(&anew);
        // Dropped here, and not under the lock, unless a writer still waits with it.
        let _old = std::mem::replace(&mut *watched.lock(), anew);
        Ok(())
    }

    /// Puts layers between the bytes and the socket, for good. What is written and read from now on goes
    /// through them; nobody may be writing.
    pub(crate) fn put_in(&self, read: &mut ReadLink, layers: Layers) {
        if let Self::Socket { layers: place, .. } = self {
            let layers = Arc::clone(place.get_or_init(|| Arc::new(layers)));
            read.layers = Some(layers);
        }
    }

    /// What lies between the bytes and the socket.
    pub(crate) fn layers(&self) -> Option<&Layers> {
        match self {
            Self::Socket { layers, .. } => layers.get().map(|layers| &**layers),
            Self::Intake(_) => None,
        }
    }

    /// Who translates for the client, if it speaks another protocol.
    pub(crate) fn front(&self) -> Option<&Front> {
        match self {
            Self::Socket { socket, .. } => match &**socket {
                Socket::Fronted(_, front) => Some(front),
                Socket::Tcp(_) | Socket::Internal(_) => None,
            },
            Self::Intake(_) => None,
        }
    }

    /// Whether the layers have something to say by themselves.
    #[inline]
    pub(crate) fn has_unsent(&self) -> bool {
        self.layers().is_some_and(Layers::has_unsent)
    }

    /// Writes what the layers have to say by themselves, by whoever may write.
    pub(crate) fn flush(&self) -> io::Result<()> {
        match self {
            Self::Socket { socket, layers, .. } => match layers.get() {
                Some(layers) => layers.flush(socket),
                None => Ok(()),
            },
            Self::Intake(_) => Ok(()),
        }
    }

    #[inline]
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Socket { socket, layers, .. } => match layers.get() {
                None => socket.write(bytes),
                Some(layers) => layers.write(socket, &[IoSlice::new(bytes)]),
            },
            Self::Intake(intake) => put(intake, &[IoSlice::new(bytes)]),
        }
    }

    pub(crate) fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Socket { socket, layers, .. } => match layers.get() {
                None => socket.write_vectored(parts),
                Some(layers) => layers.write(socket, parts),
            },
            Self::Intake(intake) => put(intake, parts),
        }
    }

    /// Waits until the socket takes bytes again, then does `write`, which also says whether the socket
    /// took less than it was given.
    pub(crate) async fn when_writable<T>(
        &self,
        write: impl FnOnce() -> io::Result<(T, Full)>,
    ) -> io::Result<T> {
        let watched = match self {
            Self::Socket { watched, .. } => Arc::clone(&watched.lock()),
            Self::Intake(intake) => {
                intake.writable().await;
                return write().map(|(done, _)| done);
            }
        };
        let mut ready = watched.writable().await?;
        let (done, Full(full)) = write()?;
        if full {
            ready.clear_ready();
        }
        Ok(done)
    }

    /// Ends one or both directions now; the reading task notices an end of input.
    pub(crate) fn shutdown(&self, how: Shutdown) {
        // A socket that the other side closed already is where we want it: nothing to report.
        match self {
            Self::Socket { socket, .. } => {
                let _ = match &**socket {
                    Socket::Tcp(stream) => stream.shutdown(how),
                    Socket::Internal(stream) | Socket::Fronted(stream, _) => stream.shutdown(how),
                };
            }
            Self::Intake(intake) => intake.close(),
        }
    }
}

fn put(intake: &Intake, parts: &[IoSlice<'_>]) -> io::Result<usize> {
    match intake.put(parts) {
        true => Ok(parts.iter().map(|part| part.len()).sum()),
        false => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl Socket {
    #[inline]
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&mut &*stream).write(bytes),
            Self::Internal(stream) | Self::Fronted(stream, _) => (&mut &*stream).write(bytes),
        }
    }

    fn write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&mut &*stream).write_vectored(parts),
            Self::Internal(stream) | Self::Fronted(stream, _) => {
                (&mut &*stream).write_vectored(parts)
            }
        }
    }
}

impl ReadLink {
    /// Whether there may be something to read.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.ended {
            return Poll::Ready(Ok(()));
        }
        self.watched.poll_read_ready(cx).map_ok(drop)
    }

    /// Reads into the spare room of `buffer`; no bytes are the end of input.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<u8>,
    ) -> Poll<io::Result<Arrived>> {
        if self.layers.is_some() {
            return self.poll_layers(cx, buffer);
        }
        loop {
            let mut ready = ready!(self.watched.poll_read_ready(cx))?;
            let room = buffer.capacity() - buffer.len();
            match rustix::io::read(self.watched.get_ref(), spare_capacity(buffer)) {
                Ok(bytes) => {
                    // Less than there was room for: the socket is empty, and tells when it is not.
                    if bytes > 0 && bytes < room {
                        ready.clear_ready();
                    }
                    let more = bytes == room;
                    return Poll::Ready(Ok(Arrived { bytes, more }));
                }
                Err(rustix::io::Errno::AGAIN) => ready.clear_ready(),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    /// The same through layers, where bytes of the wire need not be bytes of the input.
    #[cold]
    fn poll_layers(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<u8>,
    ) -> Poll<io::Result<Arrived>> {
        let Some(layers) = self.layers.clone() else {
            return Poll::Pending;
        };
        let end = Arrived {
            bytes: 0,
            more: false,
        };
        if self.ended {
            return Poll::Ready(Ok(end));
        }
        for _ in 0..EMPTY_READS_MAX {
            let mut ready = ready!(self.watched.poll_read_ready(cx))?;
            let (before, mut more) = (buffer.len(), true);
            match layers.read(self.watched.get_ref(), buffer, &mut more) {
                Ok(decoded) => {
                    if !more {
                        ready.clear_ready();
                    }
                    self.ended = matches!(decoded, Decoded::End);
                    let bytes = buffer.len() - before;
                    if bytes > 0 || self.ended {
                        return Poll::Ready(Ok(Arrived { bytes, more }));
                    }
                    if layers.has_unsent() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        // What it sends is nothing but the layers' own: others have their turn, too.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether the layers have something to say because of what was read.
    #[inline]
    pub(crate) fn has_answer(&self) -> bool {
        self.layers
            .as_ref()
            .is_some_and(|layers| layers.has_unsent())
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Internal(stream) | Self::Fronted(stream, _) => stream.as_fd(),
        }
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
