//! A stream on its way out: chunks go to whoever asked, as fast as they are acknowledged.

use recado_log::Journal;

use super::archive::{Message, Writer};
use crate::api::advisory::{Client, SnapshotComplete, SnapshotCreate};
use crate::api::{self, SnapshotRequest, SnapshotResponse, StreamState, status};
use crate::consumer::Read;
use crate::context::Context;
use crate::error::{self, ApiError};
use crate::jetstream::JetStream;
use crate::jetstream::api::{Call, Outcome};
use crate::jetstream::events::unique_id;
use crate::stream::{StoredConsumer, StoredStream, Stream};

/// Whoever asked may take so long to subscribe to what it asked for.
const INTEREST_WITHIN_NS: i64 = 2_000_000_000;
/// Until then that is looked at so often.
const INTEREST_EVERY_NS: i64 = 50_000_000;
/// Some chunk must be acknowledged within so long.
const ACK_WITHIN_NS: i64 = 5_000_000_000;
/// A subscriber with much to read is looked at again after so long.
const CONGESTED_NS: i64 = 2_000_000;
/// Bytes that one snapshot sends in a turn.
const TURN_BYTES: usize = 1024 * 1024;

/// A snapshot under way.
pub(super) struct Snapshot {
    stream: u32,
    name: String,
    /// Who asked for it.
    client: Client,
    deliver: String,
    /// `$JS.SNAPSHOT.ACK.<stream>.<id>`
    ack: String,
    chunk_bytes: usize,
    /// Chunks that may be sent before another one is acknowledged.
    slots: u64,
    chunks: u64,
    writer: Writer,
    /// The next message, and the last that was there at the start.
    next: u64,
    last: u64,
    /// Each consumer's configuration and progress, as they were at the start.
    consumers: Vec<(Vec<u8>, Vec<u8>)>,
    written: bool,
    /// A damaged message ends it; else it is left out.
    strict: bool,
    state: StreamState,
    started_ns: i64,
    begun: bool,
    ack_by_ns: i64,
    look_ns: Option<i64>,
}

/// What a turn came to.
enum Turn {
    Wait,
    More,
    /// It is over: well, or with a status and a reason.
    Over(Option<(Vec<u8>, String)>),
}

impl Snapshot {
    /// One of its chunks has arrived.
    pub(super) fn acknowledged(&mut self, now_ns: i64) {
        self.slots += 1;
        self.ack_by_ns = now_ns + ACK_WITHIN_NS;
    }

    pub(super) fn deadline(&self) -> i64 {
        self.look_ns.unwrap_or(self.ack_by_ns)
    }

    fn fail(status: &status::Status, why: &str) -> Turn {
        Turn::Over(Some((status.block(), why.to_owned())))
    }

    /// Fills the writer until there is a chunk, or nothing is left to write.
    fn fill(&mut self, journal: &mut dyn Journal, stream: &mut Stream) -> Result<(), String> {
        while self.writer.len() < self.chunk_bytes && !self.written {
            let index = &stream.messages.index;
            let next = index.next(self.next).filter(|next| *next <= self.last);
            let Some(sequence) = next else {
                for (config, progress) in self.consumers.drain(..) {
                    self.writer.consumer(&config, &progress);
                }
                self.writer.end();
                self.written = true;
                break;
            };
            self.next = sequence + 1;
            match stream.messages.read(journal, sequence) {
                Read::Message(message) => self.writer.message(&Message {
                    sequence,
                    time_ns: message.time_ns,
                    subject: message.subject,
                    headers: message.headers,
                    payload: message.payload,
                }),
                Read::Lost if self.strict => {
                    return Err(format!("message {sequence} is damaged"));
                }
                Read::Unreadable => return Err("the disk could not be read".to_owned()),
                Read::Lost | Read::Gone => {}
            }
        }
        Ok(())
    }

    fn turn(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        stream: Option<&mut Stream>,
    ) -> Turn {
        self.look_ns = None;
        let Some(stream) = stream else {
            let mut block = Vec::new();
            status::append_failure(&mut block, "stream deleted");
            return Turn::Over(Some((block, "stream deleted".to_owned())));
        };
        if self.slots == 0 && context.now_ns >= self.ack_by_ns {
            return Self::fail(&status::SNAPSHOT_NO_FLOW, "no flow response");
        }
        if !context.out.has_interest(self.deliver.as_bytes(), None) {
            return Self::fail(&status::SNAPSHOT_NO_INTEREST, "no interest");
        }
        let mut sent = 0;
        while self.slots > 0 {
            if context.out.is_congested(self.deliver.as_bytes()) {
                self.look_ns = Some(context.now_ns + CONGESTED_NS);
                return Turn::Wait;
            }
            if sent >= TURN_BYTES {
                return Turn::More;
            }
            if let Err(why) = self.fill(journal, stream) {
                let mut block = Vec::new();
                status::append_failure(&mut block, &why);
                return Turn::Over(Some((block, why)));
            }
            let chunk = self.writer.take(self.chunk_bytes);
            sent += chunk.len();
            let deliver = self.deliver.as_bytes();
            if chunk.len() < self.chunk_bytes {
                // Nobody needs to acknowledge the last one: the end follows at once.
                if !chunk.is_empty() {
                    context.out.publish(deliver, b"", b"", &chunk);
                }
                return Turn::Over(None);
            }
            self.slots -= 1;
            self.chunks += 1;
            let reply = format!("{}.{}.{}", self.ack, chunk.len(), self.chunks);
            context.out.publish(deliver, reply.as_bytes(), b"", &chunk);
            self.ack_by_ns = context.now_ns + ACK_WITHIN_NS;
        }
        Turn::Wait
    }
}

