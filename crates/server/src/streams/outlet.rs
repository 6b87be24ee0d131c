//! Where the state machines' messages go: to the engine's accounts, as one connection that is in all of them.

use std::sync::Arc;

use recado_streams::accounts::AccountSettings;
use recado_streams::config::AccountLimits;
use recado_streams::context::{AccountId, Exchange, Outlet};

use crate::engine::{Account, Insider, Origin};

/// An account, and what it may use of JetStream.
#[derive(Clone)]
pub(crate) struct ServedAccount {
    pub(crate) account: Arc<Account>,
    /// Whether it is told of what concerns the whole server.
    pub(crate) is_system: bool,
    /// None: it has no JetStream, and is told so.
    pub(crate) limits: Option<AccountLimits>,
}

/// The engine's accounts by number.
#[derive(Default)]
pub(super) struct Directory(Vec<Option<Arc<Account>>>);

impl Directory {
    /// Knows these from now on, and gives what the state machines are told of them.
    pub(super) fn enter(&mut self, accounts: &[ServedAccount]) -> Vec<AccountSettings> {
        let enter = |served: &ServedAccount| {
            let at = served.account.number as usize;
            if self.0.len() <= at {
                self.0.resize(at + 1, None);
            }
            if let Some(place) = self.0.get_mut(at) {
                *place = Some(Arc::clone(&served.account));
            }
            AccountSettings {
                id: AccountId(served.account.number),
                name: served.account.name.to_string(),
                is_system: served.is_system,
                jetstream: served.limits.clone(),
            }
        };
        accounts.iter().map(enter).collect()
    }

    fn get(&self, id: AccountId) -> Option<&Arc<Account>> {
        self.0.get(id.0 as usize)?.as_ref()
    }
}

/// The engine, as the state machines see it.
pub(super) struct EngineExchange<'a> {
    insider: &'a Insider,
    directory: &'a Directory,
    /// Whose turn it is; nobody listens to one whom the engine does not know.
    account: Option<&'a Arc<Account>>,
}

impl<'a> EngineExchange<'a> {
    pub(super) fn new(insider: &'a Insider, directory: &'a Directory) -> Self {
        Self {
            insider,
            directory,
            account: None,
        }
    }
}

impl Exchange for EngineExchange<'_> {
    fn of(&mut self, account: AccountId) -> &mut dyn Outlet {
        self.account = self.directory.get(account);
        self
    }
}

impl Outlet for EngineExchange<'_> {
    fn publish(&mut self, subject: &[u8], reply: &[u8], headers: &[u8], payload: &[u8]) {
        if let Some(account) = self.account {
            self.insider
                .publish(account, subject, reply, headers, payload);
        }
    }

    fn deliver(
        &mut self,
        inbox: &[u8],
        subject: &[u8],
        reply: &[u8],
        headers: &[u8],
        payload: &[u8],
    ) -> bool {
        self.account.is_some_and(|account| {
            self.insider
                .deliver(account, inbox, subject, reply, headers, payload)
        })
    }

    fn has_interest(&self, subject: &[u8], queue: Option<&[u8]>) -> bool {
        self.account
            .is_some_and(|account| self.insider.has_interest(account, subject, queue))
    }

    fn is_listened_to(&self, subject: &[u8], queue: Option<&[u8]>) -> bool {
        self.account
            .is_some_and(|account| self.insider.is_listened_to(account, subject, queue))
    }

    fn is_congested(&self, subject: &[u8]) -> bool {
        self.account
            .is_some_and(|account| self.insider.is_congested(account, subject))
    }

    fn subscribe(&mut self, filter: &[u8], sid: &[u8]) {
        if let Some(account) = self.account {
            self.insider.subscribe(account, filter, sid, Origin::Untold);
        }
    }

    fn subscribe_to_calls(&mut self, filter: &[u8], sid: &[u8]) {
        if let Some(account) = self.account {
            self.insider
                .subscribe(account, filter, sid, Origin::ToldOfCalls);
        }
    }

    fn refused(&mut self, subject: &[u8], stream: &str, err_code: u16) {
        if let Some(account) = self.account {
            self.insider
                .note_refused(account, subject, stream, err_code);
        }
    }

    fn unsubscribe(&mut self, sid: &[u8]) {
        self.insider.unsubscribe(sid);
    }
}
