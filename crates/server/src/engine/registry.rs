//! All living connections, by slot. A slot is a small number that is used again; an id never is.

use std::sync::Arc;

use parking_lot::Mutex;

use super::connection::Connection;

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
            Limit::Clients(_) => {}
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
    pub(crate) fn remove(&self, slot: u32) {
        let mut slots = self.inner.lock();
        let Some(place) = slots.connections.get_mut(slot as usize) else {
            return;
        };
        if let Some(connection) = place.take() {
            slots.free.push(slot);
            slots.count -= 1;
            slots.internal -= usize::from(connection.peer.is_none());
            // The socket closes with the last reference: not under this lock.
            drop(slots);
            drop(connection);
        }
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
