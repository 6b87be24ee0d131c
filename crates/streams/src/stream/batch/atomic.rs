//! Atomic batches (E93): members wait in memory; at the commit all are checked as if each came alone and
//! then stored in one piece, or none is.

use std::borrow::Cow;

use super::checks::Checks;
use super::{BATCH_BYTES_MAX, BatchLimits, ID_BYTES_MAX, Offered};
use crate::api::advisory::BatchAbandoned;
use crate::config::is_level_met;
use crate::error::{self, ApiError};
use crate::stream::conditions::{Lifetime, Rollup};
use crate::stream::ingest::{Draft, Later};
use crate::stream::publish_headers::{with, without};
use crate::stream::{Env, Messages, NewMessage, PublishHeaders, Stream, store_failed};

/// An open batch.
#[derive(Debug, Default)]
pub(super) struct Staged {
    members: Vec<Member>,
    pub(super) bytes: u64,
    pub(super) end_ns: i64,
}

#[derive(Debug)]
struct Member {
    subject: Box<[u8]>,
    headers: Box<[u8]>,
    payload: Box<[u8]>,
}

/// What became of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Atomic {
    /// It waits for the commit.
    Staged,
    /// It was the commit: the last sequence, and how many were stored.
    Committed(u64, u64),
    /// Its batch is refused; who else is told why.
    Refused(ApiError, Option<BatchAbandoned>),
}

/// How a batch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Commit {
    /// With this message.
    Last,
    /// Before this message, which is not stored.
    Before,
}

impl Commit {
    /// Reads `Nats-Batch-Commit`; an error where it makes no sense.
    fn parse(text: Option<&str>) -> Result<Option<Self>, ()> {
        match text {
            None => Ok(None),
            Some("1") => Ok(Some(Self::Last)),
            Some("eob") => Ok(Some(Self::Before)),
            Some(_) => Err(()),
        }
    }
}

fn too_large(limits: &BatchLimits) -> ApiError {
    ApiError::with(&error::ATOMIC_PUBLISH_TOO_LARGE_BATCH, limits.messages_max)
}

impl Stream {
    /// Takes a member of an atomic batch. `open` batches there are in all streams.
    pub(crate) fn publish_atomic(
        &mut self,
        env: &mut Env<'_>,
        limits: &BatchLimits,
        open: usize,
        id: &str,
        offered: Offered<'_>,
    ) -> Atomic {
        match self.try_atomic(env, limits, open, id, offered) {
            Ok(taken) => taken,
            Err((error, abandoned)) => Atomic::Refused(error, abandoned),
        }
    }

    fn try_atomic(
        &mut self,
        env: &mut Env<'_>,
        limits: &BatchLimits,
        open: usize,
        id: &str,
        offered: Offered<'_>,
    ) -> Result<Atomic, (ApiError, Option<BatchAbandoned>)> {
        let refuse = |kind| Err((ApiError::new(kind), None));
        self.check_offered(env, offered)
            .map_err(|error| (error, None))?;
        if !self.config.allow_atomic {
            return refuse(&error::ATOMIC_PUBLISH_DISABLED);
        }
        if id.len() > ID_BYTES_MAX {
            return refuse(&error::ATOMIC_PUBLISH_INVALID_BATCH_ID);
        }
        let parsed = PublishHeaders::parse(offered.headers);
        let place = parsed.batch_sequence.map(str::parse::<u64>);
        let Some(Ok(place)) = place else {
            return refuse(&error::ATOMIC_PUBLISH_MISSING_SEQ);
        };
        let commit = Commit::parse(parsed.batch_commit);
        let counted = match commit {
            Ok(Some(Commit::Before)) => place.saturating_sub(1),
            _ => place,
        };
        let is_too_large = counted > limits.messages_max;
        self.open_atomic(limits, open, id, place, is_too_large)
            .map_err(|error| (error, None))?;
        let Ok(commit) = commit else {
            self.batches.remove_atomic(id);
            return refuse(&error::ATOMIC_PUBLISH_INVALID_BATCH_COMMIT);
        };
        let staged = match parsed.required_api_level {
            Some(level) if !is_level_met(level) => {
                let error = ApiError::new(&error::REQUIRED_API_LEVEL);
                Err((error, BatchAbandoned::Unsupported))
            }
            _ if is_too_large => Err((too_large(limits), BatchAbandoned::Large)),
            _ => self.stage(env.now_ns, limits, id, place, commit, offered),
        };
        if let Err((error, why)) = staged {
            self.batches.remove_atomic(id);
            return Err((error, Some(why)));
        }
        let Some(commit) = commit else {
            return Ok(Atomic::Staged);
        };
        let batch = self.batches.remove_atomic(id).unwrap_or_default();
        let committed = self.commit(env, batch, commit);
        committed
            .map(|(last, count)| Atomic::Committed(last, count))
            .map_err(|error| (error, None))
    }

