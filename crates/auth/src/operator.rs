//! Operator mode: users come with claims that their account signed, accounts with claims that a trusted operator
//! signed (C07, C09 to C13, C37).
//!
//! Accounts are asked for by name: [`Reason::UnknownAccount`] tells the caller which one to look up and to hand to
//! [`Operator::add_account`]; then the login is decided on again. A user's claims are checked before, but anybody can
//! make claims that name an account, so the caller bounds how often it looks.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use crate::callout::Callout;
use crate::identity::{AccountName, Denied, Identity, Method, Reason};
use crate::jwt::{
    AccountClaims, Claims, InvalidToken, OperatorClaims, PermissionClaims, UserClaims,
    UserLimitClaims, UtcOffset, expand,
};
use crate::login::{ConnectionType, ConnectionTypes, Login};
use crate::permissions::{Permissions, PermissionsSpec};
use crate::proxies::TrustedProxies;
use crate::signature::{KeyKind, PublicKey};

/// Most accounts that are remembered at once.
pub const ACCOUNTS_MAX: usize = 65_536;

/// Whom to trust, as it was configured.
pub struct OperatorOptions {
    /// Operators.
    pub operators: Vec<Claims<OperatorClaims>>,
    /// Operators' public keys, where there are no claims of theirs.
    pub trusted_keys: Vec<String>,
    /// The only accounts that are served; `None`: all. The system account always is.
    pub pinned_accounts: Option<Vec<String>>,
    /// The system account, where it is not the operator's.
    pub system_account: Option<String>,
    /// Claims for clients that bring none (C13).
    pub default_sentinel: Option<String>,
    /// Proxies whose word is taken for a client's way.
    pub trusted_proxies: TrustedProxies,
    /// Time zones.
    pub utc_offset: UtcOffset,
}

/// Why nobody could be trusted so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOperator {
    /// Not a key.
    #[error("{0:?} is not the public key of an operator; it begins with O")]
    TrustedKey(String),
    /// Not a key.
    #[error("{0:?} is not the public key of an account; it begins with A")]
    Account(String),
    /// Nothing to trust.
    #[error("there is no operator to trust; name one, or its public keys (trusted_keys)")]
    Nobody,
    /// The sentinel is no user's token.
    #[error("the default_sentinel is not the token of a user: {0}")]
    Sentinel(InvalidToken),
    /// The sentinel would let in everybody as somebody who must sign.
    #[error("the default_sentinel must be a bearer token, or one of a role that says so")]
    SentinelSigns,
}

/// Whom to trust, and the accounts that are known.
pub struct Operator {
    trusted: HashSet<String>,
    pinned: Option<HashSet<String>>,
    system_account: Option<AccountName>,
    default_sentinel: Option<String>,
    trusted_proxies: TrustedProxies,
    utc_offset: UtcOffset,
    accounts: RwLock<HashMap<AccountName, Arc<Claims<AccountClaims>>>>,
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operator")
            .field("trusted", &self.trusted)
            .field("pinned", &self.pinned)
            .field("system_account", &self.system_account)
            .finish_non_exhaustive()
    }
}

impl Operator {
    /// Takes whom to trust.
    pub fn new(options: OperatorOptions) -> Result<Self, InvalidOperator> {
        let of_operators = options.operators.iter().flat_map(Claims::keys);
        let trusted: HashSet<String> = of_operators
            .map(str::to_owned)
            .chain(options.trusted_keys)
            .collect();
        if let Some(bad) = not_of_kind(&trusted, KeyKind::Operator) {
            return Err(InvalidOperator::TrustedKey(bad));
        }
        if trusted.is_empty() {
            return Err(InvalidOperator::Nobody);
        }
        let mut systems = options.operators.iter().map(|one| &one.nats.system_account);
        let first = systems.find(|account| !account.is_empty()).cloned();
        let system_account = options.system_account.or(first);
        let mut pinned: Option<HashSet<String>> = options
            .pinned_accounts
            .map(|accounts| accounts.into_iter().collect());
        if let (Some(pinned), Some(system)) = (&mut pinned, &system_account) {
            pinned.insert(system.clone());
        }
        let named: HashSet<String> = pinned
            .iter()
            .flatten()
            .chain(&system_account)
            .cloned()
            .collect();
        if let Some(bad) = not_of_kind(&named, KeyKind::Account) {
            return Err(InvalidOperator::Account(bad));
        }
        if let Some(sentinel) = &options.default_sentinel {
            check_sentinel(sentinel)?;
        }
        Ok(Self {
            trusted,
            pinned,
            system_account: system_account.map(AccountName::from),
            default_sentinel: options.default_sentinel,
            trusted_proxies: options.trusted_proxies,
            utc_offset: options.utc_offset,
            accounts: RwLock::default(),
        })
    }

