//! What a client said of itself in CONNECT, kept for logs and services.

use recado_wire::Connect;

/// Names of one client. Boxed on its connection: idle connections are many.
#[derive(Debug, Default)]
pub(crate) struct Client {
    /// Name it gave itself.
    pub(crate) name: Option<Box<str>>,
}

impl Client {
    pub(crate) fn new(connect: &Connect) -> Self {
        Self {
            name: connect.name.as_deref().map(Box::from),
        }
    }
}
