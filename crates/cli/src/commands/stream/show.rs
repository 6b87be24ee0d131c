//! One stream as it is shown: how it is set up, what it holds.

use serde_json::Value;

use super::shape::DEAD_LETTER;
use crate::amount;
use crate::connect::Session;
use crate::failure::Failure;
use crate::jetstream::fields::{flag, list, number, signed, words};
use crate::jetstream::{api, report, units};
use crate::terminal::Out;
use crate::text::{jetstream as common, stream as text};

/// `recado stream info`.
pub(super) async fn info(session: &mut Session, name: &str, as_json: bool) -> Result<(), Failure> {
    let info = api::stream(session, name).await?;
    one(&info, as_json)
}

/// A stream, from an answer that describes it.
pub(super) fn one(info: &Value, as_json: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    if as_json {
        out.json(info)?;
        return out.flush();
    }
    let mut facts = setup(info);
    facts.extend(state(info));
    report::facts(&mut out, words(info, "/config/name"), &facts)?;
    out.flush()
}

fn setup(info: &Value) -> Vec<(&'static str, String)> {
    let at = |pointer: &str| words(info, pointer).to_owned();
    let mut storage = at("/config/storage");
    if words(info, "/config/compression") == "s2" {
        storage.push_str(", s2");
    }
    let replicas = number(info, "/config/num_replicas");
    if replicas > 1 {
        storage.push_str(&format!(", ×{replicas}"));
    }
    let limits = limits(info);
    let flags = [
        "allow_direct",
        "allow_rollup_hdrs",
        "allow_msg_ttl",
        "allow_msg_counter",
        "allow_msg_schedules",
        "allow_atomic",
        "deny_delete",
        "deny_purge",
        "discard_new_per_subject",
        "mirror_direct",
        "no_ack",
        "sealed",
    ];
    let set = |name: &&str| flag(info, &format!("/config/{name}"));
    let flags: Vec<&str> = flags.into_iter().filter(set).collect();
    let sources = info.pointer("/config/sources").and_then(Value::as_array);
    let sources: Vec<&str> = sources
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .map(|source| words(source, "/name"))
        .collect();
    let metadata = info.pointer("/config/metadata").and_then(Value::as_object);
    let metadata: Vec<String> = metadata
        .into_iter()
        .flatten()
        .filter(|(key, _)| !key.starts_with("_nats.") && *key != DEAD_LETTER)
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    vec![
        (text::fact_description(), at("/config/description")),
        (
            text::fact_subjects(),
            list(info, "/config/subjects").join(", "),
        ),
        (text::fact_mirror(), at("/config/mirror/name")),
        (text::fact_sources(), sources.join(", ")),
        (text::fact_created(), units::moment(words(info, "/created"))),
        (text::fact_storage(), storage),
        (
            text::fact_retention(),
            text::full(
                words(info, "/config/retention"),
                words(info, "/config/discard"),
            ),
        ),
        (text::fact_limits(), limits),
        (
            text::fact_age(),
            units::nanos(info, "/config/max_age", common::unlimited()),
        ),
        (
            text::fact_window(),
            units::nanos(info, "/config/duplicate_window", ""),
        ),
        (text::fact_options(), flags.join(", ")),
        (text::fact_dead_letter(), dead_letter(info).to_owned()),
        (text::fact_metadata(), metadata.join(", ")),
    ]
}

/// The limits that there are.
fn limits(info: &Value) -> String {
    let at = |name: &str| match signed(info, &format!("/config/{name}")) {
        limit @ 1.. => Some(limit.unsigned_abs()),
        _ => None,
    };
    let count = |name: &str| at(name).map(amount::show);
    let size = |name: &str| at(name).map(amount::show_size);
    let parts = [
        count("max_msgs").map(|number| text::limit_messages(&number)),
        size("max_bytes").map(|size| text::limit_bytes(&size)),
        count("max_msgs_per_subject").map(|number| text::limit_per_subject(&number)),
        size("max_msg_size").map(|size| text::limit_size(&size)),
        count("max_consumers").map(|number| text::limit_consumers(&number)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => common::unlimited().to_owned(),
        false => parts.join(", "),
    }
}

/// The stream that takes the dead letters of this one; empty if there is none.
pub(super) fn dead_letter(info: &Value) -> &str {
    let key = DEAD_LETTER.replace('~', "~0").replace('/', "~1");
    words(info, &format!("/config/metadata/{key}"))
}

fn state(info: &Value) -> Vec<(&'static str, String)> {
    let at = |name: &str| number(info, &format!("/state/{name}"));
    let some = |number: u64| match number {
        0 => String::new(),
        number => amount::show(number),
    };
    let place = |sequence: &str, time: &str| match at("messages") {
        0 => String::new(),
        _ => {
            let time = words(info, time);
            text::place(at(sequence), &units::moment(time), &units::ago(time))
        }
    };
    let lost = number_of_lost(info);
    vec![
        (
            text::fact_messages(),
            text::held(
                &amount::show(at("messages")),
                &amount::show_size(at("bytes")),
            ),
        ),
        (text::fact_first(), place("first_seq", "/state/first_ts")),
        (text::fact_last(), place("last_seq", "/state/last_ts")),
        (text::fact_subject_count(), some(at("num_subjects"))),
        (text::fact_deleted(), some(at("num_deleted"))),
        (text::fact_lost(), some(lost)),
        (text::fact_consumers(), at("consumer_count").to_string()),
    ]
}

/// How many messages damage has cost the stream.
pub(super) fn number_of_lost(info: &Value) -> u64 {
    let lost = info.pointer("/state/lost/msgs").and_then(Value::as_array);
    lost.map_or(0, |lost| lost.len() as u64)
}
