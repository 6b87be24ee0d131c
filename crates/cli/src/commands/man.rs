//! `recado man`: the manual pages, in the language of the run.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::failure::Failure;
use crate::lang::{self, Lang};
use crate::manual;
use crate::terminal::{Out, harmless};
use crate::text::{completions as text, contexts as contexts_text};
use crate::usage;

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(value_name = text::value_folder(), help = text::man_folder())]
    folder: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, as_json: bool) -> Result<(), Failure> {
    let pages = manual::pages(&usage::command(), "recado");
    let mut out = Out::new();
    let Some(folder) = &arguments.folder else {
        if let Some(page) = pages.first() {
            out.bytes(page.source.as_bytes())?;
        }
        return out.flush();
    };
    let folder = match lang::current() {
        Lang::En => folder.join("man1"),
        Lang::Es => folder.join("es/man1"),
    };
    let failed = |path: &PathBuf, error: std::io::Error| Failure::Local {
        what: contexts_text::unwritable(&path.display().to_string(), &error.to_string()),
        next: text::man_unwritable_next().to_owned(),
    };
    std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
    for page in &pages {
        let path = folder.join(format!("{}.1", page.name));
        std::fs::write(&path, &page.source).map_err(|error| failed(&path, error))?;
    }
    let shown = folder.display().to_string();
    match as_json {
        true => out.json(&json!({ "pages": pages.len(), "folder": shown }))?,
        false => out.line(&harmless(&text::man_written(pages.len(), &shown)))?,
    }
    out.flush()
}
