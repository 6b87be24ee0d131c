//! Which mirrors and sources a stream may have (E71): what they exclude, how their filters and renamings must
//! be, and that no stream is taken, on whatever ways, from itself.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Display;

use super::stream::{StreamConfig, StreamSource};
use super::stream_rules::{Checked, OtherStreams, SOURCES_MAX, invalid, pedantic_error, refuse_if};
use super::subject::{
    is_subset, is_valid_filter, is_valid_literal, is_valid_name, subjects_overlap,
};
use crate::error::*;
use recado_wire::Transform;

impl StreamConfig {
    pub(super) fn check_mirror<'a>(
        &mut self,
        others: &'a dyn OtherStreams,
        pedantic: bool,
        origins: &mut Origins<'a>,
    ) -> Checked {
        let Some(mirror) = self.mirror.clone() else {
            return Ok(());
        };
        for (wrong, kind) in [
            (self.first_seq > 0, &MIRROR_WITH_FIRST_SEQ),
            (!self.subjects.is_empty(), &MIRROR_WITH_SUBJECTS),
            (!self.sources.is_empty(), &MIRROR_WITH_SOURCES),
            (self.allow_msg_counter, &MIRROR_WITH_COUNTERS),
            (self.allow_atomic, &MIRROR_WITH_ATOMIC_PUBLISH),
            (self.allow_batched, &MIRROR_WITH_BATCH_PUBLISH),
            (self.allow_msg_schedules, &MIRROR_WITH_MSG_SCHEDULES),
            (
                has_bad_consumer(&mirror),
                &MIRROR_DURABLE_CONSUMER_CFG_INVALID,
            ),
            (
                !mirror.filter_subject.is_empty() && !mirror.subject_transforms.is_empty(),
                &MIRROR_MULTIPLE_FILTERS_NOT_ALLOWED,
            ),
        ] {
            if wrong {
                return Err(ApiError::new(kind));
            }
        }
        let markers = self.subject_delete_marker_ttl > 0;
        refuse_if(markers, "subject delete markers forbidden on mirrors")?;
        check_renamings(
            &mirror,
            &MIRROR_INVALID_SUBJECT_FILTER,
            &MIRROR_INVALID_TRANSFORM_DESTINATION,
            (&MIRROR_OVERLAPPING_SUBJECT_FILTERS, subjects_overlap),
        )?;
        if mirror.external.is_none() && !is_valid_name(&mirror.name) {
            return Err(ApiError::new(&MIRROR_INVALID_STREAM_NAME));
        }
        let Some(origin) = origins.add(&mirror, others) else {
            return Ok(());
        };
        if too_small_for(self.max_msg_size, origin) {
            return Err(ApiError::new(&MIRROR_MAX_MESSAGE_SIZE_TOO_BIG));
        }
        if pedantic && self.mirror_direct != origin.allow_direct {
            let text = "origin stream has direct get set, mirror has it disabled";
            return Err(pedantic_error(text));
        }
        self.mirror_direct = origin.allow_direct;
        Ok(())
    }

    pub(super) fn check_sources<'a>(
        &self,
        others: &'a dyn OtherStreams,
        origins: &mut Origins<'a>,
    ) -> Checked {
        if !self.sources.is_empty() && self.allow_msg_schedules {
            return Err(ApiError::new(&SOURCE_WITH_MSG_SCHEDULES));
        }
        if self.sources.len() > SOURCES_MAX {
            let text = format!("stream has too many sources, maximum allowed is {SOURCES_MAX}");
            return Err(invalid(text));
        }
        let (mut seen, mut consumers) = (BTreeSet::new(), BTreeSet::new());
        for source in &self.sources {
            if !is_valid_name(&source.name) {
                return Err(ApiError::new(&SOURCE_INVALID_STREAM_NAME));
            }
            if !seen.insert(source.identity()) {
                return Err(ApiError::new(&SOURCE_DUPLICATE_DETECTED));
            }
            if !source.filter_subject.is_empty() && !source.subject_transforms.is_empty() {
                return Err(ApiError::new(&SOURCE_MULTIPLE_FILTERS_NOT_ALLOWED));
            }
            check_renamings(
                source,
                &SOURCE_INVALID_SUBJECT_FILTER,
                &SOURCE_INVALID_TRANSFORM_DESTINATION,
                (&SOURCE_OVERLAPPING_SUBJECT_FILTERS, is_subset),
            )?;
            if has_bad_consumer(source) {
                return Err(ApiError::new(&SOURCE_DURABLE_CONSUMER_CFG_INVALID));
            }
            if let Some(consumer) = &source.consumer {
                let api = source.external.as_ref().map(|external| &external.api);
                if !consumers.insert((&source.name, api, &consumer.name)) {
                    return Err(ApiError::new(&SOURCE_DURABLE_CONSUMER_DUPLICATE_DETECTED));
                }
            }
            if let Some(origin) = origins.add(source, others)
                && too_small_for(self.max_msg_size, origin)
            {
                return Err(ApiError::new(&SOURCE_MAX_MESSAGE_SIZE_TOO_BIG));
            }
        }
        Ok(())
    }

    /// Follows sources and mirrors through all streams that can be seen, each once.
    pub(super) fn check_for_cycles(&self, others: &dyn OtherStreams) -> Checked {
        let mut to_visit = VecDeque::from([self]);
        let mut visited = BTreeSet::new();
        while let Some(config) = to_visit.pop_front() {
            visited.insert(config.name.as_str());
            let sources = config.sources.iter().map(|source| (source, false));
            let mirror = config.mirror.iter().map(|mirror| (mirror, true));
            for (origin, is_mirror) in sources.chain(mirror) {
                if origin.external.is_some() {
                    continue;
                }
                if !visited.contains(origin.name.as_str()) {
                    let known = to_visit.iter().any(|waiting| waiting.name == origin.name);
                    to_visit.extend(others.config_of(&origin.name).filter(|_| !known));
                    continue;
                }
                let filter = &origin.filter_subject;
                let overlaps = |subject: &String| subjects_overlap(subject, filter);
                let fed = filter.is_empty() || config.subjects.iter().any(overlaps);
                refuse_if(is_mirror || fed, "detected cycle")?;
            }
        }
        Ok(())
    }

    /// What nats-server checks only while it sets a stream up; these failures have no numbers of their own.
    pub(super) fn check_filters_of_sources(&self, kind: &Kind) -> Checked {
        let mirror = self.mirror.iter().map(|mirror| (mirror, "mirror"));
        let sources = self.sources.iter().map(|source| (source, "source:"));
        for (origin, what) in mirror.chain(sources) {
            let filter = &origin.filter_subject;
            if !filter.is_empty() && !is_valid_filter(filter) {
                let text = format!("subject filter '{filter}' for the {what} invalid subject");
                return Err(ApiError::with(kind, text));
            }
        }
        Ok(())
    }
}

