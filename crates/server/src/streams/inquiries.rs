//! What the streams thread is asked by other threads, and shows: between two turns, a little at a time. Questions
//! wait in a bounded queue; who asks waits a bounded time, and never holds the thread up.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use recado_log::{Log, RealDisk};
use recado_streams::accounts::{AccountSummary, Accounts};
use recado_streams::context::Surroundings;
use recado_streams::jetstream::{Found, Inquiry, Page};
use tokio::sync::oneshot;

use crate::engine::{Histogram, Intake};

/// Questions that may wait.
const WAITING_MAX: usize = 64;
/// How long an answer is waited for. The thread may be busy reading its store again.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the thread goes on with one question; the asker asks on where it ended.
const QUESTION_TIME: Duration = Duration::from_millis(2);

/// Where questions wait for the streams thread.
pub(crate) struct Inquiries {
    waiting: Mutex<Waiting>,
    intake: Arc<Intake>,
    /// What the thread counts.
    pub(crate) counters: StoreCounters,
}

/// What the streams thread counts since the start.
#[derive(Default)]
pub(crate) struct StoreCounters {
    /// From taking what is to be stored to letting its acknowledgement go, weighted by acknowledgements.
    pub(crate) durable: Histogram,
    /// Batches that became durable: a write and a sync each.
    pub(crate) batches: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    questions: VecDeque<Question>,
    /// The thread has ended.
    closed: bool,
}

type Question = Box<dyn for<'a, 'c> FnOnce(&mut Glimpse<'a, 'c>) + Send>;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The thread has ended.
    Ended,
    /// Too many ask already.
    Crowded,
    /// It took too long.
    Late,
}

impl NoAnswer {
    /// What happened, and what to do.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Ended => "the streams have ended: the server is stopping",
            Self::Crowded => "too many questions wait for the streams; ask again later",
            Self::Late => "the streams are busy and did not answer in time; ask again later",
        }
    }
}

/// What is shown of the streams to one question.
pub(crate) struct Glimpse<'a, 'c> {
    pub(super) accounts: &'a mut Accounts,
    pub(super) around: &'a mut Surroundings<'c>,
    pub(super) log: &'a mut Log<RealDisk>,
}

/// How the store lies on its disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoreFigures {
    pub(crate) segments: u64,
    /// Bytes of records.
    pub(crate) bytes: u64,
    /// Bytes of records that are still needed.
    pub(crate) live_bytes: u64,
    /// Of an encrypted store: segments that are not encrypted yet.
    pub(crate) plain_segments: u64,
    /// Why it takes nothing more, if so.
    pub(crate) stopped: Option<String>,
}

impl Glimpse<'_, '_> {
    /// The accounts that have streams, behind this one; as many as there is time for, and whether there are more.
    pub(crate) fn summaries(&self, after: Option<&str>) -> (Vec<AccountSummary>, bool) {
        let until = Instant::now() + QUESTION_TIME;
        self.accounts
            .summaries(after, &mut || Instant::now() < until)
    }

    /// Some streams of an account; as many as there is time for. None of an account that has no streams.
    pub(crate) fn page(&mut self, account: &str, inquiry: &Inquiry) -> Page {
        let until = Instant::now() + QUESTION_TIME;
        self.accounts
            .page(self.around, self.log, account, inquiry, &mut || {
                Instant::now() < until
            })
    }

    /// Whether a stream of an account, and a consumer of it, are there; `None`: nor is the account.
    pub(crate) fn find(&self, account: &str, stream: &str, consumer: &str) -> Option<Found> {
        self.accounts.find(account, stream, consumer)
    }

    /// Why the store takes nothing more, if so.
    pub(crate) fn stopped(&self) -> Option<String> {
        self.log.stopped().map(ToOwned::to_owned)
    }

    /// How the store lies on its disk.
    pub(crate) fn store(&self) -> StoreFigures {
        let usage = self.log.usage();
        StoreFigures {
            segments: usage.segments as u64,
            bytes: usage.bytes,
            live_bytes: usage.live_bytes,
            plain_segments: usage.plain_segments.into(),
            stopped: self.stopped(),
        }
    }
}

impl Inquiries {
    pub(super) fn new(intake: &Arc<Intake>) -> Self {
        Self {
            waiting: Mutex::default(),
            intake: Arc::clone(intake),
            counters: StoreCounters::default(),
        }
    }

    /// Asks the streams thread.
    ///
    /// # Errors
    /// When it does not answer, or not in time.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Glimpse<'_, '_>) -> T + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let (send, answer) = oneshot::channel();
        self.push(Box::new(move |glimpse| {
            // Who does not wait any more needs no answer.
            if !send.is_closed() {
                let _ = send.send(question(glimpse));
            }
        }))?;
        self.intake.ring();
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(NoAnswer::Ended),
            Err(_) => Err(NoAnswer::Late),
        }
    }

    fn push(&self, question: Question) -> Result<(), NoAnswer> {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(NoAnswer::Ended);
        }
        if waiting.questions.len() >= WAITING_MAX {
            return Err(NoAnswer::Crowded);
        }
        waiting.questions.push_back(question);
        Ok(())
    }

    /// The question that waited longest.
    pub(super) fn pop(&self) -> Option<Question> {
        self.waiting.lock().questions.pop_front()
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.lock().questions.is_empty()
    }
}

/// Held by the streams thread: when it goes, nobody waits for it any more.
pub(super) struct Answering(pub(super) Arc<Inquiries>);

impl Drop for Answering {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting.lock();
        waiting.closed = true;
        let unanswered = std::mem::take(&mut waiting.questions);
        drop(waiting);
        drop(unanswered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(future)
    }

    #[test]
    fn who_waits_is_told_when_the_thread_ends_and_nobody_asks_after_that() {
        let inquiries = Arc::new(Inquiries::new(&Arc::default()));
        let answering = Answering(Arc::clone(&inquiries));
        run(async {
            let asked = inquiries.ask(|_| 1);
            tokio::pin!(asked);
            let pending = std::future::poll_fn(|cx| {
                std::task::Poll::Ready(asked.as_mut().poll(cx).is_pending())
            });
            assert!(pending.await);
            drop(answering);
            assert_eq!(asked.await, Err(NoAnswer::Ended));
            assert_eq!(inquiries.ask(|_| 1).await, Err(NoAnswer::Ended));
        });
    }

    #[test]
    fn only_so_many_questions_wait() {
        let inquiries = Inquiries::new(&Arc::default());
        for _ in 0..WAITING_MAX {
            inquiries.push(Box::new(|_| {})).unwrap();
        }
        assert_eq!(
            inquiries.push(Box::new(|_| {})).err(),
            Some(NoAnswer::Crowded)
        );
        while inquiries.pop().is_some() {}
        assert!(inquiries.is_empty());
    }
}
