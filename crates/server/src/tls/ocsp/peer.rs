//! Clients' certificates that must not be revoked (B10): each link of a chain that names a responder needs a word from it
//! that it is good, one that is remembered or one that is asked for on the spot.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use super::cache::{Cache, Remembered, fingerprint};
use super::inquiries::{Inquiries, Turn};
use super::link::Link;
use super::responder::NotAsked;
use super::response::{self, Response, Status};
use crate::config::OcspPeerOptions;
use crate::tls::names::subject_text;

/// Certificates of one client that are asked about. An honest chain has one or two that can be.
const LINKS_MAX: usize = 8;

/// Checks a certificate as another verifier does, then whether it was revoked. It may have to ask for that: its thread must be
/// one that may wait.
pub(in crate::tls) struct Checked {
    inner: Arc<dyn ClientCertVerifier>,
    options: OcspPeerOptions,
    algorithms: &'static [&'static dyn SignatureVerificationAlgorithm],
    anchors: Vec<TrustAnchor<'static>>,
    /// The certificates that those are of, in the same order.
    authorities: Vec<CertificateDer<'static>>,
    cache: Arc<Cache>,
    inquiries: Inquiries,
}

/// Why a client is refused whose certificate is good otherwise.
#[derive(Clone, Debug)]
pub(crate) struct NotValid {
    /// Its own certificate.
    pub(crate) peer: CertificateDer<'static>,
    /// The one that is not good: its own, or one between it and the authority.
    pub(crate) link: CertificateDer<'static>,
    pub(crate) reason: String,
}

impl std::fmt::Display for NotValid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whose = subject_text(&self.link);
        write!(
            f,
            "client not OCSP valid: the certificate of {whose}: {}",
            self.reason
        )
    }
}

impl std::error::Error for NotValid {}

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checked")
            .field("inner", &self.inner)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// What was found out about the certificates of one client.
#[derive(Default)]
struct Findings {
    /// By fingerprint: good, or why not.
    links: HashMap<String, Result<(), String>>,
    /// The first that is not good.
    bad: Option<NotValid>,
}

impl Checked {
    /// `authorities` are those that `inner` trusts.
    pub(in crate::tls) fn new(
        inner: Arc<dyn ClientCertVerifier>,
        options: &OcspPeerOptions,
        algorithms: &'static [&'static dyn SignatureVerificationAlgorithm],
        authorities: &[CertificateDer<'static>],
        cache: Arc<Cache>,
    ) -> Self {
        let usable = authorities.iter().filter_map(|authority| {
            let anchor = webpki::anchor_from_trusted_cert(authority).ok()?;
            Some((anchor.to_owned(), authority.clone()))
        });
        let (anchors, authorities) = usable.unzip();
        Self {
            inner,
            options: options.clone(),
            algorithms,
            anchors,
            authorities,
            cache,
            inquiries: Inquiries::default(),
        }
    }

