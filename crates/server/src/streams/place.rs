//! Where the running streams are found, by all who have to do with them: they can be turned on and off while the server
//! runs (D52).

use std::sync::Arc;

use parking_lot::RwLock;

use super::{Opened, Streams};

/// Streams that run, and what was found in their store.
pub(crate) struct Running {
    pub(crate) streams: Streams,
    pub(crate) opened: Opened,
}

/// Holds them while they run.
#[derive(Default)]
pub(crate) struct Place(RwLock<Held>);

#[derive(Default)]
struct Held {
    running: Option<Arc<Running>>,
    /// The server ends: none will run any more.
    closed: bool,
}

impl Place {
    /// The streams, if there are any now.
    pub(crate) fn get(&self) -> Option<Arc<Running>> {
        self.0.read().running.clone()
    }

    /// These run from now on; unless the server ends: then they are stopped again.
    pub(crate) fn put(&self, running: Running) {
        let mut held = self.0.write();
        if !held.closed {
            held.running = Some(Arc::new(running));
            return;
        }
        drop(held);
        running.streams.stop();
    }

    /// Nobody finds them any more; then they are stopped. Waits for their disk.
    pub(crate) fn stop(&self) {
        let running = self.0.write().running.take();
        if let Some(running) = running {
            running.streams.stop();
        }
    }

    /// The same, for good.
    pub(crate) fn close(&self) {
        self.0.write().closed = true;
        self.stop();
    }
}
