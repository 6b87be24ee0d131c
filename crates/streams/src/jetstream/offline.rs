//! Streams and consumers that this version can't serve, since a newer one wrote them with what this one does not know
//! (E236, ADR-44). All that the log has of them stays as it is, for the version that knows it: nothing is stored, nothing is
//! delivered, no limit takes anything away. Lists name them with the reason, whatever else is asked is refused with it
//! (10194, 10195), no other stream may take their subjects, and they can be deleted.

use std::collections::BTreeMap;

use recado_log::Journal;

use super::JetStream;
use super::graves::Gone;
use crate::api::advisory::Action;
use crate::config::{StreamConfig, subjects_overlap};
use crate::context::Context;
use crate::error::{self, ApiError};
use crate::stream::{Unsupported, store_failed};

/// A stream that can't be served, or that has a consumer which can't: that may have to see each message before it goes.
#[derive(Clone, Debug)]
pub(super) struct OfflineStream {
    id: u32,
    subjects: Vec<String>,
    why: String,
    /// Its consumers that can't be served; of others nothing is known as long as the stream is offline.
    consumers: BTreeMap<String, OfflineConsumer>,
}

#[derive(Clone, Debug)]
struct OfflineConsumer {
    /// Its number in the log.
    number: u64,
    why: String,
}

impl OfflineStream {
    /// A stream that was found in the log with this configuration. `unsupported`: why not, if it is not for a consumer only.
    pub(super) fn found(
        id: u32,
        config: &StreamConfig,
        unsupported: Option<Unsupported>,
        consumers: impl IntoIterator<Item = (u64, Unsupported)>,
    ) -> Self {
        let consumers: BTreeMap<String, OfflineConsumer> = consumers
            .into_iter()
            .map(|(number, Unsupported { name, why, .. })| (name, OfflineConsumer { number, why }))
            .collect();
        let stopped = || {
            let first = consumers.keys().next().map_or("", String::as_str);
            format!("stopped - unsupported consumer {first:?}")
        };
        let (subjects, why) = match unsupported {
            Some(unsupported) => (unsupported.subjects, unsupported.why),
            None => (config.subjects.clone(), stopped()),
        };
        Self {
            id,
            subjects,
            why,
            consumers,
        }
    }

    pub(super) fn has_subject(&self, filter: &str) -> bool {
        self.subjects
            .iter()
            .any(|own| subjects_overlap(own, filter))
    }

    /// Why it is not served.
    pub(super) fn why(&self) -> &str {
        &self.why
    }

    fn error(&self) -> ApiError {
        ApiError::with(&error::STREAM_OFFLINE_REASON, &self.why)
    }
}

/// What a list tells of those that are offline: names and reasons.
pub(super) type Reasons = BTreeMap<String, String>;

impl JetStream {
    /// A stream is in the store and is not served.
    pub(super) fn set_aside(&mut self, name: String, stream: OfflineStream) {
        self.moves.push((stream.id, true));
        self.adrift.insert(stream.id);
        self.offline.insert(name, stream);
    }

    /// The answer to whoever asks for a stream that is not among those that are served.
    pub(super) fn not_served(&self, name: &str) -> ApiError {
        match self.offline.get(name) {
            Some(stream) => stream.error(),
            None => ApiError::new(&error::STREAM_NOT_FOUND),
        }
    }

