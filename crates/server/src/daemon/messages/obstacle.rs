//! Why the program does not start, and what to do about it.

use std::path::PathBuf;

use super::{AddressProblem, Pair, choose, tls_problem};
use crate::TlsProblem;
use crate::config::Lang;
use crate::daemon::Holder;

/// Something that stands in the way of a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// `LISTEN_FDS` is not a sensible number.
    ActivationCount {
        /// What it is.
        count: String,
    },
    /// A socket that was handed over is of no use.
    ActivationSocket {
        /// Its number.
        descriptor: usize,
        /// Its name; may be empty.
        name: String,
        /// Why; `None`: it does not listen.
        error: Option<String>,
    },
    /// More than one socket was handed over for clients.
    ActivationSecond {
        /// Number of the surplus one.
        descriptor: usize,
    },
    /// The pid file belongs to a running server.
    PidFileTaken {
        /// Which file.
        path: PathBuf,
        /// Whose.
        pid: i32,
    },
    /// The pid file can't be written.
    PidFileUnwritable {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// The ports file can't be written.
    PortsFileUnwritable {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// The log file can't be opened.
    LogFileUnopenable {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: String,
    },
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
        error: String,
    },
    /// The store of the streams can't be opened.
    StoreUnusable {
        /// Which.
        path: PathBuf,
        /// What was wrong.
        error: String,
    },
    /// The store of the streams is encrypted, and no key was given, or another.
    StoreLocked {
        /// The file with the store's own key.
        path: PathBuf,
        /// A key was given.
        wrong: bool,
    },
    /// The file with the store's own key is damaged, or not there.
    StoreKeyUnusable {
        /// The file.
        path: PathBuf,
        /// It is not there.
        missing: bool,
    },
    /// Accounts may use more of JetStream than the server has.
    AccountsWantTooMuch {
        /// The key of the accounts.
        of_accounts: &'static str,
        /// The key of the server.
        of_server: &'static str,
        /// Bytes that the accounts have together.
        wanted: u64,
        /// Bytes that the server has.
        max: u64,
    },
    /// Address already in use.
    PortHeld {
        /// The address without its port.
        host: String,
        /// The port.
        port: u16,
        /// The flag that names another one.
        flag: &'static str,
        /// By whom; `None` when that can't be seen.
        holder: Option<Holder>,
    },
    /// It can't listen where it was told to.
    Address(AddressProblem),
    /// The socket that was handed over can't be used.
    InheritedUnusable {
        /// What the system said.
        error: String,
    },
    /// TLS can't be had with what was configured.
    Tls(TlsProblem),
    /// The settings contradict each other.
    Settings {
        /// All that is wrong with them.
        faults: String,
    },
    /// The system refuses threads or signals.
    SystemRefuses {
        /// What it said.
        error: String,
    },
}

impl Obstacle {
    /// The text, in one line.
    pub fn text(&self, lang: Lang) -> String {
        choose(lang, self.pair())
    }

    fn pair(&self) -> Pair {
        match self {
            Self::ActivationCount { count } => (
                format!("LISTEN_FDS={count:?} is not a number from 0 to 64: check the socket unit"),
                format!(
                    "LISTEN_FDS={count:?} no es un número de 0 a 64: revisa la unidad de sockets"
                ),
            ),
            Self::ActivationSocket {
                descriptor,
                name,
                error,
            } => activation_socket(*descriptor, name, error.as_deref()),
            Self::ActivationSecond { descriptor } => (
                format!(
                    "descriptor {descriptor}, handed over by socket activation, is one too many: \
                     clients have one socket"
                ),
                format!(
                    "el descriptor {descriptor}, recibido por activación de sockets, sobra: los \
                     clientes tienen un solo socket"
                ),
            ),
            Self::Tls(problem) => tls_problem::pair(problem),
            Self::PidFileTaken { path, pid } => (
                format!(
                    "the pid file {} belongs to the running server {pid}: stop that one, or name \
                     another file",
                    path.display()
                ),
                format!(
                    "el archivo de pid {} es del servidor {pid}, que está en marcha: páralo o \
                     elige otro archivo",
                    path.display()
                ),
            ),
            Self::PidFileUnwritable { path, error } => (
                format!("the pid file {} can't be written: {error}", path.display()),
                format!(
                    "no se puede escribir el archivo de pid {}: {error}",
                    path.display()
                ),
            ),
            Self::PortsFileUnwritable { path, error } => (
                format!(
                    "the ports file {} can't be written: {error}",
                    path.display()
                ),
                format!(
                    "no se puede escribir el archivo de puertos {}: {error}",
                    path.display()
                ),
            ),
            Self::LogFileUnopenable { path, error } => (
                format!("the log can't be written to {}: {error}", path.display()),
                format!(
                    "no se puede escribir el registro en {}: {error}",
                    path.display()
                ),
            ),
            Self::StoreNotDirectory { path } => (
                format!(
                    "storage directory is not a directory: {}: name another with --store_dir",
                    path.display()
                ),
                format!(
                    "el directorio de los flujos, {}, no es un directorio: indica otro con \
                     --store_dir",
                    path.display()
                ),
            ),
            Self::StoreUncreatable { path, error } => (
                format!(
                    "could not create storage directory {}: {error}: name another with --store_dir",
                    path.display()
                ),
                format!(
                    "no se puede crear {}, el directorio de los flujos: {error}: indica otro con \
                     --store_dir",
                    path.display()
                ),
            ),
            Self::StoreUnusable { path, error } => (
                format!(
                    "the store in {} can't be opened: {error}. Name another directory with \
                     --store_dir, or start without streams: --no-streams",
                    path.display()
                ),
                format!(
                    "no se puede abrir el almacén de {}: {error}. Indica otro directorio con \
                     --store_dir, o arranca sin flujos: --no-streams",
                    path.display()
                ),
            ),
            Self::StoreLocked { path, wrong } => store_locked(&path.display().to_string(), *wrong),
            Self::StoreKeyUnusable { path, missing } => {
                store_key_unusable(&path.display().to_string(), *missing)
            }
            Self::AccountsWantTooMuch {
                of_accounts,
                of_server,
                wanted,
                max,
            } => (
                format!(
                    "the accounts may use {wanted} bytes by their {of_accounts}, and the server has {max}: \
                     lower {of_accounts} of an account, or raise {of_server} of jetstream"
                ),
                format!(
                    "las cuentas pueden usar {wanted} bytes según su {of_accounts}, y el servidor tiene {max}: \
                     baja {of_accounts} de alguna cuenta o sube {of_server} de jetstream"
                ),
            ),
            Self::PortHeld {
                host,
                port,
                flag,
                holder,
            } => port_held(host, *port, flag, holder.as_ref()),
            Self::Address(problem) => problem.pair(),
            Self::InheritedUnusable { error } => (
                format!(
                    "the socket handed over by socket activation can't be used: {error}. Check \
                     the socket unit, or start the server without it"
                ),
                format!(
                    "el socket recibido por activación de sockets no sirve: {error}. Revisa la \
                     unidad de sockets o arranca el servidor sin ella"
                ),
            ),
            Self::Settings { faults } => (
                format!("the settings don't fit each other: {faults}"),
                format!("la configuración se contradice: {faults}"),
            ),
            Self::SystemRefuses { error } => (
                format!(
                    "the system refuses the threads or signals that the server needs: {error}. \
                     Check the limits on processes, memory and files (ulimit -a)"
                ),
                format!(
                    "el sistema niega los hilos o las señales que el servidor necesita: {error}. \
                     Revisa los límites de procesos, memoria y archivos (ulimit -a)"
                ),
            ),
        }
    }
}

