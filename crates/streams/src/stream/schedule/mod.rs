//! Schedules (E95, ADR-51): messages that the stream itself publishes others from, at a moment or again and
//! again. One on each subject; the last one counts.

mod cron;
mod zone;

use std::collections::{BTreeSet, HashMap};

use recado_log::Journal;

use super::conditions::Lifetime;
use super::ingest::{Draft, Origin};
use super::publish_headers::with;
use super::{Env, PublishHeaders, Stream, kinds};
use crate::config::{Retention, is_valid_literal, subjects_overlap};
use crate::consumer::Read;
use crate::error::{self, ApiError};
use crate::time::{SECOND, format_rfc3339, parse_duration, parse_rfc3339};

use cron::Cron;
use zone::Zone;

/// Schedules that fire in one call at the most.
const FIRED_MAX: usize = 1_000;
/// What could not be published is tried again after so long.
const AGAIN_NS: i64 = SECOND;

/// A stream's schedules.
#[derive(Debug, Default)]
pub(crate) struct Schedules {
    /// Sequence and next moment, by subject.
    by_subject: HashMap<Box<[u8]>, (u64, i64)>,
    due: BTreeSet<(i64, Box<[u8]>)>,
    /// Messages came back, or schedules were allowed: they have to be looked for.
    pub(super) stale: bool,
}

impl Schedules {
    /// When the next one is due.
    pub(super) fn deadline(&self) -> Option<i64> {
        if self.stale {
            return Some(i64::MIN);
        }
        self.due.first().map(|(at, _)| *at)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_subject.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, subject: &[u8], sequence: u64, at: i64) {
        self.remove(subject);
        self.by_subject.insert(subject.into(), (sequence, at));
        self.due.insert((at, subject.into()));
    }

    fn remove(&mut self, subject: &[u8]) {
        if let Some((subject, (_, at))) = self.by_subject.remove_entry(subject) {
            self.due.remove(&(at, subject));
        }
    }

    /// The message is gone.
    pub(super) fn message_removed(&mut self, subject: &[u8], sequence: u64) {
        if self
            .by_subject
            .get(subject)
            .is_some_and(|(known, _)| *known == sequence)
        {
            self.remove(subject);
        }
    }

    /// The schedule on this subject fires next at that moment.
    fn postpone(&mut self, subject: &[u8], at: i64) {
        if let Some((sequence, _)) = self.by_subject.get(subject) {
            self.add(subject, *sequence, at);
        }
    }
}

/// When a schedule fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pattern {
    Once(i64),
    Every(i64),
    Cron(Cron),
}

impl Pattern {
    /// Reads a pattern; only cron's mean anything in a zone.
    fn parse(text: &str, has_zone: bool) -> Option<Self> {
        if let Some(time) = text.strip_prefix("@at ") {
            return parse_rfc3339(time).filter(|_| !has_zone).map(Self::Once);
        }
        if let Some(every) = text.strip_prefix("@every ") {
            let every = parse_duration(every)?;
            return (every >= SECOND && !has_zone).then_some(Self::Every(every));
        }
        Cron::parse(text).map(Self::Cron)
    }

    /// The next moment after one: of a schedule that fired or came then. Moments before `now_ns` are skipped.
    fn next_after(&self, time_ns: i64, now_ns: i64, zone: &Zone) -> Option<i64> {
        match self {
            Self::Once(at) => Some(*at),
            Self::Every(every) => {
                let next = rounded(time_ns).saturating_add(*every);
                Some(match next < now_ns {
                    true => rounded(now_ns).saturating_add(*every),
                    false => next,
                })
            }
            Self::Cron(cron) => {
                let next = cron.next_after(time_ns, zone)?;
                match next < now_ns {
                    true => cron.next_after(rounded(now_ns), zone),
                    false => Some(next),
                }
            }
        }
    }
}

/// The nearest whole second.
fn rounded(time_ns: i64) -> i64 {
    (time_ns.saturating_add(SECOND / 2)).div_euclid(SECOND) * SECOND
}

/// The pattern of a message that is a schedule, and its zone.
fn pattern_of(parsed: &PublishHeaders<'_>) -> Result<Option<(Pattern, Zone)>, ApiError> {
    let zone = match parsed.schedule_time_zone {
        None => Zone::utc(),
        Some(name) => Zone::find(name)
            .ok_or_else(|| ApiError::new(&error::MESSAGE_SCHEDULES_TIME_ZONE_INVALID))?,
    };
    let Some(text) = parsed.schedule else {
        return Ok(None);
    };
    let pattern = Pattern::parse(text, parsed.schedule_time_zone.is_some());
    let pattern =
        pattern.ok_or_else(|| ApiError::new(&error::MESSAGE_SCHEDULES_PATTERN_INVALID))?;
    Ok(Some((pattern, zone)))
}

