//! The effective value of every setting, and where it came from: the default, a line of the file, a flag or the
//! environment. What is a secret is told to be there, never shown.

use std::collections::BTreeMap;

use super::filled::{Block, Part, counted};
use super::known::{
    AUTHORIZATION, BATCH, Meaning, STREAMS, STREAMS_LIMITS, TOP_LEVEL, Table, find,
};
use super::shown::{self, Show, Shown, Unset};
use crate::config::fault::Place;
use crate::config::lang::{Data, Entry, Map, Value};
use crate::config::options::Options;

/// One setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its key, inside blocks with dots between: `authorization.token`.
    pub setting: String,
    /// What holds.
    pub value: Shown,
    /// Why.
    pub source: Source,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Nobody said anything.
    Default,
    /// A configuration file.
    File(Place),
    /// A variable that a configuration file uses.
    Variable {
        /// Where it is used.
        used: Place,
        /// Its name.
        name: String,
        /// The key that sets it; `None`: the environment.
        set: Option<Place>,
    },
    /// A flag, as it was written.
    Flag(String),
    /// A variable of the environment.
    Environment(String),
}

impl Source {
    /// Of a value of the file, whose key (or itself, in a list) is at `place`.
    fn of(value: &Value, place: &Place) -> Self {
        match &value.from {
            None => Self::File(place.clone()),
            Some(origin) => Self::Variable {
                used: value.place.clone(),
                name: origin.name.to_string(),
                set: origin.place.clone(),
            },
        }
    }
}

/// A setting that a flag or the environment made, with its value where the options don't tell.
#[derive(Clone, Debug)]
pub(crate) struct Override {
    /// As [`Row::setting`].
    pub(crate) setting: &'static str,
    pub(crate) source: Source,
    /// What was given, for blocks that are shown as they were written.
    pub(crate) given: Shown,
}

/// All settings, in the order of the tables of keys.
pub(crate) fn rows(options: &Options, file: &Map, overrides: &[Override]) -> Vec<Row> {
    let mut explaining = Explaining {
        options,
        sources: BTreeMap::new(),
        written: BTreeMap::new(),
        rows: Vec::new(),
    };
    explaining.look_at(file);
    for one in overrides {
        let source = one.source.clone();
        explaining.sources.insert(one.setting.to_owned(), source);
    }
    explaining.table("", TOP_LEVEL, |key| match shown::top_level(key) {
        Show::Block => None,
        show => Some(show),
    });
    explaining.table("authorization.", AUTHORIZATION, |key| {
        Some(shown::authorization(key))
    });
    explaining.table("jetstream.", STREAMS, |key| Some(shown::streams(key)));
    explaining.table("jetstream.limits.", STREAMS_LIMITS, |key| {
        Some(shown::streams_limits(key))
    });
    explaining.table("jetstream.limits.batch.", BATCH, |key| {
        Some(shown::batch(key))
    });
    explaining.given(overrides);
    explaining.rows
}

struct Explaining<'a> {
    options: &'a Options,
    /// Where each setting was made.
    sources: BTreeMap<String, Source>,
    /// Entries of the file, by their setting.
    written: BTreeMap<String, &'a Entry>,
    rows: Vec<Row>,
}

impl<'a> Explaining<'a> {
    /// Notes what the file sets, and where.
    fn look_at(&mut self, file: &'a Map) {
        for entry in file.entries() {
            let Some(Meaning::Sets(key)) = find(TOP_LEVEL, &entry.key) else {
                self.note(entry, entry.key.to_lowercase());
                continue;
            };
            let setting = name(TOP_LEVEL, &entry.key);
            match (shown::top_level(key), &entry.value.data) {
                (Show::Elsewhere(settings), _) => {
                    for setting in settings {
                        self.note(entry, (*setting).to_owned());
                    }
                }
                (Show::Block, Data::Map(map)) if setting == "authorization" => {
                    self.block("authorization.", map, AUTHORIZATION);
                }
                (Show::Block, data) => {
                    self.note(entry, format!("{setting}.enabled"));
                    if let Data::Map(map) = data {
                        self.streams(map);
                    }
                }
                _ => self.note(entry, setting.to_owned()),
            }
            // Tracing headers is tracing.
            if setting == "trace_headers" {
                self.note(entry, "trace".to_owned());
            }
        }
    }

    fn streams(&mut self, map: &'a Map) {
        self.block("jetstream.", map, STREAMS);
        let Some(limits) = inner(map, "limits") else {
            return;
        };
        self.block("jetstream.limits.", limits, STREAMS_LIMITS);
        if let Some(batch) = inner(limits, "batch") {
            self.block("jetstream.limits.batch.", batch, BATCH);
        }
    }

    fn block<K: Copy>(&mut self, prefix: &str, map: &'a Map, table: &'static Table<K>) {
        for entry in map.entries() {
            let setting = format!("{prefix}{}", name(table, &entry.key));
            // A file names where the token is from.
            if setting == "authorization.token_file" {
                self.note(entry, "authorization.token".to_owned());
            }
            self.note(entry, setting);
        }
    }

