//! Where to connect, as whom and how patiently: the global options, made ready for use.
//!
//! Secrets enter here and leave only towards the server; everything that is shown names where a
//! secret came from, never the secret.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use async_nats::ServerAddr;

use crate::args::Global;
use crate::failure::Failure;
use crate::terminal;
use crate::text::{failures, talk, usage as text};

/// Where a server usually is.
const DEFAULT_SERVER: &str = "nats://127.0.0.1:4222";

/// The longest that one attempt to connect may take, whatever `--timeout` says.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How long a reply may take when `--timeout` is not given.
const REPLY_LIMIT: Duration = Duration::from_secs(5);

/// How to reach the server.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The servers, in the order in which they are tried; never empty.
    pub(crate) servers: Vec<ServerAddr>,
    /// Who we are.
    pub(crate) credentials: Credentials,
    /// What the server shows this connection as.
    pub(crate) name: String,
    /// `--timeout`, if it was given.
    pub(crate) timeout: Option<Duration>,
    /// Whether a server that is not there yet is waited for.
    pub(crate) retry: bool,
    /// How long it is waited for; without end if none.
    pub(crate) deadline: Option<Duration>,
}

/// Who we are, and where that was said.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    /// What to send.
    pub(crate) identity: Identity,
    /// The flag, variable or file that it came from.
    pub(crate) source: Option<String>,
}

/// What to send to the server as proof.
#[derive(Clone, Default)]
pub(crate) enum Identity {
    /// Nothing.
    #[default]
    Nobody,
    /// A token.
    Token(String),
    /// A user and a password.
    User(String, String),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials(from {:?})", self.source)
    }
}

impl Settings {
    /// Reads the options, the environment and the token file.
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        let mut servers = Vec::new();
        let mut in_url = None;
        let server = global.server.clone().or_else(|| variable("NATS_URL"));
        let server = server.as_deref().unwrap_or(DEFAULT_SERVER);
        for written in server
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let mut address: ServerAddr = written.parse().map_err(|_| bad_url(written))?;
            if !matches!(address.scheme(), "nats" | "tls") {
                return Err(bad_url(written));
            }
            if in_url.is_none() {
                in_url = identity_in(&address);
            }
            if address.has_user_pass() {
                address = bare(&address).parse().map_err(|_| bad_url(written))?;
            }
            servers.push(address);
        }
        if servers.is_empty() {
            return Err(bad_url(server));
        }
        Ok(Self {
            servers,
            credentials: Credentials::new(global, in_url)?,
            name: global.name.clone().unwrap_or_else(|| "recado".to_owned()),
            timeout: global.timeout,
            retry: global.retry || global.deadline.is_some(),
            deadline: global.deadline,
        })
    }

    /// How long one attempt to connect may take.
    pub(crate) fn connect_limit(&self) -> Duration {
        self.timeout
            .map_or(CONNECT_LIMIT, |timeout| timeout.min(CONNECT_LIMIT))
    }

    /// How long a reply or a confirmation may take.
    pub(crate) fn reply_limit(&self) -> Duration {
        self.timeout.unwrap_or(REPLY_LIMIT)
    }

    /// The servers as they are shown: `nats://127.0.0.1:4222`.
    pub(crate) fn label(&self) -> String {
        let shown: Vec<String> = self.servers.iter().map(bare).collect();
        shown.join(",")
    }
}

/// An address as `host:port`, with IPv6 hosts in brackets.
pub(crate) fn host_port(address: &ServerAddr) -> String {
    let host = address.host();
    if host.contains(':') {
        format!("[{host}]:{}", address.port())
    } else {
        format!("{host}:{}", address.port())
    }
}

/// The URL without its user part.
fn bare(address: &ServerAddr) -> String {
    format!("{}://{}", address.scheme(), host_port(address))
}

fn bad_url(written: &str) -> Failure {
    // Whatever stands before an `@` may be a secret.
    let shown = written.rsplit('@').next().unwrap_or_default();
    Failure::Usage {
        what: text::bad_url(shown),
        next: text::bad_url_next().to_owned(),
    }
}

fn identity_in(address: &ServerAddr) -> Option<Identity> {
    match (address.username(), address.password()) {
        (Some(user), Some(password)) => Some(Identity::User(unescape(user), unescape(password))),
        (Some(token), None) => Some(Identity::Token(unescape(token))),
        (None, _) => None,
    }
}

/// Undoes `%40` and the like: in a URL a password may hold `@`, `:` and `/` only in that form.
fn unescape(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Credentials {
    /// What was typed counts before what stands in the URL, and that before the environment.
    fn new(global: &Global, in_url: Option<Identity>) -> Result<Self, Failure> {
        if let Some(path) = &global.token_file {
            let identity = Identity::Token(token_in(path)?);
            return Ok(Self {
                identity,
                source: Some(path.display().to_string()),
            });
        }
        if let Some(token) = &global.token {
            return Ok(Self::from("--token", Identity::Token(token.clone())));
        }
        if let Some(user) = &global.user {
            let password = global
                .password
                .clone()
                .or_else(|| variable("NATS_PASSWORD"));
            let identity = Identity::User(user.clone(), password.unwrap_or_default());
            return Ok(Self::from("--user", identity));
        }
        if let Some(identity) = in_url {
            return Ok(Self::from("--server", identity));
        }
        for name in ["RECADO_TOKEN", "NATS_TOKEN"] {
            if let Some(token) = variable(name) {
                return Ok(Self::from(name, Identity::Token(token)));
            }
        }
        if let Some(user) = variable("NATS_USER") {
            let password = variable("NATS_PASSWORD").unwrap_or_default();
            return Ok(Self::from("NATS_USER", Identity::User(user, password)));
        }
        Ok(Self::default())
    }

    fn from(source: &str, identity: Identity) -> Self {
        Self {
            identity,
            source: Some(source.to_owned()),
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The token on the first line of a file.
fn token_in(path: &Path) -> Result<String, Failure> {
    let shown = path.display().to_string();
    let content = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    match content.lines().next().map(str::trim) {
        Some(token) if !token.is_empty() => {
            let others_may_read =
                std::fs::metadata(path).is_ok_and(|file| file.mode() & 0o077 != 0);
            if others_may_read {
                terminal::notice(&talk::token_file_open(&shown));
            }
            Ok(token.to_owned())
        }
        _ => Err(Failure::Local {
            what: failures::token_file_empty(&shown),
            next: failures::token_file_empty_next().to_owned(),
        }),
    }
}

/// A file that can't be read.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Local {
        what: failures::file_unreadable(&path.display().to_string(), &error.to_string()),
        next: failures::file_unreadable_next().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secret() {
        let address: ServerAddr = "nats://ana:secreto@example.org:4333".parse().unwrap();
        assert_eq!(bare(&address), "nats://example.org:4333");
        let address: ServerAddr = "nats://[::1]:4333".parse().unwrap();
        assert_eq!(bare(&address), "nats://[::1]:4333");
        assert_eq!(unescape("p%40ss%2fw%"), "p@ss/w%");
        let Failure::Usage { what, .. } = bad_url("nats://secreto@ho st") else {
            panic!()
        };
        assert!(!what.contains("secreto"), "{what}");
    }
}
