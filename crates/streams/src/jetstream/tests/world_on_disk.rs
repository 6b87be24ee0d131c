//! A small world for tests: an account's streams over a real log, on a disk that loses what was not synced.

use recado_log::{Committer, Log, Progress, Replayed, SimDisk};
use serde_json::Value;

use crate::context::{Context, Outlet};
use crate::jetstream::{Incoming, JetStream, Opening, Settings};
use crate::time::SECOND;

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::jetstream) struct Sent {
    pub(in crate::jetstream) subject: String,
    pub(in crate::jetstream) reply: String,
    pub(in crate::jetstream) headers: String,
    pub(in crate::jetstream) payload: Vec<u8>,
}

impl Sent {
    pub(in crate::jetstream) fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).expect("JSON")
    }
}

#[derive(Default)]
pub(in crate::jetstream) struct Heard {
    pub(in crate::jetstream) sent: Vec<Sent>,
    /// Nobody listens to anything.
    pub(in crate::jetstream) deaf: bool,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Outlet for Heard {
    fn publish(&mut self, subject: &[u8], reply: &[u8], headers: &[u8], payload: &[u8]) {
        self.sent.push(Sent {
            subject: text(subject),
            reply: text(reply),
            headers: text(headers),
            payload: payload.to_vec(),
        });
    }

    fn deliver(
        &mut self,
        inbox: &[u8],
        _: &[u8],
        reply: &[u8],
        headers: &[u8],
        payload: &[u8],
    ) -> bool {
        if self.deaf {
            return false;
        }
        self.publish(inbox, reply, headers, payload);
        true
    }

    fn has_interest(&self, _: &[u8], _: Option<&[u8]>) -> bool {
        !self.deaf
    }

    fn is_congested(&self, _: &[u8]) -> bool {
        false
    }

    fn subscribe(&mut self, _: &[u8], _: &[u8]) {}

    fn unsubscribe(&mut self, _: &[u8]) {}
}

pub(crate) struct World {
    disk: SimDisk,
    pub(in crate::jetstream) jetstream: JetStream,
    log: Log<SimDisk>,
    committer: Committer<SimDisk>,
    pub(in crate::jetstream) now_ns: i64,
    random: u64,
    pub(in crate::jetstream) heard: Heard,
}

impl World {
    /// Nothing is stored. The seed says what a crash leaves, and all other chance.
    pub(crate) fn new(seed: u64) -> Self {
        Self::open(SimDisk::new(seed), 1_795_694_400 * SECOND)
    }

    fn open(disk: SimDisk, now_ns: i64) -> Self {
        let mut opening = Opening::new(Settings::default());
        let mut lost = Vec::new();
        let settings = recado_log::Settings {
            segment_bytes: 256 * 1024,
            reserve_bytes: 0,
            ..recado_log::Settings::default()
        };
        let opened = Log::open(disk.clone(), settings, &mut |replayed| match replayed {
            Replayed::Record { entry, payload, .. } => opening.record(&entry, payload),
            Replayed::Lost(one) => lost.push(one.to_string()),
        });
        let (mut log, committer, _) = opened.expect("the log opens");
        let mut random = || 7;
        let mut heard = Heard::default();
        let mut context = Context {
            now_ns,
            random: &mut random,
            out: &mut heard,
        };
        let (jetstream, report) = opening.finish(&mut context, &mut log);
        assert_eq!((lost, report.lost), (Vec::new(), Vec::new()));
        Self {
            disk,
            jetstream,
            log,
            committer,
            now_ns,
            random: 1,
            heard,
        }
    }

    /// The disk, with nobody on it.
    pub(crate) fn into_disk(self) -> SimDisk {
        self.disk.clone()
    }

    /// The power fails; what the log holds then is opened again.
    pub(in crate::jetstream) fn crash(self) -> Self {
        self.disk.crash();
        Self::open(self.disk, self.now_ns)
    }