fn refused(kind: &'static error::Kind) -> Result<(), ApiError> {
    Err(ApiError::new(kind))
}

impl Stream {
    /// Whether a message may be a schedule, or end one. `staged` knows of subjects in the same batch whether
    /// their last message is a schedule.
    pub(super) fn check_schedule(
        &mut self,
        env: &mut Env<'_>,
        parsed: &PublishHeaders<'_>,
        draft: &mut Draft<'_>,
        staged: impl Fn(&[u8]) -> Option<bool>,
    ) -> Result<(), ApiError> {
        let allowed = self.config.allow_msg_schedules;
        let disabled = || ApiError::new(&error::MESSAGE_SCHEDULES_DISABLED);
        let pattern =
            pattern_of(parsed).map_err(|error| if allowed { error } else { disabled() })?;
        if let Some((pattern, zone)) = pattern {
            if !allowed {
                return Err(disabled());
            }
            if pattern.next_after(env.now_ns, env.now_ns, &zone).is_none() {
                return refused(&error::MESSAGE_SCHEDULES_PATTERN_INVALID);
            }
            self.check_what_it_makes(parsed, &draft.subject)?;
            match parsed.rollup {
                None => draft.headers = with(&draft.headers, "Nats-Rollup", "sub").into(),
                Some("sub") => {}
                Some(_) => return refused(&error::MESSAGE_SCHEDULES_ROLLUP_INVALID),
            }
        }
        let invalid = &error::MESSAGE_SCHEDULES_SCHEDULER_INVALID;
        let Some(next) = parsed.schedule_next else {
            return match parsed.scheduler {
                Some(_) => refused(invalid),
                None => Ok(()),
            };
        };
        let scheduler = parsed.scheduler.unwrap_or_default();
        let is_subject = is_valid_literal(scheduler);
        let scheduler = scheduler.as_bytes();
        let names_another = scheduler != &*draft.subject && is_subject;
        if next != "purge" || !names_another {
            return refused(invalid);
        }
        if !allowed {
            return Err(disabled());
        }
        let last = self.messages.index.last_of(scheduler);
        let flags = last
            .and_then(|last| self.messages.index.get(last))
            .map(|meta| meta.flags);
        let is_schedule = flags.is_none_or(|flags| flags & kinds::IS_SCHEDULE != 0);
        match staged(scheduler).unwrap_or(is_schedule) {
            true => Ok(()),
            false => refused(invalid),
        }
    }

    /// Whether what a schedule is to publish may be published.
    fn check_what_it_makes(
        &self,
        parsed: &PublishHeaders<'_>,
        subject: &[u8],
    ) -> Result<(), ApiError> {
        if Lifetime::parse(parsed.schedule_ttl).is_err() {
            return refused(&error::MESSAGE_SCHEDULES_TTL_INVALID);
        }
        if parsed.schedule_rollup.is_some_and(|rollup| rollup != "sub") {
            return refused(&error::MESSAGE_SCHEDULES_ROLLUP_INVALID);
        }
        if parsed.schedule_ttl.is_some() && !self.config.allow_msg_ttl {
            return refused(&error::MESSAGE_TTL_DISABLED);
        }
        let is_ours = |one: &str| {
            let mut subjects = self.config.subjects.iter();
            one.as_bytes() != subject
                && is_valid_literal(one)
                && subjects.any(|own| subjects_overlap(own, one))
        };
        let Some(target) = parsed.schedule_target.filter(|target| is_ours(target)) else {
            return refused(&error::MESSAGE_SCHEDULES_TARGET_INVALID);
        };
        let source = parsed.schedule_source;
        if source.is_some_and(|source| source == target || !is_ours(source)) {
            return refused(&error::MESSAGE_SCHEDULES_SOURCE_INVALID);
        }
        Ok(())
    }

    /// What a stored message means for schedules: it is one, it takes the place of one, it was made by one.
    pub(super) fn note_schedule(
        &mut self,
        now_ns: i64,
        subject: &[u8],
        parsed: &PublishHeaders<'_>,
        sequence: u64,
    ) {
        if !self.config.allow_msg_schedules {
            return;
        }
        let next = |(pattern, zone): (Pattern, Zone)| pattern.next_after(now_ns, now_ns, &zone);
        match pattern_of(parsed).ok().flatten().and_then(next) {
            Some(at) => self.schedules.add(subject, sequence, at),
            None if parsed.scheduler.is_none() => self.schedules.remove(subject),
            None => {}
        }
        if let (Some(scheduler), Some(next)) = (parsed.scheduler, parsed.schedule_next)
            && let Some(at) = parse_rfc3339(next)
        {
            self.schedules.postpone(scheduler.as_bytes(), at);
        }
    }

