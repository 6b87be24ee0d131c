//! Pull requests: what a client may ask for, and the queue of those that wait (E100 to E119). Decides
//! nothing about messages.

use std::collections::VecDeque;

use crate::config::json::{Fields, JsonError};

/// A pull request, as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PullRequest {
    pub(super) batch: i64,
    /// From now on; 0 for no end.
    pub(super) expires_ns: i64,
    pub(super) bytes_max: i64,
    pub(super) no_wait: bool,
    pub(super) heartbeat_ns: i64,
    /// Present if it came as JSON.
    pub(super) group: Option<Group>,
}

/// The part of a request that speaks of priority groups (ADR-42).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) pin_id: String,
    pub(super) min_pending: i64,
    pub(super) min_ack_pending: i64,
    pub(super) priority: i64,
}

impl PullRequest {
    /// Reads the body of a request: empty for one message, a number for so many, or JSON.
    ///
    /// # Errors
    /// When it is JSON that can't be read, or asks for too rare heartbeats.
    pub(super) fn parse(body: &[u8]) -> Result<Self, String> {
        let body = body.trim_ascii();
        if body.first() != Some(&b'{') {
            let number = std::str::from_utf8(body)
                .ok()
                .and_then(|text| text.parse().ok());
            return Ok(Self {
                batch: number.unwrap_or(1),
                ..Self::default()
            });
        }
        let request = Self::from_json(body).map_err(|error| error.to_string())?;
        if request.heartbeat_ns > 0 && request.heartbeat_ns.saturating_mul(2) > request.expires_ns {
            return Err("heartbeat value too large".to_owned());
        }
        Ok(request)
    }

    fn from_json(body: &[u8]) -> Result<Self, JsonError> {
        let mut fields = Fields::parse(body, "JSApiConsumerGetNextRequest", false)?;
        Ok(Self {
            batch: fields.int("batch")?,
            expires_ns: fields.duration("expires")?,
            bytes_max: fields.int("max_bytes")?,
            no_wait: fields.bool("no_wait")?,
            heartbeat_ns: fields.duration("idle_heartbeat")?,
            group: Some(Group {
                name: fields.string("group")?,
                pin_id: fields.string("id")?,
                min_pending: fields.i64("min_pending")?,
                min_ack_pending: fields.i64("min_ack_pending")?,
                priority: fields.int("priority")?,
            }),
        })
    }
}

/// A request that waits for messages.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) inbox: Box<[u8]>,
    /// Messages that it still takes; of 0 or fewer it takes one, and is told that number where it ends.
    pub(super) left: i64,
    pub(super) delivered: u64,
    /// Bytes that it still takes; 0 or fewer for any number.
    pub(super) bytes_left: i64,
    /// `i64::MAX` for never.
    pub(super) expires_ns: i64,
    pub(super) heartbeat_ns: i64,
    /// `i64::MAX` for never.
    pub(super) heartbeat_at_ns: i64,
    pub(super) no_wait: bool,
    pub(super) group: Option<Group>,
    /// Bytes since its client was last asked whether it keeps up.
    pub(super) unchecked_bytes: u64,
}

impl Waiting {
    pub(super) fn new(request: PullRequest, inbox: &[u8], now_ns: i64) -> Self {
        let from_now = |after_ns: i64| match after_ns {
            0 => i64::MAX,
            _ => now_ns.saturating_add(after_ns),
        };
        Self {
            inbox: inbox.into(),
            left: request.batch,
            delivered: 0,
            bytes_left: request.bytes_max,
            expires_ns: from_now(request.expires_ns),
            heartbeat_ns: request.heartbeat_ns.max(0),
            heartbeat_at_ns: from_now(request.heartbeat_ns.max(0)),
            no_wait: request.no_wait,
            group: request.group,
            unchecked_bytes: 0,
        }
    }

    fn priority(&self) -> i64 {
        self.group.as_ref().map_or(i64::MAX, |group| group.priority)
    }

    /// One message more went to it. Whether it wants none after it.
    pub(super) fn take(&mut self, bytes: u64, now_ns: i64) -> bool {
        self.delivered += 1;
        self.unchecked_bytes = self.unchecked_bytes.saturating_add(bytes);
        self.left = self.left.saturating_sub(1);
        if self.bytes_left > 0 {
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            self.bytes_left = self.bytes_left.saturating_sub(bytes).max(0);
            if self.bytes_left == 0 {
                self.left = 0;
            }
        }
        if self.heartbeat_ns > 0 {
            self.heartbeat_at_ns = now_ns.saturating_add(self.heartbeat_ns);
        }
        self.left <= 0
    }

    /// Whether a message of so many bytes is more than it takes.
    pub(super) fn is_exceeded_by(&self, bytes: u64) -> bool {
        self.bytes_left > 0 && bytes > self.bytes_left.unsigned_abs()
    }

    /// Messages that nobody else may count on.
    pub(super) fn claimed(&self) -> u64 {
        self.left.max(0).unsigned_abs()
    }
}

