//! Which consumer configurations a stream allows, and what is filled in where a request says nothing: the rules
//! of E120–E137 with nats-server's numbers and texts, in its order. Pure; what depends on the other consumers
//! of the stream has functions of its own.

use std::fmt::Display;

use super::consumer::{AckPolicy, ConsumerConfig, DeliverPolicy, PriorityPolicy};
use super::limits::Limits;
use super::stream::{Retention, StreamConfig};
use super::stream_rules::{
    DESCRIPTION_BYTES_MAX, METADATA_BYTES_MAX, NAME_BYTES_MAX, SUBJECTS_MAX, metadata_bytes,
};
use super::subject::{
    could_meet_literals, is_literal, is_subset, is_valid_filter, is_valid_name, subjects_overlap,
};
use crate::error::*;
use crate::time::{MILLISECOND, MINUTE, SECOND, format_duration};

/// How long an ack may take unless said otherwise, in nanoseconds.
pub const ACK_WAIT_DEFAULT: i64 = 30 * SECOND;
/// How long an ephemeral consumer may be unused unless said otherwise, in nanoseconds.
pub const INACTIVE_THRESHOLD_DEFAULT: i64 = 5 * SECOND;
/// Unacknowledged messages that a consumer may have unless said otherwise.
pub const MAX_ACK_PENDING_DEFAULT: i64 = 1000;
/// Pull requests that may wait unless said otherwise.
pub const MAX_WAITING_DEFAULT: i64 = 512;
/// How long a client stays pinned unless said otherwise, in nanoseconds.
pub const PRIORITY_TIMEOUT_DEFAULT: i64 = 2 * MINUTE;
/// The only heartbeat that the ack policy `flow_control` may have, in nanoseconds.
pub const FLOW_CONTROL_HEARTBEAT: i64 = SECOND;
/// Longest name of a priority group, in bytes.
pub const GROUP_BYTES_MAX: usize = 16;

type Checked = Result<(), ApiError>;

fn refuse_if(wrong: bool, kind: &Kind) -> Checked {
    if wrong {
        Err(ApiError::new(kind))
    } else {
        Ok(())
    }
}

fn invalid(text: impl Display) -> ApiError {
    ApiError::with(&STREAM_INVALID_CONFIG, text)
}

fn pedantic_if(wrong: bool, text: &str) -> Checked {
    if wrong {
        Err(ApiError::with(&PEDANTIC, text))
    } else {
        Ok(())
    }
}

impl ConsumerConfig {
    /// Checks it for one server and this stream, and fills in what it leaves open. `pedantic` refuses where a
    /// value would have to be corrected silently. The same for creating and updating.
    ///
    /// # Errors
    /// With nats-server's number and text.
    pub fn check_and_normalise(
        &self,
        stream: &StreamConfig,
        limits: &Limits,
        pedantic: bool,
    ) -> Result<Self, ApiError> {
        let mut config = self.clone();
        // Of what is asked for, not of what is made of it.
        config.set_required_level();
        config.lift_negatives(pedantic)?;
        config.fill_in(stream, limits, pedantic)?;
        config.check_names()?;
        config.check_replicas(stream)?;
        config.check_waits_and_flow_control()?;
        config.check_way_of_delivery(stream, limits)?;
        config.check_limits(stream, limits)?;
        config.check_filters()?;
        config.check_start()?;
        config.check_sampling_and_metadata()?;
        config.check_priority()?;
        let preferred = stream
            .placement
            .as_ref()
            .is_some_and(|place| !place.preferred.is_empty());
        if preferred {
            return Err(invalid("preferred server not permitted in placement"));
        }
        Ok(config)
    }

    fn lift_negatives(&mut self, pedantic: bool) -> Checked {
        pedantic_if(
            pedantic && self.max_deliver < -1,
            "max_deliver must be set to -1",
        )?;
        if self.max_deliver < -1 || self.max_deliver == 0 {
            self.max_deliver = -1;
        }
        for (name, value) in [
            ("max_waiting", &mut self.max_waiting),
            ("max_batch", &mut self.max_batch),
            ("max_expires", &mut self.max_expires),
            ("max_bytes", &mut self.max_bytes),
            ("idle_heartbeat", &mut self.idle_heartbeat),
            ("inactive_threshold", &mut self.inactive_threshold),
            ("priority_timeout", &mut self.priority_timeout),
        ] {
            pedantic_if(
                pedantic && *value < 0,
                &format!("{name} must not be negative"),
            )?;
            *value = (*value).max(0);
        }
        pedantic_if(
            pedantic && self.max_ack_pending < -1,
            "max_ack_pending must be set to -1",
        )?;
        self.max_ack_pending = self.max_ack_pending.max(-1);
        Ok(())
    }

