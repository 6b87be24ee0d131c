//! `auth_callout { … }` of `authorization` (C14).

use recado_auth::KeyKind;

use super::Findings;
use super::draft::{DraftCallout, Named, Placed};
use super::field::Field;
use super::filled::{Part, Parts, of_table};
use super::known::{Meaning::Sets, Table};
use super::read_block;
use super::users::nkey;
use crate::config::access::CalloutOptions;
use crate::config::fault::Fault;
use crate::config::messages::AccessProblem;
use crate::engine::GLOBAL_ACCOUNT;

#[derive(Clone, Copy)]
enum Key {
    Issuer,
    Account,
    AuthUsers,
    Xkey,
    AllowedAccounts,
}

const KEYS: &Table<Key> = &[
    (&["issuer"], Sets(Key::Issuer)),
    (&["account", "acc"], Sets(Key::Account)),
    (&["auth_users", "users"], Sets(Key::AuthUsers)),
    (&["xkey", "key"], Sets(Key::Xkey)),
    (&["allowed_accounts"], Sets(Key::AllowedAccounts)),
];

/// What `explain-config` shows of it.
pub(super) fn parts() -> Parts {
    of_table(KEYS, |key| match key {
        Key::Issuer | Key::Xkey => Part::NONE,
        Key::Account => Part::text(GLOBAL_ACCOUNT),
        Key::AuthUsers => Part::NONE,
        Key::AllowedAccounts => Part::ANY,
    })
}

/// Reads the block; mistakes in it are added to `findings`.
pub(super) fn read(field: &Field<'_>, findings: &mut Findings) -> Result<DraftCallout, Fault> {
    let (mut issuer, mut xkey, mut account) = (None, None, None);
    let (mut auth_users, mut allowed_accounts) = (Vec::new(), Vec::new());
    let mistakes = findings.errors.len();
    read_block(field.map()?, KEYS, findings, |key, inner, findings| {
        match key {
            Key::Issuer => issuer = Some(nkey(inner, KeyKind::Account)?),
            Key::Account => account = Some(Placed::at(inner, inner.text()?.to_owned())),
            Key::AuthUsers => auth_users = Named::list(inner, findings)?,
            Key::Xkey => xkey = Some(nkey(inner, KeyKind::Curve)?),
            Key::AllowedAccounts => allowed_accounts = Named::list(inner, findings)?,
        }
        Ok(())
    });
    if findings.errors.len() > mistakes {
        return Err(findings.errors.remove(mistakes));
    }
    let issuer = issuer.ok_or_else(|| field.trouble(AccessProblem::Missing("issuer")))?;
    if auth_users.is_empty() {
        return Err(field.trouble(AccessProblem::Missing("auth_users")));
    }
    let names = |named: &[Named]| named.iter().map(|one| one.value.clone()).collect();
    let options = CalloutOptions {
        issuer,
        account: match &account {
            Some(named) => named.value.clone(),
            None => recado_auth::DEFAULT_ACCOUNT.to_owned(),
        },
        auth_users: names(&auth_users),
        xkey,
        allowed_accounts: names(&allowed_accounts),
    };
    Ok(DraftCallout {
        options,
        account,
        auth_users,
        allowed_accounts,
    })
}
