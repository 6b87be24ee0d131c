//! Configurations of streams and consumers: how they are read and written, which are allowed, what is filled in,
//! what an update may change, how subjects are renamed. Pure functions; nothing here keeps state.

mod consumer;
mod consumer_rules;
mod consumer_update;
pub mod json;
mod limits;
mod metadata;
mod stream;
mod stream_origins;
mod stream_rules;
mod stream_update;
mod subject;

pub use consumer::{
    AckPolicy, ConsumerAction, ConsumerConfig, DeliverPolicy, PriorityPolicy, ReplayPolicy,
};
pub use consumer_rules::{
    ACK_WAIT_DEFAULT, FLOW_CONTROL_HEARTBEAT, GROUP_BYTES_MAX, INACTIVE_THRESHOLD_DEFAULT,
    MAX_ACK_PENDING_DEFAULT, MAX_WAITING_DEFAULT, PRIORITY_TIMEOUT_DEFAULT, is_valid_group,
};
pub use limits::{AccountLimits, Limits, ServerLimits, Taken};
pub use metadata::{
    API_LEVEL, REQUIRED_LEVEL, SERVER_LEVEL, SERVER_VERSION, is_level_met, is_level_supported,
};
pub use recado_wire::{Transform, TransformError};
pub use stream::{
    Compression, ConsumerLimits, Discard, External, PersistMode, Placement, Republish, Retention,
    SourceConsumer, Storage, StreamConfig, StreamSource, SubjectTransform,
};
pub use stream_rules::{
    DESCRIPTION_BYTES_MAX, DUPLICATE_WINDOW_DEFAULT, METADATA_BYTES_MAX, NAME_BYTES_MAX,
    OtherStreams, REPLICAS_MAX, SOURCES_MAX, SUBJECTS_MAX,
};
pub use subject::{
    is_literal, is_subset, is_valid_filter, is_valid_literal, is_valid_name, subjects_overlap,
};

pub(crate) use consumer::read_action;
pub(crate) use json::JsonError;
pub(crate) use stream::read_placement;

#[cfg(test)]
mod consumer_rules_tests;
#[cfg(test)]
mod stream_rules_tests;