    /// The system account, if there is one.
    pub fn system_account(&self) -> Option<&AccountName> {
        self.system_account.as_ref()
    }

    /// Reads an account's claims, which a trusted operator must have signed, and which must hold now.
    pub fn read_account(
        &self,
        token: &str,
        now_s: u64,
    ) -> Result<Claims<AccountClaims>, InvalidToken> {
        let claims = Claims::decode_account(token)?;
        if !self.trusted.contains(&claims.issuer) {
            return Err(InvalidToken::NotTrusted);
        }
        claims.check_time(now_s)?;
        Ok(claims)
    }

    /// Reads an account's claims and remembers them in place of older ones; those that are known stay if they are newer.
    /// What is remembered comes back.
    ///
    /// # Errors
    /// When they are not trusted, do not hold now, or when [`ACCOUNTS_MAX`] accounts are known.
    pub fn add_account(
        &self,
        token: &str,
        now_s: u64,
    ) -> Result<Arc<Claims<AccountClaims>>, InvalidToken> {
        self.remember(Arc::new(self.read_account(token, now_s)?))
    }

    /// Remembers claims that [`Self::read_account`] or [`Self::check_update`] read, unless newer ones are known. What is
    /// remembered comes back.
    ///
    /// # Errors
    /// When [`ACCOUNTS_MAX`] accounts are known.
    pub fn remember(
        &self,
        claims: Arc<Claims<AccountClaims>>,
    ) -> Result<Arc<Claims<AccountClaims>>, InvalidToken> {
        let mut accounts = self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let known = accounts.get(claims.subject.as_str());
        if let Some(newer) = known.filter(|known| known.issued_s > claims.issued_s) {
            return Ok(Arc::clone(newer));
        }
        if known.is_none() && accounts.len() >= ACCOUNTS_MAX {
            let why = format!("{ACCOUNTS_MAX} accounts are known already, which is the most");
            return Err(InvalidToken::Invalid(why));
        }
        accounts.insert(
            AccountName::from(claims.subject.as_str()),
            Arc::clone(&claims),
        );
        Ok(claims)
    }

    /// The same, but claims that are older than those which are known are refused: somebody puts back what was taken away.
    ///
    /// # Errors
    /// As [`Self::add_account`], and when newer ones are known.
    pub fn check_update(
        &self,
        token: &str,
        now_s: u64,
    ) -> Result<Claims<AccountClaims>, InvalidToken> {
        let claims = self.read_account(token, now_s)?;
        let known = self.account(&claims.subject);
        if let Some(newer) = known.filter(|known| known.issued_s > claims.issued_s) {
            return Err(InvalidToken::Older(claims.issued_s, newer.issued_s));
        }
        Ok(claims)
    }

    /// Whether one of the keys that sign accounts is this.
    pub fn is_trusted(&self, key: &str) -> bool {
        self.trusted.contains(key)
    }

    /// Takes over what another knew and this one does not, where it still trusts who signed it.
    pub fn adopt(&self, other: &Self) {
        let theirs = other
            .accounts
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let theirs: Vec<_> = theirs
            .iter()
            .filter(|(_, claims)| self.trusted.contains(&claims.issuer))
            .map(|(name, claims)| (Arc::clone(name), Arc::clone(claims)))
            .collect();
        let mut accounts = self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for (name, claims) in theirs {
            let newer = accounts
                .get(&name)
                .is_some_and(|known| known.issued_s >= claims.issued_s);
            if !newer && accounts.len() < ACCOUNTS_MAX {
                accounts.insert(name, claims);
            }
        }
    }

    /// Lets users in that the system account's own key signed, until that account's claims are found: somebody must be
    /// able to bring them. Says whether they are missing.
    pub fn bootstrap(&self) -> bool {
        let Some(system) = &self.system_account else {
            return false;
        };
        let mut accounts = self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if accounts.contains_key(system) {
            return false;
        }
        let claims = Claims {
            subject: system.to_string(),
            nats: AccountClaims::unbounded(),
            ..Claims::default()
        };
        accounts.insert(Arc::clone(system), Arc::new(claims));
        true
    }

