//! Whom we trust and who we are in TLS: the authorities, and our own certificate and key.
//!
//! Both ways of connecting take their TLS from here, so that none trusts more than the other.

use std::path::{Path, PathBuf};

use async_nats::rustls::pki_types::pem::PemObject;
use async_nats::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use async_nats::rustls::{ClientConfig, RootCertStore};

use crate::credentials::warn_if_open;
use crate::failure::Failure;
use crate::settings::unreadable;
use crate::text::credentials as text;

/// What was said about TLS.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trust {
    /// The authorities to trust, in place of the machine's.
    pub(crate) authority: Option<PathBuf>,
    /// Our own certificate and its key.
    pub(crate) own: Option<(PathBuf, PathBuf)>,
    /// The handshake comes before the server's greeting.
    pub(crate) first: bool,
}

impl Trust {
    /// Whether a connection without TLS is out of the question: who names certificates wants it.
    pub(crate) fn demands_tls(&self) -> bool {
        self.first || self.authority.is_some() || self.own.is_some()
    }

    /// The configuration of TLS. Reads the files each time: they may be renewed meanwhile.
    pub(crate) fn config(&self) -> Result<ClientConfig, Failure> {
        let builder = ClientConfig::builder().with_root_certificates(self.roots()?);
        let Some((certificate, key)) = &self.own else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = certificates(certificate)?;
        warn_if_open(key);
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| bad_pem(key, error))?;
        builder
            .with_client_auth_cert(chain, private)
            .map_err(|error| Failure::Local {
                what: text::certificate_and_key(
                    &certificate.display().to_string(),
                    &key.display().to_string(),
                    &error.to_string(),
                ),
                next: text::certificate_and_key_next().to_owned(),
            })
    }

    fn roots(&self) -> Result<RootCertStore, Failure> {
        let mut roots = RootCertStore::empty();
        let Some(path) = &self.authority else {
            let trusted = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(trusted.certs);
            // One that can't be read only narrows the trust; none at all is worth telling.
            return match (roots.is_empty(), trusted.errors.first()) {
                (true, Some(error)) => Err(Failure::Local {
                    what: text::no_authorities(&error.to_string()),
                    next: text::no_authorities_next().to_owned(),
                }),
                _ => Ok(roots),
            };
        };
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(|error| Failure::Local {
                what: text::bad_pem(&path.display().to_string(), &error.to_string()),
                next: text::bad_pem_next().to_owned(),
            })?;
        }
        Ok(roots)
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    use async_nats::rustls::pki_types::pem::Error;
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| bad_pem(path, error))?;
    if found.is_empty() {
        return Err(bad_pem(path, Error::NoItemsFound));
    }
    Ok(found)
}

fn bad_pem(path: &Path, error: async_nats::rustls::pki_types::pem::Error) -> Failure {
    use async_nats::rustls::pki_types::pem::Error;
    match error {
        Error::Io(error) => unreadable(path, &error),
        Error::NoItemsFound => Failure::Local {
            what: text::nothing_in_pem(&path.display().to_string()),
            next: text::bad_pem_next().to_owned(),
        },
        other => Failure::Local {
            what: text::bad_pem(&path.display().to_string(), &other.to_string()),
            next: text::bad_pem_next().to_owned(),
        },
    }
}
