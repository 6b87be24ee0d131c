//! A message of a stream, and how it is shown: as one that comes on a subscription is, with its place in the
//! stream and the time when it was stored.

use async_nats::{HeaderMap, Message};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::fields;
use super::units;
use crate::failure::Failure;
use crate::shown::{self, Style};
use crate::terminal::{Out, harmless};
use crate::text::jetstream as text;

/// The options that say how messages are shown.
#[derive(Debug, Args)]
pub(crate) struct Look {
    #[arg(short, long, conflicts_with = "json", help = text::raw())]
    raw: bool,
    #[arg(long, help = text::headers())]
    headers: bool,
}

impl Look {
    /// What they say.
    pub(crate) fn style(&self, as_json: bool) -> Style {
        Style::of(as_json, self.raw, self.headers)
    }
}

/// A message with its place.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) message: Message,
    pub(crate) stream: String,
    pub(crate) sequence: u64,
    /// When the server stored it.
    pub(crate) time: Timestamp,
    /// How many more there are behind it for the same consumer.
    pub(crate) pending: u64,
    /// How often it has been delivered, this time included; 0 if it was not by a consumer.
    pub(crate) delivered: u64,
}

impl Stored {
    /// One that a consumer delivered: its reply subject says the rest (ADR-15).
    pub(crate) fn delivered(message: Message) -> Option<Self> {
        let reply = message.reply.as_deref()?;
        let mut tokens: Vec<&str> = reply.split('.').collect();
        if !reply.starts_with("$JS.ACK.") {
            return None;
        }
        // The newer form has the domain and the account before the stream.
        if tokens.len() >= 11 {
            tokens.drain(2..4);
        }
        let number = |at: usize| tokens.get(at).and_then(|token| token.parse::<u64>().ok());
        let stream = (*tokens.get(2)?).to_owned();
        let nanos = i128::from(number(7)?);
        Some(Self {
            stream,
            delivered: number(4)?,
            sequence: number(5)?,
            time: Timestamp::from_nanosecond(nanos).ok()?,
            pending: number(8)?,
            message,
        })
    }

    /// The `message` of an answer to `STREAM.MSG.GET`.
    pub(crate) fn got(stream: &str, got: &Value) -> Option<Self> {
        let bytes = |pointer: &str| STANDARD.decode(fields::words(got, pointer)).ok();
        let subject = fields::words(got, "/subject");
        let headers = headers(&bytes("/hdrs")?);
        let payload = Bytes::from(bytes("/data")?);
        Some(Self {
            stream: stream.to_owned(),
            sequence: fields::number(got, "/seq"),
            time: fields::words(got, "/time").parse().ok()?,
            pending: 0,
            delivered: 0,
            message: Message {
                subject: subject.into(),
                reply: None,
                length: payload.len(),
                payload,
                headers,
                status: None,
                description: None,
            },
        })
    }

    /// A header's first value; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let headers = self.message.headers.as_ref();
        let value = headers.and_then(|headers| headers.get(name));
        value.map_or("", |value| value.as_str())
    }

    /// As an object: like any message, with `stream`, `sequence` and the time of storing.
    pub(crate) fn json(&self) -> Map<String, Value> {
        let mut message = self.message.clone();
        message.reply = None;
        let mut object = shown::json(&message);
        object.insert("time".into(), self.time.to_string().into());
        object.insert("stream".into(), self.stream.as_str().into());
        object.insert("sequence".into(), self.sequence.into());
        if self.delivered > 0 {
            object.insert("delivered".into(), self.delivered.into());
            object.insert("pending".into(), self.pending.into());
        }
        object
    }

    /// Writes it.
    pub(crate) fn show(&self, out: &mut Out, style: Style) -> Result<(), Failure> {
        match style {
            Style::Json => out.json(&self.json().into()),
            Style::Raw => {
                out.bytes(&self.message.payload)?;
                out.bytes(b"\n")
            }
            Style::Human { headers } => {
                let again = match self.delivered {
                    0 | 1 => String::new(),
                    times => format!(" ×{times}"),
                };
                let place = format!("{} #{}{again}", units::local(self.time), self.sequence);
                let place = out.dim(&place);
                let subject = out.bold(&harmless(&self.message.subject));
                let payload = shown::payload(&self.message.payload);
                out.line(&format!("{place} {subject}: {payload}"))?;
                match &self.message.headers {
                    Some(found) if headers => shown::headers(out, found),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// Reads a block of headers as the protocol has it; what is no header is left out.
fn headers(block: &[u8]) -> Option<HeaderMap> {
    let block = String::from_utf8_lossy(block);
    let mut headers = HeaderMap::new();
    for line in block.split("\r\n").skip(1) {
        if let Some((name, value)) = line.split_once(':')
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_graphic())
        {
            headers.append(name, value.trim());
        }
    }
    (!headers.is_empty()).then_some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(reply: &str) -> Message {
        Message {
            subject: "a.b".into(),
            reply: Some(reply.into()),
            payload: Bytes::new(),
            headers: None,
            status: None,
            description: None,
            length: 0,
        }
    }

    #[test]
    fn both_forms_of_the_ack_subject_say_where_a_message_is() {
        for reply in [
            "$JS.ACK.ORDERS.c1.2.17.5.1700000000000000000.3",
            "$JS.ACK._.hash.ORDERS.c1.2.17.5.1700000000000000000.3.token",
        ] {
            let stored = Stored::delivered(message(reply)).unwrap();
            assert_eq!(stored.stream, "ORDERS");
            assert_eq!(
                (stored.sequence, stored.delivered, stored.pending),
                (17, 2, 3)
            );
            assert_eq!(stored.time.as_second(), 1_700_000_000);
        }
        for reply in ["_INBOX.x", "$JS.ACK.a", "$JS.ACK.s.c.x.y.z.t.p"] {
            assert!(Stored::delivered(message(reply)).is_none(), "{reply}");
        }
    }

    #[test]
    fn a_block_of_headers_is_read_and_nonsense_in_it_is_left_out() {
        let found = headers(b"NATS/1.0\r\na: 1\r\na:2\r\nno header\r\n\r\n").unwrap();
        let values: Vec<&str> = found.get_all("a").map(|value| value.as_str()).collect();
        assert_eq!(values, ["1", "2"]);
        assert!(headers(b"").is_none());
    }
}
