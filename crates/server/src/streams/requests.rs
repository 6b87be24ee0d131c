//! Requests to the API that wait because there were more than the streams thread has time for in a turn (E13).
//! They wait in the order in which they came. When there are as many as may wait, all of their kind are
//! dropped, as nats-server does it: who asked gets no answer and asks again, when there is time for it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use recado_streams::api::RequestKind;

use crate::config::StreamsOptions;

/// Time for requests in one turn; publishes, acks and pull requests wait so long for them at the most.
const REQUESTS_TIME: Duration = Duration::from_millis(2);
/// Bytes of waiting requests above which the first of them are served whatever the time: then the intake fills,
/// and whoever asks is slowed like a publisher.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Between two lines of the log about dropped requests.
const WARN_EVERY: Duration = Duration::from_secs(1);

/// How many requests may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestLimits {
    /// Those that only ask what there is.
    questions: usize,
    /// All others.
    changes: usize,
}

impl RequestLimits {
    /// As configured.
    pub(crate) fn of(streams: &StreamsOptions) -> Self {
        let count = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            questions: count(
                streams
                    .info_queue_limit
                    .unwrap_or(streams.request_queue_limit),
            ),
            changes: count(streams.request_queue_limit),
        }
    }
}

/// The requests that wait.
#[derive(Debug)]
pub(super) struct WaitingRequests {
    limits: RequestLimits,
    waiting: VecDeque<Waiting>,
    questions: usize,
    changes: usize,
    bytes: usize,
    warned: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    kind: RequestKind,
    /// As it came from the engine.
    frame: Box<[u8]>,
}

impl WaitingRequests {
    pub(super) fn new(limits: RequestLimits) -> Self {
        Self {
            limits,
            waiting: VecDeque::new(),
            questions: 0,
            changes: 0,
            bytes: 0,
            warned: None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether so many bytes wait that the first request should be served before another is put behind it.
    pub(super) fn is_overfull(&self) -> bool {
        self.bytes > WAITING_BYTES_MAX
    }

    /// Lets a request wait. Some: with it as many wait as may, so that all of its kind were dropped.
    pub(super) fn push(&mut self, kind: RequestKind, frame: &[u8]) -> Option<usize> {
        self.waiting.push_back(Waiting {
            kind,
            frame: frame.into(),
        });
        self.bytes += frame.len();
        let limits = self.limits;
        let (count, limit) = match kind {
            RequestKind::Question => (&mut self.questions, limits.questions),
            RequestKind::Change => (&mut self.changes, limits.changes),
        };
        *count += 1;
        if *count < limit {
            return None;
        }
        let dropped = std::mem::take(count);
        self.waiting.retain(|waiting| waiting.kind != kind);
        self.bytes = self.waiting.iter().map(|waiting| waiting.frame.len()).sum();
        Some(dropped)
    }

    /// The request that waited longest.
    pub(super) fn pop(&mut self) -> Option<Box<[u8]>> {
        let Waiting { kind, frame } = self.waiting.pop_front()?;
        match kind {
            RequestKind::Question => self.questions -= 1,
            RequestKind::Change => self.changes -= 1,
        }
        self.bytes -= frame.len();
        Some(frame)
    }

    /// Says in the log that requests were dropped, if that was not just said.
    pub(super) fn warn(&mut self, dropped: usize) {
        let now = Instant::now();
        if self.warned.is_none_or(|warned| now - warned >= WARN_EVERY) {
            self.warned = Some(now);
            tracing::warn!(
                dropped,
                "more requests to the JetStream API wait than request_queue_limit allows: those that waited were dropped"
            );
        }
    }
}

/// How much time there is for requests.
#[derive(Debug)]
pub(super) struct Time {
    left: Duration,
}

impl Time {
    /// What one turn of the thread has.
    pub(super) fn for_a_turn() -> Self {
        Self {
            left: REQUESTS_TIME,
        }
    }

    /// As much as it takes, because there is no other turn.
    pub(super) fn unlimited() -> Self {
        Self {
            left: Duration::MAX,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.left.is_zero()
    }

    /// Serves a request.
    pub(super) fn spend<T>(&mut self, serve: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let served = serve();
        self.left = self.left.saturating_sub(start.elapsed());
        served
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(questions: usize, changes: usize) -> WaitingRequests {
        WaitingRequests::new(RequestLimits { questions, changes })
    }

    fn rest(requests: &mut WaitingRequests) -> Vec<String> {
        let frames = std::iter::from_fn(|| requests.pop());
        frames
            .map(|frame| String::from_utf8_lossy(&frame).into_owned())
            .collect()
    }

    #[test]
    fn requests_are_served_in_the_order_in_which_they_came() {
        let mut requests = of(10, 10);
        for (kind, frame) in [
            (RequestKind::Change, "1"),
            (RequestKind::Question, "2"),
            (RequestKind::Change, "3"),
        ] {
            assert_eq!(requests.push(kind, frame.as_bytes()), None);
        }
        assert_eq!(rest(&mut requests), ["1", "2", "3"]);
        assert!(requests.is_empty());
    }

    #[test]
    fn the_one_that_reaches_the_limit_drops_all_of_its_kind_and_no_other() {
        let mut requests = of(2, 3);
        for frame in ["a", "b"] {
            assert_eq!(requests.push(RequestKind::Change, frame.as_bytes()), None);
        }
        assert_eq!(requests.push(RequestKind::Question, b"q"), None);
        assert_eq!(requests.push(RequestKind::Change, b"c"), Some(3));
        assert_eq!(requests.push(RequestKind::Change, b"d"), None);
        assert_eq!(rest(&mut requests), ["q", "d"]);
        // Those that were served leave room.
        assert_eq!(requests.push(RequestKind::Question, b"r"), None);
        assert_eq!(requests.push(RequestKind::Question, b"s"), Some(2));
        assert!(requests.is_empty());
    }

    #[test]
    fn bytes_that_wait_are_bounded_and_counted_down() {
        let mut requests = of(10, 10);
        let large = vec![b'x'; WAITING_BYTES_MAX / 2 + 1];
        requests.push(RequestKind::Change, &large);
        assert!(!requests.is_overfull());
        requests.push(RequestKind::Question, &large);
        assert!(requests.is_overfull());
        requests.pop();
        assert!(!requests.is_overfull());
        requests.pop();
        assert_eq!(requests.bytes, 0);
    }

    #[test]
    fn questions_may_wait_as_other_requests_do_unless_said_otherwise() {
        let mut streams = StreamsOptions {
            request_queue_limit: 7,
            ..StreamsOptions::default()
        };
        let limits = RequestLimits::of(&streams);
        assert_eq!((limits.questions, limits.changes), (7, 7));
        streams.info_queue_limit = Some(3);
        let limits = RequestLimits::of(&streams);
        assert_eq!((limits.questions, limits.changes), (3, 7));
    }
}
