//! Sockets that a tokio runtime watches without owning their kind: made here and nowhere else.
//!
//! tokio's own sockets belong to one runtime for good and hide what they are; ours may move to another
//! thread. tokio has deprecated the safe way to make an [`AsyncFd`], because a type could give up its
//! descriptor while it is being watched, and has an unsafe one instead, which this crate forbids. The
//! types in here own a socket of the standard library and never give it up: what the contract of the
//! unsafe one asks for holds by construction.

use std::io;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::engine::Socket;

/// Owns one open descriptor, and the same one, as long as it lives.
pub(crate) trait OwnsDescriptor: AsRawFd {}

impl OwnsDescriptor for TcpListener {}
impl OwnsDescriptor for Arc<Socket> {}

/// Has a socket watched by the runtime that the caller is in.
///
/// # Errors
/// When the runtime can't watch it: out of memory, or it is watched there already.
pub(crate) fn watch<T: OwnsDescriptor>(socket: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    #[expect(deprecated, reason = "see the head of this file")]
    AsyncFd::with_interest(socket, interest)
}