    /// Whether the system account is there by [`Self::bootstrap`] alone.
    pub fn is_bootstrapping(&self) -> bool {
        let system = self.system_account.as_ref();
        let known = system.and_then(|name| self.account(name));
        known.is_some_and(|claims| claims.issuer.is_empty())
    }

    /// All claims that are known, in no order.
    pub fn accounts(&self) -> Vec<Arc<Claims<AccountClaims>>> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.values().cloned().collect()
    }

    /// Forgets an account: it is deleted, or nobody needs it now.
    pub fn remove_account(&self, name: &str) {
        let mut accounts = self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        accounts.remove(name);
    }

    /// The claims of an account that is known.
    pub fn account(&self, name: &str) -> Option<Arc<Claims<AccountClaims>>> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.get(name).cloned()
    }

    /// The claims that a client brings, or those for clients that bring none (C13).
    fn user_claims(&self, login: &Login<'_>) -> Result<Claims<UserClaims>, Denied> {
        let brought = login.connect.jwt.as_deref().unwrap_or_default();
        match Claims::decode_user(brought) {
            Ok(user) => Ok(user),
            Err(invalid) => match &self.default_sentinel {
                Some(sentinel) => Claims::decode_user(sentinel)
                    .map_err(|invalid| Reason::InvalidJwt(invalid).into()),
                None if brought.is_empty() => Err(Reason::NothingPresented.into()),
                None => Err(Reason::InvalidJwt(invalid).into()),
            },
        }
    }

    /// Decides on a login.
    pub fn decide(&self, login: &Login<'_>) -> Result<Identity, Denied> {
        let proxy = self.trusted_proxies.vouching_for(login)?;
        let user = self.user_claims(login)?;
        let decided = self.decide_on(login, &user, proxy.is_some());
        let mut who = decided.map_err(|reason| Denied {
            reason,
            claimed: Some(user.subject.clone()),
        })?;
        who.proxy_key = proxy.map(|key| key.as_str().to_owned());
        match self.callout_of(&who.account) {
            Some(callout) => Arc::new(callout).reviewed(login, Ok(who)),
            None => Ok(who),
        }
    }

    /// The service that decides on users of an account, if it has one.
    pub(crate) fn callout_of(&self, account: &str) -> Option<Callout> {
        Callout::of_account(&*self.account(account)?)
    }

    /// Whether a trusted proxy vouches for the client's way.
    pub(crate) fn is_proxied(&self, login: &Login<'_>) -> bool {
        matches!(self.trusted_proxies.vouching_for(login), Ok(Some(_)))
    }

    fn decide_on(
        &self,
        login: &Login<'_>,
        user: &Claims<UserClaims>,
        proxied: bool,
    ) -> Result<Identity, Reason> {
        user.check_time(login.now_s).map_err(Reason::InvalidJwt)?;
        let name = user.account();
        if self
            .pinned
            .as_ref()
            .is_some_and(|pinned| !pinned.contains(name))
        {
            return Err(Reason::AccountNotServed);
        }
        let Some(account) = self.account(name) else {
            return Err(Reason::UnknownAccount(name.into()));
        };
        account
            .check_time(login.now_s)
            .map_err(|why| Reason::InvalidAccount(name.into(), why))?;
        let terms = Terms::of(user, &account)?;
        if terms.proxy_required && !proxied {
            return Err(Reason::ProxyRequired);
        }
        if terms.bearer && account.nats.limits.disallow_bearer {
            return Err(Reason::BearerNotAllowed);
        }
        if !terms.may_connect_by(login.transport) {
            return Err(Reason::ConnectionType(login.transport.name()));
        }
        if !terms.bearer {
            check_signature(login, &user.subject)?;
        }
        if account.is_revoked(&user.subject, user.issued_s) {
            return Err(Reason::Revoked);
        }
        if !terms.limits.allows_source(login.peer) {
            return Err(Reason::Source);
        }
        let until = terms.limits.allowed_until_s(login.now_s, self.utc_offset);
        let until = until.map_err(|()| Reason::TimeOfDay)?;
        identity(user, &account, terms, until)
    }
}

/// What holds for a user: its own claims, or those of the role of the key that signed it.
struct Terms {
    permissions: PermissionClaims,
    limits: UserLimitClaims,
    bearer: bool,
    proxy_required: bool,
    connection_types: Vec<String>,
}

