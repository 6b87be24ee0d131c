//! Which accounts there are, and who is in which. All clients are in one so far; the system account is there and
//! empty.

use std::sync::Arc;

use crate::engine::{Census, Connection, GLOBAL_ACCOUNT};

/// The account for the server's own affairs.
pub(super) const SYSTEM_ACCOUNT: &str = "$SYS";

/// One account, as it is at one moment.
pub(super) struct Account {
    pub(super) name: String,
    pub(super) is_system: bool,
    /// Clients in it.
    pub(super) clients: Vec<Arc<Connection>>,
}

/// All accounts, in the order of their names.
pub(super) fn all(census: &Census) -> Vec<Account> {
    let clients = census.connections.iter().filter(|one| one.peer.is_some());
    vec![
        Account {
            name: GLOBAL_ACCOUNT.to_owned(),
            is_system: false,
            clients: clients.cloned().collect(),
        },
        Account {
            name: SYSTEM_ACCOUNT.to_owned(),
            is_system: true,
            clients: Vec::new(),
        },
    ]
}

/// The account that a connection is in.
pub(super) fn of(_: &Connection) -> &str {
    GLOBAL_ACCOUNT
}

/// How an account's name is shown beside a connection: not at all for the one that everybody is in by default.
pub(super) fn shown(name: &str) -> Option<String> {
    (name != GLOBAL_ACCOUNT).then(|| name.to_owned())
}
