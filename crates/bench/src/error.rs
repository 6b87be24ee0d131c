//! What can go wrong in a measurement. Each error says what was being done when it happened.

use std::io;

/// Why a measurement could not be made, or must not be believed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// The server answered with a protocol error.
    #[error("the server answered {0}")]
    Refused(String),
    /// The server closed a connection that should have stayed open.
    #[error("the server closed the connection while {0}")]
    Closed(&'static str),
    /// A subscriber read something other than what was published.
    #[error("what arrived is not what was published: {0}")]
    Differs(String),
    /// The server under test did not start or did not stop.
    #[error("{0}")]
    Server(String),
}

/// A result whose error is this crate's.
pub type Result<T> = std::result::Result<T, Error>;

/// Says what was being done when a system call failed.
pub(crate) trait Doing<T> {
    /// Turns a system error into ours.
    fn doing(self, what: impl Into<String>) -> Result<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|source| Error::Io {
            doing: what.into(),
            source,
        })
    }
}

impl<T> Doing<T> for nix::Result<T> {
    fn doing(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|errno| Error::Io {
            doing: what.into(),
            source: errno.into(),
        })
    }
}
