//! Changing a configuration: what would change is shown first, and done only if the person agrees.

use clap::Args;
use serde_json::{Map, Value, json};

use super::about::About;
use super::consent::Consent;
use super::{difference, fields, report};
use crate::failure::Failure;
use crate::terminal::Out;
use crate::text::jetstream as text;

/// The options of every command that does so.
#[derive(Debug, Args)]
pub(crate) struct Editing {
    #[arg(long, help = text::dry_run())]
    dry_run: bool,
    #[command(flatten)]
    consent: Consent,
}

impl Editing {
    /// The configuration in `info` as `apply` changes it, once that was shown and agreed to; `None` when
    /// there is nothing to do.
    pub(crate) async fn agreed(
        &self,
        about: &About,
        info: &Value,
        apply: impl Fn(&mut Map<String, Value>),
        as_json: bool,
    ) -> Result<Option<Map<String, Value>>, Failure> {
        let before = fields::own(&info["config"]);
        let mut after = before.clone();
        apply(&mut after);
        let changes = difference::between(&before, &after);
        if changes.is_empty() {
            let words = text::no_changes(&about.words());
            report::tell(&words, &json!({ "changes": {} }), as_json)?;
            return Ok(None);
        }
        let mut out = Out::new();
        match as_json {
            true => out.json(&json!({ "changes": difference::json(&changes) }))?,
            false => difference::show(&mut out, &changes)?,
        }
        out.flush()?;
        if self.dry_run {
            return Ok(None);
        }
        let question = text::edit_question(&about.words());
        self.consent.ask(&question).await?;
        Ok(Some(after))
    }
}

/// None of the options says anything.
pub(crate) fn nothing_said() -> Failure {
    Failure::Usage {
        what: text::nothing_to_change().to_owned(),
        next: text::nothing_to_change_next().to_owned(),
    }
}

/// Tells a person that it is done.
pub(crate) fn tell_done(about: &About) -> Result<(), Failure> {
    report::tell(&text::edited(&about.words()), &Value::Null, false)
}