    fn fill_in(&mut self, stream: &StreamConfig, limits: &Limits, pedantic: bool) -> Checked {
        if !self.is_push() && self.max_waiting == 0 {
            self.max_waiting = MAX_WAITING_DEFAULT;
        }
        let acked = matches!(self.ack_policy, AckPolicy::Explicit | AckPolicy::All);
        if self.ack_wait == 0 && acked {
            self.ack_wait = ACK_WAIT_DEFAULT;
        }
        if let Some(first) = self.backoff.first() {
            let differs = self.ack_wait != *first;
            pedantic_if(
                pedantic && differs,
                "first backoff value has to equal batch AckWait",
            )?;
            self.ack_wait = *first;
        }
        let of_stream = &stream.consumer_limits;
        if self.max_ack_pending == 0 {
            let text = "max_ack_pending must be set if it's configured in stream limits";
            pedantic_if(pedantic && of_stream.max_ack_pending > 0, text)?;
            self.max_ack_pending = of_stream.max_ack_pending;
        }
        if self.inactive_threshold == 0 {
            let text = "inactive_threshold must be set if it's configured in stream limits";
            pedantic_if(pedantic && of_stream.inactive_threshold > 0, text)?;
            self.inactive_threshold = of_stream.inactive_threshold;
        }
        if self.max_ack_pending == 0 && self.ack_policy != AckPolicy::None {
            let caps = [
                limits.server.max_ack_pending,
                limits.account.max_ack_pending,
            ];
            let caps = caps.into_iter().filter(|cap| *cap > 0);
            self.max_ack_pending = caps.fold(MAX_ACK_PENDING_DEFAULT, i64::min);
        }
        if !self.is_push() && self.max_batch == 0 && limits.server.max_request_batch > 0 {
            let text = "max_request_batch must be set if it's JetStream limits are set";
            pedantic_if(pedantic, text)?;
            self.max_batch = limits.server.max_request_batch;
        }
        if self.priority_policy == PriorityPolicy::PinnedClient && self.priority_timeout == 0 {
            self.priority_timeout = PRIORITY_TIMEOUT_DEFAULT;
        }
        if self.ack_policy == AckPolicy::FlowControl && !pedantic {
            self.flow_control = true;
            self.idle_heartbeat = FLOW_CONTROL_HEARTBEAT;
        }
        Ok(())
    }

    fn check_names(&self) -> Checked {
        for (what, name) in [("name", &self.name), ("durable name", &self.durable_name)] {
            if !name.is_empty() && !is_valid_name(name) {
                let text = format!(r"consumer {what} can not contain '.', '*', '>', '\', '/'");
                return Err(invalid(text));
            }
            if name.len() > NAME_BYTES_MAX {
                return Err(ApiError::with(&CONSUMER_NAME_TOO_LONG, NAME_BYTES_MAX));
            }
        }
        Ok(())
    }

    fn check_replicas(&self, stream: &StreamConfig) -> Checked {
        let replicas = self.num_replicas;
        refuse_if(
            replicas > stream.num_replicas.max(0),
            &CONSUMER_REPLICAS_EXCEEDS_STREAM,
        )?;
        refuse_if(replicas < 0, &REPLICAS_COUNT_CANNOT_BE_NEGATIVE)?;
        let strict = stream.retention != Retention::Limits;
        let differs = replicas != 0 && replicas != stream.num_replicas;
        refuse_if(strict && differs, &CONSUMER_REPLICAS_SHOULD_MATCH_STREAM)
    }

