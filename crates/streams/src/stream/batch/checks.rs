//! What each member of an atomic batch has to pass at the commit: the conditions of a message that comes
//! alone, in nats-server's order, with what the members before it would have changed taken into account.

use std::collections::{HashMap, HashSet};

use num_bigint::BigInt;

use crate::config::Discard;
use crate::error::{self, ApiError};
use crate::stream::conditions::{Lifetime, Rollup, last_on, parse_sequence};
use crate::stream::counter::Counter;
use crate::stream::ingest::{Draft, HEADERS_BYTES_MAX, RECORD_BYTES_MAX};
use crate::stream::{Env, PublishHeaders, Stream};

/// What the members so far come to.
#[derive(Debug, Default)]
pub(super) struct Checks {
    ids: HashSet<String>,
    counters: HashMap<Vec<u8>, Counter>,
    subjects: HashMap<Vec<u8>, OnSubject>,
    /// What the last sequence of a subject was expected to be, and was.
    expected: HashMap<Vec<u8>, u64>,
    messages: u64,
    bytes: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct OnSubject {
    messages: u64,
    /// The last of them is a schedule.
    is_schedule: bool,
}

impl Checks {
    /// Bytes of the members.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

fn refused(kind: &'static error::Kind) -> Result<(), ApiError> {
    Err(ApiError::new(kind))
}

impl Stream {
    /// Checks one member, and makes of it what is to be stored.
    pub(super) fn check_member(
        &mut self,
        env: &mut Env<'_>,
        checks: &mut Checks,
        parsed: &PublishHeaders<'_>,
        draft: &mut Draft<'_>,
    ) -> Result<Rollup, ApiError> {
        if parsed.expected_last_message_id.is_some() {
            let kind = &error::ATOMIC_PUBLISH_UNSUPPORTED_HEADER_BATCH;
            return Err(ApiError::with(kind, "Nats-Expected-Last-Msg-Id"));
        }
        self.check_lengths(draft)?;
        let increment = self.increment(parsed, &draft.payload)?;
        self.check_origin(parsed)?;
        Lifetime::parse(parsed.ttl)?;
        self.check_id(env, checks, parsed)?;
        if parsed.stream_source.is_some() {
            refused(&error::MESSAGE_SOURCE_HDR_NOT_ALLOWED)?;
        }
        match increment {
            Some(increment) => self.count_member(env, checks, draft, &increment)?,
            None if self.config.allow_msg_counter => refused(&error::MESSAGE_INCR_MISSING)?,
            None => {}
        }
        self.check_member_sequences(checks, parsed, &draft.subject)?;
        let staged = |subject: &[u8]| checks.subjects.get(subject).map(|one| one.is_schedule);
        self.check_schedule(env, parsed, draft, staged)?;
        let rollup = self.member_rollup(checks, parsed, &draft.subject)?;
        self.check_size(draft)?;
        self.count_in(checks, parsed, draft)?;
        Ok(rollup)
    }

    fn check_lengths(&self, draft: &Draft<'_>) -> Result<(), ApiError> {
        let (subject, headers) = (draft.subject.len(), draft.headers.len());
        let size = self.messages.size_of(subject, headers, draft.payload.len());
        if self.messages.is_on_file() && size > RECORD_BYTES_MAX {
            let why = "message too large";
            return Err(ApiError::with(&error::STREAM_STORE_FAILED, why));
        }
        if headers > HEADERS_BYTES_MAX {
            refused(&error::STREAM_HEADER_EXCEEDS_MAXIMUM)?;
        }
        Ok(())
    }

    fn check_id(
        &mut self,
        env: &Env<'_>,
        checks: &mut Checks,
        parsed: &PublishHeaders<'_>,
    ) -> Result<(), ApiError> {
        let Some(id) = parsed.message_id else {
            return Ok(());
        };
        let is_new = checks.ids.insert(id.to_owned());
        if !is_new || self.known_duplicate(env, parsed).is_some() {
            refused(&error::ATOMIC_PUBLISH_CONTAINS_DUPLICATE_MESSAGE)?;
        }
        Ok(())
    }

