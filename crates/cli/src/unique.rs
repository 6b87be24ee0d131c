//! A name that nobody else uses: for the inboxes and subjects of a measurement.

use std::time::{SystemTime, UNIX_EPOCH};

/// A token that no other run has, on this machine or another: who we are, and when.
pub(crate) fn token() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = now.map_or(0, |since| since.as_nanos());
    format!("{:x}{nanos:x}", std::process::id())
}