    /// What lists of streams tell of these, of which some are offline.
    pub(super) fn offline_among<'a>(&self, names: impl Iterator<Item = &'a String>) -> Reasons {
        let reason = |name: &String| Some((name.clone(), self.offline.get(name)?.why.clone()));
        names.filter_map(reason).collect()
    }

    /// Consumers of a stream that is offline, as lists tell of them; none: it is served, or not there at all.
    pub(super) fn offline_consumers(&self, stream: &str) -> Option<Reasons> {
        let consumers = self.offline.get(stream)?.consumers.iter();
        Some(
            consumers
                .map(|(name, one)| (name.clone(), one.why.clone()))
                .collect(),
        )
    }

    /// The answer to whoever asks for a consumer of a stream that is not among those that are served.
    pub(super) fn consumer_not_served(&self, stream: &str, name: &str) -> ApiError {
        let Some(offline) = self.offline.get(stream) else {
            return ApiError::new(&error::STREAM_NOT_FOUND);
        };
        match offline.consumers.get(name) {
            Some(consumer) => ApiError::with(&error::CONSUMER_OFFLINE_REASON, &consumer.why),
            None => offline.error(),
        }
    }

    /// Deletes a stream that is offline, if it is one. What it took is free at the next start, which knows where all of it
    /// lies.
    ///
    /// # Errors
    /// When the log does not take it.
    pub(super) fn delete_offline(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        name: &str,
    ) -> Result<bool, ApiError> {
        let Some(stream) = self.offline.get(name).map(|stream| stream.id) else {
            return Ok(false);
        };
        let consumer = None;
        self.bury(journal, Gone { stream, consumer })
            .map_err(|refused| store_failed(&refused))?;
        self.offline.remove(name);
        self.adrift.remove(&stream);
        self.moves.push((stream, false));
        self.advise_stream(context, name, Action::Deleted);
        Ok(true)
    }

    /// Deletes a consumer that is offline. Its stream stays so until the next start.
    ///
    /// # Errors
    /// When there is none of that name, or the log does not take it.
    pub(super) fn delete_offline_consumer(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        stream: &str,
        name: &str,
    ) -> Result<(), ApiError> {
        let offline = self.offline.get(stream);
        let found = offline.and_then(|offline| {
            let consumer = offline.consumers.get(name)?;
            Some((offline.id, consumer.number))
        });
        let Some((id, number)) = found else {
            return Err(self.consumer_not_served(stream, name));
        };
        let what = Gone {
            stream: id,
            consumer: Some(number),
        };
        self.bury(journal, what)
            .map_err(|refused| store_failed(&refused))?;
        if let Some(offline) = self.offline.get_mut(stream) {
            offline.consumers.remove(name);
        }
        self.advise_consumer(context, stream, name, Action::Deleted);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::jetstream::world::World;
    use crate::stream::kinds;

    fn create_consumer(world: &mut World, name: &str) {
        let config = json!({"name": name, "durable_name": name, "ack_policy": "explicit"});
        let request = json!({"stream_name": "S", "config": config});
        let answer = world.api(&format!("CONSUMER.CREATE.S.{name}"), &request);
        assert!(answer["error"].is_null(), "{answer}");
    }

    /// A stream S with three messages and a consumer, and another stream.
    fn world() -> World {
        let mut world = World::new();
        world.create(&json!({"name": "S", "subjects": ["s.>"]}));
        world.create(&json!({"name": "A", "subjects": ["a.>"]}));
        for payload in ["one", "two", "three"] {
            world.publish("s.x", "", payload);
        }
        create_consumer(&mut world, "c");
        world.batch();
        world
    }

    fn restarted(world: &World) -> World {
        world.restarted_with(world.journal.len())
    }

    /// As if a version of this level had written the configuration of `S` last.
    fn of_level(level: &str) -> World {
        let mut world = world();
        rewrite_stream(&mut world, |config| {
            config["metadata"]["_nats.req.level"] = json!(level);
            // It may mean something else by then.
            config["max_msgs"] = json!(1);
        });
        restarted(&world)
    }

    fn rewrite_stream(world: &mut World, edit: impl FnOnce(&mut Value)) {
        // That of `A` was written last.
        world.rewrite(kinds::STREAM_CONFIG, |stored| {
            stored["config"]["name"] = json!("S");
            stored["config"]["subjects"] = json!(["s.>"]);
            edit(&mut stored["config"]);
        });
        world.number_last_record(1);
    }

    fn refused(answer: &Value) -> (u64, String) {
        let error = &answer["error"];
        let text = error["description"].as_str().unwrap_or_default();
        (error["err_code"].as_u64().unwrap_or(0), text.to_owned())
    }

    type Edit = fn(&mut Value);

    const WHY: &str = "unsupported - required API level: 6, current API level: 5";

    #[test]
    fn a_stream_of_a_newer_version_is_named_with_the_reason_and_refused() {
        let mut world = of_level("6");
        let list = world.api("STREAM.LIST", &Value::Null);
        assert_eq!(list["streams"].as_array().map(Vec::len), Some(1));
        assert_eq!(list["missing"], json!(["S"]));
        assert_eq!(list["offline"], json!({"S": WHY}));
        assert_eq!(list["total"], 2);
        let names = world.api("STREAM.NAMES", &Value::Null);
        assert_eq!(names["streams"], json!(["A", "S"]));
        let of_subject = world.api("STREAM.NAMES", &json!({"subject": "s.1"}));
        assert_eq!(of_subject["streams"], json!(["S"]));
        let expected = (10194, format!("stream is offline: {WHY}"));
        for (call, body) in [
            ("STREAM.INFO.S", Value::Null),
            ("STREAM.PURGE.S", Value::Null),
            ("STREAM.CREATE.S", json!({"name": "S"})),
            ("STREAM.UPDATE.S", json!({"name": "S"})),
            ("STREAM.MSG.GET.S", json!({"seq": 1})),
            ("STREAM.MSG.DELETE.S", json!({"seq": 1})),
            ("CONSUMER.INFO.S.c", Value::Null),
            ("CONSUMER.DELETE.S.c", Value::Null),
            (
                "CONSUMER.CREATE.S.d",
                json!({"stream_name": "S", "config": {"name": "d", "durable_name": "d"}}),
            ),
        ] {
            assert_eq!(refused(&world.api(call, &body)), expected, "{call}");
        }
        let other = json!({"name": "B", "subjects": ["s.y"]});
        assert_eq!(refused(&world.api("STREAM.CREATE.B", &other)).0, 10065);
        // The other one is as it was.
        assert!(world.info("A")["error"].is_null());
        world.publish("a.x", "", "one");
    }

    #[test]
    fn nothing_of_it_is_lost_until_the_version_that_knows_it_is_back() {
        let mut world = of_level("6");
        for kind in [
            kinds::MESSAGE,
            kinds::CONSUMER_CONFIG,
            kinds::CONSUMER_SNAPSHOT,
        ] {
            let (all, live) = world.live(kind);
            assert!(all > 0 && all == live, "{kind}: {live} of {all}");
        }
        world.fail_batch();
        assert_eq!(world.info("S")["error"]["err_code"], 10194);
        rewrite_stream(&mut world, |config| {
            config["metadata"]["_nats.req.level"] = json!("0");
            config["max_msgs"] = json!(-1);
        });
        let mut back = restarted(&world);
        assert_eq!(back.payloads("S"), ["one", "two", "three"]);
        let info = back.api("CONSUMER.INFO.S.c", &Value::Null);
        assert_eq!(info["num_pending"], 3);
    }

    #[test]
    fn one_that_is_deleted_is_gone_for_good() {
        let mut world = of_level("6");
        let answer = world.api("STREAM.DELETE.S", &Value::Null);
        assert_eq!(answer["success"], true);
        assert_eq!(world.info("S")["error"]["err_code"], 10059);
        assert_eq!(world.live(kinds::MESSAGE).1, 0);
        let mut again = restarted(&world);
        assert_eq!(again.info("S")["error"]["err_code"], 10059);
        again.create(&json!({"name": "S", "subjects": ["s.>"]}));
        assert!(again.payloads("S").is_empty());
    }

    #[test]
    fn what_is_not_known_is_told_in_the_words_of_nats_server() {
        let edits: [(Edit, &str); 3] = [
            (
                |config| config["flavour"] = json!(1),
                "decoding error: json: unknown field \"flavour\"",
            ),
            (
                |config| config["retention"] = json!("forever"),
                "decoding error: can not unmarshal \"\\\"forever\\\"\"",
            ),
            (
                |config| {
                    config["flavour"] = json!(1);
                    config["metadata"] = json!({"_nats.req.level": "7"});
                },
                "unsupported - config error: unknown field \"flavour\"",
            ),
        ];
        for (edit, why) in edits {
            let mut world = world();
            rewrite_stream(&mut world, edit);
            let list = restarted(&world).api("STREAM.LIST", &Value::Null);
            assert_eq!(list["offline"], json!({"S": why}));
        }
    }

    #[test]
    fn a_consumer_of_a_newer_version_stops_its_stream_until_it_is_deleted() {
        let mut world = world();
        create_consumer(&mut world, "new");
        world.rewrite(kinds::CONSUMER_CONFIG, |stored| {
            stored["config"]["metadata"]["_nats.req.level"] = json!("6");
        });
        let mut world = restarted(&world);
        let stopped = "stopped - unsupported consumer \"new\"";
        let streams = world.api("STREAM.LIST", &Value::Null);
        assert_eq!(streams["offline"], json!({"S": stopped}));
        let list = world.api("CONSUMER.LIST.S", &Value::Null);
        assert_eq!(list["missing"], json!(["new"]));
        assert_eq!(list["offline"], json!({"new": WHY}));
        let names = world.api("CONSUMER.NAMES.S", &Value::Null);
        assert_eq!(names["consumers"], json!(["new"]));
        let info = world.api("CONSUMER.INFO.S.new", &Value::Null);
        assert_eq!(
            refused(&info),
            (10195, format!("consumer is offline: {WHY}"))
        );
        let other = world.api("CONSUMER.DELETE.S.c", &Value::Null);
        assert_eq!(
            refused(&other),
            (10194, format!("stream is offline: {stopped}"))
        );
        let gone = world.api("CONSUMER.DELETE.S.new", &Value::Null);
        assert_eq!(gone["success"], true);
        let mut world = restarted(&world);
        assert_eq!(world.payloads("S"), ["one", "two", "three"]);
        let names = world.api("CONSUMER.NAMES.S", &Value::Null);
        assert_eq!(names["consumers"], json!(["c"]));
    }
}
