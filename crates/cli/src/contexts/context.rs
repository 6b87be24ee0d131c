//! One context: a JSON object whose keys are kept as they are, known to us or not.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::credentials::{SECRET_BYTES_MAX, warn_if_open};
use crate::failure::Failure;
use crate::settings::unreadable;
use crate::text::contexts as text;

/// The keys whose values are secrets, and never shown.
pub(crate) const SECRETS: [&str; 4] = ["token", "password", "user_jwt", "user_seed"];

/// The keys that say who we are; a new credential takes the place of all of them.
const IDENTITY: [&str; 8] = [
    "user",
    "password",
    "token",
    "creds",
    "nkey",
    "nsc",
    "user_jwt",
    "user_seed",
];

/// A named way to connect.
#[derive(Clone)]
pub(crate) struct Context {
    /// Its name.
    pub(crate) name: String,
    /// Its file.
    pub(crate) path: PathBuf,
    keys: Map<String, Value>,
}

impl Context {
    /// One without any keys, not stored yet.
    pub(crate) fn new(name: &str, path: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            path,
            keys: Map::new(),
        }
    }

    /// Reads a context's file.
    pub(crate) fn read(name: &str, path: &Path) -> Result<Self, Failure> {
        let failed = |error: &std::io::Error| unreadable(path, error);
        let size = std::fs::metadata(path)
            .map_err(|error| failed(&error))?
            .len();
        if size > SECRET_BYTES_MAX {
            return Err(broken(path, text::too_large()));
        }
        let content = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
        let context = Self::parse(name, path, &content)?;
        if SECRETS.iter().any(|key| context.has(key)) {
            warn_if_open(path);
        }
        Ok(context)
    }

    /// Takes `content` as a context's file.
    pub(crate) fn parse(name: &str, path: &Path, content: &str) -> Result<Self, Failure> {
        match serde_json::from_str(content) {
            Ok(Value::Object(keys)) => Ok(Self {
                name: name.to_owned(),
                path: path.to_owned(),
                keys,
            }),
            Ok(_) => Err(broken(path, text::no_object())),
            // serde_json's words name line and column, not the content.
            Err(error) => Err(broken(path, &error.to_string())),
        }
    }

    /// A text; `None` if the key is missing or empty.
    pub(crate) fn text(&self, key: &str) -> Result<Option<String>, Failure> {
        match self.keys.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(value)) if value.is_empty() => Ok(None),
            Some(Value::String(value)) => Ok(Some(value.clone())),
            Some(_) => Err(broken(&self.path, &text::no_text(key))),
        }
    }

    /// A yes or no; no if the key is missing.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, Failure> {
        match self.keys.get(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(broken(&self.path, &text::no_flag(key))),
        }
    }

    /// Sets a key.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.keys.insert(key.to_owned(), value.into());
    }

    /// Takes away whatever says who we are. Whether there was any.
    pub(crate) fn forget_identity(&mut self) -> bool {
        let had = IDENTITY.iter().any(|key| self.has(key));
        for key in IDENTITY {
            self.keys.remove(key);
        }
        had
    }

    /// The keys that are set to something, by name.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.keys
            .iter()
            .map(|(key, value)| (key.as_str(), value))
            .filter(|(_, value)| is_set(value))
    }

    /// The file's content.
    pub(crate) fn to_json(&self) -> String {
        let object = Value::Object(self.keys.clone());
        // Only maps whose keys are no texts can fail.
        serde_json::to_string_pretty(&object).unwrap_or_default() + "\n"
    }

    /// The failure for a key that asks for what this program can't do.
    pub(crate) fn refuse(&self, what: String) -> Failure {
        Failure::Local {
            what,
            next: text::broken_next(&self.name),
        }
    }

    fn has(&self, key: &str) -> bool {
        self.keys.get(key).is_some_and(is_set)
    }
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

fn broken(path: &Path, detail: &str) -> Failure {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Failure::Local {
        what: text::broken(&path.display().to_string(), detail),
        next: text::broken_next(&name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(content: &str) -> Context {
        Context::parse("a", Path::new("/x/a.json"), content).unwrap()
    }

    #[test]
    fn keys_that_are_not_ours_survive_a_change() {
        let mut context =
            context(r#"{"url":"nats://a","color_scheme":"light","future":[1,{"a":2}]}"#);
        context.set("description", "mine");
        let again = Context::parse("a", Path::new("/x/a.json"), &context.to_json()).unwrap();
        assert_eq!(again.keys["future"], serde_json::json!([1, {"a": 2}]));
        assert_eq!(
            again.text("color_scheme").unwrap().as_deref(),
            Some("light")
        );
        assert_eq!(again.text("description").unwrap().as_deref(), Some("mine"));
    }

    #[test]
    fn a_new_credential_leaves_nothing_of_the_old_one() {
        let mut context = context(r#"{"user":"ana","password":"x","nkey":"k","url":"nats://a"}"#);
        assert!(context.forget_identity());
        assert!(!context.forget_identity());
        let left: Vec<_> = context.entries().map(|(key, _)| key).collect();
        assert_eq!(left, ["url"]);
    }

    #[test]
    fn a_broken_file_is_told_with_its_path_and_without_its_content() {
        for content in ["", "[1]", r#"{"token":"s3cret"#] {
            let Err(failure) = Context::parse("a", Path::new("/x/a.json"), content) else {
                panic!("{content} is no context")
            };
            assert!(failure.what().contains("/x/a.json"), "{failure:?}");
            assert!(!failure.what().contains("s3cret"), "{failure:?}");
        }
        let wrong = context(r#"{"url":1,"tls_first":"yes"}"#);
        assert!(wrong.text("url").unwrap_err().what().contains("\"url\""));
        assert!(wrong.flag("tls_first").is_err());
    }
}
