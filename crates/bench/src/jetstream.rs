//! The few requests of JetStream's API that set a row up and look at what came of it.

use serde_json::{Value, json};

use crate::client::Client;
use crate::error::{Error, Result};
use crate::incoming::Event;
use crate::target::Target;

const INBOX: &str = "_INBOX.Qm7cTx2LrVb9KdYw4PzHsA";

/// A connection that asks one thing at a time.
pub(crate) struct Api {
    client: Client,
    asked: u64,
}

/// What a stream says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// How many messages it holds.
    pub(crate) messages: u64,
    /// The number of the last one that it took in.
    pub(crate) last_sequence: u64,
}

impl Api {
    /// Connects.
    pub(crate) fn connect(target: &Target) -> Result<Api> {
        let subscribe = format!("SUB {INBOX}.* 1\r\n");
        let client = Client::connect_and(target.address, subscribe.as_bytes())?;
        Ok(Api { client, asked: 0 })
    }

    /// Asks, and waits for the answer. One that tells of an error is an error.
    pub(crate) fn request(&mut self, subject: &str, body: &Value) -> Result<Value> {
        self.asked += 1;
        let reply = format!("{INBOX}.{}", self.asked);
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let size = body.len();
        let publish = format!("PUB $JS.API.{subject} {reply} {size}\r\n{body}\r\n");
        self.client.send(publish.as_bytes())?;
        let answer = self
            .client
            .wait("waiting for JetStream", |event| match event {
                Event::Message(message) if message.subject == reply.as_bytes() => {
                    let status = first_line(message.headers);
                    Some((status, message.payload.to_vec()))
                }
                _ => None,
            })?;
        let (status, payload) = answer;
        let refused = |why: &str| Error::Refused(format!("{why} to $JS.API.{subject}"));
        let value: Value = serde_json::from_slice(&payload).map_err(|_| {
            // No responders: the server has no JetStream.
            refused(&status.unwrap_or_else(|| String::from_utf8_lossy(&payload).into_owned()))
        })?;
        match value.get("error") {
            Some(error) => Err(refused(&error.to_string())),
            None => Ok(value),
        }
    }

    /// Makes a stream on disk of this name and these subjects, with `more` in its configuration.
    pub(crate) fn create_stream(&mut self, name: &str, subjects: &str, more: Value) -> Result<()> {
        let config = json!({
            "name": name, "subjects": [subjects], "storage": "file", "retention": "limits",
            "max_consumers": -1, "max_msgs": -1, "max_bytes": -1, "max_age": 0, "max_msg_size": -1,
            "discard": "old", "num_replicas": 1,
        });
        let subject = format!("STREAM.CREATE.{name}");
        self.request(&subject, &with(config, more)).map(drop)
    }

    /// Makes a bucket of key-value pairs, as the client libraries do.
    pub(crate) fn create_bucket(&mut self, bucket: &str) -> Result<()> {
        let more = json!({
            "max_msgs_per_subject": 1, "discard": "new", "allow_rollup_hdrs": true,
            "deny_delete": true, "allow_direct": true,
        });
        self.create_stream(&format!("KV_{bucket}"), &format!("$KV.{bucket}.>"), more)
    }

    /// What a stream holds now.
    pub(crate) fn state(&mut self, stream: &str) -> Result<State> {
        let info = self.request(&format!("STREAM.INFO.{stream}"), &Value::Null)?;
        let number = |key: &str| {
            let missing = || Error::Differs(format!("STREAM.INFO without `{key}`: {info}"));
            info["state"][key].as_u64().ok_or_else(missing)
        };
        Ok(State {
            messages: number("messages")?,
            last_sequence: number("last_seq")?,
        })
    }

    /// Makes a consumer of this name, with `more` in its configuration.
    pub(crate) fn create_consumer(&mut self, stream: &str, name: &str, more: Value) -> Result<()> {
        let config = json!({
            "name": name, "deliver_policy": "all", "replay_policy": "instant", "num_replicas": 0,
            "inactive_threshold": 300_000_000_000_u64,
        });
        let body = json!({ "stream_name": stream, "config": with(config, more) });
        let subject = format!("CONSUMER.CREATE.{stream}.{name}");
        self.request(&subject, &body).map(drop)
    }

    /// How many deliveries of a consumer wait for their ack.
    pub(crate) fn waiting_for_acks(&mut self, stream: &str, consumer: &str) -> Result<u64> {
        let subject = format!("CONSUMER.INFO.{stream}.{consumer}");
        let info = self.request(&subject, &Value::Null)?;
        let missing = || Error::Differs(format!("CONSUMER.INFO without `num_ack_pending`: {info}"));
        info["num_ack_pending"].as_u64().ok_or_else(missing)
    }

    /// Ends a consumer.
    pub(crate) fn delete_consumer(&mut self, stream: &str, consumer: &str) -> Result<()> {
        let subject = format!("CONSUMER.DELETE.{stream}.{consumer}");
        self.request(&subject, &Value::Null).map(drop)
    }
}

/// The first object with the fields of the second.
fn with(mut config: Value, more: Value) -> Value {
    if let (Value::Object(config), Value::Object(more)) = (&mut config, more) {
        config.extend(more);
    }
    config
}

/// The first line of a header block, when it says more than the version.
pub(crate) fn first_line(headers: &[u8]) -> Option<String> {
    let line = headers.split(|&b| b == b'\r').next()?;
    line.starts_with(b"NATS/1.0 ")
        .then(|| String::from_utf8_lossy(line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_status_is_a_first_line_worth_telling() {
        let status = first_line(b"NATS/1.0 503\r\n\r\n");
        assert_eq!(status.as_deref(), Some("NATS/1.0 503"));
        assert_eq!(first_line(b"NATS/1.0\r\nA: b\r\n\r\n"), None);
        assert_eq!(first_line(b""), None);
    }

    #[test]
    fn a_row_may_change_what_a_stream_is_like() {
        let config = with(json!({ "a": 1, "b": 2 }), json!({ "b": 3, "c": 4 }));
        assert_eq!(config, json!({ "a": 1, "b": 3, "c": 4 }));
    }
}
