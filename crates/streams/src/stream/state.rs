//! What a stream does as batches become durable, and what it looks like from outside.

use std::ops::ControlFlow;

use recado_log::{Journal, Location, Refused};

use super::conditions::Lifetime;
use super::ingest::Later;
use super::tombstones::Tombstones;
use super::{LastRecord, StoredStream, Stream, kinds};
use crate::config::{Retention, StreamConfig};
use crate::consumer::{Consumer, Read};
use crate::context::Context;
use crate::index::Filters;
use crate::jetstream::StreamSource;

impl Stream {
    /// Messages that wait for the disk.
    pub(crate) fn backlog_messages(&self) -> u64 {
        self.last_sequence().saturating_sub(self.messages.visible())
    }

    /// Bytes that wait for the disk.
    pub(crate) fn backlog_bytes(&self) -> u64 {
        self.messages.backlog_bytes()
    }

    /// The batch with all that was done so far goes to the disk.
    pub(crate) fn sealed(&mut self) {
        // A log that is full may not have taken where the stream begins and ends.
        self.messages.sealed(!self.skipped);
    }

    /// Messages up to `last` are on disk.
    pub(crate) fn became_durable(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        last: u64,
    ) {
        self.messages.show_up_to(last);
        // Before the log may forget what was removed meanwhile.
        self.republish_visible(context, journal);
        self.messages.settle_removals(journal);
    }

    /// Whether it takes messages from other streams.
    pub(crate) fn is_feeding(&self) -> bool {
        self.feeding.is_some()
    }

    /// Sequences were skipped.
    pub(crate) fn note_skipped(&mut self) {
        self.skipped = true;
    }

    /// Whether where it begins and ends is not written down.
    pub(crate) fn has_skipped(&self) -> bool {
        self.skipped
    }

    /// Whether something is to be written down with this batch.
    pub(crate) fn must_be_saved(&self) -> bool {
        self.skipped || !self.settled.is_empty() || self.messages.has_unwritten_damage()
    }

    /// From now on it counts as written down.
    pub(crate) fn take_skipped(&mut self) {
        self.skipped = false;
    }

    /// Takes over a new configuration that was checked against the old one, and writes it down. What the old
    /// limits took away must not come back when the log is opened with the new ones, so that is written first.
    pub(crate) fn update(
        &mut self,
        journal: &mut dyn Journal,
        config: StreamConfig,
    ) -> Result<(), Refused> {
        self.store_gaps(journal)?;
        self.store_state(journal)?;
        let old = self.config.clone();
        self.apply(config);
        if let Err(refused) = self.store_config(journal) {
            self.apply(old);
            return Err(refused);
        }
        self.enforce_all_limits();
        self.age_from = 0;
        Ok(())
    }

    /// Writes which messages between first and last are gone.
    fn store_gaps(&mut self, journal: &mut dyn Journal) -> Result<(), Refused> {
        if !self.messages.is_on_file() || self.messages.index.deleted_count() == 0 {
            return Ok(());
        }
        let gaps: Vec<(u64, u64)> = self.messages.index.deleted_ranges().collect();
        self.write_gaps(journal, &gaps)
    }

    /// All its records may be forgotten.
    pub(crate) fn release_all(&self, journal: &mut dyn Journal) {
        self.messages.each_place(|at| journal.release(at));
        for (_, at) in &self.settled {
            journal.release(*at);
        }
        let others = self.tombstones.places();
        let state = self.state_at.place();
        let sources = self.feeding.place();
        for at in others
            .chain(self.config_at.place())
            .chain(state)
            .chain(sources)
        {
            journal.release(at);
        }
    }

    /// The store stopped: what is not durable is void, and nothing is written any more.
    pub(crate) fn stopped(&mut self, journal: &mut dyn Journal) {
        self.messages.roll_back();
        self.drop_fast_batches();
        self.schedules.stale = self.config.allow_msg_schedules;
        self.forget_republished();
        let visible = self.messages.visible();
        self.dedupe.forget_after(visible);
        self.expiries.retain(|(_, sequence)| *sequence <= visible);
        self.age_from = 0;
        self.count_anew(journal);
    }

