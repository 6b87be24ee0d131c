//! What comes of a login: who it is, or why nobody was let in.

use std::sync::Arc;

use crate::callout::Callout;
use crate::jwt::InvalidToken;
use crate::permissions::Permissions;

/// An account's name.
pub type AccountName = Arc<str>;

/// The account of those who belong to no other (C40).
pub const DEFAULT_ACCOUNT: &str = "$G";

/// [`DEFAULT_ACCOUNT`] as a name.
pub fn default_account() -> AccountName {
    DEFAULT_ACCOUNT.into()
}

/// Who was let in, and what holds for them.
#[derive(Clone, Debug)]
pub struct Identity {
    /// User name or public key, where one was asked for; for logs and monitoring.
    pub user: Option<String>,
    /// The account that the connection belongs to.
    pub account: AccountName,
    /// `None`: everything is allowed.
    pub permissions: Option<Arc<Permissions>>,
    /// When the login ends, in seconds since 1970: "User Authentication Expired" (C11).
    pub expires_s: Option<u64>,
    /// When the account's claims end: "Account Authentication Expired".
    pub account_expires_s: Option<u64>,
    /// Bounds of this user's connection.
    pub limits: UserLimits,
    /// How it was proven.
    pub method: Method,
    /// The user's public nkey, where there is one.
    pub public_key: Option<String>,
    /// Whose signature the user's JWT bears.
    pub issuer_key: Option<String>,
    /// Name in the user's JWT.
    pub name_tag: Option<String>,
    /// Tags in the user's JWT.
    pub tags: Vec<String>,
    /// Public key of the trusted proxy that the client came through (B12).
    pub proxy_key: Option<String>,
}

/// Bounds of one user's connection; `None`: the account's and the server's hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserLimits {
    /// Subscriptions at once.
    pub max_subscriptions: Option<usize>,
    /// Largest payload, in bytes.
    pub max_payload: Option<usize>,
}

/// How a login was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Nothing was asked for.
    Open,
    /// By the token.
    Token,
    /// By name and password.
    Password,
    /// By a signature with an nkey.
    Nkey,
    /// By a signed JWT, and a signature with its nkey.
    Jwt,
    /// By a signed JWT alone (bearer).
    BearerJwt,
    /// By a name in the client's certificate.
    Certificate,
    /// Not at all: who presents nothing is `no_auth_user`.
    NoAuthUser,
    /// By the service that was asked (auth callout).
    Callout,
}

impl Identity {
    /// Somebody in `account` who may do everything.
    pub fn new(method: Method, account: AccountName) -> Self {
        Self {
            user: None,
            account,
            permissions: None,
            expires_s: None,
            account_expires_s: None,
            limits: UserLimits::default(),
            method,
            public_key: None,
            issuer_key: None,
            name_tag: None,
            tags: Vec::new(),
            proxy_key: None,
        }
    }
}

/// Nobody was let in. The client is told nothing of the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Why, for the log.
    pub reason: Reason,
    /// Who it claimed to be, for the log; not to be believed.
    pub claimed: Option<String>,
}

/// Why a login was denied. `Display` is one line for the log; it holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Nothing was presented.
    #[error("no credential was presented")]
    NothingPresented,
    /// The token is not the server's.
    #[error("wrong token")]
    WrongToken,
    /// No such user, or another password: the two are not told apart, not even here.
    #[error("unknown user or wrong password")]
    WrongUserOrPassword,
    /// A service has the last word (auth callout): it must be asked, and its answer judged.
    #[error("a service decides on this login (auth callout), and was not asked")]
    Referred(Arc<Callout>),
    /// The nkey is nobody's.
    #[error("unknown nkey")]
    UnknownNkey,
    /// The signature is missing, unreadable or another key's.
    #[error("the signature of the nonce is missing or wrong")]
    WrongSignature,
    /// The listener wants names from certificates, and none came.
    #[error("a client certificate is required")]
    CertificateMissing,
    /// No name in the certificate is a user's.
    #[error("no name in the client certificate is a user's")]
    CertificateUnknown,
    /// The user may not connect this way (C19).
    #[error("connections of type {0} are not allowed for this user")]
    ConnectionType(&'static str),
    /// The user must come through a trusted proxy (C20).
    #[error("the user must come through a trusted proxy")]
    ProxyRequired,
    /// The client's claims can't be accepted.
    #[error("the user's JWT is not accepted: {0}")]
    InvalidJwt(InvalidToken),
    /// The account's claims can't be accepted any more.
    #[error("the JWT of account {0} is not accepted: {1}")]
    InvalidAccount(AccountName, InvalidToken),
    /// The account must be looked up, and the login decided on again.
    #[error("account {0} is not known")]
    UnknownAccount(AccountName),
    /// The account is not among those that are served.
    #[error("the account is not among resolver_pinned_accounts")]
    AccountNotServed,
    /// The user was signed with a key that is not its account's.
    #[error("the user's JWT is not signed with a key of its account")]
    UnknownSigner,
    /// The key has a role, but the user's claims say what it may do, too.
    #[error("the signing key has a role, and the user's JWT has permissions or limits of its own")]
    RoleAndOwnTerms,
    /// A token alone is not enough in this account.
    #[error("the account does not allow bearer tokens")]
    BearerNotAllowed,
    /// The user is let in no more.
    #[error("the user's JWT is revoked")]
    Revoked,
    /// The user may not come from this address.
    #[error("the user may not connect from this address")]
    Source,
    /// The user may not connect at this time of the day.
    #[error("the user may not connect at this time")]
    TimeOfDay,
    /// The service that was asked did not let it in.
    #[error("auth callout: {0}")]
    Callout(String),
    /// A proxy's signature is not one of a trusted key.
    #[error("the signature of the proxy is not one of a trusted key")]
    ProxyNotTrusted,
}

impl Denied {
    /// The account to look up before the login is decided on again, if that is all that is missing.
    pub fn account_needed(&self) -> Option<&AccountName> {
        match &self.reason {
            Reason::UnknownAccount(name) => Some(name),
            // There may be newer claims by now.
            Reason::InvalidAccount(name, InvalidToken::Expired) => Some(name),
            _ => None,
        }
    }

    /// The service to ask, if its answer is all that is missing.
    pub fn service_needed(&self) -> Option<&Arc<Callout>> {
        match &self.reason {
            Reason::Referred(callout) => Some(callout),
            _ => None,
        }
    }

    /// A denial of somebody who claimed nothing, or what does not matter.
    pub fn of(reason: Reason) -> Self {
        Self {
            reason,
            claimed: None,
        }
    }
}

impl From<Reason> for Denied {
    fn from(reason: Reason) -> Self {
        Self::of(reason)
    }
}
