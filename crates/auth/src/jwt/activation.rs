//! Tokens by which an account lets another import what it exports (C46).

use serde::Deserialize;

use super::token::{Claims, InvalidToken, decode};
use crate::signature::KeyKind;

/// What is particular to activations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ActivationClaims {
    /// Which subject may be imported.
    pub subject: String,
    /// `stream` or `service`.
    pub kind: String,
    /// The account, where one of its signing keys signed.
    pub issuer_account: String,
}

impl Claims<ActivationClaims> {
    /// Reads an activation. Its subject is the importing account.
    pub fn decode_activation(token: &str) -> Result<Self, InvalidToken> {
        decode(token, "activation", &[KeyKind::Account], KeyKind::Account)
    }

    /// The account that exports.
    pub fn exporter(&self) -> &str {
        match self.nats.issuer_account.as_str() {
            "" => &self.issuer,
            account => account,
        }
    }
}