    pub(in crate::jetstream) fn act<T>(
        &mut self,
        act: impl FnOnce(&mut JetStream, &mut Context<'_>, &mut Log<SimDisk>) -> T,
    ) -> T {
        let seed = &mut self.random;
        let mut random = || {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *seed >> 33
        };
        let mut context = Context {
            now_ns: self.now_ns,
            random: &mut random,
            out: &mut self.heard,
        };
        act(&mut self.jetstream, &mut context, &mut self.log)
    }

    fn handle(&mut self, sid: &str, subject: &str, reply: &str, headers: &str, payload: &[u8]) {
        self.act(|jetstream, context, log| {
            let message = Incoming {
                sid: sid.as_bytes(),
                subject: subject.as_bytes(),
                reply: reply.as_bytes(),
                headers: headers.as_bytes(),
                payload,
            };
            jetstream.handle(context, log, &message);
        });
    }

    /// Publishes with these headers (`Name: value`), to be answered on `ack`.
    pub(crate) fn publish(&mut self, subject: &str, headers: &[&str], payload: &str) {
        self.publish_with("ack", subject, headers, payload);
    }

    pub(in crate::jetstream) fn publish_with(
        &mut self,
        reply: &str,
        subject: &str,
        headers: &[&str],
        payload: &str,
    ) {
        let matches =
            |filter: &str| recado_wire::filter_matches(filter.as_bytes(), subject.as_bytes());
        let subjects = self.jetstream.subjects.iter();
        let mut sid = subjects
            .filter(|(filter, _)| matches(filter))
            .map(|(_, (sid, _))| sid.clone());
        let sid = sid.next_back().expect("a stream that takes it");
        let block = match headers {
            [] => String::new(),
            lines => format!("NATS/1.0\r\n{}\r\n\r\n", lines.join("\r\n")),
        };
        self.handle(&sid, subject, reply, &block, payload.as_bytes());
    }

    /// A request for messages, answered on `inbox`.
    pub(in crate::jetstream) fn pull(&mut self, stream: &str, consumer: &str, body: &str) {
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
        self.handle("a", &subject, "inbox", "", body.as_bytes());
        self.pass(0);
    }

    /// Answers a delivery.
    pub(in crate::jetstream) fn ack(&mut self, delivery: &Sent, payload: &str) {
        self.handle("k", &delivery.reply, "", "", payload.as_bytes());
    }

    /// A message on a transfer's subject.
    pub(in crate::jetstream) fn transfer(&mut self, subject: &str, reply: &str, payload: &[u8]) {
        self.handle("n", subject, reply, "", payload);
    }

    /// A call with its answer, once that may leave.
    pub(in crate::jetstream) fn api(&mut self, call: &str, body: &Value) -> Value {
        let payload = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        self.handle(
            "a",
            &format!("$JS.API.{call}"),
            "answer",
            "",
            payload.as_bytes(),
        );
        self.commit();
        let answer = self.take("answer");
        answer.last().map_or(Value::Null, Sent::json)
    }

    /// Writes what was gathered, and takes the outcome.
    pub(crate) fn commit(&mut self) {
        self.act(|jetstream, context, log| jetstream.complete_batch(context, log));
        let end = recado_log::Journal::end(&self.log);
        let Some(batch) = self.log.take_batch() else {
            self.jetstream.sealed(end);
            return self.act(|jetstream, context, log| jetstream.durable(context, log, end));
        };
        self.jetstream.sealed(end);
        let done = self.committer.commit(batch);
        match self.log.committed(done) {
            Progress::Durable(position) => {
                self.act(|jetstream, context, log| jetstream.durable(context, log, position));
            }
            Progress::RolledBack { why, .. } => {
                let mut opening = self.jetstream.opening();
                let replay = &mut |replayed: Replayed<'_>| opening.replay(&replayed);
                let read = self.log.recover(&mut self.committer, replay);
                read.expect("it can be read");
                self.act(|jetstream, context, log| {
                    jetstream.recovered(context, log, opening, &why);
                });
            }
            Progress::Stopped { why } => panic!("the log stopped: {why}"),
        }
    }

    /// The batch goes to the disk, and the power fails on its way.
    pub(in crate::jetstream) fn crash_while_writing(mut self) -> Self {
        self.disk.fail_syncs(1);
        let end = recado_log::Journal::end(&self.log);
        if let Some(batch) = self.log.take_batch() {
            self.jetstream.sealed(end);
            let _ = self.committer.commit(batch);
        }
        self.crash()
    }

    /// The next batch finds no room.
    pub(in crate::jetstream) fn commit_without_room(&mut self) {
        self.disk.fill_writes(1);
        self.commit();
    }

    /// Bytes of records on the disk.
    pub(in crate::jetstream) fn stored_bytes(&self) -> u64 {
        self.log.usage().bytes
    }

    /// Has segments emptied of which little is alive, until there are none.
    pub(in crate::jetstream) fn compact(&mut self) {
        loop {
            let jetstream = std::cell::RefCell::new(&mut self.jetstream);
            let step = self.log.compact(
                u64::MAX / 8,
                &mut |entry| jetstream.borrow().is_live(entry),
                &mut |entry, to| jetstream.borrow_mut().moved(entry, to),
            );
            self.commit();
            if !step.more {
                return;
            }
        }
    }

    /// Time passes, and what is due is done.
    pub(in crate::jetstream) fn pass(&mut self, ns: i64) {
        self.now_ns += ns;
        for _ in 0..100 {
            let more = self.act(|jetstream, context, log| {
                jetstream.tick(context, log);
                jetstream.work(context, log)
            });
            self.commit();
            if !more {
                return;
            }
        }
    }

    /// Takes what was sent there.
    pub(in crate::jetstream) fn take(&mut self, subject: &str) -> Vec<Sent> {
        let all = std::mem::take(&mut self.heard.sent);
        let (taken, left) = all.into_iter().partition(|sent| sent.subject == subject);
        self.heard.sent = left;
        taken
    }

    /// The last of what was sent there, as JSON.
    pub(in crate::jetstream) fn told(&mut self, subject: &str) -> Value {
        self.take(subject).last().map_or(Value::Null, Sent::json)
    }

    pub(crate) fn create(&mut self, config: &Value) {
        let name = config["name"].as_str().expect("a name");
        let answer = self.api(&format!("STREAM.CREATE.{name}"), config);
        assert!(answer["error"].is_null(), "{answer}");
    }

    /// What a stream is, without the time of the question.
    pub(in crate::jetstream) fn info(&mut self, stream: &str) -> Value {
        let mut info = self.api(&format!("STREAM.INFO.{stream}"), &Value::Null);
        info.as_object_mut().map(|fields| fields.remove("ts"));
        info
    }

    /// Messages of each subject of a stream.
    pub(in crate::jetstream) fn subjects(&mut self, stream: &str) -> Value {
        let all = serde_json::json!({"subjects_filter": ">"});
        self.api(&format!("STREAM.INFO.{stream}"), &all)["state"]["subjects"].take()
    }
}
