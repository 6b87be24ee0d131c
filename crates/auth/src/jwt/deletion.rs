//! Requests to delete accounts, which an operator signs for itself (C52).

use serde::Deserialize;

use super::token::{Claims, InvalidToken, decode, or_default};
use crate::signature::KeyKind;

/// Most accounts that one request may name.
const ACCOUNTS_NAMED_MAX: usize = 65_536;

/// What is particular to a request to delete accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct DeletionClaims {
    /// Public keys of the accounts.
    #[serde(deserialize_with = "or_default")]
    pub accounts: Vec<String>,
}

impl Claims<DeletionClaims> {
    /// Reads a request that a key of an operator signed about itself. Whether that operator is trusted is not looked at.
    ///
    /// # Errors
    /// When it is not whole, or does not name accounts.
    pub fn decode_deletion(token: &str) -> Result<Self, InvalidToken> {
        let operator = [KeyKind::Operator];
        // Tools give it no type; one that is named must be the general one.
        let read: Self = match decode(token, "", &operator, KeyKind::Operator) {
            Err(InvalidToken::Kind(kind)) if kind == "generic" => {
                decode(token, "generic", &operator, KeyKind::Operator)?
            }
            read => read?,
        };
        let invalid = |why: &str| Err(InvalidToken::Invalid(why.to_owned()));
        if read.subject != read.issuer {
            return invalid("not self signed");
        }
        let accounts = &read.nats.accounts;
        let are_keys = accounts
            .iter()
            .all(|key| KeyKind::of(key) == Some(KeyKind::Account));
        if accounts.is_empty() || accounts.len() > ACCOUNTS_NAMED_MAX || !are_keys {
            return invalid("malformed request");
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use nkeys::{KeyPair, KeyPairType};
    use serde_json::{Value, json};

    use super::*;
    use crate::jwt::sign;

    fn pair(kind: KeyPairType, seed: u8) -> KeyPair {
        KeyPair::new_from_raw(kind, [seed; 32]).unwrap()
    }

    fn request(nats: Value, about: &KeyPair, by: &KeyPair) -> String {
        let mut claims: Claims<Value> = Claims {
            subject: about.public_key(),
            nats,
            ..Claims::default()
        };
        sign(&mut claims, by, 1_800_000_000).unwrap()
    }

    #[test]
    fn a_request_is_signed_by_the_operator_that_it_is_about() {
        let operator = pair(KeyPairType::Operator, 1);
        let account = pair(KeyPairType::Account, 2).public_key();
        let named = json!({"accounts": [account], "version": 2});
        let read = |token: &str| Claims::decode_deletion(token);
        let good = read(&request(named.clone(), &operator, &operator)).unwrap();
        assert_eq!(good.nats.accounts, std::slice::from_ref(&account));
        let generic = json!({"accounts": [account], "version": 2, "type": "generic"});
        assert!(read(&request(generic, &operator, &operator)).is_ok());
        let other = pair(KeyPairType::Operator, 3);
        let refused = read(&request(named.clone(), &operator, &other)).unwrap_err();
        assert_eq!(refused.to_string(), "not self signed");
        let user = pair(KeyPairType::Account, 2);
        assert!(read(&request(named, &user, &user)).is_err());
        for bad in [
            json!({"version": 2}),
            json!({"accounts": ["../x"], "version": 2}),
            json!({"accounts": [account], "version": 2, "type": "account"}),
        ] {
            assert!(read(&request(bad, &operator, &operator)).is_err());
        }
    }
}
