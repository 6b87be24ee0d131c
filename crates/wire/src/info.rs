//! INFO: what the server says about itself. Reference rows A02 to A05, A09 and A10.

use serde::{Deserialize, Serialize};

/// The JSON of an INFO. False and empty optional keys are left out (A04).
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default)]
pub struct Info {
    /// Public server key: 56 characters from `N`.
    pub server_id: String,
    /// Name; the id unless configured.
    pub server_name: String,
    /// nats-server version whose behaviour is offered. Clients switch features on by it.
    pub version: String,
    /// Protocol level of the server, 1.
    pub proto: i64,
    /// Commit that the program was built from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub git_commit: String,
    /// Toolchain; a key that clients of nats-server expect to be there.
    pub go: String,
    /// The program that really answers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server: String,
    /// Version of the program that really answers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server_version: String,
    /// Listening host.
    pub host: String,
    /// Listening port.
    pub port: u16,
    /// Headers are understood.
    pub headers: bool,
    /// A credential is asked for.
    #[serde(skip_serializing_if = "is_false")]
    pub auth_required: bool,
    /// TLS is demanded.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_required: bool,
    /// Clients must show a certificate.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_verify: bool,
    /// TLS is offered.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_available: bool,
    /// Streams are there.
    #[serde(skip_serializing_if = "is_false")]
    pub jetstream: bool,
    /// Level of the streams' API (E09); 0: there is none.
    #[serde(skip_serializing_if = "is_zero_level")]
    pub api_lvl: u32,
    /// Domain of the streams.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub domain: String,
    /// Largest payload in bytes. Always written by [`Info::line`].
    #[serde(skip_serializing_if = "is_zero_size")]
    pub max_payload: usize,
    /// Other addresses of this server or cluster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connect_urls: Vec<String>,
    /// Public curve key of the server: what is meant for it alone can be encrypted for it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub xkey: String,
    /// What concerns one client.
    #[serde(flatten)]
    pub client: ClientInfo,
}

/// The part of an INFO that differs from client to client, and from time to time.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default)]
pub struct ClientInfo {
    /// Number of this connection.
    #[serde(skip_serializing_if = "is_zero")]
    pub client_id: u64,
    /// Address the server sees.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_ip: String,
    /// The server is going away: reconnect elsewhere.
    #[serde(rename = "ldm", skip_serializing_if = "is_false")]
    pub lame_duck: bool,
    /// This INFO answers the first PING.
    #[serde(skip_serializing_if = "is_false")]
    pub connect_info: bool,
    /// What the client is to sign with its nkey (A14).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub nonce: String,
    /// That account is the server's own.
    #[serde(skip_serializing_if = "is_false")]
    pub acc_is_sys: bool,
    /// Account the client was bound to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remote_account: String,
    /// Largest payload in bytes, where it is less than that of all ([`Info::max_payload`]).
    #[serde(skip)]
    pub max_payload: Option<usize>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero_level(value: &u32) -> bool {
    *value == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero_size(value: &usize) -> bool {
    *value == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl Info {
    /// The whole line `INFO {json}` CR LF.
    pub fn line(&self) -> Vec<u8> {
        self.prepare().line(&self.client)
    }

    /// Writes what all clients are told once, for a line to each of them.
    pub fn prepare(&self) -> PreparedInfo {
        let mut common = self.clone();
        common.client = ClientInfo::default();
        let max_payload = std::mem::take(&mut common.max_payload);
        let mut start = b"INFO ".to_vec();
        write_json(&mut start, &common);
        start.pop();
        start.extend_from_slice(b",\"max_payload\":");
        PreparedInfo { start, max_payload }
    }
}

/// An INFO but for what concerns one client.
#[derive(Clone, Debug)]
pub struct PreparedInfo {
    /// `INFO {"key":value…,"max_payload":`, without the rest.
    start: Vec<u8>,
    max_payload: usize,
}

impl PreparedInfo {
    /// The whole line `INFO {json}` CR LF for one client.
    pub fn line(&self, client: &ClientInfo) -> Vec<u8> {
        let mut own = Vec::with_capacity(128);
        write_json(&mut own, client);
        let own = own.strip_prefix(b"{").unwrap_or(b"}");
        let mut line = Vec::with_capacity(self.start.len() + own.len() + 24);
        line.extend_from_slice(&self.start);
        let max_payload = client.max_payload.unwrap_or(usize::MAX);
        let max_payload = max_payload.min(self.max_payload).to_string();
        line.extend_from_slice(max_payload.as_bytes());
        if own != b"}" {
            line.push(b',');
        }
        line.extend_from_slice(own);
        line.extend_from_slice(b" \r\n");
        line
    }
}

/// Strings, numbers and flags: there is nothing in them that could fail to serialize.
fn write_json(out: &mut Vec<u8>, value: &impl Serialize) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"{}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prepared_info_says_the_same_as_one_written_at_once() {
        let mut info = Info {
            server_name: "a \"name\"".to_owned(),
            ..Info::default()
        };
        for client in [
            ClientInfo::default(),
            ClientInfo {
                client_id: 7,
                client_ip: "::1".to_owned(),
                lame_duck: true,
                connect_info: true,
                nonce: String::new(),
                acc_is_sys: false,
                remote_account: "$G".to_owned(),
                max_payload: None,
            },
        ] {
            let line = info.prepare().line(&client);
            let json = line.strip_prefix(b"INFO ").unwrap();
            info.client = client;
            assert_eq!(serde_json::from_slice::<Info>(json).unwrap(), info);
        }
    }

    #[test]
    fn a_client_that_may_send_less_is_told_so() {
        let info = Info {
            max_payload: 1000,
            ..Info::default()
        };
        let told = |max_payload| {
            let client = ClientInfo {
                max_payload,
                ..ClientInfo::default()
            };
            let line = info.prepare().line(&client);
            let json = line.strip_prefix(b"INFO ").unwrap();
            serde_json::from_slice::<Info>(json).unwrap().max_payload
        };
        assert_eq!(
            [told(None), told(Some(7)), told(Some(2000))],
            [1000, 7, 1000]
        );
    }

    #[test]
    fn optional_keys_are_left_out_when_false_or_empty() {
        let line = String::from_utf8(Info::default().line()).unwrap();
        for key in [
            "auth_required",
            "jetstream",
            "ldm",
            "connect_urls",
            "client_id",
            "api_lvl",
            "git_commit",
            "xkey",
        ] {
            assert!(!line.contains(key), "{key} in {line}");
        }
        for key in [
            "server_id",
            "server_name",
            "version",
            "proto",
            "go",
            "host",
            "port",
            "headers",
        ] {
            assert!(
                line.contains(&format!("\"{key}\":")),
                "{key} missing in {line}"
            );
        }
        assert!(line.starts_with("INFO {") && line.ends_with("\r\n"));
    }
}
