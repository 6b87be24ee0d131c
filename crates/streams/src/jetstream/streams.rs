//! What streams have to respect of each other: names, subjects, what the account allows.

use super::JetStream;
use super::common::Sum;
use crate::config::{StreamConfig, Taken, subjects_overlap};
use crate::context::Context;
use crate::error::{self, ApiError};

impl JetStream {
    /// Whether the account allows a stream like this, in place of `old` where that is updated (E231).
    pub(super) fn check_account_limits(
        &self,
        config: &StreamConfig,
        old: Option<&StreamConfig>,
    ) -> Result<(), ApiError> {
        let others = self.streams.values().map(|stream| &stream.config);
        let by_account = others
            .filter(|other| other.storage == config.storage && other.name != config.name)
            .fold(0i64, |sum, other| {
                sum.saturating_add(other.max_bytes.max(0))
            });
        let by_all = self.share.all(Sum::of_reserved(config.storage));
        let taken = Taken {
            by_account,
            by_all: i64::try_from(by_all).unwrap_or(i64::MAX),
            streams: i64::try_from(self.streams.len() - usize::from(old.is_some()))
                .unwrap_or(i64::MAX),
        };
        self.settings.limits.check_room(config, old, &taken)
    }

    /// No subject may be taken in by two streams (10065).
    pub(super) fn check_overlap(&self, config: &StreamConfig) -> Result<(), ApiError> {
        let others = self
            .streams
            .values()
            .filter(|other| other.config.name != config.name);
        for other in others {
            let shared = other.config.subjects.iter().any(|theirs| {
                config
                    .subjects
                    .iter()
                    .any(|ours| subjects_overlap(ours, theirs))
            });
            if shared {
                return Err(ApiError::new(&error::STREAM_SUBJECT_OVERLAP));
            }
        }
        let takes = |subject: &String| self.offline.values().any(|one| one.has_subject(subject));
        if config.subjects.iter().any(takes) {
            return Err(ApiError::new(&error::STREAM_SUBJECT_OVERLAP));
        }
        Ok(())
    }

    /// Gives each of a stream's subjects a sid.
    pub(super) fn enter_subjects(&mut self, id: u32) {
        let Some(stream) = self.streams.get(&id) else {
            return;
        };
        if stream.config.mirror.is_some() {
            return;
        }
        for subject in &stream.config.subjects {
            let sid = format!("{}s{id}.{}", self.sid_prefix, self.next_sid);
            self.next_sid += 1;
            self.subjects.insert(subject.clone(), (sid, id));
        }
    }

    /// Subscribes to a stream's subjects.
    pub(super) fn subscribe_to_subjects(&self, context: &mut Context<'_>, id: u32) {
        let own = self
            .subjects
            .iter()
            .filter(|(_, (_, stream))| *stream == id);
        for (subject, (sid, _)) in own {
            context.out.subscribe(subject.as_bytes(), sid.as_bytes());
        }
    }

    /// Takes back what a stream was subscribed to.
    pub(super) fn leave_subjects(&mut self, context: &mut Context<'_>, id: u32) {
        self.subjects.retain(|_, (sid, stream)| {
            if *stream == id {
                context.out.unsubscribe(sid.as_bytes());
            }
            *stream != id
        });
    }
}
