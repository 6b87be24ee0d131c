//! From the log back to streams and consumers, when a store is opened. Records come in log order, which after
//! compaction is not the order of their birth: a moved record comes late, a stream's configuration may
//! come behind its messages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use recado_log::{Entry, Journal, Location, Replayed};

use super::common::Common;
use super::graves::{Gone, Graves};
use super::offline::OfflineStream;
use super::sources::FoundSources;
use super::{ConsumerSlot, GLOBAL_ACCOUNT, JetStream, Settings};
use crate::context::Context;
use crate::stream::{Messages, StoredConsumer, StoredStream, Stream, Unsupported, kinds};

/// What the log holds, while it is read.
pub struct Opening {
    settings: Settings,
    streams: BTreeMap<u32, OpeningStream>,
    consumers: BTreeMap<u64, OpeningConsumer>,
    /// Records that say of many that they are gone.
    graves: Graves,
    /// Records that are dead already.
    dead: Vec<Location>,
    next_stream: u32,
    next_consumer: u64,
    lost: Vec<String>,
}

struct OpeningStream {
    stream: Stream,
    config: Option<Location>,
    /// Why its configuration can't be served.
    unsupported: Option<Unsupported>,
    deleted: Option<Location>,
    /// It was being restored.
    restoring: Option<Location>,
    tombstones: Vec<(u8, u32, Location)>,
    state: Option<(Location, (u64, u64))>,
    sources: FoundSources,
}

#[derive(Default)]
struct OpeningConsumer {
    stream: u32,
    stored: Option<(StoredConsumer, Location)>,
    /// Why its configuration, which is not `stored` then, can't be served.
    unsupported: Option<Unsupported>,
    deleted: Option<Location>,
    /// Progress by its own count: whole or not, bytes, place.
    progress: BTreeMap<i64, (bool, Vec<u8>, Location)>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct OpeningReport {
    /// Streams.
    pub streams: usize,
    /// Consumers.
    pub consumers: usize,
    /// Messages.
    pub messages: u64,
    /// What was lost, in words for the log.
    pub lost: Vec<String>,
    /// Streams that are there and can't be served.
    pub offline: Vec<Offline>,
}

/// A stream that this version can't serve: a newer one wrote what it does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offline {
    /// Its account.
    pub account: Arc<str>,
    /// Its name.
    pub stream: String,
    /// The reason, as clients are told it.
    pub why: String,
}

