//! A client that speaks another protocol than the engine, as the engine sees it: it is connected to the part of the server
//! that translates, and everything that is to be known of where it comes from lies there.

use std::sync::Arc;

use super::connection::Connection;

/// What stands between the engine and such a client.
pub(crate) struct Front {
    /// The client's own connection: its address, TLS and WebSocket. It is in no registry any more.
    pub(crate) outside: Arc<Connection>,
    /// The client identifier of MQTT.
    pub(crate) client_id: Box<str>,
}
