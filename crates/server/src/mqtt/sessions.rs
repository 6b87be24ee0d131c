//! Who speaks MQTT now: one connection a client identifier and account, and the end of them all.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::engine::{CloseReason, Connection};

/// Who pushed another one out less than this ago is not pushed out: two programs with one identifier would go on for ever.
const FLAPPING: Duration = Duration::from_secs(1);

/// Account and client identifier.
type Key = (Arc<str>, Box<str>);

/// All of one server.
pub(crate) struct Sessions {
    places: Mutex<HashMap<Key, Arc<Holder>>>,
    /// Accounts whose streams were there when it was last looked.
    ready: Mutex<HashSet<Arc<str>>>,
    /// The server stops: everybody writes down what is under way, and goes.
    stopping: watch::Sender<bool>,
    /// Makes it known who says that a message is kept: see [`Sessions::seal`].
    secret: std::hash::RandomState,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            places: Mutex::default(),
            ready: Mutex::default(),
            stopping: watch::Sender::new(false),
            secret: std::hash::RandomState::new(),
        }
    }
}

/// Who has a place.
struct Holder {
    connection: Arc<Connection>,
    /// When it pushed another one out, if it did.
    pushed: Option<Instant>,
    gone: Notify,
}

/// The place of one client. Given back when this is dropped.
pub(crate) struct Place {
    key: Key,
    holder: Arc<Holder>,
    connection: Arc<Connection>,
}

/// What comes of asking for a place.
enum Asked {
    Given(Place),
    /// Somebody has it, who was told to go.
    Held(Arc<Holder>),
    /// Somebody has it who took it just now.
    Flapping,
}

impl Sessions {
    /// Takes the place of a client. Who has it is disconnected, and waited for so long. `None`: it can't be had.
    pub(super) async fn take(
        &self,
        connection: &Arc<Connection>,
        client_id: &str,
        most: Duration,
    ) -> Option<Place> {
        let until = tokio::time::Instant::now() + most;
        let mut pushed = None;
        loop {
            let holder = match self.ask(connection, client_id, pushed) {
                Asked::Given(place) => return Some(place),
                Asked::Flapping => {
                    // It comes back at once, else.
                    tokio::time::sleep(FLAPPING).await;
                    return None;
                }
                Asked::Held(holder) => holder,
            };
            let gone = holder.gone.notified();
            tokio::pin!(gone);
            gone.as_mut().enable();
            if self.is_held_by(connection, client_id, &holder) {
                holder.connection.close(CloseReason::DuplicateClientId);
                pushed = Some(Instant::now());
                tokio::time::timeout_at(until, gone).await.ok()?;
            }
        }
    }

    fn key(connection: &Connection, client_id: &str) -> Key {
        (Arc::clone(&connection.account().name), client_id.into())
    }

    fn ask(&self, connection: &Arc<Connection>, client_id: &str, pushed: Option<Instant>) -> Asked {
        let key = Self::key(connection, client_id);
        let mut places = self.places.lock();
        if let Some(holder) = places.get(&key) {
            // One that has ended and writes its session down quarrels with nobody.
            let is_there = holder.connection.close_reason().is_none();
            let just_now = is_there && holder.pushed.is_some_and(|at| at.elapsed() < FLAPPING);
            return match just_now && pushed.is_none() {
                true => Asked::Flapping,
                false => Asked::Held(Arc::clone(holder)),
            };
        }
        let holder = Arc::new(Holder {
            connection: Arc::clone(connection),
            pushed,
            gone: Notify::new(),
        });
        places.insert(key.clone(), Arc::clone(&holder));
        Asked::Given(Place {
            key,
            holder,
            connection: Arc::clone(connection),
        })
    }

    fn is_held_by(&self, connection: &Connection, client_id: &str, holder: &Arc<Holder>) -> bool {
        let key = Self::key(connection, client_id);
        let places = self.places.lock();
        places.get(&key).is_some_and(|one| Arc::ptr_eq(one, holder))
    }

    fn give_back(&self, place: &Place) {
        self.places.lock().remove(&place.key);
        place.holder.gone.notify_waiters();
    }

    /// Whether an account has the streams that it needs, as far as is known.
    pub(super) fn is_ready(&self, account: &str) -> bool {
        self.ready.lock().contains(account)
    }

    /// It has them now, or it is to be looked again.
    pub(super) fn set_ready(&self, account: &Arc<str>, ready: bool) {
        match ready {
            true => self.ready.lock().insert(Arc::clone(account)),
            false => self.ready.lock().remove(account),
        };
    }

    /// Whether the server stops; can be waited for.
    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Has everybody write down what is under way, and waits for it, so long at the most.
    pub(crate) async fn stop(&self, most: Duration) {
        self.stopping.send_replace(true);
        let until = tokio::time::Instant::now() + most;
        loop {
            let Some(holder) = self.places.lock().values().next().cloned() else {
                return;
            };
            let gone = holder.gone.notified();
            tokio::pin!(gone);
            gone.as_mut().enable();
            let is_there = {
                let places = self.places.lock();
                places.values().any(|one| Arc::ptr_eq(one, &holder))
            };
            if is_there && tokio::time::timeout_at(until, gone).await.is_err() {
                return;
            }
        }
    }

    /// What a message on this subject bears that an account keeps for its own subscriptions with QoS 1 and 2: nobody else can
    /// make it up, nor is it right for another account or subject.
    pub(super) fn seal(&self, account: &str, subject: &str) -> String {
        use std::hash::BuildHasher;
        format!("{:016x}", self.secret.hash_one((account, subject)))
    }
}

/// Gives a place back, whatever ends its client.
pub(crate) struct Held {
    pub(super) engine: Arc<crate::engine::Engine>,
    pub(super) place: Place,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Should the task have panicked, the engine's connection goes, too.
        self.place.connection.close(CloseReason::ClientClosed);
        self.engine.mqtt_sessions.give_back(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_good_for_one_account_and_subject_of_one_server() {
        let sessions = Sessions::default();
        let seal = sessions.seal("A", "a.b");
        assert_eq!(sessions.seal("A", "a.b"), seal);
        for other in [
            sessions.seal("B", "a.b"),
            sessions.seal("A", "a.c"),
            Sessions::default().seal("A", "a.b"),
        ] {
            assert_ne!(other, seal);
        }
    }

    #[test]
    fn an_account_is_looked_at_again_after_trouble() {
        let (sessions, account) = (Sessions::default(), Arc::from("A"));
        assert!(!sessions.is_ready("A"));
        sessions.set_ready(&account, true);
        assert!(sessions.is_ready("A"));
        sessions.set_ready(&account, false);
        assert!(!sessions.is_ready("A"));
    }
}
