//! `jetstream`: a switch, or a block with all that streams can be told. The directory is not looked
//! at here: whether it is one shows when the server starts.

use std::path::PathBuf;
use std::time::Duration;

use recado_log::{Cipher, Secret};

use super::field::Field;
use super::known::{BATCH, BatchKey, Form, STREAMS, STREAMS_LIMITS, StreamsKey, StreamsLimitsKey};
use super::{Findings, one_of, read_block};
use crate::config::fault::Fault;
use crate::config::lang::Data;
use crate::config::messages::{KeyProblem, Kind};
use crate::config::streams::{BatchLimits, StreamsLimits, StreamsOptions, SyncInterval, is_domain};

/// The words that turn streams on and off.
const SWITCHES: &[&str] = &["enabled", "disabled"];

/// `true`, `false`, `enabled`, `disabled` or a block, which turns streams on unless it says
/// otherwise.
pub(super) fn read(
    field: &Field<'_>,
    streams: &mut StreamsOptions,
    findings: &mut Findings,
) -> Result<(), Fault> {
    match &field.value.data {
        Data::Bool(enabled) => streams.enabled = *enabled,
        Data::String(word) => {
            streams.enabled = match word.to_lowercase().as_str() {
                "enabled" | "enable" => true,
                "disabled" | "disable" => false,
                _ => return Err(field.fault(one_of(field.key, SWITCHES, word))),
            }
        }
        Data::Map(map) => {
            streams.enabled = true;
            read_block(map, STREAMS, findings, |key, inner, findings| {
                set(key, inner, streams, findings)
            });
        }
        _ => return Err(field.wrong_kind(Kind::Streams)),
    }
    Ok(())
}

/// `store_dir`, which may stand in the block and beside it, but not both.
pub(super) fn set_store_dir(field: &Field<'_>, streams: &mut StreamsOptions) -> Result<(), Fault> {
    match streams.store_dir.replace(PathBuf::from(field.text()?)) {
        Some(_) => Err(field.fault(KeyProblem::StoreDirTwice)),
        None => Ok(()),
    }
}

fn set(
    key: StreamsKey,
    field: &Field<'_>,
    streams: &mut StreamsOptions,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let standard = StreamsOptions::default();
    match key {
        StreamsKey::Enabled => streams.enabled = field.boolean()?,
        StreamsKey::StoreDir => set_store_dir(field, streams)?,
        StreamsKey::MaxMemory => streams.max_memory_bytes = u64::try_from(size(field)?).ok(),
        StreamsKey::MaxFile => streams.max_file_bytes = u64::try_from(size(field)?).ok(),
        StreamsKey::SyncInterval => streams.sync_interval = sync_interval(field, findings)?,
        StreamsKey::Strict => streams.strict = field.boolean()?,
        StreamsKey::Domain => {
            let domain = field.text()?;
            if !is_domain(domain) {
                return Err(field.fault(KeyProblem::BadDomain(domain.to_owned())));
            }
            streams.domain = Some(domain.to_owned());
        }
        StreamsKey::EncryptionKey => streams.encryption.key = key_text(field)?,
        StreamsKey::PreviousKey => streams.encryption.previous = key_text(field)?,
        StreamsKey::Cipher => streams.encryption.cipher = Some(cipher(field)?),
        StreamsKey::MaxBufferedMessages => {
            streams.max_buffered_messages =
                ceiling(field)?.unwrap_or(standard.max_buffered_messages);
        }
        StreamsKey::MaxBufferedBytes => {
            streams.max_buffered_bytes =
                positive(size(field)?).unwrap_or(standard.max_buffered_bytes);
        }
        StreamsKey::RequestQueueLimit => {
            streams.request_queue_limit = ceiling(field)?.unwrap_or(standard.request_queue_limit);
        }
        StreamsKey::InfoQueueLimit => streams.info_queue_limit = ceiling(field)?,
        StreamsKey::Limits => {
            let limits = &mut streams.limits;
            read_block(
                field.map()?,
                STREAMS_LIMITS,
                findings,
                |key, inner, findings| set_limit(key, inner, limits, findings),
            );
        }
        StreamsKey::ForSeveral(form) => ignore(form, field, findings)?,
    }
    Ok(())
}

/// A key that a store is encrypted with; none if it is empty, as nats-server has it.
fn key_text(field: &Field<'_>) -> Result<Option<Secret>, Fault> {
    let text = Some(field.maybe_empty_text()?).filter(|text| !text.is_empty());
    Ok(text.map(|text| Secret::new(text.as_bytes().to_vec())))
}

fn cipher(field: &Field<'_>) -> Result<Cipher, Fault> {
    let word = field.text()?;
    match word.to_lowercase().as_str() {
        "chacha" | "chachapoly" => Ok(Cipher::ChaCha20),
        "aes" => Ok(Cipher::Aes256),
        _ => Err(field.fault(one_of(field.key, &["chacha", "aes"], word))),
    }
}

