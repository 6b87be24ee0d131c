//! Secrets that are written down as a reference: `env://NAME`, `file://PATH`, `data:;base64,…`, and
//! paths with `~` and `$VARIABLES`, as the contexts of the `nats` CLI have them (ADR-21).
//!
//! What a reference leads to is never shown; what can't be followed is refused by name, never taken
//! for the secret itself.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::credentials::secret_file;
use crate::failure::Failure;
use crate::text::credentials as text;

/// A way to write down where a secret is.
enum Reference<'a> {
    /// `file://PATH`.
    File(PathBuf),
    /// `env://NAME`.
    Variable(&'a str),
    /// `data:[TYPE];base64,CONTENT`.
    Data(&'a str),
    /// 1Password's.
    OnePassword,
    /// The program `nsc`'s.
    Nsc,
}

/// The secret itself: `written` where it is no reference.
pub(crate) fn literal(written: &str, source: &str) -> Result<String, Failure> {
    match parse(written) {
        None => Ok(written.to_owned()),
        Some(reference) => {
            let content = follow(reference, written, source)?;
            Ok(content.trim_end_matches(['\r', '\n']).to_owned())
        }
    }
}

/// The content of the file that `written` names, or that it refers to.
pub(crate) fn content(written: &str, source: &str) -> Result<String, Failure> {
    match parse(written) {
        None => secret_file(&path(written)),
        Some(reference) => follow(reference, written, source),
    }
}

/// How a reference to a whole file is shown: the path, or where an inline one came from.
pub(crate) fn shown(written: &str, source: &str) -> String {
    match parse(written) {
        None => path(written).display().to_string(),
        Some(Reference::File(path)) => path.display().to_string(),
        Some(Reference::Variable(name)) => name.to_owned(),
        Some(_) => source.to_owned(),
    }
}

/// A path with a leading `~` and `$NAME` or `${NAME}` replaced, as the `nats` CLI does.
pub(crate) fn path(written: &str) -> PathBuf {
    let expanded = expand(written, |name| std::env::var(name).unwrap_or_default());
    match expanded.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => match std::env::var("HOME") {
            Ok(home) => PathBuf::from(format!("{home}{rest}")),
            Err(_) => PathBuf::from(expanded),
        },
        _ => PathBuf::from(expanded),
    }
}

/// A path to be kept: absolute, unless it is a reference or says itself where it starts.
pub(crate) fn lasting(written: &str) -> String {
    if parse(written).is_some() || written.starts_with(['~', '$']) {
        return written.to_owned();
    }
    match std::path::absolute(Path::new(written)) {
        Ok(path) => path.display().to_string(),
        Err(_) => written.to_owned(),
    }
}

/// The refusal of something that only the program `nsc` can look up.
pub(crate) fn nsc(written: &str, source: &str) -> Failure {
    refused(text::nsc(written, source), text::nsc_next())
}

fn parse(written: &str) -> Option<Reference<'_>> {
    let (scheme, rest) = written.split_once(':')?;
    let after = rest.strip_prefix("//");
    match (scheme.to_ascii_lowercase().as_str(), after) {
        ("file", Some(named)) => Some(Reference::File(path(named))),
        ("env", Some(name)) => Some(Reference::Variable(name)),
        ("data", None) => Some(Reference::Data(rest)),
        ("op", Some(_)) => Some(Reference::OnePassword),
        ("nsc", Some(_)) => Some(Reference::Nsc),
        _ => None,
    }
}

fn follow(reference: Reference<'_>, written: &str, source: &str) -> Result<String, Failure> {
    match reference {
        Reference::File(path) => secret_file(&path),
        Reference::Variable(name) => match std::env::var(name) {
            Ok(value) if !value.is_empty() => Ok(value),
            _ => Err(refused(
                text::variable_empty(name, source),
                text::variable_empty_next(),
            )),
        },
        Reference::Data(rest) => {
            decode(rest).ok_or_else(|| refused(text::bad_data(source), text::bad_data_next()))
        }
        Reference::OnePassword => Err(refused(
            text::one_password(written, source),
            text::one_password_next(),
        )),
        Reference::Nsc => Err(nsc(written, source)),
    }
}

fn decode(rest: &str) -> Option<String> {
    let (kind, encoded) = rest.split_once(',')?;
    if !kind
        .split(';')
        .any(|part| part.eq_ignore_ascii_case("base64"))
    {
        return None;
    }
    String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()
}

fn refused(what: String, next: &str) -> Failure {
    Failure::Local {
        what,
        next: next.to_owned(),
    }
}

/// Replaces `$NAME` and `${NAME}`; a `$` in front of neither stays.
fn expand(written: &str, value: impl Fn(&str) -> String) -> String {
    let mut expanded = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, length) = match after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let end = after
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        if name.is_empty() {
            expanded.push('$');
        } else {
            expanded.push_str(&value(name));
        }
        rest = &after[length..];
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_in_paths_are_replaced_in_both_spellings() {
        let value = |name: &str| format!("<{name}>");
        assert_eq!(
            expand("$HOME/keys/${WHO}.creds", value),
            "<HOME>/keys/<WHO>.creds"
        );
        assert_eq!(expand("a$/b$", value), "a$/b$");
        assert_eq!(expand("${open/é", value), "${open/é");
    }

    #[test]
    fn only_known_schemes_are_references() {
        assert_eq!(literal("s3cr:et", "here").unwrap(), "s3cr:et");
        assert_eq!(literal("$HOME", "here").unwrap(), "$HOME");
        assert_eq!(literal("data:;base64,aG9sYQo=", "here").unwrap(), "hola");
        assert!(literal("data:plain", "here").is_err());
        for written in ["op://vault/item", "NSC://operator/account"] {
            let failure = literal(written, "the context prod").unwrap_err();
            assert!(failure.what().contains("the context prod"), "{failure:?}");
        }
    }
}
