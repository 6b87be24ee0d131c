//! The digest that tells one configuration from another whatever its comments and layout: the
//! same as nats-server's (SHA-256 over the values as JSON, keys sorted, one line).

use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};

use super::value::{Data, Map, Value};

/// `sha256:` and 64 hexadecimal digits.
pub fn digest(map: &Map) -> String {
    let mut json = Json(Sha256::new());
    write_map(&mut json, map);
    json.push('\n');
    let digest = json.0.finalize();
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// The JSON goes into the hash as it is written: nobody keeps it.
struct Json(Sha256);

impl Json {
    fn push(&mut self, found: char) {
        self.push_str(found.encode_utf8(&mut [0; 4]));
    }

    fn push_str(&mut self, text: &str) {
        self.0.update(text);
    }
}

/// It never fails.
impl fmt::Write for Json {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

fn write_map(json: &mut Json, map: &Map) {
    let mut entries: Vec<_> = map.entries().iter().collect();
    entries.sort_by(|a, b| a.key.as_bytes().cmp(b.key.as_bytes()));
    json.push('{');
    for (at, entry) in entries.into_iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        write_string(json, &entry.key);
        json.push(':');
        write_value(json, &entry.value);
    }
    json.push('}');
}

fn write_value(json: &mut Json, value: &Value) {
    match &value.data {
        Data::String(text) => write_string(json, text),
        Data::Integer(number) => {
            let _ = write!(json, "{number}");
        }
        Data::Float(number) => write_float(json, *number),
        Data::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
        Data::Datetime(time) => {
            let _ = write!(json, "\"{time}\"");
        }
        Data::Array(array) => {
            json.push('[');
            for (at, value) in array.values().iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                write_value(json, value);
            }
            json.push(']');
        }
        Data::Map(map) => write_map(json, map),
    }
}

/// JSON as Go writes it: `<`, `>`, `&` and the line separators U+2028 and U+2029 are escaped too.
fn write_string(json: &mut Json, text: &str) {
    json.push('"');
    for found in text.chars() {
        match found {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(json, "\\u{:04x}", found as u32);
            }
            _ => json.push(found),
        }
    }
    json.push('"');
}

/// Shortest digits; with an exponent below 1e-6 and from 1e21.
fn write_float(json: &mut Json, number: f64) {
    let size = number.abs();
    let _ = if size != 0.0 && size < 1e-6 {
        write!(json, "{number:e}")
    } else if size >= 1e21 {
        write!(json, "{}", format!("{number:e}").replace('e', "e+"))
    } else {
        write!(json, "{number}")
    };
}
