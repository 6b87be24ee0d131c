//! Which stream configurations are allowed, and what is filled in where a request says nothing: the rules of
//! E55–E78 with nats-server's numbers and texts, in its order. Pure: other streams are looked up through
//! [`OtherStreams`]; what depends on space used or on overlaps with others' subjects is for the owner.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::limits::Limits;
use super::stream::{Discard, PersistMode, Placement, Retention, Storage, StreamConfig};
use super::stream_origins::Origins;
use super::subject::{
    could_meet_literals, is_literal, is_subset, is_valid_filter, is_valid_name, subjects_overlap,
};
use crate::error::*;
use crate::time::{MILLISECOND, MINUTE, SECOND, format_duration};
use recado_wire::Transform;

/// Longest name of a stream or consumer, in bytes.
pub const NAME_BYTES_MAX: usize = 255;
/// Longest description, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 4 * 1024;
/// All keys and values of the metadata together, in bytes.
pub const METADATA_BYTES_MAX: usize = 128 * 1024;
/// Most replicas that a request may name.
pub const REPLICAS_MAX: i64 = 5;
/// Most subjects of a stream, and filters of a consumer: they are compared with each other. nats-server
/// has no such bound.
pub const SUBJECTS_MAX: usize = 4_096;
/// Most sources of a stream, and renamings of a source. nats-server has no such bound.
pub const SOURCES_MAX: usize = 1_000;
/// How long message ids are remembered unless said otherwise, in nanoseconds.
pub const DUPLICATE_WINDOW_DEFAULT: i64 = 2 * MINUTE;

/// The configurations of the account's other streams.
pub trait OtherStreams {
    /// That of the stream with this name.
    fn config_of(&self, name: &str) -> Option<&StreamConfig>;
}

/// There are no others.
impl OtherStreams for () {
    fn config_of(&self, _: &str) -> Option<&StreamConfig> {
        None
    }
}

impl OtherStreams for BTreeMap<String, StreamConfig> {
    fn config_of(&self, name: &str) -> Option<&StreamConfig> {
        self.get(name)
    }
}

pub(super) type Checked = Result<(), ApiError>;

pub(super) fn invalid(text: impl Display) -> ApiError {
    ApiError::with(&STREAM_INVALID_CONFIG, text)
}

pub(super) fn pedantic_error(text: &str) -> ApiError {
    ApiError::with(&PEDANTIC, text)
}

/// Refuses with these words when `wrong`.
pub(super) fn refuse_if(wrong: bool, text: &str) -> Checked {
    if wrong { Err(invalid(text)) } else { Ok(()) }
}

impl StreamConfig {
    /// Checks it for one server and fills in what it leaves open. `pedantic` refuses where a value
    /// would have to be corrected silently.
    ///
    /// # Errors
    /// With nats-server's number and text.
    pub fn check_and_normalise(
        &self,
        limits: &Limits,
        others: &dyn OtherStreams,
        pedantic: bool,
    ) -> Result<Self, ApiError> {
        let mut config = self.checked(limits, others, pedantic)?;
        if config.num_replicas > 1 {
            return Err(ApiError::new(&STREAM_REPLICAS_NOT_SUPPORTED));
        }
        config.check_filters_of_sources(&STREAM_CREATE)?;
        config.set_required_level();
        Ok(config)
    }

    /// The common part of creating and updating: what is wrong with it whatever there is.
    pub(crate) fn checked(
        &self,
        limits: &Limits,
        others: &dyn OtherStreams,
        pedantic: bool,
    ) -> Result<Self, ApiError> {
        self.check_texts()?;
        let mut config = self.clone();
        config.fill_in_replicas_and_limits(pedantic)?;
        config.fill_in_duplicate_window(limits, pedantic)?;
        config.check_duplicate_window(limits)?;
        config.check_deletions_and_counters()?;
        config.fill_in_markers_and_schedules(pedantic)?;
        config.check_persist_mode()?;
        let mut origins = Origins::default();
        config.check_mirror(others, pedantic, &mut origins)?;
        config.check_sources(others, &mut origins)?;
        origins.check_prefixes()?;
        config.check_for_cycles(others)?;
        config.check_subjects()?;
        config.check_size_limits(limits)?;
        config.check_subject_transform()?;
        config.check_republish(pedantic)?;
        if config.placement.as_ref() == Some(&Placement::default()) {
            config.placement = None;
        }
        let preferred = config
            .placement
            .as_ref()
            .is_some_and(|place| !place.preferred.is_empty());
        refuse_if(preferred, "preferred server not permitted in placement")?;
        Ok(config)
    }

