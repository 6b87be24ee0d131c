//! What a responder says of a certificate (RFC 6960), believed only where the certificate's issuer signed it, or
//! somebody whom the issuer lets sign it.

use std::time::{Duration, SystemTime};

use der::{Decode as _, Encode as _, Reader as _, SliceReader};
use x509_cert::Certificate;
use x509_ocsp::{
    BasicOcspResponse, CertStatus, OcspGeneralizedTime, OcspResponse, OcspResponseStatus,
    SingleResponse,
};
use x509_parser::asn1_rs::BitString;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::verify::verify_signature;
use x509_parser::x509::AlgorithmIdentifier;

use super::link::{BadChain, Link, is_of_sha1, parse, signed};

/// `id-pkix-ocsp-basic`.
const BASIC: &str = "1.3.6.1.5.5.7.48.1.1";
/// Certificates in an answer that are looked at.
const SIGNERS_MAX: usize = 4;

/// What is known of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Good,
    Revoked,
    /// The responder does not know it.
    Unknown,
}

impl Status {
    /// What it is called in logs, events and files.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Self::Good, Self::Revoked, Self::Unknown]
            .into_iter()
            .find(|status| status.word() == word)
    }
}

/// An answer that was believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: Status,
    /// Since when it holds.
    pub(super) this_update: SystemTime,
    /// Until when, if it says so.
    pub(super) next_update: Option<SystemTime>,
}

/// Why an answer is not believed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadResponse {
    #[error("it is no answer of OCSP")]
    NotOcsp,
    #[error("the responder refuses: {0}")]
    Refused(&'static str),
    #[error("it does not speak of the certificate that was asked for")]
    OtherCertificate,
    #[error("it says something important that is not understood")]
    NotUnderstood,
    #[error("neither the certificate's issuer signed it, nor anybody who may for the issuer")]
    NotSigned,
    #[error(transparent)]
    Chain(#[from] BadChain),
}

/// Reads an answer about a link, and checks who signed it.
///
/// # Errors
/// When it is none, is about something else, or nobody who may has signed it.
pub(super) fn read(bytes: &[u8], link: &Link, now: SystemTime) -> Result<Response, BadResponse> {
    let whole = OcspResponse::from_der(bytes).map_err(|_| BadResponse::NotOcsp)?;
    if let Some(why) = refusal(whole.response_status) {
        return Err(BadResponse::Refused(why));
    }
    let inner = whole.response_bytes.ok_or(BadResponse::NotOcsp)?;
    if inner.response_type.to_string() != BASIC {
        return Err(BadResponse::NotOcsp);
    }
    let bytes = inner.response.as_bytes();
    let basic = BasicOcspResponse::from_der(bytes).map_err(|_| BadResponse::NotOcsp)?;
    if !is_signed(bytes, &basic, link, now)? {
        return Err(BadResponse::NotSigned);
    }
    let id = link.id()?;
    let about = |one: &&SingleResponse| {
        // The algorithm's parameters may be absent or nothing: that is the same.
        one.cert_id.hash_algorithm.oid == id.hash_algorithm.oid
            && one.cert_id.issuer_name_hash == id.issuer_name_hash
            && one.cert_id.issuer_key_hash == id.issuer_key_hash
            && one.cert_id.serial_number == id.serial_number
    };
    let found = basic.tbs_response_data.responses.iter().find(about);
    let found = found.ok_or(BadResponse::OtherCertificate)?;
    let mut extensions = found.single_extensions.iter().flatten();
    if extensions.any(|extension| extension.critical) {
        return Err(BadResponse::NotUnderstood);
    }
    Ok(Response {
        status: match found.cert_status {
            CertStatus::Good(_) => Status::Good,
            CertStatus::Revoked(_) => Status::Revoked,
            CertStatus::Unknown(_) => Status::Unknown,
        },
        this_update: moment(&found.this_update),
        next_update: found.next_update.as_ref().map(moment),
    })
}

fn refusal(status: OcspResponseStatus) -> Option<&'static str> {
    match status {
        OcspResponseStatus::Successful => None,
        OcspResponseStatus::MalformedRequest => Some("it finds the question malformed"),
        OcspResponseStatus::InternalError => Some("it has an internal error"),
        OcspResponseStatus::TryLater => Some("it has no time now"),
        OcspResponseStatus::SigRequired => Some("it wants signed questions"),
        OcspResponseStatus::Unauthorized => Some("it does not answer for this certificate"),
    }
}

fn moment(time: &OcspGeneralizedTime) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(time.0.to_unix_duration().as_secs())
}

/// Whether the issuer signed it, or the holder of a certificate that the issuer made for that (RFC 6960, 4.2.2.2).
fn is_signed(
    bytes: &[u8],
    basic: &BasicOcspResponse,
    link: &Link,
    now: SystemTime,
) -> Result<bool, BadResponse> {
    let data = first_element(bytes).ok_or(BadResponse::NotOcsp)?;
    let algorithm = basic.signature_algorithm.to_der();
    let algorithm = algorithm.map_err(|_| BadResponse::NotOcsp)?;
    let (_, algorithm) =
        AlgorithmIdentifier::from_der(&algorithm).map_err(|_| BadResponse::NotOcsp)?;
    if is_of_sha1(&algorithm.algorithm) {
        return Ok(false);
    }
    let signature = BitString::new(0, basic.signature.raw_bytes());
    let by = |signer: &X509Certificate<'_>| {
        verify_signature(signer.public_key(), &algorithm, &signature, data).is_ok()
    };
    let issuer = parse(&link.issuer)?;
    if by(&issuer) {
        return Ok(true);
    }
    let shown = basic.certs.iter().flatten().take(SIGNERS_MAX);
    let encoded: Vec<Vec<u8>> = shown
        .filter_map(|one| Certificate::to_der(one).ok())
        .collect();
    Ok(encoded.iter().any(|one| {
        X509Certificate::from_der(one)
            .is_ok_and(|(_, signer)| may_sign(&signer, &issuer, now) && by(&signer))
    }))
}

fn may_sign(signer: &X509Certificate<'_>, issuer: &X509Certificate<'_>, now: SystemTime) -> bool {
    let usage = signer.extended_key_usage().ok().flatten();
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = signer.validity();
    usage.is_some_and(|usage| usage.value.ocsp_signing)
        && (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now)
        && signed(signer, issuer)
}

/// The bytes of the first element inside of a sequence: what was signed, as it was signed.
fn first_element(sequence: &[u8]) -> Option<&[u8]> {
    let mut reader = SliceReader::new(sequence).ok()?;
    der::Header::decode(&mut reader).ok()?;
    reader.tlv_bytes().ok()
}
