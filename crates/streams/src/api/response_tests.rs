//! Answers, as they go on the wire.

use serde_json::{Value, json};

use super::*;
use crate::api::{
    AccountInfo, ApiUsage, ClusterInfo, LostMessages, PriorityGroupState, SequenceInfo, SourceInfo,
};
use crate::config::{AccountLimits, ConsumerConfig, Limits};
use crate::error::{ApiError, STREAM_NOT_FOUND};
use crate::time::ZERO_TIME;

const NOW: i64 = 1_700_000_000_123_000_000;

fn config() -> StreamConfig {
    let config = StreamConfig {
        name: "S".to_owned(),
        subjects: vec!["a.>".to_owned()],
        ..StreamConfig::default()
    };
    let config = config.check_and_normalise(&Limits::default(), &(), false);
    config.expect("a stream").for_answer("2.15.0")
}

fn stream() -> StreamInfo {
    StreamInfo {
        config: config(),
        created: NOW,
        state: StreamState {
            consumer_count: 1,
            ..StreamState::default()
        },
        domain: String::new(),
        cluster: Some(ClusterInfo {
            leader: "n1".to_owned(),
            ..ClusterInfo::default()
        }),
        mirror: None,
        sources: Vec::new(),
        ts: NOW,
    }
}

fn consumer() -> ConsumerInfo {
    let config = ConsumerConfig {
        durable_name: "C".to_owned(),
        name: "C".to_owned(),
        ..ConsumerConfig::default()
    };
    let config = config.check_and_normalise(&super::tests::config(), &Limits::default(), false);
    ConsumerInfo {
        stream_name: "S".to_owned(),
        name: "C".to_owned(),
        created: NOW,
        config: config.expect("a consumer").for_answer("2.15.0"),
        delivered: SequenceInfo {
            consumer_seq: 1,
            stream_seq: 2,
            last_active: Some(NOW),
        },
        ts: NOW,
        ..ConsumerInfo::default()
    }
}

fn sent(body: &impl Response) -> Value {
    serde_json::from_slice(&answer(body)).expect("JSON")
}

#[test]
fn a_new_streams_info_is_flat_and_has_zero_times() {
    let info = sent(&StreamInfoResponse {
        page: Page::default(),
        info: stream(),
    });
    assert_eq!(
        info["type"],
        "io.nats.jetstream.api.v1.stream_info_response"
    );
    assert_eq!(
        (&info["total"], &info["offset"], &info["limit"]),
        (&json!(0), &json!(0), &json!(0))
    );
    let state = json!({"messages": 0, "bytes": 0, "first_seq": 0, "first_ts": "0001-01-01T00:00:00Z",
        "last_seq": 0, "last_ts": "0001-01-01T00:00:00Z", "consumer_count": 1});
    assert_eq!(info["state"], state);
    assert_eq!(info["created"], "2023-11-14T22:13:20.123Z");
    assert_eq!(info["config"]["metadata"]["_nats.ver"], "2.15.0");
    assert_eq!(info["cluster"], json!({"leader": "n1"}));
    assert!(info.get("mirror").is_none() && info.get("domain").is_none());
}

#[test]
fn a_consumers_info_is_flat_with_all_its_counts() {
    let info = sent(&ConsumerInfoResponse { info: consumer() });
    assert_eq!(
        info["type"],
        "io.nats.jetstream.api.v1.consumer_info_response"
    );
    for count in [
        "num_ack_pending",
        "num_redelivered",
        "num_waiting",
        "num_pending",
    ] {
        assert_eq!(info[count], 0, "{count}");
    }
    let delivered =
        json!({"consumer_seq": 1, "stream_seq": 2, "last_active": "2023-11-14T22:13:20.123Z"});
    assert_eq!(info["delivered"], delivered);
    assert_eq!(
        info["ack_floor"],
        json!({"consumer_seq": 0, "stream_seq": 0})
    );
    assert!(info.get("push_bound").is_none() && info.get("paused").is_none());
}

