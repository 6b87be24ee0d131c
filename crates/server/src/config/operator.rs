//! Operator mode, as configured: whom to trust, and where accounts are found (reference rows D22, C52).

use std::path::PathBuf;
use std::time::Duration;

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
}

/// A directory of accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryOptions {
    /// Which.
    pub path: PathBuf,
    /// Accounts may be deleted by request.
    pub allow_delete: bool,
    /// What is deleted goes for good; otherwise its file is renamed.
    pub hard_delete: bool,
    /// Most accounts in it; `None`: as many as the server knows.
    pub limit: Option<usize>,
    /// How often it is compared with that of other servers: not with one server alone.
    pub interval: Option<Duration>,
    /// How long an account may take to be found elsewhere: not with one server alone.
    pub timeout: Option<Duration>,
}
