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
/// A consumer that is not there, as it is told of a look or deletion, and of a change.
const CONSUMER_NOT_FOUND: u64 = 10014;
const CONSUMER_DOES_NOT_EXIST: u64 = 10149;
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
            Err(trouble) if is_without_stream(&trouble) => {}
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

/// What a consumer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// Everything up to this sequence of the stream is acknowledged, or gone.
    pub(super) floor: u64,
    /// So many acknowledgements.
    pub(super) waits_for: u64,
}

impl Progress {
    fn of(info: &Value) -> Self {
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        Self {
            floor: number(&info["ack_floor"]["stream_seq"]),
            waits_for: number(&info["num_ack_pending"]),
        }
    }
}

/// What a consumer of a subscription is to be like.
pub(super) struct Wanted<'a> {
    pub(super) subjects: &'a Subjects,
    pub(super) options: &'a MqttOptions,
    pub(super) keeps_session: bool,
}

impl Wanted<'_> {
    fn request(&self, consumer: &Consumer, action: &str) -> Value {
        let options = self.options;
        let stored = |subject: &String| format!("{}{subject}", names::MESSAGES_PREFIX);
        let mut filters = vec![stored(&self.subjects.filter)];
        filters.extend(self.subjects.parent.as_ref().map(stored));
        let inactive_ns = match self.keeps_session {
            true => options.consumer_inactive_threshold.as_nanos() as u64,
            false => CLEAN_INACTIVE_NS,
        };
        json!({
            "stream_name": names::MESSAGES,
            "action": action,
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
        })
    }
}

/// Makes a consumer.
pub(super) async fn make_consumer(
    keeper: &mut Keeper,
    consumer: &Consumer,
    wanted: &Wanted<'_>,
) -> Result<(), Trouble> {
    let request = wanted.request(consumer, "create");
    let call = format!("CONSUMER.CREATE.{}.{}", names::MESSAGES, consumer.durable);
    let made = keeper.call(&call, &request, "to make a consumer for a subscription");
    made.await.map(drop)
}

/// Changes a consumer to what is configured now, and tells what it waits for; `None`: it is gone, or its stream is. One that
/// can't be changed stays as it is.
pub(super) async fn take_up_consumer(
    keeper: &mut Keeper,
    consumer: &Consumer,
    wanted: &Wanted<'_>,
) -> Result<Option<Progress>, Trouble> {
    let request = wanted.request(consumer, "update");
    let place = format!("{}.{}", names::MESSAGES, consumer.durable);
    let call = format!("CONSUMER.CREATE.{place}");
    let what = "to change the consumer of a subscription";
    let refused = match keeper.call(&call, &request, what).await {
        Ok(info) => return Ok(Some(Progress::of(&info))),
        Err(trouble) if is_gone(&trouble) => return Ok(None),
        Err(trouble) if trouble.err_code().is_some() => trouble,
        Err(trouble) => return Err(trouble),
    };
    let info = format!("CONSUMER.INFO.{place}");
    let what = "a look at the consumer of a subscription";
    match keeper.call(&info, &Value::Null, what).await {
        Ok(info) => {
            let durable = &consumer.durable;
            tracing::warn!(%durable, "a consumer of an MQTT session stays as it is, not as mqtt is configured now: {refused}");
            Ok(Some(Progress::of(&info)))
        }
        Err(trouble) if is_gone(&trouble) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// A consumer is not there, or its stream is not.
fn is_gone(trouble: &Trouble) -> bool {
    is_without_stream(trouble)
        || matches!(
            trouble.err_code(),
            Some(CONSUMER_NOT_FOUND | CONSUMER_DOES_NOT_EXIST)
        )
}

/// A stream is not there: somebody deleted it.
pub(super) fn is_without_stream(trouble: &Trouble) -> bool {
    trouble.err_code() == Some(STREAM_NOT_FOUND)
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
        Err(trouble) if is_gone(&trouble) => Ok(()),
        other => other.map(drop),
    }
}

/// Deletes all messages on the subjects that match, if there is a stream with such.
pub(super) async fn purge(keeper: &mut Keeper, stream: &str, filter: &str) -> Result<(), Trouble> {
    let (call, request) = (format!("STREAM.PURGE.{stream}"), json!({"filter": filter}));
    match keeper.call(&call, &request, "to purge what is over").await {
        Err(trouble) if is_without_stream(&trouble) => Ok(()),
        other => other.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_consumer_waits_for_is_in_what_it_tells_of_itself() {
        let info =
            json!({ "ack_floor": { "consumer_seq": 3, "stream_seq": 7 }, "num_ack_pending": 2 });
        let (floor, waits_for) = (7, 2);
        assert_eq!(Progress::of(&info), Progress { floor, waits_for });
    }
}