    /// Finds all schedules again. When one fired last is known from what it made; what was missed since then is
    /// made up for once.
    pub(super) fn find_schedules(&mut self, now_ns: i64, journal: &mut dyn Journal) {
        self.schedules.clear();
        if !self.config.allow_msg_schedules {
            return;
        }
        // Where what was made stays, a schedule that made nothing has not fired.
        let stays = self.config.retention == Retention::Limits;
        let wanted = kinds::IS_SCHEDULE | kinds::IS_SCHEDULED;
        let mut at = self.messages.index.next(0);
        while let Some(sequence) = at {
            at = self.messages.index.next(sequence + 1);
            let meta = self.messages.index.get(sequence);
            if meta.is_none_or(|meta| meta.flags & wanted == 0) {
                continue;
            }
            let Read::Message(message) = self.messages.read(journal, sequence) else {
                continue;
            };
            let parsed = PublishHeaders::parse(message.headers);
            if let Ok(Some((pattern, zone))) = pattern_of(&parsed) {
                let skipped_ns = if stays { i64::MIN } else { now_ns };
                let next = pattern.next_after(message.time_ns, skipped_ns, &zone);
                if let Some(next) = next {
                    self.schedules.add(message.subject, sequence, next);
                }
            }
            if let (Some(scheduler), Some(next)) = (parsed.scheduler, parsed.schedule_next)
                && let Some(next) = parse_rfc3339(next)
            {
                self.schedules.postpone(scheduler.as_bytes(), next);
            }
        }
        // A later message on the subject may have ended it.
        let index = &self.messages.index;
        let ended = |subject: &[u8], sequence: u64| index.last_of(subject) != Some(sequence);
        let all = self.schedules.by_subject.iter();
        let over: Vec<Box<[u8]>> = all
            .filter(|(subject, (sequence, _))| ended(subject, *sequence))
            .map(|(subject, _)| subject.clone())
            .collect();
        for subject in over {
            self.schedules.remove(&subject);
        }
    }

    /// Publishes what is due, in the order of the schedules' sequences.
    pub(crate) fn fire_schedules(&mut self, env: &mut Env<'_>) {
        if self.schedules.stale {
            self.find_schedules(env.now_ns, env.journal);
        }
        let due = self.schedules.due.iter().take(FIRED_MAX);
        let due = due.take_while(|(at, _)| *at <= env.now_ns);
        let mut due: Vec<(u64, i64, Box<[u8]>)> = due
            .map(|(at, subject)| {
                let sequence = self.schedules.by_subject.get(subject);
                (
                    sequence.map_or(0, |(sequence, _)| *sequence),
                    *at,
                    subject.clone(),
                )
            })
            .collect();
        due.sort_unstable();
        for (sequence, at, subject) in due {
            let next = self.fire(env, &subject, sequence, at);
            // What was published has said so already, unless nobody wanted it.
            if self.schedules.by_subject.get(&subject) != Some(&(sequence, at)) {
                continue;
            }
            match next {
                Some(next) => self.schedules.postpone(&subject, next),
                None => self.schedules.remove(&subject),
            }
        }
    }

