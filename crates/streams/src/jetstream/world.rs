//! A small world for tests: an account's streams over a log in memory that can lose its end.

use std::collections::BTreeMap;

use recado_log::{CONTROL_KIND_MIN, Damaged, Entry, Journal, Location, Position, Record, Refused};
use serde_json::{Value, json};

use crate::consumer::Read;
use crate::context::{Context, Outlet};
use crate::jetstream::{Incoming, JetStream, Opening, Settings};
use crate::time::SECOND;

pub(super) const START: i64 = 1_700_000_000 * SECOND;
/// Records of one segment.
const SEGMENT: usize = 1 << 20;

#[derive(Clone, Debug)]
struct Kept {
    kind: u8,
    flags: u8,
    stream: u32,
    sequence: u64,
    time_ns: i64,
    subject: Vec<u8>,
    headers: Vec<u8>,
    payload: Vec<u8>,
}

/// A log in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryJournal {
    records: Vec<Kept>,
    durable: usize,
    /// It takes nothing.
    pub(super) is_full: bool,
    /// The disk below it gives nothing.
    pub(super) is_unreadable: bool,
    /// Records that were released, with how long the log was then.
    released: BTreeMap<u32, usize>,
    /// Records that are overwritten once what was appended since is on disk.
    erased: Vec<Location>,
}

impl MemoryJournal {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// All of it is on disk.
    pub(crate) fn commit(&mut self) {
        self.durable = self.records.len();
        for at in std::mem::take(&mut self.erased) {
            if let Some(kept) = self.records.get_mut(at.offset as usize) {
                kept.headers.fill(b'?');
                kept.payload.fill(b'?');
            }
        }
    }

    /// What is not on disk is void.
    fn roll_back(&mut self) {
        let durable = self.durable;
        self.records.truncate(durable);
        self.erased.clear();
        self.released.retain(|_, end| *end <= durable);
    }

    /// Payloads of all messages that lie there, dead ones too.
    pub(super) fn payloads(&self) -> Vec<String> {
        let messages = self
            .records
            .iter()
            .filter(|kept| kept.kind < CONTROL_KIND_MIN);
        messages
            .map(|kept| String::from_utf8_lossy(&kept.payload).into_owned())
            .collect()
    }

    fn entries(&self) -> impl Iterator<Item = (Entry<'_>, &[u8])> {
        self.records.iter().enumerate().map(|(at, kept)| {
            let entry = Entry {
                kind: kept.kind,
                flags: kept.flags,
                stream: kept.stream,
                sequence: kept.sequence,
                time_ns: kept.time_ns,
                subject: &kept.subject,
                headers_len: kept.headers.len() as u32,
                payload_len: kept.payload.len() as u32,
                at: place(at),
            };
            (entry, kept.payload.as_slice())
        })
    }
}

fn place(at: usize) -> Location {
    Location {
        segment: 1 + (at / SEGMENT) as u32,
        offset: at as u32,
        length: 1,
    }
}

impl Journal for MemoryJournal {
    fn append(&mut self, record: &Record<'_>) -> Result<Location, Refused> {
        if self.is_full {
            return Err(Refused::Full("no room".to_owned()));
        }
        self.records.push(Kept {
            kind: record.kind,
            flags: record.flags,
            stream: record.stream,
            sequence: record.sequence,
            time_ns: record.time_ns,
            subject: record.subject.to_vec(),
            headers: record.headers.to_vec(),
            payload: record.payload.to_vec(),
        });
        Ok(place(self.records.len() - 1))
    }

    fn append_group(&mut self, records: &[Record<'_>]) -> Result<Vec<Location>, Refused> {
        records.iter().map(|record| self.append(record)).collect()
    }

    fn read(&mut self, at: Location) -> Result<Record<'_>, Damaged> {
        let why = "not there".to_owned();
        let kept = self.records.get(at.offset as usize);
        let unread = self.is_unreadable;
        if unread {
            return Err(Damaged { at, why, unread });
        }
        let kept = kept.ok_or(Damaged { at, why, unread })?;
        Ok(Record {
            kind: kept.kind,
            flags: kept.flags,
            stream: kept.stream,
            sequence: kept.sequence,
            time_ns: kept.time_ns,
            subject: &kept.subject,
            headers: &kept.headers,
            payload: &kept.payload,
            compress: false,
        })
    }

