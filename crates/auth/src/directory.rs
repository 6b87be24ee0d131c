//! A list of users: by password, by nkey, by certificate; and who comes with nothing
//! (reference rows C04, C06, C15, C18 to C20).

use std::collections::HashMap;
use std::sync::Arc;

use recado_wire::Connect;

use crate::authenticator::{by_single_user, by_token};
use crate::callout::{Callout, CalloutOptions};
use crate::identity::{AccountName, Denied, Identity, Method, Reason};
use crate::login::{ConnectionType, ConnectionTypes, Login};
use crate::permissions::Permissions;
use crate::proxies::TrustedProxies;
use crate::secret::Secret;
use crate::signature::{KeyKind, PublicKey};

/// Who is known, as it was configured.
#[derive(Debug, Default)]
pub struct DirectoryOptions {
    /// The users, in any order; a name or key stands for one.
    pub users: Vec<User>,
    /// Beside no users: a token, or one user.
    pub single: Option<Single>,
    /// Who those are that present nothing.
    pub no_auth_user: Option<String>,
    /// Listeners with `verify_and_map`: there a certificate says who it is, and nothing else does.
    pub verify_and_map: Vec<ConnectionType>,
    /// Public keys of proxies whose word is taken for a client's way (B12).
    pub trusted_proxies: Vec<String>,
    /// Whether a token or the one user must come through such a proxy.
    pub proxy_required: bool,
    /// A service that has the last word on logins (C14).
    pub callout: Option<CalloutOptions>,
}

/// A credential that all share.
#[derive(Debug)]
pub enum Single {
    /// A token.
    Token(Secret),
    /// One user with a password.
    User(String, Secret),
}

/// One user.
#[derive(Debug)]
pub struct User {
    /// Its name or public key.
    pub name: NameOrKey,
    /// Its password; without one it can't log in by name, only by certificate or as `no_auth_user`.
    pub password: Option<Secret>,
    /// The account it belongs to.
    pub account: AccountName,
    /// What it may do; `None`: everything.
    pub permissions: Option<Arc<Permissions>>,
    /// How it may be connected.
    pub connection_types: ConnectionTypes,
    /// Whether it must come through a trusted proxy.
    pub proxy_required: bool,
}

/// What a user is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NameOrKey {
    /// A name.
    Name(String),
    /// A public nkey (`U…`).
    Nkey(String),
}

impl NameOrKey {
    /// The name or key itself.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Name(text) | Self::Nkey(text) => text,
        }
    }
}

/// Users that can't be told apart, or don't exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDirectory {
    /// Two users of one name.
    #[error("user {0:?} is there twice; remove one of the two")]
    Duplicate(String),
    /// Not an nkey.
    #[error("{0:?} is not the public nkey of a user; it begins with U")]
    InvalidNkey(String),
    /// Not an nkey.
    #[error("{0:?} is not a public nkey that a proxy could sign with")]
    InvalidProxyKey(String),
    /// Nobody has this name.
    #[error("no_auth_user {0:?} is not among the users; add it or name another")]
    UnknownNoAuthUser(String),
}

/// Users, ready to be asked for.
#[derive(Debug)]
pub struct Directory {
    names: HashMap<String, User>,
    nkeys: HashMap<String, (PublicKey, User)>,
    single: Option<Single>,
    no_auth_user: Option<String>,
    verify_and_map: Vec<ConnectionType>,
    trusted_proxies: TrustedProxies,
    proxy_required: bool,
    callout: Option<Arc<Callout>>,
    /// Who has the most expensive of the bcrypt hashes. All failures by name cost as much as this one.
    costliest: Option<String>,
}