    /// Publishes one; when it is looked at again.
    fn fire(&mut self, env: &mut Env<'_>, subject: &[u8], sequence: u64, at: i64) -> Option<i64> {
        let Read::Message(message) = self.messages.read(env.journal, sequence) else {
            return None;
        };
        let (own_headers, own_payload) = (message.headers.to_vec(), message.payload.to_vec());
        let parsed = PublishHeaders::parse(&own_headers);
        let (pattern, zone) = pattern_of(&parsed).ok()??;
        let target = parsed.schedule_target?;
        let next = match pattern {
            Pattern::Once(_) => None,
            pattern => Some(pattern.next_after(at, env.now_ns, &zone)?),
        };
        let mut headers = bare(&own_headers);
        let mut payload = own_payload;
        let source = parsed.schedule_source.map(str::as_bytes);
        let last = source.and_then(|source| self.messages.index.last_of(source));
        if let Some(last) = last
            && let Read::Message(message) = self.messages.read(env.journal, last)
        {
            headers = bare(message.headers);
            payload = message.payload.to_vec();
        }
        headers = with(
            &headers,
            "Nats-Scheduler",
            &String::from_utf8_lossy(subject),
        );
        let told = next.map_or("purge".to_owned(), format_rfc3339);
        headers = with(&headers, "Nats-Schedule-Next", &told);
        if let Some(ttl) = parsed.schedule_ttl {
            headers = with(&headers, "Nats-TTL", ttl);
        }
        if let Some(rollup) = parsed.schedule_rollup {
            headers = with(&headers, "Nats-Rollup", rollup);
        }
        let made = self.publish(env, Origin::Server, target.as_bytes(), &headers, &payload);
        match (made, next) {
            (Ok(_), next) => {
                if next.is_none() && self.messages.index.get(sequence).is_some() {
                    // Nobody wanted what it made; it has done its work all the same.
                    let _ = self.remove_for_good(env.journal, &[sequence]);
                }
                next
            }
            (Err(_), None) => Some(env.now_ns.saturating_add(AGAIN_NS)),
            (Err(_), next) => next,
        }
    }
}

/// A message's headers without those that are the schedule's own, or would keep a copy from being stored.
fn bare(block: &[u8]) -> Vec<u8> {
    const NAMES: [&[u8]; 3] = [b"Nats-Msg-Id:", b"Nats-TTL:", b"Nats-Rollup:"];
    const PREFIXES: [&[u8]; 2] = [b"Nats-Schedule", b"Nats-Expected-"];
    let is_kept = |line: &&[u8]| {
        let mut all = NAMES.iter().chain(&PREFIXES);
        !all.any(|start| line.starts_with(start))
    };
    let lines = block.split_inclusive(|&byte| byte == b'\n');
    let kept: Vec<&[u8]> = lines.filter(is_kept).collect();
    // Only the first line and the empty one: no headers at all.
    if kept.len() <= 2 {
        Vec::new()
    } else {
        kept.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_694_400 * SECOND;

    fn next(text: &str, from: i64, now: i64) -> Option<i64> {
        let pattern = Pattern::parse(text, false).expect("a pattern");
        pattern.next_after(from, now, &Zone::utc())
    }

    #[test]
    fn what_was_missed_of_a_repeating_schedule_is_skipped_but_for_one() {
        let hour = 3_600 * SECOND;
        assert_eq!(next("@every 1h", NOON, NOON), Some(NOON + hour));
        assert_eq!(
            next("@every 1h", NOON, NOON + 5 * hour),
            Some(NOON + 6 * hour)
        );
        assert_eq!(
            next("@hourly", NOON, NOON + 5 * hour + SECOND),
            Some(NOON + 6 * hour)
        );
        assert_eq!(
            next("@at 2020-01-01T00:00:00Z", NOON, NOON),
            parse_rfc3339("2020-01-01T00:00:00Z")
        );
    }

    #[test]
    fn zones_are_for_cron_and_intervals_take_a_second_at_least() {
        assert_eq!(Pattern::parse("@at 2020-01-01T00:00:00Z", true), None);
        assert_eq!(Pattern::parse("@every 5s", true), None);
        assert!(Pattern::parse("@hourly", true).is_some());
        for wrong in ["@every 999ms", "@every", "@at noon", "@at", "soon"] {
            assert_eq!(Pattern::parse(wrong, false), None, "{wrong}");
        }
    }

    #[test]
    fn a_copy_leaves_the_schedules_own_headers_behind() {
        let block = b"NATS/1.0\r\nNats-Schedule: @hourly\r\nX: 1\r\nNats-Schedule-Target: a\r\nNats-Msg-Id: 1\r\n\r\n";
        assert_eq!(bare(block), b"NATS/1.0\r\nX: 1\r\n\r\n");
        assert_eq!(bare(b"NATS/1.0\r\nNats-Rollup: sub\r\n\r\n"), b"");
        assert_eq!(bare(b""), b"");
    }

    #[test]
    fn the_newest_schedule_of_a_subject_counts() {
        let mut schedules = Schedules::default();
        schedules.add(b"a", 1, 100);
        schedules.add(b"b", 2, 50);
        schedules.add(b"a", 3, 10);
        assert_eq!(schedules.deadline(), Some(10));
        schedules.message_removed(b"a", 1);
        assert_eq!(schedules.deadline(), Some(10));
        schedules.message_removed(b"a", 3);
        assert_eq!(schedules.deadline(), Some(50));
        schedules.postpone(b"b", 70);
        assert_eq!((schedules.deadline(), schedules.due.len()), (Some(70), 1));
    }
}
