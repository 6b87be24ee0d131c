//! The settings of monitoring over HTTP, and of profiles; reference rows D25 and B50 to B66.

use std::path::PathBuf;

use super::options::Personality;

/// Connections that ended of which something is kept, unless said otherwise.
const MAX_CLOSED_CLIENTS: usize = 10_000;

/// Where the server can be watched, and by whom.
#[derive(Clone, PartialEq, Eq)]
pub struct MonitoringOptions {
    /// Address or host name to listen on. `None`: loopback; as `nats-server`, where clients connect.
    pub host: Option<String>,
    /// TCP port for HTTP; 0 picks a free one. `None`: there is no monitoring over HTTP.
    pub port: Option<u16>,
    /// The same for HTTPS, with the certificates that clients are shown. One of the two at most.
    pub https_port: Option<u16>,
    /// TCP port for profiles over HTTP, at the same host; 0 picks a free one. `None`: there are none.
    pub profile_port: Option<u16>,
    /// What stands before each path: empty, or a `/` and a name without one at its end.
    pub base_path: String,
    /// Token that requests must bear, plain or bcrypt.
    pub token: Option<String>,
    /// File that the token is from.
    pub token_file: Option<PathBuf>,
    /// Connections that ended of which something is kept.
    pub max_closed_clients: usize,
}

impl MonitoringOptions {
    /// The host that is listened on.
    pub fn host_for(&self, personality: Personality, clients_host: Option<&str>) -> String {
        let by_default = || match personality {
            Personality::Recado => "127.0.0.1",
            Personality::NatsServer => clients_host.unwrap_or("0.0.0.0"),
        };
        self.host.as_deref().unwrap_or_else(by_default).to_owned()
    }
}

impl Default for MonitoringOptions {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            https_port: None,
            profile_port: None,
            base_path: String::new(),
            token: None,
            token_file: None,
            max_closed_clients: MAX_CLOSED_CLIENTS,
        }
    }
}

/// The token never reaches a log through `{:?}`.
impl std::fmt::Debug for MonitoringOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MonitoringOptions")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("https_port", &self.https_port)
            .field("profile_port", &self.profile_port)
            .field("base_path", &self.base_path)
            .field("token", &self.token.as_ref().map(|_| "[redacted]"))
            .field("token_file", &self.token_file)
            .field("max_closed_clients", &self.max_closed_clients)
            .finish()
    }
}

/// A base path as it is compared: with a `/` before it and none behind it. `None` for what is no path.
pub(crate) fn base_path(text: &str) -> Option<String> {
    let trimmed = text.trim_matches('/');
    if trimmed.is_empty() {
        return text.chars().all(|c| c == '/').then(String::new);
    }
    let is_plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    trimmed
        .split('/')
        .all(is_plain)
        .then(|| format!("/{trimmed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_begins_with_a_slash_and_ends_with_none() {
        for (written, path) in [
            ("", Some("")),
            ("/", Some("")),
            ("nats", Some("/nats")),
            ("/nats/", Some("/nats")),
            ("/a/b-1", Some("/a/b-1")),
            ("a//b", None),
            ("../etc", None),
            ("a?b", None),
            ("a b", None),
            ("a%2fb", None),
        ] {
            assert_eq!(base_path(written).as_deref(), path, "{written:?}");
        }
    }

    #[test]
    fn monitoring_is_only_for_this_machine_unless_an_address_is_given() {
        let mut options = MonitoringOptions::default();
        let clients = Some("192.0.2.1");
        assert_eq!(options.host_for(Personality::Recado, clients), "127.0.0.1");
        assert_eq!(
            options.host_for(Personality::NatsServer, clients),
            "192.0.2.1"
        );
        assert_eq!(options.host_for(Personality::NatsServer, None), "0.0.0.0");
        options.host = Some("0.0.0.0".to_owned());
        assert_eq!(options.host_for(Personality::Recado, clients), "0.0.0.0");
    }

    #[test]
    fn the_token_is_not_shown() {
        let options = MonitoringOptions {
            token: Some("clave".to_owned()),
            ..MonitoringOptions::default()
        };
        assert!(!format!("{options:?}").contains("clave"));
    }
}
