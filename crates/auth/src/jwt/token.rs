//! One token: `header.claims.signature`, each part base64url.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use nkeys::KeyPair;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha512_256};

use crate::signature::{KeyKind, PublicKey};

/// Largest token that is looked at.
pub const TOKEN_BYTES_MAX: usize = 1024 * 1024;
/// The newest version of claims that is understood. Version 1 is refused, too: its signature does not
/// cover the header.
const VERSION: i64 = 2;
const ALGORITHM: &str = "ed25519-nkey";

/// Why a token is not accepted. `Display` is for the log; it does not show the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// Too long, or not three parts of base64url with JSON in them.
    #[error("it is not a JWT")]
    Malformed,
    /// Longer than [`TOKEN_BYTES_MAX`].
    #[error("it has {0} bytes, and {TOKEN_BYTES_MAX} are the most")]
    TooLarge(usize),
    /// Another algorithm than the one that NATS uses.
    #[error("its algorithm is not ed25519-nkey")]
    Algorithm,
    /// Another version of claims.
    #[error("its claims are of version {0}, not 2; sign it again with a current tool")]
    Version(i64),
    /// A token for something else.
    #[error("it is of type {0:?}")]
    Kind(String),
    /// Not signed by the key that it names, or that key is of the wrong kind.
    #[error("its signature is not one of the key that it names")]
    Signature,
    /// Its subject is not a key of the right kind.
    #[error("its subject is not a public key of the right kind")]
    Subject,
    /// Its time is over, or has not come.
    #[error("it has expired")]
    Expired,
    /// Its time has not come.
    #[error("it is not valid yet")]
    NotYet,
    /// The key that signed it is not trusted.
    #[error("it is not signed by a trusted operator")]
    NotTrusted,
    /// Newer claims are known already.
    #[error("newer claims of the account are known: these were issued at {0}, those at {1}")]
    Older(i64, i64),
    /// What it says contradicts itself.
    #[error("{0}")]
    Invalid(String),
}

/// What every token says, and what is particular to its kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Claims<N> {
    /// For whom it is.
    #[serde(rename = "aud", skip_serializing_if = "String::is_empty")]
    pub audience: String,
    /// Until when, in seconds since 1970; 0: for ever.
    #[serde(rename = "exp", skip_serializing_if = "is_zero")]
    pub expires_s: i64,
    /// Its id.
    #[serde(rename = "jti", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Since when there is it.
    #[serde(rename = "iat", skip_serializing_if = "is_zero")]
    pub issued_s: i64,
    /// The public key that signed it.
    #[serde(rename = "iss", skip_serializing_if = "String::is_empty")]
    pub issuer: String,
    /// A name for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Since when it holds.
    #[serde(rename = "nbf", skip_serializing_if = "is_zero")]
    pub not_before_s: i64,
    /// The public key that it is about.
    #[serde(rename = "sub", skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// What is particular.
    pub nats: N,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    typ: String,
    #[serde(default)]
    alg: String,
}

#[derive(Serialize)]
struct OwnHeader {
    typ: &'static str,
    alg: &'static str,
}

/// What says of which kind a token is.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Identifier {
    r#type: Option<serde_json::Value>,
    nats: Identified,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Identified {
    r#type: String,
    version: i64,
}

impl<N> Claims<N> {
    /// Whether it holds at a time.
    pub fn check_time(&self, now_s: u64) -> Result<(), InvalidToken> {
        let now_s = i64::try_from(now_s).unwrap_or(i64::MAX);
        if self.expires_s > 0 && now_s > self.expires_s {
            return Err(InvalidToken::Expired);
        }
        if self.not_before_s > 0 && self.not_before_s > now_s {
            return Err(InvalidToken::NotYet);
        }
        Ok(())
    }

    /// When it expires, if it does.
    pub fn expiry_s(&self) -> Option<u64> {
        u64::try_from(self.expires_s).ok().filter(|at| *at > 0)
    }
}

