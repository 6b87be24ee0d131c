//! Which accounts there are, and who is in which.

use std::sync::Arc;

use recado_router::Figures;

use crate::engine::{Census, Connection, Engine, GLOBAL_ACCOUNT, Gone, Totals};

/// One account, as it is at one moment.
pub(super) struct Account {
    pub(super) name: String,
    pub(super) is_system: bool,
    pub(super) subscriptions: usize,
    /// How often its index was changed.
    pub(super) changes: Figures,
    /// Clients in it.
    pub(super) clients: Vec<Arc<Connection>>,
    /// What is left of those who are gone.
    pub(super) gone: Gone,
}

/// All accounts, in the order of their names.
pub(super) fn all(engine: &Engine, census: &Census) -> Vec<Account> {
    let system = engine.accounts.system();
    let mut all: Vec<Account> = engine
        .accounts
        .all()
        .into_iter()
        .map(|account| Account {
            name: account.name.as_ref().to_owned(),
            is_system: Arc::ptr_eq(&account, &system),
            subscriptions: account.router.len(),
            changes: account.router.figures(),
            gone: census
                .gone
                .get(&account.number)
                .copied()
                .unwrap_or_default(),
            clients: Vec::new(),
        })
        .collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    for client in census.connections.iter().filter(|one| one.peer.is_some()) {
        let name = of(client);
        if let Ok(at) = all.binary_search_by(|account| account.name.as_str().cmp(&name)) {
            all[at].clients.push(Arc::clone(client));
        }
    }
    all
}

impl Account {
    /// What its clients sent and were sent, those among them who are gone.
    pub(super) fn traffic(&self) -> Totals {
        let mut sum = self.gone.traffic;
        for client in &self.clients {
            sum.add(Totals::of(&client.traffic));
        }
        sum
    }
}

/// The account that a connection is in.
pub(super) fn of(connection: &Connection) -> Arc<str> {
    Arc::clone(&connection.account().name)
}

/// What an operator calls an account, or its name where none does.
pub(crate) fn name_tag(engine: &Engine, account: &str) -> String {
    let manner = engine.manner();
    let operator = manner.authenticator.operator();
    let claims = operator.and_then(|operator| operator.account(account));
    match claims {
        Some(claims) if !claims.name.is_empty() => claims.name.clone(),
        _ => account.to_owned(),
    }
}

/// How an account's name is shown beside a connection: not at all for the one that everybody is in by default.
pub(super) fn shown(name: &str) -> Option<String> {
    (name != GLOBAL_ACCOUNT).then(|| name.to_owned())
}
