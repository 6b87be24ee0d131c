//! What is particular to consumers by which streams elsewhere take from a stream here (E156, E157; `sourcing`): the name is
//! always the same, the messages of a work queue must not be let go before they are kept there, and a stream that has
//! the name of another one is told from it.

use recado_log::Journal;
use recado_wire::Headers;

use super::{Call, Outcome};
use crate::api::{self, Response};
use crate::config::{AckPolicy, ConsumerConfig, Retention};
use crate::context::Context;
use crate::error::{self, ApiError};
use crate::jetstream::events::unique_id;
use crate::jetstream::{Incoming, JetStream, sources};
use crate::stream::Stream;

/// Tells which stream is meant, and is.
const IDENTITY: &str = "Nats-Stream-Identity";
/// Letters that tell consumers of one name from each other.
const SUFFIX_LETTERS: usize = 8;

/// The identity of a stream, which whoever sources is told.
///
/// # Errors
/// 10225, when another one is expected.
pub(super) fn expect_identity(
    stream: &Stream,
    config: &ConsumerConfig,
    message: &Incoming<'_>,
) -> Result<Option<String>, ApiError> {
    if !config.direct && !config.sourcing {
        return Ok(None);
    }
    let identity = sources::identity(stream.created_ns);
    match asked(message) {
        Some(expected) if !expected.is_empty() && expected != identity => Err(ApiError::with(
            &error::CONSUMER_STREAM_IDENTITY_MISMATCH,
            identity,
        )),
        _ => Ok(Some(identity)),
    }
}

/// The identity of a stream, if a request asks for it.
pub(super) fn asked_identity(
    jetstream: &JetStream,
    id: u32,
    message: &Incoming<'_>,
) -> Option<String> {
    asked(message)?;
    let stream = jetstream.streams.get(&id)?;
    Some(sources::identity(stream.created_ns))
}

fn asked<'a>(message: &Incoming<'a>) -> Option<&'a str> {
    if message.headers.is_empty() {
        return None;
    }
    Headers::new(message.headers).get(IDENTITY)
}

/// The answer to what changed something, with the stream's identity where that is told.
pub(super) fn answered<R: Response>(
    result: Result<R, ApiError>,
    identity: Option<String>,
) -> Outcome {
    match (&result, identity) {
        (Ok(_), Some(identity)) => Outcome::AnswerWithHeaders {
            headers: format!("NATS/1.0\r\n{IDENTITY}: {identity}\r\n\r\n").into_bytes(),
            answer: api::answer_to(&result),
        },
        _ => Outcome::of_change(result),
    }
}

/// Makes of what is asked for what the stream can give: where messages are kept for consumers only, one that lasts and is
/// acknowledged as far as what was taken is kept; else one of many, for the same name is asked for again before the last is gone.
pub(super) fn fit(config: &mut ConsumerConfig, stream: &Stream, context: &mut Context<'_>) {
    if !config.direct || !config.sourcing || config.name.is_empty() {
        return;
    }
    if stream.config.retention == Retention::Limits {
        let suffix: String = unique_id(context).chars().take(SUFFIX_LETTERS).collect();
        config.name = format!("{}-{suffix}", config.name);
        return;
    }
    config.direct = false;
    config.durable_name.clone_from(&config.name);
    config.ack_policy = AckPolicy::FlowControl;
    config.ack_wait = 0;
    config.max_deliver = 0;
    config.inactive_threshold = 0;
}