    /// Opens a batch, if it is not open yet.
    fn open_atomic(
        &mut self,
        limits: &BatchLimits,
        open: usize,
        id: &str,
        place: u64,
        is_too_large: bool,
    ) -> Result<(), ApiError> {
        let batches = &mut self.batches.atomic;
        if batches.contains_key(id) {
            return Ok(());
        }
        if place != 1 {
            return Err(match is_too_large {
                true => too_large(limits),
                false => ApiError::new(&error::ATOMIC_PUBLISH_INCOMPLETE_BATCH),
            });
        }
        if batches.len() >= limits.atomic_per_stream || open >= limits.atomic_in_all {
            return Err(ApiError::new(&error::ATOMIC_PUBLISH_TOO_MANY_INFLIGHT));
        }
        batches.insert(id.into(), Staged::default());
        Ok(())
    }

    /// What is looked at before anything of a batch.
    pub(super) fn check_offered(
        &self,
        env: &Env<'_>,
        offered: Offered<'_>,
    ) -> Result<(), ApiError> {
        let Offered {
            subject,
            headers,
            payload,
        } = offered;
        if self.config.sealed {
            return Err(ApiError::new(&error::STREAM_SEALED));
        }
        let size = self
            .messages
            .size_of(subject.len(), headers.len(), payload.len());
        env.room.check(size)?;
        let max = usize::try_from(self.config.max_msg_size);
        if max.is_ok_and(|max| headers.len() + payload.len() > max) {
            return Err(ApiError::new(&error::STREAM_MESSAGE_EXCEEDS_MAXIMUM));
        }
        Ok(())
    }

    /// Puts a member behind the others of its batch.
    fn stage(
        &mut self,
        now_ns: i64,
        limits: &BatchLimits,
        id: &str,
        place: u64,
        commit: Option<Commit>,
        offered: Offered<'_>,
    ) -> Result<(), (ApiError, BatchAbandoned)> {
        let incomplete = || {
            let error = ApiError::new(&error::ATOMIC_PUBLISH_INCOMPLETE_BATCH);
            (error, BatchAbandoned::Incomplete)
        };
        let Some(batch) = self.batches.atomic.get_mut(id) else {
            return Err(incomplete());
        };
        let ends_empty = place == 1 && commit == Some(Commit::Before);
        let is_late = batch.end_ns > 0 && batch.end_ns <= now_ns;
        if batch.members.len() as u64 + 1 != place || ends_empty || is_late {
            return Err(incomplete());
        }
        batch.end_ns = now_ns.saturating_add(limits.timeout_ns);
        if commit == Some(Commit::Before) {
            return Ok(());
        }
        let headers = match PublishHeaders::parse(offered.headers).required_api_level {
            Some(_) => without(offered.headers, "Nats-Required-Api-Level").into(),
            None => offered.headers.into(),
        };
        let member = Member {
            subject: offered.subject.into(),
            headers,
            payload: offered.payload.into(),
        };
        let bytes = member.subject.len() + member.headers.len() + member.payload.len();
        let bytes = bytes as u64;
        if batch.bytes + bytes > BATCH_BYTES_MAX {
            let size = format!("more than {BATCH_BYTES_MAX} bytes");
            let error = ApiError::with(&error::ATOMIC_PUBLISH_TOO_LARGE_BATCH, size);
            return Err((error, BatchAbandoned::Large));
        }
        if self.batches.bytes + bytes > limits.bytes_per_stream {
            let error = ApiError::new(&error::ATOMIC_PUBLISH_TOO_MANY_INFLIGHT);
            return Err((error, BatchAbandoned::Large));
        }
        batch.members.push(member);
        batch.bytes += bytes;
        let end_ns = batch.end_ns;
        self.batches.bytes += bytes;
        self.batches.wait_until(end_ns);
        Ok(())
    }

