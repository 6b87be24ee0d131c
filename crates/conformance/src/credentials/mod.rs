//! Certificates, keys and claims for tests, made up on the spot and laid out as files: what suites in
//! every language present to the server, right and wrong. Nothing in here outlives the test.
//!
//! | file | what it is |
//! |---|---|
//! | `ca.pem`, `stranger-ca.pem` | the authority that tests trust, and another one |
//! | `server`, `successor` | certificates for `localhost` and 127.0.0.1 |
//! | `wrong-name`, `expired` | for another host; over since the year 2000 |
//! | `client`, `stranger-client`, `expired-client` | for clients: by the authority, by the other, over |
//! | `operator.conf` | an operator, its system account and the account `APP`, in memory |
//! | `user.creds` | a user of `APP` who may do everything |
//! | `limited.creds` | who may publish and subscribe to `open.>` and to inboxes |
//! | `expired.creds`, `revoked.creds`, `stranger.creds` | whom the server must not let in |
//! | `bearer.jwt` | a user who need not sign |
//! | `account.seed` | what signs users of `APP` |
//! | `nkey.seed`, `nkey.pub`, `other.seed` | a user's key without claims, and one that nobody knows |
//!
//! Certificates have a `.pem` and a `.key`.

use std::path::Path;

use tempfile::TempDir;

mod certificates;
mod claims;

/// A directory with credentials, removed when it is dropped.
#[derive(Debug)]
pub struct Credentials {
    dir: TempDir,
}

impl Credentials {
    /// Makes all of them.
    ///
    /// # Panics
    /// When the directory cannot be written.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("recado-credentials-")
            .tempdir();
        let credentials = Self {
            dir: dir.expect("a temporary directory"),
        };
        certificates::write(&credentials);
        claims::write(&credentials);
        credentials
    }

    /// Where they lie.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The text of one of them.
    ///
    /// # Panics
    /// When there is no file of this name.
    pub fn text(&self, name: &str) -> String {
        let path = self.dir().join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn keep(&self, name: &str, text: &str) {
        std::fs::write(self.dir().join(name), text).expect("a file in a fresh directory");
    }
}

impl Default for Credentials {
    fn default() -> Self {
        Self::new()
    }
}
