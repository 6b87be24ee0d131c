//! Reads requests as strictly, and as leniently, as nats-server's JSON decoder: unknown fields and wrong
//! types are refused with its words (E04), names match whatever their case, `null` is the zero value, the last
//! of two equal names wins. It knows no field of any request.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

use crate::error::{ApiError, INVALID_JSON};
use crate::time::parse_rfc3339;

/// Why a request was not read; its text is what goes behind `invalid JSON: `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError(String);

impl JsonError {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for JsonError {}

impl From<JsonError> for ApiError {
    fn from(error: JsonError) -> Self {
        Self::with(&INVALID_JSON, error)
    }
}

/// What every reader here gives.
pub type Read<T> = Result<T, JsonError>;

/// The fields of one object that have not been read yet.
#[derive(Debug)]
pub struct Fields {
    /// The name that nats-server's sources give the object: it is in the error texts.
    name: &'static str,
    /// The way here from the outermost object, each step with a `.` behind.
    path: String,
    left: Map<String, Value>,
    strict: bool,
}

impl Fields {
    /// Reads a whole body. An empty one, and `null`, is an object without fields.
    ///
    /// # Errors
    /// When it is no JSON object.
    pub fn parse(body: &[u8], name: &'static str, strict: bool) -> Read<Self> {
        let text = String::from_utf8_lossy(body);
        let mut fields = Self {
            name,
            path: String::new(),
            left: Map::new(),
            strict,
        };
        for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
            match value.map_err(|error| syntax_error(&text, &error))? {
                Value::Null => {}
                Value::Object(found) => fields.left.extend(found),
                other => {
                    let kind = kind_of(&other);
                    return Err(JsonError(format!(
                        "json: cannot unmarshal {kind} into Go value of type server.{name}"
                    )));
                }
            }
        }
        Ok(fields)
    }

    /// Reads a whole body with `read`, and refuses what that has left.
    ///
    /// # Errors
    /// When it is no JSON object, a field has a wrong type, or one is unknown and `strict` is set.
    pub fn whole<T>(
        body: &[u8],
        name: &'static str,
        strict: bool,
        read: impl Fn(&mut Self) -> Read<T>,
    ) -> Read<T> {
        Self::parse(body, name, strict)?.read_whole(read)
    }

    fn read_whole<T>(mut self, read: impl Fn(&mut Self) -> Read<T>) -> Read<T> {
        let value = read(&mut self)?;
        self.finish().map(|()| value)
    }

    /// Refuses what nobody has asked for, unless unknown fields are to be passed over.
    fn finish(self) -> Read<()> {
        match self.left.keys().next() {
            Some(unknown) if self.strict => {
                Err(JsonError(format!("json: unknown field {unknown:?}")))
            }
            _ => Ok(()),
        }
    }

    /// Takes a field out, `null` included.
    fn take_raw(&mut self, field: &str) -> Option<Value> {
        let exact = self.left.remove(field);
        let same = |key: &str| key.eq_ignore_ascii_case(field);
        let other = self.left.keys().find(|key| same(key)).cloned();
        let Some(other) = other else { return exact };
        let other = self.left.remove(&other);
        self.left.retain(|key, _| !same(key));
        exact.or(other)
    }

    fn take(&mut self, field: &str) -> Option<Value> {
        self.take_raw(field).filter(|value| !value.is_null())
    }

    fn wrong(&self, field: &str, value: &Value, wanted: &str) -> JsonError {
        let found = match value {
            Value::Number(number) if is_integer_type(wanted) => format!("number {number}"),
            other => kind_of(other).to_owned(),
        };
        let (name, path) = (self.name, &self.path);
        JsonError(format!(
            "json: cannot unmarshal {found} into Go struct field {name}.{path}{field} of type {wanted}"
        ))
    }

