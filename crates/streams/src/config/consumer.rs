//! A consumer's configuration as the API reads and writes it (E120–E137), field for field as nats-server
//! does. Whether it may be so is not decided here: see `consumer_rules`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::json::{Fields, JsonError, Read, is_default, text_enum};
use crate::time::as_optional_rfc3339;

text_enum! {
    /// Where delivery begins.
    DeliverPolicy {
        /// With the first message.
        All = "all",
        /// With the last message.
        Last = "last",
        /// With what comes from now on.
        New = "new",
        /// At a sequence.
        ByStartSequence = "by_start_sequence",
        /// At a time.
        ByStartTime = "by_start_time",
        /// With the last message of each subject.
        LastPerSubject = "last_per_subject",
    }
}

text_enum! {
    /// What an ack says.
    AckPolicy {
        /// There are none.
        None = "none",
        /// This message and all before it.
        All = "all",
        /// This message.
        Explicit = "explicit",
        /// Flow control's answers are the acks (for mirrors and sources).
        FlowControl = "flow_control",
    }
}

impl AckPolicy {
    /// Whether consumers with it listen for acks: there are none, or answers to flow control are the acks.
    pub fn takes_acks(self) -> bool {
        matches!(self, Self::All | Self::Explicit)
    }
}

text_enum! {
    /// How fast old messages are delivered.
    ReplayPolicy {
        /// As fast as can be.
        Instant = "instant",
        /// As they once came.
        Original = "original",
    }
}

text_enum! {
    /// Who of a group is served.
    PriorityPolicy {
        /// There are no groups.
        None = "none",
        /// Who asks for overflow, once there is enough of it.
        Overflow = "overflow",
        /// One client, until it is lost.
        PinnedClient = "pinned_client",
        /// The lowest priority number first.
        Prioritized = "prioritized",
    }
}

text_enum! {
    /// What a request to create means if the consumer is there, or is not.
    ConsumerAction {
        /// Create or update.
        CreateOrUpdate = "",
        /// It must be there.
        Update = "update",
        /// It must not be there with another configuration.
        Create = "create",
    }
}

/// A consumer's configuration. Names as in the API; durations in nanoseconds, times in Unix nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named and explained by the API: E120 to E135")]
pub struct ConsumerConfig {
    #[serde(skip_serializing_if = "is_default")]
    pub durable_name: String,
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    pub deliver_policy: DeliverPolicy,
    #[serde(skip_serializing_if = "is_default")]
    pub opt_start_seq: u64,
    #[serde(
        serialize_with = "as_optional_rfc3339",
        skip_serializing_if = "Option::is_none"
    )]
    pub opt_start_time: Option<i64>,
    pub ack_policy: AckPolicy,
    #[serde(skip_serializing_if = "is_default")]
    pub ack_wait: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub max_deliver: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub backoff: Vec<i64>,
    #[serde(skip_serializing_if = "is_default")]
    pub filter_subject: String,
    #[serde(skip_serializing_if = "is_default")]
    pub filter_subjects: Vec<String>,
    pub replay_policy: ReplayPolicy,
    #[serde(skip_serializing_if = "is_default")]
    pub rate_limit_bps: u64,
    #[serde(skip_serializing_if = "is_default")]
    pub sample_freq: String,
    #[serde(skip_serializing_if = "is_default")]
    pub max_waiting: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub max_ack_pending: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub flow_control: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub headers_only: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub max_batch: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub max_expires: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub max_bytes: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub deliver_subject: String,
    #[serde(skip_serializing_if = "is_default")]
    pub deliver_group: String,
    #[serde(skip_serializing_if = "is_default")]
    pub idle_heartbeat: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub inactive_threshold: i64,
    pub num_replicas: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub mem_storage: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub direct: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub sourcing: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: BTreeMap<String, String>,
    #[serde(
        serialize_with = "as_optional_rfc3339",
        skip_serializing_if = "Option::is_none"
    )]
    pub pause_until: Option<i64>,
    #[serde(skip_serializing_if = "is_default")]
    pub priority_groups: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub priority_policy: PriorityPolicy,
    #[serde(skip_serializing_if = "is_default")]
    pub priority_timeout: i64,
}

impl ConsumerConfig {
    /// Reads a configuration alone, as it is kept in the log.
    ///
    /// # Errors
    /// When it is not one.
    pub fn from_json(body: &[u8]) -> Read<Self> {
        Fields::whole(body, "ConsumerConfig", true, Self::read)
    }

