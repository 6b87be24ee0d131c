//! Why the server can't listen where it was told to, and what to do about it.

use super::Pair;

/// What is wrong with the address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressProblem {
    /// The system keeps the port for its administrator.
    PortDenied {
        /// The address without its port.
        host: String,
        /// The port.
        port: u16,
        /// The flag that names another one.
        flag: &'static str,
    },
    /// The address is none of this machine's.
    NotOurs {
        /// The address without its port.
        host: String,
        /// The flag or key that names another one.
        with: &'static str,
    },
    /// The host has no address.
    UnknownHost {
        /// As it was configured.
        host: String,
        /// The flag or key that names another one.
        with: &'static str,
        /// What the resolver said.
        error: String,
    },
    /// Other machines reach the address, and nobody would be asked for a credential there.
    OpenToEverybody {
        /// As it was configured.
        host: String,
    },
    /// The system has another reason.
    Refused {
        /// Address and port.
        address: String,
        /// What the system said.
        error: String,
    },
}

impl AddressProblem {
    pub(super) fn pair(&self) -> Pair {
        match self {
            Self::PortDenied { host, port, flag } => (
                format!(
                    "this user may not listen on port {port} of {host}: take one above 1023 with \
                     {flag}, or let the service manager hand over the socket"
                ),
                format!(
                    "este usuario no tiene permiso para escuchar en el puerto {port} de {host}: \
                     elige uno mayor que 1023 con {flag}, o deja que el gestor de servicios \
                     entregue el socket"
                ),
            ),
            Self::NotOurs { host, with } => (
                format!(
                    "{host} is no address of this machine: give one of its own with {with} \
                     (0.0.0.0 stands for all of them)"
                ),
                format!(
                    "{host} no es una dirección de esta máquina: da una suya con {with} (0.0.0.0 \
                     las abarca todas)"
                ),
            ),
            Self::UnknownHost { host, with, error } => (
                format!(
                    "the host {host} to listen on has no address here ({error}): check its \
                     spelling, or give an IP address with {with}"
                ),
                format!(
                    "no se conoce ninguna dirección del host {host} en el que escuchar ({error}): \
                     revisa cómo está escrito o da una dirección IP con {with}"
                ),
            ),
            Self::OpenToEverybody { host } => (
                format!(
                    "{host} can be reached from other machines and no credential is asked for: \
                     give one with --token-file, or --allow-anonymous if everybody may come in"
                ),
                format!(
                    "a {host} se llega desde otras máquinas y no se pide ninguna credencial: da \
                     una con --token-file, o usa --allow-anonymous si puede entrar cualquiera"
                ),
            ),
            Self::Refused { address, error } => (
                format!(
                    "the system does not let the server listen on {address}: {error}. Try another \
                     address with -a, or another port"
                ),
                format!(
                    "el sistema no deja escuchar en {address}: {error}. Prueba con otra dirección \
                     (-a) o con otro puerto"
                ),
            ),
        }
    }
}
