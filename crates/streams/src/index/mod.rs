//! To come.

/// A set of filter subjects.
#[derive(Debug, Default)]
pub struct Filters;
