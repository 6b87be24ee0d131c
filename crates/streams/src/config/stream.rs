//! A stream's configuration as the API reads and writes it (E55–E78), field for field as nats-server does.
//! Whether it may be so is not decided here: see `stream_rules`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::json::{Fields, JsonError, Read, is_default, text_enum};
use crate::time::as_optional_rfc3339;

text_enum! {
    /// When messages go.
    Retention {
        /// At the limits only.
        Limits = "limits",
        /// When every interested consumer has acknowledged.
        Interest = "interest",
        /// When its one consumer has acknowledged.
        WorkQueue = "workqueue",
    }
}

text_enum! {
    /// What gives way at a limit.
    Discard {
        /// The oldest message.
        Old = "old",
        /// The new one is refused.
        New = "new",
    }
}

text_enum! {
    /// Where messages lie.
    Storage {
        /// In the log, durable.
        File = "file",
        /// In memory, gone with the process.
        Memory = "memory",
    }
}

text_enum! {
    /// How stored messages are compressed.
    Compression {
        /// Not at all.
        None = "none",
        /// With S2.
        S2 = "s2",
    }
}

text_enum! {
    /// Whether an ack means durable.
    PersistMode {
        /// It does.
        Default = "default",
        /// It may come before.
        Async = "async",
    }
}

/// Which servers a stream may live on. A single server keeps it as told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Placement {
    /// Cluster.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster: String,
    /// Tags.
    #[serde(skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
    /// Only in requests to step down.
    #[serde(skip_serializing_if = "is_default")]
    pub preferred: String,
}

/// A renaming of subjects, as written; `Transform` is the parsed form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SubjectTransform {
    /// Filter of the subjects that it is for; empty for all.
    pub src: String,
    /// What they become; empty for what they are.
    pub dest: String,
}

/// Where stored messages are published again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Republish {
    /// Filter of the subjects that it is for.
    #[serde(skip_serializing_if = "is_default")]
    pub src: String,
    /// What they become.
    pub dest: String,
    /// Without their payloads.
    #[serde(skip_serializing_if = "is_default")]
    pub headers_only: bool,
}

/// Another account or domain that a stream is taken from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct External {
    /// Prefix of its API.
    pub api: String,
    /// Prefix of the subjects that it delivers to.
    pub deliver: String,
}

/// A durable consumer that a mirror or source uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SourceConsumer {
    /// Its name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Where it delivers.
    #[serde(skip_serializing_if = "is_default")]
    pub deliver_subject: String,
}

/// A stream that is mirrored or sourced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StreamSource {
    /// Its name.
    pub name: String,
    /// First sequence to take; 0 for all.
    #[serde(skip_serializing_if = "is_default")]
    pub opt_start_seq: u64,
    /// First time to take, Unix nanoseconds.
    #[serde(
        serialize_with = "as_optional_rfc3339",
        skip_serializing_if = "Option::is_none"
    )]
    pub opt_start_time: Option<i64>,
    /// Which subjects to take; empty for all.
    #[serde(skip_serializing_if = "is_default")]
    pub filter_subject: String,
    /// Filters with renamings, instead of the filter.
    #[serde(skip_serializing_if = "is_default")]
    pub subject_transforms: Vec<SubjectTransform>,
    /// Where it is, if not here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
    /// The consumer to use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumer: Option<SourceConsumer>,
}

impl StreamSource {
    /// Tells apart the sources of one stream: name, place, consumer, filters and renamings. Not what
    /// nats-server puts into `Nats-Stream-Source` (it hashes some parts).
    pub fn identity(&self) -> String {
        let api = self
            .external
            .as_ref()
            .map_or("", |external| external.api.as_str());
        let consumer = self
            .consumer
            .as_ref()
            .map_or("", |consumer| consumer.name.as_str());
        let all = |text: &str| {
            if text.is_empty() {
                ">".to_owned()
            } else {
                text.to_owned()
            }
        };
        let (sources, dests) = if self.subject_transforms.is_empty() {
            (all(&self.filter_subject), ">".to_owned())
        } else {
            let part = |of: fn(&SubjectTransform) -> &str| {
                let parts: Vec<_> = self.subject_transforms.iter().map(|t| all(of(t))).collect();
                parts.join("\u{c}")
            };
            (part(|t| &t.src), part(|t| &t.dest))
        };
        format!("{}:{api}:{consumer} {sources} {dests}", self.name)
    }
}

/// Defaults and caps for a stream's consumers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConsumerLimits {
    /// Nanoseconds; 0 for none.
    #[serde(skip_serializing_if = "is_default")]
    pub inactive_threshold: i64,
    /// 0 for none.
    #[serde(skip_serializing_if = "is_default")]
    pub max_ack_pending: i64,
}

