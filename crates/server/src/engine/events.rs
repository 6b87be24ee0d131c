//! Comings and goings of clients and of the server, for whoever listens in the system account (A117). Costs a client's coming a look at
//! that account's index while nobody does.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::closed::Closed;
use super::connection::Connection;

/// Events that may wait to be told; further ones are counted and lost.
const WAITING_MAX: usize = 8192;

/// Something that happened.
pub(crate) enum Event {
    /// A client was let in.
    Connected(Arc<Connection>),
    /// A client went, or had to.
    Disconnected(Arc<Closed>),
    /// The server sends its clients away.
    LameDuck,
}

/// What waits to be told.
#[derive(Default)]
pub(crate) struct Events {
    waiting: Mutex<VecDeque<Event>>,
    arrival: Notify,
    /// Subscriptions in the system account that are the server's own.
    own: AtomicUsize,
    lost: AtomicU64,
}

impl Events {
    /// So many of the system account's subscriptions listen to no events.
    pub(crate) fn set_own(&self, own: usize) {
        self.own.store(own, Ordering::Relaxed);
    }

    /// Notes an event, if anybody could want to hear of it: the account has so many subscriptions.
    pub(super) fn note(&self, subscriptions: usize, event: impl FnOnce() -> Event) {
        if subscriptions <= self.own.load(Ordering::Relaxed) {
            return;
        }
        let mut waiting = self.waiting.lock();
        if waiting.len() >= WAITING_MAX {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.push_back(event());
        drop(waiting);
        self.arrival.notify_one();
    }

    /// Waits for the next.
    pub(crate) async fn next(&self) -> Event {
        loop {
            let arrival = self.arrival.notified();
            if let Some(event) = self.waiting.lock().pop_front() {
                return event;
            }
            arrival.await;
        }
    }

    /// Those that there was no room for, since the last call.
    pub(crate) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }
}
