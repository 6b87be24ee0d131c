//! Consumers: who has got which message of a stream, and what is still to be confirmed.

mod source;

pub use source::{Read, Source, Stored};
