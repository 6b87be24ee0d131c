//! Where to connect, as whom and how patiently: what the flags, the environment and the context say
//! ([`crate::given`]), weighed against each other and made ready for use.
//!
//! Secrets enter here and leave only towards the server; everything that is shown names where a
//! secret came from, never the secret.

use std::path::Path;
use std::time::Duration;

use async_nats::ServerAddr;

use crate::args::Global;
use crate::contexts::{self, Chosen, Context};
use crate::credentials::{Claim, Credentials};
use crate::failure::Failure;
use crate::given::{Given, variable};
use crate::line::Tap;
use crate::span;
use crate::terminal;
use crate::text::usage as text;
use crate::text::{contexts as context_text, credentials as credentials_text, failures};
use crate::trust::Trust;

/// Where a server usually is.
pub(crate) const DEFAULT_SERVER: &str = "nats://127.0.0.1:4222";

/// The longest that one attempt to connect may take, whatever `--timeout` says.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How long a reply may take when neither `--timeout` nor `NATS_TIMEOUT` says.
const REPLY_LIMIT: Duration = Duration::from_secs(5);

/// How to reach the server.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The servers, in the order in which they are tried; never empty.
    pub(crate) servers: Vec<ServerAddr>,
    /// Who we are.
    pub(crate) credentials: Credentials,
    /// Whom we trust.
    pub(crate) trust: Trust,
    /// What the subjects of replies to us start with; the usual `_INBOX` if none.
    pub(crate) inbox_prefix: Option<String>,
    /// What the server shows this connection as.
    pub(crate) name: String,
    /// `--timeout`, if it was given.
    pub(crate) timeout: Option<Duration>,
    /// How long an answer may take when `--timeout` was not given.
    patience: Duration,
    /// Whether a server that is not there yet is waited for.
    pub(crate) retry: bool,
    /// How long it is waited for; without end if none.
    pub(crate) deadline: Option<Duration>,
    /// Is shown what passes on plain connections.
    pub(crate) tap: Option<Tap>,
}

impl Settings {
    /// The same, for connections whose bytes are looked at.
    pub(crate) fn tapped(&self, tap: Tap) -> Self {
        Self {
            tap: Some(tap),
            ..self.clone()
        }
    }

    /// Weighs the flags, the environment and the context: of each thing, the first of them that
    /// says something counts. Reads the files that those name.
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        let chosen = contexts::in_effect(global)?;
        let mut levels = vec![Given::on_command_line(global), Given::in_environment()];
        if let Some(chosen) = &chosen {
            levels.push(Given::in_context(&chosen.context)?);
        }
        Self::weigh(global, levels, chosen.as_ref())
    }

    /// What a context says, whatever the flags and the environment say about where and who.
    pub(crate) fn of_context(global: &Global, context: &Context) -> Result<Self, Failure> {
        Self::weigh(global, vec![Given::in_context(context)?], None)
    }

    fn weigh(
        global: &Global,
        mut levels: Vec<Given>,
        chosen: Option<&Chosen>,
    ) -> Result<Self, Failure> {
        if let Some((proxy, source)) = levels.iter_mut().find_map(|level| level.proxy.take()) {
            return Err(no_proxy(&proxy, &source));
        }
        let named_by = levels.iter().position(|level| level.server.is_some());
        let (written, source) = match named_by {
            Some(level) => levels[level].server.clone().unwrap_or_default(),
            None => (DEFAULT_SERVER.to_owned(), String::new()),
        };
        let (servers, in_url) = addresses(&written)?;
        let in_url = in_url.map(|claim| (claim, source));
        let claim = first_claim(&mut levels, named_by, in_url);
        if let (Some(chosen), Some((_, level))) = (chosen, &claim) {
            warn_if_astray(chosen, *level, named_by, &servers);
        }
        let credentials = match claim {
            Some(((claim, source), _)) => claim.read(&source)?,
            None => Credentials::default(),
        };
        Ok(Self {
            servers,
            credentials,
            trust: trust(&mut levels)?,
            inbox_prefix: inbox_prefix(&mut levels)?,
            name: global.name.clone().unwrap_or_else(|| "recado".to_owned()),
            timeout: global.timeout,
            patience: patience()?,
            retry: global.retry || global.deadline.is_some(),
            deadline: global.deadline,
            tap: None,
        })
    }

    /// How long one attempt to connect may take.
    pub(crate) fn connect_limit(&self) -> Duration {
        self.timeout
            .map_or(CONNECT_LIMIT, |timeout| timeout.min(CONNECT_LIMIT))
    }

    /// How long a reply or a confirmation may take.
    pub(crate) fn reply_limit(&self) -> Duration {
        self.timeout.unwrap_or(self.patience)
    }

    /// What the inbox of a measurement is called: `token` behind the prefix.
    pub(crate) fn inbox(&self, token: &str) -> String {
        let prefix = self.inbox_prefix.as_deref().unwrap_or("_INBOX");
        format!("{prefix}.{token}")
    }

    /// The servers as they are shown: `nats://127.0.0.1:4222`.
    pub(crate) fn label(&self) -> String {
        let shown: Vec<String> = self.servers.iter().map(bare).collect();
        shown.join(",")
    }
}