impl Directory {
    /// Takes the users.
    pub fn new(options: DirectoryOptions) -> Result<Self, InvalidDirectory> {
        let mut directory = Self {
            names: HashMap::new(),
            nkeys: HashMap::new(),
            single: options.single,
            no_auth_user: options.no_auth_user,
            verify_and_map: options.verify_and_map,
            trusted_proxies: TrustedProxies::new(&options.trusted_proxies)
                .map_err(InvalidDirectory::InvalidProxyKey)?,
            proxy_required: options.proxy_required,
            callout: options.callout.map(Callout::configured).map(Arc::new),
            costliest: None,
        };
        for user in options.users {
            directory.add(user)?;
        }
        let cost = |user: &User| user.password.as_ref().and_then(Secret::cost);
        let costly = directory
            .names
            .iter()
            .filter(|(_, user)| cost(user).is_some());
        let costliest = costly.max_by_key(|(_, user)| cost(user));
        directory.costliest = costliest.map(|(name, _)| name.clone());
        match &directory.no_auth_user {
            Some(name) if !directory.knows(name) => {
                Err(InvalidDirectory::UnknownNoAuthUser(name.clone()))
            }
            _ => Ok(directory),
        }
    }

    fn add(&mut self, user: User) -> Result<(), InvalidDirectory> {
        let name = user.name.clone();
        let before = match &name {
            NameOrKey::Name(name) => self.names.insert(name.clone(), user).is_some(),
            NameOrKey::Nkey(text) => {
                let key = PublicKey::parse(text, KeyKind::User)
                    .map_err(|_| InvalidDirectory::InvalidNkey(text.clone()))?;
                self.nkeys.insert(text.clone(), (key, user)).is_some()
            }
        };
        if before {
            return Err(InvalidDirectory::Duplicate(name.as_str().to_owned()));
        }
        Ok(())
    }

    fn knows(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.nkeys.contains_key(name)
    }

    /// Whether a credential is required: not if there is somebody for those who have none.
    pub fn is_required(&self) -> bool {
        self.no_auth_user.is_none()
    }

    /// Whether a signature may be asked for.
    pub fn needs_nonce(&self) -> bool {
        !self.nkeys.is_empty() || !self.trusted_proxies.is_empty()
    }

    /// Whether deciding takes long; see [`crate::Authenticator::is_costly`].
    pub fn is_costly(&self, connect: &Connect) -> bool {
        let single = match &self.single {
            Some(Single::Token(secret) | Single::User(_, secret)) => secret.is_costly(),
            None => false,
        };
        let presented = given(&connect.user).or(given(&connect.pass)).is_some();
        let by_name = self.costliest.is_some() && presented;
        single || (by_name && !self.asks_for_nkey(connect))
    }

    /// Decides on a login.
    pub fn decide(&self, login: &Login<'_>) -> Result<Identity, Denied> {
        let proxy = self.trusted_proxies.vouching_for(login)?;
        let found = self.find(login, proxy.is_some()).map(|mut who| {
            who.proxy_key = proxy.map(|key| key.as_str().to_owned());
            who
        });
        match &self.callout {
            Some(callout) => callout.reviewed(login, found),
            None => found,
        }
    }

    /// Whether a trusted proxy vouches for the client's way.
    pub(crate) fn is_proxied(&self, login: &Login<'_>) -> bool {
        matches!(self.trusted_proxies.vouching_for(login), Ok(Some(_)))
    }

    /// nkeys come first, then certificates, then names and passwords, then what all share.
    fn find(&self, login: &Login<'_>, proxied: bool) -> Result<Identity, Denied> {
        let connect = login.connect;
        if let Some(who) = self.by_nothing(login, proxied) {
            return who;
        }
        if self.asks_for_nkey(connect) {
            return self.by_nkey(login, proxied);
        }
        if !self.names.is_empty() && self.verify_and_map.contains(&login.transport) {
            return self.by_certificate(login, proxied);
        }
        match &self.single {
            Some(_) if self.proxy_required && !proxied => Err(Reason::ProxyRequired.into()),
            Some(Single::Token(token)) => by_token(token, connect),
            Some(Single::User(user, password)) => by_single_user(user, password, connect),
            None => self.by_password(login, proxied),
        }
    }

    fn asks_for_nkey(&self, connect: &Connect) -> bool {
        !self.nkeys.is_empty() && given(&connect.nkey).is_some()
    }

