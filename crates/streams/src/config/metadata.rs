//! What the server itself writes into the metadata of streams and consumers (E10): the API level that an asset
//! needs is stored, the server's version and level are added to answers only, and none of them counts when
//! configurations are compared.

use std::collections::BTreeMap;

use super::consumer::{AckPolicy, ConsumerConfig, PriorityPolicy};
use super::stream::{PersistMode, StreamConfig};
use crate::time::ZERO_TIME;

/// The API level that this server has.
pub const API_LEVEL: u32 = 5;
/// Key of the API level that an asset needs.
pub const REQUIRED_LEVEL: &str = "_nats.req.level";
/// Key of the server's version, in answers only.
pub const SERVER_VERSION: &str = "_nats.ver";
/// Key of the server's API level, in answers only.
pub const SERVER_LEVEL: &str = "_nats.level";

type Metadata = BTreeMap<String, String>;

/// Whether this server has the API level that an asset's metadata ask for.
pub fn is_level_supported(metadata: &Metadata) -> bool {
    let required = metadata
        .get(REQUIRED_LEVEL)
        .filter(|level| !level.is_empty());
    required.is_none_or(|level| is_level_met(level))
}

/// Whether this server has the API level that a request's `Nats-Required-Api-Level` header names (E08).
pub fn is_level_met(level: &str) -> bool {
    level
        .parse::<i64>()
        .is_ok_and(|level| level <= i64::from(API_LEVEL))
}

impl StreamConfig {
    /// The API level that its features need.
    pub fn required_level(&self) -> u32 {
        let asynchronous = self.persist_mode == PersistMode::Async;
        if self.allow_batched {
            4
        } else if self.allow_msg_counter
            || self.allow_atomic
            || self.allow_msg_schedules
            || asynchronous
        {
            2
        } else {
            u32::from(self.allow_msg_ttl || self.subject_delete_marker_ttl > 0)
        }
    }

    /// Writes the level that it needs into its metadata, as it is stored.
    pub fn set_required_level(&mut self) {
        let level = self.required_level();
        store(&mut self.metadata, level);
    }

    /// As answers show it: with the server's version and level.
    pub fn for_answer(&self, server_version: &str) -> Self {
        let mut shown = self.clone();
        show(&mut shown.metadata, server_version);
        shown
    }

    /// Whether both ask for the same, whatever the server has added to their metadata.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let bare = |config: &Self| Self {
            metadata: without_servers(&config.metadata),
            ..config.clone()
        };
        bare(self) == bare(other)
    }
}

impl ConsumerConfig {
    /// The API level that its features need.
    pub fn required_level(&self) -> u32 {
        let paused = self.pause_until.is_some_and(|until| until != ZERO_TIME);
        let grouped = self.priority_policy != PriorityPolicy::None
            || self.priority_timeout != 0
            || !self.priority_groups.is_empty();
        if self.ack_policy == AckPolicy::FlowControl {
            4
        } else {
            u32::from(paused || grouped)
        }
    }

    /// Writes the level that it needs into its metadata, as it is stored.
    pub fn set_required_level(&mut self) {
        let level = self.required_level();
        store(&mut self.metadata, level);
    }

    /// As answers show it: with the server's version and level.
    pub fn for_answer(&self, server_version: &str) -> Self {
        let mut shown = self.clone();
        show(&mut shown.metadata, server_version);
        shown
    }

    /// Whether both ask for the same, whatever the server has added to their metadata.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let bare = |config: &Self| Self {
            metadata: without_servers(&config.metadata),
            ..config.clone()
        };
        bare(self) == bare(other)
    }
}

fn store(metadata: &mut Metadata, level: u32) {
    metadata.remove(SERVER_VERSION);
    metadata.remove(SERVER_LEVEL);
    metadata.insert(REQUIRED_LEVEL.to_owned(), level.to_string());
}

fn show(metadata: &mut Metadata, server_version: &str) {
    metadata.insert(SERVER_VERSION.to_owned(), server_version.to_owned());
    metadata.insert(SERVER_LEVEL.to_owned(), API_LEVEL.to_string());
}

fn without_servers(metadata: &Metadata) -> Metadata {
    let servers = [REQUIRED_LEVEL, SERVER_VERSION, SERVER_LEVEL];
    let mut rest = metadata.clone();
    rest.retain(|key, _| !servers.contains(&key.as_str()));
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_that_of_the_newest_feature_used() {
        let mut config = StreamConfig::default();
        assert_eq!(config.required_level(), 0);
        config.allow_msg_ttl = true;
        assert_eq!(config.required_level(), 1);
        config.allow_atomic = true;
        assert_eq!(config.required_level(), 2);
        config.allow_batched = true;
        assert_eq!(config.required_level(), 4);
        let paused = ConsumerConfig {
            pause_until: Some(1),
            ..ConsumerConfig::default()
        };
        assert_eq!(paused.required_level(), 1);
        assert_eq!(ConsumerConfig::default().required_level(), 0);
    }

    #[test]
    fn what_the_server_adds_does_not_count_in_comparisons() {
        let mut stored = StreamConfig::default();
        stored.set_required_level();
        assert_eq!(
            stored.metadata.get(REQUIRED_LEVEL).map(String::as_str),
            Some("0")
        );
        let shown = stored.for_answer("2.15.0");
        assert_eq!(shown.metadata.len(), 3);
        assert!(shown.is_same_as(&StreamConfig::default()));
        let mut other = shown.clone();
        other.metadata.insert("owner".to_owned(), "me".to_owned());
        assert!(!other.is_same_as(&stored));
    }

    #[test]
    fn levels_above_ours_and_junk_are_not_supported() {
        assert!(is_level_met("5") && is_level_met("0"));
        assert!(!is_level_met("6") && !is_level_met("x") && !is_level_met(""));
        let metadata =
            |level: &str| Metadata::from([(REQUIRED_LEVEL.to_owned(), level.to_owned())]);
        assert!(is_level_supported(&Metadata::new()) && is_level_supported(&metadata("")));
        assert!(!is_level_supported(&metadata("6")));
    }
}
