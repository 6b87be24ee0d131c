//! MQTT 3.1.1 (reference rows B18 to B21). Each client has a task that translates between its packets and the engine.
//!
//! The engine's side of a client is a connection like any other ([`crate::engine::Front`] says where it comes from), so that
//! logins, permissions, limits, monitoring and reloads are the same code. What is to outlive the connection lies in streams of
//! the client's account ([`storage`]), which a second connection reaches ([`keeper`]): nothing is asked of that one, so
//! whatever a client asks for is held against its permissions before.
//!
//! Nothing is acknowledged to a client before it is stored.

mod ending;
mod incoming;
mod keeper;
mod names;
mod opening;
mod origin;
mod outgoing;
mod peer;
mod session;
mod sessions;
mod storage;
mod subscribing;
mod user;

use std::sync::Arc;

use recado_mqtt::Connect;

use crate::engine::{Connection, Engine, ReadLink};

pub(crate) use sessions::Sessions;

/// A client's own connection, taken over from the engine.
pub(crate) struct Outside {
    pub(crate) connection: Arc<Connection>,
    pub(crate) read: ReadLink,
    /// What was read behind CONNECT.
    pub(crate) input: Vec<u8>,
}

/// Starts the task that serves a client which said CONNECT.
pub(crate) fn start(engine: &Arc<Engine>, outside: Outside, connect: Connect) {
    let engine = Arc::clone(engine);
    tokio::spawn(async move {
        if let Some((peer, place)) = Box::pin(opening::open(engine, outside, connect)).await {
            Box::pin(peer.serve()).await;
            drop(place);
        }
    });
}
