//! Where the newest of records lies that replace each other.

use recado_log::{Journal, Location};

/// The place of a record that is written again and again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LastRecord(Option<Location>);

impl LastRecord {
    /// One that was found in the log.
    pub(crate) fn found(at: Option<Location>) -> Self {
        Self(at)
    }

    /// Where it lies.
    pub(crate) fn place(&self) -> Option<Location> {
        self.0
    }

    /// A newer one was just appended: the one before may be forgotten.
    pub(crate) fn replace(&mut self, journal: &mut dyn Journal, at: Location) {
        if let Some(old) = self.0.replace(at) {
            journal.release(old);
        }
    }

    /// It lies elsewhere now.
    pub(crate) fn moved(&mut self, from: Location, to: Location) {
        if self.0 == Some(from) {
            self.0 = Some(to);
        }
    }
}
