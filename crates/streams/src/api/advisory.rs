//! Advisories and metrics (E210–E221): what happened to streams and consumers, for whoever listens. Each knows
//! its subject and its `type`; its id and time are given. Fields are those that nats-server sends, also where
//! the published schemas want others: pins without `server`, sequences of `nak` and `terminated` as numbers,
//! `snapshot_create` with `state` instead of blocks.

use recado_wire::Headers;
use serde::{Deserialize, Serialize, Serializer};

use super::header;
use super::info::StreamState;
use crate::config::json::is_default;
use crate::time::as_rfc3339;

/// What all subjects of advisories begin with.
pub const ADVISORY_PREFIX: &str = "$JS.EVENT.ADVISORY.";
/// What all subjects of metrics begin with.
pub const METRIC_PREFIX: &str = "$JS.EVENT.METRIC.";

/// Where calls of the API are told of.
pub const AUDIT_SUBJECT: &str = "$JS.EVENT.ADVISORY.API";

/// Something to tell.
pub trait Advisory: Serialize {
    /// Its `type`.
    const TYPE: &'static str;

    /// Where it is published.
    fn subject(&self) -> String;

    /// Its bytes; `time` in Unix nanoseconds.
    fn to_json(&self, id: &str, time: i64) -> Vec<u8> {
        let event = Event {
            kind: Self::TYPE,
            id,
            timestamp: time,
            body: self,
        };
        // None of them has a map with other keys than text, so it can't fail.
        serde_json::to_vec(&event).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Event<'a, T: Serialize + ?Sized> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: &'a str,
    #[serde(serialize_with = "as_rfc3339")]
    timestamp: i64,
    #[serde(flatten)]
    body: &'a T,
}

/// What was done to a stream or consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Created,
    /// It was changed.
    Updated,
    /// It is gone.
    Deleted,
}

impl Action {
    fn in_subject(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Updated => "UPDATED",
            Self::Deleted => "DELETED",
        }
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Created => "create",
            Self::Updated => "modify",
            Self::Deleted => "delete",
        })
    }
}

/// The client that asked for something, as advisories name it. Read from what the server put into the request: see
/// [`header::REQUEST_INFO`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Client {
    /// When it connected, in RFC 3339.
    #[serde(skip_serializing_if = "is_default")]
    pub start: String,
    /// Its address.
    #[serde(skip_serializing_if = "is_default")]
    pub host: String,
    /// Its number.
    #[serde(skip_serializing_if = "is_default")]
    pub id: u64,
    /// Its account.
    #[serde(skip_serializing_if = "is_default")]
    pub acc: String,
    /// Its user.
    #[serde(skip_serializing_if = "is_default")]
    pub user: String,
    /// Its name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The language of its library.
    #[serde(skip_serializing_if = "is_default")]
    pub lang: String,
    /// The version of its library.
    #[serde(skip_serializing_if = "is_default")]
    pub ver: String,
    /// Its round trip, in nanoseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub rtt: i64,
    /// The server's name.
    #[serde(skip_serializing_if = "is_default")]
    pub server: String,
    /// `Client`, `Leafnode` and so on.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// `nats`, `websocket` and so on.
    #[serde(skip_serializing_if = "is_default")]
    pub client_type: String,
}

impl Client {
    /// Who sent a message with these headers. The server's word comes last: what stands before it says the sender.
    pub fn of(headers: &[u8]) -> Option<Self> {
        let all = Headers::new(headers).iter();
        let (_, info) = all
            .filter(|(name, _)| *name == header::REQUEST_INFO)
            .last()?;
        serde_json::from_str(info).ok()
    }
}

/// Why a batch was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchAbandoned {
    /// It took too long.
    Timeout,
    /// It grew too large.
    Large,
    /// Some of it is missing.
    Incomplete,
    /// It asks for what there is not.
    Unsupported,
}

impl Serialize for BatchAbandoned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Timeout => "timeout",
            Self::Large => "large",
            Self::Incomplete => "incomplete",
            Self::Unsupported => "unsupported",
        })
    }
}

macro_rules! advisories {
    ($($(#[$doc:meta])* $name:ident = $kind:literal, |$this:ident| $subject:expr; {
        $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// The server's domain.
            #[serde(skip_serializing_if = "is_default")]
            pub domain: String,
        }

        impl Advisory for $name {
            const TYPE: &'static str = concat!("io.nats.jetstream.", $kind);

            fn subject(&self) -> String {
                let $this = self;
                $subject
            }
        }
    )*};
}

fn of_stream(what: &str, stream: &str) -> String {
    format!("{ADVISORY_PREFIX}STREAM.{what}.{stream}")
}

fn of_consumer(what: &str, stream: &str, consumer: &str) -> String {
    format!("{ADVISORY_PREFIX}CONSUMER.{what}.{stream}.{consumer}")
}

