//! What the server can be told about the revocation of certificates (OCSP); reference rows B09 and B10.

use std::path::PathBuf;
use std::time::Duration;

/// `ocsp`: what the server shows of its own certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OcspOptions {
    /// Which certificates are shown with a staple.
    pub mode: OcspMode,
    /// Responders that are asked instead of those that a certificate names.
    pub urls: Vec<String>,
}

/// Which certificates are shown with a staple, and what becomes of the server when one was revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OcspMode {
    /// Those that ask for it (Must-Staple, RFC 7633).
    #[default]
    Auto,
    /// All. The server stops when one was revoked.
    Always,
    /// Those that ask for it. The server stops when one of them was revoked.
    Must,
    /// None.
    Never,
}

impl OcspMode {
    /// What `mode` can be.
    pub const WORDS: &'static [&'static str] = &["auto", "always", "must", "never"];

    /// Which of them a word names, in whatever case.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Auto, Self::Always, Self::Must, Self::Never]
            .into_iter()
            .find(|mode| mode.word().eq_ignore_ascii_case(word))
    }

    /// What it is called in a configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Must => "must",
            Self::Never => "never",
        }
    }
}

/// `ocsp_peer` of `tls { … }`: clients' certificates must not be revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspPeerOptions {
    /// Time that a responder has to answer.
    pub ca_timeout: Duration,
    /// How far the authority's clock may be from ours.
    pub allowed_clockskew: Duration,
    /// How long an answer holds that does not say so itself.
    pub ttl_without_next_update: Duration,
    /// Who would be refused is told of in the log, and let in.
    pub warn_only: bool,
    /// A certificate that the responder does not know is good.
    pub unknown_is_good: bool,
    /// A certificate whose responders don't answer is good, unless it is remembered as revoked.
    pub allow_when_ca_unreachable: bool,
}

impl Default for OcspPeerOptions {
    fn default() -> Self {
        Self {
            ca_timeout: Duration::from_secs(2),
            allowed_clockskew: Duration::from_secs(30),
            ttl_without_next_update: Duration::from_secs(3600),
            warn_only: false,
            unknown_is_good: false,
            allow_when_ca_unreachable: false,
        }
    }
}

/// `ocsp_cache`: what is remembered of clients' certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspCacheOptions {
    /// Where answers are remembered.
    pub kept: OcspCacheKept,
    /// That a certificate was revoked is not forgotten when the answer that says so is out of date.
    pub preserve_revoked: bool,
}

/// Where answers of responders are remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OcspCacheKept {
    /// Nowhere: each handshake asks.
    Nowhere,
    /// In memory, until the server stops.
    InMemory,
    /// In memory, and in the file `cache.json` of a directory.
    InDirectory {
        /// Which.
        directory: PathBuf,
        /// How often it is written, if there is anything new.
        save_interval: Duration,
    },
}

impl OcspCacheKept {
    /// The directory and the interval that nats-server has.
    pub fn in_default_directory() -> Self {
        Self::InDirectory {
            directory: PathBuf::from("_rc_"),
            save_interval: Duration::from_secs(300),
        }
    }
}

impl Default for OcspCacheOptions {
    fn default() -> Self {
        Self {
            kept: OcspCacheKept::InMemory,
            preserve_revoked: false,
        }
    }
}
