//! A stream on its way in: its messages go to the log as they come, under a number that nobody sees. Only
//! when all of it is durable is it there; until then a record in the log says that it is not, so neither a
//! client that goes away nor a crash leaves half a stream behind.

use recado_log::{Journal, Location, Position, Record};

use super::archive::{Item, Message, Reader};
use crate::api::advisory::{Action, Client, RestoreComplete, RestoreCreate};
use crate::api::{RestoreRequest, RestoreResponse, StreamCreateResponse, answer_to, refusal};
use crate::config::StreamConfig;
use crate::consumer::Progress;
use crate::context::Context;
use crate::error::{self, ApiError};
use crate::jetstream::api::{Call, Outcome};
use crate::jetstream::consumers::ConsumerSlot;
use crate::jetstream::events::unique_id;
use crate::jetstream::graves::Gone;
use crate::jetstream::{Incoming, JetStream, Room};
use crate::stream::{
    Messages, NewMessage, PublishHeaders, StoredConsumer, StoredStream, Stream, kinds,
};

/// The next chunk must come within so long.
const CHUNK_WITHIN_NS: i64 = 5_000_000_000;
/// Bytes of all consumers that come along: they wait in memory for the end.
const CONSUMERS_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A restore under way.
pub(super) struct Restore {
    /// Number of the stream that is to be.
    stream: u32,
    pub(super) name: String,
    /// Who asked for it.
    client: Client,
    config: StreamConfig,
    reader: Reader,
    /// Where the log says that it is not there yet.
    pub(super) mark: Option<Location>,
    /// The last sequence that the stream had given.
    last: Option<u64>,
    consumers: Vec<Arrived>,
    consumers_bytes: usize,
    started_ns: i64,
    chunk_by_ns: i64,
    bytes: u64,
    /// All is written; whoever sent it is told once that is durable.
    waiting: Option<(Position, Box<[u8]>)>,
    /// Why it has to be given up.
    pub(super) broken: Option<String>,
}

/// A consumer that came along.
struct Arrived {
    stored: StoredConsumer,
    progress: Vec<u8>,
    /// Its number in the log, and where its records lie; none where it is kept in memory.
    kept: Option<(u64, Location, Location)>,
}

impl Restore {
    pub(super) fn deadline(&self) -> Option<i64> {
        self.waiting.is_none().then_some(self.chunk_by_ns)
    }

    /// It can't go on, and nothing in the log is its own.
    pub(super) fn break_off(&mut self, why: &str) {
        self.broken = Some(why.to_owned());
        self.mark = None;
        self.consumers.clear();
    }

    pub(super) fn moved(&mut self, from: Location, to: Location) {
        let consumers = self
            .consumers
            .iter_mut()
            .filter_map(|one| one.kept.as_mut());
        let places = consumers.flat_map(|(_, config, progress)| [config, progress]);
        for place in places.chain(&mut self.mark) {
            if *place == from {
                *place = to;
            }
        }
    }
}

