//! Questions about clients' certificates that are under way: one about each certificate, however many clients show it, and so
//! many at once. Whoever waits here keeps nobody else from a handshake.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::OwnedSemaphorePermit;

use super::link::Link;
use super::responder::{self, Answer, NotAsked};

/// Certificates that are asked about at once; further ones wait.
const CHECKS_MAX: usize = 64;

thread_local! {
    static TURN: RefCell<Option<OwnedSemaphorePermit>> = const { RefCell::new(None) };
}

/// A thread's turn at the work of handshakes, which it gives back when it has to wait for an answer.
pub(crate) struct Turn(Option<OwnedSemaphorePermit>);

impl Turn {
    /// Runs a step of a handshake that has this turn, and may give it back.
    pub(crate) fn during<T>(permit: OwnedSemaphorePermit, step: impl FnOnce() -> T) -> T {
        TURN.set(Some(permit));
        let done = step();
        drop(TURN.take());
        done
    }

    /// The one that this thread was given, if any.
    pub(super) fn given() -> Self {
        Self(TURN.take())
    }
}

/// What comes of a question, for all who wait for it.
type Outcome = Arc<Result<Answer, NotAsked>>;

/// One question, and what came of it.
#[derive(Default)]
struct Question {
    outcome: Mutex<Option<Outcome>>,
    there: Condvar,
}

/// All of one listener's.
#[derive(Default)]
pub(super) struct Inquiries {
    under_way: Mutex<HashMap<String, Arc<Question>>>,
    /// Questions that were sent and not answered yet.
    sent: Mutex<usize>,
    answered: Condvar,
}

impl Inquiries {
    /// Asks, or waits for the answer to whoever asks the same already. The turn is given back at once.
    pub(super) fn ask(
        &self,
        fingerprint: &str,
        link: &Link,
        responders: &[String],
        time: Duration,
        turn: Turn,
    ) -> Outcome {
        drop(turn.0);
        let mut under_way = self.under_way.lock();
        if let Some(question) = under_way.get(fingerprint).cloned() {
            drop(under_way);
            let mut outcome = question.outcome.lock();
            loop {
                if let Some(outcome) = &*outcome {
                    return Arc::clone(outcome);
                }
                question.there.wait(&mut outcome);
            }
        }
        let leader = Leader {
            inquiries: self,
            fingerprint,
            question: Arc::default(),
        };
        under_way.insert(fingerprint.to_owned(), Arc::clone(&leader.question));
        drop(under_way);
        let outcome = Arc::new(self.send(link, responders, time));
        leader.end(&outcome);
        outcome
    }

    fn send(&self, link: &Link, responders: &[String], time: Duration) -> Result<Answer, NotAsked> {
        let mut sent = self.sent.lock();
        while *sent >= CHECKS_MAX {
            self.answered.wait(&mut sent);
        }
        *sent += 1;
        drop(sent);
        let _sent = Sent(self);
        responder::ask(link, responders, time)
    }
}

/// A question that was sent; dropped, it is answered.
struct Sent<'a>(&'a Inquiries);

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        *self.0.sent.lock() -= 1;
        self.0.answered.notify_one();
    }
}

/// Whoever asks for all who want to know the same. Should it panic, they hear of it.
struct Leader<'a> {
    inquiries: &'a Inquiries,
    fingerprint: &'a str,
    question: Arc<Question>,
}

impl Leader<'_> {
    fn end(&self, outcome: &Outcome) {
        *self.question.outcome.lock() = Some(Arc::clone(outcome));
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.inquiries.under_way.lock().remove(self.fingerprint);
        let mut outcome = self.question.outcome.lock();
        outcome.get_or_insert_with(|| Arc::new(Err(NotAsked::Broken)));
        drop(outcome);
        self.question.there.notify_all();
    }
}
