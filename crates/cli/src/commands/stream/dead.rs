//! Dead letters: messages that no consumer could handle, in a stream of their own, with headers that say what
//! became of them. `recado-server` puts them there.

use serde_json::{Map, Value, json};

use super::show;
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::fields;
use crate::jetstream::reader::{Reader, Start};
use crate::jetstream::stored::Stored;
use crate::jetstream::{api, units};
use crate::table::Table;
use crate::terminal::{self, Out};
use crate::text::{jetstream as common, stream as text};

/// What all the headers of a dead letter begin with.
pub(super) const PREFIX: &str = "Recado-Dead-";
/// Where it was published.
pub(super) const SUBJECT: &str = "Recado-Dead-Subject";

/// `recado stream dead-letters`.
pub(super) async fn list(session: &mut Session, name: &str, as_json: bool) -> Result<(), Failure> {
    let (stream, filter) = place(session, name).await?;
    let about = About::Stream(stream.clone());
    let start = Start::All;
    let mut reader =
        Reader::open(session, &stream, filter.as_deref(), start, !as_json, &about).await?;
    let mut out = Out::new();
    let mut table = Table::new(&[
        common::column_sequence(),
        common::column_subject(),
        common::column_consumer(),
        common::column_deliveries(),
        common::column_reason(),
        common::column_age(),
    ]);
    let mut found = 0_u64;
    reader
        .drain(session, |letter| {
            if letter.header(SUBJECT).is_empty() {
                return Ok(true);
            }
            found += 1;
            if as_json {
                out.json(&letter_json(&letter))?;
                return Ok(true);
            }
            let origin = format!(
                "{}/{}",
                letter.header("Recado-Dead-Stream"),
                letter.header("Recado-Dead-Consumer")
            );
            table.row([
                letter.sequence.to_string(),
                letter.header(SUBJECT).to_owned(),
                origin,
                letter.header("Recado-Dead-Deliveries").to_owned(),
                reason(&letter),
                units::since(letter.time),
            ]);
            Ok(true)
        })
        .await?;
    match found {
        0 if !as_json => terminal::notice(text::no_dead()),
        _ if !as_json => table.show(&mut out)?,
        _ => {}
    }
    out.flush()
}

/// The stream with the dead letters of `name`, and the filter for them: `name` may be that stream itself.
async fn place(session: &mut Session, name: &str) -> Result<(String, Option<String>), Failure> {
    let info = api::stream(session, name).await?;
    let dead = show::dead_letter(&info);
    if !dead.is_empty() {
        return Ok((dead.to_owned(), Some(format!("DLQ.{name}.>"))));
    }
    let subjects = fields::list(&info, "/config/subjects");
    match subjects.iter().any(|subject| subject.starts_with("DLQ.")) {
        true => Ok((name.to_owned(), None)),
        false => Err(Failure::Usage {
            what: text::not_dead(name),
            next: text::not_dead_next(name),
        }),
    }
}

/// Why it is there, in words.
fn reason(letter: &Stored) -> String {
    let reason = match letter.header("Recado-Dead-Reason") {
        "max_deliver" => text::reason_max_deliver(),
        "terminated" => text::reason_terminated(),
        other => other,
    };
    match letter.header("Recado-Dead-Detail") {
        "" => reason.to_owned(),
        detail => text::reason_detail(reason, detail),
    }
}

fn letter_json(letter: &Stored) -> Value {
    let header = |name: &str| letter.header(&format!("{PREFIX}{name}")).to_owned();
    let number = |name: &str| header(name).parse::<u64>().ok();
    let mut object: Map<String, Value> = letter.json();
    let dead = json!({
        "reason": header("Reason"), "detail": header("Detail"), "stream": header("Stream"),
        "consumer": header("Consumer"), "subject": header("Subject"),
        "sequence": number("Sequence"), "deliveries": number("Deliveries"),
    });
    object.insert("dead".into(), dead);
    object.into()
}
