//! The engine as the simulated streams see it: who listens where, what came out, what is on its way in.
//!
//! In worlds with two accounts the clients' stream `S1` is another account's `S0`, with the same subjects as that of
//! the first: names are translated here, on their way in and out. So the model knows nothing of accounts, and whatever
//! gets from one to the other is something that it did not expect.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use recado_streams::context::{AccountId, Exchange, Outlet};
use recado_streams::jetstream::GLOBAL_ACCOUNT;

use crate::dice::Fingerprint;

/// The first account.
pub const GLOBAL: AccountId = AccountId(0);
/// The other one, ...
pub const TWIN: AccountId = AccountId(1);
/// ... and its name.
pub const TWIN_NAME: &str = "TWIN";

/// What the clients' texts have where those of the other account have what comes second.
const NAMES: [(&str, &str); 2] = [("S1", "S0"), ("s1", "s0")];

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
    /// Filters that the streams subscribed to, by account and sid.
    subscriptions: BTreeMap<(AccountId, Vec<u8>), Vec<u8>>,
    /// There are two accounts.
    twin: bool,
    /// The one that speaks.
    account: Option<AccountId>,
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
    /// Where nobody listens. `twin`: there are two accounts.
    #[must_use]
    pub fn new(twin: bool) -> Self {
        Self {
            twin,
            ..Self::default()
        }
    }

    /// Whether there are two accounts.
    #[must_use]
    pub fn is_twin(&self) -> bool {
        self.twin
    }

    /// The server is gone: nobody is subscribed, nothing is on its way.
    pub fn cut(&mut self) {
        self.subscriptions.clear();
        self.intake.clear();
        self.sent.clear();
    }

    /// A message as it reaches the streams, with the sid of the subscription that it belongs to.
    #[must_use]
    pub fn arrive(&self, message: &Message) -> Option<(Vec<u8>, Message)> {
        let mut message = message.clone();
        let is_twin = |token: &str| NAMES.iter().any(|(ours, _)| token == *ours);
        let mut account = GLOBAL;
        if self.twin && message.subject.split('.').any(is_twin) {
            account = TWIN;
            let is_call = message.subject.starts_with("$JS.API.");
            message.subject = renamed(&message.subject, |(ours, theirs)| (ours, theirs));
            if is_call {
                let body = text(&message.payload);
                message.payload = renamed_in_json(body, |(ours, theirs)| (ours, theirs));
            }
        }
        let mut all = self.subscriptions.iter();
        let subject = message.subject.as_bytes();
        let found = all.find(|((of, _), filter)| {
            *of == account && recado_wire::filter_matches(filter, subject)
        });
        found.map(|((_, sid), _)| (sid.clone(), message))
    }

    /// A subject of the account that speaks, as the clients know it.
    fn outward(&self, subject: &[u8]) -> String {
        let subject = text(subject);
        match self.account {
            Some(TWIN) => renamed(&subject, |(ours, theirs)| (theirs, ours)),
            _ => subject,
        }
    }

    fn speaker(&self) -> AccountId {
        self.account.unwrap_or(GLOBAL)
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

impl Exchange for Net {
    fn of(&mut self, account: AccountId) -> &mut dyn Outlet {
        self.account = Some(account);
        self
    }
}

impl Outlet for Net {
    fn publish(&mut self, subject: &[u8], reply: &[u8], headers: &[u8], payload: &[u8]) {
        self.note([b"publish", subject, reply, headers, payload]);
        let (subject, reply) = (self.outward(subject), self.outward(reply));
        let payload = match self.account {
            Some(TWIN) if payload.starts_with(b"{") => {
                renamed_in_json(text(payload), |(ours, theirs)| (theirs, ours))
            }
            _ => payload.to_vec(),
        };
        if subject.starts_with('_') || subject.starts_with("push.") {
            self.sent.push(Sent {
                inbox: subject.clone(),
                subject,
                reply,
                headers: headers.to_vec(),
                payload,
            });
        } else {
            self.intake.push_back(Message {
                subject,
                reply,
                headers: headers.to_vec(),
                payload,
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
        let inbox = self.outward(inbox);
        if !self.listening.contains(&inbox) {
            return false;
        }
        self.note([inbox.as_bytes(), subject, reply, headers, payload]);
        self.sent.push(Sent {
            inbox,
            subject: self.outward(subject),
            reply: self.outward(reply),
            headers: headers.to_vec(),
            payload: payload.to_vec(),
        });
        true
    }

    fn has_interest(&self, subject: &[u8], _queue: Option<&[u8]>) -> bool {
        self.listening.contains(self.outward(subject).as_str())
    }

    fn is_congested(&self, subject: &[u8]) -> bool {
        self.slow.contains(self.outward(subject).as_str())
    }

    fn subscribe(&mut self, filter: &[u8], sid: &[u8]) {
        let key = (self.speaker(), sid.to_vec());
        self.subscriptions.insert(key, filter.to_vec());
    }

    fn unsubscribe(&mut self, sid: &[u8]) {
        let key = (self.speaker(), sid.to_vec());
        self.subscriptions.remove(&key);
    }
}

/// A stream of an account, as the clients know it.
#[must_use]
pub fn name_of(account: &str, stream: &str) -> String {
    if account == GLOBAL_ACCOUNT {
        stream.to_owned()
    } else {
        renamed(stream, |(ours, theirs)| (theirs, ours))
    }
}

type Way = fn((&'static str, &'static str)) -> (&'static str, &'static str);

/// A subject with other names.
fn renamed(subject: &str, way: Way) -> String {
    let tokens = subject.split('.').map(|token| {
        let mut all = NAMES.into_iter().map(way);
        all.find(|(from, _)| token == *from)
            .map_or(token, |(_, to)| to)
    });
    tokens.collect::<Vec<_>>().join(".")
}

/// JSON with other names: where they are a text of their own, or begin a subject, or are in the middle of one.
fn renamed_in_json(mut json: String, way: Way) -> Vec<u8> {
    for (from, to) in NAMES.into_iter().map(way) {
        for (before, after) in [("\"", "\""), ("\"", "."), (".", ".")] {
            let (old, new) = (
                format!("{before}{from}{after}"),
                format!("{before}{to}{after}"),
            );
            json = json.replace(&old, &new);
        }
    }
    json.into_bytes()
}
