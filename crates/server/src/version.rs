//! Which versions this server says it is.

/// nats-server version whose behaviour INFO offers. Clients switch features on by it (A05).
pub const NATS_VERSION: &str = "2.15.0";
/// Commit that this server was built from, where whoever built it said so (`RECADO_GIT_COMMIT`).
pub(crate) const GIT_COMMIT: Option<&str> = option_env!("RECADO_GIT_COMMIT");
/// Version of this server.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
