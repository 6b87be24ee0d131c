//! Times, ages and limits of streams in words.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::fields;
use crate::amount;
use crate::span;
use crate::text::jetstream as text;

/// A moment that the server wrote (RFC 3339), in local time; a dash for none.
pub(crate) fn moment(written: &str) -> String {
    match written.parse::<Timestamp>() {
        Ok(at) if at.as_second() > 0 => local(at),
        _ => "–".to_owned(),
    }
}

/// A moment in local time.
pub(crate) fn local(at: Timestamp) -> String {
    let zoned = at.to_zoned(TimeZone::system());
    zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// How long ago a moment was; a dash for none.
pub(crate) fn ago(written: &str) -> String {
    match written.parse::<Timestamp>() {
        Ok(at) if at.as_second() > 0 => since(at),
        _ => "–".to_owned(),
    }
}

/// The same.
pub(crate) fn since(at: Timestamp) -> String {
    let passed = Duration::try_from(Timestamp::now().duration_since(at)).unwrap_or_default();
    // Below a second the clocks of two machines say nothing.
    match passed.as_secs() {
        0 => span::show(passed),
        seconds => span::show(Duration::from_secs(seconds)),
    }
}

/// A length of time in the API: nanoseconds; what none means is said by `none`.
pub(crate) fn nanos(config: &Value, pointer: &str, none: &str) -> String {
    match fields::signed(config, pointer) {
        number @ 1.. => span::show(Duration::from_nanos(number.unsigned_abs())),
        _ => none.to_owned(),
    }
}

/// A limit of a number of things.
pub(crate) fn limit(config: &Value, pointer: &str) -> String {
    match fields::signed(config, pointer) {
        number @ 1.. => amount::show(number.unsigned_abs()),
        _ => text::unlimited().to_owned(),
    }
}

/// A limit in bytes.
pub(crate) fn limit_bytes(config: &Value, pointer: &str) -> String {
    match fields::signed(config, pointer) {
        number @ 1.. => amount::show_size(number.unsigned_abs()),
        _ => text::unlimited().to_owned(),
    }
}

/// A length of time as the API takes it.
pub(crate) fn as_nanos(span: Duration) -> Value {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX).into()
}

/// A limit in bytes as the API takes it, where 0 is none.
pub(crate) fn as_limit(size: usize) -> Value {
    match size {
        0 => (-1).into(),
        size => size.into(),
    }
}

/// The moment so long ago, as the API takes it.
pub(crate) fn before_now(span: Duration) -> String {
    let at = Timestamp::now().checked_sub(span);
    at.unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// The moment after so long, as the API takes it.
pub(crate) fn after_now(span: Duration) -> String {
    let at = Timestamp::now().checked_add(span);
    at.unwrap_or(Timestamp::MAX).to_string()
}
