//! Which accounts there are, whether they have JetStream, and how much of it: as configured, and changed while the
//! server runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use recado_log::Journal;

use super::{Account, Accounts, Service, sid_prefix};
use crate::config::{AccountLimits, Storage};
use crate::context::{AccountId, Surroundings};
use crate::jetstream::common::Common;
use crate::jetstream::{JetStream, Settings};

/// What the configuration says of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSettings {
    /// Its number, for whoever routes messages. May be another one the next time.
    pub id: AccountId,
    /// Its name, by which the store knows it.
    pub name: String,
    /// Whether it is the one that is told of what concerns the whole server.
    pub is_system: bool,
    /// What it may use of JetStream; none: it has no JetStream.
    pub jetstream: Option<AccountLimits>,
}

impl AccountSettings {
    /// `$G` with all that the server has, as it is where no accounts are configured.
    pub fn global(id: AccountId) -> Self {
        Self {
            id,
            name: crate::jetstream::GLOBAL_ACCOUNT.to_owned(),
            is_system: false,
            jetstream: Some(AccountLimits::default()),
        }
    }
}

/// Why accounts can't be as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountsError {
    /// One of them has no name.
    Nameless,
    /// Two of them have this name.
    SameName(String),
    /// Two of them have this number.
    SameId(AccountId),
    /// Together they may use more than the server has (10028, 10047).
    TooMuch {
        /// Of what.
        storage: Storage,
        /// Bytes that accounts may use, those included that streams have reserved.
        wanted: u64,
        /// Bytes that the server's streams may take.
        max: u64,
    },
}

impl fmt::Display for AccountsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nameless => f.write_str("an account has no name"),
            Self::SameName(name) => write!(f, "two accounts have the name {name:?}"),
            Self::SameId(id) => write!(f, "two accounts have the number {}", id.0),
            Self::TooMuch {
                storage,
                wanted,
                max,
            } => {
                let (of_accounts, of_server) = match storage {
                    Storage::File => ("max_store", "max_file"),
                    Storage::Memory => ("max_memory", "max_mem"),
                };
                write!(
                    f,
                    "accounts may use {wanted} bytes by their {of_accounts}, and the server has {max}: lower \
                     {of_accounts} of an account, or raise {of_server}"
                )
            }
        }
    }
}

impl std::error::Error for AccountsError {}

impl Accounts {
    /// From now on these are the accounts, with these limits. Streams of an account that is not among them, or has no
    /// JetStream any more, stay in the store as they are, and are served again when it has.
    ///
    /// # Errors
    /// As [`AccountsError`] says; then nothing changed.
    pub fn set_accounts(
        &mut self,
        around: &mut Surroundings<'_>,
        journal: &mut dyn Journal,
        accounts: &[AccountSettings],
    ) -> Result<(), AccountsError> {
        check(accounts, &self.settings)?;
        self.check_growth(accounts)?;
        self.apply(around, journal, accounts);
        Ok(())
    }

    /// Bytes that streams of all accounts may take together, in memory and in files; `None`: any number.
    pub fn ceilings(&self) -> (Option<u64>, Option<u64>) {
        (self.settings.memory_bytes_max, self.settings.file_bytes_max)
    }

    /// Streams of all accounts may take so many bytes together from now on; `None`: as many as before.
    pub fn raise(&mut self, memory_bytes: Option<u64>, file_bytes: Option<u64>) {
        self.settings.raise(memory_bytes, file_bytes);
        for account in self.accounts.iter_mut().flatten() {
            if let Some(jetstream) = &mut account.jetstream {
                jetstream.raise(memory_bytes, file_bytes);
            }
        }
    }

    pub(super) fn apply(
        &mut self,
        around: &mut Surroundings<'_>,
        journal: &mut dyn Journal,
        accounts: &[AccountSettings],
    ) {
        let wanted: BTreeMap<&str, &AccountSettings> = accounts
            .iter()
            .map(|wanted| (wanted.name.as_str(), wanted))
            .collect();
        // Who goes, goes before anybody comes: numbers may change hands.
        for at in 0..self.accounts.len() {
            let stays = self.account(at).is_none_or(|account| {
                let wanted = wanted.get(&*account.name);
                account.service == Service::None
                    || wanted.is_some_and(|wanted| {
                        account.service == service_of(wanted) && account.voice == Some(wanted.id)
                    })
            });
            if !stays {
                self.stop_serving(around, journal, at);
            }
        }
        for account in self.accounts.iter_mut().flatten() {
            let is_taken = |id| accounts.iter().any(|wanted| wanted.id == id);
            if account.service == Service::None && account.voice.is_some_and(is_taken) {
                account.voice = None;
            }
        }
        for wanted in accounts {
            self.serve_as(around, journal, wanted);
        }
    }

    /// Takes an account out of service. Its streams stay.
    fn stop_serving(
        &mut self,
        around: &mut Surroundings<'_>,
        journal: &mut dyn Journal,
        at: usize,
    ) {
        let Some(account) = self.account(at) else {
            return;
        };
        match (account.service, account.voice) {
            (Service::Full, _) => {
                self.with(around, at, |jetstream, context| {
                    jetstream.leave(context, journal);
                });
            }
            (Service::Refusal, Some(id)) => {
                self.unsubscribe_from_refusing(around.exchange.of(id), at);
            }
            (Service::Refusal, None) | (Service::None, _) => {}
        }
        let Some(slot) = self.accounts.get_mut(at) else {
            return;
        };
        let Some(account) = slot else {
            return;
        };
        account.service = Service::None;
        account.is_system = false;
        let keeps_anything = account
            .jetstream
            .as_ref()
            .is_some_and(|jetstream| jetstream.stream_count() > 0 || jetstream.waits_for_log());
        if !keeps_anything {
            self.names.remove(&account.name);
            *slot = None;
        }
    }

