//! Changes to contexts: made, copied, edited, selected, removed.

use std::io::IsTerminal;
use std::path::Path;
use std::process::Command;

use clap::Args;
use serde_json::{Value, json};

use crate::args::Global;
use crate::contexts::{Context, Folder, write};
use crate::failure::Failure;
use crate::given::variable;
use crate::settings::{self, DEFAULT_SERVER, unreadable};
use crate::terminal::{self, Out};
use crate::text::{contexts as text, help as text_help};

/// `recado context add`. What the context will hold is said by the global options.
#[derive(Debug, Args)]
pub(super) struct Add {
    #[arg(value_name = text_help::value_name(), help = text::add_name())]
    name: String,
    #[arg(short, long, value_name = text_help::value_text(), help = text::add_description())]
    description: Option<String>,
    #[arg(long, help = text::add_select())]
    select: bool,
}

impl Add {
    pub(super) fn run(&self, folder: &Folder, global: &Global) -> Result<(), Failure> {
        let is_new = !folder.knows(&self.name);
        let mut context = folder.load_or_new(&self.name)?;
        if let Some(server) = &global.server {
            settings::check_addresses(server)?;
            context.set("url", server.as_str());
        } else if is_new {
            context.set("url", DEFAULT_SERVER);
        }
        if let Some(description) = &self.description {
            context.set("description", description.as_str());
        }
        context.take(global);
        settings::check(&context)?;
        folder.save(&context)?;
        if self.select {
            folder.select(Some(&self.name))?;
        }
        let selected = folder.selected()?.as_ref() == Some(&self.name);
        let path = context.path.display().to_string();
        let mut words = text::saved(&self.name, &path);
        if !selected {
            words = format!("{words}\n{}", text::saved_next(&self.name));
        }
        let object = json!({
            "name": self.name, "file": path, "new": is_new, "selected": selected,
        });
        tell(&words, object, global.json)
    }
}

pub(super) fn select(folder: &Folder, name: Option<&str>, as_json: bool) -> Result<(), Failure> {
    let before = folder.selected()?;
    folder.select(name)?;
    let words = match name {
        Some(name) => text::selected(name),
        None => text::unselected().to_owned(),
    };
    tell(
        &words,
        json!({ "selected": name, "before": before }),
        as_json,
    )
}

pub(super) fn previous(folder: &Folder, as_json: bool) -> Result<(), Failure> {
    match folder.previous()? {
        Some(name) => select(folder, Some(&name), as_json),
        None => Err(Failure::Usage {
            what: text::no_previous().to_owned(),
            next: text::unknown_next().to_owned(),
        }),
    }
}

pub(super) fn copy(
    folder: &Folder,
    source: &str,
    name: &str,
    as_json: bool,
) -> Result<(), Failure> {
    if folder.knows(name) {
        return Err(Failure::Usage {
            what: text::exists(name),
            next: text::exists_next(name),
        });
    }
    let original = folder.load(source)?;
    let mut copied = folder.load_or_new(name)?;
    for (key, value) in original.entries() {
        // Some tools write the name into the file; the copy's is another.
        if key != "name" {
            copied.set(key, value.clone());
        }
    }
    folder.save(&copied)?;
    let path = copied.path.display().to_string();
    let words = text::saved(name, &path);
    tell(&words, json!({ "name": name, "file": path }), as_json)
}

pub(super) fn remove(
    folder: &Folder,
    name: &str,
    force: bool,
    as_json: bool,
) -> Result<(), Failure> {
    let selected = folder.selected()?.as_deref() == Some(name);
    if selected && !force && folder.knows(name) {
        return Err(Failure::Usage {
            what: text::is_selected(name),
            next: text::is_selected_next().to_owned(),
        });
    }
    folder.remove(name)?;
    tell(&text::removed(name), json!({ "removed": name }), as_json)
}

/// Opens the file in the person's editor, as a copy: what is not right does not get in.
pub(super) fn edit(folder: &Folder, name: &str, as_json: bool) -> Result<(), Failure> {
    let path = folder.load_path(name)?;
    let editor = match variable("VISUAL").or_else(|| variable("EDITOR")) {
        Some(editor) => editor,
        None if std::io::stdin().is_terminal() => "vi".to_owned(),
        None => {
            return Err(Failure::Usage {
                what: text::no_editor().to_owned(),
                next: text::no_editor_next(&path.display().to_string()),
            });
        }
    };
    let before = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
    let draft = path.with_file_name(format!(".{name}.{}.draft", std::process::id()));
    write(&draft, &before)?;
    let changed = in_editor(&editor, &draft).and_then(|()| {
        let content =
            std::fs::read_to_string(&draft).map_err(|error| unreadable(&draft, &error))?;
        let context = Context::parse(name, &path, &content)?;
        settings::check(&context)?;
        match content.as_bytes() == before {
            true => Ok(false),
            false => write(&path, content.as_bytes()).map(|()| true),
        }
    });
    match changed {
        Ok(changed) => {
            // A draft that stays behind is as private as the context itself.
            let _ = std::fs::remove_file(&draft);
            let words = match changed {
                true => text::saved(name, &path.display().to_string()),
                false => text::unchanged(name),
            };
            tell(&words, json!({ "name": name, "changed": changed }), as_json)
        }
        Err(failure) => {
            terminal::notice(&text::draft_kept(&draft.display().to_string()));
            Err(failure)
        }
    }
}

fn in_editor(editor: &str, file: &Path) -> Result<(), Failure> {
    // Through the shell: an editor may be given with options of its own ("code --wait").
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{editor} \"$1\""), "sh"])
        .arg(file);
    let failed = |detail: String| Failure::Local {
        what: text::editor_failed(editor, &detail),
        next: text::editor_failed_next().to_owned(),
    };
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(status.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn tell(words: &str, object: Value, as_json: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    match as_json {
        true => out.json(&object)?,
        false => out.line(&terminal::harmless(words))?,
    }
    out.flush()
}