/// Reads a token of one kind (empty: of none) whose issuer and subject have keys of these kinds.
pub(super) fn decode<N: DeserializeOwned + Default>(
    token: &str,
    kind: &str,
    issuers: &[KeyKind],
    subject: KeyKind,
) -> Result<Claims<N>, InvalidToken> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(InvalidToken::TooLarge(token.len()));
    }
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(InvalidToken::Malformed);
    };
    let header: Header = from_part(header)?;
    if !header.typ.eq_ignore_ascii_case("jwt") || !header.alg.eq_ignore_ascii_case(ALGORITHM) {
        return Err(InvalidToken::Algorithm);
    }
    let what: Identifier = from_part(claims)?;
    if what.r#type.is_some() {
        return Err(InvalidToken::Version(1));
    }
    if what.nats.version != VERSION {
        return Err(InvalidToken::Version(what.nats.version));
    }
    if what.nats.r#type != kind {
        return Err(InvalidToken::Kind(what.nats.r#type));
    }
    let read: Claims<N> = from_part(claims)?;
    let issuer = issuers
        .iter()
        .find_map(|kind| PublicKey::parse(&read.issuer, *kind).ok())
        .ok_or(InvalidToken::Signature)?;
    let signed = token.get(..token.len() - signature.len() - 1);
    let signed = signed.ok_or(InvalidToken::Malformed)?;
    let signature = BASE64
        .decode(signature)
        .map_err(|_| InvalidToken::Malformed)?;
    if !issuer.verify(signed.as_bytes(), &signature) {
        return Err(InvalidToken::Signature);
    }
    if KeyKind::of(&read.subject) != Some(subject) {
        return Err(InvalidToken::Subject);
    }
    Ok(read)
}

/// The claims of a token as they stand in it, to be shown; whoever signed them. `None`: it is no token.
pub fn claims_as_written(token: &str) -> Option<serde_json::Value> {
    let short = token.len() <= TOKEN_BYTES_MAX;
    let claims = token.split('.').nth(1).filter(|_| short)?;
    from_part(claims).ok()
}

fn from_part<T: DeserializeOwned>(part: &str) -> Result<T, InvalidToken> {
    let json = BASE64.decode(part).map_err(|_| InvalidToken::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| InvalidToken::Malformed)
}

/// Signs claims; issuer, time and id are filled in. The kind and version must be in `nats`.
///
/// # Errors
/// When the key can't sign, or the claims are no JSON.
pub fn sign<N: Serialize>(
    claims: &mut Claims<N>,
    key: &KeyPair,
    now_s: u64,
) -> Result<String, InvalidToken> {
    let invalid = |why: &str| InvalidToken::Invalid(why.to_owned());
    claims.issuer = key.public_key();
    claims.issued_s = i64::try_from(now_s).unwrap_or(i64::MAX);
    claims.id = String::new();
    let json = |claims: &Claims<N>| {
        serde_json::to_vec(claims).map_err(|_| invalid("the claims can't be written as JSON"))
    };
    claims.id = data_encoding::BASE32_NOPAD.encode(&Sha512_256::digest(json(claims)?));
    let header = serde_json::to_vec(&OwnHeader {
        typ: "JWT",
        alg: ALGORITHM,
    });
    let header = header.map_err(|_| invalid("the header can't be written as JSON"))?;
    let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(json(claims)?));
    let signature = key.sign(signed.as_bytes());
    let signature = signature.map_err(|_| invalid("the key has no private half to sign with"))?;
    Ok(format!("{signed}.{}", BASE64.encode(signature)))
}

/// The token in a text as tools write it to files: between lines of dashes, or alone.
pub fn undecorated(text: &str) -> &str {
    let mut lines = text.lines().map(str::trim);
    let mut decorated = lines
        .clone()
        .skip_while(|line| !line.starts_with("-----BEGIN"));
    let inside = decorated
        .next()
        .and_then(|_| decorated.find(|line| !line.is_empty()));
    let alone = lines.find(|line| !line.is_empty());
    inside.or(alone).unwrap_or_default()
}

/// `null` stands for nothing, as Go writes empty lists.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