    fn check_texts(&self) -> Checked {
        refuse_if(
            !is_valid_name(&self.name),
            r"stream name is required and can not contain '.', '*', '>', '\', '/'",
        )?;
        if self.name.len() > NAME_BYTES_MAX {
            let text = format!("stream name is too long, maximum allowed is {NAME_BYTES_MAX}");
            return Err(invalid(text));
        }
        if self.description.len() > DESCRIPTION_BYTES_MAX {
            let max = DESCRIPTION_BYTES_MAX;
            return Err(invalid(format!(
                "stream description is too long, maximum allowed is {max}"
            )));
        }
        if metadata_bytes(&self.metadata) > METADATA_BYTES_MAX {
            let max = METADATA_BYTES_MAX;
            return Err(invalid(format!(
                "stream metadata exceeds maximum size of {max} bytes"
            )));
        }
        Ok(())
    }

    fn fill_in_replicas_and_limits(&mut self, pedantic: bool) -> Checked {
        if self.num_replicas == 0 {
            self.num_replicas = 1;
        }
        if self.num_replicas > REPLICAS_MAX {
            return Err(invalid(format!("maximum replicas is {REPLICAS_MAX}")));
        }
        if self.num_replicas < 0 {
            return Err(ApiError::new(&REPLICAS_COUNT_CANNOT_BE_NEGATIVE));
        }
        let mut max_msg_size = i64::from(self.max_msg_size);
        for (name, limit) in [
            ("max_msgs", &mut self.max_msgs),
            ("max_msgs_per_subject", &mut self.max_msgs_per_subject),
            ("max_bytes", &mut self.max_bytes),
            ("max_msg_size", &mut max_msg_size),
            ("max_consumers", &mut self.max_consumers),
        ] {
            if pedantic && *limit < -1 {
                return Err(pedantic_error(&format!("{name} must be set to -1")));
            }
            if *limit == 0 || *limit < -1 {
                *limit = -1;
            }
        }
        self.max_msg_size = if max_msg_size == -1 {
            -1
        } else {
            self.max_msg_size
        };
        refuse_if(self.max_age < 0, "max age can not be negative")?;
        let short = self.max_age != 0 && self.max_age < 100 * MILLISECOND;
        refuse_if(short, "max age needs to be >= 100ms")
    }

    fn fill_in_duplicate_window(&mut self, limits: &Limits, pedantic: bool) -> Checked {
        let copies = self.mirror.is_some() || !self.sources.is_empty();
        if self.duplicate_window != 0 || copies {
            return Ok(());
        }
        let mut window = DUPLICATE_WINDOW_DEFAULT;
        let max = limits.server.max_duplicate_window;
        if max > 0 && window > max {
            if pedantic {
                return Err(pedantic_error(
                    "duplicate window limits are higher than current limits",
                ));
            }
            window = max;
        }
        if self.max_age != 0 && self.max_age < window {
            if pedantic {
                return Err(pedantic_error(
                    "duplicate window cannot be bigger than max age",
                ));
            }
            window = self.max_age;
        }
        self.duplicate_window = window;
        Ok(())
    }

    fn check_duplicate_window(&self, limits: &Limits) -> Checked {
        let window = self.duplicate_window;
        refuse_if(window < 0, "duplicates window can not be negative")?;
        let outlives = self.max_age != 0 && window > self.max_age;
        refuse_if(outlives, "duplicates window can not be larger then max age")?;
        let max = limits.server.max_duplicate_window;
        if max > 0 && window > max {
            let max = format_duration(max);
            let text = format!("duplicates window can not be larger then server limit of {max}");
            return Err(invalid(text));
        }
        let short = window > 0 && window < 100 * MILLISECOND;
        refuse_if(short, "duplicates window needs to be >= 100ms")
    }

