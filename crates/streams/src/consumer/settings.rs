//! A consumer's configuration in the form in which the running state asks for it. Never decides whether a
//! configuration is allowed: that was done before.

use crate::config::{AckPolicy, ConsumerConfig, PriorityPolicy};

/// What an acknowledgement settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acks {
    /// Delivered is settled.
    None,
    /// The message and all before it, by acks (`all`) or by flow control's answers.
    UpTo,
    /// The message.
    Each,
}

/// What the running state asks of the configuration.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) acks: Acks,
    /// Acks come as answers to flow control.
    pub(super) flow_acks: bool,
    /// How long an ack is waited for; none where nothing is redelivered by time.
    ack_wait_ns: Option<i64>,
    backoff_ns: Vec<i64>,
    /// Deliveries after which a message is given up.
    pub(super) max_deliver: Option<u32>,
    /// Unacknowledged messages at which delivery stalls.
    pub(super) ack_pending_max: usize,
    /// Requests that may wait.
    pub(super) waiting_max: usize,
    pub(super) batch_max: Option<i64>,
    pub(super) expires_max_ns: Option<i64>,
    pub(super) bytes_max: Option<i64>,
    pub(super) headers_only: bool,
    /// Of a hundred acks, how many are reported.
    pub(super) sample_percent: u64,
    pub(super) inactive_after_ns: Option<i64>,
    pub(super) priority: PriorityPolicy,
    pub(super) groups: Vec<String>,
    pub(super) pin_timeout_ns: i64,
    pub(super) push: Option<PushSettings>,
}

/// What only a push consumer has.
#[derive(Clone, Debug)]
pub(super) struct PushSettings {
    pub(super) subject: Box<[u8]>,
    pub(super) group: Option<Box<[u8]>>,
    pub(super) heartbeat_ns: Option<i64>,
    pub(super) flow_control: bool,
    pub(super) rate_bits_per_second: Option<u64>,
}

const WAITING_DEFAULT: usize = 512;
const PIN_TIMEOUT_DEFAULT_NS: i64 = 120_000_000_000;

impl Settings {
    pub(super) fn new(config: &ConsumerConfig) -> Self {
        let flow_acks = config.ack_policy == AckPolicy::FlowControl;
        Self {
            acks: match config.ack_policy {
                AckPolicy::None => Acks::None,
                AckPolicy::All | AckPolicy::FlowControl => Acks::UpTo,
                AckPolicy::Explicit => Acks::Each,
            },
            flow_acks,
            ack_wait_ns: above_zero(config.ack_wait).filter(|_| !flow_acks),
            backoff_ns: config.backoff.clone(),
            max_deliver: above_zero(config.max_deliver)
                .map(|max| u32::try_from(max).unwrap_or(u32::MAX)),
            ack_pending_max: match config.ack_policy {
                AckPolicy::None => usize::MAX,
                _ => count(config.max_ack_pending).unwrap_or(usize::MAX),
            },
            waiting_max: count(config.max_waiting).unwrap_or(WAITING_DEFAULT),
            batch_max: above_zero(config.max_batch),
            expires_max_ns: above_zero(config.max_expires),
            bytes_max: above_zero(config.max_bytes),
            headers_only: config.headers_only,
            sample_percent: config
                .sample_freq
                .trim_end_matches('%')
                .parse()
                .unwrap_or(0),
            inactive_after_ns: above_zero(config.inactive_threshold),
            priority: config.priority_policy,
            groups: config.priority_groups.clone(),
            pin_timeout_ns: above_zero(config.priority_timeout).unwrap_or(PIN_TIMEOUT_DEFAULT_NS),
            push: config.is_push().then(|| PushSettings::new(config)),
        }
    }

    /// How long an ack is waited for after so many deliveries.
    pub(super) fn wait_ns(&self, deliveries: u32) -> Option<i64> {
        let at = usize::try_from(deliveries.saturating_sub(1)).unwrap_or(usize::MAX);
        let backoff = self.backoff_ns.get(at).or_else(|| self.backoff_ns.last());
        backoff.copied().or(self.ack_wait_ns)
    }

    /// When a message is to be delivered again that was delivered just now.
    pub(super) fn due_ns(&self, now_ns: i64, deliveries: u32) -> i64 {
        self.wait_ns(deliveries)
            .map_or(i64::MAX, |wait| now_ns.saturating_add(wait))
    }

    /// Whether a message has had all the deliveries that it may have.
    pub(super) fn is_last(&self, deliveries: u32) -> bool {
        self.max_deliver.is_some_and(|max| deliveries >= max)
    }
}

impl PushSettings {
    fn new(config: &ConsumerConfig) -> Self {
        let group = config.deliver_group.as_bytes();
        Self {
            subject: config.deliver_subject.as_bytes().into(),
            group: (!group.is_empty()).then(|| group.into()),
            heartbeat_ns: above_zero(config.idle_heartbeat),
            flow_control: config.flow_control,
            rate_bits_per_second: (config.rate_limit_bps > 0).then_some(config.rate_limit_bps),
        }
    }
}

fn above_zero(value: i64) -> Option<i64> {
    (value > 0).then_some(value)
}

fn count(value: i64) -> Option<usize> {
    above_zero(value).and_then(|value| usize::try_from(value).ok())
}
