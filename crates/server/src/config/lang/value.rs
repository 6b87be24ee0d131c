//! What a configuration file says, value by value, each with the place it was written at.
//!
//! What a variable refers to is shared, not copied; each map and array knows how deep and how large it
//! is with everything shared written out, so that a few lines of variables that double each other
//! can exhaust neither memory, nor the time nor the stack of who walks them.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::fault::Place;

/// Levels of maps and arrays inside each other, the file itself included.
pub const DEPTH_MAX: u32 = 100;
/// Values of one configuration, everything that variables stand for written out.
pub const VALUES_MAX: u64 = 1_000_000;
/// Bytes of keys and texts of one configuration, everything that variables stand for written out.
pub const TEXT_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// One value and where it starts.
#[derive(Clone, Debug)]
pub struct Value {
    /// What it is.
    pub data: Data,
    /// Where it was written; for a variable, where it was used.
    pub place: Place,
    /// The variable that it was taken from.
    pub from: Option<Arc<Origin>>,
}

/// Where a variable was set: of one that stands for another, the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// Its name.
    pub name: Box<str>,
    /// The key that sets it; `None`: the environment.
    pub place: Option<Place>,
}

/// The kinds of value of the language.
#[derive(Clone, Debug)]
pub enum Data {
    /// Quoted or bare text.
    String(Arc<str>),
    /// Integer, size suffix already multiplied in.
    Integer(i64),
    /// Number with a fraction.
    Float(f64),
    /// `true`, `yes`, `on` and their opposites.
    Bool(bool),
    /// Zulu time, to the second.
    Datetime(Timestamp),
    /// `[ … ]`
    Array(Arc<Array>),
    /// `{ … }`
    Map(Arc<Map>),
}

/// Two values are equal when they say the same, wherever they were written.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (&self.data, &other.data) {
            (Data::String(a), Data::String(b)) => a == b,
            (Data::Integer(a), Data::Integer(b)) => a == b,
            (Data::Float(a), Data::Float(b)) => a == b,
            (Data::Bool(a), Data::Bool(b)) => a == b,
            (Data::Datetime(a), Data::Datetime(b)) => a == b,
            (Data::Array(a), Data::Array(b)) => a.values == b.values,
            (Data::Map(a), Data::Map(b)) => a == b,
            _ => false,
        }
    }
}

/// How deep and how large a value is with everything shared written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Extent {
    pub(super) depth: u32,
    pub(super) values: u64,
    pub(super) text_bytes: u64,
}

impl Extent {
    fn hold(&mut self, inner: Self) {
        self.depth = self.depth.max(inner.depth.saturating_add(1));
        self.values = self.values.saturating_add(inner.values);
        self.text_bytes = self.text_bytes.saturating_add(inner.text_bytes);
    }

    fn hold_key(&mut self, key: &str) {
        self.text_bytes = self.text_bytes.saturating_add(key.len() as u64);
    }
}

/// A map or array with nothing in it.
const EMPTY: Extent = Extent {
    depth: 1,
    values: 1,
    text_bytes: 0,
};

impl Data {
    pub(super) fn extent(&self) -> Extent {
        let text_bytes = match self {
            Self::Array(array) => return array.extent,
            Self::Map(map) => return map.extent,
            Self::String(text) => text.len() as u64,
            _ => 0,
        };
        Extent {
            depth: 0,
            values: 1,
            text_bytes,
        }
    }
}

/// The values of `[ … ]`.
#[derive(Clone, Debug)]
pub struct Array {
    values: Vec<Value>,
    extent: Extent,
}

impl Default for Array {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            extent: EMPTY,
        }
    }
}

impl Array {
    /// The values in the order they were written.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    pub(super) fn push(&mut self, value: Value) {
        self.extent.hold(value.data.extent());
        self.values.push(value);
    }

    pub(super) fn extent(&self) -> Extent {
        self.extent
    }
}

/// One `key: value`.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Key as it was written.
    pub key: Arc<str>,
    /// Where the key is.
    pub place: Place,
    /// Its value.
    pub value: Value,
    /// Whether a `$KEY` took its value: then the key may be unknown to the server.
    pub used_as_variable: bool,
}

/// The entries of `{ … }` or of a whole file. A key that is written twice has its last value.
#[derive(Clone, Debug)]
pub struct Map {
    entries: Vec<Entry>,
    /// Key to its index in `entries`.
    index: HashMap<Arc<str>, usize>,
    extent: Extent,
}

impl Default for Map {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            index: HashMap::new(),
            extent: EMPTY,
        }
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len()
            && self
                .entries
                .iter()
                .all(|entry| other.get(&entry.key) == Some(&entry.value))
    }
}

impl Map {
    /// The entries in the order in which their keys first appeared.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The value of a key, written exactly so.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.get(*self.index.get(key)?)
    }

    /// Puts an entry in; the entry of the same key that it replaces is handed back.
    pub(super) fn put(&mut self, mut entry: Entry) -> Option<Entry> {
        // What was replaced still counts: it only makes the bounds a little stricter.
        self.extent.hold(entry.value.data.extent());
        self.extent.hold_key(&entry.key);
        let found = self.index.get(&entry.key).copied();
        match found.and_then(|at| self.entries.get_mut(at)) {
            Some(slot) => {
                entry.used_as_variable |= slot.used_as_variable;
                Some(std::mem::replace(slot, entry))
            }
            None => {
                self.index.insert(entry.key.clone(), self.entries.len());
                self.entries.push(entry);
                None
            }
        }
    }

    /// The value that `$key` stands for, which from now on counts as used.
    pub(super) fn take_as_variable(&mut self, key: &str) -> Option<(Data, Arc<Origin>)> {
        let at = *self.index.get(key)?;
        let entry = self.entries.get_mut(at)?;
        entry.used_as_variable = true;
        let origin = entry.value.from.clone().unwrap_or_else(|| {
            Arc::new(Origin {
                name: key.into(),
                place: Some(entry.place.clone()),
            })
        });
        Some((entry.value.data.clone(), origin))
    }

    pub(super) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    pub(super) fn extent(&self) -> Extent {
        self.extent
    }
}
