//! What one account is asked by the one who keeps several of them on one log.

use recado_log::Journal;

use super::JetStream;
use super::common::Sum;
use super::graves::Graves;
use crate::config::{AccountLimits, Storage};
use crate::context::Context;

impl JetStream {
    /// All its sids begin like this. To be said before it has any.
    pub(crate) fn with_sid_prefix(mut self, prefix: String) -> Self {
        self.sid_prefix = prefix;
        self
    }

    /// What the account may use.
    pub(crate) fn account_limits(&self) -> &AccountLimits {
        &self.settings.limits.account
    }

    /// From now on the account may use so much. What it has already stays.
    pub(crate) fn set_account_limits(&mut self, limits: &AccountLimits) {
        self.settings.limits.account.clone_from(limits);
    }

    /// How many streams it has.
    pub(crate) fn stream_count(&self) -> usize {
        self.streams.len()
    }

    /// Whether something happened that its owner keeps.
    pub(crate) fn has_news(&self) -> bool {
        !self.moves.is_empty()
            || !self.graves.is_empty()
            || !self.lost.is_empty()
            || !self.uncopied.is_empty()
    }

    /// Numbers of streams that came (`true`) and went since the last call, in order.
    pub(crate) fn take_moves(&mut self) -> Vec<(u32, bool)> {
        std::mem::take(&mut self.moves)
    }

    /// Gives what says that something is gone to another account, which looks after it.
    pub(crate) fn take_graves(&mut self) -> Graves {
        std::mem::take(&mut self.graves)
    }

    /// Takes over what says that something is gone.
    pub(crate) fn keep_graves(&mut self, graves: Graves) {
        self.graves.append(graves);
    }

    /// Whether something waits for the log, so that it has to be asked before and after a batch.
    pub(crate) fn waits_for_log(&self) -> bool {
        !self.unsaved.is_empty() || !self.replies.is_empty()
    }

    /// Whether the log did not take what an answer promises.
    pub(crate) fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Whether a batch that is given away now holds something that somebody waits for.
    pub(crate) fn is_open(&self) -> bool {
        self.replies.is_open()
    }

    /// Whether something is to be done at once, or as soon as a client says more.
    pub(crate) fn is_busy(&self) -> bool {
        !self.active.is_empty() || !self.transfers.is_empty()
    }

    /// It is served again, or for the first time since its streams were found.
    pub(crate) fn resume(&mut self) {
        self.note_reserved();
        for id in self.ids() {
            self.activate(id);
            self.schedule(id);
        }
    }

    /// It is not served any more: whoever waits is told, and what is known of its consumers is written down.
    pub(crate) fn leave(&mut self, context: &mut Context<'_>, journal: &mut dyn Journal) {
        self.unsubscribe(context.out);
        self.stopping(context, journal);
        self.reserve_nothing();
    }

    /// As long as it is not served, others may have what it has reserved.
    pub(crate) fn reserve_nothing(&mut self) {
        for storage in [Storage::File, Storage::Memory] {
            self.share.set(Sum::of_reserved(storage), 0);
        }
    }
}