impl Opening {
    /// Nothing was read yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            streams: BTreeMap::new(),
            consumers: BTreeMap::new(),
            graves: Graves::default(),
            dead: Vec::new(),
            next_stream: 1,
            next_consumer: 1,
            lost: Vec::new(),
        }
    }

    /// What the server's configuration says.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the log tells while it is read.
    pub fn replay(&mut self, replayed: &Replayed<'_>) {
        match replayed {
            Replayed::Record { entry, payload, .. } => self.record(entry, payload),
            Replayed::Lost(lost) => self.lost(
                lost.kind,
                lost.stream,
                lost.sequence,
                u64::from(lost.bytes),
                &lost.to_string(),
            ),
        }
    }

    /// A record of the log. `payload` is there for control records.
    pub fn record(&mut self, entry: &Entry<'_>, payload: &[u8]) {
        match entry.kind {
            kinds::MESSAGE => self.message(entry),
            kinds::STREAM_CONFIG | kinds::STREAM_CONFIG_OF_ACCOUNT => {
                self.stream_config(entry, payload)
            }
            kinds::STREAM_DELETED => {
                let stream = self.stream(entry.stream);
                stream.deleted = Some(entry.at);
            }
            kinds::STREAMS_DELETED | kinds::CONSUMERS_DELETED => self.graves(entry, payload),
            kinds::RESTORING => self.stream(entry.stream).restoring = Some(entry.at),
            kinds::REMOVED => self.removed(entry, payload),
            kinds::DAMAGED => self.damaged(entry, payload),
            kinds::STATE => self.state(entry, payload),
            kinds::SOURCES => {
                let found = &mut self.stream(entry.stream).sources;
                let dead = found.record(entry.sequence, entry.at, payload);
                self.dead.extend(dead);
            }
            kinds::CONSUMER_CONFIG => self.consumer_config(entry, payload),
            kinds::CONSUMER_DELETED => self.consumer(entry).deleted = Some(entry.at),
            kinds::CONSUMER_SNAPSHOT | kinds::CONSUMER_DELTA => {
                let whole = entry.kind == kinds::CONSUMER_SNAPSHOT;
                let record = (whole, payload.to_vec(), entry.at);
                let old = self.consumer(entry).progress.insert(entry.time_ns, record);
                self.dead.extend(old.map(|(_, _, at)| at));
            }
            kind => self.lost.push(format!(
                "a record of kind {kind} was written by a newer version and is passed over"
            )),
        }
    }

    /// Damage: what the log still knows of it. `kind` is that of the record, if that is known.
    pub fn lost(
        &mut self,
        kind: Option<u8>,
        stream: Option<u32>,
        sequence: Option<u64>,
        bytes: u64,
        why: &str,
    ) {
        let is_message = kind.is_none_or(|kind| kind == kinds::MESSAGE);
        let name = stream.and_then(|id| {
            let opening = self.streams.get_mut(&id)?;
            let messages = &mut opening.stream.messages;
            if is_message {
                // A copy that compaction did not finish: the message itself is there.
                let is_copy = sequence.is_some_and(|seq| messages.index.get(seq).is_some());
                if is_copy {
                    return Some(None);
                }
                messages.note_lost(sequence, bytes);
                if let Some(sequence) = sequence {
                    messages.index.skip_to(sequence);
                }
            }
            Some(Some(opening.stream.config.name.clone()))
        });
        let name = match name {
            Some(None) => return,
            Some(name) => name,
            None => None,
        };
        let stream = match (name, stream) {
            (Some(name), _) if !name.is_empty() => format!("stream {name}"),
            (_, Some(id)) => format!("stream number {id}"),
            _ => "an unknown stream".to_owned(),
        };
        let sequence = sequence.map_or(String::new(), |sequence| format!(", sequence {sequence}"));
        self.lost
            .push(format!("{stream}{sequence}, {bytes} bytes: {why}"));
    }

    fn stream(&mut self, id: u32) -> &mut OpeningStream {
        self.next_stream = self.next_stream.max(id.saturating_add(1));
        self.streams.entry(id).or_insert_with(|| OpeningStream {
            stream: Stream::new(id, crate::config::StreamConfig::default(), 0),
            config: None,
            unsupported: None,
            deleted: None,
            restoring: None,
            tombstones: Vec::new(),
            state: None,
            sources: FoundSources::default(),
        })
    }

    fn consumer(&mut self, entry: &Entry<'_>) -> &mut OpeningConsumer {
        // A consumer may be all that is left of a stream: another one must not get its number, and the consumer with it.
        self.next_stream = self.next_stream.max(entry.stream.saturating_add(1));
        self.next_consumer = self.next_consumer.max(entry.sequence.saturating_add(1));
        let consumer = self.consumers.entry(entry.sequence).or_default();
        consumer.stream = entry.stream;
        consumer
    }

    fn message(&mut self, entry: &Entry<'_>) {
        let opening = self.stream(entry.stream);
        if entry.flags & kinds::IS_SOURCED != 0 {
            opening.sources.copy(entry.sequence, entry.at);
        }
        let stream = &mut opening.stream;
        let size = stream.messages.size_of(
            entry.subject.len(),
            entry.headers_len as usize,
            entry.payload_len as usize,
        ) as u32;
        let (sequence, at) = (entry.sequence, entry.at);
        // What limits mean to one that can't be served is not known: none takes anything away.
        let is_known = opening.config.is_some() && opening.unsupported.is_none();
        let below = opening
            .state
            .is_some_and(|(_, (first, _))| sequence < first);
        if below {
            self.dead.push(at);
            return;
        }
        let old = stream.messages.replay(
            sequence,
            entry.subject,
            entry.time_ns,
            size,
            at,
            entry.flags,
        );
        let mut dead = Vec::new();
        if is_known {
            stream.enforce_while_reading(entry.subject, &mut dead);
        }
        self.dead.extend(old.into_iter().chain(dead));
    }

    fn stream_config(&mut self, entry: &Entry<'_>, payload: &[u8]) {
        let stored = match StoredStream::from_bytes(payload) {
            Ok(stored) => Ok(stored),
            Err(unsupported) if unsupported.name.is_empty() => {
                return self.lost.push(format!(
                    "the configuration of stream number {}: {unsupported}",
                    entry.stream
                ));
            }
            Err(unsupported) => Err(unsupported),
        };
        let opening = self.stream(entry.stream);
        let old = opening.config.replace(entry.at);
        match stored {
            Ok(stored) => {
                opening.unsupported = None;
                opening.stream.reconfigure(stored);
            }
            Err(unsupported) => {
                opening.stream.reconfigure(StoredStream::bare(&unsupported));
                opening.unsupported = Some(unsupported);
            }
        }
        self.dead.extend(old);
    }

    fn removed(&mut self, entry: &Entry<'_>, payload: &[u8]) {
        let Some(youngest) = kinds::youngest_segment(payload) else {
            return;
        };
        let opening = self.stream(entry.stream);
        opening.tombstones.push((entry.kind, youngest, entry.at));
        let mut dead = Vec::new();
        for (first, run) in kinds::removed_runs(payload) {
            let Some(last) = run.checked_sub(1).and_then(|more| first.checked_add(more)) else {
                continue;
            };
            let messages = &mut opening.stream.messages;
            if run == 1 {
                dead.extend(messages.forget(first).map(|(place, _)| place));
            } else {
                messages.forget_range(first, last, &mut dead);
            }
            // It was given out, though nothing else may be left that says so.
            messages.index.skip_to(last);
        }
        self.dead.append(&mut dead);
    }

    fn damaged(&mut self, entry: &Entry<'_>, payload: &[u8]) {
        let Some(youngest) = kinds::youngest_segment(payload) else {
            return;
        };
        let opening = self.stream(entry.stream);
        opening.tombstones.push((entry.kind, youngest, entry.at));
        let messages = &mut opening.stream.messages;
        for (first, run) in kinds::removed_runs(payload) {
            let Some(last) = run.checked_sub(1).and_then(|more| first.checked_add(more)) else {
                continue;
            };
            for sequence in first..=last {
                messages.lose(sequence);
            }
            messages.index.skip_to(last);
        }
    }

    fn state(&mut self, entry: &Entry<'_>, payload: &[u8]) {
        let Some((first, last)) = kinds::decode_state(payload) else {
            return;
        };
        let opening = self.stream(entry.stream);
        // A moved one may come late: what it says was true before.
        let older = opening.state.is_some_and(|(_, (known_first, known_last))| {
            (first, last) < (known_first, known_last)
        });
        if older {
            return self.dead.push(entry.at);
        }
        let old = opening.state.replace((entry.at, (first, last)));
        let mut dead: Vec<Location> = old.map(|(at, _)| at).into_iter().collect();
        let messages = &mut opening.stream.messages;
        messages.forget_before(first, &mut dead);
        messages.index.skip_to(last);
        self.dead.append(&mut dead);
    }

    /// Numbers of what is gone are not given again.
    fn graves(&mut self, entry: &Entry<'_>, payload: &[u8]) {
        let Some(highest) = self.graves.read(entry.kind, payload, entry.at) else {
            return;
        };
        if entry.kind == kinds::STREAMS_DELETED {
            let next = u32::try_from(highest).unwrap_or(u32::MAX).saturating_add(1);
            self.next_stream = self.next_stream.max(next);
        } else {
            self.next_consumer = self.next_consumer.max(highest.saturating_add(1));
        }
    }

    fn consumer_config(&mut self, entry: &Entry<'_>, payload: &[u8]) {
        match StoredConsumer::from_bytes(payload) {
            Ok(stored) => {
                let consumer = self.consumer(entry);
                consumer.unsupported = None;
                let old = consumer.stored.replace((stored, entry.at));
                self.dead.extend(old.map(|(_, at)| at));
            }
            Err(unsupported) if unsupported.name.is_empty() => self.lost.push(format!(
                "the configuration of consumer number {} of stream number {}: {unsupported}",
                entry.sequence, entry.stream
            )),
            Err(unsupported) => self.consumer(entry).unsupported = Some(unsupported),
        }
    }

    /// All was read: streams and consumers of `$G` as they are now, where no other account has any.
    pub fn finish(
        self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
    ) -> (JetStream, OpeningReport) {
        let fresh = JetStream::new(self.settings.clone());
        self.finish_as(fresh, context, journal)
    }

    /// The same in place of an account that has nothing yet.
    pub(super) fn finish_as(
        self,
        mut fresh: JetStream,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
    ) -> (JetStream, OpeningReport) {
        let mut found = self.sort(journal);
        found.give_numbers(fresh.share.common());
        let account = Arc::clone(&fresh.account);
        if let Some(part) = found.parts.remove(&account) {
            part.settle_in(&mut fresh, context, journal, &mut found.report);
        }
        found.leave_rest_to(&mut fresh);
        (fresh, found.report)
    }

    /// All was read: what belongs to which account. Lets go of what is nobody's.
    pub(crate) fn sort(mut self, journal: &mut dyn Journal) -> Found {
        self.find_sources(journal);
        for at in self.dead {
            journal.release(at);
        }
        let mut found = Found {
            parts: BTreeMap::new(),
            graves: self.graves,
            adrift: BTreeSet::new(),
            next_stream: self.next_stream,
            next_consumer: self.next_consumer,
            report: OpeningReport {
                lost: self.lost,
                ..OpeningReport::default()
            },
        };
        let (mut deleted, mut owners) = (BTreeSet::new(), BTreeMap::new());
        for (id, opening) in self.streams {
            if opening.bury(id, journal, &mut found.graves) {
                deleted.insert(id);
                let mut stream = opening.stream;
                stream.opened(opening.config, opening.state, opening.tombstones);
                stream.release_all(journal);
            } else if opening.config.is_none() {
                found.adrift.insert(id);
                found.report.lost.push(format!(
                    "{} messages of stream number {id}, whose configuration is not there",
                    opening.stream.messages.index.len()
                ));
            } else {
                let account = opening.stream.account.clone();
                let account = account.unwrap_or_else(|| GLOBAL_ACCOUNT.into());
                owners.insert(id, Arc::clone(&account));
                let part = found.parts.entry(account).or_default();
                part.streams.push(opening);
            }
        }
        for (number, consumer) in self.consumers {
            let Some(consumer) = consumer.unless_gone(number, &deleted, journal, &mut found) else {
                continue;
            };
            if let Some(account) = owners.get(&consumer.stream)
                && let Some(part) = found.parts.get_mut(account)
            {
                part.consumers.push((number, consumer));
            }
        }
        for part in found.parts.values_mut() {
            part.set_aside();
        }
        found
    }

    /// How far streams' sources are. Copies that are gone still tell it, as long as nothing was released.
    fn find_sources(&mut self, journal: &mut dyn Journal) {
        let served = self.streams.iter_mut();
        for (id, opening) in served.filter(|(_, opening)| opening.unsupported.is_none()) {
            let found = std::mem::take(&mut opening.sources);
            let sources = opening.stream.config.sources.len();
            opening.stream.feeding = found.finish(journal, *id, sources);
        }
    }
}