/// Whether a context alone would do: its keys, its addresses, and the files that it names.
pub(crate) fn check(context: &Context) -> Result<(), Failure> {
    let mut levels = [Given::in_context(context)?];
    if let Some((proxy, source)) = levels[0].proxy.take() {
        return Err(no_proxy(&proxy, &source));
    }
    if let Some((server, _)) = &levels[0].server {
        check_addresses(server)?;
    }
    if let Some((claim, source)) = levels[0].claim.take() {
        claim.read(&source)?;
    }
    inbox_prefix(&mut levels)?;
    let trust = trust(&mut levels)?;
    if trust.demands_tls() {
        trust.config()?;
    }
    Ok(())
}

/// Whether a list of addresses is one.
pub(crate) fn check_addresses(list: &str) -> Result<(), Failure> {
    addresses(list).map(|_| ())
}

/// Whether credentials stand in a list of addresses.
pub(crate) fn names_identity(list: &str) -> Result<bool, Failure> {
    addresses(list).map(|(_, identity)| identity.is_some())
}

/// The first host of a list of addresses: a short name for where it leads.
pub(crate) fn first_host(list: &str) -> Result<String, Failure> {
    let (servers, _) = addresses(list)?;
    Ok(servers
        .first()
        .map(|server| server.host().replace(':', "_"))
        .unwrap_or_default())
}

/// A list of addresses as it is shown.
pub(crate) fn without_identity(list: &str) -> String {
    match addresses(list) {
        Ok((servers, _)) => servers.iter().map(bare).collect::<Vec<_>>().join(","),
        Err(_) => String::new(),
    }
}

/// The addresses of a list, without what stands before their `@`, and the first such identity.
fn addresses(list: &str) -> Result<(Vec<ServerAddr>, Option<Claim>), Failure> {
    let (mut servers, mut in_url) = (Vec::new(), None);
    for written in list.split(',').map(str::trim) {
        if written.is_empty() {
            continue;
        }
        let mut address: ServerAddr = written.parse().map_err(|_| bad_url(written))?;
        if address.is_websocket() {
            return Err(Failure::Usage {
                what: text::websocket(&bare(&address)),
                next: text::websocket_next().to_owned(),
            });
        }
        if in_url.is_none() {
            in_url = identity_in(&address);
        }
        if address.has_user_pass() {
            address = bare(&address).parse().map_err(|_| bad_url(written))?;
        }
        servers.push(address);
    }
    match servers.is_empty() {
        true => Err(bad_url(list)),
        false => Ok((servers, in_url)),
    }
}

/// A claim with where it came from, and the level that made it.
type Levelled = ((Claim, String), usize);

