//! An answer that says that there is none: a number and a description, sent as the error headers
//! of NATS services (ADR-32).
//!
//! The description goes to whoever asked. It must never hold what a process wrote to its standard
//! error, paths or command lines: those are told here only.

use async_nats::HeaderMap;

use crate::service_api;

/// Why a request was not answered as it should have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// A number as HTTP uses it; `docs/processes-and-threads.md` has the table.
    pub(crate) code: u64,
    /// In English, for it is part of the protocol rather than of this terminal.
    pub(crate) description: String,
}

impl Refusal {
    /// The request can't be handed to a process.
    pub(crate) fn bad_request(why: &str) -> Self {
        Self::new(400, why.to_owned())
    }

    /// The request's headers don't fit into an environment.
    pub(crate) fn headers_too_large(max: usize) -> Self {
        Self::new(431, format!("the headers are larger than {max} bytes"))
    }

    /// The process failed: it says how itself, by its exit status or signal.
    pub(crate) fn process_failed(how: &str) -> Self {
        Self::new(500, how.to_owned())
    }

    /// The answer is larger than allowed.
    pub(crate) fn output_too_large(max: usize) -> Self {
        Self::new(502, format!("the answer is larger than {max} bytes"))
    }

    /// A worker's answer can't be understood.
    pub(crate) fn bad_frame(why: &str) -> Self {
        Self::new(502, format!("the worker's answer is malformed: {why}"))
    }

    /// All are busy and nothing more may wait.
    pub(crate) fn busy(waiting: usize) -> Self {
        Self::new(
            503,
            format!("the responder is busy (requests waiting: {waiting})"),
        )
    }

    /// The process can't be started.
    pub(crate) fn not_started() -> Self {
        Self::new(503, "the process can't be started".to_owned())
    }

    /// The responder goes away.
    pub(crate) fn ending() -> Self {
        Self::new(503, "the responder is ending".to_owned())
    }

    /// The deadline passed, while waiting for a free process or for its answer.
    pub(crate) fn late(limit: &str) -> Self {
        Self::new(504, format!("no answer within {limit}"))
    }

    /// What a worker says itself.
    pub(crate) fn new(code: u64, description: String) -> Self {
        // A line end inside would be another header.
        let description = description.replace(['\r', '\n'], " ");
        Self { code, description }
    }

    /// The headers of the answer.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(service_api::ERROR, self.description.as_str());
        headers.insert(service_api::ERROR_CODE, self.code.to_string().as_str());
        headers
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, self.description)
    }
}
