//! Whether certificates were revoked (OCSP, RFC 6960): the server's own are shown with what their responder says ([`staple`]),
//! clients' are held against it ([`peer`]). Both ask in the same way ([`responder`]) about a certificate and its issuer ([`link`]),
//! and believe the same answers ([`response`]); what is known of clients' is remembered ([`cache`]), and nobody waits for
//! another's question but who asks the same ([`inquiries`]).

mod cache;
mod inquiries;
mod link;
mod peer;
mod responder;
mod response;
mod staple;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use crate::config::Options;

pub(crate) use cache::{Cache, fingerprint};
pub(crate) use inquiries::Turn;
pub(super) use peer::Checked;
pub(crate) use peer::NotValid;
pub(super) use staple::{Replaceable, Stapled};

use super::TlsProblem;

/// What a configuration says about revocations, and what is remembered of them. A reload makes another one.
#[derive(Clone)]
pub(crate) struct Revocations {
    cache: Arc<Cache>,
    plan: staple::Plan,
}

impl Revocations {
    /// As the options say; `end` ends the server when a certificate of its own was revoked and it is not to run then.
    pub(crate) fn new(options: &Options, end: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            cache: Arc::new(Cache::open(&options.ocsp_cache)),
            plan: staple::Plan::new(options, Arc::new(end)),
        }
    }

    /// The same for other options. What is remembered stays, unless that is to be otherwise.
    pub(crate) fn renewed(&self, options: &Options) -> Self {
        let cache = match *self.cache.options() == options.ocsp_cache {
            true => Arc::clone(&self.cache),
            false => {
                // Both may be of one file.
                self.cache.save();
                Arc::new(Cache::open(&options.ocsp_cache))
            }
        };
        let plan = self.plan.renewed(options);
        Self { cache, plan }
    }

    /// Writes down what is remembered of clients' certificates, where it is to be.
    pub(crate) fn save(&self) {
        self.cache.save();
    }

    /// What is remembered of clients' certificates.
    pub(super) fn cache(&self) -> Arc<Cache> {
        Arc::clone(&self.cache)
    }

    /// Shows a certificate with a staple, if it is to be; `authorities` are whom it may come from.
    pub(super) fn staple(
        &self,
        path: &Path,
        shown: &Replaceable,
        authorities: impl FnOnce() -> Vec<CertificateDer<'static>>,
    ) -> Result<Option<Stapled>, TlsProblem> {
        staple::begin(path, shown, authorities, &self.plan)
    }
}
