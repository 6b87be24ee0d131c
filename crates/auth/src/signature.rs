//! Public nkeys, and signatures made with their private halves (C06).

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use nkeys::{KeyPair, KeyPairType};

/// Whose a key is; its first letter says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// `O…`
    Operator,
    /// `A…`
    Account,
    /// `U…`
    User,
    /// `N…`
    Server,
    /// `X…`: for encryption.
    Curve,
    /// Any other kind.
    Other,
}

/// A public nkey that was checked to be one.
#[derive(Clone)]
pub struct PublicKey {
    text: Box<str>,
    pair: KeyPair,
}

/// The text is not the public nkey that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a public nkey of this kind; copy it from \"nk -pubout\" or \"nsc list keys\"")]
pub struct InvalidKey;

impl KeyKind {
    /// What the text says that it is, if its checksum fits.
    pub fn of(text: &str) -> Option<Self> {
        // `from_public_key` would read an `X…` as a key to sign with.
        let (prefix, _) = nkeys::from_public_key(text).ok()?;
        Some(match KeyPairType::from(prefix) {
            KeyPairType::Operator => Self::Operator,
            KeyPairType::Account => Self::Account,
            KeyPairType::User => Self::User,
            KeyPairType::Server => Self::Server,
            KeyPairType::Curve => Self::Curve,
            _ => Self::Other,
        })
    }
}

impl PublicKey {
    /// Reads a key of this kind.
    pub fn parse(text: &str, kind: KeyKind) -> Result<Self, InvalidKey> {
        if KeyKind::of(text) != Some(kind) {
            return Err(InvalidKey);
        }
        let pair = KeyPair::from_public_key(text).map_err(|_| InvalidKey)?;
        Ok(Self {
            text: text.into(),
            pair,
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `signature` was made of `bytes` with the private half. Nothing was signed if `bytes` is empty.
    pub fn verify(&self, bytes: &[u8], signature: &[u8]) -> bool {
        !bytes.is_empty() && self.pair.verify(bytes, signature).is_ok()
    }

    /// As [`Self::verify`]; the signature as clients write it: base64url, or standard base64.
    pub fn verify_text(&self, bytes: &[u8], signature: &str) -> bool {
        let read = BASE64_URL_SAFE_NO_PAD
            .decode(signature)
            .or_else(|_| BASE64_STANDARD.decode(signature));
        read.is_ok_and(|signature| self.verify(bytes, &signature))
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PublicKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_read_in_both_alphabets() {
        let pair = KeyPair::new_from_raw(KeyPairType::User, [7; 32]).unwrap();
        let key = PublicKey::parse(&pair.public_key(), KeyKind::User).unwrap();
        let signature = pair.sign(b"nonce").unwrap();
        assert!(key.verify_text(b"nonce", &BASE64_URL_SAFE_NO_PAD.encode(&signature)));
        assert!(key.verify_text(b"nonce", &BASE64_STANDARD.encode(&signature)));
        assert!(!key.verify_text(b"other", &BASE64_STANDARD.encode(&signature)));
        for wrong in ["", "?", "AAAA", &BASE64_STANDARD.encode([0; 64])] {
            assert!(!key.verify_text(b"nonce", wrong), "{wrong}");
        }
    }

    #[test]
    fn nothing_signed_is_no_proof() {
        let pair = KeyPair::new_from_raw(KeyPairType::User, [7; 32]).unwrap();
        let key = PublicKey::parse(&pair.public_key(), KeyKind::User).unwrap();
        assert!(!key.verify(b"", &pair.sign(b"").unwrap()));
    }

    #[test]
    fn a_key_of_another_kind_or_with_a_slip_is_none() {
        let pair = KeyPair::new_from_raw(KeyPairType::Account, [7; 32]).unwrap();
        let text = pair.public_key();
        assert_eq!(KeyKind::of(&text), Some(KeyKind::Account));
        assert_eq!(PublicKey::parse(&text, KeyKind::User), Err(InvalidKey));
        let slip = format!(
            "{}{}",
            &text[..55],
            if text.ends_with('A') { 'B' } else { 'A' }
        );
        assert_eq!(KeyKind::of(&slip), None);
        for bad in ["", "U", &"U".repeat(56), &"é".repeat(28)] {
            assert_eq!(KeyKind::of(bad), None, "{bad}");
        }
    }
}