    /// Checks all members, and stores all of them or none. The last sequence, and how many there are.
    fn commit(
        &mut self,
        env: &mut Env<'_>,
        mut batch: Staged,
        commit: Commit,
    ) -> Result<(u64, u64), ApiError> {
        if commit == Commit::Before
            && let Some(last) = batch.members.last_mut()
        {
            last.headers = with(&last.headers, "Nats-Batch-Commit", "1").into();
        }
        let mut checks = Checks::default();
        let mut checked = Vec::with_capacity(batch.members.len());
        for member in &batch.members {
            let parsed = PublishHeaders::parse(&member.headers);
            let mut draft = Draft {
                subject: self.renamed(&member.subject, env.chance),
                headers: Cow::Borrowed(&*member.headers),
                payload: Cow::Borrowed(&*member.payload),
            };
            if parsed.has_request_info {
                draft.headers = without(&draft.headers, "Nats-Request-Info").into();
            }
            let rollup = self.check_member(env, &mut checks, &parsed, &mut draft)?;
            let lifetime = self.at_least_marker_ttl(Lifetime::parse(parsed.ttl)?, &mut draft);
            checked.push((draft, rollup, lifetime));
        }
        env.room.check(checks.bytes())?;
        self.store_checked(env, &checked)
    }

    fn store_checked(
        &mut self,
        env: &mut Env<'_>,
        checked: &[(Draft<'_>, Rollup, Lifetime)],
    ) -> Result<(u64, u64), ApiError> {
        let first = self.last_sequence() + 1;
        let last = self.last_sequence() + checked.len() as u64;
        let parsed: Vec<PublishHeaders<'_>> = checked
            .iter()
            .map(|(draft, ..)| PublishHeaders::parse(&draft.headers))
            .collect();
        let members = checked.iter().zip(&parsed).zip(first..);
        let messages: Vec<(NewMessage<'_>, Rollup)> = members
            .filter(|(((draft, ..), _), _)| !self.is_unwanted(&draft.subject))
            .map(|(((draft, rollup, _), parsed), sequence)| {
                let message = NewMessage {
                    sequence,
                    time_ns: env.now_ns,
                    flags: Messages::flags_of(parsed),
                    subject: &draft.subject,
                    headers: &draft.headers,
                    payload: &draft.payload,
                };
                (message, *rollup)
            })
            .collect();
        self.append_rolling(env.journal, &messages)
            .map_err(|refused| store_failed(&refused))?;
        if messages.len() < checked.len() {
            self.messages.index.pass(last, env.now_ns);
            self.skipped = true;
            if !self.messages.is_on_file() {
                self.messages.show_up_to(last);
            }
        }
        let mut later = Later::default();
        for (message, _) in &messages {
            later.add(message.subject, self.messages.size_of_new(message));
        }
        let mut stored = messages.iter().peekable();
        for (((draft, rollup, lifetime), parsed), sequence) in
            checked.iter().zip(&parsed).zip(first..)
        {
            if let Some((message, _)) = stored.next_if(|(message, _)| message.sequence == sequence)
            {
                later.remove(message.subject, self.messages.size_of_new(message));
            }
            if self.messages.index.get(sequence).is_none() {
                self.remember(env, parsed, sequence);
                continue;
            }
            self.stored(env, draft, parsed, sequence, *lifetime);
            self.make_way(&draft.subject, sequence, *rollup, &later);
            self.purge_schedule_of(parsed);
        }
        Ok((last, checked.len() as u64))
    }
}
