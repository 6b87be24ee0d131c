//! CONNECT: what a client says about itself. Reference rows A06, A07 and A12.

use serde::{Deserialize, Serialize};

/// The JSON of a CONNECT. What a client leaves out has the server's defaults: verbose and
/// pedantic on, echo on, headers and no_responders off.
#[derive(Clone, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default)]
pub struct Connect {
    /// Wants +OK for what was accepted.
    pub verbose: bool,
    /// Wants publish subjects checked.
    pub pedantic: bool,
    /// Insists on TLS.
    pub tls_required: bool,
    /// Token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_token: Option<String>,
    /// User name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<String>,
    /// Name the client gives itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Language of the client library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// Version of the client library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// 0, or 1: understands INFO at any time.
    pub protocol: i64,
    /// Wants its own messages back.
    pub echo: bool,
    /// Wants a 503 for requests that nobody listens for.
    pub no_responders: bool,
    /// Understands HMSG.
    pub headers: bool,
    /// Account the client asks for; always refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// As `account`; always refused.
    #[serde(skip_serializing_if = "is_false")]
    pub new_account: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Default for Connect {
    fn default() -> Self {
        Self {
            verbose: true,
            pedantic: true,
            tls_required: false,
            auth_token: None,
            user: None,
            pass: None,
            name: None,
            lang: None,
            version: None,
            protocol: 0,
            echo: true,
            no_responders: false,
            headers: false,
            account: None,
            new_account: false,
        }
    }
}

/// Secrets never reach a log through `{:?}`.
impl std::fmt::Debug for Connect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connect")
            .field("name", &self.name)
            .field("lang", &self.lang)
            .field("version", &self.version)
            .field("protocol", &self.protocol)
            .field("user", &self.user)
            .field(
                "auth_token",
                &self.auth_token.as_ref().map(|_| "[redacted]"),
            )
            .field("pass", &self.pass.as_ref().map(|_| "[redacted]"))
            .finish_non_exhaustive()
    }
}

/// The argument of CONNECT was not a JSON object of the right shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadConnect;

impl Connect {
    /// Reads the argument of a CONNECT line, as leniently as clients are used to: keys in any
    /// case, the last of repeated ones, `null` for what is left out, text that is not UTF-8 mended.
    pub fn parse(json: &[u8]) -> Result<Self, BadConnect> {
        let Ok(serde_json::Value::Object(given)) =
            serde_json::from_str(&String::from_utf8_lossy(json))
        else {
            return Err(BadConnect);
        };
        let known = given
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.to_ascii_lowercase(), value))
            .collect();
        serde_json::from_value(serde_json::Value::Object(known)).map_err(|_| BadConnect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_the_defaults() {
        let connect = Connect::parse(b"{}").unwrap();
        assert_eq!(connect, Connect::default());
        assert!(connect.verbose && connect.pedantic && connect.echo);
        assert!(!connect.headers && !connect.no_responders);
    }

    #[test]
    fn unknown_keys_are_ignored_and_wrong_shapes_refused() {
        let connect = Connect::parse(br#"{"verbose":false,"nkey":"U","x":[1]}"#).unwrap();
        assert!(!connect.verbose);
        for bad in [&b""[..], b"{", b"[]", br#"{"verbose":"yes"}"#] {
            assert_eq!(Connect::parse(bad), Err(BadConnect));
        }
    }

    #[test]
    fn keys_are_read_as_leniently_as_clients_are_used_to() {
        let read = |json: &[u8]| Connect::parse(json).unwrap();
        assert!(!read(br#"{"Verbose":false}"#).verbose);
        assert!(!read(br#"{"verbose":true,"verbose":false}"#).verbose);
        assert!(read(br#"{"verbose":null,"name":null}"#).verbose);
        assert_eq!(
            read(b"{\"name\":\"a\xff\"}").name.as_deref(),
            Some("a\u{fffd}")
        );
    }

    #[test]
    fn secrets_are_not_in_the_debug_text() {
        let connect = Connect::parse(br#"{"auth_token":"s3cr3t","pass":"s3cr3t"}"#).unwrap();
        assert!(!format!("{connect:?}").contains("s3cr3t"));
    }
}
