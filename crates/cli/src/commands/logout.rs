//! `recado logout`: takes the credentials out of a context, and leaves the rest of it.

use serde_json::json;

use crate::args::Global;
use crate::contexts::{self, Folder};
use crate::failure::Failure;
use crate::terminal::{Out, harmless};
use crate::text::{contexts as contexts_text, login as text};

/// Runs the command.
pub(crate) fn run(global: &Global) -> Result<(), Failure> {
    let chosen = contexts::in_effect(global)?.ok_or_else(|| Failure::Usage {
        what: contexts_text::none_selected().to_owned(),
        next: text::logout_which().to_owned(),
    })?;
    let mut context = chosen.context;
    let had = context.forget_identity();
    if had {
        Folder::demand()?.save(&context)?;
    }
    let mut out = Out::new();
    match (global.json, had) {
        (true, _) => out.json(&json!({ "context": context.name, "forgotten": had }))?,
        (false, true) => out.line(&harmless(&text::forgotten(&context.name)))?,
        (false, false) => out.line(&harmless(&text::nothing_to_forget(&context.name)))?,
    }
    out.flush()
}