    fn count_member(
        &mut self,
        env: &mut Env<'_>,
        checks: &mut Checks,
        draft: &mut Draft<'_>,
        increment: &BigInt,
    ) -> Result<(), ApiError> {
        let mut counter = match checks.counters.remove(&*draft.subject) {
            Some(counter) => counter,
            None => self.counter_on(env, &draft.subject)?,
        };
        counter.add(increment, draft);
        checks.counters.insert(draft.subject.to_vec(), counter);
        Ok(())
    }

    fn check_member_sequences(
        &self,
        checks: &mut Checks,
        parsed: &PublishHeaders<'_>,
        subject: &[u8],
    ) -> Result<(), ApiError> {
        let wrong = |found: u64| Err(ApiError::with(&error::STREAM_WRONG_LAST_SEQUENCE, found));
        let constant = &error::STREAM_WRONG_LAST_SEQUENCE_CONSTANT;
        if let Some(expected) = parsed.expected_last_sequence.map(parse_sequence) {
            let last = self.last_sequence() + checks.messages;
            if expected != last {
                return wrong(last);
            }
            // Only the first member can know what was last.
            if checks.messages > 0 {
                return refused(constant);
            }
        }
        let of = parsed.expected_last_subject_sequence_subject;
        let expected = parsed.expected_last_subject_sequence.map(parse_sequence);
        let Some(expected) = expected else {
            return match of {
                Some(_) => refused(&error::STREAM_EXPECTED_LAST_SEQ_PER_SUBJECT_INVALID),
                None => Ok(()),
            };
        };
        let of = of.map_or(subject, str::as_bytes);
        if checks.subjects.contains_key(of) {
            return refused(constant);
        }
        let known = checks.expected.get(of).copied();
        let found = known.unwrap_or_else(|| last_on(&self.messages, of).unwrap_or(0));
        if found != expected {
            return wrong(found);
        }
        checks.expected.insert(of.to_vec(), found);
        Ok(())
    }

    fn member_rollup(
        &self,
        checks: &Checks,
        parsed: &PublishHeaders<'_>,
        subject: &[u8],
    ) -> Result<Rollup, ApiError> {
        let asked = match (parsed.rollup, parsed.schedule) {
            // A schedule takes the place of the one before, whether it says so or not.
            (None, Some(_)) => PublishHeaders {
                rollup: Some("sub"),
                ..*parsed
            },
            _ => *parsed,
        };
        let rollup = self.rollup(&asked)?;
        let why = match rollup {
            Rollup::Subject if checks.subjects.contains_key(subject) => "batch rollup sub invalid",
            Rollup::All if checks.messages > 0 => "batch rollup all invalid",
            _ => return Ok(rollup),
        };
        Err(ApiError::with(&error::STREAM_ROLLUP_FAILED, why))
    }

    /// Counts a member, and refuses it where new messages give way.
    fn count_in(
        &self,
        checks: &mut Checks,
        parsed: &PublishHeaders<'_>,
        draft: &Draft<'_>,
    ) -> Result<(), ApiError> {
        let (subject, headers) = (&*draft.subject, draft.headers.len());
        let size = self
            .messages
            .size_of(subject.len(), headers, draft.payload.len());
        let on_subject = checks.subjects.entry(subject.to_vec()).or_default();
        on_subject.messages += 1;
        on_subject.is_schedule = parsed.schedule.is_some();
        checks.messages += 1;
        checks.bytes += size;
        let config = &self.config;
        if config.discard != Discard::New {
            return Ok(());
        }
        let index = &self.messages.index;
        let exceeds = |count: u64, max: i64| max > 0 && count > max.unsigned_abs();
        let on_subject = index.count_of(subject) + on_subject.messages;
        let why = if exceeds(index.len() + checks.messages, config.max_msgs) {
            "maximum messages exceeded"
        } else if exceeds(index.bytes() + checks.bytes, config.max_bytes) {
            "maximum bytes exceeded"
        } else if config.discard_new_per_subject
            && parsed.rollup.is_none()
            && exceeds(on_subject, config.max_msgs_per_subject)
        {
            "maximum messages per subject exceeded"
        } else {
            return Ok(());
        };
        Err(ApiError::with(&error::STREAM_STORE_FAILED, why))
    }
}
