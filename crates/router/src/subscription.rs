//! What a subscription is to this crate.

/// What the index needs to know of a subscription. It never changes while it is in the index.
pub trait Subscription {
    /// Number that no other subscription of the process has.
    fn id(&self) -> u64;
    /// A filter that `wire::validate_filter` accepted.
    fn filter(&self) -> &[u8];
    /// Queue group.
    fn queue(&self) -> Option<&[u8]>;
}