    fn note(&mut self, entry: &'a Entry, setting: String) {
        let source = Source::of(&entry.value, &entry.place);
        self.sources.insert(setting.clone(), source);
        self.written.insert(setting, entry);
    }

    /// A row for each key of a table.
    fn table<K: Copy>(
        &mut self,
        prefix: &str,
        table: &'static Table<K>,
        show: impl Fn(K) -> Option<Show>,
    ) {
        for (names, meaning) in table {
            let setting = format!("{prefix}{}", names.first().copied().unwrap_or_default());
            match meaning {
                Meaning::Sets(key) => match show(*key) {
                    Some(Show::Effective(of)) => {
                        self.effective(setting.clone(), of(self.options));
                        self.resolver(&setting);
                    }
                    Some(Show::AsWritten) => self.as_written(&setting, true),
                    Some(Show::Inside(block)) => self.filled(&setting, &Part::Inside(block)),
                    Some(Show::InsideOr(block, otherwise)) => {
                        match self.written.contains_key(&setting) {
                            true => self.filled(&setting, &Part::Inside(block)),
                            false => self.effective(setting, otherwise),
                        }
                    }
                    Some(Show::Each(block)) => self.filled(&setting, &Part::Each(block)),
                    Some(Show::Elsewhere(_) | Show::Block) | None => {}
                },
                // Only what says that the feature is off is accepted.
                Meaning::NotYet(..) => {
                    for name in *names {
                        self.as_written(&format!("{prefix}{name}"), false);
                    }
                }
            }
        }
    }

    fn effective(&mut self, setting: String, value: Shown) {
        let source = self.sources.get(&setting).cloned();
        self.rows.push(Row {
            setting,
            value,
            source: source.unwrap_or(Source::Default),
        });
    }

    fn as_written(&mut self, setting: &str, even_if_not: bool) {
        match self.written.get(setting) {
            Some(entry) => {
                let entry = *entry;
                self.flatten(setting.to_owned(), &entry.key, &entry.value, &entry.place);
            }
            None if even_if_not && !self.sources.contains_key(setting) => {
                self.effective(setting.to_owned(), Shown::Unset(Unset::Nothing));
            }
            None => {}
        }
    }

    /// A block, or several, with what nobody wrote of them.
    fn filled(&mut self, setting: &str, part: &Part) {
        match self.written.get(setting) {
            Some(entry) => {
                let entry = *entry;
                self.fill(setting.to_owned(), part, entry);
            }
            None => self.as_written(setting, true),
        }
    }

    /// Where accounts are found is told in one line, and what a directory of them is like behind it.
    fn resolver(&mut self, setting: &str) {
        if setting == "resolver"
            && let Some(entry) = self.written.get(setting)
            && let Data::Map(map) = &entry.value.data
        {
            self.inside(setting, Block::Resolver, map);
        }
    }

    fn fill(&mut self, setting: String, part: &Part, entry: &Entry) {
        match (part, &entry.value.data) {
            (Part::Value(default) | Part::Beside(_, default), Data::Integer(number)) => {
                self.number(setting, entry, *number as f64, default);
            }
            (Part::Value(default) | Part::Beside(_, default), Data::Float(number)) => {
                self.number(setting, entry, *number, default);
            }
            (Part::Inside(block) | Part::InsideOr(block, _) | Part::IfWrittenInside(block), _) => {
                self.blocks(&setting, *block, entry)
            }
            (Part::Each(block), Data::Map(map)) if !map.is_empty() => {
                for inner in map.entries() {
                    // Without a block it may be a variable for others.
                    if !inner.used_as_variable {
                        self.blocks(&format!("{setting}.{}", inner.key), *block, inner);
                    }
                }
            }
            _ => self.flatten(setting, &entry.key, &entry.value, &entry.place),
        }
    }

    fn number(&mut self, setting: String, entry: &Entry, number: f64, default: &Shown) {
        if is_secret(&entry.key) {
            return self.flatten(setting, &entry.key, &entry.value, &entry.place);
        }
        self.rows.push(Row {
            setting,
            value: counted(number, default),
            source: Source::of(&entry.value, &entry.place),
        });
    }

    /// One block, or each of a list; what else stands there is shown as it was written.
    fn blocks(&mut self, setting: &str, block: Block, entry: &Entry) {
        match &entry.value.data {
            Data::Map(map) => self.inside(setting, block, map),
            Data::Array(array) if !array.values().is_empty() => {
                for (index, value) in array.values().iter().enumerate() {
                    let setting = format!("{setting}[{index}]");
                    match &value.data {
                        Data::Map(map) => self.inside(&setting, block, map),
                        _ => self.flatten(setting, &entry.key, value, &value.place),
                    }
                }
            }
            _ => self.flatten(setting.to_owned(), &entry.key, &entry.value, &entry.place),
        }
    }

