//! A message's way into a stream: conditions, dedupe, limits, the log, retention. In the order in which
//! nats-server decides, so that the same message gets the same answer.

mod mirrored;

use std::borrow::Cow;
use std::collections::BTreeMap;

use recado_log::Refused;

use super::conditions::{Lifetime, Rollup};
use super::publish_headers::{with, without};
use super::{Env, NewMessage, PublishHeaders, Stream};
use crate::config::{Discard, Retention};
use crate::consumer::Leaving;
use crate::error::{self, ApiError};

/// Bytes of headers that a message may have (E96).
pub(super) const HEADERS_BYTES_MAX: usize = u16::MAX as usize;
/// Bytes of a stored message, as nats-server's file store takes them (E96).
pub(super) const RECORD_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// The last sequence that is given out: so that the one after it is a number, too.
pub(crate) const SEQUENCE_MAX: u64 = u64::MAX - 1;

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// It is stored under this sequence once the batch is durable.
    Stored(u64),
    /// Its id was stored before, under this sequence.
    Duplicate(u64),
    /// A counter has this value now.
    Counted(u64, String),
}

/// A message as it came, or as it was changed on its way in.
pub(super) struct Draft<'a> {
    pub(super) subject: Cow<'a, [u8]>,
    pub(super) headers: Cow<'a, [u8]>,
    pub(super) payload: Cow<'a, [u8]>,
}

/// Where a message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A client.
    Client,
    /// The stream itself, a schedule: conditions were judged elsewhere.
    Server,
    /// A source, whose stream judged the conditions.
    Source,
}

/// What is decided on a message before anything changes.
enum Judged<'a> {
    /// Its id was stored before, under this sequence.
    Duplicate(u64),
    /// Nobody is interested in its subject.
    Unwanted(Cow<'a, [u8]>),
    /// It may be stored.
    Fit(Fit<'a>),
}

/// A message that may be stored, and how.
struct Fit<'a> {
    draft: Draft<'a>,
    lifetime: Lifetime,
    rollup: Rollup,
    /// What a counter comes to.
    value: Option<String>,
}

/// Messages of the same batch that are in the index already, and whose turn has not come: until then they push
/// nothing out.
#[derive(Debug, Default)]
pub(super) struct Later<'a> {
    messages: u64,
    bytes: u64,
    on_subject: BTreeMap<&'a [u8], u64>,
}

impl<'a> Later<'a> {
    /// One more, of so many bytes.
    pub(super) fn add(&mut self, subject: &'a [u8], bytes: u64) {
        self.messages += 1;
        self.bytes += bytes;
        *self.on_subject.entry(subject).or_default() += 1;
    }

    /// Its turn has come.
    pub(super) fn remove(&mut self, subject: &[u8], bytes: u64) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        if let Some(count) = self.on_subject.get_mut(subject) {
            *count = count.saturating_sub(1);
        }
    }
}

/// What would become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foretold {
    /// It would be stored.
    Stored,
    /// Its id was stored before.
    Duplicate,
    /// Nobody is interested: it would get a sequence, and be gone.
    Unwanted,
}

impl Stream {
    /// Takes a message in.
    ///
    /// # Errors
    /// What the publisher is told; nothing was stored then.
    pub(crate) fn publish(
        &mut self,
        env: &mut Env<'_>,
        origin: Origin,
        subject: &[u8],
        headers: &[u8],
        payload: &[u8],
    ) -> Result<Accepted, ApiError> {
        let parsed;
        let parsed = if headers.is_empty() {
            PublishHeaders::none()
        } else {
            parsed = PublishHeaders::parse(headers);
            &parsed
        };
        let draft = self.draft(env, subject, headers, payload);
        match self.judge(env, origin, draft, parsed)? {
            Judged::Duplicate(sequence) => Ok(Accepted::Duplicate(sequence)),
            Judged::Unwanted(_) => self.skip(env, parsed),
            Judged::Fit(fit) => self.take(env, fit, parsed),
        }
    }

