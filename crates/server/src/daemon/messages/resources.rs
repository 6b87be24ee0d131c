//! What the program says about what the system grants it.

use super::{Pair, choose};
use crate::config::Lang;

/// Something to tell about descriptors and the service manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceText {
    /// Enough descriptors for the connections that are wanted.
    DescriptorsEnough {
        /// Descriptors that may be open.
        limit: u64,
        /// Connections that fit.
        connections: u64,
    },
    /// Fewer descriptors than the connections that are wanted.
    DescriptorsFew {
        /// Descriptors that may be open.
        limit: u64,
        /// Connections that fit.
        connections: u64,
        /// `max_connections`.
        wanted: u64,
    },
    /// The limit can't be read.
    DescriptorsUnknown {
        /// Why.
        error: String,
    },
    /// The service manager was not told.
    NotifyFailed {
        /// Why.
        error: String,
    },
    /// Threads of the server don't answer, so that the service manager is not told that it is alive.
    ThreadsSilent {
        /// Their names.
        threads: String,
    },
    /// All threads answer again.
    ThreadsAnswerAgain,
}

impl ResourceText {
    /// The text, in one line.
    pub fn text(&self, lang: Lang) -> String {
        choose(lang, self.pair())
    }

    fn pair(&self) -> Pair {
        match self {
            Self::DescriptorsEnough { limit, connections } => (
                format!(
                    "up to {limit} files and sockets may be open: room for {connections} \
                     connections"
                ),
                format!(
                    "puede haber hasta {limit} archivos y sockets abiertos: caben {connections} \
                     conexiones"
                ),
            ),
            Self::DescriptorsFew {
                limit,
                connections,
                wanted,
            } => (
                format!(
                    "only {limit} files and sockets may be open: about {connections} connections \
                     fit, not the {wanted} of max_connections. Raise the limit (ulimit -Hn, \
                     LimitNOFILE= in systemd) or lower max_connections"
                ),
                format!(
                    "solo puede haber {limit} archivos y sockets abiertos: caben unas \
                     {connections} conexiones, no las {wanted} de max_connections. Sube el \
                     límite (ulimit -Hn, LimitNOFILE= en systemd) o baja max_connections"
                ),
            ),
            Self::DescriptorsUnknown { error } => (
                format!("the limit of open files can't be read: {error}"),
                format!("no se puede leer el límite de archivos abiertos: {error}"),
            ),
            Self::NotifyFailed { error } => (
                format!("the service manager can't be reached through NOTIFY_SOCKET: {error}"),
                format!("no se puede avisar al gestor de servicios por NOTIFY_SOCKET: {error}"),
            ),
            Self::ThreadsSilent { threads } => (
                format!(
                    "no answer from the server's threads {threads}: unless they go on soon, the                      service manager ends this process and starts it anew"
                ),
                format!(
                    "no contestan estos hilos del servidor: {threads}; si no siguen pronto, el                      gestor de servicios termina este proceso y lo arranca de nuevo"
                ),
            ),
            Self::ThreadsAnswerAgain => (
                "all threads of the server answer again".to_owned(),
                "contestan de nuevo todos los hilos del servidor".to_owned(),
            ),
        }
    }
}