    fn check_waits_and_flow_control(&self) -> Checked {
        refuse_if(
            self.backoff.iter().any(|wait| *wait < 0),
            &CONSUMER_BACK_OFF_NEGATIVE,
        )?;
        refuse_if(self.ack_wait < 0, &CONSUMER_ACK_WAIT_NEGATIVE)?;
        if self.ack_policy == AckPolicy::FlowControl {
            refuse_if(!self.is_push(), &CONSUMER_ACK_FC_REQUIRES_PUSH)?;
            refuse_if(!self.flow_control, &CONSUMER_ACK_FC_REQUIRES_FC)?;
            if self.idle_heartbeat != FLOW_CONTROL_HEARTBEAT {
                return Err(invalid("flow control ack policy heartbeat needs to be 1s"));
            }
            refuse_if(
                self.max_ack_pending <= 0,
                &CONSUMER_ACK_FC_REQUIRES_MAX_ACK_PENDING,
            )?;
            let waits = self.ack_wait != 0 || !self.backoff.is_empty();
            refuse_if(waits, &CONSUMER_ACK_FC_REQUIRES_NO_ACK_WAIT)?;
            refuse_if(
                self.max_deliver > 0,
                &CONSUMER_ACK_FC_REQUIRES_NO_MAX_DELIVER,
            )?;
        }
        self.check_backoff_length()?;
        if self.description.len() > DESCRIPTION_BYTES_MAX {
            return Err(ApiError::with(
                &CONSUMER_DESCRIPTION_TOO_LONG,
                DESCRIPTION_BYTES_MAX,
            ));
        }
        Ok(())
    }

    /// Each wait of the list must have a delivery that it can follow.
    pub(super) fn check_backoff_length(&self) -> Checked {
        let waits = i64::try_from(self.backoff.len()).unwrap_or(i64::MAX);
        let too_many = waits > 0 && self.max_deliver != -1 && waits > self.max_deliver;
        refuse_if(too_many, &CONSUMER_MAX_DELIVER_BACKOFF)
    }

    fn check_way_of_delivery(&self, stream: &StreamConfig, limits: &Limits) -> Checked {
        if self.is_push() {
            return self.check_push(stream);
        }
        let unacked = self.ack_policy == AckPolicy::None;
        let queue = stream.retention == Retention::WorkQueue;
        refuse_if(unacked && queue, &CONSUMER_PULL_REQUIRES_ACK)?;
        refuse_if(self.rate_limit_bps > 0, &CONSUMER_PULL_WITH_RATE_LIMIT)?;
        refuse_if(self.idle_heartbeat > 0, &CONSUMER_HB_REQUIRES_PUSH)?;
        refuse_if(self.flow_control, &CONSUMER_FC_REQUIRES_PUSH)?;
        let short = self.max_expires != 0 && self.max_expires < MILLISECOND;
        refuse_if(short, &CONSUMER_MAX_REQUEST_EXPIRES_TOO_SMALL)?;
        let max = limits.server.max_request_batch;
        if max > 0 && self.max_batch > max {
            return Err(ApiError::with(&CONSUMER_MAX_REQUEST_BATCH_EXCEEDED, max));
        }
        Ok(())
    }

    fn check_push(&self, stream: &StreamConfig) -> Checked {
        let to = &self.deliver_subject;
        refuse_if(!is_literal(to), &CONSUMER_DELIVER_TO_WILDCARDS)?;
        refuse_if(!is_valid_filter(to), &CONSUMER_INVALID_DELIVER_SUBJECT)?;
        let cycle = stream.subjects.iter().any(|subject| is_subset(to, subject));
        refuse_if(cycle, &CONSUMER_DELIVER_CYCLE)?;
        refuse_if(self.max_waiting != 0, &CONSUMER_PUSH_MAX_WAITING)?;
        let pending = self.max_ack_pending > 0 && self.ack_policy == AckPolicy::None;
        refuse_if(pending, &CONSUMER_MAX_PENDING_ACK_POLICY_REQUIRED)?;
        let short = self.idle_heartbeat > 0 && self.idle_heartbeat < 100 * MILLISECOND;
        refuse_if(short, &CONSUMER_SMALL_HEARTBEAT)
    }

