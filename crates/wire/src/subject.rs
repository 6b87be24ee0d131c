//! Subjects and filters: tokens separated by `.`, where a filter's token may be `*` (one token)
//! and its last may be `>` (one or more). Reference rows A40 to A42.

/// Most tokens a filter may have. It bounds the depth of the router's trie whatever
/// `max_control_line` is configured to be; at the default of 4096 bytes it is never met.
pub const FILTER_TOKENS_MAX: usize = 2048;

/// Why a subscription's subject was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidFilter {
    /// An empty token, or `>` before the end.
    Malformed,
    /// More tokens than [`FILTER_TOKENS_MAX`].
    TooManyTokens,
}

/// The tokens of a subject or filter, empty ones included.
pub fn tokens(subject: &[u8]) -> impl Iterator<Item = &[u8]> {
    subject.split(|&byte| byte == b'.')
}

/// Checks the subject of a SUB and returns how many tokens it has.
pub fn validate_filter(filter: &[u8]) -> Result<usize, InvalidFilter> {
    let mut count = 0;
    let mut tail_seen = false;
    for token in tokens(filter) {
        if token.is_empty() || tail_seen {
            return Err(InvalidFilter::Malformed);
        }
        tail_seen = token == b">";
        count += 1;
    }
    if count > FILTER_TOKENS_MAX {
        return Err(InvalidFilter::TooManyTokens);
    }
    Ok(count)
}

/// Whether any whole token is a wildcard (`foo*` is a literal).
pub fn has_wildcard(filter: &[u8]) -> bool {
    tokens(filter).any(|token| token == b"*" || token == b">")
}

/// Whether a publish to this subject can reach anybody: it has no empty token.
pub fn is_publish_subject(subject: &[u8]) -> bool {
    tokens(subject).all(|token| !token.is_empty())
}

/// Whether one filter matches one subject, decided token by token: the plain rule that every
/// faster index is held against.
pub fn filter_matches(filter: &[u8], subject: &[u8]) -> bool {
    if !is_publish_subject(subject) {
        return false;
    }
    let mut filter_tokens = tokens(filter);
    let mut subject_tokens = tokens(subject);
    loop {
        match (filter_tokens.next(), subject_tokens.next()) {
            (None, None) => return true,
            (Some(b">"), Some(_)) => return true,
            (Some(b"*"), Some(_)) => {}
            (Some(wanted), Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
}

/// Whether every subject that matches `inner` also matches `outer`.
pub fn is_subset(inner: &[u8], outer: &[u8]) -> bool {
    let (mut inner, mut outer) = (tokens(inner), tokens(outer));
    loop {
        match (inner.next(), outer.next()) {
            (None, None) | (Some(_), Some(b">")) => return true,
            (Some(b">"), _) => return false,
            (Some(_), Some(b"*")) => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_with_empty_tokens_or_an_inner_tail_are_malformed() {
        for bad in ["", ".", "a.", ".a", "a..b", ">.a", "a.>.b"] {
            assert_eq!(
                validate_filter(bad.as_bytes()),
                Err(InvalidFilter::Malformed),
                "{bad:?}"
            );
        }
        for (good, count) in [("a", 1), (">", 1), ("*", 1), ("a.*.>", 3), ("foo*.b>r", 2)] {
            assert_eq!(validate_filter(good.as_bytes()), Ok(count), "{good:?}");
        }
    }

    #[test]
    fn a_filter_deeper_than_the_bound_is_refused() {
        let deep = vec!["a"; FILTER_TOKENS_MAX + 1].join(".");
        assert_eq!(
            validate_filter(deep.as_bytes()),
            Err(InvalidFilter::TooManyTokens)
        );
    }

    #[test]
    fn wildcards_are_whole_tokens_only() {
        assert!(!has_wildcard(b"foo*.bar"));
        assert!(has_wildcard(b"foo.*"));
        assert!(filter_matches(b"foo*", b"foo*"));
        assert!(!filter_matches(b"foo*", b"foox"));
    }

    #[test]
    fn the_tail_wants_at_least_one_token() {
        assert!(!filter_matches(b"foo.>", b"foo"));
        assert!(filter_matches(b"foo.>", b"foo.a"));
        assert!(filter_matches(b"foo.>", b"foo.a.b"));
        assert!(filter_matches(b">", b"foo"));
        assert!(!filter_matches(b">", b""));
        assert!(!filter_matches(b">", b"a..b"));
    }
}
