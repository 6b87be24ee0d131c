//! Counters (E92, ADR-49): a message is an increment, what is stored is the sum.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use serde_json::Value;

use super::ingest::Draft;
use super::publish_headers::replaced;
use super::{Env, PublishHeaders, Stream};
use crate::consumer::Read;
use crate::error::{self, ApiError};

impl Stream {
    /// The increment that a message is, if it is one.
    pub(super) fn increment(
        &self,
        parsed: &PublishHeaders<'_>,
        payload: &[u8],
    ) -> Result<Option<BigInt>, ApiError> {
        let Some(text) = parsed.increment else {
            return Ok(None);
        };
        let invalid = || ApiError::new(&error::MESSAGE_INCR_INVALID);
        let increment = parse_number(text).ok_or_else(invalid)?;
        if !self.config.allow_msg_counter {
            return Err(ApiError::new(&error::MESSAGE_INCR_DISABLED));
        }
        if !payload.is_empty() {
            return Err(ApiError::new(&error::MESSAGE_INCR_PAYLOAD));
        }
        let others = [
            parsed.rollup,
            parsed.expected_stream,
            parsed.expected_last_message_id,
            parsed.expected_last_subject_sequence_subject,
            parsed.expected_last_sequence,
            parsed.expected_last_subject_sequence,
        ];
        if others.iter().any(Option::is_some) {
            return Err(invalid());
        }
        Ok(Some(increment))
    }

    /// Adds an increment to the counter on the draft's subject, whose payload becomes the sum.
    pub(super) fn count_up(
        &mut self,
        env: &mut Env<'_>,
        draft: &mut Draft<'_>,
        increment: &BigInt,
    ) -> Result<String, ApiError> {
        let mut counter = self.counter_on(env, &draft.subject)?;
        counter.add(increment, draft);
        Ok(counter.value.to_string())
    }

    /// The counter on a subject, 0 where there was none.
    pub(super) fn counter_on(
        &mut self,
        env: &mut Env<'_>,
        subject: &[u8],
    ) -> Result<Counter, ApiError> {
        let mut counter = Counter::default();
        if let Some(last) = self.messages.index.last_of(subject)
            && let Read::Message(message) = self.messages.read(env.journal, last)
        {
            counter.value = counter_value(message.payload)
                .ok_or_else(|| ApiError::new(&error::MESSAGE_COUNTER_BROKEN))?;
            let headers = recado_wire::Headers::new(message.headers);
            counter.sources = headers.get("Nats-Counter-Sources").map(str::to_owned);
        }
        Ok(counter)
    }
}

/// A counter as its last message has it.
#[derive(Debug, Default)]
pub(super) struct Counter {
    value: BigInt,
    /// What the counters of sources have added.
    sources: Option<String>,
}

impl Counter {
    /// Adds an increment: the draft becomes the message that says so.
    pub(super) fn add(&mut self, increment: &BigInt, draft: &mut Draft<'_>) {
        self.value += increment;
        draft.payload = format!("{{\"val\":\"{}\"}}", self.value)
            .into_bytes()
            .into();
        if let Some(sources) = &self.sources {
            let headers = super::publish_headers::without(&draft.headers, "Nats-Counter-Sources");
            let headers = super::publish_headers::with(&headers, "Nats-Counter-Sources", sources);
            draft.headers = headers.into();
        }
    }
}

/// Of each source and subject there: the value that was counted already. The header `Nats-Counter-Sources`.
type Counted = BTreeMap<String, BTreeMap<String, String>>;

const SOURCES: &str = "Nats-Counter-Sources";

impl Stream {
    /// A counter's new value at a source: what it grew by since is added to the counter here (ADR-49). In a
    /// stream without counters it is kept as it came.
    pub(super) fn count_sourced(
        &mut self,
        env: &mut Env<'_>,
        draft: &mut Draft<'_>,
        parsed: &PublishHeaders<'_>,
    ) -> Result<(), ApiError> {
        if !self.config.allow_msg_counter {
            return Ok(());
        }
        let Some(text) = parsed.increment else {
            return Err(ApiError::new(&error::MESSAGE_INCR_MISSING));
        };
        if parse_number(text).is_none() {
            return Err(ApiError::new(&error::MESSAGE_INCR_INVALID));
        }
        let broken = || ApiError::new(&error::MESSAGE_COUNTER_BROKEN);
        let (mut value, mut counted) = (BigInt::default(), Counted::new());
        if let Some(last) = self.messages.index.last_of(&draft.subject)
            && let Read::Message(message) = self.messages.read(env.journal, last)
        {
            value = counter_value(message.payload).ok_or_else(broken)?;
            if let Some(text) = recado_wire::Headers::new(message.headers).get(SOURCES) {
                counted = serde_json::from_str(text).map_err(|_| broken())?;
            }
        }
        let there = counter_value(&draft.payload).ok_or_else(broken)?;
        let place = parsed.stream_source.unwrap_or_default();
        let mut fields = place.split(' ');
        let stream = fields.next().unwrap_or_default().to_owned();
        let own = || String::from_utf8_lossy(&draft.subject).into_owned();
        let subject = fields.nth(3).map_or_else(own, str::to_owned);
        let known = counted.entry(stream).or_default();
        let before = known.insert(subject, there.to_string());
        let before: BigInt = before
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        let grown = there - before;
        value += &grown;
        draft.payload = format!("{{\"val\":\"{value}\"}}").into_bytes().into();
        let counted = serde_json::to_string(&counted).map_err(|_| broken())?;
        let headers = replaced(&draft.headers, "Nats-Incr", &grown.to_string());
        draft.headers = replaced(&headers, SOURCES, &counted).into();
        Ok(())
    }
}

/// A number as increments have it: digits, and a sign before them if need be. `BigInt` would take `_` between them,
/// too.
fn parse_number(text: &str) -> Option<BigInt> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| text.parse().ok())?
}

/// The number in `{"val":"…"}`.
fn counter_value(payload: &[u8]) -> Option<BigInt> {
    let value: Value = serde_json::from_slice(payload).ok()?;
    value["val"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counters_value_is_of_any_size() {
        let huge = "123456789012345678901234567890";
        let payload = format!("{{\"val\":\"{huge}\"}}");
        assert_eq!(
            counter_value(payload.as_bytes())
                .map(|v| v.to_string())
                .as_deref(),
            Some(huge)
        );
        assert_eq!(counter_value(b"{}"), None);
    }

    #[test]
    fn an_increment_is_made_of_digits() {
        let parse = |text| parse_number(text).map(|number| number.to_string());
        for (text, number) in [("5", "5"), ("+5", "5"), ("-3", "-3"), ("007", "7")] {
            assert_eq!(parse(text).as_deref(), Some(number));
        }
        for wrong in ["", "-", "+-1", "1_000", "1_", "0x10", "1.5", "٣"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
