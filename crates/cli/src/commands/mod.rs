//! The commands, one file each: its arguments, and `run`. None uses another.

pub(crate) mod bench;
pub(crate) mod chat;
pub(crate) mod completions;
pub(crate) mod consumer;
pub(crate) mod context;
pub(crate) mod doctor;
pub(crate) mod errors;
pub(crate) mod explain;
pub(crate) mod kv;
pub(crate) mod latency;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod man;
pub(crate) mod object;
pub(crate) mod ping;
pub(crate) mod publish;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod service;
pub(crate) mod stream;
pub(crate) mod sub;
pub(crate) mod top;
pub(crate) mod tour;
pub(crate) mod trace;
pub(crate) mod wait;

use crate::text::usage as text;

/// A number of things that must be at least one.
pub(crate) fn positive(written: &str) -> Result<u64, String> {
    match written.parse() {
        Ok(0) | Err(_) => Err(text::bad_number(written)),
        Ok(number) => Ok(number),
    }
}

/// A number of things where zero has a meaning of its own.
pub(crate) fn count(written: &str) -> Result<u64, String> {
    written.parse().map_err(|_| text::bad_count(written))
}
