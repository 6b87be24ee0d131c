//! CONNECT: what a client says about itself. Reference rows A06, A07 and A12.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

/// The JSON of a CONNECT. What a client leaves out has the server's defaults: verbose and
/// pedantic on, echo on, headers and no_responders off.
#[derive(Clone, Serialize, PartialEq, Eq)]
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
    /// Public nkey of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nkey: Option<String>,
    /// The user's signed claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt: Option<String>,
    /// The nonce of INFO, signed with the user's nkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
    /// The nonce of INFO, signed by the proxy that the client came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_sig: Option<String>,
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
            nkey: None,
            jwt: None,
            sig: None,
            proxy_sig: None,
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
impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redacted = |secret: &Option<String>| secret.as_ref().map(|_| "[redacted]");
        f.debug_struct("Connect")
            .field("name", &self.name)
            .field("lang", &self.lang)
            .field("version", &self.version)
            .field("protocol", &self.protocol)
            .field("user", &self.user)
            .field("nkey", &self.nkey)
            .field("auth_token", &redacted(&self.auth_token))
            .field("pass", &redacted(&self.pass))
            .field("jwt", &redacted(&self.jwt))
            .field("sig", &redacted(&self.sig))
            .field("proxy_sig", &redacted(&self.proxy_sig))
            .finish_non_exhaustive()
    }
}

/// The argument of CONNECT was not a JSON object of the right shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadConnect;

impl Connect {
    /// Reads the argument of a CONNECT line as nats-server does, which is as leniently as Go reads
    /// JSON: keys in any case; of repeated ones the last, whatever its case; `null` changes nothing;
    /// unknown keys may hold anything, at any depth; text that is not Unicode is mended. A known key
    /// with a value of the wrong kind is refused even where a later one would be right.
    ///
    /// One difference: the shape of `import` and `export`, which concern leaf nodes only, is not
    /// looked at.
    pub fn parse(json: &[u8]) -> Result<Self, BadConnect> {
        let text = String::from_utf8_lossy(json);
        let given: Option<Self> =
            serde_json::from_str(&without_lone_surrogates(&text)).map_err(|_| BadConnect)?;
        Ok(given.unwrap_or_default())
    }

    /// Only what it proves who the client is by.
    pub fn credential(&self) -> Self {
        Self {
            auth_token: self.auth_token.clone(),
            user: self.user.clone(),
            pass: self.pass.clone(),
            nkey: self.nkey.clone(),
            jwt: self.jwt.clone(),
            sig: self.sig.clone(),
            proxy_sig: self.proxy_sig.clone(),
            ..Self::default()
        }
    }
}

impl<'de> Deserialize<'de> for Connect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

/// Takes the keys of a CONNECT one by one, in their order.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Connect;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Connect, M::Error> {
        let mut read = Connect::default();
        while let Some(key) = map.next_key::<String>()? {
            match folded(&key).as_str() {
                "verbose" => set(&mut read.verbose, map.next_value::<Option<bool>>()?),
                "pedantic" => set(&mut read.pedantic, map.next_value::<Option<bool>>()?),
                "tls_required" => set(&mut read.tls_required, map.next_value::<Option<bool>>()?),
                "auth_token" => set(&mut read.auth_token, map.next_value::<Option<String>>()?),
                "user" => set(&mut read.user, map.next_value::<Option<String>>()?),
                "pass" => set(&mut read.pass, map.next_value::<Option<String>>()?),
                "name" => set(&mut read.name, map.next_value::<Option<String>>()?),
                "lang" => set(&mut read.lang, map.next_value::<Option<String>>()?),
                "version" => set(&mut read.version, map.next_value::<Option<String>>()?),
                "protocol" => set(&mut read.protocol, map.next_value::<Option<i64>>()?),
                "echo" => set(&mut read.echo, map.next_value::<Option<bool>>()?),
                "no_responders" => set(&mut read.no_responders, map.next_value::<Option<bool>>()?),
                "headers" => set(&mut read.headers, map.next_value::<Option<bool>>()?),
                "account" => set(&mut read.account, map.next_value::<Option<String>>()?),
                "new_account" => set(&mut read.new_account, map.next_value::<Option<bool>>()?),
                "nkey" => set(&mut read.nkey, map.next_value::<Option<String>>()?),
                "jwt" => set(&mut read.jwt, map.next_value::<Option<String>>()?),
                "sig" => set(&mut read.sig, map.next_value::<Option<String>>()?),
                "proxy_sig" => set(&mut read.proxy_sig, map.next_value::<Option<String>>()?),
                // What this server has no use for must be text all the same.
                "remote_account" => {
                    map.next_value::<Option<String>>()?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(read)
    }
}

/// `null` leaves what was said before.
fn set<T, G: Into<T>>(place: &mut T, given: Option<G>) {
    if let Some(given) = given {
        *place = given.into();
    }
}

/// A key without regard to case, as Go compares: two letters beyond ASCII count as `s` and `k`.
fn folded(key: &str) -> String {
    let fold = |letter: char| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    key.chars().map(fold).collect()
}

/// The JSON with U+FFFD for every escape like `\ud800`, half of a pair without its other half: Go reads
/// them so, serde_json refuses them.
fn without_lone_surrogates(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u") {
        return Cow::Borrowed(json);
    }
    let mut mended = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let length = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(Half::First), Some(Half::Second)) => 12,
            (Some(_), _) => {
                mended.push_str("\\ufffd");
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            // A backslash and the character that it stands before.
            _ => 1 + escape.chars().nth(1).map_or(0, char::len_utf8),
        };
        let (whole, behind) = escape.split_at_checked(length).unwrap_or((escape, ""));
        mended.push_str(whole);
        rest = behind;
    }
    mended.push_str(rest);
    Cow::Owned(mended)
}

