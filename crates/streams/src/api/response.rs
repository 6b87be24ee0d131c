//! The answers of the API, each with its `type` (E01). An answer is either what was asked for or an error,
//! never both.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use super::info::{AccountInfo, ConsumerInfo, StreamInfo, StreamState};
use crate::config::StreamConfig;
use crate::config::json::is_default;
use crate::error::ApiError;
use crate::time::as_rfc3339;

/// Names in one answer (E06).
pub const NAMES_PER_PAGE: usize = 1024;
/// Streams or consumers in one answer (E06).
pub const INFOS_PER_PAGE: usize = 256;
/// Subjects with their counts in one answer (E06).
pub const SUBJECTS_PER_PAGE: usize = 100_000;

/// What an answer may hold beside its `type`.
pub trait Response: Serialize {
    /// Its `type`.
    const TYPE: &'static str;
}

#[derive(Serialize)]
struct Envelope<'a, T: Serialize> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(flatten)]
    body: T,
}

#[derive(Serialize)]
struct Refusal<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    error: &'a ApiError,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

/// What a refusal of this type holds besides: nats-server leaves out only what its types call optional.
fn rest_of_refusal(kind: &str) -> serde_json::Map<String, serde_json::Value> {
    let name = kind.strip_prefix("io.nats.jetstream.api.v1.");
    let rest = match name.unwrap_or_default() {
        "stream_info_response" => serde_json::json!({"total": 0, "offset": 0, "limit": 0}),
        "stream_names_response" => {
            serde_json::json!({"total": 0, "offset": 0, "limit": 0, "streams": null})
        }
        "stream_list_response" => {
            serde_json::json!({"total": 0, "offset": 0, "limit": 0, "streams": []})
        }
        "consumer_names_response" | "consumer_list_response" => {
            serde_json::json!({"total": 0, "offset": 0, "limit": 0, "consumers": []})
        }
        "stream_purge_response" => serde_json::json!({"purged": 0}),
        "stream_restore_response" => serde_json::json!({"deliver_subject": ""}),
        "consumer_pause_response" => {
            serde_json::json!({"paused": false, "pause_until": "0001-01-01T00:00:00Z"})
        }
        "consumer_reset_response" => serde_json::json!({"reset_seq": 0}),
        _ => return serde_json::Map::new(),
    };
    match rest {
        serde_json::Value::Object(rest) => rest,
        _ => serde_json::Map::new(),
    }
}

/// The bytes of an answer.
pub fn answer<R: Response>(body: &R) -> Vec<u8> {
    // None of the answers has a map with other keys than text, so it can't fail.
    serde_json::to_vec(&Envelope {
        kind: R::TYPE,
        body,
    })
    .unwrap_or_default()
}

/// The bytes of a refusal of what would have been answered with `R`.
pub fn refusal<R: Response>(error: &ApiError) -> Vec<u8> {
    refusal_of_type(R::TYPE, error)
}

/// The bytes of a refusal with any `type`.
pub fn refusal_of_type(kind: &str, error: &ApiError) -> Vec<u8> {
    let rest = rest_of_refusal(kind);
    serde_json::to_vec(&Refusal { kind, error, rest }).unwrap_or_default()
}

/// One or the other.
pub fn answer_to<R: Response>(result: &Result<R, ApiError>) -> Vec<u8> {
    match result {
        Ok(body) => answer(body),
        Err(error) => refusal::<R>(error),
    }
}

macro_rules! responses {
    ($($(#[$doc:meta])* $name:ident = $kind:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Response for $name {
            const TYPE: &'static str = concat!("io.nats.jetstream.api.v1.", $kind);
        }
    )*};
}

/// Which part of a list an answer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Page {
    /// Entries in all.
    pub total: usize,
    /// Entries before this part.
    pub offset: usize,
    /// Most entries of a part.
    pub limit: usize,
}

