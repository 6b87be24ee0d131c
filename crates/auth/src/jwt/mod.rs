//! Signed claims of operators, accounts and users: NATS JWTs, version 2 (C07, C09 to C13, C37).
//!
//! What is decoded here was signed by the key that it names, and is whole; whether that key is to be trusted is
//! for [`crate::Operator`] to say. Time is an argument.

mod account;
mod activation;
mod authorization;
mod deletion;
mod operator;
mod permissions;
mod source;
mod template;
mod times;
mod token;
mod user;

pub use account::{
    AccountClaims, AccountLimits, ExportClaims, ExternalAuthorization, ImportClaims, LatencyClaims,
    MappingClaims, NotImported, SigningKey, StreamsLimits, TraceClaims,
};
pub use activation::ActivationClaims;
pub use authorization::{ClientInfo, ClientTls, ResponseClaims, ServerInfo};
pub use deletion::DeletionClaims;
pub use operator::OperatorClaims;
pub use permissions::{PermissionClaims, UserLimitClaims};
pub use times::UtcOffset;
pub use token::{Claims, InvalidToken, TOKEN_BYTES_MAX, claims_as_written, sign, undecorated};
pub use user::UserClaims;

pub(crate) use authorization::{ConnectOptions, RequestClaims};
pub(crate) use template::expand;