/// What the log holds, by account.
pub(crate) struct Found {
    pub(crate) parts: BTreeMap<Arc<str>, Part>,
    /// Records that say that something is gone.
    graves: Graves,
    /// Streams whose configuration was not found.
    adrift: BTreeSet<u32>,
    next_stream: u32,
    next_consumer: u64,
    pub(crate) report: OpeningReport,
}

impl Found {
    /// Numbers that were found are not given again.
    pub(crate) fn give_numbers(&self, common: &Common) {
        common.give_from(self.next_stream, self.next_consumer);
    }

    /// What belongs to nobody is looked after by this account.
    pub(crate) fn leave_rest_to(&mut self, jetstream: &mut JetStream) {
        jetstream.graves.append(std::mem::take(&mut self.graves));
        jetstream.adrift.append(&mut self.adrift);
    }
}

/// What the log holds of one account.
#[derive(Default)]
pub(crate) struct Part {
    streams: Vec<OpeningStream>,
    consumers: Vec<(u64, OpeningConsumer)>,
    offline: Vec<(String, OfflineStream)>,
}

impl Part {
    /// Makes streams and consumers of it, in an account that has none.
    pub(crate) fn settle_in(
        self,
        jetstream: &mut JetStream,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        report: &mut OpeningReport,
    ) {
        report.streams += self.streams.len();
        for opening in self.streams {
            jetstream.take_over(context, journal, opening);
        }
        for (name, stream) in self.offline {
            report.offline.push(Offline {
                account: Arc::clone(&jetstream.account),
                stream: name.clone(),
                why: stream.why().to_owned(),
            });
            jetstream.set_aside(name, stream);
        }
        for (number, consumer) in self.consumers {
            let revived = jetstream.revive(context, journal, number, &consumer, &mut report.lost);
            report.consumers += usize::from(revived);
        }
        jetstream.note_reserved();
        jetstream.settle_in(context, journal, report.lost.is_empty());
        report.messages += jetstream.message_count();
    }