    /// All keys of a block, whether they were written or not.
    fn inside(&mut self, setting: &str, block: Block, map: &Map) {
        let find = |names: &[&str]| {
            let mut entries = map.entries().iter();
            entries.find(|entry| names.contains(&entry.key.to_lowercase().as_str()))
        };
        for (names, part) in block.parts() {
            let setting = format!("{setting}.{}", names.first().copied().unwrap_or_default());
            let default = match (find(names), part) {
                (Some(entry), part) => {
                    self.fill(setting, &part, entry);
                    continue;
                }
                (None, Part::Value(default)) => default,
                (None, Part::Beside(key, default)) if find(key).is_some() => default,
                (None, Part::Inside(_) | Part::Each(_)) => Shown::Unset(Unset::Nothing),
                (None, Part::InsideOr(_, other)) => Shown::Unset(Unset::As(other)),
                (None, Part::Beside(..) | Part::IfWritten | Part::IfWrittenInside(_)) => continue,
            };
            self.rows.push(Row {
                setting,
                value: default,
                source: Source::Default,
            });
        }
    }

    /// A row for each value inside of one.
    fn flatten(&mut self, setting: String, key: &str, value: &Value, place: &Place) {
        let shown = match &value.data {
            Data::Map(map) if !map.is_empty() => {
                for entry in map.entries() {
                    let inner = format!("{setting}.{}", entry.key);
                    self.flatten(inner, &entry.key, &entry.value, &entry.place);
                }
                return;
            }
            Data::Array(array) if !array.values().is_empty() => {
                for (index, value) in array.values().iter().enumerate() {
                    self.flatten(format!("{setting}[{index}]"), key, value, &value.place);
                }
                return;
            }
            _ if is_secret(key) => Shown::Secret,
            Data::String(text) => Shown::Text(without_secrets(text)),
            Data::Integer(number) => Shown::Number(*number as f64),
            Data::Float(number) => Shown::Number(*number),
            Data::Bool(value) => Shown::Bool(*value),
            Data::Datetime(time) => Shown::Text(time.to_string()),
            Data::Map(_) => Shown::Text("{}".to_owned()),
            Data::Array(_) => Shown::Text("[]".to_owned()),
        };
        self.rows.push(Row {
            setting,
            value: shown,
            source: Source::of(value, place),
        });
    }

    /// What flags said of blocks that are shown as they were written.
    fn given(&mut self, overrides: &[Override]) {
        for one in overrides {
            let found = self.rows.iter_mut().find(|row| row.setting == one.setting);
            match found {
                Some(row) if row.source == one.source => {}
                Some(row) => {
                    row.value = one.given.clone();
                    row.source = one.source.clone();
                }
                None => self.rows.push(Row {
                    setting: one.setting.to_owned(),
                    value: one.given.clone(),
                    source: one.source.clone(),
                }),
            }
        }
    }
}

/// The first name of a key, which its row has.
fn name<'k, K>(table: &'static Table<K>, key: &'k str) -> &'k str
where
    'static: 'k,
{
    let lower = key.to_lowercase();
    let row = (table.iter()).find(|(names, _)| names.contains(&lower.as_str()));
    row.and_then(|(names, _)| names.first().copied())
        .unwrap_or(key)
}

fn inner<'a>(map: &'a Map, key: &str) -> Option<&'a Map> {
    let entry = (map.entries().iter()).find(|entry| entry.key.eq_ignore_ascii_case(key))?;
    match &entry.value.data {
        Data::Map(map) => Some(map),
        _ => None,
    }
}

/// Whether what a key holds is nobody's to see. Rather one too many: a file is named by a key that ends so.
fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    // A path, or the name of a cookie.
    if ["_file", "_dir", "_cookie"]
        .iter()
        .any(|end| key.ends_with(end))
    {
        return false;
    }
    let words = ["pass", "token", "secret", "seed", "encryption", "cred"];
    words.iter().any(|word| key.contains(word))
        || ["key", "ek", "prev_key", "prev_ek"].contains(&key.as_str())
}

/// A URL without the user and password in it.
fn without_secrets(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let end = rest.find(['/', '?', ' ']).unwrap_or(rest.len());
    match rest.get(..end).and_then(|authority| authority.rfind('@')) {
        Some(at) => format!("{scheme}://…{}", rest.get(at..).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_keys_and_inside_urls() {
        for key in [
            "password",
            "Pass",
            "token",
            "monitor_token",
            "key",
            "prev_ek",
            "seed",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in [
            "key_file",
            "token_file",
            "user",
            "nkey",
            "cert_file",
            "pass_file",
            "token_cookie",
        ] {
            assert!(!is_secret(key), "{key}");
        }
        assert_eq!(without_secrets("https://u:p@host/x"), "https://…@host/x");
        assert_eq!(without_secrets("https://host/a@b"), "https://host/a@b");
        assert_eq!(without_secrets("a@b"), "a@b");
    }
}