    /// A text; empty when it is missing.
    pub fn string(&mut self, field: &str) -> Read<String> {
        match self.take(field) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(self.wrong(field, &other, "string")),
        }
    }

    /// `false` when it is missing.
    pub fn bool(&mut self, field: &str) -> Read<bool> {
        match self.take(field) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(value),
            Some(other) => Err(self.wrong(field, &other, "bool")),
        }
    }

    fn integer<T: Default>(
        &mut self,
        field: &str,
        wanted: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Read<T> {
        match self.take(field) {
            None => Ok(T::default()),
            Some(value) => read(&value).ok_or_else(|| self.wrong(field, &value, wanted)),
        }
    }

    /// A number that Go calls `int`; 0 when it is missing.
    pub fn int(&mut self, field: &str) -> Read<i64> {
        self.integer(field, "int", Value::as_i64)
    }

    /// 0 when it is missing.
    pub fn i64(&mut self, field: &str) -> Read<i64> {
        self.integer(field, "int64", Value::as_i64)
    }

    /// 0 when it is missing.
    pub fn i32(&mut self, field: &str) -> Read<i32> {
        self.integer(field, "int32", |value| value.as_i64()?.try_into().ok())
    }

    /// 0 when it is missing.
    pub fn u64(&mut self, field: &str) -> Read<u64> {
        self.integer(field, "uint64", Value::as_u64)
    }

    /// Nanoseconds; 0 when it is missing.
    pub fn duration(&mut self, field: &str) -> Read<i64> {
        self.integer(field, "time.Duration", Value::as_i64)
    }

    /// Unix nanoseconds of a time written in RFC 3339.
    pub fn time(&mut self, field: &str) -> Read<Option<i64>> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::String(text)) => match parse_rfc3339(&text) {
                Some(time) => Ok(Some(time)),
                None => Err(JsonError(format!(
                    "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?}"
                ))),
            },
            Some(_) => Err(JsonError(
                "Time.UnmarshalJSON: input is not a JSON string".to_owned(),
            )),
        }
    }

    fn list<T>(
        &mut self,
        field: &str,
        wanted: &str,
        read: impl Fn(&Self, Value) -> Read<T>,
    ) -> Read<Vec<T>> {
        match self.take(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => {
                values.into_iter().map(|value| read(self, value)).collect()
            }
            Some(other) => Err(self.wrong(field, &other, wanted)),
        }
    }

    /// A list of texts.
    pub fn strings(&mut self, field: &str) -> Read<Vec<String>> {
        self.list(field, "[]string", |fields, value| match value {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text),
            other => Err(fields.wrong(field, &other, "string")),
        })
    }

    /// A list of nanoseconds.
    pub fn durations(&mut self, field: &str) -> Read<Vec<i64>> {
        self.list(field, "[]time.Duration", |fields, value| match value {
            Value::Null => Ok(0),
            other => other
                .as_i64()
                .ok_or_else(|| fields.wrong(field, &other, "time.Duration")),
        })
    }

    /// A list of sequences.
    pub fn sequences(&mut self, field: &str) -> Read<Vec<u64>> {
        self.list(field, "[]uint64", |fields, value| {
            let wrong = || fields.wrong(field, &value, "uint64");
            if value.is_null() {
                Ok(0)
            } else {
                value.as_u64().ok_or_else(wrong)
            }
        })
    }

    fn map<T>(
        &mut self,
        field: &str,
        wanted: &str,
        read: impl Fn(&Self, Value) -> Read<T>,
    ) -> Read<BTreeMap<String, T>> {
        match self.take(field) {
            None => Ok(BTreeMap::new()),
            Some(Value::Object(map)) => {
                let entries = map.into_iter();
                entries
                    .map(|(key, value)| Ok((key, read(self, value)?)))
                    .collect()
            }
            Some(other) => Err(self.wrong(field, &other, wanted)),
        }
    }

    /// Texts by name.
    pub fn string_map(&mut self, field: &str) -> Read<BTreeMap<String, String>> {
        self.map(field, "map[string]string", |fields, value| match value {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text),
            other => Err(fields.wrong(field, &other, "string")),
        })
    }

    /// Counts by name.
    pub fn count_map(&mut self, field: &str) -> Read<BTreeMap<String, u64>> {
        self.map(field, "map[string]uint64", |fields, value| {
            value
                .as_u64()
                .ok_or_else(|| fields.wrong(field, &value, "uint64"))
        })
    }

    /// One of several texts, read by `read`; nats-server refuses `null` here too. `None` when missing.
    pub fn choice<T>(&mut self, field: &str, read: impl Fn(&str) -> Option<T>) -> Read<Option<T>> {
        let unknown = |raw: &str| JsonError(format!("can not unmarshal {raw:?}"));
        self.choice_or(field, read, unknown)
    }

    /// Like [`Fields::choice`], with words of its own for what is refused (given as it was written).
    pub fn choice_or<T>(
        &mut self,
        field: &str,
        read: impl Fn(&str) -> Option<T>,
        unknown: impl Fn(&str) -> JsonError,
    ) -> Read<Option<T>> {
        match self.take_raw(field) {
            None => Ok(None),
            Some(Value::String(text)) => match read(&text) {
                Some(value) => Ok(Some(value)),
                None => Err(unknown(&Value::String(text).to_string())),
            },
            Some(other) => Err(unknown(&other.to_string())),
        }
    }

    fn inner(&self, field: &str, name: &'static str, value: Value) -> Read<Self> {
        match value {
            Value::Object(left) => Ok(Self {
                name,
                path: format!("{}{field}.", self.path),
                left,
                strict: self.strict,
            }),
            other => Err(self.wrong(field, &other, &format!("server.{name}"))),
        }
    }

    /// An object, read to its end by `read`.
    pub fn object<T>(
        &mut self,
        field: &str,
        name: &'static str,
        read: impl Fn(&mut Self) -> Read<T>,
    ) -> Read<Option<T>> {
        let Some(value) = self.take(field) else {
            return Ok(None);
        };
        self.inner(field, name, value)?.read_whole(read).map(Some)
    }

    /// A list of objects, each read to its end by `read`; a `null` is read as an object without fields.
    pub fn objects<T>(
        &mut self,
        field: &str,
        name: &'static str,
        read: impl Fn(&mut Self) -> Read<T>,
    ) -> Read<Vec<T>> {
        self.list(field, &format!("[]server.{name}"), |fields, value| {
            let value = if value.is_null() {
                Value::Object(Map::new())
            } else {
                value
            };
            fields.inner(field, name, value)?.read_whole(&read)
        })
    }
}

