//! What an edit would change, field by field, before it is done.

use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::terminal::{Out, harmless};

/// A field that changes: its name, what it was, what it becomes.
type Change = (String, Option<Value>, Option<Value>);

/// The fields that differ.
pub(crate) fn between(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Change> {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let pairs = names.into_iter().map(|name| {
        let (old, new) = (before.get(name).cloned(), after.get(name).cloned());
        (name.clone(), old, new)
    });
    pairs.filter(|(_, old, new)| old != new).collect()
}

/// Shows them as people read a difference.
pub(crate) fn show(out: &mut Out, changes: &[Change]) -> Result<(), Failure> {
    for (name, old, new) in changes {
        for (mark, value) in [('-', old), ('+', new)] {
            if let Some(value) = value {
                out.line(&harmless(&format!("{mark} {name}: {value}")))?;
            }
        }
    }
    out.flush()
}

/// The same as one object: the name, and both values.
pub(crate) fn json(changes: &[Change]) -> Value {
    let one = |(name, old, new): &Change| {
        (
            name.clone(),
            serde_json::json!({ "before": old, "after": new }),
        )
    };
    Value::Object(changes.iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_fields_that_differ_are_found() {
        let map = |value: Value| value.as_object().cloned().unwrap();
        let before = map(json!({"a": 1, "b": [1], "c": "x"}));
        let after = map(json!({"a": 2, "b": [1], "d": true}));
        let changes = between(&before, &after);
        let names: Vec<&str> = changes.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["a", "c", "d"]);
        assert!(between(&before, &before).is_empty());
    }
}
