//! Bodies of the requests about consumers (E32–E41), and what must be refused by looking at the request alone.

use super::call::ConsumerCreateCall;
use super::request::{offset, whole, whole_if_object};
use crate::config::json::JsonError;
use crate::config::{ConsumerAction, ConsumerConfig, is_valid_group, read_action};
use crate::error::{
    ApiError, CONSUMER_CREATE_FILTER_SUBJECT_MISMATCH, CONSUMER_DURABLE_NAME_NOT_MATCH_SUBJECT,
    CONSUMER_DURABLE_NAME_NOT_SET, CONSUMER_EPHEMERAL_WITH_DURABLE_NAME,
    CONSUMER_INVALID_GROUP_NAME, CONSUMER_MULTIPLE_FILTERS_NOT_ALLOWED,
    CONSUMER_NAME_CONTAINS_PATH_SEPARATORS, STREAM_MISMATCH, STREAM_REPLICAS_NOT_SUPPORTED,
};
use crate::time::ZERO_TIME;

/// Of CONSUMER.NAMES and CONSUMER.LIST.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsumersRequest {
    /// Consumers to pass over.
    pub offset: usize,
}

impl ConsumersRequest {
    /// # Errors
    /// 10025.
    pub fn parse(body: &[u8], strict: bool) -> Result<Self, ApiError> {
        whole_if_object(body, "JSApiConsumersRequest", strict, |f| {
            Ok(Self { offset: offset(f)? })
        })
    }
}

/// Of CONSUMER.CREATE and CONSUMER.DURABLE.CREATE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerCreateRequest {
    /// The stream.
    pub stream_name: String,
    /// What is wanted. Its name may still be empty: the server gives one then.
    pub config: ConsumerConfig,
    /// Whether it may be there already.
    pub action: ConsumerAction,
    /// Whether to refuse rather than correct (E12).
    pub pedantic: bool,
}

impl ConsumerCreateRequest {
    /// Reads it and brings it together with the call's subject.
    ///
    /// # Errors
    /// 10025; 10056, 10127, 10016 to 10020, 10131, 10137 where body and subject differ; 10074.
    pub fn parse(
        body: &[u8],
        call: &ConsumerCreateCall<'_>,
        strict: bool,
    ) -> Result<Self, ApiError> {
        let mut request = whole(body, "CreateConsumerRequest", strict, |f| {
            Ok(Self {
                stream_name: f.string("stream_name")?,
                config: f
                    .object("config", "ConsumerConfig", ConsumerConfig::read)?
                    .unwrap_or_default(),
                action: read_action(f)?,
                pedantic: f.bool("pedantic")?,
            })
        })?;
        request.settle(call)?;
        Ok(request)
    }

    fn settle(&mut self, call: &ConsumerCreateCall<'_>) -> Result<(), ApiError> {
        let refuse_if = |wrong, kind| {
            if wrong {
                Err(ApiError::new(kind))
            } else {
                Ok(())
            }
        };
        refuse_if(self.stream_name != call.stream(), &STREAM_MISMATCH)?;
        let config = &mut self.config;
        let name = match call {
            ConsumerCreateCall::Ephemeral { .. } => config.name.as_str(),
            ConsumerCreateCall::Durable { consumer, .. }
            | ConsumerCreateCall::Named { consumer, .. } => consumer,
        };
        let separated = name.contains(['\\', '/']);
        refuse_if(separated, &CONSUMER_NAME_CONTAINS_PATH_SEPARATORS)?;
        let name = name.to_owned();
        match call {
            ConsumerCreateCall::Ephemeral { .. } => {
                refuse_if(config.is_durable(), &CONSUMER_EPHEMERAL_WITH_DURABLE_NAME)?;
            }
            ConsumerCreateCall::Durable { .. } => {
                refuse_if(!config.is_durable(), &CONSUMER_DURABLE_NAME_NOT_SET)?;
                let differs = config.durable_name != name;
                refuse_if(differs, &CONSUMER_DURABLE_NAME_NOT_MATCH_SUBJECT)?;
                config.name = name;
            }
            ConsumerCreateCall::Named { filter, .. } => {
                let differs = config.is_durable() && config.durable_name != name;
                refuse_if(differs, &CONSUMER_DURABLE_NAME_NOT_MATCH_SUBJECT)?;
                config.name = name;
                if let Some(filter) = filter {
                    let several = !config.filter_subjects.is_empty();
                    refuse_if(several, &CONSUMER_MULTIPLE_FILTERS_NOT_ALLOWED)?;
                    let differs = config.filter_subject != *filter;
                    refuse_if(differs, &CONSUMER_CREATE_FILTER_SUBJECT_MISMATCH)?;
                }
            }
        }
        refuse_if(config.num_replicas > 1, &STREAM_REPLICAS_NOT_SUPPORTED)
    }
}

