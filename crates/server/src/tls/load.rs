//! From files and settings to what rustls takes.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert,
    WebPkiClientVerifier,
};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CipherSuite as Id, ClientConfig, InconsistentKeys, RootCertStore, ServerConfig,
    SupportedCipherSuite,
};
use rustls::{SupportedProtocolVersion, version};

use super::ocsp::{Cache, Checked, Replaceable, Revocations, Stapled};
use super::pins::Pinned;
use super::problem::TlsProblem;
use crate::config::{
    CertificateFiles, CipherSuite, Curve, OcspPeerOptions, TlsOptions, TlsVersion,
};

/// Largest certificate or key file that is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// All that handshakes need.
pub(super) struct Loaded {
    pub(super) config: ServerConfig,
    /// When the first certificate expires, in seconds since 1970.
    pub(super) not_after_s: Option<i64>,
    /// Certificates that are shown with what their responder says.
    pub(super) stapled: Vec<Stapled>,
    /// What is remembered of clients' certificates, where those that were revoked are refused.
    pub(super) checked: Option<Arc<Cache>>,
}

/// Reads what the options name. Without `revocations` nobody is asked about any.
pub(super) fn server_config(
    options: &TlsOptions,
    revocations: Option<&Revocations>,
) -> Result<Loaded, TlsProblem> {
    let provider = Arc::new(provider(options));
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions(options.min_version))
        .map_err(|_| TlsProblem::NothingInCommon)?;
    let peers = options
        .ocsp_peer
        .as_ref()
        .filter(|_| options.asks_for_certificates());
    let checked = peers.zip(revocations);
    let checked = checked.map(|(peers, revocations)| (peers, revocations.cache()));
    let builder = match options.asks_for_certificates() {
        true => builder.with_client_cert_verifier(verifier(options, &provider, checked.as_ref())?),
        false => builder.with_no_client_auth(),
    };
    let mut shown = Vec::new();
    let mut stapled = Vec::new();
    for files in &options.certificates {
        let key = certified_key(files, &provider)?;
        let key = Arc::new(ArcSwap::new(key));
        if let Some(revocations) = revocations {
            let trusted = || trusted(options.ca_file.as_deref()).unwrap_or_default();
            stapled.extend(revocations.staple(&files.cert_file, &key, trusted)?);
        }
        shown.push(key);
    }
    let Some(first) = shown.first() else {
        return Err(TlsProblem::NoCertificate);
    };
    let not_after_s = first.load().end_entity_cert().ok().and_then(not_after_s);
    let mut config = builder.with_cert_resolver(Arc::new(Shown(shown)));
    // Sessions are not resumed: nothing is kept of a connection that is gone, and who was let in by
    // a certificate shows it anew each time.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Loaded {
        config,
        not_after_s,
        stapled,
        checked: checked.map(|(_, cache)| cache),
    })
}

fn not_after_s(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(parsed.validity().not_after.timestamp())
}

/// All that connections to other servers need: whom to trust, and what to show who asks for a certificate.
pub(crate) fn client_config(options: Option<&TlsOptions>) -> Result<Arc<ClientConfig>, TlsProblem> {
    let default = TlsOptions::default();
    let options = options.unwrap_or(&default);
    let provider = Arc::new(provider(options));
    let roots = authorities(options.ca_file.as_deref())?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions(options.min_version))
        .map_err(|_| TlsProblem::NothingInCommon)?
        .with_root_certificates(roots);
    let config = match options.certificates.first() {
        None => builder.with_no_client_auth(),
        Some(files) => {
            let key = certified_key(files, &provider)?;
            let key = SingleCertAndKey::from(CertifiedKey::clone(&key));
            builder.with_client_cert_resolver(Arc::new(key))
        }
    };
    Ok(Arc::new(config))
}

static FROM_1_2: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
static FROM_1_3: &[&SupportedProtocolVersion] = &[&version::TLS13];