    /// Whether there is a way to an authority that holds by its signatures and dates, and on which each certificate is good.
    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), NotValid> {
        let findings = RefCell::new(Findings::default());
        let judge = |path: &VerifiedPath<'_>| {
            let judged = self.check_path(end_entity, path, &mut findings.borrow_mut());
            judged.map_err(|bad| {
                findings.borrow_mut().bad.get_or_insert(bad);
                webpki::Error::CertRevoked
            })
        };
        let parsed = EndEntityCert::try_from(end_entity);
        let verified = parsed.and_then(|parsed| {
            let usage = KeyUsage::client_auth();
            let (algorithms, anchors) = (self.algorithms, self.anchors.as_slice());
            let verified = parsed.verify_for_usage(
                algorithms,
                anchors,
                intermediates,
                now,
                usage,
                None,
                Some(&judge),
            );
            verified.map(drop)
        });
        let Err(error) = verified else {
            return Ok(());
        };
        let bad = findings.into_inner().bad;
        Err(bad.unwrap_or_else(|| NotValid {
            peer: end_entity.clone().into_owned(),
            link: end_entity.clone().into_owned(),
            reason: error.to_string(),
        }))
    }

    fn check_path(
        &self,
        end_entity: &CertificateDer<'_>,
        path: &VerifiedPath<'_>,
        findings: &mut Findings,
    ) -> Result<(), NotValid> {
        let not_valid = |link: &CertificateDer<'_>, reason: &str| NotValid {
            peer: end_entity.clone().into_owned(),
            link: link.clone().into_owned(),
            reason: reason.to_owned(),
        };
        let anchor = self.anchors.iter().position(|one| one == path.anchor());
        let Some(authority) = anchor.and_then(|at| self.authorities.get(at)) else {
            return Err(not_valid(end_entity, "its authority is not known any more"));
        };
        let between = path.intermediate_certificates().map(|one| one.der());
        let mut chain = vec![end_entity.clone()];
        chain.extend(between);
        chain.push(authority.clone());
        for pair in chain.windows(2) {
            let [certificate, issuer] = pair else { break };
            let link = Link {
                certificate: certificate.clone().into_owned(),
                issuer: issuer.clone().into_owned(),
            };
            let fingerprint = fingerprint(certificate);
            let count = findings.links.len();
            let found = findings.links.entry(fingerprint.clone());
            let found = found.or_insert_with(|| match count < LINKS_MAX {
                true => self.check_link(&link, &fingerprint),
                false => Err(format!("more than {LINKS_MAX} certificates come with it")),
            });
            if let Err(reason) = found {
                return Err(not_valid(certificate, reason));
            }
        }
        Ok(())
    }

    /// Whether a certificate is good; else why not. One that names no responder is.
    fn check_link(&self, link: &Link, fingerprint: &str) -> Result<(), String> {
        let responders = link.responders();
        if responders.is_empty() {
            return Ok(());
        }
        let subject = subject_text(&link.certificate);
        let now = SystemTime::now();
        let known = self.cache.find(fingerprint);
        let was_revoked = known
            .as_ref()
            .is_some_and(|known| known.status == Status::Revoked);
        // It is read anew each time: what is in the file may be anybody's.
        let remembered = known.and_then(|known| response::read(&known.bytes, link, now).ok());
        let in_force = remembered.filter(|response| self.is_in_force(response));
        self.cache.count(in_force.is_some());
        if let Some(response) = in_force {
            return self.judge(response.status);
        }
        self.cache.forget(fingerprint);
        let (time, turn) = (self.options.ca_timeout, Turn::given());
        let asked = self
            .inquiries
            .ask(fingerprint, link, &responders, time, turn);
        let answer = match asked.as_ref() {
            Ok(answer) => answer,
            Err(why) => {
                let may_pass = self.options.allow_when_ca_unreachable && !was_revoked;
                if may_pass && why.is_silence() {
                    tracing::warn!(%subject, "OCSP: nobody tells whether the certificate was revoked ({why}); let in all the same (allow_when_ca_unreachable)");
                    return Ok(());
                }
                return Err(format!("nobody tells whether it was revoked: {why}"));
            }
        };
        if !self.is_in_force(&answer.response) {
            return Err(NotAsked::OutOfDate.to_string());
        }
        let status = answer.response.status;
        let remembered = Remembered {
            subject,
            status,
            since: now,
            until: answer.response.next_update,
            bytes: answer.bytes.clone(),
        };
        self.cache.remember(fingerprint.to_owned(), remembered);
        self.judge(status)
    }

    fn is_in_force(&self, response: &Response) -> bool {
        let ttl = self.options.ttl_without_next_update;
        let skew = self.options.allowed_clockskew;
        holds(response, SystemTime::now(), skew, ttl)
    }

    fn judge(&self, status: Status) -> Result<(), String> {
        match status {
            Status::Good => Ok(()),
            Status::Unknown if self.options.unknown_is_good => Ok(()),
            Status::Unknown => Err("its responder does not know it".to_owned()),
            Status::Revoked => Err("it was revoked".to_owned()),
        }
    }
}

/// Whether an answer holds at a moment, as far as clocks agree.
pub(super) fn holds(response: &Response, now: SystemTime, skew: Duration, ttl: Duration) -> bool {
    let until = response
        .next_update
        .or_else(|| response.this_update.checked_add(ttl));
    let later = |moment: SystemTime| moment.checked_add(skew).unwrap_or(moment);
    response.this_update <= later(now) && until.is_none_or(|until| now <= later(until))
}

impl ClientCertVerifier for Checked {
    fn offer_client_auth(&self) -> bool {
        self.inner.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self
            .inner
            .verify_client_cert(end_entity, intermediates, now)?;
        match self.check(end_entity, intermediates, now) {
            Err(why) if self.options.warn_only => {
                tracing::warn!("{why}; let in all the same (warn_only)");
                Ok(verified)
            }
            Err(why) => Err(CertificateError::Other(OtherError(Arc::new(why))).into()),
            Ok(()) => Ok(verified),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
