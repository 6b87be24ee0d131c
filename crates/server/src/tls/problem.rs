//! Why TLS can't be had with what was configured.

use std::path::PathBuf;

/// What is wrong with the files of a `tls { … }` block, or between its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsProblem {
    /// No certificate was named.
    NoCertificate,
    /// A file can't be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: String,
    },
    /// There is no certificate in the file.
    NotCertificates {
        /// Which.
        path: PathBuf,
    },
    /// There is no private key in the file.
    NotKey {
        /// Which.
        path: PathBuf,
    },
    /// The key is of a kind that can't be used.
    UnusableKey {
        /// Its file.
        path: PathBuf,
        /// What the library said.
        error: String,
    },
    /// The key is not the certificate's.
    KeyOfAnother {
        /// File of the certificate.
        cert: PathBuf,
        /// File of the key.
        key: PathBuf,
    },
    /// An authority can't be used.
    UnusableAuthority {
        /// Its file.
        path: PathBuf,
        /// What the library said.
        error: String,
    },
    /// A certificate is to be shown with a staple, and nobody is known who issued it.
    NoIssuer {
        /// Its file.
        path: PathBuf,
    },
    /// A certificate is to be shown with a staple, and there is none.
    NoStaple {
        /// Its file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// A certificate was revoked, or its responder does not know it, and the server is not to run then.
    CertificateNotGood {
        /// Its file.
        path: PathBuf,
        /// What the responder says of it.
        status: &'static str,
    },
    /// Neither a file names authorities, nor does the machine.
    NoAuthorities,
    /// Versions, cipher suites and curves leave nothing that could be spoken.
    NothingInCommon,
}

impl std::fmt::Display for TlsProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoCertificate => f.write_str(
                "TLS needs a certificate and its private key: name both (cert_file and key_file)",
            ),
            Self::Unreadable { path, error } => {
                write!(f, "cannot read {}: {error}", path.display())
            }
            Self::NotCertificates { path } => write!(
                f,
                "there is no certificate in {}: it should be a PEM file with BEGIN CERTIFICATE",
                path.display()
            ),
            Self::NotKey { path } => write!(
                f,
                "there is no private key in {}: it should be a PEM file with BEGIN PRIVATE KEY, not encrypted",
                path.display()
            ),
            Self::UnusableKey { path, error } => {
                write!(f, "cannot use the private key in {}: {error}", path.display())
            }
            Self::KeyOfAnother { cert, key } => write!(
                f,
                "the private key in {} is not that of the certificate in {}",
                key.display(),
                cert.display()
            ),
            Self::UnusableAuthority { path, error } => {
                write!(f, "cannot use an authority in {}: {error}", path.display())
            }
            Self::NoIssuer { path } => write!(
                f,
                "ocsp needs the certificate of whoever issued that in {}: put it behind the certificate in that file, or name it with ca_file",
                path.display()
            ),
            Self::NoStaple { path, error } => write!(
                f,
                "bad OCSP status update for certificate at '{}': {error}",
                path.display()
            ),
            Self::CertificateNotGood { path, status } => write!(
                f,
                "found existing OCSP status for certificate at '{}': {status}; get another certificate",
                path.display()
            ),
            Self::NoAuthorities => f.write_str(
                "no authority to check clients' certificates with: name a file with ca_file",
            ),
            Self::NothingInCommon => f.write_str(
                "min_version, cipher_suites and curve_preferences leave nothing that could be spoken",
            ),
        }
    }
}

impl std::error::Error for TlsProblem {}
