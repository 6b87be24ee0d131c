//! How the program says what happens to it: as itself, in the user's language, or with the lines of
//! nats-server, which others' scripts look for word by word.

use std::net::SocketAddr;

use crate::config::{Lang, MonitoringOptions, Personality, Programs};
use crate::logging::{FATAL, Log};
use crate::{NATS_VERSION, Server, VERSION};

use super::messages::{LifeText, Obstacle, OpeningText, ResourceText};
use super::signals;

/// Who speaks, to whom.
#[derive(Clone)]
pub(super) struct Voice {
    pub(super) personality: Personality,
    pub(super) lang: Lang,
    pub(super) log: Log,
}

/// What the opening lines tell.
pub(super) struct Opening<'a> {
    pub(super) server: &'a Server,
    /// Command for the second terminal.
    pub(super) command: String,
    /// How the programs are started here.
    pub(super) programs: Programs,
    /// Clients must present a credential.
    pub(super) credential_asked: bool,
    /// How monitoring is served.
    pub(super) monitoring: &'a MonitoringOptions,
    /// Where WebSocket clients come in, and whether they must speak TLS there.
    pub(super) websocket: Option<(SocketAddr, bool)>,
    /// The same of MQTT clients.
    pub(super) mqtt: Option<(SocketAddr, bool)>,
}

impl Voice {
    fn is_nats(&self) -> bool {
        self.personality == Personality::NatsServer
    }

    /// Before anything is opened. As itself the program has nothing to say yet: its first line is
    /// that it listens.
    pub(super) fn starting(&self) {
        if self.is_nats() {
            tracing::info!("Starting nats-server");
            tracing::info!("  Version:  {NATS_VERSION}");
            tracing::info!("  Recado:   {VERSION}");
        }
    }

    pub(super) fn ready(&self, opening: &Opening<'_>) {
        if self.is_nats() {
            if let Some(store) = opening.server.store() {
                tracing::info!("  Max Memory:      {}", ceiling(store.memory_bytes_max));
                tracing::info!("  Max Storage:     {}", ceiling(store.file_bytes_max));
                tracing::info!("Store Directory: \"{}\"", store.directory.display());
            }
            let info = opening.server.info();
            tracing::info!("  Name:     {}", info.server_name);
            tracing::info!("  ID:       {}", info.server_id);
            if let Some((host, address)) = opening.server.monitoring_addr() {
                let at = address_of(host, address.port());
                let scheme = opening.server.monitoring_scheme();
                tracing::info!("Starting {scheme} monitor on {at}");
            }
            if let Some(address) = opening.server.profiles_addr() {
                tracing::info!("profiling port: {}", address.port());
            }
            self.websocket(opening);
            self.mqtt(opening);
            let address = opening.server.client_addr();
            tracing::info!("Listening for client connections on {address}");
            if info.tls_required || info.tls_available {
                let word = if info.tls_required {
                    "required"
                } else {
                    "available"
                };
                tracing::info!("TLS {word} for client connections");
            }
            self.plain_listeners(opening.server);
            tracing::info!("Server is ready");
        } else {
            self.greet(opening);
            self.websocket(opening);
            self.mqtt(opening);
            self.plain_listeners(opening.server);
            self.monitoring(opening);
            self.profiles(opening);
            self.store(opening.server);
        }
    }

    fn store(&self, server: &Server) {
        let Some(store) = server.store() else {
            return;
        };
        let stored = OpeningText::Stored {
            directory: store.directory.display().to_string(),
            streams: store.streams,
            messages: store.messages,
        };
        let ms = store.took.as_millis() as u64;
        tracing::info!(ms, "{}", stored.text(self.lang));
        tracing::debug!(
            max_memory_store = ceiling(store.memory_bytes_max),
            max_file_store = ceiling(store.file_bytes_max),
            "what streams may take"
        );
    }

    /// As a field, for those who don't read the sentence that says it already.
    fn machines_only(&self, address: SocketAddr) -> Option<String> {
        self.log.is_for_machines().then(|| address.to_string())
    }

    fn plain_listeners(&self, server: &Server) {
        for (address, subject) in server.plain_addrs() {
            let listening = OpeningText::PlainListening {
                address: address.to_string(),
                subject: subject.clone(),
            };
            let address = self.machines_only(*address);
            tracing::info!(address, "{}", listening.text(self.lang));
        }
    }

    /// In nats-server's words for it: tools look for them.
    fn websocket(&self, opening: &Opening<'_>) {
        let Some((address, tls)) = opening.websocket else {
            return;
        };
        let url = format!("{}://{address}", if tls { "wss" } else { "ws" });
        if self.is_nats() {
            tracing::info!("Listening for websocket clients on {url}");
            if !tls {
                tracing::warn!("Websocket not configured with TLS. DO NOT USE IN PRODUCTION!");
            }
            return;
        }
        let at = OpeningText::WebsocketAt { url };
        let machines = self.machines_only(address);
        tracing::info!(address = machines, "{}", at.text(self.lang));
        if !tls && !is_loopback(address) {
            let address = address.to_string();
            let clear = OpeningText::WebsocketInClear { address };
            tracing::warn!("{}", clear.text(self.lang));
        }
    }

    /// As for WebSocket.
    fn mqtt(&self, opening: &Opening<'_>) {
        let Some((address, tls)) = opening.mqtt else {
            return;
        };
        if self.is_nats() {
            let scheme = if tls { "tls" } else { "mqtt" };
            tracing::info!("Listening for MQTT clients on {scheme}://{address}");
            return;
        }
        let url = format!("{}://{address}", if tls { "mqtts" } else { "mqtt" });
        let at = OpeningText::MqttAt { url };
        let machines = self.machines_only(address);
        tracing::info!(address = machines, "{}", at.text(self.lang));
    }