/// Of CONSUMER.PAUSE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PauseRequest {
    /// Until when, Unix nanoseconds; `ZERO_TIME` to go on.
    pub pause_until: i64,
}

impl PauseRequest {
    /// # Errors
    /// 10025.
    pub fn parse(body: &[u8], strict: bool) -> Result<Self, ApiError> {
        whole_if_object(body, "JSApiConsumerPauseRequest", strict, |f| {
            let pause_until = f.time("pause_until")?.unwrap_or(ZERO_TIME);
            Ok(Self { pause_until })
        })
    }
}

/// Of CONSUMER.UNPIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpinRequest {
    /// Whose pin goes.
    pub group: String,
}

impl UnpinRequest {
    /// # Errors
    /// 10025, also for a missing group; 10162 for one that can't be.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let request = whole(body, "JSApiConsumerUnpinRequest", false, |f| {
            let group = f.string("group")?;
            if group.is_empty() {
                return Err(JsonError::new("consumer group not specified".to_owned()));
            }
            Ok(Self { group })
        })?;
        if !is_valid_group(&request.group) {
            return Err(ApiError::new(&CONSUMER_INVALID_GROUP_NAME));
        }
        Ok(request)
    }
}

/// Of CONSUMER.RESET.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResetRequest {
    /// Where to go on; 0 for behind the last acknowledged message.
    pub seq: u64,
}

impl ResetRequest {
    /// # Errors
    /// 10025.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        whole(body, "JSApiConsumerResetRequest", false, |f| {
            Ok(Self { seq: f.u64("seq")? })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: std::fmt::Debug>(result: Result<T, ApiError>) -> u16 {
        result.map_or_else(|error| error.err_code, |_| 0)
    }

    #[test]
    fn a_consumer_is_what_body_and_subject_agree_on() {
        let (stream, consumer) = ("S", "C");
        let ephemeral = ConsumerCreateCall::Ephemeral { stream };
        let durable = ConsumerCreateCall::Durable { stream, consumer };
        let named = ConsumerCreateCall::Named {
            stream,
            consumer,
            filter: None,
        };
        let filtered = ConsumerCreateCall::Named {
            stream,
            consumer,
            filter: Some("a"),
        };
        for (call, config, expected) in [
            (ephemeral, r#"{}"#, 0),
            (ephemeral, r#"{"durable_name":"C"}"#, 10020),
            (ephemeral, r#"{"name":"a/b"}"#, 10127),
            (durable, r#"{}"#, 10018),
            (durable, r#"{"durable_name":"D"}"#, 10017),
            (named, r#"{"durable_name":"D"}"#, 10017),
            (named, r#"{"num_replicas":3}"#, 10074),
            (filtered, r#"{"filter_subject":"b"}"#, 10131),
            (filtered, r#"{"filter_subjects":["a"]}"#, 10137),
            (filtered, r#"{"filter_subject":"a"}"#, 0),
        ] {
            let body = format!(r#"{{"stream_name":"S","config":{config},"action":"create"}}"#);
            let request = ConsumerCreateRequest::parse(body.as_bytes(), &call, true);
            assert_eq!(code(request), expected, "{call:?} {config}");
        }
        let body = r#"{"stream_name":"S","config":{"durable_name":"C"},"action":"update"}"#;
        let request = ConsumerCreateRequest::parse(body.as_bytes(), &durable, true).expect("one");
        assert_eq!(
            (request.config.name.as_str(), request.action),
            ("C", ConsumerAction::Update)
        );
        let other = ConsumerCreateRequest::parse(b"{\"stream_name\":\"T\"}", &named, true);
        assert_eq!(code(other), 10056);
    }

    #[test]
    fn pausing_unpinning_and_resetting_are_read() {
        let go_on = PauseRequest::parse(b"", true).expect("a pause");
        assert_eq!(go_on.pause_until, ZERO_TIME);
        let body = b"{\"pause_until\":\"1970-01-01T00:00:01Z\"}";
        assert_eq!(
            PauseRequest::parse(body, true)
                .expect("a pause")
                .pause_until,
            1_000_000_000
        );
        assert_eq!(code(UnpinRequest::parse(b"")), 10025);
        assert_eq!(
            code(UnpinRequest::parse(b"{\"group\":\"a b\"}")),
            CONSUMER_INVALID_GROUP_NAME.err_code
        );
        assert_eq!(ResetRequest::parse(b"").map(|reset| reset.seq), Ok(0));
        assert_eq!(
            ResetRequest::parse(b"{\"seq\":7}").map(|reset| reset.seq),
            Ok(7)
        );
    }
}