    /// As JSON, without white space.
    pub fn to_json(&self) -> Vec<u8> {
        // It has no map with other keys than text and no number that JSON lacks, so it can't fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Takes its fields out of an object that may hold others.
    ///
    /// # Errors
    /// When one of them has a wrong type.
    pub fn read(f: &mut Fields) -> Read<Self> {
        Ok(Self {
            durable_name: f.string("durable_name")?,
            name: f.string("name")?,
            description: f.string("description")?,
            deliver_policy: f
                .choice("deliver_policy", read_deliver_policy)?
                .unwrap_or_default(),
            opt_start_seq: f.u64("opt_start_seq")?,
            opt_start_time: f.time("opt_start_time")?,
            ack_policy: f
                .choice("ack_policy", AckPolicy::from_text)?
                .unwrap_or_default(),
            ack_wait: f.duration("ack_wait")?,
            max_deliver: f.int("max_deliver")?,
            backoff: f.durations("backoff")?,
            filter_subject: f.string("filter_subject")?,
            filter_subjects: f.strings("filter_subjects")?,
            replay_policy: f
                .choice("replay_policy", ReplayPolicy::from_text)?
                .unwrap_or_default(),
            rate_limit_bps: f.u64("rate_limit_bps")?,
            sample_freq: f.string("sample_freq")?,
            max_waiting: f.int("max_waiting")?,
            max_ack_pending: f.int("max_ack_pending")?,
            flow_control: f.bool("flow_control")?,
            headers_only: f.bool("headers_only")?,
            max_batch: f.int("max_batch")?,
            max_expires: f.duration("max_expires")?,
            max_bytes: f.int("max_bytes")?,
            deliver_subject: f.string("deliver_subject")?,
            deliver_group: f.string("deliver_group")?,
            idle_heartbeat: f.duration("idle_heartbeat")?,
            inactive_threshold: f.duration("inactive_threshold")?,
            num_replicas: f.int("num_replicas")?,
            mem_storage: f.bool("mem_storage")?,
            direct: f.bool("direct")?,
            sourcing: f.bool("sourcing")?,
            metadata: f.string_map("metadata")?,
            pause_until: f.time("pause_until")?,
            priority_groups: f.strings("priority_groups")?,
            priority_policy: read_priority_policy(f)?,
            priority_timeout: f.duration("priority_timeout")?,
        })
    }

    /// Whether it stays when nobody uses it.
    pub fn is_durable(&self) -> bool {
        !self.durable_name.is_empty()
    }

    /// Whether it delivers on its own.
    pub fn is_push(&self) -> bool {
        !self.deliver_subject.is_empty()
    }

    /// Its filters in whichever of the two ways they were given; none for all subjects.
    pub fn filters(&self) -> &[String] {
        if self.filter_subject.is_empty() {
            &self.filter_subjects
        } else {
            std::slice::from_ref(&self.filter_subject)
        }
    }
}

fn read_deliver_policy(text: &str) -> Option<DeliverPolicy> {
    if text == "undefined" {
        return Some(DeliverPolicy::All);
    }
    DeliverPolicy::from_text(text)
}

fn read_priority_policy(f: &mut Fields) -> Read<PriorityPolicy> {
    let unknown = |raw: &str| JsonError::new(format!("unknown priority policy: {raw}"));
    let read = f.choice_or("priority_policy", PriorityPolicy::from_text, unknown)?;
    Ok(read.unwrap_or_default())
}

pub(crate) fn read_action(f: &mut Fields) -> Read<ConsumerAction> {
    let unknown = |raw: &str| JsonError::new(format!("unknown consumer action: {raw}"));
    let read = f.choice_or("action", ConsumerAction::from_text, unknown)?;
    Ok(read.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: &Value) -> Read<ConsumerConfig> {
        ConsumerConfig::from_json(value.to_string().as_bytes())
    }

    #[test]
    fn a_plain_configuration_prints_what_nats_server_prints_and_no_more() {
        let config = read(&json!({"name": "C"})).expect("a configuration");
        assert_eq!(
            serde_json::to_value(&config).expect("JSON"),
            json!({"name": "C", "deliver_policy": "all", "ack_policy": "none", "replay_policy": "instant",
                "num_replicas": 0})
        );
    }

    #[test]
    fn every_field_is_read_and_printed_again() {
        let all = json!({
            "durable_name": "C", "name": "C", "description": "d", "deliver_policy": "by_start_time",
            "opt_start_seq": 1, "opt_start_time": "2024-01-01T00:00:00.5Z", "ack_policy": "explicit",
            "ack_wait": 2, "max_deliver": 3, "backoff": [4, 5], "filter_subject": "f",
            "filter_subjects": ["g"], "replay_policy": "original", "rate_limit_bps": 6,
            "sample_freq": "7%", "max_waiting": 8, "max_ack_pending": 9, "flow_control": true,
            "headers_only": true, "max_batch": 10, "max_expires": 11, "max_bytes": 12,
            "deliver_subject": "ds", "deliver_group": "g", "idle_heartbeat": 13, "inactive_threshold": 14,
            "num_replicas": 1, "mem_storage": true, "direct": true, "sourcing": true,
            "metadata": {"k": "v"}, "pause_until": "2030-01-01T00:00:00Z", "priority_groups": ["p"],
            "priority_policy": "pinned_client", "priority_timeout": 15,
        });
        let config = read(&all).expect("a configuration");
        assert_eq!(serde_json::to_value(&config).expect("JSON"), all);
        assert_eq!(ConsumerConfig::from_json(&config.to_json()), Ok(config));
    }

    #[test]
    fn an_undefined_deliver_policy_is_all_and_others_are_refused() {
        let config = read(&json!({"deliver_policy": "undefined"})).expect("a configuration");
        assert_eq!(config.deliver_policy, DeliverPolicy::All);
        let error = read(&json!({"priority_policy": "failover"})).expect_err("no policy");
        assert_eq!(error.to_string(), "unknown priority policy: \"failover\"");
    }
}