    fn monitoring(&self, opening: &Opening<'_>) {
        let Some((_, address)) = opening.server.monitoring_addr() else {
            return;
        };
        let at = OpeningText::MonitoringAt {
            url: format!(
                "{}://{address}{}/",
                opening.server.monitoring_scheme(),
                opening.monitoring.base_path
            ),
        };
        tracing::info!(
            address = self.machines_only(address),
            "{}",
            at.text(self.lang)
        );
        if !is_loopback(address) && opening.monitoring.token.is_none() {
            let address = address.to_string();
            let open = OpeningText::MonitoringOpen { address };
            tracing::warn!("{}", open.text(self.lang));
        }
    }

    /// As for monitoring.
    fn profiles(&self, opening: &Opening<'_>) {
        let Some(address) = opening.server.profiles_addr() else {
            return;
        };
        let at = OpeningText::ProfilesAt {
            url: format!("http://{address}/debug/pprof/"),
        };
        let machines = self.machines_only(address);
        tracing::info!(address = machines, "{}", at.text(self.lang));
        if !is_loopback(address) && opening.monitoring.token.is_none() {
            let address = address.to_string();
            let open = OpeningText::ProfilesOpen { address };
            tracing::warn!("{}", open.text(self.lang));
        }
    }

    fn greet(&self, opening: &Opening<'_>) {
        let address = opening.server.client_addr();
        if self.log.is_for_people_on_a_terminal() {
            let greeting = OpeningText::Greeting {
                version: VERSION,
                address: address.to_string(),
                command: opening.command.clone(),
            };
            self.log.print(&greeting.text(self.lang));
        } else {
            let listening = OpeningText::Listening {
                version: VERSION,
                address: address.to_string(),
            };
            let name = &opening.server.info().server_name;
            let address = self.machines_only(address);
            tracing::info!(server = name, address, "{}", listening.text(self.lang));
        }
        if opening.credential_asked {
            return;
        }
        if is_loopback(address) {
            let server = opening.programs.server;
            let only = OpeningText::LoopbackOnly { server };
            tracing::info!("{}", only.text(self.lang));
        } else {
            let open = OpeningText::OpenToAll {
                address: address.to_string(),
            };
            tracing::warn!("{}", open.text(self.lang));
        }
    }

    /// Descriptors that suffice are of interest to few.
    pub(super) fn resources(&self, text: &ResourceText) {
        let line = text.text(self.lang);
        match text {
            ResourceText::DescriptorsEnough { .. } if self.is_nats() => tracing::debug!("{line}"),
            ResourceText::DescriptorsEnough { .. } => tracing::info!("{line}"),
            _ => tracing::warn!("{line}"),
        }
    }

    /// The last line of a server that does not start.
    pub(super) fn fatal(&self, obstacle: &Obstacle) {
        let line = obstacle.text(self.lang);
        match obstacle {
            Obstacle::PortHeld { host, port, .. } if self.is_nats() => {
                let address = address_of(host, *port);
                tracing::error!(target: FATAL, "Error listening on port: {address}, {line:?}");
            }
            _ => tracing::error!(target: FATAL, "{line}"),
        }
    }

    pub(super) fn stopping(&self, signal: i32) {
        let signal = signals::name(signal);
        if self.is_nats() {
            tracing::info!("Trapped {signal:?} signal");
            tracing::info!("Initiating Shutdown...");
        } else {
            self.say(&LifeText::StoppingOn { signal });
        }
    }

    pub(super) fn lame_duck(&self, seconds: u64) {
        if self.is_nats() {
            tracing::info!("Entering lame duck mode, stop accepting new clients");
        } else {
            self.say(&LifeText::LameDuck { seconds });
        }
    }

    pub(super) fn stopped(&self, lame_duck: bool) {
        if self.is_nats() {
            if lame_duck {
                tracing::info!("Initiating Shutdown...");
            }
            tracing::info!("Server Exiting..");
        } else {
            self.say(&LifeText::Stopped);
        }
    }

    /// What came of a reload; harnesses look for nats-server's words.
    pub(super) fn reloaded(&self, outcome: &LifeText) {
        if self.is_nats() {
            match outcome {
                LifeText::ReloadRefused { why } => {
                    tracing::error!("Failed to reload server configuration: {why}");
                }
                _ => tracing::info!("Reloaded server configuration"),
            }
        }
        self.say(outcome);
    }

    pub(super) fn say(&self, text: &LifeText) {
        let line = text.text(self.lang);
        match text {
            LifeText::EndedByItself => tracing::error!(target: FATAL, "{line}"),
            LifeText::NoLogFile | LifeText::ReloadRefused { .. } | LifeText::Hurrying => {
                tracing::warn!("{line}");
            }
            _ => tracing::info!("{line}"),
        }
    }
}

fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

fn address_of(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// A ceiling in bytes as nats-server writes it: powers of 1024 under the names of those of 1000.
fn ceiling(bytes: Option<u64>) -> String {
    let Some(bytes) = bytes else {
        return "none".to_owned();
    };
    let mut amount = bytes as f64;
    let mut units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while amount >= 1024.0
        && let Some(larger) = units.next()
    {
        amount /= 1024.0;
        unit = larger;
    }
    if bytes < 1024 {
        format!("{bytes} B")
    } else {
        format!("{amount:.2} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_are_written_as_nats_server_writes_them() {
        for (bytes, text) in [
            (Some(0), "0 B"),
            (Some(1023), "1023 B"),
            (Some(1024), "1.00 KB"),
            (Some(19_000_000_000), "17.70 GB"),
            (None, "none"),
        ] {
            assert_eq!(ceiling(bytes), text);
        }
    }
}