    /// Consumers count anew if damage was found: what they counted is not there.
    pub(crate) fn count_without_damage(&mut self, journal: &mut dyn Journal) {
        if self.messages.take_found_damage() {
            self.count_anew(journal);
        }
    }

    /// What there is changed in another way than consumers are told of.
    fn count_anew(&mut self, journal: &mut dyn Journal) {
        self.tell_each_consumer(journal, |consumer, source| consumer.stream_purged(source));
    }

    /// Tells all consumers of something that settles nothing.
    pub(super) fn tell_each_consumer(
        &mut self,
        journal: &mut dyn Journal,
        mut tell: impl FnMut(&mut Consumer, &mut StreamSource<'_>),
    ) {
        let mut settled = Vec::new();
        for slot in self.consumers.values_mut() {
            let mut source = StreamSource {
                messages: &mut self.messages,
                journal,
                settled: &mut settled,
            };
            tell(&mut slot.consumer, &mut source);
        }
    }

    /// The store was read again after a batch found no room: takes over what the log does not tell.
    pub(crate) fn inherit(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        mut old: Self,
    ) {
        if self.config.duplicate_window == old.config.duplicate_window {
            self.dedupe = std::mem::take(&mut old.dedupe);
            self.dedupe.forget_after(self.last_sequence());
        }
        self.batches = std::mem::take(&mut old.batches);
        self.drop_fast_batches();
        self.drop_forbidden_batches();
        let from_first = self.config.retention == Retention::WorkQueue;
        for (name, mut slot) in old.consumers {
            let known = self.consumers.get_mut(&name);
            if let Some(known) = known {
                if known.number() == slot.number() {
                    known.consumer.take_session(context, slot.consumer);
                    continue;
                }
            } else if slot.number() == 0 {
                let mut source = StreamSource {
                    messages: &mut self.messages,
                    journal,
                    settled: &mut Vec::new(),
                };
                slot.consumer.go_back(&mut source, from_first);
                self.consumers.insert(name, slot);
                continue;
            }
            slot.consumer.end_deleted(context);
        }
    }

    /// When it wants to act next because of time: its own, or its consumers'.
    pub(crate) fn next_deadline(&self) -> Option<i64> {
        let consumers = self.consumers.values();
        let theirs = consumers
            .filter_map(|slot| slot.consumer.next_deadline())
            .min();
        self.own_deadline().into_iter().chain(theirs).min()
    }

    /// When it wants to act next because of its own time.
    pub(crate) fn own_deadline(&self) -> Option<i64> {
        let own = self
            .next_expiry()
            .into_iter()
            .chain(self.batches.deadline())
            .chain(self.schedules.deadline())
            .chain(self.congested_until_ns)
            .chain(self.feeding.next_retry());
        own.min()
    }

    /// Whether a control record is the one that counts.
    pub(crate) fn keeps(&self, kind: u8, at: Location) -> bool {
        match kind {
            kinds::STREAM_CONFIG | kinds::STREAM_CONFIG_OF_ACCOUNT => {
                self.config_at.place() == Some(at)
            }
            kinds::STATE => self.state_at.place() == Some(at),
            kinds::SOURCES => self.feeding.place() == Some(at),
            _ => self.tombstones.holds(at),
        }
    }

    /// A control record lies elsewhere now.
    pub(crate) fn moved(&mut self, kind: u8, from: Location, to: Location) {
        match kind {
            kinds::STREAM_CONFIG | kinds::STREAM_CONFIG_OF_ACCOUNT => {
                self.config_at.moved(from, to)
            }
            kinds::STATE => self.state_at.moved(from, to),
            kinds::SOURCES => self.feeding.moved(from, to),
            _ => self.tombstones.moved(from, to),
        }
    }

    /// A configuration that was found in the log.
    pub(crate) fn reconfigure(&mut self, stored: StoredStream) {
        let first = stored.config.first_seq;
        if self.last_sequence() == 0 && first > 1 {
            self.messages.index = crate::index::Index::new(first);
            self.age_from = first;
        }
        self.created_ns = stored.created_ns;
        self.account = stored.account;
        self.apply(stored.config);
    }

    /// Takes over where its control records lie, once the log is read.
    pub(crate) fn opened(
        &mut self,
        config: Option<Location>,
        state: Option<(Location, (u64, u64))>,
        tombstones: Vec<(u8, u32, Location)>,
    ) {
        self.config_at = LastRecord::found(config);
        self.state_at = LastRecord::found(state.map(|(at, _)| at));
        self.state = state.map(|(_, says)| says);
        self.tombstones = Tombstones::default();
        for (kind, youngest, at) in tombstones {
            self.tombstones.add(kind, youngest, at);
        }
    }

    /// Limits, while the log is read: what they take away is dead at once. Only those that can't take what is
    /// alive: that a message was removed may be told behind the messages that came into its place, for records
    /// move; until then it counts, and the limits would take another one for it.
    pub(crate) fn enforce_while_reading(&mut self, subject: &[u8], dead: &mut Vec<Location>) {
        if self.config.max_msgs_per_subject == 1 {
            self.enforce_subject_limit(subject, 0);
            self.messages.drain_removals(dead);
        }
    }

    /// All limits, once the log is read.
    pub(crate) fn enforce_all_limits(&mut self) {
        if self.config.max_msgs_per_subject > 0 {
            let mut crowded = Vec::new();
            let max = self.config.max_msgs_per_subject.unsigned_abs();
            let mut all = Filters::new([b">"]);
            self.messages
                .index
                .each_subject(&mut all, 0, |subject, count| {
                    if count > max {
                        crowded.push(subject.to_vec());
                    }
                    ControlFlow::Continue(())
                });
            for subject in crowded {
                self.enforce_subject_limit(&subject, 0);
            }
        }
        self.enforce_totals(&Later::default());
    }

    /// Finds again what is not in the index but in the messages' headers: ids in the window (G27), lifetimes,
    /// schedules.
    pub(crate) fn rebuild_from_headers(&mut self, now_ns: i64, journal: &mut dyn Journal) {
        let window_from = now_ns.saturating_sub(self.config.duplicate_window);
        let young = self.messages.index.first_at_or_after(window_from);
        let mut at = match self.config.allow_msg_ttl {
            true => self.messages.index.next(0),
            false => young,
        };
        let mut last_id = String::new();
        while let Some(sequence) = at {
            at = self.messages.index.next(sequence + 1);
            let Some(meta) = self.messages.index.get(sequence) else {
                continue;
            };
            if meta.flags & (kinds::HAS_MESSAGE_ID | kinds::HAS_TTL) == 0 {
                continue;
            }
            let Read::Message(message) = self.messages.read(journal, sequence) else {
                continue;
            };
            let headers = super::PublishHeaders::parse(message.headers);
            let time_ns = message.time_ns;
            if let Some(id) = headers.message_id
                && time_ns >= window_from
            {
                self.dedupe.remember(id, sequence, time_ns);
                last_id = id.to_owned();
            }
            if let Ok(Lifetime::Seconds(seconds)) = Lifetime::parse(headers.ttl)
                && self.config.allow_msg_ttl
            {
                let end = time_ns.saturating_add(seconds.saturating_mul(1_000_000_000));
                self.expiries.insert((end, sequence));
            }
        }
        self.find_schedules(now_ns, journal);
        let last = self.last_sequence();
        let had_id = self
            .messages
            .index
            .get(last)
            .is_some_and(|meta| meta.flags & kinds::HAS_MESSAGE_ID != 0);
        if had_id {
            self.last_message_id = last_id.into();
        }
    }
}
