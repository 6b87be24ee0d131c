//! One request on its way through this program, and what came of it.

use std::time::Duration;

use async_nats::{HeaderMap, Message};
use bytes::Bytes;
use tokio::time::Instant;

use super::refusal::Refusal;

/// A request that is to be answered.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Its number, from 1.
    pub(crate) number: u64,
    pub(crate) request: Message,
    pub(crate) arrived: Instant,
    /// When the answer must be there; waiting for a free process counts.
    pub(crate) deadline: Instant,
}

/// A good answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) payload: Bytes,
    pub(crate) headers: HeaderMap,
}

/// Who worked on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// This program's own loop, or nobody at all.
    Here,
    /// A thread of this program, by the kernel's id of it.
    Thread(i32),
    /// A process, by its id.
    Process(u32),
}

/// A job that is over.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) job: Job,
    pub(crate) outcome: Result<Answer, Refusal>,
    pub(crate) by: By,
}

impl Job {
    /// The job, over.
    pub(crate) fn done(self, outcome: Result<Answer, Refusal>, by: By) -> Done {
        Done {
            job: self,
            outcome,
            by,
        }
    }

    /// How long it may take in all.
    pub(crate) fn limit(&self) -> Duration {
        self.deadline - self.arrived
    }
}

impl From<Bytes> for Answer {
    fn from(payload: Bytes) -> Self {
        Self {
            payload,
            headers: HeaderMap::new(),
        }
    }
}
