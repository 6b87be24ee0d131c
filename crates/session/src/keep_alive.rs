//! Keep-alive: when to PING, when the other side counts as gone, how long a round trip takes.
//! Reference row A66.

use std::time::{Duration, Instant};

/// What the keep-alive timer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Nothing yet.
    Wait,
    /// Send a PING.
    Ping,
    /// Too many PINGs went unanswered.
    Stale,
}

/// The state of one connection's keep-alive.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    last_input: Instant,
    ping_sent: Option<Instant>,
    unanswered: u32,
    round_trip: Option<Duration>,
}

impl KeepAlive {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            last_input: now,
            ping_sent: None,
            unanswered: 0,
            round_trip: None,
        }
    }

    pub(crate) fn heard(&mut self, now: Instant) {
        self.last_input = now;
    }

    pub(crate) fn pong(&mut self, now: Instant) {
        self.unanswered = 0;
        if let Some(sent) = self.ping_sent.take() {
            self.round_trip = Some(now.saturating_duration_since(sent));
        }
    }

    /// The timer fired. The first PING is sent whatever was heard: it measures the round trip.
    pub(crate) fn beat(&mut self, now: Instant, interval: Duration, unanswered_max: u32) -> Beat {
        let measured = self.round_trip.is_some() || self.ping_sent.is_some();
        if measured && now.saturating_duration_since(self.last_input) < interval {
            return Beat::Wait;
        }
        if self.unanswered + 1 > unanswered_max {
            return Beat::Stale;
        }
        self.unanswered += 1;
        self.ping_sent = Some(now);
        Beat::Ping
    }

    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }
}