    /// Serves an account as it is wanted, or goes on with that.
    fn serve_as(
        &mut self,
        around: &mut Surroundings<'_>,
        journal: &mut dyn Journal,
        wanted: &AccountSettings,
    ) {
        let at = self.number_of(&wanted.name);
        let (settings, common) = (self.settings.clone(), self.common.clone());
        let stopped = self.stopped.clone();
        let Some(account) = self.accounts.get_mut(at).and_then(Option::as_mut) else {
            return;
        };
        account.is_system = wanted.is_system;
        let mut is_new = false;
        if let Some(limits) = &wanted.jetstream {
            let name = &account.name;
            let jetstream = account.jetstream.get_or_insert_with(|| {
                is_new = true;
                Box::new(jetstream_of(at, name, settings, common))
            });
            jetstream.set_account_limits(limits);
        }
        let begins = account.service == Service::None;
        account.service = service_of(wanted);
        account.voice = Some(wanted.id);
        if is_new && let Some(why) = stopped {
            self.with(around, at, |jetstream, context| {
                jetstream.stop_storing(context, journal, &why);
            });
        }
        if begins {
            self.subscribe_one(around, at);
        }
        if begins && wanted.jetstream.is_some() {
            self.with(around, at, |jetstream, _| jetstream.resume());
        }
    }

    /// The number that the account of this name has here, a new one if need be.
    pub(super) fn number_of(&mut self, name: &str) -> usize {
        if let Some(at) = self.names.get(name) {
            return *at;
        }
        let (at, name) = (self.accounts.len(), Arc::<str>::from(name));
        self.names.insert(Arc::clone(&name), at);
        self.accounts.push(Some(Account {
            name,
            voice: None,
            service: Service::None,
            is_system: false,
            jetstream: None,
            is_awake: false,
            deadline: None,
        }));
        at
    }

    /// What accounts may use more than before must not have been reserved by others' streams.
    fn check_growth(&self, accounts: &[AccountSettings]) -> Result<(), AccountsError> {
        for (storage, max) in ceilings(&self.settings) {
            let mut growth = 0u64;
            for wanted in accounts {
                let at = self.names.get(wanted.name.as_str());
                let account = at.and_then(|at| self.account(*at));
                let served = account.filter(|account| account.service == Service::Full);
                let jetstream = served.and_then(|account| account.jetstream.as_ref());
                let old = jetstream.map_or(0, |one| limit(one.account_limits(), storage));
                let new = wanted.jetstream.as_ref();
                let new = new.map_or(0, |limits| limit(limits, storage));
                growth = growth.saturating_add(new.saturating_sub(old));
            }
            let wanted = growth.saturating_add(self.common.reserved(storage));
            if growth > 0 && wanted > max {
                return Err(AccountsError::TooMuch {
                    storage,
                    wanted,
                    max,
                });
            }
        }
        Ok(())
    }
}

/// Whether these can be the accounts of a server.
pub(super) fn check(
    accounts: &[AccountSettings],
    settings: &Settings,
) -> Result<(), AccountsError> {
    let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for account in accounts {
        if account.name.is_empty() {
            return Err(AccountsError::Nameless);
        }
        if !names.insert(account.name.as_str()) {
            return Err(AccountsError::SameName(account.name.clone()));
        }
        if !ids.insert(account.id) {
            return Err(AccountsError::SameId(account.id));
        }
    }
    for (storage, max) in ceilings(settings) {
        let limits = accounts.iter().filter_map(|one| one.jetstream.as_ref());
        let wanted = limits
            .map(|limits| limit(limits, storage))
            .fold(0, u64::saturating_add);
        if wanted > max {
            return Err(AccountsError::TooMuch {
                storage,
                wanted,
                max,
            });
        }
    }
    Ok(())
}

/// What the server's streams may take together, where that is bounded.
fn ceilings(settings: &Settings) -> impl Iterator<Item = (Storage, u64)> + use<> {
    let all = [
        (Storage::File, settings.file_bytes_max),
        (Storage::Memory, settings.memory_bytes_max),
    ];
    all.into_iter()
        .filter_map(|(storage, max)| Some((storage, max?)))
}

/// What an account has for itself; 0 where it has no limit of its own.
fn limit(limits: &AccountLimits, storage: Storage) -> u64 {
    let limit = match storage {
        Storage::File => limits.max_storage,
        Storage::Memory => limits.max_memory,
    };
    u64::try_from(limit).unwrap_or(0)
}

fn service_of(wanted: &AccountSettings) -> Service {
    match wanted.jetstream {
        Some(_) => Service::Full,
        None => Service::Refusal,
    }
}

/// An account's streams, before there are any.
pub(super) fn jetstream_of(
    at: usize,
    name: &Arc<str>,
    settings: Settings,
    common: Common,
) -> JetStream {
    JetStream::of_account(settings, Arc::clone(name), common).with_sid_prefix(sid_prefix(at))
}
