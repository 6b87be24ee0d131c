//! One thread that drives several connections: whichever can go on, goes on.
//!
//! A thread for each of many clients would make the machine switch between them where the server should
//! be working; so there are no more threads than cores.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

use crate::failure::Failure;
use crate::text::failures as text;

/// How often each client gets a turn although its socket may be silent: time passes, and the end may
/// have come.
const TURN_EVERY_MS: u8 = 10;

/// The most that is read at once.
const READ_BYTES: usize = 256 * 1024;

/// What a client waits for after its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Something to read.
    Reading,
    /// That, or room to write.
    Writing,
    /// Nothing any more.
    Done,
}

/// A client on a connection of its own.
pub(super) trait Client: Send {
    /// Its socket.
    fn socket(&self) -> BorrowedFd<'_>;

    /// Does what can be done without waiting. `buffer` is to read into.
    fn turn(&mut self, buffer: &mut [u8]) -> Result<Turn, Failure>;
}

/// Drives the clients until all are done, or one fails.
pub(super) fn drive<C: Client>(clients: &mut [C]) -> Result<(), Failure> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(refused)?;
    let mut buffer = vec![0; READ_BYTES];
    let mut turns = vec![Turn::Writing; clients.len()];
    for (number, client) in clients.iter().enumerate() {
        let event = EpollEvent::new(interest(Turn::Writing), number as u64);
        epoll.add(client.socket(), event).map_err(refused)?;
    }
    let mut left = clients.len();
    let mut events = vec![EpollEvent::empty(); clients.len().clamp(1, 256)];
    let mut last = Instant::now();
    while left > 0 {
        let ready = match epoll.wait(&mut events, TURN_EVERY_MS) {
            Ok(ready) => ready,
            Err(Errno::EINTR) => 0,
            Err(error) => return Err(refused(error)),
        };
        let due = last.elapsed() >= Duration::from_millis(TURN_EVERY_MS.into());
        if due {
            last = Instant::now();
        }
        let everybody = 0..if due { clients.len() } else { 0 };
        let named = events[..ready].iter().map(|event| event.data() as usize);
        for number in named.chain(everybody) {
            let (Some(client), Some(turn)) = (clients.get_mut(number), turns.get_mut(number))
            else {
                continue;
            };
            if *turn == Turn::Done {
                continue;
            }
            let now = client.turn(&mut buffer)?;
            if now == *turn {
                continue;
            }
            *turn = now;
            if now == Turn::Done {
                left -= 1;
                epoll.delete(client.socket()).map_err(refused)?;
            } else {
                let mut event = EpollEvent::new(interest(now), number as u64);
                epoll
                    .modify(client.socket().as_fd(), &mut event)
                    .map_err(refused)?;
            }
        }
    }
    Ok(())
}

fn interest(turn: Turn) -> EpollFlags {
    match turn {
        Turn::Writing => EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT,
        Turn::Reading | Turn::Done => EpollFlags::EPOLLIN,
    }
}

fn refused(error: Errno) -> Failure {
    Failure::Local {
        what: text::machine_failed(&io::Error::from(error).to_string()),
        next: text::machine_failed_next().to_owned(),
    }
}
