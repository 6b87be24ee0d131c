//! Times and durations as nats-server writes them.

use std::time::Duration;

use recado_streams::time::{format_duration, format_rfc3339};
use serde::{Serialize, Serializer};

use crate::engine::clock;

/// A moment, in Unix nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(super) i64);

impl Moment {
    /// The present.
    pub(super) fn now() -> Self {
        Self(clock::unix_ns())
    }

    /// A moment on the engine's clock.
    pub(super) fn of_engine(micros: u64) -> Self {
        Self(clock::unix_ns_of(micros))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_rfc3339(self.0))
    }
}

/// A span between two moments of the engine's clock, as `1y2d3h4m5s`: whole seconds, larger units only where
/// there are any.
pub(super) fn uptime(from_us: u64, to_us: u64) -> String {
    let seconds = to_us.saturating_sub(from_us) / 1_000_000;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let days = hours / 24;
    let years = days / 365;
    let (s, m, h) = (seconds % 60, minutes % 60, hours % 24);
    if years > 0 {
        format!("{years}y{}d{h}h{m}m{s}s", days % 365)
    } else if days > 0 {
        format!("{days}d{h}h{m}m{s}s")
    } else if hours > 0 {
        format!("{hours}h{m}m{s}s")
    } else if minutes > 0 {
        format!("{minutes}m{s}s")
    } else {
        format!("{s}s")
    }
}

/// A duration in nanoseconds, as Go's documents have it.
pub(super) fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// A round trip as Go writes a duration; `0s` where it is not known.
pub(super) fn round_trip(micros: u32) -> String {
    format_duration(i64::from(micros) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_nats_server_writes_them() {
        const SECOND: u64 = 1_000_000;
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (61, "1m1s"),
            (3600, "1h0m0s"),
            (90_061, "1d1h1m1s"),
            (366 * 86_400, "1y1d0h0m0s"),
        ] {
            assert_eq!(uptime(SECOND, (seconds + 1) * SECOND), text);
        }
        assert_eq!(uptime(5, 3), "0s");
    }

    #[test]
    fn round_trips_are_written_as_go_does() {
        assert_eq!(round_trip(0), "0s");
        assert_eq!(round_trip(123), "123µs");
        assert_eq!(round_trip(1_500), "1.5ms");
    }
}
