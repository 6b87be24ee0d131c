//! What is asked of a service that decides on logins, and what it answers (ADR-26).

use recado_wire::Connect;
use serde::{Deserialize, Serialize};

use super::token::{Claims, InvalidToken, decode};
use crate::signature::KeyKind;

/// The question.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct RequestClaims {
    pub(crate) server_id: ServerInfo,
    pub(crate) user_nkey: String,
    pub(crate) client_info: ClientInfo,
    pub(crate) connect_opts: ConnectOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_tls: Option<ClientTls>,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) version: i64,
}

/// Which server asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ServerInfo {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub host: String,
    /// Its id, a public key.
    pub id: String,
    /// Its version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Its cluster.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster: String,
    /// Its tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Its public curve key, where questions are encrypted; filled in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub xkey: String,
}

/// About whom it asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClientInfo {
    /// Its address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// Number of the connection.
    pub id: u64,
    /// Who it claims to be.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// What it calls itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Tags of its claims.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Name in its claims.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name_tag: String,
    /// `Client`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// `nats` or `websocket`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub client_type: String,
    /// What it was asked to sign, if it did; filled in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub nonce: String,
}

/// How its connection is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClientTls {
    /// `1.3`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The cipher suite.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cipher: String,
    /// Its certificates, as PEM, where they were not verified.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certs: Vec<String>,
    /// Its certificates, as PEM, where they were verified.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verified_chains: Vec<Vec<String>>,
}

/// What it said in CONNECT, secrets included: they are for the service to judge.
#[derive(Clone, Default, PartialEq, Serialize)]
pub(crate) struct ConnectOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    jwt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nkey: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sig: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lang: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    protocol: i64,
}

impl From<&Connect> for ConnectOptions {
    fn from(connect: &Connect) -> Self {
        Self {
            jwt: connect.jwt.clone(),
            nkey: connect.nkey.clone(),
            sig: connect.sig.clone(),
            auth_token: connect.auth_token.clone(),
            user: connect.user.clone(),
            pass: connect.pass.clone(),
            name: connect.name.clone(),
            lang: connect.lang.clone(),
            version: connect.version.clone(),
            protocol: connect.protocol,
        }
    }
}

impl std::fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ResponseClaims {
    /// The user's token.
    pub jwt: String,
    /// Why there is none.
    pub error: String,
    /// The account, where one of its signing keys signed.
    pub issuer_account: String,
}

impl Claims<ResponseClaims> {
    /// Reads an answer.
    pub fn decode_response(token: &str) -> Result<Self, InvalidToken> {
        let kind = "authorization_response";
        let read: Self = decode(token, kind, &[KeyKind::Account], KeyKind::User)?;
        let invalid = |why: &str| Err(InvalidToken::Invalid(why.to_owned()));
        if KeyKind::of(&read.audience) != Some(KeyKind::Server) {
            return invalid("its audience is not the public key of a server");
        }
        match (read.nats.error.is_empty(), read.nats.jwt.is_empty()) {
            (true, true) => invalid("it has neither a JWT nor an error"),
            (false, false) => invalid("it has both a JWT and an error"),
            _ => Ok(read),
        }
    }
}