    fn check_deletions_and_counters(&self) -> Checked {
        let purges = self.deny_purge && self.allow_rollup_hdrs;
        refuse_if(purges, "roll-ups require the purge permission")?;
        if self.allow_msg_counter {
            let new = self.discard == Discard::New;
            refuse_if(new, "counter stream cannot use discard new")?;
            // Markers have one: nats-server takes such a stream, and refuses every update of it.
            let has_ttl = self.allow_msg_ttl || self.subject_delete_marker_ttl > 0;
            refuse_if(has_ttl, "counter stream cannot use message TTLs")?;
            refuse_if(
                self.allow_msg_schedules,
                "counter stream cannot use message schedules",
            )?;
            let consumed = self.retention != Retention::Limits;
            refuse_if(consumed, "counter stream can only use limits retention")?;
        }
        self.check_discard_per_subject()
    }

    pub(super) fn check_discard_per_subject(&self) -> Checked {
        if !self.discard_new_per_subject {
            return Ok(());
        }
        let old = self.discard != Discard::New;
        refuse_if(
            old,
            "discard new per subject requires discard new policy to be set",
        )?;
        let unlimited = self.max_msgs_per_subject <= 0;
        refuse_if(
            unlimited,
            "discard new per subject requires max msgs per subject > 0",
        )
    }

    fn fill_in_markers_and_schedules(&mut self, pedantic: bool) -> Checked {
        let marker_ttl = self.subject_delete_marker_ttl;
        refuse_if(
            marker_ttl < 0,
            "subject delete marker TTL must not be negative",
        )?;
        if marker_ttl > 0 {
            let short = marker_ttl < SECOND;
            refuse_if(short, "subject delete marker TTL must be at least 1 second")?;
            let without = "subject delete marker cannot be set if message TTLs are disabled";
            refuse_if(pedantic && !self.allow_msg_ttl, without)?;
            self.allow_msg_ttl = true;
            let without = "subject delete marker cannot be set if roll-ups are disabled";
            self.allow_rollups(pedantic, without)?;
        }
        if self.allow_msg_schedules {
            let new = self.discard == Discard::New;
            refuse_if(new, "message scheduling cannot use discard new")?;
            self.allow_rollups(
                pedantic,
                "message scheduling cannot be set if roll-ups are disabled",
            )?;
        }
        Ok(())
    }

    fn allow_rollups(&mut self, pedantic: bool, refusal: &str) -> Checked {
        if !self.allow_rollup_hdrs {
            refuse_if(pedantic, refusal)?;
            self.allow_rollup_hdrs = true;
            self.deny_purge = false;
        }
        Ok(())
    }

    fn check_persist_mode(&self) -> Checked {
        if self.persist_mode != PersistMode::Async {
            return Ok(());
        }
        let memory = self.storage != Storage::File;
        refuse_if(
            memory,
            "async persist mode is only supported on file storage",
        )?;
        let replicated = self.num_replicas > 1;
        refuse_if(
            replicated,
            "async persist mode is not supported on replicated streams",
        )?;
        let text = "async persist mode is not supported with atomic batch publish";
        refuse_if(self.allow_atomic, text)
    }

    fn check_subjects(&mut self) -> Checked {
        let copies = self.mirror.is_some() || !self.sources.is_empty();
        if self.subjects.is_empty() {
            if !copies {
                self.subjects.push(self.name.clone());
            }
            return Ok(());
        }
        if self.subjects.len() > SUBJECTS_MAX {
            let text = format!("stream has too many subjects, maximum allowed is {SUBJECTS_MAX}");
            return Err(invalid(text));
        }
        let could_meet = could_meet_literals(&self.subjects);
        for (at, subject) in self.subjects.iter().enumerate() {
            refuse_if(!is_valid_filter(subject), "invalid subject")?;
            if subject == ">" {
                refuse_if(
                    !self.no_ack,
                    "capturing all subjects requires no-ack to be true",
                )?;
                let replicated = self.num_replicas != 1;
                refuse_if(replicated, "capturing all subjects requires replicas of 1")?;
            }
            if !self.no_ack {
                check_namespace(subject)?;
            }
            if let Some(other) = first_later_that_meets(&self.subjects, at, &could_meet) {
                return Err(invalid(format!(
                    "subject {subject:?} overlaps with {other:?}"
                )));
            }
        }
        Ok(())
    }

