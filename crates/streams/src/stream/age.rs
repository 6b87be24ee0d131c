//! Time's part in retention: the stream's own age limit, lifetimes of single messages, and the markers that
//! say that a subject's last message is gone (E58, E84, ADR-43).

use super::conditions::Lifetime;
use super::ingest::Origin;
use super::{Env, Stream, kinds};
use crate::consumer::{Leaving, Read};
use crate::time::format_duration;

/// Messages that one call removes at the most.
const EXPIRE_MAX: usize = 10_000;
/// Ends of messages that are gone which are kept at least.
const EXPIRIES_SPARE: u64 = 64;

impl Stream {
    /// When something is next to be done because of time.
    pub(crate) fn next_expiry(&self) -> Option<i64> {
        let age = self
            .oldest_time()
            .map(|time_ns| time_ns.saturating_add(self.config.max_age));
        let own = self.expiries.first().map(|(end, _)| *end);
        // Ids are forgotten with each message that has one; here, when no more of those come.
        let ids = self.dedupe.end(self.config.duplicate_window);
        age.into_iter().chain(own).chain(ids).min()
    }

    /// When the oldest message that can become too old was stored.
    fn oldest_time(&self) -> Option<i64> {
        if self.config.max_age <= 0 || self.config.sealed {
            return None;
        }
        let index = &self.messages.index;
        let sequence = index.next(self.age_from)?;
        index.get(sequence).map(|meta| meta.time_ns)
    }

    /// A message has an end of its own.
    pub(super) fn note_end(&mut self, end_ns: i64, sequence: u64) {
        self.expiries.insert((end_ns, sequence));
        // Ends of those that went before them would stay as long as they were to live.
        let index = &self.messages.index;
        if self.expiries.len() as u64 > 2 * index.len() + EXPIRIES_SPARE {
            self.expiries
                .retain(|(_, sequence)| index.get(*sequence).is_some());
        }
    }

    /// Messages whose end is known.
    #[cfg(test)]
    pub(crate) fn ends_known(&self) -> usize {
        self.expiries.len()
    }

    /// Removes what is too old; whether there may be more.
    pub(crate) fn expire(&mut self, env: &mut Env<'_>) -> bool {
        self.dedupe.expire(env.now_ns, self.config.duplicate_window);
        let mut left = EXPIRE_MAX;
        let horizon = env.now_ns.saturating_sub(self.config.max_age);
        while left > 0 && self.oldest_time().is_some_and(|time_ns| time_ns <= horizon) {
            left -= 1;
            let Some(sequence) = self.messages.index.next(self.age_from) else {
                break;
            };
            self.age_from = sequence + 1;
            if !self.lives_for_ever(env, sequence) {
                self.expire_one(env, sequence);
            }
        }
        while left > 0
            && self
                .expiries
                .first()
                .is_some_and(|(end, _)| *end <= env.now_ns)
        {
            left -= 1;
            if let Some((_, sequence)) = self.expiries.pop_first() {
                self.expire_own(env, sequence);
            }
        }
        left == 0
    }

    /// Whether a message said that it never expires.
    fn lives_for_ever(&mut self, env: &mut Env<'_>, sequence: u64) -> bool {
        let meta = self.messages.index.get(sequence);
        if meta.is_none_or(|meta| meta.flags & kinds::HAS_TTL == 0) {
            return false;
        }
        match self.messages.read(env.journal, sequence) {
            Read::Message(message) => {
                let ttl = recado_wire::Headers::new(message.headers).get("Nats-TTL");
                Lifetime::parse(ttl) == Ok(Lifetime::Never)
            }
            _ => false,
        }
    }

    /// Removes a message whose own lifetime is over. It may be one in the middle: where there are limits that is
    /// written down, for counted when the log is read it would make them take others.
    fn expire_own(&mut self, env: &mut Env<'_>, sequence: u64) {
        let config = &self.config;
        let has_limits =
            config.max_msgs > 0 || config.max_bytes > 0 || config.max_msgs_per_subject > 1;
        if self.leave_marker(env, sequence) {
            return;
        }
        if has_limits {
            self.remove_settled(&[sequence]);
        } else {
            self.take_out(sequence, Leaving::Alone);
        }
    }

    /// Removes a message whose time is over: the oldest.
    fn expire_one(&mut self, env: &mut Env<'_>, sequence: u64) {
        if !self.leave_marker(env, sequence) {
            self.take_out(sequence, Leaving::Alone);
        }
    }

    /// If a message whose time is over was the last of its subject, a marker may take its place, and takes it along.
    fn leave_marker(&mut self, env: &mut Env<'_>, sequence: u64) -> bool {
        let Some(meta) = self.messages.index.get(sequence) else {
            return false;
        };
        let subject = self.messages.index.subject(meta.subject).to_vec();
        let marks = self.config.subject_delete_marker_ttl > 0
            && self.messages.index.last_of(&subject) == Some(sequence)
            && !self.is_marker(env, sequence);
        if !marks {
            return false;
        }
        let ttl = format_duration(self.config.subject_delete_marker_ttl);
        let headers = format!(
            "NATS/1.0\r\nNats-Marker-Reason: MaxAge\r\nNats-TTL: {ttl}\r\nNats-Rollup: sub\r\n\r\n"
        );
        let stored = self.publish(env, Origin::Server, &subject, headers.as_bytes(), b"");
        stored.is_ok()
    }

    fn is_marker(&mut self, env: &mut Env<'_>, sequence: u64) -> bool {
        match self.messages.read(env.journal, sequence) {
            Read::Message(message) => {
                let headers = recado_wire::Headers::new(message.headers);
                headers.get("Nats-Marker-Reason").is_some()
            }
            _ => false,
        }
    }
}
