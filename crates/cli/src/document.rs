//! What a server tells in a document of JSON (a trace, an explanation): its fields, of which any may be missing or be
//! something else, and the lines that are made of them.

use serde_json::Value;

use crate::failure::Failure;
use crate::terminal::{Out, harmless};

/// Columns that each depth is set in.
const INDENT: usize = 2;

/// A flag; not set where there is none.
pub(crate) fn is(value: &Value) -> bool {
    value.as_bool().unwrap_or_default()
}

/// What a list holds; nothing where there is none.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A text; empty where there is none.
pub(crate) fn words(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A number; 0 where there is none.
pub(crate) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

/// A line that stands out.
pub(crate) fn heading(out: &mut Out, depth: usize, words: &str) -> Result<(), Failure> {
    let bold = out.bold(&harmless(words));
    out.line(&format!("{:1$}{bold}", "", depth * INDENT))
}

/// A line.
pub(crate) fn line(out: &mut Out, depth: usize, words: &str) -> Result<(), Failure> {
    out.line(&format!("{:1$}{2}", "", depth * INDENT, harmless(words)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_or_something_else_counts_as_nothing() {
        let told = json!({"flag": true, "list": [1], "text": "a", "number": 7});
        assert!(is(&told["flag"]) && !is(&told["text"]) && !is(&told["gone"]));
        assert_eq!(list(&told["list"]).count(), 1);
        assert_eq!(list(&told["text"]).chain(list(&told["gone"])).count(), 0);
        assert_eq!((words(&told["text"]), words(&told["number"])), ("a", ""));
        assert_eq!((number(&told["number"]), number(&told["gone"])), (7, 0));
    }
}
