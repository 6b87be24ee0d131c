//! Certificates and rules of TLS as a listener needs them: read from files ([`load`]), with the
//! pinned keys of clients ([`pins`]), the names that a certificate bears ([`names`]) and whether it was revoked
//! ([`ocsp`]). Nothing here touches a client's socket; the engine's links do.

mod load;
mod names;
mod ocsp;
mod pins;
mod problem;

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;

use self::ocsp::Stapled;
use crate::config::{HandshakeFirst, TlsOptions};

pub(crate) use load::client_config;
pub(crate) use names::{issuer_text, names_in, subject_text};
pub(crate) use ocsp::{Cache, NotValid, Revocations, Turn, fingerprint};
pub use problem::TlsProblem;

/// TLS of one listener, ready for handshakes. Never changed, but for what responders say: a reload makes another one, and
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
    /// What is remembered of clients' certificates, where it is asked whether they were revoked: then a handshake may wait
    /// for the answer, on a thread that may.
    pub(crate) checked: Option<Arc<Cache>>,
    /// Certificates that are shown with what their responder says.
    _stapled: Vec<Stapled>,
}

impl Material {
    /// Reads what the options name. Without `revocations` nobody is asked about any, whatever the options say.
    ///
    /// # Errors
    /// When a file can't be read or is not what it should be, the parts don't fit each other, or a certificate of the server
    /// must not be shown.
    pub(crate) fn load(
        options: &TlsOptions,
        revocations: Option<&Revocations>,
    ) -> Result<Self, TlsProblem> {
        let loaded = load::server_config(options, revocations)?;
        Ok(Self {
            config: Arc::new(loaded.config),
            not_after_s: loaded.not_after_s,
            handshake_first: options.handshake_first,
            timeout: options.timeout,
            rate_limit: options.connection_rate_limit,
            checked: loaded.checked,
            _stapled: loaded.stapled,
        })
    }
}
