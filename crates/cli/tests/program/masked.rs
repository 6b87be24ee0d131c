//! What programs write, compared with what a document shows: numbers may differ, `…` stands for
//! anything, and how wide a column is does not matter.

/// Each number as `#`, inboxes without their random part, and blanks one wide.
pub(crate) fn masked(line: &str) -> String {
    let words: Vec<String> = line.split_whitespace().map(masked_word).collect();
    words.join(" ")
}

fn masked_word(word: &str) -> String {
    if let Some(at) = word.find("_INBOX.") {
        return format!("{}_INBOX", &word[..at]);
    }
    let mut shown = String::new();
    let mut chars = word.chars().peekable();
    while let Some(next) = chars.next() {
        if !next.is_ascii_digit() {
            shown.push(next);
            continue;
        }
        shown.push('#');
        // A point belongs to the number when a digit follows, as in 0.123 and 127.0.0.1.
        while let Some(&following) = chars.peek() {
            let mut ahead = chars.clone();
            ahead.next();
            let point = following == '.' && ahead.next().is_some_and(|c| c.is_ascii_digit());
            if !following.is_ascii_digit() && !point {
                break;
            }
            chars.next();
        }
    }
    shown
}

/// Whether a line is as expected, both masked.
pub(crate) fn line_is(expected: &str, line: &str) -> bool {
    let (expected, line) = (masked(expected), masked(line));
    let mut pieces = expected.split('…').map(str::trim);
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let mut ends_open = false;
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
        ends_open = piece.is_empty();
    }
    ends_open || rest.is_empty()
}

/// Whether the lines begin as expected; a line `…` stands for any lines, or none.
pub(crate) fn lines_begin(expected: &[&str], lines: &[&str]) -> bool {
    match expected.split_first() {
        None => true,
        Some((&"…", rest)) => {
            (0..=lines.len()).any(|skipped| lines_begin(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, lines)| line_is(first, line) && lines_begin(rest, lines)),
    }
}

#[test]
fn numbers_are_masked_and_words_are_not() {
    assert_eq!(
        masked("pong 1 from  127.0.0.1:4222: 0.1 ms."),
        "pong # from #:#: # ms."
    );
    assert!(line_is("reply in 1.641 ms", "reply in 0.2 ms"));
    assert!(!line_is("reply in 1.641 ms", "reply in 0.2 s"));
    assert!(line_is(
        "… (process 4268)",
        "12:00 plain: hello → x, answered (process 1)"
    ));
    assert!(!line_is("Answering on plain …", "Answering on plane x"));
    assert!(lines_begin(
        &["a", "…", "c 1"],
        &["a", "b", "b", "c 2", "d"]
    ));
    assert!(!lines_begin(&["a", "c"], &["a", "b", "c"]));
}