    fn release(&mut self, at: Location) {
        assert!((at.offset as usize) < self.records.len(), "{at:?} is void");
        let before = self.released.insert(at.offset, self.records.len());
        assert_eq!(before, None, "{at:?} was released before");
    }

    fn erase(&mut self, at: Location) {
        self.erased.push(at);
    }

    fn end(&self) -> Position {
        Position((1 << 32) + self.records.len() as u64)
    }

    fn durable(&self) -> Position {
        Position((1 << 32) + self.durable as u64)
    }
}

/// What was published.
#[derive(Default)]
struct Seen(Vec<Published>);

/// Subject, headers, payload.
type Published = (Vec<u8>, Vec<u8>, Vec<u8>);

impl Outlet for Seen {
    fn publish(&mut self, subject: &[u8], _: &[u8], headers: &[u8], payload: &[u8]) {
        self.0
            .push((subject.to_vec(), headers.to_vec(), payload.to_vec()));
    }

    fn deliver(&mut self, _: &[u8], _: &[u8], _: &[u8], _: &[u8], _: &[u8]) -> bool {
        false
    }

    /// In advisories.
    fn has_interest(&self, subject: &[u8], _: Option<&[u8]>) -> bool {
        let of_server = subject.starts_with(b"$JS.EVENT.ADVISORY.SERVER.");
        of_server || subject.starts_with(b"$JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.")
    }

    fn is_congested(&self, _: &[u8]) -> bool {
        false
    }

    fn subscribe(&mut self, _: &[u8], _: &[u8]) {}

    fn unsubscribe(&mut self, _: &[u8]) {}
}

/// A stored message, as tests look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) sequence: u64,
    pub(super) time_ns: i64,
    pub(super) subject: String,
    pub(super) headers: String,
    pub(super) payload: String,
}

