//! A name that nobody else uses: for the inboxes and subjects of a measurement.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many characters a token has, of five bits each. Short, for it travels with every message.
const LENGTH: u32 = 10;

/// A token that no other run has, on this machine or another: chance, who we are, and when.
pub(crate) fn token() -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    // Each of these hashers has keys of its own, drawn from the system's generator.
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u128(now.map_or(0, |since| since.as_nanos()));
    hasher.write_u32(std::process::id());
    let bits = hasher.finish();
    (0..LENGTH)
        .map(|place| char::from(DIGITS[(bits >> (place * 5) & 31) as usize]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_comes_twice_and_each_fits_into_a_subject() {
        let tokens: std::collections::HashSet<String> = (0..10_000).map(|_| token()).collect();
        assert_eq!(tokens.len(), 10_000);
        let plain = |token: &String| {
            token.len() == LENGTH as usize && token.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        assert!(tokens.iter().all(plain));
    }
}