    fn check_size_limits(&self, limits: &Limits) -> Checked {
        let max = match self.storage {
            Storage::Memory => limits.account.memory_max_stream_bytes,
            Storage::File => limits.account.storage_max_stream_bytes,
        };
        if limits.account.max_bytes_required && self.max_bytes <= 0 {
            Err(ApiError::new(&STREAM_MAX_BYTES_REQUIRED))
        } else if max > 0 && self.max_bytes > max {
            Err(ApiError::new(&STREAM_MAX_STREAM_BYTES_EXCEEDED))
        } else {
            Ok(())
        }
    }

    fn check_subject_transform(&self) -> Checked {
        let Some(transform) = &self.subject_transform else {
            return Ok(());
        };
        if !transform.src.is_empty() && !is_valid_filter(&transform.src) {
            let text = format!("invalid subject {}", transform.src);
            return Err(ApiError::with(&STREAM_TRANSFORM_INVALID_SOURCE, text));
        }
        match Transform::parse_for_config(&transform.src, &transform.dest) {
            Ok(_) => Ok(()),
            Err(error) => Err(ApiError::with(&STREAM_TRANSFORM_INVALID_DESTINATION, error)),
        }
    }

    fn check_republish(&mut self, pedantic: bool) -> Checked {
        let Some(republish) = &mut self.republish else {
            return Ok(());
        };
        if republish.src.is_empty() {
            if pedantic {
                return Err(pedantic_error("republish source can not be empty"));
            }
            republish.src = ">".to_owned();
        }
        // All to all is a cycle, unless a transform of the only subject moves everything elsewhere.
        if let (">", ">", Some(transform), [subject]) = (
            republish.src.as_str(),
            republish.dest.as_str(),
            &self.subject_transform,
            &self.subjects[..],
        ) && transform.src == *subject
        {
            if pedantic {
                return Err(pedantic_error(
                    "implicit republish based on subject transform",
                ));
            }
            republish.src.clone_from(&transform.dest);
            republish.dest.clone_from(&transform.dest);
        }
        let republish = &*republish;
        let cycle = |subject: &String| subjects_overlap(&republish.dest, subject);
        refuse_if(
            self.subjects.iter().any(cycle),
            "stream configuration for republish destination forms a cycle",
        )?;
        if Transform::parse(&republish.src, &republish.dest).is_err() {
            let (src, dest) = (&republish.src, &republish.dest);
            return Err(invalid(format!(
                "stream configuration for republish with transform from '{src}' to '{dest}' not valid"
            )));
        }
        Ok(())
    }
}

pub(super) fn metadata_bytes(metadata: &BTreeMap<String, String>) -> usize {
    metadata
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum()
}

/// The first subject behind position `at` that overlaps the one there. `could_meet` is of
/// [`could_meet_literals`].
fn first_later_that_meets<'a>(
    subjects: &'a [String],
    at: usize,
    could_meet: &[usize],
) -> Option<&'a String> {
    let subject = subjects.get(at)?;
    let meets = |other: &&String| subjects_overlap(other, subject);
    if is_literal(subject) {
        let later = could_meet.partition_point(|other| *other <= at);
        let others = could_meet.get(later..).unwrap_or_default().iter();
        others.filter_map(|other| subjects.get(*other)).find(meets)
    } else {
        subjects
            .get(at + 1..)
            .unwrap_or_default()
            .iter()
            .find(meets)
    }
}

/// Subjects of the API and of the server itself are for streams that do not answer.
fn check_namespace(subject: &str) -> Checked {
    let api = ["$JS.>", "$JSC.>", "$NRG.>"];
    let in_api = api
        .iter()
        .any(|namespace| subjects_overlap(subject, namespace));
    refuse_if(
        in_api && !is_subset(subject, "$JS.EVENT.>"),
        "subjects that overlap with jetstream api require no-ack to be true",
    )?;
    refuse_if(
        subjects_overlap(subject, "$SYS.>") && !is_subset(subject, "$SYS.ACCOUNT.>"),
        "subjects that overlap with system api require no-ack to be true",
    )
}
