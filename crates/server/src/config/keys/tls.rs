//! `tls { … }` of a listener. Files are only named here: the server reads them when it starts.

use std::path::PathBuf;
use std::time::Duration;

use super::field::Field;
use super::known::{CERTIFICATE, CertificateKey, TLS, TlsKey};
use super::{Findings, nearest_word, ocsp};
use crate::config::fault::Fault;
use crate::config::lang::{Data, Value};
use crate::config::messages::{KeyProblem, Kind, TransportProblem};
use crate::config::tls::{
    CertificateFiles, CipherSuite, ClientCertificates, Curve, HandshakeFirst, TlsOptions,
    TlsVersion,
};

/// A longer time for a handshake is probably a mistake of units.
const TIMEOUT_USUAL_MAX: Duration = Duration::from_secs(60);
/// What `min_version` can be.
const VERSIONS: &[&str] = &["1.2", "1.3"];

/// Reads the block; mistakes in it are added to `findings`.
pub(super) fn read(field: &Field<'_>, findings: &mut Findings) -> Result<TlsOptions, Fault> {
    let mut tls = TlsOptions::default();
    let mut own = CertificateFiles::default();
    super::read_block(field.map()?, TLS, findings, |key, inner, findings| {
        set(key, inner, &mut tls, &mut own, findings)
    });
    if own != CertificateFiles::default() {
        tls.certificates.insert(0, own);
    }
    Ok(tls)
}

fn set(
    key: TlsKey,
    field: &Field<'_>,
    tls: &mut TlsOptions,
    own: &mut CertificateFiles,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let problem = |problem: TransportProblem| field.fault(problem.into());
    match key {
        TlsKey::CertFile => own.cert_file = PathBuf::from(field.text()?),
        TlsKey::KeyFile => own.key_file = PathBuf::from(field.text()?),
        TlsKey::CaFile => tls.ca_file = Some(PathBuf::from(field.text()?)),
        TlsKey::Certs => {
            for value in list(field)? {
                let files = certificate(&field.with(value), findings)?;
                tls.certificates.push(files);
            }
        }
        TlsKey::Verify => {
            let verify = field.boolean()?;
            if verify && tls.client_certificates == ClientCertificates::NotAsked {
                tls.client_certificates = ClientCertificates::Verified;
            }
        }
        TlsKey::VerifyAndMap => {
            if field.boolean()? {
                tls.client_certificates = ClientCertificates::Mapped;
            }
        }
        TlsKey::HandshakeFirst => tls.handshake_first = handshake_first(field)?,
        TlsKey::Timeout => {
            let timeout = field.timeout()?;
            if timeout > TIMEOUT_USUAL_MAX {
                findings
                    .warnings
                    .push(problem(TransportProblem::LongHandshake(timeout)));
            }
            // As nats-server: 0 stands for the default.
            if !timeout.is_zero() {
                tls.timeout = timeout;
            }
        }
        TlsKey::MinVersion => {
            tls.min_version = match field.text()? {
                "1.2" => TlsVersion::V1_2,
                "1.3" => TlsVersion::V1_3,
                other => return Err(field.fault(super::one_of(field.key, VERSIONS, other))),
            }
        }
        TlsKey::OcspPeer => tls.ocsp_peer = ocsp::read_peer(field, findings)?,
        TlsKey::CipherSuites => tls.cipher_suites = cipher_suites(field)?,
        TlsKey::CurvePreferences => tls.curves = curves(field)?,
        TlsKey::PinnedCerts => tls.pinned_certs = pins(field)?,
        TlsKey::ConnectionRateLimit => {
            let limit = field.integer(0, i64::from(u32::MAX))?;
            // As nats-server: 0 is no limit.
            tls.connection_rate_limit = u32::try_from(limit).ok().filter(|limit| *limit > 0);
        }
        TlsKey::ForServers => {
            if !matches!(field.value.data, Data::Bool(false)) {
                return Err(problem(TransportProblem::NotInClients(
                    field.key.to_owned(),
                )));
            }
        }
        TlsKey::ChangesNothing => {
            if field.boolean()? {
                let ignored = TransportProblem::ChangesNothing(field.key.to_owned());
                findings.warnings.push(problem(ignored));
            }
        }
    }
    Ok(())
}