impl JetStream {
    pub(in crate::jetstream::api) fn stream_restore(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Outcome {
        Outcome::of(self.begin_restore(call, name))
    }

    fn begin_restore(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<RestoreResponse, ApiError> {
        let mut request = RestoreRequest::parse(call.message.payload, name, self.settings.strict)?;
        request.config.set_required_level();
        let limits = &self.settings.limits;
        let config = request.config.check_and_normalise(limits, self, false)?;
        self.check_account_limits(&config, None)?;
        if self.stream(name).is_ok()
            || self.offline.contains_key(name)
            || self.transfers.is_restoring(name)
        {
            return Err(ApiError::new(&error::STREAM_NAME_EXIST_RESTORE_FAILED));
        }
        self.check_overlap(&config)?;
        if !self.transfers.has_room_for_restore() {
            return Err(failed("too many restores at the same time"));
        }
        let stream = self.share.number_stream();
        let on_file = config.storage == crate::config::Storage::File;
        let mark = match on_file {
            true => Some(append_mark(call.journal, stream)?),
            false => None,
        };
        let id = unique_id(call.context);
        let now_ns = call.context.now_ns;
        self.insert_hidden(stream, &config, now_ns, 1);
        let client = self.client_of(call.message);
        let restore = Restore {
            stream,
            name: name.to_owned(),
            client: client.clone(),
            config,
            reader: Reader::default(),
            mark,
            last: None,
            consumers: Vec::new(),
            consumers_bytes: 0,
            started_ns: now_ns,
            chunk_by_ns: now_ns + CHUNK_WITHIN_NS,
            bytes: 0,
            waiting: None,
            broken: None,
        };
        let deliver_subject = format!("$JS.SNAPSHOT.RESTORE.{name}.{id}");
        self.transfers.restores.insert(id, restore);
        let advisory = RestoreCreate {
            stream: name.to_owned(),
            client,
            domain: self.domain(),
        };
        self.advise(call.context, &advisory);
        Ok(RestoreResponse { deliver_subject })
    }

    /// Puts the stream that is to be where its messages can go, but where nobody finds it by its name. It
    /// takes its subjects and its bytes from now on, and publishes nothing again.
    fn insert_hidden(&mut self, id: u32, config: &StreamConfig, created_ns: i64, first: u64) {
        let config = StreamConfig {
            republish: None,
            ..config.clone()
        };
        let mut stream = Stream::new(id, config, created_ns);
        stream.account = self.stored_account();
        stream.messages = Messages::new(id, &stream.config, first);
        self.insert_stream(stream);
    }

    /// A chunk came; an empty one is the end.
    pub(super) fn restore_chunk(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: &str,
        message: &Incoming<'_>,
    ) {
        let Some(mut restore) = self.transfers.restores.remove(id) else {
            return;
        };
        if restore.waiting.is_some() {
            self.transfers.restores.insert(id.to_owned(), restore);
            return;
        }
        restore.chunk_by_ns = context.now_ns + CHUNK_WITHIN_NS;
        restore.bytes += message.payload.len() as u64;
        let reply = message.reply;
        let result = if reply.is_empty() {
            Err(failed("every chunk needs a reply subject"))
        } else if message.payload.is_empty() {
            self.write_rest(journal, &mut restore)
        } else {
            self.take_chunk(journal, &mut restore, message.payload)
        };
        if let Err(error) = result {
            return self.give_up(context, journal, restore, reply, &error);
        }
        if message.payload.is_empty() {
            restore.waiting = Some((journal.end(), reply.into()));
            if restore.mark.is_none() {
                return self.finish_restore(context, journal, restore);
            }
        } else if restore.mark.is_some() {
            self.replies.push(0, reply, &[]);
        } else {
            context.out.publish(reply, b"", b"", b"");
        }
        if let Some(stream) = self.streams.get(&restore.stream)
            && restore.mark.is_some()
        {
            self.replies.grown(restore.stream, stream.last_sequence());
        }
        self.transfers.restores.insert(id.to_owned(), restore);
    }

    fn take_chunk(
        &mut self,
        journal: &mut dyn Journal,
        restore: &mut Restore,
        chunk: &[u8],
    ) -> Result<(), ApiError> {
        let mut room = self.room(restore.config.storage);
        // Apart from the rest, because what it gives is looked at while the rest changes.
        let mut reader = std::mem::take(&mut restore.reader);
        reader.push(chunk);
        let result = loop {
            match reader.next() {
                Ok(None) => break Ok(()),
                Ok(Some(item)) => {
                    if let Err(error) = self.take_item(journal, restore, &item, &mut room) {
                        break Err(error);
                    }
                }
                Err(error) => break Err(failed(error)),
            }
        };
        restore.reader = reader;
        self.account_for(restore.stream);
        result
    }

    fn take_item(
        &mut self,
        journal: &mut dyn Journal,
        restore: &mut Restore,
        item: &Item<'_>,
        room: &mut Room,
    ) -> Result<(), ApiError> {
        match *item {
            Item::Stream(first, last, stored) if restore.last.is_none() => {
                let stored = StoredStream::from_bytes(stored).map_err(failed)?;
                restore.last = Some(last);
                let (config, created_ns) = (restore.config.clone(), stored.created_ns);
                self.insert_hidden(restore.stream, &config, created_ns, first.max(1));
                Ok(())
            }
            Item::Message(message) if restore.last.is_some_and(|last| message.sequence <= last) => {
                self.take_message(journal, restore, &message, room)
            }
            Item::Consumer(stored, progress) => {
                restore.consumers_bytes += stored.len() + progress.len();
                if restore.consumers_bytes > CONSUMERS_BYTES_MAX {
                    return Err(failed(
                        "its consumers have more to remember than is taken in",
                    ));
                }
                let stored = StoredConsumer::from_bytes(stored).map_err(failed)?;
                let read = Progress::default().apply(&restore.name, &stored.name, progress);
                read.map_err(failed)?;
                restore.consumers.push(Arrived {
                    stored,
                    progress: progress.to_vec(),
                    kept: None,
                });
                Ok(())
            }
            Item::End(..) => Ok(()),
            Item::Stream(..) | Item::Message(_) => {
                Err(failed("the archive's records are out of order"))
            }
        }
    }

    fn take_message(
        &mut self,
        journal: &mut dyn Journal,
        restore: &Restore,
        message: &Message<'_>,
        room: &mut Room,
    ) -> Result<(), ApiError> {
        let Some(stream) = self.streams.get_mut(&restore.stream) else {
            return Err(failed("the stream is gone"));
        };
        if message.sequence <= stream.last_sequence()
            || !recado_wire::is_publish_subject(message.subject)
        {
            return Err(failed("the archive's messages make no sense"));
        }
        let size = stream.messages.size_of(
            message.subject.len(),
            message.headers.len(),
            message.payload.len(),
        );
        room.check(size)?;
        room.take(size);
        let message = NewMessage {
            sequence: message.sequence,
            time_ns: message.time_ns,
            flags: Messages::flags_of(&PublishHeaders::parse(message.headers)),
            subject: message.subject,
            headers: message.headers,
            payload: message.payload,
        };
        stream.messages.append(journal, &message).map_err(failed)
    }

    /// Everything came: writes the consumers, and last the configuration, which makes it a stream.
    fn write_rest(
        &mut self,
        journal: &mut dyn Journal,
        restore: &mut Restore,
    ) -> Result<(), ApiError> {
        let (true, Some(last)) = (restore.reader.is_complete(), restore.last) else {
            return Err(failed("the archive ends too early"));
        };
        let Some(stream) = self.streams.get_mut(&restore.stream) else {
            return Err(failed("the stream is gone"));
        };
        stream.messages.index.skip_to(last);
        for arrived in &mut restore.consumers {
            if restore.mark.is_none() || arrived.stored.config.mem_storage {
                continue;
            }
            let number = self.share.number_consumer();
            let record = Record {
                kind: kinds::CONSUMER_CONFIG,
                stream: restore.stream,
                sequence: number,
                ..Record::default()
            };
            let stored = arrived.stored.to_bytes();
            let config_at = journal.append(&Record {
                payload: &stored,
                ..record
            });
            let progress_at = journal.append(&Record {
                kind: kinds::CONSUMER_SNAPSHOT,
                time_ns: 1,
                payload: &arrived.progress,
                ..record
            });
            arrived.kept = Some((
                number,
                config_at.map_err(failed)?,
                progress_at.map_err(failed)?,
            ));
        }
        stream.store_state(journal).map_err(failed)?;
        let hidden = stream.config.clone();
        stream.apply(restore.config.clone());
        let stored = stream.store_config(journal);
        stream.apply(hidden);
        stored.map_err(failed)
    }

    /// Restores whose last record is durable are streams now.
    pub(in crate::jetstream) fn finish_restores(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        durable: Position,
    ) {
        let is_done = |restore: &Restore| {
            let waiting = restore.waiting.as_ref();
            restore.broken.is_none() && waiting.is_some_and(|(end, _)| *end <= durable)
        };
        for restore in self.transfers.take_restores(is_done) {
            self.finish_restore(context, journal, restore);
        }
    }

    fn finish_restore(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        restore: Restore,
    ) {
        let id = restore.stream;
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let last = stream.last_sequence();
        stream.messages.show_up_to(last);
        stream.apply(restore.config.clone());
        stream.rebuild_from_headers(context.now_ns, journal);
        self.names.insert(restore.name.clone(), id);
        for arrived in &restore.consumers {
            self.add_arrived(context, journal, id, arrived);
        }
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.enforce_all_limits();
            let last = stream.last_sequence();
            if stream.messages.is_on_file() {
                self.replies.grown(id, last);
            }
        }
        if let Some(mark) = restore.mark {
            journal.release(mark);
        }
        self.note_reserved();
        self.enter_subjects(id);
        self.subscribe_to_subjects(context, id);
        self.start_sources(context, journal, id);
        self.schedule(id);
        self.activate(id);
        self.advise_stream(context, &restore.name, Action::Created);
        self.advise_restored(context, &restore);
        let Some((_, reply)) = &restore.waiting else {
            return;
        };
        let nothing = Incoming {
            sid: b"",
            subject: b"",
            reply: b"",
            headers: b"",
            payload: b"",
        };
        let mut call = Call {
            context,
            journal,
            message: &nothing,
        };
        let info = self.info_of(&mut call, &restore.name);
        let body = answer_to(&info.map(|info| StreamCreateResponse {
            info,
            did_create: true,
        }));
        context.out.publish(reply, b"", b"", &body);
    }

    fn add_arrived(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        id: u32,
        arrived: &Arrived,
    ) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let Arrived {
            stored, progress, ..
        } = arrived;
        let (number, config_at, progress_at) = arrived.kept.unwrap_or_default();
        let slot = ConsumerSlot::revive(
            context,
            journal,
            stream,
            (number, stored, config_at),
            1,
            &[(progress, progress_at)],
        );
        // Its progress was read when it came, so there is none that can't be taken up.
        let Ok(slot) = slot else {
            return;
        };
        let mut slot = match number {
            0 => slot.without_records(),
            _ => slot,
        };
        slot.set_scope(self.ack_scope.as_deref());
        stream.consumers.insert(stored.name.clone(), Box::new(slot));
        if number > 0 {
            self.numbers.insert(number, (id, stored.name.clone()));
        }
    }