impl Terms {
    fn of(user: &Claims<UserClaims>, account: &Claims<AccountClaims>) -> Result<Self, Reason> {
        let claims = &user.nats;
        match account.signer(&user.issuer) {
            None => Err(Reason::UnknownSigner),
            Some(None) => Ok(Self {
                permissions: claims.permissions.clone(),
                limits: claims.limits.clone(),
                bearer: claims.bearer_token,
                proxy_required: claims.proxy_required,
                connection_types: claims.allowed_connection_types.clone(),
            }),
            Some(Some(_)) if !claims.is_blank() => Err(Reason::RoleAndOwnTerms),
            Some(Some(scope)) => {
                let role = &scope.template;
                let permissions =
                    expand(&role.permissions, user, account).map_err(Reason::InvalidJwt)?;
                Ok(Self {
                    permissions,
                    limits: role.limits(),
                    bearer: role.bearer_token,
                    proxy_required: role.proxy_required,
                    connection_types: role.allowed_connection_types.clone(),
                })
            }
        }
    }

    /// Types that are unknown here allow nothing, but the others still do.
    fn may_connect_by(&self, transport: ConnectionType) -> bool {
        let known = self.connection_types.iter().map(String::as_str);
        let known: ConnectionTypes = known.filter_map(ConnectionType::parse).collect();
        self.connection_types.is_empty() || known.contains(transport)
    }
}

/// What a user that a service vouches for may do: as if it had come by itself.
pub(crate) fn terms_permissions(
    user: &Claims<UserClaims>,
    account: &Claims<AccountClaims>,
) -> Result<Option<PermissionsSpec>, Reason> {
    let terms = Terms::of(user, account)?;
    let default = &account.nats.default_permissions;
    Ok(terms.permissions.spec().or_else(|| default.spec()))
}

fn check_signature(login: &Login<'_>, subject: &str) -> Result<(), Reason> {
    let key = PublicKey::parse(subject, KeyKind::User).map_err(|_| Reason::WrongSignature)?;
    let signature = login.connect.sig.as_deref().unwrap_or_default();
    match key.verify_text(login.nonce, signature) {
        true => Ok(()),
        false => Err(Reason::WrongSignature),
    }
}

fn identity(
    user: &Claims<UserClaims>,
    account: &Claims<AccountClaims>,
    terms: Terms,
    until_s: Option<u64>,
) -> Result<Identity, Reason> {
    let method = match terms.bearer {
        true => Method::BearerJwt,
        false => Method::Jwt,
    };
    let default = &account.nats.default_permissions;
    let spec = terms.permissions.spec().or_else(|| default.spec());
    let permissions = spec.map(Permissions::new).transpose();
    let permissions =
        permissions.map_err(|why| Reason::InvalidJwt(InvalidToken::Invalid(why.to_string())))?;
    let ends = [user.expiry_s(), until_s];
    Ok(Identity {
        user: Some(user.subject.clone()),
        permissions: permissions.map(Arc::new),
        expires_s: ends.into_iter().flatten().min(),
        account_expires_s: account.expiry_s(),
        limits: terms.limits.bounds(),
        public_key: Some(user.subject.clone()),
        issuer_key: Some(user.issuer.clone()),
        name_tag: Some(user.name.clone()).filter(|name| !name.is_empty()),
        tags: user.nats.tags.clone(),
        ..Identity::new(method, account.subject.as_str().into())
    })
}

fn not_of_kind(keys: &HashSet<String>, kind: KeyKind) -> Option<String> {
    let mut wrong = keys.iter().filter(|key| KeyKind::of(key) != Some(kind));
    wrong.next().cloned()
}

/// Whether a token may stand for all that bring none: nobody could sign with it.
pub fn check_sentinel(sentinel: &str) -> Result<(), InvalidOperator> {
    let user = Claims::<UserClaims>::decode_user(sentinel).map_err(InvalidOperator::Sentinel)?;
    let claims = &user.nats;
    // A role may make it a bearer token; that shows when the account is known.
    let of_role = !claims.issuer_account.is_empty() && claims.is_blank();
    match claims.bearer_token || of_role {
        true => Ok(()),
        false => Err(InvalidOperator::SentinelSigns),
    }
}

#[cfg(test)]
#[path = "operator_tests.rs"]
mod tests;