fn too_small_for(max_msg_size: i32, origin: &StreamConfig) -> bool {
    max_msg_size > 0 && origin.max_msg_size > 0 && max_msg_size < origin.max_msg_size
}

fn has_bad_consumer(source: &StreamSource) -> bool {
    source.consumer.as_ref().is_some_and(|consumer| {
        !is_valid_name(&consumer.name)
            || !is_valid_literal(&consumer.deliver_subject)
            || source.opt_start_seq != 0
            || source.opt_start_time.is_some()
            || !source.filter_subject.is_empty()
    })
}

/// Checks the renamings of a mirror or source one by one, and that no two are for the same subjects.
fn check_renamings(
    source: &StreamSource,
    bad_source: &Kind,
    bad_destination: &Kind,
    (overlap, overlaps): (&Kind, fn(&str, &str) -> bool),
) -> Checked {
    let all = &source.subject_transforms;
    if all.len() > SOURCES_MAX {
        let text = format!("source has too many transforms, maximum allowed is {SOURCES_MAX}");
        return Err(invalid(text));
    }
    for (at, transform) in all.iter().enumerate() {
        if !transform.src.is_empty() && !is_valid_filter(&transform.src) {
            let text = format!("invalid subject {}", transform.src);
            return Err(ApiError::with(bad_source, text));
        }
        if let Err(error) = Transform::parse_for_config(&transform.src, &transform.dest) {
            return Err(ApiError::with(bad_destination, error));
        }
        let mut rest = all.iter().enumerate().filter(|(other, _)| *other != at);
        if rest.any(|(_, other)| overlaps(&transform.src, &other.src)) {
            return Err(ApiError::new(overlap));
        }
    }
    Ok(())
}

/// What a mirror and sources say of the places that they are taken from.
#[derive(Default)]
pub(super) struct Origins<'a> {
    subjects: Vec<&'a str>,
    deliver_prefixes: Vec<String>,
    api_prefixes: Vec<String>,
}

impl<'a> Origins<'a> {
    /// Notes one; gives its configuration when it is of this account and can be seen.
    fn add(
        &mut self,
        source: &StreamSource,
        others: &'a dyn OtherStreams,
    ) -> Option<&'a StreamConfig> {
        if let Some(external) = &source.external {
            let filled = |prefix: &String| (!prefix.is_empty()).then(|| prefix.clone());
            self.deliver_prefixes.extend(filled(&external.deliver));
            self.api_prefixes.extend(filled(&external.api));
            return None;
        }
        let origin = others.config_of(&source.name)?;
        self.subjects
            .extend(origin.subjects.iter().map(String::as_str));
        Some(origin)
    }

    pub(super) fn check_prefixes(&self) -> Checked {
        for prefix in &self.deliver_prefixes {
            if !is_valid_literal(prefix) {
                return Err(ApiError::with(
                    &STREAM_INVALID_EXTERNAL_DELIVERY_SUBJ,
                    prefix,
                ));
            }
            let meets = |subject: &&&str| subjects_overlap(subject, &format!("{prefix}.{subject}"));
            if let Some(subject) = self.subjects.iter().find(meets) {
                let values: [(&str, &dyn Display); 2] = [("prefix", prefix), ("subject", subject)];
                return Err(ApiError::filled(
                    &STREAM_EXTERNAL_DEL_PREFIX_OVERLAPS,
                    &values,
                ));
            }
        }
        for prefix in &self.api_prefixes {
            if !is_valid_literal(prefix) {
                return Err(invalid(format!(
                    "stream external api prefix {prefix:?} must be a valid subject without wildcards"
                )));
            }
            if subjects_overlap(prefix, API_PREFIX) {
                let values: [(&str, &dyn Display); 2] =
                    [("prefix", prefix), ("subject", &API_PREFIX)];
                return Err(ApiError::filled(&STREAM_EXTERNAL_API_OVERLAP, &values));
            }
        }
        Ok(())
    }
}

const API_PREFIX: &str = "$JS.API";
