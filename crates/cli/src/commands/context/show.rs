//! Contexts as they are shown: what they say, but for their secrets.

use serde_json::{Map, Value, json};

use crate::args::Global;
use crate::contexts::{self, Context, Folder, SECRETS};
use crate::failure::Failure;
use crate::settings::{self, DEFAULT_SERVER};
use crate::terminal::{self, Out, harmless};
use crate::text::contexts as text;

/// What is shown in place of a secret.
const HIDDEN: &str = "***";

/// All contexts, one a line; a broken one with what is wrong with it.
pub(super) fn list(folder: &Folder, as_json: bool) -> Result<(), Failure> {
    let selected = folder.selected()?;
    let names = folder.names()?;
    let mut out = Out::new();
    if names.is_empty() && !as_json {
        terminal::notice(text::none_yet());
    }
    let width = names.iter().map(|name| name.chars().count()).max();
    for name in &names {
        let context = folder.load(name);
        let is_selected = selected.as_ref() == Some(name);
        if as_json {
            out.json(&listed(name, &context, is_selected))?;
            continue;
        }
        let mark = if is_selected { "*" } else { " " };
        let pad = width.unwrap_or_default() - name.chars().count();
        let shown = harmless(name);
        let name = if is_selected {
            out.bold(&shown)
        } else {
            shown.into_owned()
        };
        let rest = match &context {
            Ok(context) => about(context),
            Err(failure) => text::is_broken(&failure.what()),
        };
        out.line(&format!("{mark} {name}{:pad$}  {}", "", harmless(&rest)))?;
    }
    out.flush()
}

fn about(context: &Context) -> String {
    let description = context.text("description").ok().flatten();
    match description {
        Some(description) => format!("{}  {description}", servers(context)),
        None => servers(context),
    }
}

fn servers(context: &Context) -> String {
    let written = context.text("url").ok().flatten();
    written.map_or_else(|| DEFAULT_SERVER.to_owned(), |written| redact(&written))
}

fn listed(name: &str, context: &Result<Context, Failure>, selected: bool) -> Value {
    match context {
        Ok(context) => json!({
            "name": name,
            "selected": selected,
            "server": servers(context),
            "description": context.text("description").ok().flatten(),
            "file": context.path.display().to_string(),
        }),
        Err(failure) => json!({ "name": name, "selected": selected, "error": failure.what() }),
    }
}

/// One context: the named one, or the one in effect.
pub(super) fn one(folder: &Folder, name: Option<&str>, global: &Global) -> Result<(), Failure> {
    let context = match name {
        Some(name) => folder.load(name)?,
        None => match contexts::in_effect(global)? {
            Some(chosen) => chosen.context,
            None => {
                return Err(Failure::Usage {
                    what: text::none_selected().to_owned(),
                    next: text::none_selected_next().to_owned(),
                });
            }
        },
    };
    let selected = folder.selected()?.as_ref() == Some(&context.name);
    let mut out = Out::new();
    let file = context.path.display().to_string();
    if global.json {
        let keys: Map<String, Value> = context
            .entries()
            .map(|(key, value)| (key.to_owned(), shown(key, value)))
            .collect();
        out.json(&json!({
            "name": context.name, "selected": selected, "file": file, "keys": keys,
        }))?;
        return out.flush();
    }
    let title = out.bold(&harmless(&context.name));
    let mark = if selected { text::mark_selected() } else { "" };
    out.line(&format!("{title}{mark}"))?;
    let path = out.dim(&harmless(&file));
    out.line(&format!("  {path}"))?;
    for (key, value) in context.entries() {
        let value = match shown(key, value) {
            Value::String(words) => words,
            other => other.to_string(),
        };
        out.line(&format!("  {}: {}", harmless(key), harmless(&value)))?;
    }
    out.flush()
}

/// A key's value, unless it is a secret; addresses without what stands before their `@`.
fn shown(key: &str, value: &Value) -> Value {
    let inline = |words: &str| words.starts_with("data:");
    match value {
        _ if SECRETS.contains(&key) => match value.as_str() {
            // Where a secret is, is none itself.
            Some(place) if place.starts_with("file://") || place.starts_with("env://") => {
                place.into()
            }
            _ => HIDDEN.into(),
        },
        Value::String(words) if inline(words) => HIDDEN.into(),
        Value::String(words) if key == "url" || key == "socks_proxy" => redact(words).into(),
        other => other.clone(),
    }
}

fn redact(addresses: &str) -> String {
    let parts = addresses.split(',').map(|address| {
        let Some((user, host)) = address.rsplit_once('@') else {
            return address.to_owned();
        };
        let scheme = user.split_once("://").map(|(scheme, _)| scheme);
        match scheme {
            Some(scheme) => format!("{scheme}://{HIDDEN}@{host}"),
            None => format!("{HIDDEN}@{host}"),
        }
    });
    parts.collect::<Vec<_>>().join(",")
}

/// Looks through one context or all: the file, and the files that it names.
pub(super) fn validate(folder: &Folder, name: Option<&str>, as_json: bool) -> Result<(), Failure> {
    let names = match name {
        Some(name) => vec![name.to_owned()],
        None => folder.names()?,
    };
    if names.is_empty() {
        terminal::notice(text::none_yet());
    }
    let mut out = Out::new();
    let mut bad = Vec::new();
    for name in names {
        let checked = folder
            .load(&name)
            .and_then(|context| settings::check(&context));
        let wrong = checked.err().map(|failure| failure.what());
        if as_json {
            out.json(&json!({ "name": name, "valid": wrong.is_none(), "error": wrong }))?;
        } else {
            let line = match &wrong {
                None => text::in_order(&name),
                Some(wrong) => text::not_in_order(&name, wrong),
            };
            out.line(&harmless(&line))?;
        }
        if wrong.is_some() {
            bad.push(name);
        }
    }
    out.flush()?;
    match bad.is_empty() {
        true => Ok(()),
        false => Err(Failure::Local {
            what: text::some_are_bad(&bad.join(", ")),
            next: text::some_are_bad_next().to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_front_of_an_address_is_shown() {
        assert_eq!(
            redact("nats://ana:p@ss@a:1,s3cret@b,tls://c"),
            "nats://***@a:1,***@b,tls://c"
        );
        assert_eq!(shown("token", &json!("s3cret")), json!(HIDDEN));
        assert_eq!(shown("token", &json!("env://T")), json!("env://T"));
        assert_eq!(shown("creds", &json!("data:;base64,x")), json!(HIDDEN));
        assert_eq!(shown("user", &json!("ana")), json!("ana"));
    }
}