/// A stream's configuration. Names as in the API; durations and ages in nanoseconds, sizes in bytes; -1 is
/// no limit once it has been normalised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named and explained by the API: E55 to E78")]
pub struct StreamConfig {
    pub name: String,
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    #[serde(skip_serializing_if = "is_default")]
    pub subjects: Vec<String>,
    pub retention: Retention,
    pub max_consumers: i64,
    pub max_msgs: i64,
    pub max_bytes: i64,
    pub max_age: i64,
    pub max_msgs_per_subject: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub max_msg_size: i32,
    pub discard: Discard,
    pub storage: Storage,
    pub num_replicas: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub no_ack: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub duplicate_window: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<StreamSource>,
    #[serde(skip_serializing_if = "is_default")]
    pub sources: Vec<StreamSource>,
    pub compression: Compression,
    #[serde(skip_serializing_if = "is_default")]
    pub first_seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_transform: Option<SubjectTransform>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub republish: Option<Republish>,
    pub allow_direct: bool,
    pub mirror_direct: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub discard_new_per_subject: bool,
    pub sealed: bool,
    pub deny_delete: bool,
    pub deny_purge: bool,
    pub allow_rollup_hdrs: bool,
    pub consumer_limits: ConsumerLimits,
    pub allow_msg_ttl: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub subject_delete_marker_ttl: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub allow_msg_counter: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub allow_atomic: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub allow_msg_schedules: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub persist_mode: PersistMode,
    #[serde(skip_serializing_if = "is_default")]
    pub allow_batched: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: BTreeMap<String, String>,
}

impl StreamConfig {
    /// Reads a configuration alone, as it is kept in the log.
    ///
    /// # Errors
    /// When it is not one.
    pub fn from_json(body: &[u8]) -> Read<Self> {
        Fields::whole(body, "StreamConfig", true, Self::read)
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
            name: f.string("name")?,
            description: f.string("description")?,
            subjects: f.strings("subjects")?,
            retention: f
                .choice("retention", Retention::from_text)?
                .unwrap_or_default(),
            max_consumers: f.int("max_consumers")?,
            max_msgs: f.i64("max_msgs")?,
            max_bytes: f.i64("max_bytes")?,
            max_age: f.duration("max_age")?,
            max_msgs_per_subject: f.i64("max_msgs_per_subject")?,
            max_msg_size: f.i32("max_msg_size")?,
            discard: f.choice("discard", read_discard)?.unwrap_or_default(),
            storage: f.choice("storage", Storage::from_text)?.unwrap_or_default(),
            num_replicas: f.int("num_replicas")?,
            no_ack: f.bool("no_ack")?,
            duplicate_window: f.duration("duplicate_window")?,
            placement: f.object("placement", "Placement", read_placement)?,
            mirror: f.object("mirror", "StreamSource", read_source)?,
            sources: f.objects("sources", "StreamSource", read_source)?,
            compression: read_compression(f)?,
            first_seq: f.u64("first_seq")?,
            subject_transform: f.object("subject_transform", TRANSFORM, read_transform)?,
            republish: f.object("republish", "RePublish", read_republish)?,
            allow_direct: f.bool("allow_direct")?,
            mirror_direct: f.bool("mirror_direct")?,
            discard_new_per_subject: f.bool("discard_new_per_subject")?,
            sealed: f.bool("sealed")?,
            deny_delete: f.bool("deny_delete")?,
            deny_purge: f.bool("deny_purge")?,
            allow_rollup_hdrs: f.bool("allow_rollup_hdrs")?,
            consumer_limits: f
                .object(
                    "consumer_limits",
                    "StreamConsumerLimits",
                    read_consumer_limits,
                )?
                .unwrap_or_default(),
            allow_msg_ttl: f.bool("allow_msg_ttl")?,
            subject_delete_marker_ttl: f.duration("subject_delete_marker_ttl")?,
            allow_msg_counter: f.bool("allow_msg_counter")?,
            allow_atomic: f.bool("allow_atomic")?,
            allow_msg_schedules: f.bool("allow_msg_schedules")?,
            persist_mode: f
                .choice("persist_mode", read_persist_mode)?
                .unwrap_or_default(),
            allow_batched: f.bool("allow_batched")?,
            metadata: f.string_map("metadata")?,
        })
    }
}

const TRANSFORM: &str = "SubjectTransformConfig";

fn read_discard(text: &str) -> Option<Discard> {
    Discard::from_text(&text.to_lowercase())
}

fn read_persist_mode(text: &str) -> Option<PersistMode> {
    if text.is_empty() {
        return Some(PersistMode::Default);
    }
    PersistMode::from_text(text)
}

fn read_compression(f: &mut Fields) -> Read<Compression> {
    let unknown = |_: &str| JsonError::new("unknown compression algorithm".to_owned());
    let read = f.choice_or("compression", Compression::from_text, unknown)?;
    Ok(read.unwrap_or_default())
}

pub(crate) fn read_placement(f: &mut Fields) -> Read<Placement> {
    Ok(Placement {
        cluster: f.string("cluster")?,
        tags: f.strings("tags")?,
        preferred: f.string("preferred")?,
    })
}

