//! Parts of configurations and states, which are JSON; and `KEY=VALUE` as the command line has it.

use serde_json::{Map, Value};

use crate::text::jetstream as text;

/// The number at a pointer like `/state/messages`; 0 where there is none.
pub(crate) fn number(value: &Value, pointer: &str) -> u64 {
    value
        .pointer(pointer)
        .and_then(Value::as_u64)
        .unwrap_or_default()
}

/// The same for one that may be negative (-1: no limit).
pub(crate) fn signed(value: &Value, pointer: &str) -> i64 {
    value
        .pointer(pointer)
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

/// The text at a pointer; empty where there is none.
pub(crate) fn words<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The texts of the list at a pointer.
pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> Vec<&'a str> {
    let list = value.pointer(pointer).and_then(Value::as_array);
    let list = list.map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_str).collect()
}

/// Whether the flag at a pointer is set.
pub(crate) fn flag(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_bool) == Some(true)
}

/// `KEY=VALUE` of metadata.
pub(crate) fn pair(written: &str) -> Result<(String, String), String> {
    match written.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(text::bad_pair(written)),
    }
}

/// `FIELD=JSON` of a configuration; what is no JSON is taken as a text.
pub(crate) fn setting(written: &str) -> Result<(String, Value), String> {
    let (key, value) = pair(written)?;
    let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
    Ok((key, value))
}

/// A configuration of these fields.
pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    let owned = fields.map(|(field, value)| (field.to_owned(), value));
    owned.into_iter().collect()
}

/// Puts what an option says into a configuration; nothing, if it was not given.
pub(crate) fn put(config: &mut Map<String, Value>, field: &str, value: Option<Value>) {
    if let Some(value) = value {
        config.insert(field.to_owned(), value);
    }
}

/// Puts pairs of metadata into a configuration, beside those that are there.
pub(crate) fn add_metadata(config: &mut Map<String, Value>, pairs: &[(String, String)]) {
    if pairs.is_empty() {
        return;
    }
    let metadata = config
        .entry("metadata")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(metadata) = metadata {
        for (key, value) in pairs {
            metadata.insert(key.clone(), value.as_str().into());
        }
    }
}

/// The configuration without what the server adds to it by itself.
pub(crate) fn own(config: &Value) -> Map<String, Value> {
    let mut config = config.as_object().cloned().unwrap_or_default();
    if let Some(Value::Object(metadata)) = config.get_mut("metadata") {
        let all = metadata.len();
        metadata.retain(|key, _| !key.starts_with("_nats."));
        // An empty one that somebody has written means to remove what is there.
        if metadata.is_empty() && all > 0 {
            config.remove("metadata");
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_setting_is_json_or_else_a_text() {
        assert_eq!(setting("a=1"), Ok(("a".into(), json!(1))));
        assert_eq!(setting("a={\"b\":2}"), Ok(("a".into(), json!({"b": 2}))));
        assert_eq!(setting("a=file"), Ok(("a".into(), json!("file"))));
        assert!(setting("a").is_err() && setting("=1").is_err());
    }

    #[test]
    fn what_the_server_added_is_no_part_of_a_configuration() {
        let config = json!({"name": "A", "metadata": {"_nats.ver": "2.15"}});
        assert_eq!(Value::Object(own(&config)), json!({"name": "A"}));
        let config = json!({"name": "A", "metadata": {}});
        assert_eq!(Value::Object(own(&config)), config);
        let config = json!({"metadata": {"_nats.ver": "2.15", "team": "x"}});
        assert_eq!(
            Value::Object(own(&config)),
            json!({"metadata": {"team": "x"}})
        );
    }
}
