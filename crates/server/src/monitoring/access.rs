//! Who may look: everybody who reaches the port, or whoever bears the token.

use std::sync::Arc;

use hyper::header::{AUTHORIZATION, HeaderMap};
use parking_lot::RwLock;
use recado_auth::Secret;

/// What a request must bear; can be replaced while monitoring runs.
#[derive(Debug)]
pub(crate) struct Access {
    token: RwLock<Option<Arc<Secret>>>,
}

impl Access {
    /// Asks for this token, plain or bcrypt, if there is one.
    pub(crate) fn new(token: Option<&str>) -> Self {
        Self {
            token: RwLock::new(kept(token)),
        }
    }

    /// Asks for this one from now on.
    pub(crate) fn replace(&self, token: Option<&str>) {
        *self.token.write() = kept(token);
    }

    /// Whether a token is asked for.
    pub(super) fn is_restricted(&self) -> bool {
        self.token.read().is_some()
    }

    /// Whether a request with these headers may look.
    pub(super) fn allows(&self, headers: &HeaderMap) -> bool {
        // Checking a bcrypt takes long: not under the lock.
        let Some(token) = self.token.read().clone() else {
            return true;
        };
        let given = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(bearer);
        given.is_some_and(|given| token.matches(given))
    }
}

fn kept(token: Option<&str>) -> Option<Arc<Secret>> {
    token.map(|token| Arc::new(Secret::new(token)))
}

/// The token of `Bearer TOKEN`; the scheme knows no upper and lower case (RFC 9110).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn headers(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn only_the_whole_token_lets_in() {
        let access = Access::new(Some("clave"));
        for (value, allowed) in [
            ("Bearer clave", true),
            ("bearer  clave", true),
            ("Bearer clav", false),
            ("Bearer clavee", false),
            ("Bearer ", false),
            ("Bearer", false),
            ("Basic clave", false),
            ("clave", false),
        ] {
            assert_eq!(access.allows(&headers(value)), allowed, "{value:?}");
        }
        assert!(!access.allows(&HeaderMap::new()));
        assert!(Access::new(None).allows(&HeaderMap::new()));
    }

    #[test]
    fn another_token_takes_the_place_of_the_one_before() {
        let access = Access::new(Some("clave"));
        access.replace(Some("otra"));
        assert!(!access.allows(&headers("Bearer clave")));
        assert!(access.allows(&headers("Bearer otra")));
        access.replace(None);
        assert!(!access.is_restricted() && access.allows(&HeaderMap::new()));
    }

    #[test]
    fn the_token_is_not_shown() {
        assert!(!format!("{:?}", Access::new(Some("clave"))).contains("clave"));
    }
}
