//! What the API tells of streams, consumers and accounts, field for field as nats-server prints it. Times are
//! Unix nanoseconds (`ZERO_TIME` for never), durations nanoseconds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::json::{Fields, Read, is_default};
use crate::config::{AccountLimits, ConsumerConfig, External, StreamConfig, SubjectTransform};
use crate::error::ApiError;
use crate::time::{ZERO_TIME, as_optional_rfc3339, as_rfc3339};

/// What a stream holds (E79).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StreamState {
    /// Messages that are there.
    pub messages: u64,
    /// Their bytes, as streams count them.
    pub bytes: u64,
    /// Of the first message; of the next one if there is none; 0 for a new stream.
    pub first_seq: u64,
    /// When the first message came.
    #[serde(serialize_with = "as_rfc3339")]
    pub first_ts: i64,
    /// The last that was given.
    pub last_seq: u64,
    /// When it was.
    #[serde(serialize_with = "as_rfc3339")]
    pub last_ts: i64,
    /// Different subjects.
    #[serde(skip_serializing_if = "is_default")]
    pub num_subjects: u64,
    /// Messages by subject, if they were asked for.
    #[serde(skip_serializing_if = "is_default")]
    pub subjects: BTreeMap<String, u64>,
    /// Gaps between first and last.
    #[serde(skip_serializing_if = "is_default")]
    pub num_deleted: u64,
    /// The gaps, if they were asked for.
    #[serde(skip_serializing_if = "is_default")]
    pub deleted: Vec<u64>,
    /// What was damaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<LostMessages>,
    /// Consumers.
    pub consumer_count: u64,
}

impl Default for StreamState {
    fn default() -> Self {
        Self {
            messages: 0,
            bytes: 0,
            first_seq: 0,
            first_ts: ZERO_TIME,
            last_seq: 0,
            last_ts: ZERO_TIME,
            num_subjects: 0,
            subjects: BTreeMap::new(),
            num_deleted: 0,
            deleted: Vec::new(),
            lost: None,
            consumer_count: 0,
        }
    }
}

impl StreamState {
    pub(super) fn read(f: &mut Fields) -> Read<Self> {
        Ok(Self {
            messages: f.u64("messages")?,
            bytes: f.u64("bytes")?,
            first_seq: f.u64("first_seq")?,
            first_ts: f.time("first_ts")?.unwrap_or(ZERO_TIME),
            last_seq: f.u64("last_seq")?,
            last_ts: f.time("last_ts")?.unwrap_or(ZERO_TIME),
            num_subjects: f.u64("num_subjects")?,
            subjects: f.count_map("subjects")?,
            num_deleted: f.u64("num_deleted")?,
            deleted: f.sequences("deleted")?,
            lost: f.object("lost", "LostStreamData", |f| {
                Ok(LostMessages {
                    msgs: f.sequences("msgs")?,
                    bytes: f.u64("bytes")?,
                })
            })?,
            consumer_count: f.u64("consumer_count")?,
        })
    }
}

/// Messages that could not be read as they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LostMessages {
    /// Their sequences.
    pub msgs: Vec<u64>,
    /// Their bytes.
    pub bytes: u64,
}

/// Where an asset lives. A single server names only itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClusterInfo {
    /// Cluster.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Server that leads.
    #[serde(skip_serializing_if = "is_default")]
    pub leader: String,
    /// Since when.
    #[serde(
        serialize_with = "as_optional_rfc3339",
        skip_serializing_if = "Option::is_none"
    )]
    pub leader_since: Option<i64>,
}

/// How far a mirror or source has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SourceInfo {
    /// The stream that it is taken from.
    pub name: String,
    /// Where that is, if not here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
    /// Messages still to come.
    pub lag: u64,
    /// Last sequence there that was taken; for sources only.
    #[serde(skip_serializing_if = "is_default")]
    pub seq: u64,
    /// Since it was last heard of, in nanoseconds; -1 if never.
    pub active: i64,
    /// Why it does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ApiError>,
    /// Which subjects are taken.
    #[serde(skip_serializing_if = "is_default")]
    pub filter_subject: String,
    /// How they are renamed.
    #[serde(skip_serializing_if = "is_default")]
    pub subject_transforms: Vec<SubjectTransform>,
}