    /// Takes those out that can't be served, with all their consumers.
    fn set_aside(&mut self) {
        let mut unsupported: BTreeMap<u32, Vec<(u64, Unsupported)>> = BTreeMap::new();
        for (number, consumer) in &mut self.consumers {
            if let Some(why) = consumer.unsupported.take() {
                let of_stream = unsupported.entry(consumer.stream).or_default();
                of_stream.push((*number, why));
            }
        }
        let streams = std::mem::take(&mut self.streams);
        let (offline, served): (Vec<_>, _) = streams.into_iter().partition(|opening| {
            opening.unsupported.is_some() || unsupported.contains_key(&opening.stream.id)
        });
        self.streams = served;
        for opening in offline {
            let (id, config) = (opening.stream.id, &opening.stream.config);
            let consumers = unsupported.remove(&id).unwrap_or_default();
            let found = OfflineStream::found(id, config, opening.unsupported, consumers);
            self.offline.push((config.name.clone(), found));
            self.consumers.retain(|(_, consumer)| consumer.stream != id);
        }
    }
}

impl OpeningStream {
    /// Whether the log says that it is gone. What says so of it alone is kept.
    fn bury(&self, id: u32, journal: &mut dyn Journal, graves: &mut Graves) -> bool {
        // What was being restored and has no configuration was given up; the record of it is its grave.
        let given_up = self.restoring.filter(|_| self.config.is_none());
        if given_up.is_none() || self.deleted.is_some() {
            self.restoring
                .into_iter()
                .for_each(|at| journal.release(at));
        }
        let Some(at) = self.deleted.or(given_up) else {
            return graves.names_stream(id);
        };
        let youngest = match self.deleted {
            Some(at) => at.segment,
            None => journal.end().segment(),
        };
        let what = Gone {
            stream: id,
            consumer: None,
        };
        graves.add(what, youngest, at);
        true
    }
}

