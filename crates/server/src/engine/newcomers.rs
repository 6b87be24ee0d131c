//! Tells the one part of the server that pushes to clients by itself that somebody subscribed: it should not
//! have to look again and again. Costs a client's SUB one read of a flag while nobody wants to know.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::intake::Intake;

/// Who is to be told of new subscriptions, and whether there were any.
#[derive(Default)]
pub(crate) struct Newcomers {
    wanted: AtomicBool,
    came: AtomicBool,
    intake: Mutex<Option<Arc<Intake>>>,
}

impl Newcomers {
    /// Whose intake is to be rung from now on.
    pub(crate) fn set_intake(&self, intake: &Arc<Intake>) {
        *self.intake.lock() = Some(Arc::clone(intake));
    }

    /// Whether new subscriptions matter. Who did not want to know until now has to look once after it.
    pub(crate) fn set_wanted(&self, wanted: bool) {
        if self.wanted.load(Ordering::Relaxed) != wanted {
            self.wanted.store(wanted, Ordering::SeqCst);
            self.came.store(wanted, Ordering::SeqCst);
        }
    }

    /// A subscription was entered in the router.
    pub(crate) fn announce(&self) {
        if self.wanted.load(Ordering::SeqCst) && !self.came.swap(true, Ordering::SeqCst) {
            let intake = self.intake.lock().clone();
            if let Some(intake) = intake {
                intake.ring();
            }
        }
    }

    /// Whether there were any since the last call.
    pub(crate) fn take(&self) -> bool {
        self.came.load(Ordering::Relaxed) && self.came.swap(false, Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_wants_to_know_is_told_and_looks_once_at_first() {
        let newcomers = Newcomers::default();
        let intake = Arc::new(Intake::default());
        newcomers.set_intake(&intake);
        newcomers.announce();
        assert!(!newcomers.take());
        newcomers.set_wanted(true);
        assert!(newcomers.take());
        assert!(!newcomers.take());
        newcomers.announce();
        newcomers.announce();
        // The ring ends the wait.
        intake.take(&mut Vec::new(), None);
        assert!(newcomers.take());
        newcomers.set_wanted(false);
        newcomers.announce();
        assert!(!newcomers.take());
    }
}
