//! What a server asks of those who connect, and the decision on what they present.

use std::sync::Arc;

use recado_wire::Connect;

use crate::directory::Directory;
use crate::identity::{Denied, Identity, Method, Reason, default_account};
use crate::login::Login;
use crate::operator::Operator;
use crate::secret::{Secret, same};

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
    /// One of several users (C04, C06, C15, C18 to C20).
    Directory(Box<Directory>),
    /// Claims that a trusted operator stands behind (C07).
    Operator(Arc<Operator>),
}

impl Authenticator {
    /// Whether INFO says that a credential is required.
    pub fn is_required(&self) -> bool {
        match self {
            Self::Open => false,
            Self::Token(_) | Self::User { .. } | Self::Operator(_) => true,
            Self::Directory(directory) => directory.is_required(),
        }
    }

    /// Whether INFO must bring a nonce to be signed.
    pub fn needs_nonce(&self) -> bool {
        match self {
            Self::Open | Self::Token(_) | Self::User { .. } => false,
            Self::Operator(_) => true,
            Self::Directory(directory) => directory.needs_nonce(),
        }
    }

    /// Whether a decision on this CONNECT takes tens of milliseconds by design (bcrypt). It does not tell whether
    /// the user that is named exists.
    pub fn is_costly(&self, connect: &Connect) -> bool {
        match self {
            Self::Open | Self::Operator(_) => false,
            Self::Token(secret)
            | Self::User {
                password: secret, ..
            } => secret.is_costly(),
            Self::Directory(directory) => directory.is_costly(connect),
        }
    }

    /// Decides on a login.
    pub fn decide(&self, login: &Login<'_>) -> Result<Identity, Denied> {
        let connect = login.connect;
        match self {
            Self::Open => Ok(Identity::new(Method::Open, default_account())),
            Self::Token(token) => by_token(token, connect),
            Self::User { user, password } => by_single_user(user, password, connect),
            Self::Directory(directory) => directory.decide(login),
            Self::Operator(operator) => operator.decide(login),
        }
    }

    /// The accounts that a trusted operator stands behind, if that is how it is decided.
    pub fn operator(&self) -> Option<&Operator> {
        match self {
            Self::Operator(operator) => Some(operator),
            _ => None,
        }
    }

    /// Whether a trusted proxy vouches for the client's way.
    pub fn is_proxied(&self, login: &Login<'_>) -> bool {
        match self {
            Self::Directory(directory) => directory.is_proxied(login),
            Self::Operator(operator) => operator.is_proxied(login),
            _ => false,
        }
    }
}

pub(crate) fn by_token(token: &Secret, connect: &Connect) -> Result<Identity, Denied> {
    let Some(given) = connect.auth_token.as_deref() else {
        return Err(Reason::NothingPresented.into());
    };
    if token.matches(given) {
        Ok(Identity::new(Method::Token, default_account()))
    } else {
        Err(Reason::WrongToken.into())
    }
}

pub(crate) fn by_single_user(
    user: &str,
    password: &Secret,
    connect: &Connect,
) -> Result<Identity, Denied> {
    let given_user = connect.user.as_deref().unwrap_or_default();
    let given_password = connect.pass.as_deref().unwrap_or_default();
    // Both are always compared: the time taken says nothing about which was wrong.
    let fits = same(user, given_user) & password.matches(given_password);
    if fits {
        Ok(Identity {
            user: Some(user.to_owned()),
            ..Identity::new(Method::Password, default_account())
        })
    } else {
        Err(Denied {
            reason: match connect.user {
                None => Reason::NothingPresented,
                Some(_) => Reason::WrongUserOrPassword,
            },
            claimed: connect.user.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::ConnectionType;

    fn connect(token: Option<&str>, user: Option<&str>, pass: Option<&str>) -> Connect {
        Connect {
            auth_token: token.map(str::to_owned),
            user: user.map(str::to_owned),
            pass: pass.map(str::to_owned),
            ..Connect::default()
        }
    }

    fn decide(server: &Authenticator, connect: &Connect) -> Result<Identity, Reason> {
        let login = Login {
            connect,
            nonce: b"",
            transport: ConnectionType::Standard,
            peer: None,
            certificate: None,
            now_s: 0,
        };
        server.decide(&login).map_err(|denied| denied.reason)
    }

    #[test]
    fn an_open_server_ignores_credentials() {
        let who = decide(&Authenticator::Open, &connect(Some("x"), None, None)).unwrap();
        assert_eq!((who.method, &*who.account), (Method::Open, "$G"));
        assert!(!Authenticator::Open.is_required());
    }

    #[test]
    fn only_the_right_token_is_let_in() {
        let server = Authenticator::Token(Secret::new("s3cr3t"));
        assert!(server.is_required());
        assert!(decide(&server, &connect(Some("s3cr3t"), None, None)).is_ok());
        for wrong in [
            None,
            Some(""),
            Some("s3cr3"),
            Some("s3cr3t!"),
            Some("S3CR3T"),
        ] {
            assert!(decide(&server, &connect(wrong, None, None)).is_err());
        }
        let elsewhere = connect(None, Some("s3cr3t"), Some("s3cr3t"));
        assert_eq!(
            decide(&server, &elsewhere).err(),
            Some(Reason::NothingPresented)
        );
    }

    #[test]
    fn user_and_password_must_both_be_right() {
        let server = Authenticator::User {
            user: "ana".into(),
            password: Secret::new("clave"),
        };
        let who = decide(&server, &connect(None, Some("ana"), Some("clave"))).unwrap();
        assert_eq!(who.user.as_deref(), Some("ana"));
        for (user, pass) in [("ana", "x"), ("eva", "clave"), ("", "clave"), ("ana", "")] {
            assert_eq!(
                decide(&server, &connect(None, Some(user), Some(pass))).err(),
                Some(Reason::WrongUserOrPassword)
            );
        }
    }

    #[test]
    fn an_empty_secret_matches_nobody() {
        let server = Authenticator::Token(Secret::new(""));
        for token in [None, Some("")] {
            assert!(decide(&server, &connect(token, None, None)).is_err());
        }
    }
}
