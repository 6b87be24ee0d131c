//! Claims of operators, which sign accounts.

use serde::Deserialize;

use super::token::{Claims, InvalidToken, decode, or_default};
use crate::signature::KeyKind;

/// What is particular to operators.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct OperatorClaims {
    /// Other keys that it signs with.
    #[serde(deserialize_with = "or_default")]
    pub signing_keys: Vec<String>,
    /// Where accounts can be asked for.
    pub account_server_url: String,
    /// The system account.
    pub system_account: String,
    /// The oldest version of nats-server that it is meant for.
    pub assert_server_version: String,
    /// Only its signing keys sign, not the key that it is known by.
    pub strict_signing_key_usage: bool,
}

impl Claims<OperatorClaims> {
    /// Reads an operator's token.
    pub fn decode_operator(token: &str) -> Result<Self, InvalidToken> {
        let read: Self = decode(token, "operator", &[KeyKind::Operator], KeyKind::Operator)?;
        let operator = &read.nats;
        let signs = |key: &String| KeyKind::of(key) == Some(KeyKind::Operator);
        if !operator.signing_keys.iter().all(signs) {
            let why = "one of its signing keys is not the public key of an operator";
            return Err(InvalidToken::Invalid(why.to_owned()));
        }
        let system = &operator.system_account;
        if !system.is_empty() && KeyKind::of(system) != Some(KeyKind::Account) {
            let why = "its system account is not the public key of an account";
            return Err(InvalidToken::Invalid(why.to_owned()));
        }
        Ok(read)
    }

    /// The keys that accounts may be signed with.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let own = Some(self.subject.as_str()).filter(|_| !self.nats.strict_signing_key_usage);
        own.into_iter()
            .chain(self.nats.signing_keys.iter().map(String::as_str))
    }
}