fn list<'a>(field: &Field<'a>) -> Result<&'a [Value], Fault> {
    match &field.value.data {
        Data::Array(array) => Ok(array.values()),
        _ => Err(field.wrong_kind(Kind::List)),
    }
}

/// One of `certs`.
fn certificate(field: &Field<'_>, findings: &mut Findings) -> Result<CertificateFiles, Fault> {
    let mut files = CertificateFiles::default();
    super::read_block(field.map()?, CERTIFICATE, findings, |key, inner, _| {
        let path = PathBuf::from(inner.text()?);
        match key {
            CertificateKey::CertFile => files.cert_file = path,
            CertificateKey::KeyFile => files.key_file = path,
        }
        Ok(())
    });
    Ok(files)
}

fn handshake_first(field: &Field<'_>) -> Result<HandshakeFirst, Fault> {
    match &field.value.data {
        Data::Bool(true) => Ok(HandshakeFirst::Yes),
        Data::Bool(false) => Ok(HandshakeFirst::No),
        Data::String(word) => match word.to_lowercase().as_str() {
            "true" | "on" => Ok(HandshakeFirst::Yes),
            "false" | "off" => Ok(HandshakeFirst::No),
            "auto" | "auto_fallback" => Ok(HandshakeFirst::AUTO),
            _ => field
                .span()
                .map(|span| HandshakeFirst::After(span.duration))
                .map_err(|_| {
                    field.fault(TransportProblem::NotHandshakeFirst(word.to_string()).into())
                }),
        },
        _ => field
            .span()
            .map(|span| HandshakeFirst::After(span.duration)),
    }
}

fn cipher_suites(field: &Field<'_>) -> Result<Vec<CipherSuite>, Fault> {
    let suite = |value| {
        let one = field.with(value);
        let name = one.text()?;
        CipherSuite::from_name(name).ok_or_else(|| {
            let known = CipherSuite::NAMES.iter().copied();
            let nearest = nearest_word(known, &name.to_uppercase());
            let name = name.to_owned();
            one.fault(TransportProblem::NotCipherSuite { name, nearest }.into())
        })
    };
    some_of(field)?.iter().map(suite).collect()
}

fn curves(field: &Field<'_>) -> Result<Vec<Curve>, Fault> {
    let curve = |value| {
        let one = field.with(value);
        let name = one.text()?;
        Curve::from_name(name)
            .ok_or_else(|| one.fault(TransportProblem::NotCurve(name.to_owned()).into()))
    };
    some_of(field)?.iter().map(curve).collect()
}

/// A list with something in it: nothing to choose from is no choice.
fn some_of<'a>(field: &Field<'a>) -> Result<&'a [Value], Fault> {
    match list(field)? {
        [] => Err(field.fault(KeyProblem::Empty(field.key.to_owned()))),
        some => Ok(some),
    }
}

fn pins(field: &Field<'_>) -> Result<Vec<[u8; 32]>, Fault> {
    let pin = |value| {
        let one = field.with(value);
        let text = one.text()?;
        parse_pin(text).ok_or_else(|| one.fault(TransportProblem::NotPin(text.to_owned()).into()))
    };
    list(field)?.iter().map(pin).collect()
}

/// 64 hexadecimal digits.
fn parse_pin(text: &str) -> Option<[u8; 32]> {
    let mut pin = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in pin.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    // `from_str_radix` takes a sign.
    text.bytes()
        .all(|digit| digit.is_ascii_hexdigit())
        .then_some(pin)
}

impl From<TransportProblem> for KeyProblem {
    fn from(problem: TransportProblem) -> Self {
        Self::Transport(problem)
    }
}
