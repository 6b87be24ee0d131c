//! After a batch that failed: nothing of it is in the log, and whoever waited for it is told so. What was done
//! to messages is undone. What was done to streams and consumers stays and is written again, before anything else.

use recado_log::{Journal, Location, Position, Record, Refused};

use super::{JetStream, publish};
use crate::context::Context;
use crate::error::{self, ApiError};

impl JetStream {
    /// The store failed: nothing that is not durable holds.
    pub fn failed(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        stopped: bool,
        why: &str,
    ) {
        if stopped {
            self.stopped = Some(why.to_owned());
        }
        let error = ApiError::with(&error::STREAM_STORE_FAILED, why);
        let streams = &self.streams;
        let out = &mut *context.out;
        self.replies.fail(|id, reply, payload| {
            if payload.is_empty() {
                // Whatever comes back on a double ack means yes to its client: no answer is the only refusal.
                return;
            }
            let name = streams.get(&id).map(|stream| stream.config.name.as_str());
            let body = publish::error_body(name.unwrap_or_default(), &error);
            out.publish(reply, b"", b"", &body);
        });
        for stream in self.streams.values_mut() {
            stream.roll_back(journal);
        }
        self.forget_void(journal.durable());
        // What came back counts: it may be too old, or too much for limits that are newer than it.
        let ids: Vec<u32> = self.streams.keys().copied().collect();
        for id in ids {
            if let Some(stream) = self.streams.get_mut(&id)
                && !stopped
            {
                stream.enforce_all_limits();
                let last = stream.last_sequence();
                if stream.messages.is_on_file() {
                    self.replies.grown(id, last);
                }
            }
            self.schedule(id);
        }
    }

    /// Forgets where records lay that are void.
    fn forget_void(&mut self, end: Position) {
        for (id, stream) in &mut self.streams {
            let mut changed = stream.forget_void(end);
            for slot in stream.consumers.values_mut() {
                changed |= slot.forget_void(end);
            }
            if changed {
                self.unsaved.insert(*id);
            }
        }
        for grave in &mut self.graves {
            if !is_before(grave.at, end) {
                grave.at = Location::default();
            }
        }
        self.redo = true;
    }

    /// Writes again what has to be there. Until that is done nothing counts as dead.
    ///
    /// # Errors
    /// When the log does not take it; it is tried again.
    pub(super) fn redo(&mut self, journal: &mut dyn Journal) -> Result<(), Refused> {
        if !self.redo {
            return Ok(());
        }
        for grave in &mut self.graves {
            if grave.at == Location::default() {
                grave.at = journal.append(&Record {
                    kind: grave.kind,
                    stream: grave.stream,
                    sequence: grave.consumer,
                    ..Record::default()
                })?;
                grave.youngest = grave.youngest.max(grave.at.segment);
            }
        }
        for (id, stream) in &mut self.streams {
            stream.redo(journal)?;
            for slot in stream.consumers.values_mut() {
                slot.redo(*id, journal)?;
            }
        }
        self.redo = false;
        Ok(())
    }

    /// Whether the log lacks what it should have.
    pub(super) fn owes_redo(&self) -> bool {
        self.redo
    }
}

/// Whether a record lies before a place in the log.
pub(crate) fn is_before(at: Location, end: Position) -> bool {
    (u64::from(at.segment) << 32 | u64::from(at.offset)) < end.0
}