#[test]
fn a_message_goes_out_in_base64() {
    let message = StoredMessage {
        subject: "a".to_owned(),
        seq: 3,
        hdrs: b"NATS/1.0\r\n\r\n".to_vec(),
        data: vec![0, 255],
        time: NOW,
    };
    let expected = json!({"subject": "a", "seq": 3, "hdrs": "TkFUUy8xLjANCg0K", "data": "AP8=",
        "time": "2023-11-14T22:13:20.123Z"});
    assert_eq!(sent(&MsgGetResponse { message })["message"], expected);
    let empty = MsgGetResponse {
        message: StoredMessage::default(),
    };
    assert!(sent(&empty)["message"].get("data").is_none());
}

#[test]
fn a_refusal_has_the_type_of_the_answer_that_was_wanted() {
    let error = ApiError::new(&STREAM_NOT_FOUND);
    let bytes = answer_to::<StreamInfoResponse>(&Err(error));
    let expected = json!({"type": "io.nats.jetstream.api.v1.stream_info_response",
        "total": 0, "offset": 0, "limit": 0,
        "error": {"code": 404, "err_code": 10059, "description": "stream not found"}});
    assert_eq!(
        serde_json::from_slice::<Value>(&bytes).expect("JSON"),
        expected
    );
}

#[test]
fn an_accounts_info_is_flat() {
    let info = AccountInfo {
        api: ApiUsage {
            level: 5,
            total: 2,
            ..ApiUsage::default()
        },
        ..AccountInfo::default()
    };
    let info = sent(&AccountInfoResponse { info });
    assert_eq!((&info["memory"], &info["streams"]), (&json!(0), &json!(0)));
    assert_eq!(
        info["limits"],
        serde_json::to_value(AccountLimits::default()).expect("JSON")
    );
    assert_eq!(info["api"], json!({"level": 5, "total": 2, "errors": 0}));
}

#[test]
fn no_names_are_null_for_streams_and_a_list_for_consumers() {
    let page = Page {
        limit: NAMES_PER_PAGE,
        ..Page::default()
    };
    let streams = sent(&StreamNamesResponse {
        page,
        streams: Vec::new(),
    });
    assert_eq!(
        (&streams["streams"], &streams["limit"]),
        (&Value::Null, &json!(1024))
    );
    let consumers = sent(&ConsumerNamesResponse {
        page,
        consumers: Vec::new(),
    });
    assert_eq!(consumers["consumers"], json!([]));
}

#[test]
fn everything_there_is_to_tell_is_told() {
    let mut info = stream();
    info.state.lost = Some(LostMessages {
        msgs: vec![4],
        bytes: 9,
    });
    info.state.deleted = vec![2, 3];
    info.state.num_deleted = 2;
    info.mirror = Some(SourceInfo {
        name: "M".to_owned(),
        active: -1,
        ..SourceInfo::default()
    });
    let told = sent(&StreamCreateResponse {
        info,
        did_create: true,
    });
    assert_eq!(told["did_create"], true);
    assert_eq!(told["state"]["lost"], json!({"msgs": [4], "bytes": 9}));
    assert_eq!(told["mirror"], json!({"name": "M", "lag": 0, "active": -1}));
    let mut info = consumer();
    info.priority_groups = vec![PriorityGroupState {
        group: "A".to_owned(),
        pinned_client_id: String::new(),
        pinned_ts: ZERO_TIME,
    }];
    let told = sent(&ConsumerResetResponse { info, reset_seq: 5 });
    let group = json!([{"group": "A", "pinned_ts": "0001-01-01T00:00:00Z"}]);
    assert_eq!(
        (&told["priority_groups"], &told["reset_seq"]),
        (&group, &json!(5))
    );
}

#[test]
fn refusals_of_pages_and_counts_carry_their_zeros() {
    let error = ApiError::new(&STREAM_NOT_FOUND);
    let refused: Value =
        serde_json::from_slice(&refusal::<ConsumerNamesResponse>(&error)).expect("JSON");
    assert_eq!(refused["error"]["err_code"], 10059);
    for page in ["total", "offset", "limit"] {
        assert_eq!(refused[page], 0, "{page}");
    }
    assert_eq!(refused["consumers"], json!([]));
    let purge: Value =
        serde_json::from_slice(&refusal::<StreamPurgeResponse>(&error)).expect("JSON");
    assert_eq!(purge["purged"], 0);
}
