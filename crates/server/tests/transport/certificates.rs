//! Certificates that tests make up, in files for the server and as rustls takes them for clients.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    PublicKeyData, SanType, date_time_ymd,
};
use recado_server::config::{CertificateFiles, TlsOptions};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;

/// An authority, and a directory for what it signs.
pub(crate) struct Authority {
    name: DistinguishedName,
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

/// A certificate and its key, both as PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
    /// The public key as certificates have it (SPKI).
    pub(crate) public: Vec<u8>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let params = Self::params();
        let name = params.distinguished_name.clone();
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap());
        Self {
            name,
            issuer: issuer.unwrap(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn params() -> CertificateParams {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Authorities of one name would be told apart by their signatures only.
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("authority {}", MADE.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    /// Signs a certificate for these host names.
    pub(crate) fn sign(
        &self,
        names: &[&str],
        adjust: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        adjust(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            public: key.subject_public_key_info(),
        }
    }

    /// The same for a client: user, mail address, unit.
    pub(crate) fn sign_client(&self, name: &str) -> Identity {
        self.sign(&[], |params| {
            params.distinguished_name.push(DnType::CommonName, name);
            params
                .distinguished_name
                .push(DnType::OrganizationalUnitName, "tests");
            let mail = format!("{name}@example.org").try_into().unwrap();
            params.subject_alt_names.push(SanType::Rfc822Name(mail));
        })
    }

    /// Its own key.
    pub(crate) fn key(&self) -> KeyPair {
        KeyPair::from_pem(&self.issuer.key().serialize_pem()).unwrap()
    }

    /// An authority below it, whose own certificate can be adjusted; and that certificate, as PEM.
    pub(crate) fn below(&self, adjust: impl FnOnce(&mut CertificateParams)) -> (Self, String) {
        let mut params = Self::params();
        adjust(&mut params);
        let name = params.distinguished_name.clone();
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::signed_by(params, key, &self.issuer).unwrap();
        let certificate = issuer.pem();
        let below = Self {
            name,
            issuer,
            directory: tempfile::tempdir().unwrap(),
        };
        (below, certificate)
    }

    /// Another certificate of an authority below it, with the same name and key, as PEM.
    pub(crate) fn twin(&self, below: &Self, adjust: impl FnOnce(&mut CertificateParams)) -> String {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = below.name.clone();
        adjust(&mut params);
        params.signed_by(&below.key(), &self.issuer).unwrap().pem()
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Its own certificate as a file.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.file("ca.pem", &self.issuer.pem())
    }

    /// Files of an identity.
    pub(crate) fn files(&self, name: &str, identity: &Identity) -> CertificateFiles {
        CertificateFiles {
            cert_file: self.file(&format!("{name}.pem"), &identity.certificate),
            key_file: self.file(&format!("{name}.key"), &identity.key),
        }
    }

    /// What a server for `localhost` needs.
    pub(crate) fn server_options(&self) -> TlsOptions {
        let identity = self.sign(&["localhost"], |_| {});
        TlsOptions {
            certificates: vec![self.files("server", &identity)],
            ..TlsOptions::default()
        }
    }

    /// A client that trusts this authority, and shows a certificate if it has one.
    pub(crate) fn client(&self, identity: Option<&Identity>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
                let chain = chain.collect::<Result<_, _>>().unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        })
    }
}

/// Signs what was good until the year 2000.
pub(crate) fn expired(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(1999, 1, 1);
    params.not_after = date_time_ymd(2000, 1, 1);
}
