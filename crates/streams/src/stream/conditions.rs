//! What a publisher makes a condition of (E86 to E91), and the lifetime it asks for (E84).

use super::messages::Messages;
use super::{PublishHeaders, Stream};
use crate::error::{self, ApiError};
use crate::index::Filters;
use crate::time::parse_duration;

const SECOND_NS: i64 = 1_000_000_000;

/// How long a message lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// As the stream says.
    Default,
    /// For ever, whatever the stream says.
    Never,
    /// So many seconds.
    Seconds(i64),
}

impl Lifetime {
    /// Reads `Nats-TTL`: a Go duration of a second at least, seconds, or `never`. Seconds that no number holds wrap
    /// around, as in nats-server; what is left of them is more than a message lives.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, ApiError> {
        let Some(text) = text else {
            return Ok(Self::Default);
        };
        if text.eq_ignore_ascii_case("never") {
            return Ok(Self::Never);
        }
        let invalid = || ApiError::new(&error::MESSAGE_TTL_INVALID);
        if let Some(ns) = parse_duration(text) {
            return match ns >= SECOND_NS {
                true => Ok(Self::Seconds(ns / SECOND_NS)),
                false => Err(invalid()),
            };
        }
        let seconds = text.bytes().try_fold(0i64, |sum, digit| {
            let value = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
            Some(sum.wrapping_mul(10).wrapping_add(value))
        });
        match seconds {
            Some(0) => Ok(Self::Default),
            Some(seconds) if seconds > 0 => Ok(Self::Seconds(seconds)),
            _ => Err(invalid()),
        }
    }
}

/// What is rolled up once a message is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rollup {
    None,
    Subject,
    All,
}

impl Stream {
    /// The conditions before the id is looked at: stream and sequences.
    pub(crate) fn check_expectations(
        &self,
        headers: &PublishHeaders<'_>,
        subject: &[u8],
    ) -> Result<(), ApiError> {
        self.check_origin(headers)?;
        let expected = headers.expected_last_subject_sequence.map(parse_sequence);
        if let Some(expected) = expected {
            let of = headers
                .expected_last_subject_sequence_subject
                .map_or(subject, str::as_bytes);
            let found = last_on(&self.messages, of).unwrap_or(0);
            if found != expected {
                return Err(ApiError::with(&error::STREAM_WRONG_LAST_SEQUENCE, found));
            }
        } else if headers.expected_last_subject_sequence_subject.is_some() {
            let kind = &error::STREAM_EXPECTED_LAST_SEQ_PER_SUBJECT_INVALID;
            return Err(ApiError::new(kind));
        }
        let last = self.last_sequence();
        match headers.expected_last_sequence.map(parse_sequence) {
            Some(expected) if expected != last => {
                Err(ApiError::with(&error::STREAM_WRONG_LAST_SEQUENCE, last))
            }
            _ => Ok(()),
        }
    }

    /// The conditions on the stream itself.
    pub(super) fn check_origin(&self, headers: &PublishHeaders<'_>) -> Result<(), ApiError> {
        if headers
            .expected_stream
            .is_some_and(|name| name != self.config.name)
        {
            return Err(ApiError::new(&error::STREAM_NOT_MATCH));
        }
        if headers.ttl.is_some()
            && !self.config.allow_msg_ttl
            && !matches!(Lifetime::parse(headers.ttl), Ok(Lifetime::Default) | Err(_))
        {
            return Err(ApiError::new(&error::MESSAGE_TTL_DISABLED));
        }
        Ok(())
    }

    /// The condition on the id of the message before.
    pub(crate) fn check_last_id(&self, headers: &PublishHeaders<'_>) -> Result<(), ApiError> {
        match headers.expected_last_message_id {
            Some(id) if id != &*self.last_message_id => Err(ApiError::with(
                &error::STREAM_WRONG_LAST_MSG_ID,
                &self.last_message_id,
            )),
            _ => Ok(()),
        }
    }

    /// Whether a rollup is asked for, and allowed.
    pub(crate) fn rollup(&self, headers: &PublishHeaders<'_>) -> Result<Rollup, ApiError> {
        let Some(rollup) = headers.rollup else {
            return Ok(Rollup::None);
        };
        if !self.config.allow_rollup_hdrs || self.config.deny_purge {
            let text = "rollup not permitted";
            return Err(ApiError::with(&error::STREAM_ROLLUP_FAILED, text));
        }
        match rollup.to_ascii_lowercase().as_str() {
            "sub" => Ok(Rollup::Subject),
            "all" => Ok(Rollup::All),
            _ => {
                let text = format!("rollup value invalid: {rollup:?}");
                Err(ApiError::with(&error::STREAM_ROLLUP_FAILED, text))
            }
        }
    }
}

/// A sequence as headers have it; what is no number is no sequence that could be met.
pub(super) fn parse_sequence(text: &str) -> u64 {
    text.parse().unwrap_or(u64::MAX)
}

/// The newest message on a subject, which may have wildcards (E89).
pub(crate) fn last_on(messages: &Messages, subject: &[u8]) -> Option<u64> {
    if !recado_wire::has_wildcard(subject) {
        return messages.index.last_of(subject);
    }
    let mut filters = Filters::new([subject]);
    let last = messages.index.last_sequence();
    messages
        .index
        .last_per_subject(&mut filters, last)
        .last()
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_seconds_a_duration_or_never() {
        let parse = |text| Lifetime::parse(Some(text));
        assert_eq!(Lifetime::parse(None), Ok(Lifetime::Default));
        assert_eq!(parse("5"), Ok(Lifetime::Seconds(5)));
        assert_eq!(parse("1m30s"), Ok(Lifetime::Seconds(90)));
        assert_eq!(parse("1500ms"), Ok(Lifetime::Seconds(1)));
        assert_eq!(parse("Never"), Ok(Lifetime::Never));
        for bad in ["0", "0s", "+5", "5 ", "999ms", "soon", "-1", "1x"] {
            assert!(
                parse(bad).is_err_and(|error| error.is(&error::MESSAGE_TTL_INVALID)),
                "{bad}"
            );
        }
    }
    #[test]
    fn a_lifetime_that_no_number_holds_wraps_around() {
        let parse = |text| Lifetime::parse(Some(text));
        let seconds = |text| match parse(text) {
            Ok(Lifetime::Seconds(seconds)) => seconds,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(seconds("10000000000"), 10_000_000_000);
        assert_eq!(seconds("99999999999999999999"), 7_766_279_631_452_241_919);
        // 2 to the power of 65, and of 63.
        assert_eq!(parse("36893488147419103232"), Ok(Lifetime::Default));
        assert!(parse("9223372036854775808").is_err());
    }
}
