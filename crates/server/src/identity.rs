//! Who this server is, for clients and in advisories.

use crate::config::Options;

/// Id and name of one run of a server.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// A public nkey, new at each start.
    pub(crate) id: String,
    /// The configured name, or the id.
    pub(crate) name: String,
}

impl Identity {
    pub(crate) fn new(options: &Options) -> Self {
        let id = nkeys::KeyPair::new_server().public_key();
        let name = options.server_name.clone().unwrap_or_else(|| id.clone());
        Self { id, name }
    }
}
