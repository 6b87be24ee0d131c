//! From the options to the decision on logins.

use std::sync::Arc;

use recado_auth::{
    AccountName, Authenticator, CalloutOptions, ConnectionType, Directory, DirectoryOptions,
    InvalidDirectory, InvalidOperator, InvalidPermissions, Operator, Permissions, Secret, Single,
    User,
};

use crate::config::access::UserOptions;
use crate::config::{Authorization, ClientCertificates, Options, TlsOptions};
use crate::engine::GLOBAL_ACCOUNT;
use crate::resolver::Resolver;
use crate::{accounts, operator};

/// Why nobody could log in with these options. They were checked when a file was read, but may be made by hand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidAccess {
    /// Users that can't be told apart, or don't exist.
    #[error(transparent)]
    Directory(#[from] InvalidDirectory),
    /// Rules that mean nothing.
    #[error("user {user:?}: {source}")]
    Permissions {
        /// Whose.
        user: String,
        /// Which.
        source: InvalidPermissions,
    },
    /// Nobody to trust.
    #[error(transparent)]
    Operator(#[from] InvalidOperator),
    /// Two ways at once.
    #[error("there are users, and also a token or a single user; keep one of the two ways")]
    UsersAndSingle,
}

/// What is asked of clients. Accounts that operators sign, found where `resolver` says, are added to those in the options;
/// `before` is who knew them until now.
pub(crate) fn authenticator(
    options: &mut Options,
    resolver: &Resolver,
    before: Option<&Operator>,
) -> Result<Authenticator, InvalidAccess> {
    if let Some(signed) = operator::read(options, resolver, before)? {
        options.accounts.extend(signed.accounts);
        return Ok(Authenticator::Operator(signed.operator));
    }
    let single = single(options);
    let users = options.users().map(|(account, user)| known(account, user));
    let users = users.collect::<Result<Vec<_>, _>>()?;
    let plain = users.is_empty()
        && options.no_auth_user.is_none()
        && options.trusted_proxies.is_empty()
        && options.authorization.callout.is_none()
        && !options.authorization.proxy_required;
    match single {
        None if plain => Ok(Authenticator::Open),
        Some(Single::Token(token)) if plain => Ok(Authenticator::Token(token)),
        Some(Single::User(user, password)) if plain => Ok(Authenticator::User { user, password }),
        // Trusted proxies alone ask for nothing.
        None if users.is_empty()
            && options.no_auth_user.is_none()
            && options.authorization.callout.is_none() =>
        {
            Ok(Authenticator::Open)
        }
        Some(_) if !users.is_empty() => Err(InvalidAccess::UsersAndSingle),
        single => {
            let directory = Directory::new(DirectoryOptions {
                users,
                single,
                no_auth_user: options.no_auth_user.clone(),
                verify_and_map: mapping_listeners(options),
                trusted_proxies: options.trusted_proxies.clone(),
                proxy_required: options.authorization.proxy_required,
                callout: callout(options),
            })?;
            Ok(Authenticator::Directory(Box::new(directory)))
        }
    }
}

/// The service that decides on logins, if one does.
fn callout(options: &Options) -> Option<CalloutOptions> {
    let configured = options.authorization.callout.as_ref()?;
    let accounts = options.accounts.iter().map(|account| account.name.clone());
    let always = [GLOBAL_ACCOUNT, accounts::system_name(options)].map(str::to_owned);
    Some(CalloutOptions {
        issuer: configured.issuer.clone(),
        account: configured.account.clone(),
        auth_users: configured.auth_users.clone(),
        xkey: configured.xkey.clone(),
        allowed_accounts: configured.allowed_accounts.clone(),
        accounts: accounts.chain(always).collect(),
    })
}

/// What clients are asked for.
#[derive(Default)]
pub(crate) struct Access {
    /// Of all but those that another is for.
    pub(crate) clients: Authenticator,
    /// Of WebSocket clients, where that is something else (C18).
    pub(crate) websocket: Option<Authenticator>,
    /// The same of MQTT clients.
    pub(crate) mqtt: Option<Authenticator>,
}

impl Access {
    /// Whether WebSocket clients must present something.
    pub(crate) fn is_required_of_websocket(&self) -> bool {
        let own = self.websocket.as_ref();
        own.unwrap_or(&self.clients).is_required()
    }

    /// Whether MQTT clients must.
    pub(crate) fn is_required_of_mqtt(&self) -> bool {
        let own = self.mqtt.as_ref();
        own.unwrap_or(&self.clients).is_required()
    }
}

/// What is asked of WebSocket clients instead of what others are asked for, if it is.
pub(crate) fn websocket_authenticator(
    options: &Options,
    resolver: &Arc<Resolver>,
) -> Result<Option<Authenticator>, InvalidAccess> {
    let Some(websocket) = options
        .websocket
        .as_ref()
        .filter(|one| one.has_own_access())
    else {
        return Ok(None);
    };
    let (single, nobody) = (&websocket.authorization, &websocket.no_auth_user);
    own_authenticator(options, single, nobody, resolver).map(Some)
}

/// What is asked of MQTT clients instead of what others are asked for, if it is.
pub(crate) fn mqtt_authenticator(
    options: &Options,
    resolver: &Arc<Resolver>,
) -> Result<Option<Authenticator>, InvalidAccess> {
    let Some(mqtt) = options.mqtt.as_ref().filter(|one| one.has_own_access()) else {
        return Ok(None);
    };
    own_authenticator(options, &mqtt.authorization, &mqtt.no_auth_user, resolver).map(Some)
}

/// What is asked where a listener has a token, a user or a default user of its own.
fn own_authenticator(
    options: &Options,
    single: &Authorization,
    no_auth_user: &Option<String>,
    resolver: &Arc<Resolver>,
) -> Result<Authenticator, InvalidAccess> {
    let mut own = options.clone();
    own.authorization.token.clone_from(&single.token);
    own.authorization.user.clone_from(&single.user);
    own.authorization.password.clone_from(&single.password);
    own.no_auth_user.clone_from(no_auth_user);
    authenticator(&mut own, resolver, None)
}

/// Listeners where a certificate says who a client is.
fn mapping_listeners(options: &Options) -> Vec<ConnectionType> {
    let websocket = options.websocket.as_ref();
    let websocket = websocket.and_then(|websocket| websocket.tls.as_ref());
    let mqtt = options.mqtt.as_ref().and_then(|mqtt| mqtt.tls.as_ref());
    let listeners = [
        (ConnectionType::Standard, options.tls.as_ref()),
        (ConnectionType::Websocket, websocket),
        (ConnectionType::Mqtt, mqtt),
        (ConnectionType::MqttWs, websocket),
    ];
    let maps = |tls: &TlsOptions| tls.client_certificates == ClientCertificates::Mapped;
    listeners
        .into_iter()
        .filter(|(_, tls)| tls.is_some_and(maps))
        .map(|(kind, _)| kind)
        .collect()
}

fn single(options: &Options) -> Option<Single> {
    let authorization = &options.authorization;
    if let Some(token) = &authorization.token {
        return Some(Single::Token(Secret::new(token)));
    }
    let user = authorization.user.clone()?;
    let password = authorization.password.as_deref().unwrap_or_default();
    Some(Single::User(user, Secret::new(password)))
}

fn known(account: &str, user: &UserOptions) -> Result<User, InvalidAccess> {
    let permissions = user.permissions.clone().map(Permissions::new).transpose();
    let permissions = permissions.map_err(|source| InvalidAccess::Permissions {
        user: user.name.as_str().to_owned(),
        source,
    })?;
    Ok(User {
        name: user.name.clone(),
        password: user.password.as_deref().map(Secret::new),
        account: AccountName::from(account),
        permissions: permissions.map(Arc::new),
        connection_types: user.connection_types.iter().copied().collect(),
        proxy_required: user.proxy_required,
    })
}

#[cfg(test)]
mod tests {
    use recado_auth::{Login, Method, NameOrKey};
    use recado_wire::Connect;

    use super::*;
    use crate::config::access::AccountOptions;

    fn decided(options: &mut Options) -> Result<Authenticator, InvalidAccess> {
        authenticator(options, &Resolver::default(), None)
    }

    fn ana() -> UserOptions {
        UserOptions {
            name: NameOrKey::Name("ana".into()),
            password: Some("clave".into()),
            permissions: None,
            connection_types: Vec::new(),
            proxy_required: false,
        }
    }

    fn with_account() -> Options {
        Options {
            accounts: vec![AccountOptions {
                name: "VENTAS".into(),
                users: vec![ana()],
                ..AccountOptions::default()
            }],
            ..Options::default()
        }
    }

    #[test]
    fn a_user_of_an_account_is_let_in_there() {
        let asked = decided(&mut with_account()).unwrap();
        let connect = Connect {
            user: Some("ana".into()),
            pass: Some("clave".into()),
            ..Connect::default()
        };
        let who = asked.decide(&Login {
            connect: &connect,
            nonce: b"",
            transport: ConnectionType::Standard,
            peer: None,
            certificate: None,
            now_s: 0,
        });
        let who = who.unwrap();
        assert_eq!((&*who.account, who.method), ("VENTAS", Method::Password));
        assert!(asked.is_required());
    }

    #[test]
    fn without_users_nothing_is_asked() {
        let asked = decided(&mut Options::default()).unwrap();
        assert!(matches!(asked, Authenticator::Open));
    }

    #[test]
    fn contradictions_made_by_hand_are_refused() {
        let mut options = with_account();
        options.authorization.token = Some("s3cr3t".into());
        assert!(decided(&mut options).is_err());
        let mut options = with_account();
        options.authorization.users.push(ana());
        assert!(decided(&mut options).is_err());
    }
}
