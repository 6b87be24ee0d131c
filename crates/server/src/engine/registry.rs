//! All living connections, by slot. A slot is a small number that is used again; an id never is.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::HashMap;
use parking_lot::Mutex;

use super::connection::{Connection, Traffic};
use super::ending::CloseReason;

/// The connections of one server.
#[derive(Default)]
pub(crate) struct Registry {
    inner: Mutex<Slots>,
}

/// Who is let in.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// Clients, so many at once.
    Clients(Option<usize>),
    /// A part of the server itself, always.
    Internal,
}

#[derive(Default)]
struct Slots {
    connections: Vec<Option<Arc<Connection>>>,
    free: Vec<u32>,
    count: usize,
    /// Those of `count` that are parts of the server itself.
    internal: usize,
    next_id: u64,
    /// Clients that were let in so far.
    clients_so_far: u64,
    /// What clients that are gone sent and got, by the numbers of their accounts.
    gone: HashMap<u32, Gone>,
}

/// Messages and bytes of one connection or of many, seen from the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) in_messages: u64,
    pub(crate) in_bytes: u64,
    pub(crate) out_messages: u64,
    pub(crate) out_bytes: u64,
}

/// What is left of the clients of one account that are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) traffic: Totals,
    /// Those of them that were cut off because they read too slowly.
    pub(crate) slow_consumers: u64,
}

/// Everybody at one moment, and what those brought who are gone.
pub(crate) struct Census {
    /// All connections, the server's own among them.
    pub(crate) connections: Vec<Arc<Connection>>,
    /// Clients that were let in so far, with those that are there.
    pub(crate) clients_so_far: u64,
    /// Traffic of clients, with those that are there.
    pub(crate) traffic: Totals,
    /// What is left of those who are gone, by the numbers of their accounts.
    pub(crate) gone: HashMap<u32, Gone>,
}

impl Totals {
    /// What a connection counted so far.
    pub(crate) fn of(traffic: &Traffic) -> Self {
        Self {
            in_messages: traffic.in_messages.load(Ordering::Relaxed),
            in_bytes: traffic.in_bytes.load(Ordering::Relaxed),
            out_messages: traffic.out_messages.load(Ordering::Relaxed),
            out_bytes: traffic.out_bytes.load(Ordering::Relaxed),
        }
    }

    /// Adds what another one counted.
    pub(crate) fn add(&mut self, other: Self) {
        self.in_messages = self.in_messages.wrapping_add(other.in_messages);
        self.in_bytes = self.in_bytes.wrapping_add(other.in_bytes);
        self.out_messages = self.out_messages.wrapping_add(other.out_messages);
        self.out_bytes = self.out_bytes.wrapping_add(other.out_bytes);
    }
}

impl Slots {
    /// A client goes that was in this account.
    fn count_gone(&mut self, connection: &Connection, account: u32) {
        let gone = self.gone.entry(account).or_default();
        gone.traffic.add(Totals::of(&connection.traffic));
        let reason = connection.close_reason();
        let is_slow = reason.is_some_and(CloseReason::is_slow_consumer);
        gone.slow_consumers += u64::from(is_slow);
    }
}

impl Registry {
    /// Makes a connection with a slot and an id, unless there are too many already.
    pub(crate) fn add(
        &self,
        limit: Limit,
        make: impl FnOnce(u64, u32) -> Connection,
    ) -> Option<Arc<Connection>> {
        let mut slots = self.inner.lock();
        match limit {
            Limit::Clients(Some(max)) if slots.count - slots.internal >= max => return None,
            Limit::Clients(_) => slots.clients_so_far += 1,
            Limit::Internal => slots.internal += 1,
        }
        slots.next_id += 1;
        let slot = match slots.free.pop() {
            Some(slot) => slot,
            None => {
                slots.connections.push(None);
                (slots.connections.len() - 1) as u32
            }
        };
        let connection = Arc::new(make(slots.next_id, slot));
        slots.connections[slot as usize] = Some(Arc::clone(&connection));
        slots.count += 1;
        Some(connection)
    }

    /// Forgets a connection whose subscriptions are gone already.
    pub(crate) fn remove(&self, connection: &Connection) {
        let slot = connection.slot;
        // Before the lock, for it is under another.
        let account = connection.account().number;
        let mut slots = self.inner.lock();
        let Some(place) = slots.connections.get_mut(slot as usize) else {
            return;
        };
        if let Some(connection) = place.take_if(|held| held.id == connection.id) {
            slots.free.push(slot);
            slots.count -= 1;
            match connection.peer {
                // Under the same lock as the census: nothing is counted twice or not at all.
                Some(_) => slots.count_gone(&connection, account),
                None => slots.internal -= 1,
            }
            // The socket closes with the last reference: not under this lock.
            drop(slots);
            drop(connection);
        }
    }

    /// Forgets a client that goes on as another connection: it was not one.
    pub(crate) fn withdraw(&self, connection: &Connection) {
        let mut slots = self.inner.lock();
        let Some(place) = slots.connections.get_mut(connection.slot as usize) else {
            return;
        };
        if place.take_if(|held| held.id == connection.id).is_some() {
            slots.free.push(connection.slot);
            slots.count -= 1;
            slots.clients_so_far -= 1;
        }
    }

    /// The one with this id. Looks at all of them.
    pub(crate) fn by_id(&self, id: u64) -> Option<Arc<Connection>> {
        let slots = self.inner.lock();
        let mut all = slots.connections.iter().flatten();
        all.find(|connection| connection.id == id).cloned()
    }

    /// Everybody, as of now.
    pub(crate) fn all(&self) -> Vec<Arc<Connection>> {
        self.inner
            .lock()
            .connections
            .iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// Everybody, as of now, with what was counted.
    pub(crate) fn census(&self) -> Census {
        let slots = self.inner.lock();
        let connections: Vec<_> = slots.connections.iter().flatten().cloned().collect();
        let (clients_so_far, gone) = (slots.clients_so_far, slots.gone.clone());
        let mut traffic = Totals::default();
        for gone in gone.values() {
            traffic.add(gone.traffic);
        }
        for connection in connections.iter().filter(|one| one.peer.is_some()) {
            traffic.add(Totals::of(&connection.traffic));
        }
        Census {
            connections,
            clients_so_far,
            traffic,
            gone,
        }
    }

    /// Connections from outside.
    pub(crate) fn clients(&self) -> usize {
        let slots = self.inner.lock();
        slots.count - slots.internal
    }

    /// Connections of any kind.
    pub(crate) fn len(&self) -> usize {
        self.inner.lock().count
    }

    /// An id for something that is told like a connection but has no slot.
    pub(crate) fn spare_id(&self) -> u64 {
        let mut slots = self.inner.lock();
        slots.next_id += 1;
        slots.next_id
    }
}
