//! What was done, in a line or as an object; and what is known about a thing, fact by fact.

use serde_json::Value;

use crate::failure::Failure;
use crate::terminal::{Out, harmless};

/// Says what was done.
pub(crate) fn tell(words: &str, object: &Value, as_json: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    match as_json {
        true => out.json(object)?,
        false => out.line(&harmless(words))?,
    }
    out.flush()
}

/// Facts about something under its name; those without a word are left out.
pub(crate) fn facts(
    out: &mut Out,
    title: &str,
    facts: &[(&'static str, String)],
) -> Result<(), Failure> {
    let title = out.bold(&harmless(title));
    out.line(&title)?;
    let shown = || facts.iter().filter(|(_, words)| !words.is_empty());
    let width = shown().map(|(name, _)| name.chars().count()).max();
    for (name, words) in shown() {
        let pad = width.unwrap_or_default() - name.chars().count();
        let name = out.dim(&format!("{name}{:pad$}", ""));
        out.line(&format!(
            "  {name}  {}",
            harmless(&words.replace('\n', " "))
        ))?;
    }
    Ok(())
}
