//! Proxies whose word is taken for a client's way (B12, C20).

use crate::identity::{Denied, Reason};
use crate::login::Login;
use crate::signature::{InvalidKey, KeyKind, PublicKey};

/// Public keys of the proxies that are trusted.
#[derive(Debug, Default)]
pub struct TrustedProxies(Vec<PublicKey>);

impl TrustedProxies {
    /// Reads their keys; the one that is none comes back.
    pub fn new(texts: &[String]) -> Result<Self, String> {
        let keys = texts.iter().map(|text| key(text).map_err(|_| text.clone()));
        keys.collect::<Result<_, _>>().map(Self)
    }

    /// Whether none is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The proxy that vouches for the client's way. A signature that none of the trusted made is refused, not ignored.
    pub(crate) fn vouching_for(&self, login: &Login<'_>) -> Result<Option<&PublicKey>, Denied> {
        let given = login.connect.proxy_sig.as_deref().unwrap_or_default();
        if given.is_empty() || self.0.is_empty() {
            return Ok(None);
        }
        let mut keys = self.0.iter();
        match keys.find(|key| key.verify_text(login.nonce, given)) {
            Some(key) => Ok(Some(key)),
            None => Err(Reason::ProxyNotTrusted.into()),
        }
    }
}

/// Any key that can sign.
fn key(text: &str) -> Result<PublicKey, InvalidKey> {
    match KeyKind::of(text) {
        Some(kind) if kind != KeyKind::Curve => PublicKey::parse(text, kind),
        _ => Err(InvalidKey),
    }
}
