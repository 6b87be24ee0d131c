//! A secret of the server, as it was configured: plain, or as a bcrypt hash (C05).

use subtle::ConstantTimeEq;

/// What a token or password is compared with. It can't be printed, and there is one way to compare it:
///
/// ```
/// use recado_auth::Secret;
/// assert!(Secret::new("word").matches("word"));
/// ```
///
/// Not by `==`, whose time tells how much was right:
///
/// ```compile_fail,E0369
/// use recado_auth::Secret;
/// let same = Secret::new("word") == Secret::new("word");
/// ```
///
/// And what is inside is for nobody else to compare:
///
/// ```compile_fail,E0616
/// use recado_auth::Secret;
/// let inside = Secret::new("word").0;
/// ```
pub struct Secret(Kind);

enum Kind {
    Plain(String),
    Bcrypt(String),
}

impl Secret {
    /// Takes the configured text; `$2a$10$…` and its like are bcrypt hashes.
    pub fn new(configured: &str) -> Self {
        Self(if is_bcrypt(configured) {
            Kind::Bcrypt(configured.to_owned())
        } else {
            Kind::Plain(configured.to_owned())
        })
    }

    /// Whether comparing takes tens of milliseconds by design.
    pub fn is_costly(&self) -> bool {
        matches!(self.0, Kind::Bcrypt(_))
    }

    /// The cost that a bcrypt hash was made with; `None` for plain secrets.
    pub(crate) fn cost(&self) -> Option<u32> {
        match &self.0 {
            Kind::Plain(_) => None,
            Kind::Bcrypt(hash) => hash.get(4..6).and_then(|digits| digits.parse().ok()),
        }
    }

    /// Whether `given` is the secret. The time taken says nothing about how much of it was right.
    /// An empty secret matches nothing.
    pub fn matches(&self, given: &str) -> bool {
        match &self.0 {
            Kind::Plain(secret) => same(secret, given) & !secret.is_empty(),
            Kind::Bcrypt(hash) => bcrypt::verify(given, hash).unwrap_or(false),
        }
    }
}

/// Whether two texts are the same. The time taken says nothing about how much of them is.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// `$2a$`, `$2b$`, `$2x$` or `$2y$`, a cost of two digits, and `$`.
fn is_bcrypt(text: &str) -> bool {
    matches!(
        text.as_bytes(),
        [b'$', b'2', b'a' | b'b' | b'x' | b'y', b'$', tens, ones, b'$', ..]
            if tens.is_ascii_digit() && ones.is_ascii_digit()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bcrypt_hash_is_compared_as_one() {
        let hash = bcrypt::hash("clave", 4).unwrap();
        let secret = Secret::new(&hash);
        assert!(secret.is_costly());
        assert!(secret.matches("clave"));
        assert!(!secret.matches("Clave"));
        assert!(!secret.matches(&hash));
        for version in ["$2a$", "$2x$", "$2y$"] {
            assert!(Secret::new(&hash.replacen("$2b$", version, 1)).matches("clave"));
        }
    }

    #[test]
    fn what_only_looks_like_bcrypt_is_plain() {
        for plain in ["$2a$1$x", "$2z$10$x", "2a$10$", "$2a$10"] {
            assert!(!Secret::new(plain).is_costly());
            assert!(Secret::new(plain).matches(plain));
        }
    }

    #[test]
    fn a_malformed_hash_matches_nothing() {
        assert!(!Secret::new("$2a$10$tooshort").matches("$2a$10$tooshort"));
    }

    #[test]
    fn it_cannot_be_printed() {
        assert_eq!(format!("{:?}", Secret::new("clave")), "[redacted]");
    }
}