fn versions(min: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    match min {
        TlsVersion::V1_2 => FROM_1_2,
        TlsVersion::V1_3 => FROM_1_3,
    }
}

/// The suites and curves that were chosen, in that order. As with nats-server, a list that names only
/// suites of TLS 1.2 leaves those of 1.3 as they are.
fn provider(options: &TlsOptions) -> CryptoProvider {
    let standard = ring::default_provider();
    let chosen: Vec<_> = options
        .cipher_suites
        .iter()
        .map(|one| id_of(*one))
        .collect();
    let of_13 = |suite: &SupportedCipherSuite| suite.tls13().is_some();
    let (all_13, all_12): (Vec<_>, Vec<_>) =
        standard.cipher_suites.iter().copied().partition(of_13);
    let pick = |all: Vec<SupportedCipherSuite>| {
        let suite = |id: &Id| all.iter().copied().find(|suite| suite.suite() == *id);
        chosen.iter().filter_map(suite).collect::<Vec<_>>()
    };
    let cipher_suites = if chosen.is_empty() {
        standard.cipher_suites
    } else {
        let (mut some_13, some_12) = (pick(all_13.clone()), pick(all_12));
        if some_13.is_empty() {
            some_13 = all_13;
        }
        [some_13, some_12].concat()
    };
    let kx_groups = match options.curves.is_empty() {
        true => standard.kx_groups,
        false => options
            .curves
            .iter()
            .map(|curve| group_of(*curve))
            .collect(),
    };
    CryptoProvider {
        cipher_suites,
        kx_groups,
        ..standard
    }
}

fn group_of(curve: Curve) -> &'static dyn SupportedKxGroup {
    match curve {
        Curve::X25519 => ring::kx_group::X25519,
        Curve::P256 => ring::kx_group::SECP256R1,
        Curve::P384 => ring::kx_group::SECP384R1,
    }
}

fn id_of(suite: CipherSuite) -> Id {
    use CipherSuite as Ours;
    match suite {
        Ours::TLS_AES_128_GCM_SHA256 => Id::TLS13_AES_128_GCM_SHA256,
        Ours::TLS_AES_256_GCM_SHA384 => Id::TLS13_AES_256_GCM_SHA384,
        Ours::TLS_CHACHA20_POLY1305_SHA256 => Id::TLS13_CHACHA20_POLY1305_SHA256,
        Ours::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => Id::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        Ours::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => Id::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        Ours::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => {
            Id::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        }
        Ours::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => {
            Id::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        }
        Ours::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => {
            Id::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
        }
        Ours::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => {
            Id::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        }
    }
}

fn verifier(
    options: &TlsOptions,
    provider: &Arc<CryptoProvider>,
    checked: Option<&(&OcspPeerOptions, Arc<Cache>)>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsProblem> {
    let roots = Arc::new(authorities(options.ca_file.as_deref())?);
    let webpki = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider))
        .build()
        .map_err(|_| TlsProblem::NoAuthorities)?;
    let pinned: Arc<dyn ClientCertVerifier> = match options.pinned_certs.is_empty() {
        true => webpki,
        false => Arc::new(Pinned::new(webpki, &options.pinned_certs)),
    };
    let Some((peers, cache)) = checked else {
        return Ok(pinned);
    };
    let trusted = trusted(options.ca_file.as_deref())?;
    let algorithms = provider.signature_verification_algorithms.all;
    let cache = Arc::clone(cache);
    Ok(Arc::new(Checked::new(
        pinned, peers, algorithms, &trusted, cache,
    )))
}

/// The authorities of a file, or those that the machine trusts.
fn authorities(file: Option<&Path>) -> Result<RootCertStore, TlsProblem> {
    let mut roots = RootCertStore::empty();
    match file {
        Some(path) => {
            for authority in certificates(path)? {
                roots
                    .add(authority)
                    .map_err(|error| TlsProblem::UnusableAuthority {
                        path: path.to_owned(),
                        error: error.to_string(),
                    })?;
            }
        }
        None => {
            // Those that can't be used are left out: nobody here can mend them.
            roots.add_parsable_certificates(trusted(None)?);
        }
    }
    match roots.is_empty() {
        true => Err(TlsProblem::NoAuthorities),
        false => Ok(roots),
    }
}