    /// `no_auth_user`, if the client presents nothing that could make it somebody else.
    fn by_nothing(&self, login: &Login<'_>, proxied: bool) -> Option<Result<Identity, Denied>> {
        let connect = login.connect;
        let name = self.no_auth_user.as_deref()?;
        let presented = [&connect.user, &connect.pass, &connect.auth_token];
        if presented.into_iter().any(|text| given(text).is_some()) || self.asks_for_nkey(connect) {
            return None;
        }
        if let Some((_, user)) = self.nkeys.get(name) {
            return Some(admit(user, login, proxied, Method::NoAuthUser));
        }
        if self.verify_and_map.contains(&login.transport) {
            return None;
        }
        let user = self.names.get(name)?;
        Some(admit(user, login, proxied, Method::NoAuthUser))
    }

    fn by_nkey(&self, login: &Login<'_>, proxied: bool) -> Result<Identity, Denied> {
        let connect = login.connect;
        let denied = |reason| Denied {
            reason,
            claimed: connect.nkey.clone(),
        };
        let asked = given(&connect.nkey).unwrap_or_default();
        let Some((key, user)) = self.nkeys.get(asked) else {
            return Err(denied(Reason::UnknownNkey));
        };
        let signature = given(&connect.sig).unwrap_or_default();
        if !key.verify_text(login.nonce, signature) {
            return Err(denied(Reason::WrongSignature));
        }
        admit(user, login, proxied, Method::Nkey)
    }

    fn by_certificate(&self, login: &Login<'_>, proxied: bool) -> Result<Identity, Denied> {
        let Some(certificate) = login.certificate else {
            return Err(Reason::CertificateMissing.into());
        };
        let may = |user: &User| user.connection_types.allow(login.transport);
        let names = self.names.iter().filter(|(_, user)| may(user));
        let named = certificate.user(names.map(|(name, _)| name.as_str()));
        let Some(user) = named.and_then(|name| self.names.get(name)) else {
            return Err(Reason::CertificateUnknown.into());
        };
        // A password beside the certificate must be right, as with nats-server.
        let password = given(&login.connect.pass).unwrap_or_default();
        let fits = match &user.password {
            Some(secret) => secret.matches(password),
            None => password.is_empty(),
        };
        if !fits {
            return Err(Denied {
                reason: Reason::WrongUserOrPassword,
                claimed: Some(user.name.as_str().to_owned()),
            });
        }
        admit(user, login, proxied, Method::Certificate)
    }

    /// A wrong password and an unknown user cost the same work.
    fn by_password(&self, login: &Login<'_>, proxied: bool) -> Result<Identity, Denied> {
        let connect = login.connect;
        let Some(name) = given(&connect.user) else {
            return Err(Reason::NothingPresented.into());
        };
        let password = connect.pass.as_deref().unwrap_or_default();
        let user = self.names.get(name);
        let secret = user.and_then(|user| user.password.as_ref());
        if let (Some(user), Some(secret)) = (user, secret)
            && secret.matches(password)
        {
            return admit(user, login, proxied, Method::Password);
        }
        self.spend(secret, password);
        Err(Denied {
            reason: Reason::WrongUserOrPassword,
            claimed: connect.user.clone(),
        })
    }

    /// Does the work of comparing with the costliest hash, unless one was compared with already.
    fn spend(&self, compared: Option<&Secret>, password: &str) {
        let costliest = self
            .costliest
            .as_ref()
            .and_then(|name| self.names.get(name));
        let costliest = costliest.and_then(|user| user.password.as_ref());
        if let Some(secret) = costliest
            && compared.and_then(Secret::cost) != secret.cost()
        {
            let _ = secret.matches(password);
        }
    }
}

/// A user whose credential was right, held against what else is asked of it.
fn admit(
    user: &User,
    login: &Login<'_>,
    proxied: bool,
    method: Method,
) -> Result<Identity, Denied> {
    let name = user.name.as_str().to_owned();
    let denied = |reason| Denied {
        reason,
        claimed: Some(name.clone()),
    };
    if !user.connection_types.allow(login.transport) {
        return Err(denied(Reason::ConnectionType(login.transport.name())));
    }
    if user.proxy_required && !proxied {
        return Err(denied(Reason::ProxyRequired));
    }
    let mut who = Identity::new(method, user.account.clone());
    who.permissions.clone_from(&user.permissions);
    if let NameOrKey::Nkey(key) = &user.name {
        who.public_key = Some(key.clone());
    }
    who.user = Some(name);
    Ok(who)
}

/// What was said; empty is as good as not said.
fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
