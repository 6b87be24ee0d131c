//! Streams, and what is made of them (consumers, buckets, object stores), as the commands share them:
//! requests to the API, acknowledged publishing, reading, and the words for what goes wrong.
//!
//! Configurations are kept as the JSON that the server sent: a field that is unknown here survives an edit.

pub(crate) mod about;
pub(crate) mod api;
pub(crate) mod bucket;
pub(crate) mod consent;
mod difference;
pub(crate) mod editing;
pub(crate) mod fields;
pub(crate) mod names;
mod ordered;
pub(crate) mod publish;
pub(crate) mod pull;
pub(crate) mod reader;
pub(crate) mod report;
pub(crate) mod stored;
pub(crate) mod trouble;
pub(crate) mod units;
pub(crate) mod verbatim;
mod walk;
