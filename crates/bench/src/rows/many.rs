//! One thread that reads many connections.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::flow::{READ_BYTES, Subscriber};
use crate::client::IO_TIMEOUT;
use crate::error::{Doing, Error, Result};

/// Makes sockets non-blocking and waits for all of them at once.
pub(super) struct Readers {
    poll: Poll,
    events: Events,
}

impl Readers {
    /// Watches these sockets; each is known by its place.
    pub(super) fn watch<'a>(streams: impl Iterator<Item = &'a TcpStream>) -> Result<Readers> {
        Self::watch_for(Interest::READABLE, streams)
    }

    /// Watches these sockets, for what can be written to, too.
    pub(super) fn watch_both<'a>(streams: impl Iterator<Item = &'a TcpStream>) -> Result<Readers> {
        Self::watch_for(Interest::READABLE | Interest::WRITABLE, streams)
    }

    fn watch_for<'a>(
        interest: Interest,
        streams: impl Iterator<Item = &'a TcpStream>,
    ) -> Result<Readers> {
        let poll = Poll::new().doing("making a poll")?;
        for (place, stream) in streams.enumerate() {
            stream
                .set_nonblocking(true)
                .doing("making a socket non-blocking")?;
            poll.registry()
                .register(&mut SourceFd(&stream.as_raw_fd()), Token(place), interest)
                .doing("watching a socket")?;
        }
        Ok(Readers {
            poll,
            events: Events::with_capacity(1024),
        })
    }

    /// The places of the sockets that can be read; empty when the time is up. Each must then be
    /// read until it has no more: readiness is told once.
    pub(super) fn wait(&mut self, timeout: Duration) -> Result<Vec<usize>> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => done.doing("waiting for sockets")?,
        }
        Ok(self.events.iter().map(|event| event.token().0).collect())
    }
}

/// One read that may find nothing: `None`. The end of the stream is an error.
pub(super) fn read_some(mut stream: &TcpStream, buffer: &mut [u8]) -> Result<Option<usize>> {
    match stream.read(buffer) {
        Ok(0) => Err(Error::Closed("receiving messages")),
        Ok(n) => Ok(Some(n)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error).doing("receiving messages"),
    }
}

/// Reads until every subscriber has what is due, or nothing came for `lost_after` behind the
/// PONGs.
pub(super) fn receive(
    subscribers: &mut [Subscriber],
    sent: &AtomicU64,
    lost_after: Duration,
) -> Result<()> {
    let mut readers = Readers::watch(subscribers.iter().map(|s| &s.client.stream))?;
    let mut buffer = vec![0; READ_BYTES];
    for subscriber in subscribers.iter_mut() {
        subscriber.take_rest(sent)?;
    }
    let mut waiting = subscribers.len();
    while waiting > 0 {
        let any_past_pong = subscribers.iter().any(|s| s.waits_past_pong());
        let ready = readers.wait(if any_past_pong {
            lost_after
        } else {
            IO_TIMEOUT
        })?;
        if ready.is_empty() {
            if any_past_pong {
                return Ok(());
            }
            return Err(Error::Server(format!(
                "no message for {} s",
                IO_TIMEOUT.as_secs()
            )));
        }
        for place in ready {
            let subscriber = &mut subscribers[place];
            while let Some(n) = read_some(&subscriber.client.stream, &mut buffer)? {
                if subscriber.take(&buffer[..n], sent)? {
                    waiting -= 1;
                }
                // A short read has emptied the socket: what comes later is told anew.
                if n < buffer.len() {
                    break;
                }
            }
        }
    }
    Ok(())
}
