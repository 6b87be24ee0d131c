//! The list of other people's tests that are not run, by name and with the reason.
//!
//! One test a line: its name, white space, the reason. Lines that start with `#` are comments. A
//! reason is not optional, and a name that no longer exists is an error: the list must not outlive
//! what it speaks of.

use std::collections::BTreeMap;
use std::path::Path;

/// Names of tests that are not run, with reasons.
#[derive(Clone, Debug, Default)]
pub struct Skips {
    reasons: BTreeMap<String, String>,
}

impl Skips {
    /// Reads a list.
    ///
    /// # Panics
    /// When the file cannot be read or a line is not `NAME REASON`.
    pub fn read(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut reasons = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let entry = line.split_once(char::is_whitespace);
            let (name, reason) = entry.ok_or(format!("line {}: no reason", number + 1))?;
            if reasons
                .insert(name.to_owned(), reason.trim().to_owned())
                .is_some()
            {
                return Err(format!("line {}: {name} is listed twice", number + 1));
            }
        }
        Ok(Self { reasons })
    }

    /// The part of the list that is about one suite, whose name and `::` precede the test's.
    pub fn of_suite(&self, suite: &str) -> Self {
        let prefix = format!("{suite}::");
        let own = self.reasons.iter().filter_map(|(name, reason)| {
            Some((name.strip_prefix(&prefix)?.to_owned(), reason.clone()))
        });
        Self {
            reasons: own.collect(),
        }
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.reasons.keys().map(String::as_str)
    }

    /// Whether this test is listed.
    pub fn contains(&self, name: &str) -> bool {
        self.reasons.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_and_a_reason() {
        let skips = Skips::parse("# why\n\na::b  needs the sun\nc::d needs rain\n").expect("valid");
        assert_eq!(skips.names().collect::<Vec<_>>(), ["a::b", "c::d"]);
        assert_eq!(skips.of_suite("a").names().collect::<Vec<_>>(), ["b"]);
        assert!(skips.contains("c::d") && !skips.contains("d"));
    }

    #[test]
    fn a_name_without_a_reason_or_twice_is_an_error() {
        assert_eq!(
            Skips::parse("a::b\n").expect_err("no reason"),
            "line 1: no reason"
        );
        assert!(Skips::parse("a x\na y\n").is_err());
    }
}