    /// What would become of a client's message, without taking it in: the subject that it would be stored under, and
    /// whether it would be stored.
    ///
    /// # Errors
    /// What its publisher would be told.
    pub(crate) fn foretell(
        &mut self,
        env: &mut Env<'_>,
        subject: &[u8],
        headers: &[u8],
        payload: &[u8],
    ) -> Result<(Vec<u8>, Foretold), ApiError> {
        let parsed = PublishHeaders::parse(headers);
        let draft = self.draft(env, subject, headers, payload);
        Ok(match self.judge(env, Origin::Client, draft, &parsed)? {
            Judged::Duplicate(_) => (subject.to_vec(), Foretold::Duplicate),
            Judged::Unwanted(subject) => (subject.into_owned(), Foretold::Unwanted),
            Judged::Fit(fit) => {
                self.check_limits(&fit.draft, &parsed)?;
                (fit.draft.subject.into_owned(), Foretold::Stored)
            }
        })
    }

    /// A message as it is when it enters, under the subject that the stream gives it.
    fn draft<'a>(
        &self,
        env: &Env<'_>,
        subject: &'a [u8],
        headers: &'a [u8],
        payload: &'a [u8],
    ) -> Draft<'a> {
        Draft {
            subject: self.renamed(subject, env.chance),
            headers: Cow::Borrowed(headers),
            payload: Cow::Borrowed(payload),
        }
    }

    /// Decides on a message. Nothing changes yet.
    fn judge<'a>(
        &mut self,
        env: &mut Env<'_>,
        origin: Origin,
        mut draft: Draft<'a>,
        parsed: &PublishHeaders<'_>,
    ) -> Result<Judged<'a>, ApiError> {
        let has_headers = !draft.headers.is_empty();
        let size = self.size_of(&draft);
        if self.messages.is_on_file() && size > RECORD_BYTES_MAX {
            return Err(ApiError::with(
                &error::STREAM_STORE_FAILED,
                "message too large",
            ));
        }
        if self.config.sealed {
            return Err(ApiError::new(&error::STREAM_SEALED));
        }
        self.check_size(&draft)?;
        if self.last_sequence() >= SEQUENCE_MAX {
            let why = "no sequence is left";
            return Err(ApiError::with(&error::STREAM_STORE_FAILED, why));
        }
        if parsed.has_request_info {
            draft.headers = without(&draft.headers, "Nats-Request-Info").into();
        }
        let mut rollup = Rollup::None;
        let mut increment = None;
        if has_headers {
            if origin == Origin::Client {
                increment = self.increment(parsed, &draft.payload)?;
                self.check_expectations(parsed, &draft.subject)?;
                self.check_schedule(env, parsed, &mut draft, |_| None)?;
                if parsed.stream_source.is_some() {
                    return Err(ApiError::new(&error::MESSAGE_SOURCE_HDR_NOT_ALLOWED));
                }
            }
            if let Some(sequence) = self.known_duplicate(env, parsed) {
                return Ok(Judged::Duplicate(sequence));
            }
            self.check_last_id(parsed)?;
            rollup = if origin == Origin::Client {
                self.rollup(parsed)?
            } else {
                self.rollup(parsed).unwrap_or(Rollup::None)
            };
            if parsed.schedule.is_some() && origin == Origin::Client {
                rollup = Rollup::Subject;
            }
        }
        let mut value = None;
        if origin == Origin::Source {
            self.count_sourced(env, &mut draft, parsed)?;
        } else if self.config.allow_msg_counter && increment.is_none() && origin == Origin::Client {
            return Err(ApiError::new(&error::MESSAGE_INCR_MISSING));
        }
        if let Some(increment) = increment {
            value = Some(self.count_up(env, &mut draft, &increment)?);
        }
        // It may have grown: a counter's sum, a schedule's rollup.
        self.check_size(&draft)?;
        env.room.check(size)?;
        if self.is_unwanted(&draft.subject) {
            return Ok(Judged::Unwanted(draft.subject));
        }
        let lifetime = match origin {
            // A source's stream may know lifetimes where this one does not.
            Origin::Source if !self.config.allow_msg_ttl => Lifetime::Default,
            _ => Lifetime::parse(parsed.ttl)?,
        };
        let lifetime = self.at_least_marker_ttl(lifetime, &mut draft);
        Ok(Judged::Fit(Fit {
            draft,
            lifetime,
            rollup,
            value,
        }))
    }

    /// Takes in a message that was found fit.
    fn take(
        &mut self,
        env: &mut Env<'_>,
        fit: Fit<'_>,
        parsed: &PublishHeaders<'_>,
    ) -> Result<Accepted, ApiError> {
        let Fit {
            draft,
            lifetime,
            rollup,
            value,
        } = fit;
        let sequence = self.store(env, &draft, parsed, lifetime, rollup)?;
        self.make_way(&draft.subject, sequence, rollup, &Later::default());
        self.purge_schedule_of(parsed);
        Ok(match value {
            Some(value) => Accepted::Counted(sequence, value),
            None => Accepted::Stored(sequence),
        })
    }

    pub(super) fn renamed<'a>(&self, subject: &'a [u8], chance: u32) -> Cow<'a, [u8]> {
        let renamed = self
            .input_transform
            .as_ref()
            .and_then(|transform| transform.apply(subject, chance));
        renamed.map_or(Cow::Borrowed(subject), Cow::Owned)
    }

    /// The sequence of the message with the same id, if that is in the window (E85).
    pub(super) fn known_duplicate(
        &mut self,
        env: &Env<'_>,
        parsed: &PublishHeaders<'_>,
    ) -> Option<u64> {
        let id = parsed.message_id?;
        if self.config.mirror.is_some() {
            return None;
        }
        self.dedupe.expire(env.now_ns, self.config.duplicate_window);
        self.dedupe.find(id)
    }

    /// Bytes that a message counts for.
    fn size_of(&self, draft: &Draft<'_>) -> u64 {
        self.messages.size_of(
            draft.subject.len(),
            draft.headers.len(),
            draft.payload.len(),
        )
    }

    pub(super) fn check_size(&self, draft: &Draft<'_>) -> Result<(), ApiError> {
        let max = self.config.max_msg_size;
        let size = draft.headers.len() + draft.payload.len();
        if usize::try_from(max).is_ok_and(|max| size > max) {
            return Err(ApiError::new(&error::STREAM_MESSAGE_EXCEEDS_MAXIMUM));
        }
        if draft.headers.len() > HEADERS_BYTES_MAX {
            return Err(ApiError::new(&error::STREAM_HEADER_EXCEEDS_MAXIMUM));
        }
        Ok(())
    }

    /// Whether nobody waits for messages on this subject, and none stays without.
    pub(super) fn is_unwanted(&self, subject: &[u8]) -> bool {
        self.config.retention == Retention::Interest && !self.has_interest(subject)
    }

    /// Whether a consumer waits for messages on this subject (E82).
    pub(super) fn has_interest(&self, subject: &[u8]) -> bool {
        let mut all = self.consumers.values();
        all.any(|slot| slot.consumer.matches_subject(subject))
    }

    /// Nobody is interested: the message gets its sequence, and is gone.
    fn skip(
        &mut self,
        env: &mut Env<'_>,
        parsed: &PublishHeaders<'_>,
    ) -> Result<Accepted, ApiError> {
        let sequence = self.last_sequence() + 1;
        let index = &self.messages.index;
        let first = if index.is_empty() {
            sequence + 1
        } else {
            index.first_sequence()
        };
        // With the batch would be too late: a log that is full then takes nothing, and nothing waits for it.
        self.write_state(env.journal, (first, sequence))
            .map_err(|refused| store_failed(&refused))?;
        self.messages.index.pass(sequence, env.now_ns);
        // On file, what came before it may not be durable yet.
        if !self.messages.is_on_file() {
            self.messages.show_up_to(sequence);
        }
        self.remember(env, parsed, sequence);
        Ok(Accepted::Stored(sequence))
    }

    pub(super) fn remember(&mut self, env: &Env<'_>, parsed: &PublishHeaders<'_>, sequence: u64) {
        let id = parsed.message_id.unwrap_or_default();
        if id.is_empty() {
            if !self.last_message_id.is_empty() {
                self.last_message_id = Box::default();
            }
            return;
        }
        self.dedupe.remember(id, sequence, env.now_ns);
        if *self.last_message_id != *id {
            self.last_message_id = id.into();
        }
    }

    /// A message must not outlive a marker that says its subject was deleted: not shorter than that (E84).
    pub(super) fn at_least_marker_ttl(
        &self,
        lifetime: Lifetime,
        draft: &mut Draft<'_>,
    ) -> Lifetime {
        let floor = self.config.subject_delete_marker_ttl / 1_000_000_000;
        match lifetime {
            Lifetime::Seconds(seconds)
                if seconds < floor && self.config.max_msgs_per_subject != 1 =>
            {
                let rest = without(&draft.headers, "Nats-TTL");
                draft.headers = with(&rest, "Nats-TTL", &floor.to_string()).into();
                Lifetime::Seconds(floor)
            }
            other => other,
        }
    }

    fn store(
        &mut self,
        env: &mut Env<'_>,
        draft: &Draft<'_>,
        parsed: &PublishHeaders<'_>,
        lifetime: Lifetime,
        rollup: Rollup,
    ) -> Result<u64, ApiError> {
        self.check_limits(draft, parsed)?;
        let sequence = self.last_sequence() + 1;
        let message = NewMessage {
            sequence,
            time_ns: env.now_ns,
            flags: super::Messages::flags_of(parsed),
            subject: &draft.subject,
            headers: &draft.headers,
            payload: &draft.payload,
        };
        self.append_rolling(env.journal, &[(message, rollup)])
            .map_err(|refused| store_failed(&refused))?;
        self.stored(env, draft, parsed, sequence, lifetime);
        Ok(sequence)
    }

    /// What follows once a message is in the index.
    pub(super) fn stored(
        &mut self,
        env: &Env<'_>,
        draft: &Draft<'_>,
        parsed: &PublishHeaders<'_>,
        sequence: u64,
        lifetime: Lifetime,
    ) {
        self.note_schedule(env.now_ns, &draft.subject, parsed, sequence);
        if !self.messages.is_on_file() {
            self.messages.show_up_to(sequence);
        }
        self.note_republished(sequence, env.chance);
        if let Lifetime::Seconds(seconds) = lifetime {
            let end = env
                .now_ns
                .saturating_add(seconds.saturating_mul(1_000_000_000));
            self.note_end(end, sequence);
        }
        self.remember(env, parsed, sequence);
    }

    /// Whether a message may come although that fills the stream (E59, E197). Only where new ones are refused.
    fn check_limits(&self, draft: &Draft<'_>, parsed: &PublishHeaders<'_>) -> Result<(), ApiError> {
        let config = &self.config;
        if config.discard != Discard::New {
            return Ok(());
        }
        let refuse = |text: &'static str| Err(ApiError::with(&error::STREAM_STORE_FAILED, text));
        let index = &self.messages.index;
        let per_subject = config.max_msgs_per_subject;
        let oldest_gives_way =
            per_subject > 0 && index.count_of(&draft.subject) >= per_subject.unsigned_abs();
        if oldest_gives_way && config.discard_new_per_subject && parsed.rollup.is_none() {
            return refuse("maximum messages per subject exceeded");
        }
        if config.max_msgs > 0 && index.len() >= config.max_msgs.unsigned_abs() && !oldest_gives_way
        {
            return refuse("maximum messages exceeded");
        }
        let size = self.size_of(draft);
        if config.max_bytes > 0 && index.bytes() + size > config.max_bytes.unsigned_abs() {
            let oldest = index.first_of(&draft.subject).and_then(|at| index.get(at));
            let freed = oldest.map_or(0, |meta| u64::from(meta.size));
            if !oldest_gives_way || freed < size {
                return refuse("maximum bytes exceeded");
            }
        }
        Ok(())
    }

    /// A message came: takes away what is too much (E80), and then what it rolls up. In this order, as nats-server has
    /// it, a rollup into a full stream pushes the oldest out although it makes room itself.
    pub(super) fn make_way(
        &mut self,
        subject: &[u8],
        sequence: u64,
        rollup: Rollup,
        later: &Later<'_>,
    ) {
        let before = self.messages.index.first_sequence();
        let on_subject = later.on_subject.get(subject).copied().unwrap_or(0);
        self.enforce_subject_limit(subject, on_subject);
        self.enforce_totals(later);
        let first = self.messages.index.first_sequence();
        if rollup != Rollup::None && first > before && self.messages.is_on_file() {
            // When the log is read what was rolled up is gone first, and nothing is too much.
            self.note_skipped();
        }
        self.roll_up(rollup, subject, sequence);
    }

    /// Takes away the oldest of a subject until there are no more than it may have; `later` ones do not count yet.
    pub(super) fn enforce_subject_limit(&mut self, subject: &[u8], later: u64) {
        let per_subject = self.config.max_msgs_per_subject;
        if per_subject > 0 {
            let max = per_subject.unsigned_abs().saturating_add(later);
            while self.messages.index.count_of(subject) > max {
                let Some(oldest) = self.messages.index.first_of(subject) else {
                    break;
                };
                self.take_out(oldest, Leaving::Alone);
                self.note_evicted(oldest);
            }
        }
    }

    /// Takes away the oldest until count and bytes are within their limits. Where subjects have a limit, too, that one
    /// may make room when the log is read that was not there now: so where the stream begins is written with this
    /// batch.
    pub(super) fn enforce_totals(&mut self, later: &Later<'_>) {
        let before = self.messages.index.first_sequence();
        self.take_out_what_is_too_much(later);
        let first = self.messages.index.first_sequence();
        if self.config.max_msgs_per_subject > 0 && first > before && self.messages.is_on_file() {
            self.note_skipped();
        }
    }

    /// Only where the old give way: a stream that refuses new ones keeps what it has, also if its limits became lower.
    fn take_out_what_is_too_much(&mut self, later: &Later<'_>) {
        if self.config.discard != Discard::Old {
            return;
        }
        let limit = |value: i64, later: u64| {
            let limit = u64::try_from(value).ok().filter(|&limit| limit > 0);
            limit.map(|limit| limit.saturating_add(later))
        };
        let messages = limit(self.config.max_msgs, later.messages);
        let bytes = limit(self.config.max_bytes, later.bytes);
        loop {
            let index = &self.messages.index;
            let too_many = messages.is_some_and(|max| index.len() > max)
                || bytes.is_some_and(|max| index.bytes() > max);
            if !too_many || index.is_empty() {
                return;
            }
            let first = index.first_sequence();
            self.take_out(first, Leaving::Alone);
        }
    }

    /// Sequences of all messages on a literal subject, up to `upto`.
    pub(super) fn sequences_on(&self, subject: &[u8], upto: u64) -> Vec<u64> {
        let mut filters = crate::index::Filters::new([subject]);
        let index = &self.messages.index;
        let mut found = Vec::new();
        let mut at = 0;
        loop {
            let mut budget = usize::MAX;
            match index.next_matching(at, upto, &mut filters, &mut budget) {
                crate::index::Scan::Found(sequence) => {
                    found.push(sequence);
                    at = sequence + 1;
                }
                _ => return found,
            }
        }
    }

    /// `Nats-Schedule-Next: purge` ends the schedule that a message names (E95). The message is stored already, so this must
    /// not fail: it is written down with the batch.
    pub(super) fn purge_schedule_of(&mut self, parsed: &PublishHeaders<'_>) {
        if parsed.schedule_next != Some("purge") || !self.config.allow_rollup_hdrs {
            return;
        }
        if let Some(scheduler) = parsed.scheduler {
            let all = self.sequences_on(scheduler.as_bytes(), self.last_sequence());
            self.remove_settled(&all);
        }
    }
}

/// What a publisher is told when the log does not take its message.
pub(crate) fn store_failed(refused: &Refused) -> ApiError {
    ApiError::with(&error::STREAM_STORE_FAILED, refused)
}