responses! {
    /// To INFO.
    AccountInfoResponse = "account_info_response" {
        /// What there is to tell.
        #[serde(flatten)] info: AccountInfo,
    }
    /// To STREAM.CREATE and to the end of a restore.
    StreamCreateResponse = "stream_create_response" {
        /// The stream.
        #[serde(flatten)] info: StreamInfo,
        /// Whether it is new. nats-server says so for an identical one that was there, too.
        #[serde(skip_serializing_if = "is_default")] did_create: bool,
    }
    /// To STREAM.UPDATE.
    StreamUpdateResponse = "stream_update_response" {
        /// The stream.
        #[serde(flatten)] info: StreamInfo,
    }
    /// To STREAM.INFO.
    StreamInfoResponse = "stream_info_response" {
        /// Of the subjects; zeros when they were not asked for.
        #[serde(flatten)] page: Page,
        /// The stream.
        #[serde(flatten)] info: StreamInfo,
    }
    /// To STREAM.DELETE.
    StreamDeleteResponse = "stream_delete_response" {
        /// Always true.
        success: bool,
    }
    /// To STREAM.PURGE.
    StreamPurgeResponse = "stream_purge_response" {
        /// Always true.
        success: bool,
        /// Messages that went.
        purged: u64,
    }
    /// To STREAM.NAMES.
    StreamNamesResponse = "stream_names_response" {
        /// Which part.
        #[serde(flatten)] page: Page,
        /// The names; `null` for none, as nats-server has it.
        #[serde(serialize_with = "null_if_empty")] streams: Vec<String>,
    }
    /// To STREAM.LIST.
    StreamListResponse = "stream_list_response" {
        /// Which part.
        #[serde(flatten)] page: Page,
        /// The streams.
        streams: Vec<StreamInfo>,
        /// Streams that do not answer.
        #[serde(skip_serializing_if = "is_default")] missing: Vec<String>,
        /// Streams that can't be served, with the reason.
        #[serde(skip_serializing_if = "is_default")] offline: BTreeMap<String, String>,
    }
    /// To STREAM.MSG.GET.
    MsgGetResponse = "stream_msg_get_response" {
        /// The message.
        message: StoredMessage,
    }
    /// To STREAM.MSG.DELETE.
    MsgDeleteResponse = "stream_msg_delete_response" {
        /// Always true.
        success: bool,
    }
    /// To STREAM.SNAPSHOT.
    SnapshotResponse = "stream_snapshot_response" {
        /// The stream's configuration.
        config: StreamConfig,
        /// What it holds.
        state: StreamState,
    }
    /// To STREAM.RESTORE.
    RestoreResponse = "stream_restore_response" {
        /// Where the chunks go.
        deliver_subject: String,
    }
    /// To STREAM.LEADER.STEPDOWN.
    StreamStepDownResponse = "stream_leader_stepdown_response" {
        /// Always true.
        success: bool,
    }
    /// To STREAM.PEER.REMOVE.
    StreamRemovePeerResponse = "stream_remove_peer_response" {
        /// Always true.
        success: bool,
    }
    /// To META.LEADER.STEPDOWN.
    MetaStepDownResponse = "meta_leader_stepdown_response" {
        /// Always true.
        success: bool,
    }
    /// To SERVER.REMOVE.
    MetaServerRemoveResponse = "meta_server_remove_response" {
        /// Always true.
        success: bool,
    }
    /// To ACCOUNT.PURGE.
    AccountPurgeResponse = "account_purge_response" {
        /// Always true.
        initiated: bool,
    }
    /// To CONSUMER.CREATE and CONSUMER.DURABLE.CREATE.
    ConsumerCreateResponse = "consumer_create_response" {
        /// The consumer.
        #[serde(flatten)] info: ConsumerInfo,
    }
    /// To CONSUMER.INFO.
    ConsumerInfoResponse = "consumer_info_response" {
        /// The consumer.
        #[serde(flatten)] info: ConsumerInfo,
    }
    /// To CONSUMER.DELETE.
    ConsumerDeleteResponse = "consumer_delete_response" {
        /// Always true.
        success: bool,
    }
    /// To CONSUMER.NAMES.
    ConsumerNamesResponse = "consumer_names_response" {
        /// Which part.
        #[serde(flatten)] page: Page,
        /// The names.
        consumers: Vec<String>,
    }
    /// To CONSUMER.LIST.
    ConsumerListResponse = "consumer_list_response" {
        /// Which part.
        #[serde(flatten)] page: Page,
        /// The consumers.
        consumers: Vec<ConsumerInfo>,
        /// Consumers that do not answer.
        #[serde(skip_serializing_if = "is_default")] missing: Vec<String>,
        /// Consumers that can't be served, with the reason.
        #[serde(skip_serializing_if = "is_default")] offline: BTreeMap<String, String>,
    }
    /// To CONSUMER.PAUSE.
    ConsumerPauseResponse = "consumer_pause_response" {
        /// Whether it is paused now.
        paused: bool,
        /// Until when; `ZERO_TIME` for not at all.
        #[serde(serialize_with = "as_rfc3339")] pause_until: i64,
        /// For how long still, in nanoseconds.
        #[serde(skip_serializing_if = "is_default")] pause_remaining: i64,
    }
    /// To CONSUMER.UNPIN.
    ConsumerUnpinResponse = "consumer_unpin_response" {}
    /// To CONSUMER.LEADER.STEPDOWN.
    ConsumerStepDownResponse = "consumer_leader_stepdown_response" {
        /// Always true.
        success: bool,
    }
    /// To CONSUMER.RESET.
    ConsumerResetResponse = "consumer_reset_response" {
        /// The consumer.
        #[serde(flatten)] info: ConsumerInfo,
        /// Where it goes on.
        reset_seq: u64,
    }
}

/// A message as STREAM.MSG.GET gives it; headers and data go out in base64, and not at all when empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StoredMessage {
    /// Its subject.
    pub subject: String,
    /// Its sequence.
    pub seq: u64,
    /// Its header block.
    #[serde(serialize_with = "as_base64", skip_serializing_if = "is_default")]
    pub hdrs: Vec<u8>,
    /// Its payload.
    #[serde(serialize_with = "as_base64", skip_serializing_if = "is_default")]
    pub data: Vec<u8>,
    /// When it came.
    #[serde(serialize_with = "as_rfc3339")]
    pub time: i64,
}

fn as_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn null_if_empty<S: Serializer>(names: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    if names.is_empty() {
        serializer.serialize_none()
    } else {
        names.serialize(serializer)
    }
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
