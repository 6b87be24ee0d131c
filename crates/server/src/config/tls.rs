//! What a listener can be told about TLS; reference rows B03 to B07 and C17. Files are named here, and
//! read where the server starts.

use std::path::PathBuf;
use std::time::Duration;

use super::ocsp::OcspPeerOptions;

/// TLS of one listener: `tls { … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsOptions {
    /// What the server proves itself with; a client is shown the first that suits it.
    pub certificates: Vec<CertificateFiles>,
    /// PEM file with the authorities that clients' certificates must come from; `None`: those
    /// that the machine trusts.
    pub ca_file: Option<PathBuf>,
    /// What is asked of clients.
    pub client_certificates: ClientCertificates,
    /// Who speaks first.
    pub handshake_first: HandshakeFirst,
    /// Time that a handshake may take.
    pub timeout: Duration,
    /// Oldest version that is spoken.
    pub min_version: TlsVersion,
    /// The only cipher suites that are spoken; empty: all that are good.
    pub cipher_suites: Vec<CipherSuite>,
    /// The only curves that keys are agreed on with; empty: all that are good.
    pub curves: Vec<Curve>,
    /// SHA-256 of the public keys (SPKI) that clients' certificates may have; empty: any.
    pub pinned_certs: Vec<[u8; 32]>,
    /// Handshakes begun within a second at most; `None`: any number.
    pub connection_rate_limit: Option<u32>,
    /// Clients' certificates must not be revoked; `None`: nobody asks.
    pub ocsp_peer: Option<OcspPeerOptions>,
}

/// A certificate with its chain, and its private key: two PEM files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, followed by those that vouch for it.
    pub cert_file: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC1.
    pub key_file: PathBuf,
}

/// What is asked of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// Nothing.
    #[default]
    NotAsked,
    /// A certificate from a known authority (`verify`).
    Verified,
    /// The same, and its names say who the client is (`verify_and_map`).
    Mapped,
}

/// Who speaks first (ADR-40).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HandshakeFirst {
    /// The server: INFO in clear, then the handshake.
    #[default]
    No,
    /// The client: its handshake, then INFO.
    Yes,
    /// The client, and INFO in clear if it said nothing for so long.
    After(Duration),
}

impl HandshakeFirst {
    /// What `auto` stands for.
    pub const AUTO: Self = Self::After(Duration::from_millis(50));
}

/// Versions of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// 1.2
    #[default]
    V1_2,
    /// 1.3
    V1_3,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            certificates: Vec::new(),
            ca_file: None,
            client_certificates: ClientCertificates::default(),
            handshake_first: HandshakeFirst::default(),
            timeout: Duration::from_secs(2),
            min_version: TlsVersion::default(),
            cipher_suites: Vec::new(),
            curves: Vec::new(),
            pinned_certs: Vec::new(),
            connection_rate_limit: None,
            ocsp_peer: None,
        }
    }
}

impl TlsOptions {
    /// Whether clients must show a certificate.
    pub fn asks_for_certificates(&self) -> bool {
        self.client_certificates != ClientCertificates::NotAsked
    }
}

/// A kind of choice that is written by a name of Go's library.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($variant:ident: $($text:literal)|+),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "they are called as in the standard")]
        #[allow(non_camel_case_types, reason = "they are called as in the standard")]
        pub enum $name { $($variant),+ }

        impl $name {
            /// All there are, by name.
            pub const NAMES: &'static [&'static str] = &[$($($text),+),+];

            /// The one that is called so, in whatever case.
            pub fn from_name(name: &str) -> Option<Self> {
                $(if [$($text),+].iter().any(|known| known.eq_ignore_ascii_case(name)) {
                    return Some(Self::$variant);
                })+
                None
            }
        }
    };
}

named! {
    /// Cipher suites that the server speaks.
    CipherSuite {
        TLS_AES_128_GCM_SHA256: "TLS_AES_128_GCM_SHA256",
        TLS_AES_256_GCM_SHA384: "TLS_AES_256_GCM_SHA384",
        TLS_CHACHA20_POLY1305_SHA256: "TLS_CHACHA20_POLY1305_SHA256",
        TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" | "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
        TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" | "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
    }
}

named! {
    /// Curves that the server agrees on keys with.
    Curve {
        X25519: "X25519",
        P256: "CurveP256",
        P384: "CurveP384",
    }
}
