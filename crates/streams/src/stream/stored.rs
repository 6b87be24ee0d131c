//! What the log keeps of a stream's and a consumer's configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use recado_log::{Journal, Record, Refused};
use serde_json::{Value, json};

use super::{LastRecord, Stream, kinds};
use crate::config::{
    API_LEVEL, ConsumerConfig, JsonError, REQUIRED_LEVEL, StreamConfig, is_level_met,
    is_level_supported,
};

/// A stream as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredStream {
    /// The account that it belongs to; none for `$G`, in which everybody is where there are no accounts.
    pub(crate) account: Option<Arc<str>>,
    pub(crate) config: StreamConfig,
    pub(crate) created_ns: i64,
}

/// A consumer as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredConsumer {
    pub(crate) name: String,
    pub(crate) config: ConsumerConfig,
    pub(crate) created_ns: i64,
}

/// What this version can't serve, because a newer one wrote what it does not know (ADR-44): all that can be told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unsupported {
    /// The account of a stream, as of one that is served.
    pub(crate) account: Option<Arc<str>>,
    /// Its name; empty where not even that is there.
    pub(crate) name: String,
    /// Subjects of a stream: no other stream may take them.
    pub(crate) subjects: Vec<String>,
    /// The reason in nats-server's words.
    pub(crate) why: String,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl Unsupported {
    fn no_json(error: &serde_json::Error) -> Self {
        Self {
            why: error.to_string(),
            ..Self::default()
        }
    }

    /// One whose configuration is `config`, which could not be read or needs a higher level.
    fn of(name: &Value, config: &Value, error: Option<JsonError>) -> Self {
        let level = config["metadata"][REQUIRED_LEVEL].as_str();
        let level = level.unwrap_or_default();
        let is_newer = !level.is_empty() && !is_level_met(level);
        let why = match error.map(|error| error.to_string()) {
            None => {
                format!("unsupported - required API level: {level}, current API level: {API_LEVEL}")
            }
            Some(error) if is_newer => format!(
                "unsupported - config error: {}",
                error.trim_start_matches("json: ")
            ),
            Some(error) => format!("decoding error: {error}"),
        };
        let subjects = config["subjects"].as_array();
        let subjects = subjects.into_iter().flatten().filter_map(Value::as_str);
        Self {
            account: None,
            name: name.as_str().unwrap_or_default().to_owned(),
            subjects: subjects.map(str::to_owned).collect(),
            why,
        }
    }
}

impl StoredStream {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let config = to_value(&self.config.to_json());
        let mut stored = json!({"created_ns": self.created_ns, "config": config});
        if let (Some(account), Some(fields)) = (&self.account, stored.as_object_mut()) {
            fields.insert("account".to_owned(), Value::from(&**account));
        }
        stored.to_string().into_bytes()
    }

    /// The kind of the record that it is kept in.
    fn kind(&self) -> u8 {
        match self.account {
            None => kinds::STREAM_CONFIG,
            Some(_) => kinds::STREAM_CONFIG_OF_ACCOUNT,
        }
    }

    /// One that has the name of what can't be served, and nothing else.
    pub(crate) fn bare(unsupported: &Unsupported) -> Self {
        Self {
            account: unsupported.account.clone(),
            config: StreamConfig {
                name: unsupported.name.clone(),
                ..StreamConfig::default()
            },
            created_ns: 0,
        }
    }

    /// Reads it back.
    ///
    /// # Errors
    /// When this version can't serve it.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Unsupported> {
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| Unsupported::no_json(&error))?;
        let account = value["account"].as_str().map(Arc::from);
        let config = &value["config"];
        let read = StreamConfig::from_json(config.to_string().as_bytes());
        match supported(read, |read| &read.metadata) {
            Ok(read) => Ok(Self {
                account,
                config: read,
                created_ns: value["created_ns"].as_i64().unwrap_or_default(),
            }),
            Err(error) => Err(Unsupported {
                account,
                ..Unsupported::of(&config["name"], config, error)
            }),
        }
    }
}