pub(super) struct World {
    jetstream: JetStream,
    pub(super) journal: MemoryJournal,
    pub(super) now_ns: i64,
    seen: Seen,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            jetstream: JetStream::new(Settings::default()),
            journal: MemoryJournal::default(),
            now_ns: START,
            seen: Seen::default(),
        }
    }

    pub(super) fn act<T>(
        &mut self,
        act: impl FnOnce(&mut JetStream, &mut Context<'_>, &mut MemoryJournal) -> T,
    ) -> T {
        let mut random = || 7;
        let mut context = Context {
            now_ns: self.now_ns,
            random: &mut random,
            out: &mut self.seen,
        };
        act(&mut self.jetstream, &mut context, &mut self.journal)
    }

    /// Sends a request and waits for the answer.
    pub(super) fn api(&mut self, call: &str, body: &Value) -> Value {
        self.ask(call, body);
        self.batch();
        self.answer()
    }

    /// Sends a request whose batch does not reach the disk.
    pub(super) fn api_and_fail(&mut self, call: &str, body: &Value) {
        self.ask(call, body);
        self.act(|jetstream, context, journal| jetstream.complete_batch(context, journal));
        self.fail_batch();
        let answer = self.answer();
        assert!(!answer["error"].is_null(), "{answer}");
    }

    /// Sends a request.
    pub(super) fn ask(&mut self, call: &str, body: &Value) {
        self.ask_with(call, "", body);
    }

    /// Sends a request with these headers.
    pub(super) fn ask_with(&mut self, call: &str, headers: &str, body: &Value) {
        let payload = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let subject = format!("$JS.API.{call}");
        self.seen.0.clear();
        self.act(|jetstream, context, journal| {
            let message = Incoming {
                sid: b"a",
                subject: subject.as_bytes(),
                reply: b"answer",
                headers: headers.as_bytes(),
                payload: payload.as_bytes(),
            };
            jetstream.handle(context, journal, &message);
        });
    }

    fn answer(&self) -> Value {
        let answer = self.seen.0.iter().find(|(to, ..)| to == b"answer");
        answer.map_or(Value::Null, |(_, _, body)| {
            serde_json::from_slice(body).expect("an answer in JSON")
        })
    }

    pub(super) fn create(&mut self, config: &Value) -> Value {
        let name = config["name"].as_str().expect("a name");
        let answer = self.api(&format!("STREAM.CREATE.{name}"), config);
        assert!(answer["error"].is_null(), "{answer}");
        answer
    }

    pub(super) fn info(&mut self, stream: &str) -> Value {
        self.api(&format!("STREAM.INFO.{stream}"), &Value::Null)
    }

    pub(super) fn publish(&mut self, subject: &str, headers: &str, payload: &str) {
        self.publish_for(subject, headers, payload, "ack");
    }

    /// Publishes, and is answered on `reply`.
    pub(super) fn publish_for(&mut self, subject: &str, headers: &str, payload: &str, reply: &str) {
        self.now_ns += 1_000;
        let sid = self
            .jetstream
            .subjects
            .iter()
            .find_map(|(filter, (sid, _))| {
                recado_wire::filter_matches(filter.as_bytes(), subject.as_bytes())
                    .then(|| sid.clone())
            });
        let sid = sid.expect("a stream that takes it");
        self.act(|jetstream, context, journal| {
            let message = Incoming {
                sid: sid.as_bytes(),
                subject: subject.as_bytes(),
                reply: reply.as_bytes(),
                headers: headers.as_bytes(),
                payload: payload.as_bytes(),
            };
            jetstream.handle(context, journal, &message);
        });
    }

    /// Publishes, and waits for the ack.
    pub(super) fn ack_of(&mut self, subject: &str, headers: &str, payload: &str) -> Value {
        self.seen.0.clear();
        self.publish(subject, headers, payload);
        self.batch();
        let acks = self.seen("ack");
        let (_, body) = acks.first().expect("an ack");
        serde_json::from_str(body).expect("an ack in JSON")
    }

    /// The sequences that a stream has.
    pub(super) fn sequences(&mut self, stream: &str) -> Vec<u64> {
        let messages = self.messages(stream).into_iter();
        messages.map(|message| message.sequence).collect()
    }

    /// What was published on a subject since the last request: headers and payload.
    pub(super) fn seen(&self, subject: &str) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let all = self.seen.0.iter();
        let own = all.filter(|(to, ..)| to == subject.as_bytes());
        own.map(|(_, headers, payload)| (text(headers), text(payload)))
            .collect()
    }

    /// Commits what was gathered.
    pub(super) fn batch(&mut self) {
        self.act(|jetstream, context, journal| {
            jetstream.complete_batch(context, journal);
            let end = journal.end();
            jetstream.sealed(end);
            journal.commit();
            jetstream.durable(context, journal, end);
        });
    }

    /// One turn without a batch.
    pub(super) fn turn(&mut self) -> bool {
        self.act(|jetstream, context, journal| {
            jetstream.tick(context, journal);
            jetstream.work(context, journal)
        })
    }

    /// Goes on until nothing happens any more.
    pub(super) fn run(&mut self) {
        for _ in 0..10_000 {
            let more = self.turn();
            let before = self.journal.len();
            self.batch();
            let idle = !more && before == self.journal.durable && self.jetstream.active.is_empty();
            if idle {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// What a batch held did not reach the disk.
    pub(super) fn fail_batch(&mut self) {
        self.act(|jetstream, context, journal| {
            journal.roll_back();
            // Nobody wrote down what was released.
            journal.released.clear();
            let mut opening = jetstream.opening();
            for (entry, payload) in journal.entries() {
                opening.record(&entry, payload);
            }
            let report = jetstream.recovered(context, journal, opening, "no room");
            assert!(report.lost.is_empty(), "{:?}", report.lost);
        });
    }

    /// The server dies, and the log holds its first `records`.
    pub(super) fn restarted_with(&self, records: usize) -> Self {
        let (world, lost) = self.restarted_seeing(records, |_, _| true);
        assert!(lost.is_empty(), "{lost:?}");
        world
    }

    /// The same, and only these records can be read. What is said to be lost.
    pub(super) fn restarted_seeing(
        &self,
        records: usize,
        sees: impl Fn(&Entry<'_>, &[u8]) -> bool,
    ) -> (Self, Vec<String>) {
        let mut journal = self.journal.clone();
        journal.durable = records;
        journal.roll_back();
        // Nobody wrote down what was released.
        journal.released.clear();
        let mut opening = Opening::new(Settings::default());
        for (entry, payload) in journal.entries() {
            if sees(&entry, payload) {
                opening.record(&entry, payload);
            }
        }
        let mut world = Self {
            now_ns: self.now_ns + SECOND,
            journal: journal.clone(),
            ..Self::new()
        };
        let mut random = || 7;
        let mut context = Context {
            now_ns: world.now_ns,
            random: &mut random,
            out: &mut world.seen,
        };
        let (jetstream, report) = opening.finish(&mut context, &mut world.journal);
        world.jetstream = jetstream;
        world.run();
        (world, report.lost)
    }

    /// The same, and compaction has taken everything away that nobody needs.
    pub(super) fn restarted_compacted(&self) -> Self {
        let mut opening = Opening::new(Settings::default());
        let journal = self.journal.clone();
        for (at, (entry, payload)) in journal.entries().enumerate() {
            if !journal.released.contains_key(&(at as u32)) {
                opening.record(&entry, payload);
            }
        }
        let mut world = Self {
            now_ns: self.now_ns + SECOND,
            journal: journal.clone(),
            ..Self::new()
        };
        let mut random = || 7;
        let mut context = Context {
            now_ns: world.now_ns,
            random: &mut random,
            out: &mut world.seen,
        };
        world.jetstream = opening.finish(&mut context, &mut world.journal).0;
        world.run();
        world
    }

    /// Whether compaction would keep all messages if no configuration were found.
    pub(super) fn is_every_message_live_without_configurations(&self) -> bool {
        let mut journal = self.journal.clone();
        journal.released.clear();
        let mut opening = Opening::new(Settings::default());
        let messages = |(entry, _): &(Entry<'_>, &[u8])| entry.kind < CONTROL_KIND_MIN;
        for (entry, payload) in self.journal.entries().filter(messages) {
            opening.record(&entry, payload);
        }
        let mut random = || 7;
        let mut context = Context {
            now_ns: self.now_ns,
            random: &mut random,
            out: &mut Seen::default(),
        };
        let (jetstream, _) = opening.finish(&mut context, &mut journal);
        let mut all = self.journal.entries().filter(messages);
        all.all(|(entry, _)| jetstream.is_live(&entry))
    }

    /// The last record of a kind, written once more as another version would write it.
    pub(super) fn rewrite(&mut self, kind: u8, edit: impl FnOnce(&mut Value)) {
        let last = self.journal.records.iter().rev();
        let mut record = last
            .clone()
            .find(|kept| kept.kind == kind)
            .expect("one of that kind")
            .clone();
        let mut payload = serde_json::from_slice(&record.payload).expect("JSON");
        edit(&mut payload);
        record.payload = payload.to_string().into_bytes();
        self.journal.records.push(record);
        self.journal.commit();
    }

    /// The last record is of this stream.
    pub(super) fn number_last_record(&mut self, stream: u32) {
        if let Some(last) = self.journal.records.last_mut() {
            last.stream = stream;
        }
    }

    /// Records of a kind, and how many of them compaction would keep.
    pub(super) fn live(&self, kind: u8) -> (usize, usize) {
        let (mut all, mut live) = (0, 0);
        for (entry, _) in self
            .journal
            .entries()
            .filter(|(entry, _)| entry.kind == kind)
        {
            all += 1;
            live += usize::from(self.jetstream.is_live(&entry));
        }
        (all, live)
    }

    /// Messages of a stream whose end is known.
    pub(super) fn ends_known(&self, stream: &str) -> usize {
        let stream = self.jetstream.stream(stream);
        stream.map_or(0, |stream| stream.ends_known())
    }

    pub(super) fn has(&self, stream: &str) -> bool {
        self.jetstream.names.contains_key(stream)
    }

    pub(super) fn messages(&mut self, stream: &str) -> Vec<Message> {
        let id = self.jetstream.names[stream];
        let messages = &mut self
            .jetstream
            .streams
            .get_mut(&id)
            .expect("a stream")
            .messages;
        let mut found = Vec::new();
        let mut at = messages.index.next(0);
        while let Some(sequence) = at {
            at = messages.index.next(sequence + 1);
            let Read::Message(message) = messages.read(&mut self.journal, sequence) else {
                panic!("{stream} {sequence} can't be read");
            };
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            found.push(Message {
                sequence,
                time_ns: message.time_ns,
                subject: text(message.subject),
                headers: text(message.headers),
                payload: text(message.payload),
            });
        }
        found
    }

    pub(super) fn payloads(&mut self, stream: &str) -> Vec<String> {
        let messages = self.messages(stream).into_iter();
        messages.map(|message| message.payload).collect()
    }
}

/// A stream's configuration with these fields.
pub(super) fn stream(name: &str, fields: Value) -> Value {
    let mut config = json!({"name": name});
    if let (Some(config), Value::Object(fields)) = (config.as_object_mut(), fields) {
        config.extend(fields);
    }
    config
}
