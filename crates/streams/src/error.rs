//! What the API answers when it refuses: the numbered catalogue that clients key on (E07), and one
//! error made from it. It maps nothing to people's words and never invents a number of its own.

mod catalogue;

pub use catalogue::*;

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// One row of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The name that nats-server's sources give it.
    pub constant: &'static str,
    /// The number that clients key on.
    pub err_code: u16,
    /// Like an HTTP status.
    pub code: u16,
    /// The text, which may hold `{placeholders}`.
    pub description: &'static str,
}

/// A refusal as it goes on the wire: `{"code":…,"err_code":…,"description":…}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiError {
    /// Like an HTTP status.
    pub code: u16,
    /// The number that clients key on; 0 (and left out) where nats-server gives none.
    #[serde(skip_serializing_if = "is_zero")]
    pub err_code: u16,
    /// The text, placeholders filled.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub description: Cow<'static, str>,
}

impl ApiError {
    /// The row as it stands. Its text must have no placeholders.
    pub fn new(kind: &Kind) -> Self {
        Self {
            code: kind.code,
            err_code: kind.err_code,
            description: Cow::Borrowed(kind.description),
        }
    }

    /// The row with its one placeholder, whatever it is called, filled.
    pub fn with(kind: &Kind, value: impl fmt::Display) -> Self {
        let text = kind.description;
        let filled = text.split_once('{').and_then(|(before, rest)| {
            let (_, after) = rest.split_once('}')?;
            Some(format!("{before}{value}{after}"))
        });
        Self {
            description: filled.map_or(Cow::Borrowed(text), Cow::Owned),
            ..Self::new(kind)
        }
    }

    /// The row with several placeholders filled, each given by its name without braces. The text is
    /// read once, from left to right, so that no value can bring a placeholder along.
    pub fn filled(kind: &Kind, values: &[(&str, &dyn fmt::Display)]) -> Self {
        let mut text = String::with_capacity(kind.description.len() + 32);
        let mut rest = kind.description;
        while let Some((before, tail)) = rest.split_once('{') {
            text.push_str(before);
            let Some((name, after)) = tail.split_once('}') else {
                text.push('{');
                rest = tail;
                continue;
            };
            match values.iter().find(|(wanted, _)| *wanted == name) {
                Some((_, value)) => text.push_str(&value.to_string()),
                None => text.push_str(&format!("{{{name}}}")),
            }
            rest = after;
        }
        text.push_str(rest);
        Self {
            description: Cow::Owned(text),
            ..Self::new(kind)
        }
    }

    /// A failure that has no number of its own (500 with the text only).
    pub fn internal(description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: 500,
            err_code: 0,
            description: description.into(),
        }
    }

    /// Whether it was made from this row.
    pub fn is(&self, kind: &Kind) -> bool {
        self.err_code == kind.err_code
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.description, self.err_code)
    }
}

impl std::error::Error for ApiError {}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(code: &u16) -> bool {
    *code == 0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_number_and_constant_is_there_once_and_in_order() {
        assert_eq!(ALL.len(), 226);
        assert!(
            ALL.windows(2)
                .all(|pair| pair[0].err_code < pair[1].err_code)
        );
        let constants: BTreeSet<_> = ALL.iter().map(|kind| kind.constant).collect();
        assert_eq!(constants.len(), ALL.len());
    }

    #[test]
    fn the_catalogue_is_the_published_one() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../shared/reference/errors.json"
        );
        let Ok(text) = std::fs::read_to_string(path) else {
            eprintln!("skipped: the published errors.json is not beside this checkout");
            return;
        };
        let published: Vec<Value> = serde_json::from_str(&text).expect("a list");
        assert_eq!(published.len(), ALL.len());
        for row in published {
            let ours = ALL.iter().find(|k| row["error_code"] == k.err_code);
            let ours = ours.unwrap_or_else(|| panic!("{row} is missing"));
            assert_eq!(row["constant"], ours.constant);
            assert_eq!(row["code"], ours.code, "{}", ours.constant);
            assert_eq!(row["description"], ours.description, "{}", ours.constant);
        }
    }

    #[test]
    fn an_error_goes_out_with_its_three_fields() {
        let error = serde_json::to_value(ApiError::new(&STREAM_NOT_FOUND)).expect("JSON");
        assert_eq!(
            error,
            json!({"code": 404, "err_code": 10059, "description": "stream not found"})
        );
        let bare = serde_json::to_value(ApiError::internal("no room")).expect("JSON");
        assert_eq!(bare, json!({"code": 500, "description": "no room"}));
    }

    #[test]
    fn placeholders_are_filled_once_and_values_are_not_read_again() {
        let one = ApiError::with(&STREAM_WRONG_LAST_SEQUENCE, 7);
        assert_eq!(one.description, "wrong last sequence: 7");
        let two = ApiError::filled(
            &STREAM_EXTERNAL_DEL_PREFIX_OVERLAPS,
            &[("prefix", &"{subject}"), ("subject", &"b")],
        );
        assert_eq!(
            two.description,
            "stream external delivery prefix {subject} overlaps with stream subject b"
        );
    }
}