fn set_limit(
    key: StreamsLimitsKey,
    field: &Field<'_>,
    limits: &mut StreamsLimits,
    findings: &mut Findings,
) -> Result<(), Fault> {
    match key {
        StreamsLimitsKey::MaxAckPending => limits.max_ack_pending = ceiling(field)?,
        StreamsLimitsKey::MaxRequestBatch => limits.max_request_batch = ceiling(field)?,
        StreamsLimitsKey::DefaultMaxConsumers => limits.default_max_consumers = ceiling(field)?,
        StreamsLimitsKey::DuplicateWindow => {
            limits.duplicate_window = longest(field, findings)?;
        }
        StreamsLimitsKey::Batch => {
            let batch = &mut limits.batch;
            read_block(field.map()?, BATCH, findings, |key, inner, findings| {
                set_batch(key, inner, batch, findings)
            });
        }
        StreamsLimitsKey::ForSeveral(form) => ignore(form, field, findings)?,
    }
    Ok(())
}

fn set_batch(
    key: BatchKey,
    field: &Field<'_>,
    batch: &mut BatchLimits,
    findings: &mut Findings,
) -> Result<(), Fault> {
    match key {
        BatchKey::MaxInflightPerStream => batch.max_inflight_per_stream = ceiling(field)?,
        BatchKey::MaxInflightTotal => batch.max_inflight_total = ceiling(field)?,
        BatchKey::MaxMessages => batch.max_messages = ceiling(field)?,
        BatchKey::Timeout => batch.timeout = longest(field, findings)?,
    }
    Ok(())
}

/// Checks the value of a key that changes nothing here, and says that it does not.
pub(super) fn ignore(form: Form, field: &Field<'_>, findings: &mut Findings) -> Result<(), Fault> {
    match form {
        Form::Boolean => drop(field.boolean()?),
        Form::Integer(min, max) => drop(field.integer(min, max)?),
        Form::Size => drop(size(field)?),
        Form::Text => drop(field.text()?),
        Form::Words(words) => {
            let word = field.text()?;
            if !words.iter().any(|known| word.eq_ignore_ascii_case(known)) {
                return Err(field.fault(one_of(field.key, words, word)));
            }
        }
    }
    let ignored = KeyProblem::ForSeveralServers(field.key.to_owned());
    findings.warnings.push(field.fault(ignored));
    Ok(())
}

/// A size: an integer, or text that ends in K, M, G or T, which are powers of 1024 (D03). Below 0
/// stands for as much as there is.
pub(super) fn size(field: &Field<'_>) -> Result<i64, Fault> {
    match &field.value.data {
        Data::Integer(number) => Ok(*number),
        Data::String(text) => storage_size(text).ok_or_else(|| {
            field.fault(KeyProblem::BadSize {
                key: field.key.to_owned(),
                value: text.to_string(),
            })
        }),
        _ => Err(field.wrong_kind(Kind::Size)),
    }
}

fn storage_size(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        'K' => 1 << 10,
        'M' => 1 << 20,
        'G' => 1 << 30,
        'T' => 1_i64 << 40,
        _ => return None,
    };
    let number: i64 = text.get(..text.len() - 1)?.parse().ok()?;
    number.checked_mul(unit)
}

/// A ceiling; none for 0 and below.
fn ceiling(field: &Field<'_>) -> Result<Option<u64>, Fault> {
    field.integer(i64::MIN, i64::MAX).map(positive)
}

fn positive(number: i64) -> Option<u64> {
    u64::try_from(number).ok().filter(|number| *number > 0)
}

/// A longest time; none for 0.
fn longest(field: &Field<'_>, findings: &mut Findings) -> Result<Option<Duration>, Fault> {
    span(field, findings).map(|time| Some(time).filter(|time| !time.is_zero()))
}

fn span(field: &Field<'_>, findings: &mut Findings) -> Result<Duration, Fault> {
    let span = field.span()?;
    if let Some(seconds) = span.bare_seconds {
        let key = field.key.to_owned();
        let warning = field.fault(KeyProblem::BareDuration { key, seconds });
        findings.warnings.push(warning);
    }
    Ok(span.duration)
}

/// `always`, or a time that is read and then of no use.
fn sync_interval(field: &Field<'_>, findings: &mut Findings) -> Result<SyncInterval, Fault> {
    if matches!(&field.value.data, Data::String(word) if word.eq_ignore_ascii_case("always")) {
        return Ok(SyncInterval::Always);
    }
    let interval = field.span()?.duration;
    let hint = KeyProblem::SyncedAnyway(field.key.to_owned());
    findings.warnings.push(field.fault(hint));
    Ok(SyncInterval::Every(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_quotes_are_powers_of_1024() {
        assert_eq!(storage_size("3K"), Some(3072));
        assert_eq!(storage_size("2M"), Some(2 << 20));
        assert_eq!(storage_size("1G"), Some(1 << 30));
        assert_eq!(storage_size("1T"), Some(1 << 40));
        assert_eq!(storage_size("-1K"), Some(-1024));
        for text in ["", "K", "1", "1k", "1KB", "1.5G", "9999999999T", "1é", "é"] {
            assert_eq!(storage_size(text), None, "{text}");
        }
    }
}