    fn check_limits(&self, stream: &StreamConfig, limits: &Limits) -> Checked {
        let of_stream = &stream.consumer_limits;
        for max in [
            limits.server.max_ack_pending,
            limits.account.max_ack_pending,
            of_stream.max_ack_pending,
        ] {
            if max > 0 && self.max_ack_pending > max {
                return Err(ApiError::with(&CONSUMER_MAX_PENDING_ACK_EXCESS, max));
            }
        }
        let max = of_stream.inactive_threshold;
        if max > 0 && self.inactive_threshold > max {
            let max = format_duration(max);
            return Err(ApiError::with(&CONSUMER_INACTIVE_THRESHOLD_EXCESS, max));
        }
        if self.direct {
            refuse_if(!self.is_push(), &CONSUMER_DIRECT_REQUIRES_PUSH)?;
            refuse_if(self.is_durable(), &CONSUMER_DIRECT_REQUIRES_EPHEMERAL)?;
        }
        Ok(())
    }

    fn check_filters(&self) -> Checked {
        let both = !self.filter_subject.is_empty() && !self.filter_subjects.is_empty();
        refuse_if(both, &CONSUMER_DUPLICATE_FILTER_SUBJECTS)?;
        let empty = self.filter_subjects.iter().any(String::is_empty);
        refuse_if(empty, &CONSUMER_EMPTY_FILTER)?;
        let filters = self.filters();
        if filters.len() > SUBJECTS_MAX {
            let text = format!("consumer has too many filters, maximum allowed is {SUBJECTS_MAX}");
            return Err(invalid(text));
        }
        let could_hold = could_meet_literals(filters);
        for (at, filter) in filters.iter().enumerate() {
            if !is_valid_filter(filter) {
                return Err(invalid("invalid subject"));
            }
            let mut others = could_hold.iter().filter(|other| **other != at);
            let holds = |other: &usize| filters.get(*other).is_some_and(|o| is_subset(filter, o));
            let overlaps = others.any(holds);
            refuse_if(overlaps, &CONSUMER_OVERLAPPING_SUBJECT_FILTERS)?;
        }
        Ok(())
    }

    fn check_start(&self) -> Checked {
        let (sequence, time) = (self.opt_start_seq > 0, self.opt_start_time.is_some());
        let bad = |text: String| Err(ApiError::with(&CONSUMER_INVALID_POLICY, text));
        let (name, time_name) = match self.deliver_policy {
            DeliverPolicy::All => ("all", "time"),
            DeliverPolicy::Last => ("last", "time"),
            DeliverPolicy::LastPerSubject => ("last per subject", "time"),
            DeliverPolicy::New => ("new", "time"),
            DeliverPolicy::ByStartSequence => ("by start sequence", "time"),
            DeliverPolicy::ByStartTime => ("by start time", "start time"),
        };
        let also = |start: &str| {
            format!(
                "consumer delivery policy is deliver {name}, but optional start {start} is also set"
            )
        };
        let missing = |what: &str| {
            format!("consumer delivery policy is deliver {name}, but optional {what} is not set")
        };
        match self.deliver_policy {
            DeliverPolicy::ByStartSequence if !sequence => bad(missing("start sequence")),
            DeliverPolicy::ByStartTime if !time => bad(missing("start time")),
            DeliverPolicy::ByStartTime if sequence => bad(also("start sequence")),
            DeliverPolicy::ByStartTime => Ok(()),
            DeliverPolicy::ByStartSequence if time => bad(also(time_name)),
            DeliverPolicy::ByStartSequence => Ok(()),
            _ if sequence => bad(also("sequence")),
            _ if time => bad(also(time_name)),
            DeliverPolicy::LastPerSubject if self.filters().is_empty() => {
                bad(missing("filter subject"))
            }
            _ => Ok(()),
        }
    }

    fn check_sampling_and_metadata(&self) -> Checked {
        if let Err(text) = self.sample_percent() {
            return Err(ApiError::with(&CONSUMER_INVALID_SAMPLING, text));
        }
        let unchecked = self.flow_control && self.idle_heartbeat == 0;
        refuse_if(unchecked, &CONSUMER_WITH_FLOW_CONTROL_NEEDS_HEARTBEATS)?;
        let two_names = self.is_durable() && !self.name.is_empty();
        let differ = two_names && self.name != self.durable_name;
        refuse_if(differ, &CONSUMER_CREATE_DURABLE_AND_NAME_MISMATCH)?;
        if metadata_bytes(&self.metadata) > METADATA_BYTES_MAX {
            let max = format!("{}KB", METADATA_BYTES_MAX / 1024);
            return Err(ApiError::with(&CONSUMER_METADATA_LENGTH, max));
        }
        Ok(())
    }

