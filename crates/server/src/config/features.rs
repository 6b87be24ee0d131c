//! Flags of features (ADR-53): which there are, and what is in force.

use std::collections::BTreeMap;

/// The long form of the subjects that deliveries are acknowledged on.
pub(crate) const LONG_ACK_SUBJECTS: &str = "js_ack_fc_v2";

/// The flags that nats-server 2.15.0 knows. All are off unless they are turned on.
pub(super) const KNOWN: [&str; 4] = [
    LONG_ACK_SUBJECTS,
    // How the servers of a cluster answer, and how they agree on gaps and on where sources stand.
    "js_api_reply_v2",
    "js_raft_delete_range",
    "js_snapshot_sources",
];

/// Every known flag with its value in force.
pub(crate) fn in_force(set: &BTreeMap<String, bool>) -> BTreeMap<&'static str, bool> {
    KNOWN
        .into_iter()
        .map(|flag| (flag, is_on(set, flag)))
        .collect()
}

/// Whether a flag was turned on.
pub(crate) fn is_on(set: &BTreeMap<String, bool>, flag: &str) -> bool {
    set.get(flag).copied().unwrap_or(false)
}
