//! A consumer with what its owner keeps of it: where its records lie, what it owes.

use recado_log::{Journal, Location, Record, Refused};

use super::JetStream;
use crate::config::ConsumerConfig;
use crate::consumer::{Consumer, Event, Progress, Read, Source};
use crate::context::Context;
use crate::index::{Filters, Scan};
use crate::stream::{LastRecord, Messages, StoredConsumer, Stream, kinds};

/// Progress that nobody asked to be confirmed is written at the latest after so long.
const PROGRESS_EVERY_NS: i64 = 100_000_000;

/// Changes after which progress is written whole again, so that the records before may go.
const DELTAS_MAX: usize = 64;
/// Bytes of changes after which it is.
const DELTA_BYTES_MAX: usize = 256 * 1024;

/// Confirmations that wait for one batch.
const OWED_MAX: usize = 65_536;

/// A consumer and its records.
pub struct ConsumerSlot {
    pub(crate) consumer: Consumer,
    /// Its number in the log: never used again. 0: it is not kept there.
    number: u64,
    config_at: LastRecord,
    /// The last whole progress, and the changes since.
    progress_at: Vec<Location>,
    /// Counts its progress records.
    progress_count: i64,
    delta_bytes: usize,
    /// Who wants to know when its progress is durable.
    owed: Vec<Box<[u8]>>,
    saved_ns: i64,
    /// What happened since belongs to something in the open batch.
    hurried: bool,
}

/// A stream as its consumers see it, for one call.
pub(crate) struct StreamSource<'a> {
    pub(crate) messages: &'a mut Messages,
    pub(crate) journal: &'a mut dyn Journal,
    pub(crate) settled: &'a mut Vec<u64>,
}

impl ConsumerSlot {
    /// A consumer that is not in the log yet.
    pub(crate) fn new(consumer: Consumer, number: u64, now_ns: i64) -> Self {
        Self {
            consumer,
            number,
            config_at: LastRecord::default(),
            progress_at: Vec::new(),
            progress_count: 0,
            delta_bytes: 0,
            owed: Vec::new(),
            saved_ns: now_ns,
            hurried: false,
        }
    }

    /// A consumer as the log has it; why not, for the log of the server.
    pub(super) fn revive(
        context: &Context<'_>,
        journal: &mut dyn Journal,
        stream: &mut Stream,
        (number, stored, config_at): (u64, &StoredConsumer, Location),
        progress_count: i64,
        parts: &[(&[u8], Location)],
    ) -> Result<Self, String> {
        let mut progress = Progress::default();
        for (bytes, _) in parts {
            progress
                .apply(&stream.config.name, &stored.name, bytes)
                .map_err(|error| error.to_string())?;
        }
        let name = stream.config.name.clone();
        let mut settled = Vec::new();
        let mut source = StreamSource {
            messages: &mut stream.messages,
            journal,
            settled: &mut settled,
        };
        let (config, now_ns) = (stored.config.clone(), context.now_ns);
        let consumer = if parts.is_empty() {
            Consumer::new(
                &name,
                &stored.name,
                config,
                stored.created_ns,
                &mut source,
                now_ns,
            )
        } else {
            let created_ns = stored.created_ns;
            Consumer::restored(
                &name,
                &stored.name,
                config,
                created_ns,
                progress,
                &mut source,
                now_ns,
            )
        };
        Ok(Self {
            config_at: LastRecord::found(Some(config_at)),
            progress_at: parts.iter().map(|(_, at)| *at).collect(),
            progress_count,
            ..Self::new(consumer, number, now_ns)
        })
    }

    /// What subjects of the long form have in front of the stream, where they have that form.
    pub(super) fn set_scope(&mut self, scope: Option<&str>) {
        if let Some(scope) = scope {
            self.consumer.lengthen_subjects(scope);
        }
    }

