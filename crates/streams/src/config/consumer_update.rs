//! What an update may change of a consumer, and what must stay (E137).

use super::consumer::{ConsumerAction, ConsumerConfig};
use crate::error::{
    ApiError, CONSUMER_ALREADY_EXISTS, CONSUMER_CREATE, CONSUMER_DOES_NOT_EXIST,
    CONSUMER_NAME_EXIST,
};

impl ConsumerAction {
    /// Whether a consumer may be created, or the one that is there updated (E136). `wanted` is normalised.
    ///
    /// # Errors
    /// 10148, 10149.
    pub fn check(
        self,
        existing: Option<&ConsumerConfig>,
        wanted: &ConsumerConfig,
    ) -> Result<(), ApiError> {
        match (self, existing) {
            (Self::Update, None) => Err(ApiError::new(&CONSUMER_DOES_NOT_EXIST)),
            (Self::Create, Some(existing)) if !wanted.is_same_as(existing) => {
                Err(ApiError::new(&CONSUMER_ALREADY_EXISTS))
            }
            _ => Ok(()),
        }
    }
}

impl ConsumerConfig {
    /// Takes over what a request to create or update can't change of a consumer that is there: until when it
    /// is paused is for PAUSE only. To be called before the two are compared.
    pub fn keep_from(&mut self, existing: &Self) {
        self.pause_until = existing.pause_until;
        if self.pause_until.is_some() {
            self.set_required_level();
        }
    }

    /// Takes over where a consumer began that is there: whoever sources says where it begins each time that it asks.
    pub fn keep_start_from(&mut self, existing: &Self) {
        self.deliver_policy = existing.deliver_policy;
        self.opt_start_seq = existing.opt_start_seq;
        self.opt_start_time = existing.opt_start_time;
    }

    /// Checks what is wanted in place of `self`; both are normalised. `is_bound` says whether somebody
    /// listens where `self` delivers. See [`ConsumerConfig::keep_from`].
    ///
    /// # Errors
    /// 10012 with nats-server's text, 10013, 10116.
    pub fn check_update(&self, wanted: &Self, is_bound: bool) -> Result<(), ApiError> {
        let refuse = |text: &'static str| Err(ApiError::with(&CONSUMER_CREATE, text));
        for (wrong, text) in [
            (
                self.deliver_policy != wanted.deliver_policy,
                "deliver policy can not be updated",
            ),
            (
                self.mem_storage != wanted.mem_storage,
                "storage type can not be updated",
            ),
            (self.direct != wanted.direct, "direct can not be updated"),
            (
                self.sourcing != wanted.sourcing,
                "sourcing can not be updated",
            ),
            (
                self.opt_start_seq != wanted.opt_start_seq,
                "start sequence can not be updated",
            ),
            (
                self.opt_start_time != wanted.opt_start_time,
                "start time can not be updated",
            ),
            (
                self.ack_policy != wanted.ack_policy,
                "ack policy can not be updated",
            ),
            (
                self.replay_policy != wanted.replay_policy,
                "replay policy can not be updated",
            ),
            (
                self.idle_heartbeat != wanted.idle_heartbeat,
                "heart beats can not be updated",
            ),
            (
                self.flow_control != wanted.flow_control,
                "flow control can not be updated",
            ),
            (
                !self.is_push() && wanted.is_push(),
                "can not update pull consumer to push based",
            ),
            (
                self.is_push() && !wanted.is_push(),
                "can not update push consumer to pull based",
            ),
        ] {
            if wrong {
                return refuse(text);
            }
        }
        if self.deliver_subject != wanted.deliver_subject && is_bound {
            return Err(ApiError::new(&CONSUMER_NAME_EXIST));
        }
        if self.max_waiting != wanted.max_waiting {
            return refuse("max waiting can not be updated");
        }
        wanted.check_backoff_length()
    }
}

#[cfg(test)]
mod tests {
    use super::super::consumer::AckPolicy;
    use super::*;

    fn config() -> ConsumerConfig {
        ConsumerConfig {
            durable_name: "C".to_owned(),
            ack_policy: AckPolicy::Explicit,
            max_deliver: -1,
            max_waiting: 512,
            ..ConsumerConfig::default()
        }
    }

    type Case = (fn(&mut ConsumerConfig), &'static str);

    #[test]
    fn what_must_stay_is_refused_with_its_text() {
        let cases: [Case; 5] = [
            (
                |c| c.ack_policy = AckPolicy::All,
                "ack policy can not be updated",
            ),
            (
                |c| c.opt_start_time = Some(1),
                "start time can not be updated",
            ),
            (|c| c.max_waiting = 5, "max waiting can not be updated"),
            (|c| c.mem_storage = true, "storage type can not be updated"),
            (
                |c| c.deliver_subject = "d".to_owned(),
                "can not update pull consumer to push based",
            ),
        ];
        for (change, text) in cases {
            let mut wanted = config();
            change(&mut wanted);
            let error = config().check_update(&wanted, false).expect_err(text);
            assert_eq!((error.err_code, error.description.as_ref()), (10012, text));
        }
    }

    #[test]
    fn an_action_says_whether_it_may_be_there() {
        let other = ConsumerConfig {
            description: "other".to_owned(),
            ..config()
        };
        let code = |action: ConsumerAction, existing: Option<&ConsumerConfig>| {
            let result = action.check(existing, &config());
            result.map_or_else(|error| error.err_code, |()| 0)
        };
        assert_eq!(code(ConsumerAction::Create, None), 0);
        assert_eq!(code(ConsumerAction::Create, Some(&config())), 0);
        assert_eq!(code(ConsumerAction::Create, Some(&other)), 10148);
        assert_eq!(code(ConsumerAction::Update, None), 10149);
        assert_eq!(code(ConsumerAction::Update, Some(&other)), 0);
        assert_eq!(code(ConsumerAction::CreateOrUpdate, Some(&other)), 0);
    }

    #[test]
    fn the_place_of_delivery_changes_only_while_nobody_listens() {
        let mut old = config();
        old.deliver_subject = "a".to_owned();
        let mut wanted = old.clone();
        wanted.deliver_subject = "b".to_owned();
        assert_eq!(old.check_update(&wanted, false), Ok(()));
        let error = old.check_update(&wanted, true).expect_err("bound");
        assert_eq!(error.err_code, 10013);
    }

    #[test]
    fn waits_filters_and_limits_may_change() {
        let mut wanted = config();
        wanted.ack_wait = 5;
        wanted.filter_subjects = vec!["a".to_owned(), "b".to_owned()];
        wanted.max_ack_pending = 7;
        wanted.max_deliver = 4;
        wanted.description = "new".to_owned();
        assert_eq!(config().check_update(&wanted, true), Ok(()));
        wanted.backoff = vec![1; 5];
        let error = config().check_update(&wanted, true).expect_err("too long");
        assert_eq!(error.err_code, 10116);
    }
}