/// All about a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StreamInfo {
    /// As it is to be shown: see `StreamConfig::for_answer`.
    pub config: StreamConfig,
    /// When it was created.
    #[serde(serialize_with = "as_rfc3339")]
    pub created: i64,
    /// What it holds.
    pub state: StreamState,
    /// The server's domain.
    #[serde(skip_serializing_if = "is_default")]
    pub domain: String,
    /// Where it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterInfo>,
    /// How far it has come as a mirror.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<SourceInfo>,
    /// How far its sources have come.
    #[serde(skip_serializing_if = "is_default")]
    pub sources: Vec<SourceInfo>,
    /// When this was gathered.
    #[serde(serialize_with = "as_rfc3339")]
    pub ts: i64,
}

/// A place in a consumer's and in its stream's count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SequenceInfo {
    /// Deliveries.
    pub consumer_seq: u64,
    /// Messages.
    pub stream_seq: u64,
    /// When it last moved.
    #[serde(
        serialize_with = "as_optional_rfc3339",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_active: Option<i64>,
}

/// Who is pinned in a priority group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PriorityGroupState {
    /// The group.
    pub group: String,
    /// The client's pin.
    #[serde(skip_serializing_if = "is_default")]
    pub pinned_client_id: String,
    /// Since when. nats-server prints the zero time when nobody is pinned; so does this.
    #[serde(serialize_with = "as_rfc3339")]
    pub pinned_ts: i64,
}

/// All about a consumer (E138).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConsumerInfo {
    /// Its stream.
    pub stream_name: String,
    /// Its name.
    pub name: String,
    /// When it was created.
    #[serde(serialize_with = "as_rfc3339")]
    pub created: i64,
    /// As it is to be shown: see `ConsumerConfig::for_answer`.
    pub config: ConsumerConfig,
    /// The last delivery.
    pub delivered: SequenceInfo,
    /// Everything up to it is acknowledged.
    pub ack_floor: SequenceInfo,
    /// Delivered, not acknowledged.
    pub num_ack_pending: u64,
    /// Of them, delivered more than once.
    pub num_redelivered: u64,
    /// Pull requests that wait.
    pub num_waiting: u64,
    /// Messages still to be delivered.
    pub num_pending: u64,
    /// Whether somebody listens where it pushes.
    #[serde(skip_serializing_if = "is_default")]
    pub push_bound: bool,
    /// Whether it is paused.
    #[serde(skip_serializing_if = "is_default")]
    pub paused: bool,
    /// For how long still.
    #[serde(skip_serializing_if = "is_default")]
    pub pause_remaining: i64,
    /// When this was gathered.
    #[serde(serialize_with = "as_rfc3339")]
    pub ts: i64,
    /// Its groups.
    #[serde(skip_serializing_if = "is_default")]
    pub priority_groups: Vec<PriorityGroupState>,
}

/// What an account uses and may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountUsage {
    /// Bytes in memory.
    pub memory: u64,
    /// Bytes in the log.
    pub storage: u64,
    /// Bytes in memory that streams' `max_bytes` have reserved.
    pub reserved_memory: u64,
    /// Bytes in the log that streams' `max_bytes` have reserved.
    pub reserved_storage: u64,
    /// Streams.
    pub streams: u64,
    /// Consumers.
    pub consumers: u64,
    /// What it may use.
    pub limits: AccountLimits,
}

/// How the API is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ApiUsage {
    /// The API level of this server.
    pub level: u32,
    /// Requests.
    pub total: u64,
    /// Of them, refused.
    pub errors: u64,
    /// Of them, not answered yet.
    #[serde(skip_serializing_if = "is_default")]
    pub inflight: u64,
}

/// All about an account (E14).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountInfo {
    /// In all.
    #[serde(flatten)]
    pub usage: AccountUsage,
    /// The server's domain.
    #[serde(skip_serializing_if = "is_default")]
    pub domain: String,
    /// How the API is used.
    pub api: ApiUsage,
    /// By tier, if there are any.
    #[serde(skip_serializing_if = "is_default")]
    pub tiers: BTreeMap<String, AccountUsage>,
}
