//! How the streams thread shows that it goes on. Costs a turn one read of a flag while nobody asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use crate::engine::Intake;

/// A question that the streams thread answers when it comes by.
pub(crate) struct Beat {
    intake: Arc<Intake>,
    asked: AtomicBool,
    answered: Mutex<bool>,
    arrival: Condvar,
}

impl Beat {
    pub(super) fn new(intake: &Arc<Intake>) -> Self {
        Self {
            intake: Arc::clone(intake),
            asked: AtomicBool::new(false),
            answered: Mutex::new(false),
            arrival: Condvar::new(),
        }
    }

    /// Asks, and wakes the thread for it.
    pub(crate) fn ask(&self) {
        *self.answered.lock() = false;
        self.asked.store(true, Ordering::SeqCst);
        self.intake.ring();
    }

    /// Whether the last question is answered before the time is up.
    pub(crate) fn answered(&self, until: Instant) -> bool {
        let mut answered = self.answered.lock();
        while !*answered {
            if self.arrival.wait_until(&mut answered, until).timed_out() {
                break;
            }
        }
        *answered
    }

    /// On the streams thread, as it goes on.
    pub(super) fn answer(&self) {
        if self.asked.load(Ordering::Relaxed) && self.asked.swap(false, Ordering::SeqCst) {
            *self.answered.lock() = true;
            self.arrival.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_question_wants_an_answer_of_its_own() {
        let beat = Beat::new(&Arc::new(Intake::default()));
        // Nobody asked: this answers nothing.
        beat.answer();
        beat.ask();
        assert!(!beat.answered(Instant::now()));
        beat.answer();
        assert!(beat.answered(Instant::now()));
        beat.ask();
        assert!(!beat.answered(Instant::now()));
    }

    #[test]
    fn who_waits_is_woken_by_the_answer() {
        let beat = Arc::new(Beat::new(&Arc::new(Intake::default())));
        beat.ask();
        let thread = Arc::clone(&beat);
        let answering = std::thread::spawn(move || thread.answer());
        assert!(beat.answered(Instant::now() + Duration::from_secs(30)));
        answering.join().unwrap();
    }
}
