//! What a connection's bytes cross: a TCP socket, or a socket pair to a part of the server itself.
//!
//! Writing never blocks and needs no exclusive access; reading belongs to the connection's task.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::net::{TcpStream, UnixStream, tcp, unix};

/// The writing half, shared by all who deliver to the connection.
pub(crate) enum Link {
    Tcp(tcp::OwnedWriteHalf),
    Internal(unix::OwnedWriteHalf),
}

/// The reading half, owned by the connection's task.
pub(crate) enum ReadLink {
    Tcp(tcp::OwnedReadHalf),
    Internal(unix::OwnedReadHalf),
}

impl Link {
    pub(crate) fn tcp(stream: TcpStream) -> (Self, ReadLink) {
        let (read, write) = stream.into_split();
        (Self::Tcp(write), ReadLink::Tcp(read))
    }

    pub(crate) fn internal(stream: UnixStream) -> (Self, ReadLink) {
        let (read, write) = stream.into_split();
        (Self::Internal(write), ReadLink::Internal(read))
    }

    #[inline]
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(half) => half.try_write(bytes),
            Self::Internal(half) => half.try_write(bytes),
        }
    }

    pub(crate) fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(half) => half.try_write_vectored(parts),
            Self::Internal(half) => half.try_write_vectored(parts),
        }
    }

    /// Waits until the socket takes bytes again.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(half) => half.writable().await,
            Self::Internal(half) => half.writable().await,
        }
    }

    /// Ends one or both directions now; the reading task notices an end of input.
    pub(crate) fn shutdown(&self, how: Shutdown) {
        // A socket that the other side closed already is where we want it: nothing to report.
        let _ = match self {
            Self::Tcp(half) => SockRef::from(half.as_ref()).shutdown(how),
            Self::Internal(half) => SockRef::from(half.as_ref()).shutdown(how),
        };
    }
}

impl ReadLink {
    /// Whether there may be something to read.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(half) => half.as_ref().poll_read_ready(cx),
            Self::Internal(half) => half.as_ref().poll_read_ready(cx),
        }
    }

    /// Reads into the spare room of `buffer`; 0 is the end of input.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<u8>,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(half) => tokio_util::io::poll_read_buf(Pin::new(half), cx, buffer),
            Self::Internal(half) => tokio_util::io::poll_read_buf(Pin::new(half), cx, buffer),
        }
    }
}
