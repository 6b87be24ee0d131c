//! What services answered, for people and for machines.

use std::time::Duration;

use serde_json::{Value, json};

use super::census::Found;
use crate::failure::Failure;
use crate::span;
use crate::table::Table;
use crate::terminal::{Out, harmless};
use crate::text::service as text;

/// Each answer as it came, and after how long.
pub(crate) fn json(out: &mut Out, found: &[Found]) -> Result<(), Failure> {
    for one in found {
        let mut answer = one.answer.clone();
        answer["latency_ms"] = json!(span::millis_number(one.took));
        out.json(&answer)?;
    }
    Ok(())
}

/// A table of the services.
pub(crate) fn list(out: &mut Out, found: &[Found]) -> Result<(), Failure> {
    let mut table = Table::new(&[
        text::column_name(),
        text::column_version(),
        "ID",
        text::column_subjects(),
        text::column_description(),
    ]);
    for one in found {
        let subjects: Vec<&str> = one.endpoints().iter().map(|e| word(e, "subject")).collect();
        let subjects = subjects.join(", ");
        let cells = [
            one.text("name"),
            one.text("version"),
            one.text("id"),
            &subjects,
        ];
        let cells = cells.into_iter().chain([one.text("description")]);
        table.row(cells.map(str::to_owned));
    }
    table.show(out)
}

/// All that a service says about itself.
pub(crate) fn info(out: &mut Out, found: &[Found]) -> Result<(), Failure> {
    for one in found {
        let name = out.bold(&harmless(one.text("name")));
        let rest = format!("{} · {}", one.text("version"), one.text("id"));
        out.line(&format!("{name} {}", harmless(&rest)))?;
        if !one.text("description").is_empty() {
            out.line(&format!("  {}", harmless(one.text("description"))))?;
        }
        for (key, value) in one.answer["metadata"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            out.line(&harmless(&format!("  {key}: {value}")))?;
        }
        for endpoint in one.endpoints() {
            let [name, subject, queue] =
                ["name", "subject", "queue_group"].map(|k| word(endpoint, k));
            let line = match queue {
                "" => text::endpoint_alone(name, subject),
                queue => text::endpoint(name, subject, queue),
            };
            out.line(&harmless(&format!("  {line}")))?;
        }
    }
    Ok(())
}

/// A table of what the endpoints have done, then their last errors.
pub(crate) fn stats(out: &mut Out, found: &[Found]) -> Result<(), Failure> {
    let mut table = Table::new(&[
        text::column_name(),
        "ID",
        text::column_subject(),
        text::column_requests(),
        text::column_errors(),
        text::column_average(),
        text::column_total(),
    ]);
    let mut errors = Vec::new();
    for one in found {
        for endpoint in one.endpoints() {
            let number = |key: &str| endpoint[key].as_u64().unwrap_or_default();
            let time = |key: &str| span::millis(Duration::from_nanos(number(key)));
            let subject = word(endpoint, "subject");
            table.row([
                one.text("name").to_owned(),
                one.text("id").to_owned(),
                subject.to_owned(),
                number("num_requests").to_string(),
                number("num_errors").to_string(),
                time("average_processing_time"),
                time("processing_time"),
            ]);
            let last = word(endpoint, "last_error");
            if !last.is_empty() {
                errors.push(text::last_error(
                    one.text("name"),
                    one.text("id"),
                    subject,
                    last,
                ));
            }
        }
    }
    table.show(out)?;
    for error in errors {
        out.line(&harmless(&error))?;
    }
    Ok(())
}

/// Who is there, after how long.
pub(crate) fn ping(out: &mut Out, found: &[Found]) -> Result<(), Failure> {
    let mut table = Table::new(&[
        text::column_name(),
        text::column_version(),
        "ID",
        text::column_latency(),
    ]);
    for one in found {
        let cells = [one.text("name"), one.text("version"), one.text("id")];
        let cells = cells.into_iter().map(str::to_owned);
        table.row(cells.chain([span::millis(one.took)]));
    }
    table.show(out)
}

fn word<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key].as_str().unwrap_or_default()
}
