//! Where a server is in its life. It only ever goes forward.

/// Where the server is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Running,
    LameDuck,
    Stopping,
}
