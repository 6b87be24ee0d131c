//! What the program says about signals, and when it goes.

use super::{Pair, choose};
use crate::config::Lang;

/// Something to tell while the server runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LifeText {
    /// A signal came that ends the server.
    StoppingOn {
        /// Its name.
        signal: &'static str,
    },
    /// Somebody asked a second time.
    Hurrying,
    /// The server has ended.
    Stopped,
    /// The server has ended, and nobody had told it to.
    EndedByItself,
    /// Lame duck mode begins.
    LameDuck {
        /// Seconds until the last client has been sent away.
        seconds: u64,
    },
    /// A signal that changes nothing now.
    SignalIgnored {
        /// Its name.
        signal: &'static str,
    },
    /// SIGUSR1 without a log file.
    NoLogFile,
    /// The configuration was read again and is in force.
    Reloaded {
        /// Settings that changed.
        changed: Vec<&'static str>,
        /// Clients that have to go.
        dismissed: usize,
    },
    /// The configuration was read again, and everything is as it was.
    ReloadRefused {
        /// Why.
        why: String,
    },
}

fn reloaded(changed: &[&'static str], dismissed: usize) -> Pair {
    if changed.is_empty() {
        return (
            "the configuration was read again: nothing has changed".to_owned(),
            "configuración releída: no ha cambiado nada".to_owned(),
        );
    }
    let names = changed.join(", ");
    match dismissed {
        0 => (
            format!("the new configuration is in force; changed: {names}"),
            format!("la configuración nueva está en vigor; cambia: {names}"),
        ),
        count => (
            format!(
                "the new configuration is in force; changed: {names}; clients that have to go: {count}"
            ),
            format!(
                "la configuración nueva está en vigor; cambia: {names}; clientes que deben irse: {count}"
            ),
        ),
    }
}

impl LifeText {
    /// The text, in one line.
    pub fn text(&self, lang: Lang) -> String {
        choose(lang, self.pair())
    }

    fn pair(&self) -> Pair {
        match self {
            Self::StoppingOn { signal } => (
                format!("{signal}: stopping, what is under way is finished first"),
                format!("{signal}: el servidor termina lo que está en curso y se detiene"),
            ),
            Self::Hurrying => (
                "asked again: stopping at once".to_owned(),
                "segunda petición: el servidor se detiene ya".to_owned(),
            ),
            Self::Stopped => ("stopped".to_owned(), "servidor detenido".to_owned()),
            Self::EndedByItself => (
                "the server has ended without having been told to; the lines above say why"
                    .to_owned(),
                "el servidor ha terminado sin que nadie lo pidiera; las líneas de arriba dicen \
                 por qué"
                    .to_owned(),
            ),
            Self::LameDuck { seconds } => (
                format!(
                    "lame duck: no new clients, those that are here are sent away within \
                     {seconds} s"
                ),
                format!(
                    "lame duck: no se aceptan clientes nuevos y los que hay se despiden en un \
                     plazo de {seconds} s"
                ),
            ),
            Self::SignalIgnored { signal } => (
                format!("{signal} changes nothing: the server is on its way out"),
                format!("{signal} no cambia nada: el servidor ya se está deteniendo"),
            ),
            Self::NoLogFile => (
                "SIGUSR1 reopens the log file, but the log goes to standard error (--log FILE)"
                    .to_owned(),
                "SIGUSR1 reabre el archivo de registro, pero el registro va a la salida de error \
                 (--log ARCHIVO)"
                    .to_owned(),
            ),
            Self::Reloaded { changed, dismissed } => reloaded(changed, *dismissed),
            Self::ReloadRefused { why } => (
                format!(
                    "the new configuration was refused, the server goes on with the old one: {why}"
                ),
                format!(
                    "la configuración nueva no se acepta y el servidor sigue con la anterior: {why}"
                ),
            ),
        }
    }
}
