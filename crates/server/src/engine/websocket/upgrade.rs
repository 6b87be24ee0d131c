//! The HTTP request that a WebSocket begins with, and the answer to it (RFC 6455 section 4.2; reference
//! rows B13, B14, B16 and B17).

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use recado_wire::Connect;
use sha1::{Digest, Sha1};

use crate::config::WebsocketOptions;

/// Headers of a request that are read.
const HEADERS_MAX: usize = 100;
/// What a key is joined with before it is hashed; from the standard.
const ACCEPT_SALT: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// A client that asks for it need not mask its frames.
const NO_MASKING: &str = "Nats-No-Masking";
/// The subprotocol of MQTT.
const MQTT_PROTOCOL: &str = "mqtt";

/// Why a request is turned down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    /// For the log.
    pub(crate) reason: String,
}

/// A request that asks rightly.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Upgrade {
    /// The request's length in bytes.
    pub(crate) length: usize,
    accept: String,
    /// Messages may be compressed.
    pub(crate) compression: bool,
    /// The client need not mask its frames.
    pub(crate) unmasked: bool,
    /// Whose the connection is, as proxies tell.
    pub(crate) forwarded_for: Option<IpAddr>,
    pub(crate) cookies: Cookies,
    /// The client speaks MQTT.
    pub(crate) mqtt: Option<Mqtt>,
}

/// How MQTT was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mqtt {
    /// As a subprotocol, too: then the answer names it.
    named: bool,
}

/// Credentials that a browser sent along.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Cookies {
    pub(crate) jwt: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) token: Option<String>,
}

/// Secrets never reach a log through `{:?}`.
impl std::fmt::Debug for Cookies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cookies")
    }
}

impl Cookies {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Fills in what a CONNECT does not say.
    pub(crate) fn fill(&self, connect: &mut Connect) {
        for (place, cookie) in [
            (&mut connect.jwt, &self.jwt),
            (&mut connect.user, &self.user),
            (&mut connect.pass, &self.password),
            (&mut connect.auth_token, &self.token),
        ] {
            if place.as_deref().is_none_or(str::is_empty) && cookie.is_some() {
                place.clone_from(cookie);
            }
        }
    }

    /// Itself, if there is anything in it.
    pub(crate) fn boxed(self) -> Option<Box<Self>> {
        (!self.is_empty()).then(|| Box::new(self))
    }
}

/// Reads a request; `None` until it is whole. `mqtt`: clients may speak that.
pub(crate) fn parse(
    input: &[u8],
    options: &WebsocketOptions,
    secure: bool,
    mqtt: bool,
) -> Result<Option<Upgrade>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(input) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(refuse(431, "too many headers")),
        Err(error) => return Err(refuse(400, format!("not an HTTP request: {error}"))),
    };
    let request = Request {
        method: request.method.unwrap_or_default(),
        path: request.path.unwrap_or_default(),
        headers: request.headers,
    };
    request.judge(options, secure, mqtt)?;
    let key = request.header("Sec-WebSocket-Key").unwrap_or_default();
    let digest = Sha1::new_with_prefix(key)
        .chain_update(ACCEPT_SALT)
        .finalize();
    Ok(Some(Upgrade {
        length,
        accept: BASE64.encode(digest),
        compression: options.compression && request.offers_compression(),
        unmasked: request.header(NO_MASKING) == Some("true"),
        forwarded_for: request.forwarded_for(),
        cookies: request.cookies(options),
        mqtt: request.asks_for_mqtt().then(|| Mqtt {
            named: request.says("Sec-WebSocket-Protocol", MQTT_PROTOCOL),
        }),
    }))
}

impl Upgrade {
    /// The answer.
    pub(crate) fn answer(&self, options: &WebsocketOptions) -> Vec<u8> {
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n",
            self.accept
        );
        if self.compression {
            answer.push_str("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n");
        }
        if self.unmasked {
            answer.push_str("Nats-No-Masking: true\r\n");
        }
        if self.mqtt.is_some_and(|mqtt| mqtt.named) {
            answer.push_str(&format!("Sec-WebSocket-Protocol: {MQTT_PROTOCOL}\r\n"));
        }
        for (name, value) in &options.headers {
            answer.push_str(&format!("{name}: {value}\r\n"));
        }
        answer.push_str("\r\n");
        answer.into_bytes()
    }
}

