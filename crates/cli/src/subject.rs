//! Subjects as given on the command line, checked before anything is sent.
//!
//! A server accepts a publish to `a..b` or `a.*` and delivers it to nobody: a person who typed
//! that by mistake must be told, not left waiting.

use crate::text::usage as text;

/// A subject to publish to: tokens between dots, none empty, no wildcards, no blanks.
pub(crate) fn literal(written: &str) -> Result<String, String> {
    let subject = tokens(written)?;
    if subject.split('.').any(|token| token == "*" || token == ">") {
        return Err(text::subject_has_wildcard(written));
    }
    Ok(subject)
}

/// A subject to listen on: as [`literal`], but `*` may stand for a token and `>` for the rest.
pub(crate) fn filter(written: &str) -> Result<String, String> {
    let subject = tokens(written)?;
    let mut rest = subject.split('.').skip_while(|token| *token != ">");
    rest.next();
    if rest.next().is_some() {
        return Err(text::subject_tail_inside(written));
    }
    Ok(subject)
}

/// Whether messages on `subject` go to those who listen on `filter`.
pub(crate) fn covers(filter: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in filter.split('.') {
        match (wanted, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

/// The name of a queue group: not empty and without blanks.
pub(crate) fn queue(written: &str) -> Result<String, String> {
    if written.is_empty() || has_blank(written) {
        return Err(text::bad_queue(written));
    }
    Ok(written.to_owned())
}

fn tokens(written: &str) -> Result<String, String> {
    if has_blank(written) {
        return Err(text::subject_has_blank(written));
    }
    if written.split('.').any(str::is_empty) {
        return Err(text::subject_has_empty_token(written));
    }
    Ok(written.to_owned())
}

fn has_blank(written: &str) -> bool {
    written.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_covers_what_the_server_would_deliver_for_it() {
        for (filter, subject, covered) in [
            ("a.b", "a.b", true),
            ("a.*", "a.b", true),
            ("a.>", "a.b.c", true),
            (">", "a", true),
            ("a.>", "a", false),
            ("a.*", "a.b.c", false),
            ("a.b", "a", false),
            ("a", "a.b", false),
        ] {
            assert_eq!(covers(filter, subject), covered, "{filter} {subject}");
        }
    }

    #[test]
    fn a_publish_subject_is_literal() {
        for subject in ["a", "a.b.c", "foo*", "a.b>c", "saludo.ñandú", "$SYS.REQ.x"] {
            assert_eq!(literal(subject).as_deref(), Ok(subject));
        }
        for subject in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a b",
            "a\tb",
            "a.*",
            ">",
            "a\r\nPUB b",
        ] {
            assert!(literal(subject).is_err(), "{subject:?}");
        }
    }

    #[test]
    fn a_filter_may_hold_wildcards_where_the_protocol_allows_them() {
        for subject in ["*", ">", "a.*.c", "a.>", "*.>"] {
            assert_eq!(filter(subject).as_deref(), Ok(subject));
        }
        for subject in ["a.>.b", ">.>", "a. *", ""] {
            assert!(filter(subject).is_err(), "{subject:?}");
        }
    }
}
