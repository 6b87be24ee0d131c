//! What must hold between settings, wherever each came from.

use std::net::IpAddr;

use super::fault::Fault;
use super::keys::Findings;
use super::messages::{KeyProblem, TransportProblem};
use super::mqtt::MqttOptions;
use super::options::{Authorization, Options, Personality};
use super::streams::is_domain;
use super::tls::{CertificateFiles, TlsOptions};

/// A larger `max_payload` gets a warning.
const PAYLOAD_USUAL_MAX: usize = 8 * 1024 * 1024;

/// A token beside a user, or half a user. A lone password beside several users stands for the variable that theirs are
/// taken from: nats-server's examples call it `PASS`.
fn contradiction(authorization: &Authorization) -> Option<KeyProblem> {
    match (
        &authorization.token,
        &authorization.user,
        &authorization.password,
    ) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => Some(KeyProblem::TokenAndUser),
        (None, None, Some(_)) if authorization.users.is_empty() => {
            Some(KeyProblem::PasswordWithoutUser)
        }
        (None, Some(_), None) => Some(KeyProblem::UserWithoutPassword),
        _ => None,
    }
}

impl Options {
    /// Whether the settings fit each other. A server must not be started with errors left.
    pub fn validate(&self) -> Findings {
        let mut findings = Findings::default();
        let mut error = |problem| findings.errors.push(Fault::anywhere(problem));
        let limits = &self.limits;
        if limits.max_payload > limits.max_pending {
            error(KeyProblem::PayloadAbovePending {
                payload: limits.max_payload,
                pending: limits.max_pending,
            });
        }
        if self
            .server_name
            .as_ref()
            .is_some_and(|name| name.contains(' '))
        {
            error(KeyProblem::ServerNameSpaces);
        }
        if self.lame_duck_grace_period >= self.lame_duck_duration {
            error(KeyProblem::GraceNotBelowDuration {
                grace: self.lame_duck_grace_period,
                duration: self.lame_duck_duration,
            });
        }
        if let Some(tls) = &self.tls {
            tls_problems("tls", tls).into_iter().for_each(&mut error);
        }
        if let Some(websocket) = &self.websocket {
            match &websocket.tls {
                Some(tls) => tls_problems("websocket's tls", tls)
                    .into_iter()
                    .for_each(&mut error),
                None if !websocket.no_tls => error(TransportProblem::WebsocketWithoutTls.into()),
                None => {}
            }
        }
        if let Some(mqtt) = &self.mqtt {
            self.mqtt_problems(mqtt).into_iter().for_each(&mut error);
        }
        match (self.monitoring.port, self.monitoring.https_port) {
            (Some(_), Some(_)) => error(KeyProblem::HttpAndHttps),
            (None, Some(_)) if self.tls.is_none() => error(KeyProblem::HttpsWithoutTls),
            _ => {}
        }
        let authorization = &self.authorization;
        contradiction(authorization)
            .into_iter()
            .for_each(&mut error);
        let websocket = self.websocket.as_ref();
        let own = websocket.map(|websocket| &websocket.authorization);
        own.and_then(contradiction).into_iter().for_each(&mut error);
        if let Some(host) = self.host_open_to_all() {
            error(KeyProblem::OpenToAll(host.to_owned()));
        }
        let streams = &self.streams;
        if streams.enabled && streams.store_dir.is_none() {
            error(KeyProblem::NoStoreDir);
        }
        if let Some(domain) = streams.domain.as_ref().filter(|name| !is_domain(name)) {
            error(KeyProblem::BadDomain(domain.clone()));
        }
        let encryption = &streams.encryption;
        let wanted = encryption.cipher.is_some() || encryption.previous.is_some();
        if wanted && encryption.key.is_none() {
            error(KeyProblem::CipherWithoutKey);
        }
        self.ports_given_twice().into_iter().for_each(&mut error);
        if limits.max_payload > PAYLOAD_USUAL_MAX {
            let warning = KeyProblem::LargePayload(limits.max_payload);
            findings.warnings.push(Fault::anywhere(warning));
        }
        findings
    }