/// The requests that wait, in the order in which they are served.
#[derive(Debug, Default)]
pub(super) struct WaitingQueue {
    requests: VecDeque<Waiting>,
    /// No request needs anything before.
    quiet_until_ns: Option<i64>,
    no_wait: usize,
}

impl WaitingQueue {
    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Whether some must be told when there is nothing for them.
    pub(super) fn has_no_wait(&self) -> bool {
        self.no_wait > 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.requests.iter()
    }

    /// When to look for what expired; it may be nothing.
    pub(super) fn next_deadline_ns(&self) -> Option<i64> {
        self.quiet_until_ns
    }

    /// Puts a request at the end, or behind the last of its priority.
    pub(super) fn push(&mut self, request: Waiting, by_priority: bool) {
        let deadline = request.expires_ns.min(request.heartbeat_at_ns);
        if deadline < i64::MAX {
            self.quiet_until_ns = Some(
                self.quiet_until_ns
                    .map_or(deadline, |quiet| quiet.min(deadline)),
            );
        }
        self.no_wait += usize::from(request.no_wait);
        self.place(request, by_priority);
    }

    fn place(&mut self, request: Waiting, by_priority: bool) {
        let priority = request.priority();
        match self.requests.back() {
            Some(last) if by_priority && last.priority() > priority => {
                let at = self
                    .requests
                    .partition_point(|one| one.priority() <= priority);
                self.requests.insert(at, request);
            }
            _ => self.requests.push_back(request),
        }
    }

    pub(super) fn front_mut(&mut self) -> Option<&mut Waiting> {
        self.requests.front_mut()
    }

    pub(super) fn pop_front(&mut self) -> Option<Waiting> {
        let request = self.requests.pop_front()?;
        self.no_wait -= usize::from(request.no_wait);
        Some(request)
    }

    /// The first becomes the last (of its priority).
    pub(super) fn rotate(&mut self, by_priority: bool) {
        if self.requests.len() > 1
            && let Some(first) = self.requests.pop_front()
        {
            self.place(first, by_priority);
        }
    }

    /// Keeps those that `keep` says, and learns when to look again.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&mut Waiting) -> bool) {
        let mut deadline = i64::MAX;
        let mut no_wait = 0;
        self.requests.retain_mut(|request| {
            let kept = keep(request);
            if kept {
                deadline = deadline
                    .min(request.expires_ns)
                    .min(request.heartbeat_at_ns);
                no_wait += usize::from(request.no_wait);
            }
            kept
        });
        self.no_wait = no_wait;
        self.quiet_until_ns = (deadline < i64::MAX).then_some(deadline);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_body_asks_for_one_and_a_number_for_so_many() {
        assert_eq!(PullRequest::parse(b"").map(|request| request.batch), Ok(1));
        assert_eq!(
            PullRequest::parse(b" 25 ").map(|request| request.batch),
            Ok(25)
        );
        assert_eq!(
            PullRequest::parse(b"what?").map(|request| request.batch),
            Ok(1)
        );
    }

    #[test]
    fn a_request_in_json_is_read_whole_and_unknown_fields_are_passed_over() {
        let body = br#"{"batch": 5, "expires": 10, "max_bytes": 7, "no_wait": true, "idle_heartbeat": 5,
            "group": "g", "id": "p", "min_pending": 1, "min_ack_pending": 2, "priority": 3, "more": {}}"#;
        let group = Group {
            name: "g".to_owned(),
            pin_id: "p".to_owned(),
            min_pending: 1,
            min_ack_pending: 2,
            priority: 3,
        };
        let expected = PullRequest {
            batch: 5,
            expires_ns: 10,
            bytes_max: 7,
            no_wait: true,
            heartbeat_ns: 5,
            group: Some(group),
        };
        assert_eq!(PullRequest::parse(body), Ok(expected));
    }

    #[test]
    fn heartbeats_must_fit_twice_into_the_time_that_a_request_waits() {
        let refused = PullRequest::parse(br#"{"batch": 1, "expires": 9, "idle_heartbeat": 5}"#);
        assert_eq!(refused, Err("heartbeat value too large".to_owned()));
    }

    #[test]
    fn requests_are_served_by_priority_and_in_turn_within_one() {
        let mut queue = WaitingQueue::default();
        for (inbox, priority) in [("a", 2), ("b", 1), ("c", 2), ("d", 1)] {
            let group = Group {
                priority,
                ..Group::default()
            };
            let request = PullRequest {
                group: Some(group),
                ..PullRequest::default()
            };
            queue.push(Waiting::new(request, inbox.as_bytes(), 0), true);
        }
        let order = |queue: &WaitingQueue| -> String {
            queue
                .iter()
                .map(|one| String::from_utf8_lossy(&one.inbox).into_owned())
                .collect()
        };
        assert_eq!(order(&queue), "bdac");
        queue.rotate(true);
        assert_eq!(order(&queue), "dbac");
    }
}
