//! A server inside another program or a test, in one line.

use std::path::PathBuf;

use crate::config::{Lang, Options, StreamsOptions};
use crate::error::StartError;
use crate::server::{Inherited, Server};

/// Makes a [`Server`]. Without any call it listens on a free port of loopback, asks nobody for a
/// credential and stores nothing.
#[derive(Debug)]
pub struct ServerBuilder {
    options: Options,
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self {
            options: Options {
                port: 0,
                streams: StreamsOptions::off(),
                ..Options::default()
            },
        }
    }
}

impl ServerBuilder {
    /// Listens on this port; 0 picks a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.options.port = port;
        self
    }

    /// Listens on this host or address. Beyond loopback it takes a credential or
    /// [`ServerBuilder::allow_anonymous`].
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.options.host = Some(host.into());
        self
    }

    /// Asks clients for this token.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.options.authorization.token = Some(token.into());
        self
    }

    /// Asks clients for this user and password.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.options.authorization.user = Some(user.into());
        self.options.authorization.password = Some(password.into());
        self
    }

    /// Lets other machines in without a credential.
    #[must_use]
    pub fn allow_anonymous(mut self) -> Self {
        self.options.allow_anonymous = true;
        self
    }

    /// Keeps streams, stored in this directory, which is made if it is not there.
    #[must_use]
    pub fn store_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.options.streams.enabled = true;
        self.options.streams.store_dir = Some(directory.into());
        self
    }

    /// Changes anything else.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    /// Starts it; it listens when this returns.
    ///
    /// # Errors
    /// When options contradict each other, and as [`Server::start`].
    pub fn start(self) -> Result<Server, StartError> {
        let faults = self.options.validate().errors;
        if !faults.is_empty() {
            let texts: Vec<String> = faults.iter().map(|fault| fault.text(Lang::En)).collect();
            return Err(StartError::Options(texts.join("; ")));
        }
        Server::start(self.options, Inherited::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_only_kept_where_a_directory_is_named() {
        let plain = ServerBuilder::default().options.streams;
        assert!(!plain.enabled);
        let keeping = ServerBuilder::default().store_dir("x").options.streams;
        assert!(keeping.enabled);
        assert_eq!(keeping.directory(), Some(PathBuf::from("x")));
    }
}
