//! What was read of users and accounts, each with its place, until all of it can be held against each other.

use recado_auth::NameOrKey;

use super::exports::DraftExport;
use super::field::Field;
use super::operator::DraftOperator;
use crate::config::access::{AccountOptions, CalloutOptions, Import, UserOptions};
use crate::config::fault::Place;

/// Something and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// A name and where it was written.
pub(super) type Named = Placed<String>;

impl<T> Placed<T> {
    /// What a field's value is.
    pub(super) fn at(field: &Field<'_>, value: T) -> Self {
        Self {
            value,
            place: field.value.place.clone(),
        }
    }
}

/// Users and accounts, as they were read.
#[derive(Default)]
pub(super) struct Draft {
    /// `authorization { users }`, and where that stands.
    pub(super) users: Option<Placed<Vec<Placed<UserOptions>>>>,
    pub(super) accounts: Vec<DraftAccount>,
    pub(super) callout: Option<DraftCallout>,
    pub(super) no_auth_user: Option<Named>,
    /// The same of WebSocket clients, ...
    pub(super) websocket_no_auth_user: Option<Named>,
    /// ... and where a token or user of theirs is.
    pub(super) websocket_single: Option<Placed<()>>,
    /// The same of MQTT clients.
    pub(super) mqtt_no_auth_user: Option<Named>,
    pub(super) mqtt_single: Option<Placed<()>>,
    pub(super) system_account: Option<Named>,
    /// `default_js_domain`: accounts and their domains.
    pub(super) default_domains: Vec<Placed<(String, String)>>,
    pub(super) operator: DraftOperator,
}

/// One account.
pub(super) struct DraftAccount {
    /// Without users, exports and imports, which are below.
    pub(super) options: AccountOptions,
    pub(super) users: Vec<Placed<UserOptions>>,
    pub(super) exports: Vec<DraftExport>,
    pub(super) imports: Vec<Placed<Import>>,
}

/// `auth_callout`, and the names in it.
pub(super) struct DraftCallout {
    pub(super) options: CalloutOptions,
    pub(super) account: Option<Named>,
    pub(super) auth_users: Vec<Named>,
    pub(super) allowed_accounts: Vec<Named>,
}

impl Draft {
    /// All users, wherever they were written.
    pub(super) fn all_users(&self) -> impl Iterator<Item = &Placed<UserOptions>> {
        let own = self.users.iter().flat_map(|users| &users.value);
        own.chain(self.accounts.iter().flat_map(|account| &account.users))
    }

    /// Whether a user has this name or key.
    pub(super) fn has_user(&self, name: &str) -> bool {
        self.all_users().any(|user| match &user.value.name {
            NameOrKey::Name(known) | NameOrKey::Nkey(known) => known == name,
        })
    }

    /// Whether an account is there: `$G` and `$SYS` always are.
    pub(super) fn has_account(&self, name: &str) -> bool {
        let mut accounts = self.accounts.iter();
        matches!(name, "$G" | "$SYS") || accounts.any(|account| account.options.name == name)
    }
}
