//! What a bucket says about an object (ADR-20): its name, size, digest, and where its pieces are.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::bucket::Bucket;
use crate::jetstream::fields::{flag, number, words};
use crate::jetstream::publish::{self, ROLLUP};
use crate::jetstream::stored::Stored;
use crate::jetstream::{api, trouble};

/// The longest name, in bytes: what fits in a subject once it is encoded.
const NAME_BYTES_MAX: usize = 1024;

/// An object's name: anything that can be said.
pub(super) fn name(written: &str) -> Result<String, String> {
    match !written.is_empty() && written.len() <= NAME_BYTES_MAX {
        true => Ok(written.to_owned()),
        false => Err(crate::text::usage::bad_value(written, "OBJECT")),
    }
}

/// What the name of a bucket's stream begins with.
pub(super) const PREFIX: &str = "OBJ_";

/// The stream of a bucket.
pub(super) fn stream(bucket: &str) -> String {
    format!("{PREFIX}{bucket}")
}

/// The bucket of this name.
pub(super) fn bucket(name: &str) -> Bucket {
    Bucket {
        name: name.to_owned(),
        stream: stream(name),
        about: About::Store(name.to_owned()),
    }
}

/// Where all that is said about objects is.
pub(super) fn all(bucket: &str) -> String {
    format!("$O.{bucket}.M.>")
}

/// Where the pieces of an object are.
pub(super) fn pieces(bucket: &str, id: &str) -> String {
    format!("$O.{bucket}.C.{id}")
}

fn subject(bucket: &str, name: &str) -> String {
    format!("$O.{bucket}.M.{}", URL_SAFE.encode(name))
}

/// What is said about an object, as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Meta(pub(super) Value);

impl Meta {
    /// From a message of the bucket; `None` for one that says nothing about an object.
    pub(super) fn of(stored: &Stored) -> Option<Self> {
        let mut value: Value = serde_json::from_slice(&stored.message.payload).ok()?;
        value["name"].as_str()?;
        // The time is that of storing; what the sender says is only its own clock.
        value["mtime"] = stored.time.to_string().into();
        Some(Self(value))
    }

    pub(super) fn name(&self) -> &str {
        words(&self.0, "/name")
    }

    /// What the subject of its pieces ends with.
    pub(super) fn id(&self) -> &str {
        words(&self.0, "/nuid")
    }

    pub(super) fn size(&self) -> u64 {
        number(&self.0, "/size")
    }

    pub(super) fn chunks(&self) -> u64 {
        number(&self.0, "/chunks")
    }

    pub(super) fn modified(&self) -> &str {
        words(&self.0, "/mtime")
    }

    pub(super) fn is_deleted(&self) -> bool {
        flag(&self.0, "/deleted")
    }

    /// Where it leads, if it is a link to another object.
    pub(super) fn link(&self) -> Option<String> {
        let link = self.0.pointer("/options/link")?;
        Some(format!(
            "{}/{}",
            words(link, "/bucket"),
            words(link, "/name")
        ))
    }
}

/// What is said about an object that is there.
pub(super) async fn find(session: &mut Session, bucket: &str, name: &str) -> Result<Meta, Failure> {
    let about = About::Object(bucket.to_owned(), name.to_owned());
    let body = json!({ "last_by_subj": subject(bucket, name) });
    let stored = api::message(session, &stream(bucket), &body, &about).await?;
    Meta::of(&stored)
        .filter(|meta| !meta.is_deleted())
        .ok_or_else(|| trouble::not_found(&about, None))
}

/// Says it in place of what was said before.
pub(super) async fn store(
    session: &mut Session,
    bucket: &str,
    name: &str,
    meta: &Value,
) -> Result<(), Failure> {
    let about = About::Object(bucket.to_owned(), name.to_owned());
    let mut headers = async_nats::HeaderMap::new();
    headers.insert(ROLLUP, "sub");
    let payload = meta.to_string().into();
    let subject = subject(bucket, name);
    publish::stored(session, &subject, Some(headers), payload, &about).await?;
    Ok(())
}

/// Removes the pieces of an object.
pub(super) async fn drop_pieces(
    session: &mut Session,
    bucket: &str,
    id: &str,
) -> Result<(), Failure> {
    let about = About::Store(bucket.to_owned());
    let body = json!({ "filter": pieces(bucket, id) });
    let verb = format!("STREAM.PURGE.{}", stream(bucket));
    api::ask(session, &verb, &body, &about).await?;
    Ok(())
}
