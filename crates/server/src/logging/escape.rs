//! Makes text from outside harmless in a log line: it can't end the line, look like another field,
//! or reach a terminal as a control sequence. What was written can be read back unambiguously.

use std::fmt::Write as _;

use crate::visible::{is_unsafe, push_visible};

/// A field's value: bare when it is one harmless word, quoted otherwise.
pub(super) fn push_value(out: &mut String, text: &str) {
    let bare = !text.is_empty()
        && text
            .chars()
            .all(|c| !is_unsafe(c) && !matches!(c, ' ' | '"' | '\\' | '='));
    if bare {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
            out.push(c);
        } else {
            push_visible(out, c);
        }
    }
    out.push('"');
}

/// A JSON string with its quotes. What is unsafe on a terminal is escaped too, because people
/// do `cat` such logs.
pub(super) fn push_json(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) => {
                // All unsafe characters lie in the basic plane: one escape suffices.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visible::visible;

    fn value(text: &str) -> String {
        let mut out = String::new();
        push_value(&mut out, text);
        out
    }

    fn json(text: &str) -> String {
        let mut out = String::new();
        push_json(&mut out, text);
        out
    }

    #[test]
    fn one_word_stays_bare_and_everything_else_is_quoted() {
        assert_eq!(value("orders.*.>"), "orders.*.>");
        assert_eq!(value("año"), "año");
        assert_eq!(value(""), "\"\"");
        assert_eq!(value("two words"), "\"two words\"");
        assert_eq!(value("a=b"), "\"a=b\"");
        assert_eq!(value(r#"say "hi" \o/"#), r#""say \"hi\" \\o/""#);
    }

    #[test]
    fn nothing_ends_a_line_or_reaches_the_terminal_as_a_command() {
        let hostile = "x\r\n[1] FTL\u{1b}[2J\u{9b}31m\u{2028}\u{202e}\0\u{7f}";
        for shown in [visible(hostile), value(hostile), json(hostile)] {
            assert!(!shown.chars().any(is_unsafe), "{shown:?}");
        }
    }

    #[test]
    fn json_strings_read_back_as_they_were() {
        let every: String = (0..0x3000).filter_map(char::from_u32).collect();
        let back: String = serde_json::from_str(&json(&every)).unwrap();
        assert_eq!(back, every);
    }
}
