//! Values given to keys, and keys deleted. Each change is a message that the stream has stored before it is
//! told of.

use std::time::Duration;

use async_nats::HeaderMap;
use clap::Args;
use serde_json::json;

use super::Key;
use super::entry;
use crate::connect::Session;
use crate::exit::Status;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::consent::Consent;
use crate::jetstream::publish::{self, EXPECTED_LAST, ROLLUP};
use crate::jetstream::{report, trouble};
use crate::payload::Content;
use crate::span;
use crate::text::{help, kv as text};

/// How often a create is tried again when the key is deleted by others at the same time.
const ATTEMPTS_MAX: usize = 5;

/// `recado kv put` and `recado kv create`.
#[derive(Debug, Args)]
pub(super) struct Put {
    #[command(flatten)]
    of: Key,
    #[command(flatten)]
    pub(super) content: Content,
    #[arg(long, value_name = help::value_span(), value_parser = span::parse,
        help = text::value_ttl())]
    ttl: Option<Duration>,
}

impl Put {
    fn headers(&self) -> HeaderMap {
        let mut headers = self.content.header_map().unwrap_or_default();
        if let Some(ttl) = self.ttl {
            let seconds = ttl.as_secs().max(1);
            headers.insert("Nats-TTL", format!("{seconds}s").as_str());
        }
        headers
    }

    pub(super) async fn put(
        &self,
        session: &mut Session,
        value: Vec<u8>,
        as_json: bool,
    ) -> Result<(), Failure> {
        let revision = change(session, &self.of, self.headers(), value, None).await?;
        tell(&self.of, revision, as_json)
    }

    /// The first value; also of a key that was deleted.
    pub(super) async fn create(
        &self,
        session: &mut Session,
        value: Vec<u8>,
        as_json: bool,
    ) -> Result<(), Failure> {
        let Key { bucket, key } = &self.of;
        let mut expected = 0;
        let mut attempts = 0;
        loop {
            let headers = self.headers();
            let put = change(session, &self.of, headers, value.clone(), Some(expected)).await;
            let failure = match put {
                Ok(revision) => return tell(&self.of, revision, as_json),
                Err(failure) if failure.status() != Status::Conflict => return Err(failure),
                Err(failure) => failure,
            };
            let last = entry::find(session, bucket, key, None).await?;
            if last.is_value() {
                let about = About::Key(bucket.clone(), key.clone());
                return Err(trouble::conflict(
                    text::exists(&about.words(), last.revision),
                    text::exists_next().to_owned(),
                    Some(10071),
                ));
            }
            attempts += 1;
            if attempts == ATTEMPTS_MAX {
                return Err(failure);
            }
            expected = last.revision;
        }
    }
}

/// `recado kv update`.
#[derive(Debug, Args)]
pub(super) struct Update {
    #[command(flatten)]
    pub(super) put: Put,
    #[arg(long, value_name = "N", value_parser = crate::commands::count,
        help = text::expected())]
    revision: u64,
}

impl Update {
    pub(super) async fn run(
        &self,
        session: &mut Session,
        value: Vec<u8>,
        as_json: bool,
    ) -> Result<(), Failure> {
        let (of, expected) = (&self.put.of, Some(self.revision));
        let revision = change(session, of, self.put.headers(), value, expected).await?;
        tell(of, revision, as_json)
    }
}

/// `recado kv del` and `recado kv purge`.
#[derive(Debug, Args)]
pub(super) struct Delete {
    #[command(flatten)]
    of: Key,
    #[arg(long, value_name = "N", value_parser = crate::commands::positive,
        help = text::expected())]
    revision: Option<u64>,
    #[command(flatten)]
    consent: Consent,
}

impl Delete {
    pub(super) async fn run(
        &self,
        session: &mut Session,
        with_history: bool,
        as_json: bool,
    ) -> Result<(), Failure> {
        let Key { bucket, key } = &self.of;
        // Of a key that never was, no trace is left.
        entry::find(session, bucket, key, None).await?;
        let question = match with_history {
            true => text::purge_question(key, bucket),
            false => text::del_question(key, bucket),
        };
        self.consent.ask(&question).await?;
        let mut headers = HeaderMap::new();
        match with_history {
            true => {
                headers.insert("KV-Operation", "PURGE");
                headers.insert(ROLLUP, "sub");
            }
            false => headers.insert("KV-Operation", "DEL"),
        }
        let revision = change(session, &self.of, headers, Vec::new(), self.revision).await?;
        let object = json!({
            "bucket": bucket, "key": key, "revision": revision, "deleted": true,
            "purged": with_history,
        });
        report::tell(&text::deleted(key, revision), &object, as_json)
    }
}

/// `recado kv revert`.
#[derive(Debug, Args)]
pub(super) struct Revert {
    #[command(flatten)]
    of: Key,
    #[arg(value_name = text::value_revision(), value_parser = crate::commands::positive,
        help = text::revert_revision())]
    revision: u64,
    #[command(flatten)]
    consent: Consent,
}

impl Revert {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let Key { bucket, key } = &self.of;
        let earlier = entry::find(session, bucket, key, Some(self.revision)).await?;
        if !earlier.is_value() {
            let about = About::Key(bucket.clone(), key.clone());
            return Err(trouble::not_found(&about, None));
        }
        let last = entry::find(session, bucket, key, None).await?;
        let question = text::revert_question(key, self.revision);
        self.consent.ask(&question).await?;
        let (headers, expected) = (HeaderMap::new(), Some(last.revision));
        let revision = change(session, &self.of, headers, earlier.value, expected).await?;
        tell(&self.of, revision, as_json)
    }
}

/// Stores a revision, with `expected` only if that is the last one (0: there is none); its number.
async fn change(
    session: &mut Session,
    of: &Key,
    mut headers: HeaderMap,
    value: Vec<u8>,
    expected: Option<u64>,
) -> Result<u64, Failure> {
    let Key { bucket, key } = of;
    let about = About::Key(bucket.clone(), key.clone());
    if let Some(expected) = expected {
        headers.insert(EXPECTED_LAST, expected.to_string().as_str());
    }
    let headers = (!headers.is_empty()).then_some(headers);
    let subject = entry::subject(bucket, key);
    let ack = publish::stored(session, &subject, headers, value.into(), &about).await;
    match ack {
        Ok(ack) => Ok(ack.sequence),
        // Nobody stores the subject: there is no such bucket.
        Err(failure) if failure.status() == Status::NoResponders => {
            Err(trouble::not_found(&About::Bucket(bucket.clone()), None))
        }
        Err(failure) => Err(failure),
    }
}

fn tell(of: &Key, revision: u64, as_json: bool) -> Result<(), Failure> {
    let Key { bucket, key } = of;
    let object = json!({ "bucket": bucket, "key": key, "revision": revision });
    report::tell(&text::put_done(key, revision), &object, as_json)
}
