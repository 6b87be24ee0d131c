//! Contexts: named ways to connect, in the very files of the `nats` CLI (ADR-21), so that both
//! programs see the same ones: `context/NAME.json`, and `context.txt` with the selected name, under
//! `$XDG_CONFIG_HOME/nats` or `~/.config/nats`.
//!
//! A file is never written so that others could read it, never half, and never without the keys in
//! it that this program does not know.

mod context;
mod folder;
mod options;

pub(crate) use context::{Context, SECRETS};
pub(crate) use folder::{Folder, write};

use std::path::Path;

use crate::args::Global;
use crate::failure::Failure;
use crate::given::variable;
use crate::text::contexts as text;

/// A context that is to be used, and how it was chosen.
pub(crate) struct Chosen {
    /// The context.
    pub(crate) context: Context,
    /// Whether somebody named it for this run, and it is not just the selected one.
    pub(crate) named: bool,
}

/// The context of this run: `--context`, `NATS_CONTEXT` or the selected one; `--no-context` is
/// against all three.
pub(crate) fn in_effect(global: &Global) -> Result<Option<Chosen>, Failure> {
    if global.no_context {
        return Ok(None);
    }
    if let Some(name) = &global.context {
        let context = named(name, |what, next| Failure::Usage { what, next })?;
        return Ok(Some(Chosen {
            context,
            named: true,
        }));
    }
    let local = |what, next| Failure::Local { what, next };
    if let Some(name) = variable("NATS_CONTEXT") {
        let context = named(&name, local)?;
        return Ok(Some(Chosen {
            context,
            named: true,
        }));
    }
    let Some(folder) = Folder::find() else {
        return Ok(None);
    };
    match folder.selected()? {
        None => Ok(None),
        Some(name) if !folder.knows(&name) => Err(local(
            text::selected_is_gone(&name),
            text::selected_is_gone_next().to_owned(),
        )),
        Some(name) => Ok(Some(Chosen {
            context: folder.load(&name)?,
            named: false,
        })),
    }
}

/// A context by its name, or by the path of a file that ends in `.json`.
fn named(name: &str, failure: fn(String, String) -> Failure) -> Result<Context, Failure> {
    let path = Path::new(name);
    if name.ends_with(".json") && path.is_file() {
        let stem = path.file_stem().unwrap_or_default();
        return Context::read(&stem.to_string_lossy(), path);
    }
    let folder = Folder::find().filter(|folder| folder.knows(name));
    match folder {
        Some(folder) => folder.load(name),
        None => Err(failure(
            text::unknown(name),
            text::unknown_next().to_owned(),
        )),
    }
}
