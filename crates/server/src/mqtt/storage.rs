//! The streams and consumers that MQTT needs in an account. They are made when its first client comes.

use recado_mqtt::Subjects;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::keeper::{Keeper, Trouble};
use super::names;
use crate::config::MqttOptions;

/// The stream has that name already, with another configuration: somebody changed it, and it stays so.
const NAME_IN_USE: u64 = 10058;
/// A stream that is not there.
const STREAM_NOT_FOUND: u64 = 10059;
/// A consumer that is not there.
const CONSUMER_NOT_FOUND: u64 = 10014;
/// Consumers of clients that keep no session go when these are gone for so long: they are deleted before, unless the
/// server was killed.
const CLEAN_INACTIVE_NS: u64 = 60 * 1_000_000_000;

/// A consumer of one subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Consumer {
    #[serde(rename = "durable_name")]
    pub(super) durable: String,
    #[serde(rename = "deliver_subject")]
    pub(super) delivery: String,
}

/// Makes the streams that are not there. `domain` is what sessions' subjects have in front.
pub(super) async fn ensure_streams(keeper: &mut Keeper, domain: &str) -> Result<(), Trouble> {
    for config in configs(domain) {
        let name = config["name"].as_str().unwrap_or_default().to_owned();
        let info = format!("STREAM.INFO.{name}");
        match keeper
            .call(&info, &Value::Null, "a look at a stream of MQTT")
            .await
        {
            Ok(_) => continue,
            Err(trouble) if trouble.err_code() == Some(STREAM_NOT_FOUND) => {}
            Err(trouble) => return Err(trouble),
        }
        let create = format!("STREAM.CREATE.{name}");
        let made = keeper
            .call(&create, &config, "to make a stream of MQTT")
            .await;
        match made {
            Err(trouble) if trouble.err_code() != Some(NAME_IN_USE) => return Err(trouble),
            _ => tracing::info!(stream = %name, "stream for MQTT made"),
        }
    }
    Ok(())
}

fn configs(domain: &str) -> [Value; 5] {
    let limits = |name: &str, subjects: String| {
        json!({
            "name": name, "subjects": [subjects], "storage": "file", "retention": "limits",
            "num_replicas": 1, "max_msgs_per_subject": 1, "allow_direct": true,
        })
    };
    let mut incoming = limits(names::INCOMING, format!("{}>", names::INCOMING_PREFIX));
    // The same message that comes again is refused, and the first one stays.
    incoming["discard"] = json!("new");
    incoming["discard_new_per_subject"] = json!(true);
    [
        limits(
            names::SESSIONS,
            format!("{}{domain}>", names::SESSIONS_PREFIX),
        ),
        json!({
            "name": names::MESSAGES, "subjects": [format!("{}>", names::MESSAGES_PREFIX)],
            "storage": "file", "retention": "interest", "num_replicas": 1,
        }),
        incoming,
        // nats-server delivers these by a consumer; here each is found by its packet identifier when a client comes back.
        limits(names::OUTGOING, format!("{}>", names::OUTGOING_PREFIX)),
        limits(names::RETAINED, format!("{}>", names::RETAINED_PREFIX)),
    ]
}

/// Makes a consumer, or changes it to what is configured now.
pub(super) async fn ensure_consumer(
    keeper: &mut Keeper,
    consumer: &Consumer,
    subjects: &Subjects,
    options: &MqttOptions,
    keeps_session: bool,
) -> Result<(), Trouble> {
    let stored = |subject: &String| format!("{}{subject}", names::MESSAGES_PREFIX);
    let mut filters = vec![stored(&subjects.filter)];
    filters.extend(subjects.parent.as_ref().map(stored));
    let inactive_ns = match keeps_session {
        true => options.consumer_inactive_threshold.as_nanos() as u64,
        false => CLEAN_INACTIVE_NS,
    };
    let request = json!({
        "stream_name": names::MESSAGES,
        "config": {
            "name": consumer.durable,
            "durable_name": consumer.durable,
            "deliver_subject": consumer.delivery,
            "deliver_policy": "new",
            "ack_policy": "explicit",
            "ack_wait": options.ack_wait.as_nanos() as u64,
            "max_ack_pending": options.max_ack_pending,
            "filter_subjects": filters,
            "mem_storage": options.consumer_memory_storage,
            "inactive_threshold": inactive_ns,
        },
    });
    let call = format!("CONSUMER.CREATE.{}.{}", names::MESSAGES, consumer.durable);
    let made = keeper.call(&call, &request, "to make a consumer for a subscription");
    made.await.map(drop)
}

/// Deletes a consumer, if it is still there.
pub(super) async fn delete_consumer(
    keeper: &mut Keeper,
    consumer: &Consumer,
) -> Result<(), Trouble> {
    let call = format!("CONSUMER.DELETE.{}.{}", names::MESSAGES, consumer.durable);
    let deleted = keeper.call(
        &call,
        &Value::Null,
        "to delete a consumer of a subscription",
    );
    match deleted.await {
        Err(trouble) if trouble.err_code() == Some(CONSUMER_NOT_FOUND) => Ok(()),
        other => other.map(drop),
    }
}

/// Deletes all messages on the subjects that match.
pub(super) async fn purge(keeper: &mut Keeper, stream: &str, filter: &str) -> Result<(), Trouble> {
    let (call, request) = (format!("STREAM.PURGE.{stream}"), json!({"filter": filter}));
    let purged = keeper.call(&call, &request, "to purge what is over").await;
    purged.map(drop)
}
