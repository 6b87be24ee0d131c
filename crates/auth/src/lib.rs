//! Who may connect: credentials, compared as pure decisions.
//!
//! No I/O and no clock. A decision may take long where a secret is kept as bcrypt
//! ([`Authenticator::is_costly`]); the caller chooses where it runs. What failed is never told to
//! the client beyond "Authorization Violation" (reference row C21).
#![forbid(unsafe_code)]

mod permissions;
mod secret;

pub use permissions::{
    InvalidPermissions, Permissions, PermissionsSpec, RESPONSES_EXPIRES_DEFAULT,
    RESPONSES_MAX_DEFAULT, RULES_MAX, Responses, Rules, Subscribing,
};
use recado_wire::Connect;
pub use secret::Secret;
use subtle::ConstantTimeEq;

/// What a server asks of those who connect.
#[derive(Debug, Default)]
pub enum Authenticator {
    /// Nothing: whatever credential comes is ignored (C01).
    #[default]
    Open,
    /// A token (C02).
    Token(Secret),
    /// One user and password (C03).
    User {
        /// User name.
        user: String,
        /// Password.
        password: Secret,
    },
}

/// Who was let in, for logs and monitoring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// User name, where one was asked for.
    pub user: Option<String>,
}

/// The credential was missing or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied;

impl Authenticator {
    /// Whether a CONNECT with a credential must come first.
    pub fn is_required(&self) -> bool {
        !matches!(self, Self::Open)
    }

    /// Whether a decision takes tens of milliseconds by design (bcrypt).
    pub fn is_costly(&self) -> bool {
        match self {
            Self::Open => false,
            Self::Token(secret)
            | Self::User {
                password: secret, ..
            } => secret.is_costly(),
        }
    }

    /// Decides on the credential in a CONNECT.
    pub fn decide(&self, connect: &Connect) -> Result<Identity, Denied> {
        match self {
            Self::Open => Ok(Identity::default()),
            Self::Token(token) => {
                let given = connect.auth_token.as_deref().unwrap_or_default();
                if token.matches(given) {
                    Ok(Identity::default())
                } else {
                    Err(Denied)
                }
            }
            Self::User { user, password } => {
                let given_user = connect.user.as_deref().unwrap_or_default();
                let given_password = connect.pass.as_deref().unwrap_or_default();
                // Both are always compared: the time taken says nothing about which was wrong.
                let user_fits = user.as_bytes().ct_eq(given_user.as_bytes());
                let password_fits = password.matches(given_password);
                if bool::from(user_fits) & password_fits {
                    Ok(Identity {
                        user: Some(user.clone()),
                    })
                } else {
                    Err(Denied)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(token: Option<&str>, user: Option<&str>, pass: Option<&str>) -> Connect {
        Connect {
            auth_token: token.map(str::to_owned),
            user: user.map(str::to_owned),
            pass: pass.map(str::to_owned),
            ..Connect::default()
        }
    }

    #[test]
    fn an_open_server_ignores_credentials() {
        assert!(
            Authenticator::Open
                .decide(&connect(Some("x"), None, None))
                .is_ok()
        );
        assert!(!Authenticator::Open.is_required());
    }

    #[test]
    fn only_the_right_token_is_let_in() {
        let server = Authenticator::Token(Secret::new("s3cr3t"));
        assert!(server.is_required());
        assert!(server.decide(&connect(Some("s3cr3t"), None, None)).is_ok());
        for wrong in [
            None,
            Some(""),
            Some("s3cr3"),
            Some("s3cr3t!"),
            Some("S3CR3T"),
        ] {
            assert_eq!(server.decide(&connect(wrong, None, None)), Err(Denied));
        }
        assert_eq!(
            server.decide(&connect(None, Some("s3cr3t"), Some("s3cr3t"))),
            Err(Denied)
        );
    }

    #[test]
    fn user_and_password_must_both_be_right() {
        let server = Authenticator::User {
            user: "ana".into(),
            password: Secret::new("clave"),
        };
        let identity = server.decide(&connect(None, Some("ana"), Some("clave")));
        assert_eq!(
            identity,
            Ok(Identity {
                user: Some("ana".into())
            })
        );
        for (user, pass) in [("ana", "x"), ("eva", "clave"), ("", "clave"), ("ana", "")] {
            assert_eq!(
                server.decide(&connect(None, Some(user), Some(pass))),
                Err(Denied)
            );
        }
    }

    #[test]
    fn an_empty_secret_matches_nobody() {
        let server = Authenticator::Token(Secret::new(""));
        assert_eq!(server.decide(&connect(None, None, None)), Err(Denied));
    }
}
