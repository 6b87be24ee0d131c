//! What the log keeps of a stream's and a consumer's configuration.

use std::sync::Arc;

use recado_log::{Journal, Record, Refused};
use serde_json::{Value, json};

use super::{LastRecord, Stream, kinds};
use crate::config::{ConsumerConfig, StreamConfig};

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

    /// Reads it back; why not, for the log.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let config = value["config"].to_string();
        Ok(Self {
            account: value["account"].as_str().map(Arc::from),
            config: StreamConfig::from_json(config.as_bytes())
                .map_err(|error| error.to_string())?,
            created_ns: value["created_ns"].as_i64().unwrap_or_default(),
        })
    }
}

impl StoredConsumer {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let config = to_value(&self.config.to_json());
        json!({"created_ns": self.created_ns, "name": self.name, "config": config})
            .to_string()
            .into_bytes()
    }

    /// Reads it back; why not, for the log.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let config = value["config"].to_string();
        Ok(Self {
            name: value["name"].as_str().ok_or("it has no name")?.to_owned(),
            config: ConsumerConfig::from_json(config.as_bytes())
                .map_err(|error| error.to_string())?,
            created_ns: value["created_ns"].as_i64().unwrap_or_default(),
        })
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
