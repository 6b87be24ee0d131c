//! A server's monitoring port: where it is, and a report from it.
//!
//! Whatever answers there may be anything: what it sends is bounded in bytes and in time.

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use ureq::Agent;

use super::figures::Report;
use crate::text::top as text;

/// Where nats-server's monitoring usually is.
const PORT: u16 = 8222;

/// The most bytes of one answer.
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// How many connections are listed at the most.
const CONNECTIONS_MAX: usize = 1024;

/// How long one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// The monitoring port of one server.
#[derive(Clone)]
pub(super) struct Monitor {
    agent: Agent,
    url: String,
}

/// Reads `http://HOST:PORT` or `HOST:PORT`.
pub(super) fn url(written: &str) -> Result<String, String> {
    let rest = match written.split_once("://") {
        Some(("http", rest)) => rest,
        Some(_) => return Err(text::bad_monitor(written)),
        None => written,
    };
    let rest = rest.trim_end_matches('/');
    let fits = !rest.is_empty()
        && rest.contains(|c: char| c.is_alphanumeric())
        && !rest.contains(['?', '#', '@'])
        && !rest.chars().any(|c| c.is_whitespace() || c.is_control());
    match fits {
        true => Ok(format!("http://{rest}")),
        false => Err(text::bad_monitor(written)),
    }
}

impl Monitor {
    /// The one that was named, or else the usual port of the server at `address`.
    pub(super) fn new(named: Option<&str>, address: &str) -> Self {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let url = match named {
            Some(url) => url.to_owned(),
            None => format!("http://{host}:{PORT}"),
        };
        let config = Agent::config_builder()
            .timeout_global(Some(ANSWER_LIMIT))
            .max_redirects(0)
            .proxy(None)
            .user_agent("recado")
            .build();
        Self {
            agent: config.into(),
            url,
        }
    }

    /// Where it is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// A report, or why there is none. Waits: not for a thread of the runtime.
    pub(super) fn report(&self) -> Result<Report, String> {
        let varz = self.get("/varz")?;
        let connz = self.get(&format!("/connz?limit={CONNECTIONS_MAX}"))?;
        Ok(Report {
            taken: Instant::now(),
            varz,
            connz,
        })
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        let url = format!("{}{path}", self.url);
        let mut answer = self.agent.get(&url).call().map_err(|error| match error {
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                text::nothing_there().to_owned()
            }
            ureq::Error::Timeout(_) => text::no_answer_there().to_owned(),
            other => other.to_string(),
        })?;
        let body = answer
            .body_mut()
            .with_config()
            .limit(ANSWER_BYTES_MAX)
            .read_to_vec()
            .map_err(|error| error.to_string())?;
        serde_json::from_slice(&body).map_err(|_| text::not_monitoring(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_named_or_the_usual_one_of_the_same_host() {
        assert_eq!(
            url("localhost:8222").as_deref(),
            Ok("http://localhost:8222")
        );
        assert_eq!(url("http://[::1]:1/").as_deref(), Ok("http://[::1]:1"));
        for bad in ["", "https://a", "a b", "http://u:p@a", "http://"] {
            assert!(url(bad).is_err(), "{bad:?}");
        }
        let usual = |address| Monitor::new(None, address).url().to_owned();
        assert_eq!(usual("a.example:4222"), "http://a.example:8222");
        assert_eq!(usual("[::1]:4222"), "http://[::1]:8222");
        let named = Monitor::new(Some("http://b:1"), "a:4222");
        assert_eq!(named.url(), "http://b:1");
    }
}