    /// As of a consumer that is kept in memory only.
    pub(super) fn without_records(mut self) -> Self {
        self.config_at = LastRecord::found(None);
        self.progress_at.clear();
        self
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether something happened that is not in the log.
    pub(super) fn is_unsaved(&self) -> bool {
        self.number > 0 && (self.consumer.is_dirty() || self.owes())
    }

    /// Whether somebody waits for its progress to be durable.
    pub(super) fn owes(&self) -> bool {
        !self.owed.is_empty()
    }

    /// Whether what is not in the log belongs into this batch.
    pub(super) fn is_due(&self, now_ns: i64) -> bool {
        // A clock that was set back must not put it off.
        let since = 0..PROGRESS_EVERY_NS;
        self.hurried || self.owes() || !since.contains(&(now_ns - self.saved_ns))
    }

    /// What happens to it now goes to the disk together with what is in the open batch.
    pub(super) fn save_with_this_batch(&mut self) {
        self.hurried = true;
    }

    /// Whoever asked is told with the next batch. While none can be written, more than so many are not told: theirs is a
    /// timeout, which they must be ready for.
    pub(super) fn owe(&mut self, reply: Box<[u8]>) {
        if self.owed.len() < OWED_MAX {
            self.owed.push(reply);
        }
    }

    /// Nothing will be written any more: nobody is told that it was.
    pub(super) fn owe_nobody(&mut self) {
        self.owed = Vec::new();
    }

    pub(super) fn take_owed(&mut self) -> Vec<Box<[u8]>> {
        std::mem::take(&mut self.owed)
    }

    /// Writes a new consumer: all of it or, refused, nothing.
    pub(crate) fn store_new(
        &mut self,
        stream: u32,
        journal: &mut dyn Journal,
    ) -> Result<(), Refused> {
        if self.number == 0 {
            return Ok(());
        }
        let config = self.stored(self.consumer.config().clone()).to_bytes();
        let progress = self.consumer.progress(true);
        let record = Record {
            kind: kinds::CONSUMER_CONFIG,
            stream,
            sequence: self.number,
            payload: &config,
            ..Record::default()
        };
        let progress = Record {
            kind: kinds::CONSUMER_SNAPSHOT,
            time_ns: 1,
            payload: &progress,
            ..record
        };
        let places = journal.append_group(&[record, progress])?;
        self.progress_count = 1;
        self.config_at = LastRecord::found(places.first().copied());
        self.progress_at = places.into_iter().skip(1).collect();
        Ok(())
    }

    /// Writes a configuration, which is the consumer's or about to be; the one before may be forgotten.
    pub(crate) fn store_config(
        &mut self,
        stream: u32,
        config: &ConsumerConfig,
        journal: &mut dyn Journal,
    ) -> Result<(), Refused> {
        if self.number == 0 {
            return Ok(());
        }
        let at = journal.append(&Record {
            kind: kinds::CONSUMER_CONFIG,
            stream,
            sequence: self.number,
            payload: &self.stored(config.clone()).to_bytes(),
            ..Record::default()
        })?;
        self.config_at.replace(journal, at);
        Ok(())
    }

    fn stored(&self, config: ConsumerConfig) -> StoredConsumer {
        StoredConsumer {
            name: self.consumer.name().to_owned(),
            config,
            created_ns: self.consumer.created_ns(),
        }
    }

    /// Writes what changed, or everything where that is shorter in the long run.
    pub(crate) fn save(
        &mut self,
        stream: u32,
        now_ns: i64,
        journal: &mut dyn Journal,
    ) -> Result<(), Refused> {
        if self.number == 0 || !self.consumer.is_dirty() {
            return Ok(());
        }
        let whole = self.progress_at.is_empty()
            || self.progress_at.len() > DELTAS_MAX
            || self.delta_bytes > DELTA_BYTES_MAX
            || self.consumer.is_next_whole();
        let bytes = self.consumer.progress(whole);
        let kind = if whole {
            kinds::CONSUMER_SNAPSHOT
        } else {
            kinds::CONSUMER_DELTA
        };
        let written = journal.append(&Record {
            kind,
            stream,
            sequence: self.number,
            time_ns: self.progress_count + 1,
            payload: &bytes,
            ..Record::default()
        });
        let at = match written {
            Ok(at) => at,
            Err(refused) => {
                // What the change told is told again, with everything.
                self.consumer.progress_refused();
                return Err(refused);
            }
        };
        self.progress_count += 1;
        self.saved_ns = now_ns;
        self.hurried = false;
        if whole {
            self.delta_bytes = 0;
            self.replace_progress(journal);
        } else {
            self.delta_bytes = self.delta_bytes.saturating_add(bytes.len());
        }
        self.progress_at.push(at);
        Ok(())
    }

    /// Whole progress was just appended: what was there before may be forgotten.
    fn replace_progress(&mut self, journal: &mut dyn Journal) {
        for at in std::mem::take(&mut self.progress_at) {
            journal.release(at);
        }
    }

    /// Its records may be forgotten.
    pub(crate) fn release_all(&self, journal: &mut dyn Journal) {
        for at in self.config_at.place().iter().chain(&self.progress_at) {
            journal.release(*at);
        }
    }

    pub(super) fn keeps(&self, at: Location) -> bool {
        self.config_at.place() == Some(at) || self.progress_at.contains(&at)
    }

    pub(super) fn moved(&mut self, from: Location, to: Location) {
        self.config_at.moved(from, to);
        for place in self.progress_at.iter_mut().filter(|place| **place == from) {
            *place = to;
        }
    }
}

impl Source for StreamSource<'_> {
    fn first_sequence(&self) -> u64 {
        self.messages.index.first_sequence()
    }