/// The same as certificates, good or not.
fn trusted(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, TlsProblem> {
    match file {
        Some(path) => certificates(path),
        None => Ok(rustls_native_certs::load_native_certs().certs),
    }
}

fn certified_key(
    files: &CertificateFiles,
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, TlsProblem> {
    let CertificateFiles {
        cert_file: cert,
        key_file: key,
    } = files;
    if cert.as_os_str().is_empty() || key.as_os_str().is_empty() {
        return Err(TlsProblem::NoCertificate);
    }
    let chain = certificates(cert)?;
    warn_if_out_of_date(cert, chain.first());
    let pem = read(key)?;
    let not_key = || TlsProblem::NotKey { path: key.clone() };
    let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| not_key())?;
    let key_problem = |error: rustls::Error| TlsProblem::UnusableKey {
        path: key.clone(),
        error: error.to_string(),
    };
    let signing = provider
        .key_provider
        .load_private_key(private)
        .map_err(key_problem)?;
    let certified = CertifiedKey::new(chain, signing);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
            Ok(Arc::new(certified))
        }
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsProblem::KeyOfAnother {
            cert: cert.clone(),
            key: key.clone(),
        }),
        Err(error) => Err(key_problem(error)),
    }
}

/// All certificates of a PEM file; at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsProblem> {
    let pem = read(path)?;
    let none = || TlsProblem::NotCertificates {
        path: path.to_owned(),
    };
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| none())?;
    match found.is_empty() {
        true => Err(none()),
        false => Ok(found),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsProblem> {
    use std::io::Read;
    let unreadable = |error: std::io::Error| TlsProblem::Unreadable {
        path: path.to_owned(),
        error: error.to_string(),
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    match bytes.len() as u64 > FILE_BYTES_MAX {
        true => Err(unreadable(std::io::ErrorKind::FileTooLarge.into())),
        false => Ok(bytes),
    }
}

/// Clients would refuse it: better to hear it from the server.
fn warn_if_out_of_date(path: &Path, certificate: Option<&CertificateDer<'_>>) {
    let Some(Ok((_, parsed))) = certificate.map(|der| x509_parser::parse_x509_certificate(der))
    else {
        return;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    let validity = parsed.validity();
    let path = path.display();
    if now > validity.not_after.timestamp() {
        tracing::warn!(
            "the certificate in {path} expired on {}: clients will refuse it; renew it and reload",
            validity.not_after
        );
    } else if now < validity.not_before.timestamp() {
        tracing::warn!(
            "the certificate in {path} is not valid before {}: clients will refuse it until then; check this machine's clock",
            validity.not_before
        );
    }
}

/// Which certificate a client is shown: the first that bears the name it asks for, else the first
/// whose key it understands.
#[derive(Debug)]
struct Shown(Vec<Replaceable>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if let [only] = self.0.as_slice() {
            return Some(only.load_full());
        }
        let schemes = hello.signature_schemes();
        let mut fits = self
            .0
            .iter()
            .map(|one| one.load_full())
            .filter(|one| one.key.choose_scheme(schemes).is_some());
        let named = hello.server_name().and_then(|name| {
            let name = rustls::pki_types::ServerName::try_from(name).ok()?;
            fits.clone().find(|one| bears(one, &name))
        });
        named.or_else(|| fits.next())
    }
}

fn bears(one: &CertifiedKey, name: &rustls::pki_types::ServerName<'_>) -> bool {
    let Some(certificate) = one.cert.first() else {
        return false;
    };
    ParsedCertificate::try_from(certificate)
        .is_ok_and(|parsed| rustls::client::verify_server_name(&parsed, name).is_ok())
}
