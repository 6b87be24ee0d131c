//! What an update may change of a stream, and what must stay (E60).

use std::fmt::Display;

use super::limits::Limits;
use super::stream::{Discard, Retention, StreamConfig};
use super::stream_rules::OtherStreams;
use crate::error::{
    ApiError, STREAM_INVALID_CONFIG, STREAM_MIRROR_NOT_UPDATABLE, STREAM_REPLICAS_NOT_SUPPORTED,
    STREAM_UPDATE,
};

fn invalid(text: impl Display) -> ApiError {
    ApiError::with(&STREAM_INVALID_CONFIG, text)
}

impl StreamConfig {
    /// Checks what is wanted in place of `self`, normalises it, and gives what the stream has from now on.
    ///
    /// # Errors
    /// With nats-server's number and text.
    pub fn check_update(
        &self,
        wanted: &Self,
        limits: &Limits,
        others: &dyn OtherStreams,
        pedantic: bool,
    ) -> Result<Self, ApiError> {
        let mut new = wanted.checked(limits, others, pedantic)?;
        if new.name != self.name {
            return Err(invalid("stream configuration name must match original"));
        }
        if new.num_replicas > 1 {
            return Err(ApiError::new(&STREAM_REPLICAS_NOT_SUPPORTED));
        }
        self.check_what_must_stay(&new)?;
        new.check_filters_of_sources(&STREAM_UPDATE)?;
        if new.sealed {
            new.max_age = 0;
            new.discard = Discard::New;
            new.deny_delete = true;
            new.deny_purge = true;
            new.allow_rollup_hdrs = false;
        }
        new.set_required_level();
        Ok(new)
    }

    fn check_what_must_stay(&self, new: &Self) -> Result<(), ApiError> {
        let queue = Retention::WorkQueue;
        let queued = (self.retention == queue) != (new.retention == queue);
        for (wrong, text) in [
            (
                new.storage != self.storage,
                "stream configuration update can not change storage type",
            ),
            (
                queued,
                "stream configuration update can not change retention policy to/from workqueue",
            ),
            (
                self.sealed && !new.sealed,
                "stream configuration update can not unseal a sealed stream",
            ),
            (
                self.deny_delete && !new.deny_delete,
                "stream configuration update can not cancel deny message deletes",
            ),
            (
                self.deny_purge && !new.deny_purge,
                "stream configuration update can not cancel deny purge",
            ),
        ] {
            if wrong {
                return Err(invalid(text));
            }
        }
        // Without its mirror, a stream becomes one of its own.
        if new.mirror.is_some() && new.mirror != self.mirror {
            return Err(ApiError::new(&STREAM_MIRROR_NOT_UPDATABLE));
        }
        for (wrong, text) in [
            (
                self.allow_msg_ttl && !new.allow_msg_ttl,
                "message TTL status can not be disabled",
            ),
            (
                self.allow_msg_counter != new.allow_msg_counter,
                "stream configuration update can not change message counter setting",
            ),
            (
                self.allow_msg_schedules && !new.allow_msg_schedules,
                "message schedules can not be disabled",
            ),
            (
                self.persist_mode != new.persist_mode,
                "stream configuration update can not change persist mode",
            ),
        ] {
            if wrong {
                return Err(invalid(text));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::stream::{PersistMode, Storage, StreamSource};
    use super::*;

    fn config() -> StreamConfig {
        let config = StreamConfig {
            name: "S".to_owned(),
            ..StreamConfig::default()
        };
        config
            .check_and_normalise(&Limits::default(), &(), false)
            .expect("a stream")
    }

    fn update(old: &StreamConfig, new: &StreamConfig) -> Result<StreamConfig, ApiError> {
        old.check_update(new, &Limits::default(), &(), false)
    }

    type Change = fn(&mut StreamConfig);

    #[test]
    fn what_must_stay_is_refused_with_its_text() {
        let cases: [(Change, Change, &str); 9] = [
            (
                |_| {},
                |c| c.storage = Storage::Memory,
                "stream configuration update can not change storage type",
            ),
            (
                |_| {},
                |c| c.retention = Retention::WorkQueue,
                "stream configuration update can not change retention policy to/from workqueue",
            ),
            (
                |c| c.sealed = true,
                |_| {},
                "stream configuration update can not unseal a sealed stream",
            ),
            (
                |c| c.deny_delete = true,
                |_| {},
                "stream configuration update can not cancel deny message deletes",
            ),
            (
                |c| c.deny_purge = true,
                |_| {},
                "stream configuration update can not cancel deny purge",
            ),
            (
                |c| c.allow_msg_ttl = true,
                |_| {},
                "message TTL status can not be disabled",
            ),
            (
                |_| {},
                |c| c.allow_msg_counter = true,
                "stream configuration update can not change message counter setting",
            ),
            (
                |c| c.allow_msg_schedules = true,
                |_| {},
                "message schedules can not be disabled",
            ),
            (
                |_| {},
                |c| c.persist_mode = PersistMode::Async,
                "stream configuration update can not change persist mode",
            ),
        ];
        for (before, after, text) in cases {
            let (mut old, mut new) = (config(), config());
            before(&mut old);
            after(&mut new);
            let error = update(&old, &new).expect_err(text);
            assert_eq!((error.err_code, error.description.as_ref()), (10052, text));
        }
    }

    #[test]
    fn a_mirror_may_be_removed_but_not_changed() {
        let mirror = |name: &str| StreamSource {
            name: name.to_owned(),
            ..StreamSource::default()
        };
        let mut old = config();
        old.subjects.clear();
        old.mirror = Some(mirror("A"));
        let mut other = old.clone();
        other.mirror = Some(mirror("B"));
        assert_eq!(update(&old, &other).expect_err("changed").err_code, 10055);
        let own = update(&old, &config()).expect("promoted");
        assert_eq!((own.mirror, own.subjects), (None, vec!["S".to_owned()]));
    }

    #[test]
    fn sealing_closes_everything() {
        let mut wanted = config();
        wanted.sealed = true;
        wanted.max_age = 3_600_000_000_000;
        wanted.allow_rollup_hdrs = true;
        let sealed = update(&config(), &wanted).expect("sealed");
        assert_eq!((sealed.max_age, sealed.discard), (0, Discard::New));
        assert!(sealed.deny_delete && sealed.deny_purge && !sealed.allow_rollup_hdrs);
    }

    #[test]
    fn limits_subjects_and_interest_may_change() {
        let mut wanted = config();
        wanted.subjects = vec!["a.>".to_owned(), "b".to_owned()];
        wanted.max_msgs = 5;
        wanted.retention = Retention::Interest;
        let new = update(&config(), &wanted).expect("changed");
        assert_eq!((new.max_msgs, new.subjects.len()), (5, 2));
    }
}
