//! Words for people in lines of a terminal, and command lines that they can type.

/// Lines of at most `width` characters, broken between words.
pub(crate) fn wrapped(words: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in words.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
        }
    }
    lines
}

/// An argument as the shell takes it: in quotes, if it needs them.
pub(crate) fn for_shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_./:=@,+-{}".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(
            wrapped("él y tú, aquí", 8),
            ["él y tú,".to_owned(), "aquí".to_owned()]
        );
        assert_eq!(wrapped("indivisible", 3), ["indivisible".to_owned()]);
    }
}