    fn last_sequence(&self) -> u64 {
        self.messages.visible()
    }

    fn next_matching(&mut self, from: u64, filters: &mut Filters, budget: &mut usize) -> Scan {
        let visible = self.messages.visible();
        self.messages
            .index
            .next_matching(from, visible, filters, budget)
    }

    fn last_matching(&mut self, filters: &mut Filters) -> Option<u64> {
        self.messages
            .index
            .last_matching(self.messages.visible(), filters)
    }

    fn count_matching(&mut self, from: u64, filters: &mut Filters) -> u64 {
        let visible = self.messages.visible();
        self.messages.index.count_matching(from, visible, filters)
    }

    fn last_per_subject(&mut self, filters: &mut Filters) -> Vec<u64> {
        self.messages
            .index
            .last_per_subject(filters, self.messages.visible())
    }

    fn first_at_or_after(&mut self, time_ns: i64) -> Option<u64> {
        let found = self.messages.first_at_or_after(self.journal, time_ns);
        found.filter(|sequence| *sequence <= self.messages.visible())
    }

    fn exists(&self, sequence: u64) -> bool {
        sequence <= self.messages.visible() && self.messages.index.get(sequence).is_some()
    }

    fn matches(&mut self, sequence: u64, filters: &mut Filters) -> bool {
        let visible = self.messages.visible();
        if sequence > visible {
            return false;
        }
        let index = &self.messages.index;
        index
            .get(sequence)
            .is_some_and(|meta| filters.matches(index.subject(meta.subject)))
    }

    fn read(&mut self, sequence: u64) -> Read<'_> {
        self.messages.read(self.journal, sequence)
    }

    fn settled(&mut self, sequence: u64) {
        self.settled.push(sequence);
    }
}

impl JetStream {
    /// Lets a consumer act, and sees to what came of it. `act` may give back who is owed a confirmation.
    pub(super) fn act_on(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        name: &str,
        act: impl FnOnce(&mut Consumer, &mut Context<'_>, &mut StreamSource<'_>) -> Option<Box<[u8]>>,
    ) -> bool {
        let Some(stream) = self.streams.get_mut(&id) else {
            return false;
        };
        let mut settled = Vec::new();
        let Some(slot) = stream.consumers.get_mut(name) else {
            return false;
        };
        let mut source = StreamSource {
            messages: &mut stream.messages,
            journal,
            settled: &mut settled,
        };
        let owed = act(&mut slot.consumer, context, &mut source);
        let events = slot.consumer.take_events();
        match owed {
            Some(_) if slot.number > 0 && self.stopped.is_some() => {}
            Some(reply) if slot.number > 0 => slot.owe(reply),
            // What is kept in memory only is as durable as it will ever be.
            Some(reply) => context.out.publish(&reply, b"", b"", b""),
            None => {}
        }
        let unsaved = slot.is_unsaved();
        if unsaved {
            self.unsaved.insert(id);
        }
        // Dead letters are copied before what they are copies of may go.
        self.tell_events(context, journal, id, name, events);
        if !settled.is_empty() {
            self.settle(id, &settled);
        }
        self.activate(id);
        true
    }

    /// Messages that a consumer is done with leave a stream that keeps them only for its consumers (E81, E82).
    pub(super) fn settle(&mut self, id: u32, settled: &[u64]) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let gone = stream.nobody_needs(settled);
        if gone.is_empty() {
            return;
        }
        stream.remove_settled(&gone);
        if stream.messages.is_on_file() {
            self.unsaved.insert(id);
        }
    }

    /// Takes a consumer away: nobody is told, and its records go.
    pub(super) fn drop_consumer(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        name: &str,
    ) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        if let Some(mut slot) = stream.consumers.remove(name) {
            slot.consumer.end_deleted(context);
            slot.release_all(journal);
            self.numbers.remove(&slot.number());
        }
    }
}

/// What happened to a consumer, for the owner.
pub(super) type Events = Vec<Event>;
