//! Comings and goings of clients and of the server, for whoever listens in the system account (A117). Costs a client's coming a look at
//! that account's index while nobody does.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::account::Account;
use super::closed::Closed;
use super::connection::Connection;
use super::ending::CloseReason;
use crate::tls::NotValid;

/// Events that may wait to be told; further ones are counted and lost.
const WAITING_MAX: usize = 8192;

/// Something that happened.
pub(crate) enum Event {
    /// A client was let in.
    Connected(Arc<Connection>),
    /// A client went, or had to.
    Disconnected(Arc<Closed>),
    /// A client was refused whose certificate, or one that vouches for it, is not good for its responder (A121).
    Refused(Arc<NotValid>),
    /// Which certificate that was.
    LinkInvalid(Arc<NotValid>),
    /// The server sends its clients away.
    LameDuck,
}

impl Event {
    /// Subjects that it is told on by the server with this id.
    pub(crate) fn subjects(&self, server_id: &str) -> Vec<String> {
        match self {
            Self::Connected(connection) => {
                vec![format!(
                    "$SYS.ACCOUNT.{}.CONNECT",
                    connection.account().name
                )]
            }
            Self::Disconnected(closed) if closed.reason == CloseReason::AuthenticationViolation => {
                vec![
                    format!("$SYS.SERVER.{server_id}.CLIENT.AUTH.ERR"),
                    "$SYS.ACCOUNT.CLIENT.AUTH.ERR".to_owned(),
                ]
            }
            Self::Disconnected(closed) => {
                vec![format!("$SYS.ACCOUNT.{}.DISCONNECT", closed.account)]
            }
            Self::Refused(_) => vec![format!("$SYS.SERVER.{server_id}.OCSP.PEER.CONN.REJECT")],
            Self::LinkInvalid(_) => {
                vec![format!("$SYS.SERVER.{server_id}.OCSP.PEER.LINK.INVALID")]
            }
            Self::LameDuck => vec![format!("$SYS.SERVER.{server_id}.LAMEDUCK")],
        }
    }

    /// The account that has more or fewer connections with it.
    pub(crate) fn counted(&self) -> Option<Arc<str>> {
        match self {
            Self::Connected(connection) => Some(Arc::clone(&connection.account().name)),
            Self::Disconnected(closed) if closed.reason == CloseReason::AuthenticationViolation => {
                None
            }
            Self::Disconnected(closed) => Some(Arc::clone(&closed.account)),
            Self::Refused(_) | Self::LinkInvalid(_) | Self::LameDuck => None,
        }
    }
}

/// Subjects that tell how many connections an account has.
pub(crate) fn count_subjects(account: &str) -> [String; 2] {
    [
        format!("$SYS.ACCOUNT.{account}.SERVER.CONNS"),
        format!("$SYS.SERVER.ACCOUNT.{account}.CONNS"),
    ]
}

/// What waits to be told.
#[derive(Default)]
pub(crate) struct Events {
    waiting: Mutex<VecDeque<Event>>,
    arrival: Notify,
    /// Subscriptions in the system account that are the server's own.
    own: AtomicUsize,
    server_id: OnceLock<String>,
    lost: AtomicU64,
}

impl Events {
    /// So many of the system account's subscriptions are those by which the server with this id serves it.
    pub(crate) fn begin(&self, own: usize, server_id: &str) {
        self.server_id.get_or_init(|| server_id.to_owned());
        self.own.store(own, Ordering::Relaxed);
    }

    /// Notes an event, if anybody in the system account hears of it.
    pub(super) fn note(&self, system: &Account, event: impl FnOnce() -> Event) {
        if system.router.len() <= self.own.load(Ordering::Relaxed) {
            return;
        }
        let event = event();
        if !self.is_heard(system, &event) {
            return;
        }
        let mut waiting = self.waiting.lock();
        if waiting.len() >= WAITING_MAX {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.push_back(event);
        drop(waiting);
        self.arrival.notify_one();
    }

    /// Whether anybody listens to what would be told. Other parts of the server are subscribed there, too.
    fn is_heard(&self, system: &Account, event: &Event) -> bool {
        let server_id = self.server_id.get().map_or("", String::as_str);
        let counts = event.counted();
        let counts = counts.iter().flat_map(|account| count_subjects(account));
        let mut subjects = event.subjects(server_id).into_iter().chain(counts);
        subjects.any(|subject| {
            let subject = subject.as_bytes();
            let hash = system.router.hash(subject);
            !system.router.resolve(subject, hash).0.is_empty()
        })
    }

    /// Waits for the next, and takes those that wait with it, `max` of them at the most.
    pub(crate) async fn next(&self, max: usize) -> Vec<Event> {
        loop {
            let arrival = self.arrival.notified();
            let events: Vec<Event> = {
                let mut waiting = self.waiting.lock();
                let count = waiting.len().min(max);
                waiting.drain(..count).collect()
            };
            if !events.is_empty() {
                return events;
            }
            arrival.await;
        }
    }

    /// Those that there was no room for, since the last call.
    pub(crate) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Server;

    #[test]
    fn other_parts_of_the_server_in_the_system_account_are_no_audience() {
        let store = tempfile::tempdir().expect("a folder");
        let server = Server::builder().store_dir(store.path()).start();
        let server = server.expect("it starts");
        let engine = server.engine();
        let system = engine.accounts.system();
        let own = engine.events.own.load(Ordering::Relaxed);
        assert!(system.router.len() > own, "streams listen there, too");
        assert!(!engine.events.is_heard(&system, &Event::LameDuck));
    }
}
