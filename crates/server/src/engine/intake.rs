//! Where a part of the server that runs on a thread of its own takes frames in memory, without a socket.
//!
//! Connections' threads put whole batches of frames in; the part's thread takes all there is. It is bounded:
//! when it is full the frames wait in the connection's outbox, as they do for a socket, and publishers are
//! slowed by the same rules.

use std::io::IoSlice;
use std::time::{Duration, Instant};

use std::task::{Poll, Waker};

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

/// Bytes above which it takes no more.
const INTAKE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A bounded buffer of frames between the engine and one thread.
#[derive(Default)]
pub(crate) struct Intake {
    state: Mutex<State>,
    /// The thread waits here.
    arrival: Condvar,
    /// Writers of the engine wait here.
    room: Notify,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    /// Somebody rang: something other than frames happened.
    rung: bool,
    /// The thread waits.
    waiting: bool,
    /// Where a task takes frames instead of a thread: it waits.
    waker: Option<Waker>,
    /// The connection ended: no more frames will come.
    closed: bool,
}

/// What ended the wait.
pub(crate) struct Taken {
    /// The connection ended; what it still brought is taken.
    pub(crate) closed: bool,
}

impl Intake {
    /// Takes these bytes whole, or not at all when it is full.
    pub(crate) fn put(&self, parts: &[IoSlice<'_>]) -> bool {
        let mut state = self.state.lock();
        if state.bytes.len() > INTAKE_BYTES_MAX {
            return false;
        }
        for part in parts {
            state.bytes.extend_from_slice(part);
        }
        self.wake(state);
        true
    }

    /// Wakes the thread although there may be no frames.
    pub(crate) fn ring(&self) {
        let mut state = self.state.lock();
        state.rung = true;
        self.wake(state);
    }

    /// A new connection brings frames again; what the old one left is gone.
    pub(crate) fn reopen(&self) {
        let mut state = self.state.lock();
        state.closed = false;
        state.bytes.clear();
    }

    /// No more frames will come.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        self.wake(state);
    }

    /// Waits until there are frames, or somebody rings, or the time is up; frames are put in `frames`, which
    /// must be empty.
    pub(crate) fn take(&self, frames: &mut Vec<u8>, until: Option<Instant>) -> Taken {
        let mut state = self.state.lock();
        while state.bytes.is_empty() && !state.rung && !state.closed {
            let now = Instant::now();
            let patience = match until {
                Some(until) if until <= now => break,
                Some(until) => until - now,
                None => Duration::from_secs(3600),
            };
            state.waiting = true;
            self.arrival.wait_for(&mut state, patience);
            state.waiting = false;
        }
        state.rung = false;
        let was_full = state.bytes.len() > INTAKE_BYTES_MAX;
        std::mem::swap(&mut state.bytes, frames);
        let closed = state.closed;
        drop(state);
        if was_full {
            self.room.notify_waiters();
        }
        Taken { closed }
    }

    /// The same for a task: waits until there are frames, or the connection has ended.
    pub(crate) async fn taken(&self, frames: &mut Vec<u8>) -> Taken {
        std::future::poll_fn(|cx| {
            let mut state = self.state.lock();
            if state.bytes.is_empty() && !state.closed {
                state.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
        self.take(frames, None)
    }

    /// Waits until it may take more.
    pub(crate) async fn writable(&self) {
        loop {
            let told = self.room.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            if self.state.lock().bytes.len() <= INTAKE_BYTES_MAX {
                return;
            }
            told.await;
        }
    }

    fn wake(&self, mut state: parking_lot::MutexGuard<'_, State>) {
        let waiting = state.waiting;
        let waker = state.waker.take();
        drop(state);
        if waiting {
            self.arrival.notify_one();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn what_is_put_in_is_taken_in_order_and_a_full_one_takes_nothing() {
        let intake = Intake::default();
        assert!(intake.put(&[IoSlice::new(b"one "), IoSlice::new(b"two")]));
        let large = vec![b'x'; INTAKE_BYTES_MAX];
        assert!(intake.put(&[IoSlice::new(&large)]));
        assert!(!intake.put(&[IoSlice::new(b"more")]));
        let mut frames = Vec::new();
        assert!(!intake.take(&mut frames, None).closed);
        assert!(frames.starts_with(b"one two"));
        assert_eq!(frames.len(), 7 + INTAKE_BYTES_MAX);
        assert!(intake.put(&[IoSlice::new(b"more")]));
    }

    #[test]
    fn the_thread_is_woken_by_frames_by_a_ring_and_by_the_end() {
        let intake = Arc::new(Intake::default());
        let acts: [fn(&Intake); 3] = [
            |intake| assert!(intake.put(&[IoSlice::new(b"x")])),
            Intake::ring,
            Intake::close,
        ];
        for (at, act) in acts.into_iter().enumerate() {
            let other = Arc::clone(&intake);
            let thread = std::thread::spawn(move || {
                let mut frames = Vec::new();
                let taken = other.take(&mut frames, None);
                (frames.len(), taken.closed)
            });
            act(&intake);
            assert_eq!(thread.join().unwrap(), (usize::from(at == 0), at == 2));
        }
    }
}
