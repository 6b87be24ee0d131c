//! Why a server could not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use recado_log::OpenError;

use crate::tls::TlsProblem;

/// Why a server could not start. The program turns it into words; what to do next is here, too.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The options contradict each other.
    Options(String),
    /// The host to listen on has no address.
    Resolve {
        /// As it was configured.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Nothing can listen there: the port is taken, say, or needs more rights.
    Listen {
        /// Where.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// It would be reachable from other machines and ask nobody for a credential.
    OpenToEverybody {
        /// As it was configured.
        host: String,
    },
    /// A socket that was handed over can't be used.
    Inherited(io::Error),
    /// What should be the directory that streams are stored in is none.
    StoreNotDirectory {
        /// Which.
        path: PathBuf,
    },
    /// The directory that streams are to be stored in can't be made.
    StoreUncreatable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// TLS can't be had with what was configured.
    Tls(TlsProblem),
    /// The machine has no threads left for the server.
    Threads(io::Error),
    /// The store of the streams can't be opened.
    Store {
        /// Where it is.
        path: PathBuf,
        /// What was wrong.
        source: OpenError,
    },
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Options(faults) => write!(f, "the options cannot be used: {faults}"),
            Self::Resolve { host, source } => {
                write!(
                    f,
                    "cannot listen on host {host:?}: it has no address here ({source})"
                )
            }
            Self::Listen { addr, source } => write!(f, "cannot listen on {addr}: {source}"),
            Self::OpenToEverybody { host } => write!(
                f,
                "will not listen on {host}, which other machines reach, without a credential: \
                 give a token or a user, or allow anonymous clients"
            ),
            Self::Inherited(source) => write!(f, "cannot use the inherited socket: {source}"),
            Self::StoreNotDirectory { path } => {
                write!(
                    f,
                    "storage directory is not a directory: {}",
                    path.display()
                )
            }
            Self::StoreUncreatable { path, source } => write!(
                f,
                "could not create storage directory {}: {source}",
                path.display()
            ),
            Self::Tls(problem) => problem.fmt(f),
            Self::Threads(source) => write!(f, "cannot start the server's threads: {source}"),
            Self::Store { path, source } => {
                write!(f, "cannot open the store in {}: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Resolve { source, .. }
            | Self::Listen { source, .. }
            | Self::StoreUncreatable { source, .. } => Some(source),
            Self::Inherited(source) | Self::Threads(source) => Some(source),
            Self::Store { source, .. } => Some(source),
            Self::Tls(problem) => Some(problem),
            Self::Options(_) | Self::OpenToEverybody { .. } | Self::StoreNotDirectory { .. } => {
                None
            }
        }
    }
}
