//! `ocsp`, `ocsp_cache` and `ocsp_peer`: whether certificates were revoked.

use std::path::PathBuf;
use std::time::Duration;

use super::Findings;
use super::field::Field;
use super::known::{OCSP, OCSP_CACHE, OCSP_PEER, OcspCacheKey, OcspKey, OcspPeerKey};
use super::settings::one_of;
use super::websocket::texts;
use crate::config::fault::Fault;
use crate::config::lang::Data;
use crate::config::messages::{Kind, TransportProblem};
use crate::config::ocsp::{
    OcspCacheKept, OcspCacheOptions, OcspMode, OcspOptions, OcspPeerOptions,
};

/// What `type` of `ocsp_cache` can be.
const CACHE_TYPES: &[&str] = &["none", "local"];
/// The cache's file is not written more often.
const SAVE_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// Reads `ocsp`: true, false or a block.
pub(super) fn read(field: &Field<'_>, findings: &mut Findings) -> Result<OcspOptions, Fault> {
    let mut ocsp = OcspOptions::default();
    match &field.value.data {
        Data::Bool(true) => {}
        Data::Bool(false) => ocsp.mode = OcspMode::Never,
        Data::Map(map) => super::read_block(map, OCSP, findings, |key, inner, _| {
            match key {
                OcspKey::Mode => {
                    let word = inner.text()?;
                    ocsp.mode = OcspMode::from_word(word)
                        .ok_or_else(|| inner.fault(one_of(inner.key, OcspMode::WORDS, word)))?;
                }
                OcspKey::Url => ocsp.urls = vec![url(inner, inner.text()?)?],
                OcspKey::Urls => {
                    let urls = texts(inner)?;
                    ocsp.urls = urls
                        .iter()
                        .map(|one| url(inner, one))
                        .collect::<Result<_, _>>()?;
                }
            }
            Ok(())
        }),
        _ => return Err(field.wrong_kind(Kind::SwitchOrMap)),
    }
    Ok(ocsp)
}

/// Where a responder is asked.
fn url(field: &Field<'_>, text: &str) -> Result<String, Fault> {
    let parsed = text.parse::<hyper::Uri>().ok();
    let is_web = parsed.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
    });
    match is_web {
        true => Ok(text.to_owned()),
        false => Err(field.fault(TransportProblem::NotResponder(text.to_owned()).into())),
    }
}

/// Reads `ocsp_cache`: true, false or a block.
pub(super) fn read_cache(
    field: &Field<'_>,
    findings: &mut Findings,
) -> Result<OcspCacheOptions, Fault> {
    let mut cache = OcspCacheOptions::default();
    match &field.value.data {
        Data::Bool(true) => cache.kept = OcspCacheKept::in_default_directory(),
        Data::Bool(false) => cache.kept = OcspCacheKept::Nowhere,
        Data::Map(map) => {
            let mut is_kept = true;
            let mut place = OcspCacheKept::in_default_directory();
            super::read_block(map, OCSP_CACHE, findings, |key, inner, _| {
                let OcspCacheKept::InDirectory {
                    directory,
                    save_interval,
                } = &mut place
                else {
                    return Ok(());
                };
                match key {
                    OcspCacheKey::Type => {
                        let word = inner.text()?;
                        is_kept = match word.to_lowercase().as_str() {
                            "local" => true,
                            "none" => false,
                            _ => return Err(inner.fault(one_of(inner.key, CACHE_TYPES, word))),
                        };
                    }
                    OcspCacheKey::LocalStore => *directory = PathBuf::from(inner.text()?),
                    OcspCacheKey::PreserveRevoked => cache.preserve_revoked = inner.boolean()?,
                    // As nats-server: less is as much as the least.
                    OcspCacheKey::SaveInterval => {
                        *save_interval = inner.timeout()?.max(SAVE_INTERVAL_MIN);
                    }
                }
                Ok(())
            });
            cache.kept = match is_kept {
                true => place,
                false => OcspCacheKept::Nowhere,
            };
        }
        _ => return Err(field.wrong_kind(Kind::SwitchOrMap)),
    }
    Ok(cache)
}

/// Reads `ocsp_peer`: true, false or a block. `None` where nobody is to be asked.
pub(super) fn read_peer(
    field: &Field<'_>,
    findings: &mut Findings,
) -> Result<Option<OcspPeerOptions>, Fault> {
    let mut peer = OcspPeerOptions::default();
    let mut verify = false;
    match &field.value.data {
        Data::Bool(on) => verify = *on,
        Data::Map(map) => super::read_block(map, OCSP_PEER, findings, |key, inner, _| {
            match key {
                OcspPeerKey::Verify => verify = inner.boolean()?,
                OcspPeerKey::AllowedClockskew => peer.allowed_clockskew = inner.timeout()?,
                // As nats-server: 0 stands for the default.
                OcspPeerKey::CaTimeout => {
                    let timeout = inner.timeout()?;
                    if !timeout.is_zero() {
                        peer.ca_timeout = timeout;
                    }
                }
                OcspPeerKey::TtlWithoutNextUpdate => {
                    peer.ttl_without_next_update = inner.timeout()?;
                }
                OcspPeerKey::WarnOnly => peer.warn_only = inner.boolean()?,
                OcspPeerKey::UnknownIsGood => peer.unknown_is_good = inner.boolean()?,
                OcspPeerKey::AllowWhenCaUnreachable => {
                    peer.allow_when_ca_unreachable = inner.boolean()?;
                }
            }
            Ok(())
        }),
        _ => return Err(field.wrong_kind(Kind::SwitchOrMap)),
    }
    Ok(verify.then_some(peer))
}
