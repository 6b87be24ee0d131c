//! How claims take effect while the server runs (C12, C53): accounts get their new terms, and who is connected is held
//! against them.
//!
//! All of it happens under the lock that a reload has, so the two never meet.

use std::collections::BTreeSet;
use std::sync::Arc;

use recado_auth::jwt::{AccountClaims, Claims};
use recado_auth::{ACCOUNTS_MAX, Authenticator, Operator};

use crate::accounts;
use crate::config::Options;
use crate::config::access::AccountOptions;
use crate::operator::{as_import, as_options, as_streams, exports_of, now_s};
use crate::reload::Reloader;

/// Imports that could not be renewed are tried again after so long.
const RENEW_AGAIN_S: u64 = 10;

type Account = Arc<Claims<AccountClaims>>;

/// Claims that are to hold, and accounts that are to be no more.
#[derive(Default)]
pub(super) struct Change {
    pub(super) new: Vec<Account>,
    pub(super) gone: Vec<String>,
}

impl Change {
    fn names(&self) -> BTreeSet<String> {
        let new = self.new.iter().map(|claims| claims.subject.clone());
        new.chain(self.gone.iter().cloned()).collect()
    }

    /// What will be known of an account.
    fn find(&self, operator: &Operator, name: &str) -> Option<Account> {
        if self.gone.iter().any(|gone| gone == name) {
            return None;
        }
        let new = self.new.iter().find(|claims| claims.subject == name);
        new.cloned().or_else(|| operator.account(name))
    }

    /// All accounts that there will be.
    fn all(&self, operator: &Operator) -> Vec<Account> {
        let names = self.names();
        let known = operator.accounts().into_iter();
        let stay = known.filter(|claims| !names.contains(&claims.subject));
        stay.chain(self.new.iter().cloned()).collect()
    }
}

impl Reloader {
    /// Whom accounts must be signed by now; `None` without operators.
    pub(crate) fn operator(&self) -> Option<Arc<Operator>> {
        match &self.engine.manner().authenticator {
            Authenticator::Operator(operator) => Some(Arc::clone(operator)),
            _ => None,
        }
    }

    /// Puts a change in force, once `keep` has kept it. `options` are those in force. Says how many clients have to go.
    ///
    /// # Errors
    /// When it can't be: then all is as it was.
    pub(super) fn change(
        &self,
        options: &Options,
        operator: &Operator,
        change: &Change,
        keep: impl FnOnce() -> Result<(), String>,
    ) -> Result<usize, String> {
        let names = change.names();
        if change.all(operator).len() > ACCOUNTS_MAX {
            return Err(format!(
                "{ACCOUNTS_MAX} accounts are known already, which is the most"
            ));
        }
        let importers = importers(operator, change, &names);
        let changed: Vec<&str> = importers.union(&names).map(String::as_str).collect();
        let configured = configured(operator, change, &changed, now_s());
        let signed = configured.iter();
        let plans: Vec<_> = signed
            .map(|account| accounts::signed_plan(options, account))
            .collect();
        let prepared = self.engine.prepare_some(&plans, &changed);
        let prepared = prepared.map_err(|error| error.to_string())?;
        let streams_change = names.iter().any(|name| {
            let of = |claims: Option<Account>| {
                let options = streams_options(&*claims?);
                let asks_others = accounts::imports_the_api(&options);
                Some((options.streams, asks_others))
            };
            of(operator.account(name)) != of(change.find(operator, name))
        });
        if streams_change {
            self.serve_signed(options, &change.all(operator))?;
        }
        if let Err(why) = keep() {
            if streams_change && let Err(error) = self.serve_signed(options, &operator.accounts()) {
                tracing::error!(%error, "streams could not be served as before");
            }
            return Err(why);
        }
        for name in &change.gone {
            operator.remove_account(name);
        }
        for claims in &change.new {
            let remembered = operator.remember(Arc::clone(claims));
            remembered.map_err(|error| error.to_string())?;
        }
        self.engine.put_accounts_in_force(prepared);
        Ok(self.engine.reconsider_in(
            |account| names.contains(&*account.name),
            |connection| crate::reload::judge(&self.engine, connection),
        ))
    }

    /// Accounts whose activation tokens begin or end to hold about now get the imports that they have by then (C46).
    pub(crate) fn turn_activations(self: &Arc<Self>) {
        let now_s = now_s();
        if self.engine.accounts.has_turn(now_s) {
            let reloader = Arc::clone(self);
            // It waits for a reload that is going on.
            tokio::task::spawn_blocking(move || reloader.renew_imports(now_s));
        }
    }

    fn renew_imports(&self, now_s: u64) {
        let options = self.options.lock();
        let Some(operator) = self.operator() else {
            return;
        };
        let due = self.engine.accounts.take_turns(now_s);
        let names: Vec<&str> = due.iter().map(|account| &*account.name).collect();
        let configured = configured(&operator, &Change::default(), &names, now_s);
        let plans: Vec<_> = { configured.iter() }
            .map(|account| accounts::signed_plan(&options, account))
            .collect();
        match self.engine.prepare_some(&plans, &names) {
            Ok(prepared) => self.engine.put_accounts_in_force(prepared),
            Err(error) => {
                tracing::error!(%error, "imports can't be renewed, which is tried again");
                self.engine.accounts.note_turn(Some(now_s + RENEW_AGAIN_S));
                return;
            }
        }
        for name in names {
            tracing::info!(
                account = name,
                "an activation token began or ended to hold: its account's imports are read again"
            );
        }
    }

    /// Tells streams which accounts there are.
    fn serve_signed(&self, options: &Options, accounts: &[Account]) -> Result<(), String> {
        let accounts = accounts.iter().map(|claims| streams_options(claims));
        let mut options = options.clone();
        options.accounts = accounts.collect();
        self.serve_streams(&options)
            .map_err(|error| error.to_string())
    }
}

/// Of an account what matters to streams: what it has, and whether it asks another's.
fn streams_options(claims: &Claims<AccountClaims>) -> AccountOptions {
    AccountOptions {
        name: claims.subject.clone(),
        streams: as_streams(claims),
        imports: claims.nats.imports.iter().map(as_import).collect(),
        ..AccountOptions::default()
    }
}

/// Accounts that take something of one of `names`.
fn importers(operator: &Operator, change: &Change, names: &BTreeSet<String>) -> BTreeSet<String> {
    let all = change.all(operator);
    let importing = all.iter().filter(|claims| {
        let mut imports = claims.nats.imports.iter();
        imports.any(|import| names.contains(&import.account))
    });
    importing.map(|claims| claims.subject.clone()).collect()
}

/// Those that change as they will be, and of those that they import from what they offer.
fn configured(
    operator: &Operator,
    change: &Change,
    changed: &[&str],
    now_s: u64,
) -> Vec<AccountOptions> {
    let find = |name: &str| change.find(operator, name);
    let claims: Vec<Account> = changed.iter().filter_map(|name| find(name)).collect();
    let imports = claims.iter().flat_map(|claims| &claims.nats.imports);
    let exporters: BTreeSet<&str> = imports.map(|import| import.account.as_str()).collect();
    let others = exporters.into_iter().filter(|name| !changed.contains(name));
    let offers = others.filter_map(find).map(|claims| AccountOptions {
        name: claims.subject.clone(),
        exports: exports_of(&claims),
        ..AccountOptions::default()
    });
    let whole = claims.iter().map(|claims| as_options(claims, &find, now_s));
    whole.chain(offers).collect()
}
