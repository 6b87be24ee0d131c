//! Who this server is, for clients and in advisories.

use std::sync::Arc;

use nkeys::{KeyPair, XKey};

use crate::config::Options;

/// Id and name of one run of a server.
#[derive(Clone)]
pub(crate) struct Identity {
    /// A public nkey, new at each start.
    pub(crate) id: String,
    /// The configured name, or the id.
    pub(crate) name: String,
    /// Its secret keys, new at each start.
    pub(crate) keys: Arc<Keys>,
}

/// What a server signs and encrypts with.
pub(crate) struct Keys {
    /// The id is its public part.
    pub(crate) signing: KeyPair,
    /// For questions to services that decide on logins.
    pub(crate) curve: XKey,
}

impl Identity {
    pub(crate) fn new(options: &Options) -> Self {
        let keys = Keys {
            signing: KeyPair::new_server(),
            curve: XKey::new(),
        };
        let id = keys.signing.public_key();
        let name = options.server_name.clone().unwrap_or_else(|| id.clone());
        let keys = Arc::new(keys);
        Self { id, name, keys }
    }
}
