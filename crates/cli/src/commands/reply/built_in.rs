//! The answers that need no process: the request itself, a text, a file's content, the time.

use bytes::Bytes;

use super::job::{Answer, Job};
use crate::shown;

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) enum BuiltIn {
    /// The request's own payload.
    Echo,
    /// A text, in which `{{count}}` stands for the number of the request.
    Text(String),
    /// The same bytes each time.
    Content(Bytes),
    /// The current time.
    Time,
}

impl BuiltIn {
    /// The answer to a request.
    pub(crate) fn answer(&self, job: &Job) -> Answer {
        let payload: Bytes = match self {
            Self::Echo => job.request.payload.clone(),
            Self::Text(text) => text.replace("{{count}}", &job.number.to_string()).into(),
            Self::Content(content) => content.clone(),
            Self::Time => shown::timestamp().into(),
        };
        payload.into()
    }
}
