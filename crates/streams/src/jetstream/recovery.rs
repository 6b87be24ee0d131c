//! When a batch does not reach the disk. If there was no room, the log goes on without it: all that is in the log is
//! read again, as after a crash, so that nothing of the batch is left, and what only memory knew is taken over:
//! streams and consumers that are kept there, and whoever waits. If the disk failed, nothing more is written, and
//! what is durable can be read until the server is started again.

use std::collections::BTreeMap;
use std::sync::Arc;

use recado_log::Journal;

use super::common::{Common, Sum};
use super::events::OutOfStorage;
use super::{JetStream, Opening, OpeningReport, publish};
use crate::config::Storage;
use crate::context::Context;
use crate::error::{self, ApiError};
use crate::stream::Stream;

impl JetStream {
    /// The log lost its last batches for lack of room, and was read again into `opening`, which knows these settings
    /// ([`JetStream::opening`]).
    pub fn recovered(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        opening: Opening,
        why: &str,
    ) -> OpeningReport {
        self.refuse_waiting(context, why);
        let fresh = self.without_streams(&Common::default());
        let (fresh, report) = opening.finish_as(fresh, context, journal);
        self.begin_again(context, journal, fresh);
        self.out_of_storage(context, OutOfStorage::Full);
        report
    }

    /// The same account with nothing in it, for the log to be read into.
    pub(crate) fn without_streams(&self, common: &Common) -> Self {
        let mut fresh = Self::of_account(
            self.settings.clone(),
            Arc::clone(&self.account),
            common.clone(),
        );
        fresh.sid_prefix.clone_from(&self.sid_prefix);
        fresh
    }

    /// Goes on as what the log was read into.
    pub(crate) fn begin_again(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        fresh: Self,
    ) {
        let old = std::mem::replace(self, fresh);
        self.inherit(context, journal, old);
    }

    /// What the log holds can be read into it.
    pub fn opening(&self) -> Opening {
        Opening::new(self.settings.clone())
    }

    /// The disk failed: nothing is stored any more, and nothing after what is durable holds.
    pub fn stopped(&mut self, context: &mut Context<'_>, journal: &mut dyn Journal, why: &str) {
        self.stop_storing(context, journal, why);
        self.out_of_storage(context, OutOfStorage::Stopped);
    }

    /// The same without telling everybody.
    pub(crate) fn stop_storing(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        why: &str,
    ) {
        self.refuse_waiting(context, why);
        self.stopped = Some(why.to_owned());
        // What is kept in memory is answered as ever.
        self.is_behind = false;
        let mut feeding = Vec::new();
        for (id, stream) in &mut self.streams {
            stream.stopped(journal);
            for slot in stream.consumers.values_mut() {
                slot.owe_nobody();
            }
            if stream.is_feeding() {
                feeding.push(*id);
            }
        }
        for id in feeding {
            self.activate(id);
        }
        for id in self.ids() {
            self.schedule(id);
        }
    }

    /// Tells everybody who waits for the disk that what they wait for will not be.
    pub(crate) fn refuse_waiting(&mut self, context: &mut Context<'_>, why: &str) {
        let error = ApiError::with(&error::STREAM_STORE_FAILED, why);
        let streams = &self.streams;
        let out = &mut *context.out;
        self.replies.fail(|id, reply| {
            let name = streams.get(&id).map(|stream| stream.config.name.as_str());
            let body = publish::error_body(name.unwrap_or_default(), &error);
            out.publish(reply, b"", b"", &body);
        });
        self.share.set(Sum::WaitingBytes, 0);
        self.transfers.failed(why);
    }

    /// Takes over what the log does not tell.
    fn inherit(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        mut old: JetStream,
    ) {
        self.share.common().give_behind(old.share.common());
        self.api_total = old.api_total;
        self.api_errors = old.api_errors;
        self.told_out_of_storage = old.told_out_of_storage;
        self.transfers = std::mem::take(&mut old.transfers);
        self.lost = std::mem::take(&mut old.lost);
        self.uncopied = std::mem::take(&mut old.uncopied);
        self.next_sid = old.next_sid;
        // Reading again is no reason to write anything.
        self.checkpoint_segment = journal.end().segment();
        for (id, mut stream) in std::mem::take(&mut old.streams) {
            stream.feeding.leave_others(context.out, &old.sid_prefix);
            let is_there = old.names.get(&stream.config.name) == Some(&id);
            if let Some(again) = self.streams.get_mut(&id) {
                again.inherit(context, journal, *stream);
                if !self.found_damage {
                    self.settle_orphans(id);
                }
            } else if is_there && self.may_keep(&stream) {
                self.keep(id, stream);
            } else {
                end_consumers(context, *stream);
            }
        }
        self.note_reserved();
        self.take_over_sids(context, &old.subjects);
        for id in self.ids() {
            if self
                .streams
                .get(&id)
                .is_some_and(|one| one.batches.count() != (0, 0))
            {
                self.batching.insert(id);
            }
            self.unsaved.insert(id);
            self.activate(id);
            self.schedule(id);
        }
    }

    /// Whether a stream in memory has its place still: what was deleted of the log may be there again.
    fn may_keep(&self, stream: &Stream) -> bool {
        stream.config.storage == Storage::Memory
            && !self.names.contains_key(&stream.config.name)
            && self.check_overlap(&stream.config).is_ok()
    }

    fn keep(&mut self, id: u32, mut stream: Box<Stream>) {
        stream.is_active = false;
        stream.accounted_bytes = 0;
        stream.feeding.relink();
        self.names.insert(stream.config.name.clone(), id);
        self.insert_stream(*stream);
        self.enter_subjects(id);
        self.follow(id);
    }

    /// Keeps the subscriptions that there are, makes those that are missing, and leaves those that are too many.
    fn take_over_sids(&mut self, context: &mut Context<'_>, old: &BTreeMap<String, (String, u32)>) {
        for (filter, (sid, id)) in &mut self.subjects {
            match old.get(filter) {
                Some((known, of)) if of == id => sid.clone_from(known),
                _ => {
                    *sid = format!("{}s{id}.{}", self.sid_prefix, self.next_sid);
                    self.next_sid += 1;
                    context.out.subscribe(filter.as_bytes(), sid.as_bytes());
                }
            }
        }
        for (filter, (sid, id)) in old {
            let kept = self.subjects.get(filter);
            if kept.is_none_or(|(_, of)| of != id) {
                context.out.unsubscribe(sid.as_bytes());
            }
        }
    }

    pub(super) fn ids(&self) -> Vec<u32> {
        self.streams.keys().copied().collect()
    }
}

/// A stream that never was: whoever waits for its consumers is told.
fn end_consumers(context: &mut Context<'_>, mut stream: Stream) {
    for slot in stream.consumers.values_mut() {
        slot.consumer.end_deleted(context);
    }
}
