//! What a stream or consumer may be given as subject and filter, and how filters relate: whether two overlap,
//! whether one lies within the other. Stricter than the wire's own rule: no white space.

use std::collections::BTreeMap;

use recado_wire::{has_wildcard, tokens};

/// Whether it is a subject or filter as streams and consumers may have them: no empty token, no white
/// space, `>` only at the end.
pub fn is_valid_filter(subject: &str) -> bool {
    let mut tail_seen = false;
    for token in subject.split('.') {
        let spaced = token.contains([' ', '\t', '\n', '\u{c}', '\r']);
        if token.is_empty() || tail_seen || spaced {
            return false;
        }
        tail_seen = token == ">";
    }
    true
}

/// Whether it is valid and has no wildcard.
pub fn is_valid_literal(subject: &str) -> bool {
    is_valid_filter(subject) && is_literal(subject)
}

/// Whether no token is a wildcard.
pub fn is_literal(subject: &str) -> bool {
    !has_wildcard(subject.as_bytes())
}

/// Whether a name may be that of a stream or consumer: it becomes a token of subjects and once was
/// the name of a folder.
pub fn is_valid_name(name: &str) -> bool {
    !name.is_empty() && !name.contains([' ', '\t', '\r', '\n', '\u{c}', '.', '*', '>', '\\', '/'])
}

/// Whether some subject matches both filters.
pub fn subjects_overlap(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (tokens(a.as_bytes()), tokens(b.as_bytes()));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(b">"), Some(_)) | (Some(_), Some(b">")) => return true,
            (Some(x), Some(y)) if x == y || x == b"*" || y == b"*" => {}
            _ => return false,
        }
    }
}

/// Whether every subject that matches `inner` also matches `outer`.
pub fn is_subset(inner: &str, outer: &str) -> bool {
    recado_wire::is_subset(inner.as_bytes(), outer.as_bytes())
}

/// Positions, in order, of the filters in a list that can overlap one without wildcards, or hold any other:
/// those with wildcards, and those that are there twice. So long lists of literals need not be compared
/// each with each.
pub(super) fn could_meet_literals(filters: &[String]) -> Vec<usize> {
    let mut count = BTreeMap::new();
    for filter in filters {
        *count.entry(filter.as_str()).or_insert(0_usize) += 1;
    }
    let repeated = |filter: &str| count.get(filter).is_some_and(|count| *count > 1);
    let all = filters.iter().enumerate();
    let could = all.filter(|(_, filter)| !is_literal(filter) || repeated(filter));
    could.map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use recado_wire::filter_matches;

    use super::*;

    #[test]
    fn white_space_and_misplaced_tails_are_invalid() {
        for bad in ["", ".", "a..b", "a b", "a.>.b", "a.\t", " ", "a.b\r"] {
            assert!(!is_valid_filter(bad), "{bad:?}");
        }
        for good in ["a", "a.*.c", "a.>", ">", "a*.b>"] {
            assert!(is_valid_filter(good), "{good:?}");
        }
    }

    #[test]
    fn overlaps_are_found_on_both_sides() {
        for (a, b) in [
            ("a.*", "*.b"),
            (">", "a"),
            ("a.>", "a.*.c"),
            ("a.b", "a.b"),
            ("*.>", "a.b.c"),
        ] {
            assert!(subjects_overlap(a, b) && subjects_overlap(b, a), "{a} {b}");
        }
        for (a, b) in [
            ("a.*", "b.*"),
            ("a", "a.>"),
            ("a.*", "a.*.c"),
            ("a.b", "a.c"),
        ] {
            assert!(
                !subjects_overlap(a, b) && !subjects_overlap(b, a),
                "{a} {b}"
            );
        }
    }

    fn filter() -> impl Strategy<Value = String> {
        let token = prop_oneof![Just("a"), Just("b"), Just("*")];
        (proptest::collection::vec(token, 1..4), any::<bool>()).prop_map(|(mut tokens, tail)| {
            if tail {
                tokens.push(">");
            }
            tokens.join(".")
        })
    }

    fn literal() -> impl Strategy<Value = String> {
        let token = prop_oneof![Just("a"), Just("b")];
        proptest::collection::vec(token, 1..6).prop_map(|tokens| tokens.join("."))
    }

    proptest! {
        #[test]
        fn a_subject_of_both_shows_an_overlap(a in filter(), b in filter(), s in literal()) {
            let both = filter_matches(a.as_bytes(), s.as_bytes()) && filter_matches(b.as_bytes(), s.as_bytes());
            prop_assert!(!both || subjects_overlap(&a, &b));
            prop_assert_eq!(subjects_overlap(&a, &b), subjects_overlap(&b, &a));
        }

        #[test]
        fn a_subset_holds_for_every_subject(a in filter(), b in filter(), s in literal()) {
            if is_subset(&a, &b) && filter_matches(a.as_bytes(), s.as_bytes()) {
                prop_assert!(filter_matches(b.as_bytes(), s.as_bytes()));
                prop_assert!(subjects_overlap(&a, &b));
            }
            prop_assert!(is_subset(&a, &a) && is_subset(&a, ">"));
        }
    }
}