fn is_integer_type(wanted: &str) -> bool {
    matches!(
        wanted,
        "int" | "int32" | "int64" | "uint64" | "time.Duration"
    )
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn syntax_error(text: &str, error: &serde_json::Error) -> JsonError {
    if error.is_eof() {
        return JsonError("unexpected EOF".to_owned());
    }
    let line_start: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let offset = line_start + error.column();
    let found = text
        .as_bytes()
        .get(offset.saturating_sub(1))
        .map_or(' ', |byte| char::from(*byte));
    JsonError(format!(
        "invalid character {found:?} looking for beginning of value at offset {offset}"
    ))
}

/// Makes an enum that the API writes as one of several texts; the first is the zero value.
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $(#[$first_doc:meta])* $first:ident = $first_text:literal,
       $($(#[$item_doc:meta])* $item:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[$first_doc])* #[default] $first,
            $($(#[$item_doc])* $item,)*
        }

        impl $name {
            /// As the API writes it.
            pub fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_text,
                    $(Self::$item => $text,)*
                }
            }

            /// As the API writes it, and nothing else.
            pub fn from_text(text: &str) -> Option<Self> {
                match text {
                    $first_text => Some(Self::$first),
                    $($text => Some(Self::$item),)*
                    _ => None,
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use text_enum;

/// For serde's `skip_serializing_if`: what Go's `omitempty` leaves out.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::parse(text.as_bytes(), "Request", true).expect("an object")
    }

    #[test]
    fn unknown_fields_are_refused_in_gos_words_unless_lenient() {
        let error = fields(r#"{"x":1}"#).finish().expect_err("unknown");
        assert_eq!(error.to_string(), r#"json: unknown field "x""#);
        let lenient = Fields::parse(br#"{"x":1}"#, "Request", false).expect("an object");
        assert_eq!(lenient.finish(), Ok(()));
        let api: ApiError = error.into();
        assert_eq!(api.err_code, 10025);
        assert_eq!(api.description, r#"invalid JSON: json: unknown field "x""#);
    }

    #[test]
    fn wrong_types_are_named_as_go_names_them() {
        let error = fields(r#"{"a":"1"}"#).i64("a").expect_err("a text");
        assert_eq!(
            error.to_string(),
            "json: cannot unmarshal string into Go struct field Request.a of type int64"
        );
        let error = fields(r#"{"a":1.5}"#)
            .duration("a")
            .expect_err("a fraction");
        assert_eq!(
            error.to_string(),
            "json: cannot unmarshal number 1.5 into Go struct field Request.a of type time.Duration"
        );
        let inside = fields(r#"{"a":{"b":true}}"#).object("a", "Inner", |f| f.string("b"));
        assert_eq!(
            inside.expect_err("a bool").to_string(),
            "json: cannot unmarshal bool into Go struct field Inner.a.b of type string"
        );
        let error = Fields::parse(b"[1]", "Request", true).expect_err("a list");
        assert_eq!(
            error.to_string(),
            "json: cannot unmarshal array into Go value of type server.Request"
        );
    }

    #[test]
    fn null_is_zero_and_names_match_in_any_case() {
        let mut f = fields(r#"{"A":null,"NAME":"x","list":["a",null],"n":1,"N":2}"#);
        assert_eq!(f.string("a"), Ok(String::new()));
        assert_eq!(f.string("name").as_deref(), Ok("x"));
        assert_eq!(f.strings("list"), Ok(vec!["a".to_owned(), String::new()]));
        assert_eq!(f.int("n"), Ok(1));
        assert_eq!(f.finish(), Ok(()));
    }

    #[test]
    fn empty_bodies_and_null_have_no_fields() {
        for empty in ["", " ", "null", "{}"] {
            assert_eq!(fields(empty).finish(), Ok(()));
        }
    }

    #[test]
    fn broken_json_is_told_from_an_early_end() {
        let error = |text: &str| Fields::parse(text.as_bytes(), "Request", true);
        let early = error(r#"{"a":"#).expect_err("cut short");
        assert_eq!(early.to_string(), "unexpected EOF");
        let broken = error("{\"a\":\nx}").expect_err("no value");
        assert_eq!(
            broken.to_string(),
            "invalid character 'x' looking for beginning of value at offset 7"
        );
    }

    proptest! {
        #[test]
        fn no_body_makes_the_reader_stumble(body in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Fields::parse(&body, "Request", true);
        }
    }
}
