//! `<program>_<pid>.ports`: where this server listens, as JSON, for whoever started it with a free
//! port. The shape is nats-server's, so that harnesses made for it find what they look for.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::messages::Obstacle;
use super::pid_file::write_whole;

/// What the file says. A list that is empty is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Ports {
    /// URLs for NATS clients.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nats: Vec<String>,
    /// URLs for WebSocket clients.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub websocket: Vec<String>,
    /// URLs for MQTT clients.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mqtt: Vec<String>,
    /// URLs of monitoring.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub monitoring: Vec<String>,
    /// URLs of profiles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profile: Vec<String>,
    /// URLs for bare TCP peers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plain: Vec<String>,
}

/// What the server's listeners are bound to, and whether clients must speak TLS there.
pub(super) struct Bound<'a> {
    pub(super) clients: (SocketAddr, bool),
    pub(super) websocket: Option<(SocketAddr, bool)>,
    pub(super) mqtt: Option<(SocketAddr, bool)>,
    /// With its scheme.
    pub(super) monitoring: Option<(&'a str, SocketAddr)>,
    pub(super) profiles: Option<SocketAddr>,
    pub(super) plain: &'a [SocketAddr],
}

impl Ports {
    /// The URLs under which these listeners can be reached.
    pub(super) fn of(bound: &Bound<'_>) -> Self {
        let Bound {
            clients: (clients, tls),
            websocket,
            mqtt,
            monitoring,
            profiles,
            plain,
        } = *bound;
        let interfaces = interfaces();
        let urls = |scheme: &str, bound: &[SocketAddr]| {
            bound
                .iter()
                .flat_map(|address| reachable(*address, &interfaces))
                .map(|address| format!("{scheme}://{address}"))
                .collect()
        };
        Self {
            nats: urls(if tls { "tls" } else { "nats" }, &[clients]),
            websocket: websocket
                .map(|(address, tls)| urls(if tls { "wss" } else { "ws" }, &[address]))
                .unwrap_or_default(),
            mqtt: mqtt
                .map(|(address, tls)| urls(if tls { "mqtts" } else { "mqtt" }, &[address]))
                .unwrap_or_default(),
            monitoring: monitoring
                .map(|(scheme, at)| urls(scheme, &[at]))
                .unwrap_or_default(),
            profile: urls("http", profiles.as_slice()),
            plain: urls("tcp", plain),
        }
    }
}

/// Removes its file when dropped.
#[derive(Debug)]
pub(super) struct PortsFile {
    path: PathBuf,
}

impl PortsFile {
    /// Writes `<directory>/<program>_<pid>.ports`.
    pub(super) fn create(directory: &Path, program: &str, ports: &Ports) -> Result<Self, Obstacle> {
        let name = format!("{program}_{}.ports", std::process::id());
        let path = directory.join(name);
        let path = std::path::absolute(&path).unwrap_or(path);
        let unwritable = |error: String| Obstacle::PortsFileUnwritable {
            path: path.clone(),
            error,
        };
        let text = serde_json::to_vec(ports).map_err(|error| unwritable(error.to_string()))?;
        write_whole(&path, &text).map_err(|error| unwritable(error.to_string()))?;
        Ok(Self { path })
    }
}

impl Drop for PortsFile {
    fn drop(&mut self) {
        // The process ends whether or not this works.
        let _ = fs::remove_file(&self.path);
    }
}

/// "Every address" can't be connected to: it is replaced by those of the interfaces.
fn reachable(bound: SocketAddr, interfaces: &[IpAddr]) -> Vec<SocketAddr> {
    if !bound.ip().is_unspecified() {
        return vec![bound];
    }
    interfaces
        .iter()
        .filter(|ip| bound.is_ipv6() || ip.is_ipv4())
        .map(|ip| SocketAddr::new(*ip, bound.port()))
        .collect()
}

/// Addresses of this machine, loopback first. IPv6 link-local ones are of no use without a zone.
fn interfaces() -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = nix::ifaddrs::getifaddrs()
        .into_iter()
        .flatten()
        .filter_map(|interface| {
            let address = interface.address?;
            match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
                (Some(v4), _) => Some(IpAddr::V4(v4.ip())),
                (_, Some(v6)) if !v6.ip().is_unicast_link_local() => Some(IpAddr::V6(v6.ip())),
                _ => None,
            }
        })
        .collect();
    found.sort_by_key(|ip| (!ip.is_loopback(), ip.is_ipv6()));
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_file_is_what_harnesses_read_and_goes_with_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let ports = Ports::of(&Bound {
            clients: (address("127.0.0.1:4333"), false),
            websocket: Some((address("127.0.0.1:8080"), true)),
            mqtt: Some((address("127.0.0.1:1883"), false)),
            monitoring: Some(("http", address("127.0.0.1:8333"))),
            profiles: Some(address("127.0.0.1:6060")),
            plain: &[],
        });
        let file = PortsFile::create(directory.path(), "nats-server", &ports).unwrap();
        let path = directory
            .path()
            .join(format!("nats-server_{}.ports", std::process::id()));
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            r#"{"nats":["nats://127.0.0.1:4333"],"websocket":["wss://127.0.0.1:8080"],"mqtt":["mqtt://127.0.0.1:1883"],"monitoring":["http://127.0.0.1:8333"],"profile":["http://127.0.0.1:6060"]}"#
        );
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn every_address_becomes_those_that_can_be_reached() {
        let interfaces = ["127.0.0.1", "::1", "192.0.2.7"].map(|ip| ip.parse().unwrap());
        let shown = |bound| {
            reachable(address(bound), &interfaces)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(shown("0.0.0.0:1"), ["127.0.0.1:1", "192.0.2.7:1"]);
        assert_eq!(shown("[::]:1"), ["127.0.0.1:1", "[::1]:1", "192.0.2.7:1"]);
        assert_eq!(shown("[::1]:1"), ["[::1]:1"]);
    }

    #[test]
    fn loopback_comes_first() {
        assert!(interfaces().first().is_some_and(IpAddr::is_loopback));
    }

    #[test]
    fn a_missing_directory_is_named() {
        let outcome = PortsFile::create(Path::new("/nowhere"), "x", &Ports::default());
        assert!(matches!(outcome, Err(Obstacle::PortsFileUnwritable { .. })));
    }
}