    /// Gives up what failed, and what nobody sends any more.
    pub(super) fn give_up_restores(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
    ) {
        let now_ns = context.now_ns;
        let is_over = |restore: &Restore| {
            restore.broken.is_some() || restore.deadline().is_some_and(|at| at <= now_ns)
        };
        for mut restore in self.transfers.take_restores(is_over) {
            let waiting = restore.waiting.take();
            let reply = waiting.map_or(Box::default(), |(_, reply)| reply);
            let why = restore.broken.clone();
            let error = failed(why.as_deref().unwrap_or("no chunk came for too long"));
            self.give_up(context, journal, restore, &reply, &error);
        }
    }

    /// Takes back all that was written.
    fn give_up(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        restore: Restore,
        reply: &[u8],
        error: &ApiError,
    ) {
        let id = restore.stream;
        if let Some(stream) = self.remove_stream(id) {
            stream.release_all(journal);
        }
        for (_, config_at, progress_at) in restore.consumers.iter().filter_map(|one| one.kept) {
            journal.release(config_at);
            journal.release(progress_at);
        }
        self.unsaved.remove(&id);
        // The log may hold its messages still: as long as it does, it must say that they are nobody's.
        if let Some(at) = restore.mark {
            let youngest = journal.end().segment();
            let what = Gone {
                stream: id,
                consumer: None,
            };
            self.graves.add(what, youngest, at);
        }
        self.advise_restored(context, &restore);
        if !reply.is_empty() {
            let body = refusal::<StreamCreateResponse>(error);
            context.out.publish(reply, b"", b"", &body);
        }
    }

    fn advise_restored(&self, context: &mut Context<'_>, restore: &Restore) {
        let advisory = RestoreComplete {
            stream: restore.name.clone(),
            start: restore.started_ns,
            end: context.now_ns,
            bytes: restore.bytes.cast_signed(),
            client: restore.client.clone(),
            domain: self.domain(),
        };
        self.advise(context, &advisory);
    }
}

fn append_mark(journal: &mut dyn Journal, stream: u32) -> Result<Location, ApiError> {
    let record = Record {
        kind: kinds::RESTORING,
        stream,
        ..Record::default()
    };
    journal.append(&record).map_err(failed)
}

fn failed(why: impl std::fmt::Display) -> ApiError {
    ApiError::with(&error::STREAM_RESTORE, why)
}