fn activation_socket(descriptor: usize, name: &str, error: Option<&str>) -> Pair {
    let (why, por_que) = match error {
        Some(error) => (error, error),
        None => ("it does not listen", "no está a la escucha"),
    };
    (
        format!(
            "descriptor {descriptor} ({name:?}), handed over by socket activation, can't be used: \
             {why}. It has to be a listening TCP socket"
        ),
        format!(
            "el descriptor {descriptor} ({name:?}), recibido por activación de sockets, no sirve: \
             {por_que}. Tiene que ser un socket TCP a la escucha"
        ),
    )
}

fn store_locked(path: &str, wrong: bool) -> Pair {
    match wrong {
        false => (
            format!(
                "the store is encrypted, and jetstream has no key: its own key is sealed in {path}. \
                 Configure the key that it was encrypted with: jetstream {{ key: … }}"
            ),
            format!(
                "el almacén está cifrado y jetstream no tiene key: su propia clave está sellada en \
                 {path}. Configura la clave con que se cifró: jetstream {{ key: … }}"
            ),
        ),
        true => (
            format!(
                "jetstream's key is not the one that {path} is sealed with; nothing was changed. \
                 Configure the right one; if it is to be a new one, give the old one as prev_key"
            ),
            format!(
                "la clave (key) de jetstream no es la que selló {path}; no se ha cambiado nada. \
                 Configura la correcta; si ha de ser una nueva, indica la anterior como prev_key"
            ),
        ),
    }
}

fn store_key_unusable(path: &str, missing: bool) -> Pair {
    match missing {
        true => (
            format!(
                "{path} is not there, but the store is encrypted with the key in it: put it back \
                 from a copy. Without it nobody can read what is stored"
            ),
            format!(
                "falta {path}, pero el almacén está cifrado con la clave que contiene: recupéralo de \
                 una copia. Sin él nadie puede leer lo guardado"
            ),
        ),
        false => (
            format!(
                "{path} is damaged in both of its copies: put it back from a copy. Without it nobody \
                 can read what is stored"
            ),
            format!(
                "{path} está dañado en sus dos ejemplares: recupéralo de una copia. Sin él nadie puede \
                 leer lo guardado"
            ),
        ),
    }
}

fn port_held(host: &str, port: u16, flag: &str, holder: Option<&Holder>) -> Pair {
    match holder {
        Some(Holder::Process { program, pid, user }) => (
            format!(
                "port {port} on {host} is held by {program} (pid {pid}, user {user}): stop it, or \
                 take another port with {flag} ({flag} -1 picks a free one)"
            ),
            format!(
                "el puerto {port} de {host} lo tiene {program} (pid {pid}, usuario {user}): páralo \
                 o elige otro puerto con {flag} ({flag} -1 toma uno libre)"
            ),
        ),
        Some(Holder::SomebodyOf { user }) => (
            format!(
                "port {port} on {host} is held by a program of user {user}; which one, only root \
                 may see: sudo ss -ltnp 'sport = :{port}'. Stop it, or take another port with \
                 {flag} ({flag} -1 picks a free one)"
            ),
            format!(
                "el puerto {port} de {host} lo tiene un programa del usuario {user}; cuál, solo \
                 puede verlo root: sudo ss -ltnp 'sport = :{port}'. Páralo o elige otro puerto \
                 con {flag} ({flag} -1 toma uno libre)"
            ),
        ),
        None => (
            format!(
                "port {port} on {host} is in use by a program that can't be seen from here \
                 (another container?). Take another port with {flag} ({flag} -1 picks a free one)"
            ),
            format!(
                "el puerto {port} de {host} lo usa un programa que no se ve desde aquí (¿otro \
                 contenedor?). Elige otro puerto con {flag} ({flag} -1 toma uno libre)"
            ),
        ),
    }
}
