//! Certificates and rules of TLS as a listener needs them: read from files ([`load`]), with the
//! pinned keys of clients ([`pins`]) and the names that a certificate bears ([`names`]). Nothing here
//! touches a socket; the engine's links do.

mod load;
mod names;
mod pins;
mod problem;

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;

use crate::config::{HandshakeFirst, TlsOptions};

pub(crate) use load::client_config;
pub(crate) use names::names_in;
pub use problem::TlsProblem;

/// TLS of one listener, ready for handshakes. Never changed: a reload makes another one, and
/// handshakes that began with this one end with it.
#[derive(Debug)]
pub(crate) struct Material {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) handshake_first: HandshakeFirst,
    /// Time that a handshake may take.
    pub(crate) timeout: Duration,
    /// Handshakes begun within a second at most.
    pub(crate) rate_limit: Option<u32>,
    /// When the first certificate expires, in seconds since 1970.
    pub(crate) not_after_s: Option<i64>,
}

impl Material {
    /// Reads what the options name.
    ///
    /// # Errors
    /// When a file can't be read or is not what it should be, or the parts don't fit each other.
    pub(crate) fn load(options: &TlsOptions) -> Result<Self, TlsProblem> {
        let (config, not_after_s) = load::server_config(options)?;
        Ok(Self {
            config: Arc::new(config),
            not_after_s,
            handshake_first: options.handshake_first,
            timeout: options.timeout,
            rate_limit: options.connection_rate_limit,
        })
    }
}
