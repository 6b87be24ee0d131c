//! Operator mode, as configured: whom to trust, and where accounts are found (reference rows D22, C52).

use std::path::PathBuf;
use std::time::Duration;

use super::tls::TlsOptions;

/// Whom to trust, and where accounts are found.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OperatorOptions {
    /// Tokens of operators, which were checked when they were read.
    pub operators: Vec<String>,
    /// Public keys of operators, where there are no tokens of theirs.
    pub trusted_keys: Vec<String>,
    /// Where accounts are found, beside those in `preload`.
    pub resolver: ResolverOptions,
    /// Public keys and tokens of accounts, which were checked when they were read.
    pub preload: Vec<(String, String)>,
    /// The only accounts that are served, beside the system account; `None`: all.
    pub pinned_accounts: Option<Vec<String>>,
    /// Token for clients that bring none.
    pub default_sentinel: Option<String>,
    /// How the server that is asked for accounts is trusted, and what it is shown.
    pub resolver_tls: Option<TlsOptions>,
}

/// Tokens may be bearer tokens: none reaches a log through `{:?}`.
impl std::fmt::Debug for OperatorOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let accounts: Vec<_> = self.preload.iter().map(|(key, _)| key).collect();
        f.debug_struct("OperatorOptions")
            .field("operators", &self.operators.len())
            .field("trusted_keys", &self.trusted_keys)
            .field("resolver", &self.resolver)
            .field("preload", &accounts)
            .field("pinned_accounts", &self.pinned_accounts)
            .field("default_sentinel", &self.default_sentinel.is_some())
            .field("resolver_tls", &self.resolver_tls)
            .finish()
    }
}

/// Where accounts are found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ResolverOptions {
    /// Only in the configuration (`MEMORY`).
    #[default]
    Memory,
    /// In a directory with one file `KEY.jwt` for each (`FULL`, `CACHE`).
    Directory(DirectoryOptions),
    /// On a server that is asked over HTTP (`URL`).
    Url(AccountsUrl),
}

/// Where accounts are asked for: their key is put behind it. It may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountsUrl(pub String);

/// A password reaches no log through `{:?}`.
impl std::fmt::Debug for AccountsUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl AccountsUrl {
    /// As it may be shown: without a password.
    pub fn shown(&self) -> String {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", &self.0));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        match authority.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}://[redacted]@{host}{path}"),
            None => self.0.clone(),
        }
    }
}

/// What a directory of accounts is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DirectoryKind {
    /// All accounts there are.
    #[default]
    Full,
    /// Those that were needed lately.
    Cache,
}

/// A directory of accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryOptions {
    /// Which.
    pub path: PathBuf,
    /// All accounts, or some.
    pub kind: DirectoryKind,
    /// Accounts may be deleted by request.
    pub allow_delete: bool,
    /// What is deleted goes for good; otherwise its file is renamed.
    pub hard_delete: bool,
    /// Most accounts in it; `None`: as many as the server knows.
    pub limit: Option<usize>,
    /// How long an account stays in a cache that nobody asks for; `None`: as long as its claims hold.
    pub ttl: Option<Duration>,
    /// How long whoever is asked in the system account has to answer; `None`: as long as a server over HTTP. A minute at the
    /// most.
    pub lookup_timeout: Option<Duration>,
}
