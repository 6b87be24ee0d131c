//! A received message as it is shown: for people, as JSON, or raw.

use async_nats::{HeaderMap, Message};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::terminal::{Out, harmless};
use crate::text::talk as text;

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// For people: time, subject, content.
    Human {
        /// Whether headers are shown too.
        headers: bool,
    },
    /// One object a line.
    Json,
    /// The payload's bytes and a line end.
    Raw,
}

impl Style {
    /// As the options `--json`, `--raw` and `--headers` say.
    pub(crate) fn of(as_json: bool, raw: bool, headers: bool) -> Self {
        match (as_json, raw) {
            (true, _) => Self::Json,
            (_, true) => Self::Raw,
            _ => Self::Human { headers },
        }
    }
}

/// Now, as people read it: local time with milliseconds.
pub(crate) fn clock() -> String {
    jiff::Zoned::now().strftime("%H:%M:%S%.3f").to_string()
}

/// Now, as machines read it: UTC, RFC 3339.
pub(crate) fn timestamp() -> String {
    format!("{:.6}", jiff::Timestamp::now())
}

/// A number of bytes, for people.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        1 => text::one_byte().to_owned(),
        _ => text::bytes(bytes),
    }
}

/// The payload for people: text with control characters spelled out, or its base64.
pub(crate) fn payload(payload: &[u8]) -> String {
    match std::str::from_utf8(payload) {
        Ok(words) => harmless(words.strip_suffix('\n').unwrap_or(words)).into_owned(),
        Err(_) => text::binary(payload.len(), &STANDARD.encode(payload)),
    }
}

/// The headers, one a line, indented.
pub(crate) fn headers(out: &mut Out, headers: &HeaderMap) -> Result<(), Failure> {
    for (name, values) in headers.iter() {
        for value in values {
            let line = format!("    {}: {}", name, harmless(value.as_str()));
            let line = out.dim(&line);
            out.line(&line)?;
        }
    }
    Ok(())
}

/// A message as JSON: `payload` when it is UTF-8, `payload_base64` otherwise.
pub(crate) fn json(message: &Message) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("time".into(), timestamp().into());
    object.insert("subject".into(), message.subject.as_str().into());
    if let Some(reply) = &message.reply {
        object.insert("reply".into(), reply.as_str().into());
    }
    if let Some(headers) = &message.headers {
        let mut shown = Map::new();
        for (name, values) in headers.iter() {
            let values: Vec<&str> = values.iter().map(|value| value.as_str()).collect();
            shown.insert(name.to_string(), json!(values));
        }
        object.insert("headers".into(), shown.into());
    }
    match std::str::from_utf8(&message.payload) {
        Ok(words) => object.insert("payload".into(), words.into()),
        Err(_) => object.insert(
            "payload_base64".into(),
            STANDARD.encode(&message.payload).into(),
        ),
    };
    object
}

/// Writes a message that came on a subscription.
pub(crate) fn message(out: &mut Out, style: Style, message: &Message) -> Result<(), Failure> {
    match style {
        Style::Json => out.json(&json(message).into()),
        Style::Raw => {
            out.bytes(&message.payload)?;
            out.bytes(b"\n")
        }
        Style::Human {
            headers: with_headers,
        } => {
            let time = out.dim(&clock());
            let subject = out.bold(&harmless(&message.subject));
            let reply = match &message.reply {
                Some(reply) => format!(" {}", out.dim(&text::reply_to(&harmless(reply)))),
                None => String::new(),
            };
            out.line(&format!(
                "{time} {subject}{reply}: {}",
                payload(&message.payload)
            ))?;
            match &message.headers {
                Some(found) if with_headers => headers(out, found),
                _ => Ok(()),
            }
        }
    }
}