impl StoredConsumer {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let config = to_value(&self.config.to_json());
        json!({"created_ns": self.created_ns, "name": self.name, "config": config})
            .to_string()
            .into_bytes()
    }

    /// Reads it back.
    ///
    /// # Errors
    /// When this version can't serve it.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Unsupported> {
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| Unsupported::no_json(&error))?;
        let config = &value["config"];
        let read = ConsumerConfig::from_json(config.to_string().as_bytes());
        match supported(read, |read| &read.metadata) {
            Ok(read) => Ok(Self {
                name: value["name"].as_str().unwrap_or_default().to_owned(),
                config: read,
                created_ns: value["created_ns"].as_i64().unwrap_or_default(),
            }),
            Err(error) => Err(Unsupported::of(&value["name"], config, error)),
        }
    }
}

/// A configuration that can be served; else why it could not be read, if that is why.
fn supported<T>(
    read: Result<T, JsonError>,
    metadata: impl Fn(&T) -> &BTreeMap<String, String>,
) -> Result<T, Option<JsonError>> {
    match read {
        Ok(config) if is_level_supported(metadata(&config)) => Ok(config),
        Ok(_) => Err(None),
        Err(error) => Err(Some(error)),
    }
}

fn to_value(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap_or_default()
}

impl Stream {
    /// Writes the configuration; the one before may be forgotten.
    ///
    /// # Errors
    /// When the log does not take it.
    pub(crate) fn store_config(&mut self, journal: &mut dyn Journal) -> Result<(), Refused> {
        if !self.messages.is_on_file() {
            return Ok(());
        }
        let stored = self.to_be_stored();
        let at = journal.append(&Record {
            kind: stored.kind(),
            stream: self.id,
            payload: &stored.to_bytes(),
            ..Record::default()
        })?;
        self.config_at.replace(journal, at);
        Ok(())
    }

    /// Writes a new stream: all of it or, refused, nothing. A server that knows no accounts sees by the state that the
    /// number is taken.
    ///
    /// # Errors
    /// When the log does not take it.
    pub(crate) fn store_new(&mut self, journal: &mut dyn Journal) -> Result<(), Refused> {
        if self.account.is_none() || !self.messages.is_on_file() {
            return self.store_config(journal);
        }
        let stored = self.to_be_stored();
        let (first, last) = (
            self.messages.index.first_sequence(),
            self.messages.index.last_sequence(),
        );
        let config = Record {
            kind: stored.kind(),
            stream: self.id,
            payload: &stored.to_bytes(),
            ..Record::default()
        };
        let state = Record {
            kind: kinds::STATE,
            payload: &kinds::encode_state(first, last),
            ..config
        };
        let places = journal.append_group(&[config, state])?;
        self.config_at = LastRecord::found(places.first().copied());
        self.state_at = LastRecord::found(places.get(1).copied());
        self.state = Some((first, last));
        Ok(())
    }

    fn to_be_stored(&self) -> StoredStream {
        StoredStream {
            account: self.account.clone(),
            config: self.config.clone(),
            created_ns: self.created_ns,
        }
    }

    /// Writes first and last sequence, where they are not what was written last.
    ///
    /// # Errors
    /// When the log does not take it.
    pub(crate) fn store_state(&mut self, journal: &mut dyn Journal) -> Result<(), Refused> {
        let state = (
            self.messages.index.first_sequence(),
            self.messages.index.last_sequence(),
        );
        self.write_state(journal, state)
    }

    /// Writes what first and last sequence are, or are about to be.
    pub(super) fn write_state(
        &mut self,
        journal: &mut dyn Journal,
        state: (u64, u64),
    ) -> Result<(), Refused> {
        if !self.messages.is_on_file() || self.state == Some(state) {
            return Ok(());
        }
        let at = journal.append(&Record {
            kind: kinds::STATE,
            stream: self.id,
            payload: &kinds::encode_state(state.0, state.1),
            ..Record::default()
        })?;
        self.state_at.replace(journal, at);
        self.state = Some(state);
        Ok(())
    }
}
