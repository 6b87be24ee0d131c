//! `recado stream replay`: dead letters published once more, each taken off the list only when it is stored.

use async_nats::HeaderMap;
use clap::{ArgGroup, Args};
use serde_json::json;

use super::dead;
use super::messages;
use crate::completion;
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::consent::Consent;
use crate::jetstream::publish::{self, MESSAGE_ID, ROLLUP};
use crate::jetstream::reader::{Reader, Start};
use crate::jetstream::stored::Stored;
use crate::jetstream::{api, names, report};
use crate::progress;
use crate::subject;
use crate::text::{help, stream as text};

/// Where the id goes that a message had: it may be known to its stream still, which would then take
/// the replay for a duplicate.
const FORMER_ID: &str = "Recado-Former-Msg-Id";

/// `recado stream replay`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["seq", "all"]))]
pub(super) struct Replay {
    #[arg(value_name = text::value_kept(), value_parser = names::name,
        add = completion::streams(), help = text::replay_stream())]
    name: String,
    #[arg(long, value_name = "N", value_parser = crate::commands::positive,
        help = text::replay_seq())]
    seq: Vec<u64>,
    #[arg(long, help = text::replay_all())]
    all: bool,
    #[arg(long, value_name = help::value_subject(), value_parser = subject::literal,
        help = text::replay_to())]
    to: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

impl Replay {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let letters = match self.all {
            true => {
                let question = text::replay_question(&self.name);
                self.consent.ask(&question).await?;
                self.sequences(session).await?
            }
            false => self.seq.clone(),
        };
        let bar = progress::bar(Some(letters.len() as u64), text::bar_replay(), as_json);
        let mut done = 0_u64;
        for sequence in letters {
            let letter = self.letter(session, sequence).await?;
            // Of all, those that are none stay; one that was named must be one.
            if letter.header(dead::SUBJECT).is_empty() && self.all {
                continue;
            }
            let replayed = self.again(session, &letter).await;
            let (words, object) = match replayed {
                Ok(replayed) => replayed,
                Err(failure) => {
                    bar.finish_and_clear();
                    return Err(failure);
                }
            };
            done += 1;
            bar.suspend(|| report::tell(&words, &object, as_json))?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        if !as_json {
            crate::terminal::notice(&text::replayed(done));
        }
        Ok(())
    }

    /// The sequences of all that is there now.
    async fn sequences(&self, session: &mut Session) -> Result<Vec<u64>, Failure> {
        let about = About::Stream(self.name.clone());
        let mut reader = Reader::open(session, &self.name, None, Start::All, true, &about).await?;
        let mut sequences = Vec::new();
        reader
            .drain(session, |letter| {
                sequences.push(letter.sequence);
                Ok(true)
            })
            .await?;
        Ok(sequences)
    }

    async fn letter(&self, session: &mut Session, sequence: u64) -> Result<Stored, Failure> {
        let about = About::Message(self.name.clone(), sequence);
        api::message(session, &self.name, &json!({ "seq": sequence }), &about).await
    }

    /// Publishes it, and removes it once it is stored.
    async fn again(
        &self,
        session: &mut Session,
        letter: &Stored,
    ) -> Result<(String, serde_json::Value), Failure> {
        let origin = letter.header(dead::SUBJECT);
        if origin.is_empty() {
            return Err(Failure::Usage {
                what: text::replay_no_letter(letter.sequence, &self.name),
                next: text::replay_no_letter_next().to_owned(),
            });
        }
        let subject = self.to.clone().unwrap_or_else(|| origin.to_owned());
        let about = About::Subject(subject.clone());
        let headers = headers(letter, &self.name);
        let payload = letter.message.payload.clone();
        let ack = publish::stored(session, &subject, Some(headers), payload, &about).await?;
        messages::remove(session, &self.name, letter.sequence, true).await?;
        let words = text::replayed_one(letter.sequence, &subject, &ack.stream, ack.sequence);
        let object = json!({
            "dead_letter": letter.sequence, "subject": subject, "stream": ack.stream,
            "sequence": ack.sequence, "duplicate": ack.duplicate,
        });
        Ok((words, object))
    }
}

/// Those that it was published with, and an id that is the same at every attempt.
///
/// What was said about its death goes, and so do conditions that were about its first publishing.
fn headers(letter: &Stored, dead_stream: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, values) in letter.message.headers.iter().flat_map(HeaderMap::iter) {
        let name: &str = name.as_ref();
        let lower = name.to_ascii_lowercase();
        let is_of_then = lower.starts_with(PREFIX_LOWER)
            || lower.starts_with("nats-expected-")
            || lower.eq_ignore_ascii_case(ROLLUP);
        if is_of_then {
            continue;
        }
        let name = match lower.eq_ignore_ascii_case(MESSAGE_ID) {
            true => FORMER_ID,
            false => name,
        };
        for value in values {
            headers.append(name, value.as_str());
        }
    }
    let id = format!("recado-replay.{dead_stream}.{}", letter.sequence);
    headers.insert(MESSAGE_ID, id.as_str());
    headers
}

/// [`dead::PREFIX`], as it is compared.
const PREFIX_LOWER: &str = "recado-dead-";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_replay_keeps_the_senders_headers_and_gets_an_id_of_its_own() {
        let block = "NATS/1.0\r\nkind: book\r\nNats-Msg-Id: 7\r\nRecado-Dead-Subject: jobs.a\r\n\
                     Nats-Expected-Last-Sequence: 3\r\nNats-Rollup: all\r\n\r\n";
        let base64 = |bytes: &str| {
            use base64::Engine;
            base64::engine::general_purpose::STANDARD.encode(bytes)
        };
        let got = json!({
            "subject": "DLQ.JOBS.c", "seq": 4, "hdrs": base64(block), "data": base64("x"),
            "time": "2026-01-01T00:00:00Z",
        });
        let letter = Stored::got("FAILED", &got).unwrap();
        assert_eq!(letter.header(dead::SUBJECT), "jobs.a");
        let headers = headers(&letter, "FAILED");
        let value = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        assert_eq!(value("kind").as_deref(), Some("book"));
        assert_eq!(value(MESSAGE_ID).as_deref(), Some("recado-replay.FAILED.4"));
        assert_eq!(value(FORMER_ID).as_deref(), Some("7"));
        assert_eq!(headers.len(), 3, "{headers:?}");
        assert_eq!(dead::PREFIX.to_ascii_lowercase(), PREFIX_LOWER);
    }
}