impl JetStream {
    pub(in crate::jetstream::api) fn stream_snapshot(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Outcome {
        Outcome::of(self.begin_snapshot(call, name))
    }

    fn begin_snapshot(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<SnapshotResponse, ApiError> {
        let payload = call.message.payload;
        if !api::is_empty_request(payload) {
            self.stream(name)?;
        }
        let request = SnapshotRequest::parse(payload, self.settings.strict)?;
        if !self.transfers.has_room_for_snapshot() {
            let why = "too many snapshots at the same time";
            return Err(ApiError::with(&error::STREAM_SNAPSHOT, why));
        }
        let id = unique_id(call.context);
        let now_ns = call.context.now_ns;
        let client = self.client_of(call.message);
        let state = self.stream_mut(name)?.exact_state(call.journal);
        let stream = self.stream(name)?;
        let (first, last) = (
            stream.messages.index.first_sequence(),
            stream.messages.visible(),
        );
        let stored = StoredStream {
            // Whoever restores it has it in an account of their own.
            account: None,
            config: stream.config.clone(),
            created_ns: stream.created_ns,
        };
        let consumers = match request.no_consumers {
            true => Vec::new(),
            false => stream.copy_consumers(),
        };
        let window = request.window_size.max(request.chunk_size);
        let snapshot = Snapshot {
            stream: stream.id,
            name: name.to_owned(),
            client,
            deliver: request.deliver_subject,
            ack: format!("$JS.SNAPSHOT.ACK.{name}.{id}"),
            chunk_bytes: request.chunk_size as usize,
            slots: window / request.chunk_size.max(1),
            chunks: 0,
            writer: Writer::new(first, last, &stored.to_bytes()),
            next: first,
            last,
            consumers,
            written: false,
            strict: request.jsck,
            state,
            started_ns: now_ns,
            begun: false,
            ack_by_ns: now_ns,
            look_ns: Some(now_ns),
        };
        let answer = SnapshotResponse {
            config: stream.config.clone(),
            state: snapshot.state.clone(),
        };
        self.transfers.snapshots.insert(id, snapshot);
        Ok(answer)
    }

    /// Sends what may be sent of each snapshot. Whether there is more to do at once.
    pub(super) fn send_snapshots(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
    ) -> bool {
        let mut more = false;
        let all = std::mem::take(&mut self.transfers.snapshots);
        for (id, mut snapshot) in all {
            match self.send_snapshot(context, journal, &mut snapshot) {
                Turn::Over(failure) => self.end_snapshot(context, &snapshot, failure),
                turn => {
                    more |= matches!(turn, Turn::More);
                    self.transfers.snapshots.insert(id, snapshot);
                }
            }
        }
        more
    }

    fn send_snapshot(
        &mut self,
        context: &mut Context<'_>,
        journal: &mut dyn Journal,
        snapshot: &mut Snapshot,
    ) -> Turn {
        let now_ns = context.now_ns;
        if !snapshot.begun {
            let late = now_ns - snapshot.started_ns >= INTEREST_WITHIN_NS;
            if !late && !context.out.has_interest(snapshot.deliver.as_bytes(), None) {
                snapshot.look_ns = Some(now_ns + INTEREST_EVERY_NS);
                return Turn::Wait;
            }
            snapshot.begun = true;
            snapshot.ack_by_ns = now_ns + ACK_WITHIN_NS;
            let advisory = SnapshotCreate {
                stream: snapshot.name.clone(),
                state: snapshot.state.clone(),
                client: snapshot.client.clone(),
                domain: self.domain(),
            };
            self.advise(context, &advisory);
        }
        let stream = self.streams.get_mut(&snapshot.stream);
        snapshot.turn(context, journal, stream.map(|stream| &mut **stream))
    }

    fn end_snapshot(
        &self,
        context: &mut Context<'_>,
        snapshot: &Snapshot,
        failure: Option<(Vec<u8>, String)>,
    ) {
        let (block, why) =
            failure.unwrap_or_else(|| (status::SNAPSHOT_COMPLETE.block(), String::new()));
        let deliver = snapshot.deliver.as_bytes();
        context.out.publish(deliver, b"", &block, b"");
        let advisory = SnapshotComplete {
            stream: snapshot.name.clone(),
            start: snapshot.started_ns,
            end: context.now_ns,
            client: snapshot.client.clone(),
            error: why,
            domain: self.domain(),
        };
        self.advise(context, &advisory);
    }
}

impl Stream {
    /// Each consumer's configuration and progress, as they would be kept in the log.
    fn copy_consumers(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let copy = |slot: &crate::jetstream::ConsumerSlot| {
            let consumer = &slot.consumer;
            let stored = StoredConsumer {
                name: consumer.name().to_owned(),
                config: consumer.config().clone(),
                created_ns: consumer.created_ns(),
            };
            (stored.to_bytes(), consumer.progress_copy())
        };
        self.consumers.values().map(|slot| copy(slot)).collect()
    }
}
