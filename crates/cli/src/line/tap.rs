//! Bytes on their way, for whoever wants to look at them (`--wire`): as they are read and written, and
//! where there is TLS, what is inside it.

use std::fmt;
use std::sync::Arc;

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From us.
    ToServer,
    /// To us.
    FromServer,
}

/// Looks at bytes that pass.
type Look = dyn Fn(Direction, &[u8]) + Send + Sync;

/// Is shown all bytes of a connection.
#[derive(Clone)]
pub(crate) struct Tap(Arc<Look>);

impl Tap {
    /// Shows the bytes to `look`, which must not take long: the connection waits for it.
    pub(crate) fn new(look: impl Fn(Direction, &[u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }

    /// These bytes went that way.
    pub(super) fn passed(&self, direction: Direction, bytes: &[u8]) {
        (self.0)(direction, bytes);
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap")
    }
}