fn read_source(f: &mut Fields) -> Read<StreamSource> {
    Ok(StreamSource {
        name: f.string("name")?,
        opt_start_seq: f.u64("opt_start_seq")?,
        opt_start_time: f.time("opt_start_time")?,
        filter_subject: f.string("filter_subject")?,
        subject_transforms: f.objects("subject_transforms", TRANSFORM, read_transform)?,
        external: f.object("external", "ExternalStream", |f| {
            Ok(External {
                api: f.string("api")?,
                deliver: f.string("deliver")?,
            })
        })?,
        consumer: f.object("consumer", "StreamConsumerSource", |f| {
            Ok(SourceConsumer {
                name: f.string("name")?,
                deliver_subject: f.string("deliver_subject")?,
            })
        })?,
    })
}

fn read_transform(f: &mut Fields) -> Read<SubjectTransform> {
    Ok(SubjectTransform {
        src: f.string("src")?,
        dest: f.string("dest")?,
    })
}

fn read_republish(f: &mut Fields) -> Read<Republish> {
    Ok(Republish {
        src: f.string("src")?,
        dest: f.string("dest")?,
        headers_only: f.bool("headers_only")?,
    })
}

fn read_consumer_limits(f: &mut Fields) -> Read<ConsumerLimits> {
    Ok(ConsumerLimits {
        inactive_threshold: f.duration("inactive_threshold")?,
        max_ack_pending: f.int("max_ack_pending")?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: &Value) -> Read<StreamConfig> {
        StreamConfig::from_json(value.to_string().as_bytes())
    }

    #[test]
    fn a_plain_configuration_prints_what_nats_server_prints_and_no_more() {
        let config = read(&json!({"name": "S", "subjects": ["a.>"]})).expect("a configuration");
        let printed: Value = serde_json::from_slice(&config.to_json()).expect("JSON");
        let expected = json!({
            "name": "S", "subjects": ["a.>"], "retention": "limits", "max_consumers": 0, "max_msgs": 0,
            "max_bytes": 0, "max_age": 0, "max_msgs_per_subject": 0, "discard": "old", "storage": "file",
            "num_replicas": 0, "compression": "none", "allow_direct": false, "mirror_direct": false,
            "sealed": false, "deny_delete": false, "deny_purge": false, "allow_rollup_hdrs": false,
            "consumer_limits": {}, "allow_msg_ttl": false,
        });
        assert_eq!(printed, expected);
    }

    #[test]
    fn every_field_is_read_and_printed_again() {
        let all = json!({
            "name": "S", "description": "d", "subjects": ["a"], "retention": "workqueue",
            "max_consumers": 1, "max_msgs": 2, "max_bytes": 3, "max_age": 4, "max_msgs_per_subject": 5,
            "max_msg_size": 6, "discard": "new", "storage": "memory", "num_replicas": 1, "no_ack": true,
            "duplicate_window": 7, "placement": {"cluster": "c", "tags": ["t"], "preferred": "p"},
            "mirror": {"name": "M", "opt_start_seq": 8, "opt_start_time": "2024-01-01T00:00:00Z",
                "filter_subject": "f", "subject_transforms": [{"src": "s", "dest": "d"}],
                "external": {"api": "x", "deliver": "y"},
                "consumer": {"name": "c", "deliver_subject": "ds"}},
            "sources": [{"name": "O"}], "compression": "s2", "first_seq": 9,
            "subject_transform": {"src": "a", "dest": "b"},
            "republish": {"src": "a", "dest": "r", "headers_only": true}, "allow_direct": true,
            "mirror_direct": true, "discard_new_per_subject": true, "sealed": true, "deny_delete": true,
            "deny_purge": true, "allow_rollup_hdrs": true,
            "consumer_limits": {"inactive_threshold": 10, "max_ack_pending": 11}, "allow_msg_ttl": true,
            "subject_delete_marker_ttl": 12, "allow_msg_counter": true, "allow_atomic": true,
            "allow_msg_schedules": true, "persist_mode": "async", "allow_batched": true,
            "metadata": {"k": "v"},
        });
        let config = read(&all).expect("a configuration");
        assert_eq!(serde_json::to_value(&config).expect("JSON"), all);
        assert_eq!(StreamConfig::from_json(&config.to_json()), Ok(config));
    }

    #[test]
    fn texts_that_are_no_choice_are_refused_in_nats_servers_words() {
        let text = |value| read(&value).expect_err("no choice").to_string();
        assert_eq!(
            text(json!({"retention": "x"})),
            r#"can not unmarshal "\"x\"""#
        );
        assert_eq!(
            text(json!({"storage": null})),
            r#"can not unmarshal "null""#
        );
        assert_eq!(
            text(json!({"compression": "zip"})),
            "unknown compression algorithm"
        );
        assert_eq!(
            text(json!({"mirror": {"nme": "x"}})),
            r#"json: unknown field "nme""#
        );
        assert_eq!(
            text(json!({"template_owner": "x"})),
            r#"json: unknown field "template_owner""#
        );
    }

    #[test]
    fn discard_is_read_in_any_case_and_an_empty_persist_mode_is_the_default() {
        let config = read(&json!({"discard": "New", "persist_mode": ""})).expect("a configuration");
        assert_eq!(config.discard, Discard::New);
        assert_eq!(config.persist_mode, PersistMode::Default);
    }
}