advisories! {
    /// A stream was created, changed or deleted.
    StreamAction = "advisory.v1.stream_action",
    |this| of_stream(this.action.in_subject(), &this.stream); {
        /// Which.
        stream: String,
        /// What was done.
        action: Action,
    }
    /// A consumer was created or deleted.
    ConsumerAction = "advisory.v1.consumer_action",
    |this| of_consumer(this.action.in_subject(), &this.stream, &this.consumer); {
        /// Of which stream.
        stream: String,
        /// Which.
        consumer: String,
        /// What was done.
        action: Action,
    }
    /// A consumer was paused, or goes on.
    ConsumerPause = "advisory.v1.consumer_pause",
    |this| of_consumer("PAUSE", &this.stream, &this.consumer); {
        /// Of which stream.
        stream: String,
        /// Which.
        consumer: String,
        /// Whether it is paused.
        paused: bool,
        /// Until when; `ZERO_TIME` for not at all.
        #[serde(serialize_with = "as_rfc3339")]
        pause_until: i64,
    }
    /// A client was pinned.
    ConsumerGroupPinned = "advisory.v1.consumer_group_pinned",
    |this| of_consumer("PINNED", &this.stream, &this.consumer); {
        /// The account.
        #[serde(skip_serializing_if = "is_default")]
        account: String,
        /// Of which stream.
        stream: String,
        /// Of which consumer.
        consumer: String,
        /// Which group.
        group: String,
        /// The client's pin.
        pinned_id: String,
    }
    /// A client lost its pin.
    ConsumerGroupUnpinned = "advisory.v1.consumer_group_unpinned",
    |this| of_consumer("UNPINNED", &this.stream, &this.consumer); {
        /// The account.
        #[serde(skip_serializing_if = "is_default")]
        account: String,
        /// Of which stream.
        stream: String,
        /// Of which consumer.
        consumer: String,
        /// Which group.
        group: String,
        /// `admin` or `timeout`.
        reason: String,
    }
    /// A message was delivered as often as it may be, and not acknowledged.
    MaxDeliver = "advisory.v1.max_deliver",
    |this| of_consumer("MAX_DELIVERIES", &this.stream, &this.consumer); {
        /// Of which stream.
        stream: String,
        /// To which consumer.
        consumer: String,
        /// Which message.
        stream_seq: u64,
        /// How often.
        deliveries: u64,
    }
    /// A message was refused.
    MsgNaked = "advisory.v1.nak",
    |this| of_consumer("MSG_NAKED", &this.stream, &this.consumer); {
        /// Of which stream.
        stream: String,
        /// By which consumer.
        consumer: String,
        /// Which delivery.
        consumer_seq: u64,
        /// Which message.
        stream_seq: u64,
        /// How often it was delivered.
        deliveries: u64,
    }
    /// A message was given up by its consumer.
    MsgTerminated = "advisory.v1.terminated",
    |this| of_consumer("MSG_TERMINATED", &this.stream, &this.consumer); {
        /// Of which stream.
        stream: String,
        /// By which consumer.
        consumer: String,
        /// Which delivery.
        consumer_seq: u64,
        /// Which message.
        stream_seq: u64,
        /// How often it was delivered.
        deliveries: u64,
        /// Why.
        #[serde(skip_serializing_if = "is_default")]
        reason: String,
    }
    /// How long an ack took; a sample of them.
    AckMetric = "metric.v1.consumer_ack",
    |this| format!("{METRIC_PREFIX}CONSUMER.ACK.{}.{}", this.stream, this.consumer); {
        /// Of which stream.
        stream: String,
        /// Of which consumer.
        consumer: String,
        /// Which delivery.
        consumer_seq: u64,
        /// Which message.
        stream_seq: u64,
        /// From delivery to ack, in nanoseconds.
        ack_time: i64,
        /// How often it was delivered.
        deliveries: u64,
    }
    /// A snapshot begins.
    SnapshotCreate = "advisory.v1.snapshot_create",
    |this| of_stream("SNAPSHOT_CREATE", &this.stream); {
        /// Of which stream.
        stream: String,
        /// What it holds.
        state: StreamState,
        /// For whom.
        client: Client,
    }
    /// A snapshot is over.
    SnapshotComplete = "advisory.v1.snapshot_complete",
    |this| of_stream("SNAPSHOT_COMPLETE", &this.stream); {
        /// Of which stream.
        stream: String,
        /// When it began.
        #[serde(serialize_with = "as_rfc3339")]
        start: i64,
        /// When it ended.
        #[serde(serialize_with = "as_rfc3339")]
        end: i64,
        /// For whom.
        client: Client,
        /// Why it failed.
        #[serde(skip_serializing_if = "is_default")]
        error: String,
    }
    /// A restore begins.
    RestoreCreate = "advisory.v1.restore_create",
    |this| of_stream("RESTORE_CREATE", &this.stream); {
        /// Of which stream.
        stream: String,
        /// By whom.
        client: Client,
    }
    /// A restore is over.
    RestoreComplete = "advisory.v1.restore_complete",
    |this| of_stream("RESTORE_COMPLETE", &this.stream); {
        /// Of which stream.
        stream: String,
        /// When it began.
        #[serde(serialize_with = "as_rfc3339")]
        start: i64,
        /// When it ended.
        #[serde(serialize_with = "as_rfc3339")]
        end: i64,
        /// What came.
        bytes: i64,
        /// By whom.
        client: Client,
    }
    /// A batch was given up.
    StreamBatchAbandoned = "advisory.v1.stream_batch_abandoned",
    |this| of_stream("BATCH_ABANDONED", &this.stream); {
        /// Of which stream.
        stream: String,
        /// Which.
        batch: String,
        /// Why.
        reason: BatchAbandoned,
    }
    /// There is no room left.
    ServerOutOfSpace = "advisory.v1.server_out_of_space",
    |_this| format!("{ADVISORY_PREFIX}SERVER.OUT_OF_STORAGE"); {
        /// The server's name.
        server: String,
        /// The server's id.
        server_id: String,
        /// The stream that had no room.
        #[serde(skip_serializing_if = "is_default")]
        stream: String,
        /// The cluster.
        cluster: String,
    }
    /// Something was asked through the API.
    ApiAudit = "advisory.v1.api_audit",
    |_this| AUDIT_SUBJECT.to_owned(); {
        /// The server's name.
        server: String,
        /// Who asked.
        client: Client,
        /// The call.
        subject: String,
        /// Its body.
        #[serde(skip_serializing_if = "is_default")]
        request: String,
        /// The answer.
        response: String,
    }
    /// More was asked through the API than can wait; what waited was dropped.
    ApiLimitReached = "advisory.v1.api_limit_reached",
    |_this| format!("{ADVISORY_PREFIX}API.LIMIT_REACHED"); {
        /// The server's name.
        server: String,
        /// Requests that were dropped.
        dropped: i64,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::time::ZERO_TIME;

    fn sent(advisory: &impl Advisory) -> Value {
        serde_json::from_slice(&advisory.to_json("ID", 0)).expect("JSON")
    }

    #[test]
    fn an_advisory_has_its_type_id_and_time() {
        let advisory = StreamAction {
            stream: "S".to_owned(),
            action: Action::Updated,
            domain: String::new(),
        };
        assert_eq!(advisory.subject(), "$JS.EVENT.ADVISORY.STREAM.UPDATED.S");
        let expected = json!({"type": "io.nats.jetstream.advisory.v1.stream_action", "id": "ID",
            "timestamp": "1970-01-01T00:00:00Z", "stream": "S", "action": "modify"});
        assert_eq!(sent(&advisory), expected);
    }

    #[test]
    fn deliveries_that_were_too_many_are_told_as_dead_letter_tools_expect() {
        let advisory = MaxDeliver {
            stream: "S".to_owned(),
            consumer: "C".to_owned(),
            stream_seq: 5,
            deliveries: 3,
            domain: "hub".to_owned(),
        };
        assert_eq!(
            advisory.subject(),
            "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.S.C"
        );
        let expected = json!({"type": "io.nats.jetstream.advisory.v1.max_deliver", "id": "ID",
            "timestamp": "1970-01-01T00:00:00Z", "stream": "S", "consumer": "C", "stream_seq": 5,
            "deliveries": 3, "domain": "hub"});
        assert_eq!(sent(&advisory), expected);
    }

    #[test]
    fn who_asked_is_told_by_the_last_header_and_shown_as_nats_server_shows_it() {
        let block = b"NATS/1.0\r\nNats-Request-Info: {\"name\":\"root\"}\r\nA: b\r\n\
            Nats-Request-Info: {\"start\":\"1970-01-01T00:00:00Z\",\"host\":\"::1\",\"port\":7,\"id\":5,\"name\":\"ana\"}\r\n\r\n";
        let client = Client::of(block).expect("a client");
        let shown = serde_json::to_value(&client).expect("JSON");
        let expected =
            json!({"start": "1970-01-01T00:00:00Z", "host": "::1", "id": 5, "name": "ana"});
        assert_eq!(shown, expected);
        assert_eq!(Client::of(b""), None);
        assert_eq!(
            Client::of(b"NATS/1.0\r\nNats-Request-Info: no JSON\r\n\r\n"),
            None
        );
    }

    #[test]
    fn an_ack_is_measured_on_the_metric_subject() {
        let metric = AckMetric {
            stream: "S".to_owned(),
            consumer: "C".to_owned(),
            consumer_seq: 1,
            stream_seq: 2,
            ack_time: 3,
            deliveries: 4,
            domain: String::new(),
        };
        assert_eq!(metric.subject(), "$JS.EVENT.METRIC.CONSUMER.ACK.S.C");
        assert_eq!(
            sent(&metric)["type"],
            "io.nats.jetstream.metric.v1.consumer_ack"
        );
    }

    #[test]
    fn going_on_is_told_with_the_zero_time() {
        let advisory = ConsumerPause {
            stream: "S".to_owned(),
            consumer: "C".to_owned(),
            paused: false,
            pause_until: ZERO_TIME,
            domain: String::new(),
        };
        assert_eq!(sent(&advisory)["pause_until"], "0001-01-01T00:00:00Z");
    }
}
