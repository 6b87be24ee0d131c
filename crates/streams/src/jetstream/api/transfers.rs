//! Snapshots and restores (E190, E191).

use recado_log::Journal;

use super::{Call, Outcome};
use crate::context::Context;
use crate::jetstream::{Incoming, JetStream};

/// Transfers under way.
#[derive(Debug, Default)]
pub(in crate::jetstream) struct Transfers {}

impl JetStream {
    pub(super) fn stream_snapshot(&mut self, _call: &mut Call<'_, '_>, _name: &str) -> Outcome {
        Outcome::Nobody
    }

    pub(super) fn stream_restore(&mut self, _call: &mut Call<'_, '_>, _name: &str) -> Outcome {
        Outcome::Nobody
    }

    pub(in crate::jetstream) fn handle_transfer(
        &mut self,
        _context: &mut Context<'_>,
        _journal: &mut dyn Journal,
        _message: &Incoming<'_>,
    ) {
    }
}
