//! Names of streams, consumers, buckets and keys as given on the command line, checked before anything is
//! sent: in a subject, a dot or a wildcard in one would ask for something else.

use crate::text::jetstream as text;

/// The longest name that servers take, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// A stream's or a consumer's name.
pub(crate) fn name(written: &str) -> Result<String, String> {
    let forbidden = |c: char| matches!(c, '.' | '*' | '>' | '/' | '\\');
    let fits = !written.is_empty()
        && written.len() <= NAME_BYTES_MAX
        && !written
            .chars()
            .any(|c| forbidden(c) || c.is_whitespace() || c.is_control());
    match fits {
        true => Ok(written.to_owned()),
        false => Err(text::bad_name(written)),
    }
}

/// A bucket's name, of keys or of objects.
pub(crate) fn bucket(written: &str) -> Result<String, String> {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match !written.is_empty() && written.len() < NAME_BYTES_MAX && written.chars().all(letter) {
        true => Ok(written.to_owned()),
        false => Err(text::bad_bucket(written)),
    }
}

/// A key of a bucket.
pub(crate) fn key(written: &str) -> Result<String, String> {
    match is_key(written, false) {
        true => Ok(written.to_owned()),
        false => Err(text::bad_key(written)),
    }
}

/// Keys of a bucket: a key, with `*` for a token or `>` for the rest.
pub(crate) fn keys(written: &str) -> Result<String, String> {
    match is_key(written, true) {
        true => crate::subject::filter(written),
        false => Err(text::bad_key(written)),
    }
}

fn is_key(written: &str, with_wildcards: bool) -> bool {
    let letter = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '-' | '/' | '_' | '=' | '.')
            || (with_wildcards && matches!(c, '*' | '>'))
    };
    !written.is_empty() && written.chars().all(letter) && !written.split('.').any(str::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_not_become_part_of_another_subject() {
        for good in ["ORDERS", "orders-1", "peña", "KV_x"] {
            assert!(name(good).is_ok(), "{good}");
        }
        for bad in ["", "a.b", "a b", "*", "a>", "a/b", "a\\b", "a\r\nPUB x"] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert!(bucket("conf_1-x").is_ok() && bucket("a.b").is_err() && bucket("ñ").is_err());
    }

    #[test]
    fn keys_are_tokens_of_a_few_letters() {
        assert!(key("a.b/c=d").is_ok());
        for bad in ["", ".a", "a.", "a..b", "a b", "a.*", ">"] {
            assert!(key(bad).is_err(), "{bad:?}");
        }
        assert!(keys("a.*").is_ok() && keys(">").is_ok() && keys("a.>.b").is_err());
    }
}
