//! Who is interested in a subject.
//!
//! [`Router`] holds the subscriptions of one account: literal subjects in a hash index, filters
//! with wildcards in a trie, both sharded so that churn in one place leaves the rest alone.
//! [`RouteCache`] keeps, per thread, what a subject resolved to; a generation per shard tells
//! whether that is still true, so the hot path takes no lock.
//!
//! No I/O, no clock, no sockets: a subscription is whatever implements [`Subscription`].
#![forbid(unsafe_code)]

mod cache;
mod interest;
mod router;
mod subscription;
mod trie;

pub use cache::{Built, RouteCache, RouteId};
pub use interest::{Interest, SubSet};
pub use router::{Figures, Group, Matches, Router, Stamp};
pub use subscription::Subscription;