/// Which half of a pair an escape is.
enum Half {
    First,
    Second,
}

/// Which half of a pair `text` begins with, as an escape like `\ud800`.
fn surrogate(text: &str) -> Option<Half> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let whole = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    match u16::from_str_radix(digits, 16).ok().filter(|_| whole)? {
        0xd800..=0xdbff => Some(Half::First),
        0xdc00..=0xdfff => Some(Half::Second),
        _ => None,
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
        assert!(!read("{\"verbo\u{17f}e\":false}".as_bytes()).verbose);
        assert!(read(br#"{"verbose":null,"name":null}"#).verbose);
        assert_eq!(Connect::parse(b" null "), Ok(Connect::default()));
        assert_eq!(
            read(b"{\"name\":\"a\xff\"}").name.as_deref(),
            Some("a\u{fffd}")
        );
    }

    #[test]
    fn the_last_of_repeated_keys_counts_whatever_its_case() {
        let verbose = |json: &str| Connect::parse(json.as_bytes()).map(|read| read.verbose);
        assert_eq!(verbose(r#"{"verbose":true,"verbose":false}"#), Ok(false));
        assert_eq!(verbose(r#"{"verbose":true,"Verbose":false}"#), Ok(false));
        assert_eq!(verbose(r#"{"Verbose":false,"verbose":true}"#), Ok(true));
        assert_eq!(verbose(r#"{"verbose":false,"verbose":null}"#), Ok(false));
        assert_eq!(
            verbose(r#"{"verbose":"no","verbose":false}"#),
            Err(BadConnect)
        );
    }

    #[test]
    fn half_a_surrogate_pair_is_mended() {
        for (given, read) in [
            (r"a\ud800b", "a\u{fffd}b"),
            (r"\udc00\uD800", "\u{fffd}\u{fffd}"),
            (r"\ud800\ud83d\ude00\ud83d", "\u{fffd}\u{1f600}\u{fffd}"),
            (r"\\ud800", "\\ud800"),
            (r"\\\ud800\n", "\\\u{fffd}\n"),
            (r"\ud800\u00e9", "\u{fffd}é"),
        ] {
            let json = format!(r#"{{"name":"{given}"}}"#);
            let connect = Connect::parse(json.as_bytes()).unwrap();
            assert_eq!(connect.name.as_deref(), Some(read), "{given}");
        }
        for bad in [r"\u", r"\ud8", r"\u+123", r"\ud80g", r"\é", "\t", r"\"] {
            let json = format!(r#"{{"name":"{bad}"}}"#);
            assert_eq!(Connect::parse(json.as_bytes()), Err(BadConnect), "{bad}");
        }
    }

    #[test]
    fn unknown_keys_may_hold_anything_that_is_json() {
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        for value in ["1e999", "-1E400", "[{\"x\":1e999}]", "\"\\ud800\"", &deep] {
            let json = format!(r#"{{"verbose":false,"x":{value}}}"#);
            let read = Connect::parse(json.as_bytes()).map(|read| read.verbose);
            assert_eq!(read, Ok(false), "{}", &value[..value.len().min(20)]);
        }
        for value in ["01", "1.", ".1", "-", "NaN", "\"\t\"", "[", "tru"] {
            let json = format!(r#"{{"x":{value}}}"#);
            assert_eq!(Connect::parse(json.as_bytes()), Err(BadConnect), "{value}");
        }
        for bad in [
            r#"{"nkey":5}"#,
            r#"{"protocol":1.0}"#,
            r#"{"protocol":1e999}"#,
        ] {
            assert_eq!(Connect::parse(bad.as_bytes()), Err(BadConnect), "{bad}");
        }
    }

    #[test]
    fn secrets_are_not_in_the_debug_text() {
        let secrets = ["auth_token", "pass", "jwt", "sig", "proxy_sig"];
        for secret in secrets {
            let json = format!(r#"{{"{secret}":"s3cr3t"}}"#);
            let connect = Connect::parse(json.as_bytes()).unwrap();
            assert_ne!(connect, Connect::default());
            assert!(!format!("{connect:?}").contains("s3cr3t"), "{secret}");
        }
    }
}
