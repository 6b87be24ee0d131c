//! Who may connect, and what they may do then: pure decisions.
//!
//! No I/O and no clock. A decision may take long where secrets are kept as bcrypt
//! ([`Authenticator::is_costly`]); the caller chooses where it runs. What failed is never told to
//! the client beyond "Authorization Violation" (reference row C21).
#![forbid(unsafe_code)]

mod authenticator;
mod callout;
mod certificate;
mod directory;
mod distinguished_name;
mod failures;
mod identity;
pub mod jwt;
mod login;
mod operator;
mod permissions;
mod proxies;
mod secret;
mod signature;

pub use authenticator::Authenticator;
pub use callout::{
    Asked, CALLOUT_AUDIENCE, CALLOUT_SUBJECT, CALLOUT_XKEY_HEADER, Callout, CalloutOptions, Court,
    Question,
};
pub use certificate::CertificateNames;
pub use directory::{Directory, DirectoryOptions, InvalidDirectory, NameOrKey, Single, User};
pub use distinguished_name::{Attribute, DistinguishedName};
pub use failures::{ADDRESSES_MAX, FAILURES_MAX, FailureLimits, Failures, PAUSE_S, WINDOW_S};
pub use identity::{
    AccountName, DEFAULT_ACCOUNT, Denied, Identity, Method, Reason, UserLimits, default_account,
};
pub use login::{ConnectionType, ConnectionTypes, Login};
pub use operator::{ACCOUNTS_MAX, InvalidOperator, Operator, OperatorOptions, check_sentinel};
pub use permissions::{
    InvalidPermissions, Permissions, PermissionsSpec, RESPONSES_EXPIRES_DEFAULT,
    RESPONSES_MAX_DEFAULT, RULES_MAX, Responses, Rules, Subscribing, check_rule,
};
pub use proxies::TrustedProxies;
pub use secret::Secret;
pub use signature::{InvalidKey, KeyKind, PublicKey};