impl JetStream {
    /// Whoever sources begins anew behind what it has acknowledged.
    pub(super) fn deliver_again(&mut self, call: &mut Call<'_, '_>, id: u32, name: &str) {
        let journal: &mut dyn Journal = call.journal;
        self.act_on(call.context, journal, id, name, |consumer, _, source| {
            // Back to the floor is always possible.
            let _ = consumer.reset(source, None);
            None
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::jetstream::world::World;
    use crate::time::SECOND;

    /// What nats-server 2.15 asks for a source of `O`, seen there.
    fn ask(world: &mut World, fields: &Value, identity: &str) -> (Value, String) {
        let mut config = json!({"name": "JS_SRC_OAEpJWvt", "deliver_policy": "all", "ack_policy": "none",
            "ack_wait": 79_200_000_000_000u64, "max_deliver": 1, "replay_policy": "instant", "flow_control": true,
            "deliver_subject": "sync.b.S.KX95U6rP", "idle_heartbeat": SECOND,
            "inactive_threshold": 10 * SECOND, "num_replicas": 0, "direct": true, "sourcing": true,
            "metadata": {"_nats.src.acc": "B", "_nats.src.stream": "S"}});
        if let (Some(config), Some(fields)) = (config.as_object_mut(), fields.as_object()) {
            config.extend(fields.clone());
        }
        let body = json!({"stream_name": "O", "config": config, "action": ""});
        let headers = format!(
            "NATS/1.0\r\nNats-Required-Api-Level: 5\r\nNats-Stream-Identity: {identity}\r\n\r\n"
        );
        world.ask_with("CONSUMER.CREATE.O", &headers, &body);
        world.batch();
        let (headers, answer) = world.seen("answer").remove(0);
        let answer = serde_json::from_str(&answer).expect("an answer in JSON");
        (answer, headers)
    }

    fn world(retention: &str) -> World {
        let mut world = World::new();
        world.create(&json!({"name": "O", "subjects": ["o.>"], "retention": retention}));
        for number in 0..3 {
            world.publish("o.x", "", &number.to_string());
        }
        world.batch();
        world
    }

    #[test]
    fn whoever_sources_gets_a_consumer_of_its_own_and_the_streams_identity() {
        let mut world = world("limits");
        let (first, headers) = ask(&mut world, &json!({}), "");
        let name = first["name"].as_str().expect("a name");
        assert!(
            name.starts_with("JS_SRC_OAEpJWvt-") && name.len() == 24,
            "{name}"
        );
        assert_eq!(first["config"]["name"], *name);
        assert_eq!(
            (&first["config"]["direct"], &first["num_pending"]),
            (&json!(true), &json!(3))
        );
        let identity = headers
            .trim_end()
            .rsplit(' ')
            .next()
            .expect("a value")
            .to_owned();
        assert_eq!(
            headers,
            format!("NATS/1.0\r\nNats-Stream-Identity: {identity}\r\n\r\n")
        );
        assert_eq!(identity.len(), 8);

        let begins = json!({"name": "JS_SRC_again", "deliver_policy": "by_start_sequence", "opt_start_seq": 3});
        let (again, _) = ask(&mut world, &begins, &identity);
        assert_eq!(
            (&again["error"], &again["num_pending"]),
            (&Value::Null, &json!(1))
        );
        assert_eq!(world.info("O")["state"]["consumer_count"], 0);
        let (other, headers) = ask(&mut world, &json!({}), "another1");
        assert_eq!(other["error"]["err_code"], 10225);
        assert_eq!(headers, "");
        let text = format!("consumer's stream identity does not match: {identity}");
        assert_eq!(other["error"]["description"], text);
    }

    #[test]
    fn who_asks_for_no_such_consumer_is_told_nothing_of_identities() {
        let mut world = world("limits");
        let plain = json!({"direct": false, "sourcing": false, "name": "own"});
        let (answer, headers) = ask(&mut world, &plain, "another1");
        assert_eq!((&answer["name"], headers.as_str()), (&json!("own"), ""));
    }

    #[test]
    fn a_stream_that_keeps_for_consumers_gives_one_that_lasts_and_acknowledges() {
        for retention in ["workqueue", "interest"] {
            let mut world = world(retention);
            let (first, headers) = ask(&mut world, &json!({}), "");
            assert!(headers.contains("Nats-Stream-Identity: "), "{headers}");
            let config = &first["config"];
            for (field, value) in [
                ("name", json!("JS_SRC_OAEpJWvt")),
                ("durable_name", json!("JS_SRC_OAEpJWvt")),
                ("ack_policy", json!("flow_control")),
                ("direct", Value::Null),
                ("sourcing", json!(true)),
                ("inactive_threshold", Value::Null),
            ] {
                assert_eq!(config[field], value, "{retention} {field}: {config}");
            }
            // It is the same one, and begins where it is, wherever it is asked to.
            let elsewhere = json!({"deliver_policy": "by_start_sequence", "opt_start_seq": 3,
                "deliver_subject": "sync.b.S.another"});
            let (again, _) = ask(&mut world, &elsewhere, "");
            assert_eq!(again["error"], Value::Null, "{again}");
            assert_eq!(again["config"]["deliver_policy"], "all");
            assert_eq!(again["config"]["deliver_subject"], "sync.b.S.another");
            assert_eq!(again["created"], first["created"]);
            let names = world.api("CONSUMER.NAMES.O", &json!({}));
            assert_eq!(names["consumers"], json!(["JS_SRC_OAEpJWvt"]));
        }
    }

    #[test]
    fn who_resets_a_consumer_is_told_the_identity_if_that_is_asked_for() {
        let mut world = world("workqueue");
        ask(&mut world, &json!({}), "");
        for (asks, told) in [
            ("", false),
            ("NATS/1.0\r\nNats-Stream-Identity: \r\n\r\n", true),
        ] {
            world.ask_with("CONSUMER.RESET.O.JS_SRC_OAEpJWvt", asks, &Value::Null);
            world.batch();
            let (headers, answer) = world.seen("answer").remove(0);
            assert_eq!(
                headers.contains("Nats-Stream-Identity: "),
                told,
                "{headers}"
            );
            assert!(answer.contains("\"reset_seq\":1"), "{answer}");
        }
    }
}