/// The first level's claim. One in a URL belongs to the level that named the server: behind a flag
/// that says who we are, before a variable or a key of a context that does.
fn first_claim(
    levels: &mut [Given],
    named_by: Option<usize>,
    mut in_url: Option<(Claim, String)>,
) -> Option<Levelled> {
    for (level, given) in levels.iter_mut().enumerate() {
        let in_url = if named_by == Some(level) {
            in_url.take()
        } else {
            None
        };
        let claim = match level {
            0 => given.claim.take().or(in_url),
            _ => in_url.or(given.claim.take()),
        };
        if let Some(claim) = claim {
            return Some((claim, level));
        }
    }
    None
}

/// Says so when a context that was only selected, not asked for, hands its credentials to a server
/// that it does not name itself: the `nats` CLI does the same, but it may not be what was meant.
fn warn_if_astray(
    chosen: &Chosen,
    claimed_by: usize,
    named_by: Option<usize>,
    servers: &[ServerAddr],
) {
    const CONTEXT: usize = 2;
    if chosen.named || claimed_by != CONTEXT || named_by.is_none_or(|level| level == CONTEXT) {
        return;
    }
    let own = chosen.context.text("url").ok().flatten();
    let own = addresses(own.as_deref().unwrap_or(DEFAULT_SERVER));
    let own = own.map(|(servers, _)| servers).unwrap_or_default();
    let is_own = |server: &ServerAddr| own.iter().any(|own| host_port(own) == host_port(server));
    if let Some(stranger) = servers.iter().find(|server| !is_own(server)) {
        terminal::notice(&context_text::astray(
            &chosen.context.name,
            &host_port(stranger),
        ));
    }
}

fn trust(levels: &mut [Given]) -> Result<Trust, Failure> {
    let certificate = levels.iter_mut().find_map(|level| level.certificate.take());
    let key = levels.iter_mut().find_map(|level| level.key.take());
    let own = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => {
            return Err(Failure::Usage {
                what: credentials_text::half_of_a_pair().to_owned(),
                next: credentials_text::half_of_a_pair_next().to_owned(),
            });
        }
    };
    Ok(Trust {
        authority: levels.iter_mut().find_map(|level| level.authority.take()),
        own,
        first: levels.iter().any(|level| level.tls_first),
    })
}

fn inbox_prefix(levels: &mut [Given]) -> Result<Option<String>, Failure> {
    let prefix = levels
        .iter_mut()
        .find_map(|level| level.inbox_prefix.take());
    if let Some(prefix) = &prefix
        && let Err(detail) = crate::subject::literal(prefix)
    {
        return Err(Failure::Usage {
            what: text::bad_inbox_prefix(&detail),
            next: text::bad_inbox_prefix_next().to_owned(),
        });
    }
    Ok(prefix)
}

/// `NATS_TIMEOUT` is how long the `nats` CLI waits for answers. It is not `--timeout`, which means
/// silence to a command that listens.
fn patience() -> Result<Duration, Failure> {
    match variable("NATS_TIMEOUT") {
        None => Ok(REPLY_LIMIT),
        Some(written) => span::parse(&written).map_err(|what| Failure::Usage {
            what: format!("NATS_TIMEOUT: {what}"),
            next: text::see_help().to_owned(),
        }),
    }
}

fn no_proxy(proxy: &str, source: &str) -> Failure {
    // A proxy's address may hold a password.
    let shown = proxy.rsplit('@').next().unwrap_or_default();
    Failure::Usage {
        what: text::socks_proxy(shown, source),
        next: text::socks_proxy_next().to_owned(),
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
pub(crate) fn bare(address: &ServerAddr) -> String {
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

fn identity_in(address: &ServerAddr) -> Option<Claim> {
    match (address.username(), address.password()) {
        (Some(user), Some(password)) => Some(Claim::User(unescape(user), unescape(password))),
        (Some(token), None) => Some(Claim::Token(unescape(token))),
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