impl OpeningConsumer {
    /// Lets go of one that is gone, or that nothing is known of.
    fn unless_gone(
        self,
        number: u64,
        deleted: &BTreeSet<u32>,
        journal: &mut dyn Journal,
        found: &mut Found,
    ) -> Option<Self> {
        let gone = self.deleted.is_some()
            || deleted.contains(&self.stream)
            || found.graves.names_consumer(number)
            || found.graves.names_stream(self.stream);
        if !gone && (self.stored.is_some() || self.unsupported.is_some()) {
            return Some(self);
        }
        let progress = self.progress.values().map(|(_, _, at)| *at);
        let stored_at = self.stored.as_ref().map(|(_, at)| *at);
        for at in progress.chain(stored_at) {
            journal.release(at);
        }
        if let Some(at) = self.deleted {
            let what = Gone {
                stream: self.stream,
                consumer: Some(number),
            };
            found.graves.add(what, at.segment, at);
        }
        if !gone && !self.progress.is_empty() {
            found.report.lost.push(format!(
                "the configuration of consumer number {number} of stream number {}",
                self.stream
            ));
        }
        None
    }
}

impl JetStream {
    fn take_over(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        opening: OpeningStream,
    ) {
        let mut stream = opening.stream;
        stream.opened(opening.config, opening.state, opening.tombstones);
        stream.messages.show_all();
        stream.enforce_all_limits();
        stream.rebuild_from_headers(context.now_ns, journal);
        let (id, name) = (stream.id, stream.config.name.clone());
        self.names.insert(name, id);
        self.insert_stream(stream);
        self.enter_subjects(id);
    }

