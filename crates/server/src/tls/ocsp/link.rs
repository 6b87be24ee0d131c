//! A certificate and the one that vouches for it: what a responder is asked about.

use der::Encode as _;
use der::asn1::{Null, ObjectIdentifier, OctetString};
use rustls::pki_types::CertificateDer;
use sha1::{Digest as _, Sha1};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_ocsp::{CertId, OcspRequest, Request, TbsRequest};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{
    OID_PKCS1_SHA1WITHRSA, OID_PKIX_ACCESS_DESCRIPTOR_OCSP, OID_SHA1_WITH_RSA, Oid,
};
use x509_parser::parse_x509_certificate;

/// Responders of one certificate that are asked.
const RESPONDERS_MAX: usize = 4;
/// The digest that all responders know (RFC 5019); no signature hangs on it.
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
/// `TLSFeature` (RFC 7633), and the one of its features by which a certificate asks for a staple.
const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";
const STATUS_REQUEST: u16 = 5;

/// A certificate and its issuer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) issuer: CertificateDer<'static>,
}

/// A certificate, or a chain, that can't be made sense of.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadChain {
    #[error("a certificate can't be read")]
    Unreadable,
    #[error("the certificate of whoever issued it is not there")]
    NoIssuer,
}

impl Link {
    /// The certificate with whoever signed it among these.
    ///
    /// # Errors
    /// When nobody of them did.
    pub(super) fn find<'a>(
        certificate: &CertificateDer<'_>,
        issuers: impl Iterator<Item = &'a CertificateDer<'a>>,
    ) -> Result<Self, BadChain> {
        let parsed = parse(certificate)?;
        for issuer in issuers {
            if parse(issuer).is_ok_and(|issuer| signed(&parsed, &issuer)) {
                return Ok(Self {
                    certificate: certificate.clone().into_owned(),
                    issuer: issuer.clone().into_owned(),
                });
            }
        }
        Err(BadChain::NoIssuer)
    }

    /// Where its status can be asked for: the web places that the certificate names. None: nobody tells.
    pub(super) fn responders(&self) -> Vec<String> {
        let Ok(parsed) = parse(&self.certificate) else {
            return Vec::new();
        };
        let access = parsed
            .extensions()
            .iter()
            .filter_map(|one| match one.parsed_extension() {
                ParsedExtension::AuthorityInfoAccess(access) => Some(&access.accessdescs),
                _ => None,
            });
        let places = access
            .flatten()
            .filter_map(|one| match &one.access_location {
                GeneralName::URI(uri) if one.access_method == OID_PKIX_ACCESS_DESCRIPTOR_OCSP => {
                    Some(*uri)
                }
                _ => None,
            });
        places
            .filter(|uri| uri.starts_with("http://") || uri.starts_with("https://"))
            .take(RESPONDERS_MAX)
            .map(str::to_owned)
            .collect()
    }

    /// By which a responder knows the certificate.
    pub(super) fn id(&self) -> Result<CertId, BadChain> {
        let (parsed, issuer) = (parse(&self.certificate)?, parse(&self.issuer)?);
        let octets = |bytes: &[u8]| {
            OctetString::new(Sha1::digest(bytes).to_vec()).map_err(|_| BadChain::Unreadable)
        };
        Ok(CertId {
            hash_algorithm: AlgorithmIdentifierOwned {
                oid: SHA1,
                parameters: Some(Null.into()),
            },
            issuer_name_hash: octets(issuer.subject().as_raw())?,
            issuer_key_hash: octets(&issuer.public_key().subject_public_key.data)?,
            serial_number: SerialNumber::new(parsed.raw_serial())
                .map_err(|_| BadChain::Unreadable)?,
        })
    }

    /// The question about it, as it is sent.
    pub(super) fn request(&self) -> Result<Vec<u8>, BadChain> {
        let request = OcspRequest {
            tbs_request: TbsRequest {
                request_list: vec![Request {
                    req_cert: self.id()?,
                    single_request_extensions: None,
                }],
                ..TbsRequest::default()
            },
            optional_signature: None,
        };
        request.to_der().map_err(|_| BadChain::Unreadable)
    }
}

/// Whether a certificate asks to be shown with a staple (Must-Staple).
pub(super) fn asks_for_staple(certificate: &CertificateDer<'_>) -> bool {
    let Ok(parsed) = parse(certificate) else {
        return false;
    };
    let features = parsed.extensions().iter();
    let mut features = features.filter(|one| one.oid.to_id_string() == TLS_FEATURE);
    features.any(|one| {
        let features: Result<Vec<u16>, _> = der::Decode::from_der(one.value);
        features.is_ok_and(|features| features.contains(&STATUS_REQUEST))
    })
}

pub(super) fn parse<'a>(
    certificate: &'a CertificateDer<'_>,
) -> Result<X509Certificate<'a>, BadChain> {
    let parsed = parse_x509_certificate(certificate);
    parsed
        .map(|(_, parsed)| parsed)
        .map_err(|_| BadChain::Unreadable)
}

/// Whether one certificate was signed with the other's key.
pub(super) fn signed(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    certificate.issuer().as_raw() == issuer.subject().as_raw()
        && !is_of_sha1(&certificate.signature_algorithm.algorithm)
        && certificate
            .verify_signature(Some(issuer.public_key()))
            .is_ok()
}

/// Whether a signature is over a digest of SHA-1: those can be forged.
pub(super) fn is_of_sha1(algorithm: &Oid<'_>) -> bool {
    [OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA].contains(algorithm)
}
