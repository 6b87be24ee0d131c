//! Clients' certificates that must not be revoked (B10): each link of a chain that names a responder needs a word from it
//! that it is good, one that is remembered or one that is asked for on the spot.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};

use super::cache::{Cache, Remembered, fingerprint};
use super::link::Link;
use super::responder;
use super::response::{self, Response, Status};
use crate::config::OcspPeerOptions;
use crate::tls::names::subject_text;

/// Checks a certificate as another verifier does, then whether it was revoked. It may have to ask for that: its thread must be
/// one that may wait.
pub(in crate::tls) struct Checked {
    inner: Arc<dyn ClientCertVerifier>,
    options: OcspPeerOptions,
    authorities: Vec<CertificateDer<'static>>,
    cache: Arc<Cache>,
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

impl Checked {
    pub(in crate::tls) fn new(
        inner: Arc<dyn ClientCertVerifier>,
        options: &OcspPeerOptions,
        authorities: Vec<CertificateDer<'static>>,
        cache: Arc<Cache>,
    ) -> Self {
        Self {
            inner,
            options: options.clone(),
            authorities,
            cache,
        }
    }

    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Result<(), NotValid> {
        let not_valid = |link: &CertificateDer<'_>, reason| NotValid {
            peer: end_entity.clone().into_owned(),
            link: link.clone().into_owned(),
            reason,
        };
        let links = Link::all(end_entity, intermediates, &self.authorities)
            .map_err(|why| not_valid(end_entity, why.to_string()))?;
        for link in links {
            let responders = link.responders();
            if responders.is_empty() {
                continue;
            }
            let Err(reason) = self.check_link(&link, &responders) else {
                continue;
            };
            let subject = subject_text(&link.certificate);
            if !self.options.warn_only {
                return Err(not_valid(&link.certificate, reason));
            }
            tracing::warn!(%subject, "OCSP: {reason}; let in all the same (warn_only)");
        }
        Ok(())
    }

    /// Whether a certificate is good; else why not.
    fn check_link(&self, link: &Link, responders: &[String]) -> Result<(), String> {
        let fingerprint = fingerprint(&link.certificate);
        let subject = subject_text(&link.certificate);
        let now = SystemTime::now();
        let known = self.cache.find(&fingerprint);
        let was_revoked = known
            .as_ref()
            .is_some_and(|known| known.status == Status::Revoked);
        // It is read anew each time: what is in the file may be anybody's.
        let remembered = known.and_then(|known| response::read(&known.bytes, link, now).ok());
        let in_force = remembered.filter(|response| self.is_in_force(response, now));
        self.cache.count(in_force.is_some());
        if let Some(response) = in_force {
            return self.judge(response.status);
        }
        self.cache.forget(&fingerprint);
        let answer = match responder::ask(link, responders, self.options.ca_timeout) {
            Ok(answer) => answer,
            Err(why) if self.options.allow_when_ca_unreachable && !was_revoked => {
                tracing::warn!(%subject, "OCSP: nobody tells whether the certificate was revoked ({why}); let in all the same (allow_when_ca_unreachable)");
                return Ok(());
            }
            Err(why) => return Err(format!("nobody tells whether it was revoked: {why}")),
        };
        if !self.is_in_force(&answer.response, now) {
            return Err("what its responder says does not hold now: check both clocks".to_owned());
        }
        let status = answer.response.status;
        let remembered = Remembered {
            subject,
            status,
            since: now,
            until: answer.response.next_update,
            bytes: answer.bytes,
        };
        self.cache.remember(fingerprint, remembered);
        self.judge(status)
    }

    fn is_in_force(&self, response: &Response, now: SystemTime) -> bool {
        let ttl = self.options.ttl_without_next_update;
        holds(response, now, self.options.allowed_clockskew, ttl)
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
        match self.check(end_entity, intermediates) {
            Ok(()) => Ok(verified),
            Err(why) => Err(CertificateError::Other(OtherError(Arc::new(why))).into()),
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