impl Refusal {
    /// The request is longer than it may be.
    pub(crate) fn too_long() -> Self {
        refuse(431, "the request is longer than 16 KiB")
    }

    /// The answer.
    pub(crate) fn answer(&self) -> Vec<u8> {
        let text = match self.status {
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            426 => "Upgrade Required",
            431 => "Request Header Fields Too Large",
            _ => "Bad Request",
        };
        let status = self.status;
        let length = text.len() + 1;
        format!("HTTP/1.1 {status} {text}\r\nContent-Type: text/plain; charset=utf-8\r\nSec-WebSocket-Version: 13\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}\n").into_bytes()
    }
}

fn refuse(status: u16, reason: impl Into<String>) -> Refusal {
    Refusal {
        status,
        reason: reason.into(),
    }
}

struct Request<'a, 'b> {
    method: &'a str,
    path: &'a str,
    headers: &'a [httparse::Header<'b>],
}

impl Request<'_, '_> {
    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .filter_map(|header| std::str::from_utf8(header.value).ok())
            .map(str::trim)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.values(name).next().filter(|value| !value.is_empty())
    }

    /// Whether one of the words of a header is this one.
    fn says(&self, name: &str, word: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(','))
            .any(|found| found.trim().eq_ignore_ascii_case(word))
    }

    /// The path, without what follows a question mark.
    fn plain_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    fn asks_for_mqtt(&self) -> bool {
        self.plain_path().ends_with("/mqtt")
    }

    fn judge(&self, options: &WebsocketOptions, secure: bool, mqtt: bool) -> Result<(), Refusal> {
        if self.plain_path().ends_with("/leafnode") {
            return Err(refuse(
                404,
                "leaf nodes over WebSocket are not there in this version: only clients can connect",
            ));
        }
        if self.asks_for_mqtt() && !mqtt {
            return Err(refuse(
                404,
                "MQTT is off: only NATS clients can connect; the block mqtt turns it on",
            ));
        }
        if self.method != "GET" {
            return Err(refuse(
                405,
                format!("the method must be GET, not {}", self.method.escape_debug()),
            ));
        }
        if self.header("Host").is_none() {
            return Err(refuse(400, "\"Host\" is missing"));
        }
        if !self.says("Upgrade", "websocket") {
            return Err(refuse(
                426,
                "\"Upgrade\" does not ask for websocket: this port is for WebSocket clients, connect to it as ws:// or wss://",
            ));
        }
        if !self.says("Connection", "upgrade") {
            return Err(refuse(400, "\"Connection\" does not ask for an upgrade"));
        }
        if self.header("Sec-WebSocket-Key").is_none() {
            return Err(refuse(400, "\"Sec-WebSocket-Key\" is missing"));
        }
        if !self.says("Sec-WebSocket-Version", "13") {
            return Err(refuse(400, "\"Sec-WebSocket-Version\" is not 13"));
        }
        self.judge_origin(options, secure)
    }

    /// Browsers say which page asks. Who says nothing is no browser.
    fn judge_origin(&self, options: &WebsocketOptions, secure: bool) -> Result<(), Refusal> {
        if !options.same_origin && options.allowed_origins.is_empty() {
            return Ok(());
        }
        let Some(origin) = self
            .header("Origin")
            .or_else(|| self.header("Sec-WebSocket-Origin"))
        else {
            return Ok(());
        };
        let not_allowed = |why: &str| {
            refuse(
                403,
                format!(
                    "the page's origin {} is not allowed: {why}",
                    origin.escape_debug()
                ),
            )
        };
        let Some(from) = Origin::parse(origin) else {
            return Err(not_allowed("it is none"));
        };
        if options.same_origin {
            let host = self.header("Host").unwrap_or_default();
            let here = Origin::of_host(host, secure);
            if here.is_none_or(|here| (here.host, here.port) != (from.host.clone(), from.port)) {
                return Err(not_allowed("it is not this server's own (same_origin)"));
            }
        }
        let allowed = |allowed: &String| Origin::parse(allowed).as_ref() == Some(&from);
        if !options.allowed_origins.is_empty() && !options.allowed_origins.iter().any(allowed) {
            return Err(not_allowed("it is not in allowed_origins"));
        }
        Ok(())
    }

    /// Whether an offer of compression can be taken as it is: with a window of full size, which is the
    /// only one that there is here.
    fn offers_compression(&self) -> bool {
        self.values("Sec-WebSocket-Extensions")
            .flat_map(|value| value.split(','))
            .any(|offer| {
                let mut parts = offer.split(';').map(str::trim);
                let name = parts.next().unwrap_or_default();
                name.eq_ignore_ascii_case("permessage-deflate")
                    && parts.all(|parameter| {
                        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
                        match key.trim().to_ascii_lowercase().as_str() {
                            "server_no_context_takeover" | "client_no_context_takeover" => true,
                            "client_max_window_bits" => true,
                            "server_max_window_bits" => value.trim().trim_matches('"') == "15",
                            _ => false,
                        }
                    })
            })
    }

    fn forwarded_for(&self) -> Option<IpAddr> {
        let first = self.header("X-Forwarded-For")?.split(',').next()?.trim();
        first.parse().ok()
    }

    fn cookies(&self, options: &WebsocketOptions) -> Cookies {
        let find = |name: &Option<String>| {
            let name = name.as_deref()?;
            self.values("Cookie")
                .flat_map(|value| value.split(';'))
                .filter_map(|pair| pair.trim().split_once('='))
                .find(|(found, _)| *found == name)
                .map(|(_, value)| value.trim_matches('"').to_owned())
                .filter(|value| !value.is_empty())
        };
        Cookies {
            jwt: find(&options.jwt_cookie),
            user: find(&options.user_cookie),
            password: find(&options.pass_cookie),
            token: find(&options.token_cookie),
        }
    }
}