    /// How many acks of a hundred are to be measured; 0 for none.
    ///
    /// # Errors
    /// With Go's words when `sample_freq` is no number.
    pub fn sample_percent(&self) -> Result<u32, String> {
        let text = self.sample_freq.as_str();
        if text.is_empty() {
            return Ok(0);
        }
        let number = text.strip_suffix('%').unwrap_or(text);
        match number.parse::<i64>() {
            Ok(percent) if percent >= 0 => Ok(u32::try_from(percent.min(100)).unwrap_or(100)),
            // nats-server prints its missing error so.
            Ok(_) => Err("<nil>".to_owned()),
            Err(_) => Err(format!("strconv.Atoi: parsing {number:?}: invalid syntax")),
        }
    }

    fn check_priority(&self) -> Checked {
        if self.priority_policy == PriorityPolicy::None {
            let grouped = !self.priority_groups.is_empty();
            refuse_if(grouped, &CONSUMER_PRIORITY_GROUP_WITH_POLICY_NONE)?;
            let timed = self.priority_timeout > 0;
            return refuse_if(timed, &CONSUMER_PINNED_TTL_WITHOUT_PRIORITY_POLICY_NONE);
        }
        refuse_if(self.is_push(), &CONSUMER_PUSH_WITH_PRIORITY_GROUP)?;
        refuse_if(
            self.priority_groups.is_empty(),
            &CONSUMER_PRIORITY_POLICY_WITHOUT_GROUP,
        )?;
        for group in &self.priority_groups {
            refuse_if(group.is_empty(), &CONSUMER_EMPTY_GROUP_NAME)?;
            refuse_if(!is_valid_group(group), &CONSUMER_INVALID_GROUP_NAME)?;
        }
        Ok(())
    }

    /// What a work queue asks of a new consumer; `others` are the configurations of those that it has
    /// (without direct and sourcing ones).
    ///
    /// # Errors
    /// When it may not have this one beside them.
    pub fn check_for_work_queue<'a>(
        &self,
        stream: &StreamConfig,
        mut others: impl Iterator<Item = &'a Self>,
    ) -> Checked {
        if stream.retention != Retention::WorkQueue || self.direct || self.sourcing {
            return Ok(());
        }
        let explicit = matches!(
            self.ack_policy,
            AckPolicy::Explicit | AckPolicy::FlowControl
        );
        refuse_if(!explicit, &CONSUMER_WQ_REQUIRES_EXPLICIT_ACK)?;
        let partial = self.deliver_policy != DeliverPolicy::All;
        refuse_if(partial, &CONSUMER_WQ_CONSUMER_NOT_DELIVER_ALL)?;
        let Some(first) = others.next() else {
            return Ok(());
        };
        refuse_if(self.filters().is_empty(), &CONSUMER_WQ_MULTIPLE_UNFILTERED)?;
        let shared = std::iter::once(first)
            .chain(others)
            .any(|other| self.shares_with(other));
        refuse_if(shared, &CONSUMER_WQ_CONSUMER_NOT_UNIQUE)
    }

    /// What a work queue asks of a consumer that is updated; `others` without the consumer itself.
    ///
    /// # Errors
    /// When a message could be for two.
    pub fn check_for_work_queue_update<'a>(
        &self,
        stream: &StreamConfig,
        mut others: impl Iterator<Item = &'a Self>,
    ) -> Checked {
        let queue = stream.retention == Retention::WorkQueue && !self.filters().is_empty();
        let shared = queue && others.any(|other| self.shares_with(other));
        refuse_if(shared, &CONSUMER_WQ_CONSUMER_NOT_UNIQUE)
    }

    /// Whether a message could be for both.
    pub fn shares_with(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.filters(), other.filters());
        ours.is_empty()
            || theirs.is_empty()
            || ours
                .iter()
                .any(|a| theirs.iter().any(|b| subjects_overlap(a, b)))
    }
}

/// Letters, digits, `/`, `_`, `=`, `-`; at most 16 bytes.
pub fn is_valid_group(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_=-".contains(&byte);
    (1..=GROUP_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed)
}
