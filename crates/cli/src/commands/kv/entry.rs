//! A value of a key at one revision, as the stream of the bucket holds it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::bucket::Bucket;
use crate::jetstream::stored::Stored;
use crate::jetstream::{api, trouble, units};
use crate::shown;
use crate::terminal::{Out, harmless};
use crate::text::kv as text;

/// What the name of a bucket's stream begins with.
pub(super) const PREFIX: &str = "KV_";

/// The stream of a bucket.
pub(super) fn stream(bucket: &str) -> String {
    format!("{PREFIX}{bucket}")
}

/// The bucket of this name.
pub(super) fn bucket(name: &str) -> Bucket {
    Bucket {
        name: name.to_owned(),
        stream: stream(name),
        about: About::Bucket(name.to_owned()),
    }
}

/// The subject of a key, or of several.
pub(super) fn subject(bucket: &str, key: &str) -> String {
    format!("$KV.{bucket}.{key}")
}

/// What was done to the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// It got a value.
    Put,
    /// It was deleted.
    Del,
    /// It was deleted with its history.
    Purge,
    /// Its time was over.
    Expired,
}

impl Operation {
    /// In JSON, never translated.
    fn name(self) -> &'static str {
        match self {
            Self::Put => "PUT",
            Self::Del => "DEL",
            Self::Purge => "PURGE",
            Self::Expired => "EXPIRED",
        }
    }

    /// For people.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Put => text::operation_put(),
            Self::Del => text::operation_del(),
            Self::Purge => text::operation_purge(),
            Self::Expired => text::operation_expired(),
        }
    }
}

/// A revision.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) revision: u64,
    pub(super) time: Timestamp,
    pub(super) operation: Operation,
    pub(super) value: Vec<u8>,
}

impl Entry {
    /// What a message of the bucket's stream means; `None` for one that is of no key.
    pub(super) fn of(bucket: &str, stored: &Stored) -> Option<Self> {
        let prefix = subject(bucket, "");
        let key = stored.message.subject.as_str().strip_prefix(&prefix)?;
        let operation = match stored.header("KV-Operation") {
            "DEL" => Operation::Del,
            "PURGE" => Operation::Purge,
            // A mark that the server leaves by itself (ADR-48).
            _ => match stored.header("Nats-Marker-Reason") {
                "" => Operation::Put,
                "MaxAge" => Operation::Expired,
                "Purge" => Operation::Purge,
                _ => Operation::Del,
            },
        };
        Some(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            revision: stored.sequence,
            time: stored.time,
            operation,
            value: stored.message.payload.to_vec(),
        })
    }

    /// Whether the key has a value.
    pub(super) fn is_value(&self) -> bool {
        self.operation == Operation::Put
    }

    /// As an object: `value` when it is UTF-8, `value_base64` otherwise.
    pub(super) fn json(&self) -> Value {
        let mut object = json!({
            "bucket": self.bucket, "key": self.key, "revision": self.revision,
            "time": self.time.to_string(), "operation": self.operation.name(),
        });
        if self.is_value() {
            match std::str::from_utf8(&self.value) {
                Ok(words) => object["value"] = words.into(),
                Err(_) => object["value_base64"] = STANDARD.encode(&self.value).into(),
            }
        }
        object
    }

    /// The value for people, or what became of it.
    pub(super) fn words(&self) -> String {
        match self.is_value() {
            true => shown::payload(&self.value),
            false => format!("({})", self.operation.words()),
        }
    }

    /// A line, or an object.
    pub(super) fn show(&self, out: &mut Out, as_json: bool) -> Result<(), Failure> {
        if as_json {
            return out.json(&self.json());
        }
        let place = format!("{} #{}", units::local(self.time), self.revision);
        let (place, key) = (out.dim(&place), out.bold(&harmless(&self.key)));
        out.line(&format!("{place} {key}: {}", self.words()))
    }
}

/// The last revision of a key, or the one with this number; that the key was deleted is one too.
pub(super) async fn find(
    session: &mut Session,
    bucket: &str,
    key: &str,
    revision: Option<u64>,
) -> Result<Entry, Failure> {
    let about = About::Key(bucket.to_owned(), key.to_owned());
    let body = match revision {
        Some(revision) => json!({ "seq": revision }),
        None => json!({ "last_by_subj": subject(bucket, key) }),
    };
    let stored = api::message(session, &stream(bucket), &body, &about).await?;
    // A revision belongs to one key; of another it is none.
    Entry::of(bucket, &stored)
        .filter(|entry| entry.key == key)
        .ok_or_else(|| trouble::not_found(&about, None))
}
