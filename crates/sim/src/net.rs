//! The engine as the simulated streams see it: who listens where, what came out, what is on its way in.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use recado_streams::context::Outlet;

use crate::dice::Fingerprint;

/// A message on its way to the streams.
#[derive(Clone, Debug)]
pub struct Message {
    /// Subject that it was published on.
    pub subject: String,
    /// Where the answer goes.
    pub reply: String,
    /// Header block, or empty.
    pub headers: Vec<u8>,
    /// Payload.
    pub payload: Vec<u8>,
    /// Number of the operation that it is; 0 for none.
    pub op: u64,
}

/// What the streams sent to somebody.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Where to.
    pub inbox: String,
    /// The subject that it shows.
    pub subject: String,
    /// Ack subject, or empty.
    pub reply: String,
    /// Header block, or empty.
    pub headers: Vec<u8>,
    /// Payload.
    pub payload: Vec<u8>,
}

/// The engine.
#[derive(Debug, Default)]
pub struct Net {
    /// Filters that the streams subscribed to, by sid.
    subscriptions: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Inboxes that somebody listens on.
    pub listening: BTreeSet<String>,
    /// Inboxes whose owner does not keep up.
    pub slow: BTreeSet<String>,
    /// What came out and was not looked at yet.
    pub sent: Vec<Sent>,
    /// What goes in next.
    pub intake: VecDeque<Message>,
    /// Of everything that came out.
    pub fingerprint: Fingerprint,
}

impl Net {
    /// The server is gone: nobody is subscribed, nothing is on its way.
    pub fn cut(&mut self) {
        self.subscriptions.clear();
        self.intake.clear();
        self.sent.clear();
    }

    /// The sid of the subscription that a subject belongs to.
    #[must_use]
    pub fn sid_of(&self, subject: &str) -> Option<Vec<u8>> {
        let mut all = self.subscriptions.iter();
        let found = all.find(|(_, filter)| recado_wire::filter_matches(filter, subject.as_bytes()));
        found.map(|(sid, _)| sid.clone())
    }

    fn note(&mut self, parts: [&[u8]; 5]) {
        for part in parts {
            self.fingerprint.add(part);
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Outlet for Net {
    fn publish(&mut self, subject: &[u8], reply: &[u8], headers: &[u8], payload: &[u8]) {
        self.note([b"publish", subject, reply, headers, payload]);
        let subject = text(subject);
        if subject.starts_with('_') || subject.starts_with("push.") {
            self.sent.push(Sent {
                inbox: subject.clone(),
                subject,
                reply: text(reply),
                headers: headers.to_vec(),
                payload: payload.to_vec(),
            });
        } else {
            self.intake.push_back(Message {
                subject,
                reply: text(reply),
                headers: headers.to_vec(),
                payload: payload.to_vec(),
                op: 0,
            });
        }
    }

    fn deliver(
        &mut self,
        inbox: &[u8],
        subject: &[u8],
        reply: &[u8],
        headers: &[u8],
        payload: &[u8],
    ) -> bool {
        let inbox = text(inbox);
        if !self.listening.contains(&inbox) {
            return false;
        }
        self.note([inbox.as_bytes(), subject, reply, headers, payload]);
        self.sent.push(Sent {
            inbox,
            subject: text(subject),
            reply: text(reply),
            headers: headers.to_vec(),
            payload: payload.to_vec(),
        });
        true
    }

    fn has_interest(&self, subject: &[u8], _queue: Option<&[u8]>) -> bool {
        self.listening.contains(text(subject).as_str())
    }

    fn is_congested(&self, subject: &[u8]) -> bool {
        self.slow.contains(text(subject).as_str())
    }

    fn subscribe(&mut self, filter: &[u8], sid: &[u8]) {
        self.subscriptions.insert(sid.to_vec(), filter.to_vec());
    }

    fn unsubscribe(&mut self, sid: &[u8]) {
        self.subscriptions.remove(sid);
    }
}

/// Where nobody is, while a store is opened.
pub struct Nobody;

impl Outlet for Nobody {
    fn publish(&mut self, _: &[u8], _: &[u8], _: &[u8], _: &[u8]) {}

    fn deliver(&mut self, _: &[u8], _: &[u8], _: &[u8], _: &[u8], _: &[u8]) -> bool {
        false
    }

    fn has_interest(&self, _: &[u8], _: Option<&[u8]>) -> bool {
        false
    }

    fn is_congested(&self, _: &[u8]) -> bool {
        false
    }

    fn subscribe(&mut self, _: &[u8], _: &[u8]) {}

    fn unsubscribe(&mut self, _: &[u8]) {}
}
