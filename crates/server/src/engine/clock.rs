//! The engine's clock for what is shown: microseconds since the process began to count, eight bytes where an
//! `Instant` takes sixteen, and what they are in Unix time.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The moment that is counted from, on both clocks.
static ZERO: LazyLock<Zero> = LazyLock::new(|| Zero {
    instant: Instant::now(),
    unix_ns: unix_ns(),
});

struct Zero {
    instant: Instant,
    unix_ns: i64,
}

/// Unix time in nanoseconds.
pub(crate) fn unix_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    })
}

/// Microseconds from zero to `now`; 0 for what was before.
pub(crate) fn micros(now: Instant) -> u64 {
    let since = now.saturating_duration_since(ZERO.instant);
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Microseconds from zero until now.
pub(crate) fn now_us() -> u64 {
    micros(Instant::now())
}

/// Unix time in nanoseconds of a moment on this clock. The machine's clock may have been set since zero: what
/// is shown then still agrees with itself.
pub(crate) fn unix_ns_of(micros: u64) -> i64 {
    let since = i64::try_from(micros)
        .unwrap_or(i64::MAX)
        .saturating_mul(1000);
    ZERO.unix_ns.saturating_add(since)
}
