//! One key with its value, and the values it may be asked for: each either comes out in the
//! asked-for type and range or as a fault with the place of the value.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::duration::parse_duration;
use crate::config::fault::{Fault, Place};
use crate::config::lang::{Data, Entry, Map, Value};
use crate::config::messages::{KeyProblem, Kind, Message};

/// A key and its value.
pub(super) struct Field<'a> {
    pub(super) key: &'a str,
    pub(super) key_place: &'a Place,
    pub(super) value: &'a Value,
}

/// A duration, and the number of seconds if it was written as a bare number.
pub(super) struct Span {
    pub(super) duration: Duration,
    pub(super) bare_seconds: Option<i64>,
}

impl<'a> Field<'a> {
    pub(super) fn of(entry: &'a Entry) -> Self {
        Self {
            key: &entry.key,
            key_place: &entry.place,
            value: &entry.value,
        }
    }

    /// The same key with one value of its list.
    pub(super) fn with(&self, value: &'a Value) -> Self {
        Self { value, ..*self }
    }

    pub(super) fn fault(&self, problem: KeyProblem) -> Fault {
        Fault::at(&self.value.place, problem)
    }

    /// What is wrong with who may connect, at the value.
    pub(super) fn trouble(&self, problem: impl Into<Message>) -> Fault {
        Fault::at(&self.value.place, problem)
    }

    pub(super) fn wrong_kind(&self, expected: Kind) -> Fault {
        let found = match self.value.data {
            Data::String(_) => Kind::Text,
            Data::Integer(_) => Kind::Integer,
            Data::Float(_) => Kind::Number,
            Data::Bool(_) => Kind::Boolean,
            Data::Datetime(_) => Kind::Datetime,
            Data::Array(_) => Kind::List,
            Data::Map(_) => Kind::Map,
        };
        self.fault(KeyProblem::WrongKind {
            key: self.key.to_owned(),
            expected,
            found,
        })
    }

    pub(super) fn boolean(&self) -> Result<bool, Fault> {
        match self.value.data {
            Data::Bool(value) => Ok(value),
            _ => Err(self.wrong_kind(Kind::Boolean)),
        }
    }

    /// Text that says something.
    pub(super) fn text(&self) -> Result<&'a str, Fault> {
        match &self.value.data {
            Data::String(text) if text.is_empty() => {
                Err(self.fault(KeyProblem::Empty(self.key.to_owned())))
            }
            Data::String(text) => Ok(text),
            _ => Err(self.wrong_kind(Kind::Text)),
        }
    }

    /// A path, relative to the file that says so.
    pub(super) fn path(&self) -> Result<PathBuf, Fault> {
        let beside = Path::new(self.key_place.file.as_ref()).parent();
        Ok(beside.unwrap_or(Path::new("")).join(self.text()?))
    }

    /// Text, which may say nothing.
    pub(super) fn maybe_empty_text(&self) -> Result<&'a str, Fault> {
        match &self.value.data {
            Data::String(text) => Ok(text),
            _ => Err(self.wrong_kind(Kind::Text)),
        }
    }

    pub(super) fn map(&self) -> Result<&'a Map, Fault> {
        match &self.value.data {
            Data::Map(map) => Ok(map),
            _ => Err(self.wrong_kind(Kind::Map)),
        }
    }

    /// An integer between two bounds, both allowed.
    pub(super) fn integer(&self, min: i64, max: i64) -> Result<i64, Fault> {
        match self.value.data {
            Data::Integer(number) if (min..=max).contains(&number) => Ok(number),
            Data::Integer(_) => Err(self.fault(KeyProblem::OutOfRange {
                key: self.key.to_owned(),
                min,
                max,
            })),
            _ => Err(self.wrong_kind(Kind::Integer)),
        }
    }

    /// A number of bytes or of things; `None` for 0, which stands for the default.
    pub(super) fn count(&self, max: i64) -> Result<Option<usize>, Fault> {
        let number = self.integer(0, max)?;
        Ok(usize::try_from(number).ok().filter(|number| *number > 0))
    }

    /// A duration: text with units, or an integer, which means seconds.
    pub(super) fn span(&self) -> Result<Span, Fault> {
        let bad = |value: String| {
            self.fault(KeyProblem::BadDuration {
                key: self.key.to_owned(),
                value,
            })
        };
        match &self.value.data {
            Data::String(text) => {
                let duration = parse_duration(text).ok_or_else(|| bad(text.to_string()))?;
                Ok(Span {
                    duration,
                    bare_seconds: None,
                })
            }
            Data::Integer(seconds) => {
                // Bounded like the text form, by 63 bits of nanoseconds.
                let valid = u64::try_from(*seconds)
                    .ok()
                    .filter(|seconds| *seconds <= i64::MAX as u64 / 1_000_000_000)
                    .ok_or_else(|| bad(seconds.to_string()))?;
                Ok(Span {
                    duration: Duration::from_secs(valid),
                    bare_seconds: Some(*seconds),
                })
            }
            _ => Err(self.wrong_kind(Kind::Duration)),
        }
    }

    /// Seconds, whole or with a fraction, or a duration.
    pub(super) fn timeout(&self) -> Result<Duration, Fault> {
        match self.value.data {
            Data::Float(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| {
                self.fault(KeyProblem::BadDuration {
                    key: self.key.to_owned(),
                    value: seconds.to_string(),
                })
            }),
            _ => self.span().map(|span| span.duration),
        }
    }
}