    /// A consumer as it was. Whether there is one.
    fn revive(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        number: u64,
        opening: &OpeningConsumer,
        lost: &mut Vec<String>,
    ) -> bool {
        let Some((stored, at)) = &opening.stored else {
            return false;
        };
        let Some(stream) = self.streams.get_mut(&opening.stream) else {
            return false;
        };
        let whole = opening
            .progress
            .iter()
            .rev()
            .find(|(_, (whole, _, _))| *whole);
        let from = whole.map_or(i64::MIN, |(count, _)| *count);
        for (_, (_, _, at)) in opening.progress.range(..from) {
            journal.release(*at);
        }
        // Up to where one is missing: what comes behind it says nothing of what that one told.
        let rest = opening.progress.range(from..).zip(from..);
        let unbroken = rest.take_while(|((count, _), expected)| *count == expected);
        let parts: Vec<(&[u8], Location)> = unbroken
            .map(|((_, (_, bytes, at)), _)| (bytes.as_slice(), *at))
            .collect();
        for (_, (_, _, at)) in opening.progress.range(from..).skip(parts.len()) {
            journal.release(*at);
        }
        if parts.is_empty() && !opening.progress.is_empty() {
            lost.push(format!(
                "the progress of consumer {} of stream {}: it begins anew",
                stored.name, stream.config.name
            ));
        }
        let count = opening.progress.keys().next_back().copied().unwrap_or(0);
        let slot = ConsumerSlot::revive(
            context,
            journal,
            stream,
            (number, stored, *at),
            count,
            &parts,
        );
        match slot {
            Ok(mut slot) => {
                slot.set_scope(self.ack_scope.as_deref());
                stream.consumers.insert(stored.name.clone(), Box::new(slot));
                self.numbers
                    .insert(number, (opening.stream, stored.name.clone()));
                true
            }
            Err(why) => {
                lost.push(format!(
                    "the progress of consumer {} of stream {}: {why}",
                    stored.name, stream.config.name
                ));
                false
            }
        }
    }

    /// Limits and ages that were passed while nobody was here. `is_whole`: nothing was lost, no consumer either.
    fn settle_in(&mut self, context: &mut Context<'_>, journal: &mut dyn Journal, is_whole: bool) {
        self.found_damage = !is_whole;
        let ids: Vec<u32> = self.streams.keys().copied().collect();
        for id in ids {
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.enforce_all_limits();
                stream.messages.sealed(true);
                stream.messages.settle_removals(journal);
            }
            self.schedule(id);
            self.activate(id);
        }
        let ids: Vec<u32> = self.streams.keys().copied().collect();
        for id in ids {
            // That they are done with a message may be known though what tells that it went is not.
            let stream = self.streams.get(&id).filter(|_| is_whole);
            if stream.is_some_and(|stream| !stream.consumers.is_empty()) {
                self.settle_what_is_done(id);
            }
            self.start_sources(context, journal, id);
        }
    }
}

impl Messages {
    /// A message as the log tells of it; where an older copy lies, if there is one.
    fn replay(
        &mut self,
        sequence: u64,
        subject: &[u8],
        time_ns: i64,
        size: u32,
        at: Location,
        flags: u8,
    ) -> Option<Location> {
        self.index
            .insert(sequence, subject, time_ns, size, at, flags)
    }

    /// One that was found to be damaged, if it was not found to be while the log was read. It stays where it is.
    fn lose(&mut self, sequence: u64) {
        if let Some(removed) = self.index.remove(sequence) {
            self.note_lost(Some(sequence), u64::from(removed.meta.size));
        }
    }

    fn forget_range(&mut self, first: u64, last: u64, dead: &mut Vec<Location>) {
        self.index
            .remove_range(first, last, |removed| dead.push(removed.meta.place));
    }

    fn forget_before(&mut self, first: u64, dead: &mut Vec<Location>) {
        self.index
            .remove_before(first, |removed| dead.push(removed.meta.place));
    }

    fn show_all(&mut self) {
        let last = self.index.last_sequence();
        self.show_up_to(last);
    }
}