/// Where a page is from.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// `http://HOST[:PORT]` or `https://HOST[:PORT]`
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" | "ws" => false,
            "https" | "wss" => true,
            _ => return None,
        };
        Self::of_host(rest.split('/').next()?, secure)
    }

    fn of_host(text: &str, secure: bool) -> Option<Self> {
        let standard = if secure { 443 } else { 80 };
        let (host, port) = match text.rsplit_once(':') {
            // The last colon of an address in brackets is its own.
            Some((_, end)) if end.ends_with(']') => (text, standard),
            Some((host, port)) => (host, port.parse().ok()?),
            None => (text, standard),
        };
        (!host.is_empty()).then(|| Self {
            secure,
            host: host.to_ascii_lowercase(),
            port,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(extra: &str) -> String {
        format!(
            "GET / HTTP/1.1\r\nHost: example.org:8080\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
        )
    }

    fn asked(extra: &str, options: &WebsocketOptions) -> Result<Upgrade, Refusal> {
        parse(request(extra).as_bytes(), options, false, false).map(Option::unwrap)
    }

    #[test]
    fn a_key_is_answered_as_the_standard_says() {
        let options = WebsocketOptions {
            headers: vec![("X-Ours".to_owned(), "1".to_owned())],
            ..WebsocketOptions::default()
        };
        let upgrade = asked("", &options).unwrap();
        let answer = String::from_utf8(upgrade.answer(&options)).unwrap();
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        assert!(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        assert!(answer.ends_with("X-Ours: 1\r\n\r\n"), "{answer}");
        assert_eq!(upgrade.length, request("").len());
    }

    #[test]
    fn every_start_of_a_request_waits_for_the_rest() {
        let whole = request("Cookie: a=b\r\n");
        for length in 0..whole.len() {
            let read = parse(
                &whole.as_bytes()[..length],
                &WebsocketOptions::default(),
                false,
                false,
            );
            assert_eq!(read, Ok(None), "{length}");
        }
    }

    #[test]
    fn what_is_no_upgrade_is_turned_down() {
        let options = WebsocketOptions::default();
        let whole = request("");
        for (from, to, status) in [
            ("GET", "POST", 405),
            ("Host: example.org:8080\r\n", "", 400),
            ("Upgrade: websocket\r\n", "", 426),
            ("keep-alive, Upgrade", "close", 400),
            ("Sec-WebSocket-Key", "X-Key", 400),
            ("Version: 13", "Version: 8", 400),
            ("GET / ", "GET /path/leafnode ", 404),
            ("GET / ", "GET /mqtt?x=1 ", 404),
            ("GET / HTTP/1.1", "\u{1}", 400),
        ] {
            let refused =
                parse(whole.replace(from, to).as_bytes(), &options, false, false).unwrap_err();
            assert_eq!(refused.status, status, "{from}: {}", refused.reason);
        }
        let many: String = (0..200).map(|at| format!("X-{at}: 1\r\n")).collect();
        assert_eq!(asked(&many, &options).unwrap_err().status, 431);
    }

    #[test]
    fn the_path_says_who_speaks_mqtt() {
        let options = WebsocketOptions::default();
        let asked = request("Sec-WebSocket-Protocol: mqttv3.1, mqtt\r\n");
        let asked = asked.replace("GET / ", "GET /any/mqtt?x=1 ");
        let upgrade = parse(asked.as_bytes(), &options, false, true).unwrap();
        let upgrade = upgrade.unwrap();
        assert_eq!(upgrade.mqtt, Some(Mqtt { named: true }));
        let answer = String::from_utf8(upgrade.answer(&options)).unwrap();
        assert!(
            answer.contains("\r\nSec-WebSocket-Protocol: mqtt\r\n"),
            "{answer}"
        );
        let other = parse(request("").as_bytes(), &options, false, true).unwrap();
        assert_eq!(other.unwrap().mqtt, None);
    }

    #[test]
    fn only_offers_that_can_be_kept_are_taken() {
        let with = WebsocketOptions {
            compression: true,
            ..WebsocketOptions::default()
        };
        for (offer, taken) in [
            ("permessage-deflate", true),
            ("permessage-deflate; client_max_window_bits", true),
            ("permessage-deflate; server_max_window_bits=10", false),
            (
                "permessage-deflate; server_max_window_bits=10, permessage-deflate",
                true,
            ),
            ("permessage-deflate; unknown", false),
            ("x-webkit-deflate-frame", false),
        ] {
            let extra = format!("Sec-WebSocket-Extensions: {offer}\r\n");
            assert_eq!(asked(&extra, &with).unwrap().compression, taken, "{offer}");
            let without = asked(&extra, &WebsocketOptions::default()).unwrap();
            assert!(!without.compression);
        }
    }

    #[test]
    fn pages_from_elsewhere_are_turned_down_where_that_is_asked() {
        let same = WebsocketOptions {
            same_origin: true,
            ..WebsocketOptions::default()
        };
        let listed = WebsocketOptions {
            allowed_origins: vec!["https://good.example".to_owned()],
            ..WebsocketOptions::default()
        };
        for (options, origin, allowed) in [
            (&same, "http://example.org:8080", true),
            (&same, "http://Example.ORG:8080", true),
            (&same, "http://example.org", false),
            (&same, "http://evil.example:8080", false),
            (&same, "null", false),
            (&listed, "https://good.example", true),
            (&listed, "https://good.example:443", true),
            (&listed, "http://good.example", false),
            (&listed, "https://good.example.evil.example", false),
        ] {
            let asked = asked(&format!("Origin: {origin}\r\n"), options);
            assert_eq!(asked.is_ok(), allowed, "{origin}");
        }
        assert!(asked("", &same).is_ok(), "no browser");
        assert!(
            asked(
                "Origin: http://any.example\r\n",
                &WebsocketOptions::default()
            )
            .is_ok()
        );
    }

    #[test]
    fn cookies_fill_in_what_connect_leaves_out() {
        let options = WebsocketOptions {
            token_cookie: Some("session".to_owned()),
            user_cookie: Some("who".to_owned()),
            ..WebsocketOptions::default()
        };
        let extra = "Cookie: other=1; session=\"s3cr3t=\"; who=ana\r\nX-Forwarded-For: 192.0.2.7, 10.0.0.1\r\n";
        let upgrade = asked(extra, &options).unwrap();
        assert_eq!(upgrade.forwarded_for, Some("192.0.2.7".parse().unwrap()));
        let mut connect = Connect {
            user: Some("eva".to_owned()),
            ..Connect::default()
        };
        upgrade.cookies.fill(&mut connect);
        assert_eq!(connect.user.as_deref(), Some("eva"));
        assert_eq!(connect.auth_token.as_deref(), Some("s3cr3t="));
        assert!(!format!("{:?}", upgrade.cookies).contains("s3cr3t"));
    }
}