    /// What MQTT needs, and does not get.
    fn mqtt_problems(&self, mqtt: &MqttOptions) -> Vec<KeyProblem> {
        let mut problems = Vec::new();
        if let Some(tls) = &mqtt.tls {
            problems.extend(tls_problems("mqtt's tls", tls));
        }
        problems.extend(contradiction(&mqtt.authorization));
        if !self.streams.enabled {
            problems.push(TransportProblem::MqttWithoutStreams.into());
        }
        if self.limits.no_header_support {
            problems.push(TransportProblem::MqttWithoutHeaders.into());
        }
        if let Some(domain) = mqtt.js_domain.as_ref().filter(|name| !is_domain(name)) {
            problems.push(KeyProblem::BadDomain(domain.clone()));
        }
        problems
    }

    /// Listeners that would take a port from each other. Port 0 takes a free one each time.
    fn ports_given_twice(&self) -> Vec<KeyProblem> {
        let mut ports: Vec<u16> = self.plain.iter().map(|plain| plain.port).collect();
        ports.retain(|port| *port != 0);
        ports.sort_unstable();
        let twice = ports.windows(2).filter_map(|pair| match pair {
            [first, second] if first == second => Some(KeyProblem::PlainPortTwice(*first)),
            _ => None,
        });
        let websocket = self.websocket.as_ref().map(|websocket| websocket.port);
        let websocket = websocket.filter(|port| {
            *port != 0
                && (*port == self.port
                    || ports.contains(port)
                    || self.monitoring.port == Some(*port))
        });
        let websocket = websocket.map(|port| TransportProblem::WebsocketPortTaken(port).into());
        let others = |port: u16| {
            let websocket = self.websocket.as_ref().map(|websocket| websocket.port);
            port == self.port
                || ports.contains(&port)
                || [websocket, self.monitoring.port].contains(&Some(port))
        };
        let mqtt = self.mqtt.as_ref().map(|mqtt| mqtt.port);
        let taken = mqtt.filter(|port| *port != 0 && others(*port));
        let taken = taken.map(|port| TransportProblem::MqttPortTaken(port).into());
        let profiles = self.monitoring.profile_port;
        let served = self.monitoring.port.or(self.monitoring.https_port);
        let profiles = profiles
            .filter(|port| *port != 0 && (others(*port) || [mqtt, served].contains(&Some(*port))));
        let profiles = profiles.map(KeyProblem::ProfilePortTaken);
        let clients = ports
            .contains(&self.port)
            .then_some(KeyProblem::PlainPortIsClients(self.port));
        let monitoring = &self.monitoring;
        let monitoring = monitoring.port.or(monitoring.https_port);
        let monitoring = monitoring
            .filter(|port| *port != 0 && (*port == self.port || ports.contains(port)))
            .map(KeyProblem::MonitoringPortTaken);
        twice
            .chain(clients)
            .chain(monitoring)
            .chain(websocket)
            .chain(taken)
            .chain(profiles)
            .collect()
    }

    /// The address, when it was chosen, others can reach it, and nobody would be asked for a
    /// credential there. `nats-server` is open by default, and stays so.
    fn host_open_to_all(&self) -> Option<&str> {
        let closed = self.personality == Personality::NatsServer
            || self.allow_anonymous
            || self.asks_for_credential();
        self.host
            .as_deref()
            .filter(|host| !closed && !is_loopback(host))
    }
}

/// What does not fit in a `tls { … }`, which is called `block`.
fn tls_problems(block: &'static str, tls: &TlsOptions) -> Vec<KeyProblem> {
    let incomplete = |files: &CertificateFiles| {
        files.cert_file.as_os_str().is_empty() || files.key_file.as_os_str().is_empty()
    };
    let mut problems = Vec::new();
    if tls.certificates.is_empty() || tls.certificates.iter().any(incomplete) {
        problems.push(TransportProblem::CertificateIncomplete { block }.into());
    }
    if !tls.pinned_certs.is_empty() && !tls.asks_for_certificates() {
        problems.push(TransportProblem::PinsWithoutVerify.into());
    }
    if tls.ocsp_peer.is_some() && !tls.asks_for_certificates() {
        problems.push(TransportProblem::RevocationsWithoutVerify.into());
    }
    problems
}

/// Whether an address is only reachable from this machine. A name other than `localhost` may be
/// anything, so it is not.
fn is_loopback(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}
