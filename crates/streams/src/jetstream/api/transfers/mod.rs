//! Snapshots and restores: whole streams that leave or come in chunks (E30, E31, E190 to E192). Both are
//! bounded in memory, whatever the stream's size, and give up when the other side does.

mod archive;
mod restore;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use recado_log::{Journal, Location};

use crate::context::Context;
use crate::jetstream::{Incoming, JetStream};

use restore::Restore;
use snapshot::Snapshot;

/// Snapshots at the same time.
const SNAPSHOTS_MAX: usize = 64;
/// Restores at the same time: each holds up to one record of its archive.
const RESTORES_MAX: usize = 8;

/// Transfers under way, by the id in their subjects.
#[derive(Default)]
pub(in crate::jetstream) struct Transfers {
    snapshots: BTreeMap<String, Snapshot>,
    restores: BTreeMap<String, Restore>,
}

impl Transfers {
    pub(in crate::jetstream) fn is_empty(&self) -> bool {
        self.snapshots.is_empty() && self.restores.is_empty()
    }

    fn has_room_for_snapshot(&self) -> bool {
        self.snapshots.len() < SNAPSHOTS_MAX
    }

    fn has_room_for_restore(&self) -> bool {
        self.restores.len() < RESTORES_MAX
    }

    /// Whether a stream of this name is on its way in.
    pub(in crate::jetstream) fn is_restoring(&self, name: &str) -> bool {
        self.restores.values().any(|restore| restore.name == name)
    }

    /// Whether a record says of a stream that is on its way in that it is not there yet.
    pub(in crate::jetstream) fn is_mark(&self, at: Location) -> bool {
        self.restores
            .values()
            .any(|restore| restore.mark == Some(at))
    }

    /// Such a record lies elsewhere now.
    pub(in crate::jetstream) fn mark_moved(&mut self, from: Location, to: Location) {
        for restore in self.restores.values_mut() {
            restore.moved(from, to);
        }
    }

    /// Nothing after the last durable batch holds: streams that are on their way in are given up. The log takes care of
    /// what it has of them.
    pub(in crate::jetstream) fn failed(&mut self, why: &str) {
        for restore in self.restores.values_mut() {
            restore.break_off(why);
        }
    }

    fn take_restores(&mut self, which: impl Fn(&Restore) -> bool) -> Vec<Restore> {
        if !self.restores.values().any(&which) {
            return Vec::new();
        }
        let all = std::mem::take(&mut self.restores).into_iter();
        let (taken, left): (Vec<_>, Vec<_>) = all.partition(|(_, restore)| which(restore));
        self.restores = left.into_iter().collect();
        taken.into_iter().map(|(_, restore)| restore).collect()
    }

    /// When one of them wants to act next although nothing comes in.
    pub(in crate::jetstream) fn next_deadline(&self) -> Option<i64> {
        let snapshots = self.snapshots.values().map(Snapshot::deadline);
        let restores = self.restores.values().filter_map(Restore::deadline);
        snapshots.chain(restores).min()
    }
}

impl JetStream {
    /// A message on a transfer's subject: `$JS.SNAPSHOT.ACK.<stream>.<id>.<bytes>.<chunk>`, or
    /// `$JS.SNAPSHOT.RESTORE.<stream>.<id>`.
    pub(in crate::jetstream) fn handle_transfer(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        message: &Incoming<'_>,
    ) {
        let mut tokens = message.subject.split(|&byte| byte == b'.').skip(2);
        let (what, id) = (tokens.next(), tokens.nth(1));
        let id = id.and_then(|id| std::str::from_utf8(id).ok()).unwrap_or("");
        match what {
            Some(b"ACK") => {
                if let Some(snapshot) = self.transfers.snapshots.get_mut(id) {
                    snapshot.acknowledged(context.now_ns);
                }
            }
            Some(b"RESTORE") if self.transfers.restores.contains_key(id) => {
                self.restore_chunk(context, journal, id, message);
            }
            Some(b"RESTORE") if !message.reply.is_empty() => {
                let block = recado_wire::no_responders_block(message.subject);
                context.out.publish(message.reply, b"", &block, b"");
            }
            _ => {}
        }
    }

    /// Sends what may be sent, and gives up what has come to nothing. Whether there is more to do at once.
    pub(in crate::jetstream) fn carry_transfers(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
    ) -> bool {
        self.give_up_restores(context, journal);
        self.send_snapshots(context, journal)
    }
}
