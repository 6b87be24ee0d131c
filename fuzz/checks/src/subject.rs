//! Subjects and filters, held against rules written down in another way.

use recado_wire::{
    FILTER_TOKENS_MAX, InvalidFilter, filter_matches, has_wildcard, is_publish_subject, tokens,
    validate_filter,
};

/// The first line of the input is a filter, the rest a subject.
pub fn subject(input: &[u8]) {
    let mut parts = input.splitn(2, |&byte| byte == b'\n');
    let filter = parts.next().unwrap_or_default();
    let subject = parts.next().unwrap_or_default();
    for name in [filter, subject] {
        a_name_by_itself(name);
    }
    let (wanted, given) = (split(filter), split(subject));
    let publishable = given.iter().all(|token| !token.is_empty());
    let valid = validate_filter(filter).is_ok();
    if valid || !publishable {
        let expected = publishable && matches(&wanted, &given);
        assert_eq!(filter_matches(filter, subject), expected);
    }
    if valid {
        let filled = fill(&wanted);
        assert!(
            filter_matches(filter, &filled),
            "{:?}",
            filled.escape_ascii()
        );
        assert_eq!(has_wildcard(filter), filled != filter);
    }
}

fn a_name_by_itself(name: &[u8]) {
    let parts = split(name);
    assert_eq!(tokens(name).collect::<Vec<_>>(), parts);
    let empty = parts.iter().any(|token| token.is_empty());
    assert_eq!(is_publish_subject(name), !empty);
    let wild = |token: &&[u8]| *token == b"*" || *token == b">";
    assert_eq!(has_wildcard(name), parts.iter().any(wild));
    let last = parts.len() - 1;
    let early_tail = parts[..last].contains(&&b">"[..]);
    let expected = match (empty || early_tail, parts.len()) {
        (true, _) => Err(InvalidFilter::Malformed),
        (false, count) if count > FILTER_TOKENS_MAX => Err(InvalidFilter::TooManyTokens),
        (false, count) => Ok(count),
    };
    assert_eq!(validate_filter(name), expected);
}

/// Tokens, found byte by byte.
fn split(name: &[u8]) -> Vec<&[u8]> {
    let (mut parts, mut start) = (Vec::new(), 0);
    for at in 0..name.len() {
        if name[at] == b'.' {
            parts.push(&name[start..at]);
            start = at + 1;
        }
    }
    parts.push(&name[start..]);
    parts
}

/// The rule by lengths: as many tokens, or with a tail at least as many, and each fits.
fn matches(filter: &[&[u8]], subject: &[&[u8]]) -> bool {
    let fits = |(wanted, given): (&&[u8], &&[u8])| *wanted == b"*" || wanted == given;
    match filter.split_last() {
        Some((&b">", before)) => {
            subject.len() > before.len() && before.iter().zip(subject).all(fits)
        }
        _ => subject.len() == filter.len() && filter.iter().zip(subject).all(fits),
    }
}

/// A subject that the filter matches.
fn fill(filter: &[&[u8]]) -> Vec<u8> {
    let filled: Vec<&[u8]> = filter
        .iter()
        .map(|token| match *token {
            b"*" => &b"any"[..],
            b">" => b"all.of.it",
            literal => literal,
        })
        .collect();
    filled.join(&b'.')
}
