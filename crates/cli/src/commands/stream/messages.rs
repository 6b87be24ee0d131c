//! Single messages of a stream: shown, got and removed.

use clap::Args;
use serde_json::json;

use super::Named;
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::about::About;
use crate::jetstream::consent::Consent;
use crate::jetstream::reader::{self, Beginning, Reader};
use crate::jetstream::stored::Look;
use crate::jetstream::{api, report};
use crate::shown::Style;
use crate::subject;
use crate::terminal::Out;
use crate::text::{help, jetstream as common, stream as text};

/// `recado stream view`.
#[derive(Debug, Args)]
pub(super) struct View {
    #[command(flatten)]
    named: Named,
    #[arg(value_name = "N", default_value = "10", value_parser = crate::commands::positive,
        help = text::view_number())]
    number: u64,
    #[arg(long, value_name = common::value_filter(), value_parser = subject::filter,
        help = text::view_subject())]
    subject: Option<String>,
    #[command(flatten)]
    from: Beginning,
    #[command(flatten)]
    look: Look,
}

impl View {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let about = About::Stream(self.named.name.clone());
        let style = self.look.style(as_json);
        let filter = self.subject.as_deref();
        let mut out = Out::new();
        let Some(start) = self.from.start() else {
            let most = usize::try_from(self.number).unwrap_or(usize::MAX);
            for stored in reader::newest(session, &self.named.name, filter, most, &about).await? {
                stored.show(&mut out, style)?;
            }
            return out.flush();
        };
        let mut reader =
            Reader::open(session, &self.named.name, filter, start, false, &about).await?;
        let mut left = self.number;
        let shown = reader.drain(session, |stored| {
            stored.show(&mut out, style)?;
            left -= 1;
            Ok(left > 0)
        });
        let shown = shown.await;
        out.flush()?;
        shown
    }
}

/// `recado stream get`.
#[derive(Debug, Args)]
pub(super) struct Get {
    #[command(flatten)]
    named: Named,
    #[arg(value_name = text::value_sequence(), value_parser = crate::commands::positive,
        required_unless_present = "last_for", help = text::get_sequence())]
    sequence: Option<u64>,
    #[arg(short = 'S', long, value_name = help::value_subject(), value_parser = subject::filter,
        conflicts_with = "sequence", help = text::get_last())]
    last_for: Option<String>,
    #[arg(short, long, conflicts_with = "json", help = common::raw())]
    raw: bool,
}

impl Get {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let (about, body) = match (&self.last_for, self.sequence) {
            (Some(subject), _) => (
                About::Last(self.named.name.clone(), subject.clone()),
                json!({ "last_by_subj": subject }),
            ),
            (None, sequence) => {
                let sequence = sequence.unwrap_or_default();
                let about = About::Message(self.named.name.clone(), sequence);
                (about, json!({ "seq": sequence }))
            }
        };
        let stored = api::message(session, &self.named.name, &body, &about).await?;
        let mut out = Out::new();
        stored.show(&mut out, Style::of(as_json, self.raw, true))?;
        out.flush()
    }
}

/// `recado stream rmm`.
#[derive(Debug, Args)]
pub(super) struct RemoveMessages {
    #[command(flatten)]
    named: Named,
    #[arg(value_name = text::value_sequence(), value_parser = crate::commands::positive,
        required = true, help = text::rmm_sequences())]
    sequences: Vec<u64>,
    #[arg(long, help = text::rmm_no_erase())]
    no_erase: bool,
    #[command(flatten)]
    consent: Consent,
}

impl RemoveMessages {
    pub(super) async fn run(&self, session: &mut Session, as_json: bool) -> Result<(), Failure> {
        let question = text::rmm_question(&self.named.name, self.sequences.len());
        self.consent.ask(&question).await?;
        for sequence in &self.sequences {
            remove(session, &self.named.name, *sequence, self.no_erase).await?;
            let words = text::rmm_done(&self.named.name, *sequence);
            let object = json!({ "stream": self.named.name, "removed": sequence });
            report::tell(&words, &object, as_json)?;
        }
        Ok(())
    }
}

/// Removes one message.
pub(super) async fn remove(
    session: &mut Session,
    stream: &str,
    sequence: u64,
    no_erase: bool,
) -> Result<(), Failure> {
    let about = About::Message(stream.to_owned(), sequence);
    let verb = format!("STREAM.MSG.DELETE.{stream}");
    let body = json!({ "seq": sequence, "no_erase": no_erase });
    api::ask(session, &verb, &body, &about).await?;
    Ok(())
}
